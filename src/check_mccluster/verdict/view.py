"""Everything a rule may look at, in one value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Optional, TypeVar

from ..model.config import Config
from ..values import NamedTuple
from .filter import Filter
from .finding import NOWHERE, Finding, Lasting, Report, State

if TYPE_CHECKING:  # a check loads the models of what it reads, no others
    from typing import Protocol

    from ..model.drbd import DrbdResource

    class Named(Protocol):
        """What has a name that no other one of its list has."""

        @property
        def name(self) -> str:
            """The name."""

    N = TypeVar("N", bound=Named)

    class Limit(Protocol):
        """A threshold of ``-w``/``-c``: nagiosplugin's Range is one."""

        def match(self, value: float) -> bool:
            """Whether *value* is inside the range, hence no alert."""


T = TypeVar("T")
U = TypeVar("U")
K = TypeVar("K")


class Input(Generic[T]):
    """A key to one tool's answer: ``view[CLUSTER].value`` is a Cluster, or ``None``.

    :param name: the tool's name in messages.
    :param rank: the order in which problems are told, Pacemaker's and Corosync's first.
    """

    def __init__(self, name: str, rank: int) -> None:
        self.name = name
        self.rank = rank

    def __repr__(self) -> str:
        return f"Input({self.name!r})"


class Answer(Generic[T]):
    """What came of reading one tool: a value, problems, or both (partial evidence).

    :param silent: problems that nobody is told of unless another tool has the same.
    """

    __slots__ = ("problems", "silent", "value")

    def __init__(
        self,
        value: Optional[T] = None,
        problems: Iterable[Finding] = (),
        silent: Iterable[Finding] = (),
    ) -> None:
        self.value = value
        self.problems = tuple(problems)
        self.silent = tuple(silent)

    def __repr__(self) -> str:
        return f"Answer({self.value!r}, {self.problems!r})"


class Asked(NamedTuple):
    """What the caller asked for beside the defaults.

    :param filter: which resources.
    :param values: the options of this one check, by their name without dashes.
    :param severities: severities by key that override rule and default alike.
    """

    filter: Filter = Filter()
    warning: Optional[Limit] = None
    critical: Optional[Limit] = None
    values: Mapping[str, Any] = MappingProxyType({})
    severities: Mapping[str, State] = MappingProxyType({})
    since: Optional[Mapping[str, datetime]] = None
    """When each finding was first seen, by :func:`name_of`; ``None`` where nobody keeps it."""
    lasting: Mapping[str, Lasting] = MappingProxyType({})
    """Severities by key of findings that have lasted."""

    @property
    def has_limits(self) -> bool:
        """Whether ``-w`` or ``-c`` was given."""
        return self.warning is not None or self.critical is not None

    def limited_state(self, value: Optional[float]) -> State:
        """The state that ``-w`` and ``-c`` give a number; UNKNOWN without one.

        NaN, which passes any range, is none.
        """
        if value is None or value != value:  # noqa: PLR0124 - NaN
            return State.UNKNOWN
        if self.critical is not None and not self.critical.match(value):
            return State.CRITICAL
        if self.warning is not None and not self.warning.match(value):
            return State.WARNING
        return State.OK


class View:
    """One node's evidence at one time; not to be changed once it is made.

    :param node: this node's name, as given or recorded; match it with :func:`same_node`.
    :param time: when the evidence was true; ages count from here.
    :param here: this node's name as Pacemaker knows it, else as given; for messages, never empty.
    :param drbd_others: DRBD resources that are up and that ``--resource`` leaves out.
    :param drbd_module: the version of the kernel module; ``None`` if not loaded or not known.
    :param drbd_utils: the version of drbd-utils; ``None`` if nobody asked for it.
    """

    __slots__ = (
        *("_answers", "_made", "config", "drbd_module", "drbd_others", "drbd_utils"),
        *("here", "node", "time"),
    )

    def __init__(
        self,
        node: Optional[str],
        time: datetime,
        answers: Mapping[Input[Any], Answer[Any]],
        *,
        config: Optional[Config] = None,
        here: Optional[str] = None,
        drbd_others: tuple[DrbdResource, ...] = (),
        drbd_module: Optional[str] = None,
        drbd_utils: Optional[str] = None,
    ) -> None:
        self.node = node
        self.time = time
        self.config = Config() if config is None else config
        self.here = here or node or NOWHERE
        self.drbd_others = drbd_others
        self.drbd_module = drbd_module
        self.drbd_utils = drbd_utils
        self._answers = dict(answers)
        self._made: dict[tuple[Callable[[Any], Any], int], tuple[Any, Any]] = {}

    def __getitem__(self, key: Input[T]) -> Answer[T]:
        """The answer of one input; empty for one that was not read."""
        return self._answers.get(key) or Answer()

    def named(self, key: Input[tuple[N, ...]], name: str) -> Optional[N]:
        """The thing of that name in an answer that is a list of things."""
        named: dict[str, N] = self.once(_by_name, self[key].value or ())
        return named.get(name)

    def once(self, make: Callable[[T], U], part: T) -> U:
        """What *make* makes of a part of the evidence, or of all of it, made once for all who ask.

        Where hundreds of resources failed, each of which is looked for among all, it counts.
        """
        key = make, id(part)
        if key not in self._made:
            kept = None if part is self else part  # while it is kept no other has its id
            self._made[key] = kept, make(part)
        made: U = self._made[key][1]
        return made

    @property
    def inputs(self) -> tuple[Input[Any], ...]:
        """What was read, in the order in which problems are told."""
        return tuple(sorted(self._answers, key=lambda key: key.rank))

    def with_drbd(
        self,
        key: Input[tuple[DrbdResource, ...]],
        answer: Answer[tuple[DrbdResource, ...]],
        others: tuple[DrbdResource, ...],
    ) -> View:
        """The same view with DRBD's resources narrowed to those asked about."""
        answers = {**self._answers, key: answer}
        return View(
            self.node,
            self.time,
            answers,
            config=self.config,
            here=self.here,
            drbd_others=others,
            drbd_module=self.drbd_module,
            drbd_utils=self.drbd_utils,
        )

    def with_config(self, config: Config) -> View:
        """The same view under another configuration file."""
        return View(
            self.node,
            self.time,
            self._answers,
            config=config,
            here=self.here,
            drbd_others=self.drbd_others,
            drbd_module=self.drbd_module,
            drbd_utils=self.drbd_utils,
        )

    def is_here(self, name: Optional[str]) -> bool:
        """Whether *name* is this node."""
        return same_node(name, self.node)


def _by_name(things: Iterable[N]) -> dict[str, N]:
    return {each.name: each for each in things}


def grouped(pairs: Iterable[tuple[K, U]]) -> dict[K, list[U]]:
    """What belongs to each key, in the order in which it comes."""
    found: dict[K, list[U]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


class Judgement(NamedTuple):
    """A report, the view it was made of, and how that was come by.

    :param runs: a line for each tool that was run or file that was read: command, outcome, seconds.
    :param recorded: whether a snapshot was judged, and not this machine.
    """

    view: View
    report: Report
    runs: tuple[tuple[str, str, Optional[float]], ...] = ()
    recorded: bool = False


def name_of(each: Finding) -> str:
    """What makes a finding the same from run to run: its kind and its subject, not its words."""
    return f"{each.key} {each.subject.sort} {each.object}"


def same_node(one: Optional[str], other: Optional[str]) -> bool:
    """Whether two names mean one node: equal, or one is the other's first label.

    Pacemaker, DRBD and ``uname -n`` may know a host with and without its domain.
    """
    if not one or not other:
        return False
    if one == other:
        return True
    return one.partition(".")[0] == other.partition(".")[0] and ("." in one) != ("." in other)


def contains_node(names: Optional[tuple[str, ...]], name: Optional[str]) -> bool:
    """Whether *names* has this node."""
    return any(same_node(each, name) for each in names or ())


def speller(names: Iterable[str]) -> Callable[[str], str]:
    """What finds the name among *names* by which a node is known, else gives the name itself.

    The same as to ask :func:`same_node` of each, at the cost of one look.
    """
    exact = dict.fromkeys(names)
    labels: dict[tuple[str, bool], str] = {}
    for name in exact:
        labels.setdefault((name.partition(".")[0], "." in name), name)

    def known(name: str) -> str:
        if name in exact:
            return name
        return labels.get((name.partition(".")[0], "." not in name), name)

    return known
