"""The input findings: is what a tool said evidence at all?

Success is not the exit code. crm_mon exits 0 with an empty document, quorumtool's exit code
changed its meaning twice, drbdsetup prints ``[]`` when the kernel refuses to answer.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Generic, Optional, TypeVar

from .finding import Finding, Kind, State, finding
from .view import Answer, Asked

if TYPE_CHECKING:  # a check loads the models of what it reads, no others
    from ..model.corosync import Cmap, Links, Votes
    from ..model.drbd import DrbdResource, ShownResource
    from ..model.pacemaker import Cib, Cluster, CrmMonDocument
    from ..model.words import Unrecognised

T = TypeVar("T")

TOOL_MISSING = Kind(
    "tool-missing",
    State.UNKNOWN,
    "The program that this check reads is not installed here, and nothing says that it should be.",
    "Install it, or run this check only where it belongs; --severity tool-missing=ok silences it.",
)
TOOL_DENIED = Kind(
    "tool-denied",
    State.UNKNOWN,
    "The user that runs the check may not ask this tool. Nothing is known about the cluster.",
    "Grant it: {grant}. The sudoers line only reads; the other way trusts the user with more.",
)
TOOL_TIMEOUT = Kind(
    "tool-timeout",
    State.UNKNOWN,
    "The tool did not answer within the deadline. It and its children were killed.",
    "Run '{command}' by hand; if it is only slow, raise --timeout.",
)
TOOL_FAILED = Kind(
    "tool-failed",
    State.UNKNOWN,
    "The tool ended with an error, or complained while it printed something that looks well.",
    "Run '{command}' by hand and read its error.",
)
OUTPUT_INVALID = Kind(
    "output-invalid",
    State.UNKNOWN,
    "What the tool printed is not its document, is cut off, or holds a word that nobody knows.",
    "Run '{command}' by hand; if it looks right, send a snapshot with the bug report.",
)
SNAPSHOT_STALE = Kind(
    "snapshot-stale",
    State.UNKNOWN,
    "The recorded input is older than --max-age allows.",
    "See why no newer snapshot was written.",
)
PACEMAKER_DOWN = Kind(
    "pacemaker-down",
    State.CRITICAL,
    "Pacemaker or Corosync does not run on this node: it takes no part in the cluster.",
    "systemctl status corosync pacemaker; journalctl -u corosync -u pacemaker",
)
PACEMAKER_STARTING = Kind(
    "pacemaker-starting",
    State.WARNING,
    "Pacemaker's daemons are starting; there is no answer yet.",
    "Wait, then run the check again; journalctl -u pacemaker",
)
PACEMAKER_STOPPING = Kind(
    "pacemaker-stopping",
    State.WARNING,
    "Pacemaker's daemons are stopping; there is no answer any more.",
    "Wait for the shutdown to end; journalctl -u pacemaker",
)
PACEMAKER_UNRESPONSIVE = Kind(
    "pacemaker-unresponsive",
    State.CRITICAL,
    "pacemakerd runs and the CIB does not answer: nobody manages the resources on this node.",
    "journalctl -u pacemaker; look for a hanging pacemaker-based (ps -C pacemaker-based)",
)
DRBD_MODULE = Kind(
    "drbd-module",
    State.UNKNOWN,
    "The DRBD 9 kernel module is not there, or the kernel's own DRBD 8.4 is loaded instead."
    " CRITICAL where a resource is expected.",
    "cat /sys/module/drbd/version; modinfo drbd; after a kernel upgrade rebuild the module (dkms)",
)
DRBD_EMPTY = Kind(
    "drbd-empty",
    State.UNKNOWN,
    "No DRBD resource is up on this node. CRITICAL where one is expected.",
    "drbdadm status; drbdadm up all",
)
DRBD_RESOURCE_EMPTY = Kind(
    "drbd-resource-empty",
    State.UNKNOWN,
    "A resource without volumes and without peers: half configured, or drbd-utils older than 9.11"
    " with Linux 5.2 or later, whose answer is silently cut.",
    "drbdsetup status {resource} --verbose; drbdadm --version",
)
DRBD_RESOURCE_MISSING = Kind(
    "drbd-resource-missing",
    State.CRITICAL,
    "A resource that the configuration names is not up on this node.",
    "drbdadm up {resource}",
)

KINDS = (
    TOOL_MISSING,
    TOOL_DENIED,
    TOOL_TIMEOUT,
    TOOL_FAILED,
    OUTPUT_INVALID,
    SNAPSHOT_STALE,
    PACEMAKER_DOWN,
    PACEMAKER_STARTING,
    PACEMAKER_STOPPING,
    PACEMAKER_UNRESPONSIVE,
    DRBD_MODULE,
    DRBD_EMPTY,
    DRBD_RESOURCE_EMPTY,
    DRBD_RESOURCE_MISSING,
)


class Fault(enum.Enum):
    """Why there is no document."""

    MISSING = "missing"
    DENIED = "denied"
    TIMEOUT = "timeout"
    INVALID = "invalid"
    MODULE = "module"


@dataclass(frozen=True)
class Attempt(Generic[T]):
    """One attempt to read a tool.

    :param program: the tool's name. :param command: its command line, for the next step.
    :param fault: what kept us from a document. :param detail: that in words, one line.
    :param text: the beginning of an output that is no document, for old dialects.
    """

    program: str
    command: str
    fault: Optional[Fault] = None
    detail: str = ""
    exit_code: Optional[int] = None
    stderr: str = ""
    document: Optional[T] = None
    text: str = ""

    @property
    def complaint(self) -> str:
        """The first line of standard error, shortened."""
        first = next((line.strip() for line in self.stderr.splitlines() if line.strip()), "")
        return first if len(first) <= 100 else first[:97] + "..."


def _grant(program: str) -> str:
    if program in ("crm_mon", "cibadmin"):
        return "--sudo with a sudoers line, or the group haclient with a read ACL"
    if program.startswith("corosync"):
        return "--sudo with a sudoers line, or an entry in /etc/corosync/uidgid.d"
    return "--sudo with a sudoers line for this command"


def _about(kind: Kind, attempt: Attempt[T], text: str, state: Optional[State] = None) -> Finding:
    return finding(
        kind,
        attempt.program,
        text,
        state=state,
        command=attempt.command,
        grant=_grant(attempt.program),
    )


def _fault(attempt: Attempt[T]) -> Optional[Finding]:
    """The finding for what kept us from any output; the same for every tool."""
    kinds = {
        Fault.MISSING: TOOL_MISSING,
        Fault.DENIED: TOOL_DENIED,
        Fault.TIMEOUT: TOOL_TIMEOUT,
        Fault.MODULE: DRBD_MODULE,
    }
    if attempt.fault is None or attempt.fault is Fault.INVALID:
        return None
    return _about(kinds[attempt.fault], attempt, attempt.detail)


def _denied(attempt: Attempt[T], why: str) -> Finding:
    return _about(
        TOOL_DENIED, attempt, f"{attempt.program}: {why}; needs {_grant(attempt.program)}"
    )


def _failed(attempt: Attempt[T]) -> Finding:
    said = f": {attempt.complaint}" if attempt.complaint else ""
    return _about(
        TOOL_FAILED, attempt, f"{attempt.program} failed with exit code {attempt.exit_code}{said}"
    )


def _invalid(attempt: Attempt[T], why: str) -> Finding:
    return _about(OUTPUT_INVALID, attempt, f"{attempt.program}: {why}")


def _words(attempt: Attempt[T], words: Sequence[Unrecognised]) -> tuple[Finding, ...]:
    return tuple(
        _invalid(attempt, f"unknown word '{_short(word.word)}' as {word.where}") for word in words
    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:37] + "..."


# -- Pacemaker ---------------------------------------------------------------------------------

_STARTING = frozenset({"init", "starting_daemons", "wait_for_ping"})
_STOPPING = frozenset({"shutting_down", "shutdown_complete"})
_NOT_RUNNING_TEXT = ("cluster is not available on this node", "Connection to cluster failed")
_REFUSED_TEXT = ("Permission denied", "Insufficient privileges")
_EXIT_PERMISSION = 4
_EXIT_DISCONNECTED = 102
_OLD_NOT_RUNNING = frozenset({_EXIT_DISCONNECTED, 107, 111})
"""Exit codes of "not running": 102 (2.0+), ENOTCONN and ECONNREFUSED (1.1)."""


def _down(why: str) -> Finding:
    """The same finding whichever tool tells it: it is one fault."""
    return finding(PACEMAKER_DOWN, "pacemaker", why)


def cluster(attempt: Attempt[CrmMonDocument], corosync_runs: Optional[bool]) -> Answer[Cluster]:
    """Judge what crm_mon said.

    :param corosync_runs: what Corosync's own tools say; ``None`` if they cannot be asked.
    """
    fault = _fault(attempt)
    if fault is not None:
        return Answer(None, (fault,))
    document = attempt.document
    if document is None:
        return Answer(None, (_no_xml(attempt, corosync_runs),))
    if document.cluster is None:
        return Answer(None, (_no_summary(attempt, document, corosync_runs),))
    if attempt.exit_code == _EXIT_PERMISSION:
        return Answer(None, (_denied(attempt, "insufficient privileges"),))
    if attempt.exit_code == _EXIT_DISCONNECTED:
        return Answer(None, (_down("crm_mon lost its connection to the cluster"),))
    if attempt.exit_code:
        return Answer(None, (_failed(attempt),))
    if document.status_code or document.errors:
        said = document.errors[0] if document.errors else f"status code {document.status_code}"
        return Answer(
            None, (_about(TOOL_FAILED, attempt, f"crm_mon reports an error: {_short(said)}"),)
        )
    if "could not connect" in attempt.stderr.lower():
        return Answer(None, (_about(TOOL_FAILED, attempt, f"crm_mon: {attempt.complaint}"),))
    nameless = tuple(
        _invalid(attempt, f"node {node.name} without the attribute online")
        for node in document.cluster.nodes
        if node.online is None
    )
    return Answer(document.cluster, (*nameless, *_words(attempt, document.cluster.unrecognised)))


def _no_xml(attempt: Attempt[CrmMonDocument], corosync_runs: Optional[bool]) -> Finding:
    """No document. Before 2.0.3 "not running" is plain text on standard output."""
    said = f"{attempt.text}\n{attempt.stderr}"
    if attempt.exit_code == _EXIT_PERMISSION or any(text in said for text in _REFUSED_TEXT):
        return _denied(attempt, "insufficient privileges")
    if attempt.exit_code == _EXIT_DISCONNECTED or (
        attempt.exit_code in _OLD_NOT_RUNNING and any(text in said for text in _NOT_RUNNING_TEXT)
    ):
        return _down("Pacemaker does not run on this node")
    if corosync_runs is False:
        return _down("Corosync does not run on this node")
    if attempt.exit_code:
        return _failed(attempt)
    return _invalid(attempt, attempt.detail)


def _no_summary(
    attempt: Attempt[CrmMonDocument], document: CrmMonDocument, corosync_runs: Optional[bool]
) -> Finding:
    """A document without an answer. The order of the questions is the policy's."""
    if _EXIT_PERMISSION in (attempt.exit_code, document.status_code):
        return _denied(attempt, "insufficient privileges")
    if corosync_runs is False:
        return _down("Corosync does not run on this node")
    state = document.pacemakerd_state
    if state in _STARTING:
        return _about(PACEMAKER_STARTING, attempt, f"Pacemaker is starting ({state})")
    if state in _STOPPING:
        return _about(PACEMAKER_STOPPING, attempt, f"Pacemaker is stopping ({state})")
    if _EXIT_DISCONNECTED in (attempt.exit_code, document.status_code) or (
        attempt.exit_code in _OLD_NOT_RUNNING
        and any(text in attempt.stderr for text in _NOT_RUNNING_TEXT)
    ):
        return _down("Pacemaker does not run on this node")
    if attempt.exit_code:
        return _failed(attempt)
    if state == "running" and not document.has_summary:
        said = attempt.complaint or (document.errors[0] if document.errors else "")
        if said:
            return _about(
                PACEMAKER_UNRESPONSIVE, attempt, f"Pacemaker runs and does not answer: {said}"
            )
        return _denied(attempt, "the CIB is hidden from this user by an ACL")
    if state is not None and not document.has_summary and state != "running":
        return _invalid(attempt, f"unknown word '{_short(state)}' as state of pacemakerd")
    if document.has_summary:
        return _invalid(attempt, "no node in the document")
    return _invalid(attempt, "no summary in the document")


def cib(attempt: Attempt[Cib], cluster: Answer[Cluster]) -> Answer[Cib]:
    """Judge what cibadmin said.

    Exit code 102 is "no connection": not running, or not permitted. Where crm_mon has no answer
    either, its finding says which, and it is one fault.
    """
    fault = _fault(attempt)
    if fault is not None:
        return Answer(None, (fault,))
    if attempt.exit_code == _EXIT_DISCONNECTED and cluster.value is None and cluster.problems:
        return Answer()
    if attempt.exit_code == _EXIT_PERMISSION or (
        attempt.exit_code and any(text in attempt.stderr for text in _REFUSED_TEXT)
    ):
        return Answer(None, (_denied(attempt, "insufficient privileges"),))
    if attempt.exit_code:
        return Answer(None, (_failed(attempt),))
    if attempt.document is None:
        return Answer(None, (_invalid(attempt, attempt.detail),))
    return Answer(attempt.document)


# -- Corosync ----------------------------------------------------------------------------------

_DENIED = re.compile(r"CS_ERR_ACCESS|error 11\b|Permission denied", re.IGNORECASE)
_NOT_RUNNING = re.compile(
    r"CS_ERR_LIBRARY|error 2\b|Cannot initialize the? ?COROSYNC", re.IGNORECASE
)


_NO_CMAP = "Cannot initialize CMAP service"


def corosync_runs(*attempts: Optional[Attempt[T]]) -> Optional[bool]:
    """Whether Corosync runs, by its own tools; ``None`` when none of them can tell."""
    verdict: Optional[bool] = None
    for attempt in attempts:
        if attempt is None or attempt.fault not in (None, Fault.INVALID):
            continue
        if attempt.document is not None:
            return True
        if attempt.exit_code and _NOT_RUNNING.search(attempt.stderr):
            verdict = False
    return verdict


def _corosync(attempt: Attempt[T], exit_code_counts: bool = True) -> Answer[T]:
    fault = _fault(attempt)
    if fault is not None:
        return Answer(None, (fault,))
    if attempt.document is not None and not (exit_code_counts and attempt.exit_code):
        return Answer(attempt.document)
    if attempt.exit_code:
        if _DENIED.search(attempt.stderr):
            return Answer(None, (_denied(attempt, "access denied by Corosync"),))
        if _NOT_RUNNING.search(attempt.stderr):
            return Answer(None, (_down("Corosync does not run on this node"),))
        return Answer(None, (_failed(attempt),))
    return Answer(None, (_invalid(attempt, attempt.detail),))


def votes(attempt: Attempt[Votes]) -> Answer[Votes]:
    """Judge what quorumtool said: by its text; its exit code meant three things in its life.

    Not being allowed to ask is no problem: the votes are then counted from the node list.
    """
    if attempt.fault in (Fault.MISSING, Fault.DENIED):
        return Answer()
    if attempt.document is None and attempt.exit_code and _NO_CMAP in attempt.stderr:
        # Said without permission and without Corosync alike.
        return Answer()
    answer = _corosync(attempt, exit_code_counts=False)
    silent = (TOOL_DENIED, PACEMAKER_DOWN)
    return Answer(answer.value, tuple(p for p in answer.problems if p.kind not in silent))


def links(attempt: Attempt[Links]) -> Answer[Links]:
    """Judge what cfgtool said. Corosync 2 exits 1 for a faulty ring: the document decides."""
    answer = _corosync(attempt, exit_code_counts=False)
    if answer.value is not None:
        return Answer(answer.value, _words(attempt, answer.value.unrecognised))
    return answer


def cmap(attempt: Attempt[Cmap]) -> Answer[Cmap]:
    """Judge what cmapctl said."""
    return _corosync(attempt)


# -- DRBD --------------------------------------------------------------------------------------

_NETLINK = re.compile(r"netlink|error|fail", re.IGNORECASE)
_REFUSED = re.compile(r"not permitted|permission denied|access denied", re.IGNORECASE)


def drbd(
    attempt: Attempt[tuple[DrbdResource, ...]],
    expected: tuple[str, ...],
    asked: Asked,
) -> Answer[tuple[DrbdResource, ...]]:
    """Judge what ``drbdsetup status`` said, against the resources expected here.

    :param expected: names that the configuration file, ``--resource`` or the node's own
        ``/etc/drbd.d`` give, after the filter.
    """
    problem = _drbd_tool(attempt, _gravity(expected))
    missing = _not_up(expected)
    if attempt.document is None:
        also = missing if attempt.fault is Fault.MISSING else ()
        return Answer(None, (*((problem,) if problem is not None else ()), *also))
    wanted = tuple(r for r in attempt.document if asked.wants(r.name))
    known = {resource.name for resource in attempt.document}
    whole = tuple(r for r in wanted if r.devices or r.connections)
    problems = [problem] if problem else []
    problems += [
        finding(
            DRBD_RESOURCE_EMPTY,
            resource.name,
            f"{resource.name} shows neither volumes nor peers",
        )
        for resource in wanted
        if not (resource.devices or resource.connections)
    ]
    if problem is None:
        # A cut answer must not be read as "not there".
        if not attempt.document:
            problems.append(_nothing_up(expected))
        else:
            problems += [gone for gone in missing if gone.object not in known]
            if not wanted and not problems:
                problems.append(no_match(asked))
    for resource in whole:
        problems += _words(attempt, resource.unrecognised)
    return Answer(whole or None, tuple(problems))


def _gravity(expected: tuple[str, ...]) -> Optional[State]:
    """CRITICAL for what would be UNKNOWN if no resource were expected."""
    return State.CRITICAL if expected else None


def _nothing_up(expected: tuple[str, ...]) -> Finding:
    names = f"; expected: {', '.join(expected)}" if expected else ""
    text = f"no DRBD resource is up on this node{names}"
    return finding(DRBD_EMPTY, "drbd", text, state=_gravity(expected))


def _not_up(names: Iterable[str]) -> tuple[Finding, ...]:
    return tuple(
        finding(DRBD_RESOURCE_MISSING, name, f"{name} is not up on this node") for name in names
    )


def no_match(asked: Asked) -> Finding:
    """The filter matches no DRBD resource: grave if it names one, for a name is expected."""
    return finding(
        DRBD_RESOURCE_MISSING,
        ",".join(asked.patterns),
        f"no DRBD resource matches {', '.join(asked.patterns)}",
        state=None if asked.literals else State.UNKNOWN,
    )


def _drbd_tool(
    attempt: Attempt[tuple[DrbdResource, ...]], grave: Optional[State]
) -> Optional[Finding]:
    """What is wrong with the call itself, ``None`` if nothing is."""
    fault = _fault(attempt)
    if fault is not None:
        return replace(fault, state=grave) if grave and fault.kind is DRBD_MODULE else fault
    stderr = attempt.stderr
    if attempt.exit_code:
        if "modprobe" in stderr or "Module drbd not found" in stderr:
            text = f"the DRBD kernel module is not loaded ({attempt.complaint})"
            return _about(DRBD_MODULE, attempt, text, state=grave)
        if "unrecognized option '--json'" in stderr:
            text = (
                "drbdsetup knows no --json: the kernel's own DRBD 8.4 is loaded instead of 9,"
                " or drbd-utils is older than 8.9.8"
            )
            return _about(DRBD_MODULE, attempt, text, state=grave)
        if _REFUSED.search(stderr):
            return _denied(attempt, attempt.complaint)
        return _failed(attempt)
    if attempt.document is None:
        return _invalid(attempt, attempt.detail)
    if _NETLINK.search(stderr):
        # Exit code 0 and well-formed JSON all the same: the lists are cut.
        kind = TOOL_DENIED if _REFUSED.search(stderr) else TOOL_FAILED
        return _about(kind, attempt, f"drbdsetup status: {attempt.complaint}; its answer is cut")
    return None


def drbd_again(
    attempt: Attempt[tuple[DrbdResource, ...]], first: tuple[DrbdResource, ...]
) -> Answer[tuple[DrbdResource, ...]]:
    """Judge a second reading: it is compared with the first and has no findings of its state.

    :param first: the resources of the first reading; one that is gone cannot be compared.
    """
    problem = _drbd_tool(attempt, None)
    if problem is not None:
        return Answer(None, (replace(problem, text=f"second reading: {problem.text}"),))
    if attempt.document is None:
        return Answer()
    names = {resource.name for resource in attempt.document}
    gone = tuple(
        finding(
            DRBD_RESOURCE_MISSING,
            resource.name,
            f"second reading: {resource.name} is gone",
            state=State.UNKNOWN,
        )
        for resource in first
        if resource.name not in names
    )
    return Answer(attempt.document, gone)


def show(
    attempt: Attempt[tuple[ShownResource, ...]], expected: tuple[str, ...]
) -> Answer[tuple[ShownResource, ...]]:
    """Judge what ``drbdsetup show`` said; half an answer is none here.

    :param expected: names of resources that should be up here.
    """
    fault = _fault(attempt)
    if fault is not None:
        grave = _gravity(expected) if fault.kind is DRBD_MODULE else None
        return Answer(None, (replace(fault, state=grave or fault.state),))
    if attempt.exit_code:
        if "modprobe" in attempt.stderr or "Module drbd not found" in attempt.stderr:
            text = f"the DRBD kernel module is not loaded ({attempt.complaint})"
            return Answer(None, (_about(DRBD_MODULE, attempt, text, _gravity(expected)),))
        if _REFUSED.search(attempt.stderr):
            return Answer(None, (_denied(attempt, attempt.complaint),))
        return Answer(None, (_failed(attempt),))
    if _NETLINK.search(attempt.stderr):
        text = f"drbdsetup show: {attempt.complaint}"
        return Answer(None, (_about(TOOL_FAILED, attempt, text),))
    if attempt.document is None:
        return Answer(None, (_invalid(attempt, attempt.detail),))
    if not attempt.document:
        return Answer(None, (_nothing_up(expected),))
    known = {resource.name for resource in attempt.document}
    return Answer(attempt.document, _not_up(name for name in expected if name not in known))


def stale(time: datetime, now: datetime, max_age: float) -> Optional[Finding]:
    """``snapshot-stale`` if the recorded input is older than *max_age* seconds."""
    age = (now - time).total_seconds()
    if age <= max_age:
        return None
    text = f"the snapshot is {age:.0f} s old, more than {max_age:g} s"
    return finding(SNAPSHOT_STALE, "snapshot", text)
