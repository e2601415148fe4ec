"""The cluster as metrics in Prometheus' text format, for node_exporter's textfile collector.

Every state is one series for each word it may have, 1 for the one in force: a series never goes
while its object is there. Base units only. A value that is not known is NaN.

Source of the format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Optional

from .. import __version__
from ..inputs.drbdsetup_status import DRBD
from ..judge.picture import Part, Picture
from ..model import drbd, pacemaker
from ..model.pacemaker import NODE_WORDS, RUNNING, base_id, primitives, status_word
from ..model.words import state_name
from ..verdict.finding import TOOLS, State
from ..verdict.view import Judgement

PREFIX = "mccluster_"
STATES = tuple(state.name.lower() for state in State)
OTHER = "unrecognised"
"""The series of a state word that nobody knows."""

Labels = tuple[tuple[str, str], ...]


@dataclass
class Family:
    """A metric with its series; a series can be set again, never doubled."""

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


def as_text(families: Iterable[Family]) -> str:
    """The families in the text format; one without series is left out."""
    lines = []
    for family in families:
        if not family.series:
            continue
        name = PREFIX + family.name
        lines.append(f"# HELP {name} {_escape(family.help)}")
        lines.append(f"# TYPE {name} {family.type}")
        for labels, value in family.series.items():
            pairs = ",".join(f'{key}="{_escape_label(text)}"' for key, text in labels)
            lines.append(
                f"{name}{{{pairs}}} {_number(value)}" if pairs else f"{name} {_number(value)}"
            )
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _escape_label(text: str) -> str:
    """What no terminal may act on is replaced, for metrics are printed, too."""
    printable = "".join(each if each.isprintable() or each == "\n" else "\ufffd" for each in text)
    return _escape(printable).replace('"', '\\"')


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(value)


def metrics(seen: Picture) -> Iterator[Family]:
    """Everything there is to tell of the picture of one node."""
    (judgement,) = seen.seen
    yield from _run(judgement)
    yield from _states(judgement)
    for part in seen.parts:
        yield from _cluster(part, judgement)
        yield from _resources(part.cluster)
    yield from _timing(judgement)
    yield from _volumes(seen)
    yield from _connections(judgement)
    yield from _peers(judgement)


def _run(judgement: Judgement) -> Iterator[Family]:
    build = Family("build_info", "Version of check_mccluster; the value is always 1.")
    build.set(1, version=__version__)
    success = Family("last_run_success", "Whether every tool that was asked gave its answer.")
    success.set(all(judgement.report.check_of(fault) != TOOLS for fault in judgement.report.faults))
    time = Family("last_run_timestamp_seconds", "When the cluster was looked at, Unix time.")
    time.set(judgement.view.time.timestamp())
    yield from (build, success, time)


# -- verdicts ----------------------------------------------------------------------------------


def _states(judgement: Judgement) -> Iterator[Family]:
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


# -- Pacemaker and Corosync --------------------------------------------------------------------


def _cluster(part: Part, judgement: Judgement) -> Iterator[Family]:
    cluster, count = part.cluster, part.votes
    state = Family("node_state", "State of a cluster node, the one that matters most.")
    controller = Family("node_dc", "Whether the node is the designated controller.")
    running = Family("node_resources", "Resources that run on the node.")
    for node in cluster.nodes:
        state.one_of(NODE_WORDS, status_word(node), "state", node=node.name)
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
    margin = Family("votes_margin", "Votes that may be lost before the quorum is.")
    margin.set(count.margin)
    candidates = Family(
        "failover_candidates", "Nodes that could take over, of the service that has the fewest."
    )
    candidates.set(judgement.report.figure("failover", "candidates_min"))
    failed = Family("failed_actions", "Failed operations that are still recorded.")
    failed.set(len(cluster.failures))
    yield from (state, controller, running, maintenance, quorate, votes, needed, margin)
    yield from (candidates, failed)


def _resources(cluster: pacemaker.Cluster) -> Iterator[Family]:
    role = Family("resource_role", "Instances of a resource in this role.")
    active = Family("resource_active", "Instances of a resource that run on the node.")
    failed = Family("resource_failed", "Instances that failed and are not recovered.")
    blocked = Family("resource_blocked", "Instances that Pacemaker gave up on.")
    unmanaged = Family("resource_unmanaged", "Instances that Pacemaker does not manage.")
    fails = Family("resource_failures", "Fail-count on the node; 1000000 is INFINITY.")
    known = [part for resource in cluster.resources for part in primitives(resource)]
    roles = (*(word.value for word in pacemaker.Role), OTHER)
    for part in known:
        name = base_id(part.id)
        word = part.role.value if isinstance(part.role, pacemaker.Role) else OTHER
        for each in roles:
            role.add(each == word, resource=name, role=each)
        for node in cluster.nodes:
            runs = part.role in RUNNING and node.name in part.nodes
            active.add(runs, resource=name, node=node.name)
            fails.set(0, resource=name, node=node.name)
        failed.add(bool(part.failed), resource=name)
        blocked.add(bool(part.blocked), resource=name)
        unmanaged.add(part.managed is False, resource=name)
    names = {base_id(part.id) for part in known}
    for past in cluster.history:
        if base_id(past.resource) in names:
            fails.set(past.fail_count or 0, resource=base_id(past.resource), node=past.node)
    yield from (role, active, failed, blocked, unmanaged, fails)


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


def _words(words: type[enum.Enum]) -> tuple[str, ...]:
    return (*(str(word.value) for word in words), OTHER)


def _one_of(
    family: Family, words: type[enum.Enum], word: object, label: str, **labels: object
) -> None:
    family.one_of(
        _words(words), state_name(word) if isinstance(word, words) else OTHER, label, **labels
    )


def _bytes(kib: Optional[int]) -> Optional[int]:
    return None if kib is None else kib * drbd.KIB


def _volumes(seen: Picture) -> Iterator[Family]:
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
    left = Family(
        "drbd_sync_remaining_seconds", "Time that the resync to this node will take; 0 without one."
    )
    for replica in seen.replicas:
        resource = replica.resource
        _one_of(role, drbd.Role, resource.role, "role", resource=resource.name)
        suspended.set(resource.suspended, resource=resource.name)
        for volume in replica.volumes:
            device, have, sync = volume.device, volume.copies, volume.sync
            name = {"resource": resource.name, "volume": device.volume}
            _one_of(disk, drbd.DiskState, device.disk_state, "state", **name)
            client.set(volume.client, **name)
            quorum.set(device.quorum, **name)
            good.set(len(have.up_to_date), **name)
            due.set(len(have.replicas), **name)
            size.set(_bytes(device.size_kib), **name)
            read.set(_bytes(device.read_kib), **name)
            written.set(_bytes(device.written_kib), **name)
            pending.set(device.upper_pending, **name)
            progress = sync.progress if sync is not None else None
            wait = progress.seconds_left if progress is not None else None
            left.set(0 if sync is None else wait, **name)
    yield from (role, suspended, disk, client, quorum, good, due)
    yield from (size, read, written, pending, left)


def _connections(judgement: Judgement) -> Iterator[Family]:
    state = Family("drbd_connection_state", "State of the connection to a peer.")
    role = Family("drbd_peer_role", "Role of the resource on a peer.")
    congested = Family("drbd_congested", "Whether the connection is congested.")
    for resource in judgement.view[DRBD].value or ():
        for each in resource.connections:
            name = {"resource": resource.name, "peer": each.name}
            _one_of(state, drbd.ConnectionState, each.state, "state", **name)
            _one_of(role, drbd.Role, each.peer_role, "role", **name)
            congested.set(each.congested, **name)
    yield from (state, role, congested)


def _peers(judgement: Judgement) -> Iterator[Family]:
    disk = Family("drbd_peer_disk_state", "State of a peer's disk.")
    replication = Family("drbd_replication_state", "Replication state towards a peer.")
    out = Family("drbd_out_of_sync_bytes", "Out of sync with the peer.")
    ratio = Family(
        "drbd_in_sync_ratio", "Share of the volume that is in sync with the peer, 0 to 1."
    )
    received = Family("drbd_received_bytes_total", "Received from the peer.", "counter")
    sent = Family("drbd_sent_bytes_total", "Sent to the peer.", "counter")
    for resource in judgement.view[DRBD].value or ():
        for connection in resource.connections:
            for peer in connection.peer_devices:
                name = {"resource": resource.name, "peer": connection.name, "volume": peer.volume}
                _one_of(disk, drbd.DiskState, peer.peer_disk_state, "state", **name)
                _one_of(replication, drbd.ReplicationState, peer.replication_state, "state", **name)
                out.set(_bytes(peer.out_of_sync_kib), **name)
                share = peer.percent_in_sync
                ratio.set(None if share is None else round(share / 100, 6), **name)
                received.set(_bytes(peer.received_kib), **name)
                sent.set(_bytes(peer.sent_kib), **name)
    yield from (disk, replication, out, ratio, received, sent)
