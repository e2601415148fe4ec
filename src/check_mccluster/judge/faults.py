"""Findings become faults: each cause with what follows from it, and what is one fault told as one.

What explains what stands in :mod:`.causes`; here the table is carried out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from ..inputs.crm_mon import CLUSTER
from ..model.pacemaker import base_id, ids_of
from ..verdict.alike import denied_beside, is_one, text_of
from ..verdict.alike import mark as alike_mark
from ..verdict.finding import MOVES, Fault, Finding
from ..verdict.subject import NODE, RESOURCE, STOP_ALL, TICKET
from ..verdict.view import View
from ..verdict.words import join
from .causes import OF_OTHERS, RULES, Equal, Inhibit, words
from .facts import mapping
from .facts.pacemaker import top_of
from .reasons import CAUSES, CUT, DRBD_CAUSES, NOTHING_VISIBLE


def faults(
    view: View, findings: Sequence[Finding], rules: Sequence[Inhibit] = RULES
) -> tuple[Fault, ...]:
    """Fold consequences into their causes; gravest fault first.

    :param rules: the table; those of one node unless given.
    """
    left = list(findings)
    alone: list[Finding] = []
    """Causes that explain nothing so far; they follow from nothing any more."""
    found: list[Fault] = []
    down = {n for each in findings if each.key in _LOST and each.reason != CUT for n in each.nodes}
    for index, one in enumerate(rules):
        for cause in [each for each in (*left, *alone) if each.key in one.source]:
            if cause not in left and cause not in alone:
                continue
            if one.if_cut_off and down >= {*cause.nodes}:
                continue
            if one.if_several and not cause.covers:
                continue
            others = [each for each in left if each != cause]
            follows, rest = _consequences(view, rules, index, cause, others)
            if follows:
                left = rest
                alone = [each for each in alone if each != cause]
                found.append(Fault(cause, tuple(follows)))
            elif cause in left and not (one.if_cut_off or one.still_follows):
                left = others
                alone.append(cause)
    left += alone
    found = _folded(view, [*found, *(Fault(each) for each in left)])
    found = _on_their_way(_of_one_outage(view, found, findings))
    position = {(each.kind, each.subject): index for index, each in enumerate(findings)}
    # A grave cause comes before a cause with grave consequences.
    return tuple(
        sorted(
            found,
            key=lambda f: (
                -f.state.rank,
                -f.cause.state.rank,
                f.cause.key == "resource-transition",  # it passes by itself, as a rule
                not _ends_all_copies(f),
                position[f.cause.kind, f.cause.subject],
            ),
        )
    )


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
        down = [e for e in fault.follows if e.key in _OUTAGES and e.besides]
        if at not in merged or not down:
            continue
        family = frozenset().union(*(_resource_family(view, each) for each in down))
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
            of_name.setdefault(_resource_name(head), set()).add(at)
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


def _ends_all_copies(fault: Fault) -> bool:
    """Whether disks leave no copy of the data: nothing else helps before that is mended."""
    own = fault.cause.key in ("disk-inconsistent", "disk-lost", "disk-failed")
    return own and any(each.key == "copies-none" for each in fault.follows)


_LOST = frozenset({"node-offline", "node-unclean"})


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


def _consequences(
    view: View, rules: Sequence[Inhibit], index: int, cause: Finding, left: list[Finding]
) -> tuple[list[Finding], list[Finding]]:
    """What follows from *cause*, what follows from that in turn, and what is left then.

    :param index: the rule that made it a cause; for itself those before do not count.
    """
    follows = _following(view, rules[index], cause, left)
    left = [each for each in left if each not in follows]
    if not follows:
        return [], left
    queue = [cause, *follows]
    for each in queue:
        for next_rule in rules[index + 1 if each is cause else 0 :]:
            if each.key in next_rule.source and not next_rule.if_cut_off:
                further = _following(view, next_rule, each, left)
                left = [one for one in left if one not in further]
                follows += further
                queue += further
    return follows, left


def _following(
    view: View, one: Inhibit, cause: Finding, findings: Sequence[Finding]
) -> list[Finding]:
    """Those of *findings* that *cause* explains; nodes lost with it count as its own."""
    keys = frozenset().union(*(keys for _, keys in one.targets))
    findings = [each for each in findings if each.kind.key in keys]
    if not findings:
        return []
    relation = _Relation(view, cause)
    of_nodes = [(equal, keys) for equal, keys in one.targets if equal in _BY_NODES]
    of_all = [(equal, keys) for equal, keys in one.targets if equal not in _BY_NODES]
    sure = [
        each
        for each in findings
        for equal, keys in of_all
        if each.kind.key in keys and relation.holds(equal, each)
    ]
    if not of_nodes:
        return list(dict.fromkeys(sure))
    nodes = {*cause.nodes}
    for each in sure:
        # Who cannot take a service over has a reason of his own.
        if each.key not in OF_OTHERS and not any(
            each.key in keys for equal, keys in of_all if equal is Equal.ON_DRBD
        ):
            nodes.update(each.nodes)
    return [
        each
        for each in findings
        if each in sure
        or any(
            each.key in keys and relation.holds_at(equal, each, nodes) for equal, keys in of_nodes
        )
    ]


_BY_NODES = (
    Equal.NODE,
    Equal.ALL_NODES,
    Equal.RESOURCE_AND_NODE,
    Equal.VOLUME_AND_NODE,
    Equal.OF_SEVERAL_NODES,
    Equal.SAME_NODES,
)


class _Relation:
    """What other findings can have in common with a cause."""

    def __init__(self, view: View, cause: Finding) -> None:
        self._cause = cause
        self._nodes = {*cause.nodes}
        self._family = _resource_family(view, cause)
        own = cause.subject.drbd_resource
        self._drbd_names = cause.covers or ((own,) if own else ())
        self._view = view
        self._drbd_under_it = {p.drbd for p in mapping.pairs(view) if p.resource in self._family}

    def holds(self, equal: Equal, each: Finding) -> bool:
        """Whether *each* and the cause have *equal* in common; for what needs no nodes."""
        drbd = each.subject.drbd_resource
        if equal is Equal.RESOURCE:
            return self._same_resource(each)
        if equal is Equal.ON_DRBD:
            return each.subject.sort == RESOURCE and each.object in self._resources_on_drbd
        if equal is Equal.DRBD:
            return drbd in self._drbd_names
        if equal is Equal.VOLUME:
            return each.subject == self._cause.subject
        if equal is Equal.UNDER_RESOURCE:
            return drbd is not None and drbd in self._drbd_under_it
        if equal is Equal.REASON:
            return self._is_reason_of(each)
        if equal is Equal.ONE_OF_IT:
            return each.subject.sort == RESOURCE and each.object in self._cause.covers
        if equal is Equal.ITS_CONNECTION:
            own = self._cause.subject.sort == NODE and each.subject.sort == RESOURCE
            return own and each.object == self._cause.object
        if equal is Equal.ITS_SERVICE:
            own = f" take {self._cause.object}: " in each.text
            return own and not self._nodes.isdisjoint(each.nodes)
        if equal is Equal.NO_REASON:
            return each.reason in ("", NOTHING_VISIBLE)
        if equal is Equal.SAME_REASON:
            return self._gives_the_same_reason(each)
        if equal is Equal.ONE_OF_ITS_REASONS:
            reasons = {(word, node) for word, node, _ in self._cause.besides}
            given = any((each.reason, node) in reasons for node in each.nodes)
            return given and self._is_named(each)
        return equal is Equal.NOTHING

    @cached_property
    def _resources_on_drbd(self) -> frozenset[str]:
        """Ids of the Pacemaker resources that stand on its DRBD resources."""
        return frozenset().union(*(mapping.above(self._view, name) for name in self._drbd_names))

    def _is_reason_of(self, each: Finding) -> bool:
        """Whether the reason that *each* gives is this very cause."""
        cause = self._cause
        if cause.key in DRBD_CAUSES.get(each.reason, ()):
            return _stands_in(each, self._drbd_names) and not self._nodes.isdisjoint(each.nodes)
        if cause.key not in CAUSES.get(each.reason, ()):
            return False
        if cause.subject.sort == TICKET:
            return f"ticket {cause.object} " in each.text
        if cause.subject.sort == RESOURCE and not (
            self._same_resource(each) or self._is_named(each)
        ):
            return False
        anywhere = not cause.nodes or cause.key == "resource-unmanaged"
        return anywhere or not self._nodes.isdisjoint(each.nodes)

    def _gives_the_same_reason(self, each: Finding) -> bool:
        cause = self._cause
        if not cause.reason or cause.reason != each.reason:
            return False
        anywhere = not each.nodes  # it holds for every node, as a ticket does
        return self._is_named(each) and (anywhere or not self._nodes.isdisjoint(each.nodes))

    def _is_named(self, each: Finding) -> bool:
        """Whether the cause, or a part of it, stands in the text."""
        return _stands_in(each, self._family)

    def holds_at(self, equal: Equal, each: Finding, nodes: set[str]) -> bool:
        """The same for what compares nodes."""
        theirs = {*each.nodes}
        if equal is Equal.NODE:
            # A finding without nodes concerns the cluster as a whole.
            return not theirs or bool(nodes & theirs)
        if equal is Equal.ALL_NODES:
            return nodes >= theirs
        if equal is Equal.OF_SEVERAL_NODES:
            return len(nodes) > 1 and nodes >= theirs
        if equal is Equal.SAME_NODES:
            return self._nodes == theirs
        if equal is Equal.VOLUME_AND_NODE:
            return each.subject == self._cause.subject and bool(nodes & theirs)
        return self._same_resource(each) and bool(nodes & theirs)

    def _same_resource(self, each: Finding) -> bool:
        stopped_with_all = self._cause.subject == STOP_ALL
        return each.subject.sort == RESOURCE and (stopped_with_all or each.object in self._family)


def _stands_in(each: Finding, names: Iterable[str]) -> bool:
    """Whether one of the names stands in the text as a word, or with its volume."""
    return any(
        name in each.text and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", each.text)
        for name in names
    )


def _resource_family(view: View, cause: Finding) -> frozenset[str]:
    """The ids of a resource, of what it is in and of what is in that."""
    if cause.subject.sort != RESOURCE:
        return frozenset()
    cluster = view[CLUSTER].value
    top = top_of(view, cluster, base_id(cause.object)) if cluster is not None else None
    return frozenset({cause.object}) if top is None else ids_of(top)
