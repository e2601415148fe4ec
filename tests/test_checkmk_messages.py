"""How many services of Checkmk turn red for one fault, over all nodes of a cluster.

Checkmk itself is in no Debian; its server makes one message of each service that turns. What its
agent is told, by the shipped script's options, is counted.
"""

from __future__ import annotations

import re

import pytest

from daemons import ROOT
from stories import HEALTHY, NODES, SAID, STORIES, Story

pytestmark = pytest.mark.captures

SCRIPT = (ROOT / "contrib/checkmk/mccluster").read_text()
RAISED = re.compile(r'[123] "MCCluster (\S+)" (?:-|\S+) (.*?)(?:\\n.*)?')


def _red(call, place) -> list[tuple[str, str]]:
    """The services of a node that are not OK, with their first line."""
    lines = call("checkmk", "--speaker", "--from", place).lines
    assert len(lines) > 1
    return [found.groups() for line in lines if (found := RAISED.fullmatch(line))]


@pytest.mark.parametrize("name", STORIES)
def test_one_service_for_one_fault(call, captures, tmp_path, name):
    assert "check_mccluster checkmk --speaker" in SCRIPT
    story = STORIES[name]
    place = story.placed(captures, tmp_path)
    well = Story(HEALTHY).placed(captures, tmp_path)
    told = []
    for node in NODES:
        if node not in story.off:
            shown = place / node if (place / node).is_dir() else well / node
            told += [(node, *each) for each in _red(call, shown)]

    # That a node does not answer is Checkmk's own word for a host, as in Nagios.
    said = [(node, IN_TOOLS.get(text, check), text) for node, check, text in SAID[name] if check]
    assert [each[:2] for each in told] == [each[:2] for each in said]
    for (*_, words), (*_, text) in zip(told, said):
        assert words.startswith(text.removesuffix("...")[:60])


IN_TOOLS = {"Pacemaker does not run on this node": "tools"}
"""What is told by the service of the tools, which every node has."""
