"""Every check at once, for the monitoring systems that keep values: Zabbix and Prometheus."""

from __future__ import annotations

from . import registry
from .acquire.source import Source
from .checks import overview
from .judge.engine import input_problems
from .judge.verdicts import Verdicts
from .judge.view import Asked
from .model.config import Config
from .session import Setup, run_check


def verdicts(source: Source, config: Config, setup: Setup) -> Verdicts:
    """Run every check that fits the node.

    :raises SetupError: if the snapshot turns out to be damaged.
    """
    whole = run_check(overview.CHECK, source, config, setup, Asked())
    figures = {check.name: r.figures for check, r in overview.reports(whole.view, Asked())}
    owners: dict[str, str] = {}
    for name in figures:
        for kind in registry.load(name).kinds:
            owners.setdefault(kind.key, name)
    return Verdicts(
        view=whole.view,
        overview=whole.report,
        faults=tuple(overview.faults(whole.view, whole.report.findings)),
        figures=figures,
        unjudged=frozenset(
            each.name for each in registry.single_checks() if any(input_problems(each, whole.view))
        ),
        owners=owners,
    )
