"""What the readers of payloads share: the error, the limit, and how a payload is checked against its model."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from incidents.cutting import cut
from incidents.domain.core.payload import first_fault

MOST_ALERTS = 1000
"""Alerts of one webhook that are taken. A body of the size that is read holds more only if they are made to be many."""
NO_START = datetime(1, 1, 1, tzinfo=UTC)
"""The start of a repeated alert whose source does not say it, as Go spells that: the repetition is no news."""
M = TypeVar("M", bound=BaseModel)


class MalformedAlert(Exception):
    """The payload is not an alert that we understand. The message is one line that says what is wrong."""


def checked(model: type[M], payload: Mapping[str, Any]) -> M:
    """Return the payload as its model; fields that the model does not name are ignored.

    Raises:
        MalformedAlert: a field is missing or wrong.
    """
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        raise MalformedAlert(first_fault(error)) from None


def quoted(text: str) -> str:
    """Return a wrong value as an error shows it: short, in ASCII and in quotes."""
    return cut(ascii(text), 20)
