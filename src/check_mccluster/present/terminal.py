"""The operator's screen: what is wrong and what to do first, then the cluster in full."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..judge.picture import PartitionView, Picture, Unread
from ..model.pacemaker import Health, Node
from ..verdict import subject
from ..verdict.finding import State, worst
from ..verdict.words import join
from .faults import findings, head
from .layout import BLANK, Line, Span, mark, of_state, paragraph, span, table
from .matrix import drbd
from .tree import tree

FULL_NODES = 10
"""Above so many nodes those that are simply online are only named."""


def screen(seen: Picture, width: int) -> list[Line]:
    """All of it, for one node or for several of one cluster; no line longer than *width*."""
    views = len(seen.seen)
    top, told, count = head(seen.faults, width, views)
    lines = [*title(seen, width), *cluster_lines(seen, width)]
    if top:
        lines += [BLANK, *top]
    for name, body in (
        *_pacemaker(seen, width),
        ("DRBD", _drbd(seen, width)),
        ("Findings", [] if told else findings(seen.faults, width, views, count)),
    ):
        if body:
            lines += [BLANK, (span(name, "title"),), *body]
    return lines


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
    if views == 1:
        return unread.text
    return f"{join(unread.nodes, 6)}: {unread.text.replace(' on this node', '')}"


def not_known(seen: Picture, unread: Unread, of: str) -> str:
    """That nothing is known; why, where no fault on the same screen says it."""
    text = _known(unread, len(seen.seen))
    if unread.state is State.OK:
        return text  # where the tool is not installed there is nothing to know
    rest = f"nothing is known of {of} from {join(unread.nodes, 6)}"
    return rest if _is_told(seen, unread) else f"{text}; {rest}"


def _is_told(seen: Picture, unread: Unread) -> bool:
    """Whether a fault says it, perhaps of several tools at once."""
    texts = [each.text for fault in seen.faults for each in (fault.cause, *fault.follows)]
    for own in (unread.text, _known(unread, len(seen.seen))):
        name, _, said = own.partition(": ")
        if any(name in text and said in text for text in texts):
            return True
    return False


def why_incomplete(seen: Picture, unread: Unread) -> str:
    """Why not all is known, where no fault on the same screen says it."""
    return "" if _is_told(seen, unread) else f": {unread.text}"


def _style(state: State) -> str:
    return "" if state is State.OK else state.name


def _as_seen(part: PartitionView, parts: Sequence[PartitionView]) -> str:
    return f" as seen from {join(part.seen_from)}" if len(parts) > 1 else ""


def cluster_lines(seen: Picture, width: int) -> list[Line]:
    """Quorum, votes and the DC of each partition, and who knows nothing of it."""
    lines: list[Line] = []
    for part in seen.parts:
        lines += _cluster_line(part, _as_seen(part, seen.parts), width)
    failed = any(unread.state is not State.OK for unread in seen.no_cluster)
    for unread in seen.no_cluster:
        if unread.state is State.OK and (seen.parts or failed):
            continue  # a storage server beside nodes that know, or should
        known = not_known(seen, unread, "Pacemaker")
        lines += paragraph([span("Cluster"), Span("  ")], known, width, _style(unread.state))
    return lines


def _cluster_line(part: PartitionView, as_seen: str, width: int) -> list[Line]:
    cluster, count = part.cluster, part.votes
    options = cluster.summary.options
    state = part.partition_state
    votes = count.words if count.counted else f"{count.words} (assumed: one a node)"
    if count.quorate is None:
        text = "quorum not known"
    elif not count.quorate:
        text = f"NO QUORUM, {votes}"
        text += f", {count.needed} needed" if count.needed is not None else ""
    elif count.covered or count.margin is None:
        text = f"quorate, {votes}"
        text += ", two-node mode" if count.covered else ""
    else:
        text = f"quorate, {votes}, can lose {max(0, count.margin) or 'none'}"
    dc = cluster.summary.dc
    text += f"; DC {dc.name}" if dc is not None and dc.name else "; NO DC"
    if options.maintenance_mode:
        text += "; MAINTENANCE: nothing is managed"
    if options.stop_all_resources:
        text += "; STOP-ALL-RESOURCES"
        stopped = (subject.resource(each.id) for each in cluster.resources)
        state = worst([state, part.state_of(*stopped)])
    return paragraph([span(f"Cluster{as_seen}"), Span("  ")], text, width, state.name)


def _pacemaker(seen: Picture, width: int) -> Iterator[tuple[str, list[Line]]]:
    for part in seen.parts:
        as_seen = _as_seen(part, seen.parts)
        yield f"Nodes{as_seen}", _nodes(part, width)
        yield f"Resources{as_seen}", tree(part, width)
        history = [paragraph([Span("    ")], each, width) for each in part.history]
        yield f"History{as_seen}", [line for lines in history for line in lines]


def _nodes(part: PartitionView, width: int) -> list[Line]:
    cluster = part.cluster
    rows: list[list[Span]] = []
    plain: list[str] = []
    for node in cluster.nodes:
        state, words = node_words(part, node)
        if len(cluster.nodes) > FULL_NODES and state is State.OK and not node.is_dc:
            plain.append(node.name)
            continue
        count = node.resources_running
        runs = "" if count is None else f"{count} resource{'' if count == 1 else 's'}"
        rows.append(
            [
                mark(state),
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


def node_words(part: PartitionView, node: Node) -> tuple[State, str]:
    """A node's state in words, a bad one in capitals; how grave what is said of it is."""
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
        # crm_mon calls every node that is pending in standby, too.
        ("standby", node.standby and not node.standby_onfail and not node.pending),
        ("maintenance", node.maintenance),
    )
    special = [word for word, applies in order if applies]
    if node.health is not None and node.health is not Health.GREEN:
        word = node.health.value if isinstance(node.health, Health) else str(node.health)
        special.append(f"health {word}")
    return part.state_of(subject.node(node.name)), ", ".join([*words, *special])


def part_of(node: Node) -> str:
    """What a node is beside a member: the DC, a guest, a remote node; else empty."""
    if node.is_dc:
        return "DC"
    if node.id_as_resource is not None:
        return f"inside {node.id_as_resource}"
    return "" if node.is_member else node.type or ""


# -- DRBD --------------------------------------------------------------------------------------


def _drbd(seen: Picture, width: int) -> list[Line]:
    views = len(seen.seen)
    lines: list[Line] = []
    for unread in seen.no_drbd:
        known = not_known(seen, unread, "DRBD")
        state = unread.state
        lines += paragraph([mark(state), Span(" ")], known, width, _style(state))
    for unread in seen.drbd_incomplete:
        where = f"{join(unread.nodes)}: " if views > 1 else ""
        first = [mark(unread.state), Span(" ")]
        text = f"{where}incomplete{why_incomplete(seen, unread)}"
        lines += paragraph(first, text, width, _style(unread.state))
    if seen.with_drbd:
        lines += drbd(seen, width)
    for name, fact in _since(seen):
        lines += paragraph([Span("  ")], f"{name}: {fact}", width)
    return lines


def _since(seen: Picture) -> tuple[tuple[str, str], ...]:
    """What is told of DRBD with a time, each with the resource."""
    told = ((each.cause.subject.drbd_resource, fact) for each in seen.faults for fact in each.facts)
    return tuple(dict.fromkeys((name, fact) for name, fact in told if name is not None))
