"""What holds for every check of Pacemaker and Corosync on every recorded node."""

from __future__ import annotations

import json
import re

import pytest

from build import SNAPSHOTS
from check_mccluster.checks import registry

CHECKS = (
    "nodes",
    "quorum",
    "links",
    "resources",
    "failures",
    "fencing",
    "placement",
    "failover",
    "consistency",
    "overview",
)
STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
NODES = sorted(str(path.parent.relative_to(SNAPSHOTS)) for path in SNAPSHOTS.glob("*/*/meta.json"))
MOST_TEXT = 130

NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"
RANGE = rf"@?(?:(?:~|{NUMBER})?:)?(?:{NUMBER})?"
LABEL = r"(?:'(?:[^'=]|'')+'|[^'= ]+)"
FIGURE = re.compile(
    rf"(?P<label>{LABEL})=(?:U|{NUMBER})(?:s|%|B|c)?"
    rf"(?:;{RANGE}(?:;{RANGE}(?:;(?:{NUMBER})?(?:;(?:{NUMBER})?)?)?)?)?"
)


def labels(first_line: str) -> list[str]:
    """The labels of the performance data; each figure is valid by the plugin guidelines."""
    _, bar, perfdata = first_line.partition(" | ")
    found, rest = [], perfdata
    while rest:
        figure = FIGURE.match(rest)
        assert figure, rest
        found.append(figure["label"])
        space = rest[figure.end() : figure.end() + 1]
        assert space in (" ", "")
        rest = rest[figure.end() + 1 :]
        assert rest or not space
    assert bool(found) == bool(bar)
    return found


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("check", CHECKS)
def test_form_of_the_output(call, check, node):
    outcome = call(check, "--from", SNAPSHOTS / node, "-vv")
    state = STATES[outcome.code]
    assert outcome.first.startswith(f"{check.upper()} {state} - ")
    assert len(outcome.first) - len(f"{check} {state} - ") <= MOST_TEXT
    assert outcome.out.count("|") == (" | " in outcome.lines[0])
    assert outcome.out.isascii()
    assert outcome.out.endswith("\n")
    assert all(line == line.strip() and line for line in outcome.lines)
    found = labels(outcome.lines[0])
    assert len(found) == len(set(found))
    assert found == sorted(found)


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("check", CHECKS)
def test_json_agrees_with_the_plugin_output(call, check, node):
    plain = call(check, "--from", SNAPSHOTS / node, "-v")
    outcome = call(check, "--from", SNAPSHOTS / node, "--json")
    document = json.loads(outcome.out)
    assert outcome.code == plain.code == document["exit_code"]
    assert document["state"] == STATES[plain.code]
    assert plain.first == f"{check.upper()} {document['state']} - {document['text']}"
    told = [line.split("] ", 1)[1].split(": ", 1)[0] for line in plain.lines[1:]]
    keys = [each["key"] for each in document["findings"]]
    assert [name for name in told if name not in registry.names()] == keys
    assert len(told) == len(document.get("checks", ())) + len(keys)
    known = {figure["label"] for figure in document["figures"] if figure["value"] is not None}
    assert known == {label.strip("'") for label in labels(plain.lines[0])}


@pytest.mark.parametrize("check", CHECKS)
def test_same_input_gives_the_same_bytes(call, check):
    for node in NODES:
        first, second = (call(check, "--from", SNAPSHOTS / node, "-vv") for _ in range(2))
        assert first == second


HEALTHY = "six-nodes-healthy/app01"


@pytest.mark.parametrize("check", ["resources", "failures", "placement", "failover", "overview"])
@pytest.mark.parametrize(
    ("pattern", "code", "key"),
    [("nosuch", 2, "resource-missing"), ("nosuch*", 3, "resources-none")],
)
def test_filter_that_matches_nothing_is_never_ok(call, check, pattern, code, key):
    outcome = call(check, "--from", SNAPSHOTS / HEALTHY, "-r", pattern, "--json")
    document = json.loads(outcome.out)
    assert (outcome.code, [each["key"] for each in document["findings"]]) == (code, [key])


BROKEN = sorted(
    node
    for node in NODES
    if (SNAPSHOTS / node / "corosync-cfgtool.txt").exists()
    and (SNAPSHOTS / node / "crm_mon.xml").exists()
    and "<summary>" in (SNAPSHOTS / node / "crm_mon.xml").read_text()
    and (SNAPSHOTS / node / "drbd-status.json").exists()
)


@pytest.mark.parametrize("check", CHECKS)
def test_same_labels_whatever_the_verdict(call, check):
    healthy = labels(call(check, "--from", SNAPSHOTS / HEALTHY).lines[0])
    assert healthy
    answered = {
        node: labels(line)
        for node in BROKEN
        if " | " in (line := call(check, "--from", SNAPSHOTS / node).lines[0])
    }
    assert len(answered) > 15
    assert {node: found for node, found in answered.items() if found != healthy} == {}


@pytest.mark.parametrize("check", CHECKS)
def test_every_finding_names_an_object_and_a_next_step(call, check):
    kinds = registry.kinds()
    for node in NODES:
        document = json.loads(call(check, "--from", SNAPSHOTS / node, "--json").out)
        for each in document["findings"]:
            assert each["key"] in kinds
            assert each["object"]
            assert len(each["next_step"]) > 10
            assert "{" not in each["next_step"].replace("uidgid {", "")
            assert "NODE" not in each["next_step"]
