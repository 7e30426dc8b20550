"""Render an incident for responders: the pinned summary, the channel topic, the digest line, links."""

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.program_errors import settle_hint
from incidents.domain.core.status import Status
from incidents.domain.core.text.mrkdwn import Mrkdwn, mrkdwn, mrkdwn_lines
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.incident.checklist import StepState, StepStatus
from incidents.domain.incident.display.severity_guide import severity_guide
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from incidents.domain.paging.ladder import escalated_to
from incidents.domain.paging.reachability import warn_of_unsent_page
from incidents.domain.rollback.state import RollbackState
from incidents.domain.updates.overdue import overdue_lines

MARKS = {StepStatus.PENDING: "☐", StepStatus.DONE: "☑", StepStatus.SKIPPED: "–", StepStatus.FAILED: "✗"}
"""How each status of a checklist step is shown."""

_LONGEST_TOPIC = 250
"""Characters of a channel's topic that the chat takes."""
_SHOWN_NEXT = 3
"""Obligations in the summary's "Next" list: scheduled ones that change seldom, so that it is rarely edited."""


def status_text(incident: Incident) -> str:
    """Return the status for responders: where it was merged into, that it flaps, or else the status."""
    if (into := incident.merging.into) is not None:
        return f"merged into INC-{into.number}"
    if (waiting := incident.alerting.waiting) is not None and not incident.over:
        return f"maintenance until {waiting.until:%H:%M} UTC"
    flapping = " · flapping" if incident.alerting.flapping else ""
    return f"{incident.shown_status}{flapping}"


def headline(incident: Incident) -> str:
    """Return the incident in one line: `INC-42 · P0 · investigating · Error ratio is 0.31`."""
    return " · ".join(headline_parts(incident).values())


def headline_parts(incident: Incident) -> dict[str, str]:
    """Return the parts of the headline in order, by what they are, for where each has a style of its own."""
    private = {"private": "private"} if incident.private else {}
    title = " ".join(incident.title.split())
    status = status_text(incident)
    return {"name": incident.name, **private, "severity": str(incident.severity), "status": status, "title": title}


def digest_text(incident: Incident) -> Mrkdwn:
    """Return the incident's line in the digest channel; for a private incident, only its number."""
    if incident.private:
        over = f" · {incident.status}" if incident.over else ""
        return mrkdwn("private incident {}{}", incident.name, over)
    commander = incident.roles.commander or "unassigned"
    channel = mrkdwn(" · <#{}>", incident.resources.channel_id) if incident.resources.channel_id else ""
    return mrkdwn("*{}* · commander {}{}", headline(incident), commander, channel)


def answer_text(incident: Incident) -> Mrkdwn:
    """Return the answer to the question in the chat how an incident stands."""
    return mrkdwn_lines([mrkdwn("*{}*", headline(incident)), *warnings(incident), people_line(incident)])


def topic_text(incident: Incident) -> str:
    """Return the channel's topic. The chat formats nothing in a topic, so it is plain text."""
    commander = f"commander {incident.roles.commander}" if incident.roles.commander else "no commander"
    bridge = f" · {incident.resources.bridge_url}" if incident.resources.bridge_url else ""
    return one_line(
        f"{incident.name} · {incident.severity} · {status_text(incident)} · {commander}{bridge}", _LONGEST_TOPIC
    )


def step_detail(state: StepState, incident: Incident) -> str:
    """Return what is said of a step: of a failed one the reason, the attempts, and what to type next."""
    if StepStatus(state.status) is not StepStatus.FAILED:
        return state.detail
    return f"failed: {state.detail}. Next: {settle_hint(state.step, incident.number)}"


def checklist_lines(incident: Incident) -> list[str]:
    """Return one line per checklist step, of a failed one with what to type next."""
    return _checklist_lines(incident, [step_detail(state, incident) for state in incident.steps])


def _pinned_checklist_lines(incident: Incident) -> list[str]:
    """Return the lines for the pinned summary.

    A replay compares it with the one recorded. Histories recorded before failures had attempts hold it without what to
    type next, so it is left out where no attempts are known.
    """
    if any(failure.attempts is not None for failure in incident.ledger.failures):
        return checklist_lines(incident)
    return _checklist_lines(incident, [state.detail for state in incident.steps])


def _checklist_lines(incident: Incident, details: list[str]) -> list[str]:
    lines = []
    for number, (state, said) in enumerate(zip(incident.steps, details, strict=True), 1):
        detail = f" — {said}" if said else ""
        lines.append(f"{MARKS[StepStatus(state.status)]} {number}. {state.title}{detail}")
    return lines


def people_line(incident: Incident) -> str:
    """Return the roles and the acknowledgement in one line."""
    commander = incident.roles.commander or "unassigned"
    others = (("communications", incident.roles.communications), ("scribe", incident.roles.scribe))
    roles = "".join(f" · {role} {person}" for role, person in others if person)
    if incident.acknowledged_at is None:
        return f"Commander: {commander}{roles} · not acknowledged"
    by = f"by {incident.acknowledged_by} at {incident.acknowledged_at:%H:%M} UTC"
    if not incident.paging.attended and not incident.over:  # on-call is paged anew
        return f"Commander: {commander}{roles} · not acknowledged since the last page (before: {by})"
    return f"Commander: {commander}{roles} · acknowledged {by}"


def warnings(incident: Incident) -> list[str]:
    """Return what responders must know before anything else, one line each."""
    return [line for line in (warn_of_unsent_page(incident), *overdue_lines(incident)) if line]


_NAMED_CHILDREN = 10
"""Incidents of a surge that one line names."""


def related(incident: Incident) -> list[str]:
    """Return how the incident is related to others, one line each: what it repeats, and its surge."""
    lines = [f"Repeats INC-{incident.recurrence_of}"] if incident.recurrence_of is not None else []
    if (parent := incident.surge.informing) is not None:
        lines.append(f"Surge: INC-{parent.number} informs the customers for this incident")
    if children := [f"INC-{child.number}" for child in incident.surge.active_children]:
        more = f" and {len(children) - _NAMED_CHILDREN} more" if len(children) > _NAMED_CHILDREN else ""
        lines.append(f"Surge: informs the customers for {', '.join(children[:_NAMED_CHILDREN])}{more}")
    return lines


def rollback_text(incident: Incident, state: RollbackState) -> Mrkdwn:
    """Return the channel message that tracks a rollback: versions, status, latest step."""
    offer = state.offer
    versions = f"{offer.suspect.version} → {offer.candidate.version}" if offer.suspect and offer.candidate else ""
    lines = (
        mrkdwn("*{} · rollback of {}: {}* · {}", incident.name, offer.cluster, versions, state.status),
        f"Decision by {state.decided_by or _pending(state)} · attempt {state.attempt}",
        state.detail or state.progress or "starting",
    )
    return mrkdwn_lines(lines)


def _pending(state: RollbackState) -> str:
    return f"pending (approved by {state.approved_by})" if state.approved_by else "pending"


def bookmarks(incident: Incident) -> list[tuple[str, str]]:
    """Return the channel's bookmarks as (label, URL): the links that a browser can open."""
    found = (link.partition(": ")[::2] for link in links(incident))
    return [(label, url) for label, url in found if url.startswith(("http://", "https://"))]


def links(incident: Incident) -> list[str]:
    """Return the incident's resources as `label: url`."""
    resources = incident.resources
    found = (
        ("War room", resources.bridge_url),
        ("Status page", resources.status_page_url),
        ("Ticket", resources.ticket_url),
        ("Evidence", resources.evidence_url),
    )
    return [f"{label}: {url}" for label, url in found if url]


def summary_text(incident: Incident, runbook: RunbookConfig, coming: list[Obligation]) -> Mrkdwn:
    """Return the pinned summary of the incident's channel as one text. `coming`: its scheduled obligations."""
    since = runbook.calendar.in_brackets(incident.started_at)
    lines: list[str] = [
        mrkdwn("*{}*", headline(incident)),
        *(mrkdwn("*{}*", line) for line in warnings(incident)),
        f"Service: {incident.service} ({incident.environment}) · since {since}",
        people_line(incident),
        *related(incident),
        f"Impact: {impact(incident, runbook)}",
        *_pinned_checklist_lines(incident),
        *_escalated_lines(incident, runbook),
        *_coming_lines(runbook, coming),
        *_question_lines(incident, runbook),
    ]
    return mrkdwn_lines([*lines, *links(incident)])


def summary_sections(incident: Incident, runbook: RunbookConfig, coming: list[Obligation]) -> tuple[list[str], ...]:
    """Return the summary's lines in sections, without what the facts and links of its card show."""
    service = f"Service: {incident.service} ({incident.environment})"
    others = (("Communications", incident.roles.communications), ("Scribe", incident.roles.scribe))
    roles = [f"{role}: {person}" for role, person in others if person]
    return (
        [service, *roles, *related(incident), f"Impact: {impact(incident, runbook)}"],
        _pinned_checklist_lines(incident),
        [*_escalated_lines(incident, runbook), *_coming_lines(runbook, coming)],
        _question_lines(incident, runbook),
    )


def _escalated_lines(incident: Incident, runbook: RunbookConfig) -> list[str]:
    called = escalated_to(incident, runbook)
    return [f"Escalated to: {', '.join(called)}"] if called else []


def _coming_lines(runbook: RunbookConfig, coming: list[Obligation]) -> list[str]:
    lines = [
        f"• {runbook.calendar.in_brackets(obligation.due)} — {obligation.summary}"
        for obligation in coming[:_SHOWN_NEXT]
    ]
    return ["Next:", *lines] if lines else []


def _question_lines(incident: Incident, runbook: RunbookConfig) -> list[str]:
    """Return what responders still have to say, and that the incident is mitigated."""
    lines = []
    if incident.needs_triage:
        lines.append(f"Unknown alert severity: confirm {incident.severity} or change it (`incident severity`).")
        lines += [f"• {line}" for line in severity_guide(runbook)]
    if incident.alerting.unknown_service:
        lines.append(
            f"Unknown service: {incident.alerting.unknown_service} No customer communication until it is named."
        )
    if incident.status == Status.MONITORING:
        lines.append("Mitigated; monitoring the recovery.")
    return lines


def impact(incident: Incident, runbook: RunbookConfig) -> PublicText:
    """Return the customer-facing impact: as assessed, or else the default of the severity."""
    if incident.assessment is not None:
        return PublicText.trusted(incident.assessment.impact)  # screened when it was posted
    return PublicText.trusted(runbook.policy(incident.severity).impact)
