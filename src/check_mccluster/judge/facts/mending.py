"""How a copy of DRBD's data is brought back: what is wrong with it, and steps that hurt nobody.

Long because each state of a connection and of a disk has a step of its own, and they share words.
None of them overwrites data, or takes away a disk that is still in use. A step that is to be typed
on another node says ``on NODE:`` first.
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
from ...verdict.view import View, contains_node
from ...verdict.words import join, pasted, pings
from .drbd import (
    HANDSHAKE,
    Copies,
    ballot,
    copies,
    peer_devices,
    progress_words,
    reconnected,
    shown,
    stands_still,
)

_TO_PEER = frozenset({ReplicationState.SYNC_SOURCE, ReplicationState.PAUSED_SYNC_S})
_TO_HERE = frozenset({ReplicationState.SYNC_TARGET, ReplicationState.PAUSED_SYNC_T})
_HELD = frozenset({BY_USER, BY_PEER})
_NO_DISK = frozenset({DiskState.DISKLESS, DiskState.FAILED, DiskState.DETACHING})
ATTACHING = frozenset({DiskState.ATTACHING, DiskState.NEGOTIATING})


def _disk_words(state: object, where: str = "") -> str:
    if state is DiskState.DISKLESS:
        return f"Diskless{where} (failed or detached)"
    if state in (DiskState.FAILED, DiskState.DETACHING):
        return f"its disk is {state_name(state)}{where}"
    if state is DiskState.INCONSISTENT:
        return "Inconsistent (no usable copy)"
    if state is DiskState.OUTDATED:
        return "Outdated (whole, but old)"
    if state in ATTACHING:
        return f"{state_name(state)}{where}"
    return state_name(state)


def _by_another(peer: PeerDevice) -> bool:
    """Whether a third node brings the peer's disk up to date: this connection waits for that."""
    flags = peer.resync_suspended or frozenset()
    return bool(flags & {BY_PEER, BY_DEPENDENCY}) and BY_USER not in flags


def _syncing_words(peer: PeerDevice) -> str:
    known = peer.progress is not None and peer.progress.percent_done is not None
    done = f", {progress_words(peer, moves=False)}" if known else ""
    still = ", the resync does not move" if stands_still(peer) else ""
    return f"being resynchronised{done}{still}"


def copy_words(view: View, resource: DrbdResource, device: Device, name: str) -> str:
    """Why the copy of node *name* does not count; empty where nobody tells.

    A peer that is not connected tells nothing of its disk; that it was old is remembered.
    """
    if name == view.here:
        for _, peer in peer_devices(resource, device.volume):
            if peer.replication_state is ReplicationState.SYNC_TARGET:
                return _syncing_words(peer)
        if device.disk_state is DiskState.DISKLESS and device.size_kib == 0:
            return "never attached"
        return _disk_words(device.disk_state)
    for connection, peer in peer_devices(resource, device.volume):
        if connection.name != name:
            continue
        if not connection.is_connected:
            return "last known as Outdated" if peer.peer_disk_state is DiskState.OUTDATED else ""
        if peer.peer_disk_state is DiskState.D_UNKNOWN:
            return ""
        if peer.replication_state is ReplicationState.SYNC_SOURCE:
            return _syncing_words(peer)
        if peer.peer_disk_state is DiskState.INCONSISTENT and _by_another(peer):
            return "Inconsistent, resync by another node or paused"
        if _may_be_client(view, resource, device, connection, peer):
            return "Diskless, a bitmap is kept for it: disk failed or detached, or a client"
        return _disk_words(peer.peer_disk_state, " there")
    return ""


def _may_be_client(
    view: View, resource: DrbdResource, device: Device, connection: Connection, peer: PeerDevice
) -> bool:
    """Whether a peer without disk may be a client whose ``bitmap no`` is missing or not in force.

    Only its bitmap tells it from the other diskless peers, for which none is kept.
    """
    if peer.peer_disk_state is not DiskState.DISKLESS or peer.peer_client is not False:
        return False
    rule = view.config.drbd.get(resource.name)
    if rule is not None and contains_node(rule.replicas, connection.name):
        return False
    return device.disk_state is DiskState.UP_TO_DATE and any(
        other.peer_client and other.peer_disk_state is DiskState.DISKLESS and each.is_connected
        for each, other in peer_devices(resource, device.volume)
    )


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


def connection_step(
    view: View,
    resource: DrbdResource,
    connection: Connection,
    *more: str,
    also: Optional[str] = None,
) -> str:
    """How a connection that is down comes back.

    :param more: other nodes that are to be looked at in the same way. :param also: what is to be
        done at the other end of one that is StandAlone; ``None`` where that end was not asked, so
        that the copies may have diverged.
    """
    if connection.state is ConnectionState.STANDALONE:
        return _standalone_step(view, resource, connection, also)
    name = pasted(resource.name)
    where = (connection.name, *more)
    return f"{_there(view, name, where)}; else {network_step(view, resource, where)}"


def all_gone_step(view: View, resource: DrbdResource, peers: Sequence[str]) -> str:
    """The same where every copy is out of reach: the way from here may be what is gone."""
    near = network_step(view, resource, peers)
    there = _there(view, pasted(resource.name), peers)
    return f"all are out of reach of {view.here}: {near}; else {there}"


def gone_everywhere_step(view: View, resource: DrbdResource, peers: Sequence[str]) -> str:
    """The same where no node that was asked reaches them: they are gone, or their network."""
    name, who = pasted(resource.name), join(peers)
    return (
        f"no node reaches {who}: power, network; on {who}: drbdadm status {name}; not up: drbdadm"
        f" up {name}; else {network_step(view, resource, peers)}"
    )


def between_step(view: View, resource: DrbdResource, peers: Sequence[str]) -> str:
    """The same where the other ends answered: what is between is not up."""
    are = "is" if len(peers) == 1 else "are"
    return f"{join(peers)} {are} up, the way there is not: {network_step(view, resource, peers)}"


def _there(view: View, name: str, peers: Sequence[str]) -> str:
    """What to look at on peers that are not reached, or not connected."""
    return (
        f"on {join(peers)}: drbdadm status {name}; not up: drbdadm up {name}; StandAlone: drbdadm"
        f" connect {name}:{pasted(view.here)} (not after a split brain: journalctl -k -g"
        " Split-Brain)"
    )


def network_step(view: View, resource: DrbdResource, peers: Sequence[str]) -> str:
    """What to look at between this node and *peers*."""
    return f"on {view.here}: {reach_words(view, resource, peers)}"


def reach_words(view: View, resource: DrbdResource, peers: Sequence[str]) -> str:
    """How it is seen whether peers are reached, by their addresses where those are known."""
    known = _addresses(view, resource, peers)
    if not known:
        look = f"drbdsetup show {pasted(resource.name)}"
        return f"ping its address, the firewall for its port ({look})"
    return f"{pings([host for host, _ in known[:3]])}; the firewall ({_ports(known)})"


def _addresses(
    view: View, resource: DrbdResource, peers: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """Address and port of each of the peers, as far as ``drbdsetup show`` could be read."""
    options = shown(view, resource.name)
    known = {c.name: c.address for c in options.connections} if options is not None else {}
    pairs = (known.get(peer, "").rpartition(":") for peer in peers)
    return tuple((host.strip("[]"), port) for host, _, port in pairs if host)


def _ports(known: Sequence[tuple[str, str]]) -> str:
    return f"port {join(dict.fromkeys(port for _, port in known))}"


def _standalone_step(
    view: View, resource: DrbdResource, connection: Connection, also: Optional[str]
) -> str:
    """It gave up: for other options, for data of its own, or somebody disconnected it."""
    name, peer = pasted(resource.name), pasted(connection.name)
    alone = all(c.state is ConnectionState.STANDALONE for c in resource.connections)
    which = name if alone and len(resource.connections) > 1 else f"{name}:{peer}"
    odd = odd_options(view, resource, connection)
    if odd:
        words = join([option for option, _, _ in odd])
        return (
            f"on {view.here} and {connection.name}: drbdadm dump {name}: make {words} alike there"
            f" (where it is, it was set by hand); then on both: {adjust_step(name)}; if it falls"
            " back to StandAlone: journalctl -k -g drbd"
        )
    step = (
        f"on {view.here}: journalctl -k -g Split-Brain; if it finds nothing: drbdadm connect"
        f" {which}; where it falls back to StandAlone: journalctl -k -g drbd tells why"
    )
    if also is not None:
        return step + also
    return (
        f"{step}. If it finds one: compare both copies; on the one that is given up, a Secondary:"
        f" drbdadm disconnect {name}; drbdadm connect --discard-my-data {name}; on the other:"
        f" drbdadm connect {name}"
    )


def adjust_step(name: str) -> str:
    """Bring the kernel to what the file says: net-options leaves alone what it does not name."""
    return (
        f"drbdadm --dry-run adjust {name}; where that is all: drbdadm adjust {name} (it resets what"
        " the file does not name, and connects)"
    )


_REFUSED = frozenset(
    (
        *("verify-alg", "csums-alg", "data-integrity-alg", "cram-hmac-alg", "allow-two-primaries"),
        *("after-sb-0pri", "after-sb-1pri", "after-sb-2pri"),
    )
)
"""Options of which each end refuses another value, and that are rarely set for one peer alone."""


def odd_options(
    view: View, resource: DrbdResource, connection: Connection
) -> tuple[tuple[str, str, str], ...]:
    """Where the other connections agree, what this one has otherwise: option, its value, theirs."""
    options = shown(view, resource.name)
    nets = {each.name: each.net for each in options.connections} if options is not None else {}
    own = nets.pop(connection.name, None)
    found: list[tuple[str, str, str]] = []
    if not own or not nets:
        return ()
    for option in sorted(_REFUSED & own.keys()):
        others = {net.get(option) for net in nets.values()}
        theirs = others.pop()
        if not others and theirs is not None and theirs != own[option]:
            found.append((option, own[option] or "none", theirs or "none"))
    return tuple(found)


def odd_words(view: View, resource: DrbdResource, connection: Connection) -> str:
    """The same in words, for the end of a sentence; empty where nothing differs."""
    odd = odd_options(view, resource, connection)
    said = join([f"{option} {own}, elsewhere {theirs}" for option, own, theirs in odd], 2)
    return f"; its net options differ from the other connections: {said}" if odd else ""


def resource_step(view: View, resource: DrbdResource, where: Sequence[str]) -> str:
    """How a resource is reached on hosts that other resources reach."""
    name = pasted(resource.name)
    known = _addresses(view, resource, where)
    port = f" ({_ports(known)})" if known else ""
    return (
        f"{_there(view, name, where)}; else its addresses (drbdsetup show {name}), the"
        f" firewall{port}"
    )


def congestion_words(view: View, resource: DrbdResource, connection: Connection) -> str:
    """Why a copy falls behind again and again: the connection goes on without it when it is full.

    For the end of a step; empty where the option is not known, or blocks.
    """
    options = shown(view, resource.name)
    nets = {c.name: c.net for c in options.connections} if options is not None else {}
    policy = nets.get(connection.name, {}).get("on-congestion", "block")
    if policy == "block":
        return ""
    return f"; it comes again while the link is too slow: on-congestion is {policy}"


def reconnect_step(view: View, resource: DrbdResource, connection: Connection, volume: int) -> str:
    """Let two nodes negotiate anew; not where the service reads over that very connection."""
    again = reconnected(resource.name, connection.name)
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


def wait_step(view: View, resource: DrbdResource) -> str:
    """A resync to this node's disk runs."""
    return f"Wait; watch it on {view.here} with: drbdadm status {pasted(resource.name)}"


def own_copy_step(view: View, resource: DrbdResource, device: Device) -> str:
    """How the disk of this node, which is not a usable copy, becomes one."""
    peers = peer_devices(resource, device.volume)
    if device.disk_state in ATTACHING:
        return attaching_step(view.here, device.disk_state)
    if any(peer.replication_state is ReplicationState.SYNC_TARGET for _, peer in peers):
        return wait_step(view, resource)
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


def half_step(resource: DrbdResource, device: Device, have: Copies) -> str:
    """The end of a step where connected copies are no good either, and nothing resyncs them."""
    old = [name for name in _not_syncing(resource, device) if name in have.missing]
    if not old:
        return ""
    name = pasted(resource.name)
    look = f"; on {join(old)}: drbdadm status {name}"
    states = {c.name: p.peer_disk_state for c, p in peer_devices(resource, device.volume)}
    if have.up_to_date or any(states[each] is not DiskState.INCONSISTENT for each in old):
        return (
            f"{look}: why does no resync run (PausedSync: drbdadm resume-sync {name}; StandAlone:"
            f" drbdadm connect {name})"
        )
    return (
        f"{look}: where another copy is UpToDate: drbdadm disconnect {name}; drbdadm connect"
        f" {name}; where all are Inconsistent: journalctl -k -g drbd: was one UpToDate before? Then"
        " a backup; else the first sync: see DRBD's guide, 'The initial device synchronization'"
    )


def beside_step(view: View, resource: DrbdResource, connection: Connection) -> str:
    """The same for a connection to a copy; empty where no other is good, or it is a client."""
    for device in resource.devices:
        have = copies(view, resource, device)
        if have.up_to_date and connection.name in have.missing:
            step = half_step(resource, device, have)
            if step:
                return step
    return ""


_HALF_OR_OLD = (DiskState.INCONSISTENT, DiskState.OUTDATED, DiskState.CONSISTENT)


def _not_syncing(resource: DrbdResource, device: Device) -> list[str]:
    """Connected peers whose copy is no good, and that nobody resynchronises."""
    return [
        c.name
        for c, p in peer_devices(resource, device.volume)
        if c.is_connected
        and p.peer_disk_state in _HALF_OR_OLD
        and p.replication_state is ReplicationState.ESTABLISHED
        and p.resync_suspended == frozenset()
    ]


def no_good_copy_step(names: Sequence[str]) -> str:
    """Where no copy is whole: lost, or never synchronised."""
    return (
        f"on {join(names)}: journalctl -k -g drbd: was one of them UpToDate before?"
        " Then its data come from a backup. A resource that never had any needs its first sync:"
        " see DRBD's guide, 'The initial device synchronization'"
    )


def attach_step(
    resource: DrbdResource, device: Device, name: str, state: object = DiskState.DISKLESS
) -> str:
    """How node *name* gets its disk back. Without a size nobody ever attached one here.

    :param state: that of its disk.
    """
    title = pasted(resource.name)
    volume = f"{title}/{device.volume}"
    if device.size_kib == 0:
        return (
            f"on {name}: drbdadm attach {volume} tells why. No valid meta data, and a disk without"
            f" data: drbdadm create-md {volume}, then: drbdadm attach {volume}; drbdadm connect"
            f" {title}. Else check the backing disk (smartctl, multipath): journalctl -k -g drbd"
        )
    look = f"on {name}: journalctl -k -g drbd; check the backing disk (smartctl, multipath)"
    if state is DiskState.DETACHING:
        return (
            f"{look}; while it stays Detaching its I/O hangs; once it is Diskless, and the disk"
            f" good: drbdadm attach {volume}"
        )
    if state is DiskState.FAILED:
        # Attach is refused as long as it is Failed, not Diskless.
        return (
            f"{look}; still Failed: drbdadm detach {volume} (hangs: drbdadm detach --force"
            f" {volume}); when the disk is good: drbdadm attach {volume}"
        )
    return f"{look}; when it is good: drbdadm attach {volume}"


def attaching_step(name: str, state: object) -> str:
    """A disk whose attach has not ended: it is read, or its peers are asked whether it is good."""
    look = f"Wait some seconds; if it stays, on {name}: journalctl -k -g drbd"
    if state is DiskState.ATTACHING:
        return f"{look}; does its backing disk hang? iostat -x 1; journalctl -k -p warning"
    return f"{look} names the peer whose answer it waits for; is that connected?"


def copy_step(view: View, resource: DrbdResource, device: Device, name: str) -> str:
    """How the copy of node *name* comes back."""
    title = pasted(resource.name)
    if name == view.here:
        if device.disk_state in _NO_DISK:
            return attach_step(resource, device, name, device.disk_state)
        return own_copy_step(view, resource, device)
    for connection, peer in peer_devices(resource, device.volume):
        if connection.name != name:
            continue
        if not connection.is_connected:
            return connection_step(view, resource, connection)
        if peer.peer_disk_state in _NO_DISK:
            back = attach_step(resource, device, name, peer.peer_disk_state)
            if _may_be_client(view, resource, device, connection, peer):
                # Its own file tells which: on a client the attach would only be refused.
                back += (
                    f"; a client (drbdadm dump {title} there: disk none): on the nodes with a disk:"
                    f" bitmap no in the connection to it, then: drbdadm --dry-run adjust {title}"
                )
            return back
        if peer.peer_disk_state in ATTACHING:
            return attaching_step(name, peer.peer_disk_state)
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
            # A pause there, and a resync there that this connection waits for, look alike here.
            return (
                f"on {name}: drbdadm status {title}; wait until the resync there is done; where"
                " none runs, somebody paused it (resync-suspended:user): drbdadm resume-sync"
                f" {title}"
            )
        return _old_copy_step(view, resource, device, connection, peer)
    return f"on {name}: drbdadm status {title}"


def _old_copy_step(
    view: View, resource: DrbdResource, device: Device, connection: Connection, peer: PeerDevice
) -> str:
    """What a connected peer with an old copy lacks: a connection to who wrote, or a handshake."""
    name, title = connection.name, pasted(resource.name)
    again = reconnect_step(view, resource, connection, device.volume)
    alone = len(resource.connections) == 1 or resource.role is Role.PRIMARY
    if alone and device.disk_state is DiskState.UP_TO_DATE and peer.resync_suspended == frozenset():
        # There is no connection that it could miss.
        votes = ballot(view, resource, device, copies(view, resource, device))
        halts = votes is not None and votes.present <= votes.needed
        return f"{again} (without its vote I/O stops here meanwhile)" if halts else again
    status = f"on {name}: drbdadm status {title}"
    writer = next((c for c in resource.connections if c.peer_role is Role.PRIMARY), None)
    if writer is not None and writer is not connection:
        look = (
            f"{status}: is {writer.name} (Primary) connected? StandAlone: drbdadm connect"
            f" {title}:{pasted(writer.name)}; Connecting: the network between the two"
        )
    else:
        look = f"{status}; first bring back a connection that is down there"
    if peer.resync_suspended != frozenset():
        look += f"; a pause (resync-suspended:user) ends with: drbdadm resume-sync {title}"
    return f"{look}; where all is well there: {again}"
