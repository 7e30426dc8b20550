"""CloudEvents in binary mode: their attributes are headers, and the body is the data alone."""

import json
from collections.abc import Mapping

from incidents.domain.core.payload import read_json

_PREFIX = "ce-"


def is_binary(headers: Mapping[str, str]) -> bool:
    """Tell whether the attributes of an event are among the headers."""
    return f"{_PREFIX}specversion" in headers


def structured(headers: Mapping[str, str], body: bytes) -> bytes:
    """Return the event in structured mode, as it is read and kept.

    Raises:
        NotJson: the data are not JSON.
    """
    attributes = {name.removeprefix(_PREFIX): value for name, value in headers.items() if name.startswith(_PREFIX)}
    return json.dumps(attributes | {"data": read_json(body) if body else {}}).encode()
