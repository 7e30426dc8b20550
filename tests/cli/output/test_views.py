"""What is shown: in 80 and 120 columns, and whatever the words are."""

import io
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from incidents import search_attributes as attributes
from incidents.cli.output import list_views, screen, views
from incidents.cli.output.plain import plain
from incidents.client import rows
from incidents.client.watching.retries import Retry
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.apply_event import alert_fired
from incidents.domain.core.time.elapsed import countdown, roughly
from incidents.domain.core.timeline import Kind
from incidents.domain.incident import commands
from incidents.domain.incident.checklist import TITLES
from incidents.domain.incident.display.current_details import render_current_details
from incidents.domain.incident.display.glance import step_rows
from incidents.domain.incident.display.summary import headline
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import ObligationKind
from incidents.domain.postmortem.apply_command import apply_command as decide_postmortem
from incidents.domain.postmortem.commands import PublishPostmortem
from incidents.domain.postmortem.postmortem import open_postmortem
from incidents.domain.rollback.commands import ApproveRollback
from incidents.domain.rollback.events import apply_offers
from incidents.domain.rollback.known_good import Deployment, Offer
from incidents.domain.rollback.state import RollbackState, RollbackStatus
from tests.support.incidents import RUNBOOK, T0, WRITTEN, at, firing, opened, settled

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
        rollback=incident.rollback.replace(
            clusters=(RollbackState(offer=an_offer(), since=T0, status=RollbackStatus.RUNNING, progress="probing"),)
        )
    )


def an_offer() -> Offer:
    def deployment(version: str) -> Deployment:
        return Deployment(id=version, cluster="eu-001", version=version, status="success", started_at=T0)

    return Offer(cluster="eu-001", suspect=deployment("v2-bad"), candidate=deployment("v1"), reason="just deployed")


def full(incident: Incident, now: datetime, **more: Any) -> RenderableType:
    return screen.IncidentScreen(incident, agenda(incident, RUNBOOK), now, **more)


@pytest.mark.parametrize(
    ("left", "summary"),
    [
        (timedelta(minutes=12), "in 12m"),
        (timedelta(minutes=-3), "3m overdue"),
        (timedelta(seconds=0.4), "now"),
        (timedelta(hours=1, minutes=30, seconds=5), "in 1h 30m"),
        (timedelta(days=2), "in 2d"),
    ],
)
def test_countdowns(left: timedelta, summary: str) -> None:
    assert countdown(T0 + left, T0) == summary


@pytest.mark.parametrize(
    ("span", "words"),
    [(45, "45s"), (60, "1m"), (2366, "39m"), (5400 + 5, "1h 30m"), (90000, "1d 1h"), (0, "0s")],
)
def test_an_age_has_no_seconds_beyond_a_minute(span: int, words: str) -> None:
    assert roughly(timedelta(seconds=span)) == words


@pytest.mark.parametrize("width", [80, 120])
def test_an_incident_is_all_there_at_any_width(width: int) -> None:
    shown = rendered(full(busy(), at(4)), width)
    lines = shown.splitlines()
    assert all(len(line) <= width for line in lines)
    assert "INC-1 · P0 · investigating · Evaluation errors" in lines[0]
    assert "open for 4m, since 14:00 UTC · last update 4m ago · flag-evaluation" in shown
    assert "Rollback eu-001 v2-bad → v1 · running · probing" in shown
    for title in TITLES.values():
        assert any(title in line for line in lines), title
    assert any("in 26m" in line and "Publish status update 2" in line for line in lines)
    assert any("bob@example…" in line for line in lines)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("rows", [16, 23, 26, 30, 36, 50])
def test_the_live_screen_fits_and_shows_the_newest_entry_first(rows: int, width: int) -> None:
    note = "No worker answered for INC-1. It is safe with Temporal and goes on when a worker is back" * 2
    shown = rendered(full(busy(), at(4), rows=rows, note=note), width).splitlines()
    assert len(shown) <= rows
    [rule] = [place for place, line in enumerate(shown) if line.startswith("Timeline (UTC), newest first")]
    assert shown[rule + 1].startswith("14:03:00  bob@example…  ratio")
    assert "☐  1  Acknowledge the alert" in [line.strip() for line in shown]
    assert shown[-1].startswith("No worker answered")
    assert len(rendered(full(busy(), at(4), rows=rows), width).splitlines()) <= rows


def retry(next_at: datetime | None) -> Retry:
    return Retry(summary="Open the war room", attempts=3, failure=HOSTILE, next_at=next_at, gives_up_at=None)


def test_17_what_is_retried_says_how_often_it_failed_why_and_when_the_next_try_is() -> None:
    shown = rendered(full(busy(), at(4), retries=[retry(at(5))]), 160)
    assert f"in 1m  Open the war room · 3 attempts failed: {HARMLESS}" in shown
    assert "now  Open the war room" in rendered(full(busy(), at(4), retries=[retry(None)]), 160)
    assert "Retrying" not in rendered(full(busy(), at(4)), 160)


@pytest.mark.parametrize("rows", [20, 23, 36])
def test_17_the_live_screen_fits_with_what_is_retried(rows: int) -> None:
    shown = rendered(full(busy(), at(4), rows=rows, retries=[retry(at(5)), retry(at(6))]), 80).splitlines()
    assert len(shown) <= rows
    assert len([line for line in shown if "3 attempts failed" in line]) == 1
    assert any(line.startswith("14:03:00  bob@example…  ratio") for line in shown)


def test_words_from_outside_are_neither_markup_nor_control() -> None:
    assert plain(HOSTILE) == HARMLESS
    incident = busy().replace(title=HOSTILE)
    for view in (full(incident, at(4)), views.timeline_table(incident.timeline), screen.header(incident)):
        shown = rendered(view, 160)
        assert HARMLESS in shown
        assert "\x1b" not in shown
    line = rendered(views.timeline_line(incident.timeline[-1].replace(text="one\ntwo")), 160)
    assert line.endswith("one two\n")


def test_severity_and_status_are_coloured_and_the_title_is_not() -> None:
    incident = opened().replace(title="P0 investigating")
    shown = rendered(screen.header(incident), 120, colour=True)
    assert "\x1b[1;37;41mP0\x1b[0m" in shown
    assert "\x1b[1;31minvestigating\x1b[0m" in shown
    assert "\x1b[1m · P0 investigating\x1b[0m" in shown


def test_what_is_late_says_so_and_housekeeping_is_left_out() -> None:
    incident = settled(opened(), at(1))
    shown = rendered(screen.agenda_table(agenda(incident, RUNBOOK), at(33)), 80)
    assert "3m overdue" in shown
    assert "topic" not in shown
    assert "nothing" in rendered(screen.agenda_table([], T0), 80)


def test_a_running_rollback_is_not_overdue_and_shows_when_it_ends_at_the_latest() -> None:
    incident = apply_offers(settled(opened(), T0), (an_offer(),), RUNBOOK, T0)
    incident = apply_command(incident, ApproveRollback(by="ann"), RUNBOOK, at(2))
    [running] = [owed for owed in agenda(incident, RUNBOOK) if owed.kind is ObligationKind.ROLLBACK]
    assert running.until == at(2 + 1 + 3 + 10 + 1 + 3 + 10), "evidence, look, order, deployment, baseline, verification"
    shown = rendered(screen.agenda_table([running], at(9)), 80)
    assert "running" in shown
    assert "Roll back eu-001 (ends by 14:30:00 UTC)" in shown
    assert "overdue" not in shown
    assert "- running, ends by 2026-11-23 14:30:00 UTC — Roll back eu-001" in render_current_details(incident, RUNBOOK)
    assert "1m overdue" in rendered(screen.agenda_table([running], at(31)), 80)


def test_a_failed_step_shows_why() -> None:
    incident = opened()
    steps = tuple(
        s.replace(status="failed", detail="Slack refuses: invalid_auth") if s.step == "channel" else s
        for s in incident.steps
    )
    shown = rendered(screen.checklist_table(step_rows(incident.replace(steps=steps))), 80)
    [line] = [line for line in shown.splitlines() if "✗" in line]
    assert "5  Open an incident channel" in line
    assert "invalid_auth" in line


def row(number: int | None, severity: str, **more: Any) -> Any:
    pairs = [
        SearchAttributePair(attributes.SEVERITY, severity),
        SearchAttributePair(attributes.STATUS, more.pop("status", "investigating")),
        SearchAttributePair(attributes.SERVICE, more.pop("service", "flag-evaluation")),
        SearchAttributePair(attributes.DRILL, more.pop("drill", False)),
    ]
    if number is not None:
        pairs.append(SearchAttributePair(attributes.NUMBER, number))
    if "overdue_at" in more:
        pairs.append(SearchAttributePair(attributes.UPDATE_OVERDUE_AT, more["overdue_at"]))
    if "updated_at" in more:
        pairs.append(SearchAttributePair(attributes.LAST_UPDATE_AT, more["updated_at"]))
    if "resolve_seconds" in more:
        pairs.append(SearchAttributePair(attributes.RESOLVE_SECONDS, more["resolve_seconds"]))
    known = {"id": "incident-flag-evaluation:production", "run_id": "r", "start_time": T0, "close_time": None}
    return SimpleNamespace(**known, typed_search_attributes=TypedSearchAttributes(pairs))


def listed(executions: list[Any], now: datetime, width: int) -> list[str]:
    """The list as that many cells show it."""
    found = [rows.incident_row(each, now, TITLE) for each in executions]
    return rendered(list_views.incidents_table(found, now, width), width).splitlines()


TITLE = "Error ratio of the evaluations in eu is above 5 % for ten minutes 評価エラー率が 5 % を超えました"


@pytest.mark.parametrize("width", [80, 120])
def test_the_list_has_one_line_for_each_incident(width: int) -> None:
    found = [row(42, "P0", service="a-service-with-quite-a-name-" * 3), row(None, "P2"), row(7, "P3", drill=True)]
    shown = listed(found, at(90), width)
    assert len(shown) == 1 + len(found)
    assert all(cell_len(line) <= width for line in shown)
    wide = ["commander", "service"] if width == 120 else []
    assert shown[0].split() == ["incident", "sev", "status", "updated", "open", "for", *wide, "title"]
    assert shown[1].startswith("INC-42")
    assert "investigating" in shown[1]
    assert "1h 30m" in shown[1]
    assert "Error ratio of" in shown[1]
    assert shown[1].rstrip().endswith("…")
    assert ("unassigned" in shown[1]) is bool(wide)
    assert shown[2].startswith("incident-flag")
    assert shown[3].startswith("[DRILL] INC-7")


def test_the_list_shows_the_age_of_the_last_update_and_how_long_a_resolved_one_was_open() -> None:
    found = [row(42, "P0", updated_at=at(82)), row(7, "P3"), row(6, "P1", status="resolved", resolve_seconds=600)]
    first, second, third = (line.split("  ") for line in listed(found, at(90), 80)[1:])
    assert "8m ago" in [cell.strip() for cell in first]
    assert "-" in [cell.strip() for cell in second]
    assert "10m" in [cell.strip() for cell in third]


def test_an_incident_without_a_title_in_its_memo_shows_its_service() -> None:
    found = [rows.incident_row(row(42, "P0"), T0)]
    assert "flag-evaluation" in rendered(list_views.incidents_table(found, T0, 80), 80)


def test_a_row_as_json_has_the_documented_keys() -> None:
    assert rows.incident_row(row(42, "P0"), T0, TITLE) == {
        "number": 42,
        "title": TITLE,
        "workflow_id": "incident-flag-evaluation:production",
        "run_id": "r",
        "severity": "P0",
        "status": "investigating",
        "service": "flag-evaluation",
        "commander": None,
        "started_at": "2026-11-23T14:00:00+00:00",
        "ended_at": None,
        "closed_at": None,
        "drill": False,
        "last_update_at": None,
        "update_overdue": False,
    }


def test_an_overdue_update_shows_in_the_list_without_a_worker() -> None:
    late = row(42, "P0", overdue_at=at(5))
    shown = listed([late, row(7, "P3", overdue_at=at(35))], at(6), 80)
    assert ["overdue" in line for line in shown] == [False, True, False]
    assert rows.incident_row(late, at(6))["update_overdue"] is True
    assert rows.incident_row(late, at(4))["update_overdue"] is False
    assert "overdue" not in listed([late], at(4), 80)[1]
    late.close_time = at(6)
    assert rows.incident_row(late, at(7))["update_overdue"] is False


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


def test_88_a_reopened_incident_is_shown_as_not_acknowledged() -> None:
    incident = apply_command(settled(opened("P1"), at(1)), commands.Acknowledge(by="ann"), RUNBOOK, at(2))
    incident = apply_command(incident, commands.Resolve(by="ann"), RUNBOOK, at(10))
    again = alert_fired(incident, (firing(when=at(20)),), RUNBOOK, at(20))
    said = rendered(screen.IncidentScreen(again, [], at(21)), 120)
    assert "Commander: unassigned · not acknowledged" in said
    assert "☐ 1 Acknowledge the alert" in said.replace("  ", " ")


def test_the_headline_is_the_chats() -> None:
    incident = opened().replace(private=True, number=42)
    assert rendered(screen.header(incident), 120).strip() == headline(incident)
    assert " · private · P" in headline(incident)
