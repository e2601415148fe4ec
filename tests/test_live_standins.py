"""The program as a process on a machine whose tools replay a snapshot."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from check_mccluster.checks import registry
from standins.machine import SOURCES, Machine

SNAPSHOTS = Path(__file__).parents[1] / "fixtures" / "snapshots"
HEALTHY = SNAPSHOTS / "six-nodes-healthy"
ALL_TOOLS = [
    "cibadmin --query",
    "corosync-cfgtool -s",
    "corosync-cmapctl",
    "corosync-quorumtool -s",
    "crm_mon -r -1 -X",
    "drbdadm sh-resources",
    "drbdsetup show --json --show-defaults",
    "drbdsetup status --json",
]


def of_snapshot(snapshot: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "check_mccluster", *arguments, "--from", str(snapshot)],
        env={"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()[0]


def of_machine(machine: Machine, *arguments: str) -> tuple[int, str]:
    ran = machine.run(*arguments)
    assert ran.err == ""
    return ran.code, ran.lines[0]


@pytest.mark.parametrize("check", [name for name in registry.names() if name != "cluster"])
def test_a_cluster_node_is_judged_live_as_from_its_snapshot(node, check):
    snapshot = HEALTHY / "app01"
    assert of_machine(node(snapshot), check) == of_snapshot(snapshot, check)


@pytest.mark.parametrize("check", ["drbd-role", "drbd-disk", "drbd-quorum", "overview"])
def test_a_storage_server_is_judged_live_as_from_its_snapshot(node, check):
    snapshot = HEALTHY / "storage01"
    assert of_machine(node(snapshot), check) == of_snapshot(snapshot, check)


def test_a_tool_that_is_not_installed_is_named(node):
    assert of_machine(node(HEALTHY / "storage01"), "consistency") == (
        3,
        "CONSISTENCY UNKNOWN - crm_mon is not installed",
    )


@pytest.mark.parametrize(
    ("state", "name", "check"),
    [
        ("disk-detached", "storage03", "overview"),
        ("six-nodes-healthy-as-nagios", "app01", "overview"),
        ("app01-standby", "app01", "overview"),
        ("storage-servers-lost", "app01", "overview"),
    ],
)
def test_a_fault_is_judged_live_as_from_its_snapshot(node, state, name, check):
    snapshot = SNAPSHOTS / state / name
    assert of_machine(node(snapshot), check) == of_snapshot(snapshot, check)


def test_overview_runs_each_tool_once(node):
    machine = node(HEALTHY / "app01")
    assert machine.run("overview").code == 0
    assert machine.calls == ALL_TOOLS


@pytest.mark.parametrize(
    "check",
    [n for n in registry.names() if n.startswith("drbd-")],
)
def test_a_drbd_check_asks_nothing_but_drbd(node, check):
    machine = node(HEALTHY / "app01")
    assert machine.run(check).code == 0
    assert {call.split()[0] for call in machine.calls} <= {"drbdsetup", "drbdadm"}


def test_a_second_reading_runs_the_status_twice_and_nothing_else(node, tmp_path):
    copy = tmp_path / "storage01"
    shutil.copytree(HEALTHY / "storage01", copy)
    shutil.copy(copy / "drbd-status.json", copy / "drbd-status.2.json")
    machine = node(copy)
    ran = machine.run("drbd-quorum", "--sample", "0.1")
    assert (ran.code, ran.err) == (0, "")
    assert machine.calls.count("drbdsetup status --json") == 2


def test_the_stand_ins_refuse_what_the_suite_does_not_use(node):
    machine = node(HEALTHY / "app01")
    done = subprocess.run(
        [machine.bin / "crm_mon", "-1"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "crm_mon: no stand-in for the arguments ('-1',)\n"


def test_without_the_module_drbdsetup_is_not_run(node):
    machine = node(HEALTHY / "storage01")
    (machine.root / "sys/module/drbd/version").unlink()
    (machine.root / "sys/module/drbd").rmdir()
    ran = machine.run("drbd-disk")
    assert (ran.code, ran.err) == (2, "")
    assert ran.lines[0].startswith("DRBD-DISK CRITICAL - the DRBD kernel module is not loaded")
    assert machine.calls == ["drbdadm sh-resources"]


def test_a_recorded_machine_is_judged_as_the_machine(node, tmp_path):
    machine = node(HEALTHY / "app01")
    archive = tmp_path / "app01.tar.gz"
    ran = machine.run("snapshot", archive)
    assert (ran.code, ran.err) == (0, "")
    assert machine.calls == sorted([*ALL_TOOLS, "drbdadm --version"])
    assert of_snapshot(archive, "overview") == of_snapshot(HEALTHY / "app01", "overview")


def test_topology_learns_the_same_live_as_from_a_snapshot(node):
    machine = node(HEALTHY / "app01")
    ran = machine.run("topology")
    assert (ran.code, ran.err) == (0, "")
    done = subprocess.run(
        [sys.executable, "-m", "check_mccluster", "topology", "--from", str(HEALTHY / "app01")],
        env={"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.out == done.stdout
