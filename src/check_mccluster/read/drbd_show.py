"""Reads ``drbdsetup show --json --show-defaults`` of drbd-utils 9.6 to 9.34.

Sources: the functions ``show_*_json`` of drbd-utils ``user/v9/drbdsetup.c`` in each release,
drbd-headers ``linux/drbd_limits.h`` (units); drbd.conf-9.0(5).
"""

from __future__ import annotations

from typing import Any, Optional

from check_mccluster.model.drbd import ShownConnection, ShownResource, ShownVolume
from check_mccluster.model.words import has_digits

from .drbd_json import Members, Pairs, decode
from .errors import ReadError, refuse_twice

__all__ = ["read_drbd_show"]

TENTHS = 10
"""``timeout`` and ``ping-timeout`` are in tenths of a second, the intervals in seconds."""


def read_drbd_show(data: bytes) -> tuple[ShownResource, ...]:
    """The options in force of the resources on this node; none for an empty list.

    An option that is not printed is ``None``, also where it would have its default: releases before
    9.33 print defaults only with ``--show-defaults``. The shared secret is not kept.

    :raises ReadError: if the output is not that of ``drbdsetup show --json``, or a member has the
        wrong type.
    """
    resources = tuple(_resource(element) for element in decode(data, _object))
    refuse_twice((one.name for one in resources), "resource")
    for one in resources:
        refuse_twice((each.volume for each in one.volumes), f"{one.name}: volume")
        peers = (each.peer_node_id for each in one.connections)
        refuse_twice((peer for peer in peers if peer is not None), f"{one.name}: peer node id")
    return resources


def _object(pairs: Pairs) -> dict[str, Any]:
    """An object with all values of ``disk`` as a list, because two releases print it twice.

    9.6.0 to 9.7.1: the path of the backing disk, then the options. Since 9.33.0, for an intended
    client: ``"none"``, then the options. Other keys: the last value, ``path`` of 9.6.0 to 9.28.0.
    """
    members = dict(pairs)
    if "disk" in members:
        members["disk"] = [value for key, value in pairs if key == "disk"]
    return members


def _resource(element: Any) -> ShownResource:
    if not isinstance(element, dict) or not {"resource", "_this_host"} & element.keys():
        raise ReadError("not drbdsetup show")
    resource = Members(element, "a resource")
    name = resource.where = resource.text("resource")
    host = Members(resource.value("_this_host"), f"_this_host of {name}")
    options = _section(resource, "options")
    return ShownResource(
        name=name,
        node_id=host.optional_integer("node-id"),
        quorum=options.optional_text("quorum"),
        on_no_quorum=options.optional_text("on-no-quorum"),
        quorum_minimum_redundancy=options.optional_text("quorum-minimum-redundancy"),
        auto_promote=options.flag("auto-promote"),
        volumes=tuple(_volume(value, name) for value in host.optional_elements("volumes") or ()),
        connections=tuple(
            _connection(value, name) for value in resource.optional_elements("connections") or ()
        ),
        options=_words(resource.value("options")),
    )


def _words(section: Any) -> dict[str, str]:
    """Every option of a section as it is printed, to be compared with another node's."""
    if not isinstance(section, dict):
        return {}
    return {
        key: str(value)
        for key, value in section.items()
        if isinstance(value, (str, bool)) and not key.startswith("_") and "secret" not in key
    }


def _section(members: Members, key: str) -> Members:
    """A section of options; an empty one if it is not printed."""
    value = members.value(key)
    return Members({} if value is None else value, f"{key} of {members.where}")


def _volume(element: Any, resource: str) -> ShownVolume:
    volume = Members(element, f"a volume of {resource}")
    number = volume.integer("volume_nr")
    volume.where = f"{resource}/{number}"
    disks = _disks(volume)
    paths = [disk for disk in disks if isinstance(disk, str) and disk != "none"]
    backing_disk = volume.optional_text("backing-disk")
    return ShownVolume(
        volume=number,
        minor=volume.optional_integer("device_minor"),
        backing_disk=paths[0] if backing_disk is None and paths else backing_disk,
        # Every release that has --json marks an intended client. A volume with neither the mark nor
        # a backing disk has lost its disk, or was detached.
        diskless="none" in disks or _disk_options(volume).flag("diskless") is True,
    )


def _disks(volume: Members) -> list[Any]:
    disks = volume.optional_elements("disk") or []
    for disk in disks:
        if not isinstance(disk, dict) and not (isinstance(disk, str) and disk.isprintable()):
            raise ReadError(f"{volume.where}: disk is neither a path nor options")
    return disks


def _disk_section(volume: Members) -> dict[str, Any]:
    options = [disk for disk in _disks(volume) if isinstance(disk, dict)]
    return options[-1] if options else {}


def _disk_options(volume: Members) -> Members:
    return Members(_disk_section(volume), f"disk of {volume.where}")


def _connection(element: Any, resource: str) -> ShownConnection:
    connection = Members(element, f"a connection of {resource}")
    net = _section(connection, "net")
    name = net.optional_text("_name")
    node_id = connection.optional_integer("_peer_node_id")
    connection.where = f"{resource} to {node_id if name is None else name}"
    net.where = f"net of {connection.where}"
    bitmaps = _bitmaps(connection)
    return ShownConnection(
        peer_node_id=node_id,
        name=name,
        timeout_s=_seconds(net, "timeout", TENTHS),
        ping_timeout_s=_seconds(net, "ping-timeout", TENTHS),
        ping_int_s=_seconds(net, "ping-int"),
        connect_int_s=_seconds(net, "connect-int"),
        ko_count=_whole_number(net, "ko-count"),
        protocol=net.optional_text("protocol"),
        allow_two_primaries=net.flag("allow-two-primaries"),
        standalone=bool(connection.flag("_is_standalone")),  # printed only if it is
        client_volumes=tuple(volume for volume, bitmap in bitmaps if bitmap is False),
        replica_volumes=tuple(volume for volume, bitmap in bitmaps if bitmap is True),
        net=_words(connection.value("net")),
        of_volumes=_words_of_volumes(connection),
        address=_address(connection.value("path")),
    )


def _address(path: Any) -> str:
    """``10.77.0.13:7000`` of ``ipv4 10.77.0.13:7000``; several paths are printed under one key."""
    said = path.get("_remote_host") if isinstance(path, dict) else None
    words = said.split() if isinstance(said, str) else []
    return words[-1] if words and words[-1].isprintable() else ""


def _words_of_volumes(connection: Members) -> dict[str, str]:
    """Options for the peer's volumes; whether it has a bitmap there is no matter of choice."""
    found = {}
    for element in connection.optional_elements("volumes") or ():
        volume = Members(element, f"a volume of {connection.where}")
        number = volume.integer("volume_nr")
        for key, value in _words(_disk_section(volume)).items():
            if key != "bitmap":
                found[f"{number} {key}"] = value
    return found


def _bitmaps(connection: Members) -> list[tuple[int, Optional[bool]]]:
    """Each volume's number, and whether a bitmap is kept for this peer: not for a client."""
    bitmaps = []
    for element in connection.optional_elements("volumes") or ():
        volume = Members(element, f"a volume of {connection.where}")
        number = volume.integer("volume_nr")
        volume.where = f"volume {number} of {connection.where}"
        bitmaps.append((number, _disk_options(volume).flag("bitmap")))
    return bitmaps


def _whole_number(net: Members, key: str) -> Optional[int]:
    """An option that is a number. drbdsetup prints those as strings."""
    text = net.optional_text(key)
    if text is None:
        return None
    if not (has_digits(text) and len(text) <= 10):
        raise ReadError(f"{net.where}: {key} is not a number")
    return int(text)


def _seconds(net: Members, key: str, per_second: int = 1) -> Optional[float]:
    number = _whole_number(net, key)
    return None if number is None else number / per_second
