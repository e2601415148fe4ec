"""``check_mccluster whatif``: what the loss of each node would do."""

from __future__ import annotations

from typing import Any

import click

from ...acquire.source import SnapshotError
from ...inputs.cibadmin import CIB
from ...inputs.corosync_quorumtool import VOTES
from ...inputs.crm_mon import CLUSTER
from ...inputs.crm_simulate import SIMULATIONS, each_node
from ...inputs.drbdsetup_show import SHOW
from ...inputs.drbdsetup_status import DRBD
from ...inputs.evidence import Evidence
from ...judge.outlook import Futures
from ...judge.whatif import consequences, nodes
from ...present.whatif import as_json, screen
from ...verdict.check import SIMULATE
from ...verdict.view import same_node
from ...verdict.words import join
from .. import completing
from ..deadline import deadline
from ..options import source_options
from ..screen import rendered, width
from ..session import Setup, SetupError, load_config, open_source, simulator

READS = (CLUSTER, CIB, VOTES, DRBD, SHOW, SIMULATIONS)
DEFAULT_TIMEOUT = 30.0
"""Every node is simulated; nobody waits for a verdict."""


def _options() -> list[click.Parameter]:
    kept = {"timeout", "snapshot", "config", "node", "sudo"}
    return [
        click.Option(
            ["--down"],
            multiple=True,
            metavar="NODE",
            shell_complete=completing.nodes,
            help="Only this loss; repeated: these nodes together [default: each node by itself].",
        ),
        click.Option([SIMULATE.flag], is_flag=True, help=SIMULATE.help),
        click.Option(["--json", "as_document"], is_flag=True, help="One JSON document as output."),
        *(option for option in source_options(DEFAULT_TIMEOUT) if option.name in kept),
    ]


def run(down: tuple[str, ...], simulate: bool, as_document: bool, **values: Any) -> None:
    """Read, ask the scheduler about every loss, print.

    :raises SetupError: if nothing is known of the cluster, or a node of ``--down`` is not.
    """
    setup = Setup.take({**values, "max_age": None})
    with deadline(setup.timeout):
        config = load_config(setup.config)
        with open_source(setup, config) as source:
            asks = simulator(setup, config, source, simulate=simulate)
            evidence = Evidence(source, config, setup.node, simulator=asks)
            try:
                evidence.prepare(CLUSTER, CIB, VOTES, DRBD, SHOW)
                seen = evidence.answer(CLUSTER)
                if seen.value is None:
                    why = "; ".join(problem.text for problem in seen.problems)
                    raise SetupError(f"nothing is known of the cluster: {why or 'no answer'}")
                evidence.losses = (tuple(down),) if down else each_node(seen.value)
                view = evidence.view(READS)
            except SnapshotError as error:
                raise SetupError(str(error)) from None
        futures = Futures(view, seen.value, view[CIB].value, view[SIMULATIONS].value)
        known = nodes(futures)
        losses = [_named(down, known)] if down else [(name,) for name in known]
        found = consequences(futures, losses)
    if as_document:
        click.echo(as_json(view, found), nl=False)
        return
    for line in screen(view, found, width()):
        click.echo(rendered(line), color=True)


def _named(down: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    """The nodes of ``--down`` by the names that the cluster has for them."""
    names = []
    for name in dict.fromkeys(down):
        found = next((each for each in known if same_node(each, name)), None)
        if found is None:
            raise click.UsageError(f"--down {name}: no such node is online ({join(known, 8)})")
        names.append(found)
    return tuple(names)


command = click.Command(
    "whatif",
    callback=run,
    params=_options(),
    short_help="What the loss of each node would do.",
    help="""Show what the loss of each node would do, the gravest first.

    For every node of Pacemaker and of DRBD's meshes: services that would move, and where to,
    services that would end, and why, votes and copies left. Pacemaker's own scheduler is asked
    (crm_simulate); nothing is changed.""",
    epilog="Example: check_mccluster whatif --down app01 --down storage02",
)
