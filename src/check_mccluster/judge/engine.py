"""Run one check over a view: the input findings of what it reads, then its rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from ..verdict import subject
from ..verdict.check import Check
from ..verdict.finding import Finding, Report, State, finding
from ..verdict.problems import TOOL_MISSING
from ..verdict.view import Asked, Judgement, View, name_of


def report(check: Check, view: View, asked: Asked) -> Report:
    """The whole report of *check*; problems with its inputs come first."""
    strange: tuple[Finding, ...] = ()
    if check.settings and view.config.has_names:
        from .settings import trusted

        strange, view = trusted(view, check.settings)
    judged = check.rule(view, asked)
    unmatched = _filter(check, view, asked, bool(judged.findings))
    problems = tuple(dict.fromkeys((*input_problems(check, view), *strange, *unmatched)))
    rest = tuple(each for each in judged.findings if each not in problems)
    whole = with_severities(judged._replace(findings=problems + rest), asked.severities)
    return whole if whole.lines else with_memory(whole, asked, view.time)


def _filter(check: Check, view: View, asked: Asked, by_input: bool) -> Iterator[Finding]:
    """A filter that matches nothing is never OK, whatever the rule made of it.

    Where DRBD's resources could be read, their input has told it already.
    """
    if not asked.filter.is_set:
        return
    if check.filters == "pacemaker":
        from ..inputs.crm_mon import CLUSTER
        from .facts.pacemaker import filter_problems

        cluster = view[CLUSTER].value
        if cluster is not None:
            yield from filter_problems(cluster, asked.filter)
    elif check.filters == "both" and not by_input:
        yield from _in_neither(view, asked)


def _in_neither(view: View, asked: Asked) -> Iterator[Finding]:
    """Names that neither Pacemaker nor DRBD knows, where both could be asked."""
    from ..inputs.crm_mon import CLUSTER
    from ..inputs.drbdsetup import DRBD
    from .facts.pacemaker import MISSING, NONE, known_ids

    cluster, drbd = view[CLUSTER].value, view[DRBD].value
    if cluster is None or drbd is None:
        return
    known = (*known_ids(cluster), *(each.name for each in (*drbd, *view.drbd_others)))
    missing = [name for name in asked.filter.literals if name not in known]
    for name in missing:
        text = f"{name} is neither a resource of the cluster nor one of DRBD"
        yield finding(MISSING, subject.resource(name), text)
    if not missing and not any(asked.filter.wants(name) for name in known):
        text = f"no resource matches {asked.filter.words}"
        yield finding(NONE, subject.cluster("resources"), text)


def input_problems(check: Check, view: View) -> Iterator[Finding]:
    """Problems of the inputs, Pacemaker's and Corosync's first.

    An input that only adds to the answer is not missed where its tool is not installed; a second
    reading is read only where there is one, or it was asked for.
    """
    for key in sorted({*check.needs, *check.uses}, key=lambda each: each.rank):
        problems = view[key].problems
        if key in check.needs:
            yield from problems
        else:
            again = key.name.endswith("(second reading)")
            yield from (p for p in problems if again or p.kind != TOOL_MISSING)
    read = {*check.needs, *check.uses, *check.hints}
    if len(read) > 1:
        from .belongs import contradictions

        yield from contradictions(view, read)


def with_faults(judgement: Judgement) -> Judgement:
    """The same with its findings folded into faults, where the check does not fold by itself."""
    report = judgement.report
    if report.faults or not report.findings:
        return judgement
    from .faults import faults

    folded = faults(judgement.view, report.findings)
    return judgement._replace(report=report._replace(faults=folded))


def with_memory(judged: Report, asked: Asked, now: datetime) -> Report:
    """The report with what is remembered: since when, and what is graver because it lasts.

    :param now: when the evidence was true.
    """
    since = asked.since
    if not since:
        return judged

    def remembered(each: Finding) -> Finding:
        first = since.get(name_of(each))
        if first is None or first >= now:
            return each
        today = "" if first.date() == now.date() else f"{first:%Y-%m-%d} "
        each = each._replace(text=f"{each.text}, since {today}{first:%H:%M} UTC")
        graver = asked.lasting.get(each.key)
        if graver is not None and (now - first).total_seconds() >= graver.seconds:
            each = each._replace(state=graver.state)
        return each

    return _changed(judged, remembered)


def with_severities(judged: Report, severities: Mapping[str, State]) -> Report:
    """The report with the user's own severities: they override rule and default alike."""
    if not severities:
        return judged

    def overridden(each: Finding) -> Finding:
        return each._replace(state=severities.get(each.key, each.state))

    return _changed(judged, overridden)


def _changed(judged: Report, change: Callable[[Finding], Finding]) -> Report:
    """The report with every finding changed alike, in its faults, too."""
    return judged._replace(
        findings=tuple(map(change, judged.findings)),
        faults=tuple(
            f._replace(cause=change(f.cause), follows=tuple(map(change, f.follows)))
            for f in judged.faults
        ),
    )
