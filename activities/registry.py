"""All activities, as a worker registers them."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from activities.alerts import Alerts
from activities.chat.chat import Chat
from activities.chat.war_room import WarRoom
from activities.evidence.evidence import Evidence
from activities.heartbeats import Heartbeats
from activities.investigation.investigation import Investigation
from activities.maintenance import Maintenance
from activities.numbers import Numbers
from activities.paging.on_call import OnCall
from activities.paging.paging import Paging
from activities.postmortems import Postmortems
from activities.processes import WorkflowQueries
from activities.rollback.baselines import Baselines
from activities.rollback.deployments import Deployments
from activities.rollback.health import Health
from activities.rollback.preflights import Preflights
from activities.updates.email import Email
from activities.updates.issue_tracker import IssueTracker
from activities.updates.status_page import StatusPage
from activities.updates.webhook import Webhook


@dataclass(frozen=True)
class ActivitySet:
    """One instance of each capability, with its client or without."""

    numbers: Numbers
    paging: Paging
    on_call: OnCall
    alerts: Alerts
    chat: Chat
    war_room: WarRoom
    status_page: StatusPage
    email: Email
    webhook: Webhook
    issue_tracker: IssueTracker
    deployments: Deployments
    health: Health
    heartbeats: Heartbeats
    maintenance: Maintenance
    investigation: Investigation
    baselines: Baselines
    preflights: Preflights
    processes: WorkflowQueries
    evidence: Evidence
    postmortems: Postmortems

    def methods(self) -> list[Callable[..., Any]]:
        """Return every activity, bound to the instance of its capability."""
        capabilities = [getattr(self, field.name) for field in fields(self)]
        return [
            getattr(capability, name)
            for capability in capabilities
            for name in dir(capability)
            if hasattr(getattr(type(capability), name, None), "__temporal_activity_definition")
        ]
