"""The page about other monitoring systems: every command line in it is one that there is."""

from __future__ import annotations

import re

from check_mccluster.app.cli import cli
from daemons import ROOT

PAGE = (ROOT / "docs" / "others.md").read_text()


def test_each_system_has_its_part():
    assert re.findall(r"^## (.+)$", PAGE, re.MULTILINE) == [
        *("check_by_ssh", "Naemon", "Centreon", "Telegraf", "Sensu Go"),
        "OpenTelemetry collector",
    ]


def test_every_command_line_is_one_that_the_program_takes():
    lines = re.findall(r"/check_mccluster ([a-z]+)((?: --[a-z-]+)*)", PAGE)

    assert {name for name, _ in lines} == {"overview", "metrics"}
    for name, options in lines:
        command = cli.get_command(None, name)
        known = {flag for option in command.params for flag in option.opts}
        assert {*options.split()} <= known


def test_the_command_of_nrpe_is_shipped():
    shipped = (ROOT / "contrib" / "nagios" / "nrpe_check_mccluster.cfg").read_text()
    used = re.findall(r"-c (check_mccluster_\w+)", PAGE)

    assert used == ["check_mccluster_overview"]
    assert f"command[{used[0]}]=" in shipped
