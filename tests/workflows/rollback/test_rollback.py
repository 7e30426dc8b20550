"""The rollback as the incident sees it: offered, decided, run by a workflow of its own, verified."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from incidents.contracts import COMMAND_REFUSED, Unauthorized
from incidents.domain.incident.commands import Acknowledge, Cancel, Resolve
from incidents.domain.rollback.commands import ApproveRollback, DeclineRollback, RequestRollback
from incidents.domain.rollback.config import Deployer, RollbackPolicy
from incidents.domain.rollback.state import RollbackStatus
from incidents.domain.rollback.verification import Verdict
from tests.support.environment import World
from tests.support.fake_activities import an_offer


async def test_an_approved_rollback_is_verified_and_mitigates(world: World) -> None:
    world.activities.offers = (an_offer(await world.now()),)
    await world.open()
    await world.tell(Acknowledge(by="ann"))
    assert not world.sent("redeploy"), "a P0 asks before it rolls back"
    await world.at(5)
    await world.tell(ApproveRollback(by="ann"))

    incident = await world.incident()
    [state] = incident.rollback.clusters
    assert state.status == RollbackStatus.HEALTHY
    names = [call.name for call in world.activities.calls]
    steps = ["write_manifest", "check_rollback", "redeploy", "follow_deployment", "verify_region"]
    assert sorted(steps, key=names.index) == steps, "evidence first, then a last look, and proof at the end"
    [(_, redeploy)] = world.sent("redeploy")
    assert (redeploy.cluster, redeploy.version) == ("eu-001", "good")
    assert incident.rollback.restored == ("d3",), "behaviour 90: no suspect from now on"
    assert incident.status == "monitoring"
    assert incident.mitigated_at is not None
    assert "evaluations are back to normal" in incident.updates.published[-1].text


async def test_a_deployment_is_followed_for_as_long_as_the_rules_say(world: World) -> None:
    world.activities.offers = (an_offer(await world.now()),)
    github = world.runbook.rollback.github.replace(finish_within=timedelta(minutes=42))
    rules = world.runbook.rollback.replace(deployer=Deployer.GITHUB_ACTIONS, github=github)
    world.runbook = world.runbook.replace(rollback=rules)
    await world.open()
    await world.tell(ApproveRollback(by="ann"))
    [follow] = [call for call in world.activities.calls if call.name == "follow_deployment"]
    assert follow.start_to_close == timedelta(minutes=42)


async def test_the_policy_automatic_asks_nobody(world: World) -> None:
    severities = dict(world.runbook.severities)
    severities["P0"] = severities["P0"].replace(rollback=RollbackPolicy.AUTOMATIC)
    world.runbook = world.runbook.replace(severities=severities)
    world.activities.offers = (an_offer(await world.now()),)
    await world.open()
    assert len(world.sent("redeploy")) == 1
    assert (await world.incident()).status == "monitoring"


async def test_110_the_workflow_itself_waits_for_a_second_person(world: World) -> None:
    policy = world.runbook.policy("P0").replace(rollback=RollbackPolicy.TWO_PEOPLE)
    world.runbook = world.runbook.replace(severities={**world.runbook.severities, "P0": policy})
    world.activities.offers = (an_offer(await world.now()),)
    await world.open()
    assert "A second person has to approve it" in (await world.tell(ApproveRollback(by="ann"))).message
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await world.tell(ApproveRollback(by="ann"))
    assert "You have approved the rollback of eu-001 already" in str(refused.value.cause)
    await world.handle.signal(ApproveRollback.name, ApproveRollback(by="Ann"))
    await world.settled()
    assert not world.sent("redeploy"), "not by a signal, either"
    await world.tell(ApproveRollback(by="bob"))
    [(_, redeploy)] = world.sent("redeploy")
    assert redeploy.cluster == "eu-001"
    assert (await world.incident()).rollback.clusters[0].decided_by == "ann and bob"


async def test_110_a_refusal_is_recorded_once_and_nonsense_leaves_it_alive(world: World) -> None:
    await world.open()
    refused = Unauthorized(command="approve", by="eve", reason="eve is not authorized to approve.")
    for payload in (refused, refused, {"nonsense": True}):
        await world.handle.signal(COMMAND_REFUSED, payload)
    await world.settled()
    texts = [entry.text for entry in (await world.incident()).timeline if entry.kind == "refused"]
    assert texts[0] == "approve refused: eve is not authorized to approve."
    assert texts[1].startswith("command_refused rejected: it cannot be applied")
    assert len(texts) == 2


async def test_an_unhealthy_rollback_does_not_mitigate_and_can_be_tried_again(world: World) -> None:
    world.activities.offers = (an_offer(await world.now()),)
    world.activities.verdict = Verdict.UNHEALTHY
    await world.open()
    await world.tell(RequestRollback(by="ann"))
    incident = await world.incident()
    assert incident.rollback.clusters[0].status == RollbackStatus.UNHEALTHY
    assert incident.status == "investigating"
    world.activities.verdict = Verdict.HEALTHY
    await world.tell(RequestRollback(by="ann"))
    assert (await world.incident()).rollback.clusters[0].status == RollbackStatus.HEALTHY
    assert len(world.sent("redeploy")) == 2


async def test_a_failed_redeployment_is_said_and_leaves_the_incident_alive(world: World) -> None:
    world.activities.offers = (an_offer(await world.now()),)
    world.activities.final_faults["redeploy"] = "the portal refuses"
    await world.open()
    await world.tell(ApproveRollback(by="ann"))
    incident = await world.incident()
    assert incident.rollback.clusters[0].status == RollbackStatus.FAILED
    assert "the portal refuses" in incident.rollback.clusters[0].detail
    assert incident.status == "investigating"


async def test_a_declined_rollback_is_not_run(world: World) -> None:
    world.activities.offers = (an_offer(await world.now()),)
    await world.open()
    await world.tell(DeclineRollback(by="ann", reason="it is the database"))
    assert not world.sent("redeploy")
    assert (await world.incident()).rollback.clusters[0].detail == "it is the database"


async def test_without_an_offer_approving_is_refused(world: World) -> None:
    await world.open()
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await world.tell(ApproveRollback(by="ann"))
    assert "No rollback offered" in str(refused.value.cause)


async def test_57_resolving_during_a_rollback_waits_for_it(world: World) -> None:
    from threading import Event

    world.activities.offers = (an_offer(await world.now()),)
    world.activities.hold["verify_region"] = Event()
    await world.open()
    await world.tell(ApproveRollback(by="ann"), but="rollback/")
    while not world.sent("verify_region"):
        await world.settled(but="rollback/")
    await world.tell(Resolve(by="ann", force=True, reason="looks good"), but="rollback/")
    assert (await world.incident()).status == "investigating"
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await world.tell(Cancel(by="bob", reason="never mind"), but="rollback/")
    assert "rollback is running" in str(refused.value.cause)

    world.activities.hold["verify_region"].set()
    await world.settled()
    incident = await world.incident()
    assert (incident.status, incident.resolved_by) == ("resolved", "ann")
    assert incident.rollback.clusters[0].status == RollbackStatus.HEALTHY


async def test_51_evidence_that_hangs_costs_its_budget_and_no_more(world: World) -> None:
    world.activities.faults["capture_evidence"] = 10_000
    world.activities.offers = (an_offer(await world.now()),)
    await world.open()
    await world.tell(ApproveRollback(by="ann"), but="rollback/")
    await world.at(3)
    assert (await world.incident()).rollback.clusters[0].status is RollbackStatus.HEALTHY
    [(minute, _)] = world.sent("redeploy")
    assert minute <= 1, "after a minute at most"


async def test_89_a_failed_resolution_mentions_the_requester(world: World) -> None:
    from threading import Event

    world.activities.offers = (an_offer(await world.now()),)
    world.activities.verdict = Verdict.UNHEALTHY
    world.activities.hold["verify_region"] = Event()
    await world.open()
    await world.tell(ApproveRollback(by="ann"), but="rollback/")
    while not world.sent("verify_region"):
        await world.settled(but="rollback/")
    receipt = await world.tell(Resolve(by="bob", force=True, reason="looks good"), but="rollback/")
    assert receipt.message.startswith("Not resolved yet: the rollback of eu-001 is ")
    world.activities.hold["verify_region"].set()
    await world.settled()
    incident = await world.incident()
    assert (incident.status, incident.resolve_intent) == ("investigating", None)
    told = [e for _, e in world.sent("post_message", "notice") if "rollback of eu-001" in e.text]
    assert [(e.text.partition(":")[0], e.mentions) for e in told[-2:]] == [
        ("Not resolved yet", ()),
        ("Not resolved", ("bob",)),
    ]
