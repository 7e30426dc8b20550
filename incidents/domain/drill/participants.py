"""Who takes part in a drill."""

from incidents.domain.config.model import RunbookConfig


def participant_addresses(runbook: RunbookConfig) -> tuple[str, ...]:
    """Return the e-mail addresses of the participants, as far as they have one."""
    found = (runbook.contacts[name].email for name in runbook.drill.participants)
    return tuple(dict.fromkeys(email for email in found if email))
