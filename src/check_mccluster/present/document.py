"""A verdict as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..verdict.finding import Fault, Figure, Finding, State
from ..verdict.view import Judgement
from .text import first_line


def as_json(name: str, judgement: Judgement) -> str:
    """The verdict, findings and figures of a check; the keys are part of the contract."""
    view, report = judgement.view, judgement.report
    state, causes = report.state, {**report.causes, **dict(report.folded)}
    document: dict[str, Any] = {
        "check": name,
        "state": state.name,
        "exit_code": state.value,
        "text": first_line(report),
        "node": view.node,
        "findings": [_finding(each, causes) for each in report.worst_first],
        "faults": [_fault(each, view.here) for each in report.faults],
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
        "faults": [],
        "figures": [],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _finding(each: Finding, causes: Mapping[Finding, Finding]) -> dict[str, Any]:
    cause = causes.get(each)
    return {
        "key": each.key,
        "state": each.state.name,
        "object": each.object,
        "text": each.text,
        "nodes": list(each.nodes),
        "reason": each.reason or None,
        "follows": f"{cause.key} {cause.object}" if cause is not None else None,
        "next_step": each.next_step,
    }


def _fault(fault: Fault, here: str) -> dict[str, Any]:
    """A cause, with what follows from it but without their steps."""
    cause = fault.cause
    return {
        "key": cause.key,
        "object": cause.object,
        "nodes": list(cause.nodes),
        "state": fault.state.name,
        "text": fault.text,
        "reason": cause.reason or None,
        "next_step": cause.next_step,
        "facts": list(fault.facts),
        "seen_from": list(fault.seen_from) or [here],
        "speaker": fault.speaker or here,
        "spoken": fault.spoken,
        "follows": [
            {
                "key": each.key,
                "object": each.object,
                "nodes": list(each.nodes),
                "state": each.state.name,
                "text": each.text,
                "reason": each.reason or None,
            }
            for each in fault.follows
        ],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "label": figure.label,
        "value": figure.value,
        "unit": figure.unit,
        "minimum": figure.minimum,
        "maximum": figure.maximum,
    }
