"""Findings become faults: each cause with what follows from it.

What explains what stands in :mod:`.causes`, what is told as one in :mod:`.one_fault`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from ..verdict.finding import Fault, Finding
from ..verdict.subject import NODE, RESOURCE, STOP_ALL, TICKET
from ..verdict.view import View
from .causes import OF_OTHERS, RULES, Equal, Inhibit
from .facts import mapping
from .one_fault import as_one, resource_family
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
    found = as_one(view, [*found, *(Fault(each) for each in left)], findings)
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


def _ends_all_copies(fault: Fault) -> bool:
    """Whether disks leave no copy of the data: nothing else helps before that is mended."""
    own = fault.cause.key in ("disk-inconsistent", "disk-lost", "disk-failed")
    return own and any(each.key == "copies-none" for each in fault.follows)


_LOST = frozenset({"node-offline", "node-unclean"})


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
        self._family = resource_family(view, cause)
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
