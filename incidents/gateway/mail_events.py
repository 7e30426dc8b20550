"""SendGrid's event webhook: mails that did not arrive, reported to the incident that sent them.

docs: twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from incidents.client.paging.own_pages import workflow_of
from incidents.contracts import MAIL_BOUNCED, MailBounced
from incidents.domain.core.payload import read_json
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.updates.bounces import MailBounce
from incidents.gateway import signatures
from incidents.gateway.responses import read_body, unauthorized

_UNDELIVERED = ("bounce", "dropped")
"""Events after which a mail will not arrive. A deferred one may."""
_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_WORDS = re.compile(r"[A-Za-z][A-Za-z -]{0,60}")
"""A class of bounces or a reason of SendGrid's own. A mail server's reply is not kept: it repeats the address."""
_ID = re.compile(r"[\x21-\x7e]{1,200}")
_LARGEST = 1024 * 1024
"""Bytes. SendGrid sends at most 768 KB at once."""
_MOST = 1000
"""Bounces of one incident that are taken from one request: as many as one mail has recipients."""

SendSignal = Callable[[str, str, MailBounced, str], Awaitable[Response]]


class MailEvents:
    """The endpoint. `send_signal`: workflow id, name, argument, and what to answer."""

    def __init__(self, public_key: str, send_signal: SendSignal) -> None:
        self._public_key, self._send_signal = public_key, send_signal

    async def receive(self, request: Request) -> Response:
        """Forward bounces, as signals, which are durable without a worker. Other events are accepted and ignored."""
        body = await read_body(request, _LARGEST)
        if not signatures.from_sendgrid(self._public_key, request.headers, body):
            return unauthorized(request)
        try:
            found = read(body)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        for workflow_id, bounces in found.items():
            await self._send_signal(workflow_id, MAIL_BOUNCED, MailBounced(bounces=bounces), "forwarded")
        return JSONResponse({"action": "forwarded" if found else "ignored"}, 202)


def read(body: bytes) -> dict[str, tuple[MailBounce, ...]]:
    """Return the bounces of a batch of events, by the workflow id of the incident; those of other mails are left out.

    Raises:
        ValueError: not a batch of events.
    """
    document = read_json(body)
    if not isinstance(document, list):
        raise ValueError("not a list of events")
    found: dict[str, list[MailBounce]] = defaultdict(list)
    for event in document:
        if isinstance(event, dict) and event.get("event") in _UNDELIVERED:
            workflow_id, bounce = workflow_of(_text(event, "incident")), _bounce(event)
            if workflow_id and bounce is not None and len(found[workflow_id]) < _MOST:
                found[workflow_id].append(bounce)
    return {workflow_id: tuple(bounces) for workflow_id, bounces in found.items() if bounces}


def _bounce(event: Mapping[str, Any]) -> MailBounce | None:
    """Return what an incident may know of an event, None if it says too little: never the address."""
    name, key = _text(event, "sg_event_id"), _text(event, "operation_key")
    if not _ID.fullmatch(name) or not key or len(key) > 1000:
        return None
    customer = one_line(_text(event, "customer"), 200)
    if "@" in key or "@" in customer:  # none of ours has an address in it
        return None
    return MailBounce(event=name, key=one_line(key, 1000), reason=_reason(event), customer=customer)


def _reason(event: Mapping[str, Any]) -> str:
    """Return the status code and the class of a bounce, or why SendGrid did not send the mail at all."""
    code = _text(event, "status")
    words = _text(event, "bounce_classification" if event["event"] == "bounce" else "reason")
    parts = (code if _CODE.fullmatch(code) else "", words if _WORDS.fullmatch(words) else "")
    return " ".join(part for part in parts if part)


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""
