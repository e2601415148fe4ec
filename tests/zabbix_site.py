"""A Zabbix server with database, front end and agents on 127.0.0.1, for the tests.

Everything has its own port and lives in one temporary directory; nothing of the machine's own
configuration is read or written. Debian's packages are used as they are; the front end is copied,
because the place of its configuration file is a constant in it.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Optional

import pytest

from daemons import ROOT

CONTRIB = ROOT / "contrib" / "zabbix"
TEMPLATES = ("template_mccluster.yaml", "template_mccluster_active.yaml")
CLUSTER = "Pacemaker and DRBD cluster by Zabbix agent"
STORAGE = "DRBD storage server by Zabbix agent"
NODES = ("app01", "app02", "app03", "storage01", "storage02", "storage03")
SNAPSHOTS = ROOT / "fixtures" / "snapshots"

FAST = {
    "{$MCCLUSTER.INTERVAL}": "6s",
    "{$MCCLUSTER.DISCOVERY.INTERVAL}": "30s",
    "{$MCCLUSTER.CRITICAL.FOR}": "10s",
    "{$MCCLUSTER.WARNING.FOR}": "10s",
    "{$MCCLUSTER.ERROR.FOR}": "10s",
}
"""Minutes as seconds; the thresholds are the template's own."""

CHANGES = {"createMissing": True, "updateExisting": True}
RULES = {
    "groups": {"createMissing": True},
    "templates": CHANGES,
    "valueMaps": CHANGES,
    "items": CHANGES,
    "discoveryRules": CHANGES,
    "triggers": CHANGES,
    "graphs": CHANGES,
    "templateDashboards": CHANGES,
}

SHARE = Path("/usr/share")
FRONTEND = SHARE / "zabbix"
FONT = SHARE / "fonts/truetype/dejavu/DejaVuSans.ttf"
POSTGRES = Path("/usr/lib/postgresql")
PYTHON = "/usr/bin/python3"

NEEDED = {
    "zabbix-server-pgsql": "/usr/sbin/zabbix_server",
    "zabbix-agent": "/usr/sbin/zabbix_agentd",
    "zabbix-frontend-php": str(FRONTEND / "api_jsonrpc.php"),
    "postgresql": str(POSTGRES),
    "php-cli": "/usr/bin/php",
    "fonts-dejavu-core": str(FONT),
    "python3-nagiosplugin": "/usr/lib/python3/dist-packages/nagiosplugin",
    "python3-click": "/usr/lib/python3/dist-packages/click",
    "python3-lxml": "/usr/lib/python3/dist-packages/lxml",
}
"""Debian's packages, each with a file by which it is recognised."""


def need_packages(files: dict[str, str]) -> None:
    """Skip plainly where Debian packages are not installed; each has a file that it brings."""
    missing = [name for name, file in files.items() if not Path(file).exists()]
    if missing:
        pytest.skip(f"Debian packages are not installed: {', '.join(missing)}")


def free_port() -> int:
    """A port that nobody listens on; Zabbix takes none above 32767."""
    for port in random.sample(range(20000, 32768), 100):
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port found")


def wait_until(
    what: str, condition: Callable[[], Any], seconds: float = 180, every: float = 0.5
) -> Any:
    """Poll until *condition* gives something true, and return that."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(every)


def listens(port: int) -> bool:
    """Whether somebody accepts connections on that port."""
    with socket.socket() as sock:
        sock.settimeout(1)
        return sock.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Daemons:
    """Processes of other users that end with the test."""

    folder: Path
    _running: dict[str, tuple[subprocess.Popen[bytes], int]] = field(default_factory=dict)

    def start(
        self,
        name: str,
        user: str,
        *command: object,
        env: Optional[dict[str, str]] = None,
        stop: int = signal.SIGTERM,
    ) -> None:
        """Start a daemon in the foreground as *user*; its output goes to ``NAME.out``."""
        with (self.folder / f"{name}.out").open("wb") as out:
            process = subprocess.Popen(
                [*as_user(user), *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**clean_env(), **(env or {})},
                cwd=self.folder,
            )
        self._running[name] = (process, stop)

    def end(self, name: str) -> None:
        """End one daemon."""
        process, stop = self._running.pop(name)
        process.send_signal(stop)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop(self) -> None:
        """End everything, the last one first."""
        for name in reversed(list(self._running)):
            self.end(name)


def as_user(user: str) -> list[str]:
    """The prefix of a command that runs it unprivileged and ends it with its parent."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--pdeathsig=TERM"]


def clean_env() -> dict[str, str]:
    """An environment without anything of the one who runs the tests."""
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}


def install_program(folder: Path, source: Path) -> Path:
    """Make ``check_mccluster`` a command for any user, run by Debian's own Python.

    It gets the words of ``$MCCLUSTER_OPTIONS`` beside its arguments.

    :returns: the directory to put into the PATH.
    """
    shutil.copytree(
        source, folder / "lib" / "check_mccluster", ignore=shutil.ignore_patterns("__pycache__")
    )
    subprocess.run([PYTHON, "-m", "compileall", "-q", folder / "lib"], check=True)
    return command_for(folder, f"env PYTHONPATH={folder}/lib {PYTHON} -m check_mccluster")


def command_for(folder: Path, program: object) -> Path:
    """The same for another *program* in its place."""
    command = folder / "bin" / "check_mccluster"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {program} "$@" $MCCLUSTER_OPTIONS\n')
    command.chmod(0o755)
    return command.parent


WHOLE = "mailcluster"
"""The host that stands for all nodes."""
_ASKS_ALL = "UserParameter=check_mccluster.data,check_mccluster zabbix cluster\nTimeout=10\n"


class Agents:
    """One agent for each replayed node, with the UserParameter file as it is shipped."""

    def __init__(self, daemons: Daemons, folder: Path, parameters: Path, programs: Path) -> None:
        self._daemons, self._folder = daemons, folder
        self._parameters, self._programs = parameters, programs
        self.ports: dict[str, int] = {}

    def config(self, name: str, server: int = 0, *, two: bool = False) -> Path:
        """Write an agent's configuration; its Timeout is the default of 3 seconds.

        An agent whose name ends with :data:`WHOLE` asks all nodes, as docs/zabbix.md has it.

        :param server: the port of a server that an active agent asks for its work.
        :param two: whether it is for agent 2.
        """
        of_kind = (
            f"ControlSocket={self._folder}/agent-{name}.sock\n"
            if two
            else f"PidFile={self._folder}/agent-{name}.pid\n"
        )
        self.ports.setdefault(name, free_port())
        path = self._folder / f"agent-{name}.conf"
        path.write_text(
            f"Hostname={name}\nServer=127.0.0.1\nListenIP=127.0.0.1\n"
            f"ListenPort={self.ports[name]}\n"
            f"LogType=console\n{of_kind}"
            + (_ASKS_ALL if name.endswith(WHOLE) else f"Include={self._parameters}\n")
            + (f"ServerActive=127.0.0.1:{server}\nRefreshActiveChecks=60\n" if server else "")
        )
        return path

    def environment(self, options: str) -> dict[str, str]:
        """The environment of an agent whose program is always called with *options*."""
        return {"PATH": f"{self._programs}:{clean_env()['PATH']}", "MCCLUSTER_OPTIONS": options}

    def start(self, name: str, options: str, server: int = 0) -> None:
        """Start an agent."""
        self._daemons.start(
            f"agent-{name}",
            "zabbix",
            *("/usr/sbin/zabbix_agentd", "-f", "-c", self.config(name, server)),
            env=self.environment(options),
        )
        wait_until(f"agent {name} listens", lambda: listens(self.ports[name]), every=0.1)

    def stop(self, name: str) -> None:
        """The node is off."""
        self._daemons.end(f"agent-{name}")


class Server:
    """Database, server and front end."""

    def __init__(self, daemons: Daemons, folder: Path, share: Path = SHARE) -> None:
        self._daemons, self._folder, self._share = daemons, folder, share
        self._token: Optional[str] = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where the front end is."""
        return f"http://127.0.0.1:{self._web}"

    @property
    def port(self) -> int:
        """Where the server listens, for active agents."""
        return self._port

    def start(self, *, polls: bool = True) -> None:
        """Start all three and log in; without the server itself nothing is polled."""
        self._database_port, self._port, self._web = free_port(), free_port(), free_port()
        self._start_database()
        self._start_frontend()
        self._token = self.api("user.login", username="Admin", password="zabbix")
        hosts = self.api("host.get", output=["hostid"])
        # The server's own: it must not find a problem of it, which would outlive the host.
        self.api_list("host.delete", [host["hostid"] for host in hosts])
        # The only language that 6.0 shows without a locale; a machine has perhaps only C.UTF-8.
        self.api("settings.update", default_lang="en_GB")
        if polls:
            self._start_server()

    def _start_database(self) -> None:
        binaries = sorted(POSTGRES.glob("*/bin"), key=lambda path: int(path.parent.name))[-1]
        data = self._folder / "database"
        data.mkdir()
        shutil.chown(data, "postgres", "postgres")
        self._run("postgres", binaries / "initdb", "-D", data, "-U", "zabbix", "-A", "trust", "-N")
        self._daemons.start(
            "postgres",
            "postgres",
            *(binaries / "postgres", "-D", data, "-p", self._database_port, "-k", ""),
            *("-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"),
            *("-c", "synchronous_commit=off", "-c", "full_page_writes=off"),
            stop=signal.SIGINT,
        )
        psql = (binaries / "psql", "-h", "127.0.0.1", "-p", self._database_port, "-U", "zabbix")
        wait_until("database", lambda: self._try(*psql, "-c", "SELECT 1", "postgres"))
        self._run("postgres", *psql, "-c", "CREATE DATABASE zabbix", "postgres")
        for name in ("schema", "images", "data"):
            packed = self._share / "zabbix-server-pgsql" / f"{name}.sql.gz"
            sql = gzip.decompress(packed.read_bytes())
            self._run("postgres", *psql, "-q", "-v", "ON_ERROR_STOP=1", "zabbix", given=sql)
        self._run("postgres", *psql, "-c", "ANALYZE", "zabbix")

    def _start_server(self) -> None:
        path = self._folder / "server.conf"
        path.write_text(
            f"ListenIP=127.0.0.1\nListenPort={self._port}\nLogType=console\n"
            f"PidFile={self._folder}/server.pid\nSocketDir={self._folder}\n"
            f"DBHost=127.0.0.1\nDBPort={self._database_port}\nDBName=zabbix\nDBUser=zabbix\n"
            "CacheUpdateFrequency=1\nStartPollers=4\nStartPollersUnreachable=1\nStartPingers=0\n"
            "StartDiscoverers=0\nStartHTTPPollers=0\nStartTrappers=1\nStartPreprocessors=2\n"
            "StartDBSyncers=2\nStartLLDProcessors=1\nTimeout=10\n"
            # An agent that is back is asked within seconds, as one that never was away.
            "UnreachablePeriod=10\nUnreachableDelay=5\nUnavailableDelay=5\n"
        )
        self._daemons.start("server", "zabbix", "/usr/sbin/zabbix_server", "-f", "-c", path)
        wait_until("server", lambda: listens(self._port))

    def _start_frontend(self) -> None:
        root = self._folder / "frontend"
        shutil.copytree(self._share / "zabbix", root, symlinks=True)
        font = root / "assets/fonts/DejaVuSans.ttf"  # a relative link: the graphs' letters
        font.unlink(missing_ok=True)
        font.symlink_to(FONT)
        config = self._folder / "zabbix.conf.php"
        config.write_text(
            "<?php\n$DB['TYPE'] = 'POSTGRESQL';\n$DB['SERVER'] = '127.0.0.1';\n"
            f"$DB['PORT'] = '{self._database_port}';\n$DB['DATABASE'] = 'zabbix';\n"
            "$DB['USER'] = 'zabbix';\n$DB['PASSWORD'] = '';\n$DB['SCHEMA'] = '';\n"
            "$DB['ENCRYPTION'] = false;\n$DB['DOUBLE_IEEE754'] = true;\n"
            f"$ZBX_SERVER = '127.0.0.1';\n$ZBX_SERVER_PORT = '{self._port}';\n"
            "$ZBX_SERVER_NAME = 'test';\n$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;\n"
        )
        place = root / "include/classes/core/CConfigFile.php"
        text = place.read_text()
        assert text.count("'/etc/zabbix/zabbix.conf.php'") == 1
        place.write_text(text.replace("/etc/zabbix/zabbix.conf.php", str(config)))
        self._daemons.start(
            "frontend",
            "zabbix",
            *("/usr/bin/php", "-d", "post_max_size=16M", "-d", "memory_limit=256M"),
            *("-d", "max_execution_time=300", "-d", "max_input_time=300"),
            *("-S", f"127.0.0.1:{self._web}", "-t", root),
        )
        wait_until("front end", lambda: listens(self._web))

    def api(self, method: str, **params: Any) -> Any:
        """Call the JSON-RPC API with named parameters."""
        return self.api_list(method, params)

    def api_list(self, method: str, params: Any) -> Any:
        """Call a method of the JSON-RPC API that may want a plain array."""
        call = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1, "auth": self._token}
        request = urllib.request.Request(
            f"{self.url}/api_jsonrpc.php",
            json.dumps(call).encode(),
            {"Content-Type": "application/json-rpc"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=120) as response:
            answer = json.load(response)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def _run(self, user: str, *command: object, given: Optional[bytes] = None) -> None:
        done = subprocess.run(
            [*as_user(user), *map(str, command)],
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=clean_env(),
            cwd=self._folder,
            check=False,
        )
        assert done.returncode == 0, done.stdout.decode(errors="replace")

    def _try(self, *command: object) -> bool:
        return (
            subprocess.run(
                list(map(str, command)),
                capture_output=True,
                env=clean_env(),
                check=False,
            ).returncode
            == 0
        )


@contextlib.contextmanager
def scratch(prefix: str = "mccluster-zabbix-"):
    """A temporary directory that every user may enter; pytest's own are for one user only."""
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def import_templates(server: Server, version: str) -> None:
    """Import the files of that version of Zabbix."""
    rules = dict(RULES)
    if version != "6.0":
        rules["template_groups"] = rules.pop("groups")
    for name in TEMPLATES:
        source = (CONTRIB / version / name).read_text()
        assert server.api("configuration.import", format="yaml", source=source, rules=rules)


def made_by_tool(version: str, active: bool) -> Any:
    """What ``tools/zabbix.py`` makes for a version of Zabbix and a way of asking the agent."""
    spec = importlib.util.spec_from_file_location("tools_zabbix", ROOT / "tools" / "zabbix.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.document(version, active)


def ordered(value: Any) -> Any:
    """Lists of named things in one order: the server sorts them as it likes."""
    if isinstance(value, dict):
        return {name: ordered(each) for name, each in value.items()}
    if isinstance(value, list):
        return sorted(map(ordered, value), key=lambda each: json.dumps(each, sort_keys=True))
    return value


def assert_exported(server: Server, version: str) -> None:
    """The server exports what it imported as the tool made it, but for the order."""
    for active in ("", " active"):
        ids = [
            server.api("template.get", filter={"host": name + active})[0]["templateid"]
            for name in (CLUSTER, STORAGE)
        ]
        text = server.api("configuration.export", format="json", options={"templates": ids})
        found = json.loads(text)
        found["zabbix_export"].pop("date", None)
        assert ordered(found) == ordered(made_by_tool(version, bool(active)))


class Site:
    """The server and its agents, with what the tests ask of them."""

    def __init__(self, folder: Path, program: Optional[Path] = None) -> None:
        """:param program: what agents run in the place of the plugin."""
        self.folder = folder
        self.daemons = Daemons(folder)
        self.server = Server(self.daemons, folder)
        programs = (
            command_for(folder, program)
            if program is not None
            else install_program(folder, ROOT / "src" / "check_mccluster")
        )
        parameters = folder / "check_mccluster.conf"
        parameters.write_text((CONTRIB / "check_mccluster.conf").read_text())
        self.agents = Agents(self.daemons, folder, parameters, programs)
        self._copies = folder / "snapshots"

    def replay(self, node: str, scenario: str, place: Path = SNAPSHOTS) -> None:
        """From now on *node* is what was recorded of it in *scenario*."""
        copy = self._copies / scenario / node
        if not copy.exists():
            copy.mkdir(parents=True)
            for file in (place / scenario / node).iterdir():
                (copy / file.name).write_bytes(file.read_bytes())
        turned = self.folder / f"{node}.new"
        turned.symlink_to(copy)
        turned.replace(self.snapshot(node))

    def snapshot(self, node: str) -> Path:
        """The link that is turned."""
        return self.folder / node

    def start_agent(self, node: str, name: str = "", server: int = 0) -> None:
        """Start the agent that replays *node*, also under another *name*."""
        self.agents.start(name or node, f"--from {self.snapshot(node)}", server)

    def get(self, node: str, key: str) -> str:
        """What zabbix_get is told by a node's agent, without the newline at its end."""
        return subprocess.run(
            ["zabbix_get", "-s", "127.0.0.1", "-p", str(self.agents.ports[node]), "-k", key],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.rstrip("\n")

    # -- through the API -----------------------------------------------------------------------

    def import_template(self) -> None:
        """Import both files, each with the template of a node and that of a storage server."""
        import_templates(self.server, "6.0")

    def template_id(self, name: str = CLUSTER) -> str:
        found = self.server.api("template.get", filter={"host": name})
        return str(found[0]["templateid"])

    def add_host(self, node: str, active: str = "", **macros: str) -> str:
        """Watch a node with the template that fits it; *active* stands for its agent's way."""
        is_storage = node.rpartition("-")[2].startswith("storage")
        name = (STORAGE if is_storage else CLUSTER) + active
        group = self.server.api("hostgroup.get", filter={"name": "Linux servers"})[0]["groupid"]
        created = self.server.api(
            "host.create",
            host=node,
            interfaces=[
                {
                    **{"type": 1, "main": 1, "useip": 1, "ip": "127.0.0.1", "dns": ""},
                    "port": str(self.agents.ports[node]),
                }
            ],
            groups=[{"groupid": group}],
            templates=[{"templateid": self.template_id(name)}],
            macros=[{"macro": name, "value": value} for name, value in {**FAST, **macros}.items()],
        )
        return str(created["hostids"][0])

    def add_dashboard(self) -> str:
        """A page for the whole: what a person has been told, and the state of every node.

        :returns: its address in the front end.
        """
        states = {
            item["hosts"][0]["host"]: item["itemid"]
            for item in self.server.api(
                "item.get",
                filter={"key_": "check_mccluster.state"},
                output=["itemid"],
                selectHosts=["host"],
            )
        }
        tiles = [
            {
                **{"type": "item", "name": node, "x": place * 4, "y": 0, "width": 4, "height": 3},
                "fields": [
                    {"type": 4, "name": "itemid", "value": states[node]},
                    *({"type": 0, "name": "show", "value": what} for what in (2, 3)),
                    {"type": 0, "name": "value_size", "value": 18},
                    {"type": 0, "name": "time_size", "value": 9},
                    {"type": 0, "name": "time_v_pos", "value": 2},
                ],
            }
            for place, node in enumerate(NODES)
        ]
        problems = {
            **{"type": "problems", "name": "Problems", "x": 0, "y": 3, "width": 24, "height": 6},
            "fields": [
                {"type": 0, "name": "show_tags", "value": 1},
                {"type": 1, "name": "tag_priority", "value": "fault"},
            ],
        }
        pages = [{"widgets": [*tiles, problems]}]
        made = self.server.api("dashboard.create", name="The cluster", pages=pages, private=0)
        number = made["dashboardids"][0]
        return f"{self.server.url}/zabbix.php?action=dashboard.view&dashboardid={number}"

    def remove_host(self, node: str) -> None:
        """Watch it no more."""
        found = self.server.api("host.get", filter={"host": [node]}, output=["hostid"])
        self.server.api_list("host.delete", [each["hostid"] for each in found])

    def items(self, node: str) -> dict[str, dict[str, str]]:
        """The items of a host by key."""
        found = self.server.api(
            "item.get",
            host=node,
            output=["key_", "lastvalue", "lastclock", "state", "error"],
        )
        return {item["key_"]: item for item in found}

    def unsupported(self) -> dict[str, str]:
        """Items and discovery rules that are not supported, with the reason."""
        asked = {"output": ["key_", "error"], "filter": {"state": 1}}
        found = self.server.api("item.get", **asked) + self.server.api("discoveryrule.get", **asked)
        return {each["key_"]: each["error"] for each in found}

    def values(self, node: str, *keys: str) -> list[str]:
        items = self.items(node)
        return [items[key]["lastvalue"] if key in items else "" for key in keys]

    def problems(self) -> set[tuple[str, str, str, str]]:
        """Host, event name, severity and operational data of every problem."""
        found = self.server.api(
            "problem.get", output=["objectid", "name", "severity", "opdata"], suppressed=None
        )
        triggers = self.server.api(
            "trigger.get",
            triggerids=[each["objectid"] for each in found],
            output=["triggerid"],
            selectHosts=["host"],
        )
        hosts = {each["triggerid"]: each["hosts"][0]["host"] for each in triggers}
        return {
            (hosts[each["objectid"]], each["name"], each["severity"], each["opdata"])
            for each in found
        }

    def events(self, since: int) -> list[tuple[str, str]]:
        """Host and name of every problem that began since then, in the order of time."""
        found = self.server.api(
            "event.get",
            output=["name", "clock"],
            selectHosts=["host"],
            source=0,
            object=0,
            value=[1],
            time_from=since,
            sortfield=["clock", "eventid"],
        )
        return [(each["hosts"][0]["host"], each["name"]) for each in found]

    def expect(self, problems: set[tuple[str, str, str, str]], *nodes: str) -> None:
        """Exactly these problems come, and are all there is after some more polls of *nodes*."""
        with contextlib.suppress(TimeoutError):
            wait_until("problems", lambda: self.problems() == problems)
            self.let_pass(3, *nodes)
        assert self.problems() == problems

    def let_pass(self, polls: int, *nodes: str) -> None:
        """Wait until the server has looked at each of the nodes so often again."""
        seen: dict[str, set[str]] = {node: set() for node in nodes}
        asked = {"filter": {"key_": "check_mccluster.tools"}, "output": ["lastclock"]}

        def enough() -> bool:
            for item in self.server.api("item.get", **asked, selectHosts=["host"]):
                seen.get(item["hosts"][0]["host"], set()).add(item["lastclock"])
            return all(len(clocks) > polls for clocks in seen.values())

        wait_until(f"{polls} more polls of {', '.join(nodes)}", enough)


@contextlib.contextmanager
def running_site():
    """The server and an agent for each of the six nodes, which are healthy."""
    with scratch() as folder:
        site = Site(folder)
        try:
            for node in NODES:
                site.replay(node, "six-nodes-healthy")
                site.start_agent(node)
            site.server.start()
            yield site
        finally:
            site.daemons.stop()


def report_logs(folder: Path) -> None:
    """Show what the daemons said, for a test that failed."""
    for path in sorted(folder.glob("*.out")):
        text = path.read_text(errors="replace")
        sys.stdout.write(f"--- {path.name}\n{text[-3000:]}\n")
    sys.stdout.write(f"uid {os.getuid()}\n")
