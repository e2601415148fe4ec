"""The OCF resource agent ``ocf:mccluster:drbd-no-primary``: start when no other node is Primary.

First member of a group, before the Filesystem on the DRBD device. When Pacemaker gives a node up
before DRBD does, or while that node is still demoting, the mount would be refused and the failed
start would bar the node that was to take over. So the start action waits, for as long as Pacemaker
lets it. Whatever cannot be read is not safe.

Sources: OCF Resource Agent API 1.1; ``ocf-shellfuncs`` of resource-agents for where agents log.
"""

from __future__ import annotations

import enum
import os
import sys
import syslog
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Optional

NAME = "drbd-no-primary"
PAUSE = 1.0
"""Seconds between two looks at DRBD."""
LOOK_TIMEOUT = 10.0
"""Seconds that one look may take; a hanging drbdsetup is killed and asked again."""


class Exit(enum.IntEnum):
    """The standard's exit codes, as far as they are used here."""

    SUCCESS = 0
    ERROR = 1
    UNIMPLEMENTED = 3
    NOT_INSTALLED = 5
    NOT_CONFIGURED = 6
    NOT_RUNNING = 7


class Failed(Exception):
    """The action cannot succeed. The message is the exit reason that crm_mon shows."""

    def __init__(self, code: Exit, reason: str) -> None:
        super().__init__(reason)
        self.code = code


META_DATA = f"""\
<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="{NAME}" version="1.0">
<version>1.1</version>
<longdesc lang="en">
Waits, in its start action, until no other node is Primary for a DRBD resource. Put it into a group
before the Filesystem on the DRBD device: the group is then not started before DRBD can promote this
node. The time limit is that of the start operation. What cannot be read of DRBD is not safe, so the
start waits for that, too. Nothing is started: the resource runs once it has waited.
</longdesc>
<shortdesc lang="en">Waits until no other node is DRBD Primary</shortdesc>
<parameters>
<parameter name="drbd_resource" required="1">
<longdesc lang="en">
Name of the DRBD resource, as drbdsetup status shows it.
</longdesc>
<shortdesc lang="en">DRBD resource</shortdesc>
<content type="string"/>
</parameter>
</parameters>
<actions>
<action name="start" timeout="120s"/>
<action name="stop" timeout="20s"/>
<action name="monitor" timeout="20s" interval="30s" depth="0"/>
<action name="meta-data" timeout="5s"/>
<action name="validate-all" timeout="20s" depth="0"/>
<action name="validate-all" timeout="20s" depth="10"/>
</actions>
</resource-agent>
"""


def obstacle(resource: str) -> Optional[str]:
    """Why *resource* may not be promoted here yet, ``None`` if no other node is Primary.

    :raises Failed: if drbdsetup is not installed: waiting would not help.
    """
    from ..acquire.live import Live
    from ..inputs.drbdsetup import DRBD
    from ..inputs.evidence import Evidence
    from ..model.drbd import Role
    from ..verdict.filter import Filter
    from ..verdict.problems import DRBD_RESOURCE_EMPTY, TOOL_MISSING

    with Live(deadline=time.monotonic() + LOOK_TIMEOUT) as source:
        seen = Evidence(source, filter=Filter((resource,))).view((DRBD,))[DRBD]
    for problem in seen.problems:
        if problem.kind is TOOL_MISSING:
            raise Failed(Exit.NOT_INSTALLED, problem.text)
        # A resource whose volumes are missing still has peers, which tell their roles.
        if problem.kind is not DRBD_RESOURCE_EMPTY or not seen.value:
            return problem.text
    for peer in (peer for each in seen.value or () for peer in each.connections):
        if peer.peer_role is Role.PRIMARY:
            return f"{peer.name} is Primary of {resource}"
        if peer.is_connected and peer.peer_role is not Role.SECONDARY:
            return f"{peer.name} is connected and its role in {resource} is not known"
    return None


def start() -> Exit:
    """Wait until no other node is Primary."""
    resource = _resource()
    if _state().exists():
        return Exit.SUCCESS
    reason, began = None, time.monotonic()
    while (now := obstacle(resource)) is not None:
        if now != reason:
            log(f"waiting: {now}")
            reason = now
        time.sleep(PAUSE)
    waited = f" after {time.monotonic() - began:.0f} s" if reason is not None else ""
    log(f"no other node is Primary of {resource}{waited}")
    _state().parent.mkdir(parents=True, exist_ok=True)
    _state().touch()
    return Exit.SUCCESS


def stop() -> Exit:
    """Forget that the start has succeeded."""
    _state().unlink(missing_ok=True)
    return Exit.SUCCESS


def monitor() -> Exit:
    """Whether the start has succeeded here since boot. Who is Primary later is not its business."""
    _resource()
    return Exit.SUCCESS if _state().exists() else Exit.NOT_RUNNING


def meta_data() -> Exit:
    """Describe the agent."""
    sys.stdout.write(META_DATA)
    return Exit.SUCCESS


def validate_all() -> Exit:
    """The parameter; from check level 10 on whether drbdsetup is here."""
    from ..model.words import whole

    resource = _resource()
    level = os.environ.get("OCF_CHECK_LEVEL", "")
    if (whole(level) or 0) >= 10:
        obstacle(resource)
    return Exit.SUCCESS


ACTIONS: dict[str, Callable[[], Exit]] = {
    "start": start,
    "stop": stop,
    "monitor": monitor,
    "meta-data": meta_data,
    "validate-all": validate_all,
}


def _resource() -> str:
    name = os.environ.get("OCF_RESKEY_drbd_resource", "")  # noqa: SIM112 - the standard writes it so
    if not name:
        raise Failed(Exit.NOT_CONFIGURED, "the parameter drbd_resource is not set")
    if any(letter in name for letter in "*?["):
        raise Failed(Exit.NOT_CONFIGURED, f"drbd_resource is '{name}', which is not a name")
    return name


def _instance() -> str:
    return os.environ.get("OCF_RESOURCE_INSTANCE", "default")


def _state() -> Path:
    """A file that is there while the resource runs; its folder is empty after a boot."""
    folder = os.environ.get("HA_RSCTMP") or "/run/resource-agents"
    return Path(folder) / f"{NAME}-{_instance()}.state"


def log(text: str) -> None:
    """Log where Pacemaker lets agents log: syslog, its log file, or else standard error."""
    tag = f"{NAME}({_instance()})[{os.getpid()}]"
    facility = os.environ.get("HA_LOGFACILITY", "none")
    if facility not in ("", "none"):
        number = getattr(syslog, f"LOG_{facility.upper()}", syslog.LOG_DAEMON)
        syslog.openlog(tag, facility=number)
        syslog.syslog(syslog.LOG_NOTICE, text)
    line = f"{tag}: INFO: {text}\n"
    try:
        with Path(os.environ.get("HA_LOGFILE", "")).open("a") as file:
            file.write(f"{time.strftime('%b %d %H:%M:%S')} {line}")
    except OSError:
        sys.stderr.write(line)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Perform the action that is the first argument, and say how it went."""
    action = next(iter(sys.argv[1:] if arguments is None else arguments), "")
    if action not in ACTIONS:
        sys.stderr.write(f"usage: {NAME} {'|'.join(ACTIONS)}\n")
        return Exit.UNIMPLEMENTED
    try:
        return ACTIONS[action]()
    except Failed as error:
        return _fail(error.code, str(error))
    except OSError as error:
        return _fail(Exit.ERROR, f"{error.filename}: {error.strerror}")


def _fail(code: Exit, reason: str) -> Exit:
    prefix = os.environ.get("OCF_EXIT_REASON_PREFIX", "ocf-exit-reason:")
    sys.stderr.write(f"{prefix}{reason}\n")
    return code
