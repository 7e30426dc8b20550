"""Who asks the codec server: a token of the API, or someone who is signed in to the pages."""

from dataclasses import dataclass

from starlette.requests import Request

from incidents.app.api_tokens import ApiTokens, Scope, TokensUnusable
from incidents.gateway.api.senders import find_token
from incidents.gateway.web.access import Access, NotAllowed, SignInNeeded


@dataclass(frozen=True)
class PayloadReader:
    """Who reads payloads. `name`: as the directory has it. `reads_everything`: on this machine, or by its scopes."""

    name: str
    is_token: bool = False
    reads_everything: bool = False


class Unidentified(Exception):
    """Nobody who may read payloads. `status`: of the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def identify(request: Request, tokens: ApiTokens, access: Access) -> PayloadReader:
    """Return who sends the request.

    Raises:
        Unidentified: nobody who may read any payload.
    """
    if authorization := request.headers.get("authorization", ""):
        return _by_token(authorization, tokens)
    try:
        person = access.person(request)
    except SignInNeeded:
        raise Unidentified(401, "sign in to the gateway's pages first, in this browser") from None
    except NotAllowed as problem:
        raise Unidentified(403, str(problem)) from None
    return PayloadReader(person.name, reads_everything=person.local)


def _by_token(authorization: str, tokens: ApiTokens) -> PayloadReader:
    try:
        token = find_token(tokens, authorization)
    except TokensUnusable:
        raise Unidentified(503, "the gateway cannot read its tokens now; try again") from None
    if token is None:
        raise Unidentified(401, "a valid bearer token is needed; see `incident token create`")
    if not token.may(Scope.DECODE):
        raise Unidentified(403, f"this token lacks the scope {Scope.DECODE}")
    return PayloadReader(token.name, is_token=True, reads_everything=token.may(Scope.PRIVATE))
