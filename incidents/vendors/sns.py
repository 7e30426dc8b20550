"""Amazon SNS: the certificates that sign its messages, and the confirmation of a subscription.

Rules of the vendor: the URLs of both are in the message. Anybody can write one, so only hosts of SNS itself are asked.
https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import httpx

from incidents.vendors.errors import VendorRejected
from incidents.vendors.http import VendorHttp

_HOST = re.compile(r"sns\.[a-z]{2}(-[a-z]{1,20}){1,3}-[0-9]{1,2}\.amazonaws\.com(\.cn)?")
"""SNS in a region. A wider pattern would match a bucket that is called `sns`, as `sns.s3-us-west-2.amazonaws.com`."""
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9A-Za-z]{1,100}\.pem")
_MOST = 20
"""Certificates that are kept: SNS has one in each region, and replaces it about once a year."""


class SnsClient:
    """Asks SNS for what its messages name."""

    def __init__(self, timeout: float = 10, transport: httpx.BaseTransport | None = None) -> None:
        self._timeout, self._transport = timeout, transport
        self._certificates: dict[str, bytes] = {}

    def certificate(self, url: str) -> bytes:
        """Return a signing certificate as PEM. Each is asked for once.

        Raises:
            VendorRejected: the URL is not SNS' own.
            VendorUnavailable: SNS does not answer.
        """
        if url not in self._certificates:
            if _host(url) is None or not _CERTIFICATE.fullmatch(urlsplit(url).path) or urlsplit(url).query:
                raise VendorRejected("sns", "certificate", "the URL of the certificate is not one of SNS")
            if len(self._certificates) >= _MOST:
                self._certificates.clear()
            self._certificates[url] = self._get("certificate", url)
        return self._certificates[url]

    def confirm(self, url: str) -> None:
        """Confirm a subscription. Idempotent.

        Raises:
            VendorRejected: the URL is not SNS' own.
            VendorUnavailable: SNS does not answer.
        """
        if _host(url) is None or parse_qs(urlsplit(url).query).get("Action") != ["ConfirmSubscription"]:
            raise VendorRejected("sns", "confirm_subscription", "the URL of the confirmation is not one of SNS")
        self._get("confirm_subscription", url)

    def _get(self, operation: str, url: str) -> bytes:
        parts = urlsplit(url)
        http = VendorHttp("sns", f"https://{parts.netloc}", timeout=self._timeout, transport=self._transport)
        try:
            return http.call(operation, "GET", f"{parts.path}?{parts.query}" if parts.query else parts.path).content
        finally:
            http.close()


def _host(url: str) -> str | None:
    """Return the host if the URL is one of SNS: https, its default port, no login."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.netloc if parts.scheme == "https" and _HOST.fullmatch(parts.netloc) else None
