"""A group: one finding at its first faulty member, and who waits for that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Optional

from ..model.pacemaker import Group, Primitive, Role, asks_for_stop
from ..verdict import subject
from ..verdict.finding import Finding, finding
from ..verdict.words import join
from .facts.pacemaker import ON_LOST_NODE, is_disabled
from .instances import (
    BLOCKED,
    DISABLED,
    FAILED,
    MULTI_ACTIVE,
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
    transition,
)
from .reasons import NOTHING_VISIBLE, words_of


def group_findings(context: Context, group: Group) -> Iterator[Finding]:
    """One finding for a group at its first faulty member; others only for faults of their own."""
    unmanaged = group.managed is False and not context.maintenance
    if unmanaged and not all(
        is_maintained(context, member) or frozen_by(context, member) for member in group.members
    ):
        text = f"{group.id} is unmanaged"
        step = managed_again(context, group.id)
        about = subject.resource(group.id)
        yield finding(UNMANAGED, about, text, nodes=nodes_of(group.members), step=step)
    beside = nodes_of(group.members)
    # Of a group that is down as a whole the reason is asked once, for the whole.
    dead = all(member.role is Role.STOPPED for member in group.members)
    if dead and (moving := _pending(context, group)) is not None:
        yield moving
        return
    faults = [
        (
            member,
            instance_fault(
                context,
                member,
                name=member.id,
                disabled=bool(group.disabled),
                manage_said=group.managed is False,
                beside=beside,
                around=group,
                ask=not dead,
            ),
        )
        for member in group.members
    ]
    stopped = [m for m, f in faults if f is not None and f.kind in (STOPPED, DISABLED)]
    if len(stopped) == len(faults) and stopped:
        yield from _group_stopped(context, group, faults)
        return
    told = [fault for _, fault in faults if fault is not None]
    held = next(filter(None, (frozen_by(context, member) for member in group.members)), None)
    if held is not None:
        if all(fault.kind is not FAILED for fault in told):
            yield frozen(group.id, group.id, nodes_of(group.members), held)
        told = [fault for fault in told if (fault.kind, fault.reason) != (UNMANAGED, "ticket")]
    yield from _group_faults(group, [_next(context, group, fault) for fault in told])


def _next(context: Context, group: Group, fault: Finding) -> Finding:
    """A member that does not run yet, where the one before it was started a moment ago."""
    if fault.kind is not STOPPED or fault.reason != NOTHING_VISIBLE:
        return fault
    names = [member.id for member in group.members]
    last = context.reasons.started_lately(names, nodes_of(group.members))
    if last is None:
        return fault
    text = f"{fault.object} is to start on {last.node}, where {last.task} just did"
    return finding(TRANSITION, fault.subject, text, nodes=(last.node,), resource=fault.object)


def _pending(context: Context, group: Group) -> Optional[Finding]:
    """A start or probe that the CIB has already, for a group that is not asked to be stopped."""
    if is_disabled(context.cluster, group):
        return None
    for member in group.members:
        under_way = context.reasons.pending(member.id)
        if under_way is not None and not asks_for_stop(member.target_role):
            text = f"{member.id} ({group.id}) {words_of(under_way)}"
            return transition(context, member.id, text, under_way)
    return None


def _group_faults(group: Group, faults: Sequence[Finding]) -> Iterator[Finding]:
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
                yield _stopped_behind(group, fault.object, behind)
        else:
            yield _in_group(fault, group, _too(alike) + _waiting(behind))


_STOPS = (STOPPED, DISABLED, TRANSITION, FAILED, BLOCKED, MULTI_ACTIVE, ON_LOST_NODE)
"""Kinds that keep the members behind in the group from running."""


def nodes_of(members: Sequence[Primitive]) -> tuple[str, ...]:
    """Where any of *members* is, each node once."""
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
    return fault._replace(text=text + tail)


def _stopped_behind(group: Group, disabled: str, behind: Sequence[str]) -> Finding:
    text = f"{join(behind)} ({group.id}) stopped behind the disabled {disabled}"
    return finding(
        STOPPED,
        subject.resource(behind[0]),
        text,
        resource=behind[0],
        reason="order",
        step=f"pcs resource enable {disabled}, or move {behind[0]} before it in {group.id}",
    )


def _group_stopped(
    context: Context, group: Group, faults: Sequence[tuple[Primitive, Optional[Finding]]]
) -> Iterator[Finding]:
    """No member runs: once for the group, and what nobody asked for beside what somebody did."""
    first = next(fault for _, fault in faults if fault is not None)
    members = f"{len(faults)} members" if len(faults) > 1 else first.object
    if is_disabled(context.cluster, group):
        text = f"{group.id} is disabled, {members} stopped"
        yield finding(DISABLED, subject.resource(group.id), text)
        return
    if first.kind is DISABLED:
        yield _in_group(first, group, "")
        behind = _behind(faults)
        if behind:
            yield _stopped_behind(group, first.object, behind)
        return
    yield because(
        STOPPED,
        f"{group.id} is stopped: {first.object} does not run",
        context.reasons.of(group, first.object),
        about=first.subject,
        resource=group.id,
        tail=_waiting(_behind(faults)[1:]),
    )
    for _, fault in faults[1:]:
        if fault is not None and fault.kind is DISABLED:
            yield _in_group(fault, group, "")
