"""drbd-role: recorded states with the whole output, and rules on constructed states."""

from __future__ import annotations

import pytest

from build import SNAPSHOTS, altered, run, short
from build_drbd import (
    Case,
    away,
    configuration,
    connection,
    judge,
    mesh,
    place,
    resource,
    shown,
    shown_connection,
    view,
)
from check_mccluster.model.config import Config
from check_mccluster.model.drbd import Role

RECORDED = [
    Case(
        "six-nodes-healthy/app01",
        0,
        "DRBD-ROLE OK - r0: Primary app01",
        """
        primaries=1;;;0 r0_primary_app01=1;;;0;1 r0_primary_app02=0;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1
        """,
    ),
    Case(
        "six-nodes-healthy/app03",
        0,
        "DRBD-ROLE OK - r0: Primary app01",
        """
        primaries=1;;;0 r0_primary_app01=1;;;0;1 r0_primary_app02=0;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1
        """,
    ),
    Case(
        "six-nodes-healthy/storage01",
        0,
        "DRBD-ROLE OK - r0: Primary app01",
        """
        primaries=1;;;0 r0_primary_app01=1;;;0;1 r0_primary_app02=0;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1
        """,
    ),
    Case(
        "first-full-sync/storage01",
        0,
        "DRBD-ROLE OK - r0: no Primary, not in use",
        """
        primaries=0;;;0 r0_primary_app01=0;;;0;1 r0_primary_app02=0;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1
        """,
    ),
    Case(
        "group-disabled/app01",
        1,
        "DRBD-ROLE WARNING - r0: no node is Primary",
        """
        primaries=0;;;0 r0_primary_app01=0;;;0;1 r0_primary_app02=0;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1
        """,
    ),
    Case(
        "storage-servers-lost/app02",
        0,
        "DRBD-ROLE OK - r0: Primary app01",
        """
        primaries=1;;;0 r0_primary_app01=1;;;0;1 r0_primary_app02=0;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1
        """,
    ),
    Case(
        "start-failed-without-drbd-quorum/app01",
        0,
        "DRBD-ROLE OK - r0: no Primary in sight, storage02, storage03 cannot be seen",
        """
        primaries=0;;;0 r0_primary_app01=0;;;0;1 r0_primary_app02=0;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1
        """,
    ),
    Case(
        "app01-cut-from-all-storage/app01",
        0,
        "DRBD-ROLE OK - r0: Primary app01",
        """
        primaries=1;;;0 r0_primary_app01=1;;;0;1 r0_primary_app02=0;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1
        """,
    ),
    Case(
        "mounted-by-hand/app01",
        0,
        "DRBD-ROLE OK - r0: Primary app02",
        """
        primaries=1;;;0 r0_primary_app01=0;;;0;1 r0_primary_app02=1;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1
        """,
    ),
    Case(
        "split-brain/storage01",
        0,
        "DRBD-ROLE OK - r0: Primary app01; r1: no Primary in sight, storage02 cannot be seen",
        """
        primaries=1;;;0 r0_primary_app01=1;;;0;1 r0_primary_app02=0;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1 r1_primary_storage01=0;;;0;1 r1_primary_storage02=0;;;0;1
        """,
    ),
    Case(
        "client-without-data/storage03",
        0,
        "DRBD-ROLE OK - r0: Primary app02; r2: Primary storage03",
        """
        primaries=2;;;0 r0_primary_app01=0;;;0;1 r0_primary_app02=1;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1 r2_primary_storage01=0;;;0;1 r2_primary_storage03=1;;;0;1
        """,
    ),
    Case(
        "storage-server-isolated/storage03",
        0,
        "DRBD-ROLE OK - r0: no Primary in sight, app01, app02, app03, storage01, "
        "storage02 cannot be seen",
        """
        primaries=0;;;0 r0_primary_app01=0;;;0;1 r0_primary_app02=0;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1
        """,
    ),
    Case(
        "two-resources/storage01",
        0,
        "DRBD-ROLE OK - r0: Primary app02; r1: Primary storage01",
        """
        primaries=2;;;0 r0_primary_app01=0;;;0;1 r0_primary_app02=1;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1 r1_primary_storage01=1;;;0;1 r1_primary_storage02=0;;;0;1
        """,
    ),
    Case(
        "fifty-resources/storage02",
        0,
        "DRBD-ROLE OK - m00: no Primary, not in use; m01: no Primary, not in use;"
        " 49 more resources",
        """
        primaries=1;;;0
        """,
    ),
    Case(
        "no-resource-up/storage01",
        2,
        "DRBD-ROLE CRITICAL - no DRBD resource is up on this node; expected: r0",
    ),
    Case(
        "module-not-loaded/storage01",
        2,
        "DRBD-ROLE CRITICAL - the DRBD kernel module is not loaded (modprobe: ERROR: "
        "could not insert 'drbd': Operation not permitted)",
    ),
    Case(
        "module-missing/storage01",
        2,
        "DRBD-ROLE CRITICAL - the DRBD kernel module is not loaded (modprobe: FATAL: "
        "Module drbd not found in directory /lib/modules/6.1.0-56-cloud...",
    ),
    Case(
        "three-nodes-healthy/app01",
        3,
        "DRBD-ROLE UNKNOWN - drbdsetup: not in the snapshot (not installed there?)",
    ),
    Case(
        "utils-8.9.9-healthy/app01",
        0,
        "DRBD-ROLE OK - r0: Primary app01",
        """
        primaries=1;;;0 r0_primary_app01=1;;;0;1 r0_primary_app02=0;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1
        """,
    ),
    Case(
        "utils-9.1.0-healthy/app01",
        0,
        "DRBD-ROLE OK - r0: Primary app01",
        """
        primaries=1;;;0 r0_primary_app01=1;;;0;1 r0_primary_app02=0;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1
        """,
    ),
    Case(
        "utils-9.1.0-answer-cut/app01",
        3,
        "DRBD-ROLE UNKNOWN - drbdsetup status: received netlink error reply: Invalid "
        "argument; its answer is cut; r0 shows neither volumes nor peers",
    ),
    Case(
        "utils-9.3.1-healthy/app01",
        0,
        "DRBD-ROLE OK - r0: Primary app01",
        """
        primaries=1;;;0 r0_primary_app01=1;;;0;1 r0_primary_app02=0;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1
        """,
    ),
    Case(
        "utils-9.3.1-half-configured/storage03",
        3,
        "DRBD-ROLE UNKNOWN - x2 shows neither volumes nor peers",
        """
        primaries=1;;;0 r0_primary_app01=1;;;0;1 r0_primary_app02=0;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1 x1_primary_storage03=0;;;0;1
        """,
    ),
    Case(
        "utils-9.5.0-healthy/app01",
        0,
        "DRBD-ROLE OK - r0: Primary app01",
        """
        primaries=1;;;0 r0_primary_app01=1;;;0;1 r0_primary_app02=0;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1
        """,
    ),
    Case(
        "utils-9.29-healthy/app01",
        0,
        "DRBD-ROLE OK - r0: Primary app01",
        """
        primaries=1;;;0 r0_primary_app01=1;;;0;1 r0_primary_app02=0;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1
        """,
    ),
    Case(
        "utils-9.34-nobody-primary/app01",
        0,
        "DRBD-ROLE OK - r0: no Primary, not in use",
        """
        primaries=0;;;0 r0_primary_app01=0;;;0;1 r0_primary_app02=0;;;0;1
        r0_primary_app03=0;;;0;1 r0_primary_storage01=0;;;0;1 r0_primary_storage02=0;;;0;1
        r0_primary_storage03=0;;;0;1
        """,
    ),
]


@pytest.mark.parametrize("case", RECORDED, ids=place)
def test_recorded_states(call, case):
    assert run(call, "drbd-role", case.place) == case.due


def test_long_output_has_the_role_of_every_node(call):
    outcome = call("drbd-role", "-vv", "--from", SNAPSHOTS / "six-nodes-healthy/storage02")
    assert outcome.lines[1:] == [
        "looked at role of r0 on storage02: Secondary",
        "looked at role of r0 on app01: Primary",
        "looked at role of r0 on app02: Secondary",
        "looked at role of r0 on app03: Secondary",
        "looked at role of r0 on storage01: Secondary",
        "looked at role of r0 on storage03: Secondary",
    ]


# -- options on recorded states ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code", "first"),
    [
        (("--never-primary", "app03"), 0, "OK - r0: Primary app01"),
        (("--never-primary", "app01"), 2, "CRITICAL - r0: app01 is Primary and must never be"),
        (
            ("--never-primary", "app03", "--never-primary", "app01.example.org"),
            2,
            "CRITICAL - r0: app01 is Primary and must never be",
        ),
        (("--expect-role", "Secondary"), 0, "OK - r0: Primary app01"),
        (
            ("--expect-role", "Primary"),
            1,
            "WARNING - r0: storage01 is Secondary, expected Primary",
        ),
        (
            ("--expect-role", "Primary", "--severity", "role-unexpected=critical"),
            2,
            "CRITICAL - r0: storage01 is Secondary, expected Primary",
        ),
        (
            ("--expect-role", "primary"),
            3,
            "UNKNOWN - Invalid value for '--expect-role': 'primary' is not one of 'Primary',"
            " 'Secondary'.",
        ),
    ],
)
def test_options(call, options, code, first):
    found = short(call, "drbd-role", "six-nodes-healthy/storage01", *options)
    assert found == (code, f"DRBD-ROLE {first}", None)


@pytest.mark.parametrize(
    ("patterns", "code", "first"),
    [
        (("r1",), 0, "OK - r1: Primary storage01"),
        (("r*",), 0, "OK - r0: Primary app02; r1: Primary storage01"),
        (("*1", "r0"), 0, "OK - r0: Primary app02; r1: Primary storage01"),
        (("r9",), 2, "CRITICAL - r9 is not up on this node"),
        (("r1", "r9"), 2, "CRITICAL - r9 is not up on this node"),
        (("x*",), 3, "UNKNOWN - no DRBD resource matches x*"),
    ],
)
def test_filter(call, patterns, code, first):
    options = [word for pattern in patterns for word in ("-r", pattern)]
    found = short(call, "drbd-role", "two-resources/storage01", *options)
    assert found == (code, f"DRBD-ROLE {first}", None)


def test_tie_breaker_of_the_configuration_file_must_never_be_primary(call, tmp_path):
    config = configuration(tmp_path, '[pacemaker]\ntie_breakers = ["app03", "app01"]\n')
    node = SNAPSHOTS / "six-nodes-healthy/storage01"
    outcome = call("drbd-role", "-v", "--from", node, "--config", config)
    assert (outcome.code, outcome.first) == (
        2,
        "DRBD-ROLE CRITICAL - r0: app01 is Primary and must never be",
    )
    assert outcome.lines[1:] == [
        "[CRITICAL] primary-forbidden: r0: app01 is Primary and must never be -> crm_mon -1 -r:"
        " where Pacemaker runs it there, move it; else on app01: findmnt shows the mount, fuser"
        " -vm with its path who holds it: stop that, unmount, then: drbdadm secondary r0"
    ]


def test_unknown_role_is_quoted_and_never_taken_for_nobody(call, tmp_path):
    """Constructed: a recorded state with a role that no release of DRBD has."""
    node = altered(
        tmp_path, "group-disabled/app01", ('"peer-role": "Secondary"', '"peer-role": "X"')
    )
    outcome = call("drbd-role", "--from", node)
    assert (outcome.code, outcome.first) == (
        3,
        "DRBD-ROLE UNKNOWN - drbdsetup: unknown word 'X' as peer-role of r0 to app02;"
        " drbdsetup: unknown word 'X' as peer-role of r0 to app03 (+3 more)",
    )


# -- rules on constructed states ---------------------------------------------------------------

PRIMARY = {"peer_role": Role.PRIMARY}
TWO = mesh(connection("app01", **PRIMARY), connection("app02", **PRIMARY))
UNREAD = " (allowed or not: drbdsetup show does not tell)"
TWO_FOUND = ("primary-multiple", "CRITICAL", f"r0: 2 Primaries: app01, app02{UNREAD}")


def test_two_primaries():
    assert judge("drbd-role", view(TWO)).findings == (TWO_FOUND,)


def test_this_node_is_one_of_two_primaries():
    both = mesh(connection("app02", **PRIMARY), here="app01", role=Role.PRIMARY)
    assert judge("drbd-role", view(both, node="app01")).findings == (TWO_FOUND,)


def test_two_primaries_where_two_are_allowed():
    options = shown("r0", shown_connection("app01", allow_two_primaries=True))
    verdict = judge("drbd-role", view(TWO, options=(options,)))
    assert (verdict.state, verdict.findings, verdict.summary) == (
        "OK",
        (),
        "r0: Primary app01, app02",
    )


def test_two_primaries_where_only_another_resource_allows_two():
    options = (shown("r0"), shown("r1", shown_connection("app01", allow_two_primaries=True)))
    assert judge("drbd-role", view(TWO, options=options)).findings == (
        ("primary-multiple", "CRITICAL", "r0: 2 Primaries: app01, app02"),
    )


def test_nobody_is_primary_only_if_every_peer_is_seen():
    assert judge("drbd-role", view(mesh())).findings == (
        ("primary-none", "WARNING", "r0: no node is Primary"),
    )
    hidden = judge("drbd-role", view(mesh(away("app02"))))
    assert (hidden.state, hidden.findings, hidden.summary) == (
        "OK",
        (),
        "r0: no Primary in sight, app02 cannot be seen",
    )


def test_a_connected_peer_that_does_not_tell_its_role_may_be_primary():
    verdict = judge("drbd-role", view(mesh(connection("app02", peer_role=Role.UNKNOWN))))
    assert (verdict.state, verdict.summary) == (
        "OK",
        "r0: no Primary in sight, app02 cannot be seen",
    )


def test_many_hidden_peers_are_not_all_named():
    verdict = judge("drbd-role", view(resource(*(away(f"node{n:02}") for n in range(31)))))
    assert verdict.summary == (
        "r0: no Primary in sight, node00, node01, node02, node03 and 27 more cannot be seen"
    )


def test_idle_resources_are_one_finding():
    resources = (resource(connection("storage02"), name=name) for name in ("r0", "r1", "r2"))
    assert judge("drbd-role", view(*resources)).findings == (
        ("primary-none", "WARNING", "no node is Primary of 3 resources (r0, r1, r2)"),
    )


def test_forbidden_primary_is_named_also_where_nobody_else_may_be():
    seen = view(mesh(connection("app03", **PRIMARY)), config=Config(tie_breakers=("app03",)))
    assert judge("drbd-role", seen, values={"never_primary": ("storage01",)}).findings == (
        ("primary-forbidden", "CRITICAL", "r0: app03 is Primary and must never be"),
    )


def test_expected_role_is_asked_of_each_resource():
    seen = view(mesh(role=Role.PRIMARY), resource(connection("storage02"), name="r1"))
    assert judge("drbd-role", seen, values={"expect_role": "Primary"}).findings == (
        ("role-unexpected", "WARNING", "r1: storage01 is Secondary, expected Primary"),
        ("primary-none", "WARNING", "r1: no node is Primary"),
    )
