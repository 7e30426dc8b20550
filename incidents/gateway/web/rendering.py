"""Render pages: templates that escape everything, and the headers that every page is sent with."""

from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from incidents.app.settings import Settings
from incidents.cutting import cut
from incidents.domain.core.text.escaping import html_value
from incidents.domain.core.time.elapsed import clock_at, in_words
from incidents.domain.incident.display.summary import MARKS
from incidents.gateway.web.access import Person
from incidents.gateway.web.sessions import form_token, take_message

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    # Not `no-referrer`: browsers then send `Origin: null` with forms, which the check of the origin rejects.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
"""Headers of every page: nothing from elsewhere is loaded or run, and no page is kept or framed."""


def build_environment() -> Environment:
    """Return the templates' environment. Every value is escaped, and loses its control characters."""
    environment = Environment(
        loader=PackageLoader("incidents.gateway.web"),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=html_value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clock": _clock, "words": in_words, "cut": cut}
    environment.globals["marks"] = MARKS
    return environment


@pass_context
def _clock(context: Context, instant: datetime) -> str:
    return clock_at(instant, context["now"])


class Renderer:
    """Renders pages in the frame that all share."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._environment = settings, build_environment()

    def page(
        self, request: Request, person: Person | None, template: str, status: int = 200, **values: object
    ) -> Response:
        """Return a page. `person`: who reads it; None before anybody signed in."""
        shared: dict[str, object] = {
            "person": person,
            "now": datetime.now(UTC),
            "here": request.url.path,
            "message": take_message(request),
            "inspector": "",
            "live_at": None,
        }
        if person is not None and person.signs_out:
            shared["sign_out_token"] = form_token(request)
        text = self._environment.get_template(template).render(shared | values)
        return HTMLResponse(text, status, headers=HEADERS)

    def private(self, request: Request, person: Person, name: str) -> Response:
        """Return the page of a private incident for those who may not see it."""
        return self.page(request, person, "private.html.j2", 403, name=name)

    def temporal_ui(self, workflow_id: str = "", run_id: str = "", query: str = "") -> str:
        """Return the address of the Temporal UI: of a run, of a filtered list, or of all; "" if it is not set."""
        base = self._settings.temporal_ui_url.rstrip("/")
        if not base:
            return ""
        workflows = f"{base}/namespaces/{quote(self._settings.temporal_namespace, safe='')}/workflows"
        if workflow_id:
            return f"{workflows}/{quote(workflow_id, safe='')}/{quote(run_id, safe='')}/history"
        return f"{workflows}?{urlencode({'query': query})}" if query else workflows
