"""Prometheus for real: promtool, node_exporter with the textfile collector, Prometheus itself."""

from __future__ import annotations

import re
import subprocess

import pytest

from prometheus_site import PACKAGES, RULES, SNAPSHOTS, get, running_site
from zabbix_site import need_packages, wait_until

pytestmark = [pytest.mark.daemon, pytest.mark.root, pytest.mark.slow]


@pytest.fixture(scope="module", autouse=True)
def _packages():
    need_packages(PACKAGES)


def promtool(*args: str, given: str = "") -> str:
    """What promtool says; it must be content."""
    done = subprocess.run(
        ["promtool", *args], input=given, capture_output=True, text=True, check=False, cwd=RULES
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "node",
    [
        "six-nodes-healthy/app01",
        "six-nodes-healthy/storage01",
        "storage-servers-lost/app01",
        "first-full-sync/storage03",
        "pacemaker-1.1.24-not-running/app01",
        "bundle-healthy/app01",
        "utils-8.9.9-healthy/app01",
    ],
)
def test_promtool_has_nothing_to_say_about_the_metrics(call, node):
    text = call("metrics", "--from", SNAPSHOTS / node).out

    assert promtool("check", "metrics", given=text) == ""


def test_promtool_accepts_the_alert_rules():
    assert "SUCCESS: 9 rules found" in promtool("check", "rules", "mccluster.rules.yml")


def test_alert_rules_do_what_they_should():
    assert "SUCCESS" in promtool("test", "rules", "mccluster.tests.yml")


def test_amtool_accepts_the_configuration_and_routes_every_alert(tmp_path):
    file = RULES / "alertmanager.yml"
    checked = subprocess.run(
        ["amtool", "check-config", str(file)], capture_output=True, text=True, check=True
    )
    assert "2 inhibit rules" in checked.stdout
    alerts = re.findall(r"- alert: (\S+)", (RULES / "mccluster.rules.yml").read_text())
    assert len(alerts) == 8
    for name, receiver in (*((name, "cluster") for name in alerts), ("Another", "nobody")):
        routed = subprocess.run(
            ["amtool", "config", "routes", "test", f"--config.file={file}", f"alertname={name}"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert routed.stdout.strip() == receiver


@pytest.fixture
def site():
    with running_site() as site:
        yield site


def test_node_exporter_serves_it_and_prometheus_alerts(site):
    site.replay("six-nodes-healthy")
    site.start_exporter()
    served = get(site.exporter, "/metrics").splitlines()

    assert "node_textfile_scrape_error 0" in served
    assert 'mccluster_overview_state{cluster="drbdlab",state="ok"} 1' in served
    written = [line for line in site.target.read_text().splitlines() if not line.startswith("#")]
    assert len([line for line in served if line.startswith("mccluster_")]) == len(written)

    site.start_prometheus()
    healthy = 'mccluster_overview_state{state="ok"} == 1'
    wait_until("the healthy state", lambda: site.query(healthy))
    assert site.alerts() == set()

    site.replay("storage-servers-lost")
    expected = {("MCClusterCritical", "drbd-quorum", "pending")}
    wait_until("the alert", lambda: site.alerts() == expected)

    site.replay("six-nodes-healthy")
    wait_until("the end of the alert", lambda: site.alerts() == set())
