"""What Pacemaker's scheduler would do, as ``crm_simulate`` tells it.

Sources: Pacemaker ``tools/crm_simulate.c``, ``xml/api/crm_simulate-*.rng`` (2.1 to 3.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Optional, Union

from ..values import NamedTuple
from .pacemaker import Role
from .words import Unrecognised


class Simulation(NamedTuple):
    """The cluster after a transition that was only simulated.

    :param offline: nodes that were taken offline for it. :param online: nodes that are online
        afterwards.
    :param running: by the id of each primitive, without instance numbers, the nodes where it runs
        afterwards and its role there; empty for one that is stopped.
    :param waiting: primitives that the scheduler would start or promote but cannot yet, with the
        node: an action before it is blocked (a node to be fenced first, a pending node).
    """

    offline: tuple[str, ...]
    online: tuple[str, ...]
    running: Mapping[str, Mapping[str, Union[Role, Unrecognised]]]
    waiting: Mapping[str, str] = MappingProxyType({})

    @property
    def unrecognised(self) -> tuple[Unrecognised, ...]:
        """Role words that nobody knows, each once."""
        roles = (role for nodes in self.running.values() for role in nodes.values())
        return tuple(dict.fromkeys(role for role in roles if isinstance(role, Unrecognised)))


class Simulations(NamedTuple):
    """Every loss that the scheduler was asked about, by the names of the nodes lost.

    :param unasked: losses that it was not asked about, or did not answer, each with the reason.
    """

    done: Mapping[tuple[str, ...], Simulation]
    unasked: Mapping[tuple[str, ...], str]

    def of(self, *nodes: str) -> Optional[Simulation]:
        """What the scheduler does after the loss of these nodes; ``None`` if nobody knows."""
        return self.done.get(tuple(sorted(nodes)))

    def beside(self, other: Simulations) -> Simulations:
        """What one or the other knows; of two answers, or two reasons, the *other*."""
        done = {**self.done, **other.done}
        unasked = {**self.unasked, **other.unasked}
        return Simulations(done, {loss: why for loss, why in unasked.items() if loss not in done})
