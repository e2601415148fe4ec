"""What happened lately, and what is about to: facts that an operator asks for first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Optional

from ...inputs.cibadmin import CIB
from ...inputs.crm_mon import CLUSTER
from ...model.configuration import CibNode, Configured, DateExpression, seconds_of
from ...model.pacemaker import (
    Bundle,
    Cib,
    Clone,
    Cluster,
    FenceEvent,
    FenceStatus,
    Health,
    Location,
    Resource,
    Role,
    base_id,
    primitives,
)
from ...model.words import whole
from ...verdict.finding import Finding
from ...verdict.subject import CLUSTER as CLUSTER_WIDE
from ...verdict.subject import NODE, RESOURCE, TICKET, Subject
from ...verdict.view import View
from ...verdict.words import duration, join, pasted
from .pacemaker import failures_of, is_service, tops_of

_MOST = 3
"""Fenced nodes, and services, that are newest."""


def happened(view: View) -> tuple[str, ...]:
    """One line a fact; empty where nothing is known of Pacemaker."""
    cluster, cib = view[CLUSTER].value, view[CIB].value
    if cluster is None:
        return ()
    return (
        *_last_change(view, cluster),
        *_fenced(view, cluster),
        *filter(None, (health_untold(view, cluster),)),
        *(_until(view, cib) if cib is not None else ()),
        *(_pending(cib) if cib is not None else ()),
        *(_leaving(view, cluster, cib) if cib is not None else ()),
        *(_when_stopped(view, cluster.resources, cib) if cib is not None else ()),
        *(_running(view, cluster.resources, cib) if cib is not None else ()),
    )


def since(view: View, cause: Finding) -> tuple[str, ...]:
    """Since when what *cause* is about is so, and what was changed last.

    Of DRBD only a resync tells its time: ``--state`` keeps when another fault was first seen.
    """
    if cause.subject.drbd_resource is not None:
        return tuple(_resyncs(view, cause.subject))
    cluster, cib = view[CLUSTER].value, view[CIB].value
    if cluster is None or cause.subject.sort not in _OF_PACEMAKER:
        return ()
    found: list[str] = []
    if cause.subject.sort == RESOURCE and cib is not None:
        name = base_id(cause.object)
        mine = tops_of(view, cluster, name)
        found += _when_stopped(view, mine, cib)
        found += _running(view, mine, cib)
        if cause.key == "node-barred":
            found += _forgotten(view, cluster, cib, name, cause.nodes)
    elif cause.subject.sort == NODE:
        found += (words for words in _fenced(view, cluster) if cause.object in words.split())
        if cib is not None:
            found += (
                words
                for words in _leaving(view, cluster, cib)
                if words.startswith(f"{cause.object} ")
            )
    return (*found, *_last_change(view, cluster))


def _forgotten(
    view: View, cluster: Cluster, cib: Cib, name: str, nodes: Iterable[str]
) -> Iterator[str]:
    """When Pacemaker itself forgets a failure: that bars a node no longer than that."""
    limit = cib.meta(name, "failure-timeout")
    length = seconds_of(limit) if limit else None
    times = [
        each.time
        for each in failures_of(view, cluster, name)
        if each.node in nodes and each.time is not None
    ]
    if not length or not times or any(each.tzinfo is None for each in times):
        return
    when = max(times) + timedelta(seconds=length)
    if when > view.time:
        yield f"{name} may run there again after {when.astimezone(timezone.utc):%H:%M:%S} UTC" + (
            f" (failure-timeout {duration(length)})"
        )


_OF_PACEMAKER = frozenset({NODE, RESOURCE, TICKET, CLUSTER_WIDE})


def _resyncs(view: View, about: Subject) -> Iterator[str]:
    """When the resyncs of what DRBD has at fault began."""
    from .drbd import resyncs  # a check of Pacemaker does without

    for words, running in resyncs(view, about):
        yield f"{words} began {_clock(view, view.time - running)}"


def _when_stopped(view: View, resources: Iterable[Resource], cib: Cib) -> Iterator[str]:
    """When the first member that does not run was stopped: those behind it wait for it."""
    for resource in resources:
        if isinstance(resource, (Clone, Bundle)):
            continue
        for each in primitives(resource):
            ran = cib.stopped.get(base_id(each.id))
            if each.role is Role.STOPPED:
                if ran is not None and not _is_ahead(view, _time(ran.at)):
                    yield f"{each.id} was stopped on {ran.node} {_clock(view, _time(ran.at))}"
                break


def _last_change(view: View, cluster: Cluster) -> Iterator[str]:
    """Who wrote the configuration last; Pacemaker itself leaves no user."""
    summary = cluster.summary
    if summary.changed is None or _is_ahead(view, summary.changed):
        return
    by = f" by {summary.changed_by}" if summary.changed_by else ""
    using = f" with {summary.changed_with}" if summary.changed_with else ""
    on = f" on {summary.changed_on}" if summary.changed_on else ""
    yield f"configuration changed {_clock(view, summary.changed)}{by}{using}{on}"


def _is_ahead(view: View, when: datetime) -> bool:
    """Whether a time is after the reading, by more than what the clocks of two nodes differ."""
    return when.tzinfo is not None and when > view.time + _SKEW


_SKEW = timedelta(minutes=1)


def _clock(view: View, when: datetime) -> str:
    """The time, with its date if that was not today; how long ago, where the zone is known."""
    day = "" if when.date() == view.time.date() else f"{when:%Y-%m-%d} "
    if when.tzinfo is None:
        return f"{day}{when:%H:%M:%S}"
    ago = (view.time - when).total_seconds()
    since = f" ({duration(ago)} ago)" if ago >= 0 else ""
    return f"{day}{when.astimezone(timezone.utc):%H:%M:%S} UTC{since}"


def _fenced(view: View, cluster: Cluster) -> Iterator[str]:
    """The last fencing of each node that was fenced; the newest first."""
    newest: dict[str, str] = {}
    for event in cluster.fence_events:
        if event.target in newest or event.status is FenceStatus.PENDING:
            continue
        by = f" by {event.delegate}" if event.delegate else ""
        when = f", {_short(view, event.completed)}" if event.completed else ""
        if event.status is FenceStatus.SUCCESS:
            action = f" ({event.action})" if event.action else ""
            newest[event.target] = f"{event.target} was fenced{action}{by}{when}"
        else:
            newest[event.target] = f"the fencing of {event.target}{by} failed{when}"
    yield from list(newest.values())[:_MOST]
    if len(newest) > _MOST:
        yield f"fenced or tried, too: {join(list(newest)[_MOST:])}"


def last_fencing(view: View, cluster: Cluster, name: str) -> Optional[str]:
    """`` by app02, 09:22:03Z`` where the last fencing of a node that ended was a success."""
    event = _last_that_ended(cluster, name)
    if event is None or event.status is not FenceStatus.SUCCESS:
        return None
    return _by_and_when(view, event)


def failed_fencing(view: View, cluster: Cluster, name: str) -> str:
    """``reboot by app02, 09:22:03Z`` where the last fencing of a node that ended failed."""
    event = _last_that_ended(cluster, name)
    if event is None or event.status is not FenceStatus.FAILED:
        return ""
    return f"{event.action or 'action unknown'}{_by_and_when(view, event)}"


def _last_that_ended(cluster: Cluster, name: str) -> Optional[FenceEvent]:
    ended = (each for each in cluster.fence_events if each.status is not FenceStatus.PENDING)
    return next((each for each in ended if each.target == name), None)


def _by_and_when(view: View, event: FenceEvent) -> str:
    by = f" by {event.delegate}" if event.delegate else ""
    return by + (f", {_short(view, event.completed)}" if event.completed else "")


def _short(view: View, completed: str) -> str:
    """The time as it was printed, without the date if that is today's."""
    return completed.removeprefix(f"{view.time:%Y-%m-%d} ")


def _until(view: View, cib: Cib) -> Iterator[str]:
    for location in cib.locations:
        end = _end(location)
        if end is None:
            continue
        where = f" on {location.node}" if location.node is not None else ""
        yield f"{location.id}{where} ends {end.removeprefix(f'{view.time:%Y-%m-%d} ')}"


def _end(location: Location) -> Optional[str]:
    """When a constraint ends by its own rule."""
    for rule in location.rules:
        for test in rule.expressions():
            if isinstance(test, DateExpression) and test.operation in ("lt", "in_range"):
                return test.end
    return None


def _pending(cib: Cib) -> Iterator[str]:
    """Operations that the configuration knows to be under way."""
    for each in cib.pending:
        what = "probe" if each.task == "monitor" and not each.interval_ms else each.task
        if what != "monitor":
            yield f"under way on {each.node}: {what} of {each.resource}"


def _leaving(view: View, cluster: Cluster, cib: Cib) -> Iterator[str]:
    """Since when a node is shutting down: it may wait for a stop that hangs."""
    for node in cluster.nodes:
        known = cib.nodes.get(node.name)
        asked = whole(known.transient.get("shutdown", "")) if known is not None else None
        if node.shutdown and asked is not None and asked > 0 and not _is_ahead(view, _time(asked)):
            yield f"{node.name} is shutting down since {_clock(view, _time(asked))}"


def _running(view: View, resources: Iterable[Resource], cib: Cib) -> Iterator[str]:
    """Since when services run where they do, the newest first: of a group, its last member."""
    found = []
    for resource in resources:
        if not is_service(resource) or isinstance(resource, (Clone, Bundle)):
            continue
        running = [*primitives(resource)]
        if any(each.role is not Role.STARTED for each in running):
            continue
        times = [
            (cib.started.get((base_id(each.id), node)), node)
            for each in running
            for node in each.nodes
        ]
        known = [(at, node) for at, node in times if at is not None]
        if known and len(known) == len(times) and not _is_ahead(view, _time(max(known)[0])):
            found.append((*max(known), resource.id))
    for at, node, name in sorted(found, reverse=True)[:_MOST]:
        yield f"{name} runs on {node} since {_clock(view, _time(at))}"


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(min(seconds, _LAST), timezone.utc)


_LAST = 253_402_300_799
"""The last second of the year 9999; who says more is ahead as well."""


def _health_attributes(node: CibNode, value: str) -> Iterator[str]:
    """The health attributes of a node that have this value."""
    for name, own in {**node.attributes, **node.transient}.items():
        if name.startswith("#health") and own.lower() == value:
            yield name


def health_words(view: View, name: str, value: str) -> str:
    """Which health attributes of the node are so, and what Pacemaker makes of it.

    `` (#health-disk, node-health-strategy=only-green)``; empty if nobody says.
    """
    cib = view[CIB].value
    node = cib.nodes.get(name) if cib is not None else None
    if cib is None or node is None:
        return ""
    so = sorted(_health_attributes(node, value))
    strategy = cib.properties.get("node-health-strategy", "none")
    moves = strategy != "migrate-on-red" or value == Health.RED.value
    if so and strategy != "none" and moves:
        so.append(f"node-health-strategy={strategy}")
    return f" ({join(so)})" if so else ""


_HEALTH_AGENTS = ("Health", "SysInfo", "attribute", "storage-mon", "azure-events")
"""How the names of agents begin that set health attributes, and take them back."""


def _writes_health(one: Configured) -> bool:
    """Whether an agent sets health attributes, by its kind or as it is told to."""
    agent = (one.agent or "").rpartition(":")[2]
    told = any(value.startswith("#health") for value in one.parameters.values())
    return told or agent.startswith(_HEALTH_AGENTS)


def health_step(view: View, name: str, value: str) -> str:
    """How a health attribute is cleared that nothing configured would clear; else empty."""
    cib = view[CIB].value
    node = cib.nodes.get(name) if cib is not None else None
    if cib is None or node is None:
        return ""
    if any(map(_writes_health, cib.resources.values())):
        return ""
    so = sorted(_health_attributes(node, value))
    if not so:
        return ""
    gone = "; ".join(
        f"crm_attribute --node {name} --name {pasted(each)} --lifetime"
        f" {'reboot' if each in node.transient else 'forever'} --delete"
        for each in so[:_MOST]
    )
    return (
        f"fix on {name} what {join(so)} stands for; no health agent is configured, so then: {gone}"
    )


def health_untold(view: View, cluster: Cluster) -> str:
    """Health attributes that are red while the strategy is ``none``: policy, and worth a word."""
    cib = view[CIB].value
    if cib is None or cib.properties.get("node-health-strategy", "none") != "none":
        return ""
    red = [
        f"{name} of {node.name} is red"
        for node in cib.nodes.values()
        if cluster.node(node.name)
        for name in _health_attributes(node, Health.RED.value)
    ]
    return f"{'; '.join(red)} (node-health-strategy is none)" if red else ""
