"""What changed between two recordings: faults that came and went, then every other fact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Optional

from ..inputs.crm_mon import CLUSTER
from ..inputs.drbdsetup import DRBD
from ..model.drbd import DrbdResource
from ..model.pacemaker import Cluster, base_id, primitives, status_word
from ..model.words import state_name
from ..values import NamedTuple
from ..verdict.finding import Fault, State
from ..verdict.problems import DRBD_EMPTY, DRBD_MODULE
from ..verdict.view import Judgement
from ..verdict.words import join
from .facts.drbd import volume_name

Facts = Mapping[tuple[str, str], str]
"""What is the case, by the name of the thing and by whom, where somebody says otherwise than the
first one; all in an operator's words."""
Answers = frozenset[tuple[str, str]]
"""The tools that told something, each with the node."""


class Change(NamedTuple):
    """A fact that is another now; ``None`` where the thing was not, or is not any more."""

    name: str
    before: Optional[str]
    after: Optional[str]


class Difference(NamedTuple):
    """Everything that changed.

    :param came: faults that are new. :param went: faults that are no more.
    """

    came: tuple[Fault, ...]
    went: tuple[Fault, ...]
    changes: tuple[Change, ...]

    @property
    def is_none(self) -> bool:
        """Whether nothing changed at all."""
        return not (self.came or self.went or self.changes)


class Side(NamedTuple):
    """One side of the comparison: each node's judgement, and the faults that they tell together."""

    seen: Sequence[Judgement]
    faults: Sequence[Fault]


def difference(old: Side, new: Side) -> Difference:
    """Compare the recordings of the same nodes."""
    before, after = _faults(old.faults), _faults(new.faults)
    changes: list[Change] = []
    told, tells = _answers(old.seen), _answers(new.seen)
    for tool, here in sorted(told ^ tells):
        words = ("known", "not known") if (tool, here) in told else ("not known", "known")
        changes.append(Change(f"{tool} from {here}", *words))
    known, now = _facts(old.seen, told & tells), _facts(new.seen, told & tells)
    for name, where in dict.fromkeys((*known, *now)):
        was, is_now = (side.get((name, where), side.get((name, ""))) for side in (known, now))
        if was != is_now:
            changes.append(Change(name + where, was, is_now))
    return Difference(
        tuple(fault for key, fault in after.items() if key not in before),
        tuple(fault for key, fault in before.items() if key not in after),
        tuple(changes),
    )


def _faults(faults: Sequence[Fault]) -> dict[tuple[str, str], Fault]:
    """Faults by what they are, not by their words, which tell ages and progress."""
    return {
        (fault.cause.key, fault.cause.object): fault
        for fault in faults
        if fault.state is not State.OK
    }


def _answers(seen: Sequence[Judgement]) -> Answers:
    """What is known, by tool and node; that nothing of DRBD is up is known, too."""
    found = {(_PACEMAKER, one.view.here) for one in seen if one.view[CLUSTER].value is not None}
    for one in seen:
        answer = one.view[DRBD]
        if answer.value is not None or any(each.kind in _NOTHING for each in answer.problems):
            found.add((_DRBD, one.view.here))
    return frozenset(found)


_PACEMAKER, _DRBD = "Pacemaker", "DRBD"
_NOTHING = (DRBD_EMPTY, DRBD_MODULE)


def _facts(seen: Sequence[Judgement], answers: Answers) -> Facts:
    """The facts of all nodes; Pacemaker's once where all of them say the same.

    :param answers: those that both sides have; what nobody was asked is no change.
    """
    found: dict[tuple[str, str], str] = {}
    for one in sorted(seen, key=lambda each: each.view.here):
        here = one.view.here
        cluster = one.view[CLUSTER].value if (_PACEMAKER, here) in answers else None
        for name, word in _pacemaker(cluster) if cluster is not None else ():
            if found.setdefault((name, ""), word) != word:
                found[name, f" (seen from {here})"] = word
        for resource in one.view[DRBD].value or () if (_DRBD, here) in answers else ():
            found.update({(name, ""): word for name, word in _drbd(here, resource)})
    return found


def _pacemaker(cluster: Cluster) -> Iterator[tuple[str, str]]:
    dc = cluster.summary.dc
    yield "designated controller", (dc.name if dc is not None else None) or "none"
    if dc is not None and dc.with_quorum is not None:
        yield "quorum", "yes" if dc.with_quorum else "no"
    if cluster.summary.options.maintenance_mode is not None:
        yield "maintenance-mode", "on" if cluster.summary.options.maintenance_mode else "off"
    for node in cluster.nodes:
        yield f"node {node.name}", status_word(node)
    instances: dict[str, list[str]] = {}
    for resource in cluster.resources:
        for part in primitives(resource):
            on = f" on {join(part.nodes)}" if part.nodes else ""
            flags = [word for word in ("failed", "blocked", "orphaned") if getattr(part, word)]
            flags += ["unmanaged"] if part.managed is False else []
            words = ", ".join((f"{state_name(part.role)}{on}", *flags))
            instances.setdefault(base_id(part.id), []).append(words)
    for name, words_of in instances.items():
        yield f"resource {name}", "; ".join(sorted(words_of))
    for past in cluster.history:
        if past.fail_count:
            yield f"fail-count of {past.resource} on {past.node}", str(past.fail_count)
    for ban in cluster.bans:
        yield f"constraint {ban.id}", f"{ban.resource} not on {ban.node}"


def _drbd(here: str, resource: DrbdResource) -> Iterator[tuple[str, str]]:
    yield f"role {resource.name} on {here}", state_name(resource.role)
    for device in resource.devices:
        name = volume_name(resource, device.volume)
        lost = ", no quorum" if device.quorum is False else ""
        yield f"disk {name} on {here}", f"{state_name(device.disk_state)}{lost}"
    for peer in resource.connections:
        yield f"connection {resource.name} {here}-{peer.name}", state_name(peer.state)
        for side in peer.peer_devices:
            name = f"{resource.name}/{side.volume} {here}-{peer.name}"
            yield f"replication {name}", state_name(side.replication_state)
