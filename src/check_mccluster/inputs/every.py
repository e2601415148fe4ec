"""Every input there is: the modules of this folder that describe one."""

from __future__ import annotations

import importlib
import os
from functools import cache
from typing import Any

from .base import AnsweredInput, ToolInput


@cache
def every() -> tuple[AnsweredInput[Any], ...]:
    """All inputs in the order in which their problems are told."""
    found: set[AnsweredInput[Any]] = set()
    for entry in os.scandir(os.path.dirname(__file__)):
        name, _, suffix = entry.name.partition(".")
        if suffix == "py" and not name.startswith("_"):
            module = importlib.import_module(f"{__package__}.{name}")
            found.update(each for each in vars(module).values() if isinstance(each, AnsweredInput))
    return tuple(sorted(found, key=lambda key: key.rank))


def tools() -> tuple[ToolInput[Any], ...]:
    """Those that are one tool each."""
    return tuple(key for key in every() if isinstance(key, ToolInput))


def recorded() -> tuple[ToolInput[Any], ...]:
    """Those that every snapshot holds."""
    return tuple(key for key in tools() if key.recorded)
