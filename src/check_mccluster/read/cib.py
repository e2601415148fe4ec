"""``cibadmin --query``: the parts of the configuration that crm_mon does not show.

Long because it is one document: a function for each of its parts.

The history in the status section, by far the largest part of a CIB, is dropped while it streams
by; only node attributes and operations under way are taken from there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import chain
from typing import Optional, Union

from ..model.configuration import (
    CibNode,
    Colocation,
    Configured,
    DateExpression,
    Expression,
    Member,
    Order,
    PendingOperation,
    Ran,
    Refusal,
    Rule,
)
from ..model.pacemaker import Cib, Filesystem, Location, TicketConstraint
from ..model.words import has_digits, whole
from .xmlstream import (
    Element,
    Path,
    Readable,
    integer,
    records,
    required,
    score,
    text,
    time_of,
)


def read_cib(stream: Readable) -> Cib:
    """Read a CIB while it arrives.

    Where a name is set more than once, in several property or attribute sets, the first one in the
    document counts. (Pacemaker orders sets by score and rules; sets with either are rare.)

    :raises ReadError: not a CIB, cut off, an element without its id, a score that is none.
    """
    found = _Found()
    for path, element in records(stream, "cibadmin", ("cib",), RECORDS):
        if path:
            RECORDS[path](found, element)
        else:
            found.last_written = time_of(text(element, "cib-last-written"))
    return found.cib()


class _Found:
    """What was read so far."""

    def __init__(self) -> None:
        self.properties: dict[str, str] = {}
        self.defaults: dict[str, str] = {}
        self.resources: list[tuple[Configured, Optional[str]]] = []
        self.templates: dict[str, Configured] = {}
        self.locations: list[Location] = []
        self.colocations: list[Colocation] = []
        self.orders: list[Order] = []
        self.tickets: list[TicketConstraint] = []
        self.nodes: dict[str, CibNode] = {}
        self.transient: dict[str, dict[str, str]] = {}
        self.pending: list[PendingOperation] = []
        self.started: dict[tuple[str, str], int] = {}
        self.newest: dict[str, Ran] = {}
        self.stopped: dict[str, Ran] = {}
        self.last: dict[tuple[str, str], tuple[int, bool]] = {}
        self.controllers: dict[str, Optional[bool]] = {}
        self.refused: dict[tuple[str, str], Refusal] = {}
        self.last_written: Optional[datetime] = None

    def cib(self) -> Cib:
        # Only now: a template may stand behind the primitives that use it.
        resources = {one.id: self.with_template(one, name) for one, name in self.resources}
        for name, transient in self.transient.items():
            node = self.nodes.get(name) or CibNode(name, configured=False)
            self.nodes[name] = node._replace(transient=transient)
        for name, controller in self.controllers.items():
            if name in self.nodes:
                self.nodes[name] = self.nodes[name]._replace(controller=controller)
        left: dict[str, list[str]] = {}
        for (resource, name), (_, runs) in self.last.items():
            if runs:
                left.setdefault(name, []).append(resource)
        return Cib(
            properties=self.properties,
            filesystems=tuple(
                Filesystem(one.id, one.parameters["device"], one.parameters.get("directory"))
                for one in resources.values()
                if one.agent is not None
                and one.agent.startswith("ocf:")
                and one.agent.endswith(":Filesystem")
                and "device" in one.parameters
            ),
            locations=tuple(self.locations),
            tickets=tuple(self.tickets),
            fence_devices=tuple(
                one.id
                for one in resources.values()
                if one.agent is not None and one.agent.startswith("stonith:")
            ),
            resources=resources,
            defaults=self.defaults,
            colocations=tuple(self.colocations),
            orders=tuple(self.orders),
            nodes=self.nodes,
            pending=tuple(self.pending),
            last_written=self.last_written,
            started=self.started,
            newest=self.newest,
            stopped=self.stopped,
            left_running={name: frozenset(each) for name, each in left.items()},
            refused=self.refused,
        )

    def with_template(self, one: Configured, name: Optional[str]) -> Configured:
        template = self.templates.get(name or "")
        if template is None:
            return one
        return one._replace(
            agent=template.agent,
            parameters={**template.parameters, **one.parameters},
            meta={**template.meta, **one.meta},
            utilization={**template.utilization, **one.utilization},
            timeouts={**template.timeouts, **one.timeouts},
            looks_deeper=template.looks_deeper or one.looks_deeper,
        )


# -- options, nodes ----------------------------------------------------------------------------


def _properties(found: _Found, element: Element) -> None:
    for name, value in _pairs(element).items():
        found.properties.setdefault(name, value)


def _defaults(found: _Found, element: Element) -> None:
    if element.find("rule") is None:  # with a rule they are for some resources only
        for name, value in _pairs(element).items():
            found.defaults.setdefault(name, value)


def _pairs(element: Element) -> dict[str, str]:
    """Names and values of the ``nvpair`` children; the first of a name counts."""
    pairs: dict[str, str] = {}
    for pair in element.iterchildren("nvpair"):
        value = pair.get("value")
        if value is not None:
            pairs.setdefault(required(pair, "name"), value)
    return pairs


def _sets(element: Element, tag: str) -> dict[str, str]:
    """What the attribute sets of one kind say together."""
    values: dict[str, str] = {}
    for attributes in element.iterchildren(tag):
        values = {**_pairs(attributes), **values}
    return values


def _amounts(element: Element) -> dict[str, int]:
    """Utilization; Pacemaker takes what is no number for nothing."""
    sets = _sets(element, "utilization").items()
    return {name: number for name, value in sets if (number := whole(value)) is not None}


def _node(found: _Found, element: Element) -> None:
    name = text(element, "uname")
    if name is not None:
        found.nodes[name] = CibNode(
            name,
            text(element, "type"),
            _sets(element, "instance_attributes"),
            utilization=_amounts(element),
        )


def _transient(found: _Found, element: Element) -> None:
    state = element.getparent()
    name = text(state, "uname") if state is not None else None
    if name is not None:
        found.transient[name] = _sets(element, "instance_attributes")
        if state is not None:
            found.controllers[name] = _controller(state)


def _controller(state: Element) -> Optional[bool]:
    """Whether a node's controller is in the process group: words, since 2.1.7 when it came (or 0).

    Source: ``unpack_node_online`` in Pacemaker's lib/pengine/unpack.c.
    """
    word = state.get("crmd") or ""
    if word in ("online", "offline"):
        return word == "online"
    since = whole(word)
    return None if since is None else since > 0


def _operation(found: _Found, element: Element) -> None:
    status = element.get("op-status")
    _last(found, element)
    if status == "0" and element.get("rc-code") in _DONE:
        _ran(found, element)
    code = element.get("rc-code")
    if code in _REFUSED:
        _refused(found, element, code)
    if status != "-1":
        return
    resource = element.getparent()
    node = next(element.iterancestors("node_state"), None)
    if resource is not None and node is not None:
        found.pending.append(
            PendingOperation(
                required(resource, "id"),
                required(node, "uname", "id"),
                required(element, "operation"),
                integer(element, "interval"),
                _figure(element, "last-rc-change"),
            )
        )


_REFUSED = ("2", "4", "5", "6")
"""Results after which Pacemaker does not try again: wrong parameters, permissions, no program."""


def _refused(found: _Found, element: Element, code: str) -> None:
    name = required(next(element.iterancestors("lrm_resource")), "id")
    node = required(next(element.iterancestors("node_state")), "uname", "id")
    why = text(element, "exit-reason")
    found.refused[name, node] = Refusal(
        int(code),
        None if why == "none" else why,
        _figure(element, "exec-time"),
    )


def _figure(element: Element, name: str) -> Optional[int]:
    """A number that no verdict depends on: what is none is not known."""
    value = element.get(name)
    return None if value is None else whole(value)


_DONE = ("0", "7", "8")
"""Results of a start, a stop or a probe that went as it should: 7 is not running, 8 promoted."""


_GOES_ON = frozenset({"start", "promote", "demote", "migrate_from"})
"""What runs after it, if it went as it should."""


def _last(found: _Found, element: Element) -> None:
    """Whether the last operation of a resource on a node left it running there."""
    task, result = element.get("operation"), element.get("rc-code")
    call = whole(element.get("call-id") or "")
    if (element.get("interval") or "0") != "0" or call is None:
        return
    done = element.get("op-status") == "0"
    if task == "monitor":  # a probe
        runs = result in ("0", "8")
    elif task == "stop":
        runs = result != "0" and call >= 0  # what could not be stopped
    else:
        runs = done and task in _GOES_ON and result == "0"
    state = next(element.iterancestors("node_state"))
    where = (
        required(next(element.iterancestors("lrm_resource")), "id"),
        required(state, "uname", "id"),
    )
    found.controllers.setdefault(where[1], _controller(state))
    before = found.last.get(where)
    if before is None or call >= before[0]:
        found.last[where] = (call, runs)


def _ran(found: _Found, element: Element) -> None:
    """When something was started, stopped or probed; a recurring monitor says nothing of that."""
    task, when = element.get("operation"), element.get("last-rc-change") or ""
    if task not in ("start", "stop", "monitor") or not has_digits(when):
        return
    if task == "monitor" and element.get("interval") != "0":
        return
    name = required(next(element.iterancestors("lrm_resource")), "id")
    node = required(next(element.iterancestors("node_state")), "uname", "id")
    if task == "start" and element.get("rc-code") == "0":
        found.started[name, node] = int(when)
    newest = found.stopped if task == "stop" else found.newest
    last = newest.get(name)
    if last is None or int(when) > last.at:
        newest[name] = Ran(node, task, int(when))


# -- resources ---------------------------------------------------------------------------------

_INNER = ("primitive", "group", "clone", "master", "bundle")


def _resource(found: _Found, element: Element) -> None:
    _add(found, element, None)


def _add(found: _Found, element: Element, parent: Optional[str]) -> None:
    one = _configured(element, parent)
    found.resources.append((one, text(element, "template")))
    for child in element.iterchildren(*_INNER):
        _add(found, child, one.id)


def _template(found: _Found, element: Element) -> None:
    template = _configured(element, None)
    found.templates[template.id] = template


def _configured(element: Element, parent: Optional[str]) -> Configured:
    agent = (text(element, name) for name in ("class", "provider", "type"))
    return Configured(
        id=required(element, "id"),
        tag=element.tag,
        parent=parent,
        members=tuple(required(child, "id") for child in element.iterchildren(*_INNER)),
        agent=":".join(word for word in agent if word is not None) or None,
        parameters=_sets(element, "instance_attributes"),
        meta=_sets(element, "meta_attributes"),
        utilization=_amounts(element),
        timeouts={
            required(operation, "name"): timeout
            for operation in element.iterfind("operations/op")
            if (timeout := text(operation, "timeout")) is not None
            and (operation.get("interval") or "0").rstrip("ms") == "0"
        },
        looks_deeper=any(
            pair.get("name") == "OCF_CHECK_LEVEL" and pair.get("value") == "20"
            for pair in element.iterfind("operations/op/instance_attributes/nvpair")
        ),
    )


# -- constraints -------------------------------------------------------------------------------

_ROLES = {"master": "Promoted", "slave": "Unpromoted"}


def _role(element: Element, name: str) -> Optional[str]:
    """A role in the words of today; 2.0 has Master and Slave, and case does not count."""
    word = text(element, name)
    return None if word is None else _ROLES.get(word.lower(), word.capitalize())


def _location(found: _Found, element: Element) -> None:
    rules = tuple(map(_rule, element.findall("rule")))
    node, weight, role = text(element, "node"), score(element, "score"), _role(element, "role")
    if len(rules) == 1:
        node, weight, role = _node_of(rules[0]), rules[0].score, rules[0].role or role
    found.locations += (
        Location(
            id=required(element, "id"),
            resource=member.resource or None,
            node=node,
            score=weight,
            role=member.role or role,
            pattern=text(element, "rsc-pattern"),
            discovery=text(element, "resource-discovery"),
            rules=rules,
        )
        for member in _constrained(element)
    )


def _constrained(element: Element) -> list[Member]:
    """Resources of a constraint: ``rsc``, or those of its sets; one without name for a pattern."""
    in_sets = list(chain.from_iterable(map(_members, element.iterchildren("resource_set"))))
    return in_sets or [Member(text(element, "rsc") or "")]


def _members(one_set: Element) -> list[Member]:
    role = _role(one_set, "role")
    return [Member(required(one, "id"), role) for one in one_set.iterchildren("resource_ref")]


def _rule(element: Element) -> Rule:
    tests: list[Union[Rule, Expression, DateExpression]] = []
    for child in element:
        if child.tag == "rule":
            tests.append(_rule(child))
        elif child.tag == "expression":
            tests.append(
                Expression(
                    required(child, "attribute"),
                    required(child, "operation"),
                    child.get("value"),
                    text(child, "type"),
                )
            )
        elif child.tag == "date_expression":
            tests.append(
                DateExpression(
                    required(child, "operation"), text(child, "start"), text(child, "end")
                )
            )
    return Rule(
        id=text(element, "id", "id-ref") or "",
        score=score(element, "score"),
        score_attribute=text(element, "score-attribute"),
        role=_role(element, "role"),
        any_of=element.get("boolean-op") == "or",
        tests=tuple(tests),
    )


def _node_of(rule: Rule) -> Optional[str]:
    """The node that a rule names, as ``crm_resource --move --lifetime`` writes it."""
    named = [
        test.value
        for test in rule.tests
        if isinstance(test, Expression) and (test.attribute, test.operation) == ("#uname", "eq")
    ]
    return named[0] if len(named) == 1 and not rule.any_of else None


def _colocation(found: _Found, element: Element) -> None:
    name, weight = required(element, "id"), score(element, "score")
    sets = element.findall("resource_set")
    if not sets:
        dependent = Member(text(element, "rsc") or "", _role(element, "rsc-role"))
        primary = Member(text(element, "with-rsc") or "", _role(element, "with-rsc-role"))
        found.colocations.append(Colocation(name, dependent, primary, weight or 0))
        return
    pairs: list[tuple[Member, Member, int]] = []
    # Of several sets the last is placed first; inside a set, the first resource.
    for one_set, other in zip(sets, [*sets[1:], None]):
        own = score(one_set, "score")
        amount = own if own is not None else weight or 0
        members = _members(one_set)
        if one_set.get("sequential") != "false":
            pairs += ((b, a, amount) for a, b in zip(members, members[1:]))
        if other is not None:
            pairs += ((a, b, amount) for a in members for b in _members(other))
    found.colocations += (Colocation(name, *pair) for pair in pairs)


def _order(found: _Found, element: Element) -> None:
    name = required(element, "id")
    kind, old_score = text(element, "kind"), score(element, "score")
    mandatory = kind == "Mandatory" if kind is not None else old_score != 0
    action = text(element, "first-action") or "start"
    sets = element.findall("resource_set")
    if not sets:
        first, then = text(element, "first") or "", text(element, "then") or ""
        last = text(element, "then-action") or action
        found.orders.append(Order(name, first, action, then, last, mandatory))
        return
    steps: list[tuple[str, str, str, str]] = []
    before: list[tuple[str, str]] = []
    for one_set in sets:
        what = text(one_set, "action") or "start"
        members = [(member.resource, what) for member in _members(one_set)]
        if one_set.get("sequential") != "false":
            steps += ((*a, *b) for a, b in zip(members, members[1:]))
        steps += ((*a, *b) for a in before for b in members)
        before = members
    found.orders += (Order(name, *step, mandatory) for step in steps)


def _ticket(found: _Found, element: Element) -> None:
    found.tickets += (
        TicketConstraint(
            required(element, "id"),
            member.resource or None,
            required(element, "ticket"),
            text(element, "loss-policy"),
        )
        for member in _constrained(element)
    )


RECORDS: dict[Path, Callable[[_Found, Element], None]] = {
    ("configuration", "crm_config", "cluster_property_set"): _properties,
    ("configuration", "rsc_defaults", "meta_attributes"): _defaults,
    ("configuration", "nodes", "node"): _node,
    **{
        ("configuration", "resources", tag): _resource
        for tag in ("primitive", "group", "clone", "master", "bundle")
    },
    ("configuration", "resources", "template"): _template,
    ("configuration", "constraints", "rsc_location"): _location,
    ("configuration", "constraints", "rsc_colocation"): _colocation,
    ("configuration", "constraints", "rsc_order"): _order,
    ("configuration", "constraints", "rsc_ticket"): _ticket,
    ("status", "node_state", "transient_attributes"): _transient,
    ("status", "node_state", "lrm", "lrm_resources", "lrm_resource", "lrm_rsc_op"): _operation,
}
"""Where each part of the CIB stands, and who reads it."""
