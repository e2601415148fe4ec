"""DRBD's votes: replicas vote, clients break a tie.

Source: ``calc_quorum`` in drbd ``drbd_state.c``.
"""

from __future__ import annotations

from typing import Optional

from ...model.drbd import Device, DiskState, DrbdResource
from ...values import NamedTuple
from ...verdict.view import View, contains_node
from .drbd import Copies, shown


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
    if option is not None and option.isdigit():
        return int(option)
    return words.get(option or "")
