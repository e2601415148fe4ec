"""Which node tells a fault, chosen by each node from its own evidence: one message for a cluster.

Nodes do not talk to each other about it. Faults of Pacemaker are told by the designated controller
of the partition, those of a DRBD resource by the first in name order among a node and the peers
connected to it; what only a node knows of itself it tells. A fault that stands too long is told by
every node that sees it, for its speaker may be silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Optional

from ..inputs.corosync_cfgtool import LINKS
from ..inputs.crm_mon import CLUSTER
from ..inputs.drbdsetup import DRBD
from ..model.corosync import LinkState
from ..model.pacemaker import base_id
from ..verdict.finding import Fault, Finding, State
from ..verdict.problems import KINDS as INPUT_KINDS
from ..verdict.subject import CONNECTION, RESOURCE
from ..verdict.view import View, contains_node, same_node
from .facts.pacemaker import failures_of

_OWN = frozenset(
    {
        "here-not-ready",
        "started-without-io",
        "role-unexpected",
        "link-faulty",
        "io-suspended",
        "io-failing",
        "io-stalled",
        "sync-target",
    }
)
"""Each node's own word, beside its tools and its disks."""
_OWN_DISK = ("disk-", "client-")
_BY_ITS_NODE = frozenset({"copies-low", "sync-missing"})
"""A copy that is behind: its own node says more of it, and is asked first where it is connected."""
_OF_TWO = ("out-of-sync", "sync-", "behind", "path-down", "congested")
"""What is between two nodes that talk to each other: both see it."""
_BY_PACEMAKER = frozenset(
    {"primary-none", "primary-without-service", "primary-elsewhere", "started-without-primary"}
)
"""About DRBD, and known only where Pacemaker is."""
_GONE = frozenset({"node-offline", "node-unclean", "node-pending", "peer-unreachable"})
_NEXT_FAULT = frozenset({"no-candidate", "candidates-low", "here-not-ready", "single-point"})
"""What would not survive another fault: nothing that is out of order now."""


def speaker_of(view: View, fault: Fault) -> str:
    """The node that tells *fault*: this one, if nobody else is sure to see it."""
    cause, here = fault.cause, view.here
    key, resource = cause.key, cause.subject.drbd_resource
    if cause.kind in INPUT_KINDS or key in _OWN or key.startswith(_OWN_DISK):
        return here
    if cause.subject.sort == CONNECTION and any(_is_own_disk(view, f) for f in fault.follows):
        return here  # the disk is graver than the connection that let it fall behind
    if key == "link-down":
        return _first_end(view, cause) or _controller(view, cause) or here
    if resource is None or key in _BY_PACEMAKER:
        return _says_itself(view, fault) or _controller(view, cause) or here
    if key in ("mesh-isolated", "peer-standalone"):
        return _first_end(view, cause) or here
    if cause.subject.sort == CONNECTION:
        return _first_end(view, cause) or _first_connected(view, resource)
    connected = tuple(_connected(view, resource))
    others = [node for node in cause.nodes if not same_node(node, here)]
    if key in _BY_ITS_NODE and others and all(contains_node(connected, n) for n in others):
        return min(others)
    if key.startswith(_OF_TWO):
        return min((here, *(node for node in others if contains_node(connected, node))))
    return _first_connected(view, resource)


def _is_own_disk(view: View, each: Finding) -> bool:
    return each.key.startswith(_OWN_DISK) and all(same_node(n, view.here) for n in each.nodes)


def _says_itself(view: View, fault: Fault) -> Optional[str]:
    """A node that left in order and whose host is there: it says that its daemons do not run.

    Not where something grave follows from it now, which only the others see.
    """
    cause = fault.cause
    if cause.nodes == (view.here,) and cause.key in _GONE:
        return view.here if _seems_to_have_left(view) else None
    if cause.key != "node-offline" or cause.reason != "left" or len(cause.nodes) != 1:
        return None
    grave = any(
        each.state is State.CRITICAL and each.key not in _NEXT_FAULT for each in fault.follows
    )
    node = cause.nodes[0]
    return node if not grave and _is_reached(view, node) else None


def _seems_to_have_left(view: View) -> bool:
    """Whether the others take this node for one that stopped in order, and leave it to itself."""
    cluster = view[CLUSTER].value
    return cluster is not None and any(
        view.is_here(each.name) and each.expected_up is False and not each.online
        for each in cluster.nodes
    )


def _controller(view: View, cause: Finding) -> Optional[str]:
    """The designated controller; where it is what is gone, the first member that is there."""
    cluster = view[CLUSTER].value
    dc = cluster.summary.dc if cluster is not None else None
    if cluster is None or dc is None or dc.name is None:
        return None
    online = [each.name for each in cluster.nodes if each.online and not each.is_remote]
    gone = cause.key in _GONE
    if dc.name in online and not (gone and contains_node(cause.nodes, dc.name)):
        return dc.name
    return min((name for name in online if not (gone and name in cause.nodes)), default=None)


def _connected(view: View, resource: str) -> Iterator[str]:
    """The peers that a DRBD resource is connected to."""
    for each in (*(view[DRBD].value or ()), *view.drbd_others):
        if each.name == resource:
            yield from (c.name for c in each.connections if c.is_connected)


def _first_connected(view: View, resource: str) -> str:
    return min((view.here, *_connected(view, resource)))


def _first_end(view: View, cause: Finding) -> Optional[str]:
    """The first of the two ends of what is broken between them, if the peer is known to live."""
    ends = cause.subject.ends or cause.nodes
    peers = [name for name in ends if not same_node(name, view.here)]
    if not peers or not all(_lives(view, peer) for peer in peers):
        return None
    return min((view.here, *peers))


def _lives(view: View, peer: str) -> bool:
    """Whether another connection, or Pacemaker, shows that a node is there."""
    cluster = view[CLUSTER].value
    return _is_reached(view, peer) or (
        cluster is not None
        and any(
            same_node(each.name, peer) and each.online and not each.unclean
            for each in cluster.nodes
        )
    )


def _is_reached(view: View, peer: str) -> bool:
    """Whether a connection of DRBD, or a link of Corosync, to a node's host is up."""
    if any(
        connection.is_connected and same_node(connection.name, peer)
        for each in (*(view[DRBD].value or ()), *view.drbd_others)
        for connection in each.connections
    ):
        return True
    cluster, links = view[CLUSTER].value, view[LINKS].value
    ids = {each.id for each in cluster.nodes if each.name == peer} if cluster is not None else set()
    return links is not None and any(
        str(link.peer_id) in ids and link.state is LinkState.CONNECTED for link in links.links
    )


def identity(cause: Finding) -> str:
    """What a fault is called from one look to the next, on this node."""
    return " ".join((cause.key, cause.object, *cause.nodes))


def since(view: View, cause: Finding) -> Optional[float]:
    """Seconds that a fault has lasted, where the tools say when it began."""
    cluster = view[CLUSTER].value
    if cluster is None or cause.subject.sort != RESOURCE or cause.key not in _TIMED:
        return None
    times = [
        each.time
        for each in failures_of(view, cluster, base_id(cause.object))
        # A time without its zone is in the zone of a node that nobody knows.
        if each.time is not None and each.time.tzinfo is not None
    ]
    return (view.time - max(times)).total_seconds() if times else None


_TIMED = frozenset(
    {"resource-failed", "resource-blocked", "node-barred", "fail-count", "failed-action"}
)


def with_speakers(
    view: View,
    faults: tuple[Fault, ...],
    ages: Optional[Mapping[str, float]],
    after: float,
) -> tuple[Fault, ...]:
    """The faults with who tells each.

    :param ages: seconds since each was first seen, by :func:`identity`; ``None`` where nothing is
        remembered from one look to the next: what has no age then is told.
    :param after: seconds after which every node tells it.
    """
    return tuple(_spoken(view, fault, ages, after) for fault in faults)


def _spoken(view: View, fault: Fault, ages: Optional[Mapping[str, float]], after: float) -> Fault:
    speaker = speaker_of(view, fault)
    known = [since(view, fault.cause), (ages or {}).get(identity(fault.cause))]
    oldest = max((age for age in known if age is not None), default=None)
    mine = same_node(speaker, view.here)
    stands = oldest >= after if oldest is not None else ages is None
    return fault._replace(speaker=speaker, spoken=mine or stands)
