"""Obligations of a drill: show how it went, ask for its review, which it owes instead of a post-mortem, and remind."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.chat.channel import channel_id
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.status import Status
from incidents.domain.core.text.mrkdwn import as_mrkdwn
from incidents.domain.core.timeline import Kind
from incidents.domain.drill.participants import participant_addresses
from incidents.domain.drill.scorecard import scorecard, scorecard_text
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.obligation_spec import OVER, ObligationSpec, Owed
from incidents.domain.recipients import staff


def score_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the scorecard of a drill with a script, at each of its resolutions."""
    ended = incident.resolved_at
    if ended is None or not incident.exercise.scenario or incident.resources.channel_id is None:
        return
    key = Key("drill-score", incident.times_resolved)
    yield at_once(ObligationKind.DRILL_SCORE, key, ended, "Post the scorecard")


def build_score(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Post how the drill went in the channel."""
    beside = f"Beside earlier drills: `incident drill score {incident.number}`"
    text = as_mrkdwn(f"{scorecard_text(scorecard(incident))}\n{beside}")
    return chat_requests.PostMessage(key=obligation.key, channel_id=channel_id(incident), text=text)


def review_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the request for a drill's review once the drill is resolved, and the reminder of it."""
    ended, rules = incident.resolved_at, runbook.drill
    if not incident.drill or ended is None or incident.status == Status.CANCELLED or incident.exercise.review:
        return
    key = Key("drill-review", incident.times_resolved)
    if incident.resources.channel_id is not None:
        yield at_once(ObligationKind.DRILL_REVIEW, key, ended, "Ask for the drill review")
    yield Obligation(
        key=key.under("reminder"),
        kind=ObligationKind.DRILL_REMINDER,
        due=max(ended, ended + rules.review_within - rules.remind_before),
        since=ended,
        summary="Remind the participants of the drill review",
    )


def _review_text(incident: Incident, runbook: RunbookConfig) -> str:
    due = incident.resolved_at + runbook.drill.review_within if incident.resolved_at else None
    until = f" by {runbook.calendar.in_brackets(due)}" if due else ""
    return (
        f"{incident.name} is over. Please review it{until}: what went well, what was missing from the runbook, and who"
        f' changes what? Record it: `incident review-drill {incident.number} "…"`.'
    )


def build_review_request(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Ask for the review in the channel."""
    text = as_mrkdwn(_review_text(incident, runbook))
    return chat_requests.PostMessage(key=obligation.key, channel_id=channel_id(incident), text=text)


def build_reminder(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Mail the participants that the review is due."""
    to = participant_addresses(runbook)
    if not to:
        return ActivityResult(skipped="runbook.yaml names no participants of drills with an e-mail address")
    return activity_requests.SendMail(
        key=obligation.key,
        to=staff(to),
        subject=f"{incident.name}: drill review due",
        text=f"{_review_text(incident, runbook)}\n",
        thread=incident.first_run_id,
        sequence=0,
        category="drill",
    )


_SCORE = Owed(score_owed, OVER, survives=False)
DRILL_SCORE = ObligationSpec(ObligationKind.DRILL_SCORE, (_SCORE,), build_request=build_score, timeline=Kind.POSTMORTEM)
_REVIEW = Owed(review_owed, OVER, survives=False)
DRILL_REVIEW = ObligationSpec(
    ObligationKind.DRILL_REVIEW, (_REVIEW,), build_request=build_review_request, timeline=Kind.POSTMORTEM
)
DRILL_REMINDER = ObligationSpec(
    ObligationKind.DRILL_REMINDER, (_REVIEW,), build_request=build_reminder, timeline=Kind.POSTMORTEM
)
