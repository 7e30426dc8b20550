"""The definitions of the severities, shown where a responder chooses one."""

from incidents.domain.config.model import RunbookConfig


def severity_guide(runbook: RunbookConfig) -> list[str]:
    """Return one line for each severity, worst first: `P0 Critical: …`."""
    return [
        f"{severity} {policy.name}: {' '.join(policy.definition.split())}"
        for severity, policy in runbook.severities.items()
    ]
