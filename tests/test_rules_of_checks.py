"""Where the checks draw the line: the last case on one side and the first on the other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from build import (
    NOW,
    ban,
    bundle,
    cib,
    clone,
    cluster,
    cmap,
    drbd,
    failure,
    fence_device,
    fence_event,
    group,
    history,
    link,
    links,
    location,
    node,
    on_drbd,
    options,
    primitive,
    remote,
    replace,
    report,
    ring,
    said,
    stopped,
    view,
    view_of,
    votes,
)
from build_drbd import (
    STORAGES,
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
)
from build_drbd import judge as judge_drbd
from build_drbd import view as drbd_view
from check_mccluster.checks import registry
from check_mccluster.checks.cluster import UNASKED, _seen_from, _unreached, together
from check_mccluster.checks.overview import _essence, fitting
from check_mccluster.judge import active
from check_mccluster.judge.active import activity
from check_mccluster.judge.beside import beside
from check_mccluster.judge.cluster_causes import CLUSTER_RULES
from check_mccluster.judge.difference import Side, difference
from check_mccluster.judge.facts.comparing import compare_step
from check_mccluster.judge.facts.fencing import devices_for
from check_mccluster.judge.facts.happened import happened, health_words
from check_mccluster.judge.facts.happened import since as happened_since
from check_mccluster.judge.facts.loss import VolumeLeft, data_against
from check_mccluster.judge.facts.mapping import PairIndex, pairs
from check_mccluster.judge.facts.mending import copy_step, copy_words, own_copy_step, pause_step
from check_mccluster.judge.facts.pacemaker import is_service, lost_nodes, usable, where, whereabouts
from check_mccluster.judge.facts.votes import tally
from check_mccluster.judge.faults import faults
from check_mccluster.judge.fold import folded, hushed
from check_mccluster.judge.partitions import corosync_differences, partitions
from check_mccluster.judge.speaker import since, speaker_of
from check_mccluster.judge.whatif import Consequence, _gravity
from check_mccluster.judge.whole import told_by_all
from check_mccluster.model.config import Config, DrbdRule, PlacementRule
from check_mccluster.model.configuration import (
    CibNode,
    Colocation,
    Configured,
    Member,
    PendingOperation,
    Ran,
)
from check_mccluster.model.corosync import ConfiguredNode, LinkState
from check_mccluster.model.drbd import ConnectionState, DiskState, ReplicationState
from check_mccluster.model.pacemaker import FenceStatus, Role
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import Fault, Kind, Line, Report, State, finding
from check_mccluster.verdict.problems import OF_A_DAEMON, TOOL_MISSING
from check_mccluster.verdict.view import Answer, Asked, Judgement

MEMBERS = tuple(ConfiguredNode(number, f"app0{number}", 1) for number in (1, 2, 3))


def told(key, about, nodes=()):
    kind = Kind(key, State.WARNING, "a meaning", "a step")
    return finding(kind, about, "it is so", nodes=nodes)


# -- who tells a fault -------------------------------------------------------------------------

R0 = subject.drbd("r0")
BETWEEN = subject.connection("r0", "app01", "app02")
GONE2 = tuple(node(name, online=name != "app02") for name in ("app01", "app02", "app03"))


@pytest.mark.parametrize(
    ("here", "nodes", "who"), [("app03", None, "app02"), ("app03", GONE2, "app01")]
)
def test_link_that_is_down_is_told_by_its_first_end_that_lives(here, nodes, who):
    cause = told("link-down", subject.node("app02"), ("app02",))
    assert speaker_of(view(cluster(nodes), here=here), Fault(cause)) == who


@pytest.mark.parametrize(
    ("key", "on", "who"),
    [
        ("disk-outdated", "app02", "app02"),
        ("disk-outdated", "app01", "app01"),
        ("copies-low", "app02", "app01"),
    ],
)
def test_own_disk_is_graver_than_the_connection_that_let_it_fall_behind(key, on, who):
    cause = told("peer-connecting", BETWEEN, ("app01",))
    seen = view(cluster(), here="app02")
    assert speaker_of(seen, Fault(cause, (told(key, R0, (on,)),))) == who


@pytest.mark.parametrize(
    ("key", "about", "seconds"),
    [
        ("resource-failed", subject.resource("FS"), 60.0),
        ("resource-failed", subject.resource("IP"), None),
        ("resource-stopped", subject.resource("FS"), None),
        ("resource-failed", subject.node("FS"), None),
    ],
)
def test_how_long_a_failure_has_lasted(key, about, seconds):
    failures = (failure("FS", seconds_ago=90), failure("FS:0", seconds_ago=60))
    seen = view(cluster(failures=failures))
    assert since(seen, told(key, about)) == seconds


# -- the check active --------------------------------------------------------------------------


PARTS = clone(
    group(primitive("FS:0"), stopped("DB:0"), name="web:0"),
    group(primitive("FS:1", "app02"), primitive("DB:1", "app02"), name="web:1"),
    name="web-clone",
)


@pytest.mark.parametrize(
    ("name", "nodes"),
    [
        ("web", ("app01", "app02")),
        ("web-clone", ("app01", "app02")),
        ("DB", ("app02",)),
        ("DB:1", ("app02",)),
        ("FS", ("app01", "app02")),
    ],
)
def test_where_a_part_of_a_cloned_group_is_active(name, nodes):
    assert activity(cluster(resources=(PARTS,)), name, False).nodes == nodes


def test_part_that_is_not_there_is_not_active():
    assert activity(cluster(resources=(PARTS,)), "XX", False) is None


@pytest.mark.parametrize(
    ("name", "here", "keys", "summary"),
    [
        ("FS", "app01", [], "FS runs here"),
        ("FS", "app02", [], "standby: FS runs on app01"),
        ("XX", "app01", ["resource-missing"], ""),
    ],
)
def test_where_a_service_is_active(name, here, keys, summary):
    seen = view(cluster(resources=(primitive(),)), here=here)
    judged = active.judge(seen, Asked(values={"group": name, "promoted": False}))
    assert ([each.key for each in judged.findings], judged.summary) == (keys, summary)


def test_container_of_a_replica_says_where_a_bundle_is_active():
    inside = primitive("in", "web-0", Role.PROMOTED)
    container = primitive("web-podman-0", "app02", agent="ocf:heartbeat:podman")
    known = cluster(resources=(bundle([container, inside]),))
    assert activity(known, "web", False).nodes == ("app02",)
    assert activity(known, "web", True).nodes == ("app02",)


# -- words of places ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (primitive(), "runs on app01"),
        (stopped(), "runs nowhere"),
        (primitive(role=Role.STOPPING), "is stopping on app01"),
        (primitive(role=Role.STARTING), "is starting on app01"),
        (group(primitive(), primitive("DB", role=Role.STARTING)), "runs on app01"),
        (group(primitive(role=Role.STOPPING), stopped("DB")), "is stopping on app01"),
    ],
)
def test_where_something_is(one, words):
    assert whereabouts(one) == words


@pytest.mark.parametrize(
    ("one", "service"),
    [
        (primitive(), True),
        (group(primitive()), True),
        (fence_device(), False),
        (primitive(orphaned=True), False),
        (primitive(orphaned=None), True),
        (clone(primitive()), False),
    ],
)
def test_what_somebody_uses(one, service):
    assert is_service(one) is service


# -- resources ---------------------------------------------------------------------------------


def of_resources(*each, **answers):
    return said(report("resources", view(cluster(resources=each), **answers)))


@pytest.mark.parametrize("one", [group(stopped("FS"), stopped("DB")), group(stopped("FS"))])
def test_group_that_is_about_to_start_is_no_fault(one):
    known = replace(cib(), pending=(PendingOperation("FS", "app02", "start", 0),))
    (found,) = of_resources(one, cib=known)
    assert found[0] == "resource-transition"
    assert found[2].startswith("FS (group1) ")


def test_group_that_is_blocked_behind_what_runs_twice_is_one_fault():
    one = group(primitive("FS", ("app01", "app02"), blocked=True), primitive("DB", blocked=True))
    (found,) = of_resources(one)
    assert found[0] == "resource-multi-active"
    one = group(primitive("FS", blocked=True, failed=True), primitive("DB", blocked=True))
    assert [key for key, *_ in of_resources(one)] == ["resource-blocked"]


def running_clone(**changes):
    return clone(*(primitive("ping", name) for name in ("app01", "app02", "app03")), **changes)


def test_clone_that_is_disabled_and_still_runs_is_not_told_yet():
    assert of_resources(running_clone(target_role="Stopped")) == []
    rest = clone(primitive("ping"), stopped("ping"), stopped("ping"), target_role="Stopped")
    assert [key for key, *_ in of_resources(rest)] == ["resource-disabled"]


@pytest.mark.parametrize(("task", "moves"), [("start", True), ("monitor", True), ("stop", False)])
def test_what_a_clone_is_about_to_do(task, moves):
    one = clone(primitive("ping"), primitive("ping", "app02"), stopped("other"))
    known = replace(cib(), pending=(PendingOperation("other", "app03", task, 0),))
    keys = [key for key, *_ in of_resources(one, cib=known)]
    assert ("resource-transition" in keys) is moves
    running = replace(cib(), pending=(PendingOperation("ping", "app01", task, 0),))
    assert "resource-transition" not in [key for key, *_ in of_resources(one, cib=running)]


# -- fencing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "able"),
    [
        ({}, True),
        ({"pcmk_host_list": "app01 app02"}, True),
        ({"pcmk_host_list": "app01,app02;app03"}, True),
        ({"pcmk_host_list": "app01"}, False),
        ({"pcmk_host_map": "app01:1;app02:2"}, True),
        ({"pcmk_host_map": "app01:1"}, False),
    ],
)
def test_which_device_could_fence_a_node(parameters, able):
    known = replace(
        cib(), resources={"fence": Configured("fence", "primitive", parameters=parameters)}
    )
    assert devices_for(known, ("fence",), "app02") == (("fence",) if able else ())


@pytest.mark.parametrize(
    ("device_", "keys"),
    [
        (fence_device(), []),
        (fence_device(role=Role.STARTING), []),
        (fence_device(nodes=(), role=Role.STOPPED, target_role="Stopped"), []),
        (fence_device(nodes=(), role=Role.STOPPED), ["fence-device-down"]),
        (fence_device(failed=True), ["fence-device-down"]),
    ],
)
def test_device_that_does_not_run(device_, keys):
    known = cluster(resources=(device_,), options=options(fencing_enabled=True))
    found = [key for key, *_ in said(report("fencing", view(known)))]
    assert [key for key in found if key == "fence-device-down"] == keys


def test_newest_fencing_of_a_node_counts():
    events = (
        fence_event("app02", FenceStatus.SUCCESS),
        fence_event("app02", FenceStatus.FAILED),
        fence_event("app03", FenceStatus.FAILED),
        fence_event("app03", FenceStatus.SUCCESS),
        fence_event("app03", FenceStatus.FAILED),
    )
    known = cluster(resources=(fence_device(),), fence_events=events)
    found = [f.object for f in report("fencing", view(known)).findings if f.key == "fencing-failed"]
    assert found == ["app03"]


# -- votes and losses --------------------------------------------------------------------------


def test_votes_that_nobody_tells():
    count = tally(view(votes=votes()))
    assert count.words == "3 of 3 votes"
    assert count._replace(total=None).words == "votes not known"
    assert count._replace(expected=None).words == "votes not known"
    assert count.margin == 1
    assert count._replace(needed=None).margin is None


def test_who_would_bring_the_quorum_back():
    nodes = (node("app01"), node("app02", online=False), node("app03", online=False))
    judged = report("failover", view(cluster(nodes, (primitive(),), quorate=False)))
    (found,) = [each for each in judged.findings if each.key == "no-candidate"]
    assert found.next_step == "on app02: pcs cluster start; on app03: pcs cluster start"


def left(name, copies, quorum=True):
    names = tuple(f"s{number}" for number in range(copies))
    return VolumeLeft(name, name.partition("/")[0], names, names, (), quorum)


def test_volume_that_is_worst_off():
    def worst(*volumes):
        return Consequence(("app01",), (), (None, None, None), None, volumes, "").worst_volume

    assert worst() is None
    assert worst(left("r0/0", 2), left("r1/0", 1)).name == "r1/0"
    assert worst(left("r0/0", 2, False), left("r1/0", 1)).name == "r0/0"
    assert worst(left("r1/0", 1, None), left("r0/0", 1)).name == "r0/0"


# -- failover ----------------------------------------------------------------------------------


def test_services_with_one_node_by_design_are_counted_apart():
    kept = tuple(ban(name, on) for name in ("FS", "IP") for on in ("app02", "app03"))
    both = cluster(resources=(primitive(), primitive("IP")), bans=kept)
    assert report("failover", view(both)).summary == "2 resources with one node by design"
    one = cluster(resources=(primitive(), primitive("IP")), bans=kept[:2])
    summary = report("failover", view(one)).summary
    assert summary.startswith("1 resource has a node to go to, 1 with one node by design")


def test_barred_by_a_count_without_a_threshold():
    past = (history("FS", "app02", 1_000_000, threshold=None),)
    seen = view(cluster(resources=(primitive(),), bans=(ban("FS", "app03"),), history=past))
    (found,) = [each for each in report("failover", seen).findings if each.key == "no-candidate"]
    assert "app02 FS barred by fail-count INFINITY" in found.text


# -- consistency -------------------------------------------------------------------------------


def test_resource_that_only_the_cib_has_is_not_one_of_the_cluster():
    known = replace(cib(), resources={"XX": Configured("XX", "primitive")})
    config = Config(drbd={"r0": DrbdRule(runs_with="XX")})
    seen = view(cluster(resources=(primitive(),)), cib=known, config=config, drbd=(mesh(),))
    texts = [f.text for f in report("consistency", seen).findings if f.key == "mapping-none"]
    assert texts == ["XX of the configuration file is not a resource of the cluster"]


def test_rule_of_a_resource_that_is_not_there_is_told_once():
    config = Config(resources={"group2": PlacementRule(allowed=("app9",))})
    seen = view(cluster(resources=(primitive(),)), config=config, cmap=cmap(nodes=MEMBERS))
    found = report("placement", seen).findings
    assert [f.object for f in found if f.key == "config-unknown-name"] == [
        "pacemaker.resources.group2"
    ]


# -- health ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"#health-disk": "red"}, " (#health-disk)"),
        ({"#health-disk": "RED", "#health-cpu": "red"}, " (#health-cpu, #health-disk)"),
        ({"#health-disk": "green"}, ""),
        ({"color": "red"}, ""),
        ({}, ""),
    ],
)
def test_attributes_that_say_so(attributes, words):
    known = replace(cib(), nodes={"app01": CibNode("app01", attributes=attributes)})
    assert health_words(view(cluster(), cib=known), "app01", "red") == words
    assert health_words(view(cluster(), cib=known), "app02", "red") == ""


@pytest.mark.parametrize(
    ("strategy", "color", "told"),
    [
        ("only-green", "yellow", True),
        ("migrate-on-red", "red", True),
        ("migrate-on-red", "yellow", False),
        ("none", "red", False),
    ],
)
def test_strategy_is_told_where_it_acts_on_that_color(strategy, color, told):
    known = replace(
        cib(properties={"node-health-strategy": strategy}),
        nodes={"app01": CibNode("app01", attributes={"#health-disk": color})},
    )
    more = f", node-health-strategy={strategy}" if told else ""
    assert health_words(view(cluster(), cib=known), "app01", color) == f" (#health-disk{more})"


# -- links -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "found"),
    [
        (LinkState.CONNECTED, []),
        (
            LinkState.DISCONNECTED,
            [
                (
                    "peer-unreachable",
                    "no link to the node at place 1 is connected (this Corosync does not give its"
                    " name)",
                )
            ],
        ),
    ],
)
def test_node_by_its_place_alone(second, found):
    seen = links(ring(0, LinkState.CONNECTED), ring(0, second))
    judged = report("links", view(links=replace(seen, links=seen.links[1:])))
    assert [(f.key, f.text) for f in judged.findings if f.key != "link-down"] == found


def test_one_of_two_links_by_place():
    rows = (
        ring(0, LinkState.CONNECTED), ring(0, LinkState.DISCONNECTED),
        ring(1, LinkState.CONNECTED), ring(1, LinkState.CONNECTED),
    )  # fmt: skip
    seen = links()
    judged = report("links", view(links=replace(seen, links=rows)))
    assert [(f.key, f.object) for f in judged.findings] == [("link-down", "place 1")]


def test_link_to_a_member_is_no_place():
    assert said(report("links", view(links=links(link(2), link(3))))) == []


# -- DRBD --------------------------------------------------------------------------------------


def volumes(count, **changes):
    return resource(
        connection("storage02", *(peer_device(number) for number in range(count))),
        devices=tuple(device(number, **changes) for number in range(count)),
    )


@pytest.mark.parametrize(
    ("check", "most", "one", "several"),
    [
        ("drbd-disk", 3, "r0/0 UpToDate", "{} volumes: {} UpToDate, 0 intended clients"),
        ("drbd-quorum", 2, "r0/0: ", "{} volumes, {} with all copies"),
    ],
)
def test_few_volumes_are_named_and_more_are_counted(check, most, one, several):
    assert judge_drbd(check, drbd_view(volumes(most))).summary.startswith(one)
    many = judge_drbd(check, drbd_view(volumes(most + 1))).summary
    assert many == several.format(most + 1, most + 1)


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (device(disk_state=DiskState.DISKLESS), "r0/0 Diskless"),
        (client_device(), "r0/0 intended client (diskless)"),
        (device(), "r0/0 UpToDate"),
    ],
)
def test_words_of_a_disk(own, words):
    assert judge_drbd("drbd-disk", drbd_view(mesh(devices=(own,)))).summary == words


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1, "r0: storage02 is Connected, and volume 0 has replication Off"),
        (2, "storage02 is Connected: 2 volumes, each has replication Off (r0/0, r0/1)"),
    ],
)
def test_volumes_that_a_peer_does_not_get(count, text):
    off = (peer_device(n, replication_state=ReplicationState.OFF) for n in range(count))
    one = resource(connection("storage02", *off), devices=tuple(device(n) for n in range(count)))
    found = judge_drbd("drbd-mesh", drbd_view(one)).findings
    assert [words for key, _, words in found if key == "volume-unreplicated"] == [text]


HALF = DiskState.INCONSISTENT


@pytest.mark.parametrize(("others", "backup"), [(STORAGES[1:2], True), (STORAGES[1:], True)])
def test_copies_of_which_none_is_whole_come_from_a_backup(others, backup):
    peers = [connection(name, peer_device(peer_disk_state=HALF)) for name in others]
    one = resource(*peers, devices=(device(disk_state=HALF, quorum=True),))
    found = [step for key, step in steps("drbd-quorum", drbd_view(one)) if key == "copies-none"]
    assert any("data come from a backup" in step for step in found) is backup
    assert len(found) == 1


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"mark_ms": 119_999}, "sync-target"),
        ({"mark_ms": 120_000}, "sync-stalled"),
        ({"recent_sectors": 0, "window_ms": 2999}, "sync-target"),
        ({"recent_sectors": 0, "window_ms": 3000}, "sync-stalled"),
        ({"mark_ms": None, "window_ms": None, "recent_sectors": 0}, "sync-target"),
    ],
)
def test_resync_that_does_not_move(changes, key):
    target = peer_device(
        replication_state=ReplicationState.SYNC_TARGET,
        out_of_sync_kib=100,
        progress=progress(**changes),
    )
    one = mesh(connection("storage02", target), devices=(device(disk_state=HALF),))
    assert key in [found for found, *_ in judge_drbd("drbd-sync", drbd_view(one)).findings]


# -- how a copy comes back ---------------------------------------------------------------------

USER, PEER, OTHER = "user", "peer", "dependency"


@pytest.mark.parametrize(
    ("state", "flags", "step"),
    [
        (ReplicationState.PAUSED_SYNC_T, {USER}, "on storage01: drbdadm resume-sync r0"),
        (ReplicationState.PAUSED_SYNC_T, {PEER}, "on storage02: drbdadm resume-sync r0"),
        (ReplicationState.PAUSED_SYNC_T, {OTHER}, None),
        (ReplicationState.PAUSED_SYNC_T, set(), None),
        (ReplicationState.ESTABLISHED, {USER}, None),
    ],
)
def test_pause_of_a_resync_to_here_is_ended_where_it_was_set(state, flags, step):
    peer = peer_device(replication_state=state, resync_suspended=frozenset(flags))
    own = device(disk_state=HALF)
    one = mesh(connection("storage02", peer), devices=(own,))
    found = own_copy_step(drbd_view(one), one, own)
    assert (found == step) if step else ("resume-sync" not in found)


@pytest.mark.parametrize(
    ("state", "flags", "step"),
    [
        (ReplicationState.PAUSED_SYNC_S, {USER}, "on storage01: drbdadm resume-sync r0"),
        (
            ReplicationState.PAUSED_SYNC_S,
            {USER, PEER},
            "on storage01: drbdadm resume-sync r0; on storage02: drbdadm resume-sync r0",
        ),
        (ReplicationState.SYNC_SOURCE, set(), "Wait; watch it with: drbdadm status r0"),
        (
            ReplicationState.ESTABLISHED,
            {PEER},
            "on storage02: drbdadm status r0; wait until the resync there is done; where"
            " none runs, somebody paused it (resync-suspended:user): drbdadm resume-sync r0",
        ),
    ],
)
def test_copy_of_a_peer_comes_back(state, flags, step):
    peer = peer_device(
        replication_state=state, resync_suspended=frozenset(flags), peer_disk_state=HALF
    )
    one = mesh(connection("storage02", peer))
    assert copy_step(drbd_view(one), one, device(), "storage02") == step


def test_nobody_paused_it():
    one = mesh()
    assert pause_step(drbd_view(one), one, connection("storage02"), peer_device()) is None


@pytest.mark.parametrize(
    ("peer", "words"),
    [
        (peer_device(peer_disk_state=HALF), "Inconsistent (no usable copy)"),
        (
            peer_device(peer_disk_state=HALF, resync_suspended=frozenset({PEER})),
            "Inconsistent, resync by another node or paused",
        ),
        (
            peer_device(peer_disk_state=HALF, resync_suspended=frozenset({PEER, USER})),
            "Inconsistent (no usable copy)",
        ),
        (peer_device(peer_disk_state=DiskState.OUTDATED), "Outdated (whole, but old)"),
        (peer_device(peer_disk_state=DiskState.FAILED), "its disk is Failed there"),
        (
            peer_device(peer_disk_state=DiskState.DISKLESS),
            "Diskless, a bitmap is kept for it: disk failed or detached, or a client",
        ),
        (peer_device(peer_disk_state=DiskState.D_UNKNOWN), ""),
        (
            peer_device(replication_state=ReplicationState.SYNC_SOURCE, progress=progress()),
            "being resynchronised, 25.0% done",
        ),
    ],
)
def test_why_a_copy_does_not_count(peer, words):
    one = mesh(connection("storage02", peer))
    assert copy_words(drbd_view(one), one, device(), "storage02") == words
    down = mesh(away("storage02"))
    assert copy_words(drbd_view(down), down, device(), "storage02") == ""


# -- what must run where DRBD is promoted ------------------------------------------------------


def carried(*colocations, **more):
    """The pairs of services and r0, whose clone is ``c``."""
    configured = {
        "p": Configured("p", "primitive", "c", agent="ocf:linbit:drbd", parameters={
            "drbd_resource": "r0"}),
        "c": Configured("c", "clone", members=("p",)),
        "g": Configured("g", "group", members=("IP", "VM")),
        "IP": Configured("IP", "primitive", "g", agent="ocf:heartbeat:IPaddr2"),
        "VM": Configured("VM", "primitive", "g", agent="ocf:heartbeat:VirtualDomain"),
        "X": Configured("X", "primitive", agent="ocf:heartbeat:apache"),
    }  # fmt: skip
    known = replace(cib(), resources=configured, colocations=colocations)
    seen = view(cluster(), cib=known, **more)
    return sorted((pair.resource, pair.drbd) for pair in pairs(seen))


def must(dependent, primary, role=None, score=1_000_000):
    return Colocation("with", Member(dependent), Member(primary, role), score)


PROMOTED = "Promoted"


@pytest.mark.parametrize(
    ("colocations", "found"),
    [
        ((), ["p"]),
        ((must("X", "c", PROMOTED),), ["X"]),
        ((must("X", "c"),), ["p"]),
        ((must("X", "c", PROMOTED, 100),), ["p"]),
        ((must("X", "c", "Unpromoted"),), ["p"]),
        ((must("X", "other", PROMOTED),), ["p"]),
        # Of a group the member that opens the device.
        ((must("g", "c", PROMOTED),), ["VM"]),
        ((must("g", "c", PROMOTED), must("X", "g")), ["VM", "X"]),
        ((must("g", "c", PROMOTED), must("X", "IP")), ["VM", "X"]),
        ((must("X", "g"), must("g", "c", PROMOTED)), ["VM", "X"]),
        ((must("g", "c", PROMOTED), must("X", "IP", "Unpromoted")), ["VM"]),
    ],
)
def test_what_must_run_with_the_promoted_instance(colocations, found):
    assert carried(*colocations) == [(name, "r0") for name in found]


# -- causes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "follows"), [("r0", True), ("r1", False)])
def test_disabled_service_explains_the_primary_that_its_drbd_lacks(name, follows):
    cause = told("resource-disabled", subject.resource("FS"))
    none = told("primary-none", subject.drbd(name))
    lost = told("primary-none", subject.cluster("drbd"))
    seen = view(cluster(resources=(stopped(),)), cib=on_drbd("FS", "/dev/drbd/by-res/r0/0"))
    found = faults(seen, (cause, none, lost))
    assert (none in found[0].follows) is follows
    assert all(lost not in each.follows for each in found)


# -- several nodes -----------------------------------------------------------------------------


def one_of(name, **facts):
    seen = view(cluster(**facts), here=name)
    return Judgement(seen, report("nodes", seen))


def test_what_each_node_says_by_itself():
    seen = [one_of("app01"), one_of("app02")]
    seen[1] = seen[1]._replace(
        report=replace(seen[1].report, faults=(Fault(told("node-standby", subject.node("app02"))),))
    )
    lines = {line.check: line.text for line in together(seen, {}, Asked()).lines}
    assert lines == {"app01": seen[0].report.summary, "app02": "it is so"}
    seen[0] = seen[0]._replace(report=replace(seen[0].report, summary=""))
    lines = {line.check: line.text for line in together(seen, {}, Asked()).lines}
    assert lines["app01"] == "in order"


def test_fault_of_a_node_is_seen_from_those_whose_evidence_has_it():
    nodes = (node("app01"), node("app02", standby=True), node("app03"))
    seen = [one_of(name, nodes=nodes) for name in ("app01", "app02", "app03")]
    judged = together(seen, {}, Asked())
    (fault,) = [each for each in judged.faults if each.cause.key == "node-standby"]
    assert fault.seen_from == ("app01", "app02", "app03")
    alone = [one_of("app01"), one_of("app02", nodes=nodes), one_of("app03")]
    alone[1] = alone[1]._replace(report=replace(alone[1].report, findings=()))
    fault = Fault(told("node-standby", subject.node("app02"), ("app02",)))
    assert _seen_from(fault, alone) == ("app02",)


def test_since_when_is_told_of_a_fault_of_the_whole():
    known = replace(cib(), stopped={"FS": Ran("app01", "stop", int(NOW.timestamp()) - 60)})
    seen = []
    for name in ("app01", "app02"):
        each = view(cluster(resources=(stopped(),)), here=name, cib=known)
        seen.append(Judgement(each, report("resources", each)))
    (fault,) = [f for f in together(seen, {}, Asked()).faults if f.cause.key == "resource-stopped"]
    assert fault.facts == ("FS was stopped on app01 08:59:00 UTC (60 s ago)",)


def test_value_of_corosync_that_most_have_comes_first_and_of_as_many_the_lesser():
    def seen(*tokens):
        return [
            Judgement(view(here=f"app0{number}", cmap=cmap(token_ms=token)), Report())
            for number, token in enumerate(tokens, start=1)
        ]

    (found,) = corosync_differences(seen(3000, 1000, 3000))
    assert found == ("token", (("3000 ms", ("app01", "app03")), ("1000 ms", ("app02",))))
    (found,) = corosync_differences(seen(3000, 1000))
    assert found == ("token", (("1000 ms", ("app02",)), ("3000 ms", ("app01",))))
    assert list(corosync_differences(seen(3000, 3000, None))) == []


@pytest.mark.parametrize(("seconds", "disputed"), [(0, True), (60, False)])
def test_ends_that_were_asked_at_other_times_do_not_contradict_each_other(seconds, disputed):
    stuck = connection("storage02", peer_device(replication_state=ReplicationState.WF_BITMAP_S))
    first = view_of("storage01", NOW, drbd=(resource(stuck),))
    later = NOW + timedelta(seconds=seconds)
    second = view_of("storage02", later, drbd=(resource(connection("storage01")),))
    seen = [Judgement(first, Report()), Judgement(second, Report())]
    found = [each.key for each in together(seen, {}, Asked()).findings]
    assert bool(found) is disputed


def test_node_that_says_of_itself_that_it_is_out_goes_before_the_others():
    offline = told("node-offline", subject.node("app02"), ("app02",))
    other = told("node-standby", subject.node("app02"), ("app02",))
    views = [view(here=name) for name in ("app01", "app02")]
    own = replace(offline, text="app02 says so")
    seen = [
        Judgement(views[0], Report((offline, other))),
        Judgement(views[1], Report((own,))),
    ]
    texts = [(each.key, each.text) for each in told_by_all(seen, partitions(seen))]
    assert ("node-offline", "app02 says so") in texts
    assert len([key for key, _ in texts if key == "node-offline"]) == 1
    assert ("node-standby", "it is so") in texts


# -- what changed ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (True, False, {"quorum": ("yes", "no")}),
        (True, True, {}),
        (None, True, {"quorum": (None, "yes")}),
    ],
)
def test_quorum_is_a_fact(before, after, changed):
    sides = [
        Side([Judgement(view(cluster(quorate=each)), Report())], ()) for each in (before, after)
    ]
    found = difference(*sides).changes
    assert {each.name: (each.before, each.after) for each in found} == changed


# -- how a copy that differs is mended ---------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "utils", "by_bitmap", "whole"),
    [
        ("9.0.29", "9.17.0", True, False),
        ("9.0.28", "9.17.0", False, True),
        ("9.1.0", "9.16.9", False, True),
        ("9.1.0", None, True, True),
        (None, None, True, True),
        ("9.1.0", "9.17", True, False),
    ],
)
def test_how_blocks_are_copied_depends_on_the_versions(module, utils, by_bitmap, whole):
    seen = drbd_view(mesh())
    seen.drbd_module, seen.drbd_utils = module, utils
    step = compare_step(seen, "r0", 0, "storage02", None)
    assert ("invalidate --reset-bitmap=no" in step) is by_bitmap
    assert ("drbdadm invalidate r0/0" in step) is whole
    # It forgets what was found: only where nothing was.
    assert "drbdadm connect" not in step.partition("if there are some")[2]


def test_of_ten_nodes_that_need_verify_alg_eight_are_named():
    names = [f"s{number:02}" for number in range(1, 11)]
    options = shown("r0", *(shown_connection(each, net={}) for each in names[1:]))
    seen = drbd_view(mesh(), node="s01", options=(options,))
    assert compare_step(seen, "r0", 0, "s02", None).startswith(
        "1. set verify-alg in the net section of r0 on all its nodes"
        f" ({', '.join(names[:8])} and 2 more), then on each: drbdadm net-options r0. 2. on s01:"
    )


# -- nodes -------------------------------------------------------------------------------------


def test_services_that_nobody_has_until_a_node_is_fenced():
    lost = (node("app01"), node("app02", online=False, unclean=True), node("app03"))
    on = tuple(primitive(f"S{number}", "app02") for number in range(6))
    device = primitive("fence-all", "app03", agent="stonith:fence_x")
    for fencing, until in ((True, " until it is fenced"), (False, "")):
        known = cluster(lost, (*on, device), options=options(fencing_enabled=fencing))
        judged = report("nodes", view(known))
        (found,) = [each for each in judged.findings if each.key == "node-unclean"]
        assert found.text.endswith(f"nobody has S0, S1, S2 and 3 more{until}")


def test_node_that_was_expected_by_the_file_is_known():
    config = Config(nodes=("app09",), tie_breakers=("app09",))
    seen = view(cluster(), config=config, cmap=cmap(nodes=MEMBERS))
    keys = [key for key, *_ in said(report("placement", seen))]
    assert "config-unknown-name" not in keys


# -- figures of many volumes -------------------------------------------------------------------


@pytest.mark.parametrize(("count", "single"), [(16, True), (17, False)])
@pytest.mark.parametrize("check", ["drbd-sync", "drbd-quorum", "drbd-disk"])
def test_each_of_sixteen_volumes_has_its_figures(check, count, single):
    labels = [each.label for each in report(check, drbd_view(volumes(count))).figures]
    assert any(label.startswith("r0/15") for label in labels) is single


def test_copies_of_many_volumes_that_one_peer_lacks_are_one_finding_at_the_first():
    gone = away("storage02")
    (its,) = gone.peer_devices
    peers = tuple(replace(its, volume=number) for number in range(6))
    whole = tuple(peer_device(number) for number in range(6))
    one = resource(
        replace(gone, peer_devices=peers),
        connection("storage03", *whole),
        devices=tuple(device(number) for number in range(6)),
    )
    found = [f for f in report("drbd-quorum", drbd_view(one)).findings if f.key == "copies-low"]
    assert [(each.object, "6 volumes (r0/0, r0/1 and 4 more)" in each.text) for each in found] == [
        ("r0/0", True)
    ]


# -- the configuration file and DRBD -----------------------------------------------------------


@pytest.mark.parametrize(
    ("replicas", "kept"),
    [
        (("storage01", "storage02", "storage03"), []),
        (("storage01", "storage02", "storage3"), ["drbd.r0.replicas"]),
        # One that is missing, and no other is there in its place.
        (("storage01", "storage02", "storage03", "storage04"), []),
    ],
)
def test_name_that_stands_for_another_is_unknown(replicas, kept):
    config = Config(drbd={"r0": DrbdRule(replicas=replicas)})
    found = report("drbd-quorum", drbd_view(mesh(), config=config)).findings
    assert [f.object for f in found if f.key == "config-unknown-name"] == kept
    if kept:  # the others of the list still count
        assert not [f for f in found if "storage3" in f.nodes]


# -- who tells, once more ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "nodes", "who"),
    [
        ("node-standby", ("app02",), "app02"),
        ("node-offline", ("app01",), "app02"),
        ("node-offline", ("app02",), "app01"),
        ("resource-stopped", ("app01", "app02"), "app02"),
    ],
)
def test_controller_tells_also_what_is_about_itself_unless_it_is_gone(key, nodes, who):
    """Its word is asked for by app03."""
    cause = told(key, subject.node(nodes[0]), nodes)
    assert speaker_of(view(cluster(dc="app02"), here="app03"), Fault(cause)) == who


def test_first_member_that_is_there_tells_that_the_controller_is_gone():
    cause = told("node-unclean", subject.node("app01"), ("app01",))
    seen = view(cluster(), here="app03")
    assert speaker_of(seen, Fault(cause)) == "app02"
    other = told("resource-stopped", subject.resource("FS"), ("app01",))
    assert speaker_of(seen, Fault(other)) == "app01"


def test_gravest_loss_is_the_one_that_ends_the_quorum():
    def loss(name, quorate):
        return Consequence((name,), (), (None, None, None), quorate, (), "")

    several = [loss("a", True), loss("b", False), loss("c", None)]
    assert [each.lost for each in sorted(several, key=_gravity)] == [("b",), ("a",), ("c",)]


# -- groups, once more -------------------------------------------------------------------------


def test_members_that_fail_alike_are_told_with_the_first():
    one = group(
        primitive("FS", failed=True), primitive("DB", failed=True), stopped("IP"), stopped("WEB")
    )
    (found,) = of_resources(one)
    assert found[0] == "resource-failed"
    assert "; DB too; IP, WEB wait for it" in found[2]


def test_fence_device_and_clone_are_no_services_that_run_since():
    started = {("fence", "app01"): 1, ("ping", "app01"): 1}
    known = replace(cib(), started=started)
    one = cluster(resources=(fence_device(), clone(primitive("ping"))))
    assert happened(view(one, cib=known)) == ()


# -- members that no link reaches --------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "text", "silent", "more"),
    [
        ("node-offline", "app02 offline, no link to app02", ("app02",), True),
        ("node-offline", "app02 offline, no link to app02", (), False),
        ("node-offline", "app02 offline", ("app02",), False),
        ("node-unclean", "app02 unclean, no link to app02", ("app02",), False),
    ],
)
def test_member_that_neither_a_link_nor_ssh_reaches(key, text, silent, more):
    cause = replace(told(key, subject.node("app02"), ("app02",)), text=text)
    follows = tuple(finding(UNASKED, subject.node(n), "silent", nodes=(n,)) for n in silent)
    words = _unreached(Fault(cause, follows)).cause.text
    assert words == text + (", nor does ssh reach it: off, or cut off" if more else "")


# -- a check as a part of the whole ------------------------------------------------------------

OWN = told("fail-count", subject.resource("FS"))
CAUSE = told("node-standby", subject.node("app02"))


@pytest.mark.parametrize(
    ("mine", "kinds", "quiet"),
    [
        ((OWN, CAUSE), {"fail-count", "node-standby"}, True),
        ((OWN,), {"fail-count"}, True),
        # Its own kind, and not among its findings: nobody is sure to tell it.
        ((OWN,), {"fail-count", "node-standby"}, False),
    ],
)
def test_what_follows_from_a_cause_that_somebody_tells_is_quiet(mine, kinds, quiet):
    faults_ = (Fault(CAUSE, (OWN,)),)
    part = folded(Report(mine), faults_, frozenset(kinds), {})
    first = part.findings[0]
    assert first.state is (State.OK if quiet else State.WARNING)
    assert first.text == ("follows from node-standby app02: it is so" if quiet else "it is so")
    assert [(one.key, of.key) for one, of in part.folded] == (
        [("fail-count", "node-standby")] if quiet else []
    )


def test_summary_of_a_part_stays_where_something_is_told():
    assert folded(Report((OWN,), "1 fail-count"), (), frozenset(), {}).summary == "1 fail-count"
    assert folded(Report((), "no fail-count"), (), frozenset(), {}).summary == "no fail-count"
    quiet = folded(Report((OWN,), "1 fail-count"), (Fault(CAUSE, (OWN,)),), frozenset(), {})
    assert quiet.summary == "follows from node-standby app02: it is so"


def test_faults_of_a_part_are_those_that_it_has_a_finding_of():
    other = told("link-down", subject.node("app03"))
    more = told("disk-failed", subject.node("app03"))
    by_cause, by_consequence = Fault(OWN, (other,)), Fault(CAUSE, (more, OWN))
    all_of_them = (by_cause, by_consequence, Fault(other, (more,)), Fault(more))
    assert folded(Report((OWN,)), all_of_them, frozenset(), {}).faults == all_of_them[:2]


def test_what_a_daemon_did_not_say_is_told_once():
    problem = next(kind for kind in sorted(OF_A_DAEMON, key=lambda kind: kind.key))
    each = finding(problem, subject.tool("crm_mon"), "no answer")
    part = folded(Report((each,)), (), frozenset(), {each: "nodes"})
    assert [(one.state, one.text) for one in part.findings] == [
        (State.OK, "told by nodes: no answer")
    ]
    assert [(of.key) for _, of in part.folded] == [problem.key]


def test_line_of_a_part_is_quiet_where_another_node_tells_it():
    spoken = told("node-standby", subject.node("app02"))
    lines = (
        Line("nodes", State.WARNING, "it is so", keys=frozenset({"node-standby"})),
        Line("resources", State.OK, "all run", keys=frozenset({"resource-stopped"})),
    )
    fault = replace(Fault(spoken), speaker="app02", spoken=False)
    hush = hushed(Report((spoken,), faults=(fault,), lines=lines))
    assert [(each.state, each.text) for each in hush.lines] == [
        (State.OK, "told by app02: it is so"),
        (State.OK, "all run"),
    ]
    assert hush.state is State.OK


# -- bundles -----------------------------------------------------------------------------------


def in_bundle(*states, **changes):
    """A replica a state: whether its container runs, and its service."""
    return bundle(
        *(
            [
                primitive(f"web-podman-{i}", f"app0{i + 1}") if up else stopped(f"web-podman-{i}"),
                primitive(f"in:{i}", f"web-{i}") if inside else stopped(f"in:{i}"),
            ]
            for i, (up, inside) in enumerate(states)
        ),
        **changes,
    )


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (in_bundle((True, True), (True, True), (True, True)), []),
        (
            in_bundle((True, True), (True, True), (False, False)),
            [("clone-degraded", "web: 2 of 3 instances run")],
        ),
        (
            in_bundle((False, False), (False, False), (False, False)),
            [("clone-down", "web has no running instance")],
        ),
        (
            in_bundle((True, True), (True, True), (True, False)),
            [
                ("resource-stopped", "in:2 (web) is stopped"),
                ("clone-degraded", "web: 2 of 3 instances run"),
            ],
        ),
    ],
)
def test_replicas_of_a_bundle(one, found):
    assert [(key, text) for key, _, text in of_resources(one)] == found


def test_bundle_that_nobody_manages_is_told_once():
    replicas = [[primitive(f"web-podman-{i}", f"app0{i + 1}", managed=False)] for i in range(3)]
    found = of_resources(bundle(*replicas, managed=False))
    assert [(key, text) for key, _, text in found] == [("resource-unmanaged", "web is unmanaged")]


# -- a fence constraint, and whether it is over ------------------------------------------------


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (mesh(), "was left behind"),
        (mesh(connection("storage02", peer_device(peer_disk_state=HALF))), None),
        (mesh(away("storage02")), None),
        (mesh(devices=(device(disk_state=HALF),)), None),
        (mesh(unrecognised=("?",)), "forbids to promote fs-clone until"),
    ],
)
def test_constraint_of_a_fence_handler_is_over_once_every_disk_is_up_to_date(one, words):
    configured = {
        "fs": Configured(
            "fs", "primitive", "fs-clone", agent="ocf:linbit:drbd",
            parameters={"drbd_resource": "r0"},
        ),
        "fs-clone": Configured("fs-clone", "clone", members=("fs",)),
    }  # fmt: skip
    place = location("fs-clone", None, None, "drbd-fence-by-handler-r0-fs-clone")
    known = replace(cib(locations=(place,)), resources=configured)
    whole = clone(primitive("fs", "app01", Role.PROMOTED), name="fs-clone", promotable=True)
    judged = report("placement", view(cluster(resources=(whole,)), cib=known, drbd=(one,)))
    texts = [each.text for each in judged.findings if each.key == "leftover-fence"]
    assert len(texts) == (words is not None)
    assert all(words in text for text in texts)
    assert ("in force: a disk is not UpToDate" in judged.summary) is (words is None)


def test_constraint_of_a_fence_handler_is_about_its_own_drbd_alone():
    configured = {
        each.id: each
        for name, drbd in (("fs", "r0"), ("db", "r1"))
        for each in (
            Configured(
                name, "primitive", f"{name}-clone", agent="ocf:linbit:drbd",
                parameters={"drbd_resource": drbd},
            ),
            Configured(f"{name}-clone", "clone", members=(name,)),
        )
    }  # fmt: skip
    place = location("fs-clone", None, None, "drbd-fence-by-handler-r0-fs-clone")
    known = replace(cib(locations=(place,)), resources=configured)
    instances = [clone(primitive(name, "app01", Role.PROMOTED), name=f"{name}-clone",
                       promotable=True) for name in ("fs", "db")]  # fmt: skip
    half = connection("storage02", peer_device(peer_disk_state=HALF))
    for r0, r1, over in (
        (mesh(), mesh(half, name="r1"), True),
        (mesh(half), mesh(name="r1"), False),
    ):
        seen = view(cluster(resources=instances), cib=known, drbd=(r0, r1))
        keys = [each.key for each in report("placement", seen).findings]
        assert ("leftover-fence" in keys) is over


# -- versions ----------------------------------------------------------------------------------


def test_versions_that_differ_the_most_frequent_first():
    def seen(*versions):
        judged = []
        for number, version in enumerate(versions, start=1):
            one = view(here=f"app0{number}")
            one.drbd_module = version
            judged.append(Judgement(one, Report()))
        return [
            each.text
            for each in together(judged, {}, Asked()).findings
            if each.key == "versions-mixed"
        ]

    assert seen("9.1.4", "9.1.7", "9.1.4") == []
    (text,) = seen("9.2.1", "9.1.4", "9.2.1")
    assert text == "DRBD's kernel module is 9.2 on app01, app03, 9.1 on app02"
    (text,) = seen("9.2.1", "9.1.4")
    assert text.startswith("DRBD's kernel module is 9.1 on app02")


# -- half a copy -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "peer", "step"),
    [
        (HALF, "storage02", "on storage02: drbdadm status r0"),
        (DiskState.OUTDATED, "app01", "on app01: drbdadm status r0"),
        # To half a copy a client can bring nothing: what is connected can.
        (HALF, "app01", "on storage01: drbdadm disconnect r0:storage02"),
    ],
)
def test_connection_that_is_missing_brings_an_old_copy_up_to_date(state, peer, step):
    own = device(disk_state=state)
    one = mesh(away(peer), devices=(own,))
    assert own_copy_step(drbd_view(one), one, own).startswith(step)


@pytest.mark.parametrize(("count", "single"), [(16, True), (17, False)])
def test_each_of_sixteen_resources_has_its_figure_of_connections(count, single):
    several = tuple(replace(mesh(), name=f"r{number}") for number in range(count))
    labels = [each.label for each in report("drbd-mesh", drbd_view(*several)).figures]
    assert ("r0_connected" in labels) is single


# -- starts one after the other ----------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "moves"), [(0, True), (1, True), (3600, False)])
def test_member_behind_one_that_was_started_a_moment_ago_is_to_start(seconds, moves):
    at = int(NOW.timestamp()) - seconds
    known = replace(cib(), started={("FS", "app01"): at})
    found = of_resources(group(primitive("FS"), stopped("DB")), cib=known)
    assert [key for key, *_ in found] == ["resource-transition" if moves else "resource-stopped"]


# -- what the inputs say against each other ----------------------------------------------------


@pytest.mark.parametrize("check", ["nodes", "fencing", "placement", "overview", "cluster"])
def test_contradiction_of_two_tools_is_told_once_by_every_check_that_reads_both(check):
    nodes = {each.name: CibNode(each.name) for each in MEMBERS}
    known = replace(cib(), nodes=nodes)
    judged = report(check, view(cluster(resources=(primitive(),)), cib=known))
    texts = [each.text for each in judged.findings if each.key == "output-invalid"]
    assert texts == ["cibadmin: the CIB does not have FS, which crm_mon shows"]


# -- members that are lost, and that can run something -----------------------------------------


@pytest.mark.parametrize(
    ("changes", "lost", "usable_"),
    [
        ({}, False, True),
        ({"online": False}, True, False),
        ({"online": None}, False, False),
        ({"unclean": True}, True, False),
        ({"standby": True}, False, False),
        ({"maintenance": True}, False, False),
        ({"pending": True}, False, False),
        ({"shutdown": True}, False, False),
        ({"standby_onfail": True}, False, False),
    ],
)
def test_member_by_each_of_its_states(changes, lost, usable_):
    one = node("app02", **changes)
    assert lost_nodes(cluster((node(), one))) == (frozenset({"app02"}) if lost else frozenset())
    assert usable(one) is usable_


# -- which connection first --------------------------------------------------------------------


def test_connection_that_does_not_come_back_by_itself_is_mended_first():
    own = device(disk_state=HALF)
    one = mesh(away("storage02"), away("storage03", ConnectionState.STANDALONE), devices=(own,))
    step = own_copy_step(drbd_view(one), one, own)
    assert "drbdadm connect r0:storage03" in step
    both = mesh(away("storage02"), away("storage03"), devices=(own,))
    assert own_copy_step(drbd_view(both), both, own).startswith("on storage02: drbdadm status")


def test_connections_to_two_nodes_are_not_one_nodes_stack():
    each = told("peer-connecting", subject.drbd("r0"), ("app02", "app03"))
    seen = view(cluster(), links=links(link(2), link(3)))
    assert beside(seen, [Report((each,))])[0].findings == (each,)
    alone = told("peer-connecting", subject.drbd("r0"), ("app02",))
    (found,) = beside(seen, [Report((alone,))])[0].findings
    assert found.text == (
        "it is so; the cluster stack of app02 runs, the port or link of DRBD does not"
    )


# -- a node that left in order says so itself --------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "follows", "who"),
    [
        (2, (), "app02"),
        (3, (), "app01"),
        (2, (("resource-stopped", State.CRITICAL),), "app01"),
        (2, (("resource-stopped", State.WARNING),), "app02"),
        # What would not survive another fault is not out of order now.
        (2, (("no-candidate", State.CRITICAL),), "app02"),
    ],
)
def test_node_that_left_in_order_and_is_reached_tells_it(peer, follows, who):
    cause = replace(told("node-offline", subject.node("app02"), ("app02",)), reason="left")
    more = tuple(replace(told(key, R0), state=state) for key, state in follows)
    seen = view(cluster(GONE2), here="app03", links=links(link(peer)))
    assert speaker_of(seen, Fault(cause, more)) == who


# -- groups whose members have other faults ----------------------------------------------------


def test_member_with_another_fault_is_told_beside_the_one_that_stops_the_group():
    one = group(primitive("FS", failed=True), primitive("DB", managed=False), stopped("IP"))
    found = of_resources(one)
    assert [key for key, *_ in found] == ["resource-failed", "resource-unmanaged"]
    assert "; IP waits for it" in found[0][2]
    assert "DB" in found[1][2]


# -- options that differ -----------------------------------------------------------------------


def test_value_that_comes_first_is_the_lesser_where_as_many_have_it():
    seen = [
        Judgement(
            view_of(name, NOW, drbd=(mesh(here=name),), show=(shown("r0", options={"quorum": v}),)),
            Report(),
        )
        for name, v in (("storage01", "off"), ("storage02", "majority"))
    ]
    texts = [f.text for f in together(seen, {}, Asked()).findings if f.key == "config-differs"]
    assert texts == ["r0: quorum is majority on storage02, off on storage01"]


# -- whose evidence a fault is seen in ---------------------------------------------------------


def test_another_finding_of_the_same_node_is_no_evidence_of_a_fault():
    fault = Fault(told("node-standby", subject.node("app02"), ("app02",)))
    other = told("node-maintenance", subject.node("app02"), ("app02",))
    same = told("node-standby", subject.node("app03"), ("app03",))
    seen = [
        Judgement(view(here="app01"), Report((other,))),
        Judgement(view(here="app03"), Report((same,))),
    ]
    assert _seen_from(fault, seen) == ()


# -- the first line ----------------------------------------------------------------------------


@pytest.mark.parametrize(("length", "fits"), [(100, True), (101, False)])
def test_first_line_holds_a_hundred_characters(length, fits):
    first = "x" * 50
    reports = [
        (registry.load("placement"), Report((), first)),
        (registry.load("nodes"), Report((), "y" * (length - len(first) - len("; ")))),
    ]
    assert (len(_essence(reports)) == length) is fits
    assert _essence(reports).startswith(first)


# -- why nothing is promoted -------------------------------------------------------------------


def replicas(*roles, **answers):
    instances = [
        primitive("fs", name, role) for name, role in zip(("app01", "app02", "app03"), roles)
    ]
    one = clone(*instances, name="fs-clone", promotable=True)
    banned = tuple(
        ban("fs-clone", name, f"no-{name}", promoted_only=True)
        for name in ("app01", "app02", "app03")
    )
    return report("resources", view(cluster(resources=(one,), bans=banned), **answers)).findings


def test_reason_why_no_instance_is_promoted_is_one_against_promotion():
    (found,) = replicas(Role.UNPROMOTED, Role.UNPROMOTED, Role.UNPROMOTED)
    assert found.key == "promoted-missing"
    assert "cannot promote fs-clone: no-app01 forbids it" in found.text


@pytest.mark.parametrize(("drbd_", "nothing"), [(None, False), ((mesh(here="app01"),), True)])
def test_nothing_visible_is_said_only_where_drbd_was_seen_too(drbd_, nothing):
    answers = {} if drbd_ is None else {"drbd": drbd_}
    known = on_drbd("FS", "/dev/drbd/by-res/r0/0")
    judged = report("resources", view(cluster(resources=(stopped(),)), cib=known, **answers))
    (found,) = judged.findings
    assert (found.key, "nothing visible" in found.text) == ("resource-stopped", nothing)


# -- filters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "pattern", "keys"),
    [
        ("consistency", "FS", []),
        ("consistency", "r0", []),
        ("resources", "XX", ["resource-missing"]),
        ("resources", "X*", ["resources-none"]),
    ],
)
def test_filter_that_matches_nothing(check, pattern, keys):
    seen = view(cluster(resources=(primitive(),)), cib=on_drbd("FS"), drbd=(drbd(),))
    found = [each.key for each in report(check, seen, patterns=(pattern,)).findings]
    assert [key for key in found if key.startswith("resource")] == keys


# -- what several nodes fold -------------------------------------------------------------------


@pytest.mark.parametrize(("reason", "follows"), [("", True), ("nothing", True), ("barred", False)])
def test_lost_node_explains_what_is_stopped_for_no_reason_of_its_own(reason, follows):
    lost = told("node-offline", subject.node("app02"), ("app02",))
    down = replace(told("resource-stopped", subject.resource("FS"), ("app03",)), reason=reason)
    seen = view(cluster(resources=(stopped(),)))
    found = faults(seen, (lost, down), CLUSTER_RULES)
    assert (len(found) == 1) is follows


@pytest.mark.parametrize(
    ("members", "links_", "more"),
    [
        ((), (), False),
        ((2, 3), (LinkState.DISCONNECTED, LinkState.DISCONNECTED), True),
        ((2, 3), (LinkState.CONNECTED, LinkState.DISCONNECTED), False),
        ((2, 3), (LinkState.CONNECTED, LinkState.CONNECTED), False),
        ((2,), (LinkState.DISCONNECTED,), True),
    ],
)
def test_isolated_node_is_compared_with_corosyncs_links(members, links_, more):
    each = replace(
        told("mesh-isolated", R0, ("app02", "app03")), text="no peer of r0 is connected (2 of 2)"
    )
    up = links(*(link(number, state=state) for number, state in zip(members, links_)))
    (found,) = beside(view(cluster(), links=up), [Report((each,))])[0].findings
    assert ("no Corosync link is up (" in found.text) is more


@pytest.mark.parametrize(("role", "nodes"), [(Role.STOPPED, ()), (Role.STOPPING, ("app01",))])
def test_what_is_stopped_is_nowhere_whatever_node_is_named(role, nodes):
    assert where(primitive(role=role)) == nodes


@pytest.mark.parametrize(
    ("first", "word"), [(Role.STOPPING, "stopping"), (Role.STARTING, "starting")]
)
def test_first_of_several_that_move_names_it(first, word):
    other = Role.STARTING if first is Role.STOPPING else Role.STOPPING
    one = group(primitive("FS", role=first), primitive("DB", role=other))
    assert whereabouts(one) == f"is {word} on app01"


# -- what a part stands on ---------------------------------------------------------------------


def test_clone_of_drbd_stands_on_its_resource_though_a_service_is_mapped_to_it():
    configured = {
        "p": Configured("p", "primitive", "c", agent="ocf:linbit:drbd", parameters={
            "drbd_resource": "r0"}),
        "c": Configured("c", "clone", members=("p",)),
        "X": Configured("X", "primitive", agent="ocf:heartbeat:apache"),
    }  # fmt: skip
    known = replace(cib(), resources=configured, colocations=(must("X", "c", PROMOTED),))
    index = PairIndex(view(cluster(), cib=known))
    one = clone(primitive("p"), name="c", promotable=True)
    assert [(pair.resource, pair.drbd) for pair in index.below(one)] == [("p", "r0")]
    assert [(pair.resource, pair.drbd) for pair in index.below(primitive("X"))] == [("X", "r0")]
    assert index.below(primitive("IP")) == ()


def test_since_when_what_failed_runs_where_it_does():
    known = replace(cib(), started={("FS", "app01"): int(NOW.timestamp()) - 60})
    seen = view(cluster(resources=(primitive(), primitive("IP"))), cib=known)
    lines = happened_since(seen, told("resource-failed", subject.resource("FS")))
    assert lines == ("FS runs on app01 since 08:59:00 UTC (60 s ago)",)


@pytest.mark.parametrize(
    ("kind_of_node", "installed", "asked"),
    [
        ("member", True, True),
        ("member", False, True),
        ("remote", True, True),
        ("remote", False, False),
    ],
)
def test_links_are_not_asked_on_a_remote_node_without_corosync(kind_of_node, installed, asked):
    gone = Answer(None, (finding(TOOL_MISSING, subject.tool("corosync-cfgtool"), "not there"),))
    here = node("app01") if kind_of_node == "member" else remote("app01")
    seen = view(cluster((here, node("app02"))), links=links(link(2)) if installed else gone)
    assert ("links" in [check.name for check in fitting(seen)]) is asked


@pytest.mark.parametrize(
    ("disk", "words"),
    [
        (HALF, "r0/0 is Inconsistent there, and no other copy is left"),
        (DiskState.DISKLESS, "r0/0 has no UpToDate copy left"),
        (DiskState.UP_TO_DATE, None),
    ],
)
def test_data_that_a_node_would_have_after_a_loss(disk, words):
    one = resource(connection("storage02", peer_device(peer_disk_state=disk)))
    found = list(data_against(drbd_view(one), one, one.devices[0], "storage02", {"storage01"}))
    assert [text for text in found if "copy" in text] == ([words] if words else [])


def test_when_each_node_was_fenced_is_looked_at():
    known = cluster(
        resources=(fence_device(),),
        options=options(fencing_enabled=True),
        fence_events=(fence_event("app02", FenceStatus.SUCCESS),),
    )
    (line,) = [one for one in report("fencing", view(known)).looked_at if "fencing of" in one]
    assert line.startswith("fencing of app02: ")
    assert line.endswith(" 2026-11-22 08:59:00Z")


def test_check_of_a_name_that_is_none():
    with pytest.raises(KeyError, match="nothing"):
        registry.load("nothing")


@pytest.mark.parametrize(
    ("value", "state"),
    [(None, State.UNKNOWN), (float("nan"), State.UNKNOWN), (1.0, State.OK), (0, State.OK)],
)
def test_figure_that_is_not_known_is_in_no_range(value, state):
    assert Asked().limited_state(value) is state
