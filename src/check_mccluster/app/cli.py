"""The command line: click on the outside, exit codes 0 to 3 and no other, every word on stdout."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, Optional

import click

from ..checks import registry
from ..checks.registry import modules_of
from ..verdict.filter import Filter
from ..verdict.view import Asked, Judgement
from .deadline import Interrupted, deadline, end_on_signal
from .help import (
    PROGRAM,
    CheckCommand,
    help_all_option,
    help_option,
    version_option,
    wants_all,
    write_commands,
)

if TYPE_CHECKING:
    from .memory import Memory
    from .session import Setup

UNKNOWN = 3
_COMMANDS = os.path.join(os.path.dirname(__file__), "commands")
_COMPLETION = "_CHECK_MCCLUSTER_COMPLETE"
"""Set by a shell that asks click how a command line goes on."""
_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 80}


class Commands(click.Group):
    """Checks come from ``checks``, the rest from ``commands``; only the one called is imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Checks first, in the order of the policy."""
        modules = (name for name in modules_of(_COMMANDS) if name != "__init__")
        return [*registry.names(), *sorted(name.replace("_", "-") for name in modules)]

    def get_command(self, ctx: click.Context, name: str) -> Optional[click.Command]:
        """Import the command's module."""
        if name in registry.names():
            return check_command(name)
        if name in self.list_commands(ctx):
            module = importlib.import_module(f"{__package__}.commands.{name.replace('-', '_')}")
            command: click.Command = module.command
            command.context_settings = {**_SETTINGS, **command.context_settings}
            return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[Optional[str], Optional[click.Command], list[str]]:
        """Find the command of a name.

        :raises click.UsageError: if there is none; tells those like it.
        """
        command = self.get_command(ctx, args[0])
        if command is not None:
            return args[0], command, args[1:]
        if args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        from .nearest import hint

        near = hint(args[0], self.list_commands(ctx))
        if args[0] in registry.kinds():
            near = f"; it is a finding: {PROGRAM} explain {args[0]}"
        near = near or f" (see: {PROGRAM} --help)"
        raise click.UsageError(f"'{args[0]}' is not a check or command{near}", ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options are few and known: on one screen the commands take their place."""
        if wants_all(ctx):
            super().format_options(ctx, formatter)
        else:
            self.format_commands(ctx, formatter)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """On one screen its first sentence."""
        if wants_all(ctx):
            super().format_help_text(ctx, formatter)
        else:
            formatter.write(f"  {(self.help or '').partition(chr(10))[0]}\n\n")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One screen; all of it is the checks with their questions, and what else there is."""
        from .commands import SHORT_HELP

        checks = registry.names()
        if not wants_all(ctx):
            questions = {name: registry.question(name) for name in checks}
            write_commands(formatter, dict(SHORT_HELP), questions)
            return
        rows = [(name, registry.question(name)) for name in checks]
        with formatter.section("Checks"):
            formatter.write_dl(rows)
        others = [name for name in self.list_commands(ctx) if name not in checks]
        with formatter.section("Other commands"):
            formatter.write_dl([(name, SHORT_HELP.get(name, "")) for name in others])


@click.group(
    cls=Commands,
    context_settings=_SETTINGS,
    params=[version_option(), help_all_option(), help_option()],
    add_help_option=False,
    options_metavar="",
    subcommand_metavar="COMMAND [OPTIONS]",
    epilog="Example: check_mccluster status     (more: COMMAND --help, --help-all)",
)
def cli() -> None:
    """Is the Pacemaker cluster with DRBD 9 on this node in order?

    Each check gives one verdict as a monitoring plugin: exit code 0 OK, 1 WARNING, 2 CRITICAL,
    3 UNKNOWN. Without options each is right on every node of a healthy cluster.
    """


def check_command(name: str) -> click.Command:
    """The click command of a check, made from its description."""
    from .options import check_options

    check = registry.load(name)

    def run(**values: Any) -> NoReturn:
        _run_check(name, values)

    return CheckCommand(
        name,
        findings=[kind.key for kind in check.kinds],
        callback=run,
        params=[*check_options(check), version_option(), help_all_option(), help_option()],
        add_help_option=False,
        help=check.question,
        epilog=f"Example: {check.example}",
        context_settings=_SETTINGS,
    )


def _run_check(name: str, values: dict[str, Any]) -> NoReturn:
    """Run a check and exit with its verdict."""
    from ..present.plugin import show
    from .session import (
        Setup,
        Telling,
        lasting_of,
        load_config,
        open_source,
        run_check,
        severities_of,
    )

    check = registry.load(name)
    if check.several:
        values.update(snapshot=None, node=None)
    setup = Setup.take(values)
    telling = Telling.take(values)
    _check_sample(values.get("sample"), setup.timeout)
    _check_filter(name, values["patterns"])
    verbosity = min(values.pop("verbose"), 3)
    as_json = values.pop("as_json")
    warning, critical = values.pop("warning", None), values.pop("critical", None)
    state_dir, overrides = values.pop("state_dir"), values.pop("severity")
    if state_dir is None and lasting_of(overrides):
        raise click.UsageError("--severity KEY=STATE:after=SECONDS needs --state DIR")
    memory = _memory(state_dir, name, setup, values)
    asked = Asked(
        Filter(values.pop("patterns")),
        warning,
        critical,
        dict(values),
        severities_of(overrides),
        lasting=lasting_of(overrides),
    )
    with deadline(setup.timeout):
        config = load_config(setup.config)

        def judged(asked: Asked) -> Judgement:
            if check.several:
                from .several import judged_together

                return judged_together(setup, config, asked)
            with open_source(setup, config) as source:
                return run_check(check, source, config, setup, asked, telling=telling)

        def look() -> Judgement:
            return judged(asked) if memory is None else _remembering(memory, asked, judged)

        if as_json:
            from ..judge.engine import with_faults
            from ..present.document import as_json as document

            judgement = with_faults(look())
            text = document(name, judgement)
            code = judgement.report.state.value
        else:
            text, code = show(name, look, verbosity=verbosity, warning=warning, critical=critical)
    click.echo(text, nl=False)
    sys.exit(code)


def _memory(
    folder: Optional[str], name: str, setup: Setup, values: dict[str, Any]
) -> Optional[Memory]:
    """What ``--state`` asks for: a file for each question that is asked of a check."""
    if folder is None:
        return None
    from .memory import Memory

    return Memory(folder, name, (setup.snapshot, setup.node, sorted(values.items())))


def _remembering(memory: Memory, asked: Asked, judged: Callable[[Asked], Judgement]) -> Judgement:
    """Judge with what is remembered, and remember what was found."""
    before = memory.since()
    found = judged(asked._replace(since=before))
    memory.keep(found.report, before, found.view.time)
    if not memory.trouble:
        return found
    note = f"--state has no effect: {memory.trouble}"
    return found._replace(report=found.report._replace(note=note))


def _check_sample(sample: Optional[float], timeout: float) -> None:
    if sample is not None and sample >= timeout:
        raise click.UsageError(f"--sample {sample:g} does not fit into --timeout {timeout:g}")


def _check_filter(name: str, patterns: tuple[str, ...]) -> None:
    """``-r`` where it would have no effect is a mistake, and no verdict.

    :raises click.UsageError: naming the checks that have it.
    """
    if patterns and not registry.load(name).filters:
        filtered = (each.name for each in registry.single_checks() if each.filters)
        raise click.UsageError(
            f"{name} has no --resource; the checks that have it: {', '.join(filtered)}, overview"
        )


def _name_of(args: Sequence[str]) -> str:
    """The command in the arguments, for the prefix of an error."""
    first = next((arg for arg in args if not arg.startswith("-")), "")
    return first if first in registry.names() else PROGRAM


def _say(name: str, text: str, as_json: bool = False) -> None:
    from ..present.text import clean

    if as_json:
        from ..present.document import failure

        click.echo(failure(name, clean(text)), nl=False)
    else:
        click.echo(f"{name.upper()} UNKNOWN - {clean(text)}")


def main(args: Optional[Sequence[str]] = None) -> NoReturn:
    """Run the command line and exit with 0 to 3, whatever happens: 3 if nothing could be said."""
    arguments = list(sys.argv[1:] if args is None else args)
    closed = sys.stdout is None  # before we began
    if closed:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - as long as the process
    with contextlib.suppress(AttributeError, ValueError):
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        code = _run(arguments)
    except OSError:  # standard output takes nothing, not even what is wrong
        code = UNKNOWN
    sys.exit(code if _flush() and not closed else UNKNOWN)


def _run(arguments: Sequence[str]) -> int:
    """The exit code, with everything said.

    :raises OSError: if it could not be said.
    """
    name = _name_of(arguments)
    checked = name != PROGRAM
    stdout = sys.stdout
    try:
        signal.signal(signal.SIGTERM, end_on_signal)
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored
            signal.signal(signal.SIGINT, end_on_signal)
        if not arguments and _COMPLETION not in os.environ:
            click.echo(cli.get_help(click.Context(cli, info_name=PROGRAM, **_SETTINGS)))
            return UNKNOWN
        cli.main(args=list(arguments), prog_name=PROGRAM, standalone_mode=False)
        return UNKNOWN if checked else 0
    except SystemExit as end:
        # At a broken pipe click wraps stdout and exits with 1, which would be a WARNING.
        if sys.stdout is not stdout:
            return UNKNOWN
        return end.code if end.code in (0, 1, 2, 3) else UNKNOWN
    except getattr(click.exceptions, "NoArgsIsHelpError", ()) as error:
        click.echo(error.ctx.get_help())
        return UNKNOWN
    except BrokenPipeError:
        return UNKNOWN
    except BaseException as error:  # a bug must end in one line, too
        return _fail(name, arguments, error)


def _fail(name: str, arguments: Sequence[str], error: BaseException) -> int:
    """Tell what went wrong, as UNKNOWN unless the command has a document for that."""
    document = getattr(_called(arguments), "error_document", None)
    if document is not None:
        click.echo(document(_reason(error)), nl=False)
        return 0
    _say(name, _reason(error), as_json="--json" in arguments)
    if _wants_traceback(arguments):
        click.echo(_traceback(error), nl=False)
    return UNKNOWN


def _called(arguments: Sequence[str]) -> Optional[click.Command]:
    """The command that the arguments name, if there is one."""
    first = next((arg for arg in arguments if not arg.startswith("-")), "")
    with contextlib.suppress(Exception):  # an error of its import is being told
        return cli.get_command(click.Context(cli), first)
    return None


def _reason(error: BaseException) -> str:
    """What went wrong, in one line for an operator."""
    from .session import SetupError

    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        return "interrupted"
    if isinstance(error, (SetupError, Interrupted)):
        return str(error)
    return f"internal error: {type(error).__name__}: {error}"


def _wants_traceback(arguments: Sequence[str]) -> bool:
    """Whether ``-vvv`` was given, in one word or in several."""
    short = [arg for arg in arguments if arg.startswith("-v") and set(arg[1:]) == {"v"}]
    return sum(len(arg) - 1 for arg in short) + arguments.count("--verbose") >= 3


def _traceback(error: BaseException) -> str:
    """The traceback, safe in a plugin's long output."""
    import traceback

    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return "".join(lines).replace("|", "/")


def _flush() -> bool:
    """Write out what is buffered, and whether that could be done."""
    try:
        sys.stdout.flush()
        return True
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
