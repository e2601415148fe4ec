"""``check_mccluster checkmk``: a line of Checkmk's local checks for every check, from one run.

The exit code is 0 whatever fails: the agent passes on what is printed, and a line says what failed.
"""

from __future__ import annotations

from typing import Any

import click

from ...present import checkmk
from ...verdict.view import Asked
from ..deadline import deadline
from ..options import source_options, telling_options
from ..session import Setup, Telling, load_config, open_source, run_check


class _Checkmk(click.Command):
    """How :func:`~check_mccluster.app.cli.main` words an error of this command."""

    error_document = staticmethod(checkmk.error_line)


def run(**values: Any) -> None:
    """Look once, print a line for each check."""
    from ...checks.overview import CHECK
    from ...judge.fold import in_parts

    setup = Setup.take(values)
    hush = values["speaker"]
    # Each part is hushed by itself: the whole has to stay as it is.
    telling = Telling(after=values["speak_after"], remember=hush)
    with deadline(setup.timeout):
        config = load_config(setup.config)
        with open_source(setup, config) as source:
            report = run_check(CHECK, source, config, setup, Asked(), telling=telling).report
        text = checkmk.as_text(report, in_parts(report, hush=hush))
    click.echo(text, nl=False)


command = _Checkmk(
    "checkmk",
    callback=run,
    params=[*telling_options()[1:], *source_options()],
    short_help="Local checks for Checkmk, all from one run.",
    help="""Print a line of Checkmk's local checks for every check that fits this node.

    One run judges them all. A fault is told once, by the check of its cause; what a failing tool
    hides is told by the service "MCCluster tools". The exit code is 0.""",
    epilog="Example: check_mccluster checkmk",
)
