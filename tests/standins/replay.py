"""Stands in for the cluster's tools: replays a snapshot. Standard library only.

Run as ``replay.py FOLDER NAME ARGUMENTS...`` by the wrappers that ``machine.py`` writes. FOLDER has
``standin.json``, with the path of the snapshot and the faults by name or file, and gets one line a
call in ``calls``, and the ids of processes that hang in ``pids``. Arguments that the suite has no
reason to use are refused.
"""

import json
import os
import signal
import sys
from pathlib import Path

COMMANDS = {
    "crm_mon": {("-r", "-1", "-X"): "crm_mon.xml"},
    "cibadmin": {("--query",): "cib.xml"},
    "drbdsetup": {
        ("status", "--json"): "drbd-status.json",
        ("show", "--json", "--show-defaults"): "drbd-show.json",
    },
    "drbdadm": {("sh-resources",): "meta.json", ("--version",): "drbdadm-version.txt"},
    "corosync-quorumtool": {("-s",): "corosync-quorumtool.txt"},
    "corosync-cfgtool": {("-s",): "corosync-cfgtool.txt"},
    "corosync-cmapctl": {(): "corosync-cmapctl.txt"},
}
RUBBISH = bytes(range(256)) * 4


def main(folder, name, *arguments):
    folder = Path(folder)
    settings = json.loads((folder / "standin.json").read_text())
    file_name = COMMANDS[name].get(arguments)
    if file_name is None:
        sys.exit(f"{name}: no stand-in for the arguments {arguments}")
    line = " ".join((name, *arguments))
    again = count(folder, line)
    if again and file_name == "drbd-status.json":
        file_name = "drbd-status.2.json"
    snapshot = Path(settings["snapshot"])
    output, code, errors = recorded(snapshot, file_name)
    fault = settings["faults"].get(file_name, settings["faults"].get(name, ""))
    word, _, value = fault.partition(" ")
    if word == "hang" or code == "timeout":
        hang(folder)
    elif word == "exit":
        output, code, errors = b"", value, f"{name}: told to fail\n".encode()
    elif word == "empty":
        output = b""
    elif word == "rubbish":
        output = RUBBISH
    elif word == "cut":
        output = output[: int(value)]
    elif word == "document":
        output = recorded(snapshot, value)[0]
    elif word:
        sys.exit(f"no such fault: {fault}")
    sys.stderr.buffer.write(errors)
    sys.stderr.flush()
    sys.stdout.buffer.write(output)
    sys.stdout.flush()
    sys.exit(int(code))


def count(folder, line):
    """Note the call; whether it was made before."""
    with (folder / "calls").open("a+") as file:
        file.write(f"{line}\n")
        file.seek(0)
        return file.read().splitlines().count(line) > 1


def recorded(snapshot, name):
    """Output, exit code and stderr."""
    if name == "drbdadm-version.txt":
        meta = json.loads((snapshot / "meta.json").read_text())
        version = meta.get("tools", {}).get("drbd-utils", "9.22.0")
        return f"DRBDADM_API_VERSION=2\nDRBDADM_VERSION={version}\n".encode(), "0", b""
    if name == "meta.json":  # of drbdadm sh-resources a snapshot keeps the answer only
        names = json.loads((snapshot / name).read_text())["expected_drbd_resources"]
        return f"{' '.join(names)}\n".encode(), "0", b""
    code = content(snapshot / f"{name}.rc").decode().strip() or "0"
    return content(snapshot / name), code, content(snapshot / f"{name}.err")


def content(path):
    return path.read_bytes() if path.exists() else b""


def hang(folder):
    """Hang with a child, as a tool does that waits for a helper of its own."""
    os.fork()
    with (folder / "pids").open("a") as file:
        file.write(f"{os.getpid()}\n")
    while True:
        signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
