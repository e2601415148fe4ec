"""``check_mccluster status``: the operator's view of the cluster at a terminal."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Optional

import click

from ...judge.picture import Picture, picture
from ...present.layout import BLANK, Line
from ...present.terminal import screen
from ...verdict.view import Asked
from ..options import SecondsType, several_options, source_options
from ..screen import rendered, width
from ..session import Setup, SetupError, load_config, with_file
from ..several import hosts_of, look

_ENTER = "\x1b[?1049h\x1b[?25l"
"""Alternate screen, cursor hidden (terminfo's smcup and civis of every terminal of today)."""
_LEAVE = "\x1b[?25h\x1b[?1049l"
_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


class Sources(NamedTuple):
    """Where the evidence comes from: this machine, snapshots, or nodes that are asked."""

    setup: Setup
    snapshots: tuple[str, ...]
    hosts: tuple[str, ...]


def run(
    watch: Optional[float],
    short: bool,
    full: bool,
    snapshots: tuple[str, ...],
    hosts: tuple[str, ...],
    **values: Any,
) -> None:
    """Look once, or again and again."""
    if short and full:
        raise click.UsageError("--brief or --full, not both")
    sources = Sources(Setup.take({**values, "snapshot": None}), snapshots, hosts)
    if watch is not None and "-" in snapshots:
        raise click.UsageError("--watch: standard input (--from -) can be read only once")
    if watch is None:
        seen = _look(sources)
        for line in _lines(seen, width(), short=short, full=full):
            click.echo(line, color=True)
        return
    if not sys.stdout.isatty():
        raise SetupError("--watch needs a terminal: standard output is none")
    try:
        with _screen():
            _watch(sources, watch)
    except KeyboardInterrupt:
        pass  # the way to end it


def _look(sources: Sources) -> Picture:
    """Read and judge every source.

    :raises SetupError: if one cannot be read at all.
    """
    from ..cli import deadline

    setup = sources.setup
    # Snapshots are read one after the other, hosts all at once.
    with deadline(setup.timeout * max(1, len(sources.snapshots))):
        config = load_config(setup.config)
        asked = Asked(severities=with_file(Asked(), config).severities)
        found = look(setup, config, sources.snapshots, hosts_of(sources.hosts, config), asked)
        return picture(found.seen, found.report(asked))


def _lines(seen: Picture, width: int, *, short: bool = False, full: bool = False) -> list[str]:
    if short:
        from ...present.brief import brief

        return [rendered(line) for line in brief(seen, width)]
    lines = screen(seen, width)
    if full:
        lines += _losses(seen, width)
    return [rendered(line) for line in lines]


def _losses(seen: Picture, width: int) -> list[Line]:
    """What the loss of each node would do, as the first partition sees it: the quorate one."""
    from ...inputs.cibadmin import CIB
    from ...inputs.crm_simulate import SIMULATIONS
    from ...judge.outlook import Futures
    from ...judge.partitions import partitions
    from ...judge.whatif import consequences, nodes
    from ...present.whatif import screen as table

    parts = partitions(seen.seen)
    if not parts:
        return []
    view = parts[0].speaker.view
    futures = Futures(view, parts[0].cluster, view[CIB].value, view[SIMULATIONS].value)
    found = consequences(futures, [(name,) for name in nodes(futures)])
    return [BLANK, *table(view, found, width)] if found else []


# -- again and again ---------------------------------------------------------------------------


@contextmanager
def _screen() -> Iterator[None]:
    """A screen of our own; however this ends, the old one comes back."""
    _write(_ENTER)
    try:
        yield
    finally:
        _write(_LEAVE)


def _watch(sources: Sources, seconds: float) -> None:
    while True:
        seen = _look(sources)
        _draw(seen, seconds)
        while _resized(seconds):
            _draw(seen, seconds)


def _draw(seen: Picture, seconds: float) -> None:
    """What fits the terminal, from the top: the gravest is there."""
    height = shutil.get_terminal_size().lines or 24
    lines = _lines(seen, width())
    foot = f"every {seconds:g} s, Ctrl-C ends"
    if len(lines) > height - 1:
        rest = len(lines) - (height - 2)
        lines = lines[: height - 2]
        foot = f"{rest} more lines do not fit (without --watch they are shown); {foot}"
    body = "".join(f"{line}{_REST_OF_LINE}\n" for line in lines)
    _write(f"{_HOME}{body}{foot}{_REST_OF_LINE}{_REST_OF_SCREEN}")


def _resized(seconds: float) -> bool:
    """Wait; whether that ended because the terminal has another size now."""
    window_changed = {signal.SIGWINCH}
    signal.pthread_sigmask(signal.SIG_BLOCK, window_changed)
    try:
        return signal.sigtimedwait(window_changed, seconds) is not None
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, window_changed)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _options() -> list[click.Parameter]:
    node = (option for option in source_options() if option.name == "node")
    return [
        click.Option(
            ["--watch"],
            type=SecondsType(),
            metavar="SECONDS",
            help="Show it again every so many seconds, on a terminal; Ctrl-C ends.",
        ),
        click.Option(
            ["--brief", "short"],
            is_flag=True,
            help="At most 24 lines: the faults with their steps, one line for each part.",
        ),
        click.Option(
            ["--full"],
            is_flag=True,
            help="Also what the loss of each node would do, as 'whatif' tells it.",
        ),
        *several_options(),
        *node,
    ]


command = click.Command(
    "status",
    callback=run,
    params=_options(),
    short_help="The cluster at a glance, with every finding.",
    help="""Show the cluster: faults and what to do about them, nodes, resources, DRBD.

    The exit code is 0 whatever is found: this is no check.""",
    epilog="Example: check_mccluster status --host app01 --host app02 --watch 5",
)
