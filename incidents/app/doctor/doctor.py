"""All checks of `incident doctor`."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from incidents.app.connection import connect
from incidents.app.doctor.checks import SECONDS, Check, Progress, run_checks
from incidents.app.doctor.encryption import encryption_check
from incidents.app.doctor.integrations import IntegrationChecks
from incidents.app.doctor.runbook_check import check_runbook
from incidents.app.doctor.temporal import TemporalChecks
from incidents.app.runbook_file import runbook_source
from incidents.app.settings import Settings
from incidents.domain.doctor.access import check_clock
from incidents.domain.doctor.finding import Finding
from incidents.domain.doctor.runbook import check_runbook_file


@dataclass(frozen=True)
class Diagnosis:
    """What was found. `off`: integrations that are not set, and so were not checked."""

    findings: list[Finding]
    off: list[str]


async def diagnose(
    settings: Settings,
    progress: Progress,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    seconds: float = SECONDS,
) -> Diagnosis:
    """Run all checks. Nothing is changed and nobody is notified.

    Args:
        settings: those of this process. The worker's may differ: run it with the worker's environment.
        progress: shows which checks are still running.
        now: this machine's clock, aware UTC.
        seconds: how long a check may take.
    """
    runbook = check_runbook(runbook_source(settings), settings)
    connecting = asyncio.create_task(connect(settings))
    connecting.add_done_callback(lambda done: done.cancelled() or done.exception())  # each check reports it
    queue, deployment = settings.temporal_task_queue, settings.worker_deployment_name
    temporal = TemporalChecks(connecting, runbook.runbook, queue, deployment)
    integrations = IntegrationChecks(settings, now)
    checks: list[Check] = [
        *temporal.checks(),
        encryption_check(temporal.client, settings.key_ring),
        *integrations.checks(),
    ]
    try:
        findings = await run_checks(checks, progress, seconds)
    finally:
        connecting.cancel()
    about_runbook = check_runbook_file(runbook.faults, runbook.pager, runbook.warnings)
    return Diagnosis([*findings, *about_runbook, check_clock(integrations.clocks)], integrations.off())
