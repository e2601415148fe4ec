"""Which node tells a fault: over recorded clusters and every subset of their nodes."""

from __future__ import annotations

from datetime import datetime
from itertools import combinations

import pytest

from build import cluster, failure, primitive, report, view
from build_drbd import away, connection, mesh, resource
from build_drbd import view as drbd_view
from check_mccluster.app.options import SPEAK_AFTER
from check_mccluster.app.session import Setup
from check_mccluster.app.several import joined
from check_mccluster.inputs.crm_mon import CLUSTER
from check_mccluster.inputs.drbdsetup import DRBD
from check_mccluster.judge.faults import faults
from check_mccluster.judge.speaker import identity, since, speaker_of, with_speakers
from check_mccluster.model.config import Config
from check_mccluster.verdict.finding import State
from check_mccluster.verdict.view import Asked
from conftest import FIXTURES
from test_captures import of_cluster, plain_nodes


def judged(nodes):
    asked = Asked(values={"snapshots": (), "hosts": ()})
    return joined(Setup(8.0), Config(), nodes, {}, asked)[0].seen


def bad(one):
    return [fault for fault in one.report.faults if fault.state is not State.OK]


def about(one, fault):
    """What a fault is about: its nodes, and this node where it is its own; its DRBD resource."""
    every = (fault.cause, *fault.follows)
    nodes = {name for each in every for name in (*each.nodes, *each.subject.ends)}
    return nodes | {one.view.here}, {each.subject.drbd_resource for each in every} - {None}


def covers(other, told, one, fault):
    """Whether *told*, of another node, is the same trouble: the same finding, or the same node."""
    same = {(each.key, each.subject.same) for each in (told.cause, *told.follows)}
    if (fault.cause.key, fault.cause.subject.same) in same:
        return True
    nodes, resources = about(other, told)
    theirs, of = about(one, fault)
    at_fault = {*fault.cause.nodes, *fault.cause.subject.ends} - {one.view.here} or theirs
    return bool(nodes & at_fault) and (not of or not resources or bool(of & resources))


def troubles(seen):
    """Faults that nobody tells and faults that several tell, in these nodes' evidence."""
    here = {one.view.here: one for one in seen}
    # Told, or left by somebody to a node whose silence is an alarm of its own.
    spoken = [
        (one, fault)
        for one in seen
        for fault in bad(one)
        if fault.spoken or fault.speaker not in here
    ]
    silent, told = [], {}
    for one in seen:
        for fault in bad(one):
            if fault.spoken:
                key = (fault.cause.key, fault.cause.subject.same, _between(one, fault.cause))
                if fault.cause.subject.sort != "tool":
                    told.setdefault(key, []).append(one)
            elif (
                fault.speaker in here
                and not any(covers(other, said, one, fault) for other, said in spoken)
                and not _cannot_be_seen_by(here[fault.speaker], one, fault.cause)
            ):
                silent.append(f"{one.view.here}: {identity(fault.cause)} left to {fault.speaker}")
    twice = [
        f"{key[0]} {key[1]} by {[one.view.here for one in tellers]}"
        for key, tellers in told.items()
        if len(tellers) > 1 and not _cannot_know_of_each_other(key[0], tellers)
    ]
    return silent, twice


def _between(one, cause):
    """The nodes that a cause is about; what differs is between the teller and another."""
    nodes = frozenset() if cause.subject.ends else frozenset(cause.nodes)
    return nodes | {one.view.here} if cause.key == "out-of-sync" else nodes


def connections(one):
    return [each for resource in one.view[DRBD].value or () for each in resource.connections]


def _cannot_be_seen_by(speaker, one, cause):
    """What no node can know by itself, as docs/telling.md has it."""
    up = {each.name for each in connections(speaker) if each.is_connected}
    if cause.key == "peer-connecting":  # a lost link: the speaker reaches both its ends
        return up >= {one.view.here, *cause.nodes} - {speaker.view.here}
    back = [
        peer.out_of_sync_kib
        for each in connections(speaker)
        for peer in each.peer_devices
        if each.name == one.view.here
    ]
    return cause.key == "out-of-sync" and back == [0]


def _cannot_know_of_each_other(key, tellers):
    """The two ends of a single connection, where nothing but that shows either the other."""
    return (
        key in ("peer-connecting", "peer-standalone")
        and len(tellers) == 2
        and all(one.view[CLUSTER].value is None for one in tellers)
        and all(len(one.view[DRBD].value) == 1 for one in tellers)
    )


def subsets(seen):
    for count in range(1, len(seen) + 1):
        yield from combinations(seen, count)


def wrong_in(name, seen):
    """Sentences about what is told wrong in one scenario."""
    for some in subsets(seen):
        silent, _ = troubles(some)
        nodes = [one.view.here for one in some]
        if silent:
            yield f"{name} {nodes}: nobody tells {silent}"
        for one in some:
            late_told = with_speakers(one.view, one.report.faults, _old(one), SPEAK_AFTER)
            if not all(fault.spoken for fault in late_told):
                yield f"{name} {nodes}: {one.view.here} is silent for ever"
    _, several = troubles(seen)
    if several:
        yield f"{name}: told by several: {several}"


def _old(one):
    return {identity(fault.cause): 900.0 for fault in one.report.faults}


@pytest.mark.captures
def test_every_fault_of_every_recorded_cluster_is_told_by_one_node(captures):
    wrong, count = [], 0
    for scenario, *_ in of_cluster(captures / "expected-cluster.tsv"):
        nodes = plain_nodes(captures / scenario)
        if len(nodes) > 1:
            count += 1
            wrong += wrong_in(scenario, judged(nodes))
    assert count > 80
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("scenario", "tells"),
    [
        ("six-nodes-healthy", {}),
        ("storage03-powered-off", {"app01": ["peer-connecting"]}),
        ("link-to-one-storage-cut", {"storage02": ["peer-connecting"]}),
        (
            "pacemaker-stopped-on-app01",
            {"app01": ["pacemaker-down"], "app02": ["mapping-none"]},
        ),
    ],
)
def test_of_a_recorded_cluster_these_nodes_tell(scenario, tells):
    seen = judged(plain_nodes(FIXTURES / "snapshots" / scenario))
    told = {one.view.here: [fault.cause.key for fault in bad(one) if fault.spoken] for one in seen}
    assert {name: keys for name, keys in told.items() if keys} == tells
    assert not [*wrong_in(scenario, seen)]


def test_where_nothing_is_remembered_a_fault_of_unknown_age_is_told_by_all():
    seen = judged(plain_nodes(FIXTURES / "snapshots/storage03-powered-off"))
    for one in seen:
        assert all(f.spoken for f in with_speakers(one.view, one.report.faults, None, SPEAK_AFTER))


def test_a_failure_whose_time_has_no_zone_has_no_age():
    """Constructed: crm_mon 1.1 prints local time."""
    told = failure("FS")._replace(time=datetime(2026, 11, 22, 9, 0, 0))
    known = cluster(resources=(primitive("FS"),), failures=(told,))
    judged = report("failures", view(known))
    (one,) = (each for each in judged.findings if each.key == "failed-action")
    assert since(view(known), one) is None


def test_connection_to_a_node_that_is_not_reached_is_told_by_who_is_there():
    """Constructed: storage03, which is reached, does not show that storage01 is."""
    seen = drbd_view(mesh(away("storage01"), here="storage02"), node="storage02")
    (fault,) = faults(seen, report("drbd-mesh", seen).findings)
    assert fault.cause.key == "peer-connecting"
    assert speaker_of(seen, fault) == "app01"
    without = resource(away("storage01"), connection("storage03"))
    seen = drbd_view(without, node="storage02")
    (fault,) = faults(seen, report("drbd-mesh", seen).findings)
    assert speaker_of(seen, fault) == "storage02"
