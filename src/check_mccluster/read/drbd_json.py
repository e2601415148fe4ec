"""The JSON of drbd-utils: decoding with its known defects, and access to members by type.

drbdsetup prints its JSON with ``printf``. What some releases get wrong is repaired here; any
other text that is not JSON is refused. Source: drbd-utils ``user/v9/drbdsetup.c``, 8.9.8 to 9.34.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import repeat
from operator import contains, itemgetter
from typing import Any, Optional, TypeVar

from .errors import LONGEST, ReadError

__all__ = ["Members", "Table", "decode", "decode_in_blocks", "distinct"]

T = TypeVar("T")

Pairs = list[tuple[str, Any]]

BLOCK = 64
"""Elements that are read together."""
PIECE = 2**16
"""Bytes that are decoded together: allocated anew, larger ones would cost the kernel's time."""

STRING = r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)'
"""A string, or the rest of the text if it has no end."""

DEFECTS = (
    r'(?P<quotes>"""")'  # an absent tls-certificate: show, 9.28 to 9.31
    rf"|(?P<string>{STRING})"  # matched to be skipped
    r"|(?P<nan>-?\b(?:nan|inf)\b)"  # printf of a division by zero: 9.4.0 and 9.5.0
    r"|(?P<stray>,(?=\s*[\]}]))"  # after resync-done: 8.9.8 to 8.9.10; connection: 9.6.0 to 9.11.0
    r'|(?P<gap>[0-9el\]}](?=\s+"))'  # before resync-done: the same; after node-id: 9.6.0 to 9.11.0
)

LARGEST_INTEGER = 2**64 - 1
LARGEST_NUMBER = 2.0**128
"""More than any quotient of 64-bit counters."""

FLAGS = {"yes": True, "no": False, "true": True, "false": False, "unknown": None}
"""Words for booleans before 9.4.0."""


def distinct(pairs: Pairs) -> dict[str, Any]:
    """An object whose keys differ.

    :raises ReadError: if a key is there twice.
    """
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ReadError("not drbdsetup's JSON: the same key twice")
    return members


def decode(data: bytes, make_object: Callable[[Pairs], Any] = distinct) -> list[Any]:
    """The elements of the list that drbdsetup printed.

    ``nan`` and ``inf`` become ``None``. Bytes that are not UTF-8 are replaced.

    :param make_object: makes an object of its keys and values.
    :raises ReadError: if there is no output, or it is not JSON, cut off, XML, or not a list.
        The message quotes nothing, because ``drbdsetup show`` prints secrets.
    """
    text = _text(data)
    try:
        document = _load(text, make_object)
    except RecursionError:
        raise ReadError("not drbdsetup's JSON: nested too deeply") from None
    if not isinstance(document, list):
        raise ReadError("not drbdsetup's JSON: not a list")
    return document


def decode_in_blocks(data: bytes) -> Iterator[tuple[list[Any], int]]:
    """The same elements, some at a time, each time with how many colons there are in their text.

    Of a key that is there twice the last is kept. Who comes upon as many keys, and colons within
    strings, as there are colons, knows that there is no such key. Text and block are still in the
    processor's cache when they are read, and are dropped before the next ones: that is twice as
    fast as :func:`decode`.

    :raises ReadError: if it is not plain JSON: :func:`decode` repairs it, or tells what is wrong.
    """
    if b"\\" in data or not data.startswith(b"["):  # an escape may stand for a colon
        raise ReadError("not plain JSON")
    decoder = json.JSONDecoder(parse_constant=lambda _: None)
    # What stands between two elements; within one what is printed is indented more.
    between = b"," + data[1 : data.find(b"{") + 1]
    view = memoryview(data)
    block: list[Any] = []
    colons = begin = 0
    while begin < len(data):
        end = -1
        if len(data) - begin > PIECE:
            end = data.rfind(between, begin + 1, begin + PIECE)
        if end < 0:  # an element that is larger, or no more of them
            end = data.find(between, begin + PIECE)
        last = end < 0
        piece = bytearray(view[begin:] if last else view[begin:end])
        piece[0] = ord("[")
        if not last:
            piece += b"]"
        text = piece.decode("utf-8", "replace")
        try:
            block += decoder.decode(text)
        except (ValueError, RecursionError) as error:
            raise ReadError("not plain JSON") from error
        colons += text.count(":")
        begin = len(data) if last else end
        if last or len(block) >= BLOCK:
            yield block, colons
            block, colons = [], 0


def _without_comments(text: str) -> str:
    """``# No currently configured DRBD found.`` before the list: 8.9.8 to 9.5.0."""
    text = text.lstrip()
    while text.startswith("#"):
        text = text.partition("\n")[2].lstrip()
    return text


def _text(data: bytes) -> str:
    text = data.decode("utf-8", "replace").strip()
    if not text:
        raise ReadError("empty output")
    text = _without_comments(text)
    if text.startswith("<"):
        raise ReadError("this is XML, not drbdsetup's JSON")
    return text


def _load(text: str, make_object: Callable[[Pairs], Any]) -> Any:
    try:
        return _loads(text, make_object)
    except ValueError:
        repaired = re.sub(DEFECTS, _repair, text, flags=re.DOTALL)
    try:
        return _loads(repaired, make_object)
    except ValueError:
        raise ReadError("cut off" if _is_cut_off(text) else "not JSON") from None


def _loads(text: str, make_object: Callable[[Pairs], Any]) -> Any:
    return json.loads(text, object_pairs_hook=make_object, parse_constant=lambda _: None)


def _repair(defect: re.Match[str]) -> str:
    if defect["quotes"]:
        return '""'
    if defect["nan"]:
        return "null"
    if defect["stray"]:
        return ""
    if defect["gap"]:
        return defect["gap"] + ","
    return defect[0]


def _is_cut_off(text: str) -> bool:
    """Whether the text ends before its brackets are closed."""
    structure = re.sub(STRING, "", text, flags=re.DOTALL)
    opened = structure.count("[") + structure.count("{")
    closed = structure.count("]") + structure.count("}")
    return text.startswith(("[", "{")) and opened > closed


class Members:
    """An object's members by type. Every method raises :class:`ReadError` for another type.

    An absent key and ``null`` are the same for numbers and lists alone: no release prints ``null``,
    which here stands for ``nan``, and what is damaged must not look like what is not printed.
    Messages name the key and the object, not the value.

    :param where: what the object is, for messages (``r0/0 to storage02``).
    """

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise ReadError(f"{where}: not an object")
        self._members: dict[str, Any] = value
        self.where = where

    def __contains__(self, key: str) -> bool:
        return key in self._members

    def _error(self, key: str, trouble: str) -> ReadError:
        return ReadError(f"{self.where}: {key} {trouble}")

    def demand(self, *keys: str) -> None:
        """Keys that every release prints.

        :raises ReadError: naming the first that is missing.
        """
        for key in keys:
            if key not in self._members:
                raise self._error(key, "is missing")

    def demand_not_null(self, key: str) -> None:
        """Refuse ``null`` where it is not ``nan``.

        :raises ReadError: if that stands under *key*.
        """
        if key in self._members and self._members[key] is None:
            raise self._error(key, "is missing")

    def value(self, key: str) -> Any:
        """The value as decoded."""
        return self._members.get(key)

    def optional_text(self, key: str) -> Optional[str]:
        """A printable string, so that no name can break the line it is printed in."""
        value = self.value(key)
        if value is None:
            self.demand_not_null(key)
            return None
        if not isinstance(value, str):
            raise self._error(key, "is not a string")
        if "\ufffd" in value:  # another name or word than the one that was printed
            raise self._error(key, "is not UTF-8")
        if len(value) > LONGEST:
            raise self._error(key, f"has {len(value)} characters")
        if not value.isprintable():
            raise self._error(key, "has characters that cannot be printed")
        return value

    def text(self, key: str) -> str:
        """A string that must be there."""
        value = self.optional_text(key)
        if value is None:
            raise self._error(key, "is missing")
        return value

    def flag(self, key: str) -> Optional[bool]:
        """A boolean, or one of the words that stood for it before 9.4.0."""
        value = self.value(key)
        if isinstance(value, str) and value in FLAGS:
            return FLAGS[value]
        if isinstance(value, bool) or (value is None and key not in self._members):
            return value
        raise self._error(key, "is neither yes nor no")

    def optional_integer(self, key: str) -> Optional[int]:
        """A whole number of at most 64 bits."""
        value = self.value(key)
        if value is None:
            self.demand_not_null(key)
            return None
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST_INTEGER:
            raise self._error(key, "is not a whole number")
        return value

    def integer(self, key: str, most: int = LARGEST_INTEGER) -> int:
        """A whole number from 0 to *most* that must be there."""
        value = self.optional_integer(key)
        if value is None:
            raise self._error(key, "is missing")
        if not 0 <= value <= most:
            raise self._error(key, "is out of range")
        return value

    def number(self, key: str) -> Optional[float]:
        """A number; ``None`` for ``nan``, too."""
        value = self.value(key)
        if value is None:
            return None
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or abs(value) > LARGEST_NUMBER
        ):
            raise self._error(key, "is not a number")
        return float(value)

    def optional_elements(self, key: str) -> Optional[list[Any]]:
        """A list."""
        value = self.value(key)
        if value is not None and not isinstance(value, list):
            raise self._error(key, "is not a list")
        return value

    def elements(self, key: str) -> list[Any]:
        """A list that must be there."""
        value = self.optional_elements(key)
        if value is None:
            raise self._error(key, "is missing")
        return value


class Table:
    """Objects of one kind, a key at a time: what all of them have is looked at for all at once.

    Each method gives a column: the values in the order of the objects. What is unusual in any
    way is left to :class:`Members`, object by object.

    :param where: what the object of an index is, for messages.
    :raises ReadError: from every method, for another type.
    """

    def __init__(self, objects: list[Any], where: Callable[[int], str]) -> None:
        if not set(map(type, objects)) <= {dict}:
            first = next(i for i, each in enumerate(objects) if not isinstance(each, dict))
            raise ReadError(f"{where(first)}: not an object")
        self.objects: list[dict[str, Any]] = objects
        self.where = where
        self.missing: set[str] = set()
        """Of the keys that were asked for those that not all of them have."""

    @property
    def size(self) -> int:
        """How many keys there are in all of them."""
        return sum(map(len, self.objects))

    def count(self, key: str) -> int:
        """How many of them have that key."""
        return sum(map(contains, self.objects, repeat(key)))

    def each(self, read: Callable[[Members], T]) -> list[T]:
        """What *read* makes of each object."""
        return [read(Members(one, self.where(index))) for index, one in enumerate(self.objects)]

    def demand(self, key: str) -> None:
        """A key that every release prints."""
        if self.count(key) < len(self.objects):
            self.each(lambda one: one.demand(key))

    def values(self, key: str) -> list[Any]:
        """The values as decoded, ``None`` where there is none."""
        try:
            return list(map(itemgetter(key), self.objects))
        except KeyError:
            self.missing.add(key)
            return [one.get(key) for one in self.objects]

    def texts(self, key: str) -> list[str]:
        """Printable strings that must be there."""
        values = self.values(key)
        if set(map(type, values)) <= {str} and all(map(_is_plain, set(values))):
            return values
        return self.each(lambda one: one.text(key))

    def flags(self, key: str) -> list[Optional[bool]]:
        """Booleans."""
        values = self.values(key)
        if set(map(type, values)) == {bool} or not self.count(key):
            return values
        return self.each(lambda one: one.flag(key))

    def optional_elements(self, key: str) -> list[Optional[list[Any]]]:
        """Lists."""
        values = self.values(key)
        if set(map(type, values)) <= {list}:
            return values
        return self.each(lambda one: one.optional_elements(key))

    def optional_integers(self, key: str) -> list[Optional[int]]:
        """Whole numbers of at most 64 bits."""
        values = self.values(key)
        if set(map(type, values)) == {int} and all(
            abs(value) <= LARGEST_INTEGER for value in (min(values), max(values))
        ):
            return values
        return self.each(lambda one: one.optional_integer(key))

    def integers(self, key: str, most: int = LARGEST_INTEGER) -> list[int]:
        """Whole numbers from 0 to *most* that must be there."""
        values = self.values(key)
        if set(map(type, values)) == {int} and min(values) >= 0 and max(values) <= most:
            return values
        return self.each(lambda one: one.integer(key, most))

    def elements(self, key: str) -> list[list[Any]]:
        """Lists that must be there."""
        values = self.values(key)
        if set(map(type, values)) <= {list}:
            return values
        return self.each(lambda one: one.elements(key))


def _is_plain(text: str) -> bool:
    return len(text) <= LONGEST and text.isprintable() and "\ufffd" not in text
