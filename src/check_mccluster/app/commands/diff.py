"""``check_mccluster diff``: what changed between two snapshots, or two folders of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from ...checks.overview import CHECK
from ...judge.difference import Change, Difference, Side, difference
from ...present.text import clean
from ...verdict.finding import Fault
from ...verdict.view import Asked, Judgement
from ..options import source_options
from ..session import Setup, SetupError, load_config, open_source, run_check
from ..several import Several, snapshots_in

DIFFERENT = 1


def run(old: str, new: str, **values: Any) -> None:
    """Judge both sides and say what is another.

    :raises SetupError: if a side cannot be read, or they have no node in common.
    """
    setup = Setup.take({**values, "snapshot": None, "max_age": None, "node": None, "sudo": False})
    before, after = _side(old, setup), _side(new, setup)
    both = sorted(before.keys() & after.keys())
    if not both:
        names = f"{', '.join(sorted(before))} and {', '.join(sorted(after))}"
        raise SetupError(f"the two sides have no node in common: {names}")
    found = difference(*(_together([side[name] for name in both]) for side in (before, after)))
    for line in _lines(before, after, both, found):
        click.echo(clean_line(line))
    sys.exit(0 if found.is_none and before.keys() == after.keys() else DIFFERENT)


def clean_line(line: str) -> str:
    """A line without control characters; its indentation stays."""
    return " " * (len(line) - len(line.lstrip())) + clean(line)


def _side(path: str, setup: Setup) -> dict[str, Judgement]:
    """The nodes of a snapshot, or of a folder that holds one snapshot a node.

    :raises SetupError: if there is none.
    """
    found: dict[str, Judgement] = {}
    for each in snapshots_in(path):
        config = load_config(setup.config)
        with open_source(setup._replace(snapshot=each), config) as source:
            judged = run_check(CHECK, source, config, setup, Asked())
        found[judged.view.here] = judged
    return found


def _together(seen: list[Judgement]) -> Side:
    report = Several(tuple(seen), {}, {}).report(Asked())
    return Side(seen, report.faults)


def _lines(
    before: dict[str, Judgement], after: dict[str, Judgement], both: list[str], found: Difference
) -> Iterator[str]:
    first = min(before[name].view.time for name in both)
    last = max(after[name].view.time for name in both)
    yield f"{', '.join(both)}: from {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC"
    if first > last:
        yield "  OLD was recorded after NEW"
    for names, word in ((before.keys() - both, "OLD"), (after.keys() - both, "NEW")):
        if names:
            yield f"  only in {word}: {', '.join(sorted(names))}"
    if found.is_none:
        yield "Nothing changed."
        return
    yield from _faults("Faults that came", found.came)
    yield from _faults("Faults that went", found.went)
    if found.changes:
        yield "Changed"
    for change in found.changes:
        yield f"  {_words(change)}"


def _faults(title: str, faults: tuple[Fault, ...]) -> Iterator[str]:
    if faults:
        yield title
    for fault in faults:
        yield f"  {fault.state.name} {fault.cause.key}: {fault.text}"


def _words(change: Change) -> str:
    if change.before is None:
        return f"{change.name}: {change.after} (new)"
    if change.after is None:
        return f"{change.name}: no more (was {change.before})"
    return f"{change.name}: {change.before} -> {change.after}"


command = click.Command(
    "diff",
    callback=run,
    params=[
        click.Argument(["old"], type=click.Path(exists=True)),
        click.Argument(["new"], type=click.Path(exists=True)),
        *(option for option in source_options() if option.name in ("timeout", "config")),
    ],
    short_help="What changed between two snapshots.",
    help="""Tell what changed between two snapshots, or two folders with one snapshot a node.

    Faults that came and went are told first. The exit code is 0 if nothing changed, 1 if something
    did, 3 if the two cannot be compared.""",
    epilog="Example: check_mccluster diff yesterday/ today/",
)
