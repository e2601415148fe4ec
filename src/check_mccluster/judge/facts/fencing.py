"""Whether Pacemaker has something to fence with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Optional

from ...inputs.cibadmin import CIB
from ...inputs.crm_mon import CLUSTER
from ...model.configuration import FALSE
from ...model.pacemaker import Cib, primitives
from ...verdict.view import View


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
        one = cib.resources.get(name) if cib is not None else None
        parameters = one.parameters if one is not None else {}
        hosts = re.split(_SEPARATORS, parameters.get("pcmk_host_list", ""))
        hosts += [
            each.partition(":")[0] for each in re.split(_PAIRS, parameters.get("pcmk_host_map", ""))
        ]
        named = {host for host in hosts if host}
        if not named or node in named:
            able.append(name)
    return tuple(able)


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
