"""Who is on call, from the pager's schedules (read-only)."""

from temporalio import activity

from activities import ports
from activities.errors import translate_vendor_errors
from incidents.domain.activity_requests import FindOnCall
from incidents.domain.activity_results import OnCallFound, Person


class OnCall:
    """Finds who is on call. Without a client, requests are skipped with the reason."""

    def __init__(self, client: ports.OnCallSchedule | None, off: str = "") -> None:
        self._client, self._off = client, off

    @activity.defn
    def find_on_call(self, request: FindOnCall) -> OnCallFound:
        """Return who is on call now, lowest escalation level first; may be empty."""
        if self._client is None:
            return OnCallFound(skipped=self._off)
        with translate_vendor_errors():
            found = self._client.on_calls([request.schedule])
        people = tuple(Person(name=entry.name or entry.email, email=entry.email) for entry in found)
        return OnCallFound(detail=", ".join(person.name for person in people) or "no one on call", on_call=people)
