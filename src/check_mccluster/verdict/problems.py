"""The kinds of input findings: what can be wrong with what a tool said, in every check."""

from __future__ import annotations

from collections.abc import Iterable

from . import subject
from .finding import Finding, Kind, State, finding
from .words import join

TOOL_MISSING = Kind(
    "tool-missing",
    State.UNKNOWN,
    "The program that this check reads is not installed here, and nothing says that it should be.",
    "Install it, or run this check only where it belongs (a snapshot: record it anew"
    " with it); --severity tool-missing=ok silences it.",
)
TOOL_DENIED = Kind(
    "tool-denied",
    State.UNKNOWN,
    "The user that runs the check may not ask this tool: what it tells is not known. The sudoers"
    " file only lets it read; the ways without sudo trust the user with more.",
    "Run it with --sudo: {grant}",
)
SUDOERS = "; sudoers needs: "
"""Between what sudo refused and the line that is missing."""
WITHOUT_SUDO = " Without sudo: "
"""Begins the other way of a step, which trusts the user with more."""
TOOL_TIMEOUT = Kind(
    "tool-timeout",
    State.UNKNOWN,
    "The tool did not answer within the deadline. It and its children were killed.",
    "Run '{command}' by hand; if it is only slow, raise --timeout.",
)
TOOL_FAILED = Kind(
    "tool-failed",
    State.UNKNOWN,
    "The tool ended with an error, or printed an error beside output that looks fine.",
    "Run '{command}' by hand and read its error.",
)
OUTPUT_INVALID = Kind(
    "output-invalid",
    State.UNKNOWN,
    "The tool's output is not what it should print, is cut off, or holds an unknown word.",
    "Run '{command}' by hand; if it looks right, send a snapshot with the bug report.",
)
CONFIG_UNKNOWN_NAME = Kind(
    "config-unknown-name",
    State.UNKNOWN,
    "The configuration file names a node, resource or replica that nobody knows: a typo, or it"
    " is gone. The setting has no effect.",
    "Correct {object} in the configuration file; 'check_mccluster topology' prints one",
)
SNAPSHOT_STALE = Kind(
    "snapshot-stale",
    State.UNKNOWN,
    "The recorded input is older than --max-age allows.",
    "See why no newer snapshot was written.",
)
PACEMAKER_DOWN = Kind(
    "pacemaker-down",
    State.CRITICAL,
    "Pacemaker or Corosync does not run on this node: it takes no part in the cluster.",
    "journalctl -u corosync -u pacemaker tells why it stopped; to start it: systemctl start"
    " pacemaker (pcs cluster start)",
)
PACEMAKER_STARTING = Kind(
    "pacemaker-starting",
    State.WARNING,
    "Pacemaker's daemons are starting; there is no answer yet.",
    "Wait, then run the check again; journalctl -u pacemaker",
)
PACEMAKER_STOPPING = Kind(
    "pacemaker-stopping",
    State.WARNING,
    "Pacemaker's daemons are stopping; there is no answer any more.",
    "Wait for the shutdown to end; journalctl -u pacemaker",
)
PACEMAKER_UNRESPONSIVE = Kind(
    "pacemaker-unresponsive",
    State.CRITICAL,
    "pacemakerd runs and the CIB does not answer: nobody manages the resources on this node.",
    "Look again in a minute: pacemakerd replaces a daemon that died; one that hangs:"
    " ps -o pid,stat,wchan:20,args -C pacemaker-based (T: kill -CONT PID); why:"
    " journalctl -u pacemaker",
)
DRBD_MODULE = Kind(
    "drbd-module",
    State.UNKNOWN,
    "The DRBD 9 kernel module is not loaded, or the kernel's own DRBD 8.4 is loaded instead."
    " CRITICAL where a resource is expected.",
    "cat /sys/module/drbd/version; where it is not there: modprobe drbd, and if it is not found for"
    " this kernel: dkms autoinstall; where it is 8: install DRBD 9 for this kernel; then:"
    " drbdadm up all",
)
DRBD_EMPTY = Kind(
    "drbd-empty",
    State.UNKNOWN,
    "No DRBD resource is up on this node. CRITICAL where one is expected.",
    "drbdadm status; drbdadm up all",
)
DRBD_RESOURCE_EMPTY = Kind(
    "drbd-resource-empty",
    State.UNKNOWN,
    "A resource without volumes: half configured; without peers, too, it may be drbd-utils"
    " older than 9.11 with Linux 5.2 or later, whose answer is silently cut.",
    "drbdsetup status {resource} --verbose; drbdadm --version",
)
DRBD_RESOURCE_MISSING = Kind(
    "drbd-resource-missing",
    State.CRITICAL,
    "A resource that the configuration names is not up on this node.",
    "drbdadm up {resource}",
)

OF_A_DAEMON = (
    PACEMAKER_DOWN,
    PACEMAKER_STARTING,
    PACEMAKER_STOPPING,
    PACEMAKER_UNRESPONSIVE,
    DRBD_MODULE,
    DRBD_EMPTY,
    DRBD_RESOURCE_MISSING,
)
"""What is known to be wrong with what a tool belongs to, and is told by the first check that reads
it. A tool that cannot be read is none of them: what depends on it stays UNKNOWN in every check."""

KINDS = (
    TOOL_MISSING,
    TOOL_DENIED,
    TOOL_TIMEOUT,
    TOOL_FAILED,
    OUTPUT_INVALID,
    CONFIG_UNKNOWN_NAME,
    SNAPSHOT_STALE,
    PACEMAKER_DOWN,
    PACEMAKER_STARTING,
    PACEMAKER_STOPPING,
    PACEMAKER_UNRESPONSIVE,
    DRBD_MODULE,
    DRBD_EMPTY,
    DRBD_RESOURCE_EMPTY,
    DRBD_RESOURCE_MISSING,
)


def unknown_name(path: str, name: str, what: str, known: Iterable[str]) -> Finding:
    """``config-unknown-name``.

    :param path: the key in the file, ``pacemaker.tie_breakers``. :param what: what it is not.
    :param known: the names that there are.
    """
    text = f"configuration: {path}: {name} is not a {what} (known: {join(known, 8) or 'none'})"
    return finding(CONFIG_UNKNOWN_NAME, subject.setting(path), text)
