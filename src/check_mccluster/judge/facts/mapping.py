"""Which Pacemaker resource stands on which DRBD resource."""

from __future__ import annotations

import re
from typing import NamedTuple, Optional

from ...inputs.cibadmin import CIB
from ...inputs.crm_mon import CLUSTER
from ...inputs.drbdsetup_status import DRBD
from ...model.drbd import DrbdResource
from ...model.pacemaker import Cluster, Primitive, Resource, primitives
from ...verdict.view import View
from .pacemaker import base_id

_MINOR = re.compile(r"/dev/drbd_?(\d+)$")
_BY_RES = re.compile(r"/dev/drbd/by-res/([^/]+)(?:/\d+)?$")
_DRBD = re.compile(r"/dev/drbd")


class Pair(NamedTuple):
    """A Pacemaker resource and the DRBD resource under it.

    :param drbd: the DRBD resource's name; ``None`` if the device's minor belongs to no resource
        that is up here. :param device: the device mounted, ``None`` if the pair was configured.
    """

    resource: str
    drbd: Optional[str]
    device: Optional[str]


def pairs(view: View) -> tuple[Pair, ...]:
    """Pairs of the configuration file, then those of the CIB's Filesystem resources."""
    found = {
        rule.runs_with: Pair(rule.runs_with, name, None)
        for name, rule in view.config.drbd.items()
        if rule.runs_with is not None
    }
    cib = view[CIB].value
    if cib is not None:
        for filesystem in cib.filesystems:
            device = filesystem.device
            if not _DRBD.match(device) or filesystem.resource in found:
                continue
            by_name = _BY_RES.match(device)
            name = by_name.group(1) if by_name else _by_minor(view, device)
            found[filesystem.resource] = Pair(filesystem.resource, name, device)
    return tuple(found.values())


def _by_minor(view: View, device: str) -> Optional[str]:
    match = _MINOR.match(device)
    if match is None:
        return None
    for resource in view[DRBD].value or ():
        if any(volume.minor == int(match.group(1)) for volume in resource.devices):
            return resource.name
    return None


def instances(cluster: Cluster, name: str) -> tuple[Primitive, ...]:
    """The instances of a primitive by its id: one, or those of a clone."""
    return tuple(
        each
        for resource in cluster.resources
        for each in primitives(resource)
        if base_id(each.id) == name
    )


def below(view: View, resource: Resource) -> tuple[Pair, ...]:
    """The pairs of a group's or resource's own members."""
    ids = {resource.id, *(each.id for each in primitives(resource))}
    return tuple(pair for pair in pairs(view) if pair.resource in ids)


def drbd_of(view: View, pair: Pair) -> Optional[DrbdResource]:
    """The pair's DRBD resource, if it is up on this node."""
    return next((r for r in view[DRBD].value or () if r.name == pair.drbd), None)


def above(view: View, drbd: str) -> frozenset[str]:
    """Ids of the resources that stand on a DRBD resource: the pair's, its group's, its members'."""
    on_it = {pair.resource for pair in pairs(view) if pair.drbd == drbd}
    found = set(on_it)
    cluster = view[CLUSTER].value
    for resource in cluster.resources if cluster is not None else ():
        ids = {resource.id, *(each.id for each in primitives(resource))}
        if ids & on_it:
            found |= ids
    return frozenset(found)
