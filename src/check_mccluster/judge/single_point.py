"""Nodes whose loss alone would end a service that does not run there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..verdict.view import contains_node
from .facts.drbd import copies
from .facts.loss import keeps_quorum, volume_left
from .facts.mapping import below, drbd_of
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
    found: dict[str, list[tuple[str, str]]] = {}
    for outlook in sound:
        for node, why in _of(futures, outlook, sound):
            found.setdefault(node, []).append((outlook.resource.id, why))
    return tuple(
        SinglePoint(node, tuple(name for name, _ in ends), ends[0][1])
        for node, ends in found.items()
    )


def _of(
    futures: Futures, outlook: Outlook, all_of_them: Sequence[Outlook]
) -> Iterator[tuple[str, str]]:
    told = set()
    for node, why in (
        *_by_votes(futures, outlook),
        *_by_drbd(futures, outlook),
        *_by_scheduler(futures, outlook, all_of_them),
    ):
        if node not in told and not contains_node(outlook.active, node):
            told.add(node)
            yield node, why


def _by_votes(futures: Futures, outlook: Outlook) -> Iterator[tuple[str, str]]:
    """Votes that count more than the active node's; else ``no-candidate`` says it."""
    policy = futures.cluster.summary.options.no_quorum_policy
    count = futures.count
    if outlook.blocked or policy == "ignore" or count.quorate is not True:
        return
    if count.total is None or count.expected is None or count.total < count.expected:
        return
    for node in futures.cluster.nodes:
        if node.online and keeps_quorum(futures.count, [node]) is False:
            yield node.name, "the quorum ends with its vote"


def _by_drbd(futures: Futures, outlook: Outlook) -> Iterator[tuple[str, str]]:
    view = futures.view
    for pair in below(view, outlook.resource):
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
    futures: Futures, outlook: Outlook, all_of_them: Sequence[Outlook]
) -> Iterator[tuple[str, str]]:
    """What depends on something that runs on another node, by the scheduler's word."""
    for lost in dict.fromkeys(each.lost for each in all_of_them):
        if len(lost) != 1 or lost & set(outlook.active) or futures.simulation(lost) is None:
            continue
        after = futures.of(outlook.resource, lost)
        if after.ends and not after.blocked:
            (node,) = lost
            yield node, after.why
