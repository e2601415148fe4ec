"""What is left when nodes are lost: votes in Pacemaker, copies and quorum in DRBD.

All of it as seen from here: of the connections between the others nothing is known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Optional

from ...model.drbd import Device, DiskState, DrbdResource
from ...model.pacemaker import Node
from ...model.words import state_name
from ...values import NamedTuple
from ...verdict.view import View, contains_node, same_node
from .drbd import Copies, ballot, copies, volume_name
from .votes import Tally


def keeps_quorum(count: Tally, lost: Iterable[Node]) -> Optional[bool]:
    """Whether Pacemaker's partition stays quorate without *lost*; ``None`` if unknown."""
    gone = [node for node in lost if node.online and count.votes_of(node)]
    if not gone:
        return count.quorate
    if count.covered and len(gone) == 1:
        return True
    if count.margin is None:
        return None
    return count.margin >= sum(map(count.votes_of, gone))


class VolumeLeft(NamedTuple):
    """A DRBD volume after a loss.

    :param name: ``r0/0``. :param resource: ``r0``.
    :param replicas: nodes that should have a copy, the lost ones included.
    :param up_to_date: nodes left with an UpToDate copy. :param hidden: nodes left whose disk
        cannot be seen from here. :param quorum: whether those left have DRBD's quorum; ``None``
        where nobody can say or none is asked for.
    """

    name: str
    resource: str
    replicas: tuple[str, ...]
    up_to_date: tuple[str, ...]
    hidden: tuple[str, ...]
    quorum: Optional[bool]

    @property
    def has_data(self) -> bool:
        """Whether there is a good copy left, as far as anybody can say."""
        return bool(self.up_to_date or self.hidden)


def volume_left(
    view: View, resource: DrbdResource, device: Device, lost: Collection[str]
) -> VolumeLeft:
    """What is left of a volume without *lost*."""
    gone = tuple(lost)
    have = copies(view, resource, device)
    hidden = tuple(
        name
        for name in dict.fromkeys((*have.replicas, *have.unknown))
        if not contains_node(gone, name) and disk_of(view, resource, device, name) is None
    )
    return VolumeLeft(
        volume_name(resource, device.volume),
        resource.name,
        have.replicas,
        tuple(name for name in have.up_to_date if not contains_node(gone, name)),
        hidden,
        _quorum(view, resource, device, have, gone),
    )


def disk_of(view: View, resource: DrbdResource, device: Device, node: str) -> Optional[DiskState]:
    """The state of a node's disk as seen from here; ``None`` if it cannot be seen."""
    if view.is_here(node):
        state = device.disk_state
    else:
        connection = next((c for c in resource.connections if same_node(c.name, node)), None)
        peer = None if connection is None else connection.peer_device(device.volume)
        if connection is None or peer is None or not connection.is_connected:
            return None
        state = peer.peer_disk_state
    if not isinstance(state, DiskState) or state is DiskState.D_UNKNOWN:
        return None
    return state


def data_against(
    view: View, resource: DrbdResource, device: Device, node: str, lost: Collection[str]
) -> Iterator[str]:
    """What speaks against *node* once *lost* are gone: no data left, or no quorum in DRBD."""
    left = volume_left(view, resource, device, lost)
    if not left.has_data:
        disk = disk_of(view, resource, device, node)
        if disk is None or disk is DiskState.DISKLESS:
            yield f"{left.name} has no UpToDate copy left"
        else:
            yield f"{left.name} is {state_name(disk)} there, and no other copy is left"
    elif left.quorum is False:
        yield f"{left.name} would have no quorum"


def _quorum(
    view: View, resource: DrbdResource, device: Device, have: Copies, gone: tuple[str, ...]
) -> Optional[bool]:
    """Whether those left have the quorum; ``None`` where nobody can say."""
    left = ballot(view, resource, device, have, gone)
    if left is None:
        return None
    if left.present >= left.needed:
        return True
    return None if left.present + len(left.unseen - set(gone)) >= left.needed else False
