"""Children and the one loop that moves their output, so that none waits for another."""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import signal
import subprocess
import termios
import time
from collections.abc import Iterable, Mapping
from typing import IO, Optional

from .interrupts import HELD
from .source import AcquireError, Ending, OutputTooLarge, ToolTimeout
from .tools import Tool

CHUNK = 64 * 2**10
STDERR_LIMIT = 64 * 2**10
"""The most of a tool's stderr that is kept, in bytes; the rest is read and dropped."""
EXIT_POLL = 0.01
"""How often to look whether a child has exited once its output has ended, in seconds."""
REAP_GRACE = 0.5
"""How long killed children may take to vanish, in seconds. One stuck in the kernel never does."""


class Child:
    """A tool that runs, in a session of its own: its pipes, what has arrived, how it ended.

    :param given: its standard input, written while it reads; ``None``: there is none.
    :param sudo: whether *argv* starts with sudo. It gets a pseudo terminal as its controlling
        terminal then (its standard streams stay as they are). Closing our end makes the kernel
        send SIGHUP: the only way for an unprivileged parent to end what runs as root.
    :raises OSError: if it cannot be started.
    """

    def __init__(
        self,
        tool: Tool,
        argv: tuple[str, ...],
        environment: Mapping[str, str],
        *,
        sudo: bool,
        given: Optional[bytes] = None,
    ) -> None:
        self.tool = tool
        self.argv = argv
        self.sudo = sudo
        self.output = bytearray()
        self.errors = bytearray()
        self.received = 0
        self.discard = False
        self.exit_code: Optional[int] = None
        self.failure: Optional[AcquireError] = None
        self.outcome = "still running"
        self.seconds: Optional[float] = None
        self.started = time.monotonic()
        # Master and slave. The slave must stay open: with its last copy the session would lose the
        # terminal.
        self._terminal: tuple[int, ...] = os.openpty() if sudo else ()
        try:
            self._process = subprocess.Popen(
                argv,
                bufsize=0,
                stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                close_fds=True,
                start_new_session=True,
                env=environment,
                preexec_fn=self._adopt_terminal if sudo else None,  # noqa: PLW1509 - no threads
            )
        except BaseException:
            self._close_terminal()
            raise
        self.stdout = _pipe(self._process.stdout)
        self.stderr = _pipe(self._process.stderr)
        self.stdin = None if given is None else _pipe(self._process.stdin)
        self.left_to_give = memoryview(given or b"")

    @property
    def pipes(self) -> tuple[IO[bytes], ...]:
        """Our ends of its pipes, open or not."""
        ours = (self.stdout, self.stderr)
        return ours if self.stdin is None else (*ours, self.stdin)

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be expected of it."""
        return self.exit_code is not None or self.failure is not None

    @property
    def ending(self) -> Ending:
        """How it ended; only for one that has ended by itself."""
        assert self.exit_code is not None  # noqa: S101
        return Ending(self.exit_code, self.errors.decode(errors="replace"), self.seconds)

    def exited(self) -> bool:
        """Whether the process is gone. It is not reaped, so its number cannot be another's yet."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, flags) is not None

    def kill(self) -> None:
        """Kill what is left of its process group, and hang up its terminal."""
        self._close_terminal()
        # Nothing may be left, or it is root's and has got SIGHUP from its terminal.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def reap(self, seconds: float) -> Optional[int]:
        """Its exit code, negative for a signal; ``None`` if it does not vanish within *seconds*."""
        try:
            return self._process.wait(timeout=max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return None

    def _adopt_terminal(self) -> None:
        fcntl.ioctl(self._terminal[1], termios.TIOCSCTTY, 0)
        # A caller below nohup hands down SIGHUP ignored, and nothing would end the tool.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    def _close_terminal(self) -> None:
        for descriptor in self._terminal:
            os.close(descriptor)
        self._terminal = ()


def _pipe(pipe: Optional[IO[bytes]]) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - it was asked for
    os.set_blocking(pipe.fileno(), False)
    return pipe


class Pump:
    """Takes what the children print, whoever is being read, until the deadline ends them all.

    :param deadline: in the time of :func:`time.monotonic`.
    """

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self._selector = selectors.DefaultSelector()
        if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
            # Inherited from a careless daemon; the kernel would throw the exit codes away.
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._running: list[Child] = []

    def start(
        self,
        tool: Tool,
        argv: tuple[str, ...],
        environment: Mapping[str, str],
        *,
        sudo: bool = False,
        given: Optional[bytes] = None,
    ) -> Child:
        """Start a :class:`Child` and look after it from then on.

        :raises OSError: if it cannot be started.
        """
        with HELD:
            child = Child(tool, argv, environment, sudo=sudo, given=given)
            self._running.append(child)
        for pipe in (child.stdout, child.stderr):
            self._selector.register(pipe, selectors.EVENT_READ, child)
        if child.stdin is not None:
            self._selector.register(child.stdin, selectors.EVENT_WRITE, child)
        return child

    def turn(self, seconds: Optional[float] = None) -> None:
        """Take what is there, after waiting for it, for *seconds* at most or to the deadline."""
        patience = self.deadline - time.monotonic()
        if patience <= 0:
            self._expire()
            return
        if seconds is not None:
            patience = min(patience, seconds)
        if any(child.stdout.closed for child in self._running):
            patience = min(patience, EXIT_POLL)  # the end of a process wakes no selector
        for key, _ in self._selector.select(patience):
            if key.fileobj.closed:  # type: ignore[union-attr]
                continue
            if key.fileobj is key.data.stdin:
                self._give(key.data, key.fileobj)
            else:
                self._receive(key.data, key.fileobj)  # type: ignore[arg-type]
        for child in tuple(self._running):
            if child.stdout.closed and child.exited():
                self._settle(child)

    def close(self) -> None:
        """End every child that still runs."""
        children = tuple(self._running)
        self._end(children, "killed: not needed any more")
        for child in children:
            child.failure = AcquireError(
                child.tool, f"{child.tool.command} was not read to its end"
            )
        self._selector.close()

    def _receive(self, child: Child, pipe: IO[bytes]) -> bool:
        """Take a chunk from *pipe*; whether there may be more at once."""
        try:
            chunk = os.read(pipe.fileno(), CHUNK)
        except BlockingIOError:
            return False
        if not chunk:
            self._forget(pipe)
            return False
        if pipe is child.stderr:
            child.errors += chunk[: STDERR_LIMIT - len(child.errors)]
            return True
        child.received += len(chunk)
        if child.received > child.tool.limit:
            self._refuse(child)
            return False
        if not child.discard:
            child.output += chunk
        return True

    def _give(self, child: Child, pipe: IO[bytes]) -> None:
        """Write what *pipe* takes now; a child that wants no more has its reason."""
        try:
            written = os.write(pipe.fileno(), child.left_to_give[:CHUNK])
        except BlockingIOError:
            return
        except BrokenPipeError:
            written = len(child.left_to_give)
        child.left_to_give = child.left_to_give[written:]
        if not child.left_to_give:
            self._forget(pipe)

    def _settle(self, child: Child) -> None:
        """*child* has exited and its output has ended. Who else holds its stderr does not count."""
        while not child.stderr.closed and len(child.errors) < STDERR_LIMIT:
            if not self._receive(child, child.stderr):
                break
        self._end((child,))

    def _refuse(self, child: Child) -> None:
        size = f"{child.tool.limit / 2**20:g} MiB"
        self._end((child,), f"killed: more output than {size}")
        child.failure = OutputTooLarge(
            child.tool, f"{child.tool.command} printed more than {size}, which is not read"
        )

    def _expire(self) -> None:
        """The deadline: what has ended may still be read, everything else is killed."""
        for child in tuple(self._running):
            if child.exited():
                while not child.stdout.closed and self._receive(child, child.stdout):
                    pass
                if child.stdout.closed and not child.ended:
                    self._settle(child)
        late = tuple(self._running)
        self._end(late, "killed at the deadline")
        for child in late:
            seconds = self.deadline - child.started
            child.failure = ToolTimeout(
                child.tool, f"{child.tool.command} did not answer within {seconds:.1f} s"
            )

    def _end(self, children: Iterable[Child], outcome: Optional[str] = None) -> None:
        """Kill, reap and forget *children*; one without *outcome* tells by its exit code."""
        for child in children:
            with HELD:
                self._running.remove(child)
                for pipe in child.pipes:
                    self._forget(pipe)
                child.kill()
            child.seconds = time.monotonic() - child.started
        patience = time.monotonic() + REAP_GRACE
        for child in children:
            code = child.reap(patience - time.monotonic())
            if outcome is not None:
                child.output.clear()
                child.outcome = outcome
            elif code is not None:
                child.exit_code = code
                child.outcome = f"exit {code}" if code >= 0 else f"ended by signal {-code}"

    def _forget(self, pipe: IO[bytes]) -> None:
        if not pipe.closed:
            with contextlib.suppress(KeyError):  # a signal came before it was registered
                self._selector.unregister(pipe)
            pipe.close()
