"""The cluster as seen from several nodes, as data: constructed answers, some of them incomplete."""

from __future__ import annotations

import pytest

from build import NOW, cluster, drbd, primitive, report, view, view_of
from build_drbd import STORAGES, away, connection, mesh, resource
from check_mccluster.judge.faults import faults
from check_mccluster.judge.picture import picture
from check_mccluster.model.config import Config, DrbdRule
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import Kind, Report, State, finding
from check_mccluster.verdict.problems import DRBD_RESOURCE_MISSING, TOOL_MISSING, unknown_name
from check_mccluster.verdict.view import Answer, Judgement


def seen_by(name, *resources, **answers):
    return Judgement(view_of(name, NOW, **{"drbd": resources, **answers}), Report())


def whole(*seen):
    return picture(seen, Report())


# -- what could not be read --------------------------------------------------------------------


GONE = finding(DRBD_RESOURCE_MISSING, subject.drbd("r1"), "r1 is not up on this node")
ABSENT = finding(TOOL_MISSING, subject.setting("drbdsetup"), "drbdsetup is not installed")

NOT_ALL = (("storage01",), GONE.text, GONE.state)


@pytest.mark.parametrize(
    ("answer", "unread", "incomplete", "known"),
    [
        (Answer((resource(),)), [], [], ["storage01"]),
        (
            Answer((resource(),), (GONE,)),
            [],
            [NOT_ALL],
            ["storage01"],
        ),
        (Answer(None, (GONE,)), [NOT_ALL], [], []),
        (Answer(None, (ABSENT,)), [(("storage01",), ABSENT.text, State.OK)], [], []),
        (Answer(None), [], [], []),
    ],
)
def test_who_knows_nothing_of_drbd_and_who_not_everything(answer, unread, incomplete, known):
    seen = whole(seen_by("storage01", drbd=answer))
    assert [tuple(each) for each in seen.no_drbd] == unread
    assert [tuple(each) for each in seen.drbd_incomplete] == incomplete
    assert list(seen.with_drbd) == known


def test_the_same_reason_of_several_nodes_is_told_once():
    answer = Answer(None, (ABSENT,))
    seen = whole(*(seen_by(name, drbd=answer) for name in STORAGES[:2]))
    assert [each.nodes for each in seen.no_drbd] == [STORAGES[:2]]


# -- DRBD's meshes -----------------------------------------------------------------------------


def test_connections_to_a_node_are_those_of_everybody_else():
    seen = whole(
        seen_by("storage01", mesh(away("storage02"))),
        seen_by("storage02", mesh(here="storage02")),
        seen_by("storage03", mesh(here="storage03")),
    )
    (one,) = seen.meshes
    assert [(each.name, each.is_connected) for each in one.links_to("storage02")] == [
        ("storage02", False),
        ("storage02", True),
    ]
    assert len(one.links_to("app01")) == 3
    assert one.links_to("nobody") == ()


def test_nodes_of_a_mesh_are_in_order_of_their_ids_however_they_are_written():
    one = resource(connection("b.example.com", peer_node_id=0), node_id=1)
    other = resource(connection("a", peer_node_id=1), node_id=0)
    (found,) = whole(seen_by("a.example.com", one), seen_by("b", other)).meshes
    assert found.nodes == ("b.example.com", "a.example.com")
    assert set(found.seen) == set(found.nodes)


@pytest.mark.parametrize(
    ("counts", "most"), [((0, 0), 0), ((8, 4), 8), ((None, 4), 4), ((None, None), None)]
)
def test_most_that_any_peer_lacks(counts, most):
    peers = []
    for name, kib in zip(("storage02", "storage03"), counts):
        up = connection(name)
        (its,) = up.peer_devices
        peers.append(up._replace(peer_devices=(its._replace(out_of_sync_kib=kib),)))
    (replica,) = whole(seen_by("storage01", resource(*peers))).replicas
    assert replica.volumes[0].out_of_sync_kib == most


# -- how grave that is which is said -----------------------------------------------------------


def told(key, about, state=State.WARNING, nodes=(), **changes):
    kind = Kind(key, state, "a meaning", "a step")
    return finding(kind, about, "it is so", nodes=nodes)._replace(**changes)


R0 = subject.drbd("r0")
VOLUME = subject.volume("r0", 1)
ENDS = subject.connection("r0", "storage01", "storage02")
S1, S2, S3 = STORAGES


@pytest.mark.parametrize(
    ("about", "on", "asked", "state"),
    [
        (R0, (), {"nodes": (S1,)}, State.WARNING),
        (R0, (S1,), {"nodes": (S1,)}, State.WARNING),
        (R0, (S1,), {"nodes": (S2,)}, State.OK),
        (R0, (S1,), {"nodes": (S2, S1)}, State.WARNING),
        (R0, (S1,), {}, State.WARNING),
        (VOLUME, (), {"volume": 1}, State.WARNING),
        (VOLUME, (), {"volume": 2}, State.OK),
        (VOLUME, (), {}, State.OK),
        (VOLUME, (S1,), {"volume": 1, "nodes": (S2,)}, State.OK),
        (ENDS, (), {"ends": (S1, S2)}, State.WARNING),
        (ENDS, (), {"ends": (S2, S1)}, State.WARNING),
        (ENDS, (), {"ends": (S1, S3)}, State.OK),
        (ENDS, (), {"nodes": (S1,)}, State.OK),
        (ENDS, (), {}, State.OK),
    ],
)
def test_gravest_of_what_concerns_a_place(about, on, asked, state):
    seen = Judgement(view_of(S1, NOW, drbd=(resource(),)), Report((told("k", about, nodes=on),)))
    gravity = picture((seen,), seen.report).gravity
    nodes = asked.pop("nodes", ())
    assert gravity.of("r0", nodes, **asked) is state
    assert gravity.of("r1", nodes, **asked) is State.OK


@pytest.mark.parametrize(
    ("volume", "state"), [(None, State.WARNING), (1, State.WARNING), (2, State.OK)]
)
def test_gravest_of_all_parts_of_a_resource(volume, state):
    seen = Judgement(view_of(S1, NOW, drbd=(resource(),)), Report((told("k", VOLUME),)))
    assert picture((seen,), seen.report).gravity.of_all("r0", volume) is state


def test_what_covers_several_resources_is_said_of_each():
    each = told("k", subject.node(S2), nodes=(S2,), covers=("r0", "r1"))
    seen = Judgement(view_of(S1, NOW), Report((each,)))
    gravity = picture((seen,), seen.report).gravity
    assert [gravity.of(name, (S2,)) for name in ("r0", "r1", "r2")] == [
        State.WARNING,
        State.WARNING,
        State.OK,
    ]


# -- causes ------------------------------------------------------------------------------------


def test_what_follows_from_a_consequence_of_a_consequence_is_the_causes_too():
    """A lost node, its connection, the disk that is outdated by that, and its resync."""
    chain = (
        told("node-offline", subject.node("app02"), nodes=("app02",)),
        told("peer-connecting", subject.connection("r0", "app01", "app02"), nodes=("app02",)),
        told("disk-outdated", subject.volume("r0", 0), nodes=("app01",)),
        told("sync-target", subject.volume("r0", 0), nodes=("app01",)),
        told("sync-target", subject.volume("r1", 0), nodes=("app01",)),
    )
    known = view(cluster(resources=(primitive(),)))
    found = {
        (fault.cause.key, fault.cause.object): [each.key for each in fault.follows]
        for fault in faults(known, chain)
    }
    assert found == {
        ("node-offline", "app02"): ["peer-connecting", "disk-outdated", "sync-target"],
        ("sync-target", "r1/0"): [],
    }


# -- names in the configuration file -----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "strange"), [("r9", ["drbd.r9"]), ("r8", ["drbd.r9", "drbd.r8.runs_with"])]
)
def test_rule_of_a_resource_that_the_input_told_is_told_once(name, strange):
    problem = unknown_name("drbd.r9", "r9", "DRBD resource of this node", ("r0",))
    config = Config(drbd={name: DrbdRule(runs_with="XX")})
    answer = Answer((drbd(),), (problem,))
    seen = view(cluster(resources=(primitive(),)), config=config, drbd=answer)
    found = report("consistency", seen).findings
    assert [each.object for each in found if each.key == "config-unknown-name"] == strange


@pytest.mark.parametrize("key", ["peer-unreachable", "link-down"])
def test_member_that_corosync_does_not_reach_any_more_is_marked(key):
    kind = Kind(key, State.WARNING, "a meaning", "a step")
    lost = finding(kind, subject.node("app03"), "no link to app03", nodes=("app03",))
    one = Judgement(view(cluster()), Report((lost,)))
    (part,) = whole(one).parts
    assert part.unreached == ({"app03"} if key == "peer-unreachable" else frozenset())
