"""From an obligation to the request that fulfils it.

The text is rendered here, at the moment at which the obligation is due.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from incidents.domain.registry import spec_of


def request(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Return the request that fulfils `obligation`, or the result at once if there is nothing to ask for.

    The key of the request names the incident's run, so that it is unique in the installation; `again` is set when the
    obligation was begun before, in this run of the workflow or in an earlier one.

    Raises:
        ValueError: an obligation of this kind is not fulfilled by one activity.
    """
    build = spec_of(obligation).build_request
    if build is None:
        raise ValueError(f"{obligation.kind} is not fulfilled by an activity")
    built = build(obligation, incident, runbook, at)
    if isinstance(built, ActivityResult):
        return built
    return built.replace(
        key=f"{incident.first_run_id}/{obligation.key}", again=incident.ledger.is_begun(obligation.key)
    )


@dataclass(frozen=True)
class SetupCall:
    """A call that sets a channel up. `activity`: its name. `calls`: how many a new channel takes at first."""

    activity: str
    calls: int


SETUP: Mapping[type[ActivityRequest], SetupCall] = MappingProxyType(
    {
        chat_requests.OpenChannel: SetupCall("open_channel", 1),
        chat_requests.SetTopic: SetupCall("set_topic", 2),  # again with the war room's link, if that came later
        chat_requests.Invite: SetupCall("invite", 1),
        chat_requests.AddBookmark: SetupCall("add_bookmark", 2),  # status page and war room
    }
)
"""What sets a channel up. A chat may take only twenty a minute of each, of the whole workspace."""


def is_limited(asked: ActivityRequest, runbook: RunbookConfig) -> bool:
    """Tell whether a request has to wait its turn, in a queue whose pace the workers hold."""
    return runbook.chat.setup_per_minute > 0 and type(asked) in SETUP
