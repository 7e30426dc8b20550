"""Types of settings: what a variable's text must be, and addresses as they may be shown."""

import base64
import ipaddress
import json
import os
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource

from incidents.app.encryption.key_ring import parse_key_ring
from incidents.app.secret_files import read_secrets

_SHORTEST_SECRET = 32
"""Characters of a secret that signs: a shorter one could be guessed from what it signed."""
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]{1,256}")

_NTFY_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")


def checked_url(url: str) -> str:
    """Return the URL.

    Raises:
        ValueError: it does not begin with http:// or https://, or names no host.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL that begins with http:// or https://")
    return url


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(text: object) -> object:
    """Return the networks of a list with commas, since the environment holds text only."""
    listed = [one.strip() for one in text.split(",") if one.strip()] if isinstance(text, str) else text
    if not isinstance(listed, list | tuple):
        raise ValueError("must be addresses or networks, such as 10.0.0.5, 192.0.2.0/24")
    try:
        return tuple(ipaddress.ip_network(one) for one in listed)
    except ValueError:
        raise ValueError("must be addresses or networks, such as 10.0.0.5, 192.0.2.0/24") from None


def _header_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise ValueError("must be the name of an HTTP header")
    return name


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < _SHORTEST_SECRET:
        raise ValueError(f"must have at least {_SHORTEST_SECRET} characters")
    return secret


def _checked_keys(keys: SecretStr) -> SecretStr:
    parse_key_ring(keys.get_secret_value())
    return keys


def _topics(text: object) -> object:
    """Return the topics of a list with commas, since the environment holds text only."""
    topics = [one.strip() for one in text.split(",") if one.strip()] if isinstance(text, str) else text
    if not isinstance(topics, list | tuple) or not all(_TOPIC.fullmatch(str(topic)) for topic in topics):
        raise ValueError("must be ARNs of SNS topics, such as arn:aws:sns:eu-west-1:123456789012:alarms")
    return topics


def _checked_key(text: str) -> str:
    """Return a public key as its base64 alone; one may be pasted with the lines of a PEM file around it."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    bare = "".join(line for line in text.split() if line)
    bare = re.sub(r"-----(BEGIN|END)PUBLICKEY-----", "", bare)
    try:
        key = load_der_public_key(base64.b64decode(bare, validate=True))
    except ValueError:
        key = None
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("must be the verification key of SendGrid's event webhook, in base64")
    return bare


def _checked_ntfy_url(url: SecretStr) -> SecretStr:
    place = checked_url(url.get_secret_value()).rstrip("/")
    if not _NTFY_TOPIC.fullmatch(urlsplit(place).path.rpartition("/")[2]) or urlsplit(place).query:
        raise ValueError("must end with a topic, such as https://ntfy.example.com/incidents-3f9c27d1")
    return url


def _routing_keys(text: object) -> object:
    return _by_contact(text, "an integration key", re.compile(".*", re.DOTALL))


def _ntfy_topics(text: object) -> object:
    return _by_contact(text, "a topic", _NTFY_TOPIC)


def _by_contact(text: object, what: str, form: re.Pattern[str]) -> object:
    """Return the secret of each contact of a JSON object, since the environment holds text only."""
    secrets = from_json(text)
    if not isinstance(secrets, dict) or not all(_has_form(secret, form) for secret in secrets.values()):
        raise ValueError(f'must be a JSON object, such as {{"cto": "{what}"}}')
    return secrets


def _has_form(secret: object, form: re.Pattern[str]) -> bool:
    text = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
    return isinstance(text, str) and form.fullmatch(text) is not None


EcPublicKey = Annotated[str, AfterValidator(_checked_key)]
"""An ECDSA public key in base64, as SendGrid shows it. Loaded only if it is set: the library takes long to import."""
RoutingKeys = Annotated[dict[str, SecretStr], NoDecode, BeforeValidator(_routing_keys)]
"""Integration keys of PagerDuty by contact."""
NtfyUrl = Annotated[SecretStr, AfterValidator(_checked_ntfy_url)]
"""The address of a topic of ntfy. Its name is the credential."""
NtfyTopics = Annotated[dict[str, SecretStr], NoDecode, BeforeValidator(_ntfy_topics)]
"""Topics of ntfy by contact."""
WebUrl = Annotated[str, AfterValidator(checked_url)]
"""A URL that begins with http:// or https://."""
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)]
"""Addresses and networks, with commas between them."""
HeaderName = Annotated[str, AfterValidator(_header_name)]
"""The name of an HTTP header."""
SigningSecret = Annotated[SecretStr, AfterValidator(_long_enough)]
"""A secret that this program signs with."""
PayloadKeys = Annotated[SecretStr, AfterValidator(_checked_keys)]
"""Keys that encrypt payloads, as `key_ring.py` reads them."""
TopicArns = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_topics)]
"""ARNs of SNS topics, with commas between them."""


def from_json(text: object) -> object:
    """Return what a variable holds as JSON, since the environment holds text only; None if it is none."""
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return None


def domain_of(url: str) -> str:
    """Return the host without its first name; all of an address or a bare name."""
    host = urlsplit(url).hostname or ""
    bare = re.fullmatch(r"[\d.]+|[^.]*|[^.]+\.[^.]+", host) or ":" in host
    return host if bare else host.partition(".")[2]


def without_login(url: str) -> str:
    """Return the URL as it may be shown: without user and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def fault_in_words(place: tuple[int | str, ...], text: str) -> str:
    """Return what is wrong with a variable, as a sentence that begins with its name.

    Args:
        place: where pydantic found the fault.
        text: pydantic's message; "Value error, must be ..." and "Input should be ..." lose their beginning.
    """
    variable = str(place[0]).upper() if place else "the environment"
    message = text.removeprefix("Value error, ")
    if message.startswith("Input should be "):
        message = "must be " + message.removeprefix("Input should be ")
    return f"{variable} {message}"


class SecretFiles(PydanticBaseSettingsSource):
    """The secrets whose `NAME_FILE` names a file."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return nothing: a file is read for what it is named for, not for each field."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return what the files hold, by the names of the fields."""
        variables = {name.upper(): value for name, value in os.environ.items()}
        return {
            name.lower(): held
            for name, held in read_secrets(secret_variables(self.settings_cls), variables).items()
            if held
        }


def secret_variables(settings: type[BaseSettings]) -> tuple[str, ...]:
    """Return the variables that hold secrets, each of which may come from a file."""
    return tuple(name.upper() for name, field in settings.model_fields.items() if "SecretStr" in f"{field.annotation}")
