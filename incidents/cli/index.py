"""What `incident --help` lists: each subcommand with its module, and what its docstring says first.

The texts stand here, too, so that help imports no subcommand; tests/cli/test_startup.py compares them.
"""

from typing import Any

PLAIN: dict[str, Any] = {"rich_markup_mode": None}
"""Settings of each group of subcommands: Rich's help costs a tenth of a second at every start."""
SUBCOMMANDS: dict[str, dict[str, str]] = {
    "incidents.cli.listing": {
        "list": "List incidents, the newest first.",
    },
    "incidents.cli.queries": {
        "show": "Show an incident: people, checklist, next obligations, timeline.",
        "watch": "Watch an incident live, with countdowns.",
        "timeline": "Print what happened, in order; times are UTC.",
        "check": "Check the runbook file: every fault with file, line and field.",
    },
    "incidents.cli.commands": {
        "ack": "Take the incident: paging stops.",
        "correct": "Correct a time that was written down wrongly.",
        "assess": "State the blast radius.",
        "severity": "Declare, raise, lower or confirm the severity.",
        "update": "Publish a status update now, or keep its words for the next one.",
        "hold": "Hold the next status update back, once.",
        "escalate": "Call the next person of the escalation ladder now.",
        "role": "Give a role to somebody, or hand it over.",
        "private": "Make it a private incident: nothing of it stands in a public place from now on.",
        "note": "Write a line into the timeline and the channel.",
        "step": "Deal with a step that failed.",
        "confirm": "Record whether service is restored, as a customer or you see it.",
        "monitor": "Say that the incident is mitigated and watched.",
        "resolve": "End the incident.",
        "reopen": "Take a resolved incident up again.",
        "cancel": "Withdraw a false positive.",
    },
    "incidents.cli.rollback": {
        "rollback": "Roll back what is offered, or look again and roll back what is found.",
        "approve": "Approve the rollback that is offered.",
        "decline": "Decline the rollback that is offered, or leave things as they are after one that did not help.",
        "verdict": "Judge a rollback that the probes cannot judge.",
        "flag": "Flag a release as bad: nothing is rolled back to it, in this incident or a later one.",
        "candidates": "Show which deployments were considered for a rollback, and why each was taken or passed over.",
    },
    "incidents.cli.report": {
        "report": "Report on the incidents of a period: how many, how quickly, how punctually, and what became of "
        "the promises.",
    },
    "incidents.cli.backfill": {
        "backfill": "Write an incident down that was over before: it gets a number and counts in reports; nobody is "
        "told of it.",
    },
    "incidents.cli.stuck": {
        "stuck": "List workflows that are stuck: their workflow task fails or waits.",
        "reset": "Restart a stuck workflow from the last point that this code can replay.",
    },
}
"""By module, in the order in which they are listed: name and help."""
GROUPS: dict[str, tuple[str, str]] = {
    "evidence": ("incidents.cli.evidence", "List and verify an incident's evidence."),
    "postmortem": ("incidents.cli.postmortem", "Write, publish and follow up the post-mortem."),
}
"""Groups of further subcommands: module and help."""
