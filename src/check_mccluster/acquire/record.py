"""Writes a snapshot: what the tools of a machine print, without the secrets."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Optional

from ..values import NamedTuple
from .redact import remove_said, remove_secrets
from .snapshot import ARCHIVE_ENDS, DRBD_UTILS, META, RC_WORDS, STREAM
from .source import AcquireError, ModuleUnfit, Source, ToolMissing
from .tools import Tool


class RecordError(Exception):
    """The snapshot cannot be written. The message is one line for an operator."""


class Plan(NamedTuple):
    """What is to be recorded.

    :param tools: in this order. :param again: the second readings, after all others.
    :param resources: the tool that prints which DRBD resources are configured here.
    :param utils: the tool that prints the version of drbd-utils.
    :param follow: from what was printed, by the names of the files, to tools that are run on it:
        each with what it reads from its standard input.
    """

    tools: tuple[Tool, ...]
    again: tuple[Tool, ...]
    resources: Tool
    utils: Optional[Tool] = None
    follow: Callable[[Mapping[str, bytes]], Sequence[tuple[Tool, bytes]]] = lambda _: ()


class Recorded(NamedTuple):
    """What became of one tool.

    :param outcome: ``exit 0``, ``timeout``, ``not run: …``; without a file, why there is none.
    :param size: of its file in bytes; ``None`` if there is no file.
    """

    tool: Tool
    outcome: str
    size: Optional[int]


def record(
    source: Source, plan: Plan, target: str, *, version: str, sample: Optional[float] = None
) -> tuple[Recorded, ...]:
    """Write what the tools of *source* print to *target*, readable by its owner only.

    :param target: a directory, which must not exist or be empty; or an archive, ``….tar.gz`` or
        ``….tgz``, which appears when it is complete and replaces an older one; or
        :data:`~check_mccluster.acquire.snapshot.STREAM` for an archive on standard output.
    :param version: this program's version, for ``meta.json``.
    :param sample: read DRBD's status a second time, after so many seconds.
    :returns: what became of each tool.
    :raises RecordError: if it cannot be written.
    """
    done: list[Recorded] = []
    files = _files(source, plan, version, sample, done)
    try:
        if target == STREAM:
            target = "standard output"
            _write_stream(files, source)
        elif target.endswith(ARCHIVE_ENDS):
            _write_archive(Path(target), files, source.time.timestamp())
        else:
            _write_directory(Path(target), files)
    except OSError as error:
        raise RecordError(f"cannot write {target}: {error.strerror or error}") from error
    return tuple(done)


def _files(
    source: Source, plan: Plan, version: str, sample: Optional[float], done: list[Recorded]
) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files of a snapshot, in the order in which they are to be had."""
    source.prepare((*plan.tools, plan.resources))
    if plan.utils is not None:
        source.ask_drbd_utils(plan.utils)
    outputs: dict[str, bytes] = {}
    for tool in plan.tools:
        yield from _tool_files(source, tool, done, outputs)
    yield from _follow(source, plan, outputs, done)
    outputs.clear()
    if sample is not None:
        source.wait(sample)
        for tool in plan.again:
            yield from _tool_files(source, tool, done)
    yield META, (json.dumps(_meta(source, plan, version), indent=2) + "\n").encode()


AT_ONCE = 4
"""So many of the tools that follow run at the same time."""


def _follow(
    source: Source, plan: Plan, outputs: Mapping[str, bytes], done: list[Recorded]
) -> Iterator[tuple[str, bytes]]:
    """The tools that are run on what others printed; one that is not installed is told once."""
    following = plan.follow(outputs)
    for tool, data in following:
        source.give(tool, data)
    for position, (tool, _) in enumerate(following):
        source.prepare(tuple(each for each, _ in following[position : position + AT_ONCE]))
        yield from _tool_files(source, tool, done)
        if done[-1].size is None:
            if not source.recorded:
                return
            done.pop()  # that loss was not simulated then


def _tool_files(
    source: Source,
    tool: Tool,
    done: list[Recorded],
    outputs: Optional[dict[str, bytes]] = None,
) -> Iterator[tuple[str, bytes]]:
    output, code, errors = b"", "0", ""
    outcome = ""
    try:
        stream = source.open(tool)
        output = stream.read()
        ending = stream.finish()
        code, errors = str(ending.exit_code), ending.stderr
    except ToolMissing as error:
        done.append(Recorded(tool, error.detail, None))
        return  # no file says so
    except ModuleUnfit as error:
        outcome = f"not run: {error.detail}"
        errors = f"not run: {error.detail}\n"  # meta.json says why, and so will the snapshot
    except AcquireError as error:
        words = [word for word, kind in RC_WORDS.items() if isinstance(error, kind)]
        output, code, errors = b"", words[0], f"{error.detail}\n"
        outcome = words[0]
    if outputs is not None:
        outputs[tool.file] = output
    output = remove_secrets(tool, output)
    done.append(Recorded(tool, outcome or f"exit {code}", len(output)))
    yield tool.file, output
    if code != "0":
        yield f"{tool.file}.rc", f"{code}\n".encode()
    if errors:
        yield f"{tool.file}.err", remove_said(errors).encode()


def _meta(source: Source, plan: Plan, version: str) -> dict[str, Any]:
    meta: dict[str, Any] = {"time": source.time.strftime("%Y-%m-%dT%H:%M:%SZ")}
    if source.node is not None:
        meta = {"node": source.node, **meta}
    resources = source.expected_drbd_resources(plan.resources)
    if resources is not None:
        meta["expected_drbd_resources"] = list(resources)
    known, module = source.drbd_module()
    if known:
        meta["drbd_module"] = module
    utils = source.drbd_utils()
    meta["tools"] = {"check_mccluster": version, **({DRBD_UTILS: utils} if utils else {})}
    return meta


def _write_directory(target: Path, files: Iterator[tuple[str, bytes]]) -> None:
    try:
        target.mkdir(mode=0o700)
    except FileExistsError:
        if not target.is_dir() or any(target.iterdir()):
            raise RecordError(f"{target} exists and is not an empty directory") from None
    folder = _own_directory(target)
    try:
        for name, content in files:
            # By its descriptor: the name may lead elsewhere by now.
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(name, flags, 0o600, dir_fd=folder), "wb") as file:
                file.write(content)
    finally:
        os.close(folder)


def _own_directory(target: Path) -> int:
    """A descriptor of a directory that is ours, and that nobody else may write to.

    :raises RecordError: for a link, and for a directory of somebody else.
    """
    try:
        folder = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise RecordError(f"{target} is a link, and could lead anywhere") from None
        raise
    found = os.fstat(folder)
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        os.close(folder)
        raise RecordError(f"{target} is somebody else's directory, or others may write to it")
    return folder


def _write_archive(target: Path, files: Iterator[tuple[str, bytes]], time: float) -> None:
    folder = target.name.removesuffix(".tar.gz").removesuffix(".tgz").strip(".") or "snapshot"
    # Beside the target, so that it can be renamed; only its owner may read it.
    descriptor, unfinished = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            _pack(file, folder, files, time)
        Path(unfinished).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(unfinished).unlink()
        raise


def _write_stream(files: Iterator[tuple[str, bytes]], source: Source) -> None:
    """All at once at the end: half an archive is worth nothing."""
    packed = io.BytesIO()
    folder = re.sub(r"[^A-Za-z0-9._-]", "_", source.node or "").lstrip(".-") or "snapshot"
    _pack(packed, folder, files, source.time.timestamp())
    left = packed.getbuffer()
    while left:
        left = left[os.write(1, left) :]


def _pack(file: IO[bytes], folder: str, files: Iterator[tuple[str, bytes]], time: float) -> None:
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in files:
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size, member.mtime, member.mode = len(content), int(time), 0o600
            archive.addfile(member, io.BytesIO(content))
