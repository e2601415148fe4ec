"""What one tool's answer says about another's finding: the host, its stack, or the link?

Pacemaker knows who is a member, Corosync which links carry, DRBD who is connected. A node that only
one of them misses is up; one that all of them miss is down or cut off.

Long because it is one table of rules, and each asks the same few questions of the tools.
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
from ..verdict.problems import TOOL_TIMEOUT
from ..verdict.view import View, same_node
from ..verdict.words import ON_ONE_SIDE, WHEN_WELL, ask_controller, join, look_at_stack, pasted
from .facts.fencing import NO_DEVICE, NOT_FOR_IT, fencing_enabled
from .facts.pacemaker import VANISHED, is_service, names_of, where
from .facts.reaching import is_up
from .one_fault import NOT_JOINED
from .reasons import CUT, Reason


def beside(view: View, reports: Sequence[Report]) -> list[Report]:
    """The reports of all checks with what the other tools say of the nodes that are gone."""
    if any(each.key == TOOL_TIMEOUT.key for one in reports for each in one.findings):
        from .hanging import of_itself

        reports = of_itself(view, reports)
    found = [tuple(_completed(view, each) for each in one.findings) for one in reports]
    back = {
        each.nodes[0]: each.next_step
        for several in found
        for each in several
        if each.key in _GONE and each.nodes
    }
    if back:
        # What is said to run there has the same step.
        found = [
            tuple(
                each._replace(next_step=back[each.nodes[0]])
                if each.key == "resource-on-lost-node" and each.nodes[0] in back
                else each
                for each in several
            )
            for several in found
        ]
        found = [tuple(_brought_back(view, each, back) for each in several) for several in found]
    return [
        one if several == one.findings else one._replace(findings=several)
        for one, several in zip(reports, found)
    ]


def in_order(view: View, findings: Sequence[Finding]) -> dict[Finding, Finding]:
    """Steps that would hurt while another fault is not mended, with that said first.

    Managed again, Pacemaker acts at once on what it believes to run where it does not.
    """
    waiting = {each.object for each in findings if each.key == "primary-elsewhere"}
    cluster = view[CLUSTER].value
    if not waiting or cluster is None:
        return {}
    around = frozenset().union(*(names_of(view, cluster, name) for name in waiting))
    what = join(sorted(waiting), 2)
    first = f"Not before {what} and its Primary are on one node; then, "
    if len(waiting) > 1:
        first = f"Not before {what} are where their Primaries are; then, "
    return {
        each: each._replace(next_step=first + each.next_step[:1].lower() + each.next_step[1:])
        for each in findings
        if each.key in ("cluster-maintenance", "node-maintenance")
        or (each.key == "resource-unmanaged" and each.object in around)
    }


def _completed(view: View, each: Finding) -> Finding:
    rule = _RULES.get(each.key)
    return each if rule is None or not each.nodes else rule(view, each)


_GONE = ("node-offline", "node-unclean")
_START = ": pcs cluster start"


def _brought_back(view: View, each: Finding, back: dict[str, str]) -> Finding:
    """What waits for lost nodes has their step: to start what is only cut off does nothing."""
    parts = each.next_step.split("; ")
    names = [part.removeprefix("on ").removesuffix(_START) for part in parts]
    asks = all(part == f"on {name}{_START}" for part, name in zip(parts, names))
    if each.key in _GONE or not asks or not all(name in back for name in names):
        return each
    if len(names) == 1:
        return each._replace(next_step=back[names[0]])
    if all(back[name] == part for part, name in zip(parts, names)):
        return each
    step = f"{is_up(view, *names)}; where one answers, on it: systemctl status corosync pacemaker"
    return each._replace(next_step=step)


def _offline(view: View, each: Finding) -> Finding:
    """A lost node: is its host up, and what of it is not?"""
    (name,) = each.nodes
    if each.reason == "fenced":
        if _linked(view, name) or _connected(view, name):
            return each
        step = each.next_step.removeprefix(f"If {name} is off, ")
        return each._replace(next_step=f"{is_up(view, name)}; if not, {step}")
    cluster = view[CLUSTER].value
    led = cluster is not None and cluster.summary.dc is not None
    if view.is_here(name):
        # Whoever says so of itself runs.
        step = f"on {name}: {ask_controller(name, idle=led and _is_idle(view, name))}"
        text = f"{name} is offline to the others; its Pacemaker runs and has not joined them"
        if not led:  # and so is everybody
            text = f"{name} is offline until there is a controller; its Pacemaker runs"
        return each._replace(text=text, next_step=step, reason="")
    return _unfenced(view, name, _reached(view, each, led=led))


def _unfenced(view: View, name: str, each: Finding) -> Finding:
    """The same with the services that the node may run, too, as nothing fenced it."""
    if each.reason == "left":
        return each
    from .facts.twice import may_run_there

    held = may_run_there(view, name)
    if not held:
        return each
    # First, as the first line cuts the end.
    danger = (
        f" is offline and not fenced (fencing is disabled): {join(held, 2)} may still run there"
    )
    rest = each.text.partition(" is offline")[2].lstrip(",; ")
    text = f"{name}{danger}{'; ' if rest else ''}{rest}"
    step = f"on {name} (console, ssh): {_runs_there(view, held)}; {each.next_step}"
    return each._replace(text=text, next_step=step)


def _runs_there(view: View, services: Sequence[str]) -> str:
    """How it is seen on a node whether it runs services that run elsewhere, and what to do then."""
    cib = view[CIB].value
    mounted = [
        f"findmnt {pasted(each.directory)}: "
        for each in (cib.filesystems if cib is not None else ())
        if each.directory and set(services) & {*(cib.chain(each.resource) if cib else ())}
    ]
    look = mounted[0] if mounted else ""
    return f"{look}does {join(services, 2)} run there, too? {ON_ONE_SIDE}"


def _is_idle(view: View, name: str) -> bool:
    cib = view[CIB].value
    return cib is not None and cib.is_idle(name)


def _reached(view: View, each: Finding, *, led: bool) -> Finding:
    """A node that Pacemaker misses, with what Corosync and DRBD reach of it.

    :param led: whether there is a controller, who writes what it knows of each node.
    """
    (name,) = each.nodes
    cib = view[CIB].value
    known = cib.nodes.get(name) if cib is not None and led else None
    linked, connected = _linked(view, name), _connected(view, name)
    if linked and known is not None and known.controller:
        step = f"on {name}: {ask_controller(name, idle=_is_idle(view, name))}"
        text = f"{name} is offline; its Pacemaker runs and does not join"
        return each._replace(text=text, next_step=step, reason="")
    if linked:
        step = (
            f"on {name}: systemctl status pacemaker; where it does not run: pcs cluster start;"
            f" where it runs: {ask_controller(name)}"
        )
        # "expected down" stays in the CIB of one that came back and hangs before it joins.
        text = f"{name} is offline; {NOT_JOINED}"
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
    cluster = view[CLUSTER].value
    node = cluster.node(name) if cluster is not None else None
    if node is not None and node.online:
        return each  # its text says why it is to be fenced
    own, linked, connected = view.is_here(name), _linked(view, name), _connected(view, name)
    if (linked or own) and _left_group(view, name):
        here = "its Corosync is here, its controller does not join (it hangs or restarts)"
        text = each.text.replace(VANISHED, here)
        step = f"on {name}: {ask_controller(name, idle=_is_idle(view, name))}"
        return each._replace(text=text, next_step=step)
    look = look_at_stack(name)
    unfenced = fencing_enabled(view) is False
    step = look if unfenced else f"{look}; the fencing: crm_mon -1 -m"
    if own:
        return each._replace(next_step=step)
    if linked:
        return each._replace(text=f"{each.text}; its Corosync is here", next_step=step)
    if connected:
        text = f"{each.text}; its host is up (DRBD is connected)"
        return each._replace(text=text, next_step=step)
    if linked is False:
        also = ", nor is DRBD connected" if connected is False else ""
        off = f"only where {name} is surely off: stonith_admin --confirm {name}"
        up = f"{is_up(view, name)}; where it answers, {look}"
        step = f"{up}; {off}{_then(each, name)}"
        return each._replace(text=f"{each.text}; no link to it is up{also}", next_step=step)
    if unfenced and "stonith_admin" in each.next_step:
        # Its Corosync may be here: then pacemakerd starts its controller anew.
        text = f"{each.text}; nobody fences it (fencing is disabled)"
        return each._replace(text=text, next_step=f"Look again in a minute; if it stays, {step}")
    return each


def _left_group(view: View, name: str) -> bool:
    """Whether the controller of a node left the process group, and was not asked to."""
    cib = view[CIB].value
    known = cib.nodes.get(name) if cib is not None else None
    return known is not None and known.controller is False


def _then(each: Finding, name: str) -> str:
    """What is to be done about the fencing of a lost node once it is known to be off."""
    if NO_DEVICE in each.text or NOT_FOR_IT in each.text:
        return "; then a device that can fence it: pcs stonith create --help"
    if "fencing fails" in each.text:
        return f"; the device: stonith_admin --history {name} --verbose"
    return ""


def _unreached(view: View, each: Finding) -> Finding:
    """A peer that Corosync just lost, and Pacemaker counts as online: what was there?"""
    (name,) = each.nodes
    cluster = view[CLUSTER].value
    node = cluster.node(name) if cluster is not None else None
    if cluster is None or node is None or not node.online or node.unclean:
        return each
    text, connected = each.text, _connected(view, name)
    if connected is False:
        text = (
            f"{name} is reached neither by Corosync nor by DRBD, and the cluster does not report it"
            " offline yet"
        )
    elif connected:
        text = text.replace(" is connected,", " is connected (DRBD reaches it),")
    ran = [one.id for one in cluster.resources if is_service(one) and where(one) == (name,)]
    if ran:
        text += f"; {join(ran, 2)} ran there"
    return each._replace(text=text)


def _isolated(view: View, each: Finding) -> Finding:
    """No peer of DRBD is reached: are Corosync's links down, too?"""
    links = [name for name in each.nodes if _linked(view, name) is not None]
    if not links or any(_linked(view, name) for name in links):
        return _not_connected(view, each)
    also = " connected, and no Corosync link is up ("
    return each._replace(text=each.text.replace(" connected (", also, 1))


def _without_quorum(view: View, each: Finding) -> Finding:
    """Who is missing, and what may run on the other side, too."""
    return _goes_on(view, _cut_off(view, each))


_NO_QUORUM = "partition without quorum"
_IGNORED = "no-quorum-policy=ignore"


def _goes_on(view: View, each: Finding) -> Finding:
    """A partition that ignores that it has no quorum: the other side may do the same."""
    if _IGNORED not in each.text:
        return each
    from .facts.twice import may_run_twice

    held = may_run_twice(view, each.nodes)
    if not held:
        return each
    twice = f"{_NO_QUORUM}, {join(held, 2)} may run twice"
    text = each.text.replace(_NO_QUORUM, twice)
    step = f"on {join(each.nodes)} (console, ssh): {_runs_there(view, held)}; {each.next_step}"
    return each._replace(text=text, next_step=step)


def _cut_off(view: View, each: Finding) -> Finding:
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


def _without_data(view: View, each: Finding) -> Finding:
    """DRBD without quorum or data: what failed for that stays barred when it is well again."""
    cluster, drbd = view[CLUSTER].value, each.subject.drbd_resource
    if cluster is None or drbd is None:
        return each
    from .candidates import is_barred
    from .facts.mapping import above

    past = dict.fromkeys(one.resource for one in cluster.history if is_barred(one))
    on_it = above(view, drbd) if past else ()
    barred = [name for name in past if name in on_it]
    if not barred:
        return each
    cleanup = "; ".join(f"crm_resource --cleanup -r {pasted(name)}" for name in barred[:3])
    return each._replace(next_step=f"{each.next_step}{WHEN_WELL}{cleanup}")


def _fenced(view: View, each: Finding) -> Finding:
    """I/O that waits for a fencing: what became of that of a member Pacemaker remembers."""
    cluster = view[CLUSTER].value
    if each.reason != "fence-peer" or cluster is None:
        return each
    members = [n.name for n in cluster.nodes if any(same_node(n.name, name) for name in each.nodes)]
    if not members:
        return each
    look = f"stonith_admin --history {pasted(members[0])} --verbose"
    return each._replace(next_step=f"{each.next_step}; {look}")


def _stopped_there(view: View, drbd: str, node: str) -> Optional[tuple[str, Reason]]:
    """What manages a DRBD resource and does not run on a node, and why Pacemaker wants it so."""
    cib, cluster = view[CIB].value, view[CLUSTER].value
    if cib is None or cluster is None:
        return None
    from .facts.mapping import instances, managed_drbd

    for primitive in (one for one, managed in managed_drbd(cib).items() if managed == drbd):
        if any(node in each.nodes for each in instances(view, cluster, primitive)):
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
    "peer-unreachable": _unreached,
    "drbd-quorum-lost": _without_data,
    "copies-none": _without_data,
    "io-suspended": _fenced,
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
