"""record: a machine's tools to a snapshot, the same bytes without the secrets."""

from __future__ import annotations

import json
import tarfile
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from build_tools import (
    CIB,
    CMAPCTL,
    CRM_MON,
    DRBD_RESOURCES,
    DRBD_SHOW,
    DRBD_STATUS,
    DRBD_STATUS_AGAIN,
    PLAN,
    QUORUMTOOL,
    RECORDED,
)
from check_mccluster.acquire.live import Live
from check_mccluster.acquire.record import RecordError, record
from check_mccluster.acquire.redact import remove_secrets
from check_mccluster.acquire.snapshot import Snapshot
from check_mccluster.acquire.source import ModuleUnfit, ToolDenied, ToolMissing, ToolTimeout

CIB_XML = b"""<cib epoch="7">
  <nvpair id="p1" name="passwd" value="geheim"/>
  <nvpair name="dc-version" value="2.1.5"/>
</cib>
"""


class Machine:
    """Stand-in tools: each that is not given a script is not installed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.paths = {
            name: str(path / name) for name in ("drbdadm", *(tool.name for tool in RECORDED))
        }

    def tool(self, name: str, script: str, mode: int = 0o755) -> None:
        tool = self.path / name
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(mode)

    def output(self, name: str, content: bytes) -> None:
        (self.path / f"{name}.out").write_bytes(content)
        self.tool(name, f"cat {self.path / name}.out")

    def module(self, version: str) -> None:
        folder = self.path / "sys/module/drbd"
        folder.mkdir(parents=True)
        (folder / "version").write_text(version)

    def record(self, target: Path, *, seconds: float = 30, **options) -> datetime:
        deadline = time.monotonic() + seconds
        with Live(deadline=deadline, node="app01", paths=self.paths, root=self.path) as live:
            record(live, PLAN, str(target), version="1.2.3", **options)
            return live.time


@pytest.fixture
def machine(tmp_path):
    path = tmp_path / "machine"
    path.mkdir()
    return Machine(path)


@pytest.fixture(params=["app01", "app01.tar.gz", "app01.tgz"])
def target(request, tmp_path):
    return tmp_path / request.param


def output(snapshot: Snapshot, tool) -> tuple[bytes, int, str]:
    stream = snapshot.open(tool)
    content = stream.read()
    ending = stream.finish()
    return content, ending.exit_code, ending.stderr


def test_a_recorded_machine_reads_as_the_machine_itself(machine, target):
    machine.module("9.2.18")
    machine.output("crm_mon", bytes(range(256)) * 1000)
    machine.output("cibadmin", CIB_XML)
    machine.tool("drbdsetup", 'echo "$@"; echo "received netlink error reply" >&2')
    machine.tool("corosync-quorumtool", "echo 'Quorate: No'; exit 2")
    machine.tool(
        "drbdadm", "case $1 in --version) echo DRBDADM_VERSION=9.22.0 ;; *) echo r0 r1; esac"
    )
    when = machine.record(target)
    with Snapshot(target) as snapshot:
        assert output(snapshot, CRM_MON) == (bytes(range(256)) * 1000, 0, "")
        assert output(snapshot, CIB) == (CIB_XML.replace(b"geheim", b"REMOVED"), 0, "")
        netlink = "received netlink error reply\n"
        assert output(snapshot, DRBD_STATUS) == (b"status --json\n", 0, netlink)
        assert output(snapshot, DRBD_SHOW) == (b"show --json --show-defaults\n", 0, netlink)
        assert output(snapshot, QUORUMTOOL) == (b"Quorate: No\n", 2, "")
        with pytest.raises(ToolMissing):
            snapshot.open(CMAPCTL)
        assert snapshot.node == "app01"
        assert snapshot.time == when.replace(microsecond=0)
        assert snapshot.expected_drbd_resources(DRBD_RESOURCES) == ("r0", "r1")
        assert snapshot.drbd_module() == (True, "9.2.18")
        assert snapshot.drbd_utils() == "9.22.0"


def test_the_files_of_a_snapshot(machine, tmp_path):
    machine.module("9.2.18")
    machine.tool("crm_mon", "echo '<crm_mon/>'; echo 'Not connected' >&2; exit 102")
    machine.tool("drbdsetup", "echo '[]'")
    when = machine.record(tmp_path / "app01")
    files = {file.name: file.read_text() for file in (tmp_path / "app01").iterdir()}
    assert json.loads(files.pop("meta.json")) == {
        "node": "app01",
        "time": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "drbd_module": "9.2.18",
        "tools": {"check_mccluster": "1.2.3"},
    }
    assert files == {
        "crm_mon.xml": "<crm_mon/>\n",
        "crm_mon.xml.rc": "102\n",
        "crm_mon.xml.err": "Not connected\n",
        "drbd-status.json": "[]\n",
        "drbd-show.json": "[]\n",
    }


def test_only_the_owner_may_read_a_snapshot(machine, tmp_path):
    machine.tool("crm_mon", "exit 1")
    machine.record(tmp_path / "app01")
    machine.record(tmp_path / "app01.tgz")
    assert (tmp_path / "app01").stat().st_mode & 0o7777 == 0o700
    files = [*(tmp_path / "app01").iterdir(), tmp_path / "app01.tgz"]
    assert {file.stat().st_mode & 0o7777 for file in files} == {0o600}
    with tarfile.open(tmp_path / "app01.tgz") as archive:
        assert sorted((member.name, member.mode) for member in archive) == [
            ("app01/crm_mon.xml", 0o600),
            ("app01/crm_mon.xml.rc", 0o600),
            ("app01/meta.json", 0o600),
        ]


def test_a_second_reading_is_recorded_if_asked_for(machine, target):
    machine.module("9.2.18")
    machine.tool("drbdsetup", f"echo run >>{machine.path}/$1; cat {machine.path}/$1")
    machine.record(target, sample=0.05)
    with Snapshot(target) as snapshot:
        assert output(snapshot, DRBD_STATUS)[0] == b"run\n"
        assert output(snapshot, DRBD_STATUS_AGAIN)[0] == b"run\nrun\n"


def test_a_tool_that_hangs_is_recorded_as_such(machine, target):
    machine.tool("crm_mon", "echo half; exec sleep 600")
    machine.tool("cibadmin", "echo whole")
    machine.record(target, seconds=0.8)
    with Snapshot(target) as snapshot:
        with pytest.raises(ToolTimeout, match=r"^crm_mon -r -1 -X did not answer within 0\.8 s$"):
            snapshot.open(CRM_MON).read()
        assert output(snapshot, CIB) == (b"whole\n", 0, "")


def test_a_tool_that_may_not_be_run_is_recorded_as_such(machine, target):
    machine.tool("crm_mon", "", mode=0o644)
    machine.record(target)
    with Snapshot(target) as snapshot:
        stream = snapshot.open(CRM_MON)
        with pytest.raises(ToolDenied, match=r"^this user may not execute "):
            stream.read()


def test_a_missing_module_is_recorded_and_drbdsetup_not_run(machine, target):
    machine.tool("drbdsetup", f"touch {machine.path}/started")
    machine.record(target, sample=0)
    assert not (machine.path / "started").exists()
    with Snapshot(target) as snapshot:
        assert snapshot.drbd_module() == (True, None)
        for tool in (DRBD_STATUS, DRBD_SHOW, DRBD_STATUS_AGAIN):
            with pytest.raises(ModuleUnfit, match=r"^the DRBD kernel module is not loaded$"):
                snapshot.open(tool)


def test_a_snapshot_can_be_recorded_again(machine, tmp_path):
    machine.module("9.2.18")
    machine.output("cibadmin", CIB_XML)
    machine.tool("crm_mon", "echo x; exit 102")
    machine.record(tmp_path / "app01")
    with Snapshot(tmp_path / "app01") as snapshot:
        record(snapshot, PLAN, str(tmp_path / "app01.tgz"), version="1.2.3")
    with Snapshot(tmp_path / "app01.tgz") as snapshot:
        assert output(snapshot, CRM_MON) == (b"x\n", 102, "")
        assert snapshot.node == "app01"


def test_an_empty_directory_is_filled(machine, tmp_path):
    (tmp_path / "app01").mkdir()
    machine.record(tmp_path / "app01")
    assert [file.name for file in (tmp_path / "app01").iterdir()] == ["meta.json"]


@pytest.mark.parametrize("occupied", ["a directory", "a file"])
def test_what_is_there_is_not_overwritten(machine, tmp_path, occupied):
    target = tmp_path / "app01"
    if occupied == "a directory":
        target.mkdir()
        (target / "notes").write_text("mine")
    else:
        target.write_text("mine")
    machine.tool("crm_mon", f"touch {machine.path}/started")
    with pytest.raises(RecordError) as error:
        machine.record(target)
    assert str(error.value) == f"{target} exists and is not an empty directory"
    assert not (machine.path / "started").exists()


def test_a_target_without_a_parent_is_told(machine, tmp_path, target):
    target = tmp_path / "gone" / target.name
    with pytest.raises(RecordError) as error:
        machine.record(target)
    assert str(error.value) == f"cannot write {target}: No such file or directory"


def test_an_archive_replaces_an_older_one_and_leaves_nothing_else(machine, tmp_path):
    target = tmp_path / "app01.tgz"
    target.write_text("older")
    machine.record(target)
    with Snapshot(target) as snapshot:
        assert snapshot.time <= datetime.now(timezone.utc)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app01.tgz", "machine"]


class Broken(Snapshot):
    """Fails in the middle of a recording."""

    def expected_drbd_resources(self, tool):
        raise OSError(28, "No space left on device")


def test_an_archive_that_fails_leaves_the_older_one(machine, tmp_path):
    machine.record(tmp_path / "app01")
    target = tmp_path / "app01.tgz"
    target.write_text("older")
    with pytest.raises(RecordError, match=f"^cannot write {target}: No space left on device$"):
        record(Broken(tmp_path / "app01"), PLAN, str(target), version="1.2.3")
    assert target.read_text() == "older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app01", "app01.tgz", "machine"]


# Secrets: what is taken out, byte by byte. Constructed.


@pytest.mark.parametrize(
    "text",
    [
        b'<nvpair id="1" name="passwd" value="s3"/>',
        b"<nvpair value='s3' name='password' id='1'/>",
        b'<nvpair\n  name = "SNMP_Community"\n  value = "s3" />',
        b'<attribute name="dbSecret" value="s3"/>',
        b'<nvpair name="apikey" value="s3"/>',
        b'<nvpair name="key_1" value="s3"/>',
        b'<nvpair name="auth" value="s3"/>',
        b'<nvpair name="access-token" value="s3"/>',
        b'<nvpair name="credentials" value="s3"/>',
        b'<op id="1" password="s3" x="1"/>',
        b"<attributes CRM_meta_x='1' ipmi_passwd='s3'/>",
    ],
)
@pytest.mark.parametrize("tool", [CIB, CRM_MON], ids=["cib", "crm_mon"])
def test_secrets_of_the_cib(tool, text):
    document = b'<cib x="1">\xff\n' + text
    assert remove_secrets(tool, document) == document.replace(b"s3", b"REMOVED")


def test_a_secret_with_the_other_quote_and_a_bracket():
    text = b"""<nvpair name="passwd" value='a"b>c'/>"""
    assert remove_secrets(CIB, text) == b"""<nvpair name="passwd" value='REMOVED'/>"""


@pytest.mark.parametrize("name", [b'name="passwd"', b'id="its-name-was-to-follow"'])
def test_a_secret_at_the_cut_off_end_of_the_cib(name):
    text = b"<nvpair " + name + b' value="s3'
    assert remove_secrets(CIB, text) == b"<nvpair " + name + b' value="REMOVED"'


@pytest.mark.parametrize(
    "text",
    [
        b'<nvpair name="passwd" value=""/>',
        b'<nvpair name="identity_file" value="/root/.ssh/id"/>',
        b'<nvpair name="keyboard" value="de"/>',
        b'<nvpair name="author" value="me"/>',
        b'<nvpair name="dc-version" value="passwd"/>',
        b'<nvpair name="fail-count-auth#start_0" value="INFINITY"/>',
        b'<nvpair name="last-failure-token#monitor_5000" value="1795338046"/>',
        b'<nvpair name="master-key" value="10"/>',
        b'<lrm_rsc_op operation_key="A_start_0" transition-key="1:2" op-secure-params=" passwd "/>',
        b'<nvpair id-ref="passwd"/>',
        b'<nvpair id="1" name="pass',
        b"no XML at all: passwd",
        b"",
    ],
)
def test_what_is_no_secret_of_the_cib_stays(text):
    assert remove_secrets(CIB, text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'"shared-secret": "s3",\n"x": ""', b'"shared-secret": "REMOVED",\n"x": ""'),
        (b'{"shared-secret":"s3","x":"y"}', b'{"shared-secret":"REMOVED","x":"y"}'),
        (b'"shared-secret": "s3" }', b'"shared-secret": "REMOVED" }'),
        (rb'"shared-secret": "s\",3", "x": "y"', b'"shared-secret": "REMOVED", "x": "y"'),
        (b'"shared-secret": "s"3",\n"x": 1', b'"shared-secret": "REMOVED",\n"x": 1'),
        (b'"shared-secret": "s3', b'"shared-secret": "REMOVED"'),
        (b'"tls-Password": 123,', b'"tls-Password": "REMOVED",'),
        (
            b'net {\n    shared-secret\t"s;3"; # x\n}',
            b'net {\n    shared-secret\t"REMOVED"; # x\n}',
        ),
        (b"  shared-secret s3;", b'  shared-secret "REMOVED";'),
    ],
)
def test_secrets_of_drbd(text, expected):
    assert remove_secrets(DRBD_SHOW, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        b'"shared-secret": "",\n"verify-alg": "crc32c"',
        b'"shared-secret": ""',
        b'"resource": "secret"\n',
        b"USAGE: drbdsetup show [--show-defaults]\n  the secret of it\n",
        b"\xff\xfe",
    ],
)
def test_what_is_no_secret_of_drbd_stays(text):
    assert remove_secrets(DRBD_SHOW, text) == text


def test_a_key_in_corosyncs_configuration_is_a_secret():
    text = b"totem.key (str) = 0123\ntotem.keyfile (str) = /etc/key\ntotem.token (u32) = 3000\n"
    assert remove_secrets(CMAPCTL, text) == text.replace(b"0123", b"REMOVED")
