"""Requests that wait for a disk or a peer, and the counters that move when I/O does."""

from __future__ import annotations

from ...model.drbd import Device, DrbdResource, ReplicationState
from .drbd import peer_devices

_QUIET = frozenset({ReplicationState.ESTABLISHED, ReplicationState.OFF})


def in_flight(resource: DrbdResource, device: Device) -> tuple[int, tuple[str, ...]]:
    """How many requests of a volume wait for a disk or a peer, and whom they wait for.

    A resync and a verify have requests of their own, and move none of the counters for I/O.
    """
    peers = peer_devices(resource, device.volume)
    quiet = [(c, p) for c, p in peers if p.replication_state in _QUIET]
    local = (device.lower_pending or 0) if len(quiet) == len(peers) else 0
    count = (device.upper_pending or 0) + local
    count += sum((p.pending or 0) + (p.unacked or 0) for _, p in quiet)
    waits = [c.name for c, p in quiet if p.pending]
    return count, (*waits, *(["the disk here"] if local else []))


def counters(resource: DrbdResource, device: Device) -> tuple[object, ...]:
    """Everything that moves when I/O does."""
    return (
        device.upper_pending,
        device.lower_pending,
        device.read_kib,
        device.written_kib,
        device.al_writes,
        device.bm_writes,
        tuple(
            (c.peer_node_id, c.ap_in_flight, p.pending, p.unacked, p.sent_kib, p.received_kib)
            for c, p in peer_devices(resource, device.volume)
        ),
    )
