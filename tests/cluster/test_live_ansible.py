"""The Ansible collection on real servers: sshd, pcs, Corosync and Pacemaker."""

from __future__ import annotations

import re
import shutil

import pytest

from cluster import ansible_site, ssh
from cluster.ansible_site import APPLICATION, STORAGE, TOTEM, Run, Site
from cluster.cluster import Cluster, obstacle, until

pytestmark = [pytest.mark.daemon, pytest.mark.root, pytest.mark.slow]

HINDERED = "it would not be pushed now: the cluster has no quorum here"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A site on which nothing has been done yet."""
    bin_folder = ansible_site.ansible()
    reason = obstacle() or ssh.obstacle()
    if reason is None and (bin_folder is None or shutil.which("pcs") is None):
        reason = "ansible-playbook (pip install '.[ansible]') and pcs are needed"
    if reason is not None:
        pytest.skip(reason)
    wheel = ansible_site.build_wheels(tmp_path_factory.mktemp("wheels"))
    cluster = Cluster(APPLICATION, STORAGE)
    ansible_site.dress(cluster)
    with cluster:
        ansible_site.furnish(cluster)
        ansible_site.nrpe(cluster)
        shutil.copytree(wheel.parent, cluster.shared / "wheels")
        site = Site(cluster, ssh.Ssh(cluster), bin_folder)
        site.lay_out(wheel)
        yield site


@pytest.fixture(scope="module")
def first(built: Site) -> dict[str, Run]:
    """What a check run and then the first run did to servers that have nothing."""
    epoch = built.epoch()
    # Nothing is installed yet that could judge the time limits.
    seen = built.case("--check", "--diff", "--limit", "app01,storage01", pacemaker_totem={})
    nothing_yet = (built.epoch(), built.cluster.run("app01", "test", "-e", "/opt/check_mccluster"))
    assert (nothing_yet[0], nothing_yet[1].returncode) == (epoch, 1)
    done = built.case()
    assert done.code == 0, done.text
    built.remember()
    return {"check": seen, "first": done}


@pytest.fixture
def site(built: Site, first) -> Site:
    """The case as it is listed, everything in order."""
    built.reset()
    return built


def changed_only(run: Run, *hosts: str) -> bool:
    """Whether a run succeeded and changed one thing on each of these hosts."""
    return (run.code, run.counts("changed")) == (0, dict.fromkeys(hosts, 1))


def refused(run: Run) -> str:
    """The words with which a run failed."""
    assert run.code == 2, run.text
    return " ".join(re.findall(r'(?:"msg": "|Error: |ERROR\]: )(.*)', run.text))


# First, second


def test_check_mode_on_empty_servers_shows_everything_and_does_nothing(first):
    seen = first["check"]
    assert seen.code == 0, seen.text
    assert re.search(r'(?m)^\+ +<primitive id="FS_DRBD" class="ocf" type="Filesystem"', seen.text)
    assert "it could not be done now: pcs: exit code 1: Error: Agent 'ocf:mccluster" in seen.plain
    assert "+User_Alias MCCLUSTER_USERS = nagios" in seen.text
    assert '+tie_breakers = ["app03"]' in seen.text


def test_first_run_installs_configures_and_starts(first, site: Site):
    # dc-deadtime is the laboratory's own.
    assert "left alone, not listed: property: dc-deadtime" in first["first"].text
    assert len(first["first"].counts("changed")) == 6
    assert site.cluster.where("FS_DRBD", "app03")[0] in ("app01", "app02")
    monitor = site.cib().find(".//primitive[@id='FS_DRBD']/operations/op[@name='monitor']")
    level = monitor.find("instance_attributes/nvpair")
    assert (level.get("name"), level.get("value")) == ("OCF_CHECK_LEVEL", "20")
    for name in APPLICATION:
        totem = site.cluster.demand(name, "corosync-cmapctl", "-g", "runtime.config.totem.token")
        assert totem.split()[-1] == "2650"


def test_resource_agent_runs_with_the_python_of_the_role(site: Site):
    agent = "/usr/lib/ocf/resource.d/mccluster/drbd-no-primary"
    active = site.cluster.where("DRBD_FREE", "app03")[0]
    first_line = site.cluster.demand(active, "head", "-n", "1", agent)
    assert first_line.startswith("#!/opt/check_mccluster/bin/python")


def test_nrpe_answers_the_administrator_with_the_rights_of_sudo(site: Site):
    for node in site.cluster.nodes.values():
        ask = ("/usr/lib/nagios/plugins/check_nrpe", "-H", ssh.address(node), "-t", "30")
        done = site.ssh.administrator(*ask, "-c", "check_mccluster_overview")
        assert (done.returncode, done.stdout[:13]) == (0, "OVERVIEW OK -"), done.stdout


def test_second_run_changes_nothing_anywhere(site: Site):
    epoch = site.epoch()
    again = site.case()
    assert (again.code, again.counts("changed"), len(again.recap)) == (0, {}, 6)
    assert site.epoch() == epoch


def test_verify_passes_and_names_what_is_wrong(site: Site):
    fine = site.play("check_mccluster.cluster.verify")
    assert (fine.code, fine.counts("failed"), len(fine.recap)) == (0, {}, 6)
    site.mesh.break_connection("app01", "storage02")
    broken = site.play("check_mccluster.cluster.verify")
    assert (broken.code, set(broken.counts("failed"))) == (2, {"app01", "storage02"})
    assert "replica storage02 is Connecting" in broken.text


# One difference


def test_one_option_is_shown_then_pushed_once_and_is_no_difference_any_more(site: Site):
    site.edit("datadir: /opt/drbd/mysql", "datadir: /opt/drbd/mariadb")
    epoch = site.epoch()
    seen = site.pacemaker("--check", "--diff")
    removed, added = (re.findall(rf"(?m)^\{sign} .*", seen.text) for sign in ("-", "+"))
    assert (len(removed), len(added)) == (1, 1)
    assert 'value="/opt/drbd/mysql"' in removed[0]
    assert 'value="/opt/drbd/mariadb"' in added[0]
    assert changed_only(seen, "app01")
    assert (site.epoch(), site.option("MYSQL", "datadir")) == (epoch, "/opt/drbd/mysql")

    assert changed_only(site.pacemaker(), "app01")
    assert (site.epoch(), site.option("MYSQL", "datadir")) == (epoch + 1, "/opt/drbd/mariadb")

    assert changed_only(site.pacemaker())
    assert site.epoch() == epoch + 1
    site.wait_for_group()


def test_what_somebody_did_by_hand(site: Site):
    by_hand = (
        ("resource", "update", "MYSQL", "datadir=/srv/elsewhere", "socket=/run/elsewhere"),
        ("resource", "create", "EXTRA", "ocf:pacemaker:Dummy", "--no-default-ops"),
        ("constraint", "location", "EXTRA", "prefers", "app02"),
        ("resource", "op", "delete", "FS_DRBD-monitor-interval-20s"),
        ("resource", "op", "add", "FS_DRBD", "monitor", "interval=90s"),
        ("constraint", "delete", "group1-avoids-app03"),
        ("resource", "group", "add", "group1", "POSTFIX", "--before", "MYSQL"),
        ("property", "set", "symmetric-cluster=true"),
    )
    for command in by_hand:
        site.cluster.demand("app02", "pcs", *command)
    run = site.pacemaker()
    assert changed_only(run, "app01"), run.text
    left = re.search(r"left alone, not listed: (.*)\"", run.text)[1].split(", ")
    assert left == [
        *("property: dc-deadtime", "property: symmetric-cluster"),
        *("constraint location-EXTRA-app02-INFINITY", "resource EXTRA", "resource MYSQL: socket"),
    ]
    cib = site.cib()
    assert site.option("MYSQL", "datadir") == "/opt/drbd/mysql"
    monitors = cib.findall(".//primitive[@id='FS_DRBD']/operations/op[@name='monitor']")
    assert [each.get("interval") for each in monitors] == ["20s"]
    members = [each.get("id") for each in cib.iterfind(".//group/primitive")]
    assert members == ["DRBD_FREE", "FS_DRBD", "MYSQL", "MAILMAN3", "POSTFIX", "DOVECOT"]
    rule = cib.find(".//rsc_location[@id='group1-avoids-app03']")
    assert (rule.get("rsc"), rule.get("node"), rule.get("score")) == (
        "group1",
        "app03",
        "-INFINITY",
    )
    assert changed_only(site.pacemaker())

    purged = site.pacemaker(pacemaker_purge=True)
    assert changed_only(purged, "app01"), purged.text
    cib = site.cib().find("configuration")
    assert cib.find(".//*[@id='EXTRA']") is None
    assert [each.get("id") for each in cib.iterfind(".//constraints/*")] == ["group1-avoids-app03"]
    assert site.option("MYSQL", "socket") is None


def test_switch_of_an_operator_stays_even_when_the_rest_is_removed(site: Site):
    site.cluster.demand("app02", "pcs", "resource", "disable", "DOVECOT")
    run = site.pacemaker("--check", pacemaker_purge=True)
    assert (run.code, "resource DOVECOT: target-role" in run.text) == (0, True), run.text


# Refusals


def test_node_that_is_down_is_told_and_the_others_are_configured(site: Site):
    site.edit("datadir: /opt/drbd/mysql", "datadir: /opt/drbd/mariadb")
    site.cluster.kill("app01")
    site.mesh.gone("app01")
    site.cluster.wait_for_members()
    run = site.pacemaker()
    assert (run.code, run.counts("unreachable"), run.counts("failed")) == (4, {"app01": 1}, {})
    assert run.counts("changed") == {"app02": 1}, run.text
    # Corosync's times have to be the same on all of them.
    run = site.pacemaker(pacemaker_totem={"token": 3000})
    assert "Corosync's time limits are not applied anywhere: app01" in run.plain
    assert set(run.counts("failed")) == {"app02", "app03"}
    assert corosync(site, "app02")[0] == 2650
    site.mesh.back("app01")
    site.cluster.start("app01")
    assert site.option("MYSQL", "datadir", seen_from="app01") == "/opt/drbd/mariadb"


def test_partition_with_quorum_is_configured_and_none_without(site: Site):
    site.edit("datadir: /opt/drbd/mysql", "datadir: /opt/drbd/mariadb")
    site.cluster.cut("app01")
    site.cluster.wait_for_members()
    run = site.pacemaker()
    assert changed_only(run, "app02"), run.text

    site.edit("datadir: /opt/drbd/mariadb", "datadir: /opt/drbd/percona")
    site.cluster.kill("app03")
    until("app02 has lost quorum", lambda: site.cluster.online("app02") == {"app02"})
    options = ("--limit", "app01,app02")
    seen = site.pacemaker("--check", "--diff", *options)
    assert (seen.code, HINDERED in seen.plain) == (0, True), seen.text
    assert 'value="/opt/drbd/percona"' in seen.text
    assert "nothing is pushed: the cluster has no quorum here" in refused(site.pacemaker(*options))
    assert site.option("MYSQL", "datadir", seen_from="app01") == "/opt/drbd/mysql"
    assert site.option("MYSQL", "datadir", seen_from="app02") == "/opt/drbd/mariadb"


def test_maintenance_of_the_cluster_and_of_a_node(site: Site):
    site.edit("datadir: /opt/drbd/mysql", "datadir: /opt/drbd/mariadb")
    site.cluster.demand("app02", "pcs", "property", "set", "maintenance-mode=true")
    words = "nothing is pushed: the cluster is in maintenance"
    assert words in refused(site.pacemaker())
    site.cluster.demand("app02", "pcs", "property", "set", "maintenance-mode=")
    site.cluster.demand("app02", "pcs", "node", "maintenance", "app03")
    assert "nothing is pushed: app03 is in maintenance" in refused(site.pacemaker())
    assert site.option("MYSQL", "datadir") == "/opt/drbd/mysql"
    # Somebody who knows may; and a run that has nothing to push is no reason to fail.
    assert changed_only(site.pacemaker(pacemaker_in_maintenance=True), "app01")
    assert changed_only(site.pacemaker())


def test_somebody_who_was_faster_wins(site: Site):
    site.edit("datadir: /opt/drbd/mysql", "datadir: /opt/drbd/mariadb")
    # While the copy is being changed.
    other = "crm_attribute --type rsc_defaults --name failure-timeout --update 77"
    wrapper = site.cluster.shared / "pcs"
    wrapper.write_text(f'#!/bin/sh\n{other}\nexec /run/tools/pcs "$@"\n')
    wrapper.chmod(0o755)
    site.cluster.demand("app01", "ln", "-sf", "/run/lab/pcs", "/usr/sbin/pcs")
    said = refused(site.pacemaker())
    assert "somebody else has changed the configuration in between: nothing is pushed" in said
    site.cluster.demand("app01", "ln", "-sf", "/run/tools/pcs", "/usr/sbin/pcs")
    assert site.option("MYSQL", "datadir") == "/opt/drbd/mysql"
    assert changed_only(site.pacemaker(), "app01")
    assert 'name="failure-timeout" value="77"' in site.cluster.demand("app03", "cibadmin", "-Q")


def test_agent_that_is_another_cannot_be_changed_silently(site: Site):
    site.edit("agent: ocf:heartbeat:postfix", "agent: ocf:pacemaker:Dummy")
    said = refused(site.pacemaker())
    assert "POSTFIX is ocf:heartbeat:postfix and is listed as ocf:pacemaker:Dummy" in said


# Corosync


def corosync(site: Site, name: str) -> list[int]:
    """Token, consensus, retransmits and retransmit of a Corosync that runs."""
    keys = ("token", "consensus", "token_retransmits_before_loss_const", "token_retransmit")
    said = [
        site.cluster.demand(name, "corosync-cmapctl", "-g", f"runtime.config.totem.{key}")
        for key in keys
    ]
    return [int(each.split()[-1]) for each in said]


def test_corosync_that_would_be_faster_than_drbd_is_refused_everywhere(site: Site):
    before = [corosync(site, name) for name in APPLICATION]
    said = refused(site.pacemaker(pacemaker_totem={"token": 300, "token_coefficient": 0}))
    # The check itself is content with an agent that waits; the role wants both.
    assert "not applied, the new values would not be right: timing OK: Corosync 0.66 s <=" in said
    assert [corosync(site, name) for name in APPLICATION] == before
    assert "token: 2000" in site.cluster.demand("app01", "cat", "/etc/corosync/corosync.conf")


def test_the_times_of_the_case_are_those_that_run_and_a_second_run_leaves_them(site: Site):
    case = {"token": 20000, "token_retransmits_before_loss_const": 10}
    run = site.pacemaker("--diff", pacemaker_totem=case)
    assert (run.code, set(run.counts("changed"))) == (0, set(APPLICATION)), run.text
    assert "+    token: 20000" in run.text
    for name in APPLICATION:
        assert corosync(site, name) == [20650, 24780, 10, 2024]
    assert changed_only(site.pacemaker(pacemaker_totem=case))
    back = site.pacemaker(pacemaker_totem=TOTEM)
    assert (back.code, corosync(site, "app02")) == (0, [2650, 3180, 10, 259])


# What else the role monitoring can


def test_without_sudo_learnt_from_the_node_for_zabbix_icinga_and_prometheus(site: Site):
    variables = {
        "monitoring_access": "haclient",
        "monitoring_agents": ["nrpe", "icinga", "zabbix", "textfile"],
        "monitoring_configuration": "topology",
    }
    site.cluster.demand("app02", "rm", "/etc/check_mccluster/cluster.toml")
    run = site.case("--tags", "monitoring", "--limit", "app02,storage01", **variables)
    assert run.code == 0, run.text
    learnt = site.cluster.demand("app02", "cat", "/etc/check_mccluster/cluster.toml")
    assert 'tie_breakers = ["app03"]' in learnt
    for user in ("nagios", "zabbix", "mccluster"):
        done = site.cluster.run("app02", "/usr/local/bin/check_mccluster", "overview", user=user)
        assert (done.returncode, done.stdout[:11]) == (0, "OVERVIEW OK"), done.stdout
    write = ("crm_attribute", "--name", "x", "--update", "y")
    assert site.cluster.run("app02", *write, user="zabbix").returncode == 4
    cron = site.cluster.demand("app02", "cat", "/etc/cron.d/mccluster-metrics")
    command = cron.rpartition(" mccluster ")[2].strip()
    site.cluster.demand(
        "app02",
        "setpriv",
        "--reuid=mccluster",
        "--regid=mccluster",
        "--init-groups",
        "sh",
        "-c",
        command,
    )
    metrics = site.cluster.demand(
        "app02", "cat", "/var/lib/prometheus/node-exporter/mccluster.prom"
    )
    assert "mccluster_" in metrics
    again = site.case("--tags", "monitoring", "--limit", "app02,storage01", **variables)
    assert (again.code, again.counts("changed")) == (0, {}), again.text
