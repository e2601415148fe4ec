"""``check_mccluster metrics``: the cluster for Prometheus, through node_exporter."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any, Optional

import click

from ...checks.overview import CHECK as OVERVIEW
from ...judge.picture import of_one
from ...present.metrics import as_text, cluster_name, metrics
from ...verdict.view import Asked
from ..deadline import deadline
from ..options import source_options
from ..session import Setup, SetupError, Telling, load_config, open_source, run_check

MODE = 0o644
"""node_exporter runs as another user and must be able to read the file."""


def run(output: Optional[str], **values: Any) -> None:
    """Look, then print or write.

    :raises click.UsageError: if nobody would read a file of that name.
    :raises SetupError: if it cannot begin, or cannot write.
    """
    if output not in (None, "-") and not str(output).endswith(".prom"):
        raise click.UsageError(
            f"--output {output}: node_exporter reads only files whose names end in .prom"
        )
    began = time.monotonic()
    setup = Setup.take(values)
    with deadline(setup.timeout):
        config = load_config(setup.config)
        with open_source(setup, config) as source:
            telling = Telling(remember=True)
            seen = run_check(OVERVIEW, source, config, setup, Asked(), telling=telling)
        families = metrics(of_one(seen), time.monotonic() - began)
        text = as_text(families, cluster_name(seen.view))
    if output is None or output == "-":
        click.echo(text, nl=False)
        return
    try:
        write_atomically(Path(output), text)
    except OSError as error:
        raise SetupError(f"cannot write {output}: {error.strerror}") from None


def write_atomically(path: Path, text: str) -> None:
    """Write beside *path* and rename: a reader sees the old file or the new one, never a part.

    The other file's name does not end in ``.prom``, so the collector does not read it.

    :raises OSError: if it cannot be written; the old file is then still there.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), MODE)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


command = click.Command(
    "metrics",
    callback=run,
    params=[
        click.Option(
            ["--output"],
            type=click.Path(),
            metavar="FILE",
            help="Write to FILE, in one step, instead of printing; its name ends in .prom.",
        ),
        *source_options(),
    ],
    short_help="Metrics for Prometheus (textfile collector).",
    help="""Print the state of cluster and DRBD as Prometheus metrics.

    Also when a tool fails: mccluster_last_run_success is 0 then.""",
    epilog="Example: check_mccluster metrics --output mccluster.prom",
)
