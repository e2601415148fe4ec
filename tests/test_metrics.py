"""The metrics for Prometheus: the text, its constant series, and the file that is written."""

from __future__ import annotations

import math
import re
import stat

import pytest

from check_mccluster.app.commands.metrics import write_atomically
from check_mccluster.present.metrics import Family, as_text
from conftest import FIXTURES

SNAPSHOTS = FIXTURES / "snapshots"
HEALTHY = SNAPSHOTS / "six-nodes-healthy"


@pytest.fixture
def series(call):
    """The series of a snapshot with their values; a doubled one is an error."""

    def run(*args: object) -> dict[str, str]:
        outcome = call("metrics", "--from", *args)
        assert outcome.code == 0
        pairs = [line.rsplit(" ", 1) for line in outcome.lines if not line.startswith("#")]
        assert len({name for name, _ in pairs}) == len(pairs)
        return dict(pairs)

    return run


def in_force(found: dict[str, str], *metrics: str) -> list[str]:
    """The series of these metrics that are not 0."""
    return [
        f"{name} {value}"
        for name, value in found.items()
        if value != "0" and re.sub(r"\{.*", "", name) in metrics
    ]


def test_text_format():
    states = Family("drbd_role", "Role of the resource.")
    states.one_of(("Primary", "Secondary"), "Secondary", "role", resource="r0")
    numbers = Family("sent_bytes_total", "Sent: \\ and\na second line.", "counter")
    numbers.set(2**53, peer="app01")
    numbers.set(None, peer="app02")
    numbers.set(0.25, peer="app03")
    single = Family("last_run_success", "Whether it went well.")
    single.set(True)

    assert as_text([states, numbers, Family("nothing", "No series."), single]) == (
        "# HELP mccluster_drbd_role Role of the resource.\n"
        "# TYPE mccluster_drbd_role gauge\n"
        'mccluster_drbd_role{resource="r0",role="Primary"} 0\n'
        'mccluster_drbd_role{resource="r0",role="Secondary"} 1\n'
        "# HELP mccluster_sent_bytes_total Sent: \\\\ and\\na second line.\n"
        "# TYPE mccluster_sent_bytes_total counter\n"
        'mccluster_sent_bytes_total{peer="app01"} 9007199254740992\n'
        'mccluster_sent_bytes_total{peer="app02"} NaN\n'
        'mccluster_sent_bytes_total{peer="app03"} 0.25\n'
        "# HELP mccluster_last_run_success Whether it went well.\n"
        "# TYPE mccluster_last_run_success gauge\n"
        "mccluster_last_run_success 1\n"
    )


def test_label_values_are_escaped():
    family = Family("x", "Names with everything in them.")
    family.set(1, name='a "quoted" \\ and\nbroken')

    assert as_text([family]).splitlines()[-1] == (
        'mccluster_x{name="a \\"quoted\\" \\\\ and\\nbroken"} 1'
    )


def test_infinity_is_written_as_prometheus_reads_it():
    family = Family("x", "Both ends.")
    family.set(math.inf, end="up")
    family.set(-math.inf, end="down")

    assert as_text([family]).splitlines()[2:] == [
        'mccluster_x{end="up"} +Inf',
        'mccluster_x{end="down"} -Inf',
    ]


def test_storage_server(series):
    found = series(HEALTHY / "storage01")

    assert in_force(
        found,
        *("mccluster_last_run_success", "mccluster_last_run_timestamp_seconds"),
        *("mccluster_overview_state", "mccluster_faults", "mccluster_drbd_role"),
        *("mccluster_drbd_disk_state", "mccluster_drbd_quorum", "mccluster_drbd_copies"),
        *("mccluster_drbd_client", "mccluster_drbd_peer_role", "mccluster_drbd_in_sync_ratio"),
    ) == [
        "mccluster_last_run_success 1",
        "mccluster_last_run_timestamp_seconds 1795337992",
        'mccluster_overview_state{state="ok"} 1',
        'mccluster_drbd_role{resource="r0",role="Secondary"} 1',
        'mccluster_drbd_disk_state{resource="r0",volume="0",state="UpToDate"} 1',
        'mccluster_drbd_quorum{resource="r0",volume="0"} 1',
        'mccluster_drbd_copies{resource="r0",volume="0"} 3',
        'mccluster_drbd_peer_role{resource="r0",peer="app01",role="Primary"} 1',
        'mccluster_drbd_peer_role{resource="r0",peer="app02",role="Secondary"} 1',
        'mccluster_drbd_peer_role{resource="r0",peer="app03",role="Secondary"} 1',
        'mccluster_drbd_peer_role{resource="r0",peer="storage02",role="Secondary"} 1',
        'mccluster_drbd_peer_role{resource="r0",peer="storage03",role="Secondary"} 1',
        *(
            f'mccluster_drbd_in_sync_ratio{{resource="r0",peer="{peer}",volume="0"}} 1'
            for peer in ("app01", "app02", "app03", "storage02", "storage03")
        ),
    ]
    assert not any(name.startswith("mccluster_node") for name in found)


def test_application_server(series):
    found = series(HEALTHY / "app01")

    assert in_force(
        found,
        *("mccluster_node_state", "mccluster_votes_margin", "mccluster_quorate"),
        *("mccluster_resource_active", "mccluster_failover_candidates"),
        *("mccluster_maintenance_mode", "mccluster_resource_failures"),
        *("mccluster_corosync_detection_seconds", "mccluster_drbd_detection_seconds"),
    ) == [
        'mccluster_node_state{node="app01",state="online"} 1',
        'mccluster_node_state{node="app02",state="online"} 1',
        'mccluster_node_state{node="app03",state="online"} 1',
        "mccluster_quorate 1",
        "mccluster_votes_margin 1",
        "mccluster_failover_candidates 1",
        'mccluster_resource_active{resource="FS_DRBD",node="app01"} 1',
        'mccluster_resource_active{resource="MYSQL",node="app01"} 1',
        'mccluster_resource_active{resource="MAILMAN3",node="app01"} 1',
        'mccluster_resource_active{resource="POSTFIX",node="app01"} 1',
        'mccluster_resource_active{resource="DOVECOT",node="app01"} 1',
        "mccluster_corosync_detection_seconds 27.83",
        "mccluster_drbd_detection_seconds 12",
    ]


@pytest.mark.parametrize(
    ("scenario", "node"),
    [
        ("storage-servers-lost", "app01"),
        ("storage-servers-lost", "storage01"),
        ("app01-powered-off", "app02"),
    ],
)
def test_series_stay_the_same_when_states_change(series, scenario, node):
    healthy, changed = series(HEALTHY / node), series(SNAPSHOTS / scenario / node)

    assert list(changed) == list(healthy)
    assert changed != healthy


def test_fault_is_counted_once_at_its_cause(series):
    found = series(SNAPSHOTS / "storage-servers-lost" / "app01")

    assert in_force(found, "mccluster_faults", "mccluster_overview_state") == [
        'mccluster_overview_state{state="critical"} 1',
        'mccluster_faults{check="drbd-quorum",state="critical"} 1',
    ]
    assert in_force(found, "mccluster_drbd_connection_state") == [
        'mccluster_drbd_connection_state{resource="r0",peer="app02",state="Connected"} 1',
        'mccluster_drbd_connection_state{resource="r0",peer="app03",state="Connected"} 1',
        'mccluster_drbd_connection_state{resource="r0",peer="storage01",state="Connected"} 1',
        'mccluster_drbd_connection_state{resource="r0",peer="storage02",state="Connecting"} 1',
        'mccluster_drbd_connection_state{resource="r0",peer="storage03",state="Connecting"} 1',
    ]


def test_failing_tool_is_no_success_and_the_rest_is_told(series):
    found = series(SNAPSHOTS / "pacemaker-1.1.24-not-running" / "app01")

    assert found["mccluster_last_run_success"] == "0"
    assert found['mccluster_faults{check="tools",state="critical"}'] == "1"
    assert found['mccluster_check_state{check="nodes",state="critical"}'] == "1"


def test_instances_of_a_clone_are_counted(series):
    found = series(SNAPSHOTS / "clone-healthy" / "app01")

    assert {name: value for name, value in found.items() if '"ping"' in name and value != "0"} == {
        'mccluster_resource_role{resource="ping",role="Started"}': "3",
        'mccluster_resource_active{resource="ping",node="app01"}': "1",
        'mccluster_resource_active{resource="ping",node="app02"}': "1",
        'mccluster_resource_active{resource="ping",node="app03"}': "1",
    }


def test_fail_count_of_a_barred_node(series):
    found = series(SNAPSHOTS / "app01-barred" / "app02")

    assert in_force(found, "mccluster_resource_failures") == [
        'mccluster_resource_failures{resource="FS_DRBD",node="app01"} 1'
    ]


# -- the file ----------------------------------------------------------------------------------


def test_file_has_what_would_be_printed_and_anyone_may_read_it(call, tmp_path):
    target = tmp_path / "mccluster.prom"
    printed = call("metrics", "--from", HEALTHY / "app01").out

    outcome = call("metrics", "--from", HEALTHY / "app01", "--output", target)

    assert (outcome.code, outcome.out) == (0, "")
    assert target.read_text() == printed
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [target]


def test_old_file_stays_when_the_new_one_cannot_be_written(tmp_path, monkeypatch):
    target = tmp_path / "mccluster.prom"
    target.write_text("old\n")
    seen = []

    def fail(*_):
        seen.extend(path.name for path in tmp_path.iterdir())
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fchmod", fail)

    with pytest.raises(OSError, match="No space left"):
        write_atomically(target, "new\n")
    assert not any(name.endswith(".prom") for name in seen if name != target.name)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [
        ("mccluster.prom", "old\n")
    ]


def test_directory_that_is_not_there_is_an_error(call, tmp_path):
    target = tmp_path / "nowhere" / "mccluster.prom"

    outcome = call("metrics", "--from", HEALTHY / "app01", "--output", target)

    assert outcome.code == 3
    assert outcome.lines == [
        f"CHECK_MCCLUSTER UNKNOWN - cannot write {target}: No such file or directory"
    ]


def test_wrong_configuration_keeps_the_old_file(call, tmp_path):
    target = tmp_path / "mccluster.prom"
    target.write_text("old\n")

    outcome = call("metrics", "--config", tmp_path / "none.toml", "--output", target)

    assert outcome.code == 3
    assert target.read_text() == "old\n"
