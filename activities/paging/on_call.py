"""Who is on call, from the pager's schedules (read-only)."""

from temporalio import activity

from activities import ports
from activities.errors import translate_vendor_errors
from incidents.domain.activity_requests import FindOnCall
from incidents.domain.activity_results import OnCallFound, Person
from incidents.domain.people.directory import NOBODY, PeopleDirectory
from incidents.domain.people.references import person_reference


class OnCall:
    """Finds who is on call. Without a client, requests are skipped with the reason.

    `people`: those whose addresses results need not hold, because the directory has them.
    """

    def __init__(self, client: ports.OnCallSchedule | None, off: str = "", people: PeopleDirectory = NOBODY) -> None:
        self._client, self._off, self._people = client, off, people

    @activity.defn
    def find_on_call(self, request: FindOnCall) -> OnCallFound:
        """Return who is on call now, lowest escalation level first; may be empty."""
        if self._client is None:
            return OnCallFound(skipped=self._off)
        with translate_vendor_errors():
            found = self._client.on_calls([request.schedule])
        people = tuple(
            Person(name=entry.name or self._people.resolve(entry.email), email=self._address(entry.email))
            for entry in found
        )
        return OnCallFound(detail=", ".join(person.name for person in people) or "no one on call", on_call=people)

    def _address(self, email: str) -> str:
        """Return a reference to the directory's person with that address; the address of one who is not in it."""
        known = self._people.entry(email).email
        return person_reference(self._people.resolve(email)) if known else email
