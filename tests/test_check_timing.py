"""timing: recorded states with the whole output, the case's published figures, and rules."""

from __future__ import annotations

import re

import pytest

from build import NOW, SNAPSHOTS, altered, run, short, view_of
from build_drbd import Case, configuration, judge, place, shown, shown_connection
from check_mccluster.model.corosync import Cmap

RECORDED = [
    Case(
        "six-nodes-healthy/app01",
        0,
        "TIMING OK - Corosync 27.83 s > DRBD 12.0 s (bound)",
        """
        corosync_consensus=15.18s;;;0 corosync_detection=27.83s;;;0 corosync_token=12.65s;;;0
        drbd_detection=12.0s;;;0 margin=15.83s;@~:0
        """,
    ),
    Case(
        "six-nodes-healthy/app02",
        0,
        "TIMING OK - Corosync 27.83 s > DRBD 12.0 s (bound)",
        """
        corosync_consensus=15.18s;;;0 corosync_detection=27.83s;;;0 corosync_token=12.65s;;;0
        drbd_detection=12.0s;;;0 margin=15.83s;@~:0
        """,
    ),
    Case(
        "six-nodes-healthy/storage01",
        3,
        "TIMING UNKNOWN - corosync-cmapctl: not in the snapshot (not installed there?)",
        """
        drbd_detection=12.0s;;;0
        """,
    ),
    Case(
        "six-nodes-healthy-as-nagios/app01",
        3,
        "TIMING UNKNOWN - corosync-cmapctl: access denied by Corosync; needs --sudo or a"
        " uidgid entry",
        """
        drbd_detection=12.0s;;;0
        """,
    ),
    Case(
        "storage-servers-lost/app03",
        0,
        "TIMING OK - Corosync 27.83 s > DRBD 12.0 s (bound)",
        """
        corosync_consensus=15.18s;;;0 corosync_detection=27.83s;;;0 corosync_token=12.65s;;;0
        drbd_detection=12.0s;;;0 margin=15.83s;@~:0
        """,
    ),
    Case(
        "nothing-started/app01",
        2,
        "TIMING CRITICAL - Corosync does not run on this node; no DRBD resource is up"
        " on this node; expected: r0",
    ),
    Case(
        "no-resource-up/storage01",
        2,
        "TIMING CRITICAL - no DRBD resource is up on this node; expected: r0; corosync-cmapctl:"
        " not in the snapshot (not installed there?)",
    ),
    Case(
        "module-not-loaded/storage01",
        2,
        "TIMING CRITICAL - the DRBD kernel module is not loaded (modprobe: ERROR: "
        "could not insert 'drbd': Operation not permitted) (+1 more)",
    ),
    Case(
        "utils-9.1.0-answer-cut/app01",
        3,
        "TIMING UNKNOWN - corosync-cmapctl: not in the snapshot (not installed there?) (+1 more)",
    ),
    Case(
        "three-nodes-healthy/app01",
        3,
        "TIMING UNKNOWN - drbdsetup: not in the snapshot (not installed there?)",
        """
        corosync_consensus=1.98s;;;0 corosync_detection=3.63s;;;0 corosync_token=1.65s;;;0
        """,
    ),
]


@pytest.mark.parametrize("case", RECORDED, ids=place)
def test_recorded_states(call, case):
    assert run(call, "timing", case.place) == case.due


def test_long_output_has_all_figures_with_their_units(call):
    outcome = call("timing", "-vv", "--from", SNAPSHOTS / "six-nodes-healthy/app01")
    options = "timeout 6 s, ping-int 10 s, ping-timeout 2 s, connect-int 10 s, ko-count 7"
    assert outcome.lines[1:] == [
        "looked at corosync: token 12650 ms, consensus 15180 ms, token_retransmit 3011 ms,"
        " token_retransmits_before_loss_const 4",
        *(
            f"looked at drbd r0 to {peer}: {options}"
            for peer in ("app02", "app03", "storage01", "storage02", "storage03")
        ),
    ]


# -- the case's published figures ---------------------------------------------------------------


def site(folder, corosync: tuple[int, int], drbd: tuple[int, int, int]):
    """Constructed: the recorded healthy app01 with the published figures in its documents.

    :param corosync: runtime token and consensus in milliseconds.
    :param drbd: timeout (0.1 s), connect-int, ping-int (s); ping-timeout is DRBD's default, 0.5 s.
    """
    node = altered(folder, "six-nodes-healthy/app01")
    cmap = node / "corosync-cmapctl.txt"
    text = cmap.read_text()
    for key, value in zip(("token", "consensus"), corosync):
        line = rf"(?m)^(runtime\.config\.totem\.{key} \(u32\)) = \d+$"
        text, count = re.subn(line, rf"\1 = {value}", text)
        assert count == 1
    cmap.write_text(text)
    show = node / "drbd-show.json"
    text = show.read_text()
    keys = ("timeout", "connect-int", "ping-int", "ping-timeout")
    for key, value in zip(keys, (*drbd, 5)):
        text, count = re.subn(rf'"{key}": "\d+"', f'"{key}": "{value}"', text)
        assert count == 5
    show.write_text(text)
    return node


DEFAULT_TOTEM = (3650, 4380)
LONG_TOTEM = (20650, 24780)
DEFAULT_DRBD = (60, 10, 10)
LONG_DRBD = (200, 30, 30)


@pytest.mark.parametrize(
    ("corosync", "drbd", "options", "code", "first"),
    [
        (
            DEFAULT_TOTEM,
            DEFAULT_DRBD,
            (),
            1,
            "WARNING - Corosync's 8.03 s is not longer than DRBD's 10.5 s (bound, r0 to app02)",
        ),
        (
            DEFAULT_TOTEM,
            LONG_DRBD,
            (),
            1,
            "WARNING - Corosync's 8.03 s is not longer than DRBD's 30.5 s (bound, r0 to app02)",
        ),
        (LONG_TOTEM, LONG_DRBD, (), 0, "OK - Corosync 45.43 s > DRBD 30.5 s (bound)"),
        (LONG_TOTEM, DEFAULT_DRBD, (), 0, "OK - Corosync 45.43 s > DRBD 10.5 s (bound)"),
        (
            DEFAULT_TOTEM,
            DEFAULT_DRBD,
            ("--bound", "mean"),
            0,
            "OK - Corosync 8.03 s > DRBD 5.5 s (mean)",
        ),
        (
            DEFAULT_TOTEM,
            LONG_DRBD,
            ("--bound", "mean"),
            1,
            "WARNING - Corosync's 8.03 s is not longer than DRBD's 15.5 s (mean, r0 to app02)",
        ),
        (
            LONG_TOTEM,
            LONG_DRBD,
            ("--bound", "mean"),
            0,
            "OK - Corosync 45.43 s > DRBD 15.5 s (mean)",
        ),
    ],
)
def test_published_figures(call, tmp_path, corosync, drbd, options, code, first):
    outcome = call("timing", "--from", site(tmp_path, corosync, drbd), *options)
    assert (outcome.code, outcome.first) == (code, f"TIMING {first}")


def test_published_figures_as_performance_data(call, tmp_path):
    outcome = call("timing", "--from", site(tmp_path, LONG_TOTEM, LONG_DRBD))
    assert outcome.out == (
        "TIMING OK - Corosync 45.43 s > DRBD 30.5 s (bound) | corosync_consensus=24.78s;;;0"
        " corosync_detection=45.43s;;;0 corosync_token=20.65s;;;0 drbd_detection=30.5s;;;0"
        " margin=14.93s;@~:0\n"
    )


def test_recorded_totem_of_the_article_has_the_published_runtime_values():
    path = SNAPSHOTS / "app01-died-long-token/app02/corosync-cmapctl.txt"
    text = path.read_text()
    assert "runtime.config.totem.token (u32) = 20650\n" in text
    assert "runtime.config.totem.consensus (u32) = 24780\n" in text


# -- ranges on the margin -----------------------------------------------------------------------

LITTLE = "Corosync's 45.43 s is little longer than DRBD's 30.5 s (bound, r0 to app02)"
RACE = "Corosync's 8.03 s is not longer than DRBD's 10.5 s (bound, r0 to app02)"


@pytest.mark.parametrize(
    ("totem", "drbd", "options", "code", "first", "perfdata"),
    [
        (
            LONG_TOTEM,
            LONG_DRBD,
            ("-w", "10:"),
            0,
            "OK - Corosync 45.43 s > DRBD 30.5 s (bound)",
            "margin=14.93s;10:",
        ),
        (
            LONG_TOTEM,
            LONG_DRBD,
            ("-w", "14.93:"),
            0,
            "OK - Corosync 45.43 s > DRBD 30.5 s (bound)",
            "margin=14.93s;14.93:",
        ),
        (LONG_TOTEM, LONG_DRBD, ("-w", "15:"), 1, f"WARNING - {LITTLE}", "margin=14.93s;15:"),
        (
            LONG_TOTEM,
            LONG_DRBD,
            ("-w", "20:", "-c", "15:"),
            2,
            f"CRITICAL - {LITTLE}",
            "margin=14.93s;20:;15:",
        ),
        (
            DEFAULT_TOTEM,
            DEFAULT_DRBD,
            ("-c", "0:"),
            2,
            f"CRITICAL - {RACE}",
            "margin=-2.47s",
        ),
        (
            DEFAULT_TOTEM,
            DEFAULT_DRBD,
            ("-w", "-5:"),
            0,
            "OK - Corosync 8.03 s <= DRBD 10.5 s (bound)",
            "margin=-2.47s;-5:",
        ),
        (
            DEFAULT_TOTEM,
            DEFAULT_DRBD,
            ("--severity", "failover-race=critical"),
            2,
            f"CRITICAL - {RACE}",
            "margin=-2.47s;@~:0",
        ),
    ],
)
def test_ranges_replace_the_default(call, tmp_path, totem, drbd, options, code, first, perfdata):
    outcome = call("timing", "--from", site(tmp_path, totem, drbd), *options)
    assert (outcome.code, outcome.first) == (code, f"TIMING {first}")
    assert outcome.lines[0].split()[-1] == perfdata


# -- filter and missing evidence ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code", "first"),
    [
        (("-r", "r0"), 0, "OK - Corosync 27.83 s > DRBD 12.0 s (bound)"),
        (("-r", "r*"), 0, "OK - Corosync 27.83 s > DRBD 12.0 s (bound)"),
        (("-r", "r9"), 2, "CRITICAL - r9 is not up on this node"),
        (("-r", "r0", "-r", "r9"), 2, "CRITICAL - r9 is not up on this node"),
        (("-r", "m*"), 3, "UNKNOWN - no DRBD resource matches m*"),
    ],
)
def test_filter(call, options, code, first):
    found = short(call, "timing", "six-nodes-healthy/app01", *options)
    assert found == (code, f"TIMING {first}", None)


def test_resource_of_the_configuration_file_that_is_not_up(call, tmp_path):
    config = configuration(tmp_path, '[drbd.r0]\n[drbd.r1]\nreplicas = ["app01"]\n')
    listed = ('["r0"]', '["r0", "r1"]')
    node = altered(tmp_path, "six-nodes-healthy/app01", listed, file="meta.json")
    outcome = call("timing", "--from", node, "--config", config)
    assert (outcome.code, outcome.first) == (2, "TIMING CRITICAL - r1 is not up on this node")


def test_resource_of_the_configuration_file_that_drbd_does_not_know(call, tmp_path):
    config = configuration(tmp_path, '[drbd.r0]\n[drbd.r1]\nreplicas = ["app01"]\n')
    outcome = call("timing", "--from", SNAPSHOTS / "six-nodes-healthy/app01", "--config", config)
    assert (outcome.code, outcome.first) == (
        3,
        "TIMING UNKNOWN - configuration: drbd.r1: r1 is not a DRBD resource of this node"
        " (known: r0)",
    )


def test_cmap_without_runtime_keys(call, tmp_path):
    """Constructed: a recorded cmap without its runtime.config.totem keys."""
    node = altered(tmp_path, "six-nodes-healthy/app01")
    cmap = node / "corosync-cmapctl.txt"
    lines = [line for line in cmap.read_text().splitlines(True) if "runtime.config" not in line]
    cmap.write_text("".join(lines))
    outcome = call("timing", "--from", node)
    assert (outcome.code, outcome.out) == (
        3,
        "TIMING UNKNOWN - corosync-cmapctl: no runtime token and consensus"
        " | drbd_detection=12.0s;;;0\n",
    )


def test_show_without_ping_int(call, tmp_path):
    """Constructed: a recorded document as it would be without --show-defaults."""
    node = altered(
        tmp_path,
        "six-nodes-healthy/app01",
        ('"ping-int": "10"', '"ping-int-is-not": "10"'),
        file="drbd-show.json",
    )
    outcome = call("timing", "--from", node)
    assert (outcome.code, outcome.first) == (
        3,
        "TIMING UNKNOWN - drbdsetup show: r0 has a connection without ping-int",
    )


# -- rules on constructed states ----------------------------------------------------------------

LATE = Cmap(20650, 24780, 2024, 10, (), 0, None, None, None, None)


def timing(*resources, cmap: Cmap = LATE, **asked):
    """What the rule says of these resources' options."""
    return judge("timing", view_of("storage01", NOW, cmap=cmap, show=resources or None), **asked)


def test_slowest_connection_of_all_resources_counts():
    slow = shown("r1", shown_connection("storage02"), shown_connection("app01", ping_int_s=45.0))
    assert timing(shown(), slow).findings == (
        (
            "failover-race",
            "WARNING",
            "Corosync's 45.43 s is not longer than DRBD's 45.5 s (bound, r1 to app01)",
        ),
    )


def test_equal_times_are_a_race():
    exact = shown("r0", shown_connection("app01", ping_int_s=44.93))
    assert [f[0] for f in timing(exact).findings] == ["failover-race"]


def test_race_is_judged_whatever_the_option_quorum_says():
    slow = shown("r0", shown_connection("app01", ping_int_s=60.0), quorum="off")
    assert [f[0] for f in timing(slow).findings] == ["failover-race"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        # timeout counts tenths of a second in the file: 100 are 10 s, not 100 s.
        ({"timeout_s": 9.9}, None),
        ({"timeout_s": 10.0}, "timeout 10 s is not below ping-int 10 s and connect-int 10 s"),
        ({"timeout_s": 20.0, "connect_int_s": 30.0}, "timeout 20 s is not below ping-int 10 s"),
        ({"timeout_s": 20.0, "ping_int_s": 30.0}, "timeout 20 s is not below connect-int 10 s"),
        ({"timeout_s": 20.0, "ping_int_s": 30.0, "connect_int_s": 30.0}, None),
        ({"timeout_s": None}, None),
    ],
)
def test_order_of_drbds_timeouts(changes, text):
    options = shown("r0", shown_connection("app01"), shown_connection("app02", **changes))
    expected = () if text is None else (("timeout-order", "WARNING", f"r0: {text}"),)
    assert timing(options).findings == expected


@pytest.mark.parametrize(
    ("timeout", "drbd", "code", "first"),
    [
        (200, (200, 30, 30), 0, "OK - Corosync 45.43 s > DRBD 30.5 s (bound)"),
        (300, (300, 30, 30), 1, "WARNING - r0: timeout 30 s is not below ping-int 30 s and"),
    ],
)
def test_timeout_is_read_in_tenths_of_a_second(call, tmp_path, timeout, drbd, code, first):
    outcome = call("timing", "--from", site(tmp_path, LONG_TOTEM, drbd))
    assert outcome.code == code
    assert outcome.first.startswith(f"TIMING {first}")


@pytest.mark.parametrize(
    ("seconds", "findings"),
    [
        (0.1, (("ping-too-short", "WARNING", "r0: ping-timeout is 100 ms"),)),
        (0.2, (("ping-too-short", "WARNING", "r0: ping-timeout is 200 ms"),)),
        (0.3, ()),
        (0.5, ()),
    ],
)
def test_short_ping_timeout(seconds, findings):
    short = [shown_connection(name, ping_timeout_s=seconds) for name in ("app01", "app02")]
    assert timing(shown("r0", *short)).findings == findings


@pytest.mark.parametrize(
    ("resources", "findings"),
    [
        (
            (shown(quorum="off"),),
            (("quorum-policy", "WARNING", "quorum is off on r0 with three or more nodes"),),
        ),
        (
            (shown(quorum="off"), shown("r1", quorum="off")),
            (("quorum-policy", "WARNING", "quorum is off on r0, r1 with three or more nodes"),),
        ),
        ((shown("r1", shown_connection("storage02"), quorum="off"),), ()),
        (
            (shown(), shown("r1", on_no_quorum="suspend-io")),
            (
                (
                    "quorum-policy",
                    "WARNING",
                    "on-no-quorum differs: r0 io-error, r1 suspend-io",
                ),
            ),
        ),
        ((shown(), shown("r1", quorum="all")), ()),
        # Without quorum the other option has no effect.
        (
            (
                shown(),
                shown("r1", shown_connection("storage02"), quorum="off", on_no_quorum="suspend-io"),
            ),
            (),
        ),
        ((shown(quorum=None, on_no_quorum=None),), ()),
    ],
)
def test_quorum_policy(resources, findings):
    assert timing(*resources).findings == findings


def test_resource_without_peers_has_nothing_to_detect():
    alone = shown()._replace(connections=())
    verdict = timing(alone)
    assert (verdict.state, verdict.summary) == ("OK", "DRBD has no peer to detect")
