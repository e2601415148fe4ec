"""What was learnt of a cluster as a configuration file: TOML 1.0, ASCII only."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Optional

from ..judge.topology import Learnt
from .text import printable

WIDTH = 80

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}

_Path = tuple[str, ...]


def as_toml(learnt: Learnt) -> str:
    """The whole file; each comment stands above the key that it is about."""
    lines = list(_comment(learnt, ()))
    for path, entries in _tables(learnt):
        body = list(_entries(learnt, path, entries))
        about = list(_comment(learnt, path))
        if body or about:
            live = any(not line.startswith("#") for line in body)
            header = f"[{'.'.join(map(key, path))}]"
            lines += ["", header if live else f"# {header}", *about, *body]
    return "\n".join(lines) + "\n"


_Entries = dict[str, Optional[str]]


def _tables(learnt: Learnt) -> Iterator[tuple[_Path, _Entries]]:
    """Tables with their keys and values."""
    config = learnt.config
    yield (
        ("pacemaker",),
        {"nodes": _array(config.nodes), "tie_breakers": _array(config.tie_breakers or None)},
    )
    noted = {path[2] for path in learnt.notes if path[:2] == ("pacemaker", "resources")}
    for name in sorted({*config.resources, *noted}):
        rule = config.resources.get(name)
        yield (
            ("pacemaker", "resources", name),
            {"allowed": _array(rule.allowed if rule is not None else None)},
        )
    noted = {path[1] for path in learnt.notes if path[:1] == ("drbd",)}
    for name in sorted({*config.drbd, *noted}):
        drbd = config.drbd.get(name)
        entries: _Entries = {}
        if drbd is not None:
            entries = {
                "replicas": _array(drbd.replicas),
                "clients": _array(drbd.clients),
                "runs_with": quoted(drbd.runs_with) if drbd.runs_with is not None else None,
            }
        yield ("drbd", name), entries


def _entries(learnt: Learnt, path: _Path, entries: _Entries) -> Iterator[str]:
    for name, value in entries.items():
        yield from _comment(learnt, (*path, name))
        if value is not None:
            yield f"{name} = {value}"
    if path[:2] == ("pacemaker", "resources") and path[2] in learnt.preferred:
        yield from _comment(learnt, (*path, "preferred"))
        yield f"# preferred = {quoted(learnt.preferred[path[2]])}"


def _comment(learnt: Learnt, path: _Path) -> Iterator[str]:
    for note in learnt.notes.get(path, ()):
        text = printable(" ".join(note.split()).encode("ascii", "backslashreplace").decode())
        yield from textwrap.wrap(
            text,
            WIDTH,
            initial_indent="# ",
            subsequent_indent="#   ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def key(name: str) -> str:
    """A key: bare if it may be, else quoted."""
    return name if _BARE_KEY.match(name) else quoted(name)


def quoted(text: str) -> str:
    """A basic string, with everything but printable ASCII escaped."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if 0x20 <= code < 0x7F:
        return character
    if 0xD800 <= code <= 0xDFFF:
        code = 0xFFFD  # TOML has no lone surrogates
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _array(names: Optional[Sequence[str]]) -> Optional[str]:
    if names is None:
        return None
    line = f"[{', '.join(map(quoted, names))}]"
    if len(line) <= WIDTH:
        return line
    return "\n".join(["[", *(f"    {quoted(name)}," for name in names), "]"])
