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


WHOLE = "mailcluster!mccluster-cluster PROBLEM"


def test_a_second_fault_of_another_check_is_a_message_of_its_own(told):
    told["a second fault, no graver"].check_second(
        ["app02!mccluster-failures PROBLEM MYSQL", f"{WHOLE} MYSQL"],
        ["app02!mccluster-resources PROBLEM DOVECOT"],
    )


def test_a_graver_fault_is_told_whoever_told_the_first(told):
    told["a second fault, graver"].check_second(
        ["app01!mccluster-drbd-mesh PROBLEM r0", f"{WHOLE} storage03"],
        [
            "app01!mccluster-drbd-mesh RECOVERY follows",
            "app01!mccluster-drbd-quorum PROBLEM r0/0",
            f"{WHOLE} r0/0",
        ],
    )
