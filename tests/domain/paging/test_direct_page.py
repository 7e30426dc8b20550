"""13: the page that is sent while Temporal is away is the one that the workflow sends first."""

import pytest

from incidents.domain.activity_requests import SendPage
from incidents.domain.agenda import agenda
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.build_request import request
from incidents.domain.incident.opening import open_incident
from incidents.domain.incident.state import Opening
from incidents.domain.obligation import ObligationKind
from incidents.domain.paging.direct_page import NoPageYet, direct_page
from tests.support.incidents import RUNBOOK, T0, at


def an_opening(severity: str, **more: object) -> Opening:
    fields = {"key": "dashboard:production", "title": "Slow", "service": "dashboard", "severity": severity}
    return Opening.model_validate(fields | {"alerted_at": T0, "source": "alertmanager"} | more)


@pytest.mark.parametrize("severity", ["P0", "P1", "P2"])
def test_13_the_direct_page_is_the_workflows_first_page(severity: str) -> None:
    opening, workflow_id = an_opening(severity), "incident-dashboard:production"
    sent = direct_page(opening, RUNBOOK, workflow_id, at(1))
    incident = open_incident(opening, RUNBOOK, at(9), workflow_id=workflow_id, first_run_id="run")
    [owed] = [o for o in agenda(incident, RUNBOOK) if o.kind is ObligationKind.PAGE]
    first = request(owed, incident, RUNBOOK, at(9))
    assert isinstance(first, SendPage)
    assert sent is not None
    assert sent == first.replace(key=sent.key), "the key names the workflow's run, which there is none of yet"
    assert first.dedup_key == workflow_id


def test_13_what_its_workflow_would_not_page_is_not_paged() -> None:
    assert direct_page(an_opening("P3"), RUNBOOK, "incident-x", at(0)) is None
    assert direct_page(an_opening("P0", drill=True), RUNBOOK, "incident-x", at(0)) is None


def test_13_a_severity_that_the_runbook_lacks_is_taken_as_the_workflow_takes_it() -> None:
    sent = direct_page(an_opening("SEV9"), RUNBOOK, "incident-x", at(0))
    assert sent is not None
    assert sent.summary.startswith(RUNBOOK.unknown_severity)


def test_13_nobody_is_paged_directly_within_a_maintenance_window() -> None:
    window = MaintenanceWindow(since=at(-5), until=at(30), service="dashboard", reason="upgrade")
    runbook = RUNBOOK.replace(maintenance=(window,))
    opening = an_opening("P0", by_alert=True)
    with pytest.raises(NoPageYet, match="maintenance window until"):
        direct_page(opening, runbook, "incident-x", at(0))
    assert direct_page(opening, runbook, "incident-x", at(30)) is not None
