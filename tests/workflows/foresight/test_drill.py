"""A drill with a script, in virtual time: its steps come on time, once, and the incident outlives it."""

from typing import Any

from temporalio.client import WorkflowHandle

from incidents.contracts import DRILL_STOPPED, DrillInput, DrillPlayed
from incidents.domain.foresight.drill_script import drill_script
from incidents.domain.foresight.scenario import parse_scenario
from incidents.domain.incident.commands import Acknowledge, Cancel, Resolve
from tests.support.environment import QUEUE, World, result_of
from workflows.drill import DrillWorkflow

ID = "drill-1"
TEXT = """
severity: P2
title: It is slow
facts:
  - {at: 2m, do: inject, text: Three customers wrote to support.}
  - {at: 4m, do: ack, by: ann}
  - {at: 30m, do: alert ended}
  - {at: 50m, do: inject, text: It stays quiet.}
"""


async def begun(world: World) -> WorkflowHandle[Any, DrillPlayed]:
    """Start the drill; the world's incident is the drill's."""
    world.t0 = await world.now()
    script = drill_script(parse_scenario(TEXT, "slow.yaml"), "slow", world.runbook, "ann", world.t0)
    start = DrillInput(script=script, runbook=world.runbook)
    drill = await world.env.client.start_workflow(DrillWorkflow.run, start, id=ID, task_queue=QUEUE)
    world.handle = world.env.client.get_workflow_handle(f"incident-{ID}")
    return drill


async def test_its_steps_come_at_their_times_and_it_ends_with_a_scorecard(world: World) -> None:
    drill = await begun(world)
    await world.at(1)
    incident = await world.incident()
    assert (incident.drill, incident.title) == (True, "It is slow")
    await world.tell(Acknowledge(by="ann"))
    await world.at(3)
    said = await world.said()
    assert "Three customers wrote to support." in said
    assert "It stays quiet." not in said
    await world.at(31)
    incident = await world.incident()
    assert not incident.alerting.firing, "the alert ended"
    await world.at(51)
    assert await result_of(drill) == DrillPlayed(workflow_id=world.handle.id, played=3, of=3, stopped=False)
    assert (await world.said()).count("It stays quiet.") == 1

    await world.tell(Resolve(by="ann", force=True, reason="end of the drill"))
    [(_, score)] = world.sent("post_message", "drill-score/1")
    assert "INC-1" in score.text
    assert "\nMissed targets: 0\n" in score.text
    assert "\nAcknowledged after: " in score.text
    assert "Beside earlier drills: `incident drill score 1`" in score.text


async def test_a_drill_that_is_stopped_plays_nothing_more(world: World) -> None:
    drill = await begun(world)
    await world.at(3)
    await drill.signal(DRILL_STOPPED)
    assert await result_of(drill) == DrillPlayed(workflow_id=world.handle.id, played=1, of=3, stopped=True)
    await world.at(60)
    assert "It stays quiet." not in await world.said()


async def test_a_drill_whose_incident_has_ended_ends(world: World) -> None:
    drill = await begun(world)
    await world.at(3)
    await world.tell(Cancel(by="ann", reason="called off"))
    await world.ended()
    ended = await result_of(drill)
    assert not ended.stopped
    assert ended.played < ended.of
