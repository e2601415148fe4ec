"""``active``: the plugin runs where its service runs, and nowhere else."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from build import NOW, cluster, node, offline, primitive, view_of
from check_mccluster.acquire.plugin_run import LIMIT
from check_mccluster.judge import active
from check_mccluster.verdict.view import Asked
from conftest import FIXTURES, ROOT
from processes import alive

SNAPSHOTS = FIXTURES / "snapshots"
HERE = SNAPSHOTS / "six-nodes-healthy/app01"
ELSEWHERE = SNAPSHOTS / "six-nodes-healthy/app02"


@pytest.fixture
def plugin(tmp_path):
    """``plugin("echo hello")``: a little plugin; it leaves the file ``started`` behind."""

    def write(body: str) -> Path:
        path = tmp_path / "check_little"
        path.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(tmp_path))}/started\n{body}\n")
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def started(tmp_path):
    """Whether the plugin was run."""
    return (tmp_path / "started").exists


# -- where the group is active -----------------------------------------------------------------


def test_output_and_exit_code_of_the_plugin_pass_through(plugin, call):
    path = plugin("printf 'SMTP WARNING - slow | time=3s\\nmore\\n'; exit 1")
    outcome = call("active", "--from", HERE, "group1", "--", path)
    assert (outcome.code, outcome.out) == (1, "SMTP WARNING - slow | time=3s\nmore\n")


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_every_verdict_of_the_plugin_is_ours(plugin, call, code):
    path = plugin(f"printf 'said'; exit {code}")
    outcome = call("active", "--from", HERE, "group1", "--", path)
    assert (outcome.code, outcome.out) == (code, "said")


def test_bytes_and_stderr_pass_through_unchanged(plugin):
    path = plugin("printf 'OK \\377\\000|\\n'; printf 'oh dear\\n' >&2")
    done = program("--from", HERE, "group1", "--", path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"OK \xff\x00|\n", b"oh dear\n")


def test_the_plugin_gets_its_arguments_our_environment_and_no_input(plugin):
    path = plugin('printf "%s\\n" "$@"; echo "$COLOUR $LC_ALL"; cat')
    done = program(
        *("--from", HERE, "group1", "--", path, "-H", "127.0.0.1", "--", "-v", "", "a b"),
        environment={"COLOUR": "blue", "LC_ALL": "de_DE.UTF-8"},
        stdin=b"not for the plugin",
    )
    said = "-H\n127.0.0.1\n--\n-v\n\na b\nblue de_DE.UTF-8\n"
    assert (done.returncode, done.stdout) == (0, said.encode())


def test_a_plugin_is_looked_up_in_the_path(call):
    outcome = call("active", "--from", HERE, "group1", "--", "sh", "-c", "echo here; exit 2")
    assert (outcome.code, outcome.out) == (2, "here\n")


def test_options_may_stand_before_and_behind_the_group(call):
    for options in (("group1", "--from", HERE), ("--from", HERE, "group1")):
        outcome = call("active", *options, "--", "echo", "--from", "-h")
        assert (outcome.code, outcome.out) == (0, "--from -h\n")


# -- a plugin that gives no verdict ------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("exit 4", "exit code 4"),
        ("exit 127", "exit code 127"),
        ("kill -SEGV $$", "signal SIGSEGV"),
        ("kill -KILL $$", "signal SIGKILL"),
        ("kill -40 $$", "signal 40"),
    ],
)
def test_what_is_no_verdict_is_unknown_and_the_output_is_kept(plugin, call, end, words):
    path = plugin(f"echo 'SMTP OK'; {end}")
    outcome = call("active", "--from", HERE, "group1", "--", path)
    first = f"UNKNOWN - check_little ended with {words}, which is not a verdict"
    assert (outcome.code, outcome.lines) == (3, [first, "SMTP OK"])


@pytest.mark.parametrize(
    ("mode", "content", "why"),
    [
        (None, "", "No such file or directory"),
        (0o644, "#!/bin/sh\n", "Permission denied"),
        (0o755, "no interpreter is named here\n", "Exec format error"),
    ],
)
def test_a_plugin_that_cannot_be_started_is_unknown(tmp_path, call, mode, content, why):
    path = tmp_path / "check_none"
    if mode is not None:
        path.write_text(content)
        path.chmod(mode)
    outcome = call("active", "--from", HERE, "group1", "--", path, "-p", "secret")
    assert (outcome.code, outcome.lines) == (3, [f"UNKNOWN - cannot run {path}: {why}"])


def test_a_plugin_that_never_stops_talking_is_unknown(call):
    outcome = call("active", "--from", HERE, "group1", "--", "yes")
    said = f"UNKNOWN - yes was killed: it printed more than {LIMIT // 2**20} MiB"
    assert (outcome.code, outcome.lines) == (3, [said])


# -- deadline and signals ----------------------------------------------------------------------


def wait_for(condition) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def pids(tmp_path: Path) -> list[int]:
    """The plugin and its two descendants, once all of them run."""
    file = tmp_path / "pids"
    wait_for(lambda: file.exists() and len(file.read_text().split()) == 3)
    return [int(pid) for pid in file.read_text().split()]


FAMILY = """
echo 'SMTP OK - too early'
trap '' TERM
echo $$ >> {0}/pids
sh -c 'trap "" TERM; echo $$ >> {0}/pids; sleep 1000 & echo $! >> {0}/pids; wait' &
wait
"""


def test_the_deadline_kills_the_plugin_and_its_descendants(plugin, call, tmp_path):
    path = plugin(FAMILY.format(tmp_path))
    outcome = call("active", "-t", "1", "--from", HERE, "group1", "--", path, "-p", "secret")
    said = "UNKNOWN - check_little did not end before the deadline and was killed"
    assert (outcome.code, outcome.lines) == (3, [said])
    for pid in pids(tmp_path):
        wait_for(lambda pid=pid: not alive(pid))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_us_ends_the_plugin_and_its_descendants(plugin, tmp_path, number):
    path = plugin(FAMILY.format(tmp_path))
    ours = start("-t", "100", "--from", HERE, "group1", "--", path)
    family = pids(tmp_path)
    ours.send_signal(number)
    out, err = ours.communicate(timeout=20)
    assert (ours.returncode, err.strip()) == (3, b"")
    assert len(out.splitlines()) == 1
    for pid in family:
        wait_for(lambda pid=pid: not alive(pid))


def test_the_deadline_covers_crm_mon_and_the_plugin(tmp_path, plugin):
    """A crm_mon that takes its time leaves the plugin what is left."""
    tools = tmp_path / "tools"
    tools.mkdir()
    script = f"#!/bin/sh\nsleep 1\ncat {shlex.quote(str(HERE / 'crm_mon.xml'))}\n"
    (tools / "crm_mon").write_text(script)
    (tools / "crm_mon").chmod(0o755)
    path = plugin("sleep 1000")
    done = program(
        *("-t", "2", "--node", "app01", "group1", "--", path),
        environment={"PATH": f"{tools}:{os.environ['PATH']}"},
    )
    said = b"UNKNOWN - check_little did not end before the deadline and was killed\n"
    assert (done.returncode, done.stdout) == (3, said)


# -- elsewhere ---------------------------------------------------------------------------------


def test_elsewhere_it_stands_by_and_the_plugin_is_not_started(plugin, call, started):
    outcome = call("active", "--from", ELSEWHERE, "group1", "--", plugin("exit 2"))
    assert (outcome.code, outcome.out) == (0, "OK - standby: group1 runs on app01\n")
    assert not started()


@pytest.mark.parametrize(
    ("place", "group", "code", "text"),
    [
        ("group-disabled/app01", "group1", 1, "WARNING - group1 runs nowhere, on purpose"),
        ("stop-all-resources/app01", "group1", 1, "WARNING - group1 runs nowhere, on purpose"),
        ("mysql-disabled/app01", "MYSQL", 1, "WARNING - MYSQL runs nowhere, on purpose"),
        ("mysql-disabled/app01", "MAILMAN3", 2, "CRITICAL - MAILMAN3 runs nowhere"),
        ("ticket-revoked/app01", "group1", 2, "CRITICAL - group1 runs nowhere"),
        (
            "app02-cut-off/app02",
            "group1",
            2,
            "CRITICAL - group1 runs nowhere: this partition has no quorum",
        ),
        (
            "app02-cut-off-while-active/app01",
            "group1",
            2,
            "CRITICAL - group1 runs nowhere: FS_DRBD is starting on app01",
        ),
        (
            "app02-cut-off-while-active/app02",
            "group1",
            2,
            "CRITICAL - group1 runs nowhere: FS_DRBD is stopping on app02",
        ),
        (
            "resource-starting/app01",
            "SLOW",
            2,
            "CRITICAL - SLOW runs nowhere: SLOW is starting on app02",
        ),
        (
            "resource-stopping/app01",
            "SLOW",
            1,
            "WARNING - SLOW runs nowhere, on purpose",
        ),
        (
            "six-nodes-healthy/app01",
            "group2",
            2,
            "CRITICAL - group2 is not configured in the cluster",
        ),
    ],
)
def test_where_nobody_serves_that_is_the_verdict(plugin, call, started, place, group, code, text):
    outcome = call("active", group, "--from", SNAPSHOTS / place, "--", plugin("exit 0"))
    assert (outcome.code, outcome.lines) == (code, [text])
    assert not started()


def test_the_first_member_decides_for_the_group(call):
    """POSTFIX is stopping on app01 and FS_DRBD, the first, is Started: the plugin shall tell."""
    place = SNAPSHOTS / "app01-cut-from-all-storage/app01"
    outcome = call("active", "--from", place, "group1", "--", "echo", "SMTP CRITICAL")
    assert outcome.out == "SMTP CRITICAL\n"


@pytest.mark.parametrize(
    ("place", "arguments", "node", "out"),
    [
        ("clone-healthy/app01", ["ping-clone"], "app02", "ran"),
        (
            "bundle-healthy/app01",
            ["httpd-bundle"],
            "app01",
            "OK - standby: {} runs on app02, app03",
        ),
        ("bundle-healthy/app01", ["httpd-bundle"], "app02", "ran"),
        (
            "promotable-healthy/app01",
            ["drbd-clone"],
            "app01",
            "OK - standby: {} runs on app02, app03",
        ),
        ("promotable-healthy/app01", ["drbd-clone"], "app03", "ran"),
        ("promotable-healthy/app01", ["drbd-clone"], "app02", "ran"),
        ("promotable-healthy/app01", ["drbd"], "app03", "ran"),
        (
            "promotable-healthy/app01",
            ["--promoted", "drbd-clone"],
            "app03",
            "OK - standby: {} is promoted on app02",
        ),
        ("promotable-healthy/app01", ["--promoted", "drbd-clone"], "app02", "ran"),
        ("pacemaker-1.1.24-promotable-healthy/app01", ["--promoted", "drbd-clone"], "app02", "ran"),
        (
            "promotable-not-promoted-by-admin/app01",
            ["--promoted", "drbd-clone"],
            "app02",
            "WARNING - {} is promoted nowhere, on purpose",
        ),
        ("fencing-failed/app01", ["fence-good"], "app03", "ran"),
        ("six-nodes-healthy/app01", ["MYSQL"], "app01", "ran"),
        ("six-nodes-healthy/app01", ["group1"], "app01.example.com", "ran"),
    ],
)
def test_single_resources_clones_and_bundles(call, place, arguments, node, out):
    outcome = call(
        "active", "--from", SNAPSHOTS / place, "--node", node, *arguments, "--", "echo", "ran"
    )
    assert outcome.lines == [out.format(arguments[-1])]


# -- no answer ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "code", "start"),
    [
        ("nothing-started/app01", 2, "CRITICAL - Corosync does not run on this node"),
        ("cib-manager-hangs/app02", 2, "CRITICAL - Pacemaker runs and does not answer: "),
        ("six-nodes-healthy/storage01", 3, "UNKNOWN - crm_mon: not in the snapshot"),
        ("six-nodes-healthy-as-nagios/app01", 3, "UNKNOWN - crm_mon: insufficient privileges"),
    ],
)
def test_input_findings_are_those_of_every_check(plugin, call, started, place, code, start):
    outcome = call("active", "--from", SNAPSHOTS / place, "group1", "--", plugin("exit 0"))
    assert outcome.code == code
    assert len(outcome.lines) == 1
    assert outcome.first.startswith(start)
    assert not started()


def test_severities_may_be_overridden(plugin, call, started):
    outcome = call(
        *("active", "--severity", "tool-missing=ok", "--from"),
        *(SNAPSHOTS / "six-nodes-healthy/storage01", "group1", "--", plugin("exit 0")),
    )
    assert outcome.code == 0
    assert outcome.first.startswith("OK - crm_mon: not in the snapshot")
    assert not started()


def test_a_node_that_the_cluster_does_not_know_is_not_called_elsewhere(tmp_path, call):
    """Constructed: a host whose name is not its name in the cluster."""
    (tmp_path / "crm_mon.xml").write_bytes((HERE / "crm_mon.xml").read_bytes())
    (tmp_path / "meta.json").write_text('{"node": "mail1", "time": "2026-11-22T09:00:00Z"}')
    outcome = call("active", "--from", tmp_path, "group1", "--", "true")
    assert (outcome.code, outcome.lines) == (
        3,
        [
            "CHECK_MCCLUSTER UNKNOWN - the cluster has no node mail1, only app01, app02, app03:"
            " say with --node which of them this is"
        ],
    )


def test_verbose_tells_the_next_step(call):
    place = SNAPSHOTS / "ticket-revoked/app01"
    outcome = call("active", "-v", "--from", place, "group1", "--", "true")
    assert outcome.lines == [
        "CRITICAL - group1 runs nowhere",
        "[CRITICAL] not-running: group1 runs nowhere"
        " -> crm_mon -1 -r -f; crm_simulate -sL (the lines about group1)",
    ]


@pytest.mark.parametrize("here", ["app01", "app02"])
def test_on_a_lost_node_it_serves_nobody_unless_that_is_this_node(here):
    """Constructed: app01 waits to be fenced and is still said to run the resource."""
    known = cluster((offline(unclean=True), node("app02")), (primitive("IP"),))
    view = view_of(here, NOW, cluster=known)
    report = active.judge(view, Asked(values={"group": "IP", "promoted": False}))
    told = [(each.key, each.state.name, each.text) for each in report.findings]
    lost = ("resource-on-lost-node", "CRITICAL", "IP is said to run on app01, which is lost")
    assert told == ([] if here == "app01" else [lost])


# -- usage -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["group1"],
        ["group1", "--"],
        ["group1", "check_smtp"],
        ["--", "check_smtp"],
        ["group1", "group2", "--", "check_smtp"],
        ["--bogus", "group1", "--", "check_smtp"],
        ["-t", "0", "group1", "--", "check_smtp"],
        [],
    ],
)
def test_usage_errors_are_one_line_and_unknown(call, arguments):
    outcome = call("active", *arguments)
    assert outcome.code == 3
    assert len(outcome.lines) == 1
    assert outcome.first.startswith("CHECK_MCCLUSTER UNKNOWN - ")


def test_help_needs_no_plugin(call):
    outcome = call("active", "--help")
    assert outcome.code == 0
    assert outcome.lines[0] == ("Usage: check_mccluster active [OPTIONS] GROUP -- PLUGIN [ARGS]...")


# -- in another process ------------------------------------------------------------------------


def start(*arguments: object, environment: dict[str, str] | None = None) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "check_mccluster", "active", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **(environment or {})},
    )


def program(
    *arguments: object, environment: dict[str, str] | None = None, stdin: bytes = b""
) -> subprocess.CompletedProcess:
    process = start(*arguments, environment=environment)
    out, err = process.communicate(stdin, timeout=60)
    return subprocess.CompletedProcess((), process.returncode, out, err)
