"""Takes secrets out of what tools print, and leaves every other byte as it was.

The text is not parsed: a snapshot must also hold a document that no parser takes.
"""

from __future__ import annotations

import re
from typing import Callable

from .tools import Tool

REMOVED = b"REMOVED"

# A name is a secret's by one of these anywhere in it ...
_PARTS = rb"passw|passphrase|secret|credential|community"
# ... or by one of these as a word of its own, or at its end (apikey).
_WORDS = rb"(?:pass|pwd|auth|token|key)s?(?![A-Za-z])"
_SECRET_NAME = re.compile(rb"%b|%b" % (_PARTS, _WORDS), re.IGNORECASE)

# Fail counts and scores carry the name of a resource, which may be "auth".
_NO_SECRET_NAME = re.compile(rb"fail-count-|last-failure-|master-|promotion-")

# Names are bounded below: text that only looks like one must not cost the square of its length.

# Values may be cut off by the end of the document.
_VALUE = rb"""(?:"[^"]*(?:"|\Z)|'[^']*(?:'|\Z))"""
_ATTRIBUTE = re.compile(rb"(?<=\s)([\w:.-]+)(\s*=\s*)(%b)" % _VALUE)
_NAMED_VALUE = re.compile(rb"<(?:nvpair|attribute)(?:\s+[\w:.-]+\s*=\s*%b)+" % _VALUE)
_SECRET_ATTRIBUTE = re.compile(
    rb"(?<=\s)([\w:.-]{0,99}(?:%b)[\w:.-]{0,99})(\s*=\s*)(%b)" % (_PARTS, _VALUE), re.IGNORECASE
)

# A string of JSON ends at a quote before a comma, bracket or line end: drbdsetup may not have
# escaped the quotes within. Without such an end, all of the line goes.
_JSON_SECRET = re.compile(
    rb'("[^"\n]{0,99}(?:secret|passw)[^"\n]{0,99}"\s*:\s*)'
    rb'("(?:\\.|[^\\\n])*?"(?=\s*(?:[,}\]]|$))|".*|[^\s",\[\]{}]+)',
    re.IGNORECASE | re.MULTILINE,
)
# The form of drbd.conf, which drbdsetup prints without --json.
_CONF_SECRET = re.compile(
    rb"^([ \t]*[\w-]{0,99}(?:secret|passw)[\w-]{0,99}[ \t]+)(.+)(?=;)", re.IGNORECASE | re.MULTILINE
)

# Corosync's key can stand in corosync.conf itself, and is in the cmap then.
_CMAP_SECRET = re.compile(rb"^(totem\.key \(\w+\) = )(.+)$", re.MULTILINE)


def remove_secrets(tool: Tool, output: bytes) -> bytes:
    """*output* of *tool* with ``REMOVED`` in place of every value that looks like a secret."""
    clean = _CLEANERS.get(tool.file.rpartition(".")[2])
    return output if clean is None else clean(output)


def _clean_xml(document: bytes) -> bytes:
    document = _NAMED_VALUE.sub(_clean_named_value, document)
    return _SECRET_ATTRIBUTE.sub(_clean_attribute, document)


def _clean_named_value(tag: re.Match[bytes]) -> bytes:
    """``<nvpair name="passwd" value="…"``, its attributes in any order."""
    names = [match[3] for match in _ATTRIBUTE.finditer(tag[0]) if match[1] == b"name"]
    # Without a name it is cut off; it might have been a secret's.
    if names and not _is_secret(names[0].strip(b"\"'")):
        return tag[0]
    return _ATTRIBUTE.sub(
        lambda match: _clean_attribute(match) if match[1] == b"value" else match[0], tag[0]
    )


def _clean_attribute(match: re.Match[bytes]) -> bytes:
    quote = match[3][:1]
    empty = match[3] == quote * 2
    return match[0] if empty else match[1] + match[2] + quote + REMOVED + quote


def _is_secret(name: bytes) -> bool:
    return _SECRET_NAME.search(name) is not None and _NO_SECRET_NAME.match(name) is None


def _clean_drbd(text: bytes) -> bytes:
    return _CONF_SECRET.sub(_clean_value, _JSON_SECRET.sub(_clean_value, text))


def _clean_cmap(text: bytes) -> bytes:
    return _CMAP_SECRET.sub(rb"\1" + REMOVED, text)


def _clean_value(match: re.Match[bytes]) -> bytes:
    return match[0] if match[2] == b'""' else match[1] + b'"' + REMOVED + b'"'


_CLEANERS: dict[str, Callable[[bytes], bytes]] = {
    "xml": _clean_xml,
    "json": _clean_drbd,
    "txt": _clean_cmap,
}
