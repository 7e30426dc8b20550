"""Slack's message format (mrkdwn), as a type of its own: a plain string cannot become a message unescaped.

A `Mrkdwn` is made in two ways only: `as_mrkdwn` escapes a text, and `mrkdwn` fills a template of this program's own
with escaped values. So no alert can mention a channel or a person, or hide a link behind other words (behaviour 94).
Slack has three characters to escape, `&`, `<` and `>` (https://docs.slack.dev/messaging/formatting-message-text); `*`
and `_` of a text may still become bold or italic, which notifies no one.
"""

from collections.abc import Iterable
from typing import Any, LiteralString

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from incidents.domain.core.text.untrusted import printable

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Mrkdwn(str):
    """A message as Slack takes it: markup of this program, and everything else escaped."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read it back from JSON as what it was; in Python, take nothing but itself."""
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_after_validator_function(cls, core_schema.str_schema()),
            python_schema=core_schema.is_instance_schema(cls),
            serialization=core_schema.to_string_ser_schema(),
        )


def as_mrkdwn(text: object) -> Mrkdwn:
    """Return a text escaped, without control and bidirectional characters; a `Mrkdwn` as it is."""
    return text if isinstance(text, Mrkdwn) else Mrkdwn(printable(str(text)).translate(_ENTITIES))


def mrkdwn(template: LiteralString, *values: object) -> Mrkdwn:
    """Fill the `{}`s of a template, which may have markup, with values, each escaped."""
    return Mrkdwn(template.format(*(as_mrkdwn(value) for value in values)))


def mrkdwn_lines(lines: Iterable[object]) -> Mrkdwn:
    """Return lines, each escaped, as one message."""
    return Mrkdwn("\n".join(as_mrkdwn(line) for line in lines))
