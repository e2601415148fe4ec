"""The fuzzer itself: it runs, it finds nothing here, and it would find what is wrong."""

from __future__ import annotations

import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from random import Random

import pytest

from check_mccluster.verdict.finding import State
from conftest import FIXTURES

FUZZ = FIXTURES.parent / "bench/fuzz"
SNAPSHOTS = FIXTURES / "snapshots"
LOST = SNAPSHOTS / "storage-servers-lost/app01"


@pytest.fixture(scope="module")
def fuzz():
    loader = SourceFileLoader("fuzz", str(FUZZ))
    spec = spec_from_loader("fuzz", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.mark.slow
def test_damaged_recordings_are_never_judged_better():
    command = [sys.executable, str(FUZZ), "--inputs", "1500", "--seconds", "120", str(SNAPSHOTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.startswith("15"), done.stdout
    assert " inputs of " in done.stdout
    assert done.stdout.endswith(", 0 kinds of trouble\n")


def test_a_rule_that_is_fooled_is_found(fuzz, monkeypatch, capsys, tmp_path):
    real = fuzz.judged
    calls = []

    def fooled(folder):
        calls.append(folder)
        verdicts = real(folder)
        return verdicts if len(calls) == 1 else dict.fromkeys(verdicts, State.OK)

    monkeypatch.setattr(fuzz, "judged", fooled)
    monkeypatch.setattr(sys, "argv", ["fuzz", "--inputs", "40", "--keep", str(tmp_path), str(LOST)])
    assert fuzz.main() == 1
    told = capsys.readouterr().out
    assert "better: drbd-quorum CRITICAL to OK: " in told
    assert (tmp_path / "001/trouble").read_text().startswith("better: ")


def test_a_crash_is_found(fuzz, monkeypatch, capsys):
    real = fuzz.judged
    calls = []

    def crashing(folder):
        calls.append(folder)
        return real(folder) if len(calls) == 1 else {}["key"]

    monkeypatch.setattr(fuzz, "judged", crashing)
    monkeypatch.setattr(sys, "argv", ["fuzz", "--inputs", "5", str(LOST)])
    assert fuzz.main() == 1
    assert "crash: KeyError test_fuzz.py:" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["crm_mon.xml", "drbd-status.json", "corosync-quorumtool.txt"])
def test_every_kind_of_damage_damages(fuzz, name):
    data = (SNAPSHOTS / "six-nodes-healthy/app01" / name).read_bytes()
    chance = Random(1)
    kinds = set()
    for damager in dict.fromkeys(fuzz.damagers(name)):
        for _ in range(80):
            done = damager(data, chance)
            if done is not None and done[0] != data:
                kinds.add(done[1].partition(" ")[0])
    assert {"cut", "put", "overwrite"} < kinds
    assert len(kinds) >= 8
