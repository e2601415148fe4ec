"""XML read while it arrives, and attributes that have a type. The only importer of lxml."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Optional, Protocol, cast

from lxml import etree

from ..model.pacemaker import INFINITY
from .errors import NOT_XML_TEXT_LIMIT, NotXml, ReadError

Element = etree._Element
Path = tuple[str, ...]
"""Tags from below the root down to an element; empty for the root itself."""

CHUNK = 64 * 1024
NUMBER = re.compile(r"-?[0-9]{1,18}")
SCORE = re.compile(r"([+-]?)(INFINITY|[0-9]{1,18})")


class Readable(Protocol):
    """A binary file, as far as the readers use it."""

    def read(self, size: int, /) -> bytes:
        """At most *size* bytes, ``b""`` at the end."""


def records(
    stream: Readable, tool: str, roots: Collection[str], paths: Collection[Path]
) -> Iterator[tuple[Path, Element]]:
    """The root when it opens (its attributes only), then each element at one of *paths*, complete.

    Everything else is dropped as it closes, and a record after its successor: memory holds one
    record, whatever the size of the document. Exceptions of ``stream.read`` pass unchanged.

    :param tool: whose XML it should be, for messages.
    :raises NotXml: plain text.
    :raises ReadError: empty, JSON, malformed, cut off, with a DOCTYPE, or another root.
    """
    open_tags: list[str] = []
    record_depth = 0
    for event, element in _events(stream, tool):
        if event == "start" and not open_tags:
            _check_root(element, tool, roots)
            yield (), element
            open_tags.append(element.tag)
            continue
        if event == "start":
            open_tags.append(element.tag)
            if not record_depth and tuple(open_tags[1:]) in paths:
                record_depth = len(open_tags)
            continue
        if record_depth == len(open_tags):
            yield tuple(open_tags[1:]), element
            record_depth = 0
        if not record_depth:
            _drop_before(element)
        open_tags.pop()


def _events(stream: Readable, tool: str) -> Iterator[tuple[str, Element]]:
    """``start`` and ``end`` of every element, until the document is complete."""
    parser = etree.XMLPullParser(
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    chunk = _opening(stream, tool)
    while chunk:
        try:
            parser.feed(chunk)
        except etree.ParseError as error:
            raise ReadError(f"not well-formed XML: {' '.join(str(error.msg).split())}") from error
        yield from cast("Iterator[tuple[str, Element]]", parser.read_events())
        chunk = stream.read(CHUNK)
    try:
        parser.close()
    except etree.ParseError as error:
        raise ReadError("cut off") from error
    yield from cast("Iterator[tuple[str, Element]]", parser.read_events())


def _opening(stream: Readable, tool: str) -> bytes:
    """The first bytes of the document, without leading white space."""
    opening = b""
    while not opening:
        chunk = stream.read(CHUNK)
        if not chunk:
            raise ReadError("empty output")
        opening = chunk.lstrip()
    if opening.startswith(b"<"):
        return opening
    while len(opening) < NOT_XML_TEXT_LIMIT and chunk:
        chunk = stream.read(CHUNK)
        opening += chunk
    if opening.startswith((b"{", b"[")):
        raise ReadError(f"this is JSON, not {tool}'s XML")
    raise NotXml(opening.decode("utf-8", "replace"))


def _check_root(root: Element, tool: str, roots: Collection[str]) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
        raise ReadError(f"has a DOCTYPE, which {tool} never prints")
    if root.tag not in roots:
        raise ReadError(f"root element is {root.tag}, not {' or '.join(roots)}")


def _drop_before(element: Element) -> None:
    """Free the closed siblings before *element*; its own tail may still be growing."""
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def label(element: Element) -> str:
    """What an element is called in messages: ``resource MYSQL``."""
    return " ".join((element.tag, *(text(element, "name", "id") or "").split()))


def _quoted(value: str) -> str:
    return repr(value if len(value) <= 40 else f"{value[:40]}...")


def text(element: Element, *names: str) -> Optional[str]:
    """The first of the attributes *names* that is there and not empty."""
    return next((value for value in map(element.get, names) if value), None)


def required(element: Element, *names: str) -> str:
    """The first of the attributes *names* that is there and not empty.

    :raises ReadError: if there is none.
    """
    value = text(element, *names)
    if value is None:
        raise ReadError(f"{label(element)} without {names[0]}")
    return value


def boolean(element: Element, *names: str) -> Optional[bool]:
    """The first of the attributes *names* that is there: the words ``true`` or ``false``.

    :raises ReadError: for any other word.
    """
    for name in names:
        value = element.get(name)
        if value is not None:
            if value not in ("true", "false"):
                raise ReadError(f"{label(element)}: {name} is {_quoted(value)}, not true or false")
            return value == "true"
    return None


def integer(element: Element, name: str, unit: str = "") -> Optional[int]:
    """An attribute that is a whole number, possibly followed by *unit*.

    :raises ReadError: for anything else.
    """
    value = element.get(name)
    if value is None:
        return None
    digits = value[: -len(unit)] if unit and value.endswith(unit) else value
    if not NUMBER.fullmatch(digits):
        raise ReadError(f"{label(element)}: {name} is {_quoted(value)}, not a number")
    return int(digits)


def score(element: Element, name: str) -> Optional[int]:
    """An attribute that is a score: a whole number or ``INFINITY`` with a sign or without.

    The result is within plus and minus :data:`INFINITY`, as in Pacemaker.

    :raises ReadError: for anything else.
    """
    value = element.get(name)
    if value is None:
        return None
    found = SCORE.fullmatch(value)
    if not found:
        raise ReadError(f"{label(element)}: {name} is {_quoted(value)}, not a score")
    amount = INFINITY if found[2] == "INFINITY" else min(int(found[2]), INFINITY)
    return -amount if found[1] == "-" else amount
