"""The web site: its routes, and what a reader gets when a page cannot be shown."""

import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from incidents.app.composition.pagers import build_acknowledge_links
from incidents.app.evidence.records import Damaged
from incidents.app.settings import Settings
from incidents.client.paging.acknowledge_links import PATH
from incidents.client.problems import NoAnswer, NotFound
from incidents.domain.config.model import RunbookConfig
from incidents.domain.people.directory import PeopleDirectory
from incidents.gateway.web.access import Access, NotAllowed, Person, SignInNeeded
from incidents.gateway.web.acknowledge_page import AcknowledgePage
from incidents.gateway.web.command_pages import CommandPages
from incidents.gateway.web.pages import Pages, Shared
from incidents.gateway.web.reads import IncidentReaders
from incidents.gateway.web.rendering import HEADERS, Renderer
from incidents.gateway.web.report_page import InvalidPeriod
from incidents.gateway.web.sessions import ForgedForm, session_middleware
from incidents.gateway.web.sign_in import CALLBACK, SIGN_IN, SIGN_OUT, SignIn, SignInFailed

Handler = Callable[[Request, Person], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]
_log = logging.getLogger("gateway")


class WebSite:
    """The pages of the gateway. `connected` raises `RPCError` while Temporal is unreachable.

    `access` and `sessions`: who reads the pages, for other endpoints that ask the same.
    """

    def __init__(self, connected: Callable[[], Awaitable[Client]], settings: Settings, runbook: RunbookConfig) -> None:
        people = PeopleDirectory(runbook.people.directory)
        self._renderer = Renderer(settings)
        self.access = Access(settings, people)
        shared = Shared(connected, settings, runbook, people, self._renderer, IncidentReaders())
        self._pages, self._commands = Pages(shared), CommandPages(shared)
        self._link = AcknowledgePage(shared, build_acknowledge_links(settings), self.access.signed_in)
        self._sign_in = SignIn(settings, self.access, people, self._renderer)
        self.sessions = session_middleware(settings)

    def describe(self) -> str:
        """Return in one line who may read the pages."""
        return self.access.describe()

    def stop(self) -> None:
        """End what would keep the gateway from stopping."""
        self._pages.stop()

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        pages, commands, link = self._pages, self._commands, self._link
        return [
            self._route("/", pages.overview),
            self._route("/events", pages.overview_events),
            self._route("/incidents/{name}", pages.incident),
            self._route("/incidents/{name}/events", pages.incident_events),
            self._route("/incidents/{name}/probes/{cluster}/{index:int}.svg", pages.probes),
            self._route("/incidents/{name}/do/{action}", commands.ask),
            self._route("/incidents/{name}/do/{action}", commands.submit, "POST"),
            self._route("/postmortems", pages.postmortems),
            self._route("/report", pages.report),
            self._route("/report/{chart}.svg", pages.report_chart),
            self._link_route(f"{PATH}/{{token}}", link.ask, "GET"),
            self._link_route(f"{PATH}/{{token}}", link.acknowledge, "POST"),
            self._link_route(SIGN_IN, self._sign_in.begin, "GET"),
            self._link_route(CALLBACK, self._sign_in.finish, "GET"),
            self._route(SIGN_OUT, self._sign_in.sign_out, "POST"),
            Mount("/static", StaticFiles(packages=[("incidents.gateway.web", "static")])),
        ]

    def _route(self, path: str, handler: Handler, method: str = "GET") -> Route:
        """Return the route of a page for those who may read it."""

        async def endpoint(request: Request) -> Response:
            try:
                person = self.access.person(request)
            except NotAllowed as problem:
                return self._problem(request, None, 403, "Not allowed", str(problem))
            except SignInNeeded:
                return self._to_sign_in(request)
            return await self._answer(request, person, handler(request, person))

        return self._open_route(path, endpoint, method)

    def _link_route(self, path: str, handler: Endpoint, method: str) -> Route:
        """Return the route of a page that does not ask who reads it: a link, or the sign-in itself."""

        async def endpoint(request: Request) -> Response:
            return await self._answer(request, None, handler(request))

        return self._open_route(path, endpoint, method)

    def _open_route(self, path: str, endpoint: Endpoint, method: str) -> Route:
        return Route(path, endpoint, methods=[method], middleware=[self.sessions])

    async def _answer(self, request: Request, person: Person | None, work: Awaitable[Response]) -> Response:
        """Return a handler's page, or one that says why there is none."""
        try:
            return await work
        except NotAllowed as problem:
            return self._problem(request, person, 403, "Not allowed", str(problem))
        except NotFound as problem:
            return self._problem(request, person, 404, "Not found", str(problem))
        except ForgedForm as problem:
            return self._problem(request, person, 403, "Not sent", str(problem))
        except SignInFailed as problem:
            return self._problem(request, person, 403, "Not signed in", str(problem))
        except InvalidPeriod as problem:
            return self._problem(request, person, 400, "Not a report", str(problem))
        except (NoAnswer, Damaged) as problem:
            return self._problem(request, person, 503, "No answer", str(problem))
        except RPCError as error:
            if error.status is RPCStatusCode.INVALID_ARGUMENT:  # such as an address that can be no workflow id
                return self._problem(request, person, 404, "Not found", "There is no such incident.")
            _log.warning("Temporal answered %s to a page: %s", error.status.name, error.message)
            text = "Temporal is not answering. Running incidents are not affected. Reload in a moment."
            return self._problem(request, person, 503, "Temporal is unavailable", text)

    def _to_sign_in(self, request: Request) -> Response:
        """Send a reader to the sign-in; a form is not sent again afterwards, and a stream shows no sign-in."""
        if request.method != "GET" or request.headers.get("accept") == "text/event-stream":
            text = "You are not signed in any more. Nothing was sent. Open the page again."
            return self._problem(request, None, 403, "Not signed in", text)
        wanted = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        return RedirectResponse(f"{SIGN_IN}?{urlencode({'next': wanted})}", 303, headers=HEADERS)

    def _problem(self, request: Request, person: Person | None, status: int, title: str, text: str) -> Response:
        return self._renderer.page(request, person, "problem.html.j2", status, title=title, text=text)
