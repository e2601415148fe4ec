"""``fencing``: can a lost node be fenced, where fencing is wanted?"""

from __future__ import annotations

import pytest

from build import (
    cib,
    clone,
    cluster,
    due,
    fence_device,
    fence_event,
    options,
    report,
    run,
    said,
    stopped,
    view,
)
from check_mccluster.model.pacemaker import FenceStatus
from check_mccluster.model.words import Unrecognised

SUCCESS, FAILED, PENDING = FenceStatus.SUCCESS, FenceStatus.FAILED, FenceStatus.PENDING


def figures(devices=0, failed=0):
    return f"fence_devices={devices};;;0 fencing_failed={failed};;0;0"


FENCE_FAILED = (
    "the last fencing of app02 failed at 2026-11-22 09:21:53Z:"
    " Fence agent did not complete within 10s (reboot, asked for by stonith_admin on app01)"
)
CUT = FENCE_FAILED.partition(" by ")[0] + "..."
RECORDED = {
    # A design choice of the case: no fault by itself.
    "six-nodes-healthy/app01": ("OK", "fencing is disabled, 0 fence devices", figures()),
    "app03-pending/app01": ("OK", "fencing is enabled, 1 fence device", figures(1)),
    "fencing-without-device/app01": (
        "CRITICAL",
        "fencing is enabled and no fence device is configured: nothing will be started",
        figures(),
    ),
    "fencing-failed/app01": (
        "CRITICAL",
        CUT,
        figures(2, 1),
        f"[CRITICAL] {FENCE_FAILED}",
    ),
    "nothing-started/app01": ("CRITICAL", "Corosync does not run on this node"),
    "six-nodes-healthy/storage01": (
        "UNKNOWN",
        "crm_mon: not in the snapshot (not installed there?)",
    ),
}


@pytest.mark.parametrize("snapshot", RECORDED)
def test_recorded(call, snapshot):
    assert run(call, "fencing", snapshot) == due("fencing", *RECORDED[snapshot])


def test_require_fencing(call):
    required = run(call, "fencing", "six-nodes-healthy/app01", "--require-fencing")
    assert required == due("fencing", "WARNING", "fencing is disabled", figures())
    enabled = run(call, "fencing", "app03-pending/app01", "--require-fencing")
    assert enabled == due("fencing", *RECORDED["app03-pending/app01"])


def test_severity(call):
    silent = ("--severity", "fencing-failed=warning")
    outcome = run(call, "fencing", "fencing-failed/app01", *silent)
    assert outcome == due("fencing", "WARNING", CUT, figures(2, 1), f"[WARNING] {FENCE_FAILED}")


# -- constructed ---------------------------------------------------------------------------------

ENABLED = options(fencing_enabled=True)


def judge(*resources, known_cib=None, **facts):
    known = cluster(None, resources or (fence_device(),), **{"options": ENABLED, **facts})
    return said(report("fencing", view(known, cib=known_cib)))


ASKED = " (reboot, asked for by client on app01)"
HISTORY = {
    "failed-then-success": (
        [fence_event("app02", SUCCESS), fence_event("app02", FAILED)],
        [],
    ),
    "success-then-failed": (
        [fence_event("app02", FAILED), fence_event("app02", SUCCESS)],
        [
            (
                "fencing-failed",
                "CRITICAL",
                "the last fencing of app02 failed at 2026-11-22 08:59:00Z" + ASKED,
            )
        ],
    ),
    "another-target-succeeded-since": (
        [fence_event("app03", SUCCESS), fence_event("app02", FAILED, completed=None)],
        [("fencing-failed", "CRITICAL", "the last fencing of app02 failed" + ASKED)],
    ),
    "pending": (
        [fence_event("app02", PENDING)],
        [("fencing-pending", "WARNING", "fencing of app02 (reboot) is under way")],
    ),
    "pending-after-a-failure": (
        [fence_event("app02", PENDING, action="off"), fence_event("app02", FAILED)],
        [
            ("fencing-pending", "WARNING", "fencing of app02 (off) is under way"),
            (
                "fencing-failed",
                "CRITICAL",
                "the last fencing of app02 failed at 2026-11-22 08:59:00Z" + ASKED,
            ),
        ],
    ),
    "pending-after-a-success": (
        [fence_event("app02", PENDING, action=None), fence_event("app02", SUCCESS)],
        [("fencing-pending", "WARNING", "fencing of app02 (action unknown) is under way")],
    ),
    "two-failures-of-one-target": (
        [fence_event("app02", FAILED, reason="No route"), fence_event("app02", FAILED)],
        [
            (
                "fencing-failed",
                "CRITICAL",
                "the last fencing of app02 failed at 2026-11-22 08:59:00Z: No route" + ASKED,
            )
        ],
    ),
}


@pytest.mark.parametrize("case", HISTORY)
def test_constructed_history(case):
    events, findings = HISTORY[case]
    assert judge(fence_events=tuple(events)) == findings


def test_constructed_outcome_that_nobody_knows_is_no_failure_of_fencing():
    word = Unrecognised("melted", "fencing of app02")
    event = fence_event("app02", SUCCESS)
    event = event._replace(status=word)
    assert judge(fence_events=(event, fence_event("app02", FAILED))) == []


NO_DEVICE = [
    (
        "fencing-no-device",
        "CRITICAL",
        "fencing is enabled and no fence device is configured: nothing will be started",
    )
]
WATCHDOG = {"have-watchdog": "true", "stonith-watchdog-timeout": "10s"}
DEVICES = {
    "device-stopped": (
        (stopped("fence", agent="stonith:fence_ipmilan"),),
        None,
        [
            (
                "fence-device-down",
                "CRITICAL",
                "no device to fence app01, app02, app03 runs: fence is stopped",
            )
        ],
    ),
    "device-cloned": ((clone(fence_device()),), None, []),
    "device-in-the-cib-only": ((), cib(fence_devices=("fence",)), []),
    "nothing-and-no-cib": ((), None, NO_DEVICE),
    "nothing": ((), cib(), NO_DEVICE),
    "watchdog-only": ((), cib(properties=WATCHDOG), []),
    "watchdog-timeout-by-itself": (
        (),
        cib(properties={**WATCHDOG, "stonith-watchdog-timeout": "-1"}),
        [],
    ),
    "watchdog-timeout-of-nought": (
        (),
        cib(properties={**WATCHDOG, "stonith-watchdog-timeout": "0s"}),
        NO_DEVICE,
    ),
    "watchdog-timeout-without-a-watchdog": (
        (),
        cib(properties={**WATCHDOG, "have-watchdog": "false"}),
        NO_DEVICE,
    ),
}


@pytest.mark.parametrize("case", DEVICES)
def test_constructed_devices(case):
    resources, known_cib, findings = DEVICES[case]
    known = cluster(None, resources, options=ENABLED)
    assert said(report("fencing", view(known, cib=known_cib))) == findings


def test_constructed_fencing_disabled_where_it_is_required():
    evidence = view(cluster())
    assert said(report("fencing", evidence)) == []
    assert said(report("fencing", evidence, values={"require_fencing": True})) == [
        ("fencing-disabled", "WARNING", "fencing is disabled")
    ]


def test_constructed_crm_mon_does_not_say_whether_fencing_is_enabled():
    assert judge(options=options(fencing_enabled=None)) == [
        ("output-invalid", "UNKNOWN", "crm_mon does not say whether fencing is enabled")
    ]


def test_constructed_fencer_that_does_not_answer():
    assert judge(fence_history_status=102) == [
        (
            "tool-failed",
            "UNKNOWN",
            "pacemaker-fenced does not give its history (code 102): it hangs or just started",
        )
    ]
