"""``nodes``: are all cluster members here and in service?"""

from __future__ import annotations

import pytest

from build import (
    SNAPSHOTS,
    bundle,
    cib,
    cluster,
    due,
    failure,
    fence_device,
    fence_event,
    group,
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
from check_mccluster.app.options import RangeType
from check_mccluster.model.config import Config
from check_mccluster.model.configuration import CibNode, Configured
from check_mccluster.model.pacemaker import FenceStatus, Health
from check_mccluster.verdict.finding import State

LOST = "is unclean: its Pacemaker vanished, its state is unknown"
DENIED = "crm_mon: insufficient privileges; needs --sudo or group haclient"


def figures(online=3, of=3, *, offline=0, unclean=0, pending=0, standby=0, maintenance=0, w=""):
    return (
        f"nodes_maintenance={maintenance};0;;0 nodes_offline={offline};0;0;0"
        f" nodes_online={online};{w or ';'};0;{of} nodes_pending={pending};0;;0"
        f" nodes_standby={standby};0;;0 nodes_unclean={unclean};0;0;0"
    )


RECORDED = {
    "six-nodes-healthy/app01": ("OK", "3 of 3 nodes online, DC app02", figures()),
    "six-nodes-healthy-as-icingaha/app01": ("OK", "3 of 3 nodes online, DC app02", figures()),
    "ten-nodes/app01": ("OK", "10 of 10 nodes online, DC app08", figures(10, 10)),
    "bundle-healthy/app01": ("OK", "3 of 3 nodes online, DC app01", figures()),
    "pacemaker-1.1.24-promotable-healthy/app01": (
        "OK",
        "3 of 3 nodes online, DC app02",
        figures(),
    ),
    "app01-powered-off/app02": ("CRITICAL", "app01 is offline", figures(2, offline=1)),
    "pacemaker-stopped-on-app01/app02": (
        "CRITICAL",
        "app01 is offline, it left cleanly",
        figures(2, offline=1),
    ),
    "app02-cut-off-while-active/app02": (
        "CRITICAL",
        "app01 is offline; app03 is offline",
        figures(1, offline=2),
        "[CRITICAL] app01 is offline",
        "[CRITICAL] app03 is offline",
    ),
    "app01-standby/app01": ("WARNING", "app01 is in standby", figures(standby=1)),
    "app01-maintenance/app02": (
        "WARNING",
        "app01 is in maintenance: group1 is not monitored there",
        figures(maintenance=1),
    ),
    "cluster-maintenance/app01": (
        "WARNING",
        "maintenance-mode: the cluster manages nothing",
        figures(),
    ),
    "health-red-and-yellow/app01": (
        "CRITICAL",
        "health of app01 is red; health of app02 is yellow",
        figures(),
        "[CRITICAL] health of app01 is red",
        "[WARNING] health of app02 is yellow",
    ),
    "app03-pending/app01": (
        "WARNING",
        "app03 joined Corosync and not yet Pacemaker since it was fenced by app02, 09:37:16Z",
        figures(pending=1, standby=1),
    ),
    "controller-hangs-on-app03/app01": ("CRITICAL", "app03 is offline", figures(2, offline=1)),
    "controller-killed-on-app02/app01": (
        "CRITICAL",
        f"app02 {LOST}",
        figures(2, offline=1, unclean=1),
    ),
    "controller-killed-on-app02/app03": (
        "WARNING",
        "app02 has not told its feature set: its controller just started again or hangs, or the CIB"
        " lost the node attributes",
        figures(),
    ),
    # The input findings: no answer is no verdict on nodes, and no figures.
    "six-nodes-healthy/storage01": (
        "UNKNOWN",
        "crm_mon: not in the snapshot (not installed there?)",
    ),
    "six-nodes-healthy-as-nagios/app01": ("UNKNOWN", DENIED),
    "nothing-started/app01": ("CRITICAL", "Corosync does not run on this node"),
    "pacemaker-stopped-on-app01/app01": ("CRITICAL", "Pacemaker does not run on this node"),
    "pacemaker-1.1.24-not-running/app01": ("CRITICAL", "Pacemaker does not run on this node"),
    "cib-manager-hangs/app02": (
        "CRITICAL",
        "Pacemaker runs and does not answer:"
        " Could not connect to the CIB: Transport endpoint is not connected",
    ),
}


@pytest.mark.parametrize("snapshot", RECORDED)
def test_recorded(call, snapshot):
    assert run(call, "nodes", snapshot) == due("nodes", *RECORDED[snapshot])


def test_with_v_each_finding_has_its_key_and_next_step(call):
    outcome = call("nodes", "--from", SNAPSHOTS / "app01-powered-off/app02", "-v")
    assert outcome.lines[1:] == [
        "[CRITICAL] node-offline: app01 is offline -> on app01: systemctl status corosync"
        " pacemaker; is the host up and reachable?"
    ]


def test_with_vv_every_node_is_listed(call):
    outcome = call("nodes", "--from", SNAPSHOTS / "app03-pending/app01", "-vv")
    assert [line for line in outcome.lines if line.startswith("looked at")] == [
        "looked at node app01 (member): online DC, 5 resources",
        "looked at node app02 (member): online, 1 resource",
        "looked at node app03 (member): online pending, 0 resources",
    ]


# -- constructed: node states that no recording shows --------------------------------------------


def judge(*nodes, config=None, **facts):
    return said(report("nodes", view(cluster(nodes, **facts), config=config)))


MANY_NODES = {
    "standby-and-offline-is-offline-only": (
        (node(), offline("app02", standby=True)),
        [("node-offline", "CRITICAL", "app02 is offline")],
    ),
    "maintenance-and-offline-is-offline-only": (
        (node(), offline("app02", maintenance=True)),
        [("node-offline", "CRITICAL", "app02 is offline")],
    ),
    "offline-and-unclean-is-unclean-only": (
        (node(), offline("app02", unclean=True)),
        [
            (
                "node-unclean",
                "CRITICAL",
                f"app02 {LOST}",
            )
        ],
    ),
    "online-and-unclean-waits-for-fencing": (
        (node(), node("app02", unclean=True, standby=True)),
        [("node-unclean", "CRITICAL", "app02 is unclean and waits for fencing")],
    ),
    "standby-by-a-failure": (
        (node(), node("app02", standby=True, standby_onfail=True)),
        [("node-standby-onfail", "CRITICAL", "app02 is in standby after a failure")],
    ),
    "standby-and-maintenance-are-two-intentions": (
        (node(), node("app02", standby=True, maintenance=True)),
        [
            ("node-standby", "WARNING", "app02 is in standby"),
            ("node-maintenance", "WARNING", "app02 is in maintenance"),
        ],
    ),
    "shutting-down": (
        (node(), node("app02", shutdown=True, feature_set=None)),
        [("node-shutdown", "WARNING", "app02 is shutting down")],
    ),
    "remote-node-offline": (
        (node(), offline("db1", type="remote", id="db1")),
        [("node-offline", "CRITICAL", "db1 is offline")],
    ),
    "remote-node-unclean": (
        (node(), offline("db1", type="remote", id="db1", unclean=True)),
        [
            (
                "node-unclean",
                "CRITICAL",
                "db1 is unclean: its Pacemaker vanished, its state is unknown",
            )
        ],
    ),
    "ping-node-is-no-node": ((node(), offline("gw", type="ping")), []),
    "red-health": (
        (node(health=Health.RED),),
        [("node-health-red", "CRITICAL", "health of app01 is red")],
    ),
    "yellow-health": (
        (node(health=Health.YELLOW),),
        [("node-health-yellow", "WARNING", "health of app01 is yellow")],
    ),
    "green-health": ((node(health=Health.GREEN),), []),
    "offline-health-does-not-count": (
        (node(), offline("app02", health=Health.RED)),
        [("node-offline", "CRITICAL", "app02 is offline")],
    ),
    "one-node-alone": ((node(),), []),
    "member-that-joins-has-an-odd-feature-set": (
        (node(), node("app02", pending=True, feature_set="<3.15.1")),
        [("node-pending", "WARNING", "app02 joined Corosync and not yet Pacemaker")],
    ),
    "remote-node-has-no-feature-set": ((node(), remote("db1")), []),
}


@pytest.mark.parametrize("case", MANY_NODES)
def test_constructed_nodes(case):
    nodes, due = MANY_NODES[case]
    assert judge(*nodes) == due


def guests(role_of_container):
    """Two replicas; web-1's container is stopped or started, and its remote node is offline."""
    first = (primitive("web-podman-0"), primitive("web-0"))
    second = (role_of_container("web-podman-1"), stopped("web-1"))
    nodes = (
        node(),
        remote("web-0", id_as_resource="web-podman-0"),
        offline("web-1", type="remote", id_as_resource="web-podman-1"),
    )
    return nodes, (bundle(first, second),)


def test_constructed_stopped_bundle_replica_is_no_lost_node():
    nodes, resources = guests(stopped)
    judged = report("nodes", view(cluster(nodes, resources)))
    assert said(judged) == []
    assert judged.summary == "2 of 2 nodes online, DC app01"


def test_constructed_bundle_node_of_a_running_container_is_a_lost_node():
    nodes, resources = guests(primitive)
    assert judge(*nodes, resources=resources) == [("node-offline", "CRITICAL", "web-1 is offline")]


def test_constructed_guest_of_a_stopped_virtual_machine_is_a_lost_node():
    guest = offline("vm1", type="remote", id_as_resource="VM1")
    assert judge(node(), guest, resources=(stopped("VM1"),)) == [
        ("node-offline", "CRITICAL", "vm1 is offline")
    ]


def test_constructed_mixed_versions_that_the_controller_reports():
    assert judge(node(), node("app02"), mixed=True) == [
        ("versions-mixed", "WARNING", "the members run different Pacemaker versions")
    ]


def test_constructed_node_attributes_that_the_cib_lost_are_no_other_version():
    """As after a pause of app03's Corosync: the controller that is left, app01's, works."""
    lost = "<3.15.1"
    ours = (node(feature_set=lost), node("app02", feature_set=lost), node("app03"))
    (found,) = report("nodes", view(cluster(ours, mixed=True))).findings
    assert found.text == "the CIB lost the node attributes of app01, app02: not another version"
    assert found.next_step.startswith("attrd_updater --refresh ")
    ours = (node(), node("app02", feature_set=lost), node("app03", feature_set=lost))
    (found,) = report("nodes", view(cluster(ours, mixed=True))).findings
    assert found.text.startswith("app02, app03 have not told their feature set: their controller")


def test_constructed_mixed_version_while_a_member_leaves_is_no_second_fault():
    assert judge(node(), node("app02", shutdown=True), mixed=True) == [
        ("node-shutdown", "WARNING", "app02 is shutting down")
    ]


def test_constructed_no_controller():
    assert report("nodes", view(cluster(dc=None))).summary == "3 of 3 nodes online, no DC"


def test_constructed_cluster_maintenance_beside_a_lost_node():
    assert judge(node(), offline("app02"), options=options(maintenance_mode=True)) == [
        ("node-offline", "CRITICAL", "app02 is offline"),
        ("cluster-maintenance", "WARNING", "maintenance-mode: the cluster manages nothing"),
    ]


# -- the configuration file ----------------------------------------------------------------------


def test_constructed_nodes_of_the_configuration_file():
    listed = Config(nodes=("app01", "app04"))
    assert judge(node(), node("app02"), config=listed) == [
        ("node-missing", "CRITICAL", "app04 is unknown to the cluster"),
        ("node-unexpected", "WARNING", "app02 is not in the configuration file"),
    ]


def test_constructed_configuration_file_with_domains():
    listed = Config(nodes=("app01.example.org", "app02"))
    assert judge(node(), node("app02.example.org"), config=listed) == []


def test_constructed_stopped_bundle_replica_is_known_and_need_not_be_listed():
    nodes, resources = guests(stopped)
    for listed in (("app01",), ("app01", "web-0", "web-1")):
        assert judge(*nodes, resources=resources, config=Config(nodes=listed)) == []


def test_tie_breaker_that_is_down_still_counts():
    tie_breaker = Config(tie_breakers=("app02",))
    assert judge(node(), offline("app02"), config=tie_breaker) == [
        ("node-offline", "CRITICAL", "app02 is offline")
    ]


# -- ranges and severities -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "state", "text", "range_"),
    [
        (("-c", "2:"), "OK", "2 of 3 nodes online, DC app02", ";2:"),
        (("-w", "3:", "-c", "2:"), "WARNING", "app01 is offline", "3:;2:"),
        (("-c", "3:"), "CRITICAL", "app01 is offline", ";3:"),
        (("--severity", "node-offline=warning"), "WARNING", "app01 is offline", ""),
        (("--severity", "node-offline=ok"), "OK", "2 of 3 nodes online, DC app02", ""),
    ],
)
def test_one_of_three_nodes_off(call, options, state, text, range_):
    output = due("nodes", state, text, figures(2, offline=1, w=range_))
    assert run(call, "nodes", "app01-powered-off/app02", *options) == output


def test_fewer_nodes_than_the_range_asks_for_though_none_is_offline(call):
    output = due("nodes", "CRITICAL", "3 nodes online, outside the range", figures(w=";4:"))
    assert run(call, "nodes", "three-nodes-healthy/app01", "-c", "4:") == output


def test_ranges_leave_intentions_as_they_are(call):
    outcome = call("nodes", "--from", SNAPSHOTS / "app01-standby/app01", "-w", "2:")
    assert outcome.first == "NODES WARNING - app01 is in standby"


def test_constructed_severity_of_one_key_only():
    evidence = view(cluster([node(), node("app02", standby=True), offline("app03")]))
    asked = {"severities": {"node-standby": State.OK}}
    assert said(report("nodes", evidence, **asked)) == [
        ("node-standby", "OK", "app02 is in standby"),
        ("node-offline", "CRITICAL", "app03 is offline"),
    ]


def test_constructed_nothing_is_known_about_online():
    evidence = view(cluster([node(online=None)]))
    number = RangeType().convert("1:", None, None)
    assert said(report("nodes", evidence, critical=number)) == [
        ("node-offline", "CRITICAL", "0 nodes online, outside the range")
    ]


# -- health, maintenance ------------------------------------------------------------------------


def sick(strategy="only-green", agent=None, color=Health.RED, parameters=(), **attributes):
    """app01 with a health attribute, and what the check says of it."""
    known = cib(properties={"node-health-strategy": strategy})._replace(
        nodes={"app01": CibNode("app01", **attributes)},
        resources={}
        if agent is None
        else {"H": Configured("H", "primitive", agent=agent, parameters=dict(parameters))},
    )
    nodes = (node(health=color), node("app02"), node("app03"))
    findings = report("nodes", view(cluster(nodes), cib=known)).findings
    (found,) = [each for each in findings if each.key.startswith("node-health")]
    return found


@pytest.mark.parametrize(
    ("where", "lifetime"), [("transient", "reboot"), ("attributes", "forever")]
)
def test_constructed_health_that_nothing_configured_clears(where, lifetime):
    found = sick(**{where: {"#health-lab": "red"}})
    assert found.text == "health of app01 is red (#health-lab, node-health-strategy=only-green)"
    assert found.next_step == (
        "fix on app01 what #health-lab stands for; no health agent is configured, so then:"
        f" crm_attribute --node app01 --name '#health-lab' --lifetime {lifetime} --delete"
    )


@pytest.mark.parametrize(
    ("agent", "parameters"),
    [
        ("ocf:pacemaker:HealthSMART", {}),
        ("ocf:pacemaker:SysInfo", {}),
        ("ocf:heartbeat:ethmonitor", {"name": "#health-net"}),
    ],
)
def test_constructed_health_that_its_agent_clears(agent, parameters):
    found = sick(agent=agent, parameters=parameters, transient={"#health-smart": "red"})
    assert found.next_step.startswith("crm_mon -1 -A ")


def test_constructed_yellow_moves_nothing_on_red():
    found = sick("migrate-on-red", color=Health.YELLOW, transient={"#health-disk": "yellow"})
    assert found.text == "health of app01 is yellow (#health-disk)"


def test_constructed_nodes_in_maintenance_are_one_fault_that_names_what_runs_there():
    nodes = (node(maintenance=True), node("app02", maintenance=True), node("app03"))
    on = (group(primitive("FS", "app01")), primitive("IP", "app02"))
    faults = report("overview", view(cluster(nodes, on))).faults
    (text,) = [each.text for each in faults if each.cause.key == "node-maintenance"]
    assert text.startswith(
        "app01 is in maintenance: group1 is not monitored there; app02 too: IP is not monitored"
        " there"
    )


# -- constructed: what is told beside a node's state ---------------------------------------------

FENCING = options(fencing_enabled=True)
FENCES = fence_device(on="app01")


def services(count, on="app02"):
    return tuple(primitive(f"S{number}", on) for number in range(1, count + 1))


@pytest.mark.parametrize(
    ("failed", "why"),
    [
        ([("S1", "app02", "stop")], "is to be fenced, as S1 could not be stopped there"),
        (
            [(f"S{number}", "app02", "stop") for number in (1, 2, 3)],
            "is to be fenced, as S1, S2, S3 could not be stopped there",
        ),
        (
            [(f"S{number}", "app02", "stop") for number in (1, 2, 3, 4)],
            "is to be fenced, as S1, S2 and 2 more could not be stopped there",
        ),
        ([("S1", "app01", "stop"), ("S2", "app02", "start")], "is unclean and waits for fencing"),
    ],
)
@pytest.mark.parametrize("device", [True, False])
def test_constructed_unclean_node_that_is_online(failed, why, device):
    known = cluster(
        (node(), node("app02", unclean=True)),
        (*services(4), *([FENCES] if device else [])),
        options=FENCING,
        failures=tuple(failure(name, on, task=task) for name, on, task in failed),
    )
    (one,) = [e for e in report("nodes", view(known)).findings if e.key == "node-unclean"]
    none = "no fence device is configured"
    more = "" if device else f", and {none}" if "could not" in why else f": {none}"
    assert one.text == f"app02 {why}{more}"
    assert one.reason == ("failed-stop" if "could not" in why else "")


@pytest.mark.parametrize(
    ("count", "held"),
    [
        (0, ""),
        (1, ": S1 is not taken over"),
        (4, ": S1, S2, S3, S4 are not taken over"),
        (5, ": S1, S2, S3 and 2 more are not taken over"),
    ],
)
def test_constructed_lost_node_that_nothing_fences_keeps_its_services(count, held):
    nodes = (node(), offline("app02", unclean=True))
    found = judge(*nodes, resources=services(count), options=FENCING)
    assert [text for key, _, text in found if key == "node-unclean"] == [
        f"app02 is lost (unclean) and no fence device is configured{held}"
    ]


@pytest.mark.parametrize(
    ("events", "until"),
    [
        ((), " until it is fenced"),
        ((fence_event("app02", FenceStatus.PENDING),), " until it is fenced (under way)"),
        ((fence_event("app03", FenceStatus.PENDING),), " until it is fenced"),
        ((fence_event("app02", FenceStatus.SUCCESS),), " until it is fenced"),
    ],
)
def test_constructed_fencing_of_a_lost_node_that_is_under_way(events, until):
    nodes = (node(), offline("app02", unclean=True))
    found = judge(*nodes, resources=(*services(1), FENCES), options=FENCING, fence_events=events)
    assert [text for key, _, text in found if key == "node-unclean"] == [
        f"app02 {LOST}; nobody has S1{until}"
    ]


@pytest.mark.parametrize(("guest_of", "remote_step"), [(None, True), ("VM", False)])
def test_constructed_unclean_remote_node_is_looked_at_there_a_guest_at_its_container(
    guest_of, remote_step
):
    lost = offline("db1", type="remote", id="db1", unclean=True, id_as_resource=guest_of)
    judged = report("nodes", view(cluster((node(), lost), (primitive("VM"),))))
    (one,) = [each for each in judged.findings if each.key == "node-unclean"]
    step = "on db1: systemctl status pacemaker_remote (TCP port 3121); when it runs: "
    assert one.next_step.startswith(step) is remote_step


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, ": S1 is not monitored there"),
        (3, ": S1, S2, S3 are not monitored there"),
        (4, ": S1, S2 and 2 more are not monitored there"),
    ],
)
def test_constructed_node_in_maintenance_names_what_runs_there(count, words):
    found = judge(node(), node("app02", maintenance=True), resources=services(count))
    assert found == [("node-maintenance", "WARNING", f"app02 is in maintenance{words}")]


@pytest.mark.parametrize(
    ("count", "now"),
    [
        (0, ""),
        (1, "; S1 runs on app01"),
        (3, "; S1 runs on app01, S2 runs on app01, S3 runs on app01"),
        (4, ""),
    ],
)
def test_constructed_few_services_are_told_after_a_fencing(count, now):
    found = judge(
        node(),
        offline("app02", expected_up=False),
        resources=services(count, "app01"),
        fence_events=(fence_event("app02", FenceStatus.SUCCESS),),
    )
    assert [text for key, _, text in found if key == "node-offline"] == [
        f"app02 is offline and was fenced, 08:59:00Z{now}"
    ]
