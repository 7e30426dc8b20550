"""When a workflow counts as stuck, and what operators read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from incidents.domain.activity_requests import SendMail
from incidents.domain.chat.activity_requests import DirectMessage
from incidents.domain.config.communication import Contact
from incidents.domain.config.loading import parse_runbook
from incidents.domain.obligation import Obligation, ObligationKind
from incidents.domain.operators.notifications import Operator, notifications, operators
from incidents.domain.recipients import staff
from incidents.domain.standstill import (
    GRACE,
    Look,
    PausedActivity,
    PendingTask,
    Reason,
    RunReading,
    Standstill,
    first_line,
    held_by_operator,
    log_line,
    longest,
    look_at,
    operators_text,
    remedy,
    stuck_obligation,
    stuck_task,
    wants_look,
    what_happened,
)

RUNBOOK = parse_runbook(Path("runbook.yaml").read_text(encoding="utf-8"))
AT = datetime(2026, 11, 23, 3, 12, tzinfo=UTC)
RUN = RunReading(
    workflow_id="incident-x", run_id="r1", workflow_type="IncidentWorkflow", task_queue="incidents", number=42
)


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("attempt", "seconds", "reason"),
    [
        (1, 1, None),
        (1, 60, None),
        (1, 61, Reason.WAITING),
        (3, 25, None),
        (4, 25, Reason.FAILING),
        (3, 61, Reason.WAITING),
        (9, 600, Reason.FAILING),
    ],
)
def test_a_workflow_task_is_stuck_after_three_failures_or_a_minute(
    attempt: int, seconds: float, reason: Reason | None
) -> None:
    stuck = stuck_task(RUN.replace(task=PendingTask(attempt=attempt, since=AT)), after(seconds))
    assert (stuck.reason if stuck else None) == reason
    assert stuck is None or stuck.since == AT


def test_a_run_without_a_workflow_task_is_not_stuck() -> None:
    assert stuck_task(RUN, after(10**6)) is None


def obligation(kind: ObligationKind = ObligationKind.TICKET, due: datetime = AT) -> Obligation:
    return Obligation(key=str(kind), kind=kind, due=due, since=AT, summary=f"Do {kind}")


RETRY_FOR = RUNBOOK.retry_for


@pytest.mark.parametrize(
    ("kind", "bound"),
    [
        (ObligationKind.PAGE, RETRY_FOR.page + GRACE),
        (ObligationKind.ESCALATE, RETRY_FOR.reach + GRACE),
        (ObligationKind.DELIVER, RETRY_FOR.publish + GRACE),
        (ObligationKind.TICKET, RETRY_FOR.others + GRACE),
        (ObligationKind.NUMBER, RETRY_FOR.others + GRACE),
        (ObligationKind.ROLLBACK, None),
    ],
)
def test_how_long_an_obligation_may_be_due(kind: ObligationKind, bound: timedelta | None) -> None:
    assert longest(obligation(kind), RUNBOOK) == bound


LIMIT = (RETRY_FOR.others + GRACE).total_seconds()


@pytest.mark.parametrize(
    ("idle", "seen", "seconds", "late"),
    [
        (True, LIMIT, LIMIT, False),
        (True, LIMIT + 1, LIMIT + 1, True),  # nothing is pending, so nobody works on it
        (False, LIMIT + 1, LIMIT + 1, False),  # it may have come up just now, and is worked on
        (False, 0, LIMIT + 1, True),  # the looks have seen it for as long as it may take
        (False, 30, LIMIT + 1, False),
    ],
)
def test_an_obligation_counts_from_when_it_was_seen_unless_nobody_works_on_it(
    idle: bool, seen: float, seconds: float, late: bool
) -> None:
    owed, run = [obligation()], RUN.replace(idle=idle)
    look = look_at(run, owed, look_at(run, owed, None, RUNBOOK, after(seen)), RUNBOOK, after(seconds))
    stuck = stuck_obligation(run, owed, look, RUNBOOK, after(seconds))
    assert (stuck is not None) is late
    if stuck:
        assert (stuck.reason, stuck.since, stuck.obligation) == (Reason.OVERDUE, AT, "Do ticket")


def test_what_was_known_before_it_was_due_counts_from_its_time() -> None:
    early = look_at(RUN, [obligation(due=after(100))], None, RUNBOOK, AT)
    assert early.owed == {"ticket": after(100)}
    assert early.check_at == after(100 + LIMIT)
    later = look_at(RUN, [obligation(due=after(100))], early, RUNBOOK, after(500))
    assert later.owed == {"ticket": after(100)}


@pytest.mark.parametrize(
    ("history", "check_at", "pending", "seconds", "wanted"),
    [
        (10, None, False, 10**6, False),  # nothing has changed, and nothing can run out
        (11, None, False, 61, True),
        (11, None, False, 59, False),  # at most one query a minute
        (10, 100, False, 99, False),
        (10, 100, False, 101, True),
        (11, 100, True, 10**6, False),  # a query would wait for the workflow task
    ],
)
def test_an_agenda_is_queried_only_if_something_can_have_changed(
    history: int, check_at: float | None, pending: bool, seconds: float, wanted: bool
) -> None:
    last = Look(at=AT, history=10, check_at=None if check_at is None else after(check_at))
    run = RUN.replace(history=history, task=PendingTask(attempt=1, since=AT) if pending else None)
    assert wants_look(run, last, after(seconds)) is wanted


def test_the_first_look_is_wanted() -> None:
    assert wants_look(RUN, None, AT)


@pytest.mark.parametrize(
    ("failure", "line"),
    [
        ("", ""),
        ("boom\nTraceback", "boom"),
        ("  \n", ""),
        ("KeyError: 'ann.lee@example.com' is unknown", "KeyError: '[address]' is unknown"),
        ("x" * 500, "x" * 300),
    ],
)
def test_a_failure_is_one_line_without_addresses(failure: str, line: str) -> None:
    assert first_line(failure) == line


def stuck(reason: Reason = Reason.FAILING, number: int | None = 42) -> Standstill:
    return Standstill(
        **RUN.replace(number=number).model_dump(
            include={"workflow_id", "run_id", "workflow_type", "task_queue", "number"}
        ),
        reason=reason,
        since=AT,
        attempt=4,
        failure="RuntimeError: boom",
        obligation="Open the ticket",
    )


@pytest.mark.parametrize(
    ("reason", "summary"),
    [
        (Reason.FAILING, ("has failed 3 times since 2026-11-23 03:12 UTC", "`incident reset 42`")),
        (Reason.WAITING, ("has waited since 2026-11-23 03:12 UTC", "task queue incidents")),
        (Reason.OVERDUE, ("Overdue since 2026-11-23 03:12 UTC: Open the ticket", "`incident show 42`")),
    ],
)
def test_what_operators_read(reason: Reason, summary: tuple[str, str]) -> None:
    message = operators_text(stuck(reason))
    assert message.subject == "Operators: INC-42 is stuck"
    for part in (*summary, "RuntimeError: boom", "is lost", "`incident stuck`"):
        assert part in message.body
    assert "\n" not in log_line(stuck(reason))
    assert all(part in log_line(stuck(reason)) for part in summary)


def test_what_is_no_incident_is_named_by_its_workflow_id() -> None:
    assert "incident-x is stuck" in operators_text(stuck(number=None)).subject
    assert "`incident reset incident-x`" in operators_text(stuck(number=None)).body


def test_each_operator_is_notified_by_each_way() -> None:
    runbook = RUNBOOK.replace(
        people=RUNBOOK.people.replace(operators=("cto", "rota")),
        contacts=RUNBOOK.contacts | {"rota": Contact(name="Rota", schedule="P1")},
    )
    to = operators(runbook)
    assert to == (Operator(contact="cto", email="contact:cto"), Operator(contact="rota"))
    found = notifications(operators_text(stuck()), to, "standstill-incident-x-r1")
    assert list(found) == ["cto by mail", "cto by direct message"]
    mail, direct = found.values()
    assert isinstance(mail, SendMail)
    assert isinstance(direct, DirectMessage)
    assert (mail.to, direct.email) == (staff((to[0].email,)), to[0].email)
    assert mail.key != direct.key


PAUSED = RUN.replace(paused=(PausedActivity(activity_id="7", kind="send page", since=AT),))
UNPAUSE = "`temporal activity unpause --workflow-id incident-x --activity-id 7`"


def test_what_an_operator_paused_is_held_and_not_stuck() -> None:
    assert held_by_operator(RUN) is None
    assert stuck_task(PAUSED, after(3600)) is None, "no operator is notified of an operator's pause"
    held = held_by_operator(PAUSED)
    assert held is not None
    assert (held.reason, held.since) == (Reason.PAUSED, AT)
    assert what_happened(held) == "Its activity `send page` has been held by an operator since 2026-11-23 03:12 UTC"
    assert remedy(held) == f"To continue it: {UNPAUSE}."


def test_what_is_overdue_because_of_a_pause_says_so() -> None:
    """A restart of the workers, the usual remedy, would change nothing."""
    due = [obligation(ObligationKind.PAGE)]
    late = after(10**6)
    look = look_at(PAUSED, due, None, RUNBOOK, AT)
    stuck = stuck_obligation(PAUSED, due, look, RUNBOOK, late)
    assert stuck is not None
    assert remedy(stuck) == f"An operator paused its activity `send page`. Do it by hand, or continue it: {UNPAUSE}."
