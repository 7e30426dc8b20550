"""A small OpenID Connect provider: discovery, authorization code with PKCE, signed tokens (openid.net, Core 1.0).

It asks for no password: `reader` holds the claims of the person who is sent to it. `faults` make it misbehave.
"""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

_LIFE = 300
"""Seconds for which a token is valid."""


@dataclass
class Grant:
    """A code that was given out: for which claims, to which address, with which nonce and PKCE challenge."""

    claims: dict[str, Any]
    redirect_uri: str
    nonce: str
    challenge: str


@dataclass
class OidcProvider:
    """The provider at `issuer` for one client. `token_changes`: claims of the next tokens that are not as they should.

    `foreign_key`: the next tokens are signed with a key that the provider does not publish. `announced_issuer`: what
    its metadata say instead.
    """

    issuer: str
    client_id: str
    client_secret: str
    reader: dict[str, Any] = field(default_factory=lambda: {"email": "ann@example.com", "email_verified": True})
    token_changes: dict[str, Any] = field(default_factory=dict)
    foreign_key: bool = False
    announced_issuer: str = ""

    def __post_init__(self) -> None:
        """Make the key that signs."""
        self._key = RSAKey.generate_key(2048, parameters={"kid": "1", "use": "sig", "alg": "RS256"})
        self._grants: dict[str, Grant] = {}

    def app(self) -> Starlette:
        """Return the application to serve at the issuer's address."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.metadata),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
                Route("/keys", self.keys),
            ]
        )

    async def metadata(self, request: Request) -> Response:
        """Answer discovery."""
        issuer = self.issuer
        return JSONResponse(
            {
                "issuer": self.announced_issuer or issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def authorize(self, request: Request) -> Response:
        """Send the reader back with a code, as if they had typed their password."""
        asked = request.query_params
        if asked.get("client_id") != self.client_id or asked.get("code_challenge_method") != "S256":
            return JSONResponse({"error": "invalid_request"}, 400)
        code = secrets.token_urlsafe(16)
        self._grants[code] = Grant(dict(self.reader), asked["redirect_uri"], asked["nonce"], asked["code_challenge"])
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 302)

    async def token(self, request: Request) -> Response:
        """Exchange a code, once, for a signed token."""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        grant = self._grants.pop(form.get("code", ""), None)
        basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return JSONResponse({"error": "invalid_client"}, 401)
        if grant is None or form.get("redirect_uri") != grant.redirect_uri or not _proves(form, grant):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": "u1", "aud": self.client_id, "iat": now, "exp": now + _LIFE}
        claims |= {"nonce": grant.nonce} | grant.claims | self.token_changes
        key = RSAKey.generate_key(2048) if self.foreign_key else self._key
        signed = jwt.encode({"alg": "RS256", "kid": "1"}, claims, key)
        answer = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "id_token": signed}
        return JSONResponse(answer)

    async def keys(self, request: Request) -> Response:
        """Publish the key that tokens are checked with."""
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})


def _proves(form: dict[str, str], grant: Grant) -> bool:
    """Tell whether the client that redeems the code is the one that asked for it (RFC 7636)."""
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == grant.challenge
