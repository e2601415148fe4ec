#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Pacemaker says on this node."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: pacemaker_state
short_description: Say whether the cluster has quorum and may be changed
version_added: "0.2.0"
description:
  - Asks Pacemaker on this node and changes nothing.
  - Does not fail where Pacemaker does not run, so that another node can be chosen.
author:
  - check_mccluster maintainers (@check-mccluster)
attributes:
  check_mode:
    support: full
    description: Asks in check mode, too.
requirements:
  - crm_mon of Pacemaker 2 or later
"""

EXAMPLES = r"""
- name: Ask the cluster
  check_mccluster.cluster.pacemaker_state:
  register: state

- name: Stop here without quorum
  ansible.builtin.assert:
    that: state.quorum
"""

RETURN = r"""
connected:
  description: Whether Pacemaker runs here and answered in full.
  returned: always
  type: bool
quorum:
  description: Whether this node's partition has quorum.
  returned: always
  type: bool
maintenance:
  description: What is in maintenance, C(the cluster) or names of nodes.
  returned: always
  type: list
  elements: str
online:
  description: Names of the nodes that are online.
  returned: always
  type: list
  elements: str
offline:
  description: Names of the other nodes.
  returned: always
  type: list
  elements: str
hindrances:
  description: Why nothing may be changed now, as sentences.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule  # noqa: E402
from ansible_collections.check_mccluster.cluster.plugins.module_utils.tools import (  # noqa: E402
    Tools,
)


def main() -> None:
    """Ask, and answer."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    cluster = Tools(module).cluster()
    module.exit_json(
        changed=False,
        connected=cluster.connected,
        quorum=cluster.quorum,
        maintenance=list(cluster.maintenance),
        online=list(cluster.online),
        offline=list(cluster.offline),
        hindrances=cluster.hindrances,
    )


if __name__ == "__main__":
    main()
