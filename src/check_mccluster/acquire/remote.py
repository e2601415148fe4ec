"""Snapshots of other nodes, asked for all at once: each comes as an archive over a pipe.

Host keys are never accepted silently, no password is asked for, and no agent is forwarded. What
comes back is read as any archive from anywhere is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Optional

from ..values import NamedTuple
from .pump import Child, Pump
from .source import OutputTooLarge
from .tools import Tool

SSH = (
    "ssh",
    "-o",
    "BatchMode=yes",
    "-o",
    "StrictHostKeyChecking=yes",
    "-o",
    "ForwardAgent=no",
    "-o",
    "ConnectTimeout=5",
    "-T",
    "--",
    "{target}",
)
"""How a node is reached unless the configuration file says otherwise."""

LIMIT = 64 * 2**20
"""The most that one node may answer, in bytes."""

_TOO_OLD = "its check_mccluster is too old to write to standard output"
_OLD = b"Snapshot of "
"""What such a version prints once it has written a folder of the name ``-``."""
_SSH_FAILED = 255
_NOT_FOUND = 127
_NOT_EXECUTABLE = 126
_REASONS = (
    ("Host key verification failed", "its host key is not known here"),
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", "its host key is another than the known one"),
    ("Permission denied", "it does not accept our key"),
    ("Connection refused", "connection refused"),
    ("No route to host", "no route to it"),
    ("timed out", "it does not answer"),
    ("Could not resolve", "its name cannot be resolved"),
    ("Connection closed", "it closed the connection"),
)
"""What ssh says, and that in an operator's words."""


class NodeReply(NamedTuple):
    """What a node sent, or why nothing could be had of it.

    :param began: Unix time when it was asked. :param ended: when the answer was complete.
    """

    data: bytes
    reason: Optional[str]
    began: float
    ended: float


def ask(
    targets: Mapping[str, str],
    command: Sequence[str],
    deadline: float,
    via: Sequence[str] = SSH,
) -> dict[str, NodeReply]:
    """Ask every node at the same time, until the one deadline.

    :param targets: what to connect to, by the node's name. :param command: what is run there.
    :param via: the transport; ``{target}`` in it is the target. No shell sees it here.
    """
    pump = Pump(deadline)
    children: dict[str, Child] = {}
    answers: dict[str, NodeReply] = {}
    began = time.time()
    try:
        for name, target in targets.items():
            if target.startswith("-"):
                answers[name] = NodeReply(b"", f"'{target}' is not a host", began, began)
                continue
            argv = (*(part.replace("{target}", target) for part in via), *command)
            try:
                children[name] = pump.start(Tool(argv[0], argv[1:], "", LIMIT), argv, os.environ)
            except OSError as error:
                reason = f"cannot run {argv[0]}: {error.strerror}"
                answers[name] = NodeReply(b"", reason, began, began)
        ended: dict[str, float] = {}
        while len(ended) < len(children):
            pump.turn()
            for name, child in children.items():
                if child.ended:
                    ended.setdefault(name, time.time())
    finally:
        pump.close()
    for name, child in children.items():
        answers[name] = NodeReply(bytes(child.output), _why_not(child), began, ended[name])
    return answers


def _why_not(child: Child) -> Optional[str]:
    """Why there is no answer; ``None`` if there is one."""
    if isinstance(child.failure, OutputTooLarge):
        return f"it sent more than {LIMIT / 2**20:g} MiB"
    if child.failure is not None or child.exit_code is None:
        return "no answer before the deadline"
    said = child.errors.decode(errors="replace")
    if child.exit_code == 0 and child.output:
        return _TOO_OLD if child.output.startswith(_OLD) else None
    if child.exit_code == _SSH_FAILED:  # what else says so is said by the program there
        for words, reason in _REASONS:
            if words in said:
                return reason
    first = next((line.strip() for line in said.splitlines() if line.strip()), "")
    if child.exit_code == _NOT_EXECUTABLE:
        return f"check_mccluster cannot be run there{': ' + first[:80] if first else ''}"
    if child.exit_code == _NOT_FOUND or "command not found" in said:
        return "check_mccluster is not installed there"
    if child.exit_code == _SSH_FAILED:
        return f"ssh failed: {first[:80]}" if first else "ssh failed without a word"
    text = child.output[:400].decode(errors="replace")
    if "snapshot is not" in text or "exists and is not" in text or "cannot write -" in text:
        return _TOO_OLD
    words = first or next((line.strip() for line in text.splitlines() if line.strip()), "")
    return f"exit code {child.exit_code}{': ' + words[:80] if words else ''}"
