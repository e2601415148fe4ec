"""What somebody hostile could put into names, values, folders and the search path."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from check_mccluster.acquire.live import Live
from check_mccluster.acquire.record import RecordError
from check_mccluster.acquire.redact import remove_said, remove_secrets
from check_mccluster.acquire.source import ToolDenied
from check_mccluster.acquire.tools import Tool
from conftest import FIXTURES

SNAPSHOTS = FIXTURES / "snapshots"
HEALTHY = SNAPSHOTS / "six-nodes-healthy"
CIB = Tool("cibadmin", ("--query",), "cib.xml")
CRM_MON = Tool("crm_mon", (), "crm_mon.xml")
PROGRAM = [sys.executable, "-m", "check_mccluster"]


# -- secrets -----------------------------------------------------------------------------------


def device(name: str, value: str) -> bytes:
    return (
        '<primitive id="fence" class="stonith" type="fence_x"><instance_attributes id="i">'
        f'<nvpair id="a" name="{name}" value="{value}"/></instance_attributes>'
        '<operations><op id="o" name="monitor" interval="60s"/></operations></primitive>'
        '<primitive id="other" class="ocf" type="X"><instance_attributes id="j">'
        '<nvpair id="b" name="device" value="/dev/drbd0"/></instance_attributes></primitive>'
    ).encode()


@pytest.mark.parametrize(
    "name", ["passwd", "login", "snmp_priv", "pin", "session", "identity_file", "x", "apikey"]
)
def test_parameter_of_a_fence_device_is_a_secret_whatever_its_name(name):
    clean = remove_secrets(CIB, device(name, "hunter2"))
    assert b"hunter2" not in clean
    assert clean == device(name, "REMOVED")


@pytest.mark.parametrize("name", ["pcmk_host_list", "pcmk_host_map", "ipaddr", "plug", "delay"])
def test_what_is_needed_to_judge_a_fence_device_stays(name):
    assert remove_secrets(CIB, device(name, "app01")) == device(name, "app01")


def test_fence_device_that_is_cut_off():
    text = device("pin", "hunter2")
    for end in range(text.index(b"hunter2") + 3, text.index(b"<operations")):
        assert b"hun" not in remove_secrets(CIB, text[:end])


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (
            b'<recipient id="r" value="https://hooks.example.org/T0/B1/xyz"/>',
            b'<recipient id="r" value="REMOVED"/>',
        ),
        (
            b'<nvpair id="n" name="url" value="https://admin:hunter2@ilo1.example.org/x"/>',
            b'<nvpair id="n" name="url" value="https://admin:REMOVED@ilo1.example.org/x"/>',
        ),
        (
            b'<lrm_rsc_op id="o" exit-reason="login failed: password=hunter2 at db"/>',
            b'<lrm_rsc_op id="o" exit-reason="login failed: password=REMOVED at db"/>',
        ),
        (
            b'<nvpair id="n" name="db_password" value="hunter2"/>',
            b'<nvpair id="n" name="db_password" value="REMOVED"/>',
        ),
        (
            b'<node id="1"><nvpair id="n" name="ilo_password" value="hunter2"/></node>',
            b'<node id="1"><nvpair id="n" name="ilo_password" value="REMOVED"/></node>',
        ),
        (
            b'<alert id="a" path="/x"><nvpair id="n" name="api_key" value="hunter2"/></alert>',
            b'<alert id="a" path="/x"><nvpair id="n" name="api_key" value="REMOVED"/></alert>',
        ),
        (
            b'<op id="o" name="monitor"><nvpair id="n" name="token" value="hunter2"/></op>',
            b'<op id="o" name="monitor"><nvpair id="n" name="token" value="REMOVED"/></op>',
        ),
    ],
)
def test_secrets_of_urls_alerts_operations_and_exit_reasons(text, clean):
    assert remove_secrets(CIB, text) == clean


def test_node_attribute_of_crm_mon():
    text = b'<failure exitreason="token: hunter2"/><attribute name="api-token" value="hunter2"/>'
    assert b"hunter2" not in remove_secrets(CRM_MON, text)


@pytest.mark.parametrize(
    "said",
    ["cannot log in with password hunter2", "curl https://u:hunter2@x/ failed", "api_key=hunter2"],
)
def test_what_a_tool_complains_of_holds_no_secret(said):
    assert "hunter2" not in remove_said(said)


def test_ordinary_complaints_stay():
    said = "Could not connect to the CIB: Transport endpoint is not connected"
    assert remove_said(said) == said


def test_recordings_lose_nothing_by_it():
    for path in sorted(SNAPSHOTS.rglob("cib.xml")):
        text = path.read_bytes()
        if b'class="stonith"' not in text and b"passw" not in text:
            assert remove_secrets(CIB, text) == text, path


# -- folders and links -------------------------------------------------------------------------


def snapshot_to(call, target: Path):
    return call("snapshot", "--from", HEALTHY / "app01", target)


def test_snapshot_is_not_written_through_a_link(call, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    outcome = snapshot_to(call, tmp_path / "link")
    assert outcome.code == 3
    assert "is a link, and could lead anywhere" in outcome.first
    assert not list((tmp_path / "elsewhere").iterdir())


def test_snapshot_is_not_written_where_others_may_write(call, tmp_path):
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    outcome = snapshot_to(call, folder)
    assert outcome.code == 3
    assert "others may write to it" in outcome.first
    assert not list(folder.iterdir())


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="gives a directory to another user")
def test_snapshot_is_not_written_into_a_folder_of_somebody_else(call, tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    outcome = snapshot_to(call, folder)
    assert outcome.code == 3
    assert "somebody else's directory" in outcome.first


@pytest.mark.parametrize("name", ["x.prom", "x.tar.gz"])
def test_output_replaces_a_link_and_not_what_it_leads_to(call, tmp_path, name):
    precious = tmp_path / "precious"
    precious.write_text("keep")
    link = tmp_path / name
    link.symlink_to(precious)
    if name.endswith("prom"):
        outcome = call("metrics", "--from", HEALTHY / "app01", "--output", link)
    else:
        outcome = snapshot_to(call, link)
    assert outcome.code == 0
    assert precious.read_text() == "keep"
    assert not link.is_symlink()


def test_page_is_not_written_through_a_link(call, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("keep")
    (tmp_path / "page.html").symlink_to(precious)
    outcome = call("report", "--from", HEALTHY / "app01", "-o", tmp_path / "page.html")
    assert (outcome.code, len(outcome.lines)) == (3, 1)
    assert "symbolic links" in outcome.first
    assert precious.read_text() == "keep"


def test_metrics_written_by_many_at_once_are_never_half(tmp_path):
    target = tmp_path / "mccluster.prom"
    command = [*PROGRAM, "metrics", "--from", str(HEALTHY / "app01"), "--output", str(target)]
    running = [subprocess.Popen(command) for _ in range(6)]
    seen = set()

    def watch():
        while any(child.poll() is None for child in running):
            if target.exists():
                seen.add(target.read_text())

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert [child.wait() for child in running] == [0] * 6
    watcher.join()
    seen.add(target.read_text())
    assert len({re.sub(r"(?m)^.*(duration|timestamp|seconds).*$", "", text) for text in seen}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mccluster.prom"]


# -- the search path ---------------------------------------------------------------------------


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    """A crm_mon in a folder of the search path, and a sudo that would run anything."""
    folder = tmp_path / "bin"
    folder.mkdir(mode=0o755)
    sudo = tmp_path / "root" / "sudo"
    sudo.parent.mkdir(mode=0o755)
    sudo.write_text('#!/bin/sh\nshift\nexec "$@"\n')
    tool = folder / "crm_mon"
    tool.write_text("#!/bin/sh\necho run\n")
    for program in (sudo, tool):
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{sudo.parent}:/usr/bin:/bin")
    monkeypatch.setattr("check_mccluster.acquire.live.FOLDERS", ())
    return folder


def run_as_root(folder: Path, **more) -> bytes:
    del folder
    import time

    with Live(deadline=time.monotonic() + 5, sudo=True, **more) as source:
        return source.open(Tool("crm_mon", (), "crm_mon.xml")).read()


def test_tool_in_a_folder_of_ours_is_run_with_sudo(on_path):
    assert run_as_root(on_path) == b"run\n"


@pytest.mark.parametrize("mode", [0o775, 0o777, 0o1777])
@pytest.mark.parametrize("what", ["folder", "program"])
def test_tool_where_others_may_write_is_not_run_with_sudo(on_path, what, mode):
    (on_path if what == "folder" else on_path / "crm_mon").chmod(mode)
    with pytest.raises(ToolDenied) as error:
        run_as_root(on_path)
    assert "is not run as root: others may write to it or to its folder" in error.value.detail


def test_tool_that_the_configuration_file_names_is_the_administrators(on_path):
    on_path.chmod(0o777)
    assert run_as_root(on_path, paths={"crm_mon": str(on_path / "crm_mon")}) == b"run\n"


# -- names -------------------------------------------------------------------------------------

EVIL = "<script>alert(1)</script>\u009b31m\u202e$(id)`id`;'|x"


@pytest.fixture
def evil(tmp_path) -> Path:
    """A node of a cluster whose resource has a name that terminals and browsers would act on."""
    node = Path(shutil.copytree(HEALTHY / "app01", tmp_path / "app01"))
    escaped = EVIL.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for name in ("crm_mon.xml", "cib.xml"):
        path = node / name
        path.write_text(path.read_text().replace('"MYSQL"', f'"{escaped}"'), encoding="utf-8")
    return node


@pytest.mark.parametrize(
    "command",
    [
        *(["resources", "-vv"], ["overview", "-vvv"], ["placement"], ["failover"], ["status"]),
        *(["status", "--full"], ["topology"], ["zabbix", "data"], ["metrics"], ["whatif"]),
        *(["overview", "--json"], ["cluster"], ["checkmk"]),
    ],
    ids=" ".join,
)
def test_a_name_moves_no_terminal_and_opens_no_performance_data(call, evil, command):
    out = call(*command, "--from", evil).out
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", out)
    if command[0] in ("resources", "overview", "placement", "failover"):
        assert out.splitlines()[0].count(" | ") <= 1


def test_a_name_is_no_element_of_the_page(call, evil, tmp_path):
    page = tmp_path / "page.html"
    assert call("report", "--from", evil, "-o", page).code == 0
    text = page.read_text()
    assert "<script>alert" not in text
    assert "alert(1)" in text


# -- other nodes' answers ----------------------------------------------------------------------


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for member, content in members:
            member.size = len(content) if member.isreg() else member.size
            archive.addfile(member, io.BytesIO(content))
    return raw.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


META = (member("n/meta.json"), json.dumps({"node": "storage03"}).encode())
HOSTILE = {
    "traversal": packed(META, (member("../../tmp/owned"), b"x")),
    "absolute": packed(META, (member("/tmp/owned"), b"x")),
    "symlink": packed(META, (member("n/crm_mon.xml", tarfile.SYMTYPE, "/etc/shadow"), b"")),
    "hard link": packed(META, (member("n/crm_mon.xml", tarfile.LNKTYPE, "/etc/shadow"), b"")),
    "device": packed(META, (member("n/drbd-status.json", tarfile.CHRTYPE), b"")),
    "fifo": packed(META, (member("n/drbd-status.json", tarfile.FIFOTYPE), b"")),
    "twice": packed(META, META),
    "thousands": packed(META, *((member(f"n/{n}"), b"") for n in range(3000))),
    "bomb": packed(META, (member("n/drbd-status.json"), bytes(600 * 2**20)))
    if os.environ.get("CHECK_MCCLUSTER_BOMB")
    else packed(META, *((member(f"n/f{n}"), bytes(60 * 2**20)) for n in range(9))),
    "two nodes": packed(META, (member("m/meta.json"), b"{}")),
    "no gzip": b"\x1f\x8b\x08" + bytes(1000),
    "text": b"root:x:0:0:" * 1000,
    "another node's": packed((member("n/meta.json"), json.dumps({"node": "app02"}).encode())),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_answer_over_ssh_is_told_and_the_rest_judged(call, tmp_path, monkeypatch, kind):
    good = tmp_path / "app01.tar.gz"
    assert call("snapshot", "--from", HEALTHY / "app01", good).code == 0
    (tmp_path / "hostile").write_bytes(HOSTILE[kind])
    ssh = tmp_path / "bin/ssh"
    ssh.parent.mkdir()
    ssh.write_text(
        '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\n'
        f'if [ "$2" = good ]; then exec cat "{good}"; fi\nexec cat "{tmp_path}/hostile"\n'
    )
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ssh.parent}:/usr/bin:/bin")
    monkeypatch.setattr("check_mccluster.app.several._CLOCKS", 1e12)
    before = {path.name for path in Path("/tmp").iterdir()}
    outcome = call("cluster", "--host", "app01=good", "--host", "storage03=x", "-t", "20")
    assert outcome.code in (1, 3)
    assert "storage03" in outcome.out or kind == "another node's"
    assert "Traceback" not in outcome.out
    assert not Path("/tmp/owned").exists()
    assert "owned" not in {path.name for path in Path("/tmp").iterdir()} - before


def test_ssh_asks_nothing_accepts_no_new_host_and_forwards_nothing():
    from check_mccluster.acquire.remote import SSH

    options = {SSH[n + 1] for n, word in enumerate(SSH) if word == "-o"}
    assert {"BatchMode=yes", "StrictHostKeyChecking=yes", "ForwardAgent=no"} <= options
    assert SSH[-2:] == ("--", "{target}")


# -- the agent ---------------------------------------------------------------------------------


def test_parameter_of_the_agent_is_no_command(tmp_path):
    owned = tmp_path / "owned"
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(FIXTURES.parent / "src"),
        "OCF_ROOT": str(tmp_path),
        "OCF_RESKEY_drbd_resource": f"r0; touch {owned}",
        "OCF_RESKEY_resource": f"$(touch {owned})",
    }
    for action in ("validate-all", "monitor", "start"):
        done = subprocess.run(
            [sys.executable, str(FIXTURES.parent / "ocf/drbd-no-primary"), action],
            env=environment,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert b"Traceback" not in done.stderr
    assert not owned.exists()


def test_record_errors_are_one_line():
    assert "\n" not in str(RecordError("x"))
