"""`incident status`: how each open incident stands, and what is due next."""

from datetime import timedelta
from typing import Any

import pytest

from tests.cli.conftest import NOBODY, Incidental, Stage, refused


def test_status(stage: Stage, on_stage: Incidental) -> None:
    assert on_stage("status").out == "No open incidents.\n"
    assert on_stage("status", "--json").document == []
    first = stage.open("warning")
    said = on_stage("status", first.number)
    assert (said.status, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0].startswith(f"INC-{first.number} · P2 · investigating · ")
    assert lines[1].startswith("  open for ")
    assert lines[2] == "  Commander: unassigned · not acknowledged"
    second = stage.open("critical")
    rows = {row["number"]: row for row in until_both(on_stage)}
    assert set(rows) == {int(first.number), int(second.number)}
    assert {*rows[int(first.number)]} >= {"severity", "status", "service", "next", "partial"}
    assert {*rows[int(first.number)]["next"]} == {"summary", "due"}
    shown = on_stage("status").out.splitlines()
    assert [line.split(" ")[0] for line in shown if not line.startswith(" ")] == [
        f"INC-{second.number}",
        f"INC-{first.number}",
    ]


def until_both(on_stage: Incidental) -> list[dict[str, Any]]:
    """The rows, as soon as visibility knows both incidents."""
    for _ in range(100):
        rows: list[dict[str, Any]] = on_stage("status", "--json").document
        if len(rows) == 2:
            return rows
    raise AssertionError(rows)


def test_without_a_worker_it_says_what_is_known(
    stage: Stage, on_stage: Incidental, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incidents.client.asking.TIMEOUT", timedelta(seconds=1))
    orphan = stage.begin("warning", queue=NOBODY)
    said = on_stage("status", orphan.id)
    assert said.status == 1
    assert "investigating" in said.out
    assert "No worker answered" in said.why
    assert on_stage("status", orphan.id, "--json").document[0]["partial"] is True
    assert "424242 not found" in refused(on_stage("status", "424242"))
