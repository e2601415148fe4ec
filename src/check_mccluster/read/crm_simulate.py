"""``crm_simulate --simulate --output-as=xml``: where everything runs after a simulated loss.

Pacemaker 2.1 and later. Older releases print text only, and it is told that it is not read: their
words for the state of a resource depend on how many there are.
"""

from __future__ import annotations

from typing import Union

from ..model.pacemaker import Role, primitives
from ..model.simulation import Simulation
from ..model.words import Unrecognised
from .crm_mon import RESOURCES
from .errors import ReadError
from .xmlstream import Element, Path, Readable, boolean, integer, records, required

ROOTS = ("pacemaker-result",)
AFTER = "revised_cluster_status"

_CHANGED: Path = ("modifications", "modify_node")
_ACTION: Path = ("actions", "rsc_action")
_NODE: Path = (AFTER, "nodes", "node")
_STATUS: Path = ("status",)
_RESOURCES = frozenset((AFTER, "resources", tag) for tag in RESOURCES)
_RECORDS = frozenset({_CHANGED, _ACTION, _NODE, _STATUS, *_RESOURCES})


def read_crm_simulate(stream: Readable) -> Simulation:
    """Read the outcome of a simulation while it arrives.

    :raises NotXml: plain text, as Pacemaker 1.1 and 2.0 print it.
    :raises ReadError: not crm_simulate's XML, cut off, or without an outcome.
    """
    offline: list[str] = []
    online: dict[str, bool] = {}
    running: dict[str, dict[str, Union[Role, Unrecognised]]] = {}
    waiting: dict[str, str] = {}
    said = ""
    for path, element in records(stream, "crm_simulate", ROOTS, _RECORDS):
        if path == _CHANGED:
            if element.get("action") == "Offline":
                offline.append(required(element, "node"))
        elif path == _ACTION:
            node = element.get("node") or element.get("dest")
            if node and element.get("blocked") == "true":
                waiting[_base(required(element, "resource"))] = node
        elif path == _NODE:
            online[required(element, "name")] = bool(boolean(element, "online"))
        elif path in _RESOURCES:
            _add(running, element)
        elif path == _STATUS and integer(element, "code"):
            said = f": {required(element, 'message')}"
    if not online:
        raise ReadError(f"no outcome of a simulation{said}")
    there = tuple(name for name, is_on in online.items() if is_on)
    return Simulation(tuple(offline), there, running, waiting)


def _base(name: str) -> str:
    """An instance's id without its number."""
    stem, colon, number = name.rpartition(":")
    return stem if colon and number.isdigit() else name


def _add(running: dict[str, dict[str, Union[Role, Unrecognised]]], element: Element) -> None:
    for each in primitives(RESOURCES[element.tag](element)):
        nodes = running.setdefault(_base(each.id), {})
        if each.role is not Role.STOPPED:
            nodes.update(dict.fromkeys(each.nodes, each.role))
