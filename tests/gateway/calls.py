"""Calls to the gateway: its secrets, requests as their vendors sign them, and an incident opened through it."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from incidents.app.settings import Settings
from incidents.domain.incident.incident import Incident
from incidents.gateway.app import Gateway
from tests.support.environment import World

SIGNING, HOOK, TOKEN = "slack-signing", "pagerduty-hook", "gateway-token"
ALERT = {"title": "Evaluations fail", "service": "flag-evaluation", "severity": "critical"}
_EVENT_KEY = ec.generate_private_key(ec.SECP256R1())
EVENT_KEY = base64.b64encode(
    _EVENT_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()
"""The public key of SendGrid's event webhook."""


@asynccontextmanager
async def calling(world: World, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = Gateway(world.env.client, settings, world.runbook).app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as http:
        yield http


def githubs(body: bytes, secret: str = HOOK) -> dict[str, str]:
    """GitHub's headers of an event of an issue."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={digest}", "x-github-event": "issues"}


def pagerdutys(body: bytes, secret: str = HOOK) -> dict[str, str]:
    return {"x-pagerduty-signature": "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def sendgrids(body: bytes, timestamp: str = "1600112502") -> dict[str, str]:
    """SendGrid's headers of a batch of events."""
    signature = _EVENT_KEY.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return {
        "x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
        "x-twilio-email-event-webhook-timestamp": timestamp,
    }


async def opened(world: World, http: httpx.AsyncClient) -> str:
    """An incident that an alert opened through the gateway."""
    answer = await http.post("/alerts", json=ALERT, headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 202, answer.text
    [started] = answer.json()
    assert started["created"]
    world.handle = world.env.client.get_workflow_handle(started["workflow_id"], result_type=Incident)
    await world.settled()
    return str(started["workflow_id"])
