"""Pacemaker's view of the cluster, as ``crm_mon -r -1 -X`` shows it, and parts of the CIB.

Long because it is one document, and a value each of its elements: nothing here but fields.

Sources: Pacemaker ``tools/crm_mon.c``, ``xml/api/crm_mon-*.rng`` (1.1 to 3.0), crm_mon(8).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Optional, Union

from ..values import NamedTuple
from .configuration import (
    CibNode,
    Colocation,
    Configured,
    Order,
    PendingOperation,
    Ran,
    Refusal,
    Rule,
)
from .words import Unrecognised, Word

INFINITY = 1_000_000
"""Pacemaker's INFINITY: as a fail-count "never again", as a threshold "no threshold"."""


class Role(Word):
    """Role of a resource instance; ``Master``/``Slave`` of old versions become the new words."""

    STOPPED = "Stopped"
    STARTED = "Started"
    PROMOTED = "Promoted"
    UNPROMOTED = "Unpromoted"
    STARTING = "Starting"
    STOPPING = "Stopping"
    MIGRATING = "Migrating"
    PROMOTING = "Promoting"
    DEMOTING = "Demoting"
    UNKNOWN = "Unknown"


class Health(Word):
    """Node health as the ``node-health-strategy`` sees it (since Pacemaker 2.1.3)."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class FenceStatus(Word):
    """Outcome of a fencing event."""

    SUCCESS = "success"
    FAILED = "failed"
    PENDING = "pending"


class DesignatedController(NamedTuple):
    """The elected controller (``current_dc``); the quorum is that of this node's partition."""

    name: Optional[str]
    id: Optional[str]
    version: Optional[str]
    with_quorum: Optional[bool]
    mixed_version: Optional[bool]


class Options(NamedTuple):
    """Cluster options in ``summary/cluster_options``."""

    fencing_enabled: Optional[bool]
    symmetric: Optional[bool]
    no_quorum_policy: Optional[str]
    maintenance_mode: Optional[bool]
    stop_all_resources: Optional[bool]


class Node(NamedTuple):
    """A member, remote or guest node.

    ``online`` is true for standby and maintenance nodes, too. ``id_as_resource`` is set for
    guest and bundle nodes only: the id of the container resource behind them.
    ``type`` is ``member``, ``remote``, ``ping`` or ``unknown``.
    """

    name: str
    id: str
    online: Optional[bool]
    standby: Optional[bool]
    standby_onfail: Optional[bool]
    maintenance: Optional[bool]
    pending: Optional[bool]
    unclean: Optional[bool]
    shutdown: Optional[bool]
    expected_up: Optional[bool]
    is_dc: Optional[bool]
    health: Optional[Union[Health, Unrecognised]]
    feature_set: Optional[str]
    type: Optional[str]
    resources_running: Optional[int]
    id_as_resource: Optional[str]

    @property
    def is_member(self) -> bool:
        """Whether it is a node with a vote: no remote, guest or ping node."""
        return self.type == "member"

    @property
    def is_remote(self) -> bool:
        """Whether it is a remote node, or one that lives in a container or virtual machine."""
        return self.type == "remote"

    @property
    def is_ping(self) -> bool:
        """Whether it is no machine of the cluster but a target to ping, as Heartbeat had them."""
        return self.type == "ping"

    @property
    def runs_services(self) -> bool:
        """Whether it is of a kind that runs services: members and remote nodes, no guests."""
        return self.type in ("member", "remote") and self.id_as_resource is None


class Primitive(NamedTuple):
    """One resource instance.

    ``target_role`` is as configured, in any case. ``failed`` is a failure not yet recovered
    from. ``pending`` is ``Monitoring`` or ``None``. ``nodes`` are the nodes where it runs;
    more than one for a plain resource means that it is active twice.
    """

    id: str
    agent: str
    role: Union[Role, Unrecognised]
    target_role: Optional[str]
    active: Optional[bool]
    orphaned: Optional[bool]
    blocked: Optional[bool]
    managed: Optional[bool]
    maintenance: Optional[bool]
    failed: Optional[bool]
    failure_ignored: Optional[bool]
    pending: Optional[Union[str, Unrecognised]]
    locked_to: Optional[str]
    nodes: tuple[str, ...]

    @property
    def is_fence_device(self) -> bool:
        """Whether the agent is a fence agent (``stonith:…``)."""
        return self.agent.startswith("stonith:")


class Group(NamedTuple):
    """A group; ``disabled`` is a target-role of Stopped on the group itself (since 2.0.5)."""

    id: str
    managed: Optional[bool]
    disabled: Optional[bool]
    maintenance: Optional[bool]
    members: tuple[Primitive, ...]


class Clone(NamedTuple):
    """A clone; ``promotable`` is the attribute ``multi_state``. Instances may share one id."""

    id: str
    promotable: Optional[bool]
    unique: Optional[bool]
    managed: Optional[bool]
    disabled: Optional[bool]
    maintenance: Optional[bool]
    failed: Optional[bool]
    failure_ignored: Optional[bool]
    target_role: Optional[str]
    instances: tuple[Union[Primitive, Group], ...]


class Replica(NamedTuple):
    """One replica of a bundle: its IP, inner resource, container and remote connection."""

    id: str
    members: tuple[Primitive, ...]


class Bundle(NamedTuple):
    """A bundle of containers; ``type`` is docker, rkt or podman."""

    id: str
    type: Optional[str]
    image: Optional[str]
    unique: Optional[bool]
    managed: Optional[bool]
    maintenance: Optional[bool]
    failed: Optional[bool]
    replicas: tuple[Replica, ...]


Resource = Union[Primitive, Group, Clone, Bundle]


class Operation(NamedTuple):
    """A recorded operation. ``interval_ms`` is 0 or ``None`` for one that does not recur."""

    task: str
    rc: Optional[int]
    rc_text: Optional[str]
    interval_ms: Optional[int]


class ResourceHistory(NamedTuple):
    """What a resource left behind on a node.

    Kept only where there is something to say: a fail-count above 0, or an operation whose
    result is neither success (0, 8) nor an expected "not running" (7).
    ``fail_count`` and ``migration_threshold``: :data:`INFINITY` is "never again"/"no threshold".
    """

    node: str
    resource: str
    orphaned: Optional[bool]
    migration_threshold: Optional[int]
    fail_count: Optional[int]
    last_failure: Optional[str]
    operations: tuple[Operation, ...]


class Failure(NamedTuple):
    """A failed operation still recorded in the CIB, recovered from or not.

    ``exit_reason`` has its second escaping undone and is ``None`` for ``none`` and ``""``.
    ``time`` is when the result changed, aware if the tool printed a zone, else naive (local).
    """

    resource: str
    task: Optional[str]
    interval_ms: Optional[int]
    node: str
    exit_code: Optional[int]
    exit_status: Optional[str]
    exit_reason: Optional[str]
    status: Optional[str]
    call: Optional[int]
    time: Optional[datetime]
    took_ms: Optional[int] = None
    """How long the operation ran."""

    @property
    def timed_out(self) -> bool:
        """Whether the operation did not end in its time; releases word that differently."""
        return "time" in (self.status or "").lower()


FENCE_HANDLER = "drbd-fence-by-handler-"
"""How the ids of constraints begin that DRBD's crm-fence-peer handlers set."""


class Ban(NamedTuple):
    """A location constraint with a negative score; ``-1000000`` is -INFINITY."""

    id: str
    resource: str
    node: str
    weight: int
    promoted_only: Optional[bool]

    @property
    def is_leftover(self) -> bool:
        """Left by ``crm_resource --ban``/``--move`` (``pcs resource move``): a ``cli-ban-`` id."""
        return self.id.startswith("cli-ban-")

    @property
    def is_infinite(self) -> bool:
        """Whether the resource can never run there."""
        return self.weight <= -INFINITY


class Ticket(NamedTuple):
    """A cluster ticket (booth, ``crm_ticket``). :param last_granted: as printed, if ever."""

    id: str
    granted: Optional[bool]
    standby: Optional[bool]
    last_granted: Optional[str] = None


class FenceEvent(NamedTuple):
    """An entry of the fencing history, newest first. ``completed`` is absent while pending."""

    action: Optional[str]
    target: str
    status: Union[FenceStatus, Unrecognised]
    client: Optional[str]
    origin: Optional[str]
    delegate: Optional[str]
    completed: Optional[str]
    exit_reason: Optional[str]


class NodeAttribute(NamedTuple):
    """A node attribute that says how well a node is.

    Kept only of those with an ``expected`` value (set by ``ocf:pacemaker:ping``: the number of its
    targets times ``multiplier``), and of ``#health...``.
    """

    node: str
    name: str
    value: Optional[str]
    expected: Optional[int]


class Summary(NamedTuple):
    """The ``summary`` element. ``dc`` is ``None`` when no designated controller is elected."""

    stack: Optional[str]
    dc: Optional[DesignatedController]
    last_update: Optional[str]
    last_update_origin: Optional[str]
    last_change: Optional[str]
    nodes_configured: Optional[int]
    resources_configured: Optional[int]
    options: Options
    updated: Optional[datetime] = None
    """:attr:`last_update` as a time; naive where crm_mon prints local time without a zone."""
    changed: Optional[datetime] = None
    """:attr:`last_change` as a time: when the configuration was last written."""
    changed_by: Optional[str] = None
    """The user who did it; with which program, and on which node."""
    changed_with: Optional[str] = None
    changed_on: Optional[str] = None


class Cluster(NamedTuple):
    """A usable answer of crm_mon: it has a summary and at least one node."""

    version: Optional[str]
    summary: Summary
    nodes: tuple[Node, ...]
    resources: tuple[Resource, ...]
    history: tuple[ResourceHistory, ...]
    failures: tuple[Failure, ...]
    bans: tuple[Ban, ...]
    tickets: tuple[Ticket, ...]
    fence_events: tuple[FenceEvent, ...]
    fence_history_status: Optional[int]
    unrecognised: tuple[Unrecognised, ...] = ()
    attributes: tuple[NodeAttribute, ...] = ()

    def node(self, name: Optional[str]) -> Optional[Node]:
        """The node of that name, if the cluster knows it."""
        return next((node for node in self.nodes if node.name == name), None)


class CrmMonDocument(NamedTuple):
    """What crm_mon printed, usable or not.

    ``cluster`` is ``None`` when the document has no summary or no node: whatever the exit code,
    that is no answer. ``pacemakerd_state`` is the state word of the ``pacemakerd`` element
    (2.1.5) or of ``stack@pacemakerd-state`` (2.1.6+), ``None`` where there is neither.
    ``has_summary`` tells which part is missing. ``status_code`` is ``status@code``.
    """

    version: Optional[str]
    pacemakerd_state: Optional[str]
    has_summary: bool
    status_code: Optional[int]
    errors: tuple[str, ...]
    cluster: Optional[Cluster]


def primitives(resource: Resource) -> Iterator[Primitive]:
    """Every primitive instance inside *resource*, depth first."""
    if isinstance(resource, Primitive):
        yield resource
    elif isinstance(resource, Group):
        yield from resource.members
    elif isinstance(resource, Clone):
        for instance in resource.instances:
            yield from primitives(instance)
    else:
        for replica in resource.replicas:
            yield from replica.members


def ids_of(resource: Resource) -> frozenset[str]:
    """The resource's id and those of everything inside, without instance numbers."""
    if isinstance(resource, Primitive):
        return frozenset((resource.id, base_id(resource.id)))
    inner = {base_id(primitive.id) for primitive in primitives(resource)}
    if isinstance(resource, Clone):
        inner |= {base_id(i.id) for i in resource.instances if isinstance(i, Group)}
    return frozenset({resource.id, *inner})


def base_id(name: str) -> str:
    """An instance's id without its number: ``ping:1`` → ``ping``."""
    stem, colon, number = name.rpartition(":")
    return stem if colon and number.isdigit() else name


def asks_for_stop(target_role: Optional[str]) -> bool:
    """Whether a target-role, in any case, asks for the resource to be stopped."""
    return target_role is not None and target_role.lower() == "stopped"


def asks_for_no_promotion(target_role: Optional[str]) -> bool:
    """Whether a target-role, in any case, lets the resource run and not be promoted."""
    return target_role is not None and target_role.lower() in ("unpromoted", "slave")


RUNNING = frozenset({Role.STARTED, Role.PROMOTED, Role.UNPROMOTED})
"""Roles of an instance that runs."""


def status_word(node: Node) -> str:
    """The one word about a node that matters most, ``online`` if there is no other."""
    if node.unclean:
        return "unclean"
    if not node.online:
        return "offline"
    words = ("pending", "shutdown", "standby", "maintenance")
    return next((word for word in words if getattr(node, word)), "online")


NODE_WORDS = ("online", "offline", "unclean", "pending", "shutdown", "standby", "maintenance")
"""Every word that :func:`status_word` can say."""


class Filesystem(NamedTuple):
    """A ``ocf:*:Filesystem`` primitive of the CIB and the device it mounts."""

    resource: str
    device: str
    directory: Optional[str]


class Location(NamedTuple):
    """A location constraint of the CIB.

    ``score`` in Pacemaker's integers; ``node`` is ``None`` where only a rule tells the place.
    ``resource`` is ``None`` for a ``pattern`` (a regular expression). ``role`` limits it to
    instances in that role. ``discovery`` is ``always``, ``never`` or ``exclusive``.
    """

    id: str
    resource: Optional[str]
    node: Optional[str]
    score: Optional[int]
    role: Optional[str] = None
    pattern: Optional[str] = None
    discovery: Optional[str] = None
    rules: tuple[Rule, ...] = ()

    @property
    def is_leftover_prefer(self) -> bool:
        """Left by ``crm_resource --move --node``: a ``cli-prefer-`` id; crm_mon never shows it."""
        return self.id.startswith("cli-prefer-")


class TicketConstraint(NamedTuple):
    """``rsc_ticket``: the resource may run only where the ticket is granted.

    :param loss_policy: ``stop``, ``demote``, ``fence`` or ``freeze``, where it is set.
    """

    id: str
    resource: Optional[str]
    ticket: str
    loss_policy: Optional[str] = None


class Cib(NamedTuple):
    """The parts of the CIB that crm_mon does not show.

    :param fence_devices: ids of the configured primitives of class ``stonith``.
    :param resources: everything configured, by id. :param defaults: of meta attributes, for every
        resource. :param nodes: by name. :param pending: operations that were under way.
    :param last_written: when the configuration was changed last, as crm_mon tells it, too.
    :param started: when a resource was started on a node where its last operation was a start, in
        seconds since 1970. :param newest: the last start or first probe of each resource.
    :param stopped: the last stop of each resource that went as it should.
    :param left_running: by node, what ran there after the last operation that the node told of.
    :param refused: by resource and node, the result after which it is not tried there again.
    """

    properties: dict[str, str]
    filesystems: tuple[Filesystem, ...]
    locations: tuple[Location, ...]
    tickets: tuple[TicketConstraint, ...]
    fence_devices: tuple[str, ...]
    resources: Mapping[str, Configured] = MappingProxyType({})
    defaults: Mapping[str, str] = MappingProxyType({})
    colocations: tuple[Colocation, ...] = ()
    orders: tuple[Order, ...] = ()
    nodes: Mapping[str, CibNode] = MappingProxyType({})
    pending: tuple[PendingOperation, ...] = ()
    last_written: Optional[datetime] = None
    started: Mapping[tuple[str, str], int] = MappingProxyType({})
    newest: Mapping[str, Ran] = MappingProxyType({})
    stopped: Mapping[str, Ran] = MappingProxyType({})
    left_running: Mapping[str, frozenset[str]] = MappingProxyType({})
    refused: Mapping[tuple[str, str], Refusal] = MappingProxyType({})

    def is_idle(self, node: str) -> bool:
        """Whether a node runs nothing, as far as its history tells."""
        return node in self.nodes and not self.left_running.get(node)

    def configured(self, agent: str) -> tuple[Configured, ...]:
        """The primitives of one agent, whoever provides it: ``Filesystem``, ``linbit:drbd``."""
        return tuple(
            each
            for each in self.resources.values()
            if each.agent is not None and f":{each.agent}".endswith(f":{agent}")
        )

    def chain(self, name: str) -> tuple[str, ...]:
        """The id of a resource and those of what is around it, inside first."""
        found = [name]
        while (one := self.resources.get(found[-1])) is not None and one.parent is not None:
            found.append(one.parent)
        return tuple(found)

    def holder(self, name: str, key: str) -> Optional[str]:
        """What a meta attribute in force is set on: itself, or what is around it."""
        for each in self.chain(name):
            one = self.resources.get(each)
            if one is not None and key in one.meta:
                return each
        return None

    def meta(self, name: str, key: str) -> Optional[str]:
        """A meta attribute in force: its own, that of what is around it, or the default."""
        for each in self.chain(name):
            one = self.resources.get(each)
            if one is not None and key in one.meta:
                return one.meta[key]
        return self.defaults.get(key)
