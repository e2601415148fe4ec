"""Who could take a resource: every reason against a node, named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Optional, Union

from ..inputs.cibadmin import CIB
from ..model.configuration import DateExpression, Expression, Rule
from ..model.pacemaker import (
    INFINITY,
    Ban,
    Cib,
    Cluster,
    Health,
    Node,
    Resource,
    ResourceHistory,
    base_id,
    ids_of,
)
from ..values import NamedTuple
from ..verdict.view import View, contains_node, grouped
from ..verdict.words import WHEN_DONE, ask_controller, constraint_gone, pasted, pings
from .facts.pacemaker import is_ping, is_service, nodes_opted_in


def wanted_exclusions(view: View, cluster: Cluster, resource: Resource) -> frozenset[str]:
    """Nodes that a standing -INFINITY rule or the configuration file keeps the resource from."""
    ids = ids_of(resource)
    excluded = {
        ban.node
        for ban in cluster.bans
        if ban.is_infinite and not ban.is_leftover and not ban.promoted_only and ban.resource in ids
    }
    rule = view.config.resources.get(resource.id)
    if view.config.tie_breakers and is_service(resource):
        breakers = view.config.tie_breakers
        excluded |= {node.name for node in cluster.nodes if contains_node(breakers, node.name)}
    if rule is not None and rule.allowed is not None:
        allowed = rule.allowed
        excluded |= {node.name for node in cluster.nodes if not contains_node(allowed, node.name)}
    return frozenset(excluded)


class Against(NamedTuple):
    """What speaks against a node.

    :param step: what ends it, with real names; empty where nothing can be named.
    :param word: one word for it, as findings have it for a reason.
    :param about: the id of what it is about: a constraint, a ticket, another resource.
    :param freezes: whether what runs already runs on for all that, and is not recovered.
    """

    text: str
    step: str = ""
    word: str = ""
    about: str = ""
    freezes: bool = False


_LIFTABLE = (
    *("drbd", "ban", "standby", "barred", "maintenance", "disabled", "agent", "fence-handler"),
    *("score", "ticket", "health", "connectivity", "unmanaged", "capacity", "drbd-peer", "order"),
    "colocation",
)
"""Words of reasons that somebody can lift from a keyboard, soonest first."""


def soonest(reasons: Sequence[Against]) -> Optional[Against]:
    """The reason that somebody can lift soonest, else the first with a step, else the first.

    A standing rule is somebody's will: it comes last, though there is a step for it.
    """

    def effort(each: Against) -> tuple[bool, int]:
        known = each.word in _LIFTABLE
        rank = _LIFTABLE.index(each.word) if known else len(_LIFTABLE)
        return not each.step or each.word == "rule", rank

    return min(reasons, key=effort, default=None)


def reasons_against(
    view: View, cluster: Cluster, resource: Resource, node: Node
) -> tuple[Against, ...]:
    """Why *node* could not run *resource* now; empty if nothing in Pacemaker speaks against it."""
    return tuple(_reasons(view, cluster, resource, node))


def _reasons(view: View, cluster: Cluster, resource: Resource, node: Node) -> Iterable[Against]:
    if not node.online:
        word = "unclean" if node.unclean else "offline"
        if view.is_here(node.name):  # who answers here runs
            yield Against(word, f"on {node.name}: {ask_controller(node.name)}", word)
            return
        yield Against(word, f"on {node.name}: pcs cluster start", word)
        return
    if node.unclean:
        yield Against("unclean", f"stonith_admin --history {node.name} --verbose", "unclean")
    if node.pending:
        step = f"wait for {node.name} to join; on {node.name}: journalctl -u pacemaker"
        yield Against("pending", step, "pending")
    if node.shutdown:
        step = f"wait; then on {node.name}: pcs cluster start"
        yield Against("shutting down", step, "shutdown")
    if node.standby_onfail:
        step = f"once the failure is fixed: crm_resource --cleanup --node {node.name}"
        yield Against("in standby after a failure", step, "standby")
    elif node.standby and not node.pending:
        step = f"{WHEN_DONE}: pcs node unstandby {node.name}"
        yield Against("in standby", step, "standby")
    if node.maintenance:
        step = f"{WHEN_DONE}: pcs node unmaintenance {node.name}"
        yield Against("in maintenance", step, "maintenance")
    if node.health is Health.RED:
        step = f"crm_mon -1 -A; fix what the #health attributes of {node.name} report"
        yield Against("health red", step, "health")
    yield from _rules(view, cluster, resource, node)
    yield from _bars(view.once(_barred, cluster.history), resource, node)


def _rules(view: View, cluster: Cluster, resource: Resource, node: Node) -> Iterable[Against]:
    ids = ids_of(resource)
    bans = [
        ban
        for ban in cluster.bans
        if ban.is_infinite
        and not ban.promoted_only
        and ban.resource in ids
        and ban.node == node.name
    ]
    if bans:
        yield _banned(cluster, view[CIB].value, bans[0])
    opted_in = nodes_opted_in(cluster, view[CIB].value, ids)
    if opted_in is not None and node.name not in opted_in:
        step = (
            "symmetric-cluster is false: where it may run: pcs constraint location"
            f" {resource.id} prefers {node.name}"
        )
        yield Against("not opted in by a constraint", step, "rule")
    if is_service(resource) and contains_node(view.config.tie_breakers, node.name):
        yield Against("tie-breaker", word="configuration")
    rule = view.config.resources.get(resource.id)
    if rule is not None and rule.allowed is not None:
        if not contains_node(rule.allowed, node.name):
            yield Against("not in the allowed list", word="configuration")


def _banned(cluster: Cluster, cib: Optional[Cib], ban: Ban) -> Against:
    """What a ban is about: left by hand, or a rule with what it looks at on that node."""
    location, rule = rule_of(cib, ban.id)
    if ban.is_leftover:
        ends = ban_ends(cib, ban)
        until = f" (until {ends})" if ends else ""
        return Against(f"banned by {location}{until}", ban_gone(ban), "ban", location)
    step = rule_gone(ban.resource, location)
    known = cib.nodes.get(ban.node) if cib is not None else None
    tests = list(rule.expressions()) if rule is not None and known is not None else []
    looked_at = {each.attribute for each in tests if isinstance(each, Expression)}
    names = sorted(name for name in looked_at if not name.startswith("#"))
    words = [f"{name} is {known.attribute(name) or 'not set'}" for name in names if known]
    words += [
        f"until {each.end}" for each in tests if isinstance(each, DateExpression) and each.end
    ]
    text = f"banned by {location}" + (f" ({', '.join(words)})" if words else "")
    if any(
        one.node == ban.node and one.name in names and one.expected for one in cluster.attributes
    ):
        pings = _pings(cib, names[0])
        asks = pings or "then ping the targets of its ping resource"
        step = f"on {ban.node}: ip -br link; ip route; {asks}"
        return Against(text, step, "connectivity", location)
    if names:
        step = f"{_looked_up(cib, names[0], ban.node, tests)}; {step}"
    return Against(text, step, "rule", location)


_PINGD = "pingd"
"""The attribute that the agents of ping set unless told another (their parameter ``name``)."""


def _pings(cib: Optional[Cib], name: str) -> Optional[str]:
    """The pings of what sets an attribute; ``None`` without such a resource, "" without targets."""
    for one in cib.resources.values() if cib is not None else ():
        if is_ping(one.agent) and one.parameters.get("name", _PINGD) == name:
            return pings(one.parameters.get("host_list", "").split()[:2])
    return None


def _looked_up(
    cib: Optional[Cib], name: str, node: str, tests: Sequence[Union[Expression, DateExpression]]
) -> str:
    """How an attribute is looked at, and who has to set it where no resource does."""
    look = f"attrd_updater -Q -A -n {name}"
    pings = _pings(cib, name)
    if pings is not None:
        return f"{look}; on {node}: {pings}" if pings else look
    if name != _PINGD:
        return look
    enough = next(
        (
            each.value
            for each in tests
            if isinstance(each, Expression) and (each.attribute, each.operation) == (name, "lt")
        ),
        None,
    )
    by_hand = f"; where {node} reaches its network: attrd_updater -n {name} -U {enough} -N {node}"
    return f"{look} (no ping resource sets it){by_hand if enough else ''}"


def ban_ends(cib: Optional[Cib], ban: Ban) -> str:
    """When a ban ends by itself, as the date in its rule says; empty where none does."""
    _, rule = rule_of(cib, ban.id)
    tests = rule.expressions() if rule is not None else ()
    return next((each.end for each in tests if isinstance(each, DateExpression) and each.end), "")


def ban_gone(ban: Ban) -> str:
    """How a ban ends that was left by hand."""
    return f"crm_resource --clear -r {ban.resource} -N {ban.node}"


def rule_gone(resource: str, location: str) -> str:
    """How a standing rule ends: it is somebody's will, so it is looked at first."""
    return (
        f"crm_resource --constraints -r {pasted(resource)}; where {location} is not wanted:"
        f" {constraint_gone(location)}"
    )


def rule_of(cib: Optional[Cib], found: str) -> tuple[str, Optional[Rule]]:
    """The constraint that crm_mon names by its own id, or by that of the rule in it."""
    for location in cib.locations if cib is not None else ():
        for rule in location.rules:
            if rule.id == found:
                return location.id, rule
    return found, None


_Barred = dict[tuple[str, str], list[tuple[int, str, int]]]
"""What failed too often, by node and resource: its place in the history, its name, how often."""


def _barred(history: Sequence[ResourceHistory]) -> _Barred:
    return grouped(
        ((past.node, base_id(past.resource)), (at, past.resource, past.fail_count or 0))
        for at, past in enumerate(history)
        if is_barred(past)
    )


def _bars(barred: _Barred, resource: Resource, node: Node) -> Iterable[Against]:
    if not barred:
        return
    on_it = [each for name in ids_of(resource) for each in barred.get((node.name, name), ())]
    for _, resource_name, count in sorted(on_it):
        times = "INFINITY" if count >= INFINITY else str(count)
        name = base_id(resource_name)
        yield Against(
            f"{resource_name} barred by fail-count {times}",
            f"crm_resource --cleanup -r {name} -N {node.name}",
            "barred",
            name,
        )


def is_barred(past: ResourceHistory) -> bool:
    """Whether a resource failed too often on a node to run there again."""
    return bool(past.fail_count) and reached(past.fail_count or 0, past.migration_threshold)


def reached(fail_count: int, threshold: Optional[int]) -> bool:
    """Whether a fail-count bars the node: at the threshold, or INFINITY.

    A threshold of 0 means that failures never bar a node ("Resource Meta-Attributes" in
    Pacemaker Explained; ``pcmk__threshold_reached`` in lib/pacemaker).
    """
    if threshold == 0:
        return False
    return fail_count >= INFINITY or (threshold is not None and fail_count >= threshold)
