"""The table of recorded clusters: the verdict due from each check on each node."""

from __future__ import annotations

from pathlib import Path

import pytest

from check_mccluster.app.session import Setup, open_source, run_check
from check_mccluster.checks import registry
from check_mccluster.model.config import Config
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
