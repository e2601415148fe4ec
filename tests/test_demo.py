"""The demonstrations: `tools/demo`, and `make demo-NAME`, which is `tools/demo-site NAME`."""

from __future__ import annotations

import os
import re
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from daemons import need, scratch
from prometheus_site import PACKAGES
from stories import NODES, standing
from zabbix_site import listens, need_packages

DEMO = ROOT / "tools" / "demo-site"


def test_the_makefile_has_a_target_for_each_site_and_the_daily_ones(monkeypatch):
    makefile = (ROOT / "Makefile").read_text()
    monkeypatch.setattr(sys, "path", [*sys.path])
    sites = runpy.run_path(str(DEMO))["SITES"]

    (demos,) = re.findall(r"^DEMOS = (.*)$", makefile, re.MULTILINE)
    targets = re.findall(r"^([a-z]+):", makefile, re.MULTILINE)

    assert demos.split() == [f"demo-{name}" for name in sites]
    assert targets == ["test", "docs", "lint"]


def test_the_first_demonstration_shows_four_screens():
    program = Path(sys.executable).with_name("check_mccluster")
    done = subprocess.run(
        [ROOT / "tools" / "demo", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    titles = re.split(r"^== .*\n", done.stdout, flags=re.MULTILINE)[1:]
    healthy, fault, together, meaning = (each.splitlines()[1] for each in titles)
    assert healthy.startswith("OVERVIEW OK - ")
    assert fault.startswith("OVERVIEW CRITICAL - r0/0: quorum lost on app01")
    assert together.startswith("CRITICAL  1 fault; seen from app01, app02, app03, storage01")
    assert meaning.startswith("drbd-quorum-lost")
    for screen in titles:  # without the command line: a terminal of 80 columns and 24 lines
        output = screen.strip().splitlines()[1:]
        assert sum(max(1, -(-len(line) // 80)) for line in output) <= 24
    assert done.stdout.endswith("and this machine: tools/demo --all\n")


@pytest.mark.parametrize("name", ["icinga2", "nagios", "zabbix", "prometheus"])
def test_the_page_of_each_system_names_its_demonstration(name):
    assert f"`make demo-{name}`" in (ROOT / "docs" / f"{name}.md").read_text()


@pytest.mark.daemon
@pytest.mark.root
def test_the_demonstration_turns_red_on_enter_and_leaves_nothing_on_ctrl_c():
    need_packages(PACKAGES)
    with scratch("demo") as folder:
        lines = until_told(folder, "prometheus", "  + MCClusterCritical: mail: r0/0: drbd-quorum-")
        assert list(folder.iterdir()) == []

    ports = re.findall(r"http://127\.0\.0\.1:(\d+)/", "".join(lines))
    assert lines[-2] == "now: storage-servers-lost\n"
    assert len(ports) == 3
    assert not any(listens(int(port)) for port in ports)


@pytest.mark.daemon
@pytest.mark.root
def test_the_demonstration_of_nagios_shows_six_nodes_and_what_a_person_is_told():
    need("nagios4", "nrpe", "check_nrpe")
    with scratch("demo") as folder:
        alarm = "  + app01!mccluster: r0/0: quorum lost on app01, I/O fails, 1 of 3 copies"
        lines = until_told(folder, "nagios", alarm)

    assert [each for each in NODES if f"{each}: " in "".join(lines)] == [*NODES]
    after = lines[lines.index("now: storage-servers-lost\n") + 1 :]
    assert {*after[:-1]} <= {"  + storage02: DOWN\n", "  + storage03: DOWN\n"}


def until_told(folder: Path, name: str, alarm: str) -> list[str]:
    """What the demonstration prints, with Enter once it runs and Ctrl-C once it alerts."""
    lines = []
    with subprocess.Popen(
        [sys.executable, str(DEMO), name, "--hold", "240"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    ) as demo:
        for line in demo.stdout:
            lines.append(line)
            if line.startswith("Enter:"):
                demo.stdin.write("\n")
                demo.stdin.flush()
            if line.startswith(alarm):
                demo.send_signal(signal.SIGINT)
    assert demo.returncode == 0
    assert lines[-1].startswith(alarm)
    return lines


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        ([], set()),
        (["a!s PROBLEM: r0: it is: so", "b PROBLEM: DOWN"], {"a!s: r0: it is: so", "b: DOWN"}),
        (["a!s x PROBLEM: one", "a!s x PROBLEM: two"], {"a!s x: two"}),
        (["a PROBLEM: one", "a FLAPPINGSTART: one", "a RECOVERY: UP", "b RECOVERY: UP"], set()),
    ],
)
def test_what_was_told_and_has_not_recovered(tmp_path, lines, left):
    assert standing(tmp_path / "none") == set()
    (tmp_path / "told").write_text("".join(f"{line}\n" for line in lines))
    assert standing(tmp_path / "told") == left
