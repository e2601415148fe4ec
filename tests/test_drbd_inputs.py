"""What the checks of DRBD say of answers that are no evidence, and of a second reading."""

from __future__ import annotations

import json
import shutil

import pytest

from build import SNAPSHOTS, altered
from build_drbd import configuration, read_twice
from check_mccluster.acquire.live import Live

STATUS_CHECKS = ("drbd-role", "drbd-disk", "drbd-mesh", "drbd-quorum", "drbd-sync")
HEALTHY = "six-nodes-healthy/storage01"


@pytest.fixture(params=STATUS_CHECKS)
def check(request):
    """Each check that reads ``drbdsetup status``."""
    return request.param


def keys(outcome) -> list[tuple[str, str]]:
    """State and key of each finding in the output of ``--json``."""
    return [(each["state"], each["key"]) for each in json.loads(outcome.out)["findings"]]


def node_with(folder, **files: str):
    """Constructed: the recorded healthy storage01 with other files, by name without ``drbd-``."""
    node = altered(folder, HEALTHY)
    for name, text in files.items():
        (node / f"drbd-{name.replace('_', '.')}").write_text(text)
    return node


# -- one reading --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recorded", "found"),
    [
        ("module-not-loaded/storage01", [("CRITICAL", "drbd-module")]),
        ("module-missing/storage01", [("CRITICAL", "drbd-module")]),
        ("no-resource-up/storage01", [("CRITICAL", "drbd-empty")]),
        ("three-nodes-healthy/app01", [("UNKNOWN", "tool-missing")]),
        (
            "utils-9.1.0-answer-cut/app01",
            [("UNKNOWN", "tool-failed"), ("UNKNOWN", "drbd-resource-empty")],
        ),
    ],
)
def test_recorded_answers_that_are_no_evidence(call, check, recorded, found):
    outcome = call(check, "--json", "--from", SNAPSHOTS / recorded)
    assert keys(outcome) == found
    assert json.loads(outcome.out)["figures"] == []


@pytest.mark.parametrize(
    ("recorded", "found"),
    [
        ("module-not-loaded/storage01", ("UNKNOWN", "drbd-module")),
        ("no-resource-up/storage01", ("UNKNOWN", "drbd-empty")),
    ],
)
def test_nothing_is_expected(call, check, tmp_path, recorded, found):
    """Constructed: a recorded state whose meta.json expects no resource."""
    node = altered(
        tmp_path,
        recorded,
        ('"expected_drbd_resources": ["r0"]', '"expected_drbd_resources": []'),
        file="meta.json",
    )
    assert keys(call(check, "--json", "--from", node)) == [found]
    named = call(check, "--json", "--from", node, "-r", "r5")
    assert keys(named) == [("CRITICAL", found[1])]


def test_module_of_the_kernel_is_84_by_its_version(call, check, tmp_path):
    """Constructed: meta.json tells the version of the module."""
    node = node_with(tmp_path)
    meta = json.loads((node / "meta.json").read_text())
    (node / "meta.json").write_text(json.dumps({**meta, "drbd_module": "8.4.11"}))
    outcome = call(check, "--from", node)
    assert outcome.code == 2
    assert "the loaded DRBD kernel module is 8.4.11" in outcome.first
    assert keys(call(check, "--json", "--from", node)) == [("CRITICAL", "drbd-module")]


def test_module_of_the_kernel_is_84_by_what_its_drbdsetup_says(call, check, tmp_path):
    """Constructed from the notes: drbdsetup runs drbdsetup-84, which knows no --json."""
    node = node_with(
        tmp_path,
        status_json="USAGE:\ndrbdsetup command {arguments} [options]\n",
        status_json_rc="20\n",
        status_json_err="status: unrecognized option '--json'\n",
    )
    outcome = call(check, "--from", node)
    assert (outcome.code, outcome.first) == (
        2,
        f"{check.upper()} CRITICAL - drbdsetup knows no --json: the kernel's own DRBD 8.4 is loaded"
        " instead of 9, or drbd-utils is older than 8.9.8",
    )


def test_resource_is_missing(call, check, tmp_path):
    config = configuration(tmp_path, '[drbd.r7]\nreplicas = ["storage01"]\n')
    node = altered(tmp_path, HEALTHY, ('["r0"]', '["r0", "r7"]'), file="meta.json")
    outcome = call(check, "--from", node, "--config", config)
    assert (outcome.code, outcome.first) == (
        2,
        f"{check.upper()} CRITICAL - r7 is not up on this node",
    )
    found = keys(call(check, "--json", "--from", node, "--config", config))
    assert found == [("CRITICAL", "drbd-resource-missing")]


def test_resource_that_the_nodes_own_configuration_does_not_have(call, check, tmp_path):
    config = configuration(tmp_path, '[drbd.r7]\nreplicas = ["storage01"]\n')
    outcome = call(check, "--from", SNAPSHOTS / HEALTHY, "--config", config)
    assert (outcome.code, outcome.first) == (
        3,
        f"{check.upper()} UNKNOWN - configuration: drbd.r7: r7 is not a DRBD resource of this"
        " node (known: r0)",
    )


def test_resource_is_missing_where_nobody_knows_what_should_be_up(call, check, tmp_path):
    config = configuration(tmp_path, '[drbd.r7]\nreplicas = ["storage01"]\n')
    gone = (', "expected_drbd_resources": ["r0"]', "")
    node = altered(tmp_path, HEALTHY, gone, file="meta.json")
    outcome = call(check, "--from", node, "--config", config)
    assert (outcome.code, outcome.first) == (
        2,
        f"{check.upper()} CRITICAL - r7 is not up on this node",
    )


def test_resource_of_other_nodes_is_not_missed(call, tmp_path):
    config = configuration(tmp_path, '[drbd.r7]\nreplicas = ["storage02"]\n')
    assert call("drbd-disk", "--from", SNAPSHOTS / HEALTHY, "--config", config).code == 0


def test_half_configured_resource(call, check):
    node = SNAPSHOTS / "utils-9.3.1-half-configured/storage03"
    assert ("UNKNOWN", "drbd-resource-empty") in keys(call(check, "--json", "--from", node))


@pytest.mark.parametrize(
    ("files", "key", "first"),
    [
        ({"status_json": ""}, "output-invalid", "drbdsetup: empty output"),
        ({"status_json": "[\n{\n"}, "output-invalid", "drbdsetup: cut off"),
        (
            {"status_json": "<xml/>"},
            "output-invalid",
            "drbdsetup: this is XML, not drbdsetup's JSON",
        ),
        (
            {"status_json": '[{"name": "r0", "role": "Primary"}]'},
            "output-invalid",
            "drbdsetup: r0: devices is missing",
        ),
        ({"status_json_rc": "1\n"}, "tool-failed", "drbdsetup failed with exit code 1"),
        (
            {"status_json_rc": "10\n", "status_json_err": "Could not connect to 'drbd' family\n"},
            "tool-failed",
            "drbdsetup failed with exit code 10: Could not connect to 'drbd' family",
        ),
        (
            {"status_json_rc": "20\n", "status_json_err": "Operation not permitted\n"},
            "tool-denied",
            "Operation not permitted; needs --sudo",
        ),
        (
            {"status_json_rc": "timeout\n", "status_json_err": "no answer within 8 s\n"},
            "tool-timeout",
            "no answer within 8 s",
        ),
    ],
)
def test_answer_that_is_none(call, check, tmp_path, files, key, first):
    node = node_with(tmp_path, **files)
    outcome = call(check, "--from", node)
    assert (outcome.code, len(outcome.lines)) == (3, 1)
    assert outcome.first.startswith(f"{check.upper()} UNKNOWN - ")
    assert outcome.first.endswith(first)
    assert keys(call(check, "--json", "--from", node)) == [("UNKNOWN", key)]


# -- a second reading ---------------------------------------------------------------------------


@pytest.fixture(params=("drbd-quorum", "drbd-sync"))
def sampling(request):
    """Each check that can read twice."""
    return request.param


def test_second_reading_is_asked_for_and_not_there(call, sampling):
    outcome = call(sampling, "--from", SNAPSHOTS / HEALTHY, "--sample", "2")
    assert (outcome.code, len(outcome.lines), outcome.first) == (
        3,
        1,
        f"{sampling.upper()} UNKNOWN - second reading: the snapshot has no second reading"
        " (drbd-status.2.json)",
    )


def test_no_second_reading_is_missed_that_nobody_asked_for(call, sampling):
    assert call(sampling, "--from", SNAPSHOTS / HEALTHY).code == 0


@pytest.mark.parametrize("options", [(), ("--sample", "2")])
@pytest.mark.parametrize(
    ("files", "first"),
    [
        ({"status.2_json": ""}, "second reading: drbdsetup: empty output"),
        ({"status.2_json": "[\n{\n"}, "second reading: drbdsetup: cut off"),
        ({"status.2_json": "[\n]\n"}, "second reading: r0 is gone"),
        (
            {"status.2_json": "[]", "status.2_json_rc": "1\n"},
            "second reading: drbdsetup failed with exit code 1",
        ),
        (
            {"status.2_json": "[]", "status.2_json_err": "received netlink error reply\n"},
            "second reading: drbdsetup status: received netlink error reply; its answer is cut",
        ),
        (
            {"status.2_json": "", "status.2_json_rc": "timeout\n"},
            "second reading: drbdsetup status --json: timeout when the snapshot was taken",
        ),
    ],
)
def test_second_reading_that_is_none(call, tmp_path, sampling, options, files, first):
    outcome = call(sampling, "--from", node_with(tmp_path, **files), *options)
    assert (outcome.code, len(outcome.lines), outcome.first) == (
        3,
        1,
        f"{sampling.upper()} UNKNOWN - {first}",
    )


def test_unknown_word_of_a_second_reading_compares_with_nothing(call, tmp_path):
    node = read_twice(tmp_path, HEALTHY, ('"Established"', '"Strange"'))
    outcome = call("drbd-sync", "--from", node)
    assert outcome.code == 3
    assert "second reading: drbdsetup: unknown word 'Strange' as replication-state" in outcome.first


def test_second_reading_that_is_none_hides_no_fault_of_the_first(call, tmp_path):
    node = read_twice(tmp_path, "io-suspended-by-user/storage01")
    (node / "drbd-status.2.json").write_text("")
    assert keys(call("drbd-quorum", "--json", "--from", node)) == [
        ("CRITICAL", "io-suspended"),
        ("UNKNOWN", "output-invalid"),
    ]


def test_other_checks_do_not_read_twice(call, tmp_path):
    node = node_with(tmp_path, **{"status.2_json": ""})
    for check in ("drbd-role", "drbd-disk", "drbd-mesh"):
        assert call(check, "--from", node).code == 0


# -- this machine: stand-ins for drbdsetup and drbdadm, and for the kernel's module ---------------


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A configuration file that names stand-in tools; the kernel's files are under *tmp_path*."""
    module = tmp_path / "sys/module/drbd"
    module.mkdir(parents=True)
    (module / "version").write_text("9.2.18\n")
    monkeypatch.setitem(Live.__init__.__kwdefaults__, "root", tmp_path)
    script = '#!/bin/sh\ncd "$(dirname "$0")"\necho "$@" >> calls\n'
    drbdsetup = tmp_path / "drbdsetup"
    drbdsetup.write_text(
        f'{script}if [ "$1" = status ] && [ -e read ]; then cat second; exit; fi\n'
        'if [ "$1" = status ]; then touch read; cat first; else cat show; fi\n'
    )
    drbdadm = tmp_path / "drbdadm"
    drbdadm.write_text(f"{script}echo r0\n")
    for tool in (drbdsetup, drbdadm):
        tool.chmod(0o755)

    def prepare(first, second, show):
        for name, path in (("first", first), ("second", second), ("show", show)):
            shutil.copy(path, tmp_path / name)
        return configuration(
            tmp_path, f'[tools]\ndrbdsetup = "{drbdsetup}"\ndrbdadm = "{drbdadm}"\n'
        )

    return prepare


HUNG = SNAPSHOTS / "disk-hangs-detaching/app02/drbd-status.json"
BUSY = SNAPSHOTS / "six-nodes-healthy/app01/drbd-status.json"
SHOW = SNAPSHOTS / "six-nodes-healthy/app01/drbd-show.json"
SHOW_APP02 = SNAPSHOTS / "six-nodes-healthy/app02/drbd-show.json"


def test_live_sample_of_a_hung_disk(call, machine):
    config = machine(HUNG, HUNG, SHOW_APP02)
    outcome = call("drbd-quorum", "--config", config, "--node", "app02", "--sample", "0.1")
    assert (outcome.code, outcome.lines[1:]) == (
        2,
        [
            "[CRITICAL] r0/0: nothing moves on app02, requests in flight: 2 (they wait for"
            " storage03)",
            "[WARNING] r0/0: 2 of 3 copies UpToDate and reachable, not storage03: its disk is"
            " Detaching there",
        ],
    )


def test_live_sample_of_a_busy_primary(call, machine, tmp_path):
    later = tmp_path / "later"
    later.write_text(BUSY.read_text().replace('"upper-pending": 1', '"upper-pending": 3'))
    config = machine(BUSY, later, SHOW)
    outcome = call("drbd-quorum", "--config", config, "--node", "app01", "--sample", "0.1")
    assert (outcome.code, outcome.first) == (0, "DRBD-QUORUM OK - r0/0: 3 of 3 copies, can lose 1")
    calls = sorted((tmp_path / "calls").read_text().splitlines())
    assert calls == [
        "sh-resources",
        "show --json --show-defaults",
        "status --json",
        "status --json",
    ]


def test_live_without_sample_reads_once(call, machine, tmp_path):
    config = machine(HUNG, HUNG, SHOW_APP02)
    outcome = call("drbd-quorum", "--config", config, "--node", "app02")
    assert (outcome.code, outcome.first) == (
        1,
        "DRBD-QUORUM WARNING - r0/0: 2 of 3 copies UpToDate and reachable, not storage03: its disk"
        " is Detaching there",
    )
    assert (tmp_path / "calls").read_text().splitlines().count("status --json") == 1


def test_live_second_reading_that_is_none(call, machine, tmp_path):
    (tmp_path / "nothing").write_text("")
    config = machine(BUSY, tmp_path / "nothing", SHOW)
    outcome = call("drbd-sync", "--config", config, "--node", "app01", "--sample", "0.1")
    assert (outcome.code, len(outcome.lines), outcome.first) == (
        3,
        1,
        "DRBD-SYNC UNKNOWN - second reading: drbdsetup: empty output",
    )


def test_the_answer_of_another_node_is_no_evidence(call):
    """storage01 is a peer in what app01 says: whoever is asked as storage01 was mixed up."""
    node = SNAPSHOTS / "six-nodes-healthy/app01"
    for check in ("drbd-role", "drbd-disk", "drbd-mesh", "drbd-quorum", "drbd-sync"):
        outcome = call(check, "--from", node, "--node", "storage01")
        assert (outcome.code, outcome.first) == (
            3,
            f"{check.upper()} UNKNOWN - drbdsetup: this is another node's answer: storage01 is a"
            " peer in r0",
        )
