"""Run one check over a view: the input findings of what it reads, then its rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from .check import Check
from .finding import Finding, Report, State
from .inputs import TOOL_MISSING
from .view import Asked, Input, View


def report(check: Check, view: View, asked: Asked) -> Report:
    """The whole report of *check*; problems with its inputs come first."""
    judged = check.rule(view, asked)
    problems = tuple(dict.fromkeys((*input_problems(check, view), *_filter(check, view, asked))))
    rest = tuple(each for each in judged.findings if each not in problems)
    return with_severities(replace(judged, findings=problems + rest), asked.severities)


def _filter(check: Check, view: View, asked: Asked) -> Iterator[Finding]:
    """A filter that matches nothing is never OK; DRBD's inputs judge theirs themselves."""
    if check.filters == "pacemaker" and view.cluster.value is not None:
        from .pacemaker import filter_problems

        yield from filter_problems(view.cluster.value, asked)


def input_problems(check: Check, view: View) -> Iterator[Finding]:
    """Problems of the inputs, Pacemaker's and Corosync's first.

    An input that only adds to the answer is not missed where its tool is not installed; a second
    reading is read only where there is one, or it was asked for.
    """
    for source in Input:
        answer = view.answer(source)
        if source in check.needs:
            yield from answer.problems
        elif source in check.uses:
            asked_for = source is Input.DRBD_AGAIN
            yield from (p for p in answer.problems if asked_for or p.kind is not TOOL_MISSING)


def with_severities(judged: Report, severities: Mapping[str, State]) -> Report:
    """The report with the user's own severities: they override rule and default alike."""
    if not severities:
        return judged
    return replace(
        judged,
        findings=tuple(
            replace(each, state=severities.get(each.key, each.state)) for each in judged.findings
        ),
    )


def worst_first(judged: Report) -> tuple[Finding, ...]:
    """The findings by gravity, otherwise in the order in which the rule gave them."""
    return tuple(sorted(judged.findings, key=lambda each: -each.state.rank))
