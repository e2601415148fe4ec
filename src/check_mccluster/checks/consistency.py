"""Do DRBD and Pacemaker agree?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..inputs.cibadmin import CIB
from ..inputs.crm_mon import CLUSTER
from ..inputs.drbdsetup import DRBD, SHOW
from ..judge.facts.drbd import (
    PRIMARY_MULTIPLE,
    can_read,
    copies,
    has_io,
    primaries,
    two_primaries,
    volume_name,
)
from ..judge.facts.mapping import Pair, drbd_of, instances, pairs
from ..judge.facts.pacemaker import names_of, whereabouts
from ..model.drbd import Device, DrbdResource
from ..model.pacemaker import Cluster, Primitive, Role, base_id
from ..model.words import state_name
from ..verdict import subject
from ..verdict.check import Check
from ..verdict.finding import Figure, Finding, Kind, Report, State, finding
from ..verdict.problems import TOOL_MISSING
from ..verdict.view import Asked, View, contains_node
from ..verdict.words import join, pasted

ELSEWHERE = Kind(
    "primary-elsewhere",
    State.CRITICAL,
    "Pacemaker runs the Filesystem, or whatever uses DRBD, on one node, and the Primary is"
    " another.",
    "crm_mon -1 -r; drbdadm status {resource}; where Pacemaker does not run it on {node}, there:"
    " findmnt shows the mount, fuser -vm with its path who holds it: stop that, unmount, then:"
    " drbdadm secondary {resource}",
)
NO_PRIMARY = Kind(
    "started-without-primary",
    State.CRITICAL,
    "Pacemaker says Started, but no node is Primary: nothing is mounted there.",
    "on {node}: findmnt; drbdadm status {resource}; then let Pacemaker look again: crm_resource"
    " --refresh -r {object} -N {node}",
)
NO_IO = Kind(
    "started-without-io",
    State.CRITICAL,
    "Pacemaker says Started on this node, but DRBD here has lost quorum or has no data."
    " Pacemaker cannot see that.",
    "on {node}: check_mccluster drbd-quorum -v -r {resource} names what is missing",
)
NO_SERVICE = Kind(
    "primary-without-service",
    State.WARNING,
    "A node is Primary though Pacemaker runs the resource nowhere: mounted by hand, or a stop"
    " that hangs.",
    "on {node}: findmnt shows the mount, fuser -vm with its path who holds it; crm_mon -1 -r",
)
NO_MAPPING = Kind(
    "mapping-none",
    State.UNKNOWN,
    "Neither the CIB (a Filesystem on a DRBD device, an ocf:linbit:drbd resource) nor the"
    " configuration file says what uses DRBD.",
    "Set runs_with in [drbd.NAME] of the configuration file; 'check_mccluster topology' prints one",
)

_RUNS = (Role.STARTED, Role.PROMOTED)


def _role(pair: Pair) -> str:
    """The role in which Pacemaker has what uses the device."""
    return state_name(Role.PROMOTED if pair.resource == pair.promoter else Role.STARTED)


def _blind(view: View, cluster: Cluster, pair: Pair, resource: DrbdResource) -> Iterator[Finding]:
    """Started here, and DRBD here cannot do I/O."""
    around = sorted(names_of(view, cluster, pair.resource) - {pair.resource})
    what = f"{pair.resource} ({around[0]})" if around else pair.resource
    for device in resource.devices:
        if not has_io(view, resource, device):
            how = "is frozen" if resource.suspended else "fails"
            failed = any(
                each.failed and contains_node(each.nodes, view.here)
                for each in instances(view, cluster, pair.resource)
            )
            # What failed is stopped or recovered: Pacemaker has noticed.
            though = "" if failed else f", though {_role(pair)}"
            text = f"I/O of {what} {how} on {view.here}{though}: {_why(view, resource, device)}"
            yield finding(
                NO_IO,
                subject.resource(pair.resource),
                text,
                nodes=(view.here,),
                resource=resource.name,
                step="" if failed else _noticed(view, pair, resource),
            )
            return


def _noticed(view: View, pair: Pair, resource: DrbdResource) -> str:
    """What is missing, and that the monitor of a Filesystem as configured cannot notice."""
    cib = view[CIB].value
    one = cib.resources.get(pair.resource) if cib is not None else None
    if one is None or one.looks_deeper or not (one.agent or "").endswith(":Filesystem"):
        return ""
    return (
        f"on {view.here}: check_mccluster drbd-quorum -v -r {pasted(resource.name)} names what is"
        f" missing; the monitor of {pair.resource} needs OCF_CHECK_LEVEL=20 to notice"
    )


def _why(view: View, resource: DrbdResource, device: Device) -> str:
    name = volume_name(resource, device.volume)
    if device.quorum is False:
        return f"{name} has lost quorum here"
    have = copies(view, resource, device)
    if have.up_to_date and not can_read(view, resource, have):
        return f"{name} may be read from no copy in reach"
    if not have.up_to_date:
        return f"{name} has no UpToDate copy in reach"
    if resource.force_io_failures:
        return f"{resource.name} was made Secondary by force"
    return f"{resource.name} is suspended{' by hand' if resource.suspended_user else ''}"


def _runs_on(members: Sequence[Primitive]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(n for each in members if each.role in _RUNS for n in each.nodes))


def _running(
    view: View, cluster: Cluster, pair: Pair, nodes: tuple[str, ...]
) -> tuple[Pair, tuple[str, ...]]:
    """The pair and where it runs; Pacemaker may promote DRBD without what stands on it."""
    if not nodes and pair.promoter is not None:
        promoted = _runs_on(instances(view, cluster, pair.promoter))
        if promoted:
            return Pair(pair.promoter, pair.drbd, None, pair.promoter), promoted
    return pair, nodes


def _elsewhere(view: View, cluster: Cluster, pair: Pair) -> str:
    """Of what neither is started nor promoted: where it is all the same."""
    place = whereabouts(instances(view, cluster, pair.resource))
    return "is promoted nowhere" if place.startswith("runs on") else place


def _judge_one(
    view: View, cluster: Cluster, pair: Pair, nodes: tuple[str, ...], resource: DrbdResource
) -> Iterator[Finding]:
    seen = primaries(view, resource)
    multiple = two_primaries(view, resource, seen)
    if multiple is not None:
        yield multiple
    here = contains_node(nodes, view.node)
    if nodes and seen.names:
        if not all(contains_node(seen.names, node) for node in nodes):
            others = tuple(name for name in seen.names if not contains_node(nodes, name))
            others = others or seen.names
            runs = f"{pair.resource} runs on {join(nodes)}"
            text = f"{runs}, the Primary of {resource.name} is {join(others)}"
            yield finding(
                ELSEWHERE,
                subject.resource(pair.resource),
                text,
                nodes=others,
                resource=resource.name,
                step=_together(view, cluster, pair, nodes[0], others[0]),
            )
    elif nodes and (seen.complete or here):
        role = _role(pair)
        text = f"{pair.resource} is {role} on {join(nodes)}, and {resource.name} has no Primary"
        yield finding(
            NO_PRIMARY, subject.resource(pair.resource), text, nodes=nodes, resource=resource.name
        )
    elif not nodes and seen.names:
        who = join(seen.names)
        place = _elsewhere(view, cluster, pair)
        text = f"{who} is Primary of {resource.name}, and {pair.resource} {place}"
        yield finding(
            NO_SERVICE,
            subject.resource(pair.resource),
            text,
            nodes=seen.names,
            resource=resource.name,
        )
    if here:
        yield from _blind(view, cluster, pair, resource)


def _together(view: View, cluster: Cluster, pair: Pair, runs: str, primary: str) -> str:
    """How a mount comes back to where Pacemaker has it; empty for what is no Filesystem.

    By the device, wherever it is mounted: of a busy one the umount fails, and harms nothing.
    """
    cib = view[CIB].value
    mounts = [each for each in cib.filesystems if each.resource == pair.resource] if cib else []
    if not mounts:
        return ""
    device = pasted(mounts[0].device)
    own = pasted(pair.resource)
    failed = [each.resource for each in cluster.failures]
    failed += [past.resource for past in cluster.history if past.fail_count]
    # A cleanup does nothing where nothing failed: then Pacemaker has to look again.
    back = (
        f"crm_resource --cleanup -r {own}"
        if pair.resource in map(base_id, failed)
        else f"crm_resource --refresh -r {own} -N {runs}"
    )
    if cluster.summary.options.maintenance_mode:
        directory = mounts[0].directory
        back = (
            f"on {runs}: mount {device} {pasted(directory)}"
            if directory
            else f"on {runs}: mount it"
        )
    # What Pacemaker promotes it demotes by itself.
    demote = f"; drbdadm secondary {pasted(pair.drbd)}" if pair.drbd and not pair.promoter else ""
    return (
        f"on {primary}: findmnt {device}; fuser -vm {device} tells who uses it; where nothing has"
        f" to run there: umount {device}{demote}; then {back}"
    )


def _unmapped(
    view: View, asked: Asked, cluster: Cluster, all_pairs: tuple[Pair, ...]
) -> Iterator[Finding]:
    """Pairs that cannot be judged, and none at all."""
    if not all_pairs:
        if any(problem.kind is not TOOL_MISSING for problem in view[CIB].problems):
            return  # why nothing is known is said already
        names = f" for {', '.join(asked.filter.patterns)}" if asked.filter.patterns else ""
        text = f"nothing is known that uses DRBD{names}"
        yield finding(NO_MAPPING, subject.cluster("mapping"), text)
        return
    for pair in all_pairs:
        if not instances(view, cluster, pair.resource):
            text = f"{pair.resource} of the configuration file is not a resource of the cluster"
            yield finding(NO_MAPPING, subject.resource(pair.resource), text)
        elif view[DRBD].value is not None and drbd_of(view, pair) is None:
            what = pair.device or pair.drbd
            text = f"{pair.resource} uses {what}, which is not a DRBD resource that is up here"
            yield finding(NO_MAPPING, subject.resource(pair.resource), text)


def judge(view: View, asked: Asked) -> Report:
    """Each pair of a Filesystem resource and its DRBD resource."""
    cluster = view[CLUSTER].value
    if cluster is None:
        return Report()
    chosen = tuple(
        pair
        for pair in pairs(view)
        if asked.filter.wants(
            *names_of(view, cluster, pair.resource), *([pair.drbd] if pair.drbd else [])
        )
    )
    findings = list(_unmapped(view, asked, cluster, chosen)) if view[DRBD].value else []
    words = []
    for pair in chosen:
        members, resource = instances(view, cluster, pair.resource), drbd_of(view, pair)
        if not members or resource is None:
            continue
        which, nodes = _running(view, cluster, pair, _runs_on(members))
        findings += _judge_one(view, cluster, which, nodes, resource)
        words.append(_words(view, cluster, which, nodes, resource))
    return Report(
        tuple(findings),
        join(words, 2) or "nothing to compare",
        (
            Figure("pairs", len(chosen), minimum=0),
            Figure(
                "pairs_disagreeing",
                len({f.object for f in findings if f.kind is not NO_MAPPING}),
                minimum=0,
            ),
        ),
        tuple(f"pair {words_}" for words_ in words),
    )


def _words(
    view: View, cluster: Cluster, pair: Pair, nodes: tuple[str, ...], resource: DrbdResource
) -> str:
    seen = primaries(view, resource)
    if nodes and all(contains_node(seen.names, node) for node in nodes):
        return f"{pair.resource} runs and {resource.name} is Primary on {join(nodes)}"
    runs = f"runs on {join(nodes)}" if nodes else _elsewhere(view, cluster, pair)
    primary = f"Primary is {join(seen.names)}" if seen.names else "no Primary in sight"
    return f"{pair.resource} {runs}, {primary} ({resource.name})"


CHECK = Check(
    name="consistency",
    question="Do DRBD and Pacemaker agree?",
    needs=(CLUSTER, DRBD),
    uses=(CIB,),
    hints=(SHOW,),
    rule=judge,
    kinds=(ELSEWHERE, NO_PRIMARY, NO_IO, NO_SERVICE, PRIMARY_MULTIPLE, NO_MAPPING),
    figures=(
        ("pairs", "resources that use DRBD"),
        ("pairs_disagreeing", "those where the two systems do not agree"),
    ),
    filters="both",
    settings=("drbd",),
    example="check_mccluster consistency",
)
