"""``status --watch``: the terminal's second screen, its keys, and the wait between two looks."""

from __future__ import annotations

import gc
import os
import re
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Optional

from ..judge.picture import Picture
from ..present.layout import Line
from ..present.watching import Change, changes, frame
from .screen import rendered, width

_ENTER = "\x1b[?1049h\x1b[?25l"
"""Alternate screen, cursor hidden (terminfo's smcup and civis of every terminal of today)."""
_LEAVE = "\x1b[?25h\x1b[?1049l"
_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
_LINE, _PAGE = 1, 10
_KEYS = {
    b"j": _LINE,
    b"k": -_LINE,
    b" ": _PAGE,
    b"b": -_PAGE,
    b"\x1b[A": -_LINE,
    b"\x1b[B": _LINE,
    b"\x1bOA": -_LINE,
    b"\x1bOB": _LINE,
    b"\x1b[5~": -_PAGE,
    b"\x1b[6~": _PAGE,
    **dict.fromkeys((b"g", b"\x1b[H", b"\x1bOH", b"\x1b[1~"), -1_000_000),
    **dict.fromkeys((b"G", b"\x1b[F", b"\x1bOF", b"\x1b[4~"), 1_000_000),
}
"""Keys that scroll, as less has them, by so many lines."""
_KEY = rb"\x1b\[[\d;]*.|\x1bO.|."
"""One key in what a terminal sends: a key that is held down sends many at once."""
_MOST_CHANGES = 100


def watch(
    look: Callable[[], Picture], body: Callable[[Picture, int], list[Line]], seconds: float
) -> None:
    """Look, draw, wait, again; until q.

    :param body: the lines for a window of so many lines.
    """
    gc.enable()  # one run does without; this is no single one
    with _keys() as listens, _screen(), _woken() as alarm:
        past: list[Change] = []
        before: Optional[Picture] = None
        seen = look()
        top = 0
        while True:
            until = time.monotonic() + seconds
            moved = 0
            while True:
                columns = width()
                height = shutil.get_terminal_size().lines or 24
                lines = body(seen, height)
                foot = f"every {seconds:g} s, q or Ctrl-C ends"
                shown = frame(
                    lines,
                    body(before, height) if before is not None else (),
                    past=past,
                    foot=foot,
                    size=(columns, height),
                    top=top + moved,
                )
                top = shown.top
                _draw(shown.lines)
                pressed = _wait(until, alarm, listens)
                if pressed is None:
                    break
                keys = re.findall(_KEY, pressed)
                if b"q" in keys:
                    return
                moved = sum(_KEYS.get(key, 0) for key in keys)
            newer = look()
            before = seen
            past = [*past, *changes(seen, newer)][-_MOST_CHANGES:]
            seen = newer


def _draw(lines: tuple[Line, ...]) -> None:
    body = f"{_REST_OF_LINE}\n".join(rendered(line) for line in lines)
    _write(f"{_HOME}{body}{_REST_OF_LINE}{_REST_OF_SCREEN}")


def _wait(until: float, alarm: int, listens: bool) -> Any:
    """Keys, ``b""`` where the window has another size, ``None`` where it is time to look."""
    left = until - time.monotonic()
    if left <= 0:
        return None
    stdin = sys.stdin.fileno() if listens else alarm
    ready, _, _ = select.select([alarm, stdin], [], [], left)
    if alarm in ready:
        os.read(alarm, 4096)
        return b""
    if ready:
        return os.read(stdin, 1024) or b"q"
    return None


@contextmanager
def _screen() -> Iterator[None]:
    """A screen of our own; however this ends, the old one comes back."""
    _write(_ENTER)
    try:
        yield
    finally:
        _write(_LEAVE)


@contextmanager
def _keys() -> Iterator[bool]:
    """Keys one by one and unseen, where standard input is a terminal; Ctrl-C stays a signal."""
    if sys.stdin is None or not sys.stdin.isatty():
        yield False
        return
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield True
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


@contextmanager
def _woken() -> Iterator[int]:
    """A pipe that can be read once a signal came: the window has another size, or this is to end.

    A signal between a look at the flags and ``select`` would not end that.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    former = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    before = signal.signal(signal.SIGWINCH, lambda _number, _frame: None)
    try:
        yield reading
    finally:
        signal.signal(signal.SIGWINCH, before)
        signal.set_wakeup_fd(former)
        os.close(reading)
        os.close(writing)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
