"""What Temporal starts by itself: the schedules that a worker creates, or brings up to date."""

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
)

from activities.processes import RECORDER
from incidents.app.settings import Settings, read_variable
from incidents.contracts import RecorderInput
from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.probes import Probe, describe_unset
from incidents.domain.core.time.elapsed import in_words
from incidents.priority import LAST_RANK, priority_of
from workflows.baseline_recorder import RecorderWorkflow


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
    try:
        await client.create_schedule(RECORDER, schedule, trigger_immediately=True)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(RECORDER).update(lambda _: ScheduleUpdate(schedule=schedule))
    return f"Latency baseline recorder on: every {in_words(rules.every)}, {rules.probes} probes per region"


def lacking(*probes: Probe) -> str:
    """Say which environment variables the probes name that are not set; "" if there are none."""
    return describe_unset(name for probe in probes for name in probe.variables if not read_variable(name))
