"""What the page of an incident is made of, from the incident alone."""

import re
from typing import get_args

from starlette.requests import Request

from incidents.app.settings import Settings
from incidents.domain import apply_event
from incidents.domain import apply_result as outcomes
from incidents.domain.activity_results import ActivityResult
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import IncidentCommand, apply_command
from incidents.domain.incident import commands
from incidents.domain.incident.display.glance import rollback_parts
from incidents.domain.incident.display.timeline_filter import Part
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.visibility import may_see
from incidents.domain.people.config import DirectoryEntry
from incidents.domain.people.directory import NOBODY, PeopleDirectory
from incidents.domain.people.permissions import EVERYONE
from incidents.domain.preview.command import preview_command
from incidents.domain.rollback.state import RollbackState, RollbackStatus
from incidents.gateway.web.access import Person
from incidents.gateway.web.actions import ACTIONS, ELSEWHERE, buttons, find_action
from incidents.gateway.web.incident_view import incident_view, timeline_part
from incidents.gateway.web.rendering import Renderer
from tests.support.fake_activities import an_offer
from tests.support.incidents import RUNBOOK, at, firing, obligation, opened

ANN = PeopleDirectory({"ann": DirectoryEntry(email="oncall@featuresignals.com")})


def noted(count: int, text: str = "note") -> Incident:
    incident = opened()
    for number in range(count):
        incident = apply_command(incident, commands.AddNote(by="ann", text=f"{text} {number}"), RUNBOOK, at(number))
    return incident


def rendered(incident: Incident) -> str:
    request = Request({"type": "http", "path": "/incidents/1", "query_string": b"", "headers": [], "session": {}})
    answer = Renderer(Settings()).page(
        request,
        Person(name="ann"),
        "incident.html.j2",
        view=incident_view(incident, agenda(incident, RUNBOOK), (), RUNBOOK, at(60)),
        warning="",
        timeline=timeline_part(incident.timeline, Part.ALL, 0),
        filters=tuple(Part),
        probes={},
        buttons=buttons(incident, "/incidents/1", "ann", EVERYONE),
    )
    return bytes(answer.body).decode()


def test_a_page_stays_small_whatever_is_written_into_it() -> None:
    incident = noted(80, "a long line & more, " * 240)
    for number in range(12):
        words = commands.PostUpdate(by="ann", text="Half of all evaluations fail. " * 150)
        incident = apply_command(incident, words, RUNBOOK, at(100 + number))
    page = rendered(incident)
    assert 30_000 < len(page.encode()) < 60_000


def test_the_timeline_is_continued_where_it_ended() -> None:
    incident, before, seen = apply_event.alert_fired(noted(90), (firing(),), RUNBOOK, at(95)), 0, []
    while True:
        part = timeline_part(incident.timeline, Part.PEOPLE, before)
        seen += [entry.text for entry in part.entries]
        before = part.older
        if not before:
            break
    assert seen == [f"note {number}" for number in reversed(range(90))]


def test_entries_in_the_archive_are_continued_to() -> None:
    incident = noted(90)
    held = incident.timeline[-30:]
    part = timeline_part(held, Part.ALL, 0)
    assert (len(part.entries), part.older) == (30, held[0].sequence)
    assert timeline_part(held, Part.SYSTEM, 0).older == held[0].sequence, "there may be some"
    whole = timeline_part(incident.timeline, Part.ALL, part.older)
    assert (len(whole.entries), whole.entries[0].text) == (40, "note 59")
    unreadable = timeline_part(held, Part.ALL, held[0].sequence)
    assert (unreadable.entries, unreadable.older) == ((), 0), "no link leads to itself"


def test_17_what_failed_for_good_is_offered_to_be_settled() -> None:
    fresh = opened().replace(number=1)
    assert "Settle a failed step" not in [button.label for button in buttons(fresh, "/incidents/1", "ann", EVERYONE)]
    failed = outcomes.failed(fresh, obligation(fresh, "channel"), "missing_scope", RUNBOOK, at(0), attempts=4)
    failed = outcomes.fulfilled(failed, obligation(failed, "war-room"), ActivityResult(), RUNBOOK, at(0))
    assert "Settle a failed step" in [button.label for button in buttons(failed, "/incidents/1", "ann", EVERYONE)]
    action = find_action("step")
    assert action is not None
    fields = action.fields(failed, RUNBOOK)
    assert fields[0].choices == (("channel", "channel"),)
    retry = action.build({"step": "channel", "how": "retry"}, fields, "ann", "", NOBODY)
    assert "Open the incident's channel" in preview_command(retry, failed, RUNBOOK, at(1)).sent


def test_each_action_builds_its_command_from_its_own_fields() -> None:
    incident = noted(1)
    for action in ACTIONS:
        for field in action.fields(incident, RUNBOOK):
            assert field.name in action.command.model_fields, action.path
    assert len({action.path for action in ACTIONS}) == len(ACTIONS)


def test_each_command_is_on_the_pages_or_said_to_be_elsewhere() -> None:
    offered = {action.command for action in ACTIONS}
    assert offered | set(ELSEWHERE) == set(get_args(IncidentCommand))
    assert not offered & set(ELSEWHERE)


def test_a_countdown_carries_the_time_that_it_counts_to() -> None:
    found = re.findall(r'<time datetime="(2026-[^"]+)" data-countdown>([^<]+)</time>', rendered(opened()))
    assert found


def test_an_incident_of_another_runbook_is_shown() -> None:
    incident = apply_command(opened(), commands.PostUpdate(by="ann", text="We are on it."), RUNBOOK, at(1))
    other = RUNBOOK.replace(severities={f"SEV{n}": policy for n, policy in enumerate(RUNBOOK.severities.values(), 1)})
    view = incident_view(incident, agenda(incident, RUNBOOK), (), other, at(2))
    assert (view.heading.severity, view.public.updates[0].text) == ("P0", "We are on it.")


def test_24_a_private_incident_is_for_its_people() -> None:
    incident = apply_command(opened(), commands.Acknowledge(by="carl"), RUNBOOK, at(1))
    assert may_see(incident, "stranger", RUNBOOK, ANN)
    incident = apply_command(incident, commands.MakePrivate(by="carl", reason="security"), RUNBOOK, at(2))
    assert may_see(incident, "carl", RUNBOOK, ANN), "who has a role"
    assert may_see(incident, "Ann", RUNBOOK, ANN), "who is on call, by the directory"
    assert not may_see(incident, "oncall", RUNBOOK, ANN)
    assert not may_see(incident, "stranger", RUNBOOK, ANN)
    assert not may_see(incident, "", RUNBOOK, ANN)


def test_the_first_of_two_approvals_is_shown() -> None:
    state = RollbackState(offer=an_offer(at(0)), since=at(0), approved_by="ann")
    assert "approved by ann, a second person has to" in rollback_parts(state)
    approved = state.replace(status=RollbackStatus.APPROVED, decided_by="bob")
    assert not any("a second person" in part for part in rollback_parts(approved))
