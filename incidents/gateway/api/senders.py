"""Who sends a request to the API: the token, its scopes, and the limits of its sender."""

import time
from datetime import UTC, datetime

from starlette.requests import Request

from incidents.app.api_tokens import ApiToken, ApiTokens, Scope, TokensUnusable
from incidents.domain.people.directory import PeopleDirectory
from incidents.gateway.api.rate_limit import RateLimit
from incidents.gateway.api.refusals import Refused, address_of

PER_MINUTE, BURST = 120, 60
"""Requests of one token, or of one address without a valid token: in the long run, and at once."""
LARGEST_BODY = 64 * 1024
"""Bytes."""
_CHALLENGE = {"www-authenticate": "Bearer"}


class Senders:
    """Admits requests by their bearer token."""

    def __init__(self, tokens: ApiTokens, people: PeopleDirectory) -> None:
        self._tokens, self._people = tokens, people
        self._limit = RateLimit(PER_MINUTE, BURST, time.monotonic)

    def admit(self, request: Request, scope: Scope) -> ApiToken:
        """Return the token of a request that has the scope.

        Raises:
            Refused: there is no valid token, it lacks the scope, or its sender sends too much.
        """
        token = self._identify(request)
        sender = f"token {token.id}" if token else address_of(request)
        request.state.sender = f"{sender} ({token.name})" if token else sender
        if seconds := self._limit.wait(sender):
            raise Refused(
                429,
                f"too many requests: {PER_MINUTE} a minute are allowed. Send it again in {seconds} s.",
                {"retry-after": str(seconds)},
                is_logged=self._limit.is_first_refusal(sender),
            )
        if token is None:
            raise Refused(401, "a valid bearer token is needed; see `incident token create`", _CHALLENGE)
        if not token.may(scope):
            raise Refused(403, f"this token lacks the scope {scope}; it has {', '.join(token.scopes) or 'none'}")
        return token

    def name_of(self, token: ApiToken) -> str:
        """Return who acts with a token, as the directory names them."""
        return self._people.resolve(token.name)

    def _identify(self, request: Request) -> ApiToken | None:
        try:
            return find_token(self._tokens, request.headers.get("authorization", ""))
        except TokensUnusable as error:
            raise Refused(503, "the gateway cannot read its tokens now. Send it again.", sender=str(error)) from None


def find_token(tokens: ApiTokens, authorization: str) -> ApiToken | None:
    """Return the token of an Authorization header; None if it has no valid one.

    Raises:
        TokensUnusable: the tokens cannot be read.
    """
    scheme, _, text = authorization.partition(" ")
    return tokens.find(text.strip(), datetime.now(UTC)) if scheme.lower() == "bearer" and text.strip() else None


def describe_tokens(tokens: ApiTokens) -> str:
    """Return whether the API is on, in one line for the start of the gateway."""
    try:
        number = len(tokens.listed())
    except TokensUnusable as error:
        return f"off: {error}"
    return (
        f"on ({number} {'token' if number == 1 else 'tokens'})" if number else "off (no token; `incident token create`)"
    )
