"""Which Pacemaker resource stands on which DRBD resource."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Optional

from ...inputs.cibadmin import CIB
from ...inputs.crm_mon import CLUSTER
from ...inputs.drbdsetup import DRBD
from ...model.configuration import TRUE
from ...model.drbd import DrbdResource
from ...model.pacemaker import (
    INFINITY,
    Cib,
    Cluster,
    Primitive,
    Resource,
    Role,
    base_id,
    primitives,
)
from ...model.words import whole
from ...values import NamedTuple
from ...verdict.view import View, grouped

_DEVICE_AGENTS = frozenset(
    (
        *("Filesystem", "LVM", "LVM-activate", "ZFS", "Raid1", "mdraid"),
        *("iSCSITarget", "iSCSILogicalUnit", "SCST", "nvmet-namespace", "VirtualDomain", "Xen"),
    )
)
"""Agents of the first thing in a group that opens the DRBD device."""


class Pair(NamedTuple):
    """A Pacemaker resource and the DRBD resource under it.

    :param drbd: the DRBD resource's name; ``None`` if the device's minor belongs to no resource
        that is up here. :param device: the device mounted, ``None`` if it is none that is mounted.
    :param promoter: the ``ocf:linbit:drbd`` primitive that makes a node Primary, ``None`` if DRBD
        does so by itself when the device is opened.
    """

    resource: str
    drbd: Optional[str]
    device: Optional[str]
    promoter: Optional[str] = None


def pairs(view: View, others: Sequence[View] = ()) -> tuple[Pair, ...]:
    """Pairs of the configuration file, then those of the CIB.

    :param others: views of other nodes: a device has the same minor on all of them.

    There they are the Filesystem resources on DRBD devices, and what must run with the promoted
    instance of an ``ocf:linbit:drbd`` primitive; without either, that primitive itself.
    """
    return view.once(_pairs, view) if not others else _pairs(view, others)


def _pairs(view: View, others: Sequence[View] = ()) -> tuple[Pair, ...]:
    cib = view[CIB].value
    managed = {} if cib is None else managed_drbd(cib)
    promoters = {drbd: primitive for primitive, drbd in managed.items()}
    found = {
        rule.runs_with: Pair(rule.runs_with, name, None, promoters.get(name))
        for name, rule in view.config.drbd.items()
        if rule.runs_with is not None
    }
    if cib is None:
        return tuple(found.values())
    carried = {primitive: _carried(cib, primitive) for primitive in managed}
    for filesystem in cib.filesystems:
        device = filesystem.device
        if not device.startswith("/dev/drbd") or filesystem.resource in found:
            continue
        name = _by_name(device) or _by_minor((view, *others), device)
        if name is None:
            around = set(cib.chain(filesystem.resource))
            below = {managed[one] for one, above in carried.items() if around & set(above)}
            name = below.pop() if len(below) == 1 else None
        promoter = promoters.get(name) if name is not None else None
        found[filesystem.resource] = Pair(filesystem.resource, name, device, promoter)
    for primitive, drbd in managed.items():
        paired = {pair.resource for pair in found.values() if pair.drbd == drbd}
        for name in carried[primitive]:
            members = _primitives_of(cib, name)
            if members and not paired & set(members):
                first = next((one for one in members if _opens_devices(cib, one)), members[0])
                found.setdefault(first, Pair(first, drbd, None, primitive))
        if all(pair.drbd != drbd for pair in found.values()):
            found[primitive] = Pair(primitive, drbd, None, primitive)
    return tuple(found.values())


def waits_for_primary(cib: Cib, drbd: str) -> Optional[str]:
    """Why a start does not fail while the dead Primary is still believed alive, if it does not.

    ``ocf:linbit:drbd`` retries to promote until Pacemaker's timeout unless it is told not to;
    ``ocf:mccluster:drbd-no-primary``, in a group before the mount, waits for the same.
    """
    for primitive, name in managed_drbd(cib).items():
        one = cib.resources[primitive]
        early = one.parameters.get("fail_promote_early_if_peer_primary", "false")
        if name == drbd and early.lower() not in TRUE:
            return f"{primitive} retries to promote until its timeout"
    for one in cib.configured("mccluster:drbd-no-primary"):
        members = _members(cib, one.parent or "")
        after = members[members.index(one.id) + 1 :] if one.id in members else ()
        mount = any(each.resource in after for each in cib.filesystems)
        if mount and one.parameters.get("drbd_resource") == drbd:
            return f"{one.id} waits before the mount"
    return None


def managed_drbd(cib: Cib) -> dict[str, str]:
    """The DRBD resource that each ``ocf:linbit:drbd`` primitive manages, by the primitive's id."""
    return {
        one.id: name
        for one in cib.configured("drbd")
        if (name := one.parameters.get("drbd_resource")) is not None and name != "everything"
    }


_RUNNING = (Role.STARTED.value, Role.PROMOTED.value)


def _carried(cib: Cib, primitive: str) -> tuple[str, ...]:
    """What must run where *primitive*, or the clone around it, is promoted, directly or not."""
    below = set(cib.chain(primitive))
    found: list[str] = []
    # Of what runs with it in any role, only what needs the promoted one stands on the device.
    steps = [
        each
        for each in cib.colocations
        if each.score >= INFINITY and each.primary.role in (None, *_RUNNING)
    ]
    grown = True
    while grown:
        grown = False
        for each in steps:
            name, primary = each.dependent.resource, each.primary
            needs = primary.resource in found or (
                primary.resource in below and primary.role == Role.PROMOTED.value
            )
            if needs and name not in found and name not in below:
                found.append(name)
                found += cib.resources[name].members if name in cib.resources else ()
                grown = True
    inside = {member for name in found for member in _members(cib, name)}
    return tuple(name for name in found if name not in inside)


def _opens_devices(cib: Cib, name: str) -> bool:
    """Whether the agent is of those that use a block device."""
    agent = cib.resources[name].agent or ""
    return agent.rpartition(":")[2] in _DEVICE_AGENTS


def _members(cib: Cib, name: str) -> tuple[str, ...]:
    one = cib.resources.get(name)
    return () if one is None else one.members


def _primitives_of(cib: Cib, name: str) -> tuple[str, ...]:
    """The primitives inside a resource, in the order of their start; not those of clones."""
    one = cib.resources.get(name)
    if one is None or one.is_clone or one.tag == "bundle":
        return ()
    if one.tag == "primitive":
        return (one.id,)
    return tuple(each for member in one.members for each in _primitives_of(cib, member))


def _by_name(device: str) -> Optional[str]:
    """The resource in ``/dev/drbd/by-res/NAME/VOLUME``; drbd-utils 8.9 has no volume there."""
    _, link, path = device.partition("/dev/drbd/by-res/")
    name, slash, volume = path.partition("/")
    return name if link and (volume.isdecimal() or not slash) else None


def _by_minor(views: Iterable[View], device: str) -> Optional[str]:
    """The resource that has the minor of ``/dev/drbd7`` or ``/dev/drbd_7``."""
    number = device.removeprefix("/dev/drbd").removeprefix("_")
    minor = whole(number)
    if minor is None:
        return None
    owners = (view.once(_owners, view[DRBD].value or ()).get(minor) for view in views)
    return next((name for name in owners if name is not None), None)


def _owners(resources: Sequence[DrbdResource]) -> dict[int, str]:
    """The resource that has each minor."""
    found: dict[int, str] = {}
    for resource in resources:
        for volume in resource.devices:
            if volume.minor is not None:
                found.setdefault(volume.minor, resource.name)
    return found


def instances(view: View, cluster: Cluster, name: str) -> tuple[Primitive, ...]:
    """The instances of a primitive by its id: one, or those of a clone."""
    return tuple(view.once(_by_id, cluster.resources).get(name, ()))


def _by_id(resources: Sequence[Resource]) -> dict[str, list[Primitive]]:
    return grouped((base_id(each.id), each) for top in resources for each in primitives(top))


class PairIndex:
    """What each Pacemaker resource of a view stands on, found once for all of them."""

    def __init__(self, view: View, others: Sequence[View] = ()) -> None:
        self._on = grouped((pair.resource, pair) for pair in pairs(view, others))
        cib = view[CIB].value
        self._with: dict[str, list[Pair]] = {}
        if cib is None:
            return
        for primitive, drbd in managed_drbd(cib).items():
            itself = Pair(primitive, drbd, None, primitive)
            for name in (primitive, *_carried(cib, primitive)):
                self._with.setdefault(name, []).append(itself)

    def below(self, resource: Resource) -> tuple[Pair, ...]:
        """The pairs of a group's or resource's own members, and what it must run with."""
        if not self._on:
            return ()
        ids = dict.fromkeys((resource.id, *(base_id(each.id) for each in primitives(resource))))
        found = [pair for name in ids for pair in self._on.get(name, ())]
        known = {pair.drbd for pair in found}
        for pair in (pair for name in ids for pair in self._with.get(name, ())):
            if pair.drbd not in known:
                known.add(pair.drbd)
                found.append(pair)
        return tuple(found)


def below(view: View, resource: Resource) -> tuple[Pair, ...]:
    """What one resource stands on; for many of them see :class:`PairIndex`."""
    return view.once(PairIndex, view).below(resource)


def drbd_of(view: View, pair: Pair) -> Optional[DrbdResource]:
    """The pair's DRBD resource, if it is up on this node."""
    return None if pair.drbd is None else view.named(DRBD, pair.drbd)


def above(view: View, drbd: str) -> frozenset[str]:
    """Ids of the resources that stand on a DRBD resource: the pair's, its group's, its members'."""
    return frozenset(view.once(_all_above, view).get(drbd, ()))


def _all_above(view: View) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for pair in pairs(view):
        if pair.drbd is not None:
            found.setdefault(pair.drbd, set()).add(pair.resource)
    cib, cluster = view[CIB].value, view[CLUSTER].value
    if cib is not None:
        for primitive, name in managed_drbd(cib).items():
            found.setdefault(name, set()).update(cib.chain(primitive), _carried(cib, primitive))
    below: dict[str, set[str]] = {}
    for name, ids in found.items():
        for each in ids:
            below.setdefault(each, set()).add(name)
    for resource in cluster.resources if cluster is not None else ():
        ids = {resource.id, *(base_id(each.id) for each in primitives(resource))}
        for name in {name for each in ids for name in below.get(each, ())}:
            found[name] |= ids
    return found
