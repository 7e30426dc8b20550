"""What people type for an incident."""

import pytest

from incidents.client.references import Choice, InvalidReference, Reference, parse_reference


@pytest.mark.parametrize("typed", ["42", "INC-42", "inc-42", "#42", " 42 ", "042"])
def test_a_number_is_typed_as_people_write_it(typed: str) -> None:
    assert parse_reference(typed) == Reference(number=42)


@pytest.mark.parametrize(
    ("typed", "choice"), [("latest", Choice.LATEST), ("Latest", Choice.LATEST), (".", Choice.ONLY)]
)
def test_a_choice_among_the_open_incidents(typed: str, choice: Choice) -> None:
    assert parse_reference(typed) == Reference(choice=choice)


@pytest.mark.parametrize("typed", ["incident-flag-evaluation:production", "incident-42", "rollback-eu-001-api"])
def test_everything_else_is_a_workflow_id(typed: str) -> None:
    assert parse_reference(f" {typed} ") == Reference(workflow_id=typed)


@pytest.mark.parametrize("typed", ["", " ", "#", "INC-", "INC-4x", "inc42", "#4a", "42a", "4 2", "-1 2", "1" * 10])
def test_what_is_meant_as_a_number_and_is_none_is_refused(typed: str) -> None:
    with pytest.raises(InvalidReference, match=r"is not an incident. Use 42, INC-42, #42, latest, \. "):
        parse_reference(typed)
