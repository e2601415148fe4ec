"""``--state DIR``: when each finding was first seen, kept from run to run in a file.

nagiosplugin's Cookie reads, locks and writes it. Whatever is wrong with the file costs a word in
the text; the verdict is made without it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import time
import zlib
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Optional

from ..verdict.finding import Report
from ..verdict.problems import KINDS
from ..verdict.view import name_of

FORMAT = "check_mccluster since 1"
"""Stands in every file of ours; one without it is somebody else's, and left alone."""
_WRITTEN = "%Y-%m-%dT%H:%M:%SZ"


class Memory:
    """What one check remembers of what it was asked.

    :param folder: of ``--state``; it must exist.
    :param asked: the words that make two calls of a check two questions.
    """

    def __init__(self, folder: str, check: str, asked: object) -> None:
        mark = zlib.crc32(repr(asked).encode())
        self.path = Path(folder) / f"{check}-{mark:08x}.json"
        self.trouble = ""

    def since(self) -> Mapping[str, datetime]:
        """When each finding was first seen; empty if nothing is known."""
        data = self._with_cookie(dict)
        found: dict[str, datetime] = {}
        times = data.get("since") if data is not None else None
        for name, text in times.items() if isinstance(times, dict) else ():
            try:
                when = datetime.strptime(text, _WRITTEN)
            except (TypeError, ValueError):
                continue
            found[name] = when.replace(tzinfo=timezone.utc)
        return found

    def keep(self, report: Report, before: Mapping[str, datetime], now: datetime) -> None:
        """Write down what is there now. What cannot be seen while a tool fails is not forgotten."""
        kept = {name_of(each): now for each in report.findings}
        blind = any(each.kind in KINDS for each in report.findings)
        for name, when in before.items():
            if name in kept or blind:
                kept[name] = min(when, now)
        since = {name: when.strftime(_WRITTEN) for name, when in sorted(kept.items())}

        def write(cookie: Any) -> None:
            cookie.clear()
            cookie.update(format=FORMAT, since=since)
            cookie.commit()

        if not self.trouble:
            self._with_cookie(write)

    def _with_cookie(self, use: Any) -> Optional[Any]:
        from nagiosplugin import Cookie

        try:
            self._demand_ours()
            cookie = Cookie(str(self.path))
            try:
                cookie.open()
                return use(cookie)
            finally:
                cookie.close()
        except OSError as error:
            self.trouble = f"{self.path}: {error.strerror or error}"
        except (ValueError, RecursionError) as error:
            self.trouble = f"{self.path}: {error}"
        return None

    def _demand_ours(self) -> None:
        """Cookie empties what it cannot read, follows links, and waits for a lock for ever.

        :raises ValueError: if the file is not ours, or in use. :raises OSError: if it cannot be
            opened to be written.
        """
        try:
            found = os.lstat(self.path)
        except FileNotFoundError:
            return
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise ValueError("not a file of this user")
        if found.st_size > _LARGEST:
            raise ValueError("too large")
        with self.path.open("r+b") as file:
            if not _locked(file.fileno()):
                raise ValueError("in use")
            text = file.read()
        if not text:
            return
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise ValueError("not written by check_mccluster, or damaged; remove it")


def _locked(file: int) -> bool:
    """Lock it; two runs of one check at once, as of two monitoring servers, wait for each other."""
    for pause in (0.02, 0.1, 0.3):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(pause)
    return False


_LARGEST = 4 * 2**20
