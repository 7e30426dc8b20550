"""24: an incident that becomes private is removed from the status page that showed it."""

from incidents.domain.activity_requests import PublishStatus
from incidents.domain.build_request import request
from incidents.domain.incident.incident import Incident
from incidents.domain.updates.obligations import redact_page, redaction_owed
from tests.support.incidents import RUNBOOK, T0, at, fulfil, opened, settled


def private(incident: Incident) -> Incident:
    """The incident as the workflow has it once it has become private."""
    return redact_page(incident.replace(private=True))


def test_24_what_the_page_showed_is_removed_once() -> None:
    incident = private(settled(opened(), T0))
    [owed] = redaction_owed(incident, RUNBOOK)
    asked = request(owed, incident, RUNBOOK, at(5))
    assert isinstance(asked, PublishStatus)
    assert (asked.withdrawn, asked.words, asked.affected, asked.components) == (True, "", {}, {})
    assert (asked.marker, asked.sequence) == ("run-1", incident.updates.count)
    assert "Evaluation" not in f"{asked.title}{asked.body}{asked.headline}"
    done = fulfil(incident, owed, at(5))
    [again] = redaction_owed(done, RUNBOOK)
    assert done.ledger.settled(again.key)


def test_24_what_no_page_showed_is_not_removed() -> None:
    incident = settled(opened("P3"), T0)
    assert private(incident).updates == incident.updates
    assert list(redaction_owed(private(incident), RUNBOOK)) == []


def test_24_an_incident_of_a_history_from_before_owes_no_removal() -> None:
    """It became private, and its workflow did not ask for it."""
    assert list(redaction_owed(settled(opened(), T0).replace(private=True), RUNBOOK)) == []
