"""An alert within a maintenance window is recorded and waits; what still fires at its end opens then."""

from datetime import timedelta

import pytest

from incidents.domain import apply_event as events
from incidents.domain.agenda import agenda, surviving_agenda
from incidents.domain.alerting.alert import Alert
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.alerting.maintenance import windows_changed
from incidents.domain.apply_command import apply_command
from incidents.domain.apply_result import apply_due
from incidents.domain.config.loading import parse_runbook
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import CommandRejected
from incidents.domain.core.errors import RunbookError
from incidents.domain.core.status import Status
from incidents.domain.incident import commands as c
from incidents.domain.incident.display.summary import headline
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import open_incident, opening_from
from incidents.domain.obligation import ObligationKind
from tests.support.incidents import RUNBOOK, T0, TEXT, at, settled


def planned(**scope: str) -> RunbookConfig:
    window = MaintenanceWindow(since=at(-5), until=at(30), reason="database upgrade", **scope)
    return RUNBOOK.replace(maintenance=(window,))


WINDOW = planned(service="dashboard")


def an_alert(minute: float = 0, labels: dict[str, str] | None = None) -> Alert:
    named = {"alertname": "Slow", "service": "dashboard", "severity": "critical", "region": "eu", **(labels or {})}
    return Alert(name="Slow", labels=named, summary="Slow", started_at=at(minute), fingerprint="Slow")


def arrived(runbook: RunbookConfig = WINDOW, alert: Alert | None = None, minute: float = 0) -> Incident:
    alerts = (alert or an_alert(minute),)
    opening = opening_from(alerts, "k", runbook)
    incident = open_incident(opening, runbook, at(minute), workflow_id="incident-k", first_run_id="r")
    return events.alert_fired(incident, alerts, runbook, at(minute))


def kinds(incident: Incident, runbook: RunbookConfig = WINDOW) -> list[ObligationKind]:
    return [obligation.kind for obligation in agenda(incident, runbook)]


def at_its_end(incident: Incident) -> Incident:
    [due] = agenda(incident, WINDOW)
    assert due.due == at(30)
    return apply_due(incident, due, WINDOW, at(30))


def test_15_it_is_recorded_and_owes_nothing_but_to_look_at_the_end() -> None:
    incident = arrived()
    assert kinds(incident) == [ObligationKind.MAINTENANCE]
    assert [o.kind for o in surviving_agenda(incident, WINDOW)] == [ObligationKind.MAINTENANCE]
    assert not incident.updates.published
    assert "maintenance until 14:30 UTC" in headline(incident)
    assert any("database upgrade" in entry.text for entry in incident.timeline)


def test_15_what_still_fires_opens_then() -> None:
    incident = at_its_end(arrived())
    assert (incident.status, incident.opened_at, incident.episode.since) == (Status.INVESTIGATING, at(30), at(30))
    assert {ObligationKind.PAGE, ObligationKind.NUMBER} <= set(kinds(incident))
    assert len(incident.updates.published) == 1
    assert next(o for o in agenda(incident, WINDOW) if o.kind is ObligationKind.TARGET).due == at(35)


def test_15_what_ended_meanwhile_opens_nothing() -> None:
    ended = events.alert_resolved(arrived(), (an_alert().replace(ended_at=at(9)),), WINDOW, at(9))
    assert kinds(ended) == [ObligationKind.MAINTENANCE]
    over = at_its_end(ended)
    assert (over.closed, over.number, agenda(over, WINDOW)) == (True, None, [])


@pytest.mark.parametrize(
    ("scope", "labels", "waits"),
    [
        ({}, {}, True),
        ({"service": "dashboard", "environment": "production", "region": "eu"}, {}, True),
        ({"service": "webhooks"}, {}, False),
        ({"environment": "staging"}, {}, False),
        ({"environment": "staging"}, {"environment": "staging"}, True),
        ({"region": "us"}, {}, False),
    ],
)
def test_15_only_what_the_window_covers_waits(scope: dict[str, str], labels: dict[str, str], waits: bool) -> None:
    incident = arrived(planned(**scope), an_alert(labels=labels))
    assert (incident.alerting.waiting is not None) == waits


def test_15_before_and_after_it_nothing_waits() -> None:
    assert arrived(minute=-6).alerting.waiting is None
    assert arrived(minute=30).alerting.waiting is None


def test_15_what_a_person_opens_never_waits() -> None:
    opening = opening_from((an_alert(),), "k", WINDOW).replace(by_alert=False)
    incident = open_incident(opening, WINDOW, T0, workflow_id="incident-k", first_run_id="r")
    assert incident.alerting.waiting is None


def test_15_a_graver_alert_and_an_acknowledgement_pass_through() -> None:
    incident = arrived(WINDOW, an_alert(labels={"severity": "warning"}))
    graver = an_alert(5).replace(fingerprint="Down")
    incident = events.alert_fired(incident, (graver,), WINDOW, at(5))
    assert kinds(incident) == [ObligationKind.MAINTENANCE]
    incident = apply_command(incident, c.Acknowledge(by="ann"), WINDOW, at(6))
    opened = at_its_end(incident)
    assert (opened.severity, opened.paging.attended) == ("P0", True)


def test_15_the_runbook_is_checked() -> None:
    bad = "maintenance: [{since: 2026-12-01T23:00:00Z, until: 2026-12-01T22:00:00Z, reason: x}]"
    with pytest.raises(RunbookError, match="a maintenance window ends after it begins"):
        parse_runbook(TEXT.replace("maintenance: []", bad))
    assert timedelta(minutes=35) == WINDOW.maintenance[0].until - WINDOW.maintenance[0].since


def over_within(runbook: RunbookConfig = WINDOW, alert: Alert | None = None) -> Incident:
    """A resolved P1 of before the window in which an alert fires at minute 5."""
    label = {"severity": "high"}
    incident = settled(arrived(RUNBOOK, an_alert(-60, labels=label), minute=-60), at(-60))
    incident = events.alert_resolved(incident, (an_alert().replace(ended_at=at(-50)),), runbook, at(-50))
    incident = apply_command(incident, c.Resolve(by="ann", force=True, reason="x"), runbook, at(-40))
    return events.alert_fired(settled(incident, at(-40)), (alert or an_alert(5),), runbook, at(5))


def test_15_an_incident_that_is_over_is_not_reopened_within_a_window() -> None:
    incident = over_within()
    assert (incident.status, incident.times_resolved) == (Status.RESOLVED, 1)
    assert not [o for o in agenda(incident, WINDOW) if o.kind in (ObligationKind.PAGE, ObligationKind.NOTICE)]
    assert headline(incident).count("resolved") == 1
    assert over_within(planned(region="us")).status == Status.INVESTIGATING, "another region"
    other = an_alert(6, {"service": "webhooks"}).replace(fingerprint="Other")
    assert events.alert_fired(incident, (other, an_alert(6)), WINDOW, at(6)).status == Status.INVESTIGATING
    assert events.alert_fired(incident, (an_alert(31),), WINDOW, at(31)).status == Status.INVESTIGATING


def test_15_what_still_fires_at_the_end_reopens_then_at_the_alerts_severity() -> None:
    incident = over_within()
    due = next(o for o in agenda(incident, WINDOW) if o.kind is ObligationKind.MAINTENANCE)
    assert due.due == at(30)
    reopened = apply_due(incident, due, WINDOW, at(30))
    assert (reopened.status, reopened.severity, reopened.alerting.waiting) == (Status.INVESTIGATING, "P0", None)
    assert ObligationKind.PAGE in kinds(reopened)


def test_15_what_ended_within_the_window_reopens_nothing() -> None:
    ended = events.alert_resolved(over_within(), (an_alert().replace(ended_at=at(9)),), WINDOW, at(9))
    due = next(o for o in agenda(ended, WINDOW) if o.kind is ObligationKind.MAINTENANCE)
    left = apply_due(ended, due, WINDOW, at(30))
    assert (left.status, left.alerting.waiting) == (Status.RESOLVED, None)


def test_15_the_incident_does_not_close_before_the_window_ends() -> None:
    long = RUNBOOK.replace(maintenance=(WINDOW.maintenance[0].replace(until=at(60 * 24 * 30)),))
    incident = over_within(long)
    close = next(o for o in agenda(incident, long) if o.kind is ObligationKind.CLOSE)
    assert close.due == at(60 * 24 * 30)


def test_15_a_person_reopens_within_a_window() -> None:
    incident = apply_command(over_within(), c.Reopen(by="ann", reason="not fixed"), WINDOW, at(6))
    assert (incident.status, incident.alerting.waiting) == (Status.INVESTIGATING, None)
    assert ObligationKind.CHECK_ACTIVITY in kinds(incident)


def at_end_of(incident: Incident, runbook: RunbookConfig, minute: float) -> Incident:
    [due] = agenda(incident, runbook)
    assert due.due == at(minute)
    return apply_due(incident, due, runbook, at(minute))


def test_15_an_alert_that_the_window_does_not_cover_opens_what_waits() -> None:
    runbook = planned(region="eu")
    incident = arrived(runbook)
    other = an_alert(9, {"region": "us"}).replace(fingerprint="us")
    incident = events.alert_fired(incident, (other, an_alert()), runbook, at(9))
    assert (incident.alerting.waiting, incident.opened_at) == (None, at(9))
    assert ObligationKind.PAGE in kinds(incident, runbook)
    assert len(incident.updates.published) == 1
    repeated = events.alert_fired(incident, (an_alert(),), runbook, at(10))
    assert repeated.alerting.waiting is None, "what is open never waits again"


def test_15_windows_one_after_the_other_are_one_wait() -> None:
    first = MaintenanceWindow(since=at(-5), until=at(30), reason="upgrade")
    runbook = RUNBOOK.replace(maintenance=(first, first.replace(since=at(30), until=at(60), reason="reboot")))
    incident = at_end_of(arrived(runbook), runbook, 30)
    assert (incident.updates.published, kinds(incident, runbook)) == ((), [ObligationKind.MAINTENANCE])
    assert any("reboot" in entry.text for entry in incident.timeline)
    assert ObligationKind.PAGE in kinds(at_end_of(incident, runbook, 60), runbook)


def test_15_the_first_window_to_end_of_several_alerts_decides() -> None:
    eu = MaintenanceWindow(since=at(-5), until=at(60), region="eu", reason="upgrade")
    runbook = RUNBOOK.replace(maintenance=(eu, eu.replace(until=at(20), region="us")))
    us = an_alert(1, {"region": "us"}).replace(fingerprint="us")
    incident = events.alert_fired(arrived(runbook), (us,), runbook, at(1))
    assert ObligationKind.PAGE in kinds(at_end_of(incident, runbook, 20), runbook)


def test_15_nothing_is_published_of_what_waits() -> None:
    incident = arrived(WINDOW, an_alert(labels={"severity": "warning"}))
    incident = events.alert_fired(incident, (an_alert(5).replace(fingerprint="Down"),), WINDOW, at(5))
    assert incident.severity == "P0"
    with pytest.raises(CommandRejected, match="not open until its maintenance window ends"):
        apply_command(incident, c.PostUpdate(by="ann", text="We look into it."), WINDOW, at(6))
    resolved = apply_command(
        incident, c.Resolve(by="ann", text="Done.", force=True, reason="no incident"), WINDOW, at(7)
    )
    assert (resolved.status, resolved.updates.published) == (Status.RESOLVED, ())
    assert "resolved" in headline(resolved)


def started(minute: float = 30) -> MaintenanceWindow:
    return MaintenanceWindow(since=at(-1), until=at(minute), service="dashboard", reason="by hand")


def in_started_window(minute: float = 30) -> Incident:
    opening = opening_from((an_alert(),), "k", RUNBOOK).replace(maintenance=(started(minute),))
    incident = open_incident(opening, RUNBOOK, T0, workflow_id="incident-k", first_run_id="r")
    return events.alert_fired(incident, (an_alert(),), RUNBOOK, T0)


def test_15_a_window_that_a_responder_started_counts_as_a_planned_one() -> None:
    assert kinds(in_started_window(), RUNBOOK) == [ObligationKind.MAINTENANCE]


def test_15_the_early_end_of_a_started_window_opens_what_fires_and_a_longer_one_is_waited_for() -> None:
    opened = windows_changed(in_started_window(), (), RUNBOOK, at(5))
    assert ObligationKind.PAGE in kinds(opened, RUNBOOK)
    longer = windows_changed(in_started_window(), (started(90),), RUNBOOK, at(5))
    assert [(o.kind, o.due) for o in agenda(longer, RUNBOOK)] == [(ObligationKind.MAINTENANCE, at(90))]
    assert windows_changed(opened, (started(),), RUNBOOK, at(6)).alerting.waiting is None


def test_15_a_window_that_is_ended_early_lets_what_fires_reopen_at_once() -> None:
    started = WINDOW.maintenance[0]
    incident = windows_changed(over_within(), (started,), RUNBOOK, at(6))
    assert windows_changed(incident, (started,), RUNBOOK, at(7)).status == Status.RESOLVED
    shorter = started.replace(until=at(8))
    reopened = windows_changed(incident, (shorter,), RUNBOOK, at(8))
    assert (reopened.status, reopened.alerting.waiting) == (Status.INVESTIGATING, None)
