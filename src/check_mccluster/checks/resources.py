"""Does everything run that should, as it should?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Optional, Union

from ..inputs.cibadmin import CIB
from ..inputs.crm_mon import CLUSTER
from ..judge.facts.pacemaker import (
    MISSING,
    MOVING,
    NONE,
    ON_LOST_NODE,
    RUNNING,
    asks_for_stop,
    barred_nodes,
    base_id,
    has_quorum,
    ids_of,
    is_disabled,
    known_ids,
    lost_nodes,
    nodes_opted_in,
    select,
    usable,
)
from ..judge.facts.tickets import ticket_reasons
from ..model.pacemaker import (
    Bundle,
    Cib,
    Clone,
    Cluster,
    Group,
    Health,
    Node,
    Primitive,
    Resource,
    Role,
    primitives,
)
from ..verdict import subject
from ..verdict.check import Check
from ..verdict.finding import Figure, Finding, Kind, Report, State, finding
from ..verdict.view import Asked, View
from ..verdict.words import join

STOPPED = Kind(
    "resource-stopped",
    State.CRITICAL,
    "A resource does not run although nothing asks for that.",
    "crm_mon -1 -r -f; crm_resource --why -r {resource}; then crm_resource --cleanup -r {resource}",
)
FAILED = Kind(
    "resource-failed",
    State.CRITICAL,
    "A resource has failed and is not recovered, whatever its role says.",
    "crm_mon -1 -f; mend the cause, then: crm_resource --cleanup -r {resource}",
)
IGNORED = Kind(
    "resource-failure-ignored",
    State.WARNING,
    "A failure was ignored (on-fail=ignore): Started by name, perhaps dead.",
    "Look whether {resource} works; then: crm_resource --cleanup -r {resource}",
)
BLOCKED = Kind(
    "resource-blocked",
    State.CRITICAL,
    "Pacemaker gave up on a resource, usually after a failed stop: it will not recover it.",
    "Stop or mend {resource} by hand, then: crm_resource --cleanup -r {resource}",
)
MULTI_ACTIVE = Kind(
    "resource-multi-active",
    State.CRITICAL,
    "A resource that may run once is active on several nodes.",
    "Stop {resource} by hand on all nodes but one, then: crm_resource --cleanup -r {resource}",
)
DISABLED = Kind(
    "resource-disabled",
    State.WARNING,
    "A resource is stopped or not promoted on purpose (target-role, stop-all-resources).",
    "When it shall run again: crm_resource -r {resource} --meta -d target-role"
    " (pcs resource enable {resource})",
)
UNMANAGED = Kind(
    "resource-unmanaged",
    State.WARNING,
    "A resource is unmanaged: Pacemaker will not recover it.",
    "crm_resource -r {resource} --meta -d is-managed (pcs resource manage {resource})",
)
ORPHANED = Kind(
    "resource-orphaned",
    State.WARNING,
    "A resource was removed from the configuration and is still known to the cluster.",
    "crm_resource --cleanup -r {resource}, after stopping what still runs",
)
TRANSITION = Kind(
    "resource-transition",
    State.WARNING,
    "A resource is starting, stopping, being promoted, demoted or migrated.",
    "crm_mon -1; if it stays so, see the agent's log: journalctl -u pacemaker",
)
TICKET_STANDBY = Kind(
    "ticket-standby",
    State.WARNING,
    "A ticket that a resource needs is in standby: this site is about to give it up.",
    "crm_ticket --info; crm_ticket --ticket {object} --activate",
)
CLONE_DEGRADED = Kind(
    "clone-degraded",
    State.WARNING,
    "A clone or bundle has fewer instances than nodes that should run one.",
    "crm_mon -1 -r -f; crm_resource --why -r {resource}",
)
CLONE_DOWN = Kind(
    "clone-down",
    State.CRITICAL,
    "A clone or bundle has no instance at all.",
    "crm_mon -1 -r -f; crm_resource --why -r {resource}",
)
NOT_PROMOTED = Kind(
    "promoted-missing",
    State.CRITICAL,
    "A promotable clone runs and none of its instances is promoted.",
    "crm_mon -1 -r -A (promotion scores); crm_resource --cleanup -r {resource}",
)


class _Context(NamedTuple):
    """The cluster-wide facts that every resource is judged under."""

    cluster: Cluster
    lost: frozenset[str]
    quiet_nodes: frozenset[str]
    """Nodes in maintenance: that their resources are unmanaged is said by ``nodes``."""
    why_stopped: dict[str, str]
    cib: Optional[Cib]

    @property
    def maintenance(self) -> bool:
        return bool(self.cluster.summary.options.maintenance_mode)

    @property
    def stop_all(self) -> bool:
        return bool(self.cluster.summary.options.stop_all_resources)


def _context(view: View, cluster: Cluster) -> _Context:
    return _Context(
        cluster,
        lost_nodes(cluster),
        frozenset(n.name for n in cluster.nodes if n.maintenance),
        _reasons(view, cluster),
        view[CIB].value,
    )


def _reasons(view: View, cluster: Cluster) -> dict[str, str]:
    """Why a resource may be stopped, by its id, where the documents tell."""
    reasons: dict[str, str] = {}
    for past in cluster.history:
        for operation in past.operations:
            if operation.rc == _NOT_INSTALLED:
                reasons.setdefault(past.resource, f"not installed on {past.node}")
    for resource in cluster.resources:
        for primitive in primitives(resource):
            if primitive.locked_to:
                reasons[primitive.id] = f"locked to {primitive.locked_to} by shutdown-lock"
    return {**reasons, **ticket_reasons(view, cluster)}


_NOT_INSTALLED = 5
"""OCF_ERR_INSTALLED."""


def _reason(context: _Context, *ids: str) -> str:
    """The reason in brackets for a stopped resource, empty if nothing tells."""
    if has_quorum(context.cluster) is False:
        return " (the partition has no quorum)"
    if context.cluster.summary.dc is None:
        return " (no designated controller)"
    for each in ids:
        if each in context.why_stopped:
            return f" ({context.why_stopped[each]})"
    return ""


def _on(primitive: Primitive) -> str:
    return f" on {join(primitive.nodes)}" if primitive.nodes else ""


def _fault(
    context: _Context,
    primitive: Primitive,
    *,
    name: str,
    disabled: bool = False,
    manage_said: bool = False,
) -> Optional[Finding]:
    """The one finding of an instance, gravest first; ``None`` if it is as it should be.

    :param name: what to call it (``MYSQL``, or ``MYSQL of group1``).
    :param disabled: its group or clone is disabled.
    :param manage_said: that it is unmanaged is said elsewhere.
    """
    role = primitive.role
    here = primitive.nodes

    def say(kind: Kind, text: str, state: Optional[State] = None) -> Finding:
        return finding(kind, subject.resource(primitive.id), text, state=state, nodes=here)

    # A migration is on two nodes for a moment; a stop of what is active twice still is.
    if len(here) > 1 and role not in (Role.STOPPED, Role.MIGRATING):
        return say(MULTI_ACTIVE, f"{name} is active on {join(here)}")
    if primitive.blocked:
        failed = "failed and blocked" if primitive.failed else "blocked"
        return say(BLOCKED, f"{name} {failed}{_on(primitive)}: Pacemaker gave up on it")
    if primitive.failure_ignored:
        return say(IGNORED, f"a failure of {name}{_on(primitive)} was ignored")
    if primitive.failed:
        return say(FAILED, f"{name} failed{_on(primitive)}")
    if role is not Role.STOPPED and here and all(node in context.lost for node in here):
        return say(ON_LOST_NODE, f"{name} is said to run on {join(here)}, which is lost")
    if primitive.orphaned:
        return say(ORPHANED, f"{name} is orphaned{_on(primitive)}: not configured any more")
    if role in MOVING:
        return say(TRANSITION, f"{name} is {role.value.lower()}{_on(primitive)}")
    if primitive.pending is not None and primitive.pending != "Monitoring":
        return say(TRANSITION, f"{name}: {primitive.pending} is pending")
    if role is Role.STOPPED:
        if disabled or context.stop_all or asks_for_stop(primitive.target_role):
            return say(DISABLED, f"{name} is disabled")
        if primitive.managed is False:
            return say(STOPPED, f"{name} is stopped and unmanaged: nobody will start it")
        return say(STOPPED, f"{name} is stopped{_reason(context, primitive.id)}")
    if role is Role.UNKNOWN:
        return say(STOPPED, f"the role of {name} is unknown", State.UNKNOWN)
    if primitive.managed is False and not manage_said and not _maintained(context, primitive):
        return say(UNMANAGED, f"{name} is unmanaged{_on(primitive)}")
    return None


def _maintained(context: _Context, primitive: Primitive) -> bool:
    """Whether a cluster or node maintenance explains that it is unmanaged."""
    return context.maintenance or (
        bool(primitive.nodes) and all(node in context.quiet_nodes for node in primitive.nodes)
    )


# -- groups ------------------------------------------------------------------------------------


def _group(context: _Context, group: Group) -> Iterator[Finding]:
    """One finding for a group at its first faulty member; others only for faults of their own."""
    unmanaged = group.managed is False and not context.maintenance
    if unmanaged and not all(_maintained(context, member) for member in group.members):
        text = f"{group.id} is unmanaged"
        yield finding(UNMANAGED, subject.resource(group.id), text, nodes=_nodes_of(group.members))
    faults = [
        (
            member,
            _fault(
                context,
                member,
                name=member.id,
                disabled=bool(group.disabled),
                manage_said=group.managed is False,
            ),
        )
        for member in group.members
    ]
    stopped = [m for m, f in faults if f is not None and f.kind in (STOPPED, DISABLED)]
    if len(stopped) == len(faults) and stopped:
        yield from _group_stopped(context, group, faults)
        return
    yield from _group_faults(context, group, [fault for _, fault in faults if fault is not None])


def _group_faults(context: _Context, group: Group, faults: Sequence[Finding]) -> Iterator[Finding]:
    """Fold what follows from the first fault that stops the group into that one."""
    first = next((fault for fault in faults if fault.kind in _STOPS), None)
    later = faults[faults.index(first) + 1 :] if first is not None else ()
    alike = [
        each.object
        for each in later
        if first is not None and each.kind is first.kind and each.kind is not STOPPED
    ]
    # Pacemaker blocks the whole group when a member is active twice.
    follow = (STOPPED, TRANSITION, *([BLOCKED] if first and first.kind is MULTI_ACTIVE else []))
    behind = [each.object for each in later if each.kind in follow and each.object not in alike]
    unmanaged = [each for each in faults if each.kind is UNMANAGED]
    for fault in faults:
        if fault in later and fault.object in (*behind, *alike):
            continue
        if fault.kind is UNMANAGED:
            if fault is unmanaged[0]:
                yield _in_group(fault, group, _too([each.object for each in unmanaged[1:]]))
        elif fault is not first:
            yield _in_group(fault, group, "")
        elif fault.kind is DISABLED:
            yield _in_group(fault, group, _too(alike))
            if behind:
                yield _stopped_behind(context, group, fault.object, behind)
        else:
            yield _in_group(fault, group, _too(alike) + _waiting(behind))


_STOPS = (STOPPED, DISABLED, TRANSITION, FAILED, BLOCKED, MULTI_ACTIVE, ON_LOST_NODE)
"""Kinds that keep the members behind in the group from running."""


def _nodes_of(members: Sequence[Primitive]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(node for member in members for node in member.nodes))


def _behind(rest: Sequence[tuple[Primitive, Optional[Finding]]]) -> list[str]:
    return [m.id for m, fault in rest if fault is not None and fault.kind is STOPPED]


def _too(alike: Sequence[str]) -> str:
    return f"; {join(alike)} too" if alike else ""


def _waiting(behind: Sequence[str]) -> str:
    if not behind:
        return ""
    return f"; {join(behind)} wait{'s' if len(behind) == 1 else ''} for it"


def _in_group(fault: Finding, group: Group, tail: str) -> Finding:
    """Name the group in a member's finding, and who waits."""
    first, rest = fault.object, fault.text
    text = rest.replace(first, f"{first} ({group.id})", 1)
    return finding(fault.kind, fault.subject, text + tail, state=fault.state, nodes=fault.nodes)


def _stopped_behind(
    context: _Context, group: Group, disabled: str, behind: Sequence[str]
) -> Finding:
    text = f"{join(behind)} ({group.id}) stopped behind the disabled {disabled}"
    return finding(
        STOPPED, subject.resource(behind[0]), text + _reason(context), resource=behind[0]
    )


def _group_stopped(
    context: _Context, group: Group, faults: Sequence[tuple[Primitive, Optional[Finding]]]
) -> Iterator[Finding]:
    """No member runs: once for the group, and what nobody asked for beside what somebody did."""
    first = next(fault for _, fault in faults if fault is not None)
    members = f"{len(faults)} members" if len(faults) > 1 else first.object
    if is_disabled(context.cluster, group) or all(
        fault is not None and fault.kind is DISABLED for _, fault in faults
    ):
        why = " (stop-all-resources)" if context.stop_all else ""
        yield finding(
            DISABLED, subject.resource(group.id), f"{group.id} is disabled, {members} stopped{why}"
        )
        return
    if first.kind is DISABLED:
        yield _in_group(first, group, "")
        behind = _behind(faults)
        if behind:
            yield _stopped_behind(context, group, first.object, behind)
        return
    reason = _reason(context, group.id, first.object)
    text = f"{group.id} is stopped: {first.object} does not run{reason}"
    yield finding(STOPPED, first.subject, text + _waiting(_behind(faults)[1:]), resource=group.id)
    for _, fault in faults[1:]:
        if fault is not None and fault.kind is DISABLED:
            yield _in_group(fault, group, "")


# -- clones and bundles ------------------------------------------------------------------------


def _runs(context: _Context, member: Primitive) -> bool:
    """Whether it runs, or will in a moment, on a node that is there."""
    lost = bool(member.nodes) and all(node in context.lost for node in member.nodes)
    return (member.role in RUNNING or member.role in MOVING) and not lost


def _is_running(context: _Context, instance: Union[Primitive, Group]) -> bool:
    members = tuple(primitives(instance))
    return bool(members) and all(_runs(context, member) for member in members)


def _hosts(context: _Context, ids: frozenset[str]) -> tuple[Node, ...]:
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
        and node.type != "ping"
        and node.id_as_resource not in inside_bundles
        and node.health is not Health.RED
    )


def _clone(context: _Context, clone: Clone) -> Iterator[Finding]:
    members = tuple(primitives(clone))
    unmanaged = clone.managed is False or all(member.managed is False for member in members)
    if unmanaged and not all(_maintained(context, m) for m in members if m.nodes):
        yield finding(
            UNMANAGED,
            subject.resource(clone.id),
            f"{clone.id} is unmanaged",
            nodes=_nodes_of(members),
        )
    disabled = is_disabled(context.cluster, clone)
    # An instance on a lost node is that node's fault, unless there is no other.
    alive = any(_runs(context, member) for member in members)
    stopped = 0
    for instance in clone.instances:
        if isinstance(instance, Group) and any(m.role in RUNNING for m in instance.members):
            inner = _group(context, instance)
            yield from (each for each in inner if not (alive and each.kind is ON_LOST_NODE))
            continue
        for member in primitives(instance):
            fault = _fault(
                context,
                member,
                name=f"{member.id} ({clone.id})",
                disabled=disabled,
                manage_said=unmanaged,
            )
            if fault is not None and fault.kind in (STOPPED, DISABLED):
                stopped += 1
            elif fault is not None and not (alive and fault.kind is ON_LOST_NODE):
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
    context: _Context, resource: Union[Clone, Bundle], running: int, children: int
) -> Iterator[Finding]:
    """Instances against usable nodes: crm_mon lists spare children as Stopped for ever."""
    hosts = _hosts(context, ids_of(resource))
    due = min(len(hosts), children)
    if running == 0 and children:
        text = f"{resource.id} has no running instance{_reason(context, resource.id)}"
        yield finding(CLONE_DOWN, subject.resource(resource.id), text)
    elif running < due:
        busy = {n for member in primitives(resource) for n in member.nodes}
        idle = tuple(node.name for node in hosts if node.name not in busy)
        told = isinstance(resource, Clone) and idle and due == len(hosts)
        missing = f", none on {join(idle)}" if told else ""
        text = f"{resource.id}: {running} of {due} instances run{missing}"
        yield finding(CLONE_DEGRADED, subject.resource(resource.id), text, nodes=idle)


def _promoted(context: _Context, clone: Clone) -> Iterator[Finding]:
    roles = {primitive.role for primitive in primitives(clone)}
    if roles & {Role.PROMOTED, Role.PROMOTING, Role.DEMOTING}:
        return
    targets = {clone.target_role, *(p.target_role for p in primitives(clone))}
    if any(t is not None and t.lower() in ("unpromoted", "slave") for t in targets):
        text = f"{clone.id}: no instance is promoted, on purpose (target-role)"
        yield finding(DISABLED, subject.resource(clone.id), text)
        return
    reason = _reason(context, clone.id)
    yield finding(
        NOT_PROMOTED, subject.resource(clone.id), f"{clone.id}: no instance is promoted{reason}"
    )


def _bundle(context: _Context, bundle: Bundle) -> Iterator[Finding]:
    if bundle.managed is False and not context.maintenance:
        yield finding(UNMANAGED, subject.resource(bundle.id), f"{bundle.id} is unmanaged")
    disabled = is_disabled(context.cluster, bundle)
    running = 0
    for replica in bundle.replicas:
        faults = [
            _fault(
                context,
                member,
                name=f"{member.id} ({bundle.id})",
                disabled=disabled,
                manage_said=bundle.managed is False,
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


# -- the check ---------------------------------------------------------------------------------


def _judge_one(context: _Context, resource: Resource) -> Iterator[Finding]:
    if isinstance(resource, Primitive):
        fault = _fault(context, resource, name=resource.id)
        if fault is not None:
            yield fault
    elif isinstance(resource, Group):
        yield from _group(context, resource)
    elif isinstance(resource, Clone):
        yield from _clone(context, resource)
    else:
        yield from _bundle(context, resource)


def _expected(view: View, cluster: Cluster, asked: Asked) -> Iterator[Finding]:
    known = known_ids(cluster)
    for name in view.config.resources:
        if name not in known and asked.filter.wants(name):
            yield finding(
                MISSING, subject.resource(name), f"{name} is not configured in the cluster"
            )


def _tickets(view: View, cluster: Cluster, asked: Asked) -> Iterator[Finding]:
    cib = view[CIB].value
    if cib is None:
        return
    needed: dict[str, list[str]] = {}
    for constraint in cib.tickets:
        if asked.filter.patterns and not asked.filter.wants(constraint.resource or ""):
            continue
        needed.setdefault(constraint.ticket, []).append(constraint.resource or "a resource set")
    for ticket in cluster.tickets:
        if ticket.standby and ticket.id in needed:
            text = f"ticket {ticket.id} is in standby; {join(needed[ticket.id])} needs it"
            yield finding(TICKET_STANDBY, subject.ticket(ticket.id), text)


def judge(view: View, asked: Asked) -> Report:
    """Judge every top-level resource, with what is inside."""
    cluster = view[CLUSTER].value
    if cluster is None:
        return Report()
    context = _context(view, cluster)
    chosen = select(cluster, asked.filter)
    findings = [each for resource in chosen for each in _judge_one(context, resource)]
    findings += _expected(view, cluster, asked)
    if not cluster.resources and not findings:
        findings.append(finding(NONE, subject.cluster("resources"), "no resource is configured"))
    findings += _tickets(view, cluster, asked)
    leaves = [p for resource in chosen for p in primitives(resource)]
    return Report(
        _once(findings),
        _summary(chosen, leaves),
        _figures(leaves),
        tuple(_describe(p) for p in leaves),
    )


def _once(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Instances of an anonymous clone share their id: the same text is said once."""
    return tuple({(each.key, each.text): each for each in findings}.values())


def _figures(leaves: Sequence[Primitive]) -> tuple[Figure, ...]:
    counts = (
        ("resources", len(leaves)),
        ("resources_running", sum(1 for p in leaves if p.role in RUNNING)),
        ("resources_stopped", sum(1 for p in leaves if p.role is Role.STOPPED)),
        ("resources_failed", sum(1 for p in leaves if p.failed)),
        ("resources_blocked", sum(1 for p in leaves if p.blocked)),
        ("resources_unmanaged", sum(1 for p in leaves if p.managed is False)),
    )
    return tuple(Figure(label, count, minimum=0) for label, count in counts)


def _summary(chosen: Sequence[Resource], leaves: Sequence[Primitive]) -> str:
    running = sum(1 for primitive in leaves if primitive.role in RUNNING)
    placed = [
        f"{resource.id} on {join(nodes)}"
        for resource in chosen
        if isinstance(resource, Group) and (nodes := _nodes_of(resource.members))
    ]
    return f"{running} resources run" + (f"; {join(placed)}" if placed else "")


def _describe(primitive: Primitive) -> str:
    role = primitive.role.value if isinstance(primitive.role, Role) else str(primitive.role)
    return f"resource {base_id(primitive.id)} ({primitive.agent}): {role}{_on(primitive)}"


CHECK = Check(
    name="resources",
    question="Does everything run that should, as it should?",
    needs=(CLUSTER,),
    uses=(CIB,),
    rule=judge,
    kinds=(
        STOPPED,
        FAILED,
        IGNORED,
        BLOCKED,
        MULTI_ACTIVE,
        ON_LOST_NODE,
        DISABLED,
        UNMANAGED,
        ORPHANED,
        TRANSITION,
        TICKET_STANDBY,
        CLONE_DEGRADED,
        CLONE_DOWN,
        NOT_PROMOTED,
        NONE,
        MISSING,
    ),
    figures=(
        ("resources", "resource instances that crm_mon lists, spare clone children included"),
        ("resources_running", "instances that run"),
        ("resources_stopped", "instances that do not run"),
        ("resources_failed", "instances failed and not recovered"),
        ("resources_blocked", "instances that Pacemaker gave up on"),
        ("resources_unmanaged", "instances that Pacemaker does not manage"),
    ),
    filters="pacemaker",
    example="check_mccluster resources -r group1",
)
