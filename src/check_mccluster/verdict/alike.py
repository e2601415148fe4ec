"""Many volumes, or tools, of which the same is said are told as one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Optional

from .finding import Finding
from .problems import SUDOERS, TOOL_DENIED, TOOL_MISSING, WITHOUT_SUDO
from .subject import DRBD, TOOL, VOLUME
from .view import View
from .words import join, of_many

MANY = 3
"""So many volumes of which the same is said are one."""

_FIGURE = r"(?<![\w.-])\d+(?:\.\d+)?(?:%| (?:s|min|h|d|B|[KMGT]iB)(?!\w)) ?"
_BARE = frozenset({"", "done", "left", "to go"})


def mark(each: Finding) -> Optional[tuple[object, ...]]:
    """What two findings have in common that say the same; ``None`` where it is about one alone.

    A figure, as how much of a resync is done, makes no two of one.
    """
    said = _of_any(each)
    if not said:
        return None
    if each.subject.sort == TOOL:
        return (each.kind, each.state, said)
    return (each.kind, each.state, each.nodes, each.reason, re.sub(_FIGURE, "", said))


def is_one(same: Sequence[Finding]) -> bool:
    """Whether faults with the same mark are one; those of one resource, and tools, always are."""
    if same[0].subject.sort == TOOL:
        return len(same) > 1
    one_resource = len({each.subject.name for each in same}) == 1
    return len(same) >= (2 if one_resource else MANY)


def text_of(same: Sequence[Finding]) -> str:
    """What is said of all of them: ``Outdated, no resync: 60 volumes (a/0, b/0 and 58 more)``."""
    said = _of_all([_of_any(each) for each in same])
    if same[0].subject.sort == TOOL:
        return of_tools([each.object for each in same], said)
    what = "volumes" if same[0].subject.sort == VOLUME else "resources"
    return of_many([each.object for each in same], said, what)


def of_tools(names: Sequence[str], said: str) -> str:
    """What is said of several tools.

    :param said: what stands behind the name of one.
    """
    if len(names) > 1:
        said = re.sub(r"^ is ", " are ", said)
    return f"{join(names, 8)}{said}"


def said_of_tool(each: Finding) -> str:
    """What is said of a tool that may not be asked or is not there, without its name.

    The line of sudoers is another one for each: the step names the file that has them all.
    """
    known = each.kind in (TOOL_DENIED, TOOL_MISSING) and each.text.startswith(each.object)
    return each.text[len(each.object) :].partition(SUDOERS)[0] if known else ""


def denied_beside(view: View, told: Iterable[Finding]) -> Iterator[Finding]:
    """Tools that may not be asked either, for the same reason, and that no check has to read."""
    known = {said_of_tool(each): each for each in told if each.kind is TOOL_DENIED}
    if known:
        objects = {each.object for each in told}
        for key in view.inputs:
            for each in (*view[key].problems, *view[key].silent):
                if said_of_tool(each) in known and each.object not in objects:
                    yield each


def step_of(same: Sequence[Finding]) -> str:
    """The step of tools that may not be asked: one sudoers file, and what else each needs."""
    first, *others = dict.fromkeys(each.next_step for each in same)
    ways = (step.partition(WITHOUT_SUDO)[2] for step in others)
    return "; ".join([first, *(way for way in ways if way)])


def _of_any(each: Finding) -> str:
    """What is said of a volume, a resource of DRBD or a tool, without its name; else empty."""
    if each.subject.sort == TOOL:
        return said_of_tool(each)
    if each.subject.sort not in (VOLUME, DRBD):
        return ""
    name, colon, said = each.text.partition(": ")
    return said if colon and name == each.object and each.subject.name not in said else ""


def _of_all(texts: Sequence[str]) -> str:
    """The words that all have in common: a figure that differs is left out."""
    if len(set(texts)) == 1:
        return texts[0]
    parts = []
    for several in zip(*(text.split(", ") for text in texts)):
        words = several[0] if len(set(several)) == 1 else re.sub(_FIGURE, "", several[0]).strip()
        if words not in _BARE:
            parts.append(words)
    return ", ".join(parts)
