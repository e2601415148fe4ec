"""What a failure of drbdsetup means, whichever of its commands it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Optional, TypeVar

from ..verdict import subject
from ..verdict.filter import Filter
from ..verdict.finding import Finding, State, finding
from ..verdict.problems import (
    DRBD_EMPTY,
    DRBD_MODULE,
    DRBD_RESOURCE_MISSING,
    TOOL_DENIED,
    TOOL_FAILED,
    unknown_name,
)
from ..verdict.words import pasted
from .base import Attempt, about, denied, failed, invalid, no_output

if TYPE_CHECKING:
    from .evidence import Evidence

T = TypeVar("T")

_NETLINK = r"(?i)netlink|error|fail"
STATUS = "drbdsetup status"
SHOW = "drbdsetup show"
_REFUSED = r"(?i)not permitted|permission denied|access denied"


def problem(attempt: Attempt[T], grave: Optional[State], command: str) -> Optional[Finding]:
    """What is wrong with the call itself, ``None`` if nothing is.

    :param grave: the severity of a missing module; ``None``: its default.
    :param command: :data:`STATUS` or :data:`SHOW`, for messages.
    """
    missing = no_output(attempt)
    if missing is not None:
        serious = grave is not None and missing.kind == DRBD_MODULE
        return missing._replace(state=grave) if grave and serious else missing
    stderr = attempt.stderr
    if attempt.exit_code:
        if "modprobe" in stderr or "Module drbd not found" in stderr:
            text = f"the DRBD kernel module is not loaded ({attempt.complaint})"
            return about(DRBD_MODULE, attempt, text, state=grave)
        # "show" has learnt it later than "status" (8.9.11), whatever module is loaded.
        if "unrecognized option '--json'" in stderr and command == STATUS:
            text = (
                "drbdsetup knows no --json: the kernel's own DRBD 8.4 is loaded instead of 9,"
                " or drbd-utils is older than 8.9.8"
            )
            return about(DRBD_MODULE, attempt, text, state=grave)
        if re.search(_REFUSED, stderr):
            return denied(attempt, attempt.complaint)
        return failed(attempt)
    if attempt.document is None:
        return invalid(attempt, attempt.detail)
    if stderr and re.search(_NETLINK, stderr):
        # Exit code 0 and well-formed JSON all the same: the lists are cut.
        kind = TOOL_DENIED if re.search(_REFUSED, stderr) else TOOL_FAILED
        return about(kind, attempt, f"{command}: {attempt.complaint}; its answer is cut")
    return None


def gravity(expected: tuple[str, ...]) -> Optional[State]:
    """CRITICAL for what would be UNKNOWN if no resource were expected."""
    return State.CRITICAL if expected else None


def nothing_up(expected: tuple[str, ...]) -> Finding:
    """``drbd-empty``."""
    names = f"; expected: {', '.join(expected)}" if expected else ""
    text = f"no DRBD resource is up on this node{names}"
    up = f"drbdadm status; drbdadm up {' '.join(map(pasted, expected))}" if expected else ""
    return finding(DRBD_EMPTY, subject.tool("drbd"), text, state=gravity(expected), step=up)


def not_up(names: Iterable[str]) -> tuple[Finding, ...]:
    """``drbd-resource-missing`` of each name."""
    return tuple(
        finding(DRBD_RESOURCE_MISSING, subject.drbd(name), f"{name} is not up on this node")
        for name in names
    )


def unknown_names(evidence: Evidence, up: Iterable[str]) -> tuple[Finding, ...]:
    """``config-unknown-name`` of what the configuration file expects and drbd.d does not have.

    :param up: resources that are up: they are known, whatever drbd.d says.
    """
    there = evidence.own_drbd() or ()
    known = {*up, *there}
    return tuple(
        unknown_name(f"drbd.{name}", name, "DRBD resource of this node", there)
        for name in evidence.unknown_drbd()
        if name not in known
    )


def no_match(asked: Filter) -> Finding:
    """The filter matches no DRBD resource: grave if it names one, for a name is expected."""
    return finding(
        DRBD_RESOURCE_MISSING,
        subject.drbd(",".join(asked.patterns)),
        f"no DRBD resource matches {asked.words}",
        state=None if asked.literals else State.UNKNOWN,
    )
