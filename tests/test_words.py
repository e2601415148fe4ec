"""What the program says to somebody who mistyped: what is wrong, and what was perhaps meant."""

from __future__ import annotations

import shutil

import pytest

from conftest import FIXTURES

SNAPSHOTS = FIXTURES / "snapshots"
APP01 = SNAPSHOTS / "six-nodes-healthy" / "app01"

MISTYPED = {
    "check": (
        ("drbd-rol",),
        "CHECK_MCCLUSTER UNKNOWN - 'drbd-rol' is not a check or command; did you mean drbd-role",
    ),
    "check-like-nothing": (
        ("xyzzy",),
        "CHECK_MCCLUSTER UNKNOWN - 'xyzzy' is not a check or command (see: check_mccluster --help)",
    ),
    "finding": (
        ("disk-lost",),
        "CHECK_MCCLUSTER UNKNOWN - 'disk-lost' is not a check or command; it is a finding:"
        " check_mccluster explain disk-lost",
    ),
    "skip": (
        ("overview", "--skip", "quorun"),
        "OVERVIEW UNKNOWN - Invalid value for '--skip': 'quorun' is not a check; did you mean"
        " quorum",
    ),
    "skip-of-several": (
        ("overview", "--skip", "quorum,links"),
        "OVERVIEW UNKNOWN - Invalid value for '--skip': 'quorum,links' is not a check; give the"
        " option once for each",
    ),
    "key": (
        ("drbd-disk", "--severity", "disk-los=ok"),
        "DRBD-DISK UNKNOWN - Invalid value for '--severity': unknown finding key 'disk-los'; did"
        " you mean disk-lost",
    ),
    "range-exchanged": (
        ("drbd-mesh", "-w", "5:3"),
        "DRBD-MESH UNKNOWN - Invalid value for '-w' / '--warning': '5:3' is not a range: its start"
        " 5 is above its end 3; 3:5 is from 3 to 5",
    ),
    "range-of-letters": (
        ("drbd-mesh", "-w", "a:b"),
        "DRBD-MESH UNKNOWN - Invalid value for '-w' / '--warning': 'a:b' is not a range"
        " ([@][start:][end])",
    ),
    "active-without-dashes": (
        ("active", "group1", "/bin/check_smtp", "-H", "127.0.0.1"),
        "CHECK_MCCLUSTER UNKNOWN - '--' is missing before the plugin: check_mccluster active group1"
        " -- /bin/check_smtp -H 127.0.0.1",
    ),
    "active-without-dashes-and-path": (
        ("active", "--timeout", "5", "group1", "--promoted", "check_smtp", "-H", "127.0.0.1"),
        "CHECK_MCCLUSTER UNKNOWN - '--' is missing before the plugin: check_mccluster active"
        " --timeout 5 group1 --promoted -- check_smtp -H 127.0.0.1",
    ),
    "filter-without-effect": (
        ("links", "-r", "r0", "--from", APP01),
        "LINKS UNKNOWN - links has no --resource; the checks that have it: resources, failures,"
        " placement, drbd-role, drbd-disk, drbd-mesh, drbd-quorum, drbd-sync, consistency,"
        " failover, timing, overview",
    ),
    "metrics-to-a-name-that-nobody-reads": (
        ("metrics", "--output", "/tmp/mccluster.txt", "--from", APP01),
        "CHECK_MCCLUSTER UNKNOWN - --output /tmp/mccluster.txt: node_exporter reads only files"
        " whose names end in .prom",
    ),
}


@pytest.mark.parametrize("case", MISTYPED)
def test_a_mistake_is_named_with_what_was_meant(call, case):
    arguments, begins = MISTYPED[case]
    outcome = call(*arguments)
    assert outcome.code == 3
    assert len(outcome.lines) == 1
    assert outcome.lines[0].startswith(begins)
    assert outcome.lines[0][len(begins) :] == "" or "did you mean" in begins


def test_a_folder_of_snapshots_says_what_it_holds(call, tmp_path):
    for name in ("app01", "app02"):
        shutil.copytree(APP01, tmp_path / name)
    assert call("snapshot", "--from", APP01, tmp_path / "app03.tar.gz").code == 0
    outcome = call("drbd-role", "--from", tmp_path)
    assert (outcome.code, outcome.out) == (
        3,
        f"DRBD-ROLE UNKNOWN - {tmp_path} is not a snapshot: it holds app01, app02, app03.tar.gz:"
        " name one of them, or judge them together with 'check_mccluster cluster --from'\n",
    )


def test_a_folder_of_clusters_says_where_the_snapshots_are(call, tmp_path):
    for number in range(8):
        shutil.copytree(APP01, tmp_path / f"cluster{number}" / "app01")
    (tmp_path / "notes").mkdir()
    outcome = call("cluster", "--from", tmp_path)
    assert (outcome.code, outcome.out) == (
        3,
        f"CLUSTER UNKNOWN - {tmp_path} is not a snapshot: the snapshots are in its folders,"
        " cluster0, cluster1, cluster2, cluster3, cluster4, cluster5 and 2 more: name one of"
        " them\n",
    )


def test_a_mistyped_check_in_the_configuration_file_is_told_with_the_nearest(call, tmp_path):
    config = tmp_path / "cluster.toml"
    config.write_text('[overview]\nskip = ["linx"]\n')
    outcome = call("overview", "--from", APP01, "--config", config)
    assert (outcome.code, outcome.out) == (
        3,
        f"OVERVIEW UNKNOWN - configuration file {config}: overview.skip: 'linx' is not a check;"
        " did you mean links?\n",
    )
