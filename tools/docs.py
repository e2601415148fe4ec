#!/usr/bin/env python3
"""Keep the documentation true: what can be generated is, what is shown is what the program prints.

    tools/docs.py           rewrite README.md, docs/, its drawing and man/check_mccluster.1 in place
    tools/docs.py --check   change nothing; exit 1 and name what is out of date

In every Markdown page

* a ``console`` block is run: after each line ``$ check_mccluster ...`` stands what it prints,
  and a line ``[exit N]`` where N is not 0;
* what stands between ``<!-- generated: WHAT -->`` and ``<!-- end -->`` is made from the table
  that the checks use (see GENERATORS).
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from check_mccluster import __version__  # noqa: E402
from check_mccluster.app import cli  # noqa: E402
from check_mccluster.app.options import check_options  # noqa: E402
from check_mccluster.checks import registry  # noqa: E402
from check_mccluster.present.advice import advice_of_kind  # noqa: E402
from check_mccluster.present.drawing import STYLE  # noqa: E402
from check_mccluster.verdict import problems  # noqa: E402
from check_mccluster.verdict.check import Check, Option  # noqa: E402
from check_mccluster.verdict.finding import Kind  # noqa: E402

MANUAL = ROOT / "man" / "check_mccluster.1"
DRAWING = ROOT / "docs" / "mesh.svg"
DRAWN = "fixtures/snapshots/storage-servers-lost"
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
_CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
_GENERATED = re.compile(r"<!-- generated: (.+?) -->\n.*?<!-- end -->", re.DOTALL)
_WORDS = {"object": "OBJECT", "node": "NODE", "resource": "RESOURCE", "peer": "PEER"}


def run(command: str) -> tuple[str, int]:
    """The standard output and exit code of a ``check_mccluster`` command line."""
    words = shlex.split(command)
    if words[0] != "check_mccluster":
        raise SystemExit(f"{command}: only check_mccluster may be shown in a console block")
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")  # a plugin's output is bytes
    with contextlib.redirect_stdout(out):
        try:
            cli.main(words[1:])
        except SystemExit as end:
            code = int(end.code or 0)
    out.seek(0)
    text = out.read()
    if "internal error" in text:
        raise SystemExit(f"{command}: {text}")
    return text, code


def console(block: str) -> str:
    """The block with every command's output made anew."""
    lines = []
    for line in block.splitlines():
        if line.startswith("$ "):
            text, code = run(line[2:])
            lines += [line, *text.rstrip("\n").split("\n")]
            if code:
                lines.append(f"[exit {code}]")
    return "\n".join(lines) + "\n"


def next_step(kind: Kind) -> str:
    """The next step with its placeholders as words."""
    granted = "/etc/sudoers.d/check_mccluster has to name the user"
    words = {**_WORDS, "command": "TOOL", "grant": granted}
    return kind.next_step.format(**words)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _kinds(kinds: tuple[Kind, ...]) -> str:
    rows = ["| finding | default | when | next step |", "|---|---|---|---|"]
    rows += [
        f"| `{k.key}` | {k.default.name} | {_cell(k.meaning)} | {_cell(next_step(k))} |"
        for k in kinds
    ]
    return "\n".join(rows)


def findings(name: str) -> str:
    """The findings of a check, or the input findings that all have."""
    return _kinds(problems.KINDS if name == "input" else registry.load(name).kinds)


def figures(name: str) -> str:
    """The performance data of a check."""
    rows = ["| label | meaning |", "|---|---|"]
    rows += [f"| `{label}` | {_cell(text)} |" for label, text in registry.load(name).figures]
    return "\n".join(rows)


def _metavar(option: Option) -> str:
    if option.type == "flag":
        return option.flag
    words = "|".join(option.type) if isinstance(option.type, tuple) else option.metavar
    return f"{option.flag} {words}"


def options(name: str) -> str:
    """The options that only this check has, and what -w and -c mean to it."""
    check = registry.load(name)
    rows = [f"| `{_cell(_metavar(o))}` | {_cell(o.help)} |" for o in check.options]
    if check.number:
        rows.append(f"| `-w RANGE`, `-c RANGE` | compared with {_cell(check.number)} |")
    if not rows:
        return "It has no options of its own."
    return "\n".join(["| option | meaning |", "|---|---|", *rows])


def common_options() -> str:
    """The options that every check has."""
    rows = ["| option | meaning |", "|---|---|"]
    check = registry.load("nodes")
    for option in [*check_options(check), cli.version_option(), cli.help_all_option()]:
        if getattr(option, "hidden", False) or "-w" in option.opts or "-c" in option.opts:
            continue
        flags = ", ".join(option.opts)
        value = "" if getattr(option, "is_flag", False) or option.count else f" {option.metavar}"
        rows.append(f"| `{flags}{value}` | {_cell(option.help or '')} |")
    rows.append("| `-h, --help` | The help on one screen, and exit (3). |")
    return "\n".join(rows)


def checks() -> str:
    """One row a check."""
    rows = ["| check | what it answers | reads | findings |", "|---|---|---|---|"]
    for name in registry.names():
        check = registry.load(name)
        kinds = ", ".join(f"`{kind.key}`" for kind in check.kinds) or "those of all checks"
        link = f"[`{name}`](docs/checks/{name}.md)"
        rows.append(f"| {link} | {check.question} | {_reads(check)} | {kinds} |")
    return "\n".join(rows)


def _reads(check: Check) -> str:
    tools = dict.fromkeys(each.name.partition(" (")[0] for each in check.needs)
    return ", ".join(tools) or "all"


def severities() -> str:
    """Every key with its default."""
    rows = ["| finding | default | checks |", "|---|---|---|"]
    for key, (kind, owners) in registry.kinds().items():
        rows.append(f"| `{key}` | {kind.default.name} | {', '.join(owners) or 'all'} |")
    return "\n".join(rows)


def runbooks() -> str:
    """Every key as a heading: what it means, what to make sure of, do, not do, and see after."""
    lines = []
    for key, (kind, owners) in sorted(registry.kinds().items()):
        make_sure, do_not, worked = (text for _, text in advice_of_kind(kind, owners))
        links = ", ".join(f"[{name}](checks/{name}.md)" for name in owners)
        lines += [
            f"### {key}",
            "",
            f"{kind.default.name} by default; {links or '[every check](checks/README.md)'}."
            f" {_plain(kind.meaning)}",
            "",
            f"* Make sure: {_plain(make_sure)}.",
            f"* Do: {_plain(next_step(kind))}",
            f"* Do not: {_plain(do_not)}.",
            f"* It worked: {_plain(worked)}.",
            "",
        ]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Text in which Markdown sees nothing but text."""
    return re.sub(r"([*<\[\]`])", r"\\\1", text)


GENERATORS = {
    "runbooks": runbooks,
    "findings": findings,
    "figures": figures,
    "options": options,
    "common-options": common_options,
    "checks": checks,
    "severities": severities,
}


def generated(what: str) -> str:
    """A generated section with its markers."""
    name, *arguments = what.split()
    return f"<!-- generated: {what} -->\n{GENERATORS[name](*arguments)}\n<!-- end -->"


def page(text: str) -> str:
    """A Markdown page made anew."""
    text = _GENERATED.sub(lambda match: generated(match.group(1)), text)
    return _CONSOLE.sub(lambda match: f"```console\n{console(match.group(1))}```", text)


# -- the manual page ---------------------------------------------------------------------------


def _roff(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "")
    return f"\\&{text}" if text.startswith((".", "'")) else text


def _item(head: str, text: str) -> list[str]:
    return [".TP", f".B {_roff(head)}", _roff(text)]


_GENERAL = {
    "warning": "WARNING outside of the range, where a check has a number; the check's help says"
    " which.",
    "critical": "CRITICAL outside of the range; both replace the default of the finding concerned.",
    "patterns": "Only these resources (repeatable, glob): Pacemaker's, DRBD's or both, by the"
    " check; one named is expected.",
}
"""What stands in the manual for all checks, where each has words of its own."""


def manual() -> str:
    """The manual page, from the same table."""
    lines = [
        f'.TH CHECK_MCCLUSTER 1 "" "check_mccluster {__version__}" "Monitoring Plugins"',
        ".SH NAME",
        "check_mccluster \\- is the Pacemaker cluster with DRBD 9 on this node in order?",
        ".SH SYNOPSIS",
        ".B check_mccluster",
        ".I COMMAND",
        ".RI [ OPTIONS ]",
        ".SH DESCRIPTION",
        "A suite of monitoring plugins for Icinga, Nagios and NRPE, with output for Zabbix,",
        "Prometheus and for an operator at a terminal.",
        "Each check gives one verdict on the node where it runs.",
        ".SH CHECKS",
    ]
    for name in registry.names():
        lines += _item(name, registry.load(name).question)
    lines.append(".SH OTHER COMMANDS")
    context = cli.click.Context(cli.cli, info_name="check_mccluster")
    for name in cli.cli.list_commands(context):
        if name in registry.names():
            continue
        command = cli.cli.get_command(context, name)
        lines += _item(name, command.get_short_help_str(300) if command else "")
    lines.append(".SH OPTIONS OF EVERY CHECK")
    check = registry.load("drbd-quorum")
    for option in check_options(check):
        if option.opts[0] == "--sample":
            continue
        value = "" if getattr(option, "is_flag", False) or option.count else f" {option.metavar}"
        help_of = _GENERAL.get(option.name, option.help or "")
        lines += _item(", ".join(option.opts) + value, help_of)
    lines.append(".SH OPTIONS OF SINGLE CHECKS")
    for name in registry.names():
        for option in registry.load(name).options:
            lines += _item(f"{name}: {_metavar(option)}", option.help)
    lines.append(".SH FINDINGS")
    lines.append("With their default severity; change one with \\-\\-severity KEY=STATE.")
    for key, (kind, _) in registry.kinds().items():
        lines += _item(f"{key} ({kind.default.name})", f"{kind.meaning} {next_step(kind)}")
    lines += [
        ".SH EXIT STATUS",
        "0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, and no other.",
        "An outage is never hidden: CRITICAL comes before UNKNOWN before WARNING.",
        ".SH FILES",
        *_item("/etc/check_mccluster/cluster.toml", "The configuration file, optional."),
        ".SH SEE ALSO",
        ".BR crm_mon (8),",
        ".BR drbdsetup (8),",
        ".BR corosync\\-quorumtool (8),",
        ".BR corosync\\-cfgtool (8),",
        ".BR corosync\\-cmapctl (8)",
    ]
    return "\n".join(lines) + "\n"


def picture() -> str:
    """The mesh as the report draws it, as a file of its own for README."""
    text, _ = run(f"check_mccluster report -o - --from {DRAWN}")
    (drawn,) = re.findall(r"<svg .*?</svg>", text, re.DOTALL)
    head, _, rest = drawn.partition(">")
    (box,) = re.findall(r'viewBox="0 0 (\d+) (\d+)"', head)
    size = f'xmlns="http://www.w3.org/2000/svg" width="{box[0]}" height="{box[1]}"'
    title, _, body = rest.partition("</desc>")
    back = '<rect width="100%" height="100%" rx="8" style="fill: var(--back)"/>'
    return f"{head} {size}>{title}</desc>\n<style>{STYLE}</style>\n{back}{body}\n"


def targets() -> dict[Path, str]:
    """Every file of the documentation with the text that it should have."""
    made = {path: page(path.read_text(encoding="utf-8")) for path in PAGES}
    made[MANUAL] = manual()
    made[DRAWING] = picture()
    return made


def main() -> int:
    """Write, or with ``--check`` compare."""
    os.chdir(ROOT)  # snapshots in examples are named from the top of the tree
    check_only = sys.argv[1:] == ["--check"]
    stale = []
    for path, text in targets().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path)
            if not check_only:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    for path in stale:
        sys.stdout.write(f"{'stale' if check_only else 'written'}: {path.relative_to(ROOT)}\n")
    return 1 if check_only and stale else 0


if __name__ == "__main__":
    sys.exit(main())
