"""Who could take a resource: every reason against a node, named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from ..inputs.cibadmin import CIB
from ..model.pacemaker import INFINITY, Cluster, Health, Node, Resource
from ..verdict.view import View, contains_node
from .facts.pacemaker import base_id, ids_of, is_service, nodes_opted_in


def may_host(node: Node) -> bool:
    """Whether *node* is of a kind that runs services: members and remote nodes, no guests."""
    return node.type in ("member", "remote") and node.id_as_resource is None


def wanted_exclusions(view: View, cluster: Cluster, resource: Resource) -> frozenset[str]:
    """Nodes that a standing -INFINITY rule or the configuration file keeps the resource from."""
    ids = ids_of(resource)
    excluded = {
        ban.node
        for ban in cluster.bans
        if ban.is_infinite and not ban.is_leftover and not ban.promoted_only and ban.resource in ids
    }
    rule = view.config.resources.get(resource.id)
    for node in cluster.nodes:
        if is_service(resource) and contains_node(view.config.tie_breakers, node.name):
            excluded.add(node.name)
        if rule is not None and rule.allowed is not None:
            if not contains_node(rule.allowed, node.name):
                excluded.add(node.name)
    return frozenset(excluded)


def reasons_against(
    view: View, cluster: Cluster, resource: Resource, node: Node
) -> tuple[str, ...]:
    """Why *node* could not run *resource* now; empty if nothing in Pacemaker speaks against it."""
    return tuple(_reasons(view, cluster, resource, node))


def _reasons(view: View, cluster: Cluster, resource: Resource, node: Node) -> Iterable[str]:
    if not node.online:
        yield "unclean" if node.unclean else "offline"
        return
    if node.unclean:
        yield "unclean"
    if node.pending:
        yield "pending"
    if node.shutdown:
        yield "shutting down"
    if node.standby_onfail:
        yield "on standby after a failure"
    elif node.standby and not node.pending:
        yield "on standby"
    if node.maintenance:
        yield "in maintenance"
    if node.health is Health.RED:
        yield "health red"
    yield from _rules(view, cluster, resource, node)
    yield from _bars(cluster, resource, node)


def _rules(view: View, cluster: Cluster, resource: Resource, node: Node) -> Iterable[str]:
    ids = ids_of(resource)
    bans = [
        ban
        for ban in cluster.bans
        if ban.is_infinite
        and not ban.promoted_only
        and ban.resource in ids
        and ban.node == node.name
    ]
    if bans:
        yield f"banned by {bans[0].id}"
    opted_in = nodes_opted_in(cluster, view[CIB].value, ids)
    if opted_in is not None and node.name not in opted_in:
        yield "not opted in by a constraint"
    if is_service(resource) and contains_node(view.config.tie_breakers, node.name):
        yield "tie-breaker"
    rule = view.config.resources.get(resource.id)
    if rule is not None and rule.allowed is not None:
        if not contains_node(rule.allowed, node.name):
            yield "not in the allowed list"


def _bars(cluster: Cluster, resource: Resource, node: Node) -> Iterable[str]:
    ids = ids_of(resource)
    for past in cluster.history:
        if past.node != node.name or base_id(past.resource) not in ids or not past.fail_count:
            continue
        if reached(past.fail_count, past.migration_threshold):
            count = "INFINITY" if past.fail_count >= INFINITY else str(past.fail_count)
            yield f"{past.resource} barred by fail-count {count}"


def reached(fail_count: int, threshold: Optional[int]) -> bool:
    """Whether a fail-count bars the node: at the threshold, or INFINITY.

    A threshold of 0 means that failures never bar a node ("Resource Meta-Attributes" in
    Pacemaker Explained; ``pcmk__threshold_reached`` in lib/pacemaker).
    """
    if threshold == 0:
        return False
    return fail_count >= INFINITY or (threshold is not None and fail_count >= threshold)
