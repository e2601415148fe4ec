"""``drbdsetup``: what DRBD does on this node, a second reading of it, and its options in force."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Optional, TypeVar

from ..acquire.tools import Tool
from ..verdict import subject
from ..verdict.filter import Filter
from ..verdict.finding import Finding, State, finding
from ..verdict.problems import (
    DRBD_EMPTY,
    DRBD_MODULE,
    DRBD_RESOURCE_EMPTY,
    DRBD_RESOURCE_MISSING,
    TOOL_DENIED,
    TOOL_FAILED,
    unknown_name,
)
from ..verdict.view import Answer, same_node
from ..verdict.words import pasted
from .base import (
    Attempt,
    Obstacle,
    ToolInput,
    about,
    denied,
    failed,
    invalid,
    no_output,
    unknown_words,
)

if TYPE_CHECKING:
    from ..acquire.source import Stream
    from ..model.drbd import DrbdResource, ShownResource
    from .evidence import Evidence

T = TypeVar("T")

# -- what a failure means, whichever of its commands it is -------------------------------------


_NETLINK = r"(?i)netlink|error|fail"
_STATUS = "drbdsetup status"
_SHOW = "drbdsetup show"
_REFUSED = r"(?i)not permitted|permission denied|access denied"


def problem(attempt: Attempt[T], grave: Optional[State], command: str) -> Optional[Finding]:
    """What is wrong with the call itself, ``None`` if nothing is.

    :param grave: the severity of a missing module; ``None``: its default.
    :param command: :data:`_STATUS` or :data:`_SHOW`, for messages.
    """
    missing = no_output(attempt)
    if missing is not None:
        serious = grave is not None and missing.kind == DRBD_MODULE
        return missing._replace(state=grave) if grave and serious else missing
    stderr = attempt.stderr
    if attempt.exit_code:
        if "modprobe" in stderr or "Module drbd not found" in stderr:
            text = f"the DRBD kernel module is not loaded ({attempt.complaint})"
            told = about(DRBD_MODULE, attempt, text, state=grave)
            kernel = re.search(r"not found in directory /lib/modules/([\w.+~-]+)", stderr)
            return told._replace(next_step=_not_built(kernel[1])) if kernel else told
        # "show" has learnt it later than "status" (8.9.11), whatever module is loaded.
        if "unrecognized option '--json'" in stderr and command == _STATUS:
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


def _not_built(kernel: str) -> str:
    """A module that is not there for the running kernel: loading it was tried."""
    return (
        f"dkms autoinstall (it needs the headers of {kernel}), or install the module of DRBD 9"
        " for this kernel; then: modprobe drbd; drbdadm up all"
    )


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


# -- drbdsetup status --------------------------------------------------------------------------


def _read(stream: Stream) -> Any:
    from ..read.drbd_status import read_drbd_status

    return read_drbd_status(stream.read())


def _answer(evidence: Evidence) -> Answer[tuple[DrbdResource, ...]]:
    attempt = evidence.attempt(DRBD)
    foreign = _foreign(attempt, evidence.here)
    if foreign is not None:
        return Answer(None, (foreign,))
    answer = judged(attempt, evidence.expected_drbd(), evidence.filter)
    if answer.value is not None:
        document = attempt.document or ()
        evidence.drbd_others = tuple(r for r in document if not evidence.filter.wants(r.name))
    if attempt.document is None:
        return answer  # what is up is not known, so no name is unknown
    strange = unknown_names(evidence, (resource.name for resource in attempt.document))
    return Answer(answer.value, (*answer.problems, *strange)) if strange else answer


def _foreign(attempt: Attempt[tuple[DrbdResource, ...]], here: Optional[str]) -> Optional[Finding]:
    """Nobody is a peer of their own: such an answer comes from another node."""
    document = attempt.document or ()
    peers = {connection.name for resource in document for connection in resource.connections}
    own = {name for name in peers if same_node(name, here)}
    for resource in document if own else ():
        if any(connection.name in own for connection in resource.connections):
            why = f"this is another node's answer: {here} is a peer in {resource.name}"
            return invalid(attempt, why)
    return None


def judged(
    attempt: Attempt[tuple[DrbdResource, ...]], expected: tuple[str, ...], asked: Filter
) -> Answer[tuple[DrbdResource, ...]]:
    """Judge what ``drbdsetup status`` said, against the resources expected here.

    :param expected: names that the configuration file, ``--resource`` or the node's own
        ``/etc/drbd.d`` give, after the filter.
    """
    wrong = problem(attempt, gravity(expected), _STATUS)
    missing = not_up(expected)
    if attempt.document is None:
        also = missing if attempt.obstacle is Obstacle.MISSING else ()
        return Answer(None, (*((wrong,) if wrong is not None else ()), *also))
    wanted = tuple(r for r in attempt.document if asked.wants(r.name))
    known = {resource.name for resource in attempt.document}
    whole = tuple(r for r in wanted if r.devices or r.connections)
    problems = [wrong] if wrong else []
    problems += [
        finding(
            DRBD_RESOURCE_EMPTY,
            subject.drbd(resource.name),
            f"{resource.name} shows peers, but no volumes"
            if resource.connections
            else f"{resource.name} shows neither volumes nor peers",
        )
        for resource in wanted
        if not resource.devices
    ]
    if wrong is None:
        # A cut answer must not be read as "not there".
        if not attempt.document:
            problems.append(nothing_up(expected))
        else:
            problems += [gone for gone in missing if gone.object not in known]
            if not wanted and not problems:
                problems.append(no_match(asked))
    for resource in whole:
        problems += unknown_words(attempt, resource.unrecognised)
    return Answer(whole or None, tuple(problems))


DRBD: ToolInput[tuple[DrbdResource, ...]] = ToolInput(
    "drbdsetup",
    60,
    Tool("drbdsetup", ("status", "--json"), "drbd-status.json", 64 * 2**20, True),
    _read,
    _answer,
)


# -- the second reading ------------------------------------------------------------------------


def _answer_again(evidence: Evidence) -> Answer[tuple[DrbdResource, ...]]:
    first = evidence.answer(DRBD).value
    if first is None or (evidence.sample is None and not evidence.source.recorded):
        return Answer()
    if evidence.sample is not None:
        evidence.source.wait(evidence.sample)
    attempt = evidence.attempt(DRBD_AGAIN)
    if attempt.obstacle is Obstacle.MISSING and evidence.sample is None:
        return Answer()
    return judged_again(attempt, first)


def judged_again(
    attempt: Attempt[tuple[DrbdResource, ...]], first: tuple[DrbdResource, ...]
) -> Answer[tuple[DrbdResource, ...]]:
    """Judge a second reading: it is compared with the first and has no findings of its state.

    A word that nobody knows compares with nothing.

    :param first: the resources of the first reading; one that is gone cannot be compared.
    """
    wrong = problem(attempt, None, _STATUS)
    if wrong is not None:
        return Answer(None, (wrong._replace(text=f"second reading: {wrong.text}"),))
    if attempt.document is None:
        return Answer()
    names = {resource.name for resource in attempt.document}
    gone = tuple(
        finding(
            DRBD_RESOURCE_MISSING,
            subject.drbd(resource.name),
            f"second reading: {resource.name} is gone",
            state=State.UNKNOWN,
        )
        for resource in first
        if resource.name not in names
    )
    known = {word for resource in first for word in resource.unrecognised}
    strange = tuple(
        each._replace(text=f"second reading: {each.text}")
        for resource in attempt.document
        for each in unknown_words(attempt, [w for w in resource.unrecognised if w not in known])
    )
    return Answer(attempt.document, (*gone, *strange))


DRBD_AGAIN: ToolInput[tuple[DrbdResource, ...]] = ToolInput(
    "drbdsetup (second reading)",
    70,
    Tool("drbdsetup", ("status", "--json"), "drbd-status.2.json", 64 * 2**20, True, again=True),
    _read,
    _answer_again,
    recorded=False,
)


# -- drbdsetup show ----------------------------------------------------------------------------


def _read_shown(stream: Stream) -> Any:
    from ..read.drbd_show import read_drbd_show

    return read_drbd_show(stream.read())


def _answer_shown(evidence: Evidence) -> Answer[tuple[ShownResource, ...]]:
    attempt = evidence.attempt(SHOW)
    answer = judged_shown(attempt, evidence.expected_drbd())
    if attempt.document is None:
        return answer  # what is up is not known, so no name is unknown
    strange = unknown_names(evidence, (resource.name for resource in attempt.document))
    return Answer(answer.value, (*answer.problems, *strange)) if strange else answer


def judged_shown(
    attempt: Attempt[tuple[ShownResource, ...]], expected: tuple[str, ...]
) -> Answer[tuple[ShownResource, ...]]:
    """Judge what ``drbdsetup show`` said; half an answer is none here.

    :param expected: names of resources that should be up here.
    """
    wrong = problem(attempt, gravity(expected), _SHOW)
    if wrong is not None:
        return Answer(None, (wrong,))
    if not attempt.document:
        return Answer(None, (nothing_up(expected),))
    known = {resource.name for resource in attempt.document}
    return Answer(attempt.document, not_up(name for name in expected if name not in known))


SHOW: ToolInput[tuple[ShownResource, ...]] = ToolInput(
    "drbdsetup show",
    80,
    Tool(
        "drbdsetup",
        ("show", "--json", "--show-defaults"),
        "drbd-show.json",
        64 * 2**20,
        True,
    ),
    _read_shown,
    _answer_shown,
)
