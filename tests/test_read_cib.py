"""``cibadmin --query``: recorded documents, and constructed ones for the traps."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from build_documents import cib as cib_document
from build_documents import configured, meta, nvpairs, parameters
from build_tools import CIB
from check_mccluster.acquire.source import ToolTimeout
from check_mccluster.model.configuration import (
    CibNode,
    Colocation,
    Configured,
    DateExpression,
    Expression,
    Member,
    Order,
    PendingOperation,
    Ran,
    Refusal,
    Rule,
)
from check_mccluster.model.pacemaker import (
    INFINITY,
    Cib,
    Filesystem,
    Location,
    TicketConstraint,
)
from check_mccluster.read.cib import read_cib
from check_mccluster.read.errors import NotXml, ReadError

DOCUMENTS = Path(__file__).parents[1] / "fixtures" / "documents"

EMPTY = Cib(properties={}, filesystems=(), locations=(), tickets=(), fence_devices=())


def read(text: str) -> Cib:
    return read_cib(io.BytesIO(text.encode()))


def a_cib(*sections: str, **more: str) -> Cib:
    """A constructed CIB."""
    return read(cib_document(*sections, **more))


def filesystem(name: str, inside: str, attributes: str = "") -> str:
    return configured(name, "ocf:heartbeat:Filesystem", inside, attributes)


def recorded(name: str) -> Cib:
    with (DOCUMENTS / f"cib-{name}.xml").open("rb") as stream:
        return read_cib(stream)


def placed(cib: Cib) -> list[tuple[str, str | None, str | None, int | None]]:
    """The location constraints without their rules."""
    return [(one.id, one.resource, one.node, one.score) for one in cib.locations]


def test_recorded_cib_with_a_constraint_left_by_a_move() -> None:
    cib = recorded("2.1.5-moved-cli-prefer")
    assert cib.properties == {
        "stonith-enabled": "false",
        "have-watchdog": "false",
        "dc-version": "2.1.5-a3f44794f94",
        "cluster-infrastructure": "corosync",
        "cluster-name": "lab",
    }
    assert cib.filesystems == (Filesystem("FS_DRBD", "/srv/lab/drbd", "/opt/drbd"),)
    assert cib.locations == (
        Location("location-group1-app03--INFINITY", "group1", "app03", -INFINITY),
        Location("cli-prefer-group1", "group1", "app02", INFINITY, role="Started"),
    )
    assert (cib.tickets, cib.fence_devices, cib.colocations, cib.orders) == ((), (), (), ())
    assert list(cib.resources) == ["group1", "FS_DRBD", "MYSQL", "MAILMAN3", "POSTFIX", "DOVECOT"]
    assert cib.chain("MYSQL") == ("MYSQL", "group1")
    assert cib.resources["group1"].members == tuple(list(cib.resources)[1:])
    assert cib.resources["FS_DRBD"].agent == "ocf:heartbeat:Filesystem"
    assert sorted(cib.nodes) == ["app01", "app02", "app03"]


def test_recorded_fence_devices_are_not_counted_again_in_the_status() -> None:
    assert recorded("2.1.5-fence-devices").fence_devices == ("fence-bad", "fence-good")


def test_nothing_configured() -> None:
    assert a_cib() == EMPTY
    assert read("<cib/>") == EMPTY


def test_status_section_is_skipped_wherever_it_stands() -> None:
    resources = filesystem("FS", parameters(device="/dev/drbd0"))
    assert (
        read(
            f"<cib><status><node_state>{resources}<configuration><resources>{resources}</resources>"
            "</configuration></node_state></status><configuration><resources/></configuration></cib"
            ">"
        )
        == EMPTY
    )


def test_first_of_several_property_sets_counts() -> None:
    sets = (
        f'<cluster_property_set id="a">{nvpairs(a="1")}</cluster_property_set>'
        f'<cluster_property_set id="b">{nvpairs(a="2", b="3")}</cluster_property_set>'
    )
    assert a_cib(crm_config=sets).properties == {"a": "1", "b": "3"}


def test_property_without_a_value_is_not_there() -> None:
    pair = '<cluster_property_set id="a"><nvpair id="x" name="x"/></cluster_property_set>'
    assert a_cib(crm_config=pair).properties == {}


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        '<group id="g">{}</group>',
        '<clone id="c">{}</clone>',
        '<clone id="c"><group id="g">{}</group></clone>',
        '<master id="m">{}</master>',
        '<bundle id="b">{}</bundle>',
    ],
)
def test_filesystem_inside_other_resources(around: str) -> None:
    one = filesystem("FS", parameters(device="/dev/drbd0", directory="/srv"))
    assert a_cib(around.format(one)).filesystems == (Filesystem("FS", "/dev/drbd0", "/srv"),)


def test_filesystem_without_directory_or_device() -> None:
    both = filesystem("A", parameters(device="/dev/drbd0")) + filesystem("B", "")
    assert a_cib(both).filesystems == (Filesystem("A", "/dev/drbd0", None),)


def test_attributes_of_operations_and_other_agents_are_not_taken() -> None:
    operation = f'<operations><op id="o" name="monitor">{parameters(device="x")}</op></operations>'
    other = (
        '<primitive id="D" class="ocf" provider="linbit" type="drbd">'
        f"{parameters(device='/dev/drbd0')}</primitive>"
        f'<primitive id="S" class="systemd" type="Filesystem">{parameters(device="y")}</primitive>'
    )
    assert a_cib(filesystem("A", operation) + other).filesystems == ()


def test_first_of_several_attribute_sets_counts() -> None:
    sets = parameters(device="/dev/drbd0") + parameters(device="/dev/drbd1", directory="/srv")
    assert a_cib(filesystem("A", sets)).filesystems == (Filesystem("A", "/dev/drbd0", "/srv"),)


@pytest.mark.parametrize("template_first", [True, False])
def test_filesystem_from_a_template(template_first: bool) -> None:
    template = (
        '<template id="t" class="ocf" provider="heartbeat" type="Filesystem">'
        f"{parameters(device='/dev/drbd0', directory='/srv')}</template>"
    )
    uses = (
        '<primitive id="A" template="t"/>'
        f'<primitive id="B" template="t">{parameters(device="/dev/drbd1")}</primitive>'
    )
    resources = template + uses if template_first else uses + template
    assert a_cib(resources).filesystems == (
        Filesystem("A", "/dev/drbd0", "/srv"),
        Filesystem("B", "/dev/drbd1", "/srv"),
    )


def test_template_alone_and_template_that_is_missing() -> None:
    template = f'<template id="t" class="stonith" type="x">{parameters(device="d")}</template>'
    cib = a_cib(template + '<primitive id="A" template="gone"/>')
    assert cib.filesystems == ()
    assert cib.resources == {"A": Configured("A", "primitive")}


def test_fence_devices_alone_in_groups_clones_and_from_templates() -> None:
    device = '<primitive id="{}" class="stonith" type="fence_ipmilan"/>'
    resources = (
        device.format("a")
        + f'<group id="g">{device.format("b")}</group>'
        + f'<clone id="c">{device.format("c")}</clone>'
        + '<template id="t" class="stonith" type="fence_ipmilan"/>'
        + '<primitive id="d" template="t"/>'
    )
    assert a_cib(resources).fence_devices == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("score", "value"),
    [
        ("INFINITY", INFINITY),
        ("+INFINITY", INFINITY),
        ("-INFINITY", -INFINITY),
        ("50", 50),
        ("+50", 50),
        ("-50", -50),
        ("0", 0),
        ("2000000", INFINITY),
    ],
)
def test_scores(score: str, value: int) -> None:
    constraint = f'<rsc_location id="l" rsc="r" node="app01" score="{score}"/>'
    assert a_cib(constraints=constraint).locations == (Location("l", "r", "app01", value),)


def rule(inside: str, attributes: str = 'score="INFINITY"') -> str:
    return (
        f'<rsc_location id="cli-prefer-r" rsc="r"><rule id="u" {attributes}>{inside}</rule>'
        "</rsc_location>"
    )


UNAME = '<expression id="e" attribute="#uname" operation="eq" value="app02" type="string"/>'
END = '<date_expression id="d" operation="lt" end="2026-11-22 10:00:00 Z"/>'


@pytest.mark.parametrize(
    ("constraint", "node", "score"),
    [
        pytest.param(rule(UNAME + END), "app02", INFINITY, id="move-with-a-lifetime"),
        pytest.param(
            rule(UNAME + END, 'score="-INFINITY" boolean-op="and"'), "app02", -INFINITY, id="and"
        ),
        pytest.param(rule(UNAME + END, 'boolean-op="or" score="5"'), None, 5, id="or"),
        pytest.param(rule(UNAME.replace("eq", "ne")), None, INFINITY, id="not-that-node"),
        pytest.param(rule(UNAME.replace("#uname", "pingd")), None, INFINITY, id="attribute"),
        pytest.param(rule(UNAME * 2), None, INFINITY, id="two-names"),
        pytest.param(rule(UNAME, 'score-attribute="weight"'), "app02", None, id="no-number"),
        pytest.param(
            '<rsc_location id="cli-prefer-r" rsc="r"><rule id="a" score="1"/>'
            '<rule id="b" score="2"/></rsc_location>',
            None,
            None,
            id="two-rules",
        ),
    ],
)
def test_location_by_rule(constraint: str, node: str | None, score: int | None) -> None:
    assert placed(a_cib(constraints=constraint)) == [("cli-prefer-r", "r", node, score)]


def test_location_of_a_pattern_and_of_a_set() -> None:
    constraints = (
        '<rsc_location id="p" rsc-pattern="^fs" node="app01" score="1"/>'
        '<rsc_location id="s" node="app01" score="2"><resource_set id="x">'
        '<resource_ref id="a"/><resource_ref id="b"/></resource_set></rsc_location>'
    )
    assert a_cib(constraints=constraints).locations == (
        Location("p", None, "app01", 1, pattern="^fs"),
        Location("s", "a", "app01", 2),
        Location("s", "b", "app01", 2),
    )


def test_tickets() -> None:
    constraints = (
        '<rsc_ticket id="t" rsc="group1" ticket="siteA" loss-policy="stop"/>'
        '<rsc_ticket id="s" ticket="siteB"><resource_set id="x"><resource_ref id="a"/>'
        "</resource_set></rsc_ticket>"
        '<rsc_colocation id="c" rsc="a" with-rsc="b"/>'
    )
    assert a_cib(constraints=constraints).tickets == (
        TicketConstraint("t", "group1", "siteA", "stop"),
        TicketConstraint("s", "a", "siteB"),
    )


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ('<rsc_location rsc="r"/>', "rsc_location without id"),
        (
            '<rsc_location id="l" rsc="r" score="high"/>',
            "rsc_location l: score is 'high', not a score",
        ),
        ('<rsc_ticket id="t" rsc="r"/>', "rsc_ticket t without ticket"),
    ],
)
def test_constraints_that_are_none(constraint: str, message: str) -> None:
    with pytest.raises(ReadError) as error:
        a_cib(constraints=constraint)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty output"),
        ("<crm_mon/>", "root element is crm_mon, not cib"),
        ("<cib><configuration>", "cut off"),
        ("<!DOCTYPE cib><cib/>", "has a DOCTYPE, which cibadmin never prints"),
        ("{}", "this is JSON, not cibadmin's XML"),
    ],
)
def test_foreign_and_broken_input(text: str, message: str) -> None:
    with pytest.raises(ReadError) as error:
        read(text)
    assert str(error.value) == message


def test_plain_text() -> None:
    with pytest.raises(NotXml) as error:
        read("Call cib_query failed (-62): Timer expired\n")
    assert error.value.text == "Call cib_query failed (-62): Timer expired"


def test_cut_inside_the_status_section() -> None:
    text = (DOCUMENTS / "cib-2.1.5-fence-devices.xml").read_text()
    with pytest.raises(ReadError, match=r"^cut off$"):
        read(text[: text.index("<status>") + 500])


def test_exceptions_of_the_stream_pass_unchanged() -> None:
    timeout = ToolTimeout(CIB, "no answer within 8 s")

    class Failing(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise timeout

    with pytest.raises(ToolTimeout) as error:
        read_cib(Failing())
    assert error.value is timeout


# -- what binds resources to nodes and to each other ---------------------------------------------


@pytest.mark.parametrize(("level", "deeper"), [("20", True), ("10", False)])
def test_monitor_that_writes_is_known_by_its_level(level, deeper) -> None:
    cib = a_cib(
        '<primitive id="f" class="ocf" provider="heartbeat" type="Filesystem"><operations>'
        '<op id="m1" name="monitor" interval="20s"><instance_attributes id="i">'
        + nvpairs(OCF_CHECK_LEVEL=level)
        + "</instance_attributes></op></operations></primitive>"
    )
    assert cib.resources["f"].looks_deeper is deeper


@pytest.mark.parametrize("by_itself", ["", '<op id="o" name="monitor" interval="10s"/>'])
def test_monitor_that_writes_may_be_that_of_the_template(by_itself: str) -> None:
    cib = a_cib(
        '<template id="t" class="ocf" provider="heartbeat" type="Filesystem"><operations>'
        f'<op id="m" name="monitor" interval="20s">{parameters(OCF_CHECK_LEVEL="20")}</op>'
        f'</operations></template><primitive id="f" template="t"><operations>{by_itself}'
        "</operations></primitive>"
    )
    assert cib.resources["f"].looks_deeper


def test_clone_group_and_primitive_know_what_is_around_them() -> None:
    cib = a_cib(
        '<clone id="c"><meta_attributes id="m">' + nvpairs(promotable="true") + "</meta_attributes>"
        '<group id="g"><primitive id="a" class="ocf" provider="linbit" type="drbd">'
        + parameters(drbd_resource="r0")
        + '<operations><op id="s" name="start" interval="0s" timeout="240s"/>'
        '<op id="m1" name="monitor" interval="10s" timeout="20s"/></operations>'
        '</primitive><primitive id="b" class="systemd" type="x"/></group></clone>'
        '<master id="m2"><primitive id="p" class="ocf" provider="x" type="Stateful"/></master>'
    )
    assert cib.chain("a") == ("a", "g", "c")
    assert cib.resources["a"].timeouts == {"start": "240s"}
    assert not cib.resources["a"].looks_deeper
    assert cib.resources["a"].parameters == {"drbd_resource": "r0"}
    assert [one.id for one in cib.configured("linbit:drbd")] == ["a"]
    assert [one.id for one in cib.resources.values() if one.is_promotable] == ["c", "m2"]
    assert [one.id for one in cib.resources.values() if one.is_clone] == ["c", "m2"]


def test_meta_attributes_are_inherited_and_have_defaults() -> None:
    defaults = (
        meta(a="default", c="default")
        + f'<meta_attributes id="e"><rule id="r" score="1"/>{nvpairs(d="some")}</meta_attributes>'
    )
    cib = a_cib(
        f'<group id="g">{meta(a="group", b="group")}'
        f'<primitive id="p">{meta(a="own")}</primitive></group>',
        defaults=f"<rsc_defaults>{defaults}</rsc_defaults>",
    )
    assert [cib.meta("p", key) for key in "abcd"] == ["own", "group", "default", None]


def test_the_fence_handlers_constraint() -> None:
    constraint = (
        '<rsc_location rsc="ms" id="drbd-fence-by-handler-r0-ms">'
        '<rule role="Master" score="-INFINITY" id="u"><expression attribute="#uname"'
        ' operation="ne" value="alpha" id="e"/></rule></rsc_location>'
    )
    (found,) = a_cib(constraints=constraint).locations
    assert (found.resource, found.node, found.score, found.role) == (
        "ms",
        None,
        -INFINITY,
        "Promoted",
    )
    assert found.rules == (
        Rule("u", -INFINITY, None, "Promoted", False, (Expression("#uname", "ne", "alpha", None),)),
    )


def test_rules_inside_rules_and_dates() -> None:
    constraint = (
        '<rsc_location rsc="r" id="l" resource-discovery="never"><rule id="o" boolean-op="or"'
        ' score-attribute="weight"><rule id="i" score="0">'
        '<expression id="e" attribute="cpu" operation="gte" value="4" type="number"/>'
        '<date_expression id="d" operation="in_range" start="2026-01-01" end="2026-02-01"/></rule>'
        '<expression id="f" attribute="ping" operation="not_defined"/></rule></rsc_location>'
    )
    (found,) = a_cib(constraints=constraint).locations
    assert (found.node, found.score, found.discovery) == (None, None, "never")
    (rule,) = found.rules
    assert (rule.any_of, rule.score_attribute) == (True, "weight")
    assert tuple(rule.expressions()) == (
        Expression("cpu", "gte", "4", "number"),
        DateExpression("in_range", "2026-01-01", "2026-02-01"),
        Expression("ping", "not_defined", None),
    )


def resource_set(names: str, attributes: str = "") -> str:
    refs = "".join(f'<resource_ref id="{name}"/>' for name in names.split())
    return f'<resource_set id="x-{names}" {attributes}>{refs}</resource_set>'


def test_colocations() -> None:
    constraints = (
        '<rsc_colocation id="one" rsc="a" with-rsc="b" with-rsc-role="Master" score="INFINITY"/>'
        '<rsc_colocation id="none" rsc="a" with-rsc="b"/>'
        '<rsc_colocation id="sets" score="-INFINITY">'
        + resource_set("a b")
        + resource_set("c", 'role="Promoted" sequential="false"')
        + "</rsc_colocation>"
    )
    c = Member("c", "Promoted")
    assert a_cib(constraints=constraints).colocations == (
        Colocation("one", Member("a"), Member("b", "Promoted"), INFINITY),
        Colocation("none", Member("a"), Member("b"), 0),
        Colocation("sets", Member("b"), Member("a"), -INFINITY),
        Colocation("sets", Member("a"), c, -INFINITY),
        Colocation("sets", Member("b"), c, -INFINITY),
    )


def test_orders() -> None:
    constraints = (
        '<rsc_order id="one" first="a" first-action="promote" then="b" then-action="start"/>'
        '<rsc_order id="same" first="a" first-action="promote" then="b"/>'
        '<rsc_order id="kind" first="a" then="b" kind="Optional"/>'
        '<rsc_order id="old" first="a" then="b" score="0"/>'
        '<rsc_order id="sets">'
        + resource_set("a b")
        + resource_set("c d", 'sequential="false" action="promote"')
        + "</rsc_order>"
    )
    assert a_cib(constraints=constraints).orders == (
        Order("one", "a", "promote", "b", "start", True),
        Order("same", "a", "promote", "b", "promote", True),
        Order("kind", "a", "start", "b", "start", False),
        Order("old", "a", "start", "b", "start", False),
        Order("sets", "a", "start", "b", "start", True),
        Order("sets", "a", "start", "c", "promote", True),
        Order("sets", "a", "start", "d", "promote", True),
        Order("sets", "b", "start", "c", "promote", True),
        Order("sets", "b", "start", "d", "promote", True),
    )


def test_nodes_capacity_attributes_and_promotion_scores() -> None:
    transient = parameters(load="2", **{"master-drbd": "10000"})
    cib = a_cib(
        nodes=f'<node id="1" uname="app01" type="member">{parameters(site="east", load="1")}'
        f'<utilization id="u">{nvpairs(memory="2048", note="much")}</utilization></node>',
        status='<node_state id="1" uname="app01">'
        f'<transient_attributes id="1">{transient}</transient_attributes></node_state>'
        '<node_state id="2" uname="x"><transient_attributes id="2"/></node_state>',
    )
    node = cib.nodes["app01"]
    assert node.utilization == {"memory": 2048}
    assert [node.attribute(name) for name in ("site", "load", "master-drbd", "no")] == [
        "east",
        "2",
        "10000",
        None,
    ]
    assert cib.nodes["x"] == CibNode("x", configured=False)


def test_operations_under_way_are_taken_from_the_status() -> None:
    cib = a_cib(
        status='<node_state id="1" uname="app01"><lrm id="1"><lrm_resources>'
        '<lrm_resource id="FS"><lrm_rsc_op id="a" operation="start" interval="0" op-status="-1"/>'
        '<lrm_rsc_op id="b" operation="monitor" interval="0" op-status="0"/></lrm_resource>'
        "</lrm_resources></lrm></node_state>"
    )
    assert cib.pending == (PendingOperation("FS", "app01", "start", 0),)


def test_operation_under_way_that_belongs_to_no_node_is_none() -> None:
    stray = '<lrm_rsc_op id="a" operation="start" interval="0" op-status="-1"/>'
    assert a_cib(status=stray).pending == ()


def history(*operations: str, state: str = 'uname="app01"') -> Cib:
    each = "".join(f"<lrm_rsc_op {one}/>" for one in operations)
    return read(
        '<cib epoch="1"><configuration><crm_config/><nodes/><resources/><constraints/>'
        f'</configuration><status><node_state id="1" {state}><lrm id="1"><lrm_resources>'
        f'<lrm_resource id="FS">{each}</lrm_resource></lrm_resources></lrm></node_state>'
        "</status></cib>"
    )


def operation(task: str, at: object = 100, rc: int = 0, status: int = 0, interval: int = 0) -> str:
    return (
        f'id="{task}" operation="{task}" op-status="{status}" rc-code="{rc}"'
        f' interval="{interval}" last-rc-change="{at}"'
    )


def test_start_that_went_well_tells_since_when() -> None:
    found = history(operation("start"))
    assert found.started == {("FS", "app01"): 100}
    assert found.newest == {"FS": Ran("app01", "start", 100)}


@pytest.mark.parametrize(
    ("told", "newest"),
    [
        (operation("monitor", rc=7), Ran("app01", "monitor", 100)),
        (operation("monitor", rc=8), Ran("app01", "monitor", 100)),
        (operation("start", rc=7), Ran("app01", "start", 100)),
        (operation("start", rc=1), None),
        (operation("start", status=4), None),
        (operation("stop"), None),
        (operation("monitor", interval=10000), None),
        (operation("start", at="never"), None),
        (operation("start", at="\u00b2"), None),  # a digit, and no number
    ],
)
def test_what_else_was_run(told: str, newest: Ran | None) -> None:
    found = history(told)
    assert found.newest == ({} if newest is None else {"FS": newest})
    assert found.started == {}


@pytest.mark.parametrize(
    ("rc", "words", "refusal"),
    [
        (2, 'exit-reason="no such user" exec-time="12"', Refusal(2, "no such user", 12)),
        (4, 'exit-reason="none"', Refusal(4)),
        (5, 'exit-reason="" exec-time="soon"', Refusal(5)),
        (6, "", Refusal(6)),
        (1, 'exit-reason="timed out"', None),
        (7, "", None),
    ],
)
def test_result_after_which_pacemaker_does_not_try_again(
    rc: int, words: str, refusal: Refusal | None
) -> None:
    found = history(f"{operation('start', rc=rc)} {words}")
    assert found.refused == ({} if refusal is None else {("FS", "app01"): refusal})


@pytest.mark.parametrize("times", [(100, 200), (200, 100), (200, 200)])
def test_of_several_runs_the_newest_is_kept_and_the_first_of_equals(times: tuple[int, int]) -> None:
    found = history(operation("start", times[0]), operation("monitor", times[1]))
    last = "monitor" if times[1] > times[0] else "start"
    assert found.newest == {"FS": Ran("app01", last, 200)}


def test_operation_under_way_is_none_that_ended() -> None:
    found = history(operation("start", status=-1, rc=193))
    assert found.pending == (PendingOperation("FS", "app01", "start", 0, 100),)
    assert found.newest == {}


@pytest.mark.parametrize(
    ("word", "there"),
    [
        ("online", True),
        ("offline", False),
        ("1795337719", True),
        ("0", False),
        ("", None),
        ("perhaps", None),
    ],
)
def test_controller_in_the_process_group_by_word_or_by_time(word: str, there: bool | None) -> None:
    state = (
        f'<node_state id="1" uname="app01" crmd="{word}"><transient_attributes id="1">'
        "</transient_attributes></node_state>"
    )
    found = a_cib(status=state)
    assert found.nodes["app01"].controller is there


@pytest.mark.parametrize(
    ("operations", "runs"),
    [
        ([("start", 0, 5)], True),
        ([("monitor", 0, 5)], True),
        ([("monitor", 7, 5)], False),
        ([("promote", 0, 6)], True),
        ([("monitor", 0, 5), ("stop", 0, 6)], False),
        ([("stop", 0, 6), ("monitor", 0, 5)], False),
        ([("stop", 1, 6)], True),
        ([("start", 1, 5)], False),
        ([("start", 193, -1)], False),
        ([("migrate_to", 0, 7)], False),
    ],
)
def test_what_a_node_ran_after_the_last_operation_it_told_of(
    operations: list[tuple[str, int, int]], runs: bool
) -> None:
    told = "".join(
        f'<lrm_rsc_op id="{number}" operation="{task}" rc-code="{code}" call-id="{call}"'
        f' interval="0" op-status="{-1 if call < 0 else 0 if code in (0, 7) else 4}"/>'
        for number, (task, code, call) in enumerate(operations)
    )
    found = a_cib(
        status='<node_state id="1" uname="app01" crmd="online"><lrm id="1"><lrm_resources>'
        f'<lrm_resource id="FS">{told}</lrm_resource></lrm_resources></lrm></node_state>'
    )
    assert found.left_running == ({"app01": {"FS"}} if runs else {})


def test_monitor_that_recurs_does_not_tell_what_a_node_ran_last() -> None:
    told = "".join(
        f'<lrm_rsc_op id="{task}" operation="{task}" rc-code="{code}" call-id="{call}"'
        f' interval="{interval}" op-status="0"/>'
        for task, code, call, interval in (("start", 0, 5, 0), ("monitor", 7, 6, 10_000))
    )
    found = a_cib(
        status='<node_state id="1" uname="app01"><lrm id="1"><lrm_resources>'
        f'<lrm_resource id="FS">{told}</lrm_resource></lrm_resources></lrm></node_state>'
    )
    assert found.left_running == {"app01": {"FS"}}


@pytest.mark.parametrize(("word", "there"), [("online", True), ("offline", False)])
def test_controller_of_a_node_that_has_a_history_and_no_attributes(word: str, there: bool) -> None:
    state = (
        f'<node_state id="1" uname="app01" crmd="{word}"><lrm id="1"><lrm_resources>'
        f'<lrm_resource id="FS"><lrm_rsc_op {operation("start")} call-id="7"/></lrm_resource>'
        "</lrm_resources></lrm></node_state>"
    )
    found = a_cib(nodes='<node id="1" uname="app01"/>', status=state)
    assert found.nodes["app01"].controller is there
