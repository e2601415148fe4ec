"""What the loss of nodes would do: services that move or stop, votes and copies left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Optional

from ..inputs.drbdsetup import DRBD
from ..model.drbd import Device, DrbdResource
from ..values import NamedTuple
from ..verdict.view import Judgement, View, contains_node, same_node
from .facts.loss import VolumeLeft, keeps_quorum, volume_left
from .futures import together
from .outlook import Futures, services
from .partitions import partitions


class Fate(NamedTuple):
    """What becomes of a service that runs now.

    :param before: where it runs. :param after: who takes it, the scheduler's choice first; the
        same as *before* where it stays; empty where it ends.
    :param why: why it ends; empty where it does not. :param step: what would prevent that.
    :param scheduled: whether that is the word of Pacemaker's scheduler.
    """

    service: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    why: str
    step: str
    scheduled: bool

    @property
    def ends(self) -> bool:
        """Whether nobody would run it."""
        return not self.after

    @property
    def moves(self) -> bool:
        """Whether another node would run it."""
        return bool(self.after) and self.after != self.before


class WhatIf(NamedTuple):
    """What losses would do, and who was heard about it.

    :param view: whose view of Pacemaker that rests on. :param asked: the nodes whose DRBD is known
        by their own word, and *view*'s. :param losses: the gravest first.
    """

    view: View
    asked: tuple[str, ...]
    losses: tuple[Consequence, ...]


class Consequence(NamedTuple):
    """What a loss would do.

    :param lost: the nodes. :param fates: of the services that run now and move or end.
    :param votes: those left, those needed and those expected; ``None`` where nobody can say.
    :param quorate: whether Pacemaker's partition would stay quorate.
    :param volumes: what would be left of DRBD's volumes.
    :param unasked: why Pacemaker's scheduler was not asked, where our own rules judged.
    """

    lost: tuple[str, ...]
    fates: tuple[Fate, ...]
    votes: tuple[Optional[int], Optional[int], Optional[int]]
    quorate: Optional[bool]
    volumes: tuple[VolumeLeft, ...]
    unasked: str

    @property
    def ends(self) -> tuple[Fate, ...]:
        """The services that would end."""
        return tuple(each for each in self.fates if each.ends)

    @property
    def moves(self) -> tuple[Fate, ...]:
        """The services that would move."""
        return tuple(each for each in self.fates if each.moves)

    @property
    def worst_volume(self) -> Optional[VolumeLeft]:
        """The volume that has the fewest copies left; one without quorum first."""
        return min(
            self.volumes,
            key=lambda each: (each.quorum is not False, len(each.up_to_date), each.name),
            default=None,
        )


def nodes(futures: Futures) -> tuple[str, ...]:
    """The nodes of Pacemaker that are online, and the hosts of DRBD's meshes."""
    found = [node.name for node in futures.cluster.nodes if node.online and node.runs_services]
    absent = [node.name for node in futures.cluster.nodes if not node.online]
    for view, resource, _ in _volumes(futures):
        for name in (view.here, *(each.name for each in resource.connections)):
            if not any(same_node(name, each) for each in (*found, *absent)):
                found.append(name)
    return tuple(sorted(found))


def of_each_node(seen: Sequence[Judgement]) -> Optional[WhatIf]:
    """What the loss of each node would do; ``None`` where nobody knows of Pacemaker."""
    futures = together(seen, partitions(seen))
    if futures is None:
        return None
    return what_if(futures, [(name,) for name in nodes(futures)])


def what_if(futures: Futures, losses: Iterable[Sequence[str]]) -> WhatIf:
    """What each loss would do, the gravest first."""
    found = [_consequence(futures, tuple(loss)) for loss in losses]
    asked = tuple(sorted(view.here for view in futures.views))
    return WhatIf(futures.view, asked, tuple(sorted(found, key=_gravity)))


def _gravity(one: Consequence) -> tuple[int, bool, int, int, tuple[str, ...]]:
    worst = one.worst_volume
    copies = 99 if worst is None else len(worst.up_to_date)
    return -len(one.ends), one.quorate is not False, -len(one.moves), copies, one.lost


def _consequence(futures: Futures, lost: tuple[str, ...]) -> Consequence:
    gone = frozenset(lost)
    fates = []
    for resource in services(futures.cib, futures.cluster.resources):
        outlook = futures.of(resource, gone)
        if not outlook.active or outlook.disabled:
            continue
        stays = tuple(name for name in outlook.active if name not in gone)
        fate = Fate(
            resource.id,
            outlook.active,
            stays if stays and outlook.candidates else outlook.candidates,
            "" if outlook.candidates else outlook.why or "it has no other node",
            "" if outlook.candidates else outlook.step,
            outlook.scheduled,
        )
        if fate.ends or gone & set(outlook.active):
            fates.append(fate)
    members = [node for node in futures.cluster.nodes if node.name in gone]
    count = futures.count
    total = count.total
    if total is not None:
        total -= sum(count.votes_of(node) for node in members if node.online)
    return Consequence(
        lost,
        tuple(fates),
        (total, count.needed, count.expected),
        keeps_quorum(count, members),
        _left(futures, lost),
        (futures.unasked(gone) or "it was not asked") if futures.is_open(gone) else "",
    )


# -- DRBD --------------------------------------------------------------------------------------


def _volumes(futures: Futures) -> Iterator[tuple[View, DrbdResource, Device]]:
    """Every volume of every node that was asked."""
    for view in futures.views:
        for resource in view[DRBD].value or ():
            for device in resource.devices:
                yield view, resource, device


def _left(futures: Futures, lost: tuple[str, ...]) -> tuple[VolumeLeft, ...]:
    """What is left of each volume, by the words of all who have it."""
    told: dict[str, list[tuple[str, VolumeLeft]]] = {}
    for view, resource, device in _volumes(futures):
        left = volume_left(view, resource, device, lost)
        told.setdefault(left.name, []).append((view.here, left))
    return tuple(_one_volume(words, lost) for words in told.values())


def _one_volume(told: Sequence[tuple[str, VolumeLeft]], lost: tuple[str, ...]) -> VolumeLeft:
    """A volume by several words: each node's own of its disk, the survivors' of the quorum."""
    _, first = told[0]
    if len(told) == 1:
        return first
    replicas: list[str] = []
    for name in (name for _, each in told for name in (*each.replicas, *each.hidden)):
        if not contains_node(tuple(replicas), name):
            replicas.append(name)
    good, hidden = [], []
    for name in replicas:
        own = [each for here, each in told if same_node(here, name)]
        words = own or [each for _, each in told]
        if any(contains_node(each.up_to_date, name) for each in words):
            good.append(name)
        elif not own and all(contains_node(each.hidden, name) for each in words):
            hidden.append(name)
    left = [each.quorum for here, each in told if not contains_node(lost, here)]
    said = left or [each.quorum for _, each in told]
    quorum = True if True in said else None if None in said else False
    due = tuple(n for n in replicas if any(contains_node(each.replicas, n) for _, each in told))
    return first._replace(replicas=due, up_to_date=tuple(good), hidden=tuple(hidden), quorum=quorum)
