"""The cluster as one page to look at and to send: no network and no script is needed to read it.

Long because it is one page: a function for each of its parts, which share its markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, Optional

from .. import __version__
from ..inputs.crm_mon import CLUSTER
from ..inputs.drbdsetup import DRBD
from ..judge.mesh import Link
from ..judge.picture import Gravity, PartitionView, Picture
from ..judge.whatif import Consequence
from ..values import NamedTuple
from ..verdict.finding import Fault, Finding, Report, State
from ..verdict.problems import TOOL_MISSING
from ..verdict.view import Input, Judgement
from ..verdict.words import join
from .drawing import STYLE, drawing, half, hosts, in_order
from .drbd_words import role_span
from .layout import Span
from .terminal import node_words, part_of
from .text import clean
from .tree import branch_rows
from .whatif import state as state_of

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_PAGE_STYLE = """
* { box-sizing: border-box; }
body { background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif;
  margin: 0 auto; max-width: 68rem; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1rem 0 .3rem; }
.verdict { border-left: .5rem solid; padding: .5rem 1rem; } .soft { color: var(--soft); }
figure { margin: 0; overflow-x: auto; } .wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--soft); padding-top: .6rem; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .6rem .25rem 0; text-align: left;
  vertical-align: top; overflow-wrap: normal; }
.fault { border-left: .3rem solid; padding-left: .8rem; margin: 1rem 0; }
.fault > * { color: var(--text); font-weight: 400; margin: .2rem 0; }
.fault > h3 { font-weight: 600; } .mark { font-weight: 700; }
.fault > h3 .CRITICAL, .fault > h3 .WARNING { font-weight: 700; }
svg.mesh { display: block; width: 100%; max-width: 46rem; max-height: 90vh; margin: 0 auto;
  overflow: visible; }
.depth { padding-left: 1.2rem; }
@media print { body { max-width: none; font-size: 11pt; } .fault, svg, tr { break-inside: avoid; } }
"""


class Page(NamedTuple):
    """What is told.

    :param picture: the cluster as seen. :param report: of all the nodes together.
    :param unasked: nodes that could not be asked, with the reason.
    :param links: DRBD's connections. :param losses: what each loss would do.
    """

    picture: Picture
    report: Report
    unasked: dict[str, str]
    links: tuple[Link, ...]
    losses: tuple[Consequence, ...]


def page(told: Page) -> str:
    """The document."""
    state = told.report.state
    names = join([one.view.here for one in told.picture.seen], 6)
    body = [
        *_verdict(told),
        *_faults(told.report.faults, len(told.picture.seen)),
        *_mesh(told),
        *_pacemaker(told.picture),
        *_timings(told.picture.seen),
        *_losses(told.losses),
        *_asked(told),
    ]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{state.name}: cluster of {_safe(names)}</title>",
            f"<style>{STYLE}{_PAGE_STYLE}</style>",
            "</head>",
            "<body>",
            "<main>",
            *body,
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _safe(text: object) -> str:
    return escape(clean(str(text)))


def _word(text: str, state: State) -> str:
    return f'<span class="{state.name}">{_safe(text)}</span>'


def _judged(text: str, state: State) -> str:
    """Words with the state that the findings give them: colour says nothing that words do not."""
    return _word(text if state is State.OK else f"{text} ({state.name})", state)


def _styled(word: Span) -> str:
    return f'<span class="{word.style}">{_safe(word.text)}</span>'


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table of cells that are HTML already; the first one names its row."""
    yield '<div class="wide"><table>'
    yield f"<caption>{_safe(caption)}</caption>"
    titles = "".join(f'<th scope="col">{_safe(each)}</th>' for each in heads)
    yield f"<thead><tr>{titles}</tr></thead>"
    yield "<tbody>"
    for first, *rest in rows:
        cells = "".join(f"<td>{each}</td>" for each in rest)
        yield f'<tr><th scope="row">{first}</th>{cells}</tr>'
    yield "</tbody></table></div>"


# -- the verdict and the faults ----------------------------------------------------------------


def _verdict(told: Page) -> Iterator[str]:
    state = told.report.state
    bad = sum(1 for fault in told.report.faults if fault.state is not State.OK)
    count = f"{bad} {'fault' if bad == 1 else 'faults'}" if bad else "nothing is wrong"
    times = sorted(one.view.time for one in told.picture.seen)
    when = f"{times[0]:%Y-%m-%d %H:%M:%S}"
    if times[-1] != times[0]:
        when += f" to {times[-1]:%Y-%m-%d %H:%M:%S}"
    kind = "recorded" if any(one.recorded for one in told.picture.seen) else "asked"
    names = join([one.view.here for one in told.picture.seen], 40)
    yield f'<header class="verdict {state.name}"><h1>{state.name}: {count}</h1></header>'
    yield f'<p class="soft">Seen from {_safe(names)}; {kind} {when} UTC.</p>'
    if told.report.summary and not bad:
        yield f"<p>{_safe(told.report.summary)}</p>"


def _faults(faults: Sequence[Fault], views: int) -> Iterator[str]:
    yield "<section><h2>Faults and what to do</h2>"
    if not faults:
        yield "<p>No fault is found.</p>"
    for fault in faults:
        cause = fault.cause
        yield f'<article class="fault {fault.state.name}">'
        yield f"<h3>{_word(fault.state.name, fault.state)} {_safe(cause.text)}</h3>"
        yield f"<p>To do: {_safe(cause.next_step)}</p>"
        if fault.follows:
            yield "<p>Follows from it:</p><ul>"
            for each in fault.follows:
                yield f"<li>{_word(each.state.name, each.state)} {_safe(each.text)}</li>"
            yield "</ul>"
        everybody = len(fault.seen_from) == views
        where = () if everybody else fault.seen_from
        yield f'<p class="soft">{_safe(_origin(cause, where))}</p>'
        yield "</article>"
    yield "</section>"


def _origin(cause: Finding, seen_from: Sequence[str]) -> str:
    where = f", seen from {join(seen_from, 40)}" if seen_from else ""
    return f"{cause.key}{where}; check_mccluster explain {cause.key} tells more"


# -- DRBD --------------------------------------------------------------------------------------


def _mesh(told: Page) -> Iterator[str]:
    yield "<section><h2>DRBD</h2>"
    meshes, gravity = told.picture.meshes, told.picture.gravity
    yield from _problems(told.picture.seen, DRBD)
    if not meshes:
        yield "<p>No resource is seen.</p>"
    for number, mesh in enumerate(meshes):
        name, nodes = mesh.name, hosts(mesh, gravity)
        connections = [link for link in told.links if link.resource == name]
        yield f"<h3>Resource {_safe(name)}</h3>"
        yield "<figure>"
        yield drawing(number, name, nodes, connections, gravity)
        yield (
            '<figcaption class="soft">A filled circle is Primary. Each half of a line is what the'
            " node at that end says: dashed and thick is not in order, dotted was not asked."
            "</figcaption></figure>"
        )
        if not all(host.asked for host in nodes):
            yield "<p>Connections between nodes that were not asked are not seen.</p>"
        yield from _table(
            f"Nodes of {name}",
            ("Node", "Role", "Disks", "Told by"),
            [
                (
                    _safe(host.name),
                    _styled(role_span(host.role)),
                    ", ".join(
                        f"volume {_safe(volume)} {_styled(word)}" for volume, word in host.disks
                    ),
                    "itself" if host.asked else "its peers",
                )
                for host in nodes
            ],
        )
        yield from _connections(name, connections, gravity)
    yield "</section>"


def _problems(seen: Sequence[Judgement], tool: Input[Any]) -> Iterator[str]:
    """Why a node's answer is none, or not whole; a tool that is not installed is no trouble."""
    for one in seen:
        for problem in one.view[tool].problems:
            state = State.OK if problem.kind is TOOL_MISSING else problem.state
            words = _safe(problem.text) if state is State.OK else _judged(problem.text, state)
            yield f"<p>{_safe(one.view.here)}: {words}</p>"


def _connections(name: str, connections: Sequence[Link], gravity: Gravity) -> Iterator[str]:
    """Those that are not in order; of few, all."""
    bad = [link for link in connections if not in_order(link, gravity)]
    shown = list(connections) if len(connections) <= 15 else bad
    rest = len(connections) - len(shown)
    if shown:
        rows = []
        for link in sorted(shown, key=lambda each: in_order(each, gravity)):
            cells = [_safe("-".join(link.nodes))]
            for node in link.nodes:
                state, words, asked = half(link, node, gravity)
                words = f"{node}: {words}"
                cells.append(
                    _word(words, state) if asked else f'<span class="soft">{_safe(words)}</span>'
                )
            rows.append(cells)
        yield from _table(f"Connections of {name}", ("Connection", "One end", "Other end"), rows)
    if rest:
        yield f"<p>{rest} {'more are' if shown else 'connections, all'} in order.</p>"


# -- Pacemaker ---------------------------------------------------------------------------------


def _pacemaker(seen: Picture) -> Iterator[str]:
    yield "<section><h2>Pacemaker</h2>"
    if not seen.parts:
        yield "<p>Nothing is known of Pacemaker from here.</p>"
    yield from _problems(seen.seen, CLUSTER)
    for part in seen.parts:
        if len(seen.parts) > 1:
            yield f"<h3>As seen from {_safe(join(part.seen_from, 40))}</h3>"
        yield f"<p>{_quorum(part)}</p>"
        yield from _nodes(part)
        yield from _resources(part)
    yield "</section>"


def _quorum(part: PartitionView) -> str:
    dc, state = part.cluster.summary.dc, part.partition_state
    if dc is None or dc.with_quorum is None:
        return _word("It is not known whether the partition has quorum.", state)
    name = f"; designated controller {dc.name}" if dc.name else ""
    word = "quorum" if dc.with_quorum else "NO QUORUM"
    return _word(f"The partition has {word}{name}.", state)


def _nodes(part: PartitionView) -> Iterator[str]:
    rows = []
    for node in part.cluster.nodes:
        state, words = node_words(part, node)
        count = node.resources_running
        rows.append(
            (
                _safe(node.name),
                _judged(words, state),
                "" if count is None else str(count),
                _safe(part_of(node)),
            )
        )
    yield from _table("Nodes", ("Node", "State", "Resources", "Part"), rows)


def _resources(part: PartitionView) -> Iterator[str]:
    rows = [
        (
            f'<span class="{"depth" if row.depth else ""}">{_safe(row.name)}</span>',
            _safe(row.kind),
            _judged(row.word, row.state),
            _safe(row.where),
        )
        for resource in part.cluster.resources
        for row in branch_rows(part, resource)
    ]
    if rows:
        yield from _table("Resources", ("Resource", "Kind", "State", "Where"), rows)
    else:
        yield "<p>No resource is configured.</p>"


# -- timings, losses, how it was come by -------------------------------------------------------

_TIMINGS = (
    ("corosync_token", "Corosync: token"),
    ("corosync_consensus", "Corosync: consensus"),
    ("corosync_detection", "Corosync sees a lost node after"),
    ("drbd_detection", "DRBD sees a lost peer after at most"),
    ("margin", "Corosync is later by"),
)


def _timings(seen: Sequence[Judgement]) -> Iterator[str]:
    yield "<section><h2>Timings</h2>"
    rows = []
    for one in seen:
        cells = [_seconds(one.report.figure("timing", label)) for label, _ in _TIMINGS]
        if any(cells):
            rows.append((_safe(one.view.here), *(cell or "not known" for cell in cells)))
    if rows:
        heads = ("Node", *(words for _, words in _TIMINGS))
        yield from _table("As the check timing compares them", heads, rows)
    else:
        yield "<p>No node tells its timings.</p>"
    yield "</section>"


def _seconds(value: Optional[float]) -> str:
    return "" if value is None else f"{value:g} s"


def _losses(losses: Sequence[Consequence]) -> Iterator[str]:
    yield "<section><h2>What if a node were lost</h2>"
    if not losses:
        yield "<p>Nobody can say: no answer of Pacemaker.</p>"
    else:
        rows = [(_safe(join(one.lost)), _then(one), _votes(one), _copies(one)) for one in losses]
        heads = ("Lost", "Then", "Votes left", "Copies left")
        yield from _table("The gravest first", heads, rows)
    whys = dict.fromkeys(one.unasked for one in losses if one.unasked)
    for why in whys:
        yield f'<p class="soft">Judged without Pacemaker\'s scheduler: {_safe(why)}.</p>'
    yield "</section>"


def _then(one: Consequence) -> str:
    words = [f"{fate.service} would end: {fate.why}" for fate in one.ends]
    words += [f"{fate.service} would move to {fate.after[0]}" for fate in one.moves]
    return _word("; ".join(words) or "no service ends or moves", state_of(one))


def _votes(one: Consequence) -> str:
    left, _, expected = one.votes
    known = "not known" if left is None else str(left)
    text = known if expected is None else f"{known} of {expected}"
    if one.quorate is False:
        return _word(f"{text}, no quorum", State.WARNING)
    return _safe(text)


def _copies(one: Consequence) -> str:
    volume = one.worst_volume
    if volume is None:
        return ""
    text = f"{volume.name}: {len(volume.up_to_date)} of {len(volume.replicas)}"
    if volume.quorum is False:
        return _word(f"{text}, no quorum", State.WARNING)
    return _safe(text)


def _asked(told: Page) -> Iterator[str]:
    yield "<section><h2>Versions, and what was asked</h2>"
    versions = [f"check_mccluster {__version__}"]
    for one in told.picture.seen:
        cluster = one.view[CLUSTER].value
        dc = cluster.summary.dc if cluster is not None else None
        if dc is not None and dc.version:
            versions.append(f"Pacemaker {dc.version}")
    yield f"<p>{_safe(', '.join(dict.fromkeys(versions)))}</p>"
    for name, why in told.unasked.items():
        yield f"<p>{_word(f'{name} could not be asked: {why}', State.UNKNOWN)}</p>"
    for one in told.picture.seen:
        rows = [
            (_safe(command), _safe(outcome), "" if seconds is None else f"{seconds:.2f} s")
            for command, outcome, seconds in one.runs
        ]
        when = f"{one.view.here}, {one.view.time:%Y-%m-%d %H:%M:%S} UTC"
        yield f"<details><summary>{_safe(when)}</summary>"
        if rows:
            yield from _table("What was run or read", ("Command or file", "Outcome", "Took"), rows)
        else:
            yield "<p>Nothing is noted.</p>"
        yield "</details>"
    yield "</section>"
