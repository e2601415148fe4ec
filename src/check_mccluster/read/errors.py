"""What a reader says when it cannot read the output of a tool."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

NOT_XML_TEXT_LIMIT = 200
LONGEST = 4096
"""Characters of a name or line; longer it would be compared, sorted and printed for seconds."""


class ReadError(Exception):
    """The output is not what the tool prints.

    The message is one line and names what is wrong: "not XML", "cut off", "node without name".
    """


class NotXml(ReadError):
    """The tool printed plain text where XML was expected.

    Pacemaker 1.1 and 2.0.0 to 2.0.2 report errors this way. ``text`` holds the beginning of the
    output, at most 200 characters, so that the caller can recognise "not running".
    """

    def __init__(self, text: str) -> None:
        self.text = text[:NOT_XML_TEXT_LIMIT].strip()
        super().__init__(f"not XML: {self.text.splitlines()[0] if self.text else ''}")


def refuse_twice(keys: Iterable[Hashable], what: str) -> None:
    """Refuse a list that names one thing twice: nobody can know which of the two is true.

    :param what: names the list's things, for the message.
    :raises ReadError: if two keys are equal.
    """
    keys = list(keys)
    if len(set(keys)) == len(keys):
        return
    seen = set()
    for key in keys:
        if key in seen:
            raise ReadError(f"{what} {' '.join(str(key).split())} is there twice")
        seen.add(key)
