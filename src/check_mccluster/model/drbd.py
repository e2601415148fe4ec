"""DRBD's view: ``drbdsetup status --json`` and ``drbdsetup show --json --show-defaults``.

Sources: drbd-utils ``user/v9/drbdsetup.c`` (functions ``*_status_json``, ``show_*_json``),
drbd-headers ``drbd_strings.c``, ``linux/drbd_genl.h``; drbdsetup(8), drbd.conf-9.0(5).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Optional, Union

from ..values import NamedTuple
from .words import Unrecognised, Word

KIB = 1024


class Role(Word):
    """Role of a resource on a node."""

    UNKNOWN = "Unknown"
    PRIMARY = "Primary"
    SECONDARY = "Secondary"


class DiskState(Word):
    """State of a backing disk, own or peer's."""

    DISKLESS = "Diskless"
    ATTACHING = "Attaching"
    DETACHING = "Detaching"
    FAILED = "Failed"
    NEGOTIATING = "Negotiating"
    INCONSISTENT = "Inconsistent"
    OUTDATED = "Outdated"
    D_UNKNOWN = "DUnknown"
    CONSISTENT = "Consistent"
    UP_TO_DATE = "UpToDate"


class ConnectionState(Word):
    """State of a connection."""

    STANDALONE = "StandAlone"
    DISCONNECTING = "Disconnecting"
    UNCONNECTED = "Unconnected"
    TIMEOUT = "Timeout"
    BROKEN_PIPE = "BrokenPipe"
    NETWORK_FAILURE = "NetworkFailure"
    PROTOCOL_ERROR = "ProtocolError"
    TEAR_DOWN = "TearDown"
    CONNECTING = "Connecting"
    CONNECTED = "Connected"


class ReplicationState(Word):
    """Replication state of a peer device."""

    OFF = "Off"
    ESTABLISHED = "Established"
    STARTING_SYNC_S = "StartingSyncS"
    STARTING_SYNC_T = "StartingSyncT"
    WF_BITMAP_S = "WFBitMapS"
    WF_BITMAP_T = "WFBitMapT"
    WF_SYNC_UUID = "WFSyncUUID"
    SYNC_SOURCE = "SyncSource"
    SYNC_TARGET = "SyncTarget"
    VERIFY_S = "VerifyS"
    VERIFY_T = "VerifyT"
    PAUSED_SYNC_S = "PausedSyncS"
    PAUSED_SYNC_T = "PausedSyncT"
    AHEAD = "Ahead"
    BEHIND = "Behind"


class Progress(NamedTuple):
    """A running resync or online verify (the block behind ``has-sync-details``).

    ``percent_done`` in per cent; ``seconds_left`` is ``None`` when the tool prints its "unknown"
    (987654321); ``rate`` is ``db/dt``, ``recent_rate`` ``db0/dt0`` (the measuring window of some
    seconds), ``wanted_rate`` ``want``, all in MiB/s. ``recent_sectors`` is ``rs-db0-sectors``:
    sectors moved within the window of ``window_ms`` (``rs-dt0-ms``). ``paused_ms`` is the time
    spent paused, ``total_sectors`` ``rs-total``, ``failed_sectors`` ``rs-failed``.
    ``mark_ms`` is the age of the mark before the last one (``rs-dt1-ms``): the kernel sets a mark
    every few seconds, but only when blocks have moved.
    """

    percent_done: Optional[float]
    seconds_left: Optional[int]
    rate: Optional[float]
    recent_rate: Optional[float]
    wanted_rate: Optional[float]
    recent_sectors: Optional[int]
    window_ms: Optional[int]
    running_ms: Optional[int]
    paused_ms: Optional[int]
    total_sectors: Optional[int]
    failed_sectors: Optional[int]
    mark_ms: Optional[int] = None


BY_USER, BY_PEER, BY_DEPENDENCY = "user", "peer", "dependency"
"""Who holds up a resync: an administrator here, one on the peer, another resync."""


class PeerDevice(NamedTuple):
    """A volume on a peer, as seen from here.

    ``peer_client`` is local configuration (no bitmap kept for that peer), also known while
    disconnected. ``resync_suspended`` holds the words of ``resync-suspended`` without ``no``
    (:data:`BY_USER`, ...); ``None`` if not printed.
    ``out_of_sync_kib``, ``received_kib``, ``sent_kib``: KiB; ``None`` when the kernel gave no
    statistics (the tool then prints all ones). ``pending`` and ``unacked`` are requests.
    """

    volume: int
    replication_state: Union[ReplicationState, Unrecognised]
    peer_disk_state: Union[DiskState, Unrecognised]
    peer_client: Optional[bool]
    resync_suspended: Optional[frozenset[str]]
    received_kib: Optional[int]
    sent_kib: Optional[int]
    out_of_sync_kib: Optional[int]
    pending: Optional[int]
    unacked: Optional[int]
    percent_in_sync: Optional[float]
    verifying: Optional[bool]
    progress: Optional[Progress]


class Path(NamedTuple):
    """A network path of a connection (drbd-utils 9.26 or later)."""

    this_host: str
    remote_host: str
    established: Optional[bool]


class Connection(NamedTuple):
    """A connection to a peer. ``*_in_flight`` are sectors of 512 bytes."""

    peer_node_id: int
    name: str
    state: Union[ConnectionState, Unrecognised]
    peer_role: Union[Role, Unrecognised]
    congested: Optional[bool]
    ap_in_flight: Optional[int]
    rs_in_flight: Optional[int]
    paths: Optional[tuple[Path, ...]]
    peer_devices: tuple[PeerDevice, ...]

    @property
    def is_connected(self) -> bool:
        """Whether replication can run over it."""
        return self.state is ConnectionState.CONNECTED

    def peer_device(self, volume: int) -> Optional[PeerDevice]:
        """The peer's device of that volume number."""
        for device in self.peer_devices:
            if device.volume == volume:
                return device
        return None


class Device(NamedTuple):
    """A volume on this node.

    ``client`` is the intentional-diskless flag: ``None`` where this drbd-utils cannot say.
    ``quorum`` is ``None`` where it is not printed (before 9.2.0). Sizes and counters in KiB;
    ``upper_pending``/``lower_pending`` are requests from above / to the backing disk in flight;
    ``al_writes``/``bm_writes`` count updates of the activity log and of the bitmap.
    """

    volume: int
    minor: Optional[int]
    disk_state: Union[DiskState, Unrecognised]
    client: Optional[bool]
    quorum: Optional[bool]
    open: Optional[bool]
    size_kib: Optional[int]
    read_kib: Optional[int]
    written_kib: Optional[int]
    al_writes: Optional[int]
    bm_writes: Optional[int]
    upper_pending: Optional[int]
    lower_pending: Optional[int]


class DrbdResource(NamedTuple):
    """A resource that is up on this node.

    ``suspended`` is the OR of the four causes; the causes are ``None`` before drbd-utils 9.21.
    """

    name: str
    node_id: Optional[int]
    role: Union[Role, Unrecognised]
    suspended: Optional[bool]
    suspended_user: Optional[bool]
    suspended_no_data: Optional[bool]
    suspended_fencing: Optional[bool]
    suspended_quorum: Optional[bool]
    force_io_failures: Optional[bool]
    devices: tuple[Device, ...]
    connections: tuple[Connection, ...]
    unrecognised: tuple[Unrecognised, ...] = ()


class ShownVolume(NamedTuple):
    """A configured volume. ``diskless`` is true for ``disk none``; ``None`` if not told."""

    volume: int
    minor: Optional[int]
    backing_disk: Optional[str]
    diskless: Optional[bool]


class ShownConnection(NamedTuple):
    """Net options of a connection, in seconds whatever unit the file uses. ``ko_count`` is a count.

    ``client_volumes`` are the volumes for which no bitmap is kept: the peer is an intended client.
    ``net`` holds every option of the section as printed, without names and secrets.
    """

    peer_node_id: Optional[int]
    name: Optional[str]
    timeout_s: Optional[float]
    ping_timeout_s: Optional[float]
    ping_int_s: Optional[float]
    connect_int_s: Optional[float]
    ko_count: Optional[int]
    protocol: Optional[str]
    allow_two_primaries: Optional[bool]
    standalone: Optional[bool]
    client_volumes: tuple[int, ...]
    replica_volumes: tuple[int, ...]
    net: Mapping[str, str] = MappingProxyType({})
    of_volumes: Mapping[str, str] = MappingProxyType({})
    """Options of its volumes as printed, named ``0 c-max-rate``; without the bitmap's."""
    address: str = ""
    """Where the peer is reached: ``10.77.0.13:7000``; of several paths one."""


class ShownResource(NamedTuple):
    """Options in force for a resource. ``quorum`` is off, majority, all or a number as text."""

    name: str
    node_id: Optional[int]
    quorum: Optional[str]
    on_no_quorum: Optional[str]
    quorum_minimum_redundancy: Optional[str]
    auto_promote: Optional[bool]
    volumes: tuple[ShownVolume, ...]
    connections: tuple[ShownConnection, ...]
    options: Mapping[str, str] = MappingProxyType({})
    """Every option of the section ``options``, as printed."""

    @property
    def quorum_is_on(self) -> Optional[bool]:
        """Whether the resource asks for a quorum at all; ``None`` if not told."""
        return None if self.quorum is None else self.quorum != "off"
