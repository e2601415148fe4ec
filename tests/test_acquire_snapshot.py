"""Snapshot: recorded nodes, as directories and as archives. All input here is constructed."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import tarfile
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from build_tools import CFGTOOL, CIB, CRM_MON, DRBD_RESOURCES, DRBD_STATUS, DRBD_STATUS_AGAIN
from check_mccluster.acquire.snapshot import Snapshot, SnapshotError
from check_mccluster.acquire.source import (
    Ending,
    ModuleUnfit,
    OutputTooLarge,
    Run,
    ToolDenied,
    ToolMissing,
    ToolTimeout,
)
from check_mccluster.acquire.tools import Tool

META = {"node": "app01", "time": "2026-11-22T09:00:46Z", "expected_drbd_resources": ["r0"]}
FILES = {
    "crm_mon.xml": b"<crm_mon/>\n",
    "crm_mon.xml.rc": b"102\n",
    "crm_mon.xml.err": b"Not connected\n",
    "drbd-status.json": b"[\n]\n",
    "meta.json": json.dumps(META).encode(),
}
TIME = datetime(2026, 11, 22, 9, 0, 46, tzinfo=timezone.utc)


def directory(path: Path, files: dict[str, bytes]) -> Path:
    path.mkdir(exist_ok=True)
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


def archive(path: Path, files: dict[str, bytes], mtime: int = 0) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mtime = mtime
            tar.addfile(member, io.BytesIO(content))
    return path


def in_directory(path: Path, files: dict[str, bytes]) -> Path:
    return directory(path / "app01", files)


def at_the_top(path: Path, files: dict[str, bytes]) -> Path:
    return archive(path / "app01.tar.gz", files)


def at_the_top_with_dots(path: Path, files: dict[str, bytes]) -> Path:
    return archive(path / "app01.tgz", {f"./{name}": text for name, text in files.items()})


def in_one_folder(path: Path, files: dict[str, bytes]) -> Path:
    return archive(path / "app01.tgz", {f"app01/{name}": text for name, text in files.items()})


@pytest.fixture(params=[in_directory, at_the_top, at_the_top_with_dots, in_one_folder])
def recorded(request, tmp_path):
    """Makes a snapshot of the given files, in every form there is."""
    return lambda files: request.param(tmp_path, files)


def test_what_was_recorded_is_read_back(recorded):
    path = recorded(FILES)
    with Snapshot(path) as snapshot:
        snapshot.prepare((CRM_MON, CIB))
        snapshot.wait(3600)
        assert (snapshot.node, snapshot.time, snapshot.recorded) == ("app01", TIME, True)
        assert snapshot.expected_drbd_resources(DRBD_RESOURCES) == ("r0",)
        assert snapshot.drbd_module() == (False, None)
        stream = snapshot.open(CRM_MON)
        assert (stream.read(4), stream.read(), stream.read()) == (b"<crm", b"_mon/>\n", b"")
        assert stream.finish() == Ending(102, "Not connected\n")
        stream = snapshot.open(DRBD_STATUS)
        assert stream.finish() == Ending(0, "")
        assert snapshot.runs() == (
            Run(f"read {path}/crm_mon.xml", "exit 102", None),
            Run(f"read {path}/drbd-status.json", "exit 0", None),
        )


def test_a_tool_without_a_file_was_not_installed(recorded):
    path = recorded(FILES)
    with Snapshot(path) as snapshot:
        with pytest.raises(ToolMissing) as error:
            snapshot.open(CIB)
        assert error.value.detail == "cibadmin: not in the snapshot (not installed there?)"
        assert snapshot.runs() == (Run(f"read {path}/cib.xml", "not recorded", None),)


def test_a_second_reading_is_optional(recorded):
    with Snapshot(recorded(FILES)) as snapshot, pytest.raises(ToolMissing) as error:
        snapshot.open(DRBD_STATUS_AGAIN)
    assert error.value.detail == "the snapshot has no second reading (drbd-status.2.json)"


def test_two_readings(recorded):
    with Snapshot(recorded({**FILES, "drbd-status.2.json": b"[2]"})) as snapshot:
        assert snapshot.open(DRBD_STATUS).read() == b"[\n]\n"
        assert snapshot.open(DRBD_STATUS_AGAIN).read() == b"[2]"


@pytest.mark.parametrize(
    ("word", "kind", "text"),
    [
        (b"timeout\n", ToolTimeout, "crm_mon -r -1 -X: timeout when the snapshot was taken"),
        (b"denied\n", ToolDenied, "crm_mon -r -1 -X: denied when the snapshot was taken"),
        (b"too-large", OutputTooLarge, "crm_mon -r -1 -X: too-large when the snapshot was taken"),
    ],
)
def test_an_answer_that_was_not_had_is_not_had_again(recorded, word, kind, text):
    files = {"crm_mon.xml": b"", "crm_mon.xml.rc": word}
    with Snapshot(recorded(files)) as snapshot:
        stream = snapshot.open(CRM_MON)
        with pytest.raises(kind) as error:
            stream.read()
        assert error.value.detail == text
        with pytest.raises(kind):
            stream.finish()
        assert snapshot.runs()[0].outcome == word.decode().strip()


def test_the_recorded_reason_is_told(recorded):
    files = {
        "crm_mon.xml": b"",
        "crm_mon.xml.rc": b"timeout",
        "crm_mon.xml.err": b"no answer\nwithin 8 s\n",
    }
    with Snapshot(recorded(files)) as snapshot:
        stream = snapshot.open(CRM_MON)
        with pytest.raises(ToolTimeout, match=r"^no answer within 8 s$"):
            stream.read()


def test_an_exit_code_that_is_none_makes_the_snapshot_bad(recorded):
    path = recorded({**FILES, "crm_mon.xml.rc": b"zero"})
    with Snapshot(path) as snapshot, pytest.raises(SnapshotError) as error:
        snapshot.open(CRM_MON)
    assert str(error.value) == f"{path}: crm_mon.xml.rc is not an exit code: 'zero'"


def test_a_file_larger_than_the_tools_limit_is_refused(recorded):
    tool = Tool("crm_mon", (), "crm_mon.xml", limit=2**20)
    with Snapshot(recorded({"crm_mon.xml": bytes(2**20 + 1)})) as snapshot:
        stream = snapshot.open(tool)
        with pytest.raises(OutputTooLarge, match=r"^crm_mon\.xml is larger than 1 MiB$"):
            stream.read()
    with Snapshot(recorded({"crm_mon.xml": bytes(2**20)})) as snapshot:
        assert len(snapshot.open(tool).read()) == 2**20


def test_binary_rubbish_is_passed_on(recorded):
    files = {"crm_mon.xml": bytes(range(256)), "crm_mon.xml.err": b"\xff"}
    with Snapshot(recorded(files)) as snapshot:
        stream = snapshot.open(CRM_MON)
        assert stream.read() == bytes(range(256))
        assert stream.finish() == Ending(0, "\ufffd")


def with_meta(**changes: object) -> dict[str, bytes]:
    return {**FILES, "meta.json": json.dumps({**META, **changes}).encode()}


def test_a_module_that_was_not_loaded(recorded):
    with Snapshot(recorded(with_meta(drbd_module=None))) as snapshot:
        assert snapshot.drbd_module() == (True, None)
        with pytest.raises(ModuleUnfit, match=r"^the DRBD kernel module is not loaded$"):
            snapshot.open(DRBD_STATUS)


def test_a_module_of_the_kernels_own(recorded):
    with Snapshot(recorded(with_meta(drbd_module="8.4.11"))) as snapshot:
        assert snapshot.drbd_module() == (True, "8.4.11")
        with pytest.raises(ModuleUnfit, match=r"8\.4\.11, the kernel's own"):
            snapshot.open(DRBD_STATUS)


def test_a_module_of_drbd_9(recorded):
    with Snapshot(recorded(with_meta(drbd_module="9.2.18"))) as snapshot:
        assert snapshot.drbd_module() == (True, "9.2.18")
        assert snapshot.open(DRBD_STATUS).read() == b"[\n]\n"


def test_drbd_utils_that_were_missing_are_told_before_the_module(recorded):
    files = {"crm_mon.xml": b"", "meta.json": b'{"drbd_module": null}'}
    with Snapshot(recorded(files)) as snapshot, pytest.raises(ToolMissing):
        snapshot.open(DRBD_STATUS)


def test_meta_with_other_keys_and_an_offset(recorded):
    files = with_meta(time="2026-11-22T10:00:46+01:00", tools={"crm_mon": "2.1.5"}, note=[1])
    with Snapshot(recorded(files)) as snapshot:
        assert (snapshot.node, snapshot.time) == ("app01", TIME)


@pytest.mark.parametrize(
    ("meta", "reason"),
    [
        (b"{", "Expecting property name"),
        (b"\xff\xfe\xff", "codec can't decode"),
        (b"[" * 100000, "recursion|too"),
        (b"[]", "not a JSON object"),
        (b'{"node": 1}', "node is not a text"),
        (b'{"node": null}', "node is not a text"),
        (b'{"time": 1795338046}', "time is not a text"),
        (b'{"time": "yesterday"}', "Invalid isoformat string"),
        (b'{"time": "2026-11-22T09:00:46"}', "time has no time zone"),
        (b'{"expected_drbd_resources": "r0"}', "expected_drbd_resources is not a list"),
        (b'{"expected_drbd_resources": [0]}', "an entry of expected_drbd_resources is not a text"),
        (b'{"drbd_module": false}', "drbd_module is not a text"),
    ],
)
def test_malformed_meta(recorded, meta, reason):
    with pytest.raises(SnapshotError, match=reason) as error:
        Snapshot(recorded({**FILES, "meta.json": meta}))
    assert "\n" not in str(error.value)


def test_a_directory_without_meta_takes_the_time_of_the_newest_file(tmp_path):
    path = directory(tmp_path, {"crm_mon.xml": b"", "crm_mon.xml.rc": b"0", "other.txt": b""})
    os.utime(path / "crm_mon.xml", (TIME.timestamp() - 5,) * 2)
    os.utime(path / "crm_mon.xml.rc", (TIME.timestamp(),) * 2)
    with Snapshot(path) as snapshot:
        assert (snapshot.node, snapshot.time) == (None, TIME)
        assert snapshot.expected_drbd_resources(DRBD_RESOURCES) is None


def test_an_archive_without_meta_takes_the_time_of_the_newest_member(tmp_path):
    path = archive(tmp_path / "x.tgz", {"crm_mon.xml": b""}, mtime=int(TIME.timestamp()))
    with Snapshot(path) as snapshot:
        assert (snapshot.node, snapshot.time) == (None, TIME)


def test_a_snapshot_of_a_node_without_any_tool(recorded):
    with Snapshot(recorded({"meta.json": FILES["meta.json"]})) as snapshot:
        assert snapshot.node == "app01"
        with pytest.raises(ToolMissing):
            snapshot.open(CFGTOOL)


def test_what_holds_nothing_known_is_no_snapshot(recorded):
    path = recorded({"notes.txt": b"hello"})
    with pytest.raises(SnapshotError) as error:
        Snapshot(path)
    assert str(error.value) == f"{path} is not a snapshot: no meta.json, crm_mon.xml or other"


def test_no_such_path(tmp_path):
    path = tmp_path / "gone"
    with pytest.raises(SnapshotError, match=f"^cannot read {path}: No such file or directory$"):
        Snapshot(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1f\x8b\x08\x00rubbish"])
def test_a_file_that_is_no_archive(tmp_path, content):
    path = tmp_path / "x.tar.gz"
    path.write_bytes(content)
    with pytest.raises(SnapshotError, match=f"^cannot read {path}: [^\n]+$"):
        Snapshot(path)


def test_every_cut_and_every_flipped_byte_of_an_archive_is_noticed(tmp_path):
    files = {f"app01/{name}": text for name, text in FILES.items()}
    whole = archive(tmp_path / "whole.tgz", files).read_bytes()
    damaged = tmp_path / "damaged.tgz"
    header = 10 + len("whole.tar\0")  # of gzip: flags, date and name, which no checksum covers
    for place in range(header + 1, len(whole)):
        flipped = bytes((whole[place] ^ 0xFF,))
        for content in (whole[:place], whole[:place] + flipped + whole[place + 1 :]):
            damaged.write_bytes(content)
            with pytest.raises(SnapshotError):
                Snapshot(damaged)


@pytest.mark.parametrize("name", ["../crm_mon.xml", "/crm_mon.xml", "a/../../cib.xml", "../notes"])
def test_a_name_that_leaves_the_archive_makes_all_of_it_bad(tmp_path, name):
    path = archive(tmp_path / "x.tgz", {"app01/meta.json": FILES["meta.json"], name: b"outside"})
    with pytest.raises(SnapshotError) as error:
        Snapshot(path)
    assert str(error.value) == f"{path}: '{name}' leads out of the archive"
    assert sorted(tmp_path.iterdir()) == [path]


def test_what_lies_deeper_in_an_archive_is_not_read(tmp_path):
    files = {"a/meta.json": FILES["meta.json"], "a/b/crm_mon.xml": b"deeper"}
    with Snapshot(archive(tmp_path / "x.tgz", files)) as snapshot, pytest.raises(ToolMissing):
        snapshot.open(CRM_MON)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE]
)
@pytest.mark.parametrize("name", ["crm_mon.xml", "notes.pdf", "a\nb"])
def test_a_link_or_device_makes_all_of_an_archive_bad(tmp_path, kind, name):
    path = tmp_path / "x.tgz"
    with tarfile.open(path, "w:gz") as tar:
        for member in (tarfile.TarInfo("meta.json"), tarfile.TarInfo(name)):
            tar.addfile(member)
            member.type = kind
            member.linkname = "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(SnapshotError) as error:
        Snapshot(path)
    assert str(error.value) == f"{path}: {name!a} is not a plain file (a link, a device, ...)"


def test_a_file_with_holes_makes_all_of_an_archive_bad(tmp_path):
    """It would be terabytes of zeros from a few bytes."""
    path = tmp_path / "x.tgz"
    member = tarfile.TarInfo("crm_mon.xml")
    member.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": "0,0",
        "GNU.sparse.size": str(2**42),
        "GNU.sparse.name": "crm_mon.xml",
    }
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(member)
    with pytest.raises(SnapshotError, match=r"'crm_mon\.xml' is not a plain file"):
        Snapshot(path)


@pytest.mark.parametrize(
    "other", ["app01/crm_mon.xml", "./app01/crm_mon.xml", "app01//crm_mon.xml"]
)
def test_a_file_that_is_there_twice_makes_all_of_an_archive_bad(tmp_path, other):
    path = tmp_path / "x.tgz"
    with tarfile.open(path, "w:gz") as tar:
        for name in ("app01/meta.json", "app01/crm_mon.xml", other):
            tar.addfile(tarfile.TarInfo(name))
    with pytest.raises(SnapshotError) as error:
        Snapshot(path)
    assert str(error.value) == f"{path} holds app01/crm_mon.xml more than once"


def test_more_files_than_a_snapshot_has_make_all_of_an_archive_bad(tmp_path):
    path = archive(tmp_path / "x.tgz", {f"notes-{number}": b"" for number in range(257)})
    with pytest.raises(SnapshotError) as error:
        Snapshot(path)
    assert str(error.value) == f"{path} holds more than 256 files"


@pytest.mark.parametrize("what", ["a member", "the end", "a second stream"])
def test_a_small_archive_of_a_lot_of_nothing_is_given_up_at_once(tmp_path, what):
    path = tmp_path / "x.tgz"
    member = tarfile.TarInfo("meta.json")
    nothing = bytes(2**24)
    if what == "a member":
        member.size = 2**30
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(member.tobuf())
        if what == "the end":
            for _ in range(33):
                file.write(nothing)
    if what == "a second stream":
        once = gzip.compress(nothing, 1)
        with path.open("ab") as plain:
            for _ in range(33):
                plain.write(once)
    assert path.stat().st_size < 2**22
    begin = time.process_time()
    with pytest.raises(SnapshotError) as error:
        Snapshot(path)
    assert str(error.value) == f"{path} unpacks to more than 512 MiB"
    assert time.process_time() - begin < 5


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_says_it_is_huge_is_not_believed(tmp_path, kind):
    path = tmp_path / "x.tgz"
    member = tarfile.TarInfo("meta.json")
    member.type, member.size = kind, 2**28
    with gzip.open(path, "wb") as file:
        file.write(member.tobuf())
    with pytest.raises(SnapshotError, match=f"^{path}: a header of {2**28} bytes$"):
        Snapshot(path)


def test_headers_of_headers_end(tmp_path):
    path = tmp_path / "x.tgz"
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 1
    with gzip.open(path, "wb") as file:
        for _ in range(5000):
            file.write(member.tobuf() + b"x".ljust(512, b"\0"))
    with pytest.raises(SnapshotError, match=f"^cannot read {path}: [^\n]+$"):
        Snapshot(path)


def test_whatever_is_wrong_in_a_header_is_one_line(tmp_path):
    """Fields of headers by chance, the same each time, each with its checksum put right."""
    chance = random.Random(20261122)
    path = tmp_path / "x.tgz"
    files = {f"app01/{name}": text for name, text in FILES.items()}
    whole = gzip.decompress(archive(path, files).read_bytes())
    told = []
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 5)):
            start = chance.randrange(len(files) * 2) * 512
            place = chance.choice([156, 124 + chance.randrange(12), chance.randrange(512)])
            data[start + place] = chance.choice([0, 0x80, 0xFF, *b"LxgS75", chance.randrange(256)])
            header = data[start : start + 512]
            header[148:156] = b" " * 8
            data[start + 148 : start + 156] = b"%06o\0 " % sum(header)
        path.write_bytes(gzip.compress(data, 1))
        try:
            with Snapshot(path) as snapshot:
                snapshot.open(DRBD_STATUS).read()
        except ToolMissing:
            pass
        except SnapshotError as error:
            told.append(str(error))
    assert 20 < len(told) < 400
    assert [text for text in told if "\n" in text] == []


def test_a_fifo_in_a_directory_is_not_read(tmp_path):
    directory(tmp_path, {"meta.json": FILES["meta.json"]})
    os.mkfifo(tmp_path / "crm_mon.xml")
    with Snapshot(tmp_path) as snapshot, pytest.raises(ToolMissing):
        snapshot.open(CRM_MON)


def test_an_archive_of_two_snapshots_is_refused(tmp_path):
    files = {f"{node}/meta.json": FILES["meta.json"] for node in ("app01", "app02")}
    path = archive(tmp_path / "x.tgz", files)
    with pytest.raises(SnapshotError) as error:
        Snapshot(path)
    assert str(error.value) == (
        f"{path} holds several snapshots (app01, app02): unpack it, name one"
    )
