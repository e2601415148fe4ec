"""Click parameter types and the options that every check shares, spelled once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Optional, TypeVar, Union

import click

from ..verdict.check import Check, Option
from ..verdict.finding import Lasting, State

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

DEFAULT_CONFIG = "/etc/check_mccluster/cluster.toml"
DEFAULT_TIMEOUT = 8.0
MOST_SECONDS = 10_000_000_000
SPEAK_AFTER = 900.0

F = TypeVar("F", bound=Callable[..., Any])


def completed(
    by: str, *about: object
) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """A function of :mod:`.completing`, or what it makes of *about*, loaded when a shell asks."""

    def complete(
        ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from . import completing

        function = getattr(completing, by)
        if about:
            function = function(*about)
        found: list[CompletionItem] = function(ctx, param, incomplete)
        return found

    return complete


class FileType(click.ParamType):
    """A file or folder, which a shell completes; what it is worth is seen where it is opened."""

    name = "path"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Let the shell list files."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file")]


class RangeType(click.ParamType):
    """A range of the plugin guidelines: ``[@][start:][end]``."""

    name = "range"

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> Any:
        """A nagiosplugin Range; always from text, a bare 0 would mean "no range" to it."""
        import nagiosplugin

        if isinstance(value, nagiosplugin.Range):
            return value
        try:
            return nagiosplugin.Range(str(value))
        except (ValueError, TypeError):
            self.fail(f"'{value}' is not a range{_why_no_range(str(value))}", param, ctx)


def _why_no_range(text: str) -> str:
    """What is wrong with a range: its ends are exchanged, or it is not written as one."""
    start, colon, end = text.lstrip("@").partition(":")
    try:
        exchanged = bool(colon) and float(start) > float(end)
    except ValueError:
        exchanged = False
    if exchanged:
        return f": its start {start} is above its end {end}; {end}:{start} is from {end} to {start}"
    return " ([@][start:][end])"


class SeverityType(click.ParamType):
    """``KEY=STATE``; the key is checked against the table of findings."""

    name = "severity"

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> Any:
        """A pair of key and state."""
        if isinstance(value, tuple):
            return value
        key, equals, word = str(value).partition("=")
        if not equals:
            self.fail(f"'{value}' is not KEY=STATE", param, ctx)
        try:
            return severity(key, word)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class SecondsType(click.ParamType):
    """A number of seconds above 0."""

    name = "seconds"

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> float:
        """Seconds as a float; infinity and NaN are none."""
        try:
            seconds = float(value)
        except (TypeError, ValueError):
            seconds = -1.0
        if not 0 < seconds <= MOST_SECONDS:
            self.fail(f"'{value}' is not a number of seconds above 0", param, ctx)
        return seconds


def severity(key: str, word: str) -> tuple[str, Union[State, Lasting]]:
    """Check an override: a state, or one for what lasts (``critical:after=600``).

    :raises ValueError: naming the key or the state that nobody knows.
    """
    from ..checks import registry

    if key not in registry.kinds():
        from .nearest import hint

        near = hint(key, registry.kinds())
        raise ValueError(f"unknown finding key '{key}'{near} (see: check_mccluster explain)")
    name, colon, when = word.partition(":")
    try:
        state = State[name.upper()]
    except KeyError:
        raise ValueError(f"'{name}' is not a state (ok, warning, critical, unknown)") from None
    if not colon:
        return key, state
    try:
        seconds = float(when.removeprefix("after=")) if when.startswith("after=") else -1.0
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= MOST_SECONDS:
        raise ValueError(f"'{when}' is not after=SECONDS, as after=600")
    return key, Lasting(state, seconds)


def read_once(
    ctx: click.Context, param: click.Parameter, snapshots: tuple[str, ...]
) -> tuple[str, ...]:
    """Of several snapshots one may come from standard input.

    :raises click.BadParameter: if more than one does.
    """
    if snapshots.count("-") > 1:
        raise click.BadParameter("standard input (-) can be read only once", ctx, param)
    return snapshots


def timeout_option(seconds: float, text: str) -> click.Option:
    """``--timeout``, with its default and its help."""
    return click.Option(
        ["-t", "--timeout"],
        type=SecondsType(),
        default=seconds,
        show_default=True,
        metavar="SECONDS",
        help=text,
    )


def snapshot_option(text: str) -> click.Option:
    """``--from`` of a command that reads one node, with its help."""
    return click.Option(["--from", "snapshot"], type=FileType(), metavar="DIR", help=text)


def severity_option(example: str) -> click.Option:
    """``--severity``, with an example in its help."""
    return click.Option(
        ["--severity"],
        type=SeverityType(),
        multiple=True,
        metavar="KEY=STATE",
        shell_complete=completed("severities"),
        help=f"Another severity (repeatable): {example}.",
    )


def verbose_option(text: str) -> click.Option:
    """``-v``, with its help."""
    return click.Option(["-v", "--verbose"], count=True, help=text)


def source_options(timeout: float = DEFAULT_TIMEOUT) -> list[click.Option]:
    """Where the evidence comes from; the same for every command that reads the cluster.

    :param timeout: the default of ``--timeout``, in seconds.
    """
    return [
        timeout_option(timeout, "Deadline, tools included."),
        snapshot_option("Judge a snapshot: directory, .tar.gz, - (a pipe)."),
        click.Option(
            ["--max-age"],
            type=SecondsType(),
            metavar="SECONDS",
            help="With --from: a snapshot older than this is UNKNOWN.",
        ),
        click.Option(
            ["--config"],
            type=FileType(),
            metavar="FILE",
            help=f"Instead of {DEFAULT_CONFIG}.",
        ),
        click.Option(
            ["--node"],
            metavar="NAME",
            shell_complete=completed("nodes"),
            help="The node to judge as this node [default: this host].",
        ),
        click.Option(
            ["--sudo"],
            is_flag=True,
            help="Run the tools as 'sudo -n TOOL': no root is needed.",
        ),
    ]


def several_options(timeout: float = DEFAULT_TIMEOUT) -> list[click.Option]:
    """The same where several nodes are read."""
    shared = [
        option for option in source_options(timeout) if option.name not in ("snapshot", "node")
    ]
    return [
        click.Option(
            ["--from", "snapshots"],
            type=FileType(),
            multiple=True,
            metavar="DIR",
            callback=read_once,
            help="Snapshot, or a folder of them (repeatable).",
        ),
        click.Option(
            ["--host", "hosts"],
            multiple=True,
            metavar="NAME[=TARGET]",
            shell_complete=completed("nodes"),
            help="Ask NAME over ssh (repeatable); or [cluster.hosts].",
        ),
        *shared,
    ]


def telling_options() -> list[click.Option]:
    """What of a verdict is this check's, and this node's, to tell."""
    return [
        click.Option(
            ["--fold"],
            is_flag=True,
            help="What follows from another check's cause does not raise this one.",
        ),
        click.Option(
            ["--speaker"],
            is_flag=True,
            help="What another node is to tell does not raise this one.",
        ),
        click.Option(
            ["--speak-after"],
            type=SecondsType(),
            default=SPEAK_AFTER,
            show_default=True,
            metavar="SECONDS",
            help="A fault that stands longer is told by every node that sees it.",
        ),
    ]


def check_options(check: Check) -> list[click.Parameter]:
    """All options of a check, its own first."""
    own: list[click.Parameter] = [_own_option(option) for option in check.options]
    filters = {
        "pacemaker": "Only these (repeatable, glob); one named is expected.",
        "drbd": "Only these of DRBD (repeatable, glob).",
        "both": "Only these, Pacemaker's or DRBD's (repeatable, glob).",
    }.get(check.filters, "Only these resources; no effect on this check.")
    return [
        *own,
        *_limits(check),
        click.Option(
            ["-r", "--resource", "patterns"],
            multiple=True,
            metavar="NAME",
            shell_complete=completed("resources", check.filters),
            help=filters,
            hidden=not check.filters,
        ),
        severity_option("disk-lost=warning"),
        click.Option(
            ["--state", "state_dir"],
            type=FileType(),
            metavar="DIR",
            help="Keep in DIR since when each finding is there, and say so."
            " --severity KEY=STATE:after=SECONDS is then for one that lasts.",
        ),
        *telling_options(),
        *(several_options() if check.several else source_options()),
        click.Option(["--json", "as_json"], is_flag=True, help="One JSON document as output."),
        verbose_option("Findings with next steps, -vv objects, -vvv commands."),
    ]


def _limits(check: Check) -> list[click.Parameter]:
    """``-w`` and ``-c``, where the check has a number."""
    if check.number is None:
        return []
    return [
        click.Option(
            ["-w", "--warning"],
            type=RangeType(),
            metavar="RANGE",
            help=f"WARNING outside of it: {check.number}.",
        ),
        click.Option(
            ["-c", "--critical"],
            type=RangeType(),
            metavar="RANGE",
            help="CRITICAL outside of it.",
        ),
    ]


def _own_option(option: Option) -> click.Option:
    types: dict[str, Any] = {
        "seconds": SecondsType(),
        "count": click.IntRange(min=1),
        "node": click.STRING,
        "check": _CheckName(),
    }
    if option.type == "flag":
        return click.Option([option.flag], is_flag=True, help=option.help)
    complete = {"node": completed("nodes"), "check": completed("checks")}
    kind = click.Choice(option.type) if isinstance(option.type, tuple) else types[option.type]
    return click.Option(
        [option.flag],
        type=kind,
        default=option.default,
        show_default=option.default is not None,
        multiple=option.multiple,
        metavar=option.metavar,
        help=option.help,
        shell_complete=None if isinstance(option.type, tuple) else complete.get(option.type),
    )


class _CheckName(click.ParamType):
    name = "check"

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> str:
        from ..checks import registry

        if value not in registry.names():
            from .nearest import hint

            near = hint(str(value), registry.names())
            near = "; give the option once for each" if "," in str(value) else near
            self.fail(f"'{value}' is not a check{near}", param, ctx)
        return str(value)
