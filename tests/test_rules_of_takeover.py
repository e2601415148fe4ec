"""What keeps a service from a node by our own rules: each reason, and the step that ends it."""

from __future__ import annotations

import pytest

from build import (
    ban,
    bundle,
    cib,
    clone,
    cluster,
    drbd,
    failure,
    group,
    history,
    location,
    node,
    on_drbd,
    options,
    peer,
    primitive,
    replace,
    report,
    stopped,
    view,
)
from check_mccluster.inputs.cibadmin import CIB
from check_mccluster.inputs.crm_mon import CLUSTER
from check_mccluster.judge.outlook import Futures
from check_mccluster.judge.whatif import of_each_node
from check_mccluster.model.configuration import CibNode, Colocation, Configured, Member, Order
from check_mccluster.model.drbd import ConnectionState, DiskState
from check_mccluster.model.pacemaker import Filesystem, Operation, Role
from check_mccluster.model.simulation import Simulation, Simulations
from check_mccluster.verdict.finding import Report
from check_mccluster.verdict.view import Judgement

INFINITY = 1_000_000
KEPT = (ban("FS", "app03"), ban("group1", "app03"))
"""Only app02 is left after the loss of app01."""
NODES = {name: CibNode(name) for name in ("app01", "app02", "app03")}


FAILED = {"fail-count-FS#start_0": "INFINITY"}
SERVERS = tuple(peer(f"storage0{number}") for number in (1, 2, 3))


def only(name):
    return replace(location("FS", name, 100, f"only-{name}"), discovery="exclusive")


def known(**changes):
    return replace(cib(), **{"nodes": NODES, **changes})


def together(score=INFINITY, dependent=("FS", None), primary=("DB", None)):
    return (Colocation("with", Member(*dependent), Member(*primary), score),)


def reasons(*resources, **facts):
    """What speaks against app02 as the next of FS, in words; empty where it could take it."""
    configured = facts.pop("cib", None)
    facts = {"bans": KEPT, **facts}
    seen = view(cluster(resources=resources or (primitive(),), **facts), cib=configured)
    found = [
        (each.text, each.next_step)
        for each in report("failover", seen).findings
        if each.key == "no-candidate" and each.object in ("FS", "group1")
    ]
    if not found:
        return "", ""
    ((text, step),) = found
    words = text.partition("app02 ")[2].partition("; app03")[0]
    return words, step


def test_node_that_nothing_speaks_against():
    assert reasons() == ("", "")


def test_standby_after_a_failure_ends_with_the_failure():
    """It is no attribute that could be deleted: Pacemaker derives it from what failed."""
    failed = node("app02", standby=True, standby_onfail=True)
    assert reasons(nodes=(node(), failed, node("app03"))) == (
        "in standby after a failure",
        "once the failure is fixed: crm_resource --cleanup --node app02",
    )


# -- the resource itself -----------------------------------------------------------------------


UNMANAGED = (
    "cannot take FS, which is unmanaged on app01",
    "when the work is done: crm_resource -r FS --meta -d is-managed (pcs resource manage FS)",
)


@pytest.mark.parametrize(
    ("one", "facts", "why"),
    [
        (primitive(managed=False), {}, UNMANAGED),
        (primitive(managed=None), {}, ("", "")),
        (group(primitive(managed=False), primitive("IP")), {}, UNMANAGED),
        (primitive(managed=False, blocked=True), {}, ("", "")),
        # Unmanaged by its node's maintenance: that ends with the node.
        (
            primitive(managed=False),
            {"nodes": (node("app01", maintenance=True), node("app02"), node("app03"))},
            ("", ""),
        ),
        # Maintenance of another node is not its reason.
        (
            primitive(managed=False),
            {"nodes": (node("app01"), node("app02"), node("app03", maintenance=True))},
            (
                "cannot take FS, which is unmanaged on app01",
                "when the work is done: pcs node unmaintenance app03",
            ),
        ),
        (
            primitive(managed=False),
            {
                "nodes": (node("app01", maintenance=True), node("app02"), node("app03")),
                "cib": known(
                    resources={"FS": Configured("FS", "primitive", meta={"is-managed": "False"})}
                ),
            },
            UNMANAGED,
        ),
        # The attribute is the group's: of FS there is nothing to delete.
        (
            group(primitive(managed=False), primitive("IP", managed=False), managed=False),
            {
                "cib": known(
                    resources={
                        "FS": Configured("FS", "primitive", "group1"),
                        "group1": Configured("group1", "group", meta={"is-managed": "false"}),
                    }
                )
            },
            (UNMANAGED[0], UNMANAGED[1].replace("FS", "group1")),
        ),
        (
            primitive(managed=False),
            {
                "nodes": (node("app01", maintenance=True), node("app02"), node("app03")),
                "cib": known(
                    resources={"FS": Configured("FS", "primitive", meta={"is-managed": "true"})}
                ),
            },
            ("", ""),
        ),
    ],
)
def test_what_nobody_manages(one, facts, why):
    assert reasons(one, **facts) == why


def ran(*results):
    return tuple(Operation("start", rc, None, 0) for rc in results)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (0, ""),
        (1, ""),
        (2, "FS has parameters that are invalid there"),
        (3, ""),
        (4, "FS lacks permissions there"),
        (5, "FS has no agent or program there (ocf:pacemaker:Dummy)"),
        (6, "FS is configured wrongly, said its agent on app02"),
        (7, ""),
    ],
)
@pytest.mark.parametrize("by", ["history", "failure"])
def test_result_after_which_it_is_not_tried_again(result, words, by):
    facts = (
        {"failures": (failure("FS", "app02", exit_code=result),)}
        if by == "failure"
        else {"history": (history("FS", "app02", 0, operations=ran(0, result)),)}
    )
    against, step = reasons(**facts)
    assert against == words
    assert step.startswith("on app02: ") is bool(words)
    assert step.endswith("then: crm_resource --cleanup -r FS -N app02") is bool(words)


@pytest.mark.parametrize("elsewhere", [("FS", "app01"), ("FS", "app03"), ("IP", "app02")])
def test_result_on_another_node_or_of_another_resource(elsewhere):
    assert reasons(failures=(failure(*elsewhere, exit_code=5),)) == ("", "")


@pytest.mark.parametrize(
    ("meta", "marks", "count"),
    [
        ({}, {"fail-count-FS": "INFINITY"}, "INFINITY"),
        ({}, {"fail-count-FS": "999999"}, None),
        ({}, {"fail-count-IP": "INFINITY"}, None),
        ({}, {"last-failure-FS": "1000000"}, None),
        ({"migration-threshold": "3"}, {"fail-count-FS": "3"}, "3"),
        ({"migration-threshold": "3"}, {"fail-count-FS": "2"}, None),
        ({"migration-threshold": "0"}, {"fail-count-FS": "INFINITY"}, None),
        # Since 1.1.17 they are counted by operation.
        (
            {"migration-threshold": "3"},
            {"fail-count-FS#start_0": "1", "fail-count-FS#monitor_10000": "2"},
            "3",
        ),
        ({"migration-threshold": "3"}, {"fail-count-FS#start_0": "2"}, None),
        # They may be forgotten at any time.
        ({"failure-timeout": "60s"}, {"fail-count-FS": "INFINITY"}, None),
    ],
)
def test_fail_count_that_crm_mon_does_not_show(meta, marks, count):
    nodes = {**NODES, "app02": CibNode("app02", transient=marks)}
    resources = {"FS": Configured("FS", "primitive", meta=meta)}
    why = reasons(cib=known(nodes=nodes, resources=resources))
    if count is None:
        assert why == ("", "")
    else:
        step = "crm_resource --cleanup -r FS -N app02"
        assert why == (f"FS barred by fail-count {count}", step)


@pytest.mark.parametrize("on", ["app02", "app03"])
def test_fail_count_of_a_node_counts_whatever_crm_mon_shows_of_another(on):
    transient = {"fail-count-FS#start_0": "INFINITY"}
    nodes = {**NODES, "app02": CibNode("app02", transient=transient)}
    past = (history("FS", on, 1),)
    told = reasons(cib=known(nodes=nodes), history=past)[0]
    assert told == ("FS barred by fail-count INFINITY" if on == "app03" else "")


def test_fail_count_that_crm_mon_shows_is_told_once():
    marks = {"fail-count-FS#start_0": "INFINITY"}
    configured = known(nodes={**NODES, "app02": CibNode("app02", transient=marks)})
    past = (history("FS", "app02", INFINITY),)
    assert reasons(cib=configured, history=past)[0] == "FS barred by fail-count INFINITY"


# -- room --------------------------------------------------------------------------------------


def sized(strategy, *, needs=4096, room=8192, other=0):
    resources = {
        "FS": Configured("FS", "primitive", utilization={"memory": needs}),
        "DB": Configured("DB", "primitive", utilization={"memory": other}),
    }
    nodes = {**NODES, "app02": CibNode("app02", utilization={"memory": room})}
    properties = {} if strategy is None else {"placement-strategy": strategy}
    return known(resources=resources, nodes=nodes, properties=properties)


SHORT = "has {} of the 4096 memory that FS takes"


@pytest.mark.parametrize(
    ("strategy", "sizes", "words"),
    [
        (None, {"room": 1024}, ""),
        ("default", {"room": 1024}, ""),
        ("utilization", {"room": 1024}, SHORT.format(1024)),
        ("balanced", {"room": 4095}, SHORT.format(4095)),
        ("balanced", {"room": 4096}, ""),
        ("balanced", {"room": 8192, "other": 4096}, ""),
        ("balanced", {"room": 8192, "other": 4097}, SHORT.format(4095)),
        ("balanced", {"room": 8192, "other": 9000}, SHORT.format(0)),
        ("balanced", {"room": 0}, SHORT.format(0)),
    ],
)
def test_room_counts_where_the_placement_strategy_asks_for_it(strategy, sizes, words):
    why, step = reasons(primitive(), primitive("DB", "app02"), cib=sized(strategy, **sizes))
    assert why == words
    assert ("pcs resource utilization FS memory=AMOUNT" in step) is bool(words)


def test_node_without_a_size_has_no_room():
    resources = {
        name: Configured(name, "primitive", utilization={"memory": amount})
        for name, amount in (("FS", 1), ("DB", 0))
    }
    found = known(resources=resources, properties={"placement-strategy": "balanced"})
    words = "has 0 of the 1 memory that FS takes"
    assert reasons(cib=found)[0] == words
    assert reasons(primitive(), primitive("DB", "app02"), cib=found)[0] == words


def test_what_does_not_run_takes_no_room():
    configured = sized("balanced", other=9000)
    assert reasons(primitive(), stopped("DB"), cib=configured) == ("", "")


def test_what_the_cib_does_not_know_takes_no_room():
    running = (primitive(), primitive("XX", "app02"))
    assert reasons(*running, cib=sized("balanced", room=4096))[0] == ""


def test_members_of_a_group_need_room_together():
    one = group(primitive(), primitive("DB"))
    why, step = reasons(one, cib=sized("balanced", other=4097))
    assert why == "has 8192 of the 8193 memory that group1 takes"
    assert "utilization FS memory" in step


# -- colocations -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "db", "words"),
    [
        (-INFINITY, "app02", "DB runs there, with which it must not (with)"),
        (-INFINITY + 1, "app02", ""),
        (-INFINITY, "app03", ""),
        # What runs on a lost node runs there no more.
        (-INFINITY, "app01", ""),
        (INFINITY, "app02", ""),
        (INFINITY, "app03", "DB runs on app03 (with)"),
        (INFINITY - 1, "app03", ""),
        (INFINITY, "app01", ""),
        (0, "app03", ""),
    ],
)
def test_where_that_runs_with_which_it_must_or_must_not(score, db, words):
    why, _ = reasons(primitive(), primitive("DB", db), cib=known(colocations=together(score)))
    assert why == words


def test_that_with_which_it_must_run_is_disabled():
    configured = known(colocations=together())
    why = reasons(primitive(), stopped("DB", target_role="Stopped"), cib=configured)
    assert why == (
        "DB is disabled",
        "when the work is done: crm_resource -r DB --meta -d target-role (pcs resource enable DB)",
    )


def test_that_with_which_it_must_run_cannot_run_there():
    past = (history("DB", "app02", INFINITY),)
    configured = known(colocations=together())
    why = reasons(primitive(), stopped("DB"), cib=configured, history=past)
    step = "crm_resource --cleanup -r DB -N app02"
    assert why == ("DB barred by fail-count INFINITY", step)


def test_reason_of_another_names_it():
    away = (*KEPT, ban("DB", "app02", "keep-out"))
    configured = known(colocations=together())
    why, _ = reasons(primitive(), stopped("DB"), cib=configured, bans=away)
    assert why == "DB banned by keep-out"


def test_constraint_within_a_group():
    one = group(primitive(), primitive("DB"))
    assert reasons(one, cib=known(colocations=together(-INFINITY))) == ("", "")


def test_constraint_with_what_is_not_there():
    configured = known(colocations=together(primary=("XX", None)))
    assert reasons(cib=configured) == ("", "")


def test_constraints_in_a_circle_end():
    both = (*together(), *together(dependent=("DB", None), primary=("FS", None)))
    why = reasons(primitive(), primitive("DB"), cib=known(colocations=both))
    assert why == ("", "")


def copies(*roles, **changes):
    on = ("app01", "app02", "app03")
    instances = [
        stopped("fs") if role is None else primitive("fs", name, role)
        for name, role in zip(on, roles)
    ]
    return clone(*instances, name="fs-clone", promotable=True, **changes)


PROMOTED, UNPROMOTED = Role.PROMOTED, Role.UNPROMOTED
WITH_PROMOTED = together(primary=("fs-clone", "Promoted"))


def most(count=None, old=None):
    meta = {} if count is None else {"master-max" if old else "promoted-max": count}
    return {"fs-clone": Configured("fs-clone", "clone", meta=meta)}


@pytest.mark.parametrize(
    ("roles", "resources", "words"),
    [
        ((PROMOTED, UNPROMOTED, UNPROMOTED), {}, ""),
        ((UNPROMOTED, PROMOTED, UNPROMOTED), {}, ""),
        ((UNPROMOTED, UNPROMOTED, PROMOTED), {}, "fs-clone is promoted on app03 (with)"),
        ((UNPROMOTED, UNPROMOTED, PROMOTED), most("2"), ""),
        ((UNPROMOTED, UNPROMOTED, PROMOTED), most("2", old=True), ""),
        (
            (UNPROMOTED, UNPROMOTED, PROMOTED),
            most("many"),
            "fs-clone is promoted on app03 (with)",
        ),
        ((UNPROMOTED, UNPROMOTED, PROMOTED), most("0"), "fs-clone is promoted on app03 (with)"),
        (
            (UNPROMOTED, UNPROMOTED, PROMOTED),
            most("\u00b2"),  # a digit, and no number
            "fs-clone is promoted on app03 (with)",
        ),
    ],
)
def test_where_that_is_promoted_with_which_it_must_run(roles, resources, words):
    configured = known(colocations=WITH_PROMOTED, resources=resources)
    assert reasons(primitive(), copies(*roles), cib=configured)[0] == words


@pytest.mark.parametrize("role", ["Started", None])
def test_clone_that_runs_elsewhere_can_run_there_too(role):
    configured = known(colocations=together(primary=("fs-clone", role)))
    one = copies(UNPROMOTED, None, UNPROMOTED)
    assert reasons(primitive(), one, cib=configured) == ("", "")


def test_bundle_that_does_not_run_there_is_left_to_the_scheduler():
    configured = known(colocations=together(primary=("web", None)))
    one = bundle([primitive("in", "app03")])
    assert reasons(primitive(), one, cib=configured) == ("", "")


@pytest.mark.parametrize(("role", "words"), [(None, "DB runs on app03 (with)"), ("Promoted", "")])
def test_constraint_of_the_promoted_part_alone(role, words):
    configured = known(colocations=together(dependent=("FS", role)))
    assert reasons(primitive(), primitive("DB", "app03"), cib=configured)[0] == words


# -- orders ------------------------------------------------------------------------------------


def first(action="start", *, name="DB", mandatory=True):
    return (Order("o", name, action, "FS", "start", mandatory),)


NOWHERE = tuple(ban("DB", name, f"no-{name}") for name in ("app01", "app02", "app03"))


@pytest.mark.parametrize(
    ("orders", "db", "bans", "words"),
    [
        (first(), primitive("DB", "app03"), NOWHERE, ""),
        (first(), stopped("DB"), (), ""),
        (first(), stopped("DB"), NOWHERE[:2], ""),
        (
            first(),
            stopped("DB"),
            NOWHERE,
            "no node could start DB, which must be there first: app02 banned by no-app02",
        ),
        # It ran on the lost node.
        (
            first(),
            primitive("DB"),
            NOWHERE,
            "no node could start DB, which must be there first: app02 banned by no-app02",
        ),
        (first(mandatory=False), stopped("DB"), NOWHERE, ""),
        (first("stop"), stopped("DB"), NOWHERE, ""),
        (first(name="FS"), stopped("DB"), NOWHERE, ""),
        (first(name="XX"), stopped("DB"), NOWHERE, ""),
        (
            first(),
            stopped("DB", target_role="Stopped"),
            (),
            "DB, which must be there first, is disabled",
        ),
    ],
)
def test_what_must_be_there_first(orders, db, bans, words):
    why, step = reasons(primitive(), db, cib=known(orders=orders), bans=(*KEPT, *bans))
    assert why == words
    assert ("pcs resource enable DB" in step) is ("disabled" in words)


def test_what_must_be_promoted_first():
    barred = tuple(
        ban("fs-clone", name, f"no-{name}", promoted_only=True) for name in ("app02", "app03")
    )
    configured = known(orders=first("promote", name="fs-clone"))
    one = copies(PROMOTED, UNPROMOTED, UNPROMOTED)
    why, _ = reasons(primitive(), one, cib=configured, bans=(*KEPT, *barred))
    assert why.startswith("no node could promote fs-clone, which must be there first: app02 ")
    assert reasons(primitive(), one, cib=configured) == ("", "")


def test_order_with_a_bundle_is_left_to_the_scheduler():
    one = bundle([stopped("in")])
    assert reasons(primitive(), one, cib=known(orders=first(name="web"))) == ("", "")


def test_order_and_colocation_with_the_same_are_told_once():
    configured = known(orders=first(), colocations=together())
    why, _ = reasons(primitive(), stopped("DB"), cib=configured, bans=(*KEPT, *NOWHERE))
    assert why == "DB banned by no-app02"


# -- many alike --------------------------------------------------------------------------------


def test_services_that_no_rule_names_are_judged_by_themselves():
    """One of two is barred on app02: what is true of one is not told of the other."""
    past = (history("FS", "app02", INFINITY),)
    bans = (*KEPT, ban("IP", "app03"))
    one, other = primitive(), primitive("IP")
    for resources in ((one, other), (other, one)):
        seen = view(cluster(resources=resources, bans=bans, history=past))
        found = report("failover", seen).findings
        assert [each.object for each in found if each.key == "no-candidate"] == ["FS"]


def test_location_of_a_pattern_names_every_service():
    place = replace(location(None, None, -INFINITY), pattern="^F", node="app02")
    configured = known(locations=(place,))
    seen = view(cluster(resources=(primitive("IP"), primitive()), bans=KEPT), cib=configured)
    assert [f.object for f in report("failover", seen).findings if f.key == "no-candidate"] == []


def test_pattern_that_keeps_some_services_to_one_node_is_not_for_the_others():
    place = replace(only("app03"), resource=None, pattern="^F")
    seen = view(cluster(resources=(primitive("IP"), primitive())), cib=known(locations=(place,)))
    looked = report("failover", seen).looked_at
    assert "candidate for FS: not app02: only-app03 keeps FS to app03" in looked
    assert "candidate for IP: app02" in looked


def test_opt_in_cluster_judges_every_service_by_itself():
    places = (location("FS", "app01", 1), location("IP", "app01", 1), location("IP", "app02", 1))
    seen = view(
        cluster(resources=(primitive("IP"), primitive()), options=options(symmetric=False)),
        cib=known(locations=places),
    )
    summary = report("failover", seen).summary
    assert summary.startswith("1 resource has a node to go to, 1 with one node by design")


@pytest.mark.parametrize(
    ("one", "facts", "words"),
    [
        (primitive(managed=False), {}, UNMANAGED[0]),
        (group(primitive(managed=False), name="FS-group"), {}, UNMANAGED[0]),
        (primitive(), {"cib": sized("balanced", room=1)}, SHORT.format(1)),
        (primitive(), {"cib": known(locations=(only("app03"),))}, "only-app03 keeps FS to app03"),
        (
            primitive(),
            {"cib": known(nodes={**NODES, "app02": CibNode("app02", transient=FAILED)})},
            "FS barred by fail-count INFINITY",
        ),
        (
            primitive(),
            {"failures": (failure("FS", "app02", exit_code=5),)},
            "FS has no agent or program there (ocf:pacemaker:Dummy)",
        ),
    ],
)
def test_service_that_one_rule_names_is_not_judged_like_the_others(one, facts, words):
    """Beside it stands one that nothing speaks against."""
    configured = facts.get("cib")
    more = {name: each for name, each in facts.items() if name != "cib"}
    seen = view(cluster(resources=(primitive("IP"), one), **more), cib=configured)
    looked = report("failover", seen).looked_at
    assert f"candidate for {one.id}: not app02: {words}" in looked
    assert "candidate for IP: app02" in looked


def test_two_services_on_drbd_are_judged_each_by_its_own_resource():
    """Of the second one app02 is cut off."""
    filesystems = (Filesystem("FS", "/dev/drbd/by-res/r0/0", "/srv"),)
    filesystems += (Filesystem("DB", "/dev/drbd/by-res/r1/0", "/db"),)
    away = drbd(*SERVERS, peer("app02", state=ConnectionState.CONNECTING), name="r1")
    seen = view(
        cluster(resources=(primitive(), primitive("DB"))),
        cib=replace(cib(filesystems=filesystems), nodes=NODES),
        drbd=(drbd(*SERVERS, peer("app02")), away),
    )
    looked = report("failover", seen).looked_at
    assert "candidate for FS: app02" in looked
    assert "candidate for DB: not app02: r1 is not connected to it" in looked


def test_whose_word_it_is():
    answer = Simulations(
        {("app01",): Simulation(("app01",), (), {"FS": {"app02": Role.STARTED}}, {})}, {}
    )
    known_ = cluster(resources=(primitive(), stopped("IP")))
    looked = report("failover", view(known_, simulations=answer)).looked_at
    assert "FS judged by Pacemaker's scheduler" in looked
    assert not any(line.startswith("IP judged") for line in looked)
    looked = report("failover", view(known_)).looked_at
    assert "FS judged without Pacemaker's scheduler" in looked


@pytest.mark.parametrize(
    ("promotable", "word"), [(True, "cannot promote fs-clone: it is unmanaged"), (False, None)]
)
def test_clone_that_nobody_manages_is_promoted_nowhere_else(promotable, word):
    instances = tuple(
        primitive("fs", name, PROMOTED if name == "app01" else UNPROMOTED, managed=False)
        for name in ("app01", "app02", "app03")
    )
    one = clone(*instances, name="fs-clone", promotable=promotable)
    looked = list(report("failover", view(cluster(resources=(one,)))).looked_at)
    told = [line for line in looked if line.startswith("candidate for fs-clone: not app02")]
    assert told == ([f"candidate for fs-clone: not app02: {word}"] if word else [])


def test_what_runs_with_an_unmanaged_clone_can_go_where_an_instance_runs():
    """Nobody stops or starts the instances: one is there already."""
    ping = clone(*(primitive("ping", name, managed=False) for name in ("app01", "app03")))
    configured = known(colocations=together(primary=("ping-clone", None)))
    assert reasons(primitive(), ping, cib=configured)[0] == ""


def test_opt_in_cluster_without_its_constraints_is_judged_by_what_is_seen():
    seen = view(cluster(resources=(primitive(),), options=options(symmetric=False)))
    assert "candidate for FS: app02" in report("failover", seen).looked_at


def test_service_that_is_disabled_neither_moves_nor_ends():
    """Nor does one that runs nowhere."""
    resources = (primitive(), primitive("IP", target_role="Stopped"), stopped("DB"))
    one = view(cluster(resources=resources))
    found = of_each_node([Judgement(one, Report())])
    by_loss = {each.lost: [fate.service for fate in each.fates] for each in found.losses}
    assert by_loss == {("app01",): ["FS"], ("app02",): [], ("app03",): []}


def test_group_with_which_it_must_run():
    other = group(primitive("DB", "app03"), primitive("IP", "app03"), name="g2")
    configured = known(colocations=together(primary=("g2", None)))
    assert reasons(primitive(), other, cib=configured)[0] == "g2 runs on app03 (with)"


def test_two_clones_are_judged_each_by_its_own_scores():
    """On app02 the second one is not to be promoted."""

    def instances(name):
        roles = zip(NODES, (PROMOTED, UNPROMOTED, UNPROMOTED))
        each = (primitive(name, on, role) for on, role in roles)
        return clone(*each, name=f"{name}-clone", promotable=True)

    scores = {"app01": ("9", "9"), "app02": ("9", "-9"), "app03": ("9", "9")}
    nodes = {
        name: CibNode(name, transient={"master-fs": one, "master-db": other})
        for name, (one, other) in scores.items()
    }
    seen = view(cluster(resources=(instances("fs"), instances("db"))), cib=known(nodes=nodes))
    looked = list(report("failover", seen).looked_at)
    assert "candidate for fs-clone: app02" in looked
    text = "cannot promote db-clone: its promotion score there is -9"
    assert f"candidate for db-clone: not app02: {text}" in looked


def test_data_is_no_matter_where_the_scheduler_would_not_run_it_anyway():
    old = [peer(each.name, disk=DiskState.OUTDATED) for each in SERVERS]
    answer = Simulations({("app01",): Simulation(("app01",), (), {"FS": {}}, {})}, {})
    seen = {"cib": replace(on_drbd(), nodes=NODES), "drbd": (drbd(*old, peer("app02")),)}
    known_ = cluster(resources=(primitive(),), bans=KEPT)
    asked, alone = (view(known_, simulations=each, **seen) for each in (answer, None))
    said = {
        each: next(f.text for f in report("failover", each).findings if f.key == "no-candidate")
        for each in (asked, alone)
    }
    assert "would not get it from Pacemaker's scheduler" in said[asked]
    assert "r0/0 has no UpToDate copy left" not in said[asked]
    assert "r0/0 has no UpToDate copy left" in said[alone]


def test_loss_of_a_node_that_runs_no_services_is_not_asked_about():
    nodes = (*map(node, ("app01", "app02")), node("gw", type="ping"), node("app03", online=False))
    whole = of_each_node([Judgement(view(cluster(nodes, (primitive(),))), Report())])
    assert whole is not None
    assert sorted(each.lost for each in whole.losses) == [("app01",), ("app02",)]


@pytest.mark.parametrize(("role", "candidates"), [(PROMOTED, ("app02",)), (UNPROMOTED, ())])
def test_scheduler_has_to_promote_a_clone_somewhere(role, candidates):
    one = copies(PROMOTED, UNPROMOTED)
    answer = Simulations({("app01",): Simulation(("app01",), (), {"fs": {"app02": role}}, {})}, {})
    main = view(cluster(map(node, ("app01", "app02")), (one,)), simulations=answer)
    futures = Futures(main, main[CLUSTER].value, None, answer)
    assert futures.of(one).candidates == candidates


@pytest.mark.parametrize("connected", [0, 1])
def test_of_several_nodes_the_one_that_is_connected_is_heard_about_a_peer(connected):
    """app02 was not asked; one of two storage servers does not reach it."""
    states = [ConnectionState.CONNECTING, ConnectionState.CONNECTING]
    states[connected] = ConnectionState.CONNECTED
    servers = [drbd(peer("app02", state=state), disk=DiskState.UP_TO_DATE) for state in states]
    views = [
        view(here=f"storage0{number}", drbd=(one,), cluster=None)
        for number, one in enumerate(servers, start=1)
    ]
    main = view(cluster(resources=(primitive(),), bans=KEPT), cib=on_drbd(), drbd=None)
    futures = Futures(main, main[CLUSTER].value, main[CIB].value, None, others=views)
    assert futures.of(primitive()).candidates == ("app02",)


def test_promotable_clone_of_which_no_instance_is_listed():
    nodes = {name: CibNode(name, transient={"master-fs": "9"}) for name in NODES}
    empty = clone(group(name="fs:0"), name="fs-clone", promotable=True)
    found = report("failover", view(cluster(resources=(empty,)), cib=known(nodes=nodes))).findings
    assert not [each for each in found if "promotion score" in each.text]
