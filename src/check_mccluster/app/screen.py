"""The terminal that a command writes to: its width, and whether it has colours."""

from __future__ import annotations

import os
import shutil
import sys

from ..present.layout import Line, render

NARROWEST, PLAIN, WIDEST = 60, 80, 240
"""Columns: narrower is wrapped by the terminal, wider lines are hard to read."""


def rendered(line: Line) -> str:
    """A line as it goes to standard output."""
    return render(line, in_colour())


def in_colour() -> bool:
    """On a terminal, unless https://no-color.org or a dumb terminal says no."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and sys.stdout.isatty()


def width() -> int:
    """Columns to write in."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return PLAIN
    return min(max(shutil.get_terminal_size().columns or 80, NARROWEST), WIDEST)  # 0: a serial line
