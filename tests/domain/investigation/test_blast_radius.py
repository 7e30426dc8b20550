"""The blast radius: suggested from what was measured, and asked for until a person assesses the incident."""

import pytest

from incidents.domain import apply_result as outcomes
from incidents.domain.activity_results import MetricsQueried
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import request
from incidents.domain.chat.activity_requests import PostMessage
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.investigation.activity_requests import QueryMetrics
from incidents.domain.investigation.blast_radius import BlastRadius, RegionProbed, suggest_blast_radius
from tests.support.incidents import RUNBOOK, T0, at, fulfil, keys, obligation, opened, settled

EU, US = RegionProbed(name="eu", healthy=False), RegionProbed(name="us", healthy=True)
AP = RegionProbed(name="ap", healthy=None)
ASK = "confirm-blast-radius"


@pytest.mark.parametrize(
    ("found", "suggested"),
    [
        (BlastRadius(), ""),
        (BlastRadius(regions=(US,), requests=0.0, customers=0), ""),
        (BlastRadius(regions=(US, AP)), ""),
        (BlastRadius(regions=(EU, US)), "1 of 2 regions failing (eu)"),
        (BlastRadius(regions=(EU, US, AP)), "1 of 3 regions failing (eu); not measured: ap"),
        (BlastRadius(regions=(EU,), requests=0.124), "1 of 1 regions failing (eu), 12% of requests failing"),
        (BlastRadius(regions=(US,), requests=0.004), "0 of 1 regions failing, under 1% of requests failing"),
        (BlastRadius(requests=1.0, customers=1), "100% of requests failing, 1 customer seen failing"),
        (BlastRadius(customers=37), "37 customers seen failing"),
    ],
)
def test_what_was_seen_failing_is_suggested_and_what_is_unknown_is_not_called_well(
    found: BlastRadius, suggested: str
) -> None:
    assert suggest_blast_radius(found) == suggested


def looked(incident: Incident, found: BlastRadius, minute: float = 1) -> Incident:
    """The incident after the look at the metrics."""
    owed = obligation(incident, "investigate/metrics")
    return outcomes.fulfilled(incident, owed, MetricsQueried(blast_radius=found), RUNBOOK, at(minute))


def lines(incident: Incident) -> list[str]:
    return [entry.text for entry in incident.timeline if entry.text.startswith("Suggested blast radius")]


def test_the_suggestion_is_shown_and_asked_for_until_a_person_assesses() -> None:
    incident = settled(looked(opened(), BlastRadius(regions=(EU, US))), at(1))
    text = "Suggested blast radius: 1 of 2 regions failing (eu). Confirm with `incident assess incident-x`"
    assert lines(incident) == [text]
    assert any(entry.text == text and entry.announce for entry in incident.timeline)
    first = obligation(incident, ASK)
    assert first.due == at(11)
    asked = request(first, incident, RUNBOOK, at(11))
    assert isinstance(asked, PostMessage)
    assert asked.text.endswith("Confirm with `incident assess 1`")
    incident = fulfil(incident, first, at(11))
    again = obligation(incident, ASK)
    assert (again.key, again.due) == (f"{ASK}/1", at(21))
    incident = apply_command(incident, c.Assess(by="ann", impact="Evaluation fails in the EU."), RUNBOOK, at(12))
    assert keys(incident, ASK) == []


def test_a_request_that_does_not_go_out_is_made_again_later() -> None:
    incident = settled(looked(opened(), BlastRadius(regions=(EU,))), at(1))
    incident = outcomes.failed(incident, obligation(incident, ASK), "down", RUNBOOK, at(30))
    assert obligation(incident, ASK).due == at(40)


def test_the_responder_is_asked_by_name() -> None:
    incident = settled(looked(opened(), BlastRadius(regions=(EU,))), at(1))
    incident = apply_command(incident, c.Acknowledge(by="ann"), RUNBOOK, at(2))
    asked = request(obligation(incident, ASK), incident, RUNBOOK, at(11))
    assert isinstance(asked, PostMessage)
    assert asked.mentions == ("ann",)


@pytest.mark.parametrize("found", [BlastRadius(regions=(US, AP)), None])
def test_without_a_suggestion_nobody_is_asked(found: BlastRadius | None) -> None:
    owed = obligation(opened(), "investigate/metrics")
    incident = outcomes.fulfilled(opened(), owed, MetricsQueried(blast_radius=found), RUNBOOK, at(1))
    incident = settled(incident, at(1))
    assert (lines(incident), keys(incident, ASK)) == ([], [])


def test_an_assessment_is_not_questioned() -> None:
    assessed = apply_command(opened(), c.Assess(by="ann", impact="All of it."), RUNBOOK, T0)
    incident = settled(looked(assessed, BlastRadius(regions=(EU,))), at(1))
    assert (lines(incident), keys(incident, ASK)) == ([], [])


def test_a_skipped_assessment_is_not_asked_for() -> None:
    incident = settled(looked(opened(), BlastRadius(regions=(EU,))), at(1))
    skip = c.SettleStep(by="ann", step="assess", how="skip", reason="known from the ticket")
    assert keys(apply_command(incident, skip, RUNBOOK, at(2)), ASK) == []


def test_the_look_asks_for_panels_the_database_and_the_blast_radius() -> None:
    rules = RUNBOOK.investigation.replace(
        panels={"Requests": "sum(rate(x[5m]))"},
        database={"connections": "pg_stat_activity_count"},
        blast_radius=RUNBOOK.investigation.blast_radius.replace(requests="ratio"),
    )
    incident = opened()
    asked = request(obligation(incident, "investigate/metrics"), incident, RUNBOOK.replace(investigation=rules), at(1))
    assert isinstance(asked, QueryMetrics)
    assert (asked.panels, asked.database, asked.blast_radius) == (rules.panels, rules.database, rules.blast_radius)
    assert asked.folder.endswith("/investigation-0")
    assert set(rules.preserved) == {*rules.metrics, "Requests", "connections"}, "their data is evidence, too"
