"""State words: the known ones are enumerations, an unknown one keeps its text; whole numbers."""

from __future__ import annotations

from typing import Optional, TypeVar, Union

from ..values import Enum, NamedTuple

E = TypeVar("E", bound=Enum)

DIGITS = 18
"""The most of a number: what is longer would be turned over for seconds."""


class Word(Enum):
    """A state word that is known."""


class Unrecognised(NamedTuple):
    """A state word that this suite does not know.

    It compares unequal to every known word, so no rule can take it for a good state, and
    the input rules report it as ``output-invalid`` with the word quoted.

    :param word: the text as the tool printed it.
    :param where: the field and object it was found in, for the message.
    """

    word: str
    where: str

    def __str__(self) -> str:
        return self.word


def parse(words: type[E], text: str, where: str) -> Union[E, Unrecognised]:
    """Return the member of *words* whose value is *text*, or the text kept as unrecognised."""
    try:
        return words(text)
    except ValueError:
        return Unrecognised(text, where)


def state_name(state: object) -> str:
    """A state word as the tool prints it."""
    return str(state.value if isinstance(state, Enum) else state)


def has_digits(text: str) -> bool:
    """Whether it is one to :data:`DIGITS` ASCII digits, and nothing else.

    ``str.isdigit`` alone takes a superscript for a digit, which ``int`` refuses. Without a pattern:
    to compile one takes a start more than to read all of its numbers.
    """
    return text.isascii() and text.isdigit() and len(text) <= DIGITS


def whole(text: str) -> Optional[int]:
    """A whole number, negative or not, as the tools write it; ``None`` if it is none."""
    return int(text) if has_digits(text.removeprefix("-")) else None
