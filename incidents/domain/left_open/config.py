"""Settings of runbook.yaml about incidents that are left open."""

from datetime import timedelta

from pydantic import Field

from incidents.domain.core.base import Frozen
from incidents.domain.core.time.duration import Duration


class LeftOpen(Frozen):
    """Questions about an incident without activity: to the commander; from question `manager_after` on, to the manager.

    The manager is `postmortem.manager`.
    """

    ask_every: Duration = timedelta(days=1)
    manager_after: int = Field(default=2, ge=1)
