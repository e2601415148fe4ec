"""The check cluster: several nodes' evidence as one picture, each fault once."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import time
from pathlib import Path

import pytest

from build import SNAPSHOTS, replace_in
from check_mccluster.verdict.view import speller

HEALTHY = SNAPSHOTS / "six-nodes-healthy"
LOST = SNAPSHOTS / "storage-servers-lost"


def nodes_of(scenario: Path) -> list[Path]:
    return sorted(path for path in scenario.iterdir() if path.is_dir())


def judged(call, *folders: Path) -> dict:
    options = [word for folder in folders for word in ("--from", folder)]
    return json.loads(call("cluster", "--json", *options).out)


def causes(document: dict) -> list[tuple[str, str]]:
    return [(f["key"], f["object"]) for f in document["faults"] if f["state"] != "OK"]


def test_six_healthy_nodes_in_one_folder_are_one_ok(call):
    outcome = call("cluster", "--from", HEALTHY)
    assert outcome.code == 0
    assert outcome.first == (
        "CLUSTER OK - 6 of 6 nodes asked: group1 on app01 = Primary of r0, 3 of 3 copies, app02 can"
        " take over, can lose 1 vote and 1 copy"
    )
    assert [line.partition(":")[0] for line in outcome.lines[1:]] == [
        f"[OK] {name}"
        for name in ("app01", "app02", "app03", "storage01", "storage02", "storage03")
    ]


def test_two_lost_storage_servers_are_one_fault_for_all_who_see_it(call):
    document = judged(call, LOST)
    assert document["state"] == "CRITICAL"
    assert causes(document) == [("drbd-quorum-lost", "r0/0")]
    (fault,) = document["faults"]
    assert fault["nodes"] == ["storage02", "storage03"]
    assert fault["seen_from"] == ["app01", "app02", "app03", "storage01"]
    assert {each["key"] for each in fault["follows"]} >= {"peer-connecting", "no-candidate"}


def test_a_split_cluster_is_told_as_partitions_and_what_runs_where(call):
    document = judged(call, SNAPSHOTS / "app02-cut-off-while-active")
    keys = [key for key, _ in causes(document)]
    assert "partitioned" in keys
    assert not {"node-offline", "quorum-lost", "no-candidate", "dc-missing"} & {*keys}
    (text,) = [f["text"] for f in document["faults"] if f["key"] == "partitioned"]
    assert text == (
        "the cluster is partitioned: {app01, app03} quorate, starts group1 and {app02} no quorum,"
        " stops group1"
    )


@pytest.mark.parametrize(
    "scenario", ["six-nodes-healthy", "storage-servers-lost", "app02-cut-off-while-active"]
)
@pytest.mark.parametrize("command", [("cluster", "-vv"), ("cluster", "--json"), ("status",)])
def test_any_order_of_the_nodes_gives_the_same_bytes(call, scenario, command):
    folders = nodes_of(SNAPSHOTS / scenario)
    orders = list(itertools.islice(itertools.permutations(folders), 0, 24, 5))
    orders.append(tuple(reversed(folders)))
    said = set()
    for order in orders:
        options = [word for folder in order for word in ("--from", folder)]
        said.add(call(*command, *options).out)
    assert len(said) == 1


@pytest.mark.parametrize("scenario", ["link-to-one-storage-cut", "disk-detached", "app01-standby"])
def test_one_node_alone_is_the_cluster_as_far_as_it_is_known(call, scenario):
    """The faults of ``cluster`` and ``status`` are those of ``overview``."""
    told = set()
    for node in nodes_of(SNAPSHOTS / scenario):
        alone = json.loads(call("overview", "--json", "--from", node).out)
        joined = judged(call, node)
        assert causes(joined) == causes(alone)
        assert joined["state"] == alone["state"]
        words = "".join(call("status", "--from", node).out.split())
        bad = [fault for fault in alone["faults"] if fault["state"] != "OK"]
        assert [f["text"] for f in bad if "".join(f["text"].split())[:15] not in words] == []
        told.update(causes(alone))
    assert told


def test_one_node_twice_is_an_error(call):
    outcome = call("cluster", "--from", HEALTHY / "app01", "--from", HEALTHY / "app01")
    assert (outcome.code, outcome.out) == (3, "CLUSTER UNKNOWN - two snapshots are of app01\n")


def copied(tmp_path: Path, *changes: tuple[str, str, str, str]) -> Path:
    """The six healthy nodes, with a text replaced in files of some."""
    for folder in nodes_of(HEALTHY):
        shutil.copytree(folder, tmp_path / folder.name)
    for node, name, old, new in changes:
        replace_in(tmp_path / node / name, old, new)
    return tmp_path


def test_an_option_that_is_not_equal_on_all_is_told_with_both_values(call, tmp_path):
    change = ("app02", "drbd-show.json", '"quorum": "majority"', '"quorum": "off"')
    document = judged(call, copied(tmp_path, change))
    (fault,) = (f for f in document["faults"] if f["key"] == "config-differs")
    assert (fault["object"], fault["nodes"], fault["text"]) == (
        "r0",
        ["app02"],
        "r0: quorum is majority on app01, app03, storage01, storage02, storage03, off on app02",
    )


def test_an_option_of_connections_that_are_up_is_told_once_for_its_node(call, tmp_path):
    change = ("storage03", "drbd-show.json", '"verify-alg": ""', '"verify-alg": "crc32c"')
    document = judged(call, copied(tmp_path, change))
    assert [(f["key"], f["nodes"], f["text"]) for f in document["faults"]] == [
        (
            "config-differs",
            ["storage03"],
            "r0: verify-alg is not set on app01, app02, app03, storage01, storage02,"
            " crc32c on storage03",
        )
    ]


def test_constructed_member_that_comes_back_unfenced_is_one_fault_while_it_runs_services(
    call, tmp_path
):
    """As seen after a pause of app01's Corosync: what began elsewhere is active twice until
    Pacemaker has stopped it, and the CIB lost the others' node attributes."""
    folder = copied(tmp_path)
    there = '<node name="app01" id="1" cached="true"/>'
    for name in ("app01", "app02", "app03"):
        file = folder / name / "crm_mon.xml"
        text = file.read_text().replace(there, there + there.replace("app01", "app02"), 1)
        file.write_text(re.sub('(name="app0[23]".*)"3.16.1"', r'\1"&lt;3.15.1"', text))
    document = judged(call, folder)
    assert causes(document) == [("resource-multi-active", "FS_DRBD")]
    assert "versions-mixed" in {each["key"] for each in document["faults"][0]["follows"]}


def lost_app01(text: str) -> str:
    """crm_mon's answer of who no longer counts app01, and has app03 as the controller."""
    text = text.replace('name="app01" id="1" online="true"', 'name="app01" id="1" online="false"')
    return re.sub('(<current_dc .*)name="app02" id="2"', r'\1name="app03" id="3"', text)


def test_constructed_controller_whose_corosync_hangs_does_not_speak_for_those_who_lost_it(
    call, tmp_path
):
    """As seen live: its own crm_mon goes on to say that all is as before."""
    folder = copied(tmp_path)
    for name in ("app01", "app02", "app03"):
        file = folder / name / "crm_mon.xml"
        text = file.read_text()
        if name == "app01":
            text = re.sub('(<current_dc .*)name="app02" id="2"', r'\1name="app01" id="1"', text)
        file.write_text(text if name == "app01" else lost_app01(text))
    assert causes(judged(call, folder)) == [("node-offline", "app01")]


def test_constructed_member_that_just_starts_is_no_partition(call, tmp_path):
    """As seen live: it counts nobody yet, itself neither."""
    folder = copied(tmp_path)
    for name in ("app01", "app02", "app03"):
        file = folder / name / "crm_mon.xml"
        text = lost_app01(file.read_text())
        if name == "app01":
            text = text.replace('online="true"', 'online="false"')
            text = re.sub("<current_dc .*/>", '<current_dc present="false"/>', text)
        file.write_text(text)
    assert causes(judged(call, folder)) == [("node-offline", "app01")]


def peer_of(node: Path, name: str, **changes: object) -> None:
    """What *node* says of r0's volume at a peer."""
    file = node / "drbd-status.json"
    status = json.loads(file.read_text())
    (connection,) = [c for c in status[0]["connections"] if c["name"] == name]
    connection["peer_devices"][0].update({k.replace("_", "-"): v for k, v in changes.items()})
    file.write_text(json.dumps(status))


@pytest.mark.parametrize("connected", [True, False])
def test_two_primaries_are_told_unless_one_was_it_after_the_other(call, tmp_path, connected):
    """app01 is Primary as recorded; app02 says so, too."""
    folder = copied(tmp_path)
    for node, peer in (("app01", "app02"), ("app02", "app01")):
        file = folder / node / "drbd-status.json"
        status = json.loads(file.read_text())
        (one,) = [c for c in status[0]["connections"] if c["name"] == peer]
        status[0]["role"], one["peer-role"] = "Primary", "Secondary"
        if not connected:
            one["connection-state"], one["peer-role"] = "Connecting", "Unknown"
        file.write_text(json.dumps(status))
    keys = {f["key"] for f in judged(call, folder)["findings"]}
    assert ("primary-multiple" in keys) is not connected


def test_tools_that_hang_on_one_node_are_one_fault(call, tmp_path):
    folder = copied(tmp_path)
    for name in ("crm_mon.xml", "cib.xml", "corosync-cfgtool.txt"):
        (folder / "app03" / name).write_bytes(b"")
        (folder / "app03" / f"{name}.rc").write_text("timeout\n")
    document = judged(call, folder)
    assert causes(document) == [("tool-timeout", "app03")]
    (fault,) = document["faults"]
    assert fault["reason"] == "daemon"
    assert fault["text"] == (
        "app03: Corosync hangs, or the whole node (crm_mon, cibadmin, corosync-cfgtool did not"
        " answer); app02 counts it as online"
    )
    assert fault["next_step"].startswith("on app03: ps -C corosync,pacemakerd,pacemaker-based")


@pytest.mark.parametrize(
    ("silent", "hangs"),
    [
        (("crm_mon.xml", "cib.xml"), "pacemaker-based (the CIB) hangs, Corosync answers"),
        (("crm_mon.xml",), "pacemakerd or pacemaker-fenced hangs, the CIB answers"),
    ],
)
def test_the_daemon_that_hangs_is_named_by_what_else_answers(call, tmp_path, silent, hangs):
    folder = copied(tmp_path)
    for name in silent:
        (folder / "app03" / name).write_bytes(b"")
        (folder / "app03" / f"{name}.rc").write_text("timeout\n")
    document = judged(call, folder)
    assert causes(document) == [("tool-timeout", "app03")]
    text = document["faults"][0]["text"]
    assert text.startswith(f"app03: {hangs}")
    assert text.endswith("; app02 counts it as online")
    assert document["state"] == "UNKNOWN"


def test_corosync_that_hangs_under_a_pacemaker_that_answers_is_named(call, tmp_path):
    folder = copied(tmp_path)
    for name in ("corosync-cfgtool.txt", "corosync-quorumtool.txt", "corosync-cmapctl.txt"):
        (folder / "app03" / name).write_bytes(b"")
        (folder / "app03" / f"{name}.rc").write_text("timeout\n")
    output = call("overview", "--json", "--from", folder / "app03").out
    (fault,) = json.loads(output)["faults"]
    assert (fault["key"], fault["state"]) == ("tool-timeout", "UNKNOWN")
    assert fault["text"].startswith("Corosync hangs (corosync-cfgtool, corosync-cmapctl")
    assert fault["next_step"].startswith("on app03: ps -C corosync -o pid,stat,wchan:20,comm")


@pytest.mark.parametrize("online", [True, False])
def test_member_that_drbd_reaches_nowhere_is_up_where_pacemaker_counts_it(call, tmp_path, online):
    folder = copied(tmp_path)
    shutil.rmtree(folder / "app03")
    for node in nodes_of(folder):
        file = node / "drbd-status.json"
        status = json.loads(file.read_text())
        for connection in status[0]["connections"]:
            if connection["name"] == "app03":
                connection["connection-state"] = "Connecting"
        file.write_text(json.dumps(status))
    asked = [node for node in nodes_of(folder) if online or node.name.startswith("storage")]
    (fault,) = judged(call, *asked)["faults"]
    assert (fault["key"], fault["object"]) == ("peer-connecting", "app03")
    assert ("Pacemaker counts it online" in fault["text"]) is online
    assert fault["reason"] == (None if online else "drbd-node-lost")


def test_disk_that_its_node_and_a_peer_call_differently_is_disputed(call, tmp_path):
    folder = copied(tmp_path)
    peer_of(folder / "storage01", "storage02", peer_disk_state="Outdated")
    (fault,) = (f for f in judged(call, folder)["faults"] if f["key"] == "disk-disputed")
    assert (fault["object"], fault["text"]) == (
        "r0 storage01-storage02",
        "r0 storage01-storage02: storage02 calls its disk UpToDate, storage01 calls it Outdated",
    )


@pytest.mark.parametrize(("state", "blocks"), [("SyncTarget", 4096), ("WFBitMapT", 0)])
def test_resync_that_only_one_end_knows_of_is_stuck(call, tmp_path, state, blocks):
    folder = copied(tmp_path)
    peer_of(folder / "storage02", "storage01", replication_state=state, out_of_sync=blocks)
    peer_of(folder / "storage01", "storage02", out_of_sync=blocks)
    document = judged(call, folder)
    (told,) = (f for f in document["findings"] if f["key"] == "connection-disputed")
    assert told["text"] == (
        f"r0 storage01-storage02: {state} on storage02, and storage01 knows nothing of it"
    )


def test_resync_that_just_ended_at_one_end_is_no_contradiction(call, tmp_path):
    folder = copied(tmp_path)
    peer_of(folder / "storage02", "storage01", replication_state="SyncTarget", out_of_sync=0)
    keys = {f["key"] for f in judged(call, folder)["findings"]}
    assert not keys & {"connection-disputed", "disk-disputed"}


def test_corosyncs_token_that_is_not_equal_on_all_is_told(call, tmp_path):
    name = "runtime.config.totem.token (u32) = "
    text = (HEALTHY / "app03" / "corosync-cmapctl.txt").read_text()
    old = next(line for line in text.splitlines() if line.startswith(name))
    change = ("app03", "corosync-cmapctl.txt", old, f"{name}3000")
    document = judged(call, copied(tmp_path, change))
    told = [f for f in document["faults"] if f["key"] == "config-differs"]
    milliseconds = old.rpartition(" ")[2]
    assert [(f["object"], f["text"]) for f in told] == [
        ("token", f"Corosync's token is {milliseconds} ms on app01, app02, 3000 ms on app03")
    ]


def test_drbd_utils_that_differ_are_told_and_patch_levels_are_not(call, tmp_path):
    folder = copied(tmp_path)
    versions = ("9.22.0", "9.22.0", "9.22.0", "9.22.0", "9.22.1", "9.34.0")
    for node, version in zip(nodes_of(folder), versions):
        file = node / "meta.json"
        tools = {"check_mccluster": "0.2.0", "drbd-utils": version}
        file.write_text(json.dumps({**json.loads(file.read_text()), "tools": tools}))
    (fault,) = judged(call, folder)["faults"]
    assert (fault["key"], fault["object"], fault["nodes"], fault["text"]) == (
        "versions-mixed",
        "drbd-utils",
        ["storage03"],
        "drbd-utils is 9.22 on app01, app02, app03, storage01, storage02, 9.34 on storage03",
    )


def test_mesh_that_is_there_to_be_used_and_has_no_primary_is_told(call, tmp_path):
    """Storage servers alone: nobody who was asked knows Pacemaker."""
    folder = copied(tmp_path)
    for node in nodes_of(folder):
        file = node / "drbd-status.json"
        text = file.read_text().replace('"Primary"', '"Secondary"')
        file.write_text(text)
    storages = [node for node in nodes_of(folder) if node.name.startswith("storage")]
    assert causes(judged(call, *storages)) == [("primary-none", "r0")]


def test_volume_of_linstor_with_a_tie_breaker_may_be_unused(call):
    folder = SNAPSHOTS / "kind-linstor"
    assert "primary-none" not in [key for key, _ in causes(judged(call, folder))]


def test_kernel_modules_of_drbd_that_differ_are_told_and_patch_levels_are_not(call, tmp_path):
    folder = copied(tmp_path)
    versions = ("9.2.18", "9.2.18", "9.2.18", "9.2.18", "9.2.9", "9.1.23")
    for node, version in zip(nodes_of(folder), versions):
        file = node / "meta.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "drbd_module": version}))
    document = judged(call, folder)
    assert [(f["key"], f["nodes"], f["text"]) for f in document["faults"]] == [
        (
            "versions-mixed",
            ["storage03"],
            "DRBD's kernel module is 9.2 on app01, app02, app03, storage01, storage02,"
            " 9.1 on storage03",
        )
    ]


@pytest.mark.captures
def test_a_fault_is_named_by_its_node_and_never_this_one(call, captures):
    outcome = call("cluster", "--from", captures / "drbd/10a-module-loaded-no-resource", "--json")
    told = [fault["text"] for fault in json.loads(outcome.out)["faults"]]
    assert told == [
        "app01, app02, app03: Corosync does not run",
        "app01, app02, app03, storage01, storage02, storage03: no DRBD resource is up;"
        " expected: r0",
    ]


# -- asked over ssh ----------------------------------------------------------------------------

SSH = """#!/bin/sh
# A stand-in for ssh: the last arguments are the target and the command.
while [ "$1" != -- ]; do shift; done
target=$2
case $target in
good-*) exec cat "{folder}/${{target#good-}}.tar.gz" ;;
refused) echo "ssh: connect to host x port 22: Connection refused" >&2; exit 255 ;;
unknown) echo "Host key verification failed." >&2; exit 255 ;;
key) echo "x@y: Permission denied (publickey)." >&2; exit 255 ;;
far) echo "ssh: connect to host x port 22: No route to host" >&2; exit 255 ;;
old) echo "Snapshot of x in -:"; echo "crm_mon.xml  exit 0, 27 bytes" ;;
old-again) echo "CHECK_MCCLUSTER UNKNOWN - - exists and is not an empty directory"; exit 3 ;;
barred) echo "sh: 1: check_mccluster: Permission denied" >&2; exit 126 ;;
denied) echo "CHECK_MCCLUSTER UNKNOWN - sudo: Permission denied"; exit 3 ;;
bare) echo "sh: 1: check_mccluster: not found" >&2; exit 127 ;;
hostile) head -c 100000 /dev/zero ;;
slow) sleep 60 ;;
late-*) sleep 1; exec cat "{folder}/${{target#late-}}.tar.gz" ;;
turn-*) # one answer at first, then the healthy one
    name=${{target#turn-}}
    if test -e "{folder}/asked-$name"; then exec cat "{folder}/$name.tar.gz"; fi
    touch "{folder}/asked-$name"
    exec cat "{folder}/$name-before.tar.gz" ;;
esac
"""
REASONS = {
    "refused": "connection refused",
    "unknown": "its host key is not known here",
    "key": "it does not accept our key",
    "far": "no route to it",
    "old": "its check_mccluster is too old to write to standard output",
    "old-again": "its check_mccluster is too old to write to standard output",
    "barred": "check_mccluster cannot be run there: sh: 1: check_mccluster: Permission denied",
    "denied": "exit code 3: CHECK_MCCLUSTER UNKNOWN - sudo: Permission denied",
    "bare": "check_mccluster is not installed there",
    "hostile": "its answer is not a snapshot: cannot read",
    "-oProxyCommand=x": "'-oProxyCommand=x' is not a host",
}


@pytest.fixture
def ssh(call, tmp_path, monkeypatch):
    """A network of recorded nodes: ``good-NAME`` answers, others do not."""
    for folder in nodes_of(HEALTHY):
        call("snapshot", "--from", folder, tmp_path / f"{folder.name}.tar.gz")
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(SSH.format(folder=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setattr("check_mccluster.app.several._CLOCKS", 1e12)  # recordings are old
    return program


def test_all_nodes_that_answer_are_judged_together(call, ssh):
    hosts = [w for n in ("app01", "storage01") for w in ("--host", f"{n}=good-{n}")]
    outcome = call("cluster", *hosts)
    assert outcome.code == 0
    assert outcome.first.startswith("CLUSTER OK - 2 of 2 nodes asked: group1 on app01 = Primary")


@pytest.mark.parametrize("target", REASONS)
def test_a_node_that_cannot_be_asked_is_told_with_the_reason(call, ssh, target):
    outcome = call("cluster", "--host", "app01=good-app01", "--host", f"storage03={target}")
    assert outcome.code == 1
    assert outcome.first.startswith(
        f"CLUSTER WARNING - storage03 could not be asked: {REASONS[target]}"
    )


@pytest.mark.parametrize("target", ["good-app01", "good-app03"])
def test_target_that_is_another_node_is_told_and_not_counted(call, ssh, target):
    """The address of app02 leads to a node that was asked already, or to a third one."""
    document = json.loads(
        call("cluster", "--json", "--host", "app01=good-app01", "--host", f"app02={target}").out
    )
    assert causes(document) == [("node-unasked", "app02")]
    (fault,) = document["faults"]
    assert fault["text"] == f"app02 could not be asked: its target answers as {target[5:]}"
    assert call("whatif", "--host", "mail=good-app01").lines[0].startswith("What if a node")


def test_a_node_that_may_be_silent_is_no_fault_and_no_figure(call, ssh):
    hosts = ("--host", "app01=good-app01", "--host", "app02=far")
    outcome = call("cluster", *hosts, "--severity", "node-unasked=ok")
    assert outcome.code == 0
    assert outcome.first.startswith("CLUSTER OK - 1 of 2 nodes asked: group1 on app01 = Primary of")
    assert "faults=0;;;0 nodes_asked=1;;;0;2" in outcome.out


def test_a_node_that_hangs_costs_one_deadline_and_is_told(call, ssh):
    hosts = ("--host", "app01=good-app01", "--host", "a=slow", "--host", "b=slow")
    outcome = call("cluster", "-t", "3", *hosts)
    assert outcome.code == 1
    assert "a could not be asked: no answer before the deadline" in outcome.first


def test_asking_six_nodes_costs_one_deadline_and_not_six(call, ssh):
    """Five hang; one answers at once and is judged all the same."""
    hanging = [word for name in "abcde" for word in ("--host", f"{name}=slow")]
    began = time.monotonic()
    outcome = call("cluster", "-t", "3", "--host", "app01=good-app01", *hanging)
    assert time.monotonic() - began < 4.5
    assert outcome.first.startswith("CLUSTER WARNING - a could not be asked: no answer before")
    assert "nodes_asked=1;6:;;0;6" in outcome.out


def test_this_machine_is_read_within_the_same_deadline(call, ssh):
    """A tool of its own hangs, and a node that is asked hangs."""
    tool = ssh.with_name("crm_mon")
    tool.write_text("#!/bin/sh\nexec sleep 60\n")
    tool.chmod(0o755)
    hosts = ("--host", os.uname().nodename, "--host", "a=slow", "--host", "app01=good-app01")
    began = time.monotonic()
    outcome = call("cluster", "-t", "3", *hosts)
    assert time.monotonic() - began < 5
    assert "nodes_asked=2;3:;;0;3" in outcome.out


def test_six_nodes_are_asked_at_the_same_time(call, ssh):
    """Each takes a second to answer."""
    names = [folder.name for folder in nodes_of(HEALTHY)]
    hosts = [word for name in names for word in ("--host", f"{name}=late-{name}")]
    began = time.monotonic()
    outcome = call("cluster", *hosts)
    assert outcome.first.startswith("CLUSTER OK - 6 of 6 nodes asked")
    assert 1 <= time.monotonic() - began < 4


@pytest.fixture
def storage03_contradicts(call, tmp_path, ssh):
    """A first answer of storage03 in which its end of one connection is not connected."""
    before = tmp_path / "storage03-before"
    shutil.copytree(HEALTHY / "storage03", before)
    status = json.loads((before / "drbd-status.json").read_text())
    (one,) = [c for c in status[0]["connections"] if c["name"] == "storage01"]
    one["connection-state"] = "Connecting"
    (before / "drbd-status.json").write_text(json.dumps(status))
    call("snapshot", "--from", before, tmp_path / "storage03-before.tar.gz")


def test_a_contradiction_that_is_gone_a_moment_later_is_not_told(call, storage03_contradicts):
    hosts = ("--host", "storage01=good-storage01", "--host", "storage03=turn-storage03")
    outcome = call("cluster", *hosts)
    assert (outcome.code, outcome.first[:34]) == (0, "CLUSTER OK - 2 of 2 nodes asked: 3")


def test_service_that_is_active_twice_only_until_the_controller_forgets_is_not_told(
    call, tmp_path, ssh
):
    """As seen live after a power cut: what ran before it stands in the CIB until app01 joined."""
    before = tmp_path / "app02-before"
    shutil.copytree(HEALTHY / "app02", before)
    there = '<node name="app01" id="1" cached="true"/>'
    replace_in(before / "crm_mon.xml", there, there + there.replace("app01", "app02"))
    call("snapshot", "--from", before, tmp_path / "app02-before.tar.gz")
    hosts = [w for n in ("app01=good", "app02=turn") for w in ("--host", f"{n}-{n[:5]}")]
    assert "active on" in call("cluster", "--from", before).first
    assert call("cluster", *hosts).first.startswith("CLUSTER OK - 2 of 2 nodes asked: group1 on")


def test_status_asks_again_about_a_contradiction_as_cluster_does(call, storage03_contradicts):
    hosts = ("--host", "storage01=good-storage01", "--host", "storage03=turn-storage03")
    lines = call("status", *hosts).lines
    assert lines[0].startswith("OK")
    assert "seen from storage01, storage03" in lines[0]


def test_without_time_to_ask_again_a_contradiction_is_told(call, storage03_contradicts):
    hosts = ("--host", "storage01=good-storage01", "--host", "storage03=turn-storage03")
    document = json.loads(call("cluster", "--json", "-t", "3", *hosts).out)
    assert [(f["key"], f["object"]) for f in document["faults"]] == [
        ("connection-disputed", "r0 storage01-storage03")
    ]


def test_a_node_that_others_see_gone_is_not_told_as_unasked_too(call, tmp_path, ssh):
    gone = SNAPSHOTS / "app01-powered-off"
    for name in ("app02", "storage01"):
        call("snapshot", "--from", gone / name, tmp_path / f"gone-{name}.tar.gz")
    hosts = ("app02=good-gone-app02", "storage01=good-gone-storage01", "app01=far")
    options = [word for host in hosts for word in ("--host", host)]
    document = json.loads(call("cluster", "--json", *options).out)
    assert causes(document) == [("node-offline", "app01")]
    assert "node-unasked" in {each["key"] for each in document["faults"][0]["follows"]}


@pytest.mark.parametrize(
    ("asked", "silent", "key", "told"),
    [
        (
            "app01",
            ("app02",),
            "node-offline",
            ", nor does ssh reach it: off, or cut off",
        ),
        (
            "app02",
            ("app01", "app03"),
            "quorum-lost",
            ", nor does ssh reach app01, app03: off, or cut off",
        ),
    ],
)
def test_members_that_nobody_reaches_may_be_a_partition(
    call, tmp_path, ssh, asked, silent, key, told
):
    """The two sides of a cluster that fell apart, of which only one is asked."""
    side = SNAPSHOTS / "app02-cut-off-while-active" / asked
    call("snapshot", "--from", side, tmp_path / f"side-{asked}.tar.gz")
    hosts = (f"{asked}=good-side-{asked}", *(f"{name}=far" for name in silent))
    options = [word for host in hosts for word in ("--host", host)]
    document = json.loads(call("cluster", "--json", *options).out)
    (fault,) = (f for f in document["faults"] if f["key"] == key)
    assert fault["text"].endswith(told)


def test_a_host_of_the_mesh_that_nobody_reaches_is_one_fault(call, tmp_path, ssh):
    for name in ("app01", "storage01"):
        call("snapshot", "--from", LOST / name, tmp_path / f"lost-{name}.tar.gz")
    hosts = ("app01=good-lost-app01", "storage01=good-lost-storage01", "storage02=far")
    options = [word for host in hosts for word in ("--host", host)]
    document = json.loads(call("cluster", "--json", *options).out)
    assert causes(document) == [("drbd-quorum-lost", "r0/0")]
    lost = [f for f in document["faults"][0]["follows"] if f["key"] == "peer-connecting"]
    assert {f["reason"] for f in lost} == {"drbd-node-lost"}


def test_what_if_asks_the_same_hosts_and_names_who_did_not_answer(call, ssh):
    hosts = ("app01=good-app01", "app02=good-app02", "storage01=good-storage01", "storage03=far")
    options = [word for host in hosts for word in ("--host", host)]
    outcome = call("whatif", *options)
    assert outcome.lines[0].startswith("What if a node were lost (seen from app02, ")
    assert outcome.lines[1].startswith("3 nodes asked, each about its own DRBD; Pacemaker as app02")
    assert outcome.lines[-1] == "storage03 could not be asked: no route to it"
    document = json.loads(call("whatif", "--json", *options).out)
    assert document["asked"] == ["app01", "app02", "storage01"]
    assert document["unasked"] == {"storage03": "no route to it"}
    assert len(document["losses"]) == 6


def test_nobody_answers(call, ssh):
    outcome = call("cluster", "--host", "a=refused", "--host", "b=key")
    assert outcome.code == 3
    assert outcome.lines == [
        "CLUSTER UNKNOWN - no node could be asked: a: connection refused (+1 more)"
    ]


def test_the_configuration_file_names_hosts_and_another_way(call, tmp_path, ssh):
    config = tmp_path / "cluster.toml"
    config.write_text(
        f'[cluster]\nvia = ["{ssh}", "--", "{{target}}"]\n[cluster.hosts]\napp02 = "good-app02"\n'
    )
    outcome = call("cluster", "--config", config)
    assert outcome.code == 0
    assert outcome.first.startswith("CLUSTER OK - 1 of 1 nodes asked")


def test_clocks_that_differ_are_told(call, ssh, monkeypatch):
    monkeypatch.setattr("check_mccluster.app.several._CLOCKS", 2.0)
    outcome = call("cluster", "--host", "app01=good-app01", "-v")
    assert outcome.code == 1
    assert outcome.first.startswith("CLUSTER WARNING - the clock of app01 is ")
    assert outcome.first.partition(" |")[0].endswith(" s behind")


def test_a_damaged_snapshot_among_several_is_one_line(call, tmp_path):
    shutil.copytree(HEALTHY / "app01", tmp_path / "app01")
    (tmp_path / "app01" / "meta.json").write_text("[")
    outcome = call("cluster", "--from", tmp_path / "app01", "--from", HEALTHY / "app02")
    assert outcome.code == 3
    assert len(outcome.lines) == 1


def test_names_are_found_with_and_without_their_domain():
    known = speller(("app01", "app02.example.net", "storage01"))
    assert [known(name) for name in ("app01.example.net", "app02", "app02.example.net")] == [
        "app01",
        "app02.example.net",
        "app02.example.net",
    ]
    # Two domains are two hosts, and who is not known keeps its name.
    assert [known(name) for name in ("app02.example.org", "app03")] == [
        "app02.example.org",
        "app03",
    ]
