"""How many messages a person gets from Zabbix for one fault, on the way in and back.

An agent for each node of several clusters replays what was recorded; the server's own triggers
decide. A message is an event that begins a problem. ``docs/messages.md`` has the table.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

import pytest

from stories import HEALTHY, SAID_BY_CLUSTER, STORIES, Stage, Story
from zabbix_site import (
    NEEDED,
    NODES,
    WHOLE,
    Site,
    need_packages,
    report_logs,
    scratch,
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
        "app01: r0/0: quorum lost on app01, I/O fails, 1 of 3 copies UpToDate and reachable,"
        " not storage02,"
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
        " storage02, storage03: last known as Outdated, hence group1 runs nowhere"
    ],
    "a second fault in maintenance": [
        "app01: r0/0: quorum lost on app01, I/O fails, 1 of 3 copies UpToDate and reachable,"
        " not storage02,"
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
BY_CLUSTER["split, the failover failed"] = [
    "r0/0: quorum lost on app01, 0 of 3 copies UpToDate and reachable"
]
"""How the messages begin where a host for the cluster tells them; the nodes are silent then."""


LANES = 7
"""So many clusters are watched at once; each plays a story of each round."""


class Lanes:
    """Clusters of six nodes and the host that stands for them, each host with its own agent."""

    def __init__(self, site: Site, stage: Stage) -> None:
        self.site, self.stage = site, stage
        self.nodes = [f"{lane}-{node}" for lane in range(LANES) for node in NODES]
        self.wholes = [f"{lane}-{WHOLE}" for lane in range(LANES)]

    def start(self) -> None:
        """All are healthy, and the server has seen everything of them."""
        site = self.site
        for host in (*self.nodes, *self.wholes):
            self.start_agent(host)
        site.server.start()
        site.import_template()
        for host in self.nodes:
            site.add_host(host, **{"{$MCCLUSTER.NODATA}": "30s"})
        for host in self.wholes:
            site.add_host(host)
        wait_until("all are discovered", self._are_discovered, 600, every=3)
        site.let_pass(1, *self.nodes, *self.wholes)
        wait_until("nothing is wrong", lambda: site.problems() == set())

    def start_agent(self, host: str) -> None:
        lane, _, node = host.partition("-")
        place = self.stage.place(int(lane))
        asked = f"--config {place}/cluster.toml" if node == WHOLE else f"--from {place}/{node}"
        self.site.agents.start(host, asked)

    def _are_discovered(self) -> bool:
        found = self.site.server.api(
            "item.get",
            search={"key_": "check_mccluster.peer.alarm.state["},
            output=["itemid"],
            selectHosts=["host"],
        )
        return {*self.nodes} <= {item["hosts"][0]["host"] for item in found}

    def play(self, names: Sequence[str]) -> dict[str, tuple[list[str], list[str]]]:
        """Who told what in each story, on the way in and back, in the order of time."""
        start = int(time.time())
        off = {f"{lane}-{node}" for lane, name in enumerate(names) for node in STORIES[name].off}
        for host in off:
            self.site.agents.stop(host)
        for lane, name in enumerate(names):
            self.stage.begin(lane, name)
        wait_until("those that are off are missed", lambda: self._missed() == off)
        self._settle(off)
        for lane, name in enumerate(names):
            if STORIES[name] == Story(HEALTHY):
                self.site.let_pass(10, *(f"{lane}-{node}" for node in NODES))
        there = self._messages(start)
        back = int(time.time()) + 1
        time.sleep(1)
        self.stage.rest()
        for host in off:
            self.start_agent(host)
        wait_until("all is well again", lambda: self.site.problems() == set())
        self._settle()
        after = self._messages(back)
        return {name: (there[lane], after[lane]) for lane, name in enumerate(names)}

    def _missed(self) -> set[str]:
        return {host for host, name, *_ in self.site.problems() if name == NO_DATA}

    def _settle(self, off: Collection[str] = ()) -> None:
        """Every host that is there has been looked at often enough."""
        hosts = (host for host in self.nodes if host not in off)
        self.site.let_pass(POLLS, *hosts, *self.wholes)

    def _messages(self, since: int) -> list[list[str]]:
        found: list[list[str]] = [[] for _ in range(LANES)]
        for host, name in self.site.events(since):
            lane, _, who = host.partition("-")
            found[int(lane)].append(f"{who}: {name}")
        return found


@pytest.fixture(scope="module")
def told(captures):
    """The messages of every story: there, and back. The plugin's answers are made beforehand."""
    need_packages(NEEDED)
    with scratch() as folder:
        (folder / "stage").mkdir()
        stage = Stage(folder / "stage", captures)
        stage.prepare(("zabbix", "data"), ("zabbix", "cluster"))
        stage.folder.chmod(0o777)  # the agents note there what nobody prepared
        site = Site(folder, stage.program)
        lanes, names, found = Lanes(site, stage), [*STORIES], {}
        try:
            lanes.start()
            while names:
                found |= lanes.play(names[:LANES])
                del names[:LANES]
            assert stage.unknown == []
            yield found
        finally:
            site.daemons.stop()
            report_logs(folder)


@pytest.mark.parametrize("name", STORIES)
def test_messages_for_one_fault(told, name):
    there, back = told[name]

    by_cluster = [each.partition(": ")[2] for each in there if each.startswith(f"{WHOLE}: ")]
    assert sorted(each for each in there if not each.startswith(f"{WHOLE}: ")) == EXPECTED[name]
    assert len(by_cluster) == len(BY_CLUSTER[name]), by_cluster
    for begin in BY_CLUSTER[name]:
        assert any(each.startswith(begin) for each in by_cluster), by_cluster
    assert back == []
