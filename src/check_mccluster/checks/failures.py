"""What failed, and what did it leave behind?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Optional

from ..inputs.crm_mon import CLUSTER
from ..judge.candidates import is_barred
from ..judge.facts.pacemaker import MISSING, age, names_of
from ..judge.facts.pacemaker import NONE as RESOURCES_NONE
from ..model.pacemaker import (
    INFINITY,
    Bundle,
    Cluster,
    Failure,
    ResourceHistory,
    base_id,
    primitives,
)
from ..verdict import subject
from ..verdict.check import Check, Option
from ..verdict.finding import Figure, Finding, Kind, Report, State, finding
from ..verdict.view import Asked, View, grouped
from ..verdict.words import counted, duration, join, pasted

BARRED = Kind(
    "node-barred",
    State.WARNING,
    "The fail-count has reached migration-threshold: the resource will not run on that node"
    " again until somebody cleans up. The cluster looks healthy, but has one node fewer to fail"
    " over to.",
    "on {node}: journalctl -u pacemaker --grep {resource} tells why; fix that, then: crm_resource"
    " --cleanup -r {resource} -N {node}",
)
FAIL_COUNT = Kind(
    "fail-count",
    State.WARNING,
    "A resource failed on a node, less often than migration-threshold allows.",
    "on {node}: journalctl -u pacemaker --grep {resource} tells why; then: crm_resource --cleanup"
    " -r {resource} -N {node}",
)
FAILED_ACTION = Kind(
    "failed-action",
    State.WARNING,
    "A failed operation is on record, whether or not it was recovered from.",
    "on {node}: journalctl -u pacemaker --grep {resource} tells why; then: crm_resource --cleanup"
    " -r {resource} -N {node}",
)


_NOT_CONFIGURED = 6
"""The exit code after which Pacemaker tries it on no node any more."""


def _what(failure: Failure, now: datetime) -> str:
    """The operation, its result, the agent's reason and the age."""
    said = failure.exit_status or failure.status or f"exit code {failure.exit_code}"
    if failure.timed_out:
        said = "timed out"
    reason = f", {failure.exit_reason}" if failure.exit_reason else ""
    seconds = age(failure.time, now)
    ago = f", {duration(seconds)} ago" if seconds is not None else ""
    return f"{failure.task or 'operation'}: {said}{reason}{ago}"


def _how(failure: Failure, now: datetime) -> str:
    """The same as a sentence goes on: ``start failed: rpc.statd is not running (7 s ago)``.

    The reason is outside of the brackets: a first line that gets long drops those.
    """
    late = failure.timed_out
    reason = "" if late else failure.exit_reason or ""
    said = failure.exit_reason if late else failure.exit_status
    said = "" if reason else said
    seconds = age(failure.time, now)
    ago = f"{duration(seconds)} ago" if seconds is not None else ""
    # "error" is what the code 1 is called: it says nothing.
    inner = ", ".join(each for each in ("" if said == "error" else said, ago) if each)
    words = f"{failure.task or 'operation'} {'timed out' if late else 'failed'}"
    words += f": {reason}" if reason else ""
    return f"{words} ({inner})" if inner else words


def _longer(last: Optional[Failure]) -> str:
    """What helps a start that was given too little time, where Pacemaker says how much it was."""
    if last is None or last.task != "start" or not last.timed_out:
        return ""
    _, _, limit = (last.exit_reason or "").partition(" did not complete within ")
    if not limit:
        return ""
    own = pasted(base_id(last.resource))
    now = f"timeout=... (now {limit})"
    return f"; where it only needs longer: pcs resource update {own} op start {now}"


def _newest(failures: Sequence[Failure], now: datetime) -> Optional[Failure]:
    return min(failures, key=lambda f: age(f.time, now) or 0.0, default=None)


def _counted(
    past: ResourceHistory, failures: Sequence[Failure], view: View, asked: Asked
) -> Iterator[Finding]:
    """The finding of a fail-count, with the failed actions behind it folded in."""
    count = past.fail_count
    if not count:
        return
    newest = _newest(failures, view.time)
    cause = f" ({_what(newest, view.time)})" if newest is not None else ""
    times = "INFINITY" if count >= INFINITY else str(count)
    where = (past.node,)
    if is_barred(past):
        text = f"{past.resource} is barred from {past.node}: fail-count {_count(past)}{cause}"
        step = ""
        if newest is not None and newest.exit_code == _NOT_CONFIGURED:
            own = pasted(base_id(past.resource))
            bare = newest._replace(exit_reason=None)
            how = _what(bare, view.time).replace(":", f" on {past.node}:", 1)
            how = f"{newest.exit_reason} ({how})" if newest.exit_reason else how
            text = f"{past.resource} is barred from every node: {how}"
            step = (
                f"on {past.node}: correct that (journalctl -u pacemaker --grep {own}); then:"
                f" crm_resource --cleanup -r {own}"
            )
        elif longer := _longer(newest):
            own = pasted(base_id(past.resource))
            step = (
                f"on {past.node}: journalctl -u pacemaker --grep {own} tells why; fix that{longer};"
                f" then: crm_resource --cleanup -r {own} -N {past.node}"
            )
        yield finding(BARRED, subject.resource(past.resource), text, nodes=where, step=step)
        return
    state = asked.limited_state(count) if asked.has_limits else None
    if state is State.OK:
        return
    text = f"{past.resource} failed {times} time{'' if count == 1 else 's'} on {past.node}{cause}"
    step = ""
    if count > 1 and newest is not None and newest.task == "monitor" and newest.timed_out:
        own = pasted(base_id(past.resource))
        step = (
            f"on {past.node}: journalctl -u pacemaker --grep {own}; where {own} works and its"
            " monitor is only slow, raise the timeout of its monitor; then: crm_resource --cleanup"
            f" -r {own} -N {past.node}"
        )
    about = subject.resource(past.resource)
    yield finding(FAIL_COUNT, about, text, state=state, nodes=where, step=step)


_Bar = tuple[ResourceHistory, list[Failure]]


def _bars(cluster: Cluster, view: View, with_count: Sequence[_Bar]) -> list[tuple[str, list[_Bar]]]:
    """What is barred from several nodes, or a bundle by several of its parts, for one reason.

    Not what failed to stop: that is to be mended where it is.
    """
    bundles = {
        base_id(each.id): bundle.id
        for bundle in cluster.resources
        if isinstance(bundle, Bundle)
        for each in primitives(bundle)
    }
    found: dict[object, tuple[str, list[_Bar]]] = {}
    for past, failures in with_count:
        if is_barred(past) and not any(each.task == "stop" for each in failures):
            own = base_id(past.resource)
            name = bundles.get(own, own)
            last = _newest(failures, view.time)
            why = (last.task, last.exit_code, last.exit_reason, last.status) if last else None
            found.setdefault((name, why), (name, []))[1].append((past, failures))
    return [(name, bars) for name, bars in found.values() if len(bars) > 1]


def _barred(name: str, bars: Sequence[_Bar], view: View) -> Finding:
    """One finding for all nodes that something is barred from."""
    nodes = tuple(sorted({past.node for past, _ in bars}))
    last = _newest([each for _, failures in bars for each in failures], view.time)
    why = _how(last, view.time) if last is not None else f"fail-count {_count(bars[0][0])}"
    # The parts of a bundle are not configured by themselves.
    longer = "" if any(base_id(past.resource) != name for past, _ in bars) else _longer(last)
    logs = f"journalctl -u pacemaker --grep {pasted(min(base_id(p.resource) for p, _ in bars))}"
    step = (
        f"on {join(nodes)}: {logs} tells why; fix that{f'{longer};' if longer else ','} then:"
        f" crm_resource --cleanup -r {pasted(name)}"
    )
    text = f"{name} is barred from {join(nodes)}: {why}"
    return finding(BARRED, subject.resource(name), text, nodes=nodes, step=step)


def _count(past: ResourceHistory) -> str:
    """``INFINITY``, ``1 of 1``: a fail-count at its threshold."""
    count, threshold = past.fail_count or 0, past.migration_threshold
    limit = "" if threshold is None or threshold >= INFINITY else f" of {threshold}"
    return f"{'INFINITY' if count >= INFINITY else count}{limit}"


def _uncounted(failures: Sequence[Failure], view: View, asked: Asked) -> Iterator[Finding]:
    """A recorded failure without a fail-count: cleaned half, or on a node that is down."""
    limit = asked.values.get("max_failure_age")
    newest = _newest(failures, view.time)
    if newest is None:
        return
    seconds = age(newest.time, view.time)
    if limit is not None and seconds is not None and seconds > limit:
        return
    more = f" (+{len(failures) - 1} more)" if len(failures) > 1 else ""
    text = f"{newest.resource} failed on {newest.node} ({_what(newest, view.time)}){more}"
    yield finding(FAILED_ACTION, subject.resource(newest.resource), text, nodes=(newest.node,))


def judge(view: View, asked: Asked) -> Report:
    """One failure, one finding: keyed by resource and node."""
    cluster = view[CLUSTER].value
    if cluster is None:
        return Report()

    def is_wanted(name: str) -> bool:
        return not asked.filter.is_set or asked.filter.wants(*names_of(view, cluster, name))

    history = [past for past in cluster.history if is_wanted(past.resource)]
    actions = [each for each in cluster.failures if is_wanted(each.resource)]
    recorded = grouped(((base_id(each.resource), each.node), each) for each in actions)
    findings: list[Finding] = []
    with_count = [
        (past, recorded.pop((base_id(past.resource), past.node), []))
        for past in history
        if past.fail_count
    ]
    several = _bars(cluster, view, with_count)
    together = {id(past): (name, bars) for name, bars in several for past, _ in bars}
    for past, folded in with_count:
        name, bars = together.get(id(past), ("", []))
        if not bars:
            findings += _counted(past, folded, view, asked)
        elif past is bars[0][0]:
            findings.append(_barred(name, bars, view))
    for failures in recorded.values():
        findings += _uncounted(failures, view, asked)
    counts = [past.fail_count for past in history if past.fail_count]
    return Report(
        tuple(findings),
        f"{counted(len(actions), 'failed action', 'no')},"
        f" {counted(len(counts), 'fail-count', 'no')}",
        (
            Figure("failed_actions", len(actions), minimum=0),
            Figure(
                "nodes_barred",
                sum(is_barred(past) for past, _ in with_count),
                minimum=0,
                warning="0",
            ),
            Figure("fail_count_max", max(counts, default=0), minimum=0, limited=True, warning="0"),
        ),
        tuple(
            f"fail-count of {past.resource} on {past.node}: {past.fail_count}"
            f" (migration-threshold {past.migration_threshold})"
            for past in history
            if past.fail_count
        ),
    )


CHECK = Check(
    name="failures",
    question="What failed, and what did it leave behind?",
    needs=(CLUSTER,),
    rule=judge,
    kinds=(BARRED, FAIL_COUNT, FAILED_ACTION, MISSING, RESOURCES_NONE),
    figures=(
        ("failed_actions", "failed operations on record"),
        ("nodes_barred", "pairs of a resource and a node that is barred from it"),
        ("fail_count_max", "the highest fail-count; 1000000 is INFINITY"),
    ),
    options=(
        Option(
            "--max-failure-age",
            "A recorded failed action older than this is OK.",
            "seconds",
            metavar="SECONDS",
        ),
    ),
    number="a fail-count under the threshold; the ranges replace fail-count",
    filters="pacemaker",
    example="check_mccluster failures --max-failure-age 86400",
)
