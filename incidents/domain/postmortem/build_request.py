"""Build the activity request for each obligation of a post-mortem."""

from datetime import datetime

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult
from incidents.domain.config.model import RunbookConfig
from incidents.domain.postmortem.obligations.obligation import Due, PostmortemObligation
from incidents.domain.postmortem.obligations.registry import spec_of
from incidents.domain.postmortem.postmortem import Postmortem


def postmortem_request(
    obligation: PostmortemObligation, postmortem: Postmortem, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Return the activity request for an obligation, or its result if no activity is needed.

    Raises:
        ValueError: an obligation of this kind is fulfilled by a change of state.
    """
    spec = spec_of(obligation)
    if spec.build_request is None:
        raise ValueError(f"{obligation.kind} needs no activity")
    built = spec.build_request(postmortem, Due(obligation, runbook, at))
    if isinstance(built, ActivityResult):
        return built
    again = spec.poll is None and postmortem.ledger.is_begun(obligation.key)
    return built.replace(key=f"{postmortem.incident.first_run_id}/postmortem/{obligation.key}", again=again)
