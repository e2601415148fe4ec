"""Text that is safe in a plugin's output, and the first line that an operator reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..verdict.finding import HENCE, Fault, Finding, Report, State

FIRST_LINE = 120
"""About so many characters of text on the first line."""
_ROOM = 40
"""So many characters of a text say what it is about."""
_LEAST = 20
"""So many of a text it has at least when parts of it are left out."""
_EFFECT = 28
"""So many of a consequence say what it is: ``MYSQL (group1) is stopped``, and the dots behind."""


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


_LESS = (", not ", ", no ", ", nor ", ", both ", ", which ", "; ")
"""What begins a part of a text that may be left out: the object and what is wrong stand before."""


def _forms(text: str) -> Iterator[str]:
    """The text, then each time with one part less: the last clause, or the last brackets."""
    yield text
    while True:
        start, end, clause = _parts(text)
        # "; app02 too" is about another object.
        if clause > start and not text.endswith(" too"):
            shorter = _names_alone(text, clause) or text[:clause]
        elif start > 0:
            shorter = text[:start].rstrip() + text[end:]
        else:
            break
        if len(shorter) < _LEAST or shorter.endswith(":"):
            break
        text = shorter
        yield text
    head = text.partition(" (")[0].rpartition(": ")[0]
    if " is " in head:  # all is said before the colon
        yield head


def _names_alone(text: str, clause: int) -> str:
    """``2 of 3 copies, not a: Outdated; not b`` as ``2 of 3 copies, not a, b``.

    Empty where the clause is another one, or has names alone already.
    """
    if not text[clause + 1 :].startswith(" not "):
        return ""
    head, _, rest = text.partition(", not ")
    parts = rest.split("; not ")
    names = ", ".join(part.partition(":")[0] for part in parts)
    return f"{head}, not {names}" if names != rest else ""


def _parts(text: str) -> tuple[int, int, int]:
    """Where the last brackets begin and end, and the last clause outside of them; -1: nowhere."""
    start, end, depth = -1, -1, 0
    plain = []
    for index, each in enumerate(text):
        if each == "(":
            start = index if not depth else start
            depth += 1
        plain.append(" " if depth else each)
        if each == ")" and depth:
            depth -= 1
            end = index + 1
    if depth:  # never closed
        return -1, -1, -1
    outside = "".join(plain)
    return start, end, max(map(outside.rfind, _LESS))


def _fitting(text: str, most: int) -> str:
    """At most *most* characters, the consequence not cut away: it is graver than its cause.

    Before words are cut, brackets and clauses that only add to the rest go.
    """
    if len(text) <= most:
        return text
    cause, hence, effect = text.partition(HENCE)
    if hence:
        room = most - len(hence) - min(len(effect), _EFFECT)
        if room < _ROOM:
            return shorten(text, most)
        cause = _fitting(cause, max(room, most - len(hence) - len(effect)))
        return f"{cause}{hence}{_fitting(effect, most - len(cause) - len(hence))}"
    forms = list(_forms(text))
    fits = next((form for form in forms if len(form) <= most), forms[-1])
    # Where that leaves much room, the beginning of what was left out tells more.
    return shorten(text if len(fits) < most - _ROOM else fits, most)


def _cut(text: str, most: int) -> str:
    """At most *most* characters, as they stand, the consequence not cut away."""
    cause, hence, effect = text.partition(HENCE)
    room = most - len(hence) - min(len(effect), _EFFECT)
    if not hence or len(text) <= most or len(cause) <= room or room < _ROOM:
        return shorten(text, most)
    return shorten(f"{shorten(cause, room)}{hence}{effect}", most)


def _shortest(text: str) -> int:
    """How long the text is without all that may be left out."""
    parts = text.split(HENCE, 1)
    return sum(len(list(_forms(part))[-1]) for part in parts) + len(HENCE) * (len(parts) - 1)


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
    faults = len(texts)
    # Faults are different things: one as grave as the first is named, however long the first is.
    least = _ROOM if report.lines else FIRST_LINE
    beside = faults > 1 and report.lines and bad[1].state is bad[0].state
    if report.lines and faults == 1:
        texts += map(clean, report.running)
        beside = len(texts) > 1
    room = FIRST_LINE
    if beside:
        # The second has the room that it needs, if the first can be told in what is left.
        first, second = map(_shortest, texts[:2])
        room -= 2 + min(len(texts[1]), max(least, min(second, FIRST_LINE - 2 - first)))
    fitting = _fitting if report.lines else _cut
    line = fitting(texts[0], room)
    shown = 1
    for text in texts[1:]:
        left = FIRST_LINE - len(line) - 2
        if left < min(len(text), least):
            break
        line = f"{line}; {fitting(text, left)}"
        shown += 1
    rest = faults - shown
    return f"{line} (+{rest} more)" if rest > 0 else line
