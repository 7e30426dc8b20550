"""Who may send which command (behavior 110). Everyone may send what the runbook does not restrict.

People are known here by their names in the directory: names are resolved where a command comes in.
"""

from collections.abc import Iterator, Mapping

from incidents.domain.core.base import Frozen

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "ack": ("acknowledge",),
    "assess": ("assess",),
    "severity": ("declare_severity",),
    "role": ("assign_role",),
    "escalate": ("escalate",),
    "note": ("add_note",),
    "step": ("settle_step",),
    "merge": ("merge",),
    "unmerge": ("unmerge",),
    "update": ("post_update",),
    "hold": ("hold_update",),
    "private": ("make_private",),
    "confirm": ("confirm_recovery",),
    "rollback": ("request_rollback",),
    "approve": ("approve_rollback",),
    "decline": ("decline_rollback",),
    "verdict": ("judge_rollback",),
    "flag": ("flag_release",),
    "monitor": ("monitor",),
    "resolve": ("resolve",),
    "reopen": ("reopen",),
    "cancel": ("cancel",),
    "correct": ("correct_time",),
    "review-drill": ("review_drill",),
    "adopt": ("adopt_runbook",),
    "postmortem": (
        "start_postmortem",
        "edit",
        "replace",
        "add_line",
        "set_action_item",
        "settle_action_item",
        "assign",
        "submit",
        "publish",
        "waive",
        "record_review",
    ),
}
"""What runbook.yaml, the command line, the chat and the API call each command, and the names of its updates.

Opening an incident is not among them: an incident that nobody was allowed to open is one that nobody works on.
"""
_SHORT = {update: command for command, updates in COMMANDS.items() for update in updates}


def name_of(update: str) -> str:
    """Return what runbook.yaml calls the command with that update."""
    return _SHORT.get(update, update)


class Permissions(Frozen):
    """Groups of people, and who may send each restricted command: groups, and people by name."""

    groups: dict[str, tuple[str, ...]] = {}
    commands: dict[str, tuple[str, ...]] = {}

    def refusal(self, update: str, by: str) -> str:
        """Return why that person may not send that command, naming who may; "" if they may.

        Args:
            update: the name of the command's update, such as `approve_rollback`.
            by: the person's name in the directory.
        """
        command = name_of(update)
        allowed = self.commands.get(command)
        if allowed is None or by.casefold() in {person.casefold() for person in self._people(allowed)}:
            return ""
        return f"{by} is not authorized to {command}. Authorized: {', '.join(map(self._shown, allowed))}."

    def _people(self, allowed: tuple[str, ...]) -> Iterator[str]:
        for name in allowed:
            yield from self.groups.get(name, (name,))

    def _shown(self, name: str) -> str:
        return f"{name} ({', '.join(self.groups[name])})" if name in self.groups else name


EVERYONE = Permissions()
"""Of a runbook that restricts no command."""
