"""Location constraints evaluated for one node: rules, scores, expressions."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Optional, Union

from ...model.configuration import CibNode, DateExpression, Expression, Rule
from ...model.pacemaker import INFINITY, Location
from ...model.words import has_digits, whole


def score_on(location: Location, node: CibNode, now: Optional[datetime]) -> Optional[int]:
    """The score that a constraint gives *node*; 0 if it does not concern it.

    ``None``: nobody can say (a date without *now*, an expression of an unknown kind).
    """
    if not location.rules:
        return (location.score or 0) if location.node == node.name else 0
    total = 0
    for rule in location.rules:
        holds = rule_holds(rule, node, now)
        if holds is None:
            return None
        if holds:
            total += _score(rule, node)
    return max(-INFINITY, min(INFINITY, total))


def applies(location: Location, names: frozenset[str]) -> bool:
    """Whether the constraint is about a resource that has one of *names*."""
    if location.pattern is not None:
        pattern = location.pattern.removeprefix("!")
        try:
            found = any(re.search(pattern, name) for name in names)
        except re.error:
            return False
        return found != location.pattern.startswith("!")
    return location.resource in names


def rule_holds(rule: Rule, node: CibNode, now: Optional[datetime]) -> Optional[bool]:
    """Whether a rule is true on *node*; ``None`` if nobody can say."""
    results = [_holds(test, node, now) for test in rule.tests]
    decisive = rule.any_of
    if decisive in results:
        return decisive
    return None if None in results else not decisive


def _holds(
    test: Union[Rule, Expression, DateExpression], node: CibNode, now: Optional[datetime]
) -> Optional[bool]:
    if isinstance(test, Rule):
        return rule_holds(test, node, now)
    if isinstance(test, DateExpression):
        return _date_holds(test, now)
    special = {"#uname": node.name, "#kind": "remote" if node.is_remote else "cluster"}
    actual = special.get(test.attribute, node.attribute(test.attribute))
    if test.attribute.startswith("#") and test.attribute not in special:
        return None
    return _compare(test, actual)


def _compare(test: Expression, actual: Optional[str]) -> Optional[bool]:
    """As ``pe__eval_attr_expr``: without a value only ``ne`` and ``not_defined`` are true."""
    if test.operation in ("defined", "not_defined"):
        return (actual is not None) == (test.operation == "defined")
    if actual is None or test.value is None:
        return test.operation == "ne"
    one: Union[str, float, tuple[int, ...]] = actual.lower()
    other: Union[str, float, tuple[int, ...]] = test.value.lower()
    ordered = test.operation not in ("eq", "ne")
    try:
        if test.type == "version":
            one, other = _version(actual), _version(test.value)
        elif test.type in ("number", "integer") or (test.type is None and ordered):
            one, other = float(actual), float(test.value)
    except ValueError:
        if test.type is not None:
            return None
    results = {
        "eq": one == other,
        "ne": one != other,
        "lt": one < other,  # type: ignore[operator]
        "lte": one <= other,  # type: ignore[operator]
        "gt": one > other,  # type: ignore[operator]
        "gte": one >= other,  # type: ignore[operator]
    }
    return results.get(test.operation)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _date_holds(test: DateExpression, now: Optional[datetime]) -> Optional[bool]:
    start, end = time_of(test.start), time_of(test.end)
    if now is None or (test.start and start is None) or (test.end and end is None):
        return None
    after = start is None or now > start
    before = end is None or now < end
    if test.operation == "gt" and start is not None:
        return after
    if test.operation == "lt" and end is not None:
        return before
    if test.operation == "in_range" and (start is not None or end is not None):
        return after and before
    return None


_ISO = r"(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?)?(?:\.\d+)? ?(Z|[+-]00:?00)?"


def time_of(text: Optional[str]) -> Optional[datetime]:
    """A time of a date expression in UTC, the form that Pacemaker's tools write; else ``None``."""
    found = re.fullmatch(_ISO, text.strip()) if text else None
    if found is None:
        return None
    numbers = [int(part or 0) for part in found.groups()[:6]]
    try:
        year, month, day, hour, minute, second = numbers
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return None


def _score(rule: Rule, node: CibNode) -> int:
    if rule.score is not None:
        return rule.score
    return number(node.attribute(rule.score_attribute) if rule.score_attribute else None)


def number(score: Optional[str]) -> int:
    """A score as Pacemaker reads one: what is none counts as 0."""
    words = {"INFINITY": INFINITY, "+INFINITY": INFINITY, "-INFINITY": -INFINITY}
    if score is None or score in words:
        return words.get(score or "", 0)
    if score.startswith("+"):
        score = score[1:] if has_digits(score[1:]) else ""
    return whole(score) or 0
