"""A cluster as it was seen, as data: built once, and handed to everything that shows it.

One view is the picture that one node has; several are joined. Who shows it asks no more questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Optional

from ..inputs.crm_mon import CLUSTER
from ..inputs.drbdsetup import DRBD
from ..model.drbd import Connection, Device, DrbdResource, PeerDevice
from ..model.pacemaker import Cluster
from ..values import NamedTuple
from ..verdict import subject
from ..verdict.finding import Fault, Finding, Report, State, worst
from ..verdict.problems import TOOL_MISSING
from ..verdict.subject import Subject
from ..verdict.view import Input, Judgement, View, contains_node, same_node
from .facts.drbd import (
    Copies,
    copies,
    is_client,
    peer_devices,
    primaries,
    syncing_to_here,
    verify_words,
)
from .facts.drbd import volume_name as name_of
from .facts.happened import happened
from .facts.pacemaker import guest_is_stopped, lost_nodes
from .facts.votes import Tally, tally
from .partitions import alike


class PartitionView(NamedTuple):
    """Nodes whose view of Pacemaker is the same; those of a cluster that fell apart differ.

    :param seen_from: them, by name. :param states: how grave the findings about a subject are.
    :param lost: nodes on which nothing can be known to run.
    :param unreached: nodes that Pacemaker has as online, and that Corosync does not reach any more.
    :param stopped_guests: remote nodes of bundle replicas that do not run.
    :param history: what happened lately, a line each.
    """

    seen_from: tuple[str, ...]
    cluster: Cluster
    votes: Tally
    states: Mapping[Subject, State]
    lost: frozenset[str]
    stopped_guests: frozenset[str]
    history: tuple[str, ...] = ()
    unreached: frozenset[str] = frozenset()

    def state_of(self, *subjects: Subject) -> State:
        """The gravest finding about one of *subjects*; OK if there is none."""
        return worst(self.states.get(each, State.OK) for each in subjects)

    @property
    def partition_state(self) -> State:
        """The gravest finding about quorum, votes, controller and maintenance."""
        return self.state_of(*map(subject.cluster, ("partition", "votes", "cluster")))


class Volume(NamedTuple):
    """A volume of a DRBD resource on its own node.

    :param name: ``r0/0``. :param client: whether the node is diskless for it on purpose; ``None``
        if nobody can say. :param out_of_sync_kib: with the peer that it differs from most, as
        far as is known.
    :param sync: the peer device over which a resync to this node runs.
    :param verifies: the online verifies that run, in words.
    """

    name: str
    device: Device
    client: Optional[bool]
    copies: Copies
    out_of_sync_kib: Optional[int]
    sync: Optional[PeerDevice]
    verifies: tuple[str, ...] = ()


class Replica(NamedTuple):
    """A DRBD resource as one node sees it.

    :param here: the node, for messages. :param node: the node, as given or recorded.
    :param primaries: who is Primary, as far as is seen from there.
    """

    here: str
    node: str
    resource: DrbdResource
    volumes: tuple[Volume, ...]
    primaries: tuple[str, ...]

    def link_to(self, node: str) -> Optional[Connection]:
        """The connection to a node, if there is one."""
        return next((c for c in self.resource.connections if same_node(c.name, node)), None)


class Mesh(NamedTuple):
    """A DRBD resource as all nodes that were asked see it.

    :param nodes: in order of their ids. :param seen: the word of each node that was asked.
    """

    name: str
    nodes: tuple[str, ...]
    seen: Mapping[str, Replica]

    @property
    def primaries(self) -> tuple[str, ...]:
        """Who is Primary, by anybody's word."""
        known = (name for replica in self.seen.values() for name in replica.primaries)
        return tuple(dict.fromkeys(spelling(self.nodes, name) for name in known))

    def links_to(self, node: str) -> tuple[Connection, ...]:
        """Everybody's connection to a node."""
        found = (replica.link_to(node) for replica in self.seen.values())
        return tuple(link for link in found if link is not None)


class Unread(NamedTuple):
    """Why nothing, or not everything, is known of some nodes.

    :param state: OK where the tool is not installed.
    """

    nodes: tuple[str, ...]
    text: str
    state: State


class Gravity(NamedTuple):
    """How grave that is which is said of DRBD: what gives a word on a screen its colour.

    :param findings: by the resources that they are about.
    """

    findings: Mapping[str, tuple[Finding, ...]]

    def of(
        self,
        resource: str,
        nodes: tuple[str, ...] = (),
        *,
        volume: Optional[int] = None,
        ends: tuple[str, ...] = (),
    ) -> State:
        """The gravest finding about a resource that concerns one of *nodes*; OK if there is none.

        :param volume: count what is said of this volume, too; of no other.
        :param ends: count what is said of the connection between these two, too; of no other.
        """

        def concerns(each: Finding) -> bool:
            about = each.subject
            if about.ends:
                return bool(ends) and all(contains_node(about.ends, end) for end in ends)
            named = any(contains_node(each.nodes, node) for node in nodes)
            return about.volume in (None, volume) and (named or not nodes or not each.nodes)

        return worst(each.state for each in self.findings.get(resource, ()) if concerns(each))

    def of_all(self, resource: str, volume: Optional[int] = None) -> State:
        """The gravest finding about a resource and all that is a part of it.

        :param volume: what is said of other volumes does not count.
        """
        return worst(
            each.state
            for each in self.findings.get(resource, ())
            if volume is None or each.subject.volume in (None, volume)
        )


class Picture(NamedTuple):
    """A cluster as seen from one node or from several.

    :param seen: each node's judgement. :param state: the verdict of all.
    :param faults: what is wrong, gravest first.
    :param parts: Pacemaker's partitions. :param replicas: DRBD, node by node.
    :param no_cluster: why some know nothing of Pacemaker. :param no_drbd: the same of DRBD.
    :param drbd_incomplete: who does not know all of DRBD.
    """

    seen: tuple[Judgement, ...]
    state: State
    faults: tuple[Fault, ...]
    parts: tuple[PartitionView, ...]
    replicas: tuple[Replica, ...]
    no_cluster: tuple[Unread, ...]
    no_drbd: tuple[Unread, ...]
    drbd_incomplete: tuple[Unread, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that were asked."""
        return tuple(one.view.here for one in self.seen)

    @property
    def with_drbd(self) -> tuple[str, ...]:
        """The nodes whose DRBD could be read."""
        return tuple(one.view.here for one in self.seen if one.view[DRBD].value is not None)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that is said of anything, each once."""
        return tuple(dict.fromkeys(each for one in self.seen for each in one.report.findings))

    @property
    def gravity(self) -> Gravity:
        """How grave what is said of DRBD is, by each node and by all of them together."""
        together = (each for fault in self.faults for each in (fault.cause, *fault.follows))
        found: dict[str, list[Finding]] = {}
        for each in dict.fromkeys((*self.findings, *together)):
            own = each.subject.drbd_resource
            for name in each.covers or ((own,) if own is not None else ()):
                found.setdefault(name, []).append(each)
        return Gravity({name: tuple(same) for name, same in found.items()})

    @property
    def meshes(self) -> tuple[Mesh, ...]:
        """DRBD's resources, each with every node's own word."""
        names = dict.fromkeys(replica.resource.name for replica in self.replicas)
        return tuple(_mesh(name, self.replicas) for name in names)


def picture(seen: Sequence[Judgement], report: Report) -> Picture:
    """One node's view, or several nodes' views as one.

    :param report: what they say together.
    """
    return Picture(
        tuple(seen),
        report.state,
        report.faults,
        tuple(_part(group) for group in alike(seen)),
        tuple(
            replica(one.view, resource) for one in seen for resource in one.view[DRBD].value or ()
        ),
        _unread(seen, CLUSTER),
        _unread(seen, DRBD),
        tuple(_incomplete(seen)),
    )


def of_one(judgement: Judgement) -> Picture:
    """What one node sees."""
    return picture((judgement,), judgement.report)


# -- Pacemaker ---------------------------------------------------------------------------------


def _part(group: Sequence[Judgement]) -> PartitionView:
    view = group[0].view
    cluster = view[CLUSTER].value
    assert cluster is not None  # noqa: S101 - it is what the views are grouped by
    states: dict[Subject, State] = {}
    seen_from = tuple(one.view.here for one in group)
    lost, unreached = lost_nodes(cluster), set[str]()
    for each in (finding for one in group for finding in one.report.findings):
        states[each.subject] = worst([each.state, states.get(each.subject, State.OK)])
        if each.key == "peer-unreachable":
            unreached.update(each.nodes)
    return PartitionView(
        seen_from,
        cluster,
        tally(view),
        states,
        lost,
        frozenset(node.name for node in cluster.nodes if guest_is_stopped(cluster, node)),
        happened(view),
        frozenset(unreached - lost - {*seen_from}),
    )


# -- DRBD --------------------------------------------------------------------------------------


def replica(view: View, resource: DrbdResource) -> Replica:
    """A resource as the view's node sees it."""
    return Replica(
        view.here,
        view.node or view.here,
        resource,
        tuple(_volume(view, resource, device) for device in resource.devices),
        primaries(view, resource).names,
    )


def _volume(view: View, resource: DrbdResource, device: Device) -> Volume:
    sync = syncing_to_here(resource, device.volume)
    counted = (peer.out_of_sync_kib for _, peer in peer_devices(resource, device.volume))
    return Volume(
        name_of(resource, device.volume),
        device,
        is_client(view, resource, device),
        copies(view, resource, device),
        max((kib for kib in counted if kib is not None), default=None),
        sync[1] if sync is not None else None,
        tuple(
            verify_words(connection, peer)
            for connection, peer in peer_devices(resource, device.volume)
            if peer.verifying
        ),
    )


def _mesh(name: str, replicas: Iterable[Replica]) -> Mesh:
    ids: dict[str, int] = {}
    seen: dict[str, Replica] = {}
    for each in replicas:
        resource = each.resource
        if resource.name != name:
            continue
        here = spelling(ids, each.node)
        ids.setdefault(here, resource.node_id if resource.node_id is not None else len(ids))
        seen.setdefault(here, each)
        for connection in resource.connections:
            ids.setdefault(spelling(ids, connection.name), connection.peer_node_id)
    return Mesh(name, tuple(sorted(ids, key=lambda node: (ids[node], node))), seen)


def spelling(names: Iterable[str], name: str) -> str:
    """The name by which this node is known already."""
    return next((each for each in names if same_node(each, name)), name)


# -- what could not be read --------------------------------------------------------------------


def _unread(seen: Sequence[Judgement], tool: Input[Any]) -> tuple[Unread, ...]:
    """Why there is no answer of a tool, the same reason once."""
    nodes: dict[tuple[str, State], list[str]] = {}
    for one in seen:
        answer = one.view[tool]
        if answer.value is None and answer.problems:
            first = answer.problems[0]
            state = State.OK if first.kind is TOOL_MISSING else first.state
            nodes.setdefault((first.text, state), []).append(one.view.here)
    return tuple(Unread(tuple(names), text, state) for (text, state), names in nodes.items())


def _incomplete(seen: Sequence[Judgement]) -> Iterator[Unread]:
    for one in seen:
        answer = one.view[DRBD]
        if answer.value is not None and answer.problems:
            first = answer.problems[0]
            yield Unread((one.view.here,), first.text, first.state)
