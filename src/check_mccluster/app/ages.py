"""Since when a fault is seen: a small file from one look to the next, for ``--speak-after``.

It is no :mod:`~check_mccluster.app.memory`, and on purpose: that one says what is wrong with a file
it was given and leaves it alone; this one is nobody's to repair, so it starts over, and never waits
for another check or finds it in the way, for then every node would tell the fault.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Optional

FOLDER = "/var/lib/check_mccluster"
"""Where it is kept if the user may write there; else a folder of the user's own in ``/var/tmp``."""

LIMIT = 2**22
"""The most that is read of it, in characters; more is no file of ours."""


def ages(node: str, names: Iterable[str], gap: float) -> Optional[dict[str, float]]:
    """Seconds since each of *names* was first seen; what is new begins now.

    :param gap: seconds after which what was not seen in between has begun anew.
    :returns: ``None`` where nothing can be remembered.
    """
    folder = _folder()
    if folder is None:
        return None
    path = folder / f"faults-{os.geteuid()}-{node.replace('/', '_')}.json"
    now = time.time()
    known = _read(path)
    seen: dict[str, tuple[float, float]] = {}
    for name in names:
        first, last = known.get(name, (now, now))
        again = first <= now and 0 <= now - last <= gap
        seen[name] = (first if again else now, now)
    if not _write(path, seen):
        return None
    return {name: now - first for name, (first, _) in seen.items()}


def _folder() -> Optional[Path]:
    """A folder that this user, and no stranger, may write to."""
    given = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    for place in (given, FOLDER):
        if place and Path(place).is_dir() and os.access(place, os.W_OK):
            return Path(place)
    # Whose it is, and who may write there, is looked at before it is used.
    own = Path(f"/var/tmp/check_mccluster-{os.geteuid()}")  # noqa: S108  # nosec B108
    with contextlib.suppress(OSError):
        own.mkdir(0o700)
    try:
        found = own.lstat()
    except OSError:
        return None
    mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return own if mine and not found.st_mode & 0o022 else None


def _read(path: Path) -> dict[str, tuple[float, float]]:
    """What was seen before; a file that is damaged remembers nothing."""
    try:
        with path.open(encoding="utf-8") as file:
            document = json.loads(file.read(LIMIT))
        return {str(name): (float(first), float(last)) for name, (first, last) in document.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _write(path: Path, seen: dict[str, tuple[float, float]]) -> bool:
    """Replace the file at once; several checks may run at a time."""
    try:
        number, temporary = tempfile.mkstemp(dir=path.parent)
    except OSError:
        return False
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            json.dump(seen, file)
        Path(temporary).replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        return False
    return True
