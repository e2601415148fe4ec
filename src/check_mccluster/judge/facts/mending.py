"""How a copy of DRBD's data is brought back: what is wrong with it, and steps that hurt nobody.

None of them overwrites data or takes a disk away. A step that is to be typed on another node says
``on NODE:`` first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from ...model.drbd import (
    BY_DEPENDENCY,
    BY_PEER,
    BY_USER,
    Connection,
    ConnectionState,
    Device,
    DiskState,
    DrbdResource,
    PeerDevice,
    ReplicationState,
    Role,
)
from ...model.words import state_name
from ...verdict.view import View
from ...verdict.words import join, pasted
from .drbd import HANDSHAKE, peer_devices, stands_still

_TO_PEER = frozenset({ReplicationState.SYNC_SOURCE, ReplicationState.PAUSED_SYNC_S})
_TO_HERE = frozenset({ReplicationState.SYNC_TARGET, ReplicationState.PAUSED_SYNC_T})
_HELD = frozenset({BY_USER, BY_PEER})
_NO_DISK = frozenset({DiskState.DISKLESS, DiskState.FAILED, DiskState.DETACHING})


def _disk_words(state: object, where: str = "") -> str:
    if state is DiskState.DISKLESS:
        return f"its disk is lost{where}"
    if state in (DiskState.FAILED, DiskState.DETACHING):
        return f"its disk is {state_name(state)}{where}"
    if state is DiskState.INCONSISTENT:
        return "Inconsistent (half a copy)"
    if state is DiskState.OUTDATED:
        return "Outdated (whole, but old)"
    return state_name(state)


def _by_another(peer: PeerDevice) -> bool:
    """Whether a third node brings the peer's disk up to date: this connection waits for that."""
    flags = peer.resync_suspended or frozenset()
    return bool(flags & {BY_PEER, BY_DEPENDENCY}) and BY_USER not in flags


def _syncing_words(peer: PeerDevice) -> str:
    done = peer.progress.percent_done if peer.progress is not None else None
    still = ", the resync does not move" if stands_still(peer) else ""
    return f"being resynchronised{f', {done:.1f}% done' if done is not None else ''}{still}"


def copy_words(view: View, resource: DrbdResource, device: Device, name: str) -> str:
    """Why the copy of node *name* does not count; empty where nobody tells.

    A peer that is not connected tells nothing of its disk.
    """
    if name == view.here:
        for _, peer in peer_devices(resource, device.volume):
            if peer.replication_state is ReplicationState.SYNC_TARGET:
                return _syncing_words(peer)
        return _disk_words(device.disk_state)
    for connection, peer in peer_devices(resource, device.volume):
        if connection.name != name or not connection.is_connected:
            continue
        if peer.peer_disk_state is DiskState.D_UNKNOWN:
            return ""
        if peer.replication_state is ReplicationState.SYNC_SOURCE:
            return _syncing_words(peer)
        if peer.peer_disk_state is DiskState.INCONSISTENT and _by_another(peer):
            return "being resynchronised by another"
        return _disk_words(peer.peer_disk_state, " there")
    return ""


def missing_words(
    view: View, resource: DrbdResource, device: Device, names: Sequence[str]
) -> tuple[str, ...]:
    """The nodes without a usable copy, those in the same state together: ``px1: Outdated``."""
    together: dict[str, list[str]] = {}
    for name in names:
        together.setdefault(copy_words(view, resource, device, name), []).append(name)
    return tuple(
        f"{join(same)}: {words}" if words else join(same) for words, same in together.items()
    )


# -- steps -------------------------------------------------------------------------------------


def connection_step(view: View, resource: DrbdResource, connection: Connection, *more: str) -> str:
    """How a connection that is down comes back.

    :param more: other nodes that are to be looked at in the same way.
    """
    name, peer = pasted(resource.name), pasted(connection.name)
    if connection.state is ConnectionState.STANDALONE:
        alone = all(c.state is ConnectionState.STANDALONE for c in resource.connections)
        which = name if alone and len(resource.connections) > 1 else f"{name}:{peer}"
        return (
            f"on {view.here}: journalctl -k -g Split-Brain; if it finds nothing: drbdadm connect"
            f" {which}; where it falls back to StandAlone: journalctl -k -g drbd tells why"
        )
    where = join((connection.name, *more))
    return (
        f"on {where}: drbdadm status {name}; without an answer: is the host up, and is it reached"
        " over the replication network"
    )


def resource_step(resource: DrbdResource, where: str) -> str:
    """How a resource is reached on hosts that other resources reach."""
    name = pasted(resource.name)
    return (
        f"on {where}: drbdadm status {name}; where it is not up: drbdadm up {name};"
        f" where it is: its addresses and port (drbdsetup show {name}), the firewall"
    )


def reconnect_step(view: View, resource: DrbdResource, connection: Connection, volume: int) -> str:
    """Let two nodes negotiate anew; not where the service reads over that very connection."""
    name, peer = pasted(resource.name), pasted(connection.name)
    again = f"drbdadm disconnect {name}:{peer}; drbdadm connect {name}:{peer}"
    own = next((d.disk_state for d in resource.devices if d.volume == volume), None)
    others = any(
        c.is_connected and c is not connection and p.peer_disk_state is DiskState.UP_TO_DATE
        for c, p in peer_devices(resource, volume)
    )
    if resource.role is Role.PRIMARY and own is not DiskState.UP_TO_DATE and not others:
        return (
            f"journalctl -k -g drbd on {view.here} and {connection.name}; {view.here} is Primary"
            f" and reads from {connection.name}: stop or move the service before: {again}"
        )
    device = connection.peer_device(volume)
    theirs = device.peer_disk_state if device is not None else None
    if connection.peer_role is Role.PRIMARY and theirs is not DiskState.UP_TO_DATE:
        return (
            f"journalctl -k -g drbd on {view.here} and {connection.name}; {connection.name} is"
            f" Primary and reads from here: stop or move the service before: {again}"
        )
    return f"on {view.here}: {again}; if it stays: journalctl -k -g drbd"


def pause_step(
    view: View, resource: DrbdResource, connection: Connection, peer: PeerDevice
) -> Optional[str]:
    """End a pause that somebody set, on the node that set it; ``None`` where nobody did."""
    flags = peer.resync_suspended or frozenset()
    where = [
        node for flag, node in ((BY_USER, view.here), (BY_PEER, connection.name)) if flag in flags
    ]
    if not where:
        return None
    return "; ".join(f"on {node}: drbdadm resume-sync {pasted(resource.name)}" for node in where)


def own_copy_step(view: View, resource: DrbdResource, device: Device) -> str:
    """How the disk of this node, which is not a usable copy, becomes one."""
    peers = peer_devices(resource, device.volume)
    if any(peer.replication_state is ReplicationState.SYNC_TARGET for _, peer in peers):
        return f"Wait; watch it on {view.here} with: drbdadm status {pasted(resource.name)}"
    for connection, peer in peers:
        held = (peer.resync_suspended or frozenset()) & _HELD
        if held and peer.replication_state in _TO_HERE:
            step = pause_step(view, resource, connection, peer)
            if step is not None:
                return step
    for connection, peer in peers:
        if peer.replication_state in HANDSHAKE:
            wait = "Wait some seconds; if it stays, "
            return wait + reconnect_step(view, resource, connection, device.volume)
    # The connection that is missing is the one to the node that has written since; to what is half
    # a copy a client can bring nothing.
    half = device.disk_state is DiskState.INCONSISTENT
    down = [c for c, peer in peers if not c.is_connected and not (half and peer.peer_client)]
    alone = [each for each in down if each.state is ConnectionState.STANDALONE]
    if down:
        return connection_step(view, resource, (alone or down)[0])
    for connection, peer in peers:
        if peer.peer_disk_state is DiskState.UP_TO_DATE:
            return reconnect_step(view, resource, connection, device.volume)
    servers = [(c.name, peer) for c, peer in peers if not peer.peer_client]
    if half and servers and all(p.peer_disk_state is DiskState.INCONSISTENT for _, p in servers):
        return no_good_copy_step((view.here, *(name for name, _ in servers)))
    return f"drbdadm status {pasted(resource.name)} on every node: which of them has a good copy"


def no_good_copy_step(names: Sequence[str]) -> str:
    """Where every copy is half a copy: lost, or never synchronised."""
    return (
        f"on {join(names)}: journalctl -k -g drbd: was one of them UpToDate before?"
        " Then its data come from a backup. A resource that never had any needs its first sync:"
        " see DRBD's guide, 'The initial device synchronization'"
    )


def attach_step(resource: DrbdResource, device: Device, name: str) -> str:
    """How node *name* gets its disk back. Without a size nobody ever attached one here."""
    volume = f"{pasted(resource.name)}/{device.volume}"
    never = device.size_kib == 0
    look = f"drbdadm dump-md {volume} tells whether it has metadata; " if never else ""
    return (
        f"on {name}: {look}journalctl -k -g drbd; check the backing disk (smartctl, multipath);"
        f" when it is good: drbdadm attach {volume}"
    )


def copy_step(view: View, resource: DrbdResource, device: Device, name: str) -> str:
    """How the copy of node *name* comes back."""
    title = pasted(resource.name)
    attach = attach_step(resource, device, name)
    if name == view.here:
        if device.disk_state in _NO_DISK:
            return attach
        return own_copy_step(view, resource, device)
    for connection, peer in peer_devices(resource, device.volume):
        if connection.name != name:
            continue
        if not connection.is_connected:
            return connection_step(view, resource, connection)
        if peer.peer_disk_state in _NO_DISK:
            return attach
        held = (peer.resync_suspended or frozenset()) & _HELD
        if held and peer.replication_state in _TO_PEER:
            step = pause_step(view, resource, connection, peer)
            if step is not None:
                return step
        if peer.replication_state is ReplicationState.SYNC_SOURCE:
            if stands_still(peer):
                return reconnect_step(view, resource, connection, device.volume)
            return f"Wait; watch it with: drbdadm status {title}"
        if peer.peer_disk_state is DiskState.INCONSISTENT and _by_another(peer):
            return f"on {name}: drbdadm status {title}; wait until the resync there is done"
        look = (
            f"on {name}: drbdadm status {title}; first bring back a connection that is down there;"
        )
        if peer.peer_disk_state is DiskState.CONSISTENT:
            # A handshake that ended without a resync: only another one takes it up again.
            again = reconnect_step(view, resource, connection, device.volume)
            return f"{look} where all is well there: {again}"
        return f"{look} a pause (resync-suspended:user) ends with: drbdadm resume-sync {title}"
    return f"on {name}: drbdadm status {title}"
