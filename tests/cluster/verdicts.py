"""What the checks say on a node, in a form that a test can compare as a whole."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from subprocess import CompletedProcess
from typing import Optional

from check_mccluster.checks import registry
from check_mccluster.verdict.finding import State
from cluster.cluster import Cluster

Done = CompletedProcess[str]
Told = Mapping[str, str]
"""What checks must say, by their names; those that are not named must be OK."""
Due = Mapping[str, Told]
"""What must be said, by node."""
Said = dict[str, dict[str, Done]]
"""What was said, by node and check."""

RUNS_AT_ONCE = 8
OVERVIEW = "overview"
CHECKS = tuple(name for name in registry.names() if name != "cluster")
EXIT_CODES = {"OK": 0, "WARNING": 1, "CRITICAL": 2, "UNKNOWN": 3}
FINDING = re.compile(r"^\[(?:WARNING|CRITICAL|UNKNOWN)\] ([a-z-]+): ", re.MULTILINE)
KINDS = frozenset(registry.kinds())

DRBD_CHECKS = frozenset(name for name in CHECKS if name.startswith("drbd-"))
COROSYNC_CHECKS = ("links", "timing")
PACEMAKER_CHECKS = (
    *("nodes", "quorum", "resources", "failures", "fencing", "placement"),
    *("consistency", "failover"),
)


def program(*arguments: str) -> tuple[str, ...]:
    """The command line of the program."""
    return (sys.executable, "-m", "check_mccluster", *arguments)


def verdict(check: str, done: Done) -> str:
    """``CRITICAL node-offline quorum-margin``: the state and the keys that a check gave with -v."""
    assert done.stderr == "", done.stderr
    word = re.match(rf"{check.upper()} ([A-Z]+) - \S", done.stdout)
    assert word is not None, done.stdout
    state = word.group(1)
    assert done.returncode == EXIT_CODES[state]
    found = {key for key in FINDING.findall(done.stdout) if key in KINDS}
    return " ".join([state, *sorted(found)])


def headline(done: Done) -> str:
    """The first line without performance data."""
    return done.stdout.partition("\n")[0].partition(" | ")[0]


def expectation(told: Told) -> dict[str, str]:
    """What every check must say, from those that are not OK; the overview follows from the rest."""
    assert set(told) <= set(CHECKS)
    words = {check: told.get(check, "OK").split() for check in CHECKS if check != OVERVIEW}
    worst = max((State[state] for state, *_ in words.values()), key=lambda state: state.rank)
    keys = sorted({key for _, *found in words.values() for key in found})
    words[OVERVIEW] = [worst.name, *keys]
    return {check: " ".join([state, *sorted(found)]) for check, (state, *found) in words.items()}


def as_stranger(due: Due) -> Due:
    """The same states, seen by a user whom Pacemaker and Corosync refuse."""
    refused = dict.fromkeys(set(CHECKS) - DRBD_CHECKS - {OVERVIEW}, "UNKNOWN tool-denied")
    return {node: {**told, **refused} for node, told in due.items()}


def as_member(due: Due) -> Due:
    """The same states, seen by a user of haclient, whom only Corosync refuses."""
    refused = dict.fromkeys(COROSYNC_CHECKS, "UNKNOWN tool-denied")
    return {node: {**told, **refused} for node, told in due.items()}


def judge(
    cluster: Cluster, nodes: Iterable[str], user: Optional[str] = None, options: Iterable[str] = ()
) -> Said:
    """Run every check on several nodes, some at the same time."""
    runs = [(node, check) for node in nodes for check in CHECKS]

    def run(where: tuple[str, str]) -> Done:
        node, check = where
        return cluster.run(node, *program(check, "-vv", *options), user=user)

    found: Said = {}
    with ThreadPoolExecutor(max_workers=RUNS_AT_ONCE) as pool:
        for (node, check), done in zip(runs, pool.map(run, runs)):
            found.setdefault(node, {})[check] = done
    return found
