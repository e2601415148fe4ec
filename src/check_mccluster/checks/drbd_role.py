"""Who is Primary?"""

from __future__ import annotations

from collections.abc import Iterator

from ..inputs.crm_mon import INSTALLED
from ..inputs.drbdsetup import DRBD, SHOW
from ..judge.facts.drbd import (
    PRIMARY_MULTIPLE,
    PRIMARY_NONE,
    Primaries,
    no_primary,
    primaries,
    two_primaries,
)
from ..model.drbd import DrbdResource, Role
from ..model.words import state_name
from ..verdict import subject
from ..verdict.check import Check, Option
from ..verdict.finding import Figure, Finding, Kind, Lines, Report, State, finding
from ..verdict.view import Asked, View, contains_node
from ..verdict.words import join

FORBIDDEN = Kind(
    "primary-forbidden",
    State.CRITICAL,
    "A node is Primary that must never be (tie-breaker in the configuration file,"
    " --never-primary).",
    "crm_mon -1 -r: where Pacemaker runs it there, move it; else on {node}: findmnt shows the"
    " mount, fuser -vm with its path who holds it: stop that, unmount, then: drbdadm secondary"
    " {resource}",
)
UNEXPECTED = Kind(
    "role-unexpected",
    State.WARNING,
    "This node's role differs from --expect-role.",
    "on {node}: drbdadm role {resource}; crm_mon -1 -r",
)


_MOST_ROLES = 64
"""Above so many roles only the total is given: performance data stays bounded."""


def _judge_one(
    view: View, asked: Asked, resource: DrbdResource, seen: Primaries
) -> Iterator[Finding]:
    multiple = two_primaries(view, resource, seen)
    if multiple is not None:
        yield multiple
    never = (*asked.values.get("never_primary", ()), *view.config.tie_breakers)
    for name in seen.names:
        if contains_node(never, name):
            text = f"{resource.name}: {name} is Primary and must never be"
            yield finding(FORBIDDEN, subject.drbd(resource.name), text, nodes=(name,))
    role = asked.values.get("expect_role")
    if role is not None and state_name(resource.role) != role:
        text = f"{resource.name}: {view.here} is {state_name(resource.role)}, expected {role}"
        yield finding(UNEXPECTED, subject.drbd(resource.name), text, nodes=(view.here,))


def _wanted(view: View, resource: DrbdResource) -> bool:
    """Whether something says that somebody should be Primary.

    Pacemaker on this node, or ``runs_with``. Elsewhere (LINSTOR, Proxmox, Kubernetes) a
    volume that is not in use is the normal state.
    """
    rule = view.config.drbd.get(resource.name)
    return view[INSTALLED].value is not False or (rule is not None and rule.runs_with is not None)


def _is_idle(view: View, resource: DrbdResource, seen: Primaries) -> bool:
    return seen.complete and not seen.names and _wanted(view, resource)


def _words(view: View, resource: DrbdResource, seen: Primaries) -> str:
    if seen.names:
        return f"{resource.name}: Primary {', '.join(seen.names)}"
    if seen.hidden:
        return f"{resource.name}: no Primary in sight, {join(seen.hidden)} cannot be seen"
    unused = "" if _wanted(view, resource) else ", not in use"
    return f"{resource.name}: no Primary{unused}"


def _roles(view: View, resource: DrbdResource) -> list[tuple[str, object]]:
    """Every node's role as seen from here, this node first."""
    return [
        (view.here, resource.role),
        *((connection.name, connection.peer_role) for connection in resource.connections),
    ]


def judge(view: View, asked: Asked) -> Report:
    """Each resource's Primaries."""
    resources = view[DRBD].value
    if resources is None:
        return Report()
    known = [(resource, primaries(view, resource)) for resource in resources]
    figures = [Figure("primaries", sum(len(seen.names) for _, seen in known), minimum=0)]
    if sum(len(r.connections) + 1 for r in resources) <= _MOST_ROLES:
        roles = [(r.name, name, role) for r in resources for name, role in _roles(view, r)]
        figures += [
            Figure(f"{resource}_primary_{name}", int(role is Role.PRIMARY), minimum=0, maximum=1)
            for resource, name, role in roles
        ]
    some = [_words(view, resource, seen) for resource, seen in known[:2]]
    return Report(
        (
            *(each for r, seen in known for each in _judge_one(view, asked, r, seen)),
            *no_primary([r.name for r, seen in known if _is_idle(view, r, seen)]),
        ),
        "; ".join(some) + (f"; {len(known) - 2} more resources" if len(known) > 2 else ""),
        tuple(figures),
        Lines(
            lambda: (
                f"role of {r.name} on {name}: {state_name(role)}"
                for r in resources
                for name, role in _roles(view, r)
            )
        ),
    )


CHECK = Check(
    name="drbd-role",
    question="Who is Primary?",
    needs=(DRBD,),
    hints=(SHOW, INSTALLED),
    rule=judge,
    kinds=(PRIMARY_MULTIPLE, PRIMARY_NONE, FORBIDDEN, UNEXPECTED),
    figures=(
        ("primaries", "Primaries of all resources together"),
        ("{resource}_primary_{node}", "1 where the node is seen as Primary, else 0"),
    ),
    options=(
        Option(
            "--expect-role",
            "The role that this node should have.",
            (Role.PRIMARY.value, Role.SECONDARY.value),
        ),
        Option(
            "--never-primary",
            "A node that must never be Primary (repeatable).",
            "node",
            multiple=True,
            metavar="NODE",
        ),
    ),
    filters="drbd",
    settings=("pacemaker", "drbd"),
    example="check_mccluster drbd-role --never-primary app03",
)
