"""Figures and names as an operator says them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-")


def duration(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3 h``, ``5 d``."""
    for unit, size, limit in (("s", 1, 120), ("min", 60, 120 * 60), ("h", 3600, 48 * 3600)):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86400:.0f} d"


def size(count: float) -> str:
    """Bytes in the largest binary unit that keeps it readable: ``5.6 MiB``."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def counted(number: int, what: str, none: str = "0") -> str:
    """``1 peer``, ``2 peers``, ``0 peers``."""
    return f"{number or none} {what}{'' if number == 1 else 's'}"


def join(names: Iterable[str], most: int = 4) -> str:
    """Names for a message: ``a, b, c``, or ``a, b, c, d and 7 more``."""
    listed = list(names)
    if len(listed) <= most + 1:
        return ", ".join(listed)
    return f"{', '.join(listed[:most])} and {len(listed) - most} more"


def of_many(names: Sequence[str], said: str, what: str) -> str:
    """``Outdated: 60 volumes (a/0, b/0 and 58 more)``: what happened and the count come first.

    Names can be of any length. Few short ones stand where that of one would: ``r1/0, r1/1: gone``.
    """
    all_of_them = ", ".join(names)
    if len(all_of_them) <= _SHORT:
        return f"{all_of_them}: {said}"
    return f"{said}: {len(names)} {what} ({join(names, 2)})"


_SHORT = 20
"""Letters of names that take no room from what is said."""


def pasted(name: str) -> str:
    """A name as a shell takes it: in quotes only where it needs them.

    ``shlex.quote`` is the same; it costs every check the import, and a pattern.
    """
    if name and _PLAIN.issuperset(name):
        return name
    return "'" + name.replace("'", "'\"'\"'") + "'"


def pings(found: Sequence[str]) -> str:
    """The commands that ask these addresses."""
    return "; ".join(f"ping -c 3 {pasted(each)}" for each in found)


def on_all(step: str, name: str, nodes: Sequence[str]) -> str:
    """A step that is typed on one node, for several of which the same is so."""
    there = f"on {name}: "
    return f"on {join(nodes)}: {step[len(there) :]}" if step.startswith(there) else step


WHEN_WELL = "; when DRBD is well again: "
"""Before what is to be cleaned up after a step."""

ON_ONE_SIDE = "then stop it on one side"
"""Ends the look at what may run twice, which comes before every other step."""

WHEN_DONE = "when the work is done"
"""Begins a step that ends what somebody set on purpose: who sees it at night does not know why."""


MAINTENANCE_OVER = (
    "crm_attribute --name maintenance-mode --delete (pcs property set maintenance-mode=false)"
)
"""How the cluster is managed again."""


STOP_ALL_OVER = (
    "crm_attribute --name stop-all-resources --delete (pcs property set stop-all-resources=false)"
)
"""How everything is started again."""


def enabled_again(name: str) -> str:
    """How a resource is started again that somebody asked to be stopped."""
    return (
        f"crm_resource -r {pasted(name)} --meta -d target-role (pcs resource enable {pasted(name)})"
    )


def ask_controller(node: str, *, idle: bool = False) -> str:
    """How the controller of a node is asked whether it works: of a dead one it waits for ever.

    :param idle: whether nothing runs there: then a new start of Pacemaker stops nothing.
    """
    again = "; else, as nothing runs there: systemctl restart pacemaker" if idle else ""
    return (
        f"timeout 10 crmadmin -S {node}; without an answer its controller hangs:"
        " ps -o pid,stat,wchan:20,args -C pacemaker-controld (T: kill -CONT PID)"
        f"{again}; why: journalctl -u pacemaker"
    )


def look_at_stack(node: str) -> str:
    """How it is seen what a node's cluster stack does."""
    return f"on {node}: systemctl status corosync pacemaker; journalctl -u pacemaker"


def constraint_gone(name: str) -> str:
    """How a constraint is deleted, in either shell that a cluster may have: Pacemaker has none."""
    return f"pcs constraint delete {pasted(name)} (crm configure delete {pasted(name)})"
