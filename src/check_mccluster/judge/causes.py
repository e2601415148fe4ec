"""Findings become faults: which finding explains which. One table, for every output.

A rule is an inhibit rule as alerting systems have it: a *source*, the *targets* that follow from
it, and what the two must have *equal*.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..inputs.crm_mon import CLUSTER
from ..verdict.finding import Fault, Finding
from ..verdict.subject import RESOURCE
from ..verdict.view import View
from .facts import mapping
from .facts.pacemaker import base_id, ids_of


class Equal(enum.Enum):
    """What a source and its target must have in common."""

    NOTHING = "anything"
    NODE = "names one of its nodes, or none"
    ALL_NODES = "names no other node"
    RESOURCE = "the same Pacemaker resource, or what is around or inside it"
    RESOURCE_AND_NODE = "the same Pacemaker resource and node"
    ON_DRBD = "a Pacemaker resource that stands on its DRBD resource"
    DRBD = "the same DRBD resource"
    VOLUME = "the same volume"
    UNDER_RESOURCE = "a DRBD resource under its Pacemaker resource"


class Inhibit(NamedTuple):
    """One rule: findings of *source* explain those of *targets*."""

    source: frozenset[str]
    targets: tuple[tuple[Equal, frozenset[str]], ...]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def rule(source: str, *targets: tuple[Equal, str]) -> Inhibit:
    """A rule from words."""
    return Inhibit(_words(source), tuple((equal, _words(keys)) for equal, keys in targets))


_FAILOVER = "no-candidate candidates-low here-not-ready single-point"
_PAST = "node-barred fail-count failed-action"
_WITHOUT_QUORUM = (
    "dc-missing node-offline node-unclean quorum-margin peer-unreachable resource-stopped"
    " resource-transition resource-on-lost-node clone-down clone-degraded promoted-missing"
    f" not-running primary-none {_FAILOVER}"
)
RULES = (
    rule(
        "quorum-lost",
        (Equal.NOTHING, _WITHOUT_QUORUM),
        (Equal.NODE, "peer-connecting primary-without-service"),
        (Equal.ALL_NODES, "mesh-isolated"),
    ),
    rule(
        "dc-missing",
        (Equal.NOTHING, _WITHOUT_QUORUM),
        (Equal.NODE, "peer-connecting primary-without-service"),
    ),
    rule(
        "drbd-quorum-lost copies-none",
        (Equal.NOTHING, "here-not-ready"),
        (Equal.NODE, "peer-connecting peer-standalone mesh-isolated copies-low"),
        (Equal.DRBD, "io-suspended io-failing"),
        (
            Equal.ON_DRBD,
            "resource-stopped resource-failed resource-blocked resource-transition not-running"
            " node-barred fail-count failed-action started-without-io no-candidate candidates-low",
        ),
    ),
    rule("cluster-maintenance", (Equal.NOTHING, _FAILOVER)),
    rule(
        "fencing-no-device",
        (
            Equal.NOTHING,
            "resource-stopped clone-down clone-degraded promoted-missing not-running primary-none"
            f" {_FAILOVER}",
        ),
    ),
    rule(
        "node-offline node-unclean",
        (Equal.NOTHING, "quorum-margin"),
        (
            Equal.NODE,
            "peer-unreachable link-down peer-connecting copies-low resource-on-lost-node"
            f" clone-degraded {_FAILOVER}",
        ),
        (Equal.ALL_NODES, "mesh-isolated"),
    ),
    rule(
        "node-pending node-shutdown node-standby node-standby-onfail node-maintenance"
        " node-health-red",
        (Equal.NODE, _FAILOVER),
    ),
    rule(
        "resource-disabled",
        (Equal.RESOURCE, "not-running"),
        (Equal.UNDER_RESOURCE, "primary-none"),
    ),
    rule(
        "resource-stopped clone-down",
        (Equal.RESOURCE, f"not-running no-candidate candidates-low {_PAST}"),
        (Equal.NODE, "here-not-ready"),
        (Equal.UNDER_RESOURCE, "primary-none"),
    ),
    rule(
        "resource-failed resource-blocked resource-failure-ignored clone-degraded",
        (Equal.RESOURCE, "not-running"),
        (Equal.RESOURCE_AND_NODE, _PAST),
    ),
    rule("node-barred leftover-ban", (Equal.NODE, _FAILOVER)),
    rule("sync-stalled", (Equal.NODE, "copies-low")),
    rule(
        "disk-lost disk-failed disk-inconsistent disk-outdated disk-syncing",
        (Equal.NODE, "copies-low"),
        (Equal.VOLUME, "sync-target"),
    ),
    rule("sync-target", (Equal.NODE, "copies-low")),
    rule("mesh-isolated", (Equal.NODE, "copies-low")),
    rule("peer-unreachable", (Equal.NODE, "peer-connecting")),
    rule("peer-standalone peer-connecting", (Equal.NODE, "copies-low")),
    rule("quorum-off", (Equal.DRBD, "quorum-policy")),
)
"""In the order in which they explain: the first that fits takes the rest."""


def more(*added: Inhibit) -> tuple[Inhibit, ...]:
    """The table with rules before it; a source that it knows keeps what it explained there."""
    found: list[Inhibit] = []
    for each in added:
        for key in sorted(each.source):
            known = [target for old in RULES if key in old.source for target in old.targets]
            found.append(Inhibit(frozenset({key}), (*each.targets, *known)))
    return (*found, *RULES)


def faults(
    view: View, findings: Sequence[Finding], rules: Sequence[Inhibit] = RULES
) -> tuple[Fault, ...]:
    """Fold consequences into their causes; gravest fault first.

    :param rules: the table; those of one node unless given.
    """
    left = list(findings)
    found: list[Fault] = []
    for each_rule in rules:
        for cause in [each for each in left if each.key in each_rule.source]:
            if cause not in left:
                continue
            left.remove(cause)
            follows = _following(view, each_rule, cause, left)
            left = [each for each in left if each not in follows]
            found.append(Fault(cause, tuple(follows)))
    found += [Fault(each) for each in left]
    position = {each: index for index, each in enumerate(findings)}
    # A grave cause comes before a cause with grave consequences.
    return tuple(
        sorted(found, key=lambda f: (-f.state.rank, -f.cause.state.rank, position[f.cause]))
    )


def _following(
    view: View, rule: Inhibit, cause: Finding, findings: Sequence[Finding]
) -> list[Finding]:
    """Those of *findings* that *cause* explains; nodes lost with it count as its own."""
    relation = _Relation(view, cause)
    by_nodes = (Equal.NODE, Equal.ALL_NODES, Equal.RESOURCE_AND_NODE)
    sure = [
        each
        for each in findings
        for equal, keys in rule.targets
        if each.key in keys and equal not in by_nodes and relation.holds(equal, each)
    ]
    nodes = {*cause.nodes}
    for each in sure:
        if not any(each.key in keys for equal, keys in rule.targets if equal is Equal.ON_DRBD):
            nodes.update(each.nodes)
    return [
        each
        for each in findings
        if each in sure
        or any(
            each.key in keys and equal in by_nodes and relation.holds_at(equal, each, nodes)
            for equal, keys in rule.targets
        )
    ]


class _Relation:
    """What a cause has around, above and beneath it."""

    def __init__(self, view: View, cause: Finding) -> None:
        self._cause = cause
        self._around = _around(view, cause)
        self._drbd = cause.subject.drbd_resource
        self._above = mapping.above(view, self._drbd) if self._drbd else frozenset()
        self._beneath = {p.drbd for p in mapping.pairs(view) if p.resource in self._around}

    def holds(self, equal: Equal, each: Finding) -> bool:
        """Whether *each* and the cause have *equal* in common; for what needs no nodes."""
        drbd = each.subject.drbd_resource
        if equal is Equal.RESOURCE:
            return self._near(each)
        if equal is Equal.ON_DRBD:
            return each.subject.sort == RESOURCE and each.object in self._above
        if equal is Equal.DRBD:
            return drbd is not None and drbd == self._drbd
        if equal is Equal.VOLUME:
            return each.subject == self._cause.subject
        if equal is Equal.UNDER_RESOURCE:
            return drbd is not None and drbd in self._beneath
        return equal is Equal.NOTHING

    def holds_at(self, equal: Equal, each: Finding, nodes: set[str]) -> bool:
        """The same for what compares nodes."""
        theirs = {*each.nodes}
        if equal is Equal.NODE:
            # A finding without nodes concerns the cluster as a whole.
            return not theirs or bool(nodes & theirs)
        if equal is Equal.ALL_NODES:
            return nodes >= theirs
        return self._near(each) and bool(nodes & theirs)

    def _near(self, each: Finding) -> bool:
        return each.subject.sort == RESOURCE and each.object in self._around


def _around(view: View, cause: Finding) -> frozenset[str]:
    """The ids of a resource, of what it is in and of what is in that."""
    if cause.subject.sort != RESOURCE:
        return frozenset()
    cluster = view[CLUSTER].value
    for resource in cluster.resources if cluster is not None else ():
        ids = ids_of(resource)
        if base_id(cause.object) in ids:
            return ids
    return frozenset({cause.object})


def told() -> Iterator[str]:
    """The table in words, for ``explain --causes``: which fault hides which."""
    for each in RULES:
        yield f"{', '.join(sorted(each.source))} explains"
        for equal, keys in each.targets:
            yield f"  {', '.join(sorted(keys))}"
            yield f"    with equal: {equal.value}"
