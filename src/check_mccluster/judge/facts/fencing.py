"""Whether Pacemaker has something to fence with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Optional

from ...inputs.cibadmin import CIB
from ...inputs.crm_mon import CLUSTER
from ...model.configuration import FALSE
from ...model.pacemaker import Cib, Cluster, FenceStatus, primitives
from ...verdict.view import View
from ...verdict.words import join


def fencing_enabled(view: View) -> Optional[bool]:
    """Whether lost nodes are fenced; from the CIB where crm_mon does not say (1.1 and older).

    Pacemaker's default is yes. ``None``: neither document tells.
    """
    cluster, cib = view[CLUSTER].value, view[CIB].value
    if cluster is not None and cluster.summary.options.fencing_enabled is not None:
        return cluster.summary.options.fencing_enabled
    if cib is None:
        return None
    names = ("fencing-enabled", "stonith-enabled")
    value = next((cib.properties[name] for name in names if name in cib.properties), "true")
    return value.strip().lower() not in FALSE


def devices_for(cib: Optional[Cib], devices: Iterable[str], node: str) -> tuple[str, ...]:
    """Those of *devices* that could fence *node*, by ``pcmk_host_list`` and ``pcmk_host_map``.

    One without either finds out for itself, so it may be able to.
    """
    able = []
    for name in devices:
        named = _hosts(cib, name)
        if not named or node in named:
            able.append(name)
    return tuple(able)


def _hosts(cib: Optional[Cib], device: str) -> tuple[str, ...]:
    """The nodes that a device is for, where it names them."""
    one = cib.resources.get(device) if cib is not None else None
    parameters = one.parameters if one is not None else {}
    hosts = re.split(_SEPARATORS, parameters.get("pcmk_host_list", ""))
    hosts += [
        each.partition(":")[0] for each in re.split(_PAIRS, parameters.get("pcmk_host_map", ""))
    ]
    return tuple(dict.fromkeys(host for host in hosts if host))


_SEPARATORS = r"[\s,;]+"
_PAIRS = r"[\s;]+"


def has_fence_device(view: View) -> bool:
    """Whether a fence device is configured, or a watchdog stands in for one.

    With ``stonith-watchdog-timeout`` set and a watchdog present (SBD without a disk) Pacemaker
    fences without any device: pacemaker-controld(7), "stonith-watchdog-timeout".
    """
    cluster = view[CLUSTER].value
    if cluster is not None and any(
        primitive.is_fence_device
        for resource in cluster.resources
        for primitive in primitives(resource)
    ):
        return True
    cib = view[CIB].value
    if cib is None:
        return False
    return bool(cib.fence_devices) or has_watchdog(cib)


def has_watchdog(cib: Cib) -> bool:
    """Whether a watchdog stands in for a fence device."""
    timeout = cib.properties.get("stonith-watchdog-timeout", "0").strip()
    watchdog = cib.properties.get("have-watchdog", "false") == "true"
    return watchdog and timeout.rstrip("smh") not in ("", "0")


def unfenced(view: View, cluster: Cluster, node: str) -> str:
    """Why a node that is to be fenced is not, as a clause; empty where it may still be."""
    if fencing_enabled(view) is not True:
        return ""
    if not has_fence_device(view):
        return NO_DEVICE
    cib = view[CIB].value
    if cib is not None and cib.fence_devices and not has_watchdog(cib):
        if not devices_for(cib, cib.fence_devices, node):
            theirs = [f"{each}: only {join(_hosts(cib, each), 2)}" for each in cib.fence_devices]
            return f"{NOT_FOR_IT} ({join(theirs, 2)})"
    from .happened import failed_fencing

    failed = failed_fencing(view, cluster, node)
    return f"its fencing fails ({failed})" if failed else ""


NO_DEVICE = "no fence device is configured"
NOT_FOR_IT = "no device can fence it"


def is_being_fenced(cluster: Cluster, node: str) -> bool:
    """Whether a fencing of the node is under way."""
    return any(
        event.target == node and event.status is FenceStatus.PENDING
        for event in cluster.fence_events
    )
