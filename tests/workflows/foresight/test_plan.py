"""A plan says what the real workflow does: the same requests, at the same minutes, when nobody acts."""

from datetime import timedelta

import pytest

from incidents.domain.config.model import RunbookConfig
from incidents.domain.foresight.plan import plan
from incidents.domain.foresight.scenario import Scenario
from tests.support.environment import World

Sent = set[tuple[int, str]]


def planned(severity: str, runbook: RunbookConfig, world: World, minutes: int) -> tuple[Sent, dict[str, str]]:
    """The minute and the key of everything that is sent, housekeeping aside, and the texts of what customers read."""
    scenario = Scenario(severity=severity, until=timedelta(minutes=minutes), title="EvaluationErrors is high")
    steps = [step for step in plan(scenario, runbook, world.t0).steps if not step.housekeeping]
    # An obligation that only changes the incident's own state calls no activity: its effect is in the timeline.
    sent = {(round(step.after.total_seconds()) // 60, step.key) for step in steps if step.kind not in ("target",)}
    return sent, {step.key: step.text for step in steps if step.kind == "deliver"}


@pytest.mark.parametrize(("label", "severity", "minutes"), [("critical", "P0", 125), ("high", "P1", 245)])
async def test_what_is_planned_is_what_happens(world: World, label: str, severity: str, minutes: int) -> None:
    world.activities.silences = True
    await world.open(severity=label)
    await world.at(minutes)
    sent, texts = planned(severity, world.runbook, world, minutes)
    real = {(world.minute(call), call.effect.key.partition("/")[2]) for call in world.activities.calls}
    keys = {key for _, key in sent}
    assert {(minute, key) for minute, key in real if key in keys} == sent
    unplanned = {key.partition("/")[0] for _, key in real if key not in keys}
    housekeeping = {"number", "page-update", "topic", "invite", "summary", "bookmark", "notice", "digest", "record"}
    assert unplanned <= housekeeping
    missed = {f"{o.kind} {o.key}" for o in await world.agenda() if (o.due - world.t0) < timedelta(minutes=minutes)}
    assert not missed
    mails = {
        call.effect.key.partition("/")[2]: call.effect for call in world.activities.calls if call.name == "send_mail"
    }
    for key, text in texts.items():
        if key in mails:
            assert text == f"{mails[key].subject}\n{mails[key].text}", "word for word, but for the seconds of its start"
