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

# A fence device is asked with what its maker named as he liked: only what is known to be harmless
# and is needed to judge stays.
_FENCE_DEVICE = re.compile(
    rb"<(primitive|template)\b(?=[^<>]*\sclass\s*=\s*[\"']stonith[\"']).*?(?:</\1\s*>|/>(?=\s*<)|\Z)",
    re.DOTALL,
)
_PARAMETERS = re.compile(rb"<instance_attributes\b.*?(?:</instance_attributes\s*>|\Z)", re.DOTALL)
_NVPAIR = re.compile(rb"<nvpair(?:\s+[\w:.-]+\s*=\s*%b)+" % _VALUE)
_HARMLESS = re.compile(
    rb"pcmk_\w+|ip|ipaddr|ipport|port|plug|action|method|delay|timeout|power_wait|lanplus|ssl"
    rb"|ssl_insecure|devices|provides|\w+_timeout"
)

# Where alerts are sent may be an address that is a key by itself.
_RECIPIENT = re.compile(rb"<recipient(?:\s+[\w:.-]+\s*=\s*%b)+" % _VALUE)

# An agent may have printed what it was called with.
_REASON = re.compile(
    rb"(?<=\s)((?:exit-?_?reason|op-?_?reason|output)\s*=\s*)(%b)" % _VALUE, re.IGNORECASE
)
_SAID = re.compile(
    rb"((?:%b|api[_-]?key|token|\bpwd|\bkey)[\w-]{0,40}[\s=:]+)(?!REMOVED)"
    rb"[^\s\"'<>;,&=:][^\s\"'<>;,&]*" % _PARTS,
    re.IGNORECASE,
)

_URL = re.compile(
    rb"([a-z][a-z0-9+.-]{0,30}://[^\s/@:\"'<>]{0,200}:)[^\s/@\"'<>]{1,200}@", re.IGNORECASE
)
"""A name and a password before the host."""

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
    output = _URL.sub(rb"\1" + REMOVED + b"@", output)
    return output if clean is None else clean(output)


def remove_said(text: str) -> str:
    """What a tool complained of, without passwords in it."""
    said = _URL.sub(rb"\1" + REMOVED + b"@", text.encode(errors="surrogateescape"))
    return _SAID.sub(rb"\1" + REMOVED, said).decode(errors="surrogateescape")


def _clean_xml(document: bytes) -> bytes:
    document = _REASON.sub(lambda one: one[1] + _SAID.sub(rb"\1" + REMOVED, one[2]), document)
    document = _FENCE_DEVICE.sub(
        lambda device: _PARAMETERS.sub(
            lambda one: _NVPAIR.sub(_clean_parameter, one[0]), device[0]
        ),
        document,
    )
    document = _RECIPIENT.sub(_clean_value_of, document)
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


def _clean_parameter(tag: re.Match[bytes]) -> bytes:
    """A parameter of a fence device: secret unless its name is known not to be one's."""
    names = [match[3].strip(b"\"'") for match in _ATTRIBUTE.finditer(tag[0]) if match[1] == b"name"]
    return tag[0] if names and _HARMLESS.fullmatch(names[0]) else _clean_value_of(tag)


def _clean_value_of(tag: re.Match[bytes]) -> bytes:
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
