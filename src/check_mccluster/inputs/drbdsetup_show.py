"""``drbdsetup show``: DRBD's options in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..acquire.tools import Tool
from ..verdict.view import Answer
from .base import Attempt, ToolInput
from .drbdsetup import SHOW as SHOW_COMMAND
from .drbdsetup import gravity, not_up, nothing_up, problem, unknown_names

if TYPE_CHECKING:
    from ..acquire.source import Stream
    from ..model.drbd import ShownResource
    from .evidence import Evidence


def _read(stream: Stream) -> Any:
    from ..read.drbd_show import read_drbd_show

    return read_drbd_show(stream.read())


def _answer(evidence: Evidence) -> Answer[tuple[ShownResource, ...]]:
    attempt = evidence.attempt(SHOW)
    answer = judged(attempt, evidence.expected_drbd())
    if attempt.document is None:
        return answer  # what is up is not known, so no name is unknown
    strange = unknown_names(evidence, (resource.name for resource in attempt.document))
    return Answer(answer.value, (*answer.problems, *strange)) if strange else answer


def judged(
    attempt: Attempt[tuple[ShownResource, ...]], expected: tuple[str, ...]
) -> Answer[tuple[ShownResource, ...]]:
    """Judge what ``drbdsetup show`` said; half an answer is none here.

    :param expected: names of resources that should be up here.
    """
    wrong = problem(attempt, gravity(expected), SHOW_COMMAND)
    if wrong is not None:
        return Answer(None, (wrong,))
    if not attempt.document:
        return Answer(None, (nothing_up(expected),))
    known = {resource.name for resource in attempt.document}
    return Answer(attempt.document, not_up(name for name in expected if name not in known))


SHOW: ToolInput[tuple[ShownResource, ...]] = ToolInput(
    "drbdsetup show",
    80,
    Tool(
        "drbdsetup",
        ("show", "--json", "--show-defaults"),
        "drbd-show.json",
        64 * 2**20,
        True,
    ),
    _read,
    _answer,
)
