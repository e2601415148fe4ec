"""The fuzzer itself: it runs, it finds nothing here, and it would find what is wrong."""

from __future__ import annotations

import shutil
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
    command = [sys.executable, str(FUZZ), "--inputs", "3000", "--seconds", "120", "--jobs", "2"]
    command.append(str(SNAPSHOTS))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert 3000 <= int(done.stdout.split(" inputs of ")[0]) < 3600, done.stdout
    assert done.stdout.endswith(", 0 kinds of trouble\n")


def test_a_rule_that_is_fooled_is_found(fuzz, monkeypatch, capsys, tmp_path):
    real = fuzz.judged
    calls = []

    def fooled(view, checks, *, printed):
        calls.append(view)
        verdicts = real(view, checks, printed=printed)
        return verdicts if len(calls) == 1 else dict.fromkeys(verdicts, State.OK)

    monkeypatch.setattr(fuzz, "judged", fooled)
    monkeypatch.setattr(sys, "argv", ["fuzz", "--inputs", "40", "--keep", str(tmp_path), str(LOST)])
    assert fuzz.main() == 1
    told = capsys.readouterr().out
    assert "better: drbd-quorum CRITICAL to OK: " in told
    kept = sorted(tmp_path.glob("*-001/trouble"))
    assert len(kept) == 1
    assert kept[0].read_text().startswith("better: ")
    assert (kept[0].parent / "meta.json").is_file()


def test_a_crash_is_found(fuzz, monkeypatch, capsys):
    real = fuzz.judged
    calls = []

    def crashing(view, checks, *, printed):
        calls.append(view)
        return real(view, checks, printed=printed) if len(calls) == 1 else {}["key"]

    monkeypatch.setattr(fuzz, "judged", crashing)
    monkeypatch.setattr(sys, "argv", ["fuzz", "--inputs", "5", str(LOST)])
    assert fuzz.main() == 1
    assert "crash: KeyError test_fuzz.py:" in capsys.readouterr().out


def seed(fuzz, folder=LOST):
    return fuzz.Seed(folder)


def test_only_what_depends_on_the_damaged_file_is_read_again(fuzz):
    whole = seed(fuzz)
    text = whole.kept.files["corosync-quorumtool.txt"]
    one = fuzz.Input("corosync-quorumtool.txt", text.replace(b"Quorate:", b"nonsense"), ("word",))
    readers = [check.name for check in whole.readers(one.name)]
    assert readers == ["quorum", "links", "failover"]
    assert list(whole.damaged(one, everything=False)) == readers
    everything = whole.damaged(one, everything=True)
    assert {name: everything[name] for name in readers} == whole.damaged(one, everything=False)
    assert whole.kept.files[one.name] == text


@pytest.mark.parametrize("number", range(3))
def test_what_is_taken_over_changes_no_verdict(fuzz, number, tmp_path):
    whole = seed(fuzz)
    chance = Random(number)
    place = tmp_path / "app01"
    for _ in range(25):
        one = whole.damage(chance)
        if one is None:
            continue
        place.mkdir()
        for file, data in {**whole.kept.files, one.name: one.data}.items():
            (place / file).write_bytes(data)
        with fuzz.Snapshot(place) as source:
            view = fuzz.Evidence(source).view(fuzz.every())
        alone = fuzz.judged(view, fuzz.CHECKS, printed=True)
        found = whole.damaged(one, everything=True)
        assert {check: found[check] for check in alone} == alone, one.damage
        shutil.rmtree(place)


def test_damage_that_changes_no_answer_is_not_judged_again(fuzz):
    whole = seed(fuzz)
    text = whole.kept.files["corosync-quorumtool.txt"]
    one = fuzz.Input("corosync-quorumtool.txt", text + b"\n", ("line",))
    assert whole.damaged(one, everything=False) == {}
    assert whole.damaged(one, everything=True) == whole.states


def test_a_file_of_another_cluster_is_held_to_both_verdicts(fuzz):
    whole, donor = seed(fuzz), seed(fuzz, SNAPSHOTS / "six-nodes-healthy/app01")
    assert whole.nodes == donor.nodes >= {"app01", "storage03"}
    chance = Random(3)
    one = next(filter(None, (whole.exchange(donor, "another time", chance) for _ in range(20))))
    assert one.data == donor.kept.files[one.name] != whole.kept.files[one.name]
    drbd = one._replace(name="drbd-status.json")
    assert whole.states["drbd-quorum"] is State.CRITICAL
    assert donor.states["drbd-quorum"] is State.OK
    assert not list(whole.better(drbd, {"drbd-quorum": State.OK}))
    assert not list(whole.better(drbd._replace(donor=whole), {"drbd-quorum": State.OK}))
    foreign = seed(fuzz)
    foreign.nodes = {"alpha", "bravo"}
    alike = drbd._replace(donor=foreign)
    told = list(whole.better(alike, {"drbd-quorum": State.OK}))
    assert told == [f"better: drbd-quorum CRITICAL to OK: {alike.damage}"]


def test_what_takes_long_is_found(fuzz, monkeypatch, capsys):
    monkeypatch.setattr(fuzz, "LIMIT", 0.0)
    monkeypatch.setattr(sys, "argv", ["fuzz", "--inputs", "5", str(LOST)])
    assert fuzz.main() == 1
    assert " slow: " in capsys.readouterr().out


@pytest.mark.parametrize("command", ["overview", "status", "zabbix data", "whatif", "report"])
def test_commands_show_what_is_damaged(fuzz, tmp_path, command):
    place = tmp_path / "app01"
    shutil.copytree(LOST, place)
    (place / "crm_mon.xml").write_text("<crm_mon/>")
    assert fuzz.shown(command, [place]) in (0, 2, 3)


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
    assert {"cut", "put", "overwrite", "encoding", "nest"} < kinds
    assert len(kinds) >= 10


@pytest.mark.parametrize(
    ("data", "places", "values"),
    [
        (b'<a><b name="x" value="1"/></a>', {"junk a/b@name", "junk a/b@value"}, "JUNK"),
        (b'[{"a": 1, "b": {"c": true}}]', {"[].a", "[].b.c"}, "ODD"),
    ],
    ids=["xml", "json"],
)
def test_each_value_is_put_once_in_every_place(fuzz, data, places, values):
    known = set()
    damaged = list(fuzz.each_value(data, known))
    assert {what.removeprefix("null ").removeprefix("word ") for _, what in damaged} >= places
    assert len(damaged) == len(places) * len(getattr(fuzz, values))
    assert all(made != data for made, _ in damaged)
    assert not list(fuzz.each_value(data, known))  # what stood somewhere before
