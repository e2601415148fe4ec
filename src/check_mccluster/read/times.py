"""Times as Pacemaker's tools print them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Optional

ISO_TIME = (
    r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?: ?(?P<zone>Z|[+-]\d\d:?\d\d))?"
)
C_TIME = r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d) (\d{4})"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def time_of(words: Optional[str]) -> Optional[datetime]:
    """A time: ``2026-11-22 09:02:55Z`` (aware), or ctime of up to 2.0.2 (naive, local).

    ``strptime`` would read the month's name in the language of this process.
    """
    if words is None:
        return None
    try:
        iso = re.fullmatch(ISO_TIME, words)
        if iso:
            year, month, day, hour, minute, second = map(int, iso.groups()[:6])
            return datetime(year, month, day, hour, minute, second, tzinfo=_zone(iso["zone"]))
        ctime = re.fullmatch(C_TIME, words)
        if ctime:
            day, hour, minute, second, year = map(int, ctime.groups()[1:])
            return datetime(year, MONTHS.index(ctime[1]) + 1, day, hour, minute, second)
    except ValueError:  # a 32nd, a 25th hour, an unknown month
        return None
    return None


def _zone(words: Optional[str]) -> Optional[timezone]:
    if words is None:
        return None
    if words == "Z":
        return timezone.utc
    offset = timedelta(hours=int(words[1:3]), minutes=int(words[-2:]))
    return timezone(-offset if words[0] == "-" else offset)
