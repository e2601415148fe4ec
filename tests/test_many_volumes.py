"""Many volumes, one cause: one fault, what is said before the names."""

from __future__ import annotations

import re

import pytest

import build_drbd as mesh
from build import drbd, peer, report, view
from check_mccluster.checks import registry
from check_mccluster.judge import engine
from check_mccluster.judge.faults import faults
from check_mccluster.judge.fold import folded, hushed
from check_mccluster.judge.speaker import with_speakers
from check_mccluster.model.drbd import ConnectionState, DiskState, ReplicationState
from check_mccluster.present.text import first_line
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import State
from check_mccluster.verdict.view import Asked

LOST = (
    peer("storage01"),
    peer("storage02", state=ConnectionState.CONNECTING),
    peer("storage03", state=ConnectionState.CONNECTING),
)


def causes(*volumes, check="drbd-quorum"):
    evidence = view(drbd=volumes)
    found = report(check, evidence).findings
    return faults(evidence, found), found


def many(count, **changes):
    return tuple(drbd(*LOST, name=f"pvc-{number:02}", **changes) for number in range(count))


def test_quorum_of_sixty_volumes_that_two_lost_peers_took_is_one_fault():
    told, found = causes(*many(60, quorum=False))
    assert len(found) == 60
    (fault,) = told
    assert fault.cause.text == (
        "quorum lost on app01, I/O fails, 1 of 3 copies UpToDate and reachable, not storage02,"
        " storage03: 60 volumes (pvc-00/0, pvc-01/0 and 58 more)"
    )
    assert (fault.cause.nodes, len(fault.follows)) == (("storage02", "storage03"), 59)


def test_overview_tells_it_in_its_first_line_and_each_volume_once():
    evidence = view(drbd=many(60, quorum=False))
    judged = report("overview", evidence)
    assert sum("60 volumes" in fault.text for fault in judged.faults) == 1
    told = [each.key for fault in judged.faults for each in (fault.cause, *fault.follows)]
    assert told.count("drbd-quorum-lost") == 60


@pytest.mark.parametrize("count", [1, 2])
def test_few_volumes_are_named_each(count):
    told, _ = causes(*many(count, quorum=False))
    assert [fault.cause.object for fault in told] == [f"pvc-0{n}/0" for n in range(count)]


def test_volumes_that_are_lost_in_other_ways_stay_apart():
    other = tuple(drbd(*LOST[:2], peer("storage03"), name=f"x{n}", quorum=False) for n in range(3))
    told, _ = causes(*many(3, quorum=False), *other)
    lost = "quorum lost on app01, I/O fails, {} of 3 copies UpToDate and reachable, not {}"
    assert [fault.cause.text for fault in told] == [
        lost.format(1, "storage02, storage03") + ": 3 volumes (pvc-00/0, pvc-01/0, pvc-02/0)",
        "x0/0, x1/0, x2/0: " + lost.format(2, "storage02"),
    ]


def test_disks_that_are_lost_together():
    told, _ = causes(*many(4, disk=DiskState.FAILED), check="drbd-disk")
    (fault,) = told
    assert fault.cause.key == "disk-failed"
    assert fault.cause.text.endswith(": 4 volumes (pvc-00/0, pvc-01/0 and 2 more)")


def test_fold_says_nothing_new_of_the_findings():
    evidence = view(drbd=many(5, quorum=False))
    found = report("drbd-quorum", evidence, values=Asked().values).findings
    (fault,) = faults(evidence, found)
    assert {fault.cause.subject, *(each.subject for each in fault.follows)} == {
        each.subject for each in found
    }


# -- in every way of saying it -------------------------------------------------------------------


def sixty(*connections, **changes):
    return [mesh.resource(*connections, name=f"pvc-{n:02}", **changes) for n in range(60)]


def syncing(number):
    running = mesh.peer_device(
        replication_state=ReplicationState.SYNC_TARGET,
        progress=mesh.progress(percent_done=float(number)),
        out_of_sync_kib=100 + number,
    )
    return mesh.resource(
        mesh.connection("storage02", running),
        name=f"pvc-{number:02}",
        devices=(mesh.device(disk_state=DiskState.INCONSISTENT),),
    )


GONE = mesh.away("storage02")
GOOD = mesh.connection("storage03")
OLD = (mesh.device(disk_state=DiskState.OUTDATED),)
SIXTY = {
    "peer-connecting": sixty(GONE, GOOD),
    "mesh-isolated": sixty(GONE),
    "peer-connecting with old disks": sixty(GONE, GOOD, devices=OLD),
    "disk-syncing": [syncing(number) for number in range(60)],
    "disk-lost": sixty(GOOD, devices=(mesh.device(disk_state=DiskState.DISKLESS, client=False),)),
    "out-of-sync": [
        mesh.resource(
            mesh.connection("storage02", mesh.peer_device(out_of_sync_kib=100 + n)),
            GOOD,
            name=f"pvc-{n:02}",
        )
        for n in range(60)
    ],
}


@pytest.mark.parametrize("what", SIXTY)
def test_sixty_volumes_in_one_state_are_one_fault(what):
    whole = engine.report(registry.load("overview"), mesh.view(*SIXTY[what]), Asked())
    told = [f for f in whole.faults if f.state is not State.OK and f.cause.key != "primary-none"]
    assert [fault.cause.key for fault in told] == [what.partition(" ")[0]]
    assert re.search(r"\(pvc-00(/0)?, pvc-01(/0)? and 58 more\)", told[0].text)


@pytest.mark.parametrize("what", SIXTY)
@pytest.mark.parametrize("check", ["drbd-mesh", "drbd-disk", "drbd-quorum", "drbd-sync"])
def test_a_single_check_says_it_once_in_its_first_line(what, check):
    judged = engine.report(registry.load(check), mesh.view(*SIXTY[what]), Asked())
    if judged.state is not State.OK:
        assert "more)" in first_line(judged) or first_line(judged).endswith("...")
        assert "(+" not in first_line(judged)


def test_a_figure_that_differs_is_left_out():
    judged = engine.report(registry.load("drbd-disk"), mesh.view(*SIXTY["disk-syncing"]), Asked())
    assert first_line(judged) == (
        "disk of storage01 is Inconsistent, resync from storage02, 60 s left: 60 volumes"
        " (pvc-00/0, pvc-01/0 and 58 more)"
    )


def test_two_volumes_of_one_resource_are_one_fault():
    paused = mesh.peer_device(resync_suspended=frozenset({"user"}))
    both = mesh.connection("storage02", paused, paused._replace(volume=1))
    two = mesh.resource(both, name="r1", devices=(mesh.device(), mesh.device(1)))
    (fault,) = faults(mesh.view(two), report_of("drbd-sync", two))
    assert fault.text == (
        "r1/0, r1/1: a pause of the resync with storage02 was left behind, nothing is to sync"
    )


def test_a_copy_that_differs_from_two_others_is_one_fault():
    others = [
        mesh.connection(name, mesh.peer_device(out_of_sync_kib=36864))
        for name in ("storage02", "storage03")
    ]
    differing = mesh.resource(*others)
    (fault,) = faults(mesh.view(differing), report_of("drbd-sync", differing))
    assert fault.text.endswith("storage01 is in step with no other copy")


def report_of(check, *resources):
    return engine.report(registry.load(check), mesh.view(*resources), Asked()).findings


def test_what_another_node_tells_of_many_volumes_raises_nothing_here():
    lost = map(mesh.away, ("storage02", "storage03"))
    without = (mesh.device(quorum=False),)
    evidence = mesh.view(*sixty(mesh.connection("app01"), *lost, devices=without))
    judged = report_of_view("drbd-quorum", evidence)
    (fault,) = with_speakers(evidence, faults(evidence, judged.findings), {}, 900)
    assert (fault.speaker, judged.state) == ("app01", State.CRITICAL)
    assert hushed(judged._replace(faults=(fault,))).state is State.OK


def test_a_cause_of_many_volumes_is_as_grave_as_what_follows_in_another_check():
    """Its own check tells it: the one of what follows does not."""
    evidence = mesh.view(*SIXTY["disk-syncing"])
    own = report_of_view("drbd-disk", evidence)
    (cause,) = faults(evidence, own.findings)
    grave = cause.cause._replace(state=State.CRITICAL, subject=subject.drbd("pvc-00"))
    fault = cause._replace(follows=(*cause.follows, grave))
    keys = frozenset(kind.key for kind in registry.load("drbd-disk").kinds)
    assert own.state is State.WARNING
    assert folded(own, (fault,), keys, {}).state is State.CRITICAL


def report_of_view(check, evidence):
    return engine.report(registry.load(check), evidence, Asked())
