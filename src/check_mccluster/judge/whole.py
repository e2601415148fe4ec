"""The findings of several nodes as those of one cluster: each thing by the word of who knows it.

A node is the authority on itself: its disks, its tools, its daemons. Pacemaker's truth is what the
designated controller of a partition says. A connection is judged by both of its ends.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ..inputs.crm_mon import CLUSTER
from ..inputs.drbdsetup import DRBD as DRBD_STATUS
from ..verdict.alike import denied_beside, of_tools, said_of_tool, step_of
from ..verdict.finding import Fault, Finding, State, worst
from ..verdict.problems import KINDS as INPUT_KINDS
from ..verdict.subject import CONNECTION, DRBD, NODE, VOLUME, Subject, node
from ..verdict.view import Judgement, View, same_node
from ..verdict.words import ON_ONE_SIDE, join, on_all
from .facts.reaching import is_up
from .one_fault import NOT_JOINED
from .partitions import Partition

_INPUT = frozenset(kind.key for kind in INPUT_KINDS)
_OF_LINKS = frozenset({"peer-connecting", "peer-standalone", "mesh-isolated"})
"""Judged anew, by both ends."""
_OWN_DISK = ("disk-", "client-")
_OWN_IO = frozenset({"io-suspended", "io-failing", "io-stalled", "sync-target", "sync-stalled"})
_OF_PEER = frozenset({"peer-unreachable", "link-down"})
_OWN = frozenset({"here-not-ready", "started-without-io", "role-unexpected", "link-faulty"})
"""Each node's own word, though not about a disk."""


def told_by_all(seen: Sequence[Judgement], parts: Sequence[Partition]) -> list[Finding]:
    """What each node's findings are worth for the whole, each fault once."""
    speakers = [part.speaker for part in parts[:1]]
    kept: list[tuple[str, Finding]] = []
    for one in sorted(seen, key=lambda each: each.view.here):
        here = one.view.here
        for each in one.report.findings:
            if each.state is State.OK or each.key in _OF_LINKS:
                continue
            if each.key == "copies-low" and _seen_since(seen, one, each):
                continue
            mine = each.subject.sort in (DRBD, VOLUME, CONNECTION)
            own = each.key in _INPUT or each.key in _OF_PEER or each.key in _OWN
            own = own or _of_itself(here, each)
            if (
                mine
                or own
                or any(one is speaker for speaker in speakers)
                or one.view[CLUSTER].value is None
            ):
                kept.append((here, each))
        own_words = [each for whose, each in kept if whose == here]
        kept += [(here, each) for each in denied_beside(one.view, own_words)]
    asked = {here for here, each in kept if _of_itself(here, each)}
    kept = [
        (here, each)
        for here, each in kept
        if each.key != "node-offline" or each.object not in asked or each.object == here
    ]
    return list(_with_unasked(seen, _merged(_by_one_end(kept))))


_DOES_NOT_RUN = ": Pacemaker does not run"


def _with_unasked(seen: Sequence[Judgement], told: Iterable[Finding]) -> Sequence[Finding]:
    """Nodes whose Pacemaker does not run, with those that nobody asked and that look the same."""
    found = list(told)
    alike = [
        each.object
        for each in found
        if each.key == "node-offline"
        and NOT_JOINED in each.text
        and not is_asked(seen, each.object)
    ]
    down = [each for each in found if each.key == "pacemaker-down"]
    if not alike or len(down) != 1 or not down[0].text.endswith(_DOES_NOT_RUN):
        return found
    (one,) = down
    everybody = (*one.nodes, *alike)
    who = join(everybody, 8)
    unsure = f"{join(alike)} not asked: perhaps it runs and does not join"
    text = f"{who}{_DOES_NOT_RUN} ({unsure})"
    step = one.next_step.replace(f"on {one.object}: ", f"on {who}: ")
    joined = one._replace(subject=node(who), nodes=everybody, text=text, next_step=step)
    return [joined if each is one else each for each in found]


def named(view: View, fault: Fault) -> Fault:
    """A partition that lost its quorum, or a lost node, with what they say of themselves."""
    cause = fault.cause
    hangs = [each for each in fault.follows if each.reason == "daemon"]
    if cause.key == "node-offline" and hangs and {*cause.nodes} == {*hangs[0].nodes}:
        said = hangs[0].text.removeprefix(f"{cause.object}: ")
        text = f"{cause.object} is offline: {said}"
        return fault._replace(cause=cause._replace(text=text, next_step=hangs[0].next_step))
    down = [each for each in fault.follows if each.key == "pacemaker-down"]
    if cause.key != "quorum-lost" or not down:
        return fault
    missing = join(cause.nodes)
    said = f"{missing} ({'; '.join(each.text for each in down)})"
    known = [name for each in down for name in each.nodes]
    others = [name for name in cause.nodes if name not in known]
    step = f"on {join(known)}: pcs cluster start; why it stopped: journalctl -u corosync"
    if others:
        step = f"{step}; {is_up(view, *others)}; what answers: the same on it"
    look, runs_twice, _ = cause.next_step.partition(ON_ONE_SIDE)
    if runs_twice:
        step = f"{look}{ON_ONE_SIDE}; {step}"
    text = cause.text
    for before in (", without ", ", no link to "):  # a service may be called like a node
        text = text.replace(f"{before}{missing}", f"{before}{said}")
    return fault._replace(cause=cause._replace(text=text, next_step=step))


def _of_itself(here: str, each: Finding) -> bool:
    """A node that runs and says of itself that it is out: its word goes before the others'."""
    return each.key == "node-offline" and each.object == here


def _by_one_end(kept: Sequence[tuple[str, Finding]]) -> Sequence[tuple[str, Finding]]:
    """Links of Corosync that are down and all have one end in common: the others' word about it."""
    links = [(here, {here, *each.nodes}) for here, each in kept if each.key == "peer-unreachable"]
    common = set.intersection(*(ends for _, ends in links)) if links else set()
    if len(common) != 1 or all(here in common for here, _ in links):
        return kept
    return [(h, each) for h, each in kept if each.key != "peer-unreachable" or h not in common]


def _seen_since(seen: Sequence[Judgement], one: Judgement, each: Finding) -> bool:
    """Whether a node that was asked later sees every copy: the other's word is of the past."""
    return any(
        other.view.time > one.view.time
        and other.view[DRBD_STATUS].value is not None
        and any(
            resource.name == each.subject.name for resource in other.view[DRBD_STATUS].value or ()
        )
        and all(
            f.key not in ("copies-low", "copies-none", "drbd-quorum-lost")
            or f.subject != each.subject
            for f in other.report.findings
        )
        for other in seen
    )


def _merged(kept: Sequence[tuple[str, Finding]]) -> Iterator[Finding]:
    """The same key about the same thing, told by several nodes, once."""
    together: dict[tuple[str, Subject], list[tuple[str, Finding]]] = {}
    for here, each in kept:
        together.setdefault(_same(here, each), []).append((here, each))
    for sightings in together.values():
        yield _one(sightings)


def _same(here: str, each: Finding) -> tuple[str, Subject]:
    """What makes two findings of two nodes the same."""
    if each.key == "tool-denied":
        return each.key, Subject(NODE, "any")
    if each.key in _INPUT and each.subject.sort not in (DRBD, VOLUME):
        return each.key, Subject(NODE, each.text.replace(here, "HERE"))
    if each.key.startswith(("sync-", "out-of-sync", "behind")):
        return each.key, Subject(DRBD, each.subject.name)
    return each.key, each.subject


def _one(sightings: Sequence[tuple[str, Finding]]) -> Finding:
    # Of two that are as grave the one who misses more knows what has to come back first.
    # A node is the authority on itself.
    speaker, gravest = max(
        sightings, key=lambda one: (one[1].state.rank, len(one[1].nodes), one[0] in one[1].nodes)
    )
    nodes = tuple(dict.fromkeys(here for here, _ in sightings))
    state = worst(each.state for _, each in sightings)
    key = gravest.key
    if key in _INPUT:
        whose = join(nodes, 8)
        if key == "tool-denied":
            gravest = _denied([each for _, each in sightings], gravest)
        text = f"{whose}: {_without_here(gravest.text)}"
        about = gravest.subject if gravest.subject.sort in (DRBD, VOLUME) else node(whose)
        step = on_nodes(nodes, gravest.next_step)
        return gravest._replace(subject=about, text=text, nodes=nodes, state=state, next_step=step)
    if key.startswith(_OWN_DISK) or key in _OWN_IO:
        step = gravest.next_step
        if key in ("disk-lost", "disk-failed"):
            step = on_all(step, speaker, nodes)
        return gravest._replace(
            text=_of_many(gravest.text, speaker, nodes), nodes=nodes, state=state, next_step=step
        )
    if key in ("drbd-quorum-lost", "copies-none"):
        return gravest._replace(text=_of_many(gravest.text, speaker, nodes), state=state)
    if key.startswith(("out-of-sync", "sync-missing")):
        return _odd_one(gravest, sightings, state)
    everybody = tuple(dict.fromkeys(name for _, each in sightings for name in each.nodes))
    return gravest._replace(nodes=everybody, state=state)


def _denied(found: Sequence[Finding], first: Finding) -> Finding:
    """The tools that may not be asked as one: the same right is missing."""
    ordered = dict.fromkeys((first, *found))
    alike: dict[str, dict[str, Finding]] = {}
    for each in ordered:
        alike.setdefault(said_of_tool(each) or each.text, {}).setdefault(each.object, each)
    texts = [
        of_tools(list(same), said) if len(same) > 1 else next(iter(same.values())).text
        for said, same in alike.items()
    ]
    return first._replace(text="; ".join(texts), next_step=step_of(list(ordered)))


def on_nodes(nodes: Sequence[str], step: str) -> str:
    """A step that a node says to itself, for a reader elsewhere: where it is to be typed."""
    if step[:3].lower() == "on " or not nodes:
        return step
    return f"on {join(nodes, 8)}: {step[:1].lower()}{step[1:]}"


def _without_here(text: str) -> str:
    """The words of a node of itself, for a reader elsewhere: the name stands before them."""
    return text.replace(" on this node", "")


def _of_many(text: str, speaker: str, nodes: Sequence[str]) -> str:
    """The words of one node of itself, as those of all that say the same."""
    if len(nodes) == 1 or all(name in text for name in nodes):
        return text
    itself = re.compile(rf"\b(?:on|of|from) {re.escape(speaker)}(?=[ ,]|$)")
    if itself.search(text) is None:
        return f"{text}; on {join(nodes)}"
    # What is wrong stands behind them: a few names are enough.
    return itself.sub(lambda found: found[0].replace(speaker, join(nodes, 2)), text, count=1)


def _odd_one(gravest: Finding, sightings: Sequence[tuple[str, Finding]], state: State) -> Finding:
    """Of several copies the one that differs from most: named by most ends of what differs."""
    count = Counter(name for here, each in sightings for name in (here, *each.nodes))
    most = max(count.values())
    odd = tuple(name for name, number in count.items() if number == most)
    if len(odd) == 1 and len(count) > 2:
        # In place of what one end alone says of the rest.
        text = f"{gravest.text.partition(';')[0]}; {odd[0]} differs from the others"
        return gravest._replace(text=text, nodes=odd, state=state)
    return gravest._replace(nodes=tuple(count), state=state)


def lost_quorum(seen: Sequence[Judgement]) -> dict[tuple[str, Subject], tuple[str, ...]]:
    """Volumes, each with the nodes that say that they lost its quorum, or every copy."""
    found: dict[tuple[str, Subject], dict[str, None]] = {}
    for one in seen:
        for each in one.report.findings:
            if each.key in ("drbd-quorum-lost", "copies-none"):
                found.setdefault((each.key, each.subject), {})[one.view.here] = None
    return {name: tuple(nodes) for name, nodes in found.items()}


def is_asked(seen: Sequence[Judgement], name: str) -> bool:
    """Whether a node of that name is among those that were asked."""
    return any(same_node(one.view.here, name) for one in seen)
