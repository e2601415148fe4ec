"""Damaged input: a reader answers with values or ReadError, in time, and with nothing else."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from check_mccluster.read.cib import read_cib
from check_mccluster.read.corosync import read_cfgtool, read_cmapctl, read_quorumtool
from check_mccluster.read.crm_mon import read_crm_mon
from check_mccluster.read.drbd_show import read_drbd_show
from check_mccluster.read.drbd_status import read_drbd_status
from check_mccluster.read.errors import ReadError
from conftest import FIXTURES

NODE = FIXTURES / "snapshots/six-nodes-healthy/app01"
STORAGE = FIXTURES / "snapshots/storage-servers-lost/storage01"


def _of_text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "replace"))


def _of_stream(read: Callable[[io.BytesIO], object]) -> Callable[[bytes], object]:
    return lambda data: read(io.BytesIO(data))


READERS: dict[str, Callable[[bytes], object]] = {
    "crm_mon": _of_stream(read_crm_mon),
    "cib": _of_stream(read_cib),
    "drbd-status": read_drbd_status,
    "drbd-show": read_drbd_show,
    "quorumtool": _of_text(read_quorumtool),
    "cfgtool": _of_text(read_cfgtool),
    "cmapctl": _of_text(read_cmapctl),
}

PIECES = (
    *tuple(b'| \x00|"|<|>|{|[|,|\n|null|NaN|-1|1e999|Yes|true|&lol;|<!DOCTYPE x>|\t|:'.split(b"|")),
    b"\xff",
    b"9" * 400,
)
Damage = tuple[str, float, float, bytes]
DAMAGES = st.tuples(
    st.sampled_from(["cut", "drop", "repeat", "swap", "put", "replace"]),
    st.floats(0, 1),
    st.floats(0, 1),
    st.sampled_from(PIECES),
)


def _damaged(data: bytes, damage: Damage) -> bytes:
    """One damage: of a part between two places, or of whole lines between them."""
    kind, first, second, piece = damage
    start, end = sorted((int(first * len(data)), int(second * len(data))))
    end = min(end, start + 400)
    if first > second:  # whole lines: what is left is well formed more often
        start, end = data.rfind(b"\n", 0, start) + 1, data.find(b"\n", end) + 1 or len(data)
    before, part, after = data[:start], data[start:end], data[end:]
    return {
        "cut": before,
        "drop": before + after,
        "repeat": before + part + part + after,
        "swap": before + after[: len(part)] + part + after[len(part) :],
        "put": before + piece + part + after,
        "replace": before + piece + after,
    }[kind]


def _recorded() -> list[tuple[str, Path]]:
    return sorted(
        (name, path)
        for name in READERS
        for node in (NODE, STORAGE)
        for path in node.iterdir()
        if path.stem.replace("_", "-").endswith(name.replace("_", "-"))
    )


RECORDED = _recorded()


def test_every_reader_has_recorded_input():
    assert {name for name, _ in RECORDED} == set(READERS)


@pytest.mark.parametrize(
    ("name", "path"), RECORDED, ids=[f"{n}-{p.parent.name}" for n, p in RECORDED]
)
def test_any_damage_gives_values_or_an_error_of_one_line(name: str, path: Path):
    whole = path.read_bytes()
    READERS[name](whole)

    @settings(
        max_examples=100,
        derandomize=True,
        database=None,
        deadline=2000,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(DAMAGES, min_size=1, max_size=3))
    def damaged(damages: list[Damage]) -> None:
        data = whole
        for damage in damages:
            data = _damaged(data, damage)
        assert "\n" not in _error(name, data)

    damaged()


def _error(name: str, data: bytes) -> str:
    try:
        READERS[name](data)
    except ReadError as error:
        return str(error)
    return ""


BOMB = (
    b'<!DOCTYPE crm_mon [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]><crm_mon>&a11;</crm_mon>"
)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("crm_mon", BOMB),
        ("crm_mon", b"<crm_mon>" + b"<a>" * 200_000),
        ("cib", b"<cib>" + b"<a>" * 200_000),
        ("drbd-status", b"[" * 200_000),
        ("drbd-status", b'[{"name":' * 100_000),
        ("drbd-show", b"[" * 200_000),
        ("drbd-status", json.dumps([{"name": 1e308, "devices": []}]).encode()),
        ("drbd-status", b'[{"name":"a","node-id":' + b"9" * 5000),
        ("quorumtool", b"Quorate: " + b"Y" * 1_000_000 + b"\n"),
        ("cfgtool", b"LINK ID 0\n" + b"\t\tnodeid  1:\t\n" * 20_000),
        ("cmapctl", b"nodelist.node.0.nodeid (u32) = " + b"9" * 100_000 + b"\n"),
    ],
)  # fmt: skip
def test_what_is_huge_or_deep_is_refused_in_time(name: str, data: bytes):
    started = time.process_time()
    with pytest.raises(ReadError):
        READERS[name](data)
    assert time.process_time() - started < 2
