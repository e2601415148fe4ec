"""A Nagios and two NRPE on 127.0.0.1 with the shipped files, over recorded clusters."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from check_mccluster.checks import registry
from daemons import (
    PLUGINS,
    ROOT,
    daemon,
    free_port,
    install_plugin,
    monitoring_user,
    own,
    run_as_user,
    wait_for,
)
from stories import NODES, STORAGE, Stage, standing

CONTRIB = ROOT / "contrib/nagios"
SNAPSHOTS = ROOT / "fixtures/snapshots"
NRPE = (CONTRIB / "nrpe_check_mccluster.cfg").read_text()
SERVICES = (CONTRIB / "services.cfg").read_text()
WHOLE = (CONTRIB / "services-cluster.cfg").read_text()
SINGLE_SERVICES = (CONTRIB / "services-single.cfg").read_text()
COMMANDS = (CONTRIB / "commands.cfg").read_text()
LINES = dict(re.findall(r"^command\[(\S+)\]=(.*)$", NRPE, re.MULTILINE))
STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")

HOSTS = {"app01": "127.0.0.1", "storage01": "127.0.0.2"}
SIX = {node: f"127.0.0.{number}" for number, node in enumerate(NODES, 1)}
MAIN = """
log_file={folder}/nagios.log
cfg_file={folder}/commands.cfg
cfg_file={folder}/services.cfg
cfg_file={folder}/services-single.cfg
cfg_file={folder}/hosts.cfg
cfg_file={folder}/contacts.cfg
cfg_dir=/etc/nagios-plugins/config
cfg_file=/etc/nagios4/objects/commands.cfg
cfg_file=/etc/nagios4/objects/timeperiods.cfg
cfg_file=/etc/nagios4/objects/templates.cfg
object_cache_file={folder}/objects.cache
precached_object_file={folder}/objects.precache
resource_file={folder}/resource.cfg
status_file={folder}/status.dat
status_update_interval=1
check_external_commands=0
command_file={folder}/nagios.cmd
lock_file={folder}/nagios.pid
temp_file={folder}/nagios.tmp
temp_path={folder}
check_result_path={folder}/results
check_result_reaper_frequency=1
state_retention_file={folder}/retention.dat
interval_length={interval}
cached_host_check_horizon=1
max_service_check_spread=1
execute_host_checks={alive}
enable_notifications={alive}
check_for_updates=0
use_syslog=0
illegal_macro_output_chars=`~$&|'"<>
"""
NRPE_MAIN = """
pid_file={folder}/nrpe-{host}.pid
server_address={address}
server_port={port}
nrpe_user={user}
nrpe_group={user}
allowed_hosts=127.0.0.0/8
dont_blame_nrpe=0
command_timeout=60
disable_syslog=1
"""


def group_of(host: str) -> str:
    """The shipped hostgroup of a node."""
    return "mccluster-storage" if host in STORAGE else "mccluster-application"


class Site:
    """Two servers with NRPE, which replay what ``now`` points to, and a Nagios that asks them."""

    hosts: Mapping[str, str] = HOSTS
    tells = False
    """Whether anybody is told, and whether hosts can be off."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        (folder / "results").mkdir()
        self.program = install_plugin(folder)
        self.show("six-nodes-healthy")
        hosts = "\n".join(
            f"define host {{\n    use mccluster-node\n    host_name {host}\n"
            f"    address {address}\n    hostgroups {group_of(host)}\n{self.more_of(host)}}}"
            for host, address in self.hosts.items()
        )
        for name, text in (
            ("nagios.cfg", MAIN.format(folder=folder, interval=10, alive=int(self.tells))),
            ("contacts.cfg", self.contacts()),
            # The only change: NRPE has a port of its own here.
            ("commands.cfg", COMMANDS.replace("check_nrpe -H", f"check_nrpe -p {self.port} -H")),
            ("services.cfg", SERVICES),
            ("services-single.cfg", "" if self.tells else SINGLE_SERVICES),
            ("hosts.cfg", hosts),
            ("resource.cfg", f"$USER1$={PLUGINS}\n"),
            *((f"nrpe-{host}.cfg", self.nrpe(host)) for host in self.hosts),
        ):
            (folder / name).write_text(text)
        own(folder)

    def more_of(self, host: str) -> str:
        """What the object of a host has besides."""
        return ""

    def contacts(self) -> str:
        """Who is told."""
        return Path("/etc/nagios4/objects/contacts.cfg").read_text()

    def nrpe(self, host: str) -> str:
        """The shipped lines with our plugin, which replays a snapshot."""
        head = NRPE_MAIN.format(
            folder=self.folder,
            host=host,
            address=self.hosts[host],
            port=self.port,
            user=monitoring_user() or Path.home().owner(),
        )
        lines = re.sub(
            rf"{PLUGINS}/check_mccluster (\S+)",
            rf"{self.program} \1 --from {self.folder}/now/{host}",
            NRPE,
        )
        return head + lines

    def show(self, scenario: str) -> None:
        place = self.folder / scenario
        if not place.exists():
            for host in self.hosts:
                if (SNAPSHOTS / scenario / host).is_dir():
                    shutil.copytree(SNAPSHOTS / scenario / host, place / host)
            own(place)
        link = self.folder / "link"
        link.symlink_to(place)
        link.replace(self.folder / "now")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Both servers' NRPE and Nagios."""
        with ExitStack() as stack:
            for host in self.hosts:
                nrpe = ["/usr/sbin/nrpe", "-f", "-c", self.folder / f"nrpe-{host}.cfg"]
                stack.enter_context(daemon(nrpe, self.folder / "out"))
            ask = [PLUGINS / "check_nrpe", "-p", self.port, "-H"]
            for address in self.hosts.values():
                wait_for(
                    lambda a=address: run_as_user([*ask, a]).stdout.startswith("NRPE v"), "NRPE"
                )
            nagios = ["/usr/sbin/nagios4", self.folder / "nagios.cfg"]
            stack.enter_context(daemon(nagios, self.folder / "out"))
            wait_for((self.folder / "status.dat").exists, "Nagios")
            yield

    def due(self) -> dict[tuple[str, str], tuple[str, str, str]]:
        """State, first line and performance data of each service, from the plugin run by hand."""
        found = {}
        for host in self.hosts:
            for service in self.services(host):
                line = LINES[f"check_mccluster_{service}"].split()[1:]
                answer = run_as_user([self.program, *line, "--from", self.folder / "now" / host])
                first, _, figures = answer.stdout.split("\n")[0].partition(" | ")
                state = STATES[answer.returncode]
                # Nagios itself writes a colon for a semicolon, except in performance data.
                name = "mccluster" if service == "overview" else f"mccluster {service}"
                found[host, name] = (state, first.replace(";", ":"), figures)
        return found

    @staticmethod
    def services(host: str) -> list[str]:
        names = ["overview", *(each.name for each in registry.single_checks())]
        if host.startswith("storage"):
            return [each for each in names if each == "overview" or each.startswith("drbd-")]
        return names

    def agrees(self) -> None:
        """Wait until Nagios has what the plugin says, or show the difference."""
        due = self.due()
        with suppress(AssertionError):
            wait_for(lambda: self.known() == due, "Nagios", 180)
        assert self.known() == due

    def known(self) -> dict[tuple[str, str], tuple[str, str, str]]:
        """The same as Nagios has it."""
        file = self.folder / "status.dat"
        found = {}
        for block in re.findall(r"^servicestatus \{\n(.*?)\n\t\}", file.read_text(), re.S | re.M):
            of = dict(line.strip().partition("=")[::2] for line in block.split("\n"))
            state = STATES[int(of["current_state"])] if of["has_been_checked"] == "1" else "-"
            key = of["host_name"], of["service_description"]
            found[key] = (state, of["plugin_output"].strip(), of["performance_data"])
        return found


# The shipped services over many clusters of six nodes, each with its story; or over one

INTERVAL = 4
"""Seconds that Nagios takes for a minute."""
QUESTIONS = (
    ("overview", "--speaker", "-v"),
    ("cluster", "--severity", "clocks-differ=ok", "-v"),
)
"""What is asked: the line of NRPE, and the check of the cluster's own host."""
ASK = """\
#!/bin/sh
# In the place of check_nrpe: ASK HOST COMMAND runs the shipped line for a cluster's node.
number=${{1%%-*}}
case $2 in
{lines}
esac
"""
SAY = """\
#!/bin/sh
what=$1
[ -z "$2" ] || what="$what!$2"
echo "$what $3: ${{4#* - }}" >> {folder}/notifications
"""
CONTACTS = """
define command {{
    command_name say-host
    command_line {folder}/say '$HOSTNAME$' '' '$NOTIFICATIONTYPE$' '$HOSTSTATE$'
}}
define command {{
    command_name say-service
    command_line {folder}/say '$HOSTNAME$' '$SERVICEDESC$' '$NOTIFICATIONTYPE$' '$SERVICEOUTPUT$'
}}
define contact {{
    use generic-contact
    contact_name operator
    host_notification_commands say-host
    service_notification_commands say-service
}}
define contactgroup {{
    contactgroup_name admins
    members operator
}}
define command {{
    command_name is-there
    command_line /bin/sh -c 'test -d "$ARG1$" || exit 2'
}}
"""


class Watched(Site):
    """Six servers with NRPE, of which those are off that ``now`` does not have, and who is told."""

    hosts = SIX
    tells = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "say").write_text(SAY.format(folder=folder))
        (folder / "say").chmod(0o755)

    def more_of(self, host: str) -> str:
        return f"    check_command is-there!{self.folder}/now/{host}\n"

    def contacts(self) -> str:
        return CONTACTS.format(folder=self.folder)

    @property
    def notifications(self) -> Path:
        """What was told, a line each."""
        return self.folder / "notifications"

    def problems(self) -> set[str]:
        """What a person was told and that has not recovered."""
        return standing(self.notifications)


class Stories:
    """A Nagios that watches every cluster of a stage, as shipped; without single checks."""

    rounds = 5

    def __init__(self, folder: Path, stage: Stage) -> None:
        self.folder = folder
        self.stage = stage
        (folder / "results").mkdir()
        lines = "\n".join(
            f"{name}) exec {line.replace(f'{PLUGINS}/check_mccluster', str(stage.program))}"
            f' --from "{stage.folder}/now$number/${{1#*-}}" ;;'
            for name, line in LINES.items()
        )
        commands = COMMANDS.replace(
            "check_nrpe -H $HOSTADDRESS$ -t 15:UNKNOWN -c", "ask $HOSTNAME$"
        )
        assert commands != COMMANDS
        for name, text in (
            ("nagios.cfg", MAIN.format(folder=folder, interval=INTERVAL, alive=1)),
            ("commands.cfg", commands),
            ("services.cfg", SERVICES),
            ("services-single.cfg", ""),
            ("contacts.cfg", CONTACTS.format(folder=folder)),
            ("hosts.cfg", "\n".join(self._objects())),
            ("resource.cfg", f"$USER1$={folder}\n"),
            ("ask", ASK.format(lines=lines)),
            ("say", SAY.format(folder=folder)),
        ):
            (folder / name).write_text(text)
        (folder / "check_mccluster").symlink_to(stage.program)
        own(folder)
        for name in ("ask", "say"):
            (folder / name).chmod(0o755)

    def _objects(self) -> Iterator[str]:
        for number, _ in self.stage.clusters():
            now = self.stage.place(number)
            for node in NODES:
                yield (
                    f"define host {{\n    use mccluster-node\n    host_name {number:02}-{node}\n"
                    f"    check_command is-there!{now}/{node}\n    hostgroups {group_of(node)}\n}}"
                )
            # The other way, counted beside it; the nodes were recorded minutes apart.
            asked = f"cluster!--config {now}/cluster.toml --severity clocks-differ=ok -v"
            whole = WHOLE[WHOLE.rindex("    use                    linux-server") - 14 :]
            for shipped, here in (
                ("mailcluster", f"{number:02}-mailcluster"),
                ("cluster!-v", asked),
                ("127.0.0.1\n", f"127.0.0.1\n    check_command is-there!{now}\n"),
            ):
                assert shipped in whole
                whole = whole.replace(shipped, here)
            yield whole

    @contextmanager
    def running(self) -> Iterator[None]:
        """The daemon, until every object was found well."""
        with daemon(["/usr/sbin/nagios4", self.folder / "nagios.cfg"], self.folder / "out"):
            wait_for((self.folder / "status.dat").exists, "Nagios")
            self.settle(1)
            yield

    def settle(self, rounds: int) -> None:
        """Wait until every object was looked at so often, and none is between two states."""
        for _ in range(rounds):
            since = time.time()
            wait_for(lambda since=since: self._rests(since), "Nagios", 180)

    def _rests(self, since: float) -> bool:
        text = (self.folder / "status.dat").read_text()
        blocks = re.findall(r"^(?:host|service)status \{\n(.*?)\n\t\}", text, re.S | re.M)
        for block in blocks:
            of = dict(line.strip().partition("=")[::2] for line in block.split("\n"))
            hard = of["current_state"] == "0" or of["state_type"] == "1"
            if float(of["last_check"]) <= since or not hard:
                return False
        return bool(blocks)
