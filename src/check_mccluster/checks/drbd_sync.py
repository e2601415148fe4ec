"""Is replication current?

Long because each replication state has a rule and a kind of finding of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Optional

from ..inputs.drbdsetup import DRBD, DRBD_AGAIN, SHOW
from ..judge.facts.comparing import compare_step, odd_copy
from ..judge.facts.drbd import (
    HANDSHAKE,
    MOST_SINGLE_FIGURES,
    SYNCING,
    peer_devices,
    progress_words,
    stands_still,
    syncing_to_here,
    verify_words,
    volume_name,
)
from ..judge.facts.mending import (
    congestion_words,
    copy_step,
    own_copy_step,
    pause_step,
    reconnect_step,
)
from ..model.drbd import (
    BY_DEPENDENCY,
    BY_PEER,
    BY_USER,
    KIB,
    Connection,
    Device,
    DiskState,
    DrbdResource,
    PeerDevice,
    ReplicationState,
)
from ..model.words import state_name
from ..values import NamedTuple
from ..verdict import subject
from ..verdict.check import Check, Option
from ..verdict.finding import Figure, Finding, Kind, Lines, Report, State, finding
from ..verdict.view import Asked, View
from ..verdict.words import join, pasted, size

TARGET = Kind(
    "sync-target",
    State.WARNING,
    "This node is being resynchronised; until it is done its disk is not a usable copy.",
    "Wait; watch it with: drbdadm status {resource}",
)
PAUSED = Kind(
    "sync-paused",
    State.WARNING,
    "Somebody paused the resync, or left a pause behind that will hold up the next one.",
    "On the node that set it (resync-suspended says user there; try here, then {peer}): drbdadm"
    " resume-sync {resource}",
)
WAITING = Kind(
    "sync-waiting",
    State.WARNING,
    "This node's disk waits its turn: another resync runs first.",
    "Wait; see the order: drbdadm dump {resource} (resync-after)",
)
STALLED = Kind(
    "sync-stalled",
    State.CRITICAL,
    "A resync to this node is running and no block moves, or it waits for a resync that runs"
    " nowhere.",
    "drbdadm disconnect {resource}:{peer}; drbdadm connect {resource}:{peer}, but not on a"
    " Primary that reads from that peer; journalctl -k -g drbd on both",
)
NOT_SYNCING = Kind(
    "sync-missing",
    State.WARNING,
    "A disk with an old copy is connected to a good one, and nothing brings it up to date.",
    "drbdadm disconnect {resource}:{peer}; drbdadm connect {resource}:{peer}: the handshake starts"
    " the resync; bring a missing connection to the Primary back first",
)
SHAKING = Kind(
    "sync-handshake",
    State.WARNING,
    "Two nodes negotiate a resync; a problem only if it lasts.",
    "Wait; if it stays: drbdadm disconnect {resource}:{peer}; drbdadm connect {resource}:{peer},"
    " but not on a Primary that reads from that peer",
)
OUT_OF_SYNC = Kind(
    "out-of-sync",
    State.WARNING,
    "Both ends say UpToDate and blocks are out of sync: the copies differ silently. The counter"
    " may go back to 0 without a resync.",
    "With verify-alg set on all nodes: drbdadm verify {resource}; the copy that differs from the"
    " others is the bad one. On its node, not while it is Primary, this copies the blocks that were"
    " found: drbdadm invalidate --reset-bitmap=no {resource} (DRBD 9.0.29, drbd-utils 9.17). A"
    " reconnect forgets them and copies nothing",
)
BEHIND = Kind(
    "behind",
    State.WARNING,
    "The link is too slow, and the writing node has gone Ahead: the peer's copy is old until it"
    " catches up.",
    "Check the bandwidth of the replication network; drbdadm dump {resource} (on-congestion)",
)


class _PeerVolume(NamedTuple):
    """One volume towards one peer, with what is around it."""

    view: View
    resource: DrbdResource
    device: Device
    connection: Connection
    peer: PeerDevice

    @property
    def name(self) -> str:
        return volume_name(self.resource, self.device.volume)

    @property
    def flags(self) -> frozenset[str]:
        return self.peer.resync_suspended or frozenset()

    def say(self, kind: Kind, text: str, state: Optional[State] = None, step: str = "") -> Finding:
        return finding(
            kind,
            subject.volume(self.resource.name, self.device.volume),
            f"{self.name}: {text}",
            state=state,
            nodes=(self.connection.name,),
            resource=self.resource.name,
            step=step,
        )

    @property
    def reconnect(self) -> str:
        """The step that lets both ends negotiate anew."""
        return reconnect_step(self.view, self.resource, self.connection, self.device.volume)

    def others_syncing(self) -> bool:
        """Whether another connection of this volume moves blocks."""
        return any(
            other.replication_state in SYNCING and connection is not self.connection
            for connection, other in peer_devices(self.resource, self.device.volume)
        )


def _left(peer: PeerDevice, *, moves: bool = True) -> str:
    """``27.5% done, 3 min left, 12.0 MiB to go``."""
    out = peer.out_of_sync_kib
    rest = f", {size(out * KIB)} to go" if out else ""
    return progress_words(peer, moves=moves) + rest


def _moved(one: _PeerVolume) -> Optional[bool]:
    """Whether blocks moved between the two readings; ``None`` without a second one."""
    again = one.view.named(DRBD_AGAIN, one.resource.name)
    if again is None:
        return None
    for connection, peer in peer_devices(again, one.device.volume):
        if connection.peer_node_id == one.connection.peer_node_id:
            return (
                peer.out_of_sync_kib != one.peer.out_of_sync_kib
                or peer.received_kib != one.peer.received_kib
                or peer.replication_state is not one.peer.replication_state
            )
    return None


def _target(one: _PeerVolume) -> Iterator[Finding]:
    """A resync to this node: does it move? One latched by a dependency behind another does not."""
    source = one.connection.name
    latched = BY_DEPENDENCY in one.flags and not one.others_syncing()
    moved = _moved(one)
    left = _left(one.peer, moves=False)
    if BY_USER in one.flags:
        yield _paused(one)
    elif moved is False or (moved is None and stands_still(one.peer)):
        text = f"resync from {source} does not move, {left}{_held_by(one)}"
        yield one.say(STALLED, text, step=one.reconnect)
    elif moved is None and latched:
        why = ",".join(sorted(one.flags))
        text = f"resync from {source} is latched (resync-suspended: {why}), {left}"
        yield one.say(STALLED, text, step=one.reconnect)
    else:
        step = f"Wait; watch it with: drbdadm status {pasted(one.resource.name)}"
        step += congestion_words(one.view, one.resource, one.connection)
        yield one.say(TARGET, f"resync from {source}, {_left(one.peer)}", step=step)


def _held_by(one: _PeerVolume) -> str:
    """Other connections of the volume that a dependency holds up, though nothing is before it."""
    held = [
        c.name
        for c, p in peer_devices(one.resource, one.device.volume)
        if c is not one.connection and BY_DEPENDENCY in (p.resync_suspended or ())
    ]
    return f" (suspended by dependency towards {join(held, 1)})" if held else ""


def _paused(one: _PeerVolume) -> Finding:
    """A resync that somebody holds: whose copy stays old, and where it was paused."""
    peer, here = one.connection.name, one.view.here
    state = one.peer.replication_state
    target = peer if state in _FROM_HERE else here
    setter = here if BY_USER in one.flags else peer if BY_PEER in one.flags else ""
    # Of its own pause a node knows that it was set by hand; a peer's may wait for another resync.
    who = f" by hand on {here}" if setter == here else f" on {peer}" if setter else ""
    step = pause_step(one.view, one.resource, one.connection, one.peer) or ""
    said = one.say(PAUSED, f"resync of {target} is paused{who} ({state_name(state)})", step=step)
    return said._replace(nodes=tuple(dict.fromkeys((target, setter or peer))))


_FROM_HERE = frozenset({ReplicationState.PAUSED_SYNC_S, ReplicationState.SYNC_SOURCE})


def _paused_target(one: _PeerVolume, runs_somewhere: bool) -> Iterator[Finding]:
    """PausedSyncT: by somebody, waiting its turn, or waiting for ever."""
    if BY_USER in one.flags:
        yield _paused(one)
        return
    if syncing_to_here(one.resource, one.device.volume) is not None:
        return  # ordinary: the disk is filled from another source
    if BY_PEER in one.flags and not one.others_syncing():
        yield _paused(one)
    elif BY_DEPENDENCY in one.flags:
        if runs_somewhere:
            yield one.say(WAITING, f"resync from {one.connection.name} waits for its turn")
        else:
            text = f"resync from {one.connection.name} waits, and no resync runs"
            yield one.say(STALLED, text, step=one.reconnect)
    elif not one.flags:
        yield _paused(one)


def _established(one: _PeerVolume, asked: Asked) -> Iterator[Finding]:
    """A quiet link: is what it says of both ends consistent with its counters?"""
    own, theirs = one.device.disk_state, one.peer.peer_disk_state
    out = one.peer.out_of_sync_kib
    if own is DiskState.UP_TO_DATE and theirs is DiskState.UP_TO_DATE:
        if out:
            yield from _out_of_sync(one, asked, out * KIB)
        return
    old = {DiskState.INCONSISTENT, DiskState.OUTDATED, DiskState.CONSISTENT}
    if not out or one.peer.resync_suspended is None or one.flags:
        return
    peer, rest = one.connection.name, size(out * KIB)
    if own is DiskState.UP_TO_DATE and theirs in old:
        text = f"{peer} is {state_name(theirs)}, {rest} out of sync, and no resync runs"
        step = copy_step(one.view, one.resource, one.device, peer)
        yield one.say(NOT_SYNCING, text, step=step)
    elif own in old and theirs is DiskState.UP_TO_DATE:
        text = f"{state_name(own)} here, {rest} out of sync to {peer}, and no resync runs"
        step = own_copy_step(one.view, one.resource, one.device)
        yield one.say(NOT_SYNCING, text, step=step)


def _out_of_sync(one: _PeerVolume, asked: Asked, count: int) -> Iterator[Finding]:
    state = asked.limited_state(count) if asked.has_limits else None
    if state is not State.OK:
        peer, volume = one.connection.name, one.device.volume
        text = f"{size(count)} marked out of sync with {peer}, both UpToDate"
        odd = odd_copy(one.view, one.resource, volume)
        if odd == peer:
            text += f"; none with {join(_in_step(one), 3)}"
        elif odd is not None:
            text += f"; {odd} is in step with no other copy"
        name = pasted(one.resource.name)
        step = (
            f"Does {peer} count it, too (there: drbdsetup status {name} --statistics)? If not, it"
            " may be a mark left over: compare. "
            f"{compare_step(one.view, one.resource.name, volume, peer, odd)}"
        )
        yield one.say(OUT_OF_SYNC, text, state, step)


def _in_step(one: _PeerVolume) -> list[str]:
    """The other good copies towards which nothing is marked."""
    return [
        c.name
        for c, p in peer_devices(one.resource, one.device.volume)
        if c.is_connected and p.peer_disk_state is DiskState.UP_TO_DATE and not p.out_of_sync_kib
    ]


def _judge_one(one: _PeerVolume, asked: Asked, runs_somewhere: bool) -> Iterator[Finding]:
    state = one.peer.replication_state
    peer = one.connection.name
    if state is ReplicationState.SYNC_TARGET:
        yield from _target(one)
    elif state is ReplicationState.PAUSED_SYNC_T:
        yield from _paused_target(one, runs_somewhere)
    elif state is ReplicationState.PAUSED_SYNC_S:
        if BY_USER in one.flags or (BY_PEER in one.flags and not one.others_syncing()):
            yield _paused(one)
    elif state in HANDSHAKE and _moved(one) is False:
        text = f"resync handshake with {peer} stands still ({state_name(state)})"
        yield one.say(STALLED, text, step=one.reconnect)
    elif state in HANDSHAKE:
        text = f"resync handshake with {peer} ({state_name(state)})"
        yield one.say(SHAKING, text, step=f"Wait some seconds; if it stays, {one.reconnect}")
    elif state in (ReplicationState.AHEAD, ReplicationState.BEHIND):
        of = " of" if state is ReplicationState.AHEAD else ""
        text = f"{one.view.here} is {state_name(state)}{of} {peer}"
        out = one.peer.out_of_sync_kib
        rest = f", {size(out * KIB)} out of sync" if out else ""
        step = (
            "Check the bandwidth of the replication network"
            f"{congestion_words(one.view, one.resource, one.connection)}"
        )
        known = "on-congestion" in step
        yield one.say(BEHIND, text + rest, step=step if known else "")
    elif BY_USER in one.flags:
        out = one.peer.out_of_sync_kib
        rest = f"{size(out * KIB)} out of sync" if out else "nothing is to sync"
        step = pause_step(one.view, one.resource, one.connection, one.peer) or ""
        yield one.say(PAUSED, f"{_LEFT_BEHIND}{peer} was left behind, {rest}", step=step)
    elif state is ReplicationState.ESTABLISHED and one.connection.is_connected:
        yield from _established(one, asked)


_LEFT_BEHIND = "a pause of the resync with "


def _pauses_once(findings: Sequence[Finding]) -> Iterator[Finding]:
    """The findings, with the pauses of a volume that end by the same step as one.

    A pause is set for all peers at once; what it holds up is told before what it left behind.
    """
    alike: dict[tuple[subject.Subject, str], list[Finding]] = {}
    for each in findings:
        if each.kind is PAUSED:
            alike.setdefault((each.subject, each.next_step), []).append(each)
    told = {
        first: same
        for same in alike.values()
        for first in [next((each for each in same if not _is_left(each)), same[0])]
    }
    for each in dict.fromkeys(findings):
        same = told.get(each, [])
        if each.kind is PAUSED and not same:
            continue
        others = [name for other in same for name in other.nodes if name not in each.nodes]
        if others:  # of what it left behind, the peers are told
            peers = join([*each.nodes, *dict.fromkeys(others)])
            text = each.text.replace(f" {each.nodes[0]} was", f" {peers} was")
            yield each._replace(text=text)
        else:
            yield each


def _is_left(each: Finding) -> bool:
    return _LEFT_BEHIND in each.text


def _peer_volumes(
    view: View, resources: Iterable[DrbdResource], *, quiet: bool
) -> Iterator[_PeerVolume]:
    """Every volume towards every peer.

    :param quiet: those of which there is nothing to be said, too.
    """
    return (
        _PeerVolume(view, resource, device, connection, peer)
        for resource in resources
        for device in resource.devices
        for connection, peer in peer_devices(resource, device.volume)
        if quiet or not _is_quiet(peer)
    )


def _is_quiet(peer: PeerDevice) -> bool:
    """Whether there is nothing at all to be said: nearly all of a large node are so."""
    return peer.replication_state is ReplicationState.ESTABLISHED and not (
        peer.out_of_sync_kib or peer.resync_suspended or peer.verifying
    )


def _runs(resources: Iterable[DrbdResource]) -> bool:
    """Whether a resync runs anywhere."""
    return any(
        peer.replication_state in SYNCING
        for resource in resources
        for device in resource.devices
        for _, peer in peer_devices(resource, device.volume)
    )


def _words(one: _PeerVolume) -> Optional[str]:
    """What is worth saying though it is no fault."""
    state = one.peer.replication_state
    if state is ReplicationState.SYNC_SOURCE:
        return f"{one.name}: source of a resync to {one.connection.name}, {_left(one.peer)}"
    if one.peer.verifying:
        return f"{one.name}: {verify_words(one.connection, one.peer)}"
    if state is ReplicationState.PAUSED_SYNC_S:
        return f"{one.name}: a resync to {one.connection.name} waits, {_left(one.peer)}"
    if _is_held_back(one):
        return (
            f"{one.name}: {one.connection.name} holds back the next resync (resync-suspended: peer)"
        )
    other = {BY_PEER, BY_DEPENDENCY} & one.flags
    if other and one.peer.peer_disk_state is DiskState.INCONSISTENT:
        return f"{one.name}: {one.connection.name} is resynchronised from another node"
    return None


def _is_held_back(one: _PeerVolume) -> bool:
    """Whether a peer paused what is not to be done now: it warns of that itself."""
    return (
        one.peer.replication_state is ReplicationState.ESTABLISHED
        and one.flags == {BY_PEER}
        and not one.others_syncing()
        and one.peer.peer_disk_state is DiskState.UP_TO_DATE
    )


def judge(view: View, asked: Asked) -> Report:
    """Every volume towards every peer."""
    resources = view[DRBD].value
    if resources is None:
        return Report()
    peer_volumes = list(_peer_volumes(view, resources, quiet=False))
    # A resync may wait for that of a resource that --resource leaves out.
    runs_somewhere = _runs(resources) or _runs(view.drbd_others)
    each_peers = [each for s in peer_volumes for each in _judge_one(s, asked, runs_somewhere)]
    findings = [*_pauses_once(each_peers)]
    notes = [words for words in map(_words, peer_volumes) if words is not None]
    beside = [one for one in peer_volumes if one.peer.verifying or _is_held_back(one)]
    names = [
        resource.name
        for resource in resources
        if any(peer_devices(resource, device.volume) for device in resource.devices)
    ]
    most = max((one.peer.out_of_sync_kib or 0 for one in peer_volumes), default=0) * KIB
    quiet = f"no resync runs, {size(most)} out of sync" if most else "nothing to resync"
    if len(names) <= 3:
        quiet = f"{', '.join(names)}: {quiet}"
    return Report(
        tuple(findings),
        "; ".join(notes) if notes else quiet,
        _figures(resources, most),
        Lines(
            lambda: (
                f"replication {s.name} with {s.connection.name}:"
                f" {state_name(s.peer.replication_state)},"
                f" peer disk {state_name(s.peer.peer_disk_state)}"
                for s in _peer_volumes(view, resources, quiet=True)
            )
        ),
        running=tuple(words for one in beside if (words := _words(one)) is not None),
    )


def _figures(resources: Iterable[DrbdResource], most: int) -> tuple[Figure, ...]:
    """Per volume the worst peer: a sum over peers would not be the data at risk.

    :param most: bytes out of sync of the worst of all.
    """
    volumes = [
        (resource, device.volume, peers)
        for resource in resources
        for device in resource.devices
        if (peers := peer_devices(resource, device.volume))
    ]
    figures = [Figure("out_of_sync_max", most, "B", 0, limited=True)]
    if len(volumes) > MOST_SINGLE_FIGURES:
        return tuple(figures)
    for resource, volume, peers in volumes:
        name = volume_name(resource, volume)
        out = max((peer.out_of_sync_kib or 0) * KIB for _, peer in peers)
        figures.append(Figure(f"{name}_out_of_sync", out, "B", 0))
        parts = [p.percent_in_sync for _, p in peers if p.percent_in_sync is not None]
        if parts:
            figures.append(Figure(f"{name}_in_sync", min(parts), "%", 0, 100))
    return tuple(figures)


CHECK = Check(
    name="drbd-sync",
    question="Is replication current?",
    needs=(DRBD,),
    uses=(DRBD_AGAIN,),
    hints=(SHOW,),
    rule=judge,
    kinds=(TARGET, PAUSED, WAITING, STALLED, NOT_SYNCING, SHAKING, OUT_OF_SYNC, BEHIND),
    figures=(
        ("out_of_sync_max", "most bytes out of sync on one connection"),
        ("{volume}_out_of_sync", "most bytes out of sync towards one peer"),
        ("{volume}_in_sync", "per cent in sync with the worst peer (drbd-utils 9.4 or later)"),
    ),
    options=(
        Option(
            "--sample",
            "Read twice, this many seconds apart, and report a resync that does not move.",
            "seconds",
            metavar="SECONDS",
        ),
    ),
    number="the bytes out of sync of each connection; the ranges replace out-of-sync",
    filters="drbd",
    settings=("drbd",),
    example="check_mccluster drbd-sync -w 1048576",
)
