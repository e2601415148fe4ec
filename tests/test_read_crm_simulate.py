"""``crm_simulate --simulate --output-as=xml``: constructed documents after real ones of 2.1.5."""

from __future__ import annotations

import io

import pytest

from check_mccluster.model.pacemaker import Role
from check_mccluster.model.simulation import Simulation
from check_mccluster.model.words import Unrecognised
from check_mccluster.read.crm_simulate import read_crm_simulate
from check_mccluster.read.errors import NotXml, ReadError

NODE = (
    '<node name="{}" id="1" online="{}" standby="false" standby_onfail="false" maintenance="false"'
    ' pending="false" unclean="false" shutdown="false" expected_up="true" is_dc="false"'
    ' resources_running="1" type="member"/>'
)
NODES = f"<nodes>{NODE.format('app01', 'false')}{NODE.format('app02', 'true')}</nodes>"


def read(text: str) -> Simulation:
    return read_crm_simulate(io.BytesIO(text.encode()))


def resource(name: str, role: str, node: str = "") -> str:
    where = f'<node name="{node}" id="2" cached="true"/>' if node else ""
    return (
        f'<resource id="{name}" resource_agent="ocf:x:y" role="{role}" active="true"'
        f' orphaned="false" blocked="false" managed="true" failed="false">{where}</resource>'
    )


def document(after: str, before: str = "", nodes: str = NODES) -> str:
    return (
        '<pacemaker-result api-version="2.25" request="crm_simulate">'
        f"<cluster_status>{NODES}<resources>{before}</resources></cluster_status>"
        '<modifications><modify_node action="Offline" node="app01"/></modifications>'
        f"<actions/><transition/><revised_cluster_status>{nodes}<resources>{after}</resources>"
        '</revised_cluster_status><status code="0" message="OK"/></pacemaker-result>'
    )


def test_only_what_comes_after_the_transition_counts() -> None:
    after = (
        f'<group id="g">{resource("FS", "Started", "app02")}{resource("DB", "Stopped")}</group>'
        f'<clone id="c" multi_state="true">{resource("drbd:0", "Promoted", "app02")}'
        f"{resource('drbd:1', 'Stopped')}</clone>"
    )
    found = read(document(after, before=resource("FS", "Started", "app01")))
    assert found.offline == ("app01",)
    assert found.online == ("app02",)
    assert found.running == {
        "FS": {"app02": Role.STARTED},
        "DB": {},
        "drbd": {"app02": Role.PROMOTED},
    }


def test_old_words_for_roles() -> None:
    found = read(document(resource("a", "Master", "app02") + resource("b", "Slave", "app02")))
    assert found.running == {"a": {"app02": Role.PROMOTED}, "b": {"app02": Role.UNPROMOTED}}


def test_a_word_that_nobody_knows_is_kept() -> None:
    found = read(document(resource("a", "Floating", "app02")))
    assert found.unrecognised == (Unrecognised("Floating", "role of a"),)


def test_the_reason_for_an_answer_without_an_outcome() -> None:
    text = (
        '<pacemaker-result api-version="2.25"><status code="105" message="No such object"/>'
        "</pacemaker-result>"
    )
    with pytest.raises(ReadError, match=r"^no outcome of a simulation: No such object$"):
        read(text)


def test_a_simulation_that_was_not_run_has_no_outcome() -> None:
    text = document("").partition("<actions/>")[0]
    with pytest.raises(ReadError, match=r"^no outcome of a simulation$"):
        read(text + "</pacemaker-result>")


def test_text_of_older_releases_is_told_as_text() -> None:
    with pytest.raises(NotXml):
        read("Current cluster status:\nOnline: [ app01 app02 ]\n")


@pytest.mark.parametrize("end", [50, 900, -5])
def test_cut_off(end: int) -> None:
    with pytest.raises(ReadError, match="cut off"):
        read(document(resource("a", "Started", "app02"))[:end])


def test_a_start_that_has_to_wait_is_told() -> None:
    actions = (
        '<actions><rsc_action action="start" resource="FS" node="app02" blocked="true"/>'
        '<rsc_action action="move" resource="drbd:0" source="app01" dest="app03" blocked="true"/>'
        '<rsc_action action="start" resource="DB" node="app02"/></actions>'
    )
    found = read(document(resource("FS", "Stopped")).replace("<actions/>", actions))
    assert found.waiting == {"FS": "app02", "drbd": "app03"}


def test_what_is_planned_only_leads_to_the_same_state() -> None:
    before = (
        resource("FS", "Started", "app01")
        + resource("DB", "Started", "app01")
        + resource("IP", "Started", "app02")
        + resource("X", "Started", "app02")
        + f'<clone id="c">{resource("drbd", "Promoted", "app01")}'
        f"{resource('drbd', 'Unpromoted', 'app02')}</clone>"
    )
    actions = (
        '<actions><rsc_action action="start" resource="FS" node="app02"/>'
        '<rsc_action action="start" resource="DB" node="app02" blocked="true"/>'
        '<rsc_action action="move" resource="IP" source="app02" dest="app03"/>'
        '<rsc_action action="stop" resource="X" node="app02"/>'
        '<rsc_action action="promote" resource="drbd:0" role="Unpromoted" next-role="Promoted"'
        ' source="app02"/></actions>'
    )
    whole = document("", before=before).replace("<actions/>", actions)
    text = whole.partition("<transition/>")[0] + "</pacemaker-result>"
    found = read(text)
    assert (found.offline, found.online) == (("app01",), ("app02",))
    assert found.running == {
        "FS": {"app02": Role.STARTED},
        "DB": {},
        "IP": {"app03": Role.STARTED},
        "X": {},
        "drbd": {"app02": Role.PROMOTED},
    }
    assert found.waiting == {"DB": "app02"}
