"""Who informs the customers in a surge (behaviour 14), and when a child does so itself again."""

from collections.abc import Callable
from typing import Any

import pytest

from incidents.domain import apply_result as results
from incidents.domain.activity_results import NumberAllocated
from incidents.domain.apply_command import apply_command
from incidents.domain.config.communication import Channel
from incidents.domain.core.command import Command
from incidents.domain.core.severity import Severity
from incidents.domain.incident import commands as c
from incidents.domain.incident.display.summary import related, summary_text
from incidents.domain.incident.incident import Incident
from incidents.domain.surge.membership import apply_surge_message
from incidents.domain.surge.obligations import surge_message
from incidents.domain.surge.state import SurgeMessageKind, SurgeParent
from tests.support.incidents import RUNBOOK, at, fulfil, keys, obligation, opened, settled

PARENT = SurgeParent(number=1, workflow_id="incident-1", severity="P1")
CUSTOMERS = {Channel.STATUS_PAGE, Channel.EMAIL}


def numbered(number: int, severity: Severity = "P1", parent: SurgeParent | None = None, **more: Any) -> Incident:
    """An incident that has got its number, and nothing else yet."""
    incident = opened(severity).replace(workflow_id=f"incident-{number}", first_run_id=f"run-{number}", **more)
    due = obligation(incident, "number")
    result = NumberAllocated(number=number, surge_parent=parent)
    return results.fulfilled(results.begun(incident, due, RUNBOOK), due, result, RUNBOOK, at(0))


def child(severity: Severity = "P1", number: int = 7) -> Incident:
    return numbered(number, severity, PARENT)


def exchanged(sender: Incident, receiver: Incident, key: str, minute: float) -> tuple[Incident, Incident]:
    """Both, after the message of that obligation has arrived, twice."""
    due = obligation(sender, key)
    message = surge_message(sender, due)
    assert due.subject == receiver.workflow_id
    receiver = apply_surge_message(receiver, message, RUNBOOK, at(minute))
    assert apply_surge_message(receiver, message, RUNBOOK, at(minute)).surge == receiver.surge
    return fulfil(sender, due, at(minute)), receiver


def pair(severity: Severity = "P1") -> tuple[Incident, Incident]:
    """A child and its parent, which knows it."""
    return exchanged(child(severity), numbered(1), "surge/join", 1)


def public(incident: Incident) -> list[int]:
    """The updates that customers get."""
    return [update.sequence for update in incident.updates.published if CUSTOMERS & set(update.channels)]


def announced(incident: Incident) -> list[str]:
    return [entry.text for entry in incident.timeline if entry.announce]


def test_14_a_child_pages_and_publishes_no_customer_updates_of_its_own() -> None:
    incident = child()
    assert public(opened("P1")) == [1]
    assert public(incident) == []
    assert "page/0/P1" in keys(incident, "page/")
    assert any("INC-1 informs the customers" in text for text in announced(incident))
    incident = settled(incident, at(130))
    resolved = apply_command(incident, c.Resolve(by="ann"), RUNBOOK, at(131))
    assert incident.updates.count > 1, "its responders get updates"
    assert public(resolved) == [], "nor is there an end to tell them"


def test_14_the_parent_lists_its_children() -> None:
    one, parent = pair()
    assert related(one) == ["Surge: INC-1 informs the customers for this incident"]
    _, parent = exchanged(child(number=8), parent, "surge/join", 1)
    assert related(parent) == ["Surge: informs the customers for INC-7, INC-8"]
    assert "INC-7, INC-8" in summary_text(parent, RUNBOOK, [])
    assert len([text for text in announced(parent) if "Surge" in text]) == 1, "one message, however many join"
    assert keys(parent, "surge/") == []


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (c.Resolve(by="ann"), "resolved"),
        (c.Cancel(by="ann", reason="x"), "cancelled"),
        (c.Merge(by="ann", into=3, workflow_id="incident-3"), "merged"),
        (c.MakePrivate(by="ann", reason="x"), "no customer updates"),
        (c.DeclareSeverity(by="ann", severity="P3"), "lower severity"),
    ],
)
def test_14_a_parent_that_cannot_inform_the_customers_any_more_releases_its_children(
    command: Command, why: str
) -> None:
    one, parent = pair()
    parent = apply_command(parent, command, RUNBOOK, at(9))
    parent, one = exchanged(parent, one, "surge/release/7", 9)
    assert public(one) == [one.updates.count]
    assert any(f"INC-1 no longer informs the customers ({why})" in text for text in announced(one))
    assert related(parent) == []
    assert not keys(parent, "surge/")
    assert not keys(one, "surge/")


def test_14_a_child_that_gets_worse_than_its_parent_informs_its_customers_itself() -> None:
    one, parent = pair("P2")
    one = apply_command(one, c.DeclareSeverity(by="ann", severity="P1"), RUNBOOK, at(3))
    assert not keys(one, "surge/leave"), "as severe as the parent"
    one = apply_command(one, c.DeclareSeverity(by="ann", severity="P0"), RUNBOOK, at(4))
    assert public(one) == []
    one = fulfil(one, obligation(one, "surge/leave"), at(4))
    assert public(one) == [one.updates.count]
    one, parent = exchanged(one, parent, "surge/left", 4)
    assert related(parent) == []
    back = apply_command(one, c.DeclareSeverity(by="ann", severity="P2"), RUNBOOK, at(5))
    assert public(back)[-1] == back.updates.count, "who has begun to inform them goes on"


def test_14_a_child_whose_parent_has_closed_informs_its_customers_itself() -> None:
    one = child()
    one = results.failed(one, obligation(one, "surge/join"), "not found", RUNBOOK, at(1))
    assert public(one) == [one.updates.count]
    assert not keys(one, "surge/")
    assert one.ledger.failures == ()


def test_14_a_parent_forgets_a_child_that_has_ended() -> None:
    _, parent = pair()
    parent = apply_command(parent, c.Resolve(by="ann"), RUNBOOK, at(9))
    parent = results.failed(parent, obligation(parent, "surge/release"), "not found", RUNBOOK, at(9))
    assert not keys(parent, "surge/")


@pytest.mark.parametrize(
    "changed",
    [
        lambda one: one.replace(number=12),  # a later incident with the same workflow id
        lambda one: apply_command(one, c.Resolve(by="ann"), RUNBOOK, at(8)),
    ],
)
def test_14_a_release_reaches_only_the_child_while_it_is_open(changed: Callable[[Incident], Incident]) -> None:
    one, parent = pair()
    parent = apply_command(parent, c.Resolve(by="ann"), RUNBOOK, at(9))
    message = surge_message(parent, obligation(parent, "surge/release"))
    assert message.kind is SurgeMessageKind.RELEASED
    assert public(apply_surge_message(changed(one), message, RUNBOOK, at(9))) == []


def test_14_a_private_incident_joins_no_surge() -> None:
    incident = numbered(7, "P1", PARENT, private=True)
    assert incident.surge.parent is None
