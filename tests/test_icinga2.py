"""Icinga 2: the shipped commands, services and dependencies, in the real daemon."""

from __future__ import annotations

import base64
import http.client
import json
import re
import shutil
import ssl
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import pytest

from check_mccluster import registry
from check_mccluster.options import check_options
from daemons import ROOT, daemon, free_port, install_plugin, need, own, run_as_user, wait_for

CONTRIB = ROOT / "contrib/icinga2"
SNAPSHOTS = ROOT / "fixtures/snapshots"
HEALTHY = SNAPSHOTS / "six-nodes-healthy"
COMMANDS = (CONTRIB / "check_mccluster-commands.conf").read_text()
SERVICES = (CONTRIB / "services.conf").read_text()
HOSTS = (CONTRIB / "hosts-example.conf").read_text()
BASKET = json.loads((CONTRIB / "director-basket.json").read_text())


# The files against the checks' own descriptions


def options(name: str) -> dict[str, tuple[str, str]]:
    """Each option of a check that has an effect: its key, custom variable and kind."""
    found = {}
    for option in check_options(registry.load(name)):
        if not option.hidden:
            flag = max(option.opts, key=len)
            kind = "list" if option.multiple else "flag" if option.is_flag else "value"
            key = "-v" if option.count else flag
            variable = f"mccluster_{flag[2:].replace('-', '_')}"
            found[key] = (variable, "count" if option.count else kind)
    return found


def shipped(fields) -> tuple[str, str]:
    """The same of an argument of a CheckCommand."""
    if "set_if" in fields:
        return fields["set_if"].strip("$"), "count" if "value" in fields else "flag"
    return fields["value"].strip("$"), "list" if fields.get("repeat_key") else "value"


def conf_arguments(block: str) -> dict[str, tuple[str, str]]:
    found = {}
    for key, body in re.findall(
        r'^\t\t"(\S+)" = \{\n(.*?)^\t\t\}', block, re.DOTALL | re.MULTILINE
    ):
        fields = dict(re.findall(r'^\t\t\t(\w+) = "?(.*?)"?$', body, re.MULTILINE))
        assert fields["description"]
        found[key] = shipped(fields)
    return found


def conf_block(name: str) -> str:
    block = re.search(
        rf'^(?:object|template) CheckCommand "{name}" \{{\n(.*?)^\}}', COMMANDS, re.S | re.M
    )
    assert block is not None, name
    return block[1]


@pytest.mark.parametrize("name", registry.names())
def test_every_option_of_a_check_is_a_custom_variable(name):
    block = conf_block(f"mccluster-{name}")
    assert '\timport "mccluster"\n' in block
    assert {**conf_arguments(conf_block("mccluster")), **conf_arguments(block)} == options(name)


@pytest.mark.parametrize("name", registry.names())
def test_the_basket_has_every_option_of_a_check_with_a_field(name):
    command = BASKET["Command"][f"mccluster-{name}"]
    template = BASKET["CommandTemplate"]["mccluster"]
    assert command["imports"] == ["mccluster"]
    assert command["command"] == f"PluginContribDir + /check_mccluster {name}"
    arguments = {**template["arguments"], **command["arguments"]}
    assert {key: shipped(fields) for key, fields in arguments.items()} == options(name)
    fields = [each["datafield_id"] for each in (*template["fields"], *command["fields"])]
    variables = {BASKET["Datafield"][str(field)]["varname"] for field in fields}
    assert variables == {variable for variable, _ in options(name).values()}


def test_both_files_are_what_the_generator_makes():
    made = subprocess.run(
        [ROOT / "tools/icinga.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (made.returncode, made.stderr) == (0, "")


def test_each_check_is_asked_for_by_the_services():
    lists = re.findall(r"^const MCCluster\w+Checks = \[ (.*) \]", SERVICES, re.MULTILINE)
    named = [json.loads(name) for each in lists for name in each.split(", ")]
    assert sorted(named) == sorted(check.name for check in registry.single_checks())


@pytest.mark.parametrize("name", ["fencing", "drbd-role"])
def test_a_service_that_says_whether_there_is_an_answer_says_nothing_else(name):
    service = re.search(
        rf'check_command = "mccluster-{name}"\n.*?severity = (\[.*?\])', SERVICES, re.S
    )
    assert json.loads(service[1].replace("[ ", "[").replace(" ]", "]")) == [
        f"{kind.key}=ok" for kind in registry.load(name).kinds
    ]


# The daemon


class Icinga:
    """A running Icinga 2 with the shipped commands, and its API."""

    def __init__(self, folder: Path, configuration: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.configuration = folder / "icinga2.conf"
        self.notifications = folder / "notifications"
        for name in ("data/certs", "log", "cache", "spool", "run"):
            (folder / name).mkdir(parents=True)
        self.configuration.write_text(HEAD.format(folder=folder, port=self.port) + configuration)
        self._defines = [
            f"-D{name}={folder}/{place}"
            for name, place in (
                ("DataDir", "data"),
                ("LogDir", "log"),
                ("CacheDir", "cache"),
                ("SpoolDir", "spool"),
                ("InitRunDir", "run"),
            )
        ]
        own(folder)
        self._make_certificate()

    def run(self, *arguments):
        """An Icinga command to its end."""
        return run_as_user(["icinga2", *arguments, *self._defines])

    def validate(self):
        return self.run("daemon", "-C", "-c", self.configuration)

    def _make_certificate(self) -> None:
        certs = self.folder / "data/certs"
        key, csr, crt = (certs / f"monitor.{kind}" for kind in ("key", "csr", "crt"))
        for step in (
            ("new-ca",),
            ("new-cert", "--cn", "monitor", "--key", key, "--csr", csr),
            ("sign-csr", "--csr", csr, "--cert", crt),
        ):
            assert self.run("pki", *step).returncode == 0
        shutil.copy(self.folder / "data/ca/ca.crt", certs / "ca.crt")
        own(certs)

    def daemon(self):
        return daemon(
            ["icinga2", "daemon", "-c", self.configuration, *self._defines], self.folder / "out"
        )

    def api(self, path: str, body: object):
        """Ask the API; ``None`` while nobody listens."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=context, timeout=30
        )
        override = "GET" if path.startswith("objects") else "POST"
        try:
            connection.request(
                "POST",
                f"/v1/{path}",
                json.dumps(body),
                {
                    "Accept": "application/json",
                    "Authorization": "Basic " + base64.b64encode(b"test:test").decode(),
                    "X-HTTP-Method-Override": override,
                },
            )
            answer = connection.getresponse()
            text = answer.read()
        except ConnectionError:
            return None
        finally:
            connection.close()
        assert answer.status == 200, text
        return json.loads(text)["results"]

    def ask(self, expression: str):
        """The value of an expression of Icinga's language."""
        (answer,) = self.api(
            "console/execute-script", {"command": expression, "session": "s", "sandboxed": False}
        )
        assert answer["code"] == 200, answer["status"]
        return answer["result"]

    def results(self, kind: str, wanted: str = "true") -> dict[str, dict]:
        """The last check results by object name; only of those that have one."""
        found = self.api(
            f"objects/{kind}s", {"filter": wanted, "attrs": ["__name", "last_check_result"]}
        )
        return {each["attrs"]["__name"]: each["attrs"]["last_check_result"] for each in found or ()}

    def check(self, kind: str, wanted: str = "true") -> dict[str, dict]:
        """Have these checked now, and wait for the results."""
        if not self.results(kind, wanted):
            return {}
        start = time.time()
        self.api(
            "actions/reschedule-check",
            {"type": kind.capitalize(), "filter": wanted, "force": True, "next_check": start},
        )

        def done():
            results = self.results(kind, wanted)
            late = [r for r in results.values() if r is None or r["execution_start"] < start]
            return None if late else results

        return wait_for(done, f"the checks of {kind} {wanted}", 120)


HEAD = """
const PluginDir = "/usr/lib/nagios/plugins"
const PluginContribDir = "{folder}"
const NodeName = "monitor"
const ZoneName = NodeName
const TicketSalt = ""
include <itl>
include <plugins>
object Endpoint NodeName {{ }}
object Zone ZoneName {{ endpoints = [ NodeName ] }}
object CheckerComponent "checker" {{ }}
object NotificationComponent "notification" {{ }}
object ApiListener "api" {{
	bind_host = "127.0.0.1"
	bind_port = {port}
}}
object ApiUser "test" {{
	password = "test"
	permissions = [ "*" ]
}}
"""


@pytest.fixture(scope="module")
def place():
    """A folder that the daemons' user may enter, unlike pytest's own."""
    need("icinga2")
    folder = Path(tempfile.mkdtemp(prefix="check_mccluster-icinga2-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def start(place: Path, name: str, configuration: str):
    folder = place / name
    folder.mkdir()
    return folder, Icinga(folder, configuration)


@pytest.mark.daemon
def test_icinga_accepts_what_is_shipped_and_shown(place):
    shown = re.findall(r"```icinga2\n(.*?)```", (ROOT / "docs/icinga2.md").read_text(), re.DOTALL)
    assert len(shown) == 2
    _, icinga = start(place, "shipped", "\n".join((COMMANDS, SERVICES, HOSTS, *shown)))
    answer = icinga.validate()
    assert (answer.returncode, re.findall(r"(?:warning|critical)/.*", answer.stdout)) == (0, [])
    assert "Instantiated 13 Dependencies" in answer.stdout


# A plugin that prints its arguments takes the place of ours.

ECHO = '#!/bin/sh\nfor each in "$@"; do printf "%s\\n" "$each"; done\n'
VALUES = {"flag": True, "count": 2, "list": ["one", "two words"], "value": "some value"}
PRINTED = {"flag": [], "list": ["one", "two words"], "value": ["some value"]}


def with_variables(name: str, variables: dict[str, object]) -> str:
    lines = [f"\tvars.{key} = {json.dumps(value)}" for key, value in variables.items()]
    lines.append(
        f'\thost_name = "echo"\n\tcheck_command = "mccluster-{name}"\n\tcheck_interval = 1d'
    )
    kind = "all" if variables else "none"
    return "\n".join([f'object Service "{name}-{kind}" {{', *lines, "}\n"])


def expected_words(name: str) -> list[tuple[str, ...]]:
    words: list[tuple[str, ...]] = []
    for key, (_, kind) in options(name).items():
        if kind == "count":
            words.append(("-vv",))
        elif kind == "flag":
            words.append((key,))
        else:
            words += [(key, value) for value in PRINTED[kind]]
    return sorted(words)


def in_pairs(words: list[str]) -> list[tuple[str, ...]]:
    """Each option with its value."""
    starts = [i for i, word in enumerate(words) if word.startswith("-")] + [len(words)]
    return sorted(tuple(words[a:b]) for a, b in zip(starts, starts[1:]))


@pytest.mark.daemon
def test_every_custom_variable_becomes_its_option(place):
    active = {"mccluster_group": "group1", "mccluster_plugin": ["/bin/plugin", "-H", "::1"]}
    configuration = COMMANDS + 'object Host "echo" { check_command = "dummy" }\n'
    for name in registry.names():
        variables = {variable: VALUES[kind] for variable, kind in options(name).values()}
        configuration += with_variables(name, variables) + with_variables(name, {})
    configuration += with_variables("active", {**active, "mccluster_promoted": True})
    folder, icinga = start(place, "echo", configuration)
    (folder / "check_mccluster").write_text(ECHO)
    (folder / "check_mccluster").chmod(0o755)
    with icinga.daemon():
        wait_for(lambda: icinga.results("service"), "the API")
        results = icinga.check("service")
    said = {key.partition("!")[2]: result["output"].split("\n") for key, result in results.items()}
    for name in registry.names():
        assert said[f"{name}-none"] == [name]
        assert said[f"{name}-all"][0] == name
        assert in_pairs(said[f"{name}-all"][1:]) == expected_words(name)
    assert said["active-all"] == [
        "active",
        "group1",
        "--promoted",
        "--",
        "/bin/plugin",
        "-H",
        "::1",
    ]


# What the plugin prints and what Icinga keeps of it

RECORDED = (
    "six-nodes-healthy/app01",
    "six-nodes-healthy/storage01",
    "storage-servers-lost/app01",
    "split-brain/storage01",
    "two-resources/storage03",
    "fencing-failed/app01",
)
_LABELLED = re.compile(r"('[^']*'|[^\s=]+)=(\S+)")


def printed(program: Path, name: str, snapshot: Path):
    """State, text and performance data of the plugin, run by hand."""
    answer = run_as_user([program, name, "--from", snapshot])
    first, _, rest = answer.stdout.partition("\n")
    text, _, performance = first.partition(" | ")
    return answer.returncode, f"{text}\n{rest}".strip(), _LABELLED.findall(performance)


def number(text: str) -> float:
    return float(re.match(r"-?[0-9.]+", text)[0])


@pytest.mark.daemon
def test_icinga_keeps_state_text_and_every_figure_of_every_check(place):
    configuration = COMMANDS
    for snapshot in RECORDED:
        host = snapshot.replace("/", "-")
        configuration += (
            f'object Host "{host}" {{\n\tcheck_command = "dummy"\n'
            f'\tvars.mccluster_from = "{place}/recorded/{snapshot}"\n}}\n'
        )
    configuration += (
        f"apply Service for (check in {json.dumps(registry.names())}) {{\n"
        '\tcheck_command = "mccluster-" + check\n\tcheck_interval = 1d\n\tassign where true\n}\n'
    )
    folder, icinga = start(place, "recorded", configuration)
    for snapshot in RECORDED:
        shutil.copytree(SNAPSHOTS / snapshot, folder / snapshot)
    program = install_plugin(folder)
    with icinga.daemon():
        wait_for(lambda: icinga.results("service"), "the API")
        results = icinga.check("service")
        parsed = icinga.ask(
            "get_objects(Service).map(s => [ s.__name,"
            " s.last_check_result.performance_data.map(p => parse_performance_data(p)) ])"
        )
    parsed = {key: [(each["label"], each["value"]) for each in values] for key, values in parsed}
    states = set()
    for snapshot in RECORDED:
        for name in registry.names():
            key = f"{snapshot.replace('/', '-')}!{name}"
            state, text, figures = printed(program, name, folder / snapshot)
            states.add(state)
            assert (results[key]["state"], results[key]["output"].replace(" \n", "\n").strip()) == (
                state,
                text,
            ), key
            kept = [each.replace("'", "") for each in results[key]["performance_data"]]
            assert kept == [f"{a}={b}".replace("'", "") for a, b in figures], key
            assert parsed[key] == [(a.strip("'"), pytest.approx(number(b))) for a, b in figures], (
                key
            )
    assert states == {0, 1, 2, 3}


# One fault alarms once

SERVERS = ("app01", "app02", "app03", "storage01", "storage02", "storage03")
WATCH = """
object CheckCommand "snapshot-there" {{
	command = [ "/bin/sh", "-c", "test -d $$0 || exit 2", "$mccluster_from$" ]
}}
object NotificationCommand "write" {{
	command = [
		"/bin/sh", "-c", "echo $$0 $$1 >> {folder}/notifications",
		"$notification.type$", "$what$"
	]
}}
object User "operator" {{ }}
apply Notification "alarm" to Host {{
	command = "write"
	users = [ "operator" ]
	vars.what = "$host.name$"
	assign where true
}}
apply Notification "alarm" to Service {{
	command = "write"
	users = [ "operator" ]
	vars.what = "$host.name$!$service.name$"
	assign where true
}}
"""


@dataclass(frozen=True)
class Fault:
    """A state of the six servers, constructed of parts that were recorded.

    :param alarms: what has to be said.
    :param recorded: a whole state; servers that are not in it are off.
    :param pacemaker: the recordings whose crm_mon and Corosync documents a server shows.
    :param off: servers that are powered off. :param primary: where DRBD is Primary.
    :param detached: the storage server that lost its disk.
    """

    alarms: tuple[str, ...]
    pacemaker: dict[str, str] = field(default_factory=dict)
    off: tuple[str, ...] = ()
    primary: str = "app01"
    detached: Optional[str] = None
    recorded: Optional[str] = None


def recorded_connection(snapshot: str, peer: str):
    (resource,) = json.loads((SNAPSHOTS / snapshot / "drbd-status.json").read_text())
    return next(each for each in resource["connections"] if each["name"] == peer)


def drbd_status(server: str, fault: Fault):
    """The healthy answer of drbdsetup with the fault put in."""
    if server == fault.detached:
        return json.loads((SNAPSHOTS / "disk-detached" / server / "drbd-status.json").read_text())
    lost = recorded_connection("storage03-powered-off/app01", "storage03")
    without_disk = recorded_connection("disk-detached/storage01", "storage03")
    (resource,) = json.loads((HEALTHY / server / "drbd-status.json").read_text())
    resource["role"] = "Primary" if server == fault.primary else "Secondary"
    for each in resource["connections"]:
        each["peer-role"] = "Primary" if each["name"] == fault.primary else "Secondary"
        if each["name"] in fault.off:
            each.update({k: v for k, v in lost.items() if k not in ("name", "peer-node-id")})
        if each["name"] == fault.detached:
            each["peer_devices"] = without_disk["peer_devices"]
    return [resource]


class Alarms:
    """The shipped services on the example's six servers, which replay what ``now`` points to."""

    def __init__(self, folder: Path, icinga: Icinga) -> None:
        self.folder = folder
        self.icinga = icinga

    def show(self, name: str) -> None:
        link = self.folder / "link"
        link.symlink_to(self.folder / name)
        link.replace(self.folder / "now")

    def scenario(self, name: str, fault: Fault) -> None:
        """The healthy cluster with a fault."""
        place = self.folder / name
        if fault.recorded is not None:
            shutil.copytree(SNAPSHOTS / fault.recorded, place)
            own(place)
            return
        for server in SERVERS:
            if server not in fault.off:
                shutil.copytree(HEALTHY / server, place / server)
                if server in fault.pacemaker:
                    for document in (SNAPSHOTS / fault.pacemaker[server]).glob("c*"):
                        shutil.copy(document, place / server)
                status = place / server / "drbd-status.json"
                status.write_text(json.dumps(drbd_status(server, fault)))
        own(place)

    def minutes(self, steps: int = 12) -> None:
        """The shipped intervals by hand, in the order that is worst: what follows from a fault is
        seen a minute before the fault itself, and the cluster's services are checked first."""
        cluster = 'host.name == "mailcluster"'
        causes = (
            'service.name in [ "mccluster-pacemaker", "mccluster-drbd", "mccluster-drbd-disk" ]'
            f" && !({cluster})"
        )
        self.icinga.check("service", f"!({cluster}) && !({causes})")
        for step in range(steps):
            self.icinga.check("service", cluster)
            if step >= 3:
                # What is in order need not be asked at every step.
                bad = "" if step in (3, steps - 1) else " && service.state != 0"
                self.icinga.check("service", causes + bad)
                self.icinga.check("host")
        self.icinga.check("service", cluster)

    def take(self) -> list[str]:
        """The notifications since the last call, once Icinga holds none back that it may send."""
        held_back = "s => s.enable_notifications && s.suppressed_notifications && s.last_reachable"
        for kind in ("Host", "Service"):
            held = f"get_objects({kind}).filter({held_back}).len()"
            wait_for(lambda held=held: self.icinga.ask(held) == 0, held)
        file = self.folder / "notifications"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return sorted(lines)


@pytest.fixture(scope="module")
def alarms(place):
    folder = place / "alarms"
    configuration = WATCH.format(folder=folder) + COMMANDS + SERVICES + HOSTS
    for shipped_text, here in (
        ('check_command = "hostalive"', 'check_command = "snapshot-there"'),
        (
            'import "mccluster-server"',
            f'import "mccluster-server"\nvars.mccluster_from = "{folder}/now/" + name',
        ),
    ):
        assert shipped_text in configuration
        configuration = configuration.replace(shipped_text, here)
    folder, icinga = start(place, "alarms", configuration)
    install_plugin(folder)
    watched = Alarms(folder, icinga)
    watched.scenario("healthy", Fault(()))
    watched.show("healthy")
    with icinga.daemon():
        wait_for(lambda: icinga.results("service"), "the API")
        for kind in ("Host", "Service"):
            icinga.ask(f"for (o in get_objects({kind})) {{ o.enable_active_checks = false }}")
        yield watched


APPLICATION = SERVERS[:3]
FAULTS = (
    Fault(("storage03",), off=("storage03",)),
    Fault(
        ("app01",),
        dict.fromkeys(APPLICATION, "app01-powered-off/app02"),
        off=("app01",),
        primary="app02",
    ),
    Fault(
        ("app01!mccluster-pacemaker",),
        {
            "app01": "pacemaker-stopped-on-app01/app01",
            "app02": "pacemaker-stopped-on-app01/app02",
            "app03": "pacemaker-stopped-on-app01/app02",
        },
        primary="app02",
    ),
    Fault(("app02!mccluster-pacemaker",), {"app02": "six-nodes-healthy-as-nagios/app01"}),
    Fault(
        ("mailcluster!mccluster-resources",),
        dict.fromkeys(APPLICATION, "dovecot-blocked/app01"),
        primary="app02",
    ),
    Fault(("storage03!mccluster-drbd-disk",), detached="storage03"),
    # Two faults, two alarms; and what both together bring about.
    Fault(
        ("mailcluster!mccluster-resources", "storage03"),
        dict.fromkeys(APPLICATION, "dovecot-blocked/app01"),
        off=("storage03",),
        primary="app02",
    ),
    Fault(
        ("mailcluster!mccluster-drbd-quorum", "storage02", "storage03"),
        recorded="storage-servers-lost",
    ),
)


@pytest.mark.daemon
@pytest.mark.slow
def test_one_fault_alarms_once(alarms):
    alarms.minutes()
    assert alarms.take() == []
    for number, fault in enumerate(FAULTS):
        alarms.scenario(f"fault{number}", fault)
        alarms.show(f"fault{number}")
        alarms.minutes()
        assert alarms.take() == [f"PROBLEM {each}" for each in fault.alarms]
        alarms.show("healthy")
        alarms.minutes(7)
        assert alarms.take() == [f"RECOVERY {each}" for each in fault.alarms]
