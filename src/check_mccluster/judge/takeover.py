"""Who could take a resource after a loss, by our own rules: what else it depends on.

Long because one answer needs all of it: what a resource depends on, in the order of the scheduler.

:mod:`.candidates` judges one resource on one node by itself. Here come the others: what it is
colocated with and ordered after, promotion, capacity, what nobody manages. Pacemaker's scheduler
knows all that better (:mod:`~check_mccluster.model.simulation`); these rules judge where it cannot
be asked, and say why where it can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Optional

from ..model.configuration import FALSE, Colocation, Refusal
from ..model.pacemaker import (
    INFINITY,
    Bundle,
    Cib,
    Clone,
    Cluster,
    Group,
    Node,
    Primitive,
    Resource,
    Role,
    base_id,
    ids_of,
    primitives,
)
from ..model.words import whole
from ..verdict.view import grouped
from ..verdict.words import WHEN_DONE, enabled_again
from .candidates import Against, reached
from .facts.location import applies, number
from .facts.pacemaker import is_disabled, is_service
from .promotion import against_promotion

if TYPE_CHECKING:
    from .capacity import Capacity

FAIL_COUNT = "fail-count-"
"""How the attributes of a node begin that count failures: of a resource, since 1.1.17 of its
operations (``fail-count-NAME#monitor_10000``)."""

NOT_CONFIGURED = 6
"""The result of an operation after which Pacemaker does not try again on any node."""

NOT_INSTALLED = 5
"""The result where the agent is not there, or a program that it needs."""

BARRING_RESULTS = {
    2: ("has parameters that are invalid there", "which", "correct them"),
    4: ("lacks permissions there", "which", "grant them"),
    NOT_INSTALLED: ("has no agent or program there", "what is missing", "install it"),
}
"""Results of an operation after which Pacemaker does not try again on that node, what the log tells
about each, and what to do then."""

_RAN_MS = 10
"""An agent that is there runs at least so long: most are shell scripts."""


class Takeover:
    """What Pacemaker's rules allow once some nodes are gone.

    :param cib: without it the rules know nothing but what crm_mon shows.
    :param now: for rules with a date.
    :param alone: what speaks against a node for one resource by itself. :param named: resources
        of which *alone* knows something special, from the configuration file.
    """

    def __init__(
        self,
        cluster: Cluster,
        cib: Optional[Cib],
        now: Optional[datetime],
        alone: Callable[[Resource, Node], tuple[Against, ...]],
        named: Iterable[str] = (),
    ) -> None:
        self.cluster = cluster
        self.cib = cib
        self.lost: frozenset[str] = frozenset()
        self.now = now
        self._alone = alone
        self._known: dict[tuple[str, str, bool], tuple[Against, ...]] = {}
        self._plain: dict[tuple[str, bool], tuple[Against, ...]] = {}
        self._capacity: Optional[Capacity] = None
        if cib is not None and cib.properties.get("placement-strategy", "default") != "default":
            from .capacity import Capacity

            self._capacity = Capacity(cluster, cib)
        self._tops = {name: resource for resource in cluster.resources for name in ids_of(resource)}
        self._must_run_with = grouped(
            (each.dependent.resource, each) for each in (cib.colocations if cib is not None else ())
        )
        self._must_wait = grouped(
            (each.then, each) for each in (cib.orders if cib is not None else ()) if each.mandatory
        )
        self._past = grouped(
            ((past.node, base_id(past.resource)), past) for past in cluster.history
        )
        self._failed = grouped(
            ((each.node, base_id(each.resource)), each) for each in cluster.failures
        )
        self._misconfigured = dict(self._said_not_configured())
        self._special = frozenset((*named, *self._with_a_rule_of_their_own()))

    def after(self, lost: frozenset[str]) -> Takeover:
        """The same rules once the nodes *lost* are gone."""
        other = object.__new__(Takeover)
        vars(other).update(vars(self), lost=lost, _known={})
        return other

    def _with_a_rule_of_their_own(self) -> Iterator[str]:
        """Ids of what is not judged as any other resource: at thousands of them it counts."""
        yield from self._must_run_with
        yield from self._must_wait
        yield from (name for _, name in (*self._past, *self._failed))
        yield from (ban.resource for ban in self.cluster.bans)
        for resource in self.cluster.resources:
            if any(each.managed is False for each in primitives(resource)):
                yield resource.id
        if self.cib is None:
            return
        named = all(each.resource is not None for each in self.cib.locations)
        yield from (each.resource for each in self.cib.locations if each.resource is not None)
        for node in self.cib.nodes.values():
            for name in node.transient:
                failed = _failed(name)
                if failed:
                    yield failed
        if self._capacity is not None or not named:
            yield from self._tops

    def is_plain(self, resource: Resource) -> bool:
        """Whether no rule names it: what is true of it is true of every such service."""
        return self._special.isdisjoint(ids_of(resource))

    def against(self, resource: Resource, node: Node, *, promoted: bool) -> tuple[Against, ...]:
        """What speaks against running, or promoting, *resource* on *node* after the loss."""
        if not promoted and self.is_plain(resource):
            sort = node.name, is_service(resource)
            if sort not in self._plain:
                self._plain[sort] = self._alone(resource, node)
            return self._plain[sort]
        key = (resource.id, node.name, promoted)
        if key not in self._known:
            self._known[key] = ()  # constraints may form a circle
            alone = self._alone(resource, node)
            self._known[key] = alone or tuple(self._together(resource, node, promoted=promoted))
        return self._known[key]

    def _together(self, resource: Resource, node: Node, *, promoted: bool) -> list[Against]:
        found = [*self._unmanaged(resource, promoted), *self._results(resource, node)]
        if promoted:
            found += against_promotion(self.cluster, self.cib, resource, node, self.now)
        if self.cib is not None:
            found += self._failures(self.cib, resource, node)
            found += self._exclusive(self.cib, resource, node)
            if self._capacity is not None:
                found += self._capacity.against(resource, node)
            for constraint in self._colocations(resource, promoted=promoted):
                found += self._colocated(constraint, node)
            if not found:  # what is colocated is often ordered, too
                found += self._ordered(resource)
        return list(dict.fromkeys(found))

    # -- the resource itself -------------------------------------------------------------------

    def _unmanaged(self, resource: Resource, promoted: bool) -> Iterator[Against]:
        """A member that Pacemaker does not manage is not started elsewhere, nor what follows it."""
        if isinstance(resource, Bundle) or self.cluster.summary.options.maintenance_mode:
            return
        if isinstance(resource, Clone) and not promoted:
            return  # its other instances run already
        for member in primitives(resource):
            if member.blocked:
                continue  # after a failed stop; that ends with its node
            if member.managed is False and not self._in_maintenance(member):
                name = resource.id if isinstance(resource, Clone) else member.id
                where = f" on {', '.join(member.nodes)}" if member.nodes else ""
                own = base_id(member.id)
                held = self.cib.holder(own, "is-managed") if self.cib is not None else None
                held = held or name
                yield Against(
                    f"cannot promote {name}: it is unmanaged"
                    if isinstance(resource, Clone)
                    else f"cannot take {name}, which is unmanaged{where}",
                    f"{WHEN_DONE}: crm_resource -r {held} --meta -d is-managed (pcs resource manage"
                    f" {held})",
                    "unmanaged",
                    name,
                )
                return

    def _in_maintenance(self, member: Primitive) -> bool:
        """Whether only its node's maintenance makes it unmanaged: that ends with the node."""
        nodes = [node for node in self.cluster.nodes if node.name in member.nodes]
        if not any(node.maintenance for node in nodes):
            return False
        own = self.cib.meta(member.id, "is-managed") if self.cib is not None else None
        return own is None or own.lower() not in FALSE

    def _results(self, resource: Resource, node: Node) -> Iterator[Against]:
        for name in sorted(ids_of(resource)):
            if name in self._misconfigured:
                where = self._misconfigured[name]
                why = self._refusal(name, where, NOT_CONFIGURED).reason
                look = (
                    "" if why else f"journalctl -u pacemaker --grep {name} tells which parameter; "
                )
                step = (
                    f"on {where}: {look}correct {'the parameters of ' + name if why else 'it'};"
                    f" then: crm_resource --cleanup -r {name} -N {where}"
                )
                said = f": {why}" if why else ""
                text = f"{name} is configured wrongly, said its agent on {where}{said}"
                yield Against(text, step, "agent", name)
                return
            results = [
                *(
                    each.rc
                    for past in self._past.get((node.name, name), ())
                    for each in past.operations
                ),
                *(each.exit_code for each in self._failed.get((node.name, name), ())),
            ]
            rc = next((rc for rc in results if rc in BARRING_RESULTS), None)
            if rc is not None:
                yield self._refused(resource, name, node.name, self._refusal(name, node.name, rc))

    def _refusal(self, name: str, node: str, rc: int) -> Refusal:
        """What is known of such a result: crm_mon tells the reason of a failure, the CIB always."""
        for each in self._failed.get((node, name), ()):
            if each.exit_code == rc:
                return Refusal(rc, each.exit_reason, each.took_ms)
        found = self.cib.refused.get((name, node)) if self.cib is not None else None
        return found if found is not None and found.rc == rc else Refusal(rc)

    def _refused(self, resource: Resource, name: str, node: str, found: Refusal) -> Against:
        """Why it is not tried there again: what is missing is named as far as somebody named it."""
        words, tells, mended = BARRING_RESULTS[found.rc]
        agent = next(
            (each.agent for each in primitives(resource) if base_id(each.id) == name), ""
        ).replace("::", ":")
        then = f"then: crm_resource --cleanup -r {name} -N {node}"
        log = f"on {node}: journalctl -u pacemaker --grep {name} tells {tells}; {mended}; {then}"
        if found.rc != NOT_INSTALLED or not agent:
            said = f": {found.reason}" if found.reason else ""
            return Against(f"{name} {words}{said}", log, "agent", name)
        sort, _, kind = agent.rpartition(":")
        if found.reason is not None and found.reason.startswith(f"{kind}: No such file"):
            step = (
                f"on {node}: install it (there are: crm_resource --list-agents {sort}), or correct"
                f" the type of {name}; {then}"
            )
            return Against(f"agent {agent} of {name} is not installed", step, "agent", name)
        if found.reason is not None:
            text = f"{name} says not installed: {found.reason} ({agent})"
            return Against(text, f"on {node}: install what it misses; {then}", "agent", name)
        ran = sort.startswith("ocf") and (found.took_ms or 0) >= _RAN_MS
        text = f"{name} {words} ({agent})"
        if ran:
            said = f"{agent} ran {found.took_ms} ms and says not installed"
            text = f"{name} misses a program there ({said})"
        return Against(text, log, "agent", name)

    def _said_not_configured(self) -> Iterator[tuple[str, str]]:
        """Resources that Pacemaker tries nowhere any more, and the node whose agent said why."""
        for (where, name), past in self._past.items():
            if any(op.rc == NOT_CONFIGURED for each in past for op in each.operations):
                yield name, where
        for (where, name), failed in self._failed.items():
            if any(each.exit_code == NOT_CONFIGURED for each in failed):
                yield name, where

    def _failures(self, cib: Cib, resource: Resource, node: Node) -> Iterator[Against]:
        """Fail-counts that crm_mon does not show: it lists them with a history only."""
        known = cib.nodes.get(node.name)
        untold = {name for name in ids_of(resource) if (node.name, name) not in self._past}
        counts: dict[str, int] = {}
        for name, value in known.transient.items() if known is not None else ():
            one = _failed(name)
            if one in untold:
                counts[one] = counts.get(one, 0) + number(value)
        for one, count in counts.items():
            threshold = cib.meta(one, "migration-threshold")
            limit = None if threshold is None else number(threshold)
            if cib.meta(one, "failure-timeout") is None and reached(count, limit):
                shown = "INFINITY" if count >= INFINITY else str(count)
                yield Against(
                    f"{one} barred by fail-count {shown}",
                    f"crm_resource --cleanup -r {one} -N {node.name}",
                    "barred",
                    one,
                )

    # -- constraints ---------------------------------------------------------------------------

    def _exclusive(self, cib: Cib, resource: Resource, node: Node) -> Iterator[Against]:
        """``resource-discovery="exclusive"``: only where such a constraint names the node."""
        only = [
            location
            for location in cib.locations
            if location.discovery == "exclusive"
            and not location.rules
            and applies(location, frozenset({resource.id}))
        ]
        if only and all(location.node != node.name for location in only):
            yield Against(
                f"{only[0].id} keeps {resource.id} to {_names(only)}", word="rule", about=only[0].id
            )

    def _colocations(self, resource: Resource, *, promoted: bool) -> Iterator[Colocation]:
        """The mandatory ones in which *resource*, or a part of it, is the dependent."""
        ids = ids_of(resource)
        for name in sorted(ids):
            for constraint in self._must_run_with.get(name, ()):
                primary = constraint.primary.resource
                if abs(constraint.score) < INFINITY or primary in ids or primary not in self._tops:
                    continue
                if constraint.dependent.role != Role.PROMOTED.value or promoted:
                    yield constraint

    def _colocated(self, constraint: Colocation, node: Node) -> Iterator[Against]:
        primary = self._tops[constraint.primary.resource]
        promoted = constraint.primary.role == Role.PROMOTED.value
        where = self._survivors(primary, promoted, constraint.primary.resource)
        if constraint.score < 0:
            if node.name in where:
                yield Against(
                    f"{primary.id} runs there, with which it must not ({constraint.id})",
                    word="colocation",
                    about=constraint.id,
                )
            return
        if node.name in where:
            return
        full = promoted and self._is_full(primary, where)
        if where and (full or isinstance(primary, (Group, Primitive))):
            verb = "is promoted" if promoted else "runs"
            yield Against(
                f"{primary.id} {verb} on {', '.join(where)} ({constraint.id})",
                word="colocation",
                about=constraint.id,
            )
            return
        if isinstance(primary, Bundle):
            return
        if is_disabled(self.cluster, primary):
            yield _disabled(primary, " is disabled")
            return
        for reason in self.against(primary, node, promoted=promoted):
            told = any(name in reason.text for name in ids_of(primary))
            of_another = reason.about and reason.text.startswith(reason.about)
            words = f" does not run: {reason.text}" if of_another else f" {reason.text}"
            yield reason if told else reason._replace(text=f"{primary.id}{words}")

    def _survivors(self, resource: Resource, promoted: bool, part: str) -> tuple[str, ...]:
        """Where it, or the *part* of it that a constraint names, runs and would after the loss."""
        inner = (
            primitives(resource)
            if part == resource.id or isinstance(resource, (Clone, Bundle))
            else (each for each in primitives(resource) if base_id(each.id) == part)
        )
        return tuple(
            dict.fromkeys(
                node
                for each in inner
                if (each.role is Role.PROMOTED if promoted else each.role is not Role.STOPPED)
                for node in each.nodes
                if node not in self.lost
            )
        )

    def _is_full(self, resource: Resource, promoted: tuple[str, ...]) -> bool:
        """Whether no further instance would be promoted."""
        return isinstance(resource, Clone) and len(promoted) >= self.promoted_max(resource)

    def promoted_max(self, resource: Clone) -> int:
        """How many instances may be promoted: ``promoted-max``, by its old name ``master-max``."""
        one = self.cib.resources.get(resource.id) if self.cib is not None else None
        meta = one.meta if one is not None else {}
        return max(1, whole(meta.get("promoted-max", meta.get("master-max", "1"))) or 1)

    def _ordered(self, resource: Resource) -> Iterator[Against]:
        """What must be started or promoted first, and could be nowhere."""
        ids = ids_of(resource)
        for order in (each for name in sorted(ids) for each in self._must_wait.get(name, ())):
            if order.first in ids:
                continue
            first = self._tops.get(order.first)
            if first is None or order.first_action not in ("start", "promote"):
                continue
            promoted = order.first_action == "promote"
            if self._survivors(first, promoted, order.first) or isinstance(first, Bundle):
                continue
            if is_disabled(self.cluster, first):
                yield _disabled(first, ", which must be there first, is disabled")
            else:
                reasons = {
                    node.name: self.against(first, node, promoted=promoted)
                    for node in self.remaining()
                }
                if all(reasons.values()):
                    verb = "promote" if promoted else "start"
                    why = next((f": {n} {w[0].text}" for n, w in reasons.items()), "")
                    yield Against(
                        f"no node could {verb} {first.id}, which must be there first{why}",
                        word="order",
                        about=first.id,
                    )

    def remaining(self) -> Iterator[Node]:
        """The nodes that are not gone and run services."""
        return (
            node for node in self.cluster.nodes if node.name not in self.lost and node.runs_services
        )


def _disabled(one: Resource, how: str) -> Against:
    step = f"{WHEN_DONE}: {enabled_again(one.id)}"
    return Against(f"{one.id}{how}", step, "disabled", one.id)


def _failed(attribute: str) -> str:
    """The resource whose failures an attribute counts; empty if it counts none."""
    counted, _, _operation = attribute.partition("#")
    return base_id(counted[len(FAIL_COUNT) :]) if counted.startswith(FAIL_COUNT) else ""


def _names(locations: Iterable[object]) -> str:
    return ", ".join(str(getattr(one, "node", None)) for one in locations)
