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


_LESS = (", not ", ", no ", ", nor ", ", both ", ", which ", "; ")
"""What begins a part of a text that may be left out: the object and what is wrong stand before."""


def _forms(text: str) -> Iterator[str]:
    """The text, then without brackets, then each time with one part less at its end."""
    yield text
    text = _without_brackets(text)
    while True:
        yield text
        plain = text.partition(" (")[0]
        end = max(map(plain.rfind, _LESS))
        # "; app02 too" is about another object.
        if end < 0 or not _is_long(text[:end]) or text.endswith(" too"):
            break
        text = text[:end]
    head = text.partition(" (")[0].rpartition(": ")[0]
    if " is " in head:  # all is said before the colon
        yield head


def _is_long(text: str) -> bool:
    """Whether so much of a text says what it is about, and what is the matter with it."""
    return len(text) >= _LEAST and not text.endswith(":")


def _without_brackets(text: str) -> str:
    """The text without what stands in brackets, unless that is all that it says."""
    pieces, depth = [], 0
    for each in text:
        depth += each == "("
        if not depth:
            pieces.append(each)
        depth -= each == ")" and depth > 0
    bare = "".join(pieces).replace("  ", " ").replace(" ,", ",").replace(" ;", ";")
    bare = bare.replace(" :", ":").strip()
    return bare if _is_long(bare) else text


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
    # Faults are different things: one as grave as the first is named, however long the first is.
    least = _ROOM if report.lines else FIRST_LINE
    beside = len(texts) > 1 and report.lines and bad[1].state is bad[0].state
    room = FIRST_LINE
    if beside:
        # The second has the room that it needs, if the first can be told in what is left.
        first, second = map(_shortest, texts[:2])
        room -= 2 + min(len(texts[1]), max(least, min(second, FIRST_LINE - 2 - first)))
    line = _fitting(texts[0], room)
    shown = 1
    for text in texts[1:]:
        left = FIRST_LINE - len(line) - 2
        if left < min(len(text), least):
            break
        line = f"{line}; {_fitting(text, left)}"
        shown += 1
    rest = len(texts) - shown
    return f"{line} (+{rest} more)" if rest else line
