"""What holds for every check of DRBD on every recorded node: the form of its output."""

from __future__ import annotations

import re

import pytest

from build import SNAPSHOTS

CHECKS = ("drbd-role", "drbd-disk", "drbd-mesh", "drbd-quorum", "drbd-sync", "timing")
STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
NODES = sorted(
    str(path.parent.relative_to(SNAPSHOTS)) for path in SNAPSHOTS.glob("*/*/drbd-status.json")
)

NUMBER = r"-?\d+(?:\.\d+)?"
RANGE = rf"@?(?:(?:~|{NUMBER})?:)?(?:{NUMBER})?"
LABEL = r"(?:'[^'=|]+'|[^'=|\s]+)"
LIMITS = rf";{RANGE}(?:;{RANGE}(?:;(?:{NUMBER})?(?:;{NUMBER})?)?)?"
FIGURE = rf"{LABEL}={NUMBER}(?:s|B|%|c)?(?:{LIMITS})?"


def labels(line: str) -> list[str]:
    """The labels of the performance data in a first line; each figure has the strict form."""
    _, bar, perfdata = line.partition(" | ")
    figures = re.findall(r"(?:'[^']*'|[^\s'])+", perfdata)
    assert bool(bar) == bool(figures)
    for figure in figures:
        assert re.fullmatch(FIGURE, figure), figure
    return [figure.rpartition("=")[0].strip("'") for figure in figures]


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("check", CHECKS)
def test_form_of_the_output(call, check, node):
    outcome = call(check, "-vv", "--from", SNAPSHOTS / node)
    first = outcome.lines[0]
    head = f"{check.upper()} {STATES[outcome.code]} - "
    assert first.startswith(head)
    assert outcome.out.isascii()
    assert outcome.out.endswith("\n")
    assert first.count("|") <= 1
    assert not any("|" in line for line in outcome.lines[1:])
    # 120 characters of text, and the count of what did not fit.
    assert len(outcome.first) <= len(head) + 120 + len(" (+99 more)")
    assert len(first) < 2500
    found = labels(first)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("check", CHECKS)
def test_same_input_gives_the_same_bytes(call, check):
    node = SNAPSHOTS / "two-resources/storage01"
    assert call(check, "-vv", "--from", node) == call(check, "-vv", "--from", node)


@pytest.mark.parametrize(
    ("check", "nodes"),
    [
        (
            "drbd-role",
            (
                "six-nodes-healthy/app01",
                "storage-servers-lost/app01",
                "app01-cut-from-all-storage/app01",
                "group-disabled/app01",
            ),
        ),
        (
            "drbd-disk",
            (
                "six-nodes-healthy/storage03",
                "disk-detached/storage03",
                "disk-hangs-detaching/storage03",
                "resync-after-reconnect/storage03",
                "storage-server-isolated/storage03",
            ),
        ),
        (
            "drbd-mesh",
            (
                "six-nodes-healthy/app01",
                "storage03-powered-off/app01",
                "app01-cut-from-all-storage/app01",
            ),
        ),
        (
            "drbd-quorum",
            (
                "six-nodes-healthy/app01",
                "storage03-powered-off/app01",
                "storage-servers-lost/app01",
                "app01-cut-from-all-storage/app01",
            ),
        ),
        (
            "drbd-sync",
            (
                "six-nodes-healthy/storage01",
                "first-full-sync/storage01",
                "all-copies-outdated/storage01",
                "link-to-one-storage-cut/storage01",
                "full-resync-two-sources/storage01",
            ),
        ),
    ],
)
def test_same_labels_whatever_the_verdict(call, check, nodes):
    outcomes = [call(check, "--from", SNAPSHOTS / node) for node in nodes]
    assert len({outcome.code for outcome in outcomes}) > 1
    assert len({tuple(labels(outcome.lines[0])) for outcome in outcomes}) == 1


@pytest.mark.parametrize("check", CHECKS[:5])
def test_many_resources_keep_the_output_short(call, check):
    """51 resources, one of them without any disk: it is named, nothing else is listed."""
    outcome = call(check, "--from", SNAPSHOTS / "fifty-resources/storage02")
    assert len(outcome.lines) == 1
    assert len(outcome.lines[0]) < 250
    assert len(labels(outcome.lines[0])) <= 3
    faulty = check in ("drbd-disk", "drbd-mesh", "drbd-quorum")
    assert ("m07" in outcome.first) == faulty
    assert (outcome.code == 2) == faulty
