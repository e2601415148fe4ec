"""Whether a process still runs."""

from __future__ import annotations

import time
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether it runs; a zombie that some other parent has yet to reap does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def gone(pid: int) -> bool:
    """Whether it is gone, or soon: who was killed may need its turn on a busy machine."""
    for _ in range(500):
        if not alive(pid):
            return True
        time.sleep(0.01)
    return False
