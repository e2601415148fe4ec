"""Does the service run where it may?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Optional

from ..inputs.cibadmin import CIB
from ..inputs.crm_mon import CLUSTER
from ..inputs.drbdsetup import DRBD
from ..judge.candidates import ban_ends, ban_gone, reasons_against, rule_of
from ..judge.facts.mapping import managed_drbd
from ..judge.facts.pacemaker import (
    MISSING,
    NOT_RUNNING,
    has_quorum,
    is_disabled,
    is_service,
    select,
    where,
    whereabouts,
)
from ..judge.facts.pacemaker import NONE as RESOURCES_NONE
from ..model.drbd import DiskState
from ..model.pacemaker import (
    FENCE_HANDLER,
    RUNNING,
    Ban,
    Cib,
    Cluster,
    Group,
    Resource,
    Role,
    asks_for_stop,
    ids_of,
    primitives,
)
from ..verdict import subject
from ..verdict.check import Check
from ..verdict.finding import Figure, Finding, Kind, Report, State, finding
from ..verdict.view import Asked, View, contains_node, same_node
from ..verdict.words import STOP_ALL_OVER, constraint_gone, enabled_again, join, pasted

if TYPE_CHECKING:
    from ..judge.reasons import Reasons

FORBIDDEN = Kind(
    "placed-forbidden",
    State.CRITICAL,
    "A resource runs on a node that a standing rule or the configuration file excludes, such as"
    " the tie-breaker.",
    "crm_resource --move -r {resource} (then --clear); see why the rule did not hold:"
    " crm_mon -1 -L",
)
UNLISTED = Kind(
    "placed-unlisted",
    State.CRITICAL,
    "A resource runs on a node outside its allowed list in the configuration file.",
    "crm_resource --move -r {resource} (then --clear), or correct the list",
)
UNPREFERRED = Kind(
    "placed-unpreferred",
    State.WARNING,
    "The resource does not run on its preferred node, which could run it.",
    "In a quiet hour: crm_resource --move -r {resource} --node {node}, then --clear",
)
SPLIT = Kind(
    "group-split",
    State.CRITICAL,
    "Members of one group run on different nodes.",
    "crm_mon -1; let Pacemaker look again: crm_resource --refresh -r {resource}; what it leaves"
    " running stop there by hand (disabling {resource} would stop all of it)",
)
BAN = Kind(
    "leftover-ban",
    State.WARNING,
    "A manual move or ban left a constraint behind that keeps the resource from a node.",
    "crm_resource --clear -r {resource} (pcs resource clear {resource})",
)
PREFER = Kind(
    "leftover-prefer",
    State.WARNING,
    "A manual move left a constraint behind that pulls the resource to a node.",
    "crm_resource --clear -r {resource} (pcs resource clear {resource})",
)
FENCE_LEFT = Kind(
    "leftover-fence",
    State.WARNING,
    "DRBD's fence handler set a constraint that forbids promotion, and did not remove it when"
    " the peer was UpToDate again. While the peer is not UpToDate the constraint is in force,"
    " and no finding.",
    "drbdadm status; once every disk is UpToDate: pcs constraint delete ID (crm configure delete"
    " ID)",
)
UNPROTECTED = Kind(
    "tie-breaker-unprotected",
    State.WARNING,
    "No standing -INFINITY rule keeps a resource from a tie-breaker of the configuration file.",
    "pcs constraint location {resource} avoids {node} (a ban by hand would be a leftover)",
)


def _standing(cluster: Cluster, resource: Resource, node: str) -> Optional[Ban]:
    """The standing -INFINITY rule that excludes *node*, if there is one."""
    ids = ids_of(resource)
    promoted = any(p.role is Role.PROMOTED and node in p.nodes for p in primitives(resource))
    return next(
        (
            ban
            for ban in cluster.bans
            if ban.is_infinite
            and not ban.is_leftover
            and ban.resource in ids
            and same_node(ban.node, node)
            and (promoted or not ban.promoted_only)
        ),
        None,
    )


def _placed(view: View, cluster: Cluster, resource: Resource) -> Iterator[Finding]:
    """Each node where *resource* runs, against the rules and the file."""
    name = resource.id
    rule = view.config.resources.get(name)
    nodes = where(resource)
    for node in nodes:
        ban = _standing(cluster, resource, node)
        tie_breaker = is_service(resource) and contains_node(view.config.tie_breakers, node)
        if ban is not None or tie_breaker:
            why = ban.id if ban is not None else "it is a tie-breaker"
            text = f"{name} runs on {node}, which is forbidden ({why})"
            yield finding(FORBIDDEN, subject.resource(name), text, nodes=(node,))
        elif rule is not None and rule.allowed is not None:
            if not contains_node(rule.allowed, node):
                text = f"{name} runs on {node}, allowed: {join(rule.allowed)}"
                yield finding(UNLISTED, subject.resource(name), text, nodes=(node,))
    managed = not cluster.summary.options.maintenance_mode and has_quorum(cluster) is not False
    if rule is not None and rule.preferred is not None and nodes and managed:
        home = next((n for n in cluster.nodes if same_node(n.name, rule.preferred)), None)
        if home is not None and not contains_node(nodes, home.name):
            if not reasons_against(view, cluster, resource, home):
                text = f"{name} runs on {join(nodes)}, its preferred {home.name} could run it"
                yield finding(UNPREFERRED, subject.resource(name), text, nodes=(home.name,))


def _running(
    cluster: Cluster, resource: Resource, reasons: Callable[[], Reasons]
) -> Iterator[Finding]:
    """Groups and single resources have one place; clones and bundles have not."""
    if not is_service(resource):
        return
    nodes = where(resource)
    if not nodes and not any(p.role is not Role.STOPPED for p in primitives(resource)):
        disabled = is_disabled(cluster, resource)
        if disabled:
            why = ", on purpose"
        elif has_quorum(cluster) is False:
            why = ": this partition has no quorum"
        else:
            why = ""
        text = f"{resource.id} runs nowhere{why}"
        state = State.WARNING if disabled else None
        step = _what_ends_it(cluster, resource, reasons, disabled=disabled)
        yield finding(NOT_RUNNING, subject.resource(resource.id), text, state=state, step=step)
    elif isinstance(resource, Group) and len(nodes) > 1:
        text = f"{resource.id} is split over {join(nodes)}"
        yield finding(SPLIT, subject.resource(resource.id), text, nodes=nodes)


def _what_ends_it(
    cluster: Cluster, resource: Resource, reasons: Callable[[], Reasons], *, disabled: bool
) -> str:
    """The step of the reason why it does not run; empty where none is known."""
    if disabled:
        all_of_them = cluster.summary.options.stop_all_resources
        again = STOP_ALL_OVER if all_of_them else enabled_again(resource.id)
        return f"To run it again: {again}"
    first = next(
        (each for each in primitives(resource) if not asks_for_stop(each.target_role)), None
    )
    why = reasons().of(resource, first.id) if first is not None else None
    return why.step if why is not None else ""


def _bans(cib: Optional[Cib], name: str, bans: Sequence[Ban], *, promoted: bool) -> Finding:
    """Bans by hand of one resource, from however many nodes: one command ends all of them."""
    nodes = tuple(sorted({ban.node for ban in bans}))
    what = f"to promote {name} on" if promoted else f"{name} from"
    ends = list(dict.fromkeys(filter(None, (ban_ends(cib, ban) for ban in bans))))
    until = f" until {join(ends)}" if ends else ""
    if len(bans) == 1:
        located, _ = rule_of(cib, bans[0].id)
        text = f"{located} {'forbids' if promoted else 'keeps'} {what} {join(nodes)}{until}"
        step = ban_gone(bans[0])
    else:
        text = f"leftover bans {'forbid' if promoted else 'keep'} {what} {join(nodes)}{until}"
        step = f"crm_resource --clear -r {pasted(name)} (pcs resource clear {pasted(name)})"
    return finding(BAN, subject.resource(name), text, nodes=nodes, reason="ban", step=step)


def _leftovers(view: View, cluster: Cluster, wanted: frozenset[str]) -> Iterator[Finding]:
    cib = view[CIB].value
    together: dict[tuple[str, bool], list[Ban]] = {}
    for ban in cluster.bans:
        if ban.is_leftover and ban.resource in wanted:
            together.setdefault((ban.resource, bool(ban.promoted_only)), []).append(ban)
    for (name, promoted), bans in together.items():
        yield _bans(cib, name, bans, promoted=promoted)
    if cib is None:
        return
    for location in cib.locations:
        if location.is_leftover_prefer and location.resource in wanted:
            where_to = f" to {location.node}" if location.node else ""
            text = f"{location.id} draws {location.resource}{where_to}"
            yield finding(PREFER, subject.resource(location.resource or ""), text)


def fence_constraints(view: View, cluster: Cluster, wanted: frozenset[str]) -> dict[str, str]:
    """Constraints of DRBD's fence handlers about *wanted*, with the resource that they bind."""
    cib = view[CIB].value
    found: dict[str, str] = {}
    for location in cib.locations if cib is not None else ():
        if location.id.startswith(FENCE_HANDLER) and location.resource in wanted:
            found[location.id] = location.resource or ""
    if cib is None:  # crm_mon names the rule, not the constraint
        for ban in cluster.bans:
            if ban.id.startswith(FENCE_HANDLER) and ban.resource in wanted:
                found[ban.id.replace("-rule-", "-")] = ban.resource
    return found


def _fences(view: View, cluster: Cluster, constraints: dict[str, str]) -> Iterator[Finding]:
    for name, bound in constraints.items():
        whole = _mesh_is_whole(view, cluster, bound)
        if whole is False:
            continue
        text = (
            f"{name} was left behind: it forbids to promote {bound}, and every disk is UpToDate"
            if whole
            else f"{name} forbids to promote {bound} until the peer's disk is UpToDate"
        )
        step = (
            constraint_gone(name)
            if whole
            else f"drbdadm status; once every disk is UpToDate: {constraint_gone(name)}"
        )
        yield finding(FENCE_LEFT, subject.resource(bound), text, reason="fence-handler", step=step)


def _mesh_is_whole(view: View, cluster: Cluster, bound: str) -> Optional[bool]:
    """Whether every disk of the DRBD resource that *bound* manages is seen UpToDate from here.

    A word that nobody knows says neither, nor does a resource that has no peer in this cluster: it
    is of another one, with the same name.
    """
    cib, resources = view[CIB].value, view[DRBD].value
    managed = managed_drbd(cib) if cib is not None else {}
    names = {drbd for primitive, drbd in managed.items() if cib and bound in cib.chain(primitive)}
    mine = [each for each in resources or () if each.name in names]
    nodes = tuple(node.name for node in cluster.nodes)
    if not mine or any(
        each.unrecognised or not any(contains_node(nodes, peer.name) for peer in each.connections)
        for each in mine
    ):
        return None
    return all(
        all(device.disk_state is DiskState.UP_TO_DATE for device in each.devices)
        and all(
            connection.is_connected
            and all(
                peer.peer_disk_state is DiskState.UP_TO_DATE or peer.peer_client
                for peer in connection.peer_devices
            )
            for connection in each.connections
        )
        for each in mine
    )


def _unprotected(view: View, cluster: Cluster, chosen: tuple[Resource, ...]) -> Iterator[Finding]:
    """A tie-breaker by agreement only. In an opt-in cluster nothing runs anywhere by default."""
    if cluster.summary.options.symmetric is False:
        return
    for name in view.config.tie_breakers:
        node = next((n.name for n in cluster.nodes if same_node(n.name, name)), None)
        if node is None:
            continue
        open_to = [
            resource.id
            for resource in chosen
            if is_service(resource) and _standing(cluster, resource, node) is None
        ]
        if open_to:
            text = f"no standing rule keeps {join(open_to)} from the tie-breaker {node}"
            yield finding(UNPROTECTED, subject.node(node), text, nodes=(node,), resource=open_to[0])


def _in_part(resource: Resource) -> str:
    """`` (1 of 5 members)``: what is said to run somewhere, and does not as a whole."""
    members = tuple(primitives(resource))
    running = sum(1 for each in members if each.role in RUNNING)
    return f" ({running} of {len(members)} members)" if 0 < running < len(members) else ""


def judge(view: View, asked: Asked) -> Report:
    """Where each resource runs, against every rule that says where it may."""
    cluster = view[CLUSTER].value
    if cluster is None:
        return Report()
    chosen = tuple(
        r for r in select(cluster, asked.filter) if not all(p.orphaned for p in primitives(r))
    )
    wanted = frozenset().union(*(ids_of(resource) for resource in chosen))
    findings: list[Finding] = []

    @cache
    def reasons() -> Reasons:
        from ..judge.reasons import Reasons  # where all runs nobody asks

        return Reasons(view, cluster)

    for resource in chosen:
        findings += _placed(view, cluster, resource)
        findings += _running(cluster, resource, reasons)
    findings += _leftovers(view, cluster, wanted)
    constraints = fence_constraints(view, cluster, wanted)
    findings += _fences(view, cluster, constraints)
    findings += _unprotected(view, cluster, chosen)
    services = [resource for resource in chosen if is_service(resource)]
    in_force = [
        name for name, bound in constraints.items() if _mesh_is_whole(view, cluster, bound) is False
    ]
    fences = f"; {join(in_force)} in force: a disk is not UpToDate" if in_force else ""
    placed = [f"{s.id} {whereabouts(s)}{_in_part(s)}" for s in services if where(s)]
    return Report(
        tuple(findings),
        (join(placed) if placed else "no group or single resource to place") + fences,
        (
            Figure("services", len(services), minimum=0),
            Figure("services_running", len(placed), minimum=0, maximum=len(services)),
            Figure(
                "leftover_constraints",
                sum(1 for each in findings if each.kind in (BAN, PREFER)),
                minimum=0,
                warning="0",
            ),
        ),
        tuple(f"{r.id}: {join(where(r)) or 'nowhere'}" for r in chosen),
    )


CHECK = Check(
    name="placement",
    question="Does the service run where it may?",
    needs=(CLUSTER,),
    uses=(CIB,),
    hints=(DRBD,),
    rule=judge,
    kinds=(
        FORBIDDEN,
        UNLISTED,
        UNPREFERRED,
        SPLIT,
        NOT_RUNNING,
        BAN,
        PREFER,
        FENCE_LEFT,
        UNPROTECTED,
        MISSING,
        RESOURCES_NONE,
    ),
    figures=(
        ("services", "groups and single resources"),
        ("services_running", "those that run somewhere"),
        ("leftover_constraints", "cli-ban and cli-prefer constraints"),
    ),
    filters="pacemaker",
    settings=("pacemaker",),
    example="check_mccluster placement -r group1",
)
