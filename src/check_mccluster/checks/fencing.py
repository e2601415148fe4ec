"""Can a lost node be fenced, where fencing is wanted?"""

from __future__ import annotations

from collections.abc import Iterator

from ..inputs.cibadmin import CIB
from ..inputs.crm_mon import CLUSTER
from ..judge.facts.fencing import has_fence_device
from ..model.pacemaker import Cluster, FenceEvent, FenceStatus, primitives
from ..verdict import subject
from ..verdict.check import Check, Option
from ..verdict.finding import Figure, Finding, Kind, Report, State, finding
from ..verdict.problems import OUTPUT_INVALID, TOOL_FAILED
from ..verdict.view import Asked, View

NO_DEVICE = Kind(
    "fencing-no-device",
    State.CRITICAL,
    "Fencing is enabled and no fence device is configured: Pacemaker starts nothing any more.",
    "Configure a fence device, or, where DRBD quorum protects the data: pcs property set"
    " stonith-enabled=false; crm_verify -L -V tells the same",
)
FENCING_FAILED = Kind(
    "fencing-failed",
    State.CRITICAL,
    "The last fencing of a node failed: if it is lost again, nothing fails over.",
    "stonith_admin --history {node} --verbose; test the device; then:"
    " stonith_admin --cleanup --history {node}",
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
    "pcs property set stonith-enabled=true, after configuring a fence device",
)


def _history(cluster: Cluster) -> Iterator[Finding]:
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
                yield _failed(event)


def _failed(event: FenceEvent) -> Finding:
    reason = f": {event.exit_reason}" if event.exit_reason else ""
    when = f" at {event.completed}" if event.completed else ""
    text = f"the last fencing of {event.target} failed{when}{reason}"
    return finding(FENCING_FAILED, subject.node(event.target), text, nodes=(event.target,))


def judge(view: View, asked: Asked) -> Report:
    """Fence devices, where fencing is enabled, and the fencing history."""
    cluster = view[CLUSTER].value
    if cluster is None:
        return Report()
    devices = [
        p.id for resource in cluster.resources for p in primitives(resource) if p.is_fence_device
    ]
    enabled = cluster.summary.options.fencing_enabled
    findings = list(_history(cluster))
    if enabled and not has_fence_device(view):
        text = "fencing is enabled and no fence device is configured: nothing will be started"
        findings.append(finding(NO_DEVICE, subject.cluster("fencing"), text))
    if enabled is False and asked.values.get("require_fencing"):
        findings.append(finding(DISABLED, subject.cluster("fencing"), "fencing is disabled"))
    if enabled is None:
        text = "crm_mon does not say whether fencing is enabled"
        findings.append(
            finding(OUTPUT_INVALID, subject.tool("crm_mon"), text, command="crm_mon -r -1 -X")
        )
    if cluster.fence_history_status:
        text = f"the fencer did not give its history (code {cluster.fence_history_status})"
        findings.append(
            finding(
                TOOL_FAILED, subject.tool("fencer"), text, command="stonith_admin --history '*'"
            )
        )
    failed = sum(1 for each in findings if each.kind is FENCING_FAILED)
    word = {True: "enabled", False: "disabled", None: "unknown"}[enabled]
    return Report(
        tuple(findings),
        f"fencing is {word}, {len(devices)} fence devices",
        (
            Figure("fence_devices", len(devices), minimum=0),
            Figure("fencing_failed", failed, minimum=0),
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
    kinds=(NO_DEVICE, FENCING_FAILED, PENDING, DISABLED),
    figures=(
        ("fence_devices", "configured fence devices"),
        ("fencing_failed", "targets whose last fencing failed"),
    ),
    options=(Option("--require-fencing", "Fencing that is disabled is a fault here.", "flag"),),
    example="check_mccluster fencing --require-fencing",
)
