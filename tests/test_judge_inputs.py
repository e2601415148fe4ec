"""Is what a tool said evidence at all? Pacemaker's and Corosync's answers, constructed."""

from __future__ import annotations

import json
import re
import shutil
from io import BytesIO

import pytest

from build import SNAPSHOTS
from build_documents import crm_mon_root, result
from check_mccluster.inputs import cibadmin, corosync, corosync_cfgtool, corosync_quorumtool
from check_mccluster.inputs import crm_mon as crm_mon_input
from check_mccluster.inputs.base import Attempt, Obstacle
from check_mccluster.read.corosync import read_cfgtool, read_quorumtool
from check_mccluster.read.crm_mon import read_crm_mon
from check_mccluster.verdict.view import Answer

VOTES = (SNAPSHOTS / "six-nodes-healthy/app01/corosync-quorumtool.txt").read_text()
LINKS = (SNAPSHOTS / "six-nodes-healthy/app01/corosync-cfgtool.txt").read_text()
GOOD = (SNAPSHOTS / "six-nodes-healthy/app01/crm_mon.xml").read_text()
SUMMARY = (
    '<summary><stack type="corosync"/><current_dc present="false"/><cluster_options/></summary>'
)
COULD_NOT = "Could not connect to the CIB: Transport endpoint is not connected"


class Stream(BytesIO):
    """What the readers read from."""


def attempt(text, *, rc=0, stderr="", program="crm_mon", reader=read_crm_mon, **facts):
    document = None
    if not facts:
        document = reader(Stream(text.encode()) if reader is read_crm_mon else text)
    command = f"{program} -s"
    return Attempt(
        program=program,
        command=command,
        exit_code=rc,
        stderr=stderr,
        document=document,
        text=text[:200],
        **facts,
    )


def found(answer):
    return [(each.key, each.state.name, each.text) for each in answer.problems]


def root(inside="", state=None):
    daemon = f'<pacemakerd sys_from="pacemakerd" state="{state}"/>' if state else ""
    return crm_mon_root(daemon, inside)


DOWN = ("pacemaker-down", "CRITICAL", "Pacemaker does not run on this node")
NO_COROSYNC = ("pacemaker-down", "CRITICAL", "Corosync does not run on this node")
NO_SUMMARY = ("output-invalid", "UNKNOWN", "crm_mon: no summary in the document")

# In the order of the policy: Corosync, the word of pacemakerd, what stderr says.
NO_ANSWER = {
    "corosync-down-is-asked-first": (root(state="running"), 0, COULD_NOT, False, NO_COROSYNC),
    "starting": (
        root(state="starting_daemons"),
        0,
        "",
        True,
        ("pacemaker-starting", "WARNING", "Pacemaker is starting (starting_daemons)"),
    ),
    "starting-init": (
        root(state="init"),
        0,
        COULD_NOT,
        None,
        ("pacemaker-starting", "WARNING", "Pacemaker is starting (init)"),
    ),
    "starting-wait-for-ping": (
        root(state="wait_for_ping"),
        0,
        "",
        None,
        ("pacemaker-starting", "WARNING", "Pacemaker is starting (wait_for_ping)"),
    ),
    "stopping": (
        root(state="shutting_down"),
        0,
        COULD_NOT,
        True,
        ("pacemaker-stopping", "WARNING", "Pacemaker is stopping (shutting_down)"),
    ),
    "stopped-in-order": (
        root(state="shutdown_complete"),
        0,
        "",
        None,
        ("pacemaker-stopping", "WARNING", "Pacemaker is stopping (shutdown_complete)"),
    ),
    "running-with-words-on-stderr": (
        root(state="running"),
        0,
        COULD_NOT,
        True,
        (
            "pacemaker-unresponsive",
            "CRITICAL",
            f"Pacemaker runs and does not answer: {COULD_NOT}",
        ),
    ),
    "running-without-a-word-is-an-acl": (
        root(state="running"),
        0,
        "",
        True,
        ("tool-denied", "UNKNOWN", "crm_mon: the CIB is hidden from this user by an ACL"),
    ),
    "nothing-at-all": (root(), 0, "", None, NO_SUMMARY),
    "nothing-at-all-and-exit-102": (root(), 102, "Not connected", None, DOWN),
    "status-102": (result(code=102, errors=("Not connected",)), 102, "", None, DOWN),
    "status-4": (
        result(code=4, errors=("Permission denied",)),
        4,
        "",
        None,
        ("tool-denied", "UNKNOWN", "crm_mon: insufficient privileges"),
    ),
    "schema-too-new": (
        root(),
        78,
        "Update does not conform",
        None,
        (
            "tool-failed",
            "UNKNOWN",
            "crm_mon failed with exit code 78: Update does not conform",
        ),
    ),
    "status-0-with-errors": (
        result(code=0, errors=("Could not connect to the CIB",)),
        0,
        "",
        None,
        NO_SUMMARY,
    ),
    "summary-without-nodes": (
        root(SUMMARY),
        0,
        "",
        None,
        ("output-invalid", "UNKNOWN", "crm_mon: no node in the document"),
    ),
    "word-of-pacemakerd-that-nobody-knows": (
        root(state="dreaming"),
        0,
        "",
        None,
        ("output-invalid", "UNKNOWN", "crm_mon: unknown word 'dreaming' as state of pacemakerd"),
    ),
}


@pytest.mark.parametrize("case", NO_ANSWER)
def test_constructed_crm_mon_without_an_answer(case):
    text, rc, stderr, corosync, (key, state, words) = NO_ANSWER[case]
    answer = crm_mon_input.judged(attempt(text, rc=rc, stderr=stderr), corosync)
    assert answer.value is None
    [(got_key, got_state, got_words)] = found(answer)
    assert (got_key, got_state) == (key, state)
    assert got_words.startswith(words)


TEXT = "\nError: cluster is not available on this node\n"
NO_XML = {
    "not-running-in-1.1": (TEXT, 107, "", None, DOWN),
    "not-running-in-2.0.1": (TEXT, 102, "", None, DOWN),
    "refused-in-1.1": (
        "\nConnection to cluster failed: Connection refused\n",
        111,
        "",
        None,
        DOWN,
    ),
    # 107 is something else in 2.0 and later.
    "exit-107-without-those-words": (
        "",
        107,
        "Unsafe",
        None,
        ("tool-failed", "UNKNOWN", "crm_mon failed with exit code 107: Unsafe"),
    ),
    "denied": (
        "",
        4,
        "",
        None,
        ("tool-denied", "UNKNOWN", "crm_mon: insufficient privileges"),
    ),
    "usage": (
        "",
        64,
        "crm_mon: Unknown option -X",
        None,
        ("tool-failed", "UNKNOWN", "crm_mon failed with exit code 64: crm_mon: Unknown option -X"),
    ),
    "nothing-and-exit-0": ("", 0, "", None, ("output-invalid", "UNKNOWN", "crm_mon: empty")),
    "nothing-and-corosync-down": ("", 1, "", False, NO_COROSYNC),
}


@pytest.mark.parametrize("case", NO_XML)
def test_constructed_crm_mon_without_a_document(case):
    text, rc, stderr, corosync, (key, state, words) = NO_XML[case]
    one = attempt(text, rc=rc, stderr=stderr, obstacle=Obstacle.INVALID, detail="empty")
    [(got_key, got_state, got_words)] = found(crm_mon_input.judged(one, corosync))
    assert (got_key, got_state) == (key, state)
    assert got_words.startswith(words)


COMPLETE = {
    "exit-102": (102, "", "pacemaker-down"),
    "exit-4": (4, "", "tool-denied"),
    "exit-1": (1, "broken", "tool-failed"),
    "stderr-contradicts": (0, COULD_NOT, "tool-failed"),
}


@pytest.mark.parametrize("case", COMPLETE)
def test_constructed_whole_document_that_cannot_be_trusted(case):
    rc, stderr, key = COMPLETE[case]
    answer = crm_mon_input.judged(attempt(GOOD, rc=rc, stderr=stderr), True)
    assert answer.value is None
    assert [each.key for each in answer.problems] == [key]


def test_constructed_whole_document_with_errors_in_its_status():
    status = '<status code="0" message="OK"><errors><error>half</error></errors></status>'
    text = GOOD.replace("</crm_mon>", f"{status}</crm_mon>")
    [(key, _, words)] = found(crm_mon_input.judged(attempt(text), True))
    assert (key, words) == ("tool-failed", "crm_mon reports an error: half")


def test_constructed_node_without_online_and_words_that_nobody_knows():
    text = GOOD.replace(' online="true"', "", 1).replace('role="Started"', 'role="Dancing"', 1)
    answer = crm_mon_input.judged(attempt(text), True)
    assert answer.value is not None
    assert found(answer) == [
        ("output-invalid", "UNKNOWN", "crm_mon: node app01 without the attribute online"),
        ("output-invalid", "UNKNOWN", "crm_mon: unknown word 'Dancing' as role of FS_DRBD"),
    ]


FAULTS = {
    Obstacle.MISSING: "tool-missing",
    Obstacle.DENIED: "tool-denied",
    Obstacle.TIMEOUT: "tool-timeout",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_constructed_tool_that_gave_nothing(fault):
    one = attempt("", obstacle=fault, detail="crm_mon: why")
    for answer in (
        crm_mon_input.judged(one, None),
        cibadmin.judged(one, Answer()),
        corosync_cfgtool.judged(one),
    ):
        assert found(answer) == [(FAULTS[fault], "UNKNOWN", "crm_mon: why")]


# -- the CIB -------------------------------------------------------------------------------------


def cib(rc, stderr="", cluster=None):
    one = attempt(
        "", rc=rc, stderr=stderr, program="cibadmin", obstacle=Obstacle.INVALID, detail="x"
    )
    return found(cibadmin.judged(one, cluster or Answer()))


def test_constructed_cibadmin():
    assert [key for key, _, _ in cib(4)] == ["tool-denied"]
    assert [key for key, _, _ in cib(1, "Permission denied")] == ["tool-denied"]
    assert [key for key, _, _ in cib(124)] == ["tool-failed"]
    assert [key for key, _, _ in cib(0)] == ["output-invalid"]


def test_constructed_cibadmin_where_crm_mon_has_no_answer_either():
    crm_mon = crm_mon_input.judged(attempt(root(), rc=102), None)
    assert cib(102, "Transport endpoint is not connected", crm_mon) == []


# -- Corosync ------------------------------------------------------------------------------------

ACCESS = "Cannot initialise quorum service: CS_ERR_ACCESS"
LIBRARY = "Cannot initialise quorum service: CS_ERR_LIBRARY"


@pytest.mark.parametrize("rc", [0, 1, 2, 255])
def test_constructed_votes_are_read_whatever_the_exit_code(rc):
    one = attempt(VOTES, rc=rc, program="corosync-quorumtool", reader=read_quorumtool)
    answer = corosync_quorumtool.judged(one)
    assert (answer.problems, answer.value is not None) == ((), True)


@pytest.mark.parametrize(
    ("rc", "stderr", "keys"),
    [
        (1, ACCESS, []),
        (1, LIBRARY, []),
        (1, "Cannot initialize CMAP service", []),
        (1, "something else", ["tool-failed"]),
        (0, "", ["output-invalid"]),
    ],
)
def test_constructed_votes_are_counted_otherwise_where_they_may_not_be_asked(rc, stderr, keys):
    one = attempt("", rc=rc, stderr=stderr, obstacle=Obstacle.INVALID, detail="empty output")
    answer = corosync_quorumtool.judged(one)
    assert answer.value is None
    assert [each.key for each in answer.problems] == keys


@pytest.mark.parametrize(
    ("rc", "stderr", "key"),
    [
        (1, ACCESS, "tool-denied"),
        (1, LIBRARY, "pacemaker-down"),
        (1, "something else", "tool-failed"),
        (0, "", "output-invalid"),
    ],
)
def test_constructed_links_and_timing_need_corosync(rc, stderr, key):
    one = attempt("", rc=rc, stderr=stderr, obstacle=Obstacle.INVALID, detail="empty output")
    for answer in (corosync_cfgtool.judged(one), corosync.judged(one)):
        assert [each.key for each in answer.problems] == [key]


def test_constructed_link_state_that_nobody_knows():
    text = LINKS.replace("disconnected", "connected").replace("\tconnected", "\twobbling", 1)
    one = attempt(text, program="corosync-cfgtool", reader=read_cfgtool)
    [(key, _, words)] = found(corosync_cfgtool.judged(one))
    assert key == "output-invalid"
    assert "'wobbling'" in words


def test_constructed_whether_corosync_runs():
    runs = attempt(VOTES, rc=1, program="corosync-quorumtool", reader=read_quorumtool)
    down = attempt("", rc=1, stderr=LIBRARY, obstacle=Obstacle.INVALID, detail="")
    denied = attempt("", rc=1, stderr=ACCESS, obstacle=Obstacle.INVALID, detail="")
    missing = attempt("", obstacle=Obstacle.MISSING, detail="")
    assert corosync.runs_by(down, runs) is True
    assert corosync.runs_by(missing, down) is False
    assert corosync.runs_by(missing, denied, None) is None


# -- the age of a snapshot -----------------------------------------------------------------------


def test_an_old_snapshot_says_how_old_it_is(call):
    recorded = SNAPSHOTS / "six-nodes-healthy/app01"
    outcome = call("nodes", "--from", recorded, "--max-age", "60", "--json")
    [stale] = [f for f in json.loads(outcome.out)["findings"] if f["key"] == "snapshot-stale"]
    assert stale["state"] == "UNKNOWN"
    assert re.fullmatch(r"the snapshot is [0-9]+ s old, more than 60 s", stale["text"])


@pytest.mark.parametrize(
    ("options", "code", "first"),
    [
        (("--max-age", "60"), 3, "NODES UNKNOWN - the snapshot is "),
        (("--max-age", "9999999999"), 0, "NODES OK - 3 of 3 nodes online, DC app02"),
        (
            ("--max-age", "60", "--severity", "snapshot-stale=ok"),
            0,
            "NODES OK - 3 of 3 nodes online, DC app02",
        ),
    ],
)
def test_max_age(call, options, code, first):
    outcome = call("nodes", "--from", SNAPSHOTS / "six-nodes-healthy/app01", *options)
    assert outcome.code == code
    assert outcome.first.startswith(first)


# -- through the program -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "stderr", "code", "first"),
    [
        (
            root(state="shutting_down"),
            COULD_NOT,
            1,
            "NODES WARNING - Pacemaker is stopping (shutting_down)",
        ),
        (
            root(state="init"),
            "",
            1,
            "NODES WARNING - Pacemaker is starting (init)",
        ),
        (
            root(state="running"),
            "",
            3,
            "NODES UNKNOWN - crm_mon: the CIB is hidden from this user by an ACL",
        ),
    ],
)
def test_constructed_through_the_program(call, tmp_path, text, stderr, code, first):
    folder = tmp_path / "app01"
    shutil.copytree(SNAPSHOTS / "six-nodes-healthy/app01", folder)
    (folder / "crm_mon.xml").write_text(text)
    (folder / "crm_mon.xml.err").write_text(stderr)
    outcome = call("nodes", "--from", folder)
    assert outcome.code == code
    assert outcome.first.startswith(first)
    assert len(outcome.lines) == 1
