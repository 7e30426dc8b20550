"""Whether a bot's token has the scopes that this program needs."""

from __future__ import annotations

from incidents.vendors.access.access import Access, lacking, server_time
from incidents.vendors.http import reading
from incidents.vendors.slack.calls import SlackCalls

SCOPES = (
    "bookmarks:read",
    "bookmarks:write",
    "channels:history",
    "channels:manage",
    "channels:read",
    "chat:write",
    "commands",
    "groups:history",
    "groups:read",
    "groups:write",
    "im:history",
    "im:write",
    "pins:write",
    "reactions:read",
    "users:read",
    "users:read.email",
)
"""The bot scopes of docs/slack-app-manifest.yaml."""


def check_access(calls: SlackCalls) -> Access:
    """Call `auth.test`, whose answer names the token's scopes in a header."""
    answer, headers = calls.call_with_headers("auth.test", calls.web.auth_test)
    with reading("slack", "auth.test"):
        who = f"{answer['user']} in {answer['team']}"
    granted = headers.get("x-oauth-scopes")
    if granted is None:
        return Access(who, untold="its scopes", at=server_time(headers))
    held = {scope.strip() for scope in granted.split(",")}
    return Access(who, lacking(SCOPES, held), at=server_time(headers))
