"""Are all cluster members here and in service?

Long because a node can be out of service in many ways, and each has its finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from ..inputs.cibadmin import CIB
from ..inputs.crm_mon import CLUSTER
from ..judge.facts.happened import health_step, health_untold, health_words, last_fencing
from ..judge.facts.pacemaker import (
    VANISHED,
    guest_is_stopped,
    has_quorum,
    is_ping,
    is_service,
    where,
)
from ..model.pacemaker import Cluster, Health, Node, base_id, primitives
from ..model.words import whole
from ..verdict import subject
from ..verdict.check import Check
from ..verdict.finding import Figure, Finding, Kind, Report, State, finding
from ..verdict.view import Asked, View, contains_node
from ..verdict.words import MAINTENANCE_OVER, ask_controller, counted, join, look_at_stack

OFFLINE = Kind(
    "node-offline",
    State.CRITICAL,
    "A member or remote node is not online in Pacemaker: it can run nothing.",
    "on {node}: systemctl status corosync pacemaker; is the host up and reachable?",
)
UNCLEAN = Kind(
    "node-unclean",
    State.CRITICAL,
    "The cluster lost a node and does not know its state: it waits to be fenced.",
    "on {node}: systemctl status corosync pacemaker; the fencing: crm_mon -1 -m; only where {node}"
    " is surely off: stonith_admin --confirm {node}",
)
PENDING = Kind(
    "node-pending",
    State.WARNING,
    "A node joined Corosync and has not (yet) joined Pacemaker.",
    f"If it stays, on {{node}}: {ask_controller('{node}')}",
)
STANDBY = Kind(
    "node-standby",
    State.WARNING,
    "An administrator put the node in standby: it runs no resources.",
    "When the work is done: crm_standby --node {node} --delete (pcs node unstandby {node})",
)
STANDBY_ONFAIL = Kind(
    "node-standby-onfail",
    State.CRITICAL,
    "A failed operation with on-fail=standby put the node in standby.",
    "crm_mon -1 -f; fix the resource, then: crm_resource --cleanup --node {node}",
)
MAINTENANCE = Kind(
    "node-maintenance",
    State.WARNING,
    "The node is in maintenance: its resources are neither monitored nor recovered.",
    "When the work is done: crm_attribute --node {node} --name maintenance --delete (pcs node"
    " unmaintenance {node})",
)
SHUTDOWN = Kind(
    "node-shutdown",
    State.WARNING,
    "The node is leaving the cluster cleanly.",
    "Wait for it to end, or see what hangs: crm_mon -1; journalctl -u pacemaker on {node}",
)
CONNECTIVITY = Kind(
    "connectivity-lost",
    State.WARNING,
    "A ping resource reaches fewer of its targets from a node than it is configured for: the"
    " fault is in that node's network, or the targets are down.",
    "on {node}: ip -br link; ip route; crm_mon -1 -A",
)
HEALTH_RED = Kind(
    "node-health-red",
    State.CRITICAL,
    "A node health attribute is red: the node-health-strategy moves resources away.",
    "crm_mon -1 -A (attributes beginning with #health); fix the cause on {node}",
)
HEALTH_YELLOW = Kind(
    "node-health-yellow",
    State.WARNING,
    "A node health attribute is yellow.",
    "crm_mon -1 -A (attributes beginning with #health)",
)
MISSING = Kind(
    "node-missing",
    State.CRITICAL,
    "A node that the configuration file lists is unknown to the cluster.",
    "crm_node -l; compare with [pacemaker] nodes in the configuration file",
)
UNEXPECTED = Kind(
    "node-unexpected",
    State.WARNING,
    "The cluster has a node that the configuration file does not list.",
    "crm_node -l; add it to [pacemaker] nodes, or remove it from the cluster",
)
CLUSTER_MAINTENANCE = Kind(
    "cluster-maintenance",
    State.WARNING,
    "maintenance-mode is set for the whole cluster: nothing is managed, nothing fails over.",
    f"When the work is done: {MAINTENANCE_OVER}",
)
VERSIONS_MIXED = Kind(
    "versions-mixed",
    State.WARNING,
    "The nodes run different versions: a rolling upgrade is under way, or was never finished."
    " Or nothing says what one of them runs.",
    "crmadmin --nodes; compare pacemakerd --version on every node",
)


def _unclean(view: View, cluster: Cluster, node: Node) -> Finding:
    """A node that the cluster lost, or that is to be fenced for what failed there."""
    from ..judge.facts.fencing import is_being_fenced, unfenced

    name = node.name
    why = unfenced(view, cluster, name)
    look = look_at_stack(name)
    about = subject.node(name)
    if node.online:  # it runs services: never to be confirmed as off
        step = f"{look}; the fencing: crm_mon -1 -m"
        stuck = dict.fromkeys(
            base_id(f.resource) for f in cluster.failures if f.node == name and f.task == "stop"
        )
        text = f"{name} is unclean and waits for fencing"
        if stuck:
            text = f"{name} is to be fenced, as {join(stuck, 2)} could not be stopped there"
        text += f"{', and' if stuck else ':'} {why}" if why else ""
        reason = "failed-stop" if stuck else ""
        return finding(UNCLEAN, about, text, nodes=(name,), reason=reason, step=step)
    held = [
        resource.id
        for resource in cluster.resources
        if is_service(resource) and where(resource) == (name,)
    ]
    text = f"{name} is unclean: {VANISHED}"
    if why:
        text = f"{name} is lost (unclean) and {why}"
        are = "is" if len(held) == 1 else "are"
        text += f": {join(held, 3)} {are} not taken over" if held else ""
    elif held:
        text += f"; nobody has {join(held, 3)}"
        if cluster.summary.options.fencing_enabled is not False:
            text += " until it is fenced"
            text += " (under way)" if is_being_fenced(cluster, name) else ""
    step = ""
    if view.is_here(name):
        step = look
    elif node.is_remote and node.id_as_resource is None:
        step = _remote_step(name)
    return finding(UNCLEAN, about, text, nodes=(name,), step=step)


def _unmonitored(cluster: Cluster, name: str) -> str:
    own = [each.id for each in cluster.resources if is_service(each) and name in where(each)]
    are = "is" if len(own) == 1 else "are"
    return f": {join(own, 2)} {are} not monitored there" if own else ""


def _how_it_left(view: View, cluster: Cluster, node: Node) -> tuple[str, str, str]:
    """How an offline node went, in words, with the word and the step: as far as that is known.

    Pacemaker writes ``expected="down"`` also of nodes that were killed or cut several at once.
    """
    if node.is_remote and node.id_as_resource is None:
        return "", "", _remote_step(node.name)
    start = f"on {node.name}: pcs cluster start"
    fenced = last_fencing(view, cluster, node.name)
    if fenced is not None:
        step = f"If {node.name} is off, switch it on; then {AFTER_FENCING.format(node=node.name)}"
        return f" and was fenced{fenced}{_runs_now(cluster)}", "fenced", step
    if node.expected_up is not False or not node.is_member or not has_quorum(cluster):
        return "", "", ""
    lost = [each for each in cluster.nodes if each.online is False and each.is_member]
    if len(lost) == 1:
        return ", it left cleanly", "left", start
    return ", perhaps stopped", "", f"is the host of {node.name} up? then {start}"


AFTER_FENCING = (
    "on {node}: journalctl -b -1 -u corosync -u pacemaker -n 200 tells why; then: pcs cluster start"
)
"""What is due on a node that was fenced and is up again."""
_FEW = 3


def _runs_now(cluster: Cluster) -> str:
    """Where the services are after a fencing, where they are few."""
    running = [(each.id, where(each)) for each in cluster.resources if is_service(each)]
    up = [f"{name} runs on {join(nodes)}" for name, nodes in running if nodes]
    return f"; {', '.join(up)}" if 0 < len(up) <= _FEW else ""


def _remote_step(name: str) -> str:
    return (
        f"on {name}: systemctl status pacemaker_remote (TCP port 3121); when it runs: crm_resource"
        f" --cleanup -r {name}"
    )


def _state_of(view: View, cluster: Cluster, node: Node) -> Iterator[Finding]:
    """The findings of one node: a node that is down has one, and nothing else counts."""
    name = node.name
    here = (name,)
    if node.unclean:
        yield _unclean(view, cluster, node)
        return
    if node.online is False:
        how, word, step = _how_it_left(view, cluster, node)
        text = f"{name} is offline{how}"
        yield finding(OFFLINE, subject.node(name), text, nodes=here, reason=word, step=step)
        return
    if node.pending:
        fenced = last_fencing(view, cluster, name)
        after = f" since it was fenced{fenced}" if fenced is not None else ""
        text = f"{name} joined Corosync and not yet Pacemaker{after}"
        cib = view[CIB].value
        idle = cib is not None and cib.is_idle(name)
        step = f"If it stays, on {name}: {ask_controller(name, idle=idle)}"
        yield finding(PENDING, subject.node(name), text, nodes=here, step=step)
        return
    if node.shutdown:
        yield finding(SHUTDOWN, subject.node(name), f"{name} is shutting down", nodes=here)
    if node.standby_onfail:
        yield _standby_after(cluster, name)
    elif node.standby:
        yield finding(STANDBY, subject.node(name), f"{name} is in standby", nodes=here)
    if node.maintenance:
        text = f"{name} is in maintenance{_unmonitored(cluster, name)}"
        yield finding(MAINTENANCE, subject.node(name), text, nodes=here)
    for kind, health in ((HEALTH_RED, Health.RED), (HEALTH_YELLOW, Health.YELLOW)):
        if node.health is health:
            why = health_words(view, name, health.value)
            text = f"health of {name} is {health.value}{why}"
            step = health_step(view, name, health.value)
            yield finding(kind, subject.node(name), text, nodes=here, step=step)


def _standby_after(cluster: Cluster, name: str) -> Finding:
    """A node put in standby by a failure, with what failed there."""
    failed = dict.fromkeys(base_id(f.resource) for f in cluster.failures if f.node == name)
    of_what = f" of {join(failed)}" if failed else ""
    step = ""
    if len(failed) == 1:
        (one,) = failed
        step = (
            f"on {name}: journalctl -u pacemaker --grep {one} tells why; fix that, then:"
            f" crm_resource --cleanup -r {one} -N {name}"
        )
    text = f"{name} is in standby after a failure{of_what}"
    return finding(STANDBY_ONFAIL, subject.node(name), text, nodes=(name,), step=step)


def _connectivity(cluster: Cluster) -> Iterator[Finding]:
    """Nodes whose ping attribute is below what its resource expects."""
    for each in cluster.attributes:
        node = cluster.node(each.node)
        if node is None or not node.online or each.expected is None or each.value is None:
            continue
        value = whole(each.value)
        if value is None or value >= each.expected:
            continue
        reached = "none of its ping targets" if value <= 0 else "not all its ping targets"
        text = f"{each.node} reaches {reached} ({each.name} {each.value} of {each.expected})"
        pings = [
            base_id(one.id)
            for resource in cluster.resources
            for one in primitives(resource)
            if is_ping(one.agent)
        ]
        look = f"crm_resource -r {pings[0]} --get-parameter host_list" if pings else "crm_mon -1 -A"
        step = f"on {each.node}: ip -br link; ip route; then ping the targets: {look}"
        yield finding(CONNECTIVITY, subject.node(each.node), text, nodes=(each.node,), step=step)


def _limited(findings: list[Finding], state: State, text: str) -> list[Finding]:
    """The ranges decide how grave missing nodes are, and miss nodes that nobody lists."""
    absent = (OFFLINE, UNCLEAN)
    limited = [e._replace(state=state) if e.kind in absent else e for e in findings]
    if state is not State.OK and all(each.kind not in absent for each in findings):
        limited.append(
            finding(OFFLINE, subject.cluster(), f"{text}, outside the range", state=state)
        )
    return limited


def _expected(view: View, cluster: Cluster) -> Iterator[Finding]:
    """Compare with the configuration file; guests are the cluster's own business."""
    listed = view.config.nodes
    if listed is None:
        return
    nodes = tuple(node for node in cluster.nodes if not node.is_ping)
    for name in listed:
        if not contains_node(tuple(node.name for node in nodes), name):
            yield finding(
                MISSING, subject.node(name), f"{name} is unknown to the cluster", nodes=(name,)
            )
    for node in nodes:
        if node.id_as_resource is None and not contains_node(listed, node.name):
            text = f"{node.name} is not in the configuration file"
            yield finding(UNEXPECTED, subject.node(node.name), text, nodes=(node.name,))


def _versions(cluster: Cluster) -> Iterator[Finding]:
    """A member that joins or leaves shows an odd feature set by itself and is no second fault."""
    settled = [
        node
        for node in cluster.nodes
        if node.online and node.is_member and not (node.pending or node.shutdown)
    ]
    sets = {node.feature_set for node in settled if node.feature_set is not None}
    unsettled = any(node.online and (node.pending or node.shutdown) for node in cluster.nodes)
    dc = cluster.summary.dc
    silent = tuple(n.name for n in settled if (n.feature_set or "").startswith("<"))
    others = sets - {node.feature_set for node in settled if node.name in silent}
    if silent and len(others) == 1:
        yield _untold(silent, dc.name if dc is not None else None)
    elif len(sets) > 1:
        odd = ", ".join(f"{node.name} {node.feature_set}" for node in settled if node.feature_set)
        yield finding(VERSIONS_MIXED, subject.cluster(), f"feature sets differ: {odd}")
    elif dc is not None and dc.mixed_version and not unsettled:
        yield finding(
            VERSIONS_MIXED, subject.cluster(), "the members run different Pacemaker versions"
        )


def _untold(silent: tuple[str, ...], dc: Optional[str]) -> Finding:
    """Members whose feature set is not in the CIB: Pacemaker takes that for an older version.

    The controller tells it when it starts. A member that comes back after its Corosync paused may
    delete the node attributes of others, fail-counts and promotion scores included; the attribute
    daemons still have them all.
    """
    have, their = ("has", "its") if len(silent) == 1 else ("have", "their")
    again = "attrd_updater --refresh (it sends all node attributes to the CIB again)"
    if dc in silent:  # a controller that works
        text = f"the CIB lost the node attributes of {join(silent)}: not another version"
        step = f"{again}; if it stays, on {dc}: journalctl -u pacemaker"
    else:
        text = (
            f"{join(silent)} {have} not told {their} feature set: {their} controller just started"
            " again or hangs, or the CIB lost the node attributes"
        )
        name = silent[0]
        step = (
            f"Wait a minute; if it stays, on {name}: {ask_controller(name)}; if it answers: {again}"
        )
    return finding(VERSIONS_MIXED, subject.cluster(), text, nodes=silent, step=step)


def judge(view: View, asked: Asked) -> Report:
    """Judge every node by itself, then the cluster-wide facts."""
    cluster = view[CLUSTER].value
    if cluster is None:
        return Report()
    nodes = tuple(
        node for node in cluster.nodes if not node.is_ping and not guest_is_stopped(cluster, node)
    )
    online = sum(1 for node in nodes if node.online)
    findings = [each for node in nodes for each in _state_of(view, cluster, node)]
    if asked.has_limits:
        findings = _limited(findings, asked.limited_state(online), f"{online} nodes online")
    findings += _expected(view, cluster)
    if cluster.summary.options.maintenance_mode:
        text = "maintenance-mode: the cluster manages nothing"
        findings.append(finding(CLUSTER_MAINTENANCE, subject.cluster(), text))
    findings += _connectivity(cluster)
    findings += _versions(cluster)
    dc = cluster.summary.dc
    controller = f", DC {dc.name}" if dc is not None and dc.name else ", no DC"
    untold = health_untold(view, cluster)
    return Report(
        tuple(findings),
        f"{online} of {len(nodes)} nodes online{controller}{f'; {untold}' if untold else ''}",
        (
            Figure("nodes_online", online, minimum=0, maximum=len(nodes), limited=True),
            *(
                Figure(f"nodes_{name}", count, minimum=0, warning=warning, critical=critical)
                for name, count, warning, critical in (
                    ("offline", sum(1 for n in nodes if n.online is False), "0", "0"),
                    ("unclean", sum(1 for n in nodes if n.unclean), "0", "0"),
                    ("pending", sum(1 for n in nodes if n.pending), "0", ""),
                    ("standby", sum(1 for n in nodes if n.standby), "0", ""),
                    ("maintenance", sum(1 for n in nodes if n.maintenance), "0", ""),
                )
            ),
        ),
        tuple(_describe(node) for node in nodes),
    )


def _describe(node: Node) -> str:
    words = [
        "online" if node.online else "offline",
        *(
            word
            for word in ("unclean", "pending", "standby", "maintenance", "shutdown")
            # crm_mon calls every node that is pending in standby, too.
            if getattr(node, word) and not (node.pending and word == "standby")
        ),
    ]
    if node.is_dc:
        words.append("DC")
    runs = (
        "" if node.resources_running is None else f", {counted(node.resources_running, 'resource')}"
    )
    return f"node {node.name} ({node.type or 'unknown type'}): {' '.join(words)}{runs}"


CHECK = Check(
    name="nodes",
    question="Are all cluster members here and in service?",
    needs=(CLUSTER,),
    hints=(CIB,),
    rule=judge,
    kinds=(
        OFFLINE,
        UNCLEAN,
        PENDING,
        STANDBY,
        STANDBY_ONFAIL,
        MAINTENANCE,
        SHUTDOWN,
        CONNECTIVITY,
        HEALTH_RED,
        HEALTH_YELLOW,
        MISSING,
        UNEXPECTED,
        CLUSTER_MAINTENANCE,
        VERSIONS_MIXED,
    ),
    figures=(
        ("nodes_online", "nodes that are online; the maximum is the number of nodes"),
        ("nodes_offline", "nodes that are not online"),
        ("nodes_unclean", "nodes whose state is unknown"),
        ("nodes_pending", "nodes in Corosync and not yet in Pacemaker"),
        ("nodes_standby", "nodes in standby"),
        ("nodes_maintenance", "nodes in maintenance"),
    ),
    number="the number of nodes online; it then decides the severity of node-offline",
    example="check_mccluster nodes -w 3: -c 2:",
)
