"""Copies that both ends call UpToDate and that differ: whose is wrong, and how it is put right."""

from __future__ import annotations

import re
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
    """Compare, where DRBD can; then sync the copy that is wrong, from one that is not.

    :param odd: which of this node and *peer* has the wrong copy, where that is known.
    """
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
    other = "the other" if odd is None else here if odd == peer else peer
    source = other if odd else "GOOD_NODE"
    return (
        f"{look}; what differs then is copied from {other}: on {wrong}:"
        f" {_copy_again(view, name, pasted(source), volume)}"
    )


def _copy_again(view: View, name: str, source: str, volume: int) -> str:
    """Copy the blocks that were found; a mere reconnect may forget them and copy nothing."""
    known = _version(view.drbd_module, (9, 0, 29)), _version(view.drbd_utils, (9, 17))
    by_bitmap = (
        f"drbdadm role {name}; where it is Secondary: drbdadm invalidate --reset-bitmap=no"
        f" {name}:{source}/{volume}"
    )
    by_link = (
        f"drbdadm disconnect {name}:{source}; drbdadm connect {name}:{source}; without a resync in"
        " journalctl -k -g drbd the copies still differ, though the counter says 0"
    )
    if False in known:
        return by_link
    if None in known:
        return f"{by_bitmap} (needs DRBD 9.0.29 and drbd-utils 9.17; before them: {by_link})"
    return by_bitmap


def _version(told: Optional[str], least: tuple[int, ...]) -> Optional[bool]:
    """Whether a version is *least* or later; ``None`` where it is not known."""
    numbers = re.findall(r"\d+", told or "")
    return tuple(map(int, numbers)) >= least if numbers else None
