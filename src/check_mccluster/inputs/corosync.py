"""What a failure of any of Corosync's tools means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Optional, TypeVar

from ..verdict.finding import Finding
from ..verdict.view import Answer
from .base import Attempt, Obstacle, denied, down, failed, invalid, no_output

if TYPE_CHECKING:
    from .evidence import Evidence

T = TypeVar("T")

_DENIED = r"(?i)CS_ERR_ACCESS|error 11\b|Permission denied"
_NOT_RUNNING = r"(?i)CS_ERR_LIBRARY|error 2\b|Cannot initialize the? ?COROSYNC"

DIED = range(129, 160)
"""A tool that died by a signal has such an exit code, from a shell or sudo, or a negative one."""


def runs(evidence: Evidence) -> Optional[bool]:
    """Whether Corosync runs, by its own tools; ``None`` when none of them can tell."""
    from .corosync_cfgtool import LINKS
    from .corosync_cmapctl import CMAP
    from .corosync_quorumtool import VOTES

    evidence.prepare(LINKS, CMAP, VOTES)
    return runs_by(*(evidence.attempt(key) for key in (LINKS, CMAP, VOTES)))


def runs_by(*attempts: Optional[Attempt[T]]) -> Optional[bool]:
    """The same from the attempts themselves."""
    verdict: Optional[bool] = None
    for attempt in attempts:
        if attempt is None or attempt.obstacle not in (None, Obstacle.INVALID):
            continue
        if attempt.document is not None:
            return True
        if attempt.exit_code and re.search(_NOT_RUNNING, attempt.stderr):
            verdict = False
    return verdict


def denied_by_corosync(attempt: Attempt[T]) -> Finding:
    """The user may not ask Corosync."""
    return denied(attempt, "access denied by Corosync")


def judged(attempt: Attempt[T], exit_code_counts: bool = True) -> Answer[T]:
    """Judge what one of the tools said.

    :param exit_code_counts: whether a document with an exit code is none.
    """
    missing = no_output(attempt)
    if missing is not None:
        return Answer(None, (missing,))
    code = attempt.exit_code or 0
    died = code < 0 or code in DIED
    if attempt.document is not None and not died and not (exit_code_counts and code):
        return Answer(attempt.document)
    if attempt.exit_code:
        if re.search(_DENIED, attempt.stderr):
            return Answer(None, (denied_by_corosync(attempt),))
        if re.search(_NOT_RUNNING, attempt.stderr):
            return Answer(None, (down("Corosync does not run on this node"),))
        return Answer(None, (failed(attempt),))
    return Answer(None, (invalid(attempt, attempt.detail),))
