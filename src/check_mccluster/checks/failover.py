"""If the active node dies now, who takes over?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..inputs.cibadmin import CIB
from ..inputs.corosync_quorumtool import VOTES
from ..inputs.crm_mon import CLUSTER
from ..inputs.drbdsetup_status import DRBD
from ..judge.candidates import may_host, reasons_against, wanted_exclusions
from ..judge.facts.drbd import copies, has_io, volume_name
from ..judge.facts.fencing import has_fence_device
from ..judge.facts.mapping import below, drbd_of
from ..judge.facts.pacemaker import MISSING, ids_of, is_disabled, is_service, select, where
from ..judge.facts.pacemaker import NONE as RESOURCES_NONE
from ..judge.facts.tickets import ticket_reasons
from ..judge.facts.votes import Tally, tally
from ..judge.limits import limited_state
from ..model.pacemaker import Cluster, Node, Resource
from ..verdict import subject
from ..verdict.check import Check, Option
from ..verdict.finding import Figure, Finding, Kind, Report, State, finding
from ..verdict.view import Asked, View, contains_node, same_node
from ..verdict.words import join

NO_CANDIDATE = Kind(
    "no-candidate",
    State.CRITICAL,
    "No node could take the resource if its node died now; or, if it is down, none could start it.",
    "crm_mon -1 -r -f -L; remove the reasons named: bring nodes back, crm_resource --cleanup,"
    " crm_resource --clear -r {resource}",
)
FEW = Kind(
    "candidates-low",
    State.WARNING,
    "Fewer nodes could take the resource than --candidates asks for.",
    "crm_mon -1 -r -f -L; remove the reasons named",
)
NOT_READY = Kind(
    "here-not-ready",
    State.WARNING,
    "This node is meant to be able to take the resource, and is not.",
    "Remove the reasons named: crm_mon -1 -r -f; drbdadm status",
)


class _Outlook(NamedTuple):
    """Who could take one resource.

    :param excluded: reasons by node, for those who could not.
    :param blocked: reasons that hold for every node.
    """

    resource: Resource
    active: tuple[str, ...]
    candidates: tuple[str, ...]
    excluded: dict[str, tuple[str, ...]]
    blocked: tuple[str, ...]
    disabled: bool


def _cluster_wide(
    view: View, cluster: Cluster, count: Tally, active: tuple[str, ...]
) -> Iterator[str]:
    """What keeps anything from being started anywhere."""
    if cluster.summary.dc is None:
        yield "no designated controller"
    elif count.quorate is False:
        yield "this partition has no quorum"
    elif any(count.survives_loss_of(n) is False for n in cluster.nodes if n.name in active):
        votes = f"{count.total} of {count.expected} votes"
        yield f"the quorum ends with the vote of {join(active)} ({votes}, {count.needed} needed)"
    if cluster.summary.options.maintenance_mode:
        yield "maintenance-mode"
    if cluster.summary.options.fencing_enabled and not has_fence_device(view):
        yield "fencing is enabled without a device"


def _drbd(view: View, resource: Resource, node: Node) -> Iterator[str]:
    """DRBD readiness: judged here in full, elsewhere by the connection alone."""
    for pair in below(view, resource):
        drbd = drbd_of(view, pair)
        if drbd is None:
            if view.is_here(node.name) and view[DRBD].value is not None:
                yield f"{pair.drbd or pair.device} is not up here"
            continue
        if view.is_here(node.name):
            for device in drbd.devices:
                if not has_io(view, drbd, device):
                    name = volume_name(drbd, device.volume)
                    no_copy = not copies(view, drbd, device).up_to_date
                    why = (
                        "has no quorum"
                        if device.quorum is False
                        else "has no UpToDate copy in reach"
                        if no_copy
                        else "is suspended"
                    )
                    yield f"{name} {why}"
            continue
        connection = next((c for c in drbd.connections if same_node(c.name, node.name)), None)
        if connection is not None and not connection.is_connected:
            yield f"{drbd.name} is not connected to it"


def _outlook(view: View, cluster: Cluster, count: Tally, resource: Resource) -> _Outlook:
    active = where(resource)
    excluded: dict[str, tuple[str, ...]] = {}
    candidates = []
    for node in cluster.nodes:
        if not may_host(node) or contains_node(active, node.name):
            continue
        reasons = (
            *reasons_against(view, cluster, resource, node),
            *(_drbd(view, resource, node) if node.online else ()),
        )
        if reasons:
            excluded[node.name] = reasons
        else:
            candidates.append(node.name)
    tickets = ticket_reasons(view, cluster)
    blocked = (
        *_cluster_wide(view, cluster, count, active),
        *(tickets[name] for name in sorted(ids_of(resource)) if name in tickets),
    )
    return _Outlook(
        resource,
        active,
        () if blocked else tuple(candidates),
        excluded,
        blocked,
        is_disabled(cluster, resource),
    )


def _reasons(outlook: _Outlook) -> str:
    if outlook.blocked:
        return "; ".join(outlook.blocked)
    return "; ".join(f"{node} {', '.join(why)}" for node, why in outlook.excluded.items())


def _findings(outlooks: list[_Outlook], asked: Asked) -> Iterator[Finding]:
    """Resources with the same outlook share one finding: it is one fault."""
    wanted = int(asked.values.get("candidates") or 1)
    together: dict[tuple[bool, int, str], list[_Outlook]] = {}
    for outlook in outlooks:
        if outlook.disabled and not outlook.active:
            continue
        key = (bool(outlook.active), len(outlook.candidates), _reasons(outlook))
        together.setdefault(key, []).append(outlook)
    for (active, number, why), same in together.items():
        state = limited_state(asked, number) if asked.has_limits else None
        if state is State.OK or (state is None and number >= wanted):
            continue
        names = join([outlook.resource.id for outlook in same], 2)
        task = "take" if active else "start"
        first = same[0]
        because = f": {why}" if why else ""
        nodes = tuple(first.excluded) if not first.blocked else ()
        if number == 0:
            text = f"no node could {task} {names}{because}"
            yield finding(
                NO_CANDIDATE, subject.resource(first.resource.id), text, state=state, nodes=nodes
            )
        else:
            of_wanted = "" if asked.has_limits else f" of {wanted}"
            text = f"{number}{of_wanted} candidates for {names}{because}"
            yield finding(FEW, subject.resource(first.resource.id), text, state=state, nodes=nodes)


def _here(view: View, cluster: Cluster, outlooks: list[_Outlook]) -> Iterator[Finding]:
    """This node's own unreadiness; not where a standing rule excludes it."""
    together: dict[tuple[str, ...], list[str]] = {}
    for outlook in outlooks:
        if outlook.disabled and not outlook.active:
            continue
        if contains_node(tuple(wanted_exclusions(view, cluster, outlook.resource)), view.node):
            continue
        reasons = next((why for node, why in outlook.excluded.items() if view.is_here(node)), None)
        if reasons:
            together.setdefault(reasons, []).append(outlook.resource.id)
    for reasons, names in together.items():
        text = f"{view.here} is not ready to take {join(names, 2)}: {', '.join(reasons)}"
        yield finding(
            NOT_READY, subject.node(view.here), text, nodes=(view.here,), resource=names[0]
        )


def _words(view: View, outlook: _Outlook) -> str:
    name = outlook.resource.id
    if outlook.disabled and not outlook.active:
        return f"{name} is disabled"
    takers = join(outlook.candidates) or "no node"
    if not outlook.active:
        return f"{name} could be started on {takers}"
    remote = [node for node in outlook.candidates if not view.is_here(node)]
    note = ""
    if remote and below(view, outlook.resource):
        note = " (DRBD there judged by its connection)"
    return f"{takers} could take {name} from {join(outlook.active)}{note}"


def judge(view: View, asked: Asked) -> Report:
    """The outlook of every group and single resource."""
    cluster = view[CLUSTER].value
    if cluster is None:
        return Report()
    count = tally(view)
    chosen = [resource for resource in select(cluster, asked.filter) if is_service(resource)]
    outlooks = [_outlook(view, cluster, count, resource) for resource in chosen]
    findings = list(_findings(outlooks, asked))
    findings += _here(view, cluster, outlooks)
    if any(below(view, resource) for resource in chosen):
        whole = view[DRBD].value is not None
        findings += [p for p in view[DRBD].problems if not whole or p.object == DRBD.name]
    living = [o for o in outlooks if not (o.disabled and not o.active)]
    fewest = min((len(o.candidates) for o in living or outlooks), default=None)
    words = [_words(view, outlook) for outlook in outlooks]
    able = sum(1 for outlook in outlooks if outlook.candidates)
    summary = words[0] if len(words) == 1 else f"{able} resources have a node to go to"
    return Report(
        tuple(findings),
        summary if words else "no group or single resource",
        (
            Figure("services", len(outlooks), minimum=0),
            Figure("candidates_min", fewest, minimum=0, limited=True),
        ),
        tuple(
            f"candidate for {o.resource.id}: {each}"
            for o in outlooks
            for each in (
                *o.candidates,
                *(f"not {node}: {', '.join(why)}" for node, why in o.excluded.items()),
            )
        ),
    )


CHECK = Check(
    name="failover",
    question="If the active node dies now, who takes over?",
    needs=(CLUSTER,),
    uses=(CIB, VOTES),
    hints=(DRBD,),
    rule=judge,
    kinds=(NO_CANDIDATE, FEW, NOT_READY, MISSING, RESOURCES_NONE),
    figures=(
        ("services", "groups and single resources"),
        ("candidates_min", "nodes that could take the resource that has the fewest"),
    ),
    options=(
        Option(
            "--candidates",
            "How many nodes should be able to take over.",
            "count",
            default=1,
            metavar="N",
        ),
    ),
    number="the nodes that could take each resource; the ranges replace the two findings",
    filters="pacemaker",
    example="check_mccluster failover -r group1",
)
