"""``quorum``: can this partition act, and how many more votes can it lose?"""

from __future__ import annotations

import pytest

from build import (
    cluster,
    cmap,
    due,
    node,
    offline,
    options,
    remote,
    replace,
    report,
    run,
    said,
    view,
    votes,
)


def figures(total=3, of=3, needed=2, limits=";1:"):
    margin = f"votes_margin={total - needed}{limits}"
    return f"votes={total};;;0;{of} {margin} votes_needed={needed};;;0"


LOST = "partition without quorum: 1 of 3 votes, 2 needed; no-quorum-policy="
WITHOUT = LOST.replace(";", ", without app02, app03;")
NO_VOTE = "cannot lose a vote: 2 of 3 votes, 2 needed"

RECORDED = {
    "six-nodes-healthy/app01": (
        "OK",
        "quorate, 3 of 3 votes, can lose 1, DC app02",
        figures(),
    ),
    "ten-nodes/app01": (
        "OK",
        "quorate, 10 of 10 votes, can lose 4, DC app08",
        figures(10, 10, 6),
    ),
    # Corosync's tools denied, or not recorded: counted from the node list.
    "six-nodes-healthy-as-icingaha/app01": (
        "OK",
        "quorate, 3 of 3 votes, can lose 1, DC app02 (one vote a node assumed)",
        figures(),
    ),
    "controller-killed-on-app02/app01": (
        "WARNING",
        f"{NO_VOTE} (one vote a node assumed)",
        figures(2),
    ),
    # Corosync runs on the node whose Pacemaker is stopped: its vote is there.
    "pacemaker-stopped-on-app01/app02": (
        "OK",
        "quorate, 3 of 3 votes, can lose 1, DC app02",
        figures(),
    ),
    "app01-powered-off/app02": ("WARNING", NO_VOTE, figures(2)),
    "app02-cut-off/app02": (
        "CRITICAL",
        f"{LOST}stop: all resources stop".replace(";", ", without app01, app03;"),
        figures(1),
    ),
    "no-quorum-ignored/app01": (
        "CRITICAL",
        f"{WITHOUT}ignore: Pacemaker goes on as...",
        figures(1),
        f"[CRITICAL] {WITHOUT}ignore: Pacemaker goes on as if it had quorum",
    ),
    "no-quorum-demote/app01": (
        "CRITICAL",
        f"{WITHOUT}demote: promoted instances a...",
        figures(1),
        f"[CRITICAL] {WITHOUT}demote: promoted instances are demoted, the rest is stopped",
    ),
    "app01-started-alone/app01": (
        "CRITICAL",
        "no designated controller is elected (+1 more)",
        figures(1),
        "[CRITICAL] no designated controller is elected",
        f"[CRITICAL] {WITHOUT}stop: all resources stop",
    ),
    "nothing-started/app01": ("CRITICAL", "Corosync does not run on this node"),
    "six-nodes-healthy/storage01": (
        "UNKNOWN",
        "crm_mon: not in the snapshot (not installed there?)",
    ),
}


@pytest.mark.parametrize("snapshot", RECORDED)
def test_recorded(call, snapshot):
    assert run(call, "quorum", snapshot) == due("quorum", *RECORDED[snapshot])


@pytest.mark.parametrize(
    ("options", "state", "text", "limits"),
    [
        (("-c", "1:"), "OK", "quorate, 3 of 3 votes, can lose 1, DC app02", ";;1:"),
        (("-w", "2:"), "WARNING", "can lose 1 vote (3 of 3)", ";2:"),
        (("-w", "3:", "-c", "2:"), "CRITICAL", "can lose 1 vote (3 of 3)", ";3:;2:"),
    ],
)
def test_ranges_replace_the_margin(call, options, state, text, limits):
    output = due("quorum", state, text, figures(limits=limits))
    assert run(call, "quorum", "six-nodes-healthy/app01", *options) == output


def test_ranges_can_allow_that_no_vote_may_be_lost(call):
    output = due(
        "quorum",
        "OK",
        "quorate, 2 of 3 votes, can lose 0, DC app02",
        figures(2, limits=""),
    )
    assert run(call, "quorum", "app01-powered-off/app02", "-c", "0:") == output


def test_silenced_loss_is_not_called_quorate(call):
    silent = ("--severity", "quorum-lost=ok")
    output = due("quorum", "OK", "not quorate, 1 of 3 votes, can lose 0, DC app02", figures(1))
    assert run(call, "quorum", "app02-cut-off/app02", *silent) == output


# -- constructed ---------------------------------------------------------------------------------


def judge(known=None, **answers):
    return said(report("quorum", view(known, **answers)))


TWO = (node(), node("app02"))


def mixed():
    """app01 has one vote, app02 three, and app03 is down: what it has is not known."""
    counted = votes(("app01", "app02"), expected=5)
    first, second = counted.members
    return replace(counted, members=(first, replace(second, votes=3)), total=4)


ONE_LEFT = (node(), offline("app02"))

CASES = {
    "two-nodes-two-node-mode": (
        cluster(TWO),
        votes(("app01", "app02"), expected=2, flags=("2Node", "Quorate", "WaitForAll")),
        [],
    ),
    "two-nodes-one-lost-two-node-mode": (
        cluster(ONE_LEFT),
        votes(("app01",), expected=2, flags=("2Node", "Quorate")),
        [],
    ),
    "two-nodes-without-two-node-mode": (
        cluster(TWO),
        votes(("app01", "app02"), expected=2, flags=("Quorate",)),
        [("quorum-margin", "WARNING", "cannot lose a vote: 2 of 2 votes, 2 needed")],
    ),
    "two-nodes-corosync-not-asked": (cluster(ONE_LEFT), None, []),
    "one-node-cluster": (cluster([node()]), votes(("app01",), expected=1), []),
    "one-member-and-a-remote-node": (
        cluster([node(), remote("db1")]),
        votes(("app01",), expected=1),
        [],
    ),
    "four-nodes-one-lost": (
        cluster([*TWO, node("app03"), offline("app04")]),
        votes(expected=4),
        [("quorum-margin", "WARNING", "cannot lose a vote: 3 of 4 votes, 3 needed")],
    ),
    "remote-nodes-have-no-votes-corosync-not-asked": (
        cluster([*TWO, node("app03"), remote("db1"), remote("db2")]),
        None,
        [],
    ),
    "pacemaker-has-no-quorum-yet-corosync-has": (
        cluster(quorate=False),
        votes(),
        [
            (
                "quorum-lost",
                "CRITICAL",
                "partition without quorum: 3 of 3 votes, 2 needed;"
                " no-quorum-policy=stop: all resources stop",
            )
        ],
    ),
    "corosync-lost-it-pacemaker-has-not-noticed": (
        cluster(),
        votes(("app01",), quorate=False),
        [("quorum-lost", "CRITICAL", f"{LOST}stop: all resources stop")],
    ),
    "votes-three-each": (cluster(), votes(each=3, expected=9), []),
    "votes-expected-more-than-the-nodes-have": (
        cluster(),
        votes(expected=5),
        [
            ("quorum-margin", "WARNING", "cannot lose a vote: 3 of 5 votes, 3 needed"),
            ("votes-expected", "WARNING", "5 votes expected, the configured nodes have 3"),
        ],
    ),
    "votes-expected-fewer-than-the-nodes-have": (
        cluster(),
        votes(expected=2),
        [("votes-expected", "WARNING", "2 votes expected, the configured nodes have 3")],
    ),
    "votes-expected-counted-with-a-node-down": (
        cluster([*TWO, node("app03"), offline("app04")]),
        votes(expected=5),
        [
            ("quorum-margin", "WARNING", "cannot lose a vote: 3 of 5 votes, 3 needed"),
            ("votes-expected", "WARNING", "5 votes expected, the configured nodes have 4"),
        ],
    ),
    "votes-of-a-node-that-is-down-cannot-be-known": (
        cluster([*TWO, offline("app03")]),
        votes(("app01", "app02"), each=2, expected=5),
        [],
    ),
    "votes-of-a-node-that-is-down-beside-unequal-ones": (
        cluster([*TWO, offline("app03")]),
        mixed(),
        [],
    ),
    "last-man-standing-lowers-the-expected-votes": (
        cluster([*TWO, offline("app03")]),
        votes(("app01", "app02"), expected=2, flags=("LastManStanding",)),
        [("quorum-margin", "WARNING", "cannot lose a vote: 2 of 2 votes, 2 needed")],
    ),
    "qdevice-votes": (
        cluster(TWO),
        votes(
            ("app01", "app02"), expected=3, flags=("Qdevice",), qdevice=1, device_flags="A,V,NMW"
        ),
        [],
    ),
    "qdevice-does-not-vote": (
        cluster(TWO),
        votes(
            ("app01", "app02"), expected=3, flags=("Qdevice",), qdevice=0, device_flags="A,NV,NMW"
        ),
        [
            ("quorum-margin", "WARNING", NO_VOTE),
            ("qdevice-lost", "WARNING", "the quorum device does not vote"),
        ],
    ),
    "qdevice-not-alive": (
        cluster(TWO),
        votes(("app01", "app02"), expected=3, qdevice=0, device_flags="NA,NV,NMW"),
        [
            ("quorum-margin", "WARNING", NO_VOTE),
            ("qdevice-lost", "WARNING", "the quorum device is not alive"),
        ],
    ),
    "qdevice-not-registered": (
        cluster(TWO),
        votes(("app01", "app02"), expected=3, qdevice=0, device_flags="NR"),
        [
            ("quorum-margin", "WARNING", NO_VOTE),
            ("qdevice-lost", "WARNING", "the quorum device is not registered"),
        ],
    ),
    "qdevice-has-no-vote": (
        cluster(),
        votes(qdevice=0, device_flags="A,V,NMW"),
        [("qdevice-lost", "WARNING", "the quorum device has no vote")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_constructed_votes(case):
    known, counted, findings = CASES[case]
    assert judge(known, votes=counted) == findings


def test_constructed_qdevice_configured_and_its_daemon_not_started():
    answers = {"votes": votes(), "cmap": cmap(qdevice_model="net")}
    assert judge(**answers) == [
        ("qdevice-lost", "WARNING", "the quorum device is configured and not running")
    ]


def test_constructed_no_controller_where_corosync_is_quorate():
    assert judge(cluster(dc=None), votes=votes()) == [
        ("dc-missing", "CRITICAL", "no designated controller is elected")
    ]


def test_constructed_no_controller_and_corosync_not_asked():
    judged = report("quorum", view(cluster(dc=None)))
    assert said(judged) == [("dc-missing", "CRITICAL", "no designated controller is elected")]


def test_constructed_controller_that_does_not_tell_the_quorum():
    assert judge(cluster(quorate=None)) == [
        (
            "quorum-lost",
            "UNKNOWN",
            "crm_mon does not say whether this partition has quorum",
        )
    ]


@pytest.mark.parametrize(
    ("policy", "consequence"),
    [
        ("freeze", "what runs stays, nothing is recovered"),
        ("suicide", "the nodes of this partition fence themselves"),
        ("fence", "the nodes of this partition fence themselves"),
    ],
)
def test_constructed_policy_names_the_consequence(policy, consequence):
    known = cluster(quorate=False, options=options(no_quorum_policy=policy))
    [(_, state, text)] = judge(known, votes=votes(("app01",), quorate=False))
    assert (state, text) == ("CRITICAL", f"{LOST}{policy}: {consequence}")


def test_constructed_policy_that_nobody_knows_is_not_explained():
    known = cluster(quorate=False, options=options(no_quorum_policy="nonsense"))
    [(_, _, text)] = judge(known, votes=votes(("app01",), quorate=False))
    assert text == "partition without quorum: 1 of 3 votes, 2 needed"


def test_constructed_two_node_mode_is_said():
    counted = votes(("app01", "app02"), expected=2, flags=("2Node",))
    judged = report("quorum", view(cluster(TWO), votes=counted))
    assert judged.summary == "quorate, 2 of 2 votes, two-node mode, DC app01"


NO_VOTES = replace(votes(), provider="Not configured", total=None, expected=None, quorum=None)


def test_constructed_corosync_without_votequorum_tells_no_numbers():
    judged = report("quorum", view(cluster(), votes=NO_VOTES))
    assert said(judged) == []
    assert judged.summary == "quorate, votes not known, can lose not known, DC app01"


def test_constructed_quorum_lost_without_votequorum_tells_no_numbers():
    judged = report("quorum", view(cluster(), votes=replace(NO_VOTES, quorate=False)))
    assert [each.key for each in judged.findings] == ["quorum-lost"]
    assert "None" not in judged.findings[0].text
