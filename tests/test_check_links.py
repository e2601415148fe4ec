"""``links``: do all Corosync links carry?"""

from __future__ import annotations

import pytest

from build import (
    Answer,
    cluster,
    cmap,
    due,
    link,
    links,
    node,
    offline,
    report,
    ring,
    run,
    said,
    view,
    votes,
)
from check_mccluster.model.corosync import ConfiguredNode, LinkState


def figures(connected=2, of=2, reachable=2):
    return f"links_connected={connected};{of}:;;0;{of} peers_reachable={reachable};;;0"


UNREPORTED = "no link to app01 is connected, and the cluster does not report it offline yet"

RECORDED = {
    "six-nodes-healthy/app01": ("OK", "2 peers on 1 link, all connected", figures()),
    "ten-nodes/app01": ("OK", "9 peers on 1 link, all connected", figures(9, 9, 9)),
    # Only Corosync counts here.
    "pacemaker-stopped-on-app01/app01": ("OK", "2 peers on 1 link, all connected", figures()),
    "app01-just-died/app02": ("CRITICAL", UNREPORTED, figures(1, 2, 1)),
    "app01-died-long-token/app02": ("CRITICAL", UNREPORTED, figures(1, 2, 1)),
    "app01-powered-off/app02": (
        "WARNING",
        "no link to app01, which Pacemaker has as offline",
        figures(1, 2, 1),
    ),
    "app02-cut-off/app02": (
        "WARNING",
        "no link to app01, which Pacemaker has as offline;"
        " no link to app03, which Pacemaker has as offline",
        figures(0, 2, 0),
        "[WARNING] no link to app01, which Pacemaker has as offline",
        "[WARNING] no link to app03, which Pacemaker has as offline",
    ),
    "nothing-started/app01": ("CRITICAL", "Corosync does not run on this node"),
    "six-nodes-healthy-as-icingaha/app01": (
        "UNKNOWN",
        "corosync-cfgtool: access denied by Corosync; needs --sudo or a uidgid entry",
    ),
    "six-nodes-healthy/storage01": (
        "UNKNOWN",
        "corosync-cfgtool: not in the snapshot (not installed there?)",
    ),
}


@pytest.mark.parametrize("snapshot", RECORDED)
def test_recorded(call, snapshot):
    assert run(call, "links", snapshot) == due("links", *RECORDED[snapshot])


def test_silenced_fault_is_not_called_connected(call):
    silent = ("--severity", "peer-unreachable=ok")
    output = due("links", "OK", "2 peers on 1 link, 1 of 2 links connected", figures(1, 2, 1))
    assert run(call, "links", "app01-powered-off/app02", *silent) == output


# -- constructed ---------------------------------------------------------------------------------

DOWN = LinkState.DISCONNECTED


def judge(known=None, **answers):
    return said(report("links", view(known, **answers)))


def test_constructed_one_of_two_links_down():
    several = links(link(2), link(2, 1, DOWN), link(3), link(3, 1))
    assert judge(links=several) == [
        ("link-down", "WARNING", "link 1 to app02 is down, 1 of 2 are up")
    ]


def test_constructed_one_of_three_links_down_to_both_peers():
    several = links(
        *(link(peer, n, DOWN if n else LinkState.CONNECTED) for peer in (2, 3) for n in (0, 1, 2))
    )
    assert judge(links=several) == [
        ("link-down", "WARNING", "link 1, 2 to app02 is down, 1 of 3 are up"),
        ("link-down", "WARNING", "link 1, 2 to app03 is down, 1 of 3 are up"),
    ]


def test_constructed_lost_node_is_one_finding_however_many_links_it_had():
    several = links(link(2, 0, DOWN), link(2, 1, DOWN), link(3), link(3, 1))
    known = cluster([node(), offline("app02"), node("app03")])
    assert judge(known, links=several) == [
        ("peer-unreachable", "WARNING", "no link to app02, which Pacemaker has as offline")
    ]


def test_constructed_unclean_node_is_known_to_be_down():
    known = cluster([node(), node("app02", unclean=True), node("app03")])
    assert judge(known, links=links(link(2, 0, DOWN), link(3))) == [
        ("peer-unreachable", "WARNING", "no link to app02, which Pacemaker has as unclean")
    ]


def test_constructed_standby_node_is_not_known_to_be_down():
    known = cluster([node(), node("app02", standby=True), node("app03")])
    [(key, state, _)] = judge(known, links=links(link(2, 0, DOWN), link(3)))
    assert (key, state) == ("peer-unreachable", "CRITICAL")


def test_constructed_without_pacemaker_the_membership_tells():
    configured = cmap(
        nodes=(*(ConfiguredNode(n, f"app0{n}", 1) for n in (1, 2)), ConfiguredNode(3, None, 1))
    )
    lost = links(link(2, 0, DOWN), link(3, 0, DOWN))
    members = votes(("app01", "app03"))
    assert judge(Answer(), links=lost, votes=members, cmap=configured) == [
        ("peer-unreachable", "WARNING", "no link to app02, which is no member any more"),
        (
            "peer-unreachable",
            "CRITICAL",
            "no link to app03 is connected, and the cluster does not report it offline yet",
        ),
    ]


def test_constructed_with_nothing_but_the_links_peers_have_numbers():
    assert judge(Answer(), links=links(link(7, 0, DOWN))) == [
        (
            "peer-unreachable",
            "CRITICAL",
            "no link to node 7 is connected, and the cluster does not report it offline yet",
        )
    ]


def test_constructed_corosync_2_rings():
    judged = report("links", view(links=links(ring(0), ring(1, LinkState.FAULTY))))
    assert said(judged) == [("link-faulty", "WARNING", "ring 1 (10.1.0.1) is FAULTY")]
    judged = report("links", view(links=links(ring(0), ring(1))))
    assert (said(judged), judged.summary) == ([], "2 rings, all connected")


def test_constructed_one_node_alone():
    judged = report("links", view(cluster([node()]), links=links()))
    assert (said(judged), judged.summary) == ([], "0 peers on 1 link, all connected")
