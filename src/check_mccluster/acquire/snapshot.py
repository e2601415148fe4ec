"""What another machine's tools printed: a snapshot, as a directory or an archive.

An archive may come from anywhere. It is never unpacked; what is in it is bounded before it is read,
and one that holds anything but plain files at their place is refused as a whole.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import select
import tarfile
import time
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from typing import IO, Any, Optional, Union, cast

from .source import (
    AcquireError,
    Ending,
    OutputTooLarge,
    Run,
    Source,
    Stream,
    ToolDenied,
    ToolMissing,
    ToolTimeout,
)
from .tools import Tool

META = "meta.json"
META_LIMIT = 2**20
STDERR_LIMIT = 64 * 2**10

STREAM = "-"
"""Instead of a path: an archive from standard input, or to standard output."""

PACKED_LIMIT = 64 * 2**20
"""The most that is read from standard input, in bytes."""
UNPACKED_LIMIT = 512 * 2**20
"""The most that an archive may unpack to, in bytes: a few of them can stand for any number."""
HEADER_LIMIT = 2**20
"""The most that is read at once to find out what is in an archive, in bytes."""
MEMBER_LIMIT = 256
"""The most entries of an archive."""

RC_WORDS: Mapping[str, type[AcquireError]] = {
    "timeout": ToolTimeout,
    "denied": ToolDenied,
    "too-large": OutputTooLarge,
}
"""What stands in ``NAME.rc`` instead of an exit code if the tool's answer could not be had."""

_OUTPUT = re.compile(r"(crm|cib|drbd|corosync)[\w.-]*\.(xml|json|txt)")
"""How the files are called that hold what a tool printed."""


def _is_output(name: str) -> bool:
    return _OUTPUT.fullmatch(name) is not None


def _is_known(name: str) -> bool:
    """Whether a file of this name belongs to a snapshot."""
    return name == META or _is_output(name.removesuffix(".rc").removesuffix(".err"))


class SnapshotError(Exception):
    """The snapshot cannot be read at all. The message is one line for an operator."""


class Snapshot(Source):
    """A recorded node.

    Without ``meta.json`` the node is not known, and the newest file's date is taken for the time.

    :param path: a directory, or a gzipped tar archive with the files at its top or in one folder,
        or :data:`STREAM` for such an archive from standard input.
    :param patience: how long standard input may take to end, in seconds; ``None``: for ever.
    :raises SnapshotError: if it is none of these, or damaged, or no archive of plain files.
    """

    recorded = True

    def __init__(self, path: Union[str, Path], patience: Optional[float] = None) -> None:
        self._input = path == STREAM
        self._patience = patience
        self._path = Path("standard input" if self._input else path)
        self._runs: dict[Tool, Run] = {}
        self._cleanup = contextlib.ExitStack()
        try:
            with _readable(self._path):
                self._folder = self._open_folder()
                meta = self._folder.read(META, META_LIMIT)
                newest = self._folder.newest()
            self._meta = _meta(meta, self._path)
        except BaseException:
            self._cleanup.close()
            raise
        self.node = self._meta.get("node")
        self.time = self._meta.get("time", newest)

    def prepare(self, tools: tuple[Tool, ...]) -> None:
        """Nothing to start."""

    def open(self, tool: Tool) -> Stream:
        """The recorded output.

        :raises AcquireError: if there is none, or there would be none because of the module.
        """
        command = f"read {self._path / tool.file}"
        self._runs[tool] = Run(command, "not recorded", None)
        if not self._folder.has(tool.file):
            raise ToolMissing(tool, self._missing(tool))
        self.demand_module(tool)
        with _readable(self._path):
            word = (self._folder.read(f"{tool.file}.rc", 64) or b"0").decode(errors="replace")
            errors = self._folder.read(f"{tool.file}.err", STDERR_LIMIT) or b""
            stderr = errors.decode(errors="replace")
            ending = _ending(tool, word.strip(), stderr, self._path)
            file = self._cleanup.enter_context(self._folder.open(tool.file))
        outcome = word.strip() if isinstance(ending, AcquireError) else f"exit {ending.exit_code}"
        self._runs[tool] = Run(command, outcome, None)
        return _RecordedStream(tool, file, ending, self._path)

    def wait(self, seconds: float) -> None:
        """Return at once: both readings are here already."""

    def drbd_module(self) -> tuple[bool, Optional[str]]:
        """What ``meta.json`` says of the kernel module, if it says so."""
        return "drbd_module" in self._meta, self._meta.get("drbd_module")

    def expected_drbd_resources(self, tool: Tool) -> Optional[tuple[str, ...]]:
        """What ``meta.json`` says, if it says so."""
        return self._meta.get("expected_drbd_resources")

    def runs(self) -> tuple[Run, ...]:
        """The files read so far."""
        return tuple(self._runs.values())

    def close(self) -> None:
        """Close the files."""
        self._cleanup.close()

    def _open_folder(self) -> Union[_Directory, _Archive]:
        folder: Union[_Directory, _Archive]
        if self._input:
            folder = _Archive(io.BytesIO(_standard_input(self._patience)), self._path)
        elif self._path.is_dir():
            folder = _Directory(self._path)
        else:
            # Open as long as the snapshot.
            folder = _Archive(self._cleanup.enter_context(self._path.open("rb")), self._path)
        if not any(name == META or _is_output(name) for name in folder.names()):
            raise SnapshotError(f"{self._path} is not a snapshot: no {META}, crm_mon.xml or other")
        return folder

    def _missing(self, tool: Tool) -> str:
        if tool.again:
            return f"the snapshot has no second reading ({tool.file})"
        return f"{tool.name} is not installed (no {tool.file} in the snapshot)"


class _Directory:
    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> Iterator[str]:
        return (path.name for path in self._path.iterdir() if path.is_file())

    def has(self, name: str) -> bool:
        return (self._path / name).is_file()

    def open(self, name: str) -> IO[bytes]:
        return (self._path / name).open("rb")

    def read(self, name: str, limit: int) -> Optional[bytes]:
        if not self.has(name):
            return None
        with self.open(name) as file:
            return file.read(limit)

    def newest(self) -> datetime:
        files = (self._path / name for name in self.names() if _is_known(name))
        return _date(max(file.stat().st_mtime for file in files))


class _Archive:
    """The files of a snapshot at the top of an archive or in its one folder; never unpacked."""

    def __init__(self, packed: IO[bytes], path: Path) -> None:
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
            if member.isdir() or len(name.parts) > 2 or not _is_known(name.name):
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
            raise SnapshotError(f"{self._path}: {shown} is no plain file (a link, a device, ...)")
        return name

    def names(self) -> Iterator[str]:
        return iter(self._members)

    def has(self, name: str) -> bool:
        return name in self._members

    def open(self, name: str) -> IO[bytes]:
        file = self._archive.extractfile(self._members[name])
        assert file is not None  # noqa: S101 - only regular files are kept
        return file

    def read(self, name: str, limit: int) -> Optional[bytes]:
        if not self.has(name):
            return None
        with self.open(name) as file:
            return file.read(limit)

    def newest(self) -> datetime:
        return _date(max(member.mtime for member in self._members.values()))


class _Unpacked:
    """What a gzipped file holds, up to a limit; for tarfile, which reads, seeks and tells.

    :param packed: the gzipped file.
    """

    def __init__(self, packed: IO[bytes], path: Path) -> None:
        import gzip

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


def _standard_input(patience: Optional[float]) -> bytes:
    """All of it.

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


class _RecordedStream(Stream):
    def __init__(
        self, tool: Tool, file: IO[bytes], ending: Union[Ending, AcquireError], path: Path
    ) -> None:
        self._tool = tool
        self._file = file
        self._ending = ending
        self._path = path
        self._left = tool.limit

    def read(self, size: int = -1) -> bytes:
        if isinstance(self._ending, AcquireError):
            raise self._ending
        with _readable(self._path):
            data = self._file.read(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            limit = f"{self._tool.limit / 2**20:g} MiB"
            raise OutputTooLarge(self._tool, f"{self._tool.file} is larger than {limit}")
        return data

    def finish(self) -> Ending:
        if isinstance(self._ending, AcquireError):
            raise self._ending
        return self._ending


def _ending(tool: Tool, word: str, stderr: str, path: Path) -> Union[Ending, AcquireError]:
    if word in RC_WORDS:
        default = f"{tool.command}: {word} when the snapshot was taken"
        return RC_WORDS[word](tool, " ".join(stderr.split()) or default)
    try:
        return Ending(int(word), stderr)
    except ValueError:
        raise SnapshotError(f"{path}: {tool.file}.rc is not an exit code: {word[:20]!r}") from None


def _meta(data: Optional[bytes], path: Path) -> dict[str, Any]:
    """The known keys of ``meta.json`` that are there, as the values that :class:`Source` gives."""
    if data is None:
        return {}
    try:
        raw = json.loads(data)
        if not isinstance(raw, dict):
            raise ValueError("not a JSON object")
        return {key: convert(key, raw[key]) for key, convert in _META_KEYS.items() if key in raw}
    except (ValueError, RecursionError) as error:
        raise SnapshotError(f"{path}: {META}: {error}") from None


def _word(key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} is not a text")
    return value


def _word_or_null(key: str, value: object) -> Optional[str]:
    return None if value is None else _word(key, value)


def _words(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{key} is not a list")
    return tuple(_word(f"an entry of {key}", word) for word in value)


def _time(key: str, value: object) -> datetime:
    text = _word(key, value)
    # datetime.fromisoformat() knows no "Z" before Python 3.11.
    time = datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith("Z") else text)
    if time.tzinfo is None:
        raise ValueError(f"{key} has no time zone: {text!r}")
    return time.astimezone(timezone.utc)


_META_KEYS = {
    "node": _word,
    "time": _time,
    "expected_drbd_resources": _words,
    "drbd_module": _word_or_null,
}


def _date(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), timezone.utc)


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Whatever a file or an archive can be wrong in, as one line.

    :raises SnapshotError: instead of what the libraries raise.
    """
    try:
        yield
    except (
        OSError,
        EOFError,
        ValueError,
        OverflowError,
        RecursionError,  # a header after a header after a header
        zlib.error,
        tarfile.TarError,
    ) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise SnapshotError(f"cannot read {path}: {reason}") from error
