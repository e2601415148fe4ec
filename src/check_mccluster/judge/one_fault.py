"""What is one fault told as one: volumes and nodes alike, one outage, what is on its way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..inputs.crm_mon import CLUSTER
from ..model.pacemaker import base_id, ids_of
from ..verdict.alike import denied_beside, is_one, text_of
from ..verdict.alike import mark as alike_mark
from ..verdict.finding import MOVES, Fault, Finding
from ..verdict.subject import RESOURCE
from ..verdict.view import View
from ..verdict.words import join
from .causes import OF_OTHERS, words
from .facts.pacemaker import tops_of
from .reasons import CAUSES


def as_one(view: View, found: Sequence[Fault], findings: Sequence[Finding]) -> list[Fault]:
    """Faults of which several are one, with that told once.

    :param findings: all that was found, in the order in which it is told.
    """
    return _on_their_way(_of_one_outage(view, _folded(view, found), findings))


_EXCLUDES = frozenset().union(
    *(
        CAUSES[word]
        for word in ("standby", "ban", "barred", "maintenance", "health", "connectivity")
    )
)
_OUTAGES = words("resource-stopped clone-down promoted-missing")


def _of_one_outage(view: View, found: Sequence[Fault], findings: Sequence[Finding]) -> list[Fault]:
    """What keeps a service that is down from one node each is one fault: lift any of it.

    What else an exclusion explains makes it a fault of its own.
    """
    merged: dict[int, Fault] = dict(enumerate(found))
    excluding = {at: each for at, each in merged.items() if each.cause.key in _EXCLUDES}
    of_name: dict[str, set[int]] = {}
    """Where exclusions stand, by their resource; under no name those that are of none."""
    for at, each in excluding.items():
        of_name.setdefault(_resource_name(each.cause), set()).add(at)
    for at, fault in excluding.items():
        if at not in merged:
            continue
        down = [e for e in fault.follows if e.key in _OUTAGES and e.besides]
        family = frozenset().union(*(resource_family(view, each) for each in down))
        reasons = {each for one in down for each in one.besides}
        names = {"", *family, *(about for _, _, about in reasons)}
        near = sorted({one for name in names for one in of_name.get(name, ())} & {*merged})
        rest = [
            one
            for one in near
            if one != at
            and _is_among(merged[one].cause, reasons, family)
            and all(_is_about(each, family) for each in merged[one].follows)
        ]
        if rest:
            all_of_it = [fault, *(merged.pop(one) for one in rest)]
            alike = {each.cause for each in all_of_it if each.cause.key == fault.cause.key}
            head = next((each for each in findings if each in alike), fault.cause)
            causes = [each.cause for each in all_of_it if each.cause != head]
            more = [one for each in all_of_it[1:] for one in each.follows]
            merged[at] = fault._replace(cause=head, follows=(*fault.follows, *causes, *more))
    return list(merged.values())


def _resource_name(cause: Finding) -> str:
    return cause.object if cause.subject.sort == RESOURCE else ""


def _on_their_way(found: Sequence[Fault]) -> list[Fault]:
    """What stops on a node that was put in standby goes to another one: that is one fault."""
    merged = list(found)
    for fault in found:
        if fault.cause.key != "resource-transition" or not fault.cause.nodes:
            continue
        for at, left in enumerate(merged):
            if left.cause.key in MOVES and {*fault.cause.nodes} <= {*left.cause.nodes}:
                merged[at] = left._replace(follows=(*left.follows, fault.cause, *fault.follows))
                merged.remove(fault)
                break
    return merged


def _is_among(
    cause: Finding, reasons: Iterable[tuple[str, str, str]], family: frozenset[str]
) -> bool:
    """Whether an exclusion is one of the reasons, for nodes and resources by name."""
    return any(
        cause.key in CAUSES.get(word, ())
        and node in cause.nodes
        and (cause.subject.sort != RESOURCE or cause.object in {about, *family})
        for word, node, about in reasons
    )


def _is_about(each: Finding, family: frozenset[str]) -> bool:
    """Whether a consequence says no more than that the service is down, or may not run there."""
    return each.key in OF_OTHERS or base_id(each.object) in family


def _folded(view: View, found: Sequence[Fault]) -> list[Fault]:
    """Faults that say the same of many volumes or tools as one; the others follow from it."""
    alike: dict[object, list[Fault]] = {}
    for fault in found:
        mark = alike_mark(fault.cause)
        if _is_of_nodes(fault.cause):
            # What follows may follow from the first alone.
            head = fault.cause.text.partition(": ")[0]
            key: object = (fault.cause.kind, head.replace(fault.cause.object, ""))
        else:
            key = fault if mark is None else (fault.state, mark)
        alike.setdefault(key, []).append(fault)
    folded: list[Fault] = []
    for same in alike.values():
        causes = [each.cause for each in same]
        first = causes[0]
        of_nodes = _is_of_nodes(first)
        beside = list(denied_beside(view, causes))
        if beside:
            told = first._replace(text=text_of([*causes, *beside]))
            folded.append(same[0]._replace(cause=told, follows=_rest(same)))
            continue
        if len(same) == 1 or not (of_nodes or is_one(causes)):
            folded += same
            continue
        cause = first._replace(
            text=_text_of_nodes(causes) if of_nodes else text_of(causes),
            nodes=tuple(dict.fromkeys(node for each in causes for node in each.nodes)),
            next_step=_start(causes) if first.key == "node-offline" else first.next_step,
        )
        folded.append(same[0]._replace(cause=cause, follows=_rest(same)))
    return folded


def _rest(same: Sequence[Fault]) -> tuple[Finding, ...]:
    """What follows from the first of them: the others, and what follows from each."""
    others = (fault.cause for fault in same[1:])
    return (*others, *(each for fault in same for each in fault.follows))


_OF_NODES = words(
    "connectivity-lost node-health-red node-health-yellow node-standby node-maintenance"
)
"""What befalls several nodes at once: one cause, as a router or somebody's work, not several."""


NOT_JOINED = "its Corosync is here, its Pacemaker is stopped or does not join"
"""Of a node that is offline: somebody stopped it, as perhaps on others at the same time."""


def _is_of_nodes(cause: Finding) -> bool:
    return cause.key in _OF_NODES or (cause.key == "node-offline" and NOT_JOINED in cause.text)


def _start(same: Sequence[Finding]) -> str:
    return (
        f"on {join([each.object for each in same])}: systemctl status pacemaker; where it does not"
        " run: pcs cluster start; where it runs: journalctl -u pacemaker"
    )


def _text_of_nodes(same: Sequence[Finding]) -> str:
    """``app01 reaches none of its ping targets (pingd 0 of 1); app02 too``.

    What is true of one alone stands behind its colon, and stays with it.
    """
    tails = [each.text.partition(": ")[2] for each in same]
    alike = [each.object for each, tail in zip(same[1:], tails[1:]) if not tail]
    own = [f"{each.object} too: {tail}" for each, tail in zip(same[1:], tails[1:]) if tail]
    return "; ".join([same[0].text, *([f"{join(alike)} too"] if alike else []), *own])


def resource_family(view: View, cause: Finding) -> frozenset[str]:
    """The ids of a resource, of what it is in and of what is in that."""
    if cause.subject.sort != RESOURCE:
        return frozenset()
    cluster = view[CLUSTER].value
    tops = tops_of(view, cluster, base_id(cause.object)) if cluster is not None else ()
    return ids_of(tops[0]) if tops else frozenset({cause.object})
