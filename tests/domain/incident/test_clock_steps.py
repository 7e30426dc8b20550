"""80: decisions take their time as a parameter, also where it steps back behind what the incident knows already."""

from incidents.domain import apply_event as facts
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.incident import commands as c
from incidents.domain.incident.measures import time_to_acknowledge
from incidents.domain.updates.publishing import next_due
from tests.support.incidents import RUNBOOK, T0, at, firing, keys, lived, opened, settled


def test_80_what_comes_before_the_last_entry_keeps_the_timeline_in_order() -> None:
    incident = lived(opened(), 0, 10)
    last = incident.timeline[-1].at
    for early in (c.Acknowledge(by="ann"), c.AddNote(by="ann", text="seen"), c.PostUpdate(by="ann", text="news")):
        before = len(incident.timeline)
        incident = apply_command(incident, early, RUNBOOK, at(5))
        assert len(incident.timeline) > before, "nothing is lost"
    incident = facts.alert_fired(incident, (firing("Late", at(4)),), RUNBOOK, at(4))
    assert {entry.at for entry in incident.timeline[-3:]} == {last}
    waited = time_to_acknowledge(incident)
    assert waited is not None
    assert waited.total_seconds() >= 0


def test_80_a_step_back_does_nothing_twice_and_nothing_too_early() -> None:
    incident = lived(opened(), 0, 31)
    published, due = incident.updates.count, next_due(incident, RUNBOOK)
    back = settled(incident, at(12))
    assert (back.updates.count, next_due(back, RUNBOOK)) == (published, due)
    assert back.timeline == incident.timeline
    assert [o.key for o in agenda(back, RUNBOOK) if o.due <= at(12)] == []


def test_80_when_something_is_due_follows_from_the_given_time_alone() -> None:
    incident = settled(opened(), T0)
    [key] = [key for key in keys(incident) if key == "update/2"]
    assert key in keys(lived(incident, 1, 29))
    assert key not in keys(settled(incident, at(30)))
