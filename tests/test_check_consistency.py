"""``consistency``: do DRBD and Pacemaker agree?"""

from __future__ import annotations

import pytest

from build import (
    SNAPSHOTS,
    Answer,
    cib,
    clone,
    cluster,
    drbd,
    due,
    group,
    on_drbd,
    peer,
    primitive,
    report,
    run,
    said,
    stopped,
    view,
)
from check_mccluster.model.config import Config, DrbdRule
from check_mccluster.model.configuration import Configured
from check_mccluster.model.drbd import (
    ConnectionState,
    DiskState,
    ShownConnection,
    ShownResource,
)
from check_mccluster.model.drbd import Role as DrbdRole
from check_mccluster.model.pacemaker import Filesystem, Role


def figures(pairs=1, disagreeing=0):
    return f"pairs={pairs};;;0 pairs_disagreeing={disagreeing};;;0"


UNMAPPED = "nothing is known that uses DRBD"
NO_IO = "I/O of FS_DRBD (group1) fails on app01, though Started: r0/0 has lost quorum here"

RECORDED = {
    "six-nodes-healthy/app01": (
        "OK",
        "FS_DRBD runs and r0 is Primary on app01",
        figures(),
    ),
    "six-nodes-healthy/app03": (
        "OK",
        "FS_DRBD runs and r0 is Primary on app01",
        figures(),
    ),
    "app01-powered-off/app02": (
        "OK",
        "FS_DRBD runs and r0 is Primary on app02",
        figures(),
    ),
    "group-disabled/app01": (
        "OK",
        "FS_DRBD runs nowhere, no Primary in sight (r0)",
        figures(),
    ),
    "storage-servers-lost/app01": ("CRITICAL", NO_IO, figures(1, 1)),
    # Only app01 can tell that.
    "storage-servers-lost/app02": (
        "OK",
        "FS_DRBD runs and r0 is Primary on app01",
        figures(),
    ),
    # Its monitor has noticed.
    "app01-cut-from-all-storage/app01": (
        "CRITICAL",
        NO_IO.replace(", though Started", ""),
        figures(1, 1),
    ),
    "mounted-by-hand/app01": (
        "CRITICAL",
        "FS_DRBD runs on app01, the Primary of r0 is app02",
        figures(1, 1),
    ),
    "app02-cut-off-while-active/app02": (
        "WARNING",
        "app02 is Primary of r0, and FS_DRBD is stopping on app02",
        figures(1, 1),
    ),
    # No CIB in this snapshot.
    "app01-just-died/app02": ("UNKNOWN", UNMAPPED, figures(0)),
    "nothing-started/app01": (
        "CRITICAL",
        "Corosync does not run on this node; no DRBD resource is up on this node; expected: r0",
    ),
    "three-nodes-healthy/app01": (
        "UNKNOWN",
        "drbdsetup: not in the snapshot (not installed there?)",
        figures(0),
    ),
    "six-nodes-healthy/storage01": (
        "UNKNOWN",
        "crm_mon: not in the snapshot (not installed there?)",
    ),
}


@pytest.mark.parametrize("snapshot", RECORDED)
def test_recorded(call, snapshot):
    assert run(call, "consistency", snapshot) == due("consistency", *RECORDED[snapshot])


def test_storage_server_may_be_told_that_it_has_no_verdict_to_give(call):
    silent = ("--severity", "tool-missing=ok")
    code, out = run(call, "consistency", "six-nodes-healthy/storage01", *silent)
    assert code == 0
    assert out.startswith("CONSISTENCY OK - ")


@pytest.mark.parametrize(
    ("pattern", "output"),
    [
        ("FS_DRBD", RECORDED["mounted-by-hand/app01"]),
        ("r0", RECORDED["mounted-by-hand/app01"]),
        ("group1", RECORDED["mounted-by-hand/app01"]),
        ("r*", RECORDED["mounted-by-hand/app01"]),
        ("MYSQL", ("UNKNOWN", f"{UNMAPPED} for MYSQL", figures(0))),
        ("x*", ("UNKNOWN", f"{UNMAPPED} for x*", figures(0))),
    ],
)
def test_filter(call, pattern, output):
    outcome = run(call, "consistency", "mounted-by-hand/app01", "-r", pattern)
    assert outcome == due("consistency", *output)


def test_mapping_of_the_configuration_file(call, tmp_path):
    file = tmp_path / "cluster.toml"
    file.write_text('[drbd.r0]\nruns_with = "FS_DRBD"')
    outcome = run(call, "consistency", "app01-just-died/app02", "--config", file)
    text = "FS_DRBD runs on app01, no Primary in sight (r0)"
    assert outcome == due("consistency", "OK", text, figures())


def test_mapping_of_the_configuration_file_to_a_resource_that_is_not_there(call, tmp_path):
    file = tmp_path / "cluster.toml"
    file.write_text('[drbd.r0]\nruns_with = "FS_R0"')
    outcome = run(call, "consistency", "app01-just-died/app02", "--config", file)
    text = (
        "configuration: drbd.r0.runs_with: FS_R0 is not a resource of the cluster (known:"
        " DOVECOT, FS_DRBD, MAILMAN3, MYSQL, POSTFIX, group1)"
    )
    assert outcome[0] == 3
    assert outcome[1].splitlines()[1:] == [
        f"[UNKNOWN] {text}",
        "[UNKNOWN] nothing is known that uses DRBD",
    ]


def test_severity(call):
    silent = ("--severity", "primary-elsewhere=warning")
    outcome = run(call, "consistency", "mounted-by-hand/app01", *silent)
    assert outcome == due("consistency", "WARNING", *RECORDED["mounted-by-hand/app01"][1:])


def test_node_as_given_must_be_the_one_that_answered(call):
    outcome = call(
        "consistency", "--from", SNAPSHOTS / "storage-servers-lost/app01", "--node", "app02"
    )
    # The roles of the snapshot would be app02's: a page about a Primary that is none.
    assert (outcome.code, outcome.first) == (
        3,
        "CONSISTENCY UNKNOWN - drbdsetup: this is another node's answer: app02 is a peer in r0",
    )


# -- constructed ---------------------------------------------------------------------------------

PRIMARY, SECONDARY = DrbdRole.PRIMARY, DrbdRole.SECONDARY
SERVERS = tuple(peer(f"storage0{number}") for number in (1, 2, 3))
CUT = peer("app02", state=ConnectionState.CONNECTING)


def judge(resource, *volumes, here="app01", known_cib=None, config=None, show=None, **asked):
    known = cluster(None, (group(resource),) if resource else ())
    evidence = view(
        known, here=here, cib=known_cib or on_drbd(), drbd=volumes, config=config, show=show
    )
    return said(report("consistency", evidence, **asked))


def with_peers(*peers, role=SECONDARY, **changes):
    return drbd(*SERVERS, *peers, role=role, **changes)


RUNS = primitive("FS")
UNREAD = " (allowed or not: drbdsetup show does not tell)"
CASES = {
    "no-primary-seen-from-here-where-it-runs": (
        RUNS,
        with_peers(CUT),
        [
            (
                "started-without-primary",
                "CRITICAL",
                "FS is Started on app01, and r0 has no Primary",
            )
        ],
    ),
    "no-primary-on-a-complete-view-of-another-node": (
        primitive("FS", "app02"),
        with_peers(peer("app02")),
        [
            (
                "started-without-primary",
                "CRITICAL",
                "FS is Started on app02, and r0 has no Primary",
            )
        ],
    ),
    # The Primary may be where we cannot see.
    "no-primary-on-an-incomplete-view-of-another-node": (
        primitive("FS", "app02"),
        with_peers(CUT),
        [],
    ),
    "primary-elsewhere": (
        RUNS,
        with_peers(peer("app02", PRIMARY)),
        [
            (
                "primary-elsewhere",
                "CRITICAL",
                "FS runs on app01, the Primary of r0 is app02",
            )
        ],
    ),
    "starting-is-not-running": (
        primitive("FS", role=Role.STARTING),
        with_peers(peer("app02")),
        [],
    ),
    "stopping-is-not-running": (
        primitive("FS", role=Role.STOPPING),
        with_peers(peer("app02"), role=PRIMARY),
        [
            (
                "primary-without-service",
                "WARNING",
                "app01 is Primary of r0, and FS is stopping on app01",
            )
        ],
    ),
    "mounted-by-hand-while-stopped": (
        stopped("FS"),
        with_peers(peer("app02", PRIMARY)),
        [
            (
                "primary-without-service",
                "WARNING",
                "app02 is Primary of r0, and FS runs nowhere",
            )
        ],
    ),
    "two-primaries-one-with-the-service": (
        RUNS,
        with_peers(peer("app02", PRIMARY), role=PRIMARY),
        [("primary-multiple", "CRITICAL", f"r0: 2 Primaries: app01, app02{UNREAD}")],
    ),
    "two-primaries-both-elsewhere": (
        primitive("FS", "app03"),
        with_peers(peer("app02", PRIMARY), peer("app03"), role=PRIMARY),
        [
            ("primary-multiple", "CRITICAL", f"r0: 2 Primaries: app01, app02{UNREAD}"),
            (
                "primary-elsewhere",
                "CRITICAL",
                "FS runs on app03, the Primary of r0 is app01, app02",
            ),
        ],
    ),
    "no-data-here": (
        RUNS,
        drbd(*(peer(f"storage0{n}", disk=DiskState.OUTDATED) for n in (1, 2, 3))),
        [
            (
                "started-without-io",
                "CRITICAL",
                "I/O of FS (group1) fails on app01, though Started: r0/0 has no UpToDate copy"
                " in reach",
            )
        ],
    ),
    "suspended-here": (
        RUNS,
        drbd(*SERVERS, suspended=True),
        [
            (
                "started-without-io",
                "CRITICAL",
                "I/O of FS (group1) is frozen on app01, though Started: r0 is suspended",
            )
        ],
    ),
    "quorum-lost-where-it-does-not-run": (
        primitive("FS", "app02"),
        with_peers(peer("app02", PRIMARY), quorum=False),
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_constructed(case):
    resource, volume, findings = CASES[case]
    assert judge(resource, volume) == findings


def two_primaries_allowed():
    facts = {**dict.fromkeys(ShownConnection._fields), "client_volumes": ()}
    connection = ShownConnection(**{**facts, "replica_volumes": (), "allow_two_primaries": True})
    facts = {**dict.fromkeys(ShownResource._fields), "name": "r0", "volumes": ()}
    return (ShownResource(**{**facts, "connections": (connection,)}),)


BOTH = with_peers(peer("app02", PRIMARY), role=PRIMARY)


def test_constructed_two_primaries_allowed():
    assert judge(RUNS, BOTH, show=two_primaries_allowed()) == []


def test_constructed_cluster_filesystem_on_two_primaries():
    shared = clone(stopped("FS"), primitive("FS", "app02"), primitive("FS"), name="FS-clone")
    evidence = view(
        cluster(None, (shared,)), cib=on_drbd(), drbd=(BOTH,), show=two_primaries_allowed()
    )
    judged = report("consistency", evidence)
    assert (said(judged), judged.summary) == (
        [],
        "FS runs and r0 is Primary on app02, app01",
    )


def test_constructed_cluster_filesystem_on_a_node_that_is_not_primary():
    shared = clone(primitive("FS"), primitive("FS", "app02"), name="FS-clone")
    one = with_peers(peer("app02"), role=PRIMARY)
    evidence = view(cluster(None, (shared,)), cib=on_drbd(), drbd=(one,))
    assert said(report("consistency", evidence)) == [
        (
            "primary-elsewhere",
            "CRITICAL",
            "FS runs on app01, app02, the Primary of r0 is app01",
        )
    ]


def test_constructed_names_with_and_without_a_domain():
    volume = with_peers(peer("app02.example.org", PRIMARY))
    assert judge(primitive("FS", "app02"), volume) == []


@pytest.mark.parametrize(
    "device", ["/dev/drbd0", "/dev/drbd_0", "/dev/drbd/by-res/r0", "/dev/drbd/by-res/r0/0"]
)
def test_constructed_device_names(device):
    volume = with_peers(peer("app02"), role=PRIMARY)
    assert judge(RUNS, volume, known_cib=on_drbd(device=device)) == []


def test_constructed_device_of_no_resource_that_is_up_here():
    assert judge(RUNS, with_peers(), known_cib=on_drbd(device="/dev/drbd7")) == [
        (
            "mapping-none",
            "UNKNOWN",
            "FS uses /dev/drbd7, which is not a DRBD resource that is up here",
        )
    ]


def test_constructed_filesystem_on_something_else():
    known_cib = cib(filesystems=(Filesystem("FS", "/dev/sdb1", "/srv"),))
    assert judge(RUNS, with_peers(), known_cib=known_cib) == [("mapping-none", "UNKNOWN", UNMAPPED)]


def test_constructed_mapping_without_a_cib():
    config = Config(drbd={"r0": DrbdRule(runs_with="FS")})
    evidence = view(
        cluster(None, (RUNS,)),
        drbd=(with_peers(peer("app02", PRIMARY)),),
        cib=Answer(),
        config=config,
    )
    assert [key for key, _, _ in said(report("consistency", evidence))] == ["primary-elsewhere"]


def test_constructed_two_pairs():
    resources = (group(primitive("FS"), primitive("FS2")),)
    known_cib = cib(
        filesystems=(
            Filesystem("FS", "/dev/drbd/by-res/r0", "/a"),
            Filesystem("FS2", "/dev/drbd/by-res/r1", "/b"),
        )
    )
    volumes = (
        with_peers(peer("app02"), role=PRIMARY),
        with_peers(peer("app02", PRIMARY), name="r1"),
    )
    judged = report("consistency", view(cluster(None, resources), cib=known_cib, drbd=volumes))
    assert [key for key, _, _ in said(judged)] == ["primary-elsewhere"]
    assert {each.label: each.value for each in judged.figures} == {
        "pairs": 2,
        "pairs_disagreeing": 1,
    }


@pytest.mark.parametrize(("deeper", "clause"), [(False, True), (True, False)])
def test_monitor_that_looks_deeper_is_not_asked_for(deeper, clause):
    mount = Configured("FS", "primitive", agent="ocf:heartbeat:Filesystem", looks_deeper=deeper)
    known = on_drbd()._replace(resources={"FS": mount})
    seen = view(cluster(None, (group(RUNS),)), cib=known, drbd=(with_peers(
        role=PRIMARY, quorum=False),))  # fmt: skip
    (one,) = report("consistency", seen).findings
    assert one.key == "started-without-io"
    assert ("OCF_CHECK_LEVEL=20" in one.next_step) is clause
