"""A worker that is killed (SIGKILL) at steps of a rollback in turn: the same effects as if nothing had happened."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from incidents.domain.incident.incident import Incident
from incidents.domain.rollback.state import RollbackStatus
from sandbox.server import running_sandbox
from sandbox.temporal_server import running_temporal, stop
from tests.support.thoroughness import THOROUGH
from tests.system.conftest import Stage, stage_environment

pytestmark = pytest.mark.timeout(600)

ALERT: dict[str, Any] = {
    "title": "Evaluations fail",
    "service": "flag-evaluation",
    "severity": "critical",
    "source": "Alertmanager",  # a source that can be silenced
}


def said(text: str) -> Callable[[Incident], bool]:
    return lambda incident: any(text in entry.text for entry in incident.timeline)


STEPS: dict[str, Callable[[Incident], bool]] = {
    "approved": lambda incident: incident.rollback.clusters[0].status is not RollbackStatus.OFFERED,
    "evidence is kept": said("evidence of the bad state"),
    "ordered": said("redeploying"),
    "deployed": said("is being deployed"),
    "verifying": lambda incident: "consecutive good" in incident.rollback.clusters[0].progress,
    "mitigated": lambda incident: incident.status == "monitoring",
}
"""How each step of the rollback is seen from outside."""

KILLED_AT = STEPS if THOROUGH else {name: STEPS[name] for name in ("ordered", "verifying")}
"""In the short form, where most could be done twice: a redeployment, and an update."""

IN_PLACE = {"chat.update", "conversations.setTopic"}
"""Effects that bring something up to date: how often depends on when one looks. Everything else happens once."""

MEASURED = "Suggested blast radius"
"""In a message that depends on which regions failed their probes at that moment."""


@pytest.fixture
def calm_runbook(tmp_path: Path) -> Path:
    """The demo's runbook with nothing in it that depends on the hour: no cadence, no escalation by the clock."""
    runbook = yaml.safe_load(Path("sandbox/runbook.demo.yaml").read_text(encoding="utf-8"))
    policy = runbook["severities"]["P0"]
    policy["updates"] |= {"every": "2h", "remind_before": "1s"}
    policy |= {"acknowledge_within": "2h", "war_room_within": "2h", "stability_window": "2h", "escalation": []}
    runbook["rollback"] |= {"approve_within": "2h", "give_up_after": "60s", "evidence_budget": "60s"}
    runbook["intake"]["self_resolve_within"] = "1s"
    path = tmp_path / "calm.yaml"
    path.write_text(yaml.safe_dump(runbook, allow_unicode=True), encoding="utf-8")
    return path


@pytest.fixture
def fresh(tmp_path: Path, calm_runbook: Path) -> Iterator[Callable[[str], Stage]]:
    """Makes a stage of its own for each run."""
    import contextlib

    with contextlib.ExitStack() as stack:

        def make(name: str) -> Stage:
            home = tmp_path / name
            home.mkdir()
            address, _ = stack.enter_context(running_temporal(home / "temporal.db"))
            sandbox = stack.enter_context(running_sandbox())
            environment = stage_environment(address, sandbox, home) | {"RUNBOOK_FILE": str(calm_runbook)}
            stage = Stage(sandbox, environment, home)
            stack.callback(lambda: [stop(worker) for worker in stage.workers])
            return stage

        yield make


def effects(stage: Stage) -> Counter[tuple[str, str, str]]:
    """What happened in the world, but for mail: vendor, operation, and what it was about."""
    rows = (row for row in stage.sandbox.ledger() if row["operation"] not in IN_PLACE and row["vendor"] != "sendgrid")
    rows = (row for row in rows if MEASURED not in str(row["payload"].get("text", "")))
    return Counter((row["vendor"], row["operation"], about(row["payload"])) for row in rows)


def mails(stage: Stage) -> Counter[str]:
    """What was mailed. SendGrid cannot be asked what it has sent, so a mail goes out at least once (README.md)."""
    return Counter(about(row["payload"]) for row in stage.sandbox.ledger("sendgrid"))


def about(payload: dict[str, Any]) -> str:
    """What an effect was about, without ids and times, which are others in each run."""
    for name in ("event_action", "version", "name", "title", "status", "subject"):
        if payload.get(name):
            return f"{name}={payload[name]}"
    words = str(payload.get("text", "")).split("\n")[0]
    return "".join(letter for letter in words if not letter.isdigit())[:25]


def lived(stage: Stage, kill_at: dict[str, Callable[[Incident], bool]]) -> Incident:
    """Let an incident be rolled back, and kill the worker at each of these steps."""
    worker = stage.worker()
    stage.recorded()
    stage.sandbox.deploy("eu", "v2.15.0-bad")
    assert stage.start(ALERT)["number"] == 1
    stage.until(
        1,
        lambda i: (
            bool(i.rollback.clusters) and "update/1/slack" in i.ledger.fulfilled and "invite" in i.ledger.fulfilled
        ),
    )
    stage.incident("ack", "1", "--by", "ann")
    stage.incident("approve", "1", "--by", "ann")
    for reached in kill_at.values():
        stage.until(1, reached, seconds=120)
        worker.kill()
        worker.wait()
        worker = stage.worker()
    settled = ("update/2/slack", "update/2/status_page", "update/2/email")
    incident = stage.until(1, lambda i: all(key in i.ledger.fulfilled for key in settled), seconds=120)
    stage.incident("resolve", "1", "--by", "ann", "--force", "--reason", "done")
    keys = ("update/3/slack", "update/3/email", "evidence/1", "page-resolve/0", "postmortem/1", "unsilence/0")
    incident = (
        stage.until(1, lambda i: all(key in i.ledger.fulfilled for key in keys) and all_said(i), seconds=120)
        or incident
    )
    learnt_from(stage)
    return incident


def learnt_from(stage: Stage) -> None:
    """Wait until the post-mortem's draft is in the repository, and its owner told."""
    for _ in range(60):
        done = stage.incident("postmortem", "show", "1")["ledger"]["fulfilled"]
        if {"propose/1", "announce/1"} <= set(done):
            return
        time.sleep(1)
    raise AssertionError(f"the post-mortem has only done {done}")


def all_said(incident: Incident) -> bool:
    """Tell whether the channel has heard all that it is to hear: what died with a worker is said seconds later."""
    announced = (entry.sequence for entry in incident.timeline if entry.announce)
    return all(f"notice/{sequence}" in incident.ledger.fulfilled for sequence in announced)


def test_a_rollback_whose_worker_is_killed_has_the_effects_of_an_undisturbed_one(
    fresh: Callable[[str], Stage],
) -> None:
    quiet, hunted = fresh("quiet"), fresh("hunted")
    with ThreadPoolExecutor() as beside:
        calm = beside.submit(lived, quiet, {})
        disturbed = lived(hunted, KILLED_AT)
        undisturbed = calm.result()
    assert disturbed.rollback.clusters[0].status is undisturbed.rollback.clusters[0].status is RollbackStatus.HEALTHY
    assert [row["payload"]["version"] for row in hunted.sandbox.ledger("ops_portal")] == ["v2.14.0"], "deployed once"
    assert effects(hunted) == effects(quiet)
    assert mails(hunted).keys() == mails(quiet).keys()
    assert mails(hunted) >= mails(quiet)
    assert hunted.incident("evidence", "verify", "1")["sound"] is True
