"""Cluster tickets: what a site may run only while it holds one."""

from __future__ import annotations

from ...inputs.cibadmin import CIB
from ...model.pacemaker import Cluster
from ...verdict.view import View


def ticket_reasons(view: View, cluster: Cluster) -> dict[str, str]:
    """Why resources may not be started, by their id: a ticket not granted, or in standby.

    Which resource needs which ticket is in the CIB only.
    """
    cib = view[CIB].value
    if cib is None:
        return {}
    reasons: dict[str, str] = {}
    tickets = {ticket.id: ticket for ticket in cluster.tickets}
    for constraint in cib.tickets:
        ticket = tickets.get(constraint.ticket)
        if constraint.resource is None:
            continue
        if ticket is None or not ticket.granted:
            reasons[constraint.resource] = f"ticket {constraint.ticket} is not granted"
        elif ticket.standby:
            reasons[constraint.resource] = f"ticket {constraint.ticket} is in standby"
    return reasons
