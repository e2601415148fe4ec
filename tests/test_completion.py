"""Completion for the shell: commands, options, and the names that go with them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from check_mccluster.checks import registry
from conftest import FIXTURES, ROOT
from processes import alive
from standins.machine import Machine

STATES = ["ok", "warning", "critical", "unknown"]


def complete(shell: str, words: str, **more: str) -> str:
    """What the program answers to a shell that asks how to go on."""
    environment = {
        "PYTHONPATH": str(ROOT / "src"),
        "PATH": "/usr/bin:/bin",
        "_CHECK_MCCLUSTER_COMPLETE": shell,
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
        **more,
    }
    program = [sys.executable, "-m", "check_mccluster"]
    done = subprocess.run(
        program, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_that_the_shell_reads_asks_the_program(shell):
    script = complete(f"{shell}_source", "")
    assert f"_CHECK_MCCLUSTER_COMPLETE={shell}_complete" in script


def test_bash_completes_a_check():
    assert complete("bash_complete", "check_mccluster drbd-q").splitlines() == ["plain,drbd-quorum"]


def test_zsh_completes_an_option_with_its_help():
    words = complete("zsh_complete", "check_mccluster fencing --req").splitlines()
    assert words == ["plain", "--require-fencing", "Fencing that is disabled is a fault here."]


def test_fish_completes_the_words_of_an_option():
    answer = complete("fish_complete", "check_mccluster timing --bound", COMP_CWORD="m")
    assert [line.partition("\t")[0] for line in answer.splitlines()] == ["plain,max", "plain,mean"]


def offered(shell: str, words: str, **more: str) -> list[str]:
    """The words alone; in fish the word to go on with stands by itself."""
    if shell == "fish":
        more = {"COMP_CWORD": words.rpartition(" ")[2], **more}
    answer = complete(f"{shell}_complete", words, **more).splitlines()
    if shell == "zsh":
        return answer[1::3]
    return [line.partition(",")[2].partition("\t")[0] for line in answer if line]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("check_mccluster dr", ["drbd-role", "drbd-disk", "drbd-mesh", "drbd-quorum", "drbd-sync"]),
        ("check_mccluster overview --skip li", ["links"]),
        ("check_mccluster explain drbd-q", ["drbd-quorum-lost"]),
        ("check_mccluster drbd-disk --severity disk-l", [f"disk-lost={s}" for s in STATES]),
        ("check_mccluster drbd-disk --severity node-", []),
        ("check_mccluster overview --severity node-o", [f"node-offline={s}" for s in STATES]),
        ("check_mccluster resources --from {six} -r M", ["MAILMAN3", "MYSQL"]),
        ("check_mccluster drbd-disk --from {six} -r ", ["r0"]),
        ("check_mccluster overview --from {six} -r r", ["r0"]),
        ("check_mccluster overview --from {six} --node app", ["app01", "app02", "app03"]),
        ("check_mccluster drbd-role --from {six} --never-primary storage03", ["storage03"]),
        ("check_mccluster active --from {six} gr", ["group1"]),
        ("check_mccluster whatif --from {six} --down app0", ["app01", "app02", "app03"]),
    ],
)
def test_names_are_those_of_the_snapshot_on_the_line(words, names):
    line = words.format(six=FIXTURES / "snapshots/six-nodes-healthy/app01")
    assert sorted(offered("bash", line)) == sorted(names)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_are_offered_the_same_names(shell):
    six = FIXTURES / "snapshots/six-nodes-healthy/app01"
    assert offered(shell, f"check_mccluster whatif --from {six} --down app") == [
        "app01",
        "app02",
        "app03",
    ]


def test_zsh_and_fish_say_what_a_key_means():
    meaning = registry.kinds()["disk-lost"][0].meaning
    assert complete("zsh_complete", "check_mccluster explain disk-lost").splitlines()[2] == meaning
    answer = complete("fish_complete", "check_mccluster explain disk-lost", COMP_CWORD="disk-lost")
    assert answer.strip() == f"plain,disk-lost\t{meaning}"


def test_names_of_this_machine_are_of_its_file_and_one_look(tmp_path):
    machine = Machine(tmp_path, FIXTURES / "snapshots/six-nodes-healthy/app01")
    config = tmp_path / "cluster.toml"
    config.write_text('[pacemaker]\nnodes = ["app09"]\n')
    names = offered(
        "bash",
        f"check_mccluster overview --config {config} --node a",
        PATH=f"{machine.bin}:/usr/bin:/bin",
    )
    assert names == ["app01", "app02", "app03", "app09"]
    asked = [line.split()[0] for line in machine.calls]
    assert sorted(set(asked)) == sorted(asked)  # each tool at most once
    assert "crm_mon" in asked
    assert not {"cibadmin", "corosync-cmapctl", "crm_simulate"} & {*asked}


def test_a_machine_that_hangs_offers_nothing_soon(tmp_path):
    machine = Machine(tmp_path, FIXTURES / "snapshots/six-nodes-healthy/app01")
    machine.fault(crm_mon="hang", drbdsetup="hang")
    began = time.monotonic()
    path = f"{machine.bin}:/usr/bin:/bin"
    assert offered("bash", "check_mccluster overview --node a", PATH=path) == []
    assert time.monotonic() - began < 8
    assert machine.hung
    assert [pid for pid in machine.hung if alive(pid)] == []


@pytest.mark.parametrize("place", ["/nowhere", "-", "."])
def test_what_is_no_snapshot_offers_nothing_and_says_nothing(place):
    assert offered("bash", f"check_mccluster overview --from {place} --node a") == []


# -- the shells themselves -----------------------------------------------------------------------


@pytest.fixture
def program(tmp_path):
    """``check_mccluster`` on a PATH, and the script that each shell reads."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "check_mccluster").write_text(
        f'#!/bin/sh\nPYTHONPATH={ROOT / "src"} exec {sys.executable} -m check_mccluster "$@"\n'
    )
    (folder / "check_mccluster").chmod(0o755)
    return folder


def in_shell(program: Path, shell: list[str], script: str) -> str:
    done = subprocess.run(
        [*shell, "-c", script],
        env={"PATH": f"{program}:/usr/bin:/bin", "HOME": str(program), "TERM": "dumb"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LINE = ["check_mccluster", "drbd-disk", "--from", "{six}", "-r", "r"]


def test_bash_itself_completes_a_resource_of_the_snapshot(program):
    words = " ".join(LINE).format(six=FIXTURES / "snapshots/two-resources/storage01")
    talk = f"""
        eval "$(_CHECK_MCCLUSTER_COMPLETE=bash_source check_mccluster)"
        complete -p check_mccluster >&2
        COMP_WORDS=({words}) COMP_CWORD={len(LINE) - 1}
        _check_mccluster_completion check_mccluster
        echo "${{COMPREPLY[@]}}"
    """
    assert in_shell(program, ["bash", "--norc"], talk).split() == ["r0", "r1"]


def test_fish_itself_completes_a_resource_of_the_snapshot(program):
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    words = " ".join(LINE).format(six=FIXTURES / "snapshots/two-resources/storage01")
    talk = f"""
        _CHECK_MCCLUSTER_COMPLETE=fish_source check_mccluster | source
        complete -C '{words}'
    """
    assert in_shell(program, ["fish", "--no-config"], talk).split() == ["r0", "r1"]


def test_zsh_itself_completes_a_resource_of_the_snapshot(program):
    """A real line editor on a pseudo terminal."""
    if shutil.which("zsh") is None:
        pytest.skip("zsh is not installed")
    six = FIXTURES / "snapshots/six-nodes-healthy/app01"
    talk = f"""
        zmodload zsh/zpty
        zpty shell "PS1='> ' zsh -f -i"
        zpty -w shell 'autoload -Uz compinit; compinit -u -D'
        zpty -w shell 'eval "$(_CHECK_MCCLUSTER_COMPLETE=zsh_source check_mccluster)"'
        zpty -w -n shell $'check_mccluster resources --from {six} -r MAIL\\t'
        zpty -r -m shell answer '*MAILMAN3*' && print -r -- $answer
    """
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x08.", "", in_shell(program, ["zsh", "-f"], talk))
    assert "-r MAILMAN3" in text
