"""The program as a process: without the collector of cycles, and gone once all is said."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from standins.machine import SOURCES

BEGIN = """\
import sys
from check_mccluster import __main__ as program
from check_mccluster.app import cli

def run(does):
    cli.main = does
    program.main()

"""


def ended(code: str, **streams: object) -> subprocess.CompletedProcess[str]:
    """What is left of a process that runs *code* once the program is at hand."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.run(
        [sys.executable, "-c", BEGIN + code],
        env={"PYTHONPATH": str(SOURCES)},
        text=True,
        timeout=60,
        check=False,
        **streams,
    )


def test_only_the_program_does_without_the_collector():
    """Who imports the package keeps his own."""
    code = (
        "import gc\nassert gc.isenabled()\n"
        "def does():\n    print('off' if not gc.isenabled() else 'on')\n    sys.exit(0)\n"
        "run(does)"
    )
    assert ended(code).stdout == "off\n"


@pytest.mark.parametrize(
    ("said", "code"), [("None", 0), ("0", 0), ("1", 1), ("2", 2), ("3", 3), ("True", 1)]
)
def test_the_exit_code_is_the_verdict(said, code):
    assert ended(f"run(lambda: sys.exit({said}))").returncode == code


def test_nothing_that_was_said_is_lost():
    """More than a pipe holds, and without an end of line."""
    code = "def does():\n    print('x' * 2_000_000, end='')\n    sys.exit(2)\nrun(does)"
    done = ended(code + "\nprint('never')")
    assert (done.returncode, done.stdout) == (2, "x" * 2_000_000)
    code = "def does():\n    print('why', end='', file=sys.stderr)\n    sys.exit(3)\nrun(does)"
    assert ended(code).stderr == "why"


def test_what_is_to_happen_at_the_end_happens():
    """Coverage, profilers and temporary folders hang on atexit."""
    code = (
        "import atexit, logging, tempfile\n"
        "atexit.register(print, 'at the end')\n"
        "folder = tempfile.TemporaryDirectory()\n"
        "print(folder.name)\n"
        "run(lambda: sys.exit(1))"
    )
    done = ended(code)
    folder, *rest = done.stdout.splitlines()
    assert (done.returncode, rest) == (1, ["at the end"])
    assert not os.path.exists(folder)  # noqa: PTH110


def test_an_error_is_told_as_ever():
    done = ended("def does():\n    raise ValueError('so')\nrun(does)")
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: so\n")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["explain"]])
def test_the_program_ends_well(arguments):
    whole = subprocess.run(
        [sys.executable, "-m", "check_mccluster", *arguments],
        env={"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (whole.returncode, whole.stderr) == (0, "")
    assert whole.stdout.endswith("\n")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["explain"]])
def test_a_full_disk_is_unknown(arguments):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "check_mccluster", *arguments],
            env={"PYTHONPATH": str(SOURCES)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (3, "")
