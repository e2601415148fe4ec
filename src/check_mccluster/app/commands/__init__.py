"""What is no check, one module a command. Only the one that is called is imported."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SHORT_HELP: Mapping[str, str] = MappingProxyType(
    {
        "active": "Run a plugin only where its service runs.",
        "checkmk": "Local checks for Checkmk, all from one run.",
        "diff": "What changed between two snapshots.",
        "explain": "What a finding means, and what to do.",
        "metrics": "Metrics for Prometheus (textfile collector).",
        "report": "The cluster as one HTML page, to look at and to send.",
        "snapshot": "Record what the checks read, for --from.",
        "status": "The cluster at a glance, with every finding.",
        "topology": "Print a configuration file learnt from the cluster.",
        "whatif": "What the loss of each node would do.",
        "zabbix": "JSON for Zabbix: low-level discovery, data.",
    }
)
"""What each does, for the list of commands: no module is imported for that."""
