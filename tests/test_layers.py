"""What the layers do to each other when the program runs, and what only one of them names."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from types import CodeType, FrameType

import pytest

from build import SNAPSHOTS
from check_mccluster.inputs import every
from standins.machine import SOURCES

PACKAGE = SOURCES / "check_mccluster"
ONE = SNAPSHOTS / "two-resources/storage01"
SIX = SNAPSHOTS / "six-nodes-healthy"
PRESENTED = {
    "screen": ("status", "--from", ONE),
    "screen-of-six": ("status", "--full", "--from", SIX),
    "brief": ("status", "--brief", "--from", SIX),
    "report": ("report", "--output", "-", "--from", SIX),
    "whatif": ("whatif", "--from", SIX / "app01"),
    "plugin": ("overview", "-vvv", "--from", ONE),
    "json": ("overview", "--json", "--from", ONE),
    "zabbix": ("zabbix", "data", "--from", ONE),
    "metrics": ("metrics", "--from", ONE),
    "checkmk": ("checkmk", "--from", ONE),
}
MAY_ANSWER = {"present", "verdict", "model", "values"}
PROBES = "look"
"""The one way back: nagiosplugin has its resource look at the cluster; the app hands it how."""


class Walk:
    """What functions of another layer each layer calls while the program runs."""

    def __init__(self) -> None:
        self.calls: set[tuple[str, str, CodeType]] = set()

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        here = layer(frame)
        if event != "call" or here is None:
            return
        caller = frame.f_back
        while caller is not None and layer(caller) is None:
            caller = caller.f_back
        if caller is not None and layer(caller) != here:
            self.calls.add((str(layer(caller)), here, frame.f_code))


def layer(frame: FrameType) -> str | None:
    package, _, rest = str(frame.f_globals.get("__name__")).partition(".")
    return rest.partition(".")[0] if package == "check_mccluster" and rest else None


def methods_of_data() -> Iterator[CodeType]:
    """What a value that judge hands over can say of itself."""
    for module in [each for name, each in sys.modules.items() if "check_mccluster.judge" in name]:
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, tuple):
                for member in vars(thing).values():
                    function = getattr(member, "fget", member)
                    if hasattr(function, "__code__"):
                        yield function.__code__


@pytest.mark.parametrize("output", PRESENTED)
def test_a_presenter_is_entered_with_everything_and_asks_no_layer_below(call, output):
    walk = Walk()
    sys.setprofile(walk)
    try:
        call(*PRESENTED[output])
    finally:
        sys.setprofile(None)
    assert ("app", "present") in {(caller, here) for caller, here, _ in walk.calls}
    below = {code for by, here, code in walk.calls if by == "present" and here not in MAY_ANSWER}
    asked = {code.co_name for code in below.difference(methods_of_data())}
    assert {name for name in asked if name != PROBES} == set()


TOOLS = {each.tool.name for each in every.tools()}
FILES = {each.tool.file for each in every.tools()}
COMPARES_TWO = {"judge/belongs.py"}


def named(tree: ast.AST) -> Iterator[str]:
    """Every list, set, table or call that holds the names of two tools or more."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Call)):
            words = {
                each.value for each in ast.iter_child_nodes(node) if isinstance(each, ast.Constant)
            }
            if len(words & TOOLS) > 1:
                yield f"{node.lineno}: {sorted(words & TOOLS)}"


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent.name != "inputs"],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_nothing_but_inputs_lists_tools(path):
    tree = ast.parse(path.read_text())
    files = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)} & FILES
    assert files == set()
    if str(path.relative_to(PACKAGE)) not in COMPARES_TWO:
        assert list(named(tree)) == []
