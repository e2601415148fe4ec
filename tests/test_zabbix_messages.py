"""How many messages a person gets from Zabbix for one fault, on the way in and back.

Six agents replay recorded clusters; the server's own triggers decide. A message is an event that
begins a problem. ``docs/messages.md`` has the table.
"""

from __future__ import annotations

import time

import pytest

from stories import HEALTHY, SAID_BY_CLUSTER, STORIES, VIA, Story
from zabbix_site import (
    NEEDED,
    NODES,
    WHOLE,
    need_packages,
    report_logs,
    running_site,
    wait_until,
)

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
    "a second fault in maintenance": [
        "app01: r0/0: quorum lost on app01, 1 of 3 copies UpToDate and reachable, not storage02,"
        " storage03",
        "app02: maintenance-mode: the cluster manages nothing",
        f"storage02: {NO_DATA}",
        f"storage03: {NO_DATA}",
    ],
    "a node not reached by the monitoring": [f"storage03: {NO_DATA}"],
    "healthy": [],
}
"""One message for a fault; a node that is off has its own host's "no data" besides."""

BY_CLUSTER: dict[str, list[str]] = {
    name: [each.removesuffix(" (+1 more)").partition("...")[0]]
    for name, each in SAID_BY_CLUSTER.items()
} | {"healthy": []}
BY_CLUSTER["a second fault in maintenance"].append("maintenance-mode: the cluster manages nothing")
"""How the messages begin where a host for the cluster tells them; the nodes are silent then."""


@pytest.fixture(scope="module")
def site(captures):
    need_packages(NEEDED)
    with running_site() as site:
        site.import_template()
        for node in NODES:
            site.replay(node, HEALTHY, captures)
            site.add_host(node, **{"{$MCCLUSTER.NODATA}": "30s"})
        wait_until("all are discovered", lambda: _is_discovered(site))
        _ask_all(site)
        wait_until(
            "the cluster is seen", lambda: site.values(WHOLE, "check_mccluster.state") == ["0"]
        )
        yield site
        report_logs(site.folder)


def _ask_all(site) -> None:
    """The host for the cluster, beside the nodes: its agent asks for what each of them replays."""
    via = site.folder / "via"
    via.write_text(VIA)
    via.chmod(0o755)
    for node in NODES:
        (site.folder / "asked" / node).parent.mkdir(exist_ok=True)
        (site.folder / "asked" / node).symlink_to(site.snapshot(node))
    config = site.folder / "cluster.toml"
    hosts = "\n".join(f'{node} = "{site.folder}/asked/{node}"' for node in NODES)
    config.write_text(
        f'[cluster]\nvia = ["{via}", "{{target}}"]\n[cluster.hosts]\n{hosts}\n'
        # The nodes were recorded minutes apart.
        '[severity]\nclocks-differ = "ok"\n'
    )
    site.agents.start(WHOLE, f"--config {config}")
    site.add_host(WHOLE)


def _is_discovered(site) -> bool:
    return all(
        any(key.startswith("check_mccluster.peer.alarm.state[") for key in site.items(node))
        for node in NODES
    )


def _messages(site, since: int) -> list[str]:
    """Who told what since then, in the order of time."""
    return [f"{host}: {name}" for host, name in site.events(since)]


def _missed(site) -> set[str]:
    return {host for host, name, *_ in site.problems() if name == NO_DATA}


def _settled(site, off) -> None:
    """Every node that is there has been looked at often enough; those that are off are missed."""
    if off:
        wait_until("those that are off are missed", lambda: _missed(site) == {*off})
    site.let_pass(POLLS, WHOLE, *(node for node in NODES if node not in off))


def _there_and_back(site, captures, story: Story) -> tuple[list[str], list[str]]:
    start, off = int(time.time()), story.off
    place = story.placed(captures, site.folder)
    for node in NODES:
        if node in off:
            site.agents.stop(node)
            (site.folder / "asked" / node).unlink()
        elif (place / node).is_dir():
            site.replay(node, place.name, place.parent)
    _settled(site, off)
    if story == Story(HEALTHY):
        site.let_pass(10, *NODES)  # ten minutes of the template's own times
    there = _messages(site, start)
    back = int(time.time()) + 1
    time.sleep(1)
    for node in NODES:
        site.replay(node, HEALTHY, captures)
        if node in off:
            (site.folder / "asked" / node).symlink_to(site.snapshot(node))
            site.start_agent(node)
    wait_until("all is well again", lambda: site.problems() == set())
    _settled(site, ())
    return there, _messages(site, back)


@pytest.mark.parametrize("name", STORIES)
def test_messages_for_one_fault(site, captures, name):
    there, back = _there_and_back(site, captures, STORIES[name])

    by_cluster = [each.partition(": ")[2] for each in there if each.startswith(f"{WHOLE}: ")]
    assert sorted(each for each in there if not each.startswith(f"{WHOLE}: ")) == EXPECTED[name]
    assert len(by_cluster) == len(BY_CLUSTER[name]), by_cluster
    for begin in BY_CLUSTER[name]:
        assert any(each.startswith(begin) for each in by_cluster), by_cluster
    assert back == []
