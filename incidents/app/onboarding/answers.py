"""What `incident init` asks: of which company, and with what it pages, publishes and rolls back."""

from enum import StrEnum
from zoneinfo import available_timezones

from pydantic import Field, field_validator, model_validator

from incidents.domain.config.communication import Channel
from incidents.domain.core.base import Frozen
from incidents.domain.rollback.config import RollbackPolicy

EMAIL = r"^[^@\s<>\"']+@[^@\s<>\"']+$"
NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
_LINE = r"^[^\r\n\x00]+$"


class Vendors(StrEnum):
    """What the company has accounts for. `none`: mail by SMTP, a static status page, tickets as Markdown files."""

    HOSTED = "hosted"
    NONE = "none"


class Region(Frozen):
    """Where the product runs, and the address of its API there, which is probed."""

    name: str = Field(pattern=NAME)
    url: str = Field(pattern=r"^https?://[^\s\"']+$")


class Answers(Frozen):
    """What is asked for one company.

    `on_call`, `backup`, `manager`: addresses; those that are empty are not escalated to. `plans`: percent of uptime
    that is sold, by plan. `health`: the path that a probe asks. `repository`: owner/name at GitHub,
    for rollbacks, tickets and post-mortems.
    """

    company: str = Field(pattern=_LINE, max_length=80)
    services: tuple[str, ...] = Field(min_length=1)
    regions: tuple[Region, ...] = ()
    on_call: str = Field(pattern=EMAIL)
    backup: str = Field(default="", pattern=f"{EMAIL}|^$")
    manager: str = Field(default="", pattern=f"{EMAIL}|^$")
    vendors: Vendors = Vendors.HOSTED
    channels: tuple[Channel, ...] = (Channel.STATUS_PAGE, Channel.EMAIL)
    rollback: RollbackPolicy = RollbackPolicy.APPROVE
    health: str = Field(default="/health", pattern=r"^/[^\s\"']*$")
    plans: dict[str, float] = {}
    time_zone: str = "UTC"
    repository: str = Field(default="", pattern=r"^[\w.-]+/[\w.-]+$|^$")

    @field_validator("services")
    @classmethod
    def _service_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not name.replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"{name!r} is not a name of a service: letters, digits, - and _")
        return _different(names)

    @field_validator("regions")
    @classmethod
    def _different_regions(cls, regions: tuple[Region, ...]) -> tuple[Region, ...]:
        _different(tuple(region.name for region in regions))
        return regions

    @field_validator("plans")
    @classmethod
    def _percent(cls, plans: dict[str, float]) -> dict[str, float]:
        for plan, percent in plans.items():
            if not 0 < percent < 100:
                raise ValueError(f"the uptime of {plan} must lie between 0 and 100 percent")
        return plans

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"{name!r} is not a time zone such as Europe/Berlin")
        return name

    @model_validator(mode="after")
    def _two_people_have_names(self) -> "Answers":
        if self.rollback is RollbackPolicy.TWO_PEOPLE and not (self.backup or self.manager):
            raise ValueError("two_people needs a second person: give --backup or --manager")
        return self

    @model_validator(mode="after")
    def _slack_needs_an_account(self) -> "Answers":
        if self.vendors is Vendors.NONE and Channel.SLACK in self.channels:
            raise ValueError("the channel slack needs an account: leave it out, or choose --vendors hosted")
        return self


def _different(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = [name for index, name in enumerate(names) if name in names[:index]]
    if twice:
        raise ValueError(f"{twice[0]!r} is named twice")
    return names
