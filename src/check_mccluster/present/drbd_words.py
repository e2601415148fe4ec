"""DRBD's own words for roles, disks, connections and replication, in their colours."""

from __future__ import annotations

from typing import Optional, Union

from ..model.drbd import BY_USER, ConnectionState, DiskState, PeerDevice, ReplicationState, Role
from ..model.words import Unrecognised
from ..verdict.finding import State
from .layout import Span, of_state, span

_GRAVE_DISKS = frozenset(
    {
        DiskState.FAILED,
        DiskState.DETACHING,
        DiskState.INCONSISTENT,
        DiskState.OUTDATED,
    }
)
FINE_REPLICATION = frozenset(
    {
        ReplicationState.ESTABLISHED,
        ReplicationState.SYNC_SOURCE,
        ReplicationState.VERIFY_S,
        ReplicationState.VERIFY_T,
    }
)


def _unrecognised(word: Unrecognised) -> Span:
    return of_state(f"{word} (?)", State.UNKNOWN)


def role_span(role: Union[Role, Unrecognised]) -> Span:
    """A role in DRBD's word."""
    if isinstance(role, Unrecognised):
        return _unrecognised(role)
    return span(role.value, {Role.PRIMARY: "strong", Role.UNKNOWN: "dim"}.get(role, ""))


def disk_span(disk: Union[DiskState, Unrecognised], client: Optional[bool]) -> Span:
    """A disk in DRBD's word; a diskless node is a client, or has lost its disk."""
    if isinstance(disk, Unrecognised):
        return _unrecognised(disk)
    tail = " client" if client else ""
    if disk is DiskState.DISKLESS:
        if client is None:
            return of_state(f"{disk.value} (?)", State.UNKNOWN)
        if not client:
            return of_state(f"{disk.value} (lost)", State.CRITICAL)
        return of_state(f"{disk.value} client", State.OK)
    if disk is DiskState.D_UNKNOWN:
        return span(disk.value + tail, "dim")
    if disk is DiskState.UP_TO_DATE:
        return of_state(disk.value, State.OK)
    return of_state(disk.value, State.CRITICAL if disk in _GRAVE_DISKS else State.WARNING)


def connection_span(state: Union[ConnectionState, Unrecognised]) -> Span:
    """A connection in DRBD's word."""
    if isinstance(state, Unrecognised):
        return _unrecognised(state)
    if state is ConnectionState.CONNECTED:
        return of_state(state.value, State.OK)
    return of_state(
        state.value, State.CRITICAL if state is ConnectionState.STANDALONE else State.WARNING
    )


def replication_span(peer: Optional[PeerDevice]) -> Span:
    """A replication in DRBD's word, with how far a resync is."""
    if peer is None:
        return span("-", "dim")
    state = peer.replication_state
    if isinstance(state, Unrecognised):
        return _unrecognised(state)
    if state is ReplicationState.OFF:
        return span(state.value, "dim")
    text = state.value
    done = peer.progress.percent_done if peer.progress is not None else None
    if done is not None:
        text += f" {done:.1f}%"
    paused = BY_USER in (peer.resync_suspended or ())
    if paused:
        text += ", paused by user"
    fine = state in FINE_REPLICATION and not paused
    return of_state(text, State.OK if fine else State.WARNING)
