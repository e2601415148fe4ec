"""Which members count each other: one cluster, or parts of it that exclude each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Optional

from ..inputs.corosync_cmapctl import CMAP
from ..inputs.crm_mon import CLUSTER
from ..model.corosync import Cmap
from ..model.pacemaker import RUNNING, Bundle, Clone, Cluster, Role, base_id, primitives
from ..values import NamedTuple
from ..verdict.view import Judgement
from ..verdict.words import join
from .facts.pacemaker import has_quorum


class Partition(NamedTuple):
    """Nodes that see the same members.

    :param members: whom they count as online. :param seen: those of them that were asked, the
        designated controller first, and last whom others went on without.
    """

    members: frozenset[str]
    seen: tuple[Judgement, ...]

    @property
    def speaker(self) -> Judgement:
        """Whose word is Pacemaker's truth in it: the designated controller's, if it was asked."""
        return self.seen[0]

    @property
    def cluster(self) -> Cluster:
        """The speaker's cluster."""
        cluster = self.speaker.view[CLUSTER].value
        assert cluster is not None  # noqa: S101 - it is what the views are grouped by
        return cluster

    @property
    def quorate(self) -> Optional[bool]:
        """Whether it has quorum."""
        return has_quorum(self.cluster)


def partitions(seen: Sequence[Judgement]) -> tuple[Partition, ...]:
    """Parts whose members exclude each other both ways; the quorate one first."""
    told = [(one, _online(one)) for one in seen if one.view[CLUSTER].value is not None]
    groups: list[list[tuple[Judgement, frozenset[str]]]] = []
    for one, online in told:
        for group in groups:
            if not any(_exclude(one, online, other, theirs) for other, theirs in group):
                group.append((one, online))
                break
        else:
            groups.append([(one, online)])
    found = []
    for group in groups:
        ordered = sorted(
            group,
            key=lambda each: (_is_left(each[0], group), not _is_dc(each[0]), each[0].view.here),
        )
        found.append(Partition(ordered[0][1], tuple(one for one, _ in ordered)))
    return tuple(sorted(found, key=lambda p: (p.quorate is not True, -len(p.members))))


def alike(seen: Sequence[Judgement]) -> tuple[tuple[Judgement, ...], ...]:
    """Nodes that say the same of members, controller and quorum, together: what is shown once.

    Finer than :func:`partitions`: views of one partition differ while it forms.
    """
    groups: dict[object, list[Judgement]] = {}
    for one in seen:
        cluster = one.view[CLUSTER].value
        if cluster is not None:
            dc = cluster.summary.dc
            key = (dc and dc.name, dc and dc.with_quorum, _online(one))
            groups.setdefault(key, []).append(one)
    return tuple(map(tuple, groups.values()))


def corosync_differences(
    seen: Sequence[Judgement],
) -> Iterator[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]]:
    """What must be equal in Corosync and is not: each value with its nodes, the most first."""
    known = [(one.view.here, one.view[CMAP].value) for one in seen]
    for option, value_of in _EQUAL.items():
        by_value: dict[str, list[str]] = {}
        for node, cmap in known:
            value = value_of(cmap) if cmap is not None else None
            if value is not None:
                by_value.setdefault(value, []).append(node)
        if len(by_value) > 1:
            ordered = sorted(by_value.items(), key=lambda each: (-len(each[1]), each[0]))
            yield option, tuple((value, tuple(sorted(nodes))) for value, nodes in ordered)


def _milliseconds(number: Optional[int]) -> Optional[str]:
    return None if number is None else f"{number} ms"


def _node_list(cmap: Cmap) -> Optional[str]:
    names = sorted(f"{each.name or each.node_id}" for each in cmap.nodes)
    return ", ".join(names) or None


_EQUAL = {
    "token": lambda cmap: _milliseconds(cmap.token_ms),
    "consensus": lambda cmap: _milliseconds(cmap.consensus_ms),
    "expected_votes": lambda cmap: (
        None if cmap.expected_votes is None else f"{cmap.expected_votes}"
    ),
    "nodelist": _node_list,
}


def _online(one: Judgement) -> frozenset[str]:
    cluster = one.view[CLUSTER].value
    return frozenset(node.name for node in cluster.nodes if node.online) if cluster else frozenset()


def _exclude(
    one: Judgement, online: frozenset[str], other: Judgement, theirs: frozenset[str]
) -> bool:
    """Whether neither counts the other; who just starts counts nobody and is no partition."""
    without = one.view.here not in theirs and other.view.here not in online
    return without and bool(online and theirs)


def _is_left(one: Judgement, group: Sequence[tuple[Judgement, frozenset[str]]]) -> bool:
    """Whether others count it as lost: while its Corosync hangs its own view is of the past.

    One other is enough if it has a controller; who just starts has none and sees nobody yet.
    """
    without = [other for other, theirs in group if other is not one and one.view.here not in theirs]
    return len(without) > 1 or any(_names_another_dc(other, one) for other in without)


def _names_another_dc(other: Judgement, one: Judgement) -> bool:
    cluster = other.view[CLUSTER].value
    dc = cluster.summary.dc if cluster is not None else None
    return dc is not None and dc.name is not None and not one.view.is_here(dc.name)


def _is_dc(one: Judgement) -> bool:
    cluster = one.view[CLUSTER].value
    dc = cluster.summary.dc if cluster is not None else None
    return dc is not None and one.view.is_here(dc.name)


_HERE = frozenset({Role.STARTED, Role.PROMOTED})


def running_in(part: Partition, roles: frozenset[Role] = _HERE) -> dict[str, tuple[str, ...]]:
    """Groups and single resources that run on members of this part, with their nodes."""
    found: dict[str, dict[str, None]] = {}
    for resource in part.cluster.resources:
        if isinstance(resource, (Clone, Bundle)):
            continue
        for each in primitives(resource):
            if each.role in roles and not each.is_fence_device:
                nodes = [node for node in each.nodes if node in part.members]
                if nodes:
                    found.setdefault(base_id(resource.id), {}).update(dict.fromkeys(nodes))
    return {name: tuple(nodes) for name, nodes in found.items()}


def doing(part: Partition) -> str:
    """``runs A, stops B``: what a partition does with its services."""
    told: dict[str, str] = {}
    for verb, roles in _VERBS:
        for name in running_in(part, roles):
            told.setdefault(name, verb)
    by_verb = {verb: [name for name, own in told.items() if own == verb] for verb, _ in _VERBS}
    words = [f"{verb} {join(names)}" for verb, names in by_verb.items() if names]
    return ", ".join(words) or "runs nothing"


_VERBS = (
    ("runs", RUNNING),
    ("starts", frozenset({Role.STARTING})),
    ("stops", frozenset({Role.STOPPING})),
)
