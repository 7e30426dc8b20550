"""`/statuspage/v1`: Atlassian Statuspage, one page with four components."""

from __future__ import annotations

import json
import re
from secrets import token_hex
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from sandbox.http import RefusalError, bearer, bounded, form_fields, is_form, json_object, missing, route
from sandbox.state import Credentials, Ledger, pick, timestamp

REALTIME = ("investigating", "identified", "monitoring", "resolved")
SCHEDULED = ("scheduled", "in_progress", "verifying", "completed")
IMPACTS = ("none", "maintenance", "minor", "major", "critical")
COMPONENT_STATUSES = ("operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage")
IMPACT_OF = {"degraded_performance": "minor", "partial_outage": "major", "major_outage": "critical"}
COMPONENTS = {
    "evaluationeu": "Flag evaluation (EU)",
    "evaluationus": "Flag evaluation (US)",
    "dashboardapp": "Dashboard",
    "webhooksout1": "Webhooks",
}
NAME_LIMIT, BODY_LIMIT = 255, 25_000
NOT_FOUND = RefusalError(404, {"error": "The requested resource could not be found."})


class Statuspage:
    """Incidents and components. Each create, and each PATCH with body or status, is a public update; no idempotency."""

    def __init__(self, credentials: Credentials, ledger: Ledger) -> None:
        self.credentials, self.ledger = credentials, ledger
        self.incidents: list[dict[str, Any]] = []
        self.components = {key: self._component(key, name) for key, name in COMPONENTS.items()}

    def routes(self) -> list[BaseRoute]:
        """Paths with or without .json (the suffix is cut off before routing)."""
        page = "/statuspage/v1/pages/{page_id}"
        return [
            route(page, self.page),
            route(page + "/components", self.list_components),
            route(page + "/components/{id}", self.get_component),
            route(page + "/components/{id}", self.patch_component, "PATCH", "PUT"),
            route(page + "/incidents", self.list_incidents),
            route(page + "/incidents", self.create, "POST"),
            route(page + "/incidents/unresolved", self.unresolved),
            route(page + "/incidents/{id}", self.get),
            route(page + "/incidents/{id}", self.update, "PATCH", "PUT"),
            missing("/statuspage", NOT_FOUND),
        ]

    async def page(self, request: Request) -> Response:
        """GET /pages/{page_id}."""
        self._authenticate(request)
        return JSONResponse({"id": self.credentials.statuspage_page_id, "name": "FeatureSignals", "time_zone": "UTC"})

    async def list_components(self, request: Request) -> Response:
        """GET components."""
        self._authenticate(request)
        return JSONResponse(list(self.components.values()))

    async def get_component(self, request: Request) -> Response:
        """GET one component."""
        self._authenticate(request)
        return JSONResponse(self._known_component(request.path_params["id"], NOT_FOUND))

    async def patch_component(self, request: Request) -> Response:
        """PATCH {"component": {"status"}}: quiet, no incident update."""
        self._authenticate(request)
        component = self._known_component(request.path_params["id"], NOT_FOUND)
        change = await self._body(request, "component")
        self._set_components({component["id"]: change.get("status", component["status"])})
        self.ledger.record("statuspage", "component.update", pick(component, "id", "name", "status"))
        return JSONResponse(component)

    async def list_incidents(self, request: Request) -> Response:
        """GET incidents newest first; ?q= searches name, status and updates."""
        self._authenticate(request)
        query = request.query_params
        rows = [row for row in reversed(self.incidents) if _mentions(row, query.get("q", ""))]
        limit, number = bounded(query.get("limit"), 100, 100), bounded(query.get("page"), 1, 10_000)
        return JSONResponse(rows[(number - 1) * limit : number * limit])

    async def unresolved(self, request: Request) -> Response:
        """GET incidents/unresolved."""
        self._authenticate(request)
        rows = [row for row in reversed(self.incidents) if row["status"] not in ("resolved", "completed")]
        return JSONResponse(rows)

    async def get(self, request: Request) -> Response:
        """GET one incident with its updates."""
        self._authenticate(request)
        return JSONResponse(self._incident(request))

    async def create(self, request: Request) -> Response:
        """POST incidents: only the name is required; 201."""
        self._authenticate(request)
        wanted = await self._body(request, "incident")
        if not wanted.get("name"):
            raise _unprocessable("Name can't be blank")
        self._check(wanted)
        incident: dict[str, Any] = {
            "id": token_hex(6),
            "page_id": self.credentials.statuspage_page_id,
            "created_at": timestamp(),
            "status": "investigating",
            "impact": "none",
            "impact_override": None,
            "metadata": {},
            "incident_updates": [],
            "components": [],
            "monitoring_at": None,
            "resolved_at": None,
        }
        incident["shortlink"] = f"https://stspg.invalid/{incident['id']}"
        self._apply(incident, {"status": "scheduled" if wanted.get("scheduled_for") else "investigating"} | wanted)
        self.incidents.append(incident)
        self._record("incident.create", incident, wanted)
        return JSONResponse(incident, 201)

    async def update(self, request: Request) -> Response:
        """PATCH an incident: body or status appends an update and mails the subscribers again."""
        self._authenticate(request)
        incident, wanted = self._incident(request), await self._body(request, "incident")
        self._check(wanted)
        self._apply(incident, wanted)
        self._record("incident.update", incident, wanted)
        return JSONResponse(incident)

    def _apply(self, incident: dict[str, Any], wanted: dict[str, Any]) -> None:
        incident.update(
            {key: wanted[key] for key in ("name", "status", "impact_override", "scheduled_for") if key in wanted}
        )
        incident["metadata"] = incident["metadata"] | (wanted.get("metadata") or {})
        before = {key: component["status"] for key, component in self.components.items()}
        statuses = wanted.get("components") or {}
        self._set_components(statuses)
        for key in [*(wanted.get("component_ids") or []), *statuses]:
            if self.components[key] not in incident["components"]:
                incident["components"].append(self.components[key])
        calculated = max(
            (IMPACT_OF.get(status, "none") for status in statuses.values()), key=IMPACTS.index, default="none"
        )
        worst = max(calculated, incident["impact"], key=IMPACTS.index)
        incident["impact"] = incident["impact_override"] or worst
        for moment in ("monitoring", "resolved"):
            if incident["status"] == moment:
                incident[f"{moment}_at"] = timestamp()
        if wanted.get("body") or wanted.get("status"):
            incident["incident_updates"].insert(0, self._update(incident, wanted, before))
        incident["updated_at"] = timestamp()

    def _update(self, incident: dict[str, Any], wanted: dict[str, Any], before: dict[str, str]) -> dict[str, Any]:
        affected = [
            {"code": key, "name": self.components[key]["name"], "old_status": before[key], "new_status": status}
            for key, status in (wanted.get("components") or {}).items()
        ]
        return {
            "id": token_hex(6),
            "incident_id": incident["id"],
            "status": incident["status"],
            "body": wanted.get("body") or "",
            "created_at": timestamp(),
            "display_at": timestamp(),
            "affected_components": affected,
            "deliver_notifications": _truth(wanted.get("deliver_notifications", True)),
        }

    def _check(self, wanted: dict[str, Any]) -> None:
        if len(str(wanted.get("name") or "")) > NAME_LIMIT:
            raise _unprocessable("Name is too long (maximum is 255 characters)")
        if len(str(wanted.get("body") or "")) > BODY_LIMIT:
            raise _unprocessable("Body is too long (maximum is 25000 characters)")
        if wanted.get("status", REALTIME[0]) not in REALTIME + SCHEDULED:
            raise _unprocessable("Status is not included in the list")
        if wanted.get("impact_override") not in (None, "", *IMPACTS):
            raise _unprocessable("Impact override is not included in the list")
        metadata, components = wanted.get("metadata") or {}, wanted.get("components") or {}
        if not isinstance(metadata, dict) or not all(isinstance(value, dict) for value in metadata.values()):
            raise _unprocessable("Metadata top level values must be objects")
        if not isinstance(components, dict):
            raise _unprocessable("Components must be a map of component ids to statuses")
        for key in [*(wanted.get("component_ids") or []), *components]:
            self._known_component(key, _unprocessable(f"Component {key} does not exist"))
        self._check_statuses(components)

    @staticmethod
    def _check_statuses(components: dict[str, str]) -> None:
        if any(status not in COMPONENT_STATUSES for status in components.values()):
            raise _unprocessable("Component status is not included in the list")

    def _set_components(self, statuses: dict[str, str]) -> None:
        self._check_statuses(statuses)
        for key, status in statuses.items():
            self.components[key].update(status=status, updated_at=timestamp())

    def _known_component(self, key: str, refusal: RefusalError) -> dict[str, Any]:
        if key not in self.components:
            raise refusal
        return self.components[key]

    def _component(self, key: str, name: str) -> dict[str, Any]:
        created = {"created_at": timestamp(), "updated_at": timestamp(), "group": False, "position": 1}
        return {
            "id": key,
            "page_id": self.credentials.statuspage_page_id,
            "name": name,
            "status": "operational",
            **created,
        }

    def _authenticate(self, request: Request) -> None:
        # The scheme is OAuth; a Bearer is not accepted [spec].
        if bearer(request, "OAuth") != self.credentials.statuspage_api_key:
            raise RefusalError(401, {"error": "Could not authenticate"})
        if request.path_params["page_id"] != self.credentials.statuspage_page_id:
            raise NOT_FOUND

    def _incident(self, request: Request) -> dict[str, Any]:
        for incident in self.incidents:
            if incident["id"] == request.path_params["id"]:
                return incident
        raise NOT_FOUND

    async def _body(self, request: Request, name: str) -> dict[str, Any]:
        """The object under `name`, from JSON or from `name[field]=` and `name[field][key]=` of a form."""
        bad = RefusalError(400, {"error": f"param is missing or the value is empty: {name}"})
        if is_form(request):
            return _unflattened(name, await form_fields(request))
        body = (await json_object(request, bad)).get(name)
        if not isinstance(body, dict) or not body:
            raise bad
        return body

    def _record(self, operation: str, incident: dict[str, Any], wanted: dict[str, Any]) -> None:
        fields = ("name", "status", "body", "components", "component_ids", "impact_override", "metadata")
        essence = pick(wanted, *fields) | {"id": incident["id"]}
        essence["deliver_notifications"] = _truth(wanted.get("deliver_notifications", True))
        self.ledger.record("statuspage", operation, essence)

    def snapshot(self) -> dict[str, Any]:
        """Components and incidents, newest first."""
        return {"components": list(self.components.values()), "incidents": self.incidents[::-1]}


def _unflattened(name: str, form: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in form.items():
        keys = re.findall(r"\[([^\]]*)\]", key)
        if key.startswith(f"{name}[") and len(keys) == 1:
            found[keys[0]] = value
        elif key.startswith(f"{name}[") and keys and keys[1] == "":
            found.setdefault(keys[0], []).append(value)
        elif key.startswith(f"{name}[") and keys:
            found.setdefault(keys[0], {})[keys[1]] = value
    if isinstance(found.get("metadata"), str):
        found["metadata"] = json.loads(found["metadata"])
    return found


def _mentions(incident: dict[str, Any], text: str) -> bool:
    updates = [row["body"] for row in incident["incident_updates"]]
    return text.lower() in " ".join([incident["name"], incident["status"], *updates]).lower()


def _truth(value: Any) -> bool:
    return str(value).lower() not in ("false", "0", "none", "")


def _unprocessable(message: str) -> RefusalError:
    return RefusalError(422, {"error": [message]})
