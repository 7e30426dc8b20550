"""What customers may read. It has a type of its own, so that internal words cannot get there by mistake.

A `PublicText` is made in three ways only: of our own sentences, of the runbook's, or of a responder's words that were
looked through. A plain string is refused wherever one is asked for: by mypy, and by pydantic when the value is made.
"""

import re
from collections.abc import Iterator
from typing import Any, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.public_texts import fill
from incidents.domain.core.base import CommandRejected, Frozen


class PublicText(str):
    """Words that customers may read."""

    __slots__ = ()

    @classmethod
    def trusted(cls, text: str) -> Self:
        """Take a sentence of the program's or the runbook's own: constants, times, severities, other public text."""
        return cls(text)

    @classmethod
    def filled(cls, template: str, **values: str) -> Self:
        """Take a text of runbook.yaml with its `{NAME}`s filled in; the values are as trusted as the text."""
        return cls(fill(template, values))

    @classmethod
    def screened(cls, text: str, runbook: RunbookConfig) -> Self:
        """Take a responder's words.

        Raises:
            CommandRejected: they hold what no customer may read; it is named.
        """
        if found := list(leaks(text, runbook)):
            raise CommandRejected(
                f"Customers would see {'; '.join(found[:3])}. Please rephrase: nothing was published or changed."
            )
        return cls(text)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read it back from JSON as what it was; in Python, take nothing but itself."""
        from_text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema())
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.is_instance_schema(cls),
            serialization=core_schema.to_string_ser_schema(),
        )


class PublicMessage(Frozen):
    """A subject and a body for customers, ready to send."""

    subject: PublicText
    body: PublicText


class InternalMessage(Frozen):
    """A subject and a body for the people of the company. It never becomes public."""

    subject: str
    body: str


_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a link", re.compile(r"https?://\S+|\bwww\.\S+", re.IGNORECASE)),
    ("an e-mail address", re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")),
    (
        "a stack trace",
        re.compile(r"Traceback \(most recent|^\s*at \S+\(.*\)|File \".+\", line \d+|goroutine \d+|^panic:", re.M),
    ),
    ("an error of a program", re.compile(r"\b\w*(?:Error|Exception)\b:|\b0x[0-9a-f]{6,}\b")),
    (
        "a host",
        re.compile(
            r"\b(?:[a-z0-9_-]+\.)+(?:com|net|org|io|dev|cloud|local|localdomain|internal|lan|corp|svc|cluster)\b"
        ),
    ),
    (
        "an IP address",
        re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){3,7}\b", re.IGNORECASE),
    ),
    ("a host and port", re.compile(r"\b[a-z][\w-]*:\d{3,5}\b", re.IGNORECASE)),
    ("the name of a pod", re.compile(r"\b[a-z][a-z0-9-]*-[a-f0-9]{8,10}-[a-z0-9]{5}\b")),
    ("a commit", re.compile(r"\b[0-9a-f]{40}\b")),
    ("a chat mention", re.compile(r"<[@#][A-Z0-9|\w-]+>|(?:^|\s)#[a-z][\w-]+")),
    ("a file of a program", re.compile(r"(?:^|\s)/(?:[\w.-]+/)+[\w.-]+|\b[\w-]+\.(?:py|go|ts|js|sql|yaml):\d+")),
)


def leaks(text: str, runbook: RunbookConfig) -> Iterator[str]:
    """Yield what no customer may read: links, hosts, stack traces, our clusters' names and what the runbook lists."""
    for what, form in _FORMS:
        if found := form.search(text):
            yield f"{what} ({found[0].strip()[:60]})"
    for name in _names(runbook):
        if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE):
            yield f"an internal name ({name})"


def _names(runbook: RunbookConfig) -> tuple[str, ...]:
    """Return the names that are only ours. A plain word such as "server" or "dashboard" is everybody's."""
    ours = (
        *(region.cluster for region in runbook.regions),
        *(service.name for service in runbook.services),
        *(name for service in runbook.services for name in service.deploys),
        runbook.investigation.log_service,
    )
    marked = (name for name in ours if re.search(r"[\d_-]", name))
    return tuple(dict.fromkeys((*marked, *runbook.customers.never_say)))
