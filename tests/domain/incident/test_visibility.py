"""24: a private incident takes commands from its channel and from those who may see it, from no one else."""

import pytest

from incidents.domain.apply_command import apply_command
from incidents.domain.core.base import PrivateIncident
from incidents.domain.core.command import Origin
from incidents.domain.incident.commands import Acknowledge, AddNote, MakePrivate, Resolve
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.visibility import REFUSAL
from tests.support.incidents import RUNBOOK, T0, opened

CHANNEL = "C0PRIVATE"
HERE = Origin(channel_id=CHANNEL)


@pytest.fixture
def private() -> Incident:
    """A private incident that ann has acknowledged, in its channel."""
    incident = opened()
    for command in (Acknowledge(by="ann"), MakePrivate(by="ann", reason="keys leaked")):
        incident = apply_command(incident, command, RUNBOOK, T0)
    return incident.replace(resources=incident.resources.replace(channel_id=CHANNEL))


def note(by: str, origin: Origin | None) -> AddNote:
    return AddNote(by=by, text="x", id="1", origin=origin)


@pytest.mark.parametrize(
    ("by", "origin"),
    [
        ("eve", None),
        ("eve", HERE),
        ("ann", Origin()),
        ("Ann", Origin(channel_id="C0OTHER")),
        ("bot", HERE.replace(by_person=False)),
    ],
)
def test_24_who_may_see_it_may_act(private: Incident, by: str, origin: Origin | None) -> None:
    assert apply_command(private, note(by, origin), RUNBOOK, T0).timeline[-1].text == "x"


@pytest.mark.parametrize(
    ("by", "origin"),
    [("eve", Origin()), ("eve", Origin(channel_id="C0OTHER")), ("ann", Origin(by_person=False))],
)
def test_24_anyone_else_is_refused_before_anything_else_is_told(private: Incident, by: str, origin: Origin) -> None:
    incident = private.replace(handled=("1",))
    for command in (note(by, origin), Resolve(by=by, origin=origin)):
        with pytest.raises(PrivateIncident) as refusal:
            apply_command(incident, command, RUNBOOK, T0)
        assert str(refusal.value) == REFUSAL


def test_24_without_a_channel_no_channel_is_its_own(private: Incident) -> None:
    without = private.replace(resources=private.resources.replace(channel_id=None))
    with pytest.raises(PrivateIncident):
        apply_command(without, note("eve", Origin(channel_id="")), RUNBOOK, T0)


def test_24_everyone_may_act_on_what_is_not_private() -> None:
    assert apply_command(opened(), note("eve", Origin(by_person=False)), RUNBOOK, T0).timeline[-1].text == "x"
