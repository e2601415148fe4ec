"""Is everything on this node in order?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..inputs.cibadmin import CIB
from ..inputs.corosync_cfgtool import LINKS
from ..inputs.corosync_cmapctl import CMAP
from ..inputs.corosync_quorumtool import VOTES
from ..inputs.crm_mon import CLUSTER
from ..inputs.drbdsetup import DRBD, DRBD_AGAIN, SHOW, no_match
from ..inputs.every import every
from ..judge.beside import beside, in_order
from ..judge.engine import input_problems
from ..judge.engine import report as report_of
from ..judge.facts.happened import happened, since
from ..judge.facts.pacemaker import NONE, known_ids
from ..judge.faults import faults
from ..verdict import subject
from ..verdict.check import SIMULATE, Check, Option
from ..verdict.filter import Filter
from ..verdict.finding import Figure, Finding, Line, Lines, Report, State, finding
from ..verdict.problems import DRBD_RESOURCE_MISSING, TOOL_MISSING
from ..verdict.view import Answer, Asked, View, same_node
from .registry import single_checks

_OF_PACEMAKER = frozenset({CLUSTER, CIB, VOTES, LINKS, CMAP})
_OF_DRBD = frozenset({DRBD, DRBD_AGAIN, SHOW})


def fitting(view: View) -> tuple[Check, ...]:
    """The checks that fit this node: by the tools that are installed or ought to be.

    On a remote node no Corosync runs: what only its tools can tell is not asked there.
    """
    # cibadmin comes with crm_mon: where only one of the two is there, something is wrong.
    no_pacemaker = _not_installed(view[CLUSTER]) and _not_installed(view[CIB])
    no_drbd = _not_installed(view[DRBD])
    chosen = single_checks()
    if _remote(view) and _not_installed(view[LINKS]):
        chosen = tuple(check for check in chosen if not {LINKS, CMAP} & {*check.needs})
    if no_pacemaker and not no_drbd:
        return tuple(check for check in chosen if not _OF_PACEMAKER & {*check.needs})
    if no_drbd and not no_pacemaker:
        return tuple(check for check in chosen if not _OF_DRBD & {*check.needs})
    return chosen


def _remote(view: View) -> bool:
    """Whether crm_mon lists this node as a remote node (or the guest of one)."""
    cluster = view[CLUSTER].value
    nodes = cluster.nodes if cluster is not None else ()
    return any(each.is_remote and same_node(each.name, view.here) for each in nodes)


def _not_installed(answer: Answer[Any]) -> bool:
    """Whether the tool is missing and nothing says that it should be there."""
    kinds = [problem.kind for problem in answer.problems]
    return TOOL_MISSING in kinds and DRBD_RESOURCE_MISSING not in kinds


def _split(view: View, asked: Filter) -> tuple[Filter, Filter, bool, bool]:
    """The filter for Pacemaker's and for DRBD's checks, and whether each side is asked at all."""
    if not asked.is_set:
        return asked, asked, True, True
    cluster = view[CLUSTER].value
    ids = known_ids(cluster) if cluster is not None else frozenset()
    known = asked.matching(ids).patterns
    of_drbd = asked.matching(resource.name for resource in view[DRBD].value or ()).patterns
    drbd_unknown = view[DRBD].value is None and not _not_installed(view[DRBD])
    if drbd_unknown or _not_installed(view[CLUSTER]):
        # Nobody can tell that what is unknown is none of DRBD's.
        of_drbd = tuple(p for p in asked.patterns if p not in known)
    of_pacemaker = tuple(p for p in asked.patterns if p not in of_drbd or p in known)
    return Filter(of_pacemaker), Filter(of_drbd), bool(of_pacemaker), bool(of_drbd)


def _reports(view: View, asked: Asked) -> Iterator[tuple[Check, Report]]:
    """The report of every check that fits this node and is not skipped."""
    skip = {*asked.values.get("skip", ()), *view.config.overview_skip}
    asked = asked._replace(values={})
    everything = asked._replace(filter=Filter())
    pacemaker, drbd, has_pacemaker, has_drbd = _split(view, asked.filter)
    narrowed = _narrowed(view, drbd)
    for check in fitting(view):
        if check.name in skip:
            continue
        if check.filters == "drbd":
            if has_drbd:
                yield check, report_of(check, narrowed, everything)
        elif check.filters == "both":
            known = asked._replace(filter=Filter((*pacemaker.patterns, *drbd.patterns)))
            judged = check.rule(view, known)
            # Asked for resources that do not stand on DRBD: nothing to compare.
            if not asked.filter.is_set or all(f.key != "mapping-none" for f in judged.findings):
                yield check, report_of(check, view, known)
        elif check.filters == "pacemaker":
            if has_pacemaker:
                yield check, report_of(check, view, asked._replace(filter=pacemaker))
        else:
            yield check, report_of(check, view, everything)


def first_readers(view: View, whole: Report) -> dict[str, str]:
    """Keys of input findings, each with the first check of the *whole* that has it."""
    found: dict[str, str] = {}
    by_name = {check.name: check for check in fitting(view)}
    for line in whole.lines:
        for problem in input_problems(by_name[line.check], view):
            found.setdefault(problem.key, line.check)
    return found


def _narrowed(view: View, drbd: Filter) -> View:
    """The view with DRBD's resources filtered, as the checks of DRBD filter them for themselves."""
    resources = view[DRBD].value
    if resources is None or not drbd.is_set:
        return view
    wanted = tuple(resource for resource in resources if drbd.wants(resource.name))
    missing = () if wanted else (no_match(drbd),)
    others = tuple(resource for resource in resources if resource not in wanted)
    answer = Answer(wanted or None, (*view[DRBD].problems, *missing))
    return view.with_drbd(DRBD, answer, others)


def judge(view: View, asked: Asked) -> Report:
    """Every check that fits this node; each fault once, at its cause."""
    judged_alone = list(_reports(view, asked))
    whole = beside(view, [judged for _, judged in judged_alone])
    parts = [(check, judged) for (check, _), judged in zip(judged_alone, whole)]
    later = in_order(view, [each for _, judged in parts for each in judged.findings])
    if later:
        parts = [
            (check, judged._replace(findings=tuple(later.get(e, e) for e in judged.findings)))
            for check, judged in parts
        ]
    everything = tuple(dict.fromkeys(each for _, judged in parts for each in judged.findings))
    if not parts:
        text = "every check that fits this node is skipped"
        return Report((finding(NONE, subject.cluster("overview"), text),))
    roots = tuple(
        fault._replace(facts=since(view, fault.cause)) for fault in faults(view, everything)
    )
    folded = Report(everything, faults=roots)
    lines = _lines(view, parts, folded)
    states = [line.state for line in lines]
    return Report(
        everything,
        f"{len(lines)} checks, all OK: {_essence(parts)}",
        tuple(
            Figure(
                f"checks_{state.name.lower()}",
                states.count(state),
                minimum=0,
                warning="0" if state is State.WARNING else "",
                critical="0" if state is State.CRITICAL else "",
            )
            for state in State
        ),
        Lines(
            lambda: (
                *dict.fromkeys(each for _, judged in parts for each in judged.looked_at),
                *happened(view),
            )
        ),
        roots,
        tuple(lines),
        running=tuple(each for _, judged in parts for each in judged.running),
    )


def _lines(view: View, reports: Sequence[tuple[Check, Report]], folded: Report) -> list[Line]:
    """One line a check; a finding that an earlier check told is not told again."""
    causes = folded.causes
    reported: set[Finding] = set()
    lines = []
    for check, judged in reports:
        fresh = [each for each in judged.worst_first if each not in reported]
        reported.update(judged.findings)
        texts = [
            f"{each.text} (follows from: {causes[each].key} {causes[each].object})"
            if each in causes
            else each.text
            for each in fresh
        ]
        texts += judged.running if judged.findings else ()
        text = "; ".join(texts) or ("as above" if judged.findings else judged.summary)
        lines.append(
            Line(
                check.name,
                judged.state,
                text,
                frozenset(kind.key for kind in check.kinds),
                judged.figures,
                any(True for _ in input_problems(check, view)),
            )
        )
    return lines


def _essence(reports: Sequence[tuple[Check, Report]]) -> str:
    """What is most worth knowing when all is well."""
    summaries = {check.name: judged.summary for check, judged in reports}
    said = "; ".join(each for _, judged in reports for each in judged.running)
    for name in ("placement", "nodes", "drbd-quorum", "drbd-role"):
        longer = "; ".join(text for text in (said, summaries.get(name)) if text)
        said = longer if len(longer) <= _ESSENCE else said
    return said


_ESSENCE = 100
"""So many characters of it fit the first line."""


CHECK = Check(
    name="overview",
    question="Is everything on this node in order?",
    needs=(),
    hints=every(),
    rule=judge,
    kinds=(),
    figures=tuple(
        (f"checks_{state.name.lower()}", f"checks that are {state.name}") for state in State
    ),
    options=(
        Option(
            "--skip",
            "A check to leave out (repeatable).",
            "check",
            multiple=True,
            metavar="CHECK",
        ),
        SIMULATE,
    ),
    filters="both",
    example="check_mccluster overview --skip links",
)
