"""Every command is an update with a validator and a signal, all of its name; and nothing else is an update."""

import inspect
from datetime import timedelta
from typing import Any, assert_type, get_type_hints

import pytest
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from incidents import contracts, names
from incidents.domain.adoption.adoption import AdoptRunbook
from incidents.domain.apply_command import COMMANDS
from incidents.domain.core.command import Command, Receipt
from incidents.domain.incident.commands import Acknowledge, CorrectTime, Reopen, Resolve
from incidents.domain.incident.incident import Incident
from incidents.domain.postmortem.commands import POSTMORTEM_COMMANDS, AssignPostmortem
from tests.support.environment import World
from tests.support.postmortems import process, state
from workflows.incident import IncidentWorkflow
from workflows.numbering import IncidentNumbersWorkflow
from workflows.postmortem import PostmortemWorkflow
from workflows.rollback import RollbackWorkflow

TAKES: dict[type[Any], tuple[type[Command], ...]] = {
    IncidentWorkflow: (*COMMANDS, AdoptRunbook),
    PostmortemWorkflow: (*POSTMORTEM_COMMANDS, CorrectTime),
}
EACH = [
    pytest.param(taker, command, id=f"{taker.__name__}-{command.name}")
    for taker, commands in TAKES.items()
    for command in commands
]
EVENTS: dict[type[Any], set[str]] = {
    IncidentWorkflow: {
        contracts.ALERT_FIRED,
        contracts.ALERT_RESOLVED,
        contracts.MERGE_MESSAGE,
        contracts.SURGE_MESSAGE,
        contracts.WINDOWS_CHANGED,
        contracts.MAIL_BOUNCED,
        contracts.ROLLBACK_MOVED,
        contracts.ROLLBACK_ENDED,
        contracts.COMMAND_REFUSED,
        contracts.POSTMORTEM_PUBLISHED,
        contracts.POSTMORTEM_WAIVED,
    },
    PostmortemWorkflow: {
        contracts.INCIDENT_RESOLVED,
        contracts.INCIDENT_REOPENED,
        contracts.INCIDENT_CANCELLED,
        contracts.INCIDENT_CLOSED,
        contracts.COMMAND_REFUSED,
        contracts.ISSUE_CHANGED,
    },
    RollbackWorkflow: {contracts.PROBED, contracts.JUDGED},
}
QUERIES: dict[type[Any], set[str]] = {
    IncidentWorkflow: {names.INCIDENT_QUERY, names.TIMELINE_QUERY, names.AGENDA_QUERY},
    PostmortemWorkflow: {names.POSTMORTEM_QUERY, names.TIMELINE_QUERY, names.AGENDA_QUERY},
    RollbackWorkflow: {names.ROLLBACK_STEPS_QUERY},
    IncidentNumbersWorkflow: {names.FIND_NUMBER_QUERY},
}


def definition(cls: type[Any]) -> workflow._Definition:
    return workflow._Definition.must_from_class(cls)


class Recorder:
    """What a handler passes its arguments to."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    def _apply_update(self, command: Command) -> Receipt:
        self.seen.append(("update", command))
        return Receipt(message="done")

    def _validate_update(self, command: Command) -> None:
        self.seen.append(("validate", command))

    def _apply_signal(self, kind: type[Command], raw: RawValue) -> None:
        self.seen.append(("signal", kind, raw))


@pytest.mark.parametrize(("taker", "command"), EACH)
def test_each_command_is_an_update_with_its_own_validator(taker: type[Any], command: type[Command]) -> None:
    update = definition(taker).updates[command.name]
    assert update.description == command.help_text
    assert get_type_hints(update.fn) == {"command": command, "return": Receipt}
    assert update.validator is not None
    assert update.validator.__name__ == f"_validate_{update.fn.__name__}"
    assert get_type_hints(update.validator) == {"command": command, "return": type(None)}
    recorder, given = Recorder(), command.model_construct(by="ann")
    assert update.fn(recorder, given) == Receipt(message="done")
    update.validator(recorder, given)
    assert recorder.seen == [("update", given), ("validate", given)]


@pytest.mark.parametrize(("taker", "command"), EACH)
def test_each_command_is_a_signal_of_the_same_name(taker: type[Any], command: type[Command]) -> None:
    signal = definition(taker).signals[command.name]
    assert signal.description == command.help_text
    assert signal.fn.__name__ == f"{definition(taker).updates[command.name].fn.__name__}_signal"
    assert get_type_hints(signal.fn) == {"raw": RawValue, "return": type(None)}, "what does not decode is not dropped"
    recorder, raw = Recorder(), RawValue(Payload())
    signal.fn(recorder, raw)
    assert recorder.seen == [("signal", command, raw)]


@pytest.mark.parametrize("taker", TAKES, ids=lambda taker: taker.__name__)
def test_every_update_is_a_command(taker: type[Any]) -> None:
    assert set(definition(taker).updates) == {command.name for command in TAKES[taker]}


@pytest.mark.parametrize("taker", EVENTS, ids=lambda taker: taker.__name__)
def test_every_signal_is_a_command_or_an_event_of_the_contracts(taker: type[Any]) -> None:
    commands = {command.name for command in TAKES.get(taker, ())}
    assert set(definition(taker).signals) == commands | EVENTS[taker]
    assert not commands & EVENTS[taker]


@pytest.mark.parametrize("asked", QUERIES, ids=lambda asked: asked.__name__)
def test_every_query_is_named_in_the_contracts(asked: type[Any]) -> None:
    assert set(definition(asked).queries) == QUERIES[asked]


@pytest.mark.parametrize(("taker", "command"), EACH)
def test_each_handler_is_written_out(taker: type[Any], command: type[Command]) -> None:
    """An editor jumps to it, and grep finds it: a method of a class, of the command's own name."""
    owners = {base.__name__ for base in inspect.getmro(taker)}
    update, signal = definition(taker).updates[command.name].fn, definition(taker).signals[command.name].fn
    for handler, name in ((update, command.name), (signal, f"{command.name}_signal")):
        owner, _, method = handler.__qualname__.rpartition(".")
        assert owner in owners
        assert method == name


def typed(world: World) -> WorkflowHandle[IncidentWorkflow, Incident]:
    """The incident's handle, by which a call is checked against the workflow."""
    return world.env.client.get_workflow_handle_for(IncidentWorkflow.run, world.handle.id)


async def test_a_typed_update_answers_a_receipt(world: World) -> None:
    await world.open()
    before = (await world.incident()).revision
    receipt = assert_type(
        await typed(world).execute_update(IncidentWorkflow.acknowledge, Acknowledge(by="ann")), Receipt
    )
    assert receipt.changed
    assert before < receipt.revision <= (await world.incident()).revision, "the incident goes on meanwhile"
    assert (await world.incident()).roles.commander == "ann"
    again = await typed(world).execute_update(IncidentWorkflow.acknowledge, Acknowledge(by="bob"))
    assert not again.changed
    assert "ann" in again.message
    await world.settled()


async def test_a_typed_update_that_is_rejected_says_why_and_leaves_no_trace(world: World) -> None:
    await world.open()
    before = (await world.incident()).revision
    with pytest.raises(WorkflowUpdateFailedError) as rejected:
        await typed(world).execute_update(
            IncidentWorkflow.reopen, Reopen(by="ann", reason="x"), rpc_timeout=timedelta(seconds=10)
        )
    assert isinstance(rejected.value.cause, ApplicationError)
    assert (rejected.value.cause.type, rejected.value.cause.non_retryable) == ("CommandRejected", True)
    assert (await world.incident()).revision == before
    events = (await world.handle.fetch_history()).events
    assert not [e for e in events if e.HasField("workflow_execution_update_accepted_event_attributes")]


async def test_the_post_mortem_takes_typed_updates(world: World) -> None:
    await world.open()
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    receipt = await process(world).execute_update(PostmortemWorkflow.assign, AssignPostmortem(by="ann", person="bob"))
    assert assert_type(receipt, Receipt).changed
    assert (await state(world)).owner == "bob"
