"""Local checks for Checkmk: whole lines, each as Checkmk's own parser takes them apart."""

from __future__ import annotations

import re
import subprocess

import pytest

from check_mccluster.checks import registry
from check_mccluster.judge.fold import in_parts
from check_mccluster.present import checkmk
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import Fault, Figure, Kind, Line, Report, State, finding
from conftest import FIXTURES
from daemons import ROOT

SNAPSHOTS = FIXTURES / "snapshots"
CONTRIB = ROOT / "contrib" / "checkmk"


def as_text(report: Report, *, hush: bool = False) -> str:
    """The lines of a report, its parts folded."""
    return checkmk.as_text(report, in_parts(report, hush=hush))


LINE = re.compile(r'([0-3]) "([^"\']+)" (-|[^ ]+) ([^ ].*)')
METRIC = re.compile(
    r"[A-Za-z0-9_]+=-?[0-9.]+(?:e[+-]?[0-9]+)?(?:;;;(?:-?[0-9.]+)?(?:;-?[0-9.]+)?)?"
)
"""A name and a number; no thresholds, then least and most."""


def parsed(text: str) -> dict[str, tuple[int, str, str]]:
    """State, metrics and text by service, as Checkmk takes a line apart; none is there twice."""
    found = {}
    for line in text.splitlines():
        match = LINE.fullmatch(line)
        assert match, line
        state, service, metrics, words = match.groups()
        assert service not in found
        entries = [] if metrics == "-" else metrics.split("|")
        assert all(METRIC.fullmatch(each) for each in entries), metrics
        names = [each.partition("=")[0] for each in entries]
        assert len({*names}) == len(names)
        found[service] = (int(state), metrics, words)
    return found


WHOLE_HEALTHY = (
    '0 "MCCluster tools" - every tool that was asked gave its answer\n'
    '0 "MCCluster drbd-role" primaries=1;;;0|r0_primary_storage01=0;;;0;1|r0_primary_app0'
    "1=1;;;0;1|r0_primary_app02=0;;;0;1|r0_primary_app03=0;;;0;1|r0_primary_storage02=0;;"
    ";0;1|r0_primary_storage03=0;;;0;1 r0: Primary app01\n"
    '0 "MCCluster drbd-disk" volumes=1;;;0|volumes_uptodate=1;;;0;1|volumes_client=0;;;0;'
    "1|r0_0_size=536719360;;;0 r0/0 UpToDate\n"
    '0 "MCCluster drbd-mesh" connected=5;;;0;5|connected_min=5;;;0|r0_connected=5;;;0;5 '
    "r0: 5 of 5 peers connected\n"
    '0 "MCCluster drbd-quorum" copies_min=3;;;0|r0_0_copies=3;;;0;3|r0_0_replicas=3;;;0|r'
    "0_0_votes_margin=1;;;0 r0/0: 3 of 3 copies, can lose 1\n"
    '0 "MCCluster drbd-sync" out_of_sync_max=0;;;0|r0_0_out_of_sync=0;;;0|r0_0_in_sync=10'
    "0;;;0;100 r0: nothing to resync\n"
)

WHOLE_LOST = (
    '0 "MCCluster tools" - every tool that was asked gave its answer\n'
    '0 "MCCluster drbd-role" primaries=1;;;0|r0_primary_storage01=0;;;0;1|r0_primary_app0'
    "1=1;;;0;1|r0_primary_app02=0;;;0;1|r0_primary_app03=0;;;0;1|r0_primary_storage02=0;;"
    ";0;1|r0_primary_storage03=0;;;0;1 r0: Primary app01\n"
    '0 "MCCluster drbd-disk" volumes=1;;;0|volumes_uptodate=1;;;0;1|volumes_client=0;;;0;'
    "1|r0_0_size=536719360;;;0 r0/0 UpToDate\n"
    '0 "MCCluster drbd-mesh" connected=3;;;0;5|connected_min=3;;;0|r0_connected=3;;;0;5 '
    "follows from drbd-quorum-lost r0/0: r0: replica storage02 is Connecting, 3 of 5 connected; "
    "follows from drbd-quorum-lost r0/0: r0: replica storage03 is Connecting, 3 of 5 connected; "
    "see MCCluster drbd-quorum\n"
    '2 "MCCluster drbd-quorum" copies_min=1;;;0|r0_0_copies=1;;;0;3|r0_0_replicas=3;;;0|r'
    "0_0_votes_margin=0;;;0 r0/0: quorum lost on storage01, 1 of 3 copies UpToDate and "
    "reachable, not storage02, storage03\\n[CRITICAL] drbd-quorum-lost: r0/0: quorum lost "
    "on storage01, 1 of 3 copies UpToDate and reachable, not storage02, storage03 -> on "
    "storage02, storage03: drbdadm status r0; not up: drbdadm up r0; StandAlone: drbdadm c"
    "onnect r0:storage01 (not after a split brain: journalctl -k -g Split-Brain); else on "
    "storage01: ping -c 3 10.77.0.12; ping -c 3 10.77.0.13; the firewall (port 7000); on app01 ("
    "Primary): drbdadm status r0: quorum:no there means that its I/O fails (on-no-quorum io-er"
    "ror)\n"
    '0 "MCCluster drbd-sync" out_of_sync_max=0;;;0|r0_0_out_of_sync=0;;;0|r0_0_in_sync=10'
    "0;;;0;100 r0: nothing to resync\n"
)

WHOLE_DOWN = (
    '2 "MCCluster tools" - Pacemaker does not run on this node (+1 more)\\n[CRITICAL] '
    "pacemaker-down: Pacemaker does not run on this node -> journalctl -u corosync -u "
    "pacemaker tells why it stopped; to start it: systemctl start pacemaker (pcs cluster start)"
    "\\n[UNKNOWN] tool-missing: "
    "corosync-cfgtool: not in the snapshot (not installed there?) -> "
    "Install it, or run this check only where it belongs (a snapshot: record it anew with"
    " it); --severity tool-missing=ok silences it.\n"
    '0 "MCCluster nodes" - not judged: see MCCluster tools\n'
    '0 "MCCluster quorum" - not judged: see MCCluster tools\n'
    '0 "MCCluster links" - not judged: see MCCluster tools\n'
    '0 "MCCluster resources" - not judged: see MCCluster tools\n'
    '0 "MCCluster failures" - not judged: see MCCluster tools\n'
    '0 "MCCluster fencing" - not judged: see MCCluster tools\n'
    '0 "MCCluster placement" - not judged: see MCCluster tools\n'
    '0 "MCCluster failover" - not judged: see MCCluster tools\n'
)


def test_whole_output_of_a_healthy_storage_server(call):
    outcome = call("checkmk", "--from", SNAPSHOTS / "six-nodes-healthy" / "storage01")

    assert outcome.code == 0
    assert outcome.out == WHOLE_HEALTHY


def test_whole_output_where_quorum_is_lost_and_only_its_cause_is_red(call):
    outcome = call("checkmk", "--from", SNAPSHOTS / "storage-servers-lost" / "storage01")

    assert outcome.code == 0
    assert outcome.out == WHOLE_LOST


def test_whole_output_where_pacemaker_does_not_run(call):
    outcome = call("checkmk", "--from", SNAPSHOTS / "pacemaker-1.1.24-not-running" / "app01")

    assert outcome.code == 0
    assert outcome.out == WHOLE_DOWN


def test_one_node_tells_and_the_others_name_it(call):
    folder = SNAPSHOTS / "storage-servers-lost"
    told = {
        node: {
            service: words
            for service, (state, _, words) in parsed(
                call("checkmk", "--speaker", "--from", folder / node).out
            ).items()
            if state != 0
        }
        for node in ("app01", "app02", "app03", "storage01")
    }

    assert [*told["app01"]] == ["MCCluster drbd-quorum"]
    assert (told["app02"], told["app03"], told["storage01"]) == ({}, {}, {})
    hushed = parsed(call("checkmk", "--speaker", "--from", folder / "storage01").out)
    assert hushed["MCCluster drbd-quorum"][2].startswith("told by app01: r0/0: quorum lost")


def test_nothing_to_look_at_is_a_line_and_no_error_of_the_agent(call):
    outcome = call("checkmk", "--from", "/nowhere")

    assert (outcome.code, outcome.out) == (
        0,
        '3 "MCCluster tools" - cannot read /nowhere: No such file or directory\n',
    )


@pytest.mark.parametrize("folder", sorted(SNAPSHOTS.glob("*/*/meta.json")), ids=str)
def test_every_recording_is_told_in_lines_that_checkmk_takes(call, folder):
    place = folder.parent
    outcome = call("checkmk", "--from", place)
    services = parsed(outcome.out)
    whole = call("overview", "--from", place).code

    assert outcome.code == 0
    worst = max((state for state, _, _ in services.values()), key=(0, 1, 3, 2).index)
    assert worst == whole  # nothing is silent, and nothing is graver than the verdict


BAD = Kind("bad-name", State.CRITICAL, "Meaning.", "look at {object}")


def judged(name: str, figures: tuple[Figure, ...] = ()) -> Report:
    """One check with one fault about *name*."""
    each = finding(BAD, subject.drbd(name), f"{name} is bad")
    line = Line("drbd-disk", State.CRITICAL, each.text, frozenset({"bad-name"}), figures)
    return Report((each,), "", (), (), (Fault(each),), (line,))


def test_names_with_everything_in_them_stay_in_their_line():
    text = as_text(judged('a\\nb "c" | d\n2 "evil" - e'))

    assert text == (
        '0 "MCCluster tools" - every tool that was asked gave its answer\n'
        '2 "MCCluster drbd-disk" - a\\ nb "c" / d 2 "evil" - e is bad'
        '\\n[CRITICAL] bad-name: a\\ nb "c" / d 2 "evil" - e is bad'
        ' -> look at \'a\\ nb "c" / d 2 "evil" - e\'\n'
    )


def test_metrics_that_become_one_name_are_told_apart_and_the_unknown_is_left_out():
    figures = (
        Figure("r0/0_copies", 2, minimum=0, maximum=3),
        Figure("r0_0_copies", 1.5, "s"),
        Figure("r0:0=copies", None),
        Figure("grün", float("nan")),
        Figure("größe", 7, "B", minimum=0),
    )
    text = as_text(judged("r0", figures)).splitlines()[1]

    assert text.split(" ")[3] == "r0_0_copies=2;;;0;3|r0_0_copies_2=1.5|gr__e=7;;;0"


def test_of_many_faults_some_are_told_and_the_rest_counted():
    many = tuple(finding(BAD, subject.drbd(f"r{n}"), f"r{n} is bad") for n in range(2000))
    line = Line("drbd-disk", State.CRITICAL, "many", frozenset({"bad-name"}))
    text = as_text(Report(many, "", (), (), tuple(map(Fault, many)), (line,)))

    assert "r0 is bad (+1999 more)\\n" in text
    assert text.endswith("\\nand 1990 more: check_mccluster overview -v\n")
    assert len(text) < 2000


# -- what is shipped ---------------------------------------------------------------------------


def test_mrpe_has_a_line_for_every_check_and_runs_the_overview():
    lines = (CONTRIB / "mrpe.cfg").read_text().splitlines()
    entry = re.compile(
        r"(#?)(MCCluster\S*) \(interval=60\) /usr/lib/nagios/plugins/check_mccluster (\S+)(?: .*)?"
    )
    found = [match.groups() for match in map(entry.fullmatch, lines) if match]

    assert {check for _, _, check in found} == {*registry.names()}
    assert [(name, check) for mark, name, check in found if not mark] == [("MCCluster", "overview")]
    others = [line for line in lines if line and not entry.fullmatch(line)]
    assert all(line.startswith("# ") for line in others)


def test_local_check_is_a_script_that_runs_the_command(tmp_path):
    program = tmp_path / "check_mccluster"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    script = (CONTRIB / "mccluster").read_text()
    script = script.replace("PATH=", f"PATH={tmp_path}:", 1)
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "checkmk --speaker --timeout 20\n"
