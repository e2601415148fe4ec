"""A Prometheus with its Alertmanager over many recorded clusters, and who gets the messages.

Everything is on 127.0.0.1 with the shipped rules, routes and inhibitions; a minute of theirs is
two seconds here, as is that of each scrape and evaluation, so that all keeps its order. The nodes'
metrics are those that ``check_mccluster metrics`` writes, served as node_exporter does, as of now.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple, Optional

import pytest

from check_mccluster.app.cli import main
from prometheus_site import RULES, ask, is_ready
from zabbix_site import Daemons, free_port, listens, scratch, wait_until

MINUTE = 2
"""Seconds that stand for a minute."""
_TIMES = re.compile(r"(for|group_interval|group_wait): (\d+)([ms])\b")
_RUN = re.compile(r"^(mccluster_last_run_timestamp_seconds\S*) .*$", re.MULTILINE)


class Message(NamedTuple):
    """One notification that a person gets.

    :param firing: what is wrong, in the alerts' own words. :param resolved: what is well again.
    """

    cluster: str
    firing: tuple[str, ...]
    resolved: tuple[str, ...]


def metrics_of(snapshot: Path, cluster: str, folder: Path) -> str:
    """What ``check_mccluster metrics`` writes on a recorded node of a cluster of that name."""
    file, config = folder / f"{cluster}.prom", folder / f"{cluster}.toml"
    config.write_text(f'[cluster]\nname = "{cluster}"\n')
    with pytest.raises(SystemExit) as end:
        main(["metrics", "--from", f"{snapshot}", "--config", f"{config}", "--output", f"{file}"])
    assert not end.value.code
    return file.read_text()


class Fleet:
    """Clusters by name, each with the metrics of its nodes; a node that is off has none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons = Daemons(folder)
        self.prometheus, self.alertmanager = free_port(), free_port()
        self.messages: list[Message] = []
        self._shown: dict[str, str] = {}
        self._nodes: list[tuple[str, str]] = []
        self._web = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    def show(self, cluster: str, node: str, metrics: Optional[str]) -> None:
        """From now on these are a node's metrics; ``None``: the node is off."""
        if (cluster, node) not in self._nodes:
            self._nodes.append((cluster, node))
        place = f"/{cluster}/{node}"
        if metrics is None:
            self._shown.pop(place, None)
        else:
            self._shown[place] = metrics

    def address(self, cluster: str, node: str) -> str:
        """Where a node's metrics are served."""
        return f"http://127.0.0.1:{self._web.server_port}/{cluster}/{node}"

    def start(self) -> None:
        """Start both daemons; the clusters have to be shown before."""
        threading.Thread(target=self._web.serve_forever, daemon=True).start()
        self._start_alertmanager()
        self._start_prometheus()

    def stop(self) -> None:
        self.daemons.stop()
        self._web.shutdown()
        self._web.server_close()

    def query(self, expression: str) -> list[tuple[dict[str, str], str]]:
        """The series of an instant query."""
        return ask(self.prometheus, expression)

    def _start_alertmanager(self) -> None:
        shipped = (RULES / "alertmanager.yml").read_text()
        text, count = re.subn(r"(?m)^  - name: cluster$", self._receiver(), shipped)
        assert count == 1
        config = self.folder / "alertmanager.yml"
        config.write_text(_fast(text))
        self.daemons.start(
            "alertmanager",
            "prometheus",
            *("/usr/bin/prometheus-alertmanager", f"--config.file={config}"),
            f"--storage.path={self.folder}/alerts",
            f"--web.listen-address=127.0.0.1:{self.alertmanager}",
            "--cluster.listen-address=",
        )
        wait_until("alertmanager", lambda: listens(self.alertmanager))

    def _receiver(self) -> str:
        hook = f"{{url: 'http://127.0.0.1:{self._web.server_port}/', send_resolved: true}}"
        return f"  - name: cluster\n    webhook_configs: [{hook}]"

    def _start_prometheus(self) -> None:
        rules = self.folder / "mccluster.rules.yml"
        rules.write_text(_fast((RULES / rules.name).read_text()))
        jobs = [
            f"  - job_name: {cluster}-{node}\n    metrics_path: /{cluster}/{node}\n"
            f"    static_configs: [{{targets: ['127.0.0.1:{self._web.server_port}'],"
            f" labels: {{instance: '{node}.{cluster}:9100'}}}}]\n"
            for cluster, node in self._nodes
        ]
        config = self.folder / "prometheus.yml"
        config.write_text(
            f"global: {{scrape_interval: {MINUTE}s, evaluation_interval: {MINUTE}s,"
            f" scrape_timeout: {MINUTE}s}}\n"
            f"rule_files: [{rules.name}]\n"
            "alerting: {alertmanagers: [{static_configs: [{targets:"
            f" ['127.0.0.1:{self.alertmanager}']}}]}}]}}\n"
            "scrape_configs:\n" + "".join(jobs)
        )
        self.daemons.start(
            "prometheus",
            "prometheus",
            *("/usr/bin/prometheus", f"--config.file={config}"),
            f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.prometheus}",
            f"--rules.alert.resend-delay={MINUTE}s",
        )
        wait_until("prometheus", lambda: is_ready(self.prometheus))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fleet = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                metrics = fleet._shown.get(self.path)
                self.send_response(404 if metrics is None else 200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                if metrics is not None:
                    now = _RUN.sub(rf"\1 {time.time():.0f}", metrics)
                    self.wfile.write(now.encode())

            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                fleet.messages.append(_message(told))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _message(told: dict) -> Message:
    def those(status: str) -> tuple[str, ...]:
        alerts = [each for each in told["alerts"] if each["status"] == status]
        return tuple(
            f"{each['labels']['alertname']}: {each['annotations']['summary']}" for each in alerts
        )

    return Message(told["groupLabels"].get("cluster", ""), those("firing"), those("resolved"))


def _fast(text: str) -> str:
    """Minutes as what stands for them here."""

    def short(found: re.Match[str]) -> str:
        seconds = int(found[2]) * (60 if found[3] == "m" else 1)
        return f"{found[1]}: {seconds * MINUTE * 1000 // 60}ms"

    text, count = _TIMES.subn(short, text)
    assert count
    return text


@contextlib.contextmanager
def running_fleet() -> Iterator[Fleet]:
    """A fleet where nothing runs yet; what was started ends with it."""
    with scratch("mccluster-prometheus-") as folder:
        fleet = Fleet(folder)
        try:
            yield fleet
        finally:
            fleet.stop()
