"""Constructed DRBD states for rules, and the recorded ones in ``fixtures/snapshots``.

The cluster is the one of the recordings: storage01 to storage03 have disks, app01 to app03 are
diskless clients, every node is connected to the five others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from build import altered, replace, replace_in, view_of
from check_mccluster.checks import registry
from check_mccluster.judge import engine
from check_mccluster.model.config import Config
from check_mccluster.model.drbd import (
    Connection,
    ConnectionState,
    Device,
    DiskState,
    DrbdResource,
    PeerDevice,
    Progress,
    ReplicationState,
    Role,
    ShownConnection,
    ShownResource,
)
from check_mccluster.verdict.filter import Filter
from check_mccluster.verdict.view import Asked, View

STORAGES = ("storage01", "storage02", "storage03")
APPS = ("app01", "app02", "app03")


@dataclass(frozen=True)
class Case:
    """A recorded node and all that the check prints for it.

    :param perfdata: any white space between the labels. :param more: the lines after the first.
    """

    place: str
    code: int
    first: str
    perfdata: str = ""
    more: tuple[str, ...] = ()

    @property
    def due(self) -> tuple[int, str]:
        """The exit code and the whole standard output."""
        perfdata = " ".join(self.perfdata.split())
        first = f"{self.first} | {perfdata}" if perfdata else self.first
        return self.code, "\n".join((first, *self.more)) + "\n"


def place(case: Case) -> str:
    """The name of a case in pytest's list."""
    return case.place


# -- constructed states ------------------------------------------------------------------------


def progress(**changes) -> Progress:
    """A resync a quarter done that moves."""
    moving = Progress(25.0, 60, 5.0, 5.0, None, 40960, 6000, 20000, 0, 1048576, 0)
    return replace(moving, **changes)


def peer_device(volume: int = 0, **changes) -> PeerDevice:
    """A good replica, idle."""
    good = PeerDevice(
        volume=volume,
        replication_state=ReplicationState.ESTABLISHED,
        peer_disk_state=DiskState.UP_TO_DATE,
        peer_client=False,
        resync_suspended=frozenset(),
        received_kib=0,
        sent_kib=0,
        out_of_sync_kib=0,
        pending=0,
        unacked=0,
        percent_in_sync=100.0,
        verifying=False,
        progress=None,
    )
    return replace(good, **changes)


def connection(name: str, *devices: PeerDevice, **changes) -> Connection:
    """A connection that is up; to a client if *name* is that of one."""
    client = {"peer_client": True, "peer_disk_state": DiskState.DISKLESS}
    default = peer_device(**client) if name in APPS else peer_device()
    up = Connection(
        peer_node_id=(*STORAGES, *APPS).index(name) if name in (*STORAGES, *APPS) else 9,
        name=name,
        state=ConnectionState.CONNECTED,
        peer_role=Role.SECONDARY,
        congested=False,
        ap_in_flight=0,
        rs_in_flight=0,
        paths=None,
        peer_devices=devices or (default,),
    )
    return replace(up, **changes)


def away(name: str, state: ConnectionState = ConnectionState.CONNECTING) -> Connection:
    """A connection that is down: nothing is known of the peer but what is configured."""
    (device,) = connection(name).peer_devices
    device = replace(
        device, replication_state=ReplicationState.OFF, peer_disk_state=DiskState.D_UNKNOWN
    )
    return connection(name, device, state=state, peer_role=Role.UNKNOWN)


def device(volume: int = 0, **changes) -> Device:
    """A good disk, idle."""
    good = Device(
        volume=volume,
        minor=volume,
        disk_state=DiskState.UP_TO_DATE,
        client=False,
        quorum=True,
        open=None,
        size_kib=524140,
        read_kib=100,
        written_kib=200,
        al_writes=3,
        bm_writes=4,
        upper_pending=0,
        lower_pending=0,
    )
    return replace(good, **changes)


def client_device(volume: int = 0, **changes) -> Device:
    """No disk, on purpose."""
    changes = {"disk_state": DiskState.DISKLESS, "client": True, **changes}
    return device(volume, **changes)


def resource(
    *connections: Connection, name: str = "r0", devices: tuple[Device, ...] = (), **changes
) -> DrbdResource:
    """A resource with one good volume, unless *devices* says otherwise."""
    quiet = DrbdResource(
        name=name,
        node_id=0,
        role=Role.SECONDARY,
        suspended=False,
        suspended_user=False,
        suspended_no_data=False,
        suspended_fencing=False,
        suspended_quorum=False,
        force_io_failures=False,
        devices=devices or (device(),),
        connections=connections,
    )
    return replace(quiet, **changes)


def mesh(*changed: Connection, here: str = "storage01", **changes) -> DrbdResource:
    """r0 on the healthy mesh of six as *here* sees it, with some connections exchanged."""
    others = {each.name: each for each in changed}
    names = [name for name in (*STORAGES, *APPS) if name != here]
    own = (client_device(),) if here in APPS else (device(),)
    changes = {"devices": own, **changes}
    return resource(*(others.get(name, connection(name)) for name in names), **changes)


def shown_connection(name: str, **changes) -> ShownConnection:
    """DRBD's default timeouts."""
    default = ShownConnection(
        peer_node_id=None,
        name=name,
        timeout_s=6.0,
        ping_timeout_s=0.5,
        ping_int_s=10.0,
        connect_int_s=10.0,
        ko_count=7,
        protocol="C",
        allow_two_primaries=False,
        standalone=False,
        client_volumes=(),
        replica_volumes=(0,),
    )
    return replace(default, **changes)


def shown(name: str = "r0", *connections: ShownConnection, **changes) -> ShownResource:
    """Options in force, with five peers unless *connections* are given."""
    names = (*STORAGES[1:], *APPS)
    default = ShownResource(
        name=name,
        node_id=0,
        quorum="majority",
        on_no_quorum="io-error",
        quorum_minimum_redundancy="off",
        auto_promote=True,
        volumes=(),
        connections=connections or tuple(map(shown_connection, names)),
    )
    return replace(default, **changes)


def view(
    *resources: DrbdResource,
    node: str = "storage01",
    again: tuple[DrbdResource, ...] = (),
    others: tuple[DrbdResource, ...] = (),
    options: tuple[ShownResource, ...] = (),
    config: Config = Config(),  # noqa: B008 - frozen
) -> View:
    """What a rule sees on *node*. *again* is a second reading."""
    return view_of(
        node,
        datetime(2026, 11, 22, 9, tzinfo=timezone.utc),
        config=config,
        drbd=resources,
        drbd_others=others,
        drbd_again=again or None,
        show=options or None,
    )


@dataclass(frozen=True)
class Verdict:
    """A report in short: its state, ``(key, state, text)`` of each finding, the quiet text."""

    state: str
    findings: tuple[tuple[str, str, str], ...]
    summary: str


def judge(check: str, seen: View, **asked) -> Verdict:
    """Run a check's rule on a constructed view."""
    asked["filter"] = Filter(asked.pop("patterns", ()))
    report = engine.report(registry.load(check), seen, Asked(**asked))
    findings = tuple((f.key, f.state.name, f.text) for f in report.findings)
    return Verdict(report.state.name, findings, report.summary)


def steps(check: str, seen: View) -> list[tuple[str, str]]:
    """Each finding's key and next step."""
    report = engine.report(registry.load(check), seen, Asked())
    return [(each.key, each.next_step) for each in report.findings]


# -- recorded states ---------------------------------------------------------------------------


def read_twice(folder: Path, recorded: str, *changes: tuple[str, str]) -> Path:
    """A recorded node whose first reading is also the second one, but for *changes*."""
    copy = altered(folder, recorded)
    again = copy / "drbd-status.2.json"
    again.write_text((copy / "drbd-status.json").read_text())
    for old, new in changes:
        replace_in(again, old, new)
    return copy


def configuration(folder: Path, text: str) -> Path:
    """A configuration file."""
    path = folder / "cluster.toml"
    path.write_text(text)
    return path


def many(resources: int, peers: int, broken: int = 0) -> tuple[DrbdResource, ...]:
    """So many resources, the first of them with a failed disk and no connection."""
    made = []
    for number in range(resources):
        bad = number < broken
        made.append(
            resource(
                *(
                    connection(
                        f"node{peer}",
                        peer_node_id=peer,
                        state=ConnectionState.CONNECTING if bad else ConnectionState.CONNECTED,
                    )
                    for peer in range(1, peers + 1)
                ),
                name=f"vm{number}",
                devices=(device(disk_state=DiskState.FAILED if bad else DiskState.UP_TO_DATE),),
            )
        )
    return tuple(made)
