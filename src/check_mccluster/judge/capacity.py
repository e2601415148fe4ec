"""Utilization: whether a node has room for a resource, where the placement strategy asks for it."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.pacemaker import Bundle, Cib, Clone, Cluster, Node, Resource, Role, base_id, primitives
from .candidates import Against


class Capacity:
    """What the nodes have and what the resources take."""

    def __init__(self, cluster: Cluster, cib: Cib) -> None:
        self._cluster = cluster
        self._cib = cib
        self._room: dict[str, dict[str, int]] = {}

    def against(self, resource: Resource, node: Node) -> Iterator[Against]:
        """What of its needs *node* has no room for."""
        if isinstance(resource, (Clone, Bundle)):
            return
        room = None
        for what, (amount, taker, alone) in self._needs(self._cib, resource).items():
            room = self._room_on(self._cib, node) if room is None else room
            have = room.get(what, 0)
            if amount > have:
                step = (
                    f"free {what} on {node.name}, or correct one of the figures: pcs node"
                    f" utilization {node.name} {what}=AMOUNT; pcs resource utilization {taker}"
                    f" {what}=AMOUNT"
                )
                name = taker if alone else resource.id
                text = f"has {max(0, have)} of the {amount} {what} that {name} takes"
                yield Against(text, step, "capacity")

    @staticmethod
    def _needs(cib: Cib, resource: Resource) -> dict[str, tuple[int, str, bool]]:
        """How much it takes of what, the first part that takes some, and whether none else does."""
        needs: dict[str, tuple[int, str, bool]] = {}
        for name in (base_id(each.id) for each in primitives(resource)):
            one = cib.resources.get(name)
            for what, amount in one.utilization.items() if one is not None else ():
                before, taker, _ = needs.get(what, (0, name, True))
                needs[what] = (before + amount, taker, taker == name)
        return needs

    def _room_on(self, cib: Cib, node: Node) -> dict[str, int]:
        """What of the node's capacity is not taken by what runs there."""
        if not self._room:
            for name, known in cib.nodes.items():
                self._room[name] = dict(known.utilization)
            for each in (each for top in self._cluster.resources for each in primitives(top)):
                one = cib.resources.get(base_id(each.id))
                if one is None or each.role is Role.STOPPED:
                    continue
                for name in each.nodes:
                    room = self._room.setdefault(name, {})
                    for what, amount in one.utilization.items():
                        room[what] = room.get(what, 0) - amount
        return self._room.get(node.name, {})
