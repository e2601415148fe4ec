"""Rules of several checks by constructed evidence: bounds, both answers, what is left alone."""

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
    drbd,
    fence_device,
    group,
    location,
    node,
    on_drbd,
    options,
    primitive,
    remote,
    replace,
    report,
    said,
    stopped,
    view,
    view_of,
    votes,
)
from build import peer as drbd_peer
from build_drbd import (
    away,
    client_device,
    connection,
    device,
    mesh,
    peer_device,
    resource,
    shown,
    shown_connection,
    steps,
)
from build_drbd import judge as judge_drbd
from build_drbd import view as drbd_view
from check_mccluster.judge.active import activity
from check_mccluster.judge.difference import Side, difference
from check_mccluster.judge.engine import with_memory
from check_mccluster.judge.essence import essence
from check_mccluster.judge.facts.comparing import compare_step, odd_copy
from check_mccluster.judge.facts.drbd import copies
from check_mccluster.judge.facts.mending import own_copy_step
from check_mccluster.judge.facts.votes import tally
from check_mccluster.judge.faults import faults
from check_mccluster.judge.partitions import partitions
from check_mccluster.judge.settings import more_inputs
from check_mccluster.judge.speaker import speaker_of
from check_mccluster.model.config import Config, DrbdRule, PlacementRule
from check_mccluster.model.configuration import CibNode, Configured, Order, PendingOperation
from check_mccluster.model.drbd import ConnectionState, DiskState, ReplicationState
from check_mccluster.model.drbd import Role as DrbdRole
from check_mccluster.model.pacemaker import Location, NodeAttribute, Role
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import Fault, Kind, Lasting, Report, State, finding
from check_mccluster.verdict.view import Asked, Judgement, name_of


def told(key, about, state=State.WARNING, nodes=(), text="it is so", reason=""):
    kind = Kind(key, state, "a meaning", "a step")
    return finding(kind, about, text, nodes=nodes, reason=reason)


PACEMAKERS = subject.resource("FS")

# -- memory ------------------------------------------------------------------------------------

LATE = told("fail-count", subject.resource("FS"))
HOUR = timedelta(hours=1)


def remembered(first, **lasting):
    """The finding LATE, first seen at a time, after an hour graver where *lasting* says so."""
    since = {} if first is None else {name_of(LATE): first}
    asked = Asked(since={"other": NOW, **since}, lasting=lasting)
    seen = Report((LATE,), faults=(Fault(LATE, (LATE,)),))
    judged = with_memory(seen, asked, NOW)
    (one,) = judged.findings
    assert judged.faults == (Fault(one, (one,)),)
    return one.text, one.state


@pytest.mark.parametrize(
    ("first", "text"),
    [
        (None, "it is so"),
        (NOW, "it is so"),
        (NOW + HOUR, "it is so"),
        (NOW - HOUR, "it is so, since 08:00 UTC"),
        (NOW - timedelta(days=1), "it is so, since 2026-11-21 09:00 UTC"),
    ],
)
def test_since_when_a_finding_is_known(first, text):
    assert remembered(first)[0] == text


@pytest.mark.parametrize(
    ("key", "seconds", "state"),
    [
        ("fail-count", 3600, State.CRITICAL),
        ("fail-count", 3601, State.WARNING),
        ("other", 1, State.WARNING),
    ],
)
def test_finding_that_lasts_is_graver(key, seconds, state):
    asked = {key: Lasting(State.CRITICAL, seconds)}
    assert remembered(NOW - HOUR, **asked)[1] is state


def test_without_memory_nothing_is_said_of_the_time():
    seen = Report((LATE,))
    assert with_memory(seen, Asked(), NOW) is seen


# -- causes ------------------------------------------------------------------------------------

LOST_QUORUM = told("quorum-lost", subject.cluster("quorum"), State.CRITICAL, ())


def causes(*findings):
    return [(f.cause.key, [each.key for each in f.follows]) for f in faults(view(), findings)]


@pytest.mark.parametrize(
    ("offline", "cause"),
    [
        ((), "mesh-isolated"),
        (("app02",), "quorum-lost"),
        (("app02", "app03"), "quorum-lost"),
        (("app01",), "mesh-isolated"),
    ],
)
def test_mesh_that_is_cut_off_explains_a_lost_quorum_unless_its_nodes_are_lost(offline, cause):
    """A node that is left alone by lost ones is not cut off itself."""
    isolated = told("mesh-isolated", subject.drbd("r0"), State.CRITICAL, ("app02",))
    lost = [told("node-offline", subject.node(name), nodes=(name,)) for name in offline]
    quorum = replace(LOST_QUORUM, nodes=())
    found = causes(isolated, quorum, *lost)
    assert found[0][0] == cause


# -- ping attributes ---------------------------------------------------------------------------


def pinging(value, *, expected=200, online=True, name="app02"):
    nodes = (node("app01"), node("app02", online=online))
    attribute = NodeAttribute(name, "pingd", value, expected)
    judged = report("nodes", view(cluster(nodes, attributes=(attribute,))))
    return [text for key, _, text in said(judged) if key == "connectivity-lost"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0", "app02 reaches none of its ping targets (pingd 0 of 200)"),
        ("-1", "app02 reaches none of its ping targets (pingd -1 of 200)"),
        ("1", "app02 reaches not all its ping targets (pingd 1 of 200)"),
        ("199", "app02 reaches not all its ping targets (pingd 199 of 200)"),
        ("200", None),
        ("many", None),
        (None, None),
    ],
)
def test_ping_targets_that_a_node_reaches(value, words):
    assert pinging(value) == ([words] if words else [])


def test_ping_targets_of_a_node_that_is_offline_unknown_or_of_no_expectation():
    assert pinging("0", online=False) == []
    assert pinging("0", name="app09") == []
    assert pinging("0", expected=None) == []


# -- placement ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("promoted_only", "role", "wrong"),
    [
        (False, Role.STARTED, True),
        (True, Role.STARTED, False),
        (True, Role.UNPROMOTED, False),
        (True, Role.PROMOTED, True),
    ],
)
def test_rule_for_the_promoted_role_forbids_no_other(promoted_only, role, wrong):
    rule = ban("FS", "app01", promoted_only=promoted_only)
    known = cluster(resources=(primitive("FS", "app01", role),), bans=(rule,))
    keys = [key for key, *_ in said(report("placement", view(known)))]
    assert bool(keys) is wrong


def test_rule_for_the_promoted_role_asks_where_it_is_promoted():
    rule = ban("drbd-clone", "app01", promoted_only=True)
    instances = (
        primitive("drbd", "app01", Role.UNPROMOTED), primitive("drbd", "app02", Role.PROMOTED),
    )  # fmt: skip
    known = cluster(
        resources=(clone(*instances, name="drbd-clone", promotable=True),), bans=(rule,)
    )
    assert said(report("placement", view(known))) == []


# -- copies of DRBD ----------------------------------------------------------------------------


def counted(one, **rules):
    seen = drbd_view(one, config=Config(drbd={"r0": DrbdRule(**rules)} if rules else {}))
    return copies(seen, one, one.devices[0])


RULE = {"replicas": None, "clients": None, "runs_with": None}


def test_copies_by_the_word_of_drbd():
    have = counted(mesh())
    assert have.up_to_date == have.replicas == ("storage01", "storage02", "storage03")
    assert have.unknown == have.missing == ()


def test_copies_by_the_configuration_file_where_it_names_them():
    one = mesh()
    have = counted(
        one, **{**RULE, "replicas": ("storage01", "storage02"), "clients": ("storage03",)}
    )
    assert have.replicas == ("storage01", "storage02")
    have = counted(one, **{**RULE, "replicas": ("storage01", "app01", "storage09")})
    assert have.replicas == ("storage01", "storage02", "storage03", "app01", "storage09")
    assert have.missing == ("app01", "storage09")


def silent(name, disk, **changes):
    """A peer of a release that does not tell clients."""
    return connection(name, peer_device(peer_client=None, peer_disk_state=disk), **changes)


def test_copies_where_drbd_does_not_tell_clients():
    one = resource(
        silent("storage02", DiskState.UP_TO_DATE),
        silent("storage03", DiskState.OUTDATED),
        silent("app01", DiskState.DISKLESS),
        devices=(device(client=None),),
    )
    have = counted(one)
    assert have.up_to_date == ("storage01", "storage02")
    assert have.replicas == ("storage01", "storage02", "storage03")
    assert have.unknown == ("app01",)
    assert counted(one, **{**RULE, "clients": ("app01",)}).unknown == ()


@pytest.mark.parametrize(
    ("rules", "replicas", "unknown"),
    [
        ({}, (), ("storage01",)),
        ({"clients": ("storage01",)}, (), ()),
        ({"replicas": ("storage01",)}, ("storage01",), ()),
    ],
)
def test_own_disk_that_may_be_lost_or_never_was(rules, replicas, unknown):
    one = resource(devices=(client_device(client=None),))
    have = counted(one, **({**RULE, **rules} if rules else {}))
    assert (have.replicas, have.unknown) == (replicas, unknown)


# -- resync ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "keys"),
    [({"user"}, ["sync-paused"]), ({"peer"}, ["sync-target"]), (set(), ["sync-target"])],
)
def test_resync_to_here_that_somebody_holds_up(by, keys):
    peer = peer_device(
        replication_state=ReplicationState.SYNC_TARGET, out_of_sync_kib=8,
        resync_suspended=frozenset(by),
    )  # fmt: skip
    one = mesh(connection("storage02", peer), devices=(device(disk_state=DiskState.INCONSISTENT),))
    found = judge_drbd("drbd-sync", drbd_view(one)).findings
    assert [key for key, *_ in found if key in ("sync-paused", "sync-target")] == keys


# -- clones ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "words"),
    [(Role.STARTING, "drbd is starting"), (Role.UNPROMOTED, "no instance is promoted")],
)
def test_promotable_clone_whose_instance_still_starts_is_on_its_way(role, words):
    instances = (primitive("drbd", "app01", role), stopped("drbd"))
    known = cluster(
        resources=(clone(*instances, name="drbd-clone", promotable=True),), options=options()
    )
    texts = [text for _, _, text in said(report("resources", view(known)))]
    assert any(words in text for text in texts)


# -- who is active -----------------------------------------------------------------------------


def active(*resources, name="FS", promoted=False, **facts):
    found = activity(cluster(resources=resources, **facts), name, promoted)
    return None if found is None else (found.nodes, [m.id for m in found.moving], found.disabled)


PROMOTABLE = (
    primitive("drbd", "app01", Role.PROMOTED), primitive("drbd", "app02", Role.UNPROMOTED),
)  # fmt: skip


@pytest.mark.parametrize(
    ("resources", "asked", "found"),
    [
        ((primitive("FS"),), {}, (("app01",), [], False)),
        ((primitive("IP"),), {}, None),
        ((stopped("FS"),), {}, ((), [], False)),
        ((primitive("FS", "app01", Role.STARTING),), {}, ((), ["FS"], False)),
        ((primitive("FS", "app01", Role.STOPPING),), {}, ((), ["FS"], False)),
        ((primitive("FS", target_role="Stopped"),), {}, (("app01",), [], True)),
        (
            (group(primitive("FS", "app01"), primitive("IP", "app02")),),
            {"name": "group1"},
            (("app01",), [], False),
        ),
        ((group(primitive("IP"), primitive("FS", "app02")),), {}, (("app02",), [], False)),
        (
            (clone(*PROMOTABLE, name="c", promotable=True),),
            {"name": "c"},
            (("app01", "app02"), [], False),
        ),
        (
            (clone(*PROMOTABLE, name="c", promotable=True),),
            {"name": "c", "promoted": True},
            (("app01",), [], False),
        ),
        (
            (clone(*PROMOTABLE, name="c", promotable=True, target_role="Unpromoted"),),
            {"name": "c", "promoted": True},
            (("app01",), [], True),
        ),
        (
            (clone(*PROMOTABLE, name="c", promotable=True, target_role="slave"),),
            {"name": "drbd", "promoted": True},
            (("app01",), [], True),
        ),
        (
            (clone(*PROMOTABLE, name="c", promotable=True, target_role="Unpromoted"),),
            {"name": "c"},
            (("app01", "app02"), [], False),
        ),
        (
            (group(primitive("FS", target_role="Stopped"), primitive("IP")),),
            {},
            (("app01",), [], True),
        ),
        ((primitive("FS"),), {"options": options(stop_all_resources=True)}, (("app01",), [], True)),
    ],
)
def test_where_a_resource_is_active(resources, asked, found):
    assert active(*resources, **asked) == found


@pytest.mark.parametrize("role", [Role.UNPROMOTED, Role.PROMOTED])
def test_bundle_is_active_where_its_containers_are(role):
    replicas = [
        (primitive(f"c{on}", on, agent="ocf:x:podman"), primitive("in", f"guest-{on}", role))
        for on in ("app01", "app02")
    ]
    assert active(bundle(*replicas), name="web") == (("app01", "app02"), [], False)
    on = ("app01", "app02") if role is Role.PROMOTED else ()
    assert active(bundle(*replicas), name="web", promoted=True) == (on, [], False)


# -- who speaks --------------------------------------------------------------------------------


def speaker(cause, *follows, here="app02", dc="app01", nodes=None, drbd=None):
    """Who tells a fault, in a cluster whose controller is app01, asked on app02."""
    answers = {} if drbd is None else {"drbd": drbd}
    seen = view(cluster(nodes, dc=dc), here=here, **answers)
    return speaker_of(seen, Fault(cause, follows))


def gone(name, key="node-offline", **more):
    return told(key, subject.node(name), nodes=(name,), **more)


OFF = {name: [node(each, online=each != name) for each in ("app01", "app02", "app03")]
       for name in ("app01", "app02", "app03")}  # fmt: skip
LEFT = {name: [each._replace(expected_up=each.name != name) for each in nodes]
        for name, nodes in OFF.items()}  # fmt: skip


@pytest.mark.parametrize(
    ("cause", "others", "who"),
    [
        (told("resource-stopped", subject.resource("FS")), {}, "app01"),
        (told("resource-stopped", subject.resource("FS")), {"dc": None}, "app02"),
        (told("resource-stopped", subject.resource("FS")), {"nodes": OFF["app01"]}, "app02"),
        (gone("app03"), {"nodes": OFF["app03"]}, "app01"),
        (gone("app01"), {"nodes": OFF["app01"]}, "app02"),
        (gone("app01", "node-unclean"), {}, "app02"),
        (gone("app01", "node-standby"), {}, "app01"),
        (gone("app02"), {"nodes": OFF["app02"]}, "app01"),
        (gone("app02"), {"nodes": OFF["app02"], "dc": None}, "app02"),
        (gone("app02"), {"nodes": LEFT["app02"]}, "app02"),
        (gone("app02", "node-pending"), {}, "app01"),
        (told("here-not-ready", subject.resource("FS")), {}, "app02"),
        (told("disk-failed", subject.volume("r0", 0)), {}, "app02"),
        (told("client-unmarked", subject.volume("r0", 0)), {}, "app02"),
        (told("primary-none", subject.drbd("r0")), {}, "app01"),
    ],
)
def test_node_that_tells_a_fault(cause, others, who):
    assert speaker(cause, **others) == who


def test_remote_node_never_speaks():
    nodes = [remote("aaa"), *OFF["app01"]]
    assert speaker(told("resource-stopped", subject.resource("FS")), nodes=nodes) == "app02"


SEEN = (resource(connection("app01"), connection("app03", state=ConnectionState.CONNECTING)),)


@pytest.mark.parametrize(
    ("key", "nodes", "who"),
    [
        ("copies-low", ("app01",), "app01"),
        ("copies-low", ("app03",), "app01"),
        ("copies-low", ("app01", "app03"), "app01"),
        ("copies-low", ("app02",), "app01"),
        ("out-of-sync", ("app01",), "app01"),
        ("out-of-sync", ("app03",), "app02"),
        ("behind", ("app02",), "app02"),
        ("no-such-key", ("app03",), "app01"),
    ],
)
def test_node_that_tells_a_fault_of_the_mesh(key, nodes, who):
    cause = told(key, subject.volume("r0", 0), nodes=nodes)
    assert speaker(cause, drbd=SEEN) == who


# -- votes, quorum, fail-counts ----------------------------------------------------------------


def test_votes_that_nobody_tells():
    counted = tally(view_of("app01", NOW))
    assert counted == (None, None, None, None, False, False, None)
    assert (counted.words, counted.margin) == ("votes not known", None)


@pytest.mark.parametrize(
    ("names", "needed", "covered"),
    [("1", 1, False), ("12", 2, True), ("123", 2, False), ("1234", 3, False)],
)
def test_votes_by_the_node_list(names, needed, covered):
    nodes = [node(f"app0{name}", online=name != "4") for name in names]
    counted = tally(view(cluster([*nodes, remote("far")])))
    assert (counted.expected, counted.needed, counted.covered) == (len(names), needed, covered)
    assert counted.total == len([name for name in names if name != "4"])
    assert not counted.counted


@pytest.mark.parametrize(("quorate", "by_pacemaker"), [(True, True), (True, False), (False, True)])
def test_quorum_is_what_corosync_and_pacemaker_both_say(quorate, by_pacemaker):
    seen = view(cluster(quorate=by_pacemaker), votes=votes(quorate=quorate, flags={"2Node"}))
    counted = tally(seen)
    assert counted.quorate is (quorate and by_pacemaker)
    assert (counted.total, counted.needed, counted.margin, counted.covered) == (3, 2, 1, True)


def test_votes_of_a_node_by_its_name_or_id():
    counted = tally(view(votes=votes(each=2)))
    assert counted.votes_of(node("app01")) == 2
    assert counted.votes_of(node("other", id="3")) == 2
    assert counted.votes_of(node("other", id="9")) == 1
    assert counted.votes_of(remote("app01")) == 0


def test_lost_quorum_of_a_volume_comes_back_with_the_copy_that_is_missing():
    one = mesh(away("storage03"), away("app01"), devices=(device(quorum=False),))
    (step,) = [s for key, s in steps("drbd-quorum", drbd_view(one)) if key == "drbd-quorum-lost"]
    assert "storage03" in step
    assert "app01" not in step


@pytest.mark.parametrize(
    ("attributes", "barred"),
    [
        ({"fail-count-FS": "INFINITY"}, "INFINITY"),
        ({"fail-count-FS#monitor_10000": "2", "fail-count-FS#start_0": "1"}, "3"),
        ({"fail-count-FS#monitor_10000": "2"}, None),
        ({"fail-count-IP": "INFINITY"}, None),
        ({"last-failure-FS": "INFINITY"}, None),
    ],
)
def test_fail_counts_that_only_the_cib_tells_bar_a_node(attributes, barred):
    nodes = {name: CibNode(name, transient=attributes if name == "app02" else {})
             for name in ("app01", "app02", "app03")}  # fmt: skip
    one = Configured("FS", "primitive", agent="ocf:pacemaker:Dummy",
                     meta={"migration-threshold": "3"})  # fmt: skip
    known = replace(cib(), nodes=nodes, resources={"FS": one})
    rule = ban("FS", "app03")
    both = (primitive("IP2"), primitive("FS"))  # of the first nothing special is known
    seen = view(cluster(resources=both, bans=(rule,)), cib=known)
    texts = [text for _, _, text in said(report("failover", seen))]
    expected = f"app02 FS barred by fail-count {barred}"
    assert any(expected in text for text in texts) is (barred is not None)


# -- reasons -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cause", "consequence", "follows"),
    [
        # A cause without nodes is the reason everywhere.
        (
            told("resource-disabled", PACEMAKERS),
            told(
                "resource-stopped",
                subject.resource("IP"),
                reason="order",
                text="IP waits for FS",
                nodes=("app02",),
            ),
            True,
        ),
        # Nothing fails over here that the rule before would have it explain.
        (
            told("cluster-maintenance", subject.cluster()),
            told("resource-stopped", PACEMAKERS, reason="maintenance", nodes=("app02",)),
            True,
        ),
        (
            told("node-maintenance", subject.node("app01"), nodes=("app01",)),
            told("resource-stopped", PACEMAKERS, reason="maintenance", nodes=("app02",)),
            False,
        ),
        (
            told("node-maintenance", subject.node("app01"), nodes=("app01",)),
            told("resource-stopped", PACEMAKERS, reason="maintenance", nodes=("app01",)),
            True,
        ),
        (
            told("resource-unmanaged", PACEMAKERS, nodes=("app01",)),
            told("resource-stopped", PACEMAKERS, reason="unmanaged", nodes=("app02",)),
            True,
        ),
        (
            told("resource-unmanaged", subject.resource("IP"), nodes=("app01",)),
            told("resource-stopped", PACEMAKERS, reason="unmanaged", nodes=("app01",)),
            False,
        ),
        (
            told("ticket-standby", subject.ticket("A")),
            told(
                "resource-stopped", PACEMAKERS, reason="ticket", text="FS: ticket A is in standby"
            ),
            True,
        ),
        (
            told("ticket-standby", subject.ticket("B")),
            told(
                "resource-stopped", PACEMAKERS, reason="ticket", text="FS: ticket A is in standby"
            ),
            False,
        ),
    ],
)
def test_finding_that_is_the_reason_of_another(cause, consequence, follows):
    seen = view(cluster(resources=(primitive("FS"), primitive("IP"))))
    found = faults(seen, (cause, consequence))
    assert (len(found) == 1) is follows


def test_service_that_has_to_wait_for_one_that_is_disabled():
    order = Order("o", "DB", "start", "FS", "start", True)
    known = replace(cib(), orders=(order,))
    resources = (primitive("FS"), stopped("DB", target_role="Stopped"))
    seen = view(cluster(resources=resources), cib=known)
    texts = [text for _, _, text in said(report("failover", seen))]
    assert any("DB, which must be there first, is disabled" in text for text in texts)


@pytest.mark.parametrize("action", ["start", "stop", "demote"])
def test_order_of_other_actions_keeps_no_service_waiting(action):
    order = Order("o", "DB", action, "FS", "start", True)
    seen = view(
        cluster(resources=(primitive("FS"), stopped("DB", target_role="Stopped"))),
        cib=replace(cib(), orders=(order,)),
    )
    texts = [text for _, _, text in said(report("failover", seen))]
    assert any("must be there first" in text for text in texts) is (action == "start")


# -- what changed ------------------------------------------------------------------------------


def recorded(*seen):
    return Side([Judgement(one, Report()) for one in seen], ())


def test_nodes_that_say_different_things_are_told_apart_and_those_that_agree_once():
    alike, other = cluster(), cluster(dc="app02")
    before = recorded(view(alike), view(alike, here="app02"))
    after = recorded(view(alike), view(other, here="app02"))
    changed = {each.name: (each.before, each.after) for each in difference(before, after).changes}
    assert changed == {"designated controller (seen from app02)": ("app01", "app02")}
    assert difference(before, before).is_none


# -- what is most worth knowing ----------------------------------------------------------------


def essential(*seen):
    judged = [Judgement(one, Report()) for one in seen]
    return essence(judged, partitions(judged)).split(", ")


def test_services_and_who_can_take_over():
    names = [f"app0{number}" for number in range(1, 7)]
    nodes = [node(name) for name in names]
    one = view(cluster(nodes, (primitive("FS"),)))
    words = essence([Judgement(one, Report())], partitions([Judgement(one, Report())]))
    assert words.startswith("FS on app01, app02, app03, app04 and 2 more can take over")


@pytest.mark.parametrize(
    ("count", "words"),
    [(2, "S0 on app01, S1 on app01"), (3, "3 services on app01"), (4, "4 services on app01")],
)
def test_more_than_two_services_are_counted(count, words):
    resources = [primitive(f"S{number}") for number in range(count)]
    assert ", ".join(essential(view(cluster(resources=resources)))).startswith(words)


@pytest.mark.parametrize(
    ("here", "own", "peer", "primary"),
    [
        ("app01", DrbdRole.PRIMARY, None, True),
        ("app01", DrbdRole.SECONDARY, None, False),
        ("app02", DrbdRole.SECONDARY, DrbdRole.PRIMARY, True),
        ("app02", DrbdRole.SECONDARY, DrbdRole.SECONDARY, False),
        ("app02", DrbdRole.PRIMARY, DrbdRole.SECONDARY, False),
    ],
)
def test_primary_under_a_service_by_its_own_word_or_by_its_peers(here, own, peer, primary):
    peers = () if peer is None else (drbd_peer("app01", peer),)
    seen = view(
        cluster(resources=(primitive("FS"),)), here=here, cib=on_drbd(),
        drbd=(drbd(*peers, role=own),),
    )  # fmt: skip
    assert essential(seen)[0] == f"FS on app01{' = Primary of r0' if primary else ''}"


def test_nothing_is_worth_saying_of_nobody():
    assert essence([], ()) == "nothing to say"


# -- steps that name several peers -------------------------------------------------------------


def test_connections_that_are_down_alike_are_mended_together():
    one = mesh(
        away("storage02"), away("storage03"), devices=(device(quorum=False),),
    )  # fmt: skip
    (step,) = [s for key, s in steps("drbd-quorum", drbd_view(one)) if key == "drbd-quorum-lost"]
    assert "storage02" in step
    assert "storage03" in step
    other = mesh(
        away("storage02"), away("storage03", ConnectionState.STANDALONE),
        devices=(device(quorum=False),),
    )  # fmt: skip
    (step,) = [s for key, s in steps("drbd-quorum", drbd_view(other)) if key == "drbd-quorum-lost"]
    assert "storage02" in step
    assert "storage03" not in step


# -- clones under way --------------------------------------------------------------------------


@pytest.mark.parametrize("running", [1, 2, 3])
def test_operation_under_way_is_told_of_a_clone_that_is_not_complete(running):
    on = ("app01", "app02", "app03")[:running]
    instances = [primitive("ping", name) for name in on] + [stopped("ping")] * (3 - running)
    pending = (PendingOperation("ping", "app03", "start", 0),)
    seen = view(cluster(resources=(clone(*instances),)), cib=replace(cib(), pending=pending))
    keys = [key for key, *_ in said(report("resources", seen))]
    assert keys == (["resource-transition"] if running < 3 else [])


def test_log_to_read_of_what_crm_mon_calls_stopped_is_that_of_the_node_where_it_starts():
    pending = (PendingOperation("IP", "app02", "start", 0),)
    seen = view(cluster(resources=(stopped("IP"),)), cib=replace(cib(), pending=pending))
    (one,) = report("resources", seen).findings
    assert (one.key, one.nodes) == ("resource-transition", ("app02",))
    assert "on app02: journalctl -u pacemaker --grep IP" in one.next_step


# -- copies that differ, and how they are mended -----------------------------------------------


def differing(**blocks):
    """storage01 sees the other two, each with blocks that differ."""
    of = {name: peer_device(out_of_sync_kib=kib) for name, kib in blocks.items()}
    return mesh(*(connection(name, device) for name, device in of.items()))


@pytest.mark.parametrize(
    ("one", "odd"),
    [
        (differing(storage02=0, storage03=0), None),
        (differing(storage02=8, storage03=0), "storage02"),
        (differing(storage02=0, storage03=8), "storage03"),
        (differing(storage02=8, storage03=8), "storage01"),
        (resource(connection("storage02", peer_device(out_of_sync_kib=8))), None),
        (
            mesh(connection("storage02", peer_device(out_of_sync_kib=8)), away("storage03")),
            None,
        ),
    ],
)
def test_of_three_copies_the_one_that_differs_is_odd(one, odd):
    assert odd_copy(drbd_view(one), one, 0) == odd


@pytest.mark.parametrize(
    ("net", "looks"),
    [
        (None, "(it needs verify-alg: drbdadm dump r0)"),
        ({}, "set verify-alg in the net section of r0 on all its nodes"),
        ({"verify-alg": "none"}, "set verify-alg in the net section of r0 on all its nodes"),
        ({"verify-alg": "crc32c"}, "on storage01: drbdadm verify r0:storage02/0"),
    ],
)
def test_copies_are_compared_where_drbd_can(net, looks):
    options = () if net is None else (shown(
        "r0", shown_connection("storage03", net={"verify-alg": "none" if net else "md5"}),
        shown_connection("storage02", net=net),
    ),)  # fmt: skip
    step = compare_step(drbd_view(mesh(), options=options), "r0", 0, "storage02", None)
    assert looks in step
    assert "whichever of storage01 and storage02 has the wrong copy" in step
    assert "copy from the other" in step


@pytest.mark.parametrize(("odd", "other"), [("storage02", "storage01"), ("storage01", "storage02")])
def test_wrong_copy_is_taken_from_the_right_one(odd, other):
    step = compare_step(drbd_view(mesh()), "r0", 0, "storage02", odd)
    assert f"copy from {other}: on {odd}: " in step
    assert f"invalidate --reset-bitmap=no r0:{other}/0" in step


def test_old_copy_is_brought_up_to_date_by_the_peer_that_has_a_good_one():
    old = peer_device(peer_disk_state=DiskState.OUTDATED)
    here = (device(disk_state=DiskState.OUTDATED),)
    one = mesh(connection("storage02", old), devices=here)
    assert "storage03" in own_copy_step(drbd_view(one), one, here[0])
    nobody = mesh(connection("storage02", old), connection("storage03", old), devices=here)
    step = own_copy_step(drbd_view(nobody), nobody, here[0])
    assert step == "drbdadm status r0 on every node: which of them has a good copy"


def test_half_a_copy_everywhere_was_lost_or_never_synchronised():
    half = peer_device(peer_disk_state=DiskState.INCONSISTENT)
    client = peer_device(peer_disk_state=DiskState.DISKLESS, peer_client=True)
    here = (device(disk_state=DiskState.INCONSISTENT),)
    changed = (connection("storage02", half), connection("storage03", half))
    nobody = mesh(*changed, connection("app01", client), devices=here)
    step = own_copy_step(drbd_view(nobody), nobody, here[0])
    assert step.startswith("on storage01, storage02, storage03: journalctl -k -g drbd: was one")
    assert "A resource that never had any needs its first sync" in step


# -- constraints that keep a service -----------------------------------------------------------


def exclusive(*nodes, **changes):
    return [
        Location(f"only-{name}", "FS", name, 100, discovery="exclusive", **changes)
        for name in nodes
    ]


@pytest.mark.parametrize(
    ("locations", "candidate"),
    [
        (exclusive("app02"), True),
        (exclusive("app03"), False),
        (exclusive("app03", "app01"), False),
        (exclusive("app03", "app02"), True),
    ],
)
def test_exclusive_constraint_keeps_a_service_to_its_nodes(locations, candidate):
    nodes = {name: CibNode(name) for name in ("app01", "app02", "app03")}
    known = replace(cib(locations=tuple(locations)), nodes=nodes)
    rule = ban("FS", "app03")
    seen = view(cluster(resources=(primitive("FS"),), bans=(rule,)), cib=known)
    found = [(key, text) for key, _, text in said(report("failover", seen))]
    assert ("no-candidate" not in [key for key, _ in found]) is candidate
    if not candidate:
        assert any("only-app03 keeps FS to app0" in text for _, text in found)


# -- what a check needs, and where it may go ---------------------------------------------------


@pytest.mark.parametrize(
    ("config", "needed"),
    [
        (Config(), False),
        (Config(tie_breakers=("app03",)), True),
        (Config(resources={"FS": PlacementRule(("app01",), None)}), True),
        (Config(resources={"FS": PlacementRule(None, "app01")}), True),
        (Config(resources={"FS": PlacementRule(None, None)}), False),
    ],
)
def test_names_of_nodes_in_the_file_need_corosyncs_list(config, needed):
    assert bool(more_inputs(["pacemaker"], config)) is needed
    assert more_inputs(["drbd"], config) == ()


@pytest.mark.parametrize(
    ("locations", "candidate"),
    [
        ((location("FS", "app01", 100), location("FS", "app02", 100)), True),
        ((location("FS", "app01", 100), location("FS", "app02", None)), True),
        ((location("FS", "app01", 100), location("FS", "app02", -1_000_000)), False),
        ((location("FS", "app01", 100), location("IP", "app02", 100)), False),
    ],
)
def test_cluster_where_nodes_have_to_be_opted_in(locations, candidate):
    known = cluster(resources=(primitive("FS"),), options=options(symmetric=False))
    everywhere = cib(locations=(*locations, location("FS", "app03", 100)))
    summary = report("failover", view(known, cib=everywhere)).summary
    assert ("app02" in summary) is candidate
    assert "app03" in summary


@pytest.mark.parametrize(("failed", "down"), [(False, False), (True, True)])
def test_fence_device_that_failed_is_not_up(failed, down):
    known = cluster(resources=(fence_device(failed=failed),), options=options(fencing_enabled=True))
    keys = [key for key, *_ in said(report("fencing", view(known)))]
    assert ("fence-device-down" in keys) is down


@pytest.mark.parametrize(("nodes", "who"), [(None, "app01"), (OFF["app01"], "app02")])
def test_end_of_a_broken_connection_that_lives_and_comes_first_tells_it(nodes, who):
    cause = told("peer-standalone", subject.connection("r0", "app02", "app01"), nodes=("app01",))
    assert speaker(cause, nodes=nodes, drbd=()) == who


@pytest.mark.parametrize(("interval", "moves"), [(0, True), (None, True), (10_000, False)])
def test_recurring_monitor_is_no_transition(interval, moves):
    instances = (primitive("ping"), primitive("ping", "app02"), stopped("ping"))
    pending = (PendingOperation("ping", "app03", "monitor", interval),)
    seen = view(cluster(resources=(clone(*instances),)), cib=replace(cib(), pending=pending))
    keys = [key for key, *_ in said(report("resources", seen))]
    assert ("resource-transition" in keys) is moves


# -- figures and words -------------------------------------------------------------------------


@pytest.mark.parametrize(("resources", "least"), [((mesh(away("app01")),), 4), ((), 0)])
def test_least_number_of_connections_has_its_bounds(resources, least):
    judged = report("drbd-mesh", drbd_view(*resources))
    (figure,) = [each for each in judged.figures if each.label == "connected_min"]
    assert (figure.value, figure.minimum, figure.limited) == (least, 0, True)


def test_short_ping_timeout_is_told_in_milliseconds():
    one = shown("r0", shown_connection("storage02", ping_timeout_s=0.2))
    texts = [text for *_, text in judge_drbd("timing", drbd_view(options=(one,))).findings]
    assert "r0: ping-timeout is 200 ms" in texts


def test_one_copy_where_one_is_due_is_all_there_is():
    assert judge_drbd("drbd-quorum", drbd_view(resource())).findings == ()
