"""What a reader says when it cannot read the output of a tool."""

from __future__ import annotations

NOT_XML_TEXT_LIMIT = 200


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
