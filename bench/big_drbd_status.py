"""Print a big ``drbdsetup status --json``: 2000 resources with 6 peers each, in the shape of 9.34.

Usage: python bench/big_drbd_status.py [RESOURCES [PEERS]] > drbd-status.json
"""

from __future__ import annotations

import json
import sys
from typing import Any


def peer_device(syncing: bool) -> dict[str, Any]:
    """A volume on a peer; of every fiftieth resource it is being resynchronised."""
    details: dict[str, Any] = {
        "rs-total": 1048576,
        "rs-dt-start-ms": 60000,
        "rs-paused-ms": 0,
        "rs-dt0-ms": 3000,
        "rs-db0-sectors": 24576,
        "rs-dt1-ms": 3000,
        "rs-db1-sectors": 24576,
        "rs-failed": 0,
        "rs-same-csum": 0,
        "want": 100.0,
        "db0/dt0 [MiB/s]": 4.0,
        "db1/dt1 [MiB/s]": 4.0,
        "estimated-seconds-to-finish": 64,
        "db/dt [MiB/s]": 4.0,
        "percent-resync-done": 50.0,
    }
    return {
        "volume": 0,
        "replication-state": "SyncSource" if syncing else "Established",
        "peer-disk-state": "Inconsistent" if syncing else "UpToDate",
        "peer-client": False,
        "resync-suspended": "no",
        "received": 123456,
        "sent": 654321,
        "out-of-sync": 262144 if syncing else 0,
        "pending": 0,
        "unacked": 0,
        "has-sync-details": syncing,
        "has-online-verify-details": False,
        "percent-in-sync": 50.0 if syncing else 100.0,
        **(details if syncing else {}),
    }


def host(address: str, port: int) -> dict[str, Any]:
    """One end of a path."""
    return {"address": address, "port": port, "family": "ipv4"}


def resource(number: int, peers: int) -> dict[str, Any]:
    """A resource with one volume, connected to all its peers."""
    return {
        "name": f"vm-{number:05d}",
        "node-id": 0,
        "role": "Primary" if number % 3 == 0 else "Secondary",
        "suspended": False,
        "suspended-user": False,
        "suspended-no-data": False,
        "suspended-fencing": False,
        "suspended-quorum": False,
        "force-io-failures": False,
        "write-ordering": "flush",
        "devices": [
            {
                "volume": 0,
                "minor": 1000 + number,
                "disk-state": "UpToDate",
                "client": False,
                "open": True,
                "quorum": True,
                "size": 524288,
                "read": 1032114,
                "written": 572287,
                "al-writes": 3,
                "bm-writes": 166,
                "upper-pending": 0,
                "lower-pending": 0,
            }
        ],
        "connections": [
            {
                "peer-node-id": peer,
                "name": f"storage{peer:02d}",
                "connection-state": "Connected",
                "congested": False,
                "peer-role": "Secondary",
                "tls": False,
                "ap-in-flight": 0,
                "rs-in-flight": 0,
                "paths": [
                    {
                        "this_host": host("192.0.2.1", 7000 + number),
                        "remote_host": host(f"192.0.2.{peer + 1}", 7000 + number),
                        "established": True,
                    }
                ],
                "peer_devices": [peer_device(syncing=number % 50 == 0 and peer == 1)],
            }
            for peer in range(1, peers + 1)
        ],
    }


def main() -> None:
    """Write the document to standard output."""
    resources = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    peers = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    json.dump([resource(number, peers) for number in range(resources)], sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
