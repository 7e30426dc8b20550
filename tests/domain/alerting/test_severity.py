"""A graver alert raises its incident, pages anew and says so; no alert ever lowers one."""

import pytest

from incidents.domain import apply_event as events
from incidents.domain.activity_requests import SendPage, SettlePage
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import request
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.severity import Severity
from incidents.domain.core.status import Status
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from tests.support.incidents import RUNBOOK, at, firing, keys, obligation, opened, settled


def fired(
    incident: Incident, minute: float, label: str, name: str = "Errors", runbook: RunbookConfig = RUNBOOK
) -> Incident:
    alert = firing(name, at(minute))
    alert = alert.replace(labels={**alert.labels, "severity": label})
    return events.alert_fired(incident, (alert,), runbook, at(minute))


def acknowledged(severity: Severity, label: str) -> Incident:
    incident = settled(fired(opened(severity), 0, label), at(0))
    return settled(apply_command(incident, c.Acknowledge(by="ann"), RUNBOOK, at(1)), at(1))


def announced(incident: Incident) -> list[str]:
    return [entry.text for entry in incident.timeline if entry.announce]


def pages(incident: Incident) -> list[str]:
    return [key for key in incident.ledger.fulfilled if key.startswith("page/")]


def test_85_a_graver_alert_raises_at_once_pages_anew_and_says_so() -> None:
    incident = acknowledged("P3", "info")
    assert pages(incident) == []
    raised = fired(incident, 60, "critical", "Down")
    assert (raised.severity, raised.highest_severity) == ("P0", "P0")
    assert raised.episode.since == at(60)
    assert raised.updates.published[-1].channels == RUNBOOK.policy("P0").updates.channels
    assert any(text == "Severity P3 → P0 (alert: Down is high)" for text in announced(raised))
    assert any("acknowledged as P3" in text for text in announced(raised))
    assert keys(raised, "page/")[:1] == ["page/1/P0"]
    assert pages(settled(raised, at(60))) == ["page/1/P0"]


def test_85_a_page_that_nobody_acknowledged_is_replaced_by_the_graver_one() -> None:
    incident = settled(fired(opened("P1"), 0, "high"), at(0))
    raised = fired(incident, 3, "critical", "Down")
    page = request(obligation(raised, "page/1"), raised, RUNBOOK, at(3))
    assert isinstance(page, SendPage)
    assert (page.dedup_key, page.severity) == ("incident-x/1", "critical")
    old = request(obligation(raised, "page-resolve/0"), raised, RUNBOOK, at(3))
    assert isinstance(old, SettlePage)
    assert (old.dedup_key, old.action) == ("incident-x", "resolve")
    assert not any("the acknowledgement was" in text for text in announced(raised))


def test_85_what_a_person_has_judged_does_not_raise_again() -> None:
    incident = acknowledged("P0", "critical")
    lowered = apply_command(incident, c.DeclareSeverity(by="ann", severity="P2", reason="one tenant"), RUNBOOK, at(5))
    assert fired(lowered, 10, "critical").severity == "P2", "a repeated notification"
    ended = firing("Errors").replace(ended_at=at(11))
    again = fired(events.alert_resolved(lowered, (ended,), RUNBOOK, at(11)), 40, "critical")
    assert again.severity == "P2", "the same alert, firing anew"
    assert fired(again, 41, "critical", "Other").severity == "P0", "another alert was not judged"


def test_85_a_judged_alert_that_gets_worse_is_news() -> None:
    incident = acknowledged("P2", "warning")
    confirmed = apply_command(incident, c.DeclareSeverity(by="ann", severity="P3"), RUNBOOK, at(5))
    assert fired(confirmed, 6, "warning").severity == "P3"
    assert fired(confirmed, 6, "critical").severity == "P0"


def test_85_no_alert_ever_lowers() -> None:
    incident = acknowledged("P0", "critical")
    joined = fired(incident, 5, "info", "Minor")
    assert joined.severity == "P0"
    assert joined.paging == incident.paging


def test_85_a_graver_alert_ends_the_monitoring() -> None:
    incident = apply_command(acknowledged("P2", "warning"), c.Monitor(by="ann"), RUNBOOK, at(5))
    raised = fired(incident, 6, "critical")
    assert (raised.status, raised.severity) == (Status.INVESTIGATING, "P0")
    assert keys(raised, "page/")[:1] == ["page/1/P0"]


def test_85_one_more_than_are_remembered_raises_too() -> None:
    incident = opened("P3")
    for number in range(200):
        incident = fired(incident, 0, "info", f"A{number}")
    raised = fired(incident, 1, "critical", "Down")
    assert raised.severity == "P0"
    lowered = apply_command(raised, c.DeclareSeverity(by="ann", severity="P3"), RUNBOOK, at(2))
    assert fired(lowered, 3, "critical", "Down").severity == "P3", "it is remembered as judged"


def storm(incident: Incident, minute: float, numbers: range) -> Incident:
    for number in numbers:
        incident = fired(incident, minute, "critical", f"Pod{number}")
    return incident


def test_85_a_storm_of_more_than_are_remembered_does_not_override_a_person() -> None:
    incident = storm(opened("P0"), 0, range(260))
    lowered = apply_command(incident, c.DeclareSeverity(by="ann", severity="P2", reason="one pool"), RUNBOOK, at(2))
    again = storm(lowered, 3, range(260))
    assert again.severity == "P2"
    assert storm(again, 4, range(260)).severity == "P2", "nor the next time"
    resolved = apply_command(lowered, c.Resolve(by="ann", force=True, reason="x"), RUNBOOK, at(10))
    assert fired(resolved, 20, "critical", "Pod250").severity == "P2", "nor does it reopen as more"
    fewer = apply_command(storm(opened("P3"), 0, range(3)), c.DeclareSeverity(by="ann", severity="P2"), RUNBOOK, at(2))
    assert storm(fewer, 3, range(10, 11)).severity == "P0", "where all are remembered, another one is news"


def test_85_a_batch_of_graver_alerts_is_not_all_remembered() -> None:
    incident = opened("P3")
    for number in range(200):
        incident = fired(incident, 0, "info", f"A{number}")
    alerts = tuple(
        alert.replace(labels={**alert.labels, "severity": "critical"})
        for alert in (firing(f"Pod{number}", at(1)) for number in range(50))
    )
    raised = events.alert_fired(incident, alerts, RUNBOOK, at(1))
    assert (raised.severity, len(raised.alerting.alerts)) == ("P0", 201)


def test_85_the_runbook_may_leave_it_to_people() -> None:
    runbook = RUNBOOK.replace(intake=RUNBOOK.intake.replace(raise_on_graver_alert=False))
    assert fired(opened("P3"), 1, "critical", runbook=runbook).severity == "P3"


def test_11_an_alert_without_a_known_severity_asks_and_raises_nothing() -> None:
    joined = fired(opened("P3"), 1, "strange")
    assert joined.severity == "P3"
    assert announced(joined)[-1] == "Errors is high has no known severity: check that P3 is right"
    assert not any("states no known" in text for text in announced(fired(opened("P1"), 1, "strange")))


@pytest.mark.parametrize(("first", "then", "expected"), [("P2", "critical", "P0"), ("P0", "info", "P0")])
def test_86_a_reopening_takes_the_worse_of_the_two(first: Severity, then: str, expected: Severity) -> None:
    incident = settled(fired(opened(first), 0, first), at(0))
    resolved = apply_command(incident, c.Resolve(by="ann", force=True, reason="x"), RUNBOOK, at(10))
    again = fired(resolved, 20, then, "Again")
    assert (again.status, again.severity, again.episode.severity) == (Status.INVESTIGATING, expected, expected)
    assert again.highest_severity == "P0"
    assert again.updates.published[-1].severity == expected
    assert len(again.updates.published) == len(resolved.updates.published) + 1, "one update, not two"
    assert pages(settled(again, at(20)))[-1] == f"page/1/{again.highest_severity}"


def test_86_a_reopening_by_a_judged_alert_keeps_the_lower_severity() -> None:
    lowered = apply_command(acknowledged("P0", "critical"), c.DeclareSeverity(by="ann", severity="P2"), RUNBOOK, at(5))
    resolved = apply_command(lowered, c.Resolve(by="ann"), RUNBOOK, at(10))
    assert fired(resolved, 20, "critical").severity == "P2"
