"""The cluster as metrics in Prometheus' text format, for node_exporter's textfile collector.

Long because every family of series stands here, with its name and help.

A verdict is one series for each state, 1 for the one in force. The state of an object is one series
with the word in force as a label. Base units only. A value that is not known is NaN.

Series are bounded: up to :data:`MOST_PEER_VOLUMES` each volume and each peer has its own figures.
Above that a DRBD resource has :data:`OF_RESOURCE` series, volumes and connections are counted by
state, and only those that are not as they should be are told one by one, at most
:data:`MOST_SINGLE` of a sort. What was left out is counted.

Source of the format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Optional

from .. import __version__
from ..inputs.cibadmin import CIB
from ..inputs.drbdsetup import DRBD
from ..judge.picture import PartitionView, Picture, Replica
from ..model import drbd, pacemaker
from ..model.pacemaker import RUNNING, base_id, primitives, status_word
from ..model.words import Unrecognised, state_name
from ..verdict import subject
from ..verdict.finding import NOWHERE, TOOLS, Finding, State
from ..verdict.view import Judgement, View
from .text import printable

PREFIX = "mccluster_"
STATES = tuple(state.name.lower() for state in State)
OTHER = "unrecognised"
"""The label of a state word that nobody knows."""

MOST_PEER_VOLUMES = 300
"""Up to so many volumes on peers, each has its own series."""

MOST_RESOURCES = 500
"""Up to so many resources of Pacemaker, each has its own series."""

MOST_SINGLE = 200
"""Above that, so many volumes, connections and peers' volumes that are not well have some."""

MOST_FAULTS = 100
"""So many faults have a series of their own; all of them are counted."""

OF_RESOURCE = 4
"""Series of a DRBD resource above the bound."""

_GOOD_DISKS = (drbd.DiskState.UP_TO_DATE, drbd.DiskState.DISKLESS)

Labels = tuple[tuple[str, str], ...]


@dataclass(eq=False)
class Family:
    """A metric with its series; a series can be set again, never doubled.

    The unit stands at the end of its name, as Prometheus has it: seconds, bytes, a ratio; a name
    without one is a count, or 1 for true.
    """

    name: str
    help: str
    type: str = "gauge"
    series: dict[Labels, float] = field(default_factory=dict)

    def set(self, value: Optional[float], **labels: object) -> None:
        """Set one series; ``None`` is NaN."""
        key = tuple((name, str(text)) for name, text in labels.items())
        self.series[key] = math.nan if value is None else float(value)

    def add(self, value: float, **labels: object) -> None:
        """Add to one series: instances of a clone share their name."""
        key = tuple((name, str(text)) for name, text in labels.items())
        self.series[key] = self.series.get(key, 0.0) + value

    def one_of(self, words: Iterable[str], word: str, label: str, **labels: object) -> None:
        """One series for each of *words*, 1 for the one that is *word*."""
        for each in words:
            self.set(each == word, **labels, **{label: each})


def as_text(families: Iterable[Family], cluster: Optional[str] = None) -> str:
    """The families in the text format; one without series is left out.

    :param cluster: the label ``cluster`` of every series, if its name is known.
    """
    lines = []
    common = () if cluster is None else (("cluster", cluster),)
    for family in families:
        if not family.series:
            continue
        name = PREFIX + family.name
        lines.append(f"# HELP {name} {_escape(family.help)}")
        lines.append(f"# TYPE {name} {family.type}")
        for labels, value in family.series.items():
            pairs = ",".join([f'{key}="{_escape_label(text)}"' for key, text in (*common, *labels)])
            lines.append(
                f"{name}{{{pairs}}} {_number(value)}" if pairs else f"{name} {_number(value)}"
            )
    return "\n".join(lines) + "\n"


def cluster_name(view: View) -> Optional[str]:
    """The cluster's name: of the configuration file, else Pacemaker's ``cluster-name``."""
    cib = view[CIB].value
    configured = cib.properties.get("cluster-name") if cib is not None else None
    return view.config.cluster_name or configured or None


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


@cache
def _escape_label(text: str) -> str:
    # A name may move no terminal that shows the file.
    return _escape(printable(text, keep="\n")).replace('"', '\\"')


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(value)


def metrics(seen: Picture, seconds: Optional[float] = None) -> Iterator[Family]:
    """Everything there is to tell of the picture of one node.

    :param seconds: how long it took to look and to judge.
    """
    (judgement,) = seen.seen
    left = Family("left_out", "Objects without series of their own, because there are too many.")
    yield from _run(judgement, seconds)
    yield from _states(judgement, left)
    for part in seen.parts:
        yield from _cluster(part, judgement)
        yield from _resources(part.cluster, left)
    yield from _timing(judgement)
    if judgement.view[DRBD].value is not None:
        yield from _drbd(seen.replicas, left)
    yield left


def _run(judgement: Judgement, seconds: Optional[float]) -> Iterator[Family]:
    build = Family("build_info", "Version of check_mccluster; the value is always 1.")
    build.set(1, version=__version__)
    success = Family("last_run_success", "Whether every tool that was asked gave its answer.")
    success.set(all(judgement.report.check_of(fault) != TOOLS for fault in judgement.report.faults))
    time = Family("last_run_timestamp_seconds", "When the cluster was looked at, Unix time.")
    here = judgement.view.here
    time.set(judgement.view.time.timestamp(), **({} if here == NOWHERE else {"node": here}))
    yield from (build, success, time)
    if seconds is not None:
        took = Family("last_run_duration_seconds", "How long it took to look and to judge.")
        took.set(round(seconds, 3))
        yield took


# -- verdicts ----------------------------------------------------------------------------------


def _states(judgement: Judgement, left: Family) -> Iterator[Family]:
    overview = Family("overview_state", "Verdict over all checks of this node.")
    state = Family("check_state", "Verdict of one check.")
    faults = Family(
        "faults",
        "Faults by state, each counted once: at the check of its cause, or under 'tools'.",
    )
    overview.one_of(STATES, judgement.report.state.name.lower(), "state")
    for line in judgement.report.lines:
        state.one_of(STATES, line.state.name.lower(), "state", check=line.check)
    for check in (*(line.check for line in judgement.report.lines), TOOLS):
        for word in STATES[1:]:
            faults.set(0, check=check, state=word)
    for fault in judgement.report.faults:
        if fault.state is not State.OK:
            faults.add(1, check=judgement.report.check_of(fault), state=fault.state.name.lower())
    yield from (overview, state, faults)
    yield _single_faults(judgement, left)


def _single_faults(judgement: Judgement, left: Family) -> Family:
    """The gravest faults by name: what an alert is about."""
    single = Family(
        "fault",
        "A fault by key and object, while it is there; spoken=yes: this node is to tell it.",
    )
    bad = [fault for fault in judgement.report.faults if fault.state is not State.OK]
    for fault in bad[:MOST_FAULTS]:
        check = judgement.report.check_of(fault)
        own = check == TOOLS or fault.cause.subject.sort == subject.RING
        node = judgement.view.here if own else _node_of(fault.cause)
        single.set(
            1,
            key=fault.cause.key,
            object=fault.cause.object,
            check=check,
            state=fault.state.name.lower(),
            spoken="yes" if fault.spoken else "no",
            **({} if node in (None, NOWHERE) else {"node": node}),
        )
    left.set(max(0, len(bad) - MOST_FAULTS), what="faults")
    return single


def _node_of(cause: Finding) -> Optional[str]:
    """The one node that a fault is about: itself, the peer of a connection, or who is at fault."""
    if cause.subject.sort == subject.NODE:
        return cause.object
    if cause.subject.sort == subject.CONNECTION:
        return cause.subject.ends[1]
    return cause.nodes[0] if len(cause.nodes) == 1 and cause.nodes[0] != NOWHERE else None


# -- Pacemaker and Corosync --------------------------------------------------------------------


def _cluster(part: PartitionView, judgement: Judgement) -> Iterator[Family]:
    cluster, count = part.cluster, part.votes
    state = Family("node_state", "State of a cluster node, the one that matters most.")
    controller = Family("node_dc", "Whether the node is the designated controller.")
    running = Family("node_resources", "Resources that run on the node.")
    for node in cluster.nodes:
        state.set(1, node=node.name, state=status_word(node))
        controller.set(node.is_dc, node=node.name)
        running.set(node.resources_running, node=node.name)
    maintenance = Family("maintenance_mode", "Whether the whole cluster is in maintenance-mode.")
    maintenance.set(cluster.summary.options.maintenance_mode)
    quorate = Family("quorate", "Whether this partition has quorum.")
    quorate.set(count.quorate)
    votes = Family("votes", "Votes in this partition.")
    votes.set(count.total)
    needed = Family("votes_needed", "Votes needed for a quorum.")
    needed.set(count.needed)
    margin = Family("votes_margin", "Votes that can be lost before quorum is lost.")
    margin.set(count.margin)
    candidates = Family(
        "failover_candidates", "Nodes that could take over, of the service that has the fewest."
    )
    candidates.set(judgement.report.figure("failover", "candidates_min"))
    failed = Family("failed_actions", "Failed operations that are still recorded.")
    failed.set(len(cluster.failures))
    yield from (state, controller, running, maintenance, quorate, votes, needed, margin)
    yield from (candidates, failed)


def _resources(cluster: pacemaker.Cluster, left: Family) -> Iterator[Family]:
    counted = Family("resources", "Instances of all resources by what is true of them.")
    role = Family("resource_role", "Instances of a resource in this role.")
    active = Family("resource_active", "Instances of a resource that run on the node.")
    failed = Family("resource_failed", "Instances that failed and are not recovered.")
    blocked = Family("resource_blocked", "Instances that Pacemaker gave up on.")
    unmanaged = Family("resource_unmanaged", "Instances that Pacemaker does not manage.")
    fails = Family("resource_failures", "Fail-count on the node; 1000000 is INFINITY.")
    known = [part for resource in cluster.resources for part in primitives(resource)]
    for state in ("running", "not_running", "failed", "blocked", "unmanaged"):
        counted.set(0, state=state)
    names: set[str] = set()
    shown: set[str] = set()
    for part in known:
        name = base_id(part.id)
        names.add(name)
        runs = part.role in RUNNING
        troubles = {
            failed: ("failed", bool(part.failed)),
            blocked: ("blocked", bool(part.blocked)),
            unmanaged: ("unmanaged", part.managed is False),
        }
        counted.add(1, state="running" if runs else "not_running")
        for state, true in troubles.values():
            counted.add(true, state=state)
        well = runs and not any(true for _, true in troubles.values())
        if len(known) > MOST_RESOURCES and name not in shown:
            if well or len(shown) >= MOST_SINGLE:
                continue
        shown.add(name)
        word = part.role.value if isinstance(part.role, pacemaker.Role) else OTHER
        role.add(1, resource=name, role=word)
        for node in part.nodes if runs else ():
            active.add(1, resource=name, node=node)
        for family, (_, true) in troubles.items():
            family.add(true, resource=name)
    past_failures = [past for past in cluster.history if past.fail_count]
    for past in past_failures[:MOST_SINGLE]:
        if base_id(past.resource) in names:
            fails.set(past.fail_count, resource=base_id(past.resource), node=past.node)
    left.set(len(names) - len(shown), what="resources")
    left.set(max(0, len(past_failures) - MOST_SINGLE), what="fail_counts")
    yield from (counted, role, active, failed, blocked, unmanaged, fails)


def _timing(judgement: Judgement) -> Iterator[Family]:
    if all(line.check != "timing" for line in judgement.report.lines):
        return
    corosync = Family(
        "corosync_detection_seconds", "Time until Corosync acts on a lost node: token + consensus."
    )
    corosync.set(judgement.report.figure("timing", "corosync_detection"))
    needs = Family("drbd_detection_seconds", "Time until DRBD notices that a peer is gone.")
    needs.set(judgement.report.figure("timing", "drbd_detection"))
    yield from (corosync, needs)


# -- DRBD --------------------------------------------------------------------------------------


def _word(state: object) -> str:
    """A state word that the tools are known to print, else :data:`OTHER`."""
    return OTHER if isinstance(state, Unrecognised) else state_name(state)


def _bytes(kib: Optional[int]) -> Optional[int]:
    return None if kib is None else kib * drbd.KIB


class _Single:
    """Which objects have series of their own: all of few, of many the first that are not well."""

    def __init__(self, everything: bool) -> None:
        self._everything = everything
        self._shown = 0
        self.left = 0

    def takes(self, well: bool) -> bool:
        """Whether the next object is one of them; else it is counted as left out."""
        if not self._everything and (well or self._shown >= MOST_SINGLE):
            self.left += 1
            return False
        self._shown += 1
        return True


def _drbd(replicas: tuple[Replica, ...], left: Family) -> Iterator[Family]:
    resources = tuple(each.resource for each in replicas)
    peers = sum(len(each.peer_devices) for one in resources for each in one.connections)
    volumes = sum(len(one.devices) for one in resources)
    everything = max(peers, volumes) <= MOST_PEER_VOLUMES
    if not everything:
        yield from _of_many(replicas)
    yield from _volumes(replicas, everything, left)
    yield from _connections(resources, everything, left)
    yield from _peers(resources, everything, left)


def _of_many(replicas: tuple[Replica, ...]) -> Iterator[Family]:
    """:data:`OF_RESOURCE` series for each resource, and how many objects are in which state."""
    role = Family("drbd_resource_role", "Role of the resource on this node.")
    fewest = Family("drbd_resource_copies_min", "Copies of the volume that has the fewest.")
    connected = Family("drbd_resource_connected", "Peers that are connected.")
    behind = Family("drbd_resource_out_of_sync_bytes", "Most that is out of sync with a peer.")
    disks = Family("drbd_volumes", "Volumes by the state of the local disk.")
    states = Family("drbd_connections", "Connections to each peer by their state.")
    replication = Family("drbd_peer_volumes", "Volumes on peers by their replication state.")
    for replica in replicas:
        one = replica.resource
        role.set(1, resource=one.name, role=_word(one.role))
        have = [len(volume.copies.up_to_date) for volume in replica.volumes]
        fewest.set(min(have, default=None), resource=one.name)
        connected.set(sum(each.is_connected for each in one.connections), resource=one.name)
        known = [
            peer.out_of_sync_kib
            for each in one.connections
            for peer in each.peer_devices
            if peer.out_of_sync_kib is not None
        ]
        behind.set(_bytes(max(known, default=None)), resource=one.name)
    resources = [replica.resource for replica in replicas]
    connections = [each for one in resources for each in one.connections]
    peers = [peer for each in connections for peer in each.peer_devices]
    told = Counter((each.name, each.state) for each in connections)
    for (name, state), number in told.items():
        states.add(number, peer=name, state=_word(state))
    for family, words in (
        (disks, (device.disk_state for one in resources for device in one.devices)),
        (replication, (peer.replication_state for peer in peers)),
    ):
        for text, number in Counter(map(_word, words)).items():
            family.add(number, state=text)
    yield from (role, fewest, connected, behind, disks, states, replication)


def _volumes(replicas: tuple[Replica, ...], everything: bool, left: Family) -> Iterator[Family]:
    role = Family("drbd_role", "Role of the resource on this node.")
    suspended = Family("drbd_suspended", "Whether I/O of the resource is suspended.")
    disk = Family("drbd_disk_state", "State of the local disk.")
    client = Family("drbd_client", "Whether this node is diskless on purpose.")
    quorum = Family("drbd_quorum", "Whether the volume has quorum.")
    good = Family("drbd_copies", "UpToDate copies that can be reached from here.")
    due = Family("drbd_replicas", "Copies that there should be.")
    size = Family("drbd_size_bytes", "Size of the volume.")
    read = Family("drbd_read_bytes_total", "Read from the local disk.", "counter")
    written = Family("drbd_written_bytes_total", "Written to the local disk.", "counter")
    pending = Family("drbd_pending_requests", "Requests from above that are in flight.")
    wait = Family(
        "drbd_sync_remaining_seconds", "Time that the resync to this node will take; 0 without one."
    )
    single = _Single(everything)
    for replica in replicas:
        resource = replica.resource
        for volume in replica.volumes:
            device, have, sync = volume.device, volume.copies, volume.sync
            well = (
                device.disk_state in _GOOD_DISKS
                and device.quorum is not False
                and not resource.suspended
            )
            if not single.takes(well):
                continue
            role.set(1, resource=resource.name, role=_word(resource.role))
            suspended.set(resource.suspended, resource=resource.name)
            name = {"resource": resource.name, "volume": device.volume}
            disk.set(1, **name, state=_word(device.disk_state))
            client.set(volume.client, **name)
            quorum.set(device.quorum, **name)
            good.set(len(have.up_to_date), **name)
            due.set(len(have.replicas), **name)
            size.set(_bytes(device.size_kib), **name)
            read.set(_bytes(device.read_kib), **name)
            written.set(_bytes(device.written_kib), **name)
            pending.set(device.upper_pending, **name)
            progress = sync.progress if sync is not None else None
            seconds = progress.seconds_left if progress is not None else None
            wait.set(0 if sync is None else seconds, **name)
    left.set(single.left, what="drbd_volumes")
    yield from (role, suspended, disk, client, quorum, good, due)
    yield from (size, read, written, pending, wait)


def _connections(
    resources: tuple[drbd.DrbdResource, ...], everything: bool, left: Family
) -> Iterator[Family]:
    state = Family("drbd_connection_state", "State of the connection to a peer.")
    role = Family("drbd_peer_role", "Role of the resource on a peer.")
    congested = Family("drbd_congested", "Whether the connection is congested.")
    single = _Single(everything)
    for resource in resources:
        for each in resource.connections:
            well = each.is_connected and not each.congested
            if not single.takes(well):
                continue
            name = {"resource": resource.name, "peer": each.name}
            state.set(1, **name, state=_word(each.state))
            role.set(1, **name, role=_word(each.peer_role))
            congested.set(each.congested, **name)
    left.set(single.left, what="drbd_connections")
    yield from (state, role, congested)


def _peers(
    resources: tuple[drbd.DrbdResource, ...], everything: bool, left: Family
) -> Iterator[Family]:
    disk = Family("drbd_peer_disk_state", "State of a peer's disk.")
    replication = Family("drbd_replication_state", "Replication state towards a peer.")
    out = Family("drbd_out_of_sync_bytes", "Out of sync with the peer.")
    ratio = Family(
        "drbd_in_sync_ratio", "Share of the volume that is in sync with the peer, 0 to 1."
    )
    received = Family("drbd_received_bytes_total", "Received from the peer.", "counter")
    sent = Family("drbd_sent_bytes_total", "Sent to the peer.", "counter")
    single = _Single(everything)
    for resource in resources:
        for connection in resource.connections:
            for peer in connection.peer_devices:
                well = (
                    peer.replication_state is drbd.ReplicationState.ESTABLISHED
                    and peer.peer_disk_state in _GOOD_DISKS
                    and not peer.out_of_sync_kib
                )
                if not single.takes(well):
                    continue
                name = {"resource": resource.name, "peer": connection.name, "volume": peer.volume}
                disk.set(1, **name, state=_word(peer.peer_disk_state))
                replication.set(1, **name, state=_word(peer.replication_state))
                out.set(_bytes(peer.out_of_sync_kib), **name)
                share = peer.percent_in_sync
                ratio.set(None if share is None else round(share / 100, 6), **name)
                received.set(_bytes(peer.received_kib), **name)
                sent.set(_bytes(peer.sent_kib), **name)
    left.set(single.left, what="drbd_peer_volumes")
    yield from (disk, replication, out, ratio, received, sent)
