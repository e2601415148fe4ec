"""``docs/messages.md`` says what the tests of the daemons count."""

from __future__ import annotations

import textwrap

import pytest

import test_prometheus_messages as prometheus
import test_zabbix_messages as zabbix
from daemons import ROOT
from stories import (
    MISSING,
    SAID,
    SAID_BY_CLUSTER,
    SAID_BY_OVERVIEW,
    STORIES,
    without_hosts,
)

PAGE = (ROOT / "docs" / "messages.md").read_text()
NAMES = {
    "quorum of DRBD lost": "quorum of DRBD lost: two storage servers off",
    "split, the failover failed": "a split, the failover failed",
    "a second fault in maintenance": "maintenance, and two storage servers off",
    "healthy": "healthy for ten minutes",
}
"""Stories that the page calls otherwise."""


def cell(*told: tuple[str, str]) -> str:
    """Who tells what, on the way in and back."""
    return "; ".join(f"→ ← {who}*{_short(text)}*" for who, text in told) or "none"


def _short(text: str) -> str:
    return textwrap.shorten(text.removeprefix("CRITICAL: "), 84, placeholder=" ...")


def row(name: str) -> tuple[str, ...]:
    """What each system tells of a story."""
    icinga = [
        ("mailcluster: " if who == MISSING[0] else f"{who}: ", text)
        for who, _, text in without_hosts(name)
    ]
    nagios = [(f"{who}: ", SAID_BY_OVERVIEW.get(text, text)) for who, _, text in SAID[name]]
    zabbix_of_nodes = []
    for each in zabbix.EXPECTED[name]:
        who, text = each.split(": ", 1)
        zabbix_of_nodes.append((f"{who}: ", "no data" if text == zabbix.NO_DATA else text))
    alerts = [
        ("", each.split(": ", 1)[1].removeprefix("{}: ").replace("{}", "mail"))
        for each in prometheus.EXPECTED[name]
    ]
    whole = [("", SAID_BY_CLUSTER[name])] if name in SAID_BY_CLUSTER else []
    return (
        NAMES.get(name, name),
        *(cell(*told) for told in (icinga, nagios, zabbix_of_nodes)),
        cell(*alerts),
        cell(*whole),
    )


@pytest.mark.parametrize("name", STORIES)
def test_the_page_has_every_message(name):
    assert f"| {' | '.join(row(name))} |\n" in PAGE


def test_the_page_has_no_other_story():
    table = PAGE.partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + len(STORIES)
