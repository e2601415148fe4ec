"""The one interface to the outside: open a tool's output, know the node and the time."""

from __future__ import annotations

import abc
from datetime import datetime
from typing import Optional, TypeVar

from ..values import NamedTuple
from .tools import Tool

_S = TypeVar("_S", bound="Source")


class AcquireError(Exception):
    """A tool's output could not be had. The message is one line for an operator."""

    def __init__(self, tool: Tool, detail: str) -> None:
        super().__init__(detail)
        self.tool = tool
        self.detail = detail


class ToolMissing(AcquireError):
    """The program is not installed (or the snapshot has no file of it)."""


class ToolDenied(AcquireError):
    """The program may not be run by this user (exec permission, sudo refused)."""


class ToolTimeout(AcquireError):
    """The deadline passed before the tool ended; it and its children are killed."""


class OutputTooLarge(AcquireError):
    """More output than the tool's limit."""


class ModuleUnfit(AcquireError):
    """The DRBD kernel module is not loaded, or it is 8.4: the tool was not run."""


class SnapshotError(Exception):
    """The snapshot cannot be read at all. The message is one line for an operator."""


class Ending(NamedTuple):
    """How a tool ended. ``stderr`` is bounded text; ``seconds`` is wall time."""

    exit_code: int
    stderr: str
    seconds: Optional[float] = None


class Stream(abc.ABC):
    """A tool's standard output while it runs, or a recorded one. A binary file for readers.

    ``read`` raises :class:`ToolTimeout` at the deadline and :class:`OutputTooLarge` past the limit.
    """

    @abc.abstractmethod
    def read(self, size: int = -1) -> bytes:
        """At most *size* bytes, all that is left if negative; ``b""`` at the end."""

    @abc.abstractmethod
    def finish(self) -> Ending:
        """Discard what is left of the output, wait for the end, and tell how it went.

        :raises AcquireError: :class:`ToolTimeout` at the deadline, :class:`ToolDenied` if sudo
            refused to run the tool, or what ``read`` has raised before.
        """


class Run(NamedTuple):
    """A line for ``-vvv``: what was run or read, how it ended, and the seconds that it took."""

    command: str
    outcome: str
    seconds: Optional[float]


class Source(abc.ABC):
    """A machine or a snapshot. Each tool is run at most once; opening it again replays nothing."""

    #: Name of the node: the snapshot's, or this host's node name (``uname -n``).
    node: Optional[str]
    #: When the state was true: the snapshot's time, or now. Aware, UTC.
    time: datetime
    #: Whether this is a snapshot.
    recorded: bool

    @abc.abstractmethod
    def prepare(self, tools: tuple[Tool, ...]) -> None:
        """Start these tools at once, so that a hanging one does not use up the others' time."""

    def give(self, tool: Tool, data: bytes) -> None:  # noqa: B027 - a recording needs nothing
        """What *tool* will read from its standard input; before it is started."""

    @abc.abstractmethod
    def open(self, tool: Tool) -> Stream:
        """The tool's output, from the start. A tool is opened once.

        :raises AcquireError: if it cannot be run, or was not recorded.
        """

    @abc.abstractmethod
    def has(self, tool: Tool) -> bool:
        """Whether the program is installed (or the snapshot has a file of it); it is not run."""

    @abc.abstractmethod
    def wait(self, seconds: float) -> None:
        """Let time pass between two readings; at once in a snapshot.

        :raises ToolTimeout: never; a wait beyond the deadline ends at the deadline.
        """

    @abc.abstractmethod
    def drbd_module(self) -> tuple[bool, Optional[str]]:
        """Whether it is known that the kernel module is loaded, and its version.

        ``(True, "9.2.18")`` loaded; ``(True, None)`` known not to be loaded; ``(False, None)``
        not known (a snapshot that does not say).
        """

    @abc.abstractmethod
    def expected_drbd_resources(self, tool: Tool) -> Optional[tuple[str, ...]]:
        """DRBD resources that this node's own configuration names; ``None`` if nobody knows.

        :param tool: the one that prints them.
        """

    def ask_drbd_utils(self, tool: Tool) -> None:  # noqa: B027 - a recording needs nothing
        """Have *tool* say the version of drbd-utils: who compares nodes wants it, nobody else."""

    @abc.abstractmethod
    def drbd_utils(self) -> Optional[str]:
        """The version of drbd-utils, as recorded or asked for; ``None`` if nobody knows."""

    @abc.abstractmethod
    def runs(self) -> tuple[Run, ...]:
        """What was run or read so far, for ``-vvv``."""

    @abc.abstractmethod
    def close(self) -> None:
        """End every child that still runs, with its process group."""

    def user(self) -> str:
        """Who asks the tools; empty if nobody knows."""
        return ""

    def demand_module(self, tool: Tool) -> None:
        """Look whether *tool* may run: it must not load a kernel module, nor meet the wrong one.

        :raises ModuleUnfit: if *tool* needs DRBD 9 in the kernel and it is known not to be there.
        """
        if not tool.loads_module:
            return
        known, version = self.drbd_module()
        if known and version is None:
            raise ModuleUnfit(tool, "the DRBD kernel module is not loaded")
        if version is not None and version.startswith("8."):
            raise ModuleUnfit(
                tool,
                f"the loaded DRBD kernel module is {version}, the kernel's own 8.4 and not DRBD 9: "
                f"{tool.name} would run drbdsetup-84",
            )

    def __enter__(self: _S) -> _S:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
