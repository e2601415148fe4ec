"""``cibadmin --query``: the parts of the configuration that crm_mon does not show.

The status section, by far the largest part of a CIB, is dropped while it streams by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Optional

from ..model.pacemaker import Cib, Filesystem, Location, TicketConstraint
from .xmlstream import Element, Path, Readable, records, required, score, text


def read_cib(stream: Readable) -> Cib:
    """Read a CIB while it arrives.

    Where a name is set more than once, in several property or attribute sets, the first one in the
    document counts. (Pacemaker orders sets by score and rules; sets with either are rare.)

    :raises ReadError: not a CIB, cut off, an element without its id, a score that is none.
    """
    found = _Found()
    for path, element in records(stream, "cibadmin", ("cib",), RECORDS):
        if path:  # nothing is read from the root's attributes
            RECORDS[path](found, element)
    return found.cib()


@dataclass(frozen=True)
class _Configured:
    """A primitive or a template, before its own template is looked up."""

    id: str
    template: Optional[str]
    agent_class: Optional[str]
    agent_type: Optional[str]
    parameters: dict[str, str]


@dataclass
class _Found:
    """What was read so far."""

    properties: dict[str, str] = field(default_factory=dict)
    primitives: list[_Configured] = field(default_factory=list)
    templates: dict[str, _Configured] = field(default_factory=dict)
    locations: list[Location] = field(default_factory=list)
    tickets: list[TicketConstraint] = field(default_factory=list)

    def cib(self) -> Cib:
        # Only now: a template may stand behind the primitives that use it.
        configured = tuple(map(self.with_template, self.primitives))
        return Cib(
            properties=self.properties,
            filesystems=tuple(
                Filesystem(one.id, one.parameters["device"], one.parameters.get("directory"))
                for one in configured
                if (one.agent_class, one.agent_type) == ("ocf", "Filesystem")
                and "device" in one.parameters
            ),
            locations=tuple(self.locations),
            tickets=tuple(self.tickets),
            fence_devices=tuple(one.id for one in configured if one.agent_class == "stonith"),
        )

    def with_template(self, primitive: _Configured) -> _Configured:
        template = self.templates.get(primitive.template or "")
        if template is None:
            return primitive
        return _Configured(
            primitive.id,
            primitive.template,
            template.agent_class,
            template.agent_type,
            {**template.parameters, **primitive.parameters},
        )


def _properties(found: _Found, element: Element) -> None:
    for name, value in _pairs(element).items():
        found.properties.setdefault(name, value)


def _pairs(element: Element) -> dict[str, str]:
    """Names and values of the ``nvpair`` children; the first of a name counts."""
    pairs: dict[str, str] = {}
    for pair in element.iterfind("nvpair"):
        value = pair.get("value")
        if value is not None:
            pairs.setdefault(required(pair, "name"), value)
    return pairs


def _resource(found: _Found, element: Element) -> None:
    found.primitives += map(_configured, element.iter("primitive"))


def _template(found: _Found, element: Element) -> None:
    template = _configured(element)
    found.templates[template.id] = template


def _configured(element: Element) -> _Configured:
    parameters: dict[str, str] = {}
    for attributes in element.iterfind("instance_attributes"):
        parameters = {**_pairs(attributes), **parameters}
    return _Configured(
        id=required(element, "id"),
        template=text(element, "template"),
        agent_class=text(element, "class"),
        agent_type=text(element, "type"),
        parameters=parameters,
    )


def _location(found: _Found, element: Element) -> None:
    rules = element.findall("rule")
    node, weight = text(element, "node"), score(element, "score")
    if len(rules) == 1:
        node, weight = _node_of(rules[0]), score(rules[0], "score")
    found.locations += (
        Location(id=required(element, "id"), resource=resource, node=node, score=weight)
        for resource in _constrained(element)
    )


def _constrained(element: Element) -> list[Optional[str]]:
    """Resources of a constraint: ``rsc``, or those of its sets; ``None`` for a pattern."""
    in_sets: list[Optional[str]] = [
        required(one, "id") for one in element.iterfind("resource_set/resource_ref")
    ]
    return in_sets or [text(element, "rsc")]


def _node_of(rule: Element) -> Optional[str]:
    """The node that a rule names, as ``crm_resource --move --lifetime`` writes it."""
    named = [
        expression.get("value")
        for expression in rule.iterfind("expression")
        if (expression.get("attribute"), expression.get("operation")) == ("#uname", "eq")
    ]
    return named[0] if len(named) == 1 and rule.get("boolean-op") != "or" else None


def _ticket(found: _Found, element: Element) -> None:
    found.tickets += (
        TicketConstraint(required(element, "id"), resource, required(element, "ticket"))
        for resource in _constrained(element)
    )


RECORDS: dict[Path, Callable[[_Found, Element], None]] = {
    ("configuration", "crm_config", "cluster_property_set"): _properties,
    **{
        ("configuration", "resources", tag): _resource
        for tag in ("primitive", "group", "clone", "master", "bundle")
    },
    ("configuration", "resources", "template"): _template,
    ("configuration", "constraints", "rsc_location"): _location,
    ("configuration", "constraints", "rsc_ticket"): _ticket,
}
"""Where each part of the CIB stands, and who reads it."""
