"""States that are rare and lines that are drawn finely: constructed for what no other test sees."""

from __future__ import annotations

import pytest

from build import (
    NAMES,
    NOW,
    ban,
    bundle,
    cib,
    clone,
    cluster,
    cmap,
    drbd,
    group,
    link,
    links,
    location,
    node,
    on_drbd,
    options,
    peer,
    primitive,
    replace,
    report,
    said,
    stopped,
    view,
    view_of,
    votes,
)
from build_drbd import (
    away,
    connection,
    device,
    peer_device,
    resource,
    shown,
    shown_connection,
)
from check_mccluster.inputs.cibadmin import CIB
from check_mccluster.inputs.crm_mon import CLUSTER
from check_mccluster.inputs.drbdsetup import DRBD
from check_mccluster.judge import active, engine
from check_mccluster.judge.essence import essence
from check_mccluster.judge.facts.happened import happened
from check_mccluster.judge.facts.mapping import below, pairs
from check_mccluster.judge.futures import together
from check_mccluster.judge.outlook import Futures, services
from check_mccluster.judge.partitions import doing, partitions
from check_mccluster.judge.picture import picture
from check_mccluster.judge.topology import learn
from check_mccluster.judge.whatif import of_each_node
from check_mccluster.model.config import Config, DrbdRule, PlacementRule
from check_mccluster.model.configuration import (
    CibNode,
    Colocation,
    Configured,
    DateExpression,
    Expression,
    Member,
    Order,
    PendingOperation,
    Rule,
)
from check_mccluster.model.corosync import ConfiguredNode, Voter
from check_mccluster.model.drbd import ConnectionState, DiskState
from check_mccluster.model.drbd import Role as DrbdRole
from check_mccluster.model.pacemaker import Filesystem, NodeAttribute, Role
from check_mccluster.model.simulation import Simulation, Simulations
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import Report, finding
from check_mccluster.verdict.problems import OUTPUT_INVALID
from check_mccluster.verdict.view import Answer, Asked, Judgement, View

INFINITY = 1_000_000


def texts(judged, key):
    return [each.text for each in judged.findings if each.key == key]


def steps(judged, key):
    return [each.next_step for each in judged.findings if each.key == key]


def configured(*resources, **changes):
    """A CIB with these resources and the nodes of the cluster."""
    facts = {
        "resources": {each.id: each for each in resources},
        "nodes": {name: CibNode(name) for name in NAMES},
        **changes,
    }
    return replace(cib(), **facts)


def managed(drbd_name="r0", name="DRBD"):
    """A primitive that manages a DRBD resource, in its clone."""
    return (
        Configured(
            name,
            "primitive",
            parent=f"{name}-clone",
            agent="ocf:linbit:drbd",
            parameters={"drbd_resource": drbd_name},
        ),
        Configured(f"{name}-clone", "clone", members=(name,), meta={"promotable": "true"}),
    )


def promotable(*instances, name="DRBD-clone", **changes):
    return clone(*instances, name=name, promotable=True, **changes)


def with_promoted(dependent, name="DRBD-clone"):
    """*dependent* must run where the clone is promoted."""
    return Colocation(
        f"{dependent}-with-{name}", Member(dependent), Member(name, "Promoted"), INFINITY
    )


# -- active ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({}, ""),
        ({"quorate": False}, ": this partition has no quorum"),
        ({"dc": None}, ""),
    ],
)
def test_service_that_is_active_nowhere_for_want_of_a_quorum(facts, why):
    asked = Asked(values={"group": "FS", "promoted": False})
    seen = view(cluster(resources=(stopped(),), **facts))
    judged = engine.report(active.CHECK, seen, asked)
    assert texts(judged, "not-running") == [f"FS runs nowhere{why}"]


# -- what another tool says ----------------------------------------------------------------------


def kept_stopped(*instances, **facts):
    """The connection to app03 that is down, where DRBD's clone has these instances."""
    known = cluster(resources=(promotable(*instances),), **facts)
    seen = view(
        known,
        cib=configured(*managed()),
        drbd=(drbd(peer("app03", state=ConnectionState.CONNECTING), peer("storage01")),),
    )
    judged = report("overview", seen)
    return texts(judged, "peer-connecting"), steps(judged, "peer-connecting")


LEFT = {"bans": (ban("DRBD-clone", "app03", "cli-ban-DRBD-clone-on-app03"),)}
PROMOTED = primitive("DRBD", "app01", Role.PROMOTED)


def test_peer_whose_drbd_pacemaker_keeps_stopped_is_brought_back_by_what_ends_that():
    (text,), (step,) = kept_stopped(PROMOTED, stopped("DRBD"), **LEFT)
    assert "; Pacemaker keeps DRBD stopped there (app03: banned by cli-ban-" in text
    assert step == "crm_resource --clear -r DRBD-clone -N app03"


def test_peer_whose_drbd_still_runs_is_not_said_to_be_kept_stopped():
    """A ban was left, and Pacemaker has not acted on it."""
    (text,), _ = kept_stopped(PROMOTED, primitive("DRBD", "app03", Role.UNPROMOTED), **LEFT)
    assert text.endswith("; the cluster stack of app03 runs, the port or link of DRBD does not")


# -- candidates ----------------------------------------------------------------------------------


def ruled_out(*attributes):
    """How a rule about ``pingd`` ends that keeps FS from every node."""
    rule = Rule("r", -INFINITY, None, None, False, (Expression("pingd", "lt", "1"),))
    where = replace(location("FS", None, None, "need-net"), rules=(rule,))
    bans = tuple(ban("FS", name, "r") for name in NAMES)
    known = cluster(resources=(stopped(),), bans=bans, attributes=attributes)
    own = configured(Configured("FS", "primitive"), locations=(where,))
    (step,) = steps(report("resources", view(known, cib=own)), "resource-stopped")
    return step


@pytest.mark.parametrize(
    ("attributes", "network"),
    [
        ((NodeAttribute("app02", "pingd", "0", 100),), True),
        ((NodeAttribute("app09", "pingd", "0", 100),), False),
        ((NodeAttribute("app02", "pingd", "0", None),), False),
        ((NodeAttribute("app02", "#health-disk", "green", None),), False),
    ],
)
def test_rule_about_an_attribute_of_the_ping_resource_is_about_the_network(attributes, network):
    """Where its own node has the attribute, and an agent of ping said what to expect."""
    step = ruled_out(*attributes)
    assert step.startswith("on app02: ip -br link" if network else "attrd_updater -Q -A -n pingd")


# -- bundles, groups, clones ---------------------------------------------------------------------


def test_bundle_that_starts_is_told_as_a_whole():
    """The member that is to start is not told once more; nor is its own reason asked."""
    one = bundle([primitive("web-podman-0", "app01", agent="ocf:heartbeat:podman"), stopped("in")])
    pending = (PendingOperation("in", "app01", "start", 0),)
    seen = view(
        cluster(resources=(one,)), cib=configured(Configured("web", "bundle"), pending=pending)
    )
    assert [(key, text) for key, _, text in said(report("resources", seen))] == [
        ("resource-stopped", "in (web) is stopped"),
        ("resource-transition", "web: an instance is starting on app01"),
    ]


def test_group_that_is_disabled_is_so_whatever_is_known_of_a_member():
    parts = (stopped("FS"), primitive("IP", None, Role.UNKNOWN))
    judged = report("resources", view(cluster(resources=(group(*parts, disabled=True),))))
    assert [(key, text) for key, _, text in said(judged)] == [
        ("resource-disabled", "group1 is disabled, 2 members stopped")
    ]


def test_primitive_that_is_unmanaged_is_told():
    judged = report("resources", view(cluster(resources=(primitive(managed=False),))))
    assert texts(judged, "resource-unmanaged") == ["FS is unmanaged on app01"]


# -- the engine ----------------------------------------------------------------------------------


def compared(*patterns, **answers):
    """What ``consistency`` says of a service on its DRBD resource, asked about *patterns*."""
    facts = {"cib": on_drbd(), "drbd": (drbd(),), **answers}
    seen = view(cluster(resources=(primitive(),)), **facts)
    return [each[:3:2] for each in said(report("consistency", seen, patterns=patterns))]


NEITHER = ("resource-missing", "X is neither a resource of the cluster nor one of DRBD")
UNREAD = Answer(None, (finding(OUTPUT_INVALID, subject.tool("cibadmin"), "cibadmin: cut"),))


@pytest.mark.parametrize(
    ("patterns", "answers", "found"),
    [
        (("FS",), {}, []),
        (("FS", "r0"), {}, []),
        (("FS", "X"), {}, [NEITHER]),
        (("FS", "X"), {"drbd": None}, []),
        (("X*",), {"cib": UNREAD}, [("resources-none", "no resource matches X*")]),
        (("F*",), {"cib": UNREAD}, []),
        (("X",), {"cib": UNREAD}, [NEITHER]),
    ],
)
def test_name_that_neither_pacemaker_nor_drbd_knows(patterns, answers, found):
    """Told where both could be asked, and the check itself has not told it."""
    judged = [each for each in compared(*patterns, **answers) if each[0] != "output-invalid"]
    assert judged == found


def test_name_of_another_tool_is_told_by_no_check_of_drbd_alone():
    seen = view(cluster(resources=(primitive(),)), drbd=(drbd(),))
    assert "resource-missing" not in [
        key for key, *_ in said(report("drbd-role", seen, patterns=("r0", "X")))
    ]


def test_contradiction_of_two_tools_is_told_once_of_one_node():
    """The check of the whole cluster has it from the checks of the node, in the node's words."""
    seen = view(votes=votes(), links=links(link(2)))
    contradicted = texts(report("cluster", seen), "output-invalid")
    assert contradicted == [
        "corosync-cfgtool: no line for app03, online in crm_mon",
    ]


# -- what is most worth knowing ------------------------------------------------------------------


def essential(*seen):
    judged = [Judgement(one, Report()) for one in seen]
    return essence(judged, partitions(judged))


def test_some_of_several_services_have_a_node_to_go_to():
    """A service that has one node by a rule is not counted."""
    resources = tuple(primitive(name) for name in ("A", "B", "C", "P"))
    bans = (
        ban("A", "app02"),
        ban("B", "app03"),
        *(ban("P", name) for name in NAMES[1:]),
        *(ban("C", name, f"cli-ban-C-on-{name}") for name in NAMES[1:]),
    )
    words = essential(view(cluster(resources=resources, bans=bans)))
    assert words == "4 services on app01, 2 of 3 services have a node to go to"


def test_many_nodes_of_many_services_are_counted_from_the_fifth_on():
    names = [f"app0{number}" for number in range(1, 7)]
    known = cluster(map(node, names), tuple(primitive(f"S{name}", name) for name in names))
    words = essential(view(known))
    assert words.startswith("6 services on app01, app02, app03, app04 and 2 more")


def test_primary_of_one_resource_among_others():
    """Of several the first is Secondary: that of the service is looked at."""
    known = cluster(resources=(primitive(),))
    seen = view(
        known,
        cib=on_drbd("FS", "/dev/drbd/by-res/r1/0"),
        drbd=(drbd(name="r0", role=DrbdRole.SECONDARY), drbd(name="r1")),
    )
    assert essential(seen).startswith("FS on app01 = Primary of r1")


def test_many_primaries_under_one_service_are_counted():
    names = ("r0", "r1", "r2", "r3")
    mounts = tuple(Filesystem(f"F{name}", f"/dev/drbd/by-res/{name}/0", "/srv") for name in names)
    known = cluster(resources=(group(*(primitive(f"F{name}") for name in names)),))
    seen = view(known, cib=cib(filesystems=mounts), drbd=tuple(drbd(name=name) for name in names))
    assert essential(seen).startswith("group1 on app01 = Primary of r0, r1 and 2 more")


# -- what happens --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before",
    [
        DateExpression("gt", "2026-11-22 08:00:00Z", None),
        Expression("rack", "lt", "5"),
    ],
)
def test_constraint_ends_by_the_test_that_has_an_end(before):
    """Of a rule the first test is of its beginning, or of an attribute."""
    until = DateExpression("in_range", None, "2026-11-22 10:00:00Z")
    rule = Rule("r", -INFINITY, None, None, False, (before, until))
    where = replace(location("FS", "app02", -INFINITY, "for-a-while"), rules=(rule,))
    assert happened(view(cib=cib(locations=(where,)))) == ("for-a-while on app02 ends 10:00:00Z",)


# -- what stands on what -------------------------------------------------------------------------


def carried(*members, filesystems=(), dependents=("group1",), more=()):
    """A CIB with a group that must run where DRBD is promoted."""
    return configured(
        *managed(),
        *more,
        Configured("group1", "group", members=tuple(each.id for each in members)),
        *members,
        filesystems=filesystems,
        colocations=tuple(with_promoted(each) for each in dependents),
    )


def member(name, agent):
    return Configured(name, "primitive", parent="group1", agent=f"ocf:heartbeat:{agent}")


def test_group_with_a_mount_of_its_drbd_is_one_pair():
    """What opens a device before the mount, as LVM on another disk, is no second one."""
    parts = (member("VG", "LVM-activate"), member("FS", "Filesystem"))
    mount = Filesystem("FS", "/dev/drbd/by-res/r0/0", "/srv")
    seen = view(cib=carried(*parts, filesystems=(mount,)), drbd=(drbd(),))
    assert [(each.resource, each.drbd) for each in pairs(seen)] == [("FS", "r0")]


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("/dev/drbd/by-res/r0/0", "r0"),
        ("/dev/drbd/by-res/r0", "r0"),
        ("/dev/drbd/by-res/r0/disk", None),
    ],
)
def test_link_of_a_device_that_names_no_volume_is_none_of_drbds(device, name):
    (pair,) = pairs(view(cib=on_drbd("FS", device), drbd=(drbd(),)))
    assert pair.drbd == name


def test_what_several_members_run_with_is_told_once():
    """Both members must run with the same two promoted resources, one by one."""
    parts = (member("FS", "Filesystem"), member("IP", "IPaddr2"))
    mount = Filesystem("FS", "/dev/drbd77", "/srv")
    known = replace(
        carried(*parts, filesystems=(mount,), more=managed("r1", "OTHER")),
        colocations=tuple(
            with_promoted(dependent, name)
            for dependent in ("FS", "IP")
            for name in ("DRBD-clone", "OTHER-clone")
        ),
    )
    found = below(view(cib=known, drbd=(drbd(),)), group(primitive("FS"), primitive("IP")))
    assert sorted(str(each.drbd) for each in found) == ["None", "r0", "r1"]


# -- what a takeover needs -----------------------------------------------------------------------


def against(name, *resources, on="app02", **facts):
    """What speaks against *name* on a node, in words."""
    known = facts.pop("cib", None)
    tools = {tool: facts.pop(tool) for tool in ("drbd", "show") if tool in facts}
    seen = view(cluster(resources=resources, **facts), cib=known, **tools)
    futures = Futures(seen, seen[CLUSTER].value, seen[CIB].value, None)
    (one,) = [each for each in resources if each.id == name]
    return [each.text for each in futures.of(one).by_node.get(on, ())]


def test_node_that_drbd_does_not_reach_needs_no_further_reason():
    """What would be left of the data there cannot be seen from here."""
    here = drbd(
        peer("app02", state=ConnectionState.CONNECTING, client=False), disk=DiskState.UP_TO_DATE
    )
    found = against("FS", primitive(), cib=on_drbd(), drbd=(here,))
    assert found == ["r0 is not connected to it"]


@pytest.mark.parametrize(
    ("disks", "addresses", "found"),
    [
        (primitive("DB"), stopped("IP"), []),
        (stopped("DB"), primitive("IP"), ["group1 runs on app01 (with)"]),
    ],
)
def test_service_that_must_run_with_a_part_of_a_group_goes_by_that_part(disks, addresses, found):
    parts = group(disks, addresses)
    known = configured(
        Configured("group1", "group", members=("DB", "IP")),
        colocations=(Colocation("with", Member("FS"), Member("IP"), INFINITY),),
    )
    seen = view(cluster(resources=(stopped(), parts)), cib=known)
    futures = Futures(seen, seen[CLUSTER].value, seen[CIB].value, None)
    assert [each.text for each in futures.of(stopped()).by_node["app02"]] == found


def test_what_nobody_manages_in_maintenance_is_so_by_the_maintenance():
    found = against(
        "FS", primitive(managed=False), options=options(maintenance_mode=True), cib=configured()
    )
    assert found == []


def test_bundle_that_nobody_manages_is_left_to_the_scheduler():
    one = bundle([stopped("in", managed=False)])
    judged = report("resources", view(cluster(resources=(one,)), cib=configured()))
    (text,) = texts(judged, "clone-down")
    assert "is unmanaged" not in text


def test_order_after_a_part_of_a_group_goes_by_that_part():
    parts = group(primitive("DB"), stopped("IP", target_role="Stopped"), disabled=True)
    known = configured(
        Configured("group1", "group", members=("DB", "IP")),
        orders=(Order("o", "IP", "start", "FS", "start", True),),
    )
    found = against("FS", primitive(), parts, cib=known)
    assert found == ["group1, which must be there first, is disabled"]


def test_storage_server_whose_loss_ends_two_quorums_is_told_once():
    """It has most of the votes, and one of the copies of which all have to be there."""
    weights = (("app01", 1), ("storage01", 3), ("app02", 1))
    voters = [
        Voter(number, weight, name, name == "app01", None)
        for number, (name, weight) in enumerate(weights, start=1)
    ]
    seen = view(
        cluster([node(each.name, id=str(each.node_id)) for each in voters], (primitive(),)),
        votes=replace(votes(expected=5), total=5, members=tuple(voters)),
        cib=on_drbd(),
        drbd=(drbd(),),
        show=(shown(quorum="all"),),
    )
    assert texts(report("failover", seen), "single-point") == [
        "the loss of storage01 would end FS: the quorum ends with its vote",
        "the loss of storage02 would end FS: r0/0 would have no quorum",
        "the loss of storage03 would end FS: r0/0 would have no quorum",
    ]


# -- why it does not run -------------------------------------------------------------------------

KEPT_DOWN = tuple(ban("DRBD-clone", name, promoted_only=True) for name in NAMES)
"""No instance may be promoted anywhere."""


def fault(*instances, key, drbd_seen=(), **facts):
    """The finding of that key about DRBD's clone, with its text and its step."""
    seen = view(
        cluster(resources=(promotable(*instances),), **facts),
        cib=configured(*managed()),
        drbd=drbd_seen,
    )
    judged = report("resources", seen)
    return texts(judged, key), steps(judged, key)


def unpromoted(on):
    return primitive("DRBD", on, Role.UNPROMOTED)


def test_clone_that_does_not_run_is_not_kept_from_that_by_what_forbids_its_promotion():
    (text,), (step,) = fault(*[stopped("DRBD")] * 3, key="clone-down", bans=KEPT_DOWN)
    assert text == "DRBD-clone has no running instance (nothing visible asks for that)"
    assert step == (
        "crm_simulate -sL (the lines about DRBD-clone); then: crm_resource --refresh -r DRBD-clone"
    )


def test_clone_that_runs_seldom_is_not_kept_from_that_by_what_forbids_its_promotion():
    (text,), _ = fault(
        unpromoted("app01"), stopped("DRBD"), stopped("DRBD"), key="clone-degraded", bans=KEPT_DOWN
    )
    assert text == "DRBD-clone: 1 of 3 instances run, none on app02, app03"


def test_clone_of_which_none_is_promoted_for_want_of_drbd():
    """Where none is promoted DRBD is asked, too, as for any service."""
    cut = [peer(name, state=ConnectionState.CONNECTING) for name in NAMES[1:]]
    here = drbd(*cut, role=DrbdRole.SECONDARY, quorum=False)
    (text,), _ = fault(*map(unpromoted, NAMES), key="promoted-missing", drbd_seen=(here,))
    assert "app01: r0/0 has no quorum" in text


def test_group_of_which_nothing_says_why_is_looked_for_by_its_first_member():
    parts = Configured("group1", "group", members=("FS", "IP"))
    seen = view(cluster(resources=(group(stopped("FS"), stopped("IP")),)), cib=configured(parts))
    (step,) = steps(report("resources", seen), "resource-stopped")
    assert step == "crm_simulate -sL (the lines about FS); then: crm_resource --refresh -r FS"


# -- promotion -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("colocation", "alone"),
    [
        (with_promoted("FS"), False),
        (with_promoted("FS", "other-clone"), True),
        (Colocation("c", Member("FS"), Member("DRBD-clone"), INFINITY), True),
        (Colocation("c", Member("FS"), Member("DRBD-clone", "Promoted"), 100), True),
    ],
)
def test_promotable_clone_is_a_service_of_its_own_unless_it_carries_one(colocation, alone):
    """Carried is what must run with the promoted instance of this very clone."""
    one = promotable(PROMOTED, unpromoted("app02"))
    known = configured(*managed(), colocations=(colocation,))
    assert (services(known, (one,)) == (one,)) is alone


# -- partitions ----------------------------------------------------------------------------------


def member_of(here, *online, dc="app01", resources=()):
    nodes = [node(name, online=name in online) for name in NAMES]
    known = cluster(nodes, resources, dc=dc)
    return Judgement(view_of(here, NOW, cluster=known), Report())


def speakers(*seen):
    return [part.speaker.view.here for part in partitions(seen)]


@pytest.mark.parametrize(
    ("controllers", "speaker"),
    [
        ((None, None), "app02"),  # two that count it as lost
        (("app02",), "app02"),  # one that has another controller
        (("app01",), "app01"),
        ((None,), "app01"),
    ],
)
def test_view_of_a_node_that_the_others_went_on_without_is_of_the_past(controllers, speaker):
    """Its Corosync hangs: it still counts everybody, and calls itself the controller."""
    others = [
        member_of(name, "app02", "app03", dc=dc)
        for name, dc in zip(("app02", "app03"), controllers)
    ]
    assert speakers(member_of("app01", *NAMES), *others) == [speaker]


def test_controller_without_a_name_is_no_other_one():
    known = cluster([node("app01", online=False), *map(node, NAMES[1:])])
    nameless = replace(known.summary.dc, name=None)
    known = replace(known, summary=replace(known.summary, dc=nameless))
    other = Judgement(view_of("app02", NOW, cluster=known), Report())
    assert speakers(member_of("app01", *NAMES), other) == ["app01"]


def test_what_a_partition_does_is_what_it_does_with_its_services():
    resources = (primitive(), clone(*(primitive("ping", name) for name in NAMES)))
    (part,) = partitions((member_of("app01", *NAMES, resources=resources),))
    assert doing(part) == "runs FS"


# -- the picture ---------------------------------------------------------------------------------


def heard(here, *resources, node=...):
    """A node of which *here* is Pacemaker's name, and *node* that by which it was asked."""
    answers = {DRBD: Answer(resources)}
    return Judgement(View(here if node is ... else node, NOW, answers, here=here), Report())


def meshes(*seen):
    return {mesh.name: mesh.nodes for mesh in picture(seen, Report()).meshes}


def test_mesh_of_each_resource_has_its_own_nodes():
    one = resource(connection("storage02"))
    other = resource(connection("storage03"), name="r1")
    assert meshes(heard("storage01", one, other)) == {
        "r0": ("storage01", "storage02"),
        "r1": ("storage01", "storage03"),
    }


@pytest.mark.parametrize(
    ("node", "name"), [("storage01.example.com", "storage01.example.com"), (None, "storage01")]
)
def test_node_of_a_mesh_has_the_name_by_which_it_was_asked(node, name):
    one = heard("storage01", resource(connection("storage02")), node=node)
    assert meshes(one) == {"r0": (name, "storage02")}


# -- the configuration file ----------------------------------------------------------------------

MEMBERS = tuple(ConfiguredNode(int(name[-1]), name, 1) for name in NAMES)


def unknown(check, config, **answers):
    """Names of the file that nobody knows."""
    facts = {"cmap": cmap(nodes=MEMBERS), "drbd": (drbd(),), **answers}
    known = facts.pop("cluster", None) or cluster(resources=(primitive(),))
    return texts(report(check, view(known, config=config, **facts)), "config-unknown-name")


def test_node_that_only_the_cib_has_is_known():
    config = Config(tie_breakers=("app09",))
    assert len(unknown("placement", config)) == 1
    known = replace(cib(), nodes={name: CibNode(name) for name in (*NAMES, "app09")})
    assert unknown("placement", config, cib=known) == []


@pytest.mark.parametrize("check", ["drbd-mesh", "drbd-quorum", "consistency"])
def test_what_the_file_says_of_pacemaker_is_for_checks_that_go_by_it(check):
    config = Config(tie_breakers=("app09",), resources={"FX": PlacementRule(allowed=("app09",))})
    assert unknown(check, config) == []


ELSEWHERE = "storage09"


@pytest.mark.parametrize(
    ("answers", "known"),
    [
        ({}, False),
        ({"show": (shown("r0", shown_connection(ELSEWHERE)),)}, True),
        ({"cluster": cluster((*map(node, NAMES), node(ELSEWHERE)))}, True),
        ({"cmap": cmap(nodes=(*MEMBERS, ConfiguredNode(9, ELSEWHERE, 1)))}, True),
        ({"cib": replace(cib(), nodes={ELSEWHERE: CibNode(ELSEWHERE)})}, True),
    ],
)
def test_replica_that_anybody_knows_is_no_mistyped_name(answers, known):
    """DRBD's options in force, Pacemaker, Corosync or the CIB: it may be missing, and is a node."""
    config = Config(drbd={"r0": DrbdRule(replicas=("storage01", "storage02", ELSEWHERE))})
    assert bool(unknown("drbd-mesh", config, **answers)) is not known


# -- what is learnt ------------------------------------------------------------------------------

TEN = [f"node{number:02}" for number in range(10)]
EIGHT = ", ".join(TEN[:8])


def test_many_nodes_from_which_is_learnt_are_counted():
    learnt = learn([view_of(name, NOW, drbd=(resource(),)) for name in TEN])
    assert learnt.notes[()][0] == f"Learnt from {EIGHT} and 2 more."


def test_many_rules_from_which_is_learnt_are_counted():
    bans = tuple(ban("FS", name, f"no-{name}") for name in TEN)
    known = cluster((node("app01"), *map(node, TEN)), (primitive(),), bans=bans)
    (note,) = learn([view(known)]).notes["pacemaker", "resources", "FS", "allowed"]
    rules = ", ".join(f"{name} (rule no-{name})" for name in TEN[:8])
    assert note == f"Without {rules} and 2 more."


def test_peer_that_lacks_a_volume_is_a_replica_by_the_others():
    """The connection that lacks it is the one to that peer, and not the first."""
    both = (peer_device(0), peer_device(1))
    one = resource(
        connection("storage03", *both),
        connection("storage02", peer_device(0)),
        devices=(device(0), device(1)),
    )
    learnt = learn([view_of("storage01", NOW, drbd=(one,))])
    assert learnt.config.drbd["r0"].replicas == ("storage01", "storage02", "storage03")


def test_node_without_a_name_is_not_learnt():
    one = resource(connection("storage02"))
    learnt = learn([view_of(None, NOW, drbd=(one,))])
    assert learnt.config.drbd["r0"].replicas == ("storage02",)
    assert ("drbd", "r0") not in learnt.notes


# -- what if -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen_by_one", "hidden"),
    [
        (connection("storage03", peer_device(peer_disk_state=DiskState.OUTDATED)), ()),
        (away("storage03"), ("storage03",)),
    ],
)
def test_disk_that_one_node_sees_is_not_hidden(seen_by_one, hidden):
    """The copy on storage03 is outdated by the word of one, and out of reach of the other."""
    known = cluster(map(node, ("storage01", "storage02")), dc="storage01")
    asked = [
        Judgement(view_of(name, NOW, cluster=known, drbd=(one,)), Report())
        for name, one in (
            ("storage01", resource(connection("storage02"), seen_by_one)),
            ("storage02", resource(connection("storage01"), away("storage03"))),
        )
    ]
    losses = {each.lost: each for each in of_each_node(asked).losses}
    assert losses["storage02",].volumes[0].hidden == hidden


def test_node_that_is_lost_already_is_not_lost_once_more():
    """DRBD knows it as a peer."""
    nodes = [node("app01"), node("app02"), node("app03", online=False)]
    mesh = resource(connection("app02"), away("app03"), connection("storage01"))
    asked = [Judgement(view_of("app01", NOW, cluster=cluster(nodes), drbd=(mesh,)), Report())]
    lost = {each.lost for each in of_each_node(asked).losses}
    assert lost == {("app01",), ("app02",), ("storage01",)}


def test_what_each_node_recorded_of_the_scheduler_counts():
    known = cluster(map(node, NAMES[:2]))
    asked = [
        Judgement(
            view_of(
                name,
                NOW,
                cluster=known,
                simulations=Simulations({(name,): Simulation((name,), (), {}, {})}, {}),
            ),
            Report(),
        )
        for name in NAMES[:2]
    ]
    futures = together(asked, partitions(asked))
    assert [futures.simulation(frozenset({name})) is not None for name in NAMES] == [
        *(True, True, False)
    ]
