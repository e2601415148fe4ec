"""Are the local disks good?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from ..inputs.drbdsetup import DRBD
from ..judge.facts.drbd import (
    MOST_SINGLE_FIGURES,
    about_to_sync,
    is_client,
    progress_words,
    syncing_to_here,
    volume_name,
)
from ..judge.facts.mending import (
    attach_step,
    attaching_step,
    congestion_words,
    own_copy_step,
    wait_step,
)
from ..model.drbd import KIB, Device, DiskState, DrbdResource
from ..model.words import state_name
from ..verdict import subject
from ..verdict.check import Check
from ..verdict.finding import Figure, Finding, Kind, Lines, Report, State, finding
from ..verdict.view import Asked, View, contains_node

LOST = Kind(
    "disk-lost",
    State.CRITICAL,
    "Diskless, and not an intended client: an I/O error, detached, or never attached.",
    "on {node}: journalctl -k -g drbd; check the backing disk (smartctl, multipath); when it"
    " is good: drbdadm attach {object}",
)
FAILED = Kind(
    "disk-failed",
    State.CRITICAL,
    "The backing disk failed, or is being detached after a failure.",
    "on {node}: journalctl -k -g drbd; check the backing disk (smartctl, multipath)",
)
INCONSISTENT = Kind(
    "disk-inconsistent",
    State.CRITICAL,
    "The disk is Inconsistent and no resync to it is running: it holds no usable copy.",
    "on {node}: drbdadm status {resource}; for a peer that is UpToDate and not Connected: drbdadm"
    " connect {resource}; for one that is Connected, where {node} is not Primary: drbdadm"
    " disconnect {resource}:PEER, then connect",
)
OUTDATED = Kind(
    "disk-outdated",
    State.CRITICAL,
    "The disk holds an old copy. WARNING while a resync to it is running.",
    "on {node}: drbdadm status {resource}; bring the connection to an UpToDate peer back: drbdadm"
    " connect {resource}",
)
SYNCING = Kind(
    "disk-syncing",
    State.WARNING,
    "The disk is being resynchronised; until then it is not a usable copy.",
    "Wait; watch it on {node} with: drbdadm status {resource}",
)
CONSISTENT = Kind(
    "disk-consistent",
    State.WARNING,
    "The disk waits to learn from its peers whether it is up to date.",
    "on {node}: drbdadm status {resource}; bring back a connection to a node with an UpToDate copy",
)
ATTACHING = Kind(
    "disk-attaching",
    State.WARNING,
    "The disk is being attached or negotiates with its peers; a problem only if it lasts.",
    "Wait some seconds; if it stays, on {node}: journalctl -k -g drbd",
)
CLIENT_UNKNOWN = Kind(
    "client-unknown",
    State.UNKNOWN,
    "Diskless, and this drbd-utils or kernel cannot say whether that is on purpose.",
    "Upgrade drbd-utils to 9.4 or later, or list the clients in the configuration file",
)
CLIENT_UNEXPECTED = Kind(
    "client-unexpected",
    State.CRITICAL,
    "The configuration file lists this node as a replica and it runs as a diskless client.",
    "on {node}: drbdadm dump {resource}; correct the disk section, then see what would"
    " change: drbdadm --dry-run adjust {resource}",
)
DISK_UNEXPECTED = Kind(
    "disk-unexpected",
    State.WARNING,
    "The configuration file lists this node as a client and it has a disk.",
    "on {node}: drbdadm dump {resource}; correct the configuration file or the resource",
)


def _diskless(view: View, resource: DrbdResource, device: Device) -> Optional[tuple[Kind, str]]:
    """What is wrong with having no disk, if anything is."""
    rule = view.config.drbd.get(resource.name)
    client = is_client(view, resource, device)
    if client is None:
        return (
            CLIENT_UNKNOWN,
            f"Diskless on {view.here}, and drbdsetup cannot say whether that is on purpose",
        )
    if not client:
        if device.size_kib == 0:
            return LOST, f"no disk on {view.here} (Diskless, not a client; never attached)"
        return LOST, f"disk lost on {view.here} (Diskless, not a client)"
    if rule is not None and contains_node(rule.replicas, view.node):
        return (
            CLIENT_UNEXPECTED,
            f"{view.here} is a diskless client, the configuration file says replica",
        )
    return None


def _judge_one(view: View, resource: DrbdResource, device: Device) -> Iterator[Finding]:
    state = device.disk_state
    rule = view.config.drbd.get(resource.name)
    if state is DiskState.UP_TO_DATE and rule is None:
        return
    name = volume_name(resource, device.volume)
    here = (view.here,)

    def say(kind: Kind, text: str, grave: Optional[State] = None, step: str = "") -> Finding:
        text = f"{name}: {text}"
        return finding(
            kind,
            subject.volume(resource.name, device.volume),
            text,
            state=grave,
            nodes=here,
            resource=resource.name,
            step=step,
        )

    if state is DiskState.DISKLESS:
        wrong = _diskless(view, resource, device)
        if wrong is not None:
            step = attach_step(resource, device, view.here) if wrong[0] is LOST else ""
            yield say(*wrong, step=step)
        return
    if rule is not None and contains_node(rule.clients, view.node):
        yield say(DISK_UNEXPECTED, f"{view.here} has a disk, the configuration file says client")
    sync = syncing_to_here(resource, device.volume)
    coming = sync is not None or about_to_sync(resource, device.volume)
    how = f"resync from {sync[0].name}, {progress_words(sync[1])}" if sync else "resync begins"
    if state in (DiskState.FAILED, DiskState.DETACHING):
        step = attach_step(resource, device, view.here, state)
        yield say(FAILED, f"disk of {view.here} is {state_name(state)}", step=step)
    elif state is DiskState.INCONSISTENT and coming:
        step = wait_step(view, resource)
        step += congestion_words(view, resource, sync[0]) if sync else ""
        yield say(SYNCING, f"disk of {view.here} is Inconsistent, {how}", step=step)
    elif state is DiskState.INCONSISTENT:
        step = own_copy_step(view, resource, device)
        text = f"disk of {view.here} is Inconsistent and nothing resyncs it"
        yield say(INCONSISTENT, text, step=step)
    elif state is DiskState.OUTDATED and coming:
        step = wait_step(view, resource)
        text = f"disk of {view.here} is Outdated, {how}"
        yield say(OUTDATED, text, State.WARNING, step)
    elif state is DiskState.OUTDATED:
        step = own_copy_step(view, resource, device)
        yield say(OUTDATED, f"disk of {view.here} is Outdated and nothing resyncs it", step=step)
    elif state is DiskState.CONSISTENT:
        step = own_copy_step(view, resource, device)
        text = f"disk of {view.here} is Consistent, not known to be UpToDate"
        yield say(CONSISTENT, text, step=step)
    elif state in (DiskState.ATTACHING, DiskState.NEGOTIATING):
        hangs = ": its attach has not ended" if state is DiskState.ATTACHING else ""
        text = f"disk of {view.here} is {state_name(state)}{hangs}"
        yield say(ATTACHING, text, step=attaching_step(view.here, state))
    elif state is DiskState.D_UNKNOWN:
        yield say(FAILED, f"state of the disk of {view.here} is unknown", State.UNKNOWN)


def _words(view: View, resource: DrbdResource, device: Device) -> str:
    name = volume_name(resource, device.volume)
    if device.disk_state is DiskState.DISKLESS and is_client(view, resource, device):
        return f"{name} intended client (diskless)"
    return f"{name} {state_name(device.disk_state)}"


def judge(view: View, asked: Asked) -> Report:
    """Each local volume's disk."""
    del asked  # the resources are filtered already
    resources = view[DRBD].value
    if resources is None:
        return Report()
    volumes = [(r, d) for r in resources for d in r.devices]
    clients = sum(1 for r, d in volumes if is_client(view, r, d))
    good = sum(1 for _, d in volumes if d.disk_state is DiskState.UP_TO_DATE)
    if len(volumes) > 3:
        summary = f"{len(volumes)} volumes: {good} UpToDate, {clients} intended clients"
    else:
        summary = ", ".join([_words(view, r, d) for r, d in volumes])
    figures = [
        Figure("volumes", len(volumes), minimum=0),
        Figure("volumes_uptodate", good, minimum=0, maximum=len(volumes)),
        Figure("volumes_client", clients, minimum=0, maximum=len(volumes)),
    ]
    if len(volumes) <= MOST_SINGLE_FIGURES:
        figures += [
            Figure(f"{volume_name(r, d.volume)}_size", d.size_kib * KIB, "B", minimum=0)
            for r, d in volumes
            if d.size_kib is not None
        ]
    return Report(
        tuple(each for r, d in volumes for each in _judge_one(view, r, d)),
        summary or "no volumes",
        tuple(figures),
        Lines(lambda: (f"disk {_words(view, r, d)}" for r, d in volumes)),
    )


CHECK = Check(
    name="drbd-disk",
    question="Are the local disks good?",
    needs=(DRBD,),
    rule=judge,
    kinds=(
        LOST,
        FAILED,
        INCONSISTENT,
        OUTDATED,
        SYNCING,
        CONSISTENT,
        ATTACHING,
        CLIENT_UNKNOWN,
        CLIENT_UNEXPECTED,
        DISK_UNEXPECTED,
    ),
    figures=(
        ("volumes", "volumes on this node"),
        ("volumes_uptodate", "those with an UpToDate disk"),
        ("volumes_client", "those that are intended to have no disk here"),
        ("{volume}_size", "usable size of the volume, in bytes"),
    ),
    filters="drbd",
    settings=("drbd",),
    example="check_mccluster drbd-disk -r r0",
)
