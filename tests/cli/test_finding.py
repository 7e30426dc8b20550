"""A command reaches the incident that is meant, and no other one."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecution, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from incidents.client import lookup
from incidents.client.commands import Sent, _queue, send
from incidents.client.lookup import current, describe, find, is_open
from incidents.client.problems import CommandFailed, NotAuthorized, NotFound
from incidents.domain.incident.commands import AddNote, Cancel
from incidents.domain.numbering import Allocated, Allocation, Ledger
from incidents.domain.people.permissions import EVERYONE, Permissions
from incidents.names import NUMBERS_ID
from tests.cli.conftest import Incidental, Opened, Stage, changed, numbered, refused
from workflows.numbering import IncidentNumbersWorkflow

REJECTED = RPCError("unexpected workflow task failure", RPCStatusCode.FAILED_PRECONDITION, b"")


def test_what_has_ended_is_left_alone_though_a_new_incident_has_its_id(stage: Stage, on_stage: Incidental) -> None:
    """The workflow id is the cause's: a number must not reach the next incident of the same cause."""
    first = stage.open("warning", key="same-cause")
    assert "Cancelled: a broken probe" in changed(
        on_stage("cancel", first.number, "--reason", "a broken probe", "--json")
    )
    stage.do(first.handle.result())
    ended = f"INC-{first.number} is closed. Nothing was changed"
    assert ended in refused(on_stage("note", first.number, "hello", "--json"))

    second = stage.open("warning", key="same-cause")
    assert second.id == first.id
    assert second.number != first.number
    assert ended in refused(on_stage("note", first.number, "hello", "--json"))
    assert on_stage("show", first.number, "--json").document["number"] == int(first.number)
    texts = [entry["text"] for entry in on_stage("timeline", first.number, "--json").document]
    assert "Cancelled: a broken probe" in texts
    changed(on_stage("note", second.number, "hello", "--json"))
    changed(on_stage("note", second.id, "by its id", "--json"))
    assert [e.text for e in second.state().timeline if e.text in ("hello", "by its id")] == ["hello", "by its id"]


def test_an_incident_that_is_deleted_after_it_was_found_is_closed(stage: Stage) -> None:
    """Its retention has ended, or an operator deleted it."""
    opened = stage.open("warning")
    execution = Execution(workflow_id=opened.id, run_id=opened.handle.run_id or "")

    async def found_in_time() -> WorkflowExecution:
        found = await find(stage.client, opened.number)
        request = DeleteWorkflowExecutionRequest(namespace=stage.client.namespace, workflow_execution=execution)
        await stage.client.workflow_service.delete_workflow_execution(request)
        with contextlib.suppress(NotFound):
            while await describe(stage.client, opened.id):  # noqa: ASYNC110 - nothing else tells it
                await asyncio.sleep(0.05)
        return found

    found, command = stage.do(found_in_time()), AddNote(by="ann", text="too late")
    for work in (
        send(stage.client, found, command, timedelta(seconds=5), EVERYONE),
        _queue(stage.client, found, command, timedelta(seconds=5)),
    ):
        with pytest.raises(CommandFailed, match=f"^INC-{opened.number} is closed. Nothing was changed"):
            stage.do(work)
    nobody = Permissions(commands={"note": ("sre",)}, groups={"sre": ("bob",)})
    with pytest.raises(NotAuthorized, match="ann is not authorized to note"):
        stage.do(send(stage.client, found, command, timedelta(seconds=5), nobody))


def test_an_incident_that_ends_after_it_was_found_is_not_mistaken_for_the_next_one(stage: Stage) -> None:
    """Between finding and sending the incident may end, and another one may take its id."""
    first = stage.open("warning", key="same-id")

    async def found_in_time() -> WorkflowExecution:
        found = await find(stage.client, first.number)
        assert is_open(found)
        await first.handle.execute_update(Cancel.name, Cancel(by="ann", reason="x"))
        await first.handle.result()
        return found

    found = stage.do(found_in_time())
    second = stage.open("warning", key="same-id")
    command = AddNote(by="ann", text="meant for the first")
    with pytest.raises(CommandFailed, match=f"INC-{first.number} is closed"):
        stage.do(send(stage.client, found, command, timedelta(seconds=5), EVERYONE))
    with pytest.raises(CommandFailed, match=f"INC-{first.number} is closed"):
        stage.do(_queue(stage.client, found, command, timedelta(seconds=5)))
    assert "meant for the first" not in [entry.text for entry in second.state().timeline]


def test_a_number_that_visibility_does_not_know_yet_is_found_at_the_counter(stage: Stage, on_stage: Incidental) -> None:
    hidden = stage.begin("warning")
    first_run_id = hidden.state().first_run_id

    async def count() -> None:
        client = stage.client
        queue = "incidents"
        counter = await client.start_workflow(
            IncidentNumbersWorkflow.run, Ledger(last=9000), id=NUMBERS_ID, task_queue=queue
        )
        for key in (first_run_id, "a-run-that-has-gone"):
            request = Allocation(first_run_id=key, workflow_id=hidden.id)
            await counter.execute_update("allocate", request, result_type=Allocated)

    stage.do(count())
    try:
        assert on_stage("show", "9001", "--json").document["workflow_id"] == hidden.id
        assert "INC-9002 not found" in refused(on_stage("show", "9002")), "its run is not the one that has the id now"
    finally:
        stage.do(stage.client.get_workflow_handle(NUMBERS_ID).terminate())


def test_a_command_follows_the_incident_into_its_next_run(stage: Stage, on_stage: Incidental) -> None:
    """The run that was found continues as new before the command is sent: it is the same incident still."""
    opened = stage.begin("warning", history_limit=150)
    number = numbered(opened)

    async def across_the_seam() -> tuple[WorkflowExecution, WorkflowExecution, Sent]:
        found = await find(stage.client, number)
        texts = (f"note {count}" for count in range(1000))
        while (later := await current(stage.client, found)).run_id == found.run_id:
            await send(stage.client, later, AddNote(by="ann", text=next(texts)), timedelta(seconds=20), EVERYONE)
        return (
            found,
            later,
            await send(stage.client, found, AddNote(by="ann", text="after"), timedelta(seconds=20), EVERYONE),
        )

    found, later, sent = stage.do(across_the_seam())
    assert is_open(found)
    assert (sent.message, sent.changed, sent.queued) == ("after", True, False)
    shown = on_stage("show", number, "--json").document
    assert shown["first_run_id"] == found.run_id != later.run_id
    assert [entry["text"] for entry in shown["timeline"]].count("after") == 1


def test_a_command_whose_task_was_rejected_is_sent_again(
    stage: Stage, on_stage: Incidental, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the incident could not continue as new, because something else arrived: it is not queued, but applied."""
    opened = stage.begin("warning")
    number, sending, answers = numbered(opened), WorkflowHandle.execute_update, iter((REJECTED, REJECTED))

    async def rejected_twice(handle: WorkflowHandle[Any, Any], *words: Any, **named: Any) -> Any:
        if error := next(answers, None):
            raise error
        return await sending(handle, *words, **named)

    monkeypatch.setattr(WorkflowHandle, "execute_update", rejected_twice)
    monkeypatch.setattr("incidents.client.commands._SEAM_PAUSE", 0)

    async def tell() -> Sent:
        found = await find(stage.client, number)
        return await send(stage.client, found, AddNote(by="ann", text="again"), timedelta(seconds=20), EVERYONE)

    sent = stage.do(tell())
    assert (sent.message, sent.changed, sent.queued) == ("again", True, False)
    shown = on_stage("show", number, "--json").document
    assert [entry["text"] for entry in shown["timeline"]].count("again") == 1


def test_a_signal_follows_the_incident_into_its_next_run(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It continues as new between the look at its current run and the signal to that run, which is "not found"."""
    opened = stage.open("warning", history_limit=150)
    found = stage.do(find(stage.client, opened.number))

    async def continued() -> None:
        texts = (f"note {count}" for count in range(1000))
        while (later := await current(stage.client, found)).run_id == found.run_id:
            await send(stage.client, later, AddNote(by="ann", text=next(texts)), timedelta(seconds=20), EVERYONE)

    stage.do(continued())
    answers = [found]  # as it was described before

    async def stale(client: Client, run: WorkflowExecution) -> WorkflowExecution:
        return answers.pop() if answers else await current(client, run)

    monkeypatch.setattr("incidents.client.commands.current", stale)
    sent = stage.do(_queue(stage.client, found, AddNote(by="ann", text="queued"), timedelta(seconds=20)))
    assert sent.queued
    assert answers == []
    latest = stage.client.get_workflow_handle(opened.id)
    Opened(stage, latest).until(lambda incident: "queued" in [entry.text for entry in incident.timeline])


def test_who_is_not_there(on_stage: Incidental, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    async def counted(client: Client, number: int) -> WorkflowExecution | None:
        asked.append(number)
        return await by_visibility(client, number)

    by_visibility = lookup._by_visibility
    monkeypatch.setattr(lookup, "_by_visibility", counted)
    assert "INC-424242 not found" in refused(on_stage("show", "424242"))
    assert len(asked) > 1, "visibility may be late, but not for ever"
    for words in (("show",), ("ack",), ("timeline",), ("watch",), ("postmortem", "show")):
        assert "incident-nothing not found" in refused(on_stage(*words, "incident-nothing"))


def test_a_workflow_that_is_no_incident(stage: Stage, on_stage: Incidental) -> None:
    other = stage.do(
        stage.client.start_workflow(IncidentNumbersWorkflow.run, Ledger(), id="other", task_queue="incidents")
    )
    for words in (("show", "other"), ("note", "other", "x"), ("timeline", "other", "--follow")):
        assert "other is not an incident but a IncidentNumbersWorkflow" in refused(on_stage(*words))
    stage.do(other.terminate())
