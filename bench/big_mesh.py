"""Write the snapshots of a large, constructed cluster: every node a replica of every DRBD resource.

    python bench/big_mesh.py FOLDER [NODES [RESOURCES]]

32 nodes and 10 resources unless said otherwise: 4,960 connections, each told by both of its ends.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from big_crm_mon import document
from big_drbd_status import resource


def seen_from(here: int, number: int, nodes: int) -> dict[str, Any]:
    """A resource as *here* sees it: node 1 is Primary, everybody is connected and UpToDate."""
    seen = resource(number, nodes - 1)
    peers = [node for node in range(1, nodes + 1) if node != here]
    seen.update({"node-id": here - 1, "role": "Primary" if here == 1 else "Secondary"})
    for peer, connection in zip(peers, seen["connections"]):
        connection.update({"name": f"node{peer:02}", "peer-node-id": peer - 1})
        connection["peer-role"] = "Primary" if peer == 1 else "Secondary"
        for device in connection["peer_devices"]:
            device.update({"replication-state": "Established", "peer-disk-state": "UpToDate"})
            device.update({"out-of-sync": 0, "has-sync-details": False})
    return seen


def main() -> None:
    """Write a folder for each node."""
    folder = Path(sys.argv[1])
    nodes = int(sys.argv[2]) if len(sys.argv) > 2 else 32
    resources = int(sys.argv[3]) if len(sys.argv) > 3 else 10
    pacemaker = "".join(document(nodes, 100))
    for here in range(1, nodes + 1):
        own = folder / f"node{here:02}"
        own.mkdir(parents=True)
        meta = {"node": own.name, "time": "2026-01-01T00:00:00Z"}
        (own / "meta.json").write_text(json.dumps(meta))
        (own / "crm_mon.xml").write_text(pacemaker)
        drbd = [seen_from(here, number, nodes) for number in range(1, resources + 1)]
        (own / "drbd-status.json").write_text(json.dumps(drbd))


if __name__ == "__main__":
    main()
