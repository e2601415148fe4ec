"""``check_mccluster explain``: every finding, with its severity, meaning and next step."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any, Optional

import click

from ...checks import registry
from ...present.text import clean
from ...verdict.finding import Kind
from .. import completing
from ..deadline import deadline
from ..nearest import hint
from ..options import several_options, source_options
from ..session import SetupError

WIDTH = 80
MOST = 8
"""Findings of one key that are told in full."""

_PLACEHOLDERS = {
    "object": "OBJECT",
    "resource": "RESOURCE",
    "node": "NODE",
    "peer": "PEER",
    "command": "COMMAND",
    "grant": "what the finding names (a group, a sudoers line, a uidgid entry)",
}
"""What the next step of a finding says instead of the names that only a finding has."""


def run(
    key: Optional[str],
    causes: bool,
    live: bool,
    snapshots: tuple[str, ...],
    hosts: tuple[str, ...],
    **values: Any,
) -> None:
    """One finding in full, the table of all, or which explains which.

    :raises click.UsageError: if options exclude each other.
    :raises SetupError: if there is no such finding, or nothing can be read.
    """
    if live or snapshots or hosts:
        if key is None or causes:
            raise click.UsageError("--live, --from and --host need a KEY")
        if live and (snapshots or hosts):
            raise click.UsageError("--live or --from and --host, not both")
        kind, checks = _known(key)
        for line in _found(kind, checks, snapshots, hosts, **values):
            click.echo(line)
        return
    if causes:
        from ...judge.causes import rule_lines

        for line in rule_lines():
            indent = " " * (len(line) - len(line.lstrip()))
            click.echo(textwrap.fill(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False))
        return
    for line in _table() if key is None else _explain(key):
        click.echo(line)


def _table() -> Iterator[str]:
    """Input findings, which every check can have; then each check with its own."""
    kinds = registry.kinds()
    everywhere = [kind for kind, checks in kinds.values() if not checks]
    sections = [("every check, about its input", everywhere)]
    sections += [(each.name, list(each.kinds)) for each in registry.single_checks()]
    own = [kind for kind, checks in kinds.values() if checks == ("cluster",)]
    sections.append(("cluster", own))
    width = max(map(len, kinds))
    for title, rows in sections:
        yield title
        for kind in rows:
            yield from _row(kind, width)
        yield ""
    yield "check_mccluster explain KEY says more; --severity KEY=STATE changes a severity."


def _row(kind: Kind, width: int) -> list[str]:
    sentence = re.split(r"(?<=[.!?])\s", kind.meaning)[0]
    return _wrapped(f"  {kind.key:{width}}  {kind.default.name:8}  ", sentence)


def _wrapped(start: str, text: str) -> list[str]:
    """A text behind its name, in lines that begin below it."""
    return textwrap.wrap(
        start + text,
        WIDTH,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _known(key: str) -> tuple[Kind, tuple[str, ...]]:
    """A kind of finding, and the checks that have it.

    :raises SetupError: naming keys like it, if there is none of that name.
    """
    kinds = registry.kinds()
    if key not in kinds:
        near = f"; it is a check: check_mccluster {key} --help" if key in registry.names() else ""
        raise SetupError(f"no finding '{key}'{near or hint(key, kinds)}")
    return kinds[key]


def _found(
    kind: Kind,
    checks: tuple[str, ...],
    snapshots: tuple[str, ...],
    hosts: tuple[str, ...],
    **values: Any,
) -> Iterator[str]:
    """What there is of it now, each with its four parts.

    :raises SetupError: if nothing can be read.
    """
    from ...present.advice import advice
    from ...verdict.view import Asked
    from ..session import Setup, load_config
    from ..several import hosts_of, joined

    setup = Setup.take({**values, "snapshot": None})
    with deadline(setup.timeout * max(1, len(snapshots))):
        config = load_config(setup.config)
        targets = hosts_of(hosts, config) if hosts else {}
        found, report = joined(setup, config, snapshots, targets, Asked())
    # What the nodes say together goes before what each of them says.
    matching = [each for each in report.findings if each.key == kind.key] or [
        each for one in found.seen for each in one.report.findings if each.key == kind.key
    ]
    nodes = ", ".join(one.view.here for one in found.seen)
    here = nodes if len(found.seen) == 1 else "the node concerned"
    if not matching:
        yield from _field("Now", f"no {kind.key} is seen from {nodes}")
        yield ""
        yield from _explain(kind.key)
        return
    yield f"{kind.key}: {kind.default.name} by default; seen from {nodes}"
    yield ""
    yield from _field("Meaning", kind.meaning)
    shown = {each.subject.same: each for each in reversed(matching)}
    for each in list(reversed(shown.values()))[:MOST]:
        yield ""
        yield from _field(each.state.name.capitalize(), clean(each.text))
        for title, text in advice(each, checks, here):
            yield from _field(title, clean(text))
    if len(shown) > MOST:
        yield ""
        yield f"and {len(shown) - MOST} more: check_mccluster overview -v"


def _explain(key: str) -> Iterator[str]:
    """One finding, wherever it may occur."""
    from ...present.advice import advice_of_kind

    kind, checks = _known(key)
    make_sure, *others = advice_of_kind(kind, checks)
    do = ("Do", kind.next_step.format_map(_PLACEHOLDERS))
    yield f"{key}: {kind.default.name} by default"
    yield ""
    yield from _field("Checks", ", ".join(checks) or "every check that reads the tool concerned")
    yield from _field("Meaning", kind.meaning)
    for title, text in (make_sure, do, *others):
        yield from _field(title, text)
    yield from _field(
        "Override",
        f"--severity {key}=ok (or warning, critical, unknown),"
        f' or {key} = "ok" under [severity] in the configuration file',
    )


def _field(name: str, text: str) -> list[str]:
    return _wrapped(f"{name + ':':11}", text)


command = click.Command(
    "explain",
    callback=run,
    params=[
        click.Argument(["key"], required=False, shell_complete=completing.keys),
        click.Option(
            ["--causes"], is_flag=True, help="Which finding explains which, as one fault is told."
        ),
        click.Option(
            ["--live"],
            is_flag=True,
            help="What there is of it on this machine now: make sure, do, do not, it worked.",
        ),
        *several_options(),
        *(option for option in source_options() if option.name == "node"),
    ],
    short_help="What a finding means, and what to do.",
    help="Say what the finding KEY means and what to do; without KEY, list them all.",
    epilog="Example: check_mccluster explain disk-lost --live",
)
