"""``corosync-cmapctl``: Corosync's timing in force, and its node list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..acquire.tools import Tool
from ..verdict.view import Answer
from .base import ToolInput
from .corosync import judged

if TYPE_CHECKING:
    from ..acquire.source import Stream
    from ..model.corosync import Cmap
    from .evidence import Evidence


def _read(stream: Stream) -> Any:
    from ..read.corosync import read_cmapctl

    return read_cmapctl(stream.read().decode("utf-8", "replace"))


def _answer(evidence: Evidence) -> Answer[Cmap]:
    return judged(evidence.attempt(CMAP))


CMAP: ToolInput[Cmap] = ToolInput(
    "corosync-cmapctl",
    50,
    Tool("corosync-cmapctl", (), "corosync-cmapctl.txt"),
    _read,
    _answer,
)
