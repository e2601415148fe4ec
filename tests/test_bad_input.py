"""Whatever goes wrong: an exit code of the policy, one line on standard output, nothing else.

The snapshots are a healthy node's, damaged here. ``call`` itself asserts that stderr stays empty.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest

from check_mccluster.checks import registry
from processes import alive
from standins.machine import SOURCES

HEALTHY = Path(__file__).parents[1] / "fixtures" / "snapshots" / "six-nodes-healthy"
APP = HEALTHY / "app01"
STORAGE = HEALTHY / "storage01"
CHECKS = registry.names()
DRBD_CHECKS = frozenset(name for name in CHECKS if name.startswith("drbd-"))

CRM_MON = "crm_mon.xml"
CIB = "cib.xml"
STATUS = "drbd-status.json"
SHOW = "drbd-show.json"
VOTES = "corosync-quorumtool.txt"
LINKS = "corosync-cfgtool.txt"
CMAP = "corosync-cmapctl.txt"

READERS = {
    CRM_MON: {"nodes", "quorum", "resources", "failures", "fencing", "placement"}
    | {"consistency", "failover", "overview", "cluster"},
    CIB: {"resources", "fencing", "placement", "consistency", "failover", "overview", "cluster"},
    STATUS: DRBD_CHECKS | {"consistency", "failover", "overview", "cluster"},
    SHOW: {"timing", "overview", "cluster"},
    VOTES: {"quorum", "failover", "overview", "cluster"},
    LINKS: {"links", "overview", "cluster"},
    CMAP: {"timing", "overview", "cluster"},
}
"""Which checks a broken answer of a tool concerns. The others must not care."""

ANOTHER = {CRM_MON: CIB, CIB: CRM_MON, STATUS: SHOW, SHOW: STATUS, VOTES: LINKS, LINKS: CMAP}
ANOTHER[CMAP] = VOTES
FOREIGN = {file: STATUS if file.endswith("xml") else CIB for file in READERS}


@pytest.fixture
def snapshot(tmp_path):
    """A copy of a healthy node's snapshot, to be damaged."""

    def copy(source: Path = APP) -> Path:
        return Path(shutil.copytree(source, tmp_path / "snapshot"))

    return copy


def assert_one_line(outcome, check: str, state: str = "UNKNOWN") -> None:
    """One line for a check; overview has one more for each check that it ran."""
    lines = outcome.lines
    assert lines[0].startswith(f"{check.upper()} {state} - ")
    assert "Traceback" not in outcome.out
    more = lines[1:]
    assert check in registry.WHOLE or not more
    assert all(line.startswith("[") for line in more)


def assert_unknown_where_read(call, folder: Path, file: str) -> None:
    for check in CHECKS:
        outcome = call(check, "--from", folder)
        if check in READERS[file]:
            assert (check, outcome.code) == (check, 3)
            assert_one_line(outcome, check)
        else:
            assert (check, outcome.code) == (check, 0)


def keys(call, check: str, folder: Path) -> set[str]:
    """The keys of all findings of a check."""
    document = json.loads(call(check, "--from", folder, "--json").out)
    return {finding["key"] for finding in document["findings"]}


# -- what a tool prints ------------------------------------------------------------------------


@pytest.mark.parametrize("file", READERS)
def test_an_empty_answer(call, snapshot, file):
    folder = snapshot()
    (folder / file).write_bytes(b"")
    assert_unknown_where_read(call, folder, file)
    assert keys(call, "overview", folder) == {"output-invalid"}


@pytest.mark.parametrize("file", READERS)
def test_binary_rubbish(call, snapshot, file):
    folder = snapshot()
    (folder / file).write_bytes(bytes(range(256)) * 4)
    assert_unknown_where_read(call, folder, file)
    assert keys(call, "overview", folder) == {"output-invalid"}


@pytest.mark.parametrize("part", [0.02, 0.3, 0.5, 0.8, 0.97])
@pytest.mark.parametrize("file", READERS)
def test_an_answer_that_is_cut_off(call, snapshot, file, part):
    folder = snapshot()
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: int(len(content) * part)])
    assert_unknown_where_read(call, folder, file)
    assert keys(call, "overview", folder) == {"output-invalid"}


@pytest.mark.parametrize("file", READERS)
def test_the_document_of_a_tool_of_the_same_kind(call, snapshot, file):
    folder = snapshot()
    shutil.copy(APP / ANOTHER[file], folder / file)
    assert_unknown_where_read(call, folder, file)
    assert keys(call, "overview", folder) == {"output-invalid"}


@pytest.mark.parametrize("file", READERS)
def test_a_document_of_another_kind(call, snapshot, file):
    folder = snapshot()
    shutil.copy(APP / FOREIGN[file], folder / file)
    assert_unknown_where_read(call, folder, file)
    assert keys(call, "overview", folder) == {"output-invalid"}


@pytest.mark.parametrize(
    ("file", "known", "unknown"),
    [
        (CRM_MON, 'role="Started"', 'role="Sparkling"'),
        (STATUS, '"Secondary"', '"Sparkling"'),
        (STATUS, '"Diskless"', '"Sparkling"'),
        (STATUS, '"UpToDate"', '"Sparkling"'),
        (STATUS, '"Established"', '"Sparkling"'),
        (STATUS, '"Connected"', '"Sparkling"'),
        (LINKS, "connected", "Sparkling"),
    ],
)
def test_a_state_word_that_nobody_knows(call, snapshot, file, known, unknown):
    folder = snapshot()
    text = (folder / file).read_text()
    assert known in text
    (folder / file).write_text(text.replace(known, unknown, 1))
    outcome = call("overview", "--from", folder)
    assert outcome.code in (2, 3)
    assert "unknown word 'Sparkling'" in outcome.out
    assert "output-invalid" in keys(call, "overview", folder)
    for check in CHECKS:
        assert (call(check, "--from", folder).code in (2, 3)) == (check in READERS[file])


# -- how a tool ends ---------------------------------------------------------------------------


@pytest.mark.parametrize("file", READERS)
def test_a_tool_that_exits_1_without_a_word(call, snapshot, file):
    folder = snapshot()
    (folder / file).write_bytes(b"")
    (folder / f"{file}.rc").write_text("1\n")
    assert_unknown_where_read(call, folder, file)
    assert keys(call, "overview", folder) == {"tool-failed"}


@pytest.mark.parametrize("file", [CRM_MON, CIB, STATUS, SHOW, CMAP])
def test_a_tool_that_exits_1_with_a_good_document(call, snapshot, file):
    folder = snapshot()
    (folder / f"{file}.rc").write_text("1\n")
    assert_unknown_where_read(call, folder, file)
    assert keys(call, "overview", folder) == {"tool-failed"}


@pytest.mark.parametrize("file", READERS)
def test_a_tool_that_did_not_answer_in_time(call, snapshot, file):
    folder = snapshot()
    (folder / file).write_bytes(b"")
    (folder / f"{file}.rc").write_text("timeout\n")
    assert_unknown_where_read(call, folder, file)
    assert keys(call, "overview", folder) == {"tool-timeout"}


@pytest.mark.parametrize("file", [CRM_MON, CIB, STATUS, SHOW, LINKS, CMAP])
def test_a_tool_that_may_not_be_run(call, snapshot, file):
    folder = snapshot()
    (folder / file).write_bytes(b"")
    (folder / f"{file}.rc").write_text("denied\n")
    assert_unknown_where_read(call, folder, file)
    assert keys(call, "overview", folder) == {"tool-denied"}


@pytest.mark.parametrize("file", [CRM_MON, SHOW, LINKS, CMAP])
def test_a_tool_that_is_not_installed(call, snapshot, file):
    folder = snapshot()
    (folder / file).unlink()
    assert_unknown_where_read(call, folder, file)
    assert keys(call, "overview", folder) == {"tool-missing"}


@pytest.mark.parametrize("fault", ["missing", "denied"])
def test_without_quorumtool_the_votes_are_counted(call, snapshot, fault):
    folder = snapshot()
    if fault == "missing":
        (folder / VOTES).unlink()
    else:
        (folder / f"{VOTES}.rc").write_text("denied\n")
    assert [call(check, "--from", folder).code for check in CHECKS] == [0] * len(CHECKS)


def test_without_cibadmin_only_the_mapping_is_missed(call, snapshot):
    folder = snapshot()
    (folder / CIB).unlink()
    failed = {check for check in CHECKS if call(check, "--from", folder).code != 0}
    assert failed == {"consistency", "overview", "cluster"}
    assert keys(call, "overview", folder) == {"mapping-none"}


def test_without_drbdsetup_where_a_resource_is_expected(call, snapshot):
    folder = snapshot()
    (folder / STATUS).unlink()
    for check in sorted(READERS[STATUS]):
        outcome = call(check, "--from", folder)
        assert (check, outcome.code) == (check, 2)
        assert_one_line(outcome, check, "CRITICAL")
    assert keys(call, "drbd-disk", folder) == {"drbd-resource-missing", "tool-missing"}


@pytest.mark.parametrize("check", sorted(DRBD_CHECKS))
def test_without_drbdsetup_where_nothing_is_expected(call, snapshot, check):
    folder = snapshot(STORAGE)
    (folder / STATUS).unlink()
    (folder / "meta.json").write_text('{"node": "storage01"}')
    outcome = call(check, "--from", folder)
    assert outcome.code == 3
    assert_one_line(outcome, check)


@pytest.mark.parametrize("check", CHECKS)
def test_nothing_is_installed(call, tmp_path, check):
    (tmp_path / "meta.json").write_text('{"node": "app01"}')
    outcome = call(check, "--from", tmp_path)
    assert outcome.code == 3
    assert_one_line(outcome, check)


# -- tools of a machine ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "tool"),
    [
        ("nodes", "crm_mon"),
        ("placement", "cibadmin"),
        ("drbd-disk", "drbdsetup"),
        ("timing", "drbd_show_json"),
        ("quorum", "corosync_quorumtool"),
        ("links", "corosync_cfgtool"),
        ("timing", "corosync_cmapctl"),
    ],
)
def test_a_tool_that_hangs_is_gone_with_its_child(node, check, tool):
    machine = node(APP)
    machine.fault(**{tool: "hang"})
    ran = machine.run(check, "-t", "1")
    assert (ran.code, ran.err) == (3, "")
    assert_one_line(ran, check)
    assert "did not answer" in ran.out
    assert len(machine.hung) == 2
    assert [pid for pid in machine.hung if alive(pid)] == []


def test_overview_judges_what_answers_beside_a_tool_that_hangs(node):
    machine = node(APP)
    machine.fault(crm_mon="hang")
    ran = machine.run("overview", "-t", "1")
    assert (ran.code, ran.err) == (3, "")
    assert_one_line(ran, "overview")
    assert "[OK] drbd-disk: r0/0 intended client (diskless)" in ran.lines
    assert [pid for pid in machine.hung if alive(pid)] == []


@pytest.mark.parametrize("fault", ["exit 1", "empty", "rubbish", "cut 500", "document cib.xml"])
def test_a_tool_that_fails_live(node, fault):
    machine = node(APP)
    machine.fault(crm_mon=fault)
    ran = machine.run("nodes")
    assert (ran.code, ran.err) == (3, "")
    assert_one_line(ran, "nodes")


def test_topology_where_nothing_answers(node):
    machine = node(STORAGE)
    machine.fault(drbdsetup="exit 20")
    ran = machine.run("topology")
    assert (ran.code, ran.err, len(ran.lines)) == (3, "", 1)
    assert ran.out.startswith("CHECK_MCCLUSTER UNKNOWN - nothing could be learnt: ")


# -- the configuration file --------------------------------------------------------------------

WRONG_FILES = {
    "malformed": ("[pacemaker\n", "not TOML"),
    "not UTF-8": ('[pacemaker]\nnodes = ["\udcff"]\n', "not UTF-8 text"),
    "unknown table": ("[pacemakers]\n", "unknown key pacemakers"),
    "unknown key": ("[pacemaker]\nnode = []\n", "unknown key pacemaker.node"),
    "unknown drbd key": ("[drbd.r0]\nreplica = []\n", "unknown key drbd.r0.replica"),
    "wrong type": ("[pacemaker]\nnodes = 3\n", "pacemaker.nodes must be a list of names"),
    "unknown finding": ('[severity]\nnode-of = "ok"\n', "unknown finding key 'node-of'"),
    "unknown state": ('[severity]\nnode-offline = "fine"\n', "'fine' is not a state"),
    "unknown check": ('[overview]\nskip = ["linx"]\n', "overview.skip: 'linx' is not a check"),
    "relative path": ('[tools]\ncrm_mon = "crm_mon"\n', "is not an absolute path"),
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("fault", WRONG_FILES)
def test_a_wrong_configuration_file(call, tmp_path, check, fault):
    text, says = WRONG_FILES[fault]
    file = tmp_path / "cluster.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    outcome = call(check, "--from", APP, "--config", file)
    assert (outcome.code, len(outcome.lines)) == (3, 1)
    assert_one_line(outcome, check)
    assert str(file) in outcome.out
    assert says in outcome.out


@pytest.mark.parametrize("command", [*CHECKS, "topology"])
def test_a_configuration_file_that_is_not_there(call, tmp_path, command):
    outcome = call(command, "--from", APP, "--config", tmp_path / "none.toml")
    assert (outcome.code, len(outcome.lines)) == (3, 1)
    assert "none.toml: no such file" in outcome.out


def test_a_configuration_file_that_is_a_directory(call, tmp_path):
    outcome = call("nodes", "--from", APP, "--config", tmp_path)
    assert (outcome.code, len(outcome.lines)) == (3, 1)
    assert "Is a directory" in outcome.out


@pytest.fixture
def ordinary_user():
    """Root may read everything: be nobody for the length of a test."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)


def test_a_configuration_file_that_may_not_be_read(call, ordinary_user):
    with tempfile.TemporaryDirectory() as open_folder:
        file = Path(open_folder) / "cluster.toml"
        file.touch(mode=0)
        outcome = call("nodes", "--from", APP, "--config", file)
    assert (outcome.code, len(outcome.lines)) == (3, 1)
    assert "Permission denied" in outcome.out


# -- the command line --------------------------------------------------------------------------

WRONG_OPTIONS = {
    "unknown option": ("--bogus",),
    "unknown argument": ("bogus",),
    "range without sense": ("-w", "banana"),
    "range upside down": ("-c", "9:1"),
    "severity without state": ("--severity", "node-offline"),
    "unknown finding": ("--severity", "node-of=ok"),
    "unknown state": ("--severity", "node-offline=fine"),
    "no seconds": ("-t", "0"),
    "seconds that are no number": ("-t", "nan"),
    "option without its value": ("--config",),
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("fault", WRONG_OPTIONS)
def test_a_wrong_option(call, check, fault):
    outcome = call(check, "--from", APP, *WRONG_OPTIONS[fault])
    assert (outcome.code, len(outcome.lines)) == (3, 1)
    assert_one_line(outcome, check)


@pytest.mark.parametrize("command", [*CHECKS, "topology"])
def test_a_snapshot_that_is_not_there(call, tmp_path, command):
    outcome = call(command, "--from", tmp_path / "none")
    assert (outcome.code, len(outcome.lines)) == (3, 1)
    assert "No such file" in outcome.out


@pytest.mark.parametrize("command", [*CHECKS, "topology"])
def test_an_empty_directory(call, tmp_path, command):
    outcome = call(command, "--from", tmp_path)
    assert (outcome.code, len(outcome.lines)) == (3, 1)
    assert "is not a snapshot" in outcome.out


@pytest.mark.parametrize("part", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("command", [*CHECKS, "topology"])
def test_an_archive_that_is_cut_off(call, tmp_path, command, part):
    archive = tmp_path / "app01.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(APP, "app01")
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * part)])
    outcome = call(command, "--from", archive)
    assert (outcome.code, len(outcome.lines)) == (3, 1)
    assert "app01.tar.gz" in outcome.out


@pytest.mark.parametrize("meta", ["", "[]", "{", '{"node": 3}', '{"time": "yesterday"}'])
def test_a_meta_json_that_is_none(call, snapshot, meta):
    folder = snapshot()
    (folder / "meta.json").write_text(meta)
    outcome = call("nodes", "--from", folder)
    assert (outcome.code, len(outcome.lines)) == (3, 1)
    assert "meta.json" in outcome.out


@pytest.mark.parametrize("check", sorted(READERS[CRM_MON] - {"cluster"}))  # it has no --node
def test_a_node_that_the_cluster_does_not_know(call, check):
    outcome = call(check, "--from", APP, "--node", "app1")
    assert (outcome.code, outcome.lines) == (
        3,
        [
            f"{check.upper()} UNKNOWN - --node app1: no such node in the cluster"
            " (app01, app02, app03)"
        ],
    )


@pytest.mark.parametrize("name", ["app02", "app02.example.org"])
def test_a_node_that_the_cluster_knows(call, name):
    assert call("nodes", "--from", APP, "--node", name).code == 0


def test_a_node_is_not_looked_up_where_pacemaker_is_not_read(call):
    assert call("drbd-disk", "--from", STORAGE, "--node", "storage01.example.org").code == 0


# -- standard output ---------------------------------------------------------------------------


SAYS = (
    *("nodes", "overview", "explain", "topology", "status", "metrics", "checkmk", "whatif"),
    *("zabbix data", "cluster", "report", "diff", "active", "overview --json"),
    *("--help", "--version"),
)


def told_to_nobody(command: str, how: str, *more: object) -> subprocess.CompletedProcess:
    if how == "closed":
        before, target = (lambda: os.close(1)), None
    else:
        before = None
        target = os.open("/dev/full", os.O_WRONLY) if how == "disk full" else gone_reader()
    try:
        return subprocess.run(
            [sys.executable, "-m", "check_mccluster", *command.split(), *map(str, more)],
            env={"PYTHONPATH": str(SOURCES)},
            stdout=target,
            stderr=subprocess.PIPE,
            preexec_fn=before,
            timeout=60,
            check=False,
        )
    finally:
        if target is not None:
            os.close(target)


@pytest.mark.parametrize(
    ("command", "how"),
    [
        *((command, how) for command in SAYS for how in ("closed", "disk full")),
        *((command, "reader gone") for command in SAYS[:4]),
    ],
)
def test_nobody_reads_the_output(command, how):
    more = () if command in ("explain", "--help", "--version") else ("--from", APP)
    if command == "diff":
        more = (APP, STORAGE)
    if command == "active":
        more = (*more, "group1", "--", "echo", "fine")
    done = told_to_nobody(command, how, *more)
    assert done.stderr == b""
    assert done.returncode == 3  # a verdict that nobody was told is none


def gone_reader() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer
