#!/usr/bin/env python3
"""Speed and memory of the checks, as ratios within one run.

    bench/measure.py [ROUNDS]

Each case runs once a round, in turn, so that a busy machine slows all alike. CPU time is user and
system of the process and its children; memory is its peak resident size.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEALTHY = ROOT / "fixtures" / "snapshots" / "six-nodes-healthy"
CHECK = (sys.executable, "-m", "check_mccluster")


def cost(command: tuple[str, ...]) -> tuple[float, float]:
    """CPU seconds and peak MiB of one run."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, _, used = os.wait4(child.pid, 0)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def generated(script: str, folder: Path, file: str, *arguments: str) -> str:
    """A snapshot of one generated document; its folder."""
    folder.mkdir()
    command = (sys.executable, str(ROOT / "bench" / script), *arguments)
    with (folder / file).open("wb") as output:
        subprocess.run(command, stdout=output, check=True)
    (folder / "meta.json").write_text('{"node": "app01", "time": "2026-01-01T00:00:00Z"}')
    return str(folder)


def mesh(folder: Path, nodes: int) -> str:
    """The snapshots of a generated cluster; their folder."""
    command = (sys.executable, str(ROOT / "bench" / "big_mesh.py"), str(folder), str(nodes))
    subprocess.run(command, check=True)
    return str(folder)


def table(cases: dict[str, tuple[str, ...]], rounds: int) -> None:
    """Run every case once a round; print the medians and their ratio to the first case."""
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, command in cases.items():
            measured[name].append(cost(command))
    medians = {
        name: tuple(statistics.median(column) for column in zip(*runs))
        for name, runs in measured.items()
    }
    first_cpu, first_memory = next(iter(medians.values()))
    print(f"{'case':<42} {'CPU ms':>8} {'ratio':>7} {'MiB':>7} {'ratio':>7}")
    for name, (cpu, memory) in medians.items():
        print(
            f"{name:<42} {cpu * 1000:8.0f} {cpu / first_cpu:7.1f}"
            f" {memory:7.1f} {memory / first_memory:7.1f}"
        )


def main() -> None:
    """Three tables: one check against the bare interpreter, large input against small, many nodes
    joined against one of them."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    node = str(HEALTHY / "app01")
    table(
        {
            "python -c pass": (sys.executable, "-c", "pass"),
            "import click, nagiosplugin": (sys.executable, "-c", "import click, nagiosplugin"),
            "drbd-disk --help": (*CHECK, "drbd-disk", "--help"),
            "drbd-disk, six nodes": (*CHECK, "drbd-disk", "--from", node),
            "nodes, six nodes": (*CHECK, "nodes", "--from", node),
            "overview, six nodes": (*CHECK, "overview", "--from", node),
        },
        rounds,
    )
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        xml = generated("big_crm_mon.py", top / "xml", "crm_mon.xml", "32", "5000")
        half = generated("big_crm_mon.py", top / "half", "crm_mon.xml", "16", "5000")
        drbd = generated("big_drbd_status.py", top / "drbd", "drbd-status.json")
        print()
        table(
            {
                "nodes, six nodes": (*CHECK, "nodes", "--from", node),
                "nodes, 5000 resources on 16 nodes": (*CHECK, "nodes", "--from", half),
                "nodes, 5000 resources on 32 nodes": (*CHECK, "nodes", "--from", xml),
                "drbd-disk, 2000 resources": (*CHECK, "drbd-disk", "--from", drbd),
            },
            max(3, rounds // 2),
        )
        few, many = mesh(top / "mesh-6", 6), mesh(top / "mesh-32", 32)
        own = str(Path(many) / "node01")
        print()
        table(
            {
                "overview, one of 32 nodes": (*CHECK, "overview", "-t", "60", "--from", own),
                "cluster, 6 nodes joined": (*CHECK, "cluster", "-t", "60", "--from", few),
                "cluster, 32 nodes joined": (*CHECK, "cluster", "-t", "60", "--from", many),
                "status, 32 nodes joined": (*CHECK, "status", "-t", "60", "--from", many),
            },
            max(3, rounds // 2),
        )


if __name__ == "__main__":
    main()
