"""Clones and bundles: instances against the nodes that should run one, and who is promoted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Optional, Union

from ..model.configuration import PendingOperation
from ..model.pacemaker import (
    RUNNING,
    Bundle,
    Clone,
    Group,
    Health,
    Node,
    Primitive,
    Role,
    asks_for_no_promotion,
    base_id,
    ids_of,
    primitives,
)
from ..model.words import state_name
from ..verdict import subject
from ..verdict.finding import Finding, finding
from ..verdict.words import join
from .facts.pacemaker import MOVING, ON_LOST_NODE, barred_nodes, is_disabled, nodes_opted_in, usable
from .groups import group_findings, nodes_of
from .instances import (
    CLONE_DEGRADED,
    CLONE_DOWN,
    DISABLED,
    NOT_PROMOTED,
    PROMOTED_LOW,
    STOPPED,
    TRANSITION,
    UNMANAGED,
    Context,
    because,
    frozen,
    frozen_by,
    instance_fault,
    is_maintained,
    managed_again,
    on,
    transition,
)
from .reasons import words_of


def _runs(context: Context, member: Primitive) -> bool:
    """Whether it runs, or will in a moment, on a node that is there."""
    lost = bool(member.nodes) and all(node in context.lost for node in member.nodes)
    return (member.role in RUNNING or member.role in MOVING) and not lost


def _is_running(context: Context, instance: Union[Primitive, Group]) -> bool:
    members = tuple(primitives(instance))
    return bool(members) and all(_runs(context, member) for member in members)


def _hosts(context: Context, ids: frozenset[str]) -> tuple[Node, ...]:
    """Nodes that should run an instance: usable, and no constraint against it."""
    cluster = context.cluster
    banned = barred_nodes(cluster, ids)
    opted_in = nodes_opted_in(cluster, context.cib, ids)
    inside_bundles = {
        primitive.id
        for resource in cluster.resources
        if isinstance(resource, Bundle)
        for primitive in primitives(resource)
    }
    return tuple(
        node
        for node in cluster.nodes
        if usable(node)
        and node.name not in banned
        and (opted_in is None or node.name in opted_in)
        and not node.is_ping
        and node.id_as_resource not in inside_bundles
        and node.health is not Health.RED
    )


def _configured(context: Context, clone: Clone) -> Clone:
    """The clone without instances beyond its clone-max, which crm_mon lists as orphans.

    They ran or were looked for once, on nodes where none is due: what they are of is configured.
    """
    spare = [
        instance
        for instance in clone.instances
        if all(m.orphaned and m.role is Role.STOPPED for m in primitives(instance))
    ]
    if not spare:
        return clone
    kept = {base_id(m.id) for m in primitives(clone) if not m.orphaned}
    kept |= {*context.cib.resources} if context.cib is not None else set()
    spare = [each for each in spare if all(base_id(m.id) in kept for m in primitives(each))]
    return clone._replace(
        instances=tuple(each for each in clone.instances if not any(each is one for one in spare))
    )


def clone_findings(context: Context, clone: Clone) -> Iterator[Finding]:
    """Faults of instances, too few of them, none or too few promoted."""
    clone = _configured(context, clone)
    members = tuple(primitives(clone))
    unmanaged = clone.managed is False or all(member.managed is False for member in members)
    held = next(filter(None, (frozen_by(context, member) for member in members)), None)
    if held is not None:
        yield frozen(clone.id, clone.id, nodes_of(members), held)
    elif unmanaged and not all(is_maintained(context, m) for m in members if m.nodes):
        yield finding(
            UNMANAGED,
            subject.resource(clone.id),
            f"{clone.id} is unmanaged",
            nodes=nodes_of(members),
            step=managed_again(context, clone.id),
        )
    disabled = is_disabled(context.cluster, clone)
    # An instance on a lost node is that node's fault, unless there is no other.
    alive = any(_runs(context, member) for member in members)
    stopped = 0
    for instance in clone.instances:
        if isinstance(instance, Group) and any(m.role in RUNNING for m in instance.members):
            inner = group_findings(context, instance)
            yield from (each for each in inner if not (alive and each.kind is ON_LOST_NODE))
            continue
        for member in primitives(instance):
            fault = instance_fault(
                context,
                member,
                name=f"{member.id} ({clone.id})",
                disabled=disabled,
                manage_said=unmanaged,
                ask=False,
            )
            if fault is not None and fault.kind in (STOPPED, DISABLED):
                stopped += 1
            elif fault is not None and not (alive and fault.kind is ON_LOST_NODE):
                if held is None or fault.kind is not UNMANAGED:
                    yield fault
    running = [instance for instance in clone.instances if _is_running(context, instance)]
    if disabled:
        if stopped:
            yield finding(DISABLED, subject.resource(clone.id), f"{clone.id} is disabled")
        return
    yield from _instances(context, clone, len(running), len(clone.instances))
    if clone.promotable and running:
        yield from _promoted(context, clone)


def _instances(
    context: Context, resource: Union[Clone, Bundle], running: int, children: int
) -> Iterator[Finding]:
    """Instances against usable nodes: crm_mon lists spare children as Stopped for ever."""
    hosts = _hosts(context, ids_of(resource))
    due = min(len(hosts), children)
    about = subject.resource(resource.id)
    under_way = _pending(context, resource) if running < max(due, 1) and children else None
    if under_way is not None:
        # Of a CIB that knows more than crm_mon the number that runs is not that of crm_mon.
        old = not running or _started_since(context, resource)
        run = "an instance" if old else f"{running} of {due} instances run, one"
        text = f"{resource.id}: {run} {words_of(under_way)}"
        yield transition(context, resource.id, text, under_way)
    elif running == 0 and children:
        text = f"{resource.id} has no running instance"
        yield because(CLONE_DOWN, text, context.reasons.of(resource), about=about)
    elif running < due:
        busy = {n for member in primitives(resource) for n in member.nodes}
        idle = tuple(node.name for node in hosts if node.name not in busy)
        named = isinstance(resource, Clone) and idle and due == len(hosts)
        missing = f", none on {join(idle)}" if named else ""
        text = f"{resource.id}: {running} of {due} instances run{missing}"
        why = context.reasons.on(resource, idle)
        yield because(CLONE_DEGRADED, text, why, about=about, nodes=idle)


def _started_since(context: Context, resource: Union[Clone, Bundle]) -> bool:
    """Whether the CIB has an instance as started where crm_mon has none yet."""
    started = context.cib.started if context.cib is not None else {}
    busy = {node for each in primitives(resource) for node in each.nodes}
    names = {base_id(each.id) for each in primitives(resource)}
    nodes = (node.name for node in context.cluster.nodes if usable(node))
    return any((name, node) in started for node in nodes if node not in busy for name in names)


def _pending(context: Context, resource: Union[Clone, Bundle]) -> Optional[PendingOperation]:
    """A start or probe of an instance that the CIB has already."""
    for name in sorted({each.id for each in primitives(resource) if each.role is Role.STOPPED}):
        found = context.reasons.pending(name)
        if found is not None and found.task in ("start", "monitor"):
            return found
    return None


def _promoted(context: Context, clone: Clone) -> Iterator[Finding]:
    instances = tuple(primitives(clone))
    promoted = [each for each in instances if each.role in _PROMOTED]
    about = subject.resource(clone.id)
    most = context.reasons.futures.promoted_max(clone)
    # An instance is promoted once all have started: that is no fault yet.
    moving = next((each for each in instances if each.role in MOVING), None)
    under_way = next(filter(None, (context.reasons.pending(each.id) for each in instances)), None)
    if promoted:
        able = [e for e in instances if e.role is Role.UNPROMOTED and _runs(context, e)]
        due = min(most, len(promoted) + len(able))
        if len(promoted) < due and moving is None and under_way is None:
            nodes = tuple(dict.fromkeys(node for each in able for node in each.nodes))
            why = context.reasons.on(clone, nodes, promoted=True)
            text = f"{clone.id}: {len(promoted)} of {most} instances are promoted"
            yield because(PROMOTED_LOW, text, why, about=about, nodes=nodes)
        return
    targets = {clone.target_role, *(p.target_role for p in instances)}
    if any(map(asks_for_no_promotion, targets)):
        text = f"{clone.id}: no instance is promoted, on purpose (target-role)"
        yield finding(DISABLED, about, text)
    elif under_way is not None:
        name = moving.id if moving is not None else clone.id
        text = f"{clone.id}: no instance is promoted yet, {name} {words_of(under_way)}"
        yield transition(context, clone.id, text, under_way)
    elif moving is not None:
        how = f"{moving.id} is {state_name(moving.role).lower()}{on(moving)}"
        text = f"{clone.id}: no instance is promoted yet, {how}"
        own = base_id(moving.id)
        yield finding(TRANSITION, about, text, nodes=moving.nodes, resource=own)
    elif (
        start := context.reasons.started_lately(_ids(instances), nodes_of(instances))
    ) is not None:
        text = f"{clone.id}: no instance is promoted yet, {start.task} just started on {start.node}"
        yield finding(TRANSITION, about, text, nodes=(start.node,), resource=start.task)
    else:
        text = f"{clone.id}: no instance is promoted"
        why = context.reasons.of(clone, promoted=True)
        yield because(NOT_PROMOTED, text, why, about=about)


def _ids(instances: Sequence[Primitive]) -> list[str]:
    return sorted({base_id(each.id) for each in instances})


_PROMOTED = frozenset({Role.PROMOTED, Role.PROMOTING, Role.DEMOTING})


def bundle_findings(context: Context, bundle: Bundle) -> Iterator[Finding]:
    """Faults of replicas, and too few of them."""
    if bundle.managed is False and not context.maintenance:
        yield finding(UNMANAGED, subject.resource(bundle.id), f"{bundle.id} is unmanaged")
    disabled = is_disabled(context.cluster, bundle)
    running = 0
    for replica in bundle.replicas:
        faults = [
            instance_fault(
                context,
                member,
                name=f"{member.id} ({bundle.id})",
                disabled=disabled,
                manage_said=bundle.managed is False,
                ask=False,
            )
            for member in replica.members
        ]
        running += all(_runs(context, member) for member in replica.members)
        partly = any(m.role in RUNNING for m in replica.members)
        for fault in faults:
            if fault is None or (fault.kind in (STOPPED, DISABLED) and not partly):
                continue
            yield fault
    if disabled:
        if running < len(bundle.replicas):
            yield finding(DISABLED, subject.resource(bundle.id), f"{bundle.id} is disabled")
        return
    yield from _instances(context, bundle, running, len(bundle.replicas))
