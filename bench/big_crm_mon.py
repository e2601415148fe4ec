"""Print a large, constructed crm_mon document: 32 nodes, 5,000 resources, 160,000 operations.

About 45 MB, well formed, shaped as ``crm_mon -r -1 -X`` of Pacemaker 2.1.5 prints it. Every
thousandth resource history carries a fail-count, so that a reader has something to keep.

    python bench/big_crm_mon.py [NODES [RESOURCES]] > big.xml
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

SUMMARY = """\
<crm_mon version="2.1.5">
  <pacemakerd sys_from="pacemakerd" state="running" last_updated="2026-11-22 09:00:00Z"/>
  <summary>
    <stack type="corosync"/>
    <current_dc present="true" version="2.1.5-a3f44794f94" name="node01" id="1" \
with_quorum="true" mixed_version="false"/>
    <last_update time="Sun Nov 22 09:00:00 2026"/>
    <last_change time="Sun Nov 22 08:59:00 2026" user="root" client="cibadmin" origin="node01"/>
    <nodes_configured number="{nodes}"/>
    <resources_configured number="{resources}" disabled="0" blocked="0"/>
    <cluster_options stonith-enabled="false" symmetric-cluster="true" no-quorum-policy="stop" \
maintenance-mode="false" stop-all-resources="false" stonith-timeout-ms="60000" \
priority-fencing-delay-ms="0"/>
  </summary>
"""
NODE = """\
    <node name="node{number:02}" id="{number}" online="true" standby="false" \
standby_onfail="false" maintenance="false" pending="false" unclean="false" health="green" \
feature_set="3.16.1" shutdown="false" expected_up="true" is_dc="{dc}" \
resources_running="{running}" type="member"/>
"""
RESOURCE = """\
    <resource id="rsc{number:04}" resource_agent="ocf:pacemaker:Dummy" role="Started" \
active="true" orphaned="false" blocked="false" managed="true" failed="false" \
failure_ignored="false" nodes_running_on="1">
      <node name="node{node:02}" id="{node}" cached="true"/>
    </resource>
"""
HISTORY = """\
      <resource_history id="rsc{number:04}" orphan="false" migration-threshold="1000000"{failed}>
        <operation_history call="{call}" task="monitor" rc="0" rc_text="ok" interval="10000ms" \
last-rc-change="Sun Nov 22 08:59:30 2026" exec-time="24ms" queue-time="0ms"/>
      </resource_history>
"""
FAILED = ' fail-count="1" last-failure="Sun Nov 22 08:59:30 2026"'


def document(nodes: int, resources: int) -> Iterator[str]:
    """The document in pieces; about 280 bytes per node and resource."""
    yield SUMMARY.format(nodes=nodes, resources=resources)
    yield "  <nodes>\n"
    for number in range(1, nodes + 1):
        dc = "true" if number == 1 else "false"
        yield NODE.format(number=number, dc=dc, running=resources // nodes)
    yield "  </nodes>\n  <resources>\n"
    for number in range(resources):
        yield RESOURCE.format(number=number, node=number % nodes + 1)
    yield "  </resources>\n  <node_history>\n"
    for node in range(1, nodes + 1):
        yield f'    <node name="node{node:02}">\n'
        for number in range(resources):
            failed = FAILED if (number + node) % 1000 == 0 else ""
            yield HISTORY.format(number=number, call=number + 10, failed=failed)
        yield "    </node>\n"
    yield "  </node_history>\n</crm_mon>\n"


def main() -> None:
    """Print the document."""
    nodes = int(sys.argv[1]) if len(sys.argv) > 1 else 32
    resources = int(sys.argv[2]) if len(sys.argv) > 2 else 5000
    sys.stdout.writelines(document(nodes, resources))


if __name__ == "__main__":
    main()
