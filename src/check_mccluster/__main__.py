"""The program, installed as ``check_mccluster`` or run as ``python -m check_mccluster``."""

from __future__ import annotations

import atexit
import gc
import os
import sys


def main() -> None:
    """Run the command line without the collector of cycles: a run ends before there are any.

    What is loaded before that is looked through by it, so this module loads nothing but what the
    interpreter has.
    """
    gc.disable()
    from .app.cli import main as run

    try:
        run()
    except SystemExit as end:
        _leave(0 if end.code is None else int(end.code))


def _leave(code: int) -> None:
    """End the process, and leave the memory to the kernel.

    The interpreter would first take every module apart, which is a 25th of a check's time. What is
    registered to happen at its end does happen; standard output is written out already, or the
    exit code says that it could not be.
    """
    import contextlib

    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # closed, or full
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
