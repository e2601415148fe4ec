"""What may run on both sides of a cluster that nothing fences."""

from __future__ import annotations

from collections.abc import Sequence

from ...inputs.cibadmin import CIB
from ...inputs.crm_mon import CLUSTER
from ...model.drbd import Role
from ...model.pacemaker import Cluster, Resource, base_id, primitives
from ...verdict.view import View, same_node
from .drbd import primaries, shown
from .fencing import fencing_enabled
from .happened import last_fencing
from .mapping import Pair, PairIndex, drbd_of
from .pacemaker import is_service, lost_nodes, where


def may_run_there(view: View, name: str) -> tuple[str, ...]:
    """Services that run here, or start, and that a lost node ran when it last told of them.

    One that left in order told of its stops.
    """
    cluster, cib = view[CLUSTER].value, view[CIB].value
    if cluster is None or cib is None or last_fencing(view, cluster, name) is not None:
        return ()
    had = cib.left_running.get(name, frozenset())
    return tuple(
        each.id
        for each in _running_here(view, cluster, (name,) if had else ())
        if any(base_id(one.id) in had for one in primitives(each))
    )


def may_run_twice(view: View, names: Sequence[str]) -> tuple[str, ...]:
    """Services of a partition that goes on without quorum, which the other side may run, too."""
    cluster = view[CLUSTER].value
    if cluster is None:
        return ()
    return tuple(each.id for each in _running_here(view, cluster, names))


def _running_here(view: View, cluster: Cluster, names: Sequence[str]) -> list[Resource]:
    """Services on nodes that are here, where neither fencing nor DRBD keeps *names* from them."""
    if not names or fencing_enabled(view) is not False:
        return []
    lost, below = lost_nodes(cluster), PairIndex(view)
    return [
        each
        for each in cluster.resources
        if is_service(each)
        and not {*where(each)} <= lost
        and not all(any(_is_off(view, one, name) for one in below.below(each)) for name in names)
    ]


def _is_off(view: View, pair: Pair, name: str) -> bool:
    """Whether DRBD rules out that a node uses the data.

    It says that it is Secondary, or another node is Primary on the side that has DRBD's quorum.
    """
    resource = drbd_of(view, pair)
    if resource is None:
        return False
    roles = [
        c.peer_role for c in resource.connections if c.is_connected and same_node(c.name, name)
    ]
    if roles:
        return roles[0] is Role.SECONDARY
    options = shown(view, resource.name)
    if options is None or not options.quorum_is_on:
        return False
    quorum = bool(resource.devices) and all(each.quorum for each in resource.devices)
    return quorum and bool(primaries(view, resource).names)
