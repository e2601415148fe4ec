"""``docs/messages.md`` says what the tests of the daemons count."""

from __future__ import annotations

import re

import pytest

import test_prometheus_messages as prometheus
import test_zabbix_messages as zabbix
from daemons import ROOT

PAGE = (ROOT / "docs" / "messages.md").read_text()
NAMES = {
    "quorum of DRBD lost": "quorum of DRBD lost: two storage servers off",
    "split, the failover failed": "a split, the failover failed",
    "healthy": "healthy for ten minutes",
}
"""Scenarios that the page calls otherwise."""


def column(system):
    """What the page says of each scenario for one system."""
    table = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
    (place,) = (n for n, head in enumerate(table[0]) if head.startswith(system))
    return {row[0]: row[place] for row in table[1:]}


def messages(cell):
    """Who tells what, in each way: in and back are the same."""
    assert cell.count("→ ←") == cell.count("→") == cell.count("←")
    return [each.strip(" ;") for each in cell.split("→ ←") if each.strip(" ;")]


@pytest.mark.parametrize("name", zabbix.STORIES)
def test_the_page_has_zabbix_events(name):
    cell = column("Zabbix")[NAMES.get(name, name)]
    if not zabbix.EXPECTED[name]:
        assert cell == "none"
        return
    told = []
    for each in messages(cell):
        hosts, text = re.fullmatch(r"(.*?): \*(.*)\*", each).groups()
        told += [(host, text) for host in hosts.split(", ")]
    counted = [each.split(": ", 1) for each in zabbix.EXPECTED[name]]
    assert len(told) == len(counted)
    for host, text in told:
        start = "Cluster: no data" if text == "no data" else text.split(" ...")[0]
        assert any(host == who and what.startswith(start) for who, what in counted), (host, text)


@pytest.mark.parametrize("name", prometheus.STORIES)
def test_the_page_has_prometheus_messages(name):
    text = prometheus.EXPECTED[name]
    cell = column("Prometheus")[NAMES.get(name, name)]
    assert cell == ("none" if text is None else f"→ ← *{text.split(': {}: ')[1]}*")
