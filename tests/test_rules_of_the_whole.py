"""What only both ends of a connection, or several nodes together, can tell: constructed meshes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from build import NAMES, NOW, cib, cluster, cmap, on_drbd, primitive, stopped, view_of
from build import node as pacemaker_node
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
from check_mccluster.checks import registry
from check_mccluster.checks.cluster import together
from check_mccluster.inputs.crm_mon import INSTALLED
from check_mccluster.inputs.drbdsetup import DRBD, nothing_up
from check_mccluster.judge import engine
from check_mccluster.judge.one_fault import NOT_JOINED
from check_mccluster.judge.partitions import partitions
from check_mccluster.judge.whole import on_nodes, told_by_all
from check_mccluster.model.corosync import ConfiguredNode
from check_mccluster.model.drbd import ConnectionState, DiskState, ReplicationState, Role
from check_mccluster.model.pacemaker import Filesystem
from check_mccluster.model.pacemaker import Role as PacemakerRole
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import Kind, Report, State, finding
from check_mccluster.verdict.problems import TOOL_DENIED
from check_mccluster.verdict.view import Answer, Asked, Judgement, View

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


@pytest.mark.parametrize(
    ("one", "other", "first", "then"),
    [
        (ALONE, ConnectionState.CONNECTING, ("storage01", "r0:storage02"), ""),
        (ConnectionState.CONNECTING, ALONE, ("storage02", "r0:storage01"), ""),
        (
            ALONE,
            ALONE,
            ("storage01", "r0:storage02"),
            "storage02, too: drbdadm connect r0:storage01",
        ),
    ],
)
def test_connection_that_stands_alone_is_connected_where_it_gave_up(one, other, first, then):
    (found,) = together(mesh(*down("storage01", "storage02", one, other)), {}, Asked()).findings
    where, what = first
    assert found.next_step.startswith(f"on {where}: journalctl -k -g Split-Brain; if it finds")
    assert f"nothing: drbdadm connect {what}; where" in found.next_step
    assert found.next_step.endswith(
        f"; it is StandAlone at both ends: on {then}" if then else "why"
    )


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
    (found,) = together(seen, {}, Asked()).findings
    assert found.next_step.startswith("on storage01: journalctl -k -g Split-Brain; if it finds")
    assert "drbdadm connect r0:storage02;" in found.next_step


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
    assert found.text == (
        "storage03 is connected to nobody that was asked (r0): the host or its network"
    )


def test_two_pairs_that_are_down_are_two_findings():
    seen = mesh(*down("storage01", "storage02"), *down("storage03", "storage04"), names=FOUR)
    assert [about for _, about, _ in told(seen)] == [
        "r0 storage01-storage02", "r0 storage03-storage04",
    ]  # fmt: skip


def with_copies_of(name, *resources, **answers):
    """A node with what its own checks of DRBD say."""
    evidence = view_of(name, NOW, drbd=resources, **answers)
    checks = (registry.load(check) for check in ("drbd-quorum", "drbd-disk", "drbd-mesh"))
    found = [f for check in checks for f in engine.report(check, evidence, Asked()).findings]
    return Judgement(evidence, Report(tuple(found)))


def client_of_storages(name, *gone):
    """A client whose connections to some nodes are down, with what it says of that."""
    others = [each for each in (*STORAGES, "app01", "app02") if each != name]
    peers = [away(each) if each in gone else connection(each) for each in others]
    quorum = len(gone) < 2
    own = client_device(quorum=quorum)
    return with_copies_of(name, resource(*peers, devices=(own,)))


def quorum_step(seen):
    found = together(seen, {}, Asked()).findings
    (one,) = [each for each in found if each.key == "drbd-quorum-lost"]
    return one.next_step


def test_copies_that_no_client_reaches_are_looked_for_where_they_are():
    seen = [client_of_storages(name, *STORAGES) for name in ("app01", "app02")]
    assert quorum_step(seen).startswith(
        "no node reaches storage01, storage02, storage03: power, network; on storage01,"
    )


def test_copies_that_no_client_reaches_are_told_without_clients_that_are_cut_off_as_well():
    gone = {"app01": (*STORAGES, "app02"), "app02": (*STORAGES, "app01")}
    seen = [client_of_storages(name, *gone[name]) for name in gone]
    assert quorum_step(seen).startswith("no node reaches storage01, storage02, storage03: power")


def test_copies_that_the_only_client_that_tells_does_not_reach_may_be_there():
    seen = [client_of_storages("app01", *STORAGES), Judgement(view_of("app02", NOW), Report())]
    assert quorum_step(seen).startswith("all are out of reach of app01: on app01:")


def test_quorum_of_each_resource_is_brought_back_on_the_node_that_lost_it():
    """app01 lost that of r0, app02 that of r1."""
    seen = []
    for name, lost in (("app01", "r0"), ("app02", "r1")):
        own = []
        for each in ("r0", "r1"):
            gone = STORAGES[1:] if each == lost else ()
            peers = [away(peer) if peer in gone else connection(peer) for peer in STORAGES]
            own.append(resource(*peers, name=each, devices=(client_device(quorum=not gone),)))
        seen.append(with_copies_of(name, *own))
    for name in STORAGES:
        others = [connection(each) for each in STORAGES if each != name]
        to_apps = [
            [away(app) if name in STORAGES[1:] and app == lost else connection(app)
             for app in ("app01", "app02")]
            for lost in ("app01", "app02")
        ]  # fmt: skip
        own = [resource(*others, *to, name=each) for each, to in zip(("r0", "r1"), to_apps)]
        seen.append(node(name, *own))
    found = together(seen, {}, Asked()).findings
    steps = {each.object: each.next_step for each in found if each.key == "drbd-quorum-lost"}
    words = "storage02, storage03 are up, the way there is not: on"
    assert steps["r0/0"].startswith(f"{words} app01: ")
    assert steps["r1/0"].startswith(f"{words} app02: ")


def test_copies_that_one_of_two_clients_reaches_are_not_gone():
    seen = [client_of_storages("app01", *STORAGES), client_of_storages("app02")]
    assert quorum_step(seen).startswith("all are out of reach of app01: on app01:")


@pytest.mark.parametrize(("gave_up", "up"), [(False, True), (True, False)])
def test_storages_that_answered_are_not_asked_whether_they_are_up(gave_up, up):
    """One that gave up on its own is connected there, whatever the network."""
    gone = ("storage02", "storage03")
    seen = [client_of_storages("app01", *gone)]
    for name in STORAGES:
        others = [each for each in STORAGES if each != name]
        state = ALONE if gave_up and name == "storage03" else ConnectionState.CONNECTING
        to_app = away("app01", state) if name in gone else connection("app01")
        seen.append(node(name, resource(*map(connection, others), to_app)))
    words = "storage02, storage03 are up, the way there is not: on app01: "
    assert quorum_step(seen).startswith(words) is up


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


def test_split_brain_of_two_copies_is_told_by_their_connection():
    assert texts(diverged()) == [
        "r0 storage01-storage02: split brain, both copies have changed (StandAlone at both ends)"
    ]


def test_split_brains_of_two_resources_are_two():
    seen = []
    for name, peer in (STORAGES[:2], STORAGES[1::-1]):
        apart = connection(peer, peer_device(out_of_sync_kib=4), state=ALONE)
        seen.append(node(name, *(resource(apart, name=each) for each in ("r0", "r1"))))
    assert texts(seen) == [
        f"{each} storage01-storage02: split brain, both copies have changed (StandAlone at both"
        " ends)"
        for each in ("r0", "r1")
    ]


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
    assert "sha1 on storage01 and crc32c on storage02" in found.text


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


@pytest.mark.parametrize(
    ("option", "differs"),
    [("resync-rate", False), ("c-max-rate", False), ("c-min-rate", False), ("bitmap-size", True)],
)
def test_speed_of_a_resync_is_up_to_the_node_that_is_resynchronised(option, differs):
    """Of volumes with two digits, too: what stands before it is the number."""
    seen = []
    for name, peer, value in (("storage01", "storage02", "1"), ("storage02", "storage01", "2")):
        options = shown("r0", shown_connection(peer, of_volumes={f"12 {option}": value}))
        seen.append(node(name, resource(connection(peer)), show=(options,)))
    assert bool(told(seen)) is differs


def test_option_that_only_one_end_tells_does_not_differ():
    assert told(with_net({"verify-alg": "sha1"}, {})) == []


def test_option_of_the_resource_that_differs_is_of_the_node_that_is_alone_with_it():
    options = ({"quorum": "off"}, {"quorum": "majority"}, {"quorum": "majority"})
    seen = with_net({}, {}, {}, options=options)
    assert told(seen) == [("config-differs", "r0", ("storage01",))]
    assert texts(seen) == ["r0: quorum is majority on storage02, storage03, off on storage01"]


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


def split_from_two(role=Role.PRIMARY, lonely=True):
    """storage03 has diverged from two others that a client uses."""
    changed = peer_device(out_of_sync_kib=4, peer_disk_state=DiskState.D_UNKNOWN)
    apart = [connection(name, changed, state=ALONE) for name in STORAGES]
    app = connection("app01", peer_role=role)
    rest = [
        node("storage01", resource(connection("storage02"), apart[2], app)),
        node("storage02", resource(connection("storage01"), apart[2], app)),
    ]
    to_app = away("app01", ALONE) if lonely else connection("app01")
    return [*rest, node("storage03", resource(apart[0], apart[1], to_app))]


def test_copy_that_has_diverged_from_two_others_is_one_split_brain_with_its_victim():
    (one,) = [each for each in together(split_from_two(), {}, Asked()).findings if is_split(each)]
    assert (one.object, one.nodes) == ("r0", ("storage03", "storage01", "storage02"))
    assert one.text == (
        "r0: split brain between storage03 and storage01, storage02: their copies have both"
        " changed; storage03 reaches nobody, app01 (Primary) uses storage01, storage02"
    )
    assert one.next_step == (
        "compare the copies before: are the data of storage03 needed? Where they are not, on"
        " storage03: drbdadm disconnect r0; drbdadm secondary r0; drbdadm connect"
        " --discard-my-data r0; then on storage01, storage02, app01: drbdadm connect r0:storage03"
    )


def test_copy_that_has_diverged_from_ten_others_is_told_in_short():
    names = [f"s{number:02}" for number in range(1, 12)]
    *others, odd = names
    apart = {"peer_disk_state": DiskState.D_UNKNOWN, "out_of_sync_kib": 4}
    seen = []
    for name in names:
        peers = [
            connection(each, peer_device(**apart), state=ALONE)
            if odd in (name, each)
            else connection(each, peer_role=Role.PRIMARY if each == "s01" else Role.SECONDARY)
            for each in names
            if each != name
        ]
        role = Role.PRIMARY if name == "s01" else Role.SECONDARY
        seen.append(node(name, resource(*peers, role=role)))
    (one,) = [each for each in together(seen, {}, Asked()).findings if is_split(each)]
    assert one.text == (
        "r0: split brain between s11 and s01, s02, s03, s04 and 6 more: their copies have both"
        " changed; s11 reaches nobody, s01 (Primary) uses s01, s02 and 8 more"
    )
    eight = ", ".join(others[:8])
    assert one.next_step.endswith(f"; then on {eight} and 2 more: drbdadm connect r0:s11")


@pytest.mark.parametrize("differs", [{"role": Role.SECONDARY}, {"lonely": False}])
def test_victim_of_a_split_brain_is_not_named_where_nothing_shows_it(differs):
    seen = split_from_two(**differs)
    (one,) = [each for each in together(seen, {}, Asked()).findings if is_split(each)]
    assert one.text.endswith("their copies have both changed")
    assert "which is newer is not known from here" in one.next_step


def is_split(each):
    return each.key == "split-brain"


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


def bitmap_for_client(keeping, peers):
    """What is said of the client app01, for which the first so many of its peers keep a bitmap."""
    names = [f"storage0{number}" for number in range(1, peers + 1)]
    kept = peer_device(peer_client=False, peer_disk_state=DiskState.DISKLESS)
    app = node("app01", resource(*map(connection, names), devices=(client_device(),)))
    at = {name: connection("app01", kept) for name in names[:keeping]}
    seen = [app, *(node(p, resource(at.get(p, connection("app01")))) for p in names)]
    (one,) = [f for f in together(seen, {}, Asked()).findings if f.key == "client-disputed"]
    return one


def test_bitmap_that_few_peers_keep_for_a_client_is_theirs_to_correct():
    one = bitmap_for_client(1, 3)
    assert one.text == (
        "r0/0: app01 calls itself a client, storage01 keeps a bitmap, as for a replica; the other"
        " nodes do not"
    )
    assert one.next_step.startswith("on storage01: drbdadm dump r0: app01 has no disk there")


@pytest.mark.parametrize("peers", [3, 4])
def test_bitmap_that_half_of_the_peers_keep_may_be_right(peers):
    one = bitmap_for_client(2, peers)
    assert one.text == "r0/0: app01 calls itself a client, storage01, storage02 keep a bitmap"
    assert one.next_step.startswith("on app01: drbdadm dump r0; if it has a disk there: ")


def primary(name, peer, seconds=0, state=ConnectionState.CONNECTING, role=Role.UNKNOWN, **more):
    one = connection(peer, state=state, peer_role=role)
    return node(name, resource(one, role=Role.PRIMARY), seconds=seconds, **more)


@pytest.mark.parametrize(("seconds", "both"), [(0, True), (5, True), (6, False)])
def test_two_that_each_say_that_they_are_primary_at_the_same_time(seconds, both):
    seen = [primary("storage01", "storage02"), primary("storage02", "storage01", seconds)]
    found = [each for each in told(seen) if each[0] == "primary-multiple"]
    assert found == [("primary-multiple", "r0", ("storage01", "storage02"))] * both


def test_two_primaries_are_one_fault_with_the_connection_that_lacks_between_them():
    seen = [primary("storage01", "storage02"), primary("storage02", "storage01")]
    (fault,) = together(seen, {}, Asked()).faults
    assert fault.text == "r0: storage01 and storage02 are both Primary, not connected to each other"
    assert [each.key for each in fault.follows] == ["peer-connecting"]


def test_two_primaries_that_are_connected_and_see_each_other_as_one():
    """Another resource between them is down: it is not meant."""
    seen = []
    for name, peer in (STORAGES[:2], STORAGES[1::-1]):
        linked = resource(connection(peer, peer_role=Role.PRIMARY), role=Role.PRIMARY)
        seen.append(node(name, linked, resource(away(peer), name="r1")))
    assert "r0: storage01 and storage02 are both Primary" in texts(seen)


def test_two_primaries_are_told_with_the_service_that_runs_on_them():
    """Not with one of another resource, nor with one that runs nowhere."""
    known = cluster(resources=(primitive("A"), stopped("B"), primitive("C", "app02")))
    names = ("r1", "r0", "r0")
    systems = tuple(
        Filesystem(each, f"/dev/drbd/by-res/{name}/0", f"/srv/{each}")
        for each, name in zip("ABC", names)
    )
    there = {"cluster": known, "cib": cib(filesystems=systems)}
    assert texts([primary("app01", "app02", **there), primary("app02", "app01")])[0] == (
        "r0: app01 and app02 are both Primary, not connected to each other; C runs on app02"
    )


@pytest.mark.parametrize("where", [stopped("FS"), primitive("OTHER")])
def test_two_primaries_whose_service_runs_nowhere_are_told_alone(where):
    there = {"cluster": cluster(resources=(where,)), "cib": on_drbd()}
    assert texts([primary("app01", "app02", **there), primary("app02", "app01")])[0] == (
        "r0: app01 and app02 are both Primary, not connected to each other"
    )


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


def nothing_up_on(name):
    """A node that says itself that no resource of DRBD is up there."""
    own = nothing_up(("r0",))
    nothing = view_of(name, NOW, drbd=Answer(None, (own,)))
    return Judgement(nothing, Report((own,)))


def test_node_that_says_that_nothing_is_up_is_not_said_to_be_cut_off():
    """Its own word goes before the others': no network is at fault, nor is it told twice."""
    seen = [*mesh(*down("storage03", "storage01"), *down("storage03", "storage02"))[:2]]
    (fault,) = together([*seen, nothing_up_on("storage03")], {}, Asked()).faults
    assert (fault.cause.key, fault.cause.nodes) == ("drbd-empty", ("storage03",))
    assert fault.text == "storage03: no DRBD resource is up; expected: r0"
    assert fault.cause.next_step == "on storage03: drbdadm status; drbdadm up r0"


@pytest.mark.parametrize("empty", [True, False])
def test_connection_of_a_node_that_says_that_nothing_is_up_is_not_told(empty):
    """Where its tool failed nobody knows whether the resource is up there."""
    seen = [*mesh(*down("storage03", "storage01"), *down("storage03", "storage02"))[:2]]
    other = said("tool-failed", subject.tool("drbdsetup"))
    silent = Judgement(view_of("storage03", NOW, drbd=Answer(None, (other,))), Report((other,)))
    keys = [key for key, *_ in told([*seen, nothing_up_on("storage03") if empty else silent])]
    assert ("peer-connecting" in keys) is not empty


def test_node_whose_drbd_could_not_be_read_is_not_said_to_reach_nobody():
    """It answered: its host is up, and whether it reaches somebody only it knows."""
    seen = [*mesh(*down("storage03", "storage01"), *down("storage03", "storage02"))[:2]]
    silent = Judgement(view_of("storage03", NOW), Report())
    found = told([*seen, silent])
    assert found == [("peer-connecting", "storage03", ("storage03",))]
    assert texts([*seen, silent])[0].endswith("its host answers, DRBD there does not tell")


# -- each thing by the word of who knows it ----------------------------------------------------


def kind(key, state=State.WARNING):
    return Kind(key, state, "a meaning", "a step")


def said(key, about, text="it is so", state=State.WARNING, nodes=()):
    return finding(kind(key, state), about, text, nodes=nodes)


def saying(name, *findings, seconds=0, known=None, resources=()):
    """A node that found something by itself; with *known* it was asked about Pacemaker."""
    answers = {"drbd": resources} if known is None else {"drbd": resources, "cluster": known}
    seen = view_of(name, NOW + timedelta(seconds=seconds), **answers)
    return Judgement(seen, Report(tuple(findings)))


def whole(*seen):
    """What each thing is worth for the whole: key, object, nodes, text."""
    told_of = told_by_all(seen, partitions(seen))
    return [(each.key, each.object, each.nodes, each.text) for each in told_of]


R0 = subject.volume("r0", 0)


def test_a_disk_is_told_by_its_own_node_and_once_for_all_that_say_it():
    words = "r0/0: Failed on storage01, 1 s ago"
    seen = [saying(name, said("disk-failed", R0, words)) for name in STORAGES]
    assert whole(*seen) == [
        (
            "disk-failed",
            "r0/0",
            STORAGES,
            "r0/0: Failed on storage01, storage02, storage03, 1 s ago",
        )
    ]
    assert whole(seen[0]) == [("disk-failed", "r0/0", ("storage01",), words)]


def test_of_a_node_that_a_text_names_twice_the_first_is_that_of_all():
    """What stands behind is of the one node in whose words it is told."""
    words = "r0/0: Failed on storage01, by the log of storage01"
    seen = [saying(name, said("disk-failed", R0, words)) for name in STORAGES]
    ((*_, text),) = whole(*seen)
    assert text == "r0/0: Failed on storage01, storage02, storage03, by the log of storage01"


def test_disks_that_several_nodes_lost_are_looked_at_on_each():
    nodes = STORAGES[:2]
    lost = device(disk_state=DiskState.DISKLESS)
    seen = [with_copies_of(name, resource(devices=(lost,))) for name in nodes]
    (one,) = [each for each in told_by_all(seen, ()) if each.key == "disk-lost"]
    assert one.next_step.startswith("on storage01, storage02: journalctl -k -g drbd")


@pytest.mark.parametrize(
    ("key", "step", "told_as"),
    [
        ("disk-lost", "on storage01: look", "on storage01, storage02: look"),
        ("disk-failed", "on storage01: grep storage01", "on storage01, storage02: grep storage01"),
        ("disk-lost", "look at storage01", "look at storage01"),
        ("disk-outdated", "on storage01: look", "on storage01: look"),
    ],
)
def test_step_of_a_disk_is_typed_on_each_node_that_lost_its_own(key, step, told_as):
    one = said(key, R0, "r0/0: no disk on storage01")._replace(next_step=step)
    (found,) = told_by_all([saying(name, one) for name in STORAGES[:2]], ())
    assert found.next_step == told_as


def test_of_several_states_of_one_thing_the_gravest_is_told():
    seen = [
        saying("storage01", said("disk-failed", R0, "mild")),
        saying("storage02", said("disk-failed", R0, "grave", State.CRITICAL)),
    ]
    (one,) = told_by_all(seen, ())
    assert (one.state, one.text) == (State.CRITICAL, "grave; on storage01, storage02")


@pytest.mark.parametrize("key", ["peer-connecting", "peer-standalone", "mesh-isolated"])
def test_connections_are_judged_anew(key):
    about = subject.connection("r0", "storage01", "storage02")
    assert whole(saying("storage01", said(key, about))) == []


def test_what_is_ok_is_not_told():
    assert whole(saying("storage01", said("disk-failed", R0, state=State.OK))) == []


PACEMAKERS = subject.resource("FS")


def test_pacemakers_word_is_that_of_the_controller():
    """app02 is the controller, and says nothing."""
    known = cluster(dc="app02")
    seen = (saying("app01", said("resource-stopped", PACEMAKERS), known=known),
            saying("app02", known=known))  # fmt: skip
    assert whole(*seen) == []
    by_speaker = (saying("app01", known=known),
                  saying("app02", said("resource-stopped", PACEMAKERS), known=known))  # fmt: skip
    assert [key for key, *_ in whole(*by_speaker)] == ["resource-stopped"]


def test_node_that_cannot_ask_pacemaker_is_heard():
    seen = (saying("app01", known=cluster()), saying("db01", said("some-key", PACEMAKERS)))
    assert [key for key, *_ in whole(*seen)] == ["some-key"]


@pytest.mark.parametrize(
    "key",
    ["here-not-ready", "started-without-io", "role-unexpected", "link-faulty", "link-down",
     "peer-unreachable", "tool-failed"],
)  # fmt: skip
def test_what_each_node_knows_best_is_heard_beside_the_controller(key):
    seen = (saying("app01", known=cluster()),
            saying("app02", said(key, subject.node("app02")), known=cluster()))  # fmt: skip
    assert [each for each, *_ in whole(*seen)] == [key]


def test_tool_that_fails_alike_on_several_nodes_is_one_finding_with_the_step_for_all():
    seen = [
        saying(name, said("tool-failed", subject.tool("crm_mon"), f"crm_mon fails on {name}"))
        for name in STORAGES
    ]
    (one,) = told_by_all(seen, ())
    assert (one.object, one.nodes) == (", ".join(STORAGES), STORAGES)
    assert one.text == "storage01, storage02, storage03: crm_mon fails on storage01"
    assert one.next_step == "on storage01, storage02, storage03: a step"


def test_tools_that_fail_differently_are_two_findings():
    seen = [
        saying(name, said("tool-failed", subject.tool("crm_mon"), f"error {number}"))
        for number, name in enumerate(STORAGES[:2])
    ]
    assert [about for _, about, *_ in whole(*seen)] == ["storage01", "storage02"]


def test_rights_that_lack_are_one_finding_whatever_the_tool():
    seen = [
        saying(name, said("tool-denied", subject.tool(tool), f"{tool}: not allowed"))
        for name, tool in zip(STORAGES, ("crm_mon", "cibadmin", "drbdsetup"))
    ]
    assert [(key, nodes) for key, _, nodes, _ in whole(*seen)] == [("tool-denied", STORAGES)]


def denied(tool, line=""):
    return finding(TOOL_DENIED, subject.tool(tool), f"{tool}: refused by sudo{line}")


LINE = "; sudoers needs: nagios ALL=(root) NOPASSWD: crm_mon"


@pytest.mark.parametrize(
    ("tools", "silent", "text"),
    [
        (("crm_mon",), (), f"storage01: crm_mon: refused by sudo{LINE}"),
        (("crm_mon", "cibadmin"), (), "storage01: crm_mon, cibadmin: refused by sudo"),
        (("crm_mon",), ("cibadmin",), "storage01: crm_mon, cibadmin: refused by sudo"),
    ],
    ids=["one", "two", "one-that-no-check-reads"],
)
def test_line_of_sudoers_is_told_where_one_tool_lacks_it(tools, silent, text):
    """Of several the step names the file that has them all."""
    seen = view_of("storage01", NOW, cib=Answer(None, tuple(denied(tool, LINE) for tool in silent)))
    one = Judgement(seen, Report(tuple(denied(tool, LINE) for tool in tools)))
    (found,) = told_by_all([one], ())
    assert found.text == text


@pytest.mark.parametrize(
    ("count", "names"),
    [(9, "n0, n1, n2, n3, n4, n5, n6, n7, n8"), (10, "n0, n1, n2, n3, n4, n5, n6, n7 and 2 more")],
)
def test_nodes_that_look_as_one_whose_pacemaker_does_not_run_are_counted(count, names):
    others = [f"n{number}" for number in range(1, count)]
    stopped = said("pacemaker-down", subject.tool("pacemaker"), "Pacemaker does not run")
    missed = (
        said("node-offline", subject.node(name), f"{name} is offline; {NOT_JOINED}", nodes=(name,))
        for name in others
    )
    seen = (saying("n0", stopped), saying("app01", *missed, known=cluster()))
    (found,) = (each for each in told_by_all(seen, partitions(seen)) if each.key != "node-offline")
    assert found.text.startswith(f"{names}: Pacemaker does not run (n1, ")
    assert (found.object, found.nodes) == (names, ("n0", *others))
    assert found.next_step == f"on {names}: a step"


def test_input_that_is_about_a_volume_keeps_it_as_its_object():
    seen = [saying(name, said("output-invalid", R0, "an odd word")) for name in STORAGES[:2]]
    assert whole(*seen) == [
        ("output-invalid", "r0/0", STORAGES[:2], "storage01, storage02: an odd word")
    ]


@pytest.mark.parametrize(
    ("count", "names"),
    [(9, "n0, n1, n2, n3, n4, n5, n6, n7, n8"), (10, "n0, n1, n2, n3, n4, n5, n6, n7 and 2 more")],
)
@pytest.mark.parametrize("about", [subject.tool("crm_mon"), R0])
def test_nodes_of_one_input_are_counted_from_the_tenth_on(count, names, about):
    seen = [saying(f"n{number}", said("tool-failed", about, "fails")) for number in range(count)]
    (one,) = told_by_all(seen, ())
    assert one.text == f"{names}: fails"
    assert one.next_step == f"on {names}: a step"


def test_a_step_that_names_its_node_stays_as_it_is():
    assert on_nodes(("a",), "on b: a step") == "on b: a step"
    assert on_nodes((), "a step") == "a step"
    assert on_nodes(("a",), "Once more") == "on a: once more"


# -- copies ------------------------------------------------------------------------------------


def low(name="storage01", volume=0):
    return said("copies-low", subject.volume("r0", volume), nodes=("storage03",))


@pytest.mark.parametrize("seconds", [1, 0, -1])
@pytest.mark.parametrize("key", [None, "copies-low", "copies-none", "drbd-quorum-lost"])
@pytest.mark.parametrize("volume", [0, 1])
def test_copy_that_a_node_asked_later_sees_is_of_the_past(seconds, key, volume):
    later = [said(key, subject.volume("r0", volume))] if key else []
    seen = (
        saying("storage01", low(), resources=(resource(name="r0"),)),
        saying("storage02", *later, seconds=seconds, resources=(resource(name="r0"),)),
    )
    past = seconds > 0 and (key is None or volume == 1)
    told_of = [each for each in whole(*seen) if each[:2] == ("copies-low", "r0/0")]
    assert bool(told_of) is not past


@pytest.mark.parametrize("resources", [(), (resource(name="r1"),)])
def test_node_without_the_resource_says_nothing_of_its_copies(resources):
    seen = (saying("storage01", low()), saying("storage02", seconds=9, resources=resources))
    assert [key for key, *_ in whole(*seen)] == ["copies-low"]


def test_quorum_and_copies_are_of_who_is_missing():
    seen = [
        saying(name, said("copies-none", R0, "no copy", nodes=("storage03",)))
        for name in STORAGES[:2]
    ]
    assert whole(*seen) == [
        ("copies-none", "r0/0", ("storage03",), "no copy; on storage01, storage02")
    ]


def test_copies_that_are_low_are_of_every_node_that_somebody_misses():
    seen = [
        saying(here, said("copies-low", R0, "low", nodes=(gone,)))
        for here, gone in (("storage01", "storage02"), ("storage02", "storage01"))
    ]
    assert whole(*seen) == [("copies-low", "r0/0", ("storage02", "storage01"), "low")]


def out_of_sync(here, *others, text="blocks"):
    return saying(here, said("out-of-sync", subject.volume("r0", 0), text, nodes=others))


@pytest.mark.parametrize(
    ("seen", "nodes", "text"),
    [
        (
            [out_of_sync("a", "c"), out_of_sync("b", "c")],
            ("c",),
            "blocks; c differs from the others",
        ),
        ([out_of_sync("a", "c", text="blocks; none with b"), out_of_sync("b", "c")],
         ("c",), "blocks; c differs from the others"),
        ([out_of_sync("a", "b")], ("a", "b"), "blocks"),
        ([out_of_sync("a", "b"), out_of_sync("b", "c"), out_of_sync("c", "a")],
         ("a", "b", "c"), "blocks"),
        ([out_of_sync("a", "b"), out_of_sync("a", "b"), out_of_sync("a")], ("a", "b"), "blocks"),
    ],
)  # fmt: skip
def test_of_several_copies_the_one_that_most_ends_name_is_odd(seen, nodes, text):
    assert whole(*seen) == [("out-of-sync", "r0/0", nodes, text)]


# -- Corosync and properties -------------------------------------------------------------------


def unreachable(here, *peers):
    return saying(here, *(said("peer-unreachable", subject.node(p), nodes=(p,)) for p in peers))


def test_links_that_have_one_end_in_common_are_the_others_word_about_it():
    seen = (unreachable("a", "c"), unreachable("b", "c"), unreachable("c", "a", "b"))
    assert whole(*seen) == [("peer-unreachable", "c", ("c",), "it is so")]


def test_links_that_only_their_common_end_tells_are_told_by_it():
    assert [about for _, about, *_ in whole(unreachable("c", "a", "b"))] == ["a", "b"]


def test_links_without_a_common_end_are_told_by_all():
    seen = (unreachable("a", "b"), unreachable("c", "d"))
    assert [about for _, about, *_ in whole(*seen)] == ["b", "d"]


def test_one_link_that_both_ends_tell_has_two_ends_in_common():
    assert [about for _, about, *_ in whole(unreachable("a", "b"), unreachable("b", "a"))] == [
        "b", "a",
    ]  # fmt: skip


def test_other_findings_of_the_end_that_is_cut_off_stay():
    alone = saying("c", said("disk-failed", R0), said("peer-unreachable", subject.node("a")))
    seen = (unreachable("a", "c"), unreachable("b", "c"), alone)
    assert {key for key, *_ in whole(*seen)} == {"disk-failed", "peer-unreachable"}


def test_resources_that_are_disabled_one_by_one_are_told_one_by_one():
    stopped = [said("resource-disabled", subject.resource(name)) for name in ("FS", "IP")]
    found = whole(saying("app01", *stopped, known=cluster()))
    assert [about for _, about, *_ in found] == ["FS", "IP"]


# -- partitions and views ----------------------------------------------------------------------


def seeing(name, *online, dc="app01", seconds=0, quorate=True, resources=()):
    nodes = [pacemaker_node(each, online=each in online) for each in ("app01", "app02", "app03")]
    known = cluster(nodes, resources, dc=dc, quorate=quorate)
    seen = view_of(name, NOW + timedelta(seconds=seconds), cluster=known)
    return Judgement(seen, Report())


EVERYBODY = ("app01", "app02", "app03")


@pytest.mark.parametrize(("seconds", "stale"), [(2, True), (3, False), (-2, True), (-3, False)])
def test_view_that_differs_at_the_same_time_is_stale(seconds, stale):
    seen = [seeing("app01", *EVERYBODY), seeing("app02", "app01", "app02", seconds=seconds)]
    found = [each for each in told(seen) if each[0] == "view-stale"]
    assert found == [("view-stale", "app02", ("app02",))] * stale


@pytest.mark.parametrize(
    ("online", "dc", "stale"),
    [(EVERYBODY, "app01", False), (EVERYBODY, "app02", True), (EVERYBODY[:2], "app01", True)],
)
def test_view_with_another_controller_or_other_members_is_stale(online, dc, stale):
    seen = [seeing("app01", *EVERYBODY), seeing("app02", *online, dc=dc)]
    assert ("view-stale" in [key for key, *_ in told(seen)]) is stale


def test_members_that_exclude_each_other_are_partitions_and_may_run_a_service_twice():
    seen = [
        seeing("app01", "app01", "app03", resources=(primitive("FS", "app01"),)),
        seeing("app02", "app02", dc="app02", quorate=False, resources=(primitive("FS", "app02"),)),
    ]
    assert told(seen) == [
        ("service-twice", "FS", ("app02", "app01")),
        ("partitioned", "partitions", EVERYBODY),
    ]
    assert texts(seen)[1] == (
        "the cluster is partitioned: {app01, app03} quorate, runs FS and {app02} no quorum, runs FS"
    )


@pytest.mark.parametrize("role", [PacemakerRole.STOPPING, PacemakerRole.STOPPED])
def test_service_that_still_stops_in_another_partition_is_there_twice(role):
    leaving = primitive("FS", "app02", role)
    seen = [
        seeing("app01", "app01", resources=(primitive("FS", "app01"),)),
        seeing("app02", "app02", dc="app02", quorate=False, resources=(leaving,)),
    ]
    twice = "service-twice" in [key for key, *_ in told(seen)]
    assert twice is (role is PacemakerRole.STOPPING)


@pytest.mark.parametrize(("off", "words"), [(3.4, "3 s ahead"), (-2.6, "3 s behind")])
def test_clock_that_is_off(off, words):
    (found,) = together(mesh(), {}, Asked(), {"storage02": off}).findings
    assert (found.key, found.object, found.nodes) == (
        "clocks-differ", "storage02", ("storage02",),
    )  # fmt: skip
    assert found.text.endswith(words)


def test_node_that_could_not_be_asked():
    whole_report = together(mesh(), {"storage04": "no route"}, Asked())
    (found,) = whole_report.findings
    assert (found.key, found.object, found.nodes) == ("node-unasked", "storage04", ("storage04",))
    asked, faults = whole_report.figures
    assert (asked.label, asked.value, asked.minimum, asked.maximum) == ("nodes_asked", 3, 0, 4)
    assert (faults.label, faults.value, faults.minimum) == ("faults", 1, 0)
    assert whole_report.summary == "3 of 4 nodes asked"


# -- values that should be equal ---------------------------------------------------------------


def test_of_many_values_three_are_told_and_all_but_the_first_are_odd():
    seen = [
        node(name, cmap=cmap(token_ms=value))
        for name, value in zip("abcdef", (1000, 1000, 3000, 3000, 4000, 5000))
    ]
    (found,) = together(seen, {}, Asked()).findings
    assert (found.key, found.object) == ("config-differs", "token")
    assert found.nodes == ("c", "d", "e", "f")
    assert found.text == (
        "Corosync's token is 1000 ms on a, b, 3000 ms on c, d, 4000 ms on e, 5000 ms on f"
    )
    more = [*seen, node("g", cmap=cmap(token_ms=6000))]
    assert texts(more)[0].endswith("4000 ms on e and 2 more")


@pytest.mark.parametrize(
    ("option", "values", "words"),
    [
        ("consensus", (1200, 2400), "1200 ms on a, 2400 ms on b"),
        ("expected_votes", (0, 3), "0 on a, 3 on b"),
    ],
)
def test_values_of_corosync_that_must_be_equal(option, values, words):
    name = {"consensus": "consensus_ms"}.get(option, option)
    seen = [node(each, cmap=cmap(**{name: value})) for each, value in zip("ab", values)]
    assert texts(seen) == [f"Corosync's {option} is {words}"]


def test_value_that_a_node_does_not_tell_is_not_another():
    assert told([node("a", cmap=cmap(token_ms=1000)), node("b", cmap=cmap()), node("c")]) == []


def test_node_lists_that_differ_are_told_by_names_or_ids():
    entries = [ConfiguredNode(1, "app01", 1), ConfiguredNode(2, None, 1)]
    seen = [node("a", cmap=cmap(nodes=entries)), node("b", cmap=cmap(nodes=entries[:1]))]
    assert texts(seen) == ["Corosync's nodelist is 2, app01 on a, app01 on b"]


# -- facts -------------------------------------------------------------------------------------


def test_who_changed_what_last_is_told_as_the_designated_controller_has_it():
    def seen_by(name, user):
        known = cluster(dc="app02")
        summary = known.summary._replace(changed=NOW, changed_by=user)
        found = said("node-standby", subject.node("app03"), "app03 is in standby", nodes=("app03",))
        view = view_of(name, NOW, cluster=known._replace(summary=summary))
        return Judgement(view, Report((found,)))

    (fault,) = together([seen_by("app01", "anna"), seen_by("app02", "ben")], {}, Asked()).faults
    assert fault.facts == ("configuration changed 09:00:00 UTC (0 s ago) by ben",)


# -- quorum and use of DRBD --------------------------------------------------------------------


def losing(name, lost, key="drbd-quorum-lost"):
    findings = [said(key, R0, "lost", nodes=("storage09",))] if lost else []
    seen = view_of(name, NOW, drbd=(resource(name="r0"),))
    return Judgement(seen, Report(tuple(findings)))


@pytest.mark.parametrize("key", ["drbd-quorum-lost", "copies-none"])
@pytest.mark.parametrize(("losers", "theirs"), [(1, True), (2, True), (3, False)])
def test_quorum_that_up_to_half_lost_is_theirs_and_else_of_who_is_missing(key, losers, theirs):
    names = ("a", "b", "c", "d")
    seen = [losing(name, number < losers, key) for number, name in enumerate(names)]
    assert told(seen) == [(key, "r0/0", names[:losers] if theirs else ("storage09",))]


def idle(replicas, clients, *, missing=False, primary=False, installed=False):
    """A mesh without Pacemaker, as its first storage server sees it."""
    peers = [connection(f"s{number}") for number in range(1, replicas)]
    at_client = peer_device(peer_client=True, peer_disk_state=DiskState.DISKLESS)
    peers += [connection(f"c{number}", at_client) for number in range(clients)]
    if missing:
        peers[0] = away("s1")
    role = Role.PRIMARY if primary else Role.SECONDARY
    answers = {DRBD: Answer((resource(*peers, role=role),)), INSTALLED: Answer(installed)}
    return [Judgement(View("s0", NOW, answers), Report())]


@pytest.mark.parametrize(
    ("seen", "unused"),
    [
        (idle(3, 2), True),
        (idle(5, 2), True),
        (idle(7, 3), True),
        (idle(3, 1), False),
        (idle(2, 2), False),
        (idle(4, 2), False),
        (idle(6, 2), False),
        (idle(8, 2), False),
        (idle(3, 2, missing=True), False),
        (idle(3, 2, primary=True), False),
        (idle(3, 2, installed=True), False),
    ],
)
def test_mesh_with_more_clients_than_a_tie_breaker_is_there_to_be_used(seen, unused):
    found = together(seen, {"c0": "no route to host"}, Asked()).findings
    assert ("primary-none" in [each.key for each in found]) is unused


def test_what_the_smaller_partition_says_of_resources_is_not_the_clusters_truth():
    small = saying("app02", said("resource-stopped", PACEMAKERS), known=cluster(
        [pacemaker_node(each, online=each == "app02") for each in EVERYBODY], dc="app02",
        quorate=False,
    ))  # fmt: skip
    large = saying("app01", known=cluster(
        [pacemaker_node(each, online=each != "app02") for each in EVERYBODY]
    ))  # fmt: skip
    assert whole(large, small) == []


@pytest.mark.parametrize(
    ("names", "text", "told_as"),
    [
        (("n01",), "it fails", "it fails"),
        (("n01", "n02"), "fails on n01, n02", "fails on n01, n02"),
        (("n01", "n02"), "disk of n01 is lost", "disk of n01, n02 is lost"),
        (("n01", "n02"), "no copy from n01, not n03", "no copy from n01, n02, not n03"),
        (("n01", "n02"), "it fails", "it fails; on n01, n02"),
    ],
)
def test_nodes_that_say_the_same_are_named_once(names, text, told_as):
    seen = [saying(name, said("disk-failed", R0, text)) for name in names]
    assert [words for *_, words in whole(*seen)] == [told_as]


@pytest.mark.parametrize(
    ("key", "name", "told_by"),
    [
        ("node-offline", "app02", ["app02"]),
        ("node-offline", "app01", ["app01"]),
        ("node-standby", "app02", ["app01"]),
    ],
)
def test_node_that_says_of_itself_that_it_is_out_is_heard_before_the_others(key, name, told_by):
    """app01 is the controller."""
    seen = [
        saying(here, said(key, subject.node(name), here, nodes=(name,)), known=cluster())
        for here in ("app01", "app02")
    ]
    assert [text for *_, text in whole(*seen)] == told_by


def test_volume_that_one_end_does_not_replicate_is_no_contradiction():
    two = connection("storage02", peer_device(0), peer_device(1))
    assert told(mesh(("storage01", two))) == []


# -- the whole in short ------------------------------------------------------------------------


def asked_of(*seen, unasked=(), clocks=None, **severities):
    """The report of these nodes; *unasked* are those that gave no answer."""
    asked = Asked(severities=severities)
    return together(seen, dict.fromkeys(unasked, "no answer"), asked, clocks or {})


def test_how_many_nodes_were_asked_and_what_is_well():
    seen = [node(name, mesh()[number].view[DRBD].value[0]) for number, name in enumerate(STORAGES)]
    judged = asked_of(*seen)
    assert judged.summary.startswith("3 of 3 nodes asked: ")
    assert asked_of(*seen, unasked=("app01",)).summary == "3 of 4 nodes asked"
    assert [fault.seen_from for fault in asked_of(*seen, unasked=("app01",)).faults] == [STORAGES]


@pytest.mark.parametrize(("state", "limit"), [(State.OK, ""), (State.WARNING, "4:"), (None, "4:")])
def test_nodes_that_may_be_silent_have_no_limit(state, limit):
    severities = {} if state is None else {"node-unasked": state}
    judged = asked_of(*mesh(), unasked=("app01",), **severities)
    (figure,) = [each for each in judged.figures if each.label == "nodes_asked"]
    assert (figure.value, figure.maximum, figure.warning) == (3, 4, limit)


def test_clocks_that_are_ahead_or_behind():
    judged = asked_of(*mesh(), clocks={"storage01": 12.4, "storage02": -0.6, "storage03": 0.9})
    assert [f.text for f in judged.findings] == [
        "the clock of storage01 is 12 s ahead",
        "the clock of storage02 is 1 s behind",
        "the clock of storage03 is 1 s ahead",
    ]


@pytest.mark.parametrize(("offline", "who"), [(("app03",), "app01, app02"), (NAMES, "nobody")])
def test_node_that_counts_other_members_than_the_controller_is_stale(offline, who):
    theirs = [pacemaker_node(name, online=name not in offline) for name in NAMES]
    seen = (saying("app01", known=cluster()), saying("app02", known=cluster(theirs)))
    (text,) = [f.text for f in asked_of(*seen).findings if f.key == "view-stale"]
    assert text == f"app02 counts {who} as online, app01 app01, app02, app03"


@pytest.mark.parametrize(
    ("key", "losers", "nodes"),
    [
        ("drbd-quorum-lost", 1, ("storage01",)),
        ("copies-none", 1, ("storage01",)),
        ("drbd-quorum-lost", 2, ("app01",)),
    ],
)
def test_quorum_that_most_lost_is_of_who_is_missing(key, losers, nodes):
    """Lost by some, it is theirs."""
    seen = []
    for number, name in enumerate(STORAGES):
        lost = number < losers
        peers = [connection(each) for each in STORAGES if each != name] + [away("app01")]
        one = resource(*peers, devices=(device(quorum=not lost),))
        found = said(key, R0, state=State.CRITICAL, nodes=("app01",))
        seen.append(saying(name, *[found] * lost, resources=(one,)))
    (judged,) = [f for f in asked_of(*seen).findings if f.key == key]
    assert judged.nodes == nodes
