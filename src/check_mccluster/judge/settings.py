"""Names in the configuration file that are no node, resource or replica: told, and not judged by.

A name is unknown only where everything that could know it was read. A name of a node that is gone
is known: to the CIB, to Corosync's node list, or to DRBD as a peer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Optional

from ..inputs.cibadmin import CIB
from ..inputs.corosync_cmapctl import CMAP
from ..inputs.crm_mon import CLUSTER
from ..inputs.drbdsetup import DRBD, SHOW
from ..model.config import Config, DrbdRule, PlacementRule
from ..values import NamedTuple
from ..verdict.finding import Finding
from ..verdict.problems import CONFIG_UNKNOWN_NAME, unknown_name
from ..verdict.view import Input, View, contains_node

if TYPE_CHECKING:
    from ..model.drbd import DrbdResource

PACEMAKER, OF_DRBD = "pacemaker", "drbd"
"""The tables of the file."""


def more_inputs(tables: Iterable[str], config: Config) -> tuple[Input[Any], ...]:
    """What has to be read beside a check's own inputs, to know a name of the file."""
    named = config.tie_breakers or any(r.allowed or r.preferred for r in config.resources.values())
    return (CMAP,) if named and PACEMAKER in tables else ()


def trusted(view: View, tables: Iterable[str]) -> tuple[tuple[Finding, ...], View]:
    """What the file names and nobody knows, and the view without those settings.

    :param tables: those whose names the check uses.
    """
    strange: list[Finding] = []
    config = view.config
    if PACEMAKER in tables and (config.tie_breakers or config.resources):
        nodes, ids = _nodes(view), _ids(view)
        config = config._replace(
            tie_breakers=_kept("pacemaker.tie_breakers", config.tie_breakers, nodes, strange) or (),
            resources=dict(_placements(config.resources, nodes, ids, strange)),
        )
    if OF_DRBD in tables and config.drbd:
        config = config._replace(
            drbd={
                name: _drbd(view, name, rule, strange)
                for name, rule in config.drbd.items()
                if not _told_by_input(view, name)
            }
        )
    return tuple(strange), view if config == view.config else view.with_config(config)


def _told_by_input(view: View, name: str) -> bool:
    return any(
        problem.kind is CONFIG_UNKNOWN_NAME and problem.object == f"drbd.{name}"
        for problem in view[DRBD].problems
    )


def _placements(
    rules: Mapping[str, PlacementRule],
    nodes: Optional[_Nodes],
    ids: Optional[frozenset[str]],
    strange: list[Finding],
) -> Iterator[tuple[str, PlacementRule]]:
    for name, rule in rules.items():
        path = f"pacemaker.resources.{name}"
        if ids is not None and name not in ids:
            strange.append(unknown_name(path, name, "resource of the cluster", sorted(ids)))
            continue
        allowed, preferred = rule.allowed, rule.preferred
        before = len(strange)
        _kept(f"{path}.allowed", allowed, nodes, strange)
        if len(strange) > before:
            allowed = None  # what is left of a wrong list would forbid too much
        if preferred is not None:
            kept = _kept(f"{path}.preferred", (preferred,), nodes, strange)
            preferred = preferred if kept else None
        yield name, PlacementRule(allowed, preferred)


def _kept(
    path: str,
    names: Optional[tuple[str, ...]],
    nodes: Optional[_Nodes],
    strange: list[Finding],
) -> Optional[tuple[str, ...]]:
    """Those of *names* that are nodes; the others are told."""
    if nodes is None or not names:
        return names
    for name in names:
        if not contains_node(nodes.known, name):
            strange.append(unknown_name(path, name, "node of the cluster", nodes.members))
    return tuple(name for name in names if contains_node(nodes.known, name)) or None


class _Nodes(NamedTuple):
    """Nodes that Pacemaker and Corosync list, and those that anybody knows."""

    members: tuple[str, ...]
    known: tuple[str, ...]


def _nodes(view: View) -> Optional[_Nodes]:
    """Every node that anybody knows; ``None`` where Pacemaker or Corosync could not be asked."""
    cluster, cmap, cib = view[CLUSTER].value, view[CMAP].value, view[CIB].value
    if cluster is None or cmap is None or any(each.name is None for each in cmap.nodes):
        return None
    names = [node.name for node in cluster.nodes]
    names += [each.name for each in cmap.nodes if each.name]
    members = _once(names)
    names += view.config.nodes or ()  # one that is missing is for 'nodes' to tell
    if cib is not None:
        names += cib.nodes
        # A remote or guest node that never was up is only a resource.
        names += [each.id for each in cib.configured("remote")]
        names += [m for each in cib.resources.values() if (m := each.meta.get("remote-node"))]
    for resource in (*(view[DRBD].value or ()), *view.drbd_others):
        names += [connection.name for connection in resource.connections]
    return _Nodes(members, tuple(names))


def _once(names: Iterable[str]) -> tuple[str, ...]:
    """One name a node: it may be known with and without its domain."""
    kept: list[str] = []
    for name in names:
        if not contains_node(tuple(kept), name):
            kept.append(name)
    return tuple(kept)


def _ids(view: View) -> Optional[frozenset[str]]:
    from .facts.pacemaker import known_ids

    cluster, cib = view[CLUSTER].value, view[CIB].value
    if cluster is None:
        return None
    return known_ids(cluster) | frozenset(cib.resources if cib is not None else ())


# -- DRBD --------------------------------------------------------------------------------------


def _drbd(view: View, name: str, rule: DrbdRule, strange: list[Finding]) -> DrbdRule:
    path = f"drbd.{name}"
    ids = _ids(view)
    runs_with = rule.runs_with
    if runs_with is not None and ids is not None and runs_with not in ids:
        what = "resource of the cluster"
        strange.append(unknown_name(f"{path}.runs_with", runs_with, what, sorted(ids)))
        runs_with = None
    resource = next((each for each in view[DRBD].value or () if each.name == name), None)
    if resource is None:
        return rule._replace(runs_with=runs_with)
    peers = _once([view.here, *(c.name for c in resource.connections)])
    if not any(contains_node(peers, each) for each in rule.nodes):
        return rule._replace(runs_with=runs_with)  # that of another mesh
    known = _peers(view)
    lists = {}
    for word, listed in (("replicas", rule.replicas), ("clients", rule.clients)):
        wrong = [each for each in listed or () if not contains_node(known, each)]
        # A peer that the kernel does not have is missing, unless another one is there in its place.
        unlisted = _unlisted(view, resource, rule, word)
        if not wrong or not unlisted:
            lists[word] = listed
            continue
        for each in wrong:
            strange.append(unknown_name(f"{path}.{word}", each, f"node of {name}", peers))
        lists[word] = tuple(each for each in listed or () if each not in wrong) or None
    return DrbdRule(lists["replicas"], lists["clients"], runs_with)


def _unlisted(view: View, resource: DrbdResource, rule: DrbdRule, word: str) -> list[str]:
    """Nodes that the file does not list, and that are what the list *word* has."""
    from ..model.drbd import DiskState

    found = []
    here = {d.client if d.disk_state is DiskState.DISKLESS else False for d in resource.devices}
    if not contains_node(rule.nodes, view.here) and here == {word == "clients"}:
        found.append(view.here)
    for connection in resource.connections:
        if contains_node(rule.nodes, connection.name):
            continue
        clients = {device.peer_client for device in connection.peer_devices}
        if clients == {word == "clients"}:
            found.append(connection.name)
    return found


def _peers(view: View) -> tuple[str, ...]:
    """Every node that DRBD, Pacemaker or Corosync names, as far as they were read."""
    names = [view.here]
    for resource in (*(view[DRBD].value or ()), *view.drbd_others):
        names += [connection.name for connection in resource.connections]
    for shown in view[SHOW].value or ():
        names += [connection.name for connection in shown.connections if connection.name]
    cluster, cmap, cib = view[CLUSTER].value, view[CMAP].value, view[CIB].value
    names += [node.name for node in cluster.nodes] if cluster is not None else []
    names += [each.name for each in cmap.nodes if each.name] if cmap is not None else []
    names += cib.nodes if cib is not None else ()
    return _once(names)
