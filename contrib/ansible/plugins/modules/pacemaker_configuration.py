#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring Pacemaker's configuration to what is listed, with one push at most."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: pacemaker_configuration
short_description: Bring resources, groups, constraints and properties to what is listed
version_added: "0.2.0"
description:
  - Runs C(pcs -f) on a copy of the CIB, compares the copy with what runs (C(crm_diff)), and pushes
    the difference once (C(pcs cluster cib-push diff-against=)), only if there is one.
  - Does not push while the cluster has no quorum or is in maintenance, nor when somebody else has
    changed the configuration in between.
  - What is in the cluster and not listed stays and is returned as RV(unlisted), unless
    O(purge=true).
  - Run it on one node.
author:
  - check_mccluster maintainers (@check-mccluster)
attributes:
  check_mode:
    support: full
    description: Does everything but push; what would hinder that is a warning then.
  diff_mode:
    support: full
    description: Shows the configuration before and after, without what is named like a secret.
requirements:
  - pcs 0.10 or later; pcsd is not needed
  - cibadmin, crm_diff and crm_mon of Pacemaker 2 or later
options:
  properties:
    description: Properties of the cluster. An empty value removes one.
    type: dict
    default: {}
  resource_defaults:
    description: Defaults of all resources' meta attributes.
    type: dict
    default: {}
  operation_defaults:
    description: Defaults of all operations.
    type: dict
    default: {}
  resources:
    description:
      - Resources with C(name), C(agent), and if wanted C(options), C(meta) and C(operations).
      - An operation is its C(action) and its attributes. Operations of a listed action are exactly
        those that are listed.
    type: list
    elements: dict
    default: []
  groups:
    description: Groups with C(name), C(members) in the order of their start, and C(meta).
    type: list
    elements: dict
    default: []
  clones:
    description: Clones with C(name), C(of), C(promotable) and C(meta).
    type: list
    elements: dict
    default: []
  constraints:
    description:
      - Each is one of C(location) with C(resource), C(node), C(score);
        C(order) with C(first), C(then), C(first_action), C(then_action), C(kind), C(symmetrical);
        C(colocation) with C(resource), C(with), C(score), C(role), C(with_role).
      - A C(name) is its id.
    type: list
    elements: dict
    default: []
  purge:
    description:
      - Remove what is not listed, in the whole configuration. Fence devices, bundles, and what an
        operator switched (C(target-role), C(is-managed), C(maintenance)) stay.
    type: bool
    default: false
  in_maintenance:
    description: Push although the cluster or a node is in maintenance.
    type: bool
    default: false
  wait:
    description:
      - Seconds to wait, after a push, until the cluster has nothing left to do, at most 110.
        0 is not at all.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: One group that never runs on the tie-breaker
  check_mccluster.cluster.pacemaker_configuration:
    properties:
      stonith-enabled: false
    resources:
      - name: FS_DRBD
        agent: ocf:heartbeat:Filesystem
        options:
          device: /dev/drbd0
          directory: /opt/drbd
          fstype: xfs
        operations:
          - action: monitor
            interval: 20s
            timeout: 40s
            OCF_CHECK_LEVEL: 20
    groups:
      - name: group1
        members: [FS_DRBD]
    constraints:
      - location:
          resource: group1
          node: app03
          score: -INFINITY
"""

RETURN = r"""
commands:
  description: Arguments of pcs that made the difference, without secrets.
  returned: always
  type: list
  elements: str
unlisted:
  description: What is in the cluster and not listed, and was left alone.
  returned: always
  type: list
  elements: str
hindrances:
  description: Why nothing may be pushed now.
  returned: when something differs
  type: list
  elements: str
"""

import shlex  # noqa: E402
import shutil  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, NamedTuple  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402
from ansible_collections.check_mccluster.cluster.plugins.module_utils.plan import (  # noqa: E402
    Command,
    Plan,
    PlanError,
    Wanted,
    masked,
    shown,
)
from ansible_collections.check_mccluster.cluster.plugins.module_utils.tools import (  # noqa: E402
    ToolError,
    Tools,
    parsed,
    version,
)

ROUNDS = 4
LISTS = ("resources", "groups", "clones", "constraints")
TABLES = ("properties", "resource_defaults", "operation_defaults")


class Built(NamedTuple):
    """A copy of the CIB on which everything has been done."""

    commands: list[Command]
    unlisted: list[str]


def command_copy(module: AnsibleModule, tools: Tools, copy: Path, command: Command) -> None:
    """Run pcs on a copy. In check mode an agent need not be installed yet, which is told."""
    argv = ("pcs", "-f", str(copy), *command)
    try:
        tools.run(*argv)
    except ToolError as error:
        if not module.check_mode or command[:2] != ("resource", "create"):
            raise
        tools.run(*argv, "--force")
        module.warn(f"it could not be done now: {error}")


def build(module: AnsibleModule, tools: Tools, copy: Path, wanted: Wanted) -> Built:
    """Run pcs on a copy until nothing is left to do.

    :raises PlanError: pcs did what it was told, and that was not what is wanted.
    """
    purge = module.params["purge"]
    done: list[Command] = []
    for _ in range(ROUNDS):
        plan = Plan(parsed(copy.read_text()), wanted, purge=purge)
        if not plan.commands:
            return Built(done, plan.unlisted)
        for command in plan.commands:
            command_copy(module, tools, copy, command)
        done += plan.commands
    left = "; ".join(shlex.join(masked(each)) for each in plan.commands)
    raise PlanError(f"pcs does not get there: still to do after {ROUNDS} rounds: {left}")


def push(tools: Tools, original: Path, copy: Path, wanted: Wanted, purge: bool) -> None:
    """Push the difference, unless somebody was faster, and look at what has become of it.

    :raises ToolError: nothing was pushed.
    :raises PlanError: it was pushed, and what runs now is something else.
    """
    before = parsed(original.read_text())
    _, text = tools.run("cibadmin", "--query")
    if version(parsed(text)) != version(before) or shown(parsed(text)) != shown(before):
        raise ToolError(
            "somebody else has changed the configuration in between: nothing is pushed, run again"
        )
    tools.run("pcs", "cluster", "cib-push", str(copy), f"diff-against={original}")
    _, text = tools.run("cibadmin", "--query")
    left = Plan(parsed(text), wanted, purge=purge).commands
    if left:
        missing = "; ".join(shlex.join(masked(each)) for each in left)
        raise PlanError(f"pushed, but somebody else changes it, too; still to do: {missing}")


def work(module: AnsibleModule, tools: Tools, folder: Path) -> dict[str, Any]:
    """All of it; what the module returns."""
    given = module.params
    purge = given["purge"]
    wanted = Wanted(**{name: given[name] for name in (*TABLES, *LISTS)})
    original, copy = folder / "original.xml", folder / "new.xml"
    _, text = tools.run("cibadmin", "--query")
    original.write_text(text)
    shutil.copy(original, copy)
    built = build(module, tools, copy, wanted)
    compare = ("crm_diff", "--no-version", "--original", str(original), "--new", str(copy))
    differs, _ = tools.run(*compare, good=(0, 1))
    result: dict[str, Any] = {
        "changed": bool(differs),
        "commands": [shlex.join(masked(each)) for each in built.commands],
        "unlisted": built.unlisted,
    }
    if not differs:
        return result
    before, after = (shown(parsed(each.read_text())) for each in (original, copy))
    result["diff"] = {
        "before_header": "what runs",
        "after_header": "what is listed",
        "before": before,
        "after": after,
    }
    hindrances = tools.cluster().hindrances
    if given["in_maintenance"]:
        hindrances = [each for each in hindrances if not each.endswith("in maintenance")]
    result["hindrances"] = hindrances
    if module.check_mode:
        for each in hindrances:
            module.warn(f"it would not be pushed now: {each}")
        return result
    if hindrances:
        reasons = "; ".join(hindrances)
        module.fail_json(msg=f"nothing is pushed: {reasons}", **{**result, "changed": False})
    push(tools, original, copy, wanted, purge)
    if given["wait"]:
        # crm_resource polls; our own limit is the longer one.
        seconds = min(given["wait"], 110)
        tools.run("crm_resource", "--wait", f"--timeout={seconds}")
    return result


def main() -> None:
    """Read the arguments, do the work."""
    module = AnsibleModule(
        argument_spec={
            **{name: {"type": "dict", "default": {}} for name in TABLES},
            **{name: {"type": "list", "elements": "dict", "default": []} for name in LISTS},
            "purge": {"type": "bool", "default": False},
            "in_maintenance": {"type": "bool", "default": False},
            "wait": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    tools = Tools(module)
    try:
        with tools.scratch() as folder:
            result = work(module, tools, folder)
    except (PlanError, ToolError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
