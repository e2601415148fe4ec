"""Icinga Director on a database of its own, which deploys to an Icinga 2 on 127.0.0.1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daemons import daemon, free_port, own, run_as_user, wait_for
from icinga2_site import Icinga

POSTGRES = Path("/usr/lib/postgresql")
MODULES = Path("/usr/share/icingaweb2/modules")

RESOURCES = """
[director]
type = "db"
db = "pgsql"
host = "127.0.0.1"
port = "{port}"
dbname = "director"
username = "director"
password = "none"
charset = "utf8"
"""
KICKSTART = """
[config]
endpoint = monitor
host = 127.0.0.1
port = {port}
username = test
password = test
"""


class Director:
    """The Director's command line."""

    def __init__(self, folder: Path, icinga: Icinga) -> None:
        self._folder = folder
        self._port = free_port()
        self._settings = folder / "icingaweb2"
        for name in ("enabledModules", "modules/director"):
            (self._settings / name).mkdir(parents=True)
        for name in ("director", "incubator", "reactbundle"):
            (self._settings / "enabledModules" / name).symlink_to(MODULES / name)
        for name, text in (
            ("config.ini", '[global]\nconfig_resource = "director"\n[logging]\nlog = "none"\n'),
            ("resources.ini", RESOURCES.format(port=self._port)),
            ("modules/director/config.ini", '[db]\nresource = "director"\n'),
            ("modules/director/kickstart.ini", KICKSTART.format(port=icinga.port)),
        ):
            (self._settings / name).write_text(text)
        own(folder)

    @contextmanager
    def running(self) -> Iterator[None]:
        """The database, and what the Director has learnt from Icinga."""
        binaries = max(POSTGRES.glob("*/bin"), key=lambda path: int(path.parent.name))
        data = self._folder / "database"
        made = run_as_user([binaries / "initdb", "-D", data, "-U", "director", "-A", "trust", "-N"])
        assert made.returncode == 0, made.stderr
        server = [binaries / "postgres", "-D", data, "-p", self._port, "-k", ""]
        server += ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        psql = [binaries / "psql", "-h", "127.0.0.1", "-p", self._port, "-U", "director"]
        with daemon(server, self._folder / "out"):
            make = [*psql, "-c", "CREATE DATABASE director", "postgres"]
            wait_for(lambda: run_as_user(make).returncode == 0, "the database")
            run_as_user([*psql, "-c", "CREATE EXTENSION pgcrypto", "director"])
            self("migration", "run")
            self("kickstart", "run")
            yield

    def __call__(self, *words: object, given: object = None) -> str:
        """Run ``icingacli director ...`` to its end."""
        environment = {"ICINGAWEB_CONFIGDIR": str(self._settings), "PATH": "/usr/bin:/bin"}
        text = None if given is None else json.dumps(given)
        done = run_as_user(["icingacli", "director", *words], env=environment, input=text)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def create(self, kind: str, **properties: object) -> None:
        """Make an object."""
        self(kind, "create", "--json", json.dumps(properties))

    def deploy(self, icinga: Icinga) -> str:
        """Hand everything to Icinga, and wait for its word: the log of the validation."""
        stages = icinga.folder / "data/api/packages/director"
        before = {*stages.glob("*/")}
        self("config", "deploy")

        def log() -> str:
            for stage in {*stages.glob("*/status")} - {each / "status" for each in before}:
                text = (stage.parent / "startup.log").read_text()
                assert stage.read_text().strip() == "0", text
                return text
            return ""

        return wait_for(log, "the deployment")
