"""What is most worth knowing of a cluster that is well: in one line, for its first line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from ..inputs.drbdsetup import DRBD
from ..model.drbd import Role
from ..verdict.view import Judgement, same_node
from ..verdict.words import join
from .futures import together
from .outlook import Futures, Outlook, services
from .partitions import Partition

NOT_A_WORD = "nothing to say"


def essence(seen: Sequence[Judgement], parts: Sequence[Partition]) -> str:
    """Where the services run, on which Primary, the copies, who can take over, what can be lost."""
    if parts:
        speaker = parts[0].speaker
    elif seen:
        speaker = max(seen, key=lambda one: len(one.view[DRBD].value or ()))
    else:
        return NOT_A_WORD
    futures = together(seen, parts)
    outlooks = _outlooks(futures)
    said = (
        _services(futures, outlooks, seen),
        _copies(seen),
        _takers(outlooks),
        _margins(speaker, seen),
    )
    return ", ".join(each for each in said if each) or NOT_A_WORD


def _outlooks(futures: Optional[Futures]) -> list[Outlook]:
    if futures is None:
        return []
    found = map(futures.of, services(futures.cib, futures.cluster.resources))
    return [outlook for outlook in found if not outlook.is_off]


def _services(
    futures: Optional[Futures], outlooks: Sequence[Outlook], seen: Sequence[Judgement]
) -> str:
    running = [outlook for outlook in outlooks if outlook.active]
    if futures is None:
        return ""
    if len(running) > 2:
        nodes = join(sorted({node for each in running for node in each.active}), 4)
        return f"{len(running)} services on {nodes}"
    return ", ".join(
        f"{each.resource.id} on {join(each.active)}{_primary_of(futures, each, seen)}"
        for each in running
    )


def _primary_of(futures: Futures, outlook: Outlook, seen: Sequence[Judgement]) -> str:
    """``= Primary of r0``, by the word of the node itself, else of its peers."""
    names = [pair.drbd for pair in futures.pairs.below(outlook.resource) if pair.drbd]
    primary = [
        name
        for name in dict.fromkeys(names)
        if all(_is_primary(seen, name, on) for on in outlook.active)
    ]
    return f" = Primary of {join(primary, 2)}" if primary else ""


def _is_primary(seen: Sequence[Judgement], name: str, node: str) -> bool:
    own = [one for one in seen if same_node(one.view.here, node)]
    for one in own or seen:
        for resource in one.view[DRBD].value or ():
            if resource.name != name:
                continue
            if own:
                return resource.role is Role.PRIMARY
            if any(
                c.peer_role is Role.PRIMARY and same_node(c.name, node)
                for c in resource.connections
            ):
                return True
    return False


def _least(seen: Sequence[Judgement], check: str, ending: str) -> Optional[int]:
    """The least value of a check's figures of that name, of all nodes."""
    values = [
        int(each.value)
        for one in seen
        for line in one.report.lines
        if line.check == check
        for each in line.figures
        if each.label.endswith(ending) and each.value is not None
    ]
    return min(values, default=None)


def _copies(seen: Sequence[Judgement]) -> str:
    volumes = {
        f"{resource.name}/{device.volume}"
        for one in seen
        for resource in one.view[DRBD].value or ()
        for device in resource.devices
    }
    least = _least(seen, "drbd-quorum", "_copies")
    most = _least(seen, "drbd-quorum", "_replicas")
    if least is None or most is None:
        return ""
    words = f"{least} of {most} copies"
    return words if len(volumes) == 1 else f"{len(volumes)} volumes with at least {words}"


def _takers(outlooks: Sequence[Outlook]) -> str:
    counted = [each for each in outlooks if each.active and not each.pinned]
    if not counted:
        return ""
    takers = set.intersection(*({*each.candidates} for each in counted))
    if takers:
        return f"{join(sorted(takers), 3)} can take over"
    able = sum(1 for each in counted if each.candidates)
    return f"{able} of {len(counted)} services have a node to go to"


def _margins(speaker: Judgement, seen: Sequence[Judgement]) -> str:
    votes = _least((speaker,), "quorum", "votes_margin")
    copies = _least(seen, "drbd-quorum", "_votes_margin")
    words = []
    if votes is not None:
        words.append(f"{votes} vote{'' if votes == 1 else 's'}")
    if copies is not None:
        words.append(f"{copies} cop{'y' if copies == 1 else 'ies'}")
    return f"can lose {' and '.join(words)}" if words else ""
