"""108: an error in this program fails what it concerns, is told with the remedy; the other obligations go on."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from incidents.contracts import AlertBatch, Waived
from incidents.domain import agenda
from incidents.domain import apply_event as facts
from incidents.domain import apply_result as outcomes
from incidents.domain.apply_result import agenda_broke
from incidents.domain.incident.commands import AddNote, PostUpdate, Resolve
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import ObligationKind
from incidents.domain.postmortem.obligations.obligation import PostmortemObligationKind
from incidents.domain.registry import OWED
from incidents.domain.rollback.commands import ApproveRollback
from incidents.domain.rollback.state import RollbackStatus
from incidents.domain.updates import obligations as updates
from tests.support.environment import World, an_alert
from tests.support.fake_activities import an_offer
from tests.support.incidents import opened
from tests.support.postmortems import process
from tests.support.postmortems import state as postmortem_of
from workflows import incident as incident_module
from workflows import postmortem as postmortem_module
from workflows import rollback as rollback_module


@pytest.fixture
def boom(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Breaks a function of a workflow's module whenever `when` says so."""

    def break_it(module: Any, name: str, when: Any) -> None:
        good = getattr(module, name)

        def broken(*words: Any, **more: Any) -> Any:
            if when(*words):
                raise OverflowError("date value out of range")
            return good(*words, **more)

        monkeypatch.setattr(module, name, broken)

    return break_it


async def assert_no_task_failed(world: World) -> None:
    history = await world.handle.fetch_history()
    assert [e for e in history.events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED] == []


def told_operators(world: World) -> list[str]:
    return [mail.text for _, mail in world.sent("send_mail", "/fault/")]


async def test_an_obligation_whose_request_cannot_be_built_fails_alone(world: World, boom: Any) -> None:
    boom(incident_module, "request", lambda obligation, *_: obligation.kind is ObligationKind.WAR_ROOM)
    await world.open()
    incident = await world.incident()
    assert [failure.key for failure in incident.ledger.failures] == ["war-room"]
    [said] = [text for text in await world.said() if text.startswith("Failed: Open the war room")]
    assert "OverflowError: date value out of range" in said
    assert "`incident step 1 war-room`" in said
    assert len(world.sent("send_page", "/page/")) == 1
    [mail] = told_operators(world)
    assert "OverflowError" in mail
    assert "incident step 1" in mail
    notices = [message.text for _, message in world.sent("post_message", "/notice/")]
    assert any("Failed: Open the war room" in text for text in notices), "responders read it in the channel"
    await world.at(31)
    assert (await world.incident()).updates.published[-1].sequence > 1, "the cadence goes on"
    await assert_no_task_failed(world)


async def test_an_error_while_a_result_is_applied_fails_that_obligation(world: World, boom: Any) -> None:
    boom(outcomes, "_done", lambda incident, obligation, *_: obligation.kind is ObligationKind.CHANNEL)
    await world.open()
    incident = await world.incident()
    assert [failure.key for failure in incident.ledger.failures] == ["channel"]
    assert len(world.sent("send_page", "/page/")) == 1
    assert len(told_operators(world)) == 1
    await assert_no_task_failed(world)


async def test_an_error_in_an_update_that_is_due_leaves_a_way_on(world: World, boom: Any) -> None:
    boom(updates, "publish_due", lambda incident, *_: len(incident.updates.published) == 1)
    await world.open()
    await world.at(40)
    incident = await world.incident()
    assert [failure.key for failure in incident.ledger.failures] == ["update/2"]
    await world.tell(PostUpdate(by="ann", text="We know more."))
    await world.at(75)
    assert len((await world.incident()).updates.published) > 2, "after an update by hand, the cadence goes on"
    await assert_no_task_failed(world)


@pytest.mark.parametrize("part", ["page_owed", "page_settlement", "ladder", "channel_owed", "customers_to_ask"])
async def test_an_agenda_that_cannot_be_derived_falls_back_to_paging_and_telling(
    world: World, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def broken(*_: Any) -> Any:
        raise OverflowError("date value out of range")

    derived = tuple(replace(o, derive=broken) if getattr(o.derive, "__name__", "") == part else o for o in OWED)
    assert derived != OWED
    monkeypatch.setattr(agenda, "OWED", derived)
    await world.open(settle=False)
    await world.settled(but="\0")
    incident = await world.incident()
    assert incident.number == 1
    assert len(world.sent("send_page", "/page/")) == 1, "somebody is paged, once"
    [text] = [text for text in await world.said() if "some obligations cannot be derived" in text]
    assert "OverflowError" in text
    assert len(told_operators(world)) == 1
    await assert_no_task_failed(world)


async def test_a_handler_that_fails_refuses_its_message(world: World, boom: Any) -> None:
    boom(incident_module, "apply_command", lambda incident, command, *_: isinstance(command, AddNote))
    boom(facts, "alert_fired", lambda incident, alerts, *_: alerts[0].name == "Poison")
    await world.open()
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await world.tell(AddNote(by="ann", text="We look."))
    assert isinstance(refusal.value.cause, ApplicationError)
    assert "Nothing was changed" in refusal.value.cause.message
    await world.handle.signal("add_note", AddNote(by="ann", text="We look."))
    await world.handle.signal("alert_fired", AlertBatch(alerts=(an_alert(await world.now(), name="Poison"),)))
    await world.handle.signal("alert_fired", {"alerts": "nonsense"})
    await world.settled()
    said = await world.said()
    for name in ("add_note rejected: it cannot be applied", "alert_fired rejected: it cannot be applied"):
        assert any(text.startswith(name) for text in said), said
    assert sum(text.startswith("alert_fired rejected") for text in said) == 2
    assert (await world.tell(Resolve(by="ann", force=True, reason="seen"))).changed
    await assert_no_task_failed(world)


async def test_a_waiver_that_cannot_be_applied_is_rejected_and_one_without_payload_counts(
    world: World, boom: Any
) -> None:
    boom(facts, "postmortem_waived", lambda incident, at, first_run_id: first_run_id == "poison")
    await world.open()
    for payload in (Waived(first_run_id="poison"), {"first_run_id": ["nonsense"]}):
        await world.handle.signal("postmortem_waived", payload)
    await world.settled()
    assert not (await world.incident()).postmortem.waived
    assert sum(text.startswith("postmortem_waived rejected") for text in await world.said()) == 2
    await world.handle.signal("postmortem_waived")
    await world.settled()
    assert (await world.incident()).postmortem.waived
    await assert_no_task_failed(world)


async def test_an_incident_that_cannot_be_opened_as_told_is_opened_barely(world: World, boom: Any) -> None:
    boom(incident_module, "open_incident", lambda *_: True)
    await world.open()
    incident = await world.incident()
    assert incident.number == 1
    assert incident.severity == "P0"
    assert len(world.sent("send_page", "/page/")) == 1
    assert "Opened with partial alert data" in incident.timeline[0].text
    assert len(told_operators(world)) == 1
    await assert_no_task_failed(world)


async def test_what_cannot_be_shown_stops_nothing(world: World, boom: Any) -> None:
    boom(incident_module, "render_current_details", lambda *_: True)
    await world.open()
    assert len(world.sent("send_page", "/page/")) == 1
    await assert_no_task_failed(world)


async def test_what_cannot_even_be_recorded_is_left_alone(world: World, boom: Any) -> None:
    boom(incident_module, "request", lambda obligation, *_: obligation.kind is ObligationKind.WAR_ROOM)
    boom(outcomes, "failed", lambda *_: True)
    boom(outcomes, "abandoned", lambda *_: True)
    await world.open(settle=False)
    await world.settled(but="war-room")
    assert len(world.sent("send_page", "/page/")) == 1
    await assert_no_task_failed(world)


async def test_an_error_in_a_rollback_is_a_failed_rollback(world: World, boom: Any) -> None:
    boom(rollback_module, "decide_redeployment", lambda *_: True)
    world.activities.offers = (an_offer(await world.now()),)
    await world.open()
    await world.tell(ApproveRollback(by="ann"))
    await world.settled()
    [state] = (await world.incident()).rollback.clusters
    assert state.status is RollbackStatus.FAILED
    assert "error in this program (OverflowError: date value out of range): nothing was deployed" in state.detail


async def test_an_error_in_the_post_mortem_is_told_and_its_deadline_stands(world: World, boom: Any) -> None:
    boom(
        postmortem_module,
        "postmortem_request",
        lambda obligation, *_: obligation.kind is PostmortemObligationKind.WRITE,
    )
    await world.open()
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    await world.at(60)
    postmortem = await postmortem_of(world)
    assert any("OverflowError" in failure.reason for failure in postmortem.ledger.failures)
    assert len(told_operators(world)) == 1
    await world.at(60 * 50)
    assert (await postmortem_of(world)).stage == "overdue"
    history = await process(world).fetch_history()
    assert [e for e in history.events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED] == []


async def test_the_agenda_of_a_post_mortem_that_cannot_be_derived_is_answered_all_the_same(
    world: World, boom: Any
) -> None:
    await world.open()
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    await world.at(60)
    agenda = postmortem_module.PostmortemWorkflow.agenda
    assert {obligation.kind for obligation in await process(world).query(agenda)} - {
        PostmortemObligationKind.REPORT_FAULT
    }, "it can be derived, and holds obligations"
    boom(postmortem_module, "postmortem_agenda", lambda *_: True)
    owed = await process(world).query(agenda)
    assert all(obligation.kind is PostmortemObligationKind.REPORT_FAULT for obligation in owed)


def test_the_incident_remembers_an_error_once() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    first: Incident = agenda_broke(opened(), "ValueError: no", at)
    assert agenda_broke(first, "ValueError: no", at) is first
    assert len(agenda_broke(first, "KeyError: 'x'", at).operators.faults) == 2
