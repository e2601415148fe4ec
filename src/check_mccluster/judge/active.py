"""Where a resource is active: what decides whether ``active`` runs its plugin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from ..inputs.crm_mon import CLUSTER
from ..model.pacemaker import (
    RUNNING,
    Bundle,
    Clone,
    Cluster,
    Group,
    Primitive,
    Resource,
    Role,
    asks_for_no_promotion,
    asks_for_stop,
    base_id,
    primitives,
)
from ..values import NamedTuple
from ..verdict import subject
from ..verdict.check import Check
from ..verdict.finding import Finding, Report, State, finding
from ..verdict.view import Asked, View
from ..verdict.words import join
from .facts.pacemaker import (
    MISSING,
    MOVING,
    NOT_RUNNING,
    ON_LOST_NODE,
    has_quorum,
    is_disabled,
    lost_nodes,
)

_ACTIVE = RUNNING | {Role.PROMOTING, Role.DEMOTING}
_PROMOTED = frozenset({Role.PROMOTED})


class Activity(NamedTuple):
    """Where a resource is active.

    :param nodes: nodes where it is, whatever became of them. :param moving: instances between two
        states, by which it is active nowhere yet or any more. :param disabled: its stop is wanted.
    """

    nodes: tuple[str, ...]
    moving: tuple[Primitive, ...]
    disabled: bool

    def is_here(self, view: View) -> bool:
        """Whether it is active on this node."""
        return any(view.is_here(node) for node in self.nodes)


def activity(cluster: Cluster, name: str, promoted: bool) -> Optional[Activity]:
    """Where the resource of that name is active; ``None`` if the cluster does not know it.

    A group is active where its first member is, a clone or bundle where an instance is.

    :param promoted: only promoted instances count.
    """
    for resource in cluster.resources:
        deciding = tuple(_deciding(resource, name))
        if deciding:
            active = _PROMOTED if promoted else _ACTIVE
            nodes = [node for each in deciding if each.role in active for node in each.nodes]
            return Activity(
                tuple(dict.fromkeys(nodes)),
                tuple(each for each in deciding if each.role in MOVING),
                _is_disabled(cluster, resource, name, deciding, promoted),
            )
    return None


def _deciding(resource: Resource, name: str) -> Iterator[Primitive]:
    """The instances whose role decides, if *resource* or something inside has that name."""
    if resource.id == name:
        yield from _firsts(resource)
        return
    if isinstance(resource, Clone):
        for instance in resource.instances:
            if isinstance(instance, Group) and base_id(instance.id) == name:
                yield from _firsts(instance)
    yield from (each for each in primitives(resource) if name in (each.id, base_id(each.id)))


def _firsts(resource: Resource) -> Iterator[Primitive]:
    if isinstance(resource, Primitive):
        yield resource
    elif isinstance(resource, Group):
        yield from resource.members[:1]
    elif isinstance(resource, Clone):
        for instance in resource.instances:
            yield from _firsts(instance)
    else:
        yield from _containers(resource)


def _containers(bundle: Bundle) -> Iterator[Primitive]:
    """The container of each replica: it names the host, what is inside names the guest."""
    for replica in bundle.replicas:
        promoted = any(member.role is Role.PROMOTED for member in replica.members)
        for member in replica.members:
            if member.agent.rpartition(":")[2] == bundle.type:
                yield member._replace(role=Role.PROMOTED) if promoted else member


def _is_disabled(
    cluster: Cluster,
    resource: Resource,
    name: str,
    deciding: tuple[Primitive, ...],
    promoted: bool,
) -> bool:
    if is_disabled(cluster, resource):
        return True
    targets = [each.target_role for each in deciding]
    if name != resource.id and all(asks_for_stop(target) for target in targets):
        return True
    if isinstance(resource, Clone):
        targets.append(resource.target_role)
    return promoted and any(map(asks_for_no_promotion, targets))


def judge(view: View, asked: Asked) -> Report:
    """OK where somebody is active; that a plugin has to be run is for the caller to see."""
    cluster = view[CLUSTER].value
    if cluster is None:
        return Report()
    name, promoted = asked.values["group"], asked.values["promoted"]
    found = activity(cluster, name, promoted)
    if found is None:
        return Report(
            (finding(MISSING, subject.resource(name), f"{name} is not configured in the cluster"),)
        )
    runs = "is promoted" if promoted else "runs"
    if not found.nodes:
        return Report((_nowhere(cluster, name, found, runs),))
    if found.is_here(view):
        return Report((), f"{name} {runs} here")
    lost = lost_nodes(cluster)
    if all(node in lost for node in found.nodes):
        text = f"{name} is said to run on {join(found.nodes)}, which is lost"
        return Report((finding(ON_LOST_NODE, subject.resource(name), text, nodes=found.nodes),))
    return Report((), f"standby: {name} {runs} on {join(found.nodes)}")


def _nowhere(cluster: Cluster, name: str, found: Activity, runs: str) -> Finding:
    """Also while it starts, stops or moves: at this moment nobody serves."""
    if found.disabled:
        return finding(
            NOT_RUNNING,
            subject.resource(name),
            f"{name} {runs} nowhere, on purpose",
            state=State.WARNING,
        )
    why = ""
    if found.moving:
        moves = dict.fromkeys(_move(each) for each in found.moving)
        why = f": {join(moves)}"
    elif has_quorum(cluster) is False:
        why = ": this partition has no quorum"
    return finding(NOT_RUNNING, subject.resource(name), f"{name} {runs} nowhere{why}")


def _move(instance: Primitive) -> str:
    where = f" on {join(instance.nodes)}" if instance.nodes else ""
    role = instance.role.value if isinstance(instance.role, Role) else instance.role
    return f"{instance.id} is {str(role).lower()}{where}"


CHECK = Check(
    name="active",
    question="Is the service healthy where it runs, and rightly absent elsewhere?",
    needs=(CLUSTER,),
    rule=judge,
    kinds=(NOT_RUNNING, MISSING, ON_LOST_NODE),
    figures=(),
)
