"""This machine: its tools, run once each and all at the same time."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shlex
import stat
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Optional, Union

from .pump import Child, Pump
from .source import (
    AcquireError,
    Ending,
    Run,
    Source,
    Stream,
    ToolDenied,
    ToolMissing,
    ToolTimeout,
)
from .tools import Tool

FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""Where tools are looked for after ``PATH``: a monitoring user's has no ``sbin``."""

SUDO_REFUSALS = (
    "a password is required",
    "is not allowed to execute",
    "may not run sudo",
    "is not in the sudoers file",
    "no tty present",
    "a terminal is required",
    "you must have a tty",
    "no new privileges",
    "effective uid is not 0",
    "must be owned by uid 0",
)
"""What sudo prints when it does not run the command; its exit code is 1 then."""


class Live(Source):
    """The tools of this machine.

    :param deadline: when every tool must have answered, in the time of :func:`time.monotonic`.
    :param node: the name of "this node"; default: ``uname -n``.
    :param sudo: run the tools as ``sudo -n TOOL …``.
    :param paths: absolute paths by tool name (``sudo`` and ``drbdadm`` too), instead of a search.
    :param root: what ``/sys`` and ``/proc`` are looked up under.
    """

    recorded = False

    def __init__(
        self,
        *,
        deadline: float,
        node: Optional[str] = None,
        sudo: bool = False,
        paths: Mapping[str, str] = MappingProxyType({}),
        root: str = "/",
    ) -> None:
        self.node = os.uname().nodename if node is None else node
        # In whole seconds, as a snapshot keeps it: its ages must be the same.
        self.time = datetime.now(timezone.utc).replace(microsecond=0)
        self._sudo = sudo
        self._paths = dict(paths)
        self._root = root
        self._pump = Pump(deadline)
        self._attempts: dict[Tool, Union[Child, AcquireError]] = {}
        self._asked_for_resources = False
        self._configured_resources: Optional[tuple[str, ...]] = None
        self._utils: Optional[Tool] = None
        self._utils_version: Optional[str] = None
        self._given: dict[Tool, bytes] = {}
        self._scratch: list[str] = []

    def prepare(self, tools: tuple[Tool, ...]) -> None:
        """Start these tools at once; a second reading starts only when it is opened."""
        for tool in tools:
            if not tool.again:
                self._attempt(tool)

    def give(self, tool: Tool, data: bytes) -> None:
        """What *tool* will read from its standard input; before it is started."""
        self._given[tool] = data

    def open(self, tool: Tool) -> Stream:
        """The tool's output; the tool is started now unless it was prepared.

        :raises AcquireError: if it cannot be run.
        """
        attempt = self._attempt(tool)
        if isinstance(attempt, AcquireError):
            raise attempt
        return _LiveStream(self._pump, attempt)

    def has(self, tool: Tool) -> bool:
        """Whether the program is installed."""
        return next(self._candidates(tool.name), None) is not None

    def wait(self, seconds: float) -> None:
        """Let *seconds* pass, to the deadline at most; what the tools print is taken meanwhile."""
        until = min(time.monotonic() + seconds, self._pump.deadline)
        while (left := until - time.monotonic()) > 0:
            self._pump.turn(left)

    def drbd_module(self) -> tuple[bool, Optional[str]]:
        """What the kernel says of its DRBD module; see :meth:`Source.drbd_module`."""
        folder = os.path.join(self._root, "sys/module/drbd")
        if not os.path.isdir(folder):
            return True, None
        version = _text(os.path.join(folder, "version")).strip()
        if not version:
            line = re.match(r"version: (\S+)", _text(os.path.join(self._root, "proc/drbd")))
            version = line.group(1) if line else ""
        return (True, version) if version else (False, None)

    def expected_drbd_resources(self, tool: Tool) -> Optional[tuple[str, ...]]:
        """What ``drbdadm sh-resources`` says; ``None`` if it cannot."""
        if not self._asked_for_resources:
            self._asked_for_resources = True
            try:
                stream = self.open(tool)
                names = stream.read().decode(errors="replace").split()
                if stream.finish().exit_code == 0:
                    self._configured_resources = tuple(names)
            except AcquireError:
                pass
        return self._configured_resources

    def ask_drbd_utils(self, tool: Tool) -> None:
        """Start ``drbdadm --version``."""
        self._utils = tool
        self.prepare((tool,))

    def drbd_utils(self) -> Optional[str]:
        """What ``drbdadm --version`` says, if it was asked."""
        tool, self._utils = self._utils, None
        if tool is not None:
            with contextlib.suppress(AcquireError):
                said = self.open(tool).read().decode(errors="replace")
                line = re.search(r"^DRBDADM_VERSION=(\d[\w.~+-]*)$", said, re.MULTILINE)
                self._utils_version = line.group(1) if line else None
        return self._utils_version

    def user(self) -> str:
        """This user's name."""
        return _user()

    def runs(self) -> tuple[Run, ...]:
        """Every command so far with all its arguments, in the order of their start."""
        return tuple(_run(tool, attempt) for tool, attempt in self._attempts.items())

    def close(self) -> None:
        """Kill and reap every child that still runs, with its process group."""
        self._pump.close()
        for folder in self._scratch:
            _remove(folder)
        self._scratch.clear()

    def _attempt(self, tool: Tool) -> Union[Child, AcquireError]:
        if tool not in self._attempts:
            try:
                child = self._start(tool)
            except AcquireError as error:
                self._attempts[tool] = error
            else:
                self._attempts[tool] = child
        return self._attempts[tool]

    def _start(self, tool: Tool) -> Child:
        sudo = self._sudo and tool.by_root
        argv = (self._find(tool, by_root=sudo), *tool.arguments)
        if sudo:
            argv = (self._find_sudo(tool), "-n", *argv)
        self.demand_module(tool)
        if time.monotonic() >= self._pump.deadline:
            raise ToolTimeout(tool, f"no time was left to run {tool.command}")
        try:
            environment = _environment()
            if tool.scratch:
                environment[tool.scratch] = str(self._new_scratch(tool))
            given = self._given.pop(tool, None)
            return self._pump.start(tool, argv, environment, sudo=sudo, given=given)
        except OSError as error:
            raise ToolDenied(tool, f"cannot run {argv[0]}: {error.strerror}") from error

    def _new_scratch(self, tool: Tool) -> str:
        """A directory that nobody else may enter: what a tool keeps there may hold passwords."""
        parent = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108  # nosec
        folder = os.path.join(parent, f"check_mccluster-{os.urandom(8).hex()}")
        try:
            os.mkdir(folder, mode=0o700)
        except OSError as error:
            detail = f"{tool.name} needs a temporary directory: {parent}: {error.strerror}"
            raise ToolDenied(tool, detail) from error
        self._scratch.append(folder)
        return folder

    def _find(self, tool: Tool, *, by_root: bool) -> str:
        found = list(self._candidates(tool.name))
        if by_root and tool.name not in self._paths:
            safe = [path for path in found if _is_safe(path)]
            if found and not safe:
                detail = f"{found[0]} is not run as root: others may write to it or to its folder"
                raise ToolDenied(tool, detail)
            found = safe
        for path in found:
            if by_root or os.access(path, os.X_OK):
                return path
        if found:
            raise ToolDenied(tool, f"this user may not execute {found[0]}")
        configured = self._paths.get(tool.name)
        where = "" if configured is None else f" (no file at its configured path {configured})"
        raise ToolMissing(tool, f"{tool.name} is not installed{where}")

    def _find_sudo(self, tool: Tool) -> str:
        for path in self._candidates("sudo"):
            if os.access(path, os.X_OK):
                return path
        raise ToolDenied(tool, f"sudo is not installed, so {tool.command} cannot be run with it")

    def _candidates(self, name: str) -> Iterator[str]:
        if name in self._paths:
            paths = [self._paths[name]]
        else:
            folders = (*os.environ.get("PATH", "").split(os.pathsep), *FOLDERS)
            paths = [os.path.join(folder, name) for folder in folders]
        return (path for path in paths if os.path.isabs(path) and os.path.isfile(path))


def _is_safe(path: str) -> bool:
    """Whether nobody but root and this user could have put the program there: root will run it."""
    for each in (path, os.path.dirname(path)):
        for found in (os.lstat(each), os.stat(each)):
            of_others = found.st_mode & 0o022 and not stat.S_ISLNK(found.st_mode)
            if found.st_uid not in (0, os.geteuid()) or of_others:
                return False
    return True


class _LiveStream(Stream):
    def __init__(self, pump: Pump, child: Child) -> None:
        self._pump = pump
        self._child = child

    def read(self, size: int = -1) -> bytes:
        child = self._child
        self._pump.turn(0)  # the others' output is taken even if there is enough of this one's
        while not (child.stdout.closed or child.failure or (child.output and size >= 0)):
            self._pump.turn()
        if child.failure is not None:
            raise child.failure
        end = len(child.output) if size < 0 else size
        taken = bytes(child.output[:end])
        del child.output[:end]
        return taken

    def finish(self) -> Ending:
        child = self._child
        child.discard = True
        child.output.clear()
        while not child.ended:
            self._pump.turn()
        if child.failure is not None:
            raise child.failure
        _check_sudo(child)
        return child.ending


def _check_sudo(child: Child) -> None:
    """:raises ToolDenied: if it was sudo that ended, and not the tool."""
    if not child.sudo or child.exit_code != 1:
        return
    if any(words in child.ending.stderr for words in SUDO_REFUSALS):
        line = sudoers_line(child.argv[2:])
        raise ToolDenied(
            child.tool, f"sudo refused to run {child.tool.command}; sudoers needs: {line}"
        )


def sudoers_line(command: tuple[str, ...]) -> str:
    """The line of sudoers(5) that lets this user run *command* as root, just so."""
    # Without this, a command that has no arguments may be run with any: corosync-cmapctl can write.
    arguments = command[1:] or ('""',)
    return f"{_user()} ALL=(root) NOPASSWD: {' '.join((command[0], *arguments))}"


def _user() -> str:
    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def _run(tool: Tool, attempt: Union[Child, AcquireError]) -> Run:
    if isinstance(attempt, Child):
        return Run(shlex.join(attempt.argv), attempt.outcome, attempt.seconds)
    if isinstance(attempt, ToolMissing):
        return Run(tool.command, "not installed", None)
    return Run(tool.command, f"not run: {attempt.detail}", None)


def _environment() -> dict[str, str]:
    """Ours, with English words, plain numbers and UTC for the tools.

    Without what would have Pacemaker's tools read something else than this cluster: in a shell of
    crm_shadow(8), ``CIB_shadow`` is set.
    """
    own = {
        name: value
        for name, value in os.environ.items()
        if name != "LANGUAGE" and not name.startswith("CIB_")
    }
    return {**own, "LC_ALL": "C", "TZ": "UTC"}


def _remove(folder: str) -> None:
    """Remove a directory of files. What is left of it harms nobody."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)


def _text(path: str) -> str:
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""
