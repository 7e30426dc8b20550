"""`adopt_runbook` at a running incident: from then on the new policy applies, also after continue-as-new."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from incidents.domain.adoption.adoption import AdoptRunbook
from incidents.domain.incident.commands import Resolve
from tests.support.environment import World


def with_ceo_after(world: World, minutes: int) -> AdoptRunbook:
    policy = world.runbook.policy("P0")
    rungs = tuple(
        rung.replace(after=timedelta(minutes=minutes)) if rung.contact == "ceo" else rung for rung in policy.escalation
    )
    severities = {**world.runbook.severities, "P0": policy.replace(escalation=rungs)}
    return AdoptRunbook(by="ann", runbook=world.runbook.replace(severities=severities))


async def test_a_moved_incident_calls_by_the_new_ladder(world: World) -> None:
    await world.open(history_limit=200)
    await world.at(10)
    receipt = await world.tell(with_ceo_after(world, 50))
    assert receipt.message == "Runbook replaced: severities.P0.escalation.2.after 30m → 50m"
    await world.at(130)
    called = [minute for minute, _ in world.sent("send_page", "/ceo/")]
    assert called == [50]
    assert [minute for minute, _ in world.sent("send_page", "/cto/")] == [0], "nobody is called twice"
    described = await world.handle.describe()
    assert described.run_id != world.handle.first_execution_run_id, "it has continued as new since"
    assert receipt.message in await world.said()


async def test_a_runbook_without_the_severity_is_refused_before_it_is_in_history(world: World) -> None:
    await world.open()
    severities = {name: policy for name, policy in world.runbook.severities.items() if name != "P0"}
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await world.tell(AdoptRunbook(by="ann", runbook=world.runbook.replace(severities=severities)))
    assert "lacks severity P0" in str(error.value.cause)
    history = await world.handle.fetch_history()
    assert not [
        event for event in history.events if event.HasField("workflow_execution_update_accepted_event_attributes")
    ]
    await world.tell(Resolve(by="ann", force=True, reason="done"))


async def test_as_a_signal_it_is_applied_too(world: World) -> None:
    await world.open()
    await world.handle.signal(AdoptRunbook.name, with_ceo_after(world, 5))
    await world.at(7)
    assert [minute for minute, _ in world.sent("send_page", "/ceo/")] == [5]
