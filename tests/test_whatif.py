"""``whatif``: what the loss of each node would do."""

from __future__ import annotations

import itertools
import json
import shutil

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
    assert lines[-6:] == [
        "  svc would end: bravo cannot promote drbd_r0-clone: DRBD's fence handler left",
        "  drbd-fence-by-handler-r0-drbd_r0-clone",
        "  -> drbdadm status; where every disk is UpToDate: pcs constraint delete",
        "     drbd-fence-by-handler-r0-drbd_r0-clone (crm configure delete",
        "     drbd-fence-by-handler-r0-drbd_r0-clone); else it goes with the end of the",
        "     resync",
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
    assert service["why"] == ("if app02, app03 fail, the quorum is lost (3 of 3 votes, 2 needed)")


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


# -- several nodes -----------------------------------------------------------------------------

SIX = SNAPSHOTS / "six-nodes-healthy"


@pytest.fixture
def six(tmp_path):
    """A copy of the six healthy nodes."""
    shutil.copytree(SIX, tmp_path / "six")
    return tmp_path / "six"


def losses_of(call, *options) -> dict:
    document = json.loads(call("whatif", "--json", *options).out)
    return {each["lost"][0]: each for each in document["losses"]}


def change_status(node, change) -> None:
    file = node / "drbd-status.json"
    status = json.loads(file.read_text())
    change(status)
    file.write_text(json.dumps(status))


def test_a_folder_of_nodes_names_whose_view_of_pacemaker_counts(call):
    outcome = call("whatif", "--from", SIX)
    assert outcome.code == 0
    assert outcome.lines[:2] == [
        "What if a node were lost (seen from app02, 2026-11-22 08:59:57Z)",
        "6 nodes asked, each about its own DRBD; Pacemaker as app02 sees it",
    ]
    assert "app01      group1 would move to app02  2 of 3  r0/0 3 of 3" in outcome.lines
    document = json.loads(call("whatif", "--json", "--from", SIX).out)
    assert document["node"] == "app02"
    assert document["asked"] == ["app01", "app02", "app03", "storage01", "storage02", "storage03"]
    assert document["unasked"] == {}


@pytest.mark.parametrize("options", [(), ("--json",), ("--down", "app01", "--down", "storage02")])
def test_any_order_of_the_nodes_gives_the_same_bytes(call, options):
    folders = sorted(SIX.iterdir())
    orders = [*itertools.islice(itertools.permutations(folders), 0, 720, 145), folders[::-1]]
    said = {
        call("whatif", *options, *(word for each in order for word in ("--from", each))).out
        for order in orders
    }
    assert len(said) == 1


def test_a_candidate_is_believed_about_its_own_drbd(call, six):
    """app02's r0 is not up, which app01 alone takes for a peer that is connected."""
    change_status(six / "app02", lambda status: status.clear())
    assert losses_of(call, "--from", six / "app01")["app01"]["ends"] == []
    loss = losses_of(call, "--from", six / "app01", "--from", six / "app02")["app01"]
    assert loss["ends"] == ["group1"]
    (service,) = loss["services"]
    assert "app02 r0 is not up there" in service["why"]
    assert service["next_step"] == "on app02: drbdadm up r0"


def test_a_candidate_that_lost_its_quorum_takes_nothing(call, six):
    """app02 counts no quorum for r0: it reaches no storage server."""

    def cut(status):
        status[0]["devices"][0]["quorum"] = False
        for each in status[0]["connections"]:
            if each["name"].startswith("storage"):
                each["connection-state"] = "Connecting"

    change_status(six / "app02", cut)
    loss = losses_of(call, "--from", six)["app01"]
    assert loss["ends"] == ["group1"]
    assert "app02 r0/0 has no quorum" in loss["services"][0]["why"]


def test_a_copy_is_what_its_own_node_calls_it(call, six):
    """storage03's disk failed, and the others have not noticed."""

    def fail(status):
        status[0]["devices"][0]["disk-state"] = "Failed"

    change_status(six / "storage03", fail)
    assert losses_of(call, "--from", six / "app01")["storage01"]["volumes"][0]["up_to_date"] == [
        "storage02",
        "storage03",
    ]
    volume = losses_of(call, "--from", six)["storage01"]["volumes"][0]
    assert volume["up_to_date"] == ["storage02"]
    assert volume["replicas"] == ["storage01", "storage02", "storage03"]


def test_the_device_of_a_service_is_known_by_whoever_has_it(call, six):
    """The member that speaks for Pacemaker, app02, has no DRBD: minor 0 is r0 on the others."""
    (six / "app02" / "drbd-status.json").unlink()
    (six / "app02" / "drbd-show.json").unlink()
    loss = losses_of(call, "--from", six, "--down", "storage01", "--down", "storage02")["storage01"]
    assert loss["ends"] == ["group1"]
    assert "app01 r0/0 would have no quorum" in loss["services"][0]["why"]


def test_votes_are_those_of_a_member_that_could_count_them(call, six):
    """The controller's corosync-quorumtool was not recorded; app01's was."""
    (six / "app02" / "corosync-quorumtool.txt").unlink()
    quorumtool = six / "app01" / "corosync-quorumtool.txt"
    quorumtool.write_text(
        quorumtool.read_text().replace("Expected votes:   3", "Expected votes:   5")
    )
    assert losses_of(call, "--from", six)["app03"]["votes"]["expected"] == 5


def test_the_recorded_word_of_the_scheduler_holds_for_two_nodes(call):
    losses = losses_of(call, "--from", SNAPSHOTS / "classic-simulated")
    assert losses["alpha"]["services"][0]["judged_by"] == "scheduler"
    assert losses["alpha"]["not_asked"] is None


def test_one_node_twice_is_an_error(call):
    outcome = call("whatif", "--from", HEALTHY, "--from", HEALTHY)
    assert (outcome.code, outcome.out) == (
        3,
        "CHECK_MCCLUSTER UNKNOWN - two snapshots are of app01\n",
    )


def test_storage_servers_alone_know_nothing_of_pacemaker(call):
    outcome = call("whatif", "--from", SIX / "storage01", "--from", SIX / "storage02")
    assert outcome.code == 3
    assert outcome.out.startswith(
        "CHECK_MCCLUSTER UNKNOWN - nothing is known of the cluster: crm_mon"
    )


def test_status_in_full_has_the_table_of_the_joined_picture(call, six):
    change_status(six / "app02", lambda status: status.clear())
    lines = call("status", "--full", "--from", six).lines
    assert "6 nodes asked, each about its own DRBD; Pacemaker as app02 sees it" in lines
    assert any(line.startswith("app01      group1 would end") for line in lines)
