"""A Zabbix server with database, front end and agents on 127.0.0.1, for the tests.

Everything has its own port and lives in one temporary directory; nothing of the machine's own
configuration is read or written. Debian's packages are used as they are; the front end is copied,
because the place of its configuration file is a constant in it.
"""

from __future__ import annotations

import contextlib
import gzip
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

FRONTEND = Path("/usr/share/zabbix")
SCHEMA = Path("/usr/share/zabbix-server-pgsql")
POSTGRES = Path("/usr/lib/postgresql")
PYTHON = "/usr/bin/python3"

NEEDED = {
    "zabbix-server-pgsql": "/usr/sbin/zabbix_server",
    "zabbix-agent": "/usr/sbin/zabbix_agentd",
    "zabbix-frontend-php": str(FRONTEND / "api_jsonrpc.php"),
    "postgresql": str(POSTGRES),
    "php-cli": "/usr/bin/php",
    "python3-nagiosplugin": "/usr/lib/python3/dist-packages/nagiosplugin",
    "python3-click": "/usr/lib/python3/dist-packages/click",
    "python3-lxml": "/usr/lib/python3/dist-packages/lxml",
}
"""Debian's packages, each with a file by which it is recognised."""


def missing_packages(*names: str) -> list[str]:
    """Those of the packages that are not installed."""
    return [name for name in names or NEEDED if not Path(NEEDED[name]).exists()]


def free_port() -> int:
    """A port that nobody listens on; Zabbix takes none above 32767."""
    for port in random.sample(range(20000, 32768), 100):
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port found")


def wait_until(what: str, condition: Callable[[], Any], seconds: float = 180) -> Any:
    """Poll until *condition* gives something true, and return that."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.5)


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
    program = folder / "bin" / "check_mccluster"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\nexport PYTHONPATH={folder}/lib\n"
        f'exec {PYTHON} -m check_mccluster "$@" $MCCLUSTER_OPTIONS\n'
    )
    program.chmod(0o755)
    return program.parent


class Agents:
    """One agent for each replayed node, with the UserParameter file as it is shipped."""

    def __init__(self, daemons: Daemons, folder: Path, parameters: Path, programs: Path) -> None:
        self._daemons, self._folder = daemons, folder
        self._parameters, self._programs = parameters, programs
        self.ports: dict[str, int] = {}

    def config(self, name: str) -> Path:
        """Write an agent's configuration; its Timeout is the default of 3 seconds."""
        self.ports.setdefault(name, free_port())
        path = self._folder / f"agent-{name}.conf"
        path.write_text(
            f"Hostname={name}\nServer=127.0.0.1\nListenIP=127.0.0.1\n"
            f"ListenPort={self.ports[name]}\n"
            f"LogType=console\nPidFile={self._folder}/agent-{name}.pid\n"
            f"Include={self._parameters}\n"
        )
        return path

    def environment(self, options: str) -> dict[str, str]:
        """The environment of an agent whose program is always called with *options*."""
        return {"PATH": f"{self._programs}:{clean_env()['PATH']}", "MCCLUSTER_OPTIONS": options}

    def start(self, name: str, options: str) -> None:
        """Start an agent."""
        self._daemons.start(
            f"agent-{name}",
            "zabbix",
            *("/usr/sbin/zabbix_agentd", "-f", "-c", self.config(name)),
            env=self.environment(options),
        )
        wait_until(f"agent {name} listens", lambda: listens(self.ports[name]))

    def stop(self, name: str) -> None:
        """The node is off."""
        self._daemons.end(f"agent-{name}")


class Server:
    """Database, server and front end."""

    def __init__(self, daemons: Daemons, folder: Path) -> None:
        self._daemons, self._folder = daemons, folder
        self._token: Optional[str] = None

    def start(self) -> None:
        """Start all three and log in."""
        self._database_port, self._port, self._web = free_port(), free_port(), free_port()
        self._start_database()
        self._start_server()
        self._start_frontend()
        self._token = self.api("user.login", username="Admin", password="zabbix")
        hosts = self.api("host.get", output=["hostid"])
        self.api_list("host.delete", [host["hostid"] for host in hosts])  # the server itself

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
            sql = gzip.decompress((SCHEMA / f"{name}.sql.gz").read_bytes())
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
            "StartDBSyncers=2\nStartLLDProcessors=1\nTimeout=4\n"
        )
        self._daemons.start("server", "zabbix", "/usr/sbin/zabbix_server", "-f", "-c", path)
        wait_until("server", lambda: listens(self._port))

    def _start_frontend(self) -> None:
        root = self._folder / "frontend"
        shutil.copytree(FRONTEND, root, symlinks=True)
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
            f"http://127.0.0.1:{self._web}/api_jsonrpc.php",
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


def report_logs(folder: Path) -> None:
    """Show what the daemons said, for a test that failed."""
    for path in sorted(folder.glob("*.out")):
        text = path.read_text(errors="replace")
        sys.stdout.write(f"--- {path.name}\n{text[-3000:]}\n")
    sys.stdout.write(f"uid {os.getuid()}\n")
