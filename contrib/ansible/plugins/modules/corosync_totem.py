#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring Corosync's totem section to what is listed, if it is slower than DRBD."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: corosync_totem
short_description: Set Corosync's time limits on this node, if they are longer than DRBD's
version_added: "0.2.0"
description:
  - Changes a copy of C(corosync.conf) with C(pcs --corosync_conf), lets C(check_mccluster timing)
    judge what Corosync's values will be then, and puts the copy in place only if DRBD notices a
    lost node first.
  - Does not reload. Once every node has its file, C(corosync-cfgtool -R) on one of them does.
author:
  - check_mccluster maintainers (@check-mccluster)
attributes:
  check_mode:
    support: full
    description: Does everything, the judgement too, but put the file in place.
  diff_mode:
    support: full
    description: Shows the file before and after.
requirements:
  - pcs 0.10 or later; pcsd is not needed
  - a Corosync that runs, and check_mccluster
options:
  totem:
    description: Keys of the section C(totem) with their values. An empty value removes one.
    type: dict
    required: true
  path:
    description: The configuration file.
    type: path
    default: /etc/corosync/corosync.conf
  program:
    description: Where check_mccluster is.
    type: str
    default: check_mccluster
  backup:
    description: Keep the old file beside the new one.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Let DRBD notice first
  check_mccluster.cluster.corosync_totem:
    totem:
      token: 20000
      token_retransmits_before_loss_const: 10
"""

RETURN = r"""
expected:
  description: What the values of the running Corosync are to be, by their keys.
  returned: success
  type: dict
reload:
  description: Whether Corosync runs with other values than its file says.
  returned: success
  type: bool
differs:
  description: Whether the file is another than is listed, whatever C(changed_when) says.
  returned: success
  type: bool
timing:
  description: What C(check_mccluster timing) says of the new values.
  returned: when something differs
  type: str
"""

import json  # noqa: E402
import shutil  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402
from ansible_collections.check_mccluster.cluster.plugins.module_utils.plan import (  # noqa: E402
    PlanError,
    value,
)
from ansible_collections.check_mccluster.cluster.plugins.module_utils.tools import (  # noqa: E402
    ToolError,
    Tools,
)
from ansible_collections.check_mccluster.cluster.plugins.module_utils.totem import (  # noqa: E402
    RUNTIME,
    expected,
    keys,
    replaced,
    section,
)

RACE = "failover-race"


def judged(tools: Tools, program: str, folder: Path, values: dict[str, str]) -> str:
    """What the timing check says of values that do not run yet.

    :raises ToolError: Corosync would be faster than DRBD, or that is not known.
    """
    snapshot = folder / "snapshot"
    tools.run(program, "snapshot", str(snapshot))
    cmapctl = snapshot / "corosync-cmapctl.txt"
    if not cmapctl.exists():
        raise ToolError("corosync-cmapctl is not installed here: the timing cannot be judged")
    cmapctl.write_text(replaced(cmapctl.read_text(), values))
    command = (program, "timing", "--from", str(snapshot), "--json")
    code, out = tools.run(*command, good=(0, 1, 2, 3))
    try:
        verdict = json.loads(out)
        said = f"{verdict['state']}: {verdict['text']}"
        races = any(each["key"] == RACE for each in verdict["findings"])
        figures = {each["label"]: each["value"] for each in verdict["figures"]}
    except (KeyError, TypeError, ValueError) as error:
        raise ToolError(f"{program} timing: exit code {code}, not a verdict: {out}") from error
    # Without a margin nothing was compared, whatever the verdict is.
    if races or verdict["state"] == "UNKNOWN" or figures.get("margin", 0) <= 0:
        raise ToolError(f"not applied, the new values would not be right: timing {said}")
    judged_token = figures.get("corosync_token")
    if judged_token is None or round(judged_token * 1000) != int(values[f"{RUNTIME}token"]):
        raise ToolError(f"not applied: timing has judged a token of {judged_token} s: {said}")
    return said


def work(module: AnsibleModule, tools: Tools, folder: Path) -> dict[str, Any]:
    """All of it; what the module returns."""
    given = module.params
    path, copy = Path(given["path"]), folder / "corosync.conf"
    wanted = {str(name): value(each) for name, each in given["totem"].items()}
    before = path.read_text()
    _, cmapctl = tools.run("corosync-cmapctl")
    now = section(before)
    changes = [f"{name}={each}" for name, each in wanted.items() if now.get(name, "") != each]
    shutil.copy(path, copy)
    if changes:
        update = ("cluster", "config", "update", "totem", *changes)
        tools.run("pcs", f"--corosync_conf={copy}", *update)
    after = copy.read_text()
    new = section(after)
    other = [name for name, each in wanted.items() if new.get(name, "") != each]
    if other:
        raise PlanError(f"pcs did not set {', '.join(other)}")
    values = expected(new, cmapctl)
    running = keys(cmapctl)
    result: dict[str, Any] = {
        "changed": bool(changes),
        "differs": bool(changes),
        "expected": values,
        "reload": any(running.get(name) != each for name, each in values.items()),
    }
    if not changes:
        return result
    result["timing"] = judged(tools, given["program"], folder, values)
    result["diff"] = {
        "before_header": str(path),
        "after_header": str(path),
        "before": before,
        "after": after,
    }
    if not module.check_mode:
        if given["backup"]:
            result["backup_file"] = module.backup_local(str(path))
        module.atomic_move(str(copy), str(path))
    return result


def main() -> None:
    """Read the arguments, do the work."""
    module = AnsibleModule(
        argument_spec={
            "totem": {"type": "dict", "required": True},
            "path": {"type": "path", "default": "/etc/corosync/corosync.conf"},
            "program": {"type": "str", "default": "check_mccluster"},
            "backup": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    tools = Tools(module)
    try:
        with tools.scratch() as folder:
            result = work(module, tools, folder)
    except (OSError, PlanError, ToolError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
