"""The texts that customers read, beside the message template: data, so that each company can adapt them.

A `{NAME}` in capitals is filled in. The defaults name no product and no kind of service.
"""

from pydantic import JsonValue

from incidents.domain.core.base import Frozen


class PublicTexts(Frozen):
    """The default texts of status updates, and the short messages to customers."""

    title: str = "{SERVICE} disruption"
    opening: str = "We detected a problem at {START_TIME} and are investigating it."
    still_investigating: str = "As of {NOW}, we are still investigating. No change since {SINCE}."
    still_monitoring: str = "As of {NOW}, we are still monitoring the recovery. No change since {SINCE}."
    next_update: str = "Next update: {NEXT_UPDATE}."
    office_hours: str = "{NEXT_UPDATE} (start of office hours)"
    on_resolution: str = "when resolved"
    no_next_update: str = "none (resolved)"
    severity_raised: str = "The severity was raised from {OLD} to {NEW}."
    severity_lowered: str = "The severity was lowered from {OLD} to {NEW}."
    alert_ended: str = "The alert has cleared, and we are monitoring the recovery."
    mitigated: str = "The problem is mitigated, and we are monitoring the recovery."
    rolled_back: str = "A recent change was reverted, and service is back to normal."
    rolled_back_monitoring: str = (
        "A recent change was reverted, and service is back to normal. We are monitoring the recovery."
    )
    rollback_failed: str = "A recent change was reverted, but service is not back to normal yet."
    came_back: str = "The problem has returned and we are investigating again."
    resolved: str = "Service is back to normal."
    stable: str = "Service has been stable, and the incident is over."
    merged: str = "This is being handled together with {INCIDENT_ID} from now on."
    false_alarm: str = "Correction: this was a false alarm. There was no incident, and service was not affected."
    question_subject: str = "{PRODUCT}: is service restored for you? ({INCIDENT_ID})"
    question_body: str = (
        "About: {BRIEF_TITLE}.\n\n"
        "We have reverted a recent change, and our own checks pass again.\n\n"
        "Is service restored for you? Please reply to this message; we will record your answer in {INCIDENT_ID}.\n\n"
        "{TEAM}\n"
    )
    mail_link: str = "Status page"
    mail_recap: str = "Earlier updates"
    private_subject: str = "Incident closed"
    private_body: str = "{INCIDENT_ID} is closed.\n"


def fill_json(template: JsonValue, values: dict[str, str]) -> JsonValue:
    """Fill in every text of a JSON document. What is filled in stays text: it never becomes structure."""
    if isinstance(template, str):
        return fill(template, values)
    if isinstance(template, list):
        return [fill_json(part, values) for part in template]
    if isinstance(template, dict):
        return {name: fill_json(part, values) for name, part in template.items()}
    return template


def fill(template: str, values: dict[str, str]) -> str:
    """Replace each `{NAME}` in one pass, so that placeholders inside values are left alone."""
    parts = template.split("{")
    filled = [parts[0]]
    for part in parts[1:]:
        name, closed, rest = part.partition("}")
        filled.append(values[name] + rest if closed and name in values else "{" + part)
    return "".join(filled)
