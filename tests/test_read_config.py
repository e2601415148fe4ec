"""The configuration file: every key that there is, and every way to get one wrong."""

from __future__ import annotations

import pytest

from check_mccluster.model.config import Config, DrbdRule, PlacementRule
from check_mccluster.read.config import ConfigError, read_config

WHOLE = """
[pacemaker]
nodes = ["app01", "app02"]
tie_breakers = ["app03"]
[pacemaker.resources.FS]
allowed = ["app01"]
preferred = "app01"
[pacemaker.resources.IP]
[drbd.r0]
replicas = ["storage01"]
clients = ["app01"]
runs_with = "FS"
[severity]
fail-count = "ok"
[overview]
skip = ["timing"]
[tools]
crm_mon = "/opt/crm_mon"
[cluster]
name = "alpha"
via = ["ssh", "-q"]
[cluster.hosts]
app01 = "10.0.0.1"
"""


def test_file_with_every_key():
    assert read_config(WHOLE.encode()) == Config(
        nodes=("app01", "app02"),
        tie_breakers=("app03",),
        resources={"FS": PlacementRule(("app01",), "app01"), "IP": PlacementRule(None, None)},
        drbd={"r0": DrbdRule(("storage01",), ("app01",), "FS")},
        severity={"fail-count": "ok"},
        overview_skip=("timing",),
        tools={"crm_mon": "/opt/crm_mon"},
        cluster_hosts={"app01": "10.0.0.1"},
        cluster_via=("ssh", "-q"),
        cluster_name="alpha",
    )


def test_empty_file_says_nothing():
    assert read_config(b"") == Config()


def test_list_that_is_empty_is_not_one_that_is_not_there():
    assert read_config(b"[pacemaker]\nnodes = []").nodes == ()
    assert read_config(b"[pacemaker]").nodes is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a = 1",
            "unknown key a (known here: pacemaker, drbd, severity, overview, tools, cluster)",
        ),
        ("[pacemaker]\na = 1", "unknown key pacemaker.a (known here: nodes,"),
        ("[pacemaker.resources.FS]\na = 1", "unknown key pacemaker.resources.FS.a (known here:"),
        ("[drbd.r0]\na = 1", "unknown key drbd.r0.a (known here: replicas, clients, runs_with)"),
        ("[overview]\na = 1", "unknown key overview.a (known here: skip)"),
        ("[cluster]\na = 1", "unknown key cluster.a (known here: name, hosts, via)"),
        ("pacemaker = 1", "pacemaker must be a table"),
        ("[pacemaker]\nresources = 1", "pacemaker.resources must be a table"),
        ("[pacemaker.resources]\nFS = 1", "pacemaker.resources.FS must be a table"),
        ("[drbd]\nr0 = 1", "drbd.r0 must be a table"),
        ("[cluster]\nhosts = 1", "cluster.hosts must be a table"),
        ('[pacemaker]\nnodes = "app01"', "pacemaker.nodes must be a list of names"),
        ("[pacemaker]\nnodes = [1]", "pacemaker.nodes must be a list of names"),
        ("[pacemaker]\nnodes = {a = 1}", "pacemaker.nodes must be a list of names"),
        ('[pacemaker]\nnodes = [""]', "pacemaker.nodes must be a list of names"),
        ('[drbd.r0]\nreplicas = ["a", 1]', "drbd.r0.replicas must be a list of names"),
        ("[drbd.r0]\nruns_with = 1", "drbd.r0.runs_with must be a name"),
        ('[drbd.r0]\nruns_with = ""', "drbd.r0.runs_with must be a name"),
        ("[cluster]\nname = []", "cluster.name must be a name"),
        ("[severity]\na = 1", "severity.a must be a word in quotes"),
        ("[cluster.hosts]\na = 1", "cluster.hosts.a must be a word in quotes"),
        ("[cluster", "not TOML: "),
    ],
)
def test_file_that_is_wrong_names_the_key(text, message):
    with pytest.raises(ConfigError) as error:
        read_config(text.encode())
    assert str(error.value).startswith(message)


def test_file_that_is_not_utf_8():
    with pytest.raises(ConfigError, match=r"^not UTF-8 text$"):
        read_config(b"[cluster]\nname = '\xff'")
