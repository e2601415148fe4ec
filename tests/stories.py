"""What happens to a cluster of six nodes, for all tests that count a monitoring system's messages.

A daemon asks one program on behalf of many clusters at once, a cluster for each story. What the
plugin answers about a recording is made beforehand, in one process: a thousand starts of Python
would take longer than the daemons' own schedules.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from check_mccluster.app.cli import main
from check_mccluster.checks import registry
from daemons import install_plugin, own

APPLICATION = ("app01", "app02", "app03")
STORAGE = ("storage01", "storage02", "storage03")
NODES = (*APPLICATION, *STORAGE)
SINGLE = tuple(check.name for check in registry.single_checks())


class Story(NamedTuple):
    """A recording, and the nodes that do not answer; who was not recorded is shown as healthy.

    :param but: what crm_mon says besides, a key of ``CHANGES``.
    """

    recording: str
    off: tuple[str, ...] = ()
    but: str = ""

    @property
    def name(self) -> str:
        """What its folder is called."""
        return "-".join((*self.recording.split("/"), *self.but.split()))

    def placed(self, captures: Path, folder: Path) -> Path:
        """The folder that has a folder for each node; what is made anew comes into *folder*."""
        if not self.but:
            return captures / self.recording
        place = folder / self.name
        if not place.exists():
            shutil.copytree(captures / self.recording, place)
            for file in place.glob("*/crm_mon.xml"):
                file.chmod(0o644)
                text = file.read_text()
                for word, instead in CHANGES[self.but]:
                    text, count = re.subn(word, instead, text)
                    assert count
                file.write_text(text)
        return place


CHANGES = {
    "in maintenance": (
        ('maintenance-mode="false"', 'maintenance-mode="true"'),
        ('managed="true"', 'managed="false"'),
    ),
    "DOVECOT unmanaged": (('(<resource id="DOVECOT".*) managed="true"', r'\1 managed="false"'),),
}
"""Patterns in what crm_mon prints, and what stands there where it is so."""

HEALTHY = "drbd/01-healthy-service-on-app01"
STORIES = {
    "a storage server off": Story("drbd/03-one-storage-node-off", ("storage03",)),
    "the active node dead": Story("drbd/05b-app01-off-running-on-app02", ("app01",)),
    "quorum of DRBD lost": Story("drbd/04a-quorum-lost-no-io-yet", ("storage02", "storage03")),
    "a disk lost": Story("drbd/07a-detach-storage03"),
    "one link cut": Story("drbd/06a-link-primary-to-one-storage-cut"),
    "a resource failed": Story("pacemaker/10-migration-threshold"),
    "Pacemaker stopped on one node": Story("drbd/12n-pacemaker-stopped-corosync-runs-app01"),
    "standby": Story("drbd/12c-standby-app01-group-on-app02"),
    "maintenance": Story("pacemaker/08-maintenance-mode"),
    "split, the failover failed": Story("drbd/04f-active-app-cut-failover-failed"),
    "a second fault in maintenance": Story(
        "drbd/04a-quorum-lost-no-io-yet", ("storage02", "storage03"), "in maintenance"
    ),
    "a node not reached by the monitoring": Story(HEALTHY, ("storage03",)),
    "healthy": Story(HEALTHY),
}
_FAILED = Story("drbd/12i-MYSQL-failed-and-recovered")
SECOND = {
    "a second fault, no graver": (_FAILED, _FAILED._replace(but="DOVECOT unmanaged")),
    "a second fault, graver": (
        Story("drbd/03-one-storage-node-off", ("storage03",)),
        Story("drbd/04a-quorum-lost-no-io-yet", ("storage02", "storage03")),
    ),
}
"""Two faults of one node, the second one later."""

SAID: dict[str, tuple[tuple[str, str, str], ...]] = {
    "a storage server off": (
        ("app01", "drbd-mesh", "r0: replica storage03 is Connecting, 4 of 5 connected"),
        ("storage03", "", "DOWN"),
    ),
    "the active node dead": (("app01", "", "DOWN"), ("app02", "nodes", "app01 is offline")),
    "quorum of DRBD lost": (
        (
            *("app01", "drbd-quorum"),
            "r0/0: quorum lost on app01, I/O fails, 1 of 3 copies UpToDate and reachable, not"
            " storage02, storage03",
        ),
        ("storage02", "", "DOWN"),
        ("storage03", "", "DOWN"),
    ),
    "a disk lost": (
        ("storage03", "drbd-disk", "r0/0: disk lost on storage03 (Diskless, not a client)"),
    ),
    "one link cut": (
        (
            *("storage02", "drbd-mesh"),
            "r0: client app02 is Connecting, 4 of 5 connected, hence r0/0: disk of storage02 is"
            " Outdated and nothing resyncs it",
        ),
    ),
    "a resource failed": (
        (
            *("app02", "failures"),
            "FS_DRBD is barred from app01: fail-count 1 of 1 (monitor: not running, 11 s ago),"
            " hence no node could take group1: ap...",
        ),
    ),
    "Pacemaker stopped on one node": (("app01", "nodes", "Pacemaker does not run on this node"),),
    "standby": (
        (
            *("app02", "nodes"),
            "app01 is in standby, hence no node could take group1: app01 in standby; app03 banned"
            " by group1-avoids-app03",
        ),
    ),
    "maintenance": (("app01", "nodes", "maintenance-mode: the cluster manages nothing"),),
    "split, the failover failed": (
        (
            *("app01", "drbd-quorum"),
            "r0/0: quorum lost on app01, 0 of 3 copies UpToDate and reachable, not storage01,"
            " storage02..., hence group1 runs nowhere",
        ),
    ),
    "a second fault in maintenance": (
        (
            *("app01", "drbd-quorum"),
            "r0/0: quorum lost on app01, I/O fails, 1 of 3 copies UpToDate and reachable, not"
            " storage02, storage03",
        ),
        ("app02", "nodes", "maintenance-mode: the cluster manages nothing"),
        ("storage02", "", "DOWN"),
        ("storage03", "", "DOWN"),
    ),
    "a node not reached by the monitoring": (("storage03", "", "DOWN"),),
    "healthy": (),
}
"""Every message on the way in, where each node tells: node, check (none: the host), words.

In Icinga no host says that it is down: what else is told says it, or :data:`MISSING` does.
"""

MISSING = ("members", "missing", "CRITICAL: no answer from {}, and no node tells of it")
"""Icinga's message of a node that does not answer, and that no other node misses."""

SAID_BY_OVERVIEW = {
    "app01 is offline": "app01 is offline, no link to it is up, nor is DRBD connected",
    "r0/0: quorum lost on app01, 0 of 3 copies UpToDate and reachable, not storage01,"
    " storage02..., hence group1 runs nowhere": (
        "r0/0: quorum lost on app01, 0 of 3 copies UpToDate and reachable, hence group1 runs"
        " nowhere"
    ),
}
"""What `overview` has in the place of a single check's words: it asks the other tools as well."""

SAID_BY_CLUSTER = {
    "a storage server off": "storage03 is connected to nobody that was asked (r0): the host or its"
    " network",
    "the active node dead": "app01 is offline, no link to it is up, nor is DRBD connected,"
    " nor does ssh reach it: off, or cut off",
    "quorum of DRBD lost": "r0/0: quorum lost on app01, app02 and 2 more, I/O fails, 1 of 3 copies"
    " UpToDate and reachable, not storage02, storage03",
    "a disk lost": "r0/0: disk lost on storage03 (Diskless, not a client)",
    "one link cut": "r0 app02-storage02: Connecting at both ends, hence r0/0: disk of storage02 is"
    " Outdated and nothing resyncs it",
    "a resource failed": "FS_DRBD is barred from app01: fail-count 1 of 1 (monitor: not running,"
    " 11 s ago), hence no node could take group1: ap...",
    "Pacemaker stopped on one node": "app01: Pacemaker does not run",
    "standby": "app01 is in standby, hence no node could take group1: app01 in standby; app03"
    " banned by group1-avoids-app03",
    "maintenance": "maintenance-mode: the cluster manages nothing",
    "split, the failover failed": "r0/0: quorum lost on app01, 0 of 3 copies UpToDate and"
    " reachable; r0/0: no UpToDate copy can be reached from app02, s...",
    "a second fault in maintenance": "r0/0: quorum lost on app01, app02 and 2"
    " more, I/O fails, 1 of 3 copies UpToDate and reachable, not storage02, storage03 (+1 more)",
    "a node not reached by the monitoring": "storage03 could not be asked: no route to it",
}
"""The one message where the check ``cluster`` tells for all nodes."""

PROGRAM = """\
#!/bin/sh
# Answers what was answered before; anything else is asked of the plugin itself.
place= asked= before=
for each in "$@"; do
    case $each in --from | --config | --node) ;; *) case $before in
        --from | --config) place=$(readlink -f "$each") ;;
        --node) ;;
        *) asked=$asked$each ;;
    esac ;; esac
    before=$each
done
answer={folder}/answers$place/$asked
if [ -n "$place" ] && read -r code < "$answer.code"; then
    cat "$answer"
    exit "$code"
fi 2> /dev/null
if [ ! -d "$place" ] && [ ! -f "$place" ]; then
    echo "$1 UNKNOWN - no answer" # a node that is off
    exit 3
fi
echo "$*" >> "{folder}/unknown"
exec "{plugin}" "$@"
"""
"""In the place of the plugin: ``PROGRAM CHECK --from FOLDER ...``."""

VIA = """\
#!/bin/sh
# In the place of ssh: what was recorded of a node, or no answer of one that is off.
if [ -d "$1" ]; then
    exec tar -C "$1" -czf - .
fi
echo "ssh: connect to host: No route to host" >&2
exit 255
"""


class Stage:
    """Clusters that all are healthy, or each in its story, and the program that is asked."""

    def __init__(self, folder: Path, captures: Path) -> None:
        self.folder = folder
        self.names = (*STORIES, *SECOND)
        self.plugin = install_plugin(folder)
        self.program = folder / "program"
        self.program.write_text(PROGRAM.format(folder=folder, plugin=self.plugin))
        self._via = folder / "via"
        self._via.write_text(VIA)
        for program in (self.program, self._via):
            program.chmod(0o755)
        healthy = self._copied(captures, Story(HEALTHY))
        self._play("healthy", healthy, healthy, ())
        for number, name in self.clusters():
            for act, story in enumerate(self._acts(name)):
                recorded = self._copied(captures, story)
                self._play(f"story{number:02}.{act}", recorded, healthy, story.off)
        self.rest()

    def _copied(self, captures: Path, story: Story) -> Path:
        place = self._recorded(story)
        if not place.exists():
            place.mkdir(parents=True)
            source = story.placed(captures, self.folder)
            for node in NODES:
                if (source / node).is_dir():
                    shutil.copytree(source / node, place / node)
        return place

    def _recorded(self, story: Story) -> Path:
        return self.folder / "recorded" / story.name

    @staticmethod
    def _acts(name: str) -> tuple[Story, ...]:
        return SECOND[name] if name in SECOND else (STORIES[name],)

    def _play(self, name: str, recorded: Path, healthy: Path, off: Sequence[str]) -> None:
        """A cluster's folder: its nodes, and how all of them are asked."""
        place = self.folder / "plays" / name
        place.mkdir(parents=True)
        for node in NODES:
            if node not in off:
                source = recorded if (recorded / node).is_dir() else healthy
                (place / node).symlink_to(source / node)
        hosts = "\n".join(f'{node} = "{place / node}"' for node in NODES)
        via = f'[cluster]\nvia = ["{self._via}", "{{target}}"]\n'
        # The nodes were recorded minutes apart.
        severity = '[severity]\nclocks-differ = "ok"\n'
        (place / "cluster.toml").write_text(f"{via}[cluster.hosts]\n{hosts}\n{severity}")

    def place(self, number: int) -> Path:
        """The folder of a cluster, as it is now."""
        return self.folder / f"now{number:02}"

    def role(self, number: int) -> str:
        """What the members of Pacemaker's cluster are: with DRBD, or without."""
        recorded = self._recorded(self._acts(self.names[number])[0])
        has_drbd = (recorded / "app02" / "drbd-status.json").exists()
        return "application" if has_drbd else "pacemaker"

    def clusters(self) -> Iterator[tuple[int, str]]:
        """Each cluster with its story."""
        return enumerate(self.names)

    def rest(self) -> None:
        """All is well everywhere."""
        for number, _ in self.clusters():
            self._turn(number, "healthy")

    def act(self, act: int = 0) -> None:
        """Every story begins, or those go on that have a second act."""
        for number, name in self.clusters():
            if act < len(self._acts(name)):
                self._turn(number, f"story{number:02}.{act}")

    def begin(self, number: int, name: str) -> None:
        """The cluster of that number begins the story of that name, whichever is its own."""
        self._turn(number, f"story{self.names.index(name):02}.0")

    def _turn(self, number: int, play: str) -> None:
        link = self.folder / "link"
        link.symlink_to(self.folder / "plays" / play)
        link.replace(self.place(number))

    def prepare(self, *asked: Sequence[str]) -> None:
        """Make the answers of every recording to these questions, their words in a daemon's order.

        The check ``cluster`` is asked of all nodes together.
        """
        for words in asked:
            if "cluster" in words[:2]:
                for place in (self.folder / "plays").iterdir():
                    self._answer(words, "--config", place / "cluster.toml")
                continue
            for place in (self.folder / "recorded").glob("*/*"):
                anywhere = words[0].startswith("drbd-") or words[0] in ("overview", "zabbix")
                if anywhere or "app" in place.name:
                    self._answer(words, "--from", place)
        own(self.folder)

    def _answer(self, words: Sequence[str], option: str, place: Path) -> None:
        target = self.folder / f"answers{place}"
        target.mkdir(parents=True, exist_ok=True)
        name = "".join(words)
        out = io.StringIO()
        code = 0
        with contextlib.redirect_stdout(out):
            try:
                main([*words, option, str(place)])
            except SystemExit as end:
                code = int(end.code or 0)
        (target / name).write_text(out.getvalue())
        (target / f"{name}.code").write_text(f"{code}\n")

    @property
    def unknown(self) -> list[str]:
        """What had to be asked of the plugin itself."""
        file = self.folder / "unknown"
        return file.read_text().splitlines() if file.exists() else []


class Told(NamedTuple):
    """The messages of a story: those of the nodes, and of the host that stands for them all.

    :param back: on the way back, who speaks and what kind of message it is, without its words.
    :param later: what the second act adds, of both.
    """

    there: list[str]
    back: list[str]
    cluster: list[str]
    cluster_back: list[str]
    later: list[str]

    def check(
        self, name: str, service: str, cluster: str, semicolon: str = ";", *, down: bool = True
    ) -> None:
        """They are what is expected, each once, and each ends with one recovery.

        :param down: whether a node that is off is told by its own host, too.
        :param service: how a node's service is called, with ``{}`` for the check; without, it is
            ``overview``. :param cluster: that of the cluster's host.
        :param semicolon: what the system makes of one.
        """
        instead = {} if "{}" in service else SAID_BY_OVERVIEW
        said = [
            (
                f"{node}!{service.format(check)}" if check else node,
                instead.get(text, text).replace(";", semicolon),
            )
            for node, check, text in (SAID[name] if down else without_hosts(name))
        ]
        assert self.there == sorted(f"{who} PROBLEM: {text}" for who, text in said)
        assert self.back == sorted(f"{who} RECOVERY" for who, _ in said)
        whole = SAID_BY_CLUSTER.get(name, "").replace(";", semicolon)
        who = f"mailcluster!{cluster}"
        assert self.cluster == ([f"{who} PROBLEM: {whole}"] if whole else [])
        assert self.cluster_back == ([f"{who} RECOVERY"] if whole else [])
        assert self.later == []

    def check_second(self, first: Sequence[str], later: Sequence[str]) -> None:
        """So many messages of the first fault, and these of the second; each ends with one."""
        assert sorted(_beginnings((*self.there, *self.cluster))) == sorted(first)
        assert sorted(_beginnings(self.later)) == sorted(later)
        every = (*self.there, *self.cluster, *self.later)
        told = {line.split(" ")[0] for line in every if " PROBLEM" in line}
        over = {line.split(" ")[0] for line in every if " RECOVERY" in line}
        back = [line.split(" ")[0] for line in (*self.back, *self.cluster_back)]
        assert sorted(back) == sorted(told - over)


class Daemon(Protocol):
    """A monitoring system that runs; it writes its messages to ``notifications`` in its folder."""

    folder: Path
    rounds: int
    """So many rounds on the way in and back are ten looks at the cluster where nothing happens."""

    def settle(self, rounds: int) -> None:
        """Wait until every object was looked at so often, and none is between two states."""


def play(site: Daemon, stage: Stage) -> dict[str, Told]:
    """Let every story happen and end; what was said meanwhile."""
    before = _sent(site.folder)
    assert before == []
    stage.act()
    site.settle(site.rounds)
    there = _by_story(_sent(site.folder))
    stage.act(1)
    site.settle(site.rounds)
    later = _by_story(_sent(site.folder))
    stage.rest()
    site.settle(site.rounds)
    back = _by_story(_sent(site.folder))
    assert stage.unknown == []
    back = {number: [line.split(": ")[0] for line in told] for number, told in back.items()}
    return {
        name: Told(
            *(
                sorted(line for line in told.get(number, ()) if ("mailcluster" in line) == whole)
                for whole in (False, True)
                for told in (there, back)
            ),
            sorted(later.get(number, ())),
        )
        for number, name in stage.clusters()
    }


def _beginnings(lines: Sequence[str]) -> list[str]:
    """Who says what kind of message of what: ``app01!mccluster PROBLEM r0``."""
    return [" ".join(line.replace(":", "").split()[:3]) for line in lines]


def without_hosts(name: str) -> tuple[tuple[str, str, str], ...]:
    """The messages where a host that is down says so only if nobody else does."""
    told = tuple(each for each in SAID[name] if each[1])
    if told or not SAID[name]:
        return told
    host, check, text = MISSING
    return ((host, check, text.format(", ".join(node for node, _, _ in SAID[name]))),)


def standing(notifications: Path) -> set[str]:
    """What was told and has not recovered, with its words."""
    found: dict[str, str] = {}
    for line in notifications.read_text().splitlines() if notifications.exists() else ():
        begin, _, text = line.partition(": ")
        who, kind = begin.rsplit(" ", 1)
        if kind == "PROBLEM":
            found[who] = text
        elif kind == "RECOVERY":
            found.pop(who, None)
    return {f"{who}: {text}" for who, text in found.items()}


def _sent(folder: Path) -> list[str]:
    """What was sent since the last call: the number of a cluster, a dash, who says what."""
    file, taken = folder / "notifications", folder / "notifications.taken"
    if not file.exists():
        return []
    file.replace(taken)
    return taken.read_text().splitlines()


def _by_story(lines: Sequence[str]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for line in lines:
        number, _, rest = line.partition("-")
        found[int(number)].append(rest.strip().replace(f"{number:02}-", ""))
    return found
