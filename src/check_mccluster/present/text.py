"""Text that is safe in a plugin's output, and the first line that an operator reads."""

from __future__ import annotations

from collections.abc import Sequence

from ..verdict.finding import HENCE, Fault, Finding, Report, State

FIRST_LINE = 120
"""About so many characters of text on the first line."""
_ROOM = 40
"""So many characters of a text say what it is about."""
_EFFECT = 25
"""So many of a consequence say what it is: ``group1 is stopped``."""


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


def _fitting(text: str, most: int) -> str:
    """At most *most* characters, the consequence not cut away: it is graver than its cause."""
    cause, hence, effect = text.partition(HENCE)
    room = most - len(hence) - min(len(effect), _EFFECT)
    if not hence or len(text) <= most or len(cause) <= room or room < _ROOM:
        return shorten(text, most)
    return shorten(f"{shorten(cause, room)}{hence}{effect}", most)


def _told(report: Report) -> Sequence[Fault]:
    """The faults that the verdict is about."""
    return [fault for fault in report.faults if fault.spoken or not report.hushed]


def first_line(report: Report) -> str:
    """The worst faults that fit, and how many more there are; the summary if all is well."""
    line = _first_line(report)
    return f"{line} ({clean(report.note)})" if report.note else line


def _heads(findings: Sequence[Finding]) -> list[str]:
    """The texts of findings, of many volumes of which the same is said as one."""
    if len(findings) < 2:
        return [each.text for each in findings]
    from ..verdict.alike import MANY, mark, text_of

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
    bad = [fault for fault in _told(report) if fault.state is not State.OK]
    if report.lines:
        heads = [fault.text for fault in bad]
    else:
        heads = _heads([each for each in findings if each.state is not State.OK])
    texts = list(dict.fromkeys(clean(text) for text in heads))
    if not texts:
        allowed = [clean(f.text) for f in findings]
        return shorten(clean(report.summary) or "; ".join(allowed)) or "nothing to report"
    # Faults are different things: one as grave as the first is named, however long the first is.
    least = _ROOM if report.lines else FIRST_LINE
    beside = len(texts) > 1 and report.lines and bad[1].state is bad[0].state
    line = _fitting(texts[0], FIRST_LINE - 2 - min(len(texts[1]), least) if beside else FIRST_LINE)
    shown = 1
    for text in texts[1:]:
        left = FIRST_LINE - len(line) - 2
        if left < min(len(text), least):
            break
        line = f"{line}; {_fitting(text, left)}"
        shown += 1
    rest = len(texts) - shown
    return f"{line} (+{rest} more)" if rest else line
