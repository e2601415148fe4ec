"""``failures``: what went wrong, and what does it leave behind?"""

from __future__ import annotations

import pytest

from build import (
    clone,
    cluster,
    due,
    failure,
    group,
    history,
    primitive,
    report,
    run,
    said,
    view,
)
from check_mccluster.app.options import RangeType

DAY = 86_400


def figures(count=0, actions=0, barred=0, limits="0;"):
    return (
        f"fail_count_max={count};{limits};0 failed_actions={actions};;;0 nodes_barred={barred};0;;0"
    )


NOT_MOUNTED = "Couldn't mount device [/dev/drbd0] as /srv/data"
NOT_WRITTEN = "Failed to write status file /srv/data/.Filesystem_status/FS_DRBD_app01"
START = "FS_DRBD is barred from app02: fail-count INFINITY of 1 (start: error,"
MONITOR = "FS_DRBD is barred from app01: fail-count 1 of 1 (monitor: error,"
AGENT = "(monitor: not installed, NoSuchAgent: No such file or directory, 6 s ago)"

RECORDED = {
    "six-nodes-healthy/app01": ("OK", "no failed actions, no fail-counts", figures()),
    "mysql-failed-and-recovered/app01": (
        "WARNING",
        "MYSQL failed 1 time on app01 (monitor: not running, 13 s ago)",
        figures(1, 1),
    ),
    "app01-barred/app01": (
        "WARNING",
        "FS_DRBD is barred from app01: fail-count 1 of 1 (monitor: not running, 8 s ago)",
        figures(1, 1, 1),
    ),
    "start-failed-without-drbd-quorum/app01": (
        "WARNING",
        f"{START} {NOT_MOUNTED}... (+1 more)",
        figures(1_000_000, 2, 2),
        f"[WARNING] {START} {NOT_MOUNTED}, 18 s ago)",
        f"[WARNING] {MONITOR} {NOT_WRITTEN}, 50 s ago)",
    ),
    "pacemaker-2.0.5-start-failed/app01": (
        "WARNING",
        f"{START} {NOT_MOUNTED}... (+1 more)",
        figures(1_000_000, 2, 2),
        f"[WARNING] {START} {NOT_MOUNTED}, 34 s ago)",
        f"[WARNING] {MONITOR} {NOT_WRITTEN}, 66 s ago)",
    ),
    "dovecot-blocked/app01": (
        "WARNING",
        "DOVECOT is barred from app02: fail-count INFINITY (stop: error, 6 s ago)",
        figures(1_000_000, 1, 1),
    ),
    "clone-failed-on-one-node/app01": (
        "WARNING",
        "ping is barred from app02: fail-count 1 of 1 (monitor: not running, 9 s ago)",
        figures(1, 1, 1),
    ),
    # Recorded without a fail-count: a probe.
    "pacemaker-2.0.5-agent-not-installed/app01": (
        "WARNING",
        f"NOAGENT failed on app02 {AGENT} (+2 more)",
        figures(0, 3),
        f"[WARNING] NOAGENT failed on app02 {AGENT}",
        f"[WARNING] NOAGENT failed on app03 {AGENT}",
        f"[WARNING] NOAGENT failed on app01 {AGENT}",
    ),
    "nothing-started/app01": ("CRITICAL", "Corosync does not run on this node"),
}


@pytest.mark.parametrize("snapshot", RECORDED)
def test_recorded(call, snapshot):
    assert run(call, "failures", snapshot) == due("failures", *RECORDED[snapshot])


RECOVERED = RECORDED["mysql-failed-and-recovered/app01"][1]
OPTIONS = {
    "ranges-allow-it": (
        ("-w", "0:5"),
        ("OK", "1 failed action, 1 fail-count", figures(1, 1, limits="5;")),
    ),
    "ranges-replace-the-default": (
        ("-w", "0:0", "-c", "0:0"),
        ("CRITICAL", RECOVERED, figures(1, 1, limits="0;0")),
    ),
    "severity": (
        ("--severity", "fail-count=critical"),
        ("CRITICAL", RECOVERED, figures(1, 1)),
    ),
    "silenced": (
        ("--severity", "fail-count=ok"),
        ("OK", "1 failed action, 1 fail-count", figures(1, 1)),
    ),
    # The count stays until somebody cleans up, however old the failure is.
    "a-fail-count-does-not-age": (
        ("--max-failure-age", "1"),
        ("WARNING", RECOVERED, figures(1, 1)),
    ),
    "another-resource": (
        ("-r", "POSTFIX"),
        ("OK", "no failed actions, no fail-counts", figures()),
    ),
    "the-group-around-it": (("-r", "group1"), ("WARNING", RECOVERED, figures(1, 1))),
    "glob": (("-r", "MY*"), ("WARNING", RECOVERED, figures(1, 1))),
    "no-such-resource": (
        ("-r", "MYSQ"),
        ("CRITICAL", "MYSQ is not configured in the cluster", figures()),
    ),
    "no-match": (("-r", "X*"), ("UNKNOWN", "no resource matches X*", figures())),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options(call, case):
    options, output = OPTIONS[case]
    assert run(call, "failures", "mysql-failed-and-recovered/app01", *options) == due(
        "failures", *output
    )


def test_ranges_do_not_free_a_barred_node(call):
    outcome = run(call, "failures", "app01-barred/app01", "-w", "0:100")
    state, text, _ = RECORDED["app01-barred/app01"]
    assert outcome == due("failures", state, text, figures(1, 1, 1, limits="100;"))


@pytest.mark.parametrize(("age", "code"), [(5, 0), (7, 1)])
def test_old_failed_actions_are_forgiven(call, age, code):
    snapshot = "pacemaker-2.0.5-agent-not-installed/app01"
    outcome = run(call, "failures", snapshot, "--max-failure-age", age)
    assert outcome[0] == code
    if code == 0:
        expected = ("OK", "3 failed actions, no fail-counts", figures(0, 3))
        assert outcome == due("failures", *expected)


# -- constructed ---------------------------------------------------------------------------------


def judge(past=(), actions=(), resources=None, **asked):
    known = cluster(None, resources or (primitive(),), history=tuple(past), failures=tuple(actions))
    return said(report("failures", view(known), **asked))


BARRED = "FS is barred from app01: fail-count"
CASES = {
    "under-the-threshold": (
        [history(fail_count=2, threshold=3)],
        [("fail-count", "WARNING", "FS failed 2 times on app01")],
    ),
    "at-the-threshold": (
        [history(fail_count=3, threshold=3)],
        [("node-barred", "WARNING", f"{BARRED} 3 of 3")],
    ),
    "above-the-threshold": (
        [history(fail_count=5, threshold=3)],
        [("node-barred", "WARNING", f"{BARRED} 5 of 3")],
    ),
    "no-threshold": (
        [history(fail_count=7, threshold=1_000_000)],
        [("fail-count", "WARNING", "FS failed 7 times on app01")],
    ),
    "no-threshold-and-infinity": (
        [history(fail_count=1_000_000, threshold=1_000_000)],
        [("node-barred", "WARNING", f"{BARRED} INFINITY")],
    ),
    "threshold-unknown": (
        [history(fail_count=2, threshold=None)],
        [("fail-count", "WARNING", "FS failed 2 times on app01")],
    ),
    "threshold-zero-means-never": (
        [history(fail_count=2, threshold=0)],
        [("fail-count", "WARNING", "FS failed 2 times on app01")],
    ),
    "threshold-zero-means-never-for-infinity-too": (
        [history(fail_count=1_000_000, threshold=0)],
        [("fail-count", "WARNING", "FS failed INFINITY times on app01")],
    ),
    "count-of-nought": ([history(fail_count=0)], []),
    "two-nodes": (
        [history(on="app01"), history(on="app02", threshold=1)],
        [
            ("fail-count", "WARNING", "FS failed 1 time on app01"),
            ("node-barred", "WARNING", "FS is barred from app02: fail-count 1 of 1"),
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_constructed_fail_count(case):
    past, findings = CASES[case]
    assert judge(past) == findings


def test_constructed_newest_of_several_failures_is_folded_into_the_count():
    actions = (
        failure(seconds_ago=7200, task="start", exit_status="error"),
        failure(seconds_ago=300, exit_reason="no answer"),
        failure(seconds_ago=9000),
    )
    assert judge([history(fail_count=3)], actions) == [
        (
            "fail-count",
            "WARNING",
            "FS failed 3 times on app01 (monitor: not running, no answer, 5 min ago)",
        )
    ]


def test_constructed_failures_of_two_nodes_are_not_folded_together():
    actions = (failure(on="app01"), failure(on="app02"))
    assert judge([history(on="app01")], actions) == [
        ("fail-count", "WARNING", "FS failed 1 time on app01 (monitor: not running, 60 s ago)"),
        ("failed-action", "WARNING", "FS failed on app02 (monitor: not running, 60 s ago)"),
    ]


def test_constructed_instances_of_a_clone_are_folded_by_their_resource():
    known = (clone(primitive("ping:0"), primitive("ping:1", "app02")),)
    judged = judge([history("ping")], [failure("ping:0")], known)
    assert judged == [
        (
            "fail-count",
            "WARNING",
            "ping failed 1 time on app01 (monitor: not running, 60 s ago)",
        )
    ]


def test_constructed_several_failed_actions_are_one_finding():
    actions = (failure(seconds_ago=DAY * 3), failure(seconds_ago=DAY * 4))
    assert judge(actions=actions) == [
        (
            "failed-action",
            "WARNING",
            "FS failed on app01 (monitor: not running, 3 d ago) (+1 more)",
        )
    ]


def test_constructed_age_counts_from_the_newest_of_them():
    actions = (failure(seconds_ago=DAY * 3), failure(seconds_ago=DAY * 4))
    limits = {"values": {"max_failure_age": DAY * 3.5}}
    assert [key for key, _, _ in judge(actions=actions, **limits)] == ["failed-action"]
    assert judge(actions=actions, values={"max_failure_age": DAY * 2.0}) == []


def test_constructed_failure_without_a_time_never_ages():
    judged = judge(actions=[failure(time=None)], values={"max_failure_age": 1.0})
    assert judged == [("failed-action", "WARNING", "FS failed on app01 (monitor: not running)")]


def test_constructed_failure_in_the_future_of_a_clock_that_is_off():
    [(_, _, text)] = judge(actions=[failure(seconds_ago=-90)])
    assert text == "FS failed on app01 (monitor: not running, 0 s ago)"


@pytest.mark.parametrize("word", ["Timed Out", "Timed out", "Timeout"])
def test_constructed_operation_that_timed_out(word):
    [(_, _, text)] = judge(actions=[failure(status=word, exit_status="error", task="stop")])
    assert text == "FS failed on app01 (stop: timed out, 60 s ago)"


def test_constructed_failure_without_words():
    action = failure(exit_status=None, status=None, exit_code=99, task=None)
    [(_, _, text)] = judge(actions=[action])
    assert text == "FS failed on app01 (operation: exit code 99, 60 s ago)"


def test_constructed_figures_follow_the_filter():
    known = cluster(
        None,
        (group(primitive("FS")), primitive("IP")),
        history=(history("FS", fail_count=4), history("IP", fail_count=9)),
        failures=(failure("FS"), failure("IP"), failure("IP", "app02")),
    )
    judged = report("failures", view(known), patterns=("group1",))
    assert {figure.label: figure.value for figure in judged.figures} == {
        "failed_actions": 1,
        "nodes_barred": 0,
        "fail_count_max": 4,
    }


def test_constructed_ranges_by_count():
    past = [history("A", fail_count=1), history("B", fail_count=3), history("C", fail_count=9)]
    ranges = {
        "warning": RangeType().convert("2", None, None),
        "critical": RangeType().convert("5", None, None),
    }
    assert [each[:2] for each in judge(past, **ranges)] == [
        ("fail-count", "WARNING"),
        ("fail-count", "CRITICAL"),
    ]
