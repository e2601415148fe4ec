"""``check_mccluster snapshot``: what the checks would have read, as files.

Taken out are the values of everything that is named like a secret: DRBD's ``shared-secret``,
passwords, passphrases, tokens and communities among the parameters and attributes in the CIB and
in crm_mon's document, and Corosync's key in the cmap. Names and addresses of hosts stay.
:mod:`~check_mccluster.acquire.redact` has the patterns.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Mapping
from typing import Any, Optional

import click

from ... import __version__
from ...acquire.record import Plan, Recorded, RecordError, record
from ...acquire.snapshot import STREAM
from ...acquire.source import SnapshotError
from ...acquire.tools import Tool
from ...inputs.cibadmin import CIB
from ...inputs.crm_mon import CLUSTER
from ...inputs.crm_simulate import (
    SAFE_NAME,
    affordable,
    each_node,
    is_large,
    scheduler_input,
    simulation,
)
from ...inputs.every import recorded, tools
from ...inputs.evidence import DRBD_RESOURCES, DRBD_UTILS
from ...present.text import clean
from ..options import SecondsType, snapshot_option, source_options, timeout_option
from ..session import Setup, SetupError, load_config, open_source

DEFAULT_TIMEOUT = 30.0
"""A recording may take its time: nobody waits for its verdict."""

MOST_SIMULATIONS = 64
"""An archive has 256 files at most; the busiest nodes come first."""

SECRETS = (
    "Secrets were left out (shared-secret, passwords, keys). Names and addresses of\n"
    "hosts were not: look through the files before you send them."
)


def _options() -> list[click.Parameter]:
    kept = {"config", "node", "sudo"}
    return [
        click.Argument(["target"], type=click.Path()),
        click.Option(
            ["--sample"],
            type=SecondsType(),
            metavar="SECONDS",
            help="Read DRBD's status a second time after so many seconds.",
        ),
        timeout_option(DEFAULT_TIMEOUT, "Deadline for the tools; --sample comes on top."),
        snapshot_option(
            "Pack this snapshot (DIR, .tar.gz, -) again, without its secrets; record nothing."
        ),
        *(option for option in source_options() if option.name in kept),
    ]


def run(target: str, **values: Any) -> None:
    """Record, and say what there is now: not on standard output if the archive goes there.

    :raises SetupError: if it cannot begin, read or write; with the archive on standard output that
        is told on standard error.
    """
    if target != STREAM:
        lines = _record(target, **values)
        click.echo("\n".join(lines))
        return
    try:
        if sys.stdout.isatty():
            raise SetupError("standard output is a terminal: redirect it, or name a file")
        _record(target, **values)
    except SetupError as error:
        click.echo(f"CHECK_MCCLUSTER UNKNOWN - {clean(str(error))}", err=True)
        sys.exit(3)


def _record(target: str, sample: Optional[float], **values: Any) -> list[str]:
    """:raises SetupError: if it cannot begin, read or write."""
    values["timeout"] += sample or 0.0
    setup = Setup.take({**values, "max_age": None})
    config = load_config(setup.config)
    with open_source(setup, config) as source:
        if setup.node is not None:
            source.node = setup.node
        if source.recorded:
            sample = 0.0  # its second reading, if it has one, is there already
        try:
            done = record(source, _plan(), target, version=__version__, sample=sample)
        except (RecordError, SnapshotError) as error:
            raise SetupError(str(error)) from None
        title = f"Snapshot of {source.node or 'an unnamed node'} in {target}:"
    return [title, *_lines(done), SECRETS]


def _plan() -> Plan:
    """Every tool that there is."""
    return Plan(
        tuple(key.tool for key in recorded()),
        tuple(key.tool for key in tools() if key.tool.again),
        DRBD_RESOURCES,
        DRBD_UTILS,
        _simulations,
    )


def _simulations(outputs: Mapping[str, bytes]) -> list[tuple[Tool, bytes]]:
    """What Pacemaker's scheduler says of the loss of each node."""
    from ...read.crm_mon import read_crm_mon
    from ...read.errors import ReadError

    try:
        cluster = read_crm_mon(io.BytesIO(outputs[CLUSTER.tool.file])).cluster
    except (ReadError, KeyError):
        return []
    cib = outputs.get(CIB.tool.file)
    if cluster is None or not cib:
        return []
    data = scheduler_input(cib)
    return [
        (simulation(loss, planned=is_large(cluster)), data)
        for loss in each_node(cluster)[: min(MOST_SIMULATIONS, affordable(len(data), whole=True))]
        if all(re.fullmatch(SAFE_NAME, name) for name in loss)
    ]


def _lines(done: tuple[Recorded, ...]) -> list[str]:
    """One line a tool."""
    width = max(len(each.tool.file) for each in done)
    return [
        f"{each.tool.file:{width}}  {each.outcome}, {each.size} bytes"
        if each.size is not None
        else f"{each.tool.file:{width}}  not recorded: {each.outcome}"
        for each in done
    ]


command = click.Command(
    "snapshot",
    callback=run,
    params=_options(),
    short_help="Record what the checks read, for --from.",
    help="""Record what the checks would read to TARGET, for --from and for bug reports.

    TARGET is a new directory, or an archive if its name ends in .tar.gz or .tgz, or - for an
    archive on standard output. Secrets are left out.""",
    epilog="Example: check_mccluster snapshot /tmp/app01.tar.gz --sample 5",
)
