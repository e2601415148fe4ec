"""Which finding explains which among those of several nodes: the table of the check ``cluster``."""

from __future__ import annotations

from .causes import FAILED_STOP, Equal, more, rule

_PACEMAKERS = (
    "dc-missing node-offline node-unclean node-pending quorum-lost quorum-margin peer-unreachable"
    " link-down resource-stopped resource-transition resource-on-lost-node clone-down"
    " clone-degraded promoted-missing not-running primary-none no-candidate candidates-low"
    " here-not-ready single-point view-stale versions-mixed votes-expected primary-elsewhere"
    " primary-without-service started-without-primary"
)
_OF_MESH = "peer-connecting peer-standalone connection-disputed mesh-isolated"
_MOVING = (
    "resource-transition primary-none primary-elsewhere primary-without-service"
    " started-without-primary"
)
"""What is seen while services go to another node: DRBD and Pacemaker are not asked at once."""
_TAKEOVER = "no-candidate candidates-low here-not-ready single-point"
_OF_LOST = f"view-stale node-offline {_OF_MESH} versions-mixed node-unasked tool-timeout"
CLUSTER_RULES = more(
    rule("partitioned", (Equal.NOTHING, _PACEMAKERS), (Equal.NODE, f"{_OF_MESH} node-unasked")),
    # Who is missing says of itself why; see named() of whole.py.
    rule("quorum-lost", (Equal.ALL_NODES, "pacemaker-down pacemaker-starting pacemaker-stopping")),
    rule(
        "pacemaker-down pacemaker-unresponsive pacemaker-starting pacemaker-stopping",
        (
            Equal.NODE,
            "node-offline node-unclean node-pending view-stale versions-mixed tool-timeout",
        ),
        (Equal.ALL_NODES, "tool-failed"),
        (Equal.NOTHING, f"quorum-margin {_MOVING} {_TAKEOVER}"),
    ),
    rule(
        "quorum-lost",
        (Equal.NOTHING, "dc-missing view-stale"),
        (Equal.NODE, f"{_OF_MESH} node-unasked"),
    ),
    rule("dc-missing", (Equal.NOTHING, "view-stale"), (Equal.NODE, _OF_MESH)),
    FAILED_STOP,
    rule(
        "node-offline node-unclean",
        (Equal.NODE, _OF_LOST),
        (Equal.ALL_NODES, "tool-failed"),
        # Its services are on their way to another node, and one member knows before the others.
        (Equal.NOTHING, f"view-stale {_MOVING}"),
        (Equal.NO_REASON, "resource-stopped promoted-missing"),
    ),
    rule(
        "node-shutdown",
        (Equal.NODE, _OF_LOST),
        (Equal.ALL_NODES, "tool-failed"),
        (Equal.NOTHING, _MOVING),
    ),
    rule("node-pending", (Equal.NODE, _OF_LOST), (Equal.ALL_NODES, "tool-failed")),
    rule("cluster-maintenance", (Equal.NOTHING, _TAKEOVER)),
    # By its own word; what its peers miss follows.
    rule(
        "drbd-empty drbd-module drbd-resource-missing",
        (
            Equal.NODE,
            f"{_OF_MESH} mesh-incomplete copies-low copies-none drbd-quorum-lost {_TAKEOVER}",
        ),
    ),
    rule(
        "primary-multiple",
        (Equal.DRBD, "primary-multiple"),
        (Equal.ON_DRBD, "primary-elsewhere"),
        (Equal.SAME_NODES, _OF_MESH),
    ),
    rule("split-brain", (Equal.NODE, "peer-standalone copies-low disk-disputed out-of-sync")),
    rule("config-differs", (Equal.NODE, "peer-standalone copies-low disk-disputed")),
    rule(
        "client-disputed mesh-incomplete disk-lost disk-failed",
        (Equal.NODE, "copies-low peer-standalone disk-disputed sync-missing out-of-sync"),
        (Equal.VOLUME, "drbd-quorum-lost copies-none"),
    ),
    # What somebody holds by hand stays old for that reason.
    rule(
        "sync-paused",
        (Equal.VOLUME_AND_NODE, "disk-inconsistent disk-outdated disk-consistent"),
        (Equal.NODE, "sync-missing copies-low"),
    ),
    rule("disk-inconsistent", (Equal.DRBD, "copies-none copies-low drbd-quorum-lost primary-none")),
    rule("peer-standalone", (Equal.NODE, "copies-none copies-low disk-outdated drbd-quorum-lost")),
    rule("io-suspended", (Equal.DRBD, "peer-connecting mesh-isolated copies-none copies-low")),
    rule(
        "mesh-isolated",
        (
            Equal.NODE,
            "drbd-quorum-lost copies-none copies-low disk-outdated disk-consistent sync-missing"
            f" peer-connecting connection-disputed out-of-sync {_TAKEOVER}",
        ),
        (Equal.SAME_NODES, "node-unasked"),
    ),
    rule(
        "copies-none",
        (Equal.DRBD, "copies-low disk-outdated primary-none"),
        (Equal.NOTHING, _TAKEOVER),
    ),
    rule(
        "drbd-quorum-lost",
        (Equal.DRBD, "copies-low disk-outdated primary-none"),
        (Equal.NODE, f"{_OF_MESH} node-unasked"),
        (Equal.NOTHING, _TAKEOVER),
        (Equal.ON_DRBD, "started-without-io resource-failed resource-transition not-running"),
    ),
    rule(
        "peer-unreachable",
        (Equal.NODE, f"{_OF_MESH} copies-low node-offline node-unasked tool-timeout"),
        (
            Equal.NOTHING,
            f"primary-none started-without-primary primary-elsewhere view-stale {_TAKEOVER}",
        ),
    ),
    rule("sync-stalled", (Equal.DRBD, "sync-target disk-syncing copies-low sync-missing")),
    rule(
        "disk-syncing sync-target",
        (Equal.NODE, "copies-low sync-missing sync-paused sync-waiting out-of-sync disk-disputed"),
        (Equal.DRBD, "copies-low sync-target sync-waiting sync-paused sync-missing behind"),
    ),
    rule("resource-failed resource-blocked", (Equal.RESOURCE_AND_NODE, "node-barred")),
    rule(
        "resource-multi-active",
        (Equal.RESOURCE, f"group-split {_MOVING} {_TAKEOVER}"),
        # As after a member came back that nobody fenced: it also costs the CIB node attributes.
        (Equal.NODE, "versions-mixed"),
    ),
    rule("resource-unmanaged", (Equal.RESOURCE, _TAKEOVER), (Equal.NOTHING, "here-not-ready")),
    rule("resource-disabled", (Equal.RESOURCE, "resource-stopped")),
    rule(
        "resource-transition",
        (Equal.RESOURCE, "resource-transition promoted-missing clone-degraded clone-down"),
    ),
    rule("node-barred", (Equal.RESOURCE_AND_NODE, "clone-degraded")),
    # What hangs on one node hangs for all its tools.
    rule("tool-timeout", (Equal.SAME_NODES, "tool-timeout view-stale")),
    rule("disk-disputed", (Equal.DRBD, "out-of-sync copies-low")),
    rule(
        "peer-standalone peer-connecting connection-disputed",
        (
            Equal.NODE,
            "copies-low disk-outdated disk-consistent sync-missing out-of-sync disk-disputed"
            f" {_TAKEOVER}",
        ),
        (Equal.SAME_NODES, "node-unasked"),
    ),
)
"""What several nodes' evidence folds by, before what one node's does."""
