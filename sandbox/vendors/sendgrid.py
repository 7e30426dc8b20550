"""`/sendgrid/v3/mail/send`: SendGrid, whose mail lands in a mailbox that can be looked at."""

from __future__ import annotations

import itertools
import re
from secrets import token_urlsafe
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from sandbox.http import RefusalError, bearer, json_object, missing, route
from sandbox.state import Credentials, Ledger, Options, pick, timestamp

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
RECIPIENT_LIMIT = 1000


class SendGrid:
    """POST /v3/mail/send: 202 with an empty body and X-Message-Id. The same POST twice is two mails."""

    def __init__(self, credentials: Credentials, ledger: Ledger, options: Options) -> None:
        self.credentials, self.ledger, self.options = credentials, ledger, options
        self.mailbox: list[dict[str, Any]] = []
        self._ids = itertools.count(1)

    def routes(self) -> list[BaseRoute]:
        """Sending, and the key's scopes."""
        return [
            route("/sendgrid/v3/scopes", self.scopes),
            route("/sendgrid/v3/mail/send", self.send, "POST"),
            missing("/sendgrid", _refusal(404, "Not Found")),
        ]

    def _authenticate(self, request: Request) -> None:
        if bearer(request) != self.credentials.sendgrid_api_key:
            raise _refusal(401, "The provided authorization grant is invalid, expired, or revoked")

    async def scopes(self, request: Request) -> Response:
        """GET /v3/scopes: what the key may do."""
        self._authenticate(request)
        return JSONResponse({"scopes": self.options.sendgrid_scopes.split(",")})

    async def send(self, request: Request) -> Response:
        """Queues one mail per personalization: recipients of one `to` see each other."""
        self._authenticate(request)
        body = await json_object(request, _refusal(400, "Bad Request"))
        if errors := _errors(body):
            raise RefusalError(400, {"errors": errors})
        if ((body.get("mail_settings") or {}).get("sandbox_mode") or {}).get("enable"):
            return JSONResponse({}, 200)
        message_id = token_urlsafe(16)
        for personalization in body["personalizations"]:
            mail = self._mail(body, personalization, message_id)
            self.mailbox.append(mail)
            self.ledger.record("sendgrid", "mail.send", {key: mail[key] for key in mail if key not in ("html", "at")})
        return Response(status_code=202, headers={"X-Message-Id": message_id})

    def _mail(self, body: dict[str, Any], personalization: dict[str, Any], message_id: str) -> dict[str, Any]:
        content = {part["type"]: part["value"] for part in body.get("content", [])}
        custom_args = (body.get("custom_args") or {}) | (personalization.get("custom_args") or {})
        headers = (body.get("headers") or {}) | (personalization.get("headers") or {})
        return {
            "id": next(self._ids),
            "at": timestamp(),
            "message_id": message_id,
            "from": body["from"]["email"],
            **{kind: [_address(row) for row in personalization.get(kind, [])] for kind in ("to", "cc", "bcc")},
            "subject": personalization.get("subject") or body.get("subject", ""),
            "text": content.get("text/plain", ""),
            "html": content.get("text/html", ""),
            "custom_args": custom_args,
            "headers": headers,
            **pick(body, "categories", "template_id", "reply_to", "attachments"),
        }

    def snapshot(self) -> list[dict[str, Any]]:
        """The mailbox, oldest first."""
        return self.mailbox


def _errors(body: dict[str, Any]) -> list[dict[str, Any]]:
    """What SendGrid would say is wrong with the request."""
    personalizations = body.get("personalizations")
    if not isinstance(personalizations, list) or not personalizations:
        return [
            _error(
                "The personalizations field is required and must have at least one personalization.", "personalizations"
            )
        ]
    errors = [error for index, row in enumerate(personalizations) for error in _personalization(row, index, body)]
    recipients = sum(len(row.get(kind, [])) for row in personalizations for kind in ("to", "cc", "bcc"))
    if recipients > RECIPIENT_LIMIT or len(personalizations) > RECIPIENT_LIMIT:
        errors.append(_error("There is a limit of 1000 total recipients per request.", "personalizations"))
    sender = body.get("from")
    if not isinstance(sender, dict) or not sender.get("email"):
        errors.append(_error("The from object must be provided for every email send.", "from.email"))
    elif not ADDRESS.fullmatch(_address(sender)):
        errors.append(_error("The from email does not contain a valid address.", "from.email"))
    return errors + ([] if body.get("template_id") else _content(body.get("content")))


def _personalization(row: dict[str, Any], index: int, body: dict[str, Any]) -> list[dict[str, Any]]:
    field = f"personalizations.{index}"
    errors = []
    if not row.get("to"):
        errors.append(_error("The to array is required for all personalization objects.", f"{field}.to"))
    if not (row.get("subject") or body.get("subject") or body.get("template_id")):
        errors.append(_error("The subject is required.", "subject"))
    addresses = [_address(person).lower() for kind in ("to", "cc", "bcc") for person in row.get(kind, [])]
    if any(not ADDRESS.fullmatch(address) for address in addresses):
        errors.append(_error("Does not contain a valid address.", f"{field}.to.0.email"))
    if len(set(addresses)) < len(addresses):
        errors.append(
            _error("Each email address in the personalization block should be unique between to, cc, and bcc.", field)
        )
    return errors


def _content(content: Any) -> list[dict[str, Any]]:
    if not isinstance(content, list) or not content:
        return [_error("Unless a valid template_id is provided, the content parameter is required.", "content")]
    if any(not part.get("type") or not part.get("value") for part in content):
        return [_error("The content value must be a string at least one character in length.", "content.0.value")]
    kinds = [part["type"] for part in content]
    if "text/plain" in kinds[1:]:
        return [_error("If present, text/plain must be the first content, followed by text/html.", "content.0.type")]
    return []


def _address(person: dict[str, Any]) -> str:
    return str(person.get("email") or "")


def _error(message: str, field: str | None = None) -> dict[str, Any]:
    return {"message": message, "field": field, "help": None}


def _refusal(status: int, message: str) -> RefusalError:
    return RefusalError(status, {"errors": [_error(message)]})
