"""Many volumes of which the same is said are told as one: what is said first, then their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Optional

from .finding import Finding
from .subject import DRBD, VOLUME
from .words import join

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
    return (each.kind, each.state, each.nodes, each.reason, re.sub(_FIGURE, "", said))


def is_one(same: Sequence[Finding]) -> bool:
    """Whether faults with the same mark are one; those of one resource always are."""
    one_resource = len({each.subject.name for each in same}) == 1
    return len(same) >= (2 if one_resource else MANY)


def text_of(same: Sequence[Finding]) -> str:
    """What is said of all of them: ``Outdated, no resync: 60 volumes (a/0, b/0 and 58 more)``."""
    what = "volumes" if same[0].subject.sort == VOLUME else "resources"
    names = join((each.object for each in same), 2)
    return f"{_of_all([_of_any(each) for each in same])}: {len(same)} {what} ({names})"


def _of_any(each: Finding) -> str:
    """What is said of a volume, or of a resource of DRBD, without its name; empty for others."""
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
