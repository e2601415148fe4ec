"""Grafana's pages: every query is asked of a real Prometheus over recorded clusters."""

from __future__ import annotations

import json

import pytest

from build import NOW, view_of
from build_drbd import many
from check_mccluster.checks.overview import CHECK as OVERVIEW
from check_mccluster.judge import engine
from check_mccluster.judge.picture import of_one
from check_mccluster.present.metrics import as_text, metrics
from check_mccluster.verdict.view import Asked, Judgement
from daemons import ROOT
from prometheus_fleet import metrics_of, running_fleet
from prometheus_site import PACKAGES, SNAPSHOTS
from zabbix_site import NODES, need_packages, wait_until

PAGES = ROOT / "contrib" / "grafana"
CLUSTERS = (
    "six-nodes-healthy",
    "storage-servers-lost",
    "first-full-sync",
    "cluster-maintenance",
    "app01-barred",
)
LARGE = "large"
"""Constructed: one node of 400 DRBD resources, two of them broken: above the metrics' bound."""

ONLY_WHERE_THERE_IS_ONE = {
    "Faults": "storage-servers-lost",
    "Fail-counts": "app01-barred",
    "Time that a resync still takes": "first-full-sync",
}
"""Panels that a healthy cluster leaves empty, and who fills them."""

OF_PACEMAKER = {
    "Quorum",
    "Votes to spare",
    "Nodes that could take over",
    "Maintenance",
    "Pacemaker's nodes",
    "Where resources run",
    "Fail-counts",
}
UP_TO_THE_BOUND = {"Time that a resync still takes", "Written to disks"}
"""Panels that are empty above the bound, and say so or have nothing to show."""


def page(name):
    return json.loads((PAGES / f"{name}.json").read_text())


def queries(name):
    """Title and query of each panel."""
    return [
        (panel["title"], target["expr"])
        for panel in page(name)["panels"]
        for target in panel["targets"]
    ]


def test_each_page_is_reached_by_a_name_of_its_own_and_panels_do_not_overlap():
    for name in ("cluster", "fleet"):
        made = page(name)
        assert made["uid"] == f"mccluster-{name}"
        taken = set()
        for panel in made["panels"]:
            where = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(where["x"], where["x"] + where["w"])
                for y in range(where["y"], where["y"] + where["h"])
            }
            assert not cells & taken, panel["title"]
            assert max(x for x, _ in cells) < 24
            assert panel["description"]
            taken |= cells


def kept(before, after, where=""):
    """Where *after* lacks something of *before*, or has it otherwise; it may have more."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name, value in before.items():
            yield from kept(value, after.get(name), f"{where}/{name}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after)):
            yield from kept(one, other, f"{where}/{place}")
    elif before != after:
        yield where


@pytest.mark.parametrize("name", ["cluster", "fleet"])
def test_grafanas_own_types_know_every_word_of_a_page(name):
    plugins = pytest.importorskip("grafana_foundation_sdk.cog.plugins")
    encoder = pytest.importorskip("grafana_foundation_sdk.cog.encoder")
    dashboard = pytest.importorskip("grafana_foundation_sdk.models.dashboard")
    plugins.register_default_plugins()

    read = dashboard.Dashboard.from_json(page(name))

    assert list(kept(page(name), json.loads(encoder.JSONEncoder().encode(read)))) == []
    assert len(read.panels) == len(page(name)["panels"]) > 6


def test_a_row_of_all_clusters_leads_to_the_page_of_its_cluster():
    text = (PAGES / "fleet.json").read_text()
    assert f"/d/{page('cluster')['uid']}?var-cluster=" in text
    assert [each["name"] for each in page("cluster")["templating"]["list"]] == [
        "datasource",
        "cluster",
    ]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    need_packages(PACKAGES)
    folder = tmp_path_factory.mktemp("names")
    large = view_of("storage01", NOW, drbd=many(400, 3, broken=2))
    judged = Judgement(large, engine.report(OVERVIEW, large, Asked()))
    with running_fleet() as fleet:
        for cluster in CLUSTERS:
            for node in NODES:
                snapshot = SNAPSHOTS / cluster / node
                if snapshot.is_dir():
                    fleet.show(cluster, node, metrics_of(snapshot, cluster, folder))
        fleet.show(LARGE, "storage01", as_text(metrics(of_one(judged), 0.1), LARGE))
        fleet.start()
        seen = "count by (cluster) (count_over_time(mccluster_last_run_success[1m]) >= 3)"
        wait_until("all are seen", lambda: len(fleet.query(seen)) == len(CLUSTERS) + 1)
        yield fleet


def series(fleet, expression, cluster):
    asked = expression.replace("$cluster", cluster).replace("$__rate_interval", "1m")
    return fleet.query(asked)


@pytest.mark.daemon
@pytest.mark.root
@pytest.mark.slow
def test_every_query_about_a_cluster_gives_series(fleet):
    for title, expression in queries("cluster"):
        cluster = ONLY_WHERE_THERE_IS_ONE.get(title, "six-nodes-healthy")
        assert series(fleet, expression, cluster), title
        if cluster != "six-nodes-healthy":
            assert not series(fleet, expression, "six-nodes-healthy"), title


@pytest.mark.daemon
@pytest.mark.root
@pytest.mark.slow
def test_queries_follow_the_bound_of_the_metrics(fleet):
    empty = {title for title, one in queries("cluster") if not series(fleet, one, LARGE)}
    assert empty == OF_PACEMAKER | UP_TO_THE_BOUND

    (disks,) = (one for title, one in queries("cluster") if title == "Disks by state")
    states = {labels["state"]: value for labels, value in series(fleet, disks, LARGE)}
    assert states == {"UpToDate": "398", "Failed": "2"}


@pytest.mark.daemon
@pytest.mark.root
@pytest.mark.slow
def test_every_query_about_all_clusters_gives_series(fleet):
    for title, expression in queries("fleet"):
        assert series(fleet, expression, ""), title
    states = {labels["cluster"]: value for labels, value in verdicts(fleet)}
    assert states == {
        "six-nodes-healthy": "0",
        "cluster-maintenance": "1",
        **dict.fromkeys(("storage-servers-lost", "first-full-sync", LARGE), "2"),
        "app01-barred": "2",
    }


def verdicts(fleet):
    (one,) = (one for title, one in queries("fleet") if title == "Verdict of each cluster")
    return fleet.query(one)
