"""Finds the payloads in a message of Temporal's API."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload


def payloads_in(message: Message) -> Iterator[Payload]:
    """Yield every payload within the message, search attributes included, in the order of its fields."""
    if isinstance(message, Payload):
        yield message
        return
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for inner in _messages(value):
                yield from payloads_in(inner)


def _messages(value: Any) -> Iterator[Message]:
    """Yield the messages of a field: of one, of a list, or of a map to messages."""
    found = (value,) if isinstance(value, Message) else value.values() if hasattr(value, "values") else value
    return (each for each in found if isinstance(each, Message))
