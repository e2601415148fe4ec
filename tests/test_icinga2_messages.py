"""How many messages a person gets from Icinga 2 for one fault, on the way in and back.

The shipped services, Icinga's own scheduler, minutes as seconds. ``docs/messages.md`` has the
table.
"""

from __future__ import annotations

import pytest

from daemons import need, scratch
from icinga2_site import QUESTIONS, Site
from stories import STORIES, Stage, play

pytestmark = [pytest.mark.daemon, pytest.mark.root, pytest.mark.slow, pytest.mark.captures]


@pytest.fixture(scope="module")
def told(captures):
    """The messages of every story, of one run."""
    need("icinga2")
    with scratch("icinga2") as folder:
        stage = Stage(folder, captures)
        stage.prepare(*QUESTIONS)
        site = Site(folder, stage)
        with site.running():
            yield play(site, stage)


@pytest.mark.parametrize("name", STORIES)
def test_messages_for_one_fault(told, name):
    told[name].check(name, "mccluster-{}", "mccluster-cluster", down=False)
