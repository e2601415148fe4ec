"""From the command line's words to evidence: open the source, read the configuration file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, Optional, Union

from ..acquire.source import SnapshotError, Source
from ..checks.registry import WHOLE
from ..inputs.evidence import Evidence
from ..judge import engine
from ..model.config import Config
from ..values import NamedTuple
from ..verdict import subject
from ..verdict.check import Check
from ..verdict.filter import Filter
from ..verdict.finding import Fault, Lasting, Report, State, finding
from ..verdict.problems import SNAPSHOT_STALE
from ..verdict.view import Answer, Asked, Judgement, View, contains_node
from ..verdict.words import join
from .options import DEFAULT_CONFIG, SPEAK_AFTER, severity

SIMULATION_SHARE = 0.75
"""The part of the deadline that Pacemaker's scheduler may use."""


class SetupError(Exception):
    """The check cannot begin: a bad snapshot or configuration file. One line."""


class Setup(NamedTuple):
    """The options of :func:`~check_mccluster.app.options.source_options`, as given.

    ``timeout`` and ``max_age`` are seconds.
    """

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


class Telling(NamedTuple):
    """What of a verdict is this check's and this node's to tell, as asked.

    :param after: seconds after which every node tells a fault.
    :param remember: whether it is kept since when a fault is seen here, for what no tool dates.
    """

    fold: bool = False
    speaker: bool = False
    after: float = SPEAK_AFTER
    remember: bool = False

    @classmethod
    def take(cls, values: dict[str, Any]) -> Telling:
        """Take the options out of click's *values*; the rest stays."""
        fold, speaker = values.pop("fold"), values.pop("speaker")
        return cls(fold, speaker, values.pop("speak_after"), remember=True)


def load_config(path: Optional[str]) -> Config:
    """The configuration file: the one named, else the default one if it is there.

    It is never looked for in the working directory.

    :raises SetupError: if it cannot be read, or is wrong.
    """
    place = path or DEFAULT_CONFIG
    try:
        with open(place, "rb") as file:
            text = file.read()
    except FileNotFoundError:
        if path is None:
            return Config()
        raise SetupError(f"configuration file {place}: no such file") from None
    except OSError as error:
        raise SetupError(f"configuration file {place}: {error.strerror}") from None
    if all(not line or line.startswith(b"#") for line in map(bytes.strip, text.splitlines())):
        return Config()  # as packages ship it: no reader of TOML to be loaded
    from ..read.config import ConfigError, read_config

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
            raise ValueError(f"tools.{name}: '{path}' is not an absolute path")


def _checks(names: Iterable[str]) -> None:
    from ..checks import registry

    for name in names:
        if name not in registry.names():
            from .nearest import hint

            near = hint(name, registry.names())
            raise ValueError(f"overview.skip: '{name}' is not a check{near}")


def open_source(setup: Setup, config: Config) -> Source:
    """This machine, or a snapshot.

    :raises SetupError: if the snapshot cannot be read.
    """
    if setup.snapshot is not None:
        from ..acquire.snapshot import Snapshot

        try:
            return Snapshot(setup.snapshot, setup.timeout)
        except SnapshotError as error:
            raise SetupError(str(error)) from None
    from ..acquire.live import Live

    deadline = time.monotonic() + setup.timeout
    return Live(deadline=deadline, node=setup.node, sudo=setup.sudo, paths=config.tools)


def simulator(
    setup: Setup, config: Config, source: Source, *, simulate: bool
) -> Optional[Callable[[], Source]]:
    """How Pacemaker's scheduler is asked about *source*: here; about a recording on demand only.

    It is a machine of its own with a deadline of its own: what it does not answer in time is
    judged by our own rules, and that takes time, too.
    """
    if source.recorded and not simulate:
        return None
    until = time.monotonic() + SIMULATION_SHARE * setup.timeout

    def opened() -> Source:
        from ..acquire.live import Live

        return Live(deadline=until, paths=config.tools)

    return opened


def run_check(
    check: Check,
    source: Source,
    config: Config,
    setup: Setup,
    asked: Asked,
    *,
    telling: Telling = Telling(),  # noqa: B008 - a value
) -> Judgement:
    """Read what *check* needs from *source* and judge it.

    Where something is wrong and has to be told as a part of the whole, what the other checks need
    is read, too, in the same look.

    :raises SetupError: if the snapshot turns out to be damaged, or the cluster does not know the
        node of --node.
    """
    asked = with_file(asked, config)
    severities = asked.severities
    drbd_filter = asked.filter if check.filters == "drbd" else Filter()
    evidence = Evidence(
        source,
        config,
        setup.node,
        asked.values.get("sample"),
        drbd_filter,
        simulator=simulator(setup, config, source, simulate=bool(asked.values.get("simulate"))),
    )
    evidence.losses = asked.values.get("losses")
    widened = check.name not in WHOLE and (telling.fold or telling.speaker)
    if widened:
        from ..inputs.every import every

        evidence.keep(every())
    try:
        view = evidence.view((*check.needs, *check.uses, *check.hints, *_more(check, config)))
    except SnapshotError as error:
        raise SetupError(str(error)) from None
    if setup.node is not None:
        _demand_known(setup.node, view)
    report = engine.report(check, view, asked)
    if widened and report.findings:
        try:
            wide = evidence.view(every())
        except SnapshotError as error:
            raise SetupError(str(error)) from None
        report = _as_part(check, report, wide, asked, telling=telling, source=source)
    elif report.faults:
        spoken = _with_speakers(view, report.faults, telling, source)
        report = report._replace(faults=spoken)
        if telling.speaker:
            from ..judge.fold import hushed

            report = hushed(report)
    report = _aged(report, source, setup, severities)
    return Judgement(view, report, evidence.runs(), source.recorded)


def _more(check: Check, config: Config) -> tuple[Any, ...]:
    """Inputs that only the names of the configuration file need."""
    if not check.settings or not config.has_names:
        return ()
    from ..judge.settings import more_inputs

    read = {*check.needs, *check.uses, *check.hints}
    return tuple(key for key in more_inputs(check.settings, config) if key not in read)


def _as_part(
    check: Check, own: Report, view: View, asked: Asked, *, telling: Telling, source: Source
) -> Report:
    """The report of a check with what other checks, or other nodes, tell taken out."""
    from ..checks.overview import CHECK as OVERVIEW
    from ..checks.overview import first_readers
    from ..judge.faults import faults
    from ..judge.fold import advised, folded, hushed, together

    view = _unfiltered(view)
    whole = OVERVIEW.rule(view, Asked(severities=asked.severities))
    own = own._replace(findings=advised(own.findings, whole.findings))
    roots = faults(view, together(own.findings, whole.findings))
    roots = _with_speakers(view, roots, telling, source)
    if telling.fold:
        readers = first_readers(view, whole)
        tellers = {
            each: readers[each.key]
            for each in own.findings
            if readers.get(each.key, check.name) != check.name
        }
        own = folded(own, roots, frozenset(kind.key for kind in check.kinds), tellers)
    else:
        mine = {*own.findings}
        concerned = (f for f in roots if f.cause in mine or any(e in mine for e in f.follows))
        own = own._replace(faults=tuple(concerned))
    return hushed(own) if telling.speaker else own


def _unfiltered(view: View) -> View:
    """The view with the DRBD resources that ``--resource`` left out."""
    if not view.drbd_others:
        return view
    from ..inputs.drbdsetup import DRBD

    answer = view[DRBD]
    every = (*(answer.value or ()), *view.drbd_others)
    return view.with_drbd(DRBD, Answer(every, answer.problems), ())


def _with_speakers(
    view: View, faults: tuple[Fault, ...], telling: Telling, source: Source
) -> tuple[Fault, ...]:
    """The faults with who tells them; a recording is judged as what was seen first."""
    from ..judge.speaker import identity, with_speakers

    undated = with_speakers(view, faults, {}, telling.after)
    if source.recorded or not telling.remember:
        return undated
    from .ages import ages

    others = [identity(fault.cause) for fault in undated if not fault.spoken]
    if not others:
        return undated
    return with_speakers(view, faults, ages(view.here, others, telling.after), telling.after)


def _demand_known(node: str, view: View) -> None:
    """A mistyped --node must not be judged as a node that has nothing to say.

    Only Pacemaker and Corosync list their own node; what DRBD lists are its peers.
    """
    from ..inputs.corosync_cmapctl import CMAP
    from ..inputs.crm_mon import CLUSTER

    cluster, cmap = view[CLUSTER].value, view[CMAP].value
    if cluster is None:
        return
    names = tuple(known.name for known in cluster.nodes)
    configured = cmap.nodes if cmap is not None else ()
    if not contains_node((*names, *(each.name for each in configured if each.name)), node):
        raise SetupError(f"--node {node}: no such node in the cluster ({join(names)})")


def _aged(report: Report, source: Source, setup: Setup, severities: Mapping[str, State]) -> Report:
    """Add ``snapshot-stale`` where --max-age asks for it: the only look at the clock."""
    if not source.recorded or setup.max_age is None:
        return report
    age = (datetime.now(timezone.utc) - source.time).total_seconds()
    if age <= setup.max_age:
        return report
    text = f"the snapshot is {age:.0f} s old, more than {setup.max_age:g} s"
    stale = finding(SNAPSHOT_STALE, subject.tool("snapshot"), text)
    aged = report._replace(findings=(stale, *report.findings))
    if report.lines:
        aged = aged._replace(faults=(Fault(stale), *report.faults))
    return engine.with_severities(aged, severities)


Severities = Iterable[tuple[str, Union[State, Lasting]]]
"""What ``--severity`` gave."""


def severities_of(pairs: Severities) -> dict[str, State]:
    """The overrides that hold at once; the last of a key wins."""
    return {key: value for key, value in pairs if isinstance(value, State)}


def lasting_of(pairs: Severities) -> dict[str, Lasting]:
    """The overrides for what lasts; the last of a key wins."""
    return {key: value for key, value in pairs if isinstance(value, Lasting)}


def with_file(asked: Asked, config: Config) -> Asked:
    """What was asked for, with the severities of the configuration file beneath it."""
    pairs = [severity(key, word) for key, word in config.severity.items()]
    return asked._replace(
        severities={**severities_of(pairs), **asked.severities},
        lasting={**lasting_of(pairs), **asked.lasting},
    )
