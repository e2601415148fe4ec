"""The commands explain, snapshot and topology, as called."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from check_mccluster.checks import registry

HEALTHY = Path(__file__).parents[1] / "fixtures" / "snapshots" / "six-nodes-healthy"
KINDS = registry.kinds()


# -- explain -----------------------------------------------------------------------------------


def test_explain_lists_every_finding_once_per_check(call):
    outcome = call("explain")
    assert outcome.code == 0
    titles = [line for line in outcome.lines if line and not line.startswith(" ")]
    singles = [check.name for check in registry.single_checks()]
    assert titles[:-1] == ["every check, about its input", *singles, "cluster"]
    rows = [line.split()[:2] for line in outcome.lines if line[2:3].strip() and line[:2] == "  "]
    expected = [
        [key, kind.default.name] for key, (kind, checks) in KINDS.items() for _ in checks or [""]
    ]
    assert sorted(rows) == sorted(expected)


def test_explain_tells_one_finding(call):
    assert call("explain", "peer-standalone").lines[0] == "peer-standalone: CRITICAL by default"
    assert call("explain", "primary-multiple").out == (
        "primary-multiple: CRITICAL by default\n"
        "\n"
        "Checks:    drbd-role, consistency\n"
        "Meaning:   Two nodes are Primary although two Primaries are not allowed.\n"
        "Make sure: where the service runs: crm_mon -1 -r; and who has the device open:\n"
        "           fuser -vm with the path of its mount\n"
        "Do:        drbdadm status RESOURCE on every node; crm_mon -1 -r; stop the\n"
        "           service where it must not run, do not disconnect anything before\n"
        "Do not:    promote or demote by hand what Pacemaker manages, least of all with\n"
        "           force\n"
        "It worked: 'check_mccluster drbd-role -v' no longer tells primary-multiple\n"
        "Override:  --severity primary-multiple=ok (or warning, critical, unknown), or\n"
        '           primary-multiple = "ok" under [severity] in the configuration file\n'
    )


@pytest.mark.parametrize("key", KINDS)
def test_explain_speaks_plainly_of_every_finding(call, key):
    outcome = call("explain", key)
    assert outcome.code == 0
    assert outcome.out.isascii()
    assert [line for line in outcome.lines if len(line) > 80] == []
    assert "{" not in outcome.out


def test_the_list_fits_80_columns_in_ascii(call):
    outcome = call("explain")
    assert outcome.out.isascii()
    assert [line for line in outcome.lines if len(line) > 80] == []


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("disk-los", "no finding 'disk-los'; did you mean disk-lost or "),
        ("zzz", "no finding 'zzz'"),
        ("nodes", "no finding 'nodes'; it is a check: check_mccluster nodes --help"),
    ],
)
def test_explain_names_what_is_near_to_an_unknown_key(call, key, says):
    outcome = call("explain", key)
    assert (outcome.code, len(outcome.lines)) == (3, 1)
    assert outcome.out.startswith(f"CHECK_MCCLUSTER UNKNOWN - {says}")


# -- snapshot ----------------------------------------------------------------------------------


def test_snapshot_says_what_it_recorded_and_what_is_missing(node, tmp_path):
    machine = node(HEALTHY / "storage01")
    ran = machine.run("snapshot", tmp_path / "there")
    size = (HEALTHY / "storage01" / "drbd-status.json").stat().st_size
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[0] == f"Snapshot of storage01 in {tmp_path}/there:"
    assert ran.lines[1] == "crm_mon.xml              not recorded: crm_mon is not installed"
    assert f"drbd-status.json         exit 0, {size} bytes" in ran.lines
    assert ran.lines[8].startswith("Secrets were left out")
    assert stat.S_IMODE((tmp_path / "there").stat().st_mode) == 0o700


def test_snapshot_takes_a_second_reading_beyond_the_timeout(node, tmp_path):
    machine = node(HEALTHY / "storage01")
    ran = machine.run("snapshot", tmp_path / "there", "--sample", "0.3", "-t", "20")
    assert ran.code == 0
    assert "drbd-status.2.json       exit 0, 0 bytes" in ran.lines


def test_snapshot_records_a_tool_that_hangs_as_such(node, tmp_path):
    machine = node(HEALTHY / "storage01")
    machine.fault(drbdsetup="hang")
    ran = machine.run("snapshot", tmp_path / "there", "-t", "0.5")
    assert (ran.code, ran.err) == (0, "")
    assert "drbd-status.json         timeout, 0 bytes" in ran.lines


def test_snapshot_packs_another_one_again(call, tmp_path):
    folder = tmp_path / "app01"
    shutil.copytree(HEALTHY / "app01", folder)
    secret = '<nvpair id="x" name="passwd" value="geheim"/>\n</cib>'
    text = (folder / "cib.xml").read_text()
    (folder / "cib.xml").write_text(text.replace("</cib>", secret))
    archive = tmp_path / "again.tar.gz"
    outcome = call("snapshot", archive, "--from", folder)
    assert outcome.code == 0
    assert call("nodes", "--from", archive) == call("nodes", "--from", HEALTHY / "app01")
    unpacked = tmp_path / "unpacked"
    call("snapshot", unpacked, "--from", archive)
    assert "geheim" not in (unpacked / "cib.xml").read_text()
    assert 'value="REMOVED"' in (unpacked / "cib.xml").read_text()


@pytest.mark.parametrize("target", ["full", "none/there", "none/there.tar.gz"])
def test_snapshot_that_cannot_be_written_is_one_line(call, tmp_path, target):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").touch()
    outcome = call("snapshot", tmp_path / target, "--from", HEALTHY / "app01")
    assert (outcome.code, len(outcome.lines)) == (3, 1)
    assert str(tmp_path / target) in outcome.out


# -- topology ----------------------------------------------------------------------------------


def test_topology_of_a_cluster_node(call):
    outcome = call("topology", "--from", HEALTHY / "app01")
    assert outcome.code == 0
    assert outcome.out == (
        "# Learnt from app01.\n"
        "# Snapshots of further nodes (--from, repeatable) would confirm it.\n"
        "\n"
        "[pacemaker]\n"
        "# Members and remote nodes in crm_mon of app01.\n"
        'nodes = ["app01", "app02", "app03"]\n'
        "# Standing rules keep every group and single resource (group1) away.\n"
        'tie_breakers = ["app03"]\n'
        "\n"
        "[pacemaker.resources.group1]\n"
        "# Without app03 (rule group1-avoids-app03).\n"
        'allowed = ["app01", "app02"]\n'
        "\n"
        "[drbd.r0]\n"
        "# As drbdsetup says on app01: nodes with a disk.\n"
        'replicas = ["storage01", "storage02", "storage03"]\n'
        "# As drbdsetup says on app01: diskless on purpose.\n"
        'clients = ["app01", "app02", "app03"]\n'
        "# In the CIB, FS_DRBD mounts /dev/drbd0.\n"
        'runs_with = "FS_DRBD"\n'
    )


def test_topology_from_several_snapshots(call):
    one = call("topology", "--from", HEALTHY / "storage01", "--from", HEALTHY / "app01")
    other = call("topology", "--from", HEALTHY / "app01", "--from", HEALTHY / "storage01")
    assert one == other
    assert one.lines[0] == "# Learnt from app01, storage01."


def test_topology_is_not_taught_by_a_file_that_is_there(call, tmp_path):
    file = tmp_path / "cluster.toml"
    file.write_text('[drbd.r0]\nreplicas = ["app01"]\nruns_with = "OTHER"\n')
    outcome = call("topology", "--from", HEALTHY / "app01", "--config", file)
    assert outcome == call("topology", "--from", HEALTHY / "app01")


def test_topology_takes_one_node_name_only(call):
    both = ("--from", HEALTHY / "app01", "--from", HEALTHY / "app02")
    outcome = call("topology", *both, "--node", "app01")
    assert (outcome.code, len(outcome.lines)) == (3, 1)


def test_topology_of_a_machine_with_nothing_is_one_line(call, tmp_path):
    (tmp_path / "meta.json").write_text('{"node": "app01"}')
    outcome = call("topology", "--from", tmp_path)
    assert (outcome.code, len(outcome.lines)) == (3, 1)
    assert outcome.out.startswith("CHECK_MCCLUSTER UNKNOWN - nothing could be learnt: ")
