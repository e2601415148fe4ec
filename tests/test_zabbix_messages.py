"""How many messages a person gets from Zabbix for one fault, on the way in and back.

Six agents replay recorded clusters; the server's own triggers decide. A message is an event that
begins a problem. ``docs/messages.md`` has the table.
"""

from __future__ import annotations

import time

import pytest

from stories import HEALTHY, STORIES
from zabbix_site import NEEDED, NODES, need_packages, report_logs, running_site, wait_until

pytestmark = [
    pytest.mark.daemon,
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.captures,
]

POLLS = 3
"""So many looks at every node are longer than any time that a fault has to last in the test."""


NO_DATA = "Cluster: no data from check_mccluster for 30s"
EXPECTED = {
    "a storage server off": [
        "app01: r0: replica storage03 is Connecting, 4 of 5 connected",
        f"storage03: {NO_DATA}",
    ],
    "the active node dead": [
        f"app01: {NO_DATA}",
        "app02: app01 is offline, no link to it is up, nor is DRBD connected",
    ],
    "quorum of DRBD lost": [
        "app01: r0/0: quorum lost on app01, 1 of 3 copies UpToDate and reachable, not storage02,"
        " storage03",
        f"storage02: {NO_DATA}",
        f"storage03: {NO_DATA}",
    ],
    "a disk lost": ["storage03: r0/0: disk lost on storage03 (Diskless, not a client)"],
    "one link cut": [
        "storage02: r0: client app02 is Connecting, 4 of 5 connected, hence r0/0: disk of storage02"
        " is Outdated and nothing resyncs it"
    ],
    "a resource failed": [
        "app02: FS_DRBD is barred from app01: fail-count 1 of 1 (monitor: not running, 11 s ago),"
        " hence no node could take group1: app01 FS_DRBD barred by fail-count 1; app03 banned by"
        " location-group1-app03--INFINITY"
    ],
    "Pacemaker stopped on one node": ["app01: Pacemaker does not run on this node"],
    "standby": [
        "app02: app01 is in standby, hence no node could take group1: app01 in standby; app03"
        " banned by group1-avoids-app03"
    ],
    "maintenance": ["app01: maintenance-mode: the cluster manages nothing"],
    "split, the failover failed": [
        "app01: r0/0: quorum lost on app01, 0 of 3 copies UpToDate and reachable, not storage01,"
        " storage02, storage03"
    ],
    "healthy": [],
}
"""One message for a fault; a node that is off has its own host's "no data" besides."""


@pytest.fixture(scope="module")
def site(captures):
    need_packages(NEEDED)
    with running_site() as site:
        site.import_template()
        for node in NODES:
            site.replay(node, HEALTHY, captures)
            site.add_host(node, **{"{$MCCLUSTER.NODATA}": "30s"})
        wait_until("all are discovered", lambda: _is_discovered(site))
        yield site
        report_logs(site.folder)


def _is_discovered(site) -> bool:
    return all(
        any(key.startswith("check_mccluster.peer.alarm.state[") for key in site.items(node))
        for node in NODES
    )


def _messages(site, since: int) -> list[str]:
    """Who told what since then, in the order of time."""
    return [f"{host}: {name}" for host, name in site.events(since)]


def _settled(site, off) -> None:
    """Every node that is there has been looked at often enough; those that are off are missed."""
    if off:
        time.sleep(65)  # Zabbix looks at nodata() twice a minute
    site.let_pass(POLLS, *(node for node in NODES if node not in off))


def _there_and_back(site, captures, scenario: str, off) -> tuple[list[str], list[str]]:
    start = int(time.time())
    for node in NODES:
        if node in off:
            site.agents.stop(node)
        elif (captures / scenario / node).is_dir():
            site.replay(node, scenario, captures)
    _settled(site, off)
    if scenario == HEALTHY:
        site.let_pass(10, *NODES)  # ten minutes of the template's own times
    there = _messages(site, start)
    back = int(time.time()) + 1
    time.sleep(1)
    for node in NODES:
        site.replay(node, HEALTHY, captures)
        if node in off:
            site.start_agent(node)
    wait_until("all is well again", lambda: site.problems() == set())
    _settled(site, ())
    return there, _messages(site, back)


@pytest.mark.parametrize("name", STORIES)
def test_messages_for_one_fault(site, captures, name):
    there, back = _there_and_back(site, captures, *STORIES[name])

    assert sorted(there) == EXPECTED[name]
    assert back == []
