"""How much an incident says at the top of its channel: the summary, customer updates, and decisions; no more."""

from datetime import timedelta
from typing import Any

from incidents.domain.incident.commands import (
    Acknowledge,
    AddNote,
    Assess,
    Resolve,
)
from incidents.domain.rollback.commands import ApproveRollback, JudgeRollback
from incidents.domain.rollback.state import RollbackStatus
from tests.support.communication.environment import Stage
from tests.support.postmortems import quiet
from tests.support.scripted_incidents import a_bad_release


def top_level(stage: Stage) -> list[dict[str, Any]]:
    """The messages of the channel that are not below another one."""
    messages = stage.channel("incident-1")["messages"]
    return [message for message in messages if message.get("thread_ts") in (None, message["ts"])]


async def a_p0_with_a_rollback(stage: Stage) -> None:
    """A P0 of a bad release: acknowledged, assessed, rolled back, judged healthy by ann, and resolved."""
    quick = {"probe_interval": timedelta(milliseconds=20), "window": timedelta(milliseconds=100), "healthy_probes": 2}
    quick |= {"min_samples": 2, "give_up_after": timedelta(milliseconds=500)}
    stage.runbook = stage.runbook.replace(rollback=stage.runbook.rollback.replace(**quick))
    await a_bad_release(stage)
    await stage.open(labels={"region": "eu"}, settle=False)
    await stage.settled()
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(3)
    await stage.tell(AddNote(by="sue", text="Evaluations answer 502."))
    await stage.at(4)
    await stage.tell(Assess(by="ann", impact="Flags cannot be evaluated in Europe."))
    await stage.at(6)
    await stage.tell(ApproveRollback(by="ann"))
    assert (await stage.incident()).rollback.clusters[0].status is RollbackStatus.INCONCLUSIVE
    await stage.at(8)
    await stage.tell(JudgeRollback(by="ann", healthy=True, reason="the dashboards are green"))
    await stage.at(20)
    await stage.tell(Resolve(by="ann", text="Evaluations are normal.", force=True, reason="seen"))
    await stage.settled()


async def test_a_whole_p0_with_a_rollback_has_at_most_eight_posts_at_the_top(stage: Stage) -> None:
    await a_p0_with_a_rollback(stage)
    await quiet(stage)
    posts = top_level(stage)
    [reminder] = [post["text"] for post in posts if "blocks" not in post]
    assert reminder.startswith("ann: the post-mortem of INC-1 is due in "), "its owner is mentioned"
    update, decision = "[INCIDENT] FeatureSignals P0 — Flag evaluation disruption", "INC-1 · "
    assert sorted(post["blocks"][0]["text"]["text"] for post in posts if "blocks" in post) == sorted(
        [
            "INC-1 · P0 · resolved · EvaluationErrors is high",
            update,
            *[decision + "Rollback of eu-001"] * 3,  # an approval, a verdict, a decision: each is made
            update,
            update,
        ]
    )
    assert len(stage.channel("incident-1")["messages"]) > 20, "all else is said below the summary"


async def test_what_is_said_below_the_summary_can_be_read_there(stage: Stage) -> None:
    await stage.begin()
    await stage.at(1)
    await stage.tell(AddNote(by="sue", text="Evaluations answer 502."))
    channel = stage.channel("incident-1")
    [summary] = channel["pins"]
    threads = {message["text"]: message.get("thread_ts") for message in channel["messages"]}
    assert threads["Evaluations answer 502."] == summary


async def test_without_a_summary_notices_stand_at_the_top(stage: Stage) -> None:
    """A message that Slack refuses for good must not silence the channel."""
    refused = {"ok": False, "error": "invalid_blocks"}
    stage.sandbox.fault("slack", "status", "chat.postMessage", status=200, body=refused, times=None)
    await stage.begin()
    stage.sandbox.clear_faults()
    await stage.tell(AddNote(by="sue", text="Evaluations answer 502."))
    await stage.settled()
    assert "Evaluations answer 502." in [message["text"] for message in top_level(stage)]
