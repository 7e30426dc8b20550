"""The forms that the chat shows: which fields, with which choices."""

from incidents.domain.chat.buttons import Target
from incidents.domain.chat.form import CheckField, ChoiceField, Form, Option, TextField
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.severity import Severity
from incidents.domain.incident.commands import Publication
from incidents.domain.incident.display.severity_guide import severity_guide
from incidents.domain.incident.incident import Incident
from incidents.domain.rollback.approval import needs_two

LONGEST_TITLE, LONGEST_UPDATE, LONGEST_REASON = 200, 3000, 2000
EVERYWHERE = "all"
"""The choice of a rollback of every cluster."""
_SKIPPED = 10
_REASON = TextField(name="reason", label="Reason", longest=LONGEST_REASON, lines=True)


def open_form(runbook: RunbookConfig, title: str = "") -> Form:
    """Return the form to open an incident. `title`: what it starts with."""
    return Form(
        title="Open an incident",
        submit="Open",
        fields=(
            TextField(name="title", label="What is wrong?", longest=LONGEST_TITLE, initial=title),
            _service_field(runbook),
            _severity_field(runbook, runbook.unknown_severity),
            CheckField(name="private", label="Private", detail="Nothing of it appears in a public place."),
            CheckField(name="drill", label="Drill", detail="Only the participants of drills are paged or notified."),
        ),
        guide=tuple(severity_guide(runbook)),
    )


def _service_field(runbook: RunbookConfig) -> ChoiceField | TextField:
    """Return the choice among the runbook's services; without any, a line of text."""
    if not runbook.services:
        return TextField(name="service", label="Service")
    services = tuple(Option(value=service.name, label=service.public_name) for service in runbook.services)
    return ChoiceField(name="service", label="Service", options=services, initial=services[0].value)


def _severity_field(runbook: RunbookConfig, initial: Severity) -> ChoiceField:
    options = tuple(
        Option(value=severity, label=f"{severity} {policy.name}", detail=" ".join(policy.definition.split()))
        for severity, policy in runbook.severities.items()
    )
    return ChoiceField(name="severity", label="Severity", options=options, initial=initial)


def update_form(runbook: RunbookConfig, incident: Incident | None, target: Target) -> Form:
    """Return the form to write a status update for customers."""
    when = (
        Option(value=Publication.NOW, label="Publish it now"),
        Option(value=Publication.NEXT, label="Use it for the next scheduled update"),
        Option(value=Publication.DRAFT, label="Save it as a draft"),
    )
    hint = "Customers read it as it is, on every channel of this severity."
    return Form(
        title="Status update",
        submit="Save",
        fields=(
            TextField(name="text", label="What we know and do", longest=LONGEST_UPDATE, lines=True, hint=hint),
            ChoiceField(name="when", label="When", options=when, initial=Publication.NOW),
        ),
    )


def severity_form(runbook: RunbookConfig, incident: Incident | None, target: Target) -> Form:
    """Return the form to declare, raise or lower the severity."""
    current = incident.severity if incident else runbook.unknown_severity
    reason = _REASON.replace(required=False)
    return Form(
        title="Severity",
        submit="Declare",
        fields=(_severity_field(runbook, current), reason),
        guide=tuple(severity_guide(runbook)),
    )


def rollback_form(runbook: RunbookConfig, incident: Incident | None, target: Target) -> Form:
    """Return the form to request a rollback. The request is its approval, or the first of two."""
    regions = runbook.regions_of(incident.service) if incident else runbook.regions
    clusters = (Option(value=region.cluster, label=f"{region.cluster} ({region.name})") for region in regions)
    everywhere = Option(value=EVERYWHERE, label="Everywhere that it runs")
    return Form(
        title="Roll back",
        submit="Roll back",
        fields=(
            ChoiceField(name="cluster", label="Where", options=(everywhere, *clusters), initial=EVERYWHERE),
            CheckField(name="forward", label="Roll forward", detail="Undo a rollback that did not help."),
            CheckField(name="insist", label="Insist", detail="Despite a newer deployment, or a region that recovered."),
        ),
        guide=(f"Redeploys the last known-good version. {_approval(incident, runbook)}",),
    )


def resolve_form(runbook: RunbookConfig, incident: Incident | None, target: Target) -> Form:
    """Return the form to resolve the incident."""
    hint = "Customers read it in the last update. Empty: the runbook's own text."
    text = TextField(
        name="text", label="What customers read", longest=LONGEST_UPDATE, lines=True, required=False, hint=hint
    )
    return Form(
        title="Resolve",
        submit="Resolve",
        fields=(
            text,
            CheckField(name="force", label="Force", detail="Although an alert is still firing; give a reason."),
            CheckField(name="now", label="Now", detail="Without waiting for a running rollback; give a reason."),
            _REASON.replace(required=False),
        ),
    )


def reopen_form(runbook: RunbookConfig, incident: Incident | None, target: Target) -> Form:
    """Return the form to reopen a resolved incident."""
    return Form(title="Reopen", submit="Reopen", fields=(_REASON,))


def decline_form(runbook: RunbookConfig, incident: Incident | None, target: Target) -> Form:
    """Return the form to decline an offered rollback, or to leave a failed one as it is."""
    return Form(title="No rollback", submit="Decline", fields=(_REASON,))


def another_form(runbook: RunbookConfig, incident: Incident | None, target: Target) -> Form:
    """Return the form to roll back to another known-good version than the one that is offered."""
    state = incident.rollback.of(target.cluster) if incident else None
    others = [seen for seen in state.offer.considered if not seen.selected][:_SKIPPED] if state else []
    choices = {seen.deployment.version: seen.reason for seen in others if seen.known_good}
    field = _version_field(choices)
    warning = _approval(incident, runbook)
    lines = (f"Not to choose: {seen.deployment.version} ({seen.reason})" for seen in others if not seen.known_good)
    return Form(title="Another version", submit="Roll back", fields=(field,), guide=(warning, *lines))


def _approval(incident: Incident | None, runbook: RunbookConfig) -> str:
    if incident is not None and needs_two(incident, runbook):
        return "Your request is the first of two approvals."
    return "Your request is its approval."


def _version_field(choices: dict[str, str]) -> ChoiceField | TextField:
    """Return the choice among known-good versions, with their reasons; a line of text if none is known."""
    label = "Roll back to"
    if not choices:
        return TextField(name="version", label=label, hint="A known-good version: `/incident candidates` lists them.")
    options = tuple(Option(value=version, label=version, detail=reason) for version, reason in choices.items())
    return ChoiceField(name="version", label=label, options=options, initial=options[0].value)
