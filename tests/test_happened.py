"""Facts that an operator asks for first: last change, fencing, what ends, what is under way."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from build import (
    NOW,
    SNAPSHOTS,
    cib,
    cluster,
    drbd,
    fence_event,
    group,
    location,
    node,
    peer,
    primitive,
    stopped,
    view,
)
from check_mccluster.checks.drbd_quorum import FEW_COPIES
from check_mccluster.checks.nodes import STANDBY
from check_mccluster.judge.facts.happened import happened, since
from check_mccluster.judge.instances import STOPPED
from check_mccluster.model.configuration import (
    CibNode,
    DateExpression,
    PendingOperation,
    Ran,
    Rule,
)
from check_mccluster.model.drbd import Progress, ReplicationState
from check_mccluster.model.pacemaker import INFINITY, FenceStatus, Role
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import finding


def changed(when, **who):
    known = cluster()
    return known._replace(summary=known.summary._replace(changed=when, **who))


def test_who_changed_the_configuration_when_with_what_and_where():
    known = changed(
        NOW - timedelta(minutes=3),
        changed_by="root",
        changed_with="crm_resource",
        changed_on="app02",
    )
    assert happened(view(known)) == (
        "configuration changed 08:57:00 UTC (3 min ago) by root with crm_resource on app02",
    )


def test_pacemaker_itself_leaves_no_user_and_another_day_its_date():
    assert happened(view(changed(NOW - timedelta(days=3)))) == (
        "configuration changed 2026-11-19 09:00:00 UTC (3 d ago)",
    )


def test_local_time_without_a_zone_says_no_age():
    assert happened(view(changed(datetime(2026, 11, 22, 8, 0)))) == (
        "configuration changed 08:00:00",
    )


@pytest.mark.parametrize(("seconds", "told"), [(30, True), (60, True), (61, False), (86400, False)])
def test_change_of_the_future_is_told_only_where_clocks_may_differ_so_much(seconds, told):
    """A little ahead it says no age; what is after the reading did not happen before it."""
    when = NOW + timedelta(seconds=seconds)
    line = f"configuration changed {when:%H:%M:%S} UTC"
    assert happened(view(changed(when))) == ((line,) if told else ())


def test_last_fencing_of_each_node_also_a_successful_one():
    events = (
        fence_event("app03", FenceStatus.SUCCESS)._replace(delegate="app01"),
        fence_event("app03", FenceStatus.FAILED),
        fence_event("app02", FenceStatus.FAILED, completed="2026-11-20 10:00:00Z"),
        fence_event("app01", FenceStatus.PENDING, completed=None),
    )
    told = happened(view(cluster(fence_events=events)))
    assert told[0] == "app03 was fenced (reboot) by app01, 08:59:00Z"
    assert told[1].startswith("the fencing of app02 ")
    assert told[1].endswith("failed, 2026-11-20 10:00:00Z")
    assert len(told) == 2


def test_constraint_that_ends_by_itself():
    until = DateExpression("lt", None, "2026-11-22 10:00:00Z")
    rule = Rule("r", -INFINITY, None, None, False, (until,))
    ban = location("group1", "app01", -INFINITY, "cli-ban-group1-on-app01")._replace(rules=(rule,))
    lasting = location("group1", "app03", -INFINITY)
    assert happened(view(cib=cib(locations=(ban, lasting)))) == (
        "cli-ban-group1-on-app01 on app01 ends 10:00:00Z",
    )


def test_what_is_under_way_in_the_configuration():
    pending = (
        PendingOperation("MYSQL", "app02", "monitor", 0),
        PendingOperation("FS", "app01", "start", 0),
        PendingOperation("IP", "app01", "monitor", 10_000),
    )
    assert happened(view(cib=cib()._replace(pending=pending))) == (
        "under way on app02: probe of MYSQL",
        "under way on app01: start of FS",
    )


def test_without_pacemaker_nothing_is_known():
    assert happened(view(cluster=None)) == ()


def test_red_health_that_no_strategy_acts_on():
    red = CibNode("app01", transient={"#health-smart": "red"})
    known = cib()._replace(nodes={"app01": red})
    assert happened(view(cib=known)) == (
        "#health-smart of app01 is red (node-health-strategy is none)",
    )


# -- since when ----------------------------------------------------------------------------------


def ago(**how):
    return int((NOW - timedelta(**how)).timestamp())


def test_a_service_runs_since_its_last_member_was_started():
    known = cluster(None, (group(primitive("FS"), primitive("DB")),))
    started = {("FS", "app01"): ago(hours=3), ("DB", "app01"): ago(minutes=5)}
    told = happened(view(known, cib=cib()._replace(started=started)))
    assert told == ("group1 runs on app01 since 08:55:00 UTC (5 min ago)",)


def test_nothing_is_said_of_what_was_found_running():
    known = cluster(None, (group(primitive("FS"), primitive("DB")),))
    started = {("FS", "app01"): ago(hours=3), ("DB", "app02"): ago(minutes=5)}
    assert happened(view(known, cib=cib()._replace(started=started))) == ()


def test_a_group_whose_last_member_is_still_starting_does_not_run_yet():
    members = (primitive("FS"), primitive("DB", role=Role.STARTING))
    started = {("FS", "app01"): ago(hours=3), ("DB", "app01"): ago(hours=9)}
    known = cluster(None, (group(*members),))
    assert happened(view(known, cib=cib()._replace(started=started))) == ()


def test_of_many_services_the_three_that_were_started_last():
    known = cluster(None, tuple(primitive(f"web{n}") for n in range(9)))
    started = {(f"web{n}", "app01"): ago(minutes=n) for n in range(9)}
    told = happened(view(known, cib=cib()._replace(started=started)))
    assert [line.split()[0] for line in told] == ["web0", "web1", "web2"]


def test_since_when_a_node_is_shutting_down():
    known = cluster((node(), node("app02", shutdown=True), node("app03")))
    nodes = {"app02": CibNode("app02", transient={"shutdown": str(ago(minutes=12))})}
    told = happened(view(known, cib=cib()._replace(nodes=nodes)))
    assert told == ("app02 is shutting down since 08:48:00 UTC (12 min ago)",)


@pytest.mark.parametrize("asked", ["", "0", "-5", "soon", "\u00b2", "9" * 17, "9" * 30])
def test_shutdown_at_no_time_is_told_without_one(asked):
    known = cluster((node(), node("app02", shutdown=True), node("app03")))
    nodes = {"app02": CibNode("app02", transient={"shutdown": asked})}
    assert happened(view(known, cib=cib()._replace(nodes=nodes))) == ()


def test_start_after_the_last_year_is_not_told():
    known = cluster(None, (primitive("web"),))
    assert happened(view(known, cib=cib()._replace(started={("web", "app01"): 10**17}))) == ()


# -- what belongs to one fault -----------------------------------------------------------------


def about(kind, thing):
    return finding(kind, thing, "", nodes=("app01",))


def test_since_when_the_first_member_is_stopped_and_what_was_changed_last():
    at = int((NOW - timedelta(minutes=5)).timestamp())
    stops = {"FS": Ran("app01", "stop", at), "MYSQL": Ran("app01", "stop", at - 9)}
    known = changed(NOW - timedelta(minutes=5), changed_by="root")._replace(
        resources=(group(stopped("FS"), stopped("MYSQL")),)
    )
    there = view(known, cib=cib()._replace(stopped=stops))
    told = (
        "FS was stopped on app01 08:55:00 UTC (5 min ago)",
        "configuration changed 08:55:00 UTC (5 min ago) by root",
    )
    assert since(there, about(STOPPED, subject.resource("FS"))) == told
    assert since(there, about(STOPPED, subject.resource("group1"))) == told
    assert happened(there) == told[::-1]


def test_a_node_has_its_fencing_and_no_other_nodes():
    events = (
        fence_event("app03", FenceStatus.SUCCESS)._replace(delegate="app01"),
        fence_event("app02", FenceStatus.SUCCESS),
    )
    told = since(view(cluster(fence_events=events)), about(STANDBY, subject.node("app03")))
    assert told == ("app03 was fenced (reboot) by app01, 08:59:00Z",)


def syncing(state=ReplicationState.SYNC_TARGET, running_ms=90_000, number=0):
    """A volume with a resync with storage01; storage02 is at rest."""
    done = Progress(50.0, None, None, None, None, None, None, running_ms, 0, 8, 0)
    one = peer("storage01")
    (device,) = one.peer_devices
    moving = device._replace(volume=number, replication_state=state, progress=done)
    return drbd(one._replace(peer_devices=(moving,)), peer("storage02"))


@pytest.mark.parametrize(
    ("state", "ends"),
    [
        (ReplicationState.SYNC_TARGET, "from storage01 to app01"),
        (ReplicationState.SYNC_SOURCE, "from app01 to storage01"),
    ],
)
@pytest.mark.parametrize(
    "thing",
    [
        subject.volume("r0", 0),
        subject.drbd("r0"),
        subject.connection("r0", "app01", "storage01"),
        subject.link("r0", "app01", "storage01"),
    ],
    ids=lambda thing: thing.sort,
)
def test_a_resync_tells_when_it_began(thing, state, ends):
    told = since(view(changed(NOW), drbd=(syncing(state),)), about(FEW_COPIES, thing))
    assert told == (f"resync {ends} began 08:58:30 UTC (90 s ago)",)


@pytest.mark.parametrize(
    ("resource", "thing"),
    [
        (syncing(), subject.volume("r1", 0)),
        (syncing(), subject.volume("r0", 1)),
        (syncing(), subject.connection("r0", "app01", "storage02")),
        (syncing(ReplicationState.VERIFY_T), subject.volume("r0", 0)),
        (syncing(running_ms=None), subject.volume("r0", 0)),
        (drbd(), subject.volume("r0", 0)),
    ],
)
def test_nothing_else_that_drbd_tells_has_a_time(resource, thing):
    assert since(view(changed(NOW), drbd=(resource,)), about(FEW_COPIES, thing)) == ()


def test_of_several_nodes_the_one_that_has_the_resync_tells_it(call):
    """app01 comes first, and is a client of the resource."""
    out = call("cluster", "--json", "--from", SNAPSHOTS / "full-resync-two-sources").out
    (fault,) = (each for each in json.loads(out)["faults"] if each["key"] == "disk-syncing")
    assert fault["facts"] == ["resync from storage01 to storage03 began 09:52:27 UTC (6 s ago)"]


def test_a_fault_has_its_facts_in_the_long_text_and_in_json(call):
    where = ("--from", SNAPSHOTS / "ticket-revoked/app01")
    text = call("overview", "-v", *where).out
    fact = "FS_DRBD was stopped on app01 09:20:41 UTC (5 s ago); configuration changed 09:20:05"
    assert f"({fact}" in next(line for line in text.splitlines() if "resource-stopped:" in line)
    (fault,) = json.loads(call("overview", "--json", *where).out)["faults"]
    assert "; ".join(fault["facts"]).startswith(fact)
