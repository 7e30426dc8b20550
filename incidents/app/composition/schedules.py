"""What Temporal starts by itself: the schedules that a worker creates, or brings up to date."""

from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
)
from temporalio.service import RPCError, RPCStatusCode

from activities.processes import RECORDER
from incidents.app.foresight.scenario_file import check_scenario, find_scenario
from incidents.app.settings import Settings, read_variable
from incidents.client.drills import drill_summary, short_name
from incidents.contracts import DrillInput, RecorderInput, drill_queue
from incidents.domain.config.loading import RunbookFile
from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.probes import Probe, describe_unset
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.drill.config import LATEST_START, QUARTERS, SECOND_WEEK, QuarterlyDrill
from incidents.domain.foresight.drill_script import drill_script
from incidents.priority import LAST_RANK, priority_of
from workflows.baseline_recorder import RecorderWorkflow
from workflows.drill import DrillWorkflow

QUARTERLY = "quarterly-drill"
"""The id of the schedule that starts a drill every quarter, and the beginning of the drills' ids."""


async def ensure_quarterly_drill(client: Client, settings: Settings, file: RunbookFile, folder: Path) -> str:
    """Create, update or delete the schedule of the quarterly drill; return a line for the log.

    `folder`: where the runbook is, beside which the scenario's file may be.

    Raises:
        ScenarioError: the scenario cannot be read, or does not fit the runbook.
    """
    rules, runbook = file.runbook.drill.quarterly, file.runbook
    if rules is None:
        await _delete(client, QUARTERLY)
        return "Quarterly drill: off (`drill.quarterly` in runbook.yaml)"
    await _put(client, QUARTERLY, _quarterly(rules, settings, runbook, folder))
    day, at = rules.day.name.capitalize(), f"{rules.at:%H:%M} {runbook.calendar.time_zone}"
    return f"Quarterly drill: {rules.scenario}, {day} of the second week of each quarter, {at}"


def _quarterly(rules: QuarterlyDrill, settings: Settings, runbook: RunbookConfig, folder: Path) -> Schedule:
    found = find_scenario(rules.scenario, folder)
    check_scenario(found, runbook)
    script = drill_script(found.scenario, short_name(rules.scenario), runbook, QUARTERLY, datetime.now(UTC))
    calendar = ScheduleCalendarSpec(
        month=[ScheduleRange(month) for month in QUARTERS],
        day_of_month=(ScheduleRange(*SECOND_WEEK),),
        day_of_week=(ScheduleRange((rules.day + 1) % 7),),  # Temporal counts from Sunday
        hour=(ScheduleRange(rules.at.hour),),
        minute=(ScheduleRange(rules.at.minute),),
    )
    action = ScheduleActionStartWorkflow(
        DrillWorkflow.run,
        DrillInput(script=script, runbook=runbook),
        id=QUARTERLY,
        task_queue=drill_queue(settings.temporal_task_queue),
        static_summary=drill_summary(script),
        priority=priority_of(LAST_RANK),
    )
    return Schedule(
        action=action,
        spec=ScheduleSpec(calendars=[calendar], time_zone_name=runbook.calendar.time_zone),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=LATEST_START),
    )


async def _put(client: Client, name: str, schedule: Schedule, *, now: bool = False) -> None:
    """Create a schedule, or bring it up to date. `now`: a new one acts at once, too."""
    try:
        await client.create_schedule(name, schedule, trigger_immediately=now)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(name).update(lambda _: ScheduleUpdate(schedule=schedule))


async def _delete(client: Client, name: str) -> None:
    try:
        await client.get_schedule_handle(name).delete()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


async def ensure_recorder(client: Client, settings: Settings, runbook: RunbookConfig) -> str:
    """Create or update the schedule of the latency baseline recorder; return a line for the log."""
    off = lacking(*runbook.probes) if runbook.regions else "runbook.yaml has no regions"
    if off:
        return f"Latency baseline recorder off ({off}): rollbacks may end inconclusive"
    rules = runbook.rollback.recorder
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            RecorderWorkflow.run,
            RecorderInput(regions=runbook.regions, rules=rules, probes=runbook.probes),
            id=RECORDER,
            task_queue=settings.temporal_task_queue,
            static_summary="Latency baseline recorder",
            priority=priority_of(LAST_RANK),
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=rules.every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=rules.every),
    )
    await _put(client, RECORDER, schedule, now=True)
    return f"Latency baseline recorder on: every {in_words(rules.every)}, {rules.probes} probes per region"


def lacking(*probes: Probe) -> str:
    """Say which environment variables the probes name that are not set; "" if there are none."""
    return describe_unset(name for probe in probes for name in probe.variables if not read_variable(name))
