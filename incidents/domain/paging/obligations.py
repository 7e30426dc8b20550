"""Whose attention the incident asks for: pages, the alerts' silence, whoever fell silent, a missing commander."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain.config.communication import Reach
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import AlertState, Status
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.paging.ladder import lookup


def attention(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield what is owed so that somebody is on it, and so that nobody is disturbed for nothing."""
    yield from _page(incident, runbook)
    yield from _settled_page(incident)
    yield from operators_told(incident)
    if incident.over:
        yield from lifted(incident)
        return
    yield from _silence(incident)
    yield from _alerts_checked(incident, runbook)
    yield from _heard(incident, runbook)
    yield from _commander(incident, runbook)


def _page(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    if not runbook.policy(incident.severity).page or incident.attended or incident.status != Status.INVESTIGATING:
        return
    since = max(incident.last_paged_at or incident.opened_at, incident.episode.since)
    # One for each calling anew and each new highest severity.
    key = f"page/{incident.repage_count}/{incident.highest_severity}"
    yield at_once(ObligationKind.PAGE, key, since, "Page the engineer on call")
    yield from lookup(incident, runbook)
    yield from _instead(key, since, incident, runbook)


def _instead(key: str, since: datetime, incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the other ways to call the on-call: at once if the page failed, soon if it still has not gone out."""
    standing, contact = incident.standing(key), runbook.people.on_call
    if standing is StepStatus.DONE:
        return
    due = since + runbook.patience.reach if standing is StepStatus.PENDING else since
    for reach in (Reach.SLACK, Reach.EMAIL):
        says = f"The page has not gone out: call {runbook.contacts[contact].name} by {reach}"
        yield Obligation(
            key=f"{key}/{reach}",
            kind=ObligationKind.ESCALATE,
            due=due,
            since=since,
            says=says,
            subject=contact,
            by=reach,
        )


def _settled_page(incident: Incident) -> Iterator[Obligation]:
    """Yield the end of the paging: acknowledged by whoever took it, resolved when nobody is needed any more."""
    unneeded = incident.status == Status.MONITORING and not incident.attended
    if incident.over or unneeded:
        # Resolved also when nobody was needed: a pager would stay silent about an acknowledged page that comes again.
        ended = incident.resolved_at or incident.monitoring_since or incident.timeline[-1].at
        for calling in range(0 if incident.over else incident.repage_count, incident.repage_count + 1):
            if _paged(incident, calling):
                key = f"page-resolve/{calling}"
                yield at_once(ObligationKind.RESOLVE_PAGE, key, ended, "Resolve the page", sequence=calling)
    elif incident.attended and _paged(incident, incident.repage_count):
        since = max(incident.acknowledged_at or incident.opened_at, incident.opened_at)
        yield at_once(ObligationKind.ACKNOWLEDGE_PAGE, f"page-ack/{incident.repage_count}", since, "Stop the paging")


def _paged(incident: Incident, calling: int) -> bool:
    paging = f"page/{calling}/"
    return any(key.startswith(paging) for key in (*incident.fulfilled, *incident.begun))


def silenceable(incident: Incident) -> tuple[AlertState, ...]:
    """Return the firing alerts whose labels are known, which are few: exactly these are ever silenced."""
    return tuple(alert for alert in incident.firing if alert.labels)


def lifted(incident: Incident) -> Iterator[Obligation]:
    """Yield the end of the silences, also of one that was still being made when the incident closed."""
    if incident.silences:
        says, at = "Lift the alerts' silence", incident.timeline[-1].at
        yield at_once(ObligationKind.UNSILENCE, f"unsilence/{incident.repage_count}", at, says)


def _silence(incident: Incident) -> Iterator[Obligation]:
    if incident.attended and silenceable(incident):
        since = incident.heard_at or incident.opened_at
        yield at_once(ObligationKind.SILENCE, f"silence/{incident.repage_count}", since, "Silence the alerts")


def _alerts_checked(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the question whether silenced alerts still fire: Alertmanager keeps their end to itself, too."""
    firing = {alert.fingerprint for alert in incident.firing}
    hidden = [silence for silence in incident.silences if silence.fingerprint in firing]
    if not hidden or incident.alerts_checked_at is None:
        return
    due = incident.alerts_checked_at + runbook.paging.check_alerts_every
    if due <= max(silence.until for silence in hidden):
        yield Obligation(
            key=f"alerts-check/{incident.alert_checks}",
            kind=ObligationKind.CHECK_ALERTS,
            due=due,
            since=incident.alerts_checked_at,
            says="Ask whether the silenced alerts still fire",
        )


def _heard(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield when a word from whoever acknowledged is overdue (BEHAVIOURS 44)."""
    patience = runbook.policy(incident.severity).silent_after
    if patience is None or not incident.attended or incident.status != Status.INVESTIGATING:
        return
    since = max(incident.heard_at or incident.opened_at, incident.episode.since)
    yield Obligation(
        key=f"listen/{since.isoformat()}",
        kind=ObligationKind.LISTEN,
        due=since + patience,
        since=since,
        says=f"Page again unless {incident.commander or 'somebody'} has said a word",
    )


def _commander(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    within = runbook.policy(incident.severity).commander_within
    if within is None or incident.commander or not incident.resources.channel_id:
        return
    since = max(incident.no_commander_since or incident.opened_at, incident.episode.since)
    yield Obligation(
        key=f"commander/{since.isoformat()}",
        kind=ObligationKind.REMIND_COMMANDER,
        due=since + within,
        since=since,
        says=f"Say that this {incident.severity} has no commander",
    )


def operators_told(incident: Incident) -> Iterator[Obligation]:
    """Yield a message for each vendor that rejects our credentials, and for each error of this program."""
    for refusal in incident.refusals:
        says = f"Tell the operators that {refusal.vendor} refuses our credentials"
        yield at_once(ObligationKind.OPERATORS, f"operators/{refusal.vendor}", refusal.at, says, subject=refusal.vendor)
    for number, fault in enumerate(incident.faults):
        says = f"Tell the operators of an error in this program: {fault.where}"
        yield at_once(ObligationKind.REPORT_FAULT, f"fault/{number}", fault.at, says, sequence=number)


def barest_page(incident: Incident) -> Iterator[Obligation]:
    """Yield the page alone, for when what else is owed cannot be derived: paged too often is better than never."""
    if not incident.attended and incident.status == Status.INVESTIGATING:
        key = f"page/{incident.repage_count}/{incident.highest_severity}"
        yield at_once(ObligationKind.PAGE, key, incident.opened_at, "Page the engineer on call")
