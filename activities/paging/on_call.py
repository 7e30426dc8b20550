"""Who is on call, from PagerDuty's schedules (read-only)."""

from temporalio import activity

from activities.errors import translate_vendor_errors
from incidents.domain.activity_requests import ActivityResult, FindOnCall, Person
from incidents.vendors.pagerduty import PagerDutyClient


class OnCall:
    """Finds who is on call. Without a client, requests are skipped with the reason."""

    def __init__(self, client: PagerDutyClient | None, off: str = "") -> None:
        self._client, self._off = client, off

    @activity.defn
    def find_on_call(self, request: FindOnCall) -> ActivityResult:
        """Return who is on call now, lowest escalation level first; possibly nobody."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            found = self._client.on_calls([request.schedule])
        people = tuple(Person(name=entry.name or entry.email, email=entry.email) for entry in found)
        return ActivityResult(detail=", ".join(person.name for person in people) or "nobody on call", on_call=people)
