"""An Icinga 2 on 127.0.0.1 with the shipped files, over recorded clusters."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daemons import ROOT, daemon, free_port, install_plugin, own, run_as_user, wait_for
from stories import NODES, SINGLE, STORAGE, Stage, standing

CONTRIB = ROOT / "contrib/icinga2"
SNAPSHOTS = ROOT / "fixtures/snapshots"
COMMANDS = (CONTRIB / "check_mccluster-commands.conf").read_text()
SERVICES = (CONTRIB / "services.conf").read_text()
HOSTS = (CONTRIB / "hosts-example.conf").read_text()


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
object Endpoint NodeName {{
	host = "127.0.0.1"
	port = {port}
}}
object Zone ZoneName {{ endpoints = [ NodeName ] }}
object Zone "director-global" {{ global = true }}
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


def start(place: Path, name: str, configuration: str):
    folder = place / name
    folder.mkdir()
    return folder, Icinga(folder, configuration)


# The shipped services over many clusters of six nodes, each with its story

WATCH = """
object CheckCommand "is-there" {{
	command = [ "/bin/sh", "-c", "test -d $$0 || exit 2", "$mccluster_from$" ]
}}
object NotificationCommand "write" {{
	command = [ "{folder}/write", "$notification.type$", "$what$", "$said$" ]
}}
object User "operator" {{ }}
apply Notification "message" to Host {{
	command = "write"
	users = [ "operator" ]
	vars.what = "$host.name$"
	vars.said = "$host.state$"
	assign where true
}}
apply Notification "message" to Service {{
	command = "write"
	users = [ "operator" ]
	vars.what = "$host.name$!$service.name$"
	vars.said = "$service.output$"
	assign where true
}}
"""
WRITE = """\
#!/bin/sh
first=$(echo "$3" | head -n 1)
echo "$2 $1: ${{first#* - }}" >> {folder}/notifications
"""
_HOSTS = tuple(word for node in NODES for word in ("--host", node))
QUESTIONS = (
    *((check, "--fold", "--speaker", "-v") for check in (*SINGLE, "overview")),
    ("cluster", "--fold", *_HOSTS, "--severity", "clocks-differ=ok", "--speaker", "-v"),
)
"""What is asked with the shipped custom variables, in Icinga's order."""


def shortened(text: str) -> str:
    """The shipped intervals as seconds, so that a story takes half a minute."""
    for shipped, here in (("1m", "{0}"), ("30s", "{0}"), ("20s", "{1}"), ("10s", "{1}")):
        assert f"_interval = {shipped}\n" in text
        text = text.replace(f"_interval = {shipped}\n", f"_interval = {here}\n")
    return text.replace("{0}", f"{INTERVAL}s").replace("{1}", f"{RETRY}s")


INTERVAL, RETRY = 10, 3
"""Seconds between two checks of an object, and of one that has just turned bad."""


def write_notifications(folder: Path) -> None:
    """The command that writes down what a person would get."""
    write = folder / "write"
    write.write_text(WRITE.format(folder=folder))
    write.chmod(0o755)


class Site:
    """An Icinga 2 that watches every cluster of a stage, as shipped."""

    rounds = 2

    def __init__(self, place: Path, stage: Stage) -> None:
        self.stage = stage
        folder = place / "stories"
        services = shortened(SERVICES).replace(
            'check_command = "hostalive"', 'check_command = "is-there"'
        )
        configuration = WATCH.format(folder=folder) + COMMANDS + services
        for number, _ in stage.clusters():
            now = stage.place(number)
            for node in NODES:
                role = "storage" if node in STORAGE else stage.role(number)
                configuration += (
                    f'object Host "{number:02}-{node}" {{\n\timport "mccluster-member"\n'
                    f'\tvars.mccluster_role = "{role}"\n'
                    f'\tvars.mccluster_cluster = "{number:02}-members"\n'
                    # The host's own name has the number of its cluster.
                    f'\tvars.mccluster_node = "{node}"\n'
                    f'\tvars.mccluster_from = "{now}/{node}"\n}}\n'
                )
            configuration += (
                f'object Host "{number:02}-members" {{\n\timport "mccluster-cluster"\n}}\n'
                # The other way, counted beside it: this one asks all nodes.
                f'object Host "{number:02}-mailcluster" {{\n\tcheck_command = "dummy"\n'
                f"\tcheck_interval = {INTERVAL}\n"
                f"\tvars.mccluster_host = {json.dumps([*NODES])}\n"
                f'\tvars.mccluster_config = "{now}/cluster.toml"\n'
                # The nodes were recorded minutes apart.
                '\tvars.mccluster_severity = [ "clocks-differ=ok" ]\n}\n'
            )
        folder, self.icinga = start(place, "stories", configuration)
        self.folder = folder
        write_notifications(folder)
        (folder / "check_mccluster").symlink_to(stage.program)

    @contextmanager
    def running(self) -> Iterator[None]:
        """The daemon, until every object was found well."""
        with self.icinga.daemon():
            wait_for(lambda: self.icinga.results("service"), "the API")
            self.settle(1)
            # Where nothing happens: half a minute is ten of the shipped intervals.
            healthy = f"{self.stage.names.index('healthy'):02}-*"
            self.icinga.ask(
                f'for (o in get_objects(Service)) {{ if (match("{healthy}", o.host_name)) '
                f"{{ o.check_interval = {RETRY} }} }}"
            )
            yield

    def settle(self, rounds: int) -> None:
        """Wait until every object was looked at so often, and none is between two states."""
        moving = (
            "get_objects({kind}).filter(o => !o.last_check_result"
            " || o.last_check_result.execution_start < {since}"
            " || (o.state != 0 && o.state_type == 0)).len()"
        )
        for _ in range(rounds):
            since = time.time()
            for kind in ("Host", "Service"):
                asked = moving.format(kind=kind, since=since)
                wait_for(lambda asked=asked: self.icinga.ask(asked) == 0, asked, 180)


class Watched:
    """The hosts of the example, with nodes that replay what ``now`` points to."""

    def __init__(self, place: Path) -> None:
        folder = place / "watched"
        configuration = WATCH.format(folder=folder) + COMMANDS + SERVICES + HOSTS
        configuration = configuration.replace('"hostalive"', '"is-there"').replace(
            'import "mccluster-node"',
            f'import "mccluster-node"\nvars.mccluster_from = "{folder}/now/" + name',
        )
        self.folder, self.icinga = start(place, "watched", configuration)
        write_notifications(self.folder)
        install_plugin(self.folder)
        self.show("six-nodes-healthy")

    def show(self, scenario: str) -> None:
        """From now on every node is what was recorded of it; who was not is off."""
        recorded = self.folder / scenario
        if not recorded.exists():
            shutil.copytree(SNAPSHOTS / scenario, recorded)
            own(recorded)
        link = self.folder / "link"
        link.symlink_to(recorded)
        link.replace(self.folder / "now")

    def problems(self) -> set[str]:
        """What a person was told and that has not recovered."""
        return standing(self.icinga.notifications)
