"""One instance of a resource: what may be wrong with it, and the one finding that tells it.

Long because that is one chain of questions, gravest first, with the words of each answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Optional

from ..inputs.cibadmin import CIB
from ..model.configuration import FALSE, TRUE, PendingOperation
from ..model.pacemaker import (
    RUNNING,
    Cib,
    Cluster,
    Failure,
    FenceStatus,
    Group,
    Primitive,
    Role,
    asks_for_stop,
    base_id,
)
from ..values import NamedTuple
from ..verdict import subject
from ..verdict.finding import Finding, Kind, State, finding
from ..verdict.subject import Subject
from ..verdict.view import View
from ..verdict.words import WHEN_DONE, duration, enabled_again, join, pasted
from .facts.pacemaker import MOVING, ON_LOST_NODE, lost_nodes
from .reasons import Reason, Reasons, how_it_failed, words_of

if TYPE_CHECKING:  # loads where a resource needs a ticket
    from .facts.tickets import WithheldTicket

STOPPED = Kind(
    "resource-stopped",
    State.CRITICAL,
    "A resource does not run, and nothing asks for it to be stopped.",
    "crm_mon -1 -r -f; crm_simulate -sL (the lines about {resource})",
)
FAILED = Kind(
    "resource-failed",
    State.CRITICAL,
    "A resource has failed and is not recovered, whatever its role says.",
    "crm_mon -1 -f; fix the cause, then: crm_resource --cleanup -r {resource}",
)
IGNORED = Kind(
    "resource-failure-ignored",
    State.WARNING,
    "A failure was ignored (on-fail=ignore): the resource is Started in name only, and may be"
    " dead.",
    "Look whether {resource} works; then: crm_resource --cleanup -r {resource}",
)
BLOCKED = Kind(
    "resource-blocked",
    State.CRITICAL,
    "Pacemaker gave up on a resource, usually after a failed stop: it will not recover it.",
    "Stop or repair {resource} by hand, then: crm_resource --cleanup -r {resource}",
)
MULTI_ACTIVE = Kind(
    "resource-multi-active",
    State.CRITICAL,
    "A resource that may run once is active on several nodes.",
    "Stop {resource} by hand on all nodes but one, then: crm_resource --refresh -r {resource}",
)
DISABLED = Kind(
    "resource-disabled",
    State.WARNING,
    "A resource is stopped or not promoted on purpose (target-role, stop-all-resources).",
    "To run it again: crm_resource -r {resource} --meta -d target-role"
    " (pcs resource enable {resource})",
)
UNMANAGED = Kind(
    "resource-unmanaged",
    State.WARNING,
    "A resource is unmanaged: Pacemaker will not recover it.",
    "When the work is done: crm_resource -r {resource} --meta -d is-managed (pcs resource manage"
    " {resource})",
)
ORPHANED = Kind(
    "resource-orphaned",
    State.WARNING,
    "A resource was removed from the configuration and is still known to the cluster.",
    "Deleted by mistake? Put it back into the configuration. Meant: on {node}: stop what still runs"
    " of it by hand, then: crm_resource --refresh -r {resource}",
)
TRANSITION = Kind(
    "resource-transition",
    State.WARNING,
    "A resource is starting, stopping, being promoted, demoted or migrated.",
    "crm_mon -1; if it stays so, on {node}: journalctl -u pacemaker --grep {resource} tells what"
    " its agent says",
)
CLONE_DEGRADED = Kind(
    "clone-degraded",
    State.WARNING,
    "A clone or bundle has fewer instances than nodes that should run one.",
    "crm_mon -1 -r -f; crm_simulate -sL (the lines about {resource})",
)
CLONE_DOWN = Kind(
    "clone-down",
    State.CRITICAL,
    "A clone or bundle has no instance at all.",
    "crm_mon -1 -r -f; crm_simulate -sL (the lines about {resource})",
)
NOT_PROMOTED = Kind(
    "promoted-missing",
    State.CRITICAL,
    "A promotable clone runs and none of its instances is promoted.",
    "crm_mon -1 -r -A, twice: it may be under way; if not, look at the promotion scores:"
    " crm_simulate -sL (the lines about {resource})",
)
PROMOTED_LOW = Kind(
    "promoted-low",
    State.WARNING,
    "Fewer instances of a clone are promoted than promoted-max says, while others run.",
    "crm_mon -1 -r -A; look at the promotion scores: crm_simulate -sL (the lines about {resource})",
)


class Context(NamedTuple):
    """The cluster-wide facts that every resource is judged under."""

    cluster: Cluster
    lost: frozenset[str]
    quiet_nodes: frozenset[str]
    """Nodes in maintenance: that their resources are unmanaged is said by ``nodes``."""
    reasons: Reasons
    cib: Optional[Cib]
    tickets: Mapping[str, WithheldTicket] = MappingProxyType({})
    """By resource the ticket that it has not, and with which what runs is left running."""

    @property
    def maintenance(self) -> bool:
        """Whether the whole cluster is in maintenance."""
        return bool(self.cluster.summary.options.maintenance_mode)

    def is_online(self, name: str) -> bool:
        """Whether the node is there: it may be unclean all the same, for what failed on it."""
        node = self.cluster.node(name)
        return node is not None and bool(node.online)

    @property
    def stop_all(self) -> bool:
        """Whether everything is to be stopped."""
        return bool(self.cluster.summary.options.stop_all_resources)


def context_of(view: View, cluster: Cluster) -> Context:
    """The facts of one view."""
    cib = view[CIB].value
    tickets = {}
    if cib is not None and cib.tickets:
        from .facts.tickets import ticket_reasons

        withheld = ticket_reasons(view, cluster)
        tickets = {name: each for name, each in withheld.items() if each.freezes}
    return Context(
        cluster,
        lost_nodes(cluster),
        frozenset(n.name for n in cluster.nodes if n.maintenance),
        Reasons(view, cluster),
        cib,
        tickets,
    )


def because(
    kind: Kind,
    text: str,
    reason: Optional[Reason],
    *,
    about: Subject,
    resource: Optional[str] = None,
    nodes: tuple[str, ...] = (),
    tail: str = "",
) -> Finding:
    """A finding with its reason in the text, its word, and the step that ends it."""
    if reason is None:
        return finding(kind, about, text + tail, nodes=nodes, resource=resource)
    return finding(
        kind,
        about,
        text + reason.brackets + tail,
        nodes=(*nodes, *(each for each in reason.nodes if each not in nodes)),
        resource=resource,
        reason=reason.word,
        step=reason.step,
    )._replace(besides=reason.besides)


def on(primitive: Primitive) -> str:
    """`` on NODE``, for the end of a sentence."""
    return f" on {join(primitive.nodes)}" if primitive.nodes else ""


def instance_fault(
    context: Context,
    primitive: Primitive,
    *,
    name: str,
    disabled: bool = False,
    manage_said: bool = False,
    beside: tuple[str, ...] = (),
    around: Optional[Group] = None,
    ask: bool = True,
) -> Optional[Finding]:
    """The one finding of an instance, gravest first; ``None`` if it is as it should be.

    :param name: what to call it (``MYSQL``, or ``MYSQL of group1``).
    :param disabled: its group or clone is disabled.
    :param manage_said: that it is unmanaged is said elsewhere.
    :param beside: nodes where the rest of its group runs, *around* it.
    :param ask: whether the reason is asked for here; not where what is around it will ask.
    """
    role = primitive.role
    here = primitive.nodes

    def say(kind: Kind, text: str, state: Optional[State] = None, step: str = "") -> Finding:
        about = subject.resource(primitive.id)
        own = base_id(primitive.id)
        return finding(kind, about, text, state=state, nodes=here, resource=own, step=step)

    # A migration is on two nodes for a moment; a stop of what is active twice still is.
    if len(here) > 1 and role not in (Role.STOPPED, Role.MIGRATING):
        step = _stop_there(primitive, around)
        return say(MULTI_ACTIVE, f"{name} is active on {join(here)}", step=step)
    held = frozen_by(context, primitive)
    if held is not None:
        if not primitive.failed:
            return frozen(primitive.id, name, here, held)
        text = f"{name} failed{on(primitive)} and is not recovered: {_lost(held)} ({_FREEZE})"
        return say(FAILED, text, step=held.step)._replace(reason="ticket")
    if primitive.blocked:
        asked = disabled or context.stop_all or asks_for_stop(primitive.target_role)
        return _blocked(context, primitive, name, asked_to_stop=asked)
    if primitive.failure_ignored:
        own = base_id(primitive.id)
        look = f"on {here[0]}: " if here else ""
        look += f"does {own} work? journalctl -u pacemaker --grep {own}"
        step = f"{look}; then: crm_resource --cleanup -r {own}"
        failure = context.reasons.failed(primitive.id, here)
        what = f"{_what_failed(failure)}; " if failure is not None else ""
        text = f"a failure of {name}{on(primitive)} was ignored ({what}on-fail=ignore)"
        return say(IGNORED, text, step=step)
    if primitive.failed:
        to_fence = _failed(context, primitive, name)
        if to_fence is not None:
            return to_fence
        under_way = _recovery(context, primitive)
        if under_way is not None:
            return _recovering(context, primitive, name, under_way)
        undone = _undone(context, primitive, name)
        return undone if undone is not None else say(FAILED, f"{name} failed{on(primitive)}")
    if role is not Role.STOPPED and here and all(node in context.lost for node in here):
        if all(context.is_online(node) for node in here):
            text = f"{name} runs on {join(here)}, which is to be fenced"
            return say(ON_LOST_NODE, text, step="crm_mon -1 -m; crm_mon -1 -f")
        return say(ON_LOST_NODE, f"{name} is said to run on {join(here)}, which is lost")
    if primitive.orphaned:
        return _orphaned(context, primitive, name)
    if role in MOVING:
        asked = disabled or context.stop_all or asks_for_stop(primitive.target_role)
        tail = ", it is disabled" if role is Role.STOPPING and asked else ""
        tail += context.reasons.how_long(primitive.id, here, _TASKS.get(role, ""))
        return say(TRANSITION, f"{name} is {role.value.lower()}{on(primitive)}{tail}")
    if role is Role.STOPPED:
        if disabled or context.stop_all or asks_for_stop(primitive.target_role):
            return say(DISABLED, f"{name} is disabled")
        if primitive.managed is False:
            step = managed_again(context, base_id(primitive.id))
            kept = "" if is_maintained(context, primitive) else "unmanaged"
            text = f"{name} is stopped and unmanaged: nobody will start it"
            return say(STOPPED, text, step=step if kept else "")._replace(reason=kept)
        under_way = context.reasons.pending(primitive.id)
        if under_way is not None and ask:
            return transition(context, primitive.id, f"{name} {words_of(under_way)}", under_way)
        text = f"{name} is stopped"
        why = _why(context, primitive, beside, around) if ask else None
        return because(STOPPED, text, why, about=subject.resource(primitive.id))
    if role is Role.UNKNOWN:
        return say(STOPPED, f"the role of {name} is unknown", State.UNKNOWN)
    if primitive.managed is False and not manage_said and not is_maintained(context, primitive):
        step = managed_again(context, base_id(primitive.id))
        return say(UNMANAGED, f"{name} is unmanaged{on(primitive)}", step=step)
    return None


_TASKS = {
    Role.STARTING: "start",
    Role.STOPPING: "stop",
    Role.PROMOTING: "promote",
    Role.DEMOTING: "demote",
}
"""The operation behind a role that is a transition."""


def transition(context: Context, about: str, text: str, under_way: PendingOperation) -> Finding:
    """What the CIB has as under way, and for how long; the agent is that of the operation."""
    name = base_id(under_way.resource)
    lasts = context.reasons.how_long(name, (under_way.node,), under_way.task)
    return finding(
        TRANSITION, subject.resource(about), text + lasts, nodes=(under_way.node,), resource=name
    )


def _stop_there(primitive: Primitive, around: Optional[Group]) -> str:
    """Where to stop what is active twice: not where the rest of its group runs."""
    rest = around.members if around is not None else ()
    home = {node for each in rest if each.id != primitive.id for node in each.nodes}
    wrong = [node for node in primitive.nodes if node not in home]
    if around is None or len(home) != 1 or not wrong or len(wrong) == len(primitive.nodes):
        return ""
    own, (keep,) = pasted(base_id(primitive.id)), home
    return (
        f"on {join(wrong)}: stop {own} by hand (the rest of {around.id} runs on {keep}); then:"
        f" crm_resource --refresh -r {own}"
    )


_RECOVERIES = {
    "start": "is being started again",
    "stop": "is being stopped",
    "promote": "is being promoted again",
    "demote": "is being demoted",
}
_LATE = 10
"""Seconds; a controller that works has begun with a recovery well before."""


def _recovery(context: Context, primitive: Primitive) -> Optional[PendingOperation]:
    """What the CIB has as under way where it failed, and not for longer than that may take."""
    own = base_id(primitive.id)
    for each in context.cib.pending if context.cib is not None else ():
        if base_id(each.resource) == own and each.node in primitive.nodes:
            if each.task in _RECOVERIES and not context.reasons.is_overdue(each, _LATE):
                return each
    return None


def _recovering(
    context: Context, primitive: Primitive, name: str, under_way: PendingOperation
) -> Finding:
    """A failure that is being recovered from: a cleanup would only wait, or disturb that."""
    own, node, task = base_id(primitive.id), under_way.node, under_way.task
    lasts = context.reasons.how_long(own, (node,), task)
    failure = context.reasons.failed(primitive.id, (node,))
    what = f" ({_what_failed(failure)})" if failure is not None else ""
    ends = task in ("stop", "demote")
    text = (
        f"{name} failed on {node}{what} and {_RECOVERIES[task]}{lasts}"
        if ends
        else f"{name} {_RECOVERIES[task]} on {node}{lasts} after it failed{what}"
    )
    step = (
        f"wait, at most for the timeout of its {task}, without a cleanup; on {node}: journalctl -u"
        f" pacemaker --grep {own} tells what its agent says"
    )
    # What is only being stopped is not on its way up yet, and may hang in that.
    kind = FAILED if ends else TRANSITION
    return finding(kind, subject.resource(primitive.id), text, nodes=(node,), step=step)


def _undone(context: Context, primitive: Primitive, name: str) -> Optional[Finding]:
    """A failure that the designated controller has not answered, though nothing keeps it from it.

    Said only where nothing at all is under way, and nobody has to be fenced or waited for first.
    """
    cluster, cib = context.cluster, context.cib
    dc = cluster.summary.dc
    busy = any(n.unclean or n.pending or n.shutdown for n in cluster.nodes) or any(
        each.status is FenceStatus.PENDING for each in cluster.fence_events
    )
    if dc is None or not dc.with_quorum or cib is None or cib.pending or busy:
        return None
    if primitive.managed is not True or context.maintenance or primitive.role not in RUNNING:
        return None
    if any(node in context.quiet_nodes or node in context.lost for node in primitive.nodes):
        return None
    ago = context.reasons.unanswered(primitive.id, primitive.nodes)
    if ago is None or ago < _LATE or not dc.name:
        return None
    text = (
        f"{name} failed{on(primitive)} {duration(ago)} ago, and the DC {dc.name} has done nothing"
        " about it"
    )
    step = (
        f"before any cleanup, on {dc.name}: timeout 10 crmadmin -S {dc.name}; ps -C"
        " pacemaker-controld,pacemaker-schedulerd -o pid,stat,comm (T: stopped; a scheduler that"
        " hangs: kill -9 its pid, it is started again); journalctl -u pacemaker"
    )
    return _of(primitive, FAILED, text, "controller", step)


_FREEZE = "loss-policy=freeze"


def frozen_by(context: Context, primitive: Primitive) -> Optional[WithheldTicket]:
    """The ticket that was lost while this ran, and with which Pacemaker lets it run unattended."""
    if not (context.tickets and primitive.blocked and primitive.nodes):
        return None
    if context.reasons.failed_stop(primitive.id, primitive.nodes) is not None:
        return None
    own = base_id(primitive.id)
    around = context.cib.chain(own) if context.cib is not None else (own,)
    return next((context.tickets[each] for each in around if each in context.tickets), None)


def frozen(about: str, name: str, nodes: tuple[str, ...], held: WithheldTicket) -> Finding:
    """What runs without its ticket: nothing is wrong with it, and nobody minds it."""
    text = f"{_lost(held)}: {name} runs on {join(nodes)} frozen ({_FREEZE}), nothing is recovered"
    where = subject.resource(about)
    return finding(UNMANAGED, where, text, nodes=nodes, reason="ticket", step=held.step)


def _lost(held: WithheldTicket) -> str:
    """``ticket siteA was revoked``; when it was granted last is told beside the takeover."""
    return f"ticket {held.ticket} {held.how.partition(' (')[0]}"


def _orphaned(context: Context, primitive: Primitive, name: str) -> Finding:
    """Pacemaker stops an orphan by itself, unless it was told not to."""
    option = "stop-orphan-resources"
    cib = context.cib
    told = cib is not None and cib.properties.get(option, "").lower() in FALSE
    kept = f", and {option}=false leaves it running" if told and primitive.nodes else ""
    text = f"{name} is orphaned{on(primitive)}: not configured any more{kept}"
    step = (
        "Deleted by mistake? Put it back into the configuration. Meant: crm_attribute --name"
        f" {option} --delete (pcs property unset {option}), then Pacemaker stops it and every other"
        " orphan"
    )
    return finding(
        ORPHANED,
        subject.resource(primitive.id),
        text,
        nodes=primitive.nodes,
        resource=base_id(primitive.id),
        step=step if kept else "",
    )


def managed_again(context: Context, name: str) -> str:
    """How Pacemaker manages it again: two meta attributes ask for the opposite."""
    cib = context.cib
    for each in cib.chain(name) if cib is not None else ():
        one = cib.resources.get(each) if cib is not None else None
        if one is not None and one.meta.get("maintenance", "").lower() in TRUE:
            return f"{WHEN_DONE.capitalize()}: crm_resource -r {each} --meta -d maintenance"
    held = (cib.holder(name, "is-managed") if cib is not None else None) or name
    again = f"crm_resource -r {held} --meta -d is-managed (pcs resource manage {held})"
    return f"{WHEN_DONE.capitalize()}: {again}"


def _why(
    context: Context, primitive: Primitive, beside: tuple[str, ...], around: Optional[Group]
) -> Optional[Reason]:
    found = context.reasons.on(primitive, beside) if beside else None
    if found is None:
        return context.reasons.of(primitive, primitive.id)
    return found if around is None else context.reasons.beside(found, around, beside)


def _until_enabled(context: Context, name: str) -> str:
    """What asks for it to be stopped, for the end of a step: its own target-role or a group's."""
    if context.stop_all:
        return ""
    cib = context.cib
    for each in cib.chain(name) if cib is not None else (name,):
        one = cib.resources.get(each) if cib is not None else None
        if one is None or "target-role" in one.meta:
            return f"; it stays stopped until: {enabled_again(each)}"
    return ""


def _what_failed(failure: Failure) -> str:
    """``monitor: not running``."""
    return f"{failure.task}: {failure.exit_status or failure.status}"


def _blocked(context: Context, primitive: Primitive, name: str, *, asked_to_stop: bool) -> Finding:
    """What Pacemaker gave up on, with the stop that failed and how to do it by hand."""
    failed = "failed and blocked" if primitive.failed else "blocked"
    stop = context.reasons.failed_stop(primitive.id, primitive.nodes)
    other = None if stop is not None else context.reasons.failed(primitive.id, primitive.nodes)
    why = f" ({how_it_failed(stop)})" if stop is not None else ""
    past = f" ({_what_failed(other)})" if other is not None else ""
    text = f"{name} {failed}{on(primitive)}: Pacemaker gave up on it{why}{past}"
    stays = ""
    if stop is not None and asked_to_stop:
        fenced = context.cluster.summary.options.fencing_enabled
        off = ", and fencing is disabled" if fenced is False else ""
        how, colon, said = how_it_failed(stop).partition(": ")
        text = (
            f"{name} should stop (it is disabled), and its {how}{on(primitive)}{colon}{said};"
            f" Pacemaker gave up on it{off}"
        )
        stays = _until_enabled(context, base_id(primitive.id))
    step = ""
    if primitive.nodes and stop is not None:
        step = _by_hand(context, primitive) + stays
    elif primitive.nodes:
        own, node = base_id(primitive.id), primitive.nodes[0]
        step = f"on {node}: journalctl -u pacemaker --grep {own} tells why; fix that;"
        step += f" then: crm_resource --cleanup -r {own} -N {node}{stays}"
    return _of(primitive, BLOCKED, text, "failed-stop" if stop is not None else "", step)


def _of(primitive: Primitive, kind: Kind, text: str, reason: str, step: str) -> Finding:
    """What is said of an instance where it runs."""
    about, nodes = subject.resource(primitive.id), primitive.nodes
    return finding(kind, about, text, nodes=nodes, reason=reason, step=step)


def _by_hand(context: Context, primitive: Primitive) -> str:
    """How that is stopped which Pacemaker could not stop."""
    own, node = base_id(primitive.id), primitive.nodes[0]
    directory = context.reasons.directory(primitive.id)
    stopped = (
        f"fuser -vm {directory}; umount {directory}"
        if directory is not None
        else f"journalctl -u pacemaker --grep {own}; stop it by hand"
    )
    return f"on {node}: {stopped}; then: crm_resource --cleanup -r {own} -N {node}"


def _failed(context: Context, primitive: Primitive, name: str) -> Optional[Finding]:
    """What failed and could not be stopped, so that its node, which is there, is to be fenced."""
    stop = context.reasons.failed_stop(primitive.id, primitive.nodes)
    if stop is None or stop.node not in context.lost or not context.is_online(stop.node):
        return None
    why = how_it_failed(stop).removeprefix("stop failed: ").removeprefix("stop ")
    unfenced = context.reasons.unfenced(stop.node)
    text = f"{name} could not be stopped on {stop.node} ({why}); {stop.node} is to be fenced for"
    text += f" that, and {unfenced}" if unfenced else " that"
    step = _by_hand(context, primitive)
    if unfenced:
        step += f"; the device: stonith_admin --history {stop.node} --verbose"
    return _of(primitive, FAILED, text, "failed-stop", step)


def is_maintained(context: Context, primitive: Primitive) -> bool:
    """Whether a cluster or node maintenance explains that it is unmanaged."""
    return context.maintenance or (
        bool(primitive.nodes) and all(node in context.quiet_nodes for node in primitive.nodes)
    )
