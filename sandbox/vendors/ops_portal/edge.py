"""The Ops Portal's front door: the global router's bearer and WAF, and the portal's sessions
(docs/vendor-notes.md#ops-portal).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.http import RefusalError
from sandbox.state import Credentials, Options

JWT_SECRET = secrets.token_bytes(32)
REFRESH_SECONDS = 604_800
ROLES = ("viewer", "engineer", "admin")
SQL_PROSE = re.compile(
    r"\b(update|delete|select|drop|create|execute)\b.*\b(from|into|set|where|table|values)\b", re.IGNORECASE | re.DOTALL
)
SUSPICIOUS = ("<script", "../", "alert(")


class Edge:
    """The global router in front of ops.featuresignals.com."""

    def __init__(self, credentials: Credentials) -> None:
        self.token = credentials.ops_portal_edge_token

    async def admit(self, request: Request) -> None:
        """Refuses who lacks the edge's bearer (401) and what looks like SQL or script in URI or body (403 text)."""
        header = request.headers.get("authorization")
        if header is None:
            raise RefusalError(401, {"error": "missing Authorization header"})
        scheme, _, token = header.partition(" ")
        if scheme != "Bearer":
            raise RefusalError(401, {"error": "invalid Authorization header format, expected Bearer token"})
        if not token.strip():
            raise RefusalError(401, {"error": "empty bearer token"})
        if not hmac.compare_digest(token.strip(), self.token):
            raise RefusalError(401, {"error": "unauthorized"})
        target = unquote(request.url.path + "?" + request.url.query)
        for text in (target, (await request.body()).decode("utf-8", "replace")):
            if SQL_PROSE.search(text) or any(mark in text.lower() for mark in SUSPICIOUS):
                raise RefusalError(403, "Forbidden: request blocked by WAF")


class Sessions:
    """The portal's accounts and JWTs. Logout revokes nothing, and a refresh token passes as an access token: so does
    the real one [run].
    """

    def __init__(self, credentials: Credentials, options: Options) -> None:
        self.options = options
        self.users = {
            credentials.ops_portal_email: _user("engineer", credentials.ops_portal_email, "Incident Bot"),
            "viewer@featuresignals.com": _user("viewer", "viewer@featuresignals.com", "Viewer"),
            "admin@featuresignals.com": _user("admin", "admin@featuresignals.com", "Ops Admin"),
        }
        self.password = credentials.ops_portal_password
        self.refresh_tokens: set[str] = set()

    def login(self, body: dict[str, Any]) -> Response:
        """200 with the user and two cookies; the body holds no token."""
        if set(body) - {"email", "password"}:
            raise RefusalError(400, {"error": "invalid request body"})
        email, password = body.get("email"), body.get("password")
        if not email or not password:
            raise RefusalError(400, {"error": "email and password are required"})
        if email not in self.users or password != self.password:
            raise RefusalError(401, {"error": "invalid email or password"})
        return self._session(self.users[email])

    def refresh(self, request: Request) -> Response:
        """New cookies for a refresh token that was not used before."""
        token = request.cookies.get("refresh_token")
        if not token:
            raise RefusalError(401, {"error": "refresh token required"})
        claims = decode(token)
        if not isinstance(claims, dict) or claims["email"] not in self.users:
            raise RefusalError(401, {"error": "invalid or expired refresh token"})
        if token not in self.refresh_tokens:
            raise RefusalError(401, {"error": "refresh token has been revoked"})
        self.refresh_tokens.remove(token)
        return self._session(self.users[claims["email"]])

    def require(self, request: Request, role: str) -> dict[str, Any]:
        """The caller's claims. The `jwt` cookie wins; a bad cookie is not rescued by a good Bearer. Behind the edge the
        Bearer is the edge's token, so only the cookie works.
        """
        token = request.cookies.get("jwt")
        if token is None:
            token = request.headers.get("authorization", "").partition(" ")[2]
        if not token:
            raise _unauthenticated("authentication required")
        claims = decode(token)
        if isinstance(claims, str):
            raise _unauthenticated(claims)
        if ROLES.index(claims["role"]) < ROLES.index(role):
            raise RefusalError(403, {"error": "insufficient permissions"})
        return claims

    def _session(self, user: dict[str, str]) -> Response:
        access, refresh = encode(user, self.options.portal_token_seconds), encode(user, REFRESH_SECONDS)
        self.refresh_tokens.add(refresh)
        reply = JSONResponse({"user": user})
        for name, token, life in (
            ("jwt", access, int(self.options.portal_token_seconds)),
            ("refresh_token", refresh, REFRESH_SECONDS),
        ):
            reply.set_cookie(
                name, token, max_age=life, path="/", httponly=True, samesite="lax", secure=self.options.secure_cookies
            )
        return reply


def encode(user: dict[str, str], seconds: float) -> str:
    """An HS256 JWT with the portal's claims."""
    claims = {
        "user_id": user["id"],
        "email": user["email"],
        "name": user["name"],
        "role": user["role"],
        "iss": "ops-portal",
        "sub": user["id"],
        "iat": int(time.time()),
        "jti": secrets.token_hex(8),
        "exp": time.time() + seconds,
    }
    signed = f"{_base64({'alg': 'HS256', 'typ': 'JWT'})}.{_base64(claims)}"
    return f"{signed}.{_signature(signed)}"


def decode(token: str) -> dict[str, Any] | str:
    """The claims of a token of ours, or the portal's error text."""
    signed, _, signature = token.rpartition(".")
    if not signed or not hmac.compare_digest(_signature(signed), signature):
        return "invalid or expired token"
    padded = signed.partition(".")[2] + "=="
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(padded))
    return claims if claims["exp"] > time.time() else "token_expired"


def _unauthenticated(message: str) -> RefusalError:
    # The portal sends these three as JSON text under text/plain [run].
    return RefusalError(401, json.dumps({"error": message}))


def _user(role: str, email: str, name: str) -> dict[str, str]:
    return {"id": hashlib.sha256(email.encode()).hexdigest()[:32], "email": email, "name": name, "role": role}


def _base64(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _signature(signed: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(JWT_SECRET, signed.encode(), "sha256")).rstrip(b"=").decode()
