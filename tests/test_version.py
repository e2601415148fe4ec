"""The version: one place says it, tools/version puts it into the others."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

from check_mccluster import __version__
from conftest import ROOT

PLACES = (
    "CHANGELOG.md",
    "contrib/ansible/galaxy.yml",
    "contrib/collect/mccluster-collect",
    "debian/changelog",
    "man/check_mccluster.1",
    "rpm/check_mccluster.spec",
    "src/check_mccluster/__init__.py",
)


def version(tree, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, tree / "tools/version", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def copy(tmp_path):
    for name in (*PLACES, "tools/version"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_every_place_says_the_version():
    done = version(ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")


def test_a_place_that_says_another_one_is_named(tmp_path):
    tree = copy(tmp_path)
    spec = tree / "rpm/check_mccluster.spec"
    spec.write_text(re.sub(r"(?m)^Version: .*", "Version:        9", spec.read_text()))
    done = version(tree)
    assert done.returncode == 1
    assert done.stderr == f"rpm/check_mccluster.spec: 9, not {__version__}\n"


def test_the_changelog_may_be_ahead_of_the_version_and_keeps_what_it_has(tmp_path):
    tree = copy(tmp_path)
    changelog = tree / "CHANGELOG.md"
    ahead = changelog.read_text().replace("\n## ", "\n## 9.8.7 (unreleased)\n\n* More.\n\n## ", 1)
    changelog.write_text(ahead)
    assert version(tree).stdout == f"{__version__}\n"
    assert version(tree, "9.8.7").stdout == "9.8.7\n"
    assert changelog.read_text() == ahead


def test_a_new_version_goes_everywhere_and_a_second_time_changes_nothing(tmp_path):
    tree = copy(tmp_path)
    before = {name: (tree / name).read_text() for name in PLACES}
    assert version(tree, "9.8.7").stdout == "9.8.7\n"
    after = {name: (tree / name).read_text() for name in PLACES}
    for name in PLACES:
        assert "9.8.7" not in before[name]
        assert "9.8.7" in after[name]
    assert after["CHANGELOG.md"].count("\n## ") == before["CHANGELOG.md"].count("\n## ") + 1
    assert after["debian/changelog"].startswith(
        "check-mccluster (9.8.7) unstable; urgency=medium\n"
    )
    assert after["debian/changelog"].endswith(before["debian/changelog"])
    spec = after["rpm/check_mccluster.spec"]
    assert re.search(r"%changelog\n\* \w{3} \w{3} \d\d \d{4} .* - 9\.8\.7-1\n", spec)
    assert version(tree, "9.8.7").returncode == 0
    assert {name: (tree / name).read_text() for name in PLACES} == after
