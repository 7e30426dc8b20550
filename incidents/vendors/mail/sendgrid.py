"""E-mail by SendGrid.

Rules of the vendor (twilio.com/docs/sendgrid): 202 means queued, not delivered; recipients of one personalization see
each other, so each gets one of its own; at most 1000 of them a request. There is no idempotency and no way to ask
whether a mail went out, so a repeat is a second mail.
"""

from __future__ import annotations

import base64
from email.utils import parseaddr
from http.client import HTTPException
from typing import Any

import httpx
from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient

from incidents.vendors.access.access import Access, lacking
from incidents.vendors.calling import Calls
from incidents.vendors.errors import VendorError, VendorRejected, VendorUnavailable
from incidents.vendors.http import (
    mute_wire_logs,
    reading,
    refusal,
    urllib_failure,
)
from incidents.vendors.mail.mail import Mail, bare_address, hide_addresses

RECIPIENTS_LIMIT = 1000
CATEGORIES_LIMIT = 10
SCOPES = ("mail.send",)


class SendGridClient:
    """Sends. The SDK has no time-out of its own, so each call is given one."""

    def __init__(self, api_key: str, base_url: str = "https://api.sendgrid.com", timeout: float = 10) -> None:
        mute_wire_logs()
        self._api_key, self._calls = api_key, Calls("sendgrid", timeout)
        self._sdk = SendGridAPIClient(api_key=api_key, host=base_url.rstrip("/").removesuffix("/v3"))

    def check_access(self) -> Access:
        """Read the key's scopes."""
        with self._calls.one("scopes", effect=False) as seconds:
            try:
                answer = self._sdk.client.scopes.get(timeout=seconds)
            except HTTPError as error:
                raise self._refused(error, "scopes", effect=False) from None
            except (OSError, HTTPException) as error:
                raise urllib_failure("sendgrid", "scopes", error, effect=False, secrets=[self._api_key]) from None
        with reading("sendgrid", "scopes"):
            return Access(missing=lacking(SCOPES, answer.to_dict["scopes"]))

    def send(self, mail: Mail) -> str:
        """Queue the mail, and return SendGrid's message id. Rejects more than 1000 recipients."""
        people = mail.people()
        if not people:
            raise VendorRejected("sendgrid", "mail.send", "the mail has no recipients", code="no_recipients")
        if len(people) > RECIPIENTS_LIMIT:
            problem = f"{len(people)} recipients, at most {RECIPIENTS_LIMIT} in one request"
            raise VendorRejected("sendgrid", "mail.send", problem, code="too_many_recipients")
        with self._calls.one("mail.send", effect=True) as seconds:
            return self._send(mail, seconds)

    def _send(self, mail: Mail, seconds: float) -> str:
        try:
            answer = self._sdk.client.mail.send.post(request_body=_body(mail), timeout=seconds)
        except HTTPError as error:
            raise self._refused(error, "mail.send", effect=True) from None
        except (OSError, HTTPException) as error:
            raise urllib_failure("sendgrid", "mail.send", error, effect=True, secrets=[self._api_key]) from None
        # Success has an empty body (200 in SendGrid's sandbox mode); a log-in page that answers 200 has not.
        if answer.status_code not in (200, 202) or answer.body.strip():
            problem, status = f"{answer.status_code} with an answer that is not SendGrid's", answer.status_code
            raise VendorUnavailable(
                "sendgrid", "mail.send", problem, status=status, code="unreadable_answer", maybe_done=True
            )
        return str(answer.headers.get("X-Message-Id", ""))

    def _refused(self, error: HTTPError, operation: str, *, effect: bool) -> VendorError:
        with reading("sendgrid", operation, maybe_done=effect):
            headers = httpx.Headers(list(error.headers.items()))
            return refusal(
                "sendgrid",
                operation,
                error.status_code,
                headers,
                hide_addresses(error.body.decode("utf-8", "replace")),
                effect=effect,
                rate_limited=error.status_code == 429,
                secrets=[self._api_key],
            )


def _body(mail: Mail) -> dict[str, Any]:
    """The request of POST /v3/mail/send; text/plain must come before text/html."""
    content = [{"type": "text/plain", "value": mail.text}]
    if mail.html:
        content.append({"type": "text/html", "value": mail.html})
    body: dict[str, Any] = {
        "personalizations": [_personalization(mail, recipient) for recipient in mail.people()],
        "from": _address(mail.sender),
        "subject": " ".join(mail.subject.split()),
        "content": content,
        "custom_args": {"operation_key": mail.key} | ({"incident": mail.incident} if mail.incident else {}),
    }
    if mail.reply_to:
        body["reply_to"] = _address(mail.reply_to)
    if mail.headers:
        body["headers"] = {name: " ".join(value.split()) for name, value in mail.headers.items()}
    if mail.invitation:
        invitation = base64.b64encode(mail.invitation.encode()).decode()
        kind = "text/calendar; method=REQUEST"
        body["attachments"] = [
            {"content": invitation, "type": kind, "filename": "invite.ics", "disposition": "attachment"}
        ]
    if mail.categories:
        body["categories"] = list(mail.categories[:CATEGORIES_LIMIT])
    return body


def _personalization(mail: Mail, recipient: str) -> dict[str, Any]:
    """The envelope of one recipient; custom arguments come back with each event of its mail."""
    customer = mail.customers.get(bare_address(recipient), "")
    return {"to": [_address(recipient)]} | ({"custom_args": {"customer": customer}} if customer else {})


def _address(text: str) -> dict[str, str]:
    name, address = parseaddr(text)
    return {"email": address, "name": name} if name else {"email": address or text}
