"""What becomes of each service after a loss: who takes it, or why nobody does.

Long because one answer needs all of it: whatever can keep a node from taking over, in order.

A takeover is what Pacemaker's scheduler does *and* what the votes and DRBD allow: the scheduler
knows neither the votes that go with a node, nor DRBD. Where it was not asked our own rules judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Optional

from ..inputs.drbdsetup import DRBD
from ..model.drbd import DrbdResource
from ..model.pacemaker import (
    Cib,
    Clone,
    Cluster,
    Group,
    Node,
    Primitive,
    Resource,
    Role,
    asks_for_stop,
    base_id,
    ids_of,
    primitives,
)
from ..model.simulation import Simulation, Simulations
from ..values import NamedTuple
from ..verdict.problems import DRBD_EMPTY, DRBD_MODULE
from ..verdict.view import View, contains_node, same_node
from ..verdict.words import MAINTENANCE_OVER, WHEN_DONE, join
from .candidates import Against, reasons_against, soonest, wanted_exclusions
from .facts.drbd import copies, has_io, volume_name
from .facts.fencing import has_fence_device
from .facts.loss import data_against, keeps_quorum
from .facts.mapping import Pair, PairIndex, drbd_of
from .facts.pacemaker import is_disabled, is_service, nodes_opted_in, where
from .facts.votes import Tally, tally
from .promotion import carried_by, not_to_be_promoted
from .takeover import Takeover

if TYPE_CHECKING:
    from .facts.tickets import WithheldTicket

BY_CONFIGURATION = ("tie-breaker", "not in the allowed list")
"""Reasons that Pacemaker's scheduler does not know."""


class Outlook(NamedTuple):
    """What becomes of one service.

    :param active: where it runs (is promoted) now. :param lost: the nodes that are gone.
    :param candidates: who could take it; where it runs on a node that is left: that node.
        The one that Pacemaker's scheduler would choose comes first.
    :param excluded: reasons by node, for those who could not.
    :param blocked: reasons that hold for every node.
    :param pinned: it has one node by design: the only one of the cluster, or by standing rules.
    :param scheduled: whether Pacemaker's scheduler was asked.
    """

    resource: Resource
    active: tuple[str, ...]
    lost: frozenset[str]
    candidates: tuple[str, ...]
    excluded: dict[str, tuple[Against, ...]]
    blocked: tuple[Against, ...]
    disabled: bool
    pinned: bool
    scheduled: bool

    @property
    def by_node(self) -> dict[str, tuple[Against, ...]]:
        """What speaks against each node, empty for the candidates."""
        return {**self.excluded, **dict.fromkeys(self.candidates, ())}

    @property
    def on_purpose(self) -> bool:
        """Whether only maintenance-mode, a frozen ticket, or an unmanaged part keeps it here."""
        if self.blocked:
            frozen = bool(self.active)
            return all(
                each.word == "maintenance" or (frozen and each.freezes) for each in self.blocked
            )
        words = [{each.word for each in why} for why in self.excluded.values()]
        standing = {"rule", "configuration"}
        return any("unmanaged" in each for each in words) and all(
            "unmanaged" in each or each <= standing for each in words
        )

    @property
    def is_off(self) -> bool:
        """Whether it is down on purpose."""
        return self.disabled and not self.active

    @property
    def ends(self) -> bool:
        """Whether it runs now and would run nowhere, though nobody asked for that."""
        return bool(self.active) and not self.candidates and not self.disabled

    @property
    def why(self) -> str:
        """The reasons in words: those for every node, else by nodes."""
        if self.blocked:
            return "; ".join(each.text for each in self.blocked)
        together: dict[str, list[str]] = {}
        for node, why in self.excluded.items():
            together.setdefault(", ".join(each.text for each in why), []).append(node)
        return "; ".join(
            f"{', '.join(nodes)}{':' if len(nodes) > 1 else ''} {text}"
            for text, nodes in together.items()
        )

    @property
    def step(self) -> str:
        """What ends the first reason that somebody can lift; empty if there is none."""
        first = self.first
        return first.step if first is not None else ""

    @property
    def first(self) -> Optional[Against]:
        """The reason that somebody can lift soonest, else the first; ``None`` if there is none."""
        return soonest(self.blocked or [each for why in self.excluded.values() for each in why])


def services(cib: Optional[Cib], resources: Sequence[Resource]) -> tuple[Resource, ...]:
    """What somebody uses: groups, single resources, and clones of which one is promoted.

    A promotable clone that carries another service is asked about with that. Where several are
    promoted at once the loss of one is for the check ``resources`` to judge.
    """
    return tuple(each for each in resources if is_service(each) or _stands_alone(cib, each))


def _stands_alone(cib: Optional[Cib], resource: Resource) -> bool:
    if not isinstance(resource, Clone) or not resource.promotable:
        return False
    one = cib.resources.get(resource.id) if cib is not None else None
    meta = one.meta if one is not None else {}
    most = meta.get("promoted-max", meta.get("master-max", "1"))
    return most == "1" and not carried_by(cib, resource)


def active_on(resource: Resource) -> tuple[str, ...]:
    """Where a service is; of a promotable clone where it is promoted."""
    if isinstance(resource, Clone):
        promoted = (each for each in primitives(resource) if each.role is Role.PROMOTED)
        return tuple(dict.fromkeys(node for each in promoted for node in each.nodes))
    return where(resource)


class Futures:
    """The outlooks of one cluster after any loss.

    :param view: what is known of Pacemaker.
    :param others: the views of other nodes, each of which is believed about its own DRBD.
    :param count: the votes; those of *view* unless given.
    """

    def __init__(
        self,
        view: View,
        cluster: Cluster,
        cib: Optional[Cib],
        simulations: Optional[Simulations],
        *,
        others: Sequence[View] = (),
        count: Optional[Tally] = None,
    ) -> None:
        self.view = view
        self.views = (view, *others)
        self.cluster = cluster
        self.cib = cib
        self.count: Tally = count or tally(view)
        self.pairs = PairIndex(view, others)
        self._simulations = simulations
        self._tickets: dict[str, WithheldTicket] = {}
        if cib is not None and cib.tickets:
            from .facts.tickets import ticket_reasons

            self._tickets = ticket_reasons(view, cluster)
        self._nodes = tuple(node for node in cluster.nodes if node.runs_services)
        self._rules = Takeover(
            cluster,
            cib,
            view.time,
            partial(reasons_against, view, cluster),
            view.config.resources,
        )
        self._after: dict[frozenset[str], Takeover] = {}
        self._members: dict[frozenset[str], tuple[str, ...]] = {}
        self._alike: dict[object, dict[str, tuple[Against, ...]]] = {}
        self._wide: dict[frozenset[str], tuple[Against, ...]] = {}

    def simulation(self, lost: frozenset[str]) -> Optional[Simulation]:
        """What the scheduler said of this loss, if it was asked."""
        members = self.members(lost)
        if self._simulations is None or not members:
            return None
        return self._simulations.of(*members)

    def members(self, lost: frozenset[str]) -> tuple[str, ...]:
        """Those of the nodes that are Pacemaker's, of which its scheduler has something to say."""
        if lost not in self._members:
            names = (node.name for node in self.cluster.nodes if node.name in lost)
            self._members[lost] = tuple(sorted(names))
        return self._members[lost]

    def is_open(self, lost: frozenset[str]) -> bool:
        """Whether the scheduler has something to say of this loss, and was not heard."""
        return bool(self.members(lost)) and self.simulation(lost) is None

    def unasked(self, lost: frozenset[str]) -> str:
        """Why the scheduler was not asked about this loss, as far as that is known."""
        if self._simulations is None:
            return ""
        return self._simulations.unasked.get(self.members(lost), "")

    @staticmethod
    def placed(resource: Resource, simulation: Simulation) -> Optional[frozenset[str]]:
        """Nodes where the scheduler runs all that is meant to run, promoted where it has to be.

        ``None``: it would start it and cannot yet, so our own rules judge.
        """
        names = {base_id(each.id) for each in primitives(resource)}
        if isinstance(resource, Clone):
            return _where(simulation, names, promoted=True)
        assert isinstance(resource, (Group, Primitive))  # noqa: S101 - see services()
        wanted: set[str] = set()
        for each in primitives(resource):
            if asks_for_stop(each.target_role):
                break  # what stands behind it in a group is not started either
            wanted.add(base_id(each.id))
        wanted = wanted or names
        if any(name in simulation.waiting for name in wanted):
            return None
        places = [_where(simulation, {name}) for name in wanted]
        return frozenset.intersection(*places) if places else None

    def takeover(self, lost: frozenset[str]) -> Takeover:
        """Our own rules after this loss."""
        if lost not in self._after:
            self._after[lost] = self._rules.after(lost)
        return self._after[lost]

    def promoted_max(self, clone: Clone) -> int:
        """How many instances of a clone may be promoted."""
        return self._rules.promoted_max(clone)

    def of(self, resource: Resource, lost: Optional[frozenset[str]] = None) -> Outlook:
        """What becomes of *resource*; by default after the loss of the nodes where it runs."""
        active = active_on(resource)
        gone = frozenset(active) if lost is None else lost
        left = tuple(name for name in active if name not in gone)
        simulation = self.simulation(gone)
        disabled = is_disabled(self.cluster, resource) or not_to_be_promoted(resource)
        blocked = self.everywhere(resource, gone)
        # Of what is to be stopped the scheduler says nothing but that.
        asked = simulation is not None and not disabled
        placed = None
        if simulation is not None and asked and not blocked:
            placed = self.placed(resource, simulation)
        by_node = self._by_node(resource, gone, left, placed)
        candidates = [name for name, why in by_node.items() if not why]
        if placed:
            candidates.sort(key=lambda name: name not in placed)
        return Outlook(
            resource,
            active,
            gone,
            () if blocked else tuple(candidates),
            {name: why for name, why in by_node.items() if why},
            blocked,
            disabled,
            not left and self._is_pinned(resource, active),
            asked,
        )

    def _by_node(
        self,
        resource: Resource,
        gone: frozenset[str],
        left: tuple[str, ...],
        placed: Optional[frozenset[str]],
    ) -> dict[str, tuple[Against, ...]]:
        """What speaks against each node in question; at thousands of services most are alike."""
        alike = (
            not isinstance(resource, Clone)
            and self._rules.is_plain(resource)
            and not self.pairs.below(resource)
        )
        key = (gone, left, placed, is_service(resource))
        if alike and key in self._alike:
            return self._alike[key]
        found = {
            node.name: tuple(self._against(resource, node, gone, placed, stays=bool(left)))
            for node in self._nodes
            if node.name not in gone and (not left or node.name in left)
        }
        if alike:
            self._alike[key] = found
        return found

    def everywhere(
        self, resource: Resource, lost: frozenset[str] = frozenset()
    ) -> tuple[Against, ...]:
        """What keeps *resource* from being started on any node."""
        if lost not in self._wide:
            self._wide[lost] = tuple(self._cluster_wide(lost))
        return (*self._wide[lost], *self._tickets_of(resource))

    def _against(
        self,
        resource: Resource,
        node: Node,
        lost: frozenset[str],
        placed: Optional[frozenset[str]],
        *,
        stays: bool,
    ) -> Iterator[Against]:
        promoted = isinstance(resource, Clone)
        found = False
        rules = () if stays else self.takeover(lost).against(resource, node, promoted=promoted)
        if placed is not None and node.name in placed:
            # The scheduler knows better than our rules what Pacemaker allows.
            rules = tuple(each for each in rules if each.text in BY_CONFIGURATION)
        yield from rules
        if placed is not None and not placed and not rules:
            found = True
            yield Against(
                "would not get it from Pacemaker's scheduler",
                " ".join(("crm_simulate -LS", *(f"-d {name}" for name in self.members(lost)))),
            )
        if node.online:
            yield from self._drbd(resource, node, lost, data=not rules and not found)

    def _is_pinned(self, resource: Resource, active: tuple[str, ...]) -> bool:
        """Whether it runs, and has one node by design: no other, or by rules about itself."""
        if not active:
            return False
        kept_from = {
            ban.node
            for ban in self.cluster.bans
            if ban.resource == resource.id
            and ban.is_infinite
            and not (ban.is_leftover or ban.promoted_only)
        }
        opted_in = nodes_opted_in(self.cluster, self.cib, frozenset({resource.id}))
        free = [
            node.name
            for node in self._nodes
            if node.name not in kept_from and (opted_in is None or node.name in opted_in)
        ]
        return len(free) <= 1

    def _tickets_of(self, resource: Resource) -> Iterator[Against]:
        for name in sorted(ids_of(resource)) if self._tickets else ():
            if name in self._tickets:
                found = self._tickets[name]
                yield Against(found.text, found.step, "ticket", found.ticket, found.freezes)

    def _cluster_wide(self, lost: frozenset[str]) -> Iterator[Against]:
        """What keeps anything from being started anywhere."""
        gone = [node for node in self.cluster.nodes if node.name in lost]
        options = self.cluster.summary.options
        absent = [node.name for node in self._nodes if not node.online]
        back = "; ".join(f"on {name}: pcs cluster start" for name in absent)
        if self.cluster.summary.dc is None:
            yield Against(
                "no designated controller", "corosync-quorumtool -s; crm_mon -1", "controller"
            )
        elif self.count.quorate is False:
            # Ignored, it is no reason where it is one that all other nodes are gone.
            if options.no_quorum_policy != "ignore" or len(absent) + 1 < len(self._nodes):
                yield Against(
                    "this partition has no quorum", back or "corosync-quorumtool -s", "quorum"
                )
        elif keeps_quorum(self.count, gone) is False:
            names = join([node.name for node in gone])
            fails = f"if {names} {'fail' if len(gone) > 1 else 'fails'}{' too' if absent else ''}"
            # One pair of brackets: what was assumed stands in it.
            votes = self.count.counting.replace(" (", "; ").rstrip(")")
            yield Against(f"{fails}, the quorum is lost ({votes})", back, "votes")
        if options.maintenance_mode:
            yield Against(
                "maintenance-mode",
                f"{WHEN_DONE}: {MAINTENANCE_OVER}",
                "maintenance",
            )
        if options.fencing_enabled and not has_fence_device(self.view):
            yield Against(
                "fencing is enabled without a device", "pcs stonith create --help", "fencing"
            )

    def _drbd(
        self, resource: Resource, node: Node, lost: frozenset[str], *, data: bool
    ) -> Iterator[Against]:
        """DRBD readiness: by the node's own word, else by the connections to it and their words.

        :param data: whether the copies left count; not where something else speaks against it.
        """
        own = next((view for view in self.views if view.is_here(node.name)), None)
        alone = len(self.views) == 1
        if own is not None and not _knows_drbd(own, alone=alone):
            own = None
        at = "" if own is None or alone else f"on {node.name}: "
        for pair in self.pairs.below(resource):
            view = own or self._witness(pair, node.name)
            drbd = drbd_of(view, pair)
            if drbd is None:
                if own is not None:
                    text = f"{pair.drbd or pair.device} is not up {'there' if at else 'here'}"
                    yield Against(text, f"{at}drbdadm up {pair.drbd}", "drbd")
                continue
            look = f"drbdadm status {drbd.name}"
            if own is None and _is_cut_off(drbd, node.name):
                yield Against(f"{drbd.name} is not connected to it", look, "drbd-peer")
                continue
            for device in drbd.devices:
                if own is not None and not has_io(view, drbd, device):
                    name = volume_name(drbd, device.volume)
                    no_copy = not copies(view, drbd, device).up_to_date
                    why = (
                        "has no quorum"
                        if device.quorum is False
                        else "has no UpToDate copy in reach"
                        if no_copy
                        else "is suspended"
                    )
                    yield Against(f"{name} {why}", f"{at}{look}", "drbd")
                    continue
                step = f"on {node.name}: {look}; it has to reconnect and resync"
                for text in () if not data else data_against(view, drbd, device, node.name, lost):
                    yield Against(text, step, "drbd-peer")

    def _witness(self, pair: Pair, node: str) -> View:
        """Of the views of others the one that knows most of a node's DRBD: who is connected."""
        having = [(view, drbd) for view in self.views if (drbd := drbd_of(view, pair)) is not None]
        connected = (view for view, drbd in having if not _is_cut_off(drbd, node))
        return next(connected, having[0][0] if having else self.view)


def _knows_drbd(view: View, *, alone: bool) -> bool:
    """Whether a node knows of its own DRBD, if only that nothing of it is up.

    :param alone: there is no other view: that nothing is up is then told by itself.
    """
    answer = view[DRBD]
    nothing = any(problem.kind in _NOTHING for problem in answer.problems)
    return answer.value is not None or (nothing and not alone)


_NOTHING = (DRBD_EMPTY, DRBD_MODULE)


def _is_cut_off(resource: DrbdResource, node: str) -> bool:
    """Whether there is a connection to the node, and it is down."""
    found = next((c for c in resource.connections if same_node(c.name, node)), None)
    return found is not None and not found.is_connected


def _where(simulation: Simulation, names: set[str], *, promoted: bool = False) -> frozenset[str]:
    return frozenset(
        node
        for name in names
        for node, role in simulation.running.get(name, {}).items()
        if not promoted or role is Role.PROMOTED
    )


def here_is_excluded(view: View, cluster: Cluster, resource: Resource) -> bool:
    """Whether a standing rule or the configuration keeps this node from it."""
    return contains_node(tuple(wanted_exclusions(view, cluster, resource)), view.node)
