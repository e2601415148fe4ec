"""A finding in four parts: make sure, do, do not, and how to see that it worked."""

from __future__ import annotations

from collections.abc import Sequence

from ..values import NamedTuple
from ..verdict.finding import NOWHERE, Finding, Kind
from ..verdict.subject import CLUSTER, SETTING, TOOL
from ..verdict.words import pasted


class Advice(NamedTuple):
    """What to look at before the step, and what would hurt. Braces stand for names."""

    make_sure: str
    do_not: str


_TOOL = Advice(
    "you look as the user that runs the check, on {node}: a shell of root sees more",
    "take it for a fault of the cluster, nor for a cluster in order: nothing is known meanwhile",
)
_NODE = Advice(
    "what {node} itself says: its console, 'systemctl status corosync pacemaker' there",
    "confirm a fencing (stonith_admin --confirm) of a host that may still run: two nodes would"
    " write the same data",
)
_QUORUM = Advice(
    "which nodes are really down, and which are only cut off: their consoles, not the cluster",
    "set expected votes or no-quorum-policy by hand, nor unblock quorum, while the others may run:"
    " both halves would start the services",
)
_RESOURCE = Advice(
    "why it is so before anything is cleaned up: crm_mon -1 -r -f, and journalctl -u pacemaker on"
    " {node}",
    "start it by hand outside Pacemaker, mount its file system on a second node, or clean up before"
    " the cause is known: the record of the failure goes with it",
)
_CONSTRAINT = Advice(
    "nobody wants it so: who set the constraint, and when (cibadmin -Q, crm_mon -1)",
    "move the resource to repair it: each move by hand leaves a constraint of its own",
)
_FENCE = Advice(
    "the node to be fenced is what its device switches: stonith_admin -l {node}",
    "switch fencing off to get going, nor confirm one that did not happen",
)
_LINK = Advice(
    "the other end is up: its name answers on the address that Corosync uses",
    "restart Corosync on more than one node at a time: the quorum goes with it",
)
_CONNECTION = Advice(
    "what both ends say: 'drbdadm status{drbd}' {ends}; and that one UpToDate copy is left",
    "invalidate, promote by force or connect with --discard-my-data while an UpToDate copy is"
    " known",
)
_SPLIT = Advice(
    "whose data are wanted before one side loses its own: compare both, look at what was written"
    " since (dmesg on both, the service's own logs)",
    "connect with --discard-my-data on the node whose data are wanted: what it wrote is gone",
)
_DISK = Advice(
    "another copy is UpToDate and connected: drbdadm status{drbd}",
    "detach, invalidate or create metadata anew on the last UpToDate copy",
)
_COPIES = Advice(
    "which node has the last UpToDate copy: drbdadm status{drbd} on every node",
    "set quorum off or promote by force to get going: two halves would write, and one of them is"
    " lost later",
)
_SYNC = Advice(
    "the source stays up: drbdadm status{drbd} there",
    "begin it anew (invalidate, down and up) while it moves: it would take longer, and the copy is"
    " no copy until then",
)
_DIFFERS = Advice(
    "whose copy is wrong, by comparing it: drbdadm verify, then drbdadm status{drbd} on every node;"
    " with two copies only you know",
    "reconnect to make the counter 0: the copies would differ unseen; nor invalidate the good copy",
)
_NOT_UP = Advice(
    "the module fits the kernel that runs: uname -r; cat /sys/module/drbd/version; and the disks"
    " below are there: lsblk",
    "create metadata anew (create-md): the data are still there, and DRBD would not know them",
)
_ROLE = Advice(
    "where the service runs: crm_mon -1 -r; and who has the device open: fuser -vm with the path of"
    " its mount",
    "promote or demote by hand what Pacemaker manages, least of all with force",
)
_TIMING = Advice(
    "the values in force, not those in the file: check_mccluster timing -vv",
    "change Corosync's totem on one node only: all nodes have the same",
)
_ON_PURPOSE = Advice(
    "whoever set it has ended their work",
    "end it before what runs by hand is stopped: Pacemaker would find it and act",
)
_HEALTH = Advice(
    "what the attribute measures: crm_mon -1 -A, and who writes it",
    "clear the attribute while its cause is there: services would move back to a sick node",
)
_LISTED = Advice(
    "which of the two is right: the cluster (crm_node -l) or the file",
    "remove a node from the cluster only because a file does not list it",
)
_BY_CHECK = {
    "nodes": _NODE,
    "quorum": _QUORUM,
    "links": _LINK,
    "resources": _RESOURCE,
    "failures": _RESOURCE,
    "fencing": _FENCE,
    "placement": _CONSTRAINT,
    "drbd-role": _ROLE,
    "drbd-disk": _DISK,
    "drbd-mesh": _CONNECTION,
    "drbd-quorum": _COPIES,
    "drbd-sync": _SYNC,
    "consistency": _ROLE,
    "failover": _CONSTRAINT,
    "timing": _TIMING,
    "cluster": _CONNECTION,
}
_BY_KEY = {
    "split-brain": _SPLIT,
    "peer-standalone": _SPLIT,
    "partitioned": _QUORUM,
    "service-twice": _ROLE,
    "client-disputed": _DISK,
    "disk-disputed": _DIFFERS,
    "out-of-sync": _DIFFERS,
    "drbd-module": _NOT_UP,
    "drbd-empty": _NOT_UP,
    "drbd-resource-empty": _NOT_UP,
    "copies-none": Advice(
        "which node has the last UpToDate copy: drbdadm status{drbd} on every node",
        "promote by force while a server or a Primary is out of reach: what it wrote last is lost,"
        " and two halves may write",
    ),
    "node-unasked": _TOOL,
    "mapping-none": Advice(
        "what uses DRBD: findmnt and lsblk on every node, crm_resource --list",
        "take the two systems for compared: nothing is compared meanwhile",
    ),
    "not-running": _RESOURCE,
    "group-split": _RESOURCE,
    "no-candidate": _RESOURCE,
    "candidates-low": _RESOURCE,
    "here-not-ready": _RESOURCE,
    "single-point": Advice(
        "what that loss would do: check_mccluster whatif --down {node}",
        "try it out on the running service",
    ),
    "cluster-maintenance": _ON_PURPOSE,
    "node-maintenance": _ON_PURPOSE,
    "resource-unmanaged": _ON_PURPOSE,
    "resource-disabled": Advice(
        "whoever set it has ended their work",
        "start it by hand outside Pacemaker",
    ),
    "node-standby": Advice(
        "whoever set it has ended their work",
        "end it before the node is whole: services may move to it at once",
    ),
    "node-standby-onfail": _RESOURCE,
    "node-health-red": _HEALTH,
    "node-health-yellow": _HEALTH,
    "node-missing": _LISTED,
    "node-unexpected": _LISTED,
    "connectivity-lost": Advice(
        "the targets answer to another node: ping them there",
        "remove the ping resource to get going: services would stay where nobody reaches them",
    ),
    "versions-mixed": Advice(
        "who is at the upgrade, and how far it is",
        "stop a node of the old version in between: once only newer ones run, it may not join them",
    ),
    "fencing-no-device": Advice(
        "what could switch each node off: its IPMI, a PDU, SBD",
        "switch fencing off where DRBD's quorum is off, too: both halves would write",
    ),
    "quorum-off": Advice(
        "all nodes of the resource are up and connected: drbdadm status{drbd}",
        "set it on one node only: all nodes have the same options",
    ),
    "view-stale": _NODE,
    "clocks-differ": Advice(
        "which clock is wrong: timedatectl on {node} and on the others",
        "set a clock back by hand under services that run: chrony slews it",
    ),
    "pacemaker-down": _NODE,
    "pacemaker-unresponsive": _NODE,
    "drbd-resource-missing": _DISK,
    "config-unknown-name": Advice(
        "the name is mistyped, and not that of something that should be there",
        "delete the line only to silence it: what it says is not watched then",
    ),
}


def advice(
    each: Finding, checks: Sequence[str], here: str = "the node concerned"
) -> tuple[tuple[str, str], ...]:
    """The four parts, with the finding's own names.

    :param checks: those that can have such a finding; none for one about a tool.
    :param here: the node that was asked, whose tool it is.
    """
    told = _told(each.key, checks)
    drbd = each.subject.drbd_resource
    node = _node(each, here if not checks else "the node concerned")
    names = {
        "node": node,
        "drbd": f" {pasted(drbd)}" if drbd is not None else "",
        "ends": f"on {' and '.join(each.subject.ends)}" if each.subject.ends else _both(node),
    }
    return (
        ("Make sure", told.make_sure.format_map(names)),
        ("Do", each.next_step),
        ("Do not", told.do_not.format_map(names)),
        ("It worked", _worked(each, checks)),
    )


def advice_of_kind(kind: Kind, checks: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The parts that need no finding, with words for its names: make sure, do not, it worked."""
    told = _told(kind.key, checks)
    names = {"node": "NODE", "drbd": " RESOURCE", "ends": _both("NODE")}
    command = f"check_mccluster {checks[0] if checks else 'overview'} -v"
    return (
        ("Make sure", told.make_sure.format_map(names)),
        ("Do not", told.do_not.format_map(names)),
        ("It worked", f"'{command}' no longer tells {kind.key}"),
    )


def _told(key: str, checks: Sequence[str]) -> Advice:
    found = _BY_KEY.get(key)
    return found or next((_BY_CHECK[name] for name in checks if name in _BY_CHECK), _TOOL)


def _both(node: str) -> str:
    return f"here and on {node}"


def _node(each: Finding, otherwise: str) -> str:
    name = each.nodes[0] if each.nodes else otherwise
    return name if name == NOWHERE or " " in name else pasted(name)


def _worked(each: Finding, checks: Sequence[str]) -> str:
    """The command that no longer tells it."""
    command = f"check_mccluster {checks[0] if checks else 'overview'}"
    drbd = each.subject.drbd_resource
    if checks and drbd is not None and checks[0].startswith("drbd-"):
        command += f" -r {pasted(drbd)}"
    what = each.key if each.subject.sort == CLUSTER else f"{each.key} of {each.object}"
    if not checks or each.subject.sort in (TOOL, SETTING):
        return f"'{command} -v' no longer tells {what}"
    if checks == ("cluster",):
        return f"'{command} -v', of the same nodes, no longer tells {what}"
    return f"'{command} -v' no longer tells {what}, nor does 'check_mccluster overview'"
