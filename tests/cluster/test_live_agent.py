"""The resource agent under a real Pacemaker: the race that it is for, and what ends a wait."""

from __future__ import annotations

import pytest

from cluster.case import LAST, TIE_BREAKER, Case, configuration
from cluster.cluster import until
from cluster.verdicts import headline, program, verdict

pytestmark = [pytest.mark.daemon, pytest.mark.root, pytest.mark.slow]

AGENT = "/usr/lib/ocf/resource.d/mccluster/drbd-no-primary"
OK_LOG = "no other node is Primary of r0 after"


def says(case: Case, node: str, check: str) -> tuple[str, str]:
    """A check's verdict and its first line."""
    done = case.cluster.run(node, *program(check, "-v"))
    return verdict(check, done), headline(done)


def start_operations(case: Case, seen_from: str, node: str) -> dict[str, str]:
    """Exit codes of the starts of the group's members on a node."""
    history = case.cluster.crm_mon(seen_from).iterfind(f"node_history/node[@name='{node}']/*")
    return {
        str(resource.get("id")): str(operation.get("rc"))
        for resource in history
        for operation in resource.iterfind("operation_history[@task='start']")
    }


def test_ocf_tester(case: Case):
    # Where the group runs, no other node is Primary.
    done = case.cluster.run(
        case.active, "ocf-tester", "-n", "tested", "-o", "drbd_resource=r0", AGENT
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"{AGENT} passed all tests")


def test_pacemaker_reads_the_meta_data(case: Case):
    described = case.cluster.demand(
        case.other, "crm_resource", "--show-metadata", "ocf:mccluster:drbd-no-primary"
    )
    assert '<parameter name="drbd_resource" required="1">' in described


def test_primary_that_takes_20_seconds_to_vanish(case: Case):
    dead, heir = case.active, case.other
    case.cluster.kill(dead)
    until("the agent waits", lambda: f"waiting: {dead} is Primary of r0" in case.log(heir))
    assert says(case, heir, "consistency") == (
        "WARNING primary-without-service",
        f"CONSISTENCY WARNING - {dead} is Primary of r0, and FS_DRBD runs nowhere",
    )
    vanished = case.mesh.gone(dead, after=20)
    case.wait_for_group(heir)
    assert case.mesh.primary_since(heir) > vanished
    assert OK_LOG in case.log(heir)
    assert set(start_operations(case, heir, heir).values()) == {"0"}
    assert says(case, heir, "failures")[0] == "OK"


def test_primary_that_never_vanishes(running: Case):
    case = started_anew(running, configuration(start_timeout="10s"))
    dead, heir = case.active, case.other
    case.cluster.kill(dead)
    until("the start has ended", lambda: says(case, heir, "failures")[0] != "OK")
    case.cluster.settle(heir)
    assert not case.mesh.is_primary(heir)
    for node in (heir, TIE_BREAKER):
        state, text = says(case, node, "failures")
        assert state == "WARNING node-barred"
        assert text.startswith(
            f"FAILURES WARNING - DRBD_FREE is barred from {heir}: fail-count INFINITY of 1"
            " (start: timed out, Resource agent did not complete"
        )
        assert says(case, node, "consistency") == (
            "WARNING primary-without-service",
            f"CONSISTENCY WARNING - {dead} is Primary of r0, and FS_DRBD runs nowhere",
        )
        assert says(case, node, "drbd-role") == ("OK", f"DRBD-ROLE OK - r0: Primary {dead}")
        assert says(case, node, "placement")[0] == "CRITICAL not-running"
        assert says(case, node, "resources")[0] == "CRITICAL resource-stopped"


def test_drbd_that_cannot_be_read_is_not_safe(case: Case):
    idle, heir = case.active, case.other
    case.mesh.answer(20, "Could not connect to 'drbd' generic netlink family\n")
    case.cluster.demand(TIE_BREAKER, "crm_attribute", "-N", idle, "-n", "standby", "-v", "on")
    until("the agent waits", lambda: "waiting: drbdsetup failed" in case.log(heir))
    until(f"{idle} has demoted", lambda: not case.mesh.is_primary(idle))
    assert not case.cluster.where("DRBD_FREE", TIE_BREAKER)
    case.mesh.answer(None)
    case.wait_for_group(heir)


def started_anew(running: Case, xml: str) -> Case:
    """The cluster as new, with a configuration of the test."""
    running.reset(xml)
    return running


def cut_off_the_active_node(case: Case) -> tuple[str, str]:
    """It takes its time to stop the service, and to demote, when it has lost the quorum."""
    active, heir = case.active, case.other
    case.cluster.cut(active)
    return active, heir


def test_race_without_the_agent(running: Case):
    case = started_anew(running, configuration(agent=False, stop_seconds=12))
    lost, heir = cut_off_the_active_node(case)
    until("the start has failed", lambda: says(case, heir, "failures")[0] != "OK")
    until(f"{lost} has demoted", lambda: not case.mesh.is_primary(lost))
    case.cluster.settle(heir)
    # Nobody is Primary any more, and nobody tries again.
    assert not case.cluster.where("FS_DRBD", heir)
    for node in (heir, TIE_BREAKER):
        state, text = says(case, node, "failures")
        assert state == "WARNING node-barred"
        assert text.startswith(
            f"FAILURES WARNING - FS_DRBD is barred from {heir}: fail-count INFINITY of 1"
            " (start: error, Couldn't mount device [/dev/drbd0] as /opt/drbd"
        )
        assert says(case, node, "resources")[0] == "CRITICAL resource-stopped"
        assert says(case, node, "placement")[0] == "CRITICAL not-running"
        assert "no-candidate" in says(case, node, "failover")[0]
    case.cluster.demand(heir, "crm_resource", "--cleanup")
    case.wait_for_group(heir)


def test_race_with_the_agent(running: Case):
    case = started_anew(running, configuration(stop_seconds=12))
    lost, heir = cut_off_the_active_node(case)
    until("the agent waits", lambda: f"waiting: {lost} is Primary of r0" in case.log(heir))
    case.wait_for_group(heir)
    assert OK_LOG in case.log(heir)
    assert says(case, heir, "failures")[0] == "OK"
    assert case.cluster.where(LAST, TIE_BREAKER) == [heir]
