"""Where readers draw the line: the last value that is taken, and the first that is not."""

from __future__ import annotations

import io
import json
import math
from xml.sax.saxutils import quoteattr

import pytest

from build_documents import resource as element_of_simulation
from build_documents import (
    result,
    show,
    show_connection,
    status_connection,
    status_device,
    status_peer_device,
    status_resource,
)
from build_documents import simulated as document
from check_mccluster.model.pacemaker import Role
from check_mccluster.read import drbd_json
from check_mccluster.read.corosync import read_cfgtool, read_cmapctl, read_quorumtool
from check_mccluster.read.crm_mon import _resource_of
from check_mccluster.read.crm_simulate import read_crm_simulate
from check_mccluster.read.drbd_json import Members, Table, decode, distinct
from check_mccluster.read.drbd_show import _whole_number, read_drbd_show
from check_mccluster.read.drbd_status import DETAILS, read_drbd_status
from check_mccluster.read.errors import NotXml, ReadError, refuse_twice
from check_mccluster.read.xmlstream import (
    boolean,
    integer,
    label,
    records,
    required,
    score,
    time_of,
)
from test_read_cib import a_cib
from test_read_corosync import quorumtool

LONGEST = 4096
MOST = 18446744073709551615
"""The largest whole number of 64 bits."""
HUGE = 2.0**128


def both(value):
    """The two ways to read: object by object, and all of a kind at once."""
    members = Members({"key": value}, "it")
    table = Table([{"key": value}], lambda _: "it")
    return members, table


def refused(read, *arguments):
    with pytest.raises(ReadError) as error:
        read(*arguments)
    return str(error.value)


# -- members of objects ------------------------------------------------------------------------


def test_text_of_4096_characters_is_the_longest():
    members, table = both("x" * LONGEST)
    assert members.text("key") == "x" * LONGEST
    assert table.texts("key") == ["x" * LONGEST]
    members, table = both("x" * (LONGEST + 1))
    assert refused(members.text, "key") == "it: key has 4097 characters"
    assert refused(table.texts, "key") == "it: key has 4097 characters"


@pytest.mark.parametrize("text", ["a\nb", "a\ufffdb", "\x1b[1m"])
def test_text_that_cannot_be_printed(text):
    members, table = both(text)
    assert refused(members.text, "key").startswith("it: key ")
    assert refused(table.texts, "key").startswith("it: key ")


@pytest.mark.parametrize("value", [MOST, -MOST, 0])
def test_whole_number_of_64_bits(value):
    members, table = both(value)
    assert members.optional_integer("key") == value
    assert table.optional_integers("key") == [value]


@pytest.mark.parametrize("value", [MOST + 1, -MOST - 1, True, 1.0, "1"])
def test_what_is_no_whole_number_of_64_bits(value):
    members, table = both(value)
    assert refused(members.optional_integer, "key") == "it: key is not a whole number"
    assert refused(table.optional_integers, "key") == "it: key is not a whole number"


@pytest.mark.parametrize(("value", "right"), [(-1, False), (0, True), (7, True), (8, False)])
def test_number_with_a_largest_one(value, right):
    members, table = both(value)
    if right:
        assert members.integer("key", 7) == value
        assert table.integers("key", 7) == [value]
    else:
        assert refused(members.integer, "key", 7) == "it: key is out of range"
        assert refused(table.integers, "key", 7) == "it: key is out of range"


@pytest.mark.parametrize("value", [HUGE, -HUGE, 0, 1.5])
def test_quotient_of_counters(value):
    assert Members({"key": value}, "it").number("key") == value


@pytest.mark.parametrize("value", [math.nextafter(HUGE, math.inf), -2 * HUGE, True, "1.0"])
def test_number_that_is_no_quotient_of_counters(value):
    assert refused(Members({"key": value}, "it").number, "key") == "it: key is not a number"


def test_flags_by_every_word():
    for word, flag in (("yes", True), ("no", False), ("true", True), ("unknown", None)):
        members, table = both(word)
        assert members.flag("key") is flag
        assert table.flags("key") == [flag]
    for members, table in (both(None), both("maybe"), both(1)):
        assert refused(members.flag, "key") == "it: key is neither yes nor no"
        assert refused(table.flags, "key") == "it: key is neither yes nor no"


def test_key_that_is_not_there():
    members = Members({}, "it")
    table = Table([{}], lambda _: "it")
    assert members.flag("key") is members.optional_text("key") is members.number("key") is None
    assert table.flags("key") == table.optional_elements("key") == [None]
    for read in (members.text, members.integer, members.elements, members.demand):
        assert refused(read, "key") == "it: key is missing"
    for read in (table.texts, table.integers, table.elements, table.demand):
        assert refused(read, "key") == "it: key is missing"
    assert table.missing == {"key"}


def test_null_is_no_text_and_no_whole_number():
    members, _ = both(None)
    for read in (members.optional_text, members.optional_integer, members.demand_not_null):
        assert refused(read, "key") == "it: key is missing"
    assert members.number("key") is None
    members.demand_not_null("other")


def test_list_of_other_things_than_objects():
    assert refused(Table, [{}, []], lambda index: f"thing {index}") == "thing 1: not an object"
    assert refused(Members, [], "it") == "it: not an object"


@pytest.mark.parametrize("value", [{}, "x", 1])
def test_what_is_no_list(value):
    members, table = both(value)
    for read in (members.elements, members.optional_elements):
        assert refused(read, "key") == "it: key is not a list"
    for read in (table.elements, table.optional_elements):
        assert refused(read, "key") == "it: key is not a list"


def test_key_twice_and_a_thing_twice():
    assert distinct([("a", 1), ("b", 1)]) == {"a": 1, "b": 1}
    assert "the same key twice" in refused(distinct, [("a", 1), ("a", 1)])
    refuse_twice(["a", "b"], "node")
    assert refused(refuse_twice, ["a", "b", "a"], "node") == "node a is there twice"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[[", "cut off"),
        (b'[{"a": 1}, {', "cut off"),
        (b'{"a": [', "cut off"),
        (b"[]]", "not JSON"),
        (b"[1 2]", "not JSON"),
        (b"text [", "not JSON"),
        (b'["[[[" 1]', "not JSON"),
        (b"{}", "not drbdsetup's JSON: not a list"),
        (b"<a/>", "this is XML, not drbdsetup's JSON"),
        (b" # a comment\n", "not JSON"),
        (b"  \n", "empty output"),
    ],
)
def test_text_that_is_not_json(data, message):
    assert refused(decode, data) == message


# -- drbdsetup status --------------------------------------------------------------------------


def status(device=None, peer=None, connection=None, **resource):
    """One resource, read; what is given differs from a healthy one."""
    peers = [status_peer_device(**(peer or {}))]
    one = status_resource(
        devices=[status_device(**(device or {}))],
        connections=[status_connection(peer_devices=peers, **(connection or {}))],
        **resource,
    )
    (read,) = read_drbd_status(json.dumps([one]).encode())
    return read


NOT_FILLED = 9223372036854775807


@pytest.mark.parametrize("key", ["size", "read", "written", "al-writes", "bm-writes"])
@pytest.mark.parametrize("other", [{}, {"quorum": "yes"}])
def test_statistic_of_a_disk_that_the_kernel_did_not_fill_in(key, other):
    """A word for a flag is what old releases print: then every object is looked at by itself."""
    name = "size_kib" if key == "size" else {"read": "read_kib", "written": "written_kib"}.get(
        key, key.replace("-", "_")
    )  # fmt: skip
    for value, read in ((NOT_FILLED - 1, NOT_FILLED - 1), (NOT_FILLED, None), (0, 0)):
        (device,) = status(device={key: value, **other}).devices
        assert getattr(device, name) == read


@pytest.mark.parametrize("key", ["received", "sent", "out-of-sync"])
def test_statistic_of_a_peer_that_the_kernel_did_not_fill_in(key):
    name = f"{key.replace('-', '_')}_kib"
    for value, read in ((NOT_FILLED - 1, NOT_FILLED - 1), (NOT_FILLED, None), (0, 0)):
        (device,) = status(peer={key: value}).connections[0].peer_devices
        assert getattr(device, name) == read


@pytest.mark.parametrize("key", ["pending", "unacked"])
def test_statistic_of_32_bits_that_the_kernel_did_not_fill_in(key):
    for value, read in ((4294967294, 4294967294), (4294967295, None)):
        (device,) = status(peer={key: value}).connections[0].peer_devices
        assert getattr(device, key) == read


@pytest.mark.parametrize(
    ("percent", "read"),
    [(0.0, 0.0), (100.0, 100.0), (100.01, None), (-0.01, None), (-0.0, 0.0), (0, 0.0), (100, 100)],
)
def test_percentages(percent, read):
    (device,) = status(peer={"percent-in-sync": percent}).connections[0].peer_devices
    assert device.percent_in_sync == read
    assert not str(device.percent_in_sync).startswith("-")
    moving = {"has-sync-details": True, **dict.fromkeys(DETAILS, 0), "percent-resync-done": percent}
    (device,) = status(peer=moving).connections[0].peer_devices
    assert device.progress.percent_done == read


@pytest.mark.parametrize(
    ("seconds", "read"), [(0, 0), (987654320, 987654320), (987654321, None), (-1, None)]
)
def test_estimates(seconds, read):
    moving = {
        "has-sync-details": True,
        **dict.fromkeys(DETAILS, 0),
        "estimated-seconds-to-finish": seconds,
    }
    (device,) = status(peer=moving).connections[0].peer_devices
    assert device.progress.seconds_left == read


@pytest.mark.parametrize(("number", "read"), [(-1, None), (0, 0), (31, 31)])
def test_own_node_id(number, read):
    assert status(**{"node-id": number}).node_id == read


@pytest.mark.parametrize("number", [-2, 32])
def test_own_node_id_that_is_none(number):
    with pytest.raises(ReadError, match="node-id is out of range"):
        status(**{"node-id": number})


@pytest.mark.parametrize(("number", "right"), [(0, True), (31, True), (32, False), (-1, False)])
def test_node_id_of_a_peer(number, right):
    if right:
        one = status(connection={"peer-node-id": number})
        assert one.connections[0].peer_node_id == number
    else:
        with pytest.raises(ReadError, match="peer-node-id is out of range"):
            status(connection={"peer-node-id": number})


@pytest.mark.parametrize(("number", "right"), [(65535, True), (65536, False)])
def test_highest_volume(number, right):
    if right:
        assert status(device={"volume": number}).devices[0].volume == number
    else:
        with pytest.raises(ReadError, match="volume is out of range"):
            status(device={"volume": number})


# -- Corosync ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("length", "right"), [(4096, True), (4097, False)])
def test_line_of_4096_characters_is_the_longest(length, right):
    key = "totem.cluster_name (str) = "
    text = key + "x" * (length - len(key)) + "\n"
    if right:
        assert read_cmapctl(text).nodes == ()
    else:
        assert refused(read_cmapctl, text) == "a line of 4097 characters"


@pytest.mark.parametrize(("length", "told"), [(60, "x" * 60), (61, "x" * 60 + "...")])
def test_unknown_line_is_told_as_far_as_60_characters(length, told):
    text = "a (u32) = 1\n" + "x" * length + "\n"
    assert refused(read_cmapctl, text) == f"unknown line {told!r}"


@pytest.mark.parametrize("text", ["0", "10", "9" * 18])
def test_numbers_of_corosync(text):
    assert read_cmapctl(f"runtime.config.totem.token (u32) = {text}\n").token_ms == int(text)


@pytest.mark.parametrize("text", ["0x10", "0x123456789", "9" * 19, "-1", "1.0", ""])
def test_numbers_that_are_none(text):
    told = refused(read_cmapctl, f"runtime.config.totem.token (u32) = {text}\n")
    assert told == f"runtime.config.totem.token is {text!r}, not a number"


@pytest.mark.parametrize("node_id", ["0x", "0xapp01", "0x123456789"])
def test_node_id_that_is_no_hexadecimal_number_of_32_bits(node_id):
    table = f"    Nodeid      Votes Name\n{node_id}          1 app01 (local)\n"
    told = refused(read_quorumtool, quorumtool(nodes="1", table=table))
    assert told == f"Nodeid is {node_id!r}, not a number"


def test_voter_without_a_name_or_without_the_column_of_the_device():
    table = (
        "    Nodeid      Votes    Qdevice Name\n         1          1\n         2          1 A,V\n"
    )
    members = read_quorumtool(quorumtool(table=table)).members
    assert [(one.name, one.qdevice_flags) for one in members] == [("", None), ("", "A,V")]


def test_voter_with_an_id_alone():
    table = "    Nodeid      Votes Name\n         1\n"
    assert refused(read_quorumtool, quorumtool(table=table)) == "unknown line '1'"


def ring(number, *peers, local=1):
    lines = "".join(f"\t\tnodeid: {peer:>10}:\t{words}\n" for peer, words in peers)
    opening = f"Local node ID {local}, transport knet\n" if number == 0 else ""
    return f"{opening}LINK ID {number} udp\n\taddr\t= 10.0.0.1\n\tstatus:\n{lines}"


ME, YOU, HER = (1, "localhost"), (2, "connected"), (3, "connected")


def test_links_that_tell_of_the_same_nodes():
    assert len(read_cfgtool(ring(0, ME, YOU) + ring(1, ME, YOU)).links) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ring(0, ME, YOU) + ring(1, ME), "cut off: link 1 tells of 1 nodes, not 2"),
        (ring(0, ME, YOU) + ring(1, ME, HER), "link 1 and link 0 tell of other nodes"),
        (ring(0, ME) + ring(1, ME, HER), "link 1 and link 0 tell of other nodes"),
        (ring(0, YOU, HER), "cut off: link 0 does not tell of this node"),
        (ring(0, ME, YOU, YOU), "link 0 to node 2 is there twice"),
        (ring(0), "link 0 without a state"),
    ],
)
def test_links_that_are_cut_off(text, message):
    assert refused(read_cfgtool, text) == message


# -- XML ---------------------------------------------------------------------------------------


def element(**attributes):
    words = " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())
    stream = io.BytesIO(f"<root><one {words}/></root>".encode())
    return next(each for path, each in records(stream, "tool", ["root"], [("one",)]) if path)


def test_name_of_4096_characters_is_the_longest():
    assert required(element(id="x" * LONGEST), "id") == "x" * LONGEST
    too_long = element(id="x" * (LONGEST + 1))
    assert refused(required, too_long, "id") == "one: id has 4097 characters"
    assert label(element(name="a\nb")) == "one a b"


@pytest.mark.parametrize(("length", "told"), [(40, "x" * 40), (41, "x" * 40 + "...")])
def test_wrong_word_is_told_as_far_as_40_characters(length, told):
    message = refused(boolean, element(id="a", managed="x" * length), "managed")
    assert message == f"one a: managed is {told!r}, not true or false"


@pytest.mark.parametrize(
    ("text", "value"),
    [("12ms", 12), ("12", 12), ("-1ms", -1), ("9" * 18, 10**18 - 1)],
)
def test_number_with_a_unit(text, value):
    assert integer(element(interval=text), "interval", "ms") == value


@pytest.mark.parametrize("text", ["ms", "1s", "", "9" * 19, "1.5"])
def test_number_that_is_none(text):
    assert "not a number" in refused(integer, element(interval=text), "interval", "ms")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("INFINITY", 1000000),
        ("+INFINITY", 1000000),
        ("-INFINITY", -1000000),
        ("999999", 999999),
        ("-5", -5),
        ("5000000", 1000000),
        ("-5000000", -1000000),
    ],
)
def test_scores(text, value):
    assert score(element(score=text), "score") == value


def test_attributes_that_are_not_there():
    one = element(id="a")
    assert boolean(one, "managed") is integer(one, "interval") is score(one, "score") is None
    assert refused(required, one, "name") == "one a without name"


class Slow:
    """A pipe that gives a byte at a time."""

    def __init__(self, data):
        self.data = data

    def read(self, _size, /):
        first, self.data = self.data[:1], self.data[1:]
        return first


def test_text_that_arrives_byte_by_byte_is_quoted_as_far_as_200_characters():
    with pytest.raises(NotXml) as error:
        list(records(Slow(b"  Could not " + b"x" * 300), "tool", ["root"], [("one",)]))
    assert error.value.text == "Could not " + "x" * 190


@pytest.mark.parametrize("opening", [b"{", b"["])
def test_json_is_not_xml(opening):
    assert refused(list, records(io.BytesIO(opening), "tool", ["root"], [("one",)])) == (
        "this is JSON, not tool's XML"
    )


def test_elements_within_elements_without_end_are_refused():
    text = f"<root><one>{'<a>' * 300}{'</a>' * 300}</one></root>".encode()
    told = refused(list, records(io.BytesIO(text), "tool", ["root"], [("one",)]))
    assert told.startswith("not well-formed XML: Excessive depth")


def test_empty_line_in_the_table_of_voters():
    table = "    Nodeid      Votes Name\n\n         1          2 app01\n\n"
    (one,) = read_quorumtool(quorumtool(nodes="1", table=table)).members
    assert (one.node_id, one.name) == (1, "app01")


@pytest.mark.parametrize("key", ["name", "suspended", "devices", "connections", "node-id"])
def test_resource_without_what_every_release_prints(key):
    one = status_resource()
    del one[key]
    with pytest.raises(ReadError, match=f"{key} is missing"):
        read_drbd_status(json.dumps([one]).encode())


# -- what a reader falls back to ---------------------------------------------------------------


@pytest.mark.parametrize("separator", ["X", "/", "t"])
def test_time_with_another_letter_between_day_and_hour_is_none(separator):
    assert time_of(f"2026-11-22{separator}09:02:55Z") is None
    assert time_of("2026/11/22 09:02:55Z") is None


@pytest.mark.parametrize("zone", ["*0100", "+ab:cd", "+01:0", "+01", "+0100:00", "+-1:00"])
def test_time_with_a_zone_that_is_none(zone):
    assert time_of(f"2026-11-22 09:02:55 {zone}") is None


@pytest.mark.parametrize(
    ("key", "resource"),
    [
        ("FS_monitor_10000", "FS"),
        ("my_FS_monitor_10000", "my_FS"),
        ("id", "id"),
        ("_monitor_10000", None),
        ("FS_start_0", "FS"),
        ("nothing", None),
    ],
)
def test_resource_of_a_failed_operation(key, resource):
    if resource is None:
        with pytest.raises(ReadError, match="no operation"):
            _resource_of(key, "_monitor_10000")
    else:
        assert _resource_of(key, "_monitor_10000") == resource


@pytest.mark.parametrize(
    ("of_all", "own", "score_"),
    [("", "", 0), ('score="7"', "", 7), ('score="7"', 'score="0"', 0), ("", 'score="5"', 5)],
)
def test_score_of_a_set_is_its_own_else_that_of_the_constraint(of_all, own, score_):
    text = (
        f'<rsc_colocation id="sets" {of_all}><resource_set id="x" {own}><resource_ref id="a"/>'
        '<resource_ref id="b"/></resource_set></rsc_colocation>'
    )
    (found,) = a_cib(constraints=text).colocations
    assert found.score == score_


@pytest.mark.parametrize(
    ("code", "words"), [(0, "no outcome of a simulation"), (1, "no outcome of a simulation: bad")]
)
def test_simulation_without_an_outcome_tells_the_tools_error(code, words):
    text = (
        '<pacemaker-result api-version="2.25" request="crm_simulate"><status code="{}"'
        ' message="bad"/></pacemaker-result>'
    )
    assert refused(read_crm_simulate, io.BytesIO(text.format(code).encode())) == words


def test_element_of_a_simulation_needs_no_message():
    text = document(element_of_simulation(name="FS", on="app02"))
    found = read_crm_simulate(io.BytesIO(text.encode()))
    assert found.running["FS"] == {"app02": Role.STARTED}


@pytest.mark.parametrize(
    ("words", "number"), [("1234567890", 1234567890), ("0", 0), ("12345678901", None), ("-1", None)]
)
def test_option_of_drbd_that_is_a_number_has_ten_digits(words, number):
    options = Members({"key": words}, "it")
    if number is None:
        assert refused(_whole_number, options, "key") == "it: key is not a number"
    else:
        assert _whole_number(options, "key") == number


@pytest.mark.parametrize("key", DETAILS)
@pytest.mark.parametrize("value", [0, -1])
def test_time_of_a_resync_is_not_negative(key, value):
    """It may be what tells that the resync stands still; one may lose blocks while it runs."""
    details = {**dict.fromkeys(DETAILS, 1), "has-sync-details": True, key: value}
    one = status_resource(
        connections=[status_connection(peer_devices=[status_peer_device(**details)])]
    )
    data = json.dumps([one]).encode()
    if value < 0 and key.endswith("-ms"):
        assert refused(read_drbd_status, data).endswith(f": {key} is out of range")
    else:
        assert len(read_drbd_status(data)) == 1


@pytest.mark.parametrize("key", ["congested", "peer_devices", "peer-role", "connection-state"])
def test_key_of_a_connection_that_every_release_prints(key):
    one = status_resource()
    del one["connections"][0][key]
    said = refused(read_drbd_status, json.dumps([one]).encode())
    assert said.endswith(f": {key} is missing")


@pytest.mark.parametrize(("total", "wrong"), [(2, False), (3, False), (1, True), (4, True)])
def test_votes_add_up_with_and_without_the_device(total, wrong):
    """One that does not answer casts none."""
    table = (
        "    Nodeid      Votes    Qdevice Name\n"
        "         1          1    A,V,NMW app01 (local)\n"
        "         2          1    A,V,NMW app02\n"
        "         0          1            Qdevice\n"
    )
    text = quorumtool(table=table).replace("Total votes:      2", f"Total votes:      {total}")
    if wrong:
        assert refused(read_quorumtool, text) == f"2 votes listed, Total votes says {total}"
    else:
        assert read_quorumtool(text).total == total


def test_options_of_the_volumes_of_a_connection():
    """Whether a bitmap is kept is told, and is none of them."""
    volumes = """"volumes": [{"volume_nr": 0, "disk": {"bitmap": true, "c-max-rate": "100"}},
        {"volume_nr": 1, "disk": {"bitmap": false}}],"""
    (one,) = read_drbd_show(show(connections=show_connection(volumes=volumes)))
    (peer,) = one.connections
    assert peer.of_volumes == {"0 c-max-rate": "100"}
    assert (peer.replica_volumes, peer.client_volumes) == ((0,), (1,))


def test_key_that_comes_with_a_release_is_in_every_part_of_a_large_document(monkeypatch):
    """Each resource is larger than the 64 KiB that are decoded at once, and read by itself."""
    monkeypatch.setattr(drbd_json, "BLOCK", 1)
    volumes = range(400)
    status = [
        status_resource(
            name=name, devices=[status_device(volume=number, minor=number) for number in volumes]
        )
        for name in ("r0", "r1")
    ]
    assert all(len(json.dumps(one)) > 65536 for one in status)
    assert len(read_drbd_status(json.dumps(status, indent=4).encode())) == 2
    for each in status[1]["devices"]:
        del each["quorum"]
    said = refused(read_drbd_status, json.dumps(status, indent=4).encode())
    assert said == "quorum is there 400 times, not 800"


def test_nodes_after_a_loss_that_only_the_actions_tell():
    """Where the state after it is not printed."""
    nodes = "".join(
        f'<node name="{name}" online="{str(online).lower()}"/>'
        for name, online in (("app01", True), ("app02", True), ("app03", False))
    )
    found = read_crm_simulate(
        io.BytesIO(
            result(
                f"<cluster_status><nodes>{nodes}</nodes><resources/></cluster_status>"
                '<modifications><modify_node action="Offline" node="app01"/></modifications>'
                "<actions/>"
            ).encode()
        )
    )
    assert (found.offline, found.online) == (("app01",), ("app02",))
