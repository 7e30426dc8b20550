"""`/incident oncall`: by the pager's schedules, or what the runbook says without them."""

from collections.abc import Sequence

from activities.port_values import PersonOnCall
from incidents.domain.activity_results import Person
from incidents.domain.config.model import RunbookConfig
from incidents.gateway.slack.slash.on_call import OnCallAnswer
from incidents.vendors.errors import VendorUnavailable
from tests.support.incidents import RUNBOOK


class Schedules:
    def __init__(self, *people: PersonOnCall, down: bool = False) -> None:
        self._people, self._down = people, down

    def on_calls(self, schedule_ids: Sequence[str]) -> Sequence[PersonOnCall]:
        if self._down:
            raise VendorUnavailable("pagerduty", "list_oncalls", "503", status=503)
        return self._people


def scheduled() -> RunbookConfig:
    contact = RUNBOOK.contacts["on_call"].replace(schedule="P1")
    own = RUNBOOK.contacts["on_call"].replace(name="Webhooks on-call", schedule="", email="hooks@example.com")
    services = tuple(
        service.replace(on_call="hooks") if service.name == "webhooks" else service for service in RUNBOOK.services
    )
    return RUNBOOK.replace(contacts={**RUNBOOK.contacts, "on_call": contact, "hooks": own}, services=services)


async def test_the_schedule_says_who_it_is_and_a_service_has_its_own() -> None:
    people = (Person(name="Ona Call", email="ona@example.com"), Person(name="", email="otto@example.com"))
    assert await OnCallAnswer(scheduled(), Schedules(*people)).text() == (
        "*On-call engineer*: Ona Call, otto@example.com\n*Webhooks on-call (Webhooks)*: hooks@example.com"
    )


async def test_what_cannot_be_known_is_said() -> None:
    first = (await OnCallAnswer(scheduled(), Schedules()).text()).splitlines()[0]
    assert first == "*On-call engineer*: no one"
    first = (await OnCallAnswer(scheduled(), Schedules(down=True)).text()).splitlines()[0]
    assert first == "*On-call engineer*: the schedule cannot be read now"
    address = RUNBOOK.contacts["on_call"].email
    first = (await OnCallAnswer(scheduled(), None).text()).splitlines()[0]
    assert first == f"*On-call engineer*: {address or 'no schedule to ask'}"
