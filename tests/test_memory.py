"""--state: since when a finding is there, what is graver because it lasts, and bad files."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import threading
from pathlib import Path

import pytest

SNAPSHOTS = Path(__file__).parents[1] / "fixtures" / "snapshots"
LOST = SNAPSHOTS / "storage03-powered-off" / "app01"
AFTER = ("--severity", "peer-connecting=critical:after=600")


@pytest.fixture
def node(tmp_path):
    """A recorded node whose replica is gone, and whose clock a test can set."""
    folder = tmp_path / "app01"
    shutil.copytree(LOST, folder)
    return folder


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


def look(call, node, state, time, *options, check="drbd-mesh"):
    meta = json.loads((node / "meta.json").read_text())
    (node / "meta.json").write_text(json.dumps({**meta, "time": time}))
    return call(check, "--from", node, "--state", state, *options)


def text(outcome):
    return outcome.first.split(" - ", 1)[1]


def test_finding_says_since_when_it_is_there_from_the_second_run_on(call, node, state):
    first = look(call, node, state, "2026-11-22T09:14:20Z")
    assert "since" not in first.out
    second = look(call, node, state, "2026-11-22T09:20:00Z")
    assert (second.code, text(second)) == (1, f"{text(first)}, since 09:14 UTC")
    later = look(call, node, state, "2026-11-23T07:00:00Z")
    assert text(later) == f"{text(first)}, since 2026-11-22 09:14 UTC"


def test_finding_that_went_and_came_again_is_new(call, node, state, tmp_path):
    look(call, node, state, "2026-11-22T09:14:00Z")
    status = (node / "drbd-status.json").read_text()
    shutil.copy(SNAPSHOTS / "six-nodes-healthy/app01/drbd-status.json", node)
    assert look(call, node, state, "2026-11-22T09:15:00Z").code == 0
    (node / "drbd-status.json").write_text(status)
    assert "since" not in look(call, node, state, "2026-11-22T09:16:00Z").out


def test_while_a_tool_fails_nothing_is_forgotten(call, node, state):
    look(call, node, state, "2026-11-22T09:14:00Z")
    status = (node / "drbd-status.json").read_text()
    (node / "drbd-status.json").write_text("[")
    assert look(call, node, state, "2026-11-22T09:15:00Z").code == 3
    (node / "drbd-status.json").write_text(status)
    assert "since 09:14 UTC" in look(call, node, state, "2026-11-22T09:16:00Z").out


def test_clock_that_was_set_back_makes_nothing_older_than_it_is(call, node, state):
    look(call, node, state, "2026-11-22T09:14:00Z")
    assert "since" not in look(call, node, state, "2026-11-22T08:00:00Z").out
    assert "since 08:00 UTC" in look(call, node, state, "2026-11-22T08:01:00Z").out


def test_what_lasts_becomes_graver(call, node, state):
    assert look(call, node, state, "2026-11-22T09:14:00Z", *AFTER).code == 1
    assert look(call, node, state, "2026-11-22T09:23:59Z", *AFTER).code == 1
    assert look(call, node, state, "2026-11-22T09:24:00Z", *AFTER).code == 2


def test_what_lasts_becomes_graver_in_overview_and_its_line(call, node, state):
    for time, code, word in (("09:14:00", 1, "WARNING"), ("09:30:00", 2, "CRITICAL")):
        seen = look(call, node, state, f"2026-11-22T{time}Z", *AFTER, check="overview")
        assert seen.code == code
        assert any(line.startswith(f"[{word}] drbd-mesh: ") for line in seen.out.splitlines())
    assert seen.out.count("since 09:14 UTC, since") == 0


def test_lasting_severity_of_the_configuration_file(call, node, state, tmp_path):
    file = tmp_path / "cluster.toml"
    file.write_text('[severity]\npeer-connecting = "critical:after=60"\n')
    options = ("--config", file)
    assert look(call, node, state, "2026-11-22T09:14:00Z", *options).code == 1
    assert look(call, node, state, "2026-11-22T09:16:00Z", *options).code == 2
    assert call("drbd-mesh", "--from", node, *options).code == 1


def test_two_questions_of_one_check_do_not_forget_each_others_answers(call, node, state):
    look(call, node, state, "2026-11-22T09:14:00Z")
    look(call, node, state, "2026-11-22T09:15:00Z", "-r", "r0")
    assert "since 09:14 UTC" in look(call, node, state, "2026-11-22T09:16:00Z").out
    assert len(list(state.iterdir())) == 2


def test_cluster_keeps_it_too(call, state):
    nodes = ("--from", SNAPSHOTS / "storage03-powered-off")
    first = call("cluster", *nodes, "--state", state)
    assert "--state" not in first.first
    (file,) = state.iterdir()
    data = json.loads(file.read_text())
    data["since"] = dict.fromkeys(data["since"], "2026-11-20T10:00:00Z")
    file.write_text(json.dumps(data))
    assert "since 2026-11-20 10:00 UTC" in call("cluster", *nodes, "--state", state).out


def test_lasting_severity_without_state_is_a_mistake(call, node):
    outcome = call("drbd-mesh", "--from", node, *AFTER)
    assert (outcome.code, outcome.first) == (
        3,
        "DRBD-MESH UNKNOWN - --severity KEY=STATE:after=SECONDS needs --state DIR",
    )


@pytest.mark.parametrize(
    "word", ["critical:after=", "critical:after=-1", "critical:600", "bad:after=1"]
)
def test_what_is_no_lasting_severity(call, node, word):
    outcome = call("drbd-mesh", "--from", node, "--severity", f"peer-connecting={word}")
    assert outcome.code == 3
    assert "is no" in outcome.first


# -- what is wrong with the file costs a word ----------------------------------------------------


def broken(call, node, state):
    first = look(call, node, state, "2026-11-22T09:14:00Z")
    (file,) = state.iterdir()
    return first, file


DAMAGE = {
    "cut": '{"format": "check_mccl',
    "no JSON": "hello",
    "no dict": "[1]",
    "of somebody else": '{"format": "other"}',
    "nested": "[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_or_foreign_file_is_left_alone_and_told(call, node, state, damage):
    first, file = broken(call, node, state)
    text_of_it = DAMAGE[damage]
    file.write_text(text_of_it)
    again = look(call, node, state, "2026-11-22T09:16:00Z")
    why = "not written by check_mccluster, or damaged; remove it"
    assert (again.code, text(again)) == (
        first.code,
        f"{text(first).split(' | ')[0]} (--state has no effect: {file}: {why})"
        + text(first)[len(text(first).split(" | ")[0]) :],
    )
    assert file.read_text() == text_of_it


@pytest.mark.parametrize("time", ["yesterday", 7, None, ["2026-11-22T09:14:00Z"]])
def test_time_that_is_none_is_not_known(call, node, state, time):
    _, file = broken(call, node, state)
    data = json.loads(file.read_text())
    data["since"] = dict.fromkeys(data["since"], time)
    file.write_text(json.dumps(data))
    again = look(call, node, state, "2026-11-22T09:16:00Z")
    assert (again.code, "since" in again.out) == (1, False)


def test_folder_that_is_not_there(call, node, tmp_path):
    outcome = look(call, node, tmp_path / "none", "2026-11-22T09:14:00Z")
    assert outcome.code == 1
    assert "(--state has no effect: " in outcome.first
    assert "No such file or directory)" in outcome.first


def test_healthy_node_says_it_too_and_stays_ok(call, tmp_path):
    healthy = SNAPSHOTS / "six-nodes-healthy" / "app01"
    outcome = call("nodes", "--from", healthy, "--state", tmp_path / "none")
    assert outcome.code == 0
    assert "(--state has no effect: " in outcome.first


def test_link_is_not_followed(call, node, state, tmp_path):
    _, file = broken(call, node, state)
    precious = tmp_path / "precious"
    file.unlink()
    precious.write_text("")
    file.symlink_to(precious)
    assert "not a file of this user" in look(call, node, state, "2026-11-22T09:16:00Z").first
    assert precious.read_text() == ""


def test_another_run_of_the_same_check_is_waited_for_a_moment(call, node, state):
    look(call, node, state, "2026-11-22T09:14:00Z")
    (file,) = state.iterdir()
    with file.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        threading.Timer(0.05, fcntl.flock, (other, fcntl.LOCK_UN)).start()
        again = look(call, node, state, "2026-11-22T09:16:00Z").first
    assert "in use" not in again
    assert "since" in again


def test_fifo_and_file_in_use_are_not_waited_for(call, node, state):
    _, file = broken(call, node, state)
    with file.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert "in use" in look(call, node, state, "2026-11-22T09:16:00Z").first
    file.unlink()
    os.mkfifo(file)
    assert "not a file of this user" in look(call, node, state, "2026-11-22T09:17:00Z").first
