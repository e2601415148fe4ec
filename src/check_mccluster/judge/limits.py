"""``-w`` and ``-c``: what they make of a number."""

from __future__ import annotations

from typing import Optional

from ..verdict.finding import Finding, State
from ..verdict.view import Asked


def limited_state(asked: Asked, value: Optional[float]) -> State:
    """The state that the ranges give *value*; UNKNOWN without a value (NaN passes any range)."""
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return State.UNKNOWN
    if asked.critical is not None and not asked.critical.match(value):
        return State.CRITICAL
    if asked.warning is not None and not asked.warning.match(value):
        return State.WARNING
    return State.OK


def with_state(each: Finding, state: State) -> Finding:
    """*each* with another severity: the ranges replace the default."""
    return each._replace(state=state)
