"""What of an incident waits for a person: what is theirs by a role, and what is everyone's."""

from incidents.domain.apply_command import apply_command
from incidents.domain.chat.waiting import waits_for
from incidents.domain.incident import commands as c
from tests.domain.rollback.attempts import offered
from tests.support.incidents import RUNBOOK, T0, at, opened, settled


def test_an_incident_that_nobody_leads_waits_for_everyone() -> None:
    incident = settled(opened(), T0)
    expected = ["Acknowledge it", "Take command: it has no commander"]
    assert waits_for("zoe", incident, RUNBOOK) == expected


def test_decisions_wait_for_the_commander_and_updates_for_who_writes_them() -> None:
    incident = apply_command(offered(), c.Acknowledge(by="ann"), RUNBOOK, at(1))
    due = f"Write status update 2, due {RUNBOOK.calendar.in_brackets(at(30))}"
    assert waits_for("ann", incident, RUNBOOK) == ["Decide on the rollback of eu-001", due]
    handed = c.AssignRole(by="ann", role=c.Role.COMMUNICATIONS, person="sue")
    incident = apply_command(incident, handed, RUNBOOK, at(2))
    assert waits_for("ann", incident, RUNBOOK) == ["Decide on the rollback of eu-001"]
    assert waits_for("sue", incident, RUNBOOK) == [due]
    assert waits_for("zoe", incident, RUNBOOK) == []
    over = apply_command(incident, c.Resolve(by="ann", force=True, reason="x"), RUNBOOK, at(3))
    assert waits_for("ann", over, RUNBOOK) == []
