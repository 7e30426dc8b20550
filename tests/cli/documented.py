"""How each documented command is run: on which incident, with what in place of what only a reader has."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.cli import situations as on
from tests.cli.conftest import Opened, Stage

NOW = "now"
"""A value: the time at which the command is run."""
IN_A_MONTH = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
TOMORROW = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
NUMBERS = frozenset({"42", "43", "7", "1", "2", "<n>", ".", "latest", "57:3f2a9c01b4de99aa", "1f2e3d4c"})
"""Words of the documents that stand for a number of the reader's."""
Situation = Callable[[Stage], Opened | tuple[str, ...]]


@dataclass(frozen=True)
class Run:
    """How a command is run.

    `says`: a part of its output; `{2}` is the third word of the command. `about`: the incident, or what else it needs.
    `status`: its exit status, as the documents have it. `values`: the value of an option that only a reader knows.
    `runbook`: the one in its folder, by its path in this repository; "": none. `stdin`: the file that it reads.
    """

    says: str = ""
    about: Situation = on.acknowledged
    status: int = 0
    values: Mapping[str, str] = field(default_factory=dict)
    runbook: str = "runbook.yaml"
    stdin: str = ""


SHOP = "docs/examples/web-shop/runbook.yaml"
SHARED = (on.acknowledged, on.resolved, on.closed)
"""Situations that the commands about them leave as they are, or that serve although they do not."""

TABLE: Mapping[str, Run] = {
    "ack": Run("cknowledged by "),
    "adopt": Run("Runbook replaced: "),
    "alert test": Run("TRIAGE: Opens a P", on.no_window),
    "alert test -": Run("Open incidents and started windows are unknown: --offline", stdin="alert.json"),
    "approve": Run("Rollback of eu-001 approved by ", on.offered),
    "assess": Run("Assessed as "),
    "backfill": Run(
        "Recorded as incident-backfill/",
        values={"--started": "2026-11-23T14:02:00Z", "--resolved": "2026-11-23T15:10:00Z"},
    ),
    "cancel": Run("Cancelled: broken probe", on.fresh),
    "candidates": Run("suspect", on.offered),
    "check": Run("is valid"),
    "check --strict": Run("is valid", status=1),
    "check --strict --json": Run('"valid": true', status=1),
    "confirm": Run("{3}: service is "),
    "correct": Run("Corrected started time: ", on.fresh),
    "correct 42 mitigated": Run("Corrected mitigated time: ", on.mitigated, values={"mitigated": NOW}),
    "decline": Run("Rollback of eu-001 declined by ", on.offered),
    "doctor": Run("NOBODY CAN BE PAGED", status=1),
    "drill score": Run("DRILL", on.drill),
    "drill start": Run("Drill started: "),
    "drill stop": Run("nothing more is played", on.playing),
    "escalate": Run("Escalated to ", on.fresh),
    "evidence list": Run("No evidence saved yet"),
    "explain": Run("On-call engineer is paged at once"),
    "flag": Run("{2} flagged as bad: {4}"),
    "hold": Run("Update 2 held until ", on.fresh),
    "init": Run("Wrote runbook.yaml and .env.", stdin="answers.txt", runbook=""),
    "keys new": Run("{2}:"),
    "list": Run("flag-evaluation"),
    "list --overdue": Run("No overdue post-mortems."),
    "maintenance end": Run(" ended.", on.window),
    "maintenance list": Run("dashboard", on.window),
    "maintenance start": Run("Maintenance window "),
    "maintenance start --until": Run("Maintenance window ", values={"--until": TOMORROW}),
    "merge": Run("Merged into INC-", on.pair),
    "monitor": Run("Monitoring: {2}", on.fresh),
    "note": Run("{2}"),
    "open": Run("opened: {5} {3}: {1}", runbook=SHOP),
    "open 'Slow exports'": Run("opened: {5} {3}: {1}"),
    "plan": Run("T+0:00    Page the engineer on call"),
    "plan P0 --all": Run("T+0:00     Page the engineer on call"),
    "plan P0 --diff": Run("T+0:45 → T+0:30 (15m earlier)", status=1),
    "plan all --diff git:main": Run("No difference."),
    "plan P0 --format html": Run("<table"),
    "plan P1 --format html": Run("<table"),
    "postmortem action 42 --done 1": Run("done", on.with_item),
    "postmortem action": Run("Added action item ", on.resolved, values={"--owner": "cto", "--due": IN_A_MONTH}),
    "postmortem assign": Run("Owner: {3}", on.resolved),
    "postmortem better": Run("Added to better", on.resolved),
    "postmortem edit": Run("Edited summary, cause", on.resolved),
    "postmortem edit 42 --file": Run("Replaced the document", on.resolved),
    "postmortem publish": Run("Published: ", on.written),
    "postmortem review": Run("Reviewed: {4}", on.published),
    "postmortem show": Run("Post-mortem of INC-", on.resolved),
    "postmortem start": Run("The post-mortem is started", on.fresh),
    "postmortem submit": Run("Submitted", on.written),
    "postmortem waive": Run("Waived: {4}", on.written),
    "postmortem well": Run("Added to well", on.resolved),
    "postmortem why": Run("Added to whys", on.resolved),
    "postmortem why 42 'No test covers old SDKs.' --root-cause": Run("Edited root cause", on.resolved),
    "private": Run("Made private: suspected intrusion", on.fresh),
    "rehearse": Run("expectations met"),
    "rehearse --list": Run("01-critical"),
    "reopen": Run("Reopened: errors are back", on.resolved_anew),
    "report": Run("ncidents from "),
    "resolve": Run("Resolved: ", on.quiet),
    "resolve 42 --force": Run("Forced resolution with 1 alert(s) firing: {4}", on.fresh),
    "review-drill": Run("Drill review: {2}", on.ended_drill),
    "role": Run("{3}"),
    "role 42 scribe --unassign": Run("Scribe unassigned (was sue)", on.with_scribe),
    "rollback": Run("Rollback", on.offered),
    "rollback 42 --to": Run("Rollback to v2.14.0 requested by "),
    "rollback 42 --forward": Run("Rolling us-001 forward to ", on.unhelpful),
    "severity 42": Run("P0 Critical: "),
    "severity 42 P1": Run("Severity P0 → P1 (one region only)", on.fresh),
    "show": Run("Timeline (UTC)"),
    "similar": Run("same alert", on.come_back),
    "status": Run("INC-"),
    "step": Run("channel: ", on.step_failed),
    "stuck": Run("No stuck workflows."),
    "stuck --json": Run("[]"),
    "timeline": Run("ann"),
    "timeline 42 --since 14:05 --follow": Run("Cancelled: broken probe", on.closed),
    "timeline 42 --public": Run("Update 1 (investigating; "),
    "timeline 42 --verify": Run("Timeline OK: "),
    "timeline 42 --verify --head": Run("Timeline OK: ", on.with_head),
    "token create": Run("The token, shown only now:\nincident_"),
    "token revoke": Run("Revoked: ", on.token),
    "token list": Run("There are no tokens"),
    "unmerge": Run("Reopened: ", on.merged),
    "update": Run("Update "),
    "update 42 'A fix is being tested.' --next": Run("Saved for the next status update: "),
    "update 42 'The fix is out.' --next": Run("Saved for the next status update: "),
    "verdict": Run(" judged us-001 healthy", on.inconclusive),
    "watch": Run("cancelled", on.closed),
    "whatif": Run("INC-", on.closed),
}
"""By the first words of the command; the longest that fit count."""

_STUCK = "tests/cli/commands/operating/test_stuck.py"
RUN_ELSEWHERE: Mapping[str, str] = {
    "evidence verify": "tests/cli/test_archive.py::test_the_archive_is_verified_and_listed",
    "rehearse all": "tests/rehearsal/test_shipped.py::test_each_shipped_scenario_meets_its_expectations",
    "reset": f"{_STUCK}::test_a_stuck_incident_is_noticed_once_and_goes_on_after_a_reset",
}
"""What is run by another test, since it needs a stuck workflow, an archive, or a minute."""


def entry_of(words: Sequence[str], table: Mapping[str, object]) -> str:
    """The entry of the table with the most words that the command begins with; "" if there is none."""
    found = [key for key in table if list(words[: len(parts := shlex.split(key))]) == parts]
    return max(found, key=len, default="")


def filled(words: Sequence[str], numbers: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """The command with a reader's numbers, in their order, and values."""
    left = iter(numbers)
    typed = [next(left, word) if word in NUMBERS else word for word in words]
    typed = [values.get(before, word) for before, word in zip(["", *typed], typed, strict=False)]
    return [f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}" if word is NOW else word for word in typed]
