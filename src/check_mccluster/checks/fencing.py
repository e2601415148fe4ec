"""Can a lost node be fenced, where fencing is wanted?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Optional

from ..inputs.cibadmin import CIB
from ..inputs.crm_mon import CLUSTER
from ..judge.facts.fencing import devices_for, fencing_enabled, has_fence_device, has_watchdog
from ..judge.facts.pacemaker import MOVING, has_quorum, is_disabled, lost_nodes
from ..judge.reasons import CAUSES, Reason, Reasons
from ..model.pacemaker import (
    RUNNING,
    Cib,
    Cluster,
    FenceEvent,
    FenceStatus,
    Resource,
    asks_for_stop,
    base_id,
    primitives,
)
from ..values import NamedTuple
from ..verdict import subject
from ..verdict.check import Check, Option
from ..verdict.finding import Figure, Finding, Kind, Report, State, finding
from ..verdict.problems import OUTPUT_INVALID, TOOL_FAILED
from ..verdict.view import Asked, View
from ..verdict.words import counted, join, pasted

NO_DEVICE = Kind(
    "fencing-no-device",
    State.CRITICAL,
    "Fencing is enabled and no fence device is configured: Pacemaker will not start anything.",
    "crm_verify -L -V; configure a device (pcs stonith create), or, only where DRBD quorum protects"
    " the data: pcs property set stonith-enabled=false",
)
FENCING_FAILED = Kind(
    "fencing-failed",
    State.CRITICAL,
    "The last fencing of a node failed: if it is lost again, nothing fails over.",
    "stonith_admin --history {node} --verbose; stonith_admin --list {node}; fix the device, then:"
    " stonith_admin --cleanup --history {node}",
)
DEVICE_DOWN = Kind(
    "fence-device-down",
    State.CRITICAL,
    "Fencing is enabled and a fence device is stopped or failed: a lost node may not be fenced, and"
    " then nothing fails over. WARNING where another device that runs could fence the same nodes.",
    "stonith_admin --list-registered; crm_resource --cleanup -r {resource}",
)
PENDING = Kind(
    "fencing-pending",
    State.WARNING,
    "A node is being fenced.",
    "stonith_admin --history {node} --verbose",
)
DISABLED = Kind(
    "fencing-disabled",
    State.WARNING,
    "Fencing is disabled and --require-fencing was given.",
    "Configure a fence device (pcs stonith create), then: pcs property set stonith-enabled=true",
)
_FENCER = (
    "timeout 10 stonith_admin --history '*'; without an answer: ps -C pacemaker-fenced -o"
    " pid,stat,wchan:20,comm (T: kill -CONT PID); why: journalctl -u pacemaker"
)
"""Asks the daemon that fences, and looks at it."""


def _devices_down(view: View, cluster: Cluster) -> Iterator[Finding]:
    """Devices that nobody asked to be stopped, by the nodes that are left without one."""
    if has_quorum(cluster) is False or cluster.summary.dc is None:
        return  # nothing runs in such a partition; that is the fault
    lost = lost_nodes(cluster)
    up: dict[str, bool] = {}
    tops: dict[str, Resource] = {}
    off: set[str] = set()
    for resource in cluster.resources:
        for each in primitives(resource):
            if not each.is_fence_device or each.orphaned:
                continue
            name = base_id(each.id)
            tops[name] = resource
            if is_disabled(cluster, resource) or asks_for_stop(each.target_role):
                off.add(name)
            runs = each.role in (RUNNING | MOVING) and not each.failed
            up[name] = up.get(name, False) or (runs and not set(each.nodes) <= lost)
    cib = view[CIB].value
    running = [name for name, is_up in up.items() if is_up]
    reasons = Reasons(view, cluster)
    members = [node.name for node in cluster.nodes if node.is_member]
    together: dict[tuple[str, ...], list[_Down]] = {}
    for name, is_up in up.items():
        if is_up or name in off or (cib is not None and reasons.pending(name)):
            continue
        bare = [
            node
            for node in members
            if name in devices_for(cib, (name,), node) and not devices_for(cib, running, node)
        ]
        covered = not bare or (cib is not None and has_watchdog(cib))
        failed = any(each.failed for each in primitives(tops[name]))
        why = None if failed else reasons.of(tops[name], name)
        agent = next((e.agent for e in primitives(tops[name]) if base_id(e.id) == name), "")
        down = _Down(name, agent.partition(":")[2], failed, why)
        together.setdefault((name,) if covered else ("", *bare), []).append(down)
    for (one, *bare), same in together.items():
        yield (
            _down(same[0], bare, covered=bool(one)) if len(same) == 1 else _all(reasons, same, bare)
        )


class _Down(NamedTuple):
    """A fence device that does not run, and why."""

    name: str
    agent: str
    failed: bool
    why: Optional[Reason]

    @property
    def state(self) -> str:
        return "failed" if self.failed else "is stopped"


def _down(one: _Down, bare: Sequence[str], *, covered: bool) -> Finding:
    """One device that is missing."""
    why = one.why
    # What it means comes first, as the first line cuts the end.
    then = "fence device " if covered else f"no device to fence {join(bare, 3)} runs: "
    return finding(
        DEVICE_DOWN,
        subject.resource(one.name),
        f"{then}{one.name} {one.state}{why.brackets if why is not None else ''}",
        state=State.WARNING if covered else None,
        nodes=why.nodes if why is not None else (),
        reason=why.word if why is not None else "",
        step=f"{why.step}; stonith_admin --list-registered" if why and why.step else "",
    )


def _all(reasons: Reasons, same: Sequence[_Down], bare: Sequence[str]) -> Finding:
    """Several devices whose loss means the same are one fault: nothing can be fenced."""
    said = dict.fromkeys(_barred(reasons, each) for each in same)
    if None not in said and len(said) == 1:
        (how,) = said
        parts = [f"{each.name} (barred on {join(_nodes(each))})" for each in same]
        text = f"{f', {how}' if how else ''}: {join(parts, 3)}"
    else:
        text = ": " + "; ".join(
            f"{each.name} {each.state}{f' ({_first(each.why)})' if each.why is not None else ''}"
            for each in same
        )
    one = finding(
        DEVICE_DOWN,
        subject.resource(same[0].name),
        f"no device to fence {join(bare, 3)} runs{text}",
        nodes=tuple(dict.fromkeys(node for each in same for node in _nodes(each))),
        step="; ".join(dict.fromkeys(_step(each) for each in same[:_MOST])),
    )
    words = {each.why.word if each.why is not None else "" for each in same}
    if len(words) == 1 and "barred" not in words and words <= {*CAUSES}:
        return one._replace(reason=words.pop())  # a finding of its own explains all of them
    return one._replace(covers=tuple(each.name for each in same))


_MOST = 2
"""Devices of which a step tells; the others are mended in the same way."""


def _first(why: Reason) -> str:
    return why.text.partition("; ")[0]


def _nodes(each: _Down) -> tuple[str, ...]:
    return each.why.nodes if each.why is not None else ()


def _barred(reasons: Reasons, each: _Down) -> Optional[str]:
    """``start timed out``: what bars it; ``None`` where something else is the reason."""
    if each.why is None or each.why.word != "barred":
        return None
    failure = reasons.failed(each.name, each.why.nodes)
    if failure is None:
        return ""
    return f"{failure.task} {'timed out' if failure.timed_out else 'failed'}"


def _step(each: _Down) -> str:
    """The log of the node where it fails, with the agent, then what ends it."""
    name = pasted(each.name)
    ends = each.why.step if each.why is not None and each.why.step else ""
    ends = ends or f"crm_resource --cleanup -r {name}"
    if not _nodes(each) or each.why is None or each.why.word != "barred":
        return ends
    log = f"on {_nodes(each)[0]}: journalctl -u pacemaker --grep {name}"
    return f"{log}; fix {each.agent or 'the device'}, then: {ends}"


def _history(view: View, cluster: Cluster) -> Iterator[Finding]:
    """The newest entry of each target counts; the history is newest first."""
    decided: set[str] = set()
    for event in cluster.fence_events:
        target = event.target
        if event.status is FenceStatus.PENDING:
            text = f"fencing of {target} ({event.action or 'action unknown'}) is under way"
            yield finding(PENDING, subject.node(target), text, nodes=(target,))
        elif target not in decided:
            decided.add(target)
            if event.status is FenceStatus.FAILED:
                yield _failed(view, cluster, event)


def _failed(view: View, cluster: Cluster, event: FenceEvent) -> Finding:
    """What was asked for by whom, and which devices there are for that node."""
    reason = f": {event.exit_reason}" if event.exit_reason else ""
    when = f" at {event.completed}" if event.completed else ""
    text = f"the last fencing of {event.target} failed{when}{reason}{_asked_for(view, event)}"
    target = event.target
    return finding(
        FENCING_FAILED,
        subject.node(target),
        text,
        nodes=(target,),
        step=_mend(view[CIB].value, cluster, event),
    )


def _asked_for(view: View, event: FenceEvent) -> str:
    """`` (reboot, asked for by stonith_admin on app01; stonith-timeout=10s)``."""
    who = (event.client or "").partition(".")[0]
    on = f" on {event.origin}" if event.origin else ""
    words = [event.action or "", f"asked for by {who}{on}" if who else ""]
    said = (event.exit_reason or "").lower()
    cib = view[CIB].value
    limit = cib.properties.get("stonith-timeout") if cib is not None else None
    timeout = f"stonith-timeout={limit}" if limit and any(w in said for w in _TIMEOUT) else ""
    inside = "; ".join(filter(None, (", ".join(filter(None, words)), timeout)))
    return f" ({inside})" if inside else ""


_TIMEOUT = ("timed out", "timeout", "did not complete within")


def _mend(cib: Optional[Cib], cluster: Cluster, event: FenceEvent) -> str:
    """The devices for the node with their agents, and the log where one was run."""
    target = pasted(event.target)
    agents = {
        base_id(each.id): each.agent.partition(":")[2]
        for resource in cluster.resources
        for each in primitives(resource)
        if each.is_fence_device and not each.orphaned
    }
    able = devices_for(cib, agents, event.target) if cib is not None else ()
    if not able:
        return ""
    one = len(able) == 1
    named = join((f"{name} of {agents[name]}" if one else name for name in able), 3)
    where = f"on {event.delegate}: " if event.delegate else ""
    log = f"{where}journalctl -u pacemaker --grep {pasted(able[0] if one else event.target)}"
    return (
        f"stonith_admin --list {target} (configured for it: {named}); {log}; fix the device, then:"
        f" stonith_admin --cleanup --history {target}"
    )


def judge(view: View, asked: Asked) -> Report:
    """Fence devices, where fencing is enabled, and the fencing history."""
    cluster = view[CLUSTER].value
    if cluster is None:
        return Report()
    devices = [
        p.id for resource in cluster.resources for p in primitives(resource) if p.is_fence_device
    ]
    enabled = fencing_enabled(view)
    findings = list(_history(view, cluster))
    if enabled and not has_fence_device(view):
        text = "fencing is enabled and no fence device is configured: nothing will be started"
        findings.append(finding(NO_DEVICE, subject.cluster("fencing"), text))
    if enabled:
        findings += _devices_down(view, cluster)
    if enabled is False and asked.values.get("require_fencing"):
        findings.append(finding(DISABLED, subject.cluster("fencing"), "fencing is disabled"))
    if enabled is None:
        text = "crm_mon does not say whether fencing is enabled"
        findings.append(
            finding(OUTPUT_INVALID, subject.tool("crm_mon"), text, command="crm_mon -r -1 -X")
        )
    if cluster.fence_history_status:
        code = cluster.fence_history_status
        text = f"pacemaker-fenced does not give its history (code {code}): it hangs or just started"
        findings.append(
            finding(TOOL_FAILED, subject.tool("fencer"), text, step=f"on {view.here}: {_FENCER}")
        )
    failed = sum(1 for each in findings if each.kind is FENCING_FAILED)
    word = {True: "enabled", False: "disabled", None: "unknown"}[enabled]
    return Report(
        tuple(findings),
        f"fencing is {word}, {counted(len(devices), 'fence device')}",
        (
            Figure("fence_devices", len(devices), minimum=0),
            Figure("fencing_failed", failed, minimum=0, critical="0"),
        ),
        tuple(
            f"fencing of {event.target}: {_word(event)} {event.completed or ''}".rstrip()
            for event in cluster.fence_events
        ),
    )


def _word(event: FenceEvent) -> str:
    return event.status.value if isinstance(event.status, FenceStatus) else str(event.status)


CHECK = Check(
    name="fencing",
    question="Can a lost node be fenced, where fencing is wanted?",
    needs=(CLUSTER,),
    uses=(CIB,),
    rule=judge,
    kinds=(NO_DEVICE, DEVICE_DOWN, FENCING_FAILED, PENDING, DISABLED),
    figures=(
        ("fence_devices", "configured fence devices"),
        ("fencing_failed", "targets whose last fencing failed"),
    ),
    options=(Option("--require-fencing", "Fencing that is disabled is a fault here.", "flag"),),
    example="check_mccluster fencing --require-fencing",
)
