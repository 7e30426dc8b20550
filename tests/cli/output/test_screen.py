"""The screens of an incident as a terminal of 80 by 24 shows them, line by line."""

import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType

from incidents.cli.output.list_views import incidents_table
from incidents.cli.output.screen import IncidentScreen, status_lines
from incidents.client.rows import incident_row
from incidents.client.watching.retries import Retry
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.core.command import Command
from incidents.domain.incident import commands
from incidents.domain.incident.display.glance import decision_command
from incidents.domain.incident.incident import Incident
from incidents.domain.rollback.state import RollbackState, RollbackStatus
from tests.cli.output.test_views import an_offer, row
from tests.support.documents.command_lines import parse
from tests.support.incidents import RUNBOOK, at, opened, settled

WIDTH, HEIGHT = 80, 24
ROWS = HEIGHT - 1
"""One line is the prompt's."""
EXPECTED = Path(__file__).parent / "screens"


def rendered(view: RenderableType) -> list[str]:
    """What the terminal shows, without blanks at the ends of lines."""
    out = io.StringIO()
    Console(file=out, width=WIDTH, height=HEIGHT, markup=False, highlight=False, emoji=False).print(view)
    lines = out.getvalue().splitlines()
    assert all(cell_len(line) <= WIDTH for line in lines)
    return [line.rstrip() for line in lines]


def screen(incident: Incident, now: datetime, retries: Sequence[Retry] = (), note: str = "") -> list[str]:
    coming = agenda(incident, RUNBOOK)
    return rendered(IncidentScreen(incident, coming, now, retries=retries, rows=ROWS, note=note))


def told(incident: Incident, minutes: float, *said: Command) -> Incident:
    for command in said:
        incident = apply_command(incident, command, RUNBOOK, at(minutes))
    return incident


def ordinary() -> Incident:
    """A P0 in its third minute: nobody has acknowledged it yet."""
    incident = settled(opened(), at(1)).replace(number=42)
    running = RollbackState(offer=an_offer(), since=at(1), status=RollbackStatus.RUNNING, progress="probing")
    return incident.replace(rollback=incident.rollback.replace(clusters=(running,)))


def long() -> Incident:
    """A P0 of five hours with long words, wide characters and more entries than any screen has lines."""
    title = "評価エラー率が 5 % を超えました 🔥 in eu-001, eu-002 and us-001 for all customers with the new SDK"
    incident = told(
        ordinary().replace(title=title),
        2,
        commands.Acknowledge(by="bob"),
        commands.Assess(by="bob", impact="Half of all flag evaluations in Europe fail. " * 4, customers=("ACME",)),
        commands.AssignRole(by="bob", role=commands.Role.COMMANDER, person="bartholomew.longname@example.com"),
    )
    for hour in range(1, 6):
        note = f"Hour {hour}: " + "the cache of every evaluator is rebuilt, region by region, under watch " * 3
        incident = settled(incident, at(hour * 60))
        incident = told(incident, hour * 60, commands.AddNote(by="bartholomew.longname@example.com", text=note))
    return told(incident, 301, commands.AddNote(by="あきら", text="キャッシュを再構築しています。" * 8))


def finished() -> Incident:
    incident = told(
        settled(opened("P1"), at(1)).replace(number=42),
        2,
        commands.Acknowledge(by="ann"),
        commands.Assess(by="ann", impact="Evaluations were slow."),
        commands.Monitor(by="ann", text="A fix is out."),
    )
    return settled(told(incident, 40, commands.Resolve(by="ann", force=True, reason="quiet")), at(41))


RETRY = Retry(summary="Open the war room", attempts=3, failure="Zoom answers 500", next_at=at(4), gives_up_at=None)
LISTED = (
    (row(44, "P0", updated_at=at(82)), "Evaluations fail in Europe"),
    (row(43, "P2", overdue_at=at(80), updated_at=at(45)), "評価エラー率が 5 % を超えました 🔥 in eu-001 and us-001"),
    (row(42, "P1", status="resolved", resolve_seconds=2400, updated_at=at(40)), "Slow exports"),
    (row(41, "P3", drill=True), "A drill of paging with a title that is longer than its column"),
    (row(None, "P2"), "No worker has numbered this one yet"),
)


def listed(width: int) -> RenderableType:
    return incidents_table([incident_row(each, at(90), title) for each, title in LISTED], at(90), width)


SCREENS = {
    "list": lambda: rendered(listed(WIDTH)),
    "ordinary": lambda: screen(ordinary(), at(3)),
    "ordinary-with-a-failure": lambda: screen(ordinary(), at(3), [RETRY], "As of 20s ago. No worker answered."),
    "long": lambda: screen(long(), at(302)),
    "finished": lambda: screen(finished(), at(100)),
    "status": lambda: rendered(
        Group(
            *(
                line
                for each in (ordinary, long, finished)
                for line in status_lines(each(), agenda(each(), RUNBOOK), at(302))
            )
        )
    ),
}


@pytest.mark.parametrize("name", SCREENS)
def test_the_screen_is_as_expected(name: str) -> None:
    """After a wanted change: delete the file, run the test, and read what it has written."""
    path, shown = EXPECTED / f"{name}.txt", SCREENS[name]()
    if not path.exists():
        path.write_text("\n".join(shown) + "\n", encoding="utf-8")
        pytest.fail(f"{path.name} was missing and is written: read it")
    assert shown == path.read_text(encoding="utf-8").splitlines()
    assert len(shown) <= ROWS


@pytest.mark.parametrize(
    ("status", "typed"),
    [
        (RollbackStatus.OFFERED, "approve 42"),
        (RollbackStatus.INCONCLUSIVE, "verdict 42 healthy"),
        (RollbackStatus.FAILED, "rollback 42"),
        (RollbackStatus.RUNNING, ""),
        (RollbackStatus.HEALTHY, ""),
    ],
)
def test_a_rollback_that_waits_for_a_person_shows_what_to_type(status: RollbackStatus, typed: str) -> None:
    incident = ordinary()
    [state] = incident.rollback.clusters
    waiting = state.replace(status=status, detail="because")
    one = incident.replace(rollback=incident.rollback.replace(clusters=(waiting,)))
    both = incident.replace(rollback=incident.rollback.replace(clusters=(waiting, waiting)))
    assert f"`incident {typed}`" == decision_command(one, waiting) if typed else decision_command(one, waiting) == ""
    if typed:
        assert f" · {status} · `incident {typed}`" in "\n".join(screen(one, at(3)))
        assert parse(decision_command(both, waiting).strip("`"))
        assert "--cluster eu-001" in decision_command(both, waiting)


def test_the_countdown_is_live() -> None:
    """The same state a second later: what the live view draws next."""
    incident, target = ordinary(), "Target: acknowledged within 5m"

    def countdown(minutes: float) -> str:
        [line] = [line for line in screen(incident, at(minutes)) if target in line]
        return line.partition(target)[0].strip()

    assert [countdown(3), countdown(3 + 1 / 60), countdown(4.5)] == ["in 2m", "in 1m 59s", "in 30s"]
