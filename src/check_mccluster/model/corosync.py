"""Corosync's view: votes, links, and timing in force.

Sources: corosync ``tools/corosync-quorumtool.c``, ``tools/corosync-cfgtool.c``,
``exec/totemconfig.c``; corosync-cmapctl(8), votequorum(5), cmap_keys(7).
"""

from __future__ import annotations

from typing import Optional, Union

from ..values import Enum, NamedTuple
from .words import Unrecognised


class Voter(NamedTuple):
    """A row of quorumtool's membership table. ``votes`` of a member that lost them is 0."""

    node_id: int
    votes: Optional[int]
    name: str
    local: bool
    qdevice_flags: Optional[str]


class Votes(NamedTuple):
    """``corosync-quorumtool -s``. The exit code is never read: its meaning changed twice.

    ``expected``, ``total`` and ``quorum`` are votes. ``qdevice_votes`` are the votes of the quorum
    device's own row, ``None`` where there is no such row.
    """

    provider: Optional[str]
    quorate: bool
    node_id: Optional[int]
    expected: Optional[int]
    total: Optional[int]
    quorum: Optional[int]
    flags: frozenset[str]
    members: tuple[Voter, ...]
    qdevice_votes: Optional[int]

    @property
    def is_two_node(self) -> bool:
        """Whether one of two nodes keeps the quorum alone (``two_node``)."""
        return "2Node" in self.flags

    @property
    def has_qdevice(self) -> bool:
        """Whether a quorum device is registered."""
        return "Qdevice" in self.flags


class LinkState(Enum):
    """State of a knet link to one node, or of a Corosync 2 ring."""

    LOCALHOST = "localhost"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    FAULTY = "FAULTY"
    ACTIVE = "active"


class Link(NamedTuple):
    """One link to one peer; ``peer_id`` is ``None`` for a Corosync 2 ring, which knows no peers."""

    link: int
    address: Optional[str]
    peer_id: Optional[int]
    state: Union[LinkState, Unrecognised]
    enabled: Optional[bool]
    text: str


class Links(NamedTuple):
    """``corosync-cfgtool -s`` in any of its dialects."""

    node_id: Optional[int]
    transport: Optional[str]
    links: tuple[Link, ...]
    unrecognised: tuple[Unrecognised, ...] = ()


class ConfiguredNode(NamedTuple):
    """An entry of ``nodelist.node.N``; ``addresses`` are those of its links, by their numbers."""

    node_id: Optional[int]
    name: Optional[str]
    votes: Optional[int]
    addresses: tuple[tuple[int, str], ...] = ()

    @property
    def links(self) -> frozenset[int]:
        """The links that it has an address for."""
        return frozenset(link for link, _ in self.addresses)


class Cmap(NamedTuple):
    """Keys of ``corosync-cmapctl``. Times are the runtime values, in milliseconds.

    Runtime values differ from ``corosync.conf``: ``token`` has the token_coefficient added,
    ``consensus`` is 1.2 token unless set (``totem_volatile_config_read`` in exec/totemconfig.c).
    ``retransmits_before_loss`` is a count, ``local_position`` this node's place in *nodes*, from 0.
    ``met`` are the ids of the nodes that were members since Corosync started here, this node among
    them; empty where it does not tell.
    """

    token_ms: Optional[int]
    consensus_ms: Optional[int]
    token_retransmit_ms: Optional[int]
    retransmits_before_loss: Optional[int]
    nodes: tuple[ConfiguredNode, ...]
    local_position: Optional[int]
    two_node: Optional[bool]
    wait_for_all: Optional[bool]
    expected_votes: Optional[int]
    qdevice_model: Optional[str]
    met: frozenset[int] = frozenset()

    @property
    def detection_s(self) -> Optional[float]:
        """Seconds until there is a new membership: runtime token + consensus."""
        if self.token_ms is None or self.consensus_ms is None:
            return None
        return (self.token_ms + self.consensus_ms) / 1000

    @property
    def local_name(self) -> Optional[str]:
        """Name of this node in the configured node list."""
        position = self.local_position
        if position is None or position >= len(self.nodes):
            return None
        return self.nodes[position].name
