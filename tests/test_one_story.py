"""What holds for every recording: one output tells one story, each fault once, without keys."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from check_mccluster.app.session import Setup, open_source, run_check
from check_mccluster.app.several import joined
from check_mccluster.checks import registry
from check_mccluster.checks.cluster import together
from check_mccluster.inputs.crm_mon import CLUSTER
from check_mccluster.model.config import Config
from check_mccluster.model.pacemaker import base_id, ids_of
from check_mccluster.verdict.finding import State
from check_mccluster.verdict.view import Asked
from test_captures import plain_nodes

SNAPSHOTS = Path(__file__).parents[1] / "fixtures" / "snapshots"
NODES = sorted(path.parent for path in SNAPSHOTS.glob("*/*/meta.json"))
STATES = sorted({node.parent for node in NODES})
KEYS = sorted(key for key in registry.kinds() if "-" in key)
CLAIMS = {
    "nowhere": r"runs nowhere|is stopped|is disabled",
    "runs": r"runs on",
    "starts": r"is starting on",
    "stops": r"is stopping on",
}


def name_of(path: Path) -> str:
    return "/".join(path.relative_to(SNAPSHOTS).parts)


def judged(node: Path):
    setup = Setup(30.0, snapshot=str(node))
    with open_source(setup, Config()) as source:
        return run_check(registry.load("overview"), source, Config(), setup, Asked())


def flat(text: str) -> str:
    """The words of a screen, whatever its lines and margins."""
    return " ".join(text.split())


def claims(text: str, name: str) -> set[str]:
    """What a text says of where a resource is."""
    who = rf"(?<![\w.-]){re.escape(name)}(?: \([\w-]+\))?"
    return {what for what, words in CLAIMS.items() if re.search(rf"{who} (?:{words})\b", text)}


def page(text: str) -> str:
    """What a reader of the page sees."""
    text = re.sub(r"<(style|script|title)\b.*?</\1>", " ", text, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", text))


def shown(call, *where) -> dict[str, str]:
    """Every screen that a person reads."""
    found = {
        "status": call("status", *where).out,
        "status --full": call("status", "--full", *where).out,
        "status --brief": call("status", "--brief", *where).out,
        "report": page(call("report", *where).out),
    }
    assert all(found.values())
    return found


@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_a_resource_is_in_one_place(call, node):
    in_one_place(judged(node), shown(call, "--from", node), call, node)


def in_one_place(one, outputs, call, node) -> None:
    cluster = one.view[CLUSTER].value
    if cluster is None:
        return
    outputs = {**outputs, "overview": call("overview", "--from", node, "-vv").out}
    names = {base_id(name) for each in cluster.resources for name in ids_of(each)}
    for where, text in outputs.items():
        for name in names:
            assert len(claims(flat(text), name)) <= 1, (where, name, claims(flat(text), name))


@pytest.mark.captures
@pytest.mark.parametrize("family", ["drbd", "pacemaker", "public"])
def test_every_recorded_cluster_tells_one_story(call, captures, family):
    """The same over the whole collection, on the screen that tells most."""
    count = 0
    for state in sorted(path for path in (captures / family).iterdir() if path.is_dir()):
        nodes = [Path(node) for node in plain_nodes(state)]
        ones = [judged(node) for node in nodes]
        for node, one in zip(nodes, ones):
            outputs = {"status": call("status", "--from", node).out}
            in_one_place(one, outputs, call, node)
            once(outputs, one.report.faults)
            count += 1
        if len({one.view.here for one in ones}) < max(2, len(ones)):
            continue
        faults = together(ones, {}, Asked()).faults
        where = [str(word) for node in nodes for word in ("--from", node)]
        once({"status": call("status", *where).out}, faults)
        assert not [each.text for each in faults if "this node" in each.text], state
    assert count > 20


@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_a_fault_of_one_node_stands_once_on_a_screen(call, node):
    once(shown(call, "--from", node), judged(node).report.faults)


@pytest.mark.parametrize("state", STATES, ids=name_of)
def test_a_fault_of_several_nodes_stands_once_on_a_screen(call, state):
    nodes = [node for node in NODES if node.parent == state and "-" not in node.name]
    where = [str(word) for node in nodes for word in ("--from", node)]
    if len(nodes) < 2:
        return
    seen, _ = joined(Setup(30.0), Config(), tuple(map(str, nodes)), {}, Asked())
    faults = together(seen.seen, seen.unasked, Asked()).faults
    once(shown(call, *where), faults)
    assert not [each.text for each in faults if "this node" in each.text]


def once(outputs, faults) -> None:
    told = [fault for fault in faults if fault.state is not State.OK]
    texts = [fault.cause.text for fault in told]
    assert len(texts) == len(set(texts))
    follows = [each.text for fault in told for each in fault.follows]
    alone = [
        text
        for text in texts
        if not any(text in other for other in (*texts, *follows) if other != text)
    ]
    for where, screen in outputs.items():
        words = flat(screen)
        assert not [text for text in alone if words.count(flat(text)) > 1], where
        # An option of a step has its key, and Pacemaker itself speaks of the fail-count.
        words = re.sub(r"--severity [\w-]+=|fail-count (\d|INFINITY)", "", words)
        keys = [key for key in KEYS if re.search(rf"(?<![\w-]){key}(?![\w-])", words)]
        assert not keys, (where, keys)


def test_claims_are_found():
    text = "[OK] placement: group1 runs on app02 FS (group1) is stopping on app02; FS runs nowhere"
    assert claims(text, "group1") == {"runs"}
    assert claims(text, "FS") == {"stops", "nowhere"}
    assert claims(text, "S") == set()
