"""The DRBD mesh as a drawing: nodes on a circle, every connection in two halves, one for each end.

An SVG inside of a page that has :data:`STYLE`; its colours are classes, and nothing is told by
colour alone: a half that is not in order is dashed, and its words stand in the table beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Union

from ..judge.mesh import Link
from ..judge.picture import Gravity, Mesh, Replica
from ..model.drbd import Role
from ..model.words import Unrecognised
from ..values import NamedTuple
from ..verdict.finding import State, worst
from ..verdict.view import same_node
from ..verdict.words import join
from .drbd_words import connection_span, disk_span, replication_span, role_span
from .layout import Span
from .text import clean

STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #1b1f24; --soft: #57606a; --line: #d0d7de;
  --ok: #116329; --warning: #7d4e00; --critical: #b3141d; --unknown: #6e3fbf; }
@media (prefers-color-scheme: dark) { :root { --back: #10151c; --text: #e6edf3; --soft: #9da7b3;
  --line: #3a434e; --ok: #56d364; --warning: #e3b341; --critical: #ff8b85; --unknown: #cfa8ff; } }
.OK { color: var(--ok); } .WARNING { color: var(--warning); } .CRITICAL { color: var(--critical); }
.UNKNOWN { color: var(--unknown); } .WARNING, .CRITICAL, .UNKNOWN { font-weight: 600; }
svg text { fill: var(--text); font-family: system-ui, sans-serif; font-size: 13px; }
svg .name { font-weight: 600; }
@media (max-width: 30rem) { svg text { font-size: 17px; } }
svg.many text { font-size: 20px; } svg.many .half.OK { opacity: .3; }
.half { stroke: currentColor; stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.half.WARNING, .half.CRITICAL, .half.UNKNOWN { stroke-width: 4; stroke-dasharray: 9 5; }
.half.unasked { color: var(--soft); stroke-dasharray: 1 4; }
.node { fill: var(--back); stroke: currentColor; stroke-width: 2.5; }
.node.primary { fill: currentColor; } .node.unasked { color: var(--soft); stroke-dasharray: 2 3; }
"""
"""What the drawing needs of a page: its colours, light and dark, and its lines."""
_LABELLED = 10
"""Above so many nodes the disks are told beside the drawing only."""
_BOX = 75.0
"""Half the room that a node's words take at the edge of the drawing."""
_ROW = 17
"""From one row of a node's words to the next: room for the larger letters of a narrow screen."""


class Host(NamedTuple):
    """A node of a mesh: its words, and whose words they are.

    :param asked: whether the node itself said them; else a peer did.
    """

    name: str
    role: Union[Role, Unrecognised]
    disks: tuple[tuple[str, Span], ...]
    asked: bool

    @property
    def state(self) -> State:
        """As grave as its gravest word."""
        return worst(
            _state(each) for each in (role_span(self.role), *(disk for _, disk in self.disks))
        )

    @property
    def words(self) -> str:
        """``Primary, volume 0 UpToDate``."""
        disks = (f"volume {volume} {disk.text}" for volume, disk in self.disks)
        return ", ".join((role_span(self.role).text, *disks))


def _state(word: Span) -> State:
    return State[word.style] if word.style in State.__members__ else State.OK


def hosts(mesh: Mesh, gravity: Gravity) -> tuple[Host, ...]:
    """The nodes of a resource, by name; one that was not asked as its peers see it."""
    found: dict[str, Host] = {}
    for replica in mesh.seen.values():
        found[replica.here] = _own(replica, gravity)
    for replica in mesh.seen.values():
        # one that is connected knows best
        for link in sorted(replica.resource.connections, key=lambda each: not each.is_connected):
            if any(same_node(link.name, known) and host.asked for known, host in found.items()):
                continue
            disks = tuple(
                (str(p.volume), disk_span(p.peer_disk_state, p.peer_client, state))
                for p in link.peer_devices
                for state in (gravity.of(mesh.name, (link.name,), volume=p.volume),)
            )
            host = Host(link.name, link.peer_role, disks, False)
            if link.name not in found or (
                link.is_connected and found[link.name].role is Role.UNKNOWN
            ):
                found[link.name] = host
    return tuple(found[each] for each in sorted(found))


def _own(replica: Replica, gravity: Gravity) -> Host:
    name, here = replica.resource.name, replica.here
    disks = tuple(
        (str(each.device.volume), disk_span(each.device.disk_state, each.client, state))
        for each in replica.volumes
        for state in (gravity.of(name, (here,), volume=each.device.volume),)
    )
    return Host(replica.here, replica.resource.role, disks, True)


def half(link: Link, node: str, gravity: Gravity) -> tuple[State, str, bool]:
    """What the end at *node* says: how grave, in words, and whether it was asked."""
    end = next((one for name, one in link.asked_ends if name == node), None)
    if end is None:
        return State.OK, "not asked", False
    if end.connection is None:
        return gravity.of(link.resource, (node,)), "not configured", True
    name, peer, ends = link.resource, (end.connection.name,), link.nodes
    words = [connection_span(end.connection.state, gravity.of(name, peer, ends=ends))]
    if end.connection.is_connected:
        words += [
            replication_span(each, gravity.of(name, peer, volume=each.volume, ends=ends))
            for each in end.connection.peer_devices
        ]
    text = ", ".join(dict.fromkeys(each.text for each in words))
    return worst(map(_state, words)), text, True


def in_order(link: Link, gravity: Gravity) -> bool:
    """Whether no end that was asked says anything that is not in order."""
    return all(half(link, node, gravity)[0] is State.OK for node in link.nodes)


def drawing(
    number: int,
    name: str,
    nodes: Sequence[Host],
    connections: Sequence[Link],
    gravity: Gravity,
) -> str:
    """The SVG of one resource.

    :param number: makes the identifiers of the page's drawings different.
    """
    count = len(nodes)
    radius = max(110.0, count * 15.0)
    width, height = 2 * (radius + 2 * _BOX), 2 * (radius + _BOX)
    places = {
        host.name: (
            width / 2 + radius * math.sin(2 * math.pi * index / max(count, 1)),
            height / 2 - radius * math.cos(2 * math.pi * index / max(count, 1)),
        )
        for index, host in enumerate(nodes)
    }
    kind = "mesh many" if count > _LABELLED else "mesh"
    bad = [link for link in connections if not in_order(link, gravity)]
    told = [f"{host.name} {host.words}" for host in nodes if host.state is not State.OK]
    told += [f"{'-'.join(link.nodes)} {link.words}" for link in bad]
    meaning = "; ".join(told[:12]) or "nothing is wrong"
    more = f" and {len(told) - 12} more" if len(told) > 12 else ""
    lines = [
        f'<svg class="{kind}" viewBox="0 0 {width:.0f} {height:.0f}" role="img"'
        f' aria-labelledby="mesh-{number}-title mesh-{number}-words">',
        f'<title id="mesh-{number}-title">Mesh of {_safe(name)}: {count} nodes,'
        f" {len(connections)} connections</title>",
        f'<desc id="mesh-{number}-words">{_safe(meaning)}{more}.</desc>',
    ]
    # those in trouble last, hence above the others
    for link in sorted(connections, key=lambda each: not in_order(each, gravity)):
        lines += _edge(link, places, gravity)
    for host in nodes:
        lines += _node(host, places[host.name], (width / 2, height / 2), count)
    return "\n".join([*lines, "</svg>"])


def _edge(link: Link, places: dict[str, tuple[float, float]], gravity: Gravity) -> Iterator[str]:
    ends = [next((p for n, p in places.items() if same_node(n, each)), None) for each in link.nodes]
    first, second = ends
    if first is None or second is None:
        return
    middle = ((first[0] + second[0]) / 2, (first[1] + second[1]) / 2)
    for node, place in zip(link.nodes, (first, second)):
        state, words, asked = half(link, node, gravity)
        style = state.name if asked else "unasked"
        yield (
            f'<line class="half {style}" x1="{place[0]:.1f}" y1="{place[1]:.1f}"'
            f' x2="{middle[0]:.1f}" y2="{middle[1]:.1f}">'
            f"<title>{_safe(link.name)}: {_safe(words)} on {_safe(node)}</title></line>"
        )


def _node(
    host: Host, place: tuple[float, float], centre: tuple[float, float], count: int
) -> Iterator[str]:
    primary = host.role is Role.PRIMARY
    style = host.state.name if host.asked or host.state is not State.OK else "unasked"
    size = 15 if count <= _LABELLED else 10
    yield (
        f'<circle class="node {style}{" primary" if primary else ""}"'
        f' cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="{size}">'
        f"<title>{_safe(host.name)}: {_safe(host.words)}</title></circle>"
    )
    dx, dy = place[0] - centre[0], place[1] - centre[1]
    away = math.hypot(dx, dy) or 1.0
    x, y = place[0] + dx / away * (size + 8), place[1] + dy / away * (size + 8)
    anchor = "middle" if abs(dx) < away * 0.3 else ("start" if dx > 0 else "end")
    if anchor != "middle":
        x = place[0] + math.copysign(size + 8, dx)
    lines = [(_short(host.name), "name")]
    if count <= _LABELLED:
        lines.append((role_span(host.role).text, ""))
        disks = list(dict.fromkeys(disk.text for _, disk in host.disks))
        lines.append((_short(join(disks, 2)), ""))
    elif host.state is not State.OK or primary:
        lines.append((_short(host.words), ""))
    down = y + 5 * (1 + dy / away) - (_ROW * (len(lines) - 1) * (0.5 - 0.5 * dy / away))
    for row, (text, kind) in enumerate(lines):
        yield (
            f'<text class="{kind or "word"}" x="{x:.1f}" y="{down + _ROW * row:.1f}"'
            f' text-anchor="{anchor}">{_safe(text)}</text>'
        )


def _short(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:18]}.."


def _safe(text: str) -> str:
    return escape(clean(text))
