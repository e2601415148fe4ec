"""Nagios and NRPE: the shipped commands, services and nrpe.cfg lines, in the real daemons."""

from __future__ import annotations

import re
import socket
from collections import Counter

import pytest

from check_mccluster.checks import registry
from daemons import PLUGINS, need, run_as_user, scratch
from nagios_site import LINES, SERVICES, Site

# The files against the checks' own descriptions


def test_each_check_is_a_line_of_nrpe():
    for name in registry.names():
        assert LINES[f"check_mccluster_{name}"] == f"{PLUGINS}/check_mccluster {name}"


@pytest.mark.parametrize(("line", "name"), [("pacemaker", "fencing"), ("drbd", "drbd-role")])
def test_a_line_that_says_whether_there_is_an_answer_says_nothing_else(line, name):
    off = [f"--severity {kind.key}=ok" for kind in registry.load(name).kinds]
    assert LINES[f"check_mccluster_{line}"].split(f"{name} ")[1] == " ".join(off)


def test_each_check_is_a_service_and_each_service_a_line_of_nrpe():
    asked = re.findall(r"check_nrpe_mccluster!(\S+)", SERVICES)
    single = [check.name for check in registry.single_checks()]
    assert Counter(asked) == Counter(["pacemaker", "drbd", *single])
    assert {f"check_mccluster_{name}" for name in asked} <= set(LINES)


# The daemons


@pytest.fixture(scope="module")
def site():
    need("nagios4", "nrpe", "check_nrpe")
    if socket.gethostbyname("127.0.0.2") != "127.0.0.2":
        pytest.skip("needs 127.0.0.2")
    with scratch("nagios") as folder:
        yield Site(folder)


@pytest.mark.daemon
@pytest.mark.root
def test_nagios_accepts_what_is_shipped(site):
    answer = run_as_user(["/usr/sbin/nagios4", "-v", site.folder / "nagios.cfg"])
    assert answer.returncode == 0, answer.stdout
    assert re.search(r"Total Warnings: +0\nTotal Errors: +0", answer.stdout), answer.stdout


@pytest.mark.daemon
@pytest.mark.root
@pytest.mark.slow
def test_nagios_says_through_nrpe_what_the_plugin_says(site):
    with site.running():
        healthy = site.due()
        assert {state for state, _, _ in healthy.values()} == {"OK"}
        site.agrees()

        site.show("storage-servers-lost")
        lost = site.due()
        assert lost["app01", "mccluster drbd-quorum"][0] == "CRITICAL"
        assert lost["storage01", "mccluster drbd-mesh"][0] == "WARNING"
        assert lost["app01", "mccluster resources"][0] == "OK"
        site.agrees()


@pytest.mark.daemon
@pytest.mark.root
def test_a_service_depends_on_the_answer_of_its_own_server(site):
    answer = run_as_user(["/usr/sbin/nagios4", "-vp", site.folder / "nagios.cfg"])
    assert answer.returncode == 0, answer.stdout
    text = (site.folder / "objects.precache").read_text()
    pairs = []
    for block in re.findall(r"^define servicedependency \{\n(.*?)\n\t\}", text, re.S | re.M):
        of = dict(line.split("\t")[1:3] for line in block.split("\n"))
        assert of["host_name"] == of["dependent_host_name"]
        pairs.append((of["host_name"], of["service_description"]))
    assert Counter(pairs) == {
        ("app01", "mccluster pacemaker"): 10,
        ("app01", "mccluster drbd"): 7,
        ("storage01", "mccluster drbd"): 5,
    }
