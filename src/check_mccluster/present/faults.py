"""What is wrong at a terminal: the gravest faults with their steps, then every finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Union

from ..verdict.finding import Fault, Finding, State
from ..verdict.subject import CLUSTER
from ..verdict.words import join
from .layout import Line, Span, mark, paragraph, raw, span

HEAD_LINES = 12
"""Of 24 lines, what the causes with their next steps may take at the top."""
FULL_FINDINGS = 5
"""Above so many findings of one kind the rest is only counted."""


def _from(fault: Fault, views: int) -> str:
    """Who sees it, where not everybody does."""
    seen = fault.seen_from
    if not seen or len(seen) == views or fault.cause.text.startswith(f"{join(seen, 8)}: "):
        return ""
    return f" [seen from {join(seen)}]"


def fault_lines(fault: Fault, width: int, views: int) -> list[Line]:
    """A fault, its gravest consequence if that is graver, and what to do.

    :param views: how many nodes were asked; a fault that fewer see says which.
    """
    first = [mark(fault.state), Span(" "), _padded(fault.state), Span(" ")]
    told = paragraph(first, fault.cause.text + _from(fault, views), width, "strong")
    if fault.graver is not None:
        told += paragraph([Span(" " * 11), Span("hence: ")], fault.graver.text, width)
    return told + paragraph([Span(" " * 11), Span("-> ")], fault.cause.next_step, width)


def head(faults: Sequence[Fault], width: int, views: int) -> tuple[list[Line], bool, int]:
    """The gravest causes with their next steps, whether that is all, and how many they are."""
    bad = [fault for fault in faults if fault.state is not State.OK]
    lines: list[Line] = []
    for number, fault in enumerate(bad):
        told = fault_lines(fault, width, views)
        if lines and len(lines) + len(told) > HEAD_LINES:
            rest = len(bad) - number
            text = f"and {rest} more {'fault' if rest == 1 else 'faults'}: see Findings below"
            return [*lines, (Span("  "), span(text, "strong"))], False, number
        lines += told
    complete = not any(set(fault.follows) - {fault.graver} for fault in bad)
    return lines, complete and len(bad) == len(faults), len(bad)


def _padded(state: State) -> Span:
    return raw(f"{state.name:8}", state.name)


def findings(faults: Sequence[Fault], width: int, views: int, told: int) -> list[Line]:
    """Every cause with its next step that the top does not tell, and what follows from each.

    :param told: how many faults stand at the top.
    """
    lines: list[Line] = []
    top = [fault for fault in faults if fault.state is not State.OK][:told]
    for fault in top:
        # The top tells the gravest consequence, too, where that is graver than its cause.
        graver = fault.graver
        follows = [each for each in fault.follows if each != graver]
        if follows:
            lines += paragraph([Span("  ")], f"From {_name(fault.cause)}:", width)
            lines += _follows(follows, width)
    for each in _few([fault for fault in faults if fault not in top]):
        if isinstance(each, str):
            lines += paragraph([Span(" " * 11)], each, width, "dim")
            continue
        lines += _finding(each.cause, width, 2, _from(each, views))
        lines += paragraph([Span(" " * 11), Span("-> ")], each.cause.next_step, width)
        lines += _follows(each.follows, width)
    return lines


def _name(cause: Finding) -> str:
    """A fault in short; one of the whole cluster by its first words, as it has no name."""
    if cause.subject.sort == CLUSTER:
        return f"'{cause.text.partition(':')[0]}'"
    return f"the fault of {cause.object}"


def _follows(follows: Sequence[Finding], width: int) -> list[Line]:
    """Consequences, gravest first; their step is that of the cause."""
    lines: list[Line] = []
    for each in _few([Fault(one) for one in sorted(follows, key=lambda one: -one.state.rank)]):
        if isinstance(each, str):
            lines += paragraph([Span(" " * 15)], each, width, "dim")
        else:
            lines += _finding(each.cause, width, 6, "")
    return lines


def _few(faults: Sequence[Fault]) -> Iterator[Union[Fault, str]]:
    """Of many findings of one kind and state the first, then how many more there are."""
    count: dict[tuple[str, State], int] = {}
    for fault in faults:
        kind = (fault.cause.key, fault.state)
        count[kind] = count.get(kind, 0) + 1
        if count[kind] <= FULL_FINDINGS:
            yield fault
    for number in count.values():
        if number > FULL_FINDINGS:
            yield f"and {number - FULL_FINDINGS} more like them: check_mccluster overview -v"


def _finding(each: Finding, width: int, indent: int, seen_from: str) -> list[Line]:
    first = [Span(" " * indent), _padded(each.state), Span(" ")]
    return paragraph(first, f"{each.text}{seen_from}", width)
