"""What a site may tell the suite: the configuration file as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Optional

from ..values import NamedTuple


class PlacementRule(NamedTuple):
    """``[pacemaker.resources.NAME]``: nodes a resource may run on, and where it is at home."""

    allowed: Optional[tuple[str, ...]] = None
    preferred: Optional[str] = None


class DrbdRule(NamedTuple):
    """``[drbd.NAME]``: nodes with a disk, intended clients, and the Pacemaker resource on top."""

    replicas: Optional[tuple[str, ...]] = None
    clients: Optional[tuple[str, ...]] = None
    runs_with: Optional[str] = None

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node of the mesh that the file names."""
        return (self.replicas or ()) + (self.clients or ())


class Config(NamedTuple):
    """The configuration file; everything absent means "nothing is known about that"."""

    nodes: Optional[tuple[str, ...]] = None
    tie_breakers: tuple[str, ...] = ()
    resources: Mapping[str, PlacementRule] = MappingProxyType({})
    drbd: Mapping[str, DrbdRule] = MappingProxyType({})
    severity: Mapping[str, str] = MappingProxyType({})
    overview_skip: tuple[str, ...] = ()
    tools: Mapping[str, str] = MappingProxyType({})
    cluster_hosts: Mapping[str, str] = MappingProxyType({})
    cluster_via: tuple[str, ...] = ()
    cluster_name: Optional[str] = None

    @property
    def has_names(self) -> bool:
        """Whether it names nodes or resources that have to be known."""
        return bool(self.tie_breakers or self.resources or self.drbd)
