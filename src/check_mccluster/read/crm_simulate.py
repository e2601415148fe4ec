"""``crm_simulate --output-as=xml``: where everything runs after a simulated loss.

With ``--simulate`` the document ends with the state that the cluster would reach. With ``--run``,
which takes a fraction of the time, it lists the actions that lead there: the state is made of them.
Pacemaker 2.1 and later. Older releases print text only, and it is told that it is not read: their
words for the state of a resource depend on how many there are.
"""

from __future__ import annotations

from typing import Optional, Union

from ..model.pacemaker import Role, primitives
from ..model.simulation import Simulation
from ..model.words import Unrecognised
from .crm_mon import RESOURCES, role
from .errors import ReadError
from .xmlstream import Element, Path, Readable, boolean, integer, records, required, text

ROOTS = ("pacemaker-result",)
BEFORE, AFTER = "cluster_status", "revised_cluster_status"

_CHANGED: Path = ("modifications", "modify_node")
_ACTIONS: Path = ("actions",)
_STATUS: Path = ("status",)
_STATES = frozenset((state, "resources", tag) for state in (BEFORE, AFTER) for tag in RESOURCES)
_NODES = frozenset((state, "nodes", "node") for state in (BEFORE, AFTER))
_RECORDS = frozenset({_CHANGED, _STATUS, _ACTIONS, *_STATES, *_NODES})

_Places = dict[str, Union[Role, Unrecognised]]


def read_crm_simulate(stream: Readable) -> Simulation:
    """Read the outcome of a simulation while it arrives.

    :raises NotXml: plain text, as Pacemaker 1.1 and 2.0 print it.
    :raises ReadError: not crm_simulate's XML, cut off, or without an outcome.
    """
    offline: list[str] = []
    online: dict[str, dict[str, bool]] = {BEFORE: {}, AFTER: {}}
    running: dict[str, dict[str, _Places]] = {BEFORE: {}, AFTER: {}}
    planned = False
    actions: list[Element] = []
    said = ""
    for path, element in records(stream, "crm_simulate", ROOTS, _RECORDS):
        if path == _CHANGED:
            if element.get("action") == "Offline":
                offline.append(required(element, "node"))
        elif path == _ACTIONS:
            planned = True
            actions += element.iterchildren("rsc_action")
        elif path in _NODES:
            online[path[0]][required(element, "name")] = bool(boolean(element, "online"))
        elif path in _STATES:
            _add(running[path[0]], element)
        elif path == _STATUS and integer(element, "code"):
            said = f": {required(element, 'message')}"
    steps = [step for step in map(_step, actions) if step is not None]
    waiting = {name: node for name, node, _, blocked in steps if blocked}
    if online[AFTER]:
        there = tuple(name for name, is_on in online[AFTER].items() if is_on)
        return Simulation(tuple(offline), there, running[AFTER], waiting)
    if not planned or not online[BEFORE] or not offline:
        raise ReadError(f"no outcome of a simulation{said}")
    there = tuple(n for n, is_on in online[BEFORE].items() if is_on and n not in offline)
    after = _applied(running[BEFORE], offline, actions)
    return Simulation(tuple(offline), there, after, waiting)


def _step(
    element: Element,
) -> Optional[tuple[str, str, Union[Role, Unrecognised], bool]]:
    """What an action leaves running: resource, node, role there, and whether it has to wait."""
    node = text(element, "dest", "node", "source")
    if node is None or element.get("action") in ("stop", "cancel", "noop"):
        return None
    name = _base(required(element, "resource"))
    word = text(element, "next-role") or "Started"
    return name, node, role(word, name), element.get("blocked") == "true"


def _applied(
    before: dict[str, _Places], offline: list[str], actions: list[Element]
) -> dict[str, _Places]:
    """The state after the actions that can be done."""
    after = {
        name: {node: known for node, known in places.items() if node not in offline}
        for name, places in before.items()
    }
    for element in actions:
        name = _base(required(element, "resource"))
        places = after.setdefault(name, {})
        if element.get("blocked") == "true":
            continue
        left = text(element, "source") or (
            text(element, "node") if element.get("action") == "stop" else None
        )
        known = places.pop(left, None) if left is not None else None
        step = _step(element)
        if step is not None:
            _, node, new, _ = step
            kept = element.get("next-role") is None and known is not None
            places[node] = known if kept and known is not None else new
    return after


def _base(name: str) -> str:
    """An instance's id without its number."""
    stem, colon, number = name.rpartition(":")
    return stem if colon and number.isdigit() else name


def _add(running: dict[str, _Places], element: Element) -> None:
    for each in primitives(RESOURCES[element.tag](element)):
        nodes = running.setdefault(_base(each.id), {})
        if each.role is not Role.STOPPED:
            nodes.update(dict.fromkeys(each.nodes, each.role))
