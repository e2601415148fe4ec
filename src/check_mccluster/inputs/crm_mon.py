"""``crm_mon -r -1 -X``: the cluster as Pacemaker sees it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Optional

from ..acquire.tools import Tool
from ..verdict.finding import Finding
from ..verdict.problems import (
    PACEMAKER_STARTING,
    PACEMAKER_STOPPING,
    PACEMAKER_UNRESPONSIVE,
    TOOL_FAILED,
)
from ..verdict.view import Answer
from .base import (
    AnsweredInput,
    Attempt,
    Obstacle,
    ToolInput,
    about,
    denied,
    down,
    failed,
    invalid,
    no_output,
    short,
    unknown_words,
)

if TYPE_CHECKING:  # a check loads the models of what it reads, no others
    from ..acquire.source import Stream
    from ..model.pacemaker import Cluster, CrmMonDocument
    from .evidence import Evidence

REFUSED_TEXT = ("Permission denied", "Insufficient privileges")
EXIT_PERMISSION = 4
EXIT_DISCONNECTED = 102
_STARTING = frozenset({"init", "starting_daemons", "wait_for_ping"})
_STOPPING = frozenset({"shutting_down", "shutdown_complete"})
_NOT_RUNNING_TEXT = ("cluster is not available on this node", "Connection to cluster failed")
_OLD_NOT_RUNNING = frozenset({EXIT_DISCONNECTED, 107, 111})
"""Exit codes of "not running": 102 (2.0+), ENOTCONN and ECONNREFUSED (1.1)."""


_READ_ACL = (
    "pcs acl role create monitor read xpath /cib; pcs acl user create USER monitor (USER is who"
    " runs the check); or --sudo with a sudoers line"
)


def _read(stream: Stream) -> Any:
    from ..read.crm_mon import read_crm_mon

    return read_crm_mon(stream)


def _answer(evidence: Evidence) -> Answer[Cluster]:
    attempt = evidence.attempt(CLUSTER)
    document = attempt.document
    runs: Optional[bool] = None
    if attempt.obstacle in (None, Obstacle.INVALID) and (
        document is None or document.cluster is None
    ):
        # Only a missing answer makes it worth asking whether Corosync runs.
        from .corosync import runs as corosync_runs

        runs = corosync_runs(evidence)
    return judged(attempt, runs)


def judged(attempt: Attempt[CrmMonDocument], corosync_runs: Optional[bool]) -> Answer[Cluster]:
    """Judge what crm_mon said.

    :param corosync_runs: what Corosync's own tools say; ``None`` if they cannot be asked.
    """
    missing = no_output(attempt)
    if missing is not None:
        return Answer(None, (missing,))
    document = attempt.document
    if document is None:
        return Answer(None, (_no_xml(attempt, corosync_runs),))
    if document.cluster is None:
        return Answer(None, (_no_summary(attempt, document, corosync_runs),))
    if attempt.exit_code == EXIT_PERMISSION:
        return Answer(None, (denied(attempt, "insufficient privileges"),))
    if attempt.exit_code == EXIT_DISCONNECTED:
        return Answer(None, (down("crm_mon lost its connection to the cluster"),))
    if attempt.exit_code:
        return Answer(None, (failed(attempt),))
    if document.status_code or document.errors:
        said = document.errors[0] if document.errors else f"status code {document.status_code}"
        text = f"crm_mon reports an error: {short(said)}"
        return Answer(None, (about(TOOL_FAILED, attempt, text),))
    if "could not connect" in attempt.stderr.lower():
        return Answer(None, (about(TOOL_FAILED, attempt, f"crm_mon: {attempt.complaint}"),))
    incomplete = tuple(invalid(attempt, text) for text in _incomplete(document.cluster))
    return Answer(
        document.cluster, (*incomplete, *unknown_words(attempt, document.cluster.unrecognised))
    )


_OF_NODES = (
    *("type", "online", "standby", "standby_onfail", "maintenance", "pending", "unclean"),
    *("shutdown", "is_dc"),
)
_OF_RESOURCES = ("active", "orphaned", "managed", "failed", "failure_ignored")
_OF_OPTIONS = ("fencing_enabled", "symmetric", "no_quorum_policy")
_BEFORE_1_1_16 = r"1\.(0\.\d+|1\.(\d|1[0-5]))"
"""Versions of crm_mon that do not tell the maintenance mode of the cluster."""


def _incomplete(cluster: Cluster) -> Iterator[str]:
    """Attributes that are missing: a rule would take them for false.

    Some are in every release; the others are missed where the same document has them elsewhere.
    """
    from ..model.pacemaker import Clone, Group, base_id, primitives
    from ..model.words import whole

    yield from _missing("node", cluster.nodes, _OF_NODES, ("health",))
    instances = [each for top in cluster.resources for each in primitives(top)]
    yield from _missing("resource", instances, _OF_RESOURCES, ("blocked", "maintenance"))
    groups = [
        inner
        for top in cluster.resources
        for inner in (top.instances if isinstance(top, Clone) else (top,))
        if isinstance(inner, Group)
    ]
    yield from _missing("group", groups, (), ("managed", "disabled", "maintenance"))
    clones = [top for top in cluster.resources if isinstance(top, Clone)]
    always = ("promotable", "unique", "managed", "failed", "failure_ignored")
    yield from _missing("clone", clones, always, ("disabled", "maintenance"))
    for clone in clones:
        if clone.disabled and clone.target_role is None:
            yield f"clone {short(clone.id)} is disabled without target_role"
    options = cluster.summary.options
    for name in _OF_OPTIONS:
        if getattr(options, name) is None:
            yield f"cluster_options without {name.replace('_', '-')}"
    if options.maintenance_mode is None and not re.fullmatch(_BEFORE_1_1_16, cluster.version or ""):
        yield "cluster_options without maintenance-mode"
    if cluster.summary.nodes_configured is None:
        yield "summary without nodes_configured"
    nodes = {node.name for node in cluster.nodes}
    ids = {base_id(each.id) for each in instances}
    known = ids | nodes
    for names, what in (
        ((n for each in instances for n in each.nodes), "a resource runs there"),
        ((each.node for each in cluster.history), "a resource has a history"),
        ((each.node for each in cluster.attributes), "has attributes"),
    ):
        strange = next((name for name in names if name not in nodes), None)
        if strange is not None:
            yield f"{short(strange)} is not a node, and {what}"
    for each in cluster.history:
        if not each.orphaned and base_id(each.resource) not in known:
            yield f"{short(each.resource)} has a history and is not a resource"
            break
    groups_of_clones = {base_id(inner.id) for inner in groups}
    tops = {top.id for top in cluster.resources} | groups_of_clones
    # XML allows no colon in an id, Pacemaker puts one before the number of an instance.
    strange = next(
        (name for name in sorted({base_id(id) for id in tops} | ids) if ":" in name), None
    )
    if strange is not None:
        yield f"{short(strange)} is no id of a resource"
    for ban in cluster.bans:
        if base_id(ban.resource) not in known | tops:
            yield f"{short(ban.resource)} is banned and is not a resource"
            break
        if ban.node not in nodes:
            yield f"{short(ban.node)} is not a node, and a ban is for it"
            break
    for counted in cluster.attributes:
        value = counted.value or ""
        if counted.expected is not None and whole(value) is None:
            name = f"{short(counted.name)} of {short(counted.node)}"
            yield f"attribute {name} is '{short(value)}', not a number"
            break
    controller = cluster.summary.dc
    if controller is not None and controller.with_quorum is None:
        yield "current_dc without with_quorum"


def _missing(
    what: str, elements: Sequence[Any], always: Iterable[str], alike: Iterable[str] = ()
) -> Iterator[str]:
    for name in (*always, *alike):
        without = [each for each in elements if getattr(each, name) is None]
        if without and (name in always or len(without) < len(elements)):
            first = getattr(without[0], "name", None) or without[0].id
            more = f" (and {len(without) - 1} more)" if len(without) > 1 else ""
            yield f"{what} {short(first)} without the attribute {name}{more}"


def _no_xml(attempt: Attempt[CrmMonDocument], corosync_runs: Optional[bool]) -> Finding:
    """No document. Before 2.0.3 "not running" is plain text on standard output."""
    said = f"{attempt.text}\n{attempt.stderr}"
    if attempt.exit_code == EXIT_PERMISSION or any(text in said for text in REFUSED_TEXT):
        return denied(attempt, "insufficient privileges")
    if attempt.exit_code == EXIT_DISCONNECTED or (
        attempt.exit_code in _OLD_NOT_RUNNING and any(text in said for text in _NOT_RUNNING_TEXT)
    ):
        return down("Pacemaker does not run on this node")
    if corosync_runs is False:
        return down("Corosync does not run on this node")
    if attempt.exit_code:
        return failed(attempt)
    return invalid(attempt, attempt.detail)


def _no_summary(
    attempt: Attempt[CrmMonDocument], document: CrmMonDocument, corosync_runs: Optional[bool]
) -> Finding:
    """A document without an answer. The order of the questions is the policy's."""
    if EXIT_PERMISSION in (attempt.exit_code, document.status_code):
        return denied(attempt, "insufficient privileges")
    if corosync_runs is False:
        return down("Corosync does not run on this node")
    state = document.pacemakerd_state
    if state in _STARTING:
        return about(PACEMAKER_STARTING, attempt, f"Pacemaker is starting ({state})")
    if state in _STOPPING:
        return about(PACEMAKER_STOPPING, attempt, f"Pacemaker is stopping ({state})")
    if EXIT_DISCONNECTED in (attempt.exit_code, document.status_code) or (
        attempt.exit_code in _OLD_NOT_RUNNING
        and any(text in attempt.stderr for text in _NOT_RUNNING_TEXT)
    ):
        return down("Pacemaker does not run on this node")
    if attempt.exit_code:
        return failed(attempt)
    if state == "running" and not document.has_summary:
        said = attempt.complaint or (document.errors[0] if document.errors else "")
        if said:
            return about(
                PACEMAKER_UNRESPONSIVE, attempt, f"Pacemaker runs and does not answer: {said}"
            )
        hidden = denied(attempt, "the CIB is hidden from this user by an ACL")
        return hidden._replace(next_step=_READ_ACL)
    if state is not None and not document.has_summary and state != "running":
        return invalid(attempt, f"unknown word '{short(state)}' as state of pacemakerd")
    if document.has_summary:
        return invalid(attempt, "no node in the document")
    return invalid(attempt, "no summary in the document")


CLUSTER: ToolInput[Cluster] = ToolInput(
    "crm_mon",
    10,
    Tool("crm_mon", ("-r", "-1", "-X"), "crm_mon.xml", limit=256 * 2**20),
    _read,
    _answer,
    names=lambda cluster: (node.name for node in cluster.nodes),
)

INSTALLED: AnsweredInput[bool] = AnsweredInput(
    "crm_mon (installed)", 11, lambda evidence: Answer(evidence.source.has(CLUSTER.tool))
)
"""Whether Pacemaker is meant to be on this node at all; nothing is run for it."""
