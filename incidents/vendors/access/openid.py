"""An OpenID Connect provider: whether it publishes what a sign-in needs."""

from __future__ import annotations

import httpx

from incidents.vendors.access.access import Access, server_time
from incidents.vendors.errors import VendorUnavailable
from incidents.vendors.http import VendorHttp, reading

ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class OpenIdProvider:
    """The provider of one issuer."""

    def __init__(self, issuer: str, timeout: float = 10, transport: httpx.BaseTransport | None = None) -> None:
        self._http = VendorHttp("openid", issuer, timeout=timeout, transport=transport)

    def check_access(self) -> Access:
        """Read its configuration. Whether it accepts our client's secret shows only when someone signs in."""
        answer = self._http.call("discovery", "GET", "/.well-known/openid-configuration")
        with reading("openid", "discovery"):
            configuration = {**answer.json()}
        if missing := [name for name in ENDPOINTS if not configuration.get(name)]:
            raise VendorUnavailable("openid", "discovery", f"names no {', '.join(missing)}", code="unreadable_answer")
        return Access(at=server_time(answer.headers))
