"""The tools by name, and what a snapshot records of them."""

from __future__ import annotations

from check_mccluster.acquire.record import Plan
from check_mccluster.inputs import (
    cibadmin,
    corosync_cfgtool,
    corosync_cmapctl,
    corosync_quorumtool,
    crm_mon,
    drbdsetup,
)
from check_mccluster.inputs.every import recorded
from check_mccluster.inputs.evidence import DRBD_RESOURCES, DRBD_UTILS

CRM_MON = crm_mon.CLUSTER.tool
CIB = cibadmin.CIB.tool
QUORUMTOOL = corosync_quorumtool.VOTES.tool
CFGTOOL = corosync_cfgtool.LINKS.tool
CMAPCTL = corosync_cmapctl.CMAP.tool
DRBD_STATUS = drbdsetup.DRBD.tool
DRBD_STATUS_AGAIN = drbdsetup.DRBD_AGAIN.tool
DRBD_SHOW = drbdsetup.SHOW.tool
RECORDED = tuple(key.tool for key in recorded())
PLAN = Plan(RECORDED, (DRBD_STATUS_AGAIN,), DRBD_RESOURCES, DRBD_UTILS)
