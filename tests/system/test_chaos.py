"""Workers are killed and paused while people read the incident: it replays, and each effect happens once."""

import gzip
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory

from incidents.domain.evidence.archive import ChunkMissing
from incidents.domain.incident.incident import Incident
from tests.chaos.audit import failed_tasks, replay_failure
from tests.chaos.incident import duty_problems
from tests.chaos.ledger import ActivityRequest, Ledger
from tests.chaos.plan import Action, plan
from tests.chaos.run import run_seed
from tests.support.thoroughness import by_thoroughness

HISTORY = Path("tests/replay/histories/0.2.0/severities_and_reopening.incident.json.gz")


KILLS = by_thoroughness(2, 6)


@pytest.mark.timeout(300)
async def test_an_incident_survives_kills(tmp_path: Path) -> None:
    result = await run_seed(seed=10, kills=KILLS, home=tmp_path)
    assert result.problems == []
    assert result.kills == KILLS
    assert result.answered > 0
    assert result.runs > 1, "it continued as new"
    assert result.workflows > result.runs, "child workflows were in play"


def test_a_plan_depends_on_the_seed_only() -> None:
    assert plan(7, 15) == plan(7, 15) != plan(8, 15)
    assert sum(step.action is Action.KILL for step in plan(7, 15)) == 15


def test_the_ledger_is_read_as_it_was_written(tmp_path: Path) -> None:
    ledger, effect = Ledger(tmp_path / "ledger"), ActivityRequest("send_page", "run/page/0", 2)
    assert not ledger.has(effect.key)
    ledger.append(effect)
    assert ledger.has(effect.key)
    assert ledger.effects() == [effect]


def recorded() -> str:
    return gzip.decompress(HISTORY.read_bytes()).decode()


async def test_a_history_that_does_not_replay_is_a_problem() -> None:
    good = WorkflowHistory.from_json("incident", recorded())
    bad = WorkflowHistory.from_json("incident", recorded().replace('"publish_status"', '"publish_nothing"'))
    assert await replay_failure(good) == ""
    assert "TMPRL1100" in await replay_failure(bad)


@pytest.mark.parametrize(
    ("cause", "problems"),
    [("WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR", 1), ("WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND", 0)],
)
def test_a_failed_task_is_a_problem_unless_a_message_came_between(cause: str, problems: int) -> None:
    event = {"eventId": "9", "workflowTaskFailedEventAttributes": {"cause": cause}}
    assert len(list(failed_tasks(WorkflowHistory.from_json("incident", {"events": [event]})))) == problems


def test_a_paused_process_is_no_deadlock_and_a_deadlock_without_a_pause_is_a_problem() -> None:
    failed = {
        "cause": "WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE",
        "failure": {"message": "[TMPRL1101] Potential deadlock detected: workflow didn't yield within 2 second(s)."},
    }
    event = {"eventId": "9", "workflowTaskFailedEventAttributes": failed}
    history = WorkflowHistory.from_json("incident", {"events": [event]})
    assert list(failed_tasks(history, pauses=True)) == []
    assert len(list(failed_tasks(history))) == 1


def incident_at_the_end() -> Incident:
    """The incident of a recorded history, as it was returned."""
    [*_, last] = WorkflowHistory.from_json("incident", recorded()).events
    payload = last.workflow_execution_completed_event_attributes.result.payloads[0]
    return Incident.model_validate_json(payload.data)


def effects_of(incident: Incident) -> list[ActivityRequest]:
    names = {"channel": "open_channel"}
    return [
        ActivityRequest(names.get(key, ""), f"{incident.first_run_id}/{key}", 1) for key in incident.ledger.fulfilled
    ]


def test_each_duty_done_once_is_no_problem() -> None:
    incident = incident_at_the_end()
    assert duty_problems(incident, effects_of(incident), notes=0) == []


def test_what_was_done_twice_or_never_is_a_problem() -> None:
    incident = incident_at_the_end()
    first, *others = effects_of(incident)
    page = next(effect for effect in others if "/page/0/" in effect.key)
    doubled = duty_problems(incident, [first, first, *others], notes=0)
    assert doubled == [f"done 2 times: {first.key}"]
    lost = duty_problems(incident, [effect for effect in (first, *others) if effect is not page], notes=1)
    assert f"fulfilled, but not in the ledger: {page.key.removeprefix(incident.first_run_id + '/')}" in lost
    assert "note 0 is lost" in lost


def test_a_note_in_the_archive_is_not_lost(tmp_path: Path) -> None:
    incident = incident_at_the_end()
    archived = incident.timeline[0].replace(text="note 0")
    assert duty_problems(incident, effects_of(incident), 1, (archived,)) == []
    twice = duty_problems(incident, effects_of(incident), 1, (archived, archived))
    assert twice == ["note 0 stands 2 times in the timeline"]
    ledger = Ledger(tmp_path / "ledger")
    ledger.keep("INC-1/archive/0001.jsonl", "a line")
    assert ledger.kept("INC-1/archive/0001.jsonl") == b"a line"
    with pytest.raises(ChunkMissing):
        ledger.kept("INC-1/archive/0002.jsonl")
