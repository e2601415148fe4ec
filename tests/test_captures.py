"""The table of recorded clusters: the verdict due from each check on each node."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from check_mccluster.app.session import Setup, open_source, run_check
from check_mccluster.app.several import Several, joined
from check_mccluster.checks import registry
from check_mccluster.checks.cluster import together
from check_mccluster.model.config import Config
from check_mccluster.verdict.finding import State
from check_mccluster.verdict.view import Asked


def rows(table: Path):
    for line in table.read_text().splitlines():
        if not line.startswith("#"):
            yield tuple(line.split("\t"))


def judge(folder: Path, check: str):
    with open_source(Setup(8.0, snapshot=str(folder)), Config()) as source:
        setup = Setup(8.0, snapshot=str(folder))
        return run_check(registry.load(check), source, Config(), setup, Asked()).report


@pytest.mark.captures
def test_states_of_public_reports_are_judged_right(captures):
    """Each was judged wrong by somebody's monitor once."""
    wrong, count = [], 0
    for scenario, node, check, states, keys in rows(captures / "public/expected.tsv"):
        report = judge(captures / "public" / scenario / node, check)
        count += 1
        found = {each.key for each in report.findings}
        if report.state.name not in states.split("|") or (
            keys and not found & set(keys.split("|"))
        ):
            wrong.append(f"{scenario} {node} {check}: {report.state.name} {sorted(found)}")
    assert count > 200
    assert not wrong, "\n".join(wrong)


@pytest.mark.captures
def test_every_row_of_the_table_is_judged_right(captures):
    wrong, count = [], 0
    for scenario, node, check, states, keys in rows(captures / "expected.tsv"):
        report = judge(captures / scenario / node, check)
        count += 1
        found = {each.key for each in report.findings}
        state = report.state.name
        if state not in states.split("|") or (keys and not found & set(keys.split("|"))):
            wrong.append(f"{scenario} {node} {check}: {state} {sorted(found)}, due {states} {keys}")
    assert count > 4000
    assert not wrong, "\n".join(wrong)


# -- several nodes together --------------------------------------------------------------------


def of_cluster(table: Path):
    for line in table.read_text().splitlines():
        if line and not line.startswith("#"):
            scenario, states, causes, most, never, *_ = [*line.split("\t"), "", "", ""]
            yield scenario, states.split("|"), causes, int(most[2:]), never.split(",")


def plain_nodes(scenario: Path) -> list[str]:
    folders = sorted(path for path in scenario.iterdir() if path.is_dir())
    return [str(p) for p in folders if "-as-" not in p.name and "-utils" not in p.name]


ASKED = Asked(values={"snapshots": (), "hosts": ()})


@functools.cache
def looked(scenario: Path) -> Several:
    """Every node of a scenario, judged by itself."""
    return joined(Setup(8.0), Config(), plain_nodes(scenario), {}, ASKED)[0]


def holds(alternative: str, faults) -> bool:
    """Whether there is a fault of that key about that object, as the table's head says."""
    key, _, about = alternative.partition("@")
    for fault in faults:
        words = {*fault.cause.object.replace(",", " ").split(), *fault.cause.nodes}
        if fault.cause.key == key and words >= {*about.split()}:
            return True
    return False


@pytest.mark.captures
def test_the_order_in_which_nodes_come_changes_nothing(captures):
    count, wrong = 0, []
    for scenario, *_ in of_cluster(captures / "expected-cluster.tsv"):
        seen = looked(captures / scenario).seen
        turned, swapped = [*seen[1:], seen[0]], seen[::-1]
        count += len(seen) > 1
        report = together(seen, {}, ASKED)
        if not report == together(swapped, {}, ASKED) == together(turned, {}, ASKED):
            wrong.append(scenario)
    assert count > 50
    assert wrong == []


@pytest.mark.captures
def test_every_scenario_of_several_nodes_is_told_as_its_causes(captures):
    wrong, count = [], 0
    for scenario, states, causes, most, never in of_cluster(captures / "expected-cluster.tsv"):
        count += 1
        seen = looked(captures / scenario)
        report = together(seen.seen, seen.unasked, ASKED)
        faults = [fault for fault in report.faults if fault.state is not State.OK]
        keys = [fault.cause.key for fault in faults]
        missing = [
            c for c in causes.split(",") if c and not any(holds(a, faults) for a in c.split("|"))
        ]
        told = [key for key in (*never, "node-unasked", "snapshot-stale") if key in keys]
        bad = report.state.name not in states or missing or told or len(faults) > most
        if bad:
            wrong.append(f"{scenario}: {report.state.name} {keys}, missing {missing}, told {told}")
    assert count > 100
    assert not wrong, "\n".join(wrong)
