"""What a finding is about: a node, a resource, a volume, a connection, a tool.

A value, not a string: a Pacemaker resource and a DRBD resource of one name are two things, and a
connection is one thing whichever of its ends looks at it. ``str()`` is what is printed.
"""

from __future__ import annotations

from typing import Optional

from ..values import NamedTuple

NODE = "node"
RESOURCE = "resource"
DRBD = "drbd"
VOLUME = "volume"
CONNECTION = "connection"
LINK = "link"
TICKET = "ticket"
RING = "ring"
TOOL = "tool"
CLUSTER = "cluster"
SETTING = "setting"


class Subject(NamedTuple):
    """One thing that can be at fault; make it with the functions of this module.

    :param sort: one of the words above.
    :param name: of the node, Pacemaker resource, DRBD resource, ticket, ring or tool; of the
        cluster-wide fact.
    :param volume: the volume's number, for ``volume``.
    :param ends: for ``connection``: the node that sees it, then its peer.
    """

    sort: str
    name: str
    volume: Optional[int] = None
    ends: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.sort == VOLUME:
            return f"{self.name}/{self.volume}"
        if self.sort == CONNECTION:
            return f"{self.name}:{self.ends[1]}"
        if self.sort == LINK:
            return f"{self.name} {self.ends[0]}-{self.ends[1]}"
        return self.name

    @property
    def same(self) -> Subject:
        """The subject as nobody in particular sees it: equal for both ends of a connection."""
        return self._replace(ends=tuple(sorted(self.ends))) if self.ends else self

    @property
    def drbd_resource(self) -> Optional[str]:
        """The DRBD resource that it is, or is a part of."""
        return self.name if self.sort in (DRBD, VOLUME, CONNECTION, LINK) else None


def node(name: str) -> Subject:
    """A node of the cluster or of a mesh."""
    return Subject(NODE, name)


def resource(name: str) -> Subject:
    """A Pacemaker resource, group, clone, bundle or one of their members."""
    return Subject(RESOURCE, name)


def drbd(name: str) -> Subject:
    """A DRBD resource."""
    return Subject(DRBD, name)


def volume(name: str, number: int) -> Subject:
    """A volume of a DRBD resource: ``r0/0``, as drbdadm names it."""
    return Subject(VOLUME, name, number)


def connection(name: str, here: str, peer: str) -> Subject:
    """A connection of a DRBD resource, as *here* sees it: ``r0:storage02``."""
    return Subject(CONNECTION, name, None, (here, peer))


def link(name: str, one: str, other: str) -> Subject:
    """A connection of a DRBD resource as nobody in particular sees it: ``r0 app01-storage01``."""
    first, second = sorted((one, other))
    return Subject(LINK, name, None, (first, second))


def ticket(name: str) -> Subject:
    """A cluster ticket."""
    return Subject(TICKET, name)


def ring(number: int) -> Subject:
    """A ring of Corosync 2."""
    return Subject(RING, f"ring {number}")


def tool(name: str) -> Subject:
    """A program that was to be read, or what it belongs to."""
    return Subject(TOOL, name)


def cluster(fact: str = "cluster") -> Subject:
    """The cluster as a whole, or a fact of it: ``partition``, ``votes``, ``fencing``."""
    return Subject(CLUSTER, fact)


STOP_ALL = cluster("stop-all-resources")
"""The property that stops every resource."""


def setting(path: str) -> Subject:
    """A key of the configuration file: ``pacemaker.tie_breakers``."""
    return Subject(SETTING, path)
