"""What others rely on from outside: help, version, exit codes, the installed program."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from check_mccluster import __version__
from check_mccluster.app.cli import cli
from check_mccluster.checks import registry
from standins.machine import SOURCES

HEALTHY = Path(__file__).parents[1] / "fixtures" / "snapshots" / "six-nodes-healthy"
CHECKS = registry.names()
COMMANDS = cli.list_commands(click.Context(cli))
OTHERS = [name for name in COMMANDS if name not in CHECKS]

POLICY = (
    "nodes quorum links resources failures fencing placement"
    " drbd-role drbd-disk drbd-mesh drbd-quorum drbd-sync"
    " consistency failover timing overview cluster"
)


def subcommands(name: str) -> list[list[str]]:
    """A command, and those below it if it is a group."""
    command = cli.get_command(click.Context(cli), name)
    below = command.list_commands(click.Context(command)) if hasattr(command, "commands") else []
    return [[name], *([name, each] for each in below)]


EVERY = [words for name in COMMANDS for words in subcommands(name)]


def test_the_checks_are_those_of_the_policy_in_its_order():
    assert list(CHECKS) == POLICY.split()


def test_the_checks_are_listed_before_the_other_commands():
    assert COMMANDS[: len(CHECKS)] == list(CHECKS)
    assert {"explain", "snapshot", "topology"} <= set(OTHERS)


@pytest.mark.parametrize("words", [[], *EVERY], ids=" ".join)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_fits_a_terminal_of_80_columns(call, words, option):
    outcome = call(*words, option)
    assert outcome.code == (3 if words and words[0] in CHECKS else 0)
    assert outcome.lines[0].startswith(f"Usage: check_mccluster {' '.join(words)}".rstrip())
    assert [line for line in outcome.lines if len(line) > 80] == []
    assert outcome.out.isascii()
    assert "Example: check_mccluster" in outcome.out or len(words) == 1


@pytest.mark.parametrize("check", CHECKS)
def test_the_help_of_a_check_says_what_it_answers_and_finds(call, check):
    text = " ".join(call(check, "-h").out.split())
    description = registry.load(check)
    assert description.question in text
    assert description.example.startswith(f"check_mccluster {check}")
    assert description.example in text
    for kind in description.kinds:
        assert kind.key in text


@pytest.mark.parametrize("words", [[], *([name] for name in CHECKS)], ids=" ".join)
@pytest.mark.parametrize("option", ["-V", "--version"])
def test_the_version(call, words, option):
    outcome = call(*words, option)
    assert outcome.lines == [f"check_mccluster {__version__}"]
    assert outcome.code == (3 if words else 0)


def test_without_arguments_the_help_is_shown_and_nothing_is_ok(call):
    outcome = call()
    assert outcome.code == 3
    assert outcome.lines[0].startswith("Usage: check_mccluster")


@pytest.mark.parametrize("words", [["bogus"], ["--bogus"], ["explain", "a", "b"], ["snapshot"]])
def test_a_usage_error_is_one_line_and_unknown(call, words):
    outcome = call(*words)
    assert (outcome.code, len(outcome.lines)) == (3, 1)
    assert outcome.out.startswith("CHECK_MCCLUSTER UNKNOWN - ")


@pytest.mark.parametrize("check", CHECKS)
def test_the_same_input_gives_the_same_bytes(call, check):
    first, second = (call(check, "--from", HEALTHY / "app01", "-vv") for _ in range(2))
    assert first == second


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("node", ["app01", "app02", "app03", "storage01"])
def test_a_healthy_cluster_is_ok_without_an_option(call, check, node):
    outcome = call(check, "--from", HEALTHY / node)
    if node == "storage01" and not check.startswith("drbd-") and check not in registry.WHOLE:
        assert outcome.code == 3
    else:
        assert (outcome.code, outcome.first.partition(" - ")[0]) == (0, f"{check.upper()} OK")
    assert len(outcome.first) <= 160
    assert outcome.out.isascii()
    assert outcome.lines[0].count("|") <= 1


def run(*argv: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        argv,
        env={"PYTHONPATH": str(SOURCES), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_module_runs_as_a_program():
    done = run(sys.executable, "-m", "check_mccluster", "nodes", "--from", str(HEALTHY / "app01"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("NODES OK - 3 of 3 nodes online, DC app02 | ")


def test_the_installed_script_runs():
    script = shutil.which("check_mccluster", path=str(Path(sys.executable).parent))
    if script is None:
        pytest.skip("the package is not installed in this environment")
    done = run(script, "nodes", "--from", str(HEALTHY / "app01"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("NODES OK - 3 of 3 nodes online, DC app02 | ")


def test_a_locale_without_utf_8_is_no_obstacle():
    done = subprocess.run(
        [sys.executable, "-m", "check_mccluster", "overview", "--from", str(HEALTHY / "app01")],
        env={"PYTHONPATH": str(SOURCES), "LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
