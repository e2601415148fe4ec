"""``active`` with a real plugin and a real daemon: Dovecot, which the group starts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cluster.case import GROUP, TIE_BREAKER, Case, configuration, primitive
from cluster.cluster import MEMBER, until
from cluster.verdicts import headline, program

pytestmark = [pytest.mark.daemon, pytest.mark.root, pytest.mark.slow]

DAEMON = Path("/usr/sbin/dovecot")
PLUGIN = Path("/usr/lib/nagios/plugins/check_imap")
GREETING = re.compile(r"^IMAP OK - [0-9.]+ second response time .*Dovecot.*")
DOVECOT = """\
protocols = imap
listen = 127.0.0.1
ssl = no
log_path = /var/log/dovecot.log
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=dovecot gid=dovecot home=/run
}
"""


@pytest.fixture
def mail(running: Case) -> Case:
    """The case with a real Dovecot in its group."""
    for needed, package in ((DAEMON, "dovecot-imapd"), (PLUGIN, "monitoring-plugins-basic")):
        if not needed.exists():
            pytest.skip(f"{needed} is not installed (Debian package {package})")
    for node in running.cluster.nodes.values():
        (node.disk / "etc/dovecot/dovecot.conf").write_text(DOVECOT)
    running.reset(configuration(last=primitive("DOVECOT", "heartbeat", "dovecot", {})))
    return running


def ask(case: Case) -> dict[str, tuple[int, str]]:
    """What ``active`` says on every node that is on, as a user of haclient."""
    command = program("active", GROUP, "--", str(PLUGIN), "-H", "127.0.0.1")
    answers = {}
    for node in case.cluster.nodes.values():
        if node.spaces is not None:
            done = case.cluster.run(node.name, *command, user=MEMBER)
            assert done.stderr == ""
            answers[node.name] = (done.returncode, GREETING.sub("IMAP OK", headline(done)))
    return answers


def test_active_before_during_and_after_a_failover(mail: Case):
    cluster, first, heir = mail.cluster, mail.active, mail.other
    answered = (0, "IMAP OK")
    standby = (0, f"OK - standby: {GROUP} runs on {first}")
    assert ask(mail) == {first: answered, heir: standby, TIE_BREAKER: standby}

    cluster.kill(first)
    until("the heir waits", lambda: f"waiting: {first} is Primary of r0" in mail.log(heir))
    nowhere = (2, f"CRITICAL - {GROUP} runs nowhere: DRBD_FREE is starting on {heir}")
    assert ask(mail) == {heir: nowhere, TIE_BREAKER: nowhere}

    mail.mesh.gone(first)
    mail.wait_for_group(heir)
    standby = (0, f"OK - standby: {GROUP} runs on {heir}")
    assert ask(mail) == {heir: answered, TIE_BREAKER: standby}

    mail.mesh.back(first)
    cluster.start(first)
    assert ask(mail) == {heir: answered, TIE_BREAKER: standby, first: standby}
