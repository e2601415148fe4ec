"""What only both ends of a connection, or several nodes together, can tell: constructed meshes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from build import NOW, view_of
from build_drbd import (
    STORAGES,
    away,
    client_device,
    connection,
    device,
    peer_device,
    resource,
    shown,
    shown_connection,
)
from check_mccluster.checks.cluster import together
from check_mccluster.model.drbd import ConnectionState, DiskState, ReplicationState, Role
from check_mccluster.verdict.finding import Report
from check_mccluster.verdict.view import Asked, Judgement

ALONE = ConnectionState.STANDALONE


def node(name, *resources, seconds=0, show=None, **answers):
    """A node that was asked, *seconds* later than others, and found nothing by itself."""
    time = NOW + timedelta(seconds=seconds)
    return Judgement(view_of(name, time, drbd=resources, show=show, **answers), Report())


def mesh(*changed, names=STORAGES, of=("r0",), **about):
    """Storage servers that are connected to each other; *changed* are ``(node, connection)``.

    :param about: by node what differs of it as it was asked: ``storage01={"seconds": 5}``.
    """
    seen = []
    for name in names:
        others = {each.name: each for where, each in changed if where == name}
        peers = [others.get(peer, connection(peer)) for peer in names if peer != name]
        resources = [resource(*peers, name=each) for each in of]
        seen.append(node(name, *resources, **about.get(name, {})))
    return seen


def told(seen):
    """Each finding of the whole as its key, its object and its nodes."""
    return [(each.key, each.object, each.nodes) for each in together(seen, {}, Asked()).findings]


def texts(seen):
    return [each.text for each in together(seen, {}, Asked()).findings]


def down(one, two, state=ConnectionState.CONNECTING, other=None):
    """A connection that is down, as both ends say."""
    return (one, away(two, state)), (two, away(one, other or state))


# -- connections -------------------------------------------------------------------------------


def test_mesh_that_is_whole_has_no_finding():
    assert told(mesh()) == []


def test_one_connection_that_is_down_is_named_by_both_ends_with_what_to_look_at():
    (found,) = together(mesh(*down("storage01", "storage02")), {}, Asked()).findings
    assert (found.key, found.object) == ("peer-connecting", "r0 storage01-storage02")
    assert found.text.endswith("Connecting at both ends")
    assert found.next_step.startswith("both are up. on storage01: drbdsetup show r0")


def test_connection_of_which_one_end_was_asked_is_not_said_to_be_up_at_both():
    seen = mesh(("storage01", away("storage02")))[:1]
    seen += mesh()[2:]
    (found,) = (f for f in together(seen, {}, Asked()).findings if f.key == "peer-connecting")
    assert "both" not in found.text + found.next_step


def test_connection_that_one_end_calls_connected_is_disputed():
    seen = mesh(("storage01", away("storage02")))
    assert told(seen) == [
        ("connection-disputed", "r0 storage01-storage02", ("storage01", "storage02"))
    ]


def test_connection_with_one_end_standing_alone_does_not_come_back_by_itself():
    seen = mesh(*down("storage01", "storage02", ALONE, ConnectionState.CONNECTING))
    assert told(seen) == [("peer-standalone", "r0 storage01-storage02", ("storage01", "storage02"))]


def test_another_resource_that_connects_the_same_nodes_shows_that_the_hosts_are_up():
    seen = [
        node(
            name,
            resource(*(away(peer) if {name, peer} == {*STORAGES[:2]} else connection(peer)
                       for peer in STORAGES if peer != name)),
            resource(*(connection(peer) for peer in STORAGES if peer != name), name="r1"),
        )
        for name in STORAGES
    ]  # fmt: skip
    assert texts(seen) == [
        "r0 storage01-storage02: Connecting at both ends: only r0's port or resource"
    ]


FOUR = ("storage01", "storage02", "storage03", "storage04")


def test_host_with_two_of_three_connections_down_is_cut_off_from_those():
    seen = mesh(*down("storage01", "storage02"), *down("storage01", "storage03"), names=FOUR)
    assert told(seen) == [("peer-connecting", "storage01", ("storage01",))]
    assert texts(seen) == ["storage01 is cut off from storage02, storage03 (r0)"]


def test_host_with_two_of_three_connections_down_and_one_standing_alone():
    seen = mesh(*down("storage01", "storage02", ALONE), *down("storage01", "storage03"), names=FOUR)
    assert told(seen) == [("peer-standalone", "storage01", ("storage01",))]


def test_host_that_was_asked_and_reaches_nobody_is_isolated():
    seen = mesh(*down("storage01", "storage02"), *down("storage01", "storage03"))
    assert told(seen) == [("mesh-isolated", "storage01", ("storage01",))]


def test_two_resources_between_two_nodes_are_no_isolation():
    """With one peer nobody can tell whose network it is."""
    seen = mesh(*down("storage01", "storage02"), names=STORAGES[:2], of=("r0", "r1"))
    assert told(seen) == [("peer-connecting", "storage01", ("storage01",))]
    assert texts(seen) == ["storage01 is cut off from storage02 (r0, r1)"]


@pytest.mark.parametrize(("count", "named"), [(3, "r0, r1, r2"), (4, "r0, r1 and 2 more")])
def test_resources_of_a_host_that_is_cut_off_are_counted_from_the_fourth_on(count, named):
    of = tuple(f"r{number}" for number in range(count))
    two = mesh(*down("storage01", "storage02"), names=STORAGES[:2], of=of)
    assert texts(two) == [f"storage01 is cut off from storage02 ({named})"]
    three = mesh(*down("storage01", "storage02"), *down("storage01", "storage03"), of=of)
    assert texts(three) == [
        f"storage01 reaches none of storage02, storage03 ({named}): its network"
    ]


def test_host_that_was_not_asked_and_that_one_node_misses_is_one_finding_about_it():
    seen = mesh(("storage01", away("storage03")), ("storage02", away("storage03")))[:2]
    (found,) = together(seen, {}, Asked()).findings
    assert (found.key, found.object, found.reason) == (
        "peer-connecting", "storage03", "drbd-node-lost",
    )  # fmt: skip


def test_two_pairs_that_are_down_are_two_findings():
    seen = mesh(*down("storage01", "storage02"), *down("storage03", "storage04"), names=FOUR)
    assert [about for _, about, _ in told(seen)] == [
        "r0 storage01-storage02", "r0 storage03-storage04",
    ]  # fmt: skip


# -- split brain -------------------------------------------------------------------------------


def diverged(disks=(DiskState.UP_TO_DATE,) * 2, blocks=(4, 4), states=(ALONE, ALONE)):
    """Two nodes with a connection that is down, with disks and blocks that the other lacks."""
    one, two = STORAGES[:2]
    ends = ((one, two), (two, one))
    return [
        node(
            name,
            resource(
                connection(peer, peer_device(out_of_sync_kib=kib), state=state),
                devices=(device(disk_state=disk),),
            ),
        )
        for (name, peer), disk, kib, state in zip(ends, disks, blocks, states)
    ]


@pytest.mark.parametrize(
    "disks",
    [
        (DiskState.UP_TO_DATE, DiskState.UP_TO_DATE),
        (DiskState.UP_TO_DATE, DiskState.OUTDATED),
        (DiskState.CONSISTENT, DiskState.UP_TO_DATE),
    ],
)
@pytest.mark.parametrize("states", [(ALONE, ALONE), (ALONE, ConnectionState.CONNECTING)])
def test_copies_with_changes_at_both_ends_that_stand_alone_are_a_split_brain(disks, states):
    assert [key for key, _, _ in told(diverged(disks, states=states))] == ["split-brain"]


@pytest.mark.parametrize(
    "differs",
    [
        {"blocks": (0, 4)},
        {"blocks": (4, 0)},
        {"disks": (DiskState.INCONSISTENT, DiskState.UP_TO_DATE)},
        {"disks": (DiskState.UP_TO_DATE, DiskState.INCONSISTENT)},
        {"states": (ConnectionState.CONNECTING, ConnectionState.CONNECTING)},
    ],
)
def test_copies_of_which_one_has_nothing_that_the_other_lacks_have_not_diverged(differs):
    assert "split-brain" not in [key for key, _, _ in told(diverged(**differs))]


def test_split_brain_is_not_told_by_one_end():
    assert "split-brain" not in [key for key, _, _ in told(diverged()[:1])]


def test_split_brain_of_the_second_volume_and_a_volume_that_one_end_lacks():
    one, two = STORAGES[:2]
    seen = [
        node(
            name,
            resource(
                connection(
                    peer,
                    *(peer_device(volume, out_of_sync_kib=4 * volume) for volume in volumes),
                    state=ALONE,
                ),
                devices=tuple(map(device, volumes)),
            ),
        )
        for name, peer, volumes in ((one, two, (0, 1)), (two, one, (0, 1, 2)))
    ]
    assert [key for key, _, _ in told(seen)] == ["split-brain"]


# -- options -----------------------------------------------------------------------------------


def with_net(*nets, state=ConnectionState.CONNECTED, options=({}, {}, {})):
    """Storage servers with a section ``net`` each; their connections are in *state*."""
    seen = []
    for name, net, own in zip(STORAGES, nets, options):
        peers = [peer for peer in STORAGES[: len(nets)] if peer != name]
        show = shown("r0", *(shown_connection(peer, net=net) for peer in peers), options=own)
        made = connection if state is ConnectionState.CONNECTED else lambda p: away(p, state)
        seen.append(node(name, resource(*map(made, peers)), show=(show,)))
    return seen


@pytest.mark.parametrize(
    ("state", "grave"),
    [(ALONE, "CRITICAL"), (ConnectionState.CONNECTING, "WARNING")],
)
def test_option_that_differs_explains_a_connection_that_is_down_and_is_told_once(state, grave):
    seen = with_net({"verify-alg": "sha1"}, {"verify-alg": "crc32c"}, state=state)
    (found,) = together(seen, {}, Asked()).findings
    assert (found.key, found.state.name, found.reason) == ("config-differs", grave, "verify-alg")
    assert "'sha1' on storage01 and 'crc32c' on storage02" in found.text


def test_the_second_option_that_differs_is_told_beside_the_one_that_explains():
    seen = with_net({"a": "1", "b": "1"}, {"a": "2", "b": "2"}, state=ALONE)
    found = together(seen, {}, Asked()).findings
    assert [(each.reason, each.object) for each in found] == [
        ("a", "r0 storage01-storage02"), ("b", "r0"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "option", ["transport", "sndbuf-size", "rcvbuf-size", "tcp-cork", "load-balance-paths"]
)
def test_options_that_concern_one_end_may_differ(option):
    assert told(with_net({option: "1"}, {option: "2"})) == []


def test_option_that_only_one_end_tells_does_not_differ():
    assert told(with_net({"verify-alg": "sha1"}, {})) == []


def test_option_of_the_resource_that_differs_is_of_the_node_that_is_alone_with_it():
    options = ({"quorum": "off"}, {"quorum": "majority"}, {"quorum": "majority"})
    seen = with_net({}, {}, {}, options=options)
    assert told(seen) == [("config-differs", "r0", ("storage01",))]
    assert texts(seen) == ["r0: quorum is 'majority' on storage02, storage03, 'off' on storage01"]


def test_option_of_which_no_value_leads_is_of_all_nodes():
    seen = with_net({}, {}, options=({"quorum": "off"}, {"quorum": "majority"}))
    assert told(seen) == [("config-differs", "r0", ("storage01", "storage02"))]


def test_option_of_two_values_that_lead_and_one_that_does_not_is_of_all_nodes():
    options = ({"quorum": "off"}, {"quorum": "majority"}, {"quorum": "1"})
    assert told(with_net({}, {}, {}, options=options)) == [("config-differs", "r0", STORAGES)]


# -- copies ------------------------------------------------------------------------------------


def counting(kib, **changes):
    return connection("storage02", peer_device(out_of_sync_kib=kib, **changes))


@pytest.mark.parametrize(("seconds", "keys"), [(5, ["disk-disputed"]), (6, [])])
def test_ends_that_were_asked_apart_do_not_contradict_each_other(seconds, keys):
    seen = mesh(("storage01", counting(8)), storage02={"seconds": seconds})
    assert [key for key, _, _ in told(seen)] == keys


@pytest.mark.parametrize("who", [0, 1])
def test_blocks_that_only_one_of_two_good_ends_counts_are_told(who):
    one, other = STORAGES[who], STORAGES[1 - who]
    seen = mesh((one, connection(other, peer_device(out_of_sync_kib=8))))
    (text,) = texts(seen)
    assert text.endswith(f"both ends are UpToDate, and only {one} counts blocks out of sync")


def test_blocks_that_both_ends_count_are_no_contradiction():
    seen = mesh(
        ("storage01", counting(8)),
        ("storage02", connection("storage01", peer_device(out_of_sync_kib=8))),
    )
    assert "disk-disputed" not in [key for key, _, _ in told(seen)]


@pytest.mark.parametrize("who", [0, 1])
def test_disk_that_the_other_end_calls_otherwise_is_told(who):
    one, other = STORAGES[who], STORAGES[1 - who]
    seen = mesh((one, connection(other, peer_device(peer_disk_state=DiskState.OUTDATED))))
    (text,) = texts(seen)
    assert text.endswith(f"{other} calls its disk UpToDate, {one} calls it Outdated")


def test_disk_state_that_nobody_knows_is_no_contradiction():
    seen = mesh(("storage01", connection("storage02", peer_device(peer_disk_state="Odd"))))
    assert told(seen) == []


@pytest.mark.parametrize("who", [0, 1])
@pytest.mark.parametrize(
    ("state", "blocks", "stuck"),
    [
        (ReplicationState.SYNC_TARGET, (8, 8), True),
        (ReplicationState.SYNC_TARGET, (0, 8), False),
        (ReplicationState.SYNC_TARGET, (8, 0), False),
        (ReplicationState.WF_BITMAP_T, (0, 0), True),
    ],
)
def test_resync_that_one_end_knows_nothing_of(who, state, blocks, stuck):
    one, other = STORAGES[who], STORAGES[1 - who]
    mine = peer_device(out_of_sync_kib=blocks[0], replication_state=state)
    its = peer_device(out_of_sync_kib=blocks[1])
    seen = mesh((one, connection(other, mine)), (other, connection(one, its)))
    found = [text for text in texts(seen) if "knows nothing of it" in text]
    assert [f"on {one}, and {other} knows" in text for text in found] == [True] * stuck


# -- clients, roles ----------------------------------------------------------------------------


def client_among(says, bitmap, disk=DiskState.DISKLESS):
    """app01 with two peers that keep a bitmap for it, or do not."""
    own = client_device(client=says, disk_state=disk)
    peers = STORAGES[:2]
    app = node("app01", resource(*map(connection, peers), devices=(own,)))
    at_peer = peer_device(peer_client=not bitmap, peer_disk_state=DiskState.DISKLESS)
    return [app, *(node(p, resource(connection("app01", at_peer))) for p in peers)]


@pytest.mark.parametrize(
    ("says", "bitmap", "disputed"),
    [(True, True, True), (True, False, False), (False, True, False), (None, True, False)],
)
def test_client_for_which_peers_keep_a_bitmap(says, bitmap, disputed):
    found = [each for each in told(client_among(says, bitmap)) if each[0] == "client-disputed"]
    assert found == [("client-disputed", "r0/0", ("app01",))] * disputed


def primary(name, peer, seconds=0, state=ConnectionState.CONNECTING, role=Role.UNKNOWN, **more):
    one = connection(peer, state=state, peer_role=role)
    return node(name, resource(one, role=Role.PRIMARY), seconds=seconds, **more)


@pytest.mark.parametrize(("seconds", "both"), [(0, True), (5, True), (6, False)])
def test_two_that_each_say_that_they_are_primary_at_the_same_time(seconds, both):
    seen = [primary("storage01", "storage02"), primary("storage02", "storage01", seconds)]
    found = [each for each in told(seen) if each[0] == "primary-multiple"]
    assert found == [("primary-multiple", "r0", ("storage01", "storage02"))] * both


@pytest.mark.parametrize("allowed", [True, False])
def test_two_primaries_that_one_of_them_allows(allowed):
    show = (shown("r0", shown_connection("storage02", allow_two_primaries=allowed)),)
    seen = [primary("storage01", "storage02", show=show), primary("storage02", "storage01")]
    assert ("primary-multiple" in [key for key, _, _ in told(seen)]) is not allowed


@pytest.mark.parametrize(
    ("state", "role", "in_turn"),
    [
        (ConnectionState.CONNECTED, Role.SECONDARY, True),
        (ConnectionState.CONNECTED, Role.PRIMARY, False),
        (ConnectionState.CONNECTING, Role.SECONDARY, False),
    ],
)
def test_primary_that_sees_the_other_as_secondary_was_it_in_turn(state, role, in_turn):
    seen = [
        primary("storage01", "storage02", state=state, role=role),
        primary("storage02", "storage01", state=state, role=role),
    ]
    assert ("primary-multiple" in [key for key, _, _ in told(seen)]) is not in_turn


def test_node_without_the_resource_that_others_connect_to():
    seen = [*mesh()[:2], node("storage03")]
    assert told(seen) == [("mesh-incomplete", "r0", ("storage03",))]
    assert texts(seen)[0].startswith("r0: storage03 does not have the resource")


def test_node_without_a_peer_that_connects_to_it():
    seen = [*mesh()[:2], node("storage03", resource(connection("storage01")))]
    assert told(seen) == [("mesh-incomplete", "r0", ("storage03",))]
    assert texts(seen)[0].startswith("r0: storage03 does not have the peer storage02")


def test_node_whose_drbd_could_not_be_read_is_not_said_to_lack_a_resource():
    seen = [*mesh()[:2], Judgement(view_of("storage03", NOW), Report())]
    assert told(seen) == []
