"""A screen that is drawn again and again: what fits, what changed, what came and went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..judge.picture import Picture
from ..values import NamedTuple
from ..verdict.finding import Fault, State
from .layout import BLANK, Line, Span, raw, span

LAST = 3
"""Changes that are kept at the bottom."""
_LEAST = 14
"""Lines of a window that can spare some for them."""


class Change(NamedTuple):
    """A fault that came or went. :param came: whether it came."""

    time: datetime
    came: bool
    state: State
    text: str


def changes(before: Picture, now: Picture) -> tuple[Change, ...]:
    """What came and went between two looks: faults by their kind and object, not by their words."""
    at = max(one.view.time for one in now.seen)
    old, new = _by_object(before), _by_object(now)
    gone = [fault for key, fault in old.items() if key not in new]
    came = [fault for key, fault in new.items() if key not in old]
    return (
        *(Change(at, False, fault.state, fault.cause.text) for fault in gone),
        *(Change(at, True, fault.state, fault.cause.text) for fault in came),
    )


def _by_object(seen: Picture) -> dict[tuple[object, ...], Fault]:
    return {
        (fault.cause.key, fault.cause.subject.same): fault
        for fault in seen.faults
        if fault.state is not State.OK
    }


class Frame(NamedTuple):
    """What is drawn. :param top: the first line of the body that is shown."""

    lines: tuple[Line, ...]
    top: int


def frame(
    body: Sequence[Line],
    before: Sequence[Line],
    *,
    past: Sequence[Change],
    foot: str,
    size: tuple[int, int],
    top: int = 0,
) -> Frame:
    """A window full of lines.

    :param body: what there is. :param before: what there was in the look before; empty for none.
    :param past: every change so far. :param foot: the last line. :param size: columns and lines.
    :param top: how far it is scrolled; less where there is no more to see.
    """
    width, height = size
    kept = [_change(each, width) for each in past[-LAST:]] if height >= _LEAST else []
    foot_lines = [BLANK, *kept] if kept else []
    room = max(height - len(foot_lines) - 1, 1)
    top = max(0, min(top, len(body) - room))
    old = {_text(line) for line in before}
    shown = [_marked(line, bool(old) and _text(line) not in old) for line in body[top : top + room]]
    shown += [BLANK] * (room - len(shown))  # what came last stands at one place
    below = len(body) - top - room
    hidden = [*([f"{top} above"] if top else []), *([f"{below} below"] if below > 0 else [])]
    more = f"{' and '.join(hidden)} (up, down, space, b); " if hidden else ""
    text = f"{more}{foot}"
    last = (Span(text[: width - 1], "dim"),)
    return Frame((*shown, *foot_lines, last), top)


def _text(line: Line) -> str:
    """A line by its words: the time of the look is no change, wherever the title wraps."""
    text = "".join(each.text for each in line).strip()
    return "" if "; seen from " in text or text.endswith((" UTC", "snapshot")) else text


def _marked(line: Line, changed: bool) -> Line:
    """A line that changed has a star where its blanks begin, or is bold."""
    if not changed or not _text(line):
        return line
    first, *rest = line
    if first.text.startswith(" "):
        return (Span("*", "strong"), Span(first.text[1:], first.style), *rest)
    return tuple(Span(each.text, each.style or "strong") for each in line)


def _change(each: Change, width: int) -> Line:
    word = "new: " if each.came else "gone: "
    start = f"{each.time:%H:%M:%S} {word}"
    text = span(each.text).text
    left = width - len(start) - 1
    cut = text if len(text) <= left else text[: left - 2] + ".."
    return (raw(start, "dim"), Span(cut, each.state.name if each.came else "OK"))
