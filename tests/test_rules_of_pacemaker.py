"""Rules about Pacemaker's resources: groups, clones, promotion, constraints, times; constructed."""

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
    group,
    link,
    links,
    location,
    node,
    primitive,
    replace,
    report,
    ring,
    said,
    stopped,
    view,
)
from check_mccluster.checks import registry
from check_mccluster.judge.facts.happened import happened, since
from check_mccluster.judge.fold import in_parts
from check_mccluster.judge.instances import STOPPED
from check_mccluster.model.configuration import (
    CibNode,
    Configured,
    DateExpression,
    PendingOperation,
    Ran,
    Rule,
)
from check_mccluster.model.corosync import LinkState
from check_mccluster.model.pacemaker import Role
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import TOOLS, State, finding

INFINITY = 1_000_000
NODES = {name: CibNode(name) for name in ("app01", "app02", "app03")}


def resources(*each, **answers):
    """What the check of that name says: key, object, text."""
    judged = report("resources", view(cluster(resources=each), **answers))
    return [(one.key, one.object, one.text) for one in judged.findings]


# -- groups ------------------------------------------------------------------------------------


def off(name):
    return stopped(name, target_role="Stopped")


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (
            group(off("FS"), off("DB")),
            [("resource-disabled", "group1", "group1 is disabled, 2 members stopped")],
        ),
        (
            group(off("FS")),
            [("resource-disabled", "group1", "group1 is disabled, FS stopped")],
        ),
        (
            group(stopped("FS"), stopped("DB"), disabled=True),
            [("resource-disabled", "group1", "group1 is disabled, 2 members stopped")],
        ),
        (
            group(off("FS"), stopped("DB"), stopped("IP")),
            [
                ("resource-disabled", "FS", "FS (group1) is disabled"),
                ("resource-stopped", "DB", "DB, IP (group1) stopped behind the disabled FS"),
            ],
        ),
        (
            group(stopped("FS"), off("DB")),
            [
                ("resource-stopped", "FS", "group1 is stopped: FS does not run"),
                ("resource-disabled", "DB", "DB (group1) is disabled"),
            ],
        ),
        (
            group(stopped("FS"), stopped("DB"), stopped("IP")),
            [("resource-stopped", "FS", "group1 is stopped: FS does not run; DB, IP wait for it")],
        ),
        (
            group(stopped("FS"), stopped("DB")),
            [("resource-stopped", "FS", "group1 is stopped: FS does not run; DB waits for it")],
        ),
        (
            group(primitive("FS"), off("DB"), stopped("IP"), stopped("WEB")),
            [
                ("resource-disabled", "DB", "DB (group1) is disabled"),
                ("resource-stopped", "IP", "IP, WEB (group1) stopped behind the disabled DB"),
            ],
        ),
        (
            group(primitive("FS"), stopped("DB"), stopped("IP")),
            [("resource-stopped", "DB", "DB (group1) is stopped; IP waits for it")],
        ),
    ],
)
def test_group_of_which_members_do_not_run(one, found):
    assert resources(one) == found


def test_step_of_what_stands_behind_a_disabled_member():
    judged = report("resources", view(cluster(resources=(group(off("FS"), stopped("DB")),))))
    step = judged.findings[1].next_step
    assert step == "pcs resource enable FS, or move DB before it in group1"


# -- clones ------------------------------------------------------------------------------------


def test_member_that_failed_in_a_clone_of_groups_is_told_once():
    half = group(primitive("FS:0"), primitive("DB:0", failed=True), name="g:0")
    found = resources(clone(half, name="g-clone"))
    assert [about for key, about, _ in found if key == "resource-failed"] == ["DB:0"]


def test_clone_of_groups_tells_a_member_once():
    """The instance has a member that runs: its faults are those of a group."""
    half = group(primitive("FS:0"), stopped("DB:0"), name="g:0")
    whole = [
        group(primitive(f"FS:{i}", on), primitive(f"DB:{i}", on), name=f"g:{i}")
        for i, on in ((1, "app02"), (2, "app03"))
    ]
    found = resources(clone(half, *whole, name="g-clone"))
    assert [(key, about) for key, about, _ in found if about != "g-clone"] == [
        ("resource-stopped", "DB:0")
    ]


@pytest.mark.parametrize("running", [("app01",), ("app01", "app02")])
def test_spare_instance_of_a_clone_that_lacks_none_is_not_on_its_way(running):
    """The others are in standby, and something was begun on app03 before."""
    instances = (*(primitive("ping", name) for name in running), stopped("ping"))
    names = ("app01", "app02", "app03")
    nodes = [node(name, standby=name not in running) for name in names]
    known = replace(cib(), pending=(PendingOperation("ping", "app03", "start", 0),))
    seen = view(cluster(nodes, resources=(clone(*instances),)), cib=known)
    assert report("resources", seen).findings == ()


@pytest.mark.parametrize(
    ("running", "children", "moves"),
    [(3, 3, False), (2, 3, True), (0, 3, True), (0, 0, False)],
)
def test_operation_under_way_of_a_clone_that_lacks_an_instance(running, children, moves):
    on = ("app01", "app02", "app03")[:running]
    instances = [primitive("ping", name) for name in on] + [stopped("ping")] * (children - running)
    pending = (PendingOperation("ping", "app03", "start", 0),)
    found = resources(clone(*instances), cib=replace(cib(), pending=pending))
    assert ("resource-transition" in [key for key, *_ in found]) is moves


# -- promotion ---------------------------------------------------------------------------------


def promotable(**scores):
    """fs-clone, promoted on app01; each node's promotion score."""
    instances = (
        primitive("fs", "app01", Role.PROMOTED),
        primitive("fs", "app02", Role.UNPROMOTED),
        primitive("fs", "app03", Role.UNPROMOTED),
    )
    nodes = {
        name: CibNode(name, transient={} if score is None else {"master-fs": score})
        for name, score in scores.items()
    }
    return clone(*instances, name="fs-clone", promotable=True), nodes


@pytest.mark.parametrize(
    ("own", "places", "words"),
    [
        ("10", (), ""),
        ("0", (), ""),
        ("-1", (), "its promotion score there is -1"),
        ("10", (("fs-clone", "app02", -20, "Promoted"),), "its promotion score there is 10"),
        ("10", (("fs-clone", "app02", -10, "Promoted"),), ""),
        ("10", (("fs-clone", "app02", -20, "Started"),), ""),
        ("10", (("other", "app02", -20, "Promoted"),), ""),
        ("10", (("fs-clone", "app03", -20, "Promoted"),), ""),
        ("-10", (("fs-clone", "app02", 10, "Promoted"),), ""),
        (None, (), "it has no promotion score there"),
        (None, (("fs-clone", "app02", 1, "Promoted"),), ""),
        (None, (("fs-clone", "app02", 0, "Promoted"),), "it has no promotion score there"),
        # Two of them count together.
        (
            "10",
            (("fs-clone", "app02", -6, "Promoted"), ("fs-clone", "app02", -6, "Promoted")),
            "its promotion score there is 10",
        ),
    ],
)
def test_score_below_which_nothing_is_promoted(own, places, words):
    one, nodes = promotable(app01="100", app02=own, app03="-5")
    located = tuple(
        replace(location(what, on, score), role=role) for what, on, score, role in places
    )
    configured = replace(cib(locations=located), nodes=nodes)
    seen = view(cluster(resources=(one,)), cib=configured)
    found = report("failover", seen).findings
    (text,) = [each.text for each in found if each.key == "no-candidate"] or [""]
    mine = text.partition("app02 ")[2].partition("; app03")[0]
    assert mine == (f"cannot promote fs-clone: {words}" if words else "")


def test_instance_that_does_not_run_there_has_no_score_yet():
    """Its agent gives it one when it starts."""
    one, nodes = promotable(app01="100", app02=None, app03="-5")
    one = replace(one, instances=(one.instances[0], stopped("fs"), one.instances[2]))
    seen = view(cluster(resources=(one,)), cib=replace(cib(), nodes=nodes))
    found = [each.text for each in report("failover", seen).findings if each.key == "no-candidate"]
    assert not any("app02" in each for each in found)


def test_agent_that_sets_no_score_anywhere_is_not_judged_by_it():
    one, nodes = promotable(app01=None, app02=None, app03=None)
    seen = view(cluster(resources=(one,)), cib=replace(cib(), nodes=nodes))
    assert "no-candidate" not in [key for key, *_ in said(report("failover", seen))]


# -- constraints -------------------------------------------------------------------------------


HANDLER = ban("fs-clone", "app02", "drbd-fence-by-handler-r0-rule-fs-clone", promoted_only=True)


@pytest.mark.parametrize(
    ("patterns", "bans", "told"),
    [
        ((), (HANDLER,), True),
        (("fs*",), (HANDLER,), True),
        (("IP",), (HANDLER,), False),
        ((), (ban("fs-clone", "app02", "no-app02", promoted_only=True),), False),
    ],
)
def test_constraint_of_drbds_fence_handler_as_crm_mon_shows_it(patterns, bans, told):
    one, _ = promotable()
    seen = view(cluster(resources=(one, primitive("IP")), bans=bans))
    found = [
        (f.key, f.object, f.text) for f in report("placement", seen, patterns=patterns).findings
    ]
    text = (
        "drbd-fence-by-handler-r0-fs-clone forbids to promote fs-clone until the peer's disk is"
        " UpToDate"
    )
    assert found == ([("leftover-fence", "fs-clone", text)] if told else [])


# -- times -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, " (0 s ago)"), (1, " (1 s ago)"), (-1, ""), (59, " (59 s ago)")]
)
def test_how_long_ago_a_change_was(seconds, words):
    known = cluster()
    when = NOW - timedelta(seconds=seconds)
    known = replace(known, summary=replace(known.summary, changed=when))
    (line,) = happened(view(known))
    assert line == f"configuration changed {when:%H:%M:%S} UTC{words}"


WAS_STOPPED = "FS was stopped on app01 08:59:00 UTC (60 s ago)"
BEFORE = int(NOW.timestamp()) - 60


@pytest.mark.parametrize(
    ("one", "lines"),
    [
        (stopped("FS"), (WAS_STOPPED,)),
        (primitive("FS"), ()),
        (group(stopped("FS")), (WAS_STOPPED,)),
        (group(stopped("DB"), stopped("FS")), ()),
        (
            group(primitive("DB"), stopped("FS")),
            (WAS_STOPPED,),
        ),
        # Its other instances run: nobody asks when this one was stopped.
        (clone(stopped("FS"), name="FS-clone"), ()),
    ],
)
def test_when_the_first_member_that_does_not_run_was_stopped(one, lines):
    known = replace(cib(), stopped={"FS": Ran("app01", "stop", BEFORE)})
    assert happened(view(cluster(resources=(one,)), cib=known)) == lines


def ends(*tests, **changes):
    rule = Rule("r", INFINITY, None, None, False, tests)
    return replace(location("FS", None, None, "cli-prefer-FS"), rules=(rule,), **changes)


@pytest.mark.parametrize(
    ("places", "lines"),
    [
        (
            (ends(DateExpression("lt", None, "2026-11-22 10:00:00Z")),),
            ("cli-prefer-FS ends 10:00:00Z",),
        ),
        (
            (ends(DateExpression("lt", None, "2026-11-23 10:00:00Z"), node="app02"),),
            ("cli-prefer-FS on app02 ends 2026-11-23 10:00:00Z",),
        ),
        (
            (
                location("FS", "app01", 100),
                ends(DateExpression("in_range", "2026-11-22", "2026-11-22 11:00:00Z")),
            ),
            ("cli-prefer-FS ends 11:00:00Z",),
        ),
        ((ends(DateExpression("gt", "2026-11-22 10:00:00Z", None)),), ()),
        ((location("FS", "app01", 100),), ()),
    ],
)
def test_constraint_that_ends_by_itself(places, lines):
    assert happened(view(cluster(), cib=cib(locations=places))) == lines


@pytest.mark.parametrize(
    ("task", "interval", "lines"),
    [
        ("start", 0, ("under way on app02: start of FS",)),
        ("monitor", 0, ("under way on app02: probe of FS",)),
        ("monitor", None, ("under way on app02: probe of FS",)),
        ("monitor", 10_000, ()),
    ],
)
def test_what_is_under_way(task, interval, lines):
    known = replace(cib(), pending=(PendingOperation("FS", "app02", task, interval),))
    assert happened(view(cluster(), cib=known)) == lines


@pytest.mark.parametrize(
    ("shutting", "asked", "told"),
    [
        (True, str(BEFORE), True),
        (False, str(BEFORE), False),
        (True, "0", False),
        (True, "", False),
        (True, "soon", False),
    ],
)
def test_since_when_a_node_is_shutting_down(shutting, asked, told):
    nodes = (node("app01"), node("app02", shutdown=shutting))
    known = replace(cib(), nodes={"app02": CibNode("app02", transient={"shutdown": asked})})
    lines = happened(view(cluster(nodes), cib=known))
    words = ("app02 is shutting down since 08:59:00 UTC (60 s ago)",)
    assert lines == (words if told else ())


@pytest.mark.parametrize(
    ("started", "lines"),
    [
        ({("FS", "app01"): BEFORE}, ("FS runs on app01 since 08:59:00 UTC (60 s ago)",)),
        ({("FS", "app02"): BEFORE}, ()),
        ({}, ()),
    ],
)
def test_since_when_a_service_runs(started, lines):
    known = replace(cib(), started=started)
    assert happened(view(cluster(resources=(primitive("FS"),)), cib=known)) == lines


def test_since_when_a_group_runs_is_when_its_last_member_was_started_and_all_are_known():
    one = group(primitive("FS"), primitive("DB"))
    both = {("FS", "app01"): BEFORE, ("DB", "app01"): BEFORE + 30}
    known = replace(cib(), started=both)
    lines = happened(view(cluster(resources=(one,)), cib=known))
    assert lines == ("group1 runs on app01 since 08:59:30 UTC (30 s ago)",)
    known = replace(cib(), started={("FS", "app01"): BEFORE})
    assert happened(view(cluster(resources=(one,)), cib=known)) == ()


def test_three_services_that_run_shortest_are_told_the_newest_first():
    several = [primitive(f"S{number}") for number in range(5)]
    started = {(f"S{number}", "app01"): BEFORE + number for number in range(5)}
    known = replace(cib(), started=started)
    lines = happened(view(cluster(resources=several), cib=known))
    assert [line.partition(" ")[0] for line in lines] == ["S4", "S3", "S2"]


def test_what_happened_to_a_cause_is_told_of_nothing_else():
    known = replace(
        cib(),
        stopped={name: Ran("app01", "stop", BEFORE) for name in ("FS", "IP")},
    )
    seen = view(cluster(resources=(stopped("FS"), stopped("IP"))), cib=known)
    cause = finding(STOPPED, subject.resource("FS"), "FS is stopped")
    assert since(seen, cause) == (WAS_STOPPED,)


# -- links -------------------------------------------------------------------------------------


def test_every_link_is_looked_at_and_a_ring_is_named_so():
    seen = view(links=links(link(2), link(3, state=LinkState.DISCONNECTED)))
    assert report("links", seen).looked_at == (
        f"link 0 to app02: {LinkState.CONNECTED}",
        f"link 0 to app03: {LinkState.DISCONNECTED}",
    )
    two = view(links=links(ring(0), ring(1)))
    assert report("links", two).looked_at == (
        "link 0 to ring: ring status",
        "link 1 to ring: ring status",
    )


# -- the whole, in parts -----------------------------------------------------------------------


def test_every_finding_of_the_whole_is_in_the_part_of_its_check():
    seen = view(
        cluster((node("app01", standby=True), node("app02"), node("app03")), (stopped("FS"),))
    )
    whole = report("overview", seen)
    parts = dict(in_parts(whole, hush=False))
    assert [each.key for each in parts["nodes"].findings] == ["node-standby"]
    assert "resource-stopped" in [each.key for each in parts["resources"].findings]
    assert parts["nodes"].state is State.WARNING
    inside = sum(len(part.findings) for part in parts.values())
    assert inside == len(whole.findings)
    assert TOOLS in parts


# -- the registry ------------------------------------------------------------------------------


def test_kind_belongs_to_the_single_checks_that_have_it():
    kinds = registry.kinds()
    single = {each.name: each for each in registry.single_checks()}
    for key, (_, owners) in kinds.items():
        assert owners == tuple(
            name for name, each in single.items() if key in [kind.key for kind in each.kinds]
        ) or owners == ("cluster",), key
    assert kinds["connection-disputed"][1] == ("cluster",)
    assert "cluster" not in kinds["peer-connecting"][1]


# -- overview: whose a pattern is --------------------------------------------------------------


@pytest.mark.parametrize(
    ("patterns", "answers", "unknown"),
    [
        (("FS",), {"drbd": (drbd(),)}, []),
        (("r0",), {"drbd": (drbd(),)}, []),
        (("FS", "r0"), {"drbd": (drbd(),)}, []),
        (("XX",), {"drbd": (drbd(),)}, ["resource-missing"]),
        (("FS", "XX"), {"drbd": (drbd(),)}, ["resource-missing"]),
    ],
)
def test_pattern_of_either_side_is_looked_for_there(patterns, answers, unknown):
    seen = view(cluster(resources=(primitive("FS"),)), **answers)
    found = [each.key for each in report("overview", seen, patterns=patterns).findings]
    assert sorted({key for key in found if "missing" in key}) == unknown


@pytest.mark.parametrize(
    ("pattern", "told"),
    [("X*", ["no resource matches X*"]), ("F*", []), ("r*", [])],
)
def test_pattern_that_matches_on_neither_side(pattern, told):
    seen = view(cluster(resources=(primitive("FS"),)), drbd=(drbd(),))
    found = report("overview", seen, patterns=(pattern,)).findings
    assert [each.text for each in found if each.key == "resources-none"] == told


def test_configured_clone_is_not_needed_to_judge_a_plain_one():
    known = replace(cib(), resources={"ping-clone": Configured("ping-clone", "clone")})
    on = ("app01", "app02", "app03")
    assert resources(clone(*(primitive("ping", name) for name in on)), cib=known) == []
