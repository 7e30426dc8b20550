"""The schedule of the quarterly drill, on a real server."""

from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from temporalio.client import Client, ScheduleActionStartWorkflow
from temporalio.service import RPCError

from incidents.app.composition.schedules import QUARTERLY, ensure_quarterly_drill
from incidents.app.settings import load_settings
from incidents.domain.config.loading import RunbookFile
from incidents.domain.core.time.calendar import Weekday
from incidents.domain.customers.directory import NO_CUSTOMERS
from incidents.domain.drill.config import QuarterlyDrill
from incidents.domain.foresight.scenario import ScenarioError
from tests.support.environment import RUNBOOK
from tests.support.servers.dev_server import DevServer

SCENARIO = "severity: P1\ntitle: It is slow\n"


def quarterly(scenario: str) -> RunbookFile:
    rules = QuarterlyDrill(scenario=scenario, day=Weekday.WED, at=time(14, 30))
    drill = RUNBOOK.drill.replace(participants=("on_call",), quarterly=rules)
    calendar = RUNBOOK.calendar.replace(time_zone="Europe/Berlin")
    return RunbookFile(RUNBOOK.replace(drill=drill, calendar=calendar), NO_CUSTOMERS)


async def ensured(client: Client, file: RunbookFile, folder: Path = Path()) -> str:
    return await ensure_quarterly_drill(client, load_settings(), file, folder)


async def test_it_starts_in_the_second_week_of_each_quarter(whole_server: DevServer) -> None:
    client = await whole_server.client()
    said = await ensured(client, quarterly("01-critical"))
    assert said == "Quarterly drill: 01-critical, Wed of the second week of each quarter, 14:30 Europe/Berlin"
    described = await client.get_schedule_handle(QUARTERLY).describe()
    assert isinstance(described.schedule.action, ScheduleActionStartWorkflow)
    assert described.schedule.action.task_queue == "incidents-drill"
    for at in described.info.next_action_times:
        assert (at.month % 3, at.weekday(), 8 <= at.day <= 14) == (1, Weekday.WED, True)
        assert at.astimezone(UTC).time() in (time(12, 30), time(13, 30))
        assert at > datetime.now(UTC)
    assert len(described.info.next_action_times) > 3


async def test_it_follows_the_runbook_and_goes_with_it(whole_server: DevServer, tmp_path: Path) -> None:
    client = await whole_server.client()
    (tmp_path / "slow.yaml").write_text(SCENARIO, encoding="utf-8")
    await ensured(client, quarterly("01-critical"))
    assert "slow.yaml" in await ensured(client, quarterly("slow.yaml"), tmp_path)
    action = (await client.get_schedule_handle(QUARTERLY).describe()).schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    [start] = await client.data_converter.decode(action.args)
    assert start["script"]["opening"]["title"] == "It is slow"
    assert "off" in await ensured(client, RunbookFile(RUNBOOK, NO_CUSTOMERS))
    with pytest.raises(RPCError, match="not found"):
        await client.get_schedule_handle(QUARTERLY).describe()
    assert "off" in await ensured(client, RunbookFile(RUNBOOK, NO_CUSTOMERS)), "there is nothing to delete"


async def test_a_scenario_that_does_not_exist_is_refused(whole_server: DevServer) -> None:
    with pytest.raises(ScenarioError, match="nope: No such file or directory"):
        await ensured(await whole_server.client(), quarterly("nope"))
