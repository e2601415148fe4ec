"""``check_mccluster status``: the operator's view of the cluster at a terminal."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Optional

import click

from ...checks.overview import CHECK
from ...present.terminal import screen
from ...verdict.view import Asked, Judgement
from ..options import SecondsType, read_once, source_options
from ..screen import rendered, width
from ..session import Setup, SetupError, load_config, open_source, run_check

_ENTER = "\x1b[?1049h\x1b[?25l"
"""Alternate screen, cursor hidden (terminfo's smcup and civis of every terminal of today)."""
_LEAVE = "\x1b[?25h\x1b[?1049l"
_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


def run(watch: Optional[float], snapshots: tuple[str, ...], **values: Any) -> None:
    """Look once, or again and again."""
    setup = Setup.take({**values, "snapshot": None})
    setups = [setup._replace(snapshot=path) for path in snapshots] or [setup]
    if watch is not None and "-" in snapshots:
        raise click.UsageError("--watch: standard input (--from -) can be read only once")
    if watch is None:
        for line in _lines(_look(setups), width()):
            click.echo(line, color=True)
        return
    if not sys.stdout.isatty():
        raise SetupError("--watch needs a terminal: standard output is none")
    try:
        with _screen():
            _watch(setups, watch)
    except KeyboardInterrupt:
        pass  # the way to end it


def _look(setups: Sequence[Setup]) -> list[Judgement]:
    """Read and judge every source.

    :raises SetupError: if one cannot be read at all.
    """
    from ..cli import deadline

    seen = []
    for setup in setups:
        with deadline(setup.timeout):
            config = load_config(setup.config)
            with open_source(setup, config) as source:
                seen.append(run_check(CHECK, source, config, setup, Asked()))
    return seen


def _lines(seen: Sequence[Judgement], width: int) -> list[str]:
    return [rendered(line) for line in screen(seen, width)]


# -- again and again ---------------------------------------------------------------------------


@contextmanager
def _screen() -> Iterator[None]:
    """A screen of our own; however this ends, the old one comes back."""
    _write(_ENTER)
    try:
        yield
    finally:
        _write(_LEAVE)


def _watch(setups: Sequence[Setup], seconds: float) -> None:
    while True:
        seen = _look(setups)
        _draw(seen, seconds)
        while _resized(seconds):
            _draw(seen, seconds)


def _draw(seen: Sequence[Judgement], seconds: float) -> None:
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
    shared = {option.name: option for option in source_options()}
    shared["snapshot"] = click.Option(
        ["--from", "snapshots"],
        callback=read_once,
        type=click.Path(),
        multiple=True,
        metavar="DIR",
        help="Show a snapshot instead of this machine; of several nodes, all together.",
    )
    return [
        click.Option(
            ["--watch"],
            type=SecondsType(),
            metavar="SECONDS",
            help="Show it again every so many seconds, on a terminal; Ctrl-C ends.",
        ),
        *shared.values(),
    ]


command = click.Command(
    "status",
    callback=run,
    params=_options(),
    short_help="The cluster at a glance, with every finding.",
    help="""Show the cluster: faults and what to do about them, nodes, resources, DRBD.

    The exit code is 0 whatever is found: this is no check.""",
    epilog="Example: check_mccluster status --watch 5",
)
