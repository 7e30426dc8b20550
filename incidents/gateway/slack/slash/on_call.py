"""Who is on call now, by the pager's schedules."""

import asyncio
import logging

from activities.ports import OnCallSchedule
from incidents.domain.config.communication import Contact
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.mrkdwn import Mrkdwn, mrkdwn, mrkdwn_lines
from incidents.vendors.errors import VendorError

_log = logging.getLogger("gateway")


class OnCallAnswer:
    """Answers the question who is on call. `schedules`: None if there are none to ask."""

    def __init__(self, runbook: RunbookConfig, schedules: OnCallSchedule | None) -> None:
        self._runbook, self._schedules = runbook, schedules

    async def text(self) -> Mrkdwn:
        """Return one line for the runbook's on-call, and one for each service that has its own."""
        own = {service.on_call: service.public_name for service in self._runbook.services if service.on_call}
        asked = {self._runbook.people.on_call: "", **own}
        return mrkdwn_lines([await self._line(contact, service) for contact, service in asked.items()])

    async def _line(self, name: str, service: str) -> Mrkdwn:
        contact = self._runbook.contacts[name]
        of = f" ({service})" if service else ""
        return mrkdwn("*{}{}*: {}", contact.name, of, await self._holders(contact))

    async def _holders(self, contact: Contact) -> str:
        if not contact.schedule or self._schedules is None:
            return contact.email or "no schedule to ask"
        try:
            found = await asyncio.to_thread(self._schedules.on_calls, [contact.schedule])
        except VendorError as error:
            _log.warning("Cannot look up who is on call: %s", error)
            return "the schedule cannot be read now"
        return ", ".join(person.name or person.email for person in found) or "no one"
