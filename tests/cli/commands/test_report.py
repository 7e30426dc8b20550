"""The report, backfilled incidents and overdue post-mortems, from the command line on a real server."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incidents.contracts import PostmortemInput
from incidents.domain.incident.incident import Incident
from incidents.domain.reporting.record import Record, record_of
from incidents.names import POSTMORTEM_WORKFLOW
from incidents.search_attributes import POSTMORTEM, postmortem_at_start
from tests.cli.conftest import QUEUE, RUNBOOK, Incidental, Stage
from tests.domain.reporting.test_report import record

DAY = f"{datetime.now(UTC):%Y-%m-%d}"
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


def stored(tmp_path: Path, *records: Record) -> str:
    """The address of a store that holds these."""
    for kept in records:
        folder = tmp_path / f"INC-{kept.number}"
        folder.mkdir(exist_ok=True)
        (folder / "record.json").write_text(kept.model_dump_json(), encoding="utf-8")
    return tmp_path.as_uri()


def test_what_is_open_and_what_is_stored_count_once(stage: Stage, on_stage: Incidental, tmp_path: Path) -> None:
    number = int(stage.open().number)
    old = record(999_001).replace(started_at=YESTERDAY, resolved_at=YESTERDAY + timedelta(minutes=9))
    url = stored(tmp_path, old)
    found = on_stage("report", "--url", url, "--format", "json").document
    assert on_stage("report", "--url", url, "--json").document.keys() == found.keys()
    numbers = [line["number"] for line in found["lines"]]
    assert 999_001 in numbers, "beyond Temporal's retention"
    assert number in numbers, "open"
    assert len(numbers) == len(set(numbers))
    assert found["attainment"][0]["downtime"] != "PT0S", "an open P0 counts until now"
    for how in ("markdown", "csv", "html"):
        said = on_stage("report", "--url", url, "--format", how)
        assert said.status == 0, said.err
        assert "999001" in said.out
    table = on_stage("report", "--url", url)
    assert table.status == 0, table.err
    assert re.search(rf"^incidents +{len(numbers)} \(", table.out, re.MULTILINE), "the table counts, it lists none"
    assert re.search(r"^time to acknowledge \(MTTA\) +\S", table.out, re.MULTILINE)


def test_bad_questions_are_refused(stage: Stage, on_stage: Incidental, tmp_path: Path) -> None:
    assert on_stage("report", "--from", "yesterday").status == 2
    assert on_stage("report", "--from", "2026-12-02", "--to", "2026-12-01").status == 2
    assert "'gold' is not a plan in runbook.yaml (sla: Dedicated, Enterprise, Pro)" in " ".join(
        on_stage("report", "--plan", "gold").err.replace("│", " ").split()
    )
    (tmp_path / "INC-1").mkdir()
    (tmp_path / "INC-1" / "record.json").write_text("{broken", encoding="utf-8")
    said = on_stage("report", "--url", tmp_path.as_uri())
    assert said.status != 0
    assert "record.json is damaged" in said.why


def test_82_a_backfilled_incident_counts_with_its_own_times_and_tells_nobody(
    stage: Stage, on_stage: Incidental, tmp_path: Path
) -> None:
    began = YESTERDAY.replace(microsecond=0)
    words = (
        *("backfill", "--title", "The old outage", "--service", "webhooks", "--severity", "p0", "--by", "ann"),
        *("--started", began.isoformat(), "--acknowledged", (began + timedelta(minutes=3)).isoformat()),
        *("--resolved", (began + timedelta(minutes=50)).isoformat(), "--note", "From the wiki."),
    )
    before = len(stage.activities.calls)
    workflow_id = on_stage(*words, "--json").document["workflow_id"]
    handle: Any = stage.client.get_workflow_handle(workflow_id, result_type=Incident)
    over = stage.do(handle.result())
    assert (over.backfilled, over.closed, over.status) == (True, True, "resolved")
    kept = record_of(over, RUNBOOK)
    assert (kept.started_at, kept.resolved_at) == (began, began + timedelta(minutes=50))
    assert kept.counts
    assert kept.outages
    assert kept.postmortem_due is None
    asked = {call.name for call in stage.activities.calls[before:] if over.first_run_id in call.effect.key}
    assert asked == {"allocate_number", "keep_document"}, "no page, no update, no status page"
    again = on_stage(*words)
    assert again.status == 1
    assert "Already recorded" in again.why


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"--resolved": "2026-01-01T00:00:00"}, "times must be in order"),
        ({"--severity": "P9"}, "severity"),
        ({"--started": "once"}, "not an ISO 8601 time"),
        ({"--resolved": "2999-01-01T00:00:00"}, "is in the future"),
    ],
)
def test_a_backfill_that_cannot_be_is_refused(on_stage: Incidental, changed: dict[str, str], why: str) -> None:
    words = {"--title": "x", "--service": "y", "--severity": "P1", "--by": "ann"}
    words |= {"--started": "2026-11-01T10:00:00", "--resolved": "2026-11-01T11:00:00"} | changed
    said = on_stage("backfill", *(word for pair in words.items() for word in pair))
    assert said.status == 2
    assert why in " ".join(said.err.replace("│", " ").split())


def test_83_a_time_is_corrected_from_the_command_line(stage: Stage, on_stage: Incidental) -> None:
    opened = stage.open()
    before = opened.until(lambda incident: True).started_at
    to = (before - timedelta(minutes=7)).isoformat()
    said = on_stage("correct", opened.number, "started", to, "--by", "ann", "--reason", "the first error")
    assert said.status == 0, said.err
    assert said.out.startswith("Corrected started time: ")
    refused = on_stage("correct", opened.number, "resolved", to, "--by", "ann", "--reason", "x")
    assert refused.status == 1
    assert "was not resolved yet" in refused.why


def test_71_a_post_mortem_that_is_not_due_yet_is_not_listed_as_overdue(stage: Stage, on_stage: Incidental) -> None:
    opened = stage.open()
    assert on_stage("resolve", opened.number, "--force", "--reason", "quiet", "--by", "ann").status == 0
    opened.until(lambda incident: f"postmortem/{incident.times_resolved}" in incident.ledger.fulfilled)
    [state] = eventually(lambda: postmortem_states(stage, f"postmortem-{opened.number}"))
    assert state != "overdue"
    assert on_stage("list", "--overdue").out == "No overdue post-mortems.\n"
    assert on_stage("list", "--overdue", "--json").document == []


def postmortem_states(stage: Stage, workflow_id: str) -> list[str]:
    """Return the state of a running post-mortem as visibility has it; nothing while visibility has none."""

    async def states() -> list[str]:
        query = f"WorkflowId = '{workflow_id}' AND ExecutionStatus = 'Running'"
        runs = [run async for run in stage.client.list_workflows(query)]
        return [state for run in runs if (state := run.typed_search_attributes.get(POSTMORTEM))]

    return stage.do(states())


def test_71_a_breach_is_listed_until_it_is_waived(stage: Stage, on_stage: Incidental) -> None:
    opened = stage.open()
    assert on_stage("resolve", opened.number, "--force", "--reason", "quiet", "--by", "ann").status == 0
    over = opened.until(lambda incident: f"postmortem/{incident.times_resolved}" in incident.ledger.fulfilled)
    assert over.resolved_at is not None
    resolved = over.resolved_at - timedelta(days=3)
    long_ago = over.replace(number=999_002, workflow_id="incident-gone", resolved_at=resolved)
    handle = stage.do(
        stage.client.start_workflow(
            POSTMORTEM_WORKFLOW,
            PostmortemInput(incident=long_ago, runbook=RUNBOOK),
            id="postmortem-999002",
            task_queue=QUEUE,
            search_attributes=postmortem_at_start(long_ago),
        )
    )
    rows = eventually(lambda: on_stage("list", "--overdue", "--json").document)
    [row] = [row for row in rows if row["number"] == 999_002]
    assert (row["severity"], row["service"]) == ("P0", "flag-evaluation")
    assert datetime.fromisoformat(row["due"]) == resolved + timedelta(hours=48)
    shown = on_stage("list", "--overdue").out
    assert "INC-999002" in shown
    assert "overdue" in shown
    assert on_stage("postmortem", "waive", "postmortem-999002", "--reason", "old", "--by", "vp").status == 0
    stage.do(handle.result())
    assert eventually(lambda: on_stage("list", "--overdue").out == "No overdue post-mortems.\n")


def eventually(look: Callable[[], Any]) -> Any:
    """What a look at visibility shows as soon as it shows something: it is a moment late."""
    for _ in range(100):
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError("it was never seen")
