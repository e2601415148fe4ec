"""Many volumes, one cause: one fault, what is said before the names."""

from __future__ import annotations

import pytest

from build import drbd, peer, report, view
from check_mccluster.judge.causes import faults
from check_mccluster.model.drbd import ConnectionState, DiskState
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
        "quorum lost on app01, 1 of 3 copies UpToDate and reachable, not storage02, storage03:"
        " 60 volumes (pvc-00/0, pvc-01/0 and 58 more)"
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
    assert [fault.cause.text.rpartition(": ")[2] for fault in told] == [
        "3 volumes (pvc-00/0, pvc-01/0, pvc-02/0)",
        "3 volumes (x0/0, x1/0, x2/0)",
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
