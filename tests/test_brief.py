"""status --brief: at most 24 lines, faults with their steps, one line for each part."""

from __future__ import annotations

from pathlib import Path

import pytest

from build import cluster, drbd, node, primitive, report, stopped, view
from check_mccluster.judge.picture import picture
from check_mccluster.present.brief import brief
from check_mccluster.present.layout import render
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import Fault, Finding, Kind, Report, State
from check_mccluster.verdict.view import Judgement

SNAPSHOTS = Path(__file__).parents[1] / "fixtures" / "snapshots"
NODES = sorted(path.parent for path in SNAPSHOTS.glob("*/*/meta.json"))


def lines_of(*seen: Judgement, width: int = 80) -> list[str]:
    shown = picture(seen, seen[0].report)
    return [render(line, colour=False) for line in brief(shown, width)]


def test_two_storage_servers_lost(call):
    outcome = call("status", "--brief", "--from", SNAPSHOTS / "storage-servers-lost/app01")
    assert (
        outcome.out
        == """\
CRITICAL  1 fault; seen from app01, 2026-11-22 09:05:54 UTC, snapshot

! CRITICAL r0/0: quorum lost on app01, I/O fails, 1 of 3 copies UpToDate and
           reachable, not storage02, storage03
           -> on storage02, storage03: drbdadm status r0; not up: drbdadm up r0;
              StandAlone: drbdadm connect r0:app01 (not after a split brain:
              journalctl -k -g Split-Brain); else on app01: ping -c 3
              10.77.0.12; ping -c 3 10.77.0.13; the firewall (port 7000)

 Cluster  quorate, 3 of 3 votes, can lose 1; DC app02
 Nodes  3 online: app01, app02 (DC), app03
!Resources  group1 5 of 5 run on app01
!DRBD r0  Primary app01, 1 of 3 copies, 3 of 5 connected
"""
    )


def test_healthy_cluster_is_a_line_a_part(call):
    outcome = call("status", "--brief", "--from", SNAPSHOTS / "six-nodes-healthy")
    assert outcome.out.splitlines()[-4:] == [
        " Cluster  quorate, 3 of 3 votes, can lose 1; DC app02",
        " Nodes  3 online: app01, app02 (DC), app03",
        " Resources  group1 on app01",
        " DRBD r0  Primary app01, 3 of 3 copies, 30 of 30 connected",
    ]


def test_node_that_is_online_and_in_a_fault_is_named_apart(call):
    outcome = call("status", "--brief", "--from", SNAPSHOTS / "fencing-failed/app01")
    assert "!Nodes  app02 online, in a fault; 2 online: app01 (DC), app03" in outcome.out


@pytest.mark.parametrize("place", NODES, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_recorded_node_fits_24_lines_of_80_columns(call, place):
    lines = call("status", "--brief", "--from", place).out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("place", sorted({path.parent for path in NODES}), ids=lambda p: p.name)
def test_every_recorded_cluster_fits_too(call, place):
    lines = call("status", "--brief", "--from", place).out.splitlines()
    assert len(lines) <= 24


def test_faults_that_do_not_fit_are_counted():
    kind = Kind("resource-stopped", State.CRITICAL, "A resource does not run.", "crm_mon -1")
    findings = tuple(
        Finding(kind, subject.resource(f"D{n}"), f"D{n} is stopped", State.CRITICAL, "crm_mon -1")
        for n in range(300)
    )
    faults = tuple(map(Fault, findings))
    lines = lines_of(Judgement(view(), Report(findings, faults=faults)))
    assert len(lines) <= 24
    (rest,) = [line for line in lines if "more faults" in line]
    told = sum(" is stopped" in line for line in lines)
    assert rest == f"  and {300 - told} more faults: check_mccluster status"
    assert told >= 5


def test_what_is_wrong_stands_before_what_runs():
    known = cluster((node(), node("app02")), (primitive("A"), stopped("B")))
    lines = lines_of(Judgement(view(known), report("resources", view(known))))
    assert "Resources  B Stopped; A on app01" in lines[-1]


def test_many_volumes_in_order_share_a_line():
    volumes = tuple(drbd(name=f"r{number}") for number in range(60))
    lines = lines_of(Judgement(view(drbd=volumes), Report()))
    assert lines[-1] == " DRBD  60 resources in order: r0, r1, r2, r3, r4, r5 and 54 more"


def test_brief_and_full_exclude_each_other(call):
    outcome = call("status", "--brief", "--full", "--from", SNAPSHOTS / "six-nodes-healthy/app01")
    assert (outcome.code, outcome.first) == (
        3,
        "CHECK_MCCLUSTER UNKNOWN - --brief or --full, not both",
    )


def test_full_ends_with_what_every_loss_would_do(call):
    outcome = call("status", "--full", "--from", SNAPSHOTS / "six-nodes-healthy")
    lines = outcome.out.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("What if a node were lost"))
    assert lines[start + 1].startswith("6 nodes asked, each about its own DRBD")
    assert lines[start + 3].split() == ["LOST", "THEN", "VOTES", "COPIES"]
    assert lines[start + 4].split()[0] == "app01"
    assert "group1 would move to app02" in lines[start + 4]


def test_storage_server_has_no_losses_to_tell(call):
    node = SNAPSHOTS / "six-nodes-healthy/storage01"
    assert call("status", "--full", "--from", node) == call("status", "--from", node)
