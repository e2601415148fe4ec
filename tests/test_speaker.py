"""Which node tells a fault: over recorded clusters and every subset of their nodes."""

from __future__ import annotations

from datetime import datetime
from itertools import combinations

import pytest

from build import cluster, failure, primitive, report, view
from check_mccluster.app.options import SPEAK_AFTER
from check_mccluster.app.session import Setup
from check_mccluster.app.several import joined
from check_mccluster.judge.speaker import identity, since, with_speakers
from check_mccluster.model.config import Config
from check_mccluster.verdict.finding import State
from check_mccluster.verdict.view import Asked
from conftest import FIXTURES
from test_captures import of_cluster, plain_nodes

LATE = {
    "drbd/09b-inconsistent-no-sync": "single links of two nodes",
    "drbd/14e-phantom-out-of-sync": "only the second end counts blocks, and cannot know of it",
}
"""Scenarios with a fault that its speaker does not see: told after ``--speak-after``, by all."""
TWICE = {
    "drbd/02-initial-full-sync": "Pacemaker runs nowhere: nobody is its speaker",
    "drbd/06e-standalone-by-config-mismatch": "both ends stand alone; neither knows of the other",
    "drbd/09b-inconsistent-no-sync": "two clients, each with its own view of who is left",
}
"""Scenarios with a fault that two nodes tell, each by itself."""


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
    here = {one.view.here for one in seen}
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
                ends = {*fault.cause.nodes} if not fault.cause.subject.ends else set()
                if fault.cause.key == "out-of-sync":
                    ends.add(one.view.here)  # what differs between two
                key = (fault.cause.key, fault.cause.subject.same, frozenset(ends))
                own = fault.cause.subject.sort == "tool" or fault.cause.nodes == (one.view.here,)
                if not own:
                    told.setdefault(key, []).append(one.view.here)
            elif fault.speaker in here and not any(
                covers(other, said, one, fault) for other, said in spoken
            ):
                silent.append(f"{one.view.here}: {identity(fault.cause)} left to {fault.speaker}")
    twice = [f"{key[0]} {key[1]} by {nodes}" for key, nodes in told.items() if len(nodes) > 1]
    return silent, twice


def subsets(seen):
    for count in range(1, len(seen) + 1):
        yield from combinations(seen, count)


def wrong_in(name, seen, late=LATE, twice=TWICE):
    """Sentences about what is told wrong in one scenario."""
    ever = False
    for some in subsets(seen):
        silent, _ = troubles(some)
        ever = ever or bool(silent)
        nodes = [one.view.here for one in some]
        if silent and name not in late:
            yield f"{name} {nodes}: nobody tells {silent}"
        for one in some:
            late_told = with_speakers(one.view, one.report.faults, _old(one), SPEAK_AFTER)
            if not all(fault.spoken for fault in late_told):
                yield f"{name} {nodes}: {one.view.here} is silent for ever"
    _, several = troubles(seen)
    if several and name not in twice:
        yield f"{name}: told by several: {several}"
    if name in late and not ever:
        yield f"{name} is told at once now"
    if name in twice and not several:
        yield f"{name} is told once now"


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
