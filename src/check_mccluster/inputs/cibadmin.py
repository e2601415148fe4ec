"""``cibadmin --query``: the configuration, and what the resources were asked to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..acquire.tools import Tool
from ..verdict.problems import TOOL_DENIED
from ..verdict.view import Answer
from .base import Attempt, ToolInput, denied, failed, invalid, no_output
from .crm_mon import CLUSTER, EXIT_DISCONNECTED, EXIT_PERMISSION, REFUSED_TEXT

if TYPE_CHECKING:
    from ..acquire.source import Stream
    from ..model.pacemaker import Cib, Cluster
    from .evidence import Evidence


def _read(stream: Stream) -> Any:
    from ..read.cib import read_cib

    return read_cib(stream)


def _answer(evidence: Evidence) -> Answer[Cib]:
    attempt = evidence.attempt(CIB)
    if attempt.exit_code in (EXIT_DISCONNECTED, EXIT_PERMISSION):
        return judged(attempt, evidence.answer(CLUSTER))
    return judged(attempt, Answer())


def judged(attempt: Attempt[Cib], cluster: Answer[Cluster]) -> Answer[Cib]:
    """Judge what cibadmin said.

    Exit code 102 is "no connection": not running, or not permitted. Where crm_mon has no answer
    either, its finding says which, and it is one fault; so it is where both are denied the CIB.
    """
    missing = no_output(attempt)
    if missing is not None:
        return Answer(None, (missing,))
    if attempt.exit_code == EXIT_DISCONNECTED and cluster.value is None and cluster.problems:
        return Answer()
    denied_too = any(problem.kind is TOOL_DENIED for problem in cluster.problems)
    if attempt.exit_code == EXIT_PERMISSION and cluster.value is None and denied_too:
        return Answer()
    if attempt.exit_code == EXIT_PERMISSION or (
        attempt.exit_code and any(text in attempt.stderr for text in REFUSED_TEXT)
    ):
        return Answer(None, (denied(attempt, "insufficient privileges"),))
    if attempt.exit_code:
        return Answer(None, (failed(attempt),))
    if attempt.document is None:
        return Answer(None, (invalid(attempt, attempt.detail),))
    if not any(node.configured for node in attempt.document.nodes.values()):
        return Answer(None, (invalid(attempt, "no node in the CIB"),))
    return Answer(attempt.document)


CIB: ToolInput[Cib] = ToolInput(
    "cibadmin",
    20,
    Tool("cibadmin", ("--query",), "cib.xml", limit=256 * 2**20),
    _read,
    _answer,
)
