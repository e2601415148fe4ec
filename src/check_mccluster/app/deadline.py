"""An end at the deadline, or when a signal asks for it."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Optional

from ..acquire.interrupts import interrupt


class Interrupted(BaseException):
    """A signal asks us to end; a BaseException, so that no rule can swallow it."""


@contextlib.contextmanager
def deadline(seconds: float, grace: float = 1.0) -> Iterator[None]:
    """A second line of defence behind the tools' own deadline: parsing ends, too.

    :param grace: seconds from the tools' deadline to this one.
    """

    def ring(_number: int, _frame: Optional[FrameType]) -> None:
        interrupt(Interrupted(f"no verdict within {seconds:g} s"))

    previous = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds + grace)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def end_on_signal(number: int, _frame: Optional[FrameType]) -> None:
    """For ``signal.signal``, of SIGTERM and of SIGINT, which Ctrl-C sends.

    :raises Interrupted: at once, or when a process that is being started is known.
    :raises KeyboardInterrupt: likewise, for SIGINT.
    """
    if number == signal.SIGINT:
        interrupt(KeyboardInterrupt())
    else:
        interrupt(Interrupted(f"ended by signal {signal.Signals(number).name}"))
