"""One check as a part of the whole: what follows from another's cause does not raise it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..verdict.finding import TOOLS, Fault, Finding, Line, Report, State, worst
from ..verdict.problems import OF_A_DAEMON


def together(own: Sequence[Finding], whole: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings of the whole, each of the check's own as the check has it."""
    mine = {_same(each): each for each in own}
    merged = [mine.get(_same(each), each) for each in whole]
    return tuple(dict.fromkeys((*merged, *own)))


def advised(own: Sequence[Finding], whole: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings of one check, each with the step of the whole, which knows what else is wrong."""
    steps = {(_same(each), each.text): each.next_step for each in whole}
    return tuple(
        each._replace(next_step=steps.get((_same(each), each.text), each.next_step)) for each in own
    )


def _same(each: Finding) -> tuple[object, ...]:
    """What stays of a finding whose words change: a fault of many volumes is its first one."""
    return each.key, each.subject, each.nodes


def folded(
    own: Report,
    faults: Sequence[Fault],
    kinds: frozenset[str],
    tellers: Mapping[Finding, str],
) -> Report:
    """The report with what another check tells taken out of its verdict.

    A cause of its own is as grave as the gravest that follows from it, in whatever check.

    :param faults: those of the whole, the check's own findings among them.
    :param kinds: the keys of the check: a cause of these that is not among its findings was not
        asked for, so nobody is sure to tell it.
    :param tellers: shared input findings that an earlier check tells, with its name.
    """
    mine = {*own.findings}
    causes = {each: fault for fault in faults for each in fault.follows}
    roots = {fault.cause: fault for fault in faults}
    of_many = {_same(fault.cause): fault for fault in faults}
    found: list[Finding] = []
    pairs: list[tuple[Finding, Finding]] = []
    for each in own.findings:
        if each in tellers and each.kind in OF_A_DAEMON:
            quiet = _quiet(each, f"told by {tellers[each]}")
            pairs.append((quiet, each))
            found.append(quiet)
        elif each in causes and (causes[each].cause in mine or causes[each].cause.key not in kinds):
            cause = causes[each].cause
            quiet = _quiet(each, f"follows from {cause.key} {cause.object}")
            pairs.append((quiet, cause))
            found.append(quiet)
        else:
            root = roots.get(each) or (None if each in causes else of_many.get(_same(each)))
            told = each if root is None else each._replace(state=root.state, text=root.text)
            found.append(told)
    concerned = tuple(
        fault for fault in faults if fault.cause in mine or any(f in mine for f in fault.follows)
    )
    changed = own._replace(findings=tuple(found), faults=concerned, folded=tuple(pairs))
    return _summed_up(changed)


def hushed(report: Report) -> Report:
    """The report with what another node tells taken out of its verdict.

    The faults of the report have to say who speaks.
    """
    fault_of = {_raised(fault): fault for fault in report.faults}
    fault_of |= {each: f for f in report.faults for each in (f.cause, *f.follows)}
    of_many = {_same(fault.cause): fault for fault in report.faults}
    found, quieted = [], {}
    for each in report.findings:
        fault = fault_of.get(each) or of_many.get(_same(each))
        if fault is not None and not fault.spoken and each.state is not State.OK:
            quieted[each] = _quiet(each, f"told by {fault.speaker}")
        found.append(quieted.get(each, each))
    changed = report._replace(
        findings=tuple(found),
        lines=tuple(_line(line, report, quieted) for line in report.lines),
        hushed=True,
    )
    return _summed_up(changed)


def in_parts(whole: Report, *, hush: bool) -> tuple[tuple[str, Report], ...]:
    """The report of each check of a whole, folded; first that of :data:`TOOLS`, which no check has.

    :param hush: whether what another node tells does not raise a part either.
    """
    own: dict[str, list[Finding]] = {TOOLS: [], **{line.check: [] for line in whole.lines}}
    for each in whole.findings:
        own[whole.check_of(Fault(each))].append(each)
    parts = [
        (TOOLS, Report(tuple(own[TOOLS]), faults=whole.faults), frozenset[str]()),
        *(
            (line.check, Report(tuple(own[line.check]), line.text, line.figures), line.keys)
            for line in whole.lines
        ),
    ]
    each_folded = ((check, folded(part, whole.faults, keys, {})) for check, part, keys in parts)
    return tuple((check, hushed(part) if hush else part) for check, part in each_folded)


def _raised(fault: Fault) -> Finding:
    """The cause as :func:`folded` words it."""
    return fault.cause._replace(state=fault.state, text=fault.text)


def _line(line: Line, report: Report, quieted: Mapping[Finding, Finding]) -> Line:
    """The verdict of a part without what another node tells."""
    own = [each for each in report.findings if each.key in line.keys]
    if line.unjudged or not any(each in quieted for each in own):
        return line
    return line._replace(
        state=worst(quieted.get(each, each).state for each in own),
        text="; ".join(quieted.get(each, each).text for each in own),
    )


def _quiet(each: Finding, why: str) -> Finding:
    return each._replace(state=State.OK, text=f"{why}: {each.text}")


def _summed_up(report: Report) -> Report:
    """What does not raise the verdict is what the first line tells when nothing else does."""
    texts = [each.text for each in report.findings]
    if not texts or any(each.state is not State.OK for each in report.findings):
        return report
    return report._replace(summary="; ".join(dict.fromkeys(texts)))
