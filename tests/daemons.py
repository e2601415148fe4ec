"""What the tests with real daemons share: a user, ports, waiting, the plugin as a program."""

from __future__ import annotations

import compileall
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Optional

import pytest

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = Path("/usr/lib/nagios/plugins")


def need(*programs: str) -> None:
    """Skip plainly where a daemon's package is not installed."""
    folders = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin", str(PLUGINS)))
    missing = [name for name in programs if shutil.which(name, path=folders) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (see .ci/packages)")


def monitoring_user() -> Optional[str]:
    """Whom root runs the daemons as, as Debian's packages do; otherwise we are somebody already."""
    return "nagios" if os.geteuid() == 0 else None


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A folder that the daemons' user may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix=f"check_mccluster-{name}-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder to which a daemon that is ending may still write."""
    for _ in range(50):
        with suppress(OSError):
            shutil.rmtree(folder)
            return
        time.sleep(0.2)
    shutil.rmtree(folder)


def own(path: Path) -> None:
    """Give all below *path* to the daemons' user, and let everybody look at it."""
    user = monitoring_user()
    for place in (path, *path.rglob("*")):
        if place.is_symlink():
            continue
        place.chmod(place.stat().st_mode | (0o755 if place.is_dir() else 0o644))
        if user is not None:
            shutil.chown(place, user, pwd.getpwnam(user).pw_gid)


def run_as_user(arguments: list[Any], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end as the daemons' user."""
    return subprocess.run(
        [str(each) for each in arguments],
        **_identity(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd="/",
        **options,
    )


@contextmanager
def daemon(arguments: list[Any], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon in the foreground as the daemons' user, with its children gone afterwards."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [str(each) for each in arguments],
            **_identity(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            cwd="/",
        )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _identity() -> dict[str, Any]:
    user = monitoring_user()
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 90) -> Any:
    """Wait until *condition* is true, and return what it says."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds:g} s for {what}")


def install_plugin(folder: Path) -> Path:
    """The plugin as a program that the daemons' user may run, wherever this tree is."""
    package = folder / "lib/check_mccluster"
    shutil.copytree(
        ROOT / "src/check_mccluster", package, ignore=shutil.ignore_patterns("__pycache__")
    )
    compileall.compile_dir(package, quiet=1)
    paths = os.pathsep.join([str(package.parent), *(p for p in sys.path if "site-packages" in p)])
    program = folder / "check_mccluster"
    # root's own interpreter may be in a home that nobody else may enter.
    system = "/usr/bin/python{}.{}".format(*sys.version_info)
    for python in (sys.executable, system):
        program.write_text(
            f'#!/bin/sh\nPYTHONPATH="{paths}" exec {python} -m check_mccluster "$@"\n'
        )
        program.chmod(0o755)
        own(folder)
        if run_as_user([program, "--version"]).returncode == 0:
            return program
    pytest.skip(f"an ordinary user may run neither {sys.executable} nor {system} with what we need")
