"""What a rehearsal shows: what reached whom, what people did, and what was owed."""

from datetime import timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen


class EffectKind(StrEnum):
    """What reaches somebody, or changes something outside."""

    PAGE = "page"
    MAIL = "mail"
    POST = "post"
    DIRECT_MESSAGE = "direct_message"
    INVITATION = "invitation"
    CHANNEL = "channel"
    STATUS_PAGE = "status_page"
    TICKET = "ticket"
    PULL_REQUEST = "pull_request"
    MEETING = "meeting"
    DEPLOYMENT = "deployment"
    SILENCE = "silence"
    WEBHOOK = "webhook"
    REJECTION = "rejection"


CUSTOMERS = "Customers"
"""Everyone who is no contact of the runbook: addresses are not shown."""


class Effect(Frozen):
    """One thing that a vendor did, `at` so long after the alert.

    `to`: people by name. `where`: the channel, page or cluster; "" if people alone get it.
    """

    at: timedelta
    kind: EffectKind
    to: tuple[str, ...] = ()
    where: str = ""
    text: str = ""


class ToldFact(Frozen):
    """A fact of the scenario. `by`: who acted; "" for the world outside. `rejected`: why it was refused; "" if not."""

    at: timedelta
    name: str
    summary: str
    by: str = ""
    rejected: str = ""


class Owed(Frozen):
    """An obligation on an agenda: when it is due, and what it is."""

    due: timedelta
    summary: str


class AgendaThen(Frozen):
    """What was owed at that time."""

    at: timedelta
    owed: tuple[Owed, ...]


class Rehearsed(Frozen):
    """What came of a scenario. `name`: the file's."""

    name: str
    title: str
    heading: str
    start: AwareDatetime
    until: timedelta
    facts: tuple[ToldFact, ...]
    effects: tuple[Effect, ...]
    agendas: tuple[AgendaThen, ...]
