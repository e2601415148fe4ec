"""The check ``cluster``, which asks every node of a real cluster over ssh by a key that may do
nothing else: one fault, named rightly, at every moment."""

from __future__ import annotations

import json
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cluster.case import TIE_BREAKER, Case
from cluster.cluster import until
from cluster.ssh import Ssh, obstacle
from cluster.verdicts import program

pytestmark = [pytest.mark.daemon, pytest.mark.root, pytest.mark.slow]

KEY = "checks"
ASK = shlex.join(program("snapshot", "-", "--timeout", "6"))


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
        return [(f["key"], f["object"]) for f in self()["faults"] if f["state"] != "OK"]


@pytest.fixture
def asked(case: Case, ssh: Ssh, tmp_path: Path) -> Asked:
    return Asked(case, ssh, tmp_path)


def test_healthy_nodes_are_all_asked_and_nothing_is_told(case: Case, asked: Asked):
    document = asked()
    assert (document["state"], document["faults"]) == ("OK", [])
    assert document["text"].startswith(f"3 of 3 nodes asked: group1 on {case.active}")


def test_power_cut_is_one_fault_of_the_dead_node_also_while_the_group_moves(
    case: Case, asked: Asked
):
    dead, heir = case.active, case.other
    case.cluster.kill(dead)
    case.mesh.gone(dead)
    case.wait_for_group(heir)
    began = time.monotonic()
    document = asked()
    assert time.monotonic() - began < 12
    told = [f for f in document["faults"] if f["state"] != "OK"]
    assert [(f["key"], f["object"]) for f in told] == [("node-offline", dead)], told
    (fault,) = told
    assert document["state"] == "CRITICAL"
    followed = {each["key"] for each in fault["follows"]}
    assert {"node-unasked", "no-candidate"} <= followed
    case.mesh.back(dead)
    case.cluster.start(dead)
    case.cluster.settle(heir)
    until("all is well again", lambda: asked()["state"] == "OK")


def test_node_that_is_cut_off_is_still_asked_and_is_one_partition(case: Case, asked: Asked):
    cut = case.active
    case.cluster.cut(cut)
    until(
        "both sides know it",
        lambda: (
            all(cut not in case.cluster.online(node) for node in case.cluster.nodes if node != cut)
            and case.cluster.online(cut) == {cut}
        ),
    )
    keys = {key for key, _ in asked.causes()}
    assert "partitioned" in keys
    assert not keys & {"node-offline", "quorum-lost", "dc-missing", "node-unasked", "no-candidate"}


def test_pacemaker_stopped_in_order_is_told_by_the_nodes_own_word(case: Case, asked: Asked):
    active = case.active
    case.cluster.stop(TIE_BREAKER, "pacemakerd")
    until("it is known", lambda: TIE_BREAKER not in case.cluster.online(active))
    told = asked.causes()
    assert told == [("pacemaker-down", TIE_BREAKER)]


def test_node_that_hangs_costs_the_deadline_and_no_more(case: Case, asked: Asked, ssh: Ssh):
    ssh.unplug(TIE_BREAKER)
    try:
        began = time.monotonic()
        document = asked()
        assert time.monotonic() - began < 12
    finally:
        ssh.plug(TIE_BREAKER)
    told = [(f["key"], f["object"], f["text"]) for f in document["faults"] if f["state"] != "OK"]
    assert [(key, about) for key, about, _ in told] == [("node-unasked", TIE_BREAKER)]
    assert document["state"] == "WARNING"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("echo 'Snapshot of app03 in -:'", "too old to write to standard output"),
        ("head -c 200000 /dev/urandom", "its answer is not a snapshot"),
        ("head -c 80000000 /dev/zero", "sent more than 64 MiB"),
        ("exit 127", "check_mccluster is not installed there"),
    ],
)
def test_old_version_and_hostile_answers_are_told_with_the_reason(
    case: Case, asked: Asked, ssh: Ssh, answer: str, why: str
):
    ssh.revoke("root", [TIE_BREAKER])
    ssh.authorize("root", KEY, command=answer, nodes=[TIE_BREAKER])
    try:
        document = asked()
    finally:
        ssh.revoke("root", [TIE_BREAKER])
        ssh.authorize("root", "administrator", nodes=[TIE_BREAKER])
        ssh.authorize("root", KEY, command=ASK, nodes=[TIE_BREAKER])
    (fault,) = (f for f in document["faults"] if f["state"] != "OK")
    assert (fault["key"], fault["object"]) == ("node-unasked", TIE_BREAKER)
    assert why in fault["text"]
