"""The severities where a responder chooses one: their definitions, and which one was typed."""

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.severity import Severity
from incidents.domain.core.text.untrusted import one_line


def severity_guide(runbook: RunbookConfig) -> list[str]:
    """Return one line for each severity, worst first: `P0 Critical: …`."""
    return [
        f"{severity} {policy.name}: {' '.join(policy.definition.split())}"
        for severity, policy in runbook.severities.items()
    ]


def parse_severity(typed: str, runbook: RunbookConfig) -> Severity:
    """Return the severity that a person typed, as the runbook spells it.

    Raises:
        ValueError: the runbook has none of that name. The message is one line, with their definitions.
    """
    known = runbook.severity_named(typed)
    if known is None:
        names = ", ".join(runbook.severity_names)
        guide = " ".join(severity_guide(runbook))
        raise ValueError(f"no severity {one_line(typed, 40)!r}, the runbook has {names}. {guide}")
    return known
