"""DRBD's mesh judged by both ends of each connection: what one node alone cannot know.

Long because each contradiction between two ends has a rule and a kind of finding of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..inputs.crm_mon import CLUSTER
from ..inputs.drbdsetup import DRBD
from ..model.drbd import ConnectionState, DiskState, DrbdResource, PeerDevice, ReplicationState
from ..model.drbd import Role as DrbdRole
from ..model.pacemaker import RUNNING
from ..model.words import state_name
from ..verdict import subject
from ..verdict.finding import Finding, Kind, State, finding
from ..verdict.problems import DRBD_EMPTY, DRBD_MODULE
from ..verdict.view import Judgement, same_node
from ..verdict.words import WHEN_WELL, join, pasted
from .facts import mapping
from .facts.comparing import compare_step
from .facts.drbd import (
    CONNECTING,
    HANDSHAKE,
    ISOLATED,
    PRIMARY_MULTIPLE,
    STANDALONE,
    SYNCING,
    reconnected,
    shown,
)
from .facts.drbd import copies as copies_of
from .facts.mending import adjust_step, between_step, connection_step, gone_everywhere_step
from .mesh import Different, End, Link, differences, different_options, disk_at, have_diverged
from .whole import is_asked

SPLIT_BRAIN = Kind(
    "split-brain",
    State.CRITICAL,
    "Two copies have diverged: each end has blocks that the other does not have.",
    "Compare both copies: which is newer is not known from here. On the one to be given up (the"
    " victim): drbdadm disconnect {resource}; drbdadm secondary {resource}; drbdadm connect"
    " --discard-my-data {resource}; then on the other: drbdadm connect {resource}",
)
DISPUTED = Kind(
    "connection-disputed",
    State.WARNING,
    "One end says that it is connected, or resyncing, and the other end does not.",
    "on both ends: drbdadm status {resource}; if it stays so, on the end that no Primary reads"
    " from: drbdadm disconnect {resource}:{peer}; drbdadm connect {resource}:{peer}",
)
DISK_DISPUTED = Kind(
    "disk-disputed",
    State.WARNING,
    "A node calls its disk UpToDate, but a connected peer says otherwise, or counts blocks out"
    " of sync.",
    "drbdadm status {resource} on both; on the one that is not Primary: drbdadm disconnect"
    " {resource}:{peer}; drbdadm connect {resource}:{peer}. Where only one counts blocks, compare"
    " before: drbdadm verify {resource}",
)
CLIENT_DISPUTED = Kind(
    "client-disputed",
    State.CRITICAL,
    "A node says that it is an intended client, and its peers keep a bitmap for its disk.",
    "on {node}: drbdadm dump {resource}; if it has a disk there: drbdadm attach {resource}; if it"
    " should have one: put its disk back into the file, then see what would change: drbdadm"
    " --dry-run adjust {resource}",
)
DIFFERS = Kind(
    "config-differs",
    State.WARNING,
    "An option that must be equal at both ends of a connection, or on all nodes, is not.",
    "Make the section equal in {resource}'s file on both nodes; then on both see what would"
    " change: drbdadm --dry-run adjust {resource}; where that is all: drbdadm net-options"
    " {resource}",
)
INCOMPLETE = Kind(
    "mesh-incomplete",
    State.CRITICAL,
    "A node lacks a resource, or a peer, that the other nodes connect to.",
    "on {node}: drbdadm dump {resource}; drbdadm up {resource}",
)


# -- connections -------------------------------------------------------------------------------


def connections(seen: Sequence[Judgement], all_links: Sequence[Link]) -> Iterator[Finding]:
    """Connections that are down, those that share one living end as one."""
    down = [link for link in all_links if not link.is_up]
    special = [*_special(down)]
    yield from dict.fromkeys(each for _, each in special)
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
    apart = [link for link in down if have_diverged(link)]
    for same in _by_victim(apart):
        found = _split(same)
        yield from ((link, found) for link in same)
    for link in down:
        if any(link is other for other in apart):
            continue
        differing = sorted(different_options(link))
        if differing:
            about = subject.link(link.resource, *link.nodes)
            name, one, other = differing[0]
            here, there = link.nodes
            said = f"{name} is {_value(one)} on {here} and {_value(other)} on {there}"
            text = f"{link.name}: {said} ({link.words})"
            state = State.CRITICAL if link.is_alone else None
            # What was set by hand and stands in no file goes by adjust only; that connects, too.
            step = _make_equal(link.resource, "drbdadm net-options")
            if link.is_alone:
                step = f"{_same(link.resource)}: {adjust_step(pasted(link.resource))}"
            yield (
                link,
                finding(
                    DIFFERS,
                    about,
                    text,
                    nodes=link.nodes,
                    resource=link.resource,
                    state=state,
                    reason=name,
                    step=step,
                ),
            )


def _by_victim(apart: Sequence[Link]) -> Iterator[list[Link]]:
    """Copies that have diverged, those of one resource that share an end together."""
    left = list(apart)
    while left:
        first = left[0]
        groups = [
            [each for each in left if each.resource == first.resource and name in each.nodes]
            for name in first.nodes
        ]
        most = max(groups, key=len)
        yield most
        left = [each for each in left if not any(each is other for other in most)]


def _split(same: Sequence[Link]) -> Finding:
    """Copies that have diverged: one from the others, or one from another."""
    link = same[0]
    common = set.intersection(*({*each.nodes} for each in same))
    ends = {node: end for each in same for node, end in each.asked_ends}
    # A copy that nobody else has and no Primary uses is mostly the one to be given up.
    lonely = [
        node
        for node, end in ends.items()
        if end.own.role is not DrbdRole.PRIMARY
        and not any(c.is_connected for c in end.own.connections)
    ]
    used = {node: _primary_at(end, node) for node, end in ends.items()}
    others = [node for node in ends if node not in lonely]
    victim = lonely[0] if len(lonely) == 1 and all(used[node] for node in others) else None
    text = f"{link.name}: split brain, both copies have changed ({link.words})"
    about = subject.link(link.resource, *link.nodes)
    nodes: tuple[str, ...] = link.nodes
    if len(same) > 1:
        odd = victim or sorted(common)[0]
        rest = [node for node in ends if node != odd]
        about, nodes = subject.drbd(link.resource), (odd, *rest)
        text = (
            f"{link.resource}: split brain between {odd} and {join(rest)}: their copies have both"
            " changed"
        )
    if victim is None:
        return finding(SPLIT_BRAIN, about, text, nodes=nodes, resource=link.resource)
    primary = join(dict.fromkeys(used[node] for node in others))
    text += f"; {victim} reaches nobody, {primary} (Primary) uses {join(others, 2)}"
    name = pasted(link.resource)
    away = [c.name for c in ends[victim].own.connections if c.state is ConnectionState.STANDALONE]
    step = (
        f"compare the copies before: are the data of {victim} needed? Where they are not, on"
        f" {victim}: drbdadm disconnect {name}; drbdadm secondary {name}; drbdadm connect"
        f" --discard-my-data {name}; then on {join(away, 8)}: drbdadm connect"
        f" {name}:{pasted(victim)}"
    )
    return finding(SPLIT_BRAIN, about, text, nodes=nodes, resource=link.resource, step=step)


def _primary_at(end: End, node: str) -> str:
    """Who is Primary, and writes to the copy of that end; empty where nobody does."""
    if end.own.role is DrbdRole.PRIMARY:
        return node
    seen = (c.name for c in end.own.connections if c.is_connected)
    roles = {c.name: c.peer_role for c in end.own.connections}
    return next((name for name in seen if roles[name] is DrbdRole.PRIMARY), "")


def _value(value: str) -> str:
    return value or "not set"


def _same(resource: str) -> str:
    return f"Make the section equal in {resource}'s file on both nodes; then on both"


def _make_equal(resource: str, command: str) -> str:
    """Equal options by file, and in force by the one command that sets nothing else."""
    name = pasted(resource)
    return (
        f"{_same(resource)} see what would change: drbdadm --dry-run adjust {name}; where that is"
        f" all: {command} {name}"
    )


def _host(seen: Sequence[Judgement], name: str, mine: Sequence[Link], alone: bool) -> Finding:
    peers = list(dict.fromkeys(link.other(name) for link in mine))
    resources = list(dict.fromkeys(link.resource for link in mine))
    asked = any(same_node(one.view.here, name) and is_heard(one) for one in seen)
    if alone and asked and len(peers) > 1:
        text = f"{name} reaches none of {join(peers)} ({join(resources, 2)}): its network"
        one = finding(ISOLATED, subject.node(name), text, nodes=(name,), resource=resources[0])
        return one._replace(
            next_step=f"on {name}: drbdadm status {resources[0]}; check its replication network:"
            f" ip -br addr; drbdsetup show {resources[0]} (addresses and port); the firewall"
        )
    gave_up = next((link for link in mine if link.is_alone), None)
    kind = CONNECTING if gave_up is None else STANDALONE
    what = join(resources, 2)
    text, reason = f"{name} is cut off from {join(peers)} ({what})", ""
    if alone and not asked:
        text = f"{name} is connected to nobody that was asked ({what}): "
        if is_asked(seen, name):
            text += "its host answers, DRBD there does not tell"
        elif _is_online(seen, name):
            text += "its host is up (Pacemaker counts it online), DRBD there or its network is not"
        else:
            text += "the host or its network"
            reason = NODE_LOST
    about = subject.node(name)
    step = "" if gave_up is None else _connect(gave_up)
    return finding(
        kind, about, text, nodes=(name,), resource=resources[0], reason=reason, step=step
    )


def _connect(link: Link) -> str:
    """A StandAlone connection is connected where it gave up: at the other end that does nothing."""
    (end, connection), *more = link.alone
    also = None if len(link.asked_ends) < 2 else ""
    for other, back in more:
        about = f"{pasted(link.resource)}:{pasted(back.name)}"
        also = (
            f"; it is StandAlone at both ends: on {other.view.here}, too: drbdadm connect {about}"
        )
    return connection_step(end.view, end.own, connection, also=also)


NODE_LOST = "drbd-node-lost"
"""The reason of a connection finding that stands for a whole host of the mesh: it has the key of
its connections, by which it is silenced or made grave like any of them."""


def _is_online(seen: Sequence[Judgement], name: str) -> bool:
    clusters = (one.view[CLUSTER].value for one in seen)
    return any(
        same_node(node.name, name) and node.online
        for cluster in clusters
        if cluster is not None
        for node in cluster.nodes
    )


def _single(link: Link) -> Finding:
    about = subject.link(link.resource, *link.nodes)
    why = f": only {link.resource}'s port or resource" if link.other_connections else ""
    connected = [
        end.connection is not None and end.connection.is_connected for _, end in link.asked_ends
    ]
    if len(connected) == 2 and any(connected):
        kind = DISPUTED
    else:
        kind = STANDALONE if link.is_alone else CONNECTING
    text = f"{link.name}: {link.words}{why}"
    step = _connect(link) if kind is STANDALONE else ""
    one = finding(kind, about, text, nodes=link.nodes, resource=link.resource, step=step)
    if kind is CONNECTING and len(link.asked_ends) == 2:
        # Both answered, so both are up: what is between them is not.
        here, there = link.nodes
        return one._replace(
            next_step=f"both are up. on {here}: drbdsetup show {link.resource} (the addresses and"
            f" port to {there}); ping that address; the firewall of both"
        )
    return one


def brought_back(seen: Sequence[Judgement], all_links: Sequence[Link], each: Finding) -> Finding:
    """Quorum, data or I/O that is lost with connections: with what their other ends say."""
    if each.key not in _WITHOUT_COPIES:
        return each
    teller = next(
        (
            (one.view, own)
            for one in seen
            if any(_is_same(f, each) for f in one.report.findings)
            and (own := one.view.named(DRBD, each.subject.name)) is not None
        ),
        None,
    )
    if teller is None:
        return each
    view, own = teller
    here = view.here
    missing = {name for device in own.devices for name in copies_of(view, own, device).missing}
    away = [c.name for c in own.connections if not c.is_connected and c.name in missing]
    if not away or not each.next_step.startswith((f"on {away[0]}", "all are out of reach")):
        return each
    ends = {
        (name, link.other(name)): link
        for link in all_links
        if link.resource == own.name
        for name in link.nodes
    }
    having = [name for name in {name for name, _ in ends} if _has(seen, name, own)]
    heard = [name for name in away if _has(seen, name, own)]
    step = ""
    if not heard and len(having) > 1:
        if not any(
            ends[name, peer].is_up for name in having for peer in away if (name, peer) in ends
        ):
            step = gone_everywhere_step(view, own, away)
    elif len(heard) == len(away):
        mine = [ends[here, name] for name in away if (here, name) in ends]
        if not any(link.is_alone or link.is_up for link in mine):
            step = between_step(view, own, away)
    _, later, cleanup = each.next_step.partition(WHEN_WELL)
    return each._replace(next_step=f"{step}{later}{cleanup}") if step else each


_WITHOUT_COPIES = frozenset({"drbd-quorum-lost", "copies-none", "io-suspended"})


def _is_same(one: Finding, other: Finding) -> bool:
    return one.key == other.key and one.subject == other.subject


def _has(seen: Sequence[Judgement], name: str, resource: DrbdResource) -> bool:
    """Whether a node was asked, and has the resource."""
    return any(
        same_node(one.view.here, name) and one.view.named(DRBD, resource.name) is not None
        for one in seen
    )


def options(
    seen: Sequence[Judgement], all_links: Sequence[Link], findings: Sequence[Finding]
) -> Iterator[Finding]:
    """Options of DRBD that are not equal, beyond those that cut a connection."""
    for each in differences(seen, all_links):
        if any(
            one.key == DIFFERS.key
            and one.subject.drbd_resource == each.resource
            and one.reason == each.option
            for one in findings
        ):
            continue
        values = join([f"{_value(value)} on {join(nodes)}" for value, nodes in each.values], 3)
        command = _command(seen, each)
        yield finding(
            DIFFERS,
            subject.drbd(each.resource),
            f"{each.resource}: {each.option} is {values}",
            nodes=each.odd,
            resource=each.resource,
            reason=each.option,
            step=_make_equal(each.resource, command),
        )


def _command(seen: Sequence[Judgement], different: Different) -> str:
    """The command that sets options of that section."""
    for one in seen:
        own = shown(one.view, different.resource)
        if own is not None and different.option in own.options:
            return "drbdadm resource-options"
        if own is not None and any(different.option in c.of_volumes for c in own.connections):
            return "drbdadm peer-device-options"
    return "drbdadm net-options"


# -- disks and roles ---------------------------------------------------------------------------


def copies(all_links: Sequence[Link]) -> Iterator[Finding]:
    """What two connected ends say of each other's disks, and of a resync between them."""
    for link in all_links:
        first, second = link.ends
        if first is None or second is None or not link.is_up:
            continue
        if abs((first.view.time - second.view.time).total_seconds()) > _NEAR:
            continue
        for number, (here, there) in link.volumes():
            if here is None or there is None:
                continue
            states = here.replication_state, there.replication_state
            kind, text = DISPUTED, _stuck(link, (here, there))
            step = _reconnect(link)
            if states == (ReplicationState.ESTABLISHED, ReplicationState.ESTABLISHED):
                kind, text = DISK_DISPUTED, _contradiction(link, number, (here, there))
                if not text:
                    text = _one_sided(link, number, (here, there))
                    step = _compare(link, number, 0 if here.out_of_sync_kib else 1)
            if text:
                about = subject.link(link.resource, *link.nodes)
                text = f"{link.name}: {text}"
                yield finding(
                    kind, about, text, nodes=link.nodes, resource=link.resource, step=step
                )


def _reconnect(link: Link) -> str:
    """Let both ends negotiate anew, on the end whose disk no Primary at the other reads."""
    (one, first), (two, second) = link.asked_ends
    here, peer = (two, one) if first.own.role is DrbdRole.PRIMARY else (one, two)
    status = f"on both: drbdadm status {pasted(link.resource)}"
    again = reconnected(link.resource, peer)
    if DrbdRole.PRIMARY in (first.own.role, second.own.role):
        return f"{status}; if it stays so, on {here} (not where it is Primary): {again}"
    return f"{status}; if it stays so, on {here}: {again}"


def _compare(link: Link, number: int, which: int) -> str:
    """A counter at one end alone may be real or left over: compare before it is cleared."""
    (_, end), (peer, _) = link.asked_ends[which], link.asked_ends[1 - which]
    return compare_step(end.view, link.resource, number, peer, None)


_NEAR = 5.0
"""Seconds; what was recorded further apart may differ because it moved."""


def _contradiction(link: Link, number: int, peers: tuple[PeerDevice, PeerDevice]) -> str:
    """Whose copy is good by its own word, and not by the other's; empty if they agree."""
    one, two = link.nodes
    good = DiskState.UP_TO_DATE
    disks = [disk_at(end, number) for _, end in link.asked_ends]
    for name, other, disk, peer in ((one, two, disks[0], peers[1]), (two, one, disks[1], peers[0])):
        said = peer.peer_disk_state
        if disk is good and isinstance(said, DiskState) and said is not good:
            return f"{name} calls its disk UpToDate, {other} calls it {state_name(said)}"
    return ""


def _one_sided(link: Link, number: int, peers: tuple[PeerDevice, PeerDevice]) -> str:
    """Who alone counts blocks that differ between two good copies; empty if both or nobody."""
    counts = [bool(peer.out_of_sync_kib) for peer in peers]
    good = all(disk_at(end, number) is DiskState.UP_TO_DATE for _, end in link.asked_ends)
    if not good or counts[0] == counts[1]:
        return ""
    who = link.nodes[0] if counts[0] else link.nodes[1]
    return f"both ends are UpToDate, and only {who} counts blocks out of sync"


def _stuck(link: Link, peers: tuple[PeerDevice, PeerDevice]) -> str:
    """A resync, or the handshake before it, that only one end knows of; empty if there is none.

    One that just ended, or that waits for another, looks like that, too: then no blocks are left.
    """
    quiet = ReplicationState.ESTABLISHED
    states = [peer.replication_state for peer in peers]
    left = all(peer.out_of_sync_kib for peer in peers)
    for name, other, mine, its in ((*link.nodes, *states), (*link.nodes[::-1], *states[::-1])):
        if its is quiet and (mine in HANDSHAKE or (mine in SYNCING and left)):
            return f"{state_name(mine)} on {name}, and {other} knows nothing of it"
    return ""


def clients(seen: Sequence[Judgement], all_links: Sequence[Link]) -> Iterator[Finding]:
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
                    for node, end in link.asked_ends
                    if node != one.view.here
                    and end.connection is not None
                    and (peer := end.connection.peer_device(device.volume)) is not None
                    and peer.peer_client is False
                ]
                if against:
                    name = f"{resource.name}/{device.volume}"
                    here = one.view.here
                    keep = "keeps" if len(against) == 1 else "keep"
                    text = f"{name}: {here} calls itself a client, {join(against)} {keep} a bitmap"
                    few = len(against) * 2 < len(resource.connections)
                    if few:
                        text += ", as for a replica; the other nodes do not"
                    yield finding(
                        CLIENT_DISPUTED,
                        subject.volume(resource.name, device.volume),
                        text,
                        nodes=(one.view.here,),
                        resource=resource.name,
                        step=_as_client(resource.name, here, against) if few else "",
                    )


def _as_client(resource: str, client: str, against: Sequence[str]) -> str:
    """Where most nodes agree with the client, the files of the few are wrong."""
    name = pasted(resource)
    return (
        f"on {join(against)}: drbdadm dump {name}: {client} has no disk there either? Make its"
        f" section as on the other nodes (disk none), then see what would change: drbdadm --dry-run"
        f" adjust {name}"
    )


def primaries(seen: Sequence[Judgement]) -> Iterator[Finding]:
    """Nodes that each say that they are Primary."""
    names = dict.fromkeys(r.name for one in seen for r in one.view[DRBD].value or ())
    for name in names:
        primary = [
            one
            for one in seen
            for resource in one.view[DRBD].value or ()
            if resource.name == name and resource.role is DrbdRole.PRIMARY
        ]
        if any(_handed_over(name, one, other) for one in primary for other in primary):
            continue
        in_force = [shown(one.view, name) for one in primary]
        allowed = any(c.allow_two_primaries for o in in_force if o for c in o.connections)
        moment = {round(one.view.time.timestamp()) for one in primary}
        if len(primary) > 1 and not allowed and max(moment) - min(moment) <= 5:
            nodes = tuple(one.view.here for one in primary)
            both = "both" if len(nodes) == 2 else "all"
            text = f"{name}: {' and '.join(nodes)} are {both} Primary{_apart(name, primary)}"
            text += _service(seen, name)
            yield finding(PRIMARY_MULTIPLE, subject.drbd(name), text, nodes=nodes)


def _service(seen: Sequence[Judgement], name: str) -> str:
    """Where Pacemaker runs what uses the resource; for the end of a sentence."""
    for one in seen:
        cluster = one.view[CLUSTER].value
        for pair in mapping.pairs(one.view) if cluster is not None else ():
            members = (
                mapping.instances(one.view, cluster, pair.resource) if cluster is not None else ()
            )
            where = [node for each in members if each.role in RUNNING for node in each.nodes]
            if pair.drbd == name and where:
                return f"; {pair.resource} runs on {join(dict.fromkeys(where))}"
    return ""


def _apart(name: str, primary: Sequence[Judgement]) -> str:
    """Whether none of them is connected to another."""
    names = [one.view.here for one in primary]
    linked = any(
        connection.is_connected and any(same_node(connection.name, other) for other in names)
        for one in primary
        for resource in one.view[DRBD].value or ()
        if resource.name == name
        for connection in resource.connections
    )
    return "" if linked else ", not connected to each other"


def _handed_over(name: str, one: Judgement, other: Judgement) -> bool:
    """Whether a node sees the other as Secondary over a connection: then they were Primary in turn.

    Connected nodes know each other's role, and were not asked in the same instant.
    """
    return any(
        connection.is_connected
        and connection.peer_role is DrbdRole.SECONDARY
        and same_node(connection.name, other.view.here)
        for resource in one.view[DRBD].value or ()
        if resource.name == name
        for connection in resource.connections
    )


def incomplete(seen: Sequence[Judgement], all_links: Sequence[Link]) -> Iterator[Finding]:
    """Nodes that lack a resource, or a peer, that others connect to."""
    for link in all_links:
        for name, end in zip(link.nodes, link.ends):
            if end is not None and end.connection is not None:
                continue
            asked = next((one for one in seen if same_node(one.view.here, name)), None)
            if asked is None or asked.view[DRBD].value is None:
                continue
            what = "the resource" if end is None else f"the peer {link.other(name)}"
            text = f"{link.resource}: {name} does not have {what} that the others connect to"
            yield finding(
                INCOMPLETE,
                subject.drbd(link.resource),
                text,
                nodes=(name,),
                resource=link.resource,
            )


def lacks(seen: Sequence[Judgement], link: Link) -> bool:
    """Whether an end that was asked does not have the connection: a fault of its own."""
    return any(
        (end is None or end.connection is None)
        and any(same_node(one.view.here, name) and (is_heard(one) or _is_down(one)) for one in seen)
        for name, end in zip(link.nodes, link.ends)
    )


def is_heard(one: Judgement) -> bool:
    """Whether the node told its resources."""
    return one.view[DRBD].value is not None


def _is_down(one: Judgement) -> bool:
    """Whether the node says itself that DRBD is not up there: why its peers miss it."""
    return any(each.kind in (DRBD_EMPTY, DRBD_MODULE) for each in one.view[DRBD].problems)
