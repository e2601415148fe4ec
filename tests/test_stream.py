"""``snapshot -`` and ``--from -``: an archive through a pipe, to where it is judged."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from conftest import FIXTURES, ROOT
from standins.machine import SOURCES

NODE = FIXTURES / "snapshots/six-nodes-healthy/app01"
PROGRAM = [sys.executable, "-m", "check_mccluster"]


def program(*arguments: object, **more) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        check=False,
        timeout=60,
        **more,
    )


def packed(snapshot: Path = NODE) -> bytes:
    done = program("snapshot", "-", "--from", snapshot)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def test_an_archive_and_nothing_else_is_on_standard_output():
    with tarfile.open(fileobj=io.BytesIO(packed()), mode="r:gz") as archive:
        names = archive.getnames()
        meta = json.load(archive.extractfile("app01/meta.json"))
    assert names[0] == "app01/crm_mon.xml"
    assert names[-1] == "app01/meta.json"
    assert meta["node"] == "app01"


@pytest.mark.parametrize("state", ["six-nodes-healthy/app01", "storage-servers-lost/storage01"])
@pytest.mark.parametrize("check", ["overview", "drbd-quorum", "nodes"])
def test_a_check_says_the_same_of_a_stream(state, check, call):
    snapshot = FIXTURES / "snapshots" / state
    expected = call(check, "--from", snapshot)
    done = program(check, "--from", "-", input=packed(snapshot))
    assert (done.returncode, done.stdout.decode(), done.stderr) == (
        expected.code,
        expected.out,
        b"",
    )


@pytest.mark.parametrize(
    "command",
    [["status"], ["topology"], ["metrics"], ["zabbix", "data"], ["zabbix", "discovery", "drbd"]],
)
def test_the_other_commands_read_a_stream(command, call):
    expected = call(*command, "--from", NODE)
    done = program(*command, "--from", "-", input=packed())
    ours = [line for line in done.stdout.decode().splitlines() if "seconds" not in line]
    assert ours == [line for line in expected.lines if "seconds" not in line]


def test_from_the_collector_through_a_pipe(node, tmp_path):
    """As ``ssh node mccluster-collect | check_mccluster overview --from -``."""
    machine = node(NODE)
    text = (ROOT / "contrib/collect/mccluster-collect").read_text()
    script = tmp_path / "mccluster-collect"
    script.write_text(text.replace("\nSYS=/sys ", f"\nSYS={machine.root}/sys "))
    done = subprocess.run(
        f"sh {script} --node app01 | {' '.join(PROGRAM)} drbd-quorum --from - -vvv",
        shell=True,
        env={**os.environ, "PATH": f"{machine.bin}:/usr/bin:/bin", "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("DRBD-QUORUM OK - r0/0: 3 of 3 copies, can lose 1 | ")
    assert "ran read standard input/drbd-status.json: exit 0" in done.stdout


def one_line(done: subprocess.CompletedProcess, text: str) -> None:
    assert (done.returncode, done.stdout.decode(), done.stderr) == (
        3,
        f"NODES UNKNOWN - {text}\n",
        b"",
    )


def test_a_command_before_it_that_failed():
    done = program("nodes", "--from", "-", stdin=subprocess.DEVNULL)
    one_line(done, "standard input is empty: see what the command before it says")


def test_a_stream_that_does_not_end_is_given_up_at_the_timeout():
    read, write = os.pipe()
    try:
        os.write(write, packed()[:100])
        begin = time.monotonic()
        done = program("nodes", "--from", "-", "--timeout", "0.5", stdin=read)
        assert time.monotonic() - begin < 5
    finally:
        os.close(read)
        os.close(write)
    one_line(done, "standard input did not end within 0.5 s")


def test_a_stream_that_is_cut_off():
    done = program("nodes", "--from", "-", input=packed()[:-20])
    text = "Compressed file ended before the end-of-stream marker was reached"
    one_line(done, f"cannot read standard input: {text}")


def test_a_stream_of_something_else():
    done = program("nodes", "--from", "-", input=b"Permission denied (publickey).\n")
    one_line(done, "cannot read standard input: Not a gzipped file (b'Pe')")


def test_a_stream_without_an_end_is_too_large():
    with Path("/dev/zero").open("rb") as zeros:
        done = program("nodes", "--from", "-", stdin=zeros)
    one_line(done, "standard input is larger than 64 MiB")


def test_standard_input_that_is_closed():
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *PROGRAM, "nodes", "--from", "-"],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        check=False,
        timeout=60,
    )
    one_line(done, "cannot read standard input: Bad file descriptor")


def test_a_terminal_is_neither_read_from_nor_written_to():
    ours, its = pty.openpty()
    try:
        done = program("nodes", "--from", "-", stdin=its)
        one_line(done, "standard input is a terminal: pipe a snapshot's archive into it")
        done = subprocess.run(
            [*PROGRAM, "snapshot", "-", "--from", str(NODE)],
            env={**os.environ, "PYTHONPATH": str(SOURCES)},
            stdout=its,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    finally:
        os.close(ours)
        os.close(its)
    assert done.returncode == 3
    assert done.stderr.decode() == (
        "CHECK_MCCLUSTER UNKNOWN - standard output is a terminal: redirect it, or name a file\n"
    )


def test_what_goes_wrong_with_an_archive_on_standard_output_is_not_in_it(tmp_path):
    done = program("snapshot", "-", "--from", tmp_path / "gone")
    assert (done.returncode, done.stdout) == (3, b"")
    reason = f"cannot read {tmp_path}/gone: No such file or directory"
    assert done.stderr.decode() == f"CHECK_MCCLUSTER UNKNOWN - {reason}\n"


def test_a_full_disk_behind_standard_output():
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, "snapshot", "-", "--from", str(NODE)],
            env={**os.environ, "PYTHONPATH": str(SOURCES)},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.returncode == 3
    assert done.stderr.decode() == (
        "CHECK_MCCLUSTER UNKNOWN - cannot write standard output: No space left on device\n"
    )


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["topology"], "Invalid value for '--from': standard input (-) can be read only once"),
        (["status"], "Invalid value for '--from': standard input (-) can be read only once"),
    ],
)
def test_standard_input_is_read_only_once(command, reason):
    done = program(*command, "--from", "-", "--from", "-", input=packed())
    assert (done.returncode, done.stdout.decode()) == (3, f"CHECK_MCCLUSTER UNKNOWN - {reason}\n")


def test_standard_input_cannot_be_watched():
    done = program("status", "--from", "-", "--watch", "5", input=packed())
    reason = "--watch: standard input (--from -) can be read only once"
    assert done.stdout.decode() == f"CHECK_MCCLUSTER UNKNOWN - {reason}\n"


def test_a_configuration_file_of_comments_alone_says_nothing(call, tmp_path):
    shipped = ROOT / "contrib/config/cluster.toml"
    assert (
        call("overview", "--from", NODE, "--config", shipped).out
        == call("overview", "--from", NODE).out
    )


def test_the_shipped_configuration_file_is_right_without_its_marks(call, tmp_path):
    lines = (ROOT / "contrib/config/cluster.toml").read_text().splitlines()
    config = tmp_path / "cluster.toml"
    marked = [line.removeprefix("#") for line in lines if not line.startswith("# ")]
    config.write_text("\n".join(marked))
    done = call("overview", "--from", NODE, "--config", config)
    assert done.first.startswith("OVERVIEW OK - 14 checks, all OK")
