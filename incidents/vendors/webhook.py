"""An incoming webhook, as Microsoft Teams, Google Chat or Mattermost have: JSON that is posted to a secret URL.

The URL is the credential. What was posted cannot be read, and nothing is idempotent.
"""

from __future__ import annotations

import httpx
from pydantic import JsonValue

from incidents.vendors.access.access import Access
from incidents.vendors.errors import VendorRejected
from incidents.vendors.http import VendorHttp


class WebhookClient:
    """Posts to one webhook."""

    def __init__(self, url: str, timeout: float = 10, transport: httpx.BaseTransport | None = None) -> None:
        parts = httpx.URL(url)
        self._target = parts.raw_path.decode("ascii")
        hidden = (url, self._target, parts.path, *parts.params.values())
        origin = str(parts.copy_with(raw_path=b"/"))
        self._http = VendorHttp("webhook", origin, timeout=timeout, secrets=hidden, transport=transport)

    def check_access(self) -> Access:
        """Ask which methods the URL takes. Whether a message is accepted shows only when one is posted."""
        try:
            self._http.call("options", "OPTIONS", self._target, writes=False)
        except VendorRejected as error:
            if error.status != 405:  # it answers, and takes POST alone
                raise
        return Access()

    def post(self, payload: JsonValue) -> None:
        """Post a JSON document. A repeat is a second message."""
        self._http.call("post", "POST", self._target, json=payload)
