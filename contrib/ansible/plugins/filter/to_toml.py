# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of texts, numbers, booleans and lists as TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Callable

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: to_toml
short_description: Write a dictionary as TOML
version_added: "0.2.0"
author: check_mccluster maintainers (@check-mccluster)
description:
  - Writes texts, numbers, booleans, lists of these and tables of tables, which is all that
    check_mccluster's configuration file has.
options:
  _input:
    description: A dictionary.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the file
  ansible.builtin.debug:
    msg: "{{ {'pacemaker': {'nodes': ['app01', 'app02']}} | check_mccluster.cluster.to_toml }}"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""

BARE = re.compile(r"[A-Za-z0-9_-]+")


def to_toml(table: Any) -> str:
    """The text of a file.

    :raises AnsibleFilterError: something that the file cannot hold.
    """
    if not isinstance(table, Mapping):
        raise AnsibleFilterError(f"to_toml: a dictionary is needed, not {table!r}")
    return "\n".join(_table(table, ()))


def _table(table: Mapping[str, Any], place: tuple[str, ...]) -> Iterator[str]:
    values = {name: each for name, each in table.items() if not isinstance(each, Mapping)}
    if values:
        heading = f"[{'.'.join(map(_key, place))}]\n" if place else ""
        lines = (f"{_key(name)} = {_value(each, name)}\n" for name, each in values.items())
        yield heading + "".join(lines)
    for name, each in table.items():
        if isinstance(each, Mapping):
            yield from _table(each, (*place, name))


def _key(name: Any) -> str:
    text = str(name)
    return text if BARE.fullmatch(text) else json.dumps(text)


def _value(value: Any, name: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        # TOML's basic strings have JSON's escapes, but for DEL.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(each, name) for each in value)}]"
    raise AnsibleFilterError(f"to_toml: {name} is {value!r}, which the file cannot hold")


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[[Any], str]]:
        """The filters of this file."""
        return {"to_toml": to_toml}
