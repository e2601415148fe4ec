"""``check_mccluster topology``: a configuration file as learnt from the running cluster."""

from __future__ import annotations

from typing import Any

import click

from ...acquire.source import SnapshotError, Source
from ...inputs.cibadmin import CIB
from ...inputs.crm_mon import CLUSTER
from ...inputs.drbdsetup import DRBD
from ...inputs.evidence import Evidence
from ...judge.topology import learn
from ...model.config import Config
from ...present.toml import as_toml
from ...verdict.finding import Report
from ...verdict.view import Input, Judgement
from ..deadline import deadline
from ..options import several_options, source_options
from ..session import Setup, SetupError, load_config
from ..several import hosts_of, look

READS: tuple[Input[Any], ...] = (CLUSTER, CIB, DRBD)


def _options() -> list[click.Parameter]:
    return [
        *(option for option in several_options() if option.name != "max_age"),
        *(option for option in source_options() if option.name == "node"),
    ]


def run(snapshots: tuple[str, ...], hosts: tuple[str, ...], **values: Any) -> None:
    """Read every source, learn, print.

    :raises click.UsageError: if one node's name is given for several.
    :raises SetupError: if a source cannot be read, or nothing could be learnt.
    """
    setup = Setup.take({**values, "snapshot": None, "max_age": None})
    if setup.node is not None and len(snapshots) > 1:
        raise click.UsageError("--node goes with one --from only: each snapshot knows its own")
    with deadline(setup.timeout * max(1, len(snapshots))):
        config = load_config(setup.config)
        found = look(setup, config, snapshots, hosts_of(hosts, config), _judge)
    for name, why in found.unasked.items():
        click.echo(f"# {name} could not be asked: {why}")
    views = [one.view for one in found.seen]
    learnt = learn(views)
    if learnt.config == Config():
        problems = [p for view in views for s in READS for p in view[s].problems]
        why = "; ".join(dict.fromkeys(problem.text for problem in problems))
        raise SetupError(f"nothing could be learnt: {why or 'no rule, no node, no resource'}")
    click.echo(as_toml(learnt), nl=False)


def _judge(source: Source, setup: Setup) -> Judgement:
    """One node as it is; a configuration file that is there already must not teach itself.

    :raises SetupError: if the snapshot cannot be read.
    """
    try:
        view = Evidence(source, Config(), setup.node).view(READS)
    except SnapshotError as error:
        raise SetupError(str(error)) from None
    return Judgement(view, Report(), recorded=source.recorded)


command = click.Command(
    "topology",
    callback=run,
    params=_options(),
    short_help="Print a configuration file learnt from the cluster.",
    help="""Print a configuration file as learnt from the running cluster.

    It is ready to be edited and saved as /etc/check_mccluster/cluster.toml. It has what is certain
    and changes no verdict; what could not be learnt is in its comments.""",
    epilog="\b\nExample: check_mccluster topology --from app01.tar.gz --from storage01.tar.gz",
)
