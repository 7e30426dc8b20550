"""What runbook.yaml says of heartbeats."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, field_validator

from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.core.time.duration import Duration

HeartbeatName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
"""A heartbeat's name: part of its URL and of its workflow's id."""


class HeartbeatRule(Frozen):
    """How often a heartbeat is expected, and the alert that its absence becomes.

    `grace`: how long it may be late. `title`: what is wrong when it is absent; unset: made from its name.
    """

    every: Duration
    grace: Duration = timedelta(minutes=5)
    service: str = Field(min_length=1)
    environment: str = "production"
    severity: Severity
    title: str = ""

    @field_validator("every")
    @classmethod
    def _some_time(cls, every: timedelta) -> timedelta:
        if every < timedelta(seconds=10):
            raise ValueError("every must be at least 10s")
        return every
