#!/usr/bin/env python3
"""Keep Zabbix' templates equal to the program's checks and documents.

    tools/zabbix.py           write contrib/zabbix/6.0 and 7.0
    tools/zabbix.py --check   change nothing; exit 1 and name what is out of date

A file for each way of asking the agent, for each version of Zabbix. Every file has two templates:
a node of Pacemaker, and a storage server that has DRBD alone. What 6.0 and 7.0 write differently
is in one place each: ``_document`` and the widgets.
"""

from __future__ import annotations

import hashlib
import json
import sys
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Optional

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from check_mccluster.checks import registry  # noqa: E402

FOLDER = ROOT / "contrib/zabbix"
VERSIONS = ("6.0", "7.0")
FILES = {"template_mccluster.yaml": False, "template_mccluster_active.yaml": True}
"""File names, and whether the agent asks for its work by itself."""

Entry = dict[str, Any]
MASTER = "check_mccluster.data"
STATES, YES_NO = "check_mccluster state", "check_mccluster yes or no"
GREEN, YELLOW, RED, GREY, BLUE = "59DB8F", "FFC859", "E45959", "97AAB3", "2774A4"
TOLD = {"1": YELLOW, "2": RED, "3": GREY}
"""Colours of a state, from that value on."""

TITLES = {
    "nodes": "Nodes",
    "quorum": "Quorum",
    "links": "Corosync links",
    "resources": "Resources",
    "failures": "Failures",
    "fencing": "Fencing",
    "placement": "Placement",
    "drbd-role": "DRBD role",
    "drbd-disk": "DRBD disk",
    "drbd-mesh": "DRBD mesh",
    "drbd-quorum": "DRBD quorum",
    "drbd-sync": "DRBD sync",
    "consistency": "Consistency",
    "failover": "Failover",
    "timing": "Timing",
    "cluster": "The whole",
}


class Kind(NamedTuple):
    """A template: what it is linked to."""

    name: str
    description: str
    drbd_only: bool


class Value(NamedTuple):
    """A value of an object or a check, as an item.

    :param kind: ``state``, ``yes``, ``word``, ``text``, ``count``, ``bytes``, ``rate``,
        ``percent``, ``seconds`` or ``number``.
    """

    member: str
    title: str
    kind: str
    meaning: str


KINDS = (
    Kind(
        "Pacemaker and DRBD cluster",
        "A node of Pacemaker, with or without DRBD 9, as check_mccluster sees it from there.",
        False,
    ),
    Kind(
        "DRBD storage server",
        "A node of the DRBD 9 mesh without Pacemaker, as check_mccluster sees it from there.",
        True,
    ),
)

ALARM = (
    Value("alarm.state", "alarm", "state", "The worst fault that this node tells of it: alarms."),
    Value("alarm.text", "alarm text", "text", "That fault in words; empty without one."),
    Value("alarm.fault", "alarm fault", "key", "That fault's key and object; empty without one."),
)
SEEN = (
    Value("state", "state", "state", "The worst fault that this node sees of it, told or not."),
    Value("text", "text", "text", "What this node sees of it in words; empty without a fault."),
)


class Objects(NamedTuple):
    """A discovery rule: its macros, its values, the checks that say what to do next."""

    kind: str
    word: str
    title: str
    description: str
    label: str
    macros: tuple[str, ...]
    filters: tuple[tuple[str, str], ...]
    values: tuple[Value, ...]
    checks: tuple[str, ...]
    component: str

    @property
    def path(self) -> str:
        """The object's name in the document."""
        return "/".join(self.macros)

    @property
    def parameters(self) -> str:
        """The parameters of its items' keys."""
        if self.kind == "peers":
            return "{#RESOURCE},{#PEER},{#VOLUME}"
        return ",".join(self.macros)


OBJECTS = (
    Objects(
        "nodes",
        "node",
        "Cluster nodes",
        "Pacemaker's nodes: members, remote and guest nodes.",
        "Node {#NODE}",
        ("{#NODE}",),
        (("{#NODE}", "NODE"),),
        (
            Value(
                "status",
                "status",
                "word",
                "online, offline, unclean, pending, shutdown, standby or maintenance.",
            ),
            Value("dc", "designated controller", "yes", "Whether it decides for its partition."),
            Value("running", "resources that run", "count", "Instances that Pacemaker runs there."),
        ),
        ("nodes",),
        "pacemaker",
    ),
    Objects(
        "resources",
        "resource",
        "Cluster resources",
        "Groups, clones, bundles and the primitives in them.",
        "Resource {#RESOURCE}",
        ("{#RESOURCE}",),
        (("{#RESOURCE}", "RESOURCE"), ("{#TYPE}", "RESOURCE.TYPE")),
        (
            Value("role", "role", "word", "The roles of all its instances."),
            Value("nodes", "runs on", "word", "The nodes of its instances; empty if none runs."),
            Value("managed", "managed", "yes", "Whether Pacemaker starts and stops it."),
            Value(
                "fail_count", "fail-count", "count", "The highest on any node; 1000000 is INFINITY."
            ),
        ),
        ("resources", "failures", "placement"),
        "pacemaker",
    ),
    Objects(
        "drbd",
        "drbd",
        "DRBD volumes",
        "DRBD volumes of this node.",
        "DRBD {#RESOURCE}/{#VOLUME}",
        ("{#RESOURCE}", "{#VOLUME}"),
        (("{#RESOURCE}", "DRBD"),),
        (
            Value("role", "role", "word", "Primary or Secondary, here."),
            Value("disk", "disk", "word", "The state of the disk here; a client is Diskless."),
            Value("client", "diskless on purpose", "yes", "Whether it is meant to have no disk."),
            Value("quorum", "quorum", "yes", "Whether the volume has quorum here."),
            Value("suspended", "I/O suspended", "yes", "Whether reads and writes wait."),
            Value("copies", "copies in reach", "count", "UpToDate copies that this node reaches."),
            Value("replicas", "copies that should be", "steady", "Nodes that have a disk of it."),
            Value("out_of_sync", "out of sync", "bytes", "The most that any peer lacks."),
            Value("size", "size", "bytes", "The size of the volume."),
            Value("read", "read", "rate", "Read from the disk here."),
            Value("written", "written", "rate", "Written to the disk here."),
            Value("pending", "requests in flight", "count", "Requests that DRBD has not answered."),
            Value("sync_done", "resync done", "percent", "Of a resync to here; else no value."),
            Value("sync_left", "resync time left", "seconds", "Of a resync to here, estimated."),
        ),
        ("drbd-disk", "drbd-quorum", "drbd-sync"),
        "drbd",
    ),
    Objects(
        "peers",
        "peer",
        "DRBD peers",
        "Peers of this node's DRBD volumes.",
        "DRBD {#RESOURCE}/{#VOLUME} to {#PEER}",
        ("{#RESOURCE}", "{#PEER}", "{#VOLUME}"),
        (("{#RESOURCE}", "DRBD"), ("{#PEER}", "PEER")),
        (
            Value(
                "connection", "connection", "word", "The state of the connection, seen from here."
            ),
            Value("role", "role", "word", "Primary or Secondary, there."),
            Value("disk", "disk", "word", "The state of the disk there."),
            Value("replication", "replication", "word", "Established, or the state of a resync."),
            Value("client", "diskless on purpose", "yes", "Whether the peer is meant so."),
            Value("congested", "congested", "yes", "Whether the connection's buffer is full."),
            Value(
                "out_of_sync", "out of sync", "bytes", "What the peer lacks, or this node of it."
            ),
            Value("in_sync", "in sync", "percent", "The part that is equal on both."),
            Value("received", "received", "rate", "From the peer, over the network."),
            Value("sent", "sent", "rate", "To the peer, over the network."),
            Value("pending", "requests in flight", "count", "Sent and not yet received there."),
            Value(
                "unacked", "requests not acknowledged", "count", "Received here, not yet answered."
            ),
        ),
        ("drbd-mesh",),
        "drbd",
    ),
)


class Limit(NamedTuple):
    """A figure of a check that is an item, and the trigger of a site that asks for more of it."""

    check: str
    label: str
    title: str
    kind: str
    meaning: str
    macro: str = ""
    name: str = ""
    event: str = ""


FIGURES = (
    Limit("nodes", "nodes_online", "online", "count", "Members that are online."),
    Limit(
        "quorum",
        "votes_margin",
        "votes to spare",
        "number",
        "Votes beyond those that quorum needs.",
        "VOTES.MARGIN.MIN",
        "few votes to spare",
        "fewer than {$MCCLUSTER.VOTES.MARGIN.MIN} votes to spare",
    ),
    Limit(
        "failover",
        "candidates_min",
        "candidates",
        "count",
        "Nodes that could take over, for the service that has the fewest.",
        "CANDIDATES.MIN",
        "few candidates",
        "fewer than {$MCCLUSTER.CANDIDATES.MIN} nodes could take over",
    ),
    Limit(
        "failures", "fail_count_max", "highest fail-count", "count", "Of any resource on any node."
    ),
    Limit("resources", "resources_running", "instances that run", "count", "Of all resources."),
    Limit(
        "timing",
        "margin",
        "margin of Corosync over DRBD",
        "number s",
        "Seconds by which Corosync waits longer than DRBD for a lost node.",
        "TIMING.MARGIN.MIN",
        "small margin of Corosync over DRBD",
        "margin under {$MCCLUSTER.TIMING.MARGIN.MIN} s",
    ),
    Limit(
        "drbd-mesh",
        "connected_min",
        "connected peers, fewest of a resource",
        "count",
        "Peers that are connected, for the resource that has the fewest.",
    ),
    Limit(
        "drbd-quorum",
        "copies_min",
        "copies in reach, fewest of a volume",
        "count",
        "UpToDate copies in reach, for the volume that has the fewest.",
    ),
    Limit(
        "drbd-sync",
        "out_of_sync_max",
        "out of sync, most of a volume",
        "bytes",
        "What is out of sync, for the volume that has the most.",
    ),
)

MACROS: tuple[tuple[str, str, str], ...] = (
    ("ALARM", "1", "1: this host tells faults. 0: it only shows them, another host tells them."),
    ("CANDIDATES.MIN", "1", "Nodes that could take over: fewer is a warning."),
    (
        "COPIES.MIN",
        "1",
        "UpToDate copies of a volume in reach: fewer is a warning. With context:"
        ' {$MCCLUSTER.COPIES.MIN:"r0/0"}',
    ),
    ("CRITICAL.FOR", "2m", "How long a critical fault must last to be a problem."),
    (
        "DISCOVERY.INTERVAL",
        "5m",
        "How often discovery runs over data that has not changed.",
    ),
    ("ERROR.FOR", "5m", "How long a tool must fail for to be a problem."),
    ("INTERVAL", "1m", "How often the cluster is looked at."),
    ("NODATA", "10m", "How long there must be no data to be a problem."),
    (
        "TIMING.MARGIN.MIN",
        "0",
        "Seconds by which Corosync's detection time is longer than DRBD's: less is a warning.",
    ),
    ("VOTES.MARGIN.MIN", "1", "Corosync votes that the partition can lose: fewer is a warning."),
    ("WARNING.FOR", "5m", "How long a warning, or an unknown state, must last to be a problem."),
)
FILTERS = {
    "NODE": "cluster nodes",
    "RESOURCE": "resources",
    "RESOURCE.TYPE": "resources by type (primitive, group, clone, bundle)",
    "DRBD": "DRBD resources",
    "PEER": "DRBD peers",
}


def macro(name: str) -> str:
    """A user macro of the template."""
    return f"{{$MCCLUSTER.{name}}}"


def known(**values: Any) -> Entry:
    """What Zabbix exports: members without a value are left out."""
    return {name: value for name, value in values.items() if value not in (None, "", [], ())}


class Maker:
    """One template, for one version and one way of asking the agent."""

    def __init__(self, kind: Kind, version: str, active: bool) -> None:
        self.kind, self.seven = kind, version != "6.0"
        self.active = active
        self.name = f"{kind.name} by Zabbix agent{' active' if active else ''}"
        self.checks = [
            check
            for check in registry.names()
            if check != "overview" and (check.startswith("drbd-") or not kind.drbd_only)
        ]
        self.objects = [
            each for each in OBJECTS if each.kind in ("drbd", "peers") or not kind.drbd_only
        ]

    def uuid(self, *names: str) -> str:
        """The same every time: of a version 4, as Zabbix wants it."""
        text = "\0".join((self.name, *names))
        return uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4).hex

    # -- items -----------------------------------------------------------------------------------

    def item(self, value: Value, name: str, key: str, path: str, component: str) -> Entry:
        """An item that depends on the master item."""
        types = {"word": "CHAR", "text": "TEXT", "key": "CHAR", "rate": "FLOAT", "percent": "FLOAT"}
        units = {"bytes": "B", "rate": "Bps", "percent": "%", "seconds": "s", "number s": "s"}
        shown = {"state": STATES, "yes": YES_NO}.get(value.kind)
        words = value.kind in ("word", "text", "key", "state", "yes")
        steps = [{"type": "JSONPATH", "parameters": [path], "error_handler": "DISCARD_VALUE"}]
        if value.kind == "rate":
            steps.append({"type": "CHANGE_PER_SECOND", "parameters": [""]})
        if value.kind in ("word", "text", "key", "yes", "steady"):
            steps.append({"type": "DISCARD_UNCHANGED_HEARTBEAT", "parameters": ["1h"]})
        return known(
            uuid=self.uuid("item", key),
            name=name,
            type="DEPENDENT",
            key=key,
            delay="0",
            history="7d",
            trends="0" if words else None,
            value_type="FLOAT" if value.kind.startswith("number") else types.get(value.kind),
            units=units.get(value.kind),
            description=value.meaning,
            valuemap={"name": shown} if shown else None,
            preprocessing=steps,
            master_item={"key": MASTER},
            tags=_tags([("component", component)]),
        )

    def items(self) -> Iterator[Entry]:
        """The items of the host itself; the triggers of one item stand with it."""
        yield known(
            uuid=self.uuid("item", MASTER),
            name="Cluster data",
            type="ZABBIX_ACTIVE" if self.active else None,
            key=MASTER,
            delay=macro("INTERVAL"),
            history="0",
            trends="0",
            value_type="TEXT",
            description="The master item: one document with everything, from one look at the"
            " cluster. It is not stored.",
            tags=_tags([("component", "raw")]),
        )
        for check in self.checks:
            yield from self._check_items(check)
        for each in FIGURES:
            if each.check in self.checks:
                value = Value(each.label, each.title, each.kind, each.meaning)
                yield self.item(
                    value,
                    f"{TITLES[each.check]}: {each.title}",
                    f"check_mccluster.figure[{each.check},{each.label}]",
                    f"$.checks['{each.check}'].figures.{each.label}",
                    _component(each.check),
                )
        whole = (
            Value("state", "Overview: state", "state", "The worst of all checks of this node."),
            Value("text", "Overview: text", "text", "What an operator has to know first."),
            Value("version", "Version of check_mccluster", "word", "The program on this node."),
        )
        for value in whole:
            component = "tools" if value.member == "version" else "cluster"
            yield self.item(
                value,
                value.title,
                f"check_mccluster.{value.member}",
                f"$.{value.member}",
                component,
            )
        yield from self._maintenance_items()
        yield from self._tools_items()

    def _check_items(self, check: str) -> Iterator[Entry]:
        title, component = TITLES[check], _component(check)
        for value in (*ALARM, *SEEN):
            meaning = value.meaning
            if value.member in ("state", "text"):
                meaning = f"{registry.question(check)} As every plugin answers, for the eye."
            elif value.member == "alarm.state":
                meaning = "The worst fault of no discovered object that this node tells: alarms."
            yield self.item(
                value._replace(meaning=meaning),
                f"{title}: {value.title}",
                f"check_mccluster.check.{value.member}[{check}]",
                f"$.checks['{check}'].{value.member}",
                component,
            )

    def _maintenance_items(self) -> Iterator[Entry]:
        if self.kind.drbd_only:
            return
        component = "pacemaker"
        yield self.item(
            Value(
                "",
                "",
                "text",
                "Set while the cluster, or this node, is in Pacemaker's maintenance mode.",
            ),
            "Maintenance",
            "check_mccluster.maintenance",
            "$.maintenance",
            component,
        )
        for value in ALARM:
            yield self.item(
                value,
                f"Maintenance: {value.title}",
                f"check_mccluster.maintenance.{value.member}",
                f"$.alarms.maintenance.{value.member.partition('.')[2]}",
                component,
            )

    def _tools_items(self) -> Iterator[Entry]:
        component = "tools"
        meaning = "Whether the cluster's tools answer: what cannot be read cannot be judged."
        state = self.item(
            Value("", "", "state", meaning),
            "Tools: state",
            "check_mccluster.tools",
            "$.tools",
            component,
        )
        state["preprocessing"][0].update(error_handler="CUSTOM_VALUE", error_handler_params="3")
        state["triggers"] = [
            known(
                uuid=self.uuid("trigger", "no data"),
                expression=f"nodata(/{self.name}/check_mccluster.tools,{macro('NODATA')})=1"
                f" and {macro('ALARM')}=1",
                name="Cluster: no data from check_mccluster",
                event_name=f"Cluster: no data from check_mccluster for {macro('NODATA')}",
                priority="AVERAGE",
                description="The node is off, or its agent does not answer, or the UserParameter is"
                " missing or takes longer than the agent's Timeout. Test: zabbix_get -s HOST -k"
                f" {MASTER}. Silent where another host tells the faults of this one.",
                tags=_tags([("fault", "no-data {HOST.HOST}"), ("scope", "notice")]),
            )
        ]
        yield state
        error = self.item(
            Value("", "", "text", "What kept the program from looking; empty if nothing did."),
            "Tools: error",
            "check_mccluster.error",
            "$.error",
            component,
        )
        error["preprocessing"][0]["error_handler"] = "CUSTOM_VALUE"
        yield error

    # -- triggers --------------------------------------------------------------------------------

    def pair(self, title: str, keys: Iterable[str], next_step: str) -> Iterator[Entry]:
        """Critical, and anything else; each ends when its fault does."""
        state, text, fault = (f"/{self.name}/{key}" for key in keys)
        spoken = f" and length(last({text}))>0 and length(last({fault}))>0"
        allowed = f" and {macro('ALARM')}=1"
        for word, least, now, ends, priority in (
            ("critical", ("CRITICAL.FOR", 2), f"last({state})=2", f"last({state})<>2", "HIGH"),
            (
                "warning or unknown",
                ("WARNING.FOR", 1),
                f"last({state})<>2",
                f"last({state})=0 or last({state})=2",
                "WARNING",
            ),
        ):
            yield known(
                uuid=self.uuid("trigger", title, word),
                expression=f"min({state},{macro(least[0])})>={least[1]} and {now}{spoken}{allowed}",
                recovery_mode="RECOVERY_EXPRESSION",
                recovery_expression=ends,
                name=f"{title}: {word}",
                event_name=_whole("ITEM.LASTVALUE3"),
                opdata=_whole("ITEM.LASTVALUE3"),
                priority=priority,
                description=f"What to do next: {next_step}",
                tags=_tags([("fault", _whole("ITEM.LASTVALUE4")), ("scope", "availability")]),
            )

    def triggers(self) -> Iterator[Entry]:
        """The triggers of several items."""
        for check in self.checks:
            keys = (f"check_mccluster.check.{value.member}[{check}]" for value in ALARM)
            yield from self.pair(TITLES[check], keys, f"check_mccluster {check} -v")
        for each in FIGURES:
            if each.macro and each.check in self.checks:
                figure = f"check_mccluster.figure[{each.check},{each.label}]"
                yield self._limit(TITLES[each.check], figure, each, macro(each.macro))
        if not self.kind.drbd_only:
            state, text, fault = (
                f"/{self.name}/check_mccluster.maintenance.{value.member}" for value in ALARM
            )
            yield known(
                uuid=self.uuid("trigger", "maintenance"),
                expression=f"last({state})>0 and {macro('ALARM')}=1 and length(last({text}))>0"
                f" and length(last({fault}))>0",
                name="Cluster: in maintenance",
                event_name=_whole("ITEM.LASTVALUE2"),
                opdata=_whole("ITEM.LASTVALUE2"),
                priority="WARNING",
                description="Nothing is managed and nothing fails over. What follows from that is"
                " not told; what is wrong besides is.",
                tags=_tags([("fault", _whole("ITEM.LASTVALUE3")), ("scope", "notice")]),
            )
        tools, error = (f"/{self.name}/check_mccluster.{key}" for key in ("tools", "error"))
        for name, least, now, priority in (
            (
                "Cluster: Pacemaker, Corosync or DRBD does not run or answer",
                "CRITICAL.FOR",
                "=2",
                "HIGH",
            ),
            (
                "Cluster: a tool failed, the checks are not complete",
                "ERROR.FOR",
                "<>2",
                "AVERAGE",
            ),
        ):
            yield known(
                uuid=self.uuid("trigger", name),
                expression=f"min({tools},{macro(least)})>=1 and last({tools}){now}"
                f" and length(last({error}))>0",
                name=name,
                event_name=_whole("ITEM.LASTVALUE3"),
                opdata=_whole("ITEM.LASTVALUE3"),
                priority=priority,
                description="What is not read is not judged. What to do next: check_mccluster"
                " overview -v",
                tags=_tags([("fault", "tools {HOST.HOST}"), ("scope", "availability")]),
            )

    def _limit(self, title: str, figure: str, each: Limit, least: str) -> Entry:
        """Less than the site asks for, while the check has found nothing wrong all that time."""
        check, name, event = each.check, each.name, each.event
        state = f"/{self.name}/check_mccluster.check.state[{check}]"
        allowed = f" and {macro('ALARM')}=1"
        return known(
            uuid=self.uuid("trigger", title, name),
            expression=f"max(/{self.name}/{figure},{macro('WARNING.FOR')})<{least}"
            f" and max({state},{macro('WARNING.FOR')})=0{allowed}",
            name=f"{title}: {name}",
            event_name=f"{title}: {event}",
            opdata="{ITEM.LASTVALUE1}",
            priority="WARNING",
            description="The site asks for more than the check does, which finds nothing wrong.",
            tags=_tags([("fault", f"reserve {check}"), ("scope", "capacity")]),
        )

    # -- discovery -------------------------------------------------------------------------------

    def rules(self) -> Iterator[Entry]:
        """The discovery rules, which depend on the master item as the items do."""
        for each in self.objects:
            conditions = []
            for letter, (name, filtered) in zip("AC", sorted(each.filters)):
                conditions += [
                    {
                        "macro": name,
                        "value": macro(f"{filtered}.MATCHES"),
                        "formulaid": letter,
                    },
                    {
                        "macro": name,
                        "value": macro(f"{filtered}.NOT_MATCHES"),
                        "operator": "NOT_MATCHES_REGEX",
                        "formulaid": chr(ord(letter) + 1),
                    },
                ]
            yield known(
                uuid=self.uuid("rule", each.kind),
                name=each.title,
                type="DEPENDENT",
                key=f"check_mccluster.discovered[{each.kind}]",
                delay="0",
                filter={"evaltype": "AND", "conditions": conditions},
                lifetime=None if self.seven else "7d",
                enabled_lifetime_type="DISABLE_NEVER" if self.seven else None,
                description=f"{each.description} What cannot be read now is kept.",
                item_prototypes=[*self._prototypes(each)],
                trigger_prototypes=[*self._trigger_prototypes(each)],
                graph_prototypes=[*self._graph_prototypes(each)],
                master_item={"key": MASTER},
                preprocessing=[
                    {
                        "type": "JSONPATH",
                        "parameters": [f"$.discovery.{each.kind}"],
                        "error_handler": "DISCARD_VALUE",
                    },
                    {
                        "type": "DISCARD_UNCHANGED_HEARTBEAT",
                        "parameters": [macro("DISCOVERY.INTERVAL")],
                    },
                ],
            )

    def _key(self, each: Objects, member: str) -> str:
        return f"check_mccluster.{each.word}.{member}[{each.parameters}]"

    def _prototypes(self, each: Objects) -> Iterator[Entry]:
        for value in (*ALARM, *SEEN, *each.values):
            yield self.item(
                value,
                f"{each.label}: {value.title}",
                self._key(each, value.member),
                f"$.{each.kind}['{each.path}'].{value.member}",
                each.component,
            )

    def _trigger_prototypes(self, each: Objects) -> Iterator[Entry]:
        keys = (self._key(each, value.member) for value in ALARM)
        steps = "; ".join(f"check_mccluster {check} -v" for check in each.checks)
        yield from self.pair(each.label, keys, steps)
        if each.kind == "drbd":
            least = '{$MCCLUSTER.COPIES.MIN:"{#RESOURCE}/{#VOLUME}"}'
            event = f"fewer than {least} copies in reach"
            limit = Limit("drbd-quorum", "", "", "", "", "", "few copies in reach", event)
            yield self._limit(each.label, self._key(each, "copies"), limit, least)

    def _graph_prototypes(self, each: Objects) -> Iterator[Entry]:
        for kind, name, first, second in (
            ("drbd", "throughput", "read", "written"),
            ("peers", "replication", "received", "sent"),
        ):
            if kind == each.kind:
                keys = [self._key(each, first), self._key(each, second)]
                yield self.graph(f"{each.label}: {name}", *keys)

    # -- graphs and dashboards -------------------------------------------------------------------

    def graph(self, name: str, *keys: str) -> Entry:
        """Lines of several items."""
        colours = ("199C0D", "F63100", "2774A4")
        return {
            "uuid": self.uuid("graph", name),
            "name": name,
            "graph_items": [
                known(
                    sortorder=str(place) if place else None,
                    color=colour,
                    item={"host": self.name, "key": key},
                )
                for place, (key, colour) in enumerate(zip(keys, colours))
            ],
        }

    def graphs(self) -> list[Entry]:
        """The graphs of what is not discovered."""
        drbd = self.graph("DRBD: peers and copies", _figure("drbd-mesh"), _figure("drbd-quorum"))
        if self.kind.drbd_only:
            return [drbd]
        cluster = ("nodes", "quorum", "failover")
        name = "Cluster: nodes, votes and candidates"
        return [self.graph(name, *map(_figure, cluster)), drbd]

    def widget(
        self, kind: str, place: tuple[int, int, int, int], name: str, fields: list[Entry]
    ) -> Entry:
        """A widget; *place* is x, y, width and height in 6.0's 24 columns."""
        x, y, width, height = place
        wide = 3 if self.seven else 1
        return known(
            type=kind,
            name=name,
            x=str(x * wide) if x else None,
            y=str(y) if y else None,
            width=str(width * wide),
            height=str(height),
            fields=fields,
        )

    def tile(
        self,
        place: tuple[int, int, int, int],
        name: str,
        key: str,
        least: Optional[dict[str, str]] = None,
    ) -> Entry:
        """One value, large, and when it was read; in 7.0 with a colour from a threshold on.

        :param least: the colours of a number; those of a state where there are none.
        """
        value = {"host": self.name, "key": key}
        index = ".0" if self.seven else ""
        fields = [
            _field("ITEM", f"itemid{index}", value),
            *(
                _field("INTEGER", f"show.{number}" if self.seven else "show", what)
                for number, what in enumerate(("2", "3"))  # the value and its time
            ),
            _field("INTEGER", "decimal_places", "0"),
            _field("INTEGER", "value_size", "45" if least else "20"),
            _field("INTEGER", "time_size", "9"),
            _field("INTEGER", "time_v_pos", "2"),
        ]
        if not self.seven:
            return self.widget("ITEM", place, name, fields)
        return self.widget("item", place, name, fields + _thresholds(least or {"0": GREEN, **TOLD}))

    def texts(self, place: tuple[int, int, int, int], name: str, keys: list[str]) -> Entry:
        """The last text of several items."""
        if not self.seven:
            values = [_field("ITEM", "itemids", {"host": self.name, "key": key}) for key in keys]
            lines = _field("INTEGER", "show_lines", "25")
            return self.widget("PLAIN_TEXT", place, name, [lines, *values])
        titles = {each["key"]: each["name"] for each in self.items()}
        fields = [_field("INTEGER", "show_lines", "25"), _field("INTEGER", "show_timestamp", "1")]
        for number, key in enumerate(keys):
            fields += [
                _field("STRING", f"columns.{number}.name", titles[key]),
                _field("ITEM", f"columns.{number}.itemid", {"host": self.name, "key": key}),
            ]
        fields.append(_field("INTEGER", "show_column_header", "1"))
        return self.widget("itemhistory", place, name, fields)

    def drawn(self, place: tuple[int, int, int, int], name: str, *size: str) -> Entry:
        """A graph, or with a *size* in columns and rows all graphs of a prototype."""
        value = {"host": self.name, "name": name}
        index = ".0" if self.seven else ""
        if not size:
            kind = "graph" if self.seven else "GRAPH_CLASSIC"
            return self.widget(kind, place, "", [_field("GRAPH", f"graphid{index}", value)])
        fields = [
            _field("INTEGER", "columns", size[0]),
            *(_field("INTEGER", "rows", rows) for rows in size[1:]),
            _field("GRAPH_PROTOTYPE", f"graphid{index}", value),
        ]
        kind = "graphprototype" if self.seven else "GRAPH_PROTOTYPE"
        return self.widget(kind, place, "", fields)

    def honeycomb(
        self, place: tuple[int, int, int, int], name: str, pattern: str, label: str
    ) -> Entry:
        """The states of what is discovered, a cell each; *label* makes its name of the item's."""
        fields = [
            _field("STRING", "items.0", pattern),
            _field("STRING", "primary_label", f'{{{{ITEM.NAME}}.regsub("{label}")}}'),
            _field("INTEGER", "secondary_label_decimal_places", "0"),
            *_thresholds({"0": GREEN, **TOLD}),
        ]
        return self.widget("honeycomb", place, name, fields)

    def problems(self, place: tuple[int, int, int, int]) -> Entry:
        """What a person has been told."""
        fields = [_field("INTEGER", "show", "3"), _field("INTEGER", "show_opdata", "1")]
        return self.widget("problems", place, "Problems", fields)

    def dashboard(self) -> Entry:
        """A page for a glance, and for a node of Pacemaker one for DRBD."""
        drbd_texts = [f"check_mccluster.check.text[{c}]" for c in self.checks if "drbd" in c]
        pages = []
        if self.kind.drbd_only:
            pages.append(
                (
                    "Storage",
                    [
                        *self._tiles("drbd-mesh", "drbd-quorum"),
                        self.tile(
                            (20, 0, 4, 3),
                            "Out of sync",
                            _figure("drbd-sync"),
                            {"0": GREEN, "1": YELLOW},
                        ),
                        *self._known((0, 3, 12, 7)),
                        self.texts((12, 3, 12, 7), "DRBD", drbd_texts),
                        self.drawn((0, 10, 24, 5), "DRBD: peers and copies"),
                        self.drawn((0, 15, 24, 6), "DRBD {#RESOURCE}/{#VOLUME}: throughput", "2"),
                        self.drawn(
                            (0, 21, 24, 10),
                            "DRBD {#RESOURCE}/{#VOLUME} to {#PEER}: replication",
                            *("3", "2"),
                        ),
                    ],
                )
            )
        else:
            texts = [
                f"check_mccluster.check.text[{check}]"
                for check in ("nodes", "quorum", "resources", "placement", "failover")
            ]
            pages += [
                (
                    "Cluster",
                    [
                        *self._tiles("nodes", "quorum", "failover", "drbd-quorum"),
                        *self._known((0, 3, 12, 7)),
                        self.texts((12, 3, 12, 7), "Pacemaker and Corosync", texts),
                        self.drawn((0, 10, 12, 5), "Cluster: nodes, votes and candidates"),
                        self.drawn((12, 10, 12, 5), "DRBD: peers and copies"),
                    ],
                ),
                (
                    "DRBD",
                    [
                        self.texts((0, 0, 24, 5), "DRBD", drbd_texts),
                        self.drawn((0, 5, 24, 6), "DRBD {#RESOURCE}/{#VOLUME}: throughput", "2"),
                        self.drawn(
                            (0, 11, 24, 10),
                            "DRBD {#RESOURCE}/{#VOLUME} to {#PEER}: replication",
                            *("3", "2"),
                        ),
                    ],
                ),
            ]
        return {
            "uuid": self.uuid("dashboard"),
            "name": self.kind.name,
            "pages": [{"name": name, "widgets": widgets} for name, widgets in pages],
        }

    def _tiles(self, *checks: str) -> Iterator[Entry]:
        names = {
            "nodes": "Nodes online",
            "quorum": "Votes to spare",
            "failover": "Failover candidates",
            "drbd-mesh": "Connected peers",
            "drbd-quorum": "DRBD copies in reach",
        }
        first = 8 if self.kind.drbd_only else 4  # four columns are as narrow as a title may be
        yield self.tile((0, 0, first, 3), "Overview", "check_mccluster.state")
        yield self.tile((first, 0, 4, 3), "Tools", "check_mccluster.tools")
        for place, check in enumerate(checks):
            where = (first + 4 + place * 4, 0, 4, 3)
            yield self.tile(where, names[check], _figure(check), {"0": RED, "1": GREEN})

    def _known(self, place: tuple[int, int, int, int]) -> list[Entry]:
        """What is known: problems and cells where there are such widgets, else the texts."""
        x, y, width, height = place
        if not self.seven:
            keys = ["check_mccluster.text", "check_mccluster.error"]
            if not self.kind.drbd_only:
                keys.append("check_mccluster.maintenance")
            return [self.texts(place, "What is to know", keys)]
        found = [self.problems((x, y, width, 3))]
        if not self.kind.drbd_only:
            label = ("Node *: state", '^Node (.*): state$","\\1')
            width //= 2
            found.append(self.honeycomb((x, y + 3, width, height - 3), "Nodes", *label))
            x += width
        label = ("DRBD * to *: state", '^DRBD (.*) to (.*): state$","\\2 \\1')
        return [*found, self.honeycomb((x, y + 3, width, height - 3), "DRBD peers", *label)]

    # -- all of it -------------------------------------------------------------------------------

    def template(self) -> Entry:
        """The template without its triggers of several items and its graphs."""
        filters = [name for each in self.objects for _, name in each.filters]
        macros = [
            *(each for each in MACROS if self._is_used(each[0])),
            *(
                each
                for name in dict.fromkeys(filters)
                for each in (
                    (f"{name}.MATCHES", ".*", f"Regular expression: {FILTERS[name]} to discover."),
                    (
                        f"{name}.NOT_MATCHES",
                        "CHANGE_IF_NEEDED",
                        f"Regular expression: {FILTERS[name]} to leave out.",
                    ),
                )
            ),
        ]
        targets = ["drbd"] if self.kind.drbd_only else ["drbd", "pacemaker"]
        return {
            "uuid": self.uuid(),
            "template": self.name,
            "name": self.name,
            "description": f"{self.kind.description}\n\nIt needs the UserParameter file"
            " check_mccluster.conf on the agent, of either kind; see docs/zabbix.md.",
            "groups": [{"name": "Templates/Applications"}],
            "items": [*self.items()],
            "discovery_rules": [*self.rules()],
            "tags": _tags([("class", "software"), *(("target", each) for each in targets)]),
            "macros": [
                {"macro": macro(name), "value": value, "description": meaning}
                for name, value, meaning in macros
            ],
            "dashboards": [self.dashboard()],
            "valuemaps": [
                {
                    "uuid": self.uuid("valuemap", name),
                    "name": name,
                    "mappings": [
                        {"value": str(value), "newvalue": word} for value, word in enumerate(words)
                    ],
                }
                for name, words in (
                    (STATES, ("OK", "WARNING", "CRITICAL", "UNKNOWN")),
                    (YES_NO, ("no", "yes")),
                )
            ],
        }

    def _is_used(self, name: str) -> bool:
        return not self.kind.drbd_only or name not in (
            *("CANDIDATES.MIN", "TIMING.MARGIN.MIN", "VOTES.MARGIN.MIN"),
        )


def _whole(value: str) -> str:
    """A macro's whole value: without a function Zabbix cuts it at 20 characters."""
    return f'{{{{{value}}}.regsub("^(.*)$",\\1)}}'


def _tags(tags: Iterable[tuple[str, str]]) -> list[Entry]:
    return [{"tag": tag, "value": value} for tag, value in tags]


def _field(kind: str, name: str, value: Any) -> Entry:
    return {"type": kind, "name": name, "value": value}


def _thresholds(least: dict[str, str]) -> list[Entry]:
    return [
        field
        for number, (value, colour) in enumerate(least.items())
        for field in (
            _field("STRING", f"thresholds.{number}.color", colour),
            _field("STRING", f"thresholds.{number}.threshold", value),
        )
    ]


def _figure(check: str) -> str:
    """The key of a check's figure."""
    label = next(each.label for each in FIGURES if each.check == check)
    return f"check_mccluster.figure[{check},{label}]"


def _component(check: str) -> str:
    if check.startswith("drbd-"):
        return "drbd"
    if check in ("links", "quorum"):
        return "corosync"
    if check in ("consistency", "failover", "timing", "cluster"):
        return "cluster"
    return "pacemaker"


def document(version: str, active: bool) -> Entry:
    """What the file of a version and a way of asking has."""
    makers = [Maker(kind, version, active) for kind in KINDS]
    group = {"uuid": "a571c0d144b14fd4a87a9d9b2aa9fcd6", "name": "Templates/Applications"}
    return {
        "zabbix_export": {
            "version": version,
            ("groups" if version == "6.0" else "template_groups"): [group],
            "templates": [maker.template() for maker in makers],
            "triggers": [trigger for maker in makers for trigger in maker.triggers()],
            "graphs": [graph for maker in makers for graph in maker.graphs()],
        }
    }


def yaml(value: Any, indent: int = 0) -> Iterator[str]:
    """Lines of YAML; a text is written as JSON writes it, which is YAML, too."""
    space = "  " * indent
    if isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, (dict, list)):
                yield f"{space}{name}:"
                yield from yaml(each, indent + 1)
            else:
                yield f"{space}{name}: {_scalar(each)}"
        return
    for each in value:
        if not isinstance(each, dict):
            yield f"{space}- {_scalar(each)}"
            continue
        lines = list(yaml(each, indent + 1))
        yield f"{space}- {lines[0].lstrip()}"
        yield from lines[1:]


def _scalar(text: str) -> str:
    plain = text.replace("_", "").replace(" ", "")
    if plain.isalpha() and plain.isascii() and text.lower() not in ("yes", "no", "on", "off"):
        return text
    return json.dumps(text, ensure_ascii=False)


README = """\
<!-- Generated by tools/zabbix.py: do not edit. -->
# Pacemaker and DRBD cluster, DRBD storage server by Zabbix agent

## Overview

Pacemaker, Corosync and DRBD 9 as check_mccluster sees them from each node. One item runs the
program and gets one document; all others depend on it, and so do the discovery rules.

| file | |
|---|---|
| `check_mccluster.conf` | `UserParameter` file for `zabbix_agentd` and `zabbix_agent2` |
| `6.0/template_mccluster.yaml`, `7.0/...` | both templates, for an agent that is asked |
| `6.0/template_mccluster_active.yaml`, `7.0/...` | the same, for an agent that asks for its work |

## Requirements

Zabbix 6.0 or higher: up to 6.4 the files of 6.0, from 7.0 on those of 7.0.

## Tested versions

check_mccluster {version}; Zabbix server 6.0, imported, and run with agent and agent 2;
Zabbix 7.0, imported.

## Setup

How to install it, with agent or agent 2, with sudo or without, and what each trigger means:
[docs/zabbix.md](../../docs/zabbix.md).
"""


def _table(title: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |"

    lines = [line(heads), "|" + "---|" * len(heads), *map(line, rows)]
    return f"### {title}\n\n" + "\n".join(lines) + "\n"


def _item_rows(items: Iterable[Entry]) -> Iterator[tuple[str, ...]]:
    for each in items:
        steps = [
            f"{step['type']}: `{step['parameters'][0]}`" for step in each.get("preprocessing", ())
        ]
        kind = "Dependent" if "master_item" in each else "Zabbix agent"
        how = "<br>".join([f"`{each['key']}`", *(step.replace(": ``", "") for step in steps)])
        yield each["name"], each["description"], kind, how


def _trigger_rows(triggers: Iterable[Entry]) -> Iterator[tuple[str, ...]]:
    for each in triggers:
        yield each["name"], each["description"], f"`{each['expression']}`", each["priority"]


def readme() -> str:
    """The page with the tables that Zabbix' guidelines ask for."""
    from check_mccluster import __version__

    items = ("name", "description", "type", "key and preprocessing")
    triggers = ("name", "description", "expression", "severity")
    parts = [README.replace("{version}", __version__)]
    for kind in KINDS:
        maker = Maker(kind, "7.0", active=False)
        template = maker.template()
        own = [*template["items"]]
        alone = [each for item in own for each in item.get("triggers", ())]
        macros = [
            (f"`{m['macro']}`", m["description"], f"`{m['value']}`") for m in template["macros"]
        ]
        parts += [
            f"## {maker.name}\n\n{kind.description}\n",
            _table("Macros used", ("macro", "description", "default"), macros),
            _table("Items", items, _item_rows(own)),
            _table("Triggers", triggers, _trigger_rows([*alone, *maker.triggers()])),
        ]
        for rule in template["discovery_rules"]:
            name = rule["name"]
            found = _item_rows([{**rule}])
            parts += [
                _table(f"LLD rule {name}", items, found),
                _table(f"Item prototypes for {name}", items, _item_rows(rule["item_prototypes"])),
                _table(
                    f"Trigger prototypes for {name}",
                    triggers,
                    _trigger_rows(rule["trigger_prototypes"]),
                ),
            ]
    return "\n".join(parts)


def files() -> dict[Path, str]:
    """Every file with its text."""
    head = "# Generated by tools/zabbix.py: do not edit.\n"
    made = {
        FOLDER / version / name: head + "\n".join(yaml(document(version, active))) + "\n"
        for version in VERSIONS
        for name, active in FILES.items()
    }
    made[FOLDER / "README.md"] = readme()
    return made


if __name__ == "__main__":
    from generated import write_or_check

    write_or_check(files())
