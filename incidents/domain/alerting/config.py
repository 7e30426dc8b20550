"""Settings of runbook.yaml about alerts: what has an API, what counts as flapping, who triages unknown services."""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, Field, field_validator, model_validator

from incidents.domain.config.communication import Rung
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.core.time.duration import Duration


class AlertApi(StrEnum):
    """The API by which alerts of a source are silenced and asked about. `none`: there is none that we know."""

    ALERTMANAGER = "alertmanager"
    GRAFANA = "grafana"
    NONE = "none"


class Flapping(Frozen):
    """When an alert counts as flapping, and how long an end must last before it counts.

    An alert flaps that fired `cycles` times within `within`. `quiet_for`: the time without alerts after which their
    end is announced and acted on; 0: at once. It doubles with each firing within `within`, up to `quiet_at_most`.
    """

    cycles: int = Field(default=3, ge=2, le=10)
    within: Duration = timedelta(minutes=30)
    quiet_for: Duration = timedelta()
    quiet_at_most: Duration = timedelta(minutes=30)


class Surge(Frozen):
    """When many incidents that open at once count as a surge.

    Once more than `per_minute` opened within a minute, the first of them informs the customers for those that follow.
    0: never.
    """

    per_minute: int = Field(default=10, ge=0, le=200)


class TriagePage(StrEnum):
    """Who is paged for a service that the runbook does not know.

    `once`: the contact, without escalation. `as_severity`: as of any incident of that severity. `never`: nobody; the
    contact gets a chat message and an e-mail.
    """

    ONCE = "once"
    AS_SEVERITY = "as_severity"
    NEVER = "never"


class UnknownService(Frozen):
    """What happens to an alert of a service that is not among `services`. `contact` unset: the on-call."""

    page: TriagePage = TriagePage.ONCE
    contact: str = ""


class Pattern(Frozen):
    """A regular expression that the whole of a value must match."""

    regex: str

    @field_validator("regex")
    @classmethod
    def _compiles(cls, regex: str) -> str:
        try:
            re.compile(regex)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return regex


Matcher = str | Pattern
"""What a value must be: exactly this, or what a pattern matches. A label that is missing has the value ""."""


class Route(Frozen):
    """How alerts of a source with these labels are routed. The first route that matches counts.

    `name`: what explanations call it. `source` unset: every source; upper and lower case are the same. `service` and
    `severity` replace the alert's labels. `on_call` and, by severity, `escalation` replace those of the service.
    """

    name: str = Field(min_length=1, max_length=100)
    source: Matcher = ""
    labels: dict[str, Matcher] = {}
    service: str = ""
    severity: Severity | None = None
    on_call: str = ""
    escalation: dict[Severity, tuple[Rung, ...]] = {}

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not (self.service or self.severity or self.on_call or self.escalation):
            raise ValueError("a route sets service, severity, on_call or escalation")
        return self


class MaintenanceWindow(Frozen):
    """A planned maintenance. A service, environment or region that is not named: every one.

    Alerts within it are recorded and wait; what still fires at its end opens then.
    """

    since: AwareDatetime
    until: AwareDatetime
    service: str = ""
    environment: str = ""
    region: str = ""
    reason: str = Field(min_length=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.until <= self.since:
            raise ValueError("a maintenance window ends after it begins")
        return self
