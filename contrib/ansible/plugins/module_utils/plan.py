# SPDX-License-Identifier: GPL-3.0-or-later
"""What pcs has to do so that a CIB becomes what is wanted: pure, without Ansible and without pcs.

The plan is made again from what pcs wrote until nothing is left to do. A second run therefore
starts where the first one ended, and what pcs did not do as asked is seen before a push.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Optional

Command = tuple[str, ...]
"""Arguments of pcs."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
SECONDS = re.compile(r"(\d+)\s*(ms|msec|us|usec|s|sec|m|min|h|hr)?")
UNITS = {"ms": 1, "msec": 1, "s": 1000, "sec": 1000, "m": 60000, "min": 60000, "h": 3600000}
UNITS["hr"] = UNITS["h"]
SCORES = {"+INFINITY": "INFINITY", "1000000": "INFINITY", "-1000000": "-INFINITY"}

OWN_PROPERTIES = frozenset(
    ("cluster-infrastructure", "cluster-name", "dc-version", "have-watchdog", "last-lrm-refresh")
)
"""What the cluster itself writes among its properties."""
SWITCHES = frozenset(("is-managed", "maintenance", "target-role"))
"""What an operator turns: never removed just because it is not listed."""
ONCE = frozenset(("start", "stop", "promote", "demote", "migrate_to", "migrate_from", "notify"))
"""Actions that a resource has one operation of."""

KEYS = {
    "resource": ("name", "agent", "options", "meta", "operations"),
    "group": ("name", "members", "meta"),
    "clone": ("name", "of", "promotable", "meta"),
    "location": ("name", "resource", "node", "score"),
    "order": ("name", "first", "first_action", "then", "then_action", "kind", "symmetrical"),
    "colocation": ("name", "resource", "role", "with", "with_role", "score"),
}
REQUIRED = {
    "resource": ("name", "agent"),
    "group": ("name", "members"),
    "clone": ("name", "of"),
    "location": ("resource", "node", "score"),
    "order": ("first", "then"),
    "colocation": ("resource", "with"),
}


class PlanError(Exception):
    """The wanted configuration is not understood, or pcs cannot get there from what is."""


def value(raw: Any) -> str:
    """A value as the CIB holds it; "" is no value at all."""
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, (str, int, float)):
        return str(raw)
    raise PlanError(f"{raw!r} is not a single value")


def score(raw: Any) -> str:
    """A score in one spelling."""
    text = value(raw)
    return SCORES.get(text, text)


def milliseconds(text: str) -> object:
    """An interval, so that 20 and 20s are the same; text that is none stays itself."""
    found = SECONDS.fullmatch(text or "0")
    if found is None or found[2] in ("us", "usec"):
        return text
    return int(found[1]) * UNITS[found[2] or "s"]


# What is wanted


class Wanted:
    """The listed configuration, checked."""

    def __init__(
        self,
        *,
        properties: Optional[Mapping[str, Any]] = None,
        resource_defaults: Optional[Mapping[str, Any]] = None,
        operation_defaults: Optional[Mapping[str, Any]] = None,
        resources: Iterable[Any] = (),
        groups: Iterable[Any] = (),
        clones: Iterable[Any] = (),
        constraints: Iterable[Any] = (),
    ) -> None:
        self.properties = _values(properties, "properties")
        self.resource_defaults = _values(resource_defaults, "resource_defaults")
        self.operation_defaults = _values(operation_defaults, "operation_defaults")
        self.resources = [_checked("resource", each) for each in resources]
        self.groups = [_checked("group", each) for each in groups]
        self.clones = [_checked("clone", each) for each in clones]
        self.constraints = [_constraint(each) for each in constraints]
        for each in self.resources:
            each["operations"] = [_operation(each["name"], one) for one in each["operations"]]
        self._references()

    @property
    def names(self) -> set[str]:
        """Everything that has been given a name, constraints apart."""
        return {each["name"] for each in (*self.resources, *self.groups, *self.clones)}

    def _references(self) -> None:
        seen: set[str] = set()
        for each in (*self.resources, *self.groups, *self.clones):
            if each["name"] in seen:
                raise PlanError(f"{each['name']} is listed twice")
            seen.add(each["name"])
        resources = {each["name"] for each in self.resources}
        member_of: dict[str, str] = {}
        for group in self.groups:
            for member in group["members"]:
                if member not in resources:
                    raise PlanError(f"group {group['name']}: {member} is not a listed resource")
                if member in member_of:
                    raise PlanError(f"{member} is in {member_of[member]} and in {group['name']}")
                member_of[member] = group["name"]
        cloneable = resources | {group["name"] for group in self.groups}
        for clone in self.clones:
            if clone["of"] not in cloneable:
                raise PlanError(f"clone {clone['name']}: {clone['of']} is not listed")


def _values(raw: Any, what: str) -> dict[str, str]:
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise PlanError(f"{what}: names with values are needed, not {raw!r}")
    for name in raw:
        if not re.fullmatch(r"[A-Za-z_][^=\s]*", str(name)):
            raise PlanError(f"{what}: {name!r} cannot be a name")
    return {str(name): value(each) for name, each in raw.items()}


def _checked(kind: str, raw: Any) -> dict[str, Any]:
    """An entry with every key that its kind has."""
    if not isinstance(raw, Mapping):
        raise PlanError(f"a {kind} is keys with values, not {raw!r}")
    called = f"{kind} {raw.get('name') or raw.get('resource') or raw.get('first') or ''}".strip()
    for key in raw:
        if key not in KEYS[kind]:
            raise PlanError(f"{called}: unknown key {key!r}; it has {', '.join(KEYS[kind])}")
    for key in REQUIRED[kind]:
        if raw.get(key) in (None, ""):
            raise PlanError(f"{called}: {key} is missing")
    entry: dict[str, Any] = {key: raw.get(key) for key in KEYS[kind]}
    for key in ("options", "meta"):
        if key in entry:
            entry[key] = _values(entry[key], f"{called}: {key}")
    for key in ("operations", "members"):
        if key in entry:
            entry[key] = list(entry[key] or [])
    names = [entry.get(key) for key in ("name", "of", "resource", "node", "first", "then", "with")]
    for name in (*names, *entry.get("members", ())):
        if name is not None and not NAME.fullmatch(str(name)):
            raise PlanError(f"{called}: {name!r} cannot be a name")
    return entry


def _constraint(raw: Any) -> tuple[str, dict[str, Any]]:
    kinds = ("location", "order", "colocation")
    if not isinstance(raw, Mapping) or len(raw) != 1 or next(iter(raw)) not in kinds:
        raise PlanError(f"a constraint is one of {', '.join(kinds)}, not {raw!r}")
    ((kind, entry),) = raw.items()
    return kind, _checked(kind, entry)


def _operation(resource: str, raw: Any) -> dict[str, str]:
    operation = _values(raw, f"resource {resource}: operation")
    if not operation.get("action"):
        raise PlanError(f"resource {resource}: an operation has no action")
    if operation["action"] == "monitor" and not operation.get("interval"):
        raise PlanError(f"resource {resource}: a monitor needs an interval")
    return {name: each for name, each in operation.items() if each}


# What is


def pairs(holder: Optional[ET.Element], sets: str) -> dict[str, str]:
    """Names and values in all sets without a rule; the first set that has a name counts."""
    found: dict[str, str] = {}
    for one in [] if holder is None else holder.findall(sets):
        if one.find("rule") is None:
            for each in one.iterfind("nvpair"):
                found.setdefault(str(each.get("name")), str(each.get("value", "")))
    return found


def agent(primitive: ET.Element) -> str:
    """``ocf:heartbeat:Filesystem`` of a primitive."""
    parts = (primitive.get("class"), primitive.get("provider"), primitive.get("type"))
    return ":".join(part for part in parts if part)


def operation_of(element: ET.Element) -> dict[str, str]:
    """An operation with its attributes and those that are handed to the agent."""
    found = {k: v for k, v in element.attrib.items() if k not in ("id", "name")}
    found.update(pairs(element, "instance_attributes"))
    return {"action": str(element.get("name")), **found}


def same_operation(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two operations are the same, whatever unit their interval is written in."""

    def plain(operation: Mapping[str, str]) -> dict[str, object]:
        return {**operation, "interval": milliseconds(operation.get("interval", "0"))}

    return plain(one) == plain(other)


# The way from one to the other


class Plan:
    """Commands that are to be done next, and what was found that is not listed."""

    def __init__(self, cib: ET.Element, wanted: Wanted, *, purge: bool = False) -> None:
        self.commands: list[Command] = []
        self.unlisted: list[str] = []
        self._wanted = wanted
        self._purge = purge
        configuration = cib if cib.tag == "configuration" else cib.find("configuration")
        if configuration is None:
            raise PlanError("not a CIB: no configuration in it")
        self._configuration = configuration
        resources = configuration.find("resources")
        self._resources = ET.Element("resources") if resources is None else resources
        self._primitives = {str(each.get("id")): each for each in self._resources.iter("primitive")}
        self._bundled = {
            str(each.get("id")) for each in self._resources.iterfind("bundle/primitive")
        }
        self._properties()
        self._defaults("rsc_defaults", wanted.resource_defaults, "resource", "defaults")
        self._defaults("op_defaults", wanted.operation_defaults, "resource", "op", "defaults")
        # Before the resources go, which pcs removes with their constraints.
        missing = self._remove_constraints()
        self._remove_resources()
        for each in wanted.resources:
            self._resource(each)
        for each in wanted.groups:
            self._group(each)
        for each in wanted.clones:
            self._clone(each)
        for kind, listed in missing:
            self._do("constraint", *_constraint_words(kind, listed))

    def _do(self, *command: str) -> None:
        self.commands.append(command)

    def _superfluous(self, what: str, *command: str) -> None:
        """Something that is not listed: removed if that is asked, told otherwise."""
        if self._purge:
            self._do(*command)
        else:
            self.unlisted.append(what)

    def _changes(
        self,
        where: str,
        found: Mapping[str, str],
        listed: Mapping[str, str],
        keep: frozenset[str] = frozenset(),
    ) -> list[str]:
        """``name=value`` of what differs, ``name=`` of what goes."""
        changes = [f"{name}={new}" for name, new in listed.items() if new != found.get(name, "")]
        for name in found:
            if name not in listed and name not in keep:
                if self._purge and name not in SWITCHES:
                    changes.append(f"{name}=")
                else:
                    self.unlisted.append(f"{where}: {name}")
        return changes

    def _properties(self) -> None:
        config = self._configuration.find("crm_config")
        found = pairs(config, "cluster_property_set")
        changes = self._changes("property", found, self._wanted.properties, OWN_PROPERTIES)
        if changes:
            self._do("property", "set", *changes)

    def _defaults(self, section: str, listed: Mapping[str, str], *command: str) -> None:
        found = pairs(self._configuration.find(section), "meta_attributes")
        changes = self._changes(section, found, listed)
        if changes:
            self._do(*command, "update", *changes)

    # -- resources -----------------------------------------------------------------------------

    def _remove_resources(self) -> None:
        for name, each in self._primitives.items():
            if name in self._wanted.names:
                continue
            if each.get("class") == "stonith":
                self.unlisted.append(f"fence device {name}")
            elif name in self._bundled:
                self.unlisted.append(f"resource {name} of a bundle")
            else:
                self._superfluous(f"resource {name}", "resource", "delete", name)

    def _resource(self, listed: Mapping[str, Any]) -> None:
        name = listed["name"]
        present = self._primitives.get(name)
        if present is None:
            self._do("resource", "create", name, listed["agent"], *_creation(listed))
            return
        if agent(present) != listed["agent"]:
            raise PlanError(
                f"resource {name} is {agent(present)} and is listed as {listed['agent']}:"
                " delete it first, pcs cannot change that"
            )
        where = f"resource {name}"
        options = self._changes(where, pairs(present, "instance_attributes"), listed["options"])
        if options:
            self._do("resource", "update", name, *options)
        meta = self._changes(where, pairs(present, "meta_attributes"), listed["meta"])
        if meta:
            self._do("resource", "meta", name, *meta)
        self._operations(name, present, listed["operations"])

    def _operations(
        self, name: str, present: ET.Element, listed: Sequence[Mapping[str, str]]
    ) -> None:
        """An action that is listed is had as often as it is listed, and as it is listed."""
        missing = list(listed)
        actions = {each["action"] for each in listed}
        for element in present.iterfind("operations/op"):
            found = operation_of(element)
            same = next((each for each in missing if same_operation(each, found)), None)
            delete = ("resource", "op", "delete", str(element.get("id")))
            if same is not None:
                missing.remove(same)
            elif found["action"] in actions:
                self._do(*delete)
            else:
                what = f"resource {name}: operation {found['action']} {found.get('interval', '')}"
                self._superfluous(what.rstrip(), *delete)
        for each in missing:
            self._do("resource", "op", "add", name, *_operation_words(each))

    def _group(self, listed: Mapping[str, Any]) -> None:
        name, wanted = listed["name"], [str(each) for each in listed["members"]]
        present = self._resources.find(f".//group[@id='{name}']")
        found = [] if present is None else present.findall("primitive")
        members = [str(each.get("id")) for each in found]
        if self._purge:
            members = [each for each in members if each in self._wanted.names]
        if not members:
            # It is not there, or goes with its last member.
            self._do("resource", "group", "add", name, *wanted)
            if listed["meta"]:
                self._do("resource", "meta", name, *_words(listed["meta"]))
            return
        for index, member in enumerate(wanted):
            before = wanted[index - 1] if index else None
            if member in members:
                if before is None or members.index(before) < members.index(member):
                    continue
                members.remove(member)
            if before is not None:
                members.insert(members.index(before) + 1, member)
                place = ("--after", before)
            else:
                place = ("--before", members[0])
                members.insert(0, member)
            self._do("resource", "group", "add", name, member, *place)
        for member in members:
            if member not in wanted and member in self._wanted.names:
                self._superfluous(
                    f"group {name}: {member}", "resource", "group", "remove", name, member
                )
        meta = self._changes(f"group {name}", pairs(present, "meta_attributes"), listed["meta"])
        if meta:
            self._do("resource", "meta", name, *meta)

    def _clone(self, listed: Mapping[str, Any]) -> None:
        name, inner = listed["name"], listed["of"]
        meta = dict(listed["meta"])
        if listed["promotable"]:
            meta["promotable"] = "true"
        for present in self._resources.iterfind("clone"):
            if any(each.get("id") == inner for each in present):
                break
        else:
            self._do("resource", "promotable" if listed["promotable"] else "clone", inner, name)
            extra = {k: v for k, v in listed["meta"].items() if k != "promotable"}
            if extra:
                self._do("resource", "meta", name, *_words(extra))
            return
        if present.get("id") != name:
            raise PlanError(f"the clone of {inner} is called {present.get('id')}, not {name}")
        changes = self._changes(f"clone {name}", pairs(present, "meta_attributes"), meta)
        if changes:
            self._do("resource", "meta", name, *changes)

    # -- constraints ---------------------------------------------------------------------------

    def _remove_constraints(self) -> list[tuple[str, dict[str, Any]]]:
        """Remove what is another than the listed one; return the listed ones that are not there."""
        section = self._configuration.find("constraints")
        elements = [] if section is None else list(section)
        missing = list(self._wanted.constraints)
        subjects = [_subject(kind, listed) for kind, listed in missing]
        for element in elements:
            name = str(element.get("id"))
            same = next((each for each in missing if _is_same(element, *each)), None)
            if same is not None:
                missing.remove(same)
            elif _subject_of(element) in subjects:
                # Listed, but another one: pcs has no command that changes a constraint.
                self._do("constraint", "delete", name)
            else:
                self._superfluous(f"constraint {name}", "constraint", "delete", name)
        return missing


def _words(values: Mapping[str, str]) -> list[str]:
    return [f"{name}={each}" for name, each in values.items() if each]


def _operation_words(operation: Mapping[str, str]) -> list[str]:
    rest = {name: each for name, each in operation.items() if name != "action"}
    return [operation["action"], *_words(rest)]


def _creation(listed: Mapping[str, Any]) -> Iterator[str]:
    yield from _words(listed["options"])
    if listed["operations"]:
        yield "op"
    for operation in listed["operations"]:
        yield from _operation_words(operation)
    meta = _words(listed["meta"])
    if meta:
        yield "meta"
        yield from meta
    yield "--no-default-ops"


def _first(listed: Mapping[str, Any]) -> str:
    return listed["first_action"] or "start"


def _then(listed: Mapping[str, Any]) -> str:
    # Pacemaker takes the action of the first resource.
    return listed["then_action"] or _first(listed)


def _subject(kind: str, listed: Mapping[str, Any]) -> tuple[str, ...]:
    """What a constraint is about: there is one for each."""
    if kind == "location":
        return kind, listed["resource"], listed["node"]
    if kind == "order":
        return kind, listed["first"], listed["then"], _first(listed), _then(listed)
    return kind, listed["resource"], listed["with"]


def _subject_of(element: ET.Element) -> tuple[str, ...]:
    get = element.attrib.get
    if str(get("id")).startswith("cli-"):
        return ()  # left by a command that moved a resource: nobody lists that
    if element.tag == "rsc_location":
        return "location", get("rsc", ""), get("node", "")
    if element.tag == "rsc_order":
        action = get("first-action", "start")
        return "order", get("first", ""), get("then", ""), action, get("then-action", action)
    return "colocation", get("rsc", ""), get("with-rsc", "")


def _is_same(element: ET.Element, kind: str, listed: Mapping[str, Any]) -> bool:
    if _subject_of(element) != _subject(kind, listed):
        return False
    if listed["name"] and listed["name"] != element.get("id"):
        return False
    get = element.attrib.get
    if kind == "location":
        return score(get("score", "0")) == score(listed["score"])
    if kind == "order":
        return get("kind", "Mandatory") == (listed["kind"] or "Mandatory") and get(
            "symmetrical", "true"
        ) == (value(listed["symmetrical"]) or "true")
    roles = (get("rsc-role", "Started"), get("with-rsc-role", "Started"))
    return score(get("score", "INFINITY")) == score(listed["score"] or "INFINITY") and roles == (
        listed["role"] or "Started",
        listed["with_role"] or "Started",
    )


def _constraint_words(kind: str, listed: Mapping[str, Any]) -> list[str]:
    named = [f"id={listed['name']}"] if listed["name"] else []
    if kind == "location":
        name = listed["name"] or f"location-{listed['resource']}-{listed['node']}"
        place = [listed["resource"], listed["node"], score(listed["score"])]
        return ["location", "add", name, *place]
    if kind == "order":
        words = ["order", _first(listed), listed["first"], "then", _then(listed), listed["then"]]
        if listed["kind"]:
            words.append(f"kind={listed['kind']}")
        if listed["symmetrical"] is not None:
            words.append(f"symmetrical={value(listed['symmetrical'])}")
        return [*words, *named]
    role = [listed["role"]] if listed["role"] else []
    with_role = [listed["with_role"]] if listed["with_role"] else []
    words = [*role, listed["resource"], "with", *with_role, listed["with"]]
    return ["colocation", "add", *words, score(listed["score"] or "INFINITY"), *named]


# What may be shown

SECRET = re.compile(r"passw|secret", re.IGNORECASE)
HIDDEN = "********"


def masked(command: Command) -> list[str]:
    """A command without the values of what is named like a secret."""
    shown = []
    for word in command:
        name, equals, _ = word.partition("=")
        shown.append(f"{name}={HIDDEN}" if equals and SECRET.search(name) else word)
    return shown


def shown(cib: ET.Element) -> str:
    """The configuration as text to compare, secrets left out."""
    configuration = cib if cib.tag == "configuration" else cib.find("configuration")
    if configuration is None:
        return ""
    copy = ET.fromstring(ET.tostring(configuration))
    for pair in copy.iter("nvpair"):
        if SECRET.search(pair.get("name", "")):
            pair.set("value", HIDDEN)
    ET.indent(copy)
    return ET.tostring(copy, encoding="unicode") + "\n"
