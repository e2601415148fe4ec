"""Whether Pacemaker has something to fence with."""

from __future__ import annotations

from ...inputs.cibadmin import CIB
from ...inputs.crm_mon import CLUSTER
from ...model.pacemaker import primitives
from ...verdict.view import View


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
    timeout = cib.properties.get("stonith-watchdog-timeout", "0").strip()
    watchdog = cib.properties.get("have-watchdog", "false") == "true"
    return bool(cib.fence_devices) or (watchdog and timeout.rstrip("smh") not in ("", "0"))
