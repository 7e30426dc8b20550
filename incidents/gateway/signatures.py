"""Verify signatures and tokens of gateway requests, in constant time."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import load_pem_x509_certificate

_SNS_HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # nosec B303
"""By the version of the signature; a topic chooses it, and 1 is SNS' default."""


def from_pagerduty(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether PagerDuty signed the raw body: one of the comma-separated `v1=` HMAC-SHA256 values matches."""
    given = headers.get("x-pagerduty-signature", "")
    expected = "v1=" + _hmac(secret, body)
    return bool(secret) and any(_same(expected, one.strip()) for one in given.split(","))


def from_github(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether GitHub signed the raw body: `sha256=` HMAC-SHA256 (docs.github.com, "Validating deliveries")."""
    return bool(secret) and _same("sha256=" + _hmac(secret, body), headers.get("x-hub-signature-256", ""))


def from_sentry(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether Sentry signed the raw body: HMAC-SHA256 with the integration's client secret, in hexadecimal."""
    return bool(secret) and _same(_hmac(secret, body), headers.get("sentry-hook-signature", ""))


def from_sns(certificate: bytes, text: bytes, signature: str, version: str) -> bool:
    """Tell whether the owner of the certificate signed the text. `signature`: in Base64; `version`: SNS'."""
    algorithm = _SNS_HASHES.get(version)
    try:
        key = load_pem_x509_certificate(certificate).public_key()
        given = base64.b64decode(signature, validate=True)
        if algorithm is None or not isinstance(key, RSAPublicKey):
            return False
        key.verify(given, text, PKCS1v15(), algorithm)
    except (ValueError, InvalidSignature):
        return False
    return True


def from_sendgrid(public_key: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether SendGrid signed its timestamp and the raw body: ECDSA with SHA-256, by the event webhook's key.

    An old request that is sent again proves nothing new, and its events change nothing again.
    """
    if not public_key:
        return False
    try:
        key = load_der_public_key(base64.b64decode(public_key))
        given = base64.b64decode(headers.get("x-twilio-email-event-webhook-signature", ""), validate=True)
        signed = headers.get("x-twilio-email-event-webhook-timestamp", "").encode() + body
        if not isinstance(key, EllipticCurvePublicKey):
            return False
        key.verify(given, signed, ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def with_token(token: str, headers: Mapping[str, str]) -> bool:
    """Tell whether the request carries our bearer token."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return bool(token) and scheme.lower() == "bearer" and _same(token, given.strip())


def _hmac(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))
