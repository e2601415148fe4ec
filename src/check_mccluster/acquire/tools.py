"""The tools that the suite reads: name, arguments, and the name of their file in a snapshot."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tool:
    """A command whose standard output is read.

    :param name: the program's name, also the key of its configured path.
    :param arguments: its arguments; no shell ever sees them.
    :param file: its name in a snapshot, ``None`` for one that a snapshot does not hold.
    :param limit: the most output that is read, in bytes.
    :param loads_module: running it as root would load the DRBD kernel module.
    """

    name: str
    arguments: tuple[str, ...]
    file: str
    limit: int = 16 * 2**20
    loads_module: bool = False

    @property
    def command(self) -> str:
        """The command line as an operator would type it."""
        return " ".join((self.name, *self.arguments))


CRM_MON = Tool("crm_mon", ("-r", "-1", "-X"), "crm_mon.xml", limit=256 * 2**20)
CIB = Tool("cibadmin", ("--query",), "cib.xml", limit=256 * 2**20)
DRBD_STATUS = Tool("drbdsetup", ("status", "--json"), "drbd-status.json", 64 * 2**20, True)
DRBD_STATUS_AGAIN = Tool("drbdsetup", ("status", "--json"), "drbd-status.2.json", 64 * 2**20, True)
DRBD_SHOW = Tool(
    "drbdsetup", ("show", "--json", "--show-defaults"), "drbd-show.json", 64 * 2**20, True
)
QUORUMTOOL = Tool("corosync-quorumtool", ("-s",), "corosync-quorumtool.txt")
CFGTOOL = Tool("corosync-cfgtool", ("-s",), "corosync-cfgtool.txt")
CMAPCTL = Tool("corosync-cmapctl", (), "corosync-cmapctl.txt")
DRBD_RESOURCES = Tool("drbdadm", ("sh-resources",), "drbdadm-sh-resources.txt")

RECORDED = (CRM_MON, CIB, DRBD_STATUS, DRBD_SHOW, CMAPCTL, QUORUMTOOL, CFGTOOL)
"""What a snapshot holds."""
