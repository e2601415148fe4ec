"""What each command may load, and who may import whom."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from check_mccluster.checks import registry
from check_mccluster.verdict.check import Check
from standins.machine import SOURCES

PACKAGE = SOURCES / "check_mccluster"
HERE = Path(__file__).parent
HEALTHY = Path(__file__).parents[1] / "fixtures" / "snapshots" / "six-nodes-healthy"
CHECKS = registry.names()

LAYERS = {
    "model": {"model", "values"},
    "verdict": {"verdict", "model", "values"},
    "acquire": {"acquire", "values"},
    "read": {"read", "model", "values"},
    "inputs": {"inputs", "acquire", "read", "verdict", "model", "values"},
    "judge": {"judge", "inputs", "verdict", "model", "values"},
    "checks": {"judge", "inputs", "verdict", "model", "values"},
    "present": {"present", "judge", "inputs", "verdict", "model", "values", "__version__"},
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
%s
print(*sys.modules, sep="\\n", file=sys.stderr)
"""
PROGRAM = """
import check_mccluster.__main__
from check_mccluster.app.cli import main
try:
    main()
except SystemExit:
    pass
"""
LIVE = """
try:
    import standins.launch
except SystemExit:
    pass
"""
"""The program on a machine whose tools replay a snapshot."""


@cache
def loaded(code: str, *arguments: str, path: str = "") -> frozenset[str]:
    """The modules that are there once *code* has run."""
    done = subprocess.run(
        [sys.executable, "-c", RUN % code, *arguments],
        env={"PYTHONPATH": f"{SOURCES}:{HERE}", "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "UNKNOWN -" not in done.stdout
    return frozenset(done.stderr.splitlines())


def parts(*arguments: str, beside: str = "") -> tuple[set[str], set[str]]:
    """What a command line loads of the package, and of all else.

    :param beside: what it may load, with all that this loads itself; the libraries are known.
    """
    modules = loaded(PROGRAM, *arguments)
    prefix = "check_mccluster."
    ours = {name.removeprefix(prefix) for name in modules if name.startswith(prefix)}
    xml = "lxml.etree" if "lxml" in modules else ""
    names = ("click", "gc", "json", "nagiosplugin", "signal", *xml.split(), *beside.split())
    floor = loaded(f"import {', '.join(names)}")
    return ours - FOLDERS, modules - floor - {prefix + name for name in ours} - {prefix[:-1]}


FOLDERS = {"judge.facts", "app.commands", *(each.name for each in PACKAGE.iterdir())}

START = {
    *(
        "__main__",
        "acquire.interrupts",
        "values",
        "app.cli",
        "app.deadline",
        "app.help",
        "checks.registry",
    ),
    "model.config",
    *("verdict.check", "verdict.filter", "verdict.finding", "verdict.subject", "verdict.view"),
    "verdict.words",
}
"""Whatever is asked."""

CHECK = START | {
    *("acquire.snapshot", "acquire.source", "acquire.tools", "app.options", "app.session"),
    *("inputs.base", "inputs.evidence", "judge.engine", "present.plugin", "present.text"),
    *("read.errors", "verdict.problems"),
}
"""Every check, of a recording."""

PACEMAKER = {"model.configuration", "model.pacemaker", "read.xmlstream"}
DRBD = {"inputs.drbdsetup", "model.drbd", "model.words", "read.drbd_json"}
COROSYNC = {"inputs.corosync", "model.corosync", "read.corosync"}
READING = {
    "crm_mon": {"inputs.crm_mon", "read.crm_mon", "model.words", *PACEMAKER},
    "crm_mon (installed)": {"inputs.crm_mon"},
    "cibadmin": {"inputs.cibadmin", "inputs.crm_mon", "read.cib", "model.words", *PACEMAKER},
    "crm_simulate": {"inputs.crm_simulate", "model.simulation"},
    "corosync-cfgtool": {"inputs.corosync_cfgtool", *COROSYNC},
    "corosync-cmapctl": {"inputs.corosync_cmapctl", *COROSYNC},
    "corosync-quorumtool": {"inputs.corosync_quorumtool", *COROSYNC},
    "drbdsetup": {"read.drbd_status", *DRBD},
    "drbdsetup (second reading)": DRBD,
    "drbdsetup show": {"read.drbd_show", *DRBD},
}
"""What an input loads; what is read with others is compared with them, too."""

JUDGING = {
    "drbd-disk": "facts.drbd facts.mending",
    "drbd-role": "facts.drbd",
    "drbd-mesh": "facts.drbd facts.mending",
    "drbd-quorum": "facts.drbd facts.in_flight facts.mending",
    "drbd-sync": "facts.comparing facts.drbd facts.mending",
    "nodes": "facts.happened facts.pacemaker",
    "quorum": "facts.pacemaker facts.reaching facts.votes",
    "links": "facts.reaching",
    "resources": "clones facts.pacemaker groups instances reasons",
    "failures": "candidates facts.pacemaker inputs.cibadmin",
    "fencing": "facts.fencing facts.pacemaker reasons inputs.drbdsetup",
    "placement": "candidates facts.mapping facts.pacemaker",
    "consistency": "facts.drbd facts.mapping facts.pacemaker",
    "failover": (
        "candidates facts.drbd facts.fencing facts.location facts.loss facts.mapping"
        " facts.pacemaker facts.votes outlook"
        " promotion single_point takeover"
    ),
    "timing": "facts.mapping",
}
"""What the rule of each check loads of ``judge``, and keys of inputs that it does not read."""


def reading(check: Check) -> set[str]:
    """What a check loads to read what it asks for."""
    keys = {*check.needs, *check.uses, *check.hints}
    compared = {"judge.belongs"} if len(keys) > 1 else set()
    return compared.union(*(READING[key.name] for key in keys))


def judging(check: str) -> set[str]:
    names = JUDGING[check].split()
    return {name if name.startswith("inputs.") else f"judge.{name}" for name in names}


SINGLE = [name for name in CHECKS if name not in registry.WHOLE]


@pytest.mark.parametrize("check", SINGLE)
def test_a_check_loads_what_it_needs(check):
    ours, others = parts(check, "--from", str(HEALTHY / "app01"))
    own = f"checks.{check.replace('-', '_')}"
    assert ours == CHECK | {own} | reading(registry.load(check)) | judging(check)
    assert others == set()
    assert ("read.xmlstream" in ours) == (not check.startswith("drbd-"))


def test_a_short_option_loads_no_more_than_the_long_one():
    rest = ("8", "--from", str(HEALTHY / "app01"))
    assert parts("drbd-disk", "-t", *rest) == parts("drbd-disk", "--timeout", *rest)


ASKING = {"acquire.live", "acquire.pump"}
"""What runs tools."""
NODE = {"inputs.corosync", "inputs.corosync_cmapctl", "inputs.crm_mon"}
"""What knows whether there is a node as ``--node`` has it."""


@pytest.mark.parametrize("check", ["nodes", "drbd-disk", "failover", "timing"])
def test_a_check_of_this_machine_loads_what_runs_tools_and_no_more(node, check):
    machine = node(HEALTHY / "app01")
    arguments = (str(machine.root), check, "--node", machine.node)
    live = loaded(LIVE, *arguments, path=str(machine.bin))
    recorded = loaded(PROGRAM, check, "--from", str(HEALTHY / "app01"))
    floor = loaded("import fcntl, pwd, selectors, shlex, subprocess, termios")
    more = live - recorded - floor - {"standins", "standins.launch"}
    ours = {name.removeprefix("check_mccluster.") for name in more}
    assert ASKING <= ours <= ASKING | NODE


def everything() -> set[str]:
    """What all checks in one run load."""
    single = set().union(*(reading(registry.load(name)) | judging(name) for name in SINGLE))
    checks = {f"checks.{name.replace('-', '_')}" for name in (*SINGLE, "overview")}
    whole = {"inputs.every", "judge.beside", "judge.causes", "judge.faults", "judge.facts.happened"}
    whole |= {"judge.one_fault", "verdict.alike"}  # many of which the same is said are one
    return CHECK | single | checks | whole


WHOLE = {
    "overview": ("present.plugin", ""),
    "checkmk": ("app.commands.checkmk judge.fold present.checkmk", "locale"),
    "status": (
        "app.commands.status app.screen app.several checks.cluster judge.both_ends"
        " judge.cluster_causes judge.essence judge.futures judge.hanging judge.mesh"
        " judge.partitions judge.picture judge.whole"
        " present.drbd_words present.faults present.layout present.matrix present.terminal"
        " present.tree",
        "locale textwrap unicodedata",
    ),
    "metrics": (
        "app.commands.metrics judge.partitions judge.picture present.metrics",
        "dataclasses locale pathlib",
    ),
}
"""What prints the whole, and what that loads of the standard library."""


@pytest.mark.parametrize("command", WHOLE)
def test_the_whole_loads_every_check_and_what_prints_it(command):
    more, beside = WHOLE[command]
    ours, others = parts(command, "--from", str(HEALTHY / "app01"), beside=beside)
    assert ours == (everything() - {"present.plugin"}) | set(more.split())
    assert others == set()


@pytest.mark.parametrize("words", [["--version"], ["--help"]])
def test_help_and_version_load_no_check(words):
    ours, others = parts(*words, beside="click._textwrap locale")
    assert ours == START
    assert others == set()
    assert "nagiosplugin" not in loaded(PROGRAM, *words)


def test_help_of_a_check_loads_that_check_and_no_reader():
    ours, _ = parts("drbd-disk", "--help")
    assert ours == START | {
        *("acquire.tools", "app.options", "checks.drbd_disk", "inputs.base", "inputs.drbdsetup"),
        *("judge.facts.drbd", "judge.facts.mending", "model.drbd"),
        *("model.words", "verdict.problems"),
    }


EXPLAIN = {
    *("acquire.source", "acquire.tools", "app.commands.explain", "app.completing", "app.nearest"),
    *("app.options", "app.session", "inputs.base", "inputs.corosync", "inputs.corosync_cfgtool"),
    *("inputs.corosync_cmapctl", "inputs.corosync_quorumtool", "inputs.crm_mon"),
    *("inputs.crm_simulate", "inputs.drbdsetup", "inputs.every", "inputs.evidence"),
    *("judge.belongs", "judge.both_ends", "judge.causes", "judge.cluster_causes", "judge.engine"),
    *("judge.essence", "judge.faults", "judge.futures", "judge.hanging", "judge.mesh"),
    *("judge.one_fault", "judge.partitions", "judge.whole", "model.configuration"),
    *("model.corosync", "model.drbd", "model.pacemaker", "model.simulation", "model.words"),
    *("present.text", "read.errors", "verdict.alike", "verdict.problems"),
}
"""What ``explain`` loads beside the rules: keys of inputs and models, no reader."""


@pytest.mark.parametrize("words", [["explain"], ["explain", "drbd-quorum-lost"]])
def test_explain_loads_the_kinds_of_all_checks_and_reads_nothing(words):
    ours, others = parts(*words, beside="locale pathlib textwrap")
    checks = {f"checks.{name.replace('-', '_')}" for name in (*SINGLE, "cluster")}
    advice = {"present.advice"} if words[1:] else set()
    assert ours == (START | EXPLAIN | checks | advice).union(*map(judging, SINGLE))
    assert others == set()
    assert not {"lxml", "nagiosplugin"} & loaded(PROGRAM, *words)


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


MANY_LINES = 400


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_a_long_module_says_why(path):
    text = path.read_text()
    if len(text.splitlines()) > MANY_LINES:
        assert "Long because " in ast.get_docstring(ast.parse(text))
