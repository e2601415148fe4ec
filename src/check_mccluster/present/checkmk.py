r"""Checkmk's local checks: a line for each check, all of one run.

A line is ``STATE "SERVICE" METRICS TEXT``. Metrics are ``name=value;warn;crit;min;max`` joined by
``|``, without units; in the text the two characters ``\n`` begin a line of the details.

Source: Checkmk's documentation "Local checks", and the parser ``local.py`` of Checkmk 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from ..verdict.finding import TOOLS, Fault, Figure, Report, State
from .text import clean, shorten

SERVICE = "MCCluster"
MOST_TEXT = 400
"""So many characters of what is told elsewhere."""

MOST_FAULTS = 10
"""So many findings are told in the details of one service."""

_BREAK = "\\n"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def as_text(report: Report, parts: Sequence[tuple[str, Report]]) -> str:
    """A line for each check, and one for the tools.

    :param report: all checks as one. :param parts: the folded report of each, the tools' first.
    """
    return "".join(f"{line}\n" for line in _lines(report, parts))


def error_line(text: str) -> str:
    """What is printed when nothing could be looked at."""
    return _line(State.UNKNOWN, TOOLS, (), text) + "\n"


def _lines(report: Report, parts: Sequence[tuple[str, Report]]) -> Iterator[str]:
    unjudged = {line.check for line in report.lines if line.unjudged}
    for check, part in parts:
        calm = part.summary
        if check == TOOLS and not part.findings:
            calm = "every tool that was asked gave its answer"
        elif check in unjudged:
            calm = f"not judged: see {SERVICE} {TOOLS}"
        elif part.folded:
            where = (report.check_of(Fault(cause)) for _, cause in part.folded)
            services = ", ".join(f"{SERVICE} {each}" for each in dict.fromkeys(where))
            calm = f"{shorten(calm, MOST_TEXT)}; see {services}"
        yield _told(check, part, calm)


def _told(check: str, part: Report, calm: str) -> str:
    """The line of one check: its own findings that count, else *calm*."""
    raised = [each for each in part.worst_first if each.state is not State.OK]
    if not raised:
        return _line(State.OK, check, part.figures, shorten(calm, MOST_TEXT))
    texts = list(dict.fromkeys(clean(each.text) for each in raised))
    rest = f" (+{len(texts) - 1} more)" if len(texts) > 1 else ""
    details = [
        f"[{each.state.name}] {each.key}: {each.text} -> {each.next_step}"
        for each in raised[:MOST_FAULTS]
    ]
    if len(raised) > MOST_FAULTS:
        details.append(f"and {len(raised) - MOST_FAULTS} more: check_mccluster overview -v")
    return _line(part.state, check, part.figures, shorten(texts[0]) + rest, details)


def _line(
    state: State,
    check: str,
    figures: Iterable[Figure],
    text: str,
    details: Sequence[str] = (),
) -> str:
    words = _BREAK.join(map(_escaped, (text or "nothing to report", *details)))
    return f'{state.value} "{SERVICE} {check}" {_metrics(figures)} {words}'


def _escaped(text: str) -> str:
    """One line; a backslash of a name begins none."""
    return clean(text).replace("\\n", "\\ n")


def _metrics(figures: Iterable[Figure]) -> str:
    """The figures whose value is known; ``-`` where there are none."""
    entries: dict[str, str] = {}
    for figure in figures:
        if figure.value is None or not math.isfinite(figure.value):
            continue
        ends = f";;;{_number(figure.minimum)};{_number(figure.maximum)}".rstrip(";")
        entries[_name(figure.label, entries)] = f"{_number(figure.value)}{ends}"
    return "|".join(f"{name}={value}" for name, value in entries.items()) or "-"


def _name(label: str, taken: Iterable[str]) -> str:
    """A metric's name of letters, digits and underscores that no other metric has."""
    name = "".join(each if each in _PLAIN else "_" for each in label)
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name}_{number}"
    return unique


def _number(value: object) -> str:
    if not isinstance(value, (int, float)):
        return ""
    return str(int(value)) if value == int(value) else repr(value)
