"""What the listeners share."""

from dataclasses import dataclass

from incidents.client.delivery.delivery import Delivery
from incidents.domain.config.model import RunbookConfig
from incidents.domain.people.directory import PeopleDirectory
from incidents.gateway.slack.calls import IncidentCalls
from incidents.gateway.slack.replies import Replies
from incidents.gateway.slack.slash.on_call import OnCallAnswer


@dataclass(frozen=True)
class Services:
    """`delivery` opens incidents, also while Temporal is unreachable; `calls` acts on those that are open."""

    calls: IncidentCalls
    delivery: Delivery
    replies: Replies
    people: PeopleDirectory
    runbook: RunbookConfig
    on_call: OnCallAnswer
