"""`incident open`: an incident by hand."""

from datetime import timedelta
from pathlib import Path

import pytest

from incidents.domain.incident.incident import Incident
from tests.cli.conftest import Incidental, Opened, Stage, point_at, reason, refused

WORDS = ("--service", "dashboard", "--severity", "p2", "--by", "ann")


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERT_SPOOL", str(tmp_path / "spool"))
    monkeypatch.delenv("PAGERDUTY_ROUTING_KEY", raising=False)  # it is the worker that pages
    monkeypatch.delenv("RUNBOOK_FILE", raising=False)


def state_of(stage: Stage, workflow_id: str) -> Incident:
    return Opened(stage, stage.client.get_workflow_handle(workflow_id)).state()


def test_an_incident_is_opened_by_hand(stage: Stage, on_stage: Incidental) -> None:
    found = on_stage("open", "Exports are slow", *WORDS, "--environment", "staging", "--private", "--json").document
    assert set(found) == {"workflow_id", "run_id", "number", "created", "action"}
    incident = state_of(stage, found["workflow_id"])
    assert (incident.title, incident.service, incident.severity) == ("Exports are slow", "dashboard", "P2")
    assert (incident.environment, incident.private, incident.drill) == ("staging", True, False)
    assert (incident.source, incident.reporter) == ("manual", "ann")


def test_the_answer_says_what_to_type_next(on_stage: Incidental) -> None:
    said = on_stage("open", "Exports are slow", *WORDS, "--repeats", "#7")
    assert (said.status, said.err) == (0, "")
    first, following = said.out.splitlines()
    number = first.partition(" ")[0].removeprefix("INC-")
    assert first == f"INC-{number} opened: P2 dashboard: Exports are slow"
    assert following == f"Next: `incident ack {number}`, then `incident assess {number} IMPACT`."
    assert on_stage("show", number, "--json").document["recurrence_of"] == 7


def test_what_is_wrong_is_refused_before_anything_is_sent(
    incident: Incidental, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(monkeypatch, "127.0.0.1:1")
    assert "the runbook has P0, P1, P2, P3. P0 Critical:" in refused(
        incident("open", "It fails", "--service", "api", "--severity", "?", "--by", "ann")
    )
    assert "must not be empty" in refused(incident("open", " ", *WORDS))
    for words in (("open", "It fails"), ("open", "It fails", *WORDS, "--repeats", "latest")):
        said = incident(*words)
        assert (said.status, said.out) == (2, "")
        assert reason(said)


def test_without_temporal_it_is_kept_on_disk(
    incident: Incidental, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    point_at(monkeypatch, "127.0.0.1:1")
    monkeypatch.setenv("PAGERDUTY_EVENTS_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("incidents.app.starter._CATCH_UP", timedelta())
    said = incident("open", "It fails", *WORDS)
    assert said.status == 3
    assert said.out.startswith("Not started yet: incident-")
    assert [*(tmp_path / "spool").iterdir()]
