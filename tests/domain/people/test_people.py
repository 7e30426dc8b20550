"""95: one person, many names; and 98, a role without a name."""

import pytest
from pydantic import ValidationError

from incidents.domain.apply_command import apply_command
from incidents.domain.config.communication import People
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import CommandRejected
from incidents.domain.incident import commands as c
from incidents.domain.paging.state import OnCall
from incidents.domain.people.config import DirectoryEntry
from incidents.domain.people.directory import PeopleDirectory
from tests.support.incidents import RUNBOOK, at, opened

ANN = DirectoryEntry(
    email="ann@example.com", slack="U0ANN", github="ann-dev", pagerduty="PANN", aliases=("Ann Lee", "alee")
)
PEOPLE = PeopleDirectory({"ann": ANN, "bob": DirectoryEntry(github="bobby")})


@pytest.mark.parametrize(
    "said",
    [
        "ann",
        "Ann",
        "@ann",
        "<@U0ANN>",
        "<@U0ANN|al>",
        "U0ANN",
        "ANN@example.com",
        "@ann-dev",
        "PANN",
        "ann lee",
        "alee",
    ],
)
def test_95_every_name_of_a_person_is_that_person(said: str) -> None:
    assert PEOPLE.resolve(said) == "ann"


def test_95_an_id_counts_more_than_a_name_and_the_unknown_stay_as_they_are() -> None:
    assert PEOPLE.resolve("bob", "U0ANN") == "ann"
    assert PEOPLE.resolve("zoe", "U0ZOE") == "zoe"
    assert PEOPLE.resolve("<@U0ZOE|zoe>") == "zoe"
    assert PEOPLE.resolve("", "U0ZOE") == "U0ZOE"
    assert PEOPLE.resolve("@", "U0ZOE") == "U0ZOE"
    assert PEOPLE.resolve("@") == "@"
    assert PEOPLE.emails(("ann", "bob", "zoe")) == ("ann@example.com",)
    assert PEOPLE.logins(("ann", "bob", "zoe")) == ("ann-dev", "bobby")


def test_110_a_user_who_takes_the_name_of_a_person_is_not_that_person() -> None:
    assert PEOPLE.resolve("ann", "U0EVIL") == "U0EVIL"
    assert PEOPLE.resolve("Ann Lee", "U0EVIL") == "U0EVIL"
    assert PEOPLE.resolve("bob", "U0BOB") == "bob", "the directory has no id for bob"
    assert PEOPLE.resolve("ann", "PANN") == "ann"


def test_95_the_directory_is_never_part_of_a_workflows_input_only_its_names_are() -> None:
    people = People.model_validate({"directory": {"ann": ANN.model_dump(), "bob": {}}})
    assert people.directory["ann"].email == "ann@example.com"
    sent = RUNBOOK.replace(people=people).model_dump_json()
    assert "ann@example.com" not in sent
    assert "U0ANN" not in sent
    received = RunbookConfig.model_validate_json(sent)
    assert (received.people.directory, received.people.names) == ({}, ("ann", "bob"))


def test_95_two_people_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="'u0ann' is both ann and eve"):
        People.model_validate({"directory": {"ann": {"slack": "U0ANN"}, "eve": {"aliases": ["u0ann"]}}})
    with pytest.raises(ValidationError, match="slack"):
        People.model_validate({"directory": {"ann": {"slack": "<!channel>"}}})


def test_95_the_assignee_of_a_role_is_mentioned() -> None:
    command = c.AssignRole(by="ann", role=c.Role.COMMANDER, person="bob")
    entry = apply_command(opened(), command, RUNBOOK, at(1)).timeline[-1]
    assert (entry.text, entry.mentions, entry.announce) == ("Commander: bob", ("bob",), True)


def test_95_a_role_can_come_from_the_schedule() -> None:
    contacts = dict(RUNBOOK.contacts)
    contacts["on_call"] = contacts["on_call"].replace(schedule="PSCHED")
    runbook = RUNBOOK.replace(contacts=contacts)
    command = c.AssignRole(by="ann", role=c.Role.COMMANDER, person="on_call")
    with pytest.raises(CommandRejected, match="has not been read, or is empty"):
        apply_command(opened(), command, runbook, at(1))
    known = opened().replace(
        paging=opened().paging.replace(on_call=(OnCall(contact="on_call", at=at(0), name="Carol"),))
    )
    assert apply_command(known, command, runbook, at(1)).roles.commander == "Carol"
    assert apply_command(known, command, RUNBOOK, at(1)).roles.commander == "on_call", "no schedule: a name as any"


def test_98_a_role_without_a_name_is_refused_and_laying_it_down_is_explicit() -> None:
    bob = apply_command(opened(), c.AssignRole(by="ann", role=c.Role.COMMANDER, person="bob"), RUNBOOK, at(1))
    with pytest.raises(CommandRejected, match="Who is commander"):
        apply_command(bob, c.AssignRole(by="bob", role=c.Role.COMMANDER), RUNBOOK, at(2))
    nobody = apply_command(bob, c.AssignRole(by="bob", role=c.Role.COMMANDER, unassign=True), RUNBOOK, at(2))
    assert nobody.roles.commander == ""
    assert nobody.timeline[-1].text == "Incident commander unassigned (was bob)"
