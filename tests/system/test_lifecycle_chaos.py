"""A whole incident ends the same, whatever is killed, stopped or fails; and the checker sees if it does not."""

import asyncio
import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory

from incidents.domain.config.communication import Channel
from incidents.domain.core.ledger import Unfulfilled
from incidents.domain.incident.incident import Incident
from incidents.domain.postmortem.postmortem import Postmortem, Stage
from incidents.domain.rollback.state import RollbackStatus
from incidents.domain.updates.overdue import overdue_text
from incidents.domain.updates.state import StatusUpdate, UpdateKind
from sandbox.faults import Faults
from tests.chaos import readers
from tests.chaos.lifecycle.check import (
    Outcome,
    check,
    doubled,
    latest,
    missing,
    recorded_failures,
    unexpected,
    unkept_claims,
    wrong_ends,
)
from tests.chaos.lifecycle.effects import Row
from tests.chaos.lifecycle.kill_points import STEPS, KillPoint, Side
from tests.chaos.lifecycle.plan import ProcessFault, VendorFault, plan
from tests.chaos.lifecycle.processes import Site
from tests.chaos.lifecycle.report import as_markdown, chaos_rows, fault_rows, step_rows
from tests.chaos.lifecycle.run import Result, run_points, run_seed, undisturbed
from tests.chaos.plan import Action
from tests.support.thoroughness import by_thoroughness

HISTORIES = Path("tests/replay/histories/0.2.0")
RUN = "11111111-2222-3333-4444-555555555555"
FAULTS = by_thoroughness(6, 14)
SHORT = (
    KillPoint(Side.BEFORE, "RollbackWorkflow.redeploy"),
    KillPoint(Side.AFTER, "RollbackWorkflow.verify_region"),
    KillPoint(Side.AFTER, "IncidentWorkflow.publish_status"),
    KillPoint(Side.AFTER, "PostmortemWorkflow.propose_document"),
)
POINTS = by_thoroughness(SHORT, tuple(KillPoint(Side.AFTER, step) for step in STEPS))


def _quiet(_: str) -> None:
    """Report nothing."""


@pytest.mark.timeout(900)
async def test_an_incident_ends_as_an_undisturbed_one_whatever_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults of processes and vendors in one incident; in another, workers die at steps of rollback and publication."""
    monkeypatch.setattr(readers, "EVERY", by_thoroughness(4.0, readers.EVERY))  # for each query, a worker replays
    calm = asyncio.create_task(undisturbed(Site(tmp_path / "undisturbed"), _quiet))
    faulty = run_seed(1, plan(1, FAULTS), calm, Site(tmp_path / "faulty"), _quiet)
    hunted = run_points(POINTS, calm, tmp_path / "hunted", _quiet)
    results = await asyncio.gather(faulty, hunted)
    assert [result.problems for result in results] == [[], []]
    assert [result.faults.total() for result in results] == [FAULTS, len(POINTS)]
    assert all(result.histories > 3 for result in results), "incident, rollback and post-mortem are replayed"
    assert all(result.answers for result in results), "people could look at them"


def test_a_plan_depends_on_the_seed_only() -> None:
    assert plan(7, 20) == plan(7, 20) != plan(8, 20)
    assert len(plan(7, 20)) == 20


def test_plans_have_every_fault_and_the_sandbox_takes_each() -> None:
    faults = [fault for seed in range(1, 30) for fault in plan(seed, 20)]
    processes = {(fault.process, fault.action) for fault in faults if isinstance(fault, ProcessFault)}
    assert processes == {
        (name, action) for name in ("worker-1", "worker-2", "gateway", "temporal", "vendors") for action in Action
    }
    vendors = [fault for fault in faults if isinstance(fault, VendorFault)]
    assert {fault.kind for fault in vendors} == {
        "429", "500", "timeout", "lost reply", "late effect", "reset", "garbage"
    }  # fmt: skip
    for fault in vendors:
        Faults().add(fault.order)


def _result_of(name: str, kind: str) -> str:
    [*_, last] = WorkflowHistory.from_json(
        kind, gzip.decompress((HISTORIES / f"{name}.json.gz").read_bytes()).decode()
    ).events
    return last.workflow_execution_completed_event_attributes.result.payloads[0].data.decode()


@pytest.fixture(scope="module")
def calm() -> Outcome:
    """A run with one notice, one mail and one deployment, and its updates on all channels."""
    incident = Incident.model_validate_json(_result_of("rolled_back_to_its_postmortem.incident", "incident"))
    ended = Postmortem.model_validate_json(_result_of("rolled_back_to_its_postmortem.postmortem", "postmortem"))
    rows = [
        slack(f"{RUN}/notice/9", "Acknowledged by ann"),
        row(
            "sendgrid", "mail.send", custom_args={"operation_key": f"{RUN}/escalate/P0/0/cto/email"}, to=["a@b.example"]
        ),
        row("ops_portal", "deployment.rollback", version="v2.14.0"),
        *(slack(f"{RUN}/{key}", "an update") for key in updates(incident) if key.endswith("/slack")),
        *(page(key) for key in updates(incident) if key.endswith("/status_page")),
        *(mail(key) for key in updates(incident) if key.endswith("/email")),
    ]
    return Outcome(rows, incident, ended.replace(stage=Stage.PUBLISHED))


def updates(incident: Incident) -> list[str]:
    return [f"update/{one.sequence}/{channel}" for one in incident.updates.published for channel in one.channels]


def row(vendor: str, operation: str, **payload: Any) -> Row:
    return {"vendor": vendor, "operation": operation, "payload": payload, "at": "2026-11-29T18:00:00.000Z"}


def slack(key: str, text: str) -> Row:
    return row("slack", "chat.postMessage", metadata={"event_payload": {"key": key}}, text=text)


def mail(key: str) -> Row:
    return row("sendgrid", "mail.send", custom_args={"operation_key": f"{RUN}/{key}"}, to=["c@d.example"])


def page(key: str) -> Row:
    number = key.split("/")[1]
    return row("statuspage", "incident.update", metadata={"incident_runbook": {"update_key": f"{RUN}/{number}"}})


def with_rows(outcome: Outcome, *more: Row) -> Outcome:
    return replace(outcome, rows=[*outcome.rows, *more])


def without(outcome: Outcome, unwanted: Callable[[Row], bool]) -> Outcome:
    return replace(outcome, rows=[one for one in outcome.rows if not unwanted(one)])


def test_the_same_is_no_problem(calm: Outcome) -> None:
    assert list(missing(calm, calm)) == list(doubled(calm)) == list(unexpected(calm, calm)) == []
    assert list(unkept_claims(calm)) == []
    assert check(calm, calm, 0, 0).problems == []
    other = [{**one, "payload": {**one["payload"], "id": 7}} for one in calm.rows]
    assert list(missing(replace(calm, rows=other), calm)) == [], "ids differ from run to run"


def test_what_is_missing_is_found(calm: Outcome) -> None:
    lost = without(calm, lambda one: one["vendor"] == "ops_portal")
    assert list(missing(lost, calm)) == ["missing: ops_portal deployment.rollback version=v2.14.0"]


def test_what_was_done_twice_is_found_except_for_mail(calm: Outcome) -> None:
    notice, mailed, deployed, *_ = calm.rows
    [message] = doubled(with_rows(calm, notice, mailed))
    assert message.startswith("done 2 times: slack chat.postMessage")
    [deployment] = doubled(with_rows(calm, deployed))
    assert deployment.startswith("done 2 times: ops_portal deployment.rollback")
    assert check(with_rows(calm, mailed), calm, 0, 1).repeats == 1


def test_that_an_update_is_overdue_is_explained_by_the_outages(calm: Outcome) -> None:
    said = slack(f"{RUN}/notice/12", overdue_text(3, (Channel.SLACK,)))
    late = slack(f"{RUN}/notice/13", "Update 3 was 1m 12s late (due 18:04 UTC)")
    assert list(unexpected(with_rows(calm, said, late), calm)) == []


def test_what_an_undisturbed_run_does_not_do_is_found(calm: Outcome) -> None:
    more = with_rows(
        calm, slack(f"{RUN}/notice/12", "Not published on slack"), slack(f"{RUN}/update/70/slack", "again")
    )
    [found] = unexpected(more, calm)
    assert found == "not in the undisturbed run: slack chat.postMessage notice: Not published on slack"
    [held] = unexpected(with_rows(calm, slack(f"{RUN}/notice/13", "Update 3 held until 18:04 UTC: wait")), calm)
    assert held.endswith("notice: Update  held until : UTC: wait")


@pytest.mark.parametrize("mention", ["ann: ", "<@U0001> "])
def test_a_question_that_mentions_the_commander_is_the_same_question(calm: Outcome, mention: str) -> None:
    """It is posted after there is one if the chat was away before."""
    question = slack(f"{RUN}/notice/12", "Rollback offered: eu-001 from v2 to v1 (errors).")
    later = slack(f"{RUN}/notice/13", f"{mention}Rollback offered: eu-001 from v2 to v1 (errors).")
    assert list(unexpected(with_rows(calm, later), with_rows(calm, question))) == []
    assert len(list(unexpected(with_rows(calm, later), calm))) == 1


def test_an_update_that_is_only_believed_to_be_out_is_found(calm: Outcome) -> None:
    last = calm.incident.updates.published[-1].sequence
    lost = without(calm, lambda one: f"update/{last}/slack" in str(one))
    assert list(unkept_claims(lost)) == [f"believed to be out: update/{last}/slack", "the final update is not on slack"]


def test_an_end_that_is_not_the_wanted_one_is_found(calm: Outcome) -> None:
    assert list(wrong_ends(calm)) == []
    overdue = replace(calm, postmortem=calm.postmortem.replace(stage=Stage.OVERDUE))
    assert list(wrong_ends(overdue)) == ["the post-mortem is overdue"]
    rollback = calm.incident.rollback
    failed = tuple(state.replace(status=RollbackStatus.FAILED) for state in rollback.clusters)
    unverified = replace(calm, incident=calm.incident.replace(rollback=rollback.replace(clusters=failed)))
    assert list(wrong_ends(unverified)) == ["the rollback is not verified"]


def test_a_duty_that_was_given_up_is_found(calm: Outcome) -> None:
    at = calm.incident.opened_at
    given_up = calm.incident.ledger.replace(failures=(Unfulfilled(key="channel", reason="Slack is down", at=at),))
    failed = replace(calm, incident=calm.incident.replace(ledger=given_up))
    assert "given up: channel: Slack is down" in list(recorded_failures(failed))


def test_lateness_is_found_if_no_outage_explains_it(calm: Outcome) -> None:
    final = calm.incident.updates.published[-1]
    scheduled = final.replace(kind=UpdateKind.SCHEDULED)
    reminder = slack(f"{RUN}/update/{final.sequence}/reminder", "soon") | {"at": final.due.isoformat()}
    rows = [reminder, *(one | {"at": (final.due + timedelta(seconds=300)).isoformat()} for one in calm.rows)]
    late = replace(calm, incident=published(calm.incident, scheduled), rows=rows)
    punctual = replace(calm, incident=published(calm.incident))
    assert latest(late) == 300
    explained = "an update was 300 s late, and the outages explain"
    assert any(explained in problem for problem in check(late, punctual, outage_seconds=100, faults=1).problems)
    assert not any(explained in problem for problem in check(late, punctual, outage_seconds=280, faults=1).problems)


def published(incident: Incident, *those: StatusUpdate) -> Incident:
    return incident.replace(updates=incident.updates.replace(published=those))


def test_the_tables_say_what_failed() -> None:
    result = Result(3, problems=["missing: a page"])
    result.faults.update({"SIGKILL worker": 2, "SIGSTOP temporal": 1, "429": 4})
    [cells] = chaos_rows([result])
    assert cells[:4] == ["3", "2", "1", "4"]
    assert cells[-1] == "failed"
    assert fault_rows([result]) == [["429", "4"], ["SIGKILL worker", "2"], ["SIGSTOP temporal", "1"]]
    point = KillPoint(Side.BEFORE, "RollbackWorkflow.redeploy")
    assert step_rows({point: Result(0)}) == [["RollbackWorkflow.redeploy", "ok", "not run"]]
    assert as_markdown(("a", "b"), [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


@pytest.mark.parametrize("side", Side)
def test_a_kill_point_is_read_as_it_was_written(side: Side) -> None:
    point = KillPoint(side, "RollbackWorkflow.redeploy")
    assert KillPoint.parse(str(point)) == point
