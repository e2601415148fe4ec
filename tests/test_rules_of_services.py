"""Where the checks of Pacemaker's nodes and resources draw the line: constructed clusters."""

from __future__ import annotations

from datetime import timedelta

import pytest

from build import (
    NOW,
    ban,
    cib,
    clone,
    cluster,
    drbd,
    failure,
    fence_device,
    fence_event,
    group,
    location,
    node,
    offline,
    on_drbd,
    options,
    primitive,
    replace,
    report,
    stopped,
    view,
    votes,
)
from build import peer as drbd_peer
from check_mccluster.checks import registry
from check_mccluster.checks.failures import age
from check_mccluster.judge.candidates import Against
from check_mccluster.judge.facts.fencing import fencing_enabled
from check_mccluster.judge.facts.loss import keeps_quorum
from check_mccluster.judge.facts.mapping import above, pairs
from check_mccluster.judge.facts.votes import Tally
from check_mccluster.judge.outlook import Outlook
from check_mccluster.model.config import Config
from check_mccluster.model.configuration import Colocation, Configured, Member, PendingOperation
from check_mccluster.model.drbd import Role as DrbdRole
from check_mccluster.model.pacemaker import FenceStatus, Filesystem, NodeAttribute, Role
from check_mccluster.model.simulation import Simulation, Simulations
from check_mccluster.verdict.view import Asked


def found(judged, key):
    """The one finding of that key."""
    (one,) = [each for each in judged.findings if each.key == key]
    return one


def texts(judged, key):
    return [each.text for each in judged.findings if each.key == key]


def configured(*resources, **changes):
    """A CIB with these resources."""
    return replace(cib(), resources={each.id: each for each in resources}, **changes)


# -- failures ----------------------------------------------------------------------------------


def test_time_without_a_zone_is_utc():
    hour_ago = NOW - timedelta(hours=1)
    assert age(hour_ago, NOW) == age(hour_ago.replace(tzinfo=None), NOW) == 3600
    assert age(hour_ago.astimezone(None), NOW) == 3600


@pytest.mark.parametrize(("seconds", "newest"), [(0.5, "stop"), (0, "start")])
def test_failure_without_a_time_may_be_the_newest(seconds, newest):
    """One that has just happened was first; any other is older than one of which nobody tells."""
    known = cluster(
        failures=(
            failure(task="start", seconds_ago=seconds),
            failure(task="stop", time=None),
        )
    )
    judged = report("failures", view(known))
    (text,) = texts(judged, "failed-action")
    assert text.startswith(f"FS failed on app01 ({newest}: ")
    assert text.endswith(" (+1 more)")


@pytest.mark.parametrize(("seconds", "told"), [(599, True), (600, True), (601, False)])
def test_failure_is_told_until_it_is_older_than_was_asked_for(seconds, told):
    judged = report(
        "failures",
        view(cluster(failures=(failure(seconds_ago=seconds),))),
        values={"max_failure_age": 600.0},
    )
    assert bool(texts(judged, "failed-action")) is told


# -- fencing -----------------------------------------------------------------------------------

FENCING = options(fencing_enabled=True)


def fencing(*resources, known=None, **changes):
    changes = {"options": FENCING, **changes}
    return report("fencing", view(cluster(resources=resources, **changes), cib=known))


@pytest.mark.parametrize(
    ("resources", "told"),
    [
        ((stopped("fence", agent="stonith:fence_x"),), True),
        ((stopped("fence", agent="stonith:fence_x", target_role="Stopped"),), False),
        ((clone(stopped("fence", agent="stonith:fence_x"), name="c", disabled=True),), False),
        ((group(stopped("fence", agent="stonith:fence_x"), disabled=True),), False),
        ((fence_device(),), False),
    ],
)
def test_fence_device_is_missed_where_nobody_asked_for_its_stop(resources, told):
    assert bool(texts(fencing(*resources), "fence-device-down")) is told


@pytest.mark.parametrize(
    ("on", "told"), [("app01", False), ("app03", True), (("app01", "app03"), False)]
)
def test_fence_device_is_down_where_it_is_said_to_run_on_lost_nodes_only(on, told):
    nodes = (node("app01"), node("app02"), offline("app03", unclean=True))
    judged = fencing(fence_device(on=on), nodes=nodes)
    assert bool(texts(judged, "fence-device-down")) is told


@pytest.mark.parametrize(("count", "names"), [(4, "n1, n2, n3, n4"), (5, "n1, n2, n3 and 2 more")])
def test_of_many_nodes_that_nothing_could_fence_three_are_told(count, names):
    nodes = [node(f"n{number}") for number in range(1, count + 1)]
    judged = fencing(stopped("fence", agent="stonith:fence_x"), nodes=nodes, dc="n1")
    (text,) = texts(judged, "fence-device-down")
    assert text == f"no device to fence {names} runs: fence is stopped"


@pytest.mark.parametrize(("quorate", "dc"), [(False, "app01"), (True, None), (False, None)])
def test_no_fence_device_is_missed_where_nothing_runs(quorate, dc):
    judged = fencing(stopped("fence", agent="stonith:fence_x"), quorate=quorate, dc=dc)
    assert texts(judged, "fence-device-down") == []


def devices(**hosts):
    """Configured fence devices, each for a node."""
    return configured(
        *(
            Configured(
                name, "primitive", agent="stonith:fence_x", parameters={"pcmk_host_list": host}
            )
            for name, host in hosts.items()
        )
    )


DOWN = stopped("f1", agent="stonith:fence_x")


def test_fence_device_that_is_being_started_is_no_fault():
    known = devices(f1="app01")
    starting = (PendingOperation("f1", "app02", "start", 0),)
    assert texts(fencing(DOWN, known=known), "fence-device-down")
    assert fencing(DOWN, known=replace(known, pending=starting)).findings == ()


@pytest.mark.parametrize(
    ("other", "state", "text"),
    [
        ("app01", "WARNING", "fence device f1 is stopped"),
        ("app02", "CRITICAL", "no device to fence app01 runs: f1 is stopped"),
    ],
)
def test_node_is_bare_where_no_device_that_runs_could_fence_it(other, state, text):
    judged = fencing(DOWN, fence_device("f2"), known=devices(f1="app01", f2=other))
    one = found(judged, "fence-device-down")
    assert one.state.name == state
    assert one.text.startswith(text)


def test_watchdog_covers_what_no_device_does():
    known = replace(
        devices(f1="app01"), properties={"have-watchdog": "true", "stonith-watchdog-timeout": "10"}
    )
    assert found(fencing(DOWN, known=known), "fence-device-down").state.name == "WARNING"
    bare = replace(known, properties={})
    assert found(fencing(DOWN, known=bare), "fence-device-down").state.name == "CRITICAL"


@pytest.mark.parametrize(
    ("told", "properties", "enabled"),
    [
        (True, {"stonith-enabled": "false"}, True),
        (False, {"stonith-enabled": "true"}, False),
        (None, {"stonith-enabled": " OFF "}, False),
        (None, {"stonith-enabled": "yes"}, True),
        (None, {"fencing-enabled": "false", "stonith-enabled": "true"}, False),
        (None, {}, True),
        (None, None, None),
    ],
)
def test_whether_lost_nodes_are_fenced(told, properties, enabled):
    """By the CIB where crm_mon does not say; Pacemaker's default is yes."""
    known = None if properties is None else cib(properties=properties)
    seen = view(cluster(options=options(fencing_enabled=told)), cib=known)
    assert fencing_enabled(seen) is enabled


def test_without_crm_mon_the_cib_says_whether_lost_nodes_are_fenced():
    off = cib(properties={"stonith-enabled": "false"})
    assert fencing_enabled(view(cluster=None, cib=off)) is False
    assert fencing_enabled(view(cluster=None, cib=cib())) is True
    assert fencing_enabled(view(cluster=None)) is None


# -- nodes -------------------------------------------------------------------------------------


def left(*events, **changes):
    """What is said of app03, which is offline."""
    nodes = (node("app01"), node("app02"), offline("app03", expected_up=False))
    known = cluster(nodes, fence_events=events, **changes)
    return found(report("nodes", view(known)), "node-offline").text


def test_only_the_fencing_of_this_node_that_is_over_tells_how_it_left():
    success = fence_event("app03", FenceStatus.SUCCESS)
    assert left(success) == "app03 is offline and was fenced, 08:59:00Z"
    assert left(fence_event("app02", FenceStatus.SUCCESS)) == "app03 is offline, it left cleanly"
    assert left(fence_event("app03", FenceStatus.PENDING), success) == left(success)


@pytest.mark.parametrize(
    ("completed", "when"),
    [
        ("2026-11-22 08:59:00Z", "08:59:00Z"),
        ("2026-11-22 08:59:00 +01:00", "08:59:00 +01:00"),
        ("2026-11-21 08:59:00Z", "2026-11-21 08:59:00Z"),
        ("2026-11-22", "2026-11-22"),
    ],
)
def test_fencing_of_today_is_told_by_the_clock(completed, when):
    event = fence_event("app03", FenceStatus.SUCCESS, completed=completed)
    assert left(event) == f"app03 is offline and was fenced, {when}"


def ping_step(*resources):
    known = cluster(resources=resources, attributes=(NodeAttribute("app02", "pingd", "0", 100),))
    return found(report("nodes", view(known)), "connectivity-lost").next_step


def test_targets_of_the_first_ping_resource_are_looked_up():
    first = clone(primitive("net:0", agent="ocf:pacemaker:ping"), name="net-clone")
    second = clone(primitive("far:0", agent="ocf:pacemaker:ping"), name="far-clone")
    assert ping_step(first, second).endswith("crm_resource -r net --get-parameter host_list")
    assert ping_step(first).endswith("crm_resource -r net --get-parameter host_list")
    assert ping_step(primitive("pinger")).endswith("ping the targets: crm_mon -1 -A")


def feature_sets(*sets):
    names = ("app01", "app02", "app03")
    nodes = [node(name, feature_set=each) for name, each in zip(names, sets)]
    return texts(report("nodes", view(cluster(nodes))), "versions-mixed")


def test_feature_sets_that_differ():
    assert feature_sets("3.16.1", "3.16.1", "3.16.1") == []
    assert feature_sets("3.16.1", "3.17.0", None) == [
        "feature sets differ: app01 3.16.1, app02 3.17.0"
    ]


def test_feature_set_that_was_not_told_is_no_other_version():
    untold = "<3.15.1"
    (text,) = feature_sets("3.16.1", untold, untold)
    assert text.startswith("app02, app03 have not told their feature set:")
    assert feature_sets("3.16.1", "3.17.0", untold) == [
        "feature sets differ: app01 3.16.1, app02 3.17.0, app03 <3.15.1"
    ]


# -- resources ---------------------------------------------------------------------------------

HIDDEN = Configured("web", "primitive", agent="ocf:heartbeat:nginx")


def not_shown(*resources, shown=("FS",), **asked):
    judged = report(
        "resources",
        view(cluster(resources=map(primitive, shown)), cib=configured(*resources)),
        **asked,
    )
    return texts(judged, "resource-not-shown")


def test_resource_that_crm_mon_leaves_out_is_told():
    assert not_shown(HIDDEN) == ["crm_mon does not show resource web"]
    off = HIDDEN._replace(meta={"target-role": "Stopped"})
    assert not_shown(off) == ["crm_mon does not show resource web (it is disabled)"]
    assert not_shown(HIDDEN, shown=("web",)) == []


def test_of_what_is_left_out_the_outermost_is_told():
    whole = Configured("g", "group", members=("web",))
    assert not_shown(whole, HIDDEN._replace(parent="g")) == ["crm_mon does not show group g"]


@pytest.mark.parametrize(
    ("tag", "word"),
    [("group", "group"), ("bundle", "bundle"), ("clone", "resource"), ("primitive", "resource")],
)
def test_what_is_left_out_is_called_what_it_is(tag, word):
    assert not_shown(Configured("x", tag)) == [f"crm_mon does not show {word} x"]


@pytest.mark.parametrize(("most", "told"), [("0", False), ("1", True), (None, True)])
def test_clone_of_which_no_instance_is_wanted_is_not_missed(most, told):
    meta = {} if most is None else {"clone-max": most}
    whole = Configured("c", "clone", members=("web",), meta=meta)
    assert bool(not_shown(whole, HIDDEN._replace(parent="c"))) is told


@pytest.mark.parametrize(
    ("patterns", "told"), [((), True), (("web",), True), (("w*",), True), (("FS",), False)]
)
def test_what_is_left_out_is_told_where_it_was_asked_for(patterns, told):
    assert bool(not_shown(HIDDEN, patterns=patterns)) is told


BLOCKED = primitive("FS", blocked=True, failed=True)


def given_up(*failures, mount=None, one=BLOCKED):
    """What is said of a resource whose stop failed, and may be a mount."""
    mounts = () if mount is None else (Filesystem(mount, "/dev/sdb", "/srv"),)
    seen = view(cluster(resources=(one,), failures=failures), cib=cib(filesystems=mounts))
    return found(report("resources", seen), "resource-blocked")


STOP = {"task": "stop", "exit_status": "error"}


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (failure(**STOP), "stop failed: error"),
        (failure(**STOP, exit_reason="it is in use"), "stop failed: it is in use"),
        (failure(**STOP, status="Timed Out"), "stop timed out"),
        (failure(**STOP, status="timeout", exit_reason="gone"), "stop timed out: gone"),
        (failure(**{**STOP, "exit_status": None}, status=None), "stop failed: no reason given"),
    ],
)
def test_stop_that_failed_is_told_of_what_pacemaker_gave_up_on(what, why):
    one = given_up(what)
    assert one.text == f"FS failed and blocked on app01: Pacemaker gave up on it ({why})"
    assert one.reason == "failed-stop"


@pytest.mark.parametrize(
    "what",
    [failure("IP", **STOP), failure("FS", "app02", **STOP)],
)
def test_failures_elsewhere_do_not_tell_why_pacemaker_gave_up(what):
    one = given_up(what)
    assert one.text == "FS failed and blocked on app01: Pacemaker gave up on it"
    assert one.reason == ""


def test_failure_of_another_operation_is_told_of_what_pacemaker_gave_up_on():
    one = given_up(failure())
    assert (
        one.text == "FS failed and blocked on app01: Pacemaker gave up on it (monitor: not running)"
    )
    assert one.reason == ""


def test_what_pacemaker_gave_up_on_is_stopped_by_hand():
    clean = "; then: crm_resource --cleanup -r FS -N app01"
    stop = failure(**STOP)
    assert given_up(stop, mount="FS").next_step == f"on app01: fuser -vm /srv; umount /srv{clean}"
    assert given_up(stop, mount="IP").next_step == (
        f"on app01: journalctl -u pacemaker --grep FS; stop it by hand{clean}"
    )


def test_nothing_is_unmounted_where_no_stop_failed():
    assert "umount" not in given_up(mount="FS").next_step
    assert "umount" not in given_up(failure(task="monitor"), mount="FS").next_step


# -- clones ------------------------------------------------------------------------------------

P, U = Role.PROMOTED, Role.UNPROMOTED
RUNNING_CLONE = Configured("p", "primitive", parent="ms", agent="ocf:linbit:drbd")


def promotable(*roles, most="2", nodes=None, pending=()):
    """A clone whose instances have these roles on app01, app02 and app03."""
    instances = [
        stopped("p") if role is Role.STOPPED else primitive("p", f"app0{number}", role)
        for number, role in enumerate(roles, start=1)
    ]
    whole = Configured("ms", "clone", members=("p",), meta={"promoted-max": most})
    known = configured(whole, RUNNING_CLONE, pending=pending)
    one = clone(*instances, name="ms", promotable=True)
    return report("resources", view(cluster(nodes, resources=(one,)), cib=known))


@pytest.mark.parametrize(
    ("roles", "most", "told", "nodes"),
    [
        ((P, U, U), "2", ["ms: 1 of 2 instances are promoted"], ("app02", "app03")),
        ((P, P, U), "2", [], ()),
        ((P, U, U), "1", [], ()),
        ((P, P, U), "5", ["ms: 2 of 5 instances are promoted"], ("app03",)),
        ((P, P, P), "5", [], ()),
        ((P, U, Role.STARTING), "2", [], ()),
        ((P, U, Role.PROMOTING), "3", [], ()),
    ],
)
def test_instances_that_could_be_promoted_and_are_not(roles, most, told, nodes):
    """While one moves that is no fault yet."""
    judged = promotable(*roles, most=most)
    assert [each.partition(" (")[0] for each in texts(judged, "promoted-low")] == told
    assert [each.nodes for each in judged.findings if each.key == "promoted-low"] == (
        [nodes] if told else []
    )


def test_instance_on_a_lost_node_cannot_be_promoted():
    nodes = (node("app01"), offline("app02", unclean=True), node("app03"))
    assert texts(promotable(P, U, Role.STOPPED, nodes=nodes), "promoted-low") == []


@pytest.mark.parametrize(
    ("roles", "task", "text", "nodes"),
    [
        ((U, U, U), "promote", "ms is promoting on app02", ("app02",)),
        ((U, Role.STARTING, U), None, "p is starting on app02", ("app02",)),
        ((U, U, Role.STARTING), "promote", "p is promoting on app02", ("app02",)),
    ],
)
def test_promotion_that_is_on_its_way(roles, task, text, nodes):
    pending = () if task is None else (PendingOperation("p", "app02", task, 0),)
    judged = promotable(*roles, pending=pending)
    assert [(each.text, each.nodes) for each in judged.findings if each.object == "ms"] == [
        (f"ms: no instance is promoted yet, {text}", nodes)
    ]


@pytest.mark.parametrize(
    ("roles", "keys"),
    [
        ((P, U, U), []),
        ((Role.STOPPED, U, U), ["resource-disabled"]),
        ((Role.STOPPED, Role.STOPPED, U), ["resource-disabled"]),
    ],
)
def test_clone_that_is_disabled_and_runs_in_part(roles, keys):
    instances = [
        stopped("p") if role is Role.STOPPED else primitive("p", f"app0{number}", role)
        for number, role in enumerate(roles, start=1)
    ]
    one = clone(*instances, name="ms", promotable=True, disabled=True, target_role="Stopped")
    judged = report("resources", view(cluster(resources=(one,))))
    assert [each.key for each in judged.findings] == keys


@pytest.mark.parametrize(("alive", "told"), [(True, 0), (False, 2)])
def test_instance_on_a_lost_node_is_that_nodes_fault_unless_there_is_no_other(alive, told):
    """Its node is told by the check of nodes."""
    nodes = (node("app01"), *(offline(name, unclean=True) for name in ("app02", "app03")))
    instances = [primitive("ping", name) for name in ("app02", "app03")]
    instances += [primitive("ping")] if alive else [stopped("ping")]
    judged = report("resources", view(cluster(nodes, resources=(clone(*instances),))))
    assert len([f for f in judged.findings if f.key == "resource-on-lost-node"]) == told


def test_instance_that_failed_is_told_beside_others_that_run():
    instances = (primitive("ping", "app01", failed=True), primitive("ping", "app02"))
    judged = report("resources", view(cluster(resources=(clone(*instances),))))
    assert found(judged, "resource-failed").nodes == ("app01",)


def test_instances_are_counted_by_what_they_do():
    parts = (
        primitive("a"),
        primitive("b", blocked=True, failed=True),
        primitive("c", managed=False),
        primitive("d", role=Role.PROMOTED),
        stopped("e"),
        primitive("f", role=Role.STARTING),
    )
    judged = report("resources", view(cluster(resources=parts)))
    assert {each.label.removeprefix("resources_"): each.value for each in judged.figures} == {
        "resources": 6,
        "running": 4,
        "stopped": 1,
        "failed": 1,
        "blocked": 1,
        "unmanaged": 1,
    }


# -- what follows a start ----------------------------------------------------------------------


def behind(seconds, **changes):
    """A group whose first member was started so many seconds ago, and whose second is stopped."""
    second = stopped("DB", **changes)
    at = int(NOW.timestamp()) - seconds
    known = configured(started={("FS", "app01"): at})
    judged = report(
        "resources", view(cluster(resources=(group(primitive("FS"), second),)), cib=known)
    )
    return [(each.key, each.nodes) for each in judged.findings]


def test_member_behind_one_that_was_started_a_moment_ago_is_on_its_way():
    assert behind(3) == [("resource-transition", ("app01",))]
    assert behind(4) == [("resource-stopped", ())]
    assert [key for key, _ in behind(1, target_role="Stopped")] == ["resource-disabled"]


def test_member_that_failed_is_not_on_its_way():
    at = int(NOW.timestamp()) - 1
    known = configured(started={("FS", "app01"): at})
    one = group(primitive("FS"), primitive("DB", failed=True))
    judged = report("resources", view(cluster(resources=(one,)), cib=known))
    assert [each.key for each in judged.findings] == ["resource-failed"]


# -- placement ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "keys"),
    [
        (stopped("FS"), ["not-running"]),
        (primitive("FS", None, Role.STARTING), []),
        (primitive("FS", "app01", Role.STARTED), []),
    ],
)
def test_service_runs_nowhere_where_it_is_stopped_everywhere(one, keys):
    judged = report("placement", view(cluster(resources=(one,))))
    assert [each.key for each in judged.findings if "running" in each.key] == keys


def test_where_each_resource_runs_is_told_as_looked_at():
    resources = (primitive("FS", "app02"), stopped("IP"))
    judged = report("placement", view(cluster(resources=resources)))
    assert judged.looked_at == ("FS: app02", "IP: nowhere")


def test_tie_breaker_that_is_no_node_of_the_cluster_is_not_unprotected():
    """The name is told as one that nobody knows; the rule by itself says nothing of it."""
    seen = view(cluster(resources=(primitive("FS"),)), config=Config(tie_breakers=("nobody",)))
    assert registry.load("placement").rule(seen, Asked()).findings == ()


FENCE_RULE = ban("ms", "app02", "drbd-fence-by-handler-r0-rule-ms", promoted_only=True)
FENCE = location("ms", "app02", -1_000_000, "drbd-fence-by-handler-r0-ms")


@pytest.mark.parametrize(
    ("known", "told"),
    [(None, ["drbd-fence-by-handler-r0-ms"]), (cib(), []), (cib(locations=(FENCE,)), [FENCE.id])],
)
def test_constraint_of_drbds_fence_handler_is_the_cibs_where_it_was_read(known, told):
    """Elsewhere crm_mon names the rule in it."""
    one = clone(primitive("p", role=Role.PROMOTED), name="ms", promotable=True)
    judged = report("placement", view(cluster(resources=(one,), bans=(FENCE_RULE,)), cib=known))
    assert [each.partition(" ")[0] for each in texts(judged, "leftover-fence")] == told


def test_tie_breaker_is_none_for_what_is_no_service():
    """A clone may run there; only groups and single resources are kept away."""
    one = clone(primitive("ping", ("app01", "app02", "app03")), name="ping-clone")
    seen = view(cluster(resources=(one,)), config=Config(tie_breakers=("app03",)))
    assert report("placement", seen).findings == ()
    seen = view(cluster(resources=(primitive("FS", "app03"),)), config=seen.config)
    assert "placed-forbidden" in [each.key for each in report("placement", seen).findings]


# -- failover ----------------------------------------------------------------------------------


def failover(*resources, **changes):
    asked = changes.pop("asked", {})
    return report("failover", view(cluster(resources=resources, **changes)), **asked)


def alone(*names):
    """Services whose other nodes are in standby."""
    nodes = (node("app01"), node("app02", standby=True), node("app03", standby=True))
    return failover(*map(primitive, names), nodes=nodes)


@pytest.mark.parametrize(
    ("names", "words"),
    [(("a",), "a"), (("a", "b", "c"), "a, b, c"), (("a", "b", "c", "d"), "a, b and 2 more")],
)
def test_of_many_services_with_one_outlook_two_are_told(names, words):
    one = found(alone(*names), "no-candidate")
    assert one.text.startswith(f"no node could take {words}: app02, app03: in standby")
    assert one.nodes == ("app02", "app03")


def test_what_holds_for_every_node_is_of_none():
    one = found(failover(primitive("FS"), dc=None), "no-candidate")
    assert (one.text, one.nodes) == ("no node could take FS: no designated controller", ())


@pytest.mark.parametrize(("asked", "warning"), [({}, "1:"), ({"values": {"candidates": 2}}, "2:")])
def test_figure_of_candidates_has_what_was_asked_for(asked, warning):
    judged = failover(primitive("FS"), asked=asked)
    (figure,) = [each for each in judged.figures if each.label == "candidates_min"]
    assert (figure.value, figure.warning, figure.critical) == (2, warning, "1:")


def decisive(*names, quorate=True, policy="stop", total=4, bans=(), **of_each):
    """Services on app01 where the quorum ends with the vote of app03, which has two of four."""
    count = votes(expected=4)
    members = tuple(
        each._replace(votes=2) if each.name == "app03" else each for each in count.members
    )
    counted = count._replace(members=members, total=total, quorum=3, quorate=quorate)
    known = cluster(
        resources=[primitive(name, **of_each) for name in names],
        bans=bans,
        quorate=quorate,
        options=options(no_quorum_policy=policy),
    )
    seen = view(known, votes=counted)
    return texts(report("failover", seen), "single-point")


def test_of_many_services_that_one_loss_would_end_two_are_told():
    assert decisive("a", "b", "c") == [
        "the loss of app03 would end a, b, c: the quorum ends with its vote"
    ]
    assert decisive("a", "b", "c", "d") == [
        "the loss of app03 would end a, b and 2 more: the quorum ends with its vote"
    ]


def outlook(blocked=(), excluded=None, **changes):
    facts = {
        "resource": primitive(),
        "active": ("app01",),
        "lost": frozenset({"app01"}),
        "candidates": (),
        "excluded": excluded or {},
        "blocked": blocked,
        "disabled": False,
        "pinned": False,
        "scheduled": False,
    }
    return Outlook(**{**facts, **changes})


def why(*words):
    return tuple(Against(f"because of {word}", word=word) for word in words)


@pytest.mark.parametrize(
    ("blocked", "excluded", "on_purpose"),
    [
        (why("maintenance"), {}, True),
        (why("maintenance", "quorum"), {}, False),
        (why("quorum"), {}, False),
        ((), {"app02": why("unmanaged")}, True),
        ((), {"app02": why("unmanaged", "drbd")}, True),
        ((), {"app02": why("unmanaged"), "app03": why("rule")}, True),
        ((), {"app02": why("unmanaged"), "app03": why("rule", "configuration")}, True),
        ((), {"app02": why("unmanaged"), "app03": why("drbd")}, False),
        ((), {"app02": why("unmanaged"), "app03": why("rule", "drbd")}, False),
        ((), {"app02": why("rule")}, False),
        ((), {"app02": why("drbd")}, False),
        ((), {}, False),
    ],
)
def test_what_keeps_a_service_from_moving_on_purpose(blocked, excluded, on_purpose):
    assert outlook(blocked, excluded).on_purpose is on_purpose


def test_service_ends_where_it_runs_nobody_could_take_it_and_nobody_asked_for_that():
    assert outlook().ends
    assert not outlook(active=()).ends
    assert not outlook(candidates=("app02",)).ends
    assert not outlook(disabled=True).ends
    assert [
        each.is_off for each in (outlook(disabled=True), outlook(disabled=True, active=()))
    ] == [
        False,
        True,
    ]


def test_step_is_that_of_the_reason_that_is_lifted_soonest():
    hard = Against("broken", "mend it", "agent")
    easy = Against("in standby", "pcs node unstandby app02", "standby")
    assert outlook(excluded={"app02": (hard,), "app03": (easy,)}).step == easy.step
    assert outlook((hard,), {"app03": (easy,)}).step == hard.step
    assert outlook().step == ""


@pytest.mark.parametrize(
    ("nodes", "kept_from", "pinned"),
    [
        (("app01",), (), True),
        (("app01", "app02"), (), False),
        (("app01", "app02"), ("app02",), True),
        (("app01", "app02", "app03"), ("app02",), False),
        (("app01", "app02", "app03"), ("app02", "app03"), True),
        (("app01",), ("app01",), True),
    ],
)
def test_service_has_one_node_by_design(nodes, kept_from, pinned):
    known = cluster(map(node, nodes), (primitive(),), bans=[ban("FS", each) for each in kept_from])
    summary = report("failover", view(known)).summary
    assert (" by design" in summary) is pinned


def test_vote_that_nothing_hangs_on_is_no_single_point():
    assert decisive("FS") != []
    assert decisive("FS", policy="ignore") == []  # services go on without quorum
    assert decisive("FS", quorate=False) == []
    assert decisive("FS", total=3) == []  # one is missing already: that is told
    assert decisive("FS", target_role="Stopped") == []  # it is about to end anyway
    kept = [ban("FS", name) for name in ("app02", "app03")]
    assert decisive("FS", bans=kept) == []  # it ends with its one node by design


def here_not_ready(*names):
    nodes = (node("app01"), node("app02", standby=True), node("app03"))
    seen = view(cluster(nodes, resources=map(primitive, names)), here="app02")
    return found(report("failover", seen), "here-not-ready").text


def test_of_many_services_that_this_node_could_not_take_two_are_told():
    words = "app02 is not ready to take {}: in standby"
    assert here_not_ready("a", "b", "c") == words.format("a, b, c")
    assert here_not_ready("a", "b", "c", "d") == words.format("a, b and 2 more")


def test_tie_breaker_that_could_not_take_a_clone_is_not_ready():
    """It is none for a clone: where such an instance is promoted nobody has said."""
    nodes = (node("app01"), node("app02"), node("app03", standby=True))
    one = clone(primitive("p", "app01", P), primitive("p", "app02", U), name="ms", promotable=True)
    seen = view(
        cluster(nodes, resources=(one, primitive("FS"))),
        here="app03",
        config=Config(tie_breakers=("app03",)),
    )
    assert found(report("failover", seen), "here-not-ready").object == "app03"
    assert "take ms: in standby" in found(report("failover", seen), "here-not-ready").text


# -- quorum ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("expected", "told"), [(4, False), (3, True), (5, True)])
def test_vote_of_the_quorum_device_is_due_beside_that_of_every_node(expected, told):
    """app03 is away: one vote a node is what there should be."""
    nodes = (node("app01"), node("app02"), offline("app03"))
    counted = votes(("app01", "app02"), expected=expected, qdevice=1)
    judged = report("quorum", view(cluster(nodes), votes=counted))
    due = f"{expected} votes expected, the configured nodes have 4"
    assert texts(judged, "votes-expected") == [due] * told


# -- consistency -------------------------------------------------------------------------------


def consistency(*resources, drbd_here=None, known=None, here="app01"):
    seen = view(
        cluster(resources=resources),
        cib=known if known is not None else on_drbd(),
        drbd=(drbd_here if drbd_here is not None else drbd(),),
        here=here,
    )
    return report("consistency", seen)


def test_of_many_pairs_two_are_told():
    names = ("FS1", "FS2", "FS3", "FS4")
    mounts = tuple(Filesystem(name, f"/dev/drbd{n}", "/srv") for n, name in enumerate(names))
    volumes = tuple(
        drbd(name=f"r{n}")._replace(devices=tuple(d._replace(minor=n) for d in drbd().devices))
        for n in range(len(names))
    )
    seen = view(cluster(resources=map(primitive, names)), cib=cib(filesystems=mounts), drbd=volumes)
    summary = report("consistency", seen).summary
    assert summary == (
        "FS1 runs and r0 is Primary on app01, FS2 runs and r1 is Primary on app01 and 2 more"
    )


def promoted(mount, instance_on, role=Role.PROMOTED):
    """A mount on the promoted instance of a DRBD resource."""
    known = replace(
        on_drbd(device="/dev/drbd/by-res/r0/0"),
        resources={
            "p": Configured(
                "p", "primitive", parent="ms", agent="ocf:linbit:drbd",
                parameters={"drbd_resource": "r0"},
            ),
            "ms": Configured("ms", "clone", members=("p",), meta={"promotable": "true"}),
            "FS": Configured("FS", "primitive", agent="ocf:heartbeat:Filesystem"),
        },
    )  # fmt: skip
    instance = primitive("p", instance_on, role, agent="ocf:linbit:drbd")
    return consistency(mount, clone(instance, name="ms", promotable=True), known=known)


def test_promoted_instance_without_its_mount_is_what_runs():
    assert promoted(stopped("FS"), "app01").summary == "p runs and r0 is Primary on app01"
    assert promoted(primitive("FS"), "app01").summary == "FS runs and r0 is Primary on app01"


def test_unpromoted_instance_is_not_what_runs():
    judged = promoted(stopped("FS"), "app02", Role.UNPROMOTED)
    assert found(judged, "primary-without-service").object == "FS"


def test_mount_without_a_promoter_is_told_by_its_own_name():
    judged = consistency(stopped("FS"))
    assert found(judged, "primary-without-service").object == "FS"


def test_primary_elsewhere_is_named_without_the_node_where_it_runs():
    """Of two Primaries the one that nobody uses is told."""
    here = drbd(drbd_peer("app02", DrbdRole.PRIMARY), role=DrbdRole.PRIMARY)
    judged = consistency(primitive("FS", ("app01", "app03")), drbd_here=here)
    one = found(judged, "primary-elsewhere")
    assert one.nodes == ("app02",)
    assert one.text.endswith(", the Primary of r0 is app02")


def test_node_without_which_the_scheduler_would_not_run_a_service_elsewhere():
    """FS runs on app01, and ends with app02."""
    stays = {name: {"app02": Role.STARTED} for name in ("FS", "DB")}
    ends = Simulations(
        {
            (name,): Simulation((name,), (), after, {})
            for name, after in (("app01", stays), ("app02", {"DB": {"app01": Role.STARTED}}))
        },
        {},
    )
    one, other = primitive("FS"), primitive("DB", "app02")
    seen = view(cluster(resources=(one, other)), simulations=ends)
    points = texts(report("failover", seen), "single-point")
    assert [each.partition(":")[0] for each in points] == ["the loss of app02 would end FS"]


# -- votes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "lost", "kept"),
    [
        (3, (), True),
        (3, (node("app02"),), True),
        (2, (node("app02"),), False),
        (3, (node("app02"), node("app03")), False),
        (2, (offline("app03"),), True),  # it does not count any more
        (2, (node("far", type="remote"),), True),
        (None, (node("app02"),), None),
    ],
)
def test_quorum_without_some_nodes(total, lost, kept):
    """Two of three votes are needed."""
    count = Tally(True, total, 2, 3, True, False, None)
    assert keeps_quorum(count, lost) is kept


def test_two_node_mode_covers_the_loss_of_one():
    count = Tally(True, 2, 2, 2, True, True, None)
    assert keeps_quorum(count, (node("app02"),)) is True
    assert keeps_quorum(count, (node("app01"), node("app02"))) is False


# -- what stands on DRBD -----------------------------------------------------------------------


def standing(*resources, mounts=(), colocated=()):
    """The pairs of a CIB with p, which manages r0 in the clone ms."""
    known = {
        "p": Configured(
            "p", "primitive", "ms", agent="ocf:linbit:drbd", parameters={"drbd_resource": "r0"}
        ),
        "ms": Configured("ms", "clone", members=("p",), meta={"promotable": "true"}),
        **{each.id: each for each in resources},
    }
    rules = tuple(
        Colocation(f"with-{name}", Member(name, None), Member("ms", "Promoted"), 1_000_000)
        for name in colocated
    )
    filesystems = tuple(Filesystem(name, device, "/srv") for name, device in mounts)
    found = replace(cib(filesystems=filesystems), resources=known, colocations=rules)
    return [tuple(pair) for pair in pairs(view(cib=found))]


DB = Configured("DB", "primitive", agent="ocf:heartbeat:mysql")
MOUNT = Configured("FS", "primitive", agent="ocf:heartbeat:Filesystem")


def test_drbd_that_nothing_must_run_with_stands_for_itself():
    assert standing() == [("p", "r0", None, "p")]
    assert standing(DB) == [("p", "r0", None, "p")]


def test_what_must_run_with_the_promoted_instance_stands_on_it():
    assert standing(DB, colocated=("DB",)) == [("DB", "r0", None, "p")]


def test_of_a_group_the_member_that_opens_devices_stands_on_it():
    one = Configured("g", "group", members=("DB", "FS"))
    inner = (DB._replace(parent="g"), MOUNT._replace(parent="g"))
    assert standing(one, *inner, colocated=("g",)) == [("FS", "r0", None, "p")]
    only = Configured("g", "group", members=("DB",))
    assert standing(only, inner[0], colocated=("g",)) == [("DB", "r0", None, "p")]


def test_mount_with_a_name_that_tells_nothing_stands_on_what_it_must_run_with():
    mount = ("FS", "/dev/drbd_web")
    assert standing(MOUNT, mounts=(mount,), colocated=("FS",)) == [
        ("FS", "r0", "/dev/drbd_web", "p")
    ]
    assert standing(MOUNT, mounts=(mount,)) == [
        ("FS", None, "/dev/drbd_web", None), ("p", "r0", None, "p"),
    ]  # fmt: skip


def test_what_stands_on_drbd_is_all_of_its_chain_and_what_must_run_with_it():
    known = replace(
        cib(filesystems=(Filesystem("FS", "/dev/drbd/by-res/r0/0", "/srv"),)),
        resources={
            "p": Configured(
                "p", "primitive", "ms", agent="ocf:linbit:drbd", parameters={"drbd_resource": "r0"}
            ),
            "ms": Configured("ms", "clone", members=("p",)),
            "g": Configured("g", "group", members=("FS", "IP")),
            "FS": MOUNT._replace(parent="g"),
        },
        colocations=(Colocation("c", Member("DB", None), Member("ms", "Promoted"), 1_000_000),),
    )
    resources = (group(primitive("FS"), primitive("IP"), name="g"), primitive("other"))
    assert above(view(cluster(resources=resources), cib=known), "r0") == {
        *("p", "ms", "DB", "FS", "IP", "g")
    }
    assert above(view(cluster(resources=resources), cib=known), "r1") == frozenset()
    assert above(view(cluster(resources=resources)), "r0") == frozenset()


def test_clone_and_bundle_that_must_run_with_it_do_not_open_its_device():
    """Their instances run on several nodes; a container is looked at as a whole."""
    for tag in ("clone", "bundle"):
        whole = Configured("c", tag, members=("DB",))
        inner = DB._replace(parent="c")
        assert standing(whole, inner, colocated=("c",)) == [("p", "r0", None, "p")]


@pytest.mark.parametrize("parameters", [{}, {"drbd_resource": "everything"}])
def test_agent_that_names_no_resource_of_drbd_manages_none(parameters):
    one = RUNNING_CLONE._replace(parameters=parameters)
    known = configured(Configured("ms", "clone", members=("p",)), one)
    assert pairs(view(cluster(), cib=known)) == ()
    named = configured(one._replace(parameters={"drbd_resource": "r0"}))
    assert [each.drbd for each in pairs(view(cluster(), cib=named))] == ["r0"]


@pytest.mark.parametrize(("second", "told"), [(node("app02"), True), (offline("app02"), False)])
def test_quorum_that_is_ignored_is_no_reason_where_all_others_are_gone(second, told):
    judged = failover(
        stopped("FS"),
        nodes=(node("app01"), second, offline("app03")),
        quorate=False,
        options=options(no_quorum_policy="ignore"),
    )
    assert any("this partition has no quorum" in each.text for each in judged.findings) is told
