"""Which finding explains which: one table, for every output; :mod:`.faults` carries it out.

No rule of one node stands anywhere else; those of several are in :mod:`.cluster_causes`.

A rule is an inhibit rule as alerting systems have it: a *source*, the *targets* that follow from
it, and what the two must have *equal*.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..values import Enum, NamedTuple
from .reasons import CAUSES, DRBD_CAUSES


class Equal(Enum):
    """What a source and its target must have in common."""

    NOTHING = "anything"
    NODE = "names one of its nodes, or none"
    ALL_NODES = "names no other node"
    RESOURCE = "the same Pacemaker resource, or what is around or inside it"
    RESOURCE_AND_NODE = "the same Pacemaker resource and node"
    ON_DRBD = "a Pacemaker resource that uses its DRBD resource"
    DRBD = "the same DRBD resource"
    VOLUME = "the same volume"
    VOLUME_AND_NODE = "the same volume, and names one of its nodes"
    UNDER_RESOURCE = "a DRBD resource under its Pacemaker resource"
    REASON = "gives it as the reason"
    SAME_REASON = "names it, and gives the same reason, on the same node"
    NO_REASON = "gives no reason of its own"
    OF_SEVERAL_NODES = "names no node beyond its own, of which there are several"
    SAME_NODES = "names the same nodes"
    ONE_OF_IT = "one of the several resources of which it is said"
    ONE_OF_ITS_REASONS = "names it, and gives one of its reasons, of the same node"
    ITS_SERVICE = "speaks of its resource alone, on one of its nodes"
    ITS_CONNECTION = "the resource that connects its remote node"


class Inhibit(NamedTuple):
    """One rule: findings of *source* explain those of *targets*."""

    source: frozenset[str]
    targets: tuple[tuple[Equal, frozenset[str]], ...]
    if_cut_off: bool = False
    """Only where the source names a node that is not known to be down: cut off, not left alone."""
    if_several: bool = False
    """Only where the source is said of several resources."""
    still_follows: bool = False
    """Whether a source that explains nothing by it may follow from another one by a later rule."""


def words(text: str) -> frozenset[str]:
    """The keys in a row of the table."""
    return frozenset(text.split())


def rule(source: str, *targets: tuple[Equal, str]) -> Inhibit:
    """A rule from words."""
    return Inhibit(words(source), tuple((equal, words(keys)) for equal, keys in targets))


_FAILOVER = "no-candidate candidates-low here-not-ready single-point"
OF_OTHERS = words(_FAILOVER)
_PAST = "node-barred fail-count failed-action"
_WITHOUT_QUORUM = (
    "dc-missing node-offline node-unclean quorum-margin peer-unreachable resource-stopped"
    " resource-transition resource-on-lost-node clone-down clone-degraded promoted-missing"
    f" not-running primary-none {_FAILOVER}"
)
_DOWN = "resource-stopped clone-down clone-degraded promoted-missing promoted-low fence-device-down"
_AFTER_OTHERS = words("quorum-margin clone-down promoted-missing")
"""Reasons that mostly have one themselves: they explain what is left then."""
_BY_REASON = rule(
    " ".join(sorted(frozenset().union(*CAUSES.values()) - _AFTER_OTHERS)),
    (
        Equal.REASON,
        f"{_DOWN} {_FAILOVER} resource-not-shown peer-connecting mesh-isolated io-suspended",
    ),
)._replace(still_follows=True)
FAILED_STOP = rule("resource-failed resource-blocked", (Equal.REASON, "node-unclean"))._replace(
    still_follows=True
)
"""What could not be stopped, and the node that is to be fenced for that."""
RULES = (
    # What never had a disk was never connected either: nothing of it can have split.
    rule("disk-lost", (Equal.REASON, "mesh-isolated drbd-quorum-lost copies-none")),
    rule(
        "mesh-isolated",
        (Equal.OF_SEVERAL_NODES, "quorum-lost"),
        (Equal.NODE, "drbd-quorum-lost copies-none"),
    )._replace(if_cut_off=True),
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
            " promoted-missing node-barred fail-count failed-action started-without-io"
            " no-candidate candidates-low",
        ),
        (Equal.VOLUME, "disk-outdated disk-inconsistent disk-consistent"),
    ),
    FAILED_STOP,
    # Who would start it? A node where Pacemaker runs asks the same.
    rule(
        "pacemaker-down pacemaker-unresponsive pacemaker-starting pacemaker-stopping",
        (Equal.NOTHING, "primary-none"),
    ),
    rule("qdevice-lost", (Equal.NOTHING, "quorum-margin"), (Equal.REASON, _FAILOVER)),
    rule("cluster-maintenance", (Equal.NOTHING, _FAILOVER)),
    # Its text says what comes of its fencing.
    rule("node-unclean", (Equal.NODE, "fencing-failed fencing-pending fencing-no-device")),
    rule("fencing-failed", (Equal.NODE, "fencing-pending")),
    rule(
        "node-offline node-unclean",
        (Equal.ITS_CONNECTION, f"resource-stopped resource-failed not-running {_PAST} {_FAILOVER}"),
    ),
    # What bars each of them is a part of that; of a single device it is the cause.
    rule(
        "fence-device-down", (Equal.ONE_OF_IT, f"resource-stopped resource-failed {_PAST}")
    )._replace(if_several=True),
    _BY_REASON,
    rule(
        "io-suspended",
        (Equal.NODE, "peer-connecting peer-standalone mesh-isolated"),
        (Equal.ON_DRBD, "started-without-io resource-failed"),
    ),
    # Pacemaker does not see that somebody demoted it by force, nor is anybody Primary then.
    rule(
        "io-failing",
        (Equal.ON_DRBD, "started-without-primary started-without-io resource-failed"),
        (Equal.DRBD, "primary-none"),
    ),
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
        # What starts or stops meanwhile is on its way from or to another node.
        (Equal.NOTHING, "quorum-margin resource-transition"),
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
    rule("resource-multi-active", (Equal.RESOURCE, f"group-split {_FAILOVER}")),
    rule("node-standby-onfail", (Equal.NODE, _PAST)),
    # What ran there moves; for a moment it is nowhere.
    rule(
        "node-shutdown",
        (Equal.NOTHING, "resource-transition"),
        (Equal.NO_REASON, "not-running"),
    ),
    rule("fence-device-down", (Equal.RESOURCE, f"resource-stopped resource-failed {_PAST}")),
    rule(
        "resource-disabled",
        (Equal.RESOURCE, "not-running"),
        (Equal.UNDER_RESOURCE, "primary-none"),
    ),
    rule(
        "resource-transition",
        (Equal.RESOURCE, "resource-transition promoted-missing clone-degraded clone-down"),
        (Equal.RESOURCE_AND_NODE, _PAST),  # it is on its way out of that
    ),
    rule("clone-down promoted-missing", (Equal.REASON, "resource-stopped")),
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
    rule("leftover-fence connectivity-lost quorum-margin", (Equal.REASON, _FAILOVER)),
    rule(
        "resource-stopped clone-down clone-degraded promoted-missing resource-failed"
        " resource-unmanaged",
        (Equal.SAME_REASON, _FAILOVER),
    ),
    rule(
        "resource-stopped clone-down promoted-missing",
        (Equal.ONE_OF_ITS_REASONS, "here-not-ready"),
    ),
    rule(
        "sync-paused",
        (Equal.VOLUME_AND_NODE, "disk-inconsistent disk-outdated disk-consistent"),
        (Equal.NODE, "sync-waiting copies-low"),
    ),
    rule(
        "sync-stalled sync-handshake",
        (Equal.NODE, "copies-low"),
        (Equal.VOLUME, "disk-syncing disk-inconsistent disk-outdated sync-target"),
    ),
    rule("peer-unreachable", (Equal.NODE, "peer-connecting")),
    rule(
        "mesh-isolated peer-standalone peer-connecting",
        (Equal.NODE, "copies-low"),
        (Equal.DRBD, "disk-outdated disk-consistent"),
    ),
    rule(
        "disk-lost disk-failed disk-inconsistent disk-outdated disk-syncing disk-attaching",
        (Equal.NODE, "copies-low"),
        (Equal.VOLUME, "sync-target"),
    ),
    rule("sync-target sync-missing behind", (Equal.NODE, "copies-low")),
    rule("out-of-sync", (Equal.VOLUME, "out-of-sync")),
    rule(" ".join(sorted(frozenset().union(*DRBD_CAUSES.values()))), (Equal.REASON, _FAILOVER)),
    rule(
        "no-candidate candidates-low",
        (Equal.SAME_REASON, "here-not-ready"),
        (Equal.ITS_SERVICE, "here-not-ready"),
    ),
    rule("quorum-off", (Equal.DRBD, "quorum-policy")),
    rule("config-unknown-name", (Equal.NOTHING, "mapping-none")),
)
"""In the order in which they explain: the first that fits takes the rest."""


def more(*added: Inhibit) -> tuple[Inhibit, ...]:
    """The table with rules before it; a source that it knows keeps what it explained there."""
    found: list[Inhibit] = []
    for each in added:
        if each in RULES:
            found.append(each)
            continue
        for key in sorted(each.source):
            known = [
                target
                for old in RULES
                if key in old.source and not old.if_cut_off
                for target in old.targets
            ]
            found.append(Inhibit(frozenset({key}), (*each.targets, *known)))
    return (*found, *RULES)


def rule_lines() -> Iterator[str]:
    """The table in words, for ``explain --causes``: which fault hides which."""
    for each in RULES:
        yield f"{', '.join(sorted(each.source))} explains"
        for equal, keys in each.targets:
            yield f"  {', '.join(sorted(keys))}"
            yield f"    with equal: {equal.value}"
