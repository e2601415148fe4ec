"""A word that nobody knows, with those that are like it."""

from __future__ import annotations

from collections.abc import Iterable


def hint(word: str, known: Iterable[str]) -> str:
    """``; did you mean drbd-role?``, or nothing where no known word is like it."""
    import difflib  # only for somebody who mistyped

    near = difflib.get_close_matches(word, list(known), n=3)
    return f"; did you mean {' or '.join(near)}?" if near else ""
