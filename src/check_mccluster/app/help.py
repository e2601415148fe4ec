"""Help that fits a terminal of 80 columns and 24 lines with its prompt; all on ``--help-all``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click

from .. import __version__

PROGRAM = "check_mccluster"

LINES = 23
"""At most so many: the prompt is the last line of the screen."""
_ALL = "check_mccluster.help-all"
_RARE = frozenset(
    {
        "state_dir",
        "fold",
        "speaker",
        "speak_after",
        "timeout",
        "max_age",
        "config",
        "node",
        "sudo",
        "as_json",
        "version",
        "--help",
    }
)
"""Options of every check that are named only, by click's names."""
GROUPS = (
    ("At a terminal", ("status", "explain", "whatif", "report", "diff", "snapshot", "topology")),
    ("For the monitoring", ("overview", "cluster", "active", "checkmk", "metrics", "zabbix")),
)
"""Where the commands stand that are no single check."""


def wants_all(ctx: click.Context) -> bool:
    """Whether ``--help-all`` asks."""
    return bool(ctx.meta.get(_ALL))


def _ending(flags: list[str], text: str, say: Callable[[click.Context], str]) -> click.Option:
    """An option that has something printed and ends, whatever else is on the line."""

    def show(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            click.echo(say(ctx), color=ctx.color)
            ctx.exit()

    return click.Option(
        flags, is_flag=True, is_eager=True, expose_value=False, callback=show, help=text
    )


def help_option() -> click.Option:
    """``-h``: click's own has its text translated, and looks for the file at every start."""
    return _ending(["-h", "--help"], "Show this message and exit.", click.Context.get_help)


def version_option() -> click.Option:
    """``-V``: prints the version and ends."""
    text = "Show the version and exit."
    return _ending(["-V", "--version"], text, lambda _: f"{PROGRAM} {__version__}")


def help_all_option() -> click.Option:
    """``--help-all``: prints everything and ends."""

    def everything(ctx: click.Context) -> str:
        ctx.meta[_ALL] = True
        return ctx.get_help()

    return _ending(["--help-all"], "Every option in full, and exit.", everything)


class CheckCommand(click.Command):
    """A check: its own options, of what all have those of a terminal, and the others' names.

    :param findings: the keys of its findings.
    """

    def __init__(self, name: str, *, findings: Sequence[str], **rest: Any) -> None:
        super().__init__(name, **rest)
        self._findings = findings

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Short options as if they were written out.

        click looks for them among the long ones first, and loads difflib to tell what resembles
        one that is not there: 2 ms.
        """
        long = {short: option.opts[-1] for option in self.params for short in option.opts[:-1]}
        return super().parse_args(ctx, [long.get(arg, arg) for arg in args])

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The question, then the keys; click would break these at their hyphens."""
        super().format_help_text(ctx, formatter)
        if self._findings:
            formatter.write("\n")
            for line in _wrapped(f"Findings: {', '.join(self._findings)}."):
                formatter.write(f"  {line}\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Every option, or those of one screen and the names of the others."""
        if wants_all(ctx):
            super().format_options(ctx, formatter)
            return
        rare = [each for each in self.get_params(ctx) if {each.name, *each.opts} & _RARE]
        shown = [each for each in self.get_params(ctx) if each not in rare]
        rows = [row for each in shown if (row := each.get_help_record(ctx)) is not None]
        with formatter.section("Options"):
            formatter.write_dl(rows, col_max=20)
            names = " ".join(option.opts[0] for option in rare)
            for line in _wrapped(f"Also {names}"):
                formatter.write(f"  {line}\n")


def _wrapped(text: str) -> Iterator[str]:
    import textwrap

    yield from textwrap.wrap(text, 76, break_on_hyphens=False, break_long_words=False)


def write_commands(
    formatter: click.HelpFormatter, others: dict[str, str], checks: dict[str, str]
) -> None:
    """The list of commands: what an operator types, what the monitoring calls, the single checks.

    :param others: commands that are no check, with what they do.
    :param checks: checks, with the question that each answers.
    """
    questions = {**others, **checks}
    placed = [name for _, names in GROUPS for name in names]
    for title, names in GROUPS:
        formatter.write(f"{title}:\n")
        known = [name for name in names if name in questions]
        if title == GROUPS[-1][0]:
            known += [name for name in others if name not in placed]
        for name in known:
            formatter.write(f"  {name:8}  {questions[name]}\n")
    formatter.write("One question each (exit code 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN):\n")
    for line in _wrapped(", ".join(name for name in checks if name not in placed)):
        formatter.write(f"  {line}\n")
