"""What each command may load, and who may import whom."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from check_mccluster.checks import registry
from standins.machine import SOURCES

PACKAGE = SOURCES / "check_mccluster"
HEALTHY = Path(__file__).parents[1] / "fixtures" / "snapshots" / "six-nodes-healthy"
CHECKS = registry.names()

LAYERS = {
    "model": {"model"},
    "verdict": {"verdict", "model"},
    "acquire": {"acquire"},
    "read": {"read", "model"},
    "inputs": {"inputs", "acquire", "read", "verdict", "model"},
    "judge": {"judge", "inputs", "verdict", "model"},
    "checks": {"judge", "inputs", "verdict", "model"},
    "present": {"present", "judge", "inputs", "verdict", "model", "__version__"},
}
"""What the modules of a folder may import of the package."""

MORE = {
    "checks.overview": {"checks.registry"},
    "checks.cluster": {"checks.nodes", "checks.overview"},
    "checks.registry": {"checks"},
}
"""Exceptions by module."""

OUTSIDE = {
    "lxml": {"read.xmlstream"},
    "nagiosplugin": {"present.plugin", "app.options", "app.memory"},
    "click": {
        "app.cli",
        "app.completing",
        "app.help",
        "app.options",
        "present.layout",
    },  # there for the colours of the terminal
}
"""Who may import a library; ``app.commands`` may import click, too."""


RUN = """
import sys
from check_mccluster.app.cli import main
try:
    main(sys.argv[1:])
finally:
    print(*sys.modules, sep="\\n", file=sys.stderr)
"""


def loaded(*arguments: str) -> set[str]:
    """The modules that are there when the program ends, with exit code 0."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        env={"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return set(done.stderr.splitlines())


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_loads_what_it_needs(check):
    modules = loaded(check, "--from", str(HEALTHY / "app01"))
    prefix = "check_mccluster.checks."
    ours = {name.removeprefix(prefix) for name in modules if name.startswith(prefix)}
    if check not in registry.WHOLE:
        assert ours == {"registry", check.replace("-", "_")}
    if check.startswith("drbd-"):
        assert "lxml" not in modules
    assert "importlib.metadata" not in modules
    assert not any(name.startswith("check_mccluster.app.commands.") for name in modules)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it; the package's own without its name."""
    folder = ("check_mccluster", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = folder[: len(folder) - node.level + 1] if node.level else ()
            name = ".".join((*base, *(node.module or "").split("."))).strip(".")
            whole = node.module is None or is_package(name)
            yield from (f"{name}.{alias.name}" for alias in node.names) if whole else [name]


def is_package(name: str) -> bool:
    """Whether it is a folder of ours, so that what is imported from it are modules."""
    parts = name.split(".")
    return parts[0] == "check_mccluster" and PACKAGE.joinpath(*parts[1:]).is_dir()


FILES = sorted(PACKAGE.rglob("*.py"))


def own(path: Path) -> set[str]:
    prefix = "check_mccluster."
    return {name[len(prefix) :] for name in imports(path) if name.startswith(prefix)}


def in_a_layer(path: Path) -> bool:
    """Whether a module is in a layer: those at the top and the commands bring them together."""
    layer = module_of(path).partition(".")[0]
    return layer in LAYERS and path.is_relative_to(PACKAGE / layer)


@pytest.mark.parametrize("path", [p for p in FILES if in_a_layer(p)], ids=module_of)
def test_imports_go_one_way(path):
    module = module_of(path)
    layer = module.partition(".")[0]
    allowed = LAYERS[layer] | MORE.get(module, set())
    wrong = [
        name
        for name in own(path)
        if not any(name == each or name.startswith(f"{each}.") for each in allowed)
    ]
    assert wrong == []


PRESENTERS = sorted((PACKAGE / "present").glob("*.py"))


@pytest.mark.parametrize("path", PRESENTERS, ids=module_of)
def test_a_presenter_is_handed_its_picture_and_asks_judge_nothing(path):
    """What it takes of judge are types of data: no function, and no module to reach into."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("judge"):
            continue
        module = importlib.import_module(f"check_mccluster.{node.module}")
        for each in node.names:
            taken = getattr(module, each.name, None)
            assert isinstance(taken, type), f"{each.name} of {node.module}"
            assert issubclass(taken, tuple), f"{each.name} of {node.module}"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_checks_do_not_import_each_other(path):
    module = module_of(path)
    if module.startswith("checks.") and module not in MORE:
        assert [name for name in own(path) if name.startswith("checks")] == []


@pytest.mark.parametrize("library", OUTSIDE)
def test_a_library_has_its_importers(library):
    found = {
        module_of(path)
        for path in FILES
        if any(name.partition(".")[0] == library for name in imports(path))
    }
    assert {m for m in found if not (library == "click" and m.startswith("app.commands."))} == (
        OUTSIDE[library]
    )
