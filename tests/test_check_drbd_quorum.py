"""drbd-quorum: recorded states with the whole output, and rules on constructed states."""

from __future__ import annotations

import pytest

from build import SNAPSHOTS, altered, replace, run, short
from build_drbd import (
    APPS,
    STORAGES,
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
    read_twice,
    resource,
    shown,
    steps,
    view,
)
from check_mccluster.checks.registry import load
from check_mccluster.judge.engine import report
from check_mccluster.model.config import Config, DrbdRule
from check_mccluster.model.drbd import ConnectionState, DiskState, ReplicationState, Role
from check_mccluster.verdict.view import Asked

RECORDED = [
    Case(
        "six-nodes-healthy/app01",
        0,
        "DRBD-QUORUM OK - r0/0: 3 of 3 copies, can lose 1",
        """
        'r0/0_copies'=3;3:;2:;0;3 'r0/0_replicas'=3;;;0 'r0/0_votes_margin'=1;;;0 copies_min=3;;;0
        """,
    ),
    Case(
        "six-nodes-healthy/storage01",
        0,
        "DRBD-QUORUM OK - r0/0: 3 of 3 copies, can lose 1",
        """
        'r0/0_copies'=3;3:;2:;0;3 'r0/0_replicas'=3;;;0 'r0/0_votes_margin'=1;;;0 copies_min=3;;;0
        """,
    ),
    Case(
        "first-full-sync/storage02",
        2,
        "DRBD-QUORUM CRITICAL - r0/0: 1 of 3 copies UpToDate and reachable, not "
        "storage02: being resynchronised, 26.3% done; not storage03: Inconsist...",
        """
        'r0/0_copies'=1;3:;2:;0;3 'r0/0_replicas'=3;;;0 copies_min=1;;;0
        """,
        more=(
            "[CRITICAL] r0/0: 1 of 3 copies UpToDate and reachable, not storage02: being"
            " resynchronised, 26.3% done; not storage03: Inconsistent, resync by another node"
            " or paused",
        ),
    ),
    Case(
        "storage03-powered-off/app01",
        1,
        "DRBD-QUORUM WARNING - r0/0: 2 of 3 copies UpToDate and reachable, not storage03",
        """
        'r0/0_copies'=2;3:;2:;0;3 'r0/0_replicas'=3;;;0 'r0/0_votes_margin'=0;;;0 copies_min=2;;;0
        """,
    ),
    Case(
        "storage-servers-lost/app01",
        2,
        "DRBD-QUORUM CRITICAL - r0/0: quorum lost on app01, I/O fails, 1 of 3 copies UpToDate "
        "and reachable, not storage02, storage03",
        """
        'r0/0_copies'=1;3:;2:;0;3 'r0/0_replicas'=3;;;0 'r0/0_votes_margin'=0;;;0 copies_min=1;;;0
        """,
    ),
    Case(
        "storage-servers-lost/storage01",
        2,
        "DRBD-QUORUM CRITICAL - r0/0: quorum lost on storage01, 1 of 3 copies "
        "UpToDate and reachable, not storage02, storage03",
        """
        'r0/0_copies'=1;3:;2:;0;3 'r0/0_replicas'=3;;;0 'r0/0_votes_margin'=0;;;0 copies_min=1;;;0
        """,
    ),
    Case(
        "app01-cut-from-all-storage/app01",
        2,
        "DRBD-QUORUM CRITICAL - r0/0: quorum lost on app01, I/O fails, 0 of 3 copies UpToDate "
        "and reachable, not storage01, storage02, storage03: las...",
        """
        'r0/0_copies'=0;3:;2:;0;3 'r0/0_replicas'=3;;;0 'r0/0_votes_margin'=0;;;0 copies_min=0;;;0
        """,
        more=(
            "[CRITICAL] r0/0: quorum lost on app01, I/O fails, 0 of 3 copies UpToDate and"
            " reachable, not"
            " storage01, storage02, storage03: last known as Outdated",
        ),
    ),
    Case(
        "all-copies-outdated/app02",
        2,
        "DRBD-QUORUM CRITICAL - r0/0: no UpToDate copy can be reached from app02"
        " (storage01, storage02, storage03: Outdated (whole, but old))",
        """
        'r0/0_copies'=0;3:;2:;0;3 'r0/0_replicas'=3;;;0 copies_min=0;;;0
        """,
    ),
    Case(
        "all-copies-outdated/storage01",
        2,
        "DRBD-QUORUM CRITICAL - r0/0: no UpToDate copy can be reached from storage01, not"
        " connected: app01 (storage01, storage02, storage03: Outdated...",
        """
        'r0/0_copies'=0;3:;2:;0;3 'r0/0_replicas'=3;;;0 copies_min=0;;;0
        """,
        (
            "[CRITICAL] r0/0: no UpToDate copy can be reached from storage01, not connected: app01"
            " (storage01, storage02, storage03: Outdated (whole, but old))",
        ),
    ),
    Case(
        "link-to-one-storage-cut/storage01",
        1,
        "DRBD-QUORUM WARNING - r0/0: 2 of 3 copies UpToDate and reachable, not storage02:"
        " Outdated (whole, but old)",
        """
        'r0/0_copies'=2;3:;2:;0;3 'r0/0_replicas'=3;;;0 copies_min=2;;;0
        """,
    ),
    Case(
        "disk-detached/storage03",
        1,
        "DRBD-QUORUM WARNING - r0/0: 2 of 3 copies UpToDate and reachable, not storage03:"
        " Diskless (failed or detached)",
        """
        'r0/0_copies'=2;3:;2:;0;3 'r0/0_replicas'=3;;;0 copies_min=2;;;0
        """,
    ),
    Case(
        "disk-hangs-detaching/app02",
        1,
        "DRBD-QUORUM WARNING - r0/0: 2 of 3 copies UpToDate and reachable, not storage03:"
        " its disk is Detaching there",
        """
        'r0/0_copies'=2;3:;2:;0;3 'r0/0_replicas'=3;;;0 copies_min=2;;;0
        """,
    ),
    Case(
        "split-brain/storage01",
        1,
        "DRBD-QUORUM WARNING - r1/0: 1 of 2 copies UpToDate and reachable, not "
        "storage02; r1/1: 1 of 2 copies UpToDate and reachable, not storage02",
        """
        'r0/0_copies'=3;3:;2:;0;3 'r0/0_replicas'=3;;;0 'r0/0_votes_margin'=1;;;0
        'r1/0_copies'=1;2:;1:;0;2 'r1/0_replicas'=2;;;0 'r1/1_copies'=1;2:;1:;0;2
        'r1/1_replicas'=2;;;0
        copies_min=1;;;0
        """,
        more=(
            "[WARNING] r1/0: 1 of 2 copies UpToDate and reachable, not storage02",
            "[WARNING] r1/1: 1 of 2 copies UpToDate and reachable, not storage02",
        ),
    ),
    Case(
        "never-synced/app01",
        2,
        "DRBD-QUORUM CRITICAL - r0/0: no UpToDate copy can be reached from app01"
        " (storage01, storage03: Inconsistent (no usable copy))",
        """
        'r0/0_copies'=0;3:;2:;0;3 'r0/0_replicas'=3;;;0 copies_min=0;;;0
        """,
    ),
    Case(
        "io-suspended-by-user/storage01",
        2,
        "DRBD-QUORUM CRITICAL - r1: I/O on storage01 is suspended: by an administrator"
        " (suspend-io)",
        """
        'r0/0_copies'=3;3:;2:;0;3 'r0/0_replicas'=3;;;0 'r1/0_copies'=2;2:;1:;0;2
        'r1/0_replicas'=2;;;0
        'r1/1_copies'=2;2:;1:;0;2 'r1/1_replicas'=2;;;0 copies_min=2;;;0
        """,
    ),
    Case(
        "client-without-data/storage03",
        2,
        "DRBD-QUORUM CRITICAL - r2: I/O on storage03 is suspended: no data is accessible"
        " (storage01 Connecting,"
        " other resources reach it)",
        """
        'r0/0_copies'=3;3:;2:;0;3 'r0/0_replicas'=3;;;0 'r2/0_copies'=0;1:;1:;0;1
        'r2/0_replicas'=1;;;0
        copies_min=0;;;0
        """,
    ),
    Case(
        "storage-server-isolated/storage03",
        2,
        "DRBD-QUORUM CRITICAL - r0/0: quorum lost on storage03, 1 of 3 copies "
        "UpToDate and reachable, not storage01, storage02",
        """
        'r0/0_copies'=1;3:;2:;0;3 'r0/0_replicas'=3;;;0 copies_min=1;;;0
        """,
    ),
    Case(
        "two-resources/storage01",
        0,
        "DRBD-QUORUM OK - 3 volumes, 3 with all copies",
        """
        'r0/0_copies'=3;3:;2:;0;3 'r0/0_replicas'=3;;;0 'r0/0_votes_margin'=1;;;0
        'r1/0_copies'=2;2:;1:;0;2 'r1/0_replicas'=2;;;0 'r1/1_copies'=2;2:;1:;0;2
        'r1/1_replicas'=2;;;0
        copies_min=2;;;0
        """,
    ),
    Case(
        "fifty-resources/storage02",
        2,
        "DRBD-QUORUM CRITICAL - m07/0: quorum lost on storage02, 0 of 2 copies "
        "UpToDate and reachable, not storage02: never attached; not storage01",
        """
        copies_min=0;;;0
        """,
    ),
    Case(
        "no-resource-up/storage01",
        2,
        "DRBD-QUORUM CRITICAL - no DRBD resource is up on this node; expected: r0",
    ),
    Case(
        "module-not-loaded/storage01",
        2,
        "DRBD-QUORUM CRITICAL - the DRBD kernel module is not loaded (modprobe: "
        "ERROR: could not insert 'drbd': Operation not permitted)",
    ),
    Case(
        "module-missing/storage01",
        2,
        "DRBD-QUORUM CRITICAL - the DRBD kernel module is not loaded (modprobe: "
        "FATAL: Module drbd not found in directory /lib/modules/6.1.0-56-cloud...",
    ),
    Case(
        "three-nodes-healthy/app01",
        3,
        "DRBD-QUORUM UNKNOWN - drbdsetup: not in the snapshot (not installed there?)",
    ),
    Case(
        "utils-8.9.9-healthy/app01",
        0,
        "DRBD-QUORUM OK - r0/0: 3 of at least 3 copies",
        """
        'r0/0_copies'=3;3:;2:;0;3 'r0/0_replicas'=3;;;0 copies_min=3;;;0
        """,
    ),
    Case(
        "utils-8.9.9-healthy/storage01",
        0,
        "DRBD-QUORUM OK - r0/0: 3 of at least 3 copies",
        """
        'r0/0_copies'=3;3:;2:;0;3 'r0/0_replicas'=3;;;0 copies_min=3;;;0
        """,
    ),
    Case(
        "utils-8.9.9-storage-server-off/app01",
        0,
        "DRBD-QUORUM OK - r0/0: 2 of at least 2 copies",
        """
        'r0/0_copies'=2;2:;1:;0;2 'r0/0_replicas'=2;;;0 copies_min=2;;;0
        """,
    ),
    Case(
        "utils-8.9.9-client-alone/app02",
        2,
        "DRBD-QUORUM CRITICAL - r0/0: no UpToDate copy can be reached from app02",
        """
        'r0/0_copies'=0;;1:;0 'r0/0_replicas'=0;;;0 copies_min=0;;;0
        """,
    ),
    Case(
        "utils-9.1.0-healthy/app01",
        0,
        "DRBD-QUORUM OK - r0/0: 3 of 3 copies",
        """
        'r0/0_copies'=3;3:;2:;0;3 'r0/0_replicas'=3;;;0 copies_min=3;;;0
        """,
    ),
    Case(
        "utils-9.1.0-answer-cut/app01",
        3,
        "DRBD-QUORUM UNKNOWN - drbdsetup status: received netlink error reply: "
        "Invalid argument; its answer is cut; r0 shows neither volumes nor peers",
    ),
    Case(
        "utils-9.3.1-healthy/storage01",
        0,
        "DRBD-QUORUM OK - r0/0: 3 of 3 copies",
        """
        'r0/0_copies'=3;3:;2:;0;3 'r0/0_replicas'=3;;;0 copies_min=3;;;0
        """,
    ),
    Case(
        "utils-9.3.1-half-configured/storage03",
        2,
        "DRBD-QUORUM CRITICAL - x1/0: no UpToDate copy can be reached from storage03"
        " (storage03: never attached) (+2 more)",
        """
        'r0/0_copies'=3;3:;2:;0;3 'r0/0_replicas'=3;;;0 'x1/0_copies'=0;1:;1:;0;1
        'x1/0_replicas'=1;;;0
        'x1/1_copies'=0;1:;1:;0;1 'x1/1_replicas'=1;;;0 copies_min=0;;;0
        """,
        more=(
            "[CRITICAL] x1/0: no UpToDate copy can be reached from storage03"
            " (storage03: never attached)",
            "[CRITICAL] x1/1: no UpToDate copy can be reached from storage03"
            " (storage03: never attached)",
            "[UNKNOWN] x2 shows neither volumes nor peers",
        ),
    ),
    Case(
        "utils-9.5.0-healthy/app01",
        0,
        "DRBD-QUORUM OK - r0/0: 3 of 3 copies",
        """
        'r0/0_copies'=3;3:;2:;0;3 'r0/0_replicas'=3;;;0 copies_min=3;;;0
        """,
    ),
    Case(
        "utils-9.5.0-client-alone/app02",
        2,
        "DRBD-QUORUM CRITICAL - r0/0: quorum lost on app02, 0 of 3 copies UpToDate "
        "and reachable, not storage01, storage02, storage03",
        """
        'r0/0_copies'=0;3:;2:;0;3 'r0/0_replicas'=3;;;0 copies_min=0;;;0
        """,
    ),
    Case(
        "utils-9.29-healthy/app01",
        0,
        "DRBD-QUORUM OK - r0/0: 3 of 3 copies, can lose 1",
        """
        'r0/0_copies'=3;3:;2:;0;3 'r0/0_replicas'=3;;;0 'r0/0_votes_margin'=1;;;0 copies_min=3;;;0
        """,
    ),
    Case(
        "utils-9.34-nobody-primary/storage01",
        0,
        "DRBD-QUORUM OK - r0/0: 3 of 3 copies, can lose 1",
        """
        'r0/0_copies'=3;3:;2:;0;3 'r0/0_replicas'=3;;;0 'r0/0_votes_margin'=1;;;0 copies_min=3;;;0
        """,
    ),
]


@pytest.mark.parametrize("case", RECORDED, ids=place)
def test_recorded_states(call, case):
    assert run(call, "drbd-quorum", case.place) == case.due


def test_long_output_has_key_next_step_and_every_volume(call):
    outcome = call("drbd-quorum", "-vv", "--from", SNAPSHOTS / "split-brain/storage01")
    assert outcome.lines[1:] == [
        "[WARNING] copies-low: r1/0: 1 of 2 copies UpToDate and reachable, not storage02"
        " -> on storage01: journalctl -k -g Split-Brain; if it finds nothing:"
        " drbdadm connect r1:storage02; where it falls back to StandAlone: journalctl -k"
        " -g drbd tells why. If it finds one: compare both copies; on the one that is given"
        " up, a Secondary: drbdadm disconnect r1; drbdadm connect --discard-my-data r1; on the"
        " other: drbdadm connect r1",
        "[WARNING] copies-low: r1/1: 1 of 2 copies UpToDate and reachable, not storage02"
        " -> on storage01: journalctl -k -g Split-Brain; if it finds nothing:"
        " drbdadm connect r1:storage02; where it falls back to StandAlone: journalctl -k"
        " -g drbd tells why. If it finds one: compare both copies; on the one that is given"
        " up, a Secondary: drbdadm disconnect r1; drbdadm connect --discard-my-data r1; on the"
        " other: drbdadm connect r1",
        "looked at copies of r0/0: 3 of 3 copies, can lose 1",
        "looked at copies of r1/0: 1 of 2 copies",
        "looked at copies of r1/1: 1 of 2 copies",
    ]


# -- options and the configuration file, on recorded states -------------------------------------

TWO = "r0/0: 2 of 3 copies UpToDate and reachable, not storage03"


@pytest.mark.parametrize(
    ("options", "code", "first", "perfdata"),
    [
        (("-w", "2:"), 0, "OK - r0/0: 2 of 3 copies, can lose 0", "copies_min=2;2:;;0"),
        (("-w", "3:"), 1, f"WARNING - {TWO}", "copies_min=2;3:;;0"),
        (("-w", "3:", "-c", "2:"), 1, f"WARNING - {TWO}", "copies_min=2;3:;2:;0"),
        (("-c", "3:"), 2, f"CRITICAL - {TWO}", "copies_min=2;;3:;0"),
        (("--severity", "copies-low=ok"), 0, "OK - r0/0: 2 of 3 copies, can lose 0", None),
        (("-r", "r0"), 1, f"WARNING - {TWO}", None),
        (("-r", "r*"), 1, f"WARNING - {TWO}", None),
        (("-r", "r1"), 2, "CRITICAL - r1 is not up on this node", None),
        (("-r", "m*"), 3, "UNKNOWN - no DRBD resource matches m*", None),
    ],
)
def test_options(call, options, code, first, perfdata):
    found = short(call, "drbd-quorum", "storage03-powered-off/app01", *options, figure=perfdata)
    assert found == (code, f"DRBD-QUORUM {first}", perfdata)


@pytest.mark.parametrize(
    ("node", "code", "first"),
    [
        ("utils-8.9.9-healthy/app01", 0, "OK - r0/0: 3 of 3 copies"),
        ("utils-8.9.9-healthy/storage01", 0, "OK - r0/0: 3 of 3 copies"),
        (
            "utils-8.9.9-storage-server-off/app01",
            1,
            "WARNING - r0/0: 2 of 3 copies UpToDate and reachable, not storage02: last known as"
            " Outdated",
        ),
        (
            "utils-8.9.9-client-alone/app02",
            2,
            "CRITICAL - r0/0: no UpToDate copy can be reached from app02",
        ),
    ],
)
def test_configuration_file_tells_the_oldest_dialect_who_is_a_client(
    call, tmp_path, node, code, first
):
    config = configuration(
        tmp_path,
        '[drbd.r0]\nreplicas = ["storage01", "storage02", "storage03"]\n'
        'clients = ["app01", "app02", "app03"]\n',
    )
    outcome = call("drbd-quorum", "--from", SNAPSHOTS / node, "--config", config)
    assert (outcome.code, outcome.first) == (code, f"DRBD-QUORUM {first}")


def test_replica_of_the_configuration_file_that_the_kernel_does_not_know(call, tmp_path):
    config = configuration(
        tmp_path, '[drbd.r0]\nreplicas = ["storage01", "storage02", "storage03", "storage04"]\n'
    )
    node = SNAPSHOTS / "six-nodes-healthy/app01"
    outcome = call("drbd-quorum", "--from", node, "--config", config)
    assert (outcome.code, outcome.first) == (
        1,
        "DRBD-QUORUM WARNING - r0/0: 3 of 4 copies UpToDate and reachable, not storage04",
    )


# -- suspended and failing I/O ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"suspended_user": True}, "by an administrator (suspend-io)"),
        ({"suspended_no_data": True}, "no data is accessible"),
        ({"suspended_fencing": True}, "a fencing handler runs"),
        ({"suspended_quorum": True}, "quorum is lost"),
        (
            {"suspended_user": True, "suspended_fencing": True},
            "by an administrator (suspend-io) and a fencing handler runs",
        ),
        (
            dict.fromkeys(
                (
                    "suspended_user",
                    "suspended_no_data",
                    "suspended_fencing",
                    "suspended_quorum",
                )
            ),
            "cause not told by this drbd-utils",
        ),
    ],
)
def test_suspended_io_names_its_cause(changes, text):
    assert judge("drbd-quorum", view(mesh(suspended=True, **changes))).findings == (
        ("io-suspended", "CRITICAL", f"r0: I/O on storage01 is suspended: {text}"),
    )


def test_frozen_for_lack_of_quorum_is_one_finding():
    lost = mesh(
        away("storage02"),
        away("storage03"),
        devices=(device(quorum=False),),
        suspended=True,
        suspended_quorum=True,
    )
    assert judge("drbd-quorum", view(lost)).findings == (
        (
            "drbd-quorum-lost",
            "CRITICAL",
            "r0/0: quorum lost on storage01, I/O is frozen, 1 of 3 copies UpToDate and reachable,"
            " not storage02, storage03",
        ),
    )


def test_frozen_by_hand_while_quorum_is_lost_are_two():
    lost = mesh(devices=(device(quorum=False),), suspended=True, suspended_user=True)
    assert [f[0] for f in judge("drbd-quorum", view(lost)).findings] == [
        "io-suspended",
        "drbd-quorum-lost",
    ]


def test_forced_io_failures():
    assert judge("drbd-quorum", view(mesh(force_io_failures=True))).findings == (
        ("io-failing", "CRITICAL", "r0: I/O on storage01 is forced to fail (secondary --force)"),
    )


# -- copies ------------------------------------------------------------------------------------


def test_copies_by_number_of_replicas_that_are_left():
    one_gone = judge("drbd-quorum", view(mesh(away("storage02"))))
    two_gone = judge("drbd-quorum", view(mesh(away("storage02"), away("storage03"))))
    of_two = judge("drbd-quorum", view(resource(away("storage02"))))
    assert [v.findings for v in (one_gone, two_gone, of_two)] == [
        (("copies-low", "WARNING", "r0/0: 2 of 3 copies UpToDate and reachable, not storage02"),),
        (
            (
                "copies-low",
                "CRITICAL",
                "r0/0: 1 of 3 copies UpToDate and reachable, not storage02, storage03",
            ),
        ),
        (("copies-low", "WARNING", "r0/0: 1 of 2 copies UpToDate and reachable, not storage02"),),
    ]


def test_lost_client_costs_no_copy():
    verdict = judge("drbd-quorum", view(mesh(*map(away, APPS))))
    assert (verdict.state, verdict.summary) == ("OK", "r0/0: 3 of 3 copies")


def test_no_copy_is_grave_where_nobody_can_say_who_should_have_one():
    unknown = [
        connection(
            name,
            peer_device(peer_client=None, peer_disk_state=DiskState.D_UNKNOWN),
            state=ConnectionState.CONNECTING,
        )
        for name in (*STORAGES, *APPS[1:])
    ]
    alone = mesh(*unknown, here="app01", devices=(client_device(client=None, quorum=None),))
    assert judge("drbd-quorum", view(alone, node="app01")).findings == (
        ("copies-none", "CRITICAL", "r0/0: no UpToDate copy can be reached from app01"),
    )


def test_a_range_does_not_excuse_the_lack_of_any_copy(call):
    node = SNAPSHOTS / "never-synced/app01"
    assert call("drbd-quorum", "--from", node, "-w", "0:", "-c", "0:").code == 2


def test_unknown_disk_state_does_not_count_as_a_lost_copy(call, tmp_path):
    """Constructed: a recorded state with a disk state that no release of DRBD has."""
    words = ('"peer-disk-state": "UpToDate"', '"peer-disk-state": "Shiny"')
    outcome = call("drbd-quorum", "--from", altered(tmp_path, "six-nodes-healthy/app01", words))
    assert (outcome.code, outcome.first) == (
        3,
        "DRBD-QUORUM UNKNOWN - drbdsetup: unknown word 'Shiny' as peer-disk-state of r0/0 to"
        " storage01 (+2 more)",
    )


def test_many_volumes_are_counted():
    volumes = [resource(connection("storage02"), name=f"r{n}") for n in range(3)]
    assert judge("drbd-quorum", view(*volumes)).summary == "3 volumes, 3 with all copies"
    unknown = connection("storage02", peer_device(peer_disk_state=DiskState.OUTDATED))
    limits = {"warning": _Always()}
    seen = view(*volumes[:2], resource(unknown, name="r2"))
    assert judge("drbd-quorum", seen, **limits).summary == "3 volumes, 2 with all copies"


class _Always:
    """A range that everything is inside of."""

    def match(self, value: float) -> bool:
        return True


# -- the option quorum and the votes that can still be lost ------------------------------------


def margin(seen) -> float:
    """The figure, ``None`` if it is not given."""
    figures = {f.label: f.value for f in report(load("drbd-quorum"), seen, Asked()).figures}
    return figures.get("r0/0_votes_margin")


@pytest.mark.parametrize(
    ("quorum", "lost", "expected"),
    [
        ("majority", (), 1),
        ("majority", ("storage02",), 0),
        ("majority", ("app01", "app02", "app03"), 1),
        ("all", (), 0),
        ("1", (), 2),
        ("2", (), 1),
        ("3", (), 0),
        ("2", ("storage02",), 0),
        ("off", (), None),
        (None, (), None),
    ],
)
def test_votes_of_three_replicas(quorum, lost, expected):
    options = shown(quorum=quorum)
    assert margin(view(mesh(*map(away, lost)), options=(options,))) == expected


@pytest.mark.parametrize(
    ("here", "lost", "expected"),
    [
        ("storage01", (), 1),  # a replica may go, the client breaks the tie
        ("storage01", ("app01",), 0),
        ("storage01", ("storage02",), 0),
        ("app01", (), 1),
        ("app01", ("storage02",), 0),
    ],
)
def test_client_breaks_the_tie_of_two_replicas(here, lost, expected):
    names = [name for name in ("storage01", "storage02", "app01") if name != here]
    peers = [away(name) if name in lost else connection(name) for name in names]
    own = client_device() if here == "app01" else device()
    seen = view(resource(*peers, devices=(own,)), node=here, options=(shown(),))
    assert margin(seen) == expected


def test_half_of_the_clients_break_no_tie():
    """Constructed: of two clients only one is connected; the majority of two is two."""
    peers = (connection("storage02"), connection("app01"), away("app02"))
    assert margin(view(resource(*peers), options=(shown(),))) == 0


def test_two_replicas_without_a_client_may_lose_none():
    assert margin(view(resource(connection("storage02")), options=(shown(),))) == 0


def test_node_that_lost_its_disk_has_no_vote_here():
    lost = mesh(devices=(device(disk_state=DiskState.DISKLESS),))
    assert margin(view(lost, options=(shown(),))) == 0


def test_nothing_may_be_lost_where_quorum_is_lost():
    assert margin(view(mesh(devices=(device(quorum=False),)), options=(shown(),))) == 0


@pytest.mark.parametrize(
    ("peers", "quorum", "findings"),
    [
        (
            ("storage02", "storage03"),
            "off",
            (("quorum-off", "WARNING", "r0: quorum is off with 3 nodes"),),
        ),
        (
            ("storage02", "app01"),
            "off",
            (("quorum-off", "WARNING", "r0: quorum is off with 3 nodes"),),
        ),
        (("storage02",), "off", ()),
        (("storage02", "storage03"), "majority", ()),
        (("storage02", "storage03"), None, ()),
    ],
)
def test_quorum_off_needs_three_nodes(peers, quorum, findings):
    seen = view(resource(*map(connection, peers)), options=(shown(quorum=quorum),))
    assert judge("drbd-quorum", seen).findings == findings


def test_quorum_off_is_not_guessed_without_drbdsetup_show():
    assert judge("drbd-quorum", view(mesh())).findings == ()


# -- a second reading --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recorded", "changes", "code", "first"),
    [
        (
            "disk-hangs-detaching/app02",
            (),
            2,
            "CRITICAL - r0/0: nothing moves on app02, requests in flight: 2 (they wait for"
            " storage03) (+1 more)",
        ),
        (
            "disk-hangs-detaching/storage03",
            (),
            2,
            "CRITICAL - r0/0: nothing moves on storage03, requests in flight: 3 (they wait for the"
            " disk here) (+1 more)",
        ),
        (
            "six-nodes-healthy/app01",
            (),
            2,
            "CRITICAL - r0/0: nothing moves on app01, requests in flight: 3 (they wait for"
            " storage01, storage02)",
        ),
        (
            "six-nodes-healthy/app01",
            (('"upper-pending": 1', '"upper-pending": 2'),),
            0,
            "OK - r0/0: 3 of 3 copies, can lose 1",
        ),
        (
            "six-nodes-healthy/app01",
            (('"pending": 1', '"pending": 0'),),
            0,
            "OK - r0/0: 3 of 3 copies, can lose 1",
        ),
        ("six-nodes-healthy/storage01", (), 0, "OK - r0/0: 3 of 3 copies, can lose 1"),
        ("six-nodes-healthy/app03", (), 0, "OK - r0/0: 3 of 3 copies, can lose 1"),
        ("verify-running/storage01", (), 0, "OK - 3 volumes, 3 with all copies"),
        (
            "full-resync-two-sources/storage03",
            (),
            1,
            "WARNING - r0/0: 2 of 3 copies UpToDate and reachable, not storage03:"
            " being resynchronised, 8.3% done",
        ),
        (
            "io-suspended-by-user/storage01",
            (),
            2,
            "CRITICAL - r1: I/O on storage01 is suspended: by an administrator (suspend-io)",
        ),
    ],
)
def test_second_reading(call, tmp_path, recorded, changes, code, first):
    """Constructed pairs: the second reading is the recorded one again, or with a counter moved."""
    outcome = call("drbd-quorum", "--from", read_twice(tmp_path, recorded, *changes))
    assert (outcome.code, outcome.first) == (code, f"DRBD-QUORUM {first}")


def test_sent_data_is_movement(call, tmp_path):
    """Constructed pair: the recorded busy Primary, with some more KiB sent to one peer."""
    node = read_twice(tmp_path, "six-nodes-healthy/app01")
    path = node / "drbd-status.2.json"
    text = path.read_text()
    at = text.index('"sent"', text.index('"storage02"'))
    path.write_text(text[:at] + '"sent": 123456789, "was"' + text[at + len('"sent"') :])
    assert call("drbd-quorum", "--from", node).code == 0


BUSY = (device(upper_pending=1), connection("storage02", peer_device(pending=1)))


def busy(**changes):
    """storage01 with one request that waits for storage02."""
    return mesh(BUSY[1], **{"devices": BUSY[:1], "role": Role.PRIMARY, **changes})


STALLED = (
    "io-stalled",
    "CRITICAL",
    "r0/0: nothing moves on storage01, requests in flight: 2 (they wait for storage02)",
)


def test_requests_that_do_not_move():
    assert judge("drbd-quorum", view(busy(), again=(busy(),))).findings == (STALLED,)


@pytest.mark.parametrize(
    "moved",
    [
        {"read_kib": 101},
        {"written_kib": 204},
        {"al_writes": 4},
        {"bm_writes": 5},
        {"upper_pending": 2},
        {"lower_pending": 1},
    ],
)
def test_any_counter_that_moves_is_movement(moved):
    later = busy(devices=(replace(BUSY[0], **moved),))
    assert judge("drbd-quorum", view(busy(), again=(later,))).findings == ()


def test_resource_or_volume_that_is_gone_cannot_be_compared():
    assert judge("drbd-quorum", view(busy(), again=(busy(name="r1"),))).findings == ()
    later = busy(devices=(replace(BUSY[0], volume=1),))
    assert judge("drbd-quorum", view(busy(), again=(later,))).findings == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"suspended": True, "suspended_user": True},
        {"suspended": True, "suspended_fencing": True},
        {"devices": (replace(BUSY[0], quorum=False),)},
    ],
)
def test_requests_that_wait_for_a_known_cause_are_no_second_finding(changes):
    findings = judge("drbd-quorum", view(busy(**changes), again=(busy(**changes),))).findings
    assert "io-stalled" not in [f[0] for f in findings]
    assert len(findings) == 1


def test_requests_of_a_resync_are_not_those_of_the_service():
    target = peer_device(replication_state=ReplicationState.SYNC_SOURCE, pending=50)
    quiet = mesh(connection("storage02", target), devices=(device(lower_pending=3),))
    assert judge("drbd-quorum", view(quiet, again=(quiet,))).findings == ()


def test_service_that_hangs_while_a_verify_runs():
    verify = peer_device(replication_state=ReplicationState.VERIFY_S, pending=50)
    hung = mesh(connection("storage02", verify), devices=(device(upper_pending=1),))
    assert judge("drbd-quorum", view(hung, again=(hung,))).findings == (
        (
            "io-stalled",
            "CRITICAL",
            "r0/0: nothing moves on storage01, requests in flight: 1",
        ),
    )


# -- what is wrong with the missing copy, and the step that brings it back ----------------------

LOST_THERE = {"peer_disk_state": DiskState.DISKLESS}


def texts(*resources, **changes):
    return [text for _, _, text in judge("drbd-quorum", view(*resources, **changes)).findings]


def test_the_state_of_every_missing_copy_is_told_by_those_that_tell_it():
    seen = mesh(
        connection("storage02", peer_device(**LOST_THERE)),
        away("storage03"),
    )
    servers = Config(drbd={"r0": DrbdRule(replicas=("storage01", "storage02", "storage03"))})
    assert texts(seen, config=servers) == [
        "r0/0: 1 of 3 copies UpToDate and reachable, not storage02: Diskless there (failed or"
        " detached); not storage03"
    ]
    assert steps("drbd-quorum", view(seen, config=servers)) == [
        (
            "copies-low",
            "on storage02: journalctl -k -g drbd; check the backing disk (smartctl, multipath);"
            " when it is good: drbdadm attach r0/0",
        )
    ]


def test_old_copy_is_told_by_the_first_node_and_lost_disks_by_all_of_them():
    old, bare = {"peer_disk_state": DiskState.OUTDATED}, LOST_THERE
    for state, where in ((old, "storage02"), (bare, "storage02, storage03")):
        peers = [connection(name, peer_device(**state)) for name in ("storage02", "storage03")]
        ((_, step),) = steps("drbd-quorum", view(mesh(*peers)))
        assert step.startswith(f"on {where}: ")


def test_where_the_first_copy_lacks_its_disk_the_step_is_about_disks_alone():
    """Another one that nothing resyncs may well wait for that."""
    half = peer_device(peer_disk_state=DiskState.INCONSISTENT)
    lost = connection("storage02", peer_device(**LOST_THERE))
    seen = mesh(lost, connection("storage03", half), away("app03"))
    ((_, step),) = steps("drbd-quorum", view(seen))
    assert step.startswith("on storage02: journalctl -k -g drbd; check the backing disk")
    assert "storage03" not in step


def test_peer_without_disk_may_be_a_client_for_which_a_bitmap_is_kept():
    """Recorded after its bitmap was turned on: nothing here tells it from a disk that failed."""
    seen = mesh(connection("app02", peer_device(**LOST_THERE)))
    assert texts(seen) == [
        "r0/0: 3 of 4 copies UpToDate and reachable, not app02: Diskless, a bitmap is kept for it:"
        " disk failed or detached, or a client"
    ]
    ((_, step),) = steps("drbd-quorum", view(seen))
    assert step == (
        "on app02: journalctl -k -g drbd; check the backing disk (smartctl, multipath); when it is"
        " good: drbdadm attach r0/0; a client (drbdadm dump r0 there: disk none): on the nodes with"
        " a disk: bitmap no in the connection to it, then: drbdadm --dry-run adjust r0"
    )


@pytest.mark.parametrize("state", [DiskState.DISKLESS, DiskState.FAILED, DiskState.DETACHING])
def test_a_disk_that_fails_here_is_looked_at_and_no_connection_is_taken_down(state):
    seen = mesh(connection("storage02", peer_device()), devices=(device(disk_state=state),))
    ((key, step),) = steps("drbd-quorum", view(seen))
    assert key == "copies-low"
    assert step.startswith("on storage01: journalctl -k -g drbd; check the backing disk")


def test_a_copy_that_is_being_restored_says_how_far():
    target = peer_device(
        replication_state=ReplicationState.SYNC_SOURCE,
        peer_disk_state=DiskState.INCONSISTENT,
        progress=progress(percent_done=27.46),
    )
    seen = mesh(connection("storage02", target))
    assert texts(seen) == [
        "r0/0: 2 of 3 copies UpToDate and reachable, not storage02: being resynchronised, 27.5%"
        " done"
    ]
    assert steps("drbd-quorum", view(seen)) == [
        ("copies-low", "Wait; watch it with: drbdadm status r0")
    ]


def test_without_an_uptodate_copy_the_whole_one_is_told_from_the_half():
    old = mesh(
        connection("storage02", peer_device(peer_disk_state=DiskState.INCONSISTENT)),
        connection("storage03", peer_device(peer_disk_state=DiskState.OUTDATED)),
        devices=(device(disk_state=DiskState.INCONSISTENT),),
    )
    assert texts(old) == [
        "r0/0: no UpToDate copy can be reached from storage01 (storage01, storage02: Inconsistent"
        " (no usable copy); storage03: Outdated (whole, but old))"
    ]
    ((key, step),) = steps("drbd-quorum", view(old))
    assert key == "copies-none"
    assert step.startswith("on storage03: journalctl -k -g drbd tells which copy was written last.")
    assert step.index("with care") < step.index("primary --force")


def test_a_primary_that_is_cut_off_comes_back_before_anything_by_force():
    """It makes the copies good again that were marked old when it lost them, while it is one."""
    old = [
        connection(name, peer_device(peer_disk_state=DiskState.OUTDATED))
        for name in ("storage02", "storage03")
    ]
    client = peer_device(peer_disk_state=DiskState.DISKLESS, peer_client=True)
    here = (device(disk_state=DiskState.OUTDATED),)
    seen = mesh(*old, connection("app01", client, peer_role=Role.PRIMARY), devices=here)
    ((_, step),) = steps("drbd-quorum", view(seen))
    assert step.startswith(
        "on app01, which is Primary: drbdadm status r0; bring its connections to"
    )
    gone = connection("app01", client, state=ConnectionState.CONNECTING)
    seen = mesh(*old, gone, devices=here)
    ((_, step),) = steps("drbd-quorum", view(seen))
    assert step.startswith("on app01: drbdadm status r0; if it is Primary, bring its connections")
    assert texts(seen) == [
        "r0/0: no UpToDate copy can be reached from storage01, not connected: app01 (storage01,"
        " storage02, storage03: Outdated (whole, but old))"
    ]


def test_nothing_by_force_while_a_replica_may_come_back():
    old = mesh(
        connection("storage02", peer_device(peer_disk_state=DiskState.OUTDATED)),
        away("storage03"),
        devices=(device(disk_state=DiskState.OUTDATED),),
    )
    assert steps("drbd-quorum", view(old)) == [
        (
            "copies-none",
            "on storage03: drbdadm status r0; not up: drbdadm up r0; StandAlone: drbdadm connect"
            " r0:storage01 (not after a split brain: journalctl -k -g Split-Brain); else on"
            " storage01: ping its address, the firewall for its port (drbdsetup show r0)",
        )
    ]


def test_replica_on_which_drbd_gave_up_is_connected_before_others_are_looked_for():
    old = mesh(
        away("storage02"),
        away("storage03", ConnectionState.STANDALONE),
        devices=(device(disk_state=DiskState.OUTDATED),),
    )
    ((key, step),) = steps("drbd-quorum", view(old))
    assert key == "copies-none"
    assert step.startswith(
        "on storage01: journalctl -k -g Split-Brain; if it finds nothing: drbdadm connect"
        " r0:storage03;"
    )


@pytest.mark.parametrize(
    ("reached", "words", "where"),
    [
        ((), "", "all are out of reach of app01: on app01: ping its address, the firewall for"),
        (
            ("storage01",),
            ", other resources reach storage01",
            "all are out of reach of app01: on app01: ping its address, the firewall for",
        ),
        (
            ("storage01", "storage02"),
            ", other resources reach storage01, storage02",
            "on storage01, storage02: drbdadm status r0; not up: drbdadm up r0; StandAlone:",
        ),
    ],
    ids=["none", "one", "all"],
)
def test_resource_without_data_is_what_is_looked_at_where_others_reach_all_its_copies(
    reached, words, where
):
    names = ("storage01", "storage02")
    frozen = resource(
        *map(away, names), devices=(client_device(),), suspended=True, suspended_no_data=True
    )
    other = resource(
        *(connection(name) if name in reached else away(name) for name in names), name="r1"
    )
    judged = report(load("drbd-quorum"), view(frozen, node="app01", others=(other,)), Asked())
    (one,) = [each for each in judged.findings if each.key == "io-suspended"]
    assert one.text == (
        "r0: I/O on app01 is suspended: no data is accessible (storage01, storage02"
        f" Connecting{words})"
    )
    assert one.next_step.startswith(where)


def test_quorum_lost_with_every_peer_connected_is_not_about_servers():
    seen = mesh(devices=(device(quorum=False),))
    assert texts(seen) == [
        "r0/0: quorum lost on storage01, every peer is connected, 3 of 3 copies UpToDate and"
        " reachable"
    ]
    ((key, step),) = steps("drbd-quorum", view(seen))
    assert key == "drbd-quorum-lost"
    assert step.startswith("on storage01: drbdsetup show r0 --show-defaults: quorum and quorum-")
    assert "bring back" not in step


def test_a_volume_frozen_by_another_ones_quorum_is_named():
    two = mesh(devices=(device(quorum=False), device(1)), suspended=True, suspended_quorum=True)
    found = texts(two)
    assert found[0].startswith(
        "r0/0: quorum lost on storage01, I/O is frozen, that of r0/1 with it, "
    )


def test_a_volume_frozen_by_another_ones_data_is_named():
    lost = device(disk_state=DiskState.DISKLESS, client=False)
    two = resource(devices=(lost, device(1)), suspended=True, suspended_no_data=True)
    assert texts(two) == [
        "r0: I/O on storage01 is suspended: no data is accessible (storage01: Diskless (failed"
        " or detached)), of"
        " r0/0; r0/1 is frozen with it"
    ]


def test_sixty_volumes_without_the_same_copy_are_one_finding():
    names = [f"pvc-{n:08d}-0000-4000-8000-000000000000" for n in range(60)]
    gone = [resource(connection("storage02"), away("storage03"), name=name) for name in names]
    (text,) = texts(*gone)
    assert text.startswith("2 of 3 copies UpToDate and reachable, not storage03: 60 volumes (pvc-")


def test_a_range_that_good_copies_miss_has_words_of_its_own(call):
    node = SNAPSHOTS / "six-nodes-healthy/app01"
    outcome = call("drbd-quorum", "-v", "--from", node, "-w", "4:")
    assert (outcome.code, outcome.first) == (
        1,
        "DRBD-QUORUM WARNING - r0/0: 3 of 3 copies UpToDate and reachable, outside the range asked"
        " for",
    )
    assert outcome.lines[1].endswith(
        "-> Every copy is good: the range of -w or -c asks for another number; correct it"
    )


def test_copies_that_are_all_half_have_nothing_to_wait_for():
    half = {"peer_disk_state": DiskState.INCONSISTENT}
    never = mesh(
        connection("storage02", peer_device(**half)),
        connection("storage03", peer_device(**half)),
        away("app03"),
        devices=(device(disk_state=DiskState.INCONSISTENT),),
    )
    ((key, step),) = steps("drbd-quorum", view(never))
    assert key == "copies-none"
    assert step.startswith(
        "on storage01, storage02, storage03: journalctl -k -g drbd: was one of them UpToDate"
    )
    assert "app03" not in step
    ((_, step),) = steps("drbd-disk", view(never))
    assert "app03" not in step
