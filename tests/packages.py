"""A clean Debian to install packages on, and the tree that they are built from."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Optional

from conftest import ROOT

VERSION = re.search(
    r'__version__ = "(.+)"', (ROOT / "src/check_mccluster/__init__.py").read_text()
)[1]

# Own mounts, which vanish with the command. A chroot has no /sys of the kernel's: what the test
# puts there is what the program sees.
CHROOT = 'mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'


def run(*command: object, **options) -> subprocess.CompletedProcess:
    """Run a command that must succeed; what it prints is kept for the failure."""
    done = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        **options,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def clean_tree(target: Path) -> Path:
    """A copy of what is in version control, or of the unpacked sdist."""
    if (ROOT / ".git").exists():
        names = run("git", "-C", ROOT, "ls-files", "-z").stdout.split("\0")[:-1]
        for name in names:
            copy = target / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy)
    else:
        unwanted = shutil.ignore_patterns("__pycache__", ".venv*", "*.egg-info", ".*_cache")
        shutil.copytree(ROOT, target, ignore=unwanted)
    return target


def readme_lines(name: str) -> str:
    """The block of the README that follows ``<!-- command: NAME -->``."""
    text = (ROOT / "README.md").read_text()
    return re.search(rf"<!-- command: {name} -->\n```sh\n(.*?)```", text, re.DOTALL)[1]


class System:
    """A folder with a Debian in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def make(cls, path: Path) -> System:
        run("debootstrap", "--variant=minbase", "bookworm", path)
        system = cls(path)
        system.write(
            "etc/apt/apt.conf.d/90test",
            'APT::Get::Assume-Yes "true";\nAPT::Install-Recommends "false";\n',
        )
        system.run("apt-get", "-q", "update")
        return system

    def copy(self, path: Path) -> System:
        run("cp", "-a", self.path, path)
        return System(path)

    def call(self, *command: str, user: Optional[str] = None) -> subprocess.CompletedProcess:
        """Run a command in it, as root or as *user*."""
        if user is not None:
            command = ("runuser", "-u", user, "--", *command)
        proxies = {key: value for key, value in os.environ.items() if key.endswith("_proxy")}
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", CHROOT, str(self.path), *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
            env={
                **proxies,
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": "/root",
                "LC_ALL": "C.UTF-8",
                "DEBIAN_FRONTEND": "noninteractive",
            },
        )

    def run(self, *command: str) -> str:
        """Run a command that must succeed as root; its output."""
        done = self.call(*command)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def read(self, name: str) -> str:
        return (self.path / name).read_text()

    def mode(self, name: str) -> int:
        return (self.path / name).lstat().st_mode & 0o7777

    def files(self) -> set[str]:
        """Every path, but for what the package manager keeps for itself."""
        own = (
            "var/lib/dpkg/",
            "var/lib/apt/",
            "var/lib/rpm",
            "var/cache/",
            "var/log/",
            "tmp/",
            "run/",
        )
        names = (str(path.relative_to(self.path)) for path in self.path.rglob("*"))
        return {name for name in names if not name.startswith(own)}

    def add_cluster(self, snapshot: Path) -> None:
        """The tools of a node, each answering root alone, and a DRBD module as loaded."""
        shutil.copytree(snapshot, self.path / "srv/snapshot")
        for tool, cases in {
            "crm_mon": {"-r -1 -X": "crm_mon.xml"},
            "cibadmin": {"--query": "cib.xml"},
            "corosync-quorumtool": {"-s": "corosync-quorumtool.txt"},
            "corosync-cfgtool": {"-s": "corosync-cfgtool.txt"},
            "corosync-cmapctl": {"": "corosync-cmapctl.txt"},
            "drbdsetup": {
                "status --json": "drbd-status.json",
                "show --json --show-defaults": "drbd-show.json",
            },
        }.items():
            lines = [f'"{words}") cat /srv/snapshot/{file} ;;' for words, file in cases.items()]
            script = ["#!/bin/sh", '[ "$(id -u)" = 0 ] || exit 77', 'case "$*" in', *lines]
            self.write(f"usr/sbin/{tool}", "\n".join([*script, "*) exit 78 ;;", "esac", ""]), 0o755)
        self.write("sys/module/drbd/version", "9.2.18\n")
