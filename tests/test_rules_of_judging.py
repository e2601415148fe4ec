"""Rules of several checks by constructed evidence: bounds, both answers, what is left alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from build import (
    NOW,
    ban,
    clone,
    cluster,
    node,
    options,
    primitive,
    replace,
    report,
    said,
    stopped,
    view,
)
from build_drbd import client_device, connection, device, mesh, peer_device, resource
from build_drbd import judge as judge_drbd
from build_drbd import view as drbd_view
from check_mccluster.judge.causes import faults
from check_mccluster.judge.engine import with_memory
from check_mccluster.judge.facts.drbd import copies
from check_mccluster.model.config import Config, DrbdRule
from check_mccluster.model.drbd import DiskState, ReplicationState
from check_mccluster.model.pacemaker import NodeAttribute, Role
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import Fault, Kind, Lasting, Report, State, finding
from check_mccluster.verdict.view import Asked, name_of


def told(key, about, state=State.WARNING, nodes=(), text="it is so", reason=""):
    kind = Kind(key, state, "a meaning", "a step")
    return finding(kind, about, text, nodes=nodes, reason=reason)


# -- memory ------------------------------------------------------------------------------------

LATE = told("fail-count", subject.resource("FS"))
HOUR = timedelta(hours=1)


def remembered(first, **lasting):
    """The finding LATE, first seen at a time, after an hour graver where *lasting* says so."""
    since = {} if first is None else {name_of(LATE): first}
    asked = Asked(since={"other": NOW, **since}, lasting=lasting)
    seen = Report((LATE,), faults=(Fault(LATE, (LATE,)),))
    judged = with_memory(seen, asked, NOW)
    (one,) = judged.findings
    assert judged.faults == (Fault(one, (one,)),)
    return one.text, one.state


@pytest.mark.parametrize(
    ("first", "text"),
    [
        (None, "it is so"),
        (NOW, "it is so"),
        (NOW + HOUR, "it is so"),
        (NOW - HOUR, "it is so, since 08:00 UTC"),
        (NOW - timedelta(days=1), "it is so, since 2026-11-21 09:00 UTC"),
    ],
)
def test_since_when_a_finding_is_known(first, text):
    assert remembered(first)[0] == text


@pytest.mark.parametrize(
    ("key", "seconds", "state"),
    [
        ("fail-count", 3600, State.CRITICAL),
        ("fail-count", 3601, State.WARNING),
        ("other", 1, State.WARNING),
    ],
)
def test_finding_that_lasts_is_graver(key, seconds, state):
    asked = {key: Lasting(State.CRITICAL, seconds)}
    assert remembered(NOW - HOUR, **asked)[1] is state


def test_without_memory_nothing_is_said_of_the_time():
    seen = Report((LATE,))
    assert with_memory(seen, Asked(), NOW) is seen


# -- causes ------------------------------------------------------------------------------------

LOST_QUORUM = told("quorum-lost", subject.cluster("quorum"), State.CRITICAL, ())


def causes(*findings):
    return [(f.cause.key, [each.key for each in f.follows]) for f in faults(view(), findings)]


@pytest.mark.parametrize(
    ("offline", "cause"),
    [
        ((), "mesh-isolated"),
        (("app02",), "quorum-lost"),
        (("app02", "app03"), "quorum-lost"),
        (("app01",), "mesh-isolated"),
    ],
)
def test_mesh_that_is_cut_off_explains_a_lost_quorum_unless_its_nodes_are_lost(offline, cause):
    """A node that is left alone by lost ones is not cut off itself."""
    isolated = told("mesh-isolated", subject.drbd("r0"), State.CRITICAL, ("app02",))
    lost = [told("node-offline", subject.node(name), nodes=(name,)) for name in offline]
    quorum = replace(LOST_QUORUM, nodes=())
    found = causes(isolated, quorum, *lost)
    assert found[0][0] == cause


# -- ping attributes ---------------------------------------------------------------------------


def pinging(value, *, expected=200, online=True, name="app02"):
    nodes = (node("app01"), node("app02", online=online))
    attribute = NodeAttribute(name, "pingd", value, expected)
    judged = report("nodes", view(cluster(nodes, attributes=(attribute,))))
    return [text for key, _, text in said(judged) if key == "connectivity-lost"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0", "app02 reaches none of its ping targets (pingd 0 of 200)"),
        ("-1", "app02 reaches none of its ping targets (pingd -1 of 200)"),
        ("1", "app02 reaches not all its ping targets (pingd 1 of 200)"),
        ("199", "app02 reaches not all its ping targets (pingd 199 of 200)"),
        ("200", None),
        ("many", None),
        (None, None),
    ],
)
def test_ping_targets_that_a_node_reaches(value, words):
    assert pinging(value) == ([words] if words else [])


def test_ping_targets_of_a_node_that_is_offline_unknown_or_of_no_expectation():
    assert pinging("0", online=False) == []
    assert pinging("0", name="app09") == []
    assert pinging("0", expected=None) == []


# -- placement ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("promoted_only", "role", "wrong"),
    [
        (False, Role.STARTED, True),
        (True, Role.STARTED, False),
        (True, Role.UNPROMOTED, False),
        (True, Role.PROMOTED, True),
    ],
)
def test_rule_for_the_promoted_role_forbids_no_other(promoted_only, role, wrong):
    rule = ban("FS", "app01", promoted_only=promoted_only)
    known = cluster(resources=(primitive("FS", "app01", role),), bans=(rule,))
    keys = [key for key, *_ in said(report("placement", view(known)))]
    assert bool(keys) is wrong


def test_rule_for_the_promoted_role_asks_where_it_is_promoted():
    rule = ban("drbd-clone", "app01", promoted_only=True)
    instances = (
        primitive("drbd", "app01", Role.UNPROMOTED), primitive("drbd", "app02", Role.PROMOTED),
    )  # fmt: skip
    known = cluster(
        resources=(clone(*instances, name="drbd-clone", promotable=True),), bans=(rule,)
    )
    assert said(report("placement", view(known))) == []


# -- copies of DRBD ----------------------------------------------------------------------------


def counted(one, **rules):
    seen = drbd_view(one, config=Config(drbd={"r0": DrbdRule(**rules)} if rules else {}))
    return copies(seen, one, one.devices[0])


RULE = {"replicas": None, "clients": None, "runs_with": None}


def test_copies_by_the_word_of_drbd():
    have = counted(mesh())
    assert have.up_to_date == have.replicas == ("storage01", "storage02", "storage03")
    assert have.unknown == have.missing == ()


def test_copies_by_the_configuration_file_where_it_names_them():
    one = mesh()
    have = counted(
        one, **{**RULE, "replicas": ("storage01", "storage02"), "clients": ("storage03",)}
    )
    assert have.replicas == ("storage01", "storage02")
    have = counted(one, **{**RULE, "replicas": ("storage01", "app01", "storage09")})
    assert have.replicas == ("storage01", "storage02", "storage03", "app01", "storage09")
    assert have.missing == ("app01", "storage09")


def silent(name, disk, **changes):
    """A peer of a release that does not tell clients."""
    return connection(name, peer_device(peer_client=None, peer_disk_state=disk), **changes)


def test_copies_where_drbd_does_not_tell_clients():
    one = resource(
        silent("storage02", DiskState.UP_TO_DATE),
        silent("storage03", DiskState.OUTDATED),
        silent("app01", DiskState.DISKLESS),
        devices=(device(client=None),),
    )
    have = counted(one)
    assert have.up_to_date == ("storage01", "storage02")
    assert have.replicas == ("storage01", "storage02", "storage03")
    assert have.unknown == ("app01",)
    assert counted(one, **{**RULE, "clients": ("app01",)}).unknown == ()


@pytest.mark.parametrize(
    ("rules", "replicas", "unknown"),
    [
        ({}, (), ("storage01",)),
        ({"clients": ("storage01",)}, (), ()),
        ({"replicas": ("storage01",)}, ("storage01",), ()),
    ],
)
def test_own_disk_that_may_be_lost_or_never_was(rules, replicas, unknown):
    one = resource(devices=(client_device(client=None),))
    have = counted(one, **({**RULE, **rules} if rules else {}))
    assert (have.replicas, have.unknown) == (replicas, unknown)


# -- resync ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "keys"),
    [({"user"}, ["sync-paused"]), ({"peer"}, ["sync-target"]), (set(), ["sync-target"])],
)
def test_resync_to_here_that_somebody_holds_up(by, keys):
    peer = peer_device(
        replication_state=ReplicationState.SYNC_TARGET, out_of_sync_kib=8,
        resync_suspended=frozenset(by),
    )  # fmt: skip
    one = mesh(connection("storage02", peer), devices=(device(disk_state=DiskState.INCONSISTENT),))
    found = judge_drbd("drbd-sync", drbd_view(one)).findings
    assert [key for key, *_ in found if key in ("sync-paused", "sync-target")] == keys


# -- clones ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "words"),
    [(Role.STARTING, "drbd is starting"), (Role.UNPROMOTED, "no instance is promoted")],
)
def test_promotable_clone_whose_instance_still_starts_is_on_its_way(role, words):
    instances = (primitive("drbd", "app01", role), stopped("drbd"))
    known = cluster(
        resources=(clone(*instances, name="drbd-clone", promotable=True),), options=options()
    )
    texts = [text for _, _, text in said(report("resources", view(known)))]
    assert any(words in text for text in texts)
