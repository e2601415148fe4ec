"""``check_mccluster whatif``: what the loss of each node would do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import click

from ...acquire.source import SnapshotError, Source
from ...inputs.cibadmin import CIB
from ...inputs.corosync_quorumtool import VOTES
from ...inputs.crm_mon import CLUSTER
from ...inputs.crm_simulate import SIMULATIONS, each_node, simulated
from ...inputs.drbdsetup import DRBD, SHOW
from ...inputs.evidence import Evidence
from ...judge.futures import together
from ...judge.partitions import partitions
from ...judge.whatif import WhatIf, nodes, what_if
from ...model.config import Config
from ...model.pacemaker import Cluster
from ...present.whatif import as_json, screen
from ...verdict.check import SIMULATE
from ...verdict.finding import Report
from ...verdict.view import Judgement, contains_node, same_node
from ...verdict.words import join
from .. import completing
from ..deadline import deadline
from ..options import several_options, source_options
from ..screen import rendered, width
from ..session import Setup, SetupError, load_config, simulator
from ..several import Several, hosts_of, look

READS = (CLUSTER, CIB, VOTES, DRBD, SHOW, SIMULATIONS)
DEFAULT_TIMEOUT = 30.0
"""Every node is simulated; nobody waits for a verdict."""


def _options() -> list[click.Parameter]:
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
        *(each for each in several_options(DEFAULT_TIMEOUT) if each.name != "max_age"),
        *(each for each in source_options() if each.name == "node"),
    ]


def run(
    down: tuple[str, ...],
    simulate: bool,
    as_document: bool,
    snapshots: tuple[str, ...],
    hosts: tuple[str, ...],
    **values: Any,
) -> None:
    """Read, ask the scheduler about every loss, print.

    :raises SetupError: if nothing is known of the cluster, or a node of ``--down`` is not.
    """
    setup = Setup.take({**values, "snapshot": None, "max_age": None})
    with deadline(setup.timeout * max(1, len(snapshots))):
        config = load_config(setup.config)
        asking = _Asking(setup, config, down, simulate=simulate)
        found = look(setup, config, snapshots, hosts_of(hosts, config), asking.judge)
        told = asking.about(found)
    if as_document:
        click.echo(as_json(told, found.unasked), nl=False)
        return
    for line in screen(told, width(), found.unasked):
        click.echo(rendered(line), color=True)


class _Asking:
    """Reads what losses are judged by, then asks the scheduler about the view that counts."""

    def __init__(
        self, setup: Setup, config: Config, down: tuple[str, ...], *, simulate: bool
    ) -> None:
        self.setup, self.config, self.down, self.simulate = setup, config, down, simulate
        self._began = time.monotonic()
        self._read: dict[str, Evidence] = {}

    def judge(self, source: Source, setup: Setup) -> Judgement:
        """One node's view, without a verdict.

        :raises SetupError: if the snapshot turns out to be damaged.
        """
        evidence = Evidence(source, self.config, setup.node)
        evidence.losses = self._losses
        try:
            view = evidence.view(READS)
        except SnapshotError as error:
            raise SetupError(str(error)) from None
        self._read[view.here] = evidence
        return Judgement(view, Report(), recorded=source.recorded)

    def _losses(self, cluster: Cluster) -> Iterator[tuple[str, ...]]:
        """What of the losses is Pacemaker's: its scheduler knows no other host."""
        if not self.down:
            yield from each_node(cluster)
            return
        names = [node.name for node in cluster.nodes if contains_node(self.down, node.name)]
        if names:
            yield tuple(names)

    def about(self, found: Several) -> WhatIf:
        """What the losses would do.

        :raises SetupError: if nobody knows of Pacemaker.
        """
        parts = partitions(found.seen)
        futures = together(found.seen, parts)
        if futures is None:
            said = (p.text for one in found.seen for p in one.view[CLUSTER].problems)
            why = "; ".join(dict.fromkeys(said))
            raise SetupError(f"nothing is known of the cluster: {why or 'no answer'}")
        known = nodes(futures)
        losses = [_named(self.down, known)] if self.down else [(name,) for name in known]
        evidence = self._read[futures.view.here]
        left = self.setup._replace(timeout=self._began + self.setup.timeout - time.monotonic())
        source = evidence.source
        evidence.simulator = simulator(left, self.config, source, simulate=self.simulate)
        gone = map(frozenset, losses)
        more = simulated(evidence, [futures.members(g) for g in gone if futures.is_open(g)])
        return what_if(together(found.seen, parts, more) or futures, losses)


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
