"""Location constraints: what a rule says of a node, by every operation, type and time."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from check_mccluster.judge.facts.location import (
    applies,
    number,
    rule_holds,
    score_on,
    time_of,
)
from check_mccluster.model.configuration import CibNode, DateExpression, Expression, Rule
from check_mccluster.model.pacemaker import INFINITY, Location
from check_mccluster.read.xmlstream import time_of as printed_time

NODE = CibNode("app01", "member", {"rack": "B", "size": "9", "version": "1.10"}, {"ping": "100"})
NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)


def rule(*tests, any_of=False, score=100, attribute=None):
    return Rule("rule", score, attribute, None, any_of, tests)


def holds(test, node=NODE, now=NOON):
    return rule_holds(rule(test), node, now)


@pytest.mark.parametrize(
    ("test", "result"),
    [
        (Expression("rack", "eq", "b"), True),
        (Expression("rack", "ne", "b"), False),
        (Expression("rack", "eq", "c"), False),
        (Expression("rack", "ne", "c"), True),
        (Expression("rack", "lt", "c", "string"), True),
        (Expression("rack", "gte", "b", "string"), True),
        (Expression("size", "lt", "10"), True),
        (Expression("size", "gt", "10"), False),
        (Expression("size", "lt", "9"), False),
        (Expression("size", "lte", "9"), True),
        (Expression("size", "gt", "9"), False),
        (Expression("size", "gte", "9"), True),
        (Expression("size", "lt", "10", "string"), False),
        (Expression("size", "eq", "9.0", "number"), True),
        (Expression("size", "eq", "9.0"), False),
        (Expression("size", "eq", "many", "number"), None),
        (Expression("version", "gt", "1.9", "version"), True),
        (Expression("version", "gt", "1.9", "number"), False),
        (Expression("version", "gt", "1.x", "version"), None),
        (Expression("ping", "defined", None), True),
        (Expression("ping", "not_defined", None), False),
        (Expression("other", "defined", None), False),
        (Expression("other", "not_defined", None), True),
        (Expression("other", "eq", "1"), False),
        (Expression("other", "ne", "1"), True),
        (Expression("rack", "eq", None), False),
        (Expression("rack", "ne", None), True),
        (Expression("rack", "like", "b"), None),
        (Expression("#uname", "eq", "app01"), True),
        (Expression("#uname", "eq", "app02"), False),
        (Expression("#kind", "eq", "cluster"), True),
        (Expression("#kind", "eq", "remote"), False),
        (Expression("#site-name", "eq", "a"), None),
        (Expression("#site-name", "ne", "a"), None),
    ],
)
def test_expression_of_an_attribute(test, result):
    assert holds(test) is result


def test_remote_node_is_of_another_kind():
    node = CibNode("far", "remote")
    assert holds(Expression("#kind", "eq", "remote"), node) is True
    assert holds(Expression("#kind", "eq", "cluster"), node) is False


AT_NOON, EARLIER, LATER = "2026-11-22 12:00:00Z", "2026-11-22 11:59:59Z", "2026-11-22 12:00:01Z"


@pytest.mark.parametrize(
    ("test", "result"),
    [
        (DateExpression("gt", EARLIER, None), True),
        (DateExpression("gt", AT_NOON, None), False),
        (DateExpression("gt", LATER, None), False),
        (DateExpression("gt", None, LATER), None),
        (DateExpression("lt", None, LATER), True),
        (DateExpression("lt", None, AT_NOON), False),
        (DateExpression("lt", None, EARLIER), False),
        (DateExpression("lt", EARLIER, None), None),
        (DateExpression("in_range", EARLIER, LATER), True),
        (DateExpression("in_range", EARLIER, AT_NOON), False),
        (DateExpression("in_range", AT_NOON, LATER), False),
        (DateExpression("in_range", EARLIER, None), True),
        (DateExpression("in_range", None, LATER), True),
        (DateExpression("in_range", LATER, None), False),
        (DateExpression("in_range", None, None), None),
        (DateExpression("in_range", EARLIER, "tomorrow"), None),
        (DateExpression("in_range", "yesterday", LATER), None),
        (DateExpression("date_spec", None, None), None),
    ],
)
def test_expression_of_the_time(test, result):
    assert holds(test) is result
    assert holds(test, now=None) is None


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=timezone.utc)),
        ("2026-11-22 09:02", datetime(2026, 11, 22, 9, 2, tzinfo=timezone.utc)),
        (" 2026-11-22T09:02:55.5 +00:00 ", datetime(2026, 11, 22, 9, 2, 55, tzinfo=timezone.utc)),
        ("2026-11-22 09:02:55+0000", datetime(2026, 11, 22, 9, 2, 55, tzinfo=timezone.utc)),
        ("2026-11-22 09:02:55 +01:00", None),
        ("2026-13-22", None),
        ("", None),
        (None, None),
    ],
)
def test_time_of_an_expression(text, time):
    assert time_of(text) == time


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-22 09:02:55Z", "2026-11-22T09:02:55+00:00"),
        ("2026-11-22 09:02:55 +01:00", "2026-11-22T09:02:55+01:00"),
        ("2026-11-22 09:02:55 -0530", "2026-11-22T09:02:55-05:30"),
        ("2026-11-22 09:02:55", "2026-11-22T09:02:55"),
        ("Sun Nov 22 09:02:55 2026", "2026-11-22T09:02:55"),
        ("Thu Jan  1 00:00:00 2026", "2026-01-01T00:00:00"),
    ],
)
def test_time_that_a_tool_prints(text, time):
    assert printed_time(text).isoformat() == time


@pytest.mark.parametrize(
    "text", ["2026-11-32 09:02:55", "Sun Nox 22 09:02:55 2026", "soon", "", None]
)
def test_time_that_is_none(text):
    assert printed_time(text) is None


TRUE, FALSE, OPEN = (
    Expression("rack", "eq", "b"), Expression("rack", "eq", "c"), Expression("rack", "like", "c"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("tests", "all_of", "any_of"),
    [
        ((TRUE, TRUE), True, True),
        ((TRUE, FALSE), False, True),
        ((FALSE, FALSE), False, False),
        ((TRUE, OPEN), None, True),
        ((FALSE, OPEN), False, None),
        ((), True, False),
    ],
)
def test_rule_of_several_tests(tests, all_of, any_of):
    assert rule_holds(rule(*tests), NODE, NOON) is all_of
    assert rule_holds(rule(*tests, any_of=True), NODE, NOON) is any_of
    assert rule_holds(rule(rule(*tests)), NODE, NOON) is all_of


def by_rules(*rules):
    return Location("loc", "FS", None, None, rules=rules)


@pytest.mark.parametrize(
    ("location", "score"),
    [
        (Location("loc", "FS", "app01", 5), 5),
        (Location("loc", "FS", "app01", None), 0),
        (Location("loc", "FS", "app02", 5), 0),
        (by_rules(rule(TRUE, score=7)), 7),
        (by_rules(rule(FALSE, score=7)), 0),
        (by_rules(rule(TRUE, score=7), rule(TRUE, score=3)), 10),
        (by_rules(rule(TRUE, score=7), rule(FALSE, score=3)), 7),
        (by_rules(rule(TRUE, score=7), rule(OPEN)), None),
        (by_rules(rule(TRUE, score=None, attribute="ping")), 100),
        (by_rules(rule(TRUE, score=None, attribute="rack")), 0),
        (by_rules(rule(TRUE, score=None)), 0),
        (by_rules(rule(TRUE, score=INFINITY), rule(TRUE, score=5)), INFINITY),
        (by_rules(rule(TRUE, score=-INFINITY), rule(TRUE, score=-5)), -INFINITY),
    ],
)
def test_score_of_a_constraint_on_a_node(location, score):
    assert score_on(location, NODE, NOON) == score


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("INFINITY", INFINITY), ("+INFINITY", INFINITY), ("-INFINITY", -INFINITY),
        ("5", 5), ("-5", -5), ("+5", 5), ("many", 0), ("", 0), (None, 0),
        ("\u00b2", 0), ("-\u00b2", 0), ("--5", 0), ("+-5", 0),
    ],
)  # fmt: skip
def test_score_in_words(text, score):
    assert number(text) == score


@pytest.mark.parametrize(
    ("pattern", "names", "applied"),
    [
        (None, {"FS"}, True), (None, {"IP"}, False), ("^F", {"FS"}, True), ("^F", {"IP"}, False),
        ("^F", {"IP", "FS"}, True), ("!^F", {"FS"}, False), ("!^F", {"IP"}, True),
        ("(", {"FS"}, False), ("!(", {"FS"}, False),
    ],
)  # fmt: skip
def test_resources_of_a_constraint(pattern, names, applied):
    resource = "FS" if pattern is None else None
    assert (
        applies(Location("loc", resource, "app01", 1, pattern=pattern), frozenset(names)) is applied
    )
