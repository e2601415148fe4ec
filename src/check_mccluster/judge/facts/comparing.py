"""Copies that both ends call UpToDate and that differ: whose is wrong, and how it is put right."""

from __future__ import annotations

from typing import Optional

from ...model.drbd import DiskState, DrbdResource
from ...verdict.view import View
from ...verdict.words import pasted
from .drbd import peer_devices, shown


def odd_copy(view: View, resource: DrbdResource, volume: int) -> Optional[str]:
    """Of three copies or more that are compared here, the node whose copy differs from the rest."""
    good = [
        (connection.name, bool(peer.out_of_sync_kib))
        for connection, peer in peer_devices(resource, volume)
        if connection.is_connected and peer.peer_disk_state is DiskState.UP_TO_DATE
    ]
    differing = [name for name, differs in good if differs]
    if len(good) < 2:
        return None
    if len(differing) == len(good):
        return view.here
    return differing[0] if len(differing) == 1 else None


def compare_step(view: View, resource: str, volume: int, peer: str, odd: Optional[str]) -> str:
    """Compare, where DRBD can; then sync the copy that is wrong, from one that is not."""
    here, name = view.here, pasted(resource)
    options = shown(view, resource)
    net = next((c.net for c in options.connections if c.name == peer), {}) if options else {}
    if options is not None and net.get("verify-alg", "") in ("", "none"):
        look = (
            f"verify-alg is not set for {name}: set it in the net section on both nodes, then"
            f" compare with: drbdadm verify {name}:{pasted(peer)}/{volume}"
        )
    elif options is not None:
        look = f"on {here}: drbdadm verify {name}:{pasted(peer)}/{volume}"
    else:
        look = f"on {here}: drbdadm dump {name} shows whether verify-alg is set (to compare)"
    wrong = odd or f"whichever of {here} and {peer} has the wrong copy"
    other = here if odd == peer else peer if odd == here else "the other"
    link = f"{name}:{pasted(other)}" if odd else name
    again = (
        f"on {wrong}, not while it is Primary: drbdadm disconnect {link}; drbdadm connect {link}"
    )
    return f"{look}; what differs then is copied from {other}: {again}"
