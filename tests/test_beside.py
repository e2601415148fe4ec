"""What one tool's answer says about another's finding: the host, its stack, or the link."""

from __future__ import annotations

import pytest

from build import (
    cluster,
    cmap,
    drbd,
    fence_event,
    link,
    links,
    node,
    offline,
    peer,
    report,
    view,
)
from check_mccluster.model.corosync import LinkState
from check_mccluster.model.drbd import ConnectionState
from check_mccluster.model.pacemaker import FenceStatus

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
            " where it runs: journalctl -u pacemaker",
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
    assert text == "app03 is offline and was fenced by app01, 08:59:00"


def test_constructed_node_that_its_own_pacemaker_calls_offline():
    text, step = told("node-offline", nodes=(offline("app01"), node("app02")), drbd=())
    assert text == "app01 is offline to the others; its Pacemaker runs and has not joined them"
    assert step.startswith("on app01: timeout 10 crmadmin -S app01; ")


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
