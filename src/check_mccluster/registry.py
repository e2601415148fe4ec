"""The checks that there are: the modules of ``checks``. Only the one asked for is imported."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from . import checks
from .judge.check import Check
from .judge.finding import Kind

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


@cache
def names() -> tuple[str, ...]:
    """The names of all checks, ``overview`` last."""
    found = {m.name.replace("_", "-") for m in pkgutil.iter_modules(checks.__path__)}
    single = [*(n for n in ORDER if n in found), *sorted(found - {*ORDER, "overview"})]
    return (*single, *(["overview"] if "overview" in found else []))


def load(name: str) -> Check:
    """The check of that name.

    :raises KeyError: if there is none.
    """
    if name not in names():
        raise KeyError(name)
    module = importlib.import_module(f"{checks.__name__}.{name.replace('-', '_')}")
    check: Check = module.CHECK
    return check


def single_checks() -> tuple[Check, ...]:
    """Every check but ``overview``."""
    return tuple(load(name) for name in names() if name != "overview")


def kinds() -> dict[str, tuple[Kind, tuple[str, ...]]]:
    """Every kind of finding by its key, with the checks that can have it; input kinds have none."""
    from .judge import inputs

    found: dict[str, tuple[Kind, tuple[str, ...]]] = {kind.key: (kind, ()) for kind in inputs.KINDS}
    for check in single_checks():
        for kind in check.kinds:
            _, owners = found.get(kind.key, (kind, ()))
            found[kind.key] = (kind, (*owners, check.name))
    return found
