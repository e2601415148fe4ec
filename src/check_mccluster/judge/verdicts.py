"""What all the checks say of one view, as one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from .finding import Fault, Figure, Report
from .view import View

TOOLS = "tools"
"""Stands for a check where a tool is at fault: what cannot be read cannot be judged."""


@dataclass(frozen=True)
class Verdicts:
    """What all the checks say of one view.

    :param overview: the report of ``overview``, with a line for each check that fits the node.
    :param faults: its faults, each with what follows from it; gravest first.
    :param figures: the figures of each check.
    :param unjudged: checks that a tool failed.
    :param owners: the first of these checks that can have a finding, by the finding's key.
    """

    view: View
    overview: Report
    faults: tuple[Fault, ...]
    figures: Mapping[str, Sequence[Figure]]
    unjudged: frozenset[str]
    owners: Mapping[str, str]

    def check_of(self, fault: Fault) -> str:
        """The check whose fault it is, or :data:`TOOLS`."""
        return self.owners.get(fault.cause.key, TOOLS)

    def figure(self, check: str, label: str) -> Optional[float]:
        """A figure of a check; ``None`` if it is not known, or the check does not fit the node."""
        return next((f.value for f in self.figures.get(check, ()) if f.label == label), None)
