"""What a running cluster tells about how it is meant to be: a first configuration file.

Only what is certain, and what changes no verdict on the cluster that it was learnt from: a node
or a rule about which two views disagree is left out, and a note says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Optional

from ..inputs.cibadmin import CIB
from ..inputs.crm_mon import CLUSTER
from ..inputs.drbdsetup import DRBD
from ..model.config import Config, DrbdRule, PlacementRule
from ..model.drbd import DrbdResource
from ..model.pacemaker import Cluster, Resource, ids_of
from ..values import NamedTuple
from ..verdict.view import View, contains_node, same_node
from ..verdict.words import join
from .facts.drbd import by_name, copies, primaries
from .facts.mapping import pairs
from .facts.pacemaker import is_service, where

Path = tuple[str, ...]


class Learnt(NamedTuple):
    """A configuration with its reasons.

    :param preferred: nodes that could be set as ``preferred``, by resource; not in *config*,
        for that would add a finding where the resource runs elsewhere.
    :param notes: comments by the path of the key that they are about, as
        ``("drbd", "r0", "clients")``; ``()`` is the file as a whole.
    """

    config: Config
    preferred: Mapping[str, str]
    notes: Mapping[Path, tuple[str, ...]]


def learn(views: Iterable[View]) -> Learnt:
    """Learn from views of one cluster, each made without a configuration file."""
    ordered = sorted(views, key=lambda view: view.node or "")
    notes: dict[Path, tuple[str, ...]] = {(): _head(ordered)}
    pacemaker, preferred = _pacemaker(ordered, notes)
    config = Config(
        nodes=pacemaker.nodes,
        tie_breakers=pacemaker.tie_breakers,
        resources=pacemaker.resources,
        drbd=_drbd(ordered, notes),
    )
    return Learnt(config, preferred, notes)


def _head(views: Sequence[View]) -> tuple[str, ...]:
    lines = [f"Learnt from {_names(views)}."]
    if len(views) == 1:
        lines.append("Snapshots of further nodes (--from, repeatable) would confirm it.")
    for view in views:
        for answer, what in ((view[CLUSTER], "Pacemaker"), (view[DRBD], "DRBD")):
            if answer.value is None:
                why = "; ".join(problem.text for problem in answer.problems)
                lines.append(f"Nothing about {what} from {view.node or 'there'}: {why}.")
    return tuple(lines)


def _names(views: Sequence[View]) -> str:
    return join([view.node or "a node without a name" for view in views], 8)


# -- Pacemaker ---------------------------------------------------------------------------------


def _pacemaker(
    views: Sequence[View], notes: dict[Path, tuple[str, ...]]
) -> tuple[Config, dict[str, str]]:
    """The ``[pacemaker]`` part, and the preferred nodes."""
    seen = [(view, cluster) for view in views if (cluster := view[CLUSTER].value) is not None]
    if not seen:
        return Config(), {}
    lists = {_listed(cluster) for _, cluster in seen}
    if len(lists) > 1:
        notes[("pacemaker",)] = ("Nothing is learnt here: the views list different nodes.",)
        return Config(), {}
    (nodes,) = lists
    notes["pacemaker", "nodes"] = (
        f"Members and remote nodes in crm_mon of {_names([v for v, _ in seen])}.",
    )
    if any(cluster.summary.options.symmetric is False for _, cluster in seen):
        notes[("pacemaker",)] = (
            "An opt-in cluster (symmetric-cluster=false): where a resource may run cannot be"
            " learnt from what forbids it.",
        )
        return Config(nodes=nodes), {}
    resources = _resources(seen, notes)
    tie_breakers = _tie_breakers(seen, notes)
    return Config(nodes, tie_breakers, resources), _preferred(seen, notes)


def _listed(cluster: Cluster) -> tuple[str, ...]:
    """The nodes that ``nodes`` must name; guests come and go with their resource."""
    return tuple(
        sorted(n.name for n in cluster.nodes if n.id_as_resource is None and not n.is_ping)
    )


_Views = Sequence[tuple[View, Cluster]]


def _services(seen: _Views) -> dict[str, list[tuple[Cluster, Resource]]]:
    """Groups and single resources that every view knows."""
    found: dict[str, list[tuple[Cluster, Resource]]] = {}
    for _, cluster in seen:
        for resource in filter(is_service, cluster.resources):
            found.setdefault(resource.id, []).append((cluster, resource))
    return {name: found[name] for name in sorted(found) if len(found[name]) == len(seen)}


def _rules(cluster: Cluster, resource: Resource) -> dict[str, str]:
    """Nodes that a standing rule keeps *resource* from, each with the rule's id.

    What a manual move or ban left behind is no rule.
    """
    ids = ids_of(resource)
    return {
        ban.node: ban.id
        for ban in cluster.bans
        if ban.is_infinite and not ban.is_leftover and not ban.promoted_only and ban.resource in ids
    }


def _resources(seen: _Views, notes: dict[Path, tuple[str, ...]]) -> dict[str, PlacementRule]:
    """Where each resource may run, if rules exclude some nodes."""
    found = {}
    for name, instances in _services(seen).items():
        rules = _rules(*instances[0])
        if any(_rules(*each).keys() != rules.keys() for each in instances):
            notes["pacemaker", "resources", name] = (
                "Left out: the views show different rules for it.",
            )
            continue
        # A guest is no candidate, yet the resource may be at home there.
        allowed = {
            node.name
            for cluster, resource in instances
            for node in cluster.nodes
            if node.name not in rules and (node.runs_services or node.name in where(resource))
        }
        if rules and allowed:
            notes["pacemaker", "resources", name, "allowed"] = (f"Without {_with_ids(rules)}.",)
            found[name] = PlacementRule(tuple(sorted(allowed)))
    return found


def _with_ids(rules: Mapping[str, str]) -> str:
    return join([f"{node} (rule {rules[node]})" for node in sorted(rules)], 8)


def _tie_breakers(seen: _Views, notes: dict[Path, tuple[str, ...]]) -> tuple[str, ...]:
    """Nodes that standing rules keep every group and single resource from."""
    services = _services(seen)
    rules = [_rules(*each) for instances in services.values() for each in instances]
    if not rules:
        return ()
    excluded = set(rules[0]).intersection(*rules)
    members = {node.name for _, cluster in seen for node in cluster.nodes if node.runs_services}
    primary = {
        name
        for view, _ in seen
        for resource in view[DRBD].value or ()
        for name in primaries(view, resource).names
    }
    found = []
    lines = [f"Standing rules keep every group and single resource ({join(services)}) away."]
    for node in sorted(excluded & members):
        if contains_node(tuple(primary), node):
            lines.append(f"Left out: {node}, which is a DRBD Primary now.")
        else:
            found.append(node)
    if excluded & members:
        notes["pacemaker", "tie_breakers"] = tuple(lines)
    return tuple(found)


def _preferred(seen: _Views, notes: dict[Path, tuple[str, ...]]) -> dict[str, str]:
    """The node with the highest standing score of a resource, if there is one such node."""
    found = {}
    cib = next((view[CIB].value for view, _ in seen if view[CIB].value is not None), None)
    members = {node.name for _, cluster in seen for node in cluster.nodes if node.runs_services}
    for name in _services(seen):
        scored = [
            location
            for location in (cib.locations if cib is not None else ())
            if location.resource == name
            and not location.is_leftover_prefer
            and location.node in members
            and (location.score or 0) > 0
        ]
        best = max((location.score or 0 for location in scored), default=0)
        top = {location.node: location for location in scored if location.score == best}
        if len(top) == 1:
            ((node, location),) = top.items()
            found[name] = str(node)
            notes["pacemaker", "resources", name, "preferred"] = (
                f"Constraint {location.id} gives {node} the highest score ({best})."
                " Uncomment it to be warned when the resource runs elsewhere.",
            )
    return found


# -- DRBD --------------------------------------------------------------------------------------


def _drbd(views: Sequence[View], notes: dict[Path, tuple[str, ...]]) -> dict[str, DrbdRule]:
    names = sorted({resource.name for view in views for resource in view[DRBD].value or ()})
    found = {}
    for name in names:
        rule = _drbd_rule(views, name, notes)
        if rule.nodes:
            found[name] = rule
        elif rule.runs_with is not None:
            # Without nodes the resource would be expected everywhere.
            notes["drbd", name] = (
                *notes.get(("drbd", name), ()),
                f"Its nodes are not known; {rule.runs_with} runs on it.",
            )
    return found


def _drbd_rule(views: Sequence[View], name: str, notes: dict[Path, tuple[str, ...]]) -> DrbdRule:
    up = [
        (view, resource)
        for view in views
        if (resource := by_name(view[DRBD].value or (), name)) is not None
    ]
    down = [view for view in views if by_name(view[DRBD].value or (), name) is None]
    kinds = _kinds(up)
    out: dict[str, str] = {}
    for node, kind in kinds.items():
        if len(kind) != 1:
            out[node] = "both replica and client" if kind else "nobody can say which it is"
        elif any(not contains_node(_mesh(view, resource), node) for view, resource in up):
            out[node] = "not every node has a connection to it"
        elif any(view.is_here(node) for view in down):
            out[node] = f"{name} cannot be seen to be up there"
    if out:
        notes["drbd", name] = tuple(f"Left out: {node}, {out[node]}." for node in sorted(out))
    told = f"As drbdsetup says on {_names([view for view, _ in up])}"
    sure = sorted(node for node in kinds if node not in out)
    lists = {
        key: tuple(node for node in sure if kinds[node] == {key}) for key in ("replicas", "clients")
    }
    for key, what in (("replicas", "nodes with a disk"), ("clients", "diskless on purpose")):
        if lists[key]:
            notes["drbd", name, key] = (f"{told}: {what}.",)
    return DrbdRule(
        lists["replicas"] or None, lists["clients"] or None, _runs_with(up, name, notes)
    )


_Up = Sequence[tuple[View, DrbdResource]]


def _mesh(view: View, resource: DrbdResource) -> tuple[str, ...]:
    """This node and those that it has a connection to."""
    return (view.here, *(connection.name for connection in resource.connections))


def _kinds(up: _Up) -> dict[str, set[str]]:
    """Each node of a mesh with what the views take it for, ``replicas`` or ``clients``, if so."""
    kinds: dict[str, set[str]] = {}
    for view, resource in up:
        for node in _mesh(view, resource):
            if node != view.here or view.node is not None:
                _entry(kinds, node)
        for device in resource.devices:
            counted = copies(view, resource, device)
            for node in _mesh(view, resource):
                connection = next((c for c in resource.connections if c.name == node), None)
                absent = connection is not None and not connection.peer_device(device.volume)
                if absent or node in counted.unknown or (node == view.here and view.node is None):
                    continue
                _entry(kinds, node).add("replicas" if node in counted.replicas else "clients")
    return kinds


def _entry(kinds: dict[str, set[str]], node: str) -> set[str]:
    """The entry of a node, whether its name is told with or without the domain."""
    known = next((name for name in kinds if same_node(name, node)), node)
    return kinds.setdefault(known, set())


def _runs_with(up: _Up, name: str, notes: dict[Path, tuple[str, ...]]) -> Optional[str]:
    """The first resource of the CIB that stands on the DRBD resource."""
    found = {pair.resource: pair for view, _ in up for pair in pairs(view) if pair.drbd == name}
    if not found:
        return None
    first, *others = found
    pair = found[first]
    how = f"{first} mounts {pair.device}"
    if pair.device is None:
        how = f"{first} must run where {pair.promoter} is promoted"
        if first == pair.promoter:
            how = f"{first} manages {name}, and nothing must run with it"
    lines = [f"In the CIB, {how}."]
    if others:
        lines.append(f"The CIB says the same of {join(others)}, which need no entry.")
    notes["drbd", name, "runs_with"] = tuple(lines)
    return first
