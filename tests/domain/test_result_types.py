"""Each family of requests has a result type, which mypy, the decoding and the spec hold it to.

The `type: ignore` comments are tests: mypy rejects one that is not needed.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from activities.chat.chat import Chat
from activities.numbers import Numbers
from incidents.domain import apply_result as outcomes
from incidents.domain.activity_requests import AllocateNumber
from incidents.domain.activity_results import ActivityResult, ChannelRead, NumberAllocated, check_family
from incidents.domain.agenda import agenda
from incidents.domain.chat.activity_requests import HearChannel, Invite
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind
from incidents.domain.obligation_spec import ObligationSpec
from incidents.domain.postmortem import events
from incidents.domain.postmortem.obligations import registry as postmortem_registry
from incidents.domain.postmortem.obligations.obligation import Due, PostmortemObligationKind, PostmortemSpec
from incidents.domain.postmortem.obligations.registry import postmortem_agenda
from incidents.domain.postmortem.postmortem import Postmortem, open_postmortem
from incidents.domain.registry import SPECS
from incidents.domain.rollback.activity_requests import CheckRollback
from tests.support.incidents import RUNBOOK, T0, obligation, opened, settled
from workflows.activity_options import ACTIVITIES, _Route, perform

RECORDED: dict[str, Any] = {
    "skipped": None,
    "detail": "as recorded",
    "resources": {"channel_id": "C1"},
    "number": 7,
    "recurrence_of": 3,
    "surge_parent": None,
    "reference": "d3",
    "manifest": {"path": "p", "sha256": "0", "parts": 1, "gaps": 0},
    "on_call": [{"name": "ann", "email": "ann@example.com"}],
    "silences": [{"id": "s", "fingerprint": "f", "until": "2026-11-23T14:00:00Z"}],
    "ended": ["f"],
    "heard_at": "2026-11-23T14:00:00Z",
    "offers": [],
    "text": "edited",
    "digest": "0",
    "issues": [{"number": 1, "state": "closed"}],
    "blast_radius": {"requests": 0.5},
    "sent": 1000,
    "unreached": ["ACME"],
    "go_on_at": 1000,
    "ts": "1700000000.000100",
}
"""A result as histories have it that were recorded when every activity returned one and the same type."""
RESULTS = sorted({kind.result_type() for kind in ACTIVITIES}, key=lambda result: result.__name__)


def build_number(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> AllocateNumber:
    raise NotImplementedError


def apply_reading(
    incident: Incident, obligation: Obligation, result: ChannelRead, runbook: RunbookConfig, at: datetime
) -> Incident:
    raise NotImplementedError


def build_invitation(postmortem: Postmortem, due: Due) -> Invite:
    raise NotImplementedError


def record_reading(postmortem: Postmortem, due: Due, result: ChannelRead) -> Postmortem:
    raise NotImplementedError


def test_mypy_rejects_a_spec_that_applies_another_result_than_its_request_returns() -> None:
    assert ObligationSpec(  # type: ignore[misc]
        ObligationKind.NUMBER,
        (),
        build_request=build_number,
        apply_result=apply_reading,
    )
    assert PostmortemSpec(  # type: ignore[misc]
        PostmortemObligationKind.ANNOUNCE,
        postmortem_registry.SPECS[0].owed,
        build_request=build_invitation,
        apply_result=record_reading,
    )


def test_mypy_rejects_an_activity_that_returns_another_result_than_its_request_declares() -> None:
    assert _Route(AllocateNumber).to(Chat.hear_channel)  # type: ignore[arg-type]
    assert _Route(AllocateNumber).to(Numbers.allocate_number)
    assert _Route(HearChannel).to(Numbers.allocate_number)  # type: ignore[arg-type]


def test_mypy_rejects_a_field_of_another_family() -> None:
    assert ChannelRead(number=1) == ChannelRead()  # type: ignore[call-arg]


async def perform_a_finding(request: CheckRollback) -> None:
    """Never called: mypy rejects to perform what returns no `ActivityResult`."""
    await perform(request, "", 0, timedelta())  # type: ignore[type-var]


def test_a_result_of_another_family_is_an_error() -> None:
    incident, read = opened(), ChannelRead(heard_at=T0)
    with pytest.raises(TypeError, match="apply_number takes NumberAllocated, not ChannelRead"):
        outcomes.fulfilled(incident, obligation(incident, "number"), read, RUNBOOK, T0)
    with pytest.raises(TypeError, match="apply_number takes NumberAllocated, not ActivityResult"):
        outcomes.fulfilled(incident, obligation(incident, "number"), ActivityResult(), RUNBOOK, T0)
    with pytest.raises(TypeError, match=r"apply_findings takes .*LogsQueried, not ChannelRead"):
        outcomes.fulfilled(incident, obligation(incident, "investigate/logs"), read, RUNBOOK, T0)
    postmortem = open_postmortem(incident.replace(number=1), RUNBOOK, T0)
    write = next(owed for owed in postmortem_agenda(postmortem, RUNBOOK) if owed.key == "write/1")
    with pytest.raises(TypeError, match="_record_version takes DocumentWritten, not ChannelRead"):
        events.apply_result(postmortem, write, read, RUNBOOK, T0)
    with pytest.raises(ValidationError):
        AllocateNumber.result_type().model_validate(read)


def test_every_obligation_can_be_skipped() -> None:
    incident = settled(opened(), T0)
    for owed in (*agenda(opened(), RUNBOOK), *agenda(incident, RUNBOOK)):
        skipped = outcomes.fulfilled(incident, owed, ActivityResult(skipped="it is off"), RUNBOOK, T0)
        assert skipped.ledger.settled(owed.key)


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.__name__)
def test_recorded_results_are_read_as_each_type(result: type[ActivityResult]) -> None:
    read = result.model_validate(RECORDED)
    assert read.detail == "as recorded"
    for name in result.model_fields.keys() - {"skipped", "surge_parent", "offers"}:
        assert getattr(read, name) != result.model_fields[name].default, name
    assert set(result.model_fields) <= set(RECORDED)
    assert result.model_validate({}) == result()
    assert result.model_validate({"skipped": "it is off"}).skipped == "it is off"


def test_every_spec_says_which_result_it_takes() -> None:
    for spec in SPECS:
        if spec.build_request is None and spec.workflow_step is None:
            check_family(ActivityResult(), spec.apply_result)  # fulfilled by a change of state: nothing to apply
    specs: tuple[Any, ...] = (*SPECS, *postmortem_registry.SPECS)
    for apply_result in (spec.apply_result for spec in specs):
        assert any(_takes(apply_result, result()) for result in RESULTS), apply_result


def _takes(apply_result: Any, result: ActivityResult) -> bool:
    try:
        check_family(result, apply_result)
    except TypeError:
        return False
    return True


def test_the_number_is_read_from_a_recorded_result() -> None:
    assert AllocateNumber.result_type().model_validate(RECORDED) == NumberAllocated(
        number=7, recurrence_of=3, detail="as recorded"
    )
