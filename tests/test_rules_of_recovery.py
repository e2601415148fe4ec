"""What failed and is not, or not yet, recovered from; what is kept from several nodes."""

from __future__ import annotations

import pytest

from build import (
    NAMES,
    NOW,
    ban,
    bundle,
    cib,
    clone,
    cluster,
    failure,
    fence_event,
    group,
    history,
    node,
    options,
    primitive,
    replace,
    report,
    said,
    stopped,
    view,
)
from check_mccluster.inputs.cibadmin import CIB
from check_mccluster.inputs.crm_mon import CLUSTER
from check_mccluster.judge.faults import faults
from check_mccluster.model.configuration import (
    CibNode,
    Configured,
    DateExpression,
    PendingOperation,
    Ran,
    Rule,
)
from check_mccluster.model.pacemaker import (
    FenceStatus,
    Location,
    Role,
    Ticket,
    TicketConstraint,
)

NOW_S = int(NOW.timestamp())


def told(seen):
    """The faults of a whole node, each with its text."""
    return faults(seen, report("overview", seen).findings)


# -- a ticket that was lost, loss-policy=freeze ------------------------------------------------

FROZEN = {"blocked": True, "managed": False}
TICKETS = (Ticket("siteA", False, False, "2026-11-22 08:00:00"),)


def frozen(*members, policy="freeze", failures=(), tickets=TICKETS):
    whole = group(*members)
    known = replace(
        cib(tickets=(TicketConstraint("t1", "group1", "siteA", policy),)),
        resources={
            "group1": Configured("group1", "group", members=tuple(m.id for m in members)),
            **{m.id: Configured(m.id, "primitive", parent="group1") for m in members},
        },
    )
    return view(cluster(resources=(whole,), tickets=tickets, failures=failures), cib=known)


def test_what_a_lost_ticket_froze_runs_on_and_nothing_of_it_is_to_be_stopped():
    seen = frozen(primitive("FS", **FROZEN), primitive("DB", **FROZEN))
    judged = report("resources", seen)
    assert said(judged) == [
        (
            "resource-unmanaged",
            "WARNING",
            "ticket siteA was revoked: group1 runs on app01 frozen (loss-policy=freeze), nothing is"
            " recovered",
        )
    ]
    (one,) = judged.findings
    assert one.next_step.startswith("once no other site holds it: booth grant siteA")
    assert one.reason == "ticket"


def test_that_nobody_takes_what_a_lost_ticket_froze_follows_from_that():
    (fault,) = told(frozen(primitive("FS", **FROZEN)))
    assert (fault.cause.key, fault.state.name) == ("resource-unmanaged", "WARNING")
    assert [each.key for each in fault.follows] == ["no-candidate"]


def test_what_failed_while_a_lost_ticket_froze_it_names_the_ticket():
    members = (primitive("FS", **FROZEN), primitive("DB", failed=True, **FROZEN))
    judged = report("resources", frozen(*members, failures=(failure("DB"),)))
    assert said(judged) == [
        (
            "resource-failed",
            "CRITICAL",
            "DB (group1) failed on app01 and is not recovered: ticket siteA was revoked"
            " (loss-policy=freeze)",
        )
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": "stop"},
        {"tickets": (Ticket("siteA", True, False),)},
        {"tickets": (Ticket("siteA", True, True),)},
        {"failures": (failure("FS", task="stop"),)},
    ],
    ids=["another policy", "the ticket is granted", "it is in standby", "a stop failed"],
)
def test_what_is_blocked_for_another_reason_is_blocked(changes):
    assert [
        each.key
        for each in report("resources", frozen(primitive("FS", **FROZEN), **changes)).findings
    ][:1] == ["resource-blocked"]


def test_clone_that_a_lost_ticket_froze_is_told_once():
    instances = (primitive("p", "app01", **FROZEN), primitive("p", "app02", **FROZEN))
    known = replace(
        cib(tickets=(TicketConstraint("t1", "ping-clone", "siteA", "freeze"),)),
        resources={
            "ping-clone": Configured("ping-clone", "clone", members=("p",)),
            "p": Configured("p", "primitive", parent="ping-clone"),
        },
    )
    nodes = (node("app01"), node("app02"))
    seen = view(cluster(nodes, resources=(clone(*instances),), tickets=TICKETS), cib=known)
    (one,) = report("resources", seen).findings
    assert one.text.startswith("ticket siteA was revoked: ping-clone runs on app01, app02 frozen")


def test_instance_that_failed_while_a_lost_ticket_froze_its_clone_is_told():
    instances = (primitive("p", "app01", **FROZEN), primitive("p", "app02", failed=True, **FROZEN))
    known = replace(
        cib(tickets=(TicketConstraint("t1", "ping-clone", "siteA", "freeze"),)),
        resources={
            "ping-clone": Configured("ping-clone", "clone", members=("p",)),
            "p": Configured("p", "primitive", parent="ping-clone"),
        },
    )
    facts = {"tickets": TICKETS, "failures": (failure("p", "app02"),)}
    nodes = (node("app01"), node("app02"))
    seen = view(cluster(nodes, resources=(clone(*instances),), **facts), cib=known)
    assert (
        "p (ping-clone) failed on app02 and is not recovered: ticket siteA was revoked"
        in " ".join(each.text for each in report("resources", seen).findings)
    )


@pytest.mark.parametrize("changes", [{}, {"managed": False}])
def test_what_runs_and_is_not_blocked_is_not_frozen_by_its_lost_ticket(changes):
    """Granted and revoked a moment ago: Pacemaker has not acted on it yet."""
    keys = [each.text for each in report("resources", frozen(primitive("FS", **changes))).findings]
    assert not any("frozen" in each for each in keys)


@pytest.mark.parametrize(
    ("maintenance", "facts"), [(True, {}), (False, FROZEN)], ids=["maintenance", "frozen"]
)
def test_group_that_nobody_manages_for_a_reason_that_is_told_is_not_told_again(maintenance, facts):
    whole = group(primitive("FS", **{"managed": False, **facts}), managed=False)
    known = replace(
        cib(tickets=(TicketConstraint("t1", "group1", "siteA", "freeze"),)),
        resources={
            "group1": Configured("group1", "group", members=("FS",)),
            "FS": Configured("FS", "primitive", parent="group1"),
        },
    )
    nodes = (node("app01", maintenance=maintenance), node("app02"), node("app03"))
    seen = view(cluster(nodes, (whole,), tickets=() if maintenance else TICKETS), cib=known)
    texts = [each.text for each in report("resources", seen).findings]
    assert "group1 is unmanaged" not in texts


def test_member_that_is_barred_is_not_about_to_start_though_the_one_before_just_did():
    past = tuple(history("DB", name, 1_000_000) for name in NAMES)
    whole = group(primitive("FS"), stopped("DB"))
    known = replace(cib(), started={("FS", "app01"): NOW_S - 1})
    facts = {"resources": (whole,)}
    assert only(view(cluster(**facts), cib=known)).key == "resource-transition"
    one = only(view(cluster(**facts, history=past), cib=known))
    assert (one.key, one.text.partition(": ")[0]) == (
        "resource-stopped",
        "DB (group1) is stopped (app01, app02, app03",
    )


# -- more instances than clone-max -------------------------------------------------------------


def test_instances_beyond_clone_max_are_no_orphans():
    spare = stopped("p", orphaned=True)
    seen = view(cluster(resources=(clone(primitive("p"), spare),)), cib=cib())
    assert report("resources", seen).findings == ()


def test_clone_of_which_all_instances_are_beyond_clone_max_is_no_orphan():
    whole = clone(stopped("p", orphaned=True), stopped("p", orphaned=True))
    resources = {
        "ping-clone": Configured("ping-clone", "clone", None, ("p",), meta={"clone-max": "0"}),
        "p": Configured("p", "primitive", parent="ping-clone"),
    }
    seen = view(cluster(resources=(whole,)), cib=replace(cib(), resources=resources))
    assert "resource-orphaned" not in {each.key for each in report("resources", seen).findings}


def test_clone_that_is_not_configured_any_more_is_orphaned():
    seen = view(cluster(resources=(clone(stopped("p", orphaned=True)),)), cib=cib())
    assert "resource-orphaned" in {each.key for each in report("resources", seen).findings}


# -- what is being recovered, and what the DC leaves -------------------------------------------


def failing(*, seconds_ago=60, role=Role.STARTED, nodes=None, nothing=False, **changes):
    one = primitive("DB", role=role, failed=True, **changes.pop("one", {}))
    facts = {"failures": () if nothing else (failure("DB", seconds_ago=seconds_ago),)}
    facts |= changes.pop("facts", {})
    timeouts = {"start": "120s", "stop": "60s"}
    resources = {"DB": Configured("DB", "primitive", timeouts=timeouts)}
    known = replace(cib(), resources=resources, **changes)
    return view(cluster(nodes, resources=(one,), **facts), cib=known)


def under_way(task, since):
    return (PendingOperation("DB", "app01", task, 0, NOW_S - since),)


def only(seen):
    (one,) = report("resources", seen).findings
    return one


def test_start_after_a_failure_is_a_transition_that_nobody_cleans_up():
    one = only(failing(role=Role.STARTING, pending=under_way("start", 7)))
    assert (one.key, one.text) == (
        "resource-transition",
        "DB is being started again on app01 (7 s of at most 2 min) after it failed"
        " (monitor: not running)",
    )
    assert one.next_step.startswith("wait, at most for the timeout of its start, without a cleanup")


def test_the_fail_count_of_what_is_being_started_again_follows_from_that():
    seen = failing(
        role=Role.STARTING,
        pending=under_way("start", 7),
        facts={"history": (history("DB"),), "failures": (failure("DB"),)},
    )
    found = [*report("resources", seen).findings, *report("failures", seen).findings]
    assert [fault.cause.key for fault in faults(seen, found)] == ["resource-transition"]


def test_stop_after_a_failure_stays_a_failure():
    one = only(failing(pending=under_way("stop", 5)))
    assert (one.key, one.text) == (
        "resource-failed",
        "DB failed on app01 (monitor: not running) and is being stopped (5 s of at most 60 s)",
    )


@pytest.mark.parametrize(
    ("since", "key"),
    [(115, "resource-transition"), (130, "resource-transition"), (131, "resource-failed")],
)
def test_start_that_takes_longer_than_its_timeout_is_a_failure(since, key):
    """With ten seconds of grace: it is told after it ended."""
    assert only(failing(pending=under_way("start", since))).key == key


@pytest.mark.parametrize(
    ("since", "timeouts"),
    [(NOW_S - 500, {}), (None, {}), (None, {"start": "120s"})],
    ids=["no-timeout", "neither", "no-begin"],
)
def test_start_of_which_nobody_knows_that_it_takes_too_long_is_no_failure(since, timeouts):
    pending = (PendingOperation("DB", "app01", "start", 0, since),)
    seen = failing(role=Role.STARTING, pending=pending)
    known = {"DB": Configured("DB", "primitive", timeouts=timeouts)}
    seen = view(seen[CLUSTER].value, cib=replace(seen[CIB].value, resources=known))
    assert only(seen).key == "resource-transition"


@pytest.mark.parametrize("changes", [{"seconds_ago": 10}, {"facts": {"failures": (
    failure("DB", seconds_ago=10), failure("WEB", seconds_ago=5), failure("DB", "app02", 5),
    failure("DB", seconds_ago=5, task="stop", on="app01"),
)}}])  # fmt: skip
def test_failure_that_the_dc_leaves_for_ten_seconds_is_told_whatever_failed_since(changes):
    assert only(failing(**changes)).text.startswith("DB failed on app01 10 s ago, and the DC app01")


def test_failure_that_the_dc_leaves_is_told_with_the_dc():
    one = only(failing(seconds_ago=17))
    assert one.text == "DB failed on app01 17 s ago, and the DC app01 has done nothing about it"
    assert one.next_step.startswith(
        "before any cleanup, on app01: timeout 10 crmadmin -S app01; ps"
    )
    assert one.reason == "controller"


@pytest.mark.parametrize(
    "changes",
    [
        {"seconds_ago": 5},
        {"nothing": True},
        {"facts": {"failures": (failure("DB", time=None),)}},
        {"facts": {"quorate": False}},
        {"facts": {"dc": None}},
        {"facts": {"options": options(maintenance_mode=True)}},
        {"facts": {"fence_events": (fence_event("app02", FenceStatus.PENDING),)}},
        {"nodes": (node("app01"), node("app02", unclean=True))},
        {"nodes": (node("app01", maintenance=True),)},
        {"one": {"managed": False}},
        {"pending": (PendingOperation("WEB", "app02", "stop", 0),)},
        {"pending": (PendingOperation("WEB", "app01", "stop", 0),)},
        {"pending": (PendingOperation("DB", "app02", "stop", 0),)},
        {"newest": {"DB": Ran("app01", "start", NOW_S - 30)}},
        {"newest": {"DB": Ran("app01", "start", NOW_S - 60)}},
        {"stopped": {"DB": Ran("app01", "stop", NOW_S - 30)}},
    ],
)
def test_failure_that_something_keeps_the_dc_from_answering_says_no_more(changes):
    assert only(failing(**changes)).text == "DB failed on app01"


# -- what is kept from several nodes -----------------------------------------------------------


def test_the_same_failure_on_several_nodes_is_one_finding_with_one_step():
    past = tuple(history("DB", name, 1_000_000) for name in ("app02", "app01"))
    why = {"task": "start", "exit_status": "error", "exit_reason": "cannot lock ./ibdata1"}
    seen = view(
        cluster(
            history=past,
            failures=tuple(failure("DB", name, 8, **why) for name in ("app01", "app02")),
        )
    )
    judged = report("failures", seen)
    assert said(judged) == [
        (
            "node-barred",
            "WARNING",
            "DB is barred from app01, app02: start failed: cannot lock ./ibdata1 (8 s ago)",
        )
    ]
    assert judged.findings[0].next_step == (
        "on app01, app02: journalctl -u pacemaker --grep DB tells why; fix that, then: crm_resource"
        " --cleanup -r DB"
    )
    assert next(each for each in judged.figures if each.label == "nodes_barred").value == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exit_status": "error"}, "start failed (60 s ago)"),
        ({"exit_status": "not installed"}, "start failed (not installed, 60 s ago)"),
        (
            {"exit_status": "not installed", "exit_reason": "no mysqld"},
            "start failed: no mysqld (60 s ago)",
        ),
        ({"exit_status": None, "time": None}, "start failed"),
        ({"exit_status": "error", "status": "Timed Out"}, "start timed out (60 s ago)"),
        (
            {"status": "Timed Out", "exit_reason": "did not end within 4s"},
            "start timed out (did not end within 4s, 60 s ago)",
        ),
    ],
)
def test_how_what_is_barred_from_several_nodes_failed(changes, words):
    past = tuple(history("DB", name, 1_000_000) for name in ("app01", "app02"))
    failed = tuple(failure("DB", name, task="start", **changes) for name in ("app01", "app02"))
    (one,) = report("failures", view(cluster(history=past, failures=failed))).findings
    assert one.text == f"DB is barred from app01, app02: {words}"


def test_what_is_barred_from_several_nodes_is_told_with_the_count_and_at_the_place_of_the_first():
    past = (
        history("DB", "app01", 3, threshold=3),
        history("IP", "app01", 2, threshold=2),
        history("DB", "app02", 1_000_000),
    )
    assert [each.text for each in report("failures", view(cluster(history=past))).findings] == [
        "DB is barred from app01, app02: fail-count 3 of 3",
        "IP is barred from app01: fail-count 2 of 2",
    ]


@pytest.mark.parametrize(
    ("count", "changes", "slow"),
    [
        (1, {"status": "Timed Out"}, False),
        (2, {"status": "Timed Out"}, True),
        (2, {}, False),
        (2, {"status": "Timed Out", "task": "start"}, False),
    ],
)
def test_monitor_that_timed_out_again_may_only_be_slow(count, changes, slow):
    """Once may be chance."""
    seen = cluster(history=(history("DB", fail_count=count),), failures=(failure("DB", **changes),))
    (one,) = report("failures", view(seen)).findings
    assert one.key == "fail-count"
    words = "where DB works and its monitor is only slow, raise the timeout of its monitor; then: "
    assert (words in one.next_step) is slow


def test_different_failures_on_several_nodes_are_told_apart():
    past = tuple(history("DB", name, 1_000_000) for name in ("app01", "app02"))
    failures = (failure("DB", "app01"), failure("DB", "app02", task="start"))
    judged = report("failures", view(cluster(history=past, failures=failures)))
    assert [each.nodes for each in judged.findings] == [("app01",), ("app02",)]


def test_stop_that_failed_is_mended_where_it_is():
    past = tuple(history("DB", name, 1_000_000) for name in ("app01", "app02"))
    failures = tuple(failure("DB", name, task="stop") for name in ("app01", "app02"))
    judged = report("failures", view(cluster(history=past, failures=failures)))
    assert [each.nodes for each in judged.findings] == [("app01",), ("app02",)]


def test_parts_of_a_bundle_that_do_not_start_are_the_bundle():
    parts = [f"web-podman-{number}" for number in (0, 1)]
    whole = bundle(*((stopped(part),) for part in parts))
    past = tuple(history(part, name, 1_000_000) for part in parts for name in NAMES)
    (one,) = report("failures", view(cluster(resources=(whole,), history=past))).findings
    assert one.text == "web is barred from app01, app02, app03: fail-count INFINITY"
    assert one.next_step.endswith("crm_resource --cleanup -r web")


def test_what_is_not_configured_is_barred_from_every_node():
    why = {"task": "start", "exit_code": 6, "exit_status": "not configured"}
    seen = view(
        cluster(history=(history("DB", fail_count=1_000_000),), failures=(failure("DB", **why),))
    )
    (one,) = report("failures", seen).findings
    assert one.text == "DB is barred from every node: start on app01: not configured, 60 s ago"
    assert one.next_step.endswith("crm_resource --cleanup -r DB")


def test_reason_of_what_is_not_configured_comes_before_the_operation():
    """The first line of overview drops brackets where it gets long: the reason stays."""
    why = {"task": "start", "exit_code": 6, "exit_status": "not configured"}
    failed = failure("DB", exit_reason="/etc/my.cnf is not readable", **why)
    seen = view(cluster(history=(history("DB", fail_count=1_000_000),), failures=(failed,)))
    (one,) = report("failures", seen).findings
    assert one.text == (
        "DB is barred from every node: /etc/my.cnf is not readable"
        " (start on app01: not configured, 60 s ago)"
    )


LATE = {"task": "start", "status": "Timed Out"}
WITHIN = "Resource agent did not complete within 4s"


@pytest.mark.parametrize("nodes", [("app01",), ("app01", "app02")], ids=["one", "two"])
@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({**LATE, "exit_reason": WITHIN}, True),
        (LATE, False),
        ({**LATE, "task": "promote", "exit_reason": WITHIN}, False),
        ({"task": "start", "status": "complete", "exit_reason": WITHIN}, False),
    ],
    ids=["start", "no limit told", "promote", "in time"],
)
def test_start_that_timed_out_may_only_need_longer(nodes, facts, told):
    past = tuple(history("DB", name, 1_000_000) for name in nodes)
    failures = tuple(failure("DB", name, **facts) for name in nodes)
    (one,) = report("failures", view(cluster(history=past, failures=failures))).findings
    longer = "; where it only needs longer: pcs resource update DB op start timeout=... (now 4s);"
    assert (longer in one.next_step) is told
    assert "then: crm_resource --cleanup -r DB" in one.next_step


def test_start_of_a_part_of_a_bundle_has_no_timeout_of_its_own():
    whole = bundle((stopped("web-podman-0"),))
    past = tuple(history("web-podman-0", name, 1_000_000) for name in NAMES)
    failures = tuple(failure("web-podman-0", name, exit_reason=WITHIN, **LATE) for name in NAMES)
    (one,) = report(
        "failures", view(cluster(resources=(whole,), history=past, failures=failures))
    ).findings
    assert "timeout=" not in one.next_step


def test_monitor_that_is_late_again_and_again_may_have_too_short_a_timeout():
    late = failure("DB", status="Timed Out", exit_reason="did not complete within 3s")
    seen = view(cluster(history=(history("DB", fail_count=6),), failures=(late,)))
    (one,) = report("failures", seen).findings
    assert "raise the timeout of its monitor" in one.next_step


def test_bans_of_one_resource_are_one_finding():
    bans = tuple(ban("group1", name, f"cli-ban-group1-on-{name}") for name in ("app02", "app01"))
    seen = view(cluster(resources=(group(primitive("FS")),), bans=bans))
    one = next(each for each in report("placement", seen).findings if each.key == "leftover-ban")
    assert one.text == "leftover bans keep group1 from app01, app02"
    assert one.next_step.startswith("crm_resource --clear -r group1 (pcs")


def test_bans_of_the_promoted_role_forbid_to_promote():
    bans = tuple(
        ban("DB-clone", name, f"cli-ban-DB-clone-on-{name}", promoted_only=True) for name in NAMES
    )
    whole = clone(primitive("DB", role=Role.UNPROMOTED), name="DB-clone", promotable=True)
    one = next(
        each
        for each in report("placement", view(cluster(resources=(whole,), bans=bans))).findings
        if each.key == "leftover-ban"
    )
    assert one.text == "leftover bans forbid to promote DB-clone on app01, app02, app03"


def test_ban_that_ends_by_itself_says_when():
    name = "cli-ban-group1-on-app02"
    until = DateExpression("lt", None, "2026-11-22 11:00:00Z")
    rule = Rule(f"{name}-rule", -1_000_000, None, None, False, (until,))
    location = Location(name, "group1", None, None, rules=(rule,))
    seen = view(
        cluster(
            resources=(group(primitive("FS")),), bans=(ban("group1", "app02", f"{name}-rule"),)
        ),
        cib=cib(locations=(location,)),
    )
    one = next(each for each in report("placement", seen).findings if each.key == "leftover-ban")
    assert one.text == f"{name} keeps group1 from app02 until 2026-11-22 11:00:00Z"


def test_exclusions_of_different_kinds_are_one_fault_of_what_is_down():
    nodes = (node("app01", standby=True), node("app02"))
    seen = view(
        cluster(
            nodes,
            resources=(group(stopped("FS")),),
            bans=(ban("group1", "app02", "cli-ban-group1-on-app02"),),
        ),
        here="app02",
        cib=cib(),
    )
    (fault,) = [each for each in told(seen) if each.cause.key in ("leftover-ban", "node-standby")]
    assert fault.cause.key == "leftover-ban"
    assert fault.text.startswith("cli-ban-group1-on-app02 keeps group1 from app02, hence group1 is")
    assert "node-standby" in {each.key for each in fault.follows}


def test_standby_that_stops_something_else_too_is_a_fault_of_its_own():
    nodes = (node("app01", standby=True), node("app02"))
    seen = view(
        cluster(
            nodes,
            resources=(group(stopped("FS")), stopped("WEB")),
            bans=(
                ban("group1", "app02", "cli-ban-group1-on-app02"),
                ban("WEB", "app02"),
            ),
        ),
        here="app02",
        cib=cib(),
    )
    keys = {each.cause.key for each in told(seen)}
    assert {"leftover-ban", "node-standby"} <= keys


def test_group_that_runs_in_part_says_so():
    seen = view(cluster(resources=(group(primitive("FS"), stopped("DB"), stopped("WEB")),)))
    assert "group1 runs on app01 (1 of 3 members)" in report("placement", seen).summary


def test_what_stops_on_a_node_in_standby_is_one_fault_with_that():
    nodes = (node("app01", standby=True), node("app02"))
    one = primitive("FS", role=Role.STOPPING)
    (fault,) = told(view(cluster(nodes, resources=(group(one),)), here="app02", cib=cib()))[:1]
    assert fault.text == "app01 is in standby, hence FS (group1) is stopping on app01"


@pytest.mark.parametrize(
    ("services", "too"),
    [(("FS",), ""), (("FS", "WEB"), ", 1 more too"), (("FS", "WEB", "DB"), ", 2 more too")],
    ids=["one", "two", "three"],
)
def test_of_several_services_that_are_down_the_others_are_counted(services, too):
    alone = (node("app01", standby=True),)
    resources = tuple(stopped(name) for name in services)
    (fault,) = told(view(cluster(alone, resources=resources), cib=cib()))[:1]
    assert fault.text == f"app01 is in standby, hence FS is stopped (app01: in standby){too}"


# -- the rest ----------------------------------------------------------------------------------


def test_what_is_active_twice_is_stopped_where_the_rest_of_its_group_is_not():
    twice = replace(primitive("DB"), nodes=("app02", "app01"))
    seen = view(cluster(resources=(group(primitive("FS"), twice),)))
    one = next(e for e in report("resources", seen).findings if e.key == "resource-multi-active")
    assert one.next_step == (
        "on app02: stop DB by hand (the rest of group1 runs on app01); then: crm_resource --refresh"
        " -r DB"
    )


def test_what_is_active_twice_alone_is_stopped_by_whoever_knows():
    twice = replace(primitive("DB"), nodes=("app02", "app01"))
    (one,) = report("resources", view(cluster(resources=(twice,)))).findings
    assert one.next_step.startswith("Stop DB by hand on all nodes but one")


def test_clone_of_which_no_agent_sets_a_score_is_promoted_nowhere():
    instances = (primitive("DB", name, Role.UNPROMOTED) for name in ("app01", "app02"))
    whole = clone(*instances, name="DB-clone", promotable=True)
    members = {name: CibNode(name, transient={"#feature-set": "3.16"}) for name in NAMES[:2]}
    resources = {
        "DB-clone": Configured("DB-clone", "clone", members=("DB",)),
        "DB": Configured("DB", "primitive", parent="DB-clone"),
    }
    known = replace(cib(), nodes=members, resources=resources)
    nodes = (node("app01"), node("app02"))
    one = only(view(cluster(nodes, resources=(whole,)), cib=known))
    assert (one.key, one.reason) == ("promoted-missing", "score")
    assert "app01, app02: cannot promote DB-clone: it has no promotion score there" in one.text


@pytest.mark.parametrize(
    ("limit", "words"),
    [("600s", "09:09:00"), ("61s", "09:00:01"), ("60s", ""), ("30s", ""), ("0", "")],
)
@pytest.mark.parametrize(
    "others",
    [
        (),
        (failure("WEB", seconds_ago=5),),
        (failure("DB", "app02", 5),),
        (failure("DB", time=None),),
    ],
    ids=["alone", "another-resource", "another-node", "without-a-time"],
)
def test_failure_that_is_forgotten_by_itself_says_when(limit, words, others):
    """A minute ago it failed; what failed elsewhere since does not count."""
    known = replace(
        cib(), resources={"DB": Configured("DB", "primitive", meta={"failure-timeout": limit})}
    )
    seen = view(
        cluster(history=(history("DB", fail_count=1_000_000),), failures=(failure("DB"), *others)),
        cib=known,
    )
    barred = (each for each in report("overview", seen).faults if each.cause.key == "node-barred")
    facts = [each for each in next(barred).facts if "failure-timeout" in each]
    assert [each.split(" after ")[1][:8] for each in facts] == [words] * bool(words)


def test_nodes_without_room_for_a_member_are_told_together():
    resources = {
        "group1": Configured("group1", "group", members=("FS", "DB")),
        "FS": Configured("FS", "primitive", parent="group1"),
        "DB": Configured("DB", "primitive", parent="group1", utilization={"memory": 4096}),
    }
    room = {name: CibNode(name, utilization={"memory": 2048}) for name in NAMES}
    known = replace(
        cib(properties={"placement-strategy": "balanced"}), resources=resources, nodes=room
    )
    seen = view(cluster(resources=(group(primitive("FS"), stopped("DB")),)), cib=known)
    (one,) = report("resources", seen).findings
    assert one.text == (
        "DB (group1) is stopped (app01, app02, app03: has 2048 of the 4096 memory that DB takes)"
    )
    assert "pcs node utilization app01 memory=AMOUNT; pcs resource utilization DB" in one.next_step
