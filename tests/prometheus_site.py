"""A node_exporter and a Prometheus on 127.0.0.1 with the shipped rules, over recorded clusters."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from daemons import ROOT
from zabbix_site import Daemons, free_port, listens, scratch, wait_until

RULES = ROOT / "contrib" / "prometheus"
SNAPSHOTS = ROOT / "fixtures" / "snapshots"
PACKAGES = {
    "prometheus": "/usr/bin/prometheus",
    "prometheus-node-exporter": "/usr/bin/prometheus-node-exporter",
    "prometheus-alertmanager": "/usr/bin/amtool",
}
"""Debian's packages, each with a file by which it is recognised."""


def get(port: int, path: str) -> str:
    """The body of a page on this machine."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        return str(response.read().decode())


def is_ready(port: int) -> bool:
    """Whether a Prometheus answers queries."""
    with contextlib.suppress(OSError):
        return "Ready" in get(port, "/-/ready")
    return False


def ask(port: int, expression: str) -> list[tuple[dict[str, str], str]]:
    """The series of an instant query: labels and value."""
    path = f"/api/v1/query?query={urllib.parse.quote(expression)}"
    found = json.loads(get(port, path))["data"]["result"]
    return [(each["metric"], each["value"][1]) for each in found]


class Site:
    """One node's metrics as a file, who serves it, and who asks for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons = Daemons(folder)
        self.exporter, self.prometheus = free_port(), free_port()
        self.target = folder / "textfiles" / "mccluster.prom"
        self.target.parent.mkdir()

    def replay(self, scenario: str) -> None:
        """Write what was recorded on app01 in *scenario*."""
        arguments = ["metrics", "--from", SNAPSHOTS / scenario / "app01", "--output", self.target]
        subprocess.run(
            [sys.executable, "-m", "check_mccluster", *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            check=True,
        )

    def start_exporter(self) -> None:
        self.daemons.start(
            "node_exporter",
            "prometheus",
            *("/usr/bin/prometheus-node-exporter", "--collector.disable-defaults"),
            *("--collector.textfile", f"--collector.textfile.directory={self.target.parent}"),
            f"--web.listen-address=127.0.0.1:{self.exporter}",
        )
        wait_until("node_exporter", lambda: listens(self.exporter))

    def start_prometheus(self) -> None:
        shutil.copy(RULES / "mccluster.rules.yml", self.folder)
        config = self.folder / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            "rule_files: [mccluster.rules.yml]\n"
            "scrape_configs:\n"
            "  - job_name: node\n"
            f"    static_configs: [{{targets: ['127.0.0.1:{self.exporter}']}}]\n"
        )
        self.daemons.start(
            "prometheus",
            "prometheus",
            *("/usr/bin/prometheus", f"--config.file={config}"),
            f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.prometheus}",
        )
        wait_until("prometheus", lambda: is_ready(self.prometheus))

    def query(self, expression: str) -> list[tuple[dict[str, str], str]]:
        return ask(self.prometheus, expression)

    def alerts(self) -> set[tuple[str, str, str]]:
        """Alerts but for the one about the recording's age, which goes by this machine's clock."""
        found = json.loads(get(self.prometheus, "/api/v1/alerts"))["data"]["alerts"]
        labels = [(a["labels"], a["state"]) for a in found]
        return {
            (own["alertname"], own["check"], state)
            for own, state in labels
            if own["alertname"] != "MCClusterStale"
        }


@contextlib.contextmanager
def running_site() -> Iterator[Site]:
    """A site where nothing runs yet; what was started ends with it."""
    with scratch("mccluster-prometheus-") as folder:
        site = Site(folder)
        try:
            yield site
        finally:
            site.daemons.stop()
