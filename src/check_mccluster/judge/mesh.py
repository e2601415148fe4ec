"""The DRBD mesh as several nodes see it: each connection once, with the words of both its ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Optional

from ..inputs.drbdsetup import DRBD, SHOW
from ..model.drbd import (
    Connection,
    ConnectionState,
    DiskState,
    DrbdResource,
    PeerDevice,
    ShownConnection,
    ShownResource,
)
from ..model.words import state_name
from ..values import NamedTuple
from ..verdict.view import Judgement, View, same_node, speller


class End(NamedTuple):
    """One end of a connection, as the node there sees it.

    :param own: the resource there. :param connection: its connection to the other end; ``None``
        where the node does not have it.
    """

    view: View
    own: DrbdResource
    connection: Optional[Connection]


class Link(NamedTuple):
    """A connection of a resource between two nodes.

    :param nodes: the two ends in order of name. :param ends: what each end that was asked says.
    """

    resource: str
    nodes: tuple[str, str]
    ends: tuple[Optional[End], Optional[End]]

    @property
    def name(self) -> str:
        """``r0 storage01-storage02``."""
        return f"{self.resource} {self.nodes[0]}-{self.nodes[1]}"

    @property
    def asked_ends(self) -> tuple[tuple[str, End], ...]:
        """The ends that were asked, with their nodes."""
        pairs = zip(self.nodes, self.ends)
        return tuple((node, end) for node, end in pairs if end is not None)

    @property
    def states(self) -> tuple[str, ...]:
        """The words of the ends that were asked."""
        return tuple(
            state_name(end.connection.state) if end.connection is not None else "not configured"
            for _, end in self.asked_ends
        )

    @property
    def is_up(self) -> bool:
        """Whether every end that was asked says Connected."""
        return all(
            end.connection is not None and end.connection.is_connected for _, end in self.asked_ends
        )

    @property
    def is_alone(self) -> bool:
        """Whether an end is StandAlone: it will not reconnect by itself."""
        return bool(self.alone)

    @property
    def alone(self) -> tuple[tuple[End, Connection], ...]:
        """The ends that are StandAlone, with what they say of the connection."""
        return tuple(
            (end, end.connection)
            for _, end in self.asked_ends
            if end.connection is not None and end.connection.state is ConnectionState.STANDALONE
        )

    @property
    def words(self) -> str:
        """``StandAlone on storage02, Connecting on storage01``."""
        if len(set(self.states)) == 1 and len(self.asked_ends) == 2:
            return f"{self.states[0]} at both ends"
        return ", ".join(
            f"{word} on {node}" for (node, _), word in zip(self.asked_ends, self.states)
        )

    @property
    def other_connections(self) -> bool:
        """Whether another resource connects the two nodes: then the hosts reach each other."""
        return any(
            connection.is_connected
            for node, end in self.asked_ends
            for resource in end.view[DRBD].value or ()
            if resource.name != self.resource
            for connection in resource.connections
            if same_node(connection.name, self.other(node))
        )

    def other(self, node: str) -> str:
        """The node at the other end."""
        return self.nodes[1] if node == self.nodes[0] else self.nodes[0]

    def volumes(self) -> Iterator[tuple[int, tuple[Optional[PeerDevice], Optional[PeerDevice]]]]:
        """Each volume with what the two ends say of it."""
        numbers = sorted(
            {
                device.volume
                for _, end in self.asked_ends
                if end.connection is not None
                for device in end.connection.peer_devices
            }
        )
        for number in numbers:
            first, second = (
                end.connection.peer_device(number)
                if end is not None and end.connection is not None
                else None
                for end in self.ends
            )
            yield number, (first, second)


def links(seen: Sequence[Judgement]) -> tuple[Link, ...]:
    """Every connection that at least one of the nodes has."""
    views = {one.view.here: one.view for one in seen if one.view[DRBD].value is not None}
    known = speller(views)
    # Of each resource who has it, with its connections by the name of the other end.
    having: dict[str, dict[str, tuple[DrbdResource, dict[str, Connection]]]] = {}
    for here, view in views.items():
        for resource in view[DRBD].value or ():
            peers = {known(each.name): each for each in resource.connections}
            having.setdefault(resource.name, {})[here] = (resource, peers)
    found = []
    for name, nodes in sorted(having.items()):
        pairs = {
            (min(here, peer), max(here, peer))
            for here, (_, peers) in nodes.items()
            for peer in peers
            if peer != here
        }
        for first, second in sorted(pairs):
            ends = tuple(
                End(views[node], nodes[node][0], nodes[node][1].get(peer))
                if node in nodes
                else None
                for node, peer in ((first, second), (second, first))
            )
            found.append(Link(name, (first, second), (ends[0], ends[1])))
    return tuple(found)


def disk_at(end: End, volume: int) -> object:
    """The state of the disk at an end, by its own node."""
    return next((d.disk_state for d in end.own.devices if d.volume == volume), None)


HAS_DATA = frozenset({DiskState.UP_TO_DATE, DiskState.OUTDATED, DiskState.CONSISTENT})


def have_diverged(link: Link) -> bool:
    """Whether both ends have data of their own, and each counts blocks that the other lacks."""
    if not link.is_alone or len(link.asked_ends) < 2:
        return False
    first, second = (end for _, end in link.asked_ends)
    return any(
        disk_at(first, number) in HAS_DATA
        and disk_at(second, number) in HAS_DATA
        and one is not None
        and other is not None
        and bool(one.out_of_sync_kib)
        and bool(other.out_of_sync_kib)
        for number, (one, other) in link.volumes()
    )


def shown_by(end: End, name: str) -> Optional[ShownResource]:
    """The options in force at an end."""
    return next((each for each in end.view[SHOW].value or () if each.name == name), None)


def different_options(link: Link) -> Iterator[tuple[str, str, str]]:
    """Options of a connection that are not equal at its ends: name, value at the first, second."""
    if len(link.asked_ends) < 2:
        return
    nets = []
    for node, end in link.asked_ends:
        shown = shown_by(end, link.resource)
        nets.append(_net(shown, link.other(node)) if shown is not None else None)
    first, second = nets
    if first is None or second is None:
        return
    for one, other in ((first.net, second.net), (first.of_volumes, second.of_volumes)):
        for option in sorted(one.keys() & other.keys()):
            if one[option] != other[option] and option.rpartition(" ")[2] not in _MAY_DIFFER:
                yield option, one[option], other[option]


class Different(NamedTuple):
    """An option of a resource that nodes have different values of.

    :param values: each value with the nodes that have it, the value that most have first.
    """

    resource: str
    option: str
    values: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def odd(self) -> tuple[str, ...]:
        """The nodes that most others differ from; all of them where no value leads."""
        first = len(self.values[0][1])
        if len(self.values[1][1]) == first:
            return tuple(sorted(node for _, nodes in self.values for node in nodes))
        return tuple(sorted(node for _, nodes in self.values[1:] for node in nodes))


def differences(seen: Sequence[Judgement], all_links: Sequence[Link]) -> Iterator[Different]:
    """Options that must be equal and are not: both ends of a connection, a resource on all."""
    values: dict[tuple[str, str], dict[str, str]] = {}
    for one in seen:
        for shown in one.view[SHOW].value or ():
            for option, value in shown.options.items():
                if option not in _MAY_DIFFER:
                    values.setdefault((shown.name, option), {})[one.view.here] = value
    for link in all_links:
        for option, first, second in different_options(link):
            values.setdefault((link.resource, option), {}).update(zip(link.nodes, (first, second)))
    for (resource, option), at in values.items():
        by_value: dict[str, list[str]] = {}
        for node, value in at.items():
            by_value.setdefault(value, []).append(node)
        if len(by_value) > 1:
            ordered = sorted(by_value.items(), key=lambda each: (-len(each[1]), each[0]))
            pairs = tuple((value, tuple(sorted(nodes))) for value, nodes in ordered)
            yield Different(resource, option, pairs)


_MAY_DIFFER = frozenset(
    (
        *("transport", "sndbuf-size", "rcvbuf-size", "tcp-cork", "load-balance-paths"),
        # How fast a resync goes is up to the node that is resynchronised.
        *("resync-rate", "c-plan-ahead", "c-delay-target", "c-fill-target", "c-max-rate"),
        *("c-min-rate", "allow-remote-read"),
    )
)
"""Options that concern one end only."""


def _net(shown: ShownResource, peer: str) -> Optional[ShownConnection]:
    return next((c for c in shown.connections if same_node(c.name, peer)), None)
