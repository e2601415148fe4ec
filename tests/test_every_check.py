"""A check that cannot be added wrongly: what must hold of every check of the registry."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nagiosplugin import Range

from check_mccluster.checks import registry
from check_mccluster.inputs.every import tools
from check_mccluster.verdict.problems import KINDS as INPUT_KINDS
from conftest import FIXTURES, ROOT

CHECKS = registry.names()
SINGLE = [check.name for check in registry.single_checks()]
APP01 = FIXTURES / "snapshots" / "six-nodes-healthy" / "app01"
GARBAGE = {
    "empty": b"",
    "text": b"no such thing\n",
    "cut": b"<crm_mon version='2.1.5'><summary>",
    "json": b'[{"name": "r0"',
    "other-json": b'{"a": [1, 2, null]}',
    "binary": bytes(range(256)),
}
STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
PERFDATA = re.compile(r"('[^'=|]+'|[^'= |]+)=-?[0-9.]+(|s|B|%|c)(;[^; ]*){0,2}(;-?[0-9.]*){0,2}")


def damaged(folder: Path, file: str, content: bytes) -> Path:
    """A healthy node one of whose tools printed *content*."""
    copy = folder / "app01"
    shutil.copytree(APP01, copy)
    (copy / file).write_bytes(content)
    return copy


def needed() -> list[tuple[str, str]]:
    """Every check with the files that it cannot do without."""
    return [
        (check.name, key.tool.file) for check in registry.single_checks() for key in check.needs
    ]


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize(("check", "file"), needed())
def test_garbage_for_an_input_that_it_needs_is_never_ok(call, tmp_path, check, file, garbage):
    outcome = call(check, "--from", damaged(tmp_path, file, GARBAGE[garbage]))
    assert outcome.code in (2, 3)
    assert outcome.first.startswith(f"{check.upper()} {STATES[outcome.code]} - ")


@pytest.mark.parametrize("check", [c.name for c in registry.single_checks() if c.filters])
@pytest.mark.parametrize("pattern", ["nosuchthing", "nosuch*"])
def test_a_filter_that_matches_nothing_is_never_ok(call, check, pattern):
    outcome = call(check, "--from", APP01, "-r", pattern)
    assert outcome.code in (2, 3)
    assert "nosuch" in outcome.first


@pytest.mark.parametrize("check", CHECKS)
def test_the_first_line_and_the_figures_have_their_form(call, check):
    outcome = call(check, "--from", APP01)
    line, _, figures = outcome.lines[0].partition(" | ")
    assert re.fullmatch(rf"{check.upper()} (OK|WARNING|CRITICAL|UNKNOWN) - \S.*", line)
    assert len(line) < 170
    for each in re.findall(r"(?:'[^']+'|[^ ']+)=\S+", figures):
        assert PERFDATA.fullmatch(each), each


def recorded() -> list[Path]:
    return sorted(path.parent for path in (FIXTURES / "snapshots").rglob("meta.json"))


@pytest.mark.parametrize("check", SINGLE)
def test_every_finding_and_figure_is_described(call, check):
    """Over all the recorded nodes: kinds are at least the findings, figures at least the labels."""
    described = registry.load(check)
    keys = {kind.key for kind in (*described.kinds, *INPUT_KINDS)}
    labels = [re.sub(r"\\\{\w+\\\}", ".+", re.escape(label)) for label, _ in described.figures]
    for folder in recorded():
        told = json.loads(call(check, "--from", folder, "--json").out)
        assert {each["key"] for each in told["findings"]} <= keys, folder
        for figure in told["figures"]:
            assert any(re.fullmatch(label, figure["label"]) for label in labels), figure
        names = [figure["label"] for figure in told["figures"]]
        assert len(names) == len(set(names)), folder


_LIMITED = re.compile(r"(?:'[^']+'|[^ ']+)=(-?[0-9.]+)(?:s|B|%|c)?;([^; ]*)(?:;([^; ]*))?")


@pytest.mark.parametrize("check", [*SINGLE, "overview"])
def test_a_figure_outside_of_its_limits_is_no_better_verdict(call, check):
    """Over all the recorded nodes: what a graph shows as red is red."""
    gravity = (0, 1, 3, 2)
    limits = breached = 0
    for folder in recorded():
        outcome = call(check, "--from", folder)
        for value, *ranges in _LIMITED.findall(outcome.lines[0].partition(" | ")[2]):
            for least, limit in zip((1, 3), ranges):
                limits += bool(limit)
                if limit and not Range(limit).match(float(value)):
                    breached += 1
                    assert gravity[outcome.code] >= least, (folder, outcome.lines[0])
    assert (limits > 0) == (breached > 0) == (check in WITH_LIMITS)


WITH_LIMITS = {
    *("nodes", "quorum", "links", "failures", "fencing", "placement", "drbd-mesh", "drbd-quorum"),
    *("failover", "timing", "overview"),
}
"""The checks where a number alone decides."""


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Constructed: 300 DRBD resources with six peers each, 600 resources of Pacemaker."""
    folder = tmp_path_factory.mktemp("large") / "app01"
    shutil.copytree(APP01, folder)
    for script, sizes, file in (
        ("big_drbd_status.py", ("300", "6"), "drbd-status.json"),
        ("big_crm_mon.py", ("6", "600"), "crm_mon.xml"),
    ):
        command = [sys.executable, ROOT / "bench" / script, *sizes]
        done = subprocess.run(command, capture_output=True, check=True)
        (folder / file).write_bytes(done.stdout)
    (folder / "meta.json").write_text('{"node": "node01", "time": "2026-01-01T00:00:00Z"}')
    return folder


@pytest.mark.parametrize("check", CHECKS)
def test_many_objects_make_no_more_figures_and_no_longer_output(call, large, check):
    outcome = call(check, "--from", large)
    assert outcome.first.startswith(f"{check.upper()} {STATES[outcome.code]} - ")
    _, _, figures = outcome.first.partition(" | ")
    assert len(re.findall(r"(?:'[^']+'|[^ ']+)=\S+", figures)) <= 16
    assert len(outcome.out.encode()) <= 4096  # a small plugin output of Nagios


def shipped(pattern: str) -> dict[str, str]:
    """The text of each file of contrib that matches."""
    return {str(path): path.read_text() for path in (ROOT / "contrib").glob(pattern)}


@pytest.mark.parametrize("check", CHECKS)
def test_it_has_its_page(check):
    page = (ROOT / "docs" / "checks" / f"{check}.md").read_text()
    every_finding = (ROOT / "docs" / "checks" / "README.md").read_text()
    for kind in registry.load(check).kinds:
        assert f"`{kind.key}`" in page
        owner = "" if check in registry.WHOLE else check  # those of the parts are theirs
        assert re.search(rf"^\| `{kind.key}` \| .*\b{owner}\b", every_finding, re.M)


@pytest.mark.parametrize("check", CHECKS)
def test_it_is_an_object_of_icinga_and_a_line_of_nagios(check):
    (icinga,) = shipped("icinga2/check_mccluster-commands.conf").values()
    assert f'object CheckCommand "mccluster-{check}"' in icinga
    (nrpe,) = shipped("nagios/nrpe_*.cfg").values()
    assert f"command[check_mccluster_{check}]=" in nrpe
    assert re.search(rf"/check_mccluster {check}(?: --fold)?(?: --speaker)? -v$", nrpe, re.M)


@pytest.mark.parametrize("check", SINGLE)
def test_it_is_an_item_of_every_template_of_zabbix(check):
    templates = shipped("zabbix/**/template_*.yaml")
    assert templates
    assert [name for name, text in templates.items() if f"[{check}]" not in text] == []


def test_every_tool_has_its_place_in_a_snapshot_and_in_the_sudoers():
    documented = (ROOT / "docs" / "snapshots.md").read_text()
    sudoers = (ROOT / "contrib" / "sudoers" / "check_mccluster").read_text()
    for key in tools():
        assert f"`{key.tool.file}`" in documented
        if key.tool.by_root:
            assert " ".join((f"/{key.tool.name}", *key.tool.arguments)) in sudoers


def test_explain_says_which_fault_hides_which(call):
    outcome = call("explain", "--causes")
    assert outcome.code == 0
    assert "quorum-off explains" in outcome.lines
    after = outcome.lines[outcome.lines.index("quorum-off explains") + 1 :]
    assert [line.strip() for line in after[:2]] == [
        "quorum-policy",
        "with equal: the same DRBD resource",
    ]
    assert all(len(line) <= 80 for line in outcome.lines)
