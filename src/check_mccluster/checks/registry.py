"""The checks that there are: the modules of ``checks``. Only the one asked for is imported."""

from __future__ import annotations

import importlib
import os
from functools import cache

from ..verdict.check import Check
from ..verdict.finding import Kind

ORDER = (
    "nodes",
    "quorum",
    "links",
    "resources",
    "failures",
    "fencing",
    "placement",
    "drbd-role",
    "drbd-disk",
    "drbd-mesh",
    "drbd-quorum",
    "drbd-sync",
    "consistency",
    "failover",
    "timing",
)
"""How the checks are listed; one that is not named here comes at the end."""

WHOLE = ("overview", "cluster")
"""All of the others in one verdict: of one node, of several."""


def modules_of(folder: str) -> list[str]:
    """The modules in a package's folder, without loading any; pkgutil costs more than a check."""
    return sorted(name[:-3] for name in os.listdir(folder) if name.endswith(".py"))


@cache
def names() -> tuple[str, ...]:
    """The names of all checks, those of the whole last."""
    skipped = ("__init__", "registry")
    modules = modules_of(os.path.dirname(__file__))
    found = {name.replace("_", "-") for name in modules if name not in skipped}
    single = [*(n for n in ORDER if n in found), *sorted(found - {*ORDER, *WHOLE})]
    return (*single, *(name for name in WHOLE if name in found))


def question(name: str) -> str:
    """What a check answers: the first line of its module, which is not imported for that."""
    path = os.path.join(os.path.dirname(__file__), f"{name.replace('-', '_')}.py")
    with open(path, encoding="utf-8") as file:
        return file.readline().strip().strip('"')


def load(name: str) -> Check:
    """The check of that name.

    :raises KeyError: if there is none.
    """
    if name not in names():
        raise KeyError(name)
    module = importlib.import_module(f"{__package__}.{name.replace('-', '_')}")
    check: Check = module.CHECK
    return check


def single_checks() -> tuple[Check, ...]:
    """Every check that asks one question: all but ``overview`` and ``cluster``."""
    return tuple(load(name) for name in names() if name not in WHOLE)


def kinds() -> dict[str, tuple[Kind, tuple[str, ...]]]:
    """Every kind of finding by its key, with the checks that can have it; input kinds have none."""
    from ..verdict import problems

    found: dict[str, tuple[Kind, tuple[str, ...]]] = {
        kind.key: (kind, ()) for kind in problems.KINDS
    }
    for check in (*single_checks(), load("cluster")):
        for kind in check.kinds:
            if check.name in WHOLE and kind.key in found:
                continue  # told by the check whose it is
            _, owners = found.get(kind.key, (kind, ()))
            found[kind.key] = (kind, (*owners, check.name))
    return found
