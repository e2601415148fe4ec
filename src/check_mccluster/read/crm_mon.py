"""``crm_mon -r -1 -X`` and ``--output-as=xml``, from Pacemaker 1.1 to 3.0.

Long because it is one document: a function for each of its sections.

Both forms have the same sections below different roots. Sections and attributes come and go with
the version, their order changes, and old and new names stand side by side; none of that is ever
decided by the version number (a vendor's 2.1.2 may print the words of 2.0).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Optional, Union

from ..model.pacemaker import (
    Ban,
    Bundle,
    Clone,
    Cluster,
    CrmMonDocument,
    DesignatedController,
    Failure,
    FenceEvent,
    FenceStatus,
    Group,
    Health,
    Node,
    NodeAttribute,
    Operation,
    Options,
    Primitive,
    Replica,
    Resource,
    ResourceHistory,
    Role,
    Summary,
    Ticket,
    base_id,
    primitives,
)
from ..model.words import Unrecognised, parse, whole
from .errors import ReadError, refuse_twice
from .xmlstream import (
    Element,
    Path,
    Readable,
    boolean,
    integer,
    label,
    only,
    records,
    required,
    score,
    text,
    time_of,
)

ROOTS = ("crm_mon", "pacemaker-result")
MONITORING = "Monitoring"
"""The one word that is ever printed as pending: a start or stop under way is told as the role."""


def read_crm_mon(stream: Readable) -> CrmMonDocument:
    """Read what crm_mon printed, while it arrives.

    :raises NotXml: plain text, as Pacemaker 1.1 and 2.0.0 to 2.0.2 report errors.
    :raises ReadError: not crm_mon's XML, cut off, or an attribute of a wrong type.
    """
    found = _Found()
    for path, element in records(stream, "crm_mon", ROOTS, RECORDS, QUIET, lists=True):
        RECORDS[path](found, element)
    return found.document()


class _Found:
    """What was read so far."""

    def __init__(self) -> None:
        self.version: Optional[str] = None
        self.pacemakerd_state: Optional[str] = None
        self.status_code: Optional[int] = None
        self.errors: list[str] = []
        self.summary: Optional[Summary] = None
        self.nodes: list[Node] = []
        self.resources: list[Resource] = []
        self.history: list[ResourceHistory] = []
        self.thresholds: dict[str, Optional[int]] = {}
        self.failures: list[Failure] = []
        self.bans: list[Ban] = []
        self.tickets: list[Ticket] = []
        self.fence_events: list[FenceEvent] = []
        self.fence_history_status: Optional[int] = None
        self.unrecognised: list[Unrecognised] = []
        self.attributes: list[NodeAttribute] = []
        self.has_options = False
        self.has_controller = False

    def document(self) -> CrmMonDocument:
        return CrmMonDocument(
            version=self.version,
            pacemakerd_state=self.pacemakerd_state,
            has_summary=self.summary is not None,
            status_code=self.status_code,
            errors=tuple(self.errors),
            cluster=self.cluster(),
        )

    def cluster(self) -> Optional[Cluster]:
        if self.summary is None or not self.nodes:
            return None
        if not self.has_options:
            raise ReadError("summary without cluster_options")
        if not self.has_controller:
            raise ReadError("summary without current_dc")
        self.refuse_twice()
        words = (
            *self.unrecognised,
            *(node.health for node in self.nodes),
            *(
                word
                for top in self.resources
                for instance in primitives(top)
                for word in (instance.role, instance.pending)
            ),
            *(event.status for event in self.fence_events),
        )
        return Cluster(
            version=self.version,
            summary=self.summary,
            nodes=tuple(self.nodes),
            resources=tuple(self.resources),
            history=tuple(self.history),
            failures=tuple(self.failures),
            bans=tuple(self.bans),
            tickets=tuple(self.tickets),
            fence_events=tuple(self.fence_events),
            fence_history_status=self.fence_history_status,
            # Instances of a clone share id and word: said once.
            unrecognised=tuple(
                dict.fromkeys(word for word in words if isinstance(word, Unrecognised))
            ),
            attributes=tuple(self.attributes),
        )

    def refuse_twice(self) -> None:
        """Which of two would count?

        :raises ReadError: for what is there twice, and for more or fewer nodes than the summary
            counts.
        """
        refuse_twice((node.name for node in self.nodes), "node")
        refuse_twice((node.id for node in self.nodes), "node id")
        # What was removed may have the id of what took its place.
        refuse_twice((top.id for top in self.resources if not _removed(top)), "resource")
        for top in self.resources:
            if isinstance(top, Group):
                members = (one.id for one in top.members if not one.orphaned)
                refuse_twice(members, f"member of {top.id}")
            elif isinstance(top, Clone) and not top.unique:
                where = (
                    f"instance {one.id} on {node}"
                    for one in top.instances
                    if isinstance(one, Primitive) and not one.orphaned
                    for node in one.nodes
                )
                refuse_twice(where, top.id)
        refuse_twice((f"of {one.resource} on {one.node}" for one in self.history), "history")
        expected = None if self.summary is None else self.summary.nodes_configured
        if expected is not None and expected != len(self.nodes):
            raise ReadError(f"{len(self.nodes)} nodes, nodes_configured says {expected}")


def _removed(top: Resource) -> bool:
    return isinstance(top, Primitive) and top.orphaned is True


def _root(found: _Found, element: Element) -> None:
    found.version = element.get("version")


def _pacemakerd(found: _Found, element: Element) -> None:
    found.pacemakerd_state = text(element, "state")


def _status(found: _Found, element: Element) -> None:
    found.status_code = integer(element, "code")
    found.errors += [(error.text or "").strip() for error in element.iterfind("errors/error")]


def _summary(found: _Found, element: Element) -> None:
    def child(tag: str, *names: str) -> Optional[str]:
        part = element.find(tag)
        return None if part is None else text(part, *names)

    def count(tag: str) -> Optional[int]:
        part = element.find(tag)
        return None if part is None else integer(part, "number")

    found.pacemakerd_state = child("stack", "pacemakerd-state") or found.pacemakerd_state
    found.has_options = element.find("cluster_options") is not None
    controller = element.find("current_dc")
    found.has_controller = controller is not None and boolean(controller, "present") is not None
    found.summary = Summary(
        stack=child("stack", "type"),
        dc=_designated_controller(controller),
        last_update=child("last_update", "time"),
        last_update_origin=child("last_update", "origin"),
        last_change=child("last_change", "time"),
        nodes_configured=count("nodes_configured"),
        resources_configured=count("resources_configured"),
        options=_options(element.find("cluster_options")),
        updated=time_of(child("last_update", "time")),
        changed=time_of(child("last_change", "time")),
        changed_by=child("last_change", "user"),
        changed_with=child("last_change", "client"),
        changed_on=child("last_change", "origin"),
    )


def _designated_controller(element: Optional[Element]) -> Optional[DesignatedController]:
    if element is None or not boolean(element, "present"):
        return None
    return DesignatedController(
        name=required(element, "name"),
        id=text(element, "id"),
        version=text(element, "version"),
        with_quorum=boolean(element, "with_quorum"),
        mixed_version=boolean(element, "mixed_version"),
    )


def _options(element: Optional[Element]) -> Options:
    if element is None:
        return Options(None, None, None, None, None)
    return Options(
        fencing_enabled=boolean(element, "fencing-enabled", "stonith-enabled"),
        symmetric=boolean(element, "symmetric-cluster"),
        no_quorum_policy=text(element, "no-quorum-policy"),
        maintenance_mode=boolean(element, "maintenance-mode"),
        stop_all_resources=boolean(element, "stop-all-resources"),
    )


NODE_TYPES = ("member", "remote", "ping", "unknown")
"""``unknown`` is crm_mon's own word for a node of which the cluster knows no more than the name."""


def _node(found: _Found, element: Element) -> None:
    name = required(element, "name")
    health = text(element, "health")
    node_type = element.get("type")
    if node_type is not None and node_type not in NODE_TYPES:
        found.unrecognised.append(Unrecognised(node_type, f"type of node {name}"))
    found.nodes.append(
        Node(
            name=name,
            id=required(element, "id"),
            online=boolean(element, "online"),
            standby=boolean(element, "standby"),
            standby_onfail=boolean(element, "standby_onfail"),
            maintenance=boolean(element, "maintenance"),
            pending=boolean(element, "pending"),
            unclean=boolean(element, "unclean"),
            shutdown=boolean(element, "shutdown"),
            expected_up=boolean(element, "expected_up"),
            is_dc=boolean(element, "is_dc"),
            health=None if health is None else parse(Health, health, f"health of {name}"),
            feature_set=text(element, "feature_set"),
            type=text(element, "type"),
            resources_running=integer(element, "resources_running"),
            id_as_resource=text(element, "id_as_resource", "container_id"),
        )
    )


def _resource(found: _Found, element: Element) -> None:
    found.resources.append(RESOURCES[element.tag](element))


def _primitive(element: Element) -> Primitive:
    name = required(element, "id")
    return Primitive(
        id=name,
        agent=required(element, "resource_agent"),
        role=role(required(element, "role"), name),
        target_role=text(element, "target_role"),
        active=boolean(element, "active"),
        orphaned=boolean(element, "removed", "orphaned"),
        blocked=boolean(element, "blocked"),
        managed=boolean(element, "managed"),
        maintenance=boolean(element, "maintenance"),
        failed=boolean(element, "failed"),
        failure_ignored=boolean(element, "failure_ignored"),
        pending=_pending(element, name),
        locked_to=text(element, "locked_to"),
        # node@cached changed its meaning in 2.0.3: never read.
        nodes=tuple(required(node, "name") for node in element.iterchildren("node")),
    )


def _pending(element: Element, resource: str) -> Optional[Union[str, Unrecognised]]:
    word = text(element, "pending")
    known = word is None or word == MONITORING
    return word if known else Unrecognised(word or "", f"pending of {resource}")


def role(word: str, resource: str) -> Union[Role, Unrecognised]:
    """A role; the words of 2.0 and of builds with ``--enable-compat-2.0`` are the new ones."""
    current = {"Master": "Promoted", "Slave": "Unpromoted"}.get(word, word)
    return parse(Role, current, f"role of {resource}")


def _group(element: Element) -> Group:
    return Group(
        id=required(element, "id"),
        managed=boolean(element, "managed"),
        disabled=boolean(element, "disabled"),
        maintenance=boolean(element, "maintenance"),
        members=tuple(map(_primitive, element.iterchildren("resource"))),
    )


def _clone(element: Element) -> Clone:
    return Clone(
        id=required(element, "id"),
        promotable=boolean(element, "multi_state"),
        unique=boolean(element, "unique"),
        managed=boolean(element, "managed"),
        disabled=boolean(element, "disabled"),
        maintenance=boolean(element, "maintenance"),
        failed=boolean(element, "failed"),
        failure_ignored=boolean(element, "failure_ignored"),
        target_role=text(element, "target_role"),
        instances=tuple(
            _group(child) if child.tag == "group" else _primitive(child)
            for child in element
            if child.tag in ("group", "resource")
        ),
    )


def _bundle(element: Element) -> Bundle:
    return Bundle(
        id=required(element, "id"),
        type=text(element, "type"),
        image=text(element, "image"),
        unique=boolean(element, "unique"),
        managed=boolean(element, "managed"),
        maintenance=boolean(element, "maintenance"),
        failed=boolean(element, "failed"),
        replicas=tuple(
            Replica(
                id=required(replica, "id"),
                members=tuple(map(_primitive, replica.iterchildren("resource"))),
            )
            for replica in element.iterchildren("replica")
        ),
    )


RESOURCES: dict[str, Callable[[Element], Resource]] = {
    "resource": _primitive,
    "group": _group,
    "clone": _clone,
    "bundle": _bundle,
}


def _history(found: _Found, element: Element) -> None:
    operations = tuple(map(_operation, element.iterchildren("operation_history")))
    fail_count = score(element, "fail-count")
    if fail_count is not None and fail_count < 0:
        raise ReadError(f"{label(element)}: fail-count is {fail_count}, below 0")
    if fail_count is not None and element.get("migration-threshold") is None:
        raise ReadError(f"{label(element)} without migration-threshold")
    if fail_count is None and text(element, "last-failure") is not None:
        raise ReadError(f"{label(element)}: last-failure without fail-count")
    if not fail_count and all(map(_is_unremarkable, operations)):
        return
    resource, threshold = required(element, "id"), score(element, "migration-threshold")
    # It is the resource's, and so the same on every node.
    if found.thresholds.setdefault(base_id(resource), threshold) != threshold:
        raise ReadError(f"{label(element)}: migration-threshold is another one elsewhere")
    found.history.append(
        ResourceHistory(
            node=required(next(element.iterancestors("node")), "name"),
            resource=resource,
            orphaned=boolean(element, "removed", "orphan"),
            migration_threshold=threshold,
            fail_count=fail_count,
            last_failure=text(element, "last-failure"),
            operations=operations,
        )
    )


def _operation(element: Element) -> Operation:
    return Operation(
        task=required(element, "task"),
        rc=integer(element, "rc"),
        rc_text=text(element, "rc_text"),
        interval_ms=integer(element, "interval", unit="ms"),
    )


def _is_unremarkable(operation: Operation) -> bool:
    """Success (0, 8), or "not running" (7) from what does not recur: a probe or a stop."""
    return operation.rc in (0, 8) or (operation.rc == 7 and not operation.interval_ms)


_TEXT = rb"[ !#-%'-;=?-~]"  # printable ASCII without markup
_ANY = rb'="%s*"' % _TEXT
_SOME = rb'="%s+"' % _TEXT
_INTERVAL = rb'(?: interval="[0-9]{1,18}ms")?'
_TIMES = rb" last-rc-change%s(?: last-run%s)? exec-time%s queue-time%s" % (_ANY, _ANY, _ANY, _ANY)
QUIET = (
    rb"<resource_history id%s orphan%s(?: removed%s)? migration-threshold%s>\s*"
    rb"(?:<operation_history call%s task%s(?:"
    rb' rc="(?:[08]|7(?!" rc_text%s interval="(?!0ms")))" rc_text%s%s%s'  # since 2.0.3
    rb'|(?! interval="(?!0ms")[^>]* rc="7)%s%s rc="[078]" rc_text%s'  # to 2.0.2
    rb") ?/>\s*)+</resource_history>"
    % (
        *(_SOME, _ANY, _ANY, _ANY, _ANY, _SOME),
        *(_ANY, _ANY, _INTERVAL, _TIMES),
        *(_INTERVAL, _TIMES, _ANY),
    )
)
"""Histories without a failure, as every release prints them: nearly all of a large document.

What looks otherwise in any way is read, and :func:`_history` decides.
"""

OP_KEY = (
    r"(?P<resource>.+?)_(?:monitor|start|stop|promote|demote|migrate_to|migrate_from|reload"
    r"|reload-agent|(?:pre|post)_notify_[a-z_]+|notify|last|last_failure)_[0-9]+"
)


def _failure(found: _Found, element: Element) -> None:
    key = required(element, "op_key", "id")
    task = text(element, "task")
    interval = integer(element, "interval")
    found.failures.append(
        Failure(
            resource=_resource_of(key, f"_{task}_{interval}"),
            task=task,
            interval_ms=interval,
            node=required(element, "node"),
            exit_code=integer(element, "exitcode"),
            exit_status=text(element, "exitstatus"),
            exit_reason=_reason(text(element, "exitreason")),
            status=text(element, "status"),
            call=integer(element, "call"),
            time=time_of(text(element, "last-rc-change")),
            took_ms=_took(element.get("exec")),
        )
    )


def _resource_of(key: str, suffix: str) -> str:
    """The resource in an operation key ``RESOURCE_TASK_INTERVAL``; ids may contain underscores.

    Pacemaker 2.0.4 and 2.0.5 may print ``id="id"`` instead, which is returned as it is.

    :raises ReadError: for another key that does not end in an operation.
    """
    if key.endswith(suffix) and key != suffix:
        return key[: -len(suffix)]
    found = re.fullmatch(OP_KEY, key)
    if found is None and key != "id":
        raise ReadError("failure of something that is no operation")
    return found["resource"] if found else key


def _took(words: Optional[str]) -> Optional[int]:
    """Milliseconds; no verdict depends on them: what is no number is not known."""
    return None if words is None else whole(words)


def _reason(words: Optional[str]) -> Optional[str]:
    """An exit reason as the agent gave it; ``none`` means that it gave none.

    2.0.3 to 3.0.2 escape it twice, 2.1.8 and later only some of the characters. Up to 2.1.2 each
    byte outside ASCII is printed as the octal number of the sign-extended byte.
    """
    if words in (None, "none"):
        return None
    import html

    unescaped = re.sub(r"&(?:amp|lt|gt|quot|apos|#\w+);", lambda m: html.unescape(m[0]), words)
    return re.sub(
        r"(?:\\37777777[67][0-7]{2})+",
        lambda m: bytes(int(byte, 8) & 0xFF for byte in m[0].split("\\")[1:]).decode(
            "utf-8", "replace"
        ),
        unescaped,
    )


def _ban(found: _Found, element: Element) -> None:
    weight = score(element, "weight")
    if weight is None:
        raise ReadError(f"{label(element)} without weight")
    name = required(element, "id")
    if ":" in name:  # XML allows none in an id
        raise ReadError(f"{label(element)}: no id of a constraint")
    found.bans.append(
        Ban(
            id=name,
            resource=required(element, "resource"),
            node=required(element, "node"),
            weight=weight,
            promoted_only=boolean(element, "promoted-only", "master_only"),
        )
    )


def _attributes(found: _Found, element: Element) -> None:
    node = required(element, "name")
    for one in only(element, "attribute"):
        name, expected = required(one, "name"), integer(one, "expected")
        if expected is not None or name.startswith("#health"):
            found.attributes.append(NodeAttribute(node, name, text(one, "value"), expected))


GRANTED = {"granted": True, "revoked": False}


def _ticket(found: _Found, element: Element) -> None:
    name = required(element, "id")
    status = text(element, "status")
    granted = boolean(element, "granted") if status is None else GRANTED.get(status)
    if status is not None and granted is None:
        found.unrecognised.append(Unrecognised(status, f"status of ticket {name}"))
    last = text(element, "last-granted")
    when = time_of(last)
    found.tickets.append(
        Ticket(
            id=name,
            granted=granted,
            standby=boolean(element, "standby"),
            last_granted=f"{when:%Y-%m-%d %H:%M:%S}" if when is not None else last,
        )
    )


def _fence_history(found: _Found, element: Element) -> None:
    found.fence_history_status = integer(element, "status")
    found.fence_events += map(_fence_event, only(element, "fence_event"))


def _fence_event(element: Element) -> FenceEvent:
    target = required(element, "target")
    return FenceEvent(
        action=text(element, "action"),
        target=target,
        status=parse(FenceStatus, required(element, "status", "state"), f"fencing of {target}"),
        client=text(element, "client"),
        origin=text(element, "origin"),
        delegate=text(element, "delegate"),
        completed=text(element, "completed"),
        exit_reason=text(element, "exit-reason"),
    )


RECORDS: dict[Path, Callable[[_Found, Element], None]] = {
    (): _root,
    ("pacemakerd",): _pacemakerd,
    ("summary",): _summary,
    ("nodes", "node"): _node,
    **{("resources", tag): _resource for tag in RESOURCES},
    ("node_history", "node", "resource_history"): _history,
    ("node_attributes", "node"): _attributes,
    ("failures", "failure"): _failure,
    ("bans", "ban"): _ban,
    ("tickets", "ticket"): _ticket,
    ("fence_history",): _fence_history,
    ("status",): _status,
}
"""Where each part of the document stands, below either root, and who reads it."""
