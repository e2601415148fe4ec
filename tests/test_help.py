"""Help: what a command answers, on one screen of 80 columns, with an example that works."""

from __future__ import annotations

import re
import shlex
import shutil
import tarfile

import click
import pytest

from check_mccluster.app import cli, commands
from check_mccluster.app.help import LINES
from check_mccluster.app.options import check_options
from check_mccluster.checks import registry
from conftest import FIXTURES
from standins.machine import Machine

HEALTHY = FIXTURES / "snapshots" / "six-nodes-healthy"
COMMANDS = cli.cli.list_commands(click.Context(cli.cli))


def command_lines() -> list[tuple[str, ...]]:
    """Every command, those inside of groups too."""
    lines: list[tuple[str, ...]] = []
    for name in COMMANDS:
        context = click.Context(cli.cli)
        command = cli.cli.get_command(context, name)
        lines.append((name,))
        if isinstance(command, click.Group):
            lines += [(name, inner) for inner in command.list_commands(context)]
    return lines


@pytest.mark.parametrize("line", command_lines(), ids=" ".join)
def test_help_is_short_lines_a_sentence_and_an_example(call, line):
    outcome = call(*line, "--help")
    assert all(len(each) <= 80 for each in outcome.lines)
    body = [each for each in outcome.lines[1:] if each.strip()]
    assert body[0].startswith("  ")
    sentence = " ".join(each.strip() for each in body[:3])
    assert "." in sentence or "?" in sentence
    *_, last = outcome.out.strip().split("\n\n")
    assert last.strip().startswith("Example: check_mccluster"), last


@pytest.mark.parametrize("line", [(), *command_lines()], ids=" ".join)
def test_help_is_one_screen(call, line):
    outcome = call(*line, "--help")
    assert len(outcome.lines) <= LINES
    assert all(len(each) <= 80 for each in outcome.lines)


def test_the_first_screen_names_every_command_once(call):
    first, _, _ = call("--help").out.partition("Example:")
    words = re.findall(r"^  ([a-z]+) ", first, re.MULTILINE)
    words += re.findall(r"[a-z-]+", first.partition("3 UNKNOWN):")[2])
    assert sorted(words) == sorted(COMMANDS)


def test_everything_is_told_where_all_is_asked_for(call):
    words = call("--help-all").out.split()
    assert set(COMMANDS) <= {*words}
    for name in registry.names():
        outcome = call(name, "--help-all")
        assert outcome.code == 3
        flags = {flag for option in check_options(registry.load(name)) for flag in option.opts}
        hidden = set() if registry.load(name).filters else {"-r", "--resource"}
        told = set(re.findall(r"^  (-\S+?),? ", outcome.out, re.M))
        told |= set(re.findall(r"^  -., (--\S+)", outcome.out, re.M))
        assert flags - hidden <= told
        named = {word.strip("[].") for word in call(name, "--help").out.split()}
        for option in check_options(registry.load(name)):
            if option.opts[0] not in hidden:
                assert {opt + "," for opt in option.opts} & named or {*option.opts} & named


@pytest.fixture
def place(tmp_path):
    """A working directory on an application server: its tools and ssh answer as recorded."""
    twice = tmp_path / "app02"  # with a second reading of DRBD
    shutil.copytree(HEALTHY / "app02", twice)
    shutil.copy(twice / "drbd-status.json", twice / "drbd-status.2.json")
    machine = Machine(tmp_path / "machine", twice)
    work = tmp_path / "work"
    work.mkdir()
    for name in ("app01", "app02", "storage01"):
        with tarfile.open(work / f"{name}.tar.gz", "w:gz") as archive:
            archive.add(HEALTHY / name, name)
    shutil.copytree(HEALTHY / "app01", work / "yesterday")
    shutil.copytree(FIXTURES / "snapshots/storage-servers-lost/app01", work / "today")
    ssh = machine.bin / "ssh"  # ssh OPTIONS -- TARGET COMMAND
    ssh.write_text(
        f'#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nexec /bin/cat {work}/$2.tar.gz\n'
    )
    ssh.chmod(0o755)
    return machine, work


@pytest.mark.slow
@pytest.mark.parametrize("line", [(), *command_lines()], ids=" ".join)
def test_the_example_in_the_help_runs_over_a_recorded_cluster(call, place, line, monkeypatch):
    machine, work = place
    told = call(*line, "--help").out.rpartition("Example: ")[2].partition("   ")[0]
    program, *words = shlex.split(told)
    assert program == "check_mccluster"
    assert (*words, "")[: len(line)] == line
    monkeypatch.chdir(work)
    words = [str(work / word[5:]) if word.startswith("/tmp/") else word for word in words]
    known = "--node" in call(*line, "--help").out and "--from" not in words
    here = ["--node", "app02"] if known else []
    ran = machine.launch(*words[: len(line)], *here, *words[len(line) :])
    assert ran.err == ""
    assert ran.code in (0, 1), ran.out
    assert ran.out or "-o" in words or "--output" in words or words[0] == "snapshot"


def test_the_list_of_commands_says_what_each_says_of_itself_without_loading_any():
    context = click.Context(cli.cli)
    others = [n for n in cli.cli.list_commands(context) if n not in registry.names()]
    loaded = {name: cli.cli.get_command(context, name) for name in others}
    assert {n: c.get_short_help_str(60) for n, c in loaded.items()} == dict(commands.SHORT_HELP)
    for name in registry.names():
        assert registry.question(name) == registry.load(name).question
