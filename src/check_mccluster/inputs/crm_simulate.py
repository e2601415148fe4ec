"""``crm_simulate``: what Pacemaker's scheduler would do if a node were lost.

It gets the CIB on its standard input, needs no right and no cluster, and changes nothing: it keeps
a copy of the CIB in ``CIB_shadow_dir`` while it runs. One simulation answers for every service, so
each loss is asked about once. That it cannot be asked is no problem of its own: our own rules
judge then, and their text says so.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Optional

from ..acquire.source import AcquireError, Source, ToolMissing
from ..acquire.tools import Tool
from ..model.pacemaker import Clone, Cluster, Group, Primitive, Role, primitives
from ..model.simulation import Simulation, Simulations
from ..read.errors import NotXml, ReadError
from ..verdict.view import Answer
from .base import AnsweredInput
from .cibadmin import CIB
from .crm_mon import CLUSTER

if TYPE_CHECKING:
    from datetime import datetime

    from ..acquire.source import Stream
    from .evidence import Evidence

NOT_RECORDED = "no answer of it was recorded, and --simulate was not given"

Loss = tuple[str, ...]

MOST_AT_ONCE = 4
"""So many simulations run at the same time, or as many as there are processors."""
SAFE_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
"""Names of nodes that are fit for a file's name; others are simulated, and not recorded."""


MOST_STEPS = 40
"""With more instances than these the actions are only planned: carrying them out, if only in
memory, takes crm_simulate 0.2 s of CPU for 40, 1.7 s for 100, more than a minute for 500."""
MOST_AT_A_TIME = 4 * 2**20
"""Bytes of CIBs that one check has simulated: planning takes about 0.4 s of CPU for a MiB. So many
losses as fit are asked about, the busiest nodes first."""
MOST_EVER = 16 * 2**20
"""A larger CIB is not simulated at all: it takes memory by the gigabyte."""


def simulation(loss: Loss, at: Optional[datetime] = None, *, planned: bool = False) -> Tool:
    """The command that simulates a loss.

    :param at: the time that rules with a date and failure-timeouts count from; default: now.
    :param planned: ask for the actions only, and not for the state that they lead to.
    """
    nodes = [word for name in loss for word in ("--node-down", name)]
    when = () if at is None else ("--set-datetime", at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return Tool(
        "crm_simulate",
        ("--xml-pipe", *nodes, *when, "--run" if planned else "--simulate", "--output-as=xml"),
        f"crm_simulate.{'+'.join(loss)}.xml",
        limit=64 * 2**20,
        by_root=False,
        scratch="CIB_shadow_dir",
    )


def scheduler_input(cib: bytes) -> bytes:
    """A CIB as it is simulated: without the digests of the parameters of past operations.

    Where secrets were taken out, or an ACL hides them, the digests do not fit any more, and the
    scheduler would restart everything and forget fail-counts.
    """
    return re.sub(rb' op-(?:secure-|restart-)?digest="[^"]*"', b"", cib)


def occupied(cluster: Cluster) -> tuple[Loss, ...]:
    """Each node that a service runs on, or is promoted on; the busiest first."""
    counts: dict[str, int] = {}
    for resource in cluster.resources:
        for each in primitives(resource):
            if isinstance(resource, Clone):
                counted = bool(resource.promotable) and each.role is Role.PROMOTED
            else:
                counted = isinstance(resource, (Group, Primitive)) and not each.is_fence_device
            if counted and each.role is not Role.STOPPED:
                for node in each.nodes:
                    counts[node] = counts.get(node, 0) + 1
    known = {node.name for node in cluster.nodes if node.online and node.id_as_resource is None}
    return tuple((name,) for name in sorted(counts, key=lambda n: (-counts[n], n)) if name in known)


def each_node(cluster: Cluster) -> tuple[Loss, ...]:
    """Each node that could be lost: those that are online, guests aside. The busiest first."""
    busy = occupied(cluster)
    rest = sorted(node.name for node in cluster.nodes if node.online and node.runs_services)
    return (*busy, *((name,) for name in rest if (name,) not in busy))


def _answer(evidence: Evidence) -> Answer[Simulations]:
    cluster = evidence.answer(CLUSTER).value
    if cluster is None:
        return Answer()
    asked = (evidence.losses or occupied)(cluster)
    losses = [tuple(sorted(loss)) for loss in asked]
    done: dict[Loss, Simulation] = {}
    unasked: dict[Loss, str] = {}
    if evidence.source.recorded:
        _ask(evidence.source, {loss: simulation(loss) for loss in losses}, done, unasked)
    left = [loss for loss in losses if loss not in done]
    return Answer(Simulations(done, unasked).beside(simulated(evidence, left)))


def simulated(evidence: Evidence, losses: Sequence[Loss]) -> Simulations:
    """What the scheduler says of these losses, where it may be asked.

    What was read before is enough: the source itself is not opened again.
    """
    cluster, cib = evidence.answer(CLUSTER).value, evidence.answer(CIB).value
    done: dict[Loss, Simulation] = {}
    unasked: dict[Loss, str] = {}
    if cluster is None or evidence.simulator is None or not losses:
        return Simulations(done, unasked)
    left = [tuple(sorted(loss)) for loss in losses]
    data = scheduler_input(evidence.copy(CIB)) if cib is not None else b""
    too_many = left[affordable(len(data), whole=evidence.losses is not None) :]
    unasked.update(dict.fromkeys(too_many, f"the CIB has {len(data) / 2**20:.1f} MiB"))
    left = [loss for loss in left if loss not in too_many]
    if data and left:
        at = evidence.source.time if evidence.source.recorded else None
        with evidence.simulator() as machine:
            tools = {loss: simulation(loss, at, planned=is_large(cluster)) for loss in left}
            for tool in tools.values():
                machine.give(tool, data)
            _ask(machine, tools, done, unasked)
            evidence.more_runs = machine.runs()
    elif not data:
        unasked.update(dict.fromkeys(left, "no CIB, or one that is too large"))
    return Simulations(done, unasked)


def is_large(cluster: Cluster) -> bool:
    """Whether there is so much that the actions are only planned."""
    return sum(1 for top in cluster.resources for _ in primitives(top)) > MOST_STEPS


def affordable(size: int, *, whole: bool) -> int:
    """How many simulations of a CIB of *size* bytes one run does.

    :param whole: the caller asked for all of them, and waits.
    """
    if size > MOST_EVER:
        return 0
    return MOST_AT_A_TIME // max(size, 1) if not whole else 10_000


def _ask(
    machine: Source,
    tools: Mapping[Loss, Tool],
    done: dict[Loss, Simulation],
    unasked: dict[Loss, str],
) -> None:
    """Ask about each loss, several at a time, until something says that nothing will answer."""
    order = list(tools)
    at_once = min(MOST_AT_ONCE, len(os.sched_getaffinity(0)))
    for position, loss in enumerate(order):
        machine.prepare(tuple(tools[each] for each in order[position : position + at_once]))
        try:
            stream = machine.open(tools[loss])
            found: Optional[Simulation] = None
            try:
                found = _read(stream)
            except NotXml:
                unasked[loss] = "crm_simulate prints text, as before Pacemaker 2.1: not read"
            except ReadError as error:
                unasked[loss] = f"crm_simulate: {error}"
            code = stream.finish().exit_code
            if found is not None and code == 0:
                done[loss] = found
            elif found is not None or code:
                unasked[loss] = f"crm_simulate failed with exit code {code}"
        except ToolMissing as error:
            unasked[loss] = NOT_RECORDED if machine.recorded else error.detail
            if not machine.recorded:
                unasked.update(dict.fromkeys(order[position:], error.detail))
                return
        except AcquireError as error:
            unasked[loss] = error.detail


def _read(stream: Stream) -> Simulation:
    from ..read.crm_simulate import read_crm_simulate

    return read_crm_simulate(stream)


SIMULATIONS: AnsweredInput[Simulations] = AnsweredInput("crm_simulate", 90, _answer, copies=(CIB,))
