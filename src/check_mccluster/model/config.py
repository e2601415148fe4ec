"""What a site may tell the suite: the configuration file as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional


@dataclass(frozen=True)
class PlacementRule:
    """``[pacemaker.resources.NAME]``: nodes a resource may run on, and where it is at home."""

    allowed: Optional[tuple[str, ...]] = None
    preferred: Optional[str] = None


@dataclass(frozen=True)
class DrbdRule:
    """``[drbd.NAME]``: nodes with a disk, intended clients, and the Pacemaker resource on top."""

    replicas: Optional[tuple[str, ...]] = None
    clients: Optional[tuple[str, ...]] = None
    runs_with: Optional[str] = None

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node of the mesh that the file names."""
        return (self.replicas or ()) + (self.clients or ())


@dataclass(frozen=True)
class Config:
    """The configuration file; everything absent means "nothing is known about that"."""

    nodes: Optional[tuple[str, ...]] = None
    tie_breakers: tuple[str, ...] = ()
    resources: Mapping[str, PlacementRule] = field(default_factory=dict)
    drbd: Mapping[str, DrbdRule] = field(default_factory=dict)
    severity: Mapping[str, str] = field(default_factory=dict)
    overview_skip: tuple[str, ...] = ()
    tools: Mapping[str, str] = field(default_factory=dict)
