"""An Icinga 2 on 127.0.0.1 with the shipped files, over recorded clusters."""

from __future__ import annotations

import base64
import http.client
import json
import re
import shutil
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from daemons import ROOT, daemon, free_port, install_plugin, own, run_as_user, wait_for

CONTRIB = ROOT / "contrib/icinga2"
SNAPSHOTS = ROOT / "fixtures/snapshots"
HEALTHY = SNAPSHOTS / "six-nodes-healthy"
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


def start(place: Path, name: str, configuration: str):
    folder = place / name
    folder.mkdir()
    return folder, Icinga(folder, configuration)


# The shipped services over six replayed servers

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


def _adopt(folder: Path, server: str) -> None:
    """Let what was recorded on another node be the server's own, and of one time."""
    shown = (folder / "crm_mon.xml").read_text()
    changed = re.search(r'<last_change time="([^"]+)"', shown)
    configuration = folder / "cib.xml"
    if changed is not None and configuration.exists():
        text = configuration.read_text()
        text = re.sub(
            r'cib-last-written="[^"]*"', f'cib-last-written="{changed[1]}"', text, count=1
        )
        configuration.write_text(text)
    own = int(server[-1])
    links = folder / "corosync-cfgtool.txt"
    told = re.search(r"^Local node ID (\d+)", links.read_text() if links.exists() else "", re.M)
    if told is None or int(told[1]) == own:
        return
    other = int(told[1])
    text = links.read_text().replace(f"Local node ID {other},", f"Local node ID {own},")
    text = re.sub(rf"(nodeid: +{other}:\t)localhost", r"\1connected", text)
    links.write_text(re.sub(rf"(nodeid: +{own}:\t)connected", r"\1localhost", text))
    votes = folder / "corosync-quorumtool.txt"
    text = re.sub(rf"^(Node ID: +){other}$", rf"\g<1>{own}", votes.read_text(), flags=re.M)
    text = text.replace(" (local)", "")
    votes.write_text(re.sub(rf"^( +{own} .*)$", r"\1 (local)", text, flags=re.M))
    keys = folder / "corosync-cmapctl.txt"
    text = re.sub(r"(local_node_pos \(u32\) = )\d+", rf"\g<1>{own - 1}", keys.read_text())
    keys.write_text(re.sub(r"(this_node_id \(u32\) = )\d+", rf"\g<1>{own}", text))


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
                    _adopt(place / server, server)
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


@contextmanager
def watched_cluster(place: Path) -> Iterator[Alarms]:
    """An Icinga 2 that watches the example's six servers, which are healthy at first."""
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
        yield watched
