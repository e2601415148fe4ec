"""How it is found out whether a node of Corosync's list is up."""

from __future__ import annotations

from typing import Optional

from ...inputs.corosync_cmapctl import CMAP
from ...verdict.view import View, same_node
from ...verdict.words import join, pings

_MOST_ADDRESSES = 4
"""More are no step any more: the node list has them."""

LIST = "corosync-cmapctl nodelist.node"
"""Prints the ring addresses of all nodes, with every Corosync since 2.0 (cmap_keys(7))."""


def is_up(view: View, *names: str) -> str:
    """``Is app01 up? ping -c 3 192.0.2.1``, with its ring addresses where the node list is read."""
    if len(names) == 1:
        question, them = f"Is {names[0]} up?", "it"
    else:
        question, them = f"Are {join(names)} up?", "them"
    found = [address for name in names for address in addresses(view, name)]
    if not found or len(found) > _MOST_ADDRESSES:
        return f"{question} ping {them} over every ring address: {LIST}"
    return f"{question} {pings(found)}"


def addresses(view: View, name: str, link: Optional[int] = None) -> tuple[str, ...]:
    """Ring addresses of a node, that of one link alone if *link* is given; empty if not known."""
    cmap = view[CMAP].value
    if cmap is None:
        return ()
    for each in cmap.nodes:
        if each.name is not None and same_node(each.name, name):
            return tuple(at for number, at in each.addresses if link in (None, number))
    return ()
