"""``crm_simulate`` as an input: which losses, which command, and what when it does not answer."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from build import (
    NOW,
    SNAPSHOTS,
    bundle,
    clone,
    cluster,
    fence_device,
    group,
    node,
    primitive,
    stopped,
)
from check_mccluster.acquire.live import Live
from check_mccluster.acquire.snapshot import Snapshot
from check_mccluster.inputs import crm_simulate
from check_mccluster.inputs.crm_simulate import (
    SIMULATIONS,
    affordable,
    each_node,
    occupied,
    scheduler_input,
    simulation,
)
from check_mccluster.inputs.evidence import Evidence
from check_mccluster.model.pacemaker import Role
from check_mccluster.model.simulation import Simulations

CLASSIC = SNAPSHOTS / "classic-simulated" / "alpha"
WITHOUT = SNAPSHOTS / "six-nodes-healthy" / "app01"


def test_the_command_of_one_loss():
    tool = simulation(("app01",))
    assert tool.command == ("crm_simulate --xml-pipe --node-down app01 --simulate --output-as=xml")
    assert (tool.file, tool.by_root, tool.scratch) == (
        "crm_simulate.app01.xml",
        False,
        "CIB_shadow_dir",
    )


def test_the_command_about_a_recording_counts_from_its_time():
    command = simulation(("app01", "app02"), NOW, planned=True).command
    assert command == (
        "crm_simulate --xml-pipe --node-down app01 --node-down app02"
        " --set-datetime 2026-11-22T09:00:00Z --run --output-as=xml"
    )


def test_digests_that_no_longer_fit_are_left_out():
    text = b'<lrm_rsc_op id="a" op-digest="0f" op-secure-digest="1" op-restart-digest="2" rc="0"/>'
    assert scheduler_input(text) == b'<lrm_rsc_op id="a" rc="0"/>'


def test_one_simulation_for_each_node_that_a_service_is_on_the_busiest_first():
    known = cluster(
        (node(), node("app02"), node("app03")),
        (
            group(primitive("FS", "app02"), primitive("DB", "app02")),
            primitive("IP", "app01"),
            stopped("OLD"),
            fence_device(),
            clone(primitive("ping", "app03")),
            bundle((primitive("web", "app03"),)),
        ),
    )
    assert occupied(known) == (("app02",), ("app01",))
    assert each_node(known) == (("app02",), ("app01",), ("app03",))


def test_a_promotable_clone_is_where_it_is_promoted():
    instances = (
        primitive("drbd", "app01", Role.UNPROMOTED),
        primitive("drbd", "app02", Role.PROMOTED),
    )
    assert occupied(cluster(None, (clone(*instances, promotable=True),))) == (("app02",),)


def test_a_large_cib_is_simulated_as_often_as_can_be_afforded():
    assert affordable(20_000, whole=False) > 100
    assert affordable(2 * 2**20, whole=False) == 2
    assert affordable(5 * 2**20, whole=False) == 0
    assert affordable(5 * 2**20, whole=True) > 32
    assert affordable(80 * 2**20, whole=True) == 0


# -- asked ---------------------------------------------------------------------------------------


def answer(snapshot: Path, simulator=None, losses=None) -> Simulations:
    with Snapshot(snapshot) as source:
        evidence = Evidence(source, simulator=simulator)
        evidence.losses = None if losses is None else lambda _: losses
        found = evidence.view((SIMULATIONS,))[SIMULATIONS]
        assert found.problems == ()
        return found.value


def test_what_was_recorded_is_used():
    found = answer(CLASSIC)
    assert list(found.done) == [("alpha",)]
    assert found.of("alpha").running["drbd_r0"] == {"bravo": Role.PROMOTED}
    assert found.unasked == {}


def test_where_nothing_was_recorded_and_nobody_may_be_asked_that_is_said():
    found = answer(WITHOUT)
    assert found.done == {}
    assert found.unasked == {
        ("app01",): "no answer of it was recorded, and --simulate was not given"
    }


@pytest.fixture
def machine(tmp_path):
    """A machine with a crm_simulate of its own."""

    def made(script: str, seconds: float = 20.0):
        tool = tmp_path / "crm_simulate"
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
        paths = {"crm_simulate": str(tool)}
        return lambda: Live(deadline=time.monotonic() + seconds, paths=paths)

    return made


def test_the_scheduler_gets_the_recorded_cib(machine, tmp_path):
    seen = tmp_path / "seen.xml"
    script = f'cat > {seen}; echo "$@" > {tmp_path}/words; cat {CLASSIC}/crm_simulate.alpha.xml'
    found = answer(WITHOUT, machine(script))
    assert list(found.done) == [("app01",)]
    assert seen.read_bytes() == scheduler_input((WITHOUT / "cib.xml").read_bytes())
    assert "--set-datetime 2026-11-22T09:00:00Z" in (tmp_path / "words").read_text()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("cat >/dev/null; echo 'Current cluster status:'", "crm_simulate prints text, as before"),
        ("cat >/dev/null; echo usage >&2; exit 64", "crm_simulate failed with exit code 64"),
        ("kill -ABRT $$", "crm_simulate failed with exit code -6"),
        (f"cat {CLASSIC}/crm_simulate.alpha.xml; exit 1", "crm_simulate failed with exit code 1"),
        (f"head -c 3000 {CLASSIC}/crm_simulate.alpha.xml", "crm_simulate: cut off"),
    ],
)
def test_no_usable_answer_is_told_and_is_no_problem(machine, script, why):
    found = answer(WITHOUT, machine(script))
    assert found.done == {}
    assert found.unasked["app01",].startswith(why)


def test_a_scheduler_that_hangs_ends_at_its_own_deadline(machine):
    begun = time.monotonic()
    found = answer(WITHOUT, machine("exec sleep 600", 0.5))
    assert time.monotonic() - begun < 5
    assert found.unasked["app01",].endswith("--output-as=xml did not answer within 0.5 s")


def test_a_scheduler_that_is_not_installed_is_asked_once():
    def nothing() -> Live:
        return Live(deadline=time.monotonic() + 9, paths={"crm_simulate": "/nowhere/crm_simulate"})

    losses = (("app01",), ("app02",))
    found = answer(WITHOUT, nothing, losses)
    why = "crm_simulate is not installed (no file at its configured path /nowhere/crm_simulate)"
    assert found.unasked == dict.fromkeys(losses, why)


def test_a_cib_that_is_too_large_is_not_simulated(machine, monkeypatch):
    monkeypatch.setattr(crm_simulate, "MOST_EVER", 1000)
    found = answer(WITHOUT, machine("exit 1"))
    assert found.unasked == {("app01",): "the CIB has 0.0 MiB"}
