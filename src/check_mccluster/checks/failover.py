"""If the active node dies now, who takes over?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Optional

from ..inputs.cibadmin import CIB
from ..inputs.corosync_quorumtool import VOTES
from ..inputs.crm_mon import CLUSTER
from ..inputs.crm_simulate import SIMULATIONS
from ..inputs.drbdsetup import DRBD, SHOW
from ..judge.candidates import Against, soonest
from ..judge.facts.pacemaker import MISSING, select
from ..judge.facts.pacemaker import NONE as RESOURCES_NONE
from ..judge.outlook import Futures, Outlook, here_is_excluded, services
from ..judge.single_point import SinglePoint, single_points
from ..model.pacemaker import Cluster
from ..verdict import subject
from ..verdict.check import SIMULATE, Check, Option
from ..verdict.finding import Figure, Finding, Kind, Lines, Report, State, finding
from ..verdict.view import Asked, View
from ..verdict.words import counted, join

NO_CANDIDATE = Kind(
    "no-candidate",
    State.CRITICAL,
    "No node could take the resource if its node died now; if it is down, none could start it."
    " No finding where it has one node by design: in a cluster of one, or pinned by standing"
    " rules.",
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
_WITHOUT_DRBD = "Remove the reasons named: crm_mon -1 -r -f"
SINGLE_POINT = Kind(
    "single-point",
    State.WARNING,
    "The loss of one node, other than the active one, would end a service although nothing is"
    " missing now. No finding where there is only one replica by design.",
    "check_mccluster whatif --down {object}; add a replica, a tie-breaker or a vote",
)
BY_RULES = "judged without Pacemaker's scheduler"


def _with_reason(one: Finding, reason: Optional[Against]) -> Finding:
    """The finding with the word of its reason, and the step that ends that where it has a name."""
    if reason is None:
        return one
    return one._replace(next_step=reason.step or one.next_step, reason=reason.word)


def _findings(outlooks: list[Outlook], asked: Asked) -> Iterator[Finding]:
    """Resources with the same outlook share one finding: it is one fault."""
    wanted = int(asked.values.get("candidates") or 1)
    together: dict[tuple[bool, int, str], list[Outlook]] = {}
    for outlook in outlooks:
        if outlook.is_off or outlook.pinned:
            continue
        key = (bool(outlook.active), len(outlook.candidates), outlook.why)
        together.setdefault(key, []).append(outlook)
    for (active, number, why), same in together.items():
        state = asked.limited_state(number) if asked.has_limits else None
        if state is State.OK or (state is None and number >= wanted):
            continue
        names = join([outlook.resource.id for outlook in same], 2)
        task = "take" if active else "start"
        first = same[0]
        about = subject.resource(first.resource.id)
        because = f": {why}" if why else ""
        nodes = tuple(first.excluded) if not first.blocked else ()
        if state is None and first.on_purpose:
            state = State.WARNING
        if number == 0:
            text = f"no node could {task} {names}{because}"
            one = finding(NO_CANDIDATE, about, text, state=state, nodes=nodes)
            one = one._replace(
                besides=tuple(
                    (each.word, node, each.about)
                    for node, why in first.excluded.items()
                    for each in why
                )
            )
        else:
            of_wanted = "" if asked.has_limits else f" of {wanted}"
            text = f"{number}{of_wanted} candidates for {names}{because}"
            one = finding(FEW, about, text, state=state, nodes=nodes)
        yield _with_reason(one, first.first)


def _here(futures: Futures, cluster: Cluster, outlooks: list[Outlook]) -> Iterator[Finding]:
    """This node's own unreadiness; not where a standing rule excludes it."""
    view = futures.view
    together: dict[tuple[str, ...], list[Outlook]] = {}
    for outlook in outlooks:
        reasons = next((why for node, why in outlook.excluded.items() if view.is_here(node)), ())
        if reasons and not outlook.is_off and not here_is_excluded(view, cluster, outlook.resource):
            together.setdefault(tuple(each.text for each in reasons), []).append(outlook)
    for texts, same in together.items():
        names = join([outlook.resource.id for outlook in same], 2)
        text = f"{view.here} is not ready to take {names}: {', '.join(texts)}"
        first = same[0]
        one = finding(
            NOT_READY,
            subject.node(view.here),
            text,
            nodes=(view.here,),
            resource=first.resource.id,
            step="" if futures.pairs.below(first.resource) else _WITHOUT_DRBD,
        )
        reasons = next(why for node, why in first.excluded.items() if view.is_here(node))
        yield _with_reason(one, soonest(reasons))


def _points(points: Sequence[SinglePoint]) -> Iterator[Finding]:
    for point in points:
        names = join(point.services, 2)
        text = f"the loss of {point.node} would end {names}: {point.why}"
        yield finding(SINGLE_POINT, subject.node(point.node), text, nodes=(point.node,))


def _words(futures: Futures, outlook: Outlook) -> str:
    view = futures.view
    name = outlook.resource.id
    if outlook.is_off:
        return f"{name} is disabled"
    takers = join(outlook.candidates) or "no node"
    if not outlook.active:
        return f"{name} could be started on {takers}"
    if outlook.pinned and not outlook.candidates:
        return f"{name} has no other node than {join(outlook.active)} by design"
    note = ""
    if any(not view.is_here(node) for node in outlook.candidates):
        if futures.pairs.below(outlook.resource):
            note += " (DRBD there judged by its connection)"
    if outlook.candidates and not outlook.scheduled:
        note += f" ({BY_RULES})"
    return f"{takers} could take {name} from {join(outlook.active)}{note}"


def _summary(futures: Futures, outlooks: list[Outlook]) -> str:
    if not outlooks:
        return "no group or single resource"
    if len(outlooks) == 1:
        return _words(futures, outlooks[0])
    able = [outlook for outlook in outlooks if outlook.candidates]
    pinned = sum(1 for outlook in outlooks if outlook.pinned and not outlook.candidates)
    by_rules = any(outlook.active and not outlook.scheduled for outlook in able)
    note = f" ({BY_RULES})" if by_rules else ""
    if pinned and not able:
        return f"{counted(pinned, 'resource')} with one node by design"
    apart = f", {pinned} with one node by design" if pinned else ""
    have = "1 resource has" if len(able) == 1 else f"{len(able)} resources have"
    return f"{have} a node to go to{apart}{note}"


def _looked_at(futures: Futures, outlook: Outlook) -> Iterator[str]:
    name = outlook.resource.id
    for node in outlook.candidates:
        yield f"candidate for {name}: {node}"
    for node, reasons in outlook.excluded.items():
        yield f"candidate for {name}: not {node}: {', '.join(each.text for each in reasons)}"
    if outlook.active and outlook.scheduled:
        yield f"{name} judged by Pacemaker's scheduler"
    elif outlook.active:
        why = futures.unasked(outlook.lost)
        yield f"{name} {BY_RULES}{f': {why}' if why else ''}"


def judge(view: View, asked: Asked) -> Report:
    """The outlook of every service."""
    cluster = view[CLUSTER].value
    if cluster is None:
        return Report()
    cib = view[CIB].value
    futures = Futures(view, cluster, cib, view[SIMULATIONS].value)
    chosen = services(cib, select(cluster, asked.filter))
    outlooks = [futures.of(resource) for resource in chosen]
    findings = list(_findings(outlooks, asked))
    findings += _here(futures, cluster, outlooks)
    findings += _points(single_points(futures, outlooks))
    if any(futures.pairs.below(resource) for resource in chosen):
        whole = view[DRBD].value is not None
        findings += [p for p in view[DRBD].problems if not whole or p.object == DRBD.name]
    wanted = int(asked.values.get("candidates") or 1)
    # A service that is off, pinned or stopped on purpose needs no other node.
    decides = not any(each.is_off or each.pinned or each.on_purpose for each in outlooks)
    counted = [each for each in outlooks if not each.is_off and not each.pinned] or outlooks
    return Report(
        tuple(findings),
        _summary(futures, outlooks),
        (
            Figure("services", len(outlooks), minimum=0),
            Figure(
                "candidates_min",
                min((len(each.candidates) for each in counted), default=None),
                minimum=0,
                limited=True,
                warning=f"{wanted}:" if decides else "",
                critical="1:" if decides else "",
            ),
        ),
        Lines(lambda: (line for outlook in outlooks for line in _looked_at(futures, outlook))),
    )


CHECK = Check(
    name="failover",
    question="If the active node dies now, who takes over?",
    needs=(CLUSTER,),
    uses=(CIB, VOTES),
    hints=(DRBD, SHOW, SIMULATIONS),
    rule=judge,
    kinds=(NO_CANDIDATE, FEW, NOT_READY, SINGLE_POINT, MISSING, RESOURCES_NONE),
    figures=(
        ("services", "groups, single resources, and promotable clones that carry none of them"),
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
        SIMULATE,
    ),
    number="the nodes that could take each resource; the ranges replace the two findings",
    filters="pacemaker",
    settings=("pacemaker", "drbd"),
    example="check_mccluster failover -r group1",
)
