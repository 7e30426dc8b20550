"""What a page tells the person it wakes: what is wrong, how bad, where to look, how to acknowledge (behaviour 92).

A page never waits for any of it: what is not known yet is left out, and `UPDATE_PAGE` adds it.
"""

from incidents.cutting import cut
from incidents.domain.chat.channel import static_war_room
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.untrusted import one_line, printable
from incidents.domain.incident.display.summary import impact, people_line, status_text
from incidents.domain.incident.incident import Incident

_LONGEST = 1000
"""Characters of a summary and of each detail: a phone shows few, and a pager takes few more."""


def page_summary(incident: Incident) -> str:
    """Return the one-line summary of a page; the number is in it once it is known."""
    number = f" [{incident.name}]" if incident.number is not None else ""
    where = f"{incident.severity} {incident.service} ({incident.environment}): "
    return one_line(f"{where}{one_line(incident.title, _LONGEST - len(where) - len(number))}{number}", _LONGEST)


def page_details(incident: Incident, runbook: RunbookConfig, to: str) -> dict[str, str]:
    """Return the details of a page to the contact `to`, in the order in which a pager shows them."""
    policy = runbook.policy(incident.severity)
    again = " again (reopened)" if incident.earlier_responses else ""
    state = f"{status_text(incident)}{again}"
    details = {
        "incident": incident.name,
        "what": incident.title,
        "severity": f"{incident.severity} ({policy.name})",
        "impact": str(impact(incident, runbook)),
        "since": runbook.calendar.in_brackets(incident.started_at),
        "environment": incident.environment,
        "status": f"{state} · {people_line(incident)}",
        "acknowledge": f"Acknowledge this page, or run `incident ack {incident.number or incident.workflow_id}`",
        "to": to,
    }
    if incident.alerting.unknown_service:
        details["triage"] = incident.alerting.unknown_service
    return {name: cut(printable(text), _LONGEST) for name, text in details.items()}


def page_links(incident: Incident, runbook: RunbookConfig) -> dict[str, str]:
    """Return what a page links to, label to URL: channel, war room, alert, and the links of runbook.yaml."""
    static = static_war_room(incident, runbook) if runbook.policy(incident.severity).war_room else ""
    alert = next((alert.link for alert in incident.alerting.alerts if _is_web(alert.link)), "")
    found = {
        "Channel": incident.resources.channel_url or "",
        "War room": incident.resources.bridge_url or static,
        "Alert": alert,
        **runbook.page_links(incident.service, incident.severity, incident.environment),
    }
    return {label: url for label, url in found.items() if url}


def _is_web(url: str) -> bool:
    return url.startswith(("https://", "http://"))
