"""A node whose tools do not answer: which daemon hangs, by what else answers there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..inputs.cibadmin import CIB
from ..inputs.corosync_cfgtool import LINKS
from ..inputs.corosync_cmapctl import CMAP
from ..inputs.corosync_quorumtool import VOTES
from ..inputs.crm_mon import CLUSTER
from ..verdict import subject
from ..verdict.finding import Finding, Report
from ..verdict.problems import TOOL_TIMEOUT
from ..verdict.view import Input, Judgement, View
from ..verdict.words import join
from .partitions import Partition

_COROSYNC: tuple[Input[Any], ...] = (LINKS, CMAP, VOTES)
_ALL: tuple[Input[Any], ...] = (CLUSTER, CIB, *_COROSYNC)
_STATES = "-o pid,stat,wchan:20,comm (T: kill -CONT PID; D: waits for a disk)"
_STEP = (
    "on {node}: ps -C corosync,pacemakerd,pacemaker-based,pacemaker-fenced"
    f" {_STATES}; journalctl -u corosync -u pacemaker"
)
# Without Corosync Pacemaker ends no stop in order, and ends itself with its services running.
_STEP_OF_COROSYNC = (
    f"on {{node}}: ps -C corosync {_STATES}; journalctl -u corosync; if it stays: stop by hand what"
    " runs there (Pacemaker cannot), then reboot it"
)
DAEMON = "daemon"
"""The word for "a daemon hangs"."""


def of_itself(view: View, reports: Sequence[Report]) -> list[Report]:
    """The reports of all checks of a node, what did not answer there with what hangs, once."""
    silent = [tool.name for tool in _ALL if _timed_out(view, tool)]
    what, step, own = _what(view)
    if not what:
        return [*reports]

    def told(each: Finding) -> Finding:
        if each.key != TOOL_TIMEOUT.key or each.object not in own:
            return each
        if len(silent) > 1:
            text = f"{what} ({join(silent)} did not answer)"
        else:
            text = f"{what}: {each.text}"
        about = subject.tool("corosync" if CLUSTER.name not in own else "pacemaker")
        return each._replace(
            subject=about, text=text, reason=DAEMON, next_step=step.format(node=view.here)
        )

    return [one._replace(findings=tuple(dict.fromkeys(map(told, one.findings)))) for one in reports]


def with_daemons(
    found: Sequence[Finding], seen: Sequence[Judgement], parts: Sequence[Partition]
) -> Iterator[Finding]:
    """The findings, those of a node where a daemon hangs with who counts it as online.

    Only where a member that answers does: one that is lost needs no more.
    """
    views = {one.view.here: one.view for one in seen if _timed_out(one.view, CLUSTER)}
    for each in found:
        view = views.get(each.nodes[0]) if len(each.nodes) == 1 else None
        known = each.reason == DAEMON or "crm_mon" in each.text
        if view is None or each.key != TOOL_TIMEOUT.key or not known:
            yield each
            continue
        members = (part.speaker.view.here for part in parts if view.here in part.members)
        by = next(members, None)
        if by is None:
            yield each
        elif each.reason == DAEMON:
            yield each._replace(text=f"{each.text}; {by} counts it as online")
        else:
            text = f"{each.text}; {by} counts it as online: its daemons hang"
            yield each._replace(text=text, reason=DAEMON, next_step=_STEP.format(node=view.here))


def _what(view: View) -> tuple[str, str, frozenset[str]]:
    """What hangs, the step, and which tools say so; empty words where that is not known.

    crm_mon asks pacemakerd, the CIB and fencing; cibadmin the CIB alone.
    """
    of_corosync = frozenset(tool.name for tool in _COROSYNC)
    everything = of_corosync | {CLUSTER.name, CIB.name}
    silent = [tool for tool in _COROSYNC if _timed_out(view, tool)]
    mute = not any(view[tool].value is not None for tool in _COROSYNC)
    if not _timed_out(view, CLUSTER):
        if len(silent) > 1 and mute:
            return "Corosync hangs", _STEP_OF_COROSYNC, of_corosync
        return "", "", frozenset()
    if silent:
        return "Corosync hangs, or the whole node", _STEP, everything
    if mute:
        return "", "", frozenset()  # nothing else was read: it may be slow
    if _timed_out(view, CIB):
        return "pacemaker-based (the CIB) hangs, Corosync answers", _STEP, everything
    if view[CIB].value is not None:
        return "pacemakerd or pacemaker-fenced hangs, the CIB answers", _STEP, everything
    return "Pacemaker hangs, Corosync answers", _STEP, everything


def _timed_out(view: View, tool: Input[Any]) -> bool:
    return any(problem.kind is TOOL_TIMEOUT for problem in view[tool].problems)
