"""Several nodes' evidence as one: the same fault seen from several nodes is one fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Union

from ..verdict.finding import Fault, Finding
from ..verdict.subject import CONNECTION, Subject
from ..verdict.view import Judgement, contains_node

_Same = tuple[str, Union[Subject, str], tuple[str, ...]]


def _same(each: Finding, asked: tuple[str, ...]) -> _Same:
    """What tells one fault from another: not the words, which name the node that sees it.

    A connection whose two ends were *asked* is one; one to a node that was not is that node's.
    """
    if each.subject.sort == CONNECTION and contains_node(asked, each.subject.ends[1]):
        return each.key, each.subject.same, ()
    return each.key, each.object, each.nodes


def joined_faults(seen: Sequence[Judgement]) -> tuple[Fault, ...]:
    """Causes with their consequences, the same one seen from several nodes once; gravest first."""
    merged: dict[tuple[_Same, int], Fault] = {}
    asked = tuple(one.view.here for one in seen)
    for one in seen:
        count: Counter[_Same] = Counter()
        for fault in _told_once(one.report.faults):
            cause = fault.cause
            same = _same(cause, asked)
            key = (same, count[same])
            count[same] += 1
            old = merged.get(key, Fault(cause))
            both = {(f.key, f.object, f.text): f for f in (*old.follows, *fault.follows)}
            merged[key] = Fault(
                old.cause,
                tuple(sorted(both.values(), key=lambda each: -each.state.rank)),
                (*old.seen_from, one.view.here),
                old.alike and old.cause.text == cause.text,
            )
    # What follows from a fault that only other nodes see is no fault of its own.
    explained = {_same(each, asked) for fault in merged.values() for each in fault.follows}
    roots = [fault for (key, _), fault in merged.items() if fault.follows or key not in explained]
    return tuple(sorted(roots, key=lambda fault: -fault.state.rank))


def _told_once(faults: Sequence[Fault]) -> list[Fault]:
    """Two tools may say the same: Corosync does not run."""
    kept: list[Fault] = []
    told = set()
    for fault in faults:
        if fault.follows or (fault.cause.key, fault.cause.text) not in told:
            kept.append(fault)
        told.add((fault.cause.key, fault.cause.text))
    return kept
