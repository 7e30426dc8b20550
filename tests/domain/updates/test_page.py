"""What the status page and our own site show: words, regions and components, and what of a private incident."""

import pytest

from incidents.domain.activity_requests import PublishStatus
from incidents.domain.alerting.state import AlertState
from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.status import Status
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import open_incident
from incidents.domain.incident.state import Opening
from incidents.domain.updates.obligations import deliveries
from tests.domain.updates.test_audience import assessed, components, told
from tests.support.incidents import RUNBOOK, T0, opened, settled


def page_of(incident: Incident, config: RunbookConfig) -> PublishStatus:
    page = told(incident, config, Channel.STATUS_PAGE)
    assert isinstance(page, PublishStatus)
    return page


def in_regions(*names: str) -> Incident:
    """An incident with an alert of each region, as alerts name them."""
    incident = settled(opened(), T0)
    alerts = tuple(AlertState(name="E", fingerprint=name, title="E", started_at=T0, region=name) for name in names)
    return incident.replace(alerting=incident.alerting.replace(alerts=alerts))


def test_our_own_site_gets_the_words_without_the_mails_frame() -> None:
    page = page_of(assessed(settled(opened(), T0), RUNBOOK, services=("Webhooks",), title="Flags fail"), RUNBOOK)
    assert (page.headline, page.words) == ("Flags fail", "We are on it.")
    assert "We are on it." in page.body
    assert page.affected == {"Flag evaluation": "major_outage", "Webhooks": "major_outage"}


@pytest.mark.parametrize(
    ("regions", "shown"),
    [
        ((), ()),
        (("eu",), ("Europe",)),
        (("us", "eu"), ("Europe", "United States")),
        (("eu", ""), ()),
        (("eu", "mars"), ()),
    ],
)
def test_our_own_site_shows_regions_where_every_alert_names_one(
    regions: tuple[str, ...], shown: tuple[str, ...]
) -> None:
    assert page_of(in_regions(*regions), RUNBOOK).regions == shown


def test_a_component_of_one_region_changes_with_that_region() -> None:
    mapped = {"flag-evaluation/eu": "c-eu", "flag-evaluation/us": "c-us"}
    config = RUNBOOK.replace(status_page=RUNBOOK.status_page.replace(components=mapped))
    assert components(in_regions("eu"), config) == {"c-eu": "major_outage"}
    assert components(in_regions(), config) == {"c-eu": "major_outage", "c-us": "major_outage"}


def test_24_a_private_incident_is_never_on_the_status_page() -> None:
    opening = Opening(
        key="k", title="Break-in", service="dashboard", severity="P0", alerted_at=T0, source="ann", private=True
    )
    incident = open_incident(opening, RUNBOOK, T0, workflow_id="incident-x", first_run_id="run-1").replace(number=7)
    assert not [owed for owed in deliveries(incident, RUNBOOK) if owed.subject == Channel.STATUS_PAGE]


def test_24_the_end_of_an_incident_that_became_private_replaces_what_our_site_said() -> None:
    ended = settled(opened(), T0).replace(private=True, status=Status.RESOLVED)
    page = page_of(ended, RUNBOOK)
    assert (page.headline, page.words, page.withdrawn) == ("Incident closed", "INC-1 is closed.\n", True)
    assert (page.affected, page.regions, page.impact) == ({}, (), "none")


def test_24_an_update_of_an_incident_that_became_private_removes_it_while_it_is_open() -> None:
    page = page_of(settled(opened(), T0).replace(private=True), RUNBOOK)
    assert (page.headline, page.words, page.withdrawn, page.impact) == ("Incident closed", "", True, "none")
