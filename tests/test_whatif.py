"""``whatif``: what the loss of each node would do."""

from __future__ import annotations

import json

import pytest

from build import SNAPSHOTS

HEALTHY = SNAPSHOTS / "six-nodes-healthy" / "app01"
CLASSIC = SNAPSHOTS / "classic-simulated"
HANDLER = SNAPSHOTS / "classic-fence-handler" / "alpha"


def test_a_healthy_classic_cluster_asked_by_the_scheduler(call):
    outcome = call("whatif", "--from", CLASSIC / "alpha")
    assert outcome.code == 0
    assert outcome.lines == [
        "What if a node were lost (seen from alpha, 2026-11-22 09:00:00Z)",
        "",
        "LOST   THEN                      VOTES   COPIES",
        "alpha  svc would move to bravo   1 of 2  r0/0 1 of 2",
        "bravo  no service ends or moves  1 of 2  r0/0 1 of 2",
    ]


def test_the_gravest_loss_comes_first_with_its_reason_and_step(call):
    lines = call("whatif", "--from", HANDLER).lines
    assert lines[3] == "alpha  svc would end             1 of 2  r0/0 1 of 2"
    assert lines[-4:] == [
        "  svc would end: bravo cannot promote drbd_r0-clone: DRBD's fence handler left",
        "  drbd-fence-by-handler-r0-drbd_r0-clone",
        "  -> drbdadm status; once the peer's disk is UpToDate: pcs constraint delete",
        "     drbd-fence-by-handler-r0-drbd_r0-clone",
    ]


def test_hosts_of_the_mesh_and_members_of_pacemaker_are_nodes(call):
    document = json.loads(call("whatif", "--from", HEALTHY, "--json").out)
    losses = {tuple(each["lost"]): each for each in document["losses"]}
    assert sorted(losses) == [
        (name,) for name in ("app01", "app02", "app03", "storage01", "storage02", "storage03")
    ]
    assert losses["app01",]["services"] == [
        {
            "service": "group1",
            "from": ["app01"],
            "to": ["app02"],
            "why": None,
            "next_step": None,
            "judged_by": "rules",
        }
    ]
    assert losses["storage01",]["volumes"] == [
        {
            "volume": "r0/0",
            "up_to_date": ["storage02", "storage03"],
            "unseen": [],
            "replicas": ["storage01", "storage02", "storage03"],
            "quorum": True,
        }
    ]
    assert losses["storage01",]["not_asked"] is None
    assert losses["app02",]["votes"] == {"left": 2, "needed": 2, "expected": 3, "quorate": True}


def test_several_nodes_are_lost_together(call):
    outcome = call(
        "whatif", "--down", "storage01", "--down", "storage02", "--from", HEALTHY, "--json"
    )
    (loss,) = json.loads(outcome.out)["losses"]
    assert loss["lost"] == ["storage01", "storage02"]
    assert loss["ends"] == ["group1"]
    (service,) = loss["services"]
    assert service["why"] == "app01 r0/0 would have no quorum"
    assert loss["volumes"][0]["quorum"] is False


def test_two_members_take_the_quorum_with_them(call):
    outcome = call("whatif", "--down", "app02", "--down", "app03", "--from", HEALTHY, "--json")
    (loss,) = json.loads(outcome.out)["losses"]
    assert loss["votes"] == {"left": 1, "needed": 2, "expected": 3, "quorate": False}
    (service,) = loss["services"]
    assert service["why"] == (
        "the quorum ends with the vote of app02, app03 (3 of 3 votes, 2 needed)"
    )


def test_the_scheduler_is_the_judge_where_it_was_recorded(call):
    document = json.loads(call("whatif", "--from", CLASSIC / "bravo", "--json").out)
    (first, _) = document["losses"]
    assert (first["lost"], first["services"][0]["judged_by"]) == (["alpha"], "scheduler")


def test_losses_judged_by_our_own_rules_are_named(call):
    text = " ".join(call("whatif", "--from", HEALTHY).out.split())
    assert text.endswith(
        "app01, app02, app03: judged without Pacemaker's scheduler (no answer of it was recorded,"
        " and --simulate was not given)"
    )


def test_an_unknown_node_is_named_with_those_that_there_are(call):
    outcome = call("whatif", "--down", "app04", "--from", HEALTHY)
    assert outcome.code == 3
    assert outcome.out == (
        "CHECK_MCCLUSTER UNKNOWN - --down app04: no such node is online (app01, app02, app03,"
        " storage01, storage02, storage03)\n"
    )


def test_without_pacemaker_nothing_is_known(call):
    outcome = call("whatif", "--from", SNAPSHOTS / "six-nodes-healthy" / "storage01")
    assert outcome.code == 3
    assert outcome.out.startswith(
        "CHECK_MCCLUSTER UNKNOWN - nothing is known of the cluster: crm_mon"
    )


@pytest.mark.parametrize(
    "snapshot",
    [
        "six-nodes-healthy/app01",
        "ten-nodes/app01",
        "failure-ignored/app01",
        "classic-fence-handler/alpha",
        "storage-servers-lost/app01",
    ],
)
def test_eighty_columns_hold_every_line(call, snapshot):
    outcome = call("whatif", "--from", SNAPSHOTS / snapshot)
    assert outcome.code == 0
    assert max(map(len, outcome.lines)) <= 80
