"""Evidence of two clusters, nodes or times is told, whatever each tool says by itself."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path

import pytest

from check_mccluster.inputs.every import every
from check_mccluster.judge.belongs import PAIRS
from conftest import FIXTURES

SNAPSHOTS = FIXTURES / "snapshots"
HEALTHY = SNAPSHOTS / "six-nodes-healthy"
OTHER = SNAPSHOTS / "classic-simulated/alpha"


@pytest.fixture
def node(tmp_path) -> Path:
    return Path(shutil.copytree(HEALTHY / "app01", tmp_path / "app01"))


def change(path: Path, old: str, new: str, count: int = 0) -> None:
    before = path.read_text()
    after = re.sub(old, new, before, count=count)
    assert after != before
    path.write_text(after)


def told(call, check: str, node: Path) -> tuple[int, list[str]]:
    outcome = call(check, "--from", node, "--json")
    document = json.loads(outcome.out)
    return outcome.code, [
        each["text"] for each in document["findings"] if each["key"] == "output-invalid"
    ]


@pytest.mark.parametrize("check", ["failover", "resources", "fencing", "placement", "overview"])
def test_cib_of_another_cluster(call, node, check):
    shutil.copy(OTHER / "cib.xml", node / "cib.xml")
    code, texts = told(call, check, node)
    assert code == 3
    assert any(text.endswith(", which crm_mon does not know") for text in texts)
    assert any(text.startswith("cibadmin: the CIB does not know app01, ") for text in texts)


def test_cib_of_an_earlier_time(call, node):
    change(
        node / "cib.xml", r'cib-last-written="[^"]*"', 'cib-last-written="Sat Nov 21 08:00:00 2026"'
    )
    code, texts = told(call, "failover", node)
    assert code == 3
    assert [text[:52] for text in texts] == ["cibadmin: this CIB was written 2026-11-21 08:00:00, "]


def test_cib_that_is_changed_while_it_is_read(call, node):
    now = re.search(r'<last_update time="([^"]*)"', (node / "crm_mon.xml").read_text())
    assert now is not None
    change(node / "cib.xml", r'cib-last-written="[^"]*"', f'cib-last-written="{now[1]}"')
    assert told(call, "failover", node) == (0, [])


def test_cib_without_nodes_or_resources(call, node):
    change(node / "cib.xml", r"(?s)<nodes>.*?</nodes>", "<nodes/>")
    assert told(call, "resources", node) == (3, ["cibadmin: no node in the CIB"])
    shutil.copy(HEALTHY / "app01/cib.xml", node / "cib.xml")
    change(node / "cib.xml", r"(?s)<resources>.*?</resources>", "<resources/>")
    code, texts = told(call, "resources", node)
    assert code == 3
    assert re.match("cibadmin: the CIB does not have .* which crm_mon shows", texts[0])


@pytest.mark.parametrize("check", ["links", "quorum"])
def test_corosync_of_another_node(call, node, check):
    for path in (HEALTHY / "app02").glob("corosync-*"):
        shutil.copy(path, node)
    code, texts = told(call, check, node)
    assert code == 3
    assert texts
    assert all("another node's answer: of node 2, and app01 is 1" in text for text in texts)


@pytest.mark.parametrize("check", ["links", "overview"])
def test_peer_without_a_line_on_any_link(call, node, check):
    change(node / "corosync-cfgtool.txt", r"\t\tnodeid: +3:.*\n", "")
    code, texts = told(call, check, node)
    assert code == 3
    assert "corosync-cfgtool: no line for app03 of Corosync's node list" in texts


def test_peer_without_a_line_where_the_node_list_cannot_be_asked(call, node):
    (node / "corosync-cmapctl.txt").unlink()
    change(node / "corosync-cfgtool.txt", r"\t\tnodeid: +3:.*\n", "")
    assert told(call, "links", node) == (
        3,
        ["corosync-cfgtool: no line for app03, online in crm_mon"],
    )


def test_link_that_is_configured_and_not_told(call, node):
    change(
        node / "corosync-cmapctl.txt",
        r"(nodelist\.node\.(\d)\.ring)0_addr (.*\n)",
        r"\g<1>0_addr \3\g<1>1_addr \3",
    )
    assert told(call, "links", node) == (
        3, ["corosync-cfgtool: nothing said of link 1, which is configured"],
    )  # fmt: skip


def test_node_list_of_other_members(call, node):
    change(node / "corosync-cmapctl.txt", r"(node\.2\.name \(str\) = )app03", r"\1db03")
    change(node / "corosync-cmapctl.txt", r"(node\.2\.nodeid \(u32\) = )3", r"\g<1>9")
    code, texts = told(call, "quorum", node)
    assert (code, texts) == (
        3,
        [
            "corosync-cmapctl: Corosync's node list has db03, which crm_mon does not know",
            "corosync-cmapctl: Corosync's node list lacks app03, online in crm_mon",
        ],
    )


def test_node_on_which_pacemaker_never_started_is_told_by_quorum(call, node):
    added = "nodelist.node.3.name (str) = app04\nnodelist.node.3.nodeid (u32) = 4\n"
    path = node / "corosync-cmapctl.txt"
    path.write_text(path.read_text() + added)
    assert told(call, "quorum", node) == (1, [])
    document = json.loads(call("quorum", "--from", node, "--json").out)
    (found,) = document["findings"]
    assert (found["key"], found["text"]) == (
        "votes-expected",
        "Corosync's node list has app04, which Pacemaker does not know: never started",
    )
    assert found["next_step"].startswith("on app04: pcs cluster start; where it is no member:")


def test_voter_that_is_no_member(call, node):
    change(node / "corosync-quorumtool.txt", r"(?m)^ +3 +1 app03$", "         9          1 db03")
    assert told(call, "quorum", node) == (
        3, ["corosync-quorumtool: db03 votes, and crm_mon does not know it"],
    )  # fmt: skip


@pytest.mark.parametrize("check", ["timing", "drbd-quorum", "consistency"])
def test_options_of_another_node(call, node, check):
    shutil.copy(HEALTHY / "app02/drbd-show.json", node)
    code, texts = told(call, check, node)
    if check == "timing":  # it reads no status
        assert (code, texts) == (0, [])
    else:
        assert (code, len(texts)) == (3, 1)
        assert re.fullmatch(
            r"drbdsetup: drbdsetup show is another node's: r0 is node \d there", texts[0]
        )


def test_drbd_of_another_node_has_this_node_among_its_peers(call, node):
    shutil.copy(HEALTHY / "app02/drbd-status.json", node)
    assert told(call, "drbd-mesh", node) == (
        3, ["drbdsetup: this is another node's answer: app01 is a peer in r0"],
    )  # fmt: skip


@pytest.mark.parametrize("signal", ["139", "-11", "134"])
@pytest.mark.parametrize(
    ("check", "tool"), [("links", "corosync-cfgtool"), ("quorum", "corosync-quorumtool")]
)
def test_tool_that_answered_and_died_by_a_signal(call, node, check, tool, signal):
    (node / f"{tool}.txt.rc").write_text(signal)
    outcome = call(check, "--from", node)
    assert outcome.code == 3
    assert f"{tool} failed with exit code {signal}" in outcome.first


# What is missing inside a document.

WITHOUT = "without the attribute"
OPTIONS = "cluster_options without"


@pytest.mark.parametrize(
    ("old", "text"),
    [
        (r'(<node name="app02".*?) type="member"', "node app02 without the attribute type"),
        (r'(<node name="app02".*?) standby="false"', "node app02 without the attribute standby"),
        (r'(<node name="app02".*?) health="green"', "node app02 without the attribute health"),
        (r'(<resource id="MYSQL".*?) failed="false"', f"resource MYSQL {WITHOUT} failed"),
        (r'(<resource id="MYSQL".*?) managed="true"', f"resource MYSQL {WITHOUT} managed"),
        (r'(<resource id="MYSQL".*?) blocked="false"', f"resource MYSQL {WITHOUT} blocked"),
        (r'(<cluster_options.*?) symmetric-cluster="true"', f"{OPTIONS} symmetric"),
        (r'(<cluster_options.*?) maintenance-mode="false"', f"{OPTIONS} maintenance-mode"),
        (r'(<current_dc.*?) with_quorum="true"', "current_dc without with_quorum"),
        (r"()<nodes_configured [^>]*/>", "summary without nodes_configured"),
        (r'(<nodes_configured) number="3"', "summary without nodes_configured"),
    ],
)  # fmt: skip
def test_attribute_that_a_rule_depends_on_is_missing(call, node, old, text):
    change(node / "crm_mon.xml", old, r"\1", count=1)
    code, texts = told(call, "resources", node)
    assert (code, texts) == (3, [f"crm_mon: {text}"])


@pytest.mark.parametrize("version", ["1.1.9", "1.1.15"])
def test_crm_mon_that_does_not_tell_the_maintenance_mode_yet(call, node, version):
    change(node / "crm_mon.xml", ' maintenance-mode="false"', "")
    change(node / "crm_mon.xml", '<crm_mon version="[^"]*"', f'<crm_mon version="{version}"')
    assert told(call, "resources", node) == (0, [])


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (
            r'<node name="app01" id="1" cached="[a-z]+"/>',
            '<node name="app09" id="1" cached="true"/>',
            "app09 is not a node, and a resource runs there",
        ),
        (
            r'<node name="app01">(\s*<resource_history id="FS_DRBD")',
            r'<node name="app09">\1 fail-count="3"',
            "app09 is not a node, and a resource has a history",
        ),
        (
            r'<resource_history id="MYSQL"',
            '<resource_history id="MYSQK" fail-count="3"',
            "MYSQK has a history and is not a resource",
        ),
        (
            r'<resource_history id="MYSQL"',
            '<resource_history id="MYSQL:" fail-count="3"',
            "MYSQL: has a history and is not a resource",
        ),
        (
            r'<resource id="MYSQL"',
            '<resource id="MYSQL:"',
            "MYSQL: is no id of a resource",
        ),
    ],
)
def test_name_that_nothing_else_knows(call, node, old, new, text):
    change(node / "crm_mon.xml", old, new, count=1)
    code, texts = told(call, "resources", node)
    assert (code, texts) == (3, [f"crm_mon: {text}"])


@pytest.mark.parametrize(
    ("old", "text"),
    [
        (r"<cluster_options [^>]*/>", "crm_mon: summary without cluster_options"),
        (r'<node name="app02" [^>]*/>', "crm_mon: 2 nodes, nodes_configured says 3"),
    ],
)
def test_element_that_a_rule_depends_on_is_missing(call, node, old, text):
    change(node / "crm_mon.xml", old, "", count=1)
    assert told(call, "failover", node) == (3, [text])


def test_clone_that_shall_not_be_promoted_and_does_not_say_so(call, tmp_path):
    source = SNAPSHOTS / "promotable-not-promoted-by-admin"
    node = Path(shutil.copytree(source / "app01", tmp_path / "app01"))
    change(node / "crm_mon.xml", r'(<clone id="drbd-clone"[^>]*) target_role="\w+"', r"\1")
    text = "crm_mon: clone drbd-clone is disabled without target_role"
    assert told(call, "resources", node) == (3, [text])


@pytest.mark.parametrize("value", ["", "many", "1e999", "--5", "+5"])
def test_attribute_that_is_expected_to_be_a_number(call, node, value):
    change(node / "crm_mon.xml", "</crm_mon>", "")
    with (node / "crm_mon.xml").open("a") as file:
        file.write(
            '<node_attributes><node name="app02">'
            f'<attribute name="pingd" value="{value}" expected="100"/></node></node_attributes>'
            "</crm_mon>"
        )
    text = f"crm_mon: attribute pingd of app02 is '{value}', not a number"
    assert told(call, "nodes", node) == (3, [text])


def test_peer_client_that_is_null(call, node):
    change(node / "drbd-status.json", r'"peer-client": \w+', '"peer-client": null', count=1)
    code, texts = told(call, "drbd-quorum", node)
    assert code == 3
    assert texts[0].endswith("peer-client is neither yes nor no")


@pytest.mark.parametrize(
    ("file", "old"),
    [
        ("crm_mon.xml", "MYSQL"),
        ("cib.xml", "MYSQL"),
        ("drbd-status.json", "storage02"),
        ("drbd-show.json", "storage02"),
        ("corosync-quorumtool.txt", "app02"),
        ("corosync-cmapctl.txt", "app02"),
    ],
)
def test_name_of_100_000_characters(call, node, file, old):
    change(node / file, old, "n" * 100_000)
    started = time.process_time()
    outcome = call("overview", "--from", node)
    assert time.process_time() - started < 2
    assert outcome.code == 3
    assert all(len(line) < 1000 for line in outcome.lines)


@pytest.mark.parametrize("file", ["crm_mon.xml", "cib.xml", "drbd-status.json", "drbd-show.json"])
def test_two_hundred_thousand_levels(call, node, file):
    opening = "[" if file.endswith("json") else "<cib><a>" if file == "cib.xml" else "<crm_mon><a>"
    (node / file).write_text(opening[:-3] * (opening != "[") + opening[-3:] * 200_000)
    started = time.process_time()
    outcome = call("overview", "--from", node)
    assert time.process_time() - started < 2
    assert outcome.code == 3


def test_the_inputs_that_are_compared_are_called_so():
    known = {key.name for key in every()}
    assert {name for pair in PAIRS for name in (pair.one, pair.other)} <= known


def test_attributes_of_a_node_that_nothing_else_knows(call, node):
    """Those of a node that lost its ping would be nobody's."""
    attribute = '<attribute name="pingd" value="{}" expected="100"/>'
    told_of = "".join(
        f'<node name="{name}">{attribute.format(value)}</node>'
        for name, value in (("app01", 100), ("app09", 0))
    )
    change(
        node / "crm_mon.xml", "</crm_mon>", f"<node_attributes>{told_of}</node_attributes>\\g<0>"
    )
    text = "crm_mon: app09 is not a node, and has attributes"
    assert told(call, "nodes", node) == (3, [text])


def test_drbd_of_another_cluster_excuses_no_constraint(call, tmp_path):
    """A resource of the same name whose peers are no nodes here: r0 is called so everywhere."""
    source = SNAPSHOTS / "classic-fence-handler"
    node = Path(shutil.copytree(next(source.iterdir()), tmp_path / "node"))
    document = json.loads((node / "drbd-status.json").read_text())
    for one in document:
        for device in one["devices"]:
            device["disk-state"] = "Outdated"
    (node / "drbd-status.json").write_text(json.dumps(document))
    assert call("placement", "--from", node).code == 0  # in force: a disk is not UpToDate
    for one in document:
        for number, peer in enumerate(one["connections"]):
            peer["name"] = f"other{number}"
    (node / "drbd-status.json").write_text(json.dumps(document))
    outcome = call("placement", "--from", node)
    assert outcome.code == 1
    assert "until the peer's disk is UpToDate" in outcome.first


def test_word_of_drbd_that_nobody_knows_excuses_no_constraint(call, tmp_path):
    """A fence handler's constraint is in force while a disk is not UpToDate, if that is known."""
    source = next((SNAPSHOTS / "classic-fence-handler").iterdir())
    node = Path(shutil.copytree(source, tmp_path / source.name))
    assert call("placement", "--from", node).code == 1
    change(node / "drbd-status.json", '"Connected"', '"nonsense"', count=1)
    outcome = call("placement", "--from", node)
    assert outcome.code == 1
    assert "until the peer" in outcome.first
