"""Cluster tickets: what a site may run only while it holds one."""

from __future__ import annotations

from typing import Optional

from ...inputs.cibadmin import CIB
from ...model.pacemaker import Cluster, Ticket
from ...values import NamedTuple
from ...verdict.view import View
from ...verdict.words import constraint_gone


class WithheldTicket(NamedTuple):
    """A ticket that keeps a resource from being started.

    :param step: what ends that. :param how: what is the matter with the ticket.
    :param freezes: whether what runs already runs on, and is not recovered (loss-policy=freeze).
    """

    ticket: str
    text: str
    step: str
    how: str = ""
    freezes: bool = False


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
            policy = f" (loss-policy={constraint.loss_policy})" if constraint.loss_policy else ""
            how = _how(view, ticket)
            reasons[constraint.resource] = WithheldTicket(
                constraint.ticket,
                f"ticket {constraint.ticket} {how}, {constraint.id} needs it{policy}",
                f"once no other site holds it: booth grant {constraint.ticket}; without booth:"
                f" crm_ticket --ticket {constraint.ticket} --grant (it asks for --force); where it"
                f" is not meant to be needed: {constraint_gone(constraint.id)}",
                how,
                constraint.loss_policy == "freeze",
            )
        elif ticket.standby:
            reasons[constraint.resource] = WithheldTicket(
                constraint.ticket,
                f"ticket {constraint.ticket} is in standby",
                f"crm_ticket --ticket {constraint.ticket} --activate",
            )
    return reasons


def _how(view: View, ticket: Optional[Ticket]) -> str:
    """Never granted, or granted once and revoked: two faults, and two people to ask."""
    if ticket is None or ticket.granted is None:
        return "is not granted"
    if ticket.last_granted is None:
        return "was never granted"
    last = ticket.last_granted.removeprefix(f"{view.time:%Y-%m-%d} ")
    return f"was revoked (granted last {last})"
