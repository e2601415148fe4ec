"""The only importer of nagiosplugin: its Resource, Context, Summary and Results at work.

``Check.main`` is not used: its Runtime is one per process, prints to a stdout bound at import
(1.3.2), and moves the performance data off the first line with ``-v``. A check is called, and
what it then holds is printed here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Optional

import nagiosplugin

from ..verdict.finding import Figure, Finding, Report, State
from ..verdict.problems import KINDS as INPUT_KINDS
from ..verdict.view import Judgement
from .text import clean, first_line, shorten

_STATES = {
    State.OK: nagiosplugin.Ok,
    State.WARNING: nagiosplugin.Warn,
    State.CRITICAL: nagiosplugin.Critical,
    State.UNKNOWN: nagiosplugin.Unknown,
}
_RANK = {_STATES[state]: state.rank for state in State}

Runs = Sequence[tuple[str, str, Optional[float]]]
"""What was run or read: command, outcome, seconds."""


class Observation(nagiosplugin.Resource):
    """Acquisition: one look at the cluster; its findings and figures become metrics."""

    def __init__(self, look: Callable[[], Judgement]) -> None:
        self._look = look
        self.report = Report()
        self.runs: Runs = ()

    def probe(self) -> Iterator[nagiosplugin.Metric]:
        """Look once; yield the summary, the findings, the figures."""
        judgement = self._look()
        report = self.report = judgement.report
        self.runs = judgement.runs
        yield nagiosplugin.Metric("summary", report.summary, context="summary")
        for each in report.worst_first:
            yield nagiosplugin.Metric(each.key, each, context="finding")
        for figure in report.figures:
            yield nagiosplugin.Metric(figure.label, figure, context="figure")


class SummaryContext(nagiosplugin.Context):
    """The cluster was looked at: OK, unless a finding says otherwise."""

    def evaluate(self, metric: Any, resource: Any) -> Any:
        """Always OK."""
        return self.result_cls(nagiosplugin.Ok, None, metric)


class FindingContext(nagiosplugin.Context):
    """Judgement: a finding brings its state from the rule, or from ``--severity``."""

    def evaluate(self, metric: Any, resource: Any) -> Any:
        """The finding's own state and text."""
        each: Finding = metric.value
        return self.result_cls(_STATES[each.state], clean(each.text), metric)


class FigureContext(nagiosplugin.Context):
    """Performance data. The limits decide the severity of findings; here they are only shown."""

    def __init__(self, name: str, warning: object, critical: object) -> None:
        super().__init__(name)
        self._warning = warning
        self._critical = critical

    def evaluate(self, metric: Any, resource: Any) -> Any:
        """Always OK: the findings carry the severity."""
        return self.result_cls(nagiosplugin.Ok, None, metric)

    def performance(self, metric: Any, resource: Any) -> Optional[Any]:
        """The figure; one without a value is left out, ``U`` is not understood by all."""
        figure: Figure = metric.value
        if figure.value is None or math.isnan(figure.value):
            return None
        warning, critical = self._limits(figure)
        return nagiosplugin.Performance(
            label(figure.label),
            figure.value,
            figure.unit,
            warning,
            critical,
            figure.minimum,
            figure.maximum,
        )

    def _limits(self, figure: Figure) -> tuple[object, object]:
        """The ranges that were asked for; without any, those of the check itself."""
        if figure.limited and (self._warning is not None or self._critical is not None):
            return self._warning, self._critical
        return figure.warning or None, figure.critical or None


class FirstLine(nagiosplugin.Summary):
    """Presentation: worst finding first; the long output by verbosity."""

    def __init__(self, observation: Observation, verbosity: int) -> None:
        self._observation = observation
        self._verbosity = verbosity

    def ok(self, results: Any) -> str:
        """The same line: findings that were allowed are told, too."""
        return self.problem(results)

    def problem(self, results: Any) -> str:
        """The worst findings that fit on one line."""
        return first_line(self._observation.report)

    def verbose(self, results: Any) -> list[str]:
        """The long output, by verbosity."""
        seen = self._observation
        return long_output(seen.report, seen.runs, self._verbosity)


class WorstFirst(nagiosplugin.Results):
    """A known CRITICAL is never hidden by an UNKNOWN, as nagiosplugin's own order would."""

    @property
    def most_significant_state(self) -> Any:
        """CRITICAL, UNKNOWN, WARNING, OK."""
        return max(self.by_state, key=_RANK.__getitem__)


def label(text: str) -> str:
    """A perfdata label: quotes and equals signs are not allowed in one."""
    return clean(text).replace("'", "_").replace("=", "_")


def long_output(report: Report, runs: Runs, verbosity: int) -> list[str]:
    """The lines after the first.

    Without ``-v``: what the first line could not hold. ``-v``: every finding with its key and next
    step. ``-vv``: every object looked at. ``-vvv``: every command.
    """
    findings, causes = report.worst_first, report.causes
    # NRPE may cut the output: what is not OK comes first, and with it what to do about it.
    ordered = sorted(report.lines, key=lambda line: -line.state.rank)
    told = [
        (line.state, f"[{line.state.name}] {line.check}: {clean(line.text)}") for line in ordered
    ]
    if verbosity == 0:
        return [text for _, text in told] if told else _overflow(findings)
    lines = [text for state, text in told if state is not State.OK]
    known = {fault.cause: fault.facts for fault in report.faults}
    for each in findings:
        cause = causes.get(each)
        why = f" (follows from: {clean(f'{cause.key} {cause.object}')})" if cause else ""
        step = clean(each.next_step)
        facts = f" ({clean('; '.join(known[each]))})" if known.get(each) else ""
        lines.append(f"[{each.state.name}] {each.key}: {clean(each.text)}{why} -> {step}{facts}")
    lines += [f"[OK] {clean(each)}" for each in report.running if findings and not report.lines]
    lines += [text for state, text in told if state is State.OK]
    if verbosity >= 2:
        lines += [f"looked at {clean(each)}" for each in report.looked_at]
    if verbosity >= 3:
        lines += [
            f"ran {clean(command)}: {clean(outcome)}"
            + (f" in {seconds:.3f} s" if seconds is not None else "")
            for command, outcome, seconds in runs
        ]
    return lines


def _overflow(findings: Sequence[Finding]) -> list[str]:
    """Findings that the first line could not hold in full; bad input is always one line."""
    texts = [clean(each.text) for each in findings]
    cut = any(text != shorten(text) for text in texts)
    if all(each.kind in INPUT_KINDS for each in findings) or not (cut or len(texts) > 1):
        return []
    return [f"[{each.state.name}] {text}" for each, text in zip(findings, texts)]


def show(
    name: str,
    look: Callable[[], Judgement],
    *,
    verbosity: int = 0,
    warning: object = None,
    critical: object = None,
) -> tuple[str, int]:
    """Look, judge and word it.

    :param look: makes the judgement; called once, by nagiosplugin.
    :returns: the whole standard output, and the exit code 0 to 3.
    """
    observation = Observation(look)
    check = nagiosplugin.Check(
        observation,
        SummaryContext("summary"),
        FindingContext("finding"),
        FigureContext("figure", warning, critical),
        FirstLine(observation, verbosity),
        WorstFirst(),
    )
    check.name = name
    check()
    line = f"{name.upper()} {str(check.state).upper()} - {check.summary_str}"
    if check.perfdata:
        line += " | " + " ".join(check.perfdata)
    return "\n".join([line, *check.verbose_str]) + "\n", int(check.exitcode)
