"""Several nodes at once: snapshots, folders of them, or hosts that are asked over ssh."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from typing import Any, Optional

from ..acquire.snapshot import ARCHIVE_ENDS, Snapshot, make_a_snapshot
from ..acquire.source import SnapshotError, Source
from ..checks.overview import CHECK as OVERVIEW
from ..inputs.crm_mon import CLUSTER
from ..inputs.drbdsetup import DRBD
from ..inputs.evidence import DRBD_RESOURCES, DRBD_UTILS
from ..model.config import Config
from ..values import NamedTuple
from ..verdict.finding import Report
from ..verdict.view import Asked, Judgement, same_node
from .session import Setup, SetupError, open_source, run_check, with_file


class Several(NamedTuple):
    """What became of asking several nodes.

    :param seen: each node's own judgement. :param unasked: nodes that could not be asked, with the
        reason. :param clocks: seconds that a node's clock is off, beyond what the answer took.
    """

    seen: tuple[Judgement, ...]
    unasked: dict[str, str]
    clocks: dict[str, float]

    def report(self, asked: Asked) -> Report:
        """What they say together."""
        from ..checks.cluster import together

        return together(self.seen, self.unasked, asked, self.clocks)


def joined(
    setup: Setup,
    config: Config,
    snapshots: Sequence[str],
    targets: dict[str, str],
    asked: Asked,
    **values: Any,
) -> tuple[Several, Report]:
    """Every node judged by all checks, and what they say together.

    Hosts that contradict each other are asked once more before that is told: something may just be
    moving.

    :param values: options of the checks.
    :raises SetupError: as :func:`look`.
    """
    deadline = time.monotonic() + setup.timeout
    own = Asked(values=values, severities=asked.severities)

    def judge(source: Source, setup: Setup) -> Judgement:
        return run_check(OVERVIEW, source, config, setup, own)

    found = look(setup, config, snapshots, targets, judge)
    report = found.report(asked)
    if snapshots or not targets:
        return found, report
    nodes = _contradicting(report, found.seen)
    doubtful = {n: t for n, t in targets.items() if any(same_node(n, node) for node in nodes)}
    left = setup._replace(timeout=deadline - time.monotonic() - _PAUSE)
    if not doubtful or left.timeout <= _LEAST:
        return found, report
    time.sleep(_PAUSE)
    found = _with_newer(found, left, config, doubtful, judge)
    return found, found.report(asked)


def _contradicting(report: Report, seen: Sequence[Judgement]) -> frozenset[str]:
    """The nodes whose answers contradict each other's: what just moves looks like that, too.

    Of Pacemaker all: a new answer of one beside old ones of others is no picture.
    """
    from ..checks.cluster import STALE, TWICE
    from ..judge.both_ends import CLIENT_DISPUTED, DISK_DISPUTED, DISPUTED
    from ..judge.instances import MULTI_ACTIVE

    moves = {STALE.key, TWICE.key, MULTI_ACTIVE.key} & {each.key for each in report.findings}
    members = frozenset(
        one.view.here for one in seen if moves and one.view[CLUSTER].value is not None
    )
    keys = {kind.key for kind in (DISPUTED, DISK_DISPUTED, CLIENT_DISPUTED)}
    return members | {node for each in report.findings if each.key in keys for node in each.nodes}


def judged_together(setup: Setup, config: Config, asked: Asked) -> Judgement:
    """The judgement of the check ``cluster``.

    :raises SetupError: as :func:`look`.
    """
    from ..judge.engine import with_memory

    asked = with_file(asked, config)
    targets = hosts_of(asked.values["hosts"], config)
    found, report = joined(setup, config, asked.values["snapshots"], targets, asked)
    first = found.seen[0]
    runs = tuple(run for one in found.seen for run in one.runs)
    return Judgement(first.view, with_memory(report, asked, first.view.time), runs, first.recorded)


def is_snapshot(path: str) -> bool:
    """Whether there is a snapshot at *path*: a folder with its files, or an archive."""
    if os.path.isdir(path):
        with contextlib.suppress(OSError):  # where nobody may look there is none
            return make_a_snapshot(os.listdir(path))
        return False
    return path == "-" or path.endswith(ARCHIVE_ENDS)


def snapshots_in(path: str) -> list[str]:
    """The snapshots that *path* stands for: itself, or those of a folder of nodes."""
    if is_snapshot(path) or not os.path.isdir(path):
        return [path]
    inner = sorted(os.path.join(path, name) for name in os.listdir(path))
    return [each for each in inner if is_snapshot(each)] or [path]


def hosts_of(given: Sequence[str], config: Config) -> dict[str, str]:
    """Names and targets of ``--host NAME[=TARGET]``, else of ``[cluster.hosts]``."""
    if not given:
        return dict(config.cluster_hosts)
    pairs = (text.partition("=") for text in given)
    return {name: target or config.cluster_hosts.get(name, name) for name, _, target in pairs}


Judge = Callable[[Source, Setup], Judgement]
"""What is made of each node's answers."""


def look(
    setup: Setup, config: Config, snapshots: Sequence[str], targets: dict[str, str], judge: Judge
) -> Several:
    """Judge every node; all hosts are asked at the same time.

    :param targets: what to connect to, by the node's name; without any and without snapshots
        this machine is judged.

    :raises SetupError: if a snapshot cannot be read, or none of the nodes could be asked.
    """
    if targets and not snapshots:
        return _ask(setup, config, targets, judge)
    paths = [each for path in snapshots for each in snapshots_in(path)]
    seen = []
    for path in paths or (None,):
        own = setup._replace(snapshot=path)
        with open_source(own, config) as source:
            seen.append(judge(source, own))
    return Several(_once(seen), {}, {})


def _with_newer(
    found: Several, setup: Setup, config: Config, targets: dict[str, str], judge: Judge
) -> Several:
    """The same with newer answers of some nodes; who does not answer keeps the first one."""
    try:
        newer = _ask(setup, config, targets, judge)
    except SetupError:
        return found
    fresh = {one.view.here: one for one in newer.seen}
    return found._replace(seen=tuple(fresh.get(one.view.here, one) for one in found.seen))


_PAUSE = 2.0
"""Seconds between two askings: what moves has moved on by then."""
_LEAST = 2.0
"""Seconds that an answer may take; with less left nobody is asked again."""


def _once(seen: Sequence[Judgement]) -> tuple[Judgement, ...]:
    """One judgement a node, by name: in whatever order they came, the answer is the same.

    :raises SetupError: if two snapshots are of one node.
    """
    names: set[str] = set()
    for one in seen:
        if one.view.here in names:
            raise SetupError(f"two snapshots are of {one.view.here}")
        names.add(one.view.here)
    return tuple(sorted(seen, key=lambda one: one.view.here))


def _ask(setup: Setup, config: Config, targets: dict[str, str], judge: Judge) -> Several:
    from ..acquire.remote import SSH, ask
    from ..inputs.every import recorded

    here = os.uname().nodename
    local = [name for name in targets if same_node(name, here)]
    remote = {name: target for name, target in targets.items() if name not in local}
    command = ["check_mccluster", "snapshot", "-"]
    command += ["--timeout", f"{max(1.0, setup.timeout - 2):.3g}"]
    command += ["--sudo"] if setup.sudo else []
    deadline = time.monotonic() + setup.timeout - _FOR_JUDGING
    unasked: dict[str, str] = {}
    clocks: dict[str, float] = {}
    answered: dict[str, Judgement] = {}
    with contextlib.ExitStack() as opened:
        # The tools of this machine run while the others are asked: one deadline for all.
        own = [opened.enter_context(open_source(setup, config)) for _ in local]
        for source in own:
            source.prepare((*(key.tool for key in recorded()), DRBD_RESOURCES))
            source.ask_drbd_utils(DRBD_UTILS)
        answers = ask(remote, command, deadline, config.cluster_via or SSH)
        left = setup._replace(timeout=max(_FOR_JUDGING, deadline - time.monotonic()))
        answered.update({name: judge(source, left) for name, source in zip(local, own)})
    for name, answer in answers.items():
        if answer.reason is not None:
            unasked[name] = answer.reason
            continue
        try:
            with Snapshot.of(answer.data, name) as source:
                answered[name] = judge(source, setup._replace(node=None))
                off = _off(source.time.timestamp(), answer.began, answer.ended)
        except (SnapshotError, SetupError) as error:
            unasked[name] = f"its answer is not a snapshot: {error}"
            continue
        if off is not None:
            clocks[answered[name].view.here] = off
    for name, other in _mistaken(answered).items():
        del answered[name]
        unasked[name] = f"its target answers as {other}"
    if not answered:
        first = next(iter(unasked.items()))
        more = f" (+{len(unasked) - 1} more)" if len(unasked) > 1 else ""
        raise SetupError(f"no node could be asked: {first[0]}: {first[1]}{more}")
    return Several(_once([*answered.values()]), unasked, clocks)


def _mistaken(answered: dict[str, Judgement]) -> dict[str, str]:
    """Nodes that another one answered for: what that one is, by the name of who was meant.

    A host may have any name here, but not that of another node.
    """
    known: set[str] = set()
    for one in answered.values():
        cluster, drbd = one.view[CLUSTER].value, one.view[DRBD].value
        known.update(node.name for node in (cluster.nodes if cluster is not None else ()))
        known.update(peer.name for each in drbd or () for peer in each.connections)
        known.add(one.view.here)
    found: dict[str, str] = {}
    first: dict[str, str] = {}
    for name, one in sorted(answered.items(), key=lambda each: each[0] != each[1].view.here):
        here = one.view.here
        its_own = same_node(name, here)
        if here in first or (not its_own and any(same_node(name, each) for each in known)):
            found[name] = here
        else:
            first[here] = name
    return found


_FOR_JUDGING = 0.5
"""Seconds of the deadline that are kept for judging what has come."""
_CLOCKS = 2.0
"""Seconds that a node's clock may be off."""


def _off(time_there: float, began: float, ended: float) -> Optional[float]:
    """Seconds that a clock is off, if that is too much; snapshots have whole seconds."""
    if time_there + 1 < began - _CLOCKS:
        return time_there - began
    if time_there > ended + _CLOCKS:
        return time_there - ended
    return None
