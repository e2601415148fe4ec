"""How findings are folded into faults: tables of rules, chains, and what is told first."""

from __future__ import annotations

import pytest

from build import view
from check_mccluster.judge.causes import Equal, more, rule
from check_mccluster.judge.cluster_causes import CLUSTER_RULES
from check_mccluster.judge.faults import faults
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import Kind, State, finding


def told(key, about, *nodes, state=State.WARNING):
    return finding(Kind(key, state, "a meaning", "a step"), about, "it is so", nodes=nodes)


def folded(*findings, rules=None):
    """Each fault as its cause and what follows from it, in the order in which they are told."""
    found = faults(view(), findings) if rules is None else faults(view(), findings, rules)
    return [(f.cause.key, sorted(each.key for each in f.follows)) for f in found]


def gone(*names, on=None):
    """A node that is offline, and the nodes of which that is told."""
    return told("node-offline", subject.node(on or names[0]), *names)


BOTH = ("app02", "app03")
CUT_OFF = (
    told("mesh-isolated", subject.drbd("r0"), *BOTH),
    told("quorum-lost", subject.cluster("partition"), *BOTH, state=State.CRITICAL),
)


def test_cause_explains_by_the_rule_behind_its_own_too():
    """Two rules in a row are about a node that a failure put in standby."""
    about = subject.node("app02")
    assert folded(
        told("node-standby-onfail", about, "app02"),
        told("here-not-ready", about, "app02"),
        told("fail-count", subject.resource("FS"), "app02"),
    ) == [("node-standby-onfail", ["fail-count", "here-not-ready"])]


def test_mesh_that_explains_a_lost_quorum_explains_the_copies_that_lack_too():
    """The rule by which it is a cause is the first of all, that of the copies stands far behind."""
    low = told("copies-low", subject.drbd("r0"), *BOTH)
    assert folded(*CUT_OFF, low) == [("mesh-isolated", ["copies-low", "quorum-lost"])]


def test_what_follows_explains_by_the_rule_by_which_it_follows():
    """A node that several miss takes one with it that others miss, and that one a third."""
    chain = (
        gone("app01", "app02"),
        gone("app02", "app03", on="app02"),
        gone("app03", on="app03"),
    )
    assert folded(*chain, rules=CLUSTER_RULES) == [
        ("node-offline", ["node-offline", "node-offline"])
    ]


def test_mesh_that_is_cut_off_with_the_quorum_is_told_once():
    """It follows from the quorum, by a node that the quorum lacks, and is no cause any more."""
    found = folded(
        *CUT_OFF,
        told("peer-unreachable", subject.node("app04"), "app04"),
        told("mesh-isolated", subject.drbd("r1"), "app04"),
        told("copies-none", subject.volume("r1", 0), "app04"),
    )
    assert found == [
        ("mesh-isolated", ["mesh-isolated", "peer-unreachable", "quorum-lost"]),
        ("copies-none", []),
    ]


def test_what_explained_nothing_when_it_was_asked_follows_from_nothing_later():
    """A disk that is disputed may be a cause itself: no connection of another resource is its."""
    disk = told("disk-disputed", subject.link("r0", "storage01", "storage02"), "storage01")
    end = told("connection-disputed", subject.link("r1", "storage01", "storage03"), "storage01")
    assert folded(disk, end, rules=CLUSTER_RULES) == [
        ("disk-disputed", []),
        ("connection-disputed", []),
    ]


def test_node_that_is_offline_is_not_its_own_connection():
    """What is about the node itself, and not about a resource of its name, has another cause."""
    assert folded(
        gone("app01"),
        told("here-not-ready", subject.node("app01"), "app01"),
        told("fencing-no-device", subject.cluster("fencing")),
    ) == [("node-offline", []), ("fencing-no-device", ["here-not-ready"])]


# -- tables ------------------------------------------------------------------------------------


def test_rule_of_a_table_holds_whoever_is_lost():
    """Only a rule that says so is left out where its nodes are known to be down."""
    table = (rule("copies-low", (Equal.NOTHING, "sync-target")),)
    low = told("copies-low", subject.drbd("r0"), "app02")
    syncs = told("sync-target", subject.volume("r0", 0), "app03")
    assert ("copies-low", ["sync-target"]) in folded(low, syncs, gone("app02"), rules=table)
    longer = more(*table)
    assert ("copies-low", ["sync-target"]) in folded(low, syncs, gone("app02"), rules=longer)


@pytest.mark.parametrize(("lost", "cause"), [((), "mesh-isolated"), (BOTH, "quorum-lost")])
@pytest.mark.parametrize("source", ["mesh-isolated", "sync-target"])
def test_longer_table_keeps_that_lost_nodes_are_not_cut_off(source, lost, cause):
    """Rules that stand before do not make a cause of a mesh that is left alone by lost nodes."""
    table = more(rule(source, (Equal.NOTHING, "behind")))
    found = folded(*CUT_OFF, *map(gone, lost), rules=table)
    assert [key for key, follows in found if follows] == [cause]


# -- what is told first ------------------------------------------------------------------------

CRITICAL = State.CRITICAL
UNCLEAN = told("node-unclean", subject.node("app03"), "app03", state=CRITICAL)


def disk(name, key="disk-failed", follows="copies-none", where="storage01"):
    """A disk, and what follows for its volume."""
    about = subject.volume(name, 0)
    return (
        told(key, about, where, state=CRITICAL),
        told(follows, about, where, state=CRITICAL),
    )


def first(*findings):
    return folded(*findings, rules=CLUSTER_RULES)[0]


@pytest.mark.parametrize("key", ["disk-failed", "disk-lost"])
def test_disk_that_leaves_no_copy_is_told_before_what_is_as_grave(key):
    assert first(UNCLEAN, *disk("r0", key)) == (key, ["copies-none"])


def test_disk_that_leaves_copies_is_told_in_its_turn():
    assert first(UNCLEAN, *disk("r0", follows="drbd-quorum-lost")) == ("node-unclean", [])


def test_mesh_that_leaves_no_copy_is_told_after_a_disk_that_does():
    """Nothing else helps before the disk is mended."""
    cut = told("mesh-isolated", subject.drbd("r1"), "storage03", state=CRITICAL)
    none = told("copies-none", subject.volume("r1", 0), "storage03", state=CRITICAL)
    assert first(cut, none, *disk("r0")) == ("disk-failed", ["copies-none"])


def test_service_that_is_nowhere_while_its_node_shuts_down_is_on_its_way():
    assert folded(
        told("node-shutdown", subject.node("app02"), "app02"),
        told("not-running", subject.resource("group1"), state=State.CRITICAL),
    ) == [("node-shutdown", ["not-running"])]
