"""Permissions: the shipped sudoers file, uidgid entry and ACL, as an ordinary user."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from build_tools import RECORDED
from check_mccluster.acquire import live
from check_mccluster.checks import registry
from daemons import ROOT, install_plugin, need, own

CONTRIB = ROOT / "contrib"
SNAPSHOTS = ROOT / "fixtures/snapshots"
SUDOERS = CONTRIB / "sudoers/check_mccluster"


# The files


def allowed() -> list[str]:
    """The command lines of the sudoers file."""
    text = SUDOERS.read_text().replace("\\\n", "")
    commands = re.search(r"^Cmnd_Alias MCCLUSTER =(.*)$", text, re.MULTILINE)
    return [each.strip() for each in commands[1].split(",")]


def test_sudo_allows_what_the_program_runs_and_no_other_arguments():
    of_program = []
    for tool in RECORDED:
        line = live.sudoers_line((f"/usr/sbin/{tool.name}", *tool.arguments))
        of_program.append(line.partition("NOPASSWD: ")[2])
    assert sorted(allowed()) == sorted(of_program)


def test_visudo_accepts_the_sudoers_file():
    need("visudo")
    visudo = shutil.which("visudo", path="/usr/sbin:/usr/bin")
    answer = subprocess.run(
        [visudo, "-c", "-f", SUDOERS], capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stderr) == (0, "")


def test_no_shipped_configuration_runs_the_plugin_itself_with_sudo():
    for file in CONTRIB.rglob("*"):
        if file.is_file() and file.suffix in (".cfg", ".conf", ".json"):
            assert not re.search(r"sudo\b.*bin/check_mccluster|prefix=.*sudo", file.read_text()), (
                file
            )


def test_pacemaker_accepts_the_acl(tmp_path):
    need("cibadmin")
    cib = tmp_path / "cib.xml"
    shutil.copy(SNAPSHOTS / "six-nodes-healthy/app01/cib.xml", cib)
    acl = CONTRIB / "pacemaker/monitor-acl.xml"
    command = ["cibadmin", "--create", "--scope", "configuration", "--xml-file", acl]
    environment = {**os.environ, "CIB_file": str(cib), "PATH": "/usr/sbin:/usr/bin:/bin"}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert '<acl_target id="nagios">' in cib.read_text()


# An ordinary user, in a mount namespace of its own: what is put there is seen by nobody else.

STAND_IN = """#!/bin/sh
# Answers as the tool answered root, or an ordinary user, on a real cluster.
case "${{0##*/}} $*" in
{cases}
*) echo "unexpected: $0 $*" >&2; exit 64 ;;
esac
if [ "$(id -u)" = 0 ]; then at={root}; else at={user}; fi
[ -e "$at/$file" ] && cat "$at/$file"
[ -e "$at/$file.err" ] && cat "$at/$file.err" >&2
exit "$(cat "$at/$file.rc" 2>/dev/null || echo 0)"
"""
ACCOUNT = """
grep -q ^nagios: /etc/passwd || {{
    echo 'nagios:x:64999:64999::/nonexistent:/bin/sh' >> {etc}/passwd
    echo 'nagios:x:64999:' >> {etc}/group
    echo 'nagios:*:19000::::::' >> {etc}/shadow
}}
"""
NAMESPACE = """set -e
cp -p /etc/passwd /etc/group /etc/shadow {etc}
{account}
for file in passwd group shadow sudoers; do mount --bind {etc}/$file /etc/$file; done
mount -t tmpfs -o mode=755 tmpfs /etc/sudoers.d
{sudoers}
mount -t tmpfs -o mode=755 tmpfs /usr/sbin
for tool in {tools}; do cp {folder}/stand-in /usr/sbin/$tool; done
mount -t tmpfs -o mode=755 tmpfs /sys/module
mkdir /sys/module/drbd
echo 9.2.18 > /sys/module/drbd/version
cd /
set +e
{command}
"""
AS_NAGIOS = (
    "setpriv --reuid nagios --regid nagios --clear-groups --inh-caps=-all env -i PATH=/usr/bin"
)


class Node:
    """The healthy app01 with stand-ins for its tools, and an ordinary user nagios."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = install_plugin(folder)
        self.healthy = folder / "healthy"
        shutil.copytree(SNAPSHOTS / "six-nodes-healthy/app01", self.healthy)
        shutil.copytree(SNAPSHOTS / "six-nodes-healthy-as-nagios/app01", folder / "denied")
        cases = "\n".join(
            f'"{each.name} {" ".join(each.arguments)}") file={each.file} ;;' for each in RECORDED
        )
        stand_in = STAND_IN.format(cases=cases, root=self.healthy, user=folder / "denied")
        (folder / "stand-in").write_text(stand_in)
        (folder / "stand-in").chmod(0o755)
        own(folder)
        etc = folder / "etc"
        etc.mkdir(mode=0o755)
        (etc / "sudoers").write_text("@includedir /etc/sudoers.d\n")
        for file in (folder / "stand-in", etc / "sudoers"):
            shutil.chown(file, "root", "root")
        (etc / "sudoers").chmod(0o440)

    def run(self, command: str, *, sudoers: bool = True) -> subprocess.CompletedProcess[str]:
        """A command of nagios, with or without the shipped sudoers file installed."""
        etc = self.folder / "etc"
        install = f"install -o root -g root -m 0440 {SUDOERS} /etc/sudoers.d/check_mccluster"
        script = NAMESPACE.format(
            etc=etc,
            account=ACCOUNT.format(etc=etc),
            sudoers=install if sudoers else "",
            tools=" ".join(sorted({tool.name for tool in RECORDED})),
            folder=self.folder,
            command=f"{AS_NAGIOS} {command}",
        )
        return subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def check(self, name: str, *options: str, **how: bool) -> subprocess.CompletedProcess[str]:
        return self.run(f"{self.program} {name} --node app01 {' '.join(options)}", **how)


@pytest.fixture(scope="module")
def node():
    need("sudo", "unshare", "setpriv")
    if subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0:
        pytest.skip("this machine allows no mount namespace")
    folder = Path(tempfile.mkdtemp(prefix="check_mccluster-permissions-"))
    folder.chmod(0o755)
    yield Node(folder)
    shutil.rmtree(folder)


@pytest.mark.root
@pytest.mark.parametrize("name", [name for name in registry.names() if name != "cluster"])
def test_with_the_sudoers_file_an_ordinary_user_gets_the_verdict(node, name, call):
    due = call(name, "--from", node.healthy)
    answer = node.check(name, "--sudo")
    assert (answer.returncode, answer.stdout, answer.stderr) == (due.code, due.out, "")
    assert due.code == 0


READ_BY_ALL = {"drbd-role", "drbd-disk", "drbd-mesh", "drbd-quorum", "drbd-sync"}


@pytest.mark.root
@pytest.mark.parametrize("name", [name for name in registry.names() if name != "cluster"])
def test_without_sudo_an_ordinary_user_is_told_what_to_grant(node, name):
    answer = node.check(name, "-v")
    assert answer.stderr == ""
    if name in READ_BY_ALL:
        assert (answer.returncode, "denied" in answer.stdout) == (0, False)
    else:
        assert answer.returncode == 3
        assert "[UNKNOWN] tool-denied: " in answer.stdout


@pytest.mark.root
def test_without_the_sudoers_file_the_verdict_names_its_missing_lines(node):
    answer = node.check("overview", "--sudo", "-v", sudoers=False)
    assert answer.returncode == 3
    line = r"sudoers needs: nagios ALL=\(root\) NOPASSWD: (.*?)(?: \(follows from: .*?\))? ->"
    named = re.findall(line, answer.stdout)
    # quorum does without corosync-quorumtool.
    assert {*named, "/usr/sbin/corosync-quorumtool -s"} == set(allowed())


@pytest.mark.root
@pytest.mark.parametrize(
    "command",
    [
        "corosync-cmapctl -s totem.token u32 1",
        "corosync-cfgtool -H",
        "corosync-quorumtool -e 1",
        "cibadmin --erase --force",
        "crm_mon -1",
        "drbdsetup down r0",
    ],
)
def test_sudo_refuses_every_other_argument(node, command):
    answer = node.run(f"sudo -n /usr/sbin/{command}")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == "sudo: a password is required\n"
