"""How findings are folded into faults: tables of rules, chains, and what is told first."""

from __future__ import annotations

import pytest

from build import view
from check_mccluster.judge.causes import FAILED_STOP, Equal, more, rule
from check_mccluster.judge.cluster_causes import CLUSTER_RULES
from check_mccluster.judge.faults import faults
from check_mccluster.judge.one_fault import NOT_JOINED
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import Kind, State, finding


def told(key, about, *nodes, state=State.WARNING, text="it is so", **changes):
    one = finding(Kind(key, state, "a meaning", "a step"), about, text, nodes=nodes)
    return one._replace(**changes)


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
    """Two rules are about a node that a failure put in standby."""
    about = subject.node("app02")
    assert folded(
        told("node-standby-onfail", about, "app02"),
        told("here-not-ready", about, "app02"),
        told("fail-count", subject.resource("FS"), "app02"),
    ) == [("node-standby-onfail", ["fail-count", "here-not-ready"])]


def test_cause_explains_by_every_rule_behind_its_own():
    table = tuple(
        rule("disk-lost", (Equal.NOTHING, key)) for key in ("copies-low", "sync-target", "behind")
    )
    found = folded(
        *(told(key, subject.volume("r0", 0)) for key in ("disk-lost", "behind", "sync-target")),
        told("copies-low", subject.drbd("r0")),
        rules=table,
    )
    assert found == [("disk-lost", ["behind", "copies-low", "sync-target"])]


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


FENCE = subject.resource("fence")
FAILED = told("resource-failed", FENCE, "app01", text="fence failed on app01")


def test_fence_device_that_failed_and_is_down_is_one_fault():
    """That it explains no node and nothing by a reason does not make it a cause of its own."""
    assert folded(told("fence-device-down", FENCE), FAILED) == [
        ("fence-device-down", ["resource-failed"])
    ]


def test_fence_devices_that_are_down_explain_what_failed_of_them_alone():
    several = told("fence-device-down", FENCE, covers=("fence", "other"))
    service = told("resource-failed", subject.resource("FS"), "app01")
    assert folded(several, FAILED, service) == [
        ("fence-device-down", ["resource-failed"]),
        ("resource-failed", []),
    ]


@pytest.mark.parametrize(
    ("about", "where", "follows"),
    [
        (subject.volume("r0", 0), "storage01", True),
        (subject.volume("r0", 0), "storage02", False),
        (subject.volume("r0", 1), "storage01", False),
    ],
    ids=["that-disk", "another-node", "another-volume"],
)
def test_resync_that_is_paused_explains_the_old_disk_that_waits_for_it(about, where, follows):
    paused = told("sync-paused", subject.volume("r0", 0), "storage01")
    found = folded(paused, told("disk-outdated", about, where))
    assert (("sync-paused", ["disk-outdated"]) in found) is follows


# -- what keeps a service from its nodes -------------------------------------------------------

FS = subject.resource("FS")
STANDBY = told("node-standby", subject.node("app02"), "app02")
BAN = told("leftover-ban", FS, "app01")


def down(*besides, nodes=(), reason="ban", text="FS is stopped"):
    return told("resource-stopped", FS, *nodes, text=text, reason=reason, besides=besides)


BOTH_WAYS = (("ban", "app01", "FS"), ("standby", "app02", ""))


def ready(name, text, reason):
    return told("here-not-ready", subject.node(name), name, text=text, reason=reason)


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ((), ["node-standby", "resource-stopped"]),
        (
            (told("here-not-ready", subject.node("app02"), "app02"),),
            ["here-not-ready", "node-standby", "resource-stopped"],
        ),
    ],
    ids=["alone", "not-ready-there"],
)
def test_what_keeps_a_service_from_one_node_each_is_one_fault(more, fault):
    assert folded(down(*BOTH_WAYS, nodes=("app01",)), BAN, STANDBY, *more) == [
        ("leftover-ban", fault)
    ]


def test_two_outages_of_a_service_that_are_kept_from_one_node_each_are_one_fault():
    """Each exclusion explains one of them: the first of the two faults has both."""
    text = "FS: no instance is promoted"
    other = told("promoted-missing", FS, "app02", text=text, reason="standby", besides=BOTH_WAYS)
    assert folded(down(*BOTH_WAYS, nodes=("app01",)), other, BAN, STANDBY) == [
        ("leftover-ban", ["node-standby", "promoted-missing", "resource-stopped"])
    ]


def test_what_another_fault_took_takes_nothing_back():
    """Both are about nothing but the service: the second one would have the first, too."""
    besides = (("ban", "app01", "FS"), ("ban", "app02", "FS"))
    text = "FS: no instance is promoted"
    other = told("promoted-missing", FS, "app02", text=text, reason="ban", besides=besides)
    ban = told("leftover-ban", FS, "app02")
    assert folded(down(*besides, nodes=("app01",)), other, BAN, ban) == [
        ("leftover-ban", ["leftover-ban", "promoted-missing", "resource-stopped"])
    ]


def test_exclusion_that_explains_more_than_that_service_is_a_fault_of_its_own():
    web = told("clone-degraded", subject.resource("WEB"), "app02", reason="standby")
    assert folded(down(*BOTH_WAYS, nodes=("app01",)), BAN, STANDBY, web) == [
        ("leftover-ban", ["resource-stopped"]),
        ("node-standby", ["clone-degraded"]),
    ]


@pytest.mark.parametrize(
    ("other", "merged"),
    [
        (told("leftover-ban", FS, "app02"), True),
        (told("leftover-ban", subject.resource("NET"), "app02"), True),
        (told("leftover-ban", subject.resource("WEB"), "app02"), False),
        (told("leftover-ban", FS, "app03"), False),
        (told("node-standby", subject.node("app02"), "app02"), False),
    ],
    ids=["it", "what-it-stands-on", "another", "another-node", "another-reason"],
)
def test_exclusion_is_part_of_a_fault_where_it_is_a_reason_of_what_is_down(other, merged):
    besides = (("ban", "app01", "FS"), ("ban", "app02", "NET"))
    found = folded(down(*besides, nodes=("app01",)), BAN, other)
    assert found == (
        [("leftover-ban", ["leftover-ban", "resource-stopped"])]
        if merged
        else [("leftover-ban", ["resource-stopped"]), (other.key, [])]
    )


def test_lost_node_is_not_one_fault_with_what_keeps_a_service_from_another():
    besides = (("offline", "app01", ""), ("standby", "app02", ""))
    stopped = down(*besides, nodes=("app01",), reason="offline")
    assert folded(gone("app01"), stopped, STANDBY) == [
        ("node-offline", ["resource-stopped"]),
        ("node-standby", []),
    ]


def test_what_leaves_a_node_in_standby_is_told_with_that():
    moves = told("resource-transition", FS, "app02")
    assert folded(STANDBY, moves) == [("node-standby", ["resource-transition"])]


@pytest.mark.parametrize(
    ("name", "text", "reason", "follows"),
    [
        ("app01", "app01 is not ready to take FS", "ban", True),
        ("app02", "app02 is not ready to take FS", "ban", False),
        ("app01", "app01 is not ready to take FS", "barred", False),
        ("app01", "app01 is not ready to take WEB", "ban", False),
        ("app01", "app01 is not ready to take FS2", "ban", False),
    ],
    ids=["that-reason", "another-node", "another-reason", "another-service", "a-longer-name"],
)
def test_service_that_is_down_explains_a_node_that_cannot_take_it_for_one_of_its_reasons(
    name, text, reason, follows
):
    stopped = down(*BOTH_WAYS, reason="standby")
    found = folded(stopped, ready(name, text, reason))
    assert (("resource-stopped", ["here-not-ready"]) in found) is follows


# -- the same of several nodes -----------------------------------------------------------------


def of_nodes(key, *texts):
    """The same of app01, app02, ...; each with the rest of its text."""
    return [
        told(key, subject.node(f"app0{number}"), f"app0{number}", text=f"app0{number} {text}")
        for number, text in enumerate(texts, start=1)
    ]


def test_nodes_whose_pacemaker_was_stopped_are_one_fault_with_one_step():
    (one,) = faults(view(), of_nodes("node-offline", *[f"is offline; {NOT_JOINED}"] * 2))
    assert one.cause.object == "app01"
    assert one.cause.text == f"app01 is offline; {NOT_JOINED}; app02 too"
    assert one.cause.next_step.startswith("on app01, app02: systemctl status pacemaker; ")


@pytest.mark.parametrize(
    ("key", "texts", "count"),
    [
        ("node-offline", ["is offline", "is offline"], 2),
        ("node-standby", ["is in standby", "is in standby"], 1),
        ("node-standby", ["is in standby: by hand", "is in standby: until it starts anew"], 1),
        ("node-standby", ["is in standby: by hand", "is in standby for ever: by hand"], 2),
    ],
    ids=["offline", "the-same", "the-same-at-heart", "another"],
)
def test_what_befalls_several_nodes_alike_is_one_fault(key, texts, count):
    found = faults(view(), of_nodes(key, *texts))
    assert len(found) == count
    assert found[0].cause.next_step == "a step"


# -- tables ------------------------------------------------------------------------------------


@pytest.mark.parametrize("several", [False, True])
def test_stop_that_failed_explains_the_fencing_in_a_longer_table_too(several):
    """Its rule stands before that of the node that is to be fenced for it, and is no other one."""
    failed = told("resource-failed", FS, "app01")
    unclean = told("node-unclean", subject.node("app01"), "app01", reason="failed-stop",
                   text="app01 is to be fenced: FS could not be stopped")  # fmt: skip
    fails = told("fencing-failed", subject.node("app01"), "app01")
    longer = more(FAILED_STOP, rule("node-unclean", (Equal.NODE, "view-stale")))
    table = CLUSTER_RULES if several else longer
    assert folded(fails, unclean, failed, rules=table) == [
        ("resource-failed", ["fencing-failed", "node-unclean"])
    ]


def test_what_explained_nothing_in_a_longer_table_follows_from_nothing_later_either():
    table = more(
        rule("disk-disputed", (Equal.DRBD, "out-of-sync")),
        rule("connection-disputed", (Equal.NODE, "disk-disputed")),
    )
    disk = told("disk-disputed", subject.drbd("r0"), "storage01")
    end = told("connection-disputed", subject.drbd("r1"), "storage01")
    assert folded(disk, end, rules=table) == [("disk-disputed", []), ("connection-disputed", [])]


def test_one_fence_device_follows_from_its_own_cause_in_a_longer_table_too():
    """Only of several it is asked first what of them is down."""
    device = told("fence-device-down", FENCE, reason="disabled", text="fence is disabled")
    table = more(rule("behind", (Equal.NODE, "copies-low")))
    assert folded(device, told("resource-disabled", FENCE), rules=table) == [
        ("resource-disabled", ["fence-device-down"])
    ]


def test_rule_of_the_table_that_a_longer_one_has_first_explains_no_more_by_that():
    """What its source explains besides is asked in its turn."""
    unused = told("not-running", FENCE)
    assert folded(told("fence-device-down", FENCE), FAILED, unused, rules=more(FAILED_STOP)) == [
        ("fence-device-down", ["not-running", "resource-failed"])
    ]


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
