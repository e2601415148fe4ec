"""explain KEY --from: names filled in, and four parts: make sure, do, do not, it worked."""

from __future__ import annotations

from pathlib import Path

import pytest

from build import drbd, peer, report, view
from check_mccluster.checks import registry
from check_mccluster.model.drbd import ConnectionState
from check_mccluster.present.advice import advice
from check_mccluster.verdict import subject
from check_mccluster.verdict.finding import finding

SNAPSHOTS = Path(__file__).parents[1] / "fixtures" / "snapshots"


def test_finding_of_a_snapshot_in_full(call):
    node = SNAPSHOTS / "storage03-powered-off/app01"
    outcome = call("explain", "peer-connecting", "--from", node)
    assert outcome.code == 0
    assert (
        outcome.out
        == """\
peer-connecting: WARNING by default; seen from app01

Meaning:   A peer is not connected and DRBD tries to reach it.

Warning:   r0: replica storage03 is Connecting, 4 of 5 connected
Make sure: what both ends say: 'drbdadm status r0' on app01 and storage03; and
           that one UpToDate copy is left
Do:        on storage03: drbdadm status r0; not up: drbdadm up r0; StandAlone:
           drbdadm connect r0:app01 (not after a split brain: journalctl -k -g
           Split-Brain); else on app01: ping -c 3 10.77.0.13; the firewall (port
           7000)
Do not:    invalidate, promote by force or connect with --discard-my-data while
           an UpToDate copy is known
It worked: 'check_mccluster drbd-mesh -r r0 -v' no longer tells peer-connecting
           of r0:storage03, nor does 'check_mccluster overview'
"""
    )


def test_several_nodes_tell_what_they_see_together_and_each_thing_once(call):
    outcome = call("explain", "drbd-quorum-lost", "--from", SNAPSHOTS / "storage-servers-lost")
    assert outcome.first.endswith("; seen from app01, app02, app03, storage01")
    assert outcome.out.count("Do not: ") == outcome.out.count("Critical: ") == 1


def test_what_is_not_there_is_said_and_explained_all_the_same(call):
    node = SNAPSHOTS / "six-nodes-healthy/app01"
    outcome = call("explain", "disk-lost", "--from", node)
    assert outcome.lines[0] == "Now:       no disk-lost is seen from app01"
    assert outcome.out.endswith(call("explain", "disk-lost").out)


def test_live_asks_this_machine(node):
    machine = node(SNAPSHOTS / "storage03-powered-off/app01")
    ran = machine.run("explain", "peer-connecting", "--live", "--node", "app01")
    assert ran.code == 0
    assert "Do not:    invalidate," in ran.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--live",), "--live, --from and --host need a KEY"),
        (("disk-lost", "--live", "--from", "x"), "--live or --from and --host, not both"),
        (("disk-losd", "--from", "x"), "no finding 'disk-losd'; did you mean disk-lost or "),
    ],
)
def test_mistakes(call, words, says):
    outcome = call("explain", *words)
    assert outcome.code == 3
    assert says in outcome.first


@pytest.mark.parametrize("key", sorted(registry.kinds()))
def test_every_finding_has_four_parts_without_a_hole(key):
    kind, checks = registry.kinds()[key]
    for about in (subject.volume("r 0", 0), subject.node("app01"), subject.cluster()):
        for nodes in ((), ("app01",), ("this node",)):
            each = finding(kind, about, "text", nodes=nodes, command="x", grant="y")
            parts = dict(advice(each, checks))
            assert list(parts) == ["Make sure", "Do", "Do not", "It worked"]
            assert not any("{" in text or "None" in text for text in parts.values() if text)
            assert all(parts[name] for name in ("Make sure", "Do not", "It worked"))


@pytest.mark.parametrize(
    ("key", "recorded", "says"),
    [
        ("tool-denied", "six-nodes-healthy-as-nagios/app01", "runs the check, on app01: a shell"),
        ("node-barred", "app01-barred/app02", "journalctl -u pacemaker on app01"),
        ("fencing-failed", "fencing-failed/app01", "its device switches: stonith_admin -l app02"),
        ("peer-connecting", "link-to-one-storage-cut", "status r0' on app02 and storage02;"),
        ("partitioned", "app02-cut-off-while-active", "of the same nodes, no longer tells part"),
    ],
)
def test_names_that_are_known_are_filled_in(call, key, recorded, says):
    """Also that of the node which was asked, where its own tool is at fault."""
    words = " ".join(call("explain", key, "--from", SNAPSHOTS / recorded).out.split())
    assert says in words
    assert not any(hole in words for hole in ("the node concerned", " NODE", " here "))


def test_no_part_says_to_force_anything():
    for kind, checks in registry.kinds().values():
        parts = dict(advice(finding(kind, subject.node("app01"), "text"), checks))
        for name in ("Make sure", "It worked"):
            assert not any(word in parts[name] for word in ("--force", "invalidate", "--discard"))


def test_resource_with_a_blank_can_be_pasted():
    volume = drbd(peer("storage01", state=ConnectionState.CONNECTING), name="r 0")
    (each, *_) = report("drbd-mesh", view(drbd=(volume,))).findings
    assert "drbdadm status 'r 0'" in dict(advice(each, ("drbd-mesh",)))["Make sure"]
