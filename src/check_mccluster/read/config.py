"""The configuration file: TOML text to a :class:`~check_mccluster.model.config.Config`."""

from __future__ import annotations

import sys
from typing import Any

from ..model.config import Config, DrbdRule, PlacementRule

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class ConfigError(Exception):
    """The file is not what it should be. One line, naming the key."""


def read_config(data: bytes) -> Config:
    """Parse and check the whole file; an unknown key is an error that names it.

    :raises ConfigError: naming the line of a syntax error, or the key that is wrong.
    """
    try:
        table: dict[str, Any] = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise ConfigError("not UTF-8 text") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"not TOML: {' '.join(str(error).split())}") from None
    _known(table, "", ("pacemaker", "drbd", "severity", "overview", "tools", "cluster"))
    pacemaker = _table(table, "pacemaker")
    _known(pacemaker, "pacemaker", ("nodes", "tie_breakers", "resources"))
    overview = _table(table, "overview")
    _known(overview, "overview", ("skip",))
    cluster = _table(table, "cluster")
    _known(cluster, "cluster", ("name", "hosts", "via"))
    return Config(
        nodes=_names(pacemaker, "pacemaker", "nodes"),
        tie_breakers=_names(pacemaker, "pacemaker", "tie_breakers") or (),
        resources={
            name: _placement(rule, f"pacemaker.resources.{name}")
            for name, rule in _table(pacemaker, "resources", "pacemaker").items()
        },
        drbd={name: _drbd(rule, f"drbd.{name}") for name, rule in _table(table, "drbd").items()},
        severity=_words(table, "severity"),
        overview_skip=_names(overview, "overview", "skip") or (),
        tools=_words(table, "tools"),
        cluster_hosts=_words(cluster, "hosts", "cluster"),
        cluster_via=_names(cluster, "cluster", "via") or (),
        cluster_name=_name(cluster, "cluster", "name"),
    )


def _placement(rule: Any, where: str) -> PlacementRule:
    table = _is_table(rule, where)
    _known(table, where, ("allowed", "preferred"))
    return PlacementRule(_names(table, where, "allowed"), _name(table, where, "preferred"))


def _drbd(rule: Any, where: str) -> DrbdRule:
    table = _is_table(rule, where)
    _known(table, where, ("replicas", "clients", "runs_with"))
    return DrbdRule(
        _names(table, where, "replicas"),
        _names(table, where, "clients"),
        _name(table, where, "runs_with"),
    )


def _known(table: dict[str, Any], where: str, keys: tuple[str, ...]) -> None:
    for key in table:
        if key not in keys:
            path = f"{where}.{key}" if where else key
            raise ConfigError(f"unknown key {path} (known here: {', '.join(keys)})")


def _is_table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where} must be a table")
    return value


def _table(table: dict[str, Any], key: str, where: str = "") -> dict[str, Any]:
    return _is_table(table.get(key, {}), f"{where}.{key}" if where else key)


def _names(table: dict[str, Any], where: str, key: str) -> Any:
    if key not in table:
        return None
    value = table[key]
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise ConfigError(f"{where}.{key} must be a list of names")
    return tuple(value)


def _name(table: dict[str, Any], where: str, key: str) -> Any:
    value = table.get(key)
    if value is not None and (not isinstance(value, str) or not value):
        raise ConfigError(f"{where}.{key} must be a name")
    return value


def _words(table: dict[str, Any], key: str, where: str = "") -> dict[str, str]:
    words = _table(table, key, where)
    path = f"{where}.{key}" if where else key
    for name, value in words.items():
        if not isinstance(value, str):
            raise ConfigError(f"{path}.{name} must be a word in quotes")
    return words
