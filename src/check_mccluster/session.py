"""From the command line's words to evidence: open the source, read the configuration file."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Optional

from .acquire.snapshot import Snapshot, SnapshotError
from .acquire.source import Source
from .evidence import Evidence
from .judge import engine, inputs
from .judge.check import Check
from .judge.finding import Report, State
from .judge.pacemaker import join
from .judge.view import Asked, View, contains_node
from .model.config import Config
from .options import DEFAULT_CONFIG, severity


class SetupError(Exception):
    """The check cannot begin: a bad snapshot or configuration file. One line."""


@dataclass(frozen=True)
class Setup:
    """The options of :func:`~check_mccluster.options.source_options`, as given."""

    timeout: float
    snapshot: Optional[str] = None
    max_age: Optional[float] = None
    config: Optional[str] = None
    node: Optional[str] = None
    sudo: bool = False

    @classmethod
    def take(cls, values: dict[str, Any]) -> Setup:
        """Take the options out of click's *values*; the rest stays."""
        names = ("timeout", "snapshot", "max_age", "config", "node", "sudo")
        return cls(**{name: values.pop(name) for name in names})


def load_config(path: Optional[str]) -> Config:
    """The configuration file: the one named, else the default one if it is there.

    It is never looked for in the working directory.

    :raises SetupError: if it cannot be read, or is wrong.
    """
    place = Path(path or DEFAULT_CONFIG)
    try:
        text = place.read_bytes()
    except FileNotFoundError:
        if path is None:
            return Config()
        raise SetupError(f"configuration file {place}: no such file") from None
    except OSError as error:
        raise SetupError(f"configuration file {place}: {error.strerror}") from None
    from .read.config import ConfigError, read_config

    try:
        config = read_config(text)
        for key, word in config.severity.items():
            severity(key, word)
        _absolute(config.tools)
        _checks(config.overview_skip)
    except (ConfigError, ValueError) as error:
        raise SetupError(f"configuration file {place}: {error}") from None
    return config


def _absolute(paths: Mapping[str, str]) -> None:
    for name, path in paths.items():
        if not path.startswith("/"):
            raise ValueError(f"tools.{name}: '{path}' is no absolute path")


def _checks(names: Iterable[str]) -> None:
    from . import registry

    for name in names:
        if name not in registry.names():
            raise ValueError(f"overview.skip: '{name}' is no check")


def open_source(setup: Setup, config: Config) -> Source:
    """This machine, or a snapshot.

    :raises SetupError: if the snapshot cannot be read.
    """
    if setup.snapshot is not None:
        try:
            return Snapshot(setup.snapshot)
        except SnapshotError as error:
            raise SetupError(str(error)) from None
    from .acquire.live import Live

    deadline = time.monotonic() + setup.timeout
    return Live(deadline=deadline, node=setup.node, sudo=setup.sudo, paths=config.tools)


@dataclass(frozen=True)
class Outcome:
    """A report with the view it was made of."""

    report: Report
    view: View


def run_check(
    check: Check,
    source: Source,
    config: Config,
    setup: Setup,
    asked: Asked,
) -> Outcome:
    """Read what *check* needs from *source* and judge it.

    :raises SetupError: if the snapshot turns out to be damaged, or the cluster does not know the
        node of --node.
    """
    severities = {key: State[word.upper()] for key, word in config.severity.items()}
    severities.update(asked.severities)
    asked = Asked(asked.patterns, asked.warning, asked.critical, asked.values, severities)
    evidence = Evidence(source, config, setup.node, asked.values.get("sample"))
    drbd_filter = asked if check.filters == "drbd" else Asked()
    wanted = frozenset((*check.needs, *check.uses, *check.hints))
    try:
        view = evidence.view(wanted, drbd_filter)
    except SnapshotError as error:
        raise SetupError(str(error)) from None
    if setup.node is not None:
        _demand_known(setup.node, view)
    report = engine.report(check, view, asked)
    return Outcome(_aged(report, source, setup, severities), view)


def _demand_known(node: str, view: View) -> None:
    """A mistyped --node must not be judged as a node that has nothing to say.

    Only Pacemaker and Corosync list their own node; what DRBD lists are its peers.
    """
    if view.cluster.value is None:
        return
    names = tuple(known.name for known in view.cluster.value.nodes)
    configured = view.cmap.value.nodes if view.cmap.value is not None else ()
    if not contains_node((*names, *(each.name for each in configured if each.name)), node):
        raise SetupError(f"--node {node}: no such node in the cluster ({join(names)})")


def _aged(report: Report, source: Source, setup: Setup, severities: Mapping[str, State]) -> Report:
    """Add ``snapshot-stale`` where --max-age asks for it: the only look at the clock."""
    if not source.recorded or setup.max_age is None:
        return report
    stale = inputs.stale(source.time, datetime.now(timezone.utc), setup.max_age)
    if stale is None:
        return report
    from dataclasses import replace

    aged = replace(report, findings=(stale, *report.findings))
    if report.headlines:
        aged = replace(aged, headlines=(stale.text, *report.headlines))
    return engine.with_severities(aged, severities)


def severities_of(pairs: Iterable[tuple[str, State]]) -> dict[str, State]:
    """The last override of a key wins."""
    return dict(pairs)
