"""The classic design: ``ocf:linbit:drbd`` as a promotable clone, and what must run with it."""

from __future__ import annotations

import io

import pytest

from build import NOW, SNAPSHOTS, altered, drbd, group, primitive, view_of
from build_documents import cib, configured, meta, parameters
from check_mccluster.judge.facts.mapping import above, below, pairs, waits_for_primary
from check_mccluster.model.pacemaker import Clone, Role
from check_mccluster.read.cib import read_cib

ALPHA = "classic-simulated/alpha"

WITH = '<rsc_colocation id="c-{0}" rsc="{0}" with-rsc="{1}" with-rsc-role="Promoted" score="{2}"/>'


def read(text):
    return read_cib(io.BytesIO(text.encode()))


def a_cib(resources="", constraints="", **more):
    """With r0 under a promotable clone; *more* are parameters of its agent."""
    agent = configured("p_drbd", "ocf:linbit:drbd", parameters(drbd_resource="r0", **more))
    clone = f'<clone id="ms">{meta(promotable="true")}{agent}</clone>'
    return read(cib(f"{clone}{resources}", constraints))


def seen(cib):
    """A view in which r0 is up."""
    return view_of("alpha", NOW, cib=cib, drbd=(drbd(),))


def found(cib):
    return [(pair.resource, pair.drbd, pair.promoter) for pair in pairs(seen(cib))]


@pytest.mark.parametrize(
    ("agent", "members"),
    [
        ("ocf:heartbeat:LVM-activate", "systemd:mariadb"),
        ("ocf:heartbeat:iSCSITarget", "ocf:heartbeat:iSCSILogicalUnit"),
        ("ocf:heartbeat:VirtualDomain", "ocf:heartbeat:IPaddr2"),
        ("ocf:example:anything", "systemd:x"),
    ],
)
def test_what_must_run_with_the_promoted_instance_stands_on_its_drbd_resource(agent, members):
    service = f'<group id="svc">{configured("first", agent)}{configured("second", members)}</group>'
    assert found(a_cib(service, WITH.format("svc", "ms", "INFINITY"))) == [
        ("first", "r0", "p_drbd")
    ]


def test_an_address_before_the_volume_group_is_not_what_opens_the_device():
    inside = configured("ip", "ocf:heartbeat:IPaddr2") + configured(
        "vg", "ocf:heartbeat:LVM-activate"
    )
    service = f'<group id="svc">{inside}</group>'
    assert found(a_cib(service, WITH.format("svc", "ms", "INFINITY"))) == [("vg", "r0", "p_drbd")]


def test_a_chain_of_colocations():
    service = configured("vm", "ocf:heartbeat:VirtualDomain") + configured(
        "ip", "ocf:heartbeat:IPaddr2"
    )
    constraints = (
        WITH.format("vm", "ms", "INFINITY")
        + '<rsc_colocation id="c" rsc="ip" with-rsc="vm" score="INFINITY"/>'
    )
    cib = a_cib(service, constraints)
    assert found(cib) == [("vm", "r0", "p_drbd"), ("ip", "r0", "p_drbd")]
    assert above(seen(cib), "r0") == {"p_drbd", "ms", "vm", "ip"}


def test_what_had_better_run_with_it_does_not_stand_on_it():
    service = configured("ip", "ocf:heartbeat:IPaddr2")
    assert found(a_cib(service, WITH.format("ip", "ms", "1000"))) == [("p_drbd", "r0", "p_drbd")]


def test_a_mount_of_its_device_is_one_pair_with_its_promoter():
    mount = configured(
        "fs",
        "ocf:heartbeat:Filesystem",
        '<instance_attributes id="d"><nvpair id="d1" name="device" value="/dev/drbd0"/>'
        "</instance_attributes>",
    )
    cib = a_cib(f'<group id="svc">{mount}</group>', WITH.format("svc", "ms", "INFINITY"))
    assert found(cib) == [("fs", "r0", "p_drbd")]


def test_the_clone_itself_stands_on_it_too():
    cib = a_cib()
    clone = Clone(
        "ms",
        True,
        False,
        True,
        False,
        None,
        False,
        False,
        None,
        (primitive("p_drbd", "alpha", Role.PROMOTED),),
    )
    (pair,) = below(seen(cib), clone)
    assert (pair.resource, pair.drbd) == ("p_drbd", "r0")
    assert below(seen(cib), group(primitive("other"), name="else")) == ()


# -- does a start wait for the old Primary? -------------------------------------------------------


@pytest.mark.parametrize(
    ("early", "waits"),
    [
        ({}, True),
        ({"fail_promote_early_if_peer_primary": "false"}, True),
        ({"fail_promote_early_if_peer_primary": "true"}, False),
        ({"fail_promote_early_if_peer_primary": "1"}, False),
    ],
)
def test_the_agent_retries_unless_told_otherwise(early, waits):
    why = waits_for_primary(a_cib(**early), "r0")
    assert why == ("p_drbd retries to promote until its timeout" if waits else None)


@pytest.mark.parametrize(
    ("order", "resource", "why"),
    [
        ("wait fs", "r0", "wait waits before the mount"),
        ("fs wait", "r0", None),
        ("wait fs", "r1", None),
    ],
)
def test_the_waiting_agent_counts_before_the_mount_and_for_its_own_resource(order, resource, why):
    members = {
        "wait": configured("wait", "ocf:mccluster:drbd-no-primary", parameters(drbd_resource="r0")),
        "fs": configured("fs", "ocf:heartbeat:Filesystem", parameters(device="/dev/drbd0")),
    }
    inside = "".join(members[name] for name in order.split())
    known = read(cib(f'<group id="g">{inside}</group>'))
    assert waits_for_primary(known, resource) == why


# -- the checks ------------------------------------------------------------------------------------


def test_the_whole_cluster_is_in_order(call):
    for name in ("alpha", "bravo"):
        outcome = call("overview", "--from", SNAPSHOTS / "classic-simulated" / name)
        assert (outcome.code, outcome.first.split(":")[0]) == (
            0,
            "OVERVIEW OK - 15 checks, all OK",
        )


def test_timing_says_why_a_short_detection_is_no_race(call):
    outcome = call("timing", "--from", SNAPSHOTS / ALPHA)
    assert outcome.code == 0
    assert outcome.first == (
        "TIMING OK - Corosync 6.60 s <= DRBD 10.5 s (bound): drbd_r0 retries to promote until its"
        " timeout"
    )


def test_timing_with_a_range_compares_all_the_same(call):
    outcome = call("timing", "-c", "0:", "--from", SNAPSHOTS / ALPHA)
    assert (outcome.code, "is not longer than" in outcome.first) == (2, True)


def test_timing_of_an_agent_that_gives_up_early_is_a_race(call, tmp_path):
    early = (
        '<nvpair id="di1" name="drbd_resource" value="r0"/>',
        '<nvpair id="di1" name="drbd_resource" value="r0"/>'
        '<nvpair id="di2" name="fail_promote_early_if_peer_primary" value="true"/>',
    )
    outcome = call("timing", "--from", altered(tmp_path, ALPHA, early, file="cib.xml"))
    assert outcome.code == 1
    assert outcome.first.startswith("TIMING WARNING - Corosync's 6.60 s is not longer than DRBD's")


def test_a_primary_that_pacemaker_promoted_needs_no_service_on_it(call, tmp_path):
    folder = altered(tmp_path, ALPHA)
    text = (folder / "crm_mon.xml").read_text()
    begin, end = text.index('<group id="svc"'), text.index("</group>")
    stopped = text[begin:end].replace(
        'role="Started" active="true"', 'role="Stopped" active="false"'
    )
    lines = [line for line in stopped.splitlines() if "<node " not in line]
    (folder / "crm_mon.xml").write_text(text[:begin] + "\n".join(lines) + text[end:])
    outcome = call("consistency", "--from", folder)
    assert outcome.code == 0
    assert outcome.first == "CONSISTENCY OK - drbd_r0 runs and r0 is Primary on alpha"


def test_pacemaker_promoted_it_on_one_node_and_the_primary_is_another(call, tmp_path):
    folder = altered(tmp_path, ALPHA)
    text = (folder / "drbd-status.json").read_text()
    text = text.replace('"role": "Primary"', '"role": "X"').replace(
        '"peer-role": "Secondary"', '"peer-role": "Primary"'
    )
    (folder / "drbd-status.json").write_text(text.replace('"role": "X"', '"role": "Secondary"'))
    outcome = call("consistency", "--from", folder)
    assert outcome.code == 2
    assert outcome.first == (
        "CONSISTENCY CRITICAL - fs_r0 runs on alpha, the Primary of r0 is bravo"
    )


def test_topology_says_what_stands_on_it(call, tmp_path):
    moved = ('name="device" value="/dev/drbd0"', 'name="device" value="/dev/vg/mail"')
    lines = call("topology", "--from", altered(tmp_path, ALPHA, moved, file="cib.xml")).lines
    assert "# In the CIB, fs_r0 must run where drbd_r0 is promoted." in lines
    assert 'runs_with = "fs_r0"' in lines
