"""The outlooks of a cluster as several nodes see it, each of them believed about itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Optional

from ..inputs.cibadmin import CIB
from ..inputs.corosync_quorumtool import VOTES
from ..inputs.crm_simulate import SIMULATIONS
from ..model.simulation import Simulations
from ..verdict.view import Judgement
from .facts.votes import tally
from .outlook import Futures
from .partitions import Partition


def together(
    seen: Sequence[Judgement], parts: Sequence[Partition], more: Optional[Simulations] = None
) -> Optional[Futures]:
    """What would become of the services, as the first partition sees it: the quorate one.

    Pacemaker is as its designated controller says, the votes are those of the partition, and DRBD
    is what every node that was asked says of its own.

    :param more: what the scheduler said beside what the nodes recorded of it.
    :returns: ``None`` where nobody knows of Pacemaker.
    """
    if not parts:
        return None
    first = parts[0]
    inside = [one.view for one in first.seen]
    view = inside[0]
    counted = next((each for each in inside if each[VOTES].value is not None), view)
    answers = [*(each[SIMULATIONS].value for each in inside[::-1]), more]
    known = [each for each in answers if each is not None]
    return Futures(
        view,
        first.cluster,
        view[CIB].value,
        reduce(Simulations.beside, known) if known else None,
        others=tuple(one.view for one in seen if one.view is not view),
        count=tally(counted),
    )
