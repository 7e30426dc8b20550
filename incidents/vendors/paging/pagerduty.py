"""PagerDuty: paging by Events v2, schedules by REST.

Rules of the vendor (developer.pagerduty.com): `dedup_key` is the idempotency feature, the same key on an open alert is
the same alert; after its resolution a trigger opens a new one; acknowledging or resolving what is not open is accepted
and dropped. Too many calls are a 429 with `ratelimit-reset` in seconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

import httpx

from incidents.cutting import cut
from incidents.vendors.access.access import Access, server_time
from incidents.vendors.http import VendorHttp

SUMMARY_LIMIT, DEDUP_KEY_LIMIT = 1024, 255
PAGE, PAGES = 100, 10
_NO_ALERT = "incident-runbook-doctor"
"""A dedup key that no alert has: ours begin otherwise."""

Action = Literal["trigger", "acknowledge", "resolve"]
Severity = Literal["critical", "error", "warning", "info"]


@dataclass(frozen=True)
class OnCall:
    """Who is on call. `start` and `end` are None for someone who always is."""

    user_id: str
    name: str
    email: str
    schedule_id: str
    level: int
    start: datetime | None
    end: datetime | None


class PagerDutyEvents:
    """The Events API of one service. `base_url` may be the host, its `/v2`, or the whole enqueue URL."""

    def __init__(
        self,
        routing_key: str,
        base_url: str = "https://events.pagerduty.com",
        timeout: float = 10,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._routing_key = routing_key
        host = base_url.rstrip("/").removesuffix("/enqueue").removesuffix("/v2")
        self._http = VendorHttp("pagerduty", host, timeout=timeout, secrets=[routing_key], transport=transport)

    def check_access(self) -> Access:
        """Resolve an alert that does not exist: PagerDuty checks the routing key, and drops the event.

        There is no other call that shows whether the key is accepted.
        """
        event = {"routing_key": self._routing_key, "event_action": "resolve", "dedup_key": _NO_ALERT}
        answer = self._http.call("check_routing_key", "POST", "/v2/enqueue", writes=False, json=event)
        return Access(at=server_time(answer.headers))

    def send_event(
        self,
        action: Action,
        dedup_key: str,
        *,
        summary: str = "",
        source: str = "incident-runbook",
        severity: Severity = "critical",
        custom_details: Mapping[str, Any] | None = None,
        links: Mapping[str, str] | None = None,
    ) -> str:
        """Trigger, acknowledge or resolve, and return the key of the alert. Safe to repeat while the alert is open.

        All but the first two arguments matter for a trigger only.
        """
        event: dict[str, Any] = {
            "routing_key": self._routing_key,
            "event_action": action,
            "dedup_key": bounded_key(dedup_key),
        }
        if action == "trigger":
            payload = {"summary": cut(summary, SUMMARY_LIMIT), "source": source, "severity": severity}
            event["payload"] = payload | {"custom_details": dict(custom_details or {})}
            event |= {
                "client": "incident-runbook",
                "links": [{"href": url, "text": label} for label, url in (links or {}).items()],
            }
        return self._http.fetch(action, "POST", "/v2/enqueue", lambda answer: str(answer["dedup_key"]), json=event)


class PagerDutyClient:
    """The REST API: who is on call, and which of our keys an incident of PagerDuty's has."""

    def __init__(
        self,
        api_key: str,
        base_url: str = "https://api.pagerduty.com",
        timeout: float = 10,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {
            "Authorization": f"Token token={api_key}",
            "Accept": "application/vnd.pagerduty+json;version=2",
            "Content-Type": "application/json",
        }
        self._http = VendorHttp(
            "pagerduty", base_url, timeout=timeout, headers=headers, secrets=[api_key], transport=transport
        )

    def check_access(self) -> Access:
        """List the abilities of the account: any valid key may. Whether it may write is not told; we only read."""
        answer = self._http.call("abilities", "GET", "/abilities")
        return Access(at=server_time(answer.headers))

    def incident_key(self, incident_id: str) -> str:
        """The dedup key of an incident at PagerDuty; "" if it has none."""
        path = f"/incidents/{quote(incident_id, safe='')}"
        return self._http.fetch("get_incident", "GET", path, _key_of)

    def on_calls(self, schedule_ids: Sequence[str]) -> tuple[OnCall, ...]:
        """Who is on call now by these schedules, lowest escalation level first, each person once per schedule."""
        if not schedule_ids:
            return ()  # without the filter PagerDuty would list everybody of the account
        found: dict[tuple[str, str], OnCall] = {}
        for page in range(PAGES):
            params = {"schedule_ids[]": list(schedule_ids), "include[]": "users", "limit": PAGE, "offset": page * PAGE}
            entries, more = self._http.fetch("on_calls", "GET", "/oncalls", _on_calls, params=params)
            for entry in entries:
                known = found.setdefault((entry.schedule_id, entry.user_id), entry)
                if entry.level < known.level:
                    found[entry.schedule_id, entry.user_id] = entry
            if not more:
                break
        return tuple(sorted(found.values(), key=lambda entry: entry.level))


def _key_of(answer: dict[str, Any]) -> str:
    return str(answer["incident"].get("incident_key") or "")


def bounded_key(key: str) -> str:
    """The key as PagerDuty takes it: one over 255 characters keeps its beginning and gets a digest of the whole."""
    if len(key) <= DEDUP_KEY_LIMIT:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{key[: DEDUP_KEY_LIMIT - len(digest) - 1]}-{digest}"


def _on_calls(data: dict[str, Any]) -> tuple[list[OnCall], bool]:
    return [_on_call(item) for item in data["oncalls"]], bool(data.get("more"))


def _on_call(data: dict[str, Any]) -> OnCall:
    user = data["user"]
    return OnCall(
        user_id=str(user["id"]),
        name=str(user.get("name") or user.get("summary") or ""),
        email=str(user.get("email") or ""),
        schedule_id=str((data.get("schedule") or {}).get("id", "")),
        level=int(data["escalation_level"]),
        start=_time(data.get("start")),
        end=_time(data.get("end")),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
