"""The API as a part of the gateway: its resources, their description, and what it refuses."""

import re
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from incidents.app.api_tokens import ApiTokens
from incidents.app.settings import Settings
from incidents.domain.config.model import RunbookConfig
from incidents.domain.people.directory import PeopleDirectory
from incidents.gateway.api.calls import ApiCalls
from incidents.gateway.api.endpoints import ApiEndpoints
from incidents.gateway.api.pages import docs, openapi
from incidents.gateway.api.refusals import Refused, refuse, refuse_route
from incidents.gateway.api.senders import Senders


def api_routes(
    connect: Callable[[], Awaitable[Client]], settings: Settings, runbook: RunbookConfig, tokens: ApiTokens
) -> list[BaseRoute]:
    """Return the routes of the API.

    Args:
        connect: returns a client that is connected to Temporal, or raises `RPCError`.
        settings: of this process.
        runbook: the runbook in use.
        tokens: who may send what.
    """
    senders = Senders(tokens, PeopleDirectory(runbook.people.directory))
    calls = ApiCalls(connect, runbook, settings.temporal_task_queue)
    routes = ApiEndpoints(senders, calls, runbook).routes()
    handlers = {Refused: refuse, HTTPException: refuse_route, RPCError: _refuse_rpc}
    mount = Mount("/api", app=Starlette(routes=routes, exception_handlers=handlers))
    # Else a path with a line break is not below `/api`, and its refusal no JSON.
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return [
        Route("/openapi.json", openapi, methods=["GET"]),
        Route("/docs", docs, methods=["GET"]),
        mount,
    ]


def _refuse_rpc(request: Request, error: Exception) -> Response:
    """Answer an error of Temporal: what it rejects as invalid, or that it does not answer."""
    if isinstance(error, RPCError) and error.status is RPCStatusCode.INVALID_ARGUMENT:
        return refuse(request, Refused(400, "Temporal rejected the request as invalid. Nothing was changed."))
    said = "Temporal is unavailable; running incidents are not affected. Send it again with the same Idempotency-Key."
    return refuse(request, Refused(503, said, {"retry-after": "5"}))
