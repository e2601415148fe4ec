"""Votes: how many there are, how many are needed, what may still be lost."""

from __future__ import annotations

from typing import Optional

from ...inputs.corosync_quorumtool import VOTES
from ...inputs.crm_mon import CLUSTER
from ...model.corosync import Votes
from ...model.pacemaker import Node
from ...values import NamedTuple
from ...verdict.view import View, same_node
from .pacemaker import has_quorum


class Tally(NamedTuple):
    """Votes of this partition.

    :param total: votes present. :param needed: votes for a quorum.
    :param expected: votes that there should be. :param counted: from Corosync, else estimated
        from Pacemaker's node list with one vote each.
    :param covered: two-node mode: a lost vote does not end the quorum.
    """

    quorate: Optional[bool]
    total: Optional[int]
    needed: Optional[int]
    expected: Optional[int]
    counted: bool
    covered: bool
    votes: Optional[Votes]

    @property
    def words(self) -> str:
        """``2 of 3 votes``; Corosync without votequorum has none to tell."""
        if self.total is None or self.expected is None:
            return "votes not known"
        return f"{self.total} of {self.expected} votes"

    @property
    def counting(self) -> str:
        """``2 of 3 votes, 2 needed``, and that nobody counted them where that is so."""
        needed = "" if self.needed is None else f", {self.needed} needed"
        return f"{self.words}{needed}{self.assumed}"

    @property
    def assumed(self) -> str:
        """A word on votes that are not Corosync's but one for each member of Pacemaker's list."""
        return "" if self.counted or self.total is None else " (one vote a node assumed)"

    @property
    def margin(self) -> Optional[int]:
        """Votes that can be lost before quorum is lost; ``None`` if unknown."""
        if self.total is None or self.needed is None:
            return None
        return self.total - self.needed

    def votes_of(self, node: Node) -> int:
        """*node*'s votes: one unless Corosync says otherwise; remote nodes have none.

        Corosync may list its members by address: the id decides where the name does not.
        """
        if node.is_remote:
            return 0
        if self.votes is not None:
            for member in self.votes.members:
                known = same_node(member.name, node.name) or str(member.node_id) == node.id
                if known and member.votes is not None:
                    return member.votes
        return 1


def tally(view: View) -> Tally:
    """Count from ``corosync-quorumtool -s`` where it may be run, else from the node list."""
    cluster = view[CLUSTER].value
    by_pacemaker = None if cluster is None else has_quorum(cluster)
    votes = view[VOTES].value
    if votes is not None:
        return Tally(
            quorate=votes.quorate and by_pacemaker is not False,
            total=votes.total,
            needed=votes.quorum,
            expected=votes.expected,
            counted=True,
            covered=votes.is_two_node,
            votes=votes,
        )
    if cluster is None:
        return Tally(None, None, None, None, False, False, None)
    members = [node for node in cluster.nodes if node.is_member]
    return Tally(
        quorate=by_pacemaker,
        total=sum(1 for node in members if node.online),
        needed=len(members) // 2 + 1,
        expected=len(members),
        counted=False,
        # Corosync insists on two_node for two nodes; the node list cannot show it.
        covered=len(members) == 2,
        votes=None,
    )
