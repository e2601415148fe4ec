"""Are all Corosync links up?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from ..inputs.corosync_cfgtool import LINKS
from ..inputs.corosync_cmapctl import CMAP
from ..inputs.corosync_quorumtool import VOTES
from ..inputs.crm_mon import CLUSTER
from ..judge.facts.reaching import LIST, addresses, is_up
from ..model.corosync import Link, Links, LinkState
from ..verdict import subject
from ..verdict.check import Check
from ..verdict.finding import Figure, Finding, Kind, Report, State, finding
from ..verdict.view import Asked, View
from ..verdict.words import counted, join, pings

LINK_DOWN = Kind(
    "link-down",
    State.WARNING,
    "Some of the links to a peer are down, but not all: the redundancy is gone.",
    "corosync-cfgtool -s; its ring addresses: corosync-cmapctl nodelist.node; ping that of the link"
    " that is down, and check that network to {peer}",
)
UNREACHABLE = Kind(
    "peer-unreachable",
    State.CRITICAL,
    "No link to a peer is connected, while the cluster does not report it offline (yet)."
    " WARNING where Pacemaker has it as offline.",
    "Is {peer} up? ping it over every ring address: corosync-cmapctl nodelist.node",
)
FAULTY = Kind(
    "link-faulty",
    State.WARNING,
    "A ring of Corosync 2 is marked FAULTY.",
    "Fix the network, then: corosync-cfgtool -r",
)


def _name(view: View, node_id: int) -> str:
    """A node's name by its Corosync id, from Pacemaker or the node list, else the id."""
    cluster, cmap, votes = view[CLUSTER].value, view[CMAP].value, view[VOTES].value
    if cluster is not None:
        for node in cluster.nodes:
            if node.id == str(node_id):
                return node.name
    if cmap is not None:
        for configured in cmap.nodes:
            if configured.node_id == node_id and configured.name:
                return configured.name
    if votes is not None:
        for member in votes.members:
            if member.node_id == node_id:
                return member.name
    return f"node {node_id}"


def _known_down(view: View, node_id: int) -> str:
    """Who says that the peer is not there, in words: then the link is no news. Empty: nobody."""
    cluster, votes = view[CLUSTER].value, view[VOTES].value
    if cluster is not None:
        for node in cluster.nodes:
            if node.id == str(node_id):
                if node.unclean:
                    return "which Pacemaker has as unclean"
                return "which Pacemaker has as offline" if node.online is False else ""
    if votes is not None and all(member.node_id != node_id for member in votes.members):
        return "which is no member any more"
    return ""


def _peers(links: Links) -> dict[int, list[Link]]:
    """Links by peer, without the local ones."""
    peers: dict[int, list[Link]] = {}
    for link in links.links:
        if link.peer_id is not None and link.state is not LinkState.LOCALHOST:
            if link.peer_id != links.node_id:
                peers.setdefault(link.peer_id, []).append(link)
    return peers


def _judge_peer(view: View, node_id: int, links: list[Link]) -> Iterator[Finding]:
    down = [link for link in links if link.state is LinkState.DISCONNECTED]
    name = _name(view, node_id)
    if not down:
        return
    if len(down) < len(links):
        which = join([str(link.link) for link in down])
        text = f"link {which} to {name} is down, {len(links) - len(down)} of {len(links)} are up"
        found = [at for link in down for at in addresses(view, name, link.link)]
        step = f"{pings(found)}; check that network to {name}" if found else ""
        yield finding(LINK_DOWN, subject.node(name), text, nodes=(name,), step=step)
        return
    state: Optional[State] = None
    text = f"no link to {name} is connected, and the cluster does not report it offline yet"
    step = is_up(view, name)
    down_already = _known_down(view, node_id)
    cmap = view[CMAP].value
    if down_already:
        state, text = State.WARNING, f"no link to {name}, {down_already}"
    elif cmap is not None and cmap.detection_s is not None:
        step += f"; look again after {int(cmap.detection_s) + 1} s (token + consensus)"
    yield finding(UNREACHABLE, subject.node(name), text, state=state, nodes=(name,), step=step)


def _by_place(links: Links) -> Iterator[Finding]:
    """Corosync 3.0.0 numbers the peers by their place in the list: the link is known, not the node.

    The place is the same for every link; that of this node itself is always connected.
    """
    places: dict[int, list[Link]] = {}
    for number in sorted({link.link for link in links.links}):
        rows = [
            link
            for link in links.links
            if link.link == number
            and link.peer_id is None
            and link.state in (LinkState.CONNECTED, LinkState.DISCONNECTED)
        ]
        for place, link in enumerate(rows):
            places.setdefault(place, []).append(link)
    for place, several in places.items():
        down = [link for link in several if link.state is LinkState.DISCONNECTED]
        if not down:
            continue
        which = join([str(link.link) for link in down])
        name = f"the node at place {place}"
        tail = "(this Corosync does not give its name)"
        if len(down) < len(several):
            text = f"link {which} to {name} is down {tail}"
            yield finding(LINK_DOWN, subject.node(f"place {place}"), text, step=_PLACES)
        else:
            text = f"no link to {name} is connected {tail}"
            yield finding(UNREACHABLE, subject.node(f"place {place}"), text, step=_PLACES)


_PLACES = f"{LIST}; ping each node over every ring address"


def judge(view: View, asked: Asked) -> Report:
    """Each peer by its links; for Corosync 2 each ring."""
    del asked
    links: Optional[Links] = view[LINKS].value
    if links is None:
        return Report()
    peers = _peers(links)
    rings = [
        link
        for link in links.links
        if link.peer_id is None and link.state not in (LinkState.CONNECTED, LinkState.DISCONNECTED)
    ]
    placed = [link for link in links.links if link.peer_id is None and link not in rings]
    findings = [
        each for peer, several in peers.items() for each in _judge_peer(view, peer, several)
    ]
    findings += [
        finding(FAULTY, subject.ring(ring.link), f"ring {ring.link} ({ring.address}) is FAULTY")
        for ring in rings
        if ring.state is LinkState.FAULTY
    ]
    findings += _by_place(links)
    carried = [link for several in peers.values() for link in several] + rings + placed
    good = sum(1 for c in carried if c.state in (LinkState.CONNECTED, LinkState.ACTIVE))
    numbers = {link.link for link in links.links}
    what = f"{counted(len(peers), 'peer')} on {counted(len(numbers), 'link')}"
    if rings and not peers:
        what = f"{len(rings)} ring{'' if len(rings) == 1 else 's'}"
    carry = "all connected" if good == len(carried) else f"{good} of {len(carried)} links connected"
    return Report(
        tuple(findings),
        f"{what}, {carry}",
        (
            Figure(
                "links_connected",
                good,
                minimum=0,
                maximum=len(carried),
                warning=f"{len(carried)}:",
            ),
            Figure("peers_reachable", sum(1 for p in peers.values() if _reached(p)), minimum=0),
        ),
        tuple(
            f"link {c.link} to {_name(view, c.peer_id) if c.peer_id is not None else 'ring'}:"
            f" {c.text}"
            for c in carried
        ),
    )


def _reached(links: list[Link]) -> bool:
    return any(link.state is LinkState.CONNECTED for link in links)


CHECK = Check(
    name="links",
    question="Are all Corosync links up?",
    needs=(LINKS,),
    hints=(CLUSTER, VOTES, CMAP),
    rule=judge,
    kinds=(LINK_DOWN, UNREACHABLE, FAULTY),
    figures=(
        ("links_connected", "links that are up; the maximum is the number of links to peers"),
        ("peers_reachable", "peers with at least one connected link"),
    ),
    example="check_mccluster links",
)
