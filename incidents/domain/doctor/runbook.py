"""What `incident check` says of runbook.yaml, as findings."""

from collections.abc import Sequence

from incidents.domain.doctor.finding import Finding, error, ok, warning

RUNBOOK = "runbook"


def check_runbook_file(faults: Sequence[str], pager: str, warnings: Sequence[str]) -> list[Finding]:
    """Return one finding for each fault, and one for all warnings. `pager`: nobody can be paged."""
    found = [error(RUNBOOK, fault, "Correct it (`incident check`), and restart the workers") for fault in faults]
    if pager:
        found.append(error(RUNBOOK, pager, "Set it, and restart worker and gateway"))
    if warnings:
        first, count = warnings[0], len(warnings)
        what = first if count == 1 else f"{count} warnings"
        found.append(warning(RUNBOOK, what, "`incident check` lists them"))
    return found or [ok(RUNBOOK, "valid")]
