#!/usr/bin/env python3
"""What the checks cost, in one table with the goals beside the figures.

    bench/measure.py [ROUNDS [ROUNDS AT SCALE]]

Each case of a part of the table runs once a round, in turn, so that a busy machine slows all alike;
figures are medians, and only the ratios mean anything on another machine. CPU time is user and
system of the process and its children; memory is its peak resident size. Python's compiled files
are there, as after an installation.

Debian's ``check_drbd`` (monitoring-plugins-contrib) is in the table where it is installed, or where
the environment's CHECK_DRBD says.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
NODE = str(ROOT / "fixtures" / "snapshots" / "six-nodes-healthy" / "app01")
PROGRAM = (sys.executable, "-c", "from check_mccluster.__main__ import main; main()")
CHECK_DRBD = os.environ.get("CHECK_DRBD", "/usr/lib/nagios/plugins/check_drbd")
PROC_DRBD = """\
version: 8.4.11 (api:1/proto:86-101)
 0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----
    ns:0 nr:0 dw:0 dr:2128 al:8 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0
"""
OF_DRBD = ("drbd-role", "drbd-disk", "drbd-mesh", "drbd-quorum", "drbd-sync")
OF_PACEMAKER = (
    *("nodes", "quorum", "links", "resources", "failures", "fencing", "placement"),
    *("consistency", "failover", "timing"),
)
VERDICTS = len(OF_DRBD) + len(OF_PACEMAKER)
MIB = 30
"""What a large document may take of memory beside a small one, in MiB."""


class Case(NamedTuple):
    """A row of the table.

    :param than: the row that its CPU time is compared with. :param goal: the most that it may be.
    :param above: the row whose CPU time is taken off; the goal is of the rest, in ms.
    :param verdicts: of one run; its CPU time is told for each, and the goal is of those, in ms.
    :param memory: a row, a factor and MiB more: what its memory may be.
    """

    name: str
    command: tuple[str, ...]
    than: str = ""
    goal: float = 0
    verdicts: int = 0
    above: str = ""
    memory: tuple[str, float, float] = ("", 0, 0)


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def check(name: str, *more: str) -> tuple[str, ...]:
    return (*PROGRAM, *name.split(), "--timeout", "100", "--from", *(more or (NODE,)))


# -- the cases ---------------------------------------------------------------------------------


def starting(folder: Path) -> Iterator[Case]:
    """What a start costs, and a verdict."""
    json, lxml = "its libraries (no lxml)", "its libraries"
    yield Case("python -c pass", python("pass"))
    yield Case(json, python("import click, nagiosplugin, json"))
    yield Case(lxml, python("import click, nagiosplugin, json, lxml.etree"))
    for name in OF_DRBD:
        yield Case(name, check(name), json, 1.15)
    for name in OF_PACEMAKER:
        yield Case(name, check(name), lxml, 1.15)
    yield Case("nodes, live", live(folder), above="nodes")
    yield Case("overview", check("overview"), "nodes", 1.3)
    if shutil.which("crm_simulate"):
        asking = check("failover", NODE, "--simulate")
        yield Case("failover --simulate", asking, above="failover", goal=60)
    yield Case("--version", (*PROGRAM, "--version"), "drbd-disk", 1)
    yield Case("--help", (*PROGRAM, "--help"), "drbd-disk", 1)
    yield Case("drbd-disk --help", (*PROGRAM, "drbd-disk", "--help"), "drbd-disk", 1)
    if shutil.which("perl"):
        yield Case("perl -e 1", ("perl", "-e", "1"), verdicts=1)
        if Path(CHECK_DRBD).exists():
            (folder / "drbd").write_text(PROC_DRBD)
            command = ("perl", CHECK_DRBD, "-p", str(folder / "drbd"), "-d", "all")
            yield Case("check_drbd (Debian)", command, verdicts=1)
    for name in ("overview", "checkmk", "zabbix data", "metrics"):
        yield Case(f"{name}, a verdict", check(name), goal=22, verdicts=VERDICTS)


def live(folder: Path) -> tuple[str, ...]:
    """``nodes`` where crm_mon prints the recording: with a process to be started and read."""
    tool = folder / "crm_mon"
    tool.write_text(f"#!/bin/sh\nexec cat {NODE}/crm_mon.xml\n")
    tool.chmod(0o755)
    path = f"PATH={folder}:{os.environ['PATH']}"
    return ("env", path, *PROGRAM, "nodes", "--timeout", "100", "--node", "app01")


def large_xml(folder: Path) -> Iterator[Case]:
    """Pacemaker's document of 5,000 resources on 32 nodes, 45 MB."""
    large = generated("big_crm_mon.py", folder / "xml", "crm_mon.xml", "32", "5000")
    loop = "for _, one in lxml.etree.iterparse(file): one.clear()"
    code = f"import lxml.etree\nwith open({large + '/crm_mon.xml'!r}, 'rb') as file:\n    {loop}"
    bare, small = "lxml's iterparse, 45 MB", "nodes, small"
    yield Case(bare, python(code))
    yield Case(small, check("nodes"))
    for name in ("nodes", "resources", "failover", "overview", "status"):
        yield Case(f"{name}, 45 MB", check(name, large), bare, 1, memory=(small, 1, MIB))


def large_json(folder: Path) -> Iterator[Case]:
    """DRBD's document of 2,000 resources with 6 peers each."""
    large = generated("big_drbd_status.py", folder / "json", "drbd-status.json", "2000", "6")
    code = f"import json\nwith open({large + '/drbd-status.json'!r}, 'rb') as file:\n"
    bare = "json.loads, 2,000 x 6"
    yield Case(bare, python(f"{code}    json.loads(file.read())"))
    goals = {**dict.fromkeys(OF_DRBD, 1.8), "overview": 2.5, "metrics": 3, "zabbix data": 3}
    for name, goal in goals.items():
        yield Case(f"{name}, 2,000 x 6", check(name, large), bare, goal, memory=(bare, 2, 0))


def many_nodes(folder: Path) -> Iterator[Case]:
    """Several nodes joined."""
    few, many = (written("big_mesh.py", folder / name, name) for name in ("6", "32"))
    one = "overview, one of 32 nodes"
    yield Case(one, check("overview", f"{many}/node01"))
    yield Case("cluster, 6 nodes joined", check("cluster", few), one)
    yield Case("cluster, 32 nodes joined", check("cluster", many), one)
    yield Case("status, 32 nodes joined", check("status", many), one)


def outage(folder: Path) -> Iterator[Case]:
    """Services that are down all at once: four times as many may cost four times as much."""
    few, many = (written("big_outage.py", folder / name, name) for name in ("50", "200"))
    for name in ("overview", "status"):
        yield Case(f"{name}, 50 services down", check(name, few))
        yield Case(f"{name}, 200 services down", check(name, many), f"{name}, 50 services down", 5)


def generated(script: str, folder: Path, file: str, *arguments: str) -> str:
    """A snapshot of one generated document; its folder."""
    folder.mkdir()
    command = (sys.executable, str(ROOT / "bench" / script), *arguments)
    with (folder / file).open("wb") as output:
        subprocess.run(command, stdout=output, check=True)
    (folder / "meta.json").write_text('{"node": "node01", "time": "2026-01-01T00:00:00Z"}')
    return str(folder)


def written(script: str, folder: Path, *arguments: str) -> str:
    """The snapshots of a generated cluster; their folder."""
    command = (sys.executable, str(ROOT / "bench" / script), str(folder), *arguments)
    subprocess.run(command, check=True)
    return str(folder)


# -- measuring, and the table ------------------------------------------------------------------


def cost(command: tuple[str, ...], compiled: str) -> tuple[float, float]:
    """CPU milliseconds and peak MiB of one run."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONPYCACHEPREFIX": compiled}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, status, used = os.wait4(child.pid, 0)
    if os.WIFSIGNALED(status):
        sys.exit(f"{' '.join(command)} died")
    return (used.ru_utime + used.ru_stime) * 1000, used.ru_maxrss / 1024


def medians(cases: list[Case], rounds: int, compiled: str) -> dict[str, tuple[float, float]]:
    """CPU milliseconds and peak MiB by case."""
    measured: dict[str, list[tuple[float, float]]] = {case.name: [] for case in cases}
    for _ in range(rounds):
        for case in cases:
            measured[case.name].append(cost(case.command, compiled))
    return {
        name: (statistics.median(cpu for cpu, _ in runs), statistics.median(m for _, m in runs))
        for name, runs in measured.items()
    }


def row(case: Case, found: dict[str, tuple[float, float]]) -> str:
    """A line of the table, in Markdown; a figure that misses its goal stands out."""
    cpu, memory = found[case.name]
    figure, said = 0.0, ""
    if case.than:
        figure = cpu / found[case.than][0]
        said = f"{figure:.2f} x {case.than}"
    elif case.above:
        figure = cpu - found[case.above][0]
        said = f"{figure:.0f} ms above {case.above}"
    elif case.verdicts:
        figure = cpu / case.verdicts
        said = f"{figure:.1f} ms a verdict"
    goal = f"{case.goal:g}" if case.goal else ""
    if case.goal and figure > case.goal:
        said = f"**{said}**"
    name, factor, more = case.memory
    limit = found[name][1] * factor + more if name else 0
    held = f"**{memory:.0f}**" if name and memory > limit else f"{memory:.0f}"
    return (
        f"| {case.name} | {cpu:.0f} | {said} | {goal} | {held} | {f'{limit:.0f}' if name else ''} |"
    )


def main() -> None:
    """Measure, and print the table part by part."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    at_scale = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    cores = os.cpu_count()
    print(
        f"{time.strftime('%Y-%m-%d %H:%M')}, Python {platform.python_version()}, {cores} cores,"
        f" load {os.getloadavg()[0]:.1f}, {rounds} rounds, {at_scale} at scale:\n"
    )
    print("| case | CPU ms | figure | goal | MiB | goal |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        compiled = str(Path(folder) / "compiled")
        for name in ("status", "cluster", "checkmk", "zabbix data", "metrics"):
            cost(check(name), compiled)
        cost(python("import lxml.etree"), compiled)
        for part, times in (
            (starting, rounds),
            (large_xml, at_scale),
            (large_json, at_scale),
            (many_nodes, at_scale),
            (outage, at_scale),
        ):
            place = Path(folder) / part.__name__
            place.mkdir()
            cases = list(part(place))
            found = medians(cases, times, compiled)
            for case in cases:
                print(row(case, found), flush=True)


if __name__ == "__main__":
    main()
