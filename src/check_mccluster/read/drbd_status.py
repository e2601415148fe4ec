"""Reads ``drbdsetup status --json`` of drbd-utils 8.9.8 to 9.34.

Sources: the functions ``*_status_json`` of drbd-utils ``user/v9/drbdsetup.c`` in each release,
drbd-headers ``drbd_strings.c``.
"""

from __future__ import annotations

from typing import Any, Optional, TypeVar, Union

from check_mccluster.model import words
from check_mccluster.model.drbd import (
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

from .drbd_json import Members, decode
from .errors import ReadError, refuse_twice

__all__ = ["read_drbd_status"]

ALL_ONES_64 = 2**63 - 1
"""A 64-bit statistic that the kernel did not fill in, halved from sectors to KiB, or more."""

ALL_ONES_32 = 2**32 - 1
"""A 32-bit statistic that the kernel did not fill in."""

UNKNOWN_SECONDS = 987654321
"""drbdsetup's word for an estimate that it does not have (31 years)."""

SUSPENDERS = frozenset({"user", "peer", "dependency"})
"""Who can hold up a resync."""

HIGHEST_NODE_ID = 31
HIGHEST_VOLUME = 65535

ALIKE = (
    *("suspended-user", "suspended-no-data", "suspended-fencing", "suspended-quorum"),
    *("force-io-failures", "client", "quorum", "open", "peer-client", "has-sync-details"),
    *("has-online-verify-details", "percent-in-sync", "ap-in-flight", "rs-in-flight", "paths"),
)
"""Keys that come with a release: one document has them in every place, or in none."""

VERIFYING = (ReplicationState.VERIFY_S, ReplicationState.VERIFY_T)

W = TypeVar("W", Role, DiskState, ConnectionState, ReplicationState)


def read_drbd_status(data: bytes) -> tuple[DrbdResource, ...]:
    """The resources that are up on this node; none for an empty list.

    :raises ReadError: if the output is not that of ``drbdsetup status --json``, or a member that
        every release prints is missing, or one has the wrong type.
    """
    elements = decode(data)
    resources = tuple(map(_resource, elements))
    _demand_alike(elements)
    refuse_twice((resource.name for resource in resources), "resource")
    for resource in resources:
        _refuse_twice(resource)
    return resources


def _demand_alike(elements: list[Any]) -> None:
    """A key that is printed in one place and not in another was damaged.

    :raises ReadError: naming it.
    """
    connections = [each for one in elements for each in one["connections"]]
    for objects in (
        elements,
        [each for one in elements for each in one["devices"]],
        connections,
        [each for one in connections for each in one["peer_devices"]],
    ):
        for key in ALIKE:
            told = sum(key in each for each in objects)
            if 0 < told < len(objects):
                raise ReadError(f"{key} is there {told} times, not {len(objects)}")


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


def _resource(element: Any) -> DrbdResource:
    if not isinstance(element, dict) or not {"name", "devices"} & element.keys():
        raise ReadError("not drbdsetup status")
    resource = Members(element, "a resource")
    name = resource.where = resource.text("name")
    node_id = resource.optional_integer("node-id")
    if node_id is not None and not -1 <= node_id <= HIGHEST_NODE_ID:
        raise ReadError(f"{name}: node-id is out of range")
    resource.elements("devices")
    resource.demand("node-id", "suspended")
    unknown: list[Unrecognised] = []
    return DrbdResource(
        name=name,
        node_id=None if node_id == -1 else node_id,
        role=_word(Role, resource, "role", unknown),
        suspended=resource.flag("suspended"),
        suspended_user=resource.flag("suspended-user"),
        suspended_no_data=resource.flag("suspended-no-data"),
        suspended_fencing=resource.flag("suspended-fencing"),
        suspended_quorum=resource.flag("suspended-quorum"),
        force_io_failures=resource.flag("force-io-failures"),
        devices=tuple(_device(value, name, unknown) for value in resource.elements("devices")),
        connections=tuple(
            _connection(value, name, unknown) for value in resource.elements("connections")
        ),
        unrecognised=tuple(unknown),
    )


def _device(element: Any, resource: str, unknown: list[Unrecognised]) -> Device:
    device = Members(element, f"a device of {resource}")
    volume = device.integer("volume", HIGHEST_VOLUME)
    device.where = f"{resource}/{volume}"
    # 8.9.8 to 8.9.10 print the key with a colon inside.
    disk_state = "disk-state:" if "disk-state:" in device else "disk-state"
    return Device(
        volume=volume,
        minor=device.optional_integer("minor"),
        disk_state=_word(DiskState, device, disk_state, unknown),
        client=device.flag("client"),
        quorum=device.flag("quorum"),
        open=device.flag("open"),
        size_kib=_counter(device, "size"),
        read_kib=_counter(device, "read"),
        written_kib=_counter(device, "written"),
        al_writes=_counter(device, "al-writes"),
        bm_writes=_counter(device, "bm-writes"),
        upper_pending=_requests(device, "upper-pending"),
        lower_pending=_requests(device, "lower-pending"),
    )


def _connection(element: Any, resource: str, unknown: list[Unrecognised]) -> Connection:
    connection = Members(element, f"a connection of {resource}")
    name = connection.text("name")
    connection.where = f"{resource} to {name}"
    connection.demand("congested")
    paths = connection.optional_elements("paths")
    return Connection(
        peer_node_id=connection.integer("peer-node-id", HIGHEST_NODE_ID),
        name=name,
        state=_word(ConnectionState, connection, "connection-state", unknown),
        peer_role=_word(Role, connection, "peer-role", unknown),
        congested=connection.flag("congested"),
        ap_in_flight=_counter(connection, "ap-in-flight"),
        rs_in_flight=_counter(connection, "rs-in-flight"),
        paths=None if paths is None else tuple(_path(path, connection.where) for path in paths),
        peer_devices=tuple(
            _peer_device(value, resource, name, unknown)
            for value in connection.elements("peer_devices")
        ),
    )


def _path(element: Any, where: str) -> Path:
    path = Members(element, f"a path of {where}")
    return Path(
        this_host=_address(path.value("this_host"), f"this_host of {path.where}"),
        remote_host=_address(path.value("remote_host"), f"remote_host of {path.where}"),
        established=path.flag("established"),
    )


def _address(element: Any, where: str) -> str:
    """``address:port``; the family's name where drbdsetup prints nothing else."""
    host = Members(element, where)
    address = host.optional_text("address")
    if address is None:
        return host.text("family")
    if ":" in address:
        address = f"[{address}]"
    return f"{address}:{host.integer('port')}"


def _peer_device(element: Any, resource: str, peer: str, unknown: list[Unrecognised]) -> PeerDevice:
    device = Members(element, f"a peer device of {resource} to {peer}")
    volume = device.integer("volume", HIGHEST_VOLUME)
    device.where = f"{resource}/{volume} to {peer}"
    device.demand("resync-suspended", "received", "sent", "out-of-sync", "pending", "unacked")
    for key in ("received", "sent", "out-of-sync", "pending", "unacked"):
        if device.optional_integer(key) is not None:
            device.integer(key)
    replication = _word(ReplicationState, device, "replication-state", unknown)
    verifying = device.flag("has-online-verify-details")
    if isinstance(replication, ReplicationState):
        # The details end with the last block, the state a little later.
        verifying = bool(verifying) or replication in VERIFYING
    return PeerDevice(
        volume=volume,
        replication_state=replication,
        peer_disk_state=_word(DiskState, device, "peer-disk-state", unknown),
        peer_client=device.flag("peer-client"),
        resync_suspended=_suspenders(device, unknown),
        received_kib=_counter(device, "received"),
        sent_kib=_counter(device, "sent"),
        out_of_sync_kib=_counter(device, "out-of-sync"),
        pending=_requests(device, "pending"),
        unacked=_requests(device, "unacked"),
        percent_in_sync=_percent(device, "percent-in-sync"),
        verifying=verifying,
        progress=_progress(device),
    )


def _progress(device: Members) -> Optional[Progress]:
    # 9.4.0 renamed resync-done. A kernel that is older than the tool gives the percentage only.
    percent = "resync-done" if "resync-done" in device else "percent-resync-done"
    if not device.flag("has-sync-details") and percent not in device:
        return None
    return Progress(
        percent_done=_percent(device, percent),
        seconds_left=_seconds_left(device),
        rate=device.number("db/dt [MiB/s]"),
        recent_rate=device.number("db0/dt0 [MiB/s]"),
        wanted_rate=device.number("want"),
        recent_sectors=_counter(device, "rs-db0-sectors"),
        window_ms=_counter(device, "rs-dt0-ms"),
        running_ms=_counter(device, "rs-dt-start-ms"),
        paused_ms=_counter(device, "rs-paused-ms"),
        total_sectors=_counter(device, "rs-total"),
        failed_sectors=_counter(device, "rs-failed"),
        mark_ms=_counter(device, "rs-dt1-ms"),
    )


def _word(
    known: type[W], members: Members, key: str, unknown: list[Unrecognised]
) -> Union[W, Unrecognised]:
    """The state word under *key*; one that nobody knows is added to *unknown*."""
    state = words.parse(known, members.text(key), f"{key.rstrip(':')} of {members.where}")
    if isinstance(state, Unrecognised):
        unknown.append(state)
    return state


def _suspenders(device: Members, unknown: list[Unrecognised]) -> Optional[frozenset[str]]:
    text = device.optional_text("resync-suspended")
    if text is None:
        return None
    if text == "no":
        return frozenset()
    found = frozenset(text.split(","))
    where = f"resync-suspended of {device.where}"
    unknown.extend(Unrecognised(word, where) for word in sorted(found - SUSPENDERS))
    return found


def _counter(members: Members, key: str) -> Optional[int]:
    """A statistic of 64 bits; ``None`` where the kernel did not fill it in."""
    value = members.optional_integer(key)
    return None if value is not None and value >= ALL_ONES_64 else value


def _requests(members: Members, key: str) -> Optional[int]:
    """A statistic of 32 bits; ``None`` where the kernel did not fill it in."""
    value = members.optional_integer(key)
    return None if value == ALL_ONES_32 else value


def _percent(members: Members, key: str) -> Optional[float]:
    """A percentage; ``None`` outside 0 to 100, which is arithmetic on absent statistics."""
    value = members.number(key)
    if value is None or not 0 <= value <= 100:
        return None
    return abs(value)  # -0.00 is 0


def _seconds_left(device: Members) -> Optional[int]:
    """The estimate; before 9.10.0 a resync that goes backwards has a negative one."""
    value = device.number("estimated-seconds-to-finish")
    if value is None or not 0 <= value < UNKNOWN_SECONDS:
        return None
    return int(value)
