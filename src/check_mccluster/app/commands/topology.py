"""``check_mccluster topology``: a configuration file as learnt from the running cluster."""

from __future__ import annotations

from typing import Any

import click

from ...acquire.snapshot import SnapshotError
from ...inputs.cibadmin import CIB
from ...inputs.crm_mon import CLUSTER
from ...inputs.drbdsetup_status import DRBD
from ...inputs.evidence import Evidence
from ...judge.topology import learn
from ...model.config import Config
from ...present.toml import as_toml
from ...verdict.view import Input, View
from ..options import read_once, source_options
from ..session import Setup, SetupError, load_config, open_source

READS: tuple[Input[Any], ...] = (CLUSTER, CIB, DRBD)


def _options() -> list[click.Parameter]:
    kept = {"timeout", "config", "node", "sudo"}
    return [
        click.Option(
            ["--from", "snapshots"],
            callback=read_once,
            type=click.Path(),
            multiple=True,
            metavar="DIR",
            help="Learn from this snapshot (repeatable: several nodes of one cluster).",
        ),
        *(option for option in source_options() if option.name in kept),
    ]


def run(snapshots: tuple[str, ...], **values: Any) -> None:
    """Read every source, learn, print."""
    setup = Setup.take({**values, "snapshot": None, "max_age": None})
    if setup.node is not None and len(snapshots) > 1:
        raise click.UsageError("--node goes with one --from only: each snapshot knows its own")
    config = load_config(setup.config)
    views = [_view(setup._replace(snapshot=path), config) for path in snapshots or (None,)]
    learnt = learn(views)
    if learnt.config == Config():
        problems = [p for view in views for s in READS for p in view[s].problems]
        why = "; ".join(dict.fromkeys(problem.text for problem in problems))
        raise SetupError(f"nothing could be learnt: {why or 'no rule, no node, no resource'}")
    click.echo(as_toml(learnt), nl=False)


def _view(setup: Setup, config: Config) -> View:
    """One node as it is; a configuration file that is there already must not teach itself.

    :raises SetupError: if the snapshot cannot be read.
    """
    with open_source(setup, config) as source:
        try:
            return Evidence(source, Config(), setup.node).view(READS)
        except SnapshotError as error:
            raise SetupError(str(error)) from None


command = click.Command(
    "topology",
    callback=run,
    params=_options(),
    short_help="Print a configuration file learnt from the cluster.",
    help="""Print a configuration file as learnt from the running cluster.

    It is ready to be edited and saved as /etc/check_mccluster/cluster.toml. It has what is certain
    and changes no verdict; what could not be learnt is in its comments.""",
    epilog="Example: check_mccluster topology --from app01.tar.gz --from storage01.tar.gz",
)
