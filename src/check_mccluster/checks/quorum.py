"""Can this partition act, and how many more votes can it lose?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from ..inputs.corosync_cmapctl import CMAP
from ..inputs.corosync_quorumtool import VOTES
from ..inputs.crm_mon import CLUSTER
from ..judge.belongs import known_node
from ..judge.facts.reaching import is_up
from ..judge.facts.votes import Tally, tally
from ..model.corosync import Cmap, Votes
from ..model.pacemaker import Cluster
from ..verdict import subject
from ..verdict.check import Check
from ..verdict.finding import Figure, Finding, Kind, Report, State, finding
from ..verdict.view import Asked, View
from ..verdict.words import join

LOST = Kind(
    "quorum-lost",
    State.CRITICAL,
    "This partition has no quorum: by default Pacemaker stops everything in it.",
    "corosync-quorumtool -s; corosync-cfgtool -s",
)
NO_DC = Kind(
    "dc-missing",
    State.CRITICAL,
    "No designated controller is elected: nobody decides anything in this cluster.",
    "crmadmin --dc_lookup; journalctl -u pacemaker",
)
_LOOK = "systemctl status corosync pacemaker"
MARGIN = Kind(
    "quorum-margin",
    State.WARNING,
    "The partition has quorum, and losing one more vote would end that.",
    f"corosync-quorumtool -s; where a node is missing, on that node: {_LOOK}",
)
EXPECTED = Kind(
    "votes-expected",
    State.WARNING,
    "Corosync expects another number of votes than the configured nodes have, or has a node in its"
    " list on which Pacemaker never started: a vote that is counted on and missing.",
    "Compare expected_votes and nodelist in /etc/corosync/corosync.conf on every node",
)
QDEVICE = Kind(
    "qdevice-lost",
    State.WARNING,
    "A quorum device is configured and does not vote.",
    "corosync-qdevice-tool -sv; where it does not run: systemctl start corosync-qdevice; where it"
    " is not connected: the host of its qnetd",
)

_CONSEQUENCE = {
    "stop": "all resources stop",
    "freeze": "what runs stays, nothing is recovered",
    "ignore": "Pacemaker goes on as if it had quorum",
    "demote": "promoted instances are demoted, the rest is stopped",
    "suicide": "the nodes of this partition fence themselves",
    "fence": "the nodes of this partition fence themselves",
}


def _lost(view: View, cluster: Cluster, count: Tally) -> Finding:
    policy = cluster.summary.options.no_quorum_policy
    consequence = _CONSEQUENCE.get(policy or "")
    votes = f": {count.counting}" if count.total is not None else ""
    then = f"; no-quorum-policy={policy}: {consequence}" if consequence else ""
    lost = tuple(
        node.name
        for node in cluster.nodes
        if node.is_member
        and (node.online is False or node.unclean)
        and not view.is_here(node.name)  # without a controller crm_mon says so of all
    )
    without = f", without {join(lost)}" if lost else ""
    step = "; ".join(f"on {name}: pcs cluster start" for name in lost)
    return finding(
        LOST,
        subject.cluster("partition"),
        f"partition without quorum{votes}{without}{then}",
        nodes=lost,
        step=f"corosync-cfgtool -s; where the host is up, {step}" if lost else "",
    )


def _needs_no_margin(cluster: Cluster, count: Tally) -> bool:
    """One node alone, or two in the mode that lets either go on."""
    return count.covered or sum(1 for node in cluster.nodes if node.is_member) <= 1


def _margin(view: View, cluster: Cluster, count: Tally, asked: Asked) -> Iterator[Finding]:
    margin = count.margin
    if asked.has_limits:
        state = asked.limited_state(margin)
        if state is State.OK:
            return
    elif margin is None or margin > 0 or _needs_no_margin(cluster, count):
        return
    else:
        state = MARGIN.default
    text = f"cannot lose a vote: {count.counting}"
    if margin is None:
        text = "how many votes it can lose is not known"
    elif margin > 0:
        votes = f"{margin} vote{'' if margin == 1 else 's'}"
        text = f"can lose {votes} ({count.total} of {count.expected}){count.assumed}"
    gone = [n.name for n in cluster.nodes if n.is_member and (n.online is False or n.unclean)]
    step = f"{is_up(view, *gone)}; where it answers, on it: {_LOOK}" if gone else ""
    yield finding(MARGIN, subject.cluster("partition"), text, state=state, step=step)


def _expected(cluster: Cluster, votes: Votes) -> Iterator[Finding]:
    """Only where it can be told: every configured member present, or one vote each."""
    if {"AllowDownscale", "LastManStanding"} & votes.flags or votes.expected is None:
        return
    configured = sum(1 for node in cluster.nodes if node.is_member)
    seen = [member.votes for member in votes.members if member.votes is not None]
    qdevice = votes.qdevice_votes or 0
    if len(votes.members) == configured:
        due = sum(seen) + qdevice
    elif all(count == 1 for count in seen):
        due = configured + qdevice
    else:
        return
    # A device that lost its vote is its own finding.
    if votes.expected != due and not _qdevice_problem(votes, None):
        text = f"{votes.expected} votes expected, the configured nodes have {due}"
        yield finding(EXPECTED, subject.cluster("votes"), text)


def _never_started(cluster: Cluster, cmap: Optional[Cmap]) -> list[Finding]:
    """Nodes that Corosync expects and Pacemaker has never seen: added, and not started yet."""
    names = [
        each.name
        for each in (cmap.nodes if cmap is not None else ())
        if each.name and known_node(cluster, each.node_id, each.name) is None
    ]
    if cmap is None or not names or len(names) == len(cmap.nodes):
        return []
    text = f"Corosync's node list has {join(names)}, which Pacemaker does not know: never started"
    step = (
        f"on {join(names)}: pcs cluster start; where it is no member:"
        f" pcs cluster node remove {names[0]}"
    )
    about = subject.cluster("votes")
    return [finding(EXPECTED, about, text, nodes=tuple(names), step=step)]


def _qdevice_problem(votes: Votes, model: Optional[str]) -> Optional[str]:
    """What is wrong with the quorum device; ``None`` if nothing is, or there is none.

    Flags of the member table (corosync-quorumtool(8)): A alive, V voting, MW master wins,
    each with a leading N for not, NR not registered.
    """
    local = next((m.qdevice_flags for m in votes.members if m.local), None)
    flags = frozenset((local or "").split(","))
    if "NR" in flags:
        return "is not registered"
    if "NA" in flags:
        return "is not alive"
    if "NV" in flags:
        return "does not vote"
    if votes.qdevice_votes == 0:
        return "has no vote"
    if model and votes.qdevice_votes is None and not votes.has_qdevice:
        return "is configured and not running"
    return None


def judge(view: View, asked: Asked) -> Report:
    """Quorum as Pacemaker and Corosync see it, and its margin."""
    cluster = view[CLUSTER].value
    if cluster is None:
        return Report()
    count = tally(view)
    findings: list[Finding] = []
    dc = cluster.summary.dc
    if dc is None:
        findings.append(finding(NO_DC, subject.cluster(), "no designated controller is elected"))
    if count.quorate is False:
        findings.append(_lost(view, cluster, count))
    elif count.quorate:
        findings += _margin(view, cluster, count, asked)
    elif dc is not None:
        text = "crm_mon does not say whether this partition has quorum"
        findings.append(finding(LOST, subject.cluster("partition"), text, state=State.UNKNOWN))
    cmap = view[CMAP].value
    strangers = _never_started(cluster, cmap)
    findings += strangers
    if count.votes is not None:
        if not strangers:
            findings += _expected(cluster, count.votes)
        model = cmap.qdevice_model if cmap is not None else None
        problem = _qdevice_problem(count.votes, model)
        if problem is not None:
            findings.append(
                finding(QDEVICE, subject.cluster("qdevice"), f"the quorum device {problem}")
            )
    margin = "not known" if count.margin is None else str(max(0, count.margin))
    may = "two-node mode" if count.covered else f"can lose {margin}"
    state = "quorate" if count.quorate else "not quorate"
    controller = f", DC {dc.name}" if dc is not None else ""
    return Report(
        tuple(findings),
        f"{state}, {count.words}, {may}{controller}{count.assumed}",
        (
            Figure("votes", count.total, minimum=0, maximum=count.expected),
            Figure("votes_needed", count.needed, minimum=0),
            Figure(
                "votes_margin",
                count.margin,
                limited=True,
                warning="" if _needs_no_margin(cluster, count) else "1:",
            ),
        ),
        tuple(
            f"vote of {member.name}: {member.votes}"
            for member in (count.votes.members if count.votes is not None else ())
        ),
    )


CHECK = Check(
    name="quorum",
    question="Can this partition act, and how many more votes can it lose?",
    needs=(CLUSTER,),
    hints=(CMAP,),
    uses=(VOTES,),
    rule=judge,
    kinds=(LOST, NO_DC, MARGIN, EXPECTED, QDEVICE),
    figures=(
        ("votes", "votes in this partition; the maximum is the votes expected"),
        ("votes_needed", "votes that make a quorum"),
        ("votes_margin", "votes that can be lost before quorum is lost"),
    ),
    number="the votes that can still be lost; the ranges replace quorum-margin",
    example="check_mccluster quorum -c 1:",
)
