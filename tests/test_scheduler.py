"""Our own rules against Pacemaker's scheduler: constructed clusters, and every recorded CIB."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from build import NOW, SNAPSHOTS, view_of
from check_mccluster.app.session import Setup, open_source, run_check
from check_mccluster.checks import registry
from check_mccluster.inputs.crm_simulate import occupied, scheduler_input, simulation
from check_mccluster.judge.outlook import Futures, Outlook, services
from check_mccluster.model.config import Config
from check_mccluster.model.pacemaker import Cib, Cluster
from check_mccluster.model.simulation import Simulations
from check_mccluster.read.cib import read_cib
from check_mccluster.read.crm_mon import read_crm_mon
from check_mccluster.read.crm_simulate import read_crm_simulate
from check_mccluster.read.errors import ReadError
from check_mccluster.verdict.view import Asked

FOLDERS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin"))
CRM_SIMULATE = shutil.which("crm_simulate", path=FOLDERS)
CRM_MON = shutil.which("crm_mon", path=FOLDERS)

pytestmark = pytest.mark.skipif(
    CRM_SIMULATE is None or CRM_MON is None, reason="no pacemaker-cli-utils here"
)

CLASSIC = SNAPSHOTS / "classic-simulated" / "alpha"
Change = Callable[[str], str]


def ask(cib: bytes, *lost: str, shadow: Path) -> bytes:
    """What the scheduler prints of this loss."""
    tool = simulation(lost, NOW, planned=len(cib) > 200_000)
    return subprocess.run(
        [str(CRM_SIMULATE), *tool.arguments],
        input=scheduler_input(cib),
        env={**os.environ, "LC_ALL": "C", "TZ": "UTC", tool.scratch: str(shadow)},
        capture_output=True,
        timeout=60,
        check=False,
    ).stdout


# -- constructed: two nodes, a promotable clone, a group that must run with the promoted one -------


def replaced(pattern: str, by: str) -> Change:
    def change(text: str) -> str:
        changed, count = re.subn(pattern, by, text, count=1, flags=re.DOTALL)
        assert count == 1, pattern
        return changed

    return change


def constraint(text: str) -> Change:
    return replaced("</constraints>", f"{text}</constraints>")


def option(name: str, value: str) -> Change:
    return replaced(
        "</cluster_property_set>",
        f'<nvpair id="x-{name}" name="{name}" value="{value}"/></cluster_property_set>',
    )


def meta(tag: str, name: str, key: str, value: str) -> Change:
    inside = (
        f'<meta_attributes id="m-{name}"><nvpair id="m-{name}-{key}" name="{key}" value="{value}"/>'
        "</meta_attributes>"
    )
    return replaced(f'(<{tag} id="{name}"[^>]*>)', rf"\1{inside}")


def amount(tag: str, name: str, attribute: str, memory: int) -> Change:
    inside = (
        f'<utilization id="u-{name}"><nvpair id="u-{name}-m" name="memory" value="{memory}"/>'
        "</utilization>"
    )
    if tag == "node":
        return replaced(f'<node ([^>]*{attribute}="{name}")/>', rf"<node \1>{inside}</node>")
    return replaced(f'(<{tag} [^>]*{attribute}="{name}"[^>]*>)', rf"\1{inside}")


def attribute(node: int, name: str, value: str) -> Change:
    return replaced(
        f'(<instance_attributes id="status-{node}">)',
        rf'\1<nvpair id="a-{node}-{name}" name="{name}" value="{value}"/>',
    )


def result(node: int, name: str, task: str, rc: int) -> Change:
    """A recorded operation; a resource needs one on every node, or it is to be probed first."""
    key = f"{name}_{task}_0"
    magic = "1:-1:7:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
    operation = (
        f'<lrm_resource id="{name}" class="ocf" provider="pacemaker" type="Dummy"><lrm_rsc_op'
        f' id="{name}_last_0" operation_key="{key}" operation="{task}" call-id="99"'
        f' crm_feature_set="3.16.1" transition-key="{magic}" transition-magic="0:{rc};{magic}"'
        f' rc-code="{rc}" op-status="0" interval="0" last-rc-change="1795696393"/></lrm_resource>'
    )
    return replaced(f'(<node_state id="{node}".*?<lrm_resources>)', rf"\1{operation}")


def other(on: int, inside: str = "") -> list[Change]:
    """One more resource that runs on that node."""
    one = (
        f'<primitive id="other" class="ocf" provider="pacemaker" type="Dummy">{inside}</primitive>'
    )
    off = 3 - on
    return [
        replaced("</resources>", f"{one}</resources>"),
        result(on, "other", "start", 0),
        result(off, "other", "monitor", 7),
    ]


def location(name: str, more: str) -> Change:
    return constraint(f'<rsc_location id="rule-1" rsc="{name}" node="bravo" {more}/>')


PINNED = constraint('<rsc_location id="pin" rsc="other" node="bravo" score="-INFINITY"/>')
BOTH = '<rsc_colocation id="col" rsc="svc" with-rsc="other" score="{}"/>'
NO_SCORE = replaced('<nvpair id="status-2-master[^>]*/>', "")
UTILIZED = option("placement-strategy", "utilization")

CASES: dict[str, tuple[list[Change], str]] = {
    "healthy": ([], ""),
    "promoted-role-banned": (
        [location("drbd_r0-clone", 'role="Promoted" score="-INFINITY"')],
        "cannot promote drbd_r0-clone: rule-1 forbids it",
    ),
    "clone-banned": (
        [location("drbd_r0-clone", 'score="-INFINITY"')],
        "drbd_r0-clone banned by rule-1",
    ),
    "fence-handler": (
        [
            constraint(
                '<rsc_location rsc="drbd_r0-clone" id="drbd-fence-by-handler-r0-drbd_r0-clone">'
                '<rule role="Promoted" score="-INFINITY" id="rule-2"><expression id="e"'
                ' attribute="#uname" operation="ne" value="alpha"/></rule></rsc_location>'
            )
        ],
        "cannot promote drbd_r0-clone: DRBD's fence handler left"
        " drbd-fence-by-handler-r0-drbd_r0-clone",
    ),
    "promotion-score-minus-infinity": (
        [replaced('(id="status-2-master-drbd_r0"[^>]*value=)"10000"', r'\1"-INFINITY"')],
        "cannot promote drbd_r0-clone: its promotion score there is -INFINITY",
    ),
    "promotion-score-missing": (
        [NO_SCORE],
        "cannot promote drbd_r0-clone: it has no promotion score there",
    ),
    "promotion-score-by-a-constraint": (
        [NO_SCORE, location("drbd_r0-clone", 'role="Promoted" score="50"')],
        "",
    ),
    "fail-count-of-the-clone": (
        [attribute(2, "fail-count-drbd_r0#start_0", "INFINITY")],
        "drbd_r0 barred by fail-count INFINITY",
    ),
    "fail-count-of-the-last-member": (
        [attribute(2, "fail-count-vip#start_0", "INFINITY")],
        "vip barred by fail-count INFINITY",
    ),
    "fail-count-at-the-threshold-of-the-group": (
        [
            meta("group", "svc", "migration-threshold", "1"),
            attribute(2, "fail-count-fs_r0#start_0", "1"),
        ],
        "fs_r0 barred by fail-count 1",
    ),
    "fail-count-below-the-threshold": (
        [
            meta("group", "svc", "migration-threshold", "3"),
            attribute(2, "fail-count-fs_r0#start_0", "1"),
        ],
        "",
    ),
    "member-unmanaged": (
        [meta("primitive", "mariadb", "is-managed", "false")],
        "cannot take mariadb, which is unmanaged on alpha",
    ),
    "clone-unmanaged": (
        [meta("clone", "drbd_r0-clone", "is-managed", "false")],
        "cannot promote drbd_r0-clone: it is unmanaged",
    ),
    "member-in-maintenance": (
        [meta("primitive", "vip", "maintenance", "true")],
        "cannot take vip, which is unmanaged on alpha",
    ),
    "clone-not-to-be-promoted": (
        [meta("clone", "drbd_r0-clone", "target-role", "Unpromoted")],
        "drbd_r0-clone is asked not to be promoted",
    ),
    "capacity-short": (
        [
            UTILIZED,
            amount("node", "alpha", "uname", 4096),
            amount("node", "bravo", "uname", 3000),
            amount("primitive", "mariadb", "id", 2048),
            amount("primitive", "vip", "id", 1000),
        ],
        "has 3000 of the 3048 memory that svc takes",
    ),
    "capacity-taken-by-another": (
        [
            UTILIZED,
            *other(
                2,
                '<utilization id="uo"><nvpair id="uom" name="memory" value="1500"/></utilization>',
            ),
            amount("node", "alpha", "uname", 4096),
            amount("node", "bravo", "uname", 3000),
            amount("primitive", "mariadb", "id", 2048),
        ],
        "has 1500 of the 2048 memory that mariadb takes",
    ),
    "capacity-that-nobody-asks-for": (
        [amount("node", "bravo", "uname", 1), amount("primitive", "mariadb", "id", 2048)],
        "",
    ),
    "must-not-run-with-what-runs-there": (
        [*other(2), constraint(BOTH.format("-INFINITY"))],
        "other runs there, with which it must not (col)",
    ),
    "must-run-with-what-is-pinned": (
        [*other(1), constraint(BOTH.format("INFINITY")), PINNED],
        "other banned by pin",
    ),
    "must-run-with-what-moves-along": ([*other(1), constraint(BOTH.format("INFINITY"))], ""),
    "had-better-run-with-what-is-pinned": (
        [*other(1), constraint(BOTH.format("1000")), PINNED],
        "",
    ),
    "must-run-with-what-runs-elsewhere": (
        [
            *other(2),
            constraint('<rsc_colocation id="col" rsc="other" with-rsc="svc" score="-INFINITY"/>'),
        ],
        "",
    ),
    "must-be-started-after-what-is-pinned": (
        [*other(1), constraint('<rsc_order id="ord" first="other" then="svc"/>'), PINNED],
        "no node could start other, which must be there first: bravo banned by pin",
    ),
    "had-better-be-started-after-what-is-pinned": (
        [
            *other(1),
            constraint('<rsc_order id="ord" first="other" then="svc" kind="Optional"/>'),
            PINNED,
        ],
        "",
    ),
    "colocated-in-a-set": (
        [
            *other(1),
            constraint(
                '<rsc_colocation id="set" score="INFINITY"><resource_set id="s1">'
                '<resource_ref id="other"/><resource_ref id="vip"/></resource_set></rsc_colocation>'
            ),
            PINNED,
        ],
        "other banned by pin",
    ),
    "agent-not-installed": (
        [
            replaced(
                '(<node_state id="2".*?operation_key="mariadb_monitor_0".*?)'
                'transition-magic="0:7;([^"]*)"(.*?)rc-code="7"',
                r'\1transition-magic="0:5;\2"\3rc-code="5"',
            )
        ],
        "mariadb has no agent or program there (systemd:mariadb)",
    ),
    "rule-on-an-attribute": (
        [
            constraint(
                '<rsc_location id="con" rsc="svc"><rule id="rule-3" score="-INFINITY"'
                ' boolean-op="or"><expression id="e" attribute="ping" operation="not_defined"/>'
                '<expression id="f" attribute="ping" operation="lt" value="1" type="number"/>'
                "</rule></rsc_location>"
            )
        ],
        "banned by con (ping is not set)",
    ),
    "opt-in-of-the-group-alone": (
        [
            option("symmetric-cluster", "false"),
            *(
                constraint(
                    f'<rsc_location id="in-{name}-{on}" rsc="{name}" node="{on}" score="0"/>'
                )
                for name, on in (("svc", "alpha"), ("svc", "bravo"), ("drbd_r0-clone", "alpha"))
            ),
        ],
        "drbd_r0-clone not opted in by a constraint",
    ),
    "exclusive-discovery": (
        [
            constraint(
                '<rsc_location id="only" rsc="svc" node="alpha" score="0"'
                ' resource-discovery="exclusive"/>'
            )
        ],
        "only keeps svc to alpha",
    ),
    "standby": (
        [
            replaced(
                '<node id="2" uname="bravo"/>',
                '<node id="2" uname="bravo"><instance_attributes id="n"><nvpair id="s"'
                ' name="standby" value="on"/></instance_attributes></node>',
            )
        ],
        "in standby",
    ),
}


def shown(cib: str, folder: Path) -> Cluster:
    """What crm_mon makes of a CIB."""
    file = folder / "cib.xml"
    file.write_text(cib)
    done = subprocess.run(
        [str(CRM_MON), "-r", "-1", "-X"],
        env={**os.environ, "CIB_file": str(file), "LC_ALL": "C", "TZ": "UTC"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    cluster = read_crm_mon(io.BytesIO(done.stdout)).cluster
    assert cluster is not None, done.stderr
    return cluster


def look(
    cluster: Cluster, cib: Cib, name: str, simulations: Simulations | None = None
) -> tuple[Futures, Outlook]:
    """The outlook of one service by Pacemaker's documents alone."""
    futures = Futures(view_of("alpha", NOW, cluster=cluster, cib=cib), cluster, cib, simulations)
    (resource,) = (each for each in services(cib, cluster.resources) if each.id == name)
    return futures, futures.of(resource)


@pytest.mark.parametrize("case", CASES)
def test_constructed_rules_say_what_the_scheduler_does(case, tmp_path):
    changes, reason = CASES[case]
    text = (CLASSIC / "cib.xml").read_text()
    for change in changes:
        text = change(text)
    cluster, cib = shown(text, tmp_path), read_cib(io.BytesIO(text.encode()))
    _, by_rules = look(cluster, cib, "svc")
    assert [each.text for each in by_rules.excluded.get("bravo", ())] == (
        [reason] if reason else []
    )
    assert by_rules.candidates == (() if reason else ("bravo",))
    told = read_crm_simulate(io.BytesIO(ask(text.encode(), "alpha", shadow=tmp_path)))
    _, scheduled = look(cluster, cib, "svc", Simulations({("alpha",): told}, {}))
    assert scheduled.scheduled
    assert scheduled.candidates == by_rules.candidates
    assert all("bravo" in told.running[name] for name in ("fs_r0", "mariadb", "vip")) != bool(
        reason
    )


# -- every recorded CIB ---------------------------------------------------------------------------

DIFFERENCES = {
    "drbd/11b-primary-not-where-pacemaker-thinks": "maintenance-mode is told for all nodes at once",
    "drbd/12f-cluster-maintenance-mode": "maintenance-mode is told for all nodes at once",
    "pacemaker/08-maintenance-mode": "maintenance-mode is told for all nodes at once",
    "pacemaker/22-stonith-enabled-no-device": "a missing fence device is told for all nodes",
}
"""Where the rules, node by node, are not what the scheduler does, and why that is right."""

UNANSWERED = {"public/drbd-39-fence-constraint-left-behind"}
"""crm_simulate 2.1.5 ends with a failed assertion: a CIB that no Pacemaker wrote."""


def _compare(folder: Path, shadow: Path) -> list[str]:
    """What differs between rules and scheduler in one recording; losses without an answer."""
    with (folder / "crm_mon.xml").open("rb") as file:
        try:
            cluster = read_crm_mon(file).cluster
        except ReadError:
            return []
    data = (folder / "cib.xml").read_bytes()
    if cluster is None or not data:
        return []
    cib = read_cib(io.BytesIO(data))
    view = view_of(folder.name, NOW, cluster=cluster, cib=cib)
    rules = Futures(view, cluster, cib, None)
    found = []
    for loss in occupied(cluster):
        try:
            told = read_crm_simulate(io.BytesIO(ask(data, *loss, shadow=shadow)))
        except ReadError as error:
            found.append(f"unanswered: {error}")
            continue
        scheduler = Futures(view, cluster, cib, Simulations({loss: told}, {}))
        for resource in services(cib, cluster.resources):
            one = rules.of(resource)
            if one.active != loss or one.disabled:
                continue
            placed = scheduler.placed(resource, told)
            free = {
                node.name for node in cluster.nodes if node.online and node.name not in one.lost
            } - one.excluded.keys()
            if placed is not None and (bool(free) != bool(placed) or not placed <= free):
                found.append(f"{resource.id} without {loss[0]}: {one.why}; {sorted(placed)}")
    return found


@pytest.mark.captures
@pytest.mark.slow
def test_every_recorded_cib_rules_and_scheduler_agree_or_the_reason_is_listed(captures, tmp_path):
    folders = {}
    for file in sorted(captures.glob("*/*/*/cib.xml")):
        if (file.parent / "crm_mon.xml").exists():
            both = file.read_bytes() + (file.parent / "crm_mon.xml").read_bytes()
            folders.setdefault(hashlib.sha256(both).digest(), file.parent)
    assert len(folders) > 200
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda folder: _compare(folder, tmp_path), folders.values())
        differing = {}
        for folder, what in zip(folders.values(), found):
            if what:
                differing.setdefault(str(folder.parent.relative_to(captures)), what)
    assert sorted(differing) == sorted({*DIFFERENCES, *UNANSWERED}), differing


@pytest.mark.captures
@pytest.mark.slow
@pytest.mark.parametrize("table", [".", "public"])
def test_the_table_of_recorded_clusters_is_right_with_the_scheduler_too(captures, table):
    due = [
        line.split("\t")
        for line in (captures / table / "expected.tsv").read_text().splitlines()
        if not line.startswith("#") and line.split("\t")[2] == "failover"
    ]
    config = Config(tools={"crm_simulate": str(CRM_SIMULATE)})
    asked, wrong = Asked(values={"simulate": True}), []
    for scenario, name, check, states, keys in due:
        setup = Setup(8.0, snapshot=str(captures / table / scenario / name))
        with open_source(setup, config) as source:
            report = run_check(registry.load(check), source, config, setup, asked).report
        found = {each.key for each in report.findings}
        if report.state.name not in states.split("|") or (
            keys and not found & set(keys.split("|"))
        ):
            wrong.append(f"{scenario} {name}: {report.state.name} {sorted(found)}, due {states}")
    assert len(due) > 10
    assert not wrong, "\n".join(wrong)
