"""Every command of every next step is one that its tool knows, with its options."""

from __future__ import annotations

import ast
import functools
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from check_mccluster.acquire.snapshot import Snapshot
from check_mccluster.app.session import Setup, run_check
from check_mccluster.checks import registry
from check_mccluster.model.config import Config
from check_mccluster.verdict.view import Asked

SNAPSHOTS = Path(__file__).parents[1] / "fixtures" / "snapshots"
SOURCE = Path(__file__).parents[1] / "src" / "check_mccluster"

PACKAGES = {
    "drbdadm": "drbd-utils",
    "drbdsetup": "drbd-utils",
    "pcs": "pcs",
    "corosync-cfgtool": "corosync",
    "corosync-quorumtool": "corosync",
    "corosync-cmapctl": "corosync",
    "corosync-qdevice-tool": "corosync-qdevice",
    "crm_resource": "pacemaker-cli-utils",
    "crm_simulate": "pacemaker-cli-utils",
    "crm_mon": "pacemaker-cli-utils",
    "crm_ticket": "pacemaker-cli-utils",
    "crm_attribute": "pacemaker-cli-utils",
    "crm_node": "pacemaker-cli-utils",
    "crm_standby": "pacemaker-cli-utils",
    "crm_verify": "pacemaker-cli-utils",
    "crmadmin": "pacemaker-cli-utils",
    "attrd_updater": "pacemaker-cli-utils",
    "stonith_admin": "pacemaker-cli-utils",
    "findmnt": "util-linux",
    "fuser": "psmisc",
    "journalctl": "systemd",
    "systemctl": "systemd",
    "timedatectl": "systemd",
    "ip": "iproute2",
    "ping": "iputils-ping",
    "ps": "procps",
    "iostat": "sysstat",
    "chronyc": "chrony",
    "booth": "booth",
    "modprobe": "kmod",
    "dkms": "dkms",
    "umount": "mount",
}
"""The tools of the steps, each with Debian's package that has it."""

COROSYNC_2 = {"corosync-cfgtool -r"}
"""What only the Corosync knows that the finding is about: ``ring FAULTY`` is a word of 2."""
PROSE = frozenset({"cannot", "says"})
"""What stands behind the name of a tool in a sentence, and is no command of it."""
HELPS = Path(__file__).parents[1] / "fixtures" / "documents" / "help"
HELP = {"fuser": "-x", "ip": "-help", "corosync-qdevice-tool": "-h", "chronyc": "help"}
_HELPLESS = frozenset({"ps", "corosync-cfgtool", "corosync-quorumtool", "corosync-cmapctl"})


@functools.cache
def steps() -> frozenset[str]:
    """What a kind says, and what each finding of every recorded node says."""
    found = {kind.next_step for kind, _ in registry.kinds().values()}
    check = registry.load("overview")
    for meta in sorted(SNAPSHOTS.glob("*/*/meta.json")):
        setup = Setup(30.0, str(meta.parent))
        with Snapshot(str(meta.parent), 30.0) as source:
            judged = run_check(check, source, Config(), setup, Asked())
        found |= {each.next_step for each in judged.report.findings}
    found |= set(built())
    return frozenset(found)


def built() -> Iterator[str]:
    """Every text of the rules that names a tool, with a name in place of what is filled in.

    A step that is put together where it is needed may stand in no recording.
    """
    for folder in ("checks", "judge"):
        for module in sorted((SOURCE / folder).rglob("*.py")):
            for text in texts(ast.parse(module.read_text(encoding="utf-8"))):
                if any(f"{tool} " in text for tool in PACKAGES):
                    yield text


def texts(tree: ast.AST) -> Iterator[str]:
    """String literals that are no docstrings; implicit concatenation is one already."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(tree):
        if id(node) in docstrings or id(node) in inside:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "NAME"
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def calls(tool: str) -> list[str]:
    """The command lines of a tool in the steps, without what stands behind them."""
    words = r"((?: (?!and\b|then\b|on\b|or\b)[^;,()' ]+)*)"
    line = rf"(?<![\w./-]){re.escape(tool)}(?= -|$|[;,)]| [\w'{{<]){words}"
    found = (re.finditer(line, step) for step in steps())
    return sorted({f"{tool}{match[1]}".rstrip(":.") for matches in found for match in matches})


def recorded(*command: str) -> str:
    """The help of a tool that CI has not installed, as its Debian package prints it."""
    text = (HELPS / f"{command[0]}.txt").read_text(encoding="utf-8")
    asked = f"$ {' '.join(command)}\n"
    assert asked in text, f"'{' '.join(command)}' is not recorded"
    return text.partition(asked)[2].partition("\n$ ")[0]


def output(*command: str) -> str:
    if (HELPS / f"{command[0]}.txt").exists():
        return recorded(*command)
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.stdout + run.stderr


@functools.cache
def options_of(tool: str, *command: str) -> frozenset[str]:
    if tool.startswith(("crm", "stonith", "attrd")) and tool != "crm_standby":
        text = output(tool, "--help-all")
    elif command:
        text = output(tool, "help", *command)
    else:
        text = output(tool, HELP.get(tool, "-h" if tool in _HELPLESS else "--help"))
    if tool == "ps":
        text += output("ps", "--help", "all")
    words = set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", text))
    bundles = {f"-{each}" for word in re.findall(r"[\[|]-(\w+)", text) for each in word}
    return frozenset(words | bundles)


def installed(tool: str) -> None:
    if (HELPS / f"{tool}.txt").exists():
        return
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed (package {PACKAGES[tool]})")


def test_every_tool_of_the_cluster_in_a_step_is_one_of_the_table():
    tools = r"(?:crm_|drbd(?=adm|setup)|corosync-(?!.*\.conf)|stonith_|attrd_)[a-z-]+|crmadmin|pcs"
    found = {word for step in steps() for word in re.findall(rf"(?<![\w./-])(?:{tools})\b", step)}
    assert found <= {*PACKAGES, "corosync-qdevice"}


@pytest.mark.parametrize("tool", PACKAGES)
def test_tool_is_in_some_step(tool):
    """A tool that no step names any more is to be taken out of the table."""
    assert calls(tool)


VERBS = {"systemctl", "chronyc", "booth", "dkms"}
SIMPLE = sorted({*PACKAGES} - {"pcs", "drbdadm", "drbdsetup"} - VERBS)


@pytest.mark.parametrize("tool", SIMPLE)
def test_every_option_is_known_to_its_tool(tool):
    installed(tool)
    for call in calls(tool):
        if call in COROSYNC_2:
            continue
        for option in re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", call):
            known = options_of(tool)
            letters = {f"-{each}" for each in option[1:]}
            assert option in known or (option[1] != "-" and letters <= known), call


@pytest.mark.parametrize("tool", ["drbdadm", "drbdsetup"])
def test_every_command_of_drbd_is_known_to_its_tool(tool):
    installed(tool)
    text = output(tool, "--help") + (output(tool, "hidden-commands") if tool == "drbdadm" else "")
    commands = set(re.findall(r"(?<![\w-])[a-z][a-z-]+(?![\w-])", text))
    for call in calls(tool):
        words = [word.rstrip(":") for word in call.split()[1:] if not word.startswith("-")]
        options = re.findall(r"(?<![\w-])--[A-Za-z][\w-]*", call)
        if not words:
            assert options == ["--version"] or not options, call
            continue
        if words[0] in PROSE:
            continue
        assert words[0] in commands, call
        assert set(options) <= options_of(tool, words[0]) | {"--dry-run"}, call


def test_every_command_of_pcs_is_known_to_it():
    installed("pcs")
    for call in calls("pcs"):
        area, command = call.split()[1:3]
        text = output("pcs", area, "help")
        if area == "constraint" and command == "location":
            assert re.search(r"location <resource> avoids", text), call
            continue
        if area == "property" and command == "set":
            assert re.search(r"^ {4}set ", text, re.MULTILINE), call
            continue
        assert re.search(rf"^ {{4}}{command}\b", text, re.MULTILINE), call


@pytest.mark.parametrize("tool", sorted(VERBS))
def test_every_verb_is_known(tool):
    installed(tool)
    text = output(tool, HELP.get(tool, "--help"))
    for call in calls(tool):
        assert re.search(rf"(?:^ *|[{{|] ){call.split()[1]}\b", text, re.MULTILINE), call


def test_no_step_begins_with_what_overwrites_data():
    tools = "|".join(map(re.escape, PACKAGES))
    for step in steps():
        first = re.search(rf"(?<![\w./-])(?:{tools}) [^;,()]*", step)
        for word in ("primary --force", "--discard-my-data", "invalidate", "drbdadm adjust"):
            assert first is None or word not in first[0], step


def test_no_step_adjusts_what_it_has_not_shown_before():
    shown = re.compile(r"drbdadm --dry-run adjust (\S+); where that is all: drbdadm adjust \1")
    assert not [step for step in steps() if "drbdadm adjust" in shown.sub("", step)]


def test_help_that_is_read_knows_what_is_there_and_what_is_not():
    installed("fuser")
    assert "-m" in options_of("fuser")
    assert "-Q" not in options_of("fuser")
