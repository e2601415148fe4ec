"""Nodes whose loss alone would end a service that does not run there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..values import NamedTuple
from ..verdict.view import contains_node
from .facts.drbd import copies
from .facts.loss import keeps_quorum, volume_left
from .facts.mapping import drbd_of
from .outlook import Futures, Outlook


class SinglePoint(NamedTuple):
    """A node, the services that its loss would end, and why the first of them ends."""

    node: str
    services: tuple[str, ...]
    why: str


def single_points(futures: Futures, outlooks: Sequence[Outlook]) -> tuple[SinglePoint, ...]:
    """Single points of failure of the design.

    What is missing already is told elsewhere (``no-candidate``, ``copies-low``): only a service
    with everything in place has one, and none where there is one replica as a design.
    """
    sound = [each for each in outlooks if each.active and not each.disabled and not each.pinned]
    losses = tuple(
        lost
        for lost in dict.fromkeys(each.lost for each in sound)
        if len(lost) == 1 and futures.simulation(lost) is not None
    )
    decisive = tuple(_decisive_voters(futures))
    found: dict[str, list[tuple[str, str]]] = {}
    for outlook in sound:
        for node, why in _of(futures, outlook, decisive, losses):
            found.setdefault(node, []).append((outlook.resource.id, why))
    return tuple(
        SinglePoint(node, tuple(name for name, _ in ends), ends[0][1])
        for node, ends in found.items()
    )


def _of(
    futures: Futures,
    outlook: Outlook,
    decisive: tuple[str, ...],
    losses: tuple[frozenset[str], ...],
) -> Iterator[tuple[str, str]]:
    told = set()
    # Where the loss of the active node ends the quorum, no-candidate says it.
    by_votes = () if outlook.blocked else decisive
    for node, why in (
        *((name, "the quorum ends with its vote") for name in by_votes),
        *_by_drbd(futures, outlook),
        *_by_scheduler(futures, outlook, losses),
    ):
        if node not in told and not contains_node(outlook.active, node):
            told.add(node)
            yield node, why


def _decisive_voters(futures: Futures) -> Iterator[str]:
    """Nodes whose vote the quorum ends with, although no vote is missing."""
    count, policy = futures.count, futures.cluster.summary.options.no_quorum_policy
    if policy == "ignore" or count.quorate is not True:
        return
    if count.total is None or count.expected is None or count.total < count.expected:
        return
    for node in futures.cluster.nodes:
        if node.online and keeps_quorum(count, [node]) is False:
            yield node.name


def _by_drbd(futures: Futures, outlook: Outlook) -> Iterator[tuple[str, str]]:
    view = futures.view
    for pair in futures.pairs.below(outlook.resource):
        drbd = drbd_of(view, pair)
        for device in drbd.devices if drbd is not None else ():
            assert drbd is not None  # noqa: S101 - it has devices
            have = copies(view, drbd, device)
            if len(have.replicas) < 2 or have.missing or have.unknown:
                continue
            for node in have.replicas:
                left = volume_left(view, drbd, device, (node,))
                if left.quorum is False:
                    yield node, f"{left.name} would have no quorum"


def _by_scheduler(
    futures: Futures, outlook: Outlook, losses: tuple[frozenset[str], ...]
) -> Iterator[tuple[str, str]]:
    """What depends on something that runs on another node, by the scheduler's word."""
    for lost in losses:
        if lost & set(outlook.active):
            continue
        after = futures.of(outlook.resource, lost)
        if after.ends and not after.blocked:
            (node,) = lost
            yield node, after.why
