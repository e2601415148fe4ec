"""Constructed states of Pacemaker whose reason has a name, and the step that has it."""

from __future__ import annotations

import pytest

import build_drbd
from build import (
    NOW,
    SNAPSHOTS,
    ban,
    cib,
    clone,
    cluster,
    drbd,
    failure,
    fence_device,
    fence_event,
    group,
    history,
    node,
    offline,
    on_drbd,
    options,
    peer,
    primitive,
    replace,
    report,
    stopped,
    view,
)
from check_mccluster.inputs.cibadmin import CIB
from check_mccluster.inputs.crm_mon import CLUSTER
from check_mccluster.model.configuration import (
    Configured,
    PendingOperation,
    Ran,
    Refusal,
    seconds_of,
)
from check_mccluster.model.drbd import Role as DrbdRole
from check_mccluster.model.pacemaker import (
    FenceStatus,
    Filesystem,
    Operation,
    Role,
    Ticket,
    TicketConstraint,
)
from check_mccluster.verdict.finding import State

EVERYWHERE = ("app01", "app02", "app03")


def first(check, seen):
    """The first finding of a check."""
    return report(check, seen).worst_first[0]


# -- an agent that is not there ----------------------------------------------------------------


def refused(*nodes, reason=None, took=None, rc=5):
    """IP, whose probe came to that on *nodes*; crm_mon keeps the number alone."""
    known = replace(cib(), refused={("IP", name): Refusal(rc, reason, took) for name in nodes})
    past = tuple(
        history("IP", name, 0, operations=(Operation("monitor", rc, None, None),)) for name in nodes
    )
    return view(cluster(resources=(stopped("IP"),), history=past), cib=known)


@pytest.mark.parametrize(
    ("reason", "took", "words", "step"),
    [
        (
            "Dummy: No such file or directory",
            0,
            "agent ocf:pacemaker:Dummy of IP is not installed",
            "install it (there are: crm_resource --list-agents ocf:pacemaker), or correct the type"
            " of IP; then: crm_resource --cleanup -r IP",
        ),
        (
            "Setup problem: ip not found",
            40,
            "IP says not installed: Setup problem: ip not found (ocf:pacemaker:Dummy)",
            "install what it misses; then: crm_resource --cleanup -r IP",
        ),
        (
            None,
            99,
            "IP misses a program there (ocf:pacemaker:Dummy ran 99 ms and says not installed)",
            "journalctl -u pacemaker --grep IP tells what is missing; install it; then:"
            " crm_resource --cleanup -r IP",
        ),
        (
            None,
            0,
            "IP has no agent or program there (ocf:pacemaker:Dummy)",
            "journalctl -u pacemaker --grep IP tells what is missing; install it; then:"
            " crm_resource --cleanup -r IP",
        ),
    ],
    ids=["agent-missing", "says-what-it-misses", "ran", "nobody-knows"],
)
def test_what_is_missing_is_named_as_far_as_somebody_named_it(reason, took, words, step):
    """On every node: the step is for all of them."""
    one = first("resources", refused(*EVERYWHERE, reason=reason, took=took))
    assert one.text == f"IP is stopped (app01, app02, app03: {words})"
    assert one.next_step == f"on app01, app02, app03: {step}"


@pytest.mark.parametrize(
    ("took", "words"),
    [
        (9, "has no agent or program there (ocf:pacemaker:Dummy)"),
        (10, "misses a program there (ocf:pacemaker:Dummy ran 10 ms and says not installed)"),
    ],
)
def test_agent_that_ran_for_ten_milliseconds_is_there(took, words):
    one = first("resources", refused(*EVERYWHERE, took=took))
    assert one.text == f"IP is stopped (app01, app02, app03: IP {words})"


def test_agent_missing_on_two_nodes_is_installed_on_both():
    one = first("resources", refused("app01", "app02", reason="Dummy: No such file or directory"))
    assert one.next_step.startswith("on app01, app02: install it ")
    assert one.next_step.endswith("then: crm_resource --cleanup -r IP")


@pytest.mark.parametrize(
    ("barred", "step"),
    [
        (("app01",), "crm_resource --cleanup -r FS -N app01"),
        (("app01", "app02"), "crm_resource --cleanup -r FS"),
        (EVERYWHERE, "crm_resource --cleanup -r FS"),
    ],
)
def test_what_bars_nodes_is_cleaned_up_on_all_of_them_at_once(barred, step):
    """On the others nothing can be lifted from here: they are off."""
    nodes = [node(each) if each in barred else offline(each) for each in EVERYWHERE]
    past = tuple(history("FS", each, 1_000_000) for each in barred)
    known = cluster(nodes, (stopped("FS"),), history=past)
    assert first("resources", view(known, cib=cib())).next_step == step


@pytest.mark.parametrize("where", ["app01", "app02"])
def test_ban_by_hand_of_one_node_is_cleared_there(where):
    """What is lifted soonest is told for its node, though others are barred as well."""
    left = ban("FS", where, f"cli-ban-FS-on-{where}")
    past = tuple(history("FS", each, 1_000_000) for each in EVERYWHERE if each != where)
    known = cluster(resources=(stopped("FS"),), bans=(left,), history=past)
    one = first("resources", view(known, cib=cib()))
    assert one.next_step == f"crm_resource --clear -r FS -N {where}"


def test_agent_missing_on_one_node_is_cleaned_up_there():
    one = first("resources", refused("app02", reason="Dummy: No such file or directory"))
    assert one.next_step.startswith("on app02: install it ")
    assert one.next_step.endswith("then: crm_resource --cleanup -r IP -N app02")


def test_reason_of_crm_mon_goes_before_that_of_the_cib():
    failed = tuple(
        failure("IP", name, exit_code=5, exit_reason="Dummy: No such file or directory")
        for name in EVERYWHERE
    )
    known = replace(cib(), refused={("IP", "app01"): Refusal(5, "older", 40)})
    seen = view(cluster(resources=(stopped("IP"),), failures=failed), cib=known)
    assert "agent ocf:pacemaker:Dummy of IP is not installed" in first("resources", seen).text


def test_parameter_that_the_agent_named_is_told():
    one = first("resources", refused("app02", reason="ip= is not set", rc=6))
    assert "IP is configured wrongly, said its agent on app02: ip= is not set" in one.text
    assert one.next_step == (
        "on app02: correct the parameters of IP; then: crm_resource --cleanup -r IP -N app02"
    )


def test_what_its_agent_keeps_from_starting_is_told_where_all_is_stopped():
    seen = refused(*EVERYWHERE, reason="Dummy: No such file or directory")
    known = cluster(
        resources=(stopped("IP"), stopped("DB")),
        history=seen[CLUSTER].value.history,
        options=options(stop_all_resources=True),
    )
    one = first("resources", view(known, cib=replace(cib(), refused=REFUSED)))
    assert one.text == (
        "stop-all-resources is set: IP, DB stopped on purpose; IP will not start then either"
        " (app01, app02, app03: agent ocf:pacemaker:Dummy of IP is not installed)"
    )


@pytest.mark.parametrize(
    ("code", "reason", "then"),
    [
        (5, "Dummy: No such file or directory", True),
        (1, "it hangs", False),
        (0, "Dummy: No such file or directory", False),
    ],
)
def test_failure_that_crm_mon_alone_has_is_told_where_all_is_stopped(code, reason, then):
    """An older CIB has no reasons; what failed otherwise may start again."""
    failed = tuple(failure("IP", on, exit_code=code, exit_reason=reason) for on in EVERYWHERE)
    known = cluster(
        resources=(stopped("IP"), stopped("DB")),
        failures=failed,
        options=options(stop_all_resources=True),
    )
    one = first("resources", view(known, cib=cib()))
    assert one.text.startswith("stop-all-resources is set: IP, DB stopped on purpose")
    assert ("; IP will not start then either (" in one.text) is then
    assert "DB will not" not in one.text


REFUSED = {("IP", name): Refusal(5, "Dummy: No such file or directory", 0) for name in EVERYWHERE}


# -- fencing -----------------------------------------------------------------------------------


def fencing(reason="No route", **parameters):
    """The last fencing of app02 failed; what the device may fence as given."""
    configured = {
        "fence": Configured("fence", "primitive", agent="stonith:fence_x", parameters=parameters),
        "other": Configured(
            "other", "primitive", agent="stonith:fence_x", parameters={"pcmk_host_list": "app03"}
        ),
    }
    known = replace(
        cib(properties={"stonith-timeout": "10s"}, fence_devices=("fence", "other")),
        resources=configured,
    )
    event = fence_event("app02", FenceStatus.FAILED, reason=reason)
    devices = fence_device("fence"), fence_device("other")
    return view(cluster(resources=devices, fence_events=(event,)), cib=known)


def test_device_for_the_node_that_could_not_be_fenced_is_named_with_its_agent():
    one = first("fencing", fencing(pcmk_host_list="app02 app01"))
    assert one.next_step == (
        "stonith_admin --list app02 (configured for it: fence of fence_ipmilan);"
        " journalctl -u pacemaker --grep fence; fix the device, then:"
        " stonith_admin --cleanup --history app02"
    )


@pytest.mark.parametrize(("count", "more"), [(4, ", d4"), (5, " and 2 more")])
def test_of_many_devices_for_the_node_that_could_not_be_fenced_three_are_named(count, more):
    """Only devices, and none that is an orphan."""
    names = [f"d{number}" for number in range(1, count + 1)]
    resources = (primitive("IP"), fence_device("gone", orphaned=True), *map(fence_device, names))
    event = fence_event("app02", FenceStatus.FAILED)
    one = first("fencing", view(cluster(resources=resources, fence_events=(event,)), cib=cib()))
    assert f"(configured for it: d1, d2, d3{more}); " in one.next_step


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("did not complete within 10s", True),
        ("Timed out", True),
        ("No route", False),
        (None, False),
    ],
)
def test_timeout_of_the_fencing_is_told_where_it_is_the_reason(reason, told):
    assert ("; stonith-timeout=10s)" in first("fencing", fencing(reason)).text) is told


def barred(*nodes):
    """A fence device for each of *nodes*, which failed to start there and may run nowhere else."""
    names = {name: f"fence-{name}" for name in nodes}
    all_of_them = tuple(dict.fromkeys((*EVERYWHERE, *nodes)))
    bans = tuple(
        ban(device, other)
        for name, device in names.items()
        for other in all_of_them
        if other != name
    )
    past = tuple(history(device, name, 1_000_000) for name, device in names.items())
    failed = tuple(
        failure(device, name, task="start", status="Timed Out") for name, device in names.items()
    )
    devices = tuple(
        replace(stopped(device), agent="stonith:fence_ipmilan") for device in names.values()
    )
    return view(
        cluster(
            map(node, all_of_them),
            resources=devices,
            history=past,
            failures=failed,
            bans=bans,
            options=options(fencing_enabled=True),
        ),
        cib=cib(fence_devices=tuple(names.values())),
    )


def test_all_fence_devices_barred_are_one_fault_that_says_what_it_means():
    (fault,) = report("overview", barred("app01", "app02")).faults
    assert (fault.cause.key, fault.state) == ("fence-device-down", State.CRITICAL)
    assert fault.text == (
        "no device to fence app01, app02, app03 runs, start timed out:"
        " fence-app01 (barred on app01), fence-app02 (barred on app02)"
    )
    assert {each.key for each in fault.follows} == {"resource-stopped", "node-barred"}
    assert fault.cause.next_step.count("fix fence_ipmilan, then: crm_resource --cleanup") == 2


def test_of_many_fence_devices_that_are_barred_few_are_told():
    nodes = tuple(f"app{number:02}" for number in range(1, 6))
    one = first("fencing", barred(*nodes))
    assert one.text == (
        "no device to fence app01, app02, app03 and 2 more runs, start timed out:"
        " fence-app01 (barred on app01), fence-app02 (barred on app02), fence-app03 (barred on"
        " app03) and 2 more"
    )
    assert (one.object, one.nodes) == ("fence-app01", nodes)
    assert one.covers == tuple(f"fence-{name}" for name in nodes)
    assert one.next_step == "; ".join(
        f"on {name}: journalctl -u pacemaker --grep fence-{name}; fix fence_ipmilan, then:"
        f" crm_resource --cleanup -r fence-{name} -N {name}"
        for name in nodes[:2]
    )


def test_fence_devices_that_are_barred_for_different_failures_are_told_apart():
    seen = barred("app01", "app02")
    first_one, other = seen[CLUSTER].value.failures
    failures = (first_one, replace(other, status="complete", exit_status="not installed"))
    known = replace(seen[CLUSTER].value, failures=failures)
    one = first("fencing", view(known, cib=seen[CIB].value))
    assert one.text == (
        "no device to fence app01, app02, app03 runs: fence-app01 is stopped (app01: fence-app01"
        " barred by fail-count INFINITY); fence-app02 is stopped (app02: fence-app02 barred by"
        " fail-count INFINITY)"
    )


TWO = tuple(stopped(name, agent="stonith:fence_x") for name in ("f1", "f2"))


@pytest.mark.parametrize(
    ("devices", "facts", "words", "step"),
    [
        (
            TWO,
            {
                "bans": [ban(name, on) for name in ("f1", "f2") for on in EVERYWHERE],
            },
            "f1 is stopped (app01: banned by f1-avoids-app01); f2 is stopped (app01: banned by"
            " f2-avoids-app01)",
            "crm_resource --constraints -r f1; where f1-avoids-app01 is not wanted: pcs constraint"
            " delete f1-avoids-app01 (crm configure delete f1-avoids-app01); crm_resource"
            " --constraints -r f2; where f2-avoids-app01 is not wanted: pcs constraint delete"
            " f2-avoids-app01 (crm configure delete f2-avoids-app01)",
        ),
        (
            tuple(replace(fence_device(each.id), failed=True) for each in TWO),
            {},
            "f1 failed; f2 failed",
            "crm_resource --cleanup -r f1; crm_resource --cleanup -r f2",
        ),
    ],
    ids=["banned", "failed"],
)
def test_fence_devices_that_do_not_run_for_other_reasons_are_one_fault(devices, facts, words, step):
    known = cluster(resources=devices, options=options(fencing_enabled=True), **facts)
    one = first("fencing", view(known, cib=cib(fence_devices=("f1", "f2"))))
    assert one.text == f"no device to fence app01, app02, app03 runs: {words}"
    assert (one.reason, one.covers) == ("", ("f1", "f2"))
    assert one.next_step == step


def test_fence_devices_that_one_other_finding_explains_follow_from_that():
    nodes = [node(name, standby=True) for name in EVERYWHERE]
    seen = cluster(nodes, TWO, options=options(fencing_enabled=True))
    one = first("fencing", view(seen, cib=cib(fence_devices=("f1", "f2"))))
    assert one.text.endswith(
        "runs: f1 is stopped (app01, app02, app03: in standby); f2 is stopped (app01, app02, app03:"
        " in standby)"
    )
    assert (one.reason, one.covers) == ("standby", ())


def test_one_fence_device_that_is_barred_is_told_by_what_bars_it():
    (fault,) = report("overview", barred("app01")).faults
    assert fault.cause.key == "node-barred"
    assert "fence-device-down" in {each.key for each in fault.follows}


# -- what crm_mon leaves out, orphans ------------------------------------------------------------


def not_shown(started):
    configured = {
        "g": Configured("g", "group", members=("d1", "d2")),
        "d1": Configured("d1", "primitive", parent="g"),
        "d2": Configured("d2", "primitive", parent="g"),
    }
    known = replace(cib(), resources=configured, started=started)
    nodes = (offline("app01"), node("app02"), node("app03"))
    return view(cluster(nodes, (primitive("IP", "app02"),)), here="app02", cib=known)


def test_group_that_is_not_shown_and_ran_on_a_lost_node_follows_from_that():
    seen = not_shown({("d1", "app01"): 100, ("d2", "app01"): 101})
    (one,) = (f for f in report("resources", seen).findings if f.key == "resource-not-shown")
    assert one.text == (
        "crm_mon does not show group g: d1, d2 started last on app01, which is offline, and never"
        " stopped since"
    )
    fault = report("overview", seen).faults[0]
    assert fault.cause.key == "node-offline"
    assert (one.key, one.object) in [(each.key, each.object) for each in fault.follows]


@pytest.mark.parametrize("started", [{}, {("d1", "app02"): 100}])
def test_group_that_is_not_shown_and_nobody_knows_why_keeps_its_history(started):
    seen = not_shown(started)
    (one,) = (f for f in report("resources", seen).findings if f.key == "resource-not-shown")
    assert one.text == "crm_mon does not show group g"
    assert "--refresh" not in one.next_step
    assert any(fault.cause == one for fault in report("overview", seen).faults)


@pytest.mark.parametrize(
    ("value", "kept"), [("false", True), ("No", True), ("true", False), (None, False)]
)
def test_orphan_runs_on_because_pacemaker_was_told_to_leave_it(value, kept):
    known = cib(properties={} if value is None else {"stop-orphan-resources": value})
    one = first("resources", view(cluster(resources=(primitive(orphaned=True),)), cib=known))
    assert one.text.endswith("and stop-orphan-resources=false leaves it running") is kept
    gone = "crm_attribute --name stop-orphan-resources --delete"
    assert (gone in one.next_step) is kept
    assert ("on app01: stop what still runs of it by hand" in one.next_step) is not kept


# -- transitions ---------------------------------------------------------------------------------


def starting(since, timeout="90s"):
    known = replace(
        cib(),
        pending=(PendingOperation("FS", "app01", "start", 0, since),),
        resources={"FS": Configured("FS", "primitive", timeouts={"start": timeout})},
    )
    moving = primitive("FS", "app01", Role.STARTING)
    return first("resources", view(cluster(resources=(moving,)), cib=known))


AT = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("since", "timeout", "words"),
    [
        (AT - 3, "90s", " (3 s of at most 90 s)"),
        (AT - 3, "2min", " (3 s of at most 2 min)"),
        (AT - 3, "for ever", " (for 3 s)"),
        (AT, "90s", " (0 s of at most 90 s)"),
        (AT + 3, "90s", ""),
        (None, "90s", ""),
    ],
    ids=["with-timeout", "minutes", "strange", "just-now", "clocks-differ", "unknown"],
)
def test_how_long_it_has_been_starting_of_how_long_it_may(since, timeout, words):
    one = starting(since, timeout)
    assert one.text == f"FS is starting on app01{words}"
    assert "journalctl -u pacemaker --grep FS" in one.next_step


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        *(("90s", 90), ("90", 90), ("1500ms", 1.5), ("1500 msec", 1.5), ("5sec", 5)),
        *(("2 min", 120), ("1m", 60), ("2 Min", 120), ("1h", 3600), ("2hr", 7200)),
        *(("500000us", 0.5), ("500000usec", 0.5)),
        *(("4294968", 4294967.295), ("9" * 18, 4294967.295)),
        *(("", None), ("x", None), ("9d", None), ("\u00b2s", None)),
        *(("9" * 4000, None), ("-5s", None), ("+5s", None)),
    ],
)
def test_timeout_as_it_is_configured(words, seconds):
    assert seconds_of(words) == (None if seconds is None else pytest.approx(seconds))


def test_log_of_a_clone_that_starts_is_that_of_its_agent_and_no_number_is_told_that_is_old():
    """The CIB has an instance as started that crm_mon has not."""
    instances = (primitive("ping", "app01"), stopped("ping"), stopped("ping"))
    known = replace(
        cib(),
        started={("ping", "app02"): AT},
        newest={"ping": Ran("app03", "start", AT + 1)},
    )
    one = first("resources", view(cluster(resources=(clone(*instances),)), cib=known))
    assert one.text == "ping-clone: an instance is starting on app03"
    assert "--grep ping " in one.next_step
    now = first(
        "resources", view(cluster(resources=(clone(*instances),)), cib=replace(known, started={}))
    )
    assert now.text == "ping-clone: 1 of 3 instances run, one is starting on app03"


def test_what_passes_by_itself_comes_after_what_does_not():
    moving = primitive("FS", "app01", Role.STARTING)
    standby = (node("app01"), node("app02"), node("app03", standby=True))
    seen = view(cluster(standby, (moving, primitive("OLD", "app02", orphaned=True))), cib=cib())
    keys = [fault.cause.key for fault in report("overview", seen).faults]
    assert keys[-1] == "resource-transition"


# -- tickets, stops, maintenance -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (None, "was never granted"),
        (f"{NOW:%Y-%m-%d} 08:20:22", "was revoked (granted last 08:20:22)"),
        ("2026-11-01 08:20:22", "was revoked (granted last 2026-11-01 08:20:22)"),
    ],
)
def test_ticket_that_was_revoked_is_another_fault_than_one_that_never_was_granted(last, words):
    known = cib(tickets=(TicketConstraint("t", "IP", "siteA", "stop"),))
    tickets = (Ticket("siteA", False, False, last),)
    one = first("resources", view(cluster(resources=(stopped("IP"),), tickets=tickets), cib=known))
    assert one.text == f"IP is stopped (ticket siteA {words}, t needs it (loss-policy=stop))"
    assert one.next_step.endswith(
        "where it is not meant to be needed: pcs constraint delete t (crm configure delete t)"
    )


def disabled_and_blocked(configured, **changes):
    known = replace(cib(), resources=configured)
    stuck = primitive("FS", target_role="Stopped", blocked=True, failed=True)
    failed = (failure("FS", "app01", task="stop", exit_status="error"),)
    return first(
        "resources",
        view(cluster(resources=(group(stuck),), failures=failed, **changes), cib=known),
    )


@pytest.mark.parametrize("owner", ["FS", "group1"])
def test_stop_that_somebody_asked_for_and_that_failed_says_so(owner):
    asked = {"target-role": "Stopped"}
    configured = {
        "FS": Configured("FS", "primitive", parent="group1", meta=asked if owner == "FS" else {}),
        "group1": Configured("group1", "group", meta=asked if owner == "group1" else {}),
    }
    one = disabled_and_blocked(configured, options=options(fencing_enabled=False))
    assert one.text == (
        "FS (group1) should stop (it is disabled), and its stop failed on app01: error; Pacemaker"
        " gave up on it, and fencing is disabled"
    )
    assert one.next_step.endswith(
        f"it stays stopped until: crm_resource -r {owner} --meta -d target-role (pcs resource"
        f" enable {owner})"
    )


def test_primary_that_pacemaker_promotes_is_not_demoted_by_hand():
    """Pacemaker demotes it by itself, once the mount is gone."""
    managed = Configured(
        "DRBD", "primitive", agent="ocf:linbit:drbd", parameters={"drbd_resource": "r0"}
    )
    away_from_it = {
        "drbd": (drbd(peer("app02", role=DrbdRole.PRIMARY), role=DrbdRole.SECONDARY),),
    }
    known = on_drbd()
    by_hand = first(
        "consistency", view(cluster(resources=(primitive(),)), cib=known, **away_from_it)
    )
    assert "umount /dev/drbd0; drbdadm secondary r0; then " in by_hand.next_step
    known = replace(known, resources={"DRBD": managed})
    promoted = first(
        "consistency", view(cluster(resources=(primitive(),)), cib=known, **away_from_it)
    )
    assert promoted.key == by_hand.key == "primary-elsewhere"
    assert "umount /dev/drbd0; then " in promoted.next_step


@pytest.mark.parametrize(
    ("maintenance", "facts", "back"),
    [
        (True, {}, "on app01: mount /dev/drbd0 /srv/data"),
        # Nothing failed: there is nothing to clean up, Pacemaker has to look again.
        (False, {}, "crm_resource --refresh -r FS -N app01"),
        (False, {"failures": (failure("DB"),)}, "crm_resource --refresh -r FS -N app01"),
        (False, {"failures": (failure("FS"),)}, "crm_resource --cleanup -r FS"),
        (False, {"history": (history("FS"),)}, "crm_resource --cleanup -r FS"),
        (False, {"history": (history("FS", fail_count=0),)}, "crm_resource --refresh -r FS -N"),
    ],
)
def test_mount_away_from_its_primary_is_found_by_its_device(maintenance, facts, back):
    """Managed again before that is mended, Pacemaker acts on what it believes."""
    known = on_drbd()
    known = replace(known, filesystems=(Filesystem("FS", "/dev/drbd0", "/srv/data"),))
    seen = view(
        cluster(resources=(primitive(),), options=options(maintenance_mode=maintenance), **facts),
        cib=known,
        drbd=(drbd(peer("app02", role=DrbdRole.PRIMARY), role=DrbdRole.SECONDARY),),
    )
    one = first("consistency", seen)
    assert one.key == "primary-elsewhere"
    assert one.next_step.startswith("on app02: findmnt /dev/drbd0; fuser -vm /dev/drbd0 tells")
    assert f"; then {back}" in one.next_step
    if maintenance:
        found = {each.key: each for each in report("overview", seen).findings}
        assert found["cluster-maintenance"].next_step.startswith(
            "Not before FS and its Primary are on one node; then, when the work is done: "
        )


def test_what_is_mounted_away_from_its_primary_is_managed_again_after_that_is_mended():
    """Nothing else waits for it: neither another resource, nor what is to be mended itself."""
    known = replace(on_drbd(), filesystems=(Filesystem("FS", "/dev/drbd0", "/srv/data"),))
    alone = (primitive(managed=False), primitive("NET", managed=False))
    seen = view(
        cluster(resources=alone),
        cib=known,
        drbd=(drbd(peer("app02", role=DrbdRole.PRIMARY), role=DrbdRole.SECONDARY),),
    )
    steps = {(e.key, e.object): e.next_step for e in report("overview", seen).findings}
    first = "Not before FS and its Primary are on one node; then, "
    assert steps["resource-unmanaged", "NET"].startswith("When the work is done: ")
    assert steps["resource-unmanaged", "FS"].startswith(f"{first}when the work is done: ")
    assert {key for key, step in steps.items() if step.startswith(first)} == {
        ("resource-unmanaged", "FS")
    }


def test_maintenance_waits_for_nothing_where_every_mount_is_at_its_primary():
    seen = view(cluster(resources=(primitive(),), options=options(maintenance_mode=True)))
    found = {each.key: each for each in report("overview", seen).findings}
    assert found["cluster-maintenance"].next_step.startswith("When the work is done: ")


@pytest.mark.parametrize("options", [("--fold",), ()])
def test_maintenance_is_not_ended_first_by_who_asks_one_check_either(call, options):
    """Folded, a check knows what the others say; alone it does not."""
    out = call("nodes", "--from", SNAPSHOTS / "mounted-by-hand" / "app01", "-v", *options).out
    assert ("-> Not before FS_DRBD and its Primary are on one node; then" in out) is bool(options)


def test_step_of_what_runs_nowhere_is_that_of_its_reason():
    seen = view(cluster(resources=(stopped("FS", target_role="Stopped"),)), cib=cib())
    assert first("placement", seen).next_step == (
        "To run it again: crm_resource -r FS --meta -d target-role (pcs resource enable FS)"
    )
    past = tuple(history("FS", name, 1_000_000) for name in EVERYWHERE)
    seen = view(cluster(resources=(stopped("FS"),), history=past), cib=cib())
    assert first("placement", seen).next_step == "crm_resource --cleanup -r FS"


def test_rule_that_somebody_wants_is_the_reason_of_that_node_whatever_else_speaks_against_it():
    """DRBD there has no quorum; it would not run there with one either."""
    past = tuple(history("FS", name, 1_000_000) for name in ("app01", "app02"))
    without = build_drbd.resource(devices=(build_drbd.device(quorum=False),))
    seen = view(
        cluster(resources=(stopped("FS"),), history=past, bans=(ban("FS", "app03"),)),
        here="app03",
        cib=on_drbd(),
        drbd=(without,),
    )
    assert "app03: banned by" in first("resources", seen).text
