"""What is told at once: tools with one remedy, and two faults in one line without their details."""

from __future__ import annotations

import json
import shutil

import pytest

from build import SNAPSHOTS, view
from check_mccluster.inputs.base import Attempt, Obstacle, denied, no_output
from check_mccluster.inputs.corosync_cmapctl import CMAP
from check_mccluster.inputs.corosync_quorumtool import VOTES, judged
from check_mccluster.judge.faults import faults
from check_mccluster.present.text import first_line
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import Fault, Kind, Line, Report, State, finding
from check_mccluster.verdict.view import Answer, View
from check_mccluster.verdict.words import of_many


def attempt(program, **changes):
    return Attempt(program, program, **changes)


def refused(program, user=""):
    return denied(attempt(program, user=lambda: user), "access denied by Corosync")


# -- tools -----------------------------------------------------------------------------------------

CFGTOOL, CMAPCTL = refused("corosync-cfgtool"), refused("corosync-cmapctl")


def test_tools_that_corosync_refuses_are_one_fault_with_all_their_names():
    (fault,) = faults(view(), [CFGTOOL, CMAPCTL])
    assert fault.text == (
        "corosync-cfgtool, corosync-cmapctl: access denied by Corosync; needs --sudo or a uidgid"
        " entry"
    )
    assert fault.follows == (CMAPCTL,)


def test_another_remedy_is_another_fault():
    crm_mon = denied(attempt("crm_mon"), "insufficient privileges")
    assert [each.cause for each in faults(view(), [crm_mon, CFGTOOL])] == [crm_mon, CFGTOOL]


def test_a_tool_that_nobody_has_to_read_is_named_beside_one_that_somebody_has():
    seen = View("app01", view().time, {CMAP: Answer(None, (CMAPCTL,)), VOTES: silent()})
    (fault,) = faults(seen, [CFGTOOL])
    assert fault.text.startswith("corosync-cfgtool, corosync-quorumtool, corosync-cmapctl: ")
    assert fault.follows == ()


def test_a_tool_that_nobody_has_to_read_is_no_fault_of_its_own():
    assert not faults(View("app01", view().time, {VOTES: silent()}), [])


def silent():
    words = "Cannot initialize CMAP service"
    answer = judged(attempt("corosync-quorumtool", exit_code=1, stderr=words))
    assert (answer.problems, len(answer.silent)) == ((), 1)
    return answer


def test_tools_that_are_not_installed_are_one_fault():
    missing = [
        no_output(attempt(name, obstacle=Obstacle.MISSING, detail=f"{name} is not installed"))
        for name in ("corosync-cfgtool", "corosync-cmapctl")
    ]
    (fault,) = faults(view(), missing)
    assert fault.text == "corosync-cfgtool, corosync-cmapctl are not installed"


def test_tools_that_sudo_refuses_are_one_fault_and_the_step_names_the_user():
    lines = {
        "crm_mon": "icinga ALL=(root) NOPASSWD: /usr/sbin/crm_mon -r -1 -X",
        "cibadmin": "icinga ALL=(root) NOPASSWD: /usr/sbin/cibadmin --query",
    }
    found = [
        no_output(
            attempt(
                name,
                obstacle=Obstacle.DENIED,
                detail=f"sudo refused to run {name}; sudoers needs: {line}",
            )
        )
        for name, line in lines.items()
    ]
    assert found[0].text == f"crm_mon: refused by sudo; sudoers needs: {lines['crm_mon']}"
    (fault,) = faults(view(), found)
    assert fault.text == "crm_mon, cibadmin: refused by sudo"
    assert "visudo -f /etc/sudoers.d/check_mccluster" in fault.cause.next_step
    assert "name icinga in its User_Alias" in fault.cause.next_step


@pytest.mark.parametrize(
    ("program", "way"),
    [
        ("crm_mon", "a read ACL (docs/permissions.md), then: usermod -a -G haclient nrpe"),
        (
            "corosync-cfgtool",
            r"printf 'uidgid {\n uid: nrpe\n}\n' > /etc/corosync/uidgid.d/nrpe;"
            " corosync-cfgtool -R",
        ),
    ],
)
def test_the_step_is_typed_as_it_is_printed(program, way):
    step = refused(program, "nrpe").next_step
    assert step == (
        "Run it with --sudo: /etc/sudoers.d/check_mccluster (in the packages; else"
        f" contrib/sudoers) has to name nrpe in its User_Alias. Without sudo: {way}"
    )
    assert len(step) < 250


def test_nodes_that_may_not_ask_are_one_fault_with_both_ways(call, tmp_path):
    for name in ("app01", "app02"):
        shutil.copytree(SNAPSHOTS / "six-nodes-healthy-as-nagios/app01", tmp_path / name)
        meta = json.loads((tmp_path / name / "meta.json").read_text())
        (tmp_path / name / "meta.json").write_text(json.dumps({**meta, "node": name}))
    out = call("cluster", "-v", "--from", tmp_path).out
    (told,) = (each for each in out.splitlines() if each.startswith("[UNKNOWN] tool-denied"))
    assert "app01, app02: crm_mon: insufficient privileges" in told
    assert "corosync-cfgtool, corosync-cmapctl, corosync-quorumtool: access denied" in told
    assert "usermod -a -G haclient USER; printf" in told


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["r1/0", "r1/1"], "r1/0, r1/1: gone"),
        (["a/0", "b/0", "c/0", "d/0"], "a/0, b/0, c/0, d/0: gone"),
        (["pvc-353143c5/0", "pvc-353143c6/0"], "gone: 2 volumes (pvc-353143c5/0, pvc-353143c6/0)"),
        ([f"a{n}/0" for n in range(60)], "gone: 60 volumes (a0/0, a1/0 and 58 more)"),
    ],
)
def test_names_of_many_leave_room_for_what_is_said(names, words):
    assert of_many(names, "gone", "volumes") == words


# -- the first line --------------------------------------------------------------------------------

KIND = Kind("a-key", State.CRITICAL, "a meaning", "a step")


def line(*texts):
    found = [finding(KIND, subject.resource(text), text) for text in texts]
    told = tuple(map(Fault, found))
    return first_line(Report(tuple(found), faults=told, lines=(Line("one", State.CRITICAL, ""),)))


def test_details_of_the_first_fault_go_before_the_object_of_the_second():
    assert line(
        "r0/0: 5.6 MiB out of sync with storage03, both UpToDate, no resync; storage03 differs",
        "r1/0, r1/1: a pause of the resync with storage02 was left, nothing is to sync",
    ) == (
        "r0/0: 5.6 MiB out of sync with storage03;"
        " r1/0, r1/1: a pause of the resync with storage02 was left, nothing is to sync"
    )


def test_brackets_go_before_words():
    assert line(
        "r0/0: no UpToDate copy can be reached from app01 (storage01, storage03: Inconsistent (half"
        " a copy); storage02: out of reach)",
        "Corosync does not run on this node, and has not for a while",
    ) == (
        "r0/0: no UpToDate copy can be reached from app01;"
        " Corosync does not run on this node, and has not for a while"
    )


def test_the_other_object_of_a_fault_stays():
    long = "app01 reaches none of its ping targets (pingd 0 of 1) and this goes on " + "x" * 60
    assert "app02" not in line(long)  # constructed: no other object, words are cut
    text = f"{'app01 reaches none of its ping targets (pingd 0 of 1000)'}; app02 too"
    assert line(text, "y" * 70).startswith("app01 reaches none of its ping targets; app02 too; ")


def test_what_is_cut_is_told_as_far_as_there_is_room():
    text = f"the DRBD kernel module is not loaded (modprobe: FATAL: {'x' * 100})"
    assert line(text).startswith("the DRBD kernel module is not loaded (modprobe: FATAL: xxx")
    assert line(text).endswith("...")


def test_a_barred_service_keeps_its_name_its_node_and_what_follows():
    first = "FS_DRBD is barred from app02: fail-count INFINITY (start: error), hence group1 is down"
    assert line(first, f"FS_DRBD is barred from app01: {'y' * 60}") == (
        "FS_DRBD is barred from app02: fail-count INFINITY, hence group1 is down;"
        " FS_DRBD is barred from app01"
    )


def test_of_missing_copies_the_names_stay():
    assert line(
        "r0/0: quorum lost on app01, I/O fails, 1 of 3 copies UpToDate and reachable, not"
        " storage02: Outdated (whole, but old); not storage03: Inconsistent, resync by another node"
    ) == (
        "r0/0: quorum lost on app01, I/O fails, 1 of 3 copies UpToDate and reachable,"
        " not storage02, storage03"
    )


def test_what_runs_stands_beside_a_single_fault():
    found = finding(KIND, subject.resource("FS"), "FS failed")
    told = Report(
        (found,),
        faults=(Fault(found),),
        lines=(Line("one", State.CRITICAL, ""),),
        running=("r1/0: online verify with storage02",),
    )
    assert first_line(told) == "FS failed; r1/0: online verify with storage02"
