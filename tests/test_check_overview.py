"""``overview``: is everything on this node in order? One fault, one message."""

from __future__ import annotations

import json

import pytest

from build import (
    SNAPSHOTS,
    Answer,
    altered,
    ban,
    cluster,
    drbd,
    due,
    group,
    history,
    link,
    links,
    node,
    offline,
    on_drbd,
    options,
    peer,
    primitive,
    report,
    run,
    stopped,
    view,
    votes,
)
from check_mccluster.model.corosync import LinkState
from check_mccluster.model.drbd import ConnectionState
from check_mccluster.model.drbd import Role as DrbdRole
from check_mccluster.present.text import first_line
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import State, finding
from check_mccluster.verdict.problems import TOOL_MISSING

PACEMAKER = {
    "nodes": "3 of 3 nodes online, DC app02",
    "quorum": "quorate, 3 of 3 votes, can lose 1, DC app02",
    "links": "2 peers on 1 link, all connected",
    "resources": "5 resources run; group1 on app01",
    "failures": "no failed actions, no fail-counts",
    "fencing": "fencing is disabled, 0 fence devices",
    "placement": "group1 runs on app01",
}
DRBD = {
    "drbd-role": "r0: Primary app01",
    "drbd-disk": "r0/0 intended client (diskless)",
    "drbd-mesh": "r0: 5 of 5 peers connected",
    "drbd-quorum": "r0/0: 3 of 3 copies, can lose 1",
    "drbd-sync": "r0: nothing to resync",
}
BOTH = {
    "consistency": "FS_DRBD runs and r0 is Primary on app01",
    "failover": "app02 could take group1 from app01 (DRBD there judged by its connection)"
    " (judged without Pacemaker's scheduler)",
    "timing": "Corosync 27.83 s > DRBD 12.0 s (bound)",
}
APP = {**PACEMAKER, **DRBD, **BOTH}
STORAGE = {**DRBD, "drbd-disk": "r0/0 UpToDate"}
STATES = ("CRITICAL", "OK", "UNKNOWN", "WARNING")


def overview(text, lines):
    """The whole output: a line is given as text if it is OK, else as state and text."""
    told = {check: ("OK", line) if isinstance(line, str) else line for check, line in lines.items()}
    counts = {name: sum(1 for state, _ in told.values() if state == name) for name in STATES}
    gravity = ("CRITICAL", "UNKNOWN", "WARNING", "OK")
    worst = next(name for name in gravity if counts[name])
    limits = {"WARNING": "0;", "CRITICAL": ";0"}
    perfdata = " ".join(
        f"checks_{name.lower()}={count};{limits.get(name, ';')};0" for name, count in counts.items()
    )
    # What is not OK comes first.
    ordered = sorted(told.items(), key=lambda each: gravity.index(each[1][0]))
    shown = (f"[{state}] {check}: {line}" for check, (state, line) in ordered)
    return due("overview", worst, text, perfdata, *shown)


def after(cause, *texts):
    return "; ".join(f"{text} (follows from: {cause})" for text in texts)


OFF = "node-offline app01"
QUORUM = "quorum-lost partition"
DATA = "drbd-quorum-lost r0/0"
NO_VOTE = "cannot lose a vote: 2 of 3 votes, 2 needed"
NO_TAKER = (
    "no node could take group1: if app02 fails too, the quorum is lost (2 of 3 votes, 2 needed)"
)
STOPS = "no-quorum-policy=stop: all resources stop"
LOST = f"partition without quorum: 1 of 3 votes, 2 needed, no link to app01, app03; {STOPS}"
APP01_OFF = "app01 is offline, no link to it is up, nor is DRBD connected"
COPIES = "1 of 3 copies UpToDate and reachable, not storage02, storage03"
BANNED = "app03 banned by group1-avoids-app03"
DENIED = "crm_mon: insufficient privileges; needs --sudo or group haclient"
UIDGID = "needs --sudo or a uidgid entry"
NOT_UP = "no DRBD resource is up on this node; expected: r0"


def waiting(*names, role="replica", connected=3):
    return [f"r0: {role} {name} is Connecting, {connected} of 5 connected" for name in names]


RECORDED = {
    "six-nodes-healthy/app01": (
        "15 checks, all OK: group1 runs on app01; 3 of 3 nodes online, DC app02;"
        " r0/0: 3 of 3 copies, can lose 1",
        APP,
    ),
    # Without Pacemaker only the checks of DRBD fit.
    "six-nodes-healthy/storage01": (
        "5 checks, all OK: r0/0: 3 of 3 copies, can lose 1; r0: Primary app01",
        STORAGE,
    ),
    # Without drbdsetup, and no DRBD resource expected, all the others.
    "three-nodes-healthy/app01": (
        "8 checks, all OK: group1 runs on app01; 3 of 3 nodes online, DC app01",
        {
            **PACEMAKER,
            "nodes": "3 of 3 nodes online, DC app01",
            "quorum": "quorate, 3 of 3 votes, can lose 1, DC app01",
            "failover": "app02 could take group1 from app01 (judged without Pacemaker's scheduler)",
        },
    ),
    # A node that is off is one headline.
    "app01-powered-off/app02": (
        APP01_OFF,
        {
            **APP,
            "nodes": ("CRITICAL", APP01_OFF),
            "quorum": ("WARNING", after(OFF, NO_VOTE)),
            "links": ("WARNING", after(OFF, "no link to app01, which Pacemaker has as offline")),
            "resources": "5 resources run; group1 on app02",
            "placement": "group1 runs on app02",
            "drbd-role": "r0: Primary app02",
            "drbd-mesh": (
                "WARNING",
                after(OFF, *waiting("app01", role="client", connected=4)),
            ),
            "consistency": "FS_DRBD runs and r0 is Primary on app02",
            "failover": ("CRITICAL", after(OFF, NO_TAKER)),
        },
    ),
    "app01-powered-off/storage01": (
        *waiting("app01", role="client", connected=4),
        {
            **STORAGE,
            "drbd-role": "r0: Primary app02",
            "drbd-mesh": ("WARNING", *waiting("app01", role="client", connected=4)),
        },
    ),
    # A storage server that is down is named first.
    "storage03-powered-off/app01": (
        *waiting("storage03", connected=4),
        {
            **APP,
            "drbd-mesh": ("WARNING", *waiting("storage03", connected=4)),
            "drbd-quorum": (
                "WARNING",
                after(
                    "peer-connecting r0:storage03",
                    "r0/0: 2 of 3 copies UpToDate and reachable, not storage03",
                ),
            ),
        },
    ),
    "storage-servers-lost/app01": (
        f"r0/0: quorum lost on app01, I/O fails, {COPIES}",
        {
            **APP,
            "drbd-mesh": ("WARNING", after(DATA, *waiting("storage02", "storage03"))),
            "drbd-quorum": ("CRITICAL", f"r0/0: quorum lost on app01, I/O fails, {COPIES}"),
            "consistency": (
                "CRITICAL",
                after(
                    DATA,
                    "I/O of FS_DRBD (group1) fails on app01, though Started: r0/0 has lost"
                    " quorum here",
                ),
            ),
        },
    ),
    "storage-servers-lost/app02": (
        f"r0/0: quorum lost on app02, {COPIES}",
        {
            **APP,
            "drbd-mesh": ("WARNING", after(DATA, *waiting("storage02", "storage03"))),
            "drbd-quorum": ("CRITICAL", f"r0/0: quorum lost on app02, {COPIES}"),
            "failover": (
                "CRITICAL",
                after(
                    DATA,
                    f"no node could take group1: app02 r0/0 has no quorum; {BANNED}",
                    "app02 is not ready to take group1: r0/0 has no quorum",
                ),
            ),
        },
    ),
    "storage-servers-lost/storage01": (
        f"r0/0: quorum lost on storage01, {COPIES}",
        {
            **STORAGE,
            "drbd-mesh": ("WARNING", after(DATA, *waiting("storage02", "storage03"))),
            "drbd-quorum": ("CRITICAL", f"r0/0: quorum lost on storage01, {COPIES}"),
        },
    ),
    # Lost quorum is named first, with why.
    "app02-cut-off-while-active/app02": (
        LOST,
        {
            **APP,
            "nodes": ("CRITICAL", after(QUORUM, APP01_OFF, APP01_OFF.replace("app01", "app03"))),
            "quorum": ("CRITICAL", LOST),
            "links": (
                "WARNING",
                after(
                    QUORUM,
                    "no link to app01, which Pacemaker has as offline",
                    "no link to app03, which Pacemaker has as offline",
                ),
            ),
            "resources": (
                "WARNING",
                after(
                    QUORUM,
                    "FS_DRBD (group1) is stopping on app02;"
                    " MYSQL, MAILMAN3, POSTFIX, DOVECOT wait for it",
                ),
            ),
            "placement": "group1 is stopping on app02",
            "drbd-role": "r0: Primary app02",
            "drbd-mesh": (
                "WARNING",
                after(QUORUM, *waiting("app01", "app03", role="client")),
            ),
            "consistency": (
                "WARNING",
                after(QUORUM, "app02 is Primary of r0, and FS_DRBD is stopping on app02"),
            ),
            "failover": (
                "CRITICAL",
                after(QUORUM, "no node could take group1: this partition has no quorum"),
            ),
        },
    ),
    # A grave cause comes before a cause with grave consequences.
    "mounted-by-hand/app01": (
        "FS_DRBD runs on app01, the Primary of r0 is app02;"
        " maintenance-mode: the cluster manages nothing",
        {
            **APP,
            "nodes": ("WARNING", "maintenance-mode: the cluster manages nothing"),
            "quorum": "quorate, 3 of 3 votes, can lose 1, DC app03",
            "drbd-role": "r0: Primary app02",
            "consistency": ("CRITICAL", "FS_DRBD runs on app01, the Primary of r0 is app02"),
            "failover": (
                "WARNING",
                after("cluster-maintenance cluster", "no node could take group1: maintenance-mode"),
            ),
        },
    ),
    # The same problem of several checks is told once.
    "pacemaker-stopped-on-app01/app01": (
        "Pacemaker does not run on this node",
        {
            "nodes": ("CRITICAL", "Pacemaker does not run on this node"),
            "quorum": ("CRITICAL", "as above"),
            "links": PACEMAKER["links"],
            "resources": ("CRITICAL", "as above"),
            "failures": ("CRITICAL", "as above"),
            "fencing": ("CRITICAL", "as above"),
            "placement": ("CRITICAL", "as above"),
            **DRBD,
            "drbd-role": "r0: Primary app02",
            "consistency": ("CRITICAL", "as above"),
            "failover": ("CRITICAL", "as above"),
            "timing": BOTH["timing"],
        },
    ),
    "nothing-started/app01": (
        f"Corosync does not run on this node; {NOT_UP}",
        {
            **dict.fromkeys(APP, ("CRITICAL", "as above")),
            "nodes": ("CRITICAL", "Corosync does not run on this node"),
            "drbd-role": ("CRITICAL", NOT_UP),
        },
    ),
    "six-nodes-healthy-as-nagios/app01": (
        "crm_mon: insufficient privileges; corosync-cfgtool, corosync-cmapctl, corosync-quorumtool:"
        " access denied by Corosync",
        {
            "nodes": ("UNKNOWN", DENIED),
            "quorum": ("UNKNOWN", "as above"),
            "links": ("UNKNOWN", f"corosync-cfgtool: access denied by Corosync; {UIDGID}"),
            "resources": ("UNKNOWN", "as above"),
            "failures": ("UNKNOWN", "as above"),
            "fencing": ("UNKNOWN", "as above"),
            "placement": ("UNKNOWN", "as above"),
            **DRBD,
            "consistency": ("UNKNOWN", "as above"),
            "failover": ("UNKNOWN", "as above"),
            "timing": (
                "UNKNOWN",
                f"corosync-cmapctl: access denied by Corosync; {UIDGID}"
                " (follows from: tool-denied corosync-cfgtool)",
            ),
        },
    ),
}


@pytest.mark.parametrize("snapshot", RECORDED)
def test_recorded(call, snapshot):
    assert run(call, "overview", snapshot) == overview(*RECORDED[snapshot])


FIRST_LINES = {
    "start-failed-without-drbd-quorum/app01": (
        f"CRITICAL - r0/0: quorum lost on app01, {COPIES}, hence group1 runs nowhere"
    ),
    "app01-cut-from-all-storage/app01": (
        "CRITICAL - r0/0: quorum lost on app01, I/O fails,"
        " 0 of 3 copies UpToDate and reachable, not storage01, storage02, storage03"
    ),
    "app01-started-alone/app01": (
        "CRITICAL - partition without quorum: 1 of 3 votes, 2 needed, no link to app02, app03"
        " since Corosync started on app01 (+1 more)"
    ),
    "app02-cut-off/app02": f"CRITICAL - {LOST}",
    "app01-standby/app01": (
        "CRITICAL - app01 is in standby, hence no node could take group1:"
        " app01 in standby; app03 banned by location-group1-app03--INFINITY"
    ),
    "fencing-without-device/app01": (
        "CRITICAL - fencing is enabled and no fence device is configured: nothing will be started"
    ),
    "ticket-revoked/app01": (
        "CRITICAL - group1 is stopped: FS_DRBD does not run (ticket siteA was revoked"
        " (granted last 09:20:22), t-group1 needs it (loss-po..."
    ),
    "clone-failed-on-one-node/app01": (
        "WARNING - ping is barred from app02: fail-count 1 of 1 (monitor: not running, 9 s ago)"
    ),
    "failure-ignored/app01": "WARNING - a failure of LOGGER on app02 was ignored"
    " (monitor: not running; on-fail=ignore)",
    "group-disabled/app01": "WARNING - group1 is disabled, 5 members stopped",
    "agent-not-installed/app01": (
        "CRITICAL - NOAGENT is stopped (app01, app02, app03: NOAGENT has no agent or program there"
        " (ocf:pacemaker:NoSuchAgent))"
    ),
    "app01-died-long-token/app02": (
        "CRITICAL - no link to app01 is connected, and the cluster does not report it offline yet;"
        " group1 ran there"
    ),
    "app03-pending/app01": (
        "WARNING - app03 joined Corosync and not yet Pacemaker since it was fenced by app02,"
        " 09:37:16Z"
    ),
}


@pytest.mark.parametrize("snapshot", FIRST_LINES)
def test_recorded_first_line(call, snapshot):
    outcome = call("overview", "--from", SNAPSHOTS / snapshot)
    assert outcome.first == f"OVERVIEW {FIRST_LINES[snapshot]}"


# -- leaving out ---------------------------------------------------------------------------------


def test_skip(call):
    lines = {check: line for check, line in APP.items() if check not in ("links", "timing")}
    text = RECORDED["six-nodes-healthy/app01"][0].replace("15", "13")
    outcome = run(
        call, "overview", "six-nodes-healthy/app01", "--skip", "links", "--skip", "timing"
    )
    assert outcome == overview(text, lines)


def test_skip_of_the_configuration_file(call, tmp_path):
    file = tmp_path / "cluster.toml"
    file.write_text('[overview]\nskip = ["links", "timing"]')
    outcome = run(call, "overview", "six-nodes-healthy-as-icingaha/app01", "--config", file)
    assert "corosync" not in outcome[1]


def test_skip_makes_good_for_a_tool_that_is_denied(call):
    snapshot = "six-nodes-healthy-as-icingaha/app01"
    assert run(call, "overview", snapshot)[0] == 3
    skipped = ("--skip", "links", "--skip", "timing", "--skip", "consistency")
    assert run(call, "overview", snapshot, *skipped)[0] == 0


def test_skip_everything_is_not_ok(call):
    skipped = [word for check in STORAGE for word in ("--skip", check)]
    outcome = run(call, "overview", "six-nodes-healthy/storage01", *skipped)
    assert outcome == due("overview", "UNKNOWN", "every check that fits this node is skipped")


def test_skip_of_no_check(call):
    outcome = run(call, "overview", "six-nodes-healthy/app01", "--skip", "lynx")
    assert outcome[0] == 3
    assert "'lynx' is not a check" in outcome[1]


ANYHOW = ("nodes", "quorum", "links", "fencing")
FILTERS = {
    "group": (
        "six-nodes-healthy/app01",
        "group1",
        {check: APP[check] for check in (*PACEMAKER, "consistency", "failover")},
    ),
    "member-that-does-not-stand-on-drbd": (
        "six-nodes-healthy/app01",
        "MYSQL",
        {
            **PACEMAKER,
            "resources": "1 resource runs",
            "placement": "MYSQL runs on app01",
            "failover": "app02, app03 could take MYSQL from app01"
            " (judged without Pacemaker's scheduler)",
        },
    ),
    "drbd-resource": (
        "six-nodes-healthy/app01",
        "r0",
        {check: APP[check] for check in (*ANYHOW, *DRBD, "consistency", "timing")},
    ),
    "drbd-resource-on-a-storage-server": ("six-nodes-healthy/storage01", "r?", STORAGE),
    "drbd-resource-that-is-not-up": (
        "nothing-started/app01",
        "r0",
        None,
    ),
}


@pytest.mark.parametrize("case", FILTERS)
def test_filter(call, case):
    snapshot, pattern, lines = FILTERS[case]
    code, out = run(call, "overview", snapshot, "-r", pattern)
    told = dict(line.partition("] ")[2].split(": ", 1) for line in out.splitlines()[1:])
    if lines is None:
        assert code == 2
        assert NOT_UP in out
    else:
        assert (code, dict(sorted(told.items()))) == (0, dict(sorted(lines.items())))


@pytest.mark.parametrize(
    ("snapshot", "pattern", "code", "text"),
    [
        ("six-nodes-healthy/app01", "nosuch", 2, "nosuch is not configured in the cluster"),
        ("six-nodes-healthy/app01", "x*", 3, "no resource matches x*"),
        ("six-nodes-healthy/storage01", "nosuch", 2, "no DRBD resource matches nosuch"),
        ("six-nodes-healthy/storage01", "x*", 3, "no DRBD resource matches x*"),
        ("three-nodes-healthy/app01", "nosuch", 2, "nosuch is not configured in the cluster"),
    ],
)
def test_filter_that_matches_nothing(call, snapshot, pattern, code, text):
    outcome = call("overview", "--from", SNAPSHOTS / snapshot, "-r", pattern)
    assert (outcome.code, outcome.first.partition(" - ")[2]) == (code, text)


# -- severities and presentation -----------------------------------------------------------------


def test_severity_of_a_cause_and_of_what_follows(call):
    silent = [
        word for key in ("node-offline", "no-candidate") for word in ("--severity", f"{key}=ok")
    ]
    outcome = call("overview", "--from", SNAPSHOTS / "app01-powered-off/app02", *silent)
    assert outcome.code == 1
    assert outcome.first == f"OVERVIEW WARNING - {APP01_OFF}, hence {NO_VOTE}"


def test_json_names_the_cause_of_what_follows(call):
    outcome = call("overview", "--from", SNAPSHOTS / "app01-powered-off/app02", "--json")
    document = json.loads(outcome.out)
    assert (outcome.code, document["state"], document["text"]) == (
        2,
        "CRITICAL",
        APP01_OFF,
    )
    assert {each["key"]: each["follows"] for each in document["findings"]} == {
        "node-offline": None,
        "no-candidate": OFF,
        "quorum-margin": OFF,
        "peer-unreachable": OFF,
        "peer-connecting": OFF,
    }


def test_stale_snapshot_is_named_among_the_faults(call):
    outcome = call("overview", "--from", SNAPSHOTS / "app01-standby/app01", "--max-age", "60")
    assert outcome.code == 2
    assert "the snapshot is" in outcome.out


def test_stale_snapshot_of_a_healthy_node(call):
    outcome = call("overview", "--from", SNAPSHOTS / "six-nodes-healthy/app01", "--max-age", "60")
    assert outcome.code == 3
    assert outcome.first.startswith("OVERVIEW UNKNOWN - the snapshot is ")


# -- constructed: which fault explains which -----------------------------------------------------

PRIMARY = DrbdRole.PRIMARY
CUT = ConnectionState.CONNECTING
GROUP = group(primitive("FS"), primitive("DB"))
NOT_HERE = finding(TOOL_MISSING, subject.tool("drbdsetup"), "drbdsetup is not installed")


def faults(known, **answers):
    """The headlines, and what each finding follows from."""
    answers = {"links": links(link(2), link(3)), **answers}
    if "drbd" not in answers:
        answers["drbd"] = Answer(None, (NOT_HERE,))
    judged = report("overview", view(known, **answers))
    heads = [fault.text for fault in judged.faults if fault.state is not State.OK]
    causes = judged.causes
    return heads, {
        each.key: f"{causes[each].key} {causes[each].object}"
        for each in judged.findings
        if each in causes
    }


def test_constructed_two_nodes_off_are_two_faults():
    nodes = (node(), node("app02"), node("app03"), offline("app04"), offline("app05"))
    down = links(link(2), link(3), link(4, 0, LinkState.DISCONNECTED))
    heads, follows = faults(cluster(nodes, (GROUP,)), links=down, votes=votes(expected=5))
    assert heads == ["app04 is offline, no link to it is up", "app05 is offline"]
    assert follows == {
        "quorum-margin": "node-offline app04",
        "peer-unreachable": "node-offline app04",
        "no-candidate": "node-offline app04",
    }


def test_constructed_node_off_does_not_hide_another_fault():
    nodes = (node(), node("app02"), node("app03"), offline("app04"))
    heads, _ = faults(cluster(nodes, (GROUP, stopped("IP"))), votes=votes(expected=4))
    assert heads == ["app04 is offline", "IP is stopped"]


def test_constructed_disabled_group_does_not_explain_another_that_stands_still():
    resources = (
        group(stopped("FS"), disabled=True),
        group(stopped("DB"), name="group2"),
    )
    heads, follows = faults(cluster(None, resources))
    assert heads == [
        "group2 is stopped: DB does not run",
        "group1 is disabled, FS stopped",
    ]
    assert follows == {"not-running": "resource-stopped DB"}


def test_constructed_failed_resource_and_its_failed_action_are_one_fault():
    failing = group(primitive("FS"), primitive("DB", failed=True))
    past = (history("DB", "app01", threshold=1), history("FS", "app02", threshold=3))
    heads, follows = faults(cluster(None, (failing,), history=past))
    assert heads == ["DB (group1) failed on app01", "FS failed 1 time on app02"]
    assert follows == {"node-barred": "resource-failed DB"}


def test_constructed_service_that_failed_everywhere_is_one_fault():
    past = tuple(history("FS", name, threshold=1) for name in ("app01", "app02", "app03"))
    heads, follows = faults(cluster(None, (group(stopped("FS")),), history=past))
    assert heads == [
        "FS is barred from app01, app02, app03: fail-count 1 of 1, hence group1 is stopped: FS does"
        " not run (app01, app02, app03: FS barred by fail-count 1)"
    ]
    assert set(follows) == {*("resource-stopped", "not-running", "no-candidate", "here-not-ready")}


def test_constructed_long_cause_leaves_room_for_what_is_graver():
    ids = ("a-filesystem-with-a-name-that-is-long-enough-to-fill", "DB")
    past = tuple(history(ids[0], name, threshold=1) for name in ("app01", "app02", "app03"))
    known = cluster(None, (group(*map(stopped, ids)),), history=past)
    line = first_line(report("overview", view(known, drbd=Answer(None, (NOT_HERE,)))))
    assert " is barred from app01, app02,..., hence group1 is stopped" in line
    assert len(line) <= 140


def test_constructed_leftover_ban_and_no_way_out():
    bans = (ban("group1", "app02", "cli-ban-group1-on-app02"), ban("group1", "app03"))
    heads, follows = faults(cluster(None, (GROUP,), bans=bans))
    assert heads == [
        "cli-ban-group1-on-app02 keeps group1 from app02, hence no node could take group1:"
        " app02 banned by cli-ban-group1-on-app02; app03 banned by group1-avoids-app03"
    ]
    assert follows == {"no-candidate": "leftover-ban group1"}


def test_constructed_fencing_without_device_explains_what_does_not_start():
    known = cluster(None, (group(stopped("FS")),), options=options(fencing_enabled=True))
    heads, follows = faults(known)
    assert len(heads) == 1
    assert set(follows) == {"resource-stopped", "not-running", "no-candidate"}


def test_constructed_no_controller_is_named_where_quorum_is_not_known():
    heads, _ = faults(cluster(dc=None, resources=(group(stopped("FS")),)))
    assert heads == ["no designated controller is elected"]


def test_constructed_drbd_quorum_lost_explains_its_own_service_only():
    volume = drbd(
        *(peer(f"storage0{n}", state=CUT) for n in (2, 3)), peer("storage01"), quorum=False
    )
    resources = (
        group(primitive("FS", failed=True)),
        group(stopped("WEB"), name="group2"),
    )
    heads, follows = faults(
        cluster(None, resources), drbd=(volume,), cib=on_drbd("FS"), votes=votes()
    )
    assert heads == [
        "group2 is stopped: WEB does not run (nothing visible asks for that)",
        f"r0/0: quorum lost on app01, I/O fails, {COPIES}",
    ]
    assert follows["resource-failed"] == DATA
    assert follows["not-running"] == "resource-stopped WEB"


def test_constructed_link_that_fails_beside_a_lost_node():
    nodes = (node(), node("app02"), offline("app03"))
    down = LinkState.DISCONNECTED
    known = links(link(2), link(2, 1, down), link(3, 0, down), link(3, 1, down))
    heads, _ = faults(cluster(nodes, (GROUP,)), links=known, votes=votes(("app01", "app02")))
    assert heads == [
        "app03 is offline, no link to it is up",
        "link 1 to app02 is down, 1 of 2 are up",
    ]


def test_ranges_are_for_checks_with_a_number(call):
    given = call("overview", "--from", SNAPSHOTS / "six-nodes-healthy/app01", "-c", "100:")
    assert (given.code, len(given.lines)) == (3, 1)
    # click 8.1 and later versions word the rest of it differently
    assert given.out.startswith("OVERVIEW UNKNOWN - No such option")


def test_constructed_secondary_by_force_is_one_fault_with_what_pacemaker_does_not_see(
    call, tmp_path
):
    forced = altered(
        tmp_path,
        "six-nodes-healthy/app01",
        ('"role": "Primary"', '"role": "Secondary"'),
        ('"force-io-failures": false', '"force-io-failures": true'),
    )
    (fault,) = json.loads(call("overview", "--json", "--from", forced).out)["faults"]
    assert (fault["key"], fault["text"]) == (
        "io-failing",
        "r0: I/O on app01 is forced to fail (secondary --force), hence I/O of FS_DRBD (group1)"
        " fails on app01, though Started: r0 was made Secondary by force",
    )
    keys = {each["key"] for each in fault["follows"]}
    assert keys == {"started-without-primary", "started-without-io", "primary-none"}


@pytest.mark.parametrize(("lost", "history"), [("app02", True), ("storage03", False)])
def test_constructed_fencing_that_is_waited_for_is_asked_of_pacemaker_for_its_members(
    call, tmp_path, lost, history
):
    document = SNAPSHOTS / "six-nodes-healthy/app01/drbd-status.json"
    (resource,) = json.loads(document.read_text())
    resource.update({"suspended": True, "suspended-fencing": True})
    for each in resource["connections"]:
        if each["name"] == lost:
            each["connection-state"] = "Connecting"
    node = altered(tmp_path, "six-nodes-healthy/app01")
    (node / "drbd-status.json").write_text(json.dumps([resource]))
    told = json.loads(call("overview", "--json", "--from", node).out)["faults"]
    (fault,) = [each for each in told if each["key"] == "io-suspended"]
    assert "where it is surely off: drbdadm resume-io r0" in fault["next_step"]
    assert (f"stonith_admin --history {lost} --verbose" in fault["next_step"]) is history
