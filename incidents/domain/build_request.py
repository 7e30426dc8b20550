"""From an obligation to the request that fulfils it.

The text is rendered here, at the moment at which the obligation is due.
"""

from datetime import datetime

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


SETUP = (
    chat_requests.OpenChannel,
    chat_requests.SetTopic,
    chat_requests.Invite,
    chat_requests.AddBookmark,
)
"""What sets a channel up: a chat may take only twenty a minute of each of them, of the whole workspace."""


def is_limited(asked: ActivityRequest, runbook: RunbookConfig) -> bool:
    """Tell whether a request has to wait its turn, in the queue that all workers share."""
    return runbook.chat.setup_per_minute > 0 and isinstance(asked, SETUP)
