"""The demo's scenarios: an automatic rollback of a P0, and three harder cases."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client

from incidents.domain.incident.incident import Incident
from incidents.domain.rollback.state import RollbackStatus
from sandbox.demo.stage import BAD, CLI, GOOD, REGION, Demo, DemoFailed
from sandbox.demo.summary import customer_texts, draft_path

CUSTOMER = "ACME"
Scene = Callable[[Demo], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """A scenario: the P0's rollback policy, other broken versions, and the recovery."""

    policy: str
    recover: Scene
    breaks: tuple[str, ...] = ()


@contextlib.asynccontextmanager
async def begin(demo: Demo, scenario: Scenario, client: Client) -> AsyncIterator[None]:
    """Play from the deployment to the first messages, and keep the incident current until the end of the block."""
    demo.say(f"Two regions run {GOOD}. Their normal latency is being measured.")
    await demo.baseline(client)
    demo.say(f"[red]{BAD}[/red] is deployed to {REGION}: most requests there fail from now on.")
    demo.sandbox.deploy(REGION, BAD, breaks=scenario.breaks)
    demo.started = datetime.now(UTC)
    demo.wait_for("Prometheus notices")
    opened = await demo.alert(ended=False)
    demo.number = opened["number"]
    demo.say(f"Prometheus fires; the alert opens [bold]INC-{demo.number}[/bold], a P0.")
    following = asyncio.create_task(demo.follow(client, opened["workflow_id"]))
    try:
        await demo.until("the page, the channel, the war room and the first update", lambda i: _reached(i, demo.number))
        demo.say("On-call and the CTO are paged; the channel and the war room are open.")
        demo.say(f"Customers read: [italic]{customer_texts(demo.sandbox.state())[-1]}[/italic]")
        yield
    finally:
        following.cancel()


async def finish(demo: Demo, scenario: Scenario) -> None:
    """Play a responder from the acknowledgement to the post-mortem's draft."""
    await demo.responder("ann", "ack")
    await demo.responder("ann", "assess", "Half of all evaluations in Europe fail.", "--customers", CUSTOMER)
    await scenario.recover(demo)
    await _stabilise(demo)
    await _end(demo)


def _reached(incident: Incident, number: int) -> bool:
    resources, done = incident.resources, incident.ledger.fulfilled
    return incident.number == number and None not in (resources.channel_id, resources.bridge_url) and len(done) > 12


async def _automatic(demo: Demo) -> None:
    demo.say(f"Automatic rollback: evidence saved, {GOOD} redeployed, probes sent.")
    await demo.until("a verified rollback", _is(RollbackStatus.HEALTHY))


async def _approval(demo: Demo) -> None:
    await demo.until("the rollback's offer", _is(RollbackStatus.OFFERED))
    demo.say("The rollback waits for approval. Meanwhile, status updates go out on time.")
    await demo.until("the first scheduled update", lambda i: any(u.kind == "scheduled" for u in i.updates.published))
    await demo.responder("ann", "approve")
    await demo.until("a verified rollback", _is(RollbackStatus.HEALTHY))


async def _inconclusive(demo: Demo) -> None:
    await demo.until("the rollback's offer", _is(RollbackStatus.OFFERED))
    refusal = {"error": "unauthorized", "message": "unauthorized"}
    demo.sandbox.fault("product", "status", "evaluate", status=401, body=refusal, times=None)
    demo.say("The probes' API key was revoked: probes reach /health, but not evaluations.")
    await demo.responder("ann", "approve")
    await demo.until("the request for a verdict", _is(RollbackStatus.UNDECIDED))
    demo.say("The verification is inconclusive: on-call is paged to decide.")
    demo.sandbox.clear_faults()
    await demo.responder("ann", "verdict", "healthy", "--reason", "ACME and our own clients evaluate again")
    await demo.until("the responder's verdict", _is(RollbackStatus.HEALTHY))


async def _bad_candidate(demo: Demo) -> None:
    demo.say(f"Automatic rollback to {GOOD}. But {BAD} changed the data, and {GOOD} fails on it.")
    await demo.until("the verdict on the candidate", _is(RollbackStatus.UNHEALTHY))
    demo.say("No second automatic attempt: on-call is paged with the options.")
    demo.note(await demo.run(*CLI, "candidates", str(demo.number)))
    await demo.responder("ann", "rollback")
    await demo.until("a verified rollback", _is(RollbackStatus.HEALTHY))


async def _stabilise(demo: Demo) -> None:
    demo.say(f"Rolled back and verified: {await demo.probe()}")
    await demo.alert(ended=True)
    await demo.responder("ann", "confirm", "--customer", CUSTOMER, "--note", "flags evaluate again")
    await demo.until("ten quiet minutes (here: seconds)", lambda i: i.stable_since is not None)


async def _end(demo: Demo) -> None:
    await demo.responder("ann", "resolve", "A faulty release was reverted.")
    await demo.until(
        "the post-mortem's start", lambda i: any(key.startswith("postmortem/") for key in i.ledger.fulfilled)
    )
    await demo.until("the evidence", lambda i: any(key.startswith("evidence/") for key in i.ledger.fulfilled))
    demo.say((await demo.run(*CLI, "evidence", "verify", str(demo.number))).strip())
    demo.wait_for("Waiting for the draft of the post-mortem")
    for _ in range(100):
        said = await demo.run(*CLI, "postmortem", "show", str(demo.number), "--json")
        found: dict[str, Any] = json.loads(said)
        if found["draft_url"]:
            break
    else:
        raise DemoFailed("The post-mortem draft was not written.")
    demo.say(f"Post-mortem drafted, due in 48 hours: {draft_path(demo.number)}")
    demo.note(await demo.run(*CLI, "postmortem", "show", str(demo.number)))


def _is(status: RollbackStatus) -> Callable[[Incident], bool]:
    return lambda incident: any(state.status is status for state in incident.rollback.clusters)


SCENARIOS: dict[str, Scenario] = {
    "automatic": Scenario("automatic", _automatic),
    "approval": Scenario("approve", _approval),
    "inconclusive": Scenario("approve", _inconclusive),
    "bad-candidate": Scenario("automatic", _bad_candidate, breaks=(GOOD,)),
}
"""What `make demo SCENARIO=...` takes."""
