"""The case's six servers under Ansible: three in the cluster, three that only store.

Everything that a role writes outside ``/etc`` is a node's own here, not the machine's. The shipped
inventory, playbooks and roles are used as they are; what the laboratory needs otherwise (agents of
services that are not installed, a Corosync that is not slow) comes as ``--extra-vars``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Optional

from cluster.cluster import AGENTS, ENVIRONMENT, ROOT, Cluster, ClusterError, Node, until
from cluster.mesh import Mesh
from cluster.ssh import ADMINISTRATOR, OWN_ADDRESS, Ssh

COLLECTION = ROOT / "contrib/ansible"
PLAYBOOKS = COLLECTION / "playbooks"
APPLICATION = ("app01", "app02", "app03")
STORAGE = ("storage01", "storage02", "storage03")
LAST = "DOVECOT"
DEBIAN_PYTHON = "/usr/bin/python3"

PLUGINS = "/usr/lib/nagios/plugins"
OWN = (
    *("/opt", "/usr/local/bin", PLUGINS, "/var/lib/prometheus"),
    *("/var/cache/icinga2", "/var/lib/icinga2", str(AGENTS / "mccluster")),
)
COPIED = (PLUGINS, "/var/cache/icinga2", "/var/lib/icinga2")
# A storage server has no cluster software; and DRBD's tools are where sudoers has them.
PROGRAMS = """
mkdir -p /run/tools
mount --bind /usr/sbin /run/tools
umount /usr/local/sbin
mount -t tmpfs -o mode=755 lab /usr/sbin
ln -s /run/tools/* /run/lab/bin/drbd* /usr/sbin/
for tool in {hidden}; do rm /usr/sbin/$tool; done
"""
CLUSTER_TOOLS = (
    "crm_mon",
    "cibadmin",
    "corosync-cfgtool",
    "corosync-cmapctl",
    "corosync-quorumtool",
)

AGENT = """\
#!/bin/sh
# The real agent's meta-data for pcs, a stand-in's deeds.
[ "$1" = meta-data ] && exec "$0.real" meta-data
exec {agents}/standin/{stand_in} "$@"
"""
STAND_INS = {"Filesystem": "Filesystem", "mysql": "Service", "postfix": "Service"}
STAND_INS["dovecot"] = "Service"

ANSIBLE_CFG = """\
[defaults]
collections_path = {collections}
forks = 6
nocows = true
retry_files_enabled = false
interpreter_python = {python}
local_tmp = {folder}/tmp
[connection]
pipelining = true
[ssh_connection]
ssh_args = -F {config} -o ControlMaster=auto -o ControlPersist=15s
control_path_dir = {folder}/cp
"""
TOTEM = {"token": 2000, "token_retransmits_before_loss_const": 10}
RECAP = re.compile(r"^(\w+) +: (.*)$", re.MULTILINE)


def ansible() -> Optional[Path]:
    """The folder of ``ansible-playbook``: .venv-ansible as CI makes it, or whatever is in PATH."""
    own = ROOT / ".venv-ansible/bin/ansible-playbook"
    found = str(own) if own.exists() else shutil.which("ansible-playbook")
    return Path(found).parent if found else None


class Run(NamedTuple):
    """What a playbook did."""

    code: int
    text: str

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """Counts by host."""
        _, _, recap = self.text.rpartition("PLAY RECAP")
        return {
            found[1]: {key: int(n) for key, n in re.findall(r"(\w+)=(\d+)", found[2])}
            for found in RECAP.finditer(recap)
        }

    def counts(self, key: str) -> dict[str, int]:
        """Hosts with more than none of something: ``changed``, ``failed``, ``unreachable``."""
        return {host: each[key] for host, each in self.recap.items() if each[key]}

    @property
    def plain(self) -> str:
        """The text as one line."""
        return " ".join(self.text.split())


class Site:
    """The servers, and the administrator who has Ansible."""

    def __init__(self, cluster: Cluster, ssh: Ssh, bin_folder: Path) -> None:
        self.cluster = cluster
        self.ssh = ssh
        self.mesh = Mesh(cluster.shared)
        self.inventory = ssh.folder / "inventory"
        self._bin = bin_folder
        collections = self._install()
        config = ANSIBLE_CFG.format(
            collections=collections, python=DEBIAN_PYTHON, folder=ssh.folder, config=ssh.config
        )
        (ssh.folder / "ansible.cfg").write_text(config)
        shutil.copytree(PLAYBOOKS / "inventory", self.inventory)
        self.vars = ssh.folder / "laboratory.json"
        self._listed = cluster.shared / "listed.xml"

    def _install(self) -> Path:
        """The collection as the README tells to install it; the folder where it is then."""
        text = (ROOT / "README.md").read_text()
        lines = re.search(r"<!-- command: ansible -->\n```sh\n(.*?)```", text, re.DOTALL)
        assert lines is not None
        path = {"PATH": f"{self._bin}:{ENVIRONMENT['PATH']}"}
        done = self.ssh.administrator("bash", "-ec", lines[1], folder=ROOT, variables=path)
        if done.returncode:
            raise ClusterError(f"{lines[1]}\n{done.stdout}{done.stderr}")
        return self.ssh.folder / ".ansible/collections"

    # -- Ansible -------------------------------------------------------------------------------

    def lay_out(self, wheel: Path) -> None:
        """What the laboratory needs otherwise than the case."""
        laboratory = {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.ssh.key(ADMINISTRATOR)),
            "monitoring_method": "wheel",
            "monitoring_wheel": str(wheel),
            "monitoring_python": DEBIAN_PYTHON,
            "monitoring_pip_arguments": ["--no-index", "--find-links", "/run/lab/wheels"],
            "case_mailman_agent": "ocf:heartbeat:Dummy",
            # A lost node is to be noticed within seconds; DRBD's stand-in is faster still.
            "pacemaker_totem": TOTEM,
        }
        self.vars.write_text(json.dumps(laboratory))

    def play(
        self, playbook: str, *options: str, variables: Optional[Mapping[str, Any]] = None
    ) -> Run:
        """Run a playbook as the administrator does."""
        argv = [self._bin / "ansible-playbook", "-i", self.inventory, "-e", f"@{self.vars}"]
        if variables:
            argv += ["-e", json.dumps(dict(variables))]
        done = self.ssh.administrator(
            *argv,
            *options,
            playbook,
            folder=self.ssh.folder,
            timeout=400,
            variables={"ANSIBLE_CONFIG": str(self.ssh.folder / "ansible.cfg")},
        )
        return Run(done.returncode, done.stdout + done.stderr)

    def case(self, *options: str, **variables: Any) -> Run:
        """The whole case."""
        return self.play("check_mccluster.cluster.case", *options, variables=variables)

    def pacemaker(self, *options: str, **variables: Any) -> Run:
        """The role pacemaker alone, and Corosync only if its times are named."""
        quick = {"pacemaker_totem": {}, "pacemaker_wait": 0}
        return self.case("--tags", "pacemaker", *options, **{**quick, **variables})

    def edit(self, old: str, new: str) -> None:
        """Change the administrator's inventory."""
        file = self.inventory / "group_vars/application.yml"
        text = file.read_text()
        assert text.count(old) == 1, (old, text.count(old))
        file.write_text(text.replace(old, new))

    # -- the cluster ---------------------------------------------------------------------------

    def cib(self, seen_from: str = "app03") -> ET.Element:
        """The CIB."""
        return ET.fromstring(self.cluster.demand(seen_from, "cibadmin", "--query"))

    def epoch(self, seen_from: str = "app03") -> int:
        """How often the configuration has been changed."""
        return int(self.cib(seen_from).get("epoch", ""))

    def option(self, resource: str, name: str, seen_from: str = "app03") -> Optional[str]:
        """A resource's option, as the cluster has it."""
        path = f".//primitive[@id='{resource}']/instance_attributes/nvpair[@name='{name}']"
        found = self.cib(seen_from).find(path)
        return None if found is None else found.get("value")

    def remember(self) -> None:
        """The configuration as it is now is the one that tests begin with."""
        scope = ("--scope", "configuration")
        self._listed.write_text(self.cluster.demand("app03", "cibadmin", "--query", *scope))

    def reset(self) -> None:
        """Everybody is there, and the configuration is the listed one."""
        shutil.rmtree(self.inventory)
        shutil.copytree(PLAYBOOKS / "inventory", self.inventory)
        cluster = self.cluster
        for name in APPLICATION:
            if cluster.nodes[name].spaces is not None:
                cluster.demand(name, "ln", "-sf", "/run/tools/pcs", "/usr/sbin/pcs")
        self.mesh.reset()
        lost = [
            node
            for node in cluster.nodes.values()
            if node.spaces is None
            or node.cut
            or (node.member and not cluster.runs(node.name, "pacemakerd"))
        ]
        for node in lost:
            if node.spaces is None:
                self.mesh.back(node.name)
        cluster.heal()
        if lost:
            cluster.start(*cluster.nodes)
            cluster.demand("app03", "crm_resource", "--cleanup")
        scope = ("--scope", "configuration")
        if cluster.demand("app03", "cibadmin", "--query", *scope) != self._listed.read_text():
            source = ("--xml-file", f"/run/lab/{self._listed.name}")
            cluster.demand("app03", "cibadmin", "--replace", *scope, *source)
            cluster.settle("app03")
        self.wait_for_group()

    def wait_for_group(self, seen_from: str = "app03") -> None:
        """Wait until the whole group runs somewhere."""
        try:
            until("the group runs", lambda: self.cluster.where(LAST, seen_from), 60)
        except ClusterError as error:
            said = self.cluster.run(seen_from, "crm_mon", "-1rf").stdout
            raise ClusterError(f"{error}\n{said}") from error


def dress(cluster: Cluster) -> None:
    """Let each node have for itself what the roles write to."""

    def own(node: Node) -> None:
        for folder in OWN:
            source, target = Path(folder), node.disk / folder.lstrip("/")
            if target.exists():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if folder in COPIED and source.is_dir():
                subprocess.run(["cp", "-a", folder, str(target)], check=True)
            else:
                target.mkdir()
        script = "".join(
            f"mkdir -p {node.disk}{folder}; mount --bind {node.disk}{folder} {folder}\n"
            for folder in OWN
        )
        cluster.demand(node.name, "sh", "-e", "-c", script)
        hidden = () if node.member else CLUSTER_TOOLS
        cluster.demand(node.name, "sh", "-e", "-c", PROGRAMS.format(hidden=" ".join(hidden)))
        for user, daemon in (
            ("nagios", "icinga2"),
            ("zabbix", "zabbix"),
            ("zabbix", "zabbix-agent"),
        ):
            cluster.demand(node.name, "install", "-d", "-o", user, f"/var/log/{daemon}")
        if not node.member:
            cluster.demand(node.name, "rm", "-rf", "/etc/corosync")

    cluster.after_boot.append(own)


def furnish(cluster: Cluster) -> None:
    """The agents of the case: real meta-data, stand-ins' deeds, and none of the project's own."""
    heartbeat = cluster.shared / "agents/heartbeat"
    for name, stand_in in STAND_INS.items():
        real = heartbeat / f"{name}.real"
        shutil.copy(AGENTS / "heartbeat" / name, real)
        (heartbeat / name).unlink()
        (heartbeat / name).write_text(AGENT.format(agents=AGENTS, stand_in=stand_in))
        (heartbeat / name).chmod(0o755)
    for agent in (cluster.shared / "agents/mccluster").iterdir():
        agent.unlink()


def nrpe(cluster: Cluster) -> None:
    """NRPE of a node listens to the administrator."""
    for node in cluster.nodes.values():
        file = node.disk / "etc/nagios/nrpe.cfg"
        text = re.sub(r"(?m)^allowed_hosts=.*$", f"allowed_hosts={OWN_ADDRESS}", file.read_text())
        file.write_text(text)


def build_wheels(folder: Path) -> Path:
    """The project's wheel and those that it needs, for Debian's Python; returns the project's."""
    source = folder / "source"
    source.mkdir(parents=True)
    for name in ("src", "ocf", "man"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    wheels = folder / "wheels"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    for argv in (
        (DEBIAN_PYTHON, "-m", "venv", folder / "venv"),
        (folder / "venv/bin/pip", "-q", "wheel", "--wheel-dir", wheels, source),
    ):
        subprocess.run([str(each) for each in argv], check=True, env=environment)
    return next(wheels.glob("check_mccluster-*.whl"))
