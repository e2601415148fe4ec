"""A node whose crm_mon does not answer: which daemon hangs, by what else answers there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..inputs.cibadmin import CIB
from ..inputs.corosync_cfgtool import LINKS
from ..inputs.corosync_cmapctl import CMAP
from ..inputs.corosync_quorumtool import VOTES
from ..inputs.crm_mon import CLUSTER
from ..verdict.finding import Finding
from ..verdict.problems import TOOL_TIMEOUT
from ..verdict.view import Input, Judgement, View
from .partitions import Partition

_COROSYNC: tuple[Input[Any], ...] = (LINKS, CMAP, VOTES)
_STEP = (
    "on {node}: ps -C corosync,pacemakerd,pacemaker-based,pacemaker-fenced"
    " -o pid,stat,wchan:20,comm (T: stopped, D: waits for a disk);"
    " journalctl -u corosync -u pacemaker"
)


def with_daemons(
    found: Sequence[Finding], seen: Sequence[Judgement], parts: Sequence[Partition]
) -> Iterator[Finding]:
    """The findings, those of a crm_mon that did not answer with what hangs there.

    Only where a member that answers counts the node as online: one that is lost needs no more.
    """
    views = {one.view.here: one.view for one in seen if _timed_out(one.view, CLUSTER)}
    for each in found:
        view = views.get(each.nodes[0]) if len(each.nodes) == 1 else None
        if view is None or each.key != TOOL_TIMEOUT.key or "crm_mon" not in each.text:
            yield each
            continue
        members = (part.speaker.view.here for part in parts if view.here in part.members)
        by = next(members, None)
        if by is None:
            yield each
            continue
        text = f"{each.text}, {by} counts it as online: {_what(view)}"
        yield each._replace(text=text, reason="daemon", next_step=_STEP.format(node=view.here))


def _what(view: View) -> str:
    """What hangs: crm_mon asks pacemakerd, the CIB and fencing; cibadmin the CIB alone."""
    if any(_timed_out(view, tool) for tool in _COROSYNC):
        return "its Corosync hangs, or the whole node"
    if not any(view[tool].value is not None for tool in _COROSYNC):
        return "its daemons hang"
    if _timed_out(view, CIB):
        return "its Corosync answers, its pacemaker-based (the CIB) hangs"
    if view[CIB].value is not None:
        return "its CIB answers, its pacemakerd or pacemaker-fenced hangs"
    return "its Corosync answers, its Pacemaker hangs"


def _timed_out(view: View, tool: Input[Any]) -> bool:
    return any(problem.kind is TOOL_TIMEOUT for problem in view[tool].problems)
