"""How many messages a person gets from Icinga 2 for one fault, on the way in and back.

The shipped services, Icinga's own scheduler, minutes as seconds. ``docs/messages.md`` has the table.
"""

from __future__ import annotations

import pytest

from check_mccluster.checks import registry
from daemons import need, scratch
from icinga2_site import OF_NODE, Site
from stories import STORIES, Stage, in_words, log

pytestmark = [pytest.mark.daemon, pytest.mark.root, pytest.mark.slow, pytest.mark.captures]


@pytest.fixture(scope="module")
def told(captures):
    """Messages by story: on the way in, and on the way back."""
    need("icinga2")
    with scratch("icinga2") as folder:
        stage = Stage(folder, captures)
        stage.prepare(
            *((name, *OF_NODE) for name in registry.names()[:-1]),
            ("cluster", *OF_NODE),
        )
        site = Site(folder, stage)
        with site.running():
            yield messages(site, stage)


def messages(site, stage):
    assert log(site.folder) == []
    stage.act()
    site.settle(2)
    there = in_words(log(site.folder), stage.names)
    stage.rest()
    site.settle(2)
    return there, in_words(log(site.folder), stage.names)


@pytest.mark.parametrize("name", STORIES)
def test_messages_for_one_fault(told, name):
    there, back = told
    print(name, there[name], back[name], sep="\n")
    assert 0
