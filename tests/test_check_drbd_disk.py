"""drbd-disk: recorded states with the whole output, and rules on constructed states."""

from __future__ import annotations

import pytest

from build import SNAPSHOTS, altered, run
from build_drbd import (
    Case,
    away,
    client_device,
    configuration,
    connection,
    device,
    judge,
    mesh,
    peer_device,
    place,
    progress,
    steps,
    view,
)
from check_mccluster.model.config import Config, DrbdRule
from check_mccluster.model.drbd import DiskState, ReplicationState

RECORDED = [
    Case(
        "six-nodes-healthy/app01",
        0,
        "DRBD-DISK OK - r0/0 intended client (diskless)",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=1;;;0;1 volumes_uptodate=0;;;0;1
        """,
    ),
    Case(
        "six-nodes-healthy/storage01",
        0,
        "DRBD-DISK OK - r0/0 UpToDate",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=1;;;0;1
        """,
    ),
    Case(
        "first-full-sync/storage01",
        0,
        "DRBD-DISK OK - r0/0 UpToDate",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=1;;;0;1
        """,
    ),
    Case(
        "first-full-sync/storage02",
        1,
        "DRBD-DISK WARNING - r0/0: disk of storage02 is Inconsistent, resync from "
        "storage01, 26.3% done, 68 s left",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=0;;;0;1
        """,
    ),
    Case(
        "all-copies-outdated/storage01",
        2,
        "DRBD-DISK CRITICAL - r0/0: disk of storage01 is Outdated and nothing resyncs it",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=0;;;0;1
        """,
    ),
    Case(
        "link-to-one-storage-cut/storage02",
        2,
        "DRBD-DISK CRITICAL - r0/0: disk of storage02 is Outdated and nothing resyncs it",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=0;;;0;1
        """,
    ),
    Case(
        "resync-after-reconnect/storage03",
        1,
        "DRBD-DISK WARNING - r0/0: disk of storage03 is Inconsistent, resync from "
        "storage02, 19.1% done, 19 s left",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=0;;;0;1
        """,
    ),
    Case(
        "disk-detached/storage03",
        2,
        "DRBD-DISK CRITICAL - r0/0: disk lost on storage03 (Diskless, not a client)",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=0;;;0;1
        """,
    ),
    Case(
        "disk-detached/storage01",
        0,
        "DRBD-DISK OK - r0/0 UpToDate",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=1;;;0;1
        """,
    ),
    Case(
        "disk-hangs-detaching/storage03",
        2,
        "DRBD-DISK CRITICAL - r0/0: disk of storage03 is Detaching",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=0;;;0;1
        """,
    ),
    Case(
        "split-brain/storage01",
        0,
        "DRBD-DISK OK - r0/0 UpToDate, r1/0 UpToDate, r1/1 UpToDate",
        """
        'r0/0_size'=536719360B;;;0 'r1/0_size'=67063808B;;;0 'r1/1_size'=67063808B;;;0
        volumes=3;;;0 volumes_client=0;;;0;3 volumes_uptodate=3;;;0;3
        """,
    ),
    Case(
        "outdated-by-admin/storage02",
        2,
        "DRBD-DISK CRITICAL - r1/0: disk of storage02 is Outdated and nothing resyncs"
        " it; r1/1: disk of storage02 is Outdated and nothing resyncs it",
        """
        'r0/0_size'=536719360B;;;0 'r1/0_size'=67063808B;;;0 'r1/1_size'=67063808B;;;0
        volumes=3;;;0 volumes_client=0;;;0;3 volumes_uptodate=1;;;0;3
        """,
        more=(
            "[CRITICAL] r1/0: disk of storage02 is Outdated and nothing resyncs it",
            "[CRITICAL] r1/1: disk of storage02 is Outdated and nothing resyncs it",
        ),
    ),
    Case(
        "never-synced/storage01",
        2,
        "DRBD-DISK CRITICAL - r0/0: disk of storage01 is Inconsistent and nothing resyncs it",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=0;;;0;1
        """,
    ),
    Case(
        "client-without-data/storage03",
        0,
        "DRBD-DISK OK - r0/0 UpToDate, r2/0 intended client (diskless)",
        """
        'r0/0_size'=536719360B;;;0 'r2/0_size'=33513472B;;;0 volumes=2;;;0
        volumes_client=1;;;0;2 volumes_uptodate=1;;;0;2
        """,
    ),
    Case(
        "storage-server-isolated/storage03",
        0,
        "DRBD-DISK OK - r0/0 UpToDate",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=1;;;0;1
        """,
    ),
    Case(
        "two-resources/storage01",
        0,
        "DRBD-DISK OK - r0/0 UpToDate, r1/0 UpToDate, r1/1 UpToDate",
        """
        'r0/0_size'=536719360B;;;0 'r1/0_size'=67063808B;;;0 'r1/1_size'=67063808B;;;0
        volumes=3;;;0 volumes_client=0;;;0;3 volumes_uptodate=3;;;0;3
        """,
    ),
    Case(
        "fifty-resources/storage02",
        2,
        "DRBD-DISK CRITICAL - m07/0: no disk on storage02 (Diskless, not a client; never attached)",
        """
        volumes=51;;;0 volumes_client=0;;;0;51 volumes_uptodate=50;;;0;51
        """,
    ),
    Case(
        "ahead-behind/storage01",
        0,
        "DRBD-DISK OK - r0/0 UpToDate, r1/0 UpToDate, r1/1 UpToDate",
        """
        'r0/0_size'=536719360B;;;0 'r1/0_size'=67063808B;;;0 'r1/1_size'=67063808B;;;0
        volumes=3;;;0 volumes_client=0;;;0;3 volumes_uptodate=3;;;0;3
        """,
    ),
    Case(
        "ahead-behind/storage02",
        1,
        "DRBD-DISK WARNING - r1/1: disk of storage02 is Inconsistent, resync from "
        "storage01, 0.0% done",
        """
        'r0/0_size'=536719360B;;;0 'r1/0_size'=67063808B;;;0 'r1/1_size'=67063808B;;;0
        volumes=3;;;0 volumes_client=0;;;0;3 volumes_uptodate=2;;;0;3
        """,
    ),
    Case(
        "full-resync-two-sources/storage03",
        1,
        "DRBD-DISK WARNING - r0/0: disk of storage03 is Inconsistent, resync from "
        "storage01, 8.3% done, 42 s left",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=0;;;0;1
        """,
    ),
    Case(
        "no-resource-up/storage01",
        2,
        "DRBD-DISK CRITICAL - no DRBD resource is up on this node; expected: r0",
    ),
    Case(
        "module-not-loaded/storage01",
        2,
        "DRBD-DISK CRITICAL - the DRBD kernel module is not loaded (modprobe: ERROR: "
        "could not insert 'drbd': Operation not permitted)",
    ),
    Case(
        "module-missing/storage01",
        2,
        "DRBD-DISK CRITICAL - the DRBD kernel module is not loaded (modprobe: FATAL: "
        "Module drbd not found in directory /lib/modules/6.1.0-56-cloud...",
    ),
    Case(
        "three-nodes-healthy/app01",
        3,
        "DRBD-DISK UNKNOWN - drbdsetup: not in the snapshot (not installed there?)",
    ),
    Case(
        "utils-8.9.9-healthy/app01",
        3,
        "DRBD-DISK UNKNOWN - r0/0: Diskless on app01, and drbdsetup cannot say whether that is on"
        " purpose",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=0;;;0;1
        """,
    ),
    Case(
        "utils-8.9.9-healthy/storage01",
        0,
        "DRBD-DISK OK - r0/0 UpToDate",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=1;;;0;1
        """,
    ),
    Case(
        "utils-8.9.9-full-resync/storage03",
        1,
        "DRBD-DISK WARNING - r0/0: disk of storage03 is Inconsistent, resync from "
        "storage01, 5.1% done",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=0;;;0;1
        """,
    ),
    Case(
        "utils-9.1.0-healthy/app01",
        0,
        "DRBD-DISK OK - r0/0 intended client (diskless)",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=1;;;0;1 volumes_uptodate=0;;;0;1
        """,
    ),
    Case(
        "utils-9.1.0-healthy/storage01",
        0,
        "DRBD-DISK OK - r0/0 UpToDate",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=1;;;0;1
        """,
    ),
    Case(
        "utils-9.1.0-answer-cut/app01",
        3,
        "DRBD-DISK UNKNOWN - drbdsetup status: received netlink error reply: Invalid "
        "argument; its answer is cut; r0 shows neither volumes nor peers",
    ),
    Case(
        "utils-9.3.1-healthy/app01",
        0,
        "DRBD-DISK OK - r0/0 intended client (diskless)",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=1;;;0;1 volumes_uptodate=0;;;0;1
        """,
    ),
    Case(
        "utils-9.3.1-healthy/storage01",
        0,
        "DRBD-DISK OK - r0/0 UpToDate",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=1;;;0;1
        """,
    ),
    Case(
        "utils-9.3.1-half-configured/storage03",
        2,
        "DRBD-DISK CRITICAL - x1/0: no disk on storage03 (Diskless, not a client; never attached)"
        " (+2 more)",
        """
        'r0/0_size'=536719360B;;;0 'x1/0_size'=0B;;;0 'x1/1_size'=0B;;;0 volumes=3;;;0
        volumes_client=0;;;0;3 volumes_uptodate=1;;;0;3
        """,
        more=(
            "[CRITICAL] x1/0: no disk on storage03 (Diskless, not a client; never attached)",
            "[CRITICAL] x1/1: no disk on storage03 (Diskless, not a client; never attached)",
            "[UNKNOWN] x2 shows neither volumes nor peers",
        ),
    ),
    Case(
        "utils-9.5.0-healthy/app01",
        0,
        "DRBD-DISK OK - r0/0 intended client (diskless)",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=1;;;0;1 volumes_uptodate=0;;;0;1
        """,
    ),
    Case(
        "utils-9.5.0-client-alone/app02",
        0,
        "DRBD-DISK OK - r0/0 intended client (diskless)",
        """
        'r0/0_size'=0B;;;0 volumes=1;;;0 volumes_client=1;;;0;1 volumes_uptodate=0;;;0;1
        """,
    ),
    Case(
        "utils-9.29-healthy/app01",
        0,
        "DRBD-DISK OK - r0/0 intended client (diskless)",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=1;;;0;1 volumes_uptodate=0;;;0;1
        """,
    ),
    Case(
        "utils-9.29-healthy/storage01",
        0,
        "DRBD-DISK OK - r0/0 UpToDate",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=1;;;0;1
        """,
    ),
    Case(
        "utils-9.34-nobody-primary/app01",
        0,
        "DRBD-DISK OK - r0/0 intended client (diskless)",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=1;;;0;1 volumes_uptodate=0;;;0;1
        """,
    ),
    Case(
        "utils-9.34-nobody-primary/storage01",
        0,
        "DRBD-DISK OK - r0/0 UpToDate",
        """
        'r0/0_size'=536719360B;;;0 volumes=1;;;0 volumes_client=0;;;0;1 volumes_uptodate=1;;;0;1
        """,
    ),
]

CASE_FILE = """
[drbd.r0]
replicas = ["storage01", "storage02", "storage03"]
clients = ["app01", "app02", "app03"]
"""


@pytest.mark.parametrize("case", RECORDED, ids=place)
def test_recorded_states(call, case):
    assert run(call, "drbd-disk", case.place) == case.due


def test_long_output_has_key_next_step_and_every_volume(call):
    outcome = call("drbd-disk", "-vv", "--from", SNAPSHOTS / "outdated-by-admin/storage02")
    step = (
        "on storage02: journalctl -k -g Split-Brain; if it finds nothing:"
        " drbdadm connect r1:storage01; where it falls back to StandAlone: journalctl -k"
        " -g drbd tells why. If it finds one: compare both copies; on the one that is given"
        " up, a Secondary: drbdadm disconnect r1; drbdadm connect --discard-my-data r1; on the"
        " other: drbdadm connect r1"
    )
    assert outcome.lines[1:] == [
        "[CRITICAL] disk-outdated: r1/0: disk of storage02 is Outdated and nothing resyncs it"
        f" -> {step}",
        "[CRITICAL] disk-outdated: r1/1: disk of storage02 is Outdated and nothing resyncs it"
        f" -> {step}",
        "looked at disk r0/0 UpToDate",
        "looked at disk r1/0 Outdated",
        "looked at disk r1/1 Outdated",
    ]


# -- options and the configuration file, on recorded states -------------------------------------


@pytest.mark.parametrize(
    ("options", "code", "first"),
    [
        (("-r", "r0"), 0, "OK - r0/0 UpToDate"),
        (("-r", "r?"), 2, "CRITICAL - r1/0: disk of storage02 is Outdated and nothing resyncs it;"),
        (("-r", "r1", "-r", "r2"), 2, "CRITICAL - r2 is not up on this node; r1/0: disk of"),
        (("-r", "m*"), 3, "UNKNOWN - no DRBD resource matches m*"),
        (
            ("--severity", "disk-outdated=warning"),
            1,
            "WARNING - r1/0: disk of storage02 is Outdated and nothing resyncs it;",
        ),
    ],
)
def test_options(call, options, code, first):
    outcome = call("drbd-disk", "--from", SNAPSHOTS / "outdated-by-admin/storage02", *options)
    assert outcome.code == code
    assert outcome.first.startswith(f"DRBD-DISK {first}")


@pytest.mark.parametrize(
    ("node", "code", "first"),
    [
        ("six-nodes-healthy/app01", 0, "OK - r0/0 intended client (diskless)"),
        ("six-nodes-healthy/storage01", 0, "OK - r0/0 UpToDate"),
        ("utils-8.9.9-healthy/app01", 0, "OK - r0/0 intended client (diskless)"),
        ("utils-8.9.9-healthy/storage01", 0, "OK - r0/0 UpToDate"),
        ("utils-9.34-nobody-primary/app01", 0, "OK - r0/0 intended client (diskless)"),
        (
            "disk-detached/storage03",
            2,
            "CRITICAL - r0/0: disk lost on storage03 (Diskless, not a client)",
        ),
    ],
)
def test_configuration_file_of_the_case(call, tmp_path, node, code, first):
    config = configuration(tmp_path, CASE_FILE)
    outcome = call("drbd-disk", "--from", SNAPSHOTS / node, "--config", config)
    assert (outcome.code, outcome.first) == (code, f"DRBD-DISK {first}")


@pytest.mark.parametrize(
    ("node", "code", "first", "key"),
    [
        (
            "six-nodes-healthy/app01",
            2,
            "CRITICAL - r0/0: app01 is a diskless client, the configuration file says replica",
            "client-unexpected",
        ),
        (
            "six-nodes-healthy/storage01",
            1,
            "WARNING - r0/0: storage01 has a disk, the configuration file says client",
            "disk-unexpected",
        ),
        (
            "utils-8.9.9-healthy/app01",
            2,
            "CRITICAL - r0/0: disk lost on app01 (Diskless, not a client)",
            "disk-lost",
        ),
    ],
)
def test_configuration_file_says_otherwise(call, tmp_path, node, code, first, key):
    config = configuration(tmp_path, '[drbd.r0]\nreplicas = ["app01"]\nclients = ["storage01"]\n')
    outcome = call("drbd-disk", "-v", "--from", SNAPSHOTS / node, "--config", config)
    assert (outcome.code, outcome.first) == (code, f"DRBD-DISK {first}")
    assert outcome.lines[1].split()[1] == f"{key}:"


def test_unknown_disk_state_is_quoted(call, tmp_path):
    """Constructed: a recorded state with a disk state that no release of DRBD has."""
    words = ('"disk-state": "UpToDate"', '"disk-state": "Shiny"')
    outcome = call("drbd-disk", "--from", altered(tmp_path, "six-nodes-healthy/storage01", words))
    assert (outcome.code, outcome.first) == (
        3,
        "DRBD-DISK UNKNOWN - drbdsetup: unknown word 'Shiny' as disk-state of r0/0",
    )


# -- rules on constructed states ---------------------------------------------------------------


def seen(state: DiskState, *connections, **changes):
    """storage01 with its disk in *state*."""
    return view(mesh(*connections, devices=(device(disk_state=state, **changes),)))


@pytest.mark.parametrize(
    ("state", "key", "grave", "text"),
    [
        (DiskState.FAILED, "disk-failed", "CRITICAL", "disk of storage01 is Failed"),
        (DiskState.DETACHING, "disk-failed", "CRITICAL", "disk of storage01 is Detaching"),
        (
            DiskState.INCONSISTENT,
            "disk-inconsistent",
            "CRITICAL",
            "disk of storage01 is Inconsistent and nothing resyncs it",
        ),
        (
            DiskState.OUTDATED,
            "disk-outdated",
            "CRITICAL",
            "disk of storage01 is Outdated and nothing resyncs it",
        ),
        (
            DiskState.CONSISTENT,
            "disk-consistent",
            "WARNING",
            "disk of storage01 is Consistent, not known to be UpToDate",
        ),
        (
            DiskState.ATTACHING,
            "disk-attaching",
            "WARNING",
            "disk of storage01 is Attaching: its attach has not ended",
        ),
        (DiskState.NEGOTIATING, "disk-attaching", "WARNING", "disk of storage01 is Negotiating"),
        (
            DiskState.DISKLESS,
            "disk-lost",
            "CRITICAL",
            "disk lost on storage01 (Diskless, not a client)",
        ),
        (
            DiskState.D_UNKNOWN,
            "disk-failed",
            "UNKNOWN",
            "state of the disk of storage01 is unknown",
        ),
    ],
)
def test_disk_states(state, key, grave, text):
    assert judge("drbd-disk", seen(state)).findings == ((key, grave, f"r0/0: {text}"),)


SYNC_TARGET = connection(
    "storage02",
    peer_device(replication_state=ReplicationState.SYNC_TARGET, progress=progress()),
)


@pytest.mark.parametrize(
    ("state", "key", "text"),
    [
        (DiskState.INCONSISTENT, "disk-syncing", "disk of storage01 is Inconsistent"),
        (DiskState.OUTDATED, "disk-outdated", "disk of storage01 is Outdated"),
    ],
)
def test_a_running_resync_makes_it_a_warning(state, key, text):
    assert judge("drbd-disk", seen(state, SYNC_TARGET)).findings == (
        (key, "WARNING", f"r0/0: {text}, resync from storage02, 25.0% done, 60 s left"),
    )


def test_resync_of_which_no_progress_is_known_yet():
    starting = connection("storage02", peer_device(replication_state=ReplicationState.SYNC_TARGET))
    assert judge("drbd-disk", seen(DiskState.INCONSISTENT, starting)).findings == (
        (
            "disk-syncing",
            "WARNING",
            "r0/0: disk of storage01 is Inconsistent, resync from storage02, progress unknown",
        ),
    )


@pytest.mark.parametrize(
    "handshake",
    [
        ReplicationState.WF_BITMAP_T,
        ReplicationState.WF_SYNC_UUID,
        ReplicationState.STARTING_SYNC_T,
    ],
)
def test_resync_that_begins(handshake):
    shaking = connection("storage02", peer_device(replication_state=handshake))
    assert judge("drbd-disk", seen(DiskState.INCONSISTENT, shaking)).findings == (
        ("disk-syncing", "WARNING", "r0/0: disk of storage01 is Inconsistent, resync begins"),
    )


@pytest.mark.parametrize(
    "elsewhere",
    [
        ReplicationState.PAUSED_SYNC_T,
        ReplicationState.SYNC_SOURCE,
        ReplicationState.WF_BITMAP_S,
        ReplicationState.BEHIND,
        ReplicationState.VERIFY_T,
    ],
)
def test_states_that_do_not_fill_this_disk(elsewhere):
    other = connection("storage02", peer_device(replication_state=elsewhere))
    assert [f[:2] for f in judge("drbd-disk", seen(DiskState.INCONSISTENT, other)).findings] == [
        ("disk-inconsistent", "CRITICAL")
    ]


def test_resync_of_another_volume_does_not_help_this_one():
    target = peer_device(1, replication_state=ReplicationState.SYNC_TARGET, progress=progress())
    volumes = (device(0, disk_state=DiskState.INCONSISTENT), device(1))
    resource = mesh(connection("storage02", peer_device(0), target), devices=volumes)
    assert [f[:2] for f in judge("drbd-disk", view(resource)).findings] == [
        ("disk-inconsistent", "CRITICAL")
    ]


def test_disk_is_judged_without_any_connection():
    alone = mesh(*(away(name) for name in ("storage02", "storage03", "app01", "app02", "app03")))
    assert judge("drbd-disk", view(alone)).state == "OK"


@pytest.mark.parametrize(
    ("rule", "findings"),
    [
        (
            DrbdRule(),
            (
                (
                    "client-unknown",
                    "UNKNOWN",
                    "r0/0: Diskless on app01, and drbdsetup cannot say whether that is on purpose",
                ),
            ),
        ),
        (DrbdRule(clients=("app01.example.org",)), ()),
        (
            DrbdRule(replicas=("app01",)),
            (("disk-lost", "CRITICAL", "r0/0: disk lost on app01 (Diskless, not a client)"),),
        ),
    ],
)
def test_diskless_where_the_tool_cannot_say_why(rule, findings):
    resource = mesh(here="app01", devices=(client_device(client=None),))
    config = Config(drbd={"r0": rule})
    assert judge("drbd-disk", view(resource, node="app01", config=config)).findings == findings


def test_configuration_of_another_resource_says_nothing():
    config = Config(drbd={"r1": DrbdRule(replicas=("app01",))})
    assert judge("drbd-disk", view(mesh(here="app01"), node="app01", config=config)).state == "OK"


@pytest.mark.parametrize(
    ("changes", "key", "step"),
    [
        (
            {"client": False, "size_kib": 0},
            "disk-lost",
            "on app01: drbdadm attach r0/0 tells why. No valid meta data, and a disk without data:"
            " drbdadm create-md r0/0, then: drbdadm attach r0/0; drbdadm connect r0. Else check the"
            " backing disk (smartctl, multipath): journalctl -k -g drbd",
        ),
        (
            {"client": None},
            "client-unknown",
            "Upgrade drbd-utils to 9.4 or later, or list the clients in the configuration file",
        ),
    ],
    ids=["never-attached", "nobody-can-say"],
)
def test_only_a_disk_that_is_lost_is_to_be_attached(changes, key, step):
    seen = view(mesh(here="app01", devices=(client_device(**changes),)), node="app01")
    assert steps("drbd-disk", seen) == [(key, step)]
