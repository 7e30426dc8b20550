"""What `incident --help` lists: each subcommand with its module, and what its docstring says first.

The texts stand here, too, so that help imports no subcommand; tests/cli/test_startup.py compares them.
"""

from typing import Any

PLAIN: dict[str, Any] = {"rich_markup_mode": None}
"""Settings of each group of subcommands: Rich's help costs a tenth of a second at every start."""
SUBCOMMANDS: dict[str, dict[str, str]] = {
    "incidents.cli.listing": {
        "list": "List open incidents, newest first.",
    },
    "incidents.cli.commands.queries": {
        "show": "Show people, checklist, what is up next, and timeline.",
        "watch": "Watch an incident live, with countdowns.",
        "timeline": "Print the timeline (UTC), oldest first.",
        "check": "Validate runbook.yaml; lists each error with line and field.",
    },
    "incidents.cli.commands.response": {
        "ack": "Acknowledge and stop paging.",
        "correct": "Correct a recorded time.",
        "assess": "Record the customer impact (blast radius).",
        "severity": "Set or confirm the severity.",
        "update": "Publish a status update now, or save it for the next one.",
        "hold": "Hold the next status update, once.",
        "escalate": "Escalate to the next rung of the ladder now.",
        "role": "Assign, hand over or unassign a role.",
        "private": "Make the incident private: no more public updates.",
        "note": "Add a note to the timeline and the channel.",
        "step": "Retry, skip or complete a failed step.",
        "confirm": "Record whether service is restored for a customer, or for you.",
        "monitor": "Mark as mitigated and start the stability window.",
        "resolve": "Resolve the incident.",
        "reopen": "Reopen a resolved incident.",
        "cancel": "Cancel as a false alarm.",
    },
    "incidents.cli.commands.rollback": {
        "rollback": "Roll back now: the offered rollback, or a new candidate.",
        "approve": "Approve the offered rollback.",
        "decline": "Decline the offered rollback, or leave a failed one as it is.",
        "verdict": "Decide an inconclusive rollback as healthy or unhealthy.",
        "flag": "Flag a release as bad.",
        "candidates": "Show rollback candidates, selected and skipped, with reasons.",
    },
    "incidents.cli.commands.report": {
        "report": "Report MTTA, MTTM, MTTR and SLA attainment for a period.",
    },
    "incidents.cli.commands.backfill": {
        "backfill": "Record a past incident.",
    },
    "incidents.cli.commands.operating.stuck": {
        "stuck": "List workflows whose workflow task fails or is not picked up.",
        "reset": "Reset a stuck workflow to the last replayable point.",
    },
}
"""By module, in the order in which they are listed: name and help."""
GROUPS: dict[str, tuple[str, str]] = {
    "evidence": ("incidents.cli.evidence", "List and verify an incident's evidence."),
    "postmortem": ("incidents.cli.commands.postmortem", "Write, publish and follow up the post-mortem."),
}
"""Groups of further subcommands: module and help."""
