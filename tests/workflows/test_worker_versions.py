"""Workers with versions: an incident stays on the version on which it began, all else moves (docs/upgrading.md)."""

import asyncio
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from incidents.app.composition.workers import deployment_of, make_worker
from incidents.app.doctor.checks import Progress
from incidents.app.doctor.doctor import diagnose
from incidents.app.settings import load_settings
from incidents.app.temporal_settings import SettingsError
from incidents.domain.incident.commands import AddNote
from incidents.domain.numbering import Ledger
from incidents.names import NUMBERS_ID
from tests.support.fake_activities import FakeActivities
from tests.support.servers.dev_server import DevServer
from tests.support.servers.versions import DEPLOYMENT, QUEUE, make_current, open_incident, working
from workflows.incident import IncidentWorkflow
from workflows.numbering import IncidentNumbersWorkflow


async def builds(handle: WorkflowHandle[Any, Any]) -> list[str]:
    """The versions that completed its workflow tasks, in order, each once."""
    completed = [
        event.workflow_task_completed_event_attributes.deployment_version.build_id
        async for event in handle.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    return list(dict.fromkeys(completed))


async def test_an_incident_stays_on_its_version_and_a_new_one_starts_on_the_new(
    whole_server: DevServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await whole_server.client()
    async with working(client, "1", monkeypatch), working(client, "2", monkeypatch):
        await make_current(client, "1")
        old = await open_incident(client, "old")
        counter = await client.start_workflow(IncidentNumbersWorkflow.run, Ledger(), id=NUMBERS_ID, task_queue=QUEUE)
        await old.execute_update(IncidentWorkflow.add_note, AddNote(by="ann", text="before", id="1"))
        await make_current(client, "2")
        new = await open_incident(client, "new")
        for incident in (old, new):
            await incident.execute_update(IncidentWorkflow.add_note, AddNote(by="ann", text="after", id="2"))
        await counter.execute_update("allocate", {"first_run_id": "r", "workflow_id": "incident-new"})
        assert await builds(old) == ["1"]
        assert await builds(new) == ["2"]
        assert (await builds(counter))[-1] == "2", "what runs for ever moves"


def test_versions_are_off_by_default_and_half_of_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORKER_DEPLOYMENT_NAME", "WORKER_BUILD_ID"):
        monkeypatch.delenv(name, raising=False)
    assert deployment_of(load_settings()) is None
    monkeypatch.setenv("WORKER_BUILD_ID", "0.2.0")
    with pytest.raises(SettingsError, match="must set both WORKER_DEPLOYMENT_NAME and WORKER_BUILD_ID, or neither"):
        load_settings()


async def test_the_doctor_says_that_no_version_is_current(
    whole_server: DevServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await whole_server.client()
    monkeypatch.setenv("TEMPORAL_ADDRESS", client.service_client.config.target_host)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", client.namespace)

    async def finding() -> tuple[str, str]:
        found = (await diagnose(load_settings(), Progress())).findings
        return next((each.level, each.what) for each in found if each.check == "worker version")

    async with working(client, "1", monkeypatch):
        async with asyncio.timeout(30):
            while "no current version" not in (await finding())[1]:  # noqa: ASYNC110 - nothing else tells it
                await asyncio.sleep(0.2)
        assert (await finding())[0] == "error"
        await make_current(client, "1")
        assert await finding() == ("ok", f"1 is the current version of {DEPLOYMENT}")


async def test_what_began_without_versions_moves_to_the_first_version(
    whole_server: DevServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await whole_server.client()
    async with make_worker(client, QUEUE, FakeActivities().methods()):
        incident = await open_incident(client, "early")
        await incident.execute_update(IncidentWorkflow.add_note, AddNote(by="ann", text="before", id="1"))
    async with working(client, "1", monkeypatch):
        await make_current(client, "1")
        await incident.execute_update(IncidentWorkflow.add_note, AddNote(by="ann", text="after", id="2"))
        assert await builds(incident) == ["", "1"]
