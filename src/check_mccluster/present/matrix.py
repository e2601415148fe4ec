"""DRBD at a terminal: nodes by role and disk, and who is connected to whom.

A node knows its own connections only. One view gives one row of the mesh, shown as a column beside
the nodes; several views give the matrix, node by node.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Optional, Union

from ..judge.picture import Gravity, Mesh, Picture, Replica, Volume
from ..model.drbd import ConnectionState, DiskState, ReplicationState, Role
from ..model.words import Unrecognised, state_name
from ..values import NamedTuple
from ..verdict.finding import State, worst
from ..verdict.words import join
from .drbd_words import (
    FINE_REPLICATION,
    connection_span,
    disk_span,
    replication_span,
    role_span,
)
from .layout import Line, Span, natural_width, of_state, paragraph, raw, span, table
from .text import clean

FULL_ROWS = 10
"""Above so many nodes those that are alike and in order share a row."""
FULL_PICTURES = 3
"""Above so many different resources those in order get one line each."""
BRIEF_PICTURES = 6
"""Above so many different ones in order even that line is shared."""

Word = Union[ConnectionState, DiskState, ReplicationState, Role, Unrecognised]


class Row(NamedTuple):
    """A node: what is said of it, and whether all of that is in order."""

    node: str
    cells: tuple[Span, ...]
    good: bool


class Look(NamedTuple):
    """How a volume or resource looks. Those that look the same are shown once.

    :param note: what is to be said of the whole. :param lines: the table and matrix.
    :param good: whether every word of it is in order.
    """

    note: str
    lines: tuple[Line, ...]
    good: bool


def _is_good(cells: Iterable[Span]) -> bool:
    return not any(each.style in ("WARNING", "CRITICAL", "UNKNOWN") for each in cells)


# -- one view ----------------------------------------------------------------------------------


def _rows(replica: Replica, volume: Optional[Volume], gravity: Gravity) -> list[Row]:
    """This node, then its peers in DRBD's order."""
    resource, here = replica.resource, replica.here
    nothing = span("-", "dim")
    disk, number = nothing, None
    if volume is not None:
        number = volume.device.volume
        state = gravity.of(resource.name, (here,), volume=number)
        disk = disk_span(volume.device.disk_state, volume.client, state)
    own = (role_span(resource.role), disk, nothing, nothing)
    rows = [Row(f"{clean(here)}{_HERE}", own, _is_good(own))]
    for connection in resource.connections:
        peer = None if number is None else connection.peer_device(number)
        theirs, ends = (connection.name,), (here, connection.name)
        state = gravity.of(resource.name, theirs, volume=number)
        cells = (
            role_span(connection.peer_role),
            nothing if peer is None else disk_span(peer.peer_disk_state, peer.peer_client, state),
            connection_span(connection.state, gravity.of(resource.name, theirs, ends=ends)),
            replication_span(peer, gravity.of(resource.name, theirs, volume=number, ends=ends)),
        )
        rows.append(Row(clean(connection.name), cells, _is_good(cells)))
    return rows


def _merged(rows: Sequence[Row]) -> list[Row]:
    """In a large mesh, nodes in order that look the same in one row."""
    if len(rows) <= FULL_ROWS:
        return list(rows)
    alike: dict[tuple[Span, ...], list[str]] = {}
    for row in rows:
        if row.good:
            alike.setdefault(row.cells, []).append(row.node)
    bad = [row for row in rows if not row.good]
    return bad + [
        Row(names[0] if len(names) == 1 else f"{len(names)} nodes", cells, True)
        for cells, names in alike.items()
    ]


_HERE = " (here)"


def _node_table(head: Sequence[str], rows: Sequence[Row], width: int) -> list[Line]:
    titles = [raw(text, "dim") for text in (" ", "node", *head)]
    body = [
        [raw(" ") if row.good else raw("!", "strong"), raw(row.node), *row.cells]
        for row in _merged(rows)
    ]
    if natural_width([titles, *body]) > width - 1:
        # It is the first row, and the line below names the node.
        body = [[mark, raw(node.text.replace(_HERE, "")), *rest] for mark, node, *rest in body]
    return [(Span(" "), *line) for line in table([titles, *body], width - 1)]


def _whole(replica: Replica, volume: Optional[Volume], gravity: Gravity) -> list[Span]:
    """What concerns the whole resource here: quorum, frozen I/O, copies."""
    resource = replica.resource
    number = None if volume is None else volume.device.volume
    state = gravity.of(resource.name, volume=number)
    known = replica.primaries
    words = [span(f"Primary {join(known)}" if known else "no Primary seen")]
    if volume is not None and volume.device.quorum is False:
        words.append(of_state("NO QUORUM", state))
    elif volume is not None and volume.device.quorum:
        words.append(span("quorum"))
    if resource.suspended:
        words.append(of_state("I/O SUSPENDED", state))
    if resource.force_io_failures:
        words.append(of_state("I/O FAILS", state))
    if volume is not None:
        count = volume.copies
        there = len(count.up_to_date)
        due = f" of {len(count.replicas)}" if not count.unknown else ""
        words.append(of_state(f"{there}{due} copies reachable", State.OK if there else state))
        words += [span(each) for each in volume.verifies]
    return words


def _looks_of_one(seen: Picture, gravity: Gravity, width: int) -> Iterator[tuple[str, State, Look]]:
    for replica in seen.replicas:
        volumes: Sequence[Optional[Volume]] = replica.volumes or (None,)
        for volume in volumes:
            label = replica.resource.name
            if volume is not None and len(volumes) > 1:
                label = volume.name
            rows = _rows(replica, volume, gravity)
            words = _whole(replica, volume, gravity)
            lines = _node_table(("role", "disk", "connection", "replication"), rows, width)
            good = all(row.good for row in rows) and _is_good(words)
            note = ", ".join(word.text for word in words)
            number = volume.device.volume if volume is not None and len(volumes) > 1 else None
            said = gravity.of_all(replica.resource.name, number)
            yield label, said, Look(note, tuple(lines), good)


# -- several views -----------------------------------------------------------------------------

_SELF, _NO_LINK = ".", "-"
_CODES: Mapping[Word, str] = {
    ConnectionState.CONNECTED: "+",
    ConnectionState.CONNECTING: "c",
    ConnectionState.STANDALONE: "S",
    ConnectionState.UNCONNECTED: "u",
    ConnectionState.DISCONNECTING: "d",
    ConnectionState.NETWORK_FAILURE: "n",
    ConnectionState.TIMEOUT: "t",
    ConnectionState.BROKEN_PIPE: "b",
    ConnectionState.PROTOCOL_ERROR: "p",
    ConnectionState.TEAR_DOWN: "x",
    ReplicationState.SYNC_SOURCE: ">",
    ReplicationState.SYNC_TARGET: "<",
    ReplicationState.VERIFY_S: "v",
    ReplicationState.VERIFY_T: "v",
    ReplicationState.PAUSED_SYNC_S: "P",
    ReplicationState.PAUSED_SYNC_T: "P",
    ReplicationState.AHEAD: "a",
    ReplicationState.BEHIND: "a",
}
"""One character a state. A connection with a resync or the like shows that instead of ``+``."""
_OTHER, _ODD = "w", "!"
_UP = frozenset({_SELF, "+", *(code for word, code in _CODES.items() if word in FINE_REPLICATION)})
_MEANINGS = {
    _SELF: "itself",
    **{code: state_name(word) for word, code in _CODES.items()},
    "v": "verify",
    "P": "paused resync",
    "a": "Ahead or Behind",
    _OTHER: "resync handshake",
    _ODD: "a word that nobody knows",
    _NO_LINK: "no connection configured",
}


def _cell(mesh: Mesh, row: str, column: str, gravity: Gravity) -> Span:
    """The connection from *row* to *column* as *row* sees it."""
    if row == column:
        return span(_SELF, "dim")
    link = mesh.seen[row].link_to(column)
    if link is None:
        return span(_NO_LINK, "dim")
    word: Word = link.state
    volume = None
    if link.is_connected:
        quiet = (ReplicationState.ESTABLISHED, ReplicationState.OFF)
        busy = (each for each in link.peer_devices if each.replication_state not in quiet)
        first = next(busy, None)
        if first is not None:
            word, volume = first.replication_state, first.volume
    if isinstance(word, Unrecognised):
        return of_state(_ODD, State.UNKNOWN)
    if word is ConnectionState.CONNECTED or word in FINE_REPLICATION:
        return of_state(_CODES[word], State.OK) if word in _CODES else of_state("+", State.OK)
    state = gravity.of(mesh.name, (column,), volume=volume, ends=(mesh.seen[row].here, column))
    return of_state(_CODES.get(word, _OTHER), state)


def _matrix(mesh: Mesh, width: int, gravity: Gravity) -> tuple[list[Line], bool]:
    """Node by node, and whether every cell is in order."""
    count = len(mesh.nodes)
    cells = {
        row: [_cell(mesh, row, column, gravity) for column in mesh.nodes]
        for row in mesh.nodes
        if row in mesh.seen
    }
    good = all(_is_good(row) for row in cells.values())
    blind = [node for node in mesh.nodes if node not in mesh.seen]
    up = all(each.text in _UP for row in cells.values() for each in row)
    if good and up and count > FULL_ROWS and not blind:
        return [
            (Span("  "), span(f"all {count * (count - 1) // 2} connections are Connected"))
        ], True
    digits = len(str(count))
    name_width = min(max(map(len, mesh.nodes)), max(width - 2 * count - digits - 6, 8))
    lines: list[Line] = []
    for digit in range(digits):
        head = "".join(f" {str(n + 1).rjust(digits)[digit]}" for n in range(count))
        lines.append((Span(" " * (digits + name_width + 4)), raw(head, "dim")))
    for number, node in enumerate(mesh.nodes, 1):
        if node not in cells:
            continue
        mark = " " if _is_good(cells[node]) else "!"
        name = _cut(clean(node), name_width)
        first = raw(f" {mark} {number:>{digits}} {name:{name_width}}")
        line: list[Span] = [first]
        for each in cells[node]:
            line += [Span(" "), each]
        lines.append(tuple(line))
    used = {each.text for row in cells.values() for each in row} - {_SELF}
    legend = ", ".join(f"{code} {text}" for code, text in _MEANINGS.items() if code in used)
    lines += paragraph([Span("   ")], f"row: the node that sees it; {legend}", width, "dim")
    if blind:
        lines += paragraph(
            [Span("   ")],
            f"No view of {join(blind, 8)}: role and disk as the peers see them, connections not"
            " seen.",
            width,
        )
    return lines, good


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width - 2] + ".."


def _node_row(mesh: Mesh, number: str, node: str, gravity: Gravity) -> Row:
    """Role and disks of a node: by itself, else by the first who is connected to it."""

    def grave(volume: int) -> State:
        return gravity.of(mesh.name, (node,), volume=volume)

    if node in mesh.seen:
        replica = mesh.seen[node]
        role = role_span(replica.resource.role)
        disks = [
            disk_span(each.device.disk_state, each.client, grave(each.device.volume))
            for each in replica.volumes
        ]
        words = [w for volume in replica.volumes[:1] for w in _whole(replica, volume, gravity)[1:]]
    else:
        links = mesh.links_to(node)
        best = next((link for link in links if link.is_connected), links[0])
        role = role_span(best.peer_role)
        disks = [
            disk_span(p.peer_disk_state, p.peer_client, grave(p.volume)) for p in best.peer_devices
        ]
        words = [span("-", "dim")]
    disks = list(dict.fromkeys(disks))
    state = worst([State[each.style] for each in disks if each.style in State.__members__])
    disk = of_state(" / ".join(each.text for each in disks), state) if disks else span("-", "dim")
    what = span(", ".join(each.text for each in words))
    cells = (role, disk, what)
    return Row(f"{number} {clean(node)}", cells, _is_good((role, disk, *words)))


def _looks_of_many(
    seen: Picture, gravity: Gravity, width: int
) -> Iterator[tuple[str, State, Look]]:
    for mesh in seen.meshes:
        digits = len(str(len(mesh.nodes)))
        rows = [
            _node_row(mesh, f"{number:>{digits}}", node, gravity)
            for number, node in enumerate(mesh.nodes, 1)
        ]
        matrix, good = _matrix(mesh, width, gravity)
        table_ = _node_table(("role", "disk", "own view"), rows, width)
        names = mesh.primaries
        note = f"Primary {join(names)}" if names else "no Primary seen"
        look = Look(note, (*table_, *matrix), good and all(row.good for row in rows))
        yield mesh.name, gravity.of_all(mesh.name), look


# -- all of it ---------------------------------------------------------------------------------


class _Shown(NamedTuple):
    """Resources or volumes that look the same, and the worst that is said of them."""

    look: Look
    names: tuple[str, ...]
    state: State


def drbd(seen: Picture, width: int) -> list[Line]:
    """Every DRBD resource: those in trouble in full, the many in order in few lines."""
    one = seen.with_drbd[0] if len(seen.with_drbd) == 1 else None
    alike: dict[Look, dict[str, State]] = {}
    looks = _looks_of_many if one is None else _looks_of_one
    for label, state, look in looks(seen, seen.gravity, width):
        alike.setdefault(look, {})[label] = _state(state, look)
    shown = [_Shown(look, tuple(same), worst(same.values())) for look, same in alike.items()]
    shown.sort(key=lambda each: -each.state.rank)
    full = [each for each in shown if each.state is not State.OK or len(shown) <= FULL_PICTURES]
    brief = [each for each in shown if each not in full]
    if len(brief) > BRIEF_PICTURES:
        names = tuple(name for each in brief for name in each.names)
        brief = [_Shown(Look("in order", (), True), names, State.OK)]
    lines = [line for each in full for line in (*_title(each, width), *each.look.lines)]
    lines += [line for each in brief for line in _title(each, width)]
    if one is not None:
        text = f"Connections among the others are not seen from {one}."
        lines += paragraph([Span("   ")], text, width, "dim")
    return lines


def _title(shown: _Shown, width: int) -> list[Line]:
    first = raw("  ") if shown.state is State.OK else raw("! ", shown.state.name)
    count = f" ({len(shown.names)})" if len(shown.names) > 1 else ""
    text = f"{join(shown.names, 6)}{count}: {shown.look.note}"
    return paragraph([first], text, width, "title")


def _state(said: State, look: Look) -> State:
    """As grave as what is said of it; nobody says anything of a word that nobody knows."""
    return worst([said, State.OK if look.good else State.WARNING])
