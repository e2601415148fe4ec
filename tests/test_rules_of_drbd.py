"""Where the checks of DRBD and of its timeouts draw the line: constructed resources."""

from __future__ import annotations

import pytest
from nagiosplugin import Range

from build import cib, cmap, replace
from build import report as report_of
from build import view as cluster_view
from build_drbd import (
    away,
    client_device,
    connection,
    device,
    mesh,
    peer_device,
    progress,
    resource,
    shown,
    shown_connection,
    steps,
    view,
)
from check_mccluster.judge.facts.drbd import needed_votes
from check_mccluster.judge.facts.mapping import waits_for_primary
from check_mccluster.model.config import Config, DrbdRule
from check_mccluster.model.configuration import Configured
from check_mccluster.model.drbd import ConnectionState, DiskState, Path, ReplicationState, Role
from check_mccluster.model.pacemaker import Filesystem


def report(check, *resources, node="storage01", again=(), options=(), **asked):
    return report_of(check, view(*resources, node=node, again=again, options=options), **asked)


def found(judged, key):
    """The one finding of that key."""
    (one,) = [each for each in judged.findings if each.key == key]
    return one


def holding(name, *states):
    """A connected peer with a disk of each state, for volume 0, 1 and so on."""
    return connection(
        name, *(peer_device(number, peer_disk_state=state) for number, state in enumerate(states))
    )


OUTDATED, HALF, GOOD = DiskState.OUTDATED, DiskState.INCONSISTENT, DiskState.UP_TO_DATE

# -- what may be read, and how many copies a quorum asks for --------------------------------------


def reading(names, **changes):
    """A client that may not read from these, as drbdsetup show has it, and what is said of it."""
    no = {"allow-remote-read": "False"}
    options = shown(
        "r0",
        *(shown_connection(n, net=no if n in names else {}) for n in ("storage01", "storage02")),
    )
    own = client_device(**changes)
    one = resource(connection("storage01"), connection("storage02"), devices=(own,))
    return report("drbd-quorum", one, node="app01", options=(options,))


def test_client_that_may_read_no_copy_has_none():
    one = found(reading(("storage01", "storage02")), "copies-none")
    assert one.text == (
        "r0/0: app01 has no disk and may read no copy (allow-remote-read no: storage01, storage02)"
    )
    assert one.next_step.endswith("where that is all: drbdadm net-options r0")


def test_what_may_not_be_read_has_no_vote_either():
    one = found(reading(("storage01", "storage02"), quorum=False), "drbd-quorum-lost")
    assert "allow-remote-read no: storage01, storage02, " in one.text
    assert one.next_step.startswith("on app01: set allow-remote-read yes")


@pytest.mark.parametrize("changes", [{}, {"disk_state": GOOD}])
def test_one_copy_that_may_be_read_is_enough(changes):
    names = ("storage01", "storage02") if changes else ("storage01",)
    assert reading(names, **changes).findings == ()


@pytest.mark.parametrize(("least", "told"), [("2", True), ("1", False), ("off", False)])
def test_quorum_with_its_votes_asks_for_more_good_copies(least, told):
    lost = peer_device(peer_disk_state=DiskState.DISKLESS)
    peers = [connection(name, lost) for name in ("storage02", "storage03")]
    options = (shown("r0", quorum_minimum_redundancy=least),)
    one = found(
        report("drbd-quorum", resource(*peers, devices=(device(quorum=False),)), options=options),
        "drbd-quorum-lost",
    )
    words = "quorum-minimum-redundancy asks for 2 good copies, "
    assert (words in one.text) is ("quorum-minimum-redundancy" in one.text) is told
    assert one.next_step.startswith("on storage02, storage03: journalctl -k -g drbd")


@pytest.mark.parametrize(("quorum", "told"), [("2", True), ("3", False)])
def test_good_copies_are_asked_for_where_the_votes_just_suffice(quorum, told):
    lost = connection("storage02", peer_device(peer_disk_state=DiskState.DISKLESS))
    one = found(
        report(
            "drbd-quorum",
            resource(lost, away("storage03"), devices=(device(quorum=False),)),
            options=(shown("r0", quorum=quorum, quorum_minimum_redundancy="2"),),
        ),
        "drbd-quorum-lost",
    )
    assert ("quorum-minimum-redundancy asks for 2 good copies" in one.text) is told


# -- I/O that is frozen ------------------------------------------------------------------------


def frozen(first, second, **flags):
    """What is said of a client with two volumes whose only copies are in these states."""
    one = resource(
        holding("storage01", first, second),
        devices=(client_device(0), client_device(1, minor=1)),
        suspended=True,
        **flags,
    )
    return found(report("drbd-quorum", one, node="app01"), "io-suspended")


def test_volume_without_data_freezes_the_other_with_it():
    one = frozen(OUTDATED, GOOD, suspended_no_data=True)
    assert one.text.endswith(", of r0/0; r0/1 is frozen with it")
    assert one.nodes == ("storage01",)


@pytest.mark.parametrize("second", [OUTDATED, HALF])
def test_where_no_volume_has_data_none_is_frozen_with_another(second):
    one = frozen(OUTDATED, second, suspended_no_data=True)
    assert "frozen with it" not in one.text
    assert "r0/1" not in one.text


def test_volume_that_has_data_is_not_the_one_whose_copies_are_named():
    one = resource(
        holding("storage01", GOOD, OUTDATED),
        holding("storage02", OUTDATED, OUTDATED),
        devices=(client_device(0), client_device(1, minor=1)),
        suspended=True,
        suspended_no_data=True,
    )
    frozen_one = found(report("drbd-quorum", one, node="app01"), "io-suspended")
    assert frozen_one.nodes == ("storage01", "storage02")
    assert frozen_one.text == (
        "r0: I/O on app01 is suspended: no data is accessible (storage01, storage02: Outdated"
        " (whole, but old)), of r0/1; r0/0 is frozen with it"
    )


def test_copies_that_are_connected_and_old_need_no_network():
    one = frozen(OUTDATED, OUTDATED, suspended_no_data=True)
    assert one.next_step.startswith("on storage01: journalctl -k -g drbd tells which copy")


def test_client_of_copies_that_are_all_half_is_told_so():
    one = resource(
        holding("storage01", HALF), holding("storage02", HALF), devices=(client_device(),)
    )
    none = found(report("drbd-quorum", one, node="app01"), "copies-none")
    assert none.next_step.startswith(
        "on storage01, storage02: journalctl -k -g drbd: was one of them UpToDate before?"
    )


def test_what_an_administrator_froze_is_not_laid_on_a_volume():
    one = frozen(OUTDATED, GOOD, suspended_user=True)
    assert one.text == "r0: I/O on app01 is suspended: by an administrator (suspend-io)"
    assert one.nodes == ("app01",)
    assert one.next_step == "on app01, when the work is done: drbdadm resume-io r0"


def test_only_the_copies_are_named_where_data_is_out_of_reach():
    """A client that is away took no copy with it; a copy that is old is here all the same."""
    one = resource(
        holding("storage01", OUTDATED),
        away("storage02"),
        away("app02"),
        devices=(client_device(),),
        suspended=True,
        suspended_no_data=True,
    )
    rule = DrbdRule(("storage01", "storage02"), ("app01", "app02"), None)
    judged = report_of("drbd-quorum", view(one, node="app01", config=Config(drbd={"r0": rule})))
    assert found(judged, "io-suspended").text == (
        "r0: I/O on app01 is suspended: no data is accessible (storage02 Connecting;"
        " storage01: Outdated (whole, but old))"
    )


@pytest.mark.parametrize(
    ("other", "where", "step"),
    [
        (
            connection("storage01"),
            "storage01 Connecting, other resources reach it",
            "on storage01: drbdadm status r0; not up: drbdadm up r0; StandAlone: drbdadm connect",
        ),
        (
            away("storage01"),
            "storage01 Connecting",
            "on storage01: drbdadm status r0; not up: drbdadm up r0; StandAlone: drbdadm connect",
        ),
    ],
)
def test_host_that_another_resource_reaches_is_up(other, where, step):
    alone = resource(
        away("storage01"), devices=(client_device(),), suspended=True, suspended_no_data=True
    )
    second = resource(other, name="r1", devices=(client_device(),))
    one = found(report("drbd-quorum", alone, second, node="app01"), "io-suspended")
    assert one.text == f"r0: I/O on app01 is suspended: no data is accessible ({where})"
    assert one.next_step.startswith(step)


LOST = (client_device(quorum=False),)


def test_where_every_copy_is_out_of_reach_this_node_is_looked_at_first():
    gone = mesh(away("storage01"), away("storage02"), away("storage03"), here="app01", devices=LOST)
    one = found(report("drbd-quorum", gone, node="app01"), "drbd-quorum-lost")
    assert one.next_step.startswith(
        "all are out of reach of app01: on app01: ping its address, the firewall for its port"
        " (drbdsetup show r0); else on storage01, storage02, storage03: drbdadm status r0;"
    )


@pytest.mark.parametrize(
    "gone",
    [
        (away("storage01"), away("storage02")),
        [
            away(name, ConnectionState.STANDALONE)
            for name in ("storage01", "storage02", "storage03")
        ],
    ],
    ids=["one-is-reached", "given-up"],
)
def test_where_a_copy_is_reached_or_given_up_the_network_is_not_looked_at_first(gone):
    judged = report("drbd-quorum", mesh(*gone, here="app01", devices=LOST), node="app01")
    assert "out of reach of" not in found(judged, "drbd-quorum-lost").next_step


def test_requests_that_nobody_answers_wait_for_that_peer():
    one = mesh(connection("storage02", peer_device(pending=3)), connection("storage03"))
    one = one._replace(devices=(device(upper_pending=3),))
    judged = report("drbd-quorum", one, again=(one,))
    assert found(judged, "io-stalled").nodes == ("storage02",)


# -- copies ------------------------------------------------------------------------------------


def no_copy_step(own, *theirs, **changes):
    """The step where no copy is UpToDate: this node's disk, and those of connected servers."""
    peers = [holding(f"storage0{number}", each) for number, each in enumerate(theirs, start=2)]
    one = resource(*peers, devices=(device(disk_state=own),), **changes)
    told = dict(steps("drbd-quorum", view(one)))
    return told["copies-none"]


def test_every_copy_is_half_a_copy():
    assert no_copy_step(HALF, HALF).startswith("on storage01, storage02: journalctl -k -g drbd:")


def test_half_a_copy_and_a_lost_disk_are_not_taken_for_a_first_sync():
    assert "initial device synchronization" not in no_copy_step(DiskState.FAILED, HALF)


def test_one_whole_copy_is_the_way_back_though_the_others_are_half():
    step = no_copy_step(HALF, OUTDATED)
    assert step.startswith("on storage02: journalctl -k -g drbd tells which copy was written last")


def test_single_copy_that_is_half_is_no_matter_of_several():
    step = "drbdadm status r0 on every node: which of them has a good copy"
    assert no_copy_step(HALF) == step


def test_pause_is_ended_before_anything_by_force():
    """A whole copy is here, and one that waits for it: somebody paused the resync."""
    paused = peer_device(
        peer_disk_state=OUTDATED,
        replication_state=ReplicationState.PAUSED_SYNC_T,
        resync_suspended=frozenset({"user"}),
    )
    one = resource(connection("storage02", paused), devices=(device(disk_state=OUTDATED),))
    told = dict(steps("drbd-quorum", view(one)))
    assert told["copies-none"] == "on storage01: drbdadm resume-sync r0"


def test_copies_that_nobody_can_name_are_brought_back_by_no_force():
    """A peer that may be a server holds perhaps what was written last."""
    unknown = peer_device(peer_disk_state=DiskState.DISKLESS, peer_client=None)
    one = resource(
        holding("storage02", OUTDATED),
        connection("storage03", unknown),
        devices=(device(disk_state=OUTDATED),),
    )
    told = dict(steps("drbd-quorum", view(one)))
    assert "--force" not in told["copies-none"]


def alike(count):
    """So many volumes of which one peer has no copy."""
    peer = away("storage02")
    (lost,) = peer.peer_devices
    peer = peer._replace(peer_devices=tuple(lost._replace(volume=n) for n in range(count)))
    one = resource(
        peer,
        holding("storage03", *[GOOD] * count),
        devices=tuple(device(n, minor=n) for n in range(count)),
    )
    return [f.text for f in report("drbd-quorum", one).findings if f.key == "copies-low"]


def test_three_volumes_that_lack_the_same_copy_are_one_finding():
    assert [len(alike(count)) for count in (1, 2, 3, 4)] == [1, 2, 1, 1]
    assert alike(4)[0].endswith(": 4 volumes (r0/0, r0/1 and 2 more)")


def lost_quorum_step(*peers):
    one = resource(*peers, devices=(device(quorum=False),))
    return dict(steps("drbd-quorum", view(one)))["drbd-quorum-lost"]


def test_quorum_comes_back_by_the_first_copy_where_every_peer_is_connected():
    lost = (holding("storage02", DiskState.FAILED), holding("storage03", DiskState.DISKLESS))
    assert lost_quorum_step(*lost).startswith("on storage02: journalctl -k -g drbd;")


def test_quorum_comes_back_by_the_connection_of_a_copy_before_that_of_a_client():
    assert lost_quorum_step(away("app01"), away("storage02")).startswith("on storage02: drbdadm")
    assert lost_quorum_step(away("app01")).startswith("on app01: drbdadm status r0;")


def test_volume_that_has_its_data_is_not_named_where_another_has_none():
    """The first without data is told, with the nodes of its copies."""
    one = frozen(GOOD, OUTDATED, suspended_no_data=True)
    assert one.text == (
        "r0: I/O on app01 is suspended: no data is accessible (storage01: Outdated (whole, but"
        " old)),"
        " of r0/1; r0/0 is frozen with it"
    )
    assert one.nodes == ("storage01",)


def test_data_that_nobody_should_have_is_out_of_reach_of_this_node():
    one = resource(
        connection("app02"),
        devices=(client_device(),),
        suspended=True,
        suspended_no_data=True,
    )
    judged = report("drbd-quorum", one, node="app01")
    assert found(judged, "io-suspended").nodes == ("app01",)


def test_requests_that_wait_for_this_nodes_disk_hang_here():
    one = mesh(devices=(device(lower_pending=3),))
    assert found(report("drbd-quorum", one, again=(one,)), "io-stalled").nodes == ("storage01",)


@pytest.mark.parametrize(
    ("check", "each", "total"),
    [("drbd-quorum", 2, 1), ("drbd-disk", 1, 3), ("drbd-sync", 2, 1), ("drbd-mesh", 1, 2)],
)
@pytest.mark.parametrize("count", [16, 17])
def test_up_to_16_have_figures_of_their_own(check, each, total, count):
    """Of the mesh resources, of the others volumes."""
    many = range(count)
    if check == "drbd-mesh":
        several = [resource(connection("storage02"), name=f"r{number}") for number in many]
    else:
        peer = connection("storage02", *(peer_device(number) for number in many))
        several = [resource(peer, devices=tuple(device(number, minor=number) for number in many))]
    figures = report(check, *several).figures
    assert len(figures) == total + each * (count if count <= 16 else 0), [f.label for f in figures]


def test_resources_without_a_primary_are_one_finding():
    idle = [resource(connection("storage02"), name=f"r{number}") for number in range(4)]
    texts = [[f.text for f in report("drbd-role", *idle[:count]).findings] for count in (1, 2, 4)]
    assert texts == [
        ["r0: no node is Primary"],
        ["no node is Primary of 2 resources (r0, r1)"],
        ["no node is Primary of 4 resources (r0, r1 and 2 more)"],
    ]


# -- synchronisation ---------------------------------------------------------------------------


def test_every_connection_is_told_as_looked_at_the_quiet_ones_too():
    judged = report("drbd-sync", mesh())
    assert len(tuple(judged.looked_at)) == 5
    assert "replication r0/0 with storage02: Established, peer disk UpToDate" in judged.looked_at


@pytest.mark.parametrize(
    ("peers", "quiet"),
    [
        (0, "nothing to resync"),
        (1, "r0: nothing to resync"),
        (3, "r0, r1, r2: nothing to resync"),
        (4, "nothing to resync"),
    ],
)
def test_of_up_to_three_resources_the_names_are_told(peers, quiet):
    several = [resource(connection("storage02"), name=f"r{number}") for number in range(peers)]
    summary = report("drbd-sync", *(several or [resource()])).summary
    assert summary.endswith(quiet)
    assert (summary == quiet) == (peers > 0)


@pytest.mark.parametrize("flags", [None, frozenset()])
def test_counter_that_is_not_told_counts_nothing(flags):
    peer = peer_device(
        peer_disk_state=HALF,
        out_of_sync_kib=None,
        resync_suspended=flags,
        verifying=True,
        progress=progress(),
    )
    judged = report("drbd-sync", resource(connection("storage02", peer)))
    worst = next(each for each in judged.figures if each.label == "out_of_sync_max")
    assert worst.value == 0
    assert judged.summary == "r0/0: online verify with storage02, 25.0% done, 60 s left"


@pytest.mark.parametrize(
    ("flags", "state", "told"),
    [
        ({"peer"}, HALF, True),
        ({"dependency"}, HALF, True),
        (set(), HALF, False),
        ({"peer"}, GOOD, False),
    ],
)
def test_peer_that_another_node_resynchronises(flags, state, told):
    peer = peer_device(peer_disk_state=state, resync_suspended=frozenset(flags), out_of_sync_kib=4)
    judged = report("drbd-sync", resource(connection("storage02", peer)))
    words = "r0/0: storage02 is resynchronised from another node"
    assert (judged.summary == words) is told


def test_pause_that_was_left_behind_is_ended_where_it_was_set():
    peer = peer_device(resync_suspended=frozenset({"user", "peer"}))
    one = resource(connection("storage02", peer))
    assert dict(steps("drbd-sync", view(one)))["sync-paused"] == (
        "on storage01: drbdadm resume-sync r0; on storage02: drbdadm resume-sync r0"
    )


@pytest.mark.parametrize("patterns", [(), ("r0",)])
@pytest.mark.parametrize(("runs", "key"), [(True, "sync-waiting"), (False, "sync-stalled")])
def test_resync_that_is_left_out_of_an_overview_is_waited_for_all_the_same(patterns, runs, key):
    paused = peer_device(
        replication_state=ReplicationState.PAUSED_SYNC_T,
        resync_suspended=frozenset({"dependency"}),
    )
    state = ReplicationState.SYNC_TARGET if runs else ReplicationState.ESTABLISHED
    two = (
        resource(connection("storage02", paused), name="r0"),
        resource(connection("storage02", peer_device(replication_state=state)), name="r1"),
    )
    found = report("overview", *two, patterns=patterns).findings
    assert [f.key for f in found if f.subject.name == "r0" and "sync-" in f.key] == [key]


# -- roles -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("peers", "figures"), [(62, 64), (63, 65), (64, 1)])
def test_up_to_64_roles_have_a_figure_each(peers, figures):
    one = resource(*(connection(f"n{number}") for number in range(peers)), role=Role.PRIMARY)
    assert len(report("drbd-role", one).figures) == figures


def test_of_many_resources_two_are_told():
    several = [resource(connection("storage02"), name=f"r{number}") for number in range(5)]
    assert report("drbd-role", *several[:2]).summary == "r0: no Primary; r1: no Primary"
    assert report("drbd-role", *several[:3]).summary.endswith("; 1 more resources")
    assert report("drbd-role", *several).summary == (
        "r0: no Primary; r1: no Primary; 3 more resources"
    )


# -- the mesh ----------------------------------------------------------------------------------


def cut(name, *peers):
    return resource(*(away(peer) for peer in peers), name=name)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("r0",), "r0: 0 of 2 connected (storage02, storage03 Connecting)"),
        (
            ("r0", "r1"),
            "0 of 2 connected (storage02, storage03 Connecting): 2 resources (r0, r1)",
        ),
    ],
)
def test_resources_that_reach_none_of_the_same_peers_are_one_finding(names, text):
    judged = report("drbd-mesh", *(cut(name, "storage02", "storage03") for name in names))
    one = found(judged, "mesh-isolated")
    assert one.text == text
    assert one.covers == names


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("r0",), "r0: replica storage02 is Connecting, 1 of 2 connected"),
        (
            ("r0", "r1"),
            "replica storage02 is Connecting: 2 resources, 2 of 4 connected (r0, r1)",
        ),
    ],
)
def test_resources_that_miss_the_same_peer_are_one_finding(names, text):
    several = [resource(away("storage02"), connection("storage03"), name=name) for name in names]
    one = found(report("drbd-mesh", *several), "peer-connecting")
    assert (one.text, one.covers) == (text, names)


@pytest.mark.parametrize(("count", "more"), [(1, ""), (3, ""), (4, " and 2 more")])
def test_of_many_paths_that_are_down_two_are_told(count, more):
    paths = tuple(Path(f"10.0.{n}.1", f"10.0.{n}.2", False) for n in range(count))
    one = resource(connection("storage02", paths=paths))
    text = found(report("drbd-mesh", one), "path-down").text
    shown_paths = count if count <= 3 else 2
    assert text.count(" - ") == shown_paths
    assert text.endswith(f"{more}), 1 of 1 connected")


def isolated_step(*resources):
    return dict(steps("drbd-mesh", view(*resources)))["mesh-isolated"]


def test_single_peer_that_is_not_reached_is_looked_up_there():
    assert isolated_step(cut("r0", "storage02")).startswith("on storage02: drbdadm status r0;")


def test_of_two_peers_neither_is_reached_it_is_the_network():
    step = isolated_step(cut("r0", "storage02", "storage03"))
    assert step.startswith("on storage01: no peer is reached, check the replication network")


def test_peer_that_another_resource_reaches_is_looked_up_there():
    step = isolated_step(
        cut("r0", "storage02", "storage03"), resource(connection("storage02"), name="r1")
    )
    assert step.startswith("on storage02: drbdadm status r0; not up: drbdadm up r0; StandAlone:")


def test_where_drbd_gave_up_on_every_peer_it_is_told_to_connect_again():
    alone = [away(name, ConnectionState.STANDALONE) for name in ("storage02", "storage03")]
    step = isolated_step(resource(*alone), resource(connection("storage02"), name="r1"))
    assert "drbdadm connect r0;" in step
    assert "not up" not in step


# -- timing ------------------------------------------------------------------------------------


def timing(margin_ms, **asked):
    """The check where Corosync is so much later than DRBD's 10.5 seconds."""
    seen = cluster_view(cmap=cmap(token_ms=5000, consensus_ms=5500 + margin_ms), show=(shown(),))
    return report_of("timing", seen, **asked)


@pytest.mark.parametrize(
    ("margin_ms", "state", "summary"),
    [
        (-1, "WARNING", "Corosync 10.50 s <= DRBD 10.5 s (bound)"),
        (0, "WARNING", "Corosync 10.50 s <= DRBD 10.5 s (bound)"),
        (1, "OK", "Corosync 10.50 s > DRBD 10.5 s (bound)"),
        (1000, "OK", "Corosync 11.50 s > DRBD 10.5 s (bound)"),
    ],
)
def test_corosync_has_to_be_later_by_a_millisecond(margin_ms, state, summary):
    judged = timing(margin_ms)
    assert (judged.state.name, judged.summary) == (state, summary)


@pytest.mark.parametrize(
    ("margin_ms", "words"),
    [(-1, "is not longer than"), (0, "is not longer than"), (500, "is little longer than")],
)
def test_margin_that_is_less_than_was_asked_for(margin_ms, words):
    one = found(timing(margin_ms, warning=Range("5:")), "failover-race")
    assert f"s {words} DRBD's 10.5 s" in one.text


def retrying(early="no"):
    """A CIB with a DRBD primitive that retries to promote, or does not."""
    parameters = {"drbd_resource": "r0", "fail_promote_early_if_peer_primary": early}
    one = Configured("p", "primitive", agent="ocf:linbit:drbd", parameters=parameters)
    return replace(cib(), resources={"p": one})


@pytest.mark.parametrize(
    ("token_ms", "early", "summary"),
    [
        (5000, "no", "<= DRBD 10.5 s (bound): p retries to promote until its timeout"),
        (10_500, "no", "<= DRBD 10.5 s (bound): p retries to promote until its timeout"),
        (10_501, "no", "> DRBD 10.5 s (bound)"),
        (11_500, "no", "> DRBD 10.5 s (bound)"),
        (5000, "yes", "<= DRBD 10.5 s (bound)"),
    ],
)
def test_race_that_does_no_harm_is_told_with_why(token_ms, early, summary):
    corosync = cmap(token_ms=token_ms, consensus_ms=0)
    judged = report_of("timing", cluster_view(cmap=corosync, show=(shown(),), cib=retrying(early)))
    assert judged.summary.partition(" s ")[2] == summary
    raced = summary.endswith("(bound)") and summary.startswith("<=")
    assert [each.key for each in judged.findings] == ["failover-race"] * raced


@pytest.mark.parametrize(
    ("members", "parameters", "waits"),
    [
        (("wait", "FS"), {"drbd_resource": "r0"}, True),
        (("IP", "wait", "FS"), {"drbd_resource": "r0"}, True),
        (("FS", "wait"), {"drbd_resource": "r0"}, False),
        (("wait", "IP"), {"drbd_resource": "r0"}, False),
        (("wait", "FS"), {"drbd_resource": "r1"}, False),
        (("wait", "FS"), {}, False),
        ((), {"drbd_resource": "r0"}, False),
    ],
)
def test_agent_that_waits_before_the_mount_wins_the_race(members, parameters, waits):
    """Only for its own DRBD resource, and only in a group with the mount behind it."""
    agent = "ocf:mccluster:drbd-no-primary"
    parent = "g" if members else None
    one = Configured("wait", "primitive", parent, agent=agent, parameters=parameters)
    whole = Configured("g", "group", members=members)
    known = cib(filesystems=(Filesystem("FS", "/dev/drbd0", "/srv"),))
    known = replace(known, resources={"wait": one, "g": whole})
    corosync = cmap(token_ms=5000, consensus_ms=0)
    judged = report_of("timing", cluster_view(cmap=corosync, show=(shown(),), cib=known))
    assert judged.summary.endswith(": wait waits before the mount") is waits
    assert bool(judged.findings) is not waits


@pytest.mark.parametrize(
    ("name", "early", "waits"),
    [("r0", "yes", False), ("r0", "TRUE", False), ("r0", "no", True), ("r1", "no", False)],
)
def test_promotion_is_retried_unless_it_shall_fail_early(name, early, waits):
    known = retrying(early)
    (one,) = known.resources.values()
    other = one._replace(parameters={**one.parameters, "drbd_resource": name})
    assert (waits_for_primary(replace(known, resources={"p": other}), "r0") is None) is not waits


@pytest.mark.parametrize(("peers", "told"), [(1, False), (2, True), (3, True)])
def test_quorum_that_is_off_is_told_from_three_nodes_on(peers, told):
    options = shown(
        "r0", *(shown_connection(f"n{number}") for number in range(peers)), quorum="off"
    )
    seen = cluster_view(cmap=cmap(token_ms=50_000, consensus_ms=0), show=(options,))
    texts = [f.text for f in report_of("timing", seen).findings if f.key == "quorum-policy"]
    assert texts == ["quorum is off on r0 with three or more nodes"] * told


@pytest.mark.parametrize(
    ("option", "votes"),
    [
        *(("majority", 2), ("all", 3), ("2", 2), ("off", None), (None, None)),
        *(("\u00b2", None), ("+2", None), ("-2", None)),  # a digit, and no number; no sign is one
    ],
)
def test_votes_that_the_option_asks_for_of_three_replicas(option, votes):
    assert needed_votes(option, 3) == votes
