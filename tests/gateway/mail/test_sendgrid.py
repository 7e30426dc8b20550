"""SendGrid's events at the gateway: a mail that bounced is known to its incident, once and without an address."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from incidents.app.settings import Settings, load_settings
from incidents.app.temporal_settings import SettingsError
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.updates.bounces import MailBounce
from incidents.gateway import signatures
from incidents.gateway.mail_events import read
from tests.gateway.calls import EVENT_KEY, calling, opened, sendgrids
from tests.support.environment import World

SAMPLE: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "samples" / "sendgrid_events.json").read_text(encoding="utf-8")
)
BOUNCE, DROPPED, DELIVERED = SAMPLE
WORKFLOW = "incident-flag-evaluation:production"
SIGNATURE, TIMESTAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"


def events(*found: dict[str, Any]) -> bytes:
    return json.dumps(found).encode()


async def posted(http: httpx.AsyncClient, *found: dict[str, Any]) -> str:
    body = events(*found)
    answer = await http.post("/sendgrid", content=body, headers=sendgrids(body))
    assert answer.status_code == 202, answer.text
    return str(answer.json()["action"])


def test_sendgrids_own_example_of_a_signature_fits() -> None:
    """github.com/sendgrid/sendgrid-python, test/unit/test_eventwebhook.py."""
    event = {
        "email": "hello@world.com",
        "event": "dropped",
        "reason": "Bounced Address",
        "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",
        "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
        "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>",
        "timestamp": 1600112492,
    }
    body = json.dumps([event], separators=(",", ":")).encode() + b"\r\n"
    key = (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eN"
        "Ec6wEA3F+g=="
    )
    signature = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
    headers = {SIGNATURE: signature, TIMESTAMP: "1600112502"}
    assert signatures.from_sendgrid(key, headers, body)
    assert not signatures.from_sendgrid(key, headers, body.strip())
    assert not signatures.from_sendgrid(key, headers | {TIMESTAMP: "1600112503"}, body)
    assert not signatures.from_sendgrid(EVENT_KEY, headers, body)
    for bad in ("", "x", "MEUC", "ü"):
        assert not signatures.from_sendgrid(key, headers | {SIGNATURE: bad}, body)
        assert not signatures.from_sendgrid(bad, headers, body)


async def test_what_sendgrid_did_not_sign_is_rejected(live_world: World, http: httpx.AsyncClient) -> None:
    body = events(BOUNCE)
    for headers in ({}, sendgrids(body) | {TIMESTAMP: "1"}, sendgrids(body + b" ")):
        answer = await http.post("/sendgrid", content=body, headers=headers)
        assert answer.status_code == 401


def test_an_event_becomes_what_an_incident_may_know() -> None:
    assert read(events(*SAMPLE)) == {
        WORKFLOW: (
            MailBounce(
                event=BOUNCE["sg_event_id"],
                key="run-7/update/1/email",
                reason="5.1.1 Invalid Address",
                customer="ACME",
            ),
            MailBounce(event=DROPPED["sg_event_id"], key="run-7/escalate/P0/0/cto/email", reason="Bounced Address"),
        )
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"event": "deferred"},
        {"incident": "postmortem-1"},
        {"incident": None},
        {"incident": ["incident-x"]},
        {"operation_key": ""},
        {"operation_key": "run-7/ops@acme.example"},
        {"customer": "ops@acme.example"},
        {"sg_event_id": ""},
        {"sg_event_id": 7},
    ],
)
def test_other_events_are_left_out(changed: dict[str, Any]) -> None:
    assert read(events(BOUNCE | changed)) == {}


def test_no_word_of_a_mail_server_is_kept() -> None:
    told = BOUNCE | {"status": "550 ops@acme.example", "bounce_classification": "Olga <ops@acme.example>"}
    [bounce] = read(events(told))[WORKFLOW]
    assert bounce.reason == ""


@pytest.mark.parametrize("body", [b"", b"{}", b"nonsense", b'"x"'])
async def test_what_is_no_batch_of_events_is_refused(live_world: World, http: httpx.AsyncClient, body: bytes) -> None:
    answer = await http.post("/sendgrid", content=body, headers=sendgrids(body))
    assert answer.status_code == 400
    assert (await http.post("/sendgrid", content=b"[3]", headers=sendgrids(b"[3]"))).json() == {"action": "ignored"}


async def test_45_a_bounce_reaches_its_incident_once_and_without_an_address(
    live_world: World, http: httpx.AsyncClient
) -> None:
    world, workflow_id = live_world, await opened(live_world, http)
    run = (await world.incident()).first_run_id
    mail = f"{run}/escalate/P0/0/cto/email"
    assert (await world.incident()).standing(mail.partition("/")[2]) is StepStatus.DONE
    ours = {"incident": workflow_id}
    found = (DROPPED | ours | {"operation_key": mail}, BOUNCE | ours | {"operation_key": f"{run}/update/1/email"})
    for _ in range(2):  # SendGrid repeats a batch that it does not know to be taken
        assert await posted(http, *found, DELIVERED | ours) == "forwarded"
    await world.settled()
    incident = await world.incident()
    assert incident.standing(mail.partition("/")[2]) is StepStatus.FAILED
    said = [entry.text for entry in incident.timeline if "not delivered" in entry.text]
    assert said == [
        "Failed: escalate to CTO by email: the mail was not delivered (Bounced Address)",
        "Mail to ACME was not delivered (5.1.1 Invalid Address). Reach them another way",
    ]
    history = (await world.handle.fetch_history()).to_json()
    assert "acme.example" not in history
    assert "Olga" not in history


async def test_45_a_bounce_is_durable_while_no_worker_runs(empty_world: World, settings: Settings) -> None:
    async with calling(empty_world, settings) as http:
        async with empty_world.worker():
            workflow_id = await opened(empty_world, http)
        run = (await empty_world.handle.describe()).run_id
        event = DROPPED | {"incident": workflow_id, "operation_key": f"{run}/escalate/P0/0/cto/email"}
        assert await posted(http, event) == "forwarded"
        async with empty_world.worker():
            incident = await empty_world.incident()
    assert any("the mail was not delivered" in entry.text for entry in incident.timeline)


async def test_a_bounce_of_an_incident_that_is_gone_is_accepted(live_world: World, http: httpx.AsyncClient) -> None:
    assert await posted(http, BOUNCE | {"incident": "incident-gone"}) == "forwarded"


@pytest.mark.parametrize("pasted", [EVENT_KEY, f"-----BEGIN PUBLIC KEY-----\n{EVENT_KEY}\n-----END PUBLIC KEY-----"])
def test_the_key_may_be_pasted_with_or_without_its_frame(monkeypatch: pytest.MonkeyPatch, pasted: str) -> None:
    monkeypatch.setenv("SENDGRID_WEBHOOK_PUBLIC_KEY", pasted)
    assert load_settings().sendgrid_webhook_public_key == EVENT_KEY


@pytest.mark.parametrize("text", ["secret", "SG.key", EVENT_KEY[4:]])
def test_what_is_no_key_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SENDGRID_WEBHOOK_PUBLIC_KEY", text)
    with pytest.raises(SettingsError, match="SENDGRID_WEBHOOK_PUBLIC_KEY must be the verification key") as refused:
        load_settings()
    assert text not in str(refused.value)
