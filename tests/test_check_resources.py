"""``resources``: does everything run that should, as it should?"""

from __future__ import annotations

import pytest

from build import (
    ban,
    bundle,
    cib,
    clone,
    cluster,
    due,
    fence_device,
    group,
    history,
    location,
    node,
    offline,
    options,
    primitive,
    remote,
    report,
    run,
    said,
    stopped,
    view,
)
from check_mccluster.model.config import Config, PlacementRule
from check_mccluster.model.pacemaker import Health, Operation, Role, Ticket, TicketConstraint


def figures(total=5, running=5, *, stopped=0, failed=0, blocked=0, unmanaged=0):
    return (
        f"resources={total};;;0 resources_blocked={blocked};;;0 resources_failed={failed};;;0"
        f" resources_running={running};;;0 resources_stopped={stopped};;;0"
        f" resources_unmanaged={unmanaged};;;0"
    )


WAIT = "MYSQL, MAILMAN3, POSTFIX, DOVECOT wait for it"
BARRED = "FS_DRBD barred by fail-count INFINITY; app03: banned by group1-avoids-app03); " + WAIT
NOT_STARTED = "group1 is stopped: FS_DRBD does not run"

RECORDED = {
    "six-nodes-healthy/app01": ("OK", "5 resources run; group1 on app01", figures()),
    "ten-nodes/app01": ("OK", "15 resources run; group1 on app01", figures(15, 15)),
    "clone-healthy/app01": ("OK", "8 resources run; group1 on app01", figures(8, 8)),
    "promotable-healthy/app01": ("OK", "7 resources run; group1 on app01", figures(7, 7)),
    "bundle-healthy/app01": ("OK", "7 resources run; group1 on app01", figures(7, 7)),
    "pacemaker-1.1.24-promotable-healthy/app01": (
        "OK",
        "7 resources run; group1 on app01",
        figures(7, 7),
    ),
    "start-failed-without-drbd-quorum/app01": (
        "CRITICAL",
        f"{NOT_STARTED} (app01: r0/0 has no quorum; app02: FS_DRBD barred by fail-count"
        " INFINITY; app...",
        figures(5, 0, stopped=5),
        f"[CRITICAL] {NOT_STARTED} (app01: r0/0 has no quorum; app02: {BARRED}",
    ),
    "pacemaker-2.0.5-start-failed/app01": (
        "CRITICAL",
        f"{NOT_STARTED} (app01: FS_DRBD barred by fail-count 1; app02: FS_DRBD barred by"
        " fail-count I...",
        figures(5, 0, stopped=5),
        f"[CRITICAL] {NOT_STARTED} (app01: FS_DRBD barred by fail-count 1; app02: {BARRED}",
    ),
    "app02-cut-off/app02": (
        "CRITICAL",
        f"group1 is stopped: FS_DRBD does not run (the partition has no quorum); {WAIT}",
        figures(5, 0, stopped=5),
    ),
    "app01-started-alone/app01": (
        "CRITICAL",
        f"group1 is stopped: FS_DRBD does not run (no designated controller); {WAIT}",
        figures(5, 0, stopped=5),
    ),
    "ticket-revoked/app01": (
        "CRITICAL",
        "group1 is stopped: FS_DRBD does not run (ticket siteA was revoked (granted last"
        " 09:20:22), t-group1 needs it (loss-po...",
        figures(5, 0, stopped=5),
        "[CRITICAL] group1 is stopped: FS_DRBD does not run (ticket siteA was revoked (granted last"
        f" 09:20:22), t-group1 needs it (loss-policy=stop)); {WAIT}",
    ),
    "agent-not-installed/app01": (
        "CRITICAL",
        "NOAGENT is stopped (app01, app02, app03: NOAGENT has no agent or program there"
        " (ocf:pacemaker:NoSuchAgent))",
        figures(6, 5, stopped=1),
    ),
    "app01-cut-from-all-storage/app01": (
        "CRITICAL",
        "FS_DRBD (group1) failed on app01 (monitor: error) and is being stopped; POSTFIX, DOVECOT"
        " wait for it",
        figures(5, 3, stopped=1, failed=1),
    ),
    "dovecot-blocked/app01": (
        "CRITICAL",
        "DOVECOT (group1) should stop (it is disabled), and its stop failed on app02: error;"
        " Pacemaker gave up on it, and fenc...",
        figures(failed=1, blocked=1, unmanaged=1),
        "[CRITICAL] DOVECOT (group1) should stop (it is disabled), and its stop failed on app02:"
        " error; Pacemaker gave up on it, and fencing is disabled",
    ),
    "failure-ignored/app01": (
        "WARNING",
        "a failure of LOGGER on app02 was ignored (monitor: not running; on-fail=ignore)",
        figures(6, 6),
    ),
    "group-disabled/app01": (
        "WARNING",
        "group1 is disabled, 5 members stopped",
        figures(5, 0, stopped=5),
    ),
    # What nobody asked for is judged as what it is.
    "mysql-disabled/app01": (
        "CRITICAL",
        "MAILMAN3, POSTFIX, DOVECOT (group1) stopped behind the disabled MYSQL;"
        " MYSQL (group1) is disabled",
        figures(5, 1, stopped=4),
        "[CRITICAL] MAILMAN3, POSTFIX, DOVECOT (group1) stopped behind the disabled MYSQL",
        "[WARNING] MYSQL (group1) is disabled",
    ),
    "stop-all-resources/app01": (
        "WARNING",
        "stop-all-resources is set: group1, NOAGENT stopped on purpose",
        figures(6, 0, stopped=6),
    ),
    "mysql-unmanaged/app01": (
        "WARNING",
        "MYSQL (group1) is unmanaged on app01",
        figures(unmanaged=1),
    ),
    # Under maintenance the unmanaged resources are not repeated.
    "cluster-maintenance/app01": (
        "OK",
        "5 resources run; group1 on app01",
        figures(unmanaged=5),
    ),
    "app01-maintenance/app02": ("OK", "5 resources run; group1 on app01", figures(unmanaged=5)),
    "orphan-running/app01": (
        "WARNING",
        "OLD is orphaned on app02: not configured any more",
        figures(6, 6, unmanaged=1),
    ),
    "pacemaker-3.0.2-orphan-running/app01": (
        "WARNING",
        "OLD is orphaned on app02: not configured any more",
        figures(6, 6, unmanaged=1),
    ),
    "resource-starting/app01": ("WARNING", "SLOW is starting on app02", figures(6, 5)),
    "resource-stopping/app01": (
        "WARNING",
        "SLOW is stopping on app02, it is disabled",
        figures(6, 5),
    ),
    "app02-cut-off-while-active/app01": (
        "WARNING",
        f"FS_DRBD (group1) is starting on app01; {WAIT}",
        figures(5, 0, stopped=4),
    ),
    "clone-failed-on-one-node/app01": (
        "WARNING",
        "ping-clone: 2 of 3 instances run, none on app02 (app02: ping barred by fail-count 1)",
        figures(8, 7, stopped=1),
    ),
    "clones-starting/app03": (
        "CRITICAL",
        "ST-clone has no running instance; PINGD (PINGD-clone) is starting on app01",
        figures(11, 7, stopped=3),
        "[CRITICAL] ST-clone has no running instance",
        "[WARNING] PINGD (PINGD-clone) is starting on app01",
    ),
    "promotable-not-promoted-by-admin/app01": (
        "WARNING",
        "drbd-clone: no instance is promoted, on purpose (target-role)",
        figures(7, 7),
    ),
    # Spare instances of nodes that are off are no fault of the clone.
    "no-quorum-ignored/app01": ("OK", "6 resources run; group1 on app01", figures(8, 6, stopped=2)),
    "no-quorum-demote/app01": (
        "CRITICAL",
        f"group1 is stopped: FS_DRBD does not run (the partition has no quorum); {WAIT} (+1 more)",
        figures(8, 1, stopped=7),
        f"[CRITICAL] group1 is stopped: FS_DRBD does not run (the partition has no quorum); {WAIT}",
        "[CRITICAL] drbd-clone: no instance is promoted (the partition has no quorum)",
    ),
    # Started by name only: that app01 is dead is not known yet.
    "app01-just-died/app02": ("OK", "5 resources run; group1 on app01", figures()),
    "nothing-started/app01": ("CRITICAL", "Corosync does not run on this node"),
    "six-nodes-healthy/storage01": (
        "UNKNOWN",
        "crm_mon: not in the snapshot (not installed there?)",
    ),
}


@pytest.mark.parametrize("snapshot", RECORDED)
def test_recorded(call, snapshot):
    assert run(call, "resources", snapshot) == due("resources", *RECORDED[snapshot])


FILTERS = {
    "group": (("group1",), ("OK", "5 resources run; group1 on app01", figures())),
    "member": (("MYSQL",), ("OK", "1 resource runs", figures(1, 1))),
    "glob-of-members": (("M*",), ("OK", "2 resources run", figures(2, 2))),
    "nothing-of-that-name": (
        ("MYSQ",),
        ("CRITICAL", "MYSQ is not configured in the cluster", figures(0, 0)),
    ),
    "glob-that-matches-nothing": (
        ("X*",),
        ("UNKNOWN", "no resource matches X*", figures(0, 0)),
    ),
    "one-name-right-and-one-wrong": (
        ("group1", "MYSQ"),
        ("CRITICAL", "MYSQ is not configured in the cluster", figures()),
    ),
}


@pytest.mark.parametrize("case", FILTERS)
def test_filter(call, case):
    names, output = FILTERS[case]
    asked = [word for name in names for word in ("-r", name)]
    assert run(call, "resources", "six-nodes-healthy/app01", *asked) == due("resources", *output)


def test_filter_on_a_member_behind_the_fault(call):
    outcome = run(call, "resources", "mysql-disabled/app01", "-r", "POSTFIX")
    assert outcome == due("resources", "CRITICAL", "POSTFIX is stopped", figures(1, 0, stopped=1))


def test_severity(call):
    outcome = run(call, "resources", "mysql-unmanaged/app01", "--severity", "resource-unmanaged=ok")
    text = "5 resources run; group1 on app01"
    assert outcome == due("resources", "OK", text, figures(unmanaged=1))


# -- constructed: single resources ---------------------------------------------------------------


def judge(*resources, nodes=None, config=None, known_cib=None, patterns=(), **facts):
    known = cluster(nodes, resources, **facts)
    return said(report("resources", view(known, cib=known_cib, config=config), patterns=patterns))


SINGLE = {
    "failed-though-started": (
        primitive(failed=True),
        [("resource-failed", "CRITICAL", "FS failed on app01")],
    ),
    "failed-and-stopped": (
        stopped(failed=True),
        [("resource-failed", "CRITICAL", "FS failed")],
    ),
    "failure-ignored": (
        primitive(failure_ignored=True),
        [
            (
                "resource-failure-ignored",
                "WARNING",
                "a failure of FS on app01 was ignored (on-fail=ignore)",
            )
        ],
    ),
    "blocked-though-started": (
        primitive(blocked=True, managed=False),
        [("resource-blocked", "CRITICAL", "FS blocked on app01: Pacemaker gave up on it")],
    ),
    "active-on-two-nodes": (
        primitive(on=("app01", "app02"), blocked=True, managed=False),
        [("resource-multi-active", "CRITICAL", "FS is active on app01, app02")],
    ),
    "being-stopped-on-two-nodes": (
        primitive(on=("app01", "app02"), role=Role.STOPPING),
        [("resource-multi-active", "CRITICAL", "FS is active on app01, app02")],
    ),
    "migrating-between-two-nodes": (
        primitive(on=("app01", "app02"), role=Role.MIGRATING),
        [("resource-transition", "WARNING", "FS is migrating on app01, app02")],
    ),
    "promoting": (
        primitive(role=Role.PROMOTING),
        [("resource-transition", "WARNING", "FS is promoting on app01")],
    ),
    "disabled-in-any-case": (
        stopped(target_role="sToPpEd"),
        [("resource-disabled", "WARNING", "FS is disabled")],
    ),
    "disabled-and-still-stopping": (
        primitive(role=Role.STOPPING, target_role="Stopped"),
        [("resource-transition", "WARNING", "FS is stopping on app01, it is disabled")],
    ),
    "target-role-started-and-stopped": (
        stopped(target_role="Started"),
        [("resource-stopped", "CRITICAL", "FS is stopped")],
    ),
    "unmanaged-and-dead": (
        stopped(managed=False),
        [
            (
                "resource-stopped",
                "CRITICAL",
                "FS is stopped and unmanaged: nobody will start it",
            )
        ],
    ),
    "unmanaged-disabled-and-stopped": (
        stopped(managed=False, target_role="Stopped"),
        [("resource-disabled", "WARNING", "FS is disabled")],
    ),
    "unmanaged-and-failed": (
        primitive(managed=False, failed=True),
        [("resource-failed", "CRITICAL", "FS failed on app01")],
    ),
    "monitor-in-progress": (primitive(pending="Monitoring"), []),
    "monitor-in-progress-of-a-stopped-one": (
        stopped(pending="Monitoring"),
        [("resource-stopped", "CRITICAL", "FS is stopped")],
    ),
    "orphan-that-is-stopped": (
        stopped(orphaned=True),
        [("resource-orphaned", "WARNING", "FS is orphaned: not configured any more")],
    ),
    "orphan-that-failed": (
        primitive(orphaned=True, failed=True),
        [("resource-failed", "CRITICAL", "FS failed on app01")],
    ),
    "role-unknown": (
        primitive(role=Role.UNKNOWN),
        [("resource-stopped", "UNKNOWN", "the role of FS is unknown")],
    ),
    "kept-for-its-node-by-shutdown-lock": (
        stopped(locked_to="app02"),
        [
            (
                "resource-stopped",
                "CRITICAL",
                "FS is stopped (locked to app02 by shutdown-lock)",
            )
        ],
    ),
    "fence-device-that-is-stopped": (
        fence_device(on=None, role=Role.STOPPED),
        [("resource-stopped", "CRITICAL", "fence is stopped")],
    ),
}


@pytest.mark.parametrize("case", SINGLE)
def test_constructed_single_resource(case):
    resource, findings = SINGLE[case]
    assert judge(resource) == findings


LOST = {
    "unclean": node("app02", unclean=True),
    "unclean-and-offline": offline("app02", unclean=True),
    "offline": offline("app02"),
}


@pytest.mark.parametrize("case", LOST)
@pytest.mark.parametrize("role", [Role.STARTED, Role.STOPPING])
def test_constructed_resource_on_a_lost_node(case, role):
    nodes = (node(), LOST[case])
    text = "FS is said to run on app02, which is lost"
    if case == "unclean":
        text = "FS runs on app02, which is to be fenced"
    due_now = [("resource-on-lost-node", "CRITICAL", text)]
    assert judge(primitive(on="app02", role=role), nodes=nodes) == due_now


def test_constructed_resource_on_a_lost_node_and_another():
    nodes = (node(), offline("app02", unclean=True))
    [(key, _, _)] = judge(primitive(on=("app01", "app02")), nodes=nodes)
    assert key == "resource-multi-active"


def test_constructed_resource_on_a_standby_node_is_not_lost():
    assert judge(primitive(), nodes=(node(standby=True), node("app02"))) == []


# -- constructed: groups -------------------------------------------------------------------------

ORDER = ("FS", "IP", "DB", "WEB")


def members(*changed, on="app01"):
    """Members as given, the rest started on *on*."""
    given = {member.id: member for member in changed}
    return tuple(given.get(name) or primitive(name, on) for name in ORDER)


def down(*names, **changes):
    return tuple(stopped(name, **changes) for name in names)


GROUPS = {
    "first-failed-others-wait": (
        group(*members(primitive("FS", failed=True), *down("IP", "DB", "WEB"))),
        [
            (
                "resource-failed",
                "CRITICAL",
                "FS (group1) failed on app01; IP, DB, WEB wait for it",
            )
        ],
    ),
    "second-stopped-others-wait": (
        group(*members(*down("IP", "DB", "WEB"))),
        [("resource-stopped", "CRITICAL", "IP (group1) is stopped; DB, WEB wait for it")],
    ),
    "last-stopped": (
        group(*members(stopped("WEB"))),
        [("resource-stopped", "CRITICAL", "WEB (group1) is stopped")],
    ),
    "starting-others-belong-to-it": (
        group(*members(primitive("DB", role=Role.STARTING), stopped("WEB"))),
        [
            (
                "resource-transition",
                "WARNING",
                "DB (group1) is starting on app01; WEB waits for it",
            )
        ],
    ),
    "stopping-from-the-end": (
        group(*members(primitive("DB", role=Role.STOPPING), stopped("WEB"))),
        [
            (
                "resource-transition",
                "WARNING",
                "DB (group1) is stopping on app01; WEB waits for it",
            )
        ],
    ),
    "starting-and-a-failure-behind-it": (
        group(*members(primitive("FS", role=Role.STARTING), primitive("WEB", failed=True))),
        [
            ("resource-transition", "WARNING", "FS (group1) is starting on app01"),
            ("resource-failed", "CRITICAL", "WEB (group1) failed on app01"),
        ],
    ),
    "blocked-in-the-middle": (
        group(*members(primitive("DB", blocked=True, failed=True), stopped("WEB"))),
        [
            (
                "resource-blocked",
                "CRITICAL",
                "DB (group1) failed and blocked on app01: Pacemaker gave up on it;"
                " WEB waits for it",
            )
        ],
    ),
    "all-blocked-after-one-is-active-twice": (
        group(
            *members(
                primitive("FS", ("app01", "app02"), blocked=True),
                *(primitive(name, blocked=True) for name in ORDER[1:]),
            )
        ),
        [
            (
                "resource-multi-active",
                "CRITICAL",
                "FS (group1) is active on app01, app02; IP, DB, WEB wait for it",
            )
        ],
    ),
    "first-disabled-the-others-did-not-ask-for-it": (
        group(*members(stopped("FS", target_role="Stopped"), *down("IP", "DB", "WEB"))),
        [
            ("resource-disabled", "WARNING", "FS (group1) is disabled"),
            (
                "resource-stopped",
                "CRITICAL",
                "IP, DB, WEB (group1) stopped behind the disabled FS",
            ),
        ],
    ),
    "two-disabled": (
        group(*members(*down("DB", "WEB", target_role="Stopped"))),
        [("resource-disabled", "WARNING", "DB (group1) is disabled; WEB too")],
    ),
    "last-disabled": (
        group(*members(stopped("WEB", target_role="Stopped"))),
        [("resource-disabled", "WARNING", "WEB (group1) is disabled")],
    ),
    "all-stopped-and-the-last-disabled": (
        group(*members(*down("FS", "IP", "DB"), stopped("WEB", target_role="Stopped"))),
        [
            (
                "resource-stopped",
                "CRITICAL",
                "group1 is stopped: FS does not run; IP, DB wait for it",
            ),
            ("resource-disabled", "WARNING", "WEB (group1) is disabled"),
        ],
    ),
    "disabled-as-a-whole": (
        group(*down(*ORDER), disabled=True),
        [("resource-disabled", "WARNING", "group1 is disabled, 4 members stopped")],
    ),
    "disabled-as-old-versions-show-it": (
        group(*down(*ORDER, target_role="Stopped"), disabled=None, managed=None),
        [("resource-disabled", "WARNING", "group1 is disabled, 4 members stopped")],
    ),
    "unmanaged-as-a-whole": (
        group(*(primitive(name, managed=False) for name in ORDER), managed=False),
        [("resource-unmanaged", "WARNING", "group1 is unmanaged")],
    ),
    "unmanaged-member-by-member": (
        group(*(primitive(name, managed=False) for name in ORDER)),
        [
            (
                "resource-unmanaged",
                "WARNING",
                "FS (group1) is unmanaged on app01; IP, DB, WEB too",
            )
        ],
    ),
    "unmanaged-and-one-of-it-dead": (
        group(*members(stopped("DB", managed=False), *down("WEB"))),
        [
            (
                "resource-stopped",
                "CRITICAL",
                "DB (group1) is stopped and unmanaged: nobody will start it; WEB waits for it",
            )
        ],
    ),
    "of-one-member": (
        group(stopped("FS")),
        [("resource-stopped", "CRITICAL", "group1 is stopped: FS does not run")],
    ),
}


@pytest.mark.parametrize("case", GROUPS)
def test_constructed_group(case):
    resource, findings = GROUPS[case]
    assert judge(resource) == findings


def test_constructed_group_on_a_lost_node_is_one_finding():
    nodes = (node(), offline("app02", unclean=True))
    assert judge(group(*members(on="app02")), nodes=nodes) == [
        (
            "resource-on-lost-node",
            "CRITICAL",
            "FS (group1) is said to run on app02, which is lost; IP, DB, WEB too",
        )
    ]


def test_constructed_unmanaged_group_under_node_maintenance():
    resource = group(*(primitive(name, managed=False) for name in ORDER))
    assert judge(resource, nodes=(node(maintenance=True), node("app02"))) == []


def test_constructed_dead_member_under_cluster_maintenance():
    resource = group(*members(stopped("DB", managed=False)), managed=False)
    assert judge(resource, options=options(maintenance_mode=True)) == [
        (
            "resource-stopped",
            "CRITICAL",
            "DB (group1) is stopped and unmanaged: nobody will start it",
        )
    ]


# -- constructed: clones -------------------------------------------------------------------------


def instances(*nodes, spare=0, role=Role.STARTED):
    running = tuple(primitive("ping", on, role) for on in nodes)
    return (*running, *(stopped("ping") for _ in range(spare)))


EVERYWHERE = ("app01", "app02", "app03")
CLONES = {
    "clone-max-above-the-nodes": ({}, clone(*instances(*EVERYWHERE, spare=2)), []),
    "clone-max-below-the-nodes": ({}, clone(*instances("app01", "app02")), []),
    "one-node-off": (
        {"nodes": (node(), node("app02"), offline("app03"))},
        clone(*instances("app01", "app02", spare=1)),
        [],
    ),
    "one-node-on-standby": (
        {"nodes": (node(), node("app02"), node("app03", standby=True))},
        clone(*instances("app01", "app02", spare=1)),
        [],
    ),
    "one-node-with-red-health": (
        {"nodes": (node(), node("app02"), node("app03", health=Health.RED))},
        clone(*instances("app01", "app02", spare=1)),
        [],
    ),
    "one-node-banned": (
        {"bans": (ban("ping-clone", "app03"),)},
        clone(*instances("app01", "app02", spare=1)),
        [],
    ),
    "one-node-banned-for-the-promoted-role-only": (
        {"bans": (ban("ping-clone", "app03", promoted_only=True),)},
        clone(*instances("app01", "app02", spare=1)),
        [
            (
                "clone-degraded",
                "WARNING",
                "ping-clone: 2 of 3 instances run, none on app03",
            )
        ],
    ),
    "one-instance-missing-below-clone-max": (
        {},
        clone(*instances("app01", spare=1)),
        [("clone-degraded", "WARNING", "ping-clone: 1 of 2 instances run")],
    ),
    "one-starting": (
        {},
        clone(*instances("app01", "app02"), primitive("ping", "app03", Role.STARTING)),
        [("resource-transition", "WARNING", "ping (ping-clone) is starting on app03")],
    ),
    "one-failed": (
        {},
        clone(*instances("app01", "app02"), primitive("ping", "app03", failed=True)),
        [("resource-failed", "CRITICAL", "ping (ping-clone) failed on app03")],
    ),
    "none": (
        {},
        clone(*instances(spare=3)),
        [("clone-down", "CRITICAL", "ping-clone has no running instance")],
    ),
    "none-without-quorum": (
        {"quorate": False},
        clone(*instances(spare=3)),
        [
            (
                "clone-down",
                "CRITICAL",
                "ping-clone has no running instance (the partition has no quorum)",
            )
        ],
    ),
    "none-on-purpose": (
        {},
        clone(*instances(spare=3), disabled=True, target_role="Stopped"),
        [("resource-disabled", "WARNING", "ping-clone is disabled")],
    ),
    "none-on-purpose-as-old-versions-show-it": (
        {},
        clone(*(stopped("ping", target_role="Stopped") for _ in range(3)), disabled=None),
        [("resource-disabled", "WARNING", "ping-clone is disabled")],
    ),
    "none-by-stop-all-resources": (
        {"options": options(stop_all_resources=True)},
        clone(*instances(spare=3)),
        [
            (
                "resource-disabled",
                "WARNING",
                "stop-all-resources is set: ping-clone stopped on purpose",
            )
        ],
    ),
    "unmanaged": (
        {},
        clone(*(primitive("ping", on, managed=False) for on in EVERYWHERE), managed=False),
        [("resource-unmanaged", "WARNING", "ping-clone is unmanaged")],
    ),
    "unmanaged-by-its-primitive": (
        {},
        clone(*(primitive("ping", on, managed=False) for on in EVERYWHERE)),
        [("resource-unmanaged", "WARNING", "ping-clone is unmanaged")],
    ),
    "unmanaged-by-cluster-maintenance": (
        {"options": options(maintenance_mode=True)},
        clone(*(primitive("ping", on, managed=False) for on in EVERYWHERE), managed=False),
        [],
    ),
    "unmanaged-on-the-node-in-maintenance": (
        {"nodes": (node(maintenance=True), node("app02"), node("app03"))},
        clone(primitive("ping", "app01", managed=False), *instances("app02", "app03")),
        [],
    ),
    "instance-on-an-unclean-node": (
        {"nodes": (node(), node("app02"), offline("app03", unclean=True))},
        clone(*instances(*EVERYWHERE)),
        [],
    ),
    "instance-on-an-unclean-node-does-not-stand-for-a-missing-one": (
        {"nodes": (node(), node("app02"), offline("app03", unclean=True))},
        clone(*instances("app01", "app03", spare=1)),
        [
            (
                "clone-degraded",
                "WARNING",
                "ping-clone: 1 of 2 instances run, none on app02",
            )
        ],
    ),
    "remote-node-should-run-one": (
        {"nodes": (node(), remote("db1"))},
        clone(*instances("app01", spare=1)),
        [("clone-degraded", "WARNING", "ping-clone: 1 of 2 instances run, none on db1")],
    ),
    "guest-node-should-run-one": (
        {"nodes": (node(), remote("vm1", id_as_resource="VM1"))},
        clone(*instances("app01", spare=1)),
        [("clone-degraded", "WARNING", "ping-clone: 1 of 2 instances run, none on vm1")],
    ),
    "opt-in-cluster": (
        {
            "options": options(symmetric=False),
            "known_cib": cib(locations=(location("ping-clone", "app01", 100),)),
        },
        clone(*instances("app01", spare=2)),
        [],
    ),
    "opt-in-cluster-with-a-rule-that-nobody-can-read-here": (
        {
            "options": options(symmetric=False),
            "known_cib": cib(locations=(location("ping-clone", None, None),)),
        },
        clone(*instances("app01", "app02", "app03")),
        [],
    ),
    "not-managed-by-us-of-no-node-at-all": (
        {"nodes": (node(standby=True),)},
        clone(*instances(spare=1)),
        [("clone-down", "CRITICAL", "ping-clone has no running instance (app01: in standby)")],
    ),
}


@pytest.mark.parametrize("case", CLONES)
def test_constructed_clone(case):
    facts, resource, findings = CLONES[case]
    assert judge(resource, **facts) == findings


def promotable(*roles, **changes):
    placed = zip(EVERYWHERE, roles)
    made = (
        stopped("ST") if role is Role.STOPPED else primitive("ST", on, role) for on, role in placed
    )
    return clone(*made, name="ST-clone", promotable=True, **changes)


P, U, S = Role.PROMOTED, Role.UNPROMOTED, Role.STOPPED
MISSING = [("promoted-missing", "CRITICAL", "ST-clone: no instance is promoted")]
ON_PURPOSE = [
    (
        "resource-disabled",
        "WARNING",
        "ST-clone: no instance is promoted, on purpose (target-role)",
    )
]


@pytest.mark.parametrize(
    ("resource", "findings"),
    [
        pytest.param(promotable(P, U, U), [], id="one-promoted"),
        pytest.param(promotable(U, U, U), MISSING, id="none-promoted"),
        pytest.param(
            promotable(Role.PROMOTING, U, U),
            [("resource-transition", "WARNING", "ST (ST-clone) is promoting on app01")],
            id="one-promoting",
        ),
        pytest.param(
            promotable(Role.DEMOTING, U, U),
            [("resource-transition", "WARNING", "ST (ST-clone) is demoting on app01")],
            id="one-demoting-for-a-move",
        ),
        pytest.param(
            promotable(U, U, U, target_role="Unpromoted", disabled=True),
            ON_PURPOSE,
            id="none-promoted-on-purpose",
        ),
        pytest.param(
            promotable(U, U, U, target_role="slave"),
            ON_PURPOSE,
            id="none-promoted-on-purpose-in-old-words",
        ),
        pytest.param(
            promotable(S, S, S, target_role="Stopped", disabled=True),
            [("resource-disabled", "WARNING", "ST-clone is disabled")],
            id="disabled",
        ),
        pytest.param(
            promotable(S, S, S),
            [("clone-down", "CRITICAL", "ST-clone has no running instance")],
            id="none-running",
        ),
        pytest.param(
            promotable(U, S, S),
            [
                (
                    "clone-degraded",
                    "WARNING",
                    "ST-clone: 1 of 3 instances run, none on app02, app03",
                ),
                *MISSING,
            ],
            id="one-of-three-and-not-promoted",
        ),
    ],
)
def test_constructed_promotable_clone(resource, findings):
    assert judge(resource) == findings


def cloned_group(number, on, *changed):
    given = {member.id: member for member in changed}
    made = (given.get(name) or primitive(name, on) for name in ("FS", "WEB"))
    return group(*made, name=f"web:{number}")


def test_constructed_clone_of_groups():
    whole = clone(*(cloned_group(n, on) for n, on in enumerate(EVERYWHERE)), name="web-clone")
    assert judge(whole) == []


def test_constructed_clone_of_groups_with_one_fault():
    faulty = cloned_group(1, "app02", stopped("WEB"))
    whole = clone(cloned_group(0, "app01"), faulty, cloned_group(2, "app03"), name="web-clone")
    assert judge(whole) == [
        ("resource-stopped", "CRITICAL", "WEB (web:1) is stopped"),
        ("clone-degraded", "WARNING", "web-clone: 2 of 3 instances run"),
    ]


def test_constructed_clone_of_groups_with_a_spare_one():
    spare = group(stopped("FS"), stopped("WEB"), name="web:2")
    nodes = (node(), node("app02"), offline("app03"))
    whole = clone(cloned_group(0, "app01"), cloned_group(1, "app02"), spare, name="web-clone")
    assert judge(whole, nodes=nodes) == []


# -- constructed: bundles ------------------------------------------------------------------------


def replica(number, on):
    made = primitive if on else stopped
    place = (on,) if on else ()
    return (made(f"web-podman-{number}", *place), made(f"web-{number}", *place))


BUNDLES = {
    "all-run": (bundle(replica(0, "app01"), replica(1, "app02")), []),
    "more-replicas-than-hosts": (
        bundle(*(replica(n, on) for n, on in enumerate((*EVERYWHERE, None)))),
        [],
    ),
    "one-replica-stopped": (
        bundle(replica(0, "app01"), replica(1, None)),
        [("clone-degraded", "WARNING", "web: 1 of 2 instances run")],
    ),
    "none-runs": (
        bundle(replica(0, None), replica(1, None)),
        [("clone-down", "CRITICAL", "web has no running instance")],
    ),
    "container-runs-and-the-service-in-it-does-not": (
        bundle(replica(0, "app01"), (primitive("web-podman-1", "app02"), stopped("web-1"))),
        [
            ("resource-stopped", "CRITICAL", "web-1 (web) is stopped"),
            ("clone-degraded", "WARNING", "web: 1 of 2 instances run"),
        ],
    ),
    "disabled": (
        bundle(
            *(
                tuple(stopped(f"web{part}-{n}", target_role="Stopped") for part in ("", "-podman"))
                for n in (0, 1)
            )
        ),
        [("resource-disabled", "WARNING", "web is disabled")],
    ),
    "disabled-and-not-stopped-yet": (
        bundle(
            (
                primitive("web-podman-0", target_role="Stopped"),
                primitive("web-0", target_role="Stopped"),
            )
        ),
        [],
    ),
    "unmanaged": (
        bundle(
            (primitive("web-podman-0", managed=False), primitive("web-0", managed=False)),
            managed=False,
        ),
        [("resource-unmanaged", "WARNING", "web is unmanaged")],
    ),
}


@pytest.mark.parametrize("case", BUNDLES)
def test_constructed_bundle(case):
    resource, findings = BUNDLES[case]
    assert judge(resource) == findings


# -- constructed: tickets, what is expected, what is there at all --------------------------------


def needs_ticket(resource="group1"):
    return cib(tickets=(TicketConstraint("t", resource, "siteA"),))


def test_constructed_ticket_in_standby():
    tickets = (Ticket("siteA", True, True), Ticket("siteB", True, True))
    running = group(primitive())
    standby = [("ticket-standby", "WARNING", "ticket siteA is in standby; group1 needs it")]
    assert judge(running, tickets=tickets, known_cib=needs_ticket()) == standby
    assert (
        judge(running, tickets=tickets, known_cib=needs_ticket(), patterns=("group1",)) == standby
    )
    other = (running, primitive("IP"))
    assert judge(*other, tickets=tickets, known_cib=needs_ticket(), patterns=("IP",)) == []


def test_constructed_ticket_in_standby_is_the_reason_of_a_stop():
    judged = judge(
        stopped("IP"), tickets=(Ticket("siteA", True, True),), known_cib=needs_ticket("IP")
    )
    assert judged == [
        ("resource-stopped", "CRITICAL", "IP is stopped (ticket siteA is in standby)"),
        ("ticket-standby", "WARNING", "ticket siteA is in standby; IP needs it"),
    ]


def test_constructed_ticket_that_the_cluster_never_saw():
    assert judge(stopped("IP"), known_cib=needs_ticket("IP")) == [
        ("resource-stopped", "CRITICAL", "IP is stopped (ticket siteA is not granted, t needs it)")
    ]


def test_constructed_ticket_in_standby_that_nothing_needs():
    tickets = (Ticket("siteA", True, True),)
    assert judge(primitive(), tickets=tickets, known_cib=cib()) == []


def test_constructed_agent_missing_where_it_was_probed():
    probe = (Operation("probe", 5, "not installed", None),)
    past = history("IP", "app02", fail_count=None, operations=probe)
    assert judge(stopped("IP"), history=(past,)) == [
        (
            "resource-stopped",
            "CRITICAL",
            "IP is stopped (app02: IP has no agent or program there (ocf:pacemaker:Dummy))",
        )
    ]


@pytest.mark.parametrize(
    ("result", "mended"),
    [(2, "which; correct them"), (4, "which; grant them"), (5, "what is missing; install it")],
)
def test_what_bars_a_node_by_its_result_is_looked_up_and_mended_there(result, mended):
    past = history(
        "IP", "app02", fail_count=None, operations=(Operation("probe", result, "", None),)
    )
    seen = view(cluster(resources=(stopped("IP"),), history=(past,)))
    (one,) = report("resources", seen).findings
    assert one.next_step == (
        f"on app02: journalctl -u pacemaker --grep IP tells {mended}; then:"
        " crm_resource --cleanup -r IP -N app02"
    )


def test_constructed_nothing_is_configured():
    assert judge() == [("resources-none", "UNKNOWN", "no resource is configured")]


def test_constructed_resource_of_the_configuration_file_is_missing():
    expected = Config(resources={"group1": PlacementRule(), "group2": PlacementRule()})
    assert judge(group(primitive()), config=expected) == [
        (
            "config-unknown-name",
            "UNKNOWN",
            "configuration: pacemaker.resources.group2: group2 is not a resource of the cluster"
            " (known: FS, group1)",
        )
    ]


def test_constructed_filter_on_an_anonymous_clone_and_its_primitive():
    for name in ("ping-clone", "ping"):
        assert judge(clone(*instances(spare=3)), primitive("IP"), patterns=(name,)) == [
            ("clone-down", "CRITICAL", "ping-clone has no running instance")
        ]


def test_constructed_many_faults_one_line_each():
    resources = tuple(stopped(f"R{number}") for number in range(20))
    judged = judge(*resources)
    assert [text for _, _, text in judged] == [f"R{number} is stopped" for number in range(20)]


@pytest.mark.parametrize(
    ("count", "names"), [(1, "FS0"), (4, "FS0, FS1, FS2, FS3"), (5, "FS0, FS1, FS2 and 2 more")]
)
def test_stop_all_resources_is_one_fault_whatever_it_stops(count, names):
    """That they run nowhere follows from it."""
    some = tuple(stopped(f"FS{number}") for number in range(count))
    known = view(cluster(resources=some, options=options(stop_all_resources=True)))
    (fault,) = (each for each in report("overview", known).faults if each.cause.key in ABOUT)
    assert (fault.cause.object, fault.text) == (
        "stop-all-resources",
        f"stop-all-resources is set: {names} stopped on purpose",
    )
    assert fault.cause.next_step == (
        "To run them again: crm_attribute --name stop-all-resources --delete"
        " (pcs property set stop-all-resources=false)"
    )
    assert [each.key for each in fault.follows] == ["not-running"] * count


ABOUT = ("resource-disabled", "not-running")
