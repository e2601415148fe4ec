"""Facts that several Pacemaker rules need: where things run, and why they do not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from typing import Optional, Union

from ...model.pacemaker import (
    INFINITY,
    RUNNING,
    Bundle,
    Cib,
    Clone,
    Cluster,
    Failure,
    Group,
    Node,
    Primitive,
    Resource,
    Role,
    asks_for_stop,
    base_id,
    ids_of,
    primitives,
)
from ...model.words import state_name
from ...verdict import subject
from ...verdict.filter import Filter
from ...verdict.finding import Finding, Kind, State, finding
from ...verdict.view import View, grouped
from ...verdict.words import join

NONE = Kind(
    "resources-none",
    State.UNKNOWN,
    "No resource is configured, or the filter matches nothing.",
    "crm_resource --list; check the names given with --resource",
)
MISSING = Kind(
    "resource-missing",
    State.CRITICAL,
    "A resource that is expected is not configured in the cluster.",
    "crm_resource --list; compare with --resource and the configuration file",
)
ON_LOST_NODE = Kind(
    "resource-on-lost-node",
    State.CRITICAL,
    "A resource is said to run only on nodes that are offline or unclean.",
    "Is {node} up? crm_mon -1; its fencing: crm_mon -1 -m; only where {node} is surely off:"
    " stonith_admin --confirm {node}",
)
NOT_RUNNING = Kind(
    "not-running",
    State.CRITICAL,
    "A group or single resource runs on no node. WARNING when that is on purpose.",
    "crm_mon -1 -r -f; crm_simulate -sL (the lines about {resource})",
)

VANISHED = "its Pacemaker vanished, its state is unknown"
"""Of a node that is unclean: all that Pacemaker alone knows of it."""


_PING_AGENTS = frozenset({"ping", "pingd"})


def is_ping(agent: Optional[str]) -> bool:
    """Whether an agent sets the attribute that tells how many of its targets a node reaches."""
    return (agent or "").rpartition(":")[2] in _PING_AGENTS


MOVING = frozenset({Role.STARTING, Role.STOPPING, Role.MIGRATING, Role.PROMOTING, Role.DEMOTING})


def age(then: Optional[datetime], now: datetime) -> Optional[float]:
    """Seconds since *then*. A time without zone is UTC: the tool ran with TZ=UTC."""
    if then is None:
        return None
    aware = then if then.tzinfo is not None else then.replace(tzinfo=timezone.utc)
    return max(0.0, (now - aware).total_seconds())


def guest_is_stopped(cluster: Cluster, node: Node) -> bool:
    """Whether *node* is the remote node of a bundle replica that is not running.

    A bundle with more replicas than hosts shows such nodes offline for ever.
    """
    return not node.online and any(
        primitive.id == node.id_as_resource and primitive.role is Role.STOPPED
        for resource in cluster.resources
        if isinstance(resource, Bundle)
        for primitive in primitives(resource)
    )


def failures_of(view: View, cluster: Cluster, name: str) -> Sequence[Failure]:
    """Recorded failures of a resource, by its id without instance number, as crm_mon has them."""
    return view.once(_by_resource, cluster.failures).get(name, ())


def _by_resource(failures: Sequence[Failure]) -> dict[str, list[Failure]]:
    return grouped((base_id(each.resource), each) for each in failures)


def tops_of(view: View, cluster: Cluster, name: str) -> Sequence[Resource]:
    """The resource of which this id is a part, or which it is; beside it one that was removed."""
    return view.once(_tops, cluster.resources).get(name, ())


def _tops(resources: Sequence[Resource]) -> dict[str, list[Resource]]:
    return grouped((name, each) for each in resources for name in ids_of(each))


def lost_nodes(cluster: Cluster) -> frozenset[str]:
    """Names of nodes on which nothing can be known to run: offline or unclean."""
    return frozenset(n.name for n in cluster.nodes if n.online is False or n.unclean)


def usable(node: Node) -> bool:
    """Whether Pacemaker would place an instance of a clone there."""
    return bool(node.online) and not (
        node.standby
        or node.standby_onfail
        or node.maintenance
        or node.pending
        or node.unclean
        or node.shutdown
    )


def barred_nodes(cluster: Cluster, ids: frozenset[str]) -> frozenset[str]:
    """Nodes that a constraint forbids to any of *ids*: location scores of -INFINITY."""
    return frozenset(
        ban.node
        for ban in cluster.bans
        if ban.is_infinite and ban.resource in ids and not ban.promoted_only
    )


def nodes_opted_in(
    cluster: Cluster, cib: Optional[Cib], ids: frozenset[str]
) -> Optional[frozenset[str]]:
    """Nodes that a location constraint opens to any of *ids*, where the cluster is opt-in.

    ``None`` where it is not (``symmetric-cluster``, the default), or where the documents cannot
    tell: crm_mon shows no such constraint, and one with a rule names no node.
    """
    if cluster.summary.options.symmetric is not False or cib is None:
        return None
    locations = [location for location in cib.locations if location.resource in ids]
    if any(location.node is None for location in locations):
        return None
    return frozenset(
        location.node
        for location in locations
        if location.node is not None and (location.score is None or location.score > -INFINITY)
    )


def _members(resource: Union[Resource, Iterable[Primitive]]) -> Iterable[Primitive]:
    """The primitives of a resource, or those that are given."""
    if isinstance(resource, (Primitive, Group, Clone, Bundle)):
        return primitives(resource)
    return resource


def where(resource: Union[Resource, Iterable[Primitive]]) -> tuple[str, ...]:
    """Nodes where any part has any role but Stopped, in the order of the members."""
    if isinstance(resource, Primitive):
        return () if resource.role is Role.STOPPED else tuple(dict.fromkeys(resource.nodes))
    found: dict[str, None] = {}
    for primitive in _members(resource):
        if primitive.role is not Role.STOPPED:
            found.update(dict.fromkeys(primitive.nodes))
    return tuple(found)


def whereabouts(resource: Union[Resource, Iterable[Primitive]]) -> str:
    """Where it is, in the words that every check has for it: one thing is not told in two ways.

    ``runs on app01``, ``is stopping on app01`` where nothing of it runs any more, ``runs nowhere``.
    """
    members = tuple(_members(resource))
    nodes = where(members)
    if not nodes:
        return "runs nowhere"
    moving = [each.role for each in members if each.role in MOVING]
    if moving and not any(each.role in RUNNING for each in members):
        return f"is {state_name(moving[0]).lower()} on {join(nodes)}"
    return f"runs on {join(nodes)}"


def is_service(resource: Resource) -> bool:
    """Whether this is a group or single resource that someone uses: no fence device, no orphan."""
    if isinstance(resource, Group):
        return True
    return (
        isinstance(resource, Primitive) and not resource.orphaned and not resource.is_fence_device
    )


def is_disabled(cluster: Cluster, resource: Resource) -> bool:
    """Whether somebody asked for the whole *resource* to be stopped."""
    if cluster.summary.options.stop_all_resources:
        return True
    if isinstance(resource, Primitive):
        return asks_for_stop(resource.target_role)
    if isinstance(resource, Group):
        return bool(resource.disabled) or all(
            asks_for_stop(member.target_role) for member in resource.members
        )
    if isinstance(resource, Clone):
        # "disabled" is also said of a promotable clone that shall only not be promoted.
        if resource.target_role is not None:
            return asks_for_stop(resource.target_role)
        if resource.disabled:
            return True
    parts = tuple(primitives(resource))
    return bool(parts) and all(asks_for_stop(part.target_role) for part in parts)


def has_quorum(cluster: Cluster) -> Optional[bool]:
    """Whether this partition has quorum, as Pacemaker says; ``None`` without a controller."""
    dc = cluster.summary.dc
    return None if dc is None else dc.with_quorum


def select(cluster: Cluster, asked: Filter) -> tuple[Resource, ...]:
    """The resources that ``--resource`` lets pass; a group is narrowed to the members named."""
    if not asked.patterns:
        return cluster.resources
    chosen: list[Resource] = []
    for resource in cluster.resources:
        if asked.wants(resource.id):
            chosen.append(resource)
        elif isinstance(resource, Group):
            members = tuple(member for member in resource.members if asked.wants(member.id))
            if members:
                chosen += members
        elif asked.wants(*ids_of(resource)):
            chosen.append(resource)
    return tuple(chosen)


def filter_problems(cluster: Cluster, asked: Filter) -> Iterator[Finding]:
    """What ``--resource`` names and the cluster does not have."""
    if not asked.patterns:
        return
    known = known_ids(cluster)
    missing = [name for name in asked.literals if name not in known]
    for name in missing:
        yield finding(MISSING, subject.resource(name), f"{name} is not configured in the cluster")
    if not missing and not any(asked.wants(name) for name in known):
        text = f"no resource matches {asked.words}"
        yield finding(NONE, subject.cluster("resources"), text)


def names_of(view: View, cluster: Cluster, name: str) -> frozenset[str]:
    """A primitive's own id, and those of the group, clone or bundle around it."""
    own = base_id(name)
    return frozenset({name, own, *(top.id for top in tops_of(view, cluster, own))})


def known_ids(cluster: Cluster) -> frozenset[str]:
    """Every id that ``--resource`` may name."""
    return frozenset().union(*(ids_of(resource) for resource in cluster.resources))
