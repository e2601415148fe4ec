"""XML read while it arrives, and attributes that have a type. The only importer of lxml."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Optional, Protocol, cast

from lxml import etree

from ..model.pacemaker import INFINITY
from ..model.words import has_digits, whole
from .errors import LONGEST, NOT_XML_TEXT_LIMIT, NotXml, ReadError

Element = etree._Element
Path = tuple[str, ...]
"""Tags from below the root down to an element; empty for the root itself."""

CHUNK = 64 * 1024
LARGE = CHUNK // 2
"""Below so much libxml2 is done before a pattern of what it need not see is compiled."""
STRAY_TEXT = "//text()[normalize-space()][not(parent::error or parent::output)]"


class Readable(Protocol):
    """A binary file, as far as the readers use it."""

    def read(self, size: int, /) -> bytes:
        """At most *size* bytes, ``b""`` at the end."""


def records(
    stream: Readable,
    tool: str,
    roots: Collection[str],
    paths: Collection[Path],
    left_out: Optional[bytes] = None,
    *,
    lists: bool = False,
) -> Iterator[tuple[Path, Element]]:
    """The root when it opens (its attributes only), then each element at one of *paths*, complete.

    They are picked by libxml2, a chunk of the document at a time; what is closed is dropped with
    its chunk: memory holds one chunk and one record, whatever the size of the document.
    No path may lead through another one. Exceptions of ``stream.read`` pass unchanged.

    :param tool: whose XML it should be, for messages.
    :param left_out: a pattern of whole elements that libxml2 need not see. It has to match nothing
        but what is well-formed by itself: what is left is then as well-formed as the document. One
        that stands across two chunks, or in a small document, is told like any other.
    :param lists: whether what holds records of one kind holds nothing else: such an element is a
        record that nobody can read.
    :raises NotXml: plain text.
    :raises ReadError: empty, JSON, malformed, cut off, with a DOCTYPE or text, or another root.
    """
    above = [path[:-1] for path in paths if path]
    alone = {(*path, "*") for path in above if lists and path and above.count(path) == 1}
    pick = _picker({*paths, *alone})
    parser, other = _parser(roots), _parser()
    root: Optional[Element] = None
    for printed in _chunks(stream, tool):
        ends = not printed
        chunk = printed
        if left_out is not None and len(printed) >= LARGE:
            chunk = re.sub(left_out, b"", printed)
        if ends:
            _close(parser)
        elif chunk:
            _feed(parser, chunk)
        if root is None:
            root = _root(parser)
            if root is None:  # not open yet, or another one, which the parser does not tell
                _feed(other, chunk)
                root = _root(other)
            if root is None:
                continue
            _check_root(root, tool, roots)
            yield (), root
        _refuse_text(root)
        # What is last on its level may be open, or its tail be growing: it is told with the next.
        growing = set() if ends else set(_last(root, paths))
        for element in pick(root):
            if element not in growing:
                path = _path(element)
                if path not in paths:
                    raise unknown(element)
                yield path, element
        for element in growing or (root,):
            if len(element) and (element is root or _path(element) not in paths):
                del element[:-1]


def _picker(paths: Collection[Path]) -> Callable[[Element], Iterable[Element]]:
    steps = ("/".join(path) for path in paths if path)
    return cast("Callable[[Element], Iterable[Element]]", etree.XPath(" | ".join(steps)))


def _parser(tags: Optional[Collection[str]] = None) -> etree.XMLPullParser:
    return etree.XMLPullParser(
        events=("start",),
        tag=tags,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _chunks(stream: Readable, tool: str) -> Iterator[bytes]:
    """The document in pieces, and an empty one when it ends."""
    chunk = _opening(stream, tool)
    while chunk:
        yield chunk
        chunk = stream.read(CHUNK)
    yield b""


def _feed(parser: etree.XMLPullParser, chunk: bytes) -> None:
    try:
        parser.feed(chunk)
    except etree.ParseError as error:
        raise ReadError(f"not well-formed XML: {' '.join(str(error.msg).split())}") from error


def _close(parser: etree.XMLPullParser) -> None:
    try:
        parser.close()
    except etree.ParseError as error:
        raise ReadError("cut off") from error


def _root(parser: etree.XMLPullParser) -> Optional[Element]:
    """The root of what the parser has told an element of."""
    for _, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
        return element.getroottree().getroot()
    return None


def _last(root: Element, paths: Collection[Path]) -> Iterator[Element]:
    """The root, its last child, the last child of that one, as far as the first record."""
    element = root
    path: Path = ()
    yield element
    while len(element) and (not path or path not in paths):
        element = element[-1]
        path = (*path, element.tag)
        yield element


def _path(element: Element) -> Path:
    """Tags from below the root down to *element*."""
    tags = [element.tag, *(above.tag for above in element.iterancestors())]
    return tuple(reversed(tags[:-1]))


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


def _refuse_text(root: Element) -> None:
    """Text is what is left of a tag whose first character is gone; none of the tools prints any.

    What it says is not told: it may hold a secret.
    """
    if cast(str, root.xpath("string()")).strip() and root.xpath(STRAY_TEXT):
        raise ReadError("text between the elements")


def label(element: Element) -> str:
    """What an element is called in messages: ``resource MYSQL``."""
    return " ".join((element.tag, *(text(element, "name", "id") or "")[:LONGEST].split()))


def unknown(element: Element) -> ReadError:
    """What stands in a list and is none of its elements."""
    return ReadError(f"unknown element {element.tag[:40]} in {_path(element)[-2]}")


def only(element: Element, tag: str) -> Iterator[Element]:
    """The children, all of one kind.

    :raises ReadError: if there is another one.
    """
    for child in element:
        if child.tag != tag:
            raise unknown(child)
        yield child


def _quoted(value: str) -> str:
    return repr(value if len(value) <= 40 else f"{value[:40]}...")


def text(element: Element, *names: str) -> Optional[str]:
    """The first of the attributes *names* that is there and not empty."""
    for name in names:
        value = element.get(name)
        if value:
            return value
    return None


def required(element: Element, *names: str) -> str:
    """The first of the attributes *names* that is there and not empty.

    :raises ReadError: if there is none.
    """
    value = text(element, *names)
    if value is None:
        raise ReadError(f"{label(element)} without {names[0]}")
    if len(value) > LONGEST:
        raise ReadError(f"{element.tag}: {names[0]} has {len(value)} characters")
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
    number = whole(digits)
    if number is None:
        raise ReadError(f"{label(element)}: {name} is {_quoted(value)}, not a number")
    return number


def score(element: Element, name: str) -> Optional[int]:
    """An attribute that is a score: a whole number or ``INFINITY`` with a sign or without.

    The result is within plus and minus :data:`INFINITY`, as in Pacemaker.

    :raises ReadError: for anything else.
    """
    value = element.get(name)
    if value is None:
        return None
    amount = value[1:] if value[:1] in ("+", "-") else value
    if amount != "INFINITY" and not has_digits(amount):
        raise ReadError(f"{label(element)}: {name} is {_quoted(value)}, not a score")
    points = INFINITY if amount == "INFINITY" else min(int(amount), INFINITY)
    return -points if value[0] == "-" else points


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def time_of(words: Optional[str]) -> Optional[datetime]:
    """A time: ``2026-11-22 09:02:55Z`` (aware), or ctime of up to 2.0.2 (naive, local).

    ``strptime`` would read the month's name in the language of this process.
    """
    if words is None:
        return None
    try:
        return _iso(words) if words[:1].isdigit() else _ctime(words)
    except ValueError:  # a 32nd, a 25th hour, an unknown month, another form
        return None


def _iso(words: str) -> datetime:
    time, rest = words[:19], words[19:]
    if time[4::3] not in ("-- ::", "--T::"):
        raise ValueError(words)
    if rest.startswith("."):
        rest = rest[1:].lstrip("0123456789")
    zone = _zone(rest.removeprefix(" ")) if rest else None
    return datetime.fromisoformat(time).replace(tzinfo=zone)


def _zone(words: str) -> timezone:
    if words == "Z":
        return timezone.utc
    hours, minutes = words[1:3], words[3:].removeprefix(":")
    if words[:1] not in ("+", "-") or not f"{hours}{minutes}".isdigit() or len(minutes) != 2:
        raise ValueError(words)
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if words[0] == "-" else offset)


def _ctime(words: str) -> datetime:
    weekday, month, day, clock, year = words.split()
    if (len(weekday), len(clock)) != (len("Sun"), len("09:02:55")):
        raise ValueError(words)
    return datetime.fromisoformat(f"{year}-{MONTHS.index(month) + 1:02}-{day:0>2} {clock}")
