"""Facts that several DRBD rules need: who is Primary, which copies can be reached.

Long because a fact that two rules ask for stands here once, whatever it is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Optional

from ...inputs.drbdsetup import DRBD, SHOW
from ...model.config import DrbdRule
from ...model.drbd import (
    KIB,
    Connection,
    Device,
    DiskState,
    DrbdResource,
    PeerDevice,
    ReplicationState,
    Role,
    ShownResource,
)
from ...model.words import has_digits
from ...values import NamedTuple
from ...verdict import subject
from ...verdict.finding import Finding, Kind, State, finding
from ...verdict.view import View, contains_node
from ...verdict.words import duration, join, pasted, size

PRIMARY_MULTIPLE = Kind(
    "primary-multiple",
    State.CRITICAL,
    "Two nodes are Primary although two Primaries are not allowed.",
    "drbdadm status {resource} on every node; crm_mon -1 -r; stop the service where it must not"
    " run, do not disconnect anything before",
)
PRIMARY_NONE = Kind(
    "primary-none",
    State.WARNING,
    "No node is Primary: every peer is connected, so none can be Primary unseen. The data is"
    " not in use.",
    "drbdadm status {resource}; is the service meant to be down? crm_mon -1 -r",
)
STANDALONE = Kind(
    "peer-standalone",
    State.CRITICAL,
    "The connection is StandAlone: split brain, refused, or disconnected by hand. It will not"
    " reconnect by itself.",
    "journalctl -k -g Split-Brain; if it finds nothing: drbdadm connect {resource}:{peer}; where"
    " it falls back to StandAlone: journalctl -k -g drbd tells why",
)
CONNECTING = Kind(
    "peer-connecting",
    State.WARNING,
    "A peer is not connected and DRBD tries to reach it.",
    "on {peer}: drbdadm status {resource}; not up: drbdadm up {resource}; StandAlone: drbdadm"
    " connect {resource} (not after a split brain: journalctl -k -g Split-Brain); else ping its"
    " address, the firewall for its port (drbdsetup show {resource})",
)
ISOLATED = Kind(
    "mesh-isolated",
    State.CRITICAL,
    "No peer is connected at all: nothing is replicated from or to this node.",
    "Check this node's replication network and firewall; StandAlone is split brain or a refusal:"
    " journalctl -k -g Split-Brain; drbdadm status {resource}",
)

SYNCING = frozenset({ReplicationState.SYNC_TARGET, ReplicationState.SYNC_SOURCE})
TOWARDS_HERE = frozenset(
    {
        ReplicationState.WF_BITMAP_T,
        ReplicationState.WF_SYNC_UUID,
        ReplicationState.STARTING_SYNC_T,
    }
)
HANDSHAKE = TOWARDS_HERE | {ReplicationState.WF_BITMAP_S, ReplicationState.STARTING_SYNC_S}


def volume_name(resource: DrbdResource, volume: int) -> str:
    """``r0/0``: how drbdadm names a volume."""
    return f"{resource.name}/{volume}"


def shown(view: View, name: str) -> Optional[ShownResource]:
    """The options in force for a resource, if ``drbdsetup show`` could be read."""
    return view.named(SHOW, name)


def reconnected(resource: str, peer: str) -> str:
    """The commands that let this node and *peer* negotiate anew."""
    about = f"{pasted(resource)}:{pasted(peer)}"
    return f"drbdadm disconnect {about}; drbdadm connect {about}"


_WINDOW_MS = 3000
"""The kernel sets a mark about every 3 s (DRBD_SYNC_MARK_STEP): less says nothing."""
_OLD_MARK_MS = 120_000
"""A mark of minutes: no block has moved since, for the kernel sets one with progress only."""


def stands_still(peer: PeerDevice) -> bool:
    """Whether the kernel's own marks of a resync say that no block moves; either end has them."""
    progress = peer.progress
    return progress is not None and (
        (progress.recent_sectors == 0 and (progress.window_ms or 0) >= _WINDOW_MS)
        or (progress.mark_ms or 0) >= _OLD_MARK_MS
    )


# -- roles -------------------------------------------------------------------------------------


class Primaries(NamedTuple):
    """Who is Primary, as seen from here.

    :param names: the Primaries known. :param complete: every peer is connected and tells its
        role, so nobody else can be Primary unseen. :param hidden: peers whose role is not known.
    """

    names: tuple[str, ...]
    complete: bool
    hidden: tuple[str, ...]


def primaries(view: View, resource: DrbdResource) -> Primaries:
    """Collect the Primaries of a resource, this node included."""
    names = [view.here] if resource.role is Role.PRIMARY else []
    names += [c.name for c in resource.connections if c.peer_role is Role.PRIMARY]
    hidden = tuple(
        [
            c.name
            for c in resource.connections
            if not c.is_connected or c.peer_role not in (Role.PRIMARY, Role.SECONDARY)
        ]
    )
    own = resource.role in (Role.PRIMARY, Role.SECONDARY)
    return Primaries(tuple(names), own and not hidden, hidden)


def two_primaries(view: View, resource: DrbdResource, seen: Primaries) -> Optional[Finding]:
    """``primary-multiple``, unless ``allow-two-primaries`` is set on a connection."""
    if len(seen.names) < 2:
        return None
    options = shown(view, resource.name)
    if options is not None and any(c.allow_two_primaries for c in options.connections):
        return None
    text = f"{resource.name}: {len(seen.names)} Primaries: {', '.join(seen.names)}"
    if options is None:
        text += " (allowed or not: drbdsetup show does not tell)"
    return finding(PRIMARY_MULTIPLE, subject.drbd(resource.name), text, nodes=seen.names)


def no_primary(idle: Sequence[str]) -> Iterator[Finding]:
    """Resources without a Primary, in one finding: usually they are all idle together."""
    if idle:
        text = f"{idle[0]}: no node is Primary"
        if len(idle) > 1:
            text = f"no node is Primary of {len(idle)} resources ({join(idle, 2)})"
        yield finding(PRIMARY_NONE, subject.drbd(idle[0]), text)


# -- copies ------------------------------------------------------------------------------------


class Copies(NamedTuple):
    """UpToDate copies of a volume that can be reached from here, and how many there should be.

    :param up_to_date: nodes with a reachable UpToDate copy. :param replicas: nodes that should
        have one. :param unknown: peers of which nobody can say whether they should.
    """

    up_to_date: tuple[str, ...]
    replicas: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Replicas without a reachable UpToDate copy."""
        return tuple(name for name in self.replicas if name not in self.up_to_date)


def is_client(view: View, resource: DrbdResource, device: Device) -> Optional[bool]:
    """Whether this node is an intended client for the volume; ``None`` if nobody can say."""
    if device.client is not None:
        return device.client
    rule = view.config.drbd.get(resource.name)
    if device.disk_state is not DiskState.DISKLESS:
        return False
    if rule is not None and contains_node(rule.clients, view.node):
        return True
    if rule is not None and contains_node(rule.replicas, view.node):
        return False
    return None


NEVER_ATTACHED = "never-attached"
"""The word for "no disk was ever attached here": the reason why nothing was connected either."""


MINIMUM_REDUNDANCY = "minimum-redundancy"
"""The word for a quorum that has its votes, and lacks good copies."""


def never_attached(view: View, resource: DrbdResource) -> bool:
    """Whether no volume of this node's has a size: no disk told one, and no peer did."""
    return any(is_client(view, resource, device) is False for device in resource.devices) and all(
        device.size_kib == 0 and device.disk_state is DiskState.DISKLESS
        for device in resource.devices
    )


def _peer_is_client(
    rule: Optional[DrbdRule], connection: Connection, device: PeerDevice
) -> Optional[bool]:
    if rule is not None:
        if contains_node(rule.replicas, connection.name):
            return False
        if contains_node(rule.clients, connection.name):
            return True
    if device.peer_client is not None:
        return device.peer_client
    # A peer with any disk is a replica; a diskless or unreachable one may be either.
    if connection.is_connected and device.peer_disk_state is not DiskState.DISKLESS:
        return False
    return None


def copies(view: View, resource: DrbdResource, device: Device) -> Copies:
    """Count the copies of a volume: own disk, and those of connected peers."""
    good: list[str] = []
    replicas: list[str] = []
    unknown: list[str] = []
    rule = view.config.drbd.get(resource.name)
    listed = (rule.replicas or ()) if rule is not None else ()
    client = is_client(view, resource, device) and not contains_node(listed, view.node)
    if client is None:
        unknown.append(view.here)
    elif not client:
        replicas.append(view.here)
    if device.disk_state is DiskState.UP_TO_DATE:
        good.append(view.here)
    for connection, peer in peer_devices(resource, device.volume):
        role = peer.peer_client
        if rule is not None or role is None:
            role = _peer_is_client(rule, connection, peer)
        if role is None:
            unknown.append(connection.name)
        elif not role:
            replicas.append(connection.name)
        if peer.peer_disk_state is DiskState.UP_TO_DATE and connection.is_connected:
            good.append(connection.name)
    if listed:
        seen = (view.here, *(connection.name for connection in resource.connections))
        replicas += [name for name in listed if not contains_node(seen, name)]
    return Copies(tuple(good), tuple(replicas), tuple(unknown))


def unread(view: View, resource: DrbdResource) -> set[str]:
    """Peers that this node must not read from: ``allow-remote-read no`` (drbd.conf-9.0(5))."""
    options = shown(view, resource.name)
    return {
        each.name
        for each in (options.connections if options is not None else ())
        if each.name is not None and each.net.get("allow-remote-read") in ("False", "no")
    }


def can_read(view: View, resource: DrbdResource, have: Copies) -> bool:
    """Whether this node has a good copy, or may read one of those that it reaches."""
    return view.here in have.up_to_date or not {*have.up_to_date} <= unread(view, resource)


def has_io(view: View, resource: DrbdResource, device: Device) -> bool:
    """Whether the volume can be read and written here: quorum, and an UpToDate copy."""
    return (
        device.quorum is not False
        and not resource.suspended
        and not resource.force_io_failures
        and can_read(view, resource, copies(view, resource, device))
    )


# -- votes: replicas vote, clients break a tie (calc_quorum in drbd_state.c) --------------------


class Ballot(NamedTuple):
    """Votes of a volume as seen from here.

    :param present: replicas that count. :param needed: votes for the quorum.
    :param unseen: replicas that are not connected to this node; others may be to them.
    """

    present: int
    needed: int
    unseen: frozenset[str]


def ballot(
    view: View,
    resource: DrbdResource,
    device: Device,
    have: Copies,
    gone: tuple[str, ...] = (),
) -> Optional[Ballot]:
    """The votes without the nodes that are *gone*; ``None`` where nobody can say.

    Half of an even number of replicas keeps the quorum while most clients are connected: they
    break the tie. A node that lost its own disk has no vote there.
    """
    options = shown(view, resource.name)
    due = len(have.replicas)
    if options is None or have.unknown or not due:
        return None
    needed = needed_votes(options.quorum, due)
    if needed is None:
        return None
    connected = {c.name for c in resource.connections if c.is_connected}
    if view.here not in have.replicas or device.disk_state is not DiskState.DISKLESS:
        connected.add(view.here)
    replicas = frozenset(have.replicas)
    clients = {view.here, *(c.name for c in resource.connections)} - replicas
    there = {name for name in connected if not contains_node(gone, name)}
    if due % 2 == 0 and 2 * len(there & clients) > len(clients):
        needed -= 1
    return Ballot(len(there & replicas), needed, replicas - connected)


def needed_votes(option: Optional[str], due: int) -> Optional[int]:
    """Votes that the option ``quorum`` asks for; ``None`` if it is off, or not known.

    :param due: replicas that there should be.
    """
    words = {"majority": due // 2 + 1, "all": due}
    if option is None or option in words:
        return words.get(option or "")
    return int(option) if has_digits(option) else None


# -- synchronisation ---------------------------------------------------------------------------


def peer_devices(resource: DrbdResource, volume: int) -> list[tuple[Connection, PeerDevice]]:
    """Every peer's device of one volume, with its connection."""
    return [
        (connection, device)
        for connection in resource.connections
        for device in connection.peer_devices
        if device.volume == volume
    ]


def syncing_to_here(resource: DrbdResource, volume: int) -> Optional[tuple[Connection, PeerDevice]]:
    """The connection over which a resync to this node's disk runs, if one does."""
    for connection in resource.connections:
        for device in connection.peer_devices:
            if device.replication_state is ReplicationState.SYNC_TARGET and device.volume == volume:
                return connection, device
    return None


def about_to_sync(resource: DrbdResource, volume: int) -> bool:
    """Whether a handshake towards this node's disk runs: a resync begins at any moment."""
    return any(
        device.replication_state in TOWARDS_HERE and device.volume == volume
        for connection in resource.connections
        for device in connection.peer_devices
    )


def resyncs(view: View, about: subject.Subject) -> Iterator[tuple[str, timedelta]]:
    """The resyncs of a volume, a resource or a connection, with how long each runs."""
    known = view.named(DRBD, about.name)
    for connection in known.connections if known is not None else ():
        for peer in connection.peer_devices:
            ran = peer.progress.running_ms if peer.progress is not None else None
            if ran is None or peer.replication_state not in SYNCING:
                continue
            if about.volume not in (None, peer.volume):
                continue
            if about.ends and connection.name not in about.ends:
                continue
            ends = [connection.name, view.here]
            if peer.replication_state is ReplicationState.SYNC_SOURCE:
                ends.reverse()
            yield f"resync from {ends[0]} to {ends[1]}", timedelta(milliseconds=ran)


def progress_words(device: PeerDevice, *, moves: bool = True) -> str:
    """``27.5% done, 3 min left``, as far as the tool says.

    :param moves: without that the tool's time left is of the past.
    """
    progress = device.progress
    if progress is None or progress.percent_done is None:
        return "progress unknown"
    seconds = progress.seconds_left if moves else None
    left = f", {duration(seconds)} left" if seconds is not None else ""
    return f"{progress.percent_done:.1f}% done{left}"


def verify_words(connection: Connection, device: PeerDevice) -> str:
    """An online verify that runs, and what it found so far."""
    out = device.out_of_sync_kib
    differs = f", {size(out * KIB)} out of sync so far" if out else ""
    return f"online verify with {connection.name}{differs}, {progress_words(device)}"


def by_name(resources: Sequence[DrbdResource], name: str) -> Optional[DrbdResource]:
    """The resource of that name."""
    return next((resource for resource in resources if resource.name == name), None)


MOST_SINGLE_FIGURES = 16
"""Above so many volumes only totals are given: performance data stays bounded."""
