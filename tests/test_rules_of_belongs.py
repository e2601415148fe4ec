"""What two tools say against each other: constructed answers that no recording has."""

from __future__ import annotations

from datetime import timedelta

import pytest

from build import (
    NAMES,
    NOW,
    cib,
    clone,
    cluster,
    cmap,
    group,
    link,
    links,
    node,
    primitive,
    remote,
    replace,
    stopped,
    view,
    votes,
)
from build_drbd import device, mesh, resource, shown, shown_connection
from build_drbd import view as drbd_view
from check_mccluster.inputs.cibadmin import CIB
from check_mccluster.inputs.corosync_cfgtool import LINKS
from check_mccluster.inputs.corosync_cmapctl import CMAP
from check_mccluster.inputs.corosync_quorumtool import VOTES
from check_mccluster.inputs.crm_mon import CLUSTER
from check_mccluster.inputs.drbdsetup import DRBD, SHOW
from check_mccluster.judge.belongs import contradictions
from check_mccluster.model.corosync import ConfiguredNode, Voter

ALL = (CLUSTER, CIB, CMAP, VOTES, LINKS, DRBD, SHOW)


def told(seen):
    return [each.text.partition(": ")[2] for each in contradictions(seen, ALL)]


def cib_of(nodes=NAMES, resources=()):
    return replace(cib(), nodes=dict.fromkeys(nodes), resources=dict.fromkeys(resources))


def list_of(*names, **changes):
    """Corosync's node list; a node's id is the last character of its name."""
    entries = [
        ConfiguredNode(int(name[-1]), name, 1, ((0, f"192.0.2.{name[-1]}"),)) for name in names
    ]
    return cmap(nodes=tuple(entries), **changes)


def test_answers_of_one_cluster_do_not_contradict_each_other():
    seen = view(
        cib=cib_of(), cmap=list_of(*NAMES, local_position=0), votes=votes(), links=links(*LINES)
    )
    assert told(seen) == []


LINES = (link(2), link(3))
MORE = tuple(f"db{number}" for number in range(4, 9))
FIVE = (*map(node, NAMES), *map(node, MORE))


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        (view(cluster(FIVE), cib=cib_of()), "the CIB does not know {}, which crm_mon shows"),
        (view(cib=cib_of((*NAMES, *MORE))), "the CIB has {}, which crm_mon does not know"),
        (
            view(cluster(resources=map(primitive, MORE)), cib=cib_of()),
            "the CIB does not have {}, which crm_mon shows",
        ),
        (
            view(cmap=list_of("app01", "app02", *MORE)),
            "Corosync's node list has {}, which crm_mon does not know",
        ),
        (
            view(cluster(FIVE), cmap=list_of(*NAMES)),
            "Corosync's node list lacks {}, online in crm_mon",
        ),
        (view(votes=votes((*NAMES, *MORE))), "{} votes, and crm_mon does not know it"),
        (view(cluster(FIVE), links=links(*LINES)), "no line for {}, online in crm_mon"),
        (
            view(cluster(FIVE), cmap=list_of(*NAMES, *MORE), links=links(*LINES)),
            "no line for {} of Corosync's node list",
        ),
    ],
)
def test_of_many_names_three_are_told(seen, text):
    assert text.format("db4, db5, db6 and 2 more") in told(seen)


def test_of_many_lines_that_nobody_knows_three_are_told():
    lines = links(*LINES, *(link(number) for number in range(4, 9)))
    seen = view(cmap=list_of(*NAMES), links=lines)
    assert told(seen) == [
        "a line for node 4, 5, 6 and 2 more, which Corosync's node list does not have"
    ]


@pytest.mark.parametrize(
    ("later", "clash"), [(timedelta(minutes=1), False), (timedelta(minutes=1, seconds=1), True)]
)
@pytest.mark.parametrize("changed_first", [True, False])
def test_configuration_that_was_changed_a_minute_ago_may_be_newer(later, clash, changed_first):
    """The younger of the two counts."""
    moments = (NOW, NOW - timedelta(hours=1))
    changed, written = moments if changed_first else moments[::-1]
    known = cluster()
    summary = replace(known.summary, updated=NOW + later, changed=changed)
    seen = view(replace(known, summary=summary), cib=replace(cib_of(), last_written=written))
    assert (
        told(seen)
        == [f"this CIB was written {written}, the one that crm_mon shows {changed}"][: int(clash)]
    )


def test_times_with_and_without_a_zone_are_not_compared():
    known = cluster()
    summary = replace(known.summary, updated=NOW, changed=NOW - timedelta(hours=2))
    early = (NOW - timedelta(hours=1)).replace(tzinfo=None)
    seen = view(replace(known, summary=summary), cib=replace(cib_of(), last_written=early))
    assert told(seen) == []


@pytest.mark.parametrize("missing", ["updated", "changed", "last_written"])
def test_a_time_that_is_not_told_is_not_compared(missing):
    times = {"updated": NOW, "changed": NOW - timedelta(hours=2)}
    times = {name: when for name, when in times.items() if name != missing}
    written = None if missing == "last_written" else NOW - timedelta(hours=1)
    known = cluster()
    seen = view(
        replace(known, summary=replace(known.summary, **times)),
        cib=replace(cib_of(), last_written=written),
    )
    assert told(seen) == []


def test_remote_node_need_not_be_in_the_cib_of_members():
    nodes = (*map(node, NAMES), remote("far"))
    assert told(view(cluster(nodes), cib=cib_of(), cmap=list_of(*NAMES))) == []


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (group(primitive("FS"), name="g"), "g"),
        (clone(primitive("FS"), name="c"), "c"),
        (clone(group(primitive("FS:0"), name="g:0"), name="c"), "c, g"),
        (clone(group(primitive("FS:0"), name="FS:0"), name="c"), "c"),
    ],
)
def test_what_stands_around_a_resource_is_missed_in_the_cib_too(one, words):
    seen = view(cluster(resources=(one,)), cib=cib_of(resources=("FS",)))
    assert told(seen) == [f"the CIB does not have {words}, which crm_mon shows"]


def test_resource_that_was_removed_is_not_missed_in_the_cib():
    resources = (primitive("gone", orphaned=True), stopped("kept"), primitive("other:0"))
    assert told(view(cluster(resources=resources), cib=cib_of(resources=("kept", "other")))) == []


def test_node_that_is_offline_may_lack_in_the_node_list_and_on_links():
    nodes = (*map(node, NAMES[:2]), node("app03", online=False))
    seen = view(cluster(nodes), cmap=list_of(*NAMES[:2]), links=links(link(2)))
    assert told(seen) == []


def test_node_in_the_list_alone_beside_known_ones_is_no_contradiction():
    assert told(view(cmap=list_of(*NAMES, "app04"))) == []


@pytest.mark.parametrize(
    ("name", "told_of"),
    [
        ("app02", []),
        ("app02.example.org", []),
        (None, []),
        ("db02", ["node 2 is db02 in Corosync's node list, not app02"]),
    ],
)
def test_node_with_another_name_in_the_node_list_is_that_of_another_cluster(name, told_of):
    """Ids are 1, 2 and 3 everywhere; Pacemaker takes a name that is set."""
    known = list_of(*NAMES)
    first, second, third = known.nodes
    seen = view(cmap=replace(known, nodes=(first, second._replace(name=name), third)))
    assert told(seen) == told_of


def test_node_list_of_none_that_crm_mon_knows():
    seen = view(cluster(()), cmap=list_of("db04"))
    assert told(seen) == ["Corosync's node list has db04, which crm_mon does not know"]


@pytest.mark.parametrize(
    ("who", "words"),
    [
        (Voter(4, 1, "", False, None), "node 4"),
        (Voter(None, 1, "", False, None), "one without name and id"),
    ],
)
def test_voter_without_a_name_is_called_by_its_id(who, words):
    known = votes()
    seen = view(votes=replace(known, members=(*known.members, who)))
    assert told(seen) == [f"{words} votes, and crm_mon does not know it"]


@pytest.mark.parametrize("answers", [{"votes": votes()}, {"links": links(*LINES)}])
def test_answer_of_another_node_is_told_by_its_id(answers):
    (name, value), = answers.items()  # fmt: skip
    seen = view(**{name: replace(value, node_id=2)})
    assert told(seen) == ["this is another node's answer: of node 2, and app01 is 1"]


def test_answer_without_an_id_is_nobodys():
    seen = view(votes=replace(votes(), node_id=None), links=replace(links(*LINES), node_id=None))
    assert told(seen) == []


def test_lines_of_which_one_has_no_id_are_not_compared():
    seen = view(cmap=list_of(*NAMES), links=links(link(2), link(None)))
    assert told(seen) == []


# -- DRBD --------------------------------------------------------------------------------------


def with_ids(one):
    """The healthy mesh with every configured peer's id; options are ``drbdsetup show``'s."""
    peers = [shown_connection(c.name, peer_node_id=c.peer_node_id) for c in one.connections]
    return shown("r0", *peers, volumes=tuple(each for each in one.devices))


def test_options_of_the_same_node_with_the_same_peers_and_volumes():
    one = mesh()
    seen = drbd_view(one, options=(with_ids(one),))
    assert [f.text for f in contradictions(seen, ALL)] == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"name": "r9"}, "drbdsetup show knows none of the resources of drbdsetup status"),
        ({"node_id": 3}, "drbdsetup show is another node's: r0 is node 3 there"),
        (
            {"connections": (shown_connection("storage02", peer_node_id=1),)},
            "drbdsetup show has other peers of r0 than drbdsetup status",
        ),
        (
            {"volumes": (device(1),)},
            "drbdsetup show has other volumes of r0 than drbdsetup status",
        ),
    ],
)
def test_options_of_another_node(changes, text):
    one = mesh()
    seen = drbd_view(one, options=(replace(with_ids(one), **changes),))
    assert told(seen) == [text]


@pytest.mark.parametrize(
    "changes",
    [
        {"node_id": None},
        {"volumes": ()},
        {"connections": (shown_connection("storage02"),)},
        {"connections": (shown_connection("storage02", peer_node_id=1), shown_connection("app01"))},
    ],
)
def test_options_that_lack_what_would_be_compared(changes):
    one = mesh()
    assert told(drbd_view(one, options=(replace(with_ids(one), **changes),))) == []


def test_resource_that_came_up_since_the_options_were_read():
    one = mesh()
    seen = drbd_view(one, resource(name="r1"), options=(with_ids(one),))
    assert told(seen) == []
