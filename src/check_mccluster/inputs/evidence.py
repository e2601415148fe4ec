"""From a source to a view: open each tool once, read it, judge whether it is evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Optional, TypeVar

from ..acquire.source import (
    AcquireError,
    Ending,
    ModuleUnfit,
    OutputTooLarge,
    Run,
    Source,
    Stream,
    ToolDenied,
    ToolMissing,
    ToolTimeout,
)
from ..acquire.tools import Tool
from ..model.config import Config
from ..read.errors import NotXml, ReadError
from ..verdict.filter import Filter
from ..verdict.view import Answer, Input, View, contains_node, same_node
from .base import AnsweredInput, Attempt, Obstacle, ToolInput

if TYPE_CHECKING:
    from ..model.drbd import DrbdResource
    from ..model.pacemaker import Cluster

T = TypeVar("T")

DRBD_RESOURCES = Tool("drbdadm", ("sh-resources",), "drbdadm-sh-resources.txt", by_root=False)
"""What this node's own ``/etc/drbd.d`` names; drbdadm reads files that everybody may read."""
DRBD_UTILS = Tool(
    "drbdadm", ("--version",), "drbdadm-version.txt", by_root=False, loads_module=True
)
"""The version of drbd-utils; it is asked for only where nodes are compared."""

_OBSTACLES = {
    ToolMissing: Obstacle.MISSING,
    ToolDenied: Obstacle.DENIED,
    ToolTimeout: Obstacle.TIMEOUT,
    ModuleUnfit: Obstacle.MODULE,
    OutputTooLarge: Obstacle.INVALID,
}


class Evidence:
    """What a source tells, each tool opened at most once however many checks ask.

    :param node: overrides the source's own name of the node.
    :param sample: seconds between two readings of DRBD; ``None``: a second reading is used only
        if a snapshot holds one.
    :param filter: which DRBD resources count, and which names are expected to be up.
    :param simulator: opens the machine on which Pacemaker's scheduler can be asked about this
        source's CIB; without it only what was recorded is used.
    """

    def __init__(
        self,
        source: Source,
        config: Optional[Config] = None,
        node: Optional[str] = None,
        sample: Optional[float] = None,
        filter: Filter = Filter(),  # noqa: B008 - a value
        *,
        simulator: Optional[Callable[[], Source]] = None,
    ) -> None:
        self.source = source
        self.config = Config() if config is None else config
        self.here = node or source.node
        self.sample = sample
        self.filter = filter
        self.simulator = simulator
        self.losses: Optional[Callable[[Cluster], Iterable[tuple[str, ...]]]] = None
        """Which nodes are to be lost in simulations; ``None``: each that a service runs on."""
        self.drbd_others: tuple[DrbdResource, ...] = ()
        """Resources that the filter leaves out; set by the answer of drbdsetup."""
        self.more_runs: tuple[Run, ...] = ()
        """What was run elsewhere than on the source: simulations."""
        self._attempts: dict[Input[Any], Attempt[Any]] = {}
        self._answers: dict[Input[Any], Answer[Any]] = {}
        self._copies: dict[ToolInput[Any], bytearray] = {}

    def keep(self, wanted: Iterable[Input[Any]]) -> None:
        """Have what these inputs need a copy of, though they may be read later than its tool."""
        for key in wanted:
            if isinstance(key, AnsweredInput):
                for tool in key.copies:
                    self._copies.setdefault(tool, bytearray())

    def view(self, wanted: Iterable[Input[Any]]) -> View:
        """Read the *wanted* inputs and judge each as evidence."""
        keys = sorted({key for key in wanted if isinstance(key, AnsweredInput)}, key=_rank)
        self.keep(keys)
        self.prepare(*(key for key in keys if isinstance(key, ToolInput)))
        answers: dict[Input[Any], Answer[Any]] = {key: self.answer(key) for key in keys}
        return View(
            self.here,
            self.source.time,
            answers,
            config=self.config,
            here=self._own_name(),
            drbd_others=self.drbd_others,
            drbd_module=self.source.drbd_module()[1],
            drbd_utils=self.source.drbd_utils(),
        )

    def prepare(self, *keys: ToolInput[Any]) -> None:
        """Start these tools at once, before the first of them is waited for."""
        tools = [key.tool for key in keys]
        if any(tool.loads_module for tool in tools):
            tools.append(DRBD_RESOURCES)
        self.source.prepare(tuple(tools))

    def runs(self) -> tuple[Run, ...]:
        """What was run or read so far."""
        return (*self.source.runs(), *self.more_runs)

    def answer(self, key: AnsweredInput[T]) -> Answer[T]:
        """What one tool's answer is worth."""
        if key not in self._answers:
            self._answers[key] = key.answer(self)
        return self._answers[key]

    def copy(self, key: ToolInput[Any]) -> bytes:
        """What the tool printed, if an input asked for a copy; empty if it was too much."""
        return bytes(self._copies.get(key, b""))

    def attempt(self, key: ToolInput[Any]) -> Attempt[Any]:
        """What came of running one tool."""
        if key not in self._attempts:
            self._attempts[key] = self._read(key)
        return self._attempts[key]

    def expected_drbd(self) -> tuple[str, ...]:
        """DRBD resources that should be up here: configured, asked for by name, in drbd.d."""
        own = self.own_drbd() or ()
        configured = (name for name in self._configured_drbd() if not own or name in own)
        names = dict.fromkeys((*configured, *self.filter.literals, *own))
        return tuple(name for name in names if self.filter.wants(name))

    def own_drbd(self) -> Optional[tuple[str, ...]]:
        """The resources of the node's own drbd.d; ``None`` if nobody knows."""
        return self.source.expected_drbd_resources(DRBD_RESOURCES)

    def unknown_drbd(self) -> tuple[str, ...]:
        """What the configuration file expects here and the node's own drbd.d does not have."""
        own = self.own_drbd()
        strange = (name for name in self._configured_drbd() if own and name not in own)
        return tuple(name for name in strange if self.filter.wants(name))

    def _configured_drbd(self) -> Iterator[str]:
        for name, rule in self.config.drbd.items():
            if not rule.nodes or contains_node(rule.nodes, self.here):
                yield name

    def _own_name(self) -> Optional[str]:
        for key, answer in self._answers.items():
            if (
                isinstance(key, AnsweredInput)
                and key.names is not None
                and answer.value is not None
            ):
                for name in key.names(answer.value):
                    if same_node(name, self.here):
                        return name
        return self.here

    def _read(self, key: ToolInput[Any]) -> Attempt[Any]:
        """Open, read, wait for the end; whatever goes wrong becomes part of the attempt."""
        program, command = key.tool.name, key.tool.command
        document: Any = None
        detail, text = "", ""
        obstacle: Optional[Obstacle] = None
        try:
            stream = self.source.open(key.tool)
            if key in self._copies:
                stream = _Copied(stream, self._copies[key])
            try:
                document = key.read(stream)
            except NotXml as error:
                obstacle, detail, text = Obstacle.INVALID, str(error), error.text
            except ReadError as error:
                obstacle, detail = Obstacle.INVALID, str(error)
            ending = stream.finish()
        except AcquireError as error:
            return Attempt(
                program, command, _OBSTACLES[type(error)], error.detail, user=self.source.user
            )
        return Attempt(
            *(program, command, obstacle, detail, ending.exit_code, ending.stderr),
            *(document, text, self.source.user),
        )


COPY_LIMIT = 16 * 2**20
"""The most of a tool's output that is kept as it is, in bytes."""


class _Copied(Stream):
    """A stream that leaves a copy of what was read of it, unless that grows too large."""

    def __init__(self, stream: Stream, copy: bytearray) -> None:
        self._stream = stream
        self._copy = copy
        self._full = False

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._full = self._full or len(self._copy) + len(data) > COPY_LIMIT
        if self._full:
            self._copy.clear()
        else:
            self._copy += data
        return data

    def finish(self) -> Ending:
        return self._stream.finish()


def _rank(key: Input[Any]) -> int:
    return key.rank
