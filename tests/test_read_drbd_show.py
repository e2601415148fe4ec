"""``drbdsetup show --json``: recorded documents, and constructed ones for the traps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from build import replace
from build_documents import SHOWN_NET, SHOWN_OPTIONS, show, show_connection
from check_mccluster.model.drbd import ShownConnection, ShownResource, ShownVolume
from check_mccluster.read.drbd_show import read_drbd_show
from check_mccluster.read.errors import ReadError

DOCUMENTS = Path(__file__).parents[1] / "fixtures" / "documents"

TO_A_CLIENT = ShownConnection(
    peer_node_id=3,
    name="app01",
    timeout_s=6.0,
    ping_timeout_s=2.0,
    ping_int_s=10.0,
    connect_int_s=10.0,
    ko_count=7,
    protocol="C",
    allow_two_primaries=False,
    standalone=False,
    client_volumes=(0,),
    replica_volumes=(),
    address="10.77.0.21:7000",
)
TO_A_REPLICA = replace(
    TO_A_CLIENT,
    peer_node_id=0,
    name="storage01",
    client_volumes=(),
    replica_volumes=(0,),
    address="10.77.0.11:7000",
)
CLIENT = ShownVolume(volume=0, minor=0, backing_disk=None, diskless=True)
LOST_DISK = ShownVolume(volume=0, minor=0, backing_disk=None, diskless=False)


def recorded(name: str) -> tuple[ShownResource, ...]:
    resources = read_drbd_show((DOCUMENTS / f"drbd-show-{name}.json").read_bytes())
    return tuple(plain(resource) for resource in resources)


def plain(resource: ShownResource) -> ShownResource:
    """Without the sections as they are printed: they are compared between nodes only."""
    connections = tuple(each._replace(net={}, of_volumes={}) for each in resource.connections)
    return resource._replace(options={}, connections=connections)


def read_volume(text: str) -> ShownVolume:
    (resource,) = read_drbd_show(show(volume=text))
    (volume,) = resource.volumes
    return volume


def read_connection(net: str = SHOWN_NET, volumes: str = '"volumes": [],') -> ShownConnection:
    (resource,) = map(plain, read_drbd_show(show(connections=show_connection(net, volumes))))
    (connection,) = resource.connections
    return connection


# Recorded.


def test_9_22_client_with_disk_none_as_a_string() -> None:
    assert recorded("9.22-client") == (
        ShownResource(
            name="r0",
            node_id=4,
            quorum="majority",
            on_no_quorum="io-error",
            quorum_minimum_redundancy="off",
            auto_promote=True,
            volumes=(CLIENT,),
            connections=(
                TO_A_CLIENT,
                replace(TO_A_CLIENT, peer_node_id=5, name="app03", address="10.77.0.23:7000"),
                TO_A_REPLICA,
                replace(TO_A_REPLICA, peer_node_id=1, name="storage02", address="10.77.0.12:7000"),
                replace(TO_A_REPLICA, peer_node_id=2, name="storage03", address="10.77.0.13:7000"),
            ),
        ),
    )


def test_9_22_detached_disk_is_no_client() -> None:
    (resource,) = recorded("9.22-detached-disk")
    assert resource.volumes == (LOST_DISK,)


def test_9_34_client_with_two_disk_keys() -> None:
    (resource,) = recorded("9.34-client")
    assert resource.volumes == (CLIENT,)


def test_9_34_standalone_connection() -> None:
    (resource,) = recorded("9.34-standalone")
    assert [(c.name, c.standalone) for c in resource.connections] == [
        ("app01", False),
        ("app02", False),
        ("app03", False),
        ("storage02", False),
        ("storage03", True),
    ]
    assert resource.volumes == (ShownVolume(0, 0, "/dev/mapper/r0bk", diskless=False),)


def test_9_29_resources_without_connections_or_volumes() -> None:
    r0, x1, x2 = recorded("9.29-without-connections")
    assert len(r0.connections) == 5
    assert x1 == ShownResource(
        name="x1",
        node_id=2,
        quorum="off",
        on_no_quorum="suspend-io",
        quorum_minimum_redundancy="off",
        auto_promote=True,
        volumes=(
            ShownVolume(0, 10, None, diskless=False),
            ShownVolume(1, 11, None, diskless=False),
        ),
        connections=(),
    )
    assert x2 == replace(x1, name="x2", volumes=())


def test_nothing_configured() -> None:
    assert read_drbd_show(b"[\n]\n") == ()


# The disk of a volume in every shape. Constructed.


def test_constructed_9_8_backing_disk() -> None:
    volume = read_volume(
        ', "backing-disk": "/dev/sda1", "meta-disk": "internal", "disk": {"on-io-error": "detach"}'
    )
    assert volume == ShownVolume(0, 0, "/dev/sda1", diskless=False)


def test_constructed_9_6_two_disk_keys_the_first_of_which_is_the_path() -> None:
    volume = read_volume(
        ', "disk": "/dev/sda1", "meta-disk": "internal", "disk": {"on-io-error": "detach"}'
    )
    assert volume == ShownVolume(0, 0, "/dev/sda1", diskless=False)


def test_constructed_9_6_without_options() -> None:
    volume = read_volume(', "disk": "/dev/sda1", "meta-disk": "internal"')
    assert volume == ShownVolume(0, 0, "/dev/sda1", diskless=False)


def test_constructed_9_24_indexed_meta_data_under_the_name_of_its_device() -> None:
    volume = read_volume(', "backing-disk": "/dev/sda1", "/dev/sdb1" : 3')
    assert volume == ShownVolume(0, 0, "/dev/sda1", diskless=False)


def test_constructed_9_33_two_disk_keys_the_first_of_which_is_none() -> None:
    assert read_volume(', "disk": "none", "disk": {"diskless": "yes"}') == CLIENT


def test_constructed_disk_with_diskless_yes_only() -> None:
    assert read_volume(', "disk": {"max-bio-size": "0", "diskless": "yes"}') == CLIENT


def test_constructed_9_33_detached_disk_with_diskless_no() -> None:
    assert read_volume(', "disk": {"max-bio-size": "0", "diskless": "no"}') == LOST_DISK


def test_constructed_volume_without_disk() -> None:
    assert read_volume("") == LOST_DISK


# Invalid JSON of known releases. Constructed.


def test_constructed_9_6_missing_comma_after_the_node_id() -> None:
    document = b"""[
    {
        "resource": "r0",
        "_this_host": {
            "node-id": 2
            "volumes": [
            ]
        }
    }
]
"""
    assert read_drbd_show(document) == (
        ShownResource("r0", 2, None, None, None, None, volumes=(), connections=()),
    )


def test_constructed_9_6_connection_that_ends_with_a_comma() -> None:
    connections = """,
        "connections": [
            {
                "_peer_node_id": 1,
                "path": {
                    "_this_host": "ipv4 192.0.2.1:7000",
                    "_remote_host": "ipv4 192.0.2.2:7000"
                },
            }
        ]"""
    (resource,) = read_drbd_show(show(connections=connections))
    assert [c.peer_node_id for c in resource.connections] == [1]


def test_constructed_9_28_four_quotes_for_an_absent_certificate() -> None:
    net = SHOWN_NET.replace('"_name"', '"tls-certificate": """",\n"_name"')
    assert read_connection(net).name == "storage01"


def test_constructed_9_6_two_paths_under_the_same_key() -> None:
    path = '"path": {"_this_host": "ipv4 192.0.2.1:7001", "_remote_host": "ipv4 192.0.2.2:7001"},'
    assert read_connection(path + SHOWN_NET).name == "storage01"


# Options.


def test_constructed_times_are_in_seconds() -> None:
    net = """"net": {"timeout": "200", "ping-timeout": "5", "ping-int": "30", "connect-int": "31",
        "ko-count": "0", "protocol": "A", "allow-two-primaries": true, "_name": "storage01"},"""
    assert read_connection(net) == ShownConnection(
        peer_node_id=0,
        name="storage01",
        timeout_s=20.0,
        ping_timeout_s=0.5,
        ping_int_s=30.0,
        connect_int_s=31.0,
        ko_count=0,
        protocol="A",
        allow_two_primaries=True,
        standalone=False,
        client_volumes=(),
        replica_volumes=(),
        address="192.0.2.2:7000",
    )


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ('"ipv6 [fd00::2]:7000"', "[fd00::2]:7000"),
        ('"10.0.0.1:7000"', "10.0.0.1:7000"),
        ('""', ""),
        ("7", ""),
    ],
)
def test_constructed_address_is_the_last_word(told, address) -> None:
    connection = show_connection().replace('"ipv4 192.0.2.2:7000"', told)
    (resource,) = read_drbd_show(show(connections=connection))
    assert [each.address for each in resource.connections] == [address]


def test_constructed_options_that_are_not_printed_are_none() -> None:
    (resource,) = read_drbd_show(show(options="", connections=show_connection("", "")))
    assert resource == ShownResource(
        name="r0",
        node_id=2,
        quorum=None,
        on_no_quorum=None,
        quorum_minimum_redundancy=None,
        auto_promote=None,
        volumes=(LOST_DISK,),
        connections=(
            ShownConnection(
                0, None, None, None, None, None, None, None, None, standalone=False,
                client_volumes=(), replica_volumes=(), address="192.0.2.2:7000",
            ),
        ),
    )  # fmt: skip


def test_constructed_volumes_with_and_without_bitmap() -> None:
    volumes = """"volumes": [
        {"volume_nr": 0, "disk": {"c-max-rate": "102400k", "bitmap": false}},
        {"volume_nr": 1, "disk": {"c-fill-target": "100s", "bitmap": true}},
        {"volume_nr": 2, "disk": {"c-fill-target": "100s"}}
    ],"""
    connection = read_connection(volumes=volumes)
    assert (connection.client_volumes, connection.replica_volumes) == ((0,), (1,))


def test_constructed_quorum_of_a_number_of_nodes() -> None:
    (resource,) = read_drbd_show(show(options='"options": {"quorum": "3"},'))
    assert (resource.quorum, resource.auto_promote) == ("3", None)


# What is not drbdsetup show.


@pytest.mark.parametrize("key", ["timeout", "ping-timeout", "ping-int", "connect-int", "ko-count"])
@pytest.mark.parametrize("value", ['"soon"', '""', '"6.0"', '"-1"', '"60k"', '"\u0663"'])
def test_constructed_number_that_is_none_is_refused(key: str, value: str) -> None:
    with pytest.raises(ReadError) as error:
        read_connection(f'"net": {{"{key}": {value}, "_name": "storage01"}},')
    assert str(error.value) == f"net of r0 to storage01: {key} is not a number"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty output"),
        (b"drbdsetup - Configure\nUSAGE: drbdsetup command {arguments} [options]\n", "not JSON"),
        (b"<x/>", "this is XML, not drbdsetup's JSON"),
        (b'{"resource": "r0"}', "not drbdsetup's JSON: not a list"),
        (b"[1]", "not drbdsetup show"),
        (b'["r0"]', "not drbdsetup show"),
        (b'[{"name": "r0"}]', "not drbdsetup show"),
        (b'[{"_this_host": {}}]', "a resource: resource is missing"),
        (b'[{"resource": 7}]', "a resource: resource is not a string"),
        (b'[{"resource": "r0"}]', "_this_host of r0: not an object"),
        (b'[{"resource": "r0", "_this_host": {}, "options": []}]', "options of r0: not an object"),
        (
            b'[{"resource": "r0", "_this_host": {"volumes": {}}}]',
            "_this_host of r0: volumes is not a list",
        ),
        (
            b'[{"resource": "r0", "_this_host": {"volumes": [{}]}}]',
            "a volume of r0: volume_nr is missing",
        ),
        (show(volume=', "disk": 5'), "r0/0: disk is neither a path nor options"),
        (show(volume=', "disk": "a\\nb"'), "r0/0: disk is neither a path nor options"),
        (show(volume=', "disk": null'), "r0/0: disk is neither a path nor options"),
        (
            show(connections=show_connection('"net": 5,')),
            "net of a connection of r0: not an object",
        ),
        (
            show(connections=show_connection(volumes='"volumes": [{"volume_nr": "0"}],')),
            "a volume of r0 to storage01: volume_nr is not a whole number",
        ),
        (
            show(
                connections=show_connection(
                    volumes='"volumes": [{"volume_nr": 0, "disk": {"bitmap": 1}}],'
                )
            ),
            "disk of volume 0 of r0 to storage01: bitmap is neither yes nor no",
        ),
    ],
)
def test_constructed_output_that_is_not_a_show(data: bytes, message: str) -> None:
    with pytest.raises(ReadError) as error:
        read_drbd_show(data)
    assert str(error.value) == message


def test_status_is_not_taken_for_show() -> None:
    status = (DOCUMENTS / "drbd-status-9.22-healthy-client.json").read_bytes()
    with pytest.raises(ReadError, match=r"^not drbdsetup show$"):
        read_drbd_show(status)


def test_every_shorter_document_is_cut_off() -> None:
    document = (DOCUMENTS / "drbd-show-9.34-client.json").read_bytes().strip()
    for length in range(1, len(document), 397):
        with pytest.raises(ReadError, match=r"^cut off$"):
            read_drbd_show(document[:length])


# The shared secret.

SECRET_NET = SHOWN_NET.replace('"_name"', '"shared-secret": "kangaroo", "_name"')


@pytest.mark.parametrize(
    "change",
    [
        ('"kangaroo"', '"kangaroo'),
        ('"kangaroo"', '"kangaroo" oops'),
        ('"timeout": "60"', '"timeout": "kangaroo"'),
        ('"protocol": "C"', '"protocol": ["kangaroo"]'),
        ('"allow-two-primaries": false', '"allow-two-primaries": "kangaroo"'),
    ],
)
def test_constructed_secret_is_not_in_a_message(change: tuple[str, str]) -> None:
    with pytest.raises(ReadError) as error:
        read_connection(SECRET_NET.replace(*change))
    assert "kangaroo" not in str(error.value)


def test_only_the_bitmap_of_a_real_connection_tells_a_client() -> None:
    # Constructed from a recording: the bitmap option of app01 is removed.
    document: list[Any] = json.loads((DOCUMENTS / "drbd-show-9.22-client.json").read_bytes())
    del document[0]["connections"][0]["volumes"][0]["disk"]["bitmap"]
    (resource,) = read_drbd_show(json.dumps(document).encode())
    assert plain(resource).connections[0] == replace(TO_A_CLIENT, client_volumes=())


@pytest.mark.parametrize("section", ["net", "options"])
def test_constructed_secret_is_in_no_section_that_nodes_compare(section: str) -> None:
    """What is compared is what an administrator wrote: words and flags, not the tool's own keys."""
    words = (
        '"shared-secret": "kangaroo", "_name": "storage01", "a": "1", "b": true, "c": 2, "d": []'
    )
    net = f'"net": {{{words}}},' if section == "net" else SHOWN_NET
    options = f'"options": {{{words}}},' if section == "options" else SHOWN_OPTIONS
    document = show(options=options, connections=show_connection(net))
    (resource,) = read_drbd_show(document)
    assert "kangaroo" not in repr(resource)
    compared = resource.connections[0].net if section == "net" else resource.options
    assert compared == {"a": "1", "b": "True"}


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("volumes", "r0: volume 0 is there twice"),
        ("connections", "r0: peer node id 0 is there twice"),
    ],
)
def test_constructed_volume_or_peer_that_is_there_twice(key: str, message: str) -> None:
    document = json.loads(show(connections=show_connection()))
    around = document[0] if key == "connections" else document[0]["_this_host"]
    around[key] *= 2
    with pytest.raises(ReadError) as error:
        read_drbd_show(json.dumps(document).encode())
    assert str(error.value) == message


def test_constructed_peers_without_an_id_may_be_several() -> None:
    document = json.loads(show(connections=show_connection()))
    del document[0]["connections"][0]["_peer_node_id"]
    document[0]["connections"] *= 2
    (resource,) = read_drbd_show(json.dumps(document).encode())
    assert [each.peer_node_id for each in resource.connections] == [None, None]


def test_constructed_resource_that_is_there_twice() -> None:
    document = json.loads(show()) * 2
    with pytest.raises(ReadError) as error:
        read_drbd_show(json.dumps(document).encode())
    assert str(error.value) == "resource r0 is there twice"
