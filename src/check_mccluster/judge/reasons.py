"""Why does this not run, and what ends that? One answer for every check, with real names.

For a service, a clone, a promotable clone and for "no candidate" the same rules are asked: what
holds for the whole partition, then tickets, then what speaks against each node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Optional

from ..inputs.cibadmin import CIB
from ..inputs.drbdsetup import DRBD
from ..model.configuration import PendingOperation, Ran, seconds_of
from ..model.pacemaker import Cluster, Failure, Resource, Role, base_id, primitives
from ..values import NamedTuple
from ..verdict.view import View
from ..verdict.words import duration
from .facts.pacemaker import age, failures_of, has_quorum, is_service, lost_nodes

if TYPE_CHECKING:  # these rules load where something is down, not for every healthy answer
    from .candidates import Against
    from .outlook import Futures

NOTHING_VISIBLE = "nothing"
"""The word for "all documents were read, and none of them says why"."""

CUT = "cut"
"""The word for "no tool reaches it, and nothing says that it went"."""

CAUSES = {
    "standby": frozenset({"node-standby", "node-standby-onfail"}),
    "maintenance": frozenset({"node-maintenance", "cluster-maintenance"}),
    "ban": frozenset({"leftover-ban"}),
    "barred": frozenset({"node-barred"}),
    "health": frozenset({"node-health-red"}),
    "connectivity": frozenset({"connectivity-lost"}),
    "votes": frozenset({"qdevice-lost", "quorum-margin"}),
    "ticket": frozenset({"ticket-standby"}),
    "fence-handler": frozenset({"leftover-fence"}),
    "offline": frozenset({"node-offline", "node-unclean", "fencing-failed"}),
    "unclean": frozenset({"node-unclean", "fencing-failed"}),
    "pending": frozenset({"node-pending"}),
    "shutdown": frozenset({"node-shutdown"}),
    "order": frozenset({"resource-disabled", "clone-down", "promoted-missing"}),
    "disabled": frozenset({"resource-disabled"}),
    "unmanaged": frozenset({"resource-unmanaged"}),
    "fencing": frozenset({"fencing-no-device"}),
    "failed-stop": frozenset({"resource-failed", "resource-blocked"}),
    "fence-peer": frozenset({"node-offline", "node-unclean", "fencing-failed"}),
    "quorum": frozenset({"quorum-lost"}),
    "controller": frozenset({"dc-missing"}),
}
"""Words of reasons that are findings of their own: the reason is then told under that key."""

DRBD_CAUSES = {
    "drbd": frozenset({"drbd-quorum-lost", "copies-none", "io-suspended"}),
    "drbd-peer": frozenset({"copies-low", "peer-connecting", "peer-standalone", "mesh-isolated"}),
    # The constraint is in force while the peer is away.
    "fence-handler": frozenset({"copies-low", "peer-connecting", "mesh-isolated"}),
    "never-attached": frozenset({"disk-lost"}),
    "minimum-redundancy": frozenset({"disk-lost"}),
}
"""The same for what DRBD says; these may follow from each other before they explain anything."""


_NO_STOP = ("monitor", "start", "promote", "demote")

_SOON = 3
"""Seconds; the next member of a group is started well before, or there is a reason why not."""


class Reason(NamedTuple):
    """Why something does not run.

    :param word: the word in JSON. :param text: in words, the one that somebody can lift first.
    :param step: what ends it, with real names; empty where the kind's own step is as good.
    :param nodes: the nodes of the reason told first. :param about: the constraint, ticket or
        resource that it is about; empty where it is a node.
    """

    word: str
    text: str
    step: str = ""
    nodes: tuple[str, ...] = ()
    about: str = ""
    besides: tuple[tuple[str, str, str], ...] = ()
    """Of every node what speaks against it: the word, the node, what that is about."""

    @property
    def brackets(self) -> str:
        """The reason as the tail of a sentence."""
        return f" ({self.text})"


class Reasons:
    """The reasons in one cluster; the rules behind them are built when the first one is asked."""

    def __init__(self, view: View, cluster: Cluster) -> None:
        self._view = view
        self._cluster = cluster
        self._cib = view[CIB].value
        self._rules: Optional[Futures] = None
        self._since: Optional[dict[tuple[str, str, str], Optional[int]]] = None

    @property
    def futures(self) -> Futures:
        """Our own rules about takeovers, of which "nothing is lost" is a case."""
        if self._rules is None:
            from .outlook import Futures

            self._rules = Futures(self._view, self._cluster, self._cib, None)
        return self._rules

    def of(self, resource: Resource, part: str = "", *, promoted: bool = False) -> Optional[Reason]:
        """Why *resource* does not run (is not promoted).

        :param part: the first member that does not run. ``None`` if nothing can be said.
        """
        everywhere = self._everywhere(resource, part)
        if everywhere is not None:
            return everywhere
        against = self._against(resource, promoted=promoted)
        no_agent = {
            name: tuple(each for each in why if each.word == "agent")
            for name, why in against.items()
            if any(each.word == "agent" for each in why)
        }
        if against and (all(against.values()) or no_agent):
            return _of_nodes(against if all(against.values()) else no_agent)
        stood = self._view[DRBD].value is None and self._stands_on_drbd(resource)
        if self._cib is None or stood or not against:
            return None  # not everything was read that could be the reason
        name = part or resource.id
        step = f"crm_simulate -sL (the lines about {name}); then: crm_resource --refresh -r {name}"
        return Reason(NOTHING_VISIBLE, "nothing visible asks for that", step)

    def on(
        self, resource: Resource, nodes: Sequence[str], *, promoted: bool = False
    ) -> Optional[Reason]:
        """Why no instance of a clone runs (is promoted) on *nodes*, where something speaks."""
        against = {
            name: why
            for name, why in self._against(resource, promoted=promoted).items()
            if name in nodes and why
        }
        if not against:
            return None
        reason = _of_nodes(against)
        return reason._replace(step=_for_each(against, reason.nodes) or reason.step)

    def beside(self, found: Reason, around: Resource, nodes: Sequence[str]) -> Reason:
        """The reason on *nodes*, where the rest of a group runs, with those on all the others.

        Only where something speaks against each of them: else the group has a node to go to.
        """
        rules = self.futures.takeover(frozenset())
        against = {
            node.name: rules.against(around, node, promoted=False)
            for node in self._cluster.nodes
            if node.runs_services and node.name not in nodes
        }
        if not against or not all(against.values()):
            return found
        more = _of_nodes(against)
        told, _, text = found.text.partition(": ")
        same = [node for node, why in against.items() if why[0].text == text]
        if same:
            told = ", ".join((told, *same))
        rest = _others(against, same)
        return found._replace(
            text="; ".join((f"{told}: {text}", *rest)), besides=(*found.besides, *more.besides)
        )

    def _everywhere(self, resource: Resource, part: str) -> Optional[Reason]:
        if has_quorum(self._cluster) is False:
            return Reason("quorum", "the partition has no quorum", "corosync-quorumtool -s")
        if self._cluster.summary.dc is None:
            step = "crmadmin --dc_lookup; journalctl -u pacemaker"
            return Reason("controller", "no designated controller", step)
        for each in primitives(resource):
            if each.locked_to and part in ("", each.id):
                node = each.locked_to
                step = f"on {node}: pcs cluster start; or give it up: crm_resource --refresh"
                text = f"locked to {node} by shutdown-lock"
                return Reason("shutdown-lock", text, f"{step} -r {each.id} -N {node}", (node,))
        blocked = self.futures.everywhere(resource)
        if not blocked:
            return None
        first = blocked[0]
        return Reason(first.word, first.text, first.step, about=first.about)

    def _against(self, resource: Resource, *, promoted: bool) -> Mapping[str, Sequence[Against]]:
        # Of a clone that is promoted somewhere the future asks about those nodes alone.
        nowhere = all(each.role is not Role.PROMOTED for each in primitives(resource))
        if is_service(resource) or (promoted and nowhere):
            return self.futures.of(resource, frozenset()).by_node
        rules = self.futures.takeover(frozenset())
        return {
            node.name: rules.against(resource, node, promoted=promoted)
            for node in self._cluster.nodes
            if node.runs_services
        }

    def _stands_on_drbd(self, resource: Resource) -> bool:
        from .facts.mapping import below

        return bool(below(self._view, resource))

    def pending(self, name: str) -> Optional[PendingOperation]:
        """An operation of the resource that the CIB has as under way, on a node that is there.

        The CIB may be younger than crm_mon's answer: what it has as done since then is under way
        for that. A recurring monitor is no transition.
        """
        lost = lost_nodes(self._cluster)
        for each in self._cib.pending if self._cib is not None else ():
            if base_id(each.resource) == base_id(name) and each.node not in lost:
                if each.task != "monitor" or not each.interval_ms:
                    return each
        ran = self._cib.newest.get(base_id(name)) if self._cib is not None else None
        if ran is None or ran.node in lost or ran.at < self._view.time.timestamp():
            return None
        return PendingOperation(name, ran.node, ran.task, 0)

    def how_long(self, name: str, nodes: Sequence[str], task: str) -> str:
        """`` (3 s of at most 90 s)``: how long an operation runs, and the timeout it has."""
        if self._cib is None or not self._cib.pending:
            return ""
        if self._since is None:
            self._since = {
                (base_id(each.resource), each.node, each.task): each.since
                for each in self._cib.pending
            }
        since = next(
            filter(None, (self._since.get((base_id(name), node, task)) for node in nodes)), None
        )
        if since is None:
            return ""
        ran = self._view.time.timestamp() - since
        if ran < 0:
            return ""  # the clocks differ
        one = self._cib.resources.get(base_id(name))
        most = seconds_of(one.timeouts.get(task, "")) if one is not None else None
        limit = f" of at most {duration(most)}" if most else ""
        return f" ({duration(ran)}{limit})" if limit else f" (for {duration(ran)})"

    def is_overdue(self, operation: PendingOperation, grace: float) -> bool:
        """Whether it runs for longer than its configured timeout, and *grace* seconds more."""
        one = self._cib.resources.get(base_id(operation.resource)) if self._cib else None
        most = seconds_of(one.timeouts.get(operation.task, "")) if one is not None else None
        if most is None or operation.since is None:
            return False
        return self._view.time.timestamp() - operation.since > most + grace

    def unanswered(self, name: str, nodes: Sequence[str]) -> Optional[float]:
        """For how many seconds nothing was done about the newest failure there, if it is known."""
        own = base_id(name)
        ages = [
            age(each.time, self._view.time)
            for each in self._failures(own, nodes)
            if each.task != "stop"
        ]
        known = [each for each in ages if each is not None]
        if self._cib is None or not known or len(known) < len(ages):
            return None
        failed_at = self._view.time.timestamp() - min(known)
        done = (self._cib.newest.get(own), self._cib.stopped.get(own))
        if any(each is not None and each.at >= failed_at for each in done):
            return None
        return min(known)

    def started_lately(self, names: Sequence[str], nodes: Sequence[str]) -> Optional[Ran]:
        """The newest start of any of these there, if it is so new that another follows it.

        Between two starts nothing is under way: the controller waits for the one to be told.
        """
        at = self._view.time.timestamp() - _SOON
        started = self._cib.started if self._cib is not None else {}
        found = [(started.get((name, node), 0), name, node) for name in names for node in nodes]
        when, name, node = max(found, default=(0, "", ""))
        return Ran(node, name, when) if when >= at else None

    def unfenced(self, node: str) -> str:
        """Why a node that is to be fenced is not."""
        from .facts.fencing import unfenced

        return unfenced(self._view, self._cluster, node)

    def failed_stop(self, name: str, nodes: Sequence[str]) -> Optional[Failure]:
        """The recorded stop that failed, for what Pacemaker gave up on."""
        return self.failed(name, nodes, ("stop",))

    def failed(
        self, name: str, nodes: Sequence[str], tasks: Sequence[str] = _NO_STOP
    ) -> Optional[Failure]:
        """A recorded operation that failed there."""
        return next((e for e in self._failures(base_id(name), nodes) if e.task in tasks), None)

    def _failures(self, own: str, nodes: Sequence[str]) -> Iterator[Failure]:
        """Recorded failures of a resource on these nodes, in the order of crm_mon."""
        known = failures_of(self._view, self._cluster, own)
        return (each for each in known if each.node in nodes)

    def directory(self, name: str) -> Optional[str]:
        """The mount point of a Filesystem resource."""
        for each in self._cib.filesystems if self._cib is not None else ():
            if each.resource == base_id(name):
                return each.directory
        return None


def how_it_failed(failure: Failure) -> str:
    """``stop timed out``, ``stop failed: it is in use``: in the words that were recorded."""
    said = (failure.exit_reason or "").strip()
    status = (failure.status or "").lower()
    if "timed out" in status or "timeout" in status:
        return "stop timed out" + (f": {said}" if said else "")
    return f"stop failed: {said or failure.exit_status or 'no reason given'}"


def words_of(operation: PendingOperation) -> str:
    """What is under way, as a sentence about the resource goes on."""
    if operation.task == "monitor":
        return f"is being probed on {operation.node}"
    words = {
        "start": "is starting",
        "stop": "is stopping",
        "promote": "is promoting",
        "demote": "is demoting",
        "migrate_to": "is migrating",
        "migrate_from": "is migrating",
    }
    return f"{words.get(operation.task, operation.task + ' is under way')} on {operation.node}"


_WANTED = frozenset({"rule", "configuration"})
"""Words of what keeps a resource from a node because somebody wants that."""


def _of_nodes(against: Mapping[str, Sequence[Against]]) -> Reason:
    """The reason that can be lifted soonest, then those of the other nodes."""
    from .candidates import soonest

    # Where somebody wants it not to run, what else speaks against that node does not matter.
    against = {
        node: [each for each in why if each.word in _WANTED] or why for node, why in against.items()
    }
    flat = [each for why in against.values() for each in why]
    first = soonest(flat)
    assert first is not None  # noqa: S101 - the callers ask where something speaks
    mine = tuple(n for n, why in against.items() if any(each.text == first.text for each in why))
    rest = "; ".join(_others(against, mine))
    text = f"{', '.join(mine)}: {first.text}"
    step = first.step
    if first.word == "agent" and len(mine) > 1:  # what is missing is missing on each of them
        step = step.replace(f"on {mine[0]}: ", f"on {', '.join(mine)}: ")
        if len(mine) == len(against):
            step = step.removesuffix(f" -N {mine[0]}")
    elif first.word == "barred" and len(mine) > 1:
        step = step.removesuffix(f" -N {mine[0]}")
    besides = tuple((each.word, node, each.about) for node, why in against.items() for each in why)
    text = f"{text}; {rest}" if rest else text
    return Reason(first.word, text, step, mine, first.about, besides)


def _for_each(against: Mapping[str, Sequence[Against]], nodes: Sequence[str]) -> str:
    """What ends it on all of *nodes*, where an instance is due on each; every command once."""
    from .candidates import soonest

    steps = [first.step for node in nodes if (first := soonest(against[node])) is not None]
    if not all(steps):
        return ""
    return "; ".join(dict.fromkeys(part for step in steps for part in step.split("; ")))


def _others(against: Mapping[str, Sequence[Against]], told: Sequence[str]) -> Iterator[str]:
    """The first reason of each node that is not told yet; nodes with the same one together."""
    together: dict[str, list[str]] = {}
    for node, why in against.items():
        if node not in told:
            together.setdefault(why[0].text, []).append(node)
    return (f"{', '.join(nodes)}: {text}" for text, nodes in together.items())
