"""Is the cluster as a whole in order?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Optional

from ..inputs.crm_mon import CLUSTER, INSTALLED
from ..inputs.drbdsetup import DRBD
from ..inputs.every import every
from ..judge.both_ends import (
    CLIENT_DISPUTED,
    DIFFERS,
    DISK_DISPUTED,
    DISPUTED,
    INCOMPLETE,
    SPLIT_BRAIN,
    brought_back,
    clients,
    connections,
    copies,
    incomplete,
    lacks,
    options,
    primaries,
)
from ..judge.cluster_causes import CLUSTER_RULES
from ..judge.engine import with_severities
from ..judge.essence import essence
from ..judge.facts import drbd
from ..judge.facts.drbd import CONNECTING, ISOLATED, PRIMARY_MULTIPLE, PRIMARY_NONE, STANDALONE
from ..judge.facts.happened import since
from ..judge.faults import faults
from ..judge.hanging import with_daemons
from ..judge.mesh import links
from ..judge.partitions import Partition, corosync_differences, doing, partitions, running_in
from ..judge.whole import lost_quorum, named, told_by_all
from ..model.drbd import DrbdResource
from ..model.pacemaker import RUNNING, Role
from ..verdict import subject
from ..verdict.check import Check
from ..verdict.finding import Fault, Figure, Finding, Kind, Line, Report, State, finding
from ..verdict.view import Asked, Judgement, View
from ..verdict.words import join
from .nodes import VERSIONS_MIXED

UNASKED = Kind(
    "node-unasked",
    State.WARNING,
    "A node of the cluster or the mesh could not be asked: what only that node knows is missing.",
    "ssh {node} check_mccluster snapshot - > /dev/null; see docs/checks/cluster.md for the key",
)
PARTITIONED = Kind(
    "partitioned",
    State.CRITICAL,
    "The cluster is partitioned: its members exclude each other.",
    "corosync-cfgtool -s on both sides; bring the network between them back",
)
TWICE = Kind(
    "service-twice",
    State.CRITICAL,
    "Two partitions run the same service: its data is at risk.",
    "on {node}: stop the service by hand (pcs cluster stop --force), then fix the network",
)
STALE = Kind(
    "view-stale",
    State.WARNING,
    "A node's view of Pacemaker differs from its partition's: its daemons hang, or it was just"
    " cut off.",
    "on {node}: crm_mon -1; journalctl -u pacemaker",
)
CLOCKS = Kind(
    "clocks-differ",
    State.WARNING,
    "The clocks of two nodes differ by more than two seconds.",
    "on {node}: chronyc tracking (timedatectl)",
)

# -- Pacemaker ---------------------------------------------------------------------------------


def _apart(parts: Sequence[Partition]) -> Iterator[Finding]:
    """Partitions, and what runs in more than one."""
    if len(parts) < 2:
        return
    running = [running_in(part, _ACTIVE) for part in parts]
    for name in dict.fromkeys(name for part in parts for name in running_in(part)):
        nodes, *others = (where[name] for where in running if name in where)
        if others:
            elsewhere = tuple(node for nodes in others for node in nodes)
            text = f"{name} runs on {join(nodes)} and, in another partition, on {join(elsewhere)}"
            yield finding(TWICE, subject.resource(name), text, nodes=(*elsewhere, *nodes))
    words = []
    for part in parts:
        quorate = "quorate" if part.quorate else "no quorum"
        words.append(f"{{{', '.join(sorted(part.members))}}} {quorate}, {doing(part)}")
    members = tuple(sorted({name for part in parts for name in part.members}))
    text = f"the cluster is partitioned: {' and '.join(words)}"
    yield finding(PARTITIONED, subject.cluster("partitions"), text, nodes=members)


_ACTIVE = frozenset({*RUNNING, Role.STOPPING})


def _stale(parts: Sequence[Partition]) -> Iterator[Finding]:
    """Members of a partition whose picture is another than its speaker's, at the same time."""
    for part in parts:
        speaker = part.speaker.view
        truth = part.cluster
        for one in part.seen[1:]:
            cluster = one.view[CLUSTER].value
            if cluster is None or abs((one.view.time - speaker.time).total_seconds()) > _MOMENT:
                continue
            theirs = frozenset(node.name for node in cluster.nodes if node.online)
            dc, other = truth.summary.dc, cluster.summary.dc
            names = (dc and dc.name, other and other.name)
            if theirs == part.members and names[0] == names[1]:
                continue
            text = f"{one.view.here} counts {join(sorted(theirs)) or 'nobody'} as online"
            text += f", {speaker.here} {join(sorted(part.members))}"
            yield finding(STALE, subject.node(one.view.here), text, nodes=(one.view.here,))


_MOMENT = 2.0
"""Seconds; what was recorded further apart may differ because it moved."""


# -- what must be equal -------------------------------------------------------------------------


def _unequal(
    kind: Kind, name: str, what: str, by_value: Sequence[tuple[str, Sequence[str]]], step: str
) -> Finding:
    """What nodes have of one thing that all should have the same; the usual value first."""
    values = join([f"{value} on {join(nodes)}" for value, nodes in by_value], 3)
    odd = tuple(sorted(node for _, nodes in by_value[1:] for node in nodes))
    return finding(kind, subject.cluster(name), f"{what} is {values}", nodes=odd)._replace(
        next_step=step
    )


def _corosync_differs(seen: Sequence[Judgement]) -> Iterator[Finding]:
    """Values of Corosync that must be equal and are not."""
    for option, by_value in corosync_differences(seen):
        step = (
            "Make /etc/corosync/corosync.conf equal on all nodes (pcs cluster sync);"
            " then: corosync-cfgtool -R"
        )
        yield _unequal(DIFFERS, option, f"Corosync's {option}", by_value, step)


def _versions(seen: Sequence[Judgement]) -> Iterator[Finding]:
    """DRBD's kernel modules and drbd-utils that differ in more than the last number."""
    for name, what, step, version_of in _OF_DRBD:
        by_version: dict[str, list[str]] = {}
        for one in seen:
            version = version_of(one.view)
            if version is not None:
                short = ".".join(version.split(".")[:2])
                by_version.setdefault(short, []).append(one.view.here)
        if len(by_version) > 1:
            ordered = sorted(by_version.items(), key=lambda each: (-len(each[1]), each[0]))
            look = f"{step} on each; finish the upgrade"
            yield _unequal(VERSIONS_MIXED, name, what, ordered, look)


_OF_DRBD: tuple[tuple[str, str, str, Callable[[View], Optional[str]]], ...] = (
    (
        "drbd",
        "DRBD's kernel module",
        "cat /sys/module/drbd/version",
        lambda view: view.drbd_module,
    ),
    ("drbd-utils", "drbd-utils", "drbdadm --version", lambda view: view.drbd_utils),
)


# -- what nobody uses ---------------------------------------------------------------------------


def _unused(seen: Sequence[Judgement]) -> Iterator[Finding]:
    """Resources that are there to be used, and without a Primary.

    Where Pacemaker was asked, it says who should be Primary. Elsewhere the mesh does: beside three
    copies no vote needs a node without a disk, so several of those are there to use the data.
    """
    if any(one.view[INSTALLED].value is not False for one in seen):
        return
    yield from drbd.no_primary(
        sorted(
            {
                resource.name
                for one in seen
                for resource in one.view[DRBD].value or ()
                if _is_idle(one.view, resource)
            }
        )
    )


def _is_idle(view: View, resource: DrbdResource) -> bool:
    standing = drbd.primaries(view, resource)
    if not standing.complete or standing.names or not resource.devices:
        return False
    have = drbd.copies(view, resource, resource.devices[0])
    clients = 1 + len(resource.connections) - len(have.replicas)
    # An even number of copies needs a tie-breaker, an odd one does not.
    odd = len(have.replicas) in (3, 5, 7)
    return odd and clients >= 2 and not have.unknown


# -- all of it ---------------------------------------------------------------------------------


def together(
    seen: Sequence[Judgement],
    unasked: Mapping[str, str],
    asked: Asked,
    clocks: Mapping[str, float] = MappingProxyType({}),
) -> Report:
    """The report of several nodes as one cluster.

    :param seen: each node's own judgement, of all its checks.
    :param unasked: nodes that could not be asked, with the reason.
    :param asked: its severities hold.
    :param clocks: seconds by which a node's clock is off, where that is too much.
    """
    ordered = sorted(seen, key=lambda one: one.view.here)
    parts = partitions(ordered)
    view = _truth(ordered, parts)
    told = list(_of_asking(unasked, clocks))
    if len(ordered) == 1 and not unasked:
        # One node's view is the whole as far as it is known.
        found = [*told, *ordered[0].report.findings]
        roots = (*map(Fault, told), *ordered[0].report.faults)
    else:
        found = [*dict.fromkeys((*told, *_joined(ordered, parts)))]
        roots = faults(view, found, CLUSTER_RULES) if view is not None else ()
        told_so = [_unreached(each if view is None else named(view, each)) for each in roots]
        words = {old.cause: new.cause for old, new in zip(roots, told_so)}
        roots, found = tuple(told_so), [words.get(each, each) for each in found]
    everybody = tuple(one.view.here for one in ordered)
    # Of a resync a node tells that has it.
    views = (*([view] if view is not None else []), *(one.view for one in ordered))
    roots = tuple(
        f._replace(
            seen_from=_seen_from(f, ordered) or everybody,
            facts=next(filter(None, (since(each, f.cause) for each in views)), ()),
        )
        for f in roots
    )
    lines = tuple(Line(one.view.here, one.report.state, _own_words(one)) for one in ordered)
    report = with_severities(Report(tuple(found), faults=roots, lines=lines), asked.severities)
    total = len(ordered) + len(unasked)
    summary = f"{len(ordered)} of {total} nodes asked"
    if report.state is State.OK:
        summary += f": {essence(ordered, parts)}"  # nobody reads it beside a fault
    may_be_silent = asked.severities.get(UNASKED.key) is State.OK
    limit = "" if may_be_silent else f"{total}:"
    bad = sum(1 for fault in report.faults if fault.state is not State.OK)
    return report._replace(
        summary=summary,
        figures=(
            Figure("nodes_asked", len(ordered), minimum=0, maximum=total, warning=limit),
            Figure("faults", bad, minimum=0),
        ),
        looked_at=tuple(f"node {one.view.here}: {one.report.state.name}" for one in ordered),
    )


def _of_asking(unasked: Mapping[str, str], clocks: Mapping[str, float]) -> Iterator[Finding]:
    """What was noticed of the nodes while they were asked."""
    for name, why in sorted(unasked.items()):
        text = f"{name} could not be asked: {why}"
        yield finding(UNASKED, subject.node(name), text, nodes=(name,))
    for name, off in sorted(clocks.items()):
        text = f"the clock of {name} is {abs(off):.0f} s {'ahead' if off > 0 else 'behind'}"
        yield finding(CLOCKS, subject.node(name), text, nodes=(name,))


def _unreached(fault: Fault) -> Fault:
    """The fault of members to which no link is up, where they could not be asked either."""
    cause = fault.cause
    silent = {name for each in fault.follows if each.kind is UNASKED for name in each.nodes}
    if cause.key not in _LOST or "no link to" not in cause.text or not silent >= {*cause.nodes}:
        return fault
    who = "it" if len(cause.nodes) == 1 else join(sorted(cause.nodes))
    text = f"{cause.text}, nor does ssh reach {who}: off, or cut off"
    return fault._replace(cause=cause._replace(text=text))


_LOST = frozenset({"node-offline", "quorum-lost"})


def _joined(seen: Sequence[Judgement], parts: Sequence[Partition]) -> list[Finding]:
    """What the nodes say together."""
    all_links = links(seen)
    found = [*_apart(parts), *primaries(seen), *incomplete(seen, all_links)]
    found += connections(seen, [link for link in all_links if not lacks(seen, link)])
    found += options(seen, all_links, found)
    found += _corosync_differs(seen)
    found += _versions(seen)
    found += _unused(seen)
    found += copies(all_links)
    found += clients(seen, all_links)
    told = [brought_back(seen, all_links, each) for each in told_by_all(seen, parts)]
    found += with_daemons([*_quorum_of_drbd(seen, told)], seen, parts)
    found += _stale(parts)
    return found


def _seen_from(fault: Fault, seen: Sequence[Judgement]) -> tuple[str, ...]:
    """The nodes whose own evidence has what the fault is about."""
    keys = {fault.cause.key, *(each.key for each in fault.follows)}
    about = fault.cause.subject
    return tuple(
        one.view.here
        for one in seen
        if one.view.here in fault.cause.nodes
        or any(
            each.key in keys
            and (each.subject == about or {*each.nodes} & {*fault.cause.nodes} or not each.nodes)
            for each in one.report.findings
        )
    )


def _quorum_of_drbd(seen: Sequence[Judgement], found: Sequence[Finding]) -> Iterator[Finding]:
    """Quorum that some nodes lost is theirs; quorum that most lost is of who is missing."""
    lost = lost_quorum(seen)
    for each in found:
        losers = lost.get((each.key, each.subject), ())
        if losers:
            having = sum(
                1 for one in seen for r in one.view[DRBD].value or () if r.name == each.subject.name
            )
            yield each._replace(nodes=losers) if len(losers) * 2 <= having else each
        else:
            yield each


def _own_words(one: Judgement) -> str:
    """What the node says by itself: its gravest fault, else that all is well."""
    bad = next((fault for fault in one.report.faults if fault.state is not State.OK), None)
    return bad.text if bad is not None else one.report.summary or "in order"


def _truth(seen: Sequence[Judgement], parts: Sequence[Partition]) -> Optional[View]:
    """The view that Pacemaker's facts are looked up in."""
    if parts:
        return parts[0].speaker.view
    return seen[0].view if seen else None


def judge(view: View, asked: Asked) -> Report:
    """One node alone is the cluster as far as it is known."""
    from .overview import CHECK as OVERVIEW

    report = OVERVIEW.rule(view, asked._replace(values={}))
    return together((Judgement(view, report),), {}, asked)


CHECK = Check(
    name="cluster",
    question="Is the cluster as a whole in order?",
    needs=(),
    hints=every(),
    rule=judge,
    kinds=(
        UNASKED,
        PARTITIONED,
        TWICE,
        SPLIT_BRAIN,
        DISPUTED,
        DISK_DISPUTED,
        CLIENT_DISPUTED,
        DIFFERS,
        INCOMPLETE,
        STALE,
        CLOCKS,
        VERSIONS_MIXED,
        PRIMARY_MULTIPLE,
        PRIMARY_NONE,
        CONNECTING,
        STANDALONE,
        ISOLATED,
    ),
    figures=(
        ("nodes_asked", "nodes that were asked; the maximum is those that should have been"),
        ("faults", "faults that are reported"),
    ),
    example="check_mccluster cluster -v",
    several=True,
)
