r"""Checkmk's local checks: a line for each check, all of one run.

A line is ``STATE "SERVICE" METRICS TEXT``. Metrics are ``name=value;warn;crit;min;max`` joined by
``|``, without units; in the text the two characters ``\n`` begin a line of the details.

Source: Checkmk's documentation "Local checks", and the parser ``local.py`` of Checkmk 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from ..verdict.finding import TOOLS, Fault, Figure, Line, Report, State, worst
from .text import clean, shorten

SERVICE = "MCCluster"
MOST_TEXT = 400
"""So many characters of what is told elsewhere."""

MOST_FAULTS = 10
"""So many faults are told in the details of one service."""

_BREAK = "\\n"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def as_text(report: Report) -> str:
    """A line for each check, and one for the tools; each fault once, at the check of its cause.

    What only follows from another check's fault does not raise the state of its own, and its text
    says where the fault is told.
    """
    return "".join(f"{line}\n" for line in _lines(report))


def error_line(text: str) -> str:
    """What is printed when nothing could be looked at."""
    return _line(State.UNKNOWN, TOOLS, (), text) + "\n"


def _lines(report: Report) -> Iterator[str]:
    own: dict[str, list[Fault]] = {}
    for fault in report.faults:
        if fault.state is not State.OK:
            own.setdefault(report.check_of(fault), []).append(fault)
    tools = own.get(TOOLS, ())
    if report.lines or tools:
        yield _told(TOOLS, tools, "every tool that was asked gave its answer", ())
    else:
        yield _line(report.state, TOOLS, (), "; ".join(f.text for f in report.findings))
    for line in report.lines:
        yield _told(line.check, own.get(line.check, ()), _calm(report, line), line.figures)


def _told(check: str, faults: Sequence[Fault], calm: str, figures: Iterable[Figure]) -> str:
    """The line of one check: its own faults, else *calm*."""
    if not faults:
        return _line(State.OK, check, figures, calm)
    texts = list(dict.fromkeys(clean(fault.text) for fault in faults))
    rest = f" (+{len(texts) - 1} more)" if len(texts) > 1 else ""
    details = [
        f"[{each.state.name}] {each.key}: {each.text} -> {each.next_step}"
        for fault in faults[:MOST_FAULTS]
        for each in (fault.cause, *((fault.graver,) if fault.graver is not None else ()))
    ]
    if len(faults) > MOST_FAULTS:
        details.append(f"and {len(faults) - MOST_FAULTS} more: check_mccluster overview -v")
    state = worst(fault.state for fault in faults)
    return _line(state, check, figures, shorten(texts[0]) + rest, details)


def _calm(report: Report, line: Line) -> str:
    """The text of a check without a fault of its own."""
    if line.unjudged:
        return f"not judged: see {SERVICE} {TOOLS}"
    elsewhere = [
        report.check_of(fault)
        for fault in report.faults
        for each in (fault.cause, *fault.follows)
        if each.key in line.keys and each.state is not State.OK
    ]
    if line.state is not State.OK and elsewhere:
        where = ", ".join(f"{SERVICE} {check}" for check in dict.fromkeys(elsewhere))
        known = "" if line.text == "as above" else f"{shorten(line.text, MOST_TEXT)}; "
        return f"{known}see {where}"
    return shorten(line.text, MOST_TEXT)


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
