"""``drbdsetup status --json``: recorded documents, and constructed ones for the traps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from build_documents import (
    status,
    status_connection,
    status_device,
    status_peer_device,
    status_resource,
)
from check_mccluster.model.drbd import (
    Connection,
    ConnectionState,
    Device,
    DiskState,
    DrbdResource,
    PeerDevice,
    Progress,
    ReplicationState,
    Role,
)
from check_mccluster.model.drbd import Path as NetworkPath
from check_mccluster.model.words import Unrecognised
from check_mccluster.read import drbd_status
from check_mccluster.read.drbd_json import BLOCK, decode_in_blocks
from check_mccluster.read.drbd_status import read_drbd_status
from check_mccluster.read.errors import ReadError

DOCUMENTS = Path(__file__).parents[1] / "fixtures" / "documents"


def recorded(name: str) -> tuple[DrbdResource, ...]:
    return read_drbd_status((DOCUMENTS / f"drbd-status-{name}.json").read_bytes())


def peer_device(resource: DrbdResource, peer: str) -> PeerDevice:
    return next(c for c in resource.connections if c.name == peer).peer_devices[0]


def read_resource(**changes: Any) -> DrbdResource:
    (resource,) = read_drbd_status(status(status_resource(**changes)).encode())
    return resource


def read_device(**changes: Any) -> Device:
    return read_resource(devices=[status_device(**changes)]).devices[0]


def read_connection(**changes: Any) -> Connection:
    return read_resource(connections=[status_connection(**changes)]).connections[0]


def read_peer_device(**changes: Any) -> PeerDevice:
    return read_connection(peer_devices=[status_peer_device(**changes)]).peer_devices[0]


def without(members: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name != key}


# Whole documents.


def test_constructed_resource_is_read_completely() -> None:
    assert read_resource() == DrbdResource(
        name="r0",
        node_id=0,
        role=Role.PRIMARY,
        suspended=False,
        suspended_user=None,
        suspended_no_data=None,
        suspended_fencing=None,
        suspended_quorum=None,
        force_io_failures=None,
        devices=(
            Device(
                volume=0,
                minor=1000,
                disk_state=DiskState.UP_TO_DATE,
                client=False,
                quorum=True,
                open=None,
                size_kib=524140,
                read_kib=10,
                written_kib=20,
                al_writes=1,
                bm_writes=2,
                upper_pending=3,
                lower_pending=4,
            ),
        ),
        connections=(
            Connection(
                peer_node_id=1,
                name="storage02",
                state=ConnectionState.CONNECTED,
                peer_role=Role.SECONDARY,
                congested=False,
                ap_in_flight=7,
                rs_in_flight=8,
                paths=None,
                peer_devices=(
                    PeerDevice(
                        volume=0,
                        replication_state=ReplicationState.ESTABLISHED,
                        peer_disk_state=DiskState.UP_TO_DATE,
                        peer_client=False,
                        resync_suspended=frozenset(),
                        received_kib=5,
                        sent_kib=6,
                        out_of_sync_kib=0,
                        pending=0,
                        unacked=0,
                        percent_in_sync=100.0,
                        verifying=False,
                        progress=None,
                    ),
                ),
            ),
        ),
    )


def test_client_of_a_healthy_cluster() -> None:
    (resource,) = recorded("9.22-healthy-client")
    assert resource.devices == (
        Device(
            volume=0,
            minor=0,
            disk_state=DiskState.DISKLESS,
            client=True,
            quorum=True,
            open=None,
            size_kib=524140,
            read_kib=0,
            written_kib=0,
            al_writes=0,
            bm_writes=0,
            upper_pending=0,
            lower_pending=0,
        ),
    )
    assert [(c.name, c.state, c.peer_role) for c in resource.connections] == [
        ("app01", ConnectionState.CONNECTED, Role.PRIMARY),
        ("app03", ConnectionState.CONNECTED, Role.SECONDARY),
        ("storage01", ConnectionState.CONNECTED, Role.SECONDARY),
        ("storage02", ConnectionState.CONNECTED, Role.SECONDARY),
        ("storage03", ConnectionState.CONNECTED, Role.SECONDARY),
    ]
    assert [peer.peer_client for c in resource.connections for peer in c.peer_devices] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_detached_disk_is_diskless_and_no_client() -> None:
    (resource,) = recorded("9.22-detached-disk")
    (device,) = resource.devices
    assert (device.disk_state, device.client) == (DiskState.DISKLESS, False)


def test_resync_target_has_progress() -> None:
    (resource,) = recorded("9.22-resync-target")
    assert peer_device(resource, "storage02") == PeerDevice(
        volume=0,
        replication_state=ReplicationState.SYNC_TARGET,
        peer_disk_state=DiskState.UP_TO_DATE,
        peer_client=False,
        resync_suspended=frozenset(),
        received_kib=35212,
        sent_kib=5200,
        out_of_sync_kib=149264,
        pending=9,
        unacked=0,
        percent_in_sync=71.52,
        verifying=False,
        progress=Progress(
            percent_done=19.09,
            seconds_left=19,
            rate=7.66,
            recent_rate=7.66,
            wanted_rate=3.0,
            recent_sectors=70424,
            window_ms=4488,
            running_ms=4488,
            paused_ms=0,
            total_sectors=368952,
            failed_sectors=0,
            mark_ms=4488,
        ),
    )
    assert peer_device(resource, "app01").progress is None
    assert peer_device(resource, "app01").resync_suspended == {"dependency"}


def test_online_verify_is_progress_and_verifying() -> None:
    r1 = recorded("9.22-online-verify")[1]
    verified = peer_device(r1, "storage02")
    assert verified.replication_state is ReplicationState.VERIFY_S
    assert verified.verifying is True
    assert verified.progress == Progress(
        percent_done=69.01,
        seconds_left=4,
        rate=5.39,
        recent_rate=5.36,
        wanted_rate=1.0,
        recent_sectors=90200,
        window_ms=8224,
        running_ms=8224,
        paused_ms=0,
        total_sectors=131624,
        failed_sectors=None,
        mark_ms=5120,
    )


def test_resource_suspended_by_its_user_names_the_cause() -> None:
    r1 = recorded("9.22-suspended-by-user")[1]
    causes = (r1.suspended_user, r1.suspended_no_data, r1.suspended_fencing, r1.suspended_quorum)
    assert (r1.suspended, causes) == (True, (True, False, False, False))


def test_paths_are_read_where_drbdsetup_prints_them() -> None:
    (resource,) = recorded("9.34-standalone")
    storage03 = resource.connections[-1]
    assert storage03.state is ConnectionState.STANDALONE
    assert storage03.paths == (
        NetworkPath("10.77.0.11:7000", "10.77.0.13:7000", established=False),
    )
    assert resource.devices[0].open is False


# Dialects of old releases.


def test_8_9_9_resync_with_misplaced_commas_and_colon_in_the_key() -> None:
    (resource,) = recorded("8.9.9-resync-target")
    (device,) = resource.devices
    assert (device.disk_state, device.client, device.quorum) == (
        DiskState.INCONSISTENT,
        None,
        None,
    )
    syncing = peer_device(resource, "storage01")
    assert (syncing.pending, syncing.unacked, syncing.peer_client) == (2, 0, None)
    assert syncing.progress == Progress(
        5.08, None, None, None, None, None, None, None, None, None, None
    )
    assert resource.unrecognised == ()


def test_9_3_1_booleans_as_strings() -> None:
    r0, x1, x2 = recorded("9.3.1-more-resources")
    assert (r0.devices[0].client, r0.devices[0].quorum) == (False, True)
    assert [peer.peer_client for c in r0.connections for peer in c.peer_devices] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert [(device.volume, device.disk_state) for device in x1.devices] == [
        (0, DiskState.DISKLESS),
        (1, DiskState.DISKLESS),
    ]
    assert (x2.devices, x2.connections) == ((), ())


def test_9_5_0_minus_nan_is_no_value() -> None:
    (resource,) = recorded("9.5.0-client-never-connected")
    assert [peer.percent_in_sync for c in resource.connections for peer in c.peer_devices] == (
        [None] * 5
    )
    assert resource.devices[0].size_kib == 0


def test_9_5_0_comment_line_before_an_empty_list() -> None:
    assert recorded("9.5.0-nothing-configured") == ()


def test_9_1_0_answer_without_devices_is_read_as_it_is() -> None:
    (resource,) = recorded("9.1.0-empty-resource")
    assert (resource.name, resource.role) == ("r0", Role.PRIMARY)
    assert (resource.devices, resource.connections) == ((), ())


def test_empty_list_is_no_resource() -> None:
    assert read_drbd_status(b"[\n]\n\n") == ()


@pytest.mark.parametrize("word", ["nan", "-nan", "inf", "-inf", "NaN", "Infinity", "-Infinity"])
def test_constructed_number_that_is_none(word: str) -> None:
    text = status(status_resource()).replace(
        '"percent-in-sync": 100.0', f'"percent-in-sync": {word}'
    )
    (resource,) = read_drbd_status(text.encode())
    assert resource.connections[0].peer_devices[0].percent_in_sync is None


def test_constructed_comma_left_by_a_filtered_resource() -> None:
    text = "[\n" + json.dumps(status_resource()) + "\n,\n]\n"
    assert read_drbd_status(text.encode()) == (read_resource(),)


def test_repairs_do_not_touch_strings() -> None:
    # Constructed: all that is repaired outside strings, inside one.
    name = 'a,} nan -inf ,] # 5 "x"'
    text = status(status_resource(name=name)).replace("100.0", "-nan")
    (resource,) = read_drbd_status(text.encode())
    assert resource.name == name


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        (True, True),
        (False, False),
        ("yes", True),
        ("no", False),
        ("true", True),
        ("false", False),
        ("unknown", None),
    ],
)
def test_constructed_booleans_of_all_releases(printed: object, read: object) -> None:
    peer = status_peer_device(**{"peer-client": printed})
    resource = read_resource(
        devices=[status_device(client=printed, quorum=printed)],
        connections=[status_connection(peer_devices=[peer])],
    )
    (device,), (connection,) = resource.devices, resource.connections
    assert (device.client, device.quorum) == (read, read)
    assert connection.peer_devices[0].peer_client is read


@pytest.mark.parametrize("printed", ["maybe", "", "Yes", 0, 1, [], None])
def test_constructed_boolean_of_another_kind_is_refused(printed: object) -> None:
    with pytest.raises(ReadError, match=r"^r0/0: client is neither yes nor no$"):
        read_device(client=printed)


def test_constructed_key_of_8_9_10_with_an_unknown_word() -> None:
    device = without(status_device(**{"disk-state:": "?"}), "disk-state")
    resource = read_resource(devices=[device])
    assert resource.unrecognised == (Unrecognised("?", "disk-state of r0/0"),)


# Statistics that are not there.


def test_constructed_device_without_statistics() -> None:
    device = {"volume": 3, "minor": 5, "disk-state": "Attaching"}
    assert read_resource(devices=[device], connections=[]).devices == (
        Device(
            volume=3,
            minor=5,
            disk_state=DiskState.ATTACHING,
            client=None,
            quorum=None,
            open=None,
            size_kib=None,
            read_kib=None,
            written_kib=None,
            al_writes=None,
            bm_writes=None,
            upper_pending=None,
            lower_pending=None,
        ),
    )


def test_constructed_release_tells_clients_in_words_or_in_booleans() -> None:
    peer = status_peer_device(**{"peer-client": True})
    with pytest.raises(ReadError, match="clients are told in words and in booleans"):
        read_resource(
            devices=[status_device(client="no")],
            connections=[status_connection(peer_devices=[peer])],
        )


@pytest.mark.parametrize("key", ["client", "peer-client"])
def test_constructed_release_that_tells_clients_tells_them_at_both_ends(key: str) -> None:
    resource = status_resource(
        devices=[without(status_device(), key)],
        connections=[status_connection(peer_devices=[without(status_peer_device(), key)])],
    )
    with pytest.raises(ReadError, match="of client and peer-client one is not told"):
        read_drbd_status(status(resource).encode())


def test_constructed_peer_statistics_of_all_ones_are_unknown() -> None:
    peer = read_peer_device(
        **{
            "received": 2**63 - 1,
            "sent": 2**63 - 1,
            "out-of-sync": 2**63 - 1,
            "pending": 2**32 - 1,
            "unacked": 2**32 - 1,
            "percent-in-sync": -3518773230000000.0,
        }
    )
    assert (peer.received_kib, peer.sent_kib, peer.out_of_sync_kib) == (None, None, None)
    assert (peer.pending, peer.unacked, peer.percent_in_sync) == (None, None, None)


def test_constructed_in_flight_of_all_ones_is_unknown() -> None:
    connection = read_connection(**{"ap-in-flight": 2**64 - 1, "rs-in-flight": 2**64 - 1})
    assert (connection.ap_in_flight, connection.rs_in_flight) == (None, None)


def test_constructed_four_tebibytes_are_not_mistaken_for_all_ones() -> None:
    assert read_device(size=2**32 - 1).size_kib == 2**32 - 1


def test_constructed_unknown_node_id() -> None:
    assert read_resource(**{"node-id": -1}).node_id is None


# Progress.

RESYNC = {
    "replication-state": "SyncSource",
    "has-sync-details": True,
    "rs-total": 1000,
    "rs-dt-start-ms": 5000,
    "rs-paused-ms": 10,
    "rs-dt0-ms": 3000,
    "rs-db0-sectors": -8,
    "rs-dt1-ms": 6000,
    "rs-failed": 2,
    "want": 40.00,
    "db0/dt0 [MiB/s]": 1.25,
    "db1/dt1 [MiB/s]": 2.25,
    "db/dt [MiB/s]": 3.25,
    "estimated-seconds-to-finish": 42,
    "percent-resync-done": 27.46,
}


def test_constructed_progress_with_all_details() -> None:
    assert read_peer_device(**RESYNC).progress == Progress(
        percent_done=27.46,
        seconds_left=42,
        rate=3.25,
        recent_rate=1.25,
        wanted_rate=40.0,
        recent_sectors=-8,
        window_ms=3000,
        running_ms=5000,
        paused_ms=10,
        total_sectors=1000,
        failed_sectors=2,
        mark_ms=6000,
    )


@pytest.mark.parametrize("key", [key for key in RESYNC if key.startswith("rs-d")])
def test_constructed_details_without_one_that_tells_whether_it_moves(key: str) -> None:
    with pytest.raises(ReadError, match=f"r0/0 to storage02: {key} is missing"):
        read_peer_device(**{name: value for name, value in RESYNC.items() if name != key})


@pytest.mark.parametrize("estimate", [987654321, -17, 1.0e30, None, 10**30])
def test_constructed_estimate_that_is_none(estimate: object) -> None:
    progress = read_peer_device(**{**RESYNC, "estimated-seconds-to-finish": estimate}).progress
    assert progress is not None
    assert progress.seconds_left is None


def test_constructed_percentage_without_details_of_an_older_kernel() -> None:
    peer = read_peer_device(**{"percent-resync-done": 12.5})
    assert peer.progress == Progress(
        12.5, None, None, None, None, None, None, None, None, None, None
    )


def test_constructed_percentage_of_a_device_of_size_zero() -> None:
    text = status(status_resource())
    text = text.replace('"percent-in-sync"', '"percent-resync-done": -inf, "percent-in-sync"')
    (resource,) = read_drbd_status(text.encode())
    progress = resource.connections[0].peer_devices[0].progress
    assert progress is not None
    assert progress.percent_done is None


def test_constructed_sync_state_without_details_has_no_progress() -> None:
    assert read_peer_device(**{"replication-state": "SyncSource"}).progress is None


@pytest.mark.parametrize(
    ("state", "details", "verifying"),
    [
        ("VerifyS", False, True),
        ("VerifyT", "unknown", True),
        ("Established", True, True),
        ("Established", "unknown", False),
        ("Unheard", "unknown", None),
        ("Unheard", False, False),
    ],
)
def test_constructed_verify_by_state_or_details(
    state: str, details: object, verifying: object
) -> None:
    peer = read_peer_device(**{"replication-state": state, "has-online-verify-details": details})
    assert peer.verifying is verifying


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("no", frozenset()),
        ("user", {"user"}),
        ("peer,dependency", {"peer", "dependency"}),
    ],
)
def test_constructed_resync_suspended(printed: object, read: object) -> None:
    assert read_peer_device(**{"resync-suspended": printed}).resync_suspended == read


# Words.


def test_constructed_unknown_words_are_kept_and_collected_with_their_place() -> None:
    resource = read_resource(
        role="Tertiary",
        devices=[status_device(**{"disk-state": "?"})],
        connections=[
            status_connection(
                **{
                    "connection-state": "?",
                    "peer-role": "Boss",
                    "peer_devices": [
                        status_peer_device(
                            **{
                                "replication-state": "Guessing",
                                "peer-disk-state": "uptodate",
                                "resync-suspended": "user,mood",
                            }
                        )
                    ],
                }
            )
        ],
    )
    assert resource.unrecognised == (
        Unrecognised("Tertiary", "role of r0"),
        Unrecognised("?", "disk-state of r0/0"),
        Unrecognised("?", "connection-state of r0 to storage02"),
        Unrecognised("Boss", "peer-role of r0 to storage02"),
        Unrecognised("Guessing", "replication-state of r0/0 to storage02"),
        Unrecognised("uptodate", "peer-disk-state of r0/0 to storage02"),
        Unrecognised("mood", "resync-suspended of r0/0 to storage02"),
    )
    assert resource.devices[0].disk_state == Unrecognised("?", "disk-state of r0/0")
    assert not resource.connections[0].is_connected


# Paths.


def test_constructed_paths_of_other_families() -> None:
    paths = [
        {
            "this_host": {"address": "fd00::1", "port": 7000, "family": "ipv6"},
            "remote_host": {"family": "unknown"},
            "established": True,
        }
    ]
    assert read_connection(paths=paths).paths == (
        NetworkPath("[fd00::1]:7000", "unknown", established=True),
    )


def test_constructed_connection_without_any_path() -> None:
    assert read_connection(paths=[]).paths == ()


# What is not drbdsetup status.


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty output"),
        (b" \n\n", "empty output"),
        (b"# No currently configured DRBD found.\n", "not JSON"),
        (b"r0 role:Secondary\n  disk:UpToDate\n", "not JSON"),
        (b"drbdsetup - Configure\nUSAGE: drbdsetup command {args} [options]\n", "not JSON"),
        (b"[\n{]", "cut off"),
        (b"[}", "not JSON"),
        (b"[]\n[]\n", "not JSON"),
        (b"[1, 2", "cut off"),
        (b'[\n{\n  "name": "r0', "cut off"),
        (b'[\n{\n  "name": "r0\\', "cut off"),
        (b"\xff\xfe[", "not JSON"),
        (b'<?xml version="1.0"?>\n<crm_mon/>', "this is XML, not drbdsetup's JSON"),
        (b"{}", "not drbdsetup's JSON: not a list"),
        (b"null", "not drbdsetup's JSON: not a list"),
        (b"[1, 2]", "not drbdsetup status"),
        (b"[[]]", "not drbdsetup status"),
        (b"[{}]", "not drbdsetup status"),
        (b'[{"name": "r0", "name": "r1"}]', "not drbdsetup's JSON: the same key twice"),
        (b"[" * 200_000, "not drbdsetup's JSON: nested too deeply"),
        (b"[" + b"[" * 200_000 + b"]" * 200_000 + b"]", "not drbdsetup's JSON: nested too deeply"),
    ],
)
def test_constructed_output_that_is_not_a_status(data: bytes, message: str) -> None:
    with pytest.raises(ReadError) as error:
        read_drbd_status(data)
    assert str(error.value) == message


def test_show_is_not_taken_for_status() -> None:
    show = (DOCUMENTS / "drbd-show-9.22-client.json").read_bytes()
    with pytest.raises(ReadError, match=r"^not drbdsetup status$"):
        read_drbd_status(show)


@pytest.mark.parametrize("name", ["9.22-resync-target", "8.9.9-resync-target"])
def test_every_shorter_document_is_cut_off(name: str) -> None:
    document = (DOCUMENTS / f"drbd-status-{name}.json").read_bytes().strip()
    for length in range(1, len(document), 97):
        with pytest.raises(ReadError, match=r"^cut off$"):
            read_drbd_status(document[:length])


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("name", 5, "a resource: name is not a string"),
        ("name", None, "a resource: name is missing"),
        ("name", "r0\nr1", "a resource: name has characters that cannot be printed"),
        ("name", "\ud800", "a resource: name has characters that cannot be printed"),
        ("node-id", "0", "r0: node-id is not a whole number"),
        ("node-id", True, "r0: node-id is not a whole number"),
        ("node-id", 10**30, "r0: node-id is not a whole number"),
        ("role", None, "r0: role is missing"),
        ("role", 1, "r0: role is not a string"),
        ("devices", None, "r0: devices is missing"),
        ("devices", {}, "r0: devices is not a list"),
        ("devices", [None], "a device of r0: not an object"),
        ("connections", None, "r0: connections is missing"),
        ("connections", "no", "r0: connections is not a list"),
    ],
)
def test_constructed_resource_of_wrong_types_is_refused(
    key: str, value: object, message: str
) -> None:
    with pytest.raises(ReadError) as error:
        read_resource(**{key: value})
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("volume", None, "a device of r0: volume is missing"),
        ("volume", 0.5, "a device of r0: volume is not a whole number"),
        ("disk-state", None, "r0/0: disk-state is missing"),
        ("disk-state", ["UpToDate"], "r0/0: disk-state is not a string"),
        ("size", "1024", "r0/0: size is not a whole number"),
    ],
)
def test_constructed_device_of_wrong_types_is_refused(
    key: str, value: object, message: str
) -> None:
    with pytest.raises(ReadError) as error:
        read_device(**{key: value})
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("name", None, "a connection of r0: name is missing"),
        ("peer-node-id", None, "r0 to storage02: peer-node-id is missing"),
        ("connection-state", None, "r0 to storage02: connection-state is missing"),
        ("peer-role", None, "r0 to storage02: peer-role is missing"),
        ("peer_devices", None, "r0 to storage02: peer_devices is missing"),
        ("paths", {}, "r0 to storage02: paths is not a list"),
        ("paths", [{}], "this_host of a path of r0 to storage02: not an object"),
    ],
)
def test_constructed_connection_of_wrong_types_is_refused(
    key: str, value: object, message: str
) -> None:
    with pytest.raises(ReadError) as error:
        read_connection(**{key: value})
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("volume", None, "a peer device of r0 to storage02: volume is missing"),
        ("replication-state", None, "r0/0 to storage02: replication-state is missing"),
        ("peer-disk-state", None, "r0/0 to storage02: peer-disk-state is missing"),
        ("out-of-sync", -1.5, "r0/0 to storage02: out-of-sync is not a whole number"),
        ("percent-in-sync", "100", "r0/0 to storage02: percent-in-sync is not a number"),
        ("percent-in-sync", 10**4000, "r0/0 to storage02: percent-in-sync is not a number"),
        ("resync-suspended", False, "r0/0 to storage02: resync-suspended is not a string"),
    ],
)
def test_constructed_peer_device_of_wrong_types_is_refused(
    key: str, value: object, message: str
) -> None:
    with pytest.raises(ReadError) as error:
        read_peer_device(**{key: value})
    assert str(error.value) == message


def test_constructed_number_with_too_many_digits_is_refused() -> None:
    text = status(status_resource()).replace("524140", "9" * 10_000)
    with pytest.raises(ReadError):
        read_drbd_status(text.encode())


@pytest.mark.parametrize(("key", "word"), [("name", b"rX"), ("role", b"Secondary")])
def test_constructed_bytes_that_are_not_utf_8_are_refused(key: str, word: bytes) -> None:
    text = status(status_resource(**{key: word.decode()})).encode()
    with pytest.raises(ReadError, match=f"^(r0|a resource): {key} is not UTF-8$"):
        read_drbd_status(text.replace(b'"' + word + b'"', b'"r\xff"'))


def test_constructed_quorum_that_this_release_prints_is_required() -> None:
    """A lost quorum whose key was damaged became one that nobody knows of."""
    device = status_device()
    del device["quorum"]
    with pytest.raises(ReadError, match=r"^quorum is missing, though drbd-utils 9\.4 prints it$"):
        read_resource(devices=[device], connections=[status_connection()])


def test_constructed_resource_listed_twice_is_refused() -> None:
    with pytest.raises(ReadError, match=r"^resource r0 is there twice$"):
        read_drbd_status(status(status_resource(), status_resource()).encode())


def test_constructed_volume_listed_twice_is_refused() -> None:
    with pytest.raises(ReadError, match=r"^r0: volume 0 is there twice$"):
        read_resource(devices=[status_device(), status_device()])


def test_constructed_peer_device_listed_twice_is_refused() -> None:
    connection = status_connection(**{"peer_devices": [status_peer_device(), status_peer_device()]})
    with pytest.raises(ReadError, match=r"^r0 to storage02: volume 0 is there twice$"):
        read_resource(connections=[connection])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"name": "storage09"}, r"^r0: peer node id \d+ is there twice$"),
        ({"peer-node-id": 30}, r"^r0: connection to storage02 is there twice$"),
    ],
    ids=["node-id", "name"],
)
def test_constructed_peer_listed_twice_is_refused(other: dict[str, Any], message: str) -> None:
    with pytest.raises(ReadError, match=message):
        read_resource(connections=[status_connection(), status_connection(**other)])


def test_constructed_peer_without_volumes_listed_twice_is_refused() -> None:
    bare: dict[str, Any] = {"peer_devices": []}
    other = status_connection(**{"peer-node-id": 30, **bare})
    with pytest.raises(ReadError, match=r"^r0: connection to storage02 is there twice$"):
        read_resource(connections=[status_connection(**bare), other])


def test_constructed_path_listed_twice_is_refused() -> None:
    end = {"address": "192.0.2.1", "port": 7789, "family": "ipv4"}
    path = {"this_host": end, "remote_host": end, "established": True}
    with pytest.raises(ReadError, match=r"^r0 to storage02: path 192.+ is there twice$"):
        read_resource(connections=[status_connection(paths=[path, path])])


@pytest.mark.parametrize("number", [-1, 65536, 10**30])
def test_constructed_volume_out_of_range(number: int) -> None:
    with pytest.raises(ReadError, match=r"volume is (out of range|not a whole number)$"):
        read_device(volume=number)


@pytest.mark.parametrize("number", [-1, 32])
def test_constructed_node_id_out_of_range(number: int) -> None:
    with pytest.raises(ReadError, match=r"^r0 to storage02: peer-node-id is out of range$"):
        read_resource(connections=[status_connection(**{"peer-node-id": number})])


@pytest.mark.parametrize("key", ["received", "sent", "out-of-sync", "pending", "unacked"])
def test_constructed_figure_that_is_gone_or_negative(key: str) -> None:
    with pytest.raises(ReadError, match=f"^r0/0 to storage02: {key} is out of range$"):
        read_peer_device(**{key: -1})
    device = status_peer_device()
    del device[key]
    with pytest.raises(ReadError, match=f"^r0/0 to storage02: {key} is missing$"):
        read_resource(connections=[status_connection(peer_devices=[device])])


def test_constructed_flag_that_one_place_has_and_another_has_not() -> None:
    without = {key: value for key, value in status_device(volume=1).items() if key != "quorum"}
    with pytest.raises(ReadError, match=r"^quorum is there 1 times, not 2$"):
        read_resource(devices=[status_device(), without])


@pytest.mark.parametrize("key", ["resync-suspended", "out-of-sync", "received"])
def test_constructed_null_is_not_what_is_not_printed(key: str) -> None:
    with pytest.raises(ReadError, match=f"^r0/0 to storage02: {key} is missing$"):
        read_peer_device(**{key: None})


# Documents of many resources are read in blocks.


def many(number: int = 3 * BLOCK, **of_the_last: Any) -> str:
    """As drbdsetup prints them, with counters that differ; the last one is changed."""
    resources = [
        status_resource(
            name=f"r{each}",
            connections=[status_connection(peer_devices=[status_peer_device(received=each)])],
        )
        for each in range(number)
    ]
    resources[-1].update(of_the_last)
    return status(*resources, indent=1)


def refusal(text: str) -> str:
    with pytest.raises(ReadError) as error:
        read_drbd_status(text.encode())
    return str(error.value)


def test_constructed_resources_of_several_blocks_are_all_there() -> None:
    text = many()
    resources = read_drbd_status(text.encode())
    assert [one.name for one in resources] == [f"r{each}" for each in range(3 * BLOCK)]
    assert [one.connections[0].peer_devices[0].received_kib for one in resources] == list(
        range(3 * BLOCK)
    )
    blocks = [len(elements) for elements, _ in decode_in_blocks(text.encode())]
    assert blocks == [BLOCK] * 3


@pytest.mark.parametrize("number", [1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_constructed_document_that_needs_repair_is_the_same(number: int) -> None:
    text = many(number)
    whole = read_drbd_status(text.encode())
    assert len(whole) == number
    assert read_drbd_status((text[:-1] + ",]").encode()) == whole


@pytest.mark.parametrize("key", ["name", "suspended", "volume", "received", "address"])
def test_constructed_key_twice_anywhere_is_refused(key: str) -> None:
    path = {
        "this_host": {"address": "fd00::1", "port": 7000, "family": "ipv6"},
        "remote_host": {"address": "fd00::2", "port": 7000, "family": "ipv6"},
        "established": True,
    }
    text = json.dumps(
        [status_resource(name="r0"), status_resource(connections=[status_connection(paths=[path])])]
    )
    place = text.rindex(f'"{key}"')
    twice = text[:place] + f'"{key}": "UpToDate", ' + text[place:]
    assert refusal(twice) == "not drbdsetup's JSON: the same key twice"
    # Neither a colon in a string, nor one that is escaped, makes up for it.
    for other in ('"x:": 1, ', '"\\u003a": 1, '):
        assert refusal(twice.replace('"node-id"', f'{other}"node-id"')) == (
            "not drbdsetup's JSON: the same key twice"
        )


def test_constructed_addresses_with_colons_need_no_second_look(monkeypatch) -> None:
    host = {"address": "fd00::1", "port": 7000, "family": "ipv6"}
    path = {"this_host": host, "remote_host": {**host, "address": "fd00::2"}, "established": True}
    monkeypatch.setattr(drbd_status, "decode", None)
    resource = read_resource(connections=[status_connection(paths=[path])])
    assert resource.connections[0].paths == (
        NetworkPath("[fd00::1]:7000", "[fd00::2]:7000", established=True),
    )


def test_constructed_key_that_only_the_last_block_has_not_is_told() -> None:
    device = without(status_device(), "quorum")
    number = 3 * BLOCK
    assert refusal(many(devices=[device])) == f"quorum is there {number - 1} times, not {number}"


def test_constructed_key_that_a_block_of_one_resource_has_not_is_told() -> None:
    number = 2 * BLOCK + 1
    connection = without(status_connection(), "ap-in-flight")
    assert refusal(many(number, connections=[connection])) == (
        f"ap-in-flight is there {number - 1} times, not {number}"
    )


def test_constructed_resource_of_another_block_twice_is_refused() -> None:
    assert refusal(many(name="r1")) == "resource r1 is there twice"


def test_constructed_damage_in_the_last_block_is_told() -> None:
    assert refusal(many(role=1)) == f"r{3 * BLOCK - 1}: role is not a string"
    assert refusal(many()[:-3]) == "cut off"
    assert refusal(many().replace("}\n]", "}\n")) == "cut off"


def test_constructed_unknown_key_with_an_object_is_skipped() -> None:
    assert read_resource(**{"new": {"a": 1, "b": [{"c": 2}]}}) == read_resource()
