"""The rollback as the incident sees it: offered, decided, run by a workflow of its own, verified."""

import pytest
from temporalio.client import WorkflowUpdateFailedError

from incidents.domain.config.model import RollbackPolicy
from incidents.domain.incident.commands import (
    Acknowledge,
    ApproveRollback,
    Cancel,
    DeclineRollback,
    RequestRollback,
    Resolve,
)
from incidents.domain.rollback.state import RollbackStatus
from incidents.domain.rollback.verification import Verdict
from tests.support.environment import World
from tests.support.fake_activities import an_offer


async def test_an_approved_rollback_is_verified_and_mitigates(world: World) -> None:
    world.hands.offers = (an_offer(await world.now()),)
    await world.open()
    await world.tell(Acknowledge(by="ann"))
    assert not world.sent("redeploy"), "a P0 asks before it rolls back"
    await world.at(5)
    await world.tell(ApproveRollback(by="ann"))

    incident = await world.incident()
    [state] = incident.rollbacks
    assert state.status == RollbackStatus.HEALTHY
    names = [call.name for call in world.hands.calls]
    steps = ["write_manifest", "check_rollback", "redeploy", "follow_deployment", "verify_region"]
    assert sorted(steps, key=names.index) == steps, "evidence first, then a last look, and proof at the end"
    [(_, redeploy)] = world.sent("redeploy")
    assert (redeploy.cluster, redeploy.version) == ("eu-001", "good")
    assert incident.status == "monitoring"
    assert incident.mitigated_at is not None
    assert "evaluations are back to normal" in incident.updates[-1].text


async def test_the_policy_automatic_asks_nobody(world: World) -> None:
    severities = dict(world.runbook.severities)
    severities["P0"] = severities["P0"].replace(rollback=RollbackPolicy.AUTOMATIC)
    world.runbook = world.runbook.replace(severities=severities)
    world.hands.offers = (an_offer(await world.now()),)
    await world.open()
    assert len(world.sent("redeploy")) == 1
    assert (await world.incident()).status == "monitoring"


async def test_an_unhealthy_rollback_does_not_mitigate_and_can_be_tried_again(world: World) -> None:
    world.hands.offers = (an_offer(await world.now()),)
    world.hands.verdict = Verdict.UNHEALTHY
    await world.open()
    await world.tell(RequestRollback(by="ann"))
    incident = await world.incident()
    assert incident.rollbacks[0].status == RollbackStatus.UNHEALTHY
    assert incident.status == "investigating"
    world.hands.verdict = Verdict.HEALTHY
    await world.tell(RequestRollback(by="ann"))
    assert (await world.incident()).rollbacks[0].status == RollbackStatus.HEALTHY
    assert len(world.sent("redeploy")) == 2


async def test_a_failed_redeployment_is_said_and_leaves_the_incident_alive(world: World) -> None:
    world.hands.offers = (an_offer(await world.now()),)
    world.hands.final_faults["redeploy"] = "the portal refuses"
    await world.open()
    await world.tell(ApproveRollback(by="ann"))
    incident = await world.incident()
    assert incident.rollbacks[0].status == RollbackStatus.FAILED
    assert "the portal refuses" in incident.rollbacks[0].detail
    assert incident.status == "investigating"


async def test_a_declined_rollback_is_not_run(world: World) -> None:
    world.hands.offers = (an_offer(await world.now()),)
    await world.open()
    await world.tell(DeclineRollback(by="ann", reason="it is the database"))
    assert not world.sent("redeploy")
    assert (await world.incident()).rollbacks[0].detail == "it is the database"


async def test_without_an_offer_approving_is_refused(world: World) -> None:
    await world.open()
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await world.tell(ApproveRollback(by="ann"))
    assert "No rollback offered" in str(refused.value.cause)


async def test_57_resolving_during_a_rollback_waits_for_it(world: World) -> None:
    from threading import Event

    world.hands.offers = (an_offer(await world.now()),)
    world.hands.hold["verify_region"] = Event()
    await world.open()
    await world.tell(ApproveRollback(by="ann"), but="rollback/")
    while not world.sent("verify_region"):
        await world.settled(but="rollback/")
    await world.tell(Resolve(by="ann", force=True, reason="looks good"), but="rollback/")
    assert (await world.incident()).status == "investigating"
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await world.tell(Cancel(by="bob", reason="never mind"), but="rollback/")
    assert "rollback is under way" in str(refused.value.cause)

    world.hands.hold["verify_region"].set()
    await world.settled()
    incident = await world.incident()
    assert (incident.status, incident.resolved_by) == ("resolved", "ann")
    assert incident.rollbacks[0].status == RollbackStatus.HEALTHY


async def test_51_evidence_that_hangs_costs_its_budget_and_no_more(world: World) -> None:
    world.hands.faults["capture_evidence"] = 10_000
    world.hands.offers = (an_offer(await world.now()),)
    await world.open()
    await world.tell(ApproveRollback(by="ann"), but="rollback/")
    await world.at(3)
    assert (await world.incident()).rollbacks[0].status is RollbackStatus.HEALTHY
    [(minute, _)] = world.sent("redeploy")
    assert minute <= 1, "after a minute at most"
