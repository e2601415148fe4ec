"""The operator's screen: what it says, that it fits, and that a terminal is left as it was."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from build import NOW, cluster, primitive, replace, view_of
from build_drbd import away, connection, device, peer_device, progress, resource, view
from check_mccluster.app.session import Setup, open_source, run_check
from check_mccluster.app.several import Several
from check_mccluster.checks import overview
from check_mccluster.judge import engine
from check_mccluster.judge.picture import picture
from check_mccluster.model.config import Config
from check_mccluster.model.drbd import ConnectionState, DiskState, ReplicationState, Role
from check_mccluster.model.words import Unrecognised
from check_mccluster.present.layout import render
from check_mccluster.present.matrix import drbd
from check_mccluster.present.terminal import screen
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import Fault, Finding, Kind, Report, State, worst
from check_mccluster.verdict.view import Asked, Judgement
from conftest import FIXTURES, ROOT

SNAPSHOTS = FIXTURES / "snapshots"
EVERY_NODE = sorted(path.parent for path in SNAPSHOTS.glob("*/*/drbd-status.json"))
SIX = ("app01", "app02", "app03", "storage01", "storage02", "storage03")
ESCAPE = "\x1b"


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch):
    """As under cron: no width is known but the default one."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("LINES", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def status(call):
    """``status("six-nodes-healthy/app01", …)``: the lines for these snapshots."""

    def run(*places: str) -> list[str]:
        options = [option for place in places for option in ("--from", SNAPSHOTS / place)]
        outcome = call("status", *options)
        assert outcome.code == 0
        return outcome.lines

    return run


# -- whole screens -----------------------------------------------------------------------------

TWO_STORAGE_SERVERS_LOST = """\
CRITICAL  1 fault; seen from app01, 2026-11-22 09:05:54 UTC, snapshot
Cluster  quorate, 3 of 3 votes, can lose 1; DC app02

! CRITICAL r0/0: quorum lost on app01, I/O fails, 1 of 3 copies UpToDate and
           reachable, not storage02, storage03
           -> on storage02, storage03: drbdadm status r0; not up: drbdadm up r0;
              StandAlone: drbdadm connect r0:app01 (not after a split brain:
              journalctl -k -g Split-Brain); else on app01: ping -c 3
              10.77.0.12; ping -c 3 10.77.0.13; the firewall (port 7000)

Nodes
    app01  online  5 resources
    app02  online  0 resources  DC
    app03  online  0 resources

Resources
 !  group1      group       5 of 5 run  app01
 !    FS_DRBD   Filesystem  Started     app01
      MYSQL     Dummy       Started     app01
      MAILMAN3  Dummy       Started     app01
      POSTFIX   Dummy       Started     app01
      DOVECOT   Dummy       Started     app01

History
    configuration changed 08:58:16 by root with cibadmin on app01
    group1 runs on app01 since 08:59:35 UTC (6 min ago)

DRBD
! r0: Primary app01, NO QUORUM, 1 of 3 copies reachable
    node          role       disk             connection  replication
    app01 (here)  Primary    Diskless client  -           -
    app02         Secondary  Diskless client  Connected   Established
    app03         Secondary  Diskless client  Connected   Established
    storage01     Secondary  UpToDate         Connected   Established
 !  storage02     Unknown    DUnknown         Connecting  Off
 !  storage03     Unknown    DUnknown         Connecting  Off
   Connections among the others are not seen from app01.

Findings
  From the fault of r0/0:
      CRITICAL I/O of FS_DRBD (group1) fails on app01, though Started: r0/0 has
               lost quorum here
      WARNING  r0: replica storage02 is Connecting, 3 of 5 connected
      WARNING  r0: replica storage03 is Connecting, 3 of 5 connected
"""


def test_two_storage_servers_lost_as_the_active_node_sees_it(status):
    assert status("storage-servers-lost/app01") == TWO_STORAGE_SERVERS_LOST.splitlines()


WITHOUT_PACEMAKER = """\
CRITICAL  1 fault; seen from storage01, 2026-11-22 09:05:53 UTC, snapshot
Cluster  crm_mon: not in the snapshot (not installed there?)

! CRITICAL r0/0: quorum lost on storage01, 1 of 3 copies UpToDate and reachable,
           not storage02, storage03
           -> on storage02, storage03: drbdadm status r0; not up: drbdadm up r0;
              StandAlone: drbdadm connect r0:storage01 (not after a split brain:
              journalctl -k -g Split-Brain); else on storage01: ping -c 3
              10.77.0.12; ping -c 3 10.77.0.13; the firewall (port 7000); on
              app01 (Primary): drbdadm status r0: quorum:no there means that its
              I/O fails (on-no-quorum io-error)

DRBD
! r0: Primary app01, NO QUORUM, 1 of 3 copies reachable
    node              role       disk             connection  replication
    storage01 (here)  Secondary  UpToDate         -           -
    app01             Primary    Diskless client  Connected   Established
    app02             Secondary  Diskless client  Connected   Established
    app03             Secondary  Diskless client  Connected   Established
 !  storage02         Unknown    DUnknown         Connecting  Off
 !  storage03         Unknown    DUnknown         Connecting  Off
   Connections among the others are not seen from storage01.

Findings
  From the fault of r0/0:
      WARNING  r0: replica storage02 is Connecting, 3 of 5 connected
      WARNING  r0: replica storage03 is Connecting, 3 of 5 connected
"""


def test_a_storage_server_has_no_pacemaker_and_says_so(status):
    assert status("storage-servers-lost/storage01") == WITHOUT_PACEMAKER.splitlines()


HEALTHY = """\
OK  nothing is wrong; seen from app02, 2026-11-22 08:59:57 UTC, snapshot
Cluster  quorate, 3 of 3 votes, can lose 1; DC app02

Nodes
    app01  online  5 resources
    app02  online  0 resources  DC
    app03  online  0 resources

Resources
    group1      group       5 of 5 run  app01
      FS_DRBD   Filesystem  Started     app01
      MYSQL     Dummy       Started     app01
      MAILMAN3  Dummy       Started     app01
      POSTFIX   Dummy       Started     app01
      DOVECOT   Dummy       Started     app01

History
    configuration changed 08:58:19 by root with cibadmin on app01
    group1 runs on app01 since 08:59:35 UTC (22 s ago)

DRBD
  r0: Primary app01, quorum, 3 of 3 copies reachable
    node          role       disk             connection  replication
    app02 (here)  Secondary  Diskless client  -           -
    app01         Primary    Diskless client  Connected   Established
    app03         Secondary  Diskless client  Connected   Established
    storage01     Secondary  UpToDate         Connected   Established
    storage02     Secondary  UpToDate         Connected   Established
    storage03     Secondary  UpToDate         Connected   Established
   Connections among the others are not seen from app02.
"""


def test_a_healthy_node_knows_its_own_connections_only_and_says_so(status):
    assert status("six-nodes-healthy/app02") == HEALTHY.splitlines()


ALL_SIX = """\
OK  nothing is wrong; seen from app01, app02, app03, storage01, storage02,
    storage03, 2026-11-22 08:59:52 to 09:00:00 UTC, snapshot
Cluster  quorate, 3 of 3 votes, can lose 1; DC app02

Nodes
    app01  online  5 resources
    app02  online  0 resources  DC
    app03  online  0 resources

Resources
    group1      group       5 of 5 run  app01
      FS_DRBD   Filesystem  Started     app01
      MYSQL     Dummy       Started     app01
      MAILMAN3  Dummy       Started     app01
      POSTFIX   Dummy       Started     app01
      DOVECOT   Dummy       Started     app01

History
    configuration changed 08:58:16 by root with cibadmin on app01
    group1 runs on app01 since 08:59:35 UTC (25 s ago)

DRBD
  r0: Primary app01
    node         role       disk             own view
    1 storage01  Secondary  UpToDate         quorum, 3 of 3 copies reachable
    2 storage02  Secondary  UpToDate         quorum, 3 of 3 copies reachable
    3 storage03  Secondary  UpToDate         quorum, 3 of 3 copies reachable
    4 app01      Primary    Diskless client  quorum, 3 of 3 copies reachable
    5 app02      Secondary  Diskless client  quorum, 3 of 3 copies reachable
    6 app03      Secondary  Diskless client  quorum, 3 of 3 copies reachable
               1 2 3 4 5 6
   1 storage01 . + + + + +
   2 storage02 + . + + + +
   3 storage03 + + . + + +
   4 app01     + + + . + +
   5 app02     + + + + . +
   6 app03     + + + + + .
   row: the node that sees it; + Connected
"""


def test_all_six_views_make_the_whole_matrix(status):
    assert status(*(f"six-nodes-healthy/{node}" for node in SIX)) == ALL_SIX.splitlines()


# -- what is wrong comes first -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "fault", "step"),
    [
        (
            "app01-powered-off/app02",
            "app01 is offline",
            "Is app01 up? ping -c 3 10.77.0.21",
        ),
        ("app01-cut-from-all-storage/app01", "quorum lost on app01", "drbdadm status r0;"),
        ("dovecot-blocked/app01", "DOVECOT", "journalctl -u pacemaker"),
        ("cib-manager-hangs/app02", "Pacemaker runs and does not answer", "journalctl -u"),
        ("utils-9.34-standalone/storage01", "StandAlone", "drbdadm adjust r0"),
        ("fifty-resources/storage02", "m07/0: no disk on storage02", "drbdadm attach m07"),
        ("module-missing/storage01", "kernel module is not loaded", "modprobe drbd"),
    ],
)
def test_the_gravest_fault_and_its_next_step_are_on_the_first_screen(status, place, fault, step):
    first_screen = " ".join(" ".join(status(place)[:24]).split())
    assert fault in first_screen
    assert step in first_screen


def test_the_same_fault_seen_from_several_nodes_is_told_once(status):
    lines = status(*(f"storage-servers-lost/{node}" for node in SIX[:4]))
    assert lines[0].startswith("CRITICAL  1 fault; seen from app01, app02, app03, storage01")
    text = " ".join(" ".join(lines).split())
    assert text.count("quorum lost on app01") == 1
    assert "[seen from" not in text


def test_a_folder_of_nodes_is_shown_together(status):
    lines = status("storage-servers-lost")
    assert lines[0].startswith("CRITICAL  1 fault; seen from app01, app02, app03, storage01")


def test_hosts_are_asked_and_shown_together_and_who_does_not_answer_is_a_fault(
    call, tmp_path, monkeypatch
):
    for name in ("app01", "storage01"):
        call(
            "snapshot",
            "--from",
            SNAPSHOTS / "six-nodes-healthy" / name,
            f"{tmp_path}/{name}.tar.gz",
        )
    program = tmp_path / "ssh"
    program.write_text(
        '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\n'
        f'test -f "{tmp_path}/$2.tar.gz" && exec cat "{tmp_path}/$2.tar.gz"\n'
        'echo "ssh: connect to host $2 port 22: Connection refused" >&2; exit 255\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("check_mccluster.app.several._CLOCKS", 1e12)  # recordings are old
    hosts = [word for name in ("app01", "storage01", "app02") for word in ("--host", name)]
    lines = call("status", *hosts).lines
    assert lines[0].startswith("WARNING  1 fault; seen from app01, storage01, ")
    assert "! WARNING  app02 could not be asked: connection refused" in lines
    learnt = call("topology", "--host", "app01", "--host", "storage01")
    alone = call(
        "topology", "--from", f"{tmp_path}/app01.tar.gz", "--from", f"{tmp_path}/storage01.tar.gz"
    )
    assert learnt.code == 0
    assert "[drbd.r0]" in learnt.out
    assert learnt.out == alone.out


def test_a_consequence_on_one_node_is_no_fault_of_its_own_on_another(status):
    """storage01 has no Pacemaker: to it, the connection is the fault."""
    lines = status("app01-powered-off/app02", "app01-powered-off/storage01")
    assert lines[0].startswith("CRITICAL  1 fault; ")


def test_two_partitions_are_shown_apart(status):
    lines = status("app02-cut-off-while-active/app01", "app02-cut-off-while-active/app02")
    clusters = [" ".join(line.split()) for line in lines if line.startswith("Cluster")]
    assert clusters == [
        "Cluster as seen from app01 quorate, 2 of 3 votes, can lose none; DC app03",
        "Cluster as seen from app02 NO QUORUM, 1 of 3 votes, 2 needed; DC app02",
    ]
    assert "Nodes as seen from app01" in lines
    assert "Resources as seen from app02" in lines
    assert "  From 'the cluster is partitioned':" in lines


def test_a_storage_server_says_nothing_of_pacemaker_beside_nodes_that_should_know(status):
    lines = status("six-nodes-healthy-as-nagios/app01", "six-nodes-healthy/storage01")
    clusters = [line for line in lines if line.startswith("Cluster")]
    assert clusters == ["Cluster  nothing is known of Pacemaker from app01"]
    assert not any("[seen from" in line for line in lines)  # its own words begin with its name


def test_a_tool_that_may_not_be_asked_is_never_shown_as_fine(status):
    lines = status("six-nodes-healthy-as-nagios/app01")
    assert lines[0].startswith("UNKNOWN")
    assert lines[1] == "Cluster  nothing is known of Pacemaker from app01"
    assert sum("crm_mon: insufficient privileges" in line for line in lines) == 1
    assert "Nodes" not in lines
    assert "DRBD" in lines


def test_many_findings_of_a_kind_are_counted():
    kind = Kind("resource-stopped", State.CRITICAL, "A resource does not run.", "crm_mon -1")
    findings = tuple(
        Finding(kind, subject.resource(f"D{n}"), f"D{n} is stopped", State.CRITICAL, "crm_mon -1")
        for n in range(300)
    )
    lines = text_of(Judgement(view(), Report(findings, faults=tuple(map(Fault, findings)))))
    assert lines[0].startswith("CRITICAL  300 faults")
    assert "  and 294 more faults: see Findings below" in lines
    assert sum(" is stopped" in line for line in lines) == 11
    assert lines[-1].strip() == "and 289 more like them: check_mccluster overview -v"


# -- resources ---------------------------------------------------------------------------------


def section(lines: list[str], title: str) -> list[str]:
    """The lines of one section, without the blanks at their ends."""
    start = lines.index(title) + 1
    end = lines.index("", start) if "" in lines[start:] else len(lines)
    return lines[start:end]


def test_a_promotable_clone_lists_who_is_promoted(status):
    rows = section(status("promotable-healthy/app01"), "Resources")
    assert [row.split() for row in rows[-3:]] == [
        ["drbd-clone", "promotable", "clone", "1", "Promoted,", "1", "Unpromoted"],
        ["Promoted", "app02"],
        ["Unpromoted", "app03"],
    ]


def test_bundle_and_clone_are_one_line_when_all_is_well(status):
    bundle = section(status("bundle-healthy/app01"), "Resources")[-1]
    assert bundle.split() == ["httpd-bundle", "podman", "bundle", "Started", "app02,", "app03"]
    clone = section(status("ten-nodes/app01"), "Resources")[-1]
    assert clone.split()[:3] == ["ping-clone", "clone", "Started"]
    assert clone.endswith("app01, app02, app03, app04 and 6 more")


def test_fence_devices_are_named_as_such(status):
    rows = section(status("fencing-failed/app01"), "Resources")
    assert rows[-1].split() == ["fence-good", "fence", "device", "fence_dummy", "Started", "app03"]


def test_troubled_resources_carry_a_mark_and_their_words(status):
    rows = section(status("dovecot-blocked/app01"), "Resources")
    (row,) = [row for row in rows if "DOVECOT" in row]
    words = "! DOVECOT Dummy Started, FAILED, BLOCKED, disabled, unmanaged app02"
    assert " ".join(row.split()) == words
    rows = section(status("group-disabled/app01"), "Resources")
    assert rows[0].split() == ["!", "group1", "group", "0", "of", "5", "run,", "disabled"]


def test_maintenance_standby_and_health_are_words(status):
    assert "MAINTENANCE: nothing is" in status("cluster-maintenance/app01")[1]
    nodes = section(status("app01-standby/app01"), "Nodes")
    assert nodes[0].split()[:4] == ["!", "app01", "online,", "standby"]
    nodes = section(status("health-red-and-yellow/app01"), "Nodes")
    assert "online, health red" in nodes[0]
    assert "online, health yellow" in nodes[1]


@pytest.mark.captures
def test_three_hundred_resources_stay_on_one_screen(captures, call):
    lines = call("status", "--from", captures / "pacemaker/31-300-dummies/app01").lines
    assert len(lines) < 24
    assert [row.split() for row in section(lines, "Resources")] == [
        ["group1", "group", "5", "of", "5", "run", "app01"],
        ["D000", "and", "101", "more", "Dummy", "Started", "app02"],
        ["D001", "and", "100", "more", "Dummy", "Started", "app03"],
        ["D010", "and", "96", "more", "Dummy", "Started", "app01"],
    ]


def test_a_clone_that_lacks_an_instance_counts_and_places_them(status):
    rows = section(status("clone-failed-on-one-node/app01"), "Resources")
    assert [" ".join(row.split()) for row in rows[-3:]] == [
        "! ping-clone clone 2 Started, 1 Stopped",
        "! Started app01, app03",
        "! Stopped 1 child",
    ]


def test_what_two_tools_say_in_the_same_words_is_one_fault(status):
    lines = status("nothing-started/app01")
    assert sum("Corosync does not run" in line for line in lines[2:12]) == 1


# -- DRBD --------------------------------------------------------------------------------------


def text_of(*seen: Judgement, width: int = 80) -> list[str]:
    report = Several(seen, {}, {}).report(Asked())
    lines = [render(line, colour=False) for line in screen(picture(seen, report), width)]
    assert max(map(len, lines)) <= width
    assert all(line.isascii() for line in lines)
    return lines


def judged(seen) -> Judgement:
    return Judgement(seen, engine.report(overview.CHECK, seen, Asked()))


def node(number: int) -> str:
    return f"n{number:02}"


def large_mesh(here: int, *down: int):
    """Constructed: 32 replicas, as one of them sees the others."""
    peers = [
        (away if number in down else connection)(node(number))
        for number in range(1, 33)
        if number != here
    ]
    numbered = [replace(peer, peer_node_id=int(peer.name[1:]) - 1) for peer in peers]
    mesh = resource(*numbered, node_id=here - 1, devices=(device(),))
    return judged(view(mesh, node=node(here)))


def test_thirty_two_nodes_from_one_view_show_the_odd_ones_and_count_the_rest():
    lines = section(text_of(large_mesh(1, 7, 19)), "DRBD")
    assert [" ".join(line.split()) for line in lines] == [
        "! r0: no Primary seen, quorum, 30 of 32 copies reachable",
        "node role disk connection replication",
        "! n07 Unknown DUnknown Connecting Off",
        "! n19 Unknown DUnknown Connecting Off",
        "n01 (here) Secondary UpToDate - -",
        "29 nodes Secondary UpToDate Connected Established",
        "Connections among the others are not seen from n01.",
    ]


def test_thirty_two_views_make_a_matrix_of_eighty_columns():
    seen = [large_mesh(here, *({2: (7,), 7: (2,)}.get(here, ()))) for here in range(1, 33)]
    lines = section(text_of(*seen), "DRBD")
    tens, ones = (line for line in lines if re.fullmatch(r" +( [ 123]){32}| +( \d){32}", line))
    assert (tens.split(), ones.split()) == (
        ["1"] * 10 + ["2"] * 10 + ["3"] * 3,
        [str(number % 10) for number in range(1, 33)],
    )
    matrix = [line for line in lines if re.match(r" [ !] [ \d]\d n\d\d [.+c]", line)]
    assert len(matrix) == 32
    assert [line.split()[2] for line in matrix if line[1] == "!"] == ["n02", "n07"]
    assert matrix[1].split()[3:].index("c") == 6
    assert matrix[6].split()[3:].index("c") == 1


def test_thirty_two_healthy_views_need_no_matrix():
    lines = section(text_of(*map(large_mesh, range(1, 33))), "DRBD")
    assert [" ".join(line.split()) for line in lines[1:]] == [
        "node role disk own view",
        "32 nodes Secondary UpToDate quorum, 32 of 32 copies reachable",
        "all 496 connections are Connected",
    ]


def test_a_word_that_nobody_knows_is_shown_as_such():
    """Constructed: words that DRBD does not have."""
    odd = connection("storage02", state=Unrecognised("Dreaming", "connection r0:storage02"))
    seen = view(resource(odd, devices=(device(disk_state=Unrecognised("Melted", "disk r0/0")),)))
    lines = section(text_of(judged(seen)), "DRBD")
    assert "Melted (?)" in lines[2]
    assert "Dreaming (?)" in lines[3]
    assert [line[1] for line in lines[2:4]] == ["!", "!"]


def test_lost_quorum_and_frozen_io_stand_in_the_title():
    frozen = resource(
        connection("storage02"),
        devices=(device(quorum=False, disk_state=DiskState.OUTDATED),),
        suspended=True,
        force_io_failures=True,
        role=Role.PRIMARY,
    )
    title = section(text_of(judged(view(frozen))), "DRBD")[0]
    words = "! r0: Primary storage01, NO QUORUM, I/O SUSPENDED, I/O FAILS, 1 of 2 copies"
    assert title.startswith(words)


def test_matrix_tells_one_sided_connections_from_others():
    """Constructed: storage01 was disconnected from storage02 by hand, storage02 tries on."""
    left = resource(away("storage02", ConnectionState.STANDALONE), node_id=0)
    right = resource(replace(away("storage01"), peer_node_id=0), node_id=1)
    seen = [judged(view(left)), judged(view(right, node="storage02"))]
    lines = section(text_of(*seen), "DRBD")
    assert lines[-3:] == [
        " ! 1 storage01 . S",
        " ! 2 storage02 c .",
        "   row: the node that sees it; c Connecting, S StandAlone",
    ]


def test_fifty_resources_that_look_the_same_share_a_table(status):
    lines = section(status("fifty-resources/storage02"), "DRBD")
    titles = [line for line in lines if re.match(r"[! ] [mr]\d", line)]
    assert titles == [
        "! m07: no Primary seen, NO QUORUM, 0 of 2 copies reachable",
        "  m00, m01, m02, m03, m04, m05 and 43 more (49): no Primary seen, quorum, 2 of 2",
        "  r0: Primary app01, quorum, 3 of 3 copies reachable",
    ]


def test_many_different_resources_in_order_get_one_line():
    """Constructed: ten resources that differ in their peers."""
    names = [f"r{number}" for number in range(10)]
    many = [
        resource(*(connection(f"n{k}") for k in range(number + 1)), name=name, role=Role.PRIMARY)
        for number, name in enumerate(names)
    ]
    odd = resource(away("storage02"), name="odd")
    lines = section(text_of(judged(view(*many, odd))), "DRBD")
    assert lines[0].startswith("! odd: ")
    assert lines[-2:] == [
        "  r0, r1, r2, r3, r4, r5 and 4 more (10): in order",
        "   Connections among the others are not seen from storage01.",
    ]


# -- colours -----------------------------------------------------------------------------------


def styles(*seen: Judgement) -> dict[str, str]:
    """The style of each word of DRBD's section."""
    report = Several(seen, {}, {}).report(Asked())
    lines = drbd(picture(seen, report), 120)
    return {each.text.strip(): each.style for line in lines for each in line}


SYNCING = resource(
    connection(
        "storage02",
        peer_device(replication_state=ReplicationState.SYNC_TARGET, progress=progress()),
    ),
    connection("storage03"),
    devices=(device(disk_state=DiskState.INCONSISTENT),),
)


def test_when_a_resync_began_stands_below_the_mesh_and_its_node_says_how_far_it_is(status):
    lines = status("full-resync-two-sources/storage01", "full-resync-two-sources/storage03")
    body = lines[lines.index("DRBD") : lines.index("Findings")]
    assert body[-2:] == [
        "  r0: resync from storage01 to storage03 began 09:52:27 UTC (6 s ago)",
        "",
    ]
    told = {word for line in lines for word in line.split() if word.endswith("%")}
    assert told == {"8.3%"}


def test_a_resync_has_the_colour_of_its_finding():
    found = styles(judged(view(SYNCING)))
    assert (found["Inconsistent"], found["SyncTarget 25.0%"]) == ("WARNING", "WARNING")
    assert found["UpToDate"] == found["Connected"] == "OK"


@pytest.mark.parametrize("word", ["OK", "WARNING", "CRITICAL"])
def test_a_severity_of_the_site_colours_the_word(word):
    site = Asked(severities={"peer-standalone": State[word], "copies-low": State.OK})
    seen = view(resource(away("storage02", ConnectionState.STANDALONE), connection("storage03")))
    found = styles(Judgement(seen, engine.report(overview.CHECK, seen, site)))
    assert (found["StandAlone"], found["Connected"]) == (word, "OK")


@pytest.mark.parametrize("word", ["OK", "WARNING", "CRITICAL"])
def test_a_severity_of_the_site_colours_the_matrix(word):
    left = resource(away("storage02", ConnectionState.STANDALONE), node_id=0)
    right = resource(replace(away("storage01"), peer_node_id=0), node_id=1)
    site = Asked(severities={"mesh-isolated": State[word]})
    seen = [view(left), view(right, node="storage02")]
    both = [Judgement(each, engine.report(overview.CHECK, each, site)) for each in seen]
    assert drbd_cells(*both)["S"] == word


def test_resources_of_pacemaker_and_of_drbd_may_have_one_name():
    bad = resource(away("app02", ConnectionState.STANDALONE), connection("storage03"))
    seen = judged(view_of("app01", NOW, cluster=cluster(resources=[primitive("r0")]), drbd=(bad,)))
    lines = text_of(seen)
    assert any(line.startswith("! r0: ") for line in section(lines, "DRBD"))
    (row,) = section(lines, "Resources")
    assert row.split() == ["r0", "Dummy", "Started", "app01"]


def drbd_cells(*seen: Judgement) -> dict[str, str]:
    lines = drbd(picture(seen, Report()), 120)
    return {each.text: each.style for line in lines for each in line}


@pytest.mark.parametrize("place", EVERY_NODE, ids=lambda place: f"{place.parent.name}/{place.name}")
def test_no_word_of_drbd_is_graver_than_what_is_said_of_drbd(place):
    with open_source(Setup(60.0, str(place)), Config()) as source:
        seen = run_check(overview.CHECK, source, Config(), Setup(60.0, str(place)), Asked())
    said = worst(each.state for each in seen.report.findings if each.subject.drbd_resource)
    shown = [
        State[each.style]
        for line in drbd(picture([seen], seen.report), 120)
        for each in line
        if each.style in State.__members__
    ]
    assert worst(shown).rank <= said.rank


# -- every recorded node fits ------------------------------------------------------------------


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("place", sorted(SNAPSHOTS.glob("*")), ids=lambda path: path.name)
def test_every_recorded_node_fits_in_plain_ascii(place: Path, width, call, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    nodes = sorted(each for each in place.iterdir() if each.is_dir())
    several = [option for each in nodes for option in ("--from", each)]
    for options in ([*several], *(["--from", each] for each in nodes)):
        outcome = call("status", *options)
        assert outcome.code == 0
        assert max(map(len, outcome.lines)) <= width
        assert outcome.out.isascii()
        assert outcome.out.isprintable() or set(outcome.out) - set(map(chr, range(32, 127))) == {
            "\n"
        }


# -- errors ------------------------------------------------------------------------------------


def test_a_snapshot_that_is_none_is_one_line(call, tmp_path):
    outcome = call("status", "--from", tmp_path)
    assert outcome.code == 3
    assert len(outcome.lines) == 1
    assert "is not a snapshot" in outcome.first


def test_watch_needs_a_terminal(call):
    outcome = call("status", "--watch", "1", "--from", SNAPSHOTS / "six-nodes-healthy/app01")
    assert (outcome.code, outcome.lines) == (
        3,
        ["CHECK_MCCLUSTER UNKNOWN - --watch needs a terminal: standard output is not one"],
    )


# -- on a terminal -----------------------------------------------------------------------------


class Terminal:
    """The program on a pseudo terminal, in another process."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        inherited = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "check_mccluster", "status", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={
                **inherited,
                "PYTHONPATH": str(ROOT / "src"),
                "TERM": "xterm",
                **environment,
            },
        )
        os.close(slave)
        self.output = ""

    def read_until(self, ready) -> str:
        """Read until *ready* says so of the output, or the program has ended."""
        end = time.monotonic() + 30
        while not ready(self.output) and time.monotonic() < end:
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.output += os.read(self.master, 65536).decode()
                except OSError:  # nobody has the other end open any more
                    break
        return self.output

    def read_all(self) -> str:
        return self.read_until(lambda _: False)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def terminal():
    opened = []

    def open_one(*arguments: str, **environment: str) -> Terminal:
        opened.append(Terminal(*arguments, **environment))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


LOST = ("--from", str(SNAPSHOTS / "storage-servers-lost/app01"))


def test_a_terminal_gets_colours_and_the_same_words(terminal):
    shown = terminal(*LOST)
    output = shown.read_all().replace("\r\n", "\n")
    assert shown.process.wait(10) == 0
    assert f"{ESCAPE}[31m" in output
    assert [line.rstrip() for line in click.unstyle(output).splitlines()] == (
        TWO_STORAGE_SERVERS_LOST.splitlines()
    )


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_declined(terminal, environment):
    shown = terminal(*LOST, **environment)
    assert ESCAPE not in shown.read_all()


ENTER, LEAVE = f"{ESCAPE}[?1049h{ESCAPE}[?25l", f"{ESCAPE}[?25h{ESCAPE}[?1049l"


def frames(output: str) -> int:
    return output.count("Ctrl-C ends")


def test_watch_refreshes_in_place_and_ctrl_c_gives_the_terminal_back(terminal):
    shown = terminal("--watch", "0.2", *LOST)
    shown.read_until(lambda output: frames(output) >= 2)
    shown.process.send_signal(signal.SIGINT)
    output = shown.read_all()
    assert shown.process.wait(10) == 0
    assert output.startswith(ENTER)
    assert output.endswith(LEAVE)
    screens = output[len(ENTER) : -len(LEAVE)].split(f"{ESCAPE}[H")[1:]
    assert len(screens) >= 2
    assert screens[0] == screens[1]
    assert len(screens[0].splitlines()) <= 24
    assert "quorum lost on app01" in screens[0]


def test_a_resized_terminal_is_drawn_again_at_once(terminal):
    shown = terminal("--watch", "1000", *LOST)
    shown.read_until(lambda output: frames(output) == 1)
    while frames(shown.output) < 2:  # a signal before it waits is not lost, only not needed
        shown.process.send_signal(signal.SIGWINCH)
        shown.read_until(lambda output: frames(output) >= 2 or ends(0.2))
    shown.process.send_signal(signal.SIGINT)
    assert shown.read_all().endswith(LEAVE)


def ends(seconds: float, start: list[float] = []) -> bool:  # noqa: B006
    """Whether so much time went by since the last True."""
    start[:] = start or [time.monotonic()]
    if time.monotonic() - start[0] < seconds:
        return False
    start.clear()
    return True


def test_keys_scroll_and_q_ends_it(terminal):
    shown = terminal("--watch", "1000", "--full", *LOST)
    shown.read_until(lambda output: frames(output) == 1)
    os.write(shown.master, b"j")
    shown.read_until(lambda output: frames(output) == 2)
    first, second = shown.output.split(f"{ESCAPE}[H")[1:3]
    assert click.unstyle(first).startswith("CRITICAL  1 fault")
    assert click.unstyle(second).startswith("Cluster  quorate")
    assert "1 above and " in second
    os.write(shown.master, b"q")
    output = shown.read_all()
    assert shown.process.wait(10) == 0
    assert output.endswith(LEAVE)


@pytest.mark.parametrize(
    ("keys", "above"),
    [
        ("jjj", 3),
        ("\x1b[B\x1b[B\x1b[B", 3),
        ("\x1b[Bj\x1bOBk", 2),
        ("\x1b[6~\x1b[A", 9),
        ("G\x1b[Hj", 1),
        ("x\x1b[1;5Cj", 1),
    ],
)
def test_keys_that_come_at_once_all_count(terminal, keys, above):
    """A key that is held down is read several times in one."""
    shown = terminal("--watch", "1000", "--full", *LOST)
    shown.read_until(lambda output: frames(output) == 1)
    os.write(shown.master, keys.encode())
    shown.read_until(lambda output: frames(output) == 2)
    assert f"{above} above and " in shown.output.split(f"{ESCAPE}[H")[2]
    os.write(shown.master, b"jq")
    shown.read_all()
    assert shown.process.wait(10) == 0


def test_a_small_window_shows_the_brief_screen(terminal):
    shown = terminal("--watch", "1000", *LOST)
    shown.read_until(lambda output: frames(output) == 1)
    assert "DRBD r0" in click.unstyle(shown.output)
    assert "below" not in shown.output


def test_sigterm_gives_the_terminal_back_and_is_told(terminal):
    shown = terminal("--watch", "1000", *LOST)
    shown.read_until(lambda output: frames(output) == 1)
    shown.process.send_signal(signal.SIGTERM)
    output = shown.read_all()
    assert shown.process.wait(10) == 3
    assert output.count(LEAVE) == 1
    assert output.rpartition(LEAVE)[2].strip().endswith("ended by signal SIGTERM")


def test_an_error_while_watching_gives_the_terminal_back(terminal, tmp_path):
    (tmp_path / "drbd-status.json").write_text("[]")
    shown = terminal("--watch", "0.2", "--from", str(tmp_path))
    shown.read_until(lambda output: frames(output) == 1)
    (tmp_path / "drbd-status.json").unlink()
    output = shown.read_all()
    assert shown.process.wait(10) == 3
    assert output.count(LEAVE) == 1
    assert output.rpartition(LEAVE)[2].strip().endswith("or other")


def test_columns_use_the_room_there_is(call, tmp_path, monkeypatch):
    long = "a-name-of-a-resource-that-is-longer-than-the-column-had-been-before-it-got-room"
    copy = tmp_path / "app01"
    shutil.copytree(SNAPSHOTS / "six-nodes-healthy/app01", copy)
    answer = copy / "crm_mon.xml"
    answer.write_text(answer.read_text().replace('id="MAILMAN3"', f'id="{long}"'))
    shown = {}
    for width in (80, 160):
        monkeypatch.setenv("COLUMNS", str(width))
        shown[width] = call("status", "--from", copy).out
    assert long not in shown[80]
    assert long in shown[160]
