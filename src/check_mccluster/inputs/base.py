"""What a description of a tool is made of: the key, the command, the reader, the judgement.

Success is not the exit code. crm_mon exits 0 with an empty document, quorumtool's exit code
changed its meaning twice, drbdsetup prints ``[]`` when the kernel refuses to answer. So each module
of this folder says for its tool what each failure means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Optional, TypeVar

from ..acquire.tools import Tool
from ..values import Enum
from ..verdict import subject
from ..verdict.finding import Finding, Kind, State, finding
from ..verdict.problems import (
    DRBD_MODULE,
    OUTPUT_INVALID,
    PACEMAKER_DOWN,
    SUDOERS,
    TOOL_DENIED,
    TOOL_FAILED,
    TOOL_MISSING,
    TOOL_TIMEOUT,
    WITHOUT_SUDO,
)
from ..verdict.view import Answer, Input

if TYPE_CHECKING:
    from ..acquire.source import Stream
    from ..model.words import Unrecognised
    from .evidence import Evidence

T = TypeVar("T")


class AnsweredInput(Input[T]):
    """What the evidence is asked for.

    :param answer: what it is worth, from whatever it is made of.
    :param names: the names of the cluster's nodes in a value: one of them is this node's.
    :param copies: tools whose output it needs as it is; see ``Evidence.copy``.
    """

    def __init__(
        self,
        name: str,
        rank: int,
        answer: Callable[[Evidence], Answer[T]],
        *,
        names: Optional[Callable[[T], Iterable[str]]] = None,
        copies: tuple[ToolInput[Any], ...] = (),
    ) -> None:
        super().__init__(name, rank)
        self.answer = answer
        self.names = names
        self.copies = copies


class ToolInput(AnsweredInput[T]):
    """One tool, described once.

    :param tool: the command, and the name of its file in a snapshot.
    :param read: from its output to a document; imports its reader when it is called.
    :param answer: what the document, the exit code and standard error mean.
    :param recorded: whether every snapshot holds it.
    """

    def __init__(
        self,
        name: str,
        rank: int,
        tool: Tool,
        read: Callable[[Stream], Any],
        answer: Callable[[Evidence], Answer[T]],
        *,
        names: Optional[Callable[[T], Iterable[str]]] = None,
        recorded: bool = True,
    ) -> None:
        super().__init__(name, rank, answer, names=names)
        self.tool = tool
        self.read = read
        self.recorded = recorded


class Obstacle(Enum):
    """What kept us from a document."""

    MISSING = "missing"
    DENIED = "denied"
    TIMEOUT = "timeout"
    INVALID = "invalid"
    MODULE = "module"


class Attempt(Generic[T]):
    """One attempt to read a tool.

    :param program: the tool's name. :param command: its command line, for the next step.
    :param obstacle: what kept us from a document. :param detail: that in words, one line.
    :param text: the beginning of an output that is no document, for old dialects.
    :param user: tells who asked; empty where nobody knows.
    """

    def __init__(  # noqa: PLR0917 - in the order in which they become known
        self,
        program: str,
        command: str,
        obstacle: Optional[Obstacle] = None,
        detail: str = "",
        exit_code: Optional[int] = None,
        stderr: str = "",
        document: Optional[T] = None,
        text: str = "",
        user: Callable[[], str] = str,
    ) -> None:
        self.program = program
        self.command = command
        self.obstacle = obstacle
        self.detail = detail
        self.exit_code = exit_code
        self.stderr = stderr
        self.document = document
        self.text = text
        self.user = user

    @property
    def complaint(self) -> str:
        """The first line of standard error, shortened."""
        first = next((line.strip() for line in self.stderr.splitlines() if line.strip()), "")
        return first if len(first) <= 100 else first[:97] + "..."


# -- what a failure is called ------------------------------------------------------------------


_FILE = "/etc/sudoers.d/check_mccluster (in the packages; else contrib/sudoers)"


def grant(program: str, user: str) -> str:
    """What gives a monitoring user the right to ask a tool: to read, and the way without sudo."""
    with_sudo = f"{_FILE} has to name {user} in its User_Alias."
    if program in _PACEMAKER:
        other = f"a read ACL (docs/permissions.md), then: usermod -a -G haclient {user}"
    elif program.startswith("corosync"):
        # uid alone: a group that there is not would keep Corosync from starting.
        other = (
            f"printf 'uidgid {{\\n uid: {user}\\n}}\\n' > /etc/corosync/uidgid.d/{user};"
            " corosync-cfgtool -R"
        )
    else:
        return with_sudo
    return f"{with_sudo}{WITHOUT_SUDO}{other}"


_PACEMAKER = ("crm_mon", "cibadmin")


def _needs(program: str) -> str:
    """The same in a few words."""
    if program in _PACEMAKER:
        return "--sudo or group haclient"
    return "--sudo or a uidgid entry" if program.startswith("corosync") else "--sudo"


def about(
    kind: Kind, attempt: Attempt[T], text: str, state: Optional[State] = None, step: str = ""
) -> Finding:
    """A finding about the tool itself."""
    return finding(
        kind,
        subject.tool(attempt.program),
        text,
        state=state,
        command=attempt.command,
        grant=grant(attempt.program, attempt.user() or "USER") if kind is TOOL_DENIED else "",
        step=step,
    )


def no_output(attempt: Attempt[T]) -> Optional[Finding]:
    """The finding for what kept us from any output; the same for every tool."""
    kinds = {
        Obstacle.MISSING: TOOL_MISSING,
        Obstacle.DENIED: TOOL_DENIED,
        Obstacle.TIMEOUT: TOOL_TIMEOUT,
        Obstacle.MODULE: DRBD_MODULE,
    }
    if attempt.obstacle is None or attempt.obstacle is Obstacle.INVALID:
        return None
    line = attempt.detail.partition(SUDOERS)[2]
    if line:
        text = f"{attempt.program}: refused by sudo{SUDOERS}{line}"
        user = line.partition(" ")[0]
        step = f"visudo -f {_FILE}: it has to name {user} in its User_Alias; or add that line"
        return about(TOOL_DENIED, attempt, text, step=step)
    return about(kinds[attempt.obstacle], attempt, attempt.detail)


def denied(attempt: Attempt[T], why: str) -> Finding:
    """The user may not ask."""
    return about(TOOL_DENIED, attempt, f"{attempt.program}: {why}; needs {_needs(attempt.program)}")


def failed(attempt: Attempt[T]) -> Finding:
    """An exit code that means nothing more special."""
    said = f": {attempt.complaint}" if attempt.complaint else ""
    return about(
        TOOL_FAILED, attempt, f"{attempt.program} failed with exit code {attempt.exit_code}{said}"
    )


def invalid(attempt: Attempt[T], why: str) -> Finding:
    """An output that is no document of the tool."""
    return about(OUTPUT_INVALID, attempt, f"{attempt.program}: {why}")


def unknown_words(attempt: Attempt[T], words: Sequence[Unrecognised]) -> tuple[Finding, ...]:
    """State words that nobody knows, each quoted."""
    return tuple(
        invalid(attempt, f"unknown word '{short(word.word)}' as {word.where}") for word in words
    )


def short(text: str) -> str:
    """One line of at most 40 characters."""
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:37] + "..."


def down(why: str) -> Finding:
    """``pacemaker-down``: the same finding whichever tool tells it, for it is one fault."""
    return finding(PACEMAKER_DOWN, subject.tool("pacemaker"), why)
