"""``placement``: does the service run where it may?"""

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
    report,
    run,
    said,
    stopped,
    view,
)
from check_mccluster.model.config import Config, PlacementRule
from check_mccluster.model.pacemaker import Role


def figures(services=1, running=1, leftovers=0):
    return (
        f"leftover_constraints={leftovers};0;;0 services={services};;;0"
        f" services_running={running};;;0;{services}"
    )


RECORDED = {
    # app03 is excluded by a standing rule: that is how a tie-breaker is made.
    "six-nodes-healthy/app03": ("OK", "group1 runs on app01", figures()),
    "fencing-failed/app01": ("OK", "group1 runs on app01", figures()),
    "bundle-healthy/app01": ("OK", "group1 runs on app01", figures()),
    "orphan-running/app01": ("OK", "group1 runs on app01", figures()),
    "failure-ignored/app01": (
        "OK",
        "group1 runs on app01, LOGGER runs on app02",
        figures(2, 2),
    ),
    "resource-starting/app01": (
        "OK",
        "group1 runs on app01, SLOW is starting on app02",
        figures(2, 2),
    ),
    "mysql-disabled/app01": ("OK", "group1 runs on app01 (1 of 5 members)", figures()),
    "start-failed-without-drbd-quorum/app01": (
        "CRITICAL",
        "group1 runs nowhere",
        figures(1, 0),
    ),
    "app02-cut-off/app02": (
        "CRITICAL",
        "group1 runs nowhere: this partition has no quorum",
        figures(1, 0),
    ),
    "agent-not-installed/app01": ("CRITICAL", "NOAGENT runs nowhere", figures(2, 1)),
    "group-disabled/app01": ("WARNING", "group1 runs nowhere, on purpose", figures(1, 0)),
    "stop-all-resources/app01": (
        "WARNING",
        "group1 runs nowhere, on purpose; NOAGENT runs nowhere, on purpose",
        figures(2, 0),
        "[WARNING] group1 runs nowhere, on purpose",
        "[WARNING] NOAGENT runs nowhere, on purpose",
    ),
    "moved-with-cli-ban/app01": (
        "WARNING",
        "cli-ban-group1-on-app02 keeps group1 from app02",
        figures(leftovers=1),
    ),
    "moved-with-cli-prefer/app01": (
        "WARNING",
        "cli-prefer-group1 draws group1 to app02",
        figures(leftovers=1),
    ),
    "nothing-started/app01": ("CRITICAL", "Corosync does not run on this node"),
    "six-nodes-healthy/storage01": (
        "UNKNOWN",
        "crm_mon: not in the snapshot (not installed there?)",
    ),
}


@pytest.mark.parametrize("snapshot", RECORDED)
def test_recorded(call, snapshot):
    assert run(call, "placement", snapshot) == due("placement", *RECORDED[snapshot])


CONFIGURED = {
    "tie-breaker-where-the-service-runs": (
        '[pacemaker]\ntie_breakers = ["app01"]',
        (
            "CRITICAL",
            "group1 runs on app01, which is forbidden (it is a tie-breaker);"
            " no standing rule keeps group1 from the tie-breaker app01",
            figures(),
            "[CRITICAL] group1 runs on app01, which is forbidden (it is a tie-breaker)",
            "[WARNING] no standing rule keeps group1 from the tie-breaker app01",
        ),
    ),
    "tie-breaker-with-a-standing-rule": (
        '[pacemaker]\ntie_breakers = ["app03"]',
        ("OK", "group1 runs on app01", figures()),
    ),
    "tie-breaker-without-a-rule": (
        '[pacemaker]\ntie_breakers = ["app02"]',
        (
            "WARNING",
            "no standing rule keeps group1 from the tie-breaker app02",
            figures(),
        ),
    ),
    "outside-the-allowed-list": (
        '[pacemaker.resources.group1]\nallowed = ["app02", "app03"]',
        ("CRITICAL", "group1 runs on app01, allowed: app02, app03", figures()),
    ),
    "within-the-allowed-list": (
        '[pacemaker.resources.group1]\nallowed = ["app01", "app02"]',
        ("OK", "group1 runs on app01", figures()),
    ),
    "preferred-node-could-run-it": (
        '[pacemaker.resources.group1]\npreferred = "app02"',
        (
            "WARNING",
            "group1 runs on app01, its preferred app02 could run it",
            figures(),
        ),
    ),
    "preferred-node-may-not-run-it": (
        '[pacemaker.resources.group1]\npreferred = "app03"',
        ("OK", "group1 runs on app01", figures()),
    ),
    "preferred-node-runs-it": (
        '[pacemaker.resources.group1]\npreferred = "app01"',
        ("OK", "group1 runs on app01", figures()),
    ),
}


@pytest.mark.parametrize("case", CONFIGURED)
def test_configuration_file(call, tmp_path, case):
    text, output = CONFIGURED[case]
    file = tmp_path / "cluster.toml"
    file.write_text(text)
    outcome = run(call, "placement", "six-nodes-healthy/app02", "--config", file)
    assert outcome == due("placement", *output)


@pytest.mark.parametrize(
    ("options", "output"),
    [
        (("-r", "group1"), RECORDED["moved-with-cli-ban/app01"]),
        (("-r", "gr*"), RECORDED["moved-with-cli-ban/app01"]),
        (("-r", "MYSQL"), ("OK", "MYSQL runs on app01", figures())),
        (
            ("-r", "group2"),
            ("CRITICAL", "group2 is not configured in the cluster", figures(0, 0)),
        ),
        (("-r", "x*"), ("UNKNOWN", "no resource matches x*", figures(0, 0))),
        (
            ("--severity", "leftover-ban=critical"),
            ("CRITICAL", *RECORDED["moved-with-cli-ban/app01"][1:]),
        ),
    ],
)
def test_options(call, options, output):
    outcome = run(call, "placement", "moved-with-cli-ban/app01", *options)
    assert outcome == due("placement", *output)


# -- constructed ---------------------------------------------------------------------------------


def judge(*resources, nodes=None, config=None, known_cib=None, patterns=(), **facts):
    known = cluster(nodes, resources, **facts)
    evidence = view(known, cib=known_cib, config=config)
    return said(report("placement", evidence, patterns=patterns))


def forbidden(name, on, why):
    return [("placed-forbidden", "CRITICAL", f"{name} runs on {on}, which is forbidden ({why})")]


MIXED = group(primitive("FS"), primitive("DB", "app02"))
CASES = {
    "on-a-node-that-a-standing-rule-excludes": (
        {"bans": (ban("group1", "app01"),)},
        group(primitive()),
        forbidden("group1", "app01", "group1-avoids-app01"),
    ),
    "rule-on-a-member": (
        {"bans": (ban("FS", "app01"),)},
        group(primitive()),
        forbidden("group1", "app01", "FS-avoids-app01"),
    ),
    "starting-where-it-may-not": (
        {"bans": (ban("FS", "app01"),)},
        primitive(role=Role.STARTING),
        forbidden("FS", "app01", "FS-avoids-app01"),
    ),
    "rule-with-a-finite-score": (
        {"bans": (ban("group1", "app01", weight=-100),)},
        group(primitive()),
        [],
    ),
    "rule-for-the-promoted-role-and-an-unpromoted-instance": (
        {"bans": (ban("ST", "app01", promoted_only=True),)},
        clone(primitive("ST", role=Role.UNPROMOTED), name="ST-clone", promotable=True),
        [],
    ),
    "rule-for-the-promoted-role-and-a-promoted-instance": (
        {"bans": (ban("ST", "app01", promoted_only=True),)},
        clone(primitive("ST", role=Role.PROMOTED), name="ST-clone", promotable=True),
        forbidden("ST-clone", "app01", "ST-avoids-app01"),
    ),
    "clone-instance-where-it-may-not": (
        {"bans": (ban("ping-clone", "app02"),)},
        clone(primitive("ping"), primitive("ping", "app02")),
        forbidden("ping-clone", "app02", "ping-clone-avoids-app02"),
    ),
    "leftover-ban-where-it-runs-all-the-same": (
        {"bans": (ban("FS", "app01", "cli-ban-FS-on-app01"),)},
        primitive(),
        [("leftover-ban", "WARNING", "cli-ban-FS-on-app01 keeps FS from app01")],
    ),
    "leftover-ban-of-a-member": (
        {"bans": (ban("DB", "app02", "cli-ban-DB-on-app02-rule"),)},
        group(primitive("FS"), primitive("DB")),
        [("leftover-ban", "WARNING", "cli-ban-DB-on-app02-rule keeps DB from app02")],
    ),
    "leftover-ban-of-a-clone": (
        {"bans": (ban("ping-clone", "app02", "cli-ban-ping-clone-on-app02"),)},
        clone(primitive("ping")),
        [
            (
                "leftover-ban",
                "WARNING",
                "cli-ban-ping-clone-on-app02 keeps ping-clone from app02",
            )
        ],
    ),
    "leftover-preference": (
        {"known_cib": cib(locations=(location("FS", "app02", 1_000_000, "cli-prefer-FS"),))},
        primitive(),
        [("leftover-prefer", "WARNING", "cli-prefer-FS draws FS to app02")],
    ),
    "leftover-preference-by-a-rule": (
        {"known_cib": cib(locations=(location("FS", None, None, "cli-prefer-FS"),))},
        primitive(),
        [("leftover-prefer", "WARNING", "cli-prefer-FS draws FS")],
    ),
    "standing-preference": (
        {"known_cib": cib(locations=(location("FS", "app02", 50, "prefer-app02"),))},
        primitive(),
        [],
    ),
    "group-split": (
        {},
        MIXED,
        [("group-split", "CRITICAL", "group1 is split over app01, app02")],
    ),
    "group-partly-stopped-is-not-split": ({}, group(primitive("FS"), stopped("DB")), []),
    "group-of-stopped-members": (
        {},
        group(stopped("FS"), stopped("DB")),
        [("not-running", "CRITICAL", "group1 runs nowhere")],
    ),
    "group-stopped-behind-its-disabled-first-member": (
        {},
        group(stopped("FS", target_role="Stopped"), stopped("DB")),
        [("not-running", "CRITICAL", "group1 runs nowhere")],
    ),
    "single-resource-disabled": (
        {},
        stopped(target_role="stopped"),
        [("not-running", "WARNING", "FS runs nowhere, on purpose")],
    ),
    "starting-is-running": ({}, primitive(role=Role.STARTING), []),
    "stopping-is-running": ({}, primitive(role=Role.STOPPING), []),
    "clone-that-does-not-run": ({}, clone(stopped("ping")), []),
    "bundle-that-does-not-run": ({}, bundle((stopped("web-0"),)), []),
    "fence-device-that-does-not-run": ({}, fence_device(on=None, role=Role.STOPPED), []),
    "orphan-that-does-not-run": ({}, stopped(orphaned=True), []),
    "orphan-on-two-nodes-is-no-group": ({}, primitive(orphaned=True), []),
}


@pytest.mark.parametrize("case", CASES)
def test_constructed(case):
    facts, resource, findings = CASES[case]
    assert judge(resource, **facts) == findings


PREFERS = Config(resources={"FS": PlacementRule(preferred="app02")})
UNABLE = {
    "offline": {"nodes": (node(), offline("app02"))},
    "unclean": {"nodes": (node(), node("app02", unclean=True))},
    "pending": {"nodes": (node(), node("app02", pending=True))},
    "shutting-down": {"nodes": (node(), node("app02", shutdown=True))},
    "on-standby": {"nodes": (node(), node("app02", standby=True))},
    "in-maintenance": {"nodes": (node(), node("app02", maintenance=True))},
    "barred": {"history": (history(on="app02", threshold=1),)},
    "banned": {"bans": (ban("FS", "app02"),)},
    "cluster-maintenance": {"options": options(maintenance_mode=True)},
    "no-quorum": {"quorate": False},
    "unknown-to-the-cluster": {"nodes": (node(),)},
}


@pytest.mark.parametrize("case", UNABLE)
def test_constructed_preferred_node_is_not_able(case):
    assert judge(primitive(), config=PREFERS, **UNABLE[case]) == []


@pytest.mark.parametrize(
    "facts",
    [
        {"history": (history(on="app02", threshold=3),)},
        {"bans": (ban("FS", "app02", weight=-50),)},
        {},
    ],
)
def test_constructed_preferred_node_is_able(facts):
    assert judge(primitive(), config=PREFERS, **facts) == [
        ("placed-unpreferred", "WARNING", "FS runs on app01, its preferred app02 could run it")
    ]


def test_constructed_preferred_node_of_a_resource_that_runs_nowhere():
    assert judge(stopped(), config=PREFERS) == [("not-running", "CRITICAL", "FS runs nowhere")]


def test_constructed_tie_breaker_may_run_clones_and_fence_devices():
    tie_breaker = Config(tie_breakers=("app03",))
    resources = (clone(primitive("ping", "app03")), fence_device(on="app03"))
    assert judge(*resources, config=tie_breaker) == []


def test_constructed_tie_breaker_needs_no_rule_in_an_opt_in_cluster():
    tie_breaker = Config(tie_breakers=("app03",))
    assert judge(primitive(), config=tie_breaker, options=options(symmetric=False)) == []


def test_constructed_tie_breaker_with_a_leftover_ban_only():
    tie_breaker = Config(tie_breakers=("app03",))
    bans = (ban("FS", "app03", "cli-ban-FS-on-app03"),)
    assert judge(primitive(), config=tie_breaker, bans=bans) == [
        ("leftover-ban", "WARNING", "cli-ban-FS-on-app03 keeps FS from app03"),
        (
            "tie-breaker-unprotected",
            "WARNING",
            "no standing rule keeps FS from the tie-breaker app03",
        ),
    ]


def test_constructed_tie_breaker_and_allowed_list_say_it_once():
    config = Config(tie_breakers=("app01",), resources={"FS": PlacementRule(allowed=("app02",))})
    assert judge(primitive(), config=config, bans=(ban("FS", "app01"),)) == forbidden(
        "FS", "app01", "FS-avoids-app01"
    )


def test_constructed_next_step_names_the_resource():
    known_cib = cib(locations=(location("FS", "app02", 1_000_000, "cli-prefer-FS"),))
    evidence = view(cluster(None, (primitive(),)), cib=known_cib)
    [each] = report("placement", evidence).findings
    assert each.next_step == "crm_resource --clear -r FS (pcs resource clear FS)"


def test_constructed_allowed_list():
    config = Config(resources={"FS": PlacementRule(allowed=("app02", "app03"))})
    assert judge(primitive(), config=config) == [
        ("placed-unlisted", "CRITICAL", "FS runs on app01, allowed: app02, app03")
    ]


def test_constructed_nothing_to_place():
    judged = report("placement", view(cluster()))
    assert (said(judged), judged.summary) == ([], "no group or single resource to place")
