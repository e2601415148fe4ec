"""Constructed states in which one thing keeps another from running: the first fault is that one."""

from __future__ import annotations

import pytest

import build_drbd
from build import (
    NOW,
    ban,
    cib,
    clone,
    cluster,
    drbd,
    failure,
    group,
    history,
    node,
    offline,
    options,
    peer,
    primitive,
    replace,
    report,
    stopped,
    view,
    votes,
)
from check_mccluster.judge.beside import beside
from check_mccluster.judge.faults import faults
from check_mccluster.model.configuration import (
    CibNode,
    Colocation,
    Configured,
    DateExpression,
    Expression,
    Member,
    Order,
    Rule,
)
from check_mccluster.model.drbd import ConnectionState, DiskState
from check_mccluster.model.pacemaker import Health, Location, NodeAttribute, Operation, Role
from check_mccluster.verdict.finding import State

INFINITY = 1_000_000
DOWN = group(stopped("FS"), stopped("DB"))


def causes(*checks, seen):
    """The causes that these checks' findings come to, gravest first."""
    told = beside(seen, [report(check, seen) for check in checks])
    found = [each for judged in told for each in judged.findings]
    return [fault for fault in faults(seen, found) if fault.state is not State.OK]


def only(*checks, seen):
    """The one fault that all these findings come to."""
    (fault,) = causes(*checks, seen=seen)
    return fault


# -- promotion ---------------------------------------------------------------------------------


def promotable(*roles, **facts):
    instances = (primitive("DB", on, role) for on, role in zip(("app01", "app02", "app03"), roles))
    return clone(*instances, name="DB-clone", promotable=True, **facts)


ONE_OF_THREE = promotable(Role.PROMOTED, Role.UNPROMOTED, Role.UNPROMOTED)
THREE = cib()._replace(
    resources={"DB-clone": Configured("DB-clone", "clone", meta={"promoted-max": "3"})}
)


def test_clone_promoted_too_seldom_names_what_bars_the_others():
    bans = (
        ban("DB-clone", "app02", promoted_only=True),
        ban("DB-clone", "app03", promoted_only=True),
    )
    seen = view(cluster(None, (ONE_OF_THREE,), bans=bans), cib=THREE)
    cause = only("resources", seen=seen).cause
    assert cause.key == "promoted-low"
    assert cause.text == (
        "DB-clone: 1 of 3 instances are promoted (app02: cannot promote DB-clone:"
        " DB-clone-avoids-app02 forbids it; app03: cannot promote DB-clone:"
        " DB-clone-avoids-app03 forbids it)"
    )
    gone = "pcs constraint delete DB-clone-avoids-app02"
    assert f"where DB-clone-avoids-app02 is not wanted: {gone}" in cause.next_step


def test_what_ends_it_is_told_for_each_instance_that_is_missing():
    scored = {name: CibNode(name) for name in ("app02", "app03")}
    scored["app01"] = CibNode("app01", transient={"master-DB": "10"})
    resources = {**THREE.resources, "DB": Configured("DB", "primitive", parent="DB-clone")}
    known = replace(THREE, nodes=scored, resources=resources)
    seen = view(cluster(None, (ONE_OF_THREE,)), cib=known)
    cause = only("resources", seen=seen).cause
    assert cause.text.endswith(
        "(app02, app03: cannot promote DB-clone: it has no promotion score there)"
    )
    assert cause.next_step == (
        "crm_mon -1 -A; on app02: journalctl -u pacemaker --grep DB; then: crm_resource --refresh"
        " -r DB -N app02; on app03: journalctl -u pacemaker --grep DB; then: crm_resource --refresh"
        " -r DB -N app03"
    )


def test_ban_of_the_promoted_role_left_by_hand_is_the_cause():
    left = ban("DB-clone", "app02", "cli-ban-DB-clone-on-app02", promoted_only=True)
    seen = view(cluster(None, (ONE_OF_THREE,), bans=(left,)), cib=THREE)
    fault = only("resources", "placement", seen=seen)
    assert fault.cause.key == "leftover-ban"
    assert fault.cause.next_step == "crm_resource --clear -r DB-clone -N app02"
    assert [each.key for each in fault.follows] == ["promoted-low"]


def test_clone_that_shall_not_be_promoted_explains_what_waits_for_it():
    asked = replace(promotable(Role.UNPROMOTED, Role.UNPROMOTED), target_role="Unpromoted")
    runs_with = Colocation("with", Member("FS", None), Member("DB-clone", "Promoted"), INFINITY)
    seen = view(cluster(None, (asked, stopped("FS"))), cib=cib()._replace(colocations=(runs_with,)))
    fault = only("resources", seen=seen)
    assert (fault.cause.key, fault.cause.object) == ("resource-disabled", "DB-clone")
    assert [each.object for each in fault.follows] == ["FS"]
    assert fault.state is State.CRITICAL


def test_barred_fence_device_says_first_which_nodes_nothing_fences():
    """That is more than that the device is stopped, which is as grave."""
    device = stopped("fence", agent="stonith:fence_x")
    facts = {
        "history": tuple(history("fence", name, INFINITY) for name in ("app01", "app02", "app03")),
        "options": options(fencing_enabled=True),
    }
    found = causes("resources", "failures", "fencing", seen=view(cluster(None, (device,), **facts)))
    (graver,) = {each.graver.key for each in found if each.graver is not None}
    assert graver == "fence-device-down"
    assert ", hence no device to fence app01, app02, app03 runs: fence is stopped" in found[0].text


# -- what it stands on -------------------------------------------------------------------------


def test_what_is_disabled_explains_all_that_must_run_with_it():
    parts = (
        Colocation("one", Member("FS", None), Member("IP", None), INFINITY),
        Colocation("two", Member("IP", None), Member("NET", None), INFINITY),
    )
    resources = (stopped("NET", target_role="Stopped"), stopped("IP"), stopped("FS"))
    seen = view(cluster(None, resources), cib=cib()._replace(colocations=parts))
    fault = only("resources", seen=seen)
    assert (fault.cause.key, fault.cause.object) == ("resource-disabled", "NET")
    texts = {each.object: each.text for each in fault.follows}
    assert texts["IP"] == "IP is stopped (app01, app02, app03: NET is disabled)"
    assert "IP does not run: NET is disabled" in texts["FS"]


@pytest.mark.parametrize(
    ("unmanaged", "key", "step"),
    [
        (
            group(primitive("FS", managed=False), stopped("DB", managed=False), managed=False),
            "resource-unmanaged",
            "When the work is done: crm_resource -r group1 --meta -d is-managed"
            " (pcs resource manage group1)",
        ),
        (stopped("DB", managed=False), "resource-stopped", "pcs resource manage DB"),
    ],
)
def test_what_is_unmanaged_and_dead_is_told_with_what_ends_that(unmanaged, key, step):
    fault = only("resources", seen=view(cluster(None, (unmanaged,)), cib=cib()))
    assert (fault.cause.key, fault.state) == (key, State.CRITICAL)
    assert step in fault.cause.next_step


@pytest.mark.parametrize("holder", ["group1", "DB"])
def test_what_is_dead_is_managed_again_where_that_is_set(holder):
    """Pacemaker deletes nothing, and says nothing, where the attribute is the group's."""
    known = {
        "group1": Configured("group1", "group", None, ("FS", "DB")),
        "DB": Configured("DB", "primitive", "group1"),
    }
    known[holder] = known[holder]._replace(meta={"is-managed": "false"})
    dead = group(primitive("FS"), stopped("DB", managed=False), managed=holder != "group1")
    seen = view(cluster(None, (dead,)), cib=cib()._replace(resources=known))
    (step,) = [
        each.next_step
        for each in report("resources", seen).findings
        if each.key == "resource-stopped"
    ]
    assert f"crm_resource -r {holder} --meta -d is-managed (pcs resource manage {holder})" in step


# -- rules -------------------------------------------------------------------------------------


def ruled(*tests):
    """A rule on each node against group1, and what crm_mon makes of it."""
    rule = Rule("r", -INFINITY, None, None, False, tests)
    nodes = {name: CibNode(name, transient={"pingd": "0"}) for name in ("app01", "app02", "app03")}
    locations = (Location("need-net", "group1", None, None, rules=(rule,)),)
    bans = tuple(ban("group1", name, "r") for name in nodes)
    resources = {
        "group1": Configured("group1", "group", members=("FS", "DB")),
        **{name: Configured(name, "primitive", parent="group1") for name in ("FS", "DB")},
    }
    return bans, replace(cib(locations=locations), nodes=nodes, resources=resources)


def test_rule_on_connectivity_follows_from_the_network():
    bans, configured = ruled(Expression("pingd", "lt", "1"))
    lost = tuple(NodeAttribute(f"app0{number}", "pingd", "0", 100) for number in (1, 2, 3))
    seen = view(cluster(None, (DOWN,), bans=bans, attributes=lost), cib=configured)
    fault = only("nodes", "resources", seen=seen)
    assert fault.cause.key == "connectivity-lost"
    assert fault.cause.nodes == ("app01", "app02", "app03")
    assert fault.text.startswith(
        "app01 reaches none of its ping targets (pingd 0 of 100); app02, app03 too,"
        " hence group1 is stopped: FS does not run"
    )
    (stop,) = (each for each in fault.follows if each.key == "resource-stopped")
    assert "banned by need-net (pingd is 0)" in stop.text


@pytest.mark.parametrize(
    ("test", "words", "step"),
    [
        (
            Expression("site", "not_defined", None),
            "(site is not set)",
            "attrd_updater -Q -A -n site; crm_resource --constraints",
        ),
        (
            Expression("site", "lt", "1"),
            "(site is not set)",
            "attrd_updater -Q -A -n site; crm_resource --constraints",
        ),
        (DateExpression("lt", None, "2026-12-01"), "(until 2026-12-01)", "crm_resource --constr"),
        (Expression("#uname", "eq", "app01"), "banned by need-net)", "crm_resource --constraints"),
    ],
)
def test_rule_is_told_by_its_constraint_and_what_it_looks_at(test, words, step):
    bans, configured = ruled(test)
    cause = only("resources", seen=view(cluster(None, (DOWN,), bans=bans), cib=configured)).cause
    assert words in cause.text
    assert cause.next_step.startswith(step)
    assert "where need-net is not wanted: pcs constraint delete need-net" in cause.next_step


PING = Configured("net", "primitive", agent="ocf:pacemaker:ping")
BY_HAND = (
    "attrd_updater -Q -A -n pingd (no ping resource sets it); where app01 reaches its network:"
    " attrd_updater -n pingd -U 1 -N app01; crm_resource --constraints"
)
ASKED = "attrd_updater -Q -A -n pingd; on app01: ping -c 3 192.0.2.1; ping -c 3 gw; crm_resource"


@pytest.mark.parametrize(
    ("ping", "operation", "step"),
    [
        (None, "lt", BY_HAND),
        (None, "not_defined", "attrd_updater -Q -A -n pingd (no ping resource sets it); crm_res"),
        ({"host_list": "192.0.2.1 gw 192.0.2.3"}, "lt", ASKED),
        ({}, "lt", "attrd_updater -Q -A -n pingd; crm_resource --constraints"),
        ({"name": "far"}, "lt", BY_HAND),
    ],
    ids=["no resource", "no value", "targets", "none", "other"],
)
def test_rule_about_pingd_tells_who_sets_it(ping, operation, step):
    bans, known = ruled(Expression("pingd", operation, "1" if operation == "lt" else None))
    if ping is not None:
        resources = {**known.resources, "net": PING._replace(parameters=ping)}
        known = known._replace(resources=resources)
    resources = (DOWN, primitive("net")) if ping is not None else (DOWN,)
    known_here = cluster(None, resources, bans=bans)
    cause = only("resources", seen=view(known_here, cib=known)).cause
    assert cause.next_step.startswith(step)


@pytest.mark.parametrize(
    "before", [Expression("pingd", "not_defined", None), DateExpression("lt", None, "2026-12-01")]
)
def test_rule_about_pingd_with_another_test_before_tells_the_value_that_is_enough(before):
    bans, known = ruled(before, Expression("pingd", "lt", "1"))
    cause = only("resources", seen=view(cluster(None, (DOWN,), bans=bans), cib=known)).cause
    assert cause.next_step.startswith(BY_HAND)


def test_ban_by_hand_with_a_lifetime_tells_when_it_ends():
    """As ``crm_resource --ban --lifetime`` writes it: the node's name, then the date."""
    name = "cli-ban-group1-on-app02"
    tests = (Expression("#uname", "eq", "app02"), DateExpression("lt", None, "2026-12-01"))
    rule = Rule(f"{name}-rule", -INFINITY, None, None, False, tests)
    known = cib(locations=(Location(name, "group1", None, None, rules=(rule,)),))
    left = ban("group1", "app02", f"{name}-rule")
    seen = view(cluster(None, (group(primitive("FS")),), bans=(left,)), cib=known)
    (found,) = [each for each in report("placement", seen).findings if each.key == "leftover-ban"]
    assert found.text == f"{name} keeps group1 from app02 until 2026-12-01"


def test_rule_about_connectivity_pings_the_targets():
    bans, known = ruled(Expression("pingd", "lt", "1"))
    ping = PING._replace(parameters={"host_list": "192.0.2.1"})
    known = known._replace(resources={**known.resources, "net": ping})
    lost = tuple(NodeAttribute(f"app0{number}", "pingd", "0", 100) for number in (1, 2, 3))
    resources = (DOWN, primitive("net"))
    seen = view(cluster(None, resources, bans=bans, attributes=lost), cib=known)
    (stop,) = report("resources", seen).findings
    assert stop.next_step == "on app01: ip -br link; ip route; ping -c 3 192.0.2.1"


def test_rule_that_somebody_wants_is_not_lifted_before_a_node_comes_back():
    nodes = (node(), offline("app02"), offline("app03"))
    seen = view(cluster(nodes, (DOWN,), bans=(ban("group1", "app01"),)), cib=cib())
    (stop,) = (each for each in report("resources", seen).findings)
    assert stop.next_step == "on app02: pcs cluster start"


def test_cluster_that_asks_for_permission_says_how_to_give_it():
    shut = cluster(None, (DOWN,), options=options(symmetric=False))
    cause = only("resources", seen=view(shut, cib=cib())).cause
    assert "app01, app02, app03: not opted in by a constraint" in cause.text
    assert cause.next_step.endswith("pcs constraint location group1 prefers app01")


def test_agent_that_was_configured_wrongly_on_one_node_is_tried_nowhere():
    past = history("FS", "app02", 0, operations=(Operation("start", 6, None, 0),))
    seen = view(cluster(None, (stopped("FS"),), history=(past,)), cib=cib())
    cause = only("resources", seen=seen).cause
    assert cause.text == (
        "FS is stopped (app01, app02, app03: FS is configured wrongly, said its agent on app02)"
    )
    assert cause.next_step.startswith("on app02: journalctl -u pacemaker --grep FS tells which")


# -- nodes, votes ------------------------------------------------------------------------------


def test_service_that_is_down_is_told_with_a_cause_that_is_as_grave():
    red = tuple(node(f"app0{number}", health=Health.RED) for number in (1, 2, 3))
    fault = only("nodes", "resources", "placement", seen=view(cluster(red, (DOWN,)), cib=cib()))
    assert fault.text == "health of app01 is red; app02, app03 too, hence group1 runs nowhere"


def test_remote_node_and_the_resource_that_connects_it_are_one_fault():
    gone = offline("rem1", type="remote", id="rem1")
    nodes = (*map(node, ("app01", "app02", "app03")), gone)
    barred = (history("rem1", "app01", INFINITY),)
    seen = view(cluster(nodes, (stopped("rem1"),), history=barred), cib=cib())
    fault = only("nodes", "resources", "failures", "placement", seen=seen)
    assert (fault.cause.key, fault.cause.object) == ("node-offline", "rem1")
    assert fault.cause.next_step.startswith("on rem1: systemctl status pacemaker_remote")


def test_margin_of_votes_that_is_gone_follows_from_the_quorum_device():
    device = votes(expected=5, flags=("Qdevice",), qdevice=0, device_flags="A,NV,NMW")
    seen = view(cluster(None, (group(primitive("FS")),)), cib=cib(), votes=device)
    keys = {fault.cause.key for fault in causes("quorum", "failover", seen=seen)}
    assert keys == {"qdevice-lost"}


# -- DRBD --------------------------------------------------------------------------------------

CONFIGURED = cib()._replace(
    resources={
        "data-clone": Configured("data-clone", "clone", members=("data",)),
        "data": Configured(
            "data",
            "primitive",
            agent="ocf:linbit:drbd",
            parameters={"drbd_resource": "r0"},
            parent="data-clone",
        ),
    }
)
"""Pacemaker brings r0 up and down."""


def one_side(*, second="app02", state=ConnectionState.CONNECTING, nodes=None, **facts):
    """Two servers, of which app01 is asked: r0 reaches nobody."""
    instances = (primitive("data", "app01", Role.PROMOTED), primitive("data", second))
    if second is None:
        instances = (instances[0], stopped("data"))
    known = cluster(
        nodes or (node(), node("app02")),
        (clone(*instances, name="data-clone", promotable=True),),
        **facts,
    )
    answer = (drbd(peer("app02", state=state), disk=DiskState.UP_TO_DATE),)
    return view(known, cib=CONFIGURED, drbd=answer)


BANNED = ban("data-clone", "app02", "cli-ban-data-clone-on-app02")


@pytest.mark.parametrize(
    ("facts", "key", "why"),
    [
        ({"nodes": (node(), node("app02", standby=True))}, "node-standby", "in standby"),
        ({"bans": (BANNED,)}, "leftover-ban", "banned by cli-ban-data-clone-on-app02"),
        (
            {"history": (history("data", "app02", INFINITY),)},
            "node-barred",
            "data barred by fail-count INFINITY",
        ),
    ],
)
def test_connection_to_where_pacemaker_stopped_drbd_follows_from_that(facts, key, why):
    seen = one_side(second=None, **facts)
    fault = only("nodes", "resources", "failures", "placement", "drbd-mesh", seen=seen)
    assert fault.cause.key == key
    (cut,) = (each for each in fault.follows if each.key == "mesh-isolated")
    assert cut.text == (
        "r0: 0 of 1 connected (app02 Connecting); Pacemaker keeps data stopped there"
        f" (app02: {why})"
    )


def test_only_peer_whose_cluster_stack_runs_may_have_drbd_down():
    cause = only("drbd-mesh", seen=one_side()).cause
    assert cause.text.endswith("the cluster stack of app02 runs, the port or link of DRBD does not")
    assert cause.next_step.startswith(
        "on app02: drbdadm status r0; without an answer: drbdadm up r0; with one: journalctl -k"
    )


def test_peer_that_drbd_gave_up_on_is_no_question_of_ports():
    cause = only("drbd-mesh", seen=one_side(state=ConnectionState.STANDALONE)).cause
    assert cause.text == "r0: 0 of 1 connected (app02 StandAlone)"
    assert "Split-Brain" in cause.next_step


@pytest.mark.parametrize("lost", [True, False])
def test_frozen_for_fencing_until_the_peer_is_fenced(lost):
    frozen = build_drbd.mesh(build_drbd.away("app02"), here="app01")._replace(
        suspended=True, suspended_fencing=True
    )
    nodes = (node(), offline("app02", unclean=True) if lost else node("app02"))
    seen = view(cluster(nodes), drbd=(frozen,))
    found = causes("nodes", "drbd-quorum", seen=seen)
    told = {fault.cause.key: fault for fault in found}
    assert ("io-suspended" in told) is not lost
    if lost:
        assert told["node-unclean"].text.endswith(
            ", hence r0: I/O on app01 is suspended: a fencing handler runs (app02 not connected)"
        )
    else:
        assert "journalctl -k -g fence-peer" in told["io-suspended"].cause.next_step


def test_promotion_without_any_copy_follows_from_the_copies():
    half = peer("app02", disk=DiskState.INCONSISTENT)._replace(state=ConnectionState.CONNECTED)
    instances = (
        primitive("data", "app01", Role.UNPROMOTED),
        primitive("data", "app02", Role.UNPROMOTED),
    )
    known = cluster(
        (node(), node("app02")), (clone(*instances, name="data-clone", promotable=True),)
    )
    seen = view(known, cib=CONFIGURED, drbd=(drbd(half, disk=DiskState.INCONSISTENT),))
    fault = next(f for f in causes("resources", "drbd-quorum", seen=seen))
    assert fault.cause.key == "copies-none"
    assert "promoted-missing" in [each.key for each in fault.follows]


@pytest.mark.parametrize(("ago", "key"), [(2, "resource-transition"), (5, "promoted-missing")])
def test_clone_whose_instances_were_just_started_is_promoted_next(ago, key):
    """Between the start and the promotion nothing is under way: the scores are to be written."""
    fresh = promotable(Role.UNPROMOTED, Role.UNPROMOTED, Role.UNPROMOTED)
    started = {("DB", "app02"): int(NOW.timestamp()) - ago}
    found = report("resources", view(cluster(None, (fresh,)), cib=cib()._replace(started=started)))
    assert [each.key for each in found.findings] == [key]
    if key == "resource-transition":
        (moving,) = found.findings
        assert moving.text == "DB-clone: no instance is promoted yet, DB just started on app02"


# -- failures ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "words", "step"),
    [
        (("DB",), " of DB", "on app01: journalctl -u pacemaker --grep DB tells why"),
        (("DB", "IP"), " of DB, IP", "crm_mon -1 -f"),
        ((), "", "crm_mon -1 -f"),
    ],
)
def test_standby_after_a_failure_names_what_failed(names, words, step):
    nodes = (node(standby_onfail=True), node("app02"), node("app03"))
    failures = tuple(failure(name) for name in names)
    seen = view(cluster(nodes, failures=failures), cib=cib())
    fault = only("nodes", "failures", seen=seen)
    assert fault.cause.text == f"app01 is in standby after a failure{words}"
    assert fault.cause.next_step.startswith(step)
    assert len(fault.follows) == len(names)


def test_what_is_blocked_after_a_monitor_is_not_to_be_stopped():
    held = primitive("DB", failed=True, blocked=True)
    seen = view(cluster(None, (held,), failures=(failure("DB"),)), cib=cib())
    cause = only("resources", seen=seen).cause
    assert cause.text == (
        "DB failed and blocked on app01: Pacemaker gave up on it (monitor: not running)"
    )
    assert cause.next_step == (
        "on app01: journalctl -u pacemaker --grep DB tells why; fix that; then: crm_resource"
        " --cleanup -r DB -N app01"
    )


@pytest.mark.parametrize("set_at", ["DB", "group1"])
def test_maintenance_of_a_resource_is_ended_where_it_is_set(set_at):
    """Not by is-managed, which says nothing of it."""
    meta = {"maintenance": "true"}
    resources = {
        "group1": Configured("group1", "group", members=("DB",)),
        "DB": Configured("DB", "primitive", parent="group1"),
    }
    resources[set_at] = resources[set_at]._replace(meta=meta)
    known = cluster(None, (group(primitive("DB", managed=False)),))
    seen = view(known, cib=cib()._replace(resources=resources))
    cause = only("resources", seen=seen).cause
    assert (cause.key, cause.object) == ("resource-unmanaged", "DB")
    step = f"When the work is done: crm_resource -r {set_at} --meta -d maintenance"
    assert cause.next_step == step


def test_constraint_that_is_in_force_follows_from_the_connection_that_is_down():
    name = "drbd-fence-by-handler-r0-data-clone"
    bans = (ban("data-clone", "app02", name, promoted_only=True),)
    seen = one_side(bans=bans)
    fault = only("drbd-mesh", "failover", "placement", seen=seen)
    assert fault.cause.key == "mesh-isolated"
    (none,) = (each for each in fault.follows if each.key == "no-candidate")
    assert name in none.text


def test_service_that_waits_for_a_clone_follows_from_the_clone():
    first = Order("first", "NET-clone", "start", "FS", "start", mandatory=True)
    resources = (clone(stopped("NET"), stopped("NET"), name="NET-clone"), stopped("FS"))
    marks = {"fail-count-NET#start_0": "INFINITY"}
    configured = replace(
        cib(),
        orders=(first,),
        nodes={name: CibNode(name, transient=marks) for name in ("app01", "app02", "app03")},
        resources={
            "NET-clone": Configured("NET-clone", "clone", members=("NET",)),
            "NET": Configured("NET", "primitive", parent="NET-clone"),
            "FS": Configured("FS", "primitive"),
        },
    )
    seen = view(cluster(None, resources), cib=configured)
    fault = only("resources", "placement", "failover", seen=seen)
    assert (fault.cause.key, fault.cause.object) == ("clone-down", "NET-clone")
    assert fault.cause.next_step == "crm_resource --cleanup -r NET"
    assert fault.text.endswith(", hence FS runs nowhere")


def test_nodes_put_in_standby_together_are_one_fault():
    nodes = tuple(node(f"app0{number}", standby=True) for number in (1, 2, 3))
    fault = only("nodes", "resources", "placement", seen=view(cluster(nodes, (DOWN,)), cib=cib()))
    assert fault.text.startswith("app01 is in standby; app02, app03 too, hence group1 is stopped")
    assert fault.cause.nodes == ("app01", "app02", "app03")
