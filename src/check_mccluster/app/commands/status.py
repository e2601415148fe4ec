"""``check_mccluster status``: the operator's view of the cluster at a terminal."""

from __future__ import annotations

import contextlib
import sys
from typing import Any, Optional

import click

from ...inputs.crm_simulate import each_node
from ...judge.picture import Picture, picture
from ...present.layout import BLANK, Line
from ...present.terminal import screen
from ...values import NamedTuple
from ...verdict.view import Asked
from ..deadline import deadline
from ..options import SecondsType, several_options, source_options
from ..screen import rendered, width
from ..session import Setup, SetupError, load_config, with_file
from ..several import hosts_of, joined


class Sources(NamedTuple):
    """Where the evidence comes from: this machine, snapshots, or nodes that are asked."""

    setup: Setup
    snapshots: tuple[str, ...]
    hosts: tuple[str, ...]
    full: bool = False


def run(
    watch: Optional[float],
    short: bool,
    full: bool,
    snapshots: tuple[str, ...],
    hosts: tuple[str, ...],
    **values: Any,
) -> None:
    """Look once, or again and again.

    :param watch: seconds from one look to the next; ``None``: one look.
    :raises click.UsageError: if options exclude each other.
    :raises SetupError: if nothing can be read, or there is no terminal to watch on.
    """
    if short and full:
        raise click.UsageError("--brief or --full, not both")
    sources = Sources(Setup.take({**values, "snapshot": None}), snapshots, hosts, full)
    if watch is not None and "-" in snapshots:
        raise click.UsageError("--watch: standard input (--from -) can be read only once")
    if watch is None:
        for line in _styled(_look(sources), width(), short=short, full=full):
            click.echo(rendered(line), color=True)
        return
    if not sys.stdout.isatty():
        raise SetupError("--watch needs a terminal: standard output is not one")
    from ..watching import watch as again

    def body(seen: Picture, height: int) -> list[Line]:
        lines = _styled(seen, width(), short=short, full=full)
        # In a small window the faults with their steps are what is wanted.
        if short or full or len(lines) < height:
            return lines
        return lines if height > _SMALL else _styled(seen, width(), short=True, full=False)

    with contextlib.suppress(KeyboardInterrupt):  # the way to end it
        again(lambda: _look(sources), body, watch)


def _look(sources: Sources) -> Picture:
    """Read and judge every source.

    :raises SetupError: if one cannot be read at all.
    """
    setup = sources.setup
    # Snapshots are read one after the other, hosts all at once.
    with deadline(setup.timeout * max(1, len(sources.snapshots))):
        config = load_config(setup.config)
        asked = Asked(severities=with_file(Asked(), config).severities)
        targets = hosts_of(sources.hosts, config)
        losses = each_node if sources.full else None
        ways = (setup, config, sources.snapshots, targets, asked)
        found, report = joined(*ways, losses=losses)
        return picture(found.seen, report)


_SMALL = 30
"""Lines of a window that is called small."""


def _styled(seen: Picture, width: int, *, short: bool, full: bool) -> list[Line]:
    if short:
        from ...present.brief import brief

        return brief(seen, width)
    lines = screen(seen, width)
    return [*lines, *_losses(seen, width)] if full else lines


def _losses(seen: Picture, width: int) -> list[Line]:
    """What the loss of each node would do."""
    from ...judge.whatif import of_each_node
    from ...present.whatif import screen as table

    found = of_each_node(seen.seen)
    return [BLANK, *table(found, width)] if found is not None and found.losses else []


def _options() -> list[click.Parameter]:
    node = (option for option in source_options() if option.name == "node")
    return [
        click.Option(
            ["--watch"],
            type=SecondsType(),
            metavar="SECONDS",
            help="Repeat after so many seconds, on a terminal; Ctrl-C ends it.",
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

    The exit code is 0 whatever is found: this is not a check.""",
    epilog="Example: check_mccluster status --host app01 --host app02",
)
