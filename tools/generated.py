"""What every tool that makes files does with them: write them, or look whether they are current."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def write_or_check(files: Mapping[Path, str]) -> None:
    """Write what is out of date; with ``--check`` change nothing, name it, and exit with 1.

    :param files: each file with the text that it should have.
    """
    tool, *arguments = sys.argv
    if arguments not in ([], ["--check"]):
        sys.exit(f"usage: {tool} [--check]")
    stale = [p for p, text in files.items() if not p.exists() or p.read_text() != text]
    if arguments:
        for path in stale:
            name = f"tools/{Path(tool).name}"
            sys.stdout.write(f"{path.relative_to(ROOT)} is out of date: run {name}\n")
        sys.exit(1 if stale else 0)
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path])
