"""One check as a part of the whole: --fold and --speaker, with what was asked of which tool."""

from __future__ import annotations

import json

import pytest

from check_mccluster.app import ages
from check_mccluster.app.options import SPEAK_AFTER
from conftest import FIXTURES

SNAPSHOTS = FIXTURES / "snapshots"
LOST = SNAPSHOTS / "storage-servers-lost"
STOPPED = SNAPSHOTS / "start-failed-without-drbd-quorum"


def seen(call, check, snapshot, *options):
    done = call(check, "--from", snapshot, "--json", *options)
    return done.code, json.loads(done.out)


@pytest.fixture
def without_quorum():
    return next(path for path in sorted(STOPPED.iterdir()) if path.name.startswith("app"))


def test_a_group_stopped_for_want_of_drbd_quorum_does_not_raise_resources(call, without_quorum):
    code, alone = seen(call, "resources", without_quorum)
    assert code == 2
    code, part = seen(call, "resources", without_quorum, "--fold")
    assert code == 0
    stopped = next(each for each in part["findings"] if each["key"] == "resource-stopped")
    assert stopped["state"] == "OK"
    assert stopped["follows"].startswith("drbd-quorum-lost ")
    assert part["text"].startswith("follows from drbd-quorum-lost r0/0: ")
    assert alone["text"][:40] in part["text"]


def test_the_check_that_has_the_cause_is_as_grave_as_what_follows(call):
    standby = SNAPSHOTS / "app01-standby"
    node = next(iter(sorted(standby.iterdir())))
    assert seen(call, "nodes", node)[1]["state"] == "WARNING"
    _, whole = seen(call, "overview", node)
    fault = next(each for each in whole["faults"] if each["key"] == "node-standby")
    code, part = seen(call, "nodes", node, "--fold")
    assert (part["state"], part["text"]) == (fault["state"], fault["text"])
    assert code == part["exit_code"]


@pytest.mark.parametrize("check", ["resources", "quorum", "failures", "placement", "failover"])
def test_what_a_tool_did_not_say_is_never_folded(call, tmp_path, check):
    (tmp_path / "crm_mon.xml").write_text("garbage")
    (tmp_path / "meta.json").write_text('{"node": "app01", "time": "2026-11-22T09:00:46Z"}')
    assert call(check, "--from", tmp_path, "--fold", "--speaker").code == 3


def test_that_pacemaker_is_down_is_told_by_the_first_check_that_reads_it(call):
    node = SNAPSHOTS / "pacemaker-stopped-on-app01/app01"
    assert call("nodes", "--from", node, "--fold").code == 2
    done = call("resources", "--from", node, "--fold")
    assert (done.code, done.first) == (
        0,
        "RESOURCES OK - told by nodes: Pacemaker does not run on this node",
    )


def test_a_severity_of_the_user_is_kept(call, without_quorum):
    options = ("--fold", "--severity", "drbd-quorum-lost=ok", "--severity", "resource-stopped=ok")
    assert call("resources", "--from", without_quorum, *options).code == 0
    options = ("--fold", "--severity", "drbd-quorum-lost=warning")
    assert call("drbd-quorum", "--from", without_quorum, *options).code == 2  # by what follows


def test_a_check_of_which_nothing_else_is_asked_reads_no_more_tools(call):
    healthy = SNAPSHOTS / "six-nodes-healthy/app01"
    plain = call("resources", "--from", healthy, "-vvv")
    assert call("resources", "--from", healthy, "-vvv", "--fold", "--speaker").out == plain.out


def test_the_others_are_ok_and_name_the_speaker(call):
    for node in sorted(LOST.iterdir()):
        _, document = seen(call, "overview", node)
        fault = document["faults"][0]
        code, part = seen(call, "overview", node, "--speaker")
        if fault["spoken"]:
            assert code == 2
        else:
            assert (code, part["state"]) == (0, "OK")
            assert part["text"].startswith(f"told by {fault['speaker']}: ")


# -- since when ----------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch, tmp_path):
    times = [1000.0]
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(ages.time, "time", lambda: times[0])
    return times


def test_a_fault_grows_old_from_look_to_look(clock):
    assert ages.ages("app02", ["x"], SPEAK_AFTER) == {"x": 0.0}
    clock[0] += 600
    assert ages.ages("app02", ["x", "y"], SPEAK_AFTER) == {"x": 600.0, "y": 0.0}
    clock[0] += 600
    assert ages.ages("app02", ["x"], SPEAK_AFTER) == {"x": 1200.0}


def test_what_was_not_seen_in_between_begins_anew(clock):
    ages.ages("app02", ["x"], SPEAK_AFTER)
    clock[0] += SPEAK_AFTER + 1
    assert ages.ages("app02", ["x"], SPEAK_AFTER) == {"x": 0.0}


def test_a_clock_set_back_makes_nothing_older(clock):
    ages.ages("app02", ["x"], SPEAK_AFTER)
    clock[0] -= 500
    assert ages.ages("app02", ["x"], SPEAK_AFTER) == {"x": 0.0}


@pytest.mark.parametrize("text", ["", "[]", '{"x": 1}', '{"x": ["a", "b"]}', "\0"])
def test_a_damaged_file_remembers_nothing(clock, tmp_path, text):
    ages.ages("app02", ["x"], SPEAK_AFTER)
    (file,) = tmp_path.iterdir()
    file.write_text(text)
    assert ages.ages("app02", ["x"], SPEAK_AFTER) == {"x": 0.0}
