"""``corosync-cfgtool -s``: the links to the peers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..acquire.tools import Tool
from ..verdict.view import Answer
from .base import Attempt, ToolInput, unknown_words
from .corosync import judged as corosync_judged

if TYPE_CHECKING:
    from ..acquire.source import Stream
    from ..model.corosync import Links
    from .evidence import Evidence


def _read(stream: Stream) -> Any:
    from ..read.corosync import read_cfgtool

    return read_cfgtool(stream.read().decode("utf-8", "replace"))


def judged(attempt: Attempt[Links]) -> Answer[Links]:
    """Judge what cfgtool said. Corosync 2 exits 1 for a faulty ring: the document decides."""
    answer = corosync_judged(attempt, exit_code_counts=False)
    if answer.value is not None:
        return Answer(answer.value, unknown_words(attempt, answer.value.unrecognised))
    return answer


def _answer(evidence: Evidence) -> Answer[Links]:
    return judged(evidence.attempt(LINKS))


LINKS: ToolInput[Links] = ToolInput(
    "corosync-cfgtool",
    40,
    Tool("corosync-cfgtool", ("-s",), "corosync-cfgtool.txt"),
    _read,
    _answer,
)
