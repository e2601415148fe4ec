"""Prometheus for real: promtool, node_exporter with the textfile collector, Prometheus itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from conftest import FIXTURES, ROOT
from zabbix_site import Daemons, free_port, listens, scratch, wait_until

RULES = ROOT / "contrib" / "prometheus"
SNAPSHOTS = FIXTURES / "snapshots"
PACKAGES = {
    "prometheus": "/usr/bin/prometheus",
    "prometheus-node-exporter": "/usr/bin/prometheus-node-exporter",
}

pytestmark = [pytest.mark.daemon, pytest.mark.root, pytest.mark.slow]


@pytest.fixture(scope="module", autouse=True)
def _packages():
    missing = [name for name, file in PACKAGES.items() if not Path(file).exists()]
    if missing:
        pytest.skip(f"Debian packages are not installed: {', '.join(missing)}")


def promtool(*args: str, given: str = "") -> str:
    """What promtool says; it must be content."""
    done = subprocess.run(
        ["promtool", *args], input=given, capture_output=True, text=True, check=False, cwd=RULES
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def get(port: int, path: str) -> str:
    """The body of a page on this machine."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        return str(response.read().decode())


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
    assert "SUCCESS: 7 rules found" in promtool("check", "rules", "mccluster.rules.yml")


def test_alert_rules_do_what_they_should():
    assert "SUCCESS" in promtool("test", "rules", "mccluster.tests.yml")


@pytest.fixture
def folder():
    with scratch("mccluster-prometheus-") as path:
        yield path


@pytest.fixture
def daemons(folder):
    running = Daemons(folder)
    yield running
    running.stop()


def test_node_exporter_serves_it_and_prometheus_alerts(call, folder, daemons):
    textfiles = folder / "textfiles"
    textfiles.mkdir()
    target = textfiles / "mccluster.prom"
    exporter, prometheus = free_port(), free_port()

    def replay(scenario: str) -> None:
        outcome = call("metrics", "--from", SNAPSHOTS / scenario / "app01", "--output", target)
        assert outcome.code == 0

    def query(expression: str) -> list[tuple[dict[str, str], str]]:
        path = f"/api/v1/query?query={urllib.parse.quote(expression)}"
        found = json.loads(get(prometheus, path))["data"]["result"]
        return [(each["metric"], each["value"][1]) for each in found]

    def alerts() -> set[tuple[str, str, str]]:
        """Alerts but for the one about the recording's age, which goes by this machine's clock."""
        found = json.loads(get(prometheus, "/api/v1/alerts"))["data"]["alerts"]
        labels = [(a["labels"], a["state"]) for a in found]
        return {
            (own["alertname"], own["check"], state)
            for own, state in labels
            if own["alertname"] != "MCClusterStale"
        }

    replay("six-nodes-healthy")
    daemons.start(
        "node_exporter",
        "prometheus",
        *("/usr/bin/prometheus-node-exporter", "--collector.disable-defaults"),
        *("--collector.textfile", f"--collector.textfile.directory={textfiles}"),
        f"--web.listen-address=127.0.0.1:{exporter}",
    )
    wait_until("node_exporter", lambda: listens(exporter))
    served = get(exporter, "/metrics").splitlines()

    assert "node_textfile_scrape_error 0" in served
    assert 'mccluster_overview_state{state="ok"} 1' in served
    written = [line for line in target.read_text().splitlines() if not line.startswith("#")]
    assert len([line for line in served if line.startswith("mccluster_")]) == len(written)

    shutil.copy(RULES / "mccluster.rules.yml", folder)
    config = folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        "rule_files: [mccluster.rules.yml]\n"
        "scrape_configs:\n"
        "  - job_name: node\n"
        f"    static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]\n"
    )
    daemons.start(
        "prometheus",
        "prometheus",
        *("/usr/bin/prometheus", f"--config.file={config}"),
        *(f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{prometheus}"),
    )
    wait_until("prometheus", lambda: listens(prometheus))
    healthy = 'mccluster_overview_state{state="ok"} == 1'
    wait_until("the healthy state", lambda: query(healthy))
    assert alerts() == set()

    replay("storage-servers-lost")
    expected = {("MCClusterCritical", "drbd-quorum", "pending")}
    wait_until("the alert", lambda: alerts() == expected)

    replay("six-nodes-healthy")
    wait_until("the end of the alert", lambda: alerts() == set())
