"""Help: one sentence that says what a command answers, 80 columns, an example that works."""

from __future__ import annotations

import shlex
import shutil

import click
import pytest

from check_mccluster.app import cli, commands
from check_mccluster.checks import registry
from conftest import FIXTURES

HEALTHY = FIXTURES / "snapshots" / "six-nodes-healthy" / "app02"
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


@pytest.fixture
def snapshot(tmp_path):
    """The healthy node with a second reading of DRBD."""
    folder = tmp_path / "app02"
    shutil.copytree(HEALTHY, folder)
    shutil.copy(folder / "drbd-status.json", folder / "drbd-status.2.json")
    return folder


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


@pytest.mark.parametrize("name", registry.names())
def test_the_example_of_a_check_works(call, snapshot, name):
    example = shlex.split(registry.load(name).example)
    assert example[:2] == ["check_mccluster", name]
    outcome = call(*example[1:], "--from", snapshot)
    assert outcome.code in (0, 1), outcome.out


def test_the_list_of_commands_says_what_each_says_of_itself_without_loading_any():
    context = click.Context(cli.cli)
    others = [n for n in cli.cli.list_commands(context) if n not in registry.names()]
    loaded = {name: cli.cli.get_command(context, name) for name in others}
    assert {n: c.get_short_help_str(60) for n, c in loaded.items()} == dict(commands.SHORT_HELP)
    for name in registry.names():
        assert registry.question(name) == registry.load(name).question
