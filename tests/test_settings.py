"""Names in the configuration file that nobody knows: told with the names that there are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from build import (
    cib,
    clone,
    cluster,
    cmap,
    drbd,
    group,
    node,
    offline,
    peer,
    primitive,
    report,
    said,
    view,
)
from build_drbd import configuration
from check_mccluster.model.config import Config, DrbdRule, PlacementRule
from check_mccluster.model.configuration import Configured
from check_mccluster.model.corosync import ConfiguredNode
from check_mccluster.model.drbd import DiskState

MEMBERS = tuple(
    ConfiguredNode(number, name, 1)
    for number, name in enumerate(("app01", "app02", "app03"), start=1)
)


def judge(check, config, *resources, nodes=None, corosync=None, **answers):
    known = cluster(nodes, resources or (group(primitive()),))
    listed = cmap(nodes=MEMBERS) if corosync is None else corosync
    return said(report(check, view(known, config=config, cmap=listed, **answers)))


def unknown(found):
    return [(state, text) for key, state, text in found if key == "config-unknown-name"]


def test_mistyped_tie_breaker_is_told_with_the_nodes_that_there_are():
    assert unknown(judge("placement", Config(tie_breakers=("app3",)))) == [
        (
            "UNKNOWN",
            "configuration: pacemaker.tie_breakers: app3 is not a node of the cluster (known:"
            " app01, app02, app03)",
        )
    ]


def test_node_that_is_lost_is_known_to_corosync():
    """It never joined since Pacemaker's configuration is new: crm_mon does not list it."""
    nodes = (node(), node("app02"))
    assert unknown(judge("placement", Config(tie_breakers=("app03",)), nodes=nodes)) == []
    nodes = (node(), node("app02"), offline("app03"))
    two = cmap(nodes=MEMBERS[:2])
    found = judge("placement", Config(tie_breakers=("app03",)), nodes=nodes, corosync=two)
    assert unknown(found) == []


def test_peer_of_drbd_is_no_unknown_name():
    config = Config(tie_breakers=("storage01",))
    volume = drbd(peer("storage01"))
    assert unknown(judge("failover", config, drbd=(volume,))) == []


def test_where_corosync_cannot_be_asked_nothing_is_said_of_nodes():
    evidence = view(cluster(None, (group(primitive()),)), config=Config(tie_breakers=("app3",)))
    assert unknown(said(report("placement", evidence))) == []


def test_remote_node_that_never_was_up_is_known_to_the_cib():
    remote = Configured("edge01", "primitive", agent="ocf:pacemaker:remote")
    guest = Configured("VM", "primitive", meta={"remote-node": "guest01"})
    known = cib()._replace(resources={"edge01": remote, "VM": guest})
    config = Config(resources={"group1": PlacementRule(allowed=("app01", "edge01", "guest01"))})
    assert unknown(judge("placement", config, cib=known)) == []


def test_list_with_an_unknown_name_forbids_nothing():
    """What runs on app01, which was meant, is no page about the cluster."""
    config = Config(resources={"group1": PlacementRule(allowed=("app1", "app02"))})
    assert judge("placement", config) == [
        (
            "config-unknown-name",
            "UNKNOWN",
            "configuration: pacemaker.resources.group1.allowed: app1 is not a node of the cluster"
            " (known: app01, app02, app03)",
        )
    ]
    assert [key for key, _, _ in judge("failover", config)] == ["config-unknown-name"]


def test_preferred_node_that_is_none():
    config = Config(resources={"group1": PlacementRule(preferred="app9")})
    assert [state for state, _ in unknown(judge("placement", config))] == ["UNKNOWN"]


def test_resource_that_is_none_is_told_by_every_check_that_goes_by_it():
    config = Config(resources={"group2": PlacementRule(preferred="app01")})
    text = (
        "configuration: pacemaker.resources.group2: group2 is not a resource of the cluster"
        " (known: FS, group1)"
    )
    for check in ("resources", "placement", "failover"):
        assert unknown(judge(check, config)) == [("UNKNOWN", text)]


def test_member_and_clone_are_resources():
    parts = (group(primitive()), clone())
    config = Config(resources={name: PlacementRule() for name in ("FS", "group1", "ping-clone")})
    assert judge("resources", config, *parts) == []


def test_runs_with_names_no_resource():
    config = Config(drbd={"r0": DrbdRule(runs_with="mysql")})
    found = judge("consistency", config, cib=cib(), drbd=(drbd(),))
    assert unknown(found) == [
        (
            "UNKNOWN",
            "configuration: drbd.r0.runs_with: mysql is not a resource of the cluster (known:"
            " FS, group1)",
        )
    ]


# -- DRBD --------------------------------------------------------------------------------------

THREE = (peer("storage01"), peer("storage02"), peer("app02", client=True))


def replicas(*names, here="storage03", peers=THREE, disk=DiskState.UP_TO_DATE):
    config = Config(drbd={"r0": DrbdRule(replicas=names)})
    seen = view(drbd=(drbd(*peers, disk=disk),), here=here, config=config)
    return said(report("drbd-mesh", seen))


def test_mistyped_replica_is_told_where_the_right_one_is_connected():
    assert replicas("storage03", "storage01", "storage2") == [
        (
            "config-unknown-name",
            "UNKNOWN",
            "configuration: drbd.r0.replicas: storage2 is not a node of r0 (known: storage03,"
            " storage01, storage02, app02)",
        )
    ]


@pytest.mark.parametrize("here", ["storage03", "app01"])
def test_mistyped_replica_is_told_also_on_the_node_that_is_meant_and_on_clients(here):
    """A node that the file does not list is judged by it, too: its copies are counted."""
    other = {"peers": (*THREE, peer("storage03")), "disk": DiskState.DISKLESS}
    more = other if here == "app01" else {}
    found = replicas("storage3", "storage01", "storage02", here=here, **more)
    assert [key for key, _, _ in found] == ["config-unknown-name"]
    assert "drbd.r0.replicas: storage3 is not a node of r0 (known: " in found[0][2]


def test_other_names_of_a_list_with_a_mistyped_one_hold():
    """storage01 has lost its disk, and is no client."""
    lost = (peer("storage01", disk=DiskState.DISKLESS, client=True), *THREE[1:])
    config = Config(drbd={"r0": DrbdRule(replicas=("storage01", "storage2", "storage03"))})
    seen = view(drbd=(drbd(*lost, disk=DiskState.UP_TO_DATE),), here="storage03", config=config)
    found = said(report("drbd-quorum", seen))
    assert [key for key, *_ in found] == ["config-unknown-name", "copies-low"]


def test_list_of_another_mesh_of_that_name_is_no_typo():
    assert replicas("b01", "b02", "b03") == []


def test_replica_without_a_connection_is_missing_where_every_other_is_listed():
    """Its connection was deleted: nothing that the file does not list stands in its place."""
    found = replicas("storage01", "storage02", "storage03", peers=(THREE[0], THREE[2]))
    assert [(key, state) for key, state, _ in found] == [("peer-missing", "CRITICAL")]


# -- recorded ----------------------------------------------------------------------------------

HEALTHY = Path(__file__).parents[1] / "fixtures" / "snapshots" / "six-nodes-healthy"


def overview(call, tmp_path, text, snapshot):
    config = configuration(tmp_path, text)
    outcome = call("overview", "--json", "--from", snapshot, "--config", config)
    return [(each["key"], each["text"]) for each in json.loads(outcome.out)["faults"]]


def test_overview_tells_a_mistyped_tie_breaker_once(call, tmp_path):
    found = overview(call, tmp_path, '[pacemaker]\ntie_breakers = ["app3"]\n', HEALTHY / "app01")
    assert found == [
        (
            "config-unknown-name",
            "configuration: pacemaker.tie_breakers: app3 is not a node of the cluster (known:"
            " app01, app02, app03)",
        )
    ]


def test_overview_tells_a_resource_that_is_not_in_drbds_own_configuration(call, tmp_path):
    found = overview(call, tmp_path, '[drbd.r00]\nruns_with = "group1"\n', HEALTHY / "app01")
    text = "configuration: drbd.r00: r00 is not a DRBD resource of this node (known: r0)"
    assert found == [("config-unknown-name", text)]


def test_right_file_of_the_case_names_nothing_unknown(call, tmp_path):
    text = """[pacemaker]
nodes = ["app01", "app02", "app03"]
tie_breakers = ["app03"]
[drbd.r0]
replicas = ["storage01", "storage02", "storage03"]
clients = ["app01", "app02"]
runs_with = "FS_DRBD"
"""
    for name in ("app01", "storage01"):
        assert overview(call, tmp_path, text, HEALTHY / name) == []
