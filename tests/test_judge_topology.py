"""Learning a configuration file: from recorded views, changed here where a test says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from build import replace
from check_mccluster.app.session import Setup, open_source, run_check
from check_mccluster.checks import registry
from check_mccluster.inputs.cibadmin import CIB
from check_mccluster.inputs.crm_mon import CLUSTER
from check_mccluster.inputs.drbdsetup import DRBD
from check_mccluster.inputs.evidence import Evidence
from check_mccluster.judge.topology import learn
from check_mccluster.model.config import Config, DrbdRule, PlacementRule
from check_mccluster.model.drbd import Role
from check_mccluster.model.pacemaker import Ban, Filesystem, Location
from check_mccluster.present.toml import as_toml
from check_mccluster.read.config import read_config
from check_mccluster.verdict.view import Answer, Asked, View

SNAPSHOTS = Path(__file__).parents[1] / "fixtures" / "snapshots"
HEALTHY = SNAPSHOTS / "six-nodes-healthy"
STORAGE = ("storage01", "storage02", "storage03")
APPS = ("app01", "app02", "app03")


def view_of(folder: Path):
    with open_source(Setup(8.0, snapshot=str(folder)), Config()) as source:
        return Evidence(source).view((CLUSTER, CIB, DRBD))


def changed(view, key, value, node=...):
    """The same view with another answer, or seen under another name."""
    answers = {**{each: view[each] for each in view.inputs}, key: Answer(value)}
    name = view.node if node is ... else node
    here = view.here if name is not None else None
    return View(name, view.time, answers, config=view.config, here=here)


def renamed(view, node):
    return changed(view, DRBD, view[DRBD].value, node)


def with_cluster(view, **changes):
    return changed(view, CLUSTER, replace(view[CLUSTER].value, **changes))


def with_cib(view, **changes):
    return changed(view, CIB, replace(view[CIB].value, **changes))


def with_drbd(view, **changes):
    (resource,) = view[DRBD].value
    return changed(view, DRBD, (replace(resource, **changes),))


@pytest.fixture(scope="module")
def app01():
    return view_of(HEALTHY / "app01")


@pytest.fixture(scope="module")
def storage01():
    return view_of(HEALTHY / "storage01")


WHOLE = Config(
    nodes=APPS,
    tie_breakers=("app03",),
    resources={"group1": PlacementRule(("app01", "app02"))},
    drbd={"r0": DrbdRule(STORAGE, APPS, "FS_DRBD")},
)


def test_a_cluster_node_tells_everything(app01):
    assert learn([app01]).config == WHOLE


def test_a_storage_server_tells_of_drbd_and_says_what_it_cannot(storage01):
    learnt = learn([storage01])
    assert learnt.config == Config(drbd={"r0": DrbdRule(STORAGE, APPS)})
    assert learnt.notes[()] == (
        "Learnt from storage01.",
        "Snapshots of further nodes (--from, repeatable) would confirm it.",
        "Nothing about Pacemaker from storage01: crm_mon: not in the snapshot (not installed"
        " there?).",
    )


def test_all_six_nodes_together_in_any_order():
    views = [view_of(HEALTHY / name) for name in (*STORAGE, *APPS)]
    assert learn(views).config == WHOLE
    assert learn(views) == learn(views[::-1])


def test_nothing_is_learnt_where_nothing_answers(storage01):
    assert learn([changed(storage01, DRBD, None)]).config == Config()


# -- Pacemaker ---------------------------------------------------------------------------------


def test_what_a_move_left_behind_is_no_rule(app01):
    ban = Ban("cli-ban-group1-on-app01", "group1", "app01", -1000000, False)
    moved = with_cluster(app01, bans=(*app01[CLUSTER].value.bans, ban))
    assert learn([moved]).config == WHOLE


def test_a_finite_score_is_no_rule(app01):
    bans = (Ban("avoids", "group1", "app03", -500, False),)
    learnt = learn([with_cluster(app01, bans=bans)]).config
    assert (learnt.tie_breakers, learnt.resources) == ((), {})


def test_a_rule_for_a_member_keeps_the_group_away(app01):
    bans = (Ban("avoids", "MYSQL", "app03", -1000000, False),)
    learnt = learn([with_cluster(app01, bans=bans)]).config
    assert (learnt.tie_breakers, learnt.resources) == (WHOLE.tie_breakers, WHOLE.resources)


def test_a_node_that_one_service_may_use_is_no_tie_breaker(app01):
    group = app01[CLUSTER].value.resources[0]
    free = replace(group.members[1], id="FREE")
    learnt = learn([with_cluster(app01, resources=(group, free))]).config
    assert learnt.tie_breakers == ()
    assert learnt.resources == WHOLE.resources


def test_a_node_where_drbd_is_primary_is_no_tie_breaker(app01):
    (resource,) = app01[DRBD].value
    connections = tuple(
        replace(c, peer_role=Role.PRIMARY) if c.name == "app03" else c for c in resource.connections
    )
    learnt = learn([with_drbd(app01, connections=connections)])
    assert learnt.config.tie_breakers == ()
    assert learnt.notes["pacemaker", "tie_breakers"] == (
        "Standing rules keep every group and single resource (group1) away.",
        "Left out: app03, which is a DRBD Primary now.",
    )


def test_an_opt_in_cluster_tells_its_nodes_only(app01):
    summary = app01[CLUSTER].value.summary
    opt_in = replace(summary, options=replace(summary.options, symmetric=False))
    learnt = learn([with_cluster(app01, summary=opt_in)])
    assert learnt.config == Config(nodes=APPS, drbd=WHOLE.drbd)
    assert "opt-in" in learnt.notes["pacemaker",][0]


def test_views_that_list_different_nodes_are_not_believed(app01):
    app02 = view_of(HEALTHY / "app02")
    fewer = with_cluster(app02, nodes=app02[CLUSTER].value.nodes[:2])
    learnt = learn([app01, fewer])
    assert learnt.config == Config(drbd=WHOLE.drbd)
    assert learnt.notes["pacemaker",] == (
        "Nothing is learnt here: the views list different nodes.",
    )


def test_views_that_show_different_rules_are_not_believed(app01):
    app02 = with_cluster(view_of(HEALTHY / "app02"), bans=())
    learnt = learn([app01, app02])
    assert learnt.config == replace(WHOLE, tie_breakers=(), resources={})
    assert learnt.notes["pacemaker", "resources", "group1"] == (
        "Left out: the views show different rules for it.",
    )


def test_a_guest_is_no_node_to_list_and_may_be_a_home(app01):
    cluster = app01[CLUSTER].value
    guest = replace(
        cluster.nodes[2], name="guest1", id="guest1", type="remote", id_as_resource="VM"
    )
    on_guest = replace(cluster.resources[0].members[1], id="INNER", nodes=("guest1",))
    bans = (Ban("avoids", "INNER", "app03", -1000000, False),)
    view = with_cluster(app01, nodes=(*cluster.nodes, guest), resources=(on_guest,), bans=bans)
    learnt = learn([view]).config
    assert learnt.nodes == APPS
    assert learnt.resources == {"INNER": PlacementRule(("app01", "app02", "guest1"))}


@pytest.mark.parametrize(
    ("scores", "preferred"),
    [
        ({"app01": 100}, {"group1": "app01"}),
        ({"app01": 100, "app02": 1000000}, {"group1": "app02"}),
        ({"app01": 100, "app02": 100}, {}),
        ({"app01": 1}, {"group1": "app01"}),
        ({"app01": 0}, {}),
        ({"app01": None}, {}),
        ({"app01": -100}, {}),
        ({"elsewhere": 100}, {}),
    ],
)
def test_the_highest_standing_score_is_suggested_as_preferred(app01, scores, preferred):
    locations = tuple(Location(f"at-{n}", "group1", n, score) for n, score in scores.items())
    learnt = learn([with_cib(app01, locations=locations)])
    assert learnt.preferred == preferred
    assert learnt.config == WHOLE


def test_a_preference_that_a_move_left_behind_is_not_suggested(app01):
    left = (Location("cli-prefer-group1", "group1", "app02", 1000000),)
    assert learn([with_cib(app01, locations=left)]).preferred == {}


# -- DRBD --------------------------------------------------------------------------------------


def test_peers_that_nobody_can_place_are_left_out():
    folder = SNAPSHOTS / "utils-8.9.9-healthy" / "app01"
    learnt = learn([view_of(folder)])
    assert learnt.config.drbd == {"r0": DrbdRule(STORAGE)}
    assert learnt.notes["drbd", "r0"] == tuple(
        f"Left out: {name}, nobody can say which it is." for name in APPS
    )


def test_a_node_that_the_views_take_for_both_is_left_out(app01):
    detached = view_of(HEALTHY / "storage01")
    (resource,) = detached[DRBD].value
    clients = tuple(replace(device, client=True) for device in resource.devices)
    learnt = learn([app01, with_drbd(detached, devices=clients)])
    assert learnt.config.drbd["r0"].replicas == ("storage02", "storage03")
    assert learnt.notes["drbd", "r0"] == ("Left out: storage01, both replica and client.",)


def test_a_node_without_a_connection_to_every_node_is_left_out(app01, storage01):
    (resource,) = app01[DRBD].value
    kept = tuple(c for c in resource.connections if c.name != "app03")
    learnt = learn([with_drbd(app01, connections=kept), storage01])
    assert learnt.config.drbd["r0"].clients == ("app01", "app02")
    assert learnt.notes["drbd", "r0"] == (
        "Left out: app03, not every node has a connection to it.",
    )


def test_a_node_where_the_resource_is_not_up_is_left_out(app01):
    down = changed(view_of(HEALTHY / "storage02"), DRBD, None)
    learnt = learn([app01, down])
    assert learnt.config.drbd["r0"].replicas == ("storage01", "storage03")
    assert learnt.notes["drbd", "r0"] == ("Left out: storage02, r0 cannot be seen to be up there.",)


def test_one_node_with_two_names_is_one(app01, storage01):
    learnt = learn([renamed(app01, "app01.example.org"), storage01])
    assert learnt.config.drbd["r0"] == WHOLE.drbd["r0"]


def test_a_node_without_a_name_tells_of_its_peers(storage01):
    learnt = learn([renamed(storage01, None)])
    assert learnt.config.drbd["r0"] == DrbdRule(("storage02", "storage03"), APPS)


def test_the_first_of_two_filesystems_on_a_resource_is_named(app01):
    first = app01[CIB].value.filesystems[0]
    second = Filesystem("FS_MORE", first.device, "/srv/more")
    learnt = learn([with_cib(app01, filesystems=(first, second))])
    assert learnt.config == WHOLE
    assert learnt.notes["drbd", "r0", "runs_with"] == (
        "In the CIB, FS_DRBD mounts /dev/drbd0.",
        "The CIB says the same of FS_MORE, which need no entry.",
    )


def test_without_its_nodes_a_resource_is_no_entry(app01):
    (resource,) = app01[DRBD].value
    unknown = tuple(replace(device, client=None) for device in resource.devices)
    learnt = learn([with_drbd(app01, devices=unknown, connections=())])
    assert learnt.config.drbd == {}
    assert learnt.notes["drbd", "r0"] == (
        "Left out: app01, nobody can say which it is.",
        "Its nodes are not known; FS_DRBD runs on it.",
    )


# -- no verdict changes ------------------------------------------------------------------------


def verdicts(folder: Path, config: Config) -> dict[str, tuple]:
    setup = Setup(8.0, snapshot=str(folder))
    found = {}
    for name in registry.names():
        with open_source(setup, config) as source:
            report = run_check(registry.load(name), source, config, setup, Asked()).report
        findings = sorted((each.key, each.object, each.state.name) for each in report.findings)
        found[name] = (report.state.name, findings)
    return found


def assert_nothing_changes(state: Path, alone: bool) -> None:
    """Learn from all nodes of a state together, or each from itself, and judge all again."""
    folders = [each for each in sorted(state.iterdir()) if each.is_dir()]
    groups = [[folder] for folder in folders] if alone else [folders]
    for group in groups:
        learnt = learn([view_of(folder) for folder in group])
        text = as_toml(learnt)
        assert text.isascii()
        config = read_config(text.encode())
        assert config == learnt.config
        for folder in group:
            before, after = verdicts(folder, Config()), verdicts(folder, config)
            if ("mapping-none", "mapping", "UNKNOWN") in before["consistency"][1]:
                # Another node could read the CIB, and this one knows the mapping now.
                del before["consistency"], before["failover"], before["overview"]
            if any(rule.runs_with for rule in config.drbd.values()):
                # What runs on DRBD was learnt from another node: somebody should be Primary.
                before.pop("overview", None)
                before.pop("cluster", None)
                del before["drbd-role"]
            changed = {name: (before[name], after[name]) for name in before}
            assert {n: pair for n, pair in changed.items() if pair[0] != pair[1]} == {}, folder


@pytest.mark.parametrize("alone", [False, True], ids=["together", "alone"])
@pytest.mark.parametrize("state", sorted(SNAPSHOTS.iterdir()), ids=lambda path: path.name)
def test_what_is_learnt_changes_no_verdict(state, alone):
    assert_nothing_changes(state, alone)


TORN_DOWN = "11b-primary-not-where-pacemaker-thinks"
"""Resources were taken down while this state was recorded: its files are of different moments."""


@pytest.mark.captures
@pytest.mark.parametrize("folder", ["drbd", "pacemaker", "versions", "dialects"])
def test_what_is_learnt_changes_no_verdict_on_recorded_clusters(captures, folder):
    for state in sorted((captures / folder).iterdir()):
        if state.is_dir() and state.name != TORN_DOWN:
            assert_nothing_changes(state, alone=False)
