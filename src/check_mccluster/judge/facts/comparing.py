"""Copies that both ends call UpToDate and that differ: whose is wrong, and how it is put right."""

from __future__ import annotations

import re
from typing import Optional

from ...model.drbd import DiskState, DrbdResource
from ...verdict.view import View
from ...verdict.words import join, pasted
from .drbd import peer_devices, reconnected, shown


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
    verify = f"on {here}: drbdadm verify {name}:{pasted(peer)}/{volume}"
    if options is None:
        verify += f" (it needs verify-alg: drbdadm dump {name})"
    # The count at its end has the old marks in it; these lines have what it found.
    again = reconnected(resource, peer)
    found = "journalctl -k -g 'Out of sync: start'"
    verify += f"; at its end: {found}; none: the marks were left over, on {here}: {again}"
    parts = [verify]
    if options is not None and net.get("verify-alg", "") in ("", "none"):
        # A node that is left out is refused at its next connect, and stays StandAlone (recorded).
        nodes = sorted({here, *(c.name for c in options.connections if c.name)})
        parts = [
            f"set verify-alg in the net section of {name} on all its nodes ({join(nodes, 8)}), then"
            f" on each: drbdadm net-options {name}",
            verify,
        ]
    wrong = odd or f"whichever of {here} and {peer} has the wrong copy"
    other = "the other" if odd is None else here if odd == peer else peer
    source = other if odd else "GOOD_NODE"
    parts.append(
        f"if there are some, copy from {other}: on {wrong}:"
        f" {_copy_again(view, name, pasted(source), volume)}"
    )
    return " ".join(f"{number}. {part}." for number, part in enumerate(parts, 1))[:-1]


def _copy_again(view: View, name: str, source: str, volume: int) -> str:
    """Copy the blocks that were found; where that is not known yet, all of them.

    A mere reconnect forgets what was found, and copies nothing (recorded).
    """
    known = _version(view.drbd_module, (9, 0, 29)), _version(view.drbd_utils, (9, 17))
    marks = f"--reset-bitmap=no {name}:{source}/{volume}"
    whole = f"{name}/{volume}"
    if False in known:
        return (
            f"drbdadm role {name}; where it is Secondary, a full copy: drbdadm invalidate {whole}"
        )
    if None in known:
        return (
            f"drbdadm role {name}; where it is Secondary: drbdadm invalidate {marks} (before DRBD"
            f" 9.0.29 or drbd-utils 9.17 a full copy: drbdadm invalidate {whole})"
        )
    return f"drbdadm role {name}; where it is Secondary: drbdadm invalidate {marks}"


def _version(told: Optional[str], least: tuple[int, ...]) -> Optional[bool]:
    """Whether a version is *least* or later; ``None`` where it is not known."""
    numbers = re.findall(r"\d+", told or "")
    return tuple(map(int, numbers)) >= least if numbers else None
