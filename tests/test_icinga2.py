"""Icinga 2: the shipped commands, services and dependencies, in the real daemon."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from check_mccluster.app.options import check_options
from check_mccluster.checks import registry
from daemons import ROOT, install_plugin, need, run_as_user, scratch, wait_for
from icinga2_site import COMMANDS, CONTRIB, HOSTS, SERVICES, SNAPSHOTS, start

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


def test_the_files_are_what_the_generator_makes():
    made = subprocess.run(
        [ROOT / "tools/icinga.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (made.returncode, made.stderr) == (0, "")


def test_each_check_is_asked_for_by_the_services():
    tables = re.findall(r"^const MCCluster\w+Checks = \{\n(.*?)^\}", SERVICES, re.S | re.M)
    named = re.findall(r'^\t"([a-z-]+)" +=', "".join(tables), re.MULTILINE)
    assert sorted(named) == sorted(check.name for check in registry.single_checks())


# The daemon


AGENT = """
object Zone "app09" {
	endpoints = [ "app09" ]
	parent = ZoneName
}
object Endpoint "app09" { }
object Host "app09" {
	import "mccluster-node"
	zone = ZoneName
	vars.mccluster_role = "application"
	vars.agent_endpoint = name
}
"""


@pytest.fixture(scope="module")
def place():
    need("icinga2")
    with scratch("icinga2") as folder:
        yield folder


@pytest.mark.daemon
def test_icinga_accepts_what_is_shipped_and_shown(place):
    shown = re.findall(r"```icinga2\n(.*?)```", (ROOT / "docs/icinga2.md").read_text(), re.DOTALL)
    assert len(shown) == 2
    hosts = HOSTS.replace("\n\t//", "\n\t")  # with the cluster's own host
    _, icinga = start(place, "shipped", "\n".join((COMMANDS, SERVICES, hosts, AGENT, *shown)))
    answer = icinga.validate()
    assert (answer.returncode, re.findall(r"(?:warning|critical)/.*", answer.stdout)) == (0, [])
    # 16 services on each application and 6 on each storage server wait for their host; so do the 17
    # of the one with an agent, and 16 of these for the agent.
    assert "Instantiated 83 Dependencies" in answer.stdout


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


# What the services add to the checks

ROLES = {"app01": "application", "storage01": "storage", "plain01": "pacemaker"}


@pytest.fixture(scope="module")
def applied(place):
    """The shipped services on one node of each role, and on one with an agent that is silent."""
    configuration = COMMANDS + SERVICES + AGENT
    for alarms in ("", "node", "cluster"):
        for host, role in ROLES.items():
            configuration += (
                f'object Host "{alarms}{host}" {{\n\timport "mccluster-node"\n'
                f'\tcheck_command = "dummy"\n\tvars.mccluster_role = "{role}"\n'
                + (f'\tvars.mccluster_alarms = "{alarms}"\n' if alarms else "")
                + f'\tvars.mccluster_from = "{place}/applied/now"\n}}\n'
            )
    folder, icinga = start(place, "applied", configuration)
    shutil.copytree(SNAPSHOTS / "storage-servers-lost/app01", folder / "now")
    install_plugin(folder)
    with icinga.daemon():
        wait_for(lambda: icinga.results("service"), "the API")
        yield icinga


def attributes(icinga) -> dict[str, dict]:
    return {each["name"]: each["attrs"] for each in icinga.api("objects/services", {})}


@pytest.mark.daemon
def test_a_node_has_the_services_of_its_role_and_those_notify_that_it_says(applied):
    found = attributes(applied)
    single = {check.name for check in registry.single_checks()}
    drbd = {name for name in single if name.startswith("drbd-")}
    wanted = {
        "app01": single,
        "storage01": drbd,
        "plain01": single - drbd - {"consistency", "timing"},
    }
    for host, checks in wanted.items():
        for alarms, loud in (("", checks), ("node", {"overview"}), ("cluster", set())):
            mine = {
                name.partition("!mccluster-")[2]: each["enable_notifications"]
                for name, each in found.items()
                if each["host_name"] == alarms + host
            }
            assert mine == {name: name in loud for name in (*checks, "overview")}


@pytest.mark.daemon
def test_a_service_tells_what_it_is_and_what_to_do(applied):
    found = attributes(applied)["app01!mccluster-drbd-quorum"]
    assert found["notes"] == "Can data be read and written here, and how much may still fail?"
    assert found["notes_url"] == "file:///usr/share/doc/check-mccluster/checks/drbd-quorum.md"

    results = applied.check("service", 'service.__name == "app01!mccluster-drbd-quorum"')
    first, step = results["app01!mccluster-drbd-quorum"]["output"].rstrip().split("\n")[:2]
    assert first.startswith("DRBD-QUORUM CRITICAL - r0/0: quorum lost on app01")
    assert step.startswith("[CRITICAL] drbd-quorum-lost: r0/0: quorum lost on app01")
    assert " -> on storage02, storage03: drbdadm status r0;" in step


@pytest.mark.daemon
def test_every_page_of_a_service_is_there(applied):
    pages = {each["notes_url"] for each in attributes(applied).values()} - {""}
    names = {page.removeprefix("file:///usr/share/doc/check-mccluster/") for page in pages}
    assert len(names) == len([*registry.single_checks()]) + 1
    assert [name for name in names if not (ROOT / "docs" / name).exists()] == []


@pytest.mark.daemon
def test_an_agent_that_is_silent_is_one_message(applied):
    applied.check("service", 'service.name == "mccluster-agent"')
    unconnected = {"exit_status": 3, "plugin_output": "the agent is not connected"}
    named = {"type": "Service", "filter": 'service.__name == "app09!mccluster-nodes"'}
    applied.api("actions/process-check-result", {**named, **unconnected})
    asked = 'get_service("app09", "{}").{}'
    assert applied.ask(asked.format("mccluster-agent", "state")) != 0
    assert applied.ask(asked.format("mccluster-agent", "last_reachable")) is True
    assert applied.ask(asked.format("mccluster-nodes", "state")) == 3
    assert applied.ask(asked.format("mccluster-nodes", "last_reachable")) is False


# A node that is off, and nobody tells: what Icinga works out by itself

MISSING = BASKET["Command"]["mccluster-missing"]["arguments"]["(answer)"]["value"]["body"]
SEEN = 1000.0
"""When the node was last seen."""


def a_host(name, *services, up=True, node=None, **more):
    return {
        "name": name,
        "state": 0 if up else 1,
        "last_check_result": {"output": ""},
        "last_state_up": SEEN,
        "downtime_depth": 0,
        "acknowledgement": 0,
        "vars": {"mccluster_cluster": "mail", "mccluster_node": node},
        "services": list(services),
        **more,
    }


def a_service(output, **more):
    return {
        "name": "mccluster-drbd-mesh",
        "state": 1,
        "state_type": 1,
        "enable_notifications": True,
        "downtime_depth": 0,
        "check_interval": 60,
        "last_hard_state_change": SEEN + 50,
        "last_check_result": {"output": output, "execution_end": SEEN + 100},
        **more,
    }


LOST = "[WARNING] peer-connecting: r0: replica db2 is Connecting -> on db2: drbdadm status r0\n"
GONE = a_host("db2", up=False)
UNTOLD = ["2", "no answer from db2, and no node tells of it"]
TOLD = ["0", "no answer from db2 (told by db1!mccluster-drbd-mesh)"]
WHO_TELLS = {
    "a-service-that-names-it": ([GONE, a_host("db1", a_service(LOST))], TOLD),
    "the-first-word": (
        [GONE, a_host("db1", a_service("[CRITICAL] node-offline: db2 is offline"))],
        TOLD,
    ),
    "the-last-word": (
        [GONE, a_host("db1", a_service("[CRITICAL] drbd-quorum-lost: r0/0: not db3, db2"))],
        TOLD,
    ),
    "by-its-short-name": (
        [a_host("db2.example.org", up=False), a_host("db1", a_service(LOST))],
        ["0", TOLD[1].replace("db2", "db2.example.org")],
    ),
    "by-the-name-that-the-cluster-has": (
        [a_host("second", up=False, node="db2"), a_host("db1", a_service(LOST))],
        ["0", TOLD[1].replace("db2", "second")],
    ),
    "nobody": ([GONE, a_host("db1", a_service("", state=0))], UNTOLD),
    "all-are-off": (
        [GONE, a_host("db1", a_service(LOST), up=False)],
        ["2", "no answer from db2, db1, and no node tells of it"],
    ),
    "told-before-the-node-was-last-seen": (
        [GONE, a_host("db1", a_service(LOST, last_hard_state_change=SEEN - 1))],
        UNTOLD,
    ),
    "not-yet-told": ([GONE, a_host("db1", a_service(LOST, state_type=0))], UNTOLD),
    "an-old-result": (
        [GONE, a_host("db1", a_service(LOST, check_interval=-1000))],
        UNTOLD,
    ),
    "that-tells-nobody": (
        [GONE, a_host("db1", a_service(LOST, enable_notifications=False))],
        UNTOLD,
    ),
    "in-a-downtime": ([GONE, a_host("db1", a_service(LOST, downtime_depth=1))], UNTOLD),
    "of-itself": ([{**GONE, "services": [a_service(LOST)]}, a_host("db1")], UNTOLD),
    "another-fault-of-it": (
        [GONE, a_host("db1", a_service("[CRITICAL] disk-lost: r0/0: disk lost on db2"))],
        UNTOLD,
    ),
    "what-another-node-tells": (
        [GONE, a_host("db1", a_service("[OK] peer-connecting: told by db3: db2 is Connecting"))],
        UNTOLD,
    ),
    "a-longer-name": ([GONE, a_host("db1", a_service(LOST.replace("db2", "db20")))], UNTOLD),
    "a-name-that-ends-so": (
        [GONE, a_host("db1", a_service(LOST.replace("db2", "my-db2")))],
        UNTOLD,
    ),
    "another-domain": (
        [GONE, a_host("db1", a_service(LOST.replace("db2", "db2.example.org")))],
        UNTOLD,
    ),
    "all-answer": ([a_host("db2"), a_host("db1")], ["0", "2 nodes answer"]),
    "no-host-names-the-cluster": ([], ["3", "no host has mccluster_cluster = mail"]),
    "acknowledged": (
        [{**GONE, "acknowledgement": 1}],
        ["0", "no answer from db2 (in a downtime, or acknowledged)"],
    ),
    "one-told-one-not": (
        [GONE, a_host("db3", up=False), a_host("db1", a_service(LOST))],
        ["2", "no answer from db3, and no node tells of it"],
    ),
}


@pytest.fixture(scope="module")
def answers():
    """What Icinga's own language makes of every case, of one run."""
    need("icinga2")
    of = {"name": "mail", "state": 0, "last_check_result": {"output": ""}, "services": []}
    known = {"of": of, "hosts": [hosts for hosts, _ in WHO_TELLS.values()]}
    code = f"""
        var known = Json.decode({json.dumps(json.dumps(known))})
        var judge = function(host, hosts) {{
            var service = {{ name = "mccluster-missing" }}
            var get_objects = (kind) use(hosts) => hosts
            var get_services = (each) => each.services
            var get_time = () => {SEEN + 130}
            {MISSING}
        }}
        Json.encode(known.hosts.map((hosts) use(known, judge) => judge(known.of, hosts)))
    """
    done = run_as_user(["icinga2", "console", "--eval", code])
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(zip(WHO_TELLS, json.loads(json.loads(done.stdout.strip().splitlines()[-1]))))


@pytest.mark.daemon
@pytest.mark.root
@pytest.mark.parametrize("case", WHO_TELLS)
def test_a_node_that_is_off_is_silent_only_if_another_one_tells_of_it(answers, case):
    assert answers[case] == WHO_TELLS[case][1]
