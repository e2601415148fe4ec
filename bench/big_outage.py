"""Write the snapshot of a constructed outage: many services on DRBD, none of which has quorum.

    python bench/big_outage.py FOLDER [SERVICES]

Each service is a Filesystem on a DRBD resource of its own, which ``ocf:linbit:drbd`` promotes; its
start failed on both nodes, and is barred from them. 200 services unless said otherwise.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from big_crm_mon import NODE, SUMMARY
from big_drbd_status import resource

NODES = ("node01", "node02")
WHEN = "2026-11-22 08:59:30Z"
INSTANCE = """\
      <resource id="{id}" resource_agent="{agent}" role="{role}" target_role="Started" \
active="{active}" orphaned="false" blocked="false" managed="true" failed="false" \
failure_ignored="false" nodes_running_on="{count}">{on}</resource>
"""
CLONE = """\
    <clone id="ms{number}" multi_state="true" unique="false" managed="true" disabled="false" \
failed="false" failure_ignored="false" target_role="Started">
{instances}    </clone>
"""
HISTORY = """\
      <resource_history id="fs{number}" orphan="false" migration-threshold="1000000" \
fail-count="INFINITY" last-failure="{when}"><operation_history call="{number}" task="start" rc="1" \
rc_text="error" last-rc-change="{when}" exec-time="24ms" queue-time="0ms"/></resource_history>
"""
FAILURE = """\
    <failure op_key="fs{number}_start_0" node="{node}" exitstatus="error" exitreason="" \
exitcode="1" call="{number}" status="complete" last-rc-change="{when}" queued="0" exec="24" \
interval="0" task="start"/>
"""
PROMOTABLE = """\
<clone id="ms{number}"><meta_attributes id="ms{number}-m"><nvpair id="ms{number}-p" \
name="promotable" value="true"/></meta_attributes><primitive id="drbd{number}" class="ocf" \
provider="linbit" type="drbd"><instance_attributes id="drbd{number}-i"><nvpair \
id="drbd{number}-r" name="drbd_resource" value="r{number}"/></instance_attributes></primitive>
</clone>
"""
FILESYSTEM = """\
<primitive id="fs{number}" class="ocf" provider="heartbeat" type="Filesystem"><instance_attributes \
id="fs{number}-i"><nvpair id="fs{number}-d" name="device" value="/dev/drbd{number}"/><nvpair \
id="fs{number}-e" name="directory" value="/srv/{number}"/></instance_attributes></primitive>
"""
CONSTRAINTS = """\
<rsc_colocation id="c{number}" rsc="fs{number}" with-rsc="ms{number}" with-rsc-role="Promoted" \
score="INFINITY"/><rsc_order id="o{number}" first="ms{number}" first-action="promote" \
then="fs{number}" then-action="start"/>
"""


def instance(name: str, agent: str, node: int = 0) -> str:
    """A resource that runs on one node, or on none."""
    on = f'<node name="{NODES[node - 1]}" id="{node}" cached="true"/>' if node else ""
    role, active = ("Unpromoted", "true") if node else ("Stopped", "false")
    return INSTANCE.format(
        id=name, agent=agent, role=role, active=active, count=len(on) and 1, on=on
    )


def crm_mon(numbers: range) -> Iterator[str]:
    """Pacemaker's view: every promotable clone runs and is promoted nowhere."""
    yield SUMMARY.format(nodes=len(NODES), resources=3 * len(numbers)) + "  <nodes>\n"
    for at, _ in enumerate(NODES, 1):
        yield NODE.format(number=at, dc="true" if at == 1 else "false", running=len(numbers))
    yield "  </nodes>\n  <resources>\n"
    for number in numbers:
        both = "".join(instance(f"drbd{number}", "ocf:linbit:drbd", node) for node in (1, 2))
        yield CLONE.format(number=number, instances=both)
        yield instance(f"fs{number}", "ocf:heartbeat:Filesystem")
    yield "  </resources>\n  <node_history>\n"
    for node in NODES:
        yield f'    <node name="{node}">\n'
        yield from (HISTORY.format(number=number, when=WHEN) for number in numbers)
        yield "    </node>\n"
    yield "  </node_history>\n  <failures>\n"
    for node in NODES:
        yield from (FAILURE.format(number=number, node=node, when=WHEN) for number in numbers)
    yield "  </failures>\n</crm_mon>\n"


def cib(numbers: range) -> Iterator[str]:
    """What is configured."""
    yield '<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">\n'
    yield "<configuration><crm_config/><nodes>"
    yield from (f'<node id="{at}" uname="{name}"/>' for at, name in enumerate(NODES, 1))
    yield "</nodes><resources>\n"
    for number in numbers:
        yield PROMOTABLE.format(number=number) + FILESYSTEM.format(number=number)
    yield "</resources><constraints>\n"
    yield from (CONSTRAINTS.format(number=number) for number in numbers)
    yield "</constraints></configuration><status/></cib>\n"


def cut_off(number: int) -> dict[str, Any]:
    """A DRBD resource whose only peer is not connected, without quorum."""
    seen = resource(number, 1)
    seen.update({"name": f"r{number}", "role": "Secondary"})
    seen["devices"][0].update({"minor": number, "disk-state": "Consistent", "quorum": False})
    (connection,) = seen["connections"]
    connection.update({"name": NODES[1], "connection-state": "Connecting", "peer-role": "Unknown"})
    for device in connection["peer_devices"]:
        device.update({"replication-state": "Off", "peer-disk-state": "DUnknown"})
    return seen


def main() -> None:
    """Write the snapshot of the first node."""
    folder = Path(sys.argv[1])
    numbers = range(1, 1 + (int(sys.argv[2]) if len(sys.argv) > 2 else 200))
    folder.mkdir(parents=True)
    meta = {"node": NODES[0], "time": "2026-11-22T09:00:00Z"}
    (folder / "meta.json").write_text(json.dumps(meta))
    (folder / "crm_mon.xml").write_text("".join(crm_mon(numbers)))
    (folder / "cib.xml").write_text("".join(cib(numbers)))
    (folder / "drbd-status.json").write_text(json.dumps([cut_off(number) for number in numbers]))


if __name__ == "__main__":
    main()
