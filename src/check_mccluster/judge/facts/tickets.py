"""Cluster tickets: what a site may run only while it holds one."""

from __future__ import annotations

from ...inputs.cibadmin import CIB
from ...model.pacemaker import Cluster
from ...values import NamedTuple
from ...verdict.view import View


class WithheldTicket(NamedTuple):
    """A ticket that keeps a resource from being started. :param step: what ends that."""

    ticket: str
    text: str
    step: str


def ticket_reasons(view: View, cluster: Cluster) -> dict[str, WithheldTicket]:
    """Why resources may not be started, by their id: a ticket not granted, or in standby.

    Which resource needs which ticket is in the CIB only.
    """
    cib = view[CIB].value
    if cib is None:
        return {}
    reasons: dict[str, WithheldTicket] = {}
    tickets = {ticket.id: ticket for ticket in cluster.tickets}
    for constraint in cib.tickets:
        ticket = tickets.get(constraint.ticket)
        if constraint.resource is None:
            continue
        if ticket is None or not ticket.granted:
            reasons[constraint.resource] = WithheldTicket(
                constraint.ticket,
                f"ticket {constraint.ticket} is not granted",
                f"once no other site holds it: booth grant {constraint.ticket}; without booth:"
                f" crm_ticket --ticket {constraint.ticket} --grant (it asks for --force)",
            )
        elif ticket.standby:
            reasons[constraint.resource] = WithheldTicket(
                constraint.ticket,
                f"ticket {constraint.ticket} is in standby",
                f"crm_ticket --ticket {constraint.ticket} --activate",
            )
    return reasons
