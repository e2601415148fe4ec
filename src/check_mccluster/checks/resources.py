"""Does everything run that should, as it should?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Optional

from ..inputs.cibadmin import CIB
from ..inputs.crm_mon import CLUSTER
from ..inputs.drbdsetup import DRBD
from ..judge.clones import bundle_findings, clone_findings
from ..judge.facts.pacemaker import MISSING, NONE, ON_LOST_NODE, known_ids, select
from ..judge.groups import group_findings, nodes_of
from ..judge.instances import (
    BLOCKED,
    CLONE_DEGRADED,
    CLONE_DOWN,
    DISABLED,
    FAILED,
    IGNORED,
    MULTI_ACTIVE,
    NOT_PROMOTED,
    ORPHANED,
    PROMOTED_LOW,
    STOPPED,
    TRANSITION,
    UNMANAGED,
    Context,
    context_of,
    instance_fault,
    on,
)
from ..model.pacemaker import (
    RUNNING,
    Clone,
    Cluster,
    Group,
    Primitive,
    Resource,
    Role,
    asks_for_stop,
    base_id,
    ids_of,
    primitives,
)
from ..verdict import subject
from ..verdict.check import Check
from ..verdict.finding import Figure, Finding, Kind, Report, State, finding
from ..verdict.view import Asked, View
from ..verdict.words import STOP_ALL_OVER, join

NOT_SHOWN = Kind(
    "resource-not-shown",
    State.WARNING,
    "A resource is configured in the CIB, but crm_mon does not show it at all, as happens when"
    " its node left in maintenance mode: nothing can be said about it.",
    "crm_resource --locate -r {resource}; crm_simulate -sL (the lines about {resource})",
)
TICKET_STANDBY = Kind(
    "ticket-standby",
    State.WARNING,
    "A ticket that a resource needs is in standby: this site is about to give it up.",
    "crm_ticket --info; crm_ticket --ticket {object} --activate",
)


def _judge_one(context: Context, resource: Resource) -> Iterator[Finding]:
    if isinstance(resource, Primitive):
        fault = instance_fault(context, resource, name=resource.id)
        if fault is not None:
            yield fault
    elif isinstance(resource, Group):
        yield from group_findings(context, resource)
    elif isinstance(resource, Clone):
        yield from clone_findings(context, resource)
    else:
        yield from bundle_findings(context, resource)


def _not_shown(context: Context, asked: Asked) -> Iterator[Finding]:
    """What the CIB has and crm_mon leaves out altogether."""
    cib, cluster = context.cib, context.cluster
    shown = known_ids(cluster) | {node.name for node in cluster.nodes}
    for one in cib.resources.values() if cib is not None else ():
        none_wanted = one.meta.get("clone-max") == "0"
        if one.parent is not None or none_wanted or {one.id, *one.members} & shown:
            continue
        if asked.filter.is_set and not asked.filter.wants(one.id, *one.members):
            continue
        off = asks_for_stop(one.meta.get("target-role"))
        what = one.tag if one.tag in ("group", "bundle") else "resource"
        text = f"crm_mon does not show {what} {one.id}" + (" (it is disabled)" if off else "")
        gone = _last_ran(context, (one.id, *one.members))
        if gone is not None:
            names, node = gone
            text += f": {names} started last on {node}, which is offline, and never stopped since"
        nodes = (gone[1],) if gone is not None else ()
        reason = "offline" if gone is not None else ""
        step = f"on {gone[1]}: pcs cluster start" if gone is not None else ""
        yield finding(
            NOT_SHOWN, subject.resource(one.id), text, nodes=nodes, reason=reason, step=step
        )


def _last_ran(context: Context, names: Sequence[str]) -> Optional[tuple[str, str]]:
    """What of these the CIB has as started on a node that is gone, and on which node."""
    started = context.cib.started if context.cib is not None else {}
    for node in sorted(context.lost):
        ran = [name for name in names if (name, node) in started]
        if ran:
            return join(ran), node
    return None


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
    context = context_of(view, cluster)
    chosen = select(cluster, asked.filter)
    findings = [each for resource in chosen for each in _judge_one(context, resource)]
    if context.stop_all:
        findings = _stopped_by_property(context, chosen, findings)
    findings += _not_shown(context, asked)
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


def _stopped_by_property(
    context: Context, chosen: Sequence[Resource], findings: Sequence[Finding]
) -> list[Finding]:
    """``stop-all-resources`` is told once, however many resources it stops."""
    stopped = [each for each in findings if each.kind is DISABLED]
    if not stopped:
        return [*findings]
    names = join([each.object for each in stopped], 3)
    text = f"stop-all-resources is set: {names} stopped on purpose"
    text += "".join(_not_then_either(context, chosen))
    step = f"To run them again: {STOP_ALL_OVER}"
    one = finding(DISABLED, subject.STOP_ALL, text, step=step)
    return [one, *(each for each in findings if each.kind is not DISABLED)]


def _not_then_either(context: Context, chosen: Sequence[Resource]) -> Iterator[str]:
    """What would not start once the property is gone, as its agent is missing."""
    refused = {name for name, _ in context.cib.refused} if context.cib is not None else set()
    refused |= {base_id(each.resource) for each in context.cluster.failures if each.exit_code}
    for resource in chosen:
        if refused.isdisjoint(ids_of(resource)):
            continue
        why = context.reasons.of(resource)
        if why is not None and why.word == "agent":
            yield f"; {resource.id} will not start then either{why.brackets}"


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
        if isinstance(resource, Group) and (nodes := nodes_of(resource.members))
    ]
    run = "1 resource runs" if running == 1 else f"{running} resources run"
    return run + (f"; {join(placed)}" if placed else "")


def _describe(primitive: Primitive) -> str:
    role = primitive.role.value if isinstance(primitive.role, Role) else str(primitive.role)
    return f"resource {base_id(primitive.id)} ({primitive.agent}): {role}{on(primitive)}"


CHECK = Check(
    name="resources",
    question="Does everything run that should, as it should?",
    needs=(CLUSTER,),
    uses=(CIB,),
    hints=(DRBD,),
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
        PROMOTED_LOW,
        NOT_SHOWN,
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
    settings=("pacemaker",),
    example="check_mccluster resources -r group1",
)
