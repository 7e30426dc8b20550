"""Incidents in the states that documented commands need, on a stage."""

import os
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from incidents.app.api_tokens import ApiTokens, Scope
from incidents.app.foresight.scenario_file import find_scenario
from incidents.client.drills import drill_number, start_drill
from incidents.client.maintenance import send_window, started_windows
from incidents.contracts import ALERT_RESOLVED, AlertBatch
from incidents.domain.alerting.started_windows import EndWindow, StartWindow
from incidents.domain.core.command import Command
from incidents.domain.evidence.audit import timeline_head
from incidents.domain.foresight.drill_script import drill_script
from incidents.domain.incident import commands as c
from incidents.domain.incident.checklist import Step
from incidents.domain.postmortem import commands as p
from incidents.domain.rollback.commands import ApproveRollback
from incidents.domain.rollback.state import RollbackStatus
from incidents.domain.rollback.verification import Verdict
from tests.cli.conftest import QUEUE, RUNBOOK, Opened, Stage
from tests.support.environment import an_alert
from tests.support.fake_activities import an_offer
from tests.support.incidents import WRITTEN

REASON = "stale alert"


def send(stage: Stage, workflow_id: str, *commands: Command) -> None:
    """Send these updates, one after the other."""
    handle = stage.client.get_workflow_handle(workflow_id)
    for command in commands:
        stage.do(handle.execute_update(command.name, command))


def until_listed(opened: Opened, status: str = "Running") -> None:
    """Wait until visibility knows that it runs, or that it has completed."""
    client, query = opened.stage.client, f"WorkflowId = '{opened.id}' AND ExecutionStatus = '{status}'"
    deadline = time.monotonic() + 20
    while opened.stage.do(client.count_workflows(query)).count == 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def fresh(stage: Stage) -> Opened:
    """A P0 whose alert fires."""
    return stage.open()


def acknowledged(stage: Stage) -> Opened:
    """A P0 that is acknowledged."""
    opened = stage.open()
    send(stage, opened.id, c.Acknowledge(by="ann"))
    until_listed(opened)
    return opened


def quiet(stage: Stage) -> Opened:
    """A P0 whose alert has ended."""
    opened = stage.open()
    ended = an_alert(opened.state().started_at).replace(ended_at=datetime.now(UTC))
    stage.do(opened.handle.signal(ALERT_RESOLVED, AlertBatch(alerts=(ended,))))
    opened.until(lambda incident: not incident.alerting.firing)
    return opened


def mitigated(stage: Stage) -> Opened:
    """A P0 that is mitigated."""
    opened = stage.open()
    send(stage, opened.id, c.Monitor(by="ann"))
    return opened


def closed(stage: Stage) -> Opened:
    """A P0 that was cancelled: its workflow has ended."""
    opened = stage.open()
    send(stage, opened.id, c.Cancel(by="ann", reason="broken probe"))
    stage.do(opened.handle.result())
    return opened


def come_back(stage: Stage) -> Opened:
    """A P0 whose alert had opened an incident before."""
    key = f"{uuid.uuid4()}"
    first = stage.open(key=key)
    send(stage, first.id, c.Cancel(by="ann", reason="broken probe"))
    stage.do(first.handle.result())
    until_listed(first, "Completed")
    return stage.open(key=key)


def step_failed(stage: Stage) -> Opened:
    """A P0 whose channel could not be opened."""
    stage.activities.final_faults["open_channel"] = "invalid_auth"
    try:
        opened = stage.open()
        opened.until(lambda incident: incident.step(Step.CHANNEL).status == "failed")
    finally:
        del stage.activities.final_faults["open_channel"]
    return opened


def with_scribe(stage: Stage) -> Opened:
    """A P0 with a scribe."""
    opened = stage.open()
    send(stage, opened.id, c.AssignRole(by="ann", role=c.Role.SCRIBE, person="sue"))
    return opened


def merged(stage: Stage) -> Opened:
    """A P0 that was merged into another."""
    into, opened = stage.open(), stage.open()
    send(stage, opened.id, c.Merge(by="ann", into=int(into.number), workflow_id=into.id))
    into.until(lambda incident: opened.id in incident.merging.absorbed)
    return opened


def offered(stage: Stage, cluster: str = "eu-001") -> Opened:
    """A P0 that offers a rollback."""
    stage.activities.offers = (an_offer(datetime.now(UTC), cluster),)
    try:
        opened = stage.open()
        opened.until(lambda incident: bool(incident.rollback.clusters))
    finally:
        stage.activities.offers = ()
    return opened


def rolled_back(stage: Stage, verdict: Verdict, status: RollbackStatus) -> Opened:
    """A P0 whose rollback was verified with that verdict."""
    opened = offered(stage, "us-001")
    stage.activities.verdict = verdict
    try:
        send(stage, opened.id, ApproveRollback(by="ann"))
        opened.until(lambda incident: incident.rollback.clusters[0].status is status)
    finally:
        stage.activities.verdict = Verdict.HEALTHY
    return opened


def inconclusive(stage: Stage) -> Opened:
    """A P0 whose rollback waits for a person's verdict."""
    return rolled_back(stage, Verdict.INCONCLUSIVE, RollbackStatus.INCONCLUSIVE)


def unhelpful(stage: Stage) -> Opened:
    """A P0 whose rollback did not help."""
    return rolled_back(stage, Verdict.UNHEALTHY, RollbackStatus.UNHEALTHY)


def resolved(stage: Stage) -> Opened:
    """A resolved P0, whose post-mortem has begun."""
    opened = stage.open()
    send(stage, opened.id, c.Resolve(by="ann", force=True, reason=REASON))
    opened.until(lambda incident: f"postmortem/{incident.times_resolved}" in incident.ledger.fulfilled)
    return opened


def resolved_anew(stage: Stage) -> Opened:
    """A resolved P0 that no other command has used."""
    return resolved(stage)


def with_item(stage: Stage) -> Opened:
    """A resolved P0, whose post-mortem has an action item."""
    opened = resolved(stage)
    send(stage, postmortem_id(opened), p.SetActionItem(by="ann", title="Test it", owner="cto"))
    return opened


def written(stage: Stage) -> Opened:
    """A resolved P0, whose post-mortem lacks nothing."""
    opened = resolved(stage)
    send(stage, postmortem_id(opened), p.EditDocument(by="ann", **WRITTEN.model_dump(exclude={"items"})))
    return opened


def published(stage: Stage) -> Opened:
    """A resolved P0, whose post-mortem is published."""
    opened = written(stage)
    send(stage, postmortem_id(opened), p.PublishPostmortem(by="ann", url="https://wiki.example/1"))
    return opened


def postmortem_id(opened: Opened) -> str:
    """The workflow of its post-mortem."""
    return f"postmortem-{opened.number}"


def drill(stage: Stage) -> Opened:
    """A drill that plays no scenario."""
    return stage.open("warning", drill=True)


def ended_drill(stage: Stage) -> Opened:
    """A drill that waits for its review."""
    opened = drill(stage)
    send(stage, opened.id, c.Resolve(by="ann", force=True, reason="end of the drill"))
    return opened


def playing(stage: Stage) -> Opened:
    """A drill that plays a scenario."""
    scenario = find_scenario("07-rollback").scenario
    script = drill_script(scenario, "07-rollback", RUNBOOK, "ann", datetime.now(UTC))
    workflow_id = stage.do(start_drill(stage.client, script, RUNBOOK, QUEUE))
    number = stage.do(drill_number(stage.client, workflow_id, timedelta(seconds=20)))
    return Opened(stage, stage.client.get_workflow_handle(workflow_id), str(number))


def pair(stage: Stage) -> tuple[str, ...]:
    """Two P0s."""
    return stage.open().number, stage.open().number


def no_window(stage: Stage) -> tuple[str, ...]:
    """No maintenance window: each that another command has started ends."""
    for each in stage.do(started_windows(stage.client)):
        if each.window.until > datetime.now(UTC):
            command = EndWindow(by="ann", number=each.number, id=f"{uuid.uuid4()}")
            stage.do(send_window(stage.client, command, QUEUE, timedelta(seconds=20)))
    return ()


def window(stage: Stage) -> tuple[str, ...]:
    """A maintenance window that runs."""
    until = datetime.now(UTC) + timedelta(hours=2)
    command = StartWindow(by="ann", until=until, service="dashboard", reason="upgrade", id=f"{uuid.uuid4()}")
    stage.do(send_window(stage.client, command, QUEUE, timedelta(seconds=20)))
    return (str(stage.do(started_windows(stage.client))[-1].number),)


def with_head(stage: Stage) -> tuple[str, ...]:
    """A P0, and the head of its timeline."""
    opened = stage.open()
    head = timeline_head(opened.state())
    return opened.number, f"{head.entries}:{head.sha256[:16]}"


def token(_: Stage) -> tuple[str, ...]:
    """A token of the API, in the file that the command line reads."""
    tokens = ApiTokens(Path(os.environ["API_TOKENS"]))
    created, _text = tokens.create("ann", (Scope.READ,), datetime.now(UTC), None)
    return (created.id,)
