"""A machine whose tools replay a snapshot, and the program run on it as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import check_mccluster
from standins.replay import COMMANDS

HERE = Path(__file__).parent
SOURCES = Path(check_mccluster.__file__).parents[1]

FILES = {name: next(iter(files.values())) for name, files in COMMANDS.items() if name != "drbdadm"}
"""A tool is installed on the machine if the snapshot has this file."""


@dataclass(frozen=True)
class Ran:
    """What a process left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Machine:
    """Stand-ins in a ``PATH`` of their own, and a root directory with the kernel's files."""

    def __init__(self, path: Path, snapshot: Path) -> None:
        self.snapshot = snapshot
        self.bin = path / "bin"
        self.root = path / "root"
        self.bin.mkdir(parents=True)
        meta = json.loads((snapshot / "meta.json").read_text())
        self.node = meta["node"]
        tools = [name for name, file in FILES.items() if (snapshot / file).exists()]
        if "expected_drbd_resources" in meta:
            tools.append("drbdadm")
        for name in tools:
            wrapper = self.bin / name
            wrapper.write_text(
                f'#!/bin/sh\nexec "{sys.executable}" -I -S "{HERE}/replay.py"'
                f' "{self.bin}" {name} "$@"\n'
            )
            wrapper.chmod(0o755)
        module = meta.get("drbd_module", "9.2.18" if "drbdsetup" in tools else None)
        if module is not None:
            folder = self.root / "sys/module/drbd"
            folder.mkdir(parents=True)
            (folder / "version").write_text(f"{module}\n")
        self.fault()

    def fault(self, **faults: str) -> None:
        """Set faults by tool or file, as ``crm_mon="hang"``; see ``replay.py`` for the words.

        Of a name, dots and dashes are written as underscores.
        """
        names = (*FILES, *FILES.values(), "drbd-show.json", "drbd-status.2.json")
        known = {name.translate(_UNDERSCORES): name for name in names}
        settings = {
            "snapshot": str(self.snapshot),
            "faults": {known[name]: fault for name, fault in faults.items()},
        }
        (self.bin / "standin.json").write_text(json.dumps(settings))

    def run(self, *arguments: object) -> Ran:
        """Run the program here, judging this node."""
        return self.launch(*arguments, "--node", self.node)

    def launch(self, *arguments: object) -> Ran:
        """Run the program here."""
        done = subprocess.run(
            [sys.executable, str(HERE / "launch.py"), str(self.root), *map(str, arguments)],
            env={**os.environ, "PATH": str(self.bin), "PYTHONPATH": str(SOURCES)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    @property
    def calls(self) -> list[str]:
        """The command lines run so far, sorted."""
        return sorted(_lines(self.bin / "calls"))

    @property
    def hung(self) -> list[int]:
        """Ids of the processes that were made to hang."""
        return list(map(int, _lines(self.bin / "pids")))


_UNDERSCORES = str.maketrans(".-", "__")


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
