"""What happens outside in a scenario: an integration is down, a version is deployed, people report something.

A rehearsal simulates the first two; a drill posts all of them for its participants. A plan has none of them.
"""

from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from incidents.domain.core.base import Frozen
from incidents.domain.core.time.duration import Duration
from incidents.domain.core.time.elapsed import in_words


class Part(StrEnum):
    """What can fail, by what it is for."""

    PAGER = "pager"
    CHAT = "chat"
    MAIL = "mail"
    STATUS_PAGE = "status_page"
    TRACKER = "tracker"
    MEETINGS = "meetings"
    DEPLOYER = "deployer"
    ALERTS = "alerts"
    METRICS = "metrics"
    LOGS = "logs"
    PRODUCT = "product"


class FaultKind(StrEnum):
    """How an integration fails: it answers with an error, not at all, or does what it is asked and does not say so."""

    ERROR = "error"
    NO_CONNECTION = "no_connection"
    LOST_REPLY = "lost_reply"


class Outage(Frozen):
    """Something is down. `lasts`, in a file `for`: None for the rest of the scenario. `region`: of the product."""

    of: Part
    how: FaultKind = FaultKind.ERROR
    status: int = Field(default=503, ge=400, le=599)
    lasts: Duration | None = Field(default=None, gt=timedelta(), alias="for")
    region: str = ""

    @property
    def summary(self) -> str:
        """What happens, in one line."""
        where = f" in {self.region}" if self.region else ""
        return f"The {self.of.value.replace('_', ' ')} is down{where}" + (
            f" for {in_words(self.lasts)}" if self.lasts else ""
        )


class Deployed(Frozen):
    """Somebody deploys a version. `broken`: the product does not work with it. `region`: "" for every one."""

    version: str = Field(min_length=1, max_length=100)
    region: str = ""
    broken: bool = False

    @property
    def summary(self) -> str:
        """What happens, in one line."""
        return f"{self.version} is deployed" + (f" to {self.region}" if self.region else "")


class Inject(Frozen):
    """What the participants of a drill are to know, such as that customers write to support. It has no effect."""

    text: str = Field(min_length=1, max_length=2000)

    @property
    def summary(self) -> str:
        """The text."""
        return self.text


OUTSIDE: dict[str, type[Outage] | type[Deployed] | type[Inject]] = {
    "outage": Outage,
    "deploy": Deployed,
    "inject": Inject,
}
"""What a fact may be, by what a scenario file calls it."""
