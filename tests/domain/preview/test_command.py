"""What is said of a command before it is sent is what it does."""

import pytest

from incidents.domain.apply_command import apply_command
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.incident import commands
from incidents.domain.preview.command import preview_command
from tests.support.incidents import RUNBOOK, at, opened, settled


def test_an_acknowledgement_ends_what_waits_for_it_and_puts_off_nothing_else() -> None:
    found = preview_command(commands.Acknowledge(by="ann"), opened(), RUNBOOK, at(1))
    assert found.recorded[0] == "Acknowledged by ann"
    assert found.announced
    assert "Page the engineer on call" in found.ended
    assert found.message is None


def test_a_second_answer_ends_nothing() -> None:
    incident = apply_command(opened(), commands.Acknowledge(by="ann"), RUNBOOK, at(1))
    found = preview_command(commands.AddNote(by="ann", text="the cache is empty"), incident, RUNBOOK, at(2))
    assert found.recorded == ("the cache is empty",)
    assert found.ended == (), "that on-call is paged if ann falls silent is put off, and has not ended"


def test_an_update_names_its_words_and_its_readers() -> None:
    found = preview_command(
        commands.PostUpdate(by="ann", text="Half of all evaluations fail."), opened(), RUNBOOK, at(1)
    )
    assert found.message is not None
    assert "Half of all evaluations fail." in found.message.body
    assert any(line.startswith("email: support@") for line in found.audience)
    private = apply_command(opened(), commands.MakePrivate(by="ann", reason="security"), RUNBOOK, at(0))
    hidden = preview_command(
        commands.PostUpdate(by="ann", text="Half of all evaluations fail."), private, RUNBOOK, at(1)
    )
    assert not any(line.startswith("status page") for line in hidden.audience)


def test_an_escalation_says_who_is_called() -> None:
    incident = settled(opened(), at(1))
    found = preview_command(commands.Escalate(by="ann", reason="no one answers"), incident, RUNBOOK, at(2))
    assert "Escalate to Second on-call engineer by page" in found.sent


def test_what_would_be_refused_is_refused_here() -> None:
    incident = apply_command(opened(), commands.Acknowledge(by="ann"), RUNBOOK, at(1))
    with pytest.raises(AlreadyDone):
        preview_command(commands.Acknowledge(by="bob"), incident, RUNBOOK, at(2))
    with pytest.raises(CommandRejected, match="Customers would see a link"):
        preview_command(commands.PostUpdate(by="ann", text="https://x.example"), incident, RUNBOOK, at(2))
