"""An end that is asked for from outside waits while a process is started or ended.

A signal's handler runs between any two steps: between the fork and the line that notes its process,
too. What is raised there would leave a process that nobody knows.
"""

from __future__ import annotations

from types import TracebackType
from typing import Optional


class _Held:
    """A block that :func:`interrupt` does not cut in two; such blocks may be nested."""

    def __init__(self) -> None:
        self.depth = 0
        self.due: Optional[BaseException] = None

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(
        self,
        _kind: Optional[type[BaseException]],
        _error: Optional[BaseException],
        _traceback: Optional[TracebackType],
    ) -> None:
        self.depth -= 1
        if self.depth == 0 and self.due is not None:
            due, self.due = self.due, None
            raise due


HELD = _Held()


def interrupt(error: BaseException) -> None:
    """For a signal's handler: raise *error* now, or where the block that holds it ends."""
    if HELD.depth == 0:
        raise error
    HELD.due = HELD.due or error
