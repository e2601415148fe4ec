"""A real Corosync and Pacemaker cluster on one machine, a node being a set of Linux namespaces.

The first process of a node only waits for the end of its standard input, a pipe that the tests
hold: its power cord. Pulling it is a power cut, for the kernel ends every process of a pid
namespace with its first one; and whatever ends the tests, SIGKILL too, ends the cluster.

A node has its own network, process numbers, host name, ``/run``, ``/dev/shm``, users, and a disk
(the folders in ``DISK``) that survives a power cut. It shares the machine's programs. What the
tests lay out for all nodes is the folder ``shared``, which they see as ``/run/lab``. The nodes hang
on a bridge in a network namespace of its own: neither the machine's network nor another cluster can
be met.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import check_mccluster
from daemons import remove

ROOT = Path(__file__).resolve().parents[2]
STAND_IN = Path(__file__).resolve().parent / "standin"
AGENTS = Path("/usr/lib/ocf/resource.d")

PROGRAMS = (
    *("cibadmin", "corosync", "crm_mon", "crm_resource", "ip", "mount", "nsenter"),
    *("pacemakerd", "pidof", "setpriv", "unshare"),
)
OF_MEMBERS = (
    *("cibadmin", "corosync-cfgtool", "corosync-cmapctl", "corosync-quorumtool"),
    *("crm_mon", "crm_simulate"),
)
PACKAGES = "corosync pacemaker pacemaker-cli-utils resource-agents iproute2"
DISK = ("/etc", "/var/lib/corosync", "/var/lib/pacemaker", "/var/log")
SPACES = ("--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--mount-proc")
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/",
    "LC_ALL": "C.UTF-8",
    "PCMK_logfacility": "none",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": "/run/lab/src",
}

MONITOR = "monitor"  # in haclient, and known to Corosync
MEMBER = "member"  # in haclient
STRANGER = "stranger"  # neither
USERS = {MONITOR: 47001, MEMBER: 47002, STRANGER: 47003}

LIFE = """
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # orphans reap themselves
os.write(1, b"on")
os.read(0, 1)
os._exit(0)
"""

DRESS = """
set -e
hostname {name}
{open_doors}
for folder in $DISK; do mkdir -p {disk}$folder; mount --bind {disk}$folder $folder; done
mount -t tmpfs -o mode=1777 lab /dev/shm
mount -t tmpfs -o mode=755 lab /run
mkdir -p /run/lab /run/lock /run/resource-agents
mount --bind {shared} /run/lab
mount --bind {package} /run/lab/src
mount --bind /run/lab/bin /usr/local/sbin
mount --bind /run/lab/agents {agents}
mount --bind /run/lab/modules /sys/module
# Before a panic's reboot, which could only end the node, comes a write here, which would reset us.
[ ! -e /proc/sysrq-trigger ] || mount --bind /dev/null /proc/sysrq-trigger
{hidden}
for folder in /var/log/pacemaker /var/lib/pacemaker /var/lib/pacemaker/cib \\
    /var/lib/pacemaker/pengine /var/lib/pacemaker/cores /var/lib/pacemaker/blackbox
do install -d -o hacluster -g haclient -m 770 $folder; done
mkdir -p /var/log/corosync
ip link set lo up
"""

COROSYNC = """\
totem {{
  version: 2
  cluster_name: live
  transport: knet
  token: 1000
}}
quorum {{
  provider: corosync_votequorum
}}
logging {{
  to_logfile: yes
  logfile: /var/log/corosync/corosync.log
  to_syslog: no
}}
nodelist {{
{nodes}}}
"""

# A first start without any DC would wait 20 s for one.
FIRST_CONFIGURATION = """<crm_config><cluster_property_set id="options">
<nvpair id="options-stonith-enabled" name="stonith-enabled" value="false"/>
<nvpair id="options-dc-deadtime" name="dc-deadtime" value="2s"/>
</cluster_property_set></crm_config>"""


class ClusterError(Exception):
    """The cluster did not do what a test needs of it."""


def obstacle() -> Optional[str]:
    """Why no cluster can be started here, ``None`` if one can."""
    if os.geteuid() != 0:
        return "needs root"
    absent = [name for name in PROGRAMS if shutil.which(name, path=ENVIRONMENT["PATH"]) is None]
    if absent or not AGENTS.is_dir():
        return f"not installed: {', '.join(absent) or AGENTS} (Debian packages: {PACKAGES})"
    tried = _run("unshare", *SPACES, "mount", "-t", "tmpfs", "lab", "/mnt")
    return f"namespaces are not allowed: {tried.stderr.strip()}" if tried.returncode else None


def until(what: str, holds: Callable[[], object], seconds: float = 120) -> None:
    """Wait for a condition.

    :raises ClusterError: if it does not come true.
    """
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise ClusterError(f"{what}: not within {seconds:g} s")
        time.sleep(0.2)


def _run(
    *argv: object,
    timeout: float = 120,
    variables: Optional[Mapping[str, str]] = None,
    folder: Optional[Path] = None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(each) for each in argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, **(variables or {})},
        timeout=timeout,
        cwd=folder,
        check=False,
    )


def _demand(*argv: object) -> str:
    done = _run(*argv)
    if done.returncode:
        words = (done.stderr or done.stdout).strip()
        raise ClusterError(f"{' '.join(map(str, argv))}: exit code {done.returncode}: {words}")
    return done.stdout


class Spaces:
    """A set of namespaces, held by a process that lives as long as its power cord is plugged in."""

    def __init__(self, *flags: str) -> None:
        self._process = subprocess.Popen(
            ["unshare", *flags, "--", sys.executable, "-I", "-S", "-c", LIFE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env=ENVIRONMENT,
        )
        assert self._process.stdout is not None
        if self._process.stdout.read(2) != b"on":
            raise ClusterError("no namespaces")
        proc = f"/proc/{self._process.pid}/ns"
        # unshare itself stays in the machine's pid namespace, its child is in the new one.
        named = {"--pid": "pid_for_children", "--mount": "mnt"}
        self._entrance = [
            f"{flag}={proc}/{named.get(flag, flag[2:])}"
            for flag in flags
            if flag not in ("--fork", "--mount-proc")
        ]
        self.network = f"{proc}/net"

    def inside(self, *argv: object) -> tuple[object, ...]:
        """The command line that runs *argv* in here."""
        return ("nsenter", *self._entrance, "--", *argv)

    def end(self) -> None:
        """Pull the cord, and wait until nothing is left."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(timeout=60)


@dataclass
class Node:
    """A node, powered or not."""

    name: str
    number: int
    disk: Path
    member: bool = True
    spaces: Optional[Spaces] = None
    cut: bool = False
    boots: int = 0

    @property
    def address(self) -> str:
        """In a network that only the nodes can see."""
        return f"10.88.0.{self.number}"

    @property
    def port(self) -> str:
        """Its end of the cable at the switch: another after each boot."""
        return f"port{self.number}.{self.boots}"


class Cluster:
    """Three nodes and a switch. Use it as a context: at the end nothing of it is left.

    :param others: nodes that are on the network and run neither Corosync nor Pacemaker.
    """

    def __init__(
        self,
        names: tuple[str, ...] = ("app01", "app02", "app03"),
        others: tuple[str, ...] = (),
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="check_mccluster-live-"))
        self.folder.chmod(0o755)
        self.shared = self.folder / "shared"
        self.nodes = {
            name: Node(name, number, self.folder / "disk" / name, member=name in names)
            for number, name in enumerate((*names, *others), 1)
        }
        self.after_boot: list[Callable[[Node], None]] = []
        self._switch: Optional[Spaces] = None

    def __enter__(self) -> Cluster:
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.down()

    # -- power ---------------------------------------------------------------------------------

    def up(self) -> None:
        """Lay out disks and what is shared, start everything, wait until all see all."""
        self._share()
        for node in self.nodes.values():
            self._format(node)
        self._switch = Spaces("--net", "--fork")
        for bridge in ("together", "apart"):
            _demand(*self._switch.inside("ip", "link", "add", bridge, "up", "type", "bridge"))
        self.start(*self.nodes)

    def down(self) -> None:
        """End it, whatever state it is in, and remove its files."""
        for holder in (*self.nodes.values(), self):
            spaces = holder.spaces if isinstance(holder, Node) else self._switch
            if spaces is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    spaces.end()
        remove(self.folder)

    def start(self, *names: str) -> None:
        """Switch nodes on, or start those daemons of theirs that do not run; wait for the rest."""
        self.launch(*names)
        self.wait_for_members()

    def launch(self, *names: str) -> None:
        """The same, and wait for nothing."""
        for name in names:
            node = self.nodes[name]
            if node.spaces is None:
                self._boot(node)
            if node.member and not self.runs(name, "corosync"):
                self.demand(name, "sh", "-c", "corosync 2>&1 >/dev/null")
        for name in names:
            if self.nodes[name].member and not self.runs(name, "pacemakerd"):
                self.demand(name, "sh", "-c", "pacemakerd >>/var/log/console 2>&1 </dev/null &")

    def kill(self, name: str) -> None:
        """A power cut."""
        node = self.nodes[name]
        if node.spaces is not None:
            node.spaces.end()
            node.spaces = None

    def stop(self, name: str, *daemons: str) -> None:
        """Stop daemons in an orderly way: ``pacemakerd``, ``corosync``."""
        for daemon in daemons:
            self.signal(name, "TERM", daemon)
            until(f"{daemon} stops on {name}", lambda: not self.runs(name, daemon))  # noqa: B023

    def signal(self, name: str, signal: str, daemon: str) -> None:
        """Send a signal to a daemon that runs."""
        self.demand(name, "sh", "-c", f"kill -{signal} $(pidof {daemon})")

    def runs(self, name: str, daemon: str) -> bool:
        """Whether a program runs on a node."""
        return self.run(name, "pidof", daemon).returncode == 0

    # -- network -------------------------------------------------------------------------------

    def cut(self, *names: str) -> None:
        """Unplug nodes: they see each other and nobody else."""
        for name in names:
            self._plug(self.nodes[name], cut=True)

    def heal(self) -> None:
        """Plug every node in again."""
        for node in self.nodes.values():
            if node.cut:
                self._plug(node, cut=False)

    def _plug(self, node: Node, *, cut: bool) -> None:
        assert self._switch is not None
        node.cut = cut
        bridge = "apart" if cut else "together"
        _demand(*self._switch.inside("ip", "link", "set", node.port, "up", "master", bridge))

    def at_switch(self, *argv: object, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command of the machine where the network is the switch's own."""
        assert self._switch is not None
        return _run(*self._switch.inside(*argv), **options)

    def lay_cable(self, node: Node, port: str, interface: str, address: str) -> None:
        """Give a node that is on another interface; its port is not in any bridge yet."""
        assert self._switch is not None
        assert node.spaces is not None
        cable = ("ip", "link", "add", port, "type", "veth", "peer", "name", interface)
        _demand(*self._switch.inside(*cable, "netns", node.spaces.network))
        self.demand(node.name, "ip", "address", "add", f"{address}/24", "dev", interface)
        self.demand(node.name, "ip", "link", "set", interface, "up")

    # -- commands ------------------------------------------------------------------------------

    def run(
        self, name: str, *argv: object, user: Optional[str] = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a node, as root or as one of its users."""
        spaces = self.nodes[name].spaces
        if spaces is None:
            raise ClusterError(f"{name} is off")
        if user is not None:
            argv = ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", *argv)
        return _run(*spaces.inside(*argv), timeout=timeout)

    def demand(self, name: str, *argv: object) -> str:
        """Run a command as root.

        :raises ClusterError: if it fails.
        """
        done = self.run(name, *argv)
        if done.returncode:
            words = (done.stderr or done.stdout).strip()
            raise ClusterError(f"{' '.join(map(str, argv))} on {name}: {done.returncode}: {words}")
        return done.stdout

    def is_stopped(self, name: str, daemon: str) -> bool:
        """Whether a daemon has been stopped by a signal and is still there."""
        status = self.run(name, "sh", "-c", f"cat /proc/$(pidof {daemon})/stat").stdout
        return status.rpartition(")")[2].split()[:1] == ["T"]

    def processes(self, name: str) -> set[str]:
        """Names of all programs that run on a node."""
        script = "for process in /proc/[0-9]*; do cat $process/comm; done 2>/dev/null"
        return set(self.run(name, "sh", "-c", script).stdout.split())

    # -- what Pacemaker says -------------------------------------------------------------------

    def crm_mon(self, seen_from: str) -> ET.Element:
        """crm_mon's document; an empty one while there is no answer."""
        done = self.run(seen_from, "timeout", "20", "crm_mon", "-1", "--output-as=xml")
        with contextlib.suppress(ET.ParseError):
            return ET.fromstring(done.stdout)
        return ET.Element("none")

    def online(self, seen_from: str) -> set[str]:
        """Members that are online, as one node sees it."""
        return {
            str(node.get("name"))
            for node in self.crm_mon(seen_from).iterfind("nodes/node")
            if node.get("online") == "true" and node.get("pending") == "false"
        }

    def where(self, resource: str, seen_from: str) -> list[str]:
        """Nodes on which a resource is Started."""
        return [
            str(node.get("name"))
            for each in self.crm_mon(seen_from).iter("resource")
            if each.get("id") == resource and each.get("role") == "Started"
            for node in each.iterfind("node")
        ]

    def wait_for_members(self) -> None:
        """Wait until every node that is on and not cut off sees just those, and nothing moves."""
        live = {node.name for node in self.nodes.values() if node.spaces and not node.cut}
        live = {name for name in live if self.runs(name, "pacemakerd")}
        for name in live:
            until(f"{name} sees {sorted(live)}", lambda: self.online(name) == live)  # noqa: B023
        self.settle(min(live))

    def settle(self, name: str) -> None:
        """Wait until Pacemaker has nothing left to do, as a node of the partition sees it."""
        # It fails when the DC changes under it.
        settled = ("crm_resource", "--wait", "--timeout=60")
        until("Pacemaker is idle", lambda: self.run(name, *settled).returncode == 0)

    # -- layout --------------------------------------------------------------------------------

    def _share(self) -> None:
        for folder in ("bin", "agents", "src", "modules/drbd", "faults", "records", "drbd/primary"):
            (self.shared / folder).mkdir(parents=True)
        (self.shared / "records").chmod(0o777)
        (self.shared / "modules/drbd/version").write_text("9.2.18\n")
        for program in ("drbdsetup", "drbdadm"):
            self._install(STAND_IN / program, self.shared / "bin" / program)
        shutil.copytree(AGENTS, self.shared / "agents", symlinks=True, dirs_exist_ok=True)
        for provider, agents in (
            ("standin", [STAND_IN / "Filesystem", STAND_IN / "Service"]),
            ("mccluster", [ROOT / "ocf/drbd-no-primary"]),
        ):
            (self.shared / "agents" / provider).mkdir()
            for agent in agents:
                self._install(agent, self.shared / "agents" / provider / agent.name)

    @staticmethod
    def _install(script: Path, target: Path) -> None:
        """Copy a script; a Python one gets our interpreter, as an installation does it."""
        first, rest = script.read_text().split("\n", 1)
        target.write_text(
            f"#!{sys.executable}\n{rest}" if "python" in first else f"{first}\n{rest}"
        )
        target.chmod(0o755)

    def _format(self, node: Node) -> None:
        etc, cib = node.disk / "etc", node.disk / "var/lib/pacemaker/cib"
        node.disk.mkdir(parents=True)
        _demand("cp", "-a", "/etc", etc)
        (etc / "hostname").write_text(f"{node.name}\n")
        hosts = "".join(f"{each.address} {each.name}\n" for each in self.nodes.values())
        (etc / "hosts").write_text(f"127.0.0.1 localhost\n{hosts}")
        with (etc / "passwd").open("a") as file:
            file.writelines(
                f"{user}:x:{number}:{number}::/:/bin/sh\n" for user, number in USERS.items()
            )
        (etc / "group").write_text("".join(_group()))
        shutil.rmtree(etc / "check_mccluster", ignore_errors=True)
        nodes = "".join(
            f"  node {{\n    ring0_addr: {each.address}\n    name: {each.name}\n"
            f"    nodeid: {each.number}\n  }}\n"
            for each in self.nodes.values()
            if each.member
        )
        (etc / "corosync/corosync.conf").write_text(COROSYNC.format(nodes=nodes))
        allowed = etc / "corosync/uidgid.d" / MONITOR
        allowed.write_text(f"uidgid {{\n  uid: {MONITOR}\n}}\n")
        cib.mkdir(parents=True)
        empty = _demand("cibadmin", "--empty")
        (cib / "cib.xml").write_text(empty.replace("<crm_config/>", FIRST_CONFIGURATION))
        shutil.chown(cib / "cib.xml", "hacluster", "haclient")

    def _boot(self, node: Node) -> None:
        node.boots += 1
        node.spaces = Spaces(*SPACES)
        package = Path(check_mccluster.__file__).resolve().parents[1]
        dress = DRESS.format(
            name=node.name,
            open_doors=_open_doors(Path(sys.base_prefix), Path(sys.prefix), package),
            disk=node.disk,
            shared=self.shared,
            package=package,
            agents=AGENTS,
            hidden="" if node.member else _hidden(),
        )
        self.demand(node.name, "env", f"DISK={' '.join(DISK)}", "sh", "-c", dress)
        self.lay_cable(node, node.port, "eth0", node.address)
        self._plug(node, cut=node.cut)
        for each in self.after_boot:
            each(node)


def _hidden() -> str:
    """Commands that take Pacemaker's and Corosync's tools from a node: it has neither."""
    paths = (shutil.which(name, path=ENVIRONMENT["PATH"]) for name in OF_MEMBERS)
    return "\n".join(f"mount --bind /dev/null {path}" for path in paths if path)


def _open_doors(*folders: Path) -> str:
    """Commands that let every user of a node reach these folders, as below /root they cannot.

    The first folder on the way that is closed to others is replaced by one that holds nothing else.
    """
    behind = {}
    for folder in folders:
        for door in reversed(folder.parents):
            if not door.stat().st_mode & 0o001:
                behind[folder] = door
                break
    aside = {folder: f"/mnt/{number}" for number, folder in enumerate(behind)}
    return "\n".join(
        [
            "mount -t tmpfs lab /mnt",
            *(f"mkdir {a}; mount --bind {folder} {a}" for folder, a in aside.items()),
            *(f"mount -t tmpfs -o mode=755 lab {door}" for door in sorted(set(behind.values()))),
            *(f"mkdir -p {folder}; mount --bind {a} {folder}" for folder, a in aside.items()),
        ]
    )


def _group() -> Iterator[str]:
    for line in Path("/etc/group").read_text().splitlines():
        if line.startswith("haclient:"):
            yield f"{line}{'' if line.endswith(':') else ','}{MONITOR},{MEMBER}\n"
        else:
            yield f"{line}\n"
    for user, number in USERS.items():
        yield f"{user}:x:{number}:\n"
