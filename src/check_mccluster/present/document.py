"""A verdict as one JSON document."""

from __future__ import annotations

import json
from typing import Any

from ..judge.engine import worst_first
from ..judge.finding import Figure, Finding, Report, State
from ..judge.view import View
from .text import first_line, state_of


def as_json(name: str, report: Report, view: View) -> str:
    """The verdict, findings and figures of a check; the keys are part of the contract."""
    state = state_of(report)
    document: dict[str, Any] = {
        "check": name,
        "state": state.name,
        "exit_code": state.value,
        "text": first_line(report, worst_first(report)),
        "node": view.node,
        "findings": [finding_as_dict(each) for each in worst_first(report)],
        "figures": [_figure(each) for each in report.figures],
    }
    if report.lines:
        document["checks"] = [
            {"check": line.check, "state": line.state.name, "text": line.text}
            for line in report.lines
        ]
    return json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def failure(name: str, text: str) -> str:
    """The document where there was no check at all: a usage error, a bad configuration file."""
    document = {
        "check": name,
        "state": State.UNKNOWN.name,
        "exit_code": State.UNKNOWN.value,
        "text": text,
        "node": None,
        "findings": [],
        "figures": [],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def finding_as_dict(each: Finding) -> dict[str, Any]:
    """A finding for JSON."""
    return {
        "key": each.key,
        "state": each.state.name,
        "object": each.object,
        "text": each.text,
        "nodes": list(each.nodes),
        "follows": each.follows or None,
        "next_step": each.next_step,
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "label": figure.label,
        "value": figure.value,
        "unit": figure.unit,
        "minimum": figure.minimum,
        "maximum": figure.maximum,
    }
