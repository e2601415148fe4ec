"""A learnt configuration as text: valid TOML whatever the names, comments where they belong."""

from __future__ import annotations

import pytest

from check_mccluster.judge.topology import Learnt
from check_mccluster.model.config import Config, DrbdRule, PlacementRule
from check_mccluster.present.toml import as_toml, key, quoted
from check_mccluster.read.config import read_config

ODD = [
    "plain",
    "with space",
    'with "quotes"',
    "back\\slash",
    "new\nline",
    "tab\t",
    "dotted.name",
    "[bracket]",
    "# no comment",
    "umlaut-ä",
    "emoji-\U0001f600",
    "control-\x07\x7f",
    "a = 'b'",
]


def test_the_whole_file_with_its_comments():
    learnt = Learnt(
        Config(
            nodes=("app01", "app02", "app03"),
            tie_breakers=("app03",),
            resources={"group1": PlacementRule(("app01", "app02"))},
            drbd={"r0": DrbdRule(("storage01", "storage02"), ("app01",), "FS_DRBD")},
        ),
        {"group1": "app01", "group2": "app02"},
        {
            (): ("Learnt from app01.",),
            ("pacemaker", "nodes"): ("From crm_mon.",),
            ("pacemaker", "resources", "group1", "preferred"): ("Highest score.",),
            ("pacemaker", "resources", "group2"): ("Left out.",),
            ("drbd", "r0"): ("Left out: app02, nobody can say which it is.",),
            ("drbd", "r1"): ("Its nodes are not known.",),
        },
    )
    assert as_toml(learnt) == (
        "# Learnt from app01.\n"
        "\n"
        "[pacemaker]\n"
        "# From crm_mon.\n"
        'nodes = ["app01", "app02", "app03"]\n'
        'tie_breakers = ["app03"]\n'
        "\n"
        "[pacemaker.resources.group1]\n"
        'allowed = ["app01", "app02"]\n'
        "# Highest score.\n"
        '# preferred = "app01"\n'
        "\n"
        "# [pacemaker.resources.group2]\n"
        "# Left out.\n"
        '# preferred = "app02"\n'
        "\n"
        "[drbd.r0]\n"
        "# Left out: app02, nobody can say which it is.\n"
        'replicas = ["storage01", "storage02"]\n'
        'clients = ["app01"]\n'
        'runs_with = "FS_DRBD"\n'
        "\n"
        "# [drbd.r1]\n"
        "# Its nodes are not known.\n"
    )
    assert read_config(as_toml(learnt).encode()) == learnt.config


@pytest.mark.parametrize("name", ODD)
def test_any_name_is_read_back_as_it_was(name):
    config = Config(
        nodes=(name, "other"),
        tie_breakers=(name,),
        resources={name: PlacementRule((name,))},
        drbd={name: DrbdRule((name,), None, name)},
    )
    notes = {(): (f"About {name}",), ("drbd", name): (f"Left out: {name}.",)}
    text = as_toml(Learnt(config, {name: name}, notes))
    assert text.isascii()
    assert read_config(text.encode()) == config


def test_many_names_stand_one_a_line():
    names = tuple(f"node-number-{number:02}" for number in range(9))
    text = as_toml(Learnt(Config(nodes=names), {}, {}))
    assert text.splitlines()[2:4] == ["nodes = [", '    "node-number-00",']
    assert max(map(len, text.splitlines())) <= 80
    assert read_config(text.encode()) == Config(nodes=names)


def test_a_long_comment_is_wrapped():
    text = as_toml(Learnt(Config(nodes=("a",)), {}, {(): (" ".join(["word"] * 40),)}))
    assert max(map(len, text.splitlines())) <= 80
    assert text.splitlines()[1].startswith("#   word")


@pytest.mark.parametrize(
    ("name", "written"),
    [("r0", "r0"), ("a-b_C9", "a-b_C9"), ("a.b", '"a.b"'), ("", '""'), ("ä", '"\\u00E4"')],
)
def test_a_key_is_quoted_where_it_must_be(name, written):
    assert key(name) == written


def test_a_lone_surrogate_is_replaced():
    assert quoted("\ud800") == '"\\uFFFD"'
