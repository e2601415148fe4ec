"""What one tool's answer says about another's finding: the host, its stack, or the link?

Pacemaker knows who is a member, Corosync which links carry, DRBD who is connected. A node that only
one of them misses is up; one that all of them miss is down or cut off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from ..inputs.cibadmin import CIB
from ..inputs.corosync_cfgtool import LINKS
from ..inputs.corosync_cmapctl import CMAP
from ..inputs.crm_mon import CLUSTER
from ..inputs.drbdsetup import DRBD
from ..model.corosync import LinkState
from ..model.drbd import ConnectionState
from ..model.pacemaker import ids_of
from ..verdict.finding import Finding, Report
from ..verdict.view import View, same_node
from ..verdict.words import ask_controller, join, pasted
from .facts.reaching import is_up
from .reasons import CUT, Reason


def beside(view: View, report: Report) -> Report:
    """The report with what the other tools say of the nodes that are gone."""
    findings = tuple(_completed(view, each) for each in report.findings)
    return report if findings == report.findings else report._replace(findings=findings)


def _completed(view: View, each: Finding) -> Finding:
    rule = _RULES.get(each.key)
    return each if rule is None or not each.nodes else rule(view, each)


def _offline(view: View, each: Finding) -> Finding:
    """A lost node: is its host up, and what of it is not?"""
    if each.reason == "fenced":
        return each
    (name,) = each.nodes
    if view.is_here(name):
        # Whoever says so of itself runs.
        step = f"on {name}: {ask_controller(name)}"
        text = f"{name} is offline to the others; its Pacemaker runs and has not joined them"
        return each._replace(text=text, next_step=step, reason="")
    linked, connected = _linked(view, name), _connected(view, name)
    if linked:
        step = (
            f"on {name}: systemctl status pacemaker; where it does not run: pcs cluster start;"
            " where it runs: journalctl -u pacemaker"
        )
        # "expected down" stays in the CIB of one that came back and hangs before it joins.
        text = f"{name} is offline; its Corosync is here, its Pacemaker is stopped or does not join"
        return each._replace(text=text, next_step=step)
    if connected:
        step = (
            f"on {name}: systemctl status corosync pacemaker; where they do not run: pcs cluster"
            " start; where they run, its ring addresses: corosync-cfgtool -s"
        )
        text = f"{each.text}; its host is up (DRBD is connected), its cluster stack is not reached"
        return each._replace(text=text, next_step=step)
    if linked is False:
        if each.reason:
            return each  # it left in order, and its links with it
        also = ", nor is DRBD connected" if connected is False else ""
        text = f"{each.text}, no link to it is up{also}"
        step = (
            f"{is_up(view, name)}; where it answers, on {name}: systemctl status corosync pacemaker"
        )
        return each._replace(text=text, next_step=step, reason=CUT if also else "")
    return each


def _unclean(view: View, each: Finding) -> Finding:
    """A node that Pacemaker lost: its host is up where Corosync or DRBD reaches it."""
    (name,) = each.nodes
    linked, connected = _linked(view, name), _connected(view, name)
    step = (
        f"on {name}: systemctl status corosync pacemaker; journalctl -u pacemaker; the fencing:"
        " crm_mon -1 -m"
    )
    if linked:
        return each._replace(text=f"{each.text}; its Corosync is here", next_step=step)
    if connected:
        text = f"{each.text}; its host is up (DRBD is connected)"
        return each._replace(text=text, next_step=step)
    if linked is False:
        also = ", nor is DRBD connected" if connected is False else ""
        off = f"only where {name} is surely off: stonith_admin --confirm {name}"
        step = f"{is_up(view, name)}; where it answers, {step}; {off}"
        return each._replace(text=f"{each.text}; no link to it is up{also}", next_step=step)
    return each


def _isolated(view: View, each: Finding) -> Finding:
    """No peer of DRBD is reached: are Corosync's links down, too?"""
    links = [name for name in each.nodes if _linked(view, name) is not None]
    if not links or any(_linked(view, name) for name in links):
        return _not_connected(view, each)
    also = " connected, and no Corosync link is up ("
    return each._replace(text=each.text.replace(" connected (", also, 1))


def _without_quorum(view: View, each: Finding) -> Finding:
    """The others are cut off, or gone: every link to them says so, and DRBD may know better."""
    if any(view.is_here(name) or _linked(view, name) is not False for name in each.nodes):
        return each
    names = join(each.nodes)
    connected = [name for name in each.nodes if _connected(view, name)]
    text = f"no link to {names}"
    if all(_met(view, name) is False for name in each.nodes):
        text += f" since Corosync started on {view.here}"  # not cut off: not there yet
    if connected:
        them = "them" if len(connected) == len(each.nodes) else join(connected)
        text += f" (DRBD reaches {them})"
        step = (
            f"on {join(connected)}: systemctl status corosync; where it does not run: pcs cluster"
            " start; where it runs: Corosync's network and firewall: corosync-cfgtool -s"
        )
    else:
        step = (
            f"{is_up(view, *each.nodes)}; none answers: check the network of {view.here}; where one"
            " is up and its cluster is not, on it: pcs cluster start"
        )
    return each._replace(text=each.text.replace(f"without {names}", text), next_step=step)


def _not_connected(view: View, each: Finding) -> Finding:
    """DRBD misses a node whose cluster stack is here."""
    (name,) = each.nodes[:1]
    cluster = view[CLUSTER].value
    members = [n for n in (cluster.nodes if cluster is not None else ()) if same_node(n.name, name)]
    if len(each.nodes) > 1 or not members or _linked(view, name) is False:
        return each
    here = members[0]
    if not here.online or here.unclean or here.pending or not here.is_member:
        return each
    resource = each.covers[0] if each.covers else each.subject.name
    stopped = _stopped_there(view, resource, here.name)
    if stopped is not None:
        what, why = stopped
        text = f"{each.text}; Pacemaker keeps {what} stopped there{why.brackets}"
        return each._replace(text=text, next_step=why.step or each.next_step, reason=why.word)
    if each.key == "mesh-isolated" and (_gave_up(view, resource) or _connected(view, name)):
        return each
    about = pasted(resource)
    step = (
        f"on {name}: drbdadm status {about}; without an answer: drbdadm up {about}; with one:"
        f" journalctl -k -g drbd there, and the address, port and firewall of its connection:"
        f" drbdadm dump {about}"
    )
    text = f"{each.text}; the cluster stack of {name} runs, the port or link of DRBD does not"
    return each._replace(text=text, next_step=step)


def _stopped_there(view: View, drbd: str, node: str) -> Optional[tuple[str, Reason]]:
    """What manages a DRBD resource and does not run on a node, and why Pacemaker wants it so."""
    cib, cluster = view[CIB].value, view[CLUSTER].value
    if cib is None or cluster is None:
        return None
    from .facts.mapping import instances, managed_drbd

    for primitive in (one for one, managed in managed_drbd(cib).items() if managed == drbd):
        if any(node in each.nodes for each in instances(cluster, primitive)):
            continue
        for top in cluster.resources:
            if primitive in ids_of(top):
                from .reasons import Reasons

                reason = Reasons(view, cluster).on(top, (node,))
                return None if reason is None else (primitive, reason)
    return None


def _gave_up(view: View, drbd: str) -> bool:
    """Whether DRBD does not try to connect any more: that is another fault than an open port."""
    return any(
        connection.state is ConnectionState.STANDALONE
        for resource in view[DRBD].value or ()
        if resource.name == drbd
        for connection in resource.connections
    )


_RULES = {
    "node-offline": _offline,
    "node-unclean": _unclean,
    "quorum-lost": _without_quorum,
    "mesh-isolated": _isolated,
    "peer-connecting": _not_connected,
}


def _linked(view: View, name: str) -> Optional[bool]:
    """Whether a Corosync link to the node carries; ``None`` where nobody says so."""
    links, cluster = view[LINKS].value, view[CLUSTER].value
    if links is None or cluster is None:
        return None
    number = next((n.id for n in cluster.nodes if same_node(n.name, name)), None)
    states = [each.state for each in links.links if str(each.peer_id) == number]
    if not states or not all(isinstance(state, LinkState) for state in states):
        return None
    return any(state is LinkState.CONNECTED for state in states)


def _met(view: View, name: str) -> Optional[bool]:
    """Whether the node was a member since Corosync started here; ``None`` where nobody says so."""
    cmap, cluster = view[CMAP].value, view[CLUSTER].value
    if cmap is None or cluster is None or not cmap.met:
        return None
    number = next((n.id for n in cluster.nodes if same_node(n.name, name)), None)
    return None if number is None else any(str(each) == number for each in cmap.met)


def _connected(view: View, name: str) -> Optional[bool]:
    """Whether DRBD is connected to the node; ``None`` where it has no connection to it."""
    known: Sequence[bool] = [
        connection.is_connected
        for resource in view[DRBD].value or ()
        for connection in resource.connections
        if same_node(connection.name, name)
    ]
    return any(known) if known else None
