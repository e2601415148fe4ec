"""Nagios and NRPE: the shipped commands, services and nrpe.cfg lines, in the real daemons."""

from __future__ import annotations

import re
import socket
import subprocess
from collections import Counter

import pytest

from check_mccluster.checks import registry
from daemons import PLUGINS, ROOT, need, run_as_user, scratch
from nagios_site import CONTRIB, LINES, SERVICES, SINGLE_SERVICES, SNAPSHOTS, Site

# The files against the checks' own descriptions


def test_each_check_is_a_line_of_nrpe_that_folds_and_has_a_speaker():
    single = [check.name for check in registry.single_checks()]
    assert {
        "check_mccluster_overview": f"{PLUGINS}/check_mccluster overview --speaker -v",
        "check_mccluster_cluster": f"{PLUGINS}/check_mccluster cluster -v",
        **{
            f"check_mccluster_{name}": f"{PLUGINS}/check_mccluster {name} --fold --speaker -v"
            for name in single
        },
    } == LINES


def test_one_service_tells_and_each_check_is_a_service_that_only_shows():
    assert re.findall(r"^ +check_command +check_nrpe_mccluster!(\S+)", SERVICES, re.M) == [
        "overview"
    ]
    asked = re.findall(r"check_nrpe_mccluster!(\S+)", SINGLE_SERVICES)
    assert Counter(asked) == Counter(check.name for check in registry.single_checks())
    assert SINGLE_SERVICES.count("use                    mccluster-check\n") == len(asked)
    assert "notifications_enabled    0\n" in SINGLE_SERVICES


def test_the_files_are_what_the_generator_makes():
    made = subprocess.run(
        [ROOT / "tools/nagios.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (made.returncode, made.stderr) == (0, "")


def test_what_is_wrong_and_what_to_do_is_within_the_1024_bytes_of_nrpe_2(call):
    outcome = call(
        "overview", "--speaker", "-v", "--from", SNAPSHOTS / "storage-servers-lost/app01"
    )
    head = outcome.out.encode()[:1023].decode()
    assert "\n[CRITICAL] drbd-quorum: r0/0: quorum lost on app01" in head
    assert " -> on storage02, storage03: drbdadm status r0;" in head
    assert "\n[OK] " not in head


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
@pytest.mark.parametrize("services", ["services.cfg", "services-cluster.cfg"])
def test_nagios_accepts_what_is_shipped(site, services):
    (site.folder / "services.cfg").write_text((CONTRIB / services).read_text())
    answer = run_as_user(["/usr/sbin/nagios4", "-v", site.folder / "nagios.cfg"])
    assert answer.returncode == 0, answer.stdout
    assert re.search(r"Total Warnings: +0\nTotal Errors: +0", answer.stdout), answer.stdout
    (site.folder / "services.cfg").write_text(SERVICES)


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
        raised = {service for service, (state, _, _) in lost.items() if state != "OK"}
        assert raised == {("app01", "mccluster"), ("app01", "mccluster drbd-quorum")}
        site.agrees()
