"""How many messages a person gets from Prometheus and Alertmanager for one fault, in and back.

Each scenario is a cluster of its own with six nodes; all of them are watched by one Prometheus.
``docs/messages.md`` has the table.
"""

from __future__ import annotations

import time

import pytest

from prometheus_fleet import MINUTE, Message, metrics_of, running_fleet
from prometheus_site import PACKAGES
from stories import HEALTHY, NODES, STORIES, Story
from zabbix_site import need_packages, wait_until

pytestmark = [
    pytest.mark.daemon,
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.captures,
]

LONG_ENOUGH = 12
"""Minutes: longer than every "for", or "keep_firing_for", with what a group waits."""

EXPECTED: dict[str, tuple[str, ...]] = {
    "a storage server off": ("MCClusterWarning: {}: r0:storage03: peer-connecting",),
    "the active node dead": ("MCClusterCritical: {}: app01: node-offline",),
    "quorum of DRBD lost": ("MCClusterCritical: {}: r0/0: drbd-quorum-lost",),
    "a disk lost": ("MCClusterCritical: {}: r0/0: disk-lost (storage03)",),
    "one link cut": ("MCClusterCritical: {}: r0:app02: peer-connecting",),
    "a resource failed": ("MCClusterCritical: {}: FS_DRBD: node-barred (app01)",),
    "Pacemaker stopped on one node": (
        "MCClusterDown: {}: app01: pacemaker-down: Pacemaker, Corosync or DRBD does not run or"
        " answer",
    ),
    "standby": ("MCClusterCritical: {}: app01: node-standby",),
    "maintenance": ("MCClusterWarning: {}: cluster: cluster-maintenance",),
    "split, the failover failed": ("MCClusterCritical: {}: r0/0: drbd-quorum-lost",),
    "a second fault in maintenance": (
        "MCClusterCritical: {}: r0/0: drbd-quorum-lost",
        "MCClusterWarning: {}: cluster: cluster-maintenance",
    ),
    "a node not reached by the monitoring": (
        "MCClusterGone: storage03.{}:9100: the metrics of check_mccluster are gone",
    ),
    "healthy": (),
}
"""One message for each fault, and for its end."""


WELL = Story(HEALTHY)


def _name(scenario: str) -> str:
    return scenario.replace(" ", "-").replace(",", "").replace(":", "")


@pytest.fixture(scope="module")
def told(captures, tmp_path_factory):
    """For each scenario the messages on the way in and those on the way back."""
    need_packages(PACKAGES)
    folder = tmp_path_factory.mktemp("names")
    metrics = {
        (name, node, story): metrics_of(place / node, _name(name), folder)
        for name, told in STORIES.items()
        for story in {WELL, told}
        for place in [story.placed(captures, folder)]
        for node in NODES
        if (place / node).is_dir()
    }
    with running_fleet() as fleet:
        for name in STORIES:
            for node in NODES:
                fleet.show(_name(name), node, metrics[name, node, WELL])
        fleet.start()
        wait_until("all are seen", lambda: _seen(fleet) == len(STORIES) * len(NODES))
        time.sleep(10 * MINUTE)
        assert fleet.messages == []
        there = _told_by(fleet, metrics, broken=True)
        back = _told_by(fleet, metrics, broken=False)
        yield {name: (there[name], back[name]) for name in STORIES}


def _seen(fleet):
    return len(fleet.query("mccluster_last_run_success"))


def _told_by(fleet, metrics, *, broken):
    """Turn every cluster, one node after the other, and wait for what comes of it."""
    first = len(fleet.messages)
    for node in NODES:
        for name, story in STORIES.items():
            shown = metrics.get((name, node, story), metrics[name, node, WELL])
            if not broken:
                shown = metrics[name, node, WELL]
            fleet.show(_name(name), node, None if broken and node in story.off else shown)
        time.sleep(MINUTE / len(NODES))
    time.sleep(LONG_ENOUGH * MINUTE)
    return {
        name: [each for each in fleet.messages[first:] if each.cluster == _name(name)]
        for name in STORIES
    }


@pytest.mark.parametrize("name", STORIES)
def test_one_message_for_one_fault_and_one_for_its_end(told, name):
    said = sorted(each.format(_name(name)) for each in EXPECTED[name])
    there, back = told[name]

    assert sorted(there) == [Message(_name(name), firing=(each,), resolved=()) for each in said]
    assert sorted(back) == [Message(_name(name), firing=(), resolved=(each,)) for each in said]
