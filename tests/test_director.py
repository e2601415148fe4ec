"""The shipped basket in a real Director, deployed to a real Icinga 2."""

from __future__ import annotations

import contextlib
import json
import shutil

import pytest

from check_mccluster.checks import registry
from daemons import install_plugin, need, own, scratch, wait_for
from director_site import MODULES, POSTGRES, Director
from icinga2_site import CONTRIB, SNAPSHOTS, start

pytestmark = [pytest.mark.daemon, pytest.mark.root, pytest.mark.slow]

BASKET = json.loads((CONTRIB / "director-basket.json").read_text())
SINGLE = {check.name for check in registry.single_checks()}
OF_DRBD = {name for name in SINGLE if name.startswith("drbd-")}
OF_BOTH = {"consistency", "timing"}
ASKED = {
    "app01": {"overview", *SINGLE},
    "storage01": {"overview", *OF_DRBD},
    "plain01": {"overview", *(SINGLE - OF_DRBD - OF_BOTH)},
    "mailcluster": {"cluster", "missing"},
}
NODES = {"app01": "application", "storage01": "storage", "plain01": "pacemaker"}
MEMBER = "storage01"
"""Says that it is down only if no other node does."""


@pytest.fixture(scope="module")
def site():
    """The Director, and Icinga with what it deployed: the basket, and four hosts made from it."""
    need("icinga2", "icingacli")
    if not (MODULES / "director").is_dir() or not POSTGRES.is_dir():
        pytest.skip("not installed: icingaweb2-module-director, postgresql (see .ci/packages)")
    with scratch("director") as place:
        folder, icinga = start(place, "icinga", "")
        install_plugin(folder)
        (place / "director").mkdir()
        director = Director(place / "director", icinga)
        with icinga.daemon():
            wait_for(lambda: icinga.api("objects/zones", {}), "the API")
            with director.running():
                director("basket", "restore", given=BASKET)
                director("basket", "restore", given=BASKET)  # an update
                for name, role in NODES.items():
                    director.create(
                        "host",
                        object_name=name,
                        object_type="object",
                        imports=["mccluster-member" if name == MEMBER else "mccluster-node"],
                        address="127.0.0.1",
                        vars={
                            "mccluster_role": role,
                            **({"mccluster_cluster": "mailcluster"} if name == MEMBER else {}),
                        },
                    )
                director.create(
                    "host",
                    object_name="mailcluster",
                    object_type="object",
                    imports=["mccluster-cluster-host"],
                    vars={"mccluster_host": ["app01=nagios@192.0.2.11", "storage01"]},
                )
                log = director.deploy(icinga)
                assert "critical/" not in log
                wait_for(lambda: icinga.api("objects/services", {}), "the deployed services", 30)
                yield director, icinga


@pytest.fixture
def icinga(site):
    return site[1]


def services(icinga) -> dict[str, dict]:
    return {each["name"]: each["attrs"] for each in icinga.api("objects/services", {})}


def test_every_host_has_the_services_of_its_role(icinga):
    wanted = {f"{host}!mccluster-{check}" for host, checks in ASKED.items() for check in checks}
    assert {*services(icinga)} == wanted


def test_a_service_runs_on_the_agent_and_folds_and_leads_to_its_page(icinga):
    found = services(icinga)
    assert {
        name: found["app01!mccluster-drbd-disk"][name]
        for name in (
            "check_command",
            "command_endpoint",
            "notes",
            "notes_url",
            "max_check_attempts",
        )
    } == {
        "check_command": "mccluster-drbd-disk",
        "command_endpoint": "app01",
        "notes": "Are the local disks good?",
        "notes_url": "file:///usr/share/doc/check-mccluster/checks/drbd-disk.md",
        "max_check_attempts": 3,
    }
    for each in found.values():
        assert each["vars"] == {
            "mccluster_fold": True,
            "mccluster_speaker": True,
            "mccluster_verbose": 1,
        }
    silent = {name for name, each in found.items() if not each["enable_notifications"]}
    assert silent == {f"{host}!mccluster-overview" for host in NODES}


def test_a_service_waits_for_its_own_host(icinga):
    found = icinga.api("objects/dependencies", {"attrs": ["parent_host_name", "child_host_name"]})
    pairs = [(d["attrs"]["parent_host_name"], d["attrs"]["child_host_name"]) for d in found]
    assert len(pairs) == sum(map(len, ASKED.values()))
    assert all(parent == child for parent, child in pairs)


def test_the_clusters_own_host_asks_its_nodes(icinga):
    results = icinga.check("service", 'service.name == "mccluster-cluster"')
    words = results["mailcluster!mccluster-cluster"]["command"][1:]
    assert words == [
        "cluster",
        "--fold",
        "--host",
        "app01=nagios@192.0.2.11",
        "--host",
        "storage01",
        "--speaker",
        "-v",
    ]


def test_a_member_is_told_by_its_cluster_alone(icinga):
    hosts = icinga.api("objects/hosts", {"attrs": ["__name", "enable_notifications"]})
    told = {each["attrs"]["__name"]: each["attrs"]["enable_notifications"] for each in hosts}
    assert told == {"mailcluster": True, **{name: name != MEMBER for name in NODES}}

    (host,) = icinga.check("host", f'host.name == "{MEMBER}"').values()
    (result,) = icinga.check("service", 'service.name == "mccluster-missing"').values()
    untold = ["2", f"no answer from {MEMBER}, and no node tells of it"]
    assert result["command"][1:] == (untold if host["state"] else ["0", "1 nodes answer"])


def test_without_agents_two_switches_are_turned(site):
    director, icinga = site
    shutil.copytree(SNAPSHOTS / "storage-servers-lost/app01", icinga.folder / "now")
    own(icinga.folder / "now")
    for kind, template, change in (
        ("host", "mccluster-node", {"has_agent": False}),
        ("host", "mccluster-node", {"accept_config": None, "master_should_connect": None}),
        ("service", "mccluster-of-node", {"use_agent": False}),
        ("host", "app01", {"vars.mccluster_from": str(icinga.folder / "now")}),
    ):
        director(kind, "set", template, "--json", json.dumps(change))
    director.deploy(icinga)

    def is_changed() -> bool:
        with contextlib.suppress(OSError):  # Icinga loads it, and hangs up
            return services(icinga)["app01!mccluster-nodes"]["command_endpoint"] == ""
        return False

    wait_for(is_changed, "the change")

    results = icinga.check("service", 'service.__name == "app01!mccluster-drbd-quorum"')
    first, step = results["app01!mccluster-drbd-quorum"]["output"].rstrip().split("\n")[:2]
    assert first.startswith("DRBD-QUORUM CRITICAL - r0/0: quorum lost on app01")
    assert " -> on storage02, storage03: drbdadm status r0;" in step
