# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's tools as the modules run them: with a time limit, on a copy."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Optional

LIMIT = 120
"""Seconds for one tool; crm_mon and cibadmin may wait for ever."""


class ToolError(Exception):
    """A tool did not do its work; the text is its own."""


class Cluster(NamedTuple):
    """What Pacemaker says on a node."""

    connected: bool
    quorum: bool
    maintenance: tuple[str, ...]
    """What is in maintenance: ``the cluster``, or names of nodes."""
    online: tuple[str, ...]
    offline: tuple[str, ...]
    error: str = ""

    @property
    def hindrances(self) -> list[str]:
        """Why nothing may be changed now."""
        if not self.connected:
            return [f"Pacemaker does not answer: {self.error}"]
        found = [] if self.quorum else ["the cluster has no quorum here"]
        return found + [f"{each} is in maintenance" for each in self.maintenance]


class Tools:
    """The programs of a node."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def run(self, *argv: str, good: tuple[int, ...] = (0,)) -> tuple[int, str]:
        """Run a tool and return its exit code and its standard output.

        :raises ToolError: any other exit code than the good ones, or the time is up.
        """
        variables = {"LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"}
        code, out, err = self._module.run_command(
            ["timeout", str(LIMIT), *argv], environ_update=variables, check_rc=False
        )
        if code == 124:
            raise ToolError(f"{argv[0]}: no answer within {LIMIT} s")
        if code not in good:
            said = (err.strip() or out.strip() or "no word").replace("\n", "; ")
            raise ToolError(f"{argv[0]}: exit code {code}: {said}")
        return code, out

    def cluster(self) -> Cluster:
        """Ask Pacemaker."""
        nobody = Cluster(False, False, (), (), ())
        try:
            _, out = self.run("crm_mon", "-1", "--output-as=xml")
            document = ET.fromstring(out)
        except ToolError as error:
            return nobody._replace(error=str(error))
        except ET.ParseError:
            return nobody._replace(error="crm_mon: not XML")
        dc = document.find("summary/current_dc")
        if dc is None or document.find("nodes") is None:
            return nobody._replace(error="crm_mon: an empty answer")
        nodes = {str(each.get("name")): each for each in document.iterfind("nodes/node")}
        options = document.find("summary/cluster_options")
        all_of_it = options is not None and options.get("maintenance-mode") == "true"
        maintained = ["the cluster"] if all_of_it else []
        if not all_of_it:
            maintained += [n for n, each in nodes.items() if each.get("maintenance") == "true"]
        online = {name for name, each in nodes.items() if each.get("online") == "true"}
        return Cluster(
            connected=True,
            quorum=dc.get("present") == "true" and dc.get("with_quorum") == "true",
            maintenance=tuple(maintained),
            online=tuple(sorted(online)),
            offline=tuple(sorted(set(nodes) - online)),
        )

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder that only root may look into: a CIB may hold passwords."""
        folder = Path(tempfile.mkdtemp(prefix="check_mccluster-", dir=self._module.tmpdir))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def parsed(text: str) -> ET.Element:
    """A CIB.

    :raises ToolError: not XML.
    """
    try:
        return ET.fromstring(text)
    except ET.ParseError as error:
        raise ToolError(f"cibadmin: not XML: {error}") from error


def version(cib: ET.Element) -> tuple[Optional[str], Optional[str]]:
    """Two numbers that grow whenever the configuration is changed."""
    return cib.get("admin_epoch"), cib.get("epoch")
