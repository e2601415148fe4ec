"""Zabbix for real: agents with the shipped UserParameter file, a server, its front end's API.

Six agents replay the six nodes of the case. What an agent replays is turned while all of it runs:
a healthy cluster, storage02 and storage03 lost, healthy again, maintenance.
"""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from zabbix_site import (
    CLUSTER,
    NEEDED,
    NODES,
    as_user,
    assert_exported,
    free_port,
    listens,
    need_packages,
    report_logs,
    running_site,
    wait_until,
)

AGENT_2 = "/usr/sbin/zabbix_agent2"
HIGH, AVERAGE, WARNING = "4", "3", "2"


pytestmark = [pytest.mark.daemon, pytest.mark.root, pytest.mark.slow]


@pytest.fixture(scope="module")
def site():
    need_packages(NEEDED)
    with running_site() as site:
        yield site
        report_logs(site.folder)


def test_agent_reads_the_user_parameter_file(site):
    config = site.agents.config("offline")
    done = subprocess.run(
        [
            *as_user("zabbix"),
            *("/usr/sbin/zabbix_agentd", "-c", str(config)),
            *("-t", "check_mccluster.discovery[drbd]"),
        ],
        env=site.agents.environment(f"--from {site.snapshot('app01')}"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == (
        'check_mccluster.discovery[drbd]               [t|[{"{#RESOURCE}":"r0","{#VOLUME}":"0"}]]\n'
    )


def test_zabbix_get_is_told_discovery_and_data(site):
    peers = json.loads(site.get("storage01", "check_mccluster.discovery[peers]"))
    data = json.loads(site.get("app01", "check_mccluster.data"))
    wrong = json.loads(site.get("app01", "check_mccluster.discovery[disks]"))

    assert peers == [
        {"{#RESOURCE}": "r0", "{#PEER}": peer, "{#VOLUME}": "0"}
        for peer in ("app01", "app02", "app03", "storage02", "storage03")
    ]
    assert (data["node"], data["state"], "error" in data) == ("app01", 0, False)
    assert list(wrong) == ["error"]


def test_agent_2_reads_the_same_file(site):
    need_packages({"zabbix-agent2": AGENT_2})
    config = site.agents.config("agent2", two=True)
    environment = site.agents.environment(f"--from {site.snapshot('app01')}")
    site.daemons.start("agent2", "zabbix", AGENT_2, "-f", "-c", config, env=environment)
    wait_until("agent 2 listens", lambda: listens(site.agents.ports["agent2"]))

    for key in ("check_mccluster.data", "check_mccluster.discovery[resources]"):
        told, due = (json.loads(site.get(name, key)) for name in ("agent2", "app01"))
        assert told == due
    site.daemons.end("agent2")


def test_agent_is_told_in_time_that_a_tool_hangs(site):
    hangs = site.folder / "crm_mon"
    hangs.write_text("#!/bin/sh\nexec sleep 60\n")
    hangs.chmod(0o755)
    config = site.folder / "cluster.toml"
    config.write_text(f'[tools]\ncrm_mon = "{hangs}"\n')
    site.agents.start("hangs", f"--config {config}")

    data = json.loads(site.get("hangs", "check_mccluster.data"))
    nodes = json.loads(site.get("hangs", "check_mccluster.discovery[nodes]"))

    assert "crm_mon" in data["error"]
    assert "crm_mon" in nodes["error"]
    site.agents.stop("hangs")


def test_templates_are_what_the_server_exports(site):
    site.import_template()

    assert_exported(site.server, "6.0")


def test_maintenance_silences_nothing_else(site):
    site.import_template()
    asked = {
        "templateids": [site.template_id()],
        "output": ["description", "expression"],
        "expandExpression": True,
    }
    triggers = site.server.api("trigger.get", **asked)
    prototypes = site.server.api("triggerprototype.get", **asked)

    assert (len(triggers), len(prototypes)) == (39, 9)
    assert [
        trigger["description"]
        for trigger in triggers + prototypes
        if f"/{CLUSTER}/check_mccluster.maintenance" in trigger["expression"]
    ] == ["Cluster: in maintenance"]


def test_active_agent_sends_what_the_passive_one_is_asked_for(site):
    site.import_template()
    site.agents.ports["quiet"] = free_port()
    site.start_agent("app02", "quiet", site.server.port)
    site.add_host("quiet", " active")

    wait_until(
        "values of the active agent",
        lambda: (
            site.values("quiet", "check_mccluster.state", "check_mccluster.node.status[app03]")
            == ["0", "online"]
        ),
    )
    site.agents.stop("quiet")
    site.remove_host("quiet")


def test_life_of_the_six_nodes(site):
    """One story, because every part needs the one before it."""
    site.import_template()
    for node in NODES:
        site.add_host(node)
    _healthy_cluster_is_discovered_and_has_no_problem(site)
    _lost_storage_servers_are_one_problem_of_the_speaker(site)
    _healthy_again_resolves_them(site)
    _maintenance_is_the_only_problem(site)
    _failing_tool_is_the_only_problem(site)


def _healthy_cluster_is_discovered_and_has_no_problem(site):
    roles = {
        "app01": ["Primary", "Diskless", "1"],
        "app02": ["Secondary", "Diskless", "1"],
        "app03": ["Secondary", "Diskless", "1"],
        "storage01": ["Secondary", "UpToDate", "0"],
        "storage02": ["Secondary", "UpToDate", "0"],
        "storage03": ["Secondary", "UpToDate", "0"],
    }
    keys = ("role", "disk", "client")
    for node, expected in roles.items():
        wait_until(
            f"values of {node}",
            lambda node=node, expected=expected: (
                site.values(node, *(f"check_mccluster.drbd.{key}[r0,0]" for key in keys))
                == expected
            ),
        )
    discovered = {
        node: sorted(key for key in site.items(node) if re.search(r"\.(node|peer)\.state\[", key))
        for node in ("app01", "storage01")
    }
    assert discovered == {
        "app01": [
            "check_mccluster.node.state[app01]",
            "check_mccluster.node.state[app02]",
            "check_mccluster.node.state[app03]",
            "check_mccluster.peer.state[r0,app02,0]",
            "check_mccluster.peer.state[r0,app03,0]",
            "check_mccluster.peer.state[r0,storage01,0]",
            "check_mccluster.peer.state[r0,storage02,0]",
            "check_mccluster.peer.state[r0,storage03,0]",
        ],
        "storage01": [
            "check_mccluster.peer.state[r0,app01,0]",
            "check_mccluster.peer.state[r0,app02,0]",
            "check_mccluster.peer.state[r0,app03,0]",
            "check_mccluster.peer.state[r0,storage02,0]",
            "check_mccluster.peer.state[r0,storage03,0]",
        ],
    }
    app01 = (
        "check_mccluster.state",
        "check_mccluster.error",
        "check_mccluster.resource.nodes[group1]",
        "check_mccluster.node.status[app03]",
        "check_mccluster.figure[quorum,votes_margin]",
        "check_mccluster.peer.replication[r0,storage02,0]",
    )
    wait_until(
        "values of app01",
        lambda: site.values("app01", *app01) == ["0", "", "app01", "online", "1", "Established"],
    )
    site.expect(set(), *NODES)
    wait_until("every item is supported", lambda: site.unsupported() == {})


LOST = ("app01", "app02", "app03", "storage01")


def _lost_storage_servers_are_one_problem_of_the_speaker(site):
    for node in ("storage02", "storage03"):
        site.agents.stop(node)
    for node in LOST:
        site.replay(node, "storage-servers-lost")
    text = (
        "r0/0: quorum lost on app01, I/O fails, 1 of 3 copies UpToDate and reachable, not"
        " storage02, storage03"
    )
    seen = "check_mccluster.drbd.state[r0,0]"
    wait_until("all see it", lambda: all(site.values(node, seen) == ["2"] for node in LOST))
    expected = {("app01", text, HIGH, text)}
    site.expect(expected, *LOST)


def _healthy_again_resolves_them(site):
    for node in ("storage02", "storage03"):
        site.start_agent(node)
    for node in LOST:
        site.replay(node, "six-nodes-healthy")
    site.expect(set(), *NODES)


def _maintenance_is_the_only_problem(site):
    site.replay("app01", "cluster-maintenance")
    text = "maintenance-mode: the cluster manages nothing"
    expected = {("app01", text, WARNING, text)}
    site.expect(expected, "app01")


def _failing_tool_is_the_only_problem(site):
    """A snapshot that is gone stands for a program that cannot even begin."""
    site.replay("app01", "six-nodes-healthy")
    wait_until("no problem", lambda: site.problems() == set())
    site.snapshot("storage01").unlink()
    text = f"cannot read {site.snapshot('storage01')}: No such file or directory"
    expected = {("storage01", text, AVERAGE, text)}
    site.expect(expected, "storage01")
    assert "check_mccluster.peer.state[r0,app01,0]" in site.items("storage01")
