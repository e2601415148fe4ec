"""What every test may use: the recorded clusters, and the program as a function."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "fixtures"

pytest.register_assert_rewrite("stories")


def pytest_addoption(parser):
    parser.addoption(
        "--captures",
        default=os.environ.get("CHECK_MCCLUSTER_CAPTURES"),
        metavar="DIR",
        help="the folder of recorded clusters with its expected.tsv (default:"
        " $CHECK_MCCLUSTER_CAPTURES); without it the whole table is skipped",
    )

    parser.addoption(
        "--daemons",
        action="store_true",
        help="run the tests that start real daemons from Debian's packages (CI does)",
    )
    parser.addoption(
        "--packages",
        action="store_true",
        help="run the tests that build, install and remove packages (CI does)",
    )
    parser.addoption(
        "--zabbix7",
        type=Path,
        metavar="DIR",
        help="where .ci/zabbix7 has unpacked Zabbix 7.0: run the tests of its import (CI does)",
    )
    parser.addoption(
        "--no-skips",
        action="store_true",
        help="fail if any test was skipped: for a machine where everything should run",
    )


def pytest_configure():
    """A shell's background job ignores SIGINT, and what it starts would, too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config, items):
    """Say plainly why a marked test does not run here."""
    for item in items:
        if "daemon" in item.keywords and not config.getoption("--daemons"):
            item.add_marker(pytest.mark.skip(reason="starts real daemons: needs --daemons"))
        elif "package" in item.keywords and not config.getoption("--packages"):
            item.add_marker(pytest.mark.skip(reason="installs packages: needs --packages"))
        elif "root" in item.keywords and os.geteuid() != 0:
            item.add_marker(pytest.mark.skip(reason="needs root"))
        elif "captures" in item.keywords and config.getoption("--captures") is None:
            item.add_marker(pytest.mark.skip(reason="needs --captures=DIR"))
        elif "zabbix7" in item.keywords and config.getoption("--zabbix7") is None:
            item.add_marker(pytest.mark.skip(reason="needs --zabbix7=DIR"))


def pytest_sessionfinish(session):
    """With --no-skips a skipped test is a failed run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--no-skips") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def captures(request) -> Path:
    """The folder of recorded clusters."""
    folder = request.config.getoption("--captures")
    if folder is None:
        pytest.skip("no --captures DIR: the table of recorded clusters is not here")
    return Path(folder)


@pytest.fixture(scope="session")
def package_tools(tmp_path_factory) -> Path:
    """Programs of the package index that look at packages; they use Debian's module of rpm."""
    folder = tmp_path_factory.mktemp("tools") / "venv"
    tools = ("build", "check-manifest", "rpmlint", "twine")
    for command in (
        ["/usr/bin/python3", "-m", "venv", "--system-site-packages", folder],
        [folder / "bin/pip", "-q", "install", *tools],
    ):
        subprocess.run(command, check=True, timeout=600)
    return folder / "bin"


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
        from check_mccluster.app.cli import main

        with pytest.raises(SystemExit) as end:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        assert err == ""
        return Outcome(end.value.code, out)

    return run


@pytest.fixture
def node(tmp_path):
    """A machine whose tools replay a snapshot: ``node(FIXTURES / "snapshots/NAME/app01")``."""
    from standins.machine import Machine

    return lambda snapshot: Machine(tmp_path / "machine", snapshot)
