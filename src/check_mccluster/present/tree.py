"""Pacemaker's resources at a terminal, as a tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional, Union

from ..judge.picture import PartitionView
from ..model.pacemaker import (
    RUNNING,
    Bundle,
    Clone,
    Group,
    Primitive,
    Resource,
    asks_for_stop,
    base_id,
)
from ..model.words import Unrecognised
from ..values import NamedTuple
from ..verdict import subject
from ..verdict.finding import State, worst
from ..verdict.words import join
from .layout import Line, Span, mark, of_state, raw, span, table

FULL_ROWS = 24
"""Above so many resources those that are alike share a row."""


class Row(NamedTuple):
    """A line of the tree: what it is, its state, and where.

    :param depth: how many others it is in.
    """

    name: str
    kind: str
    word: str
    where: str
    state: State
    depth: int = 0

    @property
    def picture(self) -> tuple[str, str, str, State]:
        """All but the name."""
        return self.kind, self.word, self.where, self.state


def tree(part: PartitionView, width: int) -> list[Line]:
    """The tree. Of very many, branches in order become one row, and equal rows one."""
    branches = [branch_rows(part, resource) for resource in part.cluster.resources]
    if sum(map(len, branches)) > FULL_ROWS:
        branches = [_pruned(branch) for branch in branches]
        branches = _shared(branches)
    rows = [row for branch in branches for row in branch]
    if not rows:
        return [(Span("  "), span("none is configured"))]
    return [(Span(" "), *line) for line in table([_cells(row) for row in rows], width - 1)]


def _cells(row: Row) -> list[Span]:
    name = raw("  " * row.depth + span(row.name).text)
    return [mark(row.state), name, span(row.kind, "dim"), _word(row), span(row.where)]


def _word(row: Row) -> Span:
    return of_state(row.word, row.state) if row.word else span("")


def _pruned(branch: Sequence[Row]) -> list[Row]:
    """A branch without the parts that are in order."""
    return [branch[0], *(row for row in branch[1:] if row.state is not State.OK)]


def _shared(branches: Sequence[list[Row]]) -> list[list[Row]]:
    """Equal branches of one row together, at the place of the first."""
    names: dict[tuple[str, str, str, State], list[str]] = {}
    for branch in branches:
        if len(branch) == 1:
            names.setdefault(branch[0].picture, []).append(branch[0].name)
    shared: list[list[Row]] = []
    for branch in branches:
        if len(branch) > 1:
            shared.append(branch)
            continue
        alike = names.pop(branch[0].picture, [])
        if alike:
            more = f" and {len(alike) - 1} more" if len(alike) > 1 else ""
            shared.append([Row(alike[0] + more, *branch[0].picture)])
    return shared


def branch_rows(part: PartitionView, resource: Resource) -> list[Row]:
    """A resource with what is in it."""
    if isinstance(resource, Primitive):
        return [_primitive(part, resource)]
    if isinstance(resource, Group):
        return _group(part, resource)
    if isinstance(resource, Clone):
        kind = "promotable clone" if resource.promotable else "clone"
        rows = [_instance(part, each) for each in resource.instances]
    else:
        kind = f"{resource.type or 'unknown'} bundle"
        rows = [_replica(part, resource, replica.members) for replica in resource.replicas]
    return _instances(part, resource, kind, rows)


def _instances(
    part: PartitionView, resource: Union[Clone, Bundle], kind: str, inside: Sequence[Row]
) -> list[Row]:
    """The instances by their state, on one line if all are in the same."""
    state = part.state_of(subject.resource(resource.id))
    flags = _flags(resource.managed, resource.maintenance)
    by_word: dict[tuple[str, State], list[str]] = {}
    for row in inside:
        by_word.setdefault((row.word, row.state), []).append(row.where)
    rows = [
        Row("", "", word, _places(places), worst_of, 1)
        for (word, worst_of), places in by_word.items()
    ]
    if len(rows) == 1 and not flags:
        (row,) = rows
        if len(inside) > 1 and not any(each.where for each in inside):
            row = row._replace(word=f"{len(inside)} of {len(inside)} {row.word}", where="")
        return [Row(resource.id, kind, row.word, row.where, worst([state, row.state]))]
    counted: dict[str, int] = {}
    for row in inside:
        counted[row.word] = counted.get(row.word, 0) + 1
    counts = [f"{number} {word}" for word, number in counted.items()]
    if len(counts) == 1:
        counts = [f"{len(inside)} of {counts[0]}"]
    word = ", ".join([*counts, flags] if flags else counts)
    return [Row(resource.id, kind, word, "", state), *rows]


def _places(places: Sequence[str]) -> str:
    """Where instances run; children that run nowhere are counted."""
    nodes = sorted(place for place in places if place)
    return join(nodes) if nodes else f"{len(places)} child{'' if len(places) == 1 else 'ren'}"


def _group(part: PartitionView, group: Group) -> list[Row]:
    members = [_primitive(part, member, 1) for member in group.members]
    running = sum(1 for member in group.members if _runs(member))
    nodes = dict.fromkeys(node for member in group.members for node in member.nodes)
    flags = _flags(group.managed, group.maintenance)
    if group.disabled:
        flags = "disabled" + (f", {flags}" if flags else "")
    word = f"{running} of {len(members)} run" + (f", {flags}" if flags else "")
    state = worst([part.state_of(subject.resource(group.id)), *(m.state for m in members)])
    places = join(_where(part, node) for node in nodes)
    return [Row(group.id, "group", word, places, state), *members]


def _where(part: PartitionView, node: str) -> str:
    """A node, and whether what is said to run there is known to."""
    if node in part.lost:
        known = part.cluster.node(node)
        return f"{node} ({'to be fenced' if known is not None and known.online else 'lost'})"
    return f"{node} (not reached)" if node in part.unreached else node


def _runs(member: Primitive) -> bool:
    """Whether it does its work: Pacemaker says Started of what it only failed to stop, too."""
    broken = (member.failed or member.blocked) and not member.failure_ignored
    return member.role in RUNNING and not broken


def _instance(part: PartitionView, instance: Union[Primitive, Group]) -> Row:
    """One row for an instance; of a group the member that is worst off speaks."""
    if isinstance(instance, Primitive):
        return _primitive(part, instance)
    return _spokesman([_primitive(part, member) for member in instance.members])


def _replica(part: PartitionView, bundle: Bundle, members: Sequence[Primitive]) -> Row:
    container = [m for m in members if m.agent.rpartition(":")[2] == bundle.type]
    others = [member for member in members if member not in container]
    return _spokesman([_primitive(part, member) for member in (*container, *others)])


def _spokesman(rows: Sequence[Row]) -> Row:
    if not rows:
        return Row("", "", "empty", "", State.OK)
    worst_off = max(rows, key=lambda row: row.state.rank)
    if worst_off is rows[0]:
        return worst_off
    return Row("", "", f"{worst_off.name} {worst_off.word}", rows[0].where, worst_off.state)


def _primitive(part: PartitionView, primitive: Primitive, depth: int = 0) -> Row:
    role = primitive.role
    words = [f"{role} (?)" if isinstance(role, Unrecognised) else role.value]
    words += ["FAILED"] if primitive.failed else []
    words += ["BLOCKED"] if primitive.blocked else []
    words += ["failure ignored"] if primitive.failure_ignored else []
    words += ["orphaned"] if primitive.orphaned else []
    words += ["disabled"] if asks_for_stop(primitive.target_role) else []
    words += [f"{primitive.pending} (?)"] if isinstance(primitive.pending, Unrecognised) else []
    flags = _flags(primitive.managed, primitive.maintenance)
    words += [flags] if flags else []
    name = base_id(primitive.id)
    state = worst(
        [
            part.state_of(subject.resource(primitive.id), subject.resource(name)),
            State.UNKNOWN if isinstance(role, Unrecognised) else State.OK,
            *(part.state_of(subject.node(each)) for each in part.unreached & {*primitive.nodes}),
        ]
    )
    where = [_where(part, node) for node in primitive.nodes]
    agent = primitive.agent.rpartition(":")[2]
    kind = f"fence device {agent}" if primitive.is_fence_device else agent
    return Row(name, kind, ", ".join(words), join(where), state, depth)


def _flags(managed: Optional[bool], maintenance: Optional[bool]) -> str:
    if maintenance:
        return "maintenance"
    return "unmanaged" if managed is False else ""
