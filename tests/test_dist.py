"""The sdist and the wheel: what is in them, and that the tests run from the sdist."""

from __future__ import annotations

import re
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from conftest import ROOT
from packages import VERSION, clean_tree, run

pytestmark = pytest.mark.package

SDIST = f"check_mccluster-{VERSION}"

FOR_PACKAGERS = (
    ".ci/run",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "bench/measure.py",
    "contrib/collect/mccluster-collect",
    "contrib/config/cluster.toml",
    "contrib/icinga2/services.conf",
    "contrib/sudoers/check_mccluster",
    "contrib/zabbix/6.0/template_mccluster.yaml",
    "debian/rules",
    "docs/checks/nodes.md",
    "docs/release.md",
    "fixtures/PROVENANCE.md",
    "fixtures/snapshots/six-nodes-healthy/app01/meta.json",
    "man/check_mccluster.1",
    "ocf/drbd-no-primary",
    "rpm/check_mccluster.spec",
    "tests/build.py",
    "tests/cluster/verdicts.py",
    "tests/conftest.py",
    "tests/standins/machine.py",
    "tests/test_docs.py",
    "tools/docs.py",
    "tools/rpm",
    "typings/nagiosplugin/__init__.pyi",
)


@pytest.fixture(scope="module")
def dist(package_tools, tmp_path_factory) -> Path:
    """An sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    tree = clean_tree(folder / "tree")
    run(package_tools / "python", "-m", "build", "--outdir", folder / "dist", tree)
    return folder / "dist"


def test_the_index_would_take_both(dist, package_tools):
    files = sorted(dist.iterdir())
    assert [file.name for file in files] == [f"{SDIST}-py3-none-any.whl", f"{SDIST}.tar.gz"]
    answer = run(package_tools / "twine", "--no-color", "check", "--strict", *files).stdout
    assert answer.count("PASSED") == 2


def test_the_sdist_holds_what_a_packager_needs_and_nothing_that_lies_about(dist):
    with tarfile.open(dist / f"{SDIST}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert [name for name in FOR_PACKAGERS if name not in names] == []
    recordings = {each.name for each in (ROOT / "fixtures/snapshots").iterdir()}
    assert recordings == {n.split("/")[2] for n in names if n.startswith("fixtures/snapshots/")}
    assert [name for name in names if re.search(r"__pycache__|\.pyc$|(^|/)\.venv", name)] == []


def test_the_manifest_names_what_is_in_version_control(package_tools):
    if not (ROOT / ".git").exists():
        pytest.skip("not in version control")
    answer = run(package_tools / "check-manifest", ROOT)
    assert "lists of files in version control and sdist match" in answer.stdout + answer.stderr


def test_the_wheel_holds_the_program_the_agent_and_the_manual_page(dist):
    with zipfile.ZipFile(dist / f"{SDIST}-py3-none-any.whl") as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(f"{SDIST}.dist-info/METADATA").decode()
        entry = wheel.read(f"{SDIST}.dist-info/entry_points.txt").decode()
    package = ROOT / "src/check_mccluster"
    modules = {str(file.relative_to(package.parent)) for file in package.rglob("*.py")}
    others = {name for name in names - modules if ".dist-info/" not in name}
    assert modules <= names
    assert others == {
        "check_mccluster/py.typed",
        f"{SDIST}.data/data/share/man/man1/check_mccluster.1",
        f"{SDIST}.data/scripts/drbd-no-primary",
    }
    assert f"\nVersion: {VERSION}\n" in metadata
    assert "\nRequires-Python: >=3.9\n" in metadata
    assert re.search(r"^check_mccluster = check_mccluster\.__main__:main$", entry, re.M)


def test_a_packager_can_run_the_tests_from_the_sdist(dist, tmp_path):
    shutil.unpack_archive(dist / f"{SDIST}.tar.gz", tmp_path, filter="data")
    pytest_ = [Path(shutil.which("pytest") or "pytest"), "-q", "-p", "no:cacheprovider"]
    some = ["tests/test_docs.py", "tests/test_check_nodes.py", "tests/test_check_drbd_disk.py"]
    answer = run(*pytest_, "-o", "pythonpath=src tests", *some, cwd=tmp_path / SDIST).stdout
    assert re.search(r"^\d{2,} passed", answer, re.M)
    assert "skipped" not in answer
