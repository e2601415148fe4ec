"""What another machine's tools printed: a snapshot, as a directory or an archive.

An archive may come from anywhere. It is never unpacked; what is in it is bounded before it is read,
and one that holds anything but plain files at their place is refused as a whole.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING, Any, Optional, Union

from .source import (
    AcquireError,
    Ending,
    OutputTooLarge,
    Run,
    SnapshotError,
    Source,
    Stream,
    ToolDenied,
    ToolMissing,
    ToolTimeout,
)
from .tools import Tool

if TYPE_CHECKING:  # most snapshots are folders, and tarfile is dear
    from .archive import Archive

ARCHIVE_ENDS = (".tar.gz", ".tgz")
META = "meta.json"
META_LIMIT = 2**20
STDERR_LIMIT = 64 * 2**10

DRBD_UTILS = "drbd-utils"
"""How drbd-utils is called among the ``tools`` of ``meta.json``."""

STREAM = "-"
"""Instead of a path: an archive from standard input, or to standard output."""

RC_WORDS: Mapping[str, type[AcquireError]] = {
    "timeout": ToolTimeout,
    "denied": ToolDenied,
    "too-large": OutputTooLarge,
}
"""What stands in ``NAME.rc`` instead of an exit code if the tool's answer could not be had."""

_OUTPUT = r"(crm|cib|drbd|corosync)[\w.-]*\.(xml|json|txt)"
"""How the files are called that hold what a tool printed."""


def _is_output(name: str) -> bool:
    return re.fullmatch(_OUTPUT, name) is not None


def is_known(name: str) -> bool:
    """Whether a file of this name belongs to a snapshot."""
    return name == META or _is_output(name.removesuffix(".rc").removesuffix(".err"))


def make_a_snapshot(names: Iterable[str]) -> bool:
    """Whether files of these names are a snapshot: one at least that a tool's output is in."""
    return any(name == META or _is_output(name) for name in names)


class Snapshot(Source):
    """A recorded node.

    Without ``meta.json`` the node is not known, and the newest file's date is taken for the time.

    :param path: a directory, or a gzipped tar archive with the files at its top or in one folder,
        or :data:`STREAM` for such an archive from standard input.
    :param patience: how long standard input may take to end, in seconds; ``None``: for ever.
    :raises SnapshotError: if it is none of these, or damaged, or no archive of plain files.
    """

    recorded = True

    def __init__(
        self,
        path: Union[str, os.PathLike[str]],
        patience: Optional[float] = None,
        data: Optional[bytes] = None,
    ) -> None:
        self._input = path == STREAM
        self._patience = patience
        self._data = data
        name = os.fspath(path)
        self._path = "standard input" if self._input else name.rstrip("/") or "/"
        self._runs: dict[Tool, Run] = {}
        self._cleanup = contextlib.ExitStack()
        try:
            with _readable(self._path):
                self._folder = self._open_folder()
                meta = self._beginning(META, META_LIMIT)
                self._meta = _meta(meta, self._path)
                self.time = self._meta.get("time") or self._folder.newest()
        except BaseException:
            self._cleanup.close()
            raise
        self.node = self._meta.get("node")

    @classmethod
    def of(cls, data: bytes, name: str) -> Snapshot:
        """An archive that arrived over a pipe, called *name* in messages.

        :raises SnapshotError: if it is none.
        """
        return cls(name, data=data)

    def prepare(self, tools: tuple[Tool, ...]) -> None:
        """Nothing to start."""

    def open(self, tool: Tool) -> Stream:
        """The recorded output.

        :raises AcquireError: if there is none, or there would be none because of the module.
        """
        command = f"read {self._path}/{tool.file}"
        self._runs[tool] = Run(command, "not recorded", None)
        if not self._folder.has(tool.file):
            raise ToolMissing(tool, self._missing(tool))
        self.demand_module(tool)
        with _readable(self._path):
            word = (self._beginning(f"{tool.file}.rc", 64) or b"0").decode(errors="replace")
            errors = self._beginning(f"{tool.file}.err", STDERR_LIMIT) or b""
            stderr = errors.decode(errors="replace")
            ending = _ending(tool, word.strip(), stderr, self._path)
            file = self._cleanup.enter_context(self._folder.open(tool.file))
        outcome = word.strip() if isinstance(ending, AcquireError) else f"exit {ending.exit_code}"
        self._runs[tool] = Run(command, outcome, None)
        return _RecordedStream(tool, file, ending, self._path)

    def _beginning(self, name: str, limit: int) -> Optional[bytes]:
        """The beginning of a file; ``None`` if there is none."""
        if not self._folder.has(name):
            return None
        with self._folder.open(name) as file:
            return file.read(limit)

    def has(self, tool: Tool) -> bool:
        """Whether the snapshot has a file of it."""
        return self._folder.has(tool.file)

    def wait(self, seconds: float) -> None:
        """Return at once: both readings are here already."""

    def drbd_module(self) -> tuple[bool, Optional[str]]:
        """What ``meta.json`` says of the kernel module, if it says so."""
        return "drbd_module" in self._meta, self._meta.get("drbd_module")

    def drbd_utils(self) -> Optional[str]:
        """What ``meta.json`` says among its ``tools``."""
        version: Optional[str] = self._meta.get("tools", {}).get(DRBD_UTILS)
        return version

    def expected_drbd_resources(self, tool: Tool) -> Optional[tuple[str, ...]]:
        """What ``meta.json`` says, if it says so."""
        return self._meta.get("expected_drbd_resources")

    def runs(self) -> tuple[Run, ...]:
        """The files read so far."""
        return tuple(self._runs.values())

    def close(self) -> None:
        """Close the files."""
        self._cleanup.close()

    def _open_folder(self) -> Union[_Directory, Archive]:
        folder: Union[_Directory, Archive]
        if self._data is None and not self._input and os.path.isdir(self._path):
            folder = _Directory(self._path)
        else:
            import io

            from .archive import Archive, standard_input

            if self._data is not None:
                folder = Archive(io.BytesIO(self._data), self._path)
            elif self._input:
                folder = Archive(io.BytesIO(standard_input(self._patience)), self._path)
            else:  # open as long as the snapshot
                folder = Archive(self._cleanup.enter_context(open(self._path, "rb")), self._path)  # noqa: SIM115
        if not folder.has(META) and not make_a_snapshot(folder.names()):
            why = f"no {META}, crm_mon.xml or other"
            if isinstance(folder, _Directory):
                why = _held(self._path) or why
            raise SnapshotError(f"{self._path} is not a snapshot: {why}")
        return folder

    def _missing(self, tool: Tool) -> str:
        if tool.again:
            return f"the snapshot has no second reading ({tool.file})"
        return f"{tool.name}: not in the snapshot (not installed there?)"


def _held(path: str) -> str:
    """Which snapshots a folder holds, or its folders do, in words; empty if there is none."""
    found = _snapshots_in(path)
    if found:
        return (
            f"it holds {_first(found)}: name one of them, or judge them together with"
            " 'check_mccluster cluster --from'"
        )
    found = [name for name in _names(path) if _snapshots_in(f"{path}/{name}")]
    return f"the snapshots are in its folders, {_first(found)}: name one of them" if found else ""


def _snapshots_in(path: str) -> list[str]:
    return [
        name
        for name in _names(path)
        if name.endswith(ARCHIVE_ENDS) or make_a_snapshot(_names(f"{path}/{name}"))
    ]


def _names(path: str) -> list[str]:
    """What a folder holds, in order; nothing where it is none or may not be read."""
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []


def _first(names: list[str], most: int = 6) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


class _Directory:
    def __init__(self, path: str) -> None:
        self._path = path

    def names(self) -> Iterator[str]:
        return (name for name in os.listdir(self._path) if self.has(name))

    def has(self, name: str) -> bool:
        return os.path.isfile(f"{self._path}/{name}")

    def open(self, name: str) -> IO[bytes]:
        return open(f"{self._path}/{name}", "rb")

    def newest(self) -> datetime:
        files = (f"{self._path}/{name}" for name in self.names() if is_known(name))
        return date(max(map(os.path.getmtime, files)))


class _RecordedStream(Stream):
    def __init__(
        self, tool: Tool, file: IO[bytes], ending: Union[Ending, AcquireError], path: str
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


def _ending(tool: Tool, word: str, stderr: str, path: str) -> Union[Ending, AcquireError]:
    if word in RC_WORDS:
        default = f"{tool.command}: {word} when the snapshot was taken"
        return RC_WORDS[word](tool, " ".join(stderr.split()) or default)
    try:
        return Ending(int(word), stderr)
    except ValueError:
        raise SnapshotError(f"{path}: {tool.file}.rc is not an exit code: {word[:20]!r}") from None


def _meta(data: Optional[bytes], path: str) -> dict[str, Any]:
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


def _versions(key: str, value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError(f"{key} is not an object")
    return {name: _word(f"{key}.{name}", version) for name, version in value.items()}


_META_KEYS = {
    "node": _word,
    "time": _time,
    "expected_drbd_resources": _words,
    "drbd_module": _word_or_null,
    "tools": _versions,
}


def date(seconds: float) -> datetime:
    """A file's time, in whole seconds, UTC."""
    return datetime.fromtimestamp(int(seconds), timezone.utc)


@contextlib.contextmanager
def _readable(path: str) -> Iterator[None]:
    """Whatever a file or an archive can be wrong in, as one line.

    :raises SnapshotError: instead of what the libraries raise.
    """
    try:
        yield
    except (AcquireError, SnapshotError):
        raise
    except Exception as error:
        # RecursionError: a header after a header after a header
        known = (OSError, EOFError, ValueError, OverflowError, RecursionError)
        if not isinstance(error, known) and type(error).__module__ not in _OF_ARCHIVES:
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise SnapshotError(f"cannot read {path}: {reason}") from error


_OF_ARCHIVES = frozenset({"zlib", "tarfile"})
"""Modules whose errors mean a damaged archive; they are loaded only where there is one."""
