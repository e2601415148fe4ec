"""What is one fault, what changed, what happened, who hangs: constructed findings and answers."""

from __future__ import annotations

import pytest

from build import (
    NAMES,
    ban,
    cib,
    cluster,
    cmap,
    drbd,
    fence_event,
    history,
    links,
    node,
    on_drbd,
    options,
    primitive,
    replace,
    report,
    stopped,
    view,
    votes,
)
from build_drbd import away, client_device, connection, device, resource
from build_drbd import view as drbd_view
from check_mccluster.judge.causes import rule_lines
from check_mccluster.judge.cluster_causes import CLUSTER_RULES
from check_mccluster.judge.difference import Side, difference
from check_mccluster.judge.facts.happened import happened, since
from check_mccluster.judge.faults import faults
from check_mccluster.judge.hanging import of_itself, with_daemons
from check_mccluster.judge.partitions import partitions
from check_mccluster.judge.reasons import CUT
from check_mccluster.model.configuration import CibNode
from check_mccluster.model.drbd import Role as DrbdRole
from check_mccluster.model.pacemaker import FenceStatus
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import Fault, Kind, Report, State, finding
from check_mccluster.verdict.problems import TOOL_TIMEOUT
from check_mccluster.verdict.view import Answer, Judgement


def told(key, about, *nodes, state=State.WARNING, text="it is so", reason=""):
    kind = Kind(key, state, "a meaning", "a step")
    return finding(kind, about, text, nodes=nodes, reason=reason)


# -- causes ------------------------------------------------------------------------------------


def causes(*findings, seen=None):
    """Each fault as its cause and what follows from it."""
    found = faults(seen if seen is not None else view(), findings)
    return {each.cause.key: sorted(one.key for one in each.follows) for each in found}


R0 = subject.drbd("r0")


def cut_off(isolated, quorum, *lost):
    """Of a mesh that reaches none of *isolated*, and a quorum that lacks *quorum*."""
    return causes(
        told("mesh-isolated", R0, *isolated),
        told("quorum-lost", subject.cluster("partition"), *quorum, state=State.CRITICAL),
        *lost,
    )


BOTH = ("app02", "app03")


@pytest.mark.parametrize(
    ("isolated", "quorum", "explained"),
    [
        (BOTH, BOTH, True),
        (BOTH, ("app02",), True),
        (BOTH, (), True),
        (BOTH, ("app02", "storage01"), False),
        (("app02",), ("app02",), False),
    ],
)
def test_several_nodes_that_drbd_does_not_reach_explain_the_quorum_that_lacks_them(
    isolated, quorum, explained
):
    assert ("quorum-lost" in cut_off(isolated, quorum).get("mesh-isolated", ())) is explained


def lost(*names, reason=""):
    return [told("node-offline", subject.node(n), n, reason=reason) for n in names]


@pytest.mark.parametrize(
    ("gone", "cause"),
    [
        ((), "mesh-isolated"),
        (lost("app02"), "mesh-isolated"),
        (lost(*BOTH), "quorum-lost"),
        (lost(*BOTH, "app04"), "quorum-lost"),
        (lost(*BOTH, reason=CUT), "mesh-isolated"),
    ],
)
def test_who_is_left_alone_by_lost_nodes_is_not_cut_off(gone, cause):
    """A node that neither DRBD nor Corosync reaches may be the one that is there."""
    (found,) = cut_off(BOTH, BOTH, *gone)
    assert found == cause


def test_cause_that_two_rules_name_explains_what_either_does():
    shutdown = told("node-shutdown", subject.node("app02"), "app02")
    ready = told("here-not-ready", subject.node("app02"), "app02")
    moves = told("resource-transition", subject.resource("FS"), "app01")
    assert causes(shutdown, ready, moves) == {"node-shutdown": [ready.key, moves.key]}


@pytest.mark.parametrize(
    ("nodes", "explained"),
    [(("app02",), True), (("app03",), False), (("app02", "app03"), False), ((), False)],
)
def test_what_hangs_on_one_node_explains_what_is_of_that_node_alone(nodes, explained):
    hangs = told("tool-timeout", subject.tool("crm_mon"), "app02")
    stale = told("view-stale", subject.node("app02"), *nodes)
    (cause, *rest) = faults(view(), (hangs, stale), CLUSTER_RULES)
    assert (stale in cause.follows) is explained
    assert bool(rest) is not explained


def test_service_that_failed_with_its_drbd_draws_no_other_node_into_the_fault():
    """A connection that is down where the service is stopped may have another cause."""
    seen = view(cluster(resources=(primitive(),)), cib=on_drbd(), drbd=(drbd(),))
    found = causes(
        told("drbd-quorum-lost", subject.volume("r0", 0), "storage02"),
        told("resource-stopped", subject.resource("FS"), "app03"),
        told("peer-connecting", subject.connection("r1", "app01", "app03"), "app03"),
        seen=seen,
    )
    assert found == {"drbd-quorum-lost": ["resource-stopped"], "peer-connecting": []}


def old(name, volume, *follows):
    """An outdated volume, and what follows from it."""
    about = subject.volume(name, volume)
    one = told("disk-outdated", about, "app01", text=f"{about}: Outdated on app01")
    return (one, *(told(key, about, text=f"{about}: syncs") for key in follows))


@pytest.mark.parametrize(
    ("findings", "texts"),
    [
        ((*old("r0", 0),), ["r0/0: Outdated on app01"]),
        (
            (*old("r0", 0), *old("r0", 1)),
            ["r0/0, r0/1: Outdated on app01"],
        ),
        (
            (*old("r0", 0), *old("r1", 0)),
            ["r0/0: Outdated on app01", "r1/0: Outdated on app01"],
        ),
        (
            (*old("r0", 0), *old("r1", 0), *old("r2", 0), *old("r3", 0)),
            ["Outdated on app01: 4 volumes (r0/0, r1/0 and 2 more)"],
        ),
    ],
)
def test_many_volumes_of_which_the_same_is_said_are_one_fault(findings, texts):
    """Two of one resource, or three; the others follow from the first."""
    found = faults(view(), findings)
    assert [each.cause.text for each in found] == texts
    assert found[0].cause.subject == findings[0].subject
    assert sum(1 + len(each.follows) for each in found) == len(findings)


def test_what_follows_from_one_of_many_volumes_follows_from_them_all():
    (found,) = faults(view(), (*old("r0", 0, "sync-target"), *old("r0", 1, "sync-target")))
    assert [(each.key, each.object) for each in found.follows] == [
        ("disk-outdated", "r0/1"),
        ("sync-target", "r0/0"),
        ("sync-target", "r0/1"),
    ]


@pytest.mark.parametrize(
    ("text", "nodes", "reason", "one"),
    [
        ("no node could take FS", ("app02", "app03"), "ban", True),
        ("no node could take FS", ("app03",), "ban", False),
        ("no node could take DB", ("app02",), "ban", False),
        ("no node could take FS", ("app02",), "drbd", False),
    ],
)
def test_service_that_nobody_could_take_for_the_reason_for_which_it_is_stopped(
    text, nodes, reason, one
):
    """It is named, and the reason is that of the same node."""
    down = told("clone-degraded", subject.resource("FS"), "app02", reason="ban")
    taken = told("no-candidate", subject.resource("DB"), *nodes, text=text, reason=reason)
    assert causes(down, taken) == (
        {"clone-degraded": ["no-candidate"]} if one else {"clone-degraded": [], "no-candidate": []}
    )


def test_two_that_give_no_reason_do_not_give_the_same_one():
    down = told("clone-degraded", subject.resource("FS"), "app02")
    taken = told("no-candidate", subject.resource("DB"), "app02", text="no node could take FS")
    assert causes(down, taken) == {"clone-degraded": [], "no-candidate": []}


@pytest.mark.parametrize(
    ("text", "nodes", "one"),
    [
        ("no node could take FS: app02 r0/0 has no UpToDate copy in reach", ("app02",), True),
        ("no node could take FS: app02 r1/0 has no UpToDate copy in reach", ("app02",), False),
        ("no node could take FS: app03 r0/0 has no UpToDate copy in reach", ("app03",), False),
    ],
)
def test_service_that_drbd_keeps_from_a_node(text, nodes, one):
    """It names the resource, and is about the node where something is wrong with it."""
    lost = told("copies-none", subject.volume("r0", 0), "app02")
    taken = told("no-candidate", subject.resource("FS"), *nodes, text=text, reason="drbd")
    assert ("no-candidate" in causes(lost, taken)) is not one


def test_rules_are_told_with_what_they_have_equal():
    lines = list(rule_lines())
    start = lines.index("mesh-isolated explains")
    assert lines[start : start + 5] == [
        "mesh-isolated explains",
        "  quorum-lost",
        "    with equal: names no node beyond its own, of which there are several",
        "  copies-none, drbd-quorum-lost",
        "    with equal: names one of its nodes, or none",
    ]


# -- what changed ------------------------------------------------------------------------------


def changed(before, after):
    """The facts of one view beside those of another."""
    sides = [Side([Judgement(each, Report())], ()) for each in (before, after)]
    return {each.name: (each.before, each.after) for each in difference(*sides).changes}


def test_facts_of_pacemaker_that_changed():
    part = primitive("FS")
    before = view(cluster(resources=(part,), history=(history("FS", fail_count=0),)))
    worse = part._replace(managed=False, failed=True, blocked=True, orphaned=True)
    after = view(
        cluster(
            (node("app01"), node("app02", standby=True), node("app03")),
            resources=(worse,),
            history=(history("FS", fail_count=3),),
            bans=(ban("FS", "app03", name="b"),),
            options=options(maintenance_mode=True),
            dc="app02",
        )
    )
    assert changed(before, after) == {
        "designated controller": ("app01", "app02"),
        "maintenance-mode": ("off", "on"),
        "node app02": ("online", "standby"),
        "resource FS": (
            "Started on app01",
            "Started on app01, failed, blocked, orphaned, unmanaged",
        ),
        "fail-count of FS on app01": (None, "3"),
        "constraint b": (None, "FS not on app03"),
    }
    assert changed(before, before) == {}


def test_resource_that_stopped_is_nowhere():
    before, after = (view(cluster(resources=(each,))) for each in (primitive("FS"), stopped("FS")))
    assert changed(before, after) == {"resource FS": ("Started on app01", "Stopped")}


def test_facts_of_drbd_that_changed():
    before = drbd_view(resource(connection("storage02")))
    after = drbd_view(
        resource(away("storage02"), devices=(device(quorum=False),), role=DrbdRole.PRIMARY)
    )
    assert changed(before, after) == {
        "role r0 on storage01": ("Secondary", "Primary"),
        "disk r0/0 on storage01": ("UpToDate", "UpToDate, no quorum"),
        "connection r0 storage01-storage02": ("Connected", "Connecting"),
        "replication r0/0 storage01-storage02": ("Established", "Off"),
    }


def test_quorum_that_is_not_asked_for_is_not_lost():
    before = drbd_view(resource(devices=(device(quorum=None),)))
    after = drbd_view(resource(devices=(client_device(),)))
    assert changed(before, after) == {"disk r0/0 on storage01": ("UpToDate", "Diskless")}


def test_what_nodes_say_differently_is_told_of_each():
    others = (node("app01"), node("app02"), node("app03", online=False))
    seen = [view(), view(cluster(others), here="app02")]
    agreed = [view(), view(here="app02")]
    sides = [Side([Judgement(each, Report()) for each in views], ()) for views in (agreed, seen)]
    found = {each.name: (each.before, each.after) for each in difference(*sides).changes}
    assert found == {"node app03 (seen from app02)": ("online", "offline")}


def test_what_nobody_was_asked_before_is_no_change():
    sides = [
        Side([Judgement(each, Report()) for each in views], ())
        for views in ([view()], [view(), view(here="app02")])
    ]
    found = {each.name: (each.before, each.after) for each in difference(*sides).changes}
    assert found == {"Pacemaker from app02": ("not known", "known")}


@pytest.mark.parametrize(("state", "told_of"), [(State.OK, 0), (State.WARNING, 1)])
def test_fault_that_is_ok_neither_came_nor_went(state, told_of):
    fault = Fault(told("some-key", R0, state=state))
    empty, one = Side([], ()), Side([], (fault,))
    assert len(difference(empty, one).came) == told_of
    assert len(difference(one, empty).went) == told_of


# -- what happened -----------------------------------------------------------------------------


def fenced(*events):
    return happened(view(cluster(fence_events=events)))


SUCCESS, FAILED, PENDING = FenceStatus.SUCCESS, FenceStatus.FAILED, FenceStatus.PENDING


def test_of_each_node_the_newest_fencing_that_is_over_is_told():
    assert fenced(
        fence_event("app01", PENDING),
        fence_event("app01", FAILED),
        fence_event("app01", SUCCESS),
        fence_event("app02", SUCCESS),
    ) == (
        "the fencing of app01 failed, 08:59:00Z",
        "app02 was fenced (reboot), 08:59:00Z",
    )


@pytest.mark.parametrize(
    ("count", "more"),
    [(3, ()), (4, ("fenced or tried, too: n3",)), (5, ("fenced or tried, too: n3, n4",))],
)
def test_of_many_fenced_nodes_three_are_told_whole(count, more):
    lines = fenced(*(fence_event(f"n{number}", SUCCESS) for number in range(count)))
    assert len(lines) == 3 + len(more)
    assert lines[3:] == more


def test_what_happened_to_a_node_is_its_fencing_and_its_shutdown():
    nodes = (node("app01"), node("app02", shutdown=True), node("app03"))
    known = cluster(nodes, fence_events=[fence_event(name, SUCCESS) for name in NAMES])
    shutdown = CibNode("app02", transient={"shutdown": "1795338000"})
    seen = view(known, cib=replace(cib(), nodes={"app02": shutdown}))
    about = {name: since(seen, told("node-shutdown", subject.node(name), name)) for name in NAMES}
    assert about["app01"] == ("app01 was fenced (reboot), 08:59:00Z",)
    assert [line.partition(" ")[0] for line in about["app02"]] == ["app02", "app02"]
    assert since(seen, told("resource-stopped", subject.resource("FS"))) == ()
    assert since(seen, told("disk-failed", R0)) == ()


# -- who hangs ---------------------------------------------------------------------------------

TIMEOUT = finding(TOOL_TIMEOUT, subject.tool("crm_mon"), "crm_mon did not answer", nodes=("app02",))
SLOW = Answer(None, (TIMEOUT,))


def hanging(*, text="crm_mon did not answer", speaker=None, nodes=("app02",), **answers):
    """What is said of app02, whose crm_mon did not answer, by what else answers there."""
    silent = Judgement(view(None, here="app02", **{"cluster": SLOW, **answers}), Report())
    other = Judgement(view(speaker, here="app01"), Report())
    seen = (other, silent)
    one = TIMEOUT._replace(text=text, subject=subject.tool(text.split()[0]))
    (own,) = of_itself(silent.view, [Report((one,))])
    one = own.findings[0]._replace(nodes=nodes)
    (found,) = with_daemons([one], seen, partitions(seen))
    return found


ANSWERS = {"links": links(), "cmap": cmap(), "votes": votes()}
ONE = ": crm_mon did not answer; app01 counts it as online"
NEITHER = "did not answer); app01 counts it as online"
COUNTED = "; app01 counts it as online"


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({}, f"crm_mon did not answer{COUNTED}: its daemons hang"),
        (
            {"links": SLOW},
            f"Corosync hangs, or the whole node (crm_mon, corosync-cfgtool {NEITHER}",
        ),
        (
            {**ANSWERS, "votes": SLOW},
            f"Corosync hangs, or the whole node (crm_mon, corosync-quorumtool {NEITHER}",
        ),
        (ANSWERS, f"Pacemaker hangs, Corosync answers{ONE}"),
        ({"cmap": cmap()}, f"Pacemaker hangs, Corosync answers{ONE}"),
        (
            {**ANSWERS, "cib": SLOW},
            f"pacemaker-based (the CIB) hangs, Corosync answers (crm_mon, cibadmin {NEITHER}",
        ),
        ({**ANSWERS, "cib": cib()}, f"pacemakerd or pacemaker-fenced hangs, the CIB answers{ONE}"),
    ],
)
def test_which_daemon_hangs_by_what_else_answers(answers, words):
    found = hanging(**answers)
    assert (found.text, found.reason) == (words, "daemon")
    assert found.next_step.startswith("on app02: ps -C corosync,pacemakerd,")


def test_nothing_more_is_told_of_a_node_that_is_lost_or_of_another_tool():
    nodes = (node("app01"), node("app02", online=False), node("app03"))
    for found in (
        hanging(speaker=cluster(nodes)),
        hanging(text="cibadmin did not answer"),
        hanging(nodes=("app02", "app03")),
        hanging(nodes=("app03",)),
    ):
        assert "counts it as online" not in found.text
        assert found.reason == ""


def silent_tool(name):
    about = subject.tool(name)
    return Answer(None, (finding(TOOL_TIMEOUT, about, f"{name} did not answer"),))


def of_tools_here(**answers):
    """What is said of the tools of this node, as object and text."""
    judged = report("overview", view(**answers))
    return [(e.object, e.text) for e in judged.findings if e.key == "tool-timeout"]


def test_tool_of_drbd_that_does_not_answer_is_not_taken_for_a_daemon_that_hangs():
    found = of_tools_here(
        known=silent_tool("crm_mon"), cib=cib(), links=links(), drbd=silent_tool("drbdsetup")
    )
    what = "pacemakerd or pacemaker-fenced hangs, the CIB answers: crm_mon did not answer"
    assert found == [("pacemaker", what), ("drbdsetup", "drbdsetup did not answer")]


LINKS_ALONE = [("corosync-cfgtool", "corosync-cfgtool did not answer")]
TWO_OF_THEM = [*LINKS_ALONE, ("corosync-quorumtool", "corosync-quorumtool did not answer")]
TOGETHER = "Corosync hangs (corosync-cfgtool, corosync-quorumtool did not answer)"


@pytest.mark.parametrize(
    ("silent", "answers", "found"),
    [
        (("links",), {}, LINKS_ALONE),
        (("links",), {"cmap": cmap()}, LINKS_ALONE),
        (("links", "votes"), {"cmap": cmap()}, TWO_OF_THEM),
        (("links", "votes"), {}, [("corosync", TOGETHER)]),
    ],
    ids=["one-alone", "one-of-two", "two-of-three", "all"],
)
def test_corosync_hangs_where_several_of_its_tools_do_not_answer_and_none_does(
    silent, answers, found
):
    names = {"links": "corosync-cfgtool", "votes": "corosync-quorumtool"}
    known = {each: silent_tool(names[each]) for each in silent}
    assert sorted(of_tools_here(**known, **answers)) == found
