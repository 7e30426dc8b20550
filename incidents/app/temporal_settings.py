"""Where Temporal is: all that the command line needs of the environment, without the models of `settings`."""

import os
import re
from dataclasses import dataclass
from typing import Protocol

from incidents.app.encryption.key_ring import KeyRing, parse_key_ring
from incidents.app.secret_files import SecretFileError, read_secret

ADDRESS = "localhost:7233"
NAMESPACE = "default"


class SettingsError(ValueError):
    """The environment holds something unusable. One line that names the variable and never tells a value."""


class Server(Protocol):
    """Which server, which of its namespaces, and the keys of its payloads: `Settings`, or `TemporalSettings`."""

    @property
    def temporal_address(self) -> str:
        """Host and port."""

    @property
    def temporal_namespace(self) -> str:
        """The namespace."""

    @property
    def key_ring(self) -> KeyRing:
        """The keys that encrypt and decrypt payloads."""


@dataclass(frozen=True)
class TemporalSettings:
    """The part of `Settings` with which a client is connected."""

    temporal_address: str
    temporal_namespace: str
    key_ring: KeyRing


def load_temporal_settings() -> TemporalSettings:
    """Return the server that the environment names; a fault in any other variable does not matter here.

    Raises:
        SettingsError: TEMPORAL_ADDRESS is not host:port, or PAYLOAD_KEYS or its file cannot be used.
    """
    variables = {name.upper(): value.strip() for name, value in os.environ.items()}
    try:
        keys = read_secret("PAYLOAD_KEYS", variables)
    except SecretFileError as error:
        raise SettingsError(str(error)) from None
    try:
        address = checked_address(variables.get("TEMPORAL_ADDRESS") or ADDRESS)
    except ValueError as error:
        raise SettingsError(f"TEMPORAL_ADDRESS {error}") from None
    try:
        ring = parse_key_ring(keys)
    except ValueError as error:
        raise SettingsError(f"PAYLOAD_KEYS {error}") from None
    return TemporalSettings(address, variables.get("TEMPORAL_NAMESPACE") or NAMESPACE, ring)


def checked_address(address: str) -> str:
    """Return the address.

    Raises:
        ValueError: it is not host:port.
    """
    if not re.fullmatch(r"[^\s/]+:\d{1,5}", address):
        raise ValueError("must be host:port, without https://")
    return address
