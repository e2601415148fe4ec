"""The check ``cluster``, which asks every node of a real cluster over ssh by a key that may do
nothing else: one fault, named rightly, at every moment.

Pacemaker and Corosync run on the three application servers. The three storage servers have an sshd
and neither of the two. DRBD is a stand-in on all six, whose answers fit together.
"""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.case import TIE_BREAKER, Case, configuration
from cluster.cluster import Cluster
from cluster.cluster import obstacle as no_cluster
from cluster.ssh import Ssh, obstacle
from cluster.verdicts import program

pytestmark = [pytest.mark.daemon, pytest.mark.root, pytest.mark.slow]

KEY = "checks"
ASK = shlex.join(program("snapshot", "-", "--timeout", "6"))
STORAGES = ("storage01", "storage02", "storage03")


@pytest.fixture(scope="module")
def running() -> Iterator[Case]:
    """The cluster of the case with its storage servers."""
    reason = no_cluster()
    if reason is not None:
        pytest.skip(f"no real cluster: {reason}")
    with Cluster(others=STORAGES) as cluster:
        yield Case(cluster)


@pytest.fixture(scope="module")
def ssh(running: Case) -> Ssh:
    reason = obstacle()
    if reason is not None:
        pytest.skip(reason)
    ssh = Ssh(running.cluster)
    ssh.authorize("root", KEY, command=ASK)
    return ssh


class Asked:
    """The administrator's machine, with nothing but the key and the names of the nodes."""

    def __init__(self, case: Case, ssh: Ssh, folder: Path) -> None:
        self.case, self.ssh = case, ssh
        via = [*ssh.command("{target}", key=KEY)]
        via[-1] = "{target}"
        self.config = folder / "cluster.toml"
        hosts = "\n".join(f'{name} = "root@{name}"' for name in case.cluster.nodes)
        self.config.write_text(f"[cluster]\nvia = {json.dumps(via)}\n[cluster.hosts]\n{hosts}\n")

    def __call__(self, *options: str) -> dict[str, Any]:
        """What ``cluster --json`` says."""
        words = ("cluster", "--json", "--config", str(self.config), "-t", "10", *options)
        done = self.ssh.administrator(sys.executable, "-m", "check_mccluster", *words)
        assert done.stderr == "", done.stderr
        return json.loads(done.stdout)

    def causes(self) -> list[tuple[str, str]]:
        """Key and object of each fault that is told."""
        return told(self())

    def moments(self, over: Callable[[], bool]) -> Iterator[dict[str, Any]]:
        """What it says again and again until something is *over*, and once more then."""
        end = time.monotonic() + 90
        while not over():
            assert time.monotonic() < end, "it does not end"
            yield self()
        yield self()

    def way_back(self, name: str, *keys: str, most: int = 1) -> None:
        """Every moment until a member is one again: one fault of it at most, and none in the end.

        :param keys: what may be told beside ``JOINING``. :param most: faults at once.
        """
        cluster = self.case.cluster
        other = next(each for each in members(self.case) if each != name)
        end = time.monotonic() + 120
        quiet = 0
        while quiet < 2:
            document = self()
            faults = [fault for fault in document["faults"] if fault["state"] != "OK"]
            words = [(fault["key"], fault["nodes"], fault["text"]) for fault in faults]
            assert time.monotonic() < end, words
            assert len(faults) <= most, words
            assert {fault["key"] for fault in faults} <= {*JOINING, *keys}, words
            assert all(name in each["nodes"] or each["key"] in AFTERMATH for each in faults), words
            quiet = 0 if faults else quiet + 1
            assert faults or name in cluster.online(other), "nothing is told and it is not back"
            if [fault["key"] for fault in faults] == ["versions-mixed"]:
                step, _, _ = faults[0]["next_step"].partition(" (")
                cluster.demand(other, *shlex.split(step))


JOINING = (
    *("node-offline", "node-pending", "peer-unreachable", "view-stale", "resource-transition"),
    *("pacemaker-down", "pacemaker-starting", "pacemaker-unresponsive", "node-unasked"),
)
"""What a member that comes back may be told as until it is one again."""
AFTERMATH = ("resource-transition", "versions-mixed")
"""What its return does to others: services start, and its CIB may lack their node attributes."""


def told(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Key and object of each fault."""
    return [(f["key"], f["object"]) for f in document["faults"] if f["state"] != "OK"]


def one_of(document: dict[str, Any], about: str, keys: Collection[str]) -> str:
    """The key of the only fault, which is about *about* and one of *keys*; empty for none yet."""
    faults = told(document)
    assert len(faults) <= 1, faults
    for key, what in faults:
        assert (what, key in keys) == (about, True), faults
        return key
    return ""


@pytest.fixture
def asked(case: Case, ssh: Ssh, tmp_path: Path) -> Asked:
    return Asked(case, ssh, tmp_path)


def members(case: Case) -> list[str]:
    """The nodes that run Pacemaker, as a rule."""
    return [name for name, node in case.cluster.nodes.items() if node.member]


def test_six_healthy_nodes_are_all_asked_and_nothing_is_told(case: Case, asked: Asked):
    document = asked()
    assert (document["state"], document["faults"]) == ("OK", [])
    active = case.active
    assert document["text"].startswith(
        f"6 of 6 nodes asked: group1 on {active} = Primary of r0, 3 of 3 copies"
    )


def test_storage_servers_without_power_are_one_fault_each_time(case: Case, asked: Asked):
    for name in STORAGES[1:]:
        case.cluster.kill(name)
        case.mesh.gone(name)
        document = asked()
        if name == STORAGES[1]:
            assert told(document) == [("peer-connecting", name)]
            assert document["faults"][0]["reason"] == "drbd-node-lost"
        else:
            assert told(document) == [("drbd-quorum-lost", "r0/0")]
            assert document["faults"][0]["nodes"] == [*STORAGES[1:]]
        assert "node-unasked" in {each["key"] for each in document["faults"][0]["follows"]}


def test_one_connection_of_drbd_that_is_down_is_told_by_both_its_ends(case: Case, asked: Asked):
    case.mesh.break_connection(case.other, "storage01")
    ((key, about),) = asked.causes()
    assert (key, about) == ("peer-connecting", f"r0 {case.other}-storage01")


def test_power_cut_is_one_fault_of_the_dead_node_at_every_moment(case: Case, asked: Asked):
    dead, heir = case.active, case.other
    case.cluster.kill(dead)
    case.mesh.gone(dead, after=2)

    def moved() -> bool:
        return case.cluster.where("DOVECOT", TIE_BREAKER) == [heir]

    keys = []
    for document in asked.moments(moved):
        keys.append(one_of(document, dead, ("peer-unreachable", "node-unasked", "node-offline")))
    assert (keys[-1], document["state"]) == ("node-offline", "CRITICAL")
    followed = {each["key"] for each in document["faults"][0]["follows"]}
    assert {"node-unasked", "no-candidate"} <= followed
    case.mesh.back(dead)
    case.cluster.launch(dead)
    asked.way_back(dead)


def test_node_that_is_cut_off_is_still_asked_and_is_one_partition(case: Case, asked: Asked):
    cut = case.active
    others = [name for name in members(case) if name != cut]
    case.cluster.cut(cut)

    def known() -> bool:
        apart = all(cut not in case.cluster.online(name) for name in others)
        return apart and case.cluster.online(cut) == {cut}

    for document in asked.moments(known):
        keys = [key for key, _ in told(document)]
        assert {*keys} <= {"peer-unreachable", "view-stale", "partitioned", "service-twice"}
        assert len(keys) <= 1 or keys == ["service-twice", "partitioned"], keys
    assert "partitioned" in keys
    case.cluster.heal()
    # Both sides ran the group for a moment, and Pacemaker stops one of them.
    asked.way_back(
        *(cut, "partitioned", "service-twice", "resource-multi-active", "versions-mixed"), most=2
    )


def test_corosync_that_freezes_is_one_fault_of_its_node_at_every_moment(case: Case, asked: Asked):
    frozen = case.active
    case.cluster.signal(frozen, "STOP", "corosync")
    others = [name for name in members(case) if name != frozen]

    def known() -> bool:
        return all(frozen not in case.cluster.online(name) for name in others)

    keys = [
        one_of(document, frozen, ("peer-unreachable", "tool-timeout", "node-offline"))
        for document in asked.moments(known)
    ]
    assert keys[-1] == "node-offline"
    case.cluster.signal(frozen, "CONT", "corosync")
    # Its services ran on, and what began elsewhere is stopped or stops it; meanwhile the CIB may
    # lack the attributes of another member, as after a cut.
    asked.way_back(frozen, "resource-multi-active", "versions-mixed", most=2)
    case.cluster.kill(frozen)
    case.mesh.back(frozen)


def test_pacemakers_database_that_freezes_is_one_fault_of_its_node(case: Case, asked: Asked):
    case.cluster.signal(TIE_BREAKER, "STOP", "pacemaker-based")
    document = asked()
    assert told(document) == [("tool-timeout", TIE_BREAKER)]
    assert "pacemaker-based (the CIB) hangs" in document["faults"][0]["text"]
    case.cluster.signal(TIE_BREAKER, "CONT", "pacemaker-based")
    asked.way_back(TIE_BREAKER, "tool-timeout")


def test_pacemaker_that_stops_in_order_is_told_by_the_nodes_own_word(case: Case, asked: Asked):
    active = case.active
    case.cluster.signal(TIE_BREAKER, "TERM", "pacemakerd")

    def stopped() -> bool:
        runs = case.cluster.runs(TIE_BREAKER, "pacemakerd")
        return not runs and TIE_BREAKER not in case.cluster.online(active)

    words = ("node-shutdown", "pacemaker-stopping", "node-offline", "pacemaker-down")
    keys = [one_of(document, TIE_BREAKER, words) for document in asked.moments(stopped)]
    assert keys[-1] == "pacemaker-down"
    case.cluster.launch(TIE_BREAKER)
    asked.way_back(TIE_BREAKER)


def test_pacemaker_of_the_active_node_that_stops_is_one_fault_while_the_group_moves(
    case: Case, asked: Asked
):
    case.configure(configuration(stop_seconds=4))  # long enough to be seen
    case.cluster.settle(TIE_BREAKER)
    leaving, heir = case.active, case.other
    case.cluster.signal(leaving, "TERM", "pacemakerd")

    def moved() -> bool:
        stopped = not case.cluster.runs(leaving, "pacemakerd")
        return stopped and case.cluster.where("DOVECOT", TIE_BREAKER) == [heir]

    words = ("node-shutdown", "pacemaker-stopping", "node-offline", "pacemaker-down")
    keys = [one_of(document, leaving, words) for document in asked.moments(moved)]
    assert keys[-1] == "pacemaker-down"
    case.cluster.launch(leaving)
    asked.way_back(leaving)


def test_node_that_hangs_costs_the_deadline_and_no_more(case: Case, asked: Asked, ssh: Ssh):
    ssh.unplug(TIE_BREAKER)
    try:
        began = time.monotonic()
        document = asked()
        assert time.monotonic() - began < 12
    finally:
        ssh.plug(TIE_BREAKER)
    assert told(document) == [("node-unasked", TIE_BREAKER)]
    assert document["state"] == "WARNING"


HOSTILE = {
    "echo 'Snapshot of app03 in -:'": "too old to write to standard output",
    "head -c 200000 /dev/urandom": "its answer is not a snapshot",
    "head -c 80000000 /dev/zero": "sent more than 64 MiB",
    "exit 127": "check_mccluster is not installed there",
}
"""What a node may answer instead, and what is told of it."""


def test_old_version_and_hostile_answers_are_told_with_the_reason(
    case: Case, asked: Asked, ssh: Ssh
):
    texts = {}
    try:
        for answer in HOSTILE:
            ssh.revoke("root", [TIE_BREAKER])
            ssh.authorize("root", KEY, command=answer, nodes=[TIE_BREAKER])
            document = asked()
            assert told(document) == [("node-unasked", TIE_BREAKER)]
            texts[answer] = document["faults"][0]["text"]
    finally:
        ssh.revoke("root", [TIE_BREAKER])
        ssh.authorize("root", "administrator", nodes=[TIE_BREAKER])
        ssh.authorize("root", KEY, command=ASK, nodes=[TIE_BREAKER])
    assert [why for answer, why in HOSTILE.items() if why not in texts[answer]] == []
