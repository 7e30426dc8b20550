"""Who is on call: PagerDuty's schedules. Schedules are its business; here they are only read."""

from temporalio import activity

from activities.errors import translate_vendor_errors
from incidents.domain.activity_requests import ActivityResult, FindOnCall, Person
from incidents.vendors.pagerduty import PagerDutyClient


class OnCall:
    """Asks who is on call. Without a client it is off, and says why."""

    def __init__(self, client: PagerDutyClient | None, off: str = "") -> None:
        self._client, self._off = client, off

    @activity.defn
    def find_on_call(self, request: FindOnCall) -> ActivityResult:
        """Return who is on call by the schedule now, the lowest level first; nobody is an answer, too."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            found = self._client.on_calls([request.schedule])
        people = tuple(Person(name=entry.name or entry.email, email=entry.email) for entry in found)
        return ActivityResult(detail=", ".join(person.name for person in people) or "nobody", on_call=people)
