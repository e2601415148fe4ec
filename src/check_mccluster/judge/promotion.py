"""Promotion: who may be promoted where, by bans, scores and what somebody asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Optional

from ..model.pacemaker import (
    FENCE_HANDLER,
    INFINITY,
    Ban,
    Cib,
    Clone,
    Cluster,
    Node,
    Resource,
    Role,
    asks_for_no_promotion,
    base_id,
    ids_of,
    primitives,
)
from ..verdict.words import constraint_gone, enabled_again
from .candidates import Against, ban_gone, rule_gone, rule_of
from .facts.location import applies, number, score_on


def not_to_be_promoted(resource: Resource) -> bool:
    """Whether somebody asked for a clone that runs and is promoted nowhere."""
    asked = resource.target_role if isinstance(resource, Clone) else None
    return asks_for_no_promotion(asked)


def carried_by(cib: Optional[Cib], clone: Clone) -> bool:
    """Whether something must run with the promoted instance of *clone*: it speaks for both."""
    ids = ids_of(clone)
    return cib is not None and any(
        constraint.primary.resource in ids
        and constraint.primary.role == Role.PROMOTED.value
        and constraint.score >= INFINITY
        for constraint in cib.colocations
    )


def against_promotion(
    cluster: Cluster, cib: Optional[Cib], resource: Resource, node: Node, now: Optional[datetime]
) -> Iterator[Against]:
    """What speaks against promoting an instance of *resource* on *node*."""
    if not isinstance(resource, Clone):
        return
    name = resource.id
    if not_to_be_promoted(resource):
        text = f"{name} is asked not to be promoted"
        yield Against(text, enabled_again(name), "disabled", name)
    for ban in cluster.bans:
        if ban.is_infinite and ban.promoted_only and ban.node == node.name:
            if ban.resource in ids_of(resource):
                yield _left(name, ban) if ban.is_leftover else _ban(cib, name, ban.id)
                return
    if cib is not None:
        yield from _score(cib, resource, node, now)


def _left(name: str, ban: Ban) -> Against:
    """What ``crm_resource --ban --promoted`` left."""
    return Against(f"cannot promote {name}: {ban.id} forbids it", ban_gone(ban), "ban", ban.id)


def _ban(cib: Optional[Cib], name: str, found: str) -> Against:
    """*found* is the id of a constraint, or of the rule in it."""
    found, _ = rule_of(cib, found)
    if found.startswith(FENCE_HANDLER):
        return Against(
            f"cannot promote {name}: DRBD's fence handler left {found}",
            f"drbdadm status; where every disk is UpToDate: {constraint_gone(found)}; else it goes"
            " with the end of the resync",
            "fence-handler",
            found,
        )
    return Against(
        f"cannot promote {name}: {found} forbids it",
        rule_gone(name, found),
        "rule",
        found,
    )


def _score(cib: Cib, resource: Clone, node: Node, now: Optional[datetime]) -> Iterator[Against]:
    """An instance without a score of its own starts at -1; below 0 it is not promoted."""
    inner = sorted({base_id(each.id) for each in primitives(resource)})
    scores = {
        each.name: value
        for name in inner
        for each in cib.nodes.values()
        if (value := each.attribute(f"master-{name}")) is not None
    }
    here = cib.nodes.get(node.name)
    if not inner or here is None or not (scores or here.transient):
        return  # the status section is not in sight
    ids = ids_of(resource)
    extra = 0
    for location in cib.locations:
        if location.role == Role.PROMOTED.value and applies(location, ids):
            score = score_on(location, here, now)
            if score is None:
                return
            extra += score
    own = scores.get(node.name)
    step = (
        f"crm_mon -1 -A; on {node.name}: journalctl -u pacemaker --grep {inner[0]}; then:"
        f" crm_resource --refresh -r {inner[0]} -N {node.name}"
    )
    # An instance that does not run has no score yet: its agent gives it one when it starts.
    runs = any(node.name in each.nodes for each in primitives(resource))
    if own is None and extra < 1 and runs:
        yield Against(
            f"cannot promote {resource.id}: it has no promotion score there", step, "score"
        )
    elif own is not None and number(own) + extra < 0:
        yield Against(
            f"cannot promote {resource.id}: its promotion score there is {own}", step, "score"
        )
