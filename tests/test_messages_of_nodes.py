"""``docs/messages.md`` says what Icinga's and Nagios' messages are counted to be."""

from __future__ import annotations

import re

import pytest

from daemons import ROOT
from stories import SAID, SAID_BY_CLUSTER, STORIES

PAGE = (ROOT / "docs" / "messages.md").read_text()
NAMES = {
    "quorum of DRBD lost": "quorum of DRBD lost: two storage servers off",
    "split, the failover failed": "a split, the failover failed",
    "healthy": "healthy for ten minutes",
}
"""Stories that the page calls otherwise."""


def column(head: str) -> dict[str, str]:
    """What the page says of each story."""
    table = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
    place = table[0].index(head)
    return {row[0]: row[place] for row in table[1:]}


@pytest.mark.parametrize("name", STORIES)
def test_the_page_has_every_message(name):
    row = NAMES.get(name, name)
    nodes = column("Icinga 2 and Nagios: the nodes tell")[row]
    told = re.findall(r"→ ← (\S+): \*(.*?)\*(?:; |$)", nodes)
    assert told == [(node, text) for node, _, text in SAID[name]]
    assert told or nodes == "none"

    whole = SAID_BY_CLUSTER.get(name)
    cell = column("Icinga 2 and Nagios: a host for the cluster tells")[row]
    assert cell == (f"→ ← *{whole}*" if whole else "none")
