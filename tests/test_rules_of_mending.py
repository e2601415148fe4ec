"""How DRBD is brought back: what each step asks first, of whom, and what it leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from build_drbd import (
    away,
    connection,
    device,
    mesh,
    peer_device,
    progress,
    resource,
    shown,
    shown_connection,
    steps,
    view,
)
from check_mccluster.acquire.snapshot import Snapshot
from check_mccluster.app.session import Setup, run_check
from check_mccluster.checks import registry
from check_mccluster.judge import engine
from check_mccluster.judge.facts.mending import (
    all_gone_step,
    attach_step,
    copy_step,
    copy_words,
    missing_words,
)
from check_mccluster.judge.faults import faults
from check_mccluster.model.config import Config
from check_mccluster.model.drbd import ConnectionState, DiskState, ReplicationState, Role
from check_mccluster.verdict.view import Asked

SNAPSHOTS = Path(__file__).parents[1] / "fixtures" / "snapshots"
ALONE = ConnectionState.STANDALONE
OUTDATED = peer_device(peer_disk_state=DiskState.OUTDATED)
CLIENT = peer_device(peer_disk_state=DiskState.DISKLESS, peer_client=True)


def recorded(name):
    """What ``overview`` says of a recording."""
    place = SNAPSHOTS / name
    with Snapshot(str(place), 30.0) as source:
        found = run_check(
            registry.load("overview"), source, Config(), Setup(30.0, str(place)), Asked()
        )
    return found.report


def of(check, seen):
    return engine.report(registry.load(check), seen, Asked())


# -- a peer that is not connected --------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "look"),
    [
        ("10.77.0.13:7000", "on storage01: ping -c 3 10.77.0.13; the firewall (port 7000)"),
        ("[fd00::13]:7000", "on storage01: ping -c 3 fd00::13; the firewall (port 7000)"),
        ("", "on storage01: ping its address, the firewall for its port (drbdsetup show r0)"),
    ],
)
def test_a_peer_that_is_not_reached_is_pinged_at_its_address(address, look):
    options = (shown("r0", shown_connection("storage03", address=address)),)
    ((_, step),) = steps("drbd-mesh", view(mesh(away("storage03")), options=options))
    assert step == (
        "on storage03: drbdadm status r0; not up: drbdadm up r0; StandAlone: drbdadm connect"
        f" r0:storage01 (not after a split brain: journalctl -k -g Split-Brain); else {look}"
    )


def nets(**of_peers):
    return (
        shown("r0", *(shown_connection(name, net={"verify-alg": alg, "protocol": "C"})
                      for name, alg in of_peers.items())),
    )  # fmt: skip


def test_connection_refused_for_its_options_is_told_by_them():
    """verify-alg set on one connection made it end StandAlone (recorded)."""
    seen = view(mesh(away("storage03", ALONE)), options=nets(storage02="", storage03="crc32c"))
    (one,) = of("drbd-mesh", seen).findings
    assert one.text.endswith(
        "; its net options differ from the other connections: verify-alg crc32c, elsewhere none"
    )
    assert one.next_step == (
        "on storage01 and storage03: drbdadm dump r0: make verify-alg alike there (where it is, it"
        " was set by hand); then on both: drbdadm --dry-run adjust r0; where that is all: drbdadm"
        " adjust r0 (it resets what the file does not name, and connects); if it falls back to"
        " StandAlone: journalctl -k -g drbd"
    )


@pytest.mark.parametrize(
    "options",
    [
        (),
        nets(storage02="crc32c", storage03="crc32c"),
        nets(storage03="crc32c"),
        nets(storage02="", app01="sha1", storage03="crc32c"),
    ],
    ids=["not-read", "alike", "nothing-to-compare", "others-disagree"],
)
def test_where_nothing_shows_other_options_a_split_brain_is_looked_for(options):
    seen = view(mesh(away("storage03", ALONE)), options=options)
    (one,) = of("drbd-mesh", seen).findings
    assert "options differ" not in one.text
    assert one.next_step.startswith("on storage01: journalctl -k -g Split-Brain; if it finds")
    first, then = one.next_step.split(". If it finds one: ")
    assert "--discard-my-data" not in first
    assert then.startswith("compare both copies; on the one that is given up, a Secondary:")


def test_what_is_out_of_sync_towards_a_peer_that_gave_up_is_told():
    apart = connection("storage02", peer_device(out_of_sync_kib=5120), state=ALONE)
    (one,) = of("drbd-mesh", view(resource(apart))).findings
    assert one.text == "r0: 0 of 1 connected (storage02 StandAlone), 5.0 MiB out of sync"


@pytest.mark.parametrize("state", [ALONE, ConnectionState.CONNECTING])
def test_what_was_written_without_a_peer_is_told_once_drbd_gave_up_on_it(state):
    """A peer that is looked for gets it as soon as it is back."""
    apart = connection("storage02", peer_device(out_of_sync_kib=5120), state=state)
    (one,) = of("drbd-mesh", view(resource(apart, connection("storage03")))).findings
    rest = ", 5.0 MiB out of sync" if state is ALONE else ""
    assert one.text == f"r0: replica storage02 is {state.value}, 1 of 2 connected{rest}"


def test_what_was_written_without_a_peer_is_not_told_of_several_resources():
    apart = connection("storage02", peer_device(out_of_sync_kib=5120), state=ALONE)
    several = [resource(apart, connection("storage03"), name=name) for name in ("r0", "r1")]
    (one,) = of("drbd-mesh", view(*several)).findings
    assert one.text == "replica storage02 is StandAlone: 2 resources, 2 of 4 connected (r0, r1)"


def test_of_peers_that_are_all_gone_those_with_copies_are_pinged_first():
    names = {"app01": "10.0.0.1", "storage02": "10.0.0.12", "storage03": "10.0.0.13"}
    ends = [shown_connection(name, address=f"{host}:7000") for name, host in names.items()]
    alone = resource(*map(away, names))
    ((key, step),) = steps("drbd-mesh", view(alone, options=(shown("r0", *ends),)))
    assert key == "mesh-isolated"
    assert step == (
        "on storage01: no peer is reached, check the replication network: ping -c 3 10.0.0.12; ping"
        " -c 3 10.0.0.13; ping -c 3 10.0.0.1; the firewall (port 7000)"
    )


def test_disk_never_attached_explains_what_was_never_connected():
    bare = resource(
        *(away(name, ALONE) for name in ("storage01", "storage03")),
        name="m07",
        devices=(device(disk_state=DiskState.DISKLESS, client=False, size_kib=0, quorum=False),),
    )
    seen = view(bare, node="storage02")
    found = [each for check in ("drbd-disk", "drbd-mesh", "drbd-quorum")
             for each in of(check, seen).findings]  # fmt: skip
    (fault,) = faults(seen, found)
    assert fault.cause.key == "disk-lost"
    assert {each.key for each in fault.follows} == {"mesh-isolated", "drbd-quorum-lost"}
    assert all("Split-Brain" not in each.next_step for each in found)


def test_disk_that_was_lost_explains_no_split_brain():
    lost = resource(
        *(away(name, ALONE) for name in ("storage01", "storage03")),
        devices=(device(disk_state=DiskState.DISKLESS, client=False),),
    )
    seen = view(lost, node="storage02")
    found = [each for check in ("drbd-disk", "drbd-mesh") for each in of(check, seen).findings]
    assert {each.cause.key for each in faults(seen, found)} == {"disk-lost", "mesh-isolated"}


# -- what is barred because of it --------------------------------------------------------------


def test_what_lost_quorum_barred_is_cleaned_up_after_the_repair():
    (fault,) = recorded("start-failed-without-drbd-quorum/app01").faults
    assert fault.cause.key == "drbd-quorum-lost"
    assert "node-barred" in {each.key for each in fault.follows}
    assert fault.cause.next_step.endswith(
        "; when DRBD is well again: crm_resource --cleanup -r FS_DRBD"
    )


def test_nothing_is_cleaned_up_where_nothing_is_barred():
    assert not [f for f in recorded("storage-servers-lost/app01").faults
                if "--cleanup" in f.cause.next_step]  # fmt: skip


# -- disks and copies --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "size", "part"),
    [
        (DiskState.DISKLESS, 1024, "when it is good: drbdadm attach r0/0"),
        (
            DiskState.FAILED,
            1024,
            "still Failed: drbdadm detach r0/0 (hangs: drbdadm detach --force r0/0); when the disk"
            " is good: drbdadm attach r0/0",
        ),
        (DiskState.DETACHING, 1024, "while it stays Detaching its I/O hangs; once it is Diskless"),
        (DiskState.DISKLESS, 0, "No valid meta data, and a disk without data: drbdadm create-md"),
    ],
)
def test_how_a_disk_comes_back_depends_on_its_state(state, size, part):
    one = device(disk_state=state, size_kib=size)
    assert part in attach_step(mesh(devices=(one,)), one, "storage01", state)


@pytest.mark.parametrize(
    ("state", "words", "step"),
    [
        (DiskState.ATTACHING, "Attaching there", "does its backing disk hang? iostat -x 1"),
        (DiskState.NEGOTIATING, "Negotiating there", "names the peer whose answer it waits for"),
        (DiskState.CONSISTENT, "Consistent", "first bring back a connection that is down there"),
    ],
)
def test_disk_of_a_peer_that_is_being_attached_is_said_to_be_so_there(state, words, step):
    one = mesh(connection("storage02", peer_device(peer_disk_state=state)))
    about = (view(one), one, one.devices[0], "storage02")
    assert copy_words(*about) == words
    assert step in copy_step(*about)


BITMAP = peer_device(peer_disk_state=DiskState.DISKLESS, peer_client=False)


@pytest.mark.parametrize(
    ("own", "others", "may_be"),
    [
        (DiskState.UP_TO_DATE, (connection("app01"),), True),
        (DiskState.INCONSISTENT, (connection("app01"),), False),
        (DiskState.UP_TO_DATE, (connection("storage03"),), False),
        (DiskState.UP_TO_DATE, (away("app01"),), False),
        (DiskState.UP_TO_DATE, (), False),
    ],
    ids=["beside-a-client", "no-good-disk-here", "no-client", "client-not-connected", "alone"],
)
def test_diskless_peer_with_a_bitmap_may_be_a_client_where_others_are(own, others, may_be):
    one = resource(connection("storage02", BITMAP), *others, devices=(device(disk_state=own),))
    words = copy_words(view(one), one, one.devices[0], "storage02")
    assert words == (
        "Diskless, a bitmap is kept for it: disk failed or detached, or a client"
        if may_be
        else "Diskless there (failed or detached)"
    )


def test_of_many_peers_that_are_not_reached_three_are_pinged():
    names = [f"storage0{number}" for number in range(2, 6)]
    known = (shown_connection(name, address=f"10.0.0.{name[-1]}:7000") for name in names)
    one = resource(*map(away, names))
    step = all_gone_step(view(one, options=(shown("r0", *known),)), one, names)
    assert step.startswith(
        "all are out of reach of storage01: on storage01: ping -c 3 10.0.0.2; ping -c 3 10.0.0.3;"
        " ping -c 3 10.0.0.4; the firewall (port 7000); else on storage02, storage03, storage04,"
        " storage05: "
    )


def test_of_many_options_that_differ_two_are_told():
    names = ("verify-alg", "csums-alg", "data-integrity-alg", "cram-hmac-alg")
    known = (
        shown_connection(peer, net=dict.fromkeys(names, value))
        for peer, value in (("storage02", "sha1"), ("storage03", "crc32c"))
    )
    seen = view(mesh(away("storage03", ALONE)), options=(shown("r0", *known),))
    (one,) = of("drbd-mesh", seen).findings
    assert one.text.endswith(
        "; its net options differ from the other connections: cram-hmac-alg crc32c, elsewhere sha1,"
        " csums-alg crc32c, elsewhere sha1 and 2 more"
    )


def test_of_a_peer_out_of_reach_it_is_remembered_that_its_copy_was_old():
    gone = connection("storage02", OUTDATED, state=ConnectionState.CONNECTING)
    seen = mesh(gone, away("storage03"))
    names = ("storage02", "storage03")
    assert missing_words(view(seen), seen, seen.devices[0], names) == (
        "storage02: last known as Outdated",
        "storage03",
    )
    bare = mesh(devices=(device(disk_state=DiskState.DISKLESS, size_kib=0),))
    assert copy_words(view(bare), bare, bare.devices[0], "storage01") == "never attached"


@pytest.mark.parametrize(
    ("others", "role"),
    [((), Role.PRIMARY), ((), Role.SECONDARY), (("storage03",), Role.PRIMARY)],
    ids=["only-peer", "of-a-secondary", "of-the-primary"],
)
def test_old_copy_of_the_only_peer_or_of_the_primary_lacks_no_connection(others, role):
    only = resource(connection("storage02", OUTDATED), *map(connection, others), role=role)
    step = copy_step(view(only), only, only.devices[0], "storage02")
    assert step == (
        "on storage01: drbdadm disconnect r0:storage02; drbdadm connect r0:storage02; if it stays:"
        " journalctl -k -g drbd"
    )


def test_reconnect_that_takes_the_quorum_for_a_moment_says_so():
    only = resource(connection("storage02", OUTDATED), role=Role.PRIMARY)
    seen = view(only, options=(shown("r0", shown_connection("storage02"), quorum="majority"),))
    step = copy_step(seen, only, only.devices[0], "storage02")
    assert step.endswith("(without its vote I/O stops here meanwhile)")


def test_old_copy_lacks_its_connection_to_the_primary():
    primary = connection("app02", CLIENT, peer_role=Role.PRIMARY)
    one = mesh(connection("storage02", OUTDATED), primary)
    step = copy_step(view(one), one, one.devices[0], "storage02")
    assert step.startswith("on storage02: drbdadm status r0: is app02 (Primary) connected?")
    assert "resume-sync" not in step
    held = peer_device(peer_disk_state=DiskState.OUTDATED, resync_suspended=frozenset({"user"}))
    paused = mesh(connection("storage02", held), primary)
    step = copy_step(view(paused), paused, paused.devices[0], "storage02")
    assert "a pause (resync-suspended:user) ends with: drbdadm resume-sync r0" in step


def test_of_old_copies_those_that_are_alike_are_told_before_one_is_forced():
    old = mesh(
        connection("storage02", OUTDATED._replace(out_of_sync_kib=225280)),
        connection("storage03", OUTDATED),
        devices=(device(disk_state=DiskState.OUTDATED),),
    )
    ((_, step),) = steps("drbd-quorum", view(old))
    assert "(storage01, storage03 are alike, storage02 differs by 220.0 MiB by the marks of" in step
    assert step.endswith("drbdadm primary --force r0; then: drbdadm secondary r0")


def test_connected_copy_that_nothing_resyncs_is_asked_for_where_quorum_is_lost():
    half = peer_device(peer_disk_state=DiskState.INCONSISTENT)
    lost = (device(disk_state=DiskState.DISKLESS, client=True, quorum=False),)
    seen = mesh(connection("storage01", half), away("storage02"), away("storage03"), devices=lost,
                here="app02")  # fmt: skip
    ((_, step),) = steps("drbd-quorum", view(seen, node="app02"))
    assert step.startswith("on storage02, storage03: drbdadm status r0; not up: drbdadm up r0;")
    assert step.endswith(
        "; on storage01: drbdadm status r0: where another copy is UpToDate: drbdadm disconnect r0;"
        " drbdadm connect r0; where all are Inconsistent: journalctl -k -g drbd: was one UpToDate"
        " before? Then a backup; else the first sync: see DRBD's guide, 'The initial device"
        " synchronization'"
    )


def test_connected_copy_that_nothing_resyncs_is_asked_for_beside_one_that_is_missing():
    half = peer_device(peer_disk_state=DiskState.INCONSISTENT)
    seen = mesh(away("storage02"), connection("storage03", half))
    ((_, step),) = steps("drbd-quorum", view(seen))
    assert step.startswith("on storage02: drbdadm status r0; not up: drbdadm up r0;")
    assert step.endswith(
        "; on storage03: drbdadm status r0: why does no resync run (PausedSync: drbdadm resume-sync"
        " r0; StandAlone: drbdadm connect r0)"
    )


@pytest.mark.parametrize(
    ("policy", "end"),
    [("io-error", "its I/O fails (on-no-quorum io-error)"),
     ("suspend-io", "its I/O is frozen (on-no-quorum suspend-io)")],
)  # fmt: skip
def test_a_primary_elsewhere_may_have_lost_the_same_quorum(policy, end):
    lost = (device(disk_state=DiskState.DISKLESS, client=True, quorum=False),)
    primary = connection("app01", CLIENT, peer_role=Role.PRIMARY)
    seen = mesh(away("storage02"), away("storage03"), primary, devices=lost, here="app03")
    options = (shown("r0", shown_connection("app01"), on_no_quorum=policy),)
    ((_, step),) = steps("drbd-quorum", view(seen, node="app03", options=options))
    assert step.endswith(
        f"; on app01 (Primary): drbdadm status r0: quorum:no there means that {end}"
    )


# -- resyncs and verifies ----------------------------------------------------------------------


def test_resync_that_comes_again_names_the_policy():
    target = peer_device(
        replication_state=ReplicationState.SYNC_TARGET,
        out_of_sync_kib=10,
        progress=progress(),
    )
    half = mesh(connection("storage02", target),
                devices=(device(disk_state=DiskState.INCONSISTENT),))  # fmt: skip
    net = shown_connection("storage02", net={"on-congestion": "pull-ahead"})
    for check in ("drbd-disk", "drbd-sync"):
        ((_, step),) = steps(check, view(half, options=(shown("r0", net),)))
        assert step.endswith("; it comes again while the link is too slow: on-congestion is"
                             " pull-ahead")  # fmt: skip
        ((_, step),) = steps(check, view(half))
        assert "on-congestion" not in step


def test_verify_that_finds_something_is_told_beside_another_fault(call):
    words = "r1/0: online verify with storage02, 320.0 KiB out of sync so far, 69.0% done, 4 s left"
    place = SNAPSHOTS / "verify-running/storage01"
    assert words in call("overview", "--from", place).out
    assert words in call("drbd-sync", "-v", "--from", place).out
    assert f" DRBD r1  Primary storage01, {words[:45]}" in call("status", "--brief", "--from",
                                                               place).out  # fmt: skip
    assert words[6:] in " ".join(call("status", "--from", place).out.split())


def test_only_a_verify_is_told_as_running():
    verify = peer_device(replication_state=ReplicationState.VERIFY_S, verifying=True)
    assert of("drbd-sync", view(resource(connection("storage02", verify)))).running
    assert of("drbd-sync", view(resource(connection("storage02")))).running == ()


def test_a_pause_of_the_peer_that_holds_up_nothing_now_is_told_without_a_fault():
    peer = peer_device(resync_suspended=frozenset({"peer"}))
    judged = of("drbd-sync", view(resource(connection("storage02", peer))))
    assert judged.findings == ()
    assert judged.running == (
        "r0/0: storage02 holds back the next resync (resync-suspended: peer)",
    )


def test_module_that_is_not_built_for_this_kernel_is_not_loaded_again():
    (one,) = [each for each in recorded("module-missing/storage01").findings
              if each.key == "drbd-module"]  # fmt: skip
    assert one.next_step.startswith(
        "dkms autoinstall (it needs the headers of 6.1.0-56-cloud-amd64)"
    )


def test_connection_to_a_missing_copy_names_the_one_that_nothing_resyncs():
    half = peer_device(peer_disk_state=DiskState.INCONSISTENT)
    seen = mesh(away("storage02"), connection("storage03", half))
    ((_, step),) = steps("drbd-mesh", view(seen))
    assert "; on storage03: drbdadm status r0: why does no resync run (PausedSync" in step
    ((_, step),) = steps("drbd-mesh", view(mesh(away("storage02"))))
    assert "why does no resync run" not in step


def test_connection_to_a_client_says_nothing_of_copies():
    half = peer_device(peer_disk_state=DiskState.INCONSISTENT)
    ((_, step),) = steps("drbd-mesh", view(mesh(away("app02"), connection("storage03", half))))
    assert "storage03" not in step


def test_connection_to_a_copy_says_nothing_of_others_where_none_is_good():
    half = peer_device(peer_disk_state=DiskState.INCONSISTENT)
    peers = (away("storage02"), connection("storage03", half))
    seen = mesh(*peers, devices=(device(disk_state=DiskState.INCONSISTENT),))
    ((_, step),) = steps("drbd-mesh", view(seen))
    assert "storage03" not in step
