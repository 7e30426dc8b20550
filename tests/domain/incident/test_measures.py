"""99: time to detect and time to acknowledge, the same in post-mortem, report and search attributes."""

from datetime import timedelta
from typing import Any

from incidents.domain.activity_results import ActivityResult
from incidents.domain.apply_command import apply_command
from incidents.domain.apply_result import begun, fulfilled
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.measures import DEFINITIONS, time_to_acknowledge, time_to_detect
from incidents.domain.postmortem.figures.impact import figures
from incidents.domain.reporting.pages import as_html, as_markdown
from incidents.domain.reporting.record import record_of
from incidents.domain.reporting.report import report
from incidents.search_attributes import ACK_SECONDS, values
from tests.support.incidents import RUNBOOK, T0, at, obligation, opened


def paged(when: float = 3, **result: Any) -> Incident:
    """A P0 whose page went out some minutes after its alert."""
    incident = opened().replace(number=1)
    page = obligation(incident, "page/")
    return fulfilled(begun(incident, page, RUNBOOK), page, ActivityResult(**result), RUNBOOK, at(when))


def acknowledged(incident: Incident, minute: float) -> Incident:
    return apply_command(incident, c.Acknowledge(by="ann"), RUNBOOK, at(minute))


def corrected(incident: Incident, which: c.Mark, minute: float, when: float = 60) -> Incident:
    command = c.CorrectTime(by="ann", which=which, to=at(minute), reason="the graph")
    return apply_command(incident, command, RUNBOOK, at(when))


def test_99_time_to_acknowledge_counts_from_the_first_page() -> None:
    incident = acknowledged(paged(), 7)
    assert time_to_acknowledge(incident) == timedelta(minutes=4)
    assert values(incident, RUNBOOK)[ACK_SECONDS.name] == 240
    assert figures(incident, RUNBOOK).acknowledge == timedelta(minutes=4)
    assert record_of(incident, RUNBOOK).acknowledge == timedelta(minutes=4)
    repaged = incident.replace(paging=incident.paging.replace(last_paged_at=at(40)))
    assert time_to_acknowledge(repaged) == timedelta(minutes=4), "the first page, whatever followed"


def test_99_and_from_the_alert_where_nobody_was_paged() -> None:
    unpaged = paged(skipped="PagerDuty is not configured")
    assert time_to_acknowledge(acknowledged(unpaged, 7)) == timedelta(minutes=7)
    early = corrected(acknowledged(paged(), 7), c.Mark.ACKNOWLEDGED, 2)
    assert time_to_acknowledge(early) == timedelta(minutes=2), "acknowledged before the page went out"
    assert time_to_acknowledge(paged()) is None


def test_99_time_to_detect_is_from_the_corrected_start_to_the_alert() -> None:
    incident = acknowledged(paged(), 7)
    assert time_to_detect(incident) is None, "unknown while nobody has looked"
    incident = corrected(corrected(incident, c.Mark.STARTED, -20), c.Mark.STARTED, -25)
    assert time_to_detect(incident) == timedelta(minutes=25)
    assert time_to_acknowledge(incident) == timedelta(minutes=4), "the correction changes nothing of it"
    found = figures(incident, RUNBOOK)
    assert found.detect == timedelta(minutes=25)
    assert [(phase.name, phase.until - phase.since) for phase in found.phases] == [
        ("start to detection", timedelta(minutes=25)),
        ("detection to acknowledgement", timedelta(minutes=7)),
    ]


def test_99_the_report_has_both_and_defines_them() -> None:
    first = corrected(acknowledged(paged(), 7), c.Mark.STARTED, -25)
    second = acknowledged(paged(), 5).replace(first_run_id="run-2", number=2)
    records = [record_of(incident, RUNBOOK) for incident in (first, second)]
    found = report(records, (), RUNBOOK, T0 - timedelta(days=1), T0 + timedelta(days=1), at(99))
    assert found.detect is not None
    assert (found.detect.count, found.detect.median) == (1, timedelta(minutes=25))
    assert found.acknowledge is not None
    assert (found.acknowledge.count, found.acknowledge.median) == (2, timedelta(minutes=3))
    for page in (as_markdown(found), as_html(found)):
        for definition in DEFINITIONS:
            assert definition in page


def test_99_a_record_of_an_older_version_counts_from_the_start() -> None:
    old = record_of(acknowledged(paged(), 7), RUNBOOK).replace(acknowledge=None)
    found = report([old], (), RUNBOOK, T0 - timedelta(days=1), T0 + timedelta(days=1), at(99))
    assert found.lines[0].acknowledge == timedelta(minutes=7)
