"""The Ansible collection without Ansible: what pcs would be told, and Corosync's arithmetic."""

from __future__ import annotations

import importlib.util
import re
import sys
import xml.etree.ElementTree as ET

import pytest

from build_documents import cib as cib_document
from conftest import FIXTURES, ROOT

COLLECTION = ROOT / "contrib/ansible"
UTILS = COLLECTION / "plugins/module_utils"
HEALTHY = FIXTURES / "snapshots/six-nodes-healthy/app01"


def load(name: str):
    """A module of the collection, which is no package here."""
    spec = importlib.util.spec_from_file_location(f"collection_{name}", UTILS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


plan, totem = load("plan"), load("totem")

FS = """<primitive id="FS" class="ocf" provider="heartbeat" type="Filesystem">
  <instance_attributes id="FS-i"><nvpair id="FS-d" name="device" value="/dev/drbd0"/>
  </instance_attributes>
  <meta_attributes id="FS-m"><nvpair id="FS-t" name="target-role" value="Stopped"/>
  </meta_attributes>
  <operations>
    <op id="FS-monitor" name="monitor" interval="20" timeout="40s"><instance_attributes id="FS-l">
      <nvpair id="FS-ll" name="OCF_CHECK_LEVEL" value="20"/></instance_attributes></op>
    <op id="FS-start" name="start" interval="0" timeout="60s"/>
  </operations></primitive>"""
LISTED = {
    "name": "FS",
    "agent": "ocf:heartbeat:Filesystem",
    "options": {"device": "/dev/drbd0"},
    "operations": [
        {"action": "monitor", "interval": "20s", "timeout": "40s", "OCF_CHECK_LEVEL": 20},
        {"action": "start", "interval": "0s", "timeout": "60s"},
    ],
}
DB = '<primitive id="DB" class="ocf" provider="pacemaker" type="Dummy"/>'
WEB = '<primitive id="WEB" class="ocf" provider="pacemaker" type="Dummy"/>'


def dummy(name: str) -> dict[str, str]:
    return {"name": name, "agent": "ocf:pacemaker:Dummy"}


def cib(*sections: str, **more: str) -> ET.Element:
    return ET.fromstring(cib_document(*sections, **more))


def todo(found: ET.Element, *, purge: bool = False, **wanted) -> list[str]:
    commands = plan.Plan(found, plan.Wanted(**wanted), purge=purge).commands
    return [" ".join(command) for command in commands]


def left_alone(found: ET.Element, **wanted) -> list[str]:
    return plan.Plan(found, plan.Wanted(**wanted)).unlisted


# Resources


def test_resource_that_is_not_there_is_created_with_all_it_has():
    assert todo(cib(), resources=[{**LISTED, "meta": {"migration-threshold": 1}}]) == [
        "resource create FS ocf:heartbeat:Filesystem device=/dev/drbd0"
        " op monitor interval=20s timeout=40s OCF_CHECK_LEVEL=20 start interval=0s timeout=60s"
        " meta migration-threshold=1 --no-default-ops"
    ]


def test_same_resource_with_its_interval_in_another_unit_is_no_difference():
    assert todo(cib(FS), resources=[LISTED]) == []


def test_options_that_differ_are_new_or_are_emptied():
    listed = {**LISTED, "options": {"device": None, "directory": "/opt/drbd", "fast": True}}
    assert todo(cib(FS), resources=[listed]) == [
        "resource update FS device= directory=/opt/drbd fast=true"
    ]


def test_monitor_with_another_interval_replaces_the_one_that_is_there():
    listed = {**LISTED, "operations": [{"action": "monitor", "interval": "30s"}]}
    assert todo(cib(FS), resources=[listed]) == [
        "resource op delete FS-monitor",
        "resource op add FS monitor interval=30s",
    ]
    assert "resource FS: operation start 0" in left_alone(cib(FS), resources=[listed])


def test_another_agent_is_refused():
    with pytest.raises(plan.PlanError, match="FS is ocf:heartbeat:Filesystem and is listed as"):
        todo(cib(FS), resources=[{**LISTED, "agent": "ocf:heartbeat:LVM"}])


def test_what_is_not_listed_is_told_and_removed_only_when_asked():
    device = '<primitive id="FENCE" class="stonith" type="fence_x"/>'
    bundle = f'<bundle id="B">{WEB}</bundle>'
    found = cib(f"{FS}{DB}{device}{bundle}")
    listed = {**LISTED, "options": {}}
    assert todo(found, resources=[listed]) == []
    assert left_alone(found, resources=[listed]) == [
        *("resource DB", "fence device FENCE", "resource WEB of a bundle"),
        *("resource FS: device", "resource FS: target-role"),
    ]
    assert todo(found, resources=[listed], purge=True) == [
        "resource delete DB",
        "resource update FS device=",
    ]


# Groups and clones


def test_members_come_into_their_order_one_move_each():
    group = f'<group id="G">{DB}{FS}{WEB}</group>'
    listed = [dummy("WEB"), LISTED, dummy("DB")]
    wanted = {"resources": listed, "groups": [{"name": "G", "members": ["FS", "DB", "WEB"]}]}
    assert todo(cib(group), **wanted) == ["resource group add G DB --after FS"]
    wanted["groups"][0]["members"] = ["DB", "FS", "WEB"]
    assert todo(cib(group), **wanted) == []
    assert todo(cib(f'<group id="G">{FS}</group>{DB}{WEB}'), **wanted) == [
        "resource group add G DB --before FS",
        "resource group add G WEB --after FS",
    ]


def test_member_that_is_listed_elsewhere_leaves_its_group_only_when_asked():
    found = cib(f'<group id="G">{FS}{DB}</group>')
    wanted = {"resources": [LISTED, dummy("DB")], "groups": [{"name": "G", "members": ["FS"]}]}
    assert todo(found, **wanted) == []
    assert "group G: DB" in left_alone(found, **wanted)
    assert todo(found, purge=True, **wanted) == ["resource group remove G DB"]


def test_group_whose_members_all_go_is_made_anew():
    found = cib(f'<group id="G">{DB}</group>{WEB}')
    wanted = {"resources": [dummy("WEB")], "groups": [{"name": "G", "members": ["WEB"]}]}
    assert todo(found, purge=True, **wanted) == ["resource delete DB", "resource group add G WEB"]


def test_clone_and_its_meta():
    clone = {"name": "DB-clone", "of": "DB", "promotable": True, "meta": {"clone-max": 2}}
    wanted = {"resources": [dummy("DB")], "clones": [clone]}
    assert todo(cib(DB), **wanted) == [
        "resource promotable DB DB-clone",
        "resource meta DB-clone clone-max=2",
    ]
    meta = '<meta_attributes id="m"><nvpair id="p" name="promotable" value="true"/>'
    found = cib(f'<clone id="DB-clone">{DB}{meta}</meta_attributes></clone>')
    assert todo(found, **wanted) == ["resource meta DB-clone clone-max=2"]


# Constraints, properties

RULE = '<rsc_location id="R" rsc="G" node="app03" score="-1000000"/>'


def test_score_is_the_same_in_each_spelling_and_another_one_replaces_the_rule():
    location = {"resource": "G", "node": "app03", "score": "-INFINITY"}
    assert todo(cib(constraints=RULE), constraints=[{"location": location}]) == []
    location["score"] = -50
    assert todo(cib(constraints=RULE), constraints=[{"location": location}]) == [
        "constraint delete R",
        "constraint location add location-G-app03 G app03 -50",
    ]


def test_leftover_of_a_move_is_never_taken_for_a_listed_rule():
    leftover = RULE.replace('id="R"', 'id="cli-ban-G-on-app03"')
    location = {"resource": "G", "node": "app03", "score": "-INFINITY"}
    found = cib(constraints=leftover)
    assert todo(found, constraints=[{"location": location}]) == [
        "constraint location add location-G-app03 G app03 -INFINITY"
    ]
    assert left_alone(found, constraints=[{"location": location}]) == [
        "constraint cli-ban-G-on-app03"
    ]


def test_order_and_colocation():
    wanted = [
        {"order": {"first": "A", "first_action": "promote", "then": "B", "then_action": "start"}},
        {"colocation": {"resource": "B", "with": "A", "with_role": "Promoted"}},
    ]
    assert todo(cib(), constraints=wanted) == [
        "constraint order promote A then start B",
        "constraint colocation add B with Promoted A INFINITY",
    ]
    there = (
        '<rsc_order id="o" first="A" first-action="promote" then="B" then-action="start"/>'
        '<rsc_colocation id="c" rsc="B" with-rsc="A" with-rsc-role="Promoted" score="INFINITY"/>'
    )
    assert todo(cib(constraints=there), constraints=wanted) == []


def test_properties_and_what_the_cluster_itself_writes():
    config = (
        '<cluster_property_set id="s"><nvpair id="1" name="stonith-enabled" value="true"/>'
        '<nvpair id="2" name="dc-version" value="2.1.5"/>'
        '<nvpair id="3" name="no-quorum-policy" value="ignore"/></cluster_property_set>'
    )
    found = cib(crm_config=config)
    wanted = {"properties": {"stonith-enabled": False}}
    assert todo(found, **wanted) == ["property set stonith-enabled=false"]
    assert left_alone(found, **wanted) == ["property: no-quorum-policy"]
    assert todo(found, purge=True, **wanted) == [
        "property set stonith-enabled=false no-quorum-policy="
    ]


# Mistakes


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"resources": [{"name": "A"}]}, "resource A: agent is missing"),
        ({"resources": [{**dummy("A"), "optoins": {}}]}, "unknown key 'optoins'"),
        ({"resources": [dummy("A"), dummy("A")]}, "A is listed twice"),
        ({"resources": [{**dummy("A"), "name": "-f"}]}, "'-f' cannot be a name"),
        ({"resources": [{**dummy("A"), "options": {"a": [1]}}]}, r"\[1\] is not a single value"),
        ({"resources": [{**dummy("A"), "operations": [{"action": "monitor"}]}]}, "needs an inter"),
        ({"groups": [{"name": "G", "members": ["A"]}]}, "A is not a listed resource"),
        ({"constraints": [{"place": {}}]}, "a constraint is one of location, order, colocation"),
        ({"constraints": [{"location": {"resource": "G", "score": 1}}]}, "node is missing"),
        ({"properties": {"a b": 1}}, "'a b' cannot be a name"),
    ],
)
def test_mistake_in_the_list_is_named(wanted, words):
    with pytest.raises(plan.PlanError, match=words):
        plan.Wanted(**wanted)


def test_secrets_are_neither_in_the_commands_nor_in_the_difference():
    command = ("resource", "update", "DB", "test_passwd=geheim", "user=root")
    assert plan.masked(command)[3:] == ["test_passwd=********", "user=root"]
    found = cib(FS.replace('name="device" value="/dev/drbd0"', 'name="secret" value="geheim"'))
    assert "geheim" not in plan.shown(found)
    assert 'name="secret" value="********"' in plan.shown(found)


# Corosync


def cmapctl() -> str:
    return (HEALTHY / "corosync-cmapctl.txt").read_text()


def test_what_runs_now_is_what_is_expected_of_its_own_configuration():
    now = totem.keys(cmapctl())
    values = totem.expected({"token": "12000"}, cmapctl())
    assert values == {key: now[key] for key in values}
    assert totem.expected({}, cmapctl()) == values


def test_times_of_the_case_with_three_nodes():
    wanted = {"token": "20000", "token_retransmits_before_loss_const": "10"}
    values = totem.expected(wanted, cmapctl())
    assert list(values.values()) == ["20650", "24780", "2024", "10"]
    new = totem.keys(totem.replaced(cmapctl(), values))
    assert {key for key, each in totem.keys(cmapctl()).items() if new[key] != each} == set(values)


def test_what_is_set_does_not_follow():
    values = totem.expected(
        {"token": "5000", "token_coefficient": "0", "consensus": "9"}, cmapctl()
    )
    assert values["runtime.config.totem.token"] == "5000"
    assert values["runtime.config.totem.consensus"] == "9"


def test_section_totem_without_what_is_inside_it():
    text = (
        "totem {\n token: 1\n # token: 2\n interface {\n  token: 3\n }\n}\nquorum {\n token: 4\n}\n"
    )
    assert totem.section(text) == {"token": "1"}


# The files


def test_role_installs_the_files_that_are_shipped():
    files = sorted((COLLECTION / "roles/monitoring/files").iterdir())
    assert len(files) == 9
    for file in files:
        assert file.is_symlink()
        assert file.resolve().is_relative_to(ROOT / "contrib")
        assert file.resolve().is_file()


def test_both_readmes_tell_the_same_way_to_install_it():
    """The live tests install it by the lines of the project's own."""
    blocks = [
        re.search(rf"<!-- command: {name} -->\n```sh\n(.*?)```", path.read_text(), re.DOTALL)
        for name, path in (
            ("ansible", ROOT / "README.md"),
            ("install", ROOT / "contrib" / "ansible" / "README.md"),
        )
    ]
    assert all(blocks)
    assert blocks[0][1] == blocks[1][1]
