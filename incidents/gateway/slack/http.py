"""Slack's requests over HTTP: their signature, then Bolt."""

import re

from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from incidents.gateway.responses import read_body, unauthorized

KINDS = ("commands", "interactions", "events")
"""The addresses below `/slack/` that a Slack app is configured with. Each takes everything."""
_MALFORMED = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
"""What Bolt raises while it reads a request: it takes every field to be what it expects. Listeners run on their own."""


class SlackEndpoint:
    """Passes requests that Slack signed to Bolt. Without a secret, every request is rejected."""

    def __init__(self, bolt: AsyncApp, signing_secret: str) -> None:
        self._bolt = bolt
        self._verifier = SignatureVerifier(signing_secret) if signing_secret else None

    async def receive(self, request: Request) -> Response:
        """Handle a command, an interaction or an event."""
        body = await read_body(request)
        if not self._is_signed(request, body):
            return unauthorized(request)
        try:
            answer = await self._bolt.async_dispatch(to_async_bolt_request(request, body))
        except _MALFORMED:
            return JSONResponse({"error": "not a request of Slack"}, 400)
        return to_starlette_response(answer)

    def _is_signed(self, request: Request, body: bytes) -> bool:
        stamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        # The verifier raises on what is not a number, not UTF-8, or not ASCII.
        if self._verifier is None or not re.fullmatch("[0-9]{1,12}", stamp) or not signature.isascii():
            return False
        try:
            return self._verifier.is_valid(body, stamp, signature)
        except UnicodeDecodeError:
            return False
