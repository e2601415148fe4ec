"""What every test may use: the recorded clusters, and the program as a function."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "fixtures"


def pytest_addoption(parser):
    parser.addoption(
        "--captures",
        default=os.environ.get("CHECK_MCCLUSTER_CAPTURES"),
        metavar="DIR",
        help="the folder of recorded clusters with its expected.tsv (default:"
        " $CHECK_MCCLUSTER_CAPTURES); without it the whole table is skipped",
    )


@pytest.fixture(scope="session")
def captures(request) -> Path:
    """The folder of recorded clusters."""
    folder = request.config.getoption("--captures")
    if folder is None:
        pytest.skip("no --captures DIR: the table of recorded clusters is not here")
    return Path(folder)


@dataclass(frozen=True)
class Outcome:
    """What the program left behind."""

    code: int
    out: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def first(self) -> str:
        """The first line without its performance data."""
        return self.lines[0].partition(" | ")[0]


@pytest.fixture
def call(capsys):
    """Run the program in this process: ``call("nodes", "--from", folder)``."""

    def run(*args: object) -> Outcome:
        from check_mccluster.cli import main

        with pytest.raises(SystemExit) as end:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        assert err == ""
        return Outcome(end.value.code, out)

    return run
