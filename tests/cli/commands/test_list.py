"""`incident list` on a real server: titles and ages, without a worker."""

import time
from datetime import timedelta
from typing import Any

from incidents.client.commands import send
from incidents.domain.incident.commands import AddNote
from incidents.domain.people.permissions import EVERYONE
from tests.cli.conftest import Incidental, Opened, Stage

PATIENCE = timedelta(seconds=20)


def row_of(opened: Opened, on_stage: Incidental) -> dict[str, Any]:
    """The incident's row, as soon as visibility has one with an update."""
    deadline = time.monotonic() + 10
    while True:
        rows = on_stage("list", "--json").document
        found: list[dict[str, Any]] = [row for row in rows if row["workflow_id"] == opened.id]
        if found and found[0]["last_update_at"]:
            return found[0]
        assert time.monotonic() < deadline, found


def test_the_title_and_the_last_update_outlast_a_run(stage: Stage, on_stage: Incidental) -> None:
    opened = stage.open("critical", history_limit=150, title="Evaluations fail")
    row = row_of(opened, on_stage)
    assert row["title"] == "Evaluations fail"
    assert row["last_update_at"].startswith(f"{opened.state().updates.published[-1].at:%Y-%m-%dT%H:%M:%S}")
    handle = stage.client.get_workflow_handle(opened.id)
    first = stage.do(handle.describe()).run_id
    for number in range(200):
        note = AddNote(by="ann", text=f"note {number}")
        stage.do(send(stage.client, stage.do(handle.describe()), note, PATIENCE, EVERYONE))
        if stage.do(handle.describe()).run_id != first:
            break
    later = row_of(opened, on_stage)
    assert later["run_id"] != first
    assert (later["title"], later["last_update_at"]) == (row["title"], row["last_update_at"])
    [line] = [line for line in on_stage("list").out.splitlines() if line.startswith(f"INC-{opened.number} ")]
    assert "Evaluations fail" in line
    assert " ago " in line
