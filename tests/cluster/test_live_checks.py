"""Every check on every node of a real cluster, in the states that the case can get into."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Optional

import pytest

from cluster.case import GROUP, TIE_BREAKER, Case
from cluster.cluster import MEMBER, MONITOR, STRANGER, until
from cluster.verdicts import (
    CHECKS,
    COROSYNC_CHECKS,
    PACEMAKER_CHECKS,
    Done,
    Due,
    Said,
    as_member,
    as_stranger,
    expectation,
    headline,
    judge,
    program,
    verdict,
)

pytestmark = [pytest.mark.daemon, pytest.mark.root, pytest.mark.slow]

WELL: dict[str, str] = {}
OFFLINE = "CRITICAL node-offline"
DOWN = "CRITICAL pacemaker-down"
NO_CANDIDATE = "CRITICAL no-candidate"
NOT_READY = "CRITICAL no-candidate here-not-ready"


@pytest.fixture
def must_say(case: Case, call):
    """Compare what all checks say on each node with what they must say, live and recorded."""

    def compare(
        due: Due, user: Optional[str] = None, *options: str, recorded: bool = False
    ) -> Said:
        live = judge(case.cluster, due, user, options)
        found = {
            node: {check: verdict(check, done) for check, done in said.items()}
            for node, said in live.items()
        }
        assert found == {node: expectation(told) for node, told in due.items()}
        if recorded:
            for node, said in live.items():
                compare_recorded(node, said, user, options)
        return live

    def compare_recorded(
        node: str, said: dict[str, Done], user: Optional[str], options: tuple[str, ...]
    ) -> None:
        record = record_of(node, user, options)
        live = {check: done.stdout for check, done in said.items()}
        again = {check: of_record(check, record, user) for check in CHECKS}
        for check in CHECKS:
            if again[check] != live[check]:
                again[check], live[check] = around_a_record(node, check, user, options)
        assert again == live

    def around_a_record(
        node: str, check: str, user: Optional[str], options: tuple[str, ...]
    ) -> tuple[str, str]:
        """Ages grow between two looks: the record must agree with one of those around it."""
        for _ in range(60):
            before = look(node, check, user, options)
            record = record_of(node, user, options)
            after = look(node, check, user, options)
            again = of_record(check, record, user)
            if again in (before, after):
                return again, again
        return again, after

    def of_record(check: str, record: Path, user: Optional[str]) -> str:
        """A snapshot does not know who is to be granted what."""
        said: str = call(check, "-vv", "--from", record).out
        return said.replace("USER", user) if user is not None else said

    def look(node: str, check: str, user: Optional[str], options: tuple[str, ...]) -> str:
        return case.cluster.run(node, *program(check, "-vv", *options), user=user).stdout

    def record_of(node: str, user: Optional[str], options: tuple[str, ...]) -> Path:
        name = f"{node}-{uuid.uuid4()}"
        snapshot = program("snapshot", *options, f"/run/lab/records/{name}")
        done = case.cluster.run(node, *snapshot, user=user)
        assert (done.returncode, done.stderr) == (0, ""), done
        return case.cluster.shared / "records" / name

    return compare


def test_healthy(case: Case, must_say):
    due = dict.fromkeys(case.cluster.nodes, WELL)
    must_say(due, recorded=True)
    must_say(due, MONITOR)
    must_say(as_member(due), MEMBER)
    must_say(as_stranger(due), STRANGER, recorded=True)


def test_failover_after_a_power_cut(case: Case, must_say):
    dead, heir = case.active, case.other
    case.cluster.kill(dead)
    case.mesh.gone(dead)
    case.wait_for_group(heir)
    told = {
        "nodes": OFFLINE,
        "quorum": "WARNING quorum-margin",
        "links": "WARNING peer-unreachable",
        "drbd-mesh": "WARNING peer-connecting",
        "failover": NO_CANDIDATE,
    }
    must_say({heir: told, TIE_BREAKER: told}, recorded=True)

    case.mesh.back(dead)
    case.cluster.start(dead)
    case.cluster.settle(heir)
    assert case.active == heir
    must_say(dict.fromkeys(case.cluster.nodes, WELL))


def test_failed_monitor_bars_the_node(case: Case, must_say):
    barred, heir = case.active, case.other
    case.fail("MYSQL", barred)
    case.wait_for_group(heir)
    told = {"failures": "WARNING node-barred", "failover": NO_CANDIDATE}
    due = {heir: told, TIE_BREAKER: told, barred: {**told, "failover": NOT_READY}}
    live = must_say(due, recorded=True)
    must_say(as_member(due), MEMBER)
    must_say(as_stranger(due), STRANGER)
    assert headline(live[heir]["overview"]).startswith(
        f"OVERVIEW CRITICAL - MYSQL is barred from {barred}: fail-count 1 of 1 (monitor: not "
    )


def test_both_application_servers_barred(case: Case, must_say):
    first, second = case.active, case.other
    case.fail("MYSQL", first)
    case.wait_for_group(second)
    case.fail("MYSQL", second)
    until("MYSQL has stopped", lambda: not case.cluster.where("MYSQL", TIE_BREAKER))
    case.cluster.settle(TIE_BREAKER)
    told = {
        "resources": "CRITICAL resource-stopped",
        "failures": "WARNING node-barred",
        "failover": NO_CANDIDATE,
    }
    # What stands before it in the group goes on.
    assert case.cluster.where("FS_DRBD", TIE_BREAKER) == [second]
    must_say(
        {second: told, TIE_BREAKER: told, first: {**told, "failover": NOT_READY}}, recorded=True
    )


def test_standby(case: Case, must_say):
    idle, heir = case.active, case.other
    case.cluster.demand(TIE_BREAKER, "crm_attribute", "-N", idle, "-n", "standby", "-v", "on")
    case.wait_for_group(heir)
    told = {"nodes": "WARNING node-standby", "failover": NO_CANDIDATE}
    must_say({heir: told, TIE_BREAKER: told, idle: {**told, "failover": NOT_READY}}, recorded=True)


def test_node_in_maintenance(case: Case, must_say):
    active, other = case.active, case.other
    case.cluster.demand(TIE_BREAKER, "crm_attribute", "-N", other, "-n", "maintenance", "-v", "on")
    case.cluster.settle(TIE_BREAKER)
    told = {"nodes": "WARNING node-maintenance", "failover": NO_CANDIDATE}
    must_say(
        {active: told, TIE_BREAKER: told, other: {**told, "failover": NOT_READY}}, recorded=True
    )


def test_cluster_in_maintenance(case: Case, must_say):
    case.cluster.demand(TIE_BREAKER, "crm_attribute", "-n", "maintenance-mode", "-v", "true")
    case.cluster.settle(TIE_BREAKER)
    told = {"nodes": "WARNING cluster-maintenance", "failover": "WARNING no-candidate"}
    must_say(dict.fromkeys(case.cluster.nodes, told), recorded=True)


def test_blocked_stop(case: Case, must_say):
    active, other = case.active, case.other
    (case.cluster.shared / "faults" / "DOVECOT.stop").touch()
    case.fail("DOVECOT", active)
    until("the stop has failed", lambda: is_blocked(case, "DOVECOT"))
    case.cluster.settle(TIE_BREAKER)
    told = {
        "resources": "CRITICAL resource-blocked",
        "failures": "WARNING node-barred",
    }
    must_say({active: told, other: told, TIE_BREAKER: told}, recorded=True)


def is_blocked(case: Case, resource: str) -> bool:
    seen = case.cluster.crm_mon(TIE_BREAKER).iter("resource")
    return any(each.get("id") == resource and each.get("blocked") == "true" for each in seen)


def test_ban_left_behind_by_a_move(case: Case, must_say):
    left, heir = case.active, case.other
    case.cluster.demand(TIE_BREAKER, "crm_resource", "--move", "--resource", GROUP)
    case.wait_for_group(heir)
    told = {"placement": "WARNING leftover-ban", "failover": NO_CANDIDATE}
    must_say({heir: told, TIE_BREAKER: told, left: {**told, "failover": NOT_READY}}, recorded=True)


def test_prefer_left_behind_by_a_move(case: Case, must_say):
    heir = case.other
    case.cluster.demand(TIE_BREAKER, "crm_resource", "--move", "--resource", GROUP, "--node", heir)
    case.wait_for_group(heir)
    told = {"placement": "WARNING leftover-prefer"}
    must_say(dict.fromkeys(case.cluster.nodes, told), recorded=True)


def test_partition(case: Case, must_say):
    lost, heir = case.active, case.other
    case.cluster.cut(lost)
    case.wait_for_group(heir)
    for peer in (heir, TIE_BREAKER):
        case.mesh.break_connection(lost, peer)
    until(f"{lost} gives the group up", lambda: not case.cluster.where("MYSQL", lost))
    majority = {
        "nodes": OFFLINE,
        "quorum": "WARNING quorum-margin",
        "links": "WARNING peer-unreachable",
        "drbd-mesh": "WARNING peer-connecting",
        "failover": NO_CANDIDATE,
    }
    minority = {
        "nodes": OFFLINE,
        "quorum": "CRITICAL quorum-lost",
        "links": "WARNING peer-unreachable",
        "resources": "CRITICAL resource-stopped",
        "placement": "CRITICAL not-running",
        "drbd-mesh": "WARNING peer-connecting",
        "failover": NO_CANDIDATE,
    }
    due = {lost: minority, heir: majority, TIE_BREAKER: majority}
    must_say(due, recorded=True)
    must_say(as_member(due), MEMBER)
    must_say(as_stranger(due), STRANGER)


def test_pacemaker_stopped(case: Case, must_say):
    active, other = case.active, case.other
    case.cluster.stop(other, "pacemakerd")
    case.cluster.settle(active)
    told = {"nodes": OFFLINE, "failover": NO_CANDIDATE}
    there = {active: told, TIE_BREAKER: told}
    here = {other: dict.fromkeys(PACEMAKER_CHECKS, DOWN)}
    must_say({**there, **here}, recorded=True)
    # Who may not ask Corosync for the votes counts the nodes.
    counting = {node: {**told, "quorum": "WARNING quorum-margin"} for node in there}
    must_say({**as_member(counting), **as_member(here)}, MEMBER)
    # A daemon that is not there refuses nobody.
    must_say({**as_stranger(there), **as_member(here)}, STRANGER)


def test_corosync_stopped(case: Case, must_say):
    active, other = case.active, case.other
    case.cluster.stop(other, "pacemakerd", "corosync")
    until("its absence is noticed", lambda: case.cluster.online(active) == {active, TIE_BREAKER})
    case.cluster.settle(active)
    told = {
        "nodes": OFFLINE,
        "quorum": "WARNING quorum-margin",
        "links": "WARNING peer-unreachable",
        "failover": NO_CANDIDATE,
    }
    there = {active: told, TIE_BREAKER: told}
    here = {other: dict.fromkeys((*PACEMAKER_CHECKS, *COROSYNC_CHECKS), DOWN)}
    must_say({**there, **here}, recorded=True)
    must_say({**as_member(there), **here}, MEMBER)
    must_say({**as_stranger(there), **here}, STRANGER)


def test_corosync_killed_under_pacemaker(case: Case, must_say):
    active, other = case.active, case.other
    case.cluster.signal(other, "KILL", "corosync")
    until("its absence is noticed", lambda: case.cluster.online(active) == {active, TIE_BREAKER})
    here = dict.fromkeys((*PACEMAKER_CHECKS, *COROSYNC_CHECKS), DOWN)
    must_say({other: here})


def test_cib_daemon_frozen(case: Case, must_say):
    active, other = case.active, case.other
    before = case.cluster.processes(active)
    case.cluster.signal(active, "STOP", "pacemaker-based")
    timeout = dict.fromkeys(PACEMAKER_CHECKS, "UNKNOWN tool-timeout")
    must_say({active: timeout}, None, "--timeout", "3", recorded=True)
    # Pacemaker will kill it in the end: the checks have returned before that.
    assert case.cluster.is_stopped(active, "pacemaker-based")
    assert case.cluster.processes(active) == before
    must_say({other: WELL, TIE_BREAKER: WELL})


def test_resource_on_the_tie_breaker(case: Case, must_say):
    active, other = case.active, case.other
    case.cluster.demand(
        TIE_BREAKER,
        "cibadmin",
        "--delete",
        "--xml-text",
        '<rsc_location id="group1-avoids-app03"/>',
    )
    for node in (active, other):
        case.cluster.demand(TIE_BREAKER, "crm_attribute", "-N", node, "-n", "standby", "-v", "on")
    case.wait_for_group(TIE_BREAKER)
    for node in (active, other):
        case.cluster.demand(TIE_BREAKER, "crm_attribute", "-N", node, "-n", "standby", "-D")
    case.cluster.settle(TIE_BREAKER)
    must_say(dict.fromkeys(case.cluster.nodes, WELL), recorded=True)
    # Without its rule only the configuration file knows that the node is a tie-breaker.
    text = f'[pacemaker]\ntie_breakers = ["{TIE_BREAKER}"]\n'
    (case.cluster.shared / "cluster.toml").write_text(text)
    told = {
        "placement": "CRITICAL placed-forbidden tie-breaker-unprotected",
        "drbd-role": "CRITICAL primary-forbidden",
    }
    due = dict.fromkeys(case.cluster.nodes, told)
    must_say(due, None, "--config", "/run/lab/cluster.toml")
