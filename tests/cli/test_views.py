"""What is shown: in 80 and 120 columns, and whatever the words are."""

import io
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console, RenderableType
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from incidents import search_attributes as attributes
from incidents.cli import list_views, rows, views
from incidents.cli.output.plain import plain
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.core.timeline import Kind
from incidents.domain.incident import commands
from incidents.domain.incident.checklist import TITLES
from incidents.domain.incident.incident import Incident
from incidents.domain.postmortem.apply_command import apply_command as decide_postmortem
from incidents.domain.postmortem.commands import PublishPostmortem
from incidents.domain.postmortem.postmortem import open_postmortem
from incidents.domain.rollback.known_good import Deployment, Offer
from incidents.domain.rollback.state import RollbackState, RollbackStatus
from tests.support.incidents import RUNBOOK, T0, WRITTEN, at, opened, settled

HOSTILE = "ratio [/red] of [bold]eu[/bold] \x1b[2J\x07:fire: is 0.31"
HARMLESS = "ratio [/red] of [bold]eu[/bold] [2J:fire: is 0.31"


def rendered(view: RenderableType, width: int, *, colour: bool = False) -> str:
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        markup=False,
        highlight=False,
        emoji=False,
    )
    console.print(view)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def busy(minutes: float = 3) -> Incident:
    """An incident at which something of everything has happened."""
    incident = settled(opened(), at(minutes))
    impact = "Half of all flag evaluations in Europe fail, and clients fall back to their defaults. " * 2
    incident = apply_command(
        incident, commands.Assess(by="ann", impact=impact, customers=("ACME",)), RUNBOOK, at(minutes)
    )
    incident = apply_command(incident, commands.AddNote(by="bob@example.com", text=HOSTILE), RUNBOOK, at(minutes))
    return incident.replace(
        rollbacks=(RollbackState(offer=an_offer(), since=T0, status=RollbackStatus.RUNNING, progress="probing"),)
    )


def an_offer() -> Offer:
    def deployment(version: str) -> Deployment:
        return Deployment(id=version, cluster="eu-001", version=version, status="success", started_at=T0)

    return Offer(cluster="eu-001", suspect=deployment("v2-bad"), candidate=deployment("v1"), reason="just deployed")


def full(incident: Incident, now: datetime, **more: Any) -> RenderableType:
    return views.incident_view(incident, agenda(incident, RUNBOOK), now, **more)


@pytest.mark.parametrize(
    ("left", "says"),
    [
        (timedelta(minutes=12), "in 12m"),
        (timedelta(minutes=-3), "3m overdue"),
        (timedelta(seconds=0.4), "now"),
        (timedelta(hours=1, minutes=30, seconds=5), "in 1h 30m"),
        (timedelta(days=2), "in 2d"),
    ],
)
def test_countdowns(left: timedelta, says: str) -> None:
    assert views.countdown(T0 + left, T0) == says


@pytest.mark.parametrize("width", [80, 120])
def test_an_incident_is_all_there_at_any_width(width: int) -> None:
    shown = rendered(full(busy(), at(4)), width)
    lines = shown.splitlines()
    assert all(len(line) <= width for line in lines)
    assert "INC-1 · P0 · investigating · Evaluation errors" in lines[0]
    assert "since 11-23 14:00:00 UTC, 4m ago" in shown
    assert "Rollback eu-001 v2-bad → v1 · running · probing" in shown
    for title in TITLES.values():
        assert any(title in line for line in lines), title
    assert any("in 26m" in line and "Publish status update 2" in line for line in lines)
    assert any("bob@example.com" in line for line in lines)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("rows", [26, 30, 36, 50])
def test_the_live_screen_fits_and_ends_with_the_newest_entry(rows: int, width: int) -> None:
    note = "No worker answered for INC-1. It is safe with Temporal and goes on when a worker is back" * 2
    shown = rendered(full(busy(), at(4), rows=rows, note=note), width).splitlines()
    assert len(shown) <= rows
    assert "11-23 14:03:00  bob@example.com  ratio" in shown[-3], "the newest, above the panel's edge and the note"
    assert any("Open an incident channel" in line for line in shown)
    assert shown[-1].startswith("No worker answered")
    assert len(rendered(full(busy(), at(4), rows=rows), width).splitlines()) <= rows


def test_words_from_outside_are_neither_markup_nor_control() -> None:
    assert plain(HOSTILE) == HARMLESS
    incident = busy().replace(title=HOSTILE)
    for view in (full(incident, at(4)), views.timeline_table(incident.timeline), views.header(incident)):
        shown = rendered(view, 160)
        assert HARMLESS in shown
        assert "\x1b" not in shown
    line = rendered(views.timeline_line(incident.timeline[-1].replace(text="one\ntwo")), 160)
    assert line.endswith("one two\n")


def test_severity_and_status_are_coloured_and_the_title_is_not() -> None:
    incident = opened().replace(title="P0 investigating")
    shown = rendered(views.header(incident), 120, colour=True)
    assert "\x1b[1;37;41mP0\x1b[0m" in shown
    assert "\x1b[1;31minvestigating\x1b[0m" in shown
    assert "\x1b[1m · P0 investigating\x1b[0m" in shown


def test_what_is_late_says_so_and_housekeeping_is_left_out() -> None:
    incident = settled(opened(), at(1))
    shown = rendered(views.agenda_table(agenda(incident, RUNBOOK), at(33)), 80)
    assert "3m overdue" in shown
    assert "topic" not in shown
    assert "nothing" in rendered(views.agenda_table([], T0), 80)


def test_a_failed_step_shows_why() -> None:
    incident = opened()
    steps = tuple(
        s.replace(status="failed", detail="Slack refuses: invalid_auth") if s.step == "channel" else s
        for s in incident.steps
    )
    shown = rendered(views.checklist_table(incident.replace(steps=steps)), 80)
    [line] = [line for line in shown.splitlines() if "✗" in line]
    assert "5  Open an incident channel" in line
    assert "invalid_auth" in line


def row(number: int | None, severity: str, **more: Any) -> Any:
    pairs = [
        SearchAttributePair(attributes.SEVERITY, severity),
        SearchAttributePair(attributes.STATUS, "investigating"),
        SearchAttributePair(attributes.SERVICE, more.pop("service", "flag-evaluation")),
        SearchAttributePair(attributes.DRILL, more.pop("drill", False)),
    ]
    if number is not None:
        pairs.append(SearchAttributePair(attributes.NUMBER, number))
    known = {"id": "incident-flag-evaluation:production", "run_id": "r", "start_time": T0, "close_time": None}
    return SimpleNamespace(**known, typed_search_attributes=TypedSearchAttributes(pairs))


@pytest.mark.parametrize("width", [80, 120])
def test_the_list_has_one_line_for_each_incident(width: int) -> None:
    rows = [row(42, "P0", service="a-service-with-quite-a-name-" * 3), row(None, "P2"), row(7, "P3", drill=True)]
    shown = rendered(list_views.incidents_table(rows, at(90)), width).splitlines()
    assert len(shown) == 1 + len(rows)
    assert all(len(line) <= width for line in shown)
    assert shown[0].split() == ["incident", "sev", "status", "service", "commander", "open", "for"]
    assert "investigating" in shown[1]
    assert shown[1].startswith("INC-42")
    assert shown[1].rstrip().endswith("1h 30m")
    assert "unassigned" in shown[1]
    assert shown[2].startswith("incident-flag")
    assert shown[3].startswith("[DRILL] INC-7")


def test_a_row_as_json_has_the_documented_keys() -> None:
    assert rows.incident_row(row(42, "P0")) == {
        "number": 42,
        "workflow_id": "incident-flag-evaluation:production",
        "run_id": "r",
        "severity": "P0",
        "status": "investigating",
        "service": "flag-evaluation",
        "commander": None,
        "started_at": "2026-11-23T14:00:00+00:00",
        "closed_at": None,
        "drill": False,
    }


def test_a_postmortem_counts_down_until_it_is_published() -> None:
    incident = apply_command(
        settled(opened("P1"), at(2)), commands.Resolve(by="ann", force=True, reason="quiet"), RUNBOOK, at(10)
    )
    postmortem = open_postmortem(incident, RUNBOOK, at(10))
    shown = rendered(views.postmortem_view(postmortem, at(10)), 80)
    assert "Post-mortem of INC-1 · owed" in shown
    assert "in 2d" in shown
    assert "not written yet" in shown
    assert "Missing: 0 of at least 3 whys" in shown
    complete = postmortem.replace(document=WRITTEN, figures=True)
    published = decide_postmortem(complete, PublishPostmortem(by="ann", url="https://wiki/1"), RUNBOOK, at(60))
    shown = rendered(views.postmortem_view(published, at(60)), 80)
    assert "Published: https://wiki/1" in shown
    assert "in 2d" not in shown


def test_an_entry_of_many_lines_keeps_its_column() -> None:
    incident = opened().logged(at(1), "ann", Kind.NOTE, "first\nsecond")
    shown = rendered(views.timeline_table(incident.timeline[-1:]), 80).splitlines()
    assert [line.rstrip().split()[-1] for line in shown] == ["first", "second"]
    assert shown[0].index("first") == shown[1].index("second")
