"""The documents that Zabbix reads: low-level discovery, and the one that has every value.

Long because both documents name the same objects, in the same order.

Words stay words, yes and no are 1 and 0, sizes are bytes. What is not known is left out, so that
an item keeps its last value instead of being told a wrong one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Optional

from .. import __version__
from ..inputs.crm_mon import CLUSTER
from ..inputs.drbdsetup import DRBD
from ..judge.picture import Picture, Replica, Volume
from ..model.drbd import KIB, Connection, DrbdResource, PeerDevice
from ..model.pacemaker import (
    RUNNING,
    Cluster,
    Primitive,
    Resource,
    base_id,
    ids_of,
    primitives,
    status_word,
)
from ..model.words import state_name
from ..verdict.finding import TOOLS, Fault, Finding, Line, State, worst
from ..verdict.problems import OUTPUT_INVALID, TOOL_MISSING
from ..verdict.view import Answer, Input, Judgement, View
from .text import clean, first_line

Entry = dict[str, Any]

KINDS: dict[str, Input[Any]] = {
    "nodes": CLUSTER,
    "resources": CLUSTER,
    "drbd": DRBD,
    "peers": DRBD,
}
"""What can be discovered, and the input that it is found in."""


LIMIT = 512 * 1024
"""The most that the document of all values has, in bytes: an item takes no more (``Text``)."""

_ROOM = 448 * 1024
"""Bytes of it for all objects, with their rows of discovery and the texts of their faults."""
_OF_FAULT = 256
"""Bytes for each object that are kept free for the text of a fault."""
_LONG = 2000
"""So many characters of a check's own words."""
_MOST_TOLD = 20
"""So many faults are named in one text; the others are counted."""


def as_text(document: Any) -> str:
    """The document as one line of JSON, plain ASCII."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False) + "\n"


def error_document(text: str) -> str:
    """What either command prints when it cannot even begin."""
    return as_text({"error": clean(text)})


# -- low-level discovery -----------------------------------------------------------------------


def discovery(view: View, kind: str, most: Optional[int] = None) -> Any:
    """Rows of macros for a discovery rule, or an object with ``error``.

    The object is no discovery document: Zabbix then keeps what it has discovered. A tool that is
    not installed is no error, there is nothing of its kind to discover on this node.

    :param most: of how many objects, at most.
    """
    answer: Answer[Any] = view[KINDS[kind]]
    broken = [problem.text for problem in answer.problems if _hides_objects(problem, answer)]
    if broken:
        return {"error": clean("; ".join(broken))}
    if kind == "nodes":
        return [{"{#NODE}": name} for name in islice(_nodes(view), most)]
    if kind == "resources":
        return [
            {"{#RESOURCE}": name, "{#TYPE}": entry["type"], "{#TOP}": entry["top"]}
            for name, entry in islice(_resources(view).items(), most)
        ]
    if kind == "drbd":
        volumes = ((r.name, d.volume) for r in view[DRBD].value or () for d in r.devices)
        return [
            {"{#RESOURCE}": name, "{#VOLUME}": str(volume)}
            for name, volume in islice(volumes, most)
        ]
    return [
        {"{#RESOURCE}": r.name, "{#PEER}": c.name, "{#VOLUME}": str(p.volume)}
        for r, c, p in islice(_peer_volumes(view[DRBD].value or ()), most)
    ]


def _hides_objects(problem: Finding, answer: Answer[Any]) -> bool:
    if problem.kind is OUTPUT_INVALID:
        return answer.value is None  # else it is about one word in a whole list
    return problem.kind is not TOOL_MISSING


# -- the values --------------------------------------------------------------------------------


def data(seen: Picture) -> Entry:
    """Every value that the template's items take, in one document: the picture of one node.

    A fault is told once: in ``alarm`` of the object it is about, else in that of the check that
    found it, else, when a tool is at fault, in ``error`` and ``tools``. ``discovery`` has the rows
    of every discovery rule, so that one look at the cluster is enough for all of them.
    """
    (one,) = seen.seen
    view, report = one.view, one.report
    known, managed = _nodes(view), _resources(view)
    found = {
        "nodes": len(known),
        "resources": len(managed),
        "drbd": sum(len(replica.volumes) for replica in seen.replicas),
        "peers": sum(1 for _ in _peer_volumes(view[DRBD].value or ())),
    }
    tables = _bounded(
        {
            "nodes": known.items(),
            "resources": managed.items(),
            "drbd": _drbd(seen),
            "peers": _peers(view),
        }
    )
    nodes, resources, drbd, peers = tables.values()
    objects = {
        "nodes": nodes,
        "resources": resources,
        "failures": resources,
        "placement": resources,
        "drbd-disk": drbd,
        "drbd-quorum": drbd,
        "drbd-sync": drbd,
        "drbd-mesh": _first_of_connection(view, peers),
    }
    told: dict[str, list[Fault]] = {}
    for fault in report.faults:
        check = report.check_of(fault)
        entry = objects.get(check, {}).get(base_id(fault.cause.object))
        if fault.state is State.OK:
            continue
        if _is_maintenance(view, fault.cause):
            told.setdefault("maintenance", []).append(fault)
        elif entry is not None:
            _tell(entry, fault)
        else:
            told.setdefault(check, []).append(fault)
    document: Entry = {
        "version": __version__,
        "node": view.here,
        "time": int(view.time.timestamp()),
        "state": report.state.value,
        "text": first_line(report),
        "maintenance": _text(told.get("maintenance", ())),
        "tools": _state(told.get(TOOLS, ())).value,
        "alarms": {"maintenance": _alarm(told.get("maintenance", ()))},
        "checks": {line.check: _check(line, told.get(line.check, ())) for line in report.lines},
        **tables,
        "discovery": _discoveries(view, tables),
        "left_out": {kind: number - len(tables[kind]) for kind, number in found.items()},
    }
    if TOOLS in told:
        document["error"] = _text(told[TOOLS])
    return document


def _bounded(tables: Mapping[str, Iterable[tuple[str, Entry]]]) -> dict[str, dict[str, Entry]]:
    """As many objects as there is room for, always the same; a fault of the others is the check's.

    What one kind does not need the kinds after it may have.

    :param tables: of each kind the names with their entries, made while there is room for them.
    """
    room = _ROOM
    bounded: dict[str, dict[str, Entry]] = {}
    for number, (kind, table) in enumerate(tables.items()):
        share = room // (len(tables) - number)
        kept = bounded[kind] = {}
        for name, entry in table:
            # The name stands in the row of discovery, too.
            size = 3 * len(name) + len(json.dumps(entry)) + _OF_FAULT
            if size > share:
                break
            share -= size
            room -= size
            kept[name] = entry
    return bounded


def cluster(judgement: Judgement) -> Entry:
    """The same document of several nodes as one cluster, for a host that stands for all of them.

    A fault of a node that is asked is that node's, every other one the check ``cluster``'s; what
    only a single node knows of its volumes and peers is not in it.
    """
    report = judgement.report
    names = [line.check for line in report.lines]
    names += [each.object for each in report.findings if each.key == "node-unasked"]
    nodes = {name: _entry() for name in dict.fromkeys(names)}
    told: dict[str, list[Fault]] = {}
    for fault in report.faults:
        entry = nodes.get(fault.cause.object)
        if fault.state is State.OK:
            continue
        if fault.cause.key == "cluster-maintenance":
            told.setdefault("maintenance", []).append(fault)
        elif entry is not None:
            _tell(entry, fault)
        else:
            told.setdefault("cluster", []).append(fault)
    text = first_line(report)
    whole = Line("cluster", report.state, text, figures=report.figures)
    return {
        "version": __version__,
        "time": int(judgement.view.time.timestamp()),
        "state": report.state.value,
        "text": text,
        "maintenance": _text(told.get("maintenance", ())),
        "tools": State.OK.value,
        "alarms": {"maintenance": _alarm(told.get("maintenance", ()))},
        "checks": {"cluster": _check(whole, told.get("cluster", ()))},
        "nodes": nodes,
        "discovery": {"nodes": [{"{#NODE}": name} for name in nodes]},
    }


def _discoveries(view: View, tables: Mapping[str, Mapping[str, Entry]]) -> Entry:
    """The rows of what the *tables* have; a kind that cannot be read now is left out."""
    found = {kind: discovery(view, kind, len(tables[kind])) for kind in KINDS}
    return {kind: rows for kind, rows in found.items() if isinstance(rows, list)}


def _is_maintenance(view: View, cause: Finding) -> bool:
    """Whether the cluster, or this node, is in maintenance: then nothing is managed here."""
    return cause.key == "cluster-maintenance" or (
        cause.key == "node-maintenance" and view.is_here(cause.object)
    )


def _state(faults: Iterable[Fault]) -> State:
    return worst([fault.state for fault in faults])


def _text(faults: Iterable[Fault]) -> str:
    texts = list(dict.fromkeys(clean(fault.text) for fault in faults))
    more = len(texts) - _MOST_TOLD
    return "; ".join(texts[:_MOST_TOLD]) + (f"; and {more} more" if more > 0 else "")


def _check(line: Line, faults: Sequence[Fault]) -> Entry:
    """A check's verdict, its own faults, its figures."""
    figures = {f.label: f.value for f in line.figures if f.value is not None}
    text = clean(line.text)
    if len(text) > _LONG:
        text = f"{text[:_LONG]} ..."
    entry = {"state": line.state.value, "text": text, "figures": figures}
    if faults or not line.unjudged:
        entry["alarm"] = _alarm(faults)
    return entry


def _alarm(faults: Iterable[Fault]) -> Entry:
    """What this node tells: state, the words, and what the gravest fault is by key and object.

    What another node is to tell is not in it, so that one fault of the cluster is one event.
    """
    told = sorted((fault for fault in faults if fault.spoken), key=lambda fault: -fault.state.rank)
    return {
        "state": _state(told).value,
        "text": _text(told),
        "fault": clean(f"{told[0].cause.key} {told[0].cause.object}").strip() if told else "",
    }


def _tell(entry: Entry, fault: Fault) -> None:
    entry["state"] = worst([State(entry["state"]), fault.state]).value
    entry["text"] = "; ".join(filter(None, (entry["text"], clean(fault.text))))
    old, new = entry["alarm"], _alarm((fault,))
    graver = State(new["state"]).rank > State(old["state"]).rank
    entry["alarm"] = {
        "state": new["state"] if graver else old["state"],
        "text": "; ".join(dict.fromkeys(filter(None, (old["text"], new["text"])))),
        "fault": new["fault"] if graver else old["fault"],
    }


def _entry(**values: Any) -> Entry:
    """An object without a fault so far; what is not known is left out."""
    known = {name: value for name, value in values.items() if value is not None}
    return {
        "state": State.OK.value,
        "text": "",
        "alarm": _alarm(()),
        **{name: int(v) if isinstance(v, bool) else v for name, v in known.items()},
    }


# -- Pacemaker's objects -----------------------------------------------------------------------


def _nodes(view: View) -> dict[str, Entry]:
    cluster = view[CLUSTER].value
    known = cluster.nodes if cluster is not None else ()
    return {
        node.name: _entry(
            status=status_word(node),
            online=node.online,
            dc=node.is_dc,
            running=node.resources_running,
        )
        for node in known
        if not node.is_ping
    }


def _resources(view: View) -> dict[str, Entry]:
    """Top-level resources and the primitives inside; instances of a clone are one object."""
    cluster = view[CLUSTER].value
    found: dict[str, Entry] = {}
    for resource in cluster.resources if cluster is not None else ():
        parts = tuple(primitives(resource))
        if not isinstance(resource, Primitive):
            kind = type(resource).__name__.lower()
            found[resource.id] = _resource(cluster, resource, parts, kind, resource.id)
        for name in dict.fromkeys(base_id(part.id) for part in parts):
            same = tuple(part for part in parts if base_id(part.id) == name)
            found[name] = _resource(cluster, same[0], same, "primitive", resource.id)
    return found


def _resource(
    cluster: Optional[Cluster],
    resource: Resource,
    parts: Sequence[Primitive],
    kind: str,
    top: str,
) -> Entry:
    ids = ids_of(resource) | {base_id(resource.id)}
    history = cluster.history if cluster is not None else ()
    return _entry(
        type=kind,
        top=top,
        role=", ".join(dict.fromkeys(state_name(part.role) for part in parts)),
        nodes=", ".join(dict.fromkeys(node for part in parts for node in part.nodes)),
        running=sum(1 for part in parts if part.role in RUNNING),
        managed=all(part.managed is not False for part in parts),
        fail_count=max(
            (past.fail_count or 0 for past in history if base_id(past.resource) in ids), default=0
        ),
    )


# -- DRBD's objects ----------------------------------------------------------------------------


def _peer_volumes(
    resources: Iterable[DrbdResource],
) -> Iterator[tuple[DrbdResource, Connection, PeerDevice]]:
    return (
        (resource, connection, peer)
        for resource in resources
        for connection in resource.connections
        for peer in connection.peer_devices
    )


def _drbd(seen: Picture) -> Iterator[tuple[str, Entry]]:
    return (
        (volume.name, _volume(replica, volume))
        for replica in seen.replicas
        for volume in replica.volumes
    )


def _peers(view: View) -> Iterator[tuple[str, Entry]]:
    return (
        (f"{r.name}/{c.name}/{p.volume}", _peer(c, p))
        for r, c, p in _peer_volumes(view[DRBD].value or ())
    )


def _first_of_connection(view: View, peers: Mapping[str, Entry]) -> dict[str, Entry]:
    """A connection's fault is told once, at its first volume; by the finding's ``r0:app01``."""
    first: dict[str, Entry] = {}
    volumes = _peer_volumes(view[DRBD].value or ())
    for entry, (resource, connection, _) in zip(peers.values(), volumes):
        first.setdefault(f"{resource.name}:{connection.name}", entry)
    return first


def _bytes(kib: Optional[int]) -> Optional[int]:
    return None if kib is None else kib * KIB


def _volume(replica: Replica, volume: Volume) -> Entry:
    resource, device = replica.resource, volume.device
    progress = volume.sync.progress if volume.sync is not None else None
    return _entry(
        role=state_name(resource.role),
        disk=state_name(device.disk_state),
        client=volume.client,
        quorum=device.quorum,
        suspended=resource.suspended,
        copies=len(volume.copies.up_to_date),
        replicas=len(volume.copies.replicas),
        size=_bytes(device.size_kib),
        read=_bytes(device.read_kib),
        written=_bytes(device.written_kib),
        pending=device.upper_pending,
        out_of_sync=_bytes(volume.out_of_sync_kib),
        sync_done=progress.percent_done if progress is not None else None,
        sync_left=progress.seconds_left if progress is not None else None,
    )


def _peer(connection: Connection, peer: PeerDevice) -> Entry:
    return _entry(
        connection=state_name(connection.state),
        role=state_name(connection.peer_role),
        disk=state_name(peer.peer_disk_state),
        replication=state_name(peer.replication_state),
        client=peer.peer_client,
        congested=connection.congested,
        out_of_sync=_bytes(peer.out_of_sync_kib),
        in_sync=peer.percent_in_sync,
        received=_bytes(peer.received_kib),
        sent=_bytes(peer.sent_kib),
        pending=peer.pending,
        unacked=peer.unacked,
    )
