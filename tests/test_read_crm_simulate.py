"""``crm_simulate --simulate --output-as=xml``: constructed documents after real ones of 2.1.5."""

from __future__ import annotations

import io

import pytest

from build_documents import AFTER_A_LOSS, resource, result
from build_documents import simulated as document
from check_mccluster.model.pacemaker import Role
from check_mccluster.model.simulation import Simulation
from check_mccluster.model.words import Unrecognised
from check_mccluster.read.crm_simulate import read_crm_simulate
from check_mccluster.read.errors import NotXml, ReadError


def read(text: str) -> Simulation:
    return read_crm_simulate(io.BytesIO(text.encode()))


def test_only_what_comes_after_the_transition_counts() -> None:
    after = (
        f'<group id="g">{resource(name="FS", on="app02")}'
        f"{resource(name='DB', role='Stopped')}</group>"
        f'<clone id="c" multi_state="true">{resource(name="drbd:0", role="Promoted", on="app02")}'
        f"{resource(name='drbd:1', role='Stopped')}</clone>"
    )
    found = read(document(after, before=resource(name="FS", on="app01")))
    assert found.offline == ("app01",)
    assert found.online == ("app02",)
    assert found.running == {
        "FS": {"app02": Role.STARTED},
        "DB": {},
        "drbd": {"app02": Role.PROMOTED},
    }


def test_old_words_for_roles() -> None:
    found = read(
        document(
            resource(name="a", role="Master", on="app02")
            + resource(name="b", role="Slave", on="app02")
        )
    )
    assert found.running == {"a": {"app02": Role.PROMOTED}, "b": {"app02": Role.UNPROMOTED}}


def test_a_word_that_nobody_knows_is_kept() -> None:
    found = read(document(resource(name="a", role="Floating", on="app02")))
    assert found.unrecognised == (Unrecognised("Floating", "role of a"),)


def test_the_reason_for_an_answer_without_an_outcome() -> None:
    text = result(code=105).replace('"m"', '"No such object"')
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
        read(document(resource(name="a", on="app02"))[:end])


def test_a_start_that_has_to_wait_is_told() -> None:
    actions = (
        '<actions><rsc_action action="start" resource="FS" node="app02" blocked="true"/>'
        '<rsc_action action="move" resource="drbd:0" source="app01" dest="app03" blocked="true"/>'
        '<rsc_action action="start" resource="DB" node="app02"/></actions>'
    )
    found = read(document(resource(name="FS", role="Stopped")).replace("<actions/>", actions))
    assert found.waiting == {"FS": "app02", "drbd": "app03"}


def test_what_is_planned_only_leads_to_the_same_state() -> None:
    before = (
        resource(name="FS", on="app01")
        + resource(name="DB", on="app01")
        + resource(name="IP", on="app02")
        + resource(name="X", on="app02")
        + f'<clone id="c">{resource(name="drbd", role="Promoted", on="app01")}'
        f"{resource(name='drbd', role='Unpromoted', on='app02')}</clone>"
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


def actions(*each: str, before: str = "") -> Simulation:
    """What ``--run`` prints: the state before, and what is to be done."""
    return read(
        '<pacemaker-result api-version="2.25" request="crm_simulate">'
        f"<cluster_status>{AFTER_A_LOSS}<resources>{before}</resources></cluster_status>"
        '<modifications><modify_node action="Offline" node="app01"/></modifications>'
        f'<actions>{"".join(each)}</actions><status code="0" message="OK"/></pacemaker-result>'
    )


@pytest.mark.parametrize(
    ("action", "after"),
    [
        ('resource="FS" action="move" source="app01" dest="app02"', {"app02": Role.STARTED}),
        ('resource="FS" action="start" node="app02"', {"app02": Role.STARTED}),
        ('resource="FS" action="stop" node="app02"', {}),
        ('resource="FS" action="stop" source="app02"', {}),
        ('resource="FS" action="cancel" node="app02"', {"app02": Role.PROMOTED}),
        ('resource="FS" action="noop" node="app02"', {"app02": Role.PROMOTED}),
        ('resource="FS" action="restart" source="app02" dest="app02"', {"app02": Role.PROMOTED}),
        (
            'resource="FS" action="demote" source="app02" dest="app02" next-role="Unpromoted"',
            {"app02": Role.UNPROMOTED},
        ),
        (
            'resource="FS" action="start" node="app03" next-role="Promoted"',
            {"app02": Role.PROMOTED, "app03": Role.PROMOTED},
        ),
        ('resource="FS" action="stop" node="app02" blocked="true"', {"app02": Role.PROMOTED}),
    ],
)
def test_constructed_actions_and_where_it_runs_then(action: str, after: dict[str, Role]) -> None:
    """FS is promoted on app02, unless it moves there."""
    on = "app01" if "app01" in action else "app02"
    before = resource(name="FS", role="Started" if on == "app01" else "Promoted", on=on)
    if 'action="start" node="app02"' in action:
        before = resource(name="FS", role="Stopped")
    assert actions(f"<rsc_action {action}/>", before=before).running == {"FS": after}


def test_constructed_instance_is_known_by_its_number_alone() -> None:
    before = resource(name="vm:a", on="app02") + resource(name="drbd:1", on="app02")
    assert set(actions(before=before).running) == {"vm:a", "drbd"}
