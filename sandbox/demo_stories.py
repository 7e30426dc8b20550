"""The demo's stories: a P0 that is rolled back by itself, and what happens where that is not so easy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client

from incidents.domain.incident.incident import Incident
from incidents.domain.rollback.state import RollbackStatus
from sandbox.demo_stage import BAD, CLI, GOOD, REGION, Demo, DemoFailed

CUSTOMER = "ops@acme.example"
Scene = Callable[[Demo], Awaitable[None]]


@dataclass(frozen=True)
class Story:
    """How an incident goes: what the P0's rollback policy is, what is broken besides, and how the recovery is told."""

    policy: str
    recover: Scene
    breaks: tuple[str, ...] = ()


async def play(demo: Demo, story: Story, client: Client) -> None:
    """Tell a whole incident."""
    demo.tell("All is well. The recorder measures what is normal, on a Temporal schedule ...")
    await demo.calm(client)
    demo.tell(f"Somebody deploys [red]{BAD}[/red] to {REGION}. Evaluations begin to fail there.")
    demo.sandbox.deploy(REGION, BAD, breaks=story.breaks)
    demo.started = datetime.now(UTC)
    demo.tell("Prometheus notices; Alertmanager's webhook goes to starter.py.")
    opened = await demo.alert(ended=False)
    demo.number = opened["number"]
    demo.tell(f"Incident [bold]INC-{demo.number}[/bold] is open as workflow {opened['workflow_id']}.")
    with demo.live() as live:
        showing = asyncio.create_task(demo.show(client, opened["workflow_id"], live))
        try:
            await _respond(demo)
            await story.recover(demo)
            await _stabilise(demo)
            await _end(demo)
        finally:
            showing.cancel()
    if live is None:
        demo.print_rest()


async def _respond(demo: Demo) -> None:
    await demo.until("the channel, the war room and the first updates", lambda i: len(i.fulfilled) > 12)
    await demo.responder("ann", "ack")
    impact = "About half of all flag evaluations in Europe fail."
    await demo.responder("ann", "assess", impact, "--customers", CUSTOMER, "--title", "Evaluation errors in Europe")


async def _automatic(demo: Demo) -> None:
    demo.tell("The runbook rolls a P0 back by itself: evidence first, a last look, the last known-good, then proof.")
    await demo.until("a verified rollback", _is(RollbackStatus.HEALTHY))


async def _approval(demo: Demo) -> None:
    await demo.until("the rollback's offer", _is(RollbackStatus.OFFERED))
    demo.tell("The runbook offers a rollback and waits for a person. The next status update comes by itself.")
    await demo.until("the first scheduled update", lambda i: any(u.kind == "scheduled" for u in i.updates))
    await demo.responder("ann", "approve")
    await demo.until("a verified rollback", _is(RollbackStatus.HEALTHY))


async def _inconclusive(demo: Demo) -> None:
    await demo.until("the rollback's offer", _is(RollbackStatus.OFFERED))
    refusal = {"error": "unauthorized", "message": "unauthorized"}
    demo.sandbox.fault("product", "status", "evaluate", status=401, body=refusal, times=None)
    demo.tell("The probe's key has been revoked, of all times. The probes will see health, and no evaluation.")
    await demo.responder("ann", "approve")
    await demo.until("the question to a person", _is(RollbackStatus.UNDECIDED))
    demo.tell("Neither a pass nor a failure: whoever is on call is paged and asked, and probing goes on.")
    demo.sandbox.clear_faults()
    await demo.responder("ann", "verdict", "healthy", "--reason", "ACME and our own clients evaluate again")
    await demo.until("the person's verdict", _is(RollbackStatus.HEALTHY))


async def _bad_candidate(demo: Demo) -> None:
    demo.tell(f"The runbook rolls back to {GOOD} by itself. But {BAD} has changed the data, and {GOOD} fails on it.")
    await demo.until("the verdict on the candidate", _is(RollbackStatus.UNHEALTHY))
    demo.tell("It stops there, pages, and says what can be done. The runbook alone tries no second time.")
    demo.console.print(await demo.run(*CLI, "candidates", str(demo.number)), highlight=False)
    await demo.responder("ann", "rollback")
    await demo.until("a verified rollback", _is(RollbackStatus.HEALTHY))


async def _stabilise(demo: Demo) -> None:
    demo.tell(f"Proven on the product's own endpoints: {await demo.looks()}")
    demo.tell("Alertmanager says that the alert has ended.")
    await demo.alert(ended=True)
    await demo.responder("ann", "confirm", "--customer", CUSTOMER, "--note", "flags evaluate again")
    await demo.until("the stability window", lambda i: i.stable_since is not None)


async def _end(demo: Demo) -> None:
    await demo.responder("ann", "resolve", "Service is back to normal. A faulty release was reverted.")
    await demo.until("the post-mortem's start", lambda i: any(key.startswith("postmortem/") for key in i.fulfilled))
    await demo.until("the evidence", lambda i: any(key.startswith("evidence/") for key in i.fulfilled))
    demo.console.print(await demo.run(*CLI, "evidence", "verify", str(demo.number)), highlight=False)
    for _ in range(100):
        said = await demo.run(*CLI, "postmortem", "show", str(demo.number), "--json")
        found: dict[str, Any] = json.loads(said)
        if found["draft_url"]:
            break
    else:
        raise DemoFailed("the post-mortem's draft was not written")
    demo.tell(f"The post-mortem's draft is written; it is due {found['due'][:16]} UTC, 48 hours after the resolution.")
    demo.console.print(await demo.run(*CLI, "postmortem", "show", str(demo.number)), highlight=False)


def _is(status: RollbackStatus) -> Callable[[Incident], bool]:
    return lambda incident: any(state.status is status for state in incident.rollbacks)


STORIES: dict[str, Story] = {
    "automatic": Story("automatic", _automatic),
    "approval": Story("approve", _approval),
    "inconclusive": Story("approve", _inconclusive),
    "bad-candidate": Story("automatic", _bad_candidate, breaks=(GOOD,)),
}
"""What `make demo SCENARIO=...` takes."""
