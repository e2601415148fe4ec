"""``drbdsetup status --json``: what DRBD does on this node, and a second reading of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from ..acquire.tools import Tool
from ..verdict import subject
from ..verdict.filter import Filter
from ..verdict.finding import Finding, State, finding
from ..verdict.problems import DRBD_RESOURCE_EMPTY, DRBD_RESOURCE_MISSING
from ..verdict.view import Answer, same_node
from .base import Attempt, Obstacle, ToolInput, invalid, unknown_words
from .drbdsetup import STATUS, gravity, no_match, not_up, nothing_up, problem, unknown_names

if TYPE_CHECKING:
    from ..acquire.source import Stream
    from ..model.drbd import DrbdResource
    from .evidence import Evidence


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
    wrong = problem(attempt, gravity(expected), STATUS)
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
    wrong = problem(attempt, None, STATUS)
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
