"""What one tool's answer says about another's finding: the host, its stack, or the link."""

from __future__ import annotations

import pytest

from build import (
    NOW,
    cib,
    cluster,
    cmap,
    drbd,
    failure,
    fence_event,
    group,
    link,
    links,
    node,
    offline,
    on_drbd,
    options,
    peer,
    primitive,
    report,
    view,
    view_of,
)
from build import history as barred
from build_drbd import shown
from check_mccluster.checks.cluster import together
from check_mccluster.checks.failover import NO_CANDIDATE, NOT_READY
from check_mccluster.checks.registry import load
from check_mccluster.inputs.base import down
from check_mccluster.judge.beside import in_order
from check_mccluster.judge.faults import faults
from check_mccluster.model.configuration import CibNode, Configured
from check_mccluster.model.corosync import ConfiguredNode, LinkState
from check_mccluster.model.drbd import ConnectionState
from check_mccluster.model.drbd import Role as DrbdRole
from check_mccluster.model.pacemaker import FenceStatus, Filesystem
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import finding
from check_mccluster.verdict.problems import TOOL_TIMEOUT
from check_mccluster.verdict.view import Answer, Asked, Judgement

DOWN = LinkState.DISCONNECTED
CUT = ConnectionState.CONNECTING
GONE = (node(), node("app02"), offline("app03"))


def told(key, nodes=GONE, **evidence):
    known = evidence.pop("known", None) or cluster(nodes)
    findings = report("overview", view(known, **evidence)).findings
    (found,) = [each for each in findings if each.key == key]
    return found.text, found.next_step


@pytest.mark.parametrize(
    ("state", "others", "text", "step"),
    [
        (
            LinkState.CONNECTED,
            (),
            "app03 is offline; its Corosync is here, its Pacemaker is stopped or does not join",
            "on app03: systemctl status pacemaker; where it does not run: pcs cluster start;"
            " where it runs: timeout 10 crmadmin -S app03;",
        ),
        (
            DOWN,
            (peer("app03"),),
            "app03 is offline; its host is up (DRBD is connected), its cluster stack is not"
            " reached",
            "on app03: systemctl status corosync pacemaker;",
        ),
        (
            DOWN,
            (peer("app03", state=CUT), peer("app02")),
            "app03 is offline, no link to it is up, nor is DRBD connected",
            "Is app03 up? ping it over every ring address: corosync-cmapctl nodelist.node;",
        ),
        (
            DOWN,
            (peer("app02"),),
            "app03 is offline, no link to it is up",
            "Is app03 up? ping it over every ring address: corosync-cmapctl nodelist.node;",
        ),
    ],
)
def test_constructed_node_that_pacemaker_misses(state, others, text, step):
    known = links(link(2), link(3, 0, state))
    found = told("node-offline", links=known, drbd=(drbd(*others),) if others else ())
    assert found[0] == text
    assert found[1].startswith(step)


def test_constructed_node_of_which_nobody_else_says_anything():
    assert told("node-offline", links=None, drbd=())[0] == "app03 is offline"


def test_constructed_fenced_node_is_told_as_fenced_alone():
    event = fence_event("app03", FenceStatus.SUCCESS)._replace(delegate="app01")
    text, _ = told(
        "node-offline",
        known=cluster(GONE, fence_events=(event,)),
        links=links(link(2), link(3, 0, DOWN)),
        drbd=(),
    )
    assert text == "app03 is offline and was fenced by app01, 08:59:00Z"


@pytest.mark.parametrize(
    "known",
    [
        {"links": links(link(2), link(3))},
        {"links": links(link(2), link(3, 0, DOWN)), "drbd": (drbd(peer("app03")),)},
    ],
    ids=["corosync", "drbd"],
)
def test_constructed_fenced_node_that_is_reached_is_not_asked_whether_it_is_up(known):
    fenced = cluster(GONE, fence_events=(fence_event("app03", FenceStatus.SUCCESS),))
    _, step = told("node-offline", known=fenced, **{"drbd": (), **known})
    assert step.startswith("If app03 is off, switch it on; ")


@pytest.mark.parametrize(
    ("dc", "ran", "restarted"), [("app02", (), True), ("app02", ("IP",), False), (None, (), False)]
)
def test_constructed_node_that_its_own_pacemaker_calls_offline(dc, ran, restarted):
    """It is restarted only where nothing runs on it, and somebody is there who knows that."""
    base = cib()._replace(
        nodes={"app01": CibNode("app01")}, left_running={"app01": frozenset(ran)} if ran else {}
    )
    known = cluster((offline("app01"), node("app02")), dc=dc)
    text, step = told("node-offline", known=known, cib=base, drbd=())
    if dc:
        assert text == "app01 is offline to the others; its Pacemaker runs and has not joined them"
    assert step.startswith("on app01: timeout 10 crmadmin -S app01; ")
    assert (RESTART in step) is restarted


@pytest.mark.parametrize("reached", [True, False])
def test_constructed_partition_that_is_cut_off(reached):
    alone = (node(), offline("app02"), offline("app03"))
    state = ConnectionState.CONNECTED if reached else CUT
    others = (peer("app02", state=state), peer("app03", state=state), peer("storage01"))
    text, step = told(
        "quorum-lost",
        known=cluster(alone, quorate=False),
        links=links(link(2, 0, DOWN), link(3, 0, DOWN)),
        drbd=(drbd(*others),),
    )
    assert ", no link to app02, app03" + (" (DRBD reaches them)" if reached else "") in text
    assert "without app02" not in text
    assert step.startswith("on app02, app03: " if reached else "Are app02, app03 up? ping them")


@pytest.mark.parametrize(
    ("met", "since"),
    [
        ({1}, " since Corosync started on app01"),
        ({1, 2}, ""),
        ({1, 2, 3}, ""),
        ((), ""),
    ],
)
def test_constructed_partition_whose_others_were_never_there_is_not_said_to_have_lost_them(
    met, since
):
    alone = (node(), offline("app02"), offline("app03"))
    text, _ = told(
        "quorum-lost",
        known=cluster(alone, quorate=False),
        links=links(link(2, 0, DOWN), link(3, 0, DOWN)),
        cmap=cmap(met=frozenset(met)),
        drbd=(drbd(peer("app02"), peer("app03")),),
    )
    assert f", no link to app02, app03{since} (DRBD reaches them)" in text


def test_constructed_partition_of_which_the_links_carry():
    alone = (node(), offline("app02"), offline("app03"))
    text, _ = told(
        "quorum-lost",
        known=cluster(alone, quorate=False),
        links=links(link(2), link(3, 0, DOWN)),
        drbd=(),
    )
    assert "without app02, app03" in text


def test_constructed_peer_whose_cluster_stack_runs():
    others = (peer("app03", state=CUT), peer("storage01"))
    text, step = told("peer-connecting", nodes=None, drbd=(drbd(*others),))
    assert text.endswith("; the cluster stack of app03 runs, the port or link of DRBD does not")
    assert step.startswith("on app03: drbdadm status r0; without an answer: drbdadm up r0;")


@pytest.mark.parametrize(
    "nodes",
    [
        (node(), node("app02")),
        (node(), node("app02"), node("app03", pending=True)),
        (node(), node("app02"), node("app03", unclean=True)),
    ],
)
def test_constructed_peer_of_whose_stack_nothing_is_known(nodes):
    found = report(
        "overview",
        view(cluster(nodes), drbd=(drbd(peer("app03", state=CUT), peer("storage01")),)),
    ).findings
    assert not [each.text for each in found if "cluster stack" in each.text]


# -- a controller that hangs -------------------------------------------------------------------


def history(controller=None, ran=(), base=None):
    """A CIB that knows of app03 whether its controller is there, and what it ran last."""
    nodes = {"app03": CibNode("app03", controller=controller)}
    left = {"app03": frozenset(ran)} if ran else {}
    return (base or cib())._replace(nodes=nodes, left_running=left)


RESTART = "else, as nothing runs there: systemctl restart pacemaker"


@pytest.mark.parametrize(("ran", "restarted"), [((), True), (("IP",), False)])
def test_constructed_controller_in_the_process_group_is_not_stopped(ran, restarted):
    text, step = told("node-offline", links=links(link(2), link(3)), cib=history(True, ran))
    assert text == "app03 is offline; its Pacemaker runs and does not join"
    assert step.startswith("on app03: timeout 10 crmadmin -S app03; without an answer")
    assert (RESTART in step) is restarted


@pytest.mark.parametrize("controller", [False, None])
def test_constructed_controller_that_may_be_stopped(controller):
    text, step = told("node-offline", links=links(link(2), link(3)), cib=history(controller))
    assert text.endswith("its Corosync is here, its Pacemaker is stopped or does not join")
    assert RESTART not in step


def test_constructed_word_of_the_cib_is_old_where_nobody_leads():
    known = cluster(GONE, dc=None)
    text, _ = told("node-offline", known=known, links=links(link(2), link(3)), cib=history(True))
    assert "is stopped or does not join" in text


def test_constructed_node_alone_is_offline_to_nobody():
    known = cluster((offline("app01"), offline("app02"), offline("app03")), dc=None)
    seen = view(known, cib=history(), drbd=())
    own = next(e for e in report("overview", seen).findings if e.nodes == ("app01",))
    assert own.text == "app01 is offline until there is a controller; its Pacemaker runs"
    assert RESTART not in own.next_step


# -- what a lost node may still run ------------------------------------------------------------

UP = group(primitive("FS", "app01"), primitive("DB", "app01"))
LOST = links(link(2), link(3, 0, DOWN))
DANGER = "app03 is offline and not fenced (fencing is disabled): group1 may still run there"


def lost(resources=(UP,), ran=("FS", "DB"), base=None, known=None, **evidence):
    """A lost app03 that ran something when it was last heard of."""
    known = known or cluster(GONE, resources)
    return told("node-offline", known=known, links=LOST, cib=history(None, ran, base), **evidence)


def test_constructed_lost_node_that_nothing_fences_may_still_run_what_runs_here():
    text, step = lost()
    assert text == f"{DANGER}; no link to it is up"
    assert step.startswith("on app03 (console, ssh): does group1 run there, too? then stop it on")


FOUR = tuple(map(primitive, ("A", "B", "C", "D")))


def test_constructed_many_services_of_a_lost_node_are_counted():
    text, step = lost(FOUR, ("A", "B", "C", "D"))
    assert "(fencing is disabled): A, B and 2 more may still run there; " in text
    assert step.startswith("on app03 (console, ssh): does A, B and 2 more run there, too? ")


def test_constructed_mount_is_what_is_looked_for():
    other = Filesystem("OTHER", "/dev/sdb1", "/other")
    base = cib(filesystems=(other, Filesystem("FS", "/dev/drbd0", "/srv")))
    base = base._replace(
        resources={
            "group1": Configured("group1", "group", None, ("FS",)),
            "FS": Configured("FS", "primitive", "group1"),
        }
    )
    _, step = lost(base=base)
    assert step.startswith("on app03 (console, ssh): findmnt /srv: does group1 run there, too?")


@pytest.mark.parametrize(
    "changed",
    [
        {"ran": ()},  # it told of its stops before it left
        {"ran": ("OTHER",)},
        {"resources": (group(primitive("FS", "app03"), primitive("DB", "app03")),)},
        {"known": cluster(GONE, (UP,), options=options(fencing_enabled=True))},
        {"known": cluster(GONE, (UP,), fence_events=(fence_event("app03", FenceStatus.SUCCESS),))},
    ],
    ids=["left-in-order", "ran-something-else", "runs-nowhere-else", "fencing", "fenced"],
)
def test_constructed_lost_node_of_which_no_danger_is_told(changed):
    assert "may still run" not in lost(**changed)[0]


@pytest.mark.parametrize(
    ("gone", "here", "quorum", "danger"),
    [
        (peer("app03", state=CUT), DrbdRole.PRIMARY, "majority", False),
        (peer("app03", state=CUT), DrbdRole.PRIMARY, "off", True),
        (peer("app03", state=CUT), DrbdRole.SECONDARY, "majority", True),
        (peer("app03"), DrbdRole.SECONDARY, "off", False),
        (peer("app03", DrbdRole.PRIMARY), DrbdRole.SECONDARY, "majority", True),
    ],
    ids=[
        "primary-with-quorum",
        "no-quorum-asked",
        "no-primary",
        "it-is-secondary",
        "it-is-primary",
    ],
)
def test_constructed_drbd_rules_a_second_user_out(gone, here, quorum, danger):
    known = drbd(gone, peer("storage01"), role=here)
    text, _ = lost(base=on_drbd(), drbd=(known,), show=(shown(quorum=quorum),))
    assert ("may still run there" in text) is danger


@pytest.mark.parametrize(
    ("policy", "fencing", "danger"),
    [("ignore", False, True), ("ignore", True, False), ("stop", False, False)],
)
def test_constructed_partition_that_ignores_that_it_has_no_quorum(policy, fencing, danger):
    asked = options(no_quorum_policy=policy, fencing_enabled=fencing)
    alone = cluster((node(), offline("app02")), (UP,), quorate=False, options=asked)
    text, step = told("quorum-lost", known=alone, cib=cib())
    twice = "partition without quorum, group1 may run twice: "
    assert text.startswith(twice) is danger
    assert step.startswith("on app02 (console, ssh): does group1 run there, too?") is danger


@pytest.mark.parametrize(("quorum", "danger"), [(True, False), (False, True)])
def test_constructed_primary_without_drbds_quorum_rules_nobody_out(quorum, danger):
    known = drbd(peer("app03", state=CUT), peer("storage01"), quorum=quorum)
    text, _ = lost(base=on_drbd(), drbd=(known,), show=(shown(quorum="majority"),))
    assert ("may still run there" in text) is danger


def test_constructed_many_services_of_a_partition_that_goes_on_are_counted():
    asked = options(no_quorum_policy="ignore")
    alone = cluster((node(), offline("app02")), FOUR, quorate=False, options=asked)
    text, _ = told("quorum-lost", known=alone, cib=cib())
    assert text.startswith("partition without quorum, A, B and 2 more may run twice: ")


# -- what waits for lost nodes -----------------------------------------------------------------


def test_constructed_what_waits_for_a_lost_node_has_its_step():
    known = cluster(GONE, (UP,))
    offline_step = told("node-offline", known=known, links=LOST, drbd=())[1]
    text, step = told("no-candidate", known=known, links=LOST, drbd=())
    assert text.endswith(
        ": if app01 fails too, the quorum is lost (2 of 3 votes, 2 needed; one vote a node assumed)"
    )
    assert step == offline_step


def test_constructed_service_that_is_said_to_run_on_a_lost_node_has_its_step():
    known = cluster(GONE, (group(primitive("FS", "app03")),))
    _, step = told("resource-on-lost-node", known=known, links=LOST, drbd=())
    assert step == told("node-offline", known=known, links=LOST, drbd=())[1]


def test_constructed_what_waits_for_several_lost_nodes_asks_for_all_of_them():
    alone = cluster((node(), offline("app02"), offline("app03")), (UP,), quorate=False)
    _, step = told("no-candidate", known=alone, links=LOST, drbd=())
    assert step.startswith("Are app02, app03 up? ping them over every ring address")


@pytest.mark.parametrize("more", [False, True])
def test_constructed_lost_nodes_are_pinged_at_four_addresses_and_no_more(more):
    """Two rings each; with a third ring of one the list is shorter."""
    alone = cluster((node(), offline("app02"), offline("app03")), (UP,), quorate=False)
    rings = {"app02": ("10.0.0.2", "10.0.1.2"), "app03": ("10.0.0.3", "10.0.1.3")}
    if more:
        rings["app03"] += ("10.0.2.3",)
    listed = tuple(
        ConfiguredNode(int(name[-1]), name, 1, tuple(enumerate(found)))
        for name, found in rings.items()
    )
    _, step = told("no-candidate", known=alone, links=LOST, drbd=(), cmap=cmap(nodes=listed))
    pinged = "; ".join(f"ping -c 3 {each}" for found in rings.values() for each in found)
    asked = "ping them over every ring address: corosync-cmapctl nodelist.node" if more else pinged
    assert step.startswith(f"Are app02, app03 up? {asked}")


def test_constructed_margin_asks_for_the_node_that_is_missing():
    _, step = told("quorum-margin", links=LOST, drbd=())
    assert step.startswith("Is app03 up? ping it over every ring address: ")


# -- a peer that the cluster has not missed yet ------------------------------------------------


@pytest.mark.parametrize(
    ("peers", "text"),
    [
        (
            (peer("app03", state=CUT), peer("storage01")),
            "app03 is reached neither by Corosync nor by DRBD, and the cluster does not report it"
            " offline yet; group1 ran there",
        ),
        (
            (peer("app03"),),
            "no link to app03 is connected (DRBD reaches it), and the cluster does not report it"
            " offline yet; group1 ran there",
        ),
        (
            (peer("storage01"),),
            "no link to app03 is connected, and the cluster does not report it offline yet;"
            " group1 ran there",
        ),
    ],
    ids=["drbd-lost-it-too", "drbd-reaches-it", "no-drbd-there"],
)
def test_constructed_peer_that_was_just_lost(peers, text):
    known = cluster(None, (group(primitive("FS", "app03")),))
    timing = cmap(token_ms=12_650, consensus_ms=15_180)
    found = told("peer-unreachable", known=known, links=LOST, drbd=(drbd(*peers),), cmap=timing)
    assert found[0] == text
    assert found[1].endswith("; look again after 28 s (token + consensus)")


@pytest.mark.parametrize("fencing", [False, True])
def test_constructed_unclean_node_that_nobody_fences(fencing):
    nodes = (node(), node("app02"), node("app03", online=False, unclean=True))
    known = cluster(nodes, options=options(fencing_enabled=fencing))
    text, step = told("node-unclean", known=known, drbd=())
    assert text.endswith("nobody fences it (fencing is disabled)") is not fencing
    assert ("stonith_admin --confirm" in step) is fencing


def test_constructed_many_services_of_a_peer_that_was_just_lost_are_counted():
    """What runs elsewhere did not run there, nor is a fence device a service."""
    there = tuple(primitive(name, "app03") for name in ("A", "B", "C", "D"))
    device = primitive("fence-app01", "app03", agent="stonith:fence_x")
    known = cluster(None, (primitive("HERE"), device, *there))
    text, _ = told("peer-unreachable", known=known, links=LOST, drbd=())
    assert text.endswith(" does not report it offline yet; A, B and 2 more ran there")


# -- a node that is unclean ---------------------------------------------------------------------

UNCLEAN = (node(), node("app02"), node("app03", online=False, unclean=True))
VANISHED = "app03 is unclean: its Pacemaker vanished, its state is unknown"
HANGS = (
    "app03 is unclean: its Corosync is here, its controller does not join (it hangs or restarts)"
)
LOOK = "on app03: systemctl status corosync pacemaker; journalctl -u pacemaker"
ALL_UP = links(link(2), link(3))


@pytest.mark.parametrize(
    ("known", "controller", "here", "text", "step"),
    [
        (ALL_UP, None, "app01", f"{VANISHED}; its Corosync is here", LOOK),
        (ALL_UP, True, "app01", f"{VANISHED}; its Corosync is here", LOOK),
        (ALL_UP, False, "app01", HANGS, "on app03: timeout 10 crmadmin -S app03; "),
        (None, False, "app03", HANGS, "on app03: timeout 10 crmadmin -S app03; "),
        (None, None, "app03", VANISHED, LOOK),
        (LOST, False, "app01", f"{VANISHED}; no link to it is up", "Is app03 up? "),
        (LOST, None, "app01", f"{VANISHED}; no link to it is up", "Is app03 up? "),
    ],
    ids=[
        "nothing-told",
        "did-not-leave",
        "left",
        "left-by-its-own-word",
        "by-its-own-word",
        "left-and-cut-off",
        "cut-off",
    ],
)
def test_constructed_unclean_node_whose_controller_left_or_not(known, controller, here, text, step):
    seen = {"here": here, "cib": history(controller), "links": known, "drbd": ()}
    found = told("node-unclean", UNCLEAN, **seen)
    assert found[0] == text
    assert found[1].startswith(step)


@pytest.mark.parametrize(
    ("state", "also"), [(CUT, ", nor is DRBD connected"), (None, "")], ids=["cut", "no-drbd"]
)
def test_constructed_unclean_node_that_drbd_misses_too(state, also):
    others = (peer("app02"), *((peer("app03", state=state),) if state else ()))
    text, _ = told("node-unclean", UNCLEAN, links=LOST, drbd=(drbd(*others),))
    assert text == f"{VANISHED}; no link to it is up{also}"


def test_constructed_node_that_is_here_and_is_to_be_fenced_is_told_as_that():
    nodes = (node(), node("app02"), node("app03", unclean=True))
    text, step = told("node-unclean", nodes, links=ALL_UP, cib=history(False), drbd=())
    assert text == "app03 is unclean and waits for fencing"
    assert step == f"{LOOK}; the fencing: crm_mon -1 -m"


# -- what is to be fenced, and is not -----------------------------------------------------------

FAILS = (fence_event("app01", FenceStatus.PENDING), fence_event("app01", FenceStatus.FAILED))
FENCED = options(fencing_enabled=True)
DEVICE = primitive("fence-app02", "app02", agent="stonith:fence_x")


def for_hosts(hosts):
    known = Configured("fence-app02", "primitive", parameters={"pcmk_host_list": hosts})
    return cib(fence_devices=("fence-app02",))._replace(resources={"fence-app02": known})


@pytest.mark.parametrize(
    ("hosts", "resources", "events", "then"),
    [
        ("app02", True, (), "; then a device that can fence it: pcs stonith create --help"),
        (None, False, (), "; then a device that can fence it: pcs stonith create --help"),
        ("", True, ("app03",), "; the device: stonith_admin --history app03 --verbose"),
        ("", True, (), ""),
    ],
    ids=["not-for-it", "none", "fails", "not-yet"],
)
def test_constructed_step_of_a_lost_node_ends_with_what_is_wrong_with_its_fencing(
    hosts, resources, events, then
):
    states = (FenceStatus.PENDING, FenceStatus.FAILED)
    past = tuple(fence_event(name, state) for name in events for state in states)
    known = cluster(UNCLEAN, (DEVICE,) * resources, options=FENCED, fence_events=past)
    base = {} if hosts is None else {"cib": for_hosts(hosts)}
    _, step = told("node-unclean", known=known, links=LOST, drbd=(), **base)
    assert step.endswith(f"only where app03 is surely off: stonith_admin --confirm app03{then}")


def causes(known, **evidence):
    judged = report("overview", view(known, here="app02", **evidence))
    return [fault.cause for fault in judged.faults if fault.cause.state.name == "CRITICAL"]


def test_constructed_stop_that_failed_and_a_fencing_that_fails_are_one_fault():
    nodes = (node("app01", unclean=True), node("app02"), node("app03"))
    members = group(primitive("FS"), primitive("WEB", failed=True))
    stop = failure("WEB", "app01", task="stop", exit_status="error", exit_reason="it hangs")
    known = cluster(nodes, (members, DEVICE), options=FENCED, failures=(stop,), fence_events=FAILS)
    (cause,) = causes(known, cib=for_hosts("app01"))
    assert cause.key == "resource-failed"
    assert cause.text == (
        "WEB (group1) could not be stopped on app01 (it hangs); app01 is to be fenced for that,"
        " and its fencing fails (reboot, 08:59:00Z)"
    )
    assert cause.next_step == (
        "on app01: journalctl -u pacemaker --grep WEB; stop it by hand; then: crm_resource"
        " --cleanup -r WEB -N app01; the device: stonith_admin --history app01 --verbose"
    )
    findings = report("overview", view(known, links=LOST)).findings
    assert not [each for each in findings if "--confirm" in each.next_step]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (fence_event("app01", FenceStatus.PENDING), " (under way)"),
        (fence_event("app03", FenceStatus.PENDING), ""),
        (fence_event("app01", FenceStatus.SUCCESS), ""),
        (None, ""),
    ],
    ids=["its-own", "of-another", "an-old-one", "none"],
)
def test_constructed_fencing_of_a_lost_node_that_is_under_way(event, words):
    nodes = (offline("app01", unclean=True), node("app02"), node("app03"))
    events = () if event is None else (event,)
    held = group(primitive("FS"))
    known = cluster(nodes, (held, DEVICE), options=FENCED, fence_events=events)
    text, _ = told("node-unclean", known=known, here="app02", cib=for_hosts(""))
    assert f"; nobody has group1 until it is fenced{words}" in text
    assert ("under way" in text) is bool(words)


def test_constructed_of_many_fence_devices_and_their_nodes_two_are_told():
    hosts = "n1 n2 n3 n4"
    names = [f"fence-{letter}" for letter in "abcd"]
    devices = {
        name: Configured(name, "primitive", parameters={"pcmk_host_list": hosts}) for name in names
    }
    known = cib(fence_devices=tuple(names))._replace(resources=devices)
    nodes = (offline("app01", unclean=True), node("app02"), node("app03"))
    held = (group(primitive("FS")), *(DEVICE._replace(id=name) for name in names))
    (cause,) = causes(cluster(nodes, held, options=FENCED), cib=known)
    only_for = "only n1, n2 and 2 more"
    assert cause.text == (
        f"app01 is lost (unclean) and no device can fence it (fence-a: {only_for}, fence-b:"
        f" {only_for} and 2 more): group1 is not taken over"
    )


@pytest.mark.parametrize(
    ("known", "resources", "events", "why"),
    [
        (for_hosts("app02"), (DEVICE,), (), "no device can fence it (fence-app02: only app02)"),
        (None, (), (), "no fence device is configured"),
        (for_hosts(""), (DEVICE,), FAILS, "its fencing fails (reboot, 08:59:00Z)"),
    ],
    ids=["not-for-it", "none", "fails"],
)
def test_constructed_lost_node_that_is_not_fenced_is_one_fault(known, resources, events, why):
    nodes = (offline("app01", unclean=True), node("app02"), node("app03"))
    held = group(primitive("FS"))
    seen = cluster(nodes, (held, *resources), options=FENCED, fence_events=events)
    evidence = {"cib": known} if known is not None else {}
    (cause,) = causes(seen, **evidence)
    assert cause.text == f"app01 is lost (unclean) and {why}: group1 is not taken over"


def test_constructed_unclean_node_says_of_itself_what_hangs():
    nodes = (node(), node("app02"), node("app03", online=False, unclean=True))
    lost = CibNode("app03", controller=False)
    known = cib()._replace(nodes={"app03": lost})
    seen = view(cluster(nodes), here="app03", cib=known, links=LOST)
    (found,) = [e for e in report("overview", seen).findings if e.key == "node-unclean"]
    assert found.text == (
        "app03 is unclean: its Corosync is here, its controller does not join (it hangs or"
        " restarts)"
    )
    assert "--confirm" not in found.next_step


# -- several nodes ------------------------------------------------------------------------------


def joined(*views):
    seen = [Judgement(one, report("overview", one)) for one in views]
    return [f.cause for f in together(seen, {}, Asked()).faults if f.state.name == "CRITICAL"]


def without_cluster(here, what):
    known = Answer(None, (down(f"{what} does not run on this node"),))
    return view_of(here, NOW, cluster=known)


def test_constructed_node_that_was_not_asked_and_one_that_was_have_stopped_their_pacemaker():
    nodes = (offline("app01"), node("app02"), offline("app03"))
    known = cluster(nodes, (group(primitive("FS", "app02")),), dc="app02")
    carried = links(link(1), link(3))
    (cause,) = joined(
        without_cluster("app01", "Pacemaker"), view(known, here="app02", links=carried)
    )
    assert cause.nodes == ("app01", "app03")
    assert cause.text == (
        "app01, app03: Pacemaker does not run (app03 not asked: perhaps it runs and does not join)"
    )
    assert cause.next_step.startswith("on app01, app03: journalctl")


def test_constructed_node_that_is_cut_off_does_not_follow_from_another_whose_pacemaker_stopped():
    nodes = (offline("app01"), node("app02"), offline("app03"))
    known = cluster(nodes, (group(primitive("FS", "app02")),), dc="app02")
    cut = view(known, here="app02", links=links(link(1), link(3, 0, DOWN)))
    found = joined(without_cluster("app01", "Pacemaker"), cut)
    assert [(each.key, each.object) for each in found] == [
        ("pacemaker-down", "app01"),
        ("node-offline", "app03"),
    ]


def test_constructed_partition_names_what_the_missing_say_of_themselves():
    nodes = (node("app01"), offline("app02"), offline("app03"))
    alone = view(cluster(nodes, quorate=False), links=links(link(2, 0, DOWN), link(3, 0, DOWN)))
    (cause,) = joined(alone, without_cluster("app02", "Corosync"))
    assert cause.key == "quorum-lost"
    assert "app02, app03 (app02: Corosync does not run)" in cause.text
    assert cause.next_step.startswith("on app02: pcs cluster start; ")
    assert "Is app03 up?" in cause.next_step


def test_constructed_partition_of_whose_missing_none_was_asked():
    known = cluster((node(), node("app02"), offline("app03"), offline("app04")), quorate=False)
    (cause,) = joined(*(view(known, here=name) for name in ("app01", "app02")))
    assert cause.text == (
        "partition without quorum: 2 of 4 votes, 3 needed (one vote a node assumed), without app03,"
        " app04; no-quorum-policy=stop: all resources stop"
    )
    assert cause.next_step.startswith("corosync-cfgtool -s; where the host is up, on app03: ")


def test_constructed_service_that_is_called_like_the_missing_node_is_not_taken_for_it():
    nodes = (node("app01"), offline("app02"))
    asked = options(no_quorum_policy="ignore")
    services = (group(primitive("FS"), name="app02-web"),)
    alone = view(cluster(nodes, services, quorate=False, options=asked), cib=cib())
    (cause,) = joined(alone, without_cluster("app02", "Corosync"))
    assert cause.text.startswith("partition without quorum, app02-web may run twice: 1 of 2 votes")
    assert ", without app02 (app02: Corosync does not run); no-quorum-policy=ignore" in cause.text
    # Without Corosync Pacemaker ended there, its services did not.
    assert cause.next_step.startswith(
        "on app02 (console, ssh): does app02-web run there, too? then stop it on one side;"
        " on app02: pcs cluster start; "
    )


def silent(tool):
    """What a tool says that does not answer."""
    about = subject.tool(tool)
    return Answer(None, (finding(TOOL_TIMEOUT, about, f"{tool} did not answer"),))


def test_constructed_lost_node_says_of_itself_which_daemon_hangs():
    known = cluster((offline("app01"), node("app02"), node("app03")), dc="app02")
    hangs = view_of("app01", NOW, cluster=silent("crm_mon"), cib=cib(), links=links(link(2)))
    (cause,) = joined(hangs, view(known, here="app02"))
    assert cause.key == "node-offline"
    assert cause.text == (
        "app01 is offline: pacemakerd or pacemaker-fenced hangs, the CIB answers: crm_mon did not"
        " answer"
    )
    assert cause.next_step.startswith("on app01: ps -C corosync,pacemakerd,")


def test_constructed_fenced_node_that_is_off_is_switched_on_and_its_services_are_named():
    done = (fence_event("app03", FenceStatus.SUCCESS),)
    known = cluster(GONE, (group(primitive("FS", "app02")),), fence_events=done)
    text, step = told("node-offline", known=known, links=LOST)
    assert text.endswith("; group1 runs on app02")
    assert step.startswith("Is app03 up? ")
    assert "; if not, switch it on; then on app03: journalctl -b -1 " in step


def test_constructed_service_that_no_node_can_take_says_why_not_here_once():
    about = subject.resource("WEB")
    nowhere = finding(NO_CANDIDATE, about, "no node could start WEB", nodes=("app01", "app02"))
    words = ("app01 is not ready to take WEB: c1", "app01 is not ready to take WEB, API: c1")
    for text, number in zip(words, (1, 2)):
        here = finding(
            NOT_READY, subject.node("app01"), text, nodes=("app01",), reason="colocation"
        )
        assert len(faults(view(cluster()), (nowhere, here))) == number


# -- DRBD beside Pacemaker ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "cleaned"), [(1, ("A",)), (3, ("A", "B", "C")), (5, ("A", "B", "C"))]
)
def test_constructed_first_of_what_drbd_barred_is_cleaned_up(count, cleaned):
    """What stands on no DRBD, and what failed less often than bars it, is none of that."""
    names = "ABCDE"[:count]
    known = cluster(
        resources=tuple(primitive(name, None) for name in (*names, "NET", "ONCE")),
        history=(
            *(barred(name, fail_count=1_000_000) for name in ("NET", *names)),
            barred("ONCE"),
            barred("F", fail_count=0),
        ),
    )
    mounts = tuple(Filesystem(name, "/dev/drbd0", "/srv") for name in (*names, "ONCE", "F"))
    lost = drbd(peer("storage01", state=CUT), quorum=False)
    _, step = told("drbd-quorum-lost", known=known, cib=cib(filesystems=mounts), drbd=(lost,))
    commands = "; ".join(f"crm_resource --cleanup -r {name}" for name in cleaned)
    assert step.endswith(f"; when DRBD is well again: {commands}")


@pytest.mark.parametrize(
    ("facts", "gone", "looked"),
    [
        ({"suspended_fencing": True}, "app03", True),
        ({"suspended_fencing": True}, "storage01", False),
        ({"suspended_user": True}, "app03", False),
    ],
    ids=["member", "no-member", "by-hand"],
)
def test_constructed_io_that_waits_for_the_fencing_of_a_member(facts, gone, looked):
    known = drbd(peer(gone, state=CUT), suspended=False)._replace(suspended=True, **facts)
    _, step = told("io-suspended", nodes=GONE, drbd=(known,))
    assert step.endswith("; stonith_admin --history app03 --verbose") is looked
    assert ("stonith_admin" in step) is looked


def test_what_waits_for_many_primaries_counts_them():
    kinds = {kind.key: kind for name in ("consistency", "nodes") for kind in load(name).kinds}
    away = [finding(kinds["primary-elsewhere"], subject.resource(name), "") for name in "ABCD"]
    over = finding(kinds["cluster-maintenance"], subject.cluster("cluster"), "")
    told = in_order(view(cluster()), [*away, over])
    assert [*told] == [over]
    first = "Not before A, B and 2 more are where their Primaries are; then, "
    assert told[over].next_step.startswith(first)
