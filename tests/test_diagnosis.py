"""The first fault of recorded states: its cause, its object, and the step that helps."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import build_drbd as drbd
from build import (
    NOW,
    SNAPSHOTS,
    ban,
    cib,
    clone,
    cluster,
    failure,
    fence_device,
    fence_event,
    group,
    node,
    offline,
    options,
    primitive,
    report,
    stopped,
    view,
)
from check_mccluster.app.session import Setup, open_source, run_check
from check_mccluster.checks import registry
from check_mccluster.judge import engine
from check_mccluster.model.config import Config
from check_mccluster.model.configuration import Configured, PendingOperation, Ran
from check_mccluster.model.pacemaker import FenceStatus, Filesystem, NodeAttribute, Role
from check_mccluster.verdict.finding import State
from check_mccluster.verdict.view import Asked

TABLE = Path(__file__).parent.parent / "fixtures/diagnosis.tsv"


def table():
    with TABLE.open(encoding="utf-8", newline="") as lines:
        rows = (line for line in lines if not line.startswith("#"))
        return list(csv.reader(rows, delimiter="\t"))


def first_fault(snapshot):
    return first_report(SNAPSHOTS / snapshot).faults[0].cause


def first_report(folder):
    setup = Setup(8.0, snapshot=str(folder))
    with open_source(setup, Config()) as source:
        return run_check(registry.load("overview"), source, Config(), setup, Asked()).report


@pytest.mark.parametrize("row", table(), ids=lambda row: row[0])
def test_recorded_state_is_told_by_its_cause(row):
    snapshot, key, about, step = row
    cause = first_fault(snapshot)
    assert (cause.key, cause.object) == (key, about)
    assert step in cause.next_step


def test_table_holds_forty_states():
    assert len(table()) >= 40


# -- reasons -----------------------------------------------------------------------------------


def told(check, known, **evidence):
    judged = report(check, view(known, **evidence))
    return {each.key: each for each in judged.findings}


def test_constructed_standby_everywhere_is_the_reason():
    nodes = (node(), node("app02", standby=True), offline("app03"))
    bans = (ban("FS", "app01"),)
    found = told("resources", cluster(nodes, (stopped("FS"),), bans=bans), cib=cib())
    stop = found["resource-stopped"]
    assert (
        stop.text == "FS is stopped (app02: in standby; app01: banned by FS-avoids-app01; app03:"
        " offline)"
    )
    assert (stop.reason, stop.next_step) == (
        "standby",
        "when the work is done: pcs node unstandby app02",
    )


@pytest.mark.parametrize(
    ("change", "key", "words"),
    [
        ({"shutdown": True}, "node-shutdown", "app01: shutting down"),
        ({"standby": True}, "node-standby", "app01: in standby"),
    ],
)
def test_constructed_group_that_leaves_its_node_is_stopped_by_that(change, key, words):
    """The last member stopped already, the first still runs: it is not stopped for no reason."""
    moving = group(primitive("FS"), stopped("DB"))
    known = cluster((node(**change), node("app02"), node("app03")), (moving,))
    judged = report("overview", view(known, cib=cib()))
    bad = [fault for fault in judged.faults if fault.cause.key in (key, "resource-stopped")]
    assert [fault.cause.key for fault in bad] == [key]
    (stop,) = (each for each in bad[0].follows if each.key == "resource-stopped")
    assert words in stop.text


@pytest.mark.parametrize(("ago", "key"), [(2, "resource-transition"), (5, "resource-stopped")])
def test_constructed_group_between_two_starts_is_not_stopped(ago, key):
    """FS was started a moment ago, and DB is next; seen live, where nothing says so."""
    known = cluster(None, (group(primitive("FS", "app02"), stopped("DB")),))
    started = {("FS", "app02"): int(NOW.timestamp()) - ago}
    found = told("resources", known, cib=cib()._replace(started=started))
    assert [*found] == [key]
    if key == "resource-transition":
        assert found[key].text == "DB (group1) is to start on app02, where FS just did"


def test_constructed_stop_without_any_reason_says_so():
    stop = told("resources", cluster(None, (stopped("FS"),)), cib=cib())["resource-stopped"]
    assert stop.text == "FS is stopped (nothing visible asks for that)"
    assert stop.next_step.startswith("crm_simulate -sL (the lines about FS)")


def test_constructed_start_that_only_the_cib_has_is_a_transition():
    known = cluster(None, (stopped("FS"),))
    pending = (PendingOperation("FS", "app01", "start", 0),)
    found = told("resources", known, cib=cib()._replace(pending=pending))
    assert {key: each.state for key, each in found.items()} == {
        "resource-transition": State.WARNING
    }
    assert found["resource-transition"].text == "FS is starting on app01"


@pytest.mark.parametrize(
    ("seconds", "key"), [(5, "resource-transition"), (0, "resource-transition"), (-5, None)]
)
def test_constructed_start_that_is_younger_than_what_crm_mon_says(seconds, key):
    ran = Ran("app02", "start", int(NOW.timestamp()) + seconds)
    known = cluster(None, (stopped("FS"),))
    found = told("resources", known, cib=cib()._replace(newest={"FS": ran}))
    assert set(found) == {key or "resource-stopped"}


def test_constructed_stop_that_was_asked_for_says_so():
    stopping = primitive("FS", role=Role.STOPPING, target_role="Stopped")
    found = told("resources", cluster(None, (stopping,)), cib=cib())
    assert found["resource-transition"].text == "FS is stopping on app01, it is disabled"


def test_constructed_recurring_monitor_is_no_transition():
    pending = (PendingOperation("FS", "app01", "monitor", 10_000),)
    known = cluster(None, (stopped("FS"),))
    assert "resource-stopped" in told("resources", known, cib=cib()._replace(pending=pending))


def test_constructed_promotable_clone_that_starts_is_a_transition():
    instances = (
        primitive("drbd", "app01", Role.UNPROMOTED),
        primitive("drbd", "app02", Role.STARTING),
    )
    known = cluster(None, (clone(*instances, name="drbd-clone", promotable=True),))
    found = told("resources", known, cib=cib())
    assert set(found) == {"resource-transition", "clone-degraded"} or set(found) == {
        "resource-transition"
    }
    assert "promoted-missing" not in found


def test_constructed_fewer_promoted_than_promoted_max():
    instances = (
        primitive("db", "app01", Role.PROMOTED),
        primitive("db", "app02", Role.UNPROMOTED),
        primitive("db", "app03", Role.UNPROMOTED),
    )
    known = cluster(None, (clone(*instances, name="db-clone", promotable=True),))
    configured = {"db-clone": Configured("db-clone", "clone", meta={"promoted-max": "3"})}
    found = told("resources", known, cib=cib()._replace(resources=configured))
    assert found["promoted-low"].state is State.WARNING
    assert found["promoted-low"].text.startswith("db-clone: 1 of 3 instances are promoted")
    assert "promoted-low" not in told("resources", known, cib=cib())


def test_constructed_resource_that_crm_mon_leaves_out():
    configured = {
        "web": Configured("web", "group", members=("IP",)),
        "FS": Configured("FS", "primitive"),
    }
    known = cluster(None, (primitive("FS"),))
    found = told("resources", known, cib=cib()._replace(resources=configured))
    assert found["resource-not-shown"].object == "web"
    assert found["resource-not-shown"].state is State.WARNING


def test_constructed_failed_stop_of_a_filesystem_names_the_directory():
    blocked = primitive("FS", failed=True, blocked=True, managed=False)
    past = (failure("FS", task="stop", status="Timed Out", exit_reason=None),)
    files = (Filesystem("FS", "/dev/drbd0", "/srv/data"),)
    found = told("resources", cluster(None, (blocked,), failures=past), cib=cib(filesystems=files))[
        "resource-blocked"
    ]
    assert found.text.endswith("(stop timed out)")
    assert found.next_step == (
        "on app01: fuser -vm /srv/data; umount /srv/data;"
        " then: crm_resource --cleanup -r FS -N app01"
    )


# -- DRBD ---------------------------------------------------------------------------------------


def test_io_without_data_and_the_cut_from_the_only_copy_are_one_fault():
    setup = Setup(8.0, snapshot=str(SNAPSHOTS / "client-without-data/storage03"))
    with open_source(setup, Config()) as source:
        whole = run_check(registry.load("overview"), source, Config(), setup, Asked()).report
    (fault,) = whole.faults
    assert fault.text == (
        "r2: I/O on storage03 is suspended: no data is accessible (storage01 Connecting, other"
        " resources"
        " reach it)"
    )
    assert fault.cause.next_step.startswith(
        "on storage01: drbdadm status r2; not up: drbdadm up r2"
    )
    assert [each.key for each in fault.follows] == ["mesh-isolated"]


def test_constructed_pause_of_io_by_hand_does_not_hide_a_cut():
    paused = drbd.resource(
        drbd.away("storage02"), suspended=True, suspended_user=True, devices=(drbd.device(),)
    )
    whole = engine.report(registry.load("overview"), drbd.view(paused), Asked())
    assert {each.cause.key for each in whole.faults} >= {"io-suspended", "mesh-isolated"}


@pytest.mark.parametrize(
    ("peers", "key"),
    [
        (("app01", "app03", "storage01"), "mesh-isolated"),
        (("app01", "app03"), "mesh-isolated"),
        (("app01",), "quorum-lost"),
        ((), "quorum-lost"),
    ],
    ids=["beyond Pacemaker", "hyperconverged", "one peer", "none"],
)
def test_a_node_without_any_link_is_told_by_the_cut_and_not_by_the_quorum(tmp_path, peers, key):
    """The recorded app02 without Corosync's links, its connections cut, too."""
    folder = tmp_path / "app02"
    shutil.copytree(SNAPSHOTS / "app02-cut-off-while-active/app02", folder)
    status = folder / "drbd-status.json"
    (r0,) = (each for each in json.loads(status.read_text()) if each["name"] == "r0")
    cut = {"connection-state": "Connecting", "peer-role": "Unknown"}
    lost = {"peer-disk-state": "DUnknown", "replication-state": "Off"}
    r0["connections"] = [
        {**each, **cut, "peer_devices": [{**peer, **lost} for peer in each["peer_devices"]]}
        for each in r0["connections"]
        if each["name"] in peers
    ]
    if peers:  # else Corosync's links alone, as recorded
        status.write_text(json.dumps([r0]))
    (cause, *_) = (fault.cause for fault in first_report(folder).faults)
    assert cause.key == key
    if key == "mesh-isolated":
        assert "connected, and no Corosync link is up (app01, app03" in cause.text
        assert (
            "app02: no peer is reached, check the replication network: ping -c 3 10.77.0."
            in cause.next_step
        )


# -- nodes, fencing ----------------------------------------------------------------------------


def test_constructed_fenced_node_is_told_as_fenced():
    nodes = (node(), node("app02"), offline("app03"))
    events = (fence_event("app03", FenceStatus.SUCCESS)._replace(delegate="app01"),)
    found = told("nodes", cluster(nodes, fence_events=events))["node-offline"]
    assert found.text == "app03 is offline and was fenced by app01, 08:59:00Z"
    assert found.reason == "fenced"


@pytest.mark.parametrize(
    ("gone", "text"),
    [
        (("app03",), "app03 is offline, it left cleanly"),
        (("app03", "app04"), "app03 is offline, perhaps stopped"),
    ],
)
def test_constructed_order_is_said_only_of_a_node_that_left_alone(gone, text):
    nodes = tuple(
        offline(name, expected_up=False) if name in gone else node(name)
        for name in ("app01", "app02", "app03", "app04", "app05")
    )
    judged = report("nodes", view(cluster(nodes)))
    assert judged.findings[0].text == text


def test_constructed_ping_targets_that_a_node_does_not_reach():
    lost = (NodeAttribute("app02", "pingd", "0", 100), NodeAttribute("app01", "pingd", "100", 100))
    found = told("nodes", cluster(attributes=lost))
    assert found["connectivity-lost"].state is State.WARNING
    assert found["connectivity-lost"].text == (
        "app02 reaches none of its ping targets (pingd 0 of 100)"
    )


def test_constructed_red_health_without_a_strategy_is_told_and_is_no_fault():
    from check_mccluster.model.configuration import CibNode

    known = {name: CibNode(name) for name in ("app02", "app03")}
    known["app01"] = CibNode("app01", transient={"#health-smart": "red"})
    judged = report("nodes", view(cluster(), cib=cib()._replace(nodes=known)))
    assert judged.state is State.OK
    assert "#health-smart of app01 is red (node-health-strategy is none)" in judged.summary


@pytest.mark.parametrize(("second", "state"), [("app02", State.WARNING), (None, State.CRITICAL)])
def test_constructed_fence_device_that_is_down(second, state):
    other = fence_device("fence2", on=second, role=Role.STARTED if second else Role.STOPPED)
    devices = (fence_device("fence1", on=None, role=Role.STOPPED), other)
    found = report(
        "fencing", view(cluster(None, devices, options=options(fencing_enabled=True)))
    ).findings
    assert {(each.key, each.state) for each in found} == {("fence-device-down", state)}


def test_constructed_fencing_enabled_is_read_from_the_cib():
    known = cluster(None, options=options(fencing_enabled=None))
    found = told("fencing", known, cib=cib(properties={"stonith-enabled": "true"}))
    assert set(found) == {"fencing-no-device"}
    assert not told("fencing", known, cib=cib(properties={"stonith-enabled": "false"}))


# -- steps -------------------------------------------------------------------------------------

TOOLS = (
    "crm_resource",
    "crm_simulate",
    "crm_mon",
    "crm_ticket",
    "crm_attribute",
    "crm_node",
    "stonith_admin",
    "crmadmin",
    "crm_verify",
    "crm_standby",
)


def steps():
    yield from (kind.next_step for kind, _ in registry.kinds().values())
    yield from (first_fault(row[0]).next_step for row in table())


def test_why_is_no_step():
    assert not [step for step in steps() if "--why" in step]


@pytest.mark.parametrize("tool", TOOLS)
def test_every_option_of_a_step_is_known_to_its_tool(tool):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    run = subprocess.run([tool, "--help-all"], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        run = subprocess.run([tool, "--help"], capture_output=True, text=True, check=False)
    known = set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", run.stdout + run.stderr))
    for step in steps():
        for call in re.findall(rf"{tool} ([^;,()]*)", step):
            for option in re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", call):
                spelt = {option} if option.startswith("--") else {f"-{each}" for each in option[1:]}
                assert spelt <= known, f"{tool} {call}"
