"""The operator's screen in 24 lines: faults with their steps, and one line for each part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..judge.picture import Mesh, PartitionView, Picture
from ..model.pacemaker import Group, Role
from ..verdict.finding import Fault, State, worst
from ..verdict.words import join
from .faults import fault_lines
from .layout import BLANK, Line, Span, of_state, raw, span
from .terminal import cluster_lines, node_words, not_known, part_of, title, why_incomplete
from .tree import Row, branch_rows

HEIGHT = 24
"""Lines of a terminal of old, and of a phone."""
_MESHES = 4
"""More resources of DRBD than these share a line, unless something is wrong with them."""


def brief(seen: Picture, width: int, height: int = HEIGHT) -> list[Line]:
    """At most *height* lines (12 or more), none longer than *width*."""
    head = title(seen, width)
    parts = [_cut(line, width) for line in _parts(seen)]
    room = height - len(head) - 2
    if len(parts) > max(room // 2, room - 2 * len(seen.faults)):
        kept = max(room // 2, 3)
        rest = len(parts) - kept + 1
        if rest > 1:
            parts = [*parts[: kept - 1], (raw(f"  and {rest} more lines: check_mccluster status"),)]
    faults = _faults(seen.faults, width, len(seen.seen), room - len(parts))
    return [*head, *([BLANK, *faults] if faults else []), BLANK, *parts][:height]


def _faults(faults: Sequence[Fault], width: int, views: int, room: int) -> list[Line]:
    """Those that fit with their steps; the others are counted."""
    bad = [fault for fault in faults if fault.state is not State.OK]
    lines: list[Line] = []
    for number, fault in enumerate(bad):
        told = fault_lines(fault, width, views)
        more = 0 if number == len(bad) - 1 else 1
        if len(lines) + len(told) + more > room:
            if not lines:
                return told[:room]
            rest = len(bad) - number
            text = f"and {rest} more {'fault' if rest == 1 else 'faults'}: check_mccluster status"
            return [*lines, (Span("  "), span(text, "strong"))]
        lines += told
    return lines


def _cut(line: Line, width: int) -> Line:
    """A line that is one line."""
    kept: list[Span] = []
    left = width
    for each in line:
        if len(each.text) > left:
            kept.append(Span(_beginning(each.text, left), each.style))
            break
        kept.append(each)
        left -= len(each.text)
    return tuple(kept)


def _beginning(text: str, width: int) -> str:
    """As many whole words as fit, unless that is less than half of it."""
    cut = text[: max(width - 2, 0)]
    words = cut.rpartition(" ")[0].rstrip(" ,;:(")
    return f"{words if len(words) > len(cut) / 2 else cut}.."


def _parts(seen: Picture) -> Iterator[Line]:
    for line in cluster_lines(seen, 10_000):
        yield _marked(line)
    for part in seen.parts:
        where = f" of {join(part.seen_from)}" if len(seen.parts) > 1 else ""
        yield _nodes(part, f"Nodes{where}")
        yield _resources(part, f"Resources{where}")
    for unread in seen.no_drbd:
        if seen.with_drbd and unread.state is State.OK:
            continue
        yield _part(f"DRBD  {not_known(seen, unread, 'DRBD')}", unread.state)
    for unread in seen.drbd_incomplete:
        yield _part(f"DRBD  incomplete{why_incomplete(seen, unread)}", unread.state)
    yield from _meshes(seen)


def _marked(line: Line) -> Line:
    state = next((each.style for each in line if each.style in State.__members__), "OK")
    return (_mark(State[state]), *line)


def _mark(state: State) -> Span:
    return of_state("!", state) if state is not State.OK else Span(" ")


def _part(text: str, state: State) -> Line:
    name, _, rest = text.partition("  ")
    style = "" if state is State.OK else state.name
    return (_mark(state), span(name), Span("  "), span(rest, style))


def _nodes(part: PartitionView, name: str) -> Line:
    """Who is not as they should be, then who is."""
    state, bad, good = State.OK, [], []
    for node in part.cluster.nodes:
        here, words = node_words(part, node)
        state = worst([state, here])
        label = f"{node.name} (DC)" if part_of(node) == "DC" else node.name
        if here is not State.OK:
            bad.append(f"{label} {words}" if words != "online" else f"{label} online, in a fault")
        elif words == "online":
            good.append(label)
    online = f"{len(good)} online: {join(good, 8)}" if good else ""
    return _part(f"{name}  {'; '.join([*bad, *([online] if online else [])])}", state)


def _resources(part: PartitionView, name: str) -> Line:
    """What does not run as it should, then what runs, and where."""
    state, bad, good = State.OK, [], []
    for resource in part.cluster.resources:
        rows = branch_rows(part, resource)
        here = worst(row.state for row in rows)
        state = worst([state, here])
        row = rows[0]
        if here is State.OK:
            good.append(f"{row.name} on {row.where}" if row.where else row.name)
        elif isinstance(resource, Group):
            bad.append(_group(rows))
        else:
            words = f"{row.name} {row.word}".strip()
            bad.append(f"{words} on {row.where}" if row.where else words)
    well = join(good, 8)
    said = [
        *bad[:8],
        *([f"{len(bad) - 8} more"] if len(bad) > 8 else []),
        *([well] if well else []),
    ]
    return _part(f"{name}  {'; '.join(said) or 'none is configured'}", state)


_STARTED = Role.STARTED.value


def _group(rows: Sequence[Row]) -> str:
    """A group with what is wrong in it: the members that are neither well nor only wait."""
    group, *members = rows
    odd = [row for row in members if row.word not in (_STARTED, Role.STOPPED.value)]
    said = [f"{row.name} {row.word.replace(f'{_STARTED}, ', '')}" for row in odd[:2]]
    words = ", ".join([f"{group.name} {group.word}", *said])
    return f"{words} on {group.where}" if group.where else words


def _meshes(seen: Picture) -> Iterator[Line]:
    gravity, meshes = seen.gravity, seen.meshes
    good = [mesh for mesh in meshes if gravity.of_all(mesh.name) is State.OK]
    for mesh in meshes:
        state = gravity.of_all(mesh.name)
        if mesh not in good or len(good) <= _MESHES:
            yield _part(f"DRBD {mesh.name}  {_mesh(mesh, len(seen.seen))}", state)
    if len(good) > _MESHES:
        names = join([mesh.name for mesh in good], 6)
        yield _part(f"DRBD  {len(good)} resources in order: {names}", State.OK)


def _mesh(mesh: Mesh, views: int) -> str:
    """Who is Primary, the copies and the connections, as whoever sees most sees them."""
    words = [f"Primary {join(mesh.primaries)}" if mesh.primaries else "no Primary seen"]
    seen = list(mesh.seen.values())
    running = {v.name: v.verifies for replica in seen for v in replica.volumes if v.verifies}
    words += [f"{name}: {text}" for name, texts in running.items() for text in texts]
    counted = [
        (len(volume.copies.up_to_date), len(volume.copies.replicas))
        for replica in seen
        for volume in replica.volumes
    ]
    if counted and any(replicas for _, replicas in counted):
        names = {volume.name for replica in seen for volume in replica.volumes}
        best = [
            max(
                (len(volume.copies.up_to_date), len(volume.copies.replicas))
                for replica in seen
                for volume in replica.volumes
                if volume.name == name
            )
            for name in names
        ]
        there, due = min(best, key=lambda each: each[0] - each[1])
        words.append(f"{there} of {due} copies")
    links = [connection for replica in seen for connection in replica.resource.connections]
    if links:
        up = sum(1 for link in links if link.is_connected)
        where = f" from {seen[0].here}" if len(seen) == 1 < views else ""
        words.append(f"{up} of {len(links)} connected{where}")
    return ", ".join(words)
