"""`/pagerduty-events` and `/pagerduty`: PagerDuty's Events API v2 and as much of its REST API as responders need."""

from __future__ import annotations

import itertools
from secrets import token_hex
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from sandbox.http import RefusalError, bearer, bounded, json_object, missing, route
from sandbox.state import Credentials, Ledger, Options, pick, timestamp

ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = ("critical", "error", "warning", "info")
STATUSES = ("triggered", "acknowledged", "resolved")
ON_CALL = (("oncall", "Ona Call"), ("ops-lead", "Olive Opslead"), ("em", "Emil Manager"))
SCHEDULE = "PSBXSCHED"
SUMMARY_LIMIT, DEDUP_LIMIT, NOTE_LIMIT = 1024, 255, 2000


class PagerDuty:
    """One service. An alert opens its incident; both share the status, as with PagerDuty's default grouping."""

    def __init__(self, credentials: Credentials, ledger: Ledger, options: Options) -> None:
        self.credentials, self.ledger, self.options = credentials, ledger, options
        self.incidents: list[dict[str, Any]] = []
        self._numbers = itertools.count(1)
        self.users = [_user(index, name, real) for index, (name, real) in enumerate(ON_CALL, 1)]

    def routes(self) -> list[BaseRoute]:
        """Events without an Authorization header, REST with `Token token=`."""
        return [
            route("/pagerduty-events/v2/enqueue", self.enqueue, "POST"),
            route("/pagerduty/abilities", self.abilities),
            route("/pagerduty/oncalls", self.oncalls),
            route("/pagerduty/users", self.list_users),
            route("/pagerduty/incidents", self.list_incidents),
            route("/pagerduty/incidents", self.update, "PUT"),
            route("/pagerduty/incidents/{id}", self.get),
            route("/pagerduty/incidents/{id}/notes", self.list_notes),
            route("/pagerduty/incidents/{id}/notes", self.add_note, "POST"),
            missing("/pagerduty", _error(404, 2100, "Not Found")),
        ]

    async def enqueue(self, request: Request) -> Response:
        """Events v2. The same dedup_key while open is the same alert; after resolve a trigger opens a new one; what
        has no open alert to work on is dropped silently with 202.
        """
        event = await json_object(request, _invalid_event("JSON could not be parsed"))
        if errors := self._event_errors(event):
            raise _invalid_event(*errors)
        key = str(event.get("dedup_key") or token_hex(16))
        incident = self._open(key)
        if event["event_action"] == "trigger":
            self._trigger(event, key, incident)
        elif incident is not None:
            status = "acknowledged" if event["event_action"] == "acknowledge" else "resolved"
            self._move(incident, status, "Events API")
            self.ledger.record("pagerduty", f"event.{event['event_action']}", {"dedup_key": key})
        return JSONResponse({"status": "success", "message": "Event processed", "dedup_key": key}, 202)

    def _trigger(self, event: dict[str, Any], key: str, incident: dict[str, Any] | None) -> None:
        payload = event["payload"]
        if incident is not None:
            # A repeated trigger is logged on the open alert and pages nobody, so it is no effect.
            incident["triggers"] += 1
            incident["custom_details"] = payload.get("custom_details") or incident["custom_details"]
            incident["links"] = event.get("links") or incident["links"]
            return
        self.incidents.append(_incident_of(event, key, next(self._numbers)))
        self._move(self.incidents[-1], "triggered", "Events API")
        essence = pick(payload, "summary", "source", "severity", "custom_details") | {"dedup_key": key}
        self.ledger.record("pagerduty", "event.trigger", essence)

    def _event_errors(self, event: dict[str, Any]) -> list[str]:
        errors = []
        if event.get("routing_key") != self.credentials.pagerduty_routing_key:
            errors.append("'routing_key' is missing or is no key of this account's integrations (32 characters)")
        if event.get("event_action") not in ACTIONS:
            errors.append(
                "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"
            )
        if len(str(event.get("dedup_key") or "")) > DEDUP_LIMIT:
            errors.append("'dedup_key' is too long (maximum length: 255)")
        if event.get("event_action") != "trigger":
            return errors + ([] if event.get("dedup_key") else ["'dedup_key' is missing or blank"])
        payload = event.get("payload")
        if not isinstance(payload, dict):
            return [*errors, "'payload' is missing or blank"]
        errors += [f"'payload.{name}' is missing or blank" for name in ("summary", "source") if not payload.get(name)]
        if payload.get("severity") not in SEVERITIES:
            errors.append(
                "'payload.severity' is invalid (must be one of the following: critical, error, warning, info)"
            )
        if len(str(payload.get("summary") or "")) > SUMMARY_LIMIT:
            errors.append("'payload.summary' is too long (maximum length: 1024)")
        return errors

    async def abilities(self, request: Request) -> Response:
        """GET /abilities: what the account's plan includes; any valid key may ask."""
        self._authenticate(request)
        return JSONResponse({"abilities": ["teams", "urgencies"]})

    async def oncalls(self, request: Request) -> Response:
        """GET /oncalls: three escalation levels, the first by a schedule; with `schedule_ids[]`, only by these."""
        self._authenticate(request)
        wanted = request.query_params.getlist("schedule_ids[]")
        users = [] if self.options.nobody_on_call else list(enumerate(self.users, 1))
        rows = [_on_call(level, user) for level, user in users]
        rows = [row for row in rows if not wanted or (row["schedule"] or {}).get("id") in wanted]
        return JSONResponse(_page("oncalls", rows, request))

    async def list_users(self, request: Request) -> Response:
        """GET /users?query=."""
        self._authenticate(request)
        query = request.query_params.get("query", "").lower()
        rows = [user for user in self.users if query in (user["email"] + user["name"]).lower()]
        return JSONResponse(_page("users", rows, request))

    async def list_incidents(self, request: Request) -> Response:
        """GET /incidents?incident_key=&statuses[]=."""
        self._authenticate(request)
        query = request.query_params
        statuses = query.getlist("statuses[]") or STATUSES
        rows = [row for row in self.incidents if row["status"] in statuses]
        rows = [row for row in rows if query.get("incident_key") in (None, row["incident_key"])]
        return JSONResponse(_page("incidents", rows, request))

    async def get(self, request: Request) -> Response:
        """GET /incidents/{id}."""
        self._authenticate(request)
        return JSONResponse({"incident": self._incident(request.path_params["id"])})

    async def update(self, request: Request) -> Response:
        """PUT /incidents: an ack of a resolved incident REOPENS it; resolving twice is error 1001."""
        self._authenticate(request, acting=True)
        body = await json_object(request, _error(400, 2001, "Invalid Input Provided"))
        references = body.get("incidents")
        if not isinstance(references, list) or not references:
            raise _error(400, 2001, "Invalid Input Provided", "Incidents is missing")
        changes = [self._change(reference) for reference in references]
        for incident, status in changes:
            self._move(incident, status, request.headers["from"])
            self.ledger.record("pagerduty", "incident.update", {"id": incident["id"], "status": status})
        return JSONResponse({"incidents": [incident for incident, _ in changes]})

    def _change(self, reference: dict[str, Any]) -> tuple[dict[str, Any], str]:
        if reference.get("type") not in ("incident", "incident_reference") or reference.get("status") not in STATUSES:
            raise _error(400, 2001, "Invalid Input Provided", "Type or status is invalid")
        incident = self._incident(str(reference.get("id")))
        if incident["status"] == reference["status"] == "resolved":
            raise _error(400, 1001, "Incident Already Resolved", "Incident Already Resolved")
        return incident, str(reference["status"])

    async def list_notes(self, request: Request) -> Response:
        """GET /incidents/{id}/notes."""
        self._authenticate(request)
        return JSONResponse({"notes": self._incident(request.path_params["id"])["notes"]})

    async def add_note(self, request: Request) -> Response:
        """POST /incidents/{id}/notes; the same note twice is two notes."""
        self._authenticate(request, acting=True)
        incident = self._incident(request.path_params["id"])
        note = (await json_object(request, _error(400, 2001, "Invalid Input Provided"))).get("note")
        if not isinstance(note, dict) or not note.get("content"):
            raise _error(400, 2001, "Invalid Input Provided", "Content cannot be empty")
        if len(incident["notes"]) >= NOTE_LIMIT:
            raise _error(400, 2001, "Invalid Input Provided", "An incident has at most 2000 notes")
        row = {"id": f"P{token_hex(3).upper()}", "content": note["content"], "created_at": timestamp()}
        row["user"] = {"type": "user_reference", "summary": request.headers["from"]}
        incident["notes"].append(row)
        self.ledger.record("pagerduty", "note.create", {"id": incident["id"], "content": note["content"]})
        return JSONResponse({"note": row})

    def _authenticate(self, request: Request, *, acting: bool = False) -> None:
        # `Token token=KEY`; what acts also needs From, the e-mail of a user [spec].
        token = (bearer(request, "Token") or "").removeprefix("token=")
        if token != self.credentials.pagerduty_api_key:
            raise _error(401, 2006, "Authentication failed")
        known = {user["email"] for user in self.users}
        if acting and request.headers.get("from") not in known:
            raise _error(400, 1008, "Requester User Not Found", "From header must be the email of a valid user")

    def _move(self, incident: dict[str, Any], status: str, by: str) -> None:
        incident["status"] = status
        incident["updated_at"] = timestamp()
        incident["log"].append({"at": timestamp(), "status": status, "by": by})

    def _open(self, key: str) -> dict[str, Any] | None:
        rows = [row for row in self.incidents if row["incident_key"] == key and row["status"] != "resolved"]
        return rows[-1] if rows else None

    def _incident(self, incident_id: str) -> dict[str, Any]:
        for incident in self.incidents:
            if incident["id"] == incident_id:
                return incident
        raise _error(404, 2100, "Not Found")

    def snapshot(self) -> list[dict[str, Any]]:
        """The incidents, newest first."""
        return self.incidents[::-1]


def _incident_of(event: dict[str, Any], key: str, number: int) -> dict[str, Any]:
    payload, incident_id = event["payload"], f"P0SBX{number:05d}"
    return {
        "id": incident_id,
        "type": "incident",
        "incident_number": number,
        "status": "triggered",
        "title": payload["summary"],
        "summary": f"[#{number}] {payload['summary']}",
        "incident_key": key,
        "created_at": timestamp(),
        "severity": payload["severity"],
        "source": payload["source"],
        "custom_details": payload.get("custom_details") or {},
        "links": event.get("links") or [],
        "urgency": "high" if payload["severity"] in ("critical", "error") else "low",
        "triggers": 1,
        "service": {"id": "PSBXSVC", "type": "service_reference", "summary": "FeatureSignals"},
        "html_url": f"https://sandbox.pagerduty.invalid/incidents/{incident_id}",
        "notes": [],
        "log": [],
    }


def _on_call(level: int, user: dict[str, Any]) -> dict[str, Any]:
    return {
        "user": user,
        "schedule": {"id": SCHEDULE, "type": "schedule_reference", "summary": "Primary"} if level == 1 else None,
        "escalation_policy": {"id": "PSBXPOL", "type": "escalation_policy_reference", "summary": "FeatureSignals"},
        "escalation_level": level,
        "start": None,
        "end": None,
    }


def _user(index: int, name: str, real: str) -> dict[str, Any]:
    email = f"{name}@featuresignals.com"
    return {"id": f"PSBXU{index:02d}", "type": "user", "summary": real, "name": real, "email": email}


def _page(key: str, rows: list[dict[str, Any]], request: Request) -> dict[str, Any]:
    limit = bounded(request.query_params.get("limit"), 25, 100)
    offset = bounded(request.query_params.get("offset"), 0, 10_000, 0)
    more = offset + limit < len(rows)
    return {key: rows[offset : offset + limit], "limit": limit, "offset": offset, "total": None, "more": more}


def _error(status: int, code: int, message: str, *errors: str) -> RefusalError:
    return RefusalError(status, {"error": {"message": message, "code": code, "errors": list(errors)}})


def _invalid_event(*errors: str) -> RefusalError:
    return RefusalError(400, {"status": "invalid event", "message": "Event object is invalid", "errors": list(errors)})
