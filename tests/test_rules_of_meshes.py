"""Steps for DRBD's copies, what is left after a loss, and both ends of connections: constructed."""

from __future__ import annotations

import pytest

from build import cluster, drbd, on_drbd, primitive, report
from build import peer as drbd_peer
from build import view as cluster_view
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
    view,
)
from check_mccluster.checks.cluster import together
from check_mccluster.inputs.drbdsetup import DRBD
from check_mccluster.judge.facts.loss import VolumeLeft, disk_of, volume_left
from check_mccluster.judge.facts.mending import copy_step, reconnect_step
from check_mccluster.judge.whatif import Fate, _one_volume
from check_mccluster.model.drbd import ConnectionState, DiskState, ReplicationState, Role
from check_mccluster.model.words import Unrecognised
from check_mccluster.verdict.view import Asked
from test_rules_of_the_whole import down, mesh, node, told

GOOD, OLD, HALF, NONE = (
    DiskState.UP_TO_DATE,
    DiskState.OUTDATED,
    DiskState.INCONSISTENT,
    DiskState.DISKLESS,
)

# -- a step that hurts nobody ------------------------------------------------------------------


def negotiated_anew(*more, own=NONE, role=Role.SECONDARY, theirs=GOOD, peer_role=Role.SECONDARY):
    """The step for the connection to storage02, beside *more* connections."""
    devices = () if theirs is None else (peer_device(peer_disk_state=theirs),)
    about = connection("storage02", *devices, peer_role=peer_role)
    if theirs is None:
        about = about._replace(peer_devices=())
    own_device = client_device() if own is NONE else device(disk_state=own)
    one = resource(about, *more, devices=(own_device,), role=role)
    return reconnect_step(view(one), one, about, 0)


AGAIN = "drbdadm disconnect r0:storage02; drbdadm connect r0:storage02"
PLAIN = f"on storage01: {AGAIN}; if it stays: journalctl -k -g drbd"


@pytest.mark.parametrize(
    ("own", "more", "stops"),
    [
        (NONE, (), True),
        (OLD, (), True),
        (GOOD, (), False),
        (NONE, (connection("storage03"),), False),
        (NONE, (away("storage03"),), True),
        (NONE, (connection("storage03", peer_device(peer_disk_state=OLD)),), True),
    ],
)
def test_service_that_reads_over_the_connection_alone_is_stopped_before(own, more, stops):
    step = negotiated_anew(*more, own=own, role=Role.PRIMARY)
    words = "storage01 is Primary and reads from storage02: stop or move the service before"
    assert (words in step) is stops
    assert step == PLAIN or stops
    assert negotiated_anew(*more, own=own) == PLAIN


@pytest.mark.parametrize(
    ("theirs", "role", "stops"),
    [
        (NONE, Role.PRIMARY, True),
        (HALF, Role.PRIMARY, True),
        (None, Role.PRIMARY, True),
        (GOOD, Role.PRIMARY, False),
        (NONE, Role.SECONDARY, False),
        (GOOD, Role.SECONDARY, False),
    ],
)
def test_service_of_the_peer_that_reads_from_here_is_stopped_before(theirs, role, stops):
    step = negotiated_anew(own=GOOD, theirs=theirs, peer_role=role)
    assert ("storage02 is Primary and reads from here: stop or move" in step) is stops
    assert step == PLAIN or stops


def step_for(name, *peers):
    one = resource(*peers)
    return copy_step(view(one), one, one.devices[0], name)


LOOK = "on storage03: drbdadm status r0"


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({"peer_disk_state": HALF, "resync_suspended": frozenset({"peer"})},
         f"{LOOK}; wait until the resync there is done"),
        ({"peer_disk_state": HALF}, f"{LOOK}; first bring back a connection"),
        ({"peer_disk_state": OLD, "resync_suspended": frozenset({"peer"})},
         f"{LOOK}; first bring back a connection"),
        ({"peer_disk_state": DiskState.CONSISTENT},
         f"{LOOK}; first bring back a connection that is down there; where all is well there: on"
         " storage01: drbdadm disconnect r0:storage03; drbdadm connect r0:storage03"),
        ({"replication_state": ReplicationState.SYNC_SOURCE, "peer_disk_state": HALF},
         "Wait; watch it with: drbdadm status r0"),
        ({"peer_disk_state": NONE}, "on storage03: journalctl -k -g drbd; check the backing disk"),
    ],
)  # fmt: skip
def test_copy_of_a_peer_is_brought_back_by_what_is_wrong_with_it(changes, step):
    """The peer before it has another trouble."""
    other = connection("storage02", peer_device(peer_disk_state=DiskState.FAILED))
    assert step_for("storage03", other, connection("storage03", peer_device(**changes))).startswith(
        step
    )


def test_copy_of_a_node_without_a_connection_is_looked_up_there():
    assert step_for("storage03", connection("storage02")) == LOOK
    assert step_for("storage03", connection("storage02"), away("storage03")).startswith(LOOK)


# -- what is left ------------------------------------------------------------------------------


def seen_disk(name, *peers, own=GOOD):
    one = resource(*peers, devices=(device(disk_state=own),))
    return disk_of(view(one), one, one.devices[0], name)


@pytest.mark.parametrize("state", [DiskState.D_UNKNOWN, Unrecognised("odd", "disk")])
def test_disk_of_which_nobody_knows_the_state_cannot_be_seen(state):
    assert seen_disk("storage01", own=state) is None
    peer = connection("storage02", peer_device(peer_disk_state=state))
    assert seen_disk("storage02", peer) is None


def test_disk_of_this_node_and_of_connected_peers_is_seen():
    assert seen_disk("storage01", own=OLD) is OLD
    assert seen_disk("storage02", connection("storage02")) is GOOD
    assert seen_disk("storage02", away("storage02")) is None
    assert seen_disk("storage02", connection("storage02", peer_device(1))) is None
    assert seen_disk("storage02") is None


def test_replicas_that_are_left_and_cannot_be_seen():
    one = resource(away("storage02"), away("storage03"))
    left = volume_left(view(one), one, one.devices[0], ("storage02",))
    assert (left.up_to_date, left.hidden) == (("storage01",), ("storage03",))
    left = volume_left(view(one), one, one.devices[0], ())
    assert left.hidden == ("storage02", "storage03")


@pytest.mark.parametrize(
    ("peers", "quorum"),
    [
        (("storage02", "storage03"), True),
        (("storage02",), None),  # storage03, which is not seen, may be there
        ((), None),
    ],
)
def test_quorum_that_is_left_by_those_who_are_not_seen(peers, quorum):
    others = [
        connection(name) if name in peers else away(name) for name in ("storage02", "storage03")
    ]
    one = resource(*others, devices=(device(),))
    seen = view(one, options=(shown(quorum="3" if quorum is None else "2"),))
    assert volume_left(seen, one, one.devices[0], ()).quorum is quorum
    assert volume_left(seen, one, one.devices[0], ("storage03", "storage02")).quorum is False


def words(*replicas, good=(), hidden=(), quorum=None):
    return VolumeLeft("r0/0", "r0", replicas, good, hidden, quorum)


def test_volume_by_several_words():
    """Each node's own word counts for its disk; of a node that was not asked what others see."""
    first = words("s1", "s2", "s3", good=("s1", "s2"), hidden=("s3",))
    second = words("s1", "s2", "s3", "s4", good=("s1", "s4"), hidden=("s3",))
    both = _one_volume([("s1", first), ("s2", second)], ())
    assert both.replicas == ("s1", "s2", "s3", "s4")
    assert both.up_to_date == ("s1", "s4")  # s2 does not call its own disk good
    assert both.hidden == ("s3",)
    assert _one_volume([("s1", first)], ()) is first


@pytest.mark.parametrize(
    ("said", "quorum"),
    [
        ((True, False), True),
        ((False, True), True),
        ((None, False), None),
        ((False, False), False),
        ((None, None), None),
        ((True, None), True),
    ],
)
def test_quorum_by_several_words(said, quorum):
    told_of = [(f"s{n}", words("s1", "s2", quorum=each)) for n, each in enumerate(said)]
    assert _one_volume(told_of, ()).quorum is quorum


def test_quorum_is_that_of_those_who_are_left():
    told_of = [("s1", words("s1", quorum=True)), ("s2", words("s1", quorum=False))]
    assert _one_volume(told_of, ("s1",)).quorum is False
    assert _one_volume(told_of, ("s1", "s2")).quorum is True


def test_service_moves_where_others_run_it_than_before():
    moves = Fate("FS", ("a",), ("b",), "", "", False)
    assert (moves.moves, moves.ends) == (True, False)
    assert not moves._replace(after=("a",)).moves
    ends = moves._replace(after=())
    assert (ends.moves, ends.ends) == (False, True)


def single_points(*peers):
    """What is said of a service on app01, a client of these peers, all of which have to vote."""
    seen = cluster_view(
        cluster(resources=(primitive(),)),
        cib=on_drbd(),
        drbd=(drbd(*peers),),
        show=(shown(quorum="all"),),
    )
    return [f.text for f in report("failover", seen).findings if f.key == "single-point"]


def test_storage_server_whose_loss_would_end_the_quorum():
    assert single_points(*map(drbd_peer, STORAGES)) == [
        f"the loss of {name} would end FS: r0/0 would have no quorum" for name in STORAGES
    ]


@pytest.mark.parametrize(
    "peers",
    [
        (drbd_peer("storage01"),),
        (drbd_peer("storage01"), drbd_peer("storage02"), drbd_peer("storage03", disk=OLD)),
        (
            *map(drbd_peer, STORAGES),
            drbd_peer("storage04")._replace(
                peer_devices=(peer_device(peer_client=None, peer_disk_state=NONE),)
            ),
        ),
    ],
)
def test_single_replica_or_what_lacks_already_is_no_single_point(peers):
    assert single_points(*peers) == []


# -- both ends ---------------------------------------------------------------------------------


def test_connection_between_others_stays_beside_a_host_that_is_cut_off():
    names = (*STORAGES, "storage04", "storage05")
    changed = (
        *down("storage01", "storage02"),
        *down("storage01", "storage03"),
        *down("storage04", "storage05"),
    )
    assert told(mesh(*changed, names=names)) == [
        ("peer-connecting", "storage01", ("storage01",)),
        ("peer-connecting", "r0 storage04-storage05", ("storage04", "storage05")),
    ]


def test_split_brain_is_told_before_options_that_differ():
    seen = []
    for name, other, value in (("storage01", "storage02", "C"), ("storage02", "storage01", "A")):
        side = away(other, ConnectionState.STANDALONE)
        (lost,) = side.peer_devices
        one = resource(side._replace(peer_devices=(lost._replace(out_of_sync_kib=4),)))
        show = (shown("r0", shown_connection(other, net={"protocol": value})),)
        seen.append(node(name, one, show=show))
    assert [key for key, *_ in told(seen)] == ["split-brain", "config-differs"]
    (_, differs) = together(seen, {}, Asked()).findings
    assert differs.object == "r0"  # beside it, of the resource


def test_of_many_values_three_are_told():
    names = (*STORAGES, "storage04", "storage05")
    seen = [
        node(name, resource(node_id=number), show=(shown("r0", options={"quorum": str(number)}),))
        for number, name in enumerate(names)
    ]
    (found,) = together(seen, {}, Asked()).findings
    assert found.text == ("r0: quorum is 0 on storage01, 1 on storage02, 2 on storage03 and 2 more")


def test_links_that_are_told_of_a_host_are_not_told_of_the_other_end_too():
    """In two resources: each other end misses two links."""
    names = (*STORAGES, "storage04", "storage05")
    changed = (
        *down("storage01", "storage02"),
        *down("storage01", "storage03"),
        *down("storage04", "storage05"),
    )
    found = told(mesh(*changed, names=names, of=("r0", "r1")))
    assert [(key, about) for key, about, _ in found] == [
        ("peer-connecting", "storage01"),
        ("peer-connecting", "storage04"),
    ]


def option_step(option, *values, section="of_volumes"):
    """The step where nodes have these values of an option; ``None``: not asked for options."""
    seen = []
    for number, (name, value) in enumerate(zip(STORAGES, values)):
        one = resource(*(connection(each) for each in STORAGES if each != name))
        show = None
        if value is not None:
            peers = [
                shown_connection(each, **{section: {option: value}} if section != "options" else {})
                for each in STORAGES
                if each != name
            ]
            more = {"options": {option: value}} if section == "options" else {}
            show = (shown("r0", *peers, node_id=number, **more),)
        seen.append(node(name, one, show=show))
    (found,) = [f for f in together(seen, {}, Asked()).findings if f.key == "config-differs"]
    return found.next_step.rpartition("where that is all: ")[2]


@pytest.mark.parametrize(
    ("section", "command"),
    [
        ("of_volumes", "drbdadm peer-device-options r0"),
        ("options", "drbdadm resource-options r0"),
        ("net", "drbdadm net-options r0"),
    ],
)
@pytest.mark.parametrize("values", [(None, "1", "2"), ("1", "2", "2")])
def test_option_that_differs_is_put_in_force_by_the_command_of_its_section(
    section, command, values
):
    assert option_step("some-option", *values, section=section) == command


@pytest.mark.parametrize("alone", [True, False])
def test_option_that_cuts_a_connection_is_made_equal_and_in_force_by_adjust(alone):
    """One that reconnects by itself needs no more."""
    state = ConnectionState.STANDALONE if alone else ConnectionState.CONNECTING
    seen = []
    for name, peer, value in (("storage01", "storage02", "C"), ("storage02", "storage01", "A")):
        show = (shown("r0", shown_connection(peer, net={"protocol": value})),)
        seen.append(node(name, resource(away(peer, state)), show=show))
    (found,) = together(seen, {}, Asked()).findings
    assert found.text.startswith("r0 storage01-storage02: protocol is C on storage01 and A on")
    assert ("; where that is all: drbdadm adjust r0 (it resets" in found.next_step) is alone
    assert (found.state.name == "CRITICAL") is alone


@pytest.mark.parametrize(("name", "other"), [STORAGES[:2], STORAGES[1::-1]])
def test_disk_that_its_own_node_calls_good_and_the_other_does_not(name, other):
    seen = mesh((other, connection(name, peer_device(peer_disk_state=OLD))))
    (found,) = together(seen, {}, Asked()).findings
    assert found.text == (
        f"r0 storage01-storage02: {name} calls its disk UpToDate, {other} calls it Outdated"
    )


def one_sided(who):
    """The step where only *who* of storage01 and storage02 counts blocks."""
    changed = []
    for name, peer in (("storage01", "storage02"), ("storage02", "storage01")):
        kib = 4 if name == who else 0
        changed.append((name, connection(peer, peer_device(out_of_sync_kib=kib))))
    (found,) = together(mesh(*changed), {}, Asked()).findings
    return found.next_step


@pytest.mark.parametrize(("who", "peer"), [("storage01", "storage02"), ("storage02", "storage01")])
def test_counter_is_cleared_on_the_end_that_counts(who, peer):
    assert f"on {who}: drbdadm disconnect r0:{peer};" in one_sided(who)


@pytest.mark.parametrize(
    ("primary", "where", "peer"),
    [
        (None, "storage01", "storage02"),
        ("storage01", "storage02 (not where it is Primary)", "storage01"),
        ("storage02", "storage01 (not where it is Primary)", "storage02"),
        ("storage03", "storage01", "storage02"),
    ],
)
def test_handshake_that_one_end_knows_nothing_of_is_begun_anew_where_nobody_is_primary(
    primary, where, peer
):
    stuck = connection("storage02", peer_device(replication_state=ReplicationState.WF_BITMAP_S))
    seen = mesh(("storage01", stuck))
    for one in seen:
        if one.view.here == primary:
            (r0,) = one.view[DRBD].value
            replaced = node(primary, r0._replace(role=Role.PRIMARY))
            seen[seen.index(one)] = replaced
    (found,) = [f for f in together(seen, {}, Asked()).findings if f.key == "connection-disputed"]
    assert f"if it stays so, on {where}: drbdadm disconnect r0:{peer};" in found.next_step
