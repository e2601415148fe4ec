"""The metrics for Prometheus: the text, its constant series, and the file that is written."""

from __future__ import annotations

import math
import re
import stat

import pytest

from build import NOW, view_of
from build_drbd import many
from check_mccluster.app.commands.metrics import write_atomically
from check_mccluster.checks.overview import CHECK as OVERVIEW
from check_mccluster.judge import engine
from check_mccluster.judge.picture import of_one
from check_mccluster.model.drbd import DrbdResource
from check_mccluster.present.metrics import (
    MOST_FAULTS,
    MOST_SINGLE,
    OF_RESOURCE,
    Family,
    as_text,
    metrics,
)
from check_mccluster.verdict import subject
from check_mccluster.verdict.view import Asked, Judgement
from conftest import FIXTURES
from daemons import ROOT

SNAPSHOTS = FIXTURES / "snapshots"
HEALTHY = SNAPSHOTS / "six-nodes-healthy"


@pytest.fixture
def series(call):
    """The series of a snapshot with their values; a doubled one is an error.

    The cluster's name is a label of all of them where it is known, and is taken off.
    """

    def run(*args: object) -> dict[str, str]:
        outcome = call("metrics", "--from", *args)
        assert outcome.code == 0
        text = re.sub(r'cluster="[^"]*",?', "", outcome.out).replace("{}", "")
        pairs = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
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
        'mccluster_last_run_timestamp_seconds{node="storage01"} 1795337992',
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


def test_a_changed_state_is_another_label_and_figures_keep_their_series(series):
    healthy, lost = series(HEALTHY / "app01"), series(SNAPSHOTS / "storage-servers-lost" / "app01")

    state = 'mccluster_drbd_connection_state{resource="r0",peer="storage02",state="%s"}'
    assert [state % word in healthy for word in ("Connected", "Connecting")] == [True, False]
    assert [state % word in lost for word in ("Connected", "Connecting")] == [False, True]
    worded = re.compile(r"(_state|_role|_fault)\{")
    assert {name for name in healthy if not worded.search(name)} == {
        name for name in lost if not worded.search(name)
    }


def test_a_fault_has_a_series_that_names_its_object(series):
    lost = series(SNAPSHOTS / "storage-servers-lost" / "app01")
    gone = series(SNAPSHOTS / "app01-powered-off" / "app02")

    assert in_force(series(HEALTHY / "app01"), "mccluster_fault") == []
    assert in_force(lost, "mccluster_fault") == [
        'mccluster_fault{key="drbd-quorum-lost",object="r0/0",check="drbd-quorum",'
        'state="critical",spoken="yes"} 1'
    ]
    assert [name for name in gone if 'key="node-offline"' in name] == [
        'mccluster_fault{key="node-offline",object="app01",check="nodes",state="critical",'
        'spoken="yes",node="app01"}'
    ]


def test_a_fault_says_whether_this_node_tells_it(series):
    """Of a node that was stopped in order, that node itself."""
    stopped = SNAPSHOTS / "pacemaker-stopped-on-app01"

    assert in_force(series(stopped / "app01"), "mccluster_fault") == [
        'mccluster_fault{key="pacemaker-down",object="pacemaker",check="tools",'
        'state="critical",spoken="yes",node="app01"} 1'
    ]
    assert [one for one in series(stopped / "app02") if 'key="node-offline"' in one] == [
        'mccluster_fault{key="node-offline",object="app01",check="nodes",'
        'state="critical",spoken="no",node="app01"}'
    ]


def test_every_series_has_the_name_of_the_cluster_where_pacemaker_knows_it(call):
    known = call("metrics", "--from", HEALTHY / "app01").lines
    unknown = call("metrics", "--from", HEALTHY / "storage01").lines

    assert all('{cluster="drbdlab"' in line for line in known if not line.startswith("#"))
    assert not any('cluster="' in line for line in unknown)


def test_name_of_the_configuration_file_comes_before_pacemakers(call, tmp_path):
    config = tmp_path / "cluster.toml"
    config.write_text('[cluster]\nname = "mail \\"one\\""\n')

    for node in ("app01", "storage01"):
        lines = call("metrics", "--from", HEALTHY / node, "--config", config).lines
        series = [line for line in lines if not line.startswith("#")]
        assert all('{cluster="mail \\"one\\""' in line for line in series)


# -- at scale ----------------------------------------------------------------------------------


def counted(resources: tuple[DrbdResource, ...]) -> dict[str, float]:
    """Every series about DRBD, faults, and what was left out."""
    view = view_of("storage01", NOW, drbd=resources)
    judged = Judgement(view, engine.report(OVERVIEW, view, Asked()))
    return {
        f"{family.name} {' '.join(f'{key}={text}' for key, text in labels)}".strip(): value
        for family in metrics(of_one(judged))
        for labels, value in family.series.items()
        if family.name.startswith(("drbd", "fault", "left_out"))
    }


def test_series_at_scale_are_bounded_and_what_is_left_out_is_counted():
    found = counted(many(2000, 6))

    assert len(found) <= OF_RESOURCE * 2000 + 150
    assert found["drbd_volumes state=UpToDate"] == 2000
    peers = {name: n for name, n in found.items() if name.startswith("drbd_connections ")}
    assert set(peers.values()) == {2000}
    assert all(name.endswith(" state=Connected") for name in peers)
    assert len(peers) == 6
    assert found["left_out what=drbd_volumes"] == 2000
    assert found["left_out what=drbd_connections"] == 12000
    assert not any(name.startswith("drbd_disk_state") for name in found)


def test_at_scale_what_is_not_well_is_told_by_name():
    found = counted(many(400, 3, broken=2))

    assert [name for name in found if name.startswith("drbd_disk_state")] == [
        "drbd_disk_state resource=vm0 volume=0 state=Failed",
        "drbd_disk_state resource=vm1 volume=0 state=Failed",
    ]
    assert sum(name.startswith("drbd_connection_state") for name in found) == 6
    assert found["left_out what=drbd_volumes"] == 398
    assert found["left_out what=drbd_connections"] == 1194


def test_at_scale_with_everything_broken_the_bound_holds():
    found = counted(many(2000, 2, broken=2000))

    # What is the same of many volumes is one fault.
    assert sum(name.startswith("fault ") for name in found) == 2
    assert len(found) <= OF_RESOURCE * 2000 + MOST_SINGLE * (12 + 3 + 6) + MOST_FAULTS + 150


def test_of_very_many_faults_the_gravest_are_named_and_all_are_counted():
    view = view_of("storage01", NOW, drbd=many(1, 2, broken=1))
    report = engine.report(OVERVIEW, view, Asked())
    one = report.faults[0]
    names = (subject.volume(f"vm{number}", 0) for number in range(300))
    crowd = tuple(one._replace(cause=one.cause._replace(subject=name)) for name in names)
    families = {
        family.name: family.series
        for family in metrics(of_one(Judgement(view, report._replace(faults=crowd))))
    }
    assert len(families["fault"]) == MOST_FAULTS
    assert families["left_out"][("what", "faults"),] == 300 - MOST_FAULTS


def test_up_to_the_bound_every_volume_and_peer_has_its_series():
    found = counted(many(50, 6))

    assert sum(name.startswith("drbd_disk_state") for name in found) == 50
    assert sum(name.startswith("drbd_connection_state") for name in found) == 300
    assert found["left_out what=drbd_peer_volumes"] == 0
    assert not any(name.startswith("drbd_resource_") for name in found)


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
    took = re.compile(r"(_duration_seconds\S*) [0-9.]+")
    assert took.sub(r"\1", target.read_text()) == took.sub(r"\1", printed)
    assert len(took.findall(printed)) == 1
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


# -- the unit ----------------------------------------------------------------------------------


def settings(name: str) -> list[str]:
    """The lines of a shipped unit without its comments."""
    lines = (ROOT / "contrib" / "prometheus" / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_unit_lets_sudo_gain_privileges_and_the_drop_in_does_without():
    unit, drop_in = settings("mccluster-metrics.service"), settings("haclient.conf")

    assert "Environment=MCCLUSTER_OPTIONS=--sudo" in unit
    assert "ExecStart=check_mccluster metrics $MCCLUSTER_OPTIONS --output" in " ".join(unit)
    # Each of these sets no_new_privs for a service with User=, and sudo ends at once.
    implied = ("NoNewPrivileges", "Restrict", "SystemCall", "PrivateDevices", "ProtectKernel")
    assert [line for line in unit if line.startswith((*implied, "SupplementaryGroups"))] == []
    assert drop_in == [
        "[Service]",
        "SupplementaryGroups=haclient",
        "Environment=MCCLUSTER_OPTIONS=",
        "NoNewPrivileges=yes",
    ]
