"""Verify signatures and tokens of gateway requests, in constant time."""

import hashlib
import hmac
import re
from collections.abc import Mapping

_SLACK_SKEW = 300
"""Maximum age of a Slack request in seconds; an older one may be a replay (docs.slack.dev)."""


def from_slack(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Tell whether Slack signed the raw body: `v0=` HMAC-SHA256 of `v0:TIMESTAMP:BODY`. `now`: epoch seconds."""
    stamp = headers.get("x-slack-request-timestamp", "")
    # At most 12 digits: Python raises on numbers with thousands of digits.
    if not secret or re.fullmatch("[0-9]{1,12}", stamp) is None or abs(now - int(stamp)) > _SLACK_SKEW:
        return False
    expected = "v0=" + _hmac(secret, b"v0:" + stamp.encode() + b":" + body)
    return _same(expected, headers.get("x-slack-signature", ""))


def from_pagerduty(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether PagerDuty signed the raw body: one of the comma-separated `v1=` HMAC-SHA256 values matches."""
    given = headers.get("x-pagerduty-signature", "")
    expected = "v1=" + _hmac(secret, body)
    return bool(secret) and any(_same(expected, one.strip()) for one in given.split(","))


def from_github(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether GitHub signed the raw body: `sha256=` HMAC-SHA256 (docs.github.com, "Validating deliveries")."""
    return bool(secret) and _same("sha256=" + _hmac(secret, body), headers.get("x-hub-signature-256", ""))


def with_token(token: str, headers: Mapping[str, str]) -> bool:
    """Tell whether the request carries our bearer token."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return bool(token) and scheme.lower() == "bearer" and _same(token, given.strip())


def _hmac(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))
