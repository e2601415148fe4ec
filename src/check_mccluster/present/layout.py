"""Styled lines for a terminal: tables that fit, text that wraps, colours that may be left out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import click

from ..values import NamedTuple
from ..verdict.finding import State
from .text import clean

GAP = 2
"""Blanks between two columns."""
_NO_BREAK = "\N{NO-BREAK SPACE}"

_STYLES: dict[str, dict[str, Any]] = {
    "OK": {"fg": "green"},
    "WARNING": {"fg": "yellow"},
    "CRITICAL": {"fg": "red", "bold": True},
    "UNKNOWN": {"fg": "magenta"},
    "title": {"bold": True},
    "strong": {"bold": True},
    "dim": {"dim": True},
}


class Span(NamedTuple):
    """A piece of text and its style: the name of a state, ``title``, ``strong``, ``dim`` or none.

    The style never says what the text does not.
    """

    text: str
    style: str = ""


Line = tuple[Span, ...]
BLANK: Line = ()


def span(text: str, style: str = "") -> Span:
    """A piece of one line, in ASCII: a name or message may hold anything."""
    return raw(clean(text), style)


def raw(text: str, style: str = "") -> Span:
    """The same of a text whose blanks must stay."""
    return Span(text.replace("…", "...").encode("ascii", "replace").decode(), style)


def of_state(text: str, state: State) -> Span:
    """A piece in the colour of a state."""
    return span(text, state.name)


def render(line: Line, colour: bool) -> str:
    """The line as text, with escape sequences only if *colour*."""
    if not colour:
        return "".join(each.text for each in line).rstrip()
    return "".join(
        click.style(each.text, **_STYLES[each.style]) if each.style else each.text for each in line
    )


def paragraph(first: Sequence[Span], text: str, width: int, style: str = "") -> list[Line]:
    """*text* behind *first*, wrapped to *width* and indented under its own beginning."""
    indent = sum(len(each.text) for each in first)
    # A command's options stay on its line: textwrap does not break at this blank.
    kept = span(text).text.replace(" -", f"{_NO_BREAK}-")
    wrapped = textwrap.wrap(kept, max(width - indent, 20), break_on_hyphens=False)
    rows = [row.replace(_NO_BREAK, " ") for row in wrapped]
    lines = [(*first, Span(rows[0] if rows else "", style))]
    return lines + [(Span(" " * indent), Span(row, style)) for row in rows[1:]]


def table(rows: Iterable[Sequence[Span]], width: int) -> list[Line]:
    """Columns as wide as they need; the widest give way until a line fits *width*."""
    listed = [tuple(row) for row in rows]
    widths = _widths(listed)
    columns = len(widths)
    while sum(widths) + GAP * (columns - 1) > width and max(widths) > 4:
        widths[widths.index(max(widths))] -= 1
    return [_row(row, widths) for row in listed]


def natural_width(rows: Sequence[Sequence[Span]]) -> int:
    """How wide the table is of which nothing is cut."""
    widths = _widths(rows)
    return sum(widths) + GAP * (len(widths) - 1)


def _widths(rows: Sequence[Sequence[Span]]) -> list[int]:
    columns = max((len(row) for row in rows), default=0)
    return [
        max(len(row[column].text) for row in rows if column < len(row)) for column in range(columns)
    ]


def _row(row: Sequence[Span], widths: Sequence[int]) -> Line:
    """One line; the padding has no style."""
    pieces: list[Span] = []
    for each, width in zip(row, widths):
        text = each.text if len(each.text) <= width else each.text[: width - 2] + ".."
        pieces += [Span(text, each.style), Span(" " * (width - len(text) + GAP))]
    return tuple(pieces[:-1])


def mark(state: State) -> Span:
    """What a line begins with: ``!`` in its colour, or a blank where all is well."""
    return of_state("!", state) if state is not State.OK else Span(" ")
