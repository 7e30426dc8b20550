"""Why an integration is off, as people read it."""

from incidents.app.settings import Settings
from incidents.vendors.names import DISPLAY_NAMES

_CAPABILITIES = {"sendgrid": "e-mail", "statuspage": "status page", "pagerduty schedules": "PagerDuty schedules"}
"""Integrations that are not called by their vendor: another one can serve, or it is a part of what the vendor does."""


def why_off(settings: Settings) -> dict[str, str]:
    """Return the reason of each integration that is off, by its name in the settings."""
    return {
        found.name: f"{_label(found.name)} not configured ({found.reason.removeprefix('error: ')})"
        for found in settings.integrations()
        if not found.on
    }


def _label(name: str) -> str:
    known = DISPLAY_NAMES.get(name.replace(" ", "_"), name)
    return _CAPABILITIES.get(name, known).removeprefix("the ")
