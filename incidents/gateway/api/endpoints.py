"""The resources of the API, below `/api/v1`."""

import json
from collections.abc import Iterable
from urllib.parse import quote

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from incidents.app.api_tokens import ApiToken, Scope
from incidents.app.starter import ByHand, declare
from incidents.app.submission_file import InvalidInput
from incidents.domain.config.model import RunbookConfig
from incidents.gateway.api.bodies import OpenIncident, command_named, read_command, read_model, read_object
from incidents.gateway.api.calls import ApiCalls
from incidents.gateway.api.idempotency import IdempotencyKeys
from incidents.gateway.api.refusals import Refused
from incidents.gateway.api.senders import Senders
from incidents.gateway.api.views import IncidentList, Listed, Opened, Receipt, incident_view, timeline_view

_MOST_ENTRIES = 10**9
_FLAGS = {"true": True, "false": False}


class ApiEndpoints:
    """The request handlers. Each admits its sender before it reads anything else."""

    def __init__(self, senders: Senders, calls: ApiCalls, runbook: RunbookConfig) -> None:
        self._senders, self._calls, self._runbook = senders, calls, runbook
        self._keys = IdempotencyKeys()

    def routes(self) -> list[Route]:
        """Return the routes, relative to `/api`."""
        one = "/v1/incidents/{ref}"
        return [
            Route("/v1/incidents", self.incidents, methods=["GET"]),
            Route("/v1/incidents", self.open, methods=["POST"]),
            Route(one, self.incident, methods=["GET"]),
            Route(f"{one}/timeline", self.timeline, methods=["GET"]),
            Route(f"{one}/commands/{{command}}", self.command, methods=["POST"]),
        ]

    async def incidents(self, request: Request) -> Response:
        """List incidents."""
        token = self._senders.admit(request, Scope.READ)
        _only(request, ("all",))
        rows = await self._calls.listed(everything=_flag(request, "all"))
        shown = (row if token.may(Scope.PRIVATE) else row | {"title": None} for row in rows)
        return _answer(IncidentList(incidents=tuple(Listed.model_validate(row) for row in shown)))

    async def open(self, request: Request) -> Response:
        """Open an incident."""
        token = self._senders.admit(request, Scope.RESPOND)
        fields = await read_object(request)
        asked = read_model(OpenIncident, fields)
        key = self._key(request, token, fields)
        try:
            typed = ByHand(by=self._senders.name_of(token), **asked.model_dump())
            declared = declare(typed, self._runbook)
        except InvalidInput as error:
            raise Refused(422, str(error)) from None
        opened = await self._calls.open(declared, key)
        url = f"/api/v1/incidents/{opened.number or quote(opened.workflow_id, safe='')}"
        view = Opened(workflow_id=opened.workflow_id, number=opened.number, url=url)
        return _answer(view, 202, {"location": url})

    async def incident(self, request: Request) -> Response:
        """Show an incident."""
        token = self._senders.admit(request, Scope.READ)
        _only(request, ())
        state = await self._calls.state(request.path_params["ref"], private=token.may(Scope.PRIVATE))
        return _answer(incident_view(state))

    async def timeline(self, request: Request) -> Response:
        """Show the timeline of an incident."""
        token = self._senders.admit(request, Scope.READ)
        _only(request, ("after",))
        after = _number(request, "after")
        state = await self._calls.state(request.path_params["ref"], private=token.may(Scope.PRIVATE))
        return _answer(timeline_view(state, after))

    async def command(self, request: Request) -> Response:
        """Send a command to an incident."""
        token = self._senders.admit(request, Scope.RESPOND)
        kind = command_named(request.path_params["command"])
        fields = await read_object(request)
        by = self._senders.name_of(token)
        command_id = self._key(request, token, fields)
        command = read_command(kind, fields, by, command_id)
        reference, private = request.path_params["ref"], token.may(Scope.PRIVATE)
        sent = await self._calls.command(reference, command, by, command_id, private=private)
        receipt = Receipt(message=sent.message, changed=sent.changed, queued=sent.queued, revision=sent.revision)
        return _answer(receipt, 202 if sent.queued else 200)

    def _key(self, request: Request, token: ApiToken, fields: object) -> str:
        path, body = request.url.path, json.dumps(fields, sort_keys=True)
        return self._keys.id_of(token, request.headers.get("idempotency-key"), path, body)


def _answer(view: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(view.model_dump(mode="json"), status, headers)


def _only(request: Request, names: Iterable[str]) -> None:
    """Refuse a query that would be ignored.

    Raises:
        Refused: it has another parameter, or one twice.
    """
    given = [name for name, _ in request.query_params.multi_items()]
    known = sorted(names)
    if sorted(set(given) | set(known)) != known or len(set(given)) < len(given):
        raise Refused(400, f"the query may have each of these once: {', '.join(known) or 'none'}")


def _flag(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "false")
    if (found := _FLAGS.get(text)) is None:
        raise Refused(400, f"{name} is true or false")
    return found


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "0")
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > _MOST_ENTRIES:
        raise Refused(400, f"{name} is a number from 0 to {_MOST_ENTRIES}")
    return int(text)
