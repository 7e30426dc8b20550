"""110: who may send which command, and what a runbook may say of it."""

from typing import Any

import pytest
import yaml

from incidents.domain.adoption.adoption import AdoptRunbook
from incidents.domain.apply_command import COMMANDS as INCIDENT_COMMANDS
from incidents.domain.apply_event import unauthorized
from incidents.domain.config.loading import parse_runbook
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.errors import RunbookError
from incidents.domain.core.timeline import Kind
from incidents.domain.people.permissions import COMMANDS, EVERYONE, Permissions
from incidents.domain.postmortem.commands import POSTMORTEM_COMMANDS
from tests.support.incidents import RUNBOOK, TEXT, at, opened

GROUPS = {"sre": ("ann", "bob"), "leads": ("cleo",)}
RULES = Permissions(groups=GROUPS, commands={"approve": ("sre",), "cancel": ("leads", "ann")})


@pytest.mark.parametrize(
    ("update", "by", "why"),
    [
        ("approve_rollback", "ann", ""),
        ("approve_rollback", "Bob", ""),
        ("approve_rollback", "cleo", "cleo is not authorized to approve. Authorized: sre (ann, bob)."),
        ("cancel", "cleo", ""),
        ("cancel", "ann", ""),
        ("cancel", "bob", "bob is not authorized to cancel. Authorized: leads (cleo), ann."),
        ("cancel", "leads", "leads is not authorized to cancel. Authorized: leads (cleo), ann."),
        ("acknowledge", "zoe", ""),
    ],
)
def test_110_a_restricted_command_names_who_is_authorized(update: str, by: str, why: str) -> None:
    assert RULES.refusal(update, by) == why
    assert EVERYONE.refusal(update, by) == ""


def test_110_each_command_of_an_incident_and_of_its_postmortem_can_be_restricted() -> None:
    named = [update for updates in COMMANDS.values() for update in updates]
    known = {command.name for command in (*INCIDENT_COMMANDS, *POSTMORTEM_COMMANDS)} | {AdoptRunbook.name}
    assert (set(named), len(named)) == (known, len(set(named)))


def test_110_the_shipped_runbook_restricts_nothing() -> None:
    assert RUNBOOK.people.authorized == EVERYONE


def runbook_with(**people: Any) -> RunbookConfig:
    data = yaml.safe_load(TEXT)
    data["people"] |= {"directory": {"ann": {}, "bob": {}}} | people
    if people.get("two_people"):
        del data["people"]["two_people"]
        data["severities"]["P0"]["rollback"] = "two_people"
    return parse_runbook(yaml.safe_dump(data, sort_keys=False))


def test_110_groups_and_people_are_named() -> None:
    rules = runbook_with(groups={"sre": ["ann"]}, permissions={"approve": ["sre", "bob"]}).people.authorized
    assert rules == Permissions(groups={"sre": ("ann",)}, commands={"approve": ("sre", "bob")})


@pytest.mark.parametrize(
    ("people", "fault"),
    [
        ({"groups": {"sre": ["zoe"]}}, "people.groups.sre.0: 'zoe' is not in people.directory: ann, bob"),
        ({"groups": {"sre": []}}, "people.groups.sre: this group has no members"),
        ({"groups": {"ann": ["bob"]}}, "people.groups.ann: 'ann' is also a person of the directory"),
        ({"permissions": {"aprove": ["ann"]}}, "people.permissions.aprove: 'aprove' is not a command: ack, assess,"),
        (
            {"permissions": {"approve": ["sres"]}},
            "people.permissions.approve.0: 'sres' is neither a group nor a person; groups: none; people: ann, bob",
        ),
        ({"permissions": {"approve": []}}, "people.permissions.approve: nobody could send this command"),
        (
            {"two_people": True, "permissions": {"approve": ["ann"], "rollback": ["ann"]}},
            "people.permissions.approve: a severity has `rollback: two_people`, and only one person could approve",
        ),
    ],
)
def test_110_a_name_that_refers_to_nothing_is_one_clear_line(people: dict[str, Any], fault: str) -> None:
    with pytest.raises(RunbookError) as error:
        runbook_with(**people)
    [line] = str(error.value).splitlines()
    assert fault in line


def test_110_two_people_need_a_directory_to_be_told_apart() -> None:
    with pytest.raises(RunbookError) as error:
        runbook_with(two_people=True, directory={})
    [line] = str(error.value).splitlines()
    assert line.endswith(
        "severities.P0.rollback: `two_people` needs people.directory, or one person with two names could approve twice"
    )


def test_110_two_people_who_can_approve_are_enough() -> None:
    rules = {"approve": ["ann"], "rollback": ["ann", "bob"]}
    assert runbook_with(two_people=True, permissions=rules).people.permissions["approve"] == ("ann",)


def test_110_permissions_are_todays_and_no_part_of_a_workflows_input() -> None:
    runbook = runbook_with(groups={"sre": ["ann"]}, permissions={"approve": ["sre"]})
    received = RunbookConfig.model_validate_json(runbook.model_dump_json())
    assert received.people.authorized == EVERYONE


def test_110_a_refusal_is_an_entry_of_the_timeline_and_the_same_again_is_none() -> None:
    incident = opened()
    once = unauthorized(incident, "approve", "zoe", "zoe is not authorized to approve.", at(1))
    entry = once.timeline[-1]
    assert (entry.kind, entry.actor, entry.text, entry.announce) == (
        Kind.REFUSED,
        "zoe",
        "approve refused: zoe is not authorized to approve.",
        False,
    )
    assert unauthorized(once, "approve", "zoe", "zoe is not authorized to approve.", at(2)) == once
    assert len(unauthorized(once, "cancel", "zoe", "no", at(2)).timeline) == len(once.timeline) + 1
