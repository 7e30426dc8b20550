"""The name of a severity. Which ones there are, and their order, `runbook.yaml` says (`RunbookConfig.severities`)."""

import re
from typing import Annotated, Literal

from pydantic import StringConstraints

Severity = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
"""A severity as given: `P0`, `SEV1`. It is checked against the incident's own config where it is used, so
that a record or a command with a name that this config lacks can still be read."""

PagerSeverity = Literal["critical", "error", "warning", "info"]
"""How loud a page is, worst first."""
PublicImpact = Literal["critical", "major", "minor", "none"]
"""The impact of an incident as the status page shows it, worst first."""
ComponentState = Literal["major_outage", "partial_outage", "degraded_performance", "operational"]
"""The state of a component as the status page shows it, worst first."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,19}")


def name_fault(name: str) -> str:
    """Return why `name` cannot be a severity in runbook.yaml, or "". Keys and addresses are made of these names."""
    if _NAME.fullmatch(name):
        return ""
    return f"{name!r}: a severity is a letter, then up to 19 letters, digits, - or _"
