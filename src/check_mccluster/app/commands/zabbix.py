"""``check_mccluster zabbix``: JSON for an agent's UserParameter.

The exit code is 0 and the output is JSON whatever fails: an item that is not supported raises no
trigger, a member ``error`` does.
"""

from __future__ import annotations

from typing import Any

import click

from ...acquire.source import SnapshotError
from ...inputs.evidence import Evidence
from ...present import zabbix
from ...verdict.view import Asked
from ..deadline import deadline
from ..options import several_options, source_options
from ..session import Setup, SetupError, Telling, load_config, open_source, run_check

DEFAULT_TIMEOUT = 2.5
"""Seconds; the agent kills a UserParameter after 3 (its default ``Timeout``)."""

GRACE = 0.2
"""Seconds for judging what the tools have said by then."""


class _Zabbix(click.Group):
    """How :func:`~check_mccluster.app.cli.main` words an error of this command."""

    error_document = staticmethod(zabbix.error_document)


def run_discovery(kind: str, **values: Any) -> None:
    """Print the rows for a discovery rule.

    :raises SetupError: if the snapshot or the configuration file cannot be read.
    """
    setup = Setup.take(values)
    with deadline(setup.timeout, GRACE):
        config = load_config(setup.config)
        with open_source(setup, config) as source:
            try:
                view = Evidence(source, config, setup.node).view((zabbix.KINDS[kind],))
            except SnapshotError as error:
                raise SetupError(str(error)) from None
        text = zabbix.as_text(zabbix.discovery(view, kind))
    click.echo(text, nl=False)


def run_data(**values: Any) -> None:
    """Print the document of the master item."""
    from ...checks.overview import CHECK
    from ...judge.picture import of_one

    setup = Setup.take(values)
    with deadline(setup.timeout, GRACE):
        config = load_config(setup.config)
        with open_source(setup, config) as source:
            telling = Telling(remember=True)
            seen = of_one(run_check(CHECK, source, config, setup, Asked(), telling=telling))
        text = zabbix.as_text(zabbix.data(seen))
    click.echo(text, nl=False)


def run_cluster(**values: Any) -> None:
    """Print the same document of several nodes as one cluster."""
    from ..several import judged_together

    asked = Asked(values={name: values.pop(name) for name in ("snapshots", "hosts")})
    setup = Setup.take({"snapshot": None, "node": None, **values})
    with deadline(setup.timeout, GRACE):
        config = load_config(setup.config)
        text = zabbix.as_text(zabbix.cluster(judged_together(setup, config, asked)))
    click.echo(text, nl=False)


command = _Zabbix(
    "zabbix",
    no_args_is_help=False,
    short_help="JSON for Zabbix: low-level discovery, data.",
    help="""JSON for a Zabbix agent's UserParameter.

    Always valid JSON and exit code 0; a member "error" says what went wrong.""",
    epilog="Example: check_mccluster zabbix data",
    commands=[
        click.Command(
            "discovery",
            callback=run_discovery,
            params=[
                click.Argument(["kind"], type=click.Choice(list(zabbix.KINDS)), metavar="KIND"),
                *source_options(DEFAULT_TIMEOUT),
            ],
            short_help="Rows for a low-level discovery rule.",
            help="""Print rows for a low-level discovery rule.

            KIND: nodes, resources, drbd (resource and volume), peers (resource, peer and volume).
            When the tool fails there are no rows but an error, so that nothing discovered is
            lost.""",
            epilog="Example: check_mccluster zabbix discovery peers",
        ),
        click.Command(
            "data",
            callback=run_data,
            params=list(source_options(DEFAULT_TIMEOUT)),
            short_help="Every value of the template in one document.",
            help="Print everything that the template's items need as one document.",
            epilog="Example: check_mccluster zabbix data",
        ),
        click.Command(
            "cluster",
            callback=run_cluster,
            params=list(several_options()),
            short_help="The same of several nodes as one cluster.",
            help="""Ask several nodes, and print the same document of the cluster as a whole.

            For a host that stands for the cluster, with the same template. The agent's Timeout has
            to be longer than --timeout.""",
            epilog="Example: check_mccluster zabbix cluster --host app01 --host app02",
        ),
    ],
)
