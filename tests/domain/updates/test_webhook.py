"""The channel `webhook`: what it posts is data, and it counts as public."""

from typing import Any

import pytest
from pydantic import JsonValue, ValidationError

from incidents.domain.activity_requests import PostWebhook
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import request
from incidents.domain.config.communication import Channel, Webhook
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.updates.obligations import deliveries
from tests.support.incidents import RUNBOOK, at, opened

CARD: dict[str, JsonValue] = {
    "type": "message",
    "attachments": [{"title": "{SUBJECT}", "blocks": ["{BODY}", "{INCIDENT_ID} {UPDATE} {OTHER}", 1, None]}],
}


def with_webhook(webhook: Webhook = RUNBOOK.webhook) -> RunbookConfig:
    policy = RUNBOOK.severities["P0"]
    channels = (*policy.updates.channels, Channel.WEBHOOK)
    severities = {**RUNBOOK.severities, "P0": policy.replace(updates=policy.updates.replace(channels=channels))}
    return RUNBOOK.replace(severities=severities, webhook=webhook)


def updated(runbook: RunbookConfig, words: str = "A fix is out", **fields: Any) -> Incident:
    """INC-42 with these fields, after its second update."""
    incident = opened().replace(number=42, **fields)
    return apply_command(incident, c.PostUpdate(by="ann", text=words), runbook, at(1))


def posted(incident: Incident, runbook: RunbookConfig) -> Any:
    """The JSON document that the newest update posts."""
    [owed] = [owed for owed in deliveries(incident, runbook) if owed.subject == Channel.WEBHOOK]
    asked = request(owed, incident, runbook, at(2))
    assert isinstance(asked, PostWebhook)
    return asked.payload


def test_the_shipped_payload_is_a_text_with_the_number_of_the_update() -> None:
    runbook = with_webhook()
    payload = posted(updated(runbook), runbook)
    [(name, text)] = payload.items()
    assert name == "text"
    assert str(text).startswith("[INCIDENT] FeatureSignals P0 — Flag evaluation disruption (update 2)\n\nStatus:")
    assert runbook.webhook == Webhook(), "runbook.yaml shows the default"


def test_texts_are_filled_in_at_any_depth_and_stay_texts() -> None:
    runbook = with_webhook(Webhook(payload=CARD))
    words = 'A fix is out", "type": "x {SUBJECT}'
    payload = posted(updated(runbook, words), runbook)
    assert payload["type"] == "message"
    [card] = payload["attachments"]
    body, rest, *others = card["blocks"]
    assert words in str(body), "a placeholder in the words of a responder is not filled in"
    assert rest == "INC-42 2 {OTHER}"
    assert others == [1, None]


def test_a_payload_without_the_update_is_an_error() -> None:
    with pytest.raises(ValidationError, match="payload needs"):
        Webhook(payload={"text": "{SUBJECT}"})


def test_24_a_private_incident_is_not_posted() -> None:
    runbook = with_webhook()
    incident = updated(runbook, private=True)
    assert Channel.WEBHOOK not in incident.updates.published[-1].channels


def test_97_an_incident_of_an_unknown_service_is_not_posted() -> None:
    runbook = with_webhook()
    incident = updated(runbook, alerting=opened().alerting.replace(unknown_service="it names none"))
    assert Channel.WEBHOOK not in incident.updates.published[-1].channels
