"""An alert that flaps: one page, one flag, one message, and a quiet period that doubles to a cap."""

from datetime import timedelta

from incidents.domain import apply_event as events
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.core.severity import Severity
from incidents.domain.core.status import Status
from incidents.domain.incident import commands as c
from incidents.domain.incident.display.summary import headline
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import ObligationKind
from incidents.domain.updates.state import UpdateKind
from tests.support.incidents import RUNBOOK, T0, at, firing, lived, opened, settled


def fire(incident: Incident, minute: float, name: str = "Errors") -> Incident:
    return settled(events.alert_fired(incident, (firing(name, at(minute)),), RUNBOOK, at(minute)), at(minute))


def end(incident: Incident, minute: float, name: str = "Errors") -> Incident:
    alert = firing(name).replace(ended_at=at(minute))
    return settled(events.alert_resolved(incident, (alert,), RUNBOOK, at(minute)), at(minute))


def flapped(incident: Incident, cycles: int, every: float = 1.5) -> Incident:
    """Each cycle fires for half of the time."""
    for cycle in range(cycles):
        incident = end(fire(incident, cycle * every), (cycle + 0.5) * every)
    return incident


def new(severity: Severity = "P1") -> Incident:
    return settled(opened(severity), T0)


def announced(incident: Incident, word: str) -> list[str]:
    return [entry.text for entry in incident.timeline if entry.announce and word in entry.text]


def quiet_minutes(incident: Incident) -> float:
    [duty] = [o for o in agenda(incident, RUNBOOK) if o.kind is ObligationKind.QUIET]
    return (duty.due - duty.since) / timedelta(minutes=1)


def test_8_five_cycles_are_one_page_one_flag_and_no_update() -> None:
    incident = flapped(new(), 5)
    assert [call.key for call in incident.paging.calls if call.calling is not None] == ["page/0/P1"]
    assert "page-resolve/0" not in incident.ledger.fulfilled, "the page stays open"
    assert len(announced(incident, "Flapping: Errors is high fired 3 times within 30m")) == 1
    assert announced(incident, "Alert ended") == announced(incident, "Alert firing") == []
    assert [update.kind for update in incident.updates.published] == [UpdateKind.INITIAL]
    assert incident.status == Status.INVESTIGATING
    assert "flapping" in headline(incident)
    assert len([e for e in incident.timeline if e.text.startswith("Alert ended")]) == 5, "all of it is recorded"


def test_8_the_quiet_period_doubles_to_a_cap() -> None:
    found = [quiet_minutes(flapped(new(), cycles)) for cycles in range(1, 8)]
    assert found == [2, 4, 8, 16, 30, 30, 30]


def test_8_when_it_stays_quiet_that_is_one_message_and_the_flag_goes() -> None:
    incident = lived(flapped(new(), 3), 4, 14)
    assert len(announced(incident, "Alert ended")) == 1
    assert "nothing has fired for 8m, no longer flapping" in announced(incident, "Alert ended")[0]
    assert not incident.alerting.flapping
    assert incident.status == Status.MONITORING, "6: nobody was on it, and it ended soon"
    assert "page-resolve/0" in incident.ledger.fulfilled


def test_8_firings_far_apart_are_no_flapping() -> None:
    incident = apply_command(new(), c.Acknowledge(by="ann"), RUNBOOK, at(0))
    for minute in (0, 40, 80, 120):
        incident = lived(end(fire(incident, minute), minute + 5), minute + 5, minute + 10)
    assert not announced(incident, "Flapping")
    assert len(announced(incident, "Alert ended")) == 4
    assert len(announced(incident, "Alert firing")) == 3, "each after the first"


def test_8_another_alert_is_announced_while_one_flaps() -> None:
    incident = fire(flapped(new(), 4), 7, "Other")
    assert len(announced(incident, "Alert firing: Other is high")) == 1


def test_8_one_of_two_that_flaps_is_flagged_and_muted_too() -> None:
    incident = fire(new(), 0, "Steady")
    for cycle in range(5):
        incident = end(fire(incident, 1 + cycle), 1.5 + cycle)
    assert len(announced(incident, "Flapping: Errors is high")) == 1
    assert len(announced(incident, "Alert ended")) == 1, "the first end, before anybody could know"
    assert incident.alerting.quiet_until is None, "the other still fires"


def test_7_once_a_person_is_on_it_the_end_is_said_and_never_acted_on() -> None:
    incident = apply_command(new(), c.Acknowledge(by="ann"), RUNBOOK, at(0))
    incident = lived(end(fire(incident, 0), 1), 1, 20)
    assert incident.status == Status.INVESTIGATING
    assert len(announced(incident, "Alert ended: Errors is high (nothing has fired for 2m)")) == 1


def test_8_without_a_quiet_period_the_end_counts_at_once() -> None:
    rules = RUNBOOK.intake.flapping.replace(quiet_for=timedelta())
    runbook = RUNBOOK.replace(intake=RUNBOOK.intake.replace(flapping=rules))
    incident = fire(new(), 0)
    ended = events.alert_resolved(incident, (firing("Errors").replace(ended_at=at(1)),), runbook, at(1))
    [duty] = [o for o in agenda(ended, runbook) if o.kind is ObligationKind.QUIET]
    assert duty.due == at(1)
    assert announced(ended, "Alert ended") == ["Alert ended: Errors is high"]
