"""drbd-mesh: recorded states with the whole output, and rules on constructed states."""

from __future__ import annotations

import json

import pytest

from build import SNAPSHOTS, altered, run, short
from build_drbd import (
    Case,
    away,
    configuration,
    connection,
    device,
    judge,
    mesh,
    peer_device,
    place,
    resource,
    steps,
    view,
)
from check_mccluster.model.config import Config, DrbdRule
from check_mccluster.model.drbd import ConnectionState, DiskState, Path, ReplicationState
from check_mccluster.model.words import Unrecognised

RECORDED = [
    Case(
        "six-nodes-healthy/app01",
        0,
        "DRBD-MESH OK - r0: 5 of 5 peers connected",
        """
        connected=5;5:;;0;5 connected_min=5;;;0 r0_connected=5;5:;1:;0;5
        """,
    ),
    Case(
        "six-nodes-healthy/storage01",
        0,
        "DRBD-MESH OK - r0: 5 of 5 peers connected",
        """
        connected=5;5:;;0;5 connected_min=5;;;0 r0_connected=5;5:;1:;0;5
        """,
    ),
    Case(
        "storage03-powered-off/app01",
        1,
        "DRBD-MESH WARNING - r0: replica storage03 is Connecting, 4 of 5 connected",
        """
        connected=4;5:;;0;5 connected_min=4;;;0 r0_connected=4;5:;1:;0;5
        """,
    ),
    Case(
        "storage-servers-lost/app01",
        1,
        "DRBD-MESH WARNING - r0: replica storage02 is Connecting, 3 of 5 connected; "
        "r0: replica storage03 is Connecting, 3 of 5 connected",
        """
        connected=3;5:;;0;5 connected_min=3;;;0 r0_connected=3;5:;1:;0;5
        """,
        more=(
            "[WARNING] r0: replica storage02 is Connecting, 3 of 5 connected",
            "[WARNING] r0: replica storage03 is Connecting, 3 of 5 connected",
        ),
    ),
    Case(
        "app01-cut-from-all-storage/app01",
        1,
        "DRBD-MESH WARNING - r0: replica storage01 is Connecting, 2 of 5 connected; "
        "r0: replica storage02 is Connecting, 2 of 5 connected (+1 more)",
        """
        connected=2;5:;;0;5 connected_min=2;;;0 r0_connected=2;5:;1:;0;5
        """,
        more=(
            "[WARNING] r0: replica storage01 is Connecting, 2 of 5 connected",
            "[WARNING] r0: replica storage02 is Connecting, 2 of 5 connected",
            "[WARNING] r0: replica storage03 is Connecting, 2 of 5 connected",
        ),
    ),
    Case(
        "all-copies-outdated/storage01",
        1,
        "DRBD-MESH WARNING - r0: client app01 is Connecting, 4 of 5 connected",
        """
        connected=4;5:;;0;5 connected_min=4;;;0 r0_connected=4;5:;1:;0;5
        """,
    ),
    Case(
        "link-to-one-storage-cut/storage02",
        1,
        "DRBD-MESH WARNING - r0: client app02 is Connecting, 4 of 5 connected",
        """
        connected=4;5:;;0;5 connected_min=4;;;0 r0_connected=4;5:;1:;0;5
        """,
    ),
    Case(
        "standalone-by-options/storage01",
        2,
        "DRBD-MESH CRITICAL - r0: replica storage03 is StandAlone, 4 of 5 connected",
        """
        connected=4;5:;;0;5 connected_min=4;;;0 r0_connected=4;5:;1:;0;5
        """,
    ),
    Case(
        "split-brain/storage01",
        2,
        "DRBD-MESH CRITICAL - r1: 0 of 1 connected (storage02 StandAlone), 23.1 MiB out of sync",
        """
        connected=5;6:;;0;6 connected_min=0;;;0 r0_connected=5;5:;1:;0;5 r1_connected=0;1:;1:;0;1
        """,
    ),
    Case(
        "outdated-by-admin/storage02",
        2,
        "DRBD-MESH CRITICAL - r1: 0 of 1 connected (storage01 StandAlone)",
        """
        connected=5;6:;;0;6 connected_min=0;;;0 r0_connected=5;5:;1:;0;5 r1_connected=0;1:;1:;0;1
        """,
    ),
    Case(
        "never-synced/app01",
        1,
        "DRBD-MESH WARNING - r0: client app02 is Connecting, 2 of 5 connected; r0: "
        "client app03 is Connecting, 2 of 5 connected (+1 more)",
        """
        connected=2;5:;;0;5 connected_min=2;;;0 r0_connected=2;5:;1:;0;5
        """,
        more=(
            "[WARNING] r0: client app02 is Connecting, 2 of 5 connected",
            "[WARNING] r0: client app03 is Connecting, 2 of 5 connected",
            "[WARNING] r0: replica storage02 is Connecting, 2 of 5 connected",
        ),
    ),
    Case(
        "never-synced/app03",
        2,
        "DRBD-MESH CRITICAL - r0: 0 of 5 connected (app01, app02, storage01, "
        "storage02, storage03 Connecting)",
        """
        connected=0;5:;;0;5 connected_min=0;;;0 r0_connected=0;5:;1:;0;5
        """,
    ),
    Case(
        "client-without-data/storage03",
        2,
        "DRBD-MESH CRITICAL - r2: 0 of 1 connected (storage01 Connecting), "
        "other resources reach storage01",
        """
        connected=5;6:;;0;6 connected_min=0;;;0 r0_connected=5;5:;1:;0;5 r2_connected=0;1:;1:;0;1
        """,
    ),
    Case(
        "storage-server-isolated/storage03",
        2,
        "DRBD-MESH CRITICAL - r0: 0 of 5 connected (app01, app02, app03, storage01, "
        "storage02 Connecting)",
        """
        connected=0;5:;;0;5 connected_min=0;;;0 r0_connected=0;5:;1:;0;5
        """,
    ),
    Case(
        "two-resources/storage01",
        0,
        "DRBD-MESH OK - 6 of 6 connections up",
        """
        connected=6;6:;;0;6 connected_min=1;;;0 r0_connected=5;5:;1:;0;5 r1_connected=1;1:;1:;0;1
        """,
    ),
    Case(
        "fifty-resources/storage02",
        2,
        "DRBD-MESH CRITICAL - m07: 0 of 2 connected (storage01, storage03 StandAlone)",
        """
        connected=103;105:;;0;105 connected_min=0;;;0
        """,
    ),
    Case(
        "no-resource-up/storage01",
        2,
        "DRBD-MESH CRITICAL - no DRBD resource is up on this node; expected: r0",
    ),
    Case(
        "module-not-loaded/storage01",
        2,
        "DRBD-MESH CRITICAL - the DRBD kernel module is not loaded (modprobe: ERROR: "
        "could not insert 'drbd': Operation not permitted)",
    ),
    Case(
        "module-missing/storage01",
        2,
        "DRBD-MESH CRITICAL - the DRBD kernel module is not loaded (modprobe: FATAL: "
        "Module drbd not found in directory /lib/modules/6.1.0-56-cloud...",
    ),
    Case(
        "three-nodes-healthy/app01",
        3,
        "DRBD-MESH UNKNOWN - drbdsetup: not in the snapshot (not installed there?)",
    ),
    Case(
        "utils-8.9.9-healthy/app01",
        0,
        "DRBD-MESH OK - r0: 5 of 5 peers connected",
        """
        connected=5;5:;;0;5 connected_min=5;;;0 r0_connected=5;5:;1:;0;5
        """,
    ),
    Case(
        "utils-8.9.9-storage-server-off/app01",
        1,
        "DRBD-MESH WARNING - r0: peer storage02 is Connecting, 4 of 5 connected",
        """
        connected=4;5:;;0;5 connected_min=4;;;0 r0_connected=4;5:;1:;0;5
        """,
    ),
    Case(
        "utils-8.9.9-client-alone/app02",
        2,
        "DRBD-MESH CRITICAL - r0: 0 of 5 connected (app01, app03, storage01, "
        "storage02, storage03 StandAlone)",
        """
        connected=0;5:;;0;5 connected_min=0;;;0 r0_connected=0;5:;1:;0;5
        """,
    ),
    Case(
        "utils-9.1.0-healthy/app01",
        0,
        "DRBD-MESH OK - r0: 5 of 5 peers connected",
        """
        connected=5;5:;;0;5 connected_min=5;;;0 r0_connected=5;5:;1:;0;5
        """,
    ),
    Case(
        "utils-9.1.0-answer-cut/app01",
        3,
        "DRBD-MESH UNKNOWN - drbdsetup status: received netlink error reply: Invalid "
        "argument; its answer is cut; r0 shows neither volumes nor peers",
    ),
    Case(
        "utils-9.3.1-healthy/storage01",
        0,
        "DRBD-MESH OK - r0: 5 of 5 peers connected",
        """
        connected=5;5:;;0;5 connected_min=5;;;0 r0_connected=5;5:;1:;0;5
        """,
    ),
    Case(
        "utils-9.3.1-half-configured/storage03",
        3,
        "DRBD-MESH UNKNOWN - x2 shows neither volumes nor peers",
        """
        connected=5;5:;;0;5 connected_min=0;;;0 r0_connected=5;5:;1:;0;5 x1_connected=0;;;0;0
        """,
    ),
    Case(
        "utils-9.5.0-healthy/storage01",
        0,
        "DRBD-MESH OK - r0: 5 of 5 peers connected",
        """
        connected=5;5:;;0;5 connected_min=5;;;0 r0_connected=5;5:;1:;0;5
        """,
    ),
    Case(
        "utils-9.29-healthy/app01",
        0,
        "DRBD-MESH OK - r0: 5 of 5 peers connected",
        """
        connected=5;5:;;0;5 connected_min=5;;;0 r0_connected=5;5:;1:;0;5
        """,
    ),
    Case(
        "utils-9.34-nobody-primary/storage01",
        0,
        "DRBD-MESH OK - r0: 5 of 5 peers connected",
        """
        connected=5;5:;;0;5 connected_min=5;;;0 r0_connected=5;5:;1:;0;5
        """,
    ),
    Case(
        "utils-9.34-standalone/storage01",
        2,
        "DRBD-MESH CRITICAL - r0: replica storage03 is StandAlone, 4 of 5 connected",
        """
        connected=4;5:;;0;5 connected_min=4;;;0 r0_connected=4;5:;1:;0;5
        """,
    ),
]


@pytest.mark.parametrize("case", RECORDED, ids=place)
def test_recorded_states(call, case):
    assert run(call, "drbd-mesh", case.place) == case.due


def test_long_output_has_key_next_step_and_every_connection(call):
    outcome = call("drbd-mesh", "-vv", "--from", SNAPSHOTS / "standalone-by-options/storage01")
    assert outcome.lines[1:] == [
        "[CRITICAL] peer-standalone: r0: replica storage03 is StandAlone, 4 of 5 connected ->"
        " on storage01: journalctl -k -g Split-Brain; if it finds nothing:"
        " drbdadm connect r0:storage03; where it falls back to StandAlone: journalctl -k"
        " -g drbd tells why. If it finds one: compare both copies; on the one that is given"
        " up, a Secondary: drbdadm disconnect r0; drbdadm connect --discard-my-data r0; on the"
        " other: drbdadm connect r0",
        "looked at connection r0:app01 (client): Connected",
        "looked at connection r0:app02 (client): Connected",
        "looked at connection r0:app03 (client): Connected",
        "looked at connection r0:storage02 (replica): Connected",
        "looked at connection r0:storage03 (replica): StandAlone",
    ]


# -- options and the configuration file, on recorded states -------------------------------------

OFF = "r0: replica storage03 is Connecting, 4 of 5 connected"


@pytest.mark.parametrize(
    ("options", "code", "first", "perfdata"),
    [
        ((), 1, f"WARNING - {OFF}", "connected_min=4;;;0"),
        (("-w", "4:"), 0, "OK - r0: 4 of 5 peers connected", "connected_min=4;4:;;0"),
        (("-w", "5:"), 1, f"WARNING - {OFF}", "connected_min=4;5:;;0"),
        (("-c", "5:"), 2, f"CRITICAL - {OFF}", "connected_min=4;;5:;0"),
        (("-w", "5:", "-c", "4:"), 1, f"WARNING - {OFF}", "connected_min=4;5:;4:;0"),
        (
            ("--severity", "peer-connecting=critical"),
            2,
            f"CRITICAL - {OFF}",
            "connected_min=4;;;0",
        ),
        (("-w", "4:", "-r", "r0"), 0, "OK - r0: 4 of 5 peers connected", "connected_min=4;4:;;0"),
        (("-r", "r1"), 2, "CRITICAL - r1 is not up on this node", None),
        (("-r", "r[1-9]"), 3, "UNKNOWN - no DRBD resource matches r[1-9]", None),
    ],
)
def test_options(call, options, code, first, perfdata):
    found = short(call, "drbd-mesh", "storage03-powered-off/app01", *options, figure=perfdata)
    assert found == (code, f"DRBD-MESH {first}", perfdata)


def test_range_that_asks_for_more_peers_than_there_are(call):
    outcome = call("drbd-mesh", "--from", SNAPSHOTS / "six-nodes-healthy/app01", "-w", "6:")
    assert (outcome.code, outcome.first) == (
        1,
        "DRBD-MESH WARNING - r0: 5 of 5 connected, outside the range asked for",
    )


def test_a_range_does_not_excuse_a_standalone_or_isolated_resource(call):
    alone = call("drbd-mesh", "--from", SNAPSHOTS / "standalone-by-options/storage01", "-w", "1:")
    assert (alone.code, alone.first) == (
        2,
        "DRBD-MESH CRITICAL - r0: replica storage03 is StandAlone, 4 of 5 connected",
    )
    cut = call("drbd-mesh", "--from", SNAPSHOTS / "storage-server-isolated/storage03", "-w", "0:")
    assert cut.code == 2


@pytest.mark.parametrize(
    ("nodes", "code", "first"),
    [
        (("app02", "app03"), 0, "OK - r0: 5 of 5 peers connected"),
        (("app02", "app03.example.org"), 0, "OK - r0: 5 of 5 peers connected"),
        (
            ("app02", "app09"),
            3,
            "UNKNOWN - configuration: drbd.r0.clients: app09 is not a node of r0 (known:"
            " app01, app02, app03, storage01, storage02, storage03)",
        ),
        (
            ("app02", "app03", "app09"),
            2,
            "CRITICAL - r0: no connection to app09 in the kernel, 5 of 5 connected",
        ),
    ],
)
def test_peers_of_the_configuration_file(call, tmp_path, nodes, code, first):
    clients = ", ".join(f'"{name}"' for name in ("app01", *nodes))
    config = configuration(
        tmp_path,
        f'[drbd.r0]\nreplicas = ["storage01", "storage02", "storage03"]\nclients = [{clients}]\n',
    )
    node = SNAPSHOTS / "six-nodes-healthy/app01"
    outcome = call("drbd-mesh", "--from", node, "--config", config)
    assert (outcome.code, outcome.first) == (code, f"DRBD-MESH {first}")


def test_congestion_is_reported_only_if_asked_for(call, tmp_path):
    """Constructed: a recorded state with a full send queue."""
    node = altered(
        tmp_path, "six-nodes-healthy/storage02", ('"congested": false', '"congested": true')
    )
    assert call("drbd-mesh", "--from", node).code == 0
    outcome = call("drbd-mesh", "--from", node, "--report-congestion")
    assert (outcome.code, outcome.first) == (
        1,
        "DRBD-MESH WARNING - r0: connection to app01 is congested, 5 of 5 connected;"
        " r0: connection to app02 is congested, 5 of 5 connected (+3 more)",
    )


def test_unknown_connection_state_is_quoted(call, tmp_path):
    """Constructed: a recorded state with a connection state that no release of DRBD has."""
    words = ('"connection-state": "Connecting"', '"connection-state": "Dreaming"')
    outcome = call("drbd-mesh", "--from", altered(tmp_path, "storage03-powered-off/app01", words))
    assert (outcome.code, outcome.first) == (
        3,
        "DRBD-MESH UNKNOWN - drbdsetup: unknown word 'Dreaming' as connection-state of r0 to"
        " storage03",
    )


# -- rules on constructed states ---------------------------------------------------------------


@pytest.mark.parametrize(
    "state",
    [
        s
        for s in ConnectionState
        if s not in (ConnectionState.CONNECTED, ConnectionState.STANDALONE)
    ],
)
def test_peer_that_drbd_tries_to_reach(state):
    assert judge("drbd-mesh", view(mesh(away("storage03", state)))).findings == (
        (
            "peer-connecting",
            "WARNING",
            f"r0: replica storage03 is {state.value}, 4 of 5 connected",
        ),
    )


def test_standalone_is_graver_than_connecting():
    seen = view(mesh(away("app02"), away("storage03", ConnectionState.STANDALONE)))
    assert judge("drbd-mesh", seen).findings == (
        ("peer-standalone", "CRITICAL", "r0: replica storage03 is StandAlone, 3 of 5 connected"),
        ("peer-connecting", "WARNING", "r0: client app02 is Connecting, 3 of 5 connected"),
    )


def test_isolated_node_is_one_finding():
    names = ("storage02", "storage03", "app01", "app02")
    others = (*(away(name) for name in names), away("app03", ConnectionState.STANDALONE))
    assert judge("drbd-mesh", view(mesh(*others))).findings == (
        (
            "mesh-isolated",
            "CRITICAL",
            "r0: 0 of 5 connected (storage02, storage03, app01, app02 Connecting;"
            " app03 StandAlone)",
        ),
    )


def test_lost_peer_of_many_resources_is_one_finding():
    resources = [
        resource(connection("storage02"), away("storage03"), name=f"r{n}") for n in range(5)
    ]
    assert judge("drbd-mesh", view(*resources)).findings == (
        (
            "peer-connecting",
            "WARNING",
            "replica storage03 is Connecting: 5 resources, 5 of 10 connected (r0, r1 and 3 more)",
        ),
    )


def test_isolated_resources_with_the_same_peers_are_one_finding():
    resources = [resource(away("storage02"), name=f"r{n}") for n in range(4)]
    assert judge("drbd-mesh", view(*resources)).findings == (
        (
            "mesh-isolated",
            "CRITICAL",
            "0 of 1 connected (storage02 Connecting): 4 resources (r0, r1 and 2 more)",
        ),
    )


def test_isolated_resource_whose_peers_others_reach_is_not_told_as_the_network():
    near = resource(connection("storage02"), connection("storage03"), name="r1")
    lone = resource(away("storage02"), away("storage03"))
    assert judge("drbd-mesh", view(lone, near)).findings == (
        (
            "mesh-isolated",
            "CRITICAL",
            "r0: 0 of 2 connected (storage02, storage03 Connecting), other resources reach them",
        ),
    )
    assert steps("drbd-mesh", view(lone, near)) == [
        (
            "mesh-isolated",
            "on storage02, storage03: drbdadm status r0; not up: drbdadm up r0; StandAlone:"
            " drbdadm connect r0:storage01 (not after a split brain: journalctl -k -g Split-Brain);"
            " else its addresses (drbdsetup show r0), the firewall",
        )
    ]
    half = resource(connection("storage02"), away("storage03"), name="r1")
    (first, _) = judge("drbd-mesh", view(lone, half)).findings
    assert first[2].endswith(", other resources reach storage02")


def test_resource_that_gave_up_on_every_peer_is_connected_to_all_of_them():
    names = ("storage02", "storage03")
    alone = resource(*(away(name, ConnectionState.STANDALONE) for name in names))
    ((_, step),) = steps("drbd-mesh", view(alone))
    assert "if it finds nothing: drbdadm connect r0; where it falls back" in step
    one = resource(away("storage02", ConnectionState.STANDALONE), connection("storage03"))
    ((_, step),) = steps("drbd-mesh", view(one))
    assert "drbdadm connect r0:storage02;" in step


def test_unknown_state_word_is_no_proof_of_isolation():
    strange = connection("storage02", state=Unrecognised("Dreaming", "r0 to storage02"))
    assert judge("drbd-mesh", view(resource(strange, away("storage03")))).findings == (
        ("peer-connecting", "WARNING", "r0: replica storage03 is Connecting, 0 of 2 connected"),
    )


def test_peer_of_which_the_tool_cannot_say_what_it_is():
    unknown = peer_device(peer_client=None, peer_disk_state=DiskState.D_UNKNOWN)
    lost = connection("storage02", unknown, state=ConnectionState.CONNECTING)
    assert judge("drbd-mesh", view(mesh(lost))).findings == (
        ("peer-connecting", "WARNING", "r0: peer storage02 is Connecting, 4 of 5 connected"),
    )


def test_one_of_several_paths_is_down():
    paths = (
        Path("10.0.0.1:7000", "10.0.0.2:7000", True),
        Path("10.1.0.1:7000", "10.1.0.2:7000", False),
    )
    verdict = judge("drbd-mesh", view(mesh(connection("storage02", paths=paths))))
    assert verdict.findings == (
        (
            "path-down",
            "WARNING",
            "r0: path to storage02 is down (10.1.0.1:7000 - 10.1.0.2:7000), 5 of 5 connected",
        ),
    )


def test_paths_of_a_lost_connection_are_not_told_beside_it():
    paths = (Path("10.0.0.1:7000", "10.0.0.2:7000", False),)
    lost = connection("storage02", paths=paths, state=ConnectionState.CONNECTING)
    assert [f[0] for f in judge("drbd-mesh", view(mesh(lost))).findings] == ["peer-connecting"]


def test_peers_that_the_kernel_does_not_know():
    rule = DrbdRule(replicas=("storage01", "storage02", "storage03", "storage04"))
    seen = view(mesh(away("storage02")), config=Config(drbd={"r0": rule}))
    assert judge("drbd-mesh", seen).findings == (
        ("peer-connecting", "WARNING", "r0: replica storage02 is Connecting, 4 of 5 connected"),
        (
            "peer-missing",
            "CRITICAL",
            "r0: no connection to storage04 in the kernel, 4 of 5 connected",
        ),
    )


def test_mesh_of_a_file_that_does_not_list_this_node_is_not_expected_here():
    config = Config(drbd={"r0": DrbdRule(replicas=("storage07", "storage08"))})
    assert judge("drbd-mesh", view(mesh(), config=config)).findings == ()


def test_range_counts_the_resource_with_the_fewest_peers(call):
    node = SNAPSHOTS / "two-resources/storage01"
    outcome = call("drbd-mesh", "--from", node, "-c", "2:")
    assert (outcome.code, outcome.first) == (
        2,
        "DRBD-MESH CRITICAL - r1: 1 of 1 connected, outside the range asked for",
    )


# -- connected is not enough -------------------------------------------------------------------


def test_a_connected_peer_without_the_volume_is_told():
    two = mesh(devices=(device(), device(1)))
    two = two._replace(
        connections=tuple(
            each._replace(peer_devices=(each.peer_devices[0],))
            if each.name == "storage02"
            else each._replace(
                peer_devices=(each.peer_devices[0], each.peer_devices[0]._replace(volume=1))
            )
            for each in two.connections
        )
    )
    assert judge("drbd-mesh", view(two)).findings == (
        (
            "volume-unreplicated",
            "WARNING",
            "r0: storage02 is Connected, and volume 1 is not replicated there",
        ),
    )


def test_connected_with_replication_off_is_told():
    off = connection("storage03", peer_device(replication_state=ReplicationState.OFF))
    assert judge("drbd-mesh", view(mesh(off))).findings == (
        (
            "volume-unreplicated",
            "WARNING",
            "r0: storage03 is Connected, and volume 0 has replication Off",
        ),
    )


def test_many_volumes_without_replication_to_one_peer_are_one_finding():
    off = peer_device(replication_state=ReplicationState.OFF)
    resources = [resource(connection("storage02", off), name=f"r{n}") for n in range(60)]
    assert judge("drbd-mesh", view(*resources)).findings == (
        (
            "volume-unreplicated",
            "WARNING",
            "storage02 is Connected: 60 volumes, each has replication Off (r0/0, r1/0 and 58 more)",
        ),
    )


def test_sixty_long_names_leave_peer_state_and_count_first():
    names = [f"pvc-{n:08d}-0000-4000-8000-000000000000" for n in range(60)]
    resources = [resource(connection("storage02"), away("storage03"), name=name) for name in names]
    ((key, _, text),) = judge("drbd-mesh", view(*resources)).findings
    assert key == "peer-connecting"
    assert text.startswith("replica storage03 is Connecting: 60 resources, 60 of 120 connected (")


def test_a_resource_with_peers_and_no_volumes_is_unknown(call, tmp_path):
    """Constructed: a recorded node whose list of devices is empty."""
    node = altered(tmp_path, "two-resources/storage01")
    document = json.loads((node / "drbd-status.json").read_text())
    for each in document:
        each["devices"] = []
    (node / "drbd-status.json").write_text(json.dumps(document))
    outcome = call("drbd-mesh", "--from", node, "-r", "r0")
    assert (outcome.code, outcome.first) == (
        3,
        "DRBD-MESH UNKNOWN - r0 shows peers, but no volumes",
    )


# -- steps -------------------------------------------------------------------------------------


def test_a_name_that_a_shell_would_split_is_quoted():
    odd = resource(connection("storage02"), away("node three"), name="my data")
    assert steps("drbd-mesh", view(odd)) == [
        (
            "peer-connecting",
            "on node three: drbdadm status 'my data'; not up: drbdadm up 'my data'; StandAlone:"
            " drbdadm connect 'my data':storage01 (not after a split brain: journalctl -k -g"
            " Split-Brain); else on storage01: ping its address, the firewall for its port"
            " (drbdsetup show 'my data')",
        )
    ]
