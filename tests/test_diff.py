"""diff: what changed between two snapshots of a node, or two folders of several."""

from __future__ import annotations

import shutil

import pytest

from conftest import FIXTURES

SNAPSHOTS = FIXTURES / "snapshots"
HEALTHY = SNAPSHOTS / "six-nodes-healthy"
LOST = SNAPSHOTS / "storage-servers-lost"


def test_the_same_snapshot_has_not_changed(call):
    outcome = call("diff", HEALTHY / "app01", HEALTHY / "app01")
    assert outcome.code == 0
    assert outcome.lines[-1] == "Nothing changed."


def test_faults_that_came_are_told_first_then_every_fact(call):
    outcome = call("diff", HEALTHY / "app01", LOST / "app01")
    assert outcome.code == 1
    assert outcome.lines[1] == "Faults that came"
    assert outcome.lines[2].startswith("  CRITICAL drbd-quorum-lost: r0/0: quorum lost on app01")
    changed = outcome.lines[outcome.lines.index("Changed") + 1 :]
    assert "  connection r0 app01-storage02: Connected -> Connecting" in changed
    assert "  disk r0/0 on app01: Diskless -> Diskless, no quorum" in changed


def test_on_the_way_back_the_faults_went(call):
    outcome = call("diff", LOST / "app01", HEALTHY / "app01")
    assert outcome.code == 1
    assert "Faults that went" in outcome.lines
    assert "Faults that came" not in outcome.lines


def test_two_folders_are_compared_node_by_node(call):
    outcome = call("diff", HEALTHY, LOST)
    assert outcome.code == 1
    both = sorted(
        {p.name for p in HEALTHY.iterdir() if p.is_dir()} & {p.name for p in LOST.iterdir()}
    )
    assert outcome.lines[0].startswith(f"{', '.join(both)}: from 2026-11-22 ")


def test_what_was_not_recorded_on_a_side_is_no_change(call, tmp_path):
    shutil.copytree(HEALTHY / "app01", tmp_path / "app01")
    (tmp_path / "app01" / "drbd-status.json").unlink()
    outcome = call("diff", HEALTHY / "app01", tmp_path / "app01")
    assert outcome.lines[outcome.lines.index("Changed") + 1 :] == [
        "  DRBD from app01: known -> not known"
    ]
    (tmp_path / "app01" / "crm_mon.xml").unlink()
    back = call("diff", tmp_path / "app01", HEALTHY / "app01")
    assert back.lines[back.lines.index("Changed") + 1 :] == [
        "  DRBD from app01: not known -> known",
        "  Pacemaker from app01: not known -> known",
    ]


def test_nothing_up_is_known_and_what_was_up_is_no_more(call):
    up, down = HEALTHY / "storage01", SNAPSHOTS / "no-resource-up/storage01"
    assert "  role r0 on storage01: no more (was Secondary)" in call("diff", up, down).lines


def test_two_partitions_that_became_one_are_compared_with_that(call):
    outcome = call("diff", SNAPSHOTS / "app02-cut-off-while-active", HEALTHY)
    assert outcome.lines[1:3] == [
        "  OLD was recorded after NEW",
        "  only in NEW: app03, storage01, storage02, storage03",
    ]
    assert "  quorum (seen from app02): no -> yes" in outcome.lines
    assert not any("no more" in line for line in outcome.lines)


@pytest.mark.parametrize("other", ["storage01", "app02"])
def test_two_nodes_are_not_to_be_compared(call, other):
    outcome = call("diff", HEALTHY / "app01", HEALTHY / other)
    assert outcome.code == 3
    assert len(outcome.lines) == 1
    assert "no node in common" in outcome.first


def test_a_damaged_side_is_one_line(call, tmp_path):
    shutil.copytree(HEALTHY / "app01", tmp_path / "app01")
    (tmp_path / "app01" / "meta.json").write_text("[")
    outcome = call("diff", HEALTHY / "app01", tmp_path / "app01")
    assert outcome.code == 3
    assert len(outcome.lines) == 1
