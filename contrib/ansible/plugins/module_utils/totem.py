# SPDX-License-Identifier: GPL-3.0-or-later
"""Corosync's time limits: what its configuration says, and what it makes of it when it runs.

corosync.conf(5): with more than two nodes ``token_coefficient`` is added to ``token`` for each
further one; ``consensus`` and ``token_retransmit`` follow from the sum unless they are set.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Optional

COEFFICIENT_MS = 650
RETRANSMITS = 4
RUNTIME = "runtime.config.totem."
NODE = re.compile(r"nodelist\.node\.\d+\.nodeid \(u32\) = \d+")
KEY = re.compile(r"(\S+) \(\w+\) = ?(.*)")


def section(text: str) -> dict[str, str]:
    """Keys of the ``totem`` section of corosync.conf, those of sections inside it left out."""
    found: dict[str, str] = {}
    inside: list[str] = []
    for line in text.splitlines():
        plain = line.strip()
        if plain.startswith("#") or not plain:
            continue
        if plain.endswith("{"):
            inside.append(plain[:-1].strip())
        elif plain == "}":
            inside = inside[:-1]
        elif inside == ["totem"] and ":" in plain:
            key, _, value = plain.partition(":")
            found[key.strip()] = value.strip()
    return found


def keys(cmapctl: str) -> dict[str, str]:
    """What ``corosync-cmapctl`` prints."""
    lines = map(KEY.fullmatch, cmapctl.splitlines())
    return {found[1]: found[2].strip() for found in lines if found}


def expected(totem: Mapping[str, str], cmapctl: str) -> dict[str, str]:
    """What the values of a running Corosync will be under this section, by their keys.

    :param cmapctl: what Corosync says now: the number of nodes, and a token that is not set.
    :raises ValueError: a value is no number, or the output has no token.
    """
    now = keys(cmapctl)
    nodes = sum(1 for _ in NODE.finditer(cmapctl))

    def number(key: str) -> Optional[int]:
        text = totem.get(key)
        if text is None:
            return None
        if not text.isdigit():
            raise ValueError(f"totem.{key} is {text!r}, not a number")
        return int(text)

    coefficient = number("token_coefficient")
    coefficient = COEFFICIENT_MS if coefficient is None else coefficient
    token = number("token")
    if token is not None:
        token += max(nodes - 2, 0) * coefficient
    elif f"{RUNTIME}token" in now:
        token = int(now[f"{RUNTIME}token"])
    else:
        raise ValueError("no token: not the output of a corosync-cmapctl that runs")
    retransmits = number("token_retransmits_before_loss_const") or RETRANSMITS
    consensus, retransmit = number("consensus"), number("token_retransmit")
    values = {
        "token": token,
        "consensus": token * 6 // 5 if consensus is None else consensus,
        "token_retransmit": int(token / (retransmits + 0.2)) if retransmit is None else retransmit,
        "token_retransmits_before_loss_const": retransmits,
    }
    return {f"{RUNTIME}{key}": str(value) for key, value in values.items()}


def replaced(cmapctl: str, values: Mapping[str, str]) -> str:
    """The output of ``corosync-cmapctl`` with other values, for a check to judge."""
    lines = []
    for line in cmapctl.splitlines():
        found = KEY.fullmatch(line)
        if found is not None and found[1] in values:
            lines.append(f"{line.partition('=')[0]}= {values[found[1]]}\n")
        else:
            lines.append(f"{line}\n")
    return "".join(lines)
