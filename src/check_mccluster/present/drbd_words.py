"""DRBD's own words for roles, disks, connections and replication, in the colours of the findings.

What is usual has no finding. A word that is not has the state that the caller found for it in what
is said about its subject: the screen has no opinion of its own.
"""

from __future__ import annotations

from typing import Optional, Union

from ..model.drbd import BY_USER, ConnectionState, DiskState, PeerDevice, ReplicationState, Role
from ..model.words import Unrecognised
from ..verdict.finding import State
from .layout import Span, of_state, span

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


def disk_span(disk: Union[DiskState, Unrecognised], client: Optional[bool], state: State) -> Span:
    """A disk in DRBD's word; a diskless node is a client, or has lost its disk.

    :param state: how grave what is said of it is.
    """
    if isinstance(disk, Unrecognised):
        return _unrecognised(disk)
    tail = " client" if client else ""
    if disk is DiskState.DISKLESS:
        if client is None:
            return of_state(f"{disk.value} (?)", state)
        if not client:
            return of_state(f"{disk.value} (lost)", state)
        return of_state(f"{disk.value} client", State.OK)
    if disk is DiskState.D_UNKNOWN:
        return span(disk.value + tail, "dim")
    if disk is DiskState.UP_TO_DATE:
        return of_state(disk.value, State.OK)
    return of_state(disk.value, state)


def connection_span(word: Union[ConnectionState, Unrecognised], state: State) -> Span:
    """A connection in DRBD's word.

    :param state: how grave what is said of it is.
    """
    if isinstance(word, Unrecognised):
        return _unrecognised(word)
    return of_state(word.value, State.OK if word is ConnectionState.CONNECTED else state)


def replication_span(peer: Optional[PeerDevice], state: State) -> Span:
    """A replication in DRBD's word, with how far a resync is.

    :param state: how grave what is said of it is.
    """
    if peer is None:
        return span("-", "dim")
    word = peer.replication_state
    if isinstance(word, Unrecognised):
        return _unrecognised(word)
    if word is ReplicationState.OFF:
        return span(word.value, "dim")
    text = word.value
    done = peer.progress.percent_done if peer.progress is not None else None
    if done is not None:
        text += f" {done:.1f}%"
    paused = BY_USER in (peer.resync_suspended or ())
    if paused:
        text += ", paused by user"
    fine = word in FINE_REPLICATION and not paused
    return of_state(text, State.OK if fine else state)
