"""``crm_mon -r -1 -X``: recorded documents, and constructed ones for the traps."""

from __future__ import annotations

import io
import locale
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from build import replace
from build_documents import NO_CONTROLLER, NODES, SUMMARY, resource, result
from build_documents import crm_mon as document
from build_documents import crm_mon_root as root
from build_tools import CRM_MON
from check_mccluster.acquire.source import ToolTimeout
from check_mccluster.model.pacemaker import (
    INFINITY,
    Ban,
    Bundle,
    Clone,
    Cluster,
    CrmMonDocument,
    DesignatedController,
    Failure,
    FenceEvent,
    FenceStatus,
    Group,
    Health,
    Node,
    Operation,
    Options,
    Primitive,
    Replica,
    ResourceHistory,
    Role,
    Summary,
    Ticket,
    primitives,
)
from check_mccluster.model.words import Unrecognised
from check_mccluster.read import crm_mon, xmlstream
from check_mccluster.read.crm_mon import QUIET, RECORDS, read_crm_mon
from check_mccluster.read.errors import NotXml, ReadError
from check_mccluster.read.xmlstream import records
from conftest import FIXTURES

DOCUMENTS = Path(__file__).parents[1] / "fixtures" / "documents"


def read(text: str | bytes) -> CrmMonDocument:
    return read_crm_mon(io.BytesIO(text.encode() if isinstance(text, str) else text))


def a_cluster(*sections: str) -> Cluster:
    cluster = read(document(*sections)).cluster
    assert cluster is not None
    return cluster


def recorded_document(name: str) -> CrmMonDocument:
    with (DOCUMENTS / f"crm_mon-{name}.xml").open("rb") as stream:
        return read_crm_mon(stream)


def recorded(name: str) -> Cluster:
    cluster = recorded_document(name).cluster
    assert cluster is not None
    return cluster


def a_primitive(**values: Any) -> Primitive:
    return Primitive(
        **{
            "id": "MYSQL",
            "agent": "ocf:heartbeat:mysql",
            "role": Role.STARTED,
            "target_role": None,
            "active": None,
            "orphaned": None,
            "blocked": None,
            "managed": None,
            "maintenance": None,
            "failed": None,
            "failure_ignored": None,
            "pending": None,
            "locked_to": None,
            "nodes": (),
            **values,
        }
    )


def a_failure(attributes: str) -> Failure:
    section = f'<failures><failure node="app01" {attributes}/></failures>'
    (failure,) = a_cluster(section).failures
    return failure


def a_history(operations: str, attributes: str = "") -> tuple[ResourceHistory, ...]:
    return a_cluster(
        f'<node_history><node name="app01"><resource_history id="MYSQL" {attributes}>{operations}'
        "</resource_history></node></node_history>"
    ).history


# The document as a whole


def test_recorded_document_with_fencing_history() -> None:
    cluster = recorded("2.1.5-fencing-failed")
    assert cluster.version == "2.1.5"
    assert cluster.summary == Summary(
        stack="corosync",
        dc=DesignatedController("app01", "1", "2.1.5-a3f44794f94", True, False),
        last_update="Sun Nov 22 09:21:56 2026",
        last_update_origin=None,
        last_change="Sun Nov 22 09:21:40 2026",
        nodes_configured=3,
        resources_configured=7,
        options=Options(True, True, "stop", False, False),
        updated=datetime(2026, 11, 22, 9, 21, 56),
        changed=datetime(2026, 11, 22, 9, 21, 40),
        changed_by="root",
        changed_with="crm_attribute",
        changed_on="app01",
    )
    assert cluster.nodes[1] == Node(
        name="app02",
        id="2",
        online=True,
        standby=False,
        standby_onfail=False,
        maintenance=False,
        pending=False,
        unclean=False,
        shutdown=False,
        expected_up=True,
        is_dc=False,
        health=Health.GREEN,
        feature_set="3.16.1",
        type="member",
        resources_running=1,
        id_as_resource=None,
    )
    assert [resource.id for resource in cluster.resources] == ["group1", "fence-bad", "fence-good"]
    assert cluster.resources[1] == Primitive(
        id="fence-bad",
        agent="stonith:fence_dummy",
        role=Role.STARTED,
        target_role=None,
        active=True,
        orphaned=False,
        blocked=False,
        managed=True,
        maintenance=None,
        failed=False,
        failure_ignored=False,
        pending=None,
        locked_to=None,
        nodes=("app02",),
    )
    assert cluster.fence_events == (
        FenceEvent(
            action="reboot",
            target="app02",
            status=FenceStatus.FAILED,
            client="stonith_admin.628",
            origin="app01",
            delegate="app01",
            completed="2026-11-22 09:21:53Z",
            exit_reason="Fence agent did not complete within 10s",
        ),
    )
    assert cluster.unrecognised == ()


@pytest.mark.parametrize("version", ["1.1.24", "2.0.5", "3.0.2"])
def test_one_recorded_state_in_three_versions(version: str) -> None:
    cluster = recorded(f"{version}-monitor-and-start-failed")
    assert cluster.version == version
    assert [(node.name, node.online, node.is_dc) for node in cluster.nodes] == [
        ("app01", True, False),
        ("app02", True, True),
        ("app03", True, False),
    ]
    (group,) = cluster.resources
    assert isinstance(group, Group)
    assert {member.role for member in group.members} == {Role.STOPPED}
    assert [
        (one.node, one.resource, one.fail_count, one.migration_threshold) for one in cluster.history
    ] == [("app02", "FS_DRBD", INFINITY, 1), ("app01", "FS_DRBD", 1, 1)]
    zone = None if version == "1.1.24" else timezone.utc
    words = {
        "1.1.24": ("unknown error", "complete"),
        "2.0.5": ("error", "complete"),
        "3.0.2": ("Error occurred", "Done"),
    }
    exit_status, status = words[version]
    assert cluster.failures == (
        Failure(
            resource="FS_DRBD",
            task="start",
            interval_ms=0,
            node="app02",
            exit_code=1,
            exit_status=exit_status,
            exit_reason="Couldn't mount device [/dev/drbd0] as /srv/data",
            status=status,
            call=22,
            time=datetime(2026, 11, 22, 9, 8, 39, tzinfo=zone),
            took_ms=9148,
        ),
        Failure(
            resource="FS_DRBD",
            task="monitor",
            interval_ms=20000,
            node="app01",
            exit_code=1,
            exit_status=exit_status,
            exit_reason="Failed to write status file /srv/data/.Filesystem_status/FS_DRBD_app01",
            status=status,
            call=33,
            time=datetime(2026, 11, 22, 9, 8, 7, tzinfo=zone),
            took_ms=8736,
        ),
    )
    assert cluster.bans == (Ban("group1-avoids-app03", "group1", "app03", -INFINITY, False),)


@pytest.mark.parametrize("version", ["1.1.24", "2.0.5", "3.0.2"])
def test_recorded_promotable_clone_has_equal_ids_and_today_s_role_words(version: str) -> None:
    clone = recorded(f"{version}-promotable-clone").resources[1]
    assert isinstance(clone, Clone)
    assert (clone.id, clone.promotable, clone.unique) == ("drbd-clone", True, False)
    assert [(one.id, one.role, one.nodes) for one in primitives(clone)] == [
        ("drbd", Role.PROMOTED, ("app02",)),
        ("drbd", Role.UNPROMOTED, ("app03",)),
    ]


def test_recorded_group_with_a_blocked_member() -> None:
    (group,) = recorded("2.1.5-stop-failed-blocked").resources
    assert isinstance(group, Group)
    blocked = group.members[-1]
    assert (blocked.id, blocked.role, blocked.active) == ("DOVECOT", Role.STARTED, True)
    assert (blocked.blocked, blocked.failed, blocked.managed) == (True, True, False)


def test_recorded_bundle() -> None:
    bundle = recorded("2.1.5-bundle").resources[1]
    assert isinstance(bundle, Bundle)
    assert replace(bundle, replicas=()) == Bundle(
        id="httpd-bundle",
        type="podman",
        image="localhost/lab:1",
        unique=False,
        managed=True,
        maintenance=None,
        failed=False,
        replicas=(),
    )
    assert [(one.id, [m.id for m in one.members]) for one in bundle.replicas] == [
        ("0", ["httpd-bundle-podman-0"]),
        ("1", ["httpd-bundle-podman-1"]),
    ]


def test_recorded_ticket() -> None:
    assert recorded("2.1.5-ticket-granted").tickets == (
        Ticket("siteA", True, False, "2026-11-22 09:20:22"),
    )


def test_recorded_orphan_of_3_0_2_has_both_names_of_the_attribute() -> None:
    found = {
        one.id: one
        for top in recorded("3.0.2-orphaned-resource").resources
        for one in primitives(top)
    }
    assert {name for name, one in found.items() if one.orphaned} == {"OLD"}


def test_recorded_cold_start_has_no_controller_and_all_nodes_offline() -> None:
    cluster = recorded("2.1.5-cold-start-without-dc")
    assert cluster.summary.dc is None
    assert [node.online for node in cluster.nodes] == [False, False, False]
    assert [node.feature_set for node in cluster.nodes] == [None, None, None]


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ('<bans><bin id="b"/></bans>', "unknown element bin in bans"),
        ('<bans><ban id="b" resource="x" node="a" weight="1"/><x/></bans>',
         "unknown element x in bans"),
        ("<failures><failune/></failures>", "unknown element failune in failures"),
        (f"<failures><{'f' * 41}/></failures>", f"unknown element {'f' * 40} in failures"),
        ('<fence_history status="0"><fencnull/></fence_history>',
         "unknown element fencnull in fence_history"),
        ('<node_attributes><node name="app01"><attribut/></node></node_attributes>',
         "unknown element attribut in node"),
        ('<node_history><node name="app01"><resource_histony/></node></node_history>',
         "unknown element resource_histony in node"),
        ("<tickets><t/></tickets>", "unknown element t in tickets"),
    ],
)  # fmt: skip
def test_element_that_nobody_knows_among_records(sections: str, message: str) -> None:
    with pytest.raises(ReadError) as error:
        a_cluster(sections)
    assert str(error.value) == message


def test_section_that_nobody_knows_is_of_another_release() -> None:
    assert a_cluster("<news><x/></news>") == a_cluster()


def test_comments_are_no_elements() -> None:
    def nodes(between: str) -> Cluster:
        node = f'<node name="app01">{between}</node>'
        fencing = f'<fence_history status="0">{between}</fence_history>'
        return a_cluster(between, fencing, f"<node_attributes>{node}{between}</node_attributes>")

    assert nodes("<!-- a > b --><?target?>") == nodes("")


def test_declaration_is_not_needed_and_not_in_the_way() -> None:
    assert read(f'<?xml version="1.0"?>\n{document()}') == read(document())
    assert read(f'\n<?xml version="1.0"?>\n{document()}') == read(document())


def test_comments_and_processing_instructions_are_skipped() -> None:
    assert read(document("<!-- c --><?p i?>")) == read(document())


def test_order_of_sections_does_not_matter() -> None:
    assert read(root(NODES, SUMMARY)) == read(document())


def test_unknown_sections_elements_and_attributes_are_skipped() -> None:
    more = '<future><node name="x" id="9"/></future><resources><future id="x"/></resources>'
    assert read(document(more)) == read(document())


def test_output_as_xml_holds_the_same_and_a_status() -> None:
    found = read(result(SUMMARY, NODES))
    assert found.status_code == 0
    assert found.cluster == replace(a_cluster(), version=None)


def test_output_as_xml_with_errors_and_status_0_is_no_answer() -> None:
    errors = ("Could not connect to the CIB: Permission denied", "Second")
    assert read(result(errors=errors)) == CrmMonDocument(
        version=None,
        pacemakerd_state=None,
        has_summary=False,
        status_code=0,
        errors=errors,
        cluster=None,
    )


# Documents that are no answer


def test_recorded_empty_root_where_no_cluster_runs() -> None:
    assert recorded_document("2.1.5-no-cluster") == CrmMonDocument(
        "2.1.5", None, False, None, (), None
    )


def test_recorded_pacemakerd_without_a_cib() -> None:
    assert recorded_document("2.1.5-cib-daemon-hangs") == CrmMonDocument(
        "2.1.5", "running", False, None, (), None
    )


def test_state_of_pacemakerd_beside_the_stack() -> None:
    summary = '<summary><stack type="corosync" pacemakerd-state="shutting_down"/></summary>'
    assert read(root(summary)).pacemakerd_state == "shutting_down"


@pytest.mark.parametrize("nodes", ["", "<nodes/>"])
def test_summary_without_nodes_is_no_answer(nodes: str) -> None:
    assert read(root(SUMMARY, nodes)) == CrmMonDocument("2.1.5", None, True, None, (), None)


def test_nodes_without_summary_are_no_answer() -> None:
    assert read(root(NODES)) == CrmMonDocument("2.1.5", None, False, None, (), None)


# Input that is not crm_mon's document


def test_recorded_text_of_1_1_24_where_no_cluster_runs() -> None:
    with pytest.raises(NotXml) as error:
        read((DOCUMENTS / "crm_mon-1.1.24-no-cluster.txt").read_bytes())
    assert error.value.text == "Error: cluster is not available on this node"
    assert str(error.value) == "not XML: Error: cluster is not available on this node"


def test_text_is_bounded_and_the_message_one_line() -> None:
    with pytest.raises(NotXml) as error:
        read("Connection to cluster failed: \xfc\n" * 1000)
    assert len(error.value.text) <= 200
    assert str(error.value) == "not XML: Connection to cluster failed: \xfc"


class OneByteAtATime(io.BytesIO):
    """A pipe that gives as little as it may."""

    def read(self, _size: int | None = -1, /) -> bytes:
        return super().read(1)


def test_short_reads_change_nothing() -> None:
    text = document(f"<resources>{resource()}</resources>")
    assert read_crm_mon(OneByteAtATime(text.encode())) == read(text)
    with pytest.raises(NotXml) as error:
        read_crm_mon(OneByteAtATime(b"\nError: cluster is not available on this node\n"))
    assert error.value.text == "Error: cluster is not available on this node"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "empty output", id="empty"),
        pytest.param(" \n\n", "empty output", id="white-space"),
        pytest.param('[\n{"name": "r0"}]\n', "this is JSON, not crm_mon's XML", id="json-list"),
        pytest.param('{"a": 1}', "this is JSON, not crm_mon's XML", id="json-object"),
        pytest.param("<cib/>", "root element is cib, not crm_mon or pacemaker-result", id="cib"),
        pytest.param(
            "<html><body/></html>",
            "root element is html, not crm_mon or pacemaker-result",
            id="html",
        ),
        pytest.param(
            '<crm_mon xmlns="urn:x"/>',
            "root element is {urn:x}crm_mon, not crm_mon or pacemaker-result",
            id="namespace",
        ),
        pytest.param("<crm_mon", "cut off", id="cut-in-root"),
        pytest.param('<crm_mon version="2.1.5">', "cut off", id="cut-after-root"),
        pytest.param(
            "<crm_mon/><crm_mon/>",
            "not well-formed XML: Extra content at the end of the document, line 1, column 11",
            id="two-documents",
        ),
        pytest.param(
            "<!DOCTYPE crm_mon><crm_mon/>",
            "has a DOCTYPE, which crm_mon never prints",
            id="doctype",
        ),
        pytest.param(
            '<!DOCTYPE crm_mon [<!ENTITY v SYSTEM "file:///etc/hostname">]><crm_mon>&v;</crm_mon>',
            "has a DOCTYPE, which crm_mon never prints",
            id="external-entity",
        ),
    ],
)
def test_foreign_and_broken_input(text: str, message: str) -> None:
    with pytest.raises(ReadError) as error:
        read(text)
    assert str(error.value) == message


def test_entity_bomb_is_refused() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<!DOCTYPE crm_mon [<!ENTITY e0 "x">{entities}]><crm_mon version="&e9;"/>'
    with pytest.raises(ReadError):
        read(text)


def test_undefined_entity_is_refused() -> None:
    with pytest.raises(ReadError):
        read("<crm_mon>&x;</crm_mon>")


def test_unescaped_attribute_value_of_1_1_24_is_refused() -> None:
    section = (
        '<node_attributes><node name="app01"><attribute name="note" value="say "x" & <y>"/>'
        "</node></node_attributes>"
    )
    with pytest.raises(ReadError, match=r"^not well-formed XML: "):
        read(document(section))


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
def test_recorded_document_cut_anywhere(part: float) -> None:
    text = (DOCUMENTS / "crm_mon-2.1.5-fencing-failed.xml").read_bytes().rstrip()
    with pytest.raises(ReadError, match=r"^cut off$"):
        read(text[: int(len(text) * part)])


class Failing(io.BytesIO):
    """Output whose deadline passes while it is read."""

    def __init__(self, content: bytes, error: Exception) -> None:
        super().__init__(content)
        self.error = error

    def read(self, _size: int | None = -1, /) -> bytes:
        found = super().read(20)
        if not found:
            raise self.error
        return found


@pytest.mark.parametrize("content", [b"", b" \n", b"Error: c", document()[:200].encode()])
def test_exceptions_of_the_stream_pass_unchanged(content: bytes) -> None:
    timeout = ToolTimeout(CRM_MON, "no answer within 8 s")
    with pytest.raises(ToolTimeout) as error:
        read_crm_mon(Failing(content, timeout))
    assert error.value is timeout


# Attributes


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ('<nodes><node id="1"/></nodes>', "node 1 without name"),
        ('<nodes><node name="" id="1"/></nodes>', "node 1 without name"),
        ('<nodes><node name="app01"/></nodes>', "node app01 without id"),
        (
            '<nodes><node name="app01" id="1" online="yes"/></nodes>',
            "node app01: online is 'yes', not true or false",
        ),
        (
            '<nodes><node name="app01" id="1" online="True"/></nodes>',
            "node app01: online is 'True', not true or false",
        ),
        (
            '<nodes><node name="app01" id="1" resources_running="1_0"/></nodes>',
            "node app01: resources_running is '1_0', not a number",
        ),
        (
            f'<nodes><node name="a" id="1" resources_running="{"9" * 5000}"/></nodes>',
            f"node a: resources_running is '{'9' * 40}...', not a number",
        ),
        ("<resources><resource/></resources>", "resource without id"),
        ('<resources><resource id="X" role=""/></resources>', "resource X without resource_agent"),
        (
            '<resources><resource id="X" resource_agent="ocf:y:Z"/></resources>',
            "resource X without role",
        ),
        (
            f"<resources>{resource('active=' + chr(34) + '1' + chr(34))}</resources>",
            "resource MYSQL: active is '1', not true or false",
        ),
        ('<resources><group id="g"><resource/></group></resources>', "resource without id"),
        (f"<resources>{resource('', '<node/>')}</resources>", "node without name"),
        ('<failures><failure node="app01"/></failures>', "failure without op_key"),
        ('<failures><failure op_key="X_start_0"/></failures>', "failure without node"),
        ('<bans><ban id="b" resource="r" node="n"/></bans>', "ban b without weight"),
        (
            '<bans><ban id="b" resource="r" node="n" weight="low"/></bans>',
            "ban b: weight is 'low', not a score",
        ),
        (
            '<bans><ban id="b:" resource="r" node="n" weight="-1000000"/></bans>',
            "ban b:: no id of a constraint",
        ),
        ("<tickets><ticket/></tickets>", "ticket without id"),
        (
            '<fence_history><fence_event status="success"/></fence_history>',
            "fence_event without target",
        ),
        (
            '<fence_history><fence_event target="app01"/></fence_history>',
            "fence_event without status",
        ),
        (
            '<node_history><node><resource_history id="X" fail-count="1" migration-threshold="3"/>'
            "</node></node_history>",
            "node without name",
        ),
        (
            '<summary><current_dc present="maybe"/></summary>',
            "current_dc: present is 'maybe', not true or false",
        ),
    ],
)
def test_missing_names_and_wrong_types_are_refused(section: str, message: str) -> None:
    with pytest.raises(ReadError) as error:
        read(document(section))
    assert str(error.value) == message


def test_what_is_not_printed_is_none() -> None:
    cluster = a_cluster(f"<resources>{resource()}</resources>")
    assert cluster == Cluster(
        version="2.1.5",
        summary=Summary("corosync", None, None, None, None, None, None, Options(*[None] * 5)),
        nodes=(Node("app01", "1", True, *[None] * 13),),
        resources=(a_primitive(),),
        history=(),
        failures=(),
        bans=(),
        tickets=(),
        fence_events=(),
        fence_history_status=None,
    )


def test_unknown_last_change_is_none() -> None:
    change = '<last_change time="" user="" client="" origin=""/>'
    read_back = read(
        root(f"<summary>{NO_CONTROLLER}{change}<cluster_options/></summary>", NODES)
    ).cluster
    assert read_back is not None
    assert read_back.summary.last_change is None


@pytest.mark.parametrize(
    ("attributes", "enabled"),
    [
        ("", None),
        ('stonith-enabled="true"', True),
        ('fencing-enabled="false" stonith-enabled="true"', False),
        ('stonith-enabled="false" fencing-enabled="true"', True),
    ],
)
def test_fencing_enabled_under_both_names(attributes: str, enabled: bool | None) -> None:
    cluster = read(
        root(f"<summary>{NO_CONTROLLER}<cluster_options {attributes}/></summary>", NODES)
    ).cluster
    assert cluster is not None
    assert cluster.summary.options.fencing_enabled is enabled


def test_guest_node_under_both_names_of_its_container() -> None:
    cluster = a_cluster(
        '<nodes><node name="g1" id="g1" type="remote" id_as_resource="box"/>'
        '<node name="g2" id="g2" type="remote" container_id="box2"/></nodes>'
    )
    assert [(node.name, node.id_as_resource) for node in cluster.nodes] == [
        ("app01", None),
        ("g1", "box"),
        ("g2", "box2"),
    ]


@pytest.mark.parametrize(
    ("word", "role"),
    [
        *((role.value, role) for role in Role),
        ("Master", Role.PROMOTED),
        ("Slave", Role.UNPROMOTED),
    ],
)
def test_roles(word: str, role: Role) -> None:
    assert a_cluster(f"<resources>{resource(role=word)}</resources>").resources == (
        a_primitive(role=role),
    )


def test_compat_build_of_2_1_2_mixes_old_and_new_words() -> None:
    cluster = a_cluster(
        "<resources>"
        + resource('target_role="Unpromoted"', role="Slave")
        + "</resources>"
        + '<bans><ban id="b" resource="r" node="n" weight="-1000000" promoted-only="true"'
        ' master_only="true"/></bans>'
    )
    assert cluster.resources == (a_primitive(role=Role.UNPROMOTED, target_role="Unpromoted"),)
    assert cluster.bans == (Ban("b", "r", "n", -INFINITY, True),)


def test_target_role_is_kept_as_configured() -> None:
    (found,) = a_cluster(
        f"<resources>{resource('target_role=' + chr(34) + 'stopped' + chr(34))}</resources>"
    ).resources
    assert found == a_primitive(target_role="stopped")


def test_resource_attributes_and_nodes() -> None:
    section = resource(
        'active="true" removed="true" blocked="true" managed="false" maintenance="true" '
        'failed="true" failure_ignored="false" nodes_running_on="2" pending="Monitoring" '
        'locked_to="app02"',
        '<node name="app01" id="1" cached="true"/><node name="app02" id="2" cached="false"/>',
    )
    assert a_cluster(f"<resources>{section}</resources>").resources == (
        a_primitive(
            active=True,
            orphaned=True,
            blocked=True,
            managed=False,
            maintenance=True,
            failed=True,
            failure_ignored=False,
            pending="Monitoring",
            locked_to="app02",
            nodes=("app01", "app02"),
        ),
    )


def test_node_cached_is_never_read() -> None:
    for cached in ("true", "false", "nonsense"):
        node = f'<node name="app01" id="1" cached="{cached}"/>'
        assert a_cluster(f"<resources>{resource('', node)}</resources>").resources == (
            a_primitive(nodes=("app01",)),
        )


def test_clone_of_a_group() -> None:
    (clone,) = a_cluster(
        '<resources><clone id="c" multi_state="false" unique="true" managed="true"'
        ' disabled="true" maintenance="false" failed="false" failure_ignored="false"'
        ' target_role="Stopped">'
        f'<group id="g:0" number_resources="1">{resource()}</group>'
        f'<group id="g:1" disabled="true">{resource(role="Stopped")}</group>'
        "</clone></resources>"
    ).resources
    assert clone == Clone(
        id="c",
        promotable=False,
        unique=True,
        managed=True,
        disabled=True,
        maintenance=False,
        failed=False,
        failure_ignored=False,
        target_role="Stopped",
        instances=(
            Group("g:0", None, None, None, (a_primitive(),)),
            Group("g:1", None, True, None, (a_primitive(role=Role.STOPPED),)),
        ),
    )


def test_bundle_replica_with_ip_inner_resource_container_and_remote() -> None:
    (bundle,) = a_cluster(
        '<resources><bundle id="b" type="docker" image="i" unique="true" managed="true"'
        f' maintenance="true" failed="true"><replica id="0">{resource() * 4}</replica></bundle>'
        "</resources>"
    ).resources
    assert bundle == Bundle(
        id="b",
        type="docker",
        image="i",
        unique=True,
        managed=True,
        maintenance=True,
        failed=True,
        replicas=(Replica("0", (a_primitive(),) * 4),),
    )


# Words that nobody knows


def test_unknown_words_are_kept_and_collected_once() -> None:
    cluster = a_cluster(
        '<nodes><node name="app02" id="2" health="purple"/></nodes>'
        f'<resources><clone id="c">{resource(role="Dancing") * 2}</clone>'
        + resource('pending="Waiting"').replace('"MYSQL"', '"other"')
        + "</resources>"
        '<fence_history><fence_event target="app03" status="done"/></fence_history>'
        '<tickets><ticket id="T" status="lent" standby="false"/></tickets>'
    )
    words = {
        "role": Unrecognised("Dancing", "role of MYSQL"),
        "pending": Unrecognised("Waiting", "pending of other"),
        "health": Unrecognised("purple", "health of app02"),
        "fencing": Unrecognised("done", "fencing of app03"),
        "ticket": Unrecognised("lent", "status of ticket T"),
    }
    assert cluster.nodes[1].health == words["health"]
    assert [one.role for one in primitives(cluster.resources[0])] == [words["role"]] * 2
    assert cluster.fence_events[0].status == words["fencing"]
    assert cluster.tickets == (Ticket("T", None, False),)
    assert set(cluster.unrecognised) == set(words.values())
    assert len(cluster.unrecognised) == len(words)


# History


OK_MONITOR = '<operation_history task="monitor" rc="0" rc_text="ok" interval="5000ms"/>'


def test_history_of_what_went_well_is_not_kept() -> None:
    assert (
        a_history(
            OK_MONITOR
            + '<operation_history task="monitor" rc="8" rc_text="promoted" interval="5000ms"/>'
            + '<operation_history task="probe" rc="7" rc_text="not running"/>',
            'orphan="false" migration-threshold="1000000"',
        )
        == ()
    )


def printed(operation: str, attributes: str = "") -> str:
    """A history as Pacemaker prints it."""
    return (
        f'<resource_history id="X" orphan="false" migration-threshold="3"{attributes}>\n'
        f"  <operation_history {operation}/>\n</resource_history>"
    )


TIMES = 'last-rc-change="Sun Nov 22 09:00:00 2026" exec-time="4ms" queue-time="0ms"'


@pytest.mark.parametrize(
    "operation",
    [
        f'call="1" task="monitor" rc="0" rc_text="ok" interval="10000ms" {TIMES}',
        f'call="1" task="monitor" rc="8" rc_text="promoted" interval="10000ms" {TIMES}',
        f'call="1" task="start" rc="0" rc_text="ok" {TIMES}',
        f'call="1" task="probe" rc="7" rc_text="not running" interval="0ms" {TIMES}',
        f'call="1" task="stop" {TIMES} rc="7" rc_text="not running" ',
        f'call="1" task="monitor" interval="10000ms" {TIMES} rc="0" rc_text="ok" ',
    ],
)
def test_histories_that_need_not_be_parsed(operation: str) -> None:
    assert re.sub(QUIET, b"", printed(operation).encode()) == b""


@pytest.mark.parametrize(
    "history",
    [
        printed(f'call="1" task="monitor" rc="1" rc_text="error" interval="10000ms" {TIMES}'),
        printed(f'call="1" task="monitor" rc="7" rc_text="gone" interval="10000ms" {TIMES}'),
        printed(f'call="1" task="monitor" rc="7" rc_text="gone" interval="0500ms" {TIMES}'),
        printed(f'call="1" task="monitor" interval="10000ms" {TIMES} rc="7" rc_text="gone"'),
        printed(f'call="1" task="monitor" rc="0" rc_text="ok" interval="m5s" {TIMES}'),
        printed(f'call="1" task="monitor" rc="0" rc="0" rc_text="ok" {TIMES}'),
        printed(f'call="1" task="" rc="0" rc_text="ok" {TIMES}'),
        printed(f'call="1" task="st&art" rc="0" rc_text="ok" {TIMES}'),
        printed(f'call="1" task="start" rc="0" rc_text="ok" {TIMES} exit-reason="new"'),
        printed(f'call="1" task="start" rc="0" rc_text="ok" {TIMES}', ' fail-count="1"'),
        printed(f'call="1" task="start" rc="0" rc_text="ok" {TIMES}', ' last-failure="now"'),
    ],
)
def test_histories_that_are_parsed(history: str) -> None:
    assert re.sub(QUIET, b"", history.encode()) == history.encode()


def test_what_is_not_parsed_is_nothing_that_would_be_kept(monkeypatch) -> None:
    documents = [*DOCUMENTS.glob("crm_mon-*.xml"), *FIXTURES.glob("snapshots/*/*/crm_mon.xml")]
    texts = [document.read_bytes() for document in documents]
    texts = [text for text in texts if b"<operation_history" in text]
    monkeypatch.setattr(xmlstream, "LARGE", 0)
    read_at_once = [read(text) for text in texts]
    monkeypatch.setattr(crm_mon, "QUIET", None)
    assert len(texts) > 50
    assert read_at_once == [read(text) for text in texts]


def test_what_is_not_parsed_hides_no_damage_around_it(monkeypatch) -> None:
    monkeypatch.setattr(xmlstream, "LARGE", 0)
    history = printed(f'call="1" task="start" rc="0" rc_text="ok" {TIMES}')
    section = f'<node_history><node name="app01">{history * 3}</node></node_history>'
    assert a_cluster(section) == a_cluster()
    for damaged in (
        section.replace("</resource_history>", "", 1),
        section.replace('<node name="app01">', '<node name="app01'),
        section.replace("</node>", ""),
        section.replace(' id="X"', ' id="X" id="X"', 1),
    ):
        with pytest.raises(ReadError, match=r"not well-formed XML|cut off"):
            read(document(damaged))


def test_history_of_an_orphan_has_no_further_attributes() -> None:
    assert a_history("", 'orphan="true"') == ()


def test_history_with_a_fail_count() -> None:
    assert a_history(
        OK_MONITOR,
        'orphan="false" migration-threshold="INFINITY" fail-count="INFINITY"'
        ' last-failure="Sun Nov 22 09:08:48 2026"',
    ) == (
        ResourceHistory(
            node="app01",
            resource="MYSQL",
            orphaned=False,
            migration_threshold=INFINITY,
            fail_count=INFINITY,
            last_failure="Sun Nov 22 09:08:48 2026",
            operations=(Operation("monitor", 0, "ok", 5000),),
        ),
    )


@pytest.mark.parametrize("count", ["1000000", "+INFINITY", "2000000"])
def test_a_million_and_more_is_infinity(count: str) -> None:
    (history,) = a_history("", f'migration-threshold="3" fail-count="{count}"')
    assert (history.fail_count, history.migration_threshold) == (INFINITY, 3)


def test_history_with_an_agent_that_is_not_installed() -> None:
    (history,) = a_history('<operation_history call="25" task="probe" rc="5" rc_text="gone"/>')
    assert history.fail_count is None
    assert history.operations == (Operation("probe", 5, "gone", None),)


def test_recurring_monitor_that_found_nothing_running() -> None:
    (history,) = a_history('<operation_history task="monitor" rc="7" interval="5000ms"/>')
    assert history.operations == (Operation("monitor", 7, None, 5000),)


def test_history_of_old_versions_with_empty_nodes() -> None:
    section = '<node_history><node name="app01"></node></node_history><tickets></tickets><bans/>'
    assert a_cluster(section) == a_cluster()


def test_same_names_elsewhere_do_not_mix() -> None:
    section = (
        '<node_attributes><node name="app01"><attribute name="master-drbd" value="10"/></node>'
        "</node_attributes>"
        '<node_history><node name="app09"><resource_history id="X"/></node></node_history>'
    )
    assert a_cluster(section) == a_cluster()


# Failures


@pytest.mark.parametrize(
    ("attributes", "resource"),
    [
        ('op_key="p1_monitor_2000" task="monitor" interval="2000"', "p1"),
        ('op_key="my_start_db_start_0" task="start" interval="0"', "my_start_db"),
        ('op_key="p_migrate_to_0" task="migrate_to" interval="0"', "p"),
        ('op_key="p_migrate_to_0"', "p"),
        ('op_key="a_b_monitor_10000"', "a_b"),
        ('op_key="p_post_notify_promote_0" task="notify" interval="0"', "p"),
        ('id="p1_monitor_2000" task="monitor" interval="2000"', "p1"),
        ('id="my_db_last_failure_0" task="monitor" interval="10000"', "my_db"),
        ('id="id" task="monitor" interval="10000"', "id"),
    ],
)
def test_resource_of_a_failure(attributes: str, resource: str) -> None:
    assert a_failure(attributes).resource == resource


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [
        pytest.param("Couldn&amp;apos;t mount", "Couldn't mount", id="escaped-twice"),
        pytest.param("Couldn&apos;t mount", "Couldn't mount", id="escaped-once"),
        pytest.param("it's", "it's", id="plain"),
        pytest.param("a &amp;lt; b &amp;amp; &amp;quot;c&amp;quot;", 'a < b & "c"', id="all"),
        pytest.param("a &amp; b &lt; c", "a & b < c", id="once-stays"),
        pytest.param("x&amp;copy=1&amp;lt", "x&copy=1&lt", id="no-entity-of-xml"),
        pytest.param("&amp;amp;lt;", "&lt;", id="only-once-more"),
        pytest.param("Ger\xe4t", "Ger\xe4t", id="utf-8"),
        pytest.param(r"Ger\37777777703\37777777644t", "Ger\xe4t", id="octal-of-2.1.2"),
        pytest.param("none", None, id="none"),
        pytest.param("", None, id="empty"),
    ],
)
def test_exit_reason(attribute: str, reason: str | None) -> None:
    assert a_failure(f'op_key="p_start_0" exitreason="{attribute}"').exit_reason == reason


@pytest.mark.parametrize(
    ("attribute", "time"),
    [
        ("2026-11-22 09:04:36Z", datetime(2026, 11, 22, 9, 4, 36, tzinfo=timezone.utc)),
        (
            "2026-11-22 09:04:36 -04:30",
            datetime(2026, 11, 22, 9, 4, 36, tzinfo=timezone(-timedelta(hours=4, minutes=30))),
        ),
        (
            "2026-11-22 09:04:36+0100",
            datetime(2026, 11, 22, 9, 4, 36, tzinfo=timezone(timedelta(hours=1))),
        ),
        (
            "2026-11-22T09:04:36.123456Z",
            datetime(2026, 11, 22, 9, 4, 36, tzinfo=timezone.utc),
        ),
        ("2026-11-22 09:04:36", datetime(2026, 11, 22, 9, 4, 36)),
        ("Sun Nov 22 09:04:36 2026", datetime(2026, 11, 22, 9, 4, 36)),
        ("Sun Nov  1 09:04:36 2026", datetime(2026, 11, 1, 9, 4, 36)),
        ("So Nov 22 09:04:36 2026", None),
        ("Sun Dez 22 09:04:36 2026", None),
        ("2026-13-22 09:04:36Z", None),
        ("2026-11-22 09:04:36 +99:00", None),
        ("soon", None),
        ("", None),
    ],
)
def test_time_of_a_failure(attribute: str, time: datetime | None) -> None:
    assert a_failure(f'op_key="p_start_0" last-rc-change="{attribute}"').time == time


def test_month_names_do_not_depend_on_the_locale() -> None:
    before = locale.setlocale(locale.LC_TIME)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"):
        try:
            locale.setlocale(locale.LC_TIME, name)
        except locale.Error:
            continue
        break
    try:
        failure = a_failure('op_key="p_start_0" last-rc-change="Tue Dec  1 09:04:36 2026"')
    finally:
        locale.setlocale(locale.LC_TIME, before)
    assert failure.time == datetime(2026, 12, 1, 9, 4, 36)


def test_call_id_of_a_pending_operation() -> None:
    assert a_failure('op_key="p_start_0" call="-1" exitcode="193"').call == -1


# Bans, tickets, fencing


def test_bans_keep_the_new_name_first() -> None:
    cluster = a_cluster(
        '<bans><ban id="cli-ban-group1-on-app02" resource="group1" node="app02"'
        ' weight="-1000000" promoted-only="false" master_only="false"/>'
        '<ban id="x" resource="r" node="n" weight="-INFINITY" master_only="true"/>'
        '<ban id="y" resource="r" node="n" weight="-100"/></bans>'
    )
    assert cluster.bans == (
        Ban("cli-ban-group1-on-app02", "group1", "app02", -INFINITY, False),
        Ban("x", "r", "n", -INFINITY, True),
        Ban("y", "r", "n", -100, None),
    )


@pytest.mark.parametrize(
    ("attributes", "granted"),
    [
        ('status="granted"', True),
        ('status="revoked"', False),
        ('status="revoked" granted="false"', False),
        ('granted="true"', True),
        ("", None),
    ],
)
def test_tickets(attributes: str, granted: bool | None) -> None:
    cluster = a_cluster(f'<tickets><ticket id="T" {attributes} extra="1"/></tickets>')
    assert cluster.tickets == (Ticket("T", granted, None),)
    assert cluster.unrecognised == ()


@pytest.mark.parametrize("name", ["status", "state"])
def test_fence_event_under_both_names_of_its_status(name: str) -> None:
    cluster = a_cluster(
        f'<fence_history><fence_event target="app02" action="off" {name}="pending"/>'
        "</fence_history>"
    )
    assert cluster.fence_events == (
        FenceEvent("off", "app02", FenceStatus.PENDING, None, None, None, None, None),
    )


def test_fencer_that_could_not_be_asked() -> None:
    assert a_cluster('<fence_history status="102"/>').fence_history_status == 102


# Size


class LongHistory(io.RawIOBase):
    """A constructed document with a long history, in pieces of 100 resources."""

    def __init__(self, pieces: int) -> None:
        history = f'<resource_history id="X">{OK_MONITOR * 5}</resource_history>\n' * 100
        self.pieces = [
            f'<crm_mon version="2.1.5">{SUMMARY}{NODES}<node_history><node name="app01">',
            *[history] * pieces,
            "</node></node_history></crm_mon>",
        ]

    def read(self, _size: int = -1, /) -> bytes:
        return self.pieces.pop(0).encode() if self.pieces else b""


@pytest.mark.parametrize("unknown", [False, True])
def test_elements_are_dropped_while_the_document_streams_by(unknown: bool) -> None:
    paths = {(), ("summary",)} if unknown else RECORDS
    stream = LongHistory(20)
    if unknown:  # what nobody reads must not pile up either
        stream.pieces.insert(-1, f"</node></node_history>{SUMMARY}<node_history><node>")
    sizes = []
    for path, element in records(stream, "crm_mon", ("crm_mon",), paths):
        if not path:
            root = element
        sizes.append(sum(1 for _ in root.iter()))
    assert len(sizes) == (3 if unknown else 2003)
    # Of 12,000 elements at most those of the piece at hand and the one before.
    assert max(sizes) < 1300


def test_long_history_of_what_went_well_leaves_nothing() -> None:
    assert read_crm_mon(LongHistory(20)).cluster == a_cluster()


class _InPieces:
    """A stream that gives as little as it is told to, as a pipe may."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data = io.BytesIO(data)
        self._size = size

    def read(self, size: int) -> bytes:
        return self._data.read(min(size, self._size))


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_the_pieces_in_which_a_document_arrives_make_no_difference(size):
    history = "".join(
        f'<resource_history id="r{n}" migration-threshold="3" fail-count="{n % 3}">'
        f'<operation_history task="monitor"'
        f' rc="{n % 2}" interval="10000ms"/></resource_history>'
        for n in range(40)
    )
    data = root(
        f'<summary>{NO_CONTROLLER}<nodes_configured number="2"/><cluster_options/></summary>'
        '<nodes><node name="a" id="1"/><node name="b" id="2"/></nodes>',
        f'<resources><group id="g">{resource(name="x")}</group>'
        f"{resource(name='y', role='Stopped')}</resources>",
        f'<node_history><node name="a">{history}</node><node name="b">{history}</node>'
        "</node_history>",
    ).encode()
    whole = read_crm_mon(io.BytesIO(data))
    assert read_crm_mon(_InPieces(data, size)) == whole
    kept = [f"r{n}" for n in range(40) if n % 3 or n % 2]
    assert [one.resource for one in whole.cluster.history] == kept * 2


@pytest.mark.parametrize("interval", ["NaNms", "ms", "1.5ms", "m5s", "5ms5", " 5ms", "INFINITYms"])
def test_an_interval_that_is_none_is_refused_in_a_good_operation_too(interval):
    data = root(
        '<node_history><node name="a"><resource_history id="r"><operation_history'
        f' task="monitor" rc="0" interval="{interval}"/></resource_history></node></node_history>'
    ).encode()
    with pytest.raises(ReadError, match=r"interval is .*, not a number"):
        read_crm_mon(io.BytesIO(data))


def _damaged(nodes: str = "", resources: str = "", history: str = "") -> bytes:
    return root(
        SUMMARY,
        f'<nodes><node name="a" id="1" type="member"/>{nodes}</nodes>',
        f'<resources>{resources}</resources><node_history><node name="a">{history}</node>'
        "</node_history>",
    ).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_damaged(nodes='<node name="a" id="2"/>'), "node a is there twice"),
        (_damaged(nodes='<node name="b" id="1"/>'), "node id 1 is there twice"),
        (_damaged(resources=resource(name="x") * 2), "resource x is there twice"),
        (
            _damaged(history='<resource_history id="x" fail-count="-1"/>'),
            "resource_history x: fail-count is -1, below 0",
        ),
        (
            _damaged(history='<resource_history id="x" last-failure="Sun Nov 22 09:00:00 2026"/>'),
            "resource_history x: last-failure without fail-count",
        ),
    ],
)
def test_what_cannot_be_so_is_refused(data, message):
    with pytest.raises(ReadError, match=message):
        read_crm_mon(io.BytesIO(data))


@pytest.mark.parametrize("word", ["Yes", "", "members"])
def test_an_unknown_type_of_a_node_is_told(word):
    document = read_crm_mon(io.BytesIO(_damaged(nodes=f'<node name="b" id="2" type="{word}"/>')))
    assert document.cluster.unrecognised == (Unrecognised(word, "type of node b"),)


# What would otherwise be read as something else.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (document(NODES), "node app01 is there twice"),
        (document(NODES.replace("app01", "app02")), "node id 1 is there twice"),
        (
            document(f"<resources>{resource()}{resource(role='Stopped')}</resources>"),
            "resource MYSQL is there twice",
        ),
        (
            document(f'<resources><group id="g">{resource()}{resource()}</group></resources>'),
            "member of g MYSQL is there twice",
        ),
        (
            document().replace(
                "<cluster_options/>", '<nodes_configured number="2"/><cluster_options/>'
            ),
            "1 nodes, nodes_configured says 2",
        ),
        (document().replace("<cluster_options/>", ""), "summary without cluster_options"),
        (document().replace(NO_CONTROLLER, ""), "summary without current_dc"),
        (
            document(
                '<node_history><node name="app01"><resource_history id="MYSQL" fail-count="-1"/>'
                "</node></node_history>"
            ),
            "resource_history MYSQL: fail-count is -1, below 0",
        ),
        *(
            (
                document(f'<failures><failure op_key="{key}" node="app01"/></failures>'),
                "failure of something that is no operation",
            )
            for key in ("nonsense", "_monitor_0")
        ),
        (document("\tban id='x'/>"), "text between the elements"),
        (document(f"<resources>{resource()} resource/></resources>"), "text between the elements"),
        (document().replace("app01", "a" * 100_000), "node: name has 100000 characters"),
    ],
    ids=[
        *(
            "node",
            "id",
            "resource",
            "member",
            "count",
            "options",
            "controller",
            "fail-count",
            "key",
        ),
        *("keyless", "tag", "inner", "length"),
    ],
)
def test_damage_inside_a_well_formed_document(text: str, message: str) -> None:
    with pytest.raises(ReadError) as error:
        read(text)
    assert str(error.value) == message


def test_resource_of_the_configuration_twice() -> None:
    one = resource('orphaned="false"')
    with pytest.raises(ReadError, match="resource MYSQL is there twice"):
        a_cluster(f"<resources>{one}{one}</resources>")


def test_removed_instance_with_the_id_of_another() -> None:
    here = '<node name="app01" id="1" cached="true"/>'
    both = resource('orphaned="true"', here) + resource('orphaned="false"', here)
    clone = f'<clone id="c" multi_state="false" unique="false">{both}</clone>'
    assert a_cluster(f"<resources>{clone}</resources>")


def test_history_of_one_resource_twice_on_a_node() -> None:
    one = '<resource_history id="MYSQL" migration-threshold="3" fail-count="1"/>'
    twice = f'<node_history><node name="app01">{one}{one}</node></node_history>'
    with pytest.raises(ReadError, match="history of MYSQL on app01 is there twice"):
        a_cluster(twice)


def test_removed_resource_with_the_id_of_what_took_its_place() -> None:
    both = resource('orphaned="true"') + resource('orphaned="false"')
    assert len(a_cluster(f"<resources>{both}</resources>").resources) == 2


def test_instance_of_an_anonymous_clone_twice_on_one_node() -> None:
    running = resource(inside='<node name="app01" id="1" cached="true"/>')
    clone = f'<clone id="c" multi_state="false" unique="false">{running}{{}}</clone>'
    stopped = resource(role="Stopped")
    assert a_cluster(f"<resources>{clone.format(stopped + stopped)}</resources>")
    with pytest.raises(ReadError, match="c instance MYSQL on app01 is there twice"):
        a_cluster(f"<resources>{clone.format(running)}</resources>")


def test_threshold_of_a_resource_that_differs_from_node_to_node() -> None:
    """It is the resource's: damaged on one node it would un-bar that one."""
    history = (
        '<node name="app0{0}"><resource_history id="FS:{0}" orphan="false"'
        ' migration-threshold="{1}" fail-count="1"/></node>'
    )
    same = history.format(1, 1) + history.format(2, 1)
    assert len(a_cluster(f"<node_history>{same}</node_history>").history) == 2
    other = history.format(1, 1) + history.format(2, 10)
    with pytest.raises(ReadError, match="FS:2: migration-threshold is another one elsewhere"):
        a_cluster(f"<node_history>{other}</node_history>")


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ('fail-count="1"', "without migration-threshold"),
        ('migration-threshold="3" fail-count="-1"', "fail-count is -1, below 0"),
        ('migration-threshold="3" last-failure="now"', "last-failure without fail-count"),
    ],
)
def test_history_that_lacks_what_a_rule_depends_on(attributes: str, message: str) -> None:
    with pytest.raises(ReadError) as error:
        a_history(OK_MONITOR, attributes)
    assert str(error.value).endswith(message)


def test_history_with_a_fail_count_of_none() -> None:
    assert a_history(OK_MONITOR, 'migration-threshold="3" fail-count="0"') == ()
