"""drbd-sync: recorded states with the whole output, and rules on constructed states."""

from __future__ import annotations

import pytest

from build import SNAPSHOTS, altered, replace, report, run, short
from build_drbd import (
    APPS,
    Case,
    away,
    client_device,
    connection,
    device,
    judge,
    mesh,
    peer_device,
    place,
    progress,
    read_twice,
    resource,
    shown,
    shown_connection,
    steps,
    view,
)
from check_mccluster.inputs.drbdsetup import DRBD
from check_mccluster.judge.faults import faults
from check_mccluster.model.drbd import DiskState, Progress, ReplicationState, Role
from check_mccluster.verdict.view import View

RECORDED = [
    Case(
        "six-nodes-healthy/app01",
        0,
        "DRBD-SYNC OK - r0: nothing to resync",
        """
        'r0/0_in_sync'=100.0%;;;0;100 'r0/0_out_of_sync'=0B;;;0 out_of_sync_max=0B;;;0
        """,
    ),
    Case(
        "six-nodes-healthy/storage01",
        0,
        "DRBD-SYNC OK - r0: nothing to resync",
        """
        'r0/0_in_sync'=100.0%;;;0;100 'r0/0_out_of_sync'=0B;;;0 out_of_sync_max=0B;;;0
        """,
    ),
    Case(
        "first-full-sync/storage01",
        0,
        "DRBD-SYNC OK - r0/0: source of a resync to storage02, 27.5% done, 89 s left,"
        " 371.3 MiB to go; r0/0: source of a resync to storage03,...",
        """
        'r0/0_in_sync'=27.46%;;;0;100 'r0/0_out_of_sync'=389357568B;;;0
        out_of_sync_max=389357568B;;;0
        """,
    ),
    Case(
        "first-full-sync/storage02",
        1,
        "DRBD-SYNC WARNING - r0/0: resync from storage01, 26.3% done, 68 s left, 377.3 MiB to go",
        """
        'r0/0_in_sync'=25.8%;;;0;100 'r0/0_out_of_sync'=398266368B;;;0
        out_of_sync_max=398266368B;;;0
        """,
    ),
    Case(
        "all-copies-outdated/storage01",
        0,
        "DRBD-SYNC OK - r0: no resync runs, 220.0 MiB out of sync",
        """
        'r0/0_in_sync'=57.02%;;;0;100 'r0/0_out_of_sync'=230686720B;;;0
        out_of_sync_max=230686720B;;;0
        """,
    ),
    Case(
        "link-to-one-storage-cut/storage01",
        1,
        "DRBD-SYNC WARNING - r0/0: storage02 is Outdated, 5.0 MiB out of sync, and no resync runs",
        """
        'r0/0_in_sync'=99.02%;;;0;100 'r0/0_out_of_sync'=5275648B;;;0
        out_of_sync_max=5275648B;;;0
        """,
    ),
    Case(
        "link-to-one-storage-cut/storage02",
        0,
        "DRBD-SYNC OK - r0: nothing to resync",
        """
        'r0/0_in_sync'=100.0%;;;0;100 'r0/0_out_of_sync'=0B;;;0 out_of_sync_max=0B;;;0
        """,
    ),
    Case(
        "resync-after-reconnect/storage01",
        0,
        "DRBD-SYNC OK - r0/0: storage03 is resynchronised from another node",
        """
        'r0/0_in_sync'=73.04%;;;0;100 'r0/0_out_of_sync'=144719872B;;;0
        out_of_sync_max=144719872B;;;0
        """,
    ),
    Case(
        "resync-after-reconnect/storage03",
        1,
        "DRBD-SYNC WARNING - r0/0: resync from storage02, 19.1% done, 19 s left, 145.8 MiB to go",
        """
        'r0/0_in_sync'=71.52%;;;0;100 'r0/0_out_of_sync'=152846336B;;;0
        out_of_sync_max=152846336B;;;0
        """,
    ),
    Case(
        "disk-detached/storage01",
        0,
        "DRBD-SYNC OK - r0: no resync runs, 12.0 KiB out of sync",
        """
        'r0/0_in_sync'=100.0%;;;0;100 'r0/0_out_of_sync'=12288B;;;0 out_of_sync_max=12288B;;;0
        """,
    ),
    Case(
        "split-brain/storage01",
        1,
        "DRBD-SYNC WARNING - r0/0: 5.6 MiB marked out of sync with storage03, both UpToDate;"
        " none with storage02",
        """
        'r0/0_in_sync'=98.9%;;;0;100 'r0/0_out_of_sync'=5922816B;;;0
        'r1/0_in_sync'=76.47%;;;0;100 'r1/0_out_of_sync'=15781888B;;;0
        'r1/1_in_sync'=87.49%;;;0;100 'r1/1_out_of_sync'=8388608B;;;0
        out_of_sync_max=15781888B;;;0
        """,
    ),
    Case(
        "pause-left-behind/storage01",
        1,
        "DRBD-SYNC WARNING - r0/0: 5.6 MiB marked out of sync with storage03, both UpToDate;"
        " none with storage02 (+2 more)",
        """
        'r0/0_in_sync'=98.9%;;;0;100 'r0/0_out_of_sync'=5922816B;;;0
        'r1/0_in_sync'=100.0%;;;0;100 'r1/0_out_of_sync'=0B;;;0 'r1/1_in_sync'=100.0%;;;0;100
        'r1/1_out_of_sync'=0B;;;0 out_of_sync_max=5922816B;;;0
        """,
        more=(
            "[WARNING] r0/0: 5.6 MiB marked out of sync with storage03, both UpToDate;"
            " none with storage02",
            "[WARNING] r1/0: a pause of the resync with storage02 was left behind, "
            "nothing is to sync",
            "[WARNING] r1/1: a pause of the resync with storage02 was left behind, "
            "nothing is to sync",
        ),
    ),
    Case(
        "pause-left-behind/storage02",
        1,
        "DRBD-SYNC WARNING - r0/0: 5.6 MiB marked out of sync with storage03, both UpToDate;"
        " none with storage01",
        """
        'r0/0_in_sync'=98.9%;;;0;100 'r0/0_out_of_sync'=5922816B;;;0
        'r1/0_in_sync'=100.0%;;;0;100 'r1/0_out_of_sync'=0B;;;0 'r1/1_in_sync'=100.0%;;;0;100
        'r1/1_out_of_sync'=0B;;;0 out_of_sync_max=5922816B;;;0
        """,
    ),
    Case(
        "verify-running/storage01",
        1,
        "DRBD-SYNC WARNING - r0/0: 5.6 MiB marked out of sync with storage03, both UpToDate;"
        " none with storage02",
        """
        'r0/0_in_sync'=98.9%;;;0;100 'r0/0_out_of_sync'=5922816B;;;0
        'r1/0_in_sync'=99.51%;;;0;100 'r1/0_out_of_sync'=327680B;;;0
        'r1/1_in_sync'=100.0%;;;0;100 'r1/1_out_of_sync'=0B;;;0 out_of_sync_max=5922816B;;;0
        """,
    ),
    Case(
        "storage-server-isolated/storage03",
        0,
        "DRBD-SYNC OK - r0: no resync runs, 3.9 MiB out of sync",
        """
        'r0/0_in_sync'=99.25%;;;0;100 'r0/0_out_of_sync'=4042752B;;;0
        out_of_sync_max=4042752B;;;0
        """,
    ),
    Case(
        "two-resources/storage03",
        1,
        "DRBD-SYNC WARNING - r0/0: 36.0 MiB marked out of sync with storage01, both "
        "UpToDate; storage03 is in step with no other copy (+1 more)",
        """
        'r0/0_in_sync'=92.97%;;;0;100 'r0/0_out_of_sync'=37748736B;;;0
        out_of_sync_max=37748736B;;;0
        """,
        more=(
            "[WARNING] r0/0: 36.0 MiB marked out of sync with storage01, both UpToDate;"
            " storage03 is in step with no other copy",
            "[WARNING] r0/0: 36.0 MiB marked out of sync with storage02, both UpToDate;"
            " storage03 is in step with no other copy",
        ),
    ),
    Case(
        "fifty-resources/storage02",
        0,
        "DRBD-SYNC OK - nothing to resync",
        """
        out_of_sync_max=0B;;;0
        """,
    ),
    Case(
        "ahead-behind/storage01",
        1,
        "DRBD-SYNC WARNING - r1/1: storage01 is Ahead of storage02, 43.1 MiB out of sync",
        """
        'r0/0_in_sync'=100.0%;;;0;100 'r0/0_out_of_sync'=0B;;;0 'r1/0_in_sync'=100.0%;;;0;100
        'r1/0_out_of_sync'=0B;;;0 'r1/1_in_sync'=32.57%;;;0;100 'r1/1_out_of_sync'=45219840B;;;0
        out_of_sync_max=45219840B;;;0
        """,
    ),
    Case(
        "ahead-behind/storage02",
        1,
        "DRBD-SYNC WARNING - r1/1: resync from storage01, 0.0% done, 50.6 MiB to go",
        """
        'r0/0_in_sync'=100.0%;;;0;100 'r0/0_out_of_sync'=0B;;;0 'r1/0_in_sync'=100.0%;;;0;100
        'r1/0_out_of_sync'=0B;;;0 'r1/1_in_sync'=20.85%;;;0;100 'r1/1_out_of_sync'=53084160B;;;0
        out_of_sync_max=53084160B;;;0
        """,
    ),
    Case(
        "full-resync-two-sources/storage01",
        0,
        "DRBD-SYNC OK - r0/0: source of a resync to storage03, 9.5% done, 55 s left, "
        "463.1 MiB to go",
        """
        'r0/0_in_sync'=9.52%;;;0;100 'r0/0_out_of_sync'=485601280B;;;0
        out_of_sync_max=485601280B;;;0
        """,
    ),
    Case(
        "full-resync-two-sources/storage03",
        1,
        "DRBD-SYNC WARNING - r0/0: resync from storage01, 8.3% done, 42 s left, 469.1 MiB to go",
        """
        'r0/0_in_sync'=7.81%;;;0;100 'r0/0_out_of_sync'=494776320B;;;0
        out_of_sync_max=494776320B;;;0
        """,
    ),
    Case(
        "out-of-sync-one-side/storage02",
        1,
        "DRBD-SYNC WARNING - r0/0: 220.0 MiB marked out of sync with storage01, both UpToDate;"
        " none with storage03",
        """
        'r0/0_in_sync'=57.02%;;;0;100 'r0/0_out_of_sync'=230686720B;;;0
        out_of_sync_max=230686720B;;;0
        """,
    ),
    Case(
        "no-resource-up/storage01",
        2,
        "DRBD-SYNC CRITICAL - no DRBD resource is up on this node; expected: r0",
    ),
    Case(
        "module-not-loaded/storage01",
        2,
        "DRBD-SYNC CRITICAL - the DRBD kernel module is not loaded (modprobe: ERROR: "
        "could not insert 'drbd': Operation not permitted)",
    ),
    Case(
        "module-missing/storage01",
        2,
        "DRBD-SYNC CRITICAL - the DRBD kernel module is not loaded (modprobe: FATAL: "
        "Module drbd not found in directory /lib/modules/6.1.0-56-cloud...",
    ),
    Case(
        "three-nodes-healthy/app01",
        3,
        "DRBD-SYNC UNKNOWN - drbdsetup: not in the snapshot (not installed there?)",
    ),
    Case(
        "utils-8.9.9-healthy/app01",
        0,
        "DRBD-SYNC OK - r0: nothing to resync",
        """
        'r0/0_out_of_sync'=0B;;;0 out_of_sync_max=0B;;;0
        """,
    ),
    Case(
        "utils-8.9.9-full-resync/storage03",
        1,
        "DRBD-SYNC WARNING - r0/0: resync from storage01, 5.1% done, 485.9 MiB to go",
        """
        'r0/0_out_of_sync'=511553536B;;;0 out_of_sync_max=511553536B;;;0
        """,
    ),
    Case(
        "utils-9.1.0-healthy/storage01",
        0,
        "DRBD-SYNC OK - r0: nothing to resync",
        """
        'r0/0_out_of_sync'=0B;;;0 out_of_sync_max=0B;;;0
        """,
    ),
    Case(
        "utils-9.1.0-answer-cut/app01",
        3,
        "DRBD-SYNC UNKNOWN - drbdsetup status: received netlink error reply: Invalid "
        "argument; its answer is cut; r0 shows neither volumes nor peers",
    ),
    Case(
        "utils-9.3.1-healthy/storage01",
        0,
        "DRBD-SYNC OK - r0: nothing to resync",
        """
        'r0/0_out_of_sync'=0B;;;0 out_of_sync_max=0B;;;0
        """,
    ),
    Case(
        "utils-9.3.1-half-configured/storage03",
        3,
        "DRBD-SYNC UNKNOWN - x2 shows neither volumes nor peers",
        """
        'r0/0_out_of_sync'=0B;;;0 out_of_sync_max=0B;;;0
        """,
    ),
    Case(
        "utils-9.5.0-healthy/storage01",
        0,
        "DRBD-SYNC OK - r0: nothing to resync",
        """
        'r0/0_in_sync'=100.0%;;;0;100 'r0/0_out_of_sync'=0B;;;0 out_of_sync_max=0B;;;0
        """,
    ),
    Case(
        "utils-9.5.0-client-alone/app02",
        0,
        "DRBD-SYNC OK - r0: nothing to resync",
        """
        'r0/0_out_of_sync'=0B;;;0 out_of_sync_max=0B;;;0
        """,
    ),
    Case(
        "utils-9.29-healthy/storage01",
        0,
        "DRBD-SYNC OK - r0: nothing to resync",
        """
        'r0/0_in_sync'=100.0%;;;0;100 'r0/0_out_of_sync'=0B;;;0 out_of_sync_max=0B;;;0
        """,
    ),
    Case(
        "utils-9.34-nobody-primary/storage01",
        0,
        "DRBD-SYNC OK - r0: nothing to resync",
        """
        'r0/0_in_sync'=100.0%;;;0;100 'r0/0_out_of_sync'=0B;;;0 out_of_sync_max=0B;;;0
        """,
    ),
]


@pytest.mark.parametrize("case", RECORDED, ids=place)
def test_recorded_states(call, case):
    assert run(call, "drbd-sync", case.place) == case.due


def test_verify_alone_is_fine_and_shows_its_progress(call):
    outcome = call("drbd-sync", "--from", SNAPSHOTS / "verify-running/storage01", "-r", "r1")
    assert (outcome.code, outcome.first) == (
        0,
        "DRBD-SYNC OK - r1/0: online verify with storage02, 320.0 KiB out of sync so far, 69.0%"
        " done, 4 s left",
    )


def test_long_output_has_key_next_step_and_every_link(call):
    outcome = call("drbd-sync", "-vv", "--from", SNAPSHOTS / "full-resync-two-sources/storage03")
    assert outcome.lines[1:] == [
        "[WARNING] sync-target: r0/0: resync from storage01, 8.3% done, 42 s left, 469.1 MiB to go"
        " -> Wait; watch it with: drbdadm status r0",
        "looked at replication r0/0 with app01: Established, peer disk Diskless",
        "looked at replication r0/0 with app02: Established, peer disk Diskless",
        "looked at replication r0/0 with app03: Established, peer disk Diskless",
        "looked at replication r0/0 with storage01: SyncTarget, peer disk UpToDate",
        "looked at replication r0/0 with storage02: PausedSyncT, peer disk UpToDate",
    ]


# -- options on recorded states ----------------------------------------------------------------

OUT = "r0/0: 220.0 MiB marked out of sync with storage01, both UpToDate; none with storage03"


@pytest.mark.parametrize(
    ("options", "code", "first", "perfdata"),
    [
        # 225280 KiB are 230686720 bytes: the ranges and the figures count bytes.
        (
            ("-w", "230686720"),
            0,
            "OK - r0: no resync runs, 220.0 MiB out of sync",
            "out_of_sync_max=230686720B;230686720;;0",
        ),
        (
            ("-w", "230686719"),
            1,
            f"WARNING - {OUT}",
            "out_of_sync_max=230686720B;230686719;;0",
        ),
        (
            ("-w", "0", "-c", "225280"),
            2,
            f"CRITICAL - {OUT}",
            "out_of_sync_max=230686720B;0;225280;0",
        ),
        (
            ("-c", "230686720"),
            0,
            "OK - r0: no resync runs, 220.0 MiB out of sync",
            "out_of_sync_max=230686720B;;230686720;0",
        ),
        (("--severity", "out-of-sync=critical"), 2, f"CRITICAL - {OUT}", None),
        (("-r", "r0"), 1, f"WARNING - {OUT}", None),
        (("-r", "*0"), 1, f"WARNING - {OUT}", None),
        (("-r", "r1"), 2, "CRITICAL - r1 is not up on this node", None),
        (("-r", "?1"), 3, "UNKNOWN - no DRBD resource matches ?1", None),
    ],
)
def test_options(call, options, code, first, perfdata):
    found = short(call, "drbd-sync", "out-of-sync-one-side/storage02", *options, figure=perfdata)
    assert found == (code, f"DRBD-SYNC {first}", perfdata)


def test_range_does_not_excuse_a_disk_that_nothing_brings_up_to_date(call):
    node = SNAPSHOTS / "link-to-one-storage-cut/storage01"
    assert call("drbd-sync", "--from", node, "-w", "99999999").code == 1


def test_unknown_replication_state_is_quoted(call, tmp_path):
    """Constructed: a recorded state with a word that no release of DRBD has."""
    words = ('"replication-state": "SyncSource"', '"replication-state": "Sideways"')
    node = altered(tmp_path, "full-resync-two-sources/storage01", words)
    outcome = call("drbd-sync", "--from", node)
    assert (outcome.code, outcome.first) == (
        3,
        "DRBD-SYNC UNKNOWN - drbdsetup: unknown word 'Sideways' as replication-state of r0/0 to"
        " storage03",
    )


def test_unknown_cause_of_a_pause_is_quoted(call, tmp_path):
    """Constructed: a recorded state with a word that no release of DRBD has."""
    words = ('"resync-suspended": "dependency"', '"resync-suspended": "dependency,moon"')
    node = altered(tmp_path, "full-resync-two-sources/storage03", words)
    outcome = call("drbd-sync", "--from", node)
    assert (outcome.code, outcome.lines[1:]) == (
        3,
        [
            *(
                f"[UNKNOWN] drbdsetup: unknown word 'moon' as resync-suspended of r0/0 to {peer}"
                for peer in ("app01", "app02", "app03", "storage02")
            ),
            "[WARNING] r0/0: resync from storage01, 8.3% done, 42 s left, 469.1 MiB to go",
        ],
    )


# -- a resync to this node ----------------------------------------------------------------------

LEFT = "25.0% done, 60 s left, 4.0 MiB to go"
STANDS = "25.0% done, 4.0 MiB to go"


def target(*flags: str, **changes):
    """A resync from a peer to this node."""
    changes = {"progress": progress(), "out_of_sync_kib": 4096, **changes}
    return peer_device(
        replication_state=ReplicationState.SYNC_TARGET,
        resync_suspended=frozenset(flags),
        **changes,
    )


def paused(*flags: str, **changes):
    """A resync to this node that waits."""
    return replace(target(*flags, **changes), replication_state=ReplicationState.PAUSED_SYNC_T)


def source(*flags: str, state: ReplicationState = ReplicationState.SYNC_SOURCE, **changes):
    """A resync from this node to a peer."""
    return replace(
        target(*flags, **changes),
        replication_state=state,
        peer_disk_state=DiskState.INCONSISTENT,
    )


def filling(*connections, **changes):
    """storage01 with an Inconsistent disk."""
    changes = {"devices": (device(disk_state=DiskState.INCONSISTENT),), **changes}
    return mesh(*connections, **changes)


def found(*resources, again=(), others=(), **asked):
    return judge("drbd-sync", view(*resources, again=again, others=others), **asked).findings


RUNNING = ("sync-target", "WARNING", f"r0/0: resync from storage02, {LEFT}")
STILL = ("sync-stalled", "CRITICAL", f"r0/0: resync from storage02 does not move, {STANDS}")


def test_resync_that_moves():
    assert found(filling(connection("storage02", target()))) == (RUNNING,)


def test_resync_without_progress_in_the_kernels_window():
    still = target(progress=progress(recent_sectors=0, window_ms=18000))
    assert found(filling(connection("storage02", still))) == (STILL,)


@pytest.mark.parametrize(
    "window",
    [
        {"recent_sectors": 0, "window_ms": 2999},  # too short to say anything
        {"recent_sectors": 0, "window_ms": None},
        {"recent_sectors": None, "window_ms": None},  # before drbd-utils 9.4
        {"recent_sectors": -3712, "window_ms": 18000},  # the Primary writes faster, as recorded
    ],
)
def test_windows_that_do_not_prove_a_stall(window):
    resync = target(progress=progress(**window))
    assert found(filling(connection("storage02", resync))) == (RUNNING,)


def test_target_latched_by_a_dependency_that_never_ends():
    """A resync that waits behind a diskless peer for ever: SyncTarget, and nothing else runs."""
    latched = filling(connection("storage02", target("dependency")))
    assert found(latched) == (
        (
            "sync-stalled",
            "CRITICAL",
            f"r0/0: resync from storage02 is latched (resync-suspended: dependency), {STANDS}",
        ),
    )


def test_target_that_the_peer_holds_up_is_judged_by_what_moves():
    assert found(filling(connection("storage02", target("peer")))) == (RUNNING,)
    still = target("peer", progress=progress(recent_sectors=0, window_ms=18000))
    assert found(filling(connection("storage02", still))) == (STILL,)


def test_target_with_a_dependency_while_another_link_of_the_volume_syncs():
    both = filling(connection("storage02", target("dependency")), connection("storage03", target()))
    assert [f[0] for f in found(both)] == ["sync-target", "sync-target"]


def test_latched_target_that_moves_between_two_readings():
    first = filling(connection("storage02", target("dependency")))
    later = filling(connection("storage02", target("dependency", out_of_sync_kib=4000)))
    assert found(first, again=(later,)) == (RUNNING,)


@pytest.mark.parametrize(
    ("later", "finding"),
    [
        (target(), STILL),
        (target(out_of_sync_kib=4092), RUNNING),
        (target(received_kib=4), RUNNING),
        (peer_device(), RUNNING),
    ],
)
def test_resync_between_two_readings(later, finding):
    first = filling(connection("storage02", target()))
    again = filling(connection("storage02", later))
    assert found(first, again=(again,)) == (finding,)


def test_second_reading_outweighs_the_kernels_window():
    still = target(progress=progress(recent_sectors=0, window_ms=18000))
    first = filling(connection("storage02", still))
    again = filling(connection("storage02", replace(still, out_of_sync_kib=4092)))
    assert found(first, again=(again,)) == (RUNNING,)


def test_link_that_is_gone_in_the_second_reading_proves_nothing():
    first = filling(connection("storage02", target()))
    assert found(first, again=(resource(connection("storage03")),)) == (RUNNING,)


@pytest.mark.parametrize(
    ("recorded", "changes", "code", "first"),
    [
        (
            "full-resync-two-sources/storage03",
            (),
            2,
            "CRITICAL - r0/0: resync from storage01 does not move, 8.3% done, 469.1 MiB to go"
            " (suspended by dependency towards app01 and 3 more)",
        ),
        (
            "full-resync-two-sources/storage03",
            (('"out-of-sync": 480364', '"out-of-sync": 470000'),),
            1,
            "WARNING - r0/0: resync from storage01, 8.3% done, 42 s left, 469.1 MiB to go",
        ),
        (
            "full-resync-two-sources/storage01",
            (),
            0,
            "OK - r0/0: source of a resync to storage03, 9.5% done, 55 s left, 463.1 MiB to go",
        ),
        ("six-nodes-healthy/storage01", (), 0, "OK - r0: nothing to resync"),
        ("six-nodes-healthy/app01", (), 0, "OK - r0: nothing to resync"),
    ],
)
def test_second_reading(call, tmp_path, recorded, changes, code, first):
    """Constructed pairs: the second reading is the recorded one again, or with a counter moved."""
    outcome = call("drbd-sync", "--from", read_twice(tmp_path, recorded, *changes))
    assert (outcome.code, outcome.first) == (code, f"DRBD-SYNC {first}")


# -- pauses -------------------------------------------------------------------------------------


def test_second_source_waits_while_the_first_one_fills_the_disk():
    """Ordinary in a full resync: one finding, not two."""
    both = filling(connection("storage02", target()), connection("storage03", paused("dependency")))
    assert found(both) == (RUNNING,)


PAUSED_HERE = (
    "sync-paused",
    "WARNING",
    "r0/0: resync of storage01 is paused by hand on storage01 (PausedSyncT)",
)
PAUSED_THERE = (
    "sync-paused",
    "WARNING",
    "r0/0: resync of storage01 is paused on storage02 (PausedSyncT)",
)


@pytest.mark.parametrize(
    ("flags", "finding"),
    [
        (("user",), PAUSED_HERE),
        (("user", "peer"), PAUSED_HERE),
        (("user", "dependency"), PAUSED_HERE),
        (("peer",), PAUSED_THERE),
        (("peer", "dependency"), PAUSED_THERE),
        (
            (),
            ("sync-paused", "WARNING", "r0/0: resync of storage01 is paused (PausedSyncT)"),
        ),
        (
            ("dependency",),
            (
                "sync-stalled",
                "CRITICAL",
                "r0/0: resync from storage02 waits, and no resync runs",
            ),
        ),
    ],
)
def test_paused_target(flags, finding):
    assert found(filling(connection("storage02", paused(*flags)))) == (finding,)


def test_paused_by_hand_on_one_link_while_another_fills_the_disk():
    both = filling(connection("storage02", paused("user")), connection("storage03", target()))
    assert [f[:2] for f in found(both)] == [("sync-paused", "WARNING"), ("sync-target", "WARNING")]


def test_paused_by_the_peer_while_another_link_fills_the_disk():
    both = filling(connection("storage02", paused("peer")), connection("storage03", target()))
    assert [f[0] for f in found(both)] == ["sync-target"]


WAITS = ("sync-waiting", "WARNING", "r0/0: resync from storage02 waits for its turn")


def test_resync_that_waits_for_another_volumes():
    waiting = filling(connection("storage02", paused("dependency")))
    first = resource(connection("storage02", source()), name="r1")
    assert found(waiting, first) == (WAITS,)


def test_resync_that_waits_for_one_that_the_filter_leaves_out():
    waiting = filling(connection("storage02", paused("dependency")))
    first = resource(connection("storage02", source()), name="r1")
    assert found(waiting, others=(first,)) == (WAITS,)


def test_resync_that_waits_for_one_that_the_filter_leaves_out_on_the_command_line(call, tmp_path):
    """Constructed: r0 of a recorded resync waits, and a second resource is the one it waits for."""
    node = altered(
        tmp_path,
        "full-resync-two-sources/storage03",
        ('"replication-state": "SyncTarget"', '"replication-state": "Established"'),
    )
    alone = call("drbd-sync", "--from", node, "-r", "r0")
    assert alone.code == 2
    assert "[CRITICAL] r0/0: resync from storage02 waits, and no resync runs" in alone.lines
    recorded = (SNAPSHOTS / "full-resync-two-sources/storage01/drbd-status.json").read_text()
    path = node / "drbd-status.json"
    first = path.read_text().rstrip().removesuffix("]").rstrip()
    recorded = recorded.replace('"name": "storage03"', '"name": "storage04"')
    second = recorded.replace('"name": "r0"', '"name": "r1"', 1).lstrip().removeprefix("[")
    path.write_text(f"{first},\n{second}")
    both = call("drbd-sync", "--from", node, "-r", "r0")
    assert both.code == 1
    assert "[WARNING] r0/0: resync from storage02 waits for its turn" in both.lines


@pytest.mark.parametrize(
    ("flags", "findings"),
    [
        (
            ("user",),
            (
                (
                    "sync-paused",
                    "WARNING",
                    "r0/0: resync of storage02 is paused by hand on storage01 (PausedSyncS)",
                ),
            ),
        ),
        (
            ("peer",),
            (
                (
                    "sync-paused",
                    "WARNING",
                    "r0/0: resync of storage02 is paused on storage02 (PausedSyncS)",
                ),
            ),
        ),
        (("dependency",), ()),
    ],
)
def test_paused_source(flags, findings):
    waits = source(*flags, state=ReplicationState.PAUSED_SYNC_S)
    assert found(mesh(connection("storage02", waits))) == findings


def test_paused_source_is_no_pause_while_another_link_syncs():
    waits = source("peer", state=ReplicationState.PAUSED_SYNC_S)
    both = mesh(connection("storage02", waits), connection("storage03", source()))
    verdict = judge("drbd-sync", view(both))
    assert (verdict.state, verdict.summary) == (
        "OK",
        f"r0/0: a resync to storage02 waits, {LEFT}; r0/0: source of a resync to storage03, {LEFT}",
    )


@pytest.mark.parametrize(
    ("peer", "rest"),
    [
        (
            connection("storage02", peer_device(resync_suspended=frozenset({"user"}))),
            "nothing is to sync",
        ),
        (
            replace(
                away("storage02"),
                peer_devices=(
                    peer_device(
                        resync_suspended=frozenset({"user"}),
                        replication_state=ReplicationState.OFF,
                        out_of_sync_kib=2048,
                    ),
                ),
            ),
            "2.0 MiB out of sync",
        ),
    ],
)
def test_pause_that_was_left_behind(peer, rest):
    text = f"r0/0: a pause of the resync with storage02 was left behind, {rest}"
    assert found(mesh(peer)) == (("sync-paused", "WARNING", text),)


def held(name, *flags, **changes):
    """A connection that a pause concerns."""
    return connection(name, peer_device(resync_suspended=frozenset(flags), **changes))


def test_pause_of_all_peers_at_once_is_one_finding_about_what_it_holds_up():
    """As after drbdadm pause-sync r0 on the node whose disk is being filled."""
    waits = {"replication_state": ReplicationState.PAUSED_SYNC_T, "out_of_sync_kib": 4096}
    client = {"peer_client": True, "peer_disk_state": DiskState.DISKLESS}
    peers = [held(name, "user", **client) for name in APPS]
    peers += [held("storage02", "user", **waits), held("storage03", "user", "dependency", **waits)]
    evidence = view(mesh(*peers, devices=(device(disk_state=DiskState.INCONSISTENT),)))
    (one,) = judge("drbd-sync", evidence).findings
    assert one == PAUSED_HERE
    each_checks = [report(check, evidence).findings for check in DISK_AND_SYNC]
    (fault,) = faults(evidence, [each for found in each_checks for each in found])
    assert fault.cause.key == "sync-paused"
    assert [each.key for each in fault.follows] == ["disk-inconsistent", "copies-low"]
    assert fault.cause.next_step == "on storage01: drbdadm resume-sync r0"


DISK_AND_SYNC = ("drbd-disk", "drbd-sync", "drbd-quorum")


def test_pauses_of_the_two_ends_are_ended_on_both():
    waits = {"replication_state": ReplicationState.PAUSED_SYNC_S}
    evidence = view(
        mesh(held("storage02", "user", **waits), held("storage03", "peer", **waits)),
    )
    assert [step for _, step in steps("drbd-sync", evidence)] == [
        "on storage01: drbdadm resume-sync r0",
        "on storage03: drbdadm resume-sync r0",
    ]


@pytest.mark.parametrize(
    ("state", "flags", "nodes"),
    [
        (ReplicationState.PAUSED_SYNC_S, ("user",), ("storage02", "storage01")),
        (ReplicationState.PAUSED_SYNC_S, ("peer",), ("storage02",)),
        (ReplicationState.PAUSED_SYNC_T, ("user",), ("storage01",)),
        (ReplicationState.PAUSED_SYNC_T, ("peer",), ("storage01", "storage02")),
        (ReplicationState.PAUSED_SYNC_T, (), ("storage01", "storage02")),
    ],
)
def test_pause_is_about_the_copy_that_stays_old_and_the_node_that_set_it(state, flags, nodes):
    judged = report("drbd-sync", view(mesh(held("storage02", *flags, replication_state=state))))
    assert [each.nodes for each in judged.findings] == [nodes]


def test_pause_towards_several_peers_that_was_left_behind_names_them():
    (one,) = found(mesh(held("storage02", "user"), held("storage03", "user")))
    text = "r0/0: a pause of the resync with storage02, storage03 was left behind"
    assert one[2] == f"{text}, nothing is to sync"


def test_other_sides_pause_with_nothing_to_sync_is_told_there():
    other = connection("storage02", peer_device(resync_suspended=frozenset({"peer"})))
    assert found(mesh(other)) == ()


# -- quiet links --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state",
    [
        ReplicationState.WF_BITMAP_S,
        ReplicationState.WF_BITMAP_T,
        ReplicationState.WF_SYNC_UUID,
        ReplicationState.STARTING_SYNC_S,
        ReplicationState.STARTING_SYNC_T,
    ],
)
def test_handshake(state):
    shaking = connection("storage02", peer_device(replication_state=state))
    assert found(mesh(shaking)) == (
        (
            "sync-handshake",
            "WARNING",
            f"r0/0: resync handshake with storage02 ({state.value})",
        ),
    )


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (ReplicationState.AHEAD, "storage01 is Ahead of storage02, 1.0 KiB out of sync"),
        (ReplicationState.BEHIND, "storage01 is Behind storage02, 1.0 KiB out of sync"),
    ],
)
def test_ahead_and_behind(state, text):
    slow = connection("storage02", peer_device(replication_state=state, out_of_sync_kib=1))
    assert found(mesh(slow)) == (("behind", "WARNING", f"r0/0: {text}"),)


@pytest.mark.parametrize("old", [DiskState.INCONSISTENT, DiskState.OUTDATED, DiskState.CONSISTENT])
def test_disk_that_nothing_brings_up_to_date(old):
    theirs = connection("storage02", peer_device(peer_disk_state=old, out_of_sync_kib=5152))
    assert found(mesh(theirs)) == (
        (
            "sync-missing",
            "WARNING",
            f"r0/0: storage02 is {old.value}, 5.0 MiB out of sync, and no resync runs",
        ),
    )
    ours = mesh(
        connection("storage02", peer_device(out_of_sync_kib=5152)),
        devices=(device(disk_state=old),),
    )
    assert found(ours) == (
        (
            "sync-missing",
            "WARNING",
            f"r0/0: {old.value} here, 5.0 MiB out of sync to storage02, and no resync runs",
        ),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"out_of_sync_kib": 0},
        {"out_of_sync_kib": None},
        {"resync_suspended": frozenset({"peer"})},
        {"resync_suspended": frozenset({"dependency"})},
        {"resync_suspended": None},
    ],
)
def test_old_disk_that_a_third_node_resyncs_or_that_may_be_right(changes):
    changes = {"peer_disk_state": DiskState.OUTDATED, "out_of_sync_kib": 5152, **changes}
    assert found(mesh(connection("storage02", peer_device(**changes)))) == ()


def test_old_disks_at_both_ends_are_for_drbd_disk_to_say():
    theirs = peer_device(peer_disk_state=DiskState.OUTDATED, out_of_sync_kib=5152)
    both = mesh(connection("storage02", theirs), devices=(device(disk_state=DiskState.OUTDATED),))
    verdict = judge("drbd-sync", view(both))
    assert (verdict.findings, verdict.summary) == ((), "r0: no resync runs, 5.0 MiB out of sync")


@pytest.mark.parametrize(
    ("kib", "text"),
    [(1, "1.0 KiB"), (320, "320.0 KiB"), (5784, "5.6 MiB"), (3 * 1024**2, "3.0 GiB")],
)
def test_silent_difference_in_its_unit(kib, text):
    differ = connection("storage02", peer_device(out_of_sync_kib=kib))
    assert found(mesh(differ)) == (
        (
            "out-of-sync",
            "WARNING",
            f"r0/0: {text} marked out of sync with storage02, both UpToDate; none with storage03",
        ),
    )


def test_blocks_out_of_sync_behind_a_lost_connection_are_expected():
    lost = replace(
        away("storage02"),
        peer_devices=(
            peer_device(
                replication_state=ReplicationState.OFF,
                peer_disk_state=DiskState.D_UNKNOWN,
                out_of_sync_kib=5152,
            ),
        ),
    )
    verdict = judge("drbd-sync", view(mesh(lost)))
    assert (verdict.findings, verdict.summary) == ((), "r0: no resync runs, 5.0 MiB out of sync")


def test_verify_counts_differences_without_a_finding_while_it_runs():
    verify = peer_device(
        replication_state=ReplicationState.VERIFY_S,
        out_of_sync_kib=320,
        verifying=True,
        progress=progress(),
    )
    verdict = judge("drbd-sync", view(mesh(connection("storage02", verify))))
    assert (verdict.state, verdict.summary) == (
        "OK",
        "r0/0: online verify with storage02, 320.0 KiB out of sync so far, 25.0% done, 60 s left",
    )


def test_source_of_which_no_progress_is_known():
    starting = source(progress=None, out_of_sync_kib=0)
    verdict = judge("drbd-sync", view(mesh(connection("storage02", starting))))
    assert (verdict.state, verdict.summary) == (
        "OK",
        "r0/0: source of a resync to storage02, progress unknown",
    )


def test_client_sees_a_resync_between_others():
    theirs = peer_device(
        peer_disk_state=DiskState.INCONSISTENT, resync_suspended=frozenset({"peer"})
    )
    seen = mesh(connection("storage02", theirs), here="app01", devices=(client_device(),))
    verdict = judge("drbd-sync", view(seen, node="app01"))
    assert (verdict.state, verdict.summary) == (
        "OK",
        "r0/0: storage02 is resynchronised from another node",
    )


def test_volumes_are_judged_one_by_one():
    links = (peer_device(0, out_of_sync_kib=4), peer_device(1), peer_device(2, out_of_sync_kib=8))
    volumes = (device(0), device(1), device(2))
    assert [f[2] for f in found(resource(connection("storage02", *links), devices=volumes))] == [
        "r0/0: 4.0 KiB marked out of sync with storage02, both UpToDate",
        "r0/2: 8.0 KiB marked out of sync with storage02, both UpToDate",
    ]


# -- standing still ----------------------------------------------------------------------------


def test_constructed_a_mark_of_minutes_is_a_resync_that_stands_still():
    """The kernel sets a mark every few seconds, but only when blocks have moved."""
    moving = Progress(42.0, 60, 1.0, 1.0, 1.0, 4000, 5_421_000, 5_430_000, 0, 20712, 0, 4_000)
    still = moving._replace(mark_ms=5_406_000)
    keys = []
    for each in (moving, still):
        peer = peer_device(
            replication_state=ReplicationState.SYNC_TARGET, out_of_sync_kib=6000, progress=each
        )
        keys.append([(key, state) for key, state, _ in found(mesh(connection("storage02", peer)))])
    assert keys == [[("sync-target", "WARNING")], [("sync-stalled", "CRITICAL")]]


@pytest.mark.parametrize("state", ["WFBitMapT", "WFBitMapS", "WFSyncUUID"])
def test_constructed_a_handshake_that_two_readings_show_unchanged_stands_still(state):
    word = ReplicationState(state)
    peer = peer_device(replication_state=word, out_of_sync_kib=5000)
    stuck = mesh(connection("storage02", peer))
    assert [f[0] for f in judge("drbd-sync", view(stuck)).findings] == ["sync-handshake"]
    twice = judge("drbd-sync", view(stuck, again=(stuck,)))
    assert [f[:2] for f in twice.findings] == [("sync-stalled", "CRITICAL")]
    assert f"stands still ({state})" in twice.findings[0][2]


# -- steps: typed as printed they hurt nobody ----------------------------------------------------


def test_a_pause_is_ended_on_the_node_that_set_it():
    here = peer_device(
        replication_state=ReplicationState.PAUSED_SYNC_S, resync_suspended=frozenset({"user"})
    )
    there = here._replace(resync_suspended=frozenset({"peer"}))
    assert steps("drbd-sync", view(mesh(connection("storage02", here)))) == [
        ("sync-paused", "on storage01: drbdadm resume-sync r0")
    ]
    assert steps("drbd-sync", view(mesh(connection("storage02", there)))) == [
        ("sync-paused", "on storage02: drbdadm resume-sync r0")
    ]


def test_a_primary_that_reads_from_its_only_source_is_not_told_to_disconnect_first():
    stuck = peer_device(
        replication_state=ReplicationState.SYNC_TARGET,
        out_of_sync_kib=10,
        progress=progress(mark_ms=5_430_000),
    )
    seen = resource(
        connection("storage02", stuck),
        role=Role.PRIMARY,
        devices=(device(disk_state=DiskState.INCONSISTENT),),
    )
    ((key, step),) = steps("drbd-sync", view(seen))
    assert key == "sync-stalled"
    assert step.startswith("journalctl -k -g drbd on storage01 and storage02; storage01 is Primary")
    quiet = seen._replace(role=Role.SECONDARY)
    assert steps("drbd-sync", view(quiet)) == [
        (
            "sync-stalled",
            "on storage01: drbdadm disconnect r0:storage02; drbdadm connect r0:storage02; if it"
            " stays: journalctl -k -g drbd",
        )
    ]


DIFFERS = connection("storage03", peer_device(out_of_sync_kib=8))


ENDS = (
    "Does storage03 count it, too (there: drbdsetup status r0 --statistics)? If not, it may be a"
    " mark left over: compare. "
)
RESULT = (
    "; at its end: journalctl -k -g 'Out of sync: start'; none: the marks were left over, on"
    " storage01: drbdadm disconnect r0:storage03; drbdadm connect r0:storage03. "
)
AGAIN = (
    "if there are some, copy from storage01: on storage03: drbdadm role r0; where it is Secondary"
)
MARKS = f"{AGAIN}: drbdadm invalidate --reset-bitmap=no r0:storage01/0"
WHOLE = f"{AGAIN}, a full copy: drbdadm invalidate r0/0"
OLD = " (before DRBD 9.0.29 or drbd-utils 9.17 a full copy: drbdadm invalidate r0/0)"


@pytest.mark.parametrize(
    ("options", "look"),
    [
        (
            (shown("r0", shown_connection("storage03", net={"verify-alg": "sha1"})),),
            f"1. on storage01: drbdadm verify r0:storage03/0{RESULT}2. ",
        ),
        (
            (shown("r0", shown_connection("storage03"), shown_connection("app01")),),
            "1. set verify-alg in the net section of r0 on all its nodes (app01, storage01,"
            " storage03), then on each: drbdadm net-options r0. 2. on storage01: drbdadm verify"
            f" r0:storage03/0{RESULT}3. ",
        ),
        (
            (),
            "1. on storage01: drbdadm verify r0:storage03/0 (it needs verify-alg: drbdadm dump r0)"
            f"{RESULT}2. ",
        ),
    ],
    ids=["set", "not-set", "not-known"],
)
def test_verify_is_offered_where_it_can_run(options, look):
    """On one node of six alone it made the next connect end StandAlone (recorded)."""
    assert steps("drbd-sync", view(mesh(DIFFERS), options=options)) == [
        ("out-of-sync", f"{ENDS}{look}{MARKS}{OLD}")
    ]


@pytest.mark.parametrize(
    ("module", "utils", "again"),
    [
        ("9.2.18", "9.22.0", MARKS),
        ("9.0.29-1", "9.17.0", MARKS),
        ("9.0.28-1", "9.22.0", WHOLE),
        ("9.2.18", "9.16.0", WHOLE),
        ("9.2.18", None, MARKS + OLD),
    ],
)
def test_blocks_that_were_found_are_copied_by_what_this_drbd_can(module, utils, again):
    """A reconnect forgot them on 9.2.18 and copied nothing (recorded)."""
    there = view(mesh(DIFFERS))
    seen = View(
        there.node,
        there.time,
        {DRBD: there[DRBD]},
        drbd_module=module,
        drbd_utils=utils,
    )
    ((_, step),) = steps("drbd-sync", seen)
    assert step.endswith(again)


def test_of_three_copies_it_is_told_which_ones_are_in_step():
    assert found(mesh(DIFFERS))[0][2].endswith("both UpToDate; none with storage02")
    both = mesh(DIFFERS, connection("storage02", peer_device(out_of_sync_kib=8)))
    assert [text.rpartition("; ")[2] for _, _, text in found(both)] == [
        "storage01 is in step with no other copy"
    ] * 2


def test_of_many_copies_that_are_in_step_three_are_named():
    names = [f"storage{number:02}" for number in range(4, 9)]
    odd = resource(DIFFERS, *map(connection, names))
    ((_, _, text),) = found(odd)
    assert text.endswith("; none with storage04, storage05, storage06 and 2 more")


def test_of_two_copies_nobody_knows_which_one_is_wrong():
    ((_, _, text),) = found(resource(connection("storage02", peer_device(out_of_sync_kib=8))))
    assert text == "r0/0: 8.0 KiB marked out of sync with storage02, both UpToDate"
