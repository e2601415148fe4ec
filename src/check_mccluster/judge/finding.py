"""The vocabulary of verdicts: states, kinds of findings, findings, figures, reports."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Optional


class State(enum.IntEnum):
    """A monitoring plugin's state; the value is its exit code."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3

    @property
    def rank(self) -> int:
        """Order of gravity: CRITICAL > UNKNOWN > WARNING > OK. An outage is never hidden."""
        return (0, 1, 3, 2)[self.value]


def worst(states: list[State]) -> State:
    """The gravest of *states*; OK if there are none."""
    return max(states, key=lambda state: state.rank, default=State.OK)


@dataclass(frozen=True)
class Kind:
    """A kind of finding: a row of the policy.

    :param key: its stable name.
    :param default: its severity unless the rule or the user says otherwise.
    :param meaning: one or two sentences: what is the case, and why it matters.
    :param next_step: what to look at or do. ``{object}``, ``{node}``, ``{resource}`` and ``{peer}``
        are filled in by the finding; ``explain`` prints them as they are.
    """

    key: str
    default: State
    meaning: str
    next_step: str


@dataclass(frozen=True)
class Finding:
    """Something to report about one object.

    :param kind: its kind.
    :param object: the object at fault by its own name (``app01``, ``r0/0``, ``r0:storage02``).
    :param text: one line for the operator, naming the object.
    :param state: the severity in this case.
    :param next_step: the kind's next step with names filled in.
    :param nodes: nodes at fault, for telling one fault from its consequences.
    :param follows: in ``overview``, key and object of the finding that explains this one.
    """

    kind: Kind
    object: str
    text: str
    state: State
    next_step: str
    nodes: tuple[str, ...] = ()
    follows: str = ""

    @property
    def key(self) -> str:
        """The kind's key."""
        return self.kind.key


def finding(
    kind: Kind,
    object: str,
    text: str,
    *,
    state: Optional[State] = None,
    nodes: tuple[str, ...] = (),
    resource: Optional[str] = None,
    command: str = "",
    grant: str = "",
) -> Finding:
    """A finding of *kind*, with the kind's default severity unless *state* says otherwise.

    :param resource: what ``{resource}`` in the next step stands for, if it is not the object.
    :param command: what ``{command}`` stands for. :param grant: what ``{grant}`` stands for.
    """
    node = nodes[0] if nodes else "NODE"
    next_step = kind.next_step.format(
        object=object,
        resource=object if resource is None else resource,
        node=node,
        peer=node,
        command=command,
        grant=grant,
    )
    return Finding(kind, object, text, kind.default if state is None else state, next_step, nodes)


@dataclass(frozen=True)
class Fault:
    """A finding that no other one explains, with those that it explains (``overview``)."""

    cause: Finding
    follows: tuple[Finding, ...] = ()

    @property
    def state(self) -> State:
        """The gravest of the cause and what follows."""
        return worst([self.cause.state, *(each.state for each in self.follows)])

    @property
    def text(self) -> str:
        """The cause, and the gravest consequence if that is graver."""
        graver = [each for each in self.follows if each.state.rank > self.cause.state.rank]
        if not graver:
            return self.cause.text
        gravest = max(graver, key=lambda each: each.state.rank)
        return f"{self.cause.text}, hence {gravest.text}"


@dataclass(frozen=True)
class Figure:
    """A number for the performance data; ``None`` as value is not known (``U``).

    :param label: starts with the object's name (``r0/0_out_of_sync``).
    :param unit: a base unit of the plugin guidelines: ``""``, ``s``, ``B``, ``%``, ``c``.
    :param limited: whether ``-w``/``-c`` apply to this number.
    """

    label: str
    value: Optional[float]
    unit: str = ""
    minimum: Optional[float] = None
    maximum: Optional[float] = None
    limited: bool = False


@dataclass(frozen=True)
class Line:
    """The verdict of one check among several."""

    check: str
    state: State
    text: str


@dataclass(frozen=True)
class Report:
    """What a check has to say.

    :param findings: everything that is not in order.
    :param summary: the first line's text if nothing is wrong: something useful.
    :param figures: performance data, with the same labels whatever the verdict.
    :param looked_at: one line per object examined, for ``-vv``.
    :param headlines: what the first line says instead of the findings' own texts, gravest first.
    :param lines: verdicts of the parts, for ``overview``.
    """

    findings: tuple[Finding, ...] = ()
    summary: str = ""
    figures: tuple[Figure, ...] = ()
    looked_at: tuple[str, ...] = ()
    headlines: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
