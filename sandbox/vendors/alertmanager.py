"""`/alertmanager/api/v2`: alerts and silences. It sends no webhooks."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from sandbox.http import RefusalError, json_object, missing, route
from sandbox.state import Ledger, now, pick, timestamp

FILTER = re.compile(r'\s*(\w+)\s*(=~|!~|!=|=)\s*"?([^"]*)"?\s*')
REQUIRED = ("matchers", "startsAt", "endsAt", "createdBy", "comment")


class Alertmanager:
    """Without `id` each POST of a silence is a new one; POST /alerts is idempotent by label set. No auth."""

    vendor, mount = "alertmanager", "/alertmanager"

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.silences: dict[str, dict[str, Any]] = {}
        self.alerts: dict[str, dict[str, Any]] = {}

    def routes(self) -> list[BaseRoute]:
        """API v2; v1 is gone."""
        api = f"{self.mount}/api/v2"
        return [
            route(api + "/status", self.status),
            route(api + "/silences", self.list_silences),
            route(api + "/silences", self.post_silence, "POST"),
            route(api + "/silence/{id}", self.get_silence),
            route(api + "/silence/{id}", self.expire_silence, "DELETE"),
            route(api + "/alerts", self.list_alerts),
            route(api + "/alerts", self.post_alerts, "POST"),
            missing(self.mount, RefusalError(404, "404 page not found\n")),
        ]

    async def status(self, request: Request) -> Response:
        """GET /status."""
        return JSONResponse(
            {"cluster": {"status": "disabled"}, "versionInfo": {"version": "0.27.0"}, "uptime": timestamp()}
        )

    async def list_silences(self, request: Request) -> Response:
        """GET /silences, expired ones too; ?filter= matchers apply to a silence's own matchers."""
        wanted = [_parsed(text) for text in request.query_params.getlist("filter")]
        rows = [_seen(silence) for silence in self.silences.values()]
        return JSONResponse([row for row in rows if all(_covers(row, *one) for one in wanted)])

    async def post_silence(self, request: Request) -> Response:
        """POST /silences: a new silence, or with a known `id` a changed one; an unknown id is a 404."""
        body = await json_object(request, _bad("parsing silence body failed"))
        _check_silence(body)
        silence_id = body.get("id") or str(uuid4())
        if body.get("id") and silence_id not in self.silences:
            raise RefusalError(404, "silence not found")
        matchers = [{"isEqual": True, **matcher} for matcher in body["matchers"]]
        operation = "silence.update" if silence_id in self.silences else "silence.create"
        kept = {name: body[name] for name in REQUIRED}
        self.silences[silence_id] = {"id": silence_id, "updatedAt": timestamp()} | kept | {"matchers": matchers}
        self.ledger.record(self.vendor, operation, pick(self.silences[silence_id], "id", *REQUIRED))
        return JSONResponse({"silenceID": silence_id})

    async def get_silence(self, request: Request) -> Response:
        """GET /silence/{id}."""
        return JSONResponse(_seen(self._silence(request)))

    async def expire_silence(self, request: Request) -> Response:
        """DELETE /silence/{id}: expires it; an expired one is a 500, as Alertmanager answers."""
        silence = self._silence(request)
        if _seen(silence)["status"]["state"] == "expired":
            raise RefusalError(500, json.dumps(f"silence {silence['id']} already expired"))
        silence["endsAt"] = timestamp()
        self.ledger.record(self.vendor, "silence.expire", {"id": silence["id"]})
        return Response(status_code=200)

    async def list_alerts(self, request: Request) -> Response:
        """GET /alerts: those that fire, silenced ones marked suppressed."""
        rows = [self._alert(alert) for alert in self.alerts.values() if _moment(alert["endsAt"]) > now()]
        wanted = [_parsed(text) for text in request.query_params.getlist("filter")]
        return JSONResponse([row for row in rows if all(_matches(row["labels"], *one) for one in wanted)])

    async def post_alerts(self, request: Request) -> Response:
        """POST /alerts: an array; the same label set is the same alert."""
        try:
            alerts = json.loads(await request.body())
        except ValueError:
            raise _bad("parsing alerts failed") from None
        if not isinstance(alerts, list) or not all(isinstance(row, dict) and row.get("labels") for row in alerts):
            raise _bad("alerts need labels")
        for alert in alerts:
            fingerprint = hashlib.sha256(json.dumps(alert["labels"], sort_keys=True).encode()).hexdigest()[:16]
            defaults = {
                "annotations": {},
                "startsAt": timestamp(),
                "endsAt": "2999-01-01T00:00:00Z",
                "generatorURL": "",
            }
            known = {"fingerprint": fingerprint, "updatedAt": timestamp(), "receivers": [{"name": "incident-gateway"}]}
            self.alerts[fingerprint] = defaults | self.alerts.get(fingerprint, {}) | alert | known
        return Response(status_code=200)

    def _alert(self, alert: dict[str, Any]) -> dict[str, Any]:
        silences = [row for row in self.silences.values() if _seen(row)["status"]["state"] == "active"]
        silenced_by = [row["id"] for row in silences if _is_silenced(alert["labels"], row)]
        state = "suppressed" if silenced_by else "active"
        return alert | {"status": {"state": state, "silencedBy": silenced_by, "inhibitedBy": [], "mutedBy": []}}

    def _silence(self, request: Request) -> dict[str, Any]:
        silence = self.silences.get(request.path_params["id"])
        if silence is None:
            raise RefusalError(404, "")
        return silence

    def snapshot(self) -> dict[str, Any]:
        """Silences and alerts."""
        return {
            "silences": [_seen(silence) for silence in self.silences.values()],
            "alerts": [self._alert(alert) for alert in self.alerts.values()],
        }


def _seen(silence: dict[str, Any]) -> dict[str, Any]:
    """A silence with its state, which follows from the time."""
    state = "pending" if _moment(silence["startsAt"]) > now() else "active"
    state = "expired" if _moment(silence["endsAt"]) <= now() else state
    return silence | {"status": {"state": state}, "annotations": {}}


def _check_silence(body: dict[str, Any]) -> None:
    for name in REQUIRED:
        if not body.get(name):
            raise _bad(f"{name} in body is required")
    if not all(isinstance(row, dict) and {"name", "value", "isRegex"} <= set(row) for row in body["matchers"]):
        raise _bad("matchers need name, value and isRegex")
    if all(not row["isRegex"] and row["value"] == "" for row in body["matchers"]):
        raise _bad("silence invalid: at least one matcher must not match the empty string")
    starts, ends = _moment(body["startsAt"]), _moment(body["endsAt"])
    if ends <= starts:
        raise _bad("silence invalid: end time must not be before start time")
    if ends < now():
        raise _bad("silence invalid: end time can't be in the past")


def _is_silenced(labels: dict[str, str], silence: dict[str, Any]) -> bool:
    for matcher in silence["matchers"]:
        operator = ("=" if matcher["isEqual"] else "!") + ("~" if matcher["isRegex"] else "")
        operator = "!=" if operator == "!" else operator
        if not _matches(labels, matcher["name"], operator, matcher["value"]):
            return False
    return True


def _covers(silence: dict[str, Any], name: str, operator: str, value: str) -> bool:
    """Whether a silence is about labels of which this matcher speaks."""
    return any(_matches({row["name"]: row["value"]}, name, operator, value) for row in silence["matchers"])


def _matches(labels: dict[str, str], name: str, operator: str, value: str) -> bool:
    given = labels.get(name, "")
    positive = re.fullmatch(value, given) is not None if operator.endswith("~") else given == value
    return not positive if operator.startswith("!") else positive


def _parsed(text: str) -> tuple[str, str, str]:
    found = FILTER.fullmatch(text)
    if not found:
        raise _bad(f"bad matcher format: {text}")
    return found[1], found[2], found[3]


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _bad(f"{text} is no RFC 3339 time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _bad(message: str) -> RefusalError:
    return RefusalError(400, json.dumps(message))
