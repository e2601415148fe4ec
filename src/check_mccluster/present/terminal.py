"""The operator's screen: what is wrong and what to do first, then the cluster in full."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Optional, Union

from ..judge.picture import Part, Picture, Unread
from ..model.pacemaker import (
    RUNNING,
    Bundle,
    Clone,
    Group,
    Health,
    Node,
    Primitive,
    Resource,
    asks_for_stop,
    base_id,
)
from ..model.words import Unrecognised
from ..verdict.finding import Fault, Finding, State, worst
from ..verdict.words import join
from .layout import BLANK, Line, Span, of_state, paragraph, raw, span, table
from .matrix import drbd

HEAD_LINES = 12
"""Of 24 lines, what the causes with their next steps may take at the top."""
FULL_NODES = 10
"""Above so many nodes those that are simply online are only named."""
FULL_ROWS = 24
"""Above so many resources those that are alike share a row."""
FULL_FINDINGS = 5
"""Above so many findings of one kind the rest is only counted."""


def screen(seen: Picture, width: int) -> list[Line]:
    """All of it, for one node or for several of one cluster; no line longer than *width*."""
    views = len(seen.seen)
    head, told, count = _head(seen.faults, width, views)
    lines = [*title(seen, width), *cluster_lines(seen, width)]
    if head:
        lines += [BLANK, *head]
    for name, body in (
        *_pacemaker(seen, width),
        ("DRBD", _drbd(seen, width)),
        ("Findings", [] if told else _findings(seen.faults, width, views, count)),
    ):
        if body:
            lines += [BLANK, (span(name, "title"),), *body]
    return lines


# -- what is wrong -----------------------------------------------------------------------------


def _mark(state: State) -> Span:
    return of_state("!", state) if state is not State.OK else Span(" ")


def _from(fault: Fault, views: int) -> str:
    """Who sees it, where not everybody does."""
    return (
        ""
        if not fault.seen_from or len(fault.seen_from) == views
        else f" [seen from {join(fault.seen_from)}]"
    )


def fault_lines(fault: Fault, width: int, views: int) -> list[Line]:
    """A fault, its gravest consequence if that is graver, and what to do."""
    first = [_mark(fault.state), Span(" "), _padded(fault.state), Span(" ")]
    told = paragraph(first, fault.cause.text + _from(fault, views), width, "strong")
    if fault.graver is not None:
        told += paragraph([Span(" " * 11), Span("hence: ")], fault.graver.text, width)
    return told + paragraph([Span(" " * 11), Span("-> ")], fault.cause.next_step, width)


def _head(faults: Sequence[Fault], width: int, views: int) -> tuple[list[Line], bool, int]:
    """The gravest causes with their next steps, whether that is all, and how many they are."""
    bad = [fault for fault in faults if fault.state is not State.OK]
    lines: list[Line] = []
    for number, fault in enumerate(bad):
        told = fault_lines(fault, width, views)
        if lines and len(lines) + len(told) > HEAD_LINES:
            rest = len(bad) - number
            text = f"and {rest} more {'fault' if rest == 1 else 'faults'}: see Findings below"
            return [*lines, (Span("  "), span(text, "strong"))], False, number
        lines += told
    complete = not any(set(fault.follows) - {fault.graver} for fault in bad)
    return lines, complete and len(bad) == len(faults), len(bad)


def _padded(state: State) -> Span:
    return raw(f"{state.name:8}", state.name)


def _findings(faults: Sequence[Fault], width: int, views: int, told: int) -> list[Line]:
    """Every cause with its next step that the top does not tell, and what follows from each.

    :param told: how many faults stand at the top.
    """
    lines: list[Line] = []
    top = [fault for fault in faults if fault.state is not State.OK][:told]
    for fault in top:
        # The top tells the gravest consequence, too, where that is graver than its cause.
        follows = [each for each in fault.follows if each != fault.graver]
        if follows:
            lines += paragraph([Span("  ")], f"From the fault of {fault.cause.object}:", width)
            lines += _follows(follows, width)
    for each in _few([fault for fault in faults if fault not in top]):
        if isinstance(each, str):
            lines += paragraph([Span(" " * 11)], each, width, "dim")
            continue
        lines += _finding(each.cause, width, 2, _from(each, views))
        lines += paragraph([Span(" " * 11), Span("-> ")], each.cause.next_step, width)
        lines += _follows(each.follows, width)
    return lines


def _follows(follows: Sequence[Finding], width: int) -> list[Line]:
    """Consequences, gravest first; their step is that of the cause."""
    lines: list[Line] = []
    for each in _few([Fault(one) for one in sorted(follows, key=lambda one: -one.state.rank)]):
        if isinstance(each, str):
            lines += paragraph([Span(" " * 15)], each, width, "dim")
        else:
            lines += _finding(each.cause, width, 6, "")
    return lines


def _few(faults: Sequence[Fault]) -> Iterator[Union[Fault, str]]:
    """Of many findings of one kind and state the first, then how many more there are."""
    count: dict[tuple[str, State], int] = {}
    for fault in faults:
        kind = (fault.cause.key, fault.state)
        count[kind] = count.get(kind, 0) + 1
        if count[kind] <= FULL_FINDINGS:
            yield fault
    for number in count.values():
        if number > FULL_FINDINGS:
            yield f"and {number - FULL_FINDINGS} more like them: check_mccluster overview -v"


def _finding(each: Finding, width: int, indent: int, seen_from: str) -> list[Line]:
    first = [Span(" " * indent), _padded(each.state), Span(" ")]
    return paragraph(first, f"{each.text}{seen_from}", width)


# -- who and when ------------------------------------------------------------------------------


def title(seen: Picture, width: int) -> list[Line]:
    """The verdict, how much is wrong, from where and when it was seen."""
    state = seen.state
    bad = sum(1 for fault in seen.faults if fault.state is not State.OK)
    count = f"{bad} {'fault' if bad == 1 else 'faults'}" if bad else "nothing is wrong"
    times = sorted(one.view.time for one in seen.seen)
    when = f"{times[0]:%Y-%m-%d %H:%M:%S} UTC"
    if len(times) > 1 and times[-1] != times[0]:
        when = f"{times[0]:%Y-%m-%d %H:%M:%S} to {times[-1]:%H:%M:%S} UTC"
    kind = ", snapshot" if any(one.recorded for one in seen.seen) else ""
    who = join(seen.nodes, 6)
    return paragraph(
        [of_state(state.name, state), Span("  ")], f"{count}; seen from {who}, {when}{kind}", width
    )


# -- Pacemaker ---------------------------------------------------------------------------------


def _known(unread: Unread, views: int) -> str:
    """Why there is no value; from whom, where several were asked."""
    return unread.text if views == 1 else f"{join(unread.nodes, 6)}: {unread.text}"


def _style(state: State) -> str:
    return "" if state is State.OK else state.name


def _as_seen(part: Part, parts: Sequence[Part]) -> str:
    return f" as seen from {join(part.seen_from)}" if len(parts) > 1 else ""


def cluster_lines(seen: Picture, width: int) -> list[Line]:
    """Quorum, votes and the DC of each partition, and who knows nothing of it."""
    lines: list[Line] = []
    for part in seen.parts:
        lines += _cluster_line(part, _as_seen(part, seen.parts), width)
    for unread in seen.no_cluster:
        if seen.parts and unread.state is State.OK:
            continue  # a storage server beside nodes that know
        known = f"{_known(unread, len(seen.seen))}; nothing is known of Pacemaker from here"
        lines += paragraph([span("Cluster"), Span("  ")], known, width, _style(unread.state))
    return lines


def _cluster_line(part: Part, as_seen: str, width: int) -> list[Line]:
    cluster, count = part.cluster, part.votes
    options = cluster.summary.options
    votes = f"{count.total} of {count.expected} votes"
    if count.quorate is None:
        state, text = State.UNKNOWN, "quorum not known"
    elif not count.quorate:
        state, text = State.CRITICAL, f"NO QUORUM, {votes}, {count.needed} needed"
    else:
        margin = "two-node mode" if count.covered else f"can lose {count.margin or 'none'}"
        state = State.OK if count.covered or count.margin else State.WARNING
        text = f"quorate, {votes}, {margin}"
    dc = cluster.summary.dc
    text += f"; DC {dc.name}" if dc is not None and dc.name else "; NO DC"
    if dc is None:
        state = State.CRITICAL
    if options.maintenance_mode:
        text += "; MAINTENANCE: nothing is managed"
        state = worst([state, State.WARNING])
    if options.stop_all_resources:
        text += "; STOP-ALL-RESOURCES"
        state = worst([state, State.WARNING])
    return paragraph([span(f"Cluster{as_seen}"), Span("  ")], text, width, state.name)


def _pacemaker(seen: Picture, width: int) -> Iterator[tuple[str, list[Line]]]:
    for part in seen.parts:
        as_seen = _as_seen(part, seen.parts)
        yield f"Nodes{as_seen}", _nodes(part, width)
        yield f"Resources{as_seen}", _resources(part, width)
        history = [paragraph([Span("    ")], each, width) for each in part.history]
        yield f"History{as_seen}", [line for lines in history for line in lines]


def _nodes(part: Part, width: int) -> list[Line]:
    cluster = part.cluster
    rows: list[list[Span]] = []
    plain: list[str] = []
    for node in cluster.nodes:
        state, words = node_words(part, node)
        state = worst([state, part.states.get(node.name, State.OK)])
        if len(cluster.nodes) > FULL_NODES and state is State.OK and not node.is_dc:
            plain.append(node.name)
            continue
        count = node.resources_running
        runs = "" if count is None else f"{count} resource{'' if count == 1 else 's'}"
        rows.append(
            [
                _mark(state),
                span(node.name),
                of_state(words, state),
                span(runs),
                span(part_of(node), "dim"),
            ]
        )
    lines = [(Span(" "), *line) for line in table(rows, width - 1)]
    if plain:
        first = [Span("    "), of_state(f"{len(plain)} online", State.OK), Span(": ")]
        lines += paragraph(first, ", ".join(plain), width)
    return lines


def node_words(part: Part, node: Node) -> tuple[State, str]:
    """A node's state in words, a bad one in capitals; the state as far as the words alone tell."""
    if node.name in part.stopped_guests:
        return State.OK, "not running"
    if node.online is None:
        return State.UNKNOWN, "not known"
    words = ["online" if node.online else "OFFLINE"]
    if node.unclean:
        words.append("UNCLEAN")
    order = (
        ("pending", node.pending),
        ("shutting down", node.shutdown),
        ("standby after a failure", node.standby_onfail),
        ("standby", node.standby and not node.standby_onfail),
        ("maintenance", node.maintenance),
    )
    special = [word for word, applies in order if applies]
    if node.health is not None and node.health is not Health.GREEN:
        word = node.health.value if isinstance(node.health, Health) else str(node.health)
        special.append(f"health {word}")
    if not node.online or node.unclean:
        return State.CRITICAL, ", ".join([*words, *special])
    return State.WARNING if special else State.OK, ", ".join([*words, *special])


def part_of(node: Node) -> str:
    """What a node is beside a member: the DC, a guest, a remote node; else empty."""
    if node.is_dc:
        return "DC"
    if node.id_as_resource is not None:
        return f"inside {node.id_as_resource}"
    return "" if node.type in ("member", None) else str(node.type)


# -- resources ---------------------------------------------------------------------------------


class Row(NamedTuple):
    """A line of the tree: what it is, its state, and where."""

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


def _resources(part: Part, width: int) -> list[Line]:
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
    return [_mark(row.state), name, span(row.kind, "dim"), _word(row), span(row.where)]


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


def branch_rows(part: Part, resource: Resource) -> list[Row]:
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
    part: Part, resource: Union[Clone, Bundle], kind: str, inside: Sequence[Row]
) -> list[Row]:
    """The instances by their state, on one line if all are in the same."""
    state = part.states.get(resource.id, State.OK)
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
        return [Row(resource.id, kind, row.word, row.where, worst([state, row.state]))]
    counts = [f"{len(places)} {word}" for (word, _), places in by_word.items()]
    word = ", ".join([*counts, flags] if flags else counts)
    return [Row(resource.id, kind, word, "", state), *rows]


def _places(places: Sequence[str]) -> str:
    """Where instances run; children that run nowhere are counted."""
    nodes = sorted(place for place in places if place)
    return join(nodes) if nodes else f"{len(places)} child{'' if len(places) == 1 else 'ren'}"


def _group(part: Part, group: Group) -> list[Row]:
    members = [_primitive(part, member, 1) for member in group.members]
    running = sum(1 for member in group.members if member.role in RUNNING)
    nodes = dict.fromkeys(node for member in group.members for node in member.nodes)
    flags = _flags(group.managed, group.maintenance)
    if group.disabled:
        flags = "disabled" + (f", {flags}" if flags else "")
    word = f"{running} of {len(members)} run" + (f", {flags}" if flags else "")
    state = worst([part.states.get(group.id, State.OK), *(m.state for m in members)])
    return [Row(group.id, "group", word, join(nodes), state), *members]


def _instance(part: Part, instance: Union[Primitive, Group]) -> Row:
    """One row for an instance; of a group the member that is worst off speaks."""
    if isinstance(instance, Primitive):
        return _primitive(part, instance)
    return _spokesman([_primitive(part, member) for member in instance.members])


def _replica(part: Part, bundle: Bundle, members: Sequence[Primitive]) -> Row:
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


def _primitive(part: Part, primitive: Primitive, depth: int = 0) -> Row:
    role = primitive.role
    words = [f"{role} (?)" if isinstance(role, Unrecognised) else role.value]
    words += ["FAILED"] if primitive.failed else []
    words += ["BLOCKED"] if primitive.blocked else []
    words += ["failure ignored"] if primitive.failure_ignored else []
    words += ["orphaned"] if primitive.orphaned else []
    words += ["disabled"] if asks_for_stop(primitive.target_role) else []
    words += [primitive.pending] if primitive.pending not in (None, "Monitoring") else []
    flags = _flags(primitive.managed, primitive.maintenance)
    words += [flags] if flags else []
    name = base_id(primitive.id)
    state = worst(
        [
            part.states.get(primitive.id, part.states.get(name, State.OK)),
            State.UNKNOWN if isinstance(role, Unrecognised) else State.OK,
        ]
    )
    where = [f"{node} (lost)" if node in part.lost else node for node in primitive.nodes]
    agent = primitive.agent.rpartition(":")[2]
    kind = f"fence device {agent}" if primitive.is_fence_device else agent
    return Row(name, kind, ", ".join(words), join(where), state, depth)


def _flags(managed: Optional[bool], maintenance: Optional[bool]) -> str:
    if maintenance:
        return "maintenance"
    return "unmanaged" if managed is False else ""


# -- DRBD --------------------------------------------------------------------------------------


def _drbd(seen: Picture, width: int) -> list[Line]:
    views = len(seen.seen)
    lines: list[Line] = []
    for unread in seen.no_drbd:
        known = f"{_known(unread, views)}; nothing is known of DRBD from here"
        state = unread.state
        lines += paragraph([_mark(state), Span(" ")], known, width, _style(state))
    for unread in seen.drbd_incomplete:
        where = f"{join(unread.nodes)}: " if views > 1 else ""
        first = [_mark(unread.state), Span(" ")]
        text = f"{where}incomplete: {unread.text}"
        lines += paragraph(first, text, width, _style(unread.state))
    return [*lines, *drbd(seen, width)] if seen.with_drbd else lines
