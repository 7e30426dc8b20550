"""The demo's scenarios: an automatic rollback of a P0, and three harder cases."""

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

CUSTOMER = "ACME"
Scene = Callable[[Demo], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """A scenario: the P0's rollback policy, other broken versions, and the recovery."""

    policy: str
    recover: Scene
    breaks: tuple[str, ...] = ()


async def play(demo: Demo, scenario: Scenario, client: Client) -> None:
    """Play an incident from deployment to post-mortem draft."""
    demo.announce("All healthy. The latency baseline recorder runs on a Temporal schedule ...")
    await demo.baseline(client)
    demo.announce(f"A bad version, [red]{BAD}[/red], is deployed to {REGION}. Evaluations start to fail.")
    demo.sandbox.deploy(REGION, BAD, breaks=scenario.breaks)
    demo.started = datetime.now(UTC)
    demo.announce("Prometheus fires an alert; Alertmanager's webhook goes to starter.py.")
    opened = await demo.alert(ended=False)
    demo.number = opened["number"]
    demo.announce(f"Incident [bold]INC-{demo.number}[/bold] is open as workflow {opened['workflow_id']}.")
    with demo.live() as live:
        showing = asyncio.create_task(demo.show(client, opened["workflow_id"], live))
        try:
            await _respond(demo)
            await scenario.recover(demo)
            await _stabilise(demo)
            await _end(demo)
        finally:
            showing.cancel()
    if live is None:
        demo.print_rest()


async def _respond(demo: Demo) -> None:
    await demo.until("the channel, the war room and the first updates", lambda i: len(i.ledger.fulfilled) > 12)
    await demo.responder("ann", "ack")
    impact = "About half of all flag evaluations in Europe fail."
    await demo.responder("ann", "assess", impact, "--customers", CUSTOMER, "--title", "Evaluation errors in Europe")


async def _automatic(demo: Demo) -> None:
    demo.announce("Automatic rollback of a P0: save evidence, preflight check, redeploy last known-good, verify.")
    await demo.until("a verified rollback", _is(RollbackStatus.HEALTHY))


async def _approval(demo: Demo) -> None:
    await demo.until("the rollback's offer", _is(RollbackStatus.OFFERED))
    demo.announce("Rollback offered; waiting for approval. Status updates continue on schedule.")
    await demo.until("the first scheduled update", lambda i: any(u.kind == "scheduled" for u in i.updates.published))
    await demo.responder("ann", "approve")
    await demo.until("a verified rollback", _is(RollbackStatus.HEALTHY))


async def _inconclusive(demo: Demo) -> None:
    await demo.until("the rollback's offer", _is(RollbackStatus.OFFERED))
    refusal = {"error": "unauthorized", "message": "unauthorized"}
    demo.sandbox.fault("product", "status", "evaluate", status=401, body=refusal, times=None)
    demo.announce("The probe's API key was revoked: probes can check /health, but not evaluate flags.")
    await demo.responder("ann", "approve")
    await demo.until("the request for a verdict", _is(RollbackStatus.UNDECIDED))
    demo.announce("Verification is inconclusive: on-call is paged to decide, and probing continues.")
    demo.sandbox.clear_faults()
    await demo.responder("ann", "verdict", "healthy", "--reason", "ACME and our own clients evaluate again")
    await demo.until("the responder's verdict", _is(RollbackStatus.HEALTHY))


async def _bad_candidate(demo: Demo) -> None:
    demo.announce(f"Automatic rollback to {GOOD}. But {BAD} has changed the data, and {GOOD} fails on it.")
    await demo.until("the verdict on the candidate", _is(RollbackStatus.UNHEALTHY))
    demo.announce("No second automatic attempt: on-call is paged with the options.")
    demo.console.print(await demo.run(*CLI, "candidates", str(demo.number)), highlight=False)
    await demo.responder("ann", "rollback")
    await demo.until("a verified rollback", _is(RollbackStatus.HEALTHY))


async def _stabilise(demo: Demo) -> None:
    demo.announce(f"Verified on the product's own endpoints ({await demo.probe()})")
    demo.announce("Alertmanager reports the alert as resolved.")
    await demo.alert(ended=True)
    await demo.responder("ann", "confirm", "--customer", CUSTOMER, "--note", "flags evaluate again")
    await demo.until("the stability window", lambda i: i.stable_since is not None)


async def _end(demo: Demo) -> None:
    await demo.responder("ann", "resolve", "Service is back to normal. A faulty release was reverted.")
    await demo.until(
        "the post-mortem's start", lambda i: any(key.startswith("postmortem/") for key in i.ledger.fulfilled)
    )
    await demo.until("the evidence", lambda i: any(key.startswith("evidence/") for key in i.ledger.fulfilled))
    demo.console.print(await demo.run(*CLI, "evidence", "verify", str(demo.number)), highlight=False)
    for _ in range(100):
        said = await demo.run(*CLI, "postmortem", "show", str(demo.number), "--json")
        found: dict[str, Any] = json.loads(said)
        if found["draft_url"]:
            break
    else:
        raise DemoFailed("The post-mortem draft was not written.")
    demo.announce(f"Post-mortem draft written. Due {found['due'][:16]} UTC, 48 hours after resolution.")
    demo.console.print(await demo.run(*CLI, "postmortem", "show", str(demo.number)), highlight=False)


def _is(status: RollbackStatus) -> Callable[[Incident], bool]:
    return lambda incident: any(state.status is status for state in incident.rollback.clusters)


SCENARIOS: dict[str, Scenario] = {
    "automatic": Scenario("automatic", _automatic),
    "approval": Scenario("approve", _approval),
    "inconclusive": Scenario("approve", _inconclusive),
    "bad-candidate": Scenario("automatic", _bad_candidate, breaks=(GOOD,)),
}
"""What `make demo SCENARIO=...` takes."""
