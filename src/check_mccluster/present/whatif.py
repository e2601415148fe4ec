"""What if: the table for a terminal, and the JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Optional

from ..judge.facts.loss import VolumeLeft
from ..judge.whatif import Consequence, Fate, WhatIf
from ..verdict.finding import State
from ..verdict.words import join
from .layout import BLANK, Line, Span, paragraph, raw, span, table

_NOBODY: Mapping[str, str] = MappingProxyType({})
_HEAD = ("LOST", "THEN", "VOTES", "COPIES")


def screen(what: WhatIf, width: int, unasked: Mapping[str, str] = _NOBODY) -> list[Line]:
    """One table, gravest first, then what is to be said about each loss that ends something.

    :param unasked: nodes that could not be asked, with the reason.
    """
    found = what.losses
    together = len(found) == 1 and len(found[0].lost) > 1
    subject = f"{join(found[0].lost)} were lost together" if together else "a node were lost"
    at = what.view.time.strftime("%Y-%m-%d %H:%M:%SZ")
    here = what.view.here
    lines: list[Line] = [(span(f"What if {subject} (seen from {here}, {at})", "title"),)]
    if len(what.asked) > 1:
        text = (
            f"{len(what.asked)} nodes asked, each about its own DRBD; Pacemaker as {here} sees it"
        )
        lines += paragraph((), text, width, "dim")
    lines.append(BLANK)
    rows: list[Sequence[Span]] = [tuple(span(word, "dim") for word in _HEAD)]
    rows += [_row(one) for one in found]
    lines += table(rows, width)
    for one in found:
        lines += _details(one, width)
    lines += _notes(found, unasked, width)
    return lines


def state(one: Consequence) -> State:
    """How grave it would be: a service ends, one moves, or nothing happens."""
    if one.ends:
        return State.CRITICAL
    return State.WARNING if one.quorate is False else State.OK


def _row(one: Consequence) -> Sequence[Span]:
    left, _, expected = one.votes
    votes = "" if left is None else f"{left} of {expected}" if expected is not None else str(left)
    if one.quorate is False:
        votes += ", no quorum"
    return (
        span(join(one.lost, 2), "strong"),
        span(_then(one), state(one).name),
        span(votes, "WARNING" if one.quorate is False else ""),
        _copies(one.worst_volume),
    )


def _then(one: Consequence) -> str:
    words = []
    if one.ends:
        words.append(f"{join([fate.service for fate in one.ends], 2)} would end")
    if len(one.moves) == 1:
        words.append(_move(one.moves[0]))
    elif one.moves:
        words.append(f"{len(one.moves)} services would move")
    return "; ".join(words) or "no service ends or moves"


def _move(fate: Fate) -> str:
    return f"{fate.service} would move to {fate.after[0]}"


def _copies(volume: Optional[VolumeLeft]) -> Span:
    if volume is None:
        return span("")
    text = f"{volume.name} {len(volume.up_to_date)} of {len(volume.replicas)}"
    if volume.quorum is False:
        return span(f"{text}, no quorum", "WARNING")
    return span(text)


def _details(one: Consequence, width: int) -> Iterator[Line]:
    if not one.ends and len(one.moves) < 2:
        return
    yield BLANK
    yield (span(f"Without {join(one.lost, 4)}", "strong"),)
    told: dict[tuple[str, str], list[str]] = {}
    for fate in one.ends:
        told.setdefault((fate.why, fate.step), []).append(fate.service)
    for (why, step), names in told.items():
        text = f"{join(names, 6)} would end: {why}"
        yield from paragraph((raw("  "),), text, width, "CRITICAL")
        if step:
            yield from paragraph((raw("  -> "),), step, width)
    moved: dict[str, list[str]] = {}
    for fate in one.moves:
        moved.setdefault(fate.after[0], []).append(fate.service)
    for node, names in moved.items():
        yield from paragraph((raw("  "),), f"to {node}: {join(names, 8)}", width)


def _notes(found: Sequence[Consequence], silent: Mapping[str, str], width: int) -> Iterator[Line]:
    unasked: dict[str, list[str]] = {}
    for one in found:
        if one.unasked:
            unasked.setdefault(one.unasked, []).append(join(one.lost, 2))
    for why, names in unasked.items():
        yield BLANK
        text = f"{join(names, 6)}: judged without Pacemaker's scheduler ({why})"
        yield from paragraph((), text, width, "dim")
    for name, why in sorted(silent.items()):
        yield BLANK
        yield from paragraph((), f"{name} could not be asked: {why}", width, "WARNING")


def as_json(what: WhatIf, unasked: Mapping[str, str] = _NOBODY) -> str:
    """The same as a document; its keys are part of the contract."""
    document = {
        "node": what.view.node,
        "time": what.view.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "asked": list(what.asked),
        "unasked": dict(sorted(unasked.items())),
        "losses": [_loss(one) for one in what.losses],
    }
    return json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _loss(one: Consequence) -> dict[str, Any]:
    left, needed, expected = one.votes
    return {
        "lost": list(one.lost),
        "ends": [fate.service for fate in one.ends],
        "services": [
            {
                "service": fate.service,
                "from": list(fate.before),
                "to": list(fate.after),
                "why": fate.why or None,
                "next_step": fate.step or None,
                "judged_by": "scheduler" if fate.scheduled else "rules",
            }
            for fate in one.fates
        ],
        "votes": {"left": left, "needed": needed, "expected": expected, "quorate": one.quorate},
        "volumes": [
            {
                "volume": each.name,
                "up_to_date": list(each.up_to_date),
                "unseen": list(each.hidden),
                "replicas": list(each.replicas),
                "quorum": each.quorum,
            }
            for each in one.volumes
        ],
        "not_asked": one.unasked or None,
    }
