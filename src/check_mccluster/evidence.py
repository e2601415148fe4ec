"""From a source to a view: open each tool once, read it, judge whether it is evidence."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Optional, TypeVar

from .acquire import tools
from .acquire.source import (
    AcquireError,
    ModuleUnfit,
    OutputTooLarge,
    Source,
    Stream,
    ToolDenied,
    ToolMissing,
    ToolTimeout,
)
from .acquire.tools import Tool
from .judge import inputs
from .judge.inputs import Attempt, Fault
from .judge.view import Answer, Asked, Input, View, contains_node
from .model.config import Config
from .read.errors import NotXml, ReadError

if TYPE_CHECKING:
    from .model.drbd import DrbdResource, ShownResource
    from .model.pacemaker import Cluster

T = TypeVar("T")

_TOOLS = {
    Input.CLUSTER: tools.CRM_MON,
    Input.CIB: tools.CIB,
    Input.VOTES: tools.QUORUMTOOL,
    Input.LINKS: tools.CFGTOOL,
    Input.CMAP: tools.CMAPCTL,
    Input.DRBD: tools.DRBD_STATUS,
    Input.SHOW: tools.DRBD_SHOW,
}

_FAULTS = {
    ToolMissing: Fault.MISSING,
    ToolDenied: Fault.DENIED,
    ToolTimeout: Fault.TIMEOUT,
    ModuleUnfit: Fault.MODULE,
    OutputTooLarge: Fault.INVALID,
}


@dataclass
class Evidence:
    """What a source tells, each tool opened at most once however many checks ask.

    :param node: overrides the source's own name of the node.
    :param sample: seconds between two readings of DRBD; ``None``: a second reading is used only
        if a snapshot holds one.
    """

    source: Source
    config: Config = field(default_factory=Config)
    node: Optional[str] = None
    sample: Optional[float] = None
    _attempts: dict[Tool, Attempt[Any]] = field(default_factory=dict)

    @property
    def here(self) -> Optional[str]:
        """The name of the node that is judged as this node."""
        return self.node or self.source.node

    def view(self, wanted: Collection[Input], drbd_filter: Asked) -> View:
        """Read the *wanted* inputs and judge each as evidence.

        :param drbd_filter: which DRBD resources count, and which names are expected to be up.
        """
        needed = [_TOOLS[source] for source in Input if source in wanted and source in _TOOLS]
        if Input.DRBD in wanted or Input.SHOW in wanted:
            needed.append(tools.DRBD_RESOURCES)
        self.source.prepare(tuple(needed))
        cluster = self._cluster() if Input.CLUSTER in wanted else Answer[Any]()
        drbd = self._drbd(drbd_filter) if Input.DRBD in wanted else Answer[Any]()
        again = Answer[Any]()
        if Input.DRBD_AGAIN in wanted and drbd.value is not None:
            again = self._drbd_again(drbd.value)
        return View(
            node=self.here,
            time=self.source.time,
            config=self.config,
            cluster=cluster,
            cib=inputs.cib(self._attempt(tools.CIB), cluster) if Input.CIB in wanted else Answer(),
            votes=inputs.votes(self._attempt(tools.QUORUMTOOL))
            if Input.VOTES in wanted
            else Answer(),
            links=inputs.links(self._attempt(tools.CFGTOOL)) if Input.LINKS in wanted else Answer(),
            cmap=inputs.cmap(self._attempt(tools.CMAPCTL)) if Input.CMAP in wanted else Answer(),
            drbd=drbd,
            drbd_others=self._drbd_others(drbd_filter) if drbd.value is not None else (),
            drbd_again=again,
            show=self._show(drbd_filter) if Input.SHOW in wanted else Answer(),
        )

    def expected_drbd(self, drbd_filter: Asked) -> tuple[str, ...]:
        """DRBD resources that should be up here: configured, asked for by name, in drbd.d."""
        configured = (
            name
            for name, rule in self.config.drbd.items()
            if not rule.nodes or contains_node(rule.nodes, self.here)
        )
        own = self.source.expected_drbd_resources() or ()
        names = dict.fromkeys((*configured, *drbd_filter.literals, *own))
        return tuple(name for name in names if drbd_filter.wants(name))

    # -- single inputs -------------------------------------------------------------------------

    def _cluster(self) -> Answer[Cluster]:
        attempt = self._attempt(tools.CRM_MON)
        document = attempt.document
        runs: Optional[bool] = None
        if attempt.fault in (None, Fault.INVALID) and (
            document is None or document.cluster is None
        ):
            # Only a missing answer makes it worth asking whether Corosync runs.
            asked = (tools.CFGTOOL, tools.CMAPCTL, tools.QUORUMTOOL)
            self.source.prepare(asked)
            runs = inputs.corosync_runs(*(self._attempt(tool) for tool in asked))
        return inputs.cluster(attempt, runs)

    def _drbd(self, drbd_filter: Asked) -> Answer[tuple[DrbdResource, ...]]:
        attempt = self._attempt(tools.DRBD_STATUS)
        return inputs.drbd(attempt, self.expected_drbd(drbd_filter), drbd_filter)

    def _drbd_others(self, drbd_filter: Asked) -> tuple[DrbdResource, ...]:
        document = self._attempt(tools.DRBD_STATUS).document or ()
        return tuple(each for each in document if not drbd_filter.wants(each.name))

    def _drbd_again(self, first: tuple[DrbdResource, ...]) -> Answer[tuple[DrbdResource, ...]]:
        if self.sample is None and not self.source.recorded:
            return Answer()
        if self.sample is not None:
            self.source.wait(self.sample)
        attempt = self._attempt(tools.DRBD_STATUS_AGAIN)
        if attempt.fault is Fault.MISSING and self.sample is None:
            return Answer()
        return inputs.drbd_again(attempt, first)

    def _show(self, drbd_filter: Asked) -> Answer[tuple[ShownResource, ...]]:
        return inputs.show(self._attempt(tools.DRBD_SHOW), self.expected_drbd(drbd_filter))

    # -- reading -------------------------------------------------------------------------------

    def _attempt(self, tool: Tool) -> Attempt[Any]:
        if tool not in self._attempts:
            self._attempts[tool] = _read(self.source, tool)
        return self._attempts[tool]


def _read(source: Source, tool: Tool) -> Attempt[Any]:
    """Open, read, wait for the end; whatever goes wrong becomes part of the attempt."""
    program, command = tool.name, tool.command
    document: Any = None
    detail, text = "", ""
    fault: Optional[Fault] = None
    try:
        stream = source.open(tool)
        try:
            document = _reader(tool)(stream)
        except NotXml as error:
            fault, detail, text = Fault.INVALID, str(error), error.text
        except ReadError as error:
            fault, detail = Fault.INVALID, str(error)
        ending = stream.finish()
    except AcquireError as error:
        return Attempt(program, command, _FAULTS[type(error)], error.detail)
    return Attempt(program, command, fault, detail, ending.exit_code, ending.stderr, document, text)


def _reader(tool: Tool) -> Callable[[Stream], Any]:
    """The reader of a tool's output; XML's library is loaded only where XML is read."""
    if tool is tools.CRM_MON:
        from .read.crm_mon import read_crm_mon

        return read_crm_mon
    if tool is tools.CIB:
        from .read.cib import read_cib

        return read_cib
    if tool in (tools.DRBD_STATUS, tools.DRBD_STATUS_AGAIN):
        from .read.drbd_status import read_drbd_status

        return lambda stream: read_drbd_status(stream.read())
    if tool is tools.DRBD_SHOW:
        from .read.drbd_show import read_drbd_show

        return lambda stream: read_drbd_show(stream.read())
    from .read import corosync

    of_text: dict[Tool, Callable[[str], Any]] = {
        tools.QUORUMTOOL: corosync.read_quorumtool,
        tools.CFGTOOL: corosync.read_cfgtool,
        tools.CMAPCTL: corosync.read_cmapctl,
    }
    return lambda stream: of_text[tool](stream.read().decode("utf-8", "replace"))
