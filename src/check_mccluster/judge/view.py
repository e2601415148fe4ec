"""Everything a rule may look at, in one frozen value."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Generic, Optional, Protocol, TypeVar

from ..model.config import Config
from .finding import Finding, State

if TYPE_CHECKING:  # a check loads the models of what it reads, no others
    from ..model.corosync import Cmap, Links, Votes
    from ..model.drbd import DrbdResource, ShownResource
    from ..model.pacemaker import Cib, Cluster

T = TypeVar("T")


class Input(enum.Enum):
    """What a check can read. The value is the tool's name in messages."""

    CLUSTER = "crm_mon"
    CIB = "cibadmin"
    VOTES = "corosync-quorumtool"
    LINKS = "corosync-cfgtool"
    CMAP = "corosync-cmapctl"
    DRBD = "drbdsetup"
    DRBD_AGAIN = "drbdsetup (second reading)"
    SHOW = "drbdsetup show"


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What came of reading one tool: a value, problems, or both (partial evidence)."""

    value: Optional[T] = None
    problems: tuple[Finding, ...] = ()


class Limit(Protocol):
    """A threshold of ``-w``/``-c``: nagiosplugin's Range is one."""

    def match(self, value: float) -> bool:
        """Whether *value* is inside the range, hence no alert."""


@dataclass(frozen=True)
class Asked:
    """What the caller asked for beside the defaults.

    :param patterns: names or globs of ``--resource``; none means all.
    :param values: the options of this one check, by their name without dashes.
    :param severities: severities by key that override rule and default alike.
    """

    patterns: tuple[str, ...] = ()
    warning: Optional[Limit] = None
    critical: Optional[Limit] = None
    values: Mapping[str, Any] = field(default_factory=dict)
    severities: Mapping[str, State] = field(default_factory=dict)

    @property
    def has_limits(self) -> bool:
        """Whether ``-w`` or ``-c`` was given."""
        return self.warning is not None or self.critical is not None

    def wants(self, *names: str) -> bool:
        """Whether the filter lets one of *names* pass."""
        return not self.patterns or any(
            fnmatchcase(name, pattern) for name in names for pattern in self.patterns
        )

    @property
    def literals(self) -> tuple[str, ...]:
        """Names in the filter that are no globs: they are expected to exist."""
        return tuple(p for p in self.patterns if not any(c in p for c in "*?["))


@dataclass(frozen=True)
class View:
    """One node's evidence at one time.

    :param node: this node's name, as given or recorded; match it with :func:`same_node`.
    :param time: when the evidence was true; ages count from here.
    :param drbd_others: DRBD resources that are up and that ``--resource`` leaves out.
    """

    node: Optional[str]
    time: datetime
    config: Config = field(default_factory=Config)
    cluster: Answer[Cluster] = field(default_factory=Answer)
    cib: Answer[Cib] = field(default_factory=Answer)
    votes: Answer[Votes] = field(default_factory=Answer)
    links: Answer[Links] = field(default_factory=Answer)
    cmap: Answer[Cmap] = field(default_factory=Answer)
    drbd: Answer[tuple[DrbdResource, ...]] = field(default_factory=Answer)
    drbd_others: tuple[DrbdResource, ...] = ()
    drbd_again: Answer[tuple[DrbdResource, ...]] = field(default_factory=Answer)
    show: Answer[tuple[ShownResource, ...]] = field(default_factory=Answer)

    def answer(self, source: Input) -> Answer[Any]:
        """The answer of one input."""
        answers: dict[Input, Answer[Any]] = {
            Input.CLUSTER: self.cluster,
            Input.CIB: self.cib,
            Input.VOTES: self.votes,
            Input.LINKS: self.links,
            Input.CMAP: self.cmap,
            Input.DRBD: self.drbd,
            Input.DRBD_AGAIN: self.drbd_again,
            Input.SHOW: self.show,
        }
        return answers[source]

    @property
    def here(self) -> str:
        """This node's name as Pacemaker knows it, else as given; for messages, never empty."""
        if self.cluster.value is not None:
            for known in self.cluster.value.nodes:
                if same_node(known.name, self.node):
                    return known.name
        return self.node or "this node"

    def is_here(self, name: Optional[str]) -> bool:
        """Whether *name* is this node."""
        return same_node(name, self.node)


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
