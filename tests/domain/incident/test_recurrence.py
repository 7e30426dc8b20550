"""An incident that repeats an earlier one links it (behaviours 9 and 64)."""

import pytest
from rich.console import Console

from incidents.app.starter import ByHand, declare
from incidents.cli.output.screen import IncidentScreen
from incidents.domain import apply_result as results
from incidents.domain.activity_results import ActivityResult, NumberAllocated
from incidents.domain.apply_command import apply_command
from incidents.domain.apply_event import postmortem_published
from incidents.domain.core.base import CommandRejected
from incidents.domain.incident.commands import Reopen, Resolve
from incidents.domain.incident.display.current_details import render_current_details
from incidents.domain.incident.display.summary import summary_text
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import open_incident
from incidents.domain.postmortem.document.markdown import Page, render
from incidents.domain.postmortem.figures.impact import figures
from tests.support.incidents import RUNBOOK, T0, WRITTEN, at, obligation, opened


def numbered(incident: Incident, result: ActivityResult) -> Incident:
    due = obligation(incident, "number")
    return results.fulfilled(incident, due, result, RUNBOOK, at(0))


def test_9_a_recurrence_is_in_the_timeline_the_summary_and_on_the_screens() -> None:
    incident = numbered(opened(), NumberAllocated(number=7, recurrence_of=3))
    assert "Repeats INC-3: see `incident show 3`" in [entry.text for entry in incident.timeline if entry.announce]
    assert "Repeats INC-3" in summary_text(incident, RUNBOOK, [])
    assert "Repeats INC-3" in render_current_details(incident, RUNBOOK).splitlines()
    console = Console(width=100)
    with console.capture() as shown:
        console.print(IncidentScreen(incident.replace(timeline=()), [], at(1)))
    assert "Repeats INC-3" in shown.get()


def test_9_a_recurrence_is_in_the_post_mortem() -> None:
    incident = numbered(opened(), NumberAllocated(number=7, recurrence_of=3))
    page = Page(
        incident=incident,
        document=WRITTEN,
        owner="ann",
        due="tomorrow",
        standing="Draft.",
        impact="Half of Europe.",
        figures=figures(incident, RUNBOOK),
        rows=(),
    )
    assert "| Repeats | INC-3 |" in render(page)
    assert "Repeats" not in render(page.replace(incident=opened().replace(number=7)))


def test_64_after_the_post_mortem_a_new_incident_links_the_old_one() -> None:
    incident = apply_command(opened().replace(number=3), Resolve(by="ann"), RUNBOOK, at(30))
    incident = postmortem_published(incident, at(90), "https://docs.example/3")
    with pytest.raises(CommandRejected, match=r"starter.py --repeats 3"):
        apply_command(incident, Reopen(by="ann", reason="it is back"), RUNBOOK, at(99))
    typed = ByHand(title="It is back", service="webhooks", severity="P1", by="ann", repeats=3)
    declared = declare(typed, RUNBOOK)
    opening = declared.opening.replace(alerted_at=T0)
    again = open_incident(opening, RUNBOOK, T0, workflow_id=declared.workflow_id, first_run_id="run-9")
    again = numbered(again, NumberAllocated(number=9))
    assert (again.number, again.recurrence_of) == (9, 3)
    assert "Repeats INC-3: see `incident show 3`" in [entry.text for entry in again.timeline]
