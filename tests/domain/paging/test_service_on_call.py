"""A service may have its own on-call and its own ladder."""

from pathlib import Path

import pytest

from incidents.domain.activity_requests import SendPage
from incidents.domain.agenda import agenda
from incidents.domain.build_request import request
from incidents.domain.chat.activity_requests import Invite
from incidents.domain.config.loading import parse_runbook
from incidents.domain.core.errors import RunbookError
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import open_incident
from incidents.domain.incident.state import Opening, Resources
from incidents.domain.obligation import ObligationKind
from incidents.domain.paging.on_call import ladder_of, on_call_of
from tests.support.incidents import T0, at

TEXT = Path("tests/support/acme.yaml").read_text(encoding="utf-8")
ACME = parse_runbook(TEXT, "acme.yaml")


def of(service: str, severity: str = "SEV1") -> Incident:
    opening = Opening(key="k", title="t", service=service, severity=severity, alerted_at=T0, source="manual")
    return open_incident(opening, ACME, T0, workflow_id="incident-k", first_run_id="run-1").replace(number=1)


def test_a_service_with_its_own_on_call_is_paged_there() -> None:
    assert [on_call_of(of(name), ACME) for name in ("payments", "checkout", "unheard-of")] == [
        "payments",
        "primary",
        "primary",
    ]
    owed = next(o for o in agenda(of("payments"), ACME) if o.kind is ObligationKind.PAGE)
    page = request(owed, of("payments"), ACME, at(0))
    assert isinstance(page, SendPage)
    assert (page.to, page.details["to"]) == ("payments", "payments")
    instead = [o.subject for o in agenda(of("payments"), ACME) if o.key.startswith("page/") and o.by]
    assert instead == ["payments", "payments"], "when the page does not go out, the same person is called another way"


def test_its_on_call_is_invited_to_the_channel() -> None:
    incident = of("payments").replace(resources=Resources(channel_id="C1", channel_name="incident-1"))
    owed = next(
        o
        for o in agenda(incident.replace(ledger=incident.ledger.replace(fulfilled=("channel",))), ACME)
        if o.kind is ObligationKind.INVITE
    )
    invited = request(owed, incident, ACME, at(0))
    assert isinstance(invited, Invite)
    assert invited.emails == ("payments@acme.example", "primary@acme.example")


def test_a_ladder_of_its_own_replaces_the_runbooks_at_that_severity_only() -> None:
    def called(incident: Incident) -> list[tuple[str, float]]:
        owed = [o for o in agenda(incident, ACME) if o.key.startswith("escalate/")]
        return list(dict.fromkeys((o.subject, (o.due - T0).total_seconds() / 60) for o in owed))

    assert called(of("payments")) == [("payments", 5)]
    assert called(of("checkout")) == [("director", 10)]
    assert ladder_of(of("payments", "SEV2"), ACME) == ACME.policy("SEV2").escalation


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("on_call: payments", "on_call: paymnts", "services.0.on_call: 'paymnts' is not among contacts"),
        ("      SEV1:\n", "      P0:\n", "services.0.escalation.P0: 'P0' is not among severities: SEV1, SEV2"),
        ("contact: payments, after: 5m", "contact: x, after: 5m", "services.0.escalation.SEV1.0.contact: 'x' is not"),
    ],
)
def test_a_name_that_refers_to_nothing_is_a_fault_of_the_file(old: str, new: str, fault: str) -> None:
    assert old in TEXT
    with pytest.raises(RunbookError) as raised:
        parse_runbook(TEXT.replace(old, new, 1), "acme.yaml")
    assert fault in str(raised.value)
