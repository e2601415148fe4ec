"""Constructed evidence, for states that no recording shows: small builders of the model's values.

Every builder gives what a healthy cluster of three would show; a test names what differs.
"""

from __future__ import annotations

import shutil
from datetime import datetime, timezone
from pathlib import Path

from check_mccluster.checks import registry
from check_mccluster.inputs.cibadmin import CIB
from check_mccluster.inputs.corosync_cfgtool import LINKS
from check_mccluster.inputs.corosync_cmapctl import CMAP
from check_mccluster.inputs.corosync_quorumtool import VOTES
from check_mccluster.inputs.crm_mon import CLUSTER
from check_mccluster.inputs.crm_simulate import SIMULATIONS
from check_mccluster.inputs.drbdsetup import DRBD, DRBD_AGAIN, SHOW
from check_mccluster.judge import engine
from check_mccluster.model.corosync import Cmap, Link, Links, LinkState, Voter, Votes
from check_mccluster.model.drbd import (
    Connection,
    ConnectionState,
    Device,
    DiskState,
    DrbdResource,
    PeerDevice,
    ReplicationState,
)
from check_mccluster.model.drbd import Role as DrbdRole
from check_mccluster.model.pacemaker import (
    Ban,
    Bundle,
    Cib,
    Clone,
    Cluster,
    DesignatedController,
    Failure,
    FenceEvent,
    Filesystem,
    Group,
    Location,
    Node,
    Options,
    Primitive,
    Replica,
    ResourceHistory,
    Role,
    Summary,
)
from check_mccluster.verdict.filter import Filter
from check_mccluster.verdict.view import Answer, Asked, View, same_node

NOW = datetime(2026, 11, 22, 9, 0, 0, tzinfo=timezone.utc)
NAMES = ("app01", "app02", "app03")

# -- Pacemaker ---------------------------------------------------------------------------------


def node(name="app01", **changes):
    facts = {
        "id": name[-1],
        "online": True,
        "standby": False,
        "standby_onfail": False,
        "maintenance": False,
        "pending": False,
        "unclean": False,
        "shutdown": False,
        "expected_up": True,
        "is_dc": name == "app01",
        "health": None,
        "feature_set": "3.16.1",
        "type": "member",
        "resources_running": 0,
        "id_as_resource": None,
    }
    return Node(name=name, **{**facts, **changes})


def offline(name="app01", **changes):
    return node(name, **{"online": False, "feature_set": None, **changes})


def remote(name, **changes):
    return node(name, **{"id": name, "type": "remote", "feature_set": None, **changes})


def primitive(name="FS", on="app01", role=Role.STARTED, **changes):
    """A resource that runs on *on*: a node's name, several, or ``None``."""
    nodes = () if on is None else (on,) if isinstance(on, str) else tuple(on)
    facts = {
        "agent": "ocf:pacemaker:Dummy",
        "role": role,
        "target_role": None,
        "active": bool(nodes),
        "orphaned": False,
        "blocked": False,
        "managed": True,
        "maintenance": False,
        "failed": False,
        "failure_ignored": False,
        "pending": None,
        "locked_to": None,
        "nodes": nodes,
    }
    return Primitive(id=name, **{**facts, **changes})


def stopped(name="FS", **changes):
    return primitive(name, None, Role.STOPPED, **changes)


def fence_device(name="fence", **changes):
    return primitive(name, **{"agent": "stonith:fence_ipmilan", **changes})


def group(*members, name="group1", **changes):
    facts = {"managed": True, "disabled": False, "maintenance": False}
    return Group(id=name, members=members, **{**facts, **changes})


def clone(*instances, name="ping-clone", **changes):
    facts = {
        "promotable": False,
        "unique": False,
        "managed": True,
        "disabled": False,
        "maintenance": False,
        "failed": False,
        "failure_ignored": False,
        "target_role": None,
    }
    return Clone(id=name, instances=instances, **{**facts, **changes})


def bundle(*replicas, name="web", **changes):
    """A bundle; each replica is given as its members."""
    facts = {
        "type": "podman",
        "image": "web:1",
        "unique": False,
        "managed": True,
        "maintenance": False,
        "failed": False,
    }
    numbered = tuple(Replica(str(number), tuple(each)) for number, each in enumerate(replicas))
    return Bundle(id=name, replicas=numbered, **{**facts, **changes})


def history(resource="FS", on="app01", fail_count=1, threshold=1_000_000, operations=()):
    return ResourceHistory(on, resource, False, threshold, fail_count, None, operations)


def failure(resource="FS", on="app01", seconds_ago=60, **changes):
    when = datetime.fromtimestamp(NOW.timestamp() - seconds_ago, timezone.utc)
    facts = {
        "task": "monitor",
        "interval_ms": 10_000,
        "exit_code": 7,
        "exit_status": "not running",
        "exit_reason": None,
        "status": "complete",
        "call": 1,
        "time": when,
    }
    return Failure(resource=resource, node=on, **{**facts, **changes})


def ban(resource="group1", on="app03", name=None, weight=-1_000_000, promoted_only=False):
    return Ban(name or f"{resource}-avoids-{on}", resource, on, weight, promoted_only)


def fence_event(target, status, action="reboot", completed="2026-11-22 08:59:00Z", reason=None):
    when = None if status.value == "pending" else completed
    return FenceEvent(action, target, status, "client", "app01", None, when, reason)


def options(**changes):
    facts = {
        "fencing_enabled": False,
        "symmetric": True,
        "no_quorum_policy": "stop",
        "maintenance_mode": False,
        "stop_all_resources": False,
    }
    return Options(**{**facts, **changes})


def cluster(nodes=None, resources=(), *, quorate=True, dc="app01", mixed=False, **changes):
    """A cluster of app01 to app03; ``options`` and every field of Cluster may be given."""
    controller = DesignatedController(dc, "1", "2.1.5", quorate, mixed) if dc else None
    summary = Summary(
        "corosync", controller, None, None, None, 3, 5, changes.pop("options", options())
    )
    facts = {
        "history": (),
        "failures": (),
        "bans": (),
        "tickets": (),
        "fence_events": (),
        "fence_history_status": None,
    }
    members = tuple(map(node, NAMES)) if nodes is None else tuple(nodes)
    return Cluster("2.1.5", summary, members, tuple(resources), **{**facts, **changes})


def cib(*, filesystems=(), locations=(), tickets=(), properties=None, fence_devices=()):
    return Cib(properties or {}, filesystems, locations, tickets, fence_devices)


def on_drbd(resource="FS", device="/dev/drbd0"):
    """A CIB with a Filesystem on a DRBD device."""
    return cib(filesystems=(Filesystem(resource, device, "/srv"),))


def location(resource, on, score, name="prefer"):
    return Location(name, resource, on, score)


# -- Corosync ----------------------------------------------------------------------------------


def votes(
    present=NAMES, *, each=1, expected=3, quorate=True, flags=(), qdevice=None, device_flags=None
):
    """The votes of the members *present*, each with as many votes, and of a quorum device."""
    members = tuple(
        Voter(int(name[-1]), each, name, name == "app01", device_flags) for name in present
    )
    total = len(present) * each + (qdevice or 0)
    needed = expected // 2 + 1
    provider = "corosync_votequorum"
    return Votes(provider, quorate, 1, expected, total, needed, frozenset(flags), members, qdevice)


def link(peer, number=0, state=LinkState.CONNECTED):
    return Link(number, "10.0.0.1", peer, state, True, str(state))


def ring(number=0, state=LinkState.ACTIVE):
    return Link(number, f"10.{number}.0.1", None, state, None, "ring status")


def links(*each):
    local = Link(0, "10.0.0.1", 1, LinkState.LOCALHOST, True, "localhost")
    return Links(1, "knet", (local, *each))


def cmap(**changes):
    facts = dict.fromkeys(Cmap._fields)
    return Cmap(**{**facts, "nodes": (), "met": frozenset(), **changes})


# -- DRBD --------------------------------------------------------------------------------------


def peer(name, role=DrbdRole.SECONDARY, state=ConnectionState.CONNECTED, disk=None, client=False):
    """A connection; a storage server has an UpToDate disk, a client none."""
    client = client or name.startswith("app")
    seen = DiskState.DISKLESS if client else DiskState.UP_TO_DATE
    if state is not ConnectionState.CONNECTED:
        role, seen = DrbdRole.UNKNOWN, DiskState.D_UNKNOWN
    replication = ReplicationState.ESTABLISHED
    if state is not ConnectionState.CONNECTED:
        replication = ReplicationState.OFF
    device = PeerDevice(
        0, replication, disk or seen, client, frozenset(), 0, 0, 0, 0, 0, 100.0, None, None
    )
    return Connection(0, name, state, role, False, 0, 0, None, (device,))


def drbd(
    *peers, name="r0", role=DrbdRole.PRIMARY, disk=DiskState.DISKLESS, quorum=True, suspended=False
):
    """The resource on a client; its peers are three storage servers unless given."""
    device = Device(0, 0, disk, disk is DiskState.DISKLESS, quorum, None, 1024, 0, 0, 0, 0, 0, 0)
    seen = peers or tuple(peer(f"storage0{number}") for number in (1, 2, 3))
    facts = (suspended, False, False, False, suspended, False)
    return DrbdResource(name, 0, role, *facts, (device,), seen)


# -- judging -----------------------------------------------------------------------------------


def view(known=None, *, here="app01", config=None, **answers):
    """A view of a cluster; ``votes``, ``links``, ``cib``, ``drbd``, ``show``, ``cmap`` as values.

    A value may be given as an Answer, where a tool has a problem.
    """

    seen = {"cluster": known if known is not None else cluster(), **answers}
    return view_of(here, NOW, config=config, **seen)


KEYS = {
    "cluster": CLUSTER,
    "cib": CIB,
    "votes": VOTES,
    "links": LINKS,
    "cmap": CMAP,
    "drbd": DRBD,
    "drbd_again": DRBD_AGAIN,
    "show": SHOW,
    "simulations": SIMULATIONS,
}
"""What the answers of a view are called in tests."""


def view_of(here, time, *, config=None, drbd_others=(), **answers):
    """A view with these answers, given as values or as Answers."""
    given = {
        KEYS[name]: value if isinstance(value, Answer) else Answer(value)
        for name, value in answers.items()
    }
    known = given[CLUSTER].value if CLUSTER in given else None
    name = next((n.name for n in (known.nodes if known else ()) if same_node(n.name, here)), None)
    return View(here, time, given, config=config, here=name, drbd_others=drbd_others)


def report(check, evidence, **asked):
    """The whole report of a check, its input findings included."""
    asked["filter"] = Filter(asked.pop("patterns", ()))
    return engine.report(registry.load(check), evidence, Asked(**asked))


def said(judged):
    """Findings as (key, state, text)."""
    return [(each.key, each.state.name, each.text) for each in judged.findings]


# -- the program's output ----------------------------------------------------------------------

SNAPSHOTS = Path(__file__).resolve().parent.parent / "fixtures" / "snapshots"
CODES = {"OK": 0, "WARNING": 1, "CRITICAL": 2, "UNKNOWN": 3}


def due(check, state, text, perfdata="", *more):
    """The exit code and the whole standard output of a check."""
    first = f"{check.upper()} {state} - {text}"
    if perfdata:
        first += f" | {perfdata}"
    return CODES[state], "\n".join([first, *more]) + "\n"


def run(call, check, snapshot, *options):
    """The program's exit code and standard output over a recorded case."""
    outcome = call(check, "--from", SNAPSHOTS / snapshot, *options)
    return outcome.code, outcome.out


def short(call, check, snapshot, *options, figure=None):
    """Of a check over a recorded case: the exit code, the first line, the figure of that label."""
    outcome = call(check, "--from", SNAPSHOTS / snapshot, *options)
    if figure is None:
        return outcome.code, outcome.first, None
    label = f"{figure.partition('=')[0]}="
    shown = [word for word in outcome.lines[0].split() if word.startswith(label)]
    return outcome.code, outcome.first, *shown


def altered(folder, recorded, *changes, file="drbd-status.json"):
    """A copy of a recorded node under *folder*, with texts replaced in *file*."""
    copy = folder / Path(recorded).name
    shutil.copytree(SNAPSHOTS / recorded, copy)
    for old, new in changes:
        replace_in(copy / file, old, new)
    return copy


def replace_in(file, old, new):
    """Replace a text, which is there, in a file."""
    text = file.read_text()
    assert old in text, f"{file} has no {old!r}"
    file.write_text(text.replace(old, new))


def replace(value, **changes):
    """The same value with some fields changed."""
    return value._replace(**changes)
