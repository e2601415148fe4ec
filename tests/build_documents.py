"""What the tools print, constructed: texts for the readers, and for rules on what they read.

Every builder gives what a small healthy cluster would print; a test names what differs. A document
that no tool prints (cut off, with a DOCTYPE, of another tool) stands in the test of its reader.
"""

from __future__ import annotations

import json
from typing import Any

# -- crm_mon -----------------------------------------------------------------------------------

NO_CONTROLLER = '<current_dc present="false"/>'
SUMMARY = f'<summary><stack type="corosync"/>{NO_CONTROLLER}<cluster_options/></summary>'
NODES = '<nodes><node name="app01" id="1" online="true"/></nodes>'


def crm_mon_root(*sections: str) -> str:
    """A document of these sections and no others."""
    return f'<crm_mon version="2.1.5">{"".join(sections)}</crm_mon>'


def crm_mon(*sections: str) -> str:
    """A document with a summary and one node, and what a test adds."""
    return crm_mon_root(SUMMARY, NODES, *sections)


def resource(
    attributes: str = "",
    inside: str = "",
    *,
    name: str = "MYSQL",
    role: str = "Started",
    on: str = "",
) -> str:
    """A resource of crm_mon or crm_simulate."""
    where = f'<node name="{on}" id="2" cached="true"/>' if on else ""
    return (
        f'<resource id="{name}" resource_agent="ocf:heartbeat:mysql" role="{role}" {attributes}>'
        f"{where}{inside}</resource>"
    )


def result(*sections: str, code: int = 0, errors: tuple[str, ...] = ()) -> str:
    """A document of ``--output-as=xml``: what it holds, and how it went."""
    told = "".join(f"<error>{error}</error>" for error in errors)
    inside = f"<errors>{told}</errors>" if errors else ""
    status = f'<status code="{code}" message="m">{inside}</status>'
    return f'<pacemaker-result api-version="2.25">{"".join(sections)}{status}</pacemaker-result>'


# -- crm_simulate ------------------------------------------------------------------------------


def online(name: str, is_online: bool = True) -> str:
    """A node of crm_simulate."""
    word = "true" if is_online else "false"
    return (
        f'<node name="{name}" id="1" online="{word}" standby="false" standby_onfail="false"'
        ' maintenance="false" pending="false" unclean="false" shutdown="false" expected_up="true"'
        ' is_dc="false" resources_running="1" type="member"/>'
    )


AFTER_A_LOSS = f"<nodes>{online('app01', False)}{online('app02')}</nodes>"


def simulated(after: str, before: str = "", nodes: str = AFTER_A_LOSS) -> str:
    """The loss of app01: resources before it and after."""
    return result(
        f"<cluster_status>{AFTER_A_LOSS}<resources>{before}</resources></cluster_status>"
        '<modifications><modify_node action="Offline" node="app01"/></modifications>'
        f"<actions/><transition/><revised_cluster_status>{nodes}<resources>{after}</resources>"
        "</revised_cluster_status>"
    )


# -- the CIB -----------------------------------------------------------------------------------


def cib(
    resources: str = "",
    constraints: str = "",
    crm_config: str = "",
    *,
    nodes: str = "",
    defaults: str = "",
    status: str = "",
) -> str:
    """A CIB of these sections."""
    return (
        f'<cib epoch="1"><configuration><crm_config>{crm_config}</crm_config><nodes>{nodes}</nodes>'
        f"<resources>{resources}</resources><constraints>{constraints}</constraints>{defaults}"
        f"</configuration><status>{status}</status></cib>"
    )


def nvpairs(**values: str) -> str:
    """Names and values, however they are wrapped."""
    return "".join(f'<nvpair id="{n}" name="{n}" value="{v}"/>' for n, v in values.items())


def parameters(**values: str) -> str:
    """What an agent is given."""
    return f'<instance_attributes id="i">{nvpairs(**values)}</instance_attributes>'


def meta(**values: str) -> str:
    """Meta attributes."""
    return f'<meta_attributes id="m">{nvpairs(**values)}</meta_attributes>'


def configured(name: str, agent: str, inside: str = "", attributes: str = "") -> str:
    """A primitive of an agent ``class:provider:type`` or ``class:type``."""
    class_, _, rest = agent.partition(":")
    provider, _, type_ = rest.rpartition(":")
    place = f' provider="{provider}"' if provider else ""
    return (
        f'<primitive id="{name}" class="{class_}"{place} type="{type_}" {attributes}>'
        f"{inside}</primitive>"
    )


# -- corosync-quorumtool -----------------------------------------------------------------------


def quorumtool(
    *,
    ring: str = "1.d",
    nodes: str = "2",
    quorate: str = "Yes",
    quorum: str = "2  ",
    flags: str = "Quorate ",
    table: str = "    Nodeid      Votes Name\n         1          1 app01 (local)\n"
    "         2          1 app02\n",
) -> str:
    """Two votes of three."""
    return (
        "Quorum information\n------------------\nDate:             Sun Nov 22 08:54:36 2026\n"
        f"Quorum provider:  corosync_votequorum\nNodes:            {nodes}\n"
        f"Node ID:          1\nRing ID:          {ring}\nQuorate:          {quorate}\n\n"
        "Votequorum information\n----------------------\nExpected votes:   3\n"
        f"Highest expected: 3\nTotal votes:      2\nQuorum:           {quorum}\n"
        f"Flags:            {flags}\n\nMembership information\n----------------------\n{table}"
    )


# -- drbdsetup status --json: one resource with one volume and one peer, in the shape of 9.22 ----


def status_device(**changes: Any) -> dict[str, Any]:
    """A volume here."""
    return {
        "volume": 0,
        "minor": 1000,
        "disk-state": "UpToDate",
        "client": False,
        "quorum": True,
        "size": 524140,
        "read": 10,
        "written": 20,
        "al-writes": 1,
        "bm-writes": 2,
        "upper-pending": 3,
        "lower-pending": 4,
        **changes,
    }


def status_peer_device(**changes: Any) -> dict[str, Any]:
    """A volume there."""
    return {
        "volume": 0,
        "replication-state": "Established",
        "peer-disk-state": "UpToDate",
        "peer-client": False,
        "resync-suspended": "no",
        "received": 5,
        "sent": 6,
        "out-of-sync": 0,
        "pending": 0,
        "unacked": 0,
        "has-sync-details": False,
        "has-online-verify-details": False,
        "percent-in-sync": 100.00,
        **changes,
    }


def status_connection(**changes: Any) -> dict[str, Any]:
    """A peer."""
    return {
        "peer-node-id": 1,
        "name": "storage02",
        "connection-state": "Connected",
        "congested": False,
        "peer-role": "Secondary",
        "ap-in-flight": 7,
        "rs-in-flight": 8,
        "peer_devices": [status_peer_device()],
        **changes,
    }


def status_resource(**changes: Any) -> dict[str, Any]:
    """The resource."""
    return {
        "name": "r0",
        "node-id": 0,
        "role": "Primary",
        "suspended": False,
        "write-ordering": "flush",
        "devices": [status_device()],
        "connections": [status_connection()],
        **changes,
    }


def status(*resources: dict[str, Any], **layout: Any) -> str:
    """The document."""
    return json.dumps(resources, **layout)


# -- drbdsetup show --json: text, because some releases print what is not JSON ---------------------

SHOWN_OPTIONS = (
    '"options": {"quorum": "majority", "on-no-quorum": "io-error", "auto-promote": true},'
)
SHOWN_NET = """"net": {"protocol": "C", "timeout": "60", "ping-timeout": "5", "ping-int": "10",
    "connect-int": "10", "ko-count": "7", "allow-two-primaries": false, "_name": "storage01"},"""


def show(*, options: str = SHOWN_OPTIONS, volume: str = "", connections: str = "") -> bytes:
    """The options of one resource; *volume* and *connections* begin with a comma."""
    return f"""[
    {{
        "resource": "r0",
        {options}
        "_this_host": {{
            "node-id": 2,
            "volumes": [
                {{
                    "volume_nr": 0,
                    "device_minor": 0{volume}
                }}
            ]
        }}{connections}
    }}
]
""".encode()


def show_connection(net: str = SHOWN_NET, volumes: str = '"volumes": [],') -> str:
    """Its connection to storage01."""
    return f""",
        "connections": [
            {{
                "path": {{
                    "_this_host": "ipv4 192.0.2.1:7000",
                    "_remote_host": "ipv4 192.0.2.2:7000"
                }},
                {net}
                {volumes}
                "_peer_node_id": 0
            }}
        ]"""
