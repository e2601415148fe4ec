"""Reads ``drbdsetup status --json`` of drbd-utils 8.9.8 to 9.34.

Long because it is one document: a method for each of its objects, read a key at a time.

Sources: the functions ``*_status_json`` of drbd-utils ``user/v9/drbdsetup.c`` in each release,
drbd-headers ``drbd_strings.c``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, repeat
from typing import Any, Optional, TypeVar, Union

from check_mccluster.model import words
from check_mccluster.model.drbd import (
    BY_DEPENDENCY,
    BY_PEER,
    BY_USER,
    Connection,
    ConnectionState,
    Device,
    DiskState,
    DrbdResource,
    Path,
    PeerDevice,
    Progress,
    ReplicationState,
    Role,
)
from check_mccluster.model.words import Unrecognised

from .drbd_json import Members, Table, decode, decode_in_blocks
from .errors import ReadError, refuse_twice

__all__ = ["read_drbd_status"]

ALL_ONES_64 = 2**63 - 1
"""A 64-bit statistic that the kernel did not fill in, halved from sectors to KiB, or more."""

ALL_ONES_32 = 2**32 - 1
"""A 32-bit statistic that the kernel did not fill in."""

UNKNOWN_SECONDS = 987654321
"""drbdsetup's word for an estimate that it does not have (31 years)."""

SUSPENDERS = frozenset({BY_USER, BY_PEER, BY_DEPENDENCY})
"""Who can hold up a resync."""

HIGHEST_NODE_ID = 31
HIGHEST_VOLUME = 65535

ALIKE = frozenset(
    (
        *("suspended-user", "suspended-no-data", "suspended-fencing", "suspended-quorum"),
        *("force-io-failures", "client", "quorum", "open", "peer-client", "has-sync-details"),
        *("has-online-verify-details", "percent-in-sync", "ap-in-flight", "rs-in-flight", "paths"),
    )
)
"""Keys that come with a release: one document has them in every place, or in none."""

PERCENT = ("resync-done", "percent-resync-done")
"""9.4.0 renamed it. A kernel that is older than the tool gives it without other details."""

VERIFYING = (ReplicationState.VERIFY_S, ReplicationState.VERIFY_T)

T = TypeVar("T")
W = TypeVar("W", Role, DiskState, ConnectionState, ReplicationState)


def read_drbd_status(data: bytes) -> tuple[DrbdResource, ...]:
    """The resources that are up on this node; none for an empty list.

    :raises ReadError: if the output is not that of ``drbdsetup status --json``, or a member that
        every release prints is missing, or one has the wrong type.
    """
    resources = _at_once(data)
    if resources is None:  # whole, with a closer look at everything
        document = _Document(decode(data))
        refuse_twice((one.name for one in document.resources), "resource")
        resources = document.resources
    return resources


def _at_once(data: bytes) -> Optional[tuple[DrbdResource, ...]]:
    """The resources if there is nothing to be said against the document, else ``None``."""
    found: list[DrbdResource] = []
    missing: set[tuple[frozenset[str], ...]] = set()
    try:
        for elements, colons in decode_in_blocks(data):
            document = _Document(elements)
            if document.colons != colons:
                return None
            missing.add(document.missing)
            found += document.resources
    except ReadError:
        return None
    twice = len({one.name for one in found}) < len(found)
    return None if twice or len(missing) > 1 else tuple(found)


class _Document:
    """The resources of a document, or of a part of it."""

    def __init__(self, elements: list[Any]) -> None:
        self.colons = 0
        """How many colons of the text are accounted for, by keys and in addresses."""
        self._tables: list[Table] = []
        self._tells_clients: set[bool] = set()
        self._client_types: set[type] = set()
        self._unknown = False
        self._twice = False
        if not all(isinstance(one, dict) and {"name", "devices"} & one.keys() for one in elements):
            raise ReadError("not drbdsetup status")
        table = self._table(elements, lambda _: "a resource")
        names = table.texts("name")
        table.where = names.__getitem__
        devices = table.elements("devices")
        table.demand("suspended")
        connections = table.elements("connections")
        self.resources = tuple(
            _made(
                DrbdResource._make,
                names,
                _node_ids(table),
                self._words(table, Role, "role"),
                table.flags("suspended"),
                table.flags("suspended-user"),
                table.flags("suspended-no-data"),
                table.flags("suspended-fencing"),
                table.flags("suspended-quorum"),
                table.flags("force-io-failures"),
                _together(devices, self._devices(devices, names)),
                _together(connections, self._connections(connections, names)),
                repeat(()),
            )
        )
        if self._unknown:
            self.resources = tuple(
                one._replace(unrecognised=tuple(_unrecognised(one))) for one in self.resources
            )
        for resource in self.resources if self._twice else ():
            _refuse_twice(resource)
        self.missing = tuple(ALIKE & table.missing for table in self._tables)
        """Those of :data:`ALIKE` that are not there, for each kind of object."""
        for table, keys in zip(self._tables, self.missing):
            for key in keys:
                told, of = table.count(key), len(table.objects)
                if told:
                    raise ReadError(f"{key} is there {told} times, not {of}")
        # drbd-utils 9.2 came with the one, 9.4 with the other.
        if any(table.count("has-sync-details") for table in self._tables):
            if any("quorum" in table.missing for table in self._tables):
                raise ReadError("quorum is missing, though drbd-utils 9.4 prints it")

    def _table(self, objects: list[Any], where: Callable[[int], str]) -> Table:
        table = Table(objects, where)
        self.colons += table.size
        self._tables.append(table)
        return table

    def _distinct(self, owners: list[Any], *columns: list[Any]) -> None:
        """Note whether two objects of one owner have the same name, in one or more *columns*."""
        if len(set(owners)) < len(owners):  # else each owner has but one
            self._twice = self._twice or len({*zip(owners, *columns)}) < len(owners)

    def _words(self, table: Table, known: type[W], key: str) -> list[Union[W, Unrecognised]]:
        """State words; one that nobody knows keeps its text."""
        texts = table.texts(key)
        states = {text: words.parse(known, text, key) for text in set(texts)}
        if not any(isinstance(state, Unrecognised) for state in states.values()):
            return [states[text] for text in texts]
        self._unknown = True
        name = key.rstrip(":")
        return [
            words.parse(known, text, f"{name} of {table.where(index)}")
            for index, text in enumerate(texts)
        ]

    def _devices(self, lists: list[list[Any]], resources: list[str]) -> Iterator[Device]:
        of = _owners(lists, resources)
        table = self._table(_flat(lists), lambda index: f"a device of {of[index]}")
        self._clients(table, "client")
        volumes = table.integers("volume", HIGHEST_VOLUME)
        table.where = lambda index: f"{of[index]}/{volumes[index]}"
        self._distinct(of, volumes)
        return _made(
            Device._make,
            volumes,
            table.optional_integers("minor"),
            # 8.9.8 to 8.9.10 print the key with a colon inside.
            self._words(
                table, DiskState, "disk-state:" if table.count("disk-state:") else "disk-state"
            ),
            table.flags("client"),
            table.flags("quorum"),
            table.flags("open"),
            _counters(table, "size"),
            _counters(table, "read"),
            _counters(table, "written"),
            _counters(table, "al-writes"),
            _counters(table, "bm-writes"),
            _filled_in(table.optional_integers("upper-pending")),
            _filled_in(table.optional_integers("lower-pending")),
        )

    def _connections(self, lists: list[list[Any]], resources: list[str]) -> Iterator[Connection]:
        of = _owners(lists, resources)
        table = self._table(_flat(lists), lambda index: f"a connection of {of[index]}")
        names = table.texts("name")
        table.where = lambda index: f"{of[index]} to {names[index]}"
        ids = table.integers("peer-node-id", HIGHEST_NODE_ID)
        self._distinct(of, names)
        self._distinct(of, ids)
        table.demand("congested")
        devices = table.elements("peer_devices")
        return _made(
            Connection._make,
            ids,
            names,
            self._words(table, ConnectionState, "connection-state"),
            self._words(table, Role, "peer-role"),
            table.flags("congested"),
            _counters(table, "ap-in-flight"),
            _counters(table, "rs-in-flight"),
            self._paths(table),
            _together(devices, self._peer_devices(devices, of, names)),
        )

    def _paths(self, connections: Table) -> Iterable[Optional[tuple[Path, ...]]]:
        lists = connections.optional_elements("paths")
        of = _owners(lists, range(len(lists)))

        def where(index: int) -> str:
            return f"a path of {connections.where(of[index])}"

        table = self._table(_flat(lists), where)
        here, there = self._addresses(table, "this_host"), self._addresses(table, "remote_host")
        self._distinct(of, here, there)
        paths = _made(Path._make, here, there, table.flags("established"))
        return _together(lists, paths)

    def _addresses(self, paths: Table, key: str) -> list[str]:
        """``address:port``; the family's name where drbdsetup prints nothing else."""
        table = self._table(paths.values(key), lambda index: f"{key} of {paths.where(index)}")
        if table.count("address") < len(table.objects):
            return table.each(_address)
        addresses = table.texts("address")
        colons = "".join(addresses).count(":")
        if colons:
            self.colons += colons
            return table.each(_address)
        return [f"{one}:{port}" for one, port in zip(addresses, table.integers("port"))]

    def _peer_devices(
        self, lists: list[list[Any]], resources: list[str], peers: list[str]
    ) -> Iterator[PeerDevice]:
        of, to = _owners(lists, resources), _owners(lists, peers)
        table = self._table(
            _flat(lists), lambda index: f"a peer device of {of[index]} to {to[index]}"
        )
        self._clients(table, "peer-client")
        volumes = table.integers("volume", HIGHEST_VOLUME)
        table.where = lambda index: f"{of[index]}/{volumes[index]} to {to[index]}"
        self._distinct(list(zip(of, to)), volumes)
        replication = self._words(table, ReplicationState, "replication-state")
        return _made(
            PeerDevice._make,
            volumes,
            replication,
            self._words(table, DiskState, "peer-disk-state"),
            table.flags("peer-client"),
            self._suspenders(table),
            _below(table.integers("received"), ALL_ONES_64),
            _below(table.integers("sent"), ALL_ONES_64),
            _below(table.integers("out-of-sync"), ALL_ONES_64),
            _filled_in(table.integers("pending")),
            _filled_in(table.integers("unacked")),
            _percents(table, "percent-in-sync"),
            # The details end with the last block, the state a little later.
            [
                told if isinstance(state, Unrecognised) else bool(told) or state in VERIFYING
                for told, state in zip(table.flags("has-online-verify-details"), replication)
            ],
            _progresses(table),
        )

    def _clients(self, table: Table, key: str) -> None:
        """Releases that tell intended clients do so of this node and of its peers (8.9.11)."""
        if table.objects:
            self._tells_clients.add(table.count(key) > 0)
        if len(self._tells_clients) > 1:
            raise ReadError("of client and peer-client one is not told")
        self._client_types.update(type(one[key]) for one in table.objects if key in one)
        if {bool, str} <= self._client_types:
            raise ReadError("clients are told in words and in booleans")

    def _suspenders(self, table: Table) -> list[frozenset[str]]:
        """Who holds up each resync."""
        texts = table.texts("resync-suspended")
        found = {text: frozenset(text.split(",")) for text in set(texts)}
        found["no"] = frozenset()
        self._unknown = self._unknown or any(each - SUSPENDERS for each in found.values())
        return [found[text] for text in texts]


def _made(make: Callable[[Iterable[Any]], T], *columns: Iterable[Any]) -> Iterator[T]:
    """What *make* makes of each row of the *columns*: one for each field."""
    return map(make, zip(*columns))


def _flat(lists: Iterable[Optional[list[Any]]]) -> list[Any]:
    return list(chain.from_iterable(filter(None, lists)))


def _owners(lists: Iterable[Optional[list[Any]]], owners: Iterable[T]) -> list[T]:
    """For each thing in the *lists* whose it is."""
    numbers = [len(each or ()) for each in lists]
    if set(numbers) == {1}:
        return list(owners)
    return list(chain.from_iterable(map(repeat, owners, numbers)))


def _together(
    lists: Iterable[Optional[list[Any]]], things: Iterable[T]
) -> list[Optional[tuple[T, ...]]]:
    """The *things*, made one from each object of the *lists*, as those are divided."""
    lengths = [None if each is None else len(each) for each in lists]
    if set(lengths) == {1}:
        return list(zip(things))
    rest = iter(things)
    return [None if length is None else tuple(islice(rest, length)) for length in lengths]


def _refuse_twice(resource: DrbdResource) -> None:
    name = resource.name
    refuse_twice((device.volume for device in resource.devices), f"{name}: volume")
    refuse_twice((peer.name for peer in resource.connections), f"{name}: connection to")
    refuse_twice((peer.peer_node_id for peer in resource.connections), f"{name}: peer node id")
    for peer in resource.connections:
        where = f"{name} to {peer.name}"
        refuse_twice((device.volume for device in peer.peer_devices), f"{where}: volume")
        paths = (f"{path.this_host} to {path.remote_host}" for path in peer.paths or ())
        refuse_twice(paths, f"{where}: path")


def _unrecognised(resource: DrbdResource) -> Iterator[Unrecognised]:
    """The words that nobody knows, in the order in which they are printed."""
    states: list[object] = [resource.role, *(one.disk_state for one in resource.devices)]
    for peer in resource.connections:
        states += (peer.state, peer.peer_role)
        for device in peer.peer_devices:
            states += (device.replication_state, device.peer_disk_state)
            where = f"resync-suspended of {resource.name}/{device.volume} to {peer.name}"
            others = (device.resync_suspended or frozenset()) - SUSPENDERS
            states += (Unrecognised(word, where) for word in sorted(others))
    return (state for state in states if isinstance(state, Unrecognised))


def _node_ids(resources: Table) -> list[Optional[int]]:
    resources.demand("node-id")
    numbers = resources.optional_integers("node-id")
    for index, number in enumerate(numbers):
        if number is not None and not -1 <= number <= HIGHEST_NODE_ID:
            raise ReadError(f"{resources.where(index)}: node-id is out of range")
    return [None if number == -1 else number for number in numbers]


def _address(host: Members) -> str:
    address = host.optional_text("address")
    if address is None:
        return host.text("family")
    if ":" in address:
        address = f"[{address}]"
    return f"{address}:{host.integer('port')}"


def _progresses(table: Table) -> list[Optional[Progress]]:
    details = table.flags("has-sync-details")
    return [
        _progress(Members(one, table.where(index)), detailed=bool(detailed))
        if detailed or "percent-resync-done" in one or "resync-done" in one
        else None
        for index, (one, detailed) in enumerate(zip(table.objects, details))
    ]


DETAILS = (
    *("rs-total", "rs-dt-start-ms", "rs-paused-ms"),
    *("rs-dt0-ms", "rs-db0-sectors", "rs-dt1-ms"),
)
"""What is printed together; each of them may be what tells that a resync stands still."""


def _progress(device: Members, *, detailed: bool) -> Progress:
    if detailed:
        device.demand(*DETAILS)
    old, new = PERCENT
    percent = old if old in device else new
    return Progress(
        percent_done=_percent(device, percent),
        seconds_left=_seconds_left(device),
        rate=device.number("db/dt [MiB/s]"),
        recent_rate=device.number("db0/dt0 [MiB/s]"),
        wanted_rate=device.number("want"),
        recent_sectors=_counter(device, "rs-db0-sectors"),
        window_ms=_duration(device, "rs-dt0-ms"),
        running_ms=_duration(device, "rs-dt-start-ms"),
        paused_ms=_duration(device, "rs-paused-ms"),
        total_sectors=_counter(device, "rs-total"),
        failed_sectors=_counter(device, "rs-failed"),
        mark_ms=_duration(device, "rs-dt1-ms"),
    )


def _counter(members: Members, key: str) -> Optional[int]:
    """A statistic of 64 bits; ``None`` where the kernel did not fill it in."""
    value = members.optional_integer(key)
    return None if value is not None and value >= ALL_ONES_64 else value


def _duration(members: Members, key: str) -> Optional[int]:
    """Milliseconds: unlike what moved meanwhile, never less than none."""
    value = _counter(members, key)
    if value is not None and value < 0:
        raise ReadError(f"{members.where}: {key} is out of range")
    return value


def _counters(table: Table, key: str) -> list[Optional[int]]:
    """Statistics of 64 bits; ``None`` where the kernel did not fill them in."""
    values = table.values(key)
    if set(map(type, values)) == {int} and min(values) >= 0 and max(values) < ALL_ONES_64:
        return values
    return table.each(lambda one: _counter(one, key)) if table.count(key) else values


def _filled_in(values: Sequence[Optional[int]]) -> Sequence[Optional[int]]:
    """Statistics of 32 bits; ``None`` where the kernel did not fill them in."""
    if ALL_ONES_32 not in values:
        return values
    return [None if value == ALL_ONES_32 else value for value in values]


def _below(values: list[int], limit: int) -> Sequence[Optional[int]]:
    """The values, ``None`` for one from *limit* on: what the kernel did not fill in."""
    if not values or max(values) < limit:
        return values
    return [value if value < limit else None for value in values]


def _percents(table: Table, key: str) -> list[Optional[float]]:
    values = table.values(key)
    if set(map(type, values)) == {float} and min(values) >= 0 and max(values) <= 100:
        return list(map(abs, values))  # -0.00 is 0
    return table.each(lambda one: _percent(one, key))


def _percent(members: Members, key: str) -> Optional[float]:
    """A percentage; ``None`` outside 0 to 100, which is arithmetic on absent statistics."""
    value = members.number(key)
    if value is None or not 0 <= value <= 100:
        return None
    return abs(value)


def _seconds_left(device: Members) -> Optional[int]:
    """The estimate; before 9.10.0 a resync that goes backwards has a negative one."""
    value = device.number("estimated-seconds-to-finish")
    if value is None or not 0 <= value < UNKNOWN_SECONDS:
        return None
    return int(value)
