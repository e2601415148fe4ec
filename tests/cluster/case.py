"""The configuration of the case: one group, a tie-breaker, one failure moves the group."""

from __future__ import annotations

from cluster.cluster import Cluster, ClusterError, until
from cluster.mesh import Mesh

GROUP = "group1"
SERVICES = ("MYSQL", "MAILMAN3", "POSTFIX", "DOVECOT")
LAST = SERVICES[-1]
TIE_BREAKER = "app03"
LOG = "var/log/pacemaker/pacemaker.log"
RULE = f"{GROUP}-avoids-{TIE_BREAKER}"

OPERATION = '<op id="{id}-{name}" name="{name}" interval="{interval}" timeout="{timeout}"/>'


def configuration(
    *, agent: bool = True, start_timeout: str = "120s", stop_seconds: int = 0, last: str = ""
) -> str:
    """The ``configuration`` section of the CIB.

    :param agent: whether ``drbd-no-primary`` stands before the Filesystem.
    :param start_timeout: how long it may wait.
    :param stop_seconds: how long MYSQL takes to stop, and with it the demotion behind it.
    :param last: another primitive for the last member.
    """
    members = [
        primitive(
            "FS_DRBD",
            "standin",
            "Filesystem",
            {"device": "/dev/drbd0", "directory": "/opt/drbd", "fstype": "xfs"},
        )
    ]
    if agent:
        free = {"drbd_resource": "r0"}
        members[:0] = [primitive("DRBD_FREE", "mccluster", "drbd-no-primary", free, start_timeout)]
    for name in SERVICES:
        slow = {"seconds": str(stop_seconds)} if name == "MYSQL" and stop_seconds else {}
        members.append(primitive(name, "standin", "Service", slow))
    if last:
        members[-1] = last
    return f"""<configuration>
<crm_config><cluster_property_set id="options">
<nvpair id="options-stonith-enabled" name="stonith-enabled" value="false"/>
<nvpair id="options-dc-deadtime" name="dc-deadtime" value="2s"/>
</cluster_property_set></crm_config>
<nodes><node id="1" uname="app01"/><node id="2" uname="app02"/><node id="3" uname="app03"/></nodes>
<resources><group id="{GROUP}">{"".join(members)}</group></resources>
<constraints>
<rsc_location id="{RULE}" rsc="{GROUP}" node="{TIE_BREAKER}" score="-INFINITY"/>
</constraints>
<rsc_defaults><meta_attributes id="defaults">
<nvpair id="defaults-stickiness" name="resource-stickiness" value="1"/>
<nvpair id="defaults-threshold" name="migration-threshold" value="1"/>
</meta_attributes></rsc_defaults>
</configuration>"""


def primitive(
    name: str, provider: str, agent: str, parameters: dict[str, str], start_timeout: str = "20s"
) -> str:
    """A member of the group, monitored every two seconds."""
    pairs = "".join(
        f'<nvpair id="{name}-{key}" name="{key}" value="{value}"/>'
        for key, value in parameters.items()
    )
    operations = "".join(
        OPERATION.format(id=name, name=operation, interval=interval, timeout=timeout)
        for operation, interval, timeout in (
            ("monitor", "2s", "20s"),
            ("start", "0s", start_timeout),
            ("stop", "0s", "20s"),
        )
    )
    return (
        f'<primitive id="{name}" class="ocf" provider="{provider}" type="{agent}">'
        f'<instance_attributes id="{name}-parameters">{pairs}</instance_attributes>'
        f"<operations>{operations}</operations></primitive>"
    )


class Case:
    """The cluster of the case while it runs: who has the group, and the way back to normal."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.mesh = Mesh(cluster.shared)

    @property
    def active(self) -> str:
        """The node that runs the whole group, as the tie-breaker sees it."""
        nodes = self.cluster.where(LAST, TIE_BREAKER)
        assert len(nodes) == 1, nodes
        return nodes[0]

    @property
    def other(self) -> str:
        """The application server that would have to take over."""
        return next(name for name in self.cluster.nodes if name not in (self.active, TIE_BREAKER))

    def configure(self, xml: str) -> None:
        """Give the cluster a configuration."""
        (self.cluster.shared / "configuration.xml").write_text(xml)
        source = ("--scope", "configuration", "--xml-file", "/run/lab/configuration.xml")
        self.cluster.demand(TIE_BREAKER, "cibadmin", "--replace", *source)

    def reset(self, xml: str = "") -> None:
        """Mend everything that a test may have done, and start anew with a configuration."""
        cluster = self.cluster
        for fault in (cluster.shared / "faults").iterdir():
            fault.unlink()
        self.mesh.reset()
        for node in cluster.nodes.values():
            if node.spaces is None:
                self.mesh.back(node.name)
            else:
                cluster.run(node.name, "sh", "-c", "kill -CONT $(pidof corosync pacemaker-based)")
        cluster.heal()
        cluster.start(*cluster.nodes)
        for node in cluster.nodes.values():
            (node.disk / LOG).write_text("")
        self.configure(xml or configuration())
        cluster.settle(TIE_BREAKER)
        cluster.demand(TIE_BREAKER, "crm_resource", "--cleanup")
        cluster.settle(TIE_BREAKER)
        try:
            until("the group runs", lambda: len(cluster.where(LAST, TIE_BREAKER)) == 1)
        except ClusterError as error:
            raise ClusterError(cluster.run(TIE_BREAKER, "crm_mon", "-1rf").stdout) from error

    def fail(self, resource: str, node: str) -> None:
        """Let a service die."""
        self.cluster.demand(node, "rm", f"/run/resource-agents/{resource}")

    def log(self, node: str) -> str:
        """What has been logged on a node since the test began, agents included."""
        return (self.cluster.nodes[node].disk / LOG).read_text()

    def wait_for_group(self, node: str, seen_from: str = TIE_BREAKER) -> None:
        """Wait until the whole group runs on a node."""
        cluster = self.cluster
        until(f"{node} runs the group", lambda: cluster.where(LAST, seen_from) == [node])
        cluster.settle(seen_from)
