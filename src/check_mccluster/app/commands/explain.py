"""``check_mccluster explain``: every finding, with its severity, meaning and next step."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Optional

import click

from ...checks import registry
from ...verdict.finding import Kind
from ..nearest import hint
from ..session import SetupError

WIDTH = 80

_PLACEHOLDERS = {
    "object": "OBJECT",
    "resource": "RESOURCE",
    "node": "NODE",
    "peer": "PEER",
    "command": "COMMAND",
    "grant": "what the finding names (a group, a sudoers line, a uidgid entry)",
}
"""What the next step of a finding says instead of the names that only a finding has."""


def run(key: Optional[str], causes: bool) -> None:
    """One finding in full, the table of all, or which explains which."""
    if causes:
        from ...judge.causes import told

        for line in told():
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
    start = f"  {kind.key:{width}}  {kind.default.name:8}  "
    sentence = re.split(r"(?<=[.!?])\s", kind.meaning)[0]
    return textwrap.wrap(
        start + sentence,
        WIDTH,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _explain(key: str) -> Iterator[str]:
    """One finding.

    :raises SetupError: naming keys like it, if there is none of that name.
    """
    kinds = registry.kinds()
    if key not in kinds:
        raise SetupError(f"no finding '{key}'{hint(key, kinds)}")
    kind, checks = kinds[key]
    yield f"{key}: {kind.default.name} by default"
    yield ""
    yield from _field("Checks", ", ".join(checks) or "every check that reads the tool concerned")
    yield from _field("Meaning", kind.meaning)
    yield from _field("Next step", kind.next_step.format_map(_PLACEHOLDERS))
    yield from _field(
        "Override",
        f"--severity {key}=ok (or warning, critical, unknown),"
        f' or {key} = "ok" under [severity] in the configuration file',
    )


def _field(name: str, text: str) -> list[str]:
    start = f"{name + ':':11}"
    return textwrap.wrap(
        start + text,
        WIDTH,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )


command = click.Command(
    "explain",
    callback=run,
    params=[
        click.Argument(["key"], required=False),
        click.Option(
            ["--causes"], is_flag=True, help="Which finding explains which, as one fault is told."
        ),
    ],
    short_help="What a finding means, and what to do.",
    help="Say what the finding KEY means and what to do; without KEY, list them all.",
    epilog="Example: check_mccluster explain disk-lost",
)
