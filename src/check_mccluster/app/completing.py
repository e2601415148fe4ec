"""What a shell may offer after TAB: keys of findings, checks, nodes and resources.

Names come from the snapshots on the command line, else from the configuration file and one bounded
look at this machine, which asks what a check asks. Whatever goes wrong, nothing is offered.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

MOST_SECONDS = 1.0
"""For the tools of this machine, and for reading snapshots: a shell waits for it."""

Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]


def _item(name: str, meaning: Optional[str] = None) -> CompletionItem:
    from click.shell_completion import CompletionItem  # no other start of the program needs it

    return CompletionItem(name, help=meaning)


def _items(names: Iterator[str], incomplete: str) -> list[CompletionItem]:
    found: set[str] = set()
    with contextlib.suppress(Exception):  # a shell shows no error of a completion
        found.update(names)
    return [_item(name) for name in sorted(found) if name.startswith(incomplete)]


def keys(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Keys of findings: those that the check of this command line can have, with their meaning."""
    from ..checks import registry

    known = registry.kinds().items()
    whole = ctx.info_name not in registry.names() or ctx.info_name in registry.WHOLE
    return [
        _item(key, kind.meaning)
        for key, (kind, owners) in known
        if key.startswith(incomplete) and (whole or not owners or ctx.info_name in owners)
    ]


def severities(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """``KEY=STATE``: the keys first, and with one key its states."""
    key, equals, _ = incomplete.partition("=")
    fitting = [item.value for item in keys(ctx, param, key)]
    if equals:
        fitting = [each for each in fitting if each == key]
    if len(fitting) != 1:
        return [_item(each) for each in fitting]
    words = (f"{fitting[0]}={word}" for word in ("ok", "warning", "critical", "unknown"))
    return _items(words, incomplete)


def checks(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of checks."""
    from ..checks import registry

    return [_item(name) for name in registry.names() if name.startswith(incomplete)]


def nodes(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Pacemaker's nodes and those of DRBD's meshes."""
    return _items(_nodes(ctx.params), incomplete)


def resources(of: str) -> Completer:
    """Resources of ``pacemaker``, of ``drbd`` or of ``both``."""

    def complete(
        ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return _items(_resources(ctx.params, of), incomplete)

    return complete


def _nodes(given: dict[str, Any]) -> Iterator[str]:
    from ..inputs.crm_mon import CLUSTER
    from ..inputs.drbdsetup import DRBD

    config = _config(given)
    yield from (*(config.nodes or ()), *config.cluster_hosts)
    for view in _views(given, (CLUSTER, DRBD)):
        cluster, drbd = view[CLUSTER].value, view[DRBD].value
        if cluster is not None:
            yield from (node.name for node in cluster.nodes)
        if drbd:
            yield view.here
            yield from (peer.name for each in drbd for peer in each.connections)


def _resources(given: dict[str, Any], of: str) -> Iterator[str]:
    from ..inputs.crm_mon import CLUSTER
    from ..inputs.drbdsetup import DRBD
    from ..judge.facts.pacemaker import known_ids

    config = _config(given)
    sides: list[Any] = []
    if of != "drbd":
        yield from config.resources
        sides.append(CLUSTER)
    if of != "pacemaker":
        yield from config.drbd
        sides.append(DRBD)
    for view in _views(given, tuple(sides)):
        cluster = view[CLUSTER].value if CLUSTER in sides else None
        drbd = view[DRBD].value if DRBD in sides else None
        yield from known_ids(cluster) if cluster is not None else ()
        yield from (each.name for each in drbd or ())


def _config(given: dict[str, Any]) -> Any:
    from .session import load_config

    return load_config(_path(given.get("config")))


def _views(given: dict[str, Any], reads: tuple[Any, ...]) -> Iterator[Any]:
    """Each snapshot that is named, or this machine; as many as there is time for."""
    from ..inputs.evidence import Evidence
    from .session import Setup, open_source
    from .several import snapshots_in

    one, several = given.get("snapshot"), given.get("snapshots")
    named: tuple[str, ...] = tuple(several or ((one,) if one else ()))
    if "-" in named:
        return  # what comes through a pipe is for the command
    paths: list[Optional[str]] = [p for each in named for p in snapshots_in(_path(each) or each)]
    until = time.monotonic() + MOST_SECONDS
    config = _config(given)
    for path in paths or [None]:
        setup = Setup(MOST_SECONDS, path, node=given.get("node"), sudo=bool(given.get("sudo")))
        with open_source(setup, config) as source:
            yield Evidence(source, config, setup.node).view(reads)
        if time.monotonic() > until:
            return


def _path(text: Optional[str]) -> Optional[str]:
    """A path as the shell will hand it over: it has not replaced ``~`` yet."""
    return None if text is None else str(Path(text).expanduser())
