"""An archive that may come from anywhere: bounded before it is read, and never unpacked.

One that holds anything but plain files at their place is refused as a whole.
"""

from __future__ import annotations

import gzip
import os
import select
import tarfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import IO, Optional, cast

from .snapshot import date, is_known
from .source import SnapshotError

PACKED_LIMIT = 64 * 2**20
"""The most that is read from standard input, in bytes."""
UNPACKED_LIMIT = 512 * 2**20
"""The most that an archive may unpack to, in bytes: a few of them can stand for any number."""
HEADER_LIMIT = 2**20
"""The most that is read at once to find out what is in an archive, in bytes."""
MEMBER_LIMIT = 256
"""The most entries of an archive."""


class Archive:
    """The files of a snapshot at the top of an archive or in its one folder; never unpacked."""

    def __init__(self, packed: IO[bytes], path: str) -> None:
        self._path = path
        self._members: dict[str, tarfile.TarInfo] = {}
        unpacked = _Unpacked(packed, path)
        # typeshed wants all of IO; tarfile reads, seeks and tells.
        self._archive = tarfile.open(fileobj=cast("IO[bytes]", unpacked), mode="r:")  # noqa: SIM115
        folders = set()
        for count, member in enumerate(self._archive, 1):
            if count > MEMBER_LIMIT:
                raise SnapshotError(f"{path} holds more than {MEMBER_LIMIT} files")
            name = self._plain(member)
            if member.isdir() or len(name.parts) > 2 or not is_known(name.name):
                continue
            if name.name in self._members and str(name.parent) in folders:
                raise SnapshotError(f"{path} holds {name} more than once")
            folders.add(str(name.parent))
            self._members[name.name] = member
        while unpacked.read(2**16):
            pass  # to the end, where the checksum is
        unpacked.largest = UNPACKED_LIMIT
        if len(folders) > 1:
            names = ", ".join(sorted(folders))
            raise SnapshotError(f"{path} holds several snapshots ({names}): unpack it, name one")

    def _plain(self, member: tarfile.TarInfo) -> PurePosixPath:
        """The name of a file or folder.

        :raises SnapshotError: for everything else, and for a name that leads elsewhere.
        """
        name = PurePosixPath(member.name)
        shown = ascii(member.name[:80])
        if name.is_absolute() or ".." in name.parts:
            raise SnapshotError(f"{self._path}: {shown} leads out of the archive")
        if not (member.isdir() or (member.isreg() and not member.issparse())):
            raise SnapshotError(
                f"{self._path}: {shown} is not a plain file (a link, a device, ...)"
            )
        return name

    def names(self) -> Iterator[str]:
        """Names of the files that belong to a snapshot."""
        return iter(self._members)

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return name in self._members

    def open(self, name: str) -> IO[bytes]:
        """The file, to be read once."""
        file = self._archive.extractfile(self._members[name])
        assert file is not None  # noqa: S101 - only regular files are kept
        return file

    def newest(self) -> datetime:
        """The date of the newest file."""
        return date(max(member.mtime for member in self._members.values()))


class _Unpacked:
    """What a gzipped file holds, up to a limit; for tarfile, which reads, seeks and tells.

    :param packed: the gzipped file.
    """

    def __init__(self, packed: IO[bytes], path: str) -> None:
        self._file = gzip.GzipFile(fileobj=packed, mode="rb")
        self._path = path
        self.largest = HEADER_LIMIT
        """The most that may be asked for at once. tarfile takes a header's word for its size."""

    def read(self, size: int) -> bytes:
        self._demand(self._file.tell() + min(size, self.largest))
        if size > self.largest:
            raise SnapshotError(f"{self._path}: a header of {size} bytes")
        return self._file.read(size)

    def seek(self, position: int) -> int:
        self._demand(position)
        return self._file.seek(position)

    def tell(self) -> int:
        return self._file.tell()

    def _demand(self, position: int) -> None:
        if position > UNPACKED_LIMIT:
            limit = f"{UNPACKED_LIMIT / 2**20:g} MiB"
            raise SnapshotError(f"{self._path} unpacks to more than {limit}")


def standard_input(patience: Optional[float]) -> bytes:
    """All of it.

    :param patience: seconds that it may take; ``None``: for ever.
    :raises SnapshotError: if it is too much, takes too long, or is not there.
    """
    if os.isatty(0):
        raise SnapshotError("standard input is a terminal: pipe a snapshot's archive into it")
    data = bytearray()
    deadline = None if patience is None else time.monotonic() + patience
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not select.select([0], [], [], left)[0]:
            raise SnapshotError(f"standard input did not end within {patience:g} s")
        chunk = os.read(0, 2**16)
        if not chunk:
            break
        data += chunk
        if len(data) > PACKED_LIMIT:
            raise SnapshotError(f"standard input is larger than {PACKED_LIMIT / 2**20:g} MiB")
    if not data:
        raise SnapshotError("standard input is empty: see what the command before it says")
    return bytes(data)
