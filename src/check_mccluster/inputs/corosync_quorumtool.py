"""``corosync-quorumtool -s``: the votes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..acquire.tools import Tool
from ..verdict.problems import PACEMAKER_DOWN, TOOL_DENIED
from ..verdict.view import Answer
from .base import Attempt, Obstacle, ToolInput
from .corosync import denied_by_corosync
from .corosync import judged as corosync_judged

if TYPE_CHECKING:
    from ..acquire.source import Stream
    from ..model.corosync import Votes
    from .evidence import Evidence

_NO_CMAP = "Cannot initialize CMAP service"


def _read(stream: Stream) -> Any:
    from ..read.corosync import read_quorumtool

    return read_quorumtool(stream.read().decode("utf-8", "replace"))


def judged(attempt: Attempt[Votes]) -> Answer[Votes]:
    """Judge what quorumtool said: by its text; its exit code meant three things in its life.

    Not being allowed to ask is no problem: the votes are then counted from the node list.
    """
    if attempt.obstacle is Obstacle.MISSING:
        return Answer()
    if attempt.document is None and attempt.exit_code and _NO_CMAP in attempt.stderr:
        # Said without permission and without Corosync alike.
        return Answer(None, (), (denied_by_corosync(attempt),))
    answer = corosync_judged(attempt, exit_code_counts=False)
    silent = tuple(p for p in answer.problems if p.kind in (TOOL_DENIED, PACEMAKER_DOWN))
    return Answer(answer.value, (p for p in answer.problems if p not in silent), silent)


def _answer(evidence: Evidence) -> Answer[Votes]:
    return judged(evidence.attempt(VOTES))


VOTES: ToolInput[Votes] = ToolInput(
    "corosync-quorumtool",
    30,
    Tool("corosync-quorumtool", ("-s",), "corosync-quorumtool.txt"),
    _read,
    _answer,
)
