"""The escalation ladder: who is called when, by which way, and who instead when they cannot be reached."""

from collections.abc import Iterator
from datetime import datetime
from typing import assert_never

from incidents.domain.alerting.config import TriagePage
from incidents.domain.config.communication import EscalateFrom, Reach, Rung, Unless
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.status import Status
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.paging.keys import on_call_key, page_key
from incidents.domain.paging.on_call import is_escalated, ladder_of, on_call_of

_MISSED = (StepStatus.FAILED, StepStatus.SKIPPED)


def ladder_start(incident: Incident, runbook: RunbookConfig) -> tuple[datetime, int]:
    """Return from when the current severity's ladder counts, and the number of that episode.

    A severity that was left for no longer than `escalation.rejoin_within` continues (behaviour 29); a
    reopening restarts it (behaviour 88).
    """
    number = len(incident.episodes) - 1
    since = incident.episodes[number].since
    for index in range(number - 1, -1, -1):
        episode = incident.episodes[index]
        if incident.reopened_at is not None and episode.since < incident.reopened_at:
            break
        if episode.severity == incident.severity:
            if episode.until is None or since - episode.until > runbook.escalation.rejoin_within:
                break
            number, since = index, episode.since
    return since, number


def ladder(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield every call that the ladder of the current severity holds.

    A rung whose contact cannot be reached by any way brings the next one forward to that moment (behaviour 45), and so
    does an empty schedule (behaviour 25).
    """
    since, number = ladder_start(incident, runbook)
    forward = None
    for rung in ladder_of(incident, runbook):
        hastened = next((h.at for h in incident.paging.hastened if h.rung == _name(rung, incident, number)), None)
        needed = is_escalated(incident, runbook) and not _needless(rung, incident)
        if not needed and hastened is None:
            continue
        moments = (_rung_due(rung, incident, runbook, since), hastened, forward)
        due = max(min(moment for moment in moments if moment is not None), since)
        yield from _calls(rung, incident, runbook, due, since, number)
        forward = _given_up(rung, incident, number)


def next_rung(incident: Incident, runbook: RunbookConfig) -> tuple[str, str] | None:
    """Return the name and the contact of the next rung that was not used yet; None if there is none left."""
    _, number = ladder_start(incident, runbook)
    climbed = {hastened.rung for hastened in incident.paging.hastened} | {call.rung for call in incident.paging.calls}
    for rung in ladder_of(incident, runbook):
        name = _name(rung, incident, number)
        if name not in climbed:
            return name, rung.contact
    return None


def escalated_to(incident: Incident, runbook: RunbookConfig) -> tuple[str, ...]:
    """Return the names of everybody who was reached by an escalation, in the order of the first time."""
    done = incident.ledger.fulfilled
    reached = [call.contact for call in incident.paging.calls if call.rung and call.key in done]
    known = [runbook.contacts[contact].name for contact in reached if contact in runbook.contacts]
    return tuple(dict.fromkeys(known))


def address(contact: str, incident: Incident, runbook: RunbookConfig) -> str:
    """Return the contact's e-mail address: of who is on call by its schedule, else its own in the runbook."""
    found = incident.paging.who(contact)
    return (found.email if found else "") or runbook.contacts[contact].email or ""


def _parts(rung: Rung, incident: Incident, number: int) -> tuple[object, ...]:
    """Return what tells a rung from all others: a new ladder begins with each severity and each re-page."""
    return (incident.severity, number, rung.contact)


def _escalate_key(rung: Rung, incident: Incident, number: int, reach: Reach) -> Key:
    return Key("escalate", *_parts(rung, incident, number), reach)


def _name(rung: Rung, incident: Incident, number: int) -> str:
    return "/".join(str(part) for part in _parts(rung, incident, number))


def _needless(rung: Rung, incident: Incident) -> bool:
    if rung.unless is Unless.ACKNOWLEDGED:
        return incident.paging.attended or incident.status == Status.MONITORING
    return rung.unless is Unless.MITIGATED and incident.mitigated_at is not None


def _rung_due(rung: Rung, incident: Incident, runbook: RunbookConfig, since: datetime) -> datetime:
    """Return when a rung is due: without a delay of its own, when the acknowledgement of the last call is overdue."""
    if rung.after is not None:
        return _counted_from(incident, runbook, since) + rung.after
    on_call = incident.paging.who(on_call_of(incident, runbook))
    if on_call is not None and not on_call.name:
        return on_call.at
    called = max(since, incident.paging.last_paged_at or since)
    return runbook.calendar.deadline(called, runbook.policy(incident.severity).acknowledge_within)


def _counted_from(incident: Incident, runbook: RunbookConfig, since: datetime) -> datetime:
    match runbook.escalation.escalate_from:
        case EscalateFrom.SEVERITY_CHANGE:
            return since
        case EscalateFrom.DECLARED:
            return incident.reopened_at or incident.opened_at
        case unknown:
            assert_never(unknown)


def _calls(
    rung: Rung, incident: Incident, runbook: RunbookConfig, due: datetime, since: datetime, number: int
) -> Iterator[Obligation]:
    """Yield the rung's own ways at once; when none of them worked, the other ways one by one."""
    contact = runbook.contacts[rung.contact]
    asked = on_call_key(*_parts(rung, incident, number))
    if contact.schedule and not incident.ledger.settled(asked):
        summary = f"Look up {contact.name}"
        yield Obligation(
            key=asked, kind=ObligationKind.ON_CALL, due=due, since=since, summary=summary, subject=rung.contact
        )
        return
    if _nobody(rung, incident, number):
        return
    for reach in _ways(rung, incident, number):
        yield Obligation(
            key=_escalate_key(rung, incident, number, reach),
            kind=ObligationKind.ESCALATE,
            due=due,
            since=since,
            summary=f"Escalate to {contact.name} by {reach}",
            subject=rung.contact,
            by=reach,
            rung=_name(rung, incident, number),
        )


def _ways(rung: Rung, incident: Incident, number: int) -> list[Reach]:
    """Return the ways that are owed: its own, and after them one more for each time that all before failed."""
    ways = list(rung.by)
    for other in (reach for reach in Reach if reach not in rung.by):
        if not all(_standing(rung, incident, number, reach) in _MISSED for reach in ways):
            break
        ways.append(other)
    return ways


def _standing(rung: Rung, incident: Incident, number: int, reach: Reach) -> StepStatus:
    return incident.standing(_escalate_key(rung, incident, number, reach))


def _nobody(rung: Rung, incident: Incident, number: int) -> bool:
    found = incident.paging.who(rung.contact)
    asked = incident.standing(on_call_key(*_parts(rung, incident, number))) is StepStatus.DONE
    return asked and found is not None and not found.name


def _given_up(rung: Rung, incident: Incident, number: int) -> datetime | None:
    """Return since when it is known that the rung's contact cannot be reached by any way; None as long as it may be."""
    found = incident.paging.who(rung.contact)
    if found is not None and _nobody(rung, incident, number):
        return found.at
    keys = [_escalate_key(rung, incident, number, reach) for reach in Reach]
    missed = {
        obligation.key: obligation.at
        for obligation in (*incident.ledger.failures, *incident.ledger.skips)
        if obligation.key in keys
    }
    return max(missed.values()) if len(missed) == len(keys) else None


def lookup(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the lookup of who is on call, for a contact with a schedule. It never delays the page."""
    contact = on_call_of(incident, runbook)
    if runbook.contacts[contact].schedule:
        summary = f"Look up {runbook.contacts[contact].name}"
        since = incident.paging.last_paged_at or incident.opened_at
        yield at_once(
            ObligationKind.ON_CALL, on_call_key(incident.paging.repage_count), since, summary, subject=contact
        )


def page_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the page while an engineer is needed and none has acknowledged, and what stands in for it."""
    if (
        not runbook.policy(incident.severity).page
        or incident.paging.attended
        or incident.status != Status.INVESTIGATING
    ):
        return
    since = max(incident.paging.last_paged_at or incident.opened_at, incident.episode.since)
    if incident.alerting.unknown_service and runbook.intake.unknown_service.page is TriagePage.NEVER:
        yield from _triage_notices(since, incident, runbook)
        return
    key = page_key(incident)
    yield at_once(ObligationKind.PAGE, key, since, "Page the engineer on call")
    yield from lookup(incident, runbook)
    yield from _instead(key, since, incident, runbook)


def _instead(key: Key, since: datetime, incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the other ways to call the on-call: at once if the page failed, soon if it still has not gone out."""
    standing, contact = incident.standing(key), on_call_of(incident, runbook)
    if standing is StepStatus.DONE:
        return
    due = since + runbook.retry_for.reach if standing is StepStatus.PENDING else since
    for reach in (Reach.SLACK, Reach.EMAIL):
        summary = f"The page has not gone out: call {runbook.contacts[contact].name} by {reach}"
        yield Obligation(
            key=key.under(reach),
            kind=ObligationKind.ESCALATE,
            due=due,
            since=since,
            summary=summary,
            subject=contact,
            by=reach,
        )


def _triage_notices(since: datetime, incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the notices that stand in for the page of an unknown service."""
    contact = on_call_of(incident, runbook)
    again = (incident.times_resolved,) if incident.times_resolved else ()
    for reach in (Reach.SLACK, Reach.EMAIL):
        summary = f"Unknown service: ask {runbook.contacts[contact].name} by {reach} to triage"
        key = Key("triage", *again, reach)
        yield at_once(ObligationKind.ESCALATE, key, since, summary, subject=contact, by=reach)


def pending_escalations(incident: Incident, runbook: RunbookConfig) -> list[Obligation]:
    """Return the escalations that are owed, now or later, the earliest first."""
    if incident.over:
        return []
    found = (*page_owed(incident, runbook), *ladder(incident, runbook))
    owed = [o for o in found if o.kind is ObligationKind.ESCALATE and not incident.ledger.settled(o.key)]
    return sorted(owed, key=lambda obligation: (obligation.due, obligation.key))
