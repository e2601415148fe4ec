"""``--resource``: which resources are asked about."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from ..values import NamedTuple


class Filter(NamedTuple):
    """Names or globs; none means all.

    :param patterns: as given on the command line.
    """

    patterns: tuple[str, ...] = ()

    @property
    def is_set(self) -> bool:
        """Whether anything is left out at all."""
        return bool(self.patterns)

    def wants(self, *names: str) -> bool:
        """Whether one of *names* passes."""
        return not self.patterns or any(
            fnmatchcase(name, pattern) for name in names for pattern in self.patterns
        )

    @property
    def literals(self) -> tuple[str, ...]:
        """Patterns that are no globs: these names are expected to exist."""
        return tuple(p for p in self.patterns if not any(c in p for c in "*?["))

    @property
    def words(self) -> str:
        """The patterns for a message."""
        return ", ".join(self.patterns)

    def matching(self, names: Iterable[str]) -> Filter:
        """Only those patterns that match one of *names*."""
        known = tuple(names)
        return Filter(tuple(p for p in self.patterns if any(Filter((p,)).wants(n) for n in known)))
