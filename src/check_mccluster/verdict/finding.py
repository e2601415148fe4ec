"""The vocabulary of verdicts: states, kinds of findings, findings, faults, figures, reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Optional

from ..values import Enum, NamedTuple
from .subject import CLUSTER, Subject
from .words import pasted

NOWHERE = "this node"
"""What a node is called that has no name: no name to be quoted."""


class State(Enum):
    """A monitoring plugin's state; the value is its exit code."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3

    @property
    def rank(self) -> int:
        """Order of gravity: CRITICAL > UNKNOWN > WARNING > OK. An outage is never hidden."""
        return (0, 1, 3, 2)[self.value]


def worst(states: Iterable[State]) -> State:
    """The gravest of *states*; OK if there are none."""
    return max(states, key=lambda state: state.rank, default=State.OK)


class Lasting(NamedTuple):
    """A severity for what has lasted: ``critical:after=600``. :param seconds: since first seen."""

    state: State
    seconds: float


class Kind(NamedTuple):
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


class Finding(NamedTuple):
    """Something to report about one subject.

    :param kind: its kind.
    :param subject: what is at fault; :attr:`object` is its name as printed.
    :param text: one line for the operator, naming the object.
    :param state: the severity in this case.
    :param next_step: the kind's next step with names filled in.
    :param nodes: nodes at fault, for telling one fault from its consequences.
    :param reason: one word for why it is so (``ticket``, ``capacity``, ``ban``); empty if no
        reason is known.
    :param covers: the resources of DRBD, or the fence devices, of which it is said, where they
        are several.
    :param besides: every exclusion that it gives as a reason: its word, the node, and what it is
        about.
    """

    kind: Kind
    subject: Subject
    text: str
    state: State
    next_step: str
    nodes: tuple[str, ...] = ()
    reason: str = ""
    covers: tuple[str, ...] = ()
    besides: tuple[tuple[str, str, str], ...] = ()

    @property
    def key(self) -> str:
        """The kind's key."""
        return self.kind.key

    @property
    def is_outage(self) -> bool:
        """Whether it says that a service runs nowhere, or that its disk does not answer it."""
        keys = ("not-running", "io-suspended", "started-without-io")
        return self.key == "resource-not-shown" or (
            self.key in keys and self.state is State.CRITICAL
        )

    @property
    def bares(self) -> bool:
        """Whether it says that a node cannot be fenced: more than that a device is stopped."""
        return self.key == "fence-device-down" and self.state is State.CRITICAL

    @property
    def object(self) -> str:
        """The object at fault by its own name: ``app01``, ``r0/0``, ``r0:storage02``."""
        return str(self.subject)


def finding(
    kind: Kind,
    subject: Subject,
    text: str,
    *,
    state: Optional[State] = None,
    nodes: tuple[str, ...] = (),
    resource: Optional[str] = None,
    command: str = "",
    grant: str = "",
    reason: str = "",
    step: str = "",
) -> Finding:
    """A finding of *kind*, with the kind's default severity unless *state* says otherwise.

    :param resource: what ``{resource}`` in the next step stands for, if it is not the object.
    :param command: what ``{command}`` stands for. :param grant: what ``{grant}`` stands for.
    :param reason: the word for why it is so. :param step: the next step where the reason names a
        better one than the kind does.
    """
    node = nodes[0] if nodes else "NODE"
    name = str(subject)
    who = node if node == NOWHERE else pasted(node)
    next_step = step or kind.next_step.format(
        object=pasted(name),
        resource=pasted(name if resource is None else resource),
        node=who,
        peer=who,
        command=command,
        grant=grant,
    )
    return Finding(
        kind, subject, text, kind.default if state is None else state, next_step, nodes, reason
    )


HENCE = ", hence "
"""Between a cause and its gravest consequence."""


MOVES = ("node-standby", "node-standby-onfail")
"""What makes services leave a node: where one is still on its way is told with it."""


class Fault(NamedTuple):
    """A finding that no other one explains, with those that it explains.

    :param seen_from: the nodes whose evidence shows it; empty for the one node that was asked.
    :param speaker: the node that tells it, as this evidence has it; empty where nobody was chosen.
    :param spoken: whether the node that was asked is to tell it.
    :param facts: since when it is so and what was changed last, where a tool says it.
    """

    cause: Finding
    follows: tuple[Finding, ...] = ()
    seen_from: tuple[str, ...] = ()
    speaker: str = ""
    spoken: bool = True
    facts: tuple[str, ...] = ()

    @property
    def state(self) -> State:
        """The gravest of the cause and what follows."""
        return worst((self.cause.state, *(each.state for each in self.follows)))

    @property
    def graver(self) -> Optional[Finding]:
        """The gravest consequence, if it is graver than the cause."""
        gravest = max(
            self.follows,
            key=lambda each: (each.state.rank, each.bares, each.key == "resource-stopped"),
            default=None,
        )
        if gravest is None or gravest.state.rank <= self.cause.state.rank:
            return None
        return gravest

    @property
    def text(self) -> str:
        """The cause, and the gravest consequence if that is graver, else the service that is down.

        What is true of the whole cluster says by itself what it means for every service, and a lost
        quorum what becomes of I/O.
        """
        effect = self.graver
        if effect is None and self.cause.subject.sort != CLUSTER:
            told = "started-without-io" if self.cause.key == "drbd-quorum-lost" else ""
            down = (each for each in self.follows if each.is_outage and each.key != told)
            effect = next((each for each in down if each.object not in self.cause.text), None)
        if effect is None and self.cause.key in MOVES:
            effect = next((e for e in self.follows if e.key == "resource-transition"), None)
        if effect is None:
            return self.cause.text
        more = sum(each.key == effect.key and each.state is effect.state for each in self.follows)
        too = f", {more - 1} more too" if more > 1 else ""
        return f"{self.cause.text}{HENCE}{effect.text}{too}"


class Figure(NamedTuple):
    """A number for the performance data; ``None`` as value is not known (``U``).

    :param label: starts with the object's name (``r0/0_out_of_sync``).
    :param unit: a base unit of the plugin guidelines: ``""``, ``s``, ``B``, ``%``, ``c``; that of
        *minimum* and *maximum*, too.
    :param limited: whether ``-w``/``-c`` apply to this number.
    :param warning: the range of the plugin guidelines outside of which the check itself warns,
        where the number alone decides that; ``-w``/``-c`` take its place.
    :param critical: the same for CRITICAL.
    """

    label: str
    value: Optional[float]
    unit: str = ""
    minimum: Optional[float] = None
    maximum: Optional[float] = None
    limited: bool = False
    warning: str = ""
    critical: str = ""


TOOLS = "tools"
"""Stands for a check where a tool is at fault: what cannot be read cannot be judged."""


class Line(NamedTuple):
    """The verdict of one check among several.

    :param keys: the findings that the check can have.
    :param figures: its figures, which the whole has not.
    :param unjudged: whether a tool that the check needs failed.
    """

    check: str
    state: State
    text: str
    keys: frozenset[str] = frozenset()
    figures: tuple[Figure, ...] = ()
    unjudged: bool = False


class Lines:
    """Lines that are put into words each time they are wanted, which is seldom.

    :param words: makes them.
    """

    def __init__(self, words: Callable[[], Iterable[str]]) -> None:
        self._words = words

    def __iter__(self) -> Iterator[str]:
        return iter(self._words())


class Report(NamedTuple):
    """What a check has to say.

    :param findings: everything that is not in order.
    :param summary: the first line's text if nothing is wrong: something useful.
    :param figures: performance data, with the same labels whatever the verdict.
    :param looked_at: one line per object examined, for ``-vv``.
    :param faults: the findings as causes with what follows from them, gravest first; empty where
        the check does not fold.
    :param lines: verdicts of the parts, for ``overview``.
    :param note: a word about the run that is no finding, for the end of the first line.
    :param folded: findings that do not raise this verdict, each with the cause that it follows
        from.
    :param hushed: whether faults that are another node's to tell do not raise this verdict.
    :param running: what runs and is no finding, and is told beside findings, too.
    """

    findings: tuple[Finding, ...] = ()
    summary: str = ""
    figures: tuple[Figure, ...] = ()
    looked_at: Iterable[str] = ()
    faults: tuple[Fault, ...] = ()
    lines: tuple[Line, ...] = ()
    note: str = ""
    folded: tuple[tuple[Finding, Finding], ...] = ()
    hushed: bool = False
    running: tuple[str, ...] = ()

    @property
    def state(self) -> State:
        """The verdict: the gravest finding."""
        return worst(each.state for each in self.findings)

    @property
    def worst_first(self) -> tuple[Finding, ...]:
        """The findings by gravity, otherwise in the order in which the rule gave them."""
        return tuple(sorted(self.findings, key=lambda each: -each.state.rank))

    @property
    def causes(self) -> dict[Finding, Finding]:
        """For each finding that follows from another, the cause."""
        return {each: fault.cause for fault in self.faults for each in fault.follows}

    def check_of(self, fault: Fault) -> str:
        """The first of the parts that can have such a cause, or :data:`TOOLS`."""
        return next((line.check for line in self.lines if fault.cause.key in line.keys), TOOLS)

    def figure(self, check: str, label: str) -> Optional[float]:
        """A figure of one of the parts; ``None`` if it is not known, or there is no such part."""
        figures = next((line.figures for line in self.lines if line.check == check), ())
        return next((each.value for each in figures if each.label == label), None)
