"""A stuck incident is noticed, its operators are notified once, and a reset lets it go on."""

import asyncio
import contextlib
import io
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.worker import Worker

from incidents import metrics
from incidents.app.composition.workers import make_worker
from incidents.app.liveness.run_readings import read
from incidents.app.liveness.standstill_watch import StandstillWatch, watched
from incidents.client.lookup import current, describe
from incidents.contracts import StandstillReport
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.config.communication import Contact
from incidents.domain.incident.commands import AddNote
from incidents.domain.obligation import Obligation
from incidents.domain.standstill import FAILURES
from incidents.metrics import Metric
from tests.cli.conftest import RUNBOOK, Incidental, Opened, Stage, changed, refused
from workflows import incident as incident_module
from workflows.incident import IncidentWorkflow

TWO = RUNBOOK.replace(
    people=RUNBOOK.people.replace(operators=("cto", "ceo", "rota")),
    contacts=RUNBOOK.contacts | {"rota": Contact(name="Rota", schedule="P1")},
)
"""A runbook with two operators that can be reached, and one that cannot."""
SOON = timedelta(seconds=1)
"""The time-out of a workflow task, which is when a failing one is tried again: ten seconds, if nobody sets it."""


@contextlib.contextmanager
def working(stage: Stage, queue: str) -> Iterator[None]:
    """A worker for a queue, as long as the block runs."""

    async def start() -> Worker:
        worker = make_worker(stage.client, queue, stage.activities.methods())
        return await worker.__aenter__()

    worker = stage.do(start())
    try:
        yield
    finally:
        stage.do(worker.__aexit__(None, None, None))


def note(stage: Stage, opened: Opened, text: str) -> None:
    """Send a note as a signal: that needs no worker."""
    stage.do(opened.handle.signal(AddNote.name, AddNote(by="ann", text=text, id=text)))


def until_stuck(stage: Stage, opened: Opened) -> None:
    """Wait until the incident's workflow task has failed three times."""

    async def attempts() -> int:
        run = await read(stage.client, opened.id, opened.handle.run_id or "")
        return run.task.attempt if run and run.task else 0

    async def wait() -> None:
        while await attempts() <= FAILURES:  # noqa: ASYNC110 - nothing else tells it
            await asyncio.sleep(0.1)

    stage.do(wait(), 50)


def watch_round(stage: Stage, watches: int = 2) -> None:
    """Let workers look for stuck workflows at the same time."""
    found = [StandstillWatch(stage.client, TWO, "incidents") for _ in range(watches)]

    async def rounds() -> None:
        await asyncio.gather(*(watch.round() for watch in found))

    stage.do(rounds())


def samples(stage: Stage, watch: StandstillWatch) -> dict[tuple[Metric, str], float]:
    """What the metrics show of a watch: by metric, and its label."""
    return {(each.metric, "".join(each.labels.values())): each.value for each in stage.do(watch.read())}


def report_of(stage: Stage, opened: Opened) -> StandstillReport:
    """The end of the workflow that notified the operators."""
    process = f"standstill-{opened.id}-{opened.handle.run_id}"
    report: StandstillReport = stage.do(
        stage.client.get_workflow_handle(process, result_type=StandstillReport).result()
    )
    return report


def notified(stage: Stage, opened: Opened) -> list[tuple[str, str]]:
    """Which operator was notified by which way, in order, with repetitions."""
    calls = [call for call in stage.activities.calls if call.effect.key.startswith(f"standstill-{opened.id}-")]
    return sorted((call.name, call.effect.key.split("/")[1]) for call in calls)


def stuck(incident: Incidental) -> dict[str, dict[str, Any]]:
    """What `incident stuck` lists, by workflow id."""
    return {row["workflow_id"]: row for row in incident("stuck", "--json").document}


def again(stage: Stage, opened: Opened) -> Opened:
    """The incident in its newest run."""
    run = stage.do(describe(stage.client, opened.id))
    return Opened(stage, stage.client.get_workflow_handle(run.id, run_id=run.run_id), opened.number)


def raises_for(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one incident raise what nothing catches: its workflow task fails, again and again."""

    def broken(self: IncidentWorkflow) -> bool:
        if self._incident.workflow_id == opened.id:
            raise RuntimeError("boom for ann@example.com\nand more")
        return self._incident.closed

    monkeypatch.setattr(IncidentWorkflow, "is_over", property(broken))


EVERYBODY = [("direct_message", "ceo"), ("direct_message", "cto"), ("send_mail", "ceo"), ("send_mail", "cto")]


@pytest.mark.timeout(120)
def test_a_stuck_incident_is_noticed_once_and_goes_on_after_a_reset(
    stage: Stage, on_stage: Incidental, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert on_stage("stuck").out == "No stuck workflows.\n"
    opened = stage.open("warning", task_timeout=SOON)
    assert "is not stuck" in refused(on_stage("reset", opened.number, "--yes"))
    with monkeypatch.context() as patch:
        raises_for(opened, patch)
        note(stage, opened, "the one that broke it")
        until_stuck(stage, opened)

        row = stuck(on_stage)[opened.id]
        assert (row["number"], row["workflow_id"]) == (int(opened.number), opened.id)
        assert (row["reason"], row["failure"]) == ("failing", "RuntimeError: boom for [address]")
        assert f"incident reset {opened.number}" in row["remedy"]
        table = on_stage("stuck").out
        assert f"INC-{opened.number}" in table
        assert "RuntimeError: boom" in table

        with caplog.at_level(logging.ERROR):
            watch_round(stage)
            report = report_of(stage, opened)
            watch_round(stage, 1)  # a worker that was restarted
        lines = [record.getMessage() for record in caplog.records if record.name == "standstill"]
        assert len(lines) == 1
        assert f"INC-{opened.number} is stuck" in lines[0]
        assert notified(stage, opened) == EVERYBODY
        assert report.failed == ("rota: no e-mail address",)
        assert len(report.reached) == 4

        assert "Deploy a fix" in refused(on_stage("reset", opened.number, "--yes"))
        queued = on_stage("ack", opened.number, "--by", "ann", "--timeout", "0.5", "--json").document
        assert queued["queued"] is True

    before, given = stage.do(describe(stage.client, opened.id)), stage.activities.number
    monkeypatch.setattr("sys.stdin", io.StringIO())
    declined = on_stage("reset", opened.number, "--force")
    assert declined.status == 1
    assert f"INC-{opened.number} was not reset" in declined.err, "nobody answered the question"
    # --force: with the fix, the next attempt of the workflow task may be faster than we are.
    answer = on_stage("reset", opened.number, "--yes", "--force", "--json").document
    assert answer["run_id"] != before.run_id
    assert answer["run_id"] in answer["message"]
    after = again(stage, opened)
    incident = after.until(lambda incident: incident.acknowledged_at is not None)
    assert incident.number == int(opened.number)
    assert stage.activities.number == given, "with the fix, nothing that was done before is done again"
    assert "the one that broke it" in [entry.text for entry in incident.timeline]
    assert_it_goes_on(stage, on_stage, opened, before)


def assert_it_goes_on(stage: Stage, on_stage: Incidental, opened: Opened, before: WorkflowExecution) -> None:
    """The number leads to the new run, which takes commands; the old one is listed no more."""
    follower = stage.do(current(stage.client, before))
    assert (follower.status, follower.run_id != before.run_id) == (WorkflowExecutionStatus.RUNNING, True)
    changed(on_stage("resolve", opened.number, "--by", "ann", "--force", "--reason", "seen", "--json"))
    assert on_stage("show", opened.number, "--json").document["status"] == "resolved"
    rows = [row for row in on_stage("list", "--all", "--json").document if row["workflow_id"] == opened.id]
    assert [row["number"] for row in rows] == [int(opened.number)]
    assert opened.id not in stuck(on_stage)


@pytest.mark.timeout(120)
def test_a_history_that_this_code_cannot_replay_goes_on_after_a_reset(
    stage: Stage, on_stage: Incidental, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TMPRL1100: a worker with other code has written commands that ours does not give."""
    with working(stage, "unreplayable"):
        opened = stage.open("warning", queue="unreplayable", task_timeout=SOON)
        with monkeypatch.context() as patch:
            commands_more(patch)
            for text in ("first", "second"):
                note(stage, opened, text)
                opened.until(lambda i, text=text: text in [entry.text for entry in i.timeline])  # type: ignore[misc]
    with working(stage, "unreplayable"):
        note(stage, opened, "third")
        until_stuck(stage, opened)
        row = stuck(on_stage)[opened.id]
        assert "TMPRL1100" in row["failure"]
        before = stage.do(describe(stage.client, opened.id))

        answer = on_stage("reset", opened.id, "--yes", "--json").document
        assert answer["events_after"] > 4, "the last task alone is not what cannot be replayed"
        after = again(stage, opened)
        incident = after.until(lambda i: "third" in [entry.text for entry in i.timeline])
        texts = [entry.text for entry in incident.timeline]
        assert [text for text in texts if text in ("first", "second", "third")] == ["first", "second", "third"]
        assert_it_goes_on(stage, on_stage, opened, before)
        stage.do(after.handle.terminate())


def commands_more(patch: pytest.MonkeyPatch) -> None:
    """Let each workflow task of an incident with a note leave a command that our code does not."""
    show: Callable[[IncidentWorkflow, Sequence[Obligation]], bool] = IncidentWorkflow.show

    def more(self: IncidentWorkflow, owed: Sequence[Obligation]) -> bool:
        if any(entry.kind == "note" for entry in self._incident.timeline):
            workflow.upsert_memo({"other": "code"})
        return show(self, owed)

    patch.setattr(IncidentWorkflow, "show", more)


def test_an_obligation_that_nobody_works_on_is_reported(
    stage: Stage, on_stage: Incidental, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its workflow task is fine: only the incident itself knows that something is due."""
    perform: Callable[..., Any] = vars(incident_module)["perform_owed"]

    async def forgets(effect: Any, *words: Any, **more: Any) -> Any:
        if isinstance(effect, chat_requests.SetTopic):
            await workflow.wait_condition(lambda: False)
        return await perform(effect, *words, **more)

    monkeypatch.setattr(incident_module, "perform_owed", forgets)
    monkeypatch.setattr("incidents.domain.standstill.GRACE", timedelta())
    opened = stage.open("warning")
    eager = TWO.replace(retry_for=TWO.retry_for.replace(publish=timedelta(milliseconds=1)))
    watch = StandstillWatch(stage.client, eager, "incidents")

    async def until_reported() -> None:
        while opened.handle.run_id not in watch._notified:
            await watch.round()
            await watch.look()

    with caplog.at_level(logging.ERROR):
        stage.do(until_reported())
    assert report_of(stage, opened).failed == ("rota: no e-mail address",)
    assert notified(stage, opened) == EVERYBODY
    [line] = [
        record.getMessage() for record in caplog.records if f"INC-{opened.number} is stuck" in record.getMessage()
    ]
    assert "Overdue" in line
    assert "Set the channel's topic" in line
    assert opened.id not in stuck(on_stage), "it needs a query, and so a worker"
    assert samples(stage, watch)[metrics.OBLIGATIONS_OVERDUE, ""] == 1
    stage.do(opened.handle.terminate())
    stage.do(watch.round())
    assert samples(stage, watch)[metrics.OBLIGATIONS_OVERDUE, ""] == 0


@pytest.mark.timeout(120)
def test_operators_who_cannot_be_reached_are_recorded_each_way_by_itself(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened = stage.open("warning", task_timeout=SOON)
    monkeypatch.setitem(stage.activities.final_faults, "direct_message", "users_not_found")
    monkeypatch.setitem(stage.activities.final_faults, "send_mail", "the mail server is down")
    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        raises_for(opened, patch)
        note(stage, opened, "broken")
        until_stuck(stage, opened)
        watch_round(stage)
        report = report_of(stage, opened)
        watch = StandstillWatch(stage.client, TWO, "incidents")
        assert samples(stage, watch) == {}, "unknown is not 0"
        stage.do(watch.round())
        assert samples(stage, watch)[metrics.STUCK, "failing"] == 1
    assert report.reached == ()
    assert set(report.failed) == {
        "rota: no e-mail address",
        "cto by mail: the mail server is down",
        "cto by direct message: users_not_found",
        "ceo by mail: the mail server is down",
        "ceo by direct message: users_not_found",
    }
    assert any("No operator was notified" in record.getMessage() for record in caplog.records)
    stage.do(opened.handle.terminate())


def test_reset_refuses_what_it_cannot_do(stage: Stage, on_stage: Incidental) -> None:
    assert "INC-424242 not found" in refused(on_stage("reset", "424242", "--yes"))
    opened = stage.open("warning")
    process = f"standstill-{opened.id}-x"
    assert f"{process} not found" in refused(on_stage("reset", process, "--yes"))
    assert on_stage("reset", opened.number, "--json").status == 2, "it cannot ask"
    stage.do(opened.handle.terminate())
    assert "is closed" in refused(on_stage("reset", opened.number, "--yes"))


async def test_a_watch_that_fails_is_logged_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("incidents.app.liveness.standstill_watch.EVERY", 0.01)
    nowhere = await Client.connect("127.0.0.1:1", lazy=True)
    told: list[str] = []
    with caplog.at_level(logging.WARNING):
        async with watched(nowhere, RUNBOOK.replace(people=RUNBOOK.people.replace(operators=())), "incidents"):
            while len(told) < 3:
                told = [r.getMessage() for r in caplog.records if r.name == "standstill"]
                await asyncio.sleep(0.01)
    assert "names no e-mail address" in told[0]
    assert all("failed and will retry" in line for line in told[1:])
