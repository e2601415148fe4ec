"""Kinds of cluster: each in docs/clusters.md has a recording, and healthy is OK without options."""

from __future__ import annotations

import re
import shutil

import pytest

from conftest import FIXTURES, ROOT

PAGE = (ROOT / "docs" / "clusters.md").read_text()
ROWS = re.findall(r"^\| (\[.+?) \| ", PAGE, re.MULTILINE)
LINKS = [link for row in ROWS for link in re.findall(r"\]\(#(.+?)\)", row)]
SECTIONS = re.findall(r"^### (.+)\n(?:(?!^###)[\s\S])*?--from fixtures/snapshots/(\S+)", PAGE, re.M)
SCENARIOS = sorted({shown.partition("/")[0] for _, shown in SECTIONS})
NODES = sorted(
    str(meta.parent.relative_to(FIXTURES / "snapshots"))
    for scenario in SCENARIOS
    for meta in FIXTURES.glob(f"snapshots/{scenario}/*/meta.json")
)
PACEMAKER = ["nodes", "quorum", "links", "resources", "failures", "fencing", "placement"]
DRBD = ["drbd-role", "drbd-disk", "drbd-mesh", "drbd-quorum", "drbd-sync"]


def anchor(title: str) -> str:
    """The anchor that a Markdown heading gets."""
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


def test_every_row_of_the_table_leads_to_a_recording():
    assert len(ROWS) == 13
    assert [anchor(title) for title, _ in SECTIONS] == LINKS


def test_every_kind_that_is_recorded_is_shown():
    recorded = {path.name for path in FIXTURES.glob("snapshots/kind-*")}
    assert len(recorded) == 12
    assert recorded - set(SCENARIOS) == set()


@pytest.mark.parametrize("node", NODES)
def test_a_healthy_cluster_of_each_kind_is_ok_on_every_node_without_options(call, node):
    outcome = call("overview", "--from", FIXTURES / "snapshots" / node)
    assert outcome.code == 0, outcome.out
    assert outcome.first.startswith("OVERVIEW OK - ")


@pytest.mark.parametrize(
    ("node", "checks"),
    [
        ("kind-iscsi-on-drbd/alpha", [*PACEMAKER, *DRBD, "consistency", "failover", "timing"]),
        ("kind-proxmox/pve1", DRBD),
        ("kind-linstor/pve1", DRBD),
        ("kind-drbd-reactor/pve2", DRBD),
        ("kind-sap-hana/hana01", [*PACEMAKER, "failover"]),
        ("kind-nfs-on-drbd/bravo", [*PACEMAKER, *DRBD, "consistency", "failover", "timing"]),
        ("kind-sap-hana-rhel/node2", [*PACEMAKER, "failover"]),
        ("kind-sap-ascs-ers/sap01", [*PACEMAKER, "failover"]),
        ("kind-remote-and-guest-nodes/alpha", [*PACEMAKER, "failover"]),
        ("kind-remote-and-guest-nodes/web9", [p for p in PACEMAKER if p != "links"] + ["failover"]),
    ],
)
def test_the_checks_that_fit_are_those_of_the_table(call, node, checks):
    outcome = call("overview", "--from", FIXTURES / "snapshots" / node)
    assert re.findall(r"^\[OK\] ([a-z-]+):", outcome.out, re.MULTILINE) == checks


def test_links_can_be_asked_where_corosync_runs_without_pacemaker(call):
    outcome = call("links", "--from", FIXTURES / "snapshots/kind-proxmox/pve1")
    assert (outcome.code, outcome.first) == (0, "LINKS OK - 2 peers on 1 link, all connected")


def test_on_a_site_without_the_ticket_the_three_keys_of_the_table_make_it_ok(call):
    words = [f"--severity={key}=ok" for key in ("resource-stopped", "not-running", "no-candidate")]
    revoked = FIXTURES / "snapshots/ticket-revoked/app01"
    assert call("overview", "--from", revoked).code == 2
    assert call("overview", *words, "--from", revoked).code == 0


def test_only_a_remote_node_may_have_no_corosync(call, tmp_path):
    kind = FIXTURES / "snapshots/kind-remote-and-guest-nodes"
    shutil.copytree(kind / "web9", tmp_path / "web9")
    (tmp_path / "web9/meta.json").write_text((kind / "alpha/meta.json").read_text())
    outcome = call("overview", "--from", tmp_path / "web9")
    assert outcome.code == 3
    assert "[UNKNOWN] links: corosync-cfgtool: not in the snapshot" in outcome.out
