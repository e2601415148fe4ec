"""The resource agent's actions; tests/cluster has it under a real Pacemaker."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from build_documents import status, status_connection, status_resource
from check_mccluster.acquire.live import Live
from check_mccluster.app import agent
from conftest import ROOT


def peer(name, role="Secondary", state="Connected"):
    return status_connection(
        **{"peer-node-id": int(name[-1]), "connection-state": state, "peer-role": role},
        name=name,
        peer_devices=[],
    )


def resource(*peers, name="r0", role="Secondary"):
    """Constructed: what the agent looks at, and what the reader demands."""
    return status_resource(name=name, role=role, devices=[], connections=list(peers))


@pytest.fixture
def node(tmp_path, monkeypatch):
    """A node where drbdsetup prints one answer after the other, the last one for ever."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HA_RSCTMP", str(tmp_path / "run"))
    monkeypatch.setenv("HA_LOGFILE", str(tmp_path / "log"))
    monkeypatch.setenv("OCF_RESOURCE_INSTANCE", "DRBD_FREE")
    monkeypatch.setenv("OCF_RESKEY_drbd_resource", "r0")
    monkeypatch.setattr(agent, "PAUSE", 0)
    monkeypatch.setattr("check_mccluster.acquire.live.FOLDERS", ())
    monkeypatch.setattr(Live, "drbd_module", lambda _: (True, "9.2.18"))

    def answers(*texts):
        for number, text in enumerate(texts):
            (tmp_path / f"answer{number}").write_text(text)
        script = tmp_path / "drbdsetup"
        script.write_text(
            "#!/bin/sh\n"
            f"cd {tmp_path}; read -r number <number || number=0\n"
            f"[ $number -lt {len(texts) - 1} ] && echo $((number + 1)) >number\n"
            '. "./answer$number"\n'
        )
        script.chmod(0o755)
        (tmp_path / "number").write_text("0\n")

    answers.folder = tmp_path
    return answers


def prints(*resources):
    return f"echo '{status(*resources)}'\n"


def log_of(node):
    """What it logged, however long that took."""
    text = re.sub(r" after \d+ s\b", " after N s", (node.folder / "log").read_text())
    return [line.split("INFO: ")[1] for line in text.splitlines()]


def test_start_waits_until_no_other_node_is_primary(node):
    node(
        *[prints(resource(peer("app01", "Primary"), peer("app03")))] * 3,
        prints(resource(peer("app01", "Unknown", "Connecting"), peer("app03"))),
    )
    assert agent.main(["monitor"]) == 7
    assert agent.main(["start"]) == 0
    assert agent.main(["monitor"]) == 0
    assert log_of(node) == [
        "waiting: app01 is Primary of r0",
        "no other node is Primary of r0 after N s",
    ]


def test_start_waits_while_drbd_cannot_be_read(node):
    node(
        "echo 'Could not connect to netlink' >&2; exit 20\n",
        "echo '['\n",
        "echo '[]'\n",
        prints(resource(peer("app01"), name="other")),
        prints(resource(peer("app01", "Leader"))),
        prints(resource(peer("app01", "Unknown"))),
        prints(resource()),
        prints(resource(peer("app01"))),
    )
    assert agent.main(["start"]) == 0
    assert [line.partition(":")[0] for line in log_of(node)] == [
        *["waiting"] * 7,
        "no other node is Primary of r0 after N s",
    ]


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(resource(peer("app01"), role="Primary"), id="this node is Primary"),
        pytest.param(resource(peer("app01", "Unknown", "Connecting")), id="a peer is away"),
    ],
)
def test_start_at_once(node, status):
    node(prints(status))
    assert agent.main(["start"]) == 0
    assert log_of(node) == ["no other node is Primary of r0"]


def test_start_looks_at_its_own_resource_only(node):
    node(prints(resource(peer("app01", "Primary"), name="r1"), resource(peer("app01"))))
    assert agent.main(["start"]) == 0


def test_start_and_stop_twice(node):
    node(prints(resource(peer("app01"))), prints(resource(peer("app01", "Primary"))))
    assert [agent.main([action]) for action in ("start", "start", "stop", "stop")] == [0, 0, 0, 0]
    assert agent.main(["monitor"]) == 7


def test_drbdsetup_is_not_installed(node, capsys):
    assert agent.main(["start"]) == 5
    assert capsys.readouterr().err == "ocf-exit-reason:drbdsetup is not installed\n"
    assert agent.main(["monitor"]) == 7
    assert agent.main(["stop"]) == 0


def test_validate_all_by_check_level(node, monkeypatch):
    assert agent.main(["validate-all"]) == 0
    monkeypatch.setenv("OCF_CHECK_LEVEL", "\u00b2")
    assert agent.main(["validate-all"]) == 0
    monkeypatch.setenv("OCF_CHECK_LEVEL", "10")
    assert agent.main(["validate-all"]) == 5
    node(prints(resource(peer("app01", "Primary"))))
    assert agent.main(["validate-all"]) == 0


@pytest.mark.parametrize("name", ["", "r*"])
def test_without_a_resource_name(node, monkeypatch, name, capsys):
    monkeypatch.setenv("OCF_RESKEY_drbd_resource", name)
    codes = {action: agent.main([action]) for action in ("start", "monitor", "validate-all")}
    assert codes == {"start": 6, "monitor": 6, "validate-all": 6}
    assert "drbd_resource" in capsys.readouterr().err
    assert agent.main(["stop"]) == 0


def test_state_that_cannot_be_kept(node, capsys):
    node(prints(resource(peer("app01"))))
    (node.folder / "run").write_text("a file where the folder should be")
    assert agent.main(["start"]) == 1
    assert capsys.readouterr().err.startswith("ocf-exit-reason:")


@pytest.mark.parametrize("arguments", [[], ["promote"], ["--help"]])
def test_other_actions_are_not_implemented(arguments, capsys):
    assert agent.main(arguments) == 3
    assert capsys.readouterr().err == (
        "usage: drbd-no-primary start|stop|monitor|meta-data|validate-all\n"
    )


def test_without_a_log_file_standard_error_is_the_log(node, monkeypatch, capsys):
    monkeypatch.delenv("HA_LOGFILE")
    node(prints(resource(peer("app01"))))
    assert agent.main(["start"]) == 0
    assert capsys.readouterr().err.endswith(": INFO: no other node is Primary of r0\n")


def test_meta_data_tells_what_there_is(capsys):
    assert agent.main(["meta-data"]) == 0
    described = ET.fromstring(capsys.readouterr().out)
    assert {each.get("name") for each in described.iter("action")} == set(agent.ACTIONS)
    assert [(each.get("name"), each.get("required")) for each in described.iter("parameter")] == [
        ("drbd_resource", "1")
    ]
    assert described.findtext("version") == "1.1"


def test_the_shipped_script_is_the_agent():
    script = ROOT / "ocf/drbd-no-primary"
    done = subprocess.run(
        [sys.executable, script, "meta-data"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, agent.META_DATA)
    assert script.stat().st_mode & 0o777 == 0o755
