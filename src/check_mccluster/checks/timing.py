"""Will Pacemaker wait long enough for DRBD?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from ..inputs.cibadmin import CIB
from ..inputs.corosync_cmapctl import CMAP
from ..inputs.drbdsetup import SHOW, no_match
from ..judge.facts.mapping import waits_for_primary
from ..model.corosync import Cmap
from ..model.drbd import ShownConnection, ShownResource
from ..values import NamedTuple
from ..verdict import subject
from ..verdict.check import Check, Option
from ..verdict.finding import Figure, Finding, Kind, Report, State, finding
from ..verdict.problems import OUTPUT_INVALID
from ..verdict.view import Asked, View

RACE = Kind(
    "failover-race",
    State.WARNING,
    "Corosync's token + consensus is not longer than DRBD's detection of a dead peer: Pacemaker"
    " may start the service while DRBD still believes that the old Primary is alive, and"
    " refuses. No finding where the start waits for that: ocf:linbit:drbd promotes (without"
    " fail_promote_early_if_peer_primary), or ocf:mccluster:drbd-no-primary stands before the"
    " mount.",
    "Raise totem token in corosync.conf (runtime value: corosync-cmapctl -g"
    " runtime.config.totem.token), or lower ping-int in DRBD's net section",
)
ORDER = Kind(
    "timeout-order",
    State.WARNING,
    "DRBD's timeout must be smaller than ping-int and connect-int (timeout counts in 0.1 s).",
    "Set 'timeout' (0.1 s) below ping-int and connect-int (s) in the net section of {resource};"
    " see what would change: drbdadm --dry-run adjust {resource}",
)
POLICY = Kind(
    "quorum-policy",
    State.WARNING,
    "quorum is off on a resource of three or more nodes, or on-no-quorum differs between the"
    " resources of this node.",
    "drbdadm dump; set quorum and on-no-quorum alike in the options of all resources",
)
PING = Kind(
    "ping-too-short",
    State.WARNING,
    "ping-timeout is under 300 ms: a short hiccup makes DRBD drop a healthy peer.",
    "Raise ping-timeout (0.1 s) in the net section of {resource}; see what would change: drbdadm"
    " --dry-run adjust {resource}",
)

_SHORTEST_PING_S = 0.3
_SHOW = "drbdsetup show --json --show-defaults"


class _Detection(NamedTuple):
    """How long DRBD needs to see that a peer is gone, on one connection.

    The keep-alive sends a ping every ping-int; without an answer within ping-timeout the peer is
    lost. Bound: ping-int + ping-timeout. Mean: half of ping-int + ping-timeout.
    Source: drbd ``drbd_receiver.c`` (ack receiver), drbd.conf-9.0(5).
    """

    resource: str
    peer: str
    bound_s: float
    mean_s: float


def _detection(resource: ShownResource, connection: ShownConnection) -> Optional[_Detection]:
    if connection.ping_int_s is None or connection.ping_timeout_s is None:
        return None
    return _Detection(
        resource.name,
        connection.name or str(connection.peer_node_id),
        connection.ping_int_s + connection.ping_timeout_s,
        connection.ping_int_s / 2 + connection.ping_timeout_s,
    )


def _slowest(resources: tuple[ShownResource, ...], mean: bool) -> Optional[_Detection]:
    found = [
        each
        for resource in resources
        for connection in resource.connections
        if (each := _detection(resource, connection)) is not None
    ]
    return max(found, key=lambda each: each.mean_s if mean else each.bound_s, default=None)


def _margin(corosync: float, needs: float) -> float:
    """Seconds to the millisecond: no rounding error decides."""
    return round(corosync - needs, 3)


def _race(
    asked: Asked, corosync: Optional[float], drbd: Optional[_Detection], mean: bool
) -> Iterator[Finding]:
    if corosync is None or drbd is None:
        return
    needs = drbd.mean_s if mean else drbd.bound_s
    margin = _margin(corosync, needs)
    state = RACE.default if margin <= 0 else State.OK
    if asked.has_limits:
        state = asked.limited_state(margin)
    if state is State.OK:
        return
    relation = "is not longer than" if margin <= 0 else "is little longer than"
    word = "mean" if mean else "bound"
    text = (
        f"Corosync's {corosync:.2f} s {relation} DRBD's {needs:.1f} s"
        f" ({word}, {drbd.resource} to {drbd.peer})"
    )
    yield finding(RACE, subject.drbd(drbd.resource), text, state=state)


def _net(resource: ShownResource) -> Iterator[Finding]:
    """The net options of a resource: one finding each, at the first connection that has it."""
    for connection in resource.connections:
        limits = [
            f"{name} {value:g} s"
            for name, value in (
                ("ping-int", connection.ping_int_s),
                ("connect-int", connection.connect_int_s),
            )
            if value is not None
            and connection.timeout_s is not None
            and connection.timeout_s >= value
        ]
        if limits:
            text = (
                f"{resource.name}: timeout {connection.timeout_s:g} s is not below"
                f" {' and '.join(limits)}"
            )
            yield finding(ORDER, subject.drbd(resource.name), text)
            break
    for connection in resource.connections:
        timeout = connection.ping_timeout_s
        if timeout is not None and timeout < _SHORTEST_PING_S:
            text = f"{resource.name}: ping-timeout is {timeout * 1000:.0f} ms"
            yield finding(PING, subject.drbd(resource.name), text)
            break


def _policy(resources: tuple[ShownResource, ...]) -> Iterator[Finding]:
    off = [r.name for r in resources if r.quorum_is_on is False and len(r.connections) + 1 >= 3]
    if off:
        text = f"quorum is off on {', '.join(off)} with three or more nodes"
        yield finding(POLICY, subject.drbd(off[0]), text)
    policies = {r.on_no_quorum for r in resources if r.quorum_is_on and r.on_no_quorum}
    if len(policies) > 1:
        words = ", ".join(f"{r.name} {r.on_no_quorum}" for r in resources if r.quorum_is_on)
        yield finding(POLICY, subject.cluster("drbd"), f"on-no-quorum differs: {words}")


def _missing(cmap: Optional[Cmap], resources: tuple[ShownResource, ...]) -> Iterator[Finding]:
    """Keys that the documents lack: without them there is no comparison."""
    if cmap is not None and cmap.detection_s is None:
        text = "corosync-cmapctl: no runtime token and consensus"
        yield finding(
            OUTPUT_INVALID, subject.tool("corosync-cmapctl"), text, command="corosync-cmapctl"
        )
    for resource in resources:
        if any(_detection(resource, connection) is None for connection in resource.connections):
            text = f"drbdsetup show: {resource.name} has a connection without ping-int"
            yield finding(OUTPUT_INVALID, subject.drbd(resource.name), text, command=_SHOW)


def judge(view: View, asked: Asked) -> Report:
    """Compare the detection times, then the order of DRBD's own timeouts."""
    resources = tuple(r for r in view[SHOW].value or () if asked.filter.wants(r.name))
    mean = asked.values.get("bound") == "mean"
    cmap = view[CMAP].value
    corosync = None if cmap is None else cmap.detection_s
    cib = view[CIB].value
    waits = {
        resource.name: why
        for resource in resources
        if cib is not None and (why := waits_for_primary(cib, resource.name)) is not None
    }
    drbd = _slowest(resources, mean)
    racing = tuple(each for each in resources if asked.has_limits or each.name not in waits)
    findings = list(_race(asked, corosync, _slowest(racing, mean), mean))
    if view[SHOW].value and not resources and not asked.filter.literals:
        findings.append(no_match(asked.filter))
    for resource in resources:
        findings += _net(resource)
    findings += _policy(resources)
    findings += _missing(view[CMAP].value, resources)
    needs = None if drbd is None else (drbd.mean_s if mean else drbd.bound_s)
    figures = [
        Figure("corosync_detection", corosync, "s", 0),
        Figure("corosync_token", None if cmap is None else _s(cmap.token_ms), "s", 0),
        Figure("corosync_consensus", None if cmap is None else _s(cmap.consensus_ms), "s", 0),
        Figure("drbd_detection", needs, "s", 0),
        Figure(
            "margin",
            None if corosync is None or needs is None else _margin(corosync, needs),
            "s",
            limited=True,
            warning="" if waits else "@~:0",
        ),
    ]
    if corosync is not None and needs is not None:
        relation = ">" if corosync > needs else "<="
        word = "mean" if mean else "bound"
        summary = f"Corosync {corosync:.2f} s {relation} DRBD {needs:.1f} s ({word})"
        if drbd is not None and _margin(corosync, needs) <= 0 and drbd.resource in waits:
            summary += f": {waits[drbd.resource]}"
    else:
        summary = "DRBD has no peer to detect"
    return Report(tuple(findings), summary, tuple(figures), tuple(_lines(view, resources)))


def _s(milliseconds: Optional[int]) -> Optional[float]:
    return None if milliseconds is None else milliseconds / 1000


def _lines(view: View, resources: tuple[ShownResource, ...]) -> Iterator[str]:
    cmap = view[CMAP].value
    if cmap is not None:
        yield (
            f"corosync: token {cmap.token_ms} ms, consensus {cmap.consensus_ms} ms,"
            f" token_retransmit {cmap.token_retransmit_ms} ms,"
            f" token_retransmits_before_loss_const {cmap.retransmits_before_loss}"
        )
    for resource in resources:
        for c in resource.connections:
            yield (
                f"drbd {resource.name} to {c.name}: timeout {_sec(c.timeout_s)},"
                f" ping-int {_sec(c.ping_int_s)}, ping-timeout {_sec(c.ping_timeout_s)},"
                f" connect-int {_sec(c.connect_int_s)}, ko-count {c.ko_count}"
            )


def _sec(value: Optional[float]) -> str:
    return "unknown" if value is None else f"{value:g} s"


CHECK = Check(
    name="timing",
    question="Will Pacemaker wait long enough for DRBD?",
    needs=(CMAP, SHOW),
    hints=(CIB,),
    rule=judge,
    kinds=(RACE, ORDER, POLICY, PING),
    figures=(
        ("corosync_detection", "seconds until Corosync has a new membership: token + consensus"),
        ("corosync_token", "runtime token, in seconds"),
        ("corosync_consensus", "runtime consensus, in seconds"),
        ("drbd_detection", "seconds until DRBD sees a dead peer, on the slowest connection"),
        ("margin", "seconds by which Corosync is later than DRBD"),
    ),
    options=(
        Option(
            "--bound",
            "Compare with the longest (max) or the mean detection time of DRBD.",
            ("max", "mean"),
            default="max",
        ),
    ),
    number="the margin in seconds; the ranges replace failover-race",
    filters="drbd",
    example="check_mccluster timing --bound mean",
)
