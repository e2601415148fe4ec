"""The administrator's way to the nodes: what tests that ask over ssh may rely on."""

from __future__ import annotations

import pytest

from cluster.case import TIE_BREAKER, Case
from cluster.cluster import MONITOR
from cluster.ssh import Ssh, obstacle

pytestmark = [pytest.mark.daemon, pytest.mark.root, pytest.mark.slow]


@pytest.fixture(scope="module")
def ssh(running: Case) -> Ssh:
    reason = obstacle()
    if reason is not None:
        pytest.skip(reason)
    return Ssh(running.cluster)


def said(done) -> tuple[int, str]:
    return done.returncode, done.stdout.strip()


def test_every_node_is_reached_as_root_with_the_tools_of_its_own(ssh: Ssh):
    for name in ssh.cluster.nodes:
        assert said(ssh.run(name, "hostname; id -un")) == (0, f"{name}\nroot")
        mesh = ssh.run(name, "drbdsetup", "status", "--json")
        assert (mesh.returncode, '"name": "r0"' in mesh.stdout) == (0, True)


def test_forced_command_is_all_that_its_key_may_do(ssh: Ssh):
    ssh.authorize(MONITOR, "checks", command='echo "only this"', nodes=["app02"])
    assert said(ssh.run("app02", "id", user=MONITOR, key="checks")) == (0, "only this")
    assert ssh.run("app02", "id", user="root", key="checks").returncode == 255
    refused = ssh.run("app01", "id", user=MONITOR, key="checks")
    assert (refused.returncode, "Permission denied" in refused.stderr) == (255, True)
    ssh.revoke(MONITOR)
    assert ssh.run("app02", "id", user=MONITOR, key="checks").returncode == 255


def test_node_that_is_cut_off_is_still_reached_and_an_unplugged_one_is_not(ssh: Ssh):
    ssh.cluster.cut("app01")
    assert said(ssh.run("app01", "hostname")) == (0, "app01")
    ssh.unplug("app01")
    assert ssh.run("app01", "hostname").returncode == 255
    ssh.plug("app01")
    ssh.cluster.heal()
    assert said(ssh.run("app01", "hostname")) == (0, "app01")


def test_node_that_is_off_is_not_reached_and_after_a_boot_it_is(ssh: Ssh):
    ssh.cluster.kill(TIE_BREAKER)
    assert ssh.run(TIE_BREAKER, "hostname").returncode == 255
    ssh.cluster.start(TIE_BREAKER)
    assert said(ssh.run(TIE_BREAKER, "hostname")) == (0, TIE_BREAKER)
