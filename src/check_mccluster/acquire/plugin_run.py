"""Runs another monitoring plugin and keeps what it says, byte for byte."""

from __future__ import annotations

import os

from ..values import NamedTuple
from .pump import Pump
from .source import OutputTooLarge
from .tools import Tool

LIMIT = 16 * 2**20
"""The most of a plugin's output that is kept, in bytes."""


class PluginError(Exception):
    """The plugin gave no answer. One line, without its arguments: they may hold a password."""


class Ended(NamedTuple):
    """How a plugin ended. ``exit_code`` is negative for a signal."""

    exit_code: int
    stdout: bytes
    stderr: bytes


def run_plugin(argv: tuple[str, ...], deadline: float) -> Ended:
    """Run *argv* in our environment, standard input closed, and wait for its end.

    It leads a process group of its own, which is killed when this function is left, by whatever
    way: at the deadline, by a signal to us, or in the end if the plugin left something behind.

    :param argv: the program, looked up in ``PATH``, and its arguments; no shell sees them.
    :param deadline: in the time of :func:`time.monotonic`.
    :raises PluginError: if it cannot be started, is not done by the deadline, or says too much.
    """
    name = os.path.basename(argv[0]) or argv[0]
    pump = Pump(deadline)
    try:
        try:
            child = pump.start(Tool(name, argv[1:], "", LIMIT), argv, os.environ)
        except OSError as error:
            raise PluginError(f"cannot run {argv[0]}: {error.strerror}") from error
        while not child.ended:
            pump.turn()
    finally:
        pump.close()
    if isinstance(child.failure, OutputTooLarge):
        raise PluginError(f"{name} was killed: it printed more than {LIMIT / 2**20:g} MiB")
    if child.exit_code is None:
        raise PluginError(f"{name} did not end before the deadline and was killed")
    return Ended(child.exit_code, bytes(child.output), bytes(child.errors))
