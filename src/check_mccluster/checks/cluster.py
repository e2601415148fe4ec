"""Is the cluster as a whole in order?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Optional

from ..inputs.crm_mon import CLUSTER
from ..inputs.drbdsetup_status import DRBD
from ..inputs.every import every
from ..judge.causes import Equal, faults, more, rule
from ..judge.essence import essence
from ..judge.facts.drbd import PRIMARY_MULTIPLE, shown
from ..judge.mesh import Link, differences, different_options, disk_at, have_diverged, links
from ..judge.partitions import Partition, corosync_differences, partitions, running_in
from ..judge.whole import is_asked, lost_quorum, told_by_all
from ..model.drbd import DiskState, ReplicationState
from ..model.drbd import Role as DrbdRole
from ..model.pacemaker import RUNNING, Role
from ..verdict import subject
from ..verdict.check import Check
from ..verdict.finding import Fault, Figure, Finding, Kind, Line, Report, State, finding
from ..verdict.view import Asked, Judgement, View, same_node
from ..verdict.words import join
from .drbd_mesh import CONNECTING, ISOLATED, STANDALONE
from .nodes import VERSIONS_MIXED

UNASKED = Kind(
    "node-unasked",
    State.WARNING,
    "A node of the cluster or the mesh could not be asked: what only it knows is not known.",
    "ssh {node} check_mccluster snapshot - > /dev/null; see docs/checks/cluster.md for the key",
)
PARTITIONED = Kind(
    "partitioned",
    State.CRITICAL,
    "Members of the cluster exclude each other: it has fallen apart.",
    "corosync-cfgtool -s on both sides; bring the network between them back",
)
TWICE = Kind(
    "service-twice",
    State.CRITICAL,
    "Two partitions run the same service: its data are in danger.",
    "on {node}: stop the service by hand (pcs cluster stop --force), then mend the network",
)
SPLIT_BRAIN = Kind(
    "split-brain",
    State.CRITICAL,
    "Two copies have diverged: each end has blocks that the other has not.",
    "Compare both copies: which is newer is not known from here. On the one to be given up (the"
    " victim): drbdadm disconnect {resource}; drbdadm secondary {resource}; drbdadm connect"
    " --discard-my-data {resource}; then on the other: drbdadm connect {resource}",
)
DISPUTED = Kind(
    "connection-disputed",
    State.WARNING,
    "One end of a connection says Connected, and the other does not.",
    "on both ends: drbdadm status {resource}; if it stays so: drbdadm disconnect {resource} and"
    " drbdadm connect {resource} on one end",
)
DISK_DISPUTED = Kind(
    "disk-disputed",
    State.WARNING,
    "A node calls its disk UpToDate, and a connected peer says or counts otherwise.",
    "on {node}: drbdadm disconnect {resource}; drbdadm connect {resource}; then look at the"
    " blocks out of sync",
)
CLIENT_DISPUTED = Kind(
    "client-disputed",
    State.CRITICAL,
    "A node says that it is an intended client, and its peers keep a bitmap for its disk.",
    "on {node}: drbdadm dump {resource}; if it has a disk: drbdadm attach {resource}",
)
DIFFERS = Kind(
    "config-differs",
    State.WARNING,
    "An option that must be equal at both ends of a connection, or on all nodes, is not.",
    "Make the section equal in {resource}'s file on both nodes; then on both: drbdadm adjust"
    " {resource}",
)
INCOMPLETE = Kind(
    "mesh-incomplete",
    State.CRITICAL,
    "A node does not have the resource, or not the peer, that the others connect to.",
    "on {node}: drbdadm dump {resource}; drbdadm up {resource}",
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

_PACEMAKERS = (
    "dc-missing node-offline node-unclean node-pending quorum-lost quorum-margin peer-unreachable"
    " link-down resource-stopped resource-transition resource-on-lost-node clone-down"
    " clone-degraded promoted-missing not-running primary-none no-candidate candidates-low"
    " here-not-ready single-point view-stale versions-mixed votes-expected primary-elsewhere"
    " primary-without-service started-without-primary"
)
_OF_MESH = "peer-connecting peer-standalone connection-disputed mesh-isolated"
_TAKEOVER = "no-candidate candidates-low here-not-ready single-point"
CLUSTER_RULES = more(
    rule("partitioned", (Equal.NOTHING, _PACEMAKERS), (Equal.NODE, f"{_OF_MESH} node-unasked")),
    rule(
        "pacemaker-down pacemaker-unresponsive pacemaker-starting pacemaker-stopping",
        (Equal.NODE, "node-offline node-unclean node-pending view-stale versions-mixed"),
        (Equal.NOTHING, f"quorum-margin primary-none {_TAKEOVER}"),
    ),
    rule(
        "quorum-lost",
        (Equal.NOTHING, "dc-missing view-stale"),
        (Equal.NODE, f"{_OF_MESH} node-unasked"),
    ),
    rule("dc-missing", (Equal.NOTHING, "view-stale"), (Equal.NODE, _OF_MESH)),
    rule(
        "node-offline node-unclean node-pending",
        (Equal.NODE, f"view-stale node-offline {_OF_MESH} versions-mixed node-unasked"),
    ),
    rule("split-brain", (Equal.NODE, "peer-standalone copies-low disk-disputed out-of-sync")),
    rule("config-differs", (Equal.NODE, "peer-standalone copies-low disk-disputed")),
    rule(
        "client-disputed mesh-incomplete disk-lost disk-failed",
        (Equal.NODE, "copies-low peer-standalone disk-disputed sync-missing out-of-sync"),
        (Equal.VOLUME, "drbd-quorum-lost copies-none"),
    ),
    rule("disk-inconsistent", (Equal.DRBD, "copies-none copies-low drbd-quorum-lost primary-none")),
    rule("peer-standalone", (Equal.NODE, "copies-none copies-low disk-outdated drbd-quorum-lost")),
    rule("io-suspended", (Equal.DRBD, "peer-connecting mesh-isolated copies-none copies-low")),
    rule(
        "mesh-isolated",
        (
            Equal.NODE,
            "drbd-quorum-lost copies-none copies-low disk-outdated disk-consistent sync-missing"
            f" peer-connecting connection-disputed out-of-sync {_TAKEOVER}",
        ),
        (Equal.SAME_NODES, "node-unasked"),
    ),
    rule(
        "copies-none",
        (Equal.DRBD, "copies-low disk-outdated primary-none"),
        (Equal.NOTHING, _TAKEOVER),
    ),
    rule(
        "drbd-quorum-lost",
        (Equal.DRBD, "copies-low disk-outdated primary-none"),
        (Equal.NODE, f"{_OF_MESH} node-unasked"),
        (Equal.NOTHING, _TAKEOVER),
        (Equal.ON_DRBD, "started-without-io resource-failed resource-transition not-running"),
    ),
    rule(
        "peer-unreachable",
        (Equal.NODE, f"{_OF_MESH} copies-low node-offline node-unasked"),
        (Equal.NOTHING, f"primary-none started-without-primary primary-elsewhere {_TAKEOVER}"),
    ),
    rule("sync-stalled", (Equal.DRBD, "sync-target disk-syncing copies-low sync-missing")),
    rule(
        "disk-syncing sync-target",
        (Equal.NODE, "copies-low sync-missing sync-paused sync-waiting out-of-sync disk-disputed"),
        (Equal.DRBD, "copies-low sync-target sync-waiting sync-paused sync-missing behind"),
    ),
    rule("resource-failed resource-blocked", (Equal.RESOURCE_AND_NODE, "node-barred")),
    rule("resource-unmanaged", (Equal.RESOURCE, _TAKEOVER), (Equal.NOTHING, "here-not-ready")),
    rule("resource-disabled", (Equal.RESOURCE, "resource-stopped")),
    rule(
        "resource-transition",
        (Equal.RESOURCE, "resource-transition promoted-missing clone-degraded clone-down"),
    ),
    rule("node-barred", (Equal.RESOURCE_AND_NODE, "clone-degraded")),
    rule("disk-disputed", (Equal.DRBD, "out-of-sync copies-low")),
    rule(
        "peer-standalone peer-connecting connection-disputed",
        (
            Equal.NODE,
            "copies-low disk-outdated disk-consistent sync-missing out-of-sync disk-disputed"
            f" {_TAKEOVER}",
        ),
        (Equal.SAME_NODES, "node-unasked"),
    ),
)
"""What several nodes' evidence folds by, before what one node's does."""


# -- Pacemaker ---------------------------------------------------------------------------------


def _apart(parts: Sequence[Partition]) -> Iterator[Finding]:
    """Partitions, and what runs in more than one."""
    if len(parts) < 2:
        return
    running = [running_in(part, _ACTIVE) for part in parts]
    first = running_in(parts[0])
    for name, nodes in first.items():
        others = [where[name] for where in running[1:] if name in where]
        if others:
            elsewhere = tuple(node for nodes in others for node in nodes)
            text = f"{name} runs on {join(nodes)} and, in another partition, on {join(elsewhere)}"
            yield finding(TWICE, subject.resource(name), text, nodes=(*elsewhere, *nodes))
    words = []
    for part, where in zip(parts, running):
        runs = f", runs {join(where)}" if where else ", runs nothing"
        quorate = "quorate" if part.quorate else "no quorum"
        words.append(f"{{{', '.join(sorted(part.members))}}} {quorate}{runs}")
    members = tuple(sorted({name for part in parts for name in part.members}))
    text = f"the cluster has fallen apart: {' and '.join(words)}"
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


# -- the mesh ----------------------------------------------------------------------------------


def _mesh(seen: Sequence[Judgement], all_links: Sequence[Link]) -> Iterator[Finding]:
    """Connections that are down, those that share one living end as one."""
    down = [link for link in all_links if not link.is_up]
    special = [*_special(down)]
    yield from (each for _, each in special)
    left = [link for link in down if all(link is not other for other, _ in special)]
    by_host: dict[str, list[Link]] = {}
    for link in left:
        for name in link.nodes:
            by_host.setdefault(name, []).append(link)
    total: dict[str, int] = {}
    for link in all_links:
        for name in link.nodes:
            total[name] = total.get(name, 0) + 1
    # A host that nobody reaches first, then what shares most.
    order = sorted(
        by_host, key=lambda name: (-(len(by_host[name]) == total[name]), -len(by_host[name]), name)
    )
    for name in order:
        mine = [link for link in by_host[name] if any(link is each for each in left)]
        if len(mine) < 2 and not (len(mine) == total[name] and not is_asked(seen, name)):
            continue
        # What is down among the same nodes is the same trouble.
        around = {name, *(link.other(name) for link in mine)}
        taken = [*mine, *(link for link in left if around >= {*link.nodes})]
        left = [link for link in left if all(link is not each for each in taken)]
        yield _host(seen, name, mine, len(mine) == total[name])
    yield from (_single(link) for link in left)


def _special(down: Sequence[Link]) -> Iterator[tuple[Link, Finding]]:
    """What a connection that is down says by itself: split brain, or options that differ."""
    for link in down:
        about = subject.link(link.resource, *link.nodes)
        if have_diverged(link):
            text = f"{link.name}: split brain, both copies have changed ({link.words})"
            yield link, finding(SPLIT_BRAIN, about, text, nodes=link.nodes, resource=link.resource)
            continue
        options = sorted(different_options(link))
        if options:
            name, one, other = options[0]
            said = f"{name} is '{one}' on {link.nodes[0]} and '{other}' on {link.nodes[1]}"
            text = f"{link.name}: {said} ({link.words})"
            state = State.CRITICAL if link.is_alone else None
            yield (
                link,
                finding(
                    DIFFERS, about, text, nodes=link.nodes, resource=link.resource, state=state
                ),
            )


def _different(
    seen: Sequence[Judgement], all_links: Sequence[Link], told: Sequence[Finding]
) -> Iterator[Finding]:
    """Options of DRBD and of Corosync that are not equal, beyond those that cut a connection."""
    for each in differences(seen, all_links):
        if any(
            one.key == DIFFERS.key
            and one.subject.drbd_resource == each.resource
            and f": {each.option} is " in one.text
            for one in told
        ):
            continue
        values = join([f"'{value}' on {join(nodes)}" for value, nodes in each.values], 3)
        yield finding(
            DIFFERS,
            subject.drbd(each.resource),
            f"{each.resource}: {each.option} is {values}",
            nodes=each.odd,
            resource=each.resource,
        )
    for option, by_value in corosync_differences(seen):
        values = join([f"{value} on {join(nodes)}" for value, nodes in by_value], 3)
        yield finding(
            DIFFERS,
            subject.cluster(option),
            f"Corosync's {option} is {values}",
            nodes=tuple(sorted(node for _, nodes in by_value[1:] for node in nodes)),
        )._replace(
            next_step="Make /etc/corosync/corosync.conf equal on all nodes (pcs cluster sync);"
            " then: corosync-cfgtool -R"
        )


def _versions(seen: Sequence[Judgement]) -> Iterator[Finding]:
    """Kernel modules of DRBD that differ in more than the last number."""
    by_version: dict[str, list[str]] = {}
    for one in seen:
        if one.view.drbd_module is not None:
            short = ".".join(one.view.drbd_module.split(".")[:2])
            by_version.setdefault(short, []).append(one.view.here)
    if len(by_version) < 2:
        return
    ordered = sorted(by_version.items(), key=lambda each: (-len(each[1]), each[0]))
    values = join([f"{version} on {join(nodes)}" for version, nodes in ordered], 3)
    yield finding(
        VERSIONS_MIXED,
        subject.cluster("drbd"),
        f"DRBD's kernel module is {values}",
        nodes=tuple(sorted(node for _, nodes in ordered[1:] for node in nodes)),
    )._replace(next_step="cat /sys/module/drbd/version on each; finish the upgrade")


def _host(seen: Sequence[Judgement], name: str, mine: Sequence[Link], alone: bool) -> Finding:
    peers = list(dict.fromkeys(link.other(name) for link in mine))
    resources = list(dict.fromkeys(link.resource for link in mine))
    asked = is_asked(seen, name)
    if alone and asked and len(peers) > 1:
        text = f"{name} reaches none of {join(peers)} ({join(resources, 2)}): its network"
        one = finding(ISOLATED, subject.node(name), text, nodes=(name,), resource=resources[0])
        return one._replace(
            next_step=f"on {name}: drbdadm status {resources[0]}; check its replication network:"
            f" ip -br addr; drbdsetup show {resources[0]} (addresses and port); the firewall"
        )
    kind = STANDALONE if any(link.is_alone for link in mine) else CONNECTING
    if alone and not asked:
        what = join(resources, 2)
        text = f"{name} is connected to nobody that was asked ({what}): the host or its network"
    else:
        text = f"{name} is cut off from {join(peers)} ({join(resources, 2)})"
    return finding(kind, subject.node(name), text, nodes=(name,), resource=resources[0])


def _single(link: Link) -> Finding:
    about = subject.link(link.resource, *link.nodes)
    why = f": only {link.resource}'s port or resource" if link.other_connections else ""
    connected = [end.connection is not None and end.connection.is_connected for _, end in link.told]
    if len(connected) == 2 and any(connected):
        kind = DISPUTED
    else:
        kind = STANDALONE if link.is_alone else CONNECTING
    text = f"{link.name}: {link.words}{why}"
    one = finding(kind, about, text, nodes=link.nodes, resource=link.resource)
    if kind is CONNECTING and len(link.told) == 2:
        # Both answered, so both are up: what is between them is not.
        here, there = link.nodes
        return one._replace(
            next_step=f"both are up. on {here}: drbdsetup show {link.resource} (the addresses and"
            f" port to {there}); ping that address; the firewall of both"
        )
    return one


def _copies(all_links: Sequence[Link]) -> Iterator[Finding]:
    """What two connected ends say of each other's disks."""
    for link in all_links:
        if len(link.told) < 2 or not link.is_up:
            continue
        (one, first), (two, second) = link.told
        near = abs((first.view.time - second.view.time).total_seconds()) <= 5
        for number, (here, there) in link.volumes():
            if here is None or there is None or not near:
                continue
            about = subject.link(link.resource, *link.nodes)
            quiet = ReplicationState.ESTABLISHED
            if here.replication_state is not quiet or there.replication_state is not quiet:
                continue
            good = disk_at(first, number) is DiskState.UP_TO_DATE is disk_at(second, number)
            counts = bool(here.out_of_sync_kib), bool(there.out_of_sync_kib)
            if good and counts[0] != counts[1]:
                who = one if counts[0] else two
                text = (
                    f"{link.name}: both ends are UpToDate, and only {who} counts blocks out of sync"
                )
                yield finding(DISK_DISPUTED, about, text, nodes=link.nodes, resource=link.resource)


def _clients(seen: Sequence[Judgement], all_links: Sequence[Link]) -> Iterator[Finding]:
    """A diskless node that calls itself a client, and peers that keep a bitmap for it."""
    for one in seen:
        for resource in one.view[DRBD].value or ():
            for device in resource.devices:
                if device.disk_state is not DiskState.DISKLESS or device.client is not True:
                    continue
                against = [
                    node
                    for link in all_links
                    if link.resource == resource.name and one.view.here in link.nodes
                    for node, end in link.told
                    if node != one.view.here
                    and end.connection is not None
                    and (peer := end.connection.peer_device(device.volume)) is not None
                    and peer.peer_client is False
                ]
                if against:
                    name = f"{resource.name}/{device.volume}"
                    here = one.view.here
                    text = f"{name}: {here} calls itself a client, {join(against)} keep a bitmap"
                    yield finding(
                        CLIENT_DISPUTED,
                        subject.volume(resource.name, device.volume),
                        text,
                        nodes=(one.view.here,),
                        resource=resource.name,
                    )


def _primaries(seen: Sequence[Judgement]) -> Iterator[Finding]:
    """Nodes that say of themselves that they are Primary."""
    names = dict.fromkeys(r.name for one in seen for r in one.view[DRBD].value or ())
    for name in names:
        primary = [
            one
            for one in seen
            for resource in one.view[DRBD].value or ()
            if resource.name == name and resource.role is DrbdRole.PRIMARY
        ]
        options = [shown(one.view, name) for one in primary]
        allowed = any(c.allow_two_primaries for o in options if o for c in o.connections)
        moment = {round(one.view.time.timestamp()) for one in primary}
        if len(primary) > 1 and not allowed and max(moment) - min(moment) <= 5:
            nodes = tuple(one.view.here for one in primary)
            text = f"{name}: {join(nodes)} say of themselves that they are Primary"
            yield finding(PRIMARY_MULTIPLE, subject.drbd(name), text, nodes=nodes)


def _incomplete(seen: Sequence[Judgement], all_links: Sequence[Link]) -> Iterator[Finding]:
    """Nodes that lack a resource, or a peer, that others connect to."""
    for link in all_links:
        for name, end in zip(link.nodes, link.ends):
            asked = next((one for one in seen if same_node(one.view.here, name)), None)
            if asked is None or asked.view[DRBD].value is None:
                continue
            if end is None or end.connection is None:
                what = "the resource" if end is None else f"the peer {link.other(name)}"
                text = f"{link.resource}: {name} does not have {what} that the others connect to"
                yield finding(
                    INCOMPLETE,
                    subject.drbd(link.resource),
                    text,
                    nodes=(name,),
                    resource=link.resource,
                )


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
    :param clocks: seconds by which a node's clock is off, where that is too much.
    """
    del asked  # severities are applied by the caller
    ordered = sorted(seen, key=lambda one: one.view.here)
    parts = partitions(ordered)
    all_links = links(ordered)
    found: list[Finding] = []
    for name, why in sorted(unasked.items()):
        text = f"{name} could not be asked: {why}"
        found.append(finding(UNASKED, subject.node(name), text, nodes=(name,)))
    for name, off in sorted(clocks.items()):
        text = f"the clock of {name} is {abs(off):.0f} s {'ahead' if off > 0 else 'behind'}"
        found.append(finding(CLOCKS, subject.node(name), text, nodes=(name,)))
    found += _apart(parts)
    found += _primaries(ordered)
    found += dict.fromkeys(_incomplete(ordered, all_links))
    found += _mesh(ordered, [link for link in all_links if not _lacks(ordered, link)])
    found += _different(ordered, all_links, found)
    found += _versions(ordered)
    found += _copies(all_links)
    found += _clients(ordered, all_links)
    found += _quorum_of_drbd(ordered, told_by_all(ordered, parts))
    found += _stale(parts)
    found = list(dict.fromkeys(found))
    view = _truth(ordered, parts)
    roots = faults(view, found, CLUSTER_RULES) if view is not None else ()
    everybody = tuple(one.view.here for one in ordered)
    roots = tuple(f._replace(seen_from=_seen_from(f, ordered) or everybody) for f in roots)
    total = len(ordered) + len(unasked)
    lines = tuple(Line(one.view.here, one.report.state, _own_words(one)) for one in ordered)
    return Report(
        tuple(found),
        f"{len(ordered)} of {total} nodes asked: {essence(ordered, parts)}",
        (
            Figure("nodes_asked", len(ordered), minimum=0, maximum=total),
            Figure("faults", sum(1 for f in roots if f.state is not State.OK), minimum=0),
        ),
        tuple(f"node {one.view.here}: {one.report.state.name}" for one in ordered),
        roots,
        lines,
    )


def contradicting(report: Report) -> frozenset[str]:
    """The nodes whose answers contradict each other's: what just moves looks like that, too."""
    keys = {kind.key for kind in (DISPUTED, DISK_DISPUTED, CLIENT_DISPUTED, STALE, TWICE)}
    return frozenset(node for each in report.findings if each.key in keys for node in each.nodes)


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


def _lacks(seen: Sequence[Judgement], link: Link) -> bool:
    """Whether an end that was asked does not have the connection: a fault of its own."""
    return any(
        (end is None or end.connection is None)
        and any(same_node(one.view.here, name) and one.view[DRBD].value is not None for one in seen)
        for name, end in zip(link.nodes, link.ends)
    )


def _quorum_of_drbd(seen: Sequence[Judgement], found: Sequence[Finding]) -> Iterator[Finding]:
    """Quorum that some nodes lost is theirs; quorum that most lost is of who is missing."""
    lost = lost_quorum(seen)
    for each in found:
        losers = lost.get((each.key, each.subject), ())
        if each.key in ("drbd-quorum-lost", "copies-none") and losers:
            having = sum(
                1 for one in seen for r in one.view[DRBD].value or () if r.name == each.subject.name
            )
            yield each._replace(nodes=losers) if len(losers) * 2 <= having else each
        else:
            yield each


def _truth(seen: Sequence[Judgement], parts: Sequence[Partition]) -> Optional[View]:
    """The view that Pacemaker's facts are looked up in."""
    if parts:
        return parts[0].speaker.view
    return seen[0].view if seen else None


def _own_words(one: Judgement) -> str:
    """What the node says by itself: its gravest fault, else that all is well."""
    bad = next((fault for fault in one.report.faults if fault.state is not State.OK), None)
    return bad.text if bad is not None else one.report.summary or "in order"


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
        CONNECTING,
        STANDALONE,
        ISOLATED,
    ),
    figures=(
        ("nodes_asked", "nodes that were asked; the maximum is those that should have been"),
        ("faults", "faults that are told"),
    ),
    example="check_mccluster cluster -v",
    several=True,
)
