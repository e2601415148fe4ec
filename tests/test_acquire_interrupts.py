"""A signal to us at the worst moment: a tool has been started, and nobody knows it yet."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from check_mccluster.acquire.interrupts import HELD, interrupt
from check_mccluster.acquire.pump import Pump
from check_mccluster.acquire.tools import Tool
from check_mccluster.app.deadline import Interrupted, end_on_signal

SLEEP = ("/bin/sleep", "1000")


def test_an_interrupt_is_raised_at_once_where_nothing_holds_it():
    with pytest.raises(Interrupted, match="now"):
        interrupt(Interrupted("now"))


def test_a_block_that_holds_interrupts_runs_to_its_end_and_the_first_is_raised_then():
    done = []

    def start() -> None:
        with HELD, HELD:
            interrupt(Interrupted("the first"))
            interrupt(Interrupted("the second"))
            done.append("block")

    with pytest.raises(Interrupted, match="the first"):
        start()
    assert done == ["block"]
    with HELD:
        done.append("none is left")
    assert done == ["block", "none is left"]


def test_an_interrupt_comes_before_an_error_of_the_block_that_held_it():
    def start() -> None:
        with HELD:
            interrupt(Interrupted("end"))
            raise OSError("cannot be started")

    with pytest.raises(Interrupted, match="end"):
        start()


@pytest.fixture
def handled():
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, end_on_signal) for number in numbers]
    yield
    for number, handler in zip(numbers, before):
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGTERM, Interrupted), (signal.SIGINT, KeyboardInterrupt)]
)
def test_a_signal_between_the_fork_and_the_note_of_it_leaves_no_process(
    handled, monkeypatch, number, error
):
    started = []

    class Popen(subprocess.Popen):
        def __init__(self, *args, **options) -> None:
            super().__init__(*args, **options)
            started.append(self.pid)
            os.kill(os.getpid(), number)
            time.sleep(0)  # the handler runs here at the latest

    monkeypatch.setattr(subprocess, "Popen", Popen)
    pump = Pump(time.monotonic() + 60)
    try:
        with pytest.raises(error):
            pump.start(Tool("sleep", SLEEP[1:], "", 1), SLEEP, os.environ)
    finally:
        pump.close()
    (pid,) = started
    with pytest.raises(ChildProcessError):  # reaped: nobody has to wait for it any more
        os.waitpid(pid, os.WNOHANG)
