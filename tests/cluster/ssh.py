"""An sshd on every node of a cluster, and the machine of an administrator who reaches them.

The nodes get a second interface in a network of its own, as a site manages its servers: a node
whose cluster network is cut off is still reached, one that is off is not. The administrator's
machine is this one with the switch's network; keys, ``known_hosts`` and the client's configuration
are made in the cluster's folder, so that neither the machine's own nor anybody's home is used.

    with Cluster() as cluster:
        ssh = Ssh(cluster)
        ssh.run("app01", "crm_mon", "-1")
        ssh.authorize("monitor", "checks", command="check_mccluster snapshot -", nodes=["app02"])
        ssh.run("app02", user="monitor", key="checks")

A node that is switched on again has its sshd again, with the same host key.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Optional

from cluster.cluster import ENVIRONMENT, Cluster, ClusterError, Node, until

PROGRAMS = ("ssh", "sshd", "ssh-keygen")
PACKAGES = "openssh-server openssh-client"
ADMINISTRATOR = "administrator"
"""The key that is root everywhere."""
BRIDGE = "office"
OWN_ADDRESS = "10.89.0.254"
INTERFACE = "eth1"

SSHD = """\
ListenAddress {address}
HostKey /etc/ssh/host_key
PidFile /run/sshd.pid
AuthorizedKeysFile /etc/ssh/authorized_keys/%u
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
UseDNS no
PrintMotd no
MaxStartups 60
MaxSessions 60
Subsystem sftp internal-sftp
SetEnv {environment}
"""

CLIENT = """\
Host *
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  BatchMode yes
  ConnectTimeout 5
  LogLevel ERROR
"""


def obstacle() -> Optional[str]:
    """Why there can be no sshd here, ``None`` if there can."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=ENVIRONMENT["PATH"]) is None]
    return f"not installed: {', '.join(absent)} (Debian: {PACKAGES})" if absent else None


def address(node: Node) -> str:
    """Where a node's sshd listens, whether the node is on or not."""
    return f"10.89.0.{node.number}"


class Ssh:
    """The administrator's access to a cluster that is up. It ends with the cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.folder = cluster.folder / "administrator"
        self.folder.mkdir(mode=0o700)
        self.config = self.folder / "ssh_config"
        blocks = (f"Host {each.name}\n  HostName {address(each)}\n" for each in self._nodes())
        self.config.write_text("".join(blocks) + CLIENT.format(folder=self.folder))
        self.key(ADMINISTRATOR)
        self._at_switch("ip", "link", "add", BRIDGE, "up", "type", "bridge")
        self._at_switch("ip", "address", "add", f"{OWN_ADDRESS}/24", "dev", BRIDGE)
        for node in self._nodes():
            self._install(node)
        self.authorize("root", ADMINISTRATOR)
        for node in self._nodes():
            if node.spaces is not None:
                self._serve(node)
        cluster.after_boot.append(self._serve)

    # -- what a test does ----------------------------------------------------------------------

    def key(self, name: str) -> Path:
        """A private key of that name, made when it is first asked for."""
        file = self.folder / name
        if not file.exists():
            words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file)
            self._at_switch(*words)
        return file

    def authorize(
        self, user: str, key: str, *, command: str = "", nodes: Optional[Iterable[str]] = None
    ) -> None:
        """Let a key in as a user, on some nodes or on all.

        :param command: the only thing that it may do then (a forced command); "" for everything.
        """
        public = self.key(key).with_name(f"{key}.pub").read_text()
        quoted = command.replace('"', r"\"")
        options = f'restrict,command="{quoted}" ' if command else ""
        for name in self.cluster.nodes if nodes is None else nodes:
            allowed = self.cluster.nodes[name].disk / "etc/ssh/authorized_keys"
            with (allowed / user).open("a") as file:
                file.write(f"{options}{public}")

    def revoke(self, user: str, nodes: Optional[Iterable[str]] = None) -> None:
        """Let nobody in as that user any more."""
        for name in self.cluster.nodes if nodes is None else nodes:
            allowed = self.cluster.nodes[name].disk / "etc/ssh/authorized_keys" / user
            allowed.unlink(missing_ok=True)

    def command(
        self, node: str, *argv: str, user: str = "root", key: str = ADMINISTRATOR
    ) -> tuple[str, ...]:
        """The administrator's command line that runs something on a node."""
        return ("ssh", "-F", str(self.config), "-i", str(self.key(key)), f"{user}@{node}", *argv)

    def run(
        self, node: str, *argv: str, user: str = "root", key: str = ADMINISTRATOR
    ) -> CompletedProcess[str]:
        """Run something on a node over ssh; 255 is ssh's own exit code."""
        return self.administrator(*self.command(node, *argv, user=user, key=key))

    def administrator(
        self,
        *argv: object,
        timeout: float = 300,
        variables: Optional[Mapping[str, str]] = None,
        folder: Optional[Path] = None,
    ) -> CompletedProcess[str]:
        """Run a command on the administrator's machine, at home in ``folder`` of this object."""
        at_home = {"HOME": str(self.folder), **(variables or {})}
        return self.cluster.at_switch(*argv, timeout=timeout, variables=at_home, folder=folder)

    def unplug(self, *names: str) -> None:
        """Let nodes answer no more here, whatever their cluster network does."""
        for name in names:
            self._at_switch("ip", "link", "set", _port(self.cluster.nodes[name]), "nomaster")

    def plug(self, *names: str) -> None:
        """The way back."""
        for name in names:
            self._at_switch("ip", "link", "set", _port(self.cluster.nodes[name]), "master", BRIDGE)

    # -- layout --------------------------------------------------------------------------------

    def _nodes(self) -> list[Node]:
        return list(self.cluster.nodes.values())

    def _install(self, node: Node) -> None:
        """Everything that survives a power cut: host key, configuration, no users yet."""
        etc = node.disk / "etc/ssh"
        if not etc.is_dir():
            raise ClusterError(f"no /etc/ssh (Debian: {PACKAGES})")
        host_key = self.key(f"host-{node.name}")
        shutil.copy(host_key, etc / "host_key")
        public = host_key.with_name(f"{host_key.name}.pub").read_text()
        with (self.folder / "known_hosts").open("a") as file:
            file.write(f"{node.name},{address(node)} {public}")
        # What a program leaves at home must not be the machine's.
        variables = {**ENVIRONMENT, "HOME": "/run"}
        environment = " ".join(f'"{name}={value}"' for name, value in variables.items())
        own = SSHD.format(address=address(node), environment=environment)
        (etc / "sshd_config").write_text(own)
        allowed = etc / "authorized_keys"
        shutil.rmtree(allowed, ignore_errors=True)
        allowed.mkdir(mode=0o755)

    def _serve(self, node: Node) -> None:
        """What a boot does: the cable, and sshd."""
        self.cluster.lay_cable(node, _port(node), INTERFACE, address(node))
        self._at_switch("ip", "link", "set", _port(node), "up", "master", BRIDGE)
        # Its address has another interface behind it after each boot.
        self._at_switch("ip", "neighbour", "flush", "dev", BRIDGE)
        self.cluster.demand(node.name, "install", "-d", "-m", "755", "/run/sshd")
        # Sessions must not be members of what started us, and hold no pipe of ours.
        started = "/usr/sbin/sshd -E /var/log/sshd.log </dev/null >/dev/null 2>&1"
        self.cluster.demand(node.name, "setsid", "sh", "-c", started)
        until(f"sshd of {node.name} answers", lambda: self._answers(node.name), 60)

    def _answers(self, name: str) -> bool:
        done = self.run(name, "true")
        if done.returncode not in (0, 255):
            raise ClusterError(f"ssh {name}: {done.returncode}: {done.stderr.strip()}")
        return done.returncode == 0

    def _at_switch(self, *argv: object) -> None:
        done = self.cluster.at_switch(*argv)
        if done.returncode:
            raise ClusterError(f"{' '.join(map(str, argv))}: {done.stderr.strip()}")


def _port(node: Node) -> str:
    """A node's end of the administrators' cable at the switch: another after each boot."""
    return f"{BRIDGE}{node.number}.{node.boots}"
