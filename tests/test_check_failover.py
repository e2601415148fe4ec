"""``failover``: if the active node dies now, who takes over?"""

from __future__ import annotations

import pytest

from build import (
    SNAPSHOTS,
    Answer,
    altered,
    ban,
    bundle,
    cib,
    clone,
    cluster,
    drbd,
    due,
    fence_device,
    group,
    history,
    location,
    node,
    offline,
    on_drbd,
    options,
    peer,
    primitive,
    remote,
    report,
    run,
    said,
    stopped,
    view,
    votes,
)
from check_mccluster.model.config import Config, PlacementRule
from check_mccluster.model.corosync import Voter, Votes
from check_mccluster.model.drbd import ConnectionState, DiskState
from check_mccluster.model.drbd import Role as DrbdRole
from check_mccluster.model.pacemaker import Health, Role
from check_mccluster.model.simulation import Simulation, Simulations
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import finding
from check_mccluster.verdict.problems import (
    DRBD_EMPTY,
    DRBD_RESOURCE_MISSING,
    TOOL_DENIED,
    TOOL_FAILED,
)


def figures(candidates=1, services=1, limits="1:;1:"):
    return f"candidates_min={candidates};{limits};0 services={services};;;0"


NO_LIMITS = ";"
"""Where it is on purpose that no node could: the number does not decide."""


LAB_RULE = "app03 banned by location-group1-app03--INFINITY"
RULE = "app03 banned by group1-avoids-app03"
BY_CONNECTION = "(DRBD there judged by its connection)"
# Nobody recorded what Pacemaker's scheduler says.
BY_RULES = "(judged without Pacemaker's scheduler)"
READY = f"app02 could take group1 from app01 {BY_CONNECTION} {BY_RULES}"


def barred_by_votes(active):
    return (
        f"no node could take group1: if {active} fails too, the quorum is lost"
        " (2 of 3 votes, 2 needed)"
    )


RECORDED = {
    "six-nodes-healthy/app01": ("OK", READY, figures()),
    "six-nodes-healthy/app02": ("OK", f"app02 could take group1 from app01 {BY_RULES}", figures()),
    "six-nodes-healthy/app03": ("OK", READY, figures()),
    "ten-nodes/app01": (
        "OK",
        f"app02, app04, app05, app06 and 4 more could take group1 from app01 {BY_RULES}",
        figures(8),
    ),
    "failure-ignored/app01": ("OK", f"2 resources have a node to go to {BY_RULES}", figures(1, 2)),
    # The rest of DRBD on app02 can only be judged on app02.
    "storage-servers-lost/app01": ("OK", READY, figures()),
    "storage-servers-lost/app02": (
        "CRITICAL",
        f"no node could take group1: app02 r0/0 has no quorum; {RULE} (+1 more)",
        figures(0),
        f"[CRITICAL] no node could take group1: app02 r0/0 has no quorum; {RULE}",
        "[WARNING] app02 is not ready to take group1: r0/0 has no quorum",
    ),
    "start-failed-without-drbd-quorum/app01": (
        "CRITICAL",
        "no node could start group1: app01 FS_DRBD barred by fail-count 1, r0/0 has no quorum;"
        " app02 FS_DRBD barred by fail-co... (+1 more)",
        figures(0),
        "[CRITICAL] no node could start group1: app01 FS_DRBD barred by fail-count 1,"
        f" r0/0 has no quorum; app02 FS_DRBD barred by fail-count INFINITY; {RULE}",
        "[WARNING] app01 is not ready to take group1: FS_DRBD barred by fail-count 1,"
        " r0/0 has no quorum",
    ),
    "app01-powered-off/app02": ("CRITICAL", barred_by_votes("app02"), figures(0)),
    "app02-cut-off/app02": (
        "CRITICAL",
        "no node could start group1: this partition has no quorum",
        figures(0),
    ),
    "no-quorum-ignored/app01": (
        "CRITICAL",
        "no node could take group1, drbd-clone: app02, app03: offline",
        figures(0, 2),
    ),
    # Its vote is still there: Corosync runs on app01.
    "pacemaker-stopped-on-app01/app02": (
        "CRITICAL",
        f"no node could take group1: app01 offline; {RULE}",
        figures(0),
    ),
    "app01-started-alone/app01": (
        "CRITICAL",
        "no node could start group1: no designated controller;"
        " app01 is not ready to take group1: offline",
        figures(0),
        "[CRITICAL] no node could start group1: no designated controller",
        "[WARNING] app01 is not ready to take group1: offline",
    ),
    "app01-standby/app01": (
        "CRITICAL",
        f"no node could take group1: app01 in standby; {LAB_RULE} (+1 more)",
        figures(0),
        f"[CRITICAL] no node could take group1: app01 in standby; {LAB_RULE}",
        "[WARNING] app01 is not ready to take group1: in standby",
    ),
    "app01-barred/app01": (
        "CRITICAL",
        f"no node could take group1: app01 FS_DRBD barred by fail-count 1; {LAB_RULE} (+1 more)",
        figures(0),
        f"[CRITICAL] no node could take group1: app01 FS_DRBD barred by fail-count 1; {LAB_RULE}",
        "[WARNING] app01 is not ready to take group1: FS_DRBD barred by fail-count 1",
    ),
    # Nobody is to fix anything on app02.
    "app01-barred/app02": (
        "CRITICAL",
        f"no node could take group1: app01 FS_DRBD barred by fail-count 1; {LAB_RULE}",
        figures(0),
    ),
    "moved-with-cli-ban/app01": (
        "CRITICAL",
        f"no node could take group1: app02 banned by cli-ban-group1-on-app02; {LAB_RULE}",
        figures(0),
    ),
    "health-red-and-yellow/app01": (
        "CRITICAL",
        f"no node could take group1: app01 health red; {LAB_RULE} (+1 more)",
        figures(0),
        f"[CRITICAL] no node could take group1: app01 health red; {LAB_RULE}",
        "[WARNING] app01 is not ready to take group1: health red",
    ),
    "fencing-without-device/app01": (
        "CRITICAL",
        "no node could take group1: fencing is enabled without a device",
        figures(0),
    ),
    # What follows from a maintenance-mode alone is as grave as that.
    "cluster-maintenance/app01": (
        "WARNING",
        "no node could take group1: maintenance-mode",
        figures(0, limits=NO_LIMITS),
    ),
    # The node in maintenance is the active one.
    "app01-maintenance/app02": (
        "OK",
        f"app02 could take group1 from app01 {BY_RULES}",
        figures(),
    ),
    "group-disabled/app01": ("OK", "group1 is disabled", figures(2, limits=NO_LIMITS)),
    # The agent of the other one is not installed anywhere.
    "stop-all-resources/app01": (
        "OK",
        "1 resource has a node to go to",
        figures(0, 2, limits=NO_LIMITS),
    ),
    "dovecot-blocked/app01": ("OK", f"app01 could take group1 from app02 {BY_RULES}", figures()),
    "nothing-started/app01": ("CRITICAL", "Corosync does not run on this node"),
    "six-nodes-healthy/storage01": (
        "UNKNOWN",
        "crm_mon: not in the snapshot (not installed there?)",
    ),
}


@pytest.mark.parametrize("snapshot", RECORDED)
def test_recorded(call, snapshot):
    assert run(call, "failover", snapshot) == due("failover", *RECORDED[snapshot])


OPTIONS = {
    "two-candidates-wanted": (
        ("--candidates", "2"),
        ("WARNING", f"1 of 2 candidates for group1: {RULE}", figures(limits="2:;1:")),
    ),
    "ranges-replace-the-findings": (
        ("-w", "3:", "-c", "2:"),
        (
            "CRITICAL",
            f"1 candidates for group1: {RULE}",
            figures(limits="3:;2:"),
        ),
    ),
    "ranges-that-hold": (("-w", "1:"), ("OK", READY, figures(limits="1:;"))),
    "filter": (("-r", "group1"), ("OK", READY, figures())),
    "member": (
        ("-r", "MYSQL"),
        (
            "OK",
            f"app02, app03 could take MYSQL from app01 {BY_RULES}",
            figures(2),
        ),
    ),
    "no-such-resource": (
        ("-r", "group2"),
        ("CRITICAL", "group2 is not configured in the cluster", "services=0;;;0"),
    ),
    "no-match": (("-r", "x*"), ("UNKNOWN", "no resource matches x*", "services=0;;;0")),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options(call, case):
    asked, output = OPTIONS[case]
    assert run(call, "failover", "six-nodes-healthy/app01", *asked) == due("failover", *output)


def test_silenced(call):
    silent = ("--severity", "no-candidate=ok")
    outcome = run(call, "failover", "app01-powered-off/app02", *silent)
    text = "no node could take group1 from app02"
    assert outcome == due("failover", "OK", text, figures(0))


def test_tie_breaker_of_the_configuration_file(call, tmp_path):
    file = tmp_path / "cluster.toml"
    file.write_text('[pacemaker]\ntie_breakers = ["app02"]')
    outcome = run(call, "failover", "six-nodes-healthy/app02", "--config", file)
    text = f"no node could take group1: app02 tie-breaker; {RULE}"
    assert outcome == due("failover", "CRITICAL", text, figures(0))


# -- constructed ---------------------------------------------------------------------------------

GROUP = group(primitive("FS"), primitive("DB"))


def judge(*resources, nodes=None, here="app01", config=None, values=None, counted=None, **facts):
    answers = {name: facts.pop(name) for name in ("cib", "drbd") if name in facts}
    known = cluster(nodes, resources or (GROUP,), **facts)
    evidence = view(known, here=here, config=config, votes=counted, **answers)
    return said(report("failover", evidence, values=values or {}))


def nobody(why, names="group1", task="take"):
    return ("no-candidate", "CRITICAL", f"no node could {task} {names}: {why}")


BANNED = (ban("group1", "app03"),)
OTHERS = "app03 banned by group1-avoids-app03"
UNFIT = {
    "offline": (offline("app02"), "offline"),
    "unclean-and-offline": (offline("app02", unclean=True), "unclean"),
    "unclean": (node("app02", unclean=True), "unclean"),
    "pending": (node("app02", pending=True, standby=True), "pending"),
    "shutting-down": (node("app02", shutdown=True), "shutting down"),
    "standby": (node("app02", standby=True), "in standby"),
    "standby-by-failure": (
        node("app02", standby=True, standby_onfail=True),
        "in standby after a failure",
    ),
    "maintenance": (node("app02", maintenance=True), "in maintenance"),
    "health-red": (node("app02", health=Health.RED), "health red"),
    "several": (
        node("app02", standby=True, maintenance=True),
        "in standby, in maintenance",
    ),
}


@pytest.mark.parametrize("case", UNFIT)
def test_constructed_unfit_node(case):
    unfit, why = UNFIT[case]
    # All votes are there: this is about the node.
    judged = judge(nodes=(node(), unfit, node("app03")), bans=BANNED, counted=votes())
    assert judged == [nobody(f"app02 {why}; {OTHERS}")]


def test_constructed_yellow_health_is_fit():
    nodes = (node(), node("app02", health=Health.YELLOW), node("app03"))
    assert judge(nodes=nodes, bans=BANNED) == []


def test_constructed_unfit_node_here_and_its_reasons():
    nodes = (node(), node("app02", standby=True), node("app03"))
    past = (history("DB", "app02", threshold=1),)
    judged = judge(nodes=nodes, here="app02", bans=BANNED, history=past)
    why = "in standby, DB barred by fail-count 1"
    assert judged == [
        nobody(f"app02 {why}; {OTHERS}"),
        ("here-not-ready", "WARNING", f"app02 is not ready to take group1: {why}"),
    ]


def test_constructed_here_is_not_ready_beside_another_candidate():
    nodes = (node(), node("app02"), node("app03", standby=True))
    assert judge(nodes=nodes, here="app03") == [
        ("here-not-ready", "WARNING", "app03 is not ready to take group1: in standby")
    ]


def test_constructed_here_excluded_by_a_standing_rule_need_not_be_ready():
    nodes = (node(), node("app02"), node("app03", standby=True))
    assert judge(nodes=nodes, here="app03", bans=BANNED) == []


def test_constructed_here_outside_the_allowed_list_need_not_be_ready():
    only = Config(resources={"group1": PlacementRule(allowed=("app01",))})
    judged = judge(here="app02", config=only)
    assert judged == [nobody("app02, app03: not in the allowed list")]
    both = Config(resources={"group1": PlacementRule(allowed=("app01", "app02"))})
    nodes = (node(), node("app02", standby=True), node("app03"))
    assert [key for key, _, _ in judge(nodes=nodes, here="app02", config=both)] == [
        "no-candidate",
        "here-not-ready",
    ]


def test_constructed_here_banned_by_a_leftover_is_not_ready():
    bans = (ban("group1", "app02", "cli-ban-group1-on-app02"),)
    assert judge(here="app02", bans=bans) == [
        (
            "here-not-ready",
            "WARNING",
            "app02 is not ready to take group1: banned by cli-ban-group1-on-app02",
        )
    ]


RULES = {
    "ban-on-a-member": {"bans": (ban("DB", "app02"), *BANNED)},
    "not-in-the-allowed-list": {
        "bans": BANNED,
        "config": Config(resources={"group1": PlacementRule(allowed=("app01",))}),
    },
    "tie-breaker": {"bans": BANNED, "config": Config(tie_breakers=("app02",))},
    "barred-by-the-last-member": {
        "bans": BANNED,
        "history": (history("DB", "app02", threshold=1),),
    },
    "barred-for-ever": {
        "bans": BANNED,
        "history": (history("DB", "app02", fail_count=1_000_000),),
    },
}


@pytest.mark.parametrize("case", RULES)
def test_constructed_excluded_node(case):
    [(key, state, _)] = judge(**RULES[case])
    assert (key, state) == ("no-candidate", "CRITICAL")


ALLOWED = {
    "ban-with-a-finite-score": {"bans": (ban("group1", "app02", weight=-999_999), *BANNED)},
    "ban-for-the-promoted-role": {"bans": (ban("FS", "app02", promoted_only=True), *BANNED)},
    "fail-count-under-the-threshold": {
        "bans": BANNED,
        "history": (history("DB", "app02", threshold=3),),
    },
    "barred-from-another-resource": {
        "bans": BANNED,
        "history": (history("IP", "app02", threshold=1),),
    },
    "opt-in-cluster": {
        "options": options(symmetric=False),
        "cib": cib(locations=(location("group1", "app01", 100), location("group1", "app02", 0))),
    },
    "opt-in-cluster-without-a-cib": {"options": options(symmetric=False)},
    "fencing-with-a-device": {
        "resources": (GROUP, fence_device()),
        "options": options(fencing_enabled=True),
    },
}


@pytest.mark.parametrize("case", ALLOWED)
def test_constructed_candidate(case):
    facts = dict(ALLOWED[case])
    assert judge(*facts.pop("resources", ()), **facts) == []


# -- constructed: votes --------------------------------------------------------------------------

PAIR = (node(), node("app02"))


def test_constructed_two_nodes_in_two_node_mode():
    counted = votes(("app01", "app02"), expected=2, flags=("2Node",))
    assert judge(nodes=PAIR, counted=counted) == []


def test_constructed_two_nodes_without_two_node_mode():
    counted = votes(("app01", "app02"), expected=2)
    why = "if app01 fails, the quorum is lost (2 of 2 votes, 2 needed)"
    assert judge(nodes=PAIR, counted=counted) == [nobody(why)]


def test_constructed_two_nodes_with_a_quorum_device():
    counted = votes(("app01", "app02"), expected=3, qdevice=1)
    assert judge(nodes=PAIR, counted=counted) == []


def test_constructed_two_nodes_and_votes_not_known():
    assert judge(nodes=PAIR) == []


def heavy(name_of_first="app01"):
    """app01 has three votes of five."""
    members = (
        Voter(1, 3, name_of_first, True, None),
        Voter(2, 1, "app02", False, None),
        Voter(3, 1, "app03", False, None),
    )
    return Votes(None, True, 1, 5, 5, 3, frozenset(), members, None)


@pytest.mark.parametrize("name", ["app01", "app01.example.org", "192.0.2.1"])
def test_constructed_node_with_more_than_half_of_the_votes(name):
    why = "if app01 fails, the quorum is lost (5 of 5 votes, 3 needed)"
    assert judge(counted=heavy(name)) == [nobody(why)]


def test_constructed_another_node_than_the_heavy_one_is_active():
    text = "the loss of app01 would end group1: the quorum ends with its vote"
    judged = judge(group(primitive("FS", "app02")), counted=heavy())
    assert judged == [("single-point", "WARNING", text)]


def test_constructed_remote_node_takes_no_vote_with_it():
    nodes = (*PAIR, offline("app03"), remote("db1"))
    counted = votes(("app01", "app02"))
    assert judge(group(primitive("FS", "db1")), nodes=nodes, counted=counted) == []


def test_constructed_one_node_cluster_has_no_failover_by_design():
    known = cluster((node(),), (GROUP,))
    judged = report("failover", view(known, votes=votes(("app01",), expected=1)))
    text = "group1 has no other node than app01 by design"
    assert (said(judged), judged.summary) == ([], text)


PINNED = {
    "by-rules": {"bans": (ban("group1", "app02"), *BANNED)},
    "opt-in-cluster": {
        "options": options(symmetric=False),
        "cib": cib(
            locations=(location("group1", "app01", 100), location("group1", "app02", -1_000_000))
        ),
    },
}


@pytest.mark.parametrize("case", PINNED)
def test_constructed_pinned_to_one_node_by_standing_rules(case):
    assert judge(**PINNED[case]) == []


def test_constructed_one_instance_for_each_node_by_design():
    names = ("app01", "app02", "app03")
    resources = [primitive(f"agent-{name}", name) for name in names]
    bans = [ban(f"agent-{one}", other) for one in names for other in names if one != other]
    judged = report("failover", view(cluster(None, tuple(resources), bans=tuple(bans))))
    assert (said(judged), judged.summary) == ([], "3 resources with one node by design")


def test_constructed_what_a_manual_move_left_pins_nothing():
    bans = (ban("group1", "app02", "cli-ban-group1-on-app02"), *BANNED)
    assert judge(bans=bans)[0] == nobody(f"app02 banned by cli-ban-group1-on-app02; {OTHERS}")


def test_constructed_pinned_and_down_is_asked_about():
    past = (history("FS", "app01", threshold=1),)
    bans = (ban("group1", "app02"), *BANNED)
    [(key, state, _), *_] = judge(group(stopped("FS")), history=past, bans=bans)
    assert (key, state) == ("no-candidate", "CRITICAL")


# -- constructed: what is asked about ------------------------------------------------------------


def test_constructed_not_asked_for_clones_bundles_fence_devices_and_orphans():
    resources = (
        clone(primitive("ping")),
        bundle((primitive("web-0"),)),
        fence_device(),
        primitive("OLD", orphaned=True),
    )
    alone = (node(), node("app02", standby=True), node("app03", standby=True))
    assert judge(*resources, nodes=alone) == []


def test_constructed_guest_node_is_no_candidate():
    nodes = (node(), node("app02", standby=True), remote("vm1", id_as_resource="VM1"))
    judged = judge(nodes=nodes, counted=votes(("app01", "app02"), expected=2, flags=("2Node",)))
    assert judged == [nobody("app02 in standby")]


def test_constructed_remote_node_is_a_candidate():
    assert judge(nodes=(*PAIR, remote("db1")), bans=(ban("group1", "app02"),)) == []


def test_constructed_runs_nowhere_and_could_be_started():
    resource = group(stopped("FS"))
    judged = report("failover", view(cluster(None, (resource,), bans=BANNED)))
    assert (said(judged), judged.summary) == ([], "group1 could be started on app01, app02")


def test_constructed_runs_nowhere_and_could_be_started_nowhere():
    past = tuple(history("FS", name, threshold=1) for name in ("app01", "app02"))
    judged = judge(group(stopped("FS")), history=past, bans=BANNED)
    assert judged == [
        nobody(
            f"app01, app02: FS barred by fail-count 1; {OTHERS}",
            task="start",
        ),
        (
            "here-not-ready",
            "WARNING",
            "app01 is not ready to take group1: FS barred by fail-count 1",
        ),
    ]


def test_constructed_disabled_on_purpose_with_nowhere_to_go():
    nodes = (node(standby=True), node("app02", standby=True))
    judged = report("failover", view(cluster(nodes, (group(stopped("FS"), disabled=True),))))
    assert (said(judged), judged.summary) == ([], "group1 is disabled")


def test_constructed_disabled_and_still_running_is_asked_about():
    resource = group(primitive("FS", target_role="Stopped"), disabled=True)
    [(key, _, _)] = judge(resource, nodes=(node(), node("app02", standby=True)))
    assert key == "no-candidate"


def test_constructed_resources_with_one_outlook_share_one_finding():
    resources = tuple(primitive(f"R{number}") for number in range(5))
    nodes = (node(), node("app02", standby=True), node("app03"))
    judged = judge(*resources, nodes=nodes, config=Config(tie_breakers=("app03",)))
    names = "R0, R1 and 3 more"
    assert judged == [nobody("app02 in standby; app03 tie-breaker", names)]


def test_constructed_candidates_wanted():
    nodes = (node(), node("app02"), node("app03", standby=True))
    assert judge(nodes=nodes, values={"candidates": 2}) == [
        ("candidates-low", "WARNING", "1 of 2 candidates for group1: app03 in standby")
    ]
    assert judge(values={"candidates": 2}) == []


# -- constructed: DRBD ---------------------------------------------------------------------------

SERVERS = tuple(peer(f"storage0{number}") for number in (1, 2, 3))


def on(resource, here="app02", **facts):
    """app02's view: it is not active, DRBD is judged here in full."""
    return judge(here=here, cib=on_drbd(), drbd=resource, bans=BANNED, **facts)


def not_ready(why):
    return [
        nobody(f"app02 {why}; {OTHERS}"),
        ("here-not-ready", "WARNING", f"app02 is not ready to take group1: {why}"),
    ]


SECONDARY = DrbdRole.SECONDARY


def test_constructed_drbd_is_ready_here():
    assert on((drbd(*SERVERS, role=SECONDARY),)) == []


def test_constructed_drbd_has_no_quorum_here():
    assert on((drbd(*SERVERS, role=SECONDARY, quorum=False),)) == not_ready("r0/0 has no quorum")


def test_constructed_drbd_has_no_copy_here():
    outdated = tuple(peer(f"storage0{n}", disk=DiskState.OUTDATED) for n in (1, 2, 3))
    assert on((drbd(*outdated, role=SECONDARY),)) == not_ready("r0/0 has no UpToDate copy in reach")


def test_constructed_drbd_is_suspended_here():
    assert on((drbd(*SERVERS, role=SECONDARY, suspended=True),)) == not_ready("r0/0 is suspended")


def test_constructed_drbd_resource_is_not_up_here():
    other = (drbd(*SERVERS, name="r9", role=SECONDARY),)
    known = on_drbd(device="/dev/drbd/by-res/r0/0")
    judged = judge(here="app02", cib=known, drbd=other, bans=BANNED)
    assert judged == not_ready("r0 is not up here")


def test_constructed_drbd_peer_is_not_connected_to_us():
    cut = peer("app02", state=ConnectionState.CONNECTING)
    judged = judge(cib=on_drbd(), drbd=(drbd(*SERVERS, cut),), bans=BANNED)
    assert judged == [nobody(f"app02 r0 is not connected to it; {OTHERS}")]


def test_constructed_drbd_of_a_peer_is_judged_by_its_connection():
    known = cluster(None, (GROUP,), bans=BANNED)
    evidence = view(known, cib=on_drbd(), drbd=(drbd(*SERVERS, peer("app02")),))
    judged = report("failover", evidence)
    assert (said(judged), judged.summary) == (
        [],
        f"app02 could take group1 from app01 {BY_CONNECTION} {BY_RULES}",
    )


def denied(kind=TOOL_DENIED):
    return finding(kind, subject.tool("drbdsetup"), "drbdsetup: not permitted", state=None)


def test_constructed_drbd_denied_where_it_is_needed():
    answer = Answer(None, (denied(),))
    assert on(answer) == [("tool-denied", "UNKNOWN", "drbdsetup: not permitted")]


def test_constructed_drbd_answer_is_cut_where_it_is_needed():
    answer = Answer((drbd(*SERVERS, role=SECONDARY),), (denied(TOOL_FAILED),))
    assert on(answer) == [("tool-failed", "UNKNOWN", "drbdsetup: not permitted")]


def test_constructed_drbd_denied_where_nothing_stands_on_it():
    answer = Answer(None, (denied(),))
    assert judge(cib=cib(), drbd=answer) == []


def test_constructed_no_drbd_resource_is_up_where_one_is_needed():
    empty = finding(DRBD_EMPTY, subject.tool("drbd"), "no DRBD resource is up on this node")
    assert on(Answer(None, (empty,))) == [
        ("drbd-empty", "UNKNOWN", "no DRBD resource is up on this node")
    ]


def test_constructed_another_drbd_resource_is_missing():
    missing = finding(DRBD_RESOURCE_MISSING, subject.drbd("r9"), "r9 is not up on this node")
    assert on(Answer((drbd(*SERVERS, role=SECONDARY),), (missing,))) == []


def test_with_vv_every_candidate_and_every_reason(call):
    outcome = call("failover", "--from", SNAPSHOTS / "app01-barred/app01", "-vv")
    assert [line for line in outcome.lines if line.startswith("looked at")] == [
        "looked at candidate for group1: not app01: FS_DRBD barred by fail-count 1",
        "looked at candidate for group1: not app03: banned by location-group1-app03--INFINITY",
        "looked at group1 judged without Pacemaker's scheduler: no answer of it was recorded, and"
        " --simulate was not given",
    ]


def test_constructed_fewest_candidates_of_those_that_count():
    resources = (
        primitive("A"),
        stopped("B"),
        stopped("C", target_role="Stopped"),
    )
    bans = (ban("A", "app02"), ban("B", "app01"), *(ban("C", f"app0{n}") for n in (1, 2, 3)))
    judged = report("failover", view(cluster(None, resources, bans=bans)))
    assert {each.label: each.value for each in judged.figures} == {
        "services": 3,
        "candidates_min": 1,
    }


def test_recorded_a_ticket_that_is_revoked_leaves_no_candidate(call):
    outcome = call("failover", "--from", SNAPSHOTS / "ticket-revoked" / "app01")
    assert outcome.code == 2
    assert outcome.first == (
        "FAILOVER CRITICAL - no node could start group1: ticket siteA was revoked"
        " (granted last 09:20:22), t-group1 needs it (loss-policy=stop)"
    )


# -- Pacemaker's scheduler -------------------------------------------------------------------------


def simulated(loss="app01", waiting=None, **running):
    """The scheduler's answer about one loss: primitives with the node where they run then."""
    places = {name: {on: Role.STARTED} if on else {} for name, on in running.items()}
    return Simulations({(loss,): Simulation((loss,), (), places, waiting or {})}, {})


def asked_scheduler(answer, *resources, **facts):
    answers = {name: facts.pop(name) for name in ("cib", "drbd", "config") if name in facts}
    known = cluster(facts.pop("nodes", None), resources or (GROUP,), **facts)
    judged = report("failover", view(known, simulations=answer, **answers))
    return said(judged), judged.summary


def test_constructed_the_scheduler_says_who_takes_it():
    said_, summary = asked_scheduler(simulated(FS="app02", DB="app02"), bans=BANNED)
    assert (said_, summary) == ([], "app02 could take group1 from app01")


def test_constructed_a_member_that_is_down_has_to_run_after_a_takeover_too():
    half = group(primitive("FS"), stopped("DB"))
    found, _ = asked_scheduler(simulated(FS="app02", DB=None), half, bans=BANNED)
    assert found == [
        (
            "no-candidate",
            "CRITICAL",
            "no node could take group1: app02 would not get it from Pacemaker's scheduler;"
            " app03 banned by group1-avoids-app03",
        )
    ]


def test_constructed_what_stands_behind_a_disabled_member_need_not_run():
    half = group(primitive("FS"), stopped("DB", target_role="Stopped"), stopped("WEB"))
    found, summary = asked_scheduler(simulated(FS="app02", DB=None, WEB=None), half, bans=BANNED)
    assert (found, summary) == ([], "app02 could take group1 from app01")


def test_constructed_maintenance_mode_is_said_once_and_not_of_this_node():
    found, _ = asked_scheduler(
        simulated(FS=None, DB=None), options=options(maintenance_mode=True), bans=BANNED
    )
    assert [(key, state) for key, state, _ in found] == [("no-candidate", "WARNING")]


def test_constructed_the_schedulers_choice_comes_first():
    _, summary = asked_scheduler(simulated(FS="app03", DB="app03"))
    assert summary == "app03, app02 could take group1 from app01"


def test_constructed_a_group_of_which_a_member_stays_down_is_not_taken():
    said_, _ = asked_scheduler(simulated(FS="app02", DB=None), bans=BANNED)
    assert said_ == [
        nobody(f"app02 would not get it from Pacemaker's scheduler; {OTHERS}"),
    ]


def test_constructed_our_reasons_explain_what_the_scheduler_does():
    past = (history("DB", "app02", threshold=1),)
    said_, _ = asked_scheduler(simulated(FS=None, DB=None), bans=BANNED, history=past)
    assert said_ == [nobody(f"app02 DB barred by fail-count 1; {OTHERS}")]


def test_constructed_the_scheduler_knows_better_than_our_rules():
    past = (history("DB", "app02", threshold=1),)
    said_, summary = asked_scheduler(simulated(FS="app02", DB="app02"), bans=BANNED, history=past)
    assert (said_, summary) == ([], "app02 could take group1 from app01")


def test_constructed_a_start_that_has_to_wait_is_judged_by_our_rules():
    answer = simulated(FS=None, DB=None, waiting={"FS": "app02"})
    said_, summary = asked_scheduler(answer, bans=BANNED)
    assert (said_, summary) == ([], "app02 could take group1 from app01")


def test_constructed_the_scheduler_knows_nothing_of_the_configuration_file():
    config = Config(tie_breakers=("app02",))
    said_, _ = asked_scheduler(simulated(FS="app02", DB="app02"), bans=BANNED, config=config)
    assert said_ == [nobody(f"app02 tie-breaker; {OTHERS}")]


def test_constructed_the_scheduler_knows_nothing_of_drbd():
    gone = drbd(*SERVERS, peer("app02", state=ConnectionState.CONNECTING))
    said_, _ = asked_scheduler(
        simulated(FS="app02", DB="app02"), bans=BANNED, cib=on_drbd(), drbd=(gone,)
    )
    assert said_ == [nobody(f"app02 r0 is not connected to it; {OTHERS}")]


def test_constructed_the_loss_of_another_node_that_ends_a_service_by_the_scheduler():
    answer = simulated("app03", FS=None, DB=None, IP="app01")
    said_, _ = asked_scheduler(answer, GROUP, primitive("IP", "app03"))
    assert said_ == [
        (
            "single-point",
            "WARNING",
            "the loss of app03 would end group1: app01 would not get it from Pacemaker's scheduler",
        )
    ]


def test_constructed_what_is_to_be_stopped_is_not_asked_of_the_scheduler():
    said_, summary = asked_scheduler(
        simulated(IP=None), primitive("IP", target_role="Stopped"), bans=(ban("IP", "app03"),)
    )
    assert (said_, summary) == ([], f"app02 could take IP from app01 {BY_RULES}")


# -- promotable clones -----------------------------------------------------------------------------


def promotable(*roles, **changes):
    instances = [
        primitive("drbd", f"app0{number}", role) for number, role in enumerate(roles, start=1)
    ]
    return clone(*instances, name="drbd-clone", promotable=True, **changes)


TWO = promotable(Role.PROMOTED, Role.UNPROMOTED)
TWO_VOTES = votes(("app01", "app02"), expected=2, flags=("2Node",))


def test_constructed_a_promotable_clone_is_a_service():
    judged = report("failover", view(cluster(PAIR, (TWO,)), votes=TWO_VOTES))
    assert (said(judged), judged.summary) == (
        [],
        f"app02 could take drbd-clone from app01 {BY_RULES}",
    )


def test_constructed_nobody_else_may_be_promoted():
    bans = (ban("drbd-clone", "app02", "no-second", promoted_only=True),)
    assert judge(TWO, nodes=PAIR, bans=bans, counted=TWO_VOTES) == [
        nobody("app02 cannot promote drbd-clone: no-second forbids it", "drbd-clone")
    ]


def test_constructed_a_clone_that_is_not_to_be_promoted_is_no_fault():
    known = promotable(Role.UNPROMOTED, Role.UNPROMOTED, target_role="Slave")
    assert judge(known, nodes=PAIR) == []


# -- DRBD after the loss ---------------------------------------------------------------------------


CLASSIC = "classic-simulated/alpha"


@pytest.mark.parametrize("state", ["Outdated", "Inconsistent", "Consistent"])
def test_constructed_the_only_peers_copy_is_not_up_to_date(call, tmp_path, state):
    theirs = ('"peer-disk-state": "UpToDate"', f'"peer-disk-state": "{state}"')
    folder = altered(tmp_path, CLASSIC, theirs)
    outcome = call("failover", "--from", folder, "-v")
    assert outcome.code == 2
    text = f"no node could take svc: bravo r0/0 is {state} there, and no other copy is left"
    assert outcome.first == f"FAILOVER CRITICAL - {text}"
    assert outcome.lines[1].endswith(
        "-> on bravo: drbdadm status r0; it has to reconnect and resync"
    )


def test_constructed_two_replicas_that_both_have_to_be_there_are_single_points(call, tmp_path):
    change = ('"quorum": "off"', '"quorum": "all"')
    folder = altered(tmp_path, CLASSIC, change, file="drbd-show.json")
    outcome = call("failover", "--from", folder)
    assert outcome.code == 2
    assert outcome.lines[1:] == [
        "[CRITICAL] no node could take svc: bravo r0/0 would have no quorum",
        "[WARNING] the loss of bravo would end svc: r0/0 would have no quorum",
    ]


def test_recorded_a_whole_classic_cluster_is_judged_by_the_scheduler(call):
    for name, note in (("alpha", f" {BY_CONNECTION}"), ("bravo", "")):
        outcome = call("failover", "--from", SNAPSHOTS / "classic-simulated" / name)
        assert (outcome.code, outcome.first) == (
            0,
            f"FAILOVER OK - bravo could take svc from alpha{note}",
        )
