"""The JSON for Zabbix: whole documents, and that it is JSON with exit code 0 whatever happens."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest

from build import NOW, view_of
from build_drbd import many
from check_mccluster.checks import registry
from check_mccluster.checks.overview import CHECK as OVERVIEW
from check_mccluster.judge import engine
from check_mccluster.judge.picture import of_one
from check_mccluster.model.drbd import DiskState
from check_mccluster.present import zabbix
from check_mccluster.verdict.view import Asked, Judgement
from conftest import FIXTURES, ROOT

SNAPSHOTS = FIXTURES / "snapshots"
HEALTHY = SNAPSHOTS / "six-nodes-healthy"
EVERY_NODE = sorted(
    path.parent
    for path in SNAPSHOTS.glob("*/*/meta.json")
    if (path.parent / "crm_mon.xml").exists() or (path.parent / "drbd-status.json").exists()
)
TEMPLATES = sorted((ROOT / "contrib" / "zabbix").glob("*/*.yaml"))


NO_ALARM = {"state": 0, "text": "", "fault": ""}


@pytest.fixture
def document(call):
    """Call a zabbix command and read what it prints; its exit code is always 0."""

    def run(*args: object):
        outcome = call("zabbix", *args)
        assert outcome.code == 0
        assert len(outcome.lines) == 1
        assert outcome.out.isascii()
        return json.loads(outcome.out)

    return run


def events(data) -> list[tuple[str, str, int]]:
    """What the template's triggers look at, where it is not 0 or empty."""
    objects = [
        (f"{kind} {name}", entry["alarm"]["text"], entry["alarm"]["state"])
        for kind in ("nodes", "resources", "drbd", "peers")
        for name, entry in data[kind].items()
    ]
    checks = [
        (name, check["alarm"]["text"], check["alarm"]["state"])
        for name, check in data["checks"].items()
        if "alarm" in check
    ]
    others = [
        ("maintenance", *(data["alarms"]["maintenance"][name] for name in ("text", "state"))),
        ("error", data.get("error", ""), data["tools"]),
    ]
    return [each for each in (*objects, *checks, *others) if each[2]]


# -- discovery ---------------------------------------------------------------------------------


def test_discovery_on_an_application_server(document):
    found = {
        kind: document("discovery", kind, "--from", HEALTHY / "app02")
        for kind in ("nodes", "resources", "drbd", "peers")
    }

    assert found == {
        "nodes": [{"{#NODE}": "app01"}, {"{#NODE}": "app02"}, {"{#NODE}": "app03"}],
        "resources": [
            {"{#RESOURCE}": "group1", "{#TYPE}": "group", "{#TOP}": "group1"},
            {"{#RESOURCE}": "FS_DRBD", "{#TYPE}": "primitive", "{#TOP}": "group1"},
            {"{#RESOURCE}": "MYSQL", "{#TYPE}": "primitive", "{#TOP}": "group1"},
            {"{#RESOURCE}": "MAILMAN3", "{#TYPE}": "primitive", "{#TOP}": "group1"},
            {"{#RESOURCE}": "POSTFIX", "{#TYPE}": "primitive", "{#TOP}": "group1"},
            {"{#RESOURCE}": "DOVECOT", "{#TYPE}": "primitive", "{#TOP}": "group1"},
        ],
        "drbd": [{"{#RESOURCE}": "r0", "{#VOLUME}": "0"}],
        "peers": [
            {"{#RESOURCE}": "r0", "{#PEER}": peer, "{#VOLUME}": "0"}
            for peer in ("app01", "app03", "storage01", "storage02", "storage03")
        ],
    }


def test_discovery_on_a_storage_server_has_no_nodes_and_no_error(document):
    assert document("discovery", "nodes", "--from", HEALTHY / "storage01") == []
    assert document("discovery", "resources", "--from", HEALTHY / "storage01") == []
    assert len(document("discovery", "peers", "--from", HEALTHY / "storage01")) == 5


def test_instances_of_a_clone_are_one_resource(document):
    snapshot = SNAPSHOTS / "clone-healthy" / "app01"

    names = [row["{#RESOURCE}"] for row in document("discovery", "resources", "--from", snapshot)]

    assert len(names) == len(set(names))
    assert {"ping-clone", "ping"} < set(names)


def test_discovery_by_a_failing_tool_is_an_error_and_no_empty_list(document):
    stopped = SNAPSHOTS / "pacemaker-1.1.24-not-running" / "app01"
    cut = SNAPSHOTS / "utils-9.1.0-answer-cut" / "app01"

    assert document("discovery", "nodes", "--from", stopped) == {
        "error": "Pacemaker does not run on this node"
    }
    assert list(document("discovery", "peers", "--from", cut)) == ["error"]


# -- data --------------------------------------------------------------------------------------


def test_data_of_a_storage_server(document):
    data = document("data", "--from", HEALTHY / "storage01")
    checks = {
        name: (c["state"], c["alarm"]["state"], c["text"]) for name, c in data["checks"].items()
    }
    peers = {name: (p["role"], p["disk"], p["client"]) for name, p in data["peers"].items()}

    assert list(data) == [
        *("version", "node", "time", "state", "text", "maintenance", "tools", "alarms", "checks"),
        *("nodes", "resources", "drbd", "peers", "discovery", "left_out"),
    ]
    assert (data["node"], data["state"], data["maintenance"], data["tools"]) == (
        "storage01",
        0,
        "",
        0,
    )
    assert data["text"] == "5 checks, all OK: r0/0: 3 of 3 copies, can lose 1; r0: Primary app01"
    assert checks == {
        "drbd-role": (0, 0, "r0: Primary app01"),
        "drbd-disk": (0, 0, "r0/0 UpToDate"),
        "drbd-mesh": (0, 0, "r0: 5 of 5 peers connected"),
        "drbd-quorum": (0, 0, "r0/0: 3 of 3 copies, can lose 1"),
        "drbd-sync": (0, 0, "r0: nothing to resync"),
    }
    assert data["checks"]["drbd-sync"]["figures"]["out_of_sync_max"] == 0
    assert (data["nodes"], data["resources"]) == ({}, {})
    volume = data["drbd"]["r0/0"]
    assert {k: v for k, v in volume.items() if k not in ("read", "written", "size", "pending")} == {
        **{
            "state": 0,
            "text": "",
            "alarm": NO_ALARM,
            "role": "Secondary",
            "disk": "UpToDate",
            "client": 0,
        },
        **{"quorum": 1, "suspended": 0, "copies": 3, "replicas": 3, "out_of_sync": 0},
    }
    assert peers == {
        "r0/app01/0": ("Primary", "Diskless", 1),
        "r0/app02/0": ("Secondary", "Diskless", 1),
        "r0/app03/0": ("Secondary", "Diskless", 1),
        "r0/storage02/0": ("Secondary", "UpToDate", 0),
        "r0/storage03/0": ("Secondary", "UpToDate", 0),
    }


def test_data_of_an_application_server(document):
    data = document("data", "--from", HEALTHY / "app01")

    assert list(data["checks"]) == [check.name for check in registry.single_checks()]
    assert data["nodes"]["app03"] == {
        **{
            "state": 0,
            "text": "",
            "alarm": NO_ALARM,
            "status": "online",
            "online": 1,
            "dc": 0,
            "running": 0,
        }
    }
    assert data["resources"]["MYSQL"] == {
        **{
            "state": 0,
            "text": "",
            "alarm": NO_ALARM,
            "type": "primitive",
            "top": "group1",
            "role": "Started",
        },
        **{"nodes": "app01", "running": 1, "managed": 1, "fail_count": 0},
    }
    assert data["resources"]["group1"]["running"] == 5
    assert data["checks"]["quorum"]["figures"] == {"votes": 3, "votes_needed": 2, "votes_margin": 1}


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        pytest.param(
            "six-nodes-healthy/app01",
            [],
            id="healthy",
        ),
        pytest.param(
            "storage-servers-lost/app01",
            [
                (
                    "drbd r0/0",
                    "r0/0: quorum lost on app01, I/O fails, 1 of 3 copies UpToDate and reachable,"
                    " not storage02, storage03",
                    2,
                )
            ],
            id="two storage servers lost: not also the peers and the consistency",
        ),
        pytest.param(
            "app01-powered-off/app02",
            [("nodes app01", "app01 is offline, no link to it is up, nor is DRBD connected", 2)],
            id="node off: not also its links, connections and the quorum's margin",
        ),
        pytest.param(
            "app01-powered-off/storage01",
            [],
            id="the same node, seen from a storage server: app02 tells it",
        ),
        pytest.param(
            "cluster-maintenance/app01",
            [
                (
                    "maintenance",
                    "maintenance-mode: the cluster manages nothing",
                    1,
                )
            ],
            id="maintenance: not also the failover",
        ),
        pytest.param(
            "app01-maintenance/app02",
            [("nodes app01", "app01 is in maintenance: group1 is not monitored there", 1)],
            id="maintenance of another node is that node's",
        ),
    ],
)
def test_one_fault_is_one_event(document, scenario, expected):
    assert events(document("data", "--from", SNAPSHOTS / scenario)) == expected


@pytest.mark.parametrize("snapshot", EVERY_NODE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_fault_that_this_node_tells_is_an_event_and_no_other(call, document, snapshot):
    data = document("data", "--from", snapshot)
    overview = json.loads(call("overview", "--json", "--from", snapshot).out)
    faults = [fault for fault in overview["faults"] if fault["state"] != "OK"]
    told = [text for _, text, _ in events(data)]

    for fault in faults:
        assert any(fault["text"] in text for text in told) == fault["spoken"], fault
    assert bool(told) == any(fault["spoken"] for fault in faults)
    assert bool(data["state"]) == bool(faults)
    assert bool(data["tools"]) == ("error" in data)


def test_own_maintenance_is_maintenance(document):
    data = document("data", "--from", SNAPSHOTS / "app01-maintenance" / "app02", "--node", "app01")

    assert data["maintenance"].startswith("app01 is in maintenance")
    assert data["nodes"]["app01"]["state"] == 0


def test_check_that_a_tool_failed_has_no_fault_number(document):
    """Without a new value an open problem stays open."""
    data = document("data", "--from", SNAPSHOTS / "pacemaker-1.1.24-not-running" / "app01")

    assert "alarm" not in data["checks"]["nodes"]
    assert data["tools"] == 2
    assert data["error"].startswith("Pacemaker does not run on this node")


def test_severity_of_the_configuration_file_counts(document, tmp_path):
    config = tmp_path / "cluster.toml"
    config.write_text('[severity]\npeer-connecting = "critical"\n')

    snapshot = SNAPSHOTS / "app01-powered-off" / "storage01"

    data = document("data", "--from", snapshot, "--config", config)

    assert data["peers"]["r0/app01/0"]["state"] == 2
    assert data["peers"]["r0/app01/0"]["alarm"] == NO_ALARM  # app02 tells it


def test_fault_that_two_checks_can_have_is_told_by_the_one_that_runs(document, tmp_path):
    """Constructed: app02 is made a second Primary in a healthy recording."""
    snapshot = tmp_path / "app01"
    shutil.copytree(HEALTHY / "app01", snapshot)
    status = json.loads((snapshot / "drbd-status.json").read_text())
    peers = {connection["name"]: connection for connection in status[0]["connections"]}
    peers["app02"]["peer-role"] = "Primary"
    (snapshot / "drbd-status.json").write_text(json.dumps(status))
    config = tmp_path / "cluster.toml"
    config.write_text('[overview]\nskip = ["drbd-role"]\n')

    every = document("data", "--from", snapshot)
    skipped = document("data", "--from", snapshot, "--config", config)

    assert [(name, state) for name, _, state in events(every)] == [("drbd-role", 2)]
    assert [(name, state) for name, _, state in events(skipped)] == [("consistency", 2)]


# -- several nodes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("six-nodes-healthy", []),
        (
            "storage-servers-lost",
            [
                (
                    "cluster",
                    "r0/0: quorum lost on app01, app02 and 2 more, I/O fails, 1 of 3 copies"
                    " UpToDate and reachable, not storage02, storage03",
                    2,
                )
            ],
        ),
        (
            "app01-powered-off",
            [("cluster", "app01 is offline, no link to it is up, nor is DRBD connected", 2)],
        ),
        (
            "disk-detached",
            [("cluster", "r0/0: disk lost on storage03 (Diskless, not a client)", 2)],
        ),
        (
            "app01-standby",
            [
                (
                    "nodes app01",
                    "app01 is in standby, hence no node could take group1: app01 in standby; app03"
                    " banned by location-group1-app03--INFINITY",
                    2,
                )
            ],
        ),
    ],
)
def test_fault_of_several_nodes_is_one_event_of_the_cluster(document, scenario, expected):
    data = {"drbd": {}, "peers": {}, "resources": {}}
    data |= document("cluster", "--from", SNAPSHOTS / scenario)

    assert events(data) == expected
    assert data["state"] == max((state for _, _, state in expected), default=0)
    assert data["discovery"] == {"nodes": [{"{#NODE}": name} for name in data["nodes"]]}


# -- whatever fails ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("bogus",),
        ("data", "--bogus"),
        ("data", "-t", "soon"),
        ("data", "extra"),
        ("data", "--from", "/nonexistent"),
        ("data", "--config", "/nonexistent.toml"),
        ("discovery",),
        ("discovery", "disks"),
        ("discovery", "nodes", "--from", "/nonexistent"),
        ("cluster", "--from", "/nonexistent"),
        ("cluster", "--config", "/nonexistent.toml"),
    ],
    ids=" ".join,
)
def test_error_is_a_document(document, args):
    found = document(*args)

    assert list(found) == ["error"]
    assert found["error"]


def test_error_before_the_command_is_a_document(call):
    outcome = call("--bogus", "zabbix", "data")

    assert outcome.code == 0
    assert list(json.loads(outcome.out)) == ["error"]
    assert json.loads(outcome.out)["error"].startswith("No such option")


def test_bug_is_a_document(document, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("check_mccluster.present.zabbix.data", fail)

    found = document("data", "--from", HEALTHY / "app01")

    assert found == {"error": "internal error: ZeroDivisionError: a bug"}


def test_damaged_snapshot_is_a_document(document, tmp_path):
    archive = tmp_path / "app01.tar.gz"
    archive.write_bytes(b"\x1f\x8b not really")

    assert list(document("data", "--from", archive)) == ["error"]
    assert list(document("discovery", "nodes", "--from", archive)) == ["error"]


def test_help_is_help(call):
    outcome = call("zabbix", "data", "--help")

    assert outcome.code == 0
    assert outcome.first.startswith("Usage: check_mccluster zabbix data")


# -- the template ------------------------------------------------------------------------------


def test_templates_are_up_to_date():
    done = subprocess.run(
        [sys.executable, ROOT / "tools/zabbix.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == ""
    assert [path.parent.name for path in TEMPLATES] == ["6.0", "6.0", "7.0", "7.0"]


def test_alarm_names_its_fault(document):
    data = document("data", "--from", SNAPSHOTS / "storage-servers-lost" / "app01")

    assert data["drbd"]["r0/0"]["alarm"]["fault"] == "drbd-quorum-lost r0/0"


def test_document_has_the_rows_of_every_rule_that_can_be_read(document):
    healthy = document("data", "--from", HEALTHY / "app01")
    stopped = document("data", "--from", SNAPSHOTS / "pacemaker-1.1.24-not-running" / "app01")

    assert healthy["discovery"] == {
        kind: document("discovery", kind, "--from", HEALTHY / "app01")
        for kind in ("nodes", "resources", "drbd", "peers")
    }
    assert "nodes" not in stopped["discovery"]
    assert "resources" not in stopped["discovery"]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_item_and_trigger_of_the_template_is_described(template):
    """Every one has a meaning or a next step; every trigger names its fault in one tag."""
    blocks = re.split(r"\n *- uuid: ", template.read_text())
    items = [block for block in blocks if "master_item:" in block and "graph_items:" not in block]
    triggers = [block for block in blocks if re.search(r"\n *priority: ", block)]

    assert len(items) > 100
    assert len(triggers) > 60
    for block in (*items, *triggers):
        assert re.search(r"\n *description: \"?\w", block), block
    for block in triggers:
        assert block.count("tag: fault") == 1, block
        assert not re.search(r"tag: (node|resource|volume|peer)", block), block


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_path_of_the_template_is_in_some_document(document, template):
    """An item whose path is misspelt would be silent for ever."""
    paths = set(re.findall(r'- "(\$\.[^\n]*?)"\n', template.read_text())) - {"$.error"}
    nodes = {"app01": "six-nodes-healthy", "storage03": "first-full-sync"}
    known = {f"$.alarms.maintenance.{member}" for member in NO_ALARM}
    for node, scenario in nodes.items():
        data = document("data", "--from", SNAPSHOTS / scenario / node)
        known |= {f"$.{name}" for name in data}
        known |= {f"$.discovery.{kind}" for kind in data["discovery"]}
        for name, check in data["checks"].items():
            known |= {f"$.checks['{name}'].{member}" for member in check}
            known |= {f"$.checks['{name}'].alarm.{member}" for member in check.get("alarm", ())}
            known |= {f"$.checks['{name}'].figures.{label}" for label in check["figures"]}
        for kind, macros in (
            ("nodes", "{#NODE}"),
            ("resources", "{#RESOURCE}"),
            ("drbd", "{#RESOURCE}/{#VOLUME}"),
            ("peers", "{#RESOURCE}/{#PEER}/{#VOLUME}"),
        ):
            for entry in data[kind].values():
                known |= {f"$.{kind}['{macros}'].{member}" for member in entry}
                known |= {f"$.{kind}['{macros}'].alarm.{member}" for member in entry["alarm"]}

    data = document("cluster", "--from", HEALTHY)
    known |= {f"$.checks['cluster'].{member}" for member in data["checks"]["cluster"]}
    known |= {f"$.checks['cluster'].alarm.{member}" for member in NO_ALARM}

    assert len(paths) > 100
    assert paths - known == set()


# -- at scale ----------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", [0, 2000])
def test_document_of_very_many_objects_has_its_bound_and_counts_what_is_left_out(broken):
    view = view_of("storage01", NOW, drbd=many(2000, 6, broken))
    judged = Judgement(view, engine.report(OVERVIEW, view, Asked()))
    found = zabbix.data(of_one(judged))
    text = zabbix.as_text(found)

    assert len(text) <= zabbix.LIMIT
    assert len(found["drbd"]) + found["left_out"]["drbd"] == 2000
    assert len(found["peers"]) + found["left_out"]["peers"] == 12000
    assert len(found["drbd"]) > 200
    assert len(found["peers"]) > 200
    # What is discovered has its values, and the other way round.
    assert [f"{row['{#RESOURCE}']}/{row['{#VOLUME}']}" for row in found["discovery"]["drbd"]] == [
        *found["drbd"]
    ]
    assert len(found["discovery"]["peers"]) == len(found["peers"])
    assert found["state"] == judged.report.state.value


def test_a_fault_of_an_object_that_is_left_out_is_told_by_its_check():
    resources = many(2000, 6)
    last = resources[-1]
    lost = last._replace(devices=(last.devices[0]._replace(disk_state=DiskState.FAILED),))
    view = view_of("storage01", NOW, drbd=(*resources[:-1], lost))
    judged = Judgement(view, engine.report(OVERVIEW, view, Asked()))
    found = zabbix.data(of_one(judged))

    assert "vm1999/0" not in found["drbd"]
    assert "vm1999/0" in found["checks"]["drbd-disk"]["alarm"]["text"]
    assert found["checks"]["drbd-disk"]["alarm"]["fault"] == "disk-failed vm1999/0"
