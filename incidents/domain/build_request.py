"""From an obligation to the request that fulfils it.

The text is rendered here, at the moment at which the obligation is due.
"""

from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest, ActivityResult
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
    return built.replace(key=f"{incident.first_run_id}/{obligation.key}", again=obligation.key in incident.begun)


_MAILED_AT_ONCE = 1000
"""Recipients of one request (SendGrid)."""


def parts(asked: ActivityRequest) -> tuple[ActivityRequest, ...]:
    """Return a request as the requests that are made one after the other: a mail to very many goes out in parts."""
    if not isinstance(asked, activity_requests.SendMail) or len(asked.to) <= _MAILED_AT_ONCE:
        return (asked,)
    starts = range(0, len(asked.to), _MAILED_AT_ONCE)
    return tuple(
        asked.replace(key=f"{asked.key}/{number}", to=asked.to[start : start + _MAILED_AT_ONCE])
        for number, start in enumerate(starts, 1)
    )


SETUP = (
    activity_requests.OpenChannel,
    activity_requests.SetTopic,
    activity_requests.Invite,
    activity_requests.AddBookmark,
)
"""What sets a channel up: Slack takes twenty a minute of each of them (tier 2), of the whole workspace."""


def is_limited(asked: ActivityRequest, runbook: RunbookConfig) -> bool:
    """Tell whether a request has to wait its turn, in the queue that all workers share."""
    return runbook.chat.setup_per_minute > 0 and isinstance(asked, SETUP)
