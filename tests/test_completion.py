"""Completion for the shell: commands, options and their words."""

from __future__ import annotations

import subprocess
import sys

import pytest

from conftest import ROOT


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
