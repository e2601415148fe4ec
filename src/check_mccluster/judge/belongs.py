"""Whether the answers of several tools are of one cluster, of one node and of one time.

Each may be well formed by itself; together they must not make a picture that nobody saw.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Optional, Union

from ..values import NamedTuple
from ..verdict import subject
from ..verdict.finding import Finding, finding
from ..verdict.problems import OUTPUT_INVALID
from ..verdict.view import Input, View, same_node
from ..verdict.words import join

if TYPE_CHECKING:  # a check loads the models of what it reads, no others
    from ..model.corosync import Cmap, ConfiguredNode, Links, Voter, Votes
    from ..model.drbd import DrbdResource, ShownResource
    from ..model.pacemaker import Cib, Cluster, Node, Resource

JUST_NOW = timedelta(minutes=1)
"""A configuration that is changed while the tools are asked is no contradiction."""


class _Pair(NamedTuple):
    """The names of two inputs and the rule that compares their values; the second is named."""

    one: str
    other: str
    rule: Callable[[View, Any, Any], Iterator[str]]


def contradictions(view: View, keys: Collection[Input[Any]]) -> Iterator[Finding]:
    """What the inputs among *keys* say against each other; the second of a pair is named."""
    by_name = {key.name: key for key in keys}
    for pair in PAIRS:
        if pair.one in by_name and pair.other in by_name:
            other = by_name[pair.other]
            values = (view[by_name[pair.one]].value, view[other].value)
            if None not in values:
                for text in pair.rule(view, *values):
                    yield _told(other, text)


def _told(key: Input[Any], text: str) -> Finding:
    tool = getattr(key, "tool", None)
    program, command = (tool.name, tool.command) if tool is not None else (key.name, key.name)
    return finding(OUTPUT_INVALID, subject.tool(program), f"{program}: {text}", command=command)


def known_node(cluster: Cluster, node_id: Optional[int], name: Optional[str]) -> Optional[Node]:
    """Pacemaker's node of an id or, where a tool gives no such id, of a name."""
    for node in cluster.nodes:
        if (node_id is not None and node.id == str(node_id)) or same_node(node.name, name):
            return node
    return None


def _called(one: Union[ConfiguredNode, Voter]) -> str:
    if one.name:
        return one.name
    return "one without name and id" if one.node_id is None else f"node {one.node_id}"


def _of_another(view: View, cluster: Cluster, node_id: Optional[int]) -> Iterator[str]:
    """That a tool answers for another node than this one, by the id that it calls its own."""
    here = next((node for node in cluster.nodes if view.is_here(node.name)), None)
    if here is not None and node_id is not None and here.id != str(node_id):
        yield f"this is another node's answer: of node {node_id}, and {here.name} is {here.id}"


# -- Pacemaker ---------------------------------------------------------------------------------


def _cib_nodes(_view: View, cluster: Cluster, cib: Cib) -> Iterator[str]:
    if not cib.nodes:
        return
    members = [node.name for node in cluster.nodes if node.is_member]
    unknown = [name for name in members if name not in cib.nodes]
    if unknown:
        yield f"the CIB does not know {join(unknown, 3)}, which crm_mon shows"
    shown = {node.name for node in cluster.nodes}
    missing = [name for name in cib.nodes if name not in shown]
    if missing:
        yield f"the CIB has {join(missing, 3)}, which crm_mon does not know"


def _written(_view: View, cluster: Cluster, cib: Cib) -> Iterator[str]:
    """Both tell when the configuration was last changed, in the same words."""
    now, changed, written = cluster.summary.updated, cluster.summary.changed, cib.last_written
    if now is None or changed is None or written is None or changed == written:
        return
    if len({each.tzinfo is None for each in (now, changed, written)}) != 1:
        return  # with a zone and without one: not to be compared
    if now - max(changed, written) > JUST_NOW:
        yield f"this CIB was written {written}, the one that crm_mon shows {changed}"


def _cib_resources(_view: View, cluster: Cluster, cib: Cib) -> Iterator[str]:
    if not cib.nodes:
        return
    nodes = {node.name for node in cluster.nodes}
    shown = (name for top in cluster.resources for name in _configured(top))
    known = {*cib.resources, *nodes}
    unknown = [name for name in dict.fromkeys(shown) if name not in known]
    if unknown:
        yield f"the CIB does not have {join(unknown, 3)}, which crm_mon shows"


def _configured(top: Resource) -> Iterator[str]:
    """Ids that the CIB has: not what was removed, not what a bundle makes by itself."""
    from ..model.pacemaker import Bundle, Clone, Group, Primitive

    if isinstance(top, Primitive):
        if not top.orphaned:
            yield top.id.partition(":")[0]
        return
    members = (
        () if isinstance(top, Bundle) else top.members if isinstance(top, Group) else top.instances
    )
    orphaned = [isinstance(one, Primitive) and bool(one.orphaned) for one in members]
    if orphaned and all(orphaned):
        return
    yield top.id.partition(":")[0]
    if isinstance(top, (Group, Clone)):
        for member in members:
            yield from _configured(member)


# -- Corosync ----------------------------------------------------------------------------------


def _configured_members(view: View, cluster: Cluster, cmap: Cmap) -> Iterator[str]:
    if not cmap.nodes:
        return
    unknown = [
        _called(each) for each in cmap.nodes if known_node(cluster, each.node_id, each.name) is None
    ]
    known = {known_node(cluster, each.node_id, each.name) for each in cmap.nodes}
    missing = [
        node.name for node in cluster.nodes if node.is_member and node.online and node not in known
    ]
    # A node on which Pacemaker never started is in Corosync's list alone: quorum tells that.
    if unknown and (missing or len(unknown) == len(cmap.nodes)):
        yield f"Corosync's node list has {join(unknown, 3)}, which crm_mon does not know"
    if missing:
        yield f"Corosync's node list lacks {join(missing, 3)}, online in crm_mon"
    # Pacemaker takes a name that is set there.
    for each in cmap.nodes:
        node = known_node(cluster, each.node_id, each.name)
        if node is not None and each.name and not same_node(node.name, each.name):
            yield f"node {each.node_id} is {each.name} in Corosync's node list, not {node.name}"
            break
    if cmap.local_position is not None:
        yield from _of_another(view, cluster, cmap.nodes[cmap.local_position].node_id)


def _voters(view: View, cluster: Cluster, votes: Votes) -> Iterator[str]:
    unknown = [
        _called(each)
        for each in votes.members
        if known_node(cluster, each.node_id, each.name) is None
    ]
    if unknown:
        yield f"{join(unknown, 3)} votes, and crm_mon does not know it"
    yield from _of_another(view, cluster, votes.node_id)


def _linked(view: View, cluster: Cluster, links: Links) -> Iterator[str]:
    """crm_mon's members are those to which links lead, where the node list cannot be asked."""
    yield from _of_another(view, cluster, links.node_id)
    peer_ids = _peer_ids(links)
    missing = [
        node.name
        for node in cluster.nodes
        if peer_ids and node.is_member and node.online and node.id not in peer_ids
    ]
    if missing:
        yield f"no line for {join(missing, 3)}, online in crm_mon"


def _configured_links(_view: View, cmap: Cmap, links: Links) -> Iterator[str]:
    peer_ids = _peer_ids(links)
    configured = {str(each.node_id): each for each in cmap.nodes if each.node_id is not None}
    if peer_ids and configured:
        missing = [
            each.name or f"node {number}"
            for number, each in configured.items()
            if number not in peer_ids
        ]
        if missing:
            yield f"no line for {join(missing, 3)} of Corosync's node list"
        unknown = sorted(peer_ids - configured.keys(), key=int)
        if unknown:
            yield f"a line for node {join(unknown, 3)}, which Corosync's node list does not have"
    rings = _rings(cmap)
    numbers = {one.link for one in links.links}
    lost = sorted(rings - numbers)
    if lost:
        yield f"nothing said of link {join([str(number) for number in lost])}, which is configured"


def _rings(cmap: Cmap) -> frozenset[int]:
    """The links that this node has an address for."""
    position = cmap.local_position
    return cmap.nodes[position].links if position is not None else frozenset()


def _peer_ids(links: Links) -> frozenset[str]:
    """Ids of the nodes that have a line, this node as well; none where some lines have no id."""
    ids = {one.peer_id for one in links.links}
    return frozenset() if None in ids else frozenset(map(str, ids))


# -- DRBD --------------------------------------------------------------------------------------


def _shown(
    _view: View, status: tuple[DrbdResource, ...], shown: tuple[ShownResource, ...]
) -> Iterator[str]:
    by_name = {each.name: each for each in shown}
    if status and not any(one.name in by_name for one in status):
        yield "drbdsetup show knows none of the resources of drbdsetup status"
    for one in status:
        other = by_name.get(one.name)
        if other is None:
            continue  # it may have come up since
        if None not in (one.node_id, other.node_id) and one.node_id != other.node_id:
            yield f"drbdsetup show is another node's: {one.name} is node {other.node_id} there"
            continue
        peers = {peer.peer_node_id for peer in one.connections}
        configured = {
            peer.peer_node_id for peer in other.connections if peer.peer_node_id is not None
        }
        if configured and peers != configured and len(configured) == len(other.connections):
            yield f"drbdsetup show has other peers of {one.name} than drbdsetup status"
        volumes = {device.volume for device in one.devices}
        if volumes and other.volumes and volumes != {each.volume for each in other.volumes}:
            yield f"drbdsetup show has other volumes of {one.name} than drbdsetup status"


PAIRS = (
    _Pair("crm_mon", "cibadmin", _written),
    _Pair("crm_mon", "cibadmin", _cib_nodes),
    _Pair("crm_mon", "cibadmin", _cib_resources),
    _Pair("crm_mon", "corosync-cmapctl", _configured_members),
    _Pair("crm_mon", "corosync-quorumtool", _voters),
    _Pair("crm_mon", "corosync-cfgtool", _linked),
    _Pair("corosync-cmapctl", "corosync-cfgtool", _configured_links),
    _Pair("drbdsetup", "drbdsetup show", _shown),
)
