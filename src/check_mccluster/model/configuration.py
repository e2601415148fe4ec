"""The configuration in a CIB: what is configured, and what binds it to nodes and to each other.

Sources: Pacemaker Explained; Pacemaker ``xml/*.rng``, ``lib/pengine/rules.c``,
``lib/pacemaker/pcmk_sched_*.c`` (2.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Optional, Union

from ..values import NamedTuple
from .words import has_digits

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Configured(NamedTuple):
    """A primitive, group, clone or bundle as configured, its template filled in.

    :param tag: ``primitive``, ``group``, ``clone``, ``master`` (old name of a promotable clone)
        or ``bundle``.
    :param parent: the group, clone or bundle around it. :param members: ids of what it holds.
    :param agent: ``class:provider:type`` or ``class:type``; ``None`` for what is no primitive.
    :param parameters: of the agent. :param meta: meta attributes, its own only.
    :param utilization: what it takes of a node's capacity.
    :param timeouts: of operations without interval, by name, as written (``240s``).
    :param looks_deeper: whether a monitor of it has an ``OCF_CHECK_LEVEL`` of 20: it writes, too.
    """

    id: str
    tag: str
    parent: Optional[str] = None
    members: tuple[str, ...] = ()
    agent: Optional[str] = None
    parameters: Mapping[str, str] = _NOTHING
    meta: Mapping[str, str] = _NOTHING
    utilization: Mapping[str, int] = MappingProxyType({})
    timeouts: Mapping[str, str] = _NOTHING
    looks_deeper: bool = False

    @property
    def is_clone(self) -> bool:
        """Whether it has instances on several nodes (a bundle has, too, and is none)."""
        return self.tag in ("clone", "master")

    @property
    def is_promotable(self) -> bool:
        """Whether it is a clone whose instances can be promoted."""
        return self.tag == "master" or (
            self.tag == "clone" and self.meta.get("promotable", "").lower() in TRUE
        )


TRUE = frozenset({"true", "on", "yes", "y", "1"})
"""What Pacemaker takes for true, in any case (``crm_is_true``)."""
FALSE = frozenset({"false", "off", "no", "n", "0"})

_UNITS = {
    "": 1.0,
    **dict.fromkeys(("s", "sec"), 1.0),
    **dict.fromkeys(("m", "min"), 60.0),
    **dict.fromkeys(("h", "hr"), 3600.0),
    **dict.fromkeys(("ms", "msec"), 1e-3),
    **dict.fromkeys(("us", "usec"), 1e-6),
}
_LONGEST = 4294967.295
"""Seconds: Pacemaker keeps milliseconds in 32 bits, and takes more for that (49 days)."""


def seconds_of(words: str) -> Optional[float]:
    """The length of a timeout as it is configured: ``90s``, ``2min``; ``None`` if it is none.

    Source: ``crm_get_msec`` in Pacemaker's ``lib/common/strings.c``.
    """
    words = words.strip().lower()
    number = words.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = _UNITS.get(words[len(number) :].strip())
    return min(int(number) * unit, _LONGEST) if unit is not None and has_digits(number) else None


class Member(NamedTuple):
    """A resource of a constraint. :param role: ``Promoted``, ``Unpromoted``, ...; ``None``: any."""

    resource: str
    role: Optional[str] = None


class Colocation(NamedTuple):
    """*dependent* is placed with *primary*, or, with a negative score, apart from it.

    A constraint with resource sets becomes one of these for each pair. ``INFINITY``: must.
    """

    id: str
    dependent: Member
    primary: Member
    score: int


class Order(NamedTuple):
    """*then* is acted on after *first*, of which it has need if *mandatory*.

    Actions are ``start``, ``stop``, ``promote``, ``demote``. A constraint with resource sets
    becomes one of these for each pair.
    """

    id: str
    first: str
    first_action: str
    then: str
    then_action: str
    mandatory: bool


class Expression(NamedTuple):
    """A rule's test of a node attribute; ``#uname`` is the node's name, ``#kind`` its type."""

    attribute: str
    operation: str
    value: Optional[str]
    type: Optional[str] = None


class DateExpression(NamedTuple):
    """A rule's test of the time: ``gt``, ``lt``, ``in_range`` (ISO 8601), or a ``date_spec``."""

    operation: str
    start: Optional[str]
    end: Optional[str]


class Rule(NamedTuple):
    """A rule of a location constraint. :param any_of: ``boolean-op="or"``."""

    id: str
    score: Optional[int]
    score_attribute: Optional[str]
    role: Optional[str]
    any_of: bool
    tests: tuple[Union[Rule, Expression, DateExpression], ...]

    def expressions(self) -> Iterator[Union[Expression, DateExpression]]:
        """The tests of the rule and of the rules inside it."""
        for test in self.tests:
            if isinstance(test, Rule):
                yield from test.expressions()
            else:
                yield test


class CibNode(NamedTuple):
    """A node as the CIB knows it.

    :param attributes: permanent ones. :param transient: those that vanish when it leaves, promotion
        scores (``master-RESOURCE``) among them. :param utilization: its capacity.
    :param configured: whether it is in the configuration, not in the status alone.
    :param controller: whether its controller is in Corosync's process group; ``None``: not told.
    """

    name: str
    type: Optional[str] = None
    attributes: Mapping[str, str] = _NOTHING
    transient: Mapping[str, str] = _NOTHING
    utilization: Mapping[str, int] = MappingProxyType({})
    configured: bool = True
    controller: Optional[bool] = None

    @property
    def is_remote(self) -> bool:
        """Whether Pacemaker runs there as a remote."""
        return self.type == "remote"

    def attribute(self, name: str) -> Optional[str]:
        """A node attribute; a transient one goes before a permanent one."""
        return self.transient.get(name, self.attributes.get(name))


class PendingOperation(NamedTuple):
    """An operation that was under way when the CIB was written."""

    resource: str
    node: str
    task: str
    interval_ms: Optional[int]
    since: Optional[int] = None
    """When it was begun, in seconds since 1970."""


class Refusal(NamedTuple):
    """A result after which Pacemaker does not try again there (2, 4, 5) or anywhere (6).

    :param reason: the agent's words, or the executor's. :param took_ms: how long the agent ran.
    """

    rc: int
    reason: Optional[str] = None
    took_ms: Optional[int] = None


class Ran(NamedTuple):
    """A start or a first probe that is done. ``at``: when, in seconds since 1970."""

    node: str
    task: str
    at: int
