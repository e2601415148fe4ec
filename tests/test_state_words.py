"""State words of DRBD, Pacemaker and Corosync have names in ``model/``; rules use the names."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import check_mccluster.model
from check_mccluster.values import Enum
from standins.machine import SOURCES

PACKAGE = SOURCES / "check_mccluster"
RULES = sorted(
    path for folder in ("judge", "checks", "present") for path in (PACKAGE / folder).rglob("*.py")
)


def state_words() -> Iterator[str]:
    """Values of every enumeration of the model, and of its words that are no enumeration."""
    for each in pkgutil.iter_modules(check_mccluster.model.__path__):
        module = importlib.import_module(f"check_mccluster.model.{each.name}")
        for name, thing in vars(module).items():
            if isinstance(thing, type) and issubclass(thing, Enum):
                yield from (word.value for word in thing)
            elif name.isupper() and isinstance(thing, str):
                yield thing


WORDS = frozenset(state_words()) | {"Master", "Slave", "member", "remote", "ping"}


def literals(tree: ast.AST) -> set[ast.Constant]:
    """The strings of a module, but for docstrings and the parts of f-strings."""
    nodes = list(ast.walk(tree))
    prose = {node.value for node in nodes if isinstance(node, ast.Expr)}
    prose |= {part for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    return {
        node
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in prose
    }


def compared(tree: ast.AST) -> set[ast.AST]:
    """What stands on either side of a comparison, or in a collection there."""
    sides = [
        side
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)
    ]
    return {part for side in sides for part in (side, *ast.iter_child_nodes(side))}


def misplaced(source: str) -> list[str]:
    """State words that stand as strings: anywhere, or, if they are English, in a comparison."""
    tree = ast.parse(source)
    sides = compared(tree)
    return [
        f"{node.lineno}: {node.value}"
        for node in literals(tree)
        if node.value in WORDS and (not node.value.islower() or node in sides)
    ]


@pytest.mark.parametrize("path", RULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_state_word_stands_as_a_string(path):
    assert misplaced(path.read_text()) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('if role == "Promoted": pass', ["1: Promoted"]),
        ('words = {"u": "Unconnected"}', ["1: Unconnected"]),
        ('if status in ("failed", other): pass', ["1: failed"]),
        ('if "user" in flags: pass', ["1: user"]),
        ('if node.type != "ping": pass', ["1: ping"]),
        ('Figure("connected", 3)', []),
        ('"""Promoted."""', []),
        ('f"{name} is Promoted"', []),
    ],
)
def test_what_counts_as_a_state_word_in_a_rule(source, found):
    assert misplaced(source) == found
