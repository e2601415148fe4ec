"""``check_mccluster report``: the cluster as one HTML page, to look at and to send."""

from __future__ import annotations

import os
from typing import Any

import click

from ...judge.mesh import links
from ...judge.picture import picture
from ...judge.whatif import of_each_node
from ...present.html import Page, page
from ...verdict.finding import Report
from ...verdict.view import Asked
from ..deadline import deadline
from ..options import several_options
from ..session import Setup, SetupError, load_config, with_file
from ..several import Several, hosts_of, joined


def run(output: str, snapshots: tuple[str, ...], hosts: tuple[str, ...], **values: Any) -> None:
    """Read, judge, write the page.

    :raises SetupError: if nothing can be read, or the page cannot be written.
    """
    setup = Setup.take({**values, "snapshot": None, "node": None})
    with deadline(setup.timeout):
        config = load_config(setup.config)
        asked = with_file(Asked(), config)
        found, report = joined(setup, config, snapshots, hosts_of(hosts, config), asked)
        text = page(_told(found, report))
    if output == "-":
        click.echo(text, nl=False)
        return
    try:
        with open(output, "w", encoding="utf-8", errors="replace", opener=_no_link) as file:
            file.write(text)
    except OSError as error:
        raise SetupError(f"{output}: {error.strerror}") from None


def _no_link(path: str, flags: int) -> int:
    """Open a file, not what a link leads to: root would write anywhere."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


def _told(found: Several, report: Report) -> Page:
    seen = tuple(sorted(found.seen, key=lambda one: one.view.here))
    losses = of_each_node(found.seen)
    return Page(
        picture(seen, report),
        report,
        found.unasked,
        links(seen),
        losses.losses if losses is not None else (),
    )


def _options() -> list[click.Parameter]:
    return [
        click.Option(
            ["-o", "--output"],
            required=True,
            type=click.Path(),
            metavar="FILE",
            help="Where the page goes; - for standard output.",
        ),
        *several_options(),
    ]


command = click.Command(
    "report",
    callback=run,
    params=_options(),
    short_help="The cluster as one HTML page, to look at and to send.",
    help="""Write the cluster as one HTML page.

    Verdict, faults and what to do, DRBD's mesh as a drawing, Pacemaker's nodes and resources,
    timings, what the loss of each node would do, and what was asked. The page needs no network
    and no script. The exit code is 0 whatever is found: this is not a check.""",
    epilog="Example: check_mccluster report -o cluster.html",
)
