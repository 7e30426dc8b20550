"""The description of the API: OpenAPI 3.1, made from the models that requests are read by."""

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from incidents.app.api_tokens import Scope
from incidents.client.alert_sources.names import SourceName
from incidents.client.intake import LARGEST
from incidents.gateway.api import views
from incidents.gateway.api.bodies import KINDS, OpenIncident, body_model
from incidents.gateway.api.senders import LARGEST_BODY, PER_MINUTE

Json = dict[str, Any]
ABOUT = (
    "The commands of the command line, by the same names. `incident token create` makes a token for them.",
    "202: Temporal has recorded it. 200: it has taken effect.",
    "Idempotency-Key: the same key again is the same request, and has no second effect.",
    'An error is {"error": "one line"}.',
)
"""What holds for all of the API, one paragraph each."""
TAGS = ("incidents", "commands", "alerts", "health")
_PROBLEMS = {
    "400": "malformed, or rejected by Temporal as invalid",
    "401": "no valid token",
    "403": "the token lacks the scope, or runbook.yaml does not authorize its owner",
    "404": "not found",
    "408": "the body did not arrive in time; send it again",
    "409": "a rule rejects the command; nothing was changed",
    "413": f"larger than {LARGEST_BODY // 1024} KiB",
    "415": "not application/json",
    "422": "a field does not fit",
    "429": f"more than {PER_MINUTE} requests a minute; see Retry-After",
    "503": "Temporal, or every worker, does not answer; send it again",
}
_READ = ("400", "401", "403", "404", "429", "503")
_WRITE = ("400", "401", "403", "404", "408", "409", "413", "415", "422", "429", "503")
_REFERENCE: Json = {
    "name": "ref",
    "in": "path",
    "required": True,
    "description": "42, INC-42, latest, or a workflow id.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 300},
}
_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key again is the same request: it has no second effect.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[\x21-\x7e]+$"},
}


@lru_cache(maxsize=1)
def document() -> Json:
    """Return the description. It names nothing of this installation."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Incident runbook", "version": _version(), "description": "\n\n".join(ABOUT)},
        "tags": [{"name": name} for name in TAGS],
        "paths": {**_incident_paths(), **_command_paths(), **_other_paths()},
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description": _scopes()}},
        },
    }


def _version() -> str:
    try:
        return version("incident-runbook")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0"


def _scopes() -> str:
    return f"Scopes: {', '.join(Scope)}. `incident token create NAME --scope SCOPE` makes one."


def _incident_paths() -> Json:
    after = _query("after", "Only entries after this number.", {"type": "integer", "minimum": 0, "maximum": 10**9})
    everything = _query("all", "Also those that are closed.", {"type": "boolean"})
    one = "/api/v1/incidents/{ref}"
    return {
        "/api/v1/incidents": {
            "get": _operation(
                "list", "List incidents, newest first", Scope.READ, _ok(views.IncidentList), [everything]
            ),
            "post": _operation(
                "open",
                "Open an incident",
                Scope.RESPOND,
                {"202": _json(views.Opened, "recorded")},
                [_KEY],
                OpenIncident,
            ),
        },
        one: {"get": _operation("show", "Show an incident", Scope.READ, _ok(views.IncidentView), [_REFERENCE])},
        f"{one}/timeline": {
            "get": _operation(
                "timeline", "Show the timeline, oldest first", Scope.READ, _ok(views.Timeline), [_REFERENCE, after]
            )
        },
    }


def _command_paths() -> Json:
    answers = {"200": _json(views.Receipt, "done"), "202": _json(views.Receipt, "recorded; no worker answers yet")}
    return {
        f"/api/v1/incidents/{{ref}}/commands/{name}": {
            "post": _operation(name, kind.help_text, Scope.RESPOND, answers, [_REFERENCE, _KEY], body_model(kind))
            | {"tags": ["commands"]}
        }
        for name, kind in KINDS.items()
    }


def _other_paths() -> Json:
    source: Json = {"name": "source", "in": "path", "required": True, "schema": {"type": "string"}}
    source["description"] = f"{', '.join(SourceName)}, or the name of a source that sends our own JSON."
    alert: Json = {
        "operationId": "alert",
        "summary": "Post alerts, as their source sends them",
        "description": "Scope: alerts, or GATEWAY_TOKEN, or the source's own signature.",
        "tags": ["alerts"],
        "parameters": [source],
        "security": [{"bearer": []}, {}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
        "responses": {"202": {"description": "recorded, or kept on disk while Temporal is unreachable"}}
        | {status: _problem(status) for status in ("400", "401", "404", "503")}
        | {"413": _json(views.Problem, f"larger than {LARGEST // 1024} KiB")},
    }
    plain = {"200": {"description": "ok", "content": {"text/plain": {"schema": {"type": "string"}}}}}
    ready = {"200": _json(views.Ready, "ready"), "503": _json(views.Ready, "not ready, with the reason of each part")}
    return {
        "/alerts/{source}": {"post": alert},
        "/livez": {"get": _health("livez", "Whether this process serves requests", plain)},
        "/healthz": {"get": _health("healthz", "Whether Temporal answers", plain | {"503": _problem("503")})},
        "/readyz": {"get": _health("readyz", "Whether each part of this gateway is ready", ready)},
    }


def _health(name: str, summary: str, responses: Json) -> Json:
    return {"operationId": name, "summary": summary, "tags": ["health"], "security": [], "responses": responses}


def _operation(
    name: str,
    summary: str,
    scope: Scope,
    answers: Json,
    parameters: list[Json],
    body: type[BaseModel] | None = None,
) -> Json:
    """Return an operation. `answers`: those of success; the problems are those of all that read or write."""
    found: Json = {
        "operationId": name,
        "summary": summary.removesuffix("."),
        "description": f"Scope: {scope}.",
        "tags": ["incidents"],
        "parameters": parameters,
        "security": [{"bearer": []}],
        "responses": answers | {status: _problem(status) for status in (_WRITE if body else _READ)},
    }
    if body is not None:
        required = bool(set(_schema_of(body).get("required", ())))
        found["requestBody"] = {"required": required, "content": {"application/json": {"schema": _ref(body)}}}
    return found


def _query(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _ok(model: type[BaseModel]) -> Json:
    return {"200": _json(model, "ok")}


def _json(model: type[BaseModel], description: str) -> Json:
    return {"description": description, "content": {"application/json": {"schema": _ref(model)}}}


def _problem(status: str) -> Json:
    return _json(views.Problem, _PROBLEMS[status])


def _ref(model: type[BaseModel]) -> Json:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _schema_of(model: type[BaseModel]) -> Json:
    found: Json = _schemas()[model.__name__]
    return found


@lru_cache(maxsize=1)
def _schemas() -> Json:
    """Return the schema of each model."""
    bodies: set[type[BaseModel]] = {OpenIncident, *(body_model(kind) for kind in KINDS.values())}
    answers = (
        views.Problem,
        views.Opened,
        views.IncidentList,
        views.IncidentView,
        views.Timeline,
        views.Receipt,
        views.Ready,
    )
    modes: Any = [(model, "validation") for model in sorted(bodies, key=lambda each: each.__name__)]
    modes += [(model, "serialization") for model in answers]
    _, made = models_json_schema(modes, ref_template="#/components/schemas/{model}")
    schemas: Json = made["$defs"]
    return schemas
