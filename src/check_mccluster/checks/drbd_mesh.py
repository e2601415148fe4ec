"""Is every connection of the mesh up?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Optional

from ..inputs.drbdsetup import DRBD
from ..judge.facts.drbd import (
    CONNECTING,
    ISOLATED,
    MOST_SINGLE_FIGURES,
    NEVER_ATTACHED,
    STANDALONE,
    never_attached,
)
from ..judge.facts.mending import (
    attach_step,
    beside_step,
    connection_step,
    odd_words,
    reach_words,
    resource_step,
)
from ..model.drbd import KIB, Connection, ConnectionState, DrbdResource, ReplicationState
from ..model.words import state_name
from ..verdict import subject
from ..verdict.check import Check, Option
from ..verdict.finding import Figure, Finding, Kind, Lines, Report, State, finding
from ..verdict.view import Asked, View, contains_node
from ..verdict.words import join, size

MISSING = Kind(
    "peer-missing",
    State.CRITICAL,
    "A peer that the configuration file lists has no connection on this node.",
    "Compare on both nodes: drbdadm dump {resource}; where they are alike, this prints what is"
    " missing: drbdadm --dry-run adjust {resource}; where that only adds the peer, type those"
    " lines",
)
PATH_DOWN = Kind(
    "path-down",
    State.WARNING,
    "The connection is up, but one of its paths is not established.",
    "drbdsetup status {resource} --verbose; check that network to {peer}",
)
CONGESTED = Kind(
    "congested",
    State.WARNING,
    "The send queue of a connection is full.",
    "Check the bandwidth of the replication network to {peer}; on {peer}: iostat -x 1",
)
UNREPLICATED = Kind(
    "volume-unreplicated",
    State.WARNING,
    "The peer is connected, but a volume is not replicated to it: it does not have the volume,"
    " or replication is off.",
    "Compare drbdadm dump {resource} here and on {peer}; on {peer}: drbdadm status {resource}",
)

_Fault = tuple[DrbdResource, Connection]


def _peer_kind(connection: Connection) -> str:
    """``client`` or ``replica``: what the local configuration says about the peer."""
    flags = {device.peer_client for device in connection.peer_devices}
    if flags == {True}:
        return "client"
    return "replica" if False in flags else "peer"


def _up(resource: DrbdResource) -> int:
    """Connected peers."""
    return sum([connection.is_connected for connection in resource.connections])


def _counted(*resources: DrbdResource) -> str:
    """``4 of 5 connected``, of all these resources together."""
    total = sum(len(resource.connections) for resource in resources)
    return f"{sum(map(_up, resources))} of {total} connected"


def _per_peer(
    view: View, kind: Kind, faults: Sequence[_Fault], state: Optional[State]
) -> Iterator[Finding]:
    """One finding for a peer and its state, whatever the number of resources behind it."""
    together: dict[tuple[str, str], list[_Fault]] = {}
    for resource, connection in faults:
        key = (connection.name, state_name(connection.state))
        together.setdefault(key, []).append((resource, connection))
    for (peer, word), same in together.items():
        names = [resource.name for resource, _ in same]
        counted = _counted(*(resource for resource, _ in same))
        who = f"{_peer_kind(same[0][1])} {peer} is {word}"
        text = f"{names[0]}: {who}, {counted}"
        if len(names) > 1:
            text = f"{who}: {len(names)} resources, {counted} ({_some(names)})"
        if kind is STANDALONE and len(names) == 1:
            text += _since_then([same[0][1]]) + odd_words(view, *same[0])
        about = subject.connection(names[0], view.here, peer)
        step = connection_step(view, *same[0])
        if kind is not STANDALONE and len(names) == 1:
            step += beside_step(view, *same[0])
        one = finding(kind, about, text, state=state, nodes=(peer,), resource=names[0], step=step)
        yield one._replace(covers=tuple(names))


def _some(names: Sequence[str]) -> str:
    """Some of many names, where verb, peer and count stand before them: names may be long."""
    return join(names, 2)


def _is_cut(resource: DrbdResource) -> bool:
    """Whether no peer is connected for sure: a word that nobody knows proves nothing."""
    return bool(resource.connections) and all(
        not c.is_connected and isinstance(c.state, ConnectionState) for c in resource.connections
    )


def _is_sought(connection: Connection) -> bool:
    """Whether DRBD tries to reach the peer, unlike where it gave up."""
    return connection.state is not ConnectionState.STANDALONE


def _isolated(
    view: View, resources: Sequence[DrbdResource], others: Sequence[DrbdResource]
) -> Iterator[Finding]:
    """Resources without any connected peer, those with the same peers in one finding.

    :param others: the resources that have one.
    """
    if not resources:
        return
    reached = {c.name for other in others for c in other.connections if c.is_connected}
    together: dict[tuple[tuple[tuple[str, str], ...], bool], list[str]] = {}
    for resource in resources:
        ends = tuple((c.name, state_name(c.state)) for c in resource.connections)
        together.setdefault((ends, never_attached(view, resource)), []).append(resource.name)
    for (peers, bare), names in together.items():
        words: dict[str, list[str]] = {}
        for peer, word in peers:
            words.setdefault(word, []).append(peer)
        listed = "; ".join(f"{join(several)} {word}" for word, several in words.items())
        text = f"{names[0]}: 0 of {len(peers)} connected ({listed})"
        if len(names) > 1:
            text = (
                f"0 of {len(peers)} connected ({listed}): {len(names)} resources ({_some(names)})"
            )
        nodes = tuple(peer for peer, _ in peers)
        first = next(each for each in resources if each.name == names[0])
        clients = {c.name for c in first.connections if _peer_kind(c) == "client"}
        near = [c.name for c in first.connections if c.name in reached and _is_sought(c)]
        if near:
            who = "them" if len(near) == len(peers) > 1 else join(near)
            text += f", other resources reach {who}"
        standing = all(c.state is ConnectionState.STANDALONE for c in first.connections)
        # Those that have copies first: without them nothing else helps.
        look = reach_words(view, first, sorted(nodes, key=lambda each: each in clients))
        step = f"on {view.here}: no peer is reached, check the replication network: {look}"
        if standing or len(peers) == 1:
            step = connection_step(view, first, first.connections[0])
        if near and not standing:
            step = resource_step(view, first, near)
        reason = ""
        if standing:
            text += _since_then(first.connections)
            if bare:
                # Without a size there is nothing to connect, nor to split.
                reason, nodes = NEVER_ATTACHED, (view.here,)
                step = attach_step(first, first.devices[0], view.here)
        about = subject.drbd(names[0])
        one = finding(
            ISOLATED, about, text, nodes=nodes, resource=names[0], step=step, reason=reason
        )
        yield one._replace(covers=tuple(names))


def _since_then(connections: Sequence[Connection]) -> str:
    """What was written here, or was out of sync before, as the counters of what gave up tell."""
    most = max(
        sum(device.out_of_sync_kib or 0 for device in connection.peer_devices)
        for connection in connections
    )
    return f", {size(most * KIB)} out of sync" if most else ""


def _missing(view: View, resource: DrbdResource) -> Iterator[Finding]:
    rule = view.config.drbd.get(resource.name)
    if rule is None or not contains_node(rule.nodes, view.node):
        return
    peers = tuple(connection.name for connection in resource.connections)
    for name in rule.nodes:
        if not view.is_here(name) and not contains_node(peers, name):
            text = f"{resource.name}: no connection to {name} in the kernel, {_counted(resource)}"
            about = subject.connection(resource.name, view.here, name)
            yield finding(MISSING, about, text, nodes=(name,), resource=resource.name)


def _connected(view: View, asked: Asked, resource: DrbdResource) -> Iterator[Finding]:
    """What can be wrong with a connection that is up."""
    congestion = asked.values.get("report_congestion")
    for connection in resource.connections:
        down = [path for path in connection.paths or () if path.established is False]
        congested = connection.congested and congestion
        if not (down or congested) or not connection.is_connected:
            continue
        counted = _counted(resource)
        about = subject.connection(resource.name, view.here, connection.name)
        if down:
            pairs = join([f"{path.this_host} - {path.remote_host}" for path in down], 2)
            text = f"{resource.name}: path to {connection.name} is down ({pairs}), {counted}"
            yield finding(PATH_DOWN, about, text, nodes=(connection.name,), resource=resource.name)
        if congested:
            text = f"{resource.name}: connection to {connection.name} is congested, {counted}"
            yield finding(CONGESTED, about, text, nodes=(connection.name,), resource=resource.name)


def _unreplicated(view: View, resources: Sequence[DrbdResource]) -> Iterator[Finding]:
    """Volumes that a connected peer does not get, one finding for a peer and a reason."""
    together: dict[tuple[str, str], list[tuple[DrbdResource, int]]] = {}
    for resource in resources:
        for connection in resource.connections:
            if not connection.is_connected:
                continue
            for device in resource.devices:
                peer = connection.peer_device(device.volume)
                if peer is None or peer.replication_state is ReplicationState.OFF:
                    why = "is not replicated there" if peer is None else "has replication Off"
                    key = (connection.name, why)
                    together.setdefault(key, []).append((resource, device.volume))
    for (peer_name, why), volumes in together.items():
        first, number = volumes[0]
        text = f"{first.name}: {peer_name} is Connected, and volume {number} {why}"
        if len(volumes) > 1:
            names = [f"{resource.name}/{volume}" for resource, volume in volumes]
            text = f"{peer_name} is Connected: {len(volumes)} volumes, each {why} ({_some(names)})"
        yield finding(
            UNREPLICATED,
            subject.connection(first.name, view.here, peer_name),
            text,
            nodes=(peer_name,),
            resource=first.name,
        )


def judge(view: View, asked: Asked) -> Report:
    """Each connection of each resource."""
    resources = view[DRBD].value
    if resources is None:
        return Report()
    up = {resource.name: _up(resource) for resource in resources}
    cut = [r for r in resources if not up[r.name] and _is_cut(r)]
    others = [r for r in resources if up[r.name] or not _is_cut(r)]
    findings = list(_isolated(view, cut, others))
    broken = [
        (r, c)
        for r in others
        if up[r.name] < len(r.connections)
        for c in r.connections
        if not c.is_connected and isinstance(c.state, ConnectionState)
    ]
    alone = [f for f in broken if f[1].state is ConnectionState.STANDALONE]
    rest = [f for f in broken if f[1].state is not ConnectionState.STANDALONE]
    findings += _per_peer(view, STANDALONE, alone, None)
    state = asked.limited_state(min(up.values(), default=0)) if asked.has_limits else None
    if state is not State.OK:
        findings += _per_peer(view, CONNECTING, rest, state)
    if state not in (None, State.OK) and not findings:
        # The ranges ask for more peers than there are.
        fewest = min(resources, key=_up, default=None)
        if fewest is not None:
            text = f"{fewest.name}: {_counted(fewest)}, outside the range asked for"
            step = (
                "Every connection is up: the range of -w or -c asks for another number; correct it"
            )
            findings.append(
                finding(CONNECTING, subject.drbd(fewest.name), text, state=state, step=step)
            )
    for resource in resources:
        findings += _missing(view, resource)
        findings += _connected(view, asked, resource)
    findings += _unreplicated(view, resources)
    total = sum(len(r.connections) for r in resources)
    figures = [
        Figure("connected", sum(up.values()), minimum=0, maximum=total, warning=f"{total}:"),
        Figure("connected_min", min(up.values(), default=0), minimum=0, limited=True),
    ]
    if len(resources) <= MOST_SINGLE_FIGURES:
        figures += [
            Figure(
                f"{r.name}_connected",
                up[r.name],
                minimum=0,
                maximum=len(r.connections),
                warning=f"{len(r.connections)}:" if r.connections else "",
                critical="1:" if r.connections else "",
            )
            for r in resources
        ]
    summary = f"{sum(up.values())} of {total} connections up"
    if len(resources) == 1:
        summary = f"{resources[0].name}: {sum(up.values())} of {total} peers connected"
    return Report(
        tuple(findings),
        summary,
        tuple(figures),
        Lines(
            lambda: (
                f"connection {r.name}:{c.name} ({_peer_kind(c)}): {state_name(c.state)}"
                for r in resources
                for c in r.connections
            )
        ),
    )


CHECK = Check(
    name="drbd-mesh",
    question="Is every connection of the mesh up?",
    needs=(DRBD,),
    rule=judge,
    kinds=(STANDALONE, CONNECTING, ISOLATED, MISSING, UNREPLICATED, PATH_DOWN, CONGESTED),
    figures=(
        ("connected", "connections that are up; the maximum is the number configured"),
        ("connected_min", "connected peers of the resource that has the fewest"),
        ("{resource}_connected", "connected peers of the resource, of those configured"),
    ),
    options=(Option("--report-congestion", "A congested connection is a finding.", "flag"),),
    number="the fewest connected peers of a resource; the ranges replace peer-connecting",
    filters="drbd",
    settings=("drbd",),
    example="check_mccluster drbd-mesh --report-congestion",
)
