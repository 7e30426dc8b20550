"""What `incident --help` lists: each subcommand with its module, and what its docstring says first.

The texts stand here, too, so that help imports no subcommand; tests/cli/test_startup.py compares them.
"""

_COMMANDS = "incidents.cli.commands"
SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "See": {
        "list": (f"{_COMMANDS}.listing", "List open incidents, newest first."),
        "status": (f"{_COMMANDS}.status", "Show how each open incident stands, and what is due next."),
        "show": (f"{_COMMANDS}.queries", "Show people, checklist, what is up next, and timeline."),
        "watch": (f"{_COMMANDS}.queries", "Watch an incident live, with countdowns."),
        "timeline": (f"{_COMMANDS}.timeline", "Print the timeline (UTC), oldest first."),
        "similar": (f"{_COMMANDS}.listing", "List incidents with the same alert, bad release or service."),
    },
    "Respond": {
        "open": (f"{_COMMANDS}.opening", "Open an incident by hand."),
        "ack": (f"{_COMMANDS}.response", "Acknowledge and stop paging."),
        "assess": (f"{_COMMANDS}.response", "Record the customer impact (blast radius)."),
        "severity": (f"{_COMMANDS}.response", "Set or confirm the severity."),
        "role": (f"{_COMMANDS}.response", "Assign, hand over or unassign a role."),
        "escalate": (f"{_COMMANDS}.response", "Escalate to the next rung of the ladder now."),
        "note": (f"{_COMMANDS}.response", "Add a note to the timeline and the channel."),
        "step": (f"{_COMMANDS}.response", "Retry, skip or complete a failed step."),
        "merge": (f"{_COMMANDS}.merging", "Merge this incident into another; its later alerts follow."),
        "unmerge": (f"{_COMMANDS}.merging", "Undo a merge; the incident is reopened."),
    },
    "Inform customers": {
        "update": (f"{_COMMANDS}.response", "Publish a status update now, or save it for the next one."),
        "hold": (f"{_COMMANDS}.response", "Hold the next status update, once."),
        "private": (f"{_COMMANDS}.response", "Make the incident private: no more public updates."),
        "confirm": (f"{_COMMANDS}.response", "Record whether service is restored for a customer, or for you."),
    },
    "Roll back": {
        "candidates": (f"{_COMMANDS}.rollback", "Show rollback candidates, selected and skipped, with reasons."),
        "rollback": (f"{_COMMANDS}.rollback", "Roll back now: the offered rollback, or a new candidate."),
        "approve": (f"{_COMMANDS}.rollback", "Approve the offered rollback."),
        "decline": (f"{_COMMANDS}.rollback", "Decline the offered rollback, or leave a failed one as it is."),
        "verdict": (f"{_COMMANDS}.rollback", "Decide an inconclusive rollback as healthy or unhealthy."),
        "flag": (f"{_COMMANDS}.rollback", "Flag a release as bad."),
    },
    "End": {
        "monitor": (f"{_COMMANDS}.response", "Mark as mitigated and start the stability window."),
        "resolve": (f"{_COMMANDS}.response", "Resolve the incident, or once a running rollback is verified."),
        "reopen": (f"{_COMMANDS}.response", "Reopen a resolved incident."),
        "cancel": (f"{_COMMANDS}.response", "Cancel as a false alarm."),
    },
    "Afterwards": {
        "postmortem": (f"{_COMMANDS}.postmortem", "Write, publish and follow up the post-mortem."),
        "evidence": (f"{_COMMANDS}.evidence", "List and verify an incident's evidence."),
        "correct": (f"{_COMMANDS}.response", "Correct a recorded time."),
        "review-drill": (f"{_COMMANDS}.response", "Record the review of a drill."),
        "drill": (f"{_COMMANDS}.drill", "Play a drill, and show how it went."),
        "report": (f"{_COMMANDS}.report", "Report MTTD, MTTA, MTTM, MTTR and SLA attainment for a period."),
        "backfill": (f"{_COMMANDS}.backfill", "Record a past incident."),
    },
    "Plan": {
        "init": (f"{_COMMANDS}.operating.init", "Write runbook.yaml and .env for your company."),
        "explain": (f"{_COMMANDS}.foresight.explain", "Explain in plain words what the runbook does for a severity."),
        "check": (
            f"{_COMMANDS}.foresight.check",
            "Validate runbook.yaml: errors and warnings, by line.",
        ),
        "whatif": (f"{_COMMANDS}.foresight.whatif", "Show how an incident would have gone under another runbook."),
        "adopt": (f"{_COMMANDS}.foresight.adopt", "Move a running incident to the runbook as it is now."),
        "plan": (f"{_COMMANDS}.foresight.plan", "Show what the runbook will do if nobody acts."),
        "rehearse": ("incidents.rehearsal.command", "Rehearse a scenario: the real program, in virtual time."),
    },
    "Operate": {
        "maintenance": (f"{_COMMANDS}.operating.maintenance", "Start, list and end maintenance windows."),
        "token": (f"{_COMMANDS}.operating.token", "Create, list and revoke tokens of the gateway's API."),
        "keys": (f"{_COMMANDS}.operating.keys", "Make keys that encrypt what Temporal stores."),
        "alert": (f"{_COMMANDS}.alert", "Try an alert payload: what it would do, and why."),
        "doctor": (
            f"{_COMMANDS}.operating.doctor",
            "Check Temporal, workers, integrations and runbook.",
        ),
        "stuck": (
            f"{_COMMANDS}.operating.stuck",
            "List workflows that are stuck or have a paused activity.",
        ),
        "reset": (f"{_COMMANDS}.operating.stuck", "Reset a stuck workflow to the last replayable point."),
    },
}
"""By section, in the order in which they are listed: name, module and help."""
GROUPS = ("alert", "drill", "evidence", "keys", "maintenance", "postmortem", "token")
"""Those that are groups of further subcommands."""
SUBCOMMANDS = {name: found for section in SECTIONS.values() for name, found in section.items()}
"""All of them, by name: module and help."""
