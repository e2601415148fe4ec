"""The fixtures: each has a provenance, and they stay small."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
PROVENANCE = (FIXTURES / "PROVENANCE.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`]+)`", PROVENANCE))
FILES = sorted(path for path in FIXTURES.rglob("*") if path.is_file())
SNAPSHOTS = sorted(path.parent for path in FILES if path.name == "meta.json")
MIB = 1024 * 1024


def is_named(path: Path) -> bool:
    """Whether the file, or the folder of its node or scenario, stands in PROVENANCE.md."""
    relative = path.relative_to(FIXTURES)
    inside = Path(*relative.parts[1:])  # below documents/ or snapshots/
    names = {str(inside), *(str(parent) for parent in inside.parents)} - {"."}
    return not NAMED.isdisjoint(names)


def test_every_file_is_named_in_the_provenance():
    unnamed = [str(path.relative_to(FIXTURES)) for path in FILES if not is_named(path)]
    assert unnamed == ["PROVENANCE.md", "diagnosis.tsv"]


def test_every_snapshot_that_the_provenance_names_is_there():
    rows = re.findall(r"^\| `([\w.-]+/[\w.-]+)` \|", PROVENANCE, re.MULTILINE)
    folders = {str(path.relative_to(FIXTURES / "snapshots")) for path in SNAPSHOTS}
    assert len(rows) > 50
    assert [row for row in rows if row not in folders] == []


def test_all_together_are_small():
    assert sum(path.stat().st_size for path in FILES) < 4 * MIB


@pytest.mark.parametrize("folder", SNAPSHOTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_snapshot_knows_its_node_and_time(folder):
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    assert meta["node"] == folder.name
    assert re.fullmatch(r"2026-11-22T\d\d:\d\d:\d\dZ", meta["time"])


def test_no_file_holds_a_secret():
    secret = re.compile(r'"(?:shared-secret|passwd|password)"(?::| value=)\s*"[^"]')
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in FILES}
    assert [path for path, text in texts.items() if secret.search(text)] == []
