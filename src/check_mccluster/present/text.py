"""Text that is safe in a plugin's output, and the first line that an operator reads."""

from __future__ import annotations

from collections.abc import Sequence

from ..verdict.alike import MANY, mark, text_of
from ..verdict.finding import Fault, Finding, Report, State

FIRST_LINE = 120
"""About so many characters of text on the first line."""


def clean(text: str) -> str:
    """One line without the perfdata separator and without control characters."""
    line = " ".join(text.replace("|", "/").split())
    return printable(line)


def printable(text: str, keep: str = "") -> str:
    """The text with a question mark for each control character that is not to be kept."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else "?" for c in text)


def shorten(text: str, most: int = FIRST_LINE) -> str:
    """At most *most* characters."""
    return text if len(text) <= most else text[: most - 3].rstrip() + "..."


def _told(report: Report) -> Sequence[Fault]:
    """The faults that the verdict is about."""
    return [fault for fault in report.faults if fault.spoken or not report.hushed]


def first_line(report: Report) -> str:
    """The worst faults that fit, and how many more there are; the summary if all is well."""
    line = _first_line(report)
    return f"{line} ({clean(report.note)})" if report.note else line


def _heads(findings: Sequence[Finding]) -> list[str]:
    """The texts of findings, of many volumes of which the same is said as one."""
    alike: dict[object, list[Finding]] = {}
    for each in findings:
        same = mark(each)
        alike.setdefault(each if same is None else same, []).append(each)
    told = {each: each.text for each in findings}
    for several in alike.values():
        if len(several) >= MANY:
            told.update(dict.fromkeys(several, text_of(several)))
    return list(told.values())


def _first_line(report: Report) -> str:
    findings = report.worst_first
    # A single check tells its findings; only what judges several of them tells faults.
    if report.lines:
        heads = [fault.text for fault in _told(report) if fault.state is not State.OK]
    else:
        heads = _heads([each for each in findings if each.state is not State.OK])
    texts = list(dict.fromkeys(clean(text) for text in heads))
    if not texts:
        allowed = [clean(f.text) for f in findings]
        return shorten(clean(report.summary) or "; ".join(allowed)) or "nothing to report"
    line = shorten(texts[0])
    shown = 1
    for text in texts[1:]:
        if len(line) + len(text) + 2 > FIRST_LINE:
            break
        line = f"{line}; {text}"
        shown += 1
    rest = len(texts) - shown
    return f"{line} (+{rest} more)" if rest else line
