"""50 to 60: a rollback that stops, asks, or is stopped leaves a known state."""

from threading import Event
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateFailedError

from incidents.domain.incident.incident import Incident
from incidents.domain.rollback.commands import ApproveRollback, JudgeRollback, RequestRollback
from incidents.domain.rollback.config import RollbackPolicy
from incidents.domain.rollback.known_good import Deployment
from incidents.domain.rollback.order import Preflight, Probed
from incidents.domain.rollback.state import RollbackState, RollbackStatus
from incidents.domain.rollback.verification import Verdict
from tests.support.environment import World
from tests.support.fake_activities import an_offer
from workflows.rollback import RollbackWorkflow


@pytest.fixture
async def world(live_world: World) -> World:
    """The development server: the time-skipping one loses workflow tasks when activities are given up."""
    return live_world


PROCESS = "rollback-eu-001-flag-evaluation"


async def approved(world: World, *, but: str = "\0") -> None:
    """Open an incident with an offer, and approve it."""
    world.activities.offers = (an_offer(await world.now()),)
    await world.open()
    await world.tell(ApproveRollback(by="ann"), but=but)


async def the_state(world: World) -> RollbackState:
    incident: Incident = await world.incident()
    return incident.rollback.clusters[0]


def a_row(version: str, at: Any) -> Deployment:
    return Deployment(id="d9", cluster="eu-001", version=version, status="in_progress", started_at=at)


async def reached(world: World, name: str) -> None:
    while not world.sent(name):
        await world.settled(but="rollback/")


async def test_52_a_deployment_in_between_holds_it_and_a_person_is_paged(world: World) -> None:
    world.activities.preflight = Preflight(newest=a_row("v4", await world.now()), recovered=False, looks="")
    await approved(world)
    state = await the_state(world)
    assert state.status is RollbackStatus.HELD
    assert state.detail == "nothing was deployed: v4 was deployed to eu-001 after the rollback was decided"
    assert not world.sent("redeploy")
    assert world.sent("send_page", "alarm/rollback/eu-001/1/held")


async def test_59_a_recovery_in_between_holds_it_until_somebody_insists(world: World) -> None:
    world.activities.preflight = Preflight(newest=None, recovered=True, looks="eu: 5 good looks in a row")
    await approved(world)
    assert (await the_state(world)).status is RollbackStatus.HELD
    assert not world.sent("redeploy")
    await world.tell(RequestRollback(by="ann", insist=True))
    assert (await the_state(world)).status is RollbackStatus.HEALTHY
    assert len(world.sent("redeploy")) == 1


async def test_what_somebody_else_rolled_back_is_verified_only(world: World) -> None:
    world.activities.preflight = Preflight(newest=a_row("good", await world.now()), recovered=False, looks="")
    await approved(world)
    assert not world.sent("redeploy")
    assert (await the_state(world)).status is RollbackStatus.HEALTHY


async def test_51_evidence_that_fails_is_a_gap_and_stops_nothing(world: World) -> None:
    world.activities.final_faults["capture_evidence"] = "SigNoz is down"
    await approved(world)
    assert (await the_state(world)).status is RollbackStatus.HEALTHY
    [(_, manifest), *_] = world.sent("write_manifest", "rollback/")
    assert manifest.parts
    assert {part.gap for part in manifest.parts} == {"SigNoz is down"}


async def test_53_a_redeployment_that_fails_says_what_is_there(world: World) -> None:
    world.activities.final_faults["redeploy"] = "the portal refuses"
    await approved(world)
    state = await the_state(world)
    assert state.status is RollbackStatus.FAILED
    assert state.detail == "the portal refuses; nothing was deployed"


async def test_if_the_portal_cannot_be_read_nothing_is_deployed(world: World) -> None:
    world.activities.final_faults["check_rollback"] = "the portal is down"
    await approved(world)
    assert (await the_state(world)).detail == "nothing was deployed: the portal is down"
    assert not world.sent("redeploy")


async def test_55_what_cannot_be_judged_asks_a_person_while_probing_goes_on(world: World) -> None:
    world.activities.hold["verify_region"] = Event()
    await approved(world, but="rollback/")
    await reached(world, "verify_region")
    process = world.env.client.get_workflow_handle(PROCESS)
    await process.signal(RollbackWorkflow.probed, Probed(region="eu", summary="eu: 3 probes"))
    await process.signal(RollbackWorkflow.probed, Probed(region="eu", summary="eu cannot be judged", undecided=True))
    while (await the_state(world)).status is not RollbackStatus.UNDECIDED:
        await world.settled(but="rollback/")
    await world.settled(but="rollback/eu-001/1")
    assert world.sent("send_page", "alarm/rollback/eu-001/1/undecided")
    assert "eu cannot be judged" in (await the_state(world)).progress

    await world.tell(JudgeRollback(by="ann", healthy=True, reason="customers are fine"), but="rollback/")
    world.activities.hold["verify_region"].set()
    await world.settled()
    result = await world.env.client.get_workflow_handle(PROCESS, result_type=dict).result()
    assert result["status"] == "healthy"
    incident = await world.incident()
    assert (incident.status, incident.rollback.clusters[0].status) == ("monitoring", RollbackStatus.HEALTHY)
    assert "judged by ann: customers are fine" in incident.rollback.clusters[0].detail


async def test_58_a_rollback_that_is_cancelled_reports_what_it_left(world: World) -> None:
    world.runbook = world.runbook.replace(rollback=world.runbook.rollback.replace(freeze_channel="C-deploys"))
    world.activities.hold["verify_region"] = Event()
    await approved(world, but="rollback/")
    await reached(world, "verify_region")
    process = world.env.client.get_workflow_handle(PROCESS)
    await process.cancel()
    world.activities.hold["verify_region"].set()
    while (await process.describe()).status is WorkflowExecutionStatus.RUNNING:
        await world.now()
    await world.settled()
    state = await the_state(world)
    assert state.status is RollbackStatus.FAILED
    assert state.detail == "cancelled by hand: the redeployment was started and is not verified"
    said = [effect.text for _, effect in world.sent("post_message", "/rollback/") if effect.channel_id == "C-deploys"]
    assert [text.split(": ", 1)[1] for text in said] == [
        "deploy freeze: please do not deploy flag-evaluation to eu-001",
        "deploy freeze of flag-evaluation on eu-001 is over",
    ]


async def test_52_the_lock_says_who_holds_it(world: World) -> None:
    """A second incident of the same service and cluster, with another correlation key."""
    world.activities.hold["verify_region"] = Event()
    await approved(world, but="rollback/")
    await reached(world, "verify_region")
    other = World(world.env, world.activities, world.runbook)
    first, other.t0 = world.handle, await world.now()
    other.handle = await world.env.client.start_workflow(
        "IncidentWorkflow",
        (await _another_start(world)),
        id="incident-flag-evaluation:staging",
        task_queue="incidents-test",
    )
    await other.settled()
    with pytest.raises(WorkflowUpdateFailedError):
        await other.tell(JudgeRollback(by="bob", healthy=True))
    await other.tell(ApproveRollback(by="bob"))
    held = await the_state(other)
    assert held.status is RollbackStatus.HELD
    assert "another rollback of flag-evaluation on eu-001 is running" in held.detail
    assert "nothing was deployed" in held.detail
    assert len(world.sent("redeploy")) == 1
    world.activities.hold["verify_region"].set()
    await world.settled()
    assert first is world.handle
    assert (await the_state(world)).status is RollbackStatus.HEALTHY


async def _another_start(world: World) -> Any:
    from incidents.contracts import IncidentInput
    from incidents.domain.incident.opening import opening_from
    from tests.support.environment import an_alert

    alert = an_alert(await world.now(), environment="staging")
    opening = opening_from((alert,), "flag-evaluation:staging", world.runbook)
    return IncidentInput(opening=opening, runbook=world.runbook)


async def test_56_a_second_attempt_looks_again_and_never_a_third(world: World) -> None:
    severities = dict(world.runbook.severities)
    severities["P0"] = severities["P0"].replace(rollback=RollbackPolicy.AUTOMATIC)
    rules = world.runbook.rollback.replace(second_attempt=True)
    world.runbook = world.runbook.replace(severities=severities, rollback=rules)
    world.activities.offers = (an_offer(await world.now()),)
    world.activities.verdict = Verdict.UNHEALTHY
    await world.open()
    looks = [effect for _, effect in world.sent("find_rollback")]
    assert [look.blamed for look in looks] == [{}, {"good": "already tried in this incident"}]
    assert len(world.sent("redeploy")) == 2
    state = await the_state(world)
    assert (state.status, state.attempt) == (RollbackStatus.UNHEALTHY, 2)


async def test_going_forward_again_deploys_the_suspect(world: World) -> None:
    world.activities.verdict = Verdict.UNHEALTHY
    await approved(world)
    world.activities.verdict = Verdict.HEALTHY
    await world.tell(RequestRollback(by="ann", forward=True))
    assert [effect.version for _, effect in world.sent("redeploy")] == ["good", "bad"]


async def test_a_baseline_that_nobody_could_tell_is_asked_for_again_and_holds_up_nothing(world: World) -> None:
    world.activities.final_faults["measure_baseline"] = "SigNoz is down"
    await approved(world)
    names = [call.name for call in world.activities.calls]
    assert names.count("measure_baseline") == 2
    assert names.index("measure_baseline") < names.index("redeploy")
    assert names.index("redeploy") < len(names) - names[::-1].index("measure_baseline")
    assert (await the_state(world)).status is RollbackStatus.HEALTHY
