"""How many messages a person gets from Nagios for one fault, on the way in and back.

The shipped hosts and services, Nagios' own scheduler, minutes as seconds. ``docs/messages.md`` has
the table.
"""

from __future__ import annotations

import pytest

from daemons import need, scratch
from nagios_site import QUESTIONS, Stories
from stories import STORIES, Stage, play

pytestmark = [pytest.mark.daemon, pytest.mark.root, pytest.mark.slow, pytest.mark.captures]


@pytest.fixture(scope="module")
def told(captures):
    """The messages of every story, of one run."""
    need("nagios4")
    with scratch("nagios") as folder:
        stage = Stage(folder, captures)
        stage.prepare(*QUESTIONS)
        (folder / "nagios").mkdir()
        site = Stories(folder / "nagios", stage)
        with site.running():
            yield play(site, stage)


@pytest.mark.parametrize("name", STORIES)
def test_messages_for_one_fault(told, name):
    told[name].check(name, "mccluster", "mccluster cluster", semicolon=":")


WHOLE = "mailcluster!mccluster cluster PROBLEM"


def test_a_second_fault_of_a_service_that_is_no_graver_waits_for_the_reminder(told):
    told["a second fault, no graver"].check_second(["app02!mccluster PROBLEM MYSQL", WHOLE], [])


def test_a_graver_fault_is_told_at_once(told):
    told["a second fault, graver"].check_second(
        ["app01!mccluster PROBLEM r0", "storage03 PROBLEM DOWN", WHOLE],
        ["app01!mccluster PROBLEM r0/0", "storage02 PROBLEM DOWN", WHOLE],
    )
